"""The files that a sheet names: names, contents, and sheets of other programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile

from rawcd.disc import CopySetting
from rawcd.errors import StorageError
from rawcd.image import RegionImage, main_sectors
from rawcd.plugins import open_image
from rawcd.rules import rule_breaks

if TYPE_CHECKING:
    from collections.abc import Sequence


from tests.formats.cue_sheets import (
    FIXTURES,
    SECTOR,
    as_sound,
    counted,
    notes,
    one_track,
    opened,
    samples_of,
    shape,
    wave_sheet,
    write_sound,
)

# -- files: names and contents -----------------------------------------------------------------


def test_the_content_decides_the_decoder(tmp_path: Path) -> None:
    write_sound(tmp_path / "a.wav", counted(300 * SECTOR), "FLAC")
    image = opened(tmp_path, wave_sheet("a.wav"))
    assert np.array_equal(samples_of(image), counted(300 * SECTOR))
    assert notes(image) == []


@pytest.mark.parametrize("kind", ["WAVE", "AIFF", "MP3", "FLAC", "OGG", "wave", "ANY"])
@pytest.mark.parametrize("format_", ["WAV", "AIFF", "FLAC"])
def test_the_word_behind_the_name_decides_nothing(tmp_path: Path, kind: str, format_: str) -> None:
    write_sound(tmp_path / "a.x", counted(300 * SECTOR), format_)
    image = opened(tmp_path, wave_sheet("a.x", kind))
    assert np.array_equal(samples_of(image), counted(300 * SECTOR))


def test_binary_and_motorola_are_samples_whatever_they_look_like(tmp_path: Path) -> None:
    write_sound(tmp_path / "a.wav", counted(300 * SECTOR))
    size = (tmp_path / "a.wav").stat().st_size
    image = opened(tmp_path, wave_sheet("a.wav", "BINARY"))
    assert samples_of(image).tobytes()[:size] == (tmp_path / "a.wav").read_bytes()
    swapped = as_sound(counted(300 * SECTOR)).byteswap()
    image = opened(tmp_path, wave_sheet("b.bin", "MOTOROLA"), b=swapped.tobytes())
    assert np.array_equal(samples_of(image), counted(300 * SECTOR))


@pytest.mark.parametrize(
    ("named", "there"),
    [
        ("a.wav", "A.WAV"),
        ("Track.WAV", "track.wav"),
        ("\u00c9t\u00e9.wav", "\u00e9T\u00c9.wav"),
        ("SUB/a.wav", "sub/A.wav"),
        ("SUB\\a.wav", "sub/A.wav"),
        ("a.bin", "a.wav"),
        ("a.wav", "a.flac"),
        ("a.ape", "a.flac"),
        ("a", "a.flac"),
        ("/music/a.wav", "a.wav"),
        ("C:\\music\\a.wav", "a.wav"),
        ("..\\a.wav", "a.wav"),
    ],
)
def test_a_file_of_another_case_suffix_or_folder_is_found(
    tmp_path: Path, named: str, there: str
) -> None:
    path = tmp_path / there
    path.parent.mkdir(exist_ok=True)
    write_sound(path, counted(300 * SECTOR), "FLAC" if there.endswith("flac") else "WAV")
    kind = "BINARY" if named.endswith("bin") else "WAVE"
    image = opened(tmp_path, wave_sheet(named, kind))
    assert np.array_equal(samples_of(image), counted(300 * SECTOR))
    assert notes(image) == [("file-name", 1)]
    assert Path(there).name in image.notes[0].message


def test_a_name_as_written_needs_no_note(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    write_sound(tmp_path / "sub" / "a.wav", counted(300 * SECTOR))
    assert notes(opened(tmp_path, wave_sheet("sub/a.wav"))) == []
    assert notes(opened(tmp_path, wave_sheet("sub\\a.wav"))) == []


def test_other_suffixes_are_tried_in_their_order(tmp_path: Path) -> None:
    """.wav .flac .aiff .aif .mp3 .ogg .opus .bin: each is taken when those before it are gone."""
    order = [".wav", ".flac", ".aiff", ".aif", ".mp3", ".ogg", ".opus", ".bin"]
    formats = {".wav": "WAV", ".flac": "FLAC", ".aiff": "AIFF", ".aif": "AIFF"}
    for suffix in order:
        write_sound(tmp_path / f"a{suffix}", counted(300 * SECTOR), formats.get(suffix, "WAV"))
    for suffix in order[:-1]:
        image = opened(tmp_path, wave_sheet("a.ape"))
        assert image.files[-1].suffix == suffix
        (tmp_path / f"a{suffix}").unlink()
    image = opened(tmp_path, wave_sheet("a.ape"), a=counted(300 * SECTOR))
    assert image.files[-1].suffix == ".bin"
    assert np.array_equal(samples_of(image), counted(300 * SECTOR))


@pytest.mark.parametrize(("suffix", "format_"), [("mp3", "MP3"), ("ogg", "OGG")])
def test_a_missing_bin_may_be_there_as_compressed_sound(
    tmp_path: Path, suffix: str, format_: str
) -> None:
    times = np.arange(400 * SECTOR) / 44_100
    tone = 0.3 * np.sin(2 * np.pi * 440 * times)
    with (tmp_path / f"a.{suffix}").open("wb") as file:
        soundfile.write(file, np.column_stack([tone, tone]), 44_100, format=format_)
    image = opened(tmp_path, wave_sheet("a.bin", "BINARY"))
    assert image.disc.sessions[0].lead_out_lba == 400
    rows = main_sectors(image, 10, 380).reshape(-1).view("<i2").reshape(-1, 2)
    expected = tone[10 * SECTOR : 390 * SECTOR] * 32_768
    assert np.abs(rows[:, 0] - expected).max() < 600  # lossy, but this very tone at this place
    assert ("file-name", 1) in notes(image)


def test_sound_at_another_rate_is_resampled_with_a_note(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.zeros(48_000 * 5, np.int16), 48_000)
    image = opened(tmp_path, wave_sheet("a.wav"))
    assert image.disc.sessions[0].lead_out_lba == 5 * 75
    assert {note.code for note in image.notes} >= {"resampled", "mono-to-stereo"}
    assert all(note.file == str(tmp_path / "a.wav") for note in image.notes)


def test_nothing_is_read_until_it_is_asked_for(tmp_path: Path) -> None:
    image = opened(tmp_path, one_track(), a=300 * SECTOR)
    (tmp_path / "a.bin").write_bytes(bytes(4))
    assert not main_sectors(image, -150, 150).any()
    with pytest.raises(StorageError, match=r"a\.bin: changed since"):
        main_sectors(image, 0, 1)


# -- sheets of other programs ------------------------------------------------------------------


@pytest.mark.parametrize("writer", ["toc2cue", "cueconvert", "chdman"])
def test_sheets_of_other_programs(tmp_path: Path, writer: str) -> None:
    """What is true of them stands in fixtures/cue/README.md."""
    sheet = (FIXTURES / "cue" / f"{writer}.cue").read_bytes()
    image = opened(tmp_path, sheet, album=bytes(1_055 * 2352))
    assert shape(image) == [
        (1, {0: -150, 1: 0}, 310),
        (2, {0: 310, 1: 385}, 745),
        (3, {1: 745}, 1_055),
    ]
    first = image.disc.tracks[0]
    kept = writer == "cueconvert"
    assert (first.copy is CopySetting.PERMITTED) is (writer != "chdman")
    assert first.pre_emphasis is kept
    assert first.isrc == ("XXRCD2600001" if kept else None)
    assert image.disc.mcn == ("2000000001234" if kept else None)
    assert (image.disc.cdtext is not None) is kept
    assert notes(image) == []


def test_the_demo_disc() -> None:
    """What is true of it stands in fixtures/demo/README.md."""
    image = open_image(FIXTURES / "demo" / "demo.cue")
    assert isinstance(image, RegionImage)
    assert shape(image) == [
        (1, {0: -150, 1: 0}, 323),
        (2, {1: 323, 2: 473}, 637),
        (3, {0: 637, 1: 712}, 1_045),
        (4, {1: 1_045}, 1_370),
    ]
    assert image.disc.mcn == "2000000001234"
    assert [track.isrc for track in image.disc.tracks] == [
        "XXRCD2600001",
        "XXRCD2600002",
        "XXRCD2600003",
        None,
    ]
    assert [track.copy for track in image.disc.tracks] == [
        CopySetting.PERMITTED,
        CopySetting.PROHIBITED,
        CopySetting.PROHIBITED,
        CopySetting.SCMS,
    ]
    assert sorted({note.code for note in image.notes}) == [
        "dithered",
        "mono-to-stereo",
        "resampled",
        "tail-padded",
    ]
    assert rule_breaks(image.disc) == ()
    line = samples_of(image)
    parts: Sequence[str] = ("01 speech.flac", "02 tones.wav")
    exact = [
        soundfile.read(FIXTURES / "demo" / name, dtype="int16")[0].astype("<i2") for name in parts
    ]
    assert np.array_equal(line[:375_000].view("<i2").reshape(-1, 2), np.concatenate(exact))
