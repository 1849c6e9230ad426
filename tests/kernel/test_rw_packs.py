"""R-W packs: parity and its correction against the codes' own formulas, interleave, sources."""

from __future__ import annotations

import itertools
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rawcd.disc import Disc, Index, Session, Track
from rawcd.image import ImageType, MainForm, Region, RegionImage, SubForm, SubRegion
from rawcd.source import ArraySource, SilenceSource
from rawcd.subcode import gf64
from rawcd.subcode.interleave import deinterleaved, history_after, interleaved
from rawcd.subcode.layouts import PQ16, PlanarPW, RawPW, RWPacks
from rawcd.subcode.packs import PackKind, pack_kinds, source_pack_kinds
from rawcd.subcode.parity import Verdict, corrected, generator, parity_holds, with_parity
from rawcd.subcode.streams import DeinterleavedPacks, InterleavedPacks, PackLine, PackPart

OFFSETS = (
    *(0, 66, 125, 191, 100, 50, 150, 175, 8, 33, 58, 83),
    *(108, 133, 158, 183, 16, 41, 25, 91, 116, 141, 166, 75),
)
"""Where symbol i of a pack stands in the stream, from the pack's own place (Red Book 3.4)."""


def noise(packs: int, seed: int = 1) -> Any:
    return np.random.default_rng(seed).integers(0, 64, (packs, 24), dtype=np.uint8)


def slow_product(a: int, b: int) -> int:
    """Multiply two polynomials over GF(2), then divide by x^6 + x + 1: the field's definition."""
    long = 0
    for bit in range(6):
        if b >> bit & 1:
            long ^= a << bit
    for bit in range(10, 5, -1):
        if long >> bit & 1:
            long ^= 0b1000011 << (bit - 6)
    return long


def slow_value(word: Any, at: int) -> int:
    """The polynomial whose highest coefficient is symbol 0, at one place (Horner)."""
    total = 0
    for symbol in word:
        total = slow_product(total, at) ^ int(symbol)
    return total


def is_right(pack: Any) -> bool:
    """Both codes by their definition: zero at alpha^0, alpha^1, and for P at alpha^2, alpha^3."""
    return not any(slow_value(pack[:4], root) for root in (1, 2)) and not any(
        slow_value(pack, root) for root in (1, 2, 4, 8)
    )


packs_of_any_kind = st.integers(0, 20).flatmap(
    lambda n: st.binary(min_size=24 * n, max_size=24 * n).map(
        lambda data: np.frombuffer(data, np.uint8).reshape(-1, 24)
    )
)


# ---- the field and the codes


def test_the_field_is_that_of_its_polynomial() -> None:
    every = np.arange(64, dtype=np.uint8)
    products = gf64.product(every[:, None], every)
    assert products.tolist() == [[slow_product(a, b) for b in range(64)] for a in range(64)]
    assert sorted(gf64.powers().tolist()) == list(range(1, 64))  # alpha generates all but zero
    for a in range(1, 64):
        quotients = gf64.quotient(every, np.full(64, a, np.uint8))
        np.testing.assert_array_equal(gf64.product(quotients, np.uint8(a)), every)
    assert not gf64.quotient(every, np.zeros(64, np.uint8)).any()


def test_the_generators_are_those_of_the_reference() -> None:
    assert generator(2) == [1, 3, 2]
    assert generator(4) == [1, 15, 54, 59, 3]


def test_the_reference_packs_have_their_parity(vectors: dict[str, Any]) -> None:
    for vector in vectors["rw_packs"]:
        bare = np.array([list(bytes.fromhex(pack)) for pack in vector["packs18"]], np.uint8)
        packs = np.full((len(bare), 24), 0xFF, np.uint8)
        packs[:, :2], packs[:, 4:20] = bare[:, :2], bare[:, 2:]
        made = with_parity(packs)
        assert [pack.tobytes().hex() for pack in made] == vector["packs24_with_parity"]


def test_a_pack_of_nothing_but_63_is_right() -> None:
    """A peer's logarithm table is one entry short, so that packs with 3Fh get wrong parity."""
    pack = np.zeros((1, 24), np.uint8)
    pack[0, [0, 1, 4]] = 0x3F
    made = with_parity(pack)
    assert made.tobytes().hex() == "3f3f39393f00000000000000000000000000000018080a25"
    assert is_right(made[0])


@given(packs_of_any_kind)
def test_parity_is_what_the_codes_define(packs: Any) -> None:
    before = packs.copy()
    made = with_parity(packs)
    data = [0, 1, *range(4, 20)]
    np.testing.assert_array_equal(made[:, data], packs[:, data] & 0x3F)
    assert all(is_right(pack) for pack in made)
    assert parity_holds(made).all()
    assert parity_holds(packs).tolist() == [is_right(pack & 0x3F) for pack in packs]
    np.testing.assert_array_equal(packs, before)


def test_windows_leave_no_seam() -> None:
    packs = noise(10_000)
    made = with_parity(packs)
    for first in (4_095, 4_096, 8_191, 9_999):
        np.testing.assert_array_equal(made[first], with_parity(packs[first : first + 1])[0])
        assert is_right(made[first])
    made[4_096, 7] ^= 5
    mended, verdicts = corrected(made)
    assert np.flatnonzero(verdicts).tolist() == [4_096]
    np.testing.assert_array_equal(mended, with_parity(packs))


# ---- correction


def test_right_packs_are_left_alone() -> None:
    packs = with_parity(noise(300))
    mended, verdicts = corrected(packs)
    np.testing.assert_array_equal(mended, packs)
    assert not verdicts.any()
    assert corrected(np.zeros((0, 24), np.uint8))[0].shape == (0, 24)


def test_any_one_symbol_error_is_mended() -> None:
    packs = with_parity(noise(24 * 63))
    damaged = packs.copy()
    for row, (place, error) in enumerate(itertools.product(range(24), range(1, 64))):
        damaged[row, place] ^= error
    mended, verdicts = corrected(damaged)
    np.testing.assert_array_equal(mended, packs)
    assert (verdicts == Verdict.MENDED).all()


def test_any_two_symbol_errors_are_mended() -> None:
    """All 276 pairs of places with all 3,969 pairs of errors."""
    errors = np.array(list(itertools.product(range(1, 64), repeat=2)), np.uint8)
    packs = with_parity(noise(len(errors)))
    for places in itertools.combinations(range(24), 2):
        damaged = packs.copy()
        damaged[:, places] ^= errors
        mended, verdicts = corrected(damaged)
        np.testing.assert_array_equal(mended, packs)
        assert (verdicts == Verdict.MENDED).all()


def test_one_error_that_q_guards_and_two_behind_are_mended() -> None:
    rng = np.random.default_rng(2)
    for head in range(4):
        for places in itertools.combinations(range(4, 24), 2):
            packs = with_parity(rng.integers(0, 64, (100, 24), dtype=np.uint8))
            damaged = packs.copy()
            damaged[:, [head, *places]] ^= rng.integers(1, 64, (100, 3), dtype=np.uint8)
            mended, verdicts = corrected(damaged)
            np.testing.assert_array_equal(mended, packs)
            assert (verdicts == Verdict.MENDED).all()


def mendable(errors: Any) -> bool:
    head, tail = int(np.count_nonzero(errors[:4])), int(np.count_nonzero(errors[4:]))
    return head + tail <= 2 or (head <= 1 and tail <= 2)


@given(packs_of_any_kind)
def test_whatever_comes_a_mended_pack_is_right_and_a_failed_one_unchanged(packs: Any) -> None:
    mended, verdicts = corrected(packs)
    for before, after, verdict in zip(packs & 0x3F, mended, verdicts, strict=True):
        if verdict == Verdict.MENDED:
            assert is_right(after)
            assert mendable(before ^ after)
            assert (before != after).any()
        else:
            assert (before == after).all()
            assert is_right(before) == (verdict == Verdict.CLEAN)


@pytest.mark.parametrize("count", [3, 4, 6, 24])
def test_beyond_its_reach_it_fails_or_finds_a_right_pack(count: int) -> None:
    rng = np.random.default_rng(count)
    packs = with_parity(noise(20_000))
    damaged = packs.copy()
    for row in damaged:
        row[rng.permutation(24)[:count]] ^= rng.integers(1, 64, count, dtype=np.uint8)
    mended, verdicts = corrected(damaged)
    failed = verdicts == Verdict.FAILED
    np.testing.assert_array_equal(mended[failed], damaged[failed])
    assert parity_holds(mended[~failed]).all()
    assert not (verdicts == Verdict.CLEAN).any() or count > 4  # the distance of the codes is 5
    wrong = (mended[~failed] != packs[~failed]).any(axis=1).sum()
    assert wrong < len(packs) * 0.05  # P alone is taken in by 190 * 63^2 in 64^4 of them
    for before, after in zip(damaged[~failed][:200], mended[~failed][:200], strict=True):
        assert mendable(before ^ after)


# ---- interleave


def test_the_reference_streams(vectors: dict[str, Any]) -> None:
    for vector in vectors["rw_packs"]:
        data = b"".join(map(bytes.fromhex, vector["packs24_with_parity"]))
        disc = b"".join(map(bytes.fromhex, vector["interleaved_sectors96"]))
        packs = np.frombuffer(data, np.uint8).reshape(-1, 24)
        assert interleaved(packs).tobytes() == disc
        assert InterleavedPacks(ArraySource(data, block_size=96)).read(0, 2) == disc
        bare = packs.copy()
        bare[:, [2, 3, 20, 21, 22, 23]] = 0x15
        assert InterleavedPacks(ArraySource(bare.tobytes(), block_size=96)).read(0, 2) == disc


@given(packs_of_any_kind)
def test_every_symbol_stands_at_its_offset(packs: Any) -> None:
    stream = np.zeros(24 * (len(packs) + 8), np.uint8)
    for number, pack in enumerate(packs):
        for symbol, offset in zip(pack, OFFSETS, strict=True):
            stream[24 * number + offset] = symbol & 0x3F
    padded = np.concatenate([packs, np.zeros((8, 24), np.uint8)])
    np.testing.assert_array_equal(interleaved(padded).reshape(-1), stream)
    np.testing.assert_array_equal(deinterleaved(stream.reshape(-1, 24))[:-8], packs & 0x3F)


@given(packs_of_any_kind, st.lists(st.integers(0, 20), max_size=6))
def test_streaming_in_any_cuts_equals_doing_it_whole(packs: Any, cuts: list[int]) -> None:
    edges = [0, *sorted(min(cut, len(packs)) for cut in cuts), len(packs)]
    before, pieces = None, []
    for start, end in itertools.pairwise(edges):
        pieces.append(interleaved(packs[start:end], before))
        before = history_after(packs[start:end], before)
    whole = interleaved(packs)
    np.testing.assert_array_equal(np.concatenate(pieces), whole)
    padded = np.concatenate([packs, np.zeros((7, 24), np.uint8)])
    back = [
        deinterleaved(packs[start:end], padded[end : end + 7])
        for start, end in itertools.pairwise(edges)
    ]
    np.testing.assert_array_equal(np.concatenate(back), deinterleaved(packs))


def test_long_streams_have_no_seam() -> None:
    packs = noise(9_000)
    disc = interleaved(packs)
    np.testing.assert_array_equal(deinterleaved(disc)[:-7], packs[:-7])
    part = interleaved(packs[4_090:4_103], packs[4_083:4_090])
    np.testing.assert_array_equal(part, disc[4_090:4_103])


def test_neighbours_of_another_shape_are_refused() -> None:
    with pytest.raises(ValueError, match="7 packs are needed"):
        interleaved(noise(1), noise(6))
    with pytest.raises(ValueError, match="7 packs are needed"):
        deinterleaved(noise(1), noise(8))
    for function in (with_parity, corrected, parity_holds):
        with pytest.raises(ValueError, match="parity takes rows of 24 bytes"):
            function(np.zeros((2, 18), np.uint8))


@given(st.integers(0, 24 * 30 - 16), st.integers(0, 2**32 - 1))
def test_a_burst_of_sixteen_symbols_is_mended(first: int, seed: int) -> None:
    """Sixteen columns in a row hold each delay twice, so no pack loses more than two."""
    packs = with_parity(noise(40, seed))
    disc = interleaved(packs)
    burst = np.random.default_rng(seed).integers(0, 64, 16, dtype=np.uint8)
    disc.reshape(-1)[first : first + 16] ^= burst
    mended, verdicts = corrected(deinterleaved(disc)[:-7])
    np.testing.assert_array_equal(mended, packs[:-7])
    assert not (verdicts == Verdict.FAILED).any()


# ---- sources


def rows_with_pq(sectors: int, seed: int = 3) -> Any:
    return np.random.default_rng(seed).integers(0, 256, (sectors, 96), dtype=np.uint8)


def source(rows: Any) -> ArraySource:
    return ArraySource(rows, block_size=96)


@given(st.integers(0, 12), st.data())
def test_any_stretch_of_a_stream_has_the_same_bytes(sectors: int, data: st.DataObject) -> None:
    rows = rows_with_pq(sectors)
    start = data.draw(st.integers(0, sectors))
    count = data.draw(st.integers(0, sectors - start))
    for stream in (
        InterleavedPacks(source(rows)),
        InterleavedPacks(source(rows), parity=False),
        DeinterleavedPacks(source(rows)),
        DeinterleavedPacks(source(rows), correct=False),
    ):
        whole = stream.read(0, sectors)
        assert len(whole) == 96 * sectors
        assert stream.read(start, count) == whole[96 * start : 96 * (start + count)]
        into = np.zeros((count, 100), np.uint8)
        stream.read_into(start, into[:, 2:98])
        assert into[:, 2:98].tobytes() == stream.read(start, count)
        assert not into[:, [0, 1, 98, 99]].any()


def test_a_stream_is_its_packs_with_parity_interleaved() -> None:
    rows = rows_with_pq(2_000)
    packs = with_parity(rows.reshape(-1, 24))
    disc = np.frombuffer(InterleavedPacks(source(rows)).read(0, 2_000), np.uint8).reshape(-1, 96)
    np.testing.assert_array_equal(disc & 0x3F, interleaved(packs).reshape(-1, 96))
    np.testing.assert_array_equal(disc & 0xC0, rows & 0xC0)  # P and Q stay where they are
    given = InterleavedPacks(source(rows), parity=False).read(0, 2_000)
    np.testing.assert_array_equal(
        np.frombuffer(given, np.uint8).reshape(-1, 24) & 0x3F, interleaved(rows.reshape(-1, 24))
    )


def test_there_and_back_gives_the_packs_and_mends_what_was_hurt() -> None:
    rows = rows_with_pq(900)
    whole = rows & 0xC0 | with_parity(rows.reshape(-1, 24)).reshape(-1, 96)
    disc = np.frombuffer(InterleavedPacks(source(rows)).read(0, 900), np.uint8).copy()
    disc[50_000:50_016] ^= 0x2A
    hurt = source(disc)
    back = DeinterleavedPacks(hurt)
    assert back.read(0, 898) == whole[:898].tobytes()  # the last sectors' tails were never written
    packs, verdicts = back.checked(0, 898)
    assert packs == RWPacks(whole[:898])
    assert 8 <= np.count_nonzero(verdicts == Verdict.MENDED) <= 16
    assert not (verdicts == Verdict.FAILED).any()
    plain = DeinterleavedPacks(hurt, correct=False)
    assert plain.read(0, 898) != whole[:898].tobytes()
    assert plain.checked(0, 898)[0] == packs
    tail, verdicts = back.checked(896, 4)
    assert len(tail) == 4
    assert (verdicts[-4:] == Verdict.FAILED).any()


def test_the_delay_runs_on_over_the_borders_of_parts() -> None:
    rows = rows_with_pq(40)
    line = PackLine(
        [
            PackPart(at=3, source=source(rows), start=0, count=10),
            PackPart(at=13, source=source(rows), start=10, count=5),
            PackPart(at=30, source=source(rows), start=15, count=0),
            PackPart(at=30, source=source(rows), start=20, count=20),
        ],
        50,
    )
    laid = np.zeros((50, 96), np.uint8)
    laid[3:18], laid[30:50] = rows[:15], rows[20:40]
    assert line.read(0, 50) == laid.tobytes()
    for start, count in ((0, 2), (2, 3), (12, 3), (17, 14), (18, 12), (49, 1), (50, 0)):
        assert line.read(start, count) == laid[start : start + count].tobytes()
    disc = np.frombuffer(InterleavedPacks(line).read(0, 50), np.uint8).reshape(-1, 96)
    expected = interleaved(with_parity(laid.reshape(-1, 24))).reshape(-1, 96)
    np.testing.assert_array_equal(disc & 0x3F, expected)
    assert (disc[18] & 0x3F).any()  # what the second part's last packs left behind its end
    assert (disc[19] & 0x3F).any()
    assert not (disc[20] & 0x3F).any()


def test_a_source_that_only_reads_will_do_and_travels() -> None:
    stream = InterleavedPacks(SilenceSource(block_count=5, block_size=96))
    assert stream.read(1, 4) == bytes(4 * 96)
    assert (stream.name, stream.block_size, stream.block_count) == ("<silence>", 96, 5)
    assert pickle.loads(pickle.dumps(stream)).read(0, 5) == bytes(5 * 96)

    class Bare:
        name, block_size, block_count = "bare", 96, 3

        def read(self, start: int, count: int) -> bytes:
            return b"\x09" * (96 * count)

    made = with_parity(np.full((12, 24), 9, np.uint8))
    assert InterleavedPacks(Bare()).read(0, 3) == interleaved(made).tobytes()


def test_what_cannot_be_a_stream_is_refused() -> None:
    wide = SilenceSource(block_count=5, block_size=2448)
    for make in (InterleavedPacks, DeinterleavedPacks):
        with pytest.raises(ValueError, match="blocks of 2448 bytes"):
            make(wide)
        stream = make(source(rows_with_pq(3)))
        for start, count in ((-1, 1), (0, 4), (3, 1), (0, -1)):
            with pytest.raises(ValueError, match="not within"):
                stream.read(start, count)
    with pytest.raises(ValueError, match="not within"):
        DeinterleavedPacks(source(rows_with_pq(3))).checked(2, 2)
    few = source(rows_with_pq(3))
    with pytest.raises(ValueError, match="not within"):
        PackPart(at=0, source=few, start=1, count=3)
    part = PackPart(at=4, source=few, count=3)
    for parts in (
        [part, part],
        [PackPart(at=8, source=few, count=3)],
        [part, PackPart(at=6, source=few, count=1)],
    ):
        with pytest.raises(ValueError, match="do not fit between"):
            PackLine(parts, 10)


@pytest.mark.parametrize("kind", [ImageType.RAW, ImageType.COOKED])
def test_an_image_takes_packs_over_track_borders_in_any_cuts(kind: ImageType) -> None:
    """The same packs under both kinds: made final for RAW, and taken back for COOKED."""
    tracks = tuple(
        Track(number=number, indexes=indexes, end_lba=end)
        for number, indexes, end in (
            (1, (Index(number=0, lba=-150), Index(number=1, lba=0)), 400),
            (2, (Index(number=1, lba=400),), 800),
        )
    )
    session = Session(tracks=tracks, lead_in_lba=-450, lead_out_lba=800, lead_out_sectors=50)
    made = Disc(sessions=(session,))
    sectors = made.end_lba - made.first_lba
    packs = rows_with_pq(600)
    line = PackLine([PackPart(at=450, source=source(packs), count=600)], sectors)
    stream = InterleavedPacks(line)
    image = RegionImage(
        disc=made,
        main=(Region(lba=made.first_lba, sectors=sectors, form=MainForm.ZERO),),
        sub=(
            SubRegion(
                lba=made.first_lba,
                sectors=sectors,
                form=SubForm.RW,
                source=stream if kind is ImageType.RAW else DeinterleavedPacks(stream),
                rw_packed=kind is ImageType.COOKED,
            ),
        ),
        kind=kind,
    )
    whole = np.frombuffer(image.read(-450, sectors), np.uint8).reshape(sectors, 2448)[:, 2352:]
    laid = np.zeros((4 * sectors, 24), np.uint8)
    laid[4 * 450 : 4 * 1_050] = with_parity(packs.reshape(-1, 24))
    expected = interleaved(laid) if kind is ImageType.RAW else laid
    np.testing.assert_array_equal(whole & 0x3F, expected.reshape(-1, 96))
    for lba, count in ((-1, 2), (0, 1), (398, 5), (599, 4), (849, 1)):
        part = np.frombuffer(image.read(lba, count), np.uint8).reshape(count, 2448)[:, 2352:]
        np.testing.assert_array_equal(part, whole[lba + 450 : lba + 450 + count])


# ---- kinds


def test_kinds_are_modes_and_items() -> None:
    modes = {kind: (kind.mode, kind.item) for kind in PackKind}
    assert modes == {
        PackKind.ZERO: (0, 0),
        PackKind.LINE_GRAPHICS: (1, 0),
        PackKind.TV_GRAPHICS: (1, 1),
        PackKind.EXTENDED: (1, 2),
        PackKind.MIDI: (3, 0),
        PackKind.CD_TEXT: (4, None),
        PackKind.USER: (7, 0),
        PackKind.OTHER: (None, None),
    }
    assert all(PackKind.of(symbol) is PackKind.CD_TEXT for symbol in range(0x20, 0x28))
    assert PackKind.of(0xC9) is PackKind.TV_GRAPHICS
    assert PackKind.of(0x3F) is PackKind.OTHER


def test_kinds_are_counted_in_packs_and_on_the_disc_alike() -> None:
    packs = np.zeros((4 * 1_500, 24), np.uint8)
    packs[10:400, 0] = 0x09
    packs[400:410, 0] = 0x22
    packs[5_000, 0] = 0x3F
    expected = {
        PackKind.ZERO: 6_000 - 401,
        PackKind.TV_GRAPHICS: 390,
        PackKind.CD_TEXT: 10,
        PackKind.OTHER: 1,
    }
    cooked = RWPacks.of_packs(packs)
    disc = InterleavedPacks(source(cooked.rows | 0xC0))
    assert pack_kinds(cooked) == expected
    assert pack_kinds(RawPW.of_bytes(disc.read(0, 1_500))) == expected
    assert source_pack_kinds(source(cooked.rows)) == expected
    assert source_pack_kinds(disc) == expected
    assert source_pack_kinds(disc, 100, 5) == {PackKind.CD_TEXT: 10, PackKind.ZERO: 10}
    for layout in (PlanarPW(cooked.rows), PQ16(np.zeros((1, 16), np.uint8))):
        with pytest.raises(TypeError, match="holds no packs"):
            pack_kinds(layout)  # type: ignore[arg-type]  # that is the point
    with pytest.raises(ValueError, match="RawPW takes rows of 96"):
        source_pack_kinds(SilenceSource(block_count=1, block_size=16))


@pytest.mark.parametrize(
    "function", [with_parity, corrected, parity_holds, interleaved, deinterleaved]
)
def test_what_is_no_array_of_packs_is_refused(function: Any) -> None:
    """Wider numbers would be cut down to bytes in silence."""
    for wrong in (bytes(24), np.full((1, 24), 300), RWPacks(np.zeros((1, 96), np.uint8))):
        with pytest.raises(TypeError, match="takes an array of uint8"):
            function(wrong)
    for shape in ((24,), (1, 96), (1, 1, 24)):
        with pytest.raises(ValueError, match="rows of 24 bytes"):
            function(np.zeros(shape, np.uint8))
