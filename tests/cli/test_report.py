"""`rawcd report` and `rawcd map`, as a terminal sees them."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

import rawcd
from tests.report.discs import small_disc

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("images")
    rawcd.save_image(small_disc(), place / "small.raw")
    return place


def run(*args: str, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "rawcd", *args],
        cwd=cwd,
        env={**os.environ, "PYTHONIOENCODING": "utf-8", **env},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def test_a_report_is_a_file_that_is_not_overwritten(folder: Path) -> None:
    done = run("report", "small.raw", "-o", "a.html", cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("a.html  ")
    assert "Album" in (folder / "a.html").read_text(encoding="utf-8")
    again = run("report", "small.raw", "-o", "a.html", "--no-verify", cwd=folder)
    assert again.returncode == 1
    assert "--force" in again.stderr
    assert not [each for each in folder.iterdir() if each.suffix == ".part"]


def test_a_report_goes_into_a_pipe(folder: Path) -> None:
    done = run("report", "small.raw", "-o", "-", "--no-verify", cwd=folder)
    assert done.stdout.startswith("<!doctype html>")
    assert done.stdout.rstrip().endswith("</html>")


def test_a_map_has_no_colour_in_a_pipe_and_blocks_only_where_they_can_be(folder: Path) -> None:
    done = run("map", "small.raw", "--width", "70", cwd=folder, FORCE_COLOR="1")
    assert "\x1b" not in done.stdout
    assert "░" in done.stdout
    plain = run("map", "small.raw", cwd=folder, PYTHONIOENCODING="ascii")
    assert plain.returncode == 0
    assert plain.stdout.isascii()
    assert "###" in plain.stdout


@pytest.mark.parametrize(
    ("no_colour", "term", "coloured"),
    [("", "xterm-256color", True), ("1", "xterm-256color", False), ("", "dumb", False)],
)
def test_a_terminal_has_colour_unless_it_says_no(
    folder: Path, no_colour: str, term: str, coloured: bool
) -> None:
    pty = pytest.importorskip("pty", reason="a pseudo-terminal is POSIX")
    leader, follower = pty.openpty()
    subprocess.run(
        [sys.executable, "-m", "rawcd", "map", "small.raw"],
        cwd=folder,
        env={**os.environ, "NO_COLOR": no_colour, "TERM": term},
        stdout=follower,
        check=True,
    )
    os.close(follower)
    seen = b""
    while True:
        try:
            part = os.read(leader, 65536)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        seen += part
    os.close(leader)
    assert (b"\x1b[38;5;" in seen) is coloured


def test_a_map_as_a_picture(folder: Path) -> None:
    done = run("map", "small.raw", "-o", "map.svg", "--verify", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert (folder / "map.svg").is_file()
    wrong = run("map", "small.raw", "-o", "map.jpg", cwd=folder)
    assert wrong.returncode == 1
    assert ".svg or .png" in wrong.stderr
    for more in (["--force"], ["-o", "b.svg", "--width", "50"], ["-o", "b.svg", "--ascii"]):
        useless = run("map", "small.raw", *more, cwd=folder)
        assert (useless.returncode, useless.stdout) == (2, "")
        assert not (folder / "b.svg").exists()
