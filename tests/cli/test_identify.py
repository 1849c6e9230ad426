"""`rawcd id`, as a terminal sees it."""

from __future__ import annotations

import json
import subprocess
import sys
import wave
import zlib
from typing import TYPE_CHECKING

import numpy as np
import pytest

if TYPE_CHECKING:
    from pathlib import Path

SHEET = """CATALOG 4006381333931
FILE "sound.wav" WAVE
  TRACK 01 AUDIO
    ISRC USRC17607839
    INDEX 01 00:00:00
  TRACK 02 AUDIO
    INDEX 01 00:04:00
"""


def run(*args: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "rawcd", *map(str, args)],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.fixture
def album(tmp_path: Path) -> bytes:
    """A sheet over 825 sectors of sound, with the first table of contents of `vectors.json`."""
    rng = np.random.default_rng(9)
    sound = rng.integers(-9000, 9000, (825 * 588, 2)).astype("<i2").tobytes()
    with wave.open(str(tmp_path / "sound.wav"), "wb") as file:
        file.setparams((2, 2, 44100, 0, "NONE", ""))
        file.writeframes(sound)
    (tmp_path / "album.cue").write_text(SHEET, encoding="ascii")
    return sound


def test_it_prints_the_ids_and_the_sums(album: bytes, tmp_path: Path) -> None:
    done = run("id", "album.cue", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    for words in (
        "MusicBrainz  gSaDGAT3vB96FjdekSWgtleCHO0-",
        "FreeDB       08000b02",
        "AccurateRip  00000465-00000c04-08000b02",
        "CUETools     cobJORNM1OfUupqPO.a7ZhLPdpQ-",
        "4006381333931",
        "USRC17607839",
        f"{zlib.crc32(album[: 300 * 2352]):08X}",
        f"{zlib.crc32(album[300 * 2352 :]):08X}",
    ):
        assert words in done.stdout


def test_every_format_of_a_disc_has_the_same_ids(album: bytes, tmp_path: Path) -> None:
    told = []
    for name in ("album.cue", "album.raw", "album.ccd"):
        if name != "album.cue":
            assert run("convert", "album.cue", name, cwd=tmp_path).returncode == 0
        done = run("id", name, "--json", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        about = json.loads(done.stdout)
        assert about.pop("file") == name
        told.append(about)
    assert told[0] == told[1] == told[2]
    assert told[0]["rawcd_id"] == 1
    assert told[0]["tracks"][1]["crc32"] == f"{zlib.crc32(album[300 * 2352 :]):08X}"


def test_the_ids_alone_need_no_sound(album: bytes, tmp_path: Path) -> None:
    done = run("id", "album.cue", "--toc-only", "--json", cwd=tmp_path)
    about = json.loads(done.stdout)
    assert about["musicbrainz"] == "gSaDGAT3vB96FjdekSWgtleCHO0-"
    assert [track["crc32"] for track in about["tracks"]] == [None, None]


def test_a_disc_without_sound_says_so(tmp_path: Path) -> None:
    (tmp_path / "data.iso").write_bytes(bytes(2048 * 400))
    done = run("id", "data.iso", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "MusicBrainz  none (no sound)" in done.stdout
    assert "FreeDB       02000501" in done.stdout


def test_what_is_no_image_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("nothing")
    done = run("id", "text", "--json", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("rawcd: text: ")
