"""The program area laid out from stretches, and bytes and samples joined end to end."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rawcd.disc import DiscType, Index, Track, TrackMode
from rawcd.errors import FormatError
from rawcd.image import MainForm, Note, SubForm, main_sectors
from rawcd.program import (
    Stretch,
    check_places,
    disc_of_tracks,
    image_of_program,
    isrc_of_sheet,
    mcn_of_sheet,
    stretch_of_sound,
)
from rawcd.sector import SectorType
from rawcd.source import (
    ArraySource,
    BlockBytes,
    BytesPart,
    FileBytes,
    JoinedBytes,
    MemoryBytes,
    PcmSound,
    SilentSound,
    SoundPart,
    SwappedSound,
    paths_of,
)
from tests.strategies import noise_rows

if TYPE_CHECKING:
    from pathlib import Path

    from rawcd.disc import Disc


def disc_of(*ends: int, mode: TrackMode = TrackMode.AUDIO) -> Disc:
    """A disc whose tracks end there, the second one of a mode."""
    starts = [0, *ends]
    tracks = [
        Track(
            number=number,
            mode=mode if number == 2 else TrackMode.AUDIO,
            indexes=(
                *((Index(number=0, lba=-150),) if number == 1 else ()),
                Index(number=1, lba=start),
            ),
            end_lba=end,
        )
        for number, (start, end) in enumerate(zip(starts, ends, strict=False), 1)
    ]
    return disc_of_tracks(tracks, disc_type=DiscType.CDDA_CDROM)


# -- bytes -------------------------------------------------------------------------------------

PARTS = st.lists(st.tuples(st.booleans(), st.integers(0, 40), st.integers(0, 20)), max_size=8)


@given(PARTS, st.data())
def test_joined_bytes_are_their_parts_in_any_cuts(
    parts: list[tuple[bool, int, int]], data: st.DataObject
) -> None:
    held = noise_rows(1, 60).tobytes()
    reader = MemoryBytes(held, name="a")
    joined = JoinedBytes(
        [
            BytesPart(reader=reader if real else None, start=start, count=count)
            for real, start, count in parts
        ]
    )
    whole = b"".join(
        held[start : start + count] if real else bytes(count) for real, start, count in parts
    )
    assert joined.size == len(whole)
    offset = data.draw(st.integers(0, len(whole)))
    count = data.draw(st.integers(0, len(whole) - offset))
    buffer = bytearray(b"\xff" * count)
    joined.read_at(offset, buffer)
    assert bytes(buffer) == whole[offset : offset + count]
    with pytest.raises(ValueError, match="not within"):
        joined.read_at(len(whole), bytearray(1))


def test_a_part_past_its_reader_is_refused() -> None:
    with pytest.raises(ValueError, match="not within"):
        JoinedBytes([BytesPart(reader=MemoryBytes(b"abc"), start=1, count=3)])


@given(st.integers(0, 300), st.data())
def test_the_blocks_of_a_source_are_bytes(offset: int, data: st.DataObject) -> None:
    rows = noise_rows(6, 60)
    reader = BlockBytes(ArraySource(rows.tobytes(), block_size=50, stride=60))
    count = data.draw(st.integers(0, 300 - offset))
    buffer = bytearray(count)
    reader.read_at(offset, buffer)
    assert reader.size == 300
    assert bytes(buffer) == rows[:, :50].tobytes()[offset : offset + count]


def test_joined_bytes_travel_and_name_their_files(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    joined = JoinedBytes([BytesPart(count=2), BytesPart(reader=FileBytes(tmp_path / "a"), count=3)])
    assert paths_of(joined) == (tmp_path / "a",)
    again = pickle.loads(pickle.dumps(joined))
    buffer = bytearray(5)
    again.read_at(0, buffer)
    assert bytes(buffer) == b"\0\0abc"


# -- samples -----------------------------------------------------------------------------------


def test_silence_and_swapped_samples() -> None:
    assert not SilentSound(sample_count=9).read_samples(2, 7).any()
    with pytest.raises(ValueError, match="not within"):
        SilentSound(sample_count=9).read_samples(2, 8)
    stored = MemoryBytes(bytes(range(16)))
    little, big = PcmSound(stored), PcmSound(stored, big_endian=True)
    swapped = SwappedSound(sound=little)
    assert swapped.sample_count == 4
    np.testing.assert_array_equal(swapped.read_samples(1, 3), big.read_samples(1, 3))


def test_joined_sound_takes_all_kinds() -> None:
    sound = PcmSound(MemoryBytes(bytes(range(1, 9))))
    parts = [
        SoundPart(sound=sound, start=0, count=1),
        SoundPart(sound=SilentSound(sample_count=1), start=0, count=1),
        SoundPart(sound=SwappedSound(sound=sound), start=1, count=1),
    ]
    stretch = stretch_of_sound(7, parts)
    assert (stretch.lba, stretch.sectors, stretch.end) == (7, 1, 8)
    assert stretch.source is not None
    assert stretch.source.read(0, 1)[:14] == bytes([1, 2, 3, 4, 0, 0, 0, 0, 6, 5, 8, 7, 0, 0])


# -- the program area --------------------------------------------------------------------------


@given(st.sets(st.integers(0, 899), max_size=12))
def test_what_no_stretch_covers_has_no_content(borders: set[int]) -> None:
    """Stretches lie from every other border to the next one."""
    disc = disc_of(300, 600, 900, mode=TrackMode.MODE1)
    cuts = sorted(borders)
    rows = noise_rows(900)
    stretches = [
        Stretch(
            lba=lba,
            sectors=end - lba,
            form=MainForm.DISC,
            source=ArraySource(rows.tobytes()),
            start=lba,
        )
        for lba, end in zip(cuts[::2], cuts[1::2], strict=False)
    ]
    image = image_of_program(disc, stretches, [Note(code="x", message="y")])
    assert [note.code for note in image.notes] == ["x"]
    found = main_sectors(image, 0, 900, plain=False)
    covered = np.zeros(900, bool)
    for stretch in stretches:
        covered[stretch.lba : stretch.end] = True
    np.testing.assert_array_equal(found[covered], rows[covered])
    bare = main_sectors(image, 0, 900)[~covered]
    lbas = np.arange(900)[~covered]
    in_data = (lbas >= 300) & (lbas < 600)
    assert not bare[~in_data].any()
    assert (bare[in_data, 15] == 1).all()
    assert not bare[in_data, 16:2064].any()


def test_r_to_w_lies_where_it_is_given() -> None:
    rw = ArraySource(noise_rows(40, 96).tobytes(), block_size=96)
    silent = MainForm.ZERO
    image = image_of_program(
        disc_of(300),
        [
            Stretch(lba=10, sectors=20, form=silent, rw=rw),
            Stretch(lba=30, sectors=5, form=silent),
            Stretch(lba=40, sectors=20, form=silent, rw=rw, start=20),
        ],
    )
    shown = [(region.lba, region.sectors, region.form) for region in image.sub]
    assert shown == [(-22_650, 22_950, SubForm.RW), (300, 6_750, SubForm.MADE)]
    rows = np.empty((50, 96), np.uint8)
    image.read_sub_into(10, rows)
    given_ = np.frombuffer(rw.read(0, 40), np.uint8).reshape(40, 96) & 0x3F
    np.testing.assert_array_equal(rows[:20] & 0x3F, given_[:20])
    np.testing.assert_array_equal(rows[30:] & 0x3F, given_[20:])
    assert not (rows[20:30] & 0x3F).any()


def test_packs_go_on_over_the_borders_of_stretches() -> None:
    """Interleave spreads a pack over eight sectors, whatever stretch or gap they lie in."""
    rw = ArraySource(noise_rows(40, 96).tobytes(), block_size=96)
    halves = [
        Stretch(lba=lba, sectors=20, form=MainForm.ZERO, rw=rw, start=lba, rw_packed=True)
        for lba in (0, 20)
    ]
    whole = Stretch(lba=0, sectors=40, form=MainForm.ZERO, rw=rw, rw_packed=True)
    rows = np.empty((2, 45, 96), np.uint8)
    for place, stretches in enumerate((halves, [whole])):
        image_of_program(disc_of(300), stretches).read_sub_into(0, rows[place])
    np.testing.assert_array_equal(rows[0], rows[1])
    assert (rows[0, 40] & 0x3F).any()


def test_another_form_of_r_to_w_is_another_line() -> None:
    rw = ArraySource(noise_rows(40, 96).tobytes(), block_size=96)
    stretches = [
        Stretch(lba=0, sectors=20, form=MainForm.ZERO, rw=rw, rw_packed=True),
        Stretch(lba=25, sectors=20, form=MainForm.ZERO, rw=rw, start=20),
    ]
    image = image_of_program(disc_of(300), stretches)
    assert [(region.lba, region.rw_packed) for region in image.sub] == [
        (-22_650, True),
        (25, False),
        (300, False),
    ]
    rows = np.empty((45, 96), np.uint8)
    image.read_sub_into(0, rows)
    stored = np.frombuffer(rw.read(20, 20), np.uint8).reshape(20, 96) & 0x3F
    np.testing.assert_array_equal(rows[25:] & 0x3F, stored)
    assert (rows[20] & 0x3F).any()


def test_blocks_keep_their_kind() -> None:
    source = ArraySource(noise_rows(2, 2048).tobytes(), block_size=2048)
    stretch = Stretch(
        lba=300, sectors=2, form=MainForm.USER, source=source, sector_type=SectorType.MODE1
    )
    assert stretch.region.sector_type is SectorType.MODE1
    assert stretch.region.source is source


# -- tracks and codes --------------------------------------------------------------------------


def indexes(*lbas: int) -> tuple[Index, ...]:
    return tuple(Index(number=number, lba=lba) for number, lba in enumerate(lbas, 1))


@pytest.mark.parametrize(
    ("lbas", "end", "says"),
    [
        ((5, 5), 9, "INDEX 01 and 02 fall into one sector"),
        ((5, 4), 9, "INDEX 02 lies before INDEX 01"),
        ((5, 9), 9, "not one sector of its own"),
    ],
)
def test_tracks_that_cannot_be_are_refused(lbas: tuple[int, ...], end: int, says: str) -> None:
    with pytest.raises(FormatError, match=says):
        check_places(3, indexes(*lbas), end)


def test_a_disc_past_the_last_address_is_refused() -> None:
    with pytest.raises(FormatError, match="addresses go from"):
        disc_of(300, 500_000)


@pytest.mark.parametrize(
    ("written", "meant", "noted"),
    [
        ("4006381333931", "4006381333931", ""),
        ("036000291452", "0036000291452", ""),
        ("0000000000000", None, ""),
        ("4006381333930", "4006381333930", "should be 1"),
    ],
)
def test_catalogue_numbers(written: str, meant: str | None, noted: str) -> None:
    number, remark = mcn_of_sheet(written)
    assert number == meant
    assert bool(remark) is bool(noted)
    assert noted in remark


@pytest.mark.parametrize("written", ["", "12345", "400638133393X", "\u0664" * 13])
def test_what_is_no_catalogue_number(written: str) -> None:
    with pytest.raises(FormatError, match="no media catalogue number"):
        mcn_of_sheet(written)


def test_isrcs() -> None:
    assert isrc_of_sheet("USK7Y9812345") == ("USK7Y9812345", "")
    assert isrc_of_sheet("us-k7y-98-12345")[0] == "USK7Y9812345"
    assert "was read as" in isrc_of_sheet("us-k7y-98-12345")[1]
    with pytest.raises(FormatError, match="must have 12"):
        isrc_of_sheet("USK7Y981234")
