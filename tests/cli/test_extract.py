"""`rawcd extract`, as a terminal sees it."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import soundfile

REPO = Path(__file__).parent.parent.parent
DEMO = REPO / "fixtures" / "demo" / "demo.cue"
TITLES = ["01 Bit for Bit", "02 Fifths", "03 Behind a Gap", "04 Resampled"]


def run(*args: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "rawcd", *map(str, args)],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_demo_comes_back_as_files(tmp_path: Path) -> None:
    done = run("extract", DEMO, "-o", "out", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert left(tmp_path / "out") == [f"{title}.flac" for title in TITLES]
    given, _ = soundfile.read(DEMO.parent / "01 speech.flac", dtype="int16")
    made, _ = soundfile.read(tmp_path / "out" / f"{TITLES[0]}.flac", dtype="int16")
    assert (made == given[: len(made)]).all()  # its end belongs to the next track's sector
    assert 0 <= len(given) - len(made) < 588
    again = run("extract", DEMO, "-o", "out", cwd=tmp_path)
    assert (again.returncode, again.stdout) == (1, "")
    assert "exists already" in again.stderr
    assert run("extract", DEMO, "-o", "out", "--force", cwd=tmp_path).returncode == 0


def test_the_json_tells_what_was_made(tmp_path: Path) -> None:
    done = run("extract", DEMO, "-o", "out", "--wav", "--track", "2", "--json", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    about = json.loads(done.stdout)
    assert about["rawcd_extract"] == 1
    assert [Path(file["path"]).name for file in about["files"]] == ["02 Fifths.wav"]
    (file,) = about["files"]
    assert file["size"] == (tmp_path / file["path"]).stat().st_size
    assert (file["track"], file["kind"], file["tags"]["TITLE"]) == (2, "wav", "Fifths")
    assert any("resampled" in note for note in about["notes"])


@pytest.mark.parametrize(
    ("args", "status", "words"),
    [
        (["-o", "out", "--track", "9"], 1, "there is no track 9; the tracks go from 1 to 4"),
        (["-o", "out", "--track", "100"], 2, "100 is not in the range"),
        (["-o", "no/out"], 1, "no/out: cannot make the folder"),
        (["-o", "file"], 1, "file: exists and is no folder"),
        ([], 2, "Missing option"),
    ],
)
def test_misuse_is_told(tmp_path: Path, args: list[str], status: int, words: str) -> None:
    (tmp_path / "file").touch()
    done = run("extract", DEMO, *args, cwd=tmp_path)
    assert done.returncode == status
    assert words in " ".join(done.stderr.split())
    assert left(tmp_path) == ["file"]


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_ctrl_c_leaves_nothing(tmp_path: Path) -> None:
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        pytest.skip("the shell that began the tests lets nothing hear this signal")
    with (tmp_path / "long.bin").open("wb") as file:  # holes: fast to make, long to encode
        file.truncate(2352 * 300_000)
    (tmp_path / "long.cue").write_text(
        'FILE "long.bin" BINARY\nTRACK 01 AUDIO\nINDEX 01 00:00:00\n', encoding="ascii"
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "rawcd", "extract", "long.cue", "-o", "out"],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
    )
    out = tmp_path / "out"
    until = time.monotonic() + 30
    while not (out.is_dir() and any(path.stat().st_size for path in out.iterdir())):
        assert process.poll() is None, "it was done before the signal"
        assert time.monotonic() < until
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "nothing was left behind" in said
    assert left(tmp_path) == ["long.bin", "long.cue"]


@pytest.mark.skipif(os.name != "posix", reason="a shell limits the size of files")
def test_a_file_that_cannot_grow_is_one_line_of_error(tmp_path: Path) -> None:
    line = f"ulimit -f 400; exec {shlex.quote(sys.executable)} -m rawcd extract {DEMO} -o out"
    done = subprocess.run(
        ["sh", "-c", line], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60
    )
    # Not a signal: frames that the encoder's failure left behind crashed the interpreter.
    assert done.returncode == 1, done.stderr
    last = done.stderr.splitlines()[-1]
    assert last.startswith("rawcd: out/")
    assert ".flac: cannot write: " in last
    assert left(tmp_path) == []


@pytest.mark.parametrize(("folder", "status"), [("-", 2), ("", 1)])
def test_what_is_no_folder_is_refused(folder: str, status: int, tmp_path: Path) -> None:
    done = run("extract", DEMO, "-o", folder, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (status, "")
    assert left(tmp_path) == []


def test_names_are_such_as_the_system_s_names_can_be(tmp_path: Path) -> None:
    sheet = (
        DEMO.read_text().replace("Fifths", "F\u00fcnfte").replace('FILE "', f'FILE "{DEMO.parent}/')
    )
    (tmp_path / "demo.cue").write_text(sheet, encoding="utf-8")
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = subprocess.run(
        [
            sys.executable,
            *["-m", "rawcd", "extract", "demo.cue", "-o", "out", "--track", "2", "--trust-paths"],
        ],
        cwd=tmp_path,
        env={**os.environ, **plain},
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    (name,) = left(tmp_path / "out")
    assert name in ("02 F_nfte.flac", "02 F\u00fcnfte.flac")  # the latter: names are always UTF-8
    if sys.platform == "linux":
        assert name == "02 F_nfte.flac"
