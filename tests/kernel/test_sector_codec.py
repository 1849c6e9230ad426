"""Blocks to sectors and back: against published sectors, and against the slow road."""

from __future__ import annotations

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rawcd.errors import FormatError
from rawcd.sector import (
    DEFAULT_SUBHEADERS,
    SectorType,
    decode,
    encode,
    is_scrambled,
    scramble,
    verify,
)
from tests.contract.format_contract import scaled
from tests.oracles import sectors as oracle

Bytes2D = npt.NDArray[np.uint8]

VECTORS: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "fixtures/vectors/vectors.json").read_text(encoding="utf-8")
)
KINDS = {
    "mode0": SectorType.MODE_ZERO,
    "mode1": SectorType.MODE1,
    "mode2_formless": SectorType.MODE2FORM0,
    "mode2_form1": SectorType.MODE2FORM1,
    "mode2_form2": SectorType.MODE2FORM2,
}
ENCODED = [
    SectorType.MODE_ZERO,
    SectorType.MODE1,
    SectorType.MODE2FORM0,
    SectorType.MODE2FORM1,
    SectorType.MODE2FORM2,
]
USER_BYTES = {
    SectorType.AUDIO: 2352,
    SectorType.MODE_ZERO: 2336,
    SectorType.MODE1: 2048,
    SectorType.MODE2FORM0: 2336,
    SectorType.MODE2FORM1: 2048,
    SectorType.MODE2FORM2: 2324,
}
FORM_1 = bytes.fromhex("0000080000000800")
FORM_2 = bytes.fromhex("0000200000002000")


def digest(data: Bytes2D) -> str:
    return hashlib.sha256(data.tobytes()).hexdigest()


def by_oracle(
    kind: SectorType, user: bytes, lba: int, subheader: bytes = b"", *, edc: bool = True
) -> bytes:
    match kind:
        case SectorType.MODE_ZERO:
            return oracle.mode_0(lba)
        case SectorType.MODE1:
            return oracle.mode_1(user, lba)
        case SectorType.MODE2FORM0:
            return oracle.formless(user, lba)
        case SectorType.MODE2FORM1:
            return oracle.form_1(user, lba, subheader or FORM_1)
        case SectorType.MODE2FORM2:
            return oracle.form_2(user, lba, subheader or FORM_2, with_edc=edc)
    raise AssertionError(kind)


def random_blocks(kind: SectorType, count: int, seed: int) -> Bytes2D:
    shape = (count, USER_BYTES[kind])
    if kind is SectorType.MODE_ZERO:
        return np.zeros(shape, np.uint8)
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def sectors_of(kind: SectorType, count: int, lba: int, seed: int = 1) -> Bytes2D:
    return encode(kind, random_blocks(kind, count, seed), lba)


# ---- published sectors ---------------------------------------------------------------------------


@pytest.mark.parametrize("vector", VECTORS["sectors"], ids=lambda vector: vector["id"])
def test_vectors(vector: dict[str, Any]) -> None:
    kind, formula = KINDS[vector["kind"]], vector["data_formula"]
    user = bytes(2336)
    if formula:
        a, b, c = formula["a"], formula["b"], formula["c"]
        user = bytes(a * i * i + b * i + c & 255 for i in range(formula["length"]))
    subheader = bytes.fromhex(vector["subheader"]) if "subheader" in vector else None
    sector = encode(kind, user, vector["lba"], subheader=subheader)
    assert sector.shape == (1, 2352)
    assert sector[0, 12:16].tobytes().hex() == vector["header"]
    for field, first in (("edc", 2348 if "form2" in vector["kind"] else None),):
        if field in vector:
            start = first or (2064 if kind is SectorType.MODE1 else 2072)
            assert sector[0, start : start + 4].tobytes().hex() == vector[field]
    if "ecc_p" in vector:
        assert sector[0, 2076:2248].tobytes().hex() == vector["ecc_p"]
        assert sector[0, 2248:].tobytes().hex() == vector["ecc_q"]
    assert digest(sector) == vector["sector_sha256"]
    assert sector[0, :32].tobytes().hex() == vector["first32"]
    scrambled = scramble(sector)
    assert digest(scrambled) == vector["scrambled_sha256"]
    assert scrambled[0, :32].tobytes().hex() == vector["scrambled_first32"]
    assert digest(sector) == vector["sector_sha256"]


# User byte k of sector n is (7k + 13n) mod 256, LBA n: made by cdrdao and wodim, form 2 by cdrdao.
# Kind, LBA, subheader, place and bytes of the EDC, last bytes, SHA-256 plain and scrambled.
OBSERVED = """
mode1           16  -         2064  3554030a  e042f189  b33afd56dc1c866f4573b045  0e8428b5b8226bd1
mode1           17  -         2064  b648b324  939ad0ee  3d323b54320e54c011eed481  d207cbf7d755c003
mode2_formless  16  -         0     -         949ba2a9  ecdba4edc46b323da29d1119  78dfde0757c101c9
mode2_formless  17  -         0     -         a1a8afb6  64a5ee63e3b24eb12a098f49  4bc970654fa9f79e
mode2_form1     16  00000800  2072  82cb82c1  8f9d7b41  fc9609a2523ce09416b86c7b  6ed10a4dd3b48628
mode2_form1     16  00000000  2072  89430355  -         0b0f9cbe170c119194d4054a  -
mode2_form2     16  00002000  2348  bcde7e8f  -         f7dd162b5fbc229d6f085c4c  -
mode2_form2     17  00002800  2348  212deb83  -         de0298ac52e701ebc7f212f2  -
"""


@pytest.mark.parametrize("row", OBSERVED.strip().splitlines())
def test_sectors_of_other_programs(row: str) -> None:
    name, number, subheader, start, edc, last, plain, scrambled = (
        part.strip("-") for part in row.split()
    )
    kind, lba, place = KINDS[name], int(number), int(start)
    user = bytes((7 * k + 13 * lba) % 256 for k in range(USER_BYTES[kind]))
    sector = encode(kind, user, lba, subheader=bytes.fromhex(subheader) if subheader else None)
    assert sector[0, place : place + len(edc) // 2].tobytes().hex() == edc
    assert sector[0].tobytes().hex().endswith(last)
    assert digest(sector).startswith(plain)
    assert digest(scramble(sector)).startswith(scrambled)


def test_default_subheaders() -> None:
    assert DEFAULT_SUBHEADERS == {
        SectorType.MODE2FORM1: FORM_1,
        SectorType.MODE2FORM2: FORM_2,
    }


# ---- two roads -----------------------------------------------------------------------------------


# Some 3,700 sectors of each kind in 266 cases by day, and twenty times as many by night.
@pytest.mark.parametrize(("count", "examples"), [(1, 200), (7, 60), (512, 3), (513, 3)])
@pytest.mark.parametrize("kind", ENCODED)
def test_two_roads(kind: SectorType, count: int, examples: int) -> None:
    @settings(max_examples=scaled(examples), deadline=None)
    @given(
        lba=st.integers(-45_150, 404_850 - count),
        seed=st.integers(0, 2**32),
        kept=st.sampled_from([0, 1, 0x80, 0xFF, 0xFF]),  # few bits of some: long runs of zeros
    )
    def compare(lba: int, seed: int, kept: int) -> None:
        blocks = random_blocks(kind, count, seed) & np.uint8(kept)
        expected = b"".join(
            by_oracle(kind, block.tobytes(), lba + number) for number, block in enumerate(blocks)
        )
        sectors = encode(kind, blocks, lba)
        assert sectors.tobytes() == expected
        assert not verify(sectors, lba, kind).any()
        last = oracle.scrambled(expected[-2352:])
        assert scramble(sectors)[-1].tobytes() == last

    compare()


@settings(max_examples=scaled(200), deadline=None)
@given(
    kind=st.sampled_from(ENCODED),
    count=st.integers(1, 3),
    lba=st.integers(-45_150, 404_847),
    seed=st.integers(0, 2**32),
    subheader=st.binary(min_size=8, max_size=8),
    edc=st.booleans(),
    fill=st.sampled_from([None, 0, 255]),
)
def test_two_roads_with_options(
    kind: SectorType,
    count: int,
    lba: int,
    seed: int,
    subheader: bytes,
    edc: bool,
    fill: int | None,
) -> None:
    blocks = random_blocks(kind, count, seed)
    if fill is not None and kind is not SectorType.MODE_ZERO:
        blocks[:] = fill
    xa = kind in DEFAULT_SUBHEADERS
    bit = 0x20 if kind is SectorType.MODE2FORM2 else 0
    head = bytearray(subheader)
    head[2] = head[2] & 0xDF | bit
    expected = b"".join(
        by_oracle(kind, block.tobytes(), lba + number, bytes(head), edc=edc)
        for number, block in enumerate(blocks)
    )
    got = encode(kind, blocks, lba, subheader=bytes(head) if xa else None, edc=edc)
    assert got.tobytes() == expected


@pytest.mark.parametrize("size", [2332, 2336])
@settings(max_examples=3, deadline=None)
@given(seed=st.integers(0, 2**32), lba=st.integers(-45_150, 404_000), edc=st.booleans())
def test_mixed_forms(size: int, seed: int, lba: int, edc: bool) -> None:
    rng = np.random.default_rng(seed)
    blocks = rng.integers(0, 256, (190, size), dtype=np.uint8)
    blocks[20:60, 2] |= 0x20  # some in a row, so that a span has one form only
    expected = b""
    for number, block in enumerate(blocks.tolist()):
        if not block[2] & 0x20:
            user = bytes(block[8:2056])
            expected += oracle.form_1(user, lba + number, bytes(block[:8]))
        elif size == 2336:
            expected += oracle.formless(bytes(block), lba + number)  # its own EDC stays
        else:
            expected += oracle.form_2(
                bytes(block[8:]), lba + number, bytes(block[:8]), with_edc=edc
            )
    sectors = encode(SectorType.MODE2MIXED, blocks, lba, edc=edc)
    assert sectors.tobytes() == expected
    whole = encode(SectorType.MODE2MIXED, sectors, lba)
    assert whole.tobytes() == expected
    back = decode(SectorType.MODE2MIXED, sectors, block_size=size)
    in_form_2 = blocks[:, 2] & 0x20 != 0
    assert (back[in_form_2] == blocks[in_form_2]).all()
    assert (back[:, :2056] == blocks[:, :2056]).all()


@pytest.mark.parametrize("shift", [1, 2])
def test_a_span_of_one_form_among_mixed(shift: int) -> None:
    blocks = np.random.default_rng(shift).integers(0, 256, (128, 2332), dtype=np.uint8)
    blocks[:64, 2] = 0x20 if shift == 1 else 0x08
    blocks[64:, 2] = 0x08 if shift == 1 else 0x20
    sectors = encode(SectorType.MODE2MIXED, blocks, 0)
    for number in (0, 63, 64, 127):
        block = blocks[number].tobytes()
        expected = (
            oracle.form_2(block[8:], number, block[:8])
            if block[2] & 0x20
            else oracle.form_1(block[8:2056], number, block[:8])
        )
        assert sectors[number].tobytes() == expected


# ---- sizes, places, arrays -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "size", "start"),
    [
        (SectorType.MODE2FORM1, 2056, 16),
        (SectorType.MODE2FORM1, 2336, 16),
        (SectorType.MODE2FORM2, 2332, 16),
        (SectorType.MODE2FORM2, 2336, 16),
        (SectorType.MODE2FORM2, 2324, 24),
        (SectorType.MODE2FORM1, 2048, 24),
        (SectorType.MODE1, 2048, 16),
        (SectorType.MODE1, 2352, 0),
        (SectorType.MODE_ZERO, 2336, 16),
        (SectorType.MODE_ZERO, 2352, 0),
        (SectorType.MODE2FORM0, 2336, 16),
        (SectorType.MODE2FORM0, 2352, 0),
        (SectorType.MODE2FORM1, 2352, 0),
        (SectorType.MODE2FORM2, 2352, 0),
    ],
)
def test_every_block_size_there_and_back(kind: SectorType, size: int, start: int) -> None:
    sectors = sectors_of(kind, 3, 4321)
    blocks = decode(kind, sectors, block_size=size)
    assert blocks.tobytes() == np.ascontiguousarray(sectors[:, start : start + size]).tobytes()
    assert (encode(kind, blocks, 4321) == sectors).all()
    assert (encode(kind, blocks.tobytes(), 4321, block_size=size) == sectors).all()
    wide = np.full((3, 2448), 7, np.uint8)
    assert decode(kind, sectors, block_size=size, out=wide[:, :size]).base is not None
    assert (wide[:, :size] == blocks).all()
    assert (wide[:, size:] == 7).all()


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (SectorType.MODE1RAW, SectorType.MODE1),
        (SectorType.MODE2FORM0RAW, SectorType.MODE2FORM0),
        (SectorType.MODE2FORM1RAW, SectorType.MODE2FORM1),
        (SectorType.MODE2FORM2RAW, SectorType.MODE2FORM2),
        (SectorType.AUDIO, SectorType.AUDIO),
    ],
)
def test_whole_sectors_are_kept(raw: SectorType, kind: SectorType) -> None:
    sectors = sectors_of(kind, 5, 99)
    sectors[:, 100:2000:7] ^= 85  # whatever the codes say
    assert (encode(raw, sectors.tobytes(), 99) == sectors).all()
    assert (decode(raw, sectors) == sectors).all()


def test_audio_is_what_it_is() -> None:
    samples = np.random.default_rng(5).integers(-32768, 32767, (588 * 3, 2)).astype("<i2")
    assert encode(SectorType.AUDIO, samples, -150).tobytes() == samples.tobytes()


def test_imapi_form_2_brings_its_own_edc() -> None:
    block = FORM_2 + bytes(range(256)) * 9 + bytes(20)
    for field in (bytes(4), b"\x01\x02\x03\x04"):
        sector = encode(SectorType.MODE2FORM2, block + field, 0)
        assert sector.tobytes() == oracle.formless(block + field, 0)


def test_flat_bytes_choose_imapis_size_or_the_only_one() -> None:
    assert len(encode(SectorType.MODE2FORM2, FORM_2 * 292, 0)) == 1  # 2,336
    assert len(encode(SectorType.MODE2FORM2, bytes(2324 * 3), 0)) == 3
    assert len(encode(SectorType.MODE1, memoryview(bytes(2048 * 2)).cast("H"), 0)) == 2
    assert len(encode(SectorType.MODE1, bytearray(0), 0)) == 0
    both = 2324 * 2332 // 4  # 583 of the one, 581 of the other
    with pytest.raises(ValueError, match="give block_size"):
        encode(SectorType.MODE2FORM2, bytes(both), 0)


def test_rows_of_a_wider_buffer() -> None:
    blocks = random_blocks(SectorType.MODE1, 700, 3)
    buffer = np.full((700, 2448), 9, np.uint8)
    out = buffer[:, :2352]
    assert encode(SectorType.MODE1, blocks, 50, out=out) is out
    assert (out == encode(SectorType.MODE1, blocks, 50)).all()
    assert (buffer[:, 2352:] == 9).all()
    assert (decode(SectorType.MODE1, out) == blocks).all()
    plain = out.copy()
    assert scramble(out, out=out) is out
    assert (buffer[:, 2352:] == 9).all()
    assert (scramble(out) == plain).all()
    odd = np.zeros((700, 2449), np.uint8)  # rows at odd addresses
    encode(SectorType.MODE1, blocks, 50, out=odd[:, 1:2353])
    assert (odd[:, 1:2353] == plain).all()
    assert (scramble(odd[:, 1:2353]) == out).all()


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(-45_150, 404_849), min_size=1, max_size=9))
def test_addresses_one_by_one(lbas: list[int]) -> None:
    blocks = random_blocks(SectorType.MODE2FORM0, len(lbas), 1)
    sectors = encode(SectorType.MODE2FORM0, blocks, lbas)
    for sector, lba in zip(sectors, lbas, strict=True):
        assert sector[:16].tobytes() == oracle.SYNC + oracle.header(lba, 2)
    assert (encode(SectorType.MODE2FORM0, blocks, np.array(lbas, np.int32)) == sectors).all()


@pytest.mark.parametrize(
    ("lba", "header"),
    [(-45_150, "90000001"), (-151, "99597401"), (-150, "00000001"), (404_849, "89597401")],
)
def test_addresses_wrap_at_a_hundred_minutes(lba: int, header: str) -> None:
    assert sectors_of(SectorType.MODE1, 1, lba)[0, 12:16].tobytes().hex() == header


def test_subheaders_one_by_one() -> None:
    heads = np.random.default_rng(3).integers(0, 256, (300, 8), dtype=np.uint8)
    heads[:, 2] |= 0x20
    blocks = random_blocks(SectorType.MODE2FORM2, 300, 4)
    sectors = encode(SectorType.MODE2FORM2, blocks, 0, subheader=heads)
    for number in (0, 127, 128, 299):
        block, head = blocks[number].tobytes(), heads[number].tobytes()
        assert sectors[number].tobytes() == oracle.form_2(block, number, head)
    four = encode(SectorType.MODE2FORM1, bytes(2048), 0, subheader=b"\x01\x02\x48\x04")
    assert four[0, 16:24].tobytes() == b"\x01\x02\x48\x04" * 2


def test_threads_do_not_disturb_each_other() -> None:
    def work(seed: int) -> str:
        return digest(sectors_of(SectorType.MODE1, 600, 1000 * seed, seed))

    expected = [work(seed) for seed in range(6)]
    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(work, range(6))) == expected


# ---- scrambling ----------------------------------------------------------------------------------


def test_the_sequence() -> None:
    zeros = np.zeros((1, 2352), np.uint8)
    sequence = scramble(zeros)[0, 12:].tobytes()
    assert hashlib.sha256(sequence).hexdigest() == VECTORS["scrambler"]["sha256"]
    assert sequence.hex().startswith(VECTORS["scrambler"]["first32"])
    assert sequence.hex().endswith(VECTORS["scrambler"]["last16"])
    assert sequence == oracle.sequence()


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 5))
def test_scrambling_twice_is_nothing(seed: int, count: int) -> None:
    sectors = np.random.default_rng(seed).integers(0, 256, (count, 2352), dtype=np.uint8)
    twice = scramble(scramble(sectors))
    assert (twice == sectors).all()
    assert [row.tobytes() for row in scramble(sectors)] == [
        oracle.scrambled(row.tobytes()) for row in sectors
    ]


def test_a_read_only_array_is_not_scrambled_in_place() -> None:
    sectors = np.frombuffer(bytes(2352), np.uint8).reshape(1, -1)
    with pytest.raises(ValueError, match="writeable"):
        scramble(sectors, out=sectors)
    assert scramble(sectors)[0, 12] == 1


@pytest.mark.parametrize("kind", [SectorType.MODE1, SectorType.MODE2FORM0, SectorType.MODE_ZERO])
def test_is_scrambled(kind: SectorType) -> None:
    sectors = sectors_of(kind, 4, 7)
    scrambled = scramble(sectors)
    assert not is_scrambled(sectors, 7)
    assert is_scrambled(scrambled, 7)
    with pytest.raises(FormatError, match="some are not") as caught:
        is_scrambled(np.vstack([sectors[:1], scrambled[1:2], sectors[2:]]), 7)
    assert caught.value.place == "LBA 8"
    with pytest.raises(FormatError, match="00:02:07, and the place is 00:02:08; reloc") as caught:
        is_scrambled(sectors, 8)
    assert caught.value.place == "LBA 8"


# ---- what is refused -----------------------------------------------------------------------------


def test_a_remainder_is_named() -> None:
    with pytest.raises(FormatError, match="2 sectors of 2048 bytes and a remainder of 5"):
        encode(SectorType.MODE1, bytes(2048 * 2 + 5), 0)
    with pytest.raises(FormatError, match="remainder of 1"):
        encode(SectorType.AUDIO, bytes(2353), 0)
    with pytest.raises(FormatError, match="remainder of 12"):
        encode(SectorType.MODE2FORM2, bytes(2336), 0, block_size=2324)


def test_sizes_that_a_kind_does_not_have() -> None:
    with pytest.raises(ValueError, match="2,048 or 2,352"):
        encode(SectorType.MODE1, np.zeros((2, 2336), np.uint8), 0)
    with pytest.raises(ValueError, match="2,048 or 2,352"):
        encode(SectorType.MODE1, bytes(2336), 0, block_size=2336)
    with pytest.raises(ValueError, match="2048"):
        encode(SectorType.MODE1, np.zeros((2, 2352), np.uint8), 0, block_size=2048)
    with pytest.raises(ValueError, match="2324"):
        decode(SectorType.MODE1, sectors_of(SectorType.MODE1, 1, 0), block_size=2324)


def test_subheaders_that_do_not_fit() -> None:
    for kind, block, subheader, message in (
        (SectorType.MODE1, bytes(2048), FORM_1, "take no subheader"),
        (SectorType.MODE2FORM1, bytes(2056), FORM_1, "take no subheader"),
        (SectorType.MODE2FORM1, bytes(2048), FORM_2, "not that of MODE2FORM1"),
        (SectorType.MODE2FORM2, bytes(2324), FORM_1, "not that of MODE2FORM2"),
        (SectorType.MODE2FORM1, bytes(2048), b"\0" * 5, "four bytes, or eight"),
    ):
        with pytest.raises(ValueError, match=message):
            encode(kind, block, 0, subheader=subheader)
    with pytest.raises(ValueError, match="2 subheaders"):
        encode(SectorType.MODE2FORM1, bytes(2048), 0, subheader=np.zeros((2, 8), np.uint8))


@pytest.mark.parametrize("size", [2056, 2336, 2352])
def test_mixed_forms_in_a_form_1_track(size: int) -> None:
    one = sectors_of(SectorType.MODE2FORM1, 3, 70)
    two = sectors_of(SectorType.MODE2FORM2, 3, 70)
    mixed = np.vstack([one[:2], two[2:]])
    start = 0 if size == 2352 else 16
    with pytest.raises(FormatError, match="form 2 sector among those of form 1") as caught:
        encode(SectorType.MODE2FORM1, mixed[:, start : start + size], 70)
    assert caught.value.place == "LBA 72"
    with pytest.raises(FormatError, match="form") as caught:
        decode(SectorType.MODE2FORM1, mixed)
    assert caught.value.place == "sector 2"
    with pytest.raises(FormatError, match="form 1 sector among those of form 2") as caught:
        encode(SectorType.MODE2FORM2, mixed, 70)
    assert caught.value.place == "LBA 70"


def test_mode_0_holds_nothing() -> None:
    blocks = np.zeros((3, 2336), np.uint8)
    blocks[1, 5] = 1
    with pytest.raises(FormatError, match="zeros") as caught:
        encode(SectorType.MODE_ZERO, blocks, 20)
    assert caught.value.place == "LBA 21"


# ---- whole sectors and their place ---------------------------------------------------------------


def test_whole_sectors_of_another_place() -> None:
    sectors = sectors_of(SectorType.MODE1, 4, 150)
    sectors[2, 14] = 0x60
    with pytest.raises(FormatError, match="header says 00:04:60, its place is 00:04:02") as caught:
        encode(SectorType.MODE1, sectors, 150)
    assert caught.value.place == "LBA 152"


def test_whole_sectors_of_another_kind() -> None:
    sectors = sectors_of(SectorType.MODE1, 2, 0)
    with pytest.raises(FormatError, match="mode byte is 01, not 02"):
        encode(SectorType.MODE2FORM0RAW, sectors, 0, relocate=True)
    with pytest.raises(FormatError, match="scrambled"):
        encode(SectorType.MODE1RAW, scramble(sectors), 0)
    sectors[1, 5] = 0
    with pytest.raises(FormatError, match="sync") as caught:
        encode(SectorType.MODE1RAW, sectors, 0, relocate=True)
    assert caught.value.place == "LBA 1"


@pytest.mark.parametrize("kind", ENCODED)
def test_relocation_is_encoding_elsewhere(kind: SectorType) -> None:
    blocks = random_blocks(kind, 515, 8)
    sectors = encode(kind, blocks, 1000)
    moved = encode(kind, sectors, -45_150, block_size=2352, relocate=True)
    assert (moved == encode(kind, blocks, -45_150)).all()
    assert (encode(kind, sectors, 1000, block_size=2352, relocate=True) == sectors).all()


def test_relocation_mends_nothing() -> None:
    """What held before holds again; what did not is left as it was."""
    blocks = random_blocks(SectorType.MODE1, 4, 8)
    sectors, target = encode(SectorType.MODE1, blocks, 10), encode(SectorType.MODE1, blocks, 20)
    sectors[1, 2064] ^= 1  # EDC, and P and Q with it
    sectors[2, 2300] ^= 1  # Q
    sectors[3, 2080] ^= 1  # P, and Q with it
    moved = encode(SectorType.MODE1, sectors, 20, relocate=True)
    assert (moved[0] == target[0]).all()
    assert (moved[1, :16] == target[1, :16]).all()
    assert (moved[1, 16:] == sectors[1, 16:]).all()
    assert (moved[2, :2248] == target[2, :2248]).all()
    assert (moved[2, 2248:] == sectors[2, 2248:]).all()
    assert (moved[3, :2076] == target[3, :2076]).all()
    assert (moved[3, 2076:] == sectors[3, 2076:]).all()


def test_relocation_takes_only_what_lies_elsewhere() -> None:
    sectors = sectors_of(SectorType.MODE1, 3, 0)
    sectors[0, 2064] ^= 1
    other = encode(SectorType.MODE1, random_blocks(SectorType.MODE1, 3, 1)[2:], 77)
    whole = np.vstack([sectors[:2], other])
    moved = encode(SectorType.MODE1RAW, whole, 0, relocate=True)
    assert (moved[:2] == sectors[:2]).all()
    assert (moved[2] == sectors[2]).all()
