"""APE and WavPack: by PyAV where it is installed, refused by name where it is not."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest

from rawcd.audio import is_sound, open_sound
from rawcd.errors import FormatError, MissingExtraError
from rawcd.plugins import open_image
from rawcd.source import FileBytes, MemoryBytes
from tests.formats.cue_sheets import SECTOR, counted, samples_of, wave_sheet, write_sound
from tests.strategies import noise_rows

if TYPE_CHECKING:
    from pathlib import Path

    from rawcd.image import RegionImage

needs_av = pytest.mark.skipif(importlib.util.find_spec("av") is None, reason="PyAV is not there")
needs_ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not there")


@pytest.mark.parametrize("mark", [b"wvpk", b"MAC "])
def test_without_pyav_they_are_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, mark: bytes
) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    monkeypatch.delitem(sys.modules, "rawcd.audio.packed", raising=False)
    reader = MemoryBytes(mark + bytes(100), name="a.ape")
    assert is_sound(reader)
    with pytest.raises(MissingExtraError, match=r"a\.ape: .*pip install 'rawcd\[av\]'") as caught:
        open_sound(reader)
    assert caught.value.extra == "av"


def wavpack(path: Path, *options: str) -> Path:
    """Let ffmpeg make a WavPack file of a sound file."""
    made = path.with_suffix(".wv")
    command = ["ffmpeg", "-v", "error", "-i", str(path), *options, "-c:a", "wavpack", str(made)]
    subprocess.run(command, check=True, timeout=60)
    return made


@needs_av
@needs_ffmpeg
def test_wavpack_gives_its_samples_in_any_cuts(tmp_path: Path) -> None:
    samples = counted(300 * SECTOR + 77)
    write_sound(tmp_path / "a.wav", samples)
    sound = open_sound(FileBytes(wavpack(tmp_path / "a.wav")))
    assert sound.remarks == ()
    assert sound.facts.exact
    assert sound.sample_count == len(samples)
    expected = samples.view("<i2").reshape(-1, 2)
    for start, count in ((0, 10), (50_000, 70_000), (5, 30_000), (len(samples) - 1, 1)):
        np.testing.assert_array_equal(
            sound.read_samples(start, count), expected[start : start + count]
        )


@needs_av
@needs_ffmpeg
def test_wavpack_behind_a_sheet(tmp_path: Path) -> None:
    write_sound(tmp_path / "a.wav", counted(300 * SECTOR))
    wavpack(tmp_path / "a.wav")
    (tmp_path / "a.cue").write_text(wave_sheet("a.wv"), encoding="ascii")
    image: RegionImage = open_image(tmp_path / "a.cue")  # type: ignore[assignment]  # it is one
    assert np.array_equal(samples_of(image), counted(300 * SECTOR))
    assert image.notes == ()


@needs_av
@needs_ffmpeg
def test_other_rates_and_depths_are_worked_on(tmp_path: Path) -> None:
    write_sound(tmp_path / "a.wav", counted(300 * SECTOR))
    made = wavpack(tmp_path / "a.wav", "-ar", "48000", "-ac", "1", "-sample_fmt", "s32p")
    sound = open_sound(FileBytes(made))
    assert [remark.code for remark in sound.remarks] == ["mono-to-stereo", "resampled"]
    assert abs(sound.sample_count - 300 * SECTOR) <= 1
    assert sound.read_samples(1_000, 100).shape == (100, 2)


@needs_av
@needs_ffmpeg
def test_a_cut_off_wavpack_is_refused(tmp_path: Path) -> None:
    write_sound(tmp_path / "a.wav", noise_rows(300).reshape(-1).view("<u4"))
    whole = wavpack(tmp_path / "a.wav").read_bytes()
    for size in (100, len(whole) // 2, len(whole) - 100):
        with pytest.raises(FormatError, match=r"a\.wv: "):
            read_all(whole[:size])


def read_all(data: bytes) -> None:
    sound = open_sound(MemoryBytes(data, name="a.wv"))
    sound.read_samples(0, sound.sample_count)


@needs_av
@pytest.mark.parametrize("mark", [b"wvpk", b"MAC "])
@pytest.mark.parametrize("seed", range(20))
def test_junk_is_no_sound(mark: bytes, seed: int) -> None:
    junk = mark + noise_rows(1, 3_000, seed=seed).tobytes()
    with pytest.raises(FormatError):
        read_all(junk)
