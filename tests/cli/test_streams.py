"""Streams that a shell closed or that are full: what was asked for is told as missing."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

REPO = Path(__file__).parent.parent.parent
DEMO = REPO / "fixtures" / "demo" / "demo.cue"

pytestmark = pytest.mark.skipif(os.name != "posix", reason="streams are closed by a POSIX shell")


def shell(line: str, cwd: Path) -> subprocess.CompletedProcess[bytes]:
    """Run a line in which `rawcd` and `DEMO` stand for what they are."""
    program = f"{shlex.quote(sys.executable)} -m rawcd"
    line = line.replace("rawcd", program).replace("DEMO", shlex.quote(str(DEMO)))
    return subprocess.run(["sh", "-c", line], cwd=cwd, capture_output=True, check=False, timeout=60)


@pytest.mark.parametrize(
    "command", ["id DEMO --toc-only", "map DEMO", "report DEMO -o - --no-verify", "man", "--help"]
)
def test_a_closed_stdout_is_one_line_of_error(command: str, tmp_path: Path) -> None:
    done = shell(f"rawcd {command} >&-", tmp_path)
    assert done.returncode == 1
    assert done.stderr.decode().splitlines()[-1] == (
        "rawcd: <stdout>: cannot write: Bad file descriptor"
    )
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["--help", "--version", "verify --help"])
def test_help_on_a_full_device_is_one_line_of_error(command: str, tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full")
    done = shell(f"rawcd {command} >/dev/full", tmp_path)
    assert done.returncode == 1
    assert done.stderr == b"rawcd: <stdout>: cannot write: No space left on device\n"


def test_without_stderr_no_note_gets_into_a_piped_image(tmp_path: Path) -> None:
    whole = shell("rawcd build DEMO -o -", tmp_path)
    assert whole.returncode == 0
    assert whole.stderr.count(b"note: ") > 1
    silent = shell("rawcd build DEMO -o - 2>&-", tmp_path)
    assert (silent.returncode, silent.stdout) == (0, whole.stdout)
    failed = shell("rawcd info missing.raw --json 2>&-", tmp_path)
    assert (failed.returncode, failed.stdout) == (1, b"")


HOSTILE = "\x1b]0;owned\x07 \x9b31m \u202e \u65e5\u672c \U0001f600"


def test_texts_of_strangers_do_nothing_to_a_terminal(tmp_path: Path) -> None:
    """Titles, names and commands that are escape sequences are shown, not obeyed."""
    (tmp_path / "a.bin").write_bytes(bytes(2352 * 300))
    sheet = (
        f'TITLE "{HOSTILE}"\nFOO\x1b[2J x\nFILE "a.bin" BINARY\nTRACK 01 AUDIO\nINDEX 01 00:00:00\n'
    )
    (tmp_path / "a.cue").write_text(sheet, encoding="utf-8")
    for command in ("info a.cue", "build a.cue -o a.raw", "info 'x\x1b[2J.cue'"):
        done = shell(f"PYTHONIOENCODING=utf-8 rawcd {command}", tmp_path)
        said = (done.stdout + done.stderr).decode()
        assert "\\x1b" in said, command
        assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(said), command


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "utf-8:strict"])
def test_stdout_in_an_encoding_that_has_not_all(encoding: str, tmp_path: Path) -> None:
    """As a pipe has on Windows; what it has not is spelt as in JSON."""
    (tmp_path / "a.bin").write_bytes(bytes(2352 * 300))
    name = os.fsdecode(b"n\xff.cue")
    sheet = f'TITLE "{HOSTILE}"\nFILE "a.bin" BINARY\nTRACK 01 AUDIO\nINDEX 01 00:00:00\n'
    (tmp_path / name).write_text(sheet, encoding="utf-8")
    done = shell(f"PYTHONIOENCODING={encoding} rawcd info --json n*.cue", tmp_path)
    assert (done.returncode, done.stderr) == (0, b"")
    told = json.loads(done.stdout.decode(encoding.removesuffix(":strict")))
    assert told["title"] == HOSTILE
    assert told["file"] == name
    done = shell(f"PYTHONIOENCODING={encoding} rawcd info n*.cue", tmp_path)
    assert (done.returncode, done.stderr) == (0, b"")
