"""The command on wrapped files, archives, and sheets that name what lies elsewhere."""

from __future__ import annotations

import gzip
import json
import lzma
import os
import subprocess
import sys
import wave
import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

if TYPE_CHECKING:
    from pathlib import Path

SHEET = 'FILE "a.bin" BINARY\n  TRACK 01 AUDIO\n    INDEX 01 00:00:00\n'
SOUND = np.random.default_rng(7).integers(0, 64, 300 * 2352, np.uint8).tobytes()
ISO = bytes(32_769) + b"CD001" + bytes(2_048 * 300 - 32_774)


def rawcd(
    *args: str | Path, cwd: Path, scratch: str = "scratch"
) -> subprocess.CompletedProcess[str]:
    (cwd / "scratch").mkdir(exist_ok=True)
    done = subprocess.run(
        [sys.executable, "-m", "rawcd", *map(str, args)],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "TMPDIR": str(cwd / scratch)},
    )
    assert list((cwd / "scratch").iterdir()) == []
    return done


@pytest.mark.parametrize("ending", [".gz", ".xz"])
def test_info_on_a_wrapped_disc(tmp_path: Path, ending: str) -> None:
    name = f"x.iso{ending}"
    (tmp_path / name).write_bytes({".gz": gzip, ".xz": lzma}[ending].compress(ISO))
    done = rawcd("info", name, "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    about: dict[str, Any] = json.loads(done.stdout)
    assert (about["file"], about["format"]) == (name, "iso")
    assert about["sessions"][0]["tracks"][0]["sector_count"] == 300


def test_build_and_convert_from_an_archive(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "game.zip", "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("game/a.cue", SHEET)
        made.writestr("game/a.bin", SOUND)
    done = rawcd("build", "game.zip", "-o", "a.raw", "--jobs", "2", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    done = rawcd("convert", "game.zip", "b.cue", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "b.bin").read_bytes() == SOUND
    done = rawcd("convert", "a.raw", "c.cue", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "c.bin").read_bytes() == SOUND
    done = rawcd("convert", "b.cue", "game.zip", "--to", "raw", cwd=tmp_path)
    assert (done.returncode, "exists already" in done.stderr) == (1, True)
    before = (tmp_path / "game.zip").read_bytes()
    done = rawcd("convert", "game.zip", "game.zip", "--to", "raw", "--force", cwd=tmp_path)
    assert (done.returncode, "is one of the inputs" in done.stderr) == (1, True)
    assert (tmp_path / "game.zip").read_bytes() == before


def test_convert_into_a_folder_drops_the_wrapping_s_ending(tmp_path: Path) -> None:
    for name in ("x", "y"):
        (tmp_path / f"{name}.iso.gz").write_bytes(gzip.compress(ISO))
    (tmp_path / "out").mkdir()
    done = rawcd("convert", "x.iso.gz", "y.iso.gz", "out", "--to", "iso", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["x.iso", "y.iso"]
    assert (tmp_path / "out" / "y.iso").read_bytes() == ISO


def test_build_from_wrapped_sounds(tmp_path: Path) -> None:
    for name in ("1", "2"):
        (tmp_path / f"{name}.raw.gz").write_bytes(gzip.compress(SOUND))
    done = rawcd("build", "1.raw.gz", "2.raw.gz", "-o", "a.cue", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "a.bin").read_bytes() == SOUND * 2


def test_a_damaged_wrapping_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "x.iso.gz").write_bytes(gzip.compress(ISO)[:-9])
    done = rawcd("info", "x.iso.gz", cwd=tmp_path)
    assert done.returncode == 1
    assert "x.iso.gz: offset" in done.stderr
    assert "it was cut short" in done.stderr
    assert "internal error" not in done.stderr


@pytest.mark.parametrize(
    "command", [["info", "a.cue"], ["build", "a.cue", "-o", "b.raw"], ["convert", "a.cue", "c.cue"]]
)
def test_paths_are_trusted_only_when_asked(tmp_path: Path, command: list[str]) -> None:
    disc = tmp_path / "disc"
    disc.mkdir()
    (tmp_path / "a.bin").write_bytes(SOUND)
    (disc / "a.cue").write_text(SHEET.replace("a.bin", "../a.bin"))
    done = rawcd(*command, cwd=disc)
    assert done.returncode == 1
    assert "a.cue: line 1: the file '../a.bin' lies outside the sheet's folder" in done.stderr
    assert "--trust-paths" in done.stderr
    done = rawcd(*command, "--trust-paths", cwd=disc)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("command", ["info", "build", "convert"])
def test_the_option_is_told_of(tmp_path: Path, command: str) -> None:
    done = rawcd(command, "--help", cwd=tmp_path)
    assert "--trust-paths" in done.stdout


def test_what_is_noted_of_sound_names_its_file(tmp_path: Path) -> None:
    for name, samples in (("whole.wav", 588 * 400), ("ragged.wav", 588 * 400 + 1)):
        with wave.open(str(tmp_path / name), "wb") as file:
            file.setparams((2, 2, 44_100, 0, "NONE", ""))
            file.writeframes(bytes(4 * samples))
    told = "note: ragged.wav (track 2): the sound ends inside a sector; 587 samples of silence"
    done = rawcd("build", "whole.wav", "ragged.wav", "-o", "a.cue", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert told in done.stderr


def test_options_that_recorded_subcode_does_not_take(tmp_path: Path) -> None:
    """The frames stay as they are, and a note says so: nothing asked for is lost in silence."""
    (tmp_path / "a.bin").write_bytes(SOUND)
    assert rawcd("build", "a.bin", "-o", "a.raw", cwd=tmp_path).returncode == 0
    options = ("--mcn", "4006381333931", "--style", "cdrdao")
    done = rawcd("build", "a.raw", "-o", "b.raw", *options, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert [line.split()[1] for line in done.stderr.splitlines()] == ["--mcn", "--style"]
    assert (tmp_path / "a.raw").read_bytes() == (tmp_path / "b.raw").read_bytes()


@pytest.mark.parametrize("limit", ["0", "-1", "398101", "1x"])
def test_a_limit_that_no_disc_can_have(tmp_path: Path, limit: str) -> None:
    (tmp_path / "a.bin").write_bytes(SOUND)
    done = rawcd("build", "a.bin", "-o", "a.raw", "--leadout-limit", limit, cwd=tmp_path)
    assert done.returncode == 2
    assert limit in done.stderr
