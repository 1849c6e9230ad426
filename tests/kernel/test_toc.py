"""Tables of contents and drive cue sheets: against rows that other writers sent."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rawcd.disc import CopySetting, Disc, DiscType, Index, Session, Track, TrackMode
from rawcd.errors import FormatError, UnsupportedError
from rawcd.toc import TocItem, drive_cue_sheet, lead_in_pointers, parse_scsi_toc, scsi_toc


def track(number: int, *lbas: int, end: int, **more: Any) -> Track:
    """Return a track; of three addresses the first is index 0."""
    first = 0 if number == 1 or len(lbas) > 1 else 1
    indexes = tuple(Index(number=n, lba=lba) for n, lba in enumerate(lbas, first))
    return Track(number=number, indexes=indexes, end_lba=end, **more)


def disc(*tracks: Track, **more: Any) -> Disc:
    return Disc(sessions=(Session(tracks=tracks, lead_out_lba=tracks[-1].end_lba),), **more)


def sent(vectors: dict[str, Any], writer: str) -> bytes:
    """Return the SEND CUE SHEET parameter list that a writer sent."""
    (found,) = [each for each in vectors["cue_sheets"] if each["writer"].startswith(writer)]
    (out,) = [each["out"] for each in found["commands"] if each["cdb"].startswith("5d")]
    return bytes.fromhex(out)


def test_the_rows_that_cdrskin_sends(vectors: dict[str, Any]) -> None:
    made = drive_cue_sheet(
        disc(
            track(1, -150, 0, end=300, isrc="USABC2500017"),
            track(2, 300, end=750, isrc="USABC2500018"),
            track(3, 750, end=1050, isrc="USABC2500019"),
            mcn="1234567890123",
        )
    )
    expected = bytearray(sent(vectors, "cdrskin"))
    assert expected[19] == 0x41  # the lead-in: it sends CD-TEXT too
    expected[19] = 0x01
    assert made == expected


def test_the_rows_that_cdrdao_sends_but_for_its_habits(vectors: dict[str, Any]) -> None:
    """cdrdao puts control 0 and the ATIP time into the rows of MCN and lead-in."""
    made = drive_cue_sheet(
        disc(
            track(1, -150, 0, end=300, copy=CopySetting.PERMITTED, isrc="USABC2500017"),
            track(2, 300, 375, 555, end=825),
            mcn="1234567890123",
        )
    )
    expected = sent(vectors, "cdrdao")
    rows, theirs = ([each[i : i + 8] for i in range(0, len(each), 8)] for each in (made, expected))
    assert rows[3:] == theirs[3:]
    assert [row[1:] for row in rows[:2]] == [row[1:] for row in theirs[:2]]
    assert rows[2] == bytes.fromhex("2100000100000000")


def test_scms_is_told_to_the_drive() -> None:
    made = drive_cue_sheet(disc(track(1, -150, 0, end=300, copy=CopySetting.SCMS)))
    rows = [made[i : i + 8] for i in range(0, len(made), 8)]
    assert [row[4] for row in rows] == [0, 0x80, 0x80, 0]


@pytest.mark.parametrize(
    ("mode", "disc_type", "forms"),
    [
        (TrackMode.AUDIO, DiscType.CDDA_CDROM, (0x01, 0x00, 0x01)),
        (TrackMode.MODE1, DiscType.CDDA_CDROM, (0x14, 0x10, 0x14)),
        (TrackMode.MODE2, DiscType.XA, (0x24, 0x20, 0x24)),
        (TrackMode.MODE2, DiscType.CDDA_CDROM, (0x34, 0x30, 0x34)),
    ],
)
def test_data_forms(mode: TrackMode, disc_type: DiscType, forms: tuple[int, int, int]) -> None:
    one = disc(track(1, -150, 0, end=300, mode=mode))
    typed = replace(one, sessions=(replace(one.sessions[0], disc_type=disc_type),))
    made = drive_cue_sheet(typed)
    lead_in, index0, index1, lead_out = (made[i + 3] for i in range(0, len(made), 8))
    assert (lead_in, index1, lead_out) == forms
    assert index0 == index1


def test_what_a_cue_sheet_cannot_say_is_refused() -> None:
    mode0 = disc(track(1, -150, 0, end=300, mode=TrackMode.MODE0))
    with pytest.raises(UnsupportedError, match="mode 0"):
        drive_cue_sheet(mode0)


def test_scsi_toc_of_a_small_disc() -> None:
    made = scsi_toc(
        disc(
            track(1, -150, 0, end=300, copy=CopySetting.PERMITTED, pre_emphasis=True),
            track(2, 300, end=700, copy=CopySetting.SCMS),
        )
    )
    assert made == bytes.fromhex(
        "001a 01 02"  # 26 bytes follow; tracks 1 to 2
        "00 13 01 00 00000000"  # ADR in the high nibble; copy and pre-emphasis
        "00 10 02 00 0000012c"  # SCMS counts as prohibited
        "00 10 aa 00 000002bc"
    )
    assert parse_scsi_toc(made) == (
        TocItem(control=3, track=1, lba=0),
        TocItem(control=0, track=2, lba=300),
        TocItem(control=0, track=0xAA, lba=700),
    )


@given(st.binary(max_size=64))
def test_any_bytes_parse_or_raise_one_error(junk: bytes) -> None:
    with suppress(FormatError):
        parse_scsi_toc(junk)


def test_pointers_carry_the_control_of_first_and_last_track() -> None:
    mixed = disc(
        track(1, -150, 0, end=300, mode=TrackMode.MODE1),
        track(2, 300, 450, end=800, pre_emphasis=True),
    )
    by_point = {pointer.point: pointer for pointer in lead_in_pointers(mixed)}
    assert {point: pointer.control for point, pointer in by_point.items()} == {
        0xA0: 4,
        0xA1: 1,
        0xA2: 1,
        1: 4,
        2: 1,
    }
    assert by_point[0xA2].value == bytes.fromhex("001250")  # LBA 800 is 00:12:50
    assert by_point[2].value == bytes.fromhex("000800")
    assert [p.point for p in lead_in_pointers(mixed, pointers_first=False)] == [
        1,
        2,
        0xA0,
        0xA1,
        0xA2,
    ]


@pytest.mark.parametrize("number", [0, 2, -1])
def test_a_session_that_is_none_is_refused(number: int) -> None:
    one = disc(track(1, -150, 0, end=300))
    for table in (lead_in_pointers, drive_cue_sheet):
        with pytest.raises(ValueError, match=f"no session {number}: the disc has 1 to 1"):
            table(one, number)
