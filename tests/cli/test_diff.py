"""`rawcd diff`, as a terminal sees it."""

from __future__ import annotations

import json
import subprocess
import sys
import wave
from pathlib import Path

import numpy as np
import pytest

REPO = Path(__file__).parent.parent.parent
DEMO = REPO / "fixtures" / "demo" / "demo.cue"


def run(*args: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "rawcd", *map(str, args)],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.fixture(scope="module")
def rips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two rips of one disc, by drives 30 samples apart."""
    folder = tmp_path_factory.mktemp("rips")
    sound = np.random.default_rng(3).integers(-9000, 9000, (588 * 400, 2)).astype("<i2")
    for name, samples in (("a", sound), ("b", np.roll(sound, 30, axis=0))):
        with wave.open(str(folder / f"{name}.wav"), "wb") as file:
            file.setparams((2, 2, 44100, 0, "NONE", ""))
            file.writeframes(samples.tobytes())
        (folder / f"{name}.cue").write_text(
            f'FILE "{name}.wav" WAVE\nTRACK 01 AUDIO\nINDEX 01 00:00:00\n', encoding="ascii"
        )
    return folder


def test_the_same_disc_in_two_formats_is_status_0(tmp_path: Path) -> None:
    assert run("build", DEMO, "-o", "demo.raw", cwd=tmp_path).returncode == 0
    done = run("diff", DEMO, "demo.raw", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "the same in 30770 sectors\n"


def test_an_offset_between_rips_is_told_and_status_3(rips: Path) -> None:
    done = run("diff", "a.cue", "b.cue", cwd=rips)
    assert (done.returncode, done.stderr) == (3, "")
    assert done.stdout.splitlines()[0] == (
        "main: the sound differs: 400 sectors, first at LBA 0 (00:02:00, track 1)"
    )
    assert (
        "offset: the sound of the second disc comes 30 samples later and is the same there"
        in done.stdout
    )
    assert run("diff", "a.cue", "b.cue", "--ignore", "main", cwd=rips).returncode == 0


def test_the_json_tells_the_same(rips: Path) -> None:
    done = run("diff", "b.cue", "a.cue", "--json", cwd=rips)
    assert (done.returncode, done.stderr) == (3, "")
    about = json.loads(done.stdout)
    assert (about["rawcd_diff"], about["equal"], about["sectors"]) == (1, False, 29_800)
    assert about["offset"]["samples"] == -30
    assert about["offset"]["same_sound"] is True
    assert [each["code"] for each in about["differences"]] == ["sound", "sound-samples"]
    assert about["differences"][0]["msf"] == "00:02:00"


@pytest.mark.parametrize(
    ("args", "status", "words"),
    [
        (["a.cue", "none.cue"], 1, "none.cue"),
        (["a.cue"], 2, "Missing argument 'B'"),
        (["a.cue", "b.cue", "--ignore", "sound"], 2, "'sound' is not one of"),
    ],
)
def test_misuse_is_told(rips: Path, args: list[str], status: int, words: str) -> None:
    done = run("diff", *args, cwd=rips)
    assert (done.returncode, done.stdout) == (status, "")
    assert words in " ".join(done.stderr.split())
