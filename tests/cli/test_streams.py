"""Streams that a shell closed or that are full: what was asked for is told as missing."""

from __future__ import annotations

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
