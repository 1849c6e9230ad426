"""What a sheet says of its tracks, sound and data."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from rawcd.cdtext import CDText
from rawcd.disc import CopySetting, DiscType, Index, Track, TrackMode
from rawcd.image import MainForm, main_sectors
from rawcd.sector import SectorType

if TYPE_CHECKING:
    from pathlib import Path

from tests.formats.cue_sheets import SECTOR, counted, data_sectors, notes, one_track, opened, shape

# -- what a track says -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("flags", "copy", "pre_emphasis", "four_channel"),
    [
        ("", CopySetting.PROHIBITED, False, False),
        ("DCP", CopySetting.PERMITTED, False, False),
        ("PRE", CopySetting.PROHIBITED, True, False),
        ("4CH", CopySetting.PROHIBITED, False, True),
        ("SCMS", CopySetting.SCMS, False, False),
        ("dcp 4ch pre", CopySetting.PERMITTED, True, True),
        ("DATA", CopySetting.PROHIBITED, False, False),
    ],
)
def test_flags(
    tmp_path: Path, flags: str, copy: CopySetting, pre_emphasis: bool, four_channel: bool
) -> None:
    text = one_track().replace("INDEX", f"FLAGS {flags}\nINDEX")
    track = opened(tmp_path, text, a=300 * SECTOR).disc.tracks[0]
    assert track == Track(
        number=1,
        indexes=(Index(number=0, lba=-150), Index(number=1, lba=0)),
        end_lba=300,
        copy=copy,
        pre_emphasis=pre_emphasis,
        four_channel=four_channel,
    )


@pytest.mark.parametrize(
    ("digits", "mcn", "codes"),
    [
        ("4006381333931", "4006381333931", []),
        ("036000291452", "0036000291452", []),  # a UPC: a zero goes in front
        ("4006381333932", "4006381333932", ["mcn-check-digit"]),
        ('"4006381333931"', "4006381333931", []),
        ("0000000000000", None, []),
    ],
)
def test_catalog(tmp_path: Path, digits: str, mcn: str | None, codes: list[str]) -> None:
    image = opened(tmp_path, one_track(f"CATALOG {digits}"), a=300 * SECTOR)
    assert image.disc.mcn == mcn
    assert notes(image) == [(code, 1) for code in codes]
    if codes:
        assert "should be 1" in image.notes[0].message  # 4006381333931


@pytest.mark.parametrize(
    ("code", "isrc", "codes"),
    [
        ("USRC17607839", "USRC17607839", []),
        ("usrc17607839", "USRC17607839", []),
        ("US-RC1-76-07839", "USRC17607839", ["isrc-hyphens"]),
        ("123457607839", "123457607839", []),  # five letters or digits
    ],
)
def test_isrc(tmp_path: Path, code: str, isrc: str, codes: list[str]) -> None:
    text = one_track().replace("INDEX", f"ISRC {code}\nINDEX")
    image = opened(tmp_path, text, a=300 * SECTOR)
    assert image.disc.tracks[0].isrc == isrc
    assert notes(image) == [(found, 3) for found in codes]


def test_titles_are_kept_in_one_place_and_order(tmp_path: Path) -> None:
    text = (
        "PERFORMER Band\nTITLE Album\nTITLE\n"
        + one_track()
        + "SONGWRITER S\nPERFORMER P\nTITLE One\n"
    )
    other = 'TITLE "Album"\nPERFORMER "Band"\n' + one_track().replace(
        "INDEX", 'TITLE "One"\nPERFORMER "P"\nSONGWRITER "S"\nINDEX'
    )
    image = opened(tmp_path, text, a=300 * SECTOR)
    text_of = image.disc.cdtext
    assert text_of is not None
    assert [(text_of.text(name, 0), text_of.text(name, 1)) for name in ("title", "performer")] == [
        ("Album", "One"),
        ("Band", "P"),
    ]
    assert image.disc == opened(tmp_path, other, a=300 * SECTOR).disc
    twice = opened(tmp_path, other + "TITLE Second\n", a=300 * SECTOR)
    assert twice.disc == image.disc  # the first one is the title


def test_without_titles_there_is_no_cdtext(tmp_path: Path) -> None:
    assert opened(tmp_path, one_track('TITLE ""'), a=300 * SECTOR).disc.cdtext is None


@pytest.mark.parametrize(
    ("data", "title"),
    [
        (b"TITLE \xc9t\xe9\r\n", "\u00c9t\u00e9"),
        ("TITLE \u00c9t\u00e9\r\n".encode(), "\u00c9t\u00e9"),
        (b"\xef\xbb\xbf" + "TITLE \u00c9t\u00e9\r\n".encode(), "\u00c9t\u00e9"),
    ],
    ids=["cp1252", "utf-8", "bom"],
)
def test_encodings(tmp_path: Path, data: bytes, title: str) -> None:
    image = opened(tmp_path, data + one_track().encode(), a=300 * SECTOR)
    assert image.disc.cdtext is not None
    assert image.disc.cdtext.text("title", 0) == title


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_a_utf_16_sheet_opens(tmp_path: Path, encoding: str) -> None:
    data = ("\ufeff" + one_track("TITLE \u3042")).encode(encoding)
    image = opened(tmp_path, data, a=300 * SECTOR)
    assert image.disc.cdtext is not None
    assert image.disc.cdtext.text("title", 0) == "\u3042"


def test_what_is_not_known_is_noted_once(tmp_path: Path) -> None:
    text = one_track("PAUSE X", "FOO bar").replace("INDEX", "PAUSE Y\nFLAGS PRE XYZ\nINDEX")
    image = opened(tmp_path, text, a=300 * SECTOR)
    assert notes(image) == [("unknown-command", 1), ("unknown-command", 2), ("unknown-flag", 6)]
    assert all(str(tmp_path / "a.cue") in str(note) for note in image.notes)


def test_remarks_of_one_session_change_nothing(tmp_path: Path) -> None:
    text = one_track("REM SESSION 01", "REM GENRE Rock", "REM DISCID 12345678", "REM")
    assert notes(opened(tmp_path, text, a=300 * SECTOR)) == []


# -- data tracks -------------------------------------------------------------------------------


def test_data_and_sound_in_one_file(tmp_path: Path) -> None:
    data = data_sectors(300, 1)
    sound = counted(400 * SECTOR)
    image = opened(
        tmp_path,
        "FILE a.bin BINARY\nTRACK 01 MODE1/2352\nINDEX 01 00:00:00\n"
        "TRACK 02 AUDIO\nPREGAP 00:02:00\nINDEX 01 00:04:00\n",
        a=data.tobytes() + sound.tobytes(),
    )
    assert shape(image) == [(1, {0: -150, 1: 0}, 300), (2, {0: 300, 1: 450}, 850)]
    assert [track.mode for track in image.disc.tracks] == [TrackMode.MODE1, TrackMode.AUDIO]
    assert image.disc.sessions[0].disc_type is DiscType.CDDA_CDROM
    assert np.array_equal(main_sectors(image, 0, 300), data)
    assert np.array_equal(main_sectors(image, 450, 400).reshape(-1).view("<u4"), sound)
    assert not np.array_equal(main_sectors(image, 0, 300, plain=False), data)  # scrambled
    assert [(region.lba, region.form) for region in image.main] == [
        (-22_650, MainForm.USER),  # lead-in and pregap: sectors of mode 1 without content
        (0, MainForm.PLAIN),
        (300, MainForm.ZERO),  # PREGAP before sound: silence
        (450, MainForm.DISC),
        (850, MainForm.ZERO),
    ]
    assert image.main[0].sector_type is SectorType.MODE1


@pytest.mark.parametrize(
    ("mode", "disc_type"), [("MODE2/2352", DiscType.XA), ("CDI/2352", DiscType.CDI)]
)
def test_mode_2_tells_the_disc_type(tmp_path: Path, mode: str, disc_type: DiscType) -> None:
    image = opened(tmp_path, one_track().replace("AUDIO", mode), a=data_sectors(300, 2).tobytes())
    assert image.disc.tracks[0].mode is TrackMode.MODE2
    assert image.disc.sessions[0].disc_type is disc_type


def test_ragged_sound_before_data_is_padded(tmp_path: Path) -> None:
    data = data_sectors(300, 1)
    image = opened(
        tmp_path,
        "FILE a.bin BINARY\nTRACK 01 AUDIO\nINDEX 01 00:00:00\n"
        "FILE b.bin BINARY\nTRACK 02 MODE1/2352\nINDEX 00 00:00:00\nINDEX 01 00:00:10\n",
        a=300 * SECTOR + 100,
        b=data.tobytes(),
    )
    assert shape(image) == [(1, {0: -150, 1: 0}, 301), (2, {0: 301, 1: 311}, 601)]
    assert np.array_equal(main_sectors(image, 311, 290), data[10:])
    assert notes(image) == [("tail-padded", 2)]


def test_titles_that_packs_make_full_width_are_noted(tmp_path: Path) -> None:
    """In a double-byte character set a Latin letter takes two bytes; the sheet's own keeps one."""
    sheet = 'TITLE "\u3042"\nPERFORMER "Band 1"\n' + one_track()
    image = opened(tmp_path, sheet, a=300 * SECTOR)
    assert ("text-full-width", None) in notes(image)
    cdtext = image.disc.cdtext
    assert cdtext is not None
    assert cdtext.text("performer", 0) == "Band 1"
    read = CDText.from_packs(image.lead_in_packs)
    assert read.text("performer", 0) == "\uff22\uff41\uff4e\uff44\u3000\uff11"
    plain = opened(tmp_path, sheet.replace("\u3042", "A"), a=300 * SECTOR)
    assert not notes(plain)
