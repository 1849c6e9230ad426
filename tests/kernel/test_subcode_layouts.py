"""The layouts of subcode: against reference vectors, each other, and a bit-by-bit oracle."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rawcd.subcode.layouts import CHANNELS, PQ16, PlanarPW, RawPW, RWPacks

LAYOUTS = [RawPW, PlanarPW, RWPacks, PQ16]

sectors = st.integers(0, 5).flatmap(lambda n: st.binary(min_size=96 * n, max_size=96 * n))


def noise(count: int, width: int = 96) -> Any:
    return np.random.default_rng(count).integers(0, 256, (count, width), dtype=np.uint8)


def turned(raw: Any) -> Any:
    """Every bit moved on its own: bit c of symbol k is bit k of channel c."""
    bits = np.unpackbits(raw[..., None], axis=2)  # sector, symbol, channel
    return np.packbits(bits.transpose(0, 2, 1), axis=2).reshape(-1, 96)


def test_the_reference_sectors_in_every_layout(vectors: dict[str, Any]) -> None:
    for vector in vectors["subchannel_layouts"]:
        raw = RawPW.of_bytes(bytes.fromhex(vector["raw96"]))
        planar = PlanarPW.of_bytes(bytes.fromhex(vector["packed96"]))
        pq16 = PQ16.of_bytes(bytes.fromhex(vector["pq16"]))
        q = np.frombuffer(bytes.fromhex(vector["q12"]), np.uint8).reshape(1, 12)
        p = np.array([vector["p12"] == "ff" * 12])
        rw = np.frombuffer(bytes.fromhex(vector["rw_symbols"].ljust(192, "0")), np.uint8)
        assert raw.planar() == planar
        assert planar.raw() == raw
        assert raw.pq16() == pq16
        assert pq16.raw() == RawPW.of_pq(q, p)
        assert RawPW.of_pq(q, p, rw.reshape(1, 96)) == raw
        assert bytes(raw.rw()) == rw.tobytes()
        assert planar.channel("P").tobytes().hex() == vector["p12"]
        assert planar.channel("Q").tobytes().hex() == vector["q12"]
        for layout in (raw, pq16):
            got_q, got_p = layout.pq()
            np.testing.assert_array_equal(got_q, q)
            np.testing.assert_array_equal(got_p, p)


@given(sectors)
def test_raw_and_planar_are_each_other_s_inverse(data: bytes) -> None:
    raw, planar = RawPW.of_bytes(data), PlanarPW.of_bytes(data)
    assert raw.planar().raw() == raw
    assert planar.raw().planar() == planar
    np.testing.assert_array_equal(raw.planar().rows, turned(raw.rows))


@pytest.mark.parametrize("count", [1, 1023, 1024, 1025, 2500])
def test_windows_leave_no_seam(count: int) -> None:
    rows = noise(count)
    np.testing.assert_array_equal(RawPW(rows).planar().rows, turned(rows))
    assert PlanarPW(turned(rows)).raw() == RawPW(rows)


@given(sectors, st.data())
def test_any_cuts_give_the_same(data: bytes, cuts: st.DataObject) -> None:
    raw = RawPW.of_bytes(data)
    cut = cuts.draw(st.integers(0, len(raw)))
    assert bytes(raw[:cut].planar()) + bytes(raw[cut:].planar()) == bytes(raw.planar())
    planar = PlanarPW.of_bytes(data)
    assert bytes(planar[:cut].raw()) + bytes(planar[cut:].raw()) == bytes(planar.raw())


def test_strided_rows_are_read_in_place_and_never_written() -> None:
    whole = noise(40, 2448)
    before = whole.copy()
    rows = whole[:, 2352:]
    assert RawPW(rows).planar() == RawPW(rows.copy()).planar()
    assert PlanarPW(rows).raw() == PlanarPW(rows.copy()).raw()
    assert RawPW(rows).pq16() == RawPW(rows.copy()).pq16()
    assert len(RWPacks(rows).packs()) == 160
    np.testing.assert_array_equal(whole, before)


def test_channels_stand_in_the_order_of_their_bits() -> None:
    for bit, name in enumerate(CHANNELS):
        raw = RawPW(np.full((2, 96), 0x80 >> bit, np.uint8))
        planar = raw.planar()
        assert planar.channel(name).tobytes() == b"\xff" * 24
        assert int(planar.rows.sum()) == 24 * 255
        channels = np.zeros((2, 8, 12), np.uint8)
        channels[:, bit] = 0xFF
        assert PlanarPW.of_channels(channels) == planar


@given(st.binary(min_size=96, max_size=96))
def test_packs_are_six_bits_a_symbol(data: bytes) -> None:
    cooked = RWPacks.of_bytes(data)
    assert cooked.packs().shape == (4, 24)
    assert cooked.packs().tobytes() == bytes(byte & 0x3F for byte in data)
    assert RWPacks.of_packs(cooked.packs()).packs().tobytes() == cooked.packs().tobytes()


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("other", LAYOUTS)
def test_none_is_taken_for_another(layout: type, other: type) -> None:
    rows = np.zeros((1, layout.width), np.uint8)  # type: ignore[attr-defined]  # each has one
    value = layout(rows)
    with pytest.raises(TypeError, match="array of uint8"):
        other(value)
    if other.width == layout.width:  # type: ignore[attr-defined]  # the same
        assert (value == other(rows)) is (layout is other)
    assert value != rows.tobytes()


def test_a_layout_has_only_the_conversions_of_its_own() -> None:
    assert not hasattr(RawPW, "raw")
    assert not hasattr(PlanarPW, "planar")
    assert not hasattr(PlanarPW, "pq")
    assert not {"raw", "planar", "pq", "pq16"} & set(dir(RWPacks))
    with pytest.raises(AttributeError):
        RawPW(noise(1)).rows = noise(1)  # type: ignore[misc]  # it cannot be set


@pytest.mark.parametrize("layout", LAYOUTS)
def test_what_is_no_row_is_refused(layout: type) -> None:
    width = layout.width  # type: ignore[attr-defined]  # each has one
    with pytest.raises(ValueError, match="rows of"):
        layout(np.zeros((1, width + 1), np.uint8))
    with pytest.raises(ValueError, match="rows of"):
        layout(np.zeros(width, np.uint8))
    with pytest.raises(ValueError, match="no whole rows"):
        layout.of_bytes(bytes(width + 1))  # type: ignore[attr-defined]  # the same
    with pytest.raises(TypeError, match="not int64"):
        layout(np.zeros((1, width), np.int64))
    with pytest.raises(TypeError, match="not bytes"):
        layout(bytes(width))
    with pytest.raises(TypeError, match="unhashable"):
        hash(layout(np.zeros((1, width), np.uint8)))
    value = layout(noise(3, width))
    assert pickle.loads(pickle.dumps(value)) == value
    assert repr(value) == f"<{layout.__name__}: 3 sectors>"


def test_packs_that_fill_no_sector_are_refused() -> None:
    with pytest.raises(ValueError, match="3 packs are no whole sectors of 4"):
        RWPacks.of_packs(np.zeros((3, 24), np.uint8))
    for shape in ((4, 18), (96,)):
        with pytest.raises(ValueError, match="rows of 24"):
            RWPacks.of_packs(np.zeros(shape, np.uint8))
    wide: Any = np.full((4, 24), 300, np.int64)
    with pytest.raises(TypeError, match="not int64"):
        RWPacks.of_packs(wide)


@pytest.mark.parametrize("name", ["", "q", "X", "PQ"])
def test_a_channel_that_is_none_is_named(name: str) -> None:
    with pytest.raises(ValueError, match=f"no channel '{name}'; there are P, Q"):
        PlanarPW(noise(1)).channel(name)


def test_the_names_of_the_package_are_there_and_no_others() -> None:
    import rawcd.subcode

    for name in rawcd.subcode.__all__:
        assert getattr(rawcd.subcode, name) is not None
    assert dir(rawcd.subcode) == sorted(rawcd.subcode.__all__)
    with pytest.raises(AttributeError, match="no attribute 'Raw'"):
        _ = rawcd.subcode.Raw
