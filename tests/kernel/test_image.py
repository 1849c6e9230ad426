"""Any sector on demand: cuts, forms, kinds, and what is read when."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rawcd.disc import Disc, Index, Session, Track, TrackMode
from rawcd.image import (
    ImageType,
    MainForm,
    Region,
    RegionImage,
    SubForm,
    SubRegion,
    main_sectors,
)
from rawcd.sector import scramble
from rawcd.source import ArraySource
from rawcd.subcode.frame import QPosition, parse_q
from rawcd.subcode.rows import pq_of_pw96
from tests.recordings import BareImage

SECTORS = 400
NOISE = np.random.default_rng(7).integers(0, 256, (SECTORS, 2352), np.uint8)
DATA = NOISE.copy()
DATA[:, :12] = np.frombuffer(b"\0" + b"\xff" * 10 + b"\0", np.uint8)


class CountingSource:
    """A source that tells which blocks were asked for."""

    name = "<counting>"
    block_size = 2352
    block_count = SECTORS

    def __init__(self) -> None:
        self.asked: list[tuple[int, int]] = []

    def read(self, start: int, count: int) -> bytes:
        self.asked.append((start, count))
        return NOISE[start : start + count].tobytes()


def disc(mode: TrackMode = TrackMode.AUDIO) -> Disc:
    track = Track(
        number=1,
        mode=mode,
        indexes=(Index(number=0, lba=-150), Index(number=1, lba=0)),
        end_lba=SECTORS,
    )
    return Disc(sessions=(Session(tracks=(track,), lead_out_lba=SECTORS),))


def image(
    source: Any = None,
    *,
    form: MainForm = MainForm.DISC,
    sub: SubRegion | None = None,
    mode: TrackMode = TrackMode.AUDIO,
    kind: ImageType = ImageType.RAW,
) -> RegionImage:
    if source is None:
        source = ArraySource(NOISE)
    first, end = -22_650, SECTORS + 6_750
    return RegionImage(
        disc=disc(mode),
        main=(
            Region(lba=first, sectors=-first, form=MainForm.ZERO),
            Region(lba=0, sectors=SECTORS, form=form, source=source),
            Region(lba=SECTORS, sectors=6_750, form=MainForm.ZERO),
        ),
        sub=(sub or SubRegion(lba=first, sectors=end - first, form=SubForm.MADE),),
        kind=kind,
    )


@given(st.integers(-22_650, SECTORS + 6_749), st.integers(0, 40), st.sampled_from(ImageType))
def test_any_cut_gives_the_same_bytes(lba: int, count: int, kind: ImageType) -> None:
    made = image(kind=kind)
    count = min(count, SECTORS + 6_750 - lba)
    rows = np.frombuffer(made.read(lba, count), np.uint8).reshape(count, made.sector_size)
    for row in range(count):
        assert rows[row].tobytes() == made.read(lba + row, 1)
    for row, at in enumerate(range(lba, lba + count)):
        expected = NOISE[at] if 0 <= at < SECTORS else np.zeros(2352, np.uint8)
        np.testing.assert_array_equal(rows[row, :2352], expected)


def test_one_sector_touches_its_source_alone() -> None:
    source = CountingSource()
    made = image(source)
    assert source.asked == []
    made.read(17, 1)
    made.read(-1, 1)
    made.read(SECTORS, 3)
    assert source.asked == [(17, 1)]


def test_as_kind_style_and_lead_in_read_nothing() -> None:
    source = CountingSource()
    image(source).as_kind(ImageType.PQ_ONLY).with_style("cdrdao").with_lead_in(-11_634)
    assert source.asked == []


@pytest.mark.parametrize(
    ("lba", "count"), [(-22_651, 1), (SECTORS + 6_750, 1), (0, -1), (SECTORS + 6_749, 2)]
)
def test_a_range_outside_is_the_program_s_mistake(lba: int, count: int) -> None:
    with pytest.raises(ValueError, match="not within the image"):
        image().read(lba, count)


def test_the_stream_is_the_image() -> None:
    made = image()
    with made.open() as stream:
        assert stream.seekable()
        assert not stream.writable()
        assert stream.seek(0, io.SEEK_END) == made.sector_count * 2448
        assert stream.read() == b""
        stream.seek(2448 * 22_650 - 5)
        assert stream.read(5) == made.read(-1, 1)[-5:]
        assert stream.read(2448 + 7) == (made.read(0, 2))[: 2448 + 7]
        stream.seek(-3, io.SEEK_CUR)
        assert stream.tell() == 2448 * 22_651 + 4
        with pytest.raises(ValueError, match="seek"):
            stream.seek(-1)


@given(st.integers(0, 2448 * 700), st.integers(0, 9000))
def test_the_stream_reads_any_bytes(offset: int, count: int) -> None:
    made = image().with_lead_in(-300)
    whole = made.read(-300, 300)
    with made.open() as stream:
        stream.seek(offset)
        got = stream.read(count)
    if offset + count <= len(whole):
        assert got == whole[offset : offset + count]


def test_regions_must_tile_the_disc() -> None:
    made = image()
    with pytest.raises(ValueError, match="where one at 0 must follow"):
        replace(made, main=(made.main[0], made.main[2]))
    with pytest.raises(ValueError, match="the regions end at"):
        replace(made, main=made.main[:2])
    with pytest.raises(ValueError, match="subcode"):
        replace(made, sub=())


def test_plain_data_is_scrambled_on_the_way_out_and_back_again() -> None:
    made = image(ArraySource(DATA), form=MainForm.PLAIN, mode=TrackMode.MODE1)
    scrambled = scramble(DATA)
    on_disc = np.frombuffer(made.read(0, SECTORS), np.uint8).reshape(SECTORS, 2448)[:, :2352]
    np.testing.assert_array_equal(on_disc, scrambled)
    np.testing.assert_array_equal(main_sectors(made, 0, SECTORS), DATA)
    np.testing.assert_array_equal(main_sectors(made, 0, 9, plain=False), scrambled[:9])
    stored = image(ArraySource(scrambled), form=MainForm.DISC, mode=TrackMode.MODE1)
    np.testing.assert_array_equal(main_sectors(stored, 0, SECTORS), DATA)


def test_a_stranger_s_image_gives_the_same_main_channel() -> None:
    made = image(ArraySource(DATA), form=MainForm.PLAIN, mode=TrackMode.MODE1)
    for plain in (True, False):
        np.testing.assert_array_equal(
            main_sectors(BareImage(made), -3, 20, plain=plain),
            main_sectors(made, -3, 20, plain=plain),
        )


def test_audio_that_looks_like_data_is_left_alone() -> None:
    made = image(ArraySource(DATA))
    np.testing.assert_array_equal(main_sectors(made, 0, SECTORS), DATA)


def test_the_scrambler_is_the_reference_s(vectors: dict[str, Any]) -> None:
    """Table of 2,340 bytes, by its hash in the reference and by its first bytes."""
    import hashlib

    rows = scramble(bytes(2352))
    assert not rows[0, :12].any()
    assert rows[0, 12:28].tobytes().hex() == "018000600028001e80086006a802fe81"
    assert (
        hashlib.sha256(rows[0, 12:].tobytes()).hexdigest()
        == "12e23b47b7728bbf5fb5c8e36a3aa7040df6e6586f1cc5e35a9eafd83fedd4b6"
    )
    assert vectors["scrambler"]


WHOLE = SECTORS + 6_750 + 22_650
STORED = np.random.default_rng(9).integers(0, 256, (WHOLE, 96), np.uint8)


def stored_sub(form: SubForm, *, packed: bool = False, mask: int = 0xFF) -> SubRegion:
    return SubRegion(
        lba=-22_650,
        sectors=WHOLE,
        form=form,
        source=ArraySource(STORED & np.uint8(mask), block_size=96),
        rw_packed=packed,
    )


def test_stored_subcode_passes_bit_for_bit() -> None:
    made = image(sub=stored_sub(SubForm.RAW))
    rows = np.frombuffer(made.read(-22_650, WHOLE), np.uint8).reshape(WHOLE, 2448)
    np.testing.assert_array_equal(rows[:, 2352:], STORED)


def test_a_generator_s_bits_lie_below_made_p_and_q() -> None:
    made = image(sub=stored_sub(SubForm.RW))
    rows = np.frombuffer(made.read(-200, 700), np.uint8).reshape(-1, 2448)[:, 2352:]
    np.testing.assert_array_equal(rows & 0x3F, STORED[22_450 : 22_450 + 700] & 0x3F)
    plain = np.frombuffer(image().read(-200, 700), np.uint8).reshape(-1, 2448)[:, 2352:]
    np.testing.assert_array_equal(rows & 0xC0, plain)


def sub_rows(made: RegionImage, lba: int, count: int) -> Any:
    rows = np.frombuffer(made.read(lba, count), np.uint8)
    return rows.reshape(count, made.sector_size)[:, 2352:]


def packs_of(rows: Any) -> Any:
    return (rows & 0x3F).reshape(-1, 24)


def test_packs_get_parity_and_interleave_on_their_way_to_the_disc_and_lose_both() -> None:
    """The way there by the formulas of `interleaved`, in one piece; the way back by correction."""
    from rawcd.subcode.interleave import interleaved
    from rawcd.subcode.parity import with_parity

    cooked = image(sub=stored_sub(SubForm.RW, packed=True), kind=ImageType.COOKED)
    packs = with_parity(packs_of(STORED))
    final = interleaved(packs).reshape(-1, 96)
    raw = cooked.as_kind(ImageType.RAW)
    for lba in (-22_650, -22_649, -150, 0, SECTORS + 6_740):
        rows = sub_rows(raw, lba, 10)
        np.testing.assert_array_equal(rows & 0x3F, final[lba + 22_650 : lba + 22_660])
        np.testing.assert_array_equal(rows & 0xC0, sub_rows(cooked, lba, 10) & 0xC0)
    assert sub_rows(cooked, 5, 3).tobytes() != sub_rows(raw, 5, 3).tobytes()
    stored = SubRegion(
        lba=-22_650,
        sectors=WHOLE,
        form=SubForm.RAW,
        source=ArraySource(sub_rows(raw, -22_650, WHOLE).copy(), block_size=96),
    )
    back = image(sub=stored).as_kind(ImageType.COOKED)
    got = packs_of(sub_rows(back, -22_650, WHOLE - 2))
    np.testing.assert_array_equal(got, packs[: len(got)])
    np.testing.assert_array_equal(sub_rows(back, 0, 50) & 0xC0, sub_rows(raw, 0, 50) & 0xC0)


def test_parity_of_the_owner_s_own_is_kept_on_demand() -> None:
    cooked = image(sub=stored_sub(SubForm.RW, packed=True), kind=ImageType.COOKED)
    from rawcd.subcode.interleave import interleaved

    kept = replace(cooked.as_kind(ImageType.RAW), style=replace(cooked.style, rw_parity=False))
    final = interleaved(packs_of(STORED)).reshape(-1, 96)
    np.testing.assert_array_equal(sub_rows(kept, 0, 9) & 0x3F, final[22_650:22_659])


def test_the_owner_says_what_stored_r_w_is() -> None:
    assert image(sub=stored_sub(SubForm.RAW)).taking_rw_as(ImageType.COOKED).kind == 2


@given(st.integers(-22_650, SECTORS + 6_700))
def test_kinds_say_the_same(lba: int) -> None:
    made = image()
    wide = np.frombuffer(made.read(lba, 20), np.uint8).reshape(20, 2448)
    short = np.frombuffer(made.as_kind(ImageType.PQ_ONLY).read(lba, 20), np.uint8)
    short = short.reshape(20, 2368)
    np.testing.assert_array_equal(wide[:, :2352], short[:, :2352])
    q, p = pq_of_pw96(wide[:, 2352:])
    np.testing.assert_array_equal(short[:, 2352:2364], q)
    np.testing.assert_array_equal(short[:, -1], p * 128)
    assert made.as_kind(ImageType.COOKED).read(lba, 20) == made.read(lba, 20)


def test_stored_16_bytes_become_96() -> None:
    short = image(kind=ImageType.PQ_ONLY)
    whole = np.frombuffer(short.read(-22_650, WHOLE), np.uint8).reshape(WHOLE, 2368)
    stored = SubRegion(
        lba=-22_650,
        sectors=WHOLE,
        form=SubForm.PQ16,
        source=ArraySource(np.ascontiguousarray(whole[:, 2352:]), block_size=16),
    )
    assert image(sub=stored).read(-3000, 4000) == image().read(-3000, 4000)


def test_the_lead_in_may_begin_elsewhere() -> None:
    made = image()
    short = made.with_lead_in(-11_634)
    assert (short.first_lba, short.sector_count) == (-11_634, 11_634 + SECTORS + 6_750)
    assert short.read(-150, 900) == made.read(-150, 900)
    long = short.with_lead_in(-45_150)
    assert long.first_lba == -45_150
    first = np.frombuffer(long.read(-45_150, 1), np.uint8)[2352:].reshape(1, 96)
    frame = parse_q(pq_of_pw96(first)[0].tobytes())
    assert not isinstance(frame, QPosition)
    for lba in (-45_151, -150, 0):
        with pytest.raises(ValueError, match="a lead-in begins"):
            made.with_lead_in(lba)
