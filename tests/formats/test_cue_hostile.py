"""Hostile sheets: one error, with file and line."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from rawcd.errors import FormatError, StorageError, UnsupportedError
from rawcd.plugins import open_image
from tests.formats.cue_sheets import (
    SECTOR,
    counted,
    data_sectors,
    one_track,
    opened,
    stamp,
    wave_sheet,
    write_sound,
)

if TYPE_CHECKING:
    from pathlib import Path

# -- hostile sheets: one error, with file and line ---------------------------------------------

TRACK_1 = "FILE a.bin BINARY\nTRACK 01 AUDIO\nINDEX 01 00:00:00\n"


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("REM nothing\nFILE a.bin BINARY\n", None, "there is no TRACK in it"),
        ("FILE a.bin BINARY\nTRACK 01 AUDIO\nTITLE x\n", 2, "TRACK 01 has no INDEX 01"),
        ("FILE a.bin BINARY\nTRACK 01 AUDIO\nINDEX 00 00:00:00\n", 2, "TRACK 01 has no INDEX 01"),
        (TRACK_1 + "TRACK 02 AUDIO\n", 4, "TRACK 02 has no INDEX 01"),
        (TRACK_1 + "TRACK 01 AUDIO\n", 4, "TRACK 01 follows TRACK 01"),
        (TRACK_1 + "TRACK 03 AUDIO\n", 4, "TRACK 03 follows TRACK 01: track numbers rise by one"),
        ("TRACK 00 AUDIO\n", 1, "track numbers go from 01 to 99"),
        (TRACK_1.replace("01 AUDIO", "99 AUDIO") + "TRACK 100 AUDIO\n", 4, "'100' is no number"),
        ("TRACK 01 SOUND\n", 1, "SOUND is no track mode"),
        (
            "TRACK 01 MODE1/2336\n",
            1,
            "MODE1/2336 is no track mode; there are AUDIO, CDG, MODE1/2048",
        ),
        ("TRACK 01 MODE2/2449\n", 1, "MODE2/2449 is no track mode"),
        ("TRACK 01 CDG RW\n", 1, "CDG RW is no track mode"),
        ("REM SESSION 02\n" + TRACK_1, 1, "session 1 has no TRACK"),
        (TRACK_1 + "REM SESSION 03\n", 4, "session 3 follows session 1: they rise by one"),
        (TRACK_1 + "REM SESSION 02\n", 4, "session 2 has no TRACK"),
        (TRACK_1 + "REM SESSION 02\nREM SESSION 03\n", 5, "session 2 has no TRACK"),
        ("FILE a.bin BINARY\nTRACK 01 AUDIO\nINDEX 02 00:00:00\n", 3, "first index is 00 or 01"),
        (TRACK_1 + "INDEX 03 00:01:00\n", 4, "INDEX 03 follows INDEX 01: they rise by one"),
        (TRACK_1 + "INDEX 01 00:01:00\n", 4, "INDEX 01 follows INDEX 01"),
        (TRACK_1 + "INDEX 02 00:00:00\n", 4, "INDEX 02 is not behind the one in line 3"),
        (
            TRACK_1 + "INDEX 02 00:01:00\nTRACK 02 AUDIO\nINDEX 01 00:00:74\n",
            6,
            "INDEX 01 is not behind the one in line 4: times rise",
        ),
        (TRACK_1 + "INDEX 02 00:04:00\n", 4, "INDEX 02 lies past the end of 'a.bin'"),
        ("FILE a.bin BINARY\nINDEX 01 00:00:00\n", 2, "INDEX stands before the first TRACK"),
        ("TRACK 01 AUDIO\nINDEX 01 00:00:00\n", 2, "INDEX stands before the first FILE"),
        ("FLAGS DCP\n" + TRACK_1, 1, "FLAGS stands before the first TRACK"),
        ("ISRC USRC17607839\n" + TRACK_1, 1, "ISRC stands before the first TRACK"),
        ("PREGAP 00:02:00\n" + TRACK_1, 1, "PREGAP stands before the first TRACK"),
        ("POSTGAP 00:02:00\n" + TRACK_1, 1, "POSTGAP stands before the first TRACK"),
        (TRACK_1 + "PREGAP 00:02:00\nPREGAP 00:02:00\n", 5, "a track has one PREGAP"),
        (TRACK_1 + "POSTGAP 00:02:00\nPOSTGAP 00:02:00\n", 5, "a track has one POSTGAP"),
        ("CATALOG 40063813339\n" + TRACK_1, 1, "is no media catalogue number of 13 digits"),
        ("CATALOG 40063813339311\n" + TRACK_1, 1, "is no media catalogue number"),
        ("CATALOG 400638133393X\n" + TRACK_1, 1, "is no media catalogue number"),
        ("CATALOG\n" + TRACK_1, 1, "is no media catalogue number"),
        (TRACK_1 + "ISRC USRC1760783\n", 4, "has 11 characters and must have 12"),
        (TRACK_1 + "ISRC USRC1760783X\n", 4, "five letters or digits, then seven digits"),
        (TRACK_1 + "ISRC \u00dcSRC17607839\n", 4, "five letters or digits, then seven digits"),
    ],
)
def test_a_hostile_sheet_is_refused_with_file_and_line(
    tmp_path: Path, text: str, line: int | None, says: str
) -> None:
    with pytest.raises(FormatError) as caught:
        opened(tmp_path, text, a=300 * SECTOR)
    place = "" if line is None else f"line {line}: "
    assert str(caught.value).startswith(f"{tmp_path / 'a.cue'}: {place}")
    assert says in str(caught.value)


def test_a_hundred_tracks_are_too_many(tmp_path: Path) -> None:
    tracks = [
        f"TRACK {number:02} AUDIO\nINDEX 01 {stamp(4 * (number - 1))}\n" for number in range(1, 101)
    ]
    with pytest.raises(FormatError, match=r"line 200: '100' is no number from 00 to 99"):
        opened(tmp_path, "FILE a.bin BINARY\n" + "".join(tracks), a=400 * SECTOR)


@pytest.mark.parametrize("area", ["REM SINGLE-DENSITY AREA", "rem high-density area"])
def test_a_gd_rom_is_refused_by_name(tmp_path: Path, area: str) -> None:
    with pytest.raises(UnsupportedError, match="GD-ROM") as caught:
        opened(tmp_path, TRACK_1 + area + "\n", a=300 * SECTOR)
    assert str(caught.value).startswith(f"{tmp_path / 'a.cue'}: line 4: {area[:3].upper()}")


def test_thousands_of_indexes_are_refused_with_the_line(tmp_path: Path) -> None:
    """Numbers go to 99 and rise by one, so the first that is too many is known by its line."""
    indexes = [f"INDEX {number:02} {stamp(number)}\n" for number in range(2, 5_000)]
    with pytest.raises(FormatError, match=r"line 102: '100' is no number from 00 to 99"):
        opened(tmp_path, TRACK_1 + "".join(indexes), a=6_000 * SECTOR)
    again = [f"INDEX 99 {stamp(number)}\n" for number in range(100, 5_000)]
    with pytest.raises(FormatError, match=r"line 102: INDEX 99 follows INDEX 99"):
        opened(tmp_path, TRACK_1 + "".join(indexes[:98] + again), a=6_000 * SECTOR)


def test_a_missing_file_is_named_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(StorageError) as caught:
        opened(tmp_path, "REM x\n" + wave_sheet("gone.wav"))
    assert str(caught.value) == (
        f"{tmp_path / 'a.cue'}: line 2: there is no file 'gone.wav' beside the sheet"
    )
    with pytest.raises(StorageError, match=r"a\.cue: line 1: .*outside the sheet's folder"):
        opened(tmp_path, wave_sheet("../gone.wav"))


@pytest.mark.parametrize("name", [".", "..", "/", "\\", "a/", "C:", "x" * 300, "CON", "*", "a\tb"])
def test_names_that_no_file_can_have_are_only_missing(tmp_path: Path, name: str) -> None:
    with pytest.raises((FormatError, StorageError)) as caught:
        opened(tmp_path, wave_sheet(name))
    assert str(tmp_path / "a.cue") in str(caught.value)


def test_an_empty_sound_file_is_found_out(tmp_path: Path) -> None:
    (tmp_path / "a.wav").touch()
    with pytest.raises(FormatError, match=r"a\.wav: is empty"):
        opened(tmp_path, wave_sheet("a.wav"))
    with pytest.raises(FormatError, match=r"a\.cue: line 3: INDEX 01 lies past the end of 'a.bin'"):
        opened(tmp_path, one_track(), a=b"")


def test_a_truncated_wav_is_found_out_with_both_sizes(tmp_path: Path) -> None:
    write_sound(tmp_path / "a.wav", counted(300 * SECTOR))
    os.truncate(tmp_path / "a.wav", 44 + 700_000)
    with pytest.raises(FormatError) as caught:
        opened(tmp_path, wave_sheet("a.wav"))
    assert caught.value.file == str(tmp_path / "a.wav")
    assert str(300 * 2352) in str(caught.value).replace(",", "")
    assert "700000" in str(caught.value).replace(",", "")


def test_what_is_no_sound_is_found_out(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"\x7fELF" + bytes(5_000))
    with pytest.raises(FormatError, match=r"a\.wav: is no sound"):
        opened(tmp_path, wave_sheet("a.wav"))


@pytest.mark.parametrize("rest", [1, 2, 3])
def test_a_bin_of_no_whole_samples_is_refused_with_the_remainder(tmp_path: Path, rest: int) -> None:
    with pytest.raises(FormatError) as caught:
        opened(tmp_path, one_track("REM"), a=bytes(300 * 2352 + rest))
    assert str(caught.value).startswith(f"{tmp_path / 'a.bin'}: line 2 of {tmp_path / 'a.cue'}: ")
    assert f"{300 * 2352 + rest} bytes" in str(caught.value)
    assert f"{rest} remain" in str(caught.value)


def test_a_data_track_must_be_whole_sectors(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"a\.bin: .*sectors of 2352 bytes: 4 remain"):
        opened(
            tmp_path,
            one_track().replace("AUDIO", "MODE1/2352"),
            a=data_sectors(300, 1).tobytes() + bytes(4),
        )


def test_a_data_track_cannot_be_sound(tmp_path: Path) -> None:
    write_sound(tmp_path / "a.wav", counted(300 * SECTOR))
    with pytest.raises(FormatError, match=r"a\.cue: line 1: FILE 'a.wav' is sound"):
        opened(tmp_path, wave_sheet("a.wav").replace("AUDIO", "MODE1/2352"))


def test_two_indexes_may_not_share_a_sector(tmp_path: Path) -> None:
    """b.bin's first sample lies in the sector in which a.bin's last index does."""
    with pytest.raises(FormatError, match=r"line 2: TRACK 01: INDEX 01 and 02 fall into one"):
        opened(
            tmp_path,
            "FILE a.bin BINARY\nTRACK 01 AUDIO\nINDEX 01 00:00:00\n"
            "FILE b.bin BINARY\nINDEX 02 00:00:00\n",
            a=100,
            b=300 * SECTOR,
        )


@pytest.mark.parametrize(
    ("sheet", "line"),
    [
        ('FILE "." BINARY\nTRACK 01 AUDIO\nINDEX 01 00:00:00\n', 1),
        ('FILE "a.bin" BINARY\nTRACK 01 AUDIO\nINDEX 01 00:00:00\nCDTEXTFILE "gone.cdt"\n', 4),
        ('CDTEXTFILE "../gone.cdt"\nFILE "a.bin" BINARY\nTRACK 01 AUDIO\nINDEX 01 00:00:00\n', 1),
    ],
)
def test_a_name_that_is_no_file_is_refused_with_its_line(
    tmp_path: Path, sheet: str, line: int
) -> None:
    (tmp_path / "a.bin").write_bytes(bytes(2352 * 300))
    (tmp_path / "a.cue").write_text(sheet)
    with pytest.raises((FormatError, StorageError), match=rf"a\.cue: line {line}: "):
        open_image(tmp_path / "a.cue")
