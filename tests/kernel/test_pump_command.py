"""The command with several processes, and how it ends when it must."""

from __future__ import annotations

import io
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.pumping import SOON, shared_memory
from tests.strategies import noise_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HEARS_CTRL_C = pytest.mark.skipif(
    signal.getsignal(signal.SIGINT) is signal.SIG_IGN,
    reason="begun behind a shell's &, which lets nothing hear Ctrl-C",
)
LINUX = pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="looks into /proc")

MANY = 350_000
"""Sectors of a disc that takes a second or two; its file is sparse and made at once."""


def command(*args: str | Path) -> list[str]:
    return [sys.executable, "-m", "rawcd", "build", *map(str, args)]


def sparse_iso(path: Path, sectors: int) -> Path:
    with path.open("wb") as file:
        file.truncate(2048 * sectors)
    return path


@pytest.mark.parametrize("number", ["0", "65", "-1", "two", ""])
def test_a_wrong_number_of_jobs_is_a_usage_error(tmp_path: Path, number: str) -> None:
    sparse_iso(tmp_path / "a.iso", 300)
    done = subprocess.run(
        command("a.iso", "-o", "a.raw", f"--jobs={number}"),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "--jobs" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["a.iso"]


def children_of(pid: int) -> set[int]:
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    except FileNotFoundError:
        return set()
    return set(map(int, text.split()))


def workers_of(pid: int) -> list[int]:
    found = []
    for child in children_of(pid):
        try:
            line = Path(f"/proc/{child}/cmdline").read_bytes()
        except OSError:
            continue
        if b"spawn_main" in line:
            found.append(child)
    return found


def alive_in_session(session: int) -> list[str]:
    """Every process of a session that has not ended."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            about = path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        name, rest = about.rpartition(")")[::2]
        state, _, _, its_session = rest.split()[:4]
        if int(its_session) == session and state not in "ZX":
            found.append(name)
    return found


def wait_for_no_one(session: int) -> None:
    """multiprocessing's own helper process notices a moment later that it has nobody to serve."""
    deadline = time.monotonic() + SOON
    while (left := alive_in_session(session)) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert left == []


def written_by(pid: int) -> int:
    """How much a process and its workers have written."""
    total = 0
    for each in (pid, *workers_of(pid)):
        try:
            about = Path(f"/proc/{each}/io").read_text(encoding="ascii")
        except OSError:  # it has just ended
            continue
        if found := re.search(r"wchar: (\d+)", about):
            total += int(found[1])
    return total


def wait_for(condition: Callable[[], object], process: subprocess.Popen[Any]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.002)


@dataclass
class Build:
    """A build with two workers beside it in a session of its own, in the middle of its work."""

    folder: Path
    source: Path
    process: subprocess.Popen[str]

    def end(self) -> str:
        """Wait until it has ended; nothing of it may be left. Returns what stderr says."""
        start = time.monotonic()
        _, error = self.process.communicate(timeout=30)
        wait_for_no_one(self.process.pid)
        assert time.monotonic() - start < SOON
        assert not list((self.folder / "out").iterdir())
        assert error.lstrip("\n").count("\n") == 1, error  # click ends the line that says ^C
        return error


@contextmanager
def a_build(
    folder: Path, *more: str, past: int = 120_000_000, sectors: int = MANY, **how: Any
) -> Iterator[Build]:
    memory = shared_memory()
    (folder / "out").mkdir()
    source = sparse_iso(folder / "long.iso", sectors)
    process = subprocess.Popen(
        command("long.iso", "-o", "out/long.raw", "--jobs", "3", *more),
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        **how,
    )
    try:
        wait_for(lambda: len(workers_of(process.pid)) == 2, process)
        wait_for(lambda: written_by(process.pid) >= past, process)
        yield Build(folder, source, process)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    assert shared_memory() <= memory


@LINUX
@pytest.mark.parametrize(
    "number",
    [pytest.param(signal.SIGINT, marks=HEARS_CTRL_C), signal.SIGTERM],
    ids=["Ctrl-C", "SIGTERM"],
)
@pytest.mark.parametrize("whom", ["the command", "the terminal's group"])
def test_a_signal_ends_the_command_and_its_workers(tmp_path: Path, number: int, whom: str) -> None:
    with a_build(tmp_path) as build:
        (os.kill if whom == "the command" else os.killpg)(build.process.pid, number)
        assert "nothing was left behind" in build.end()
        assert build.process.returncode == (130 if number == signal.SIGINT else 143)


@LINUX
@HEARS_CTRL_C
def test_ctrl_c_while_the_workers_begin(tmp_path: Path) -> None:
    with a_build(tmp_path, past=0) as build:
        os.killpg(build.process.pid, signal.SIGINT)
        assert "interrupted; nothing was left behind" in build.end()
        assert build.process.returncode == 130


@LINUX
@pytest.mark.parametrize("past", [0, 120_000_000])
def test_a_worker_killed_from_outside(tmp_path: Path, past: int) -> None:
    with a_build(tmp_path, past=past) as build:
        os.kill(workers_of(build.process.pid)[0], signal.SIGKILL)
        error = build.end()
        assert error == "rawcd: a worker process was ended by signal 9; nothing was left behind\n"
        assert build.process.returncode == 1


@LINUX
def test_a_source_cut_short_in_the_middle(tmp_path: Path) -> None:
    with a_build(tmp_path) as build:
        os.truncate(build.source, 2048 * 100)
        error = build.end()
        assert re.match(
            r"rawcd: long\.iso: (ends at byte \d+, \d+ bytes early|changed since)", error
        )
        assert build.process.returncode == 1


@LINUX
def test_workers_do_not_outlive_a_command_that_is_killed(tmp_path: Path) -> None:
    with a_build(tmp_path) as build:
        build.process.kill()
        wait_for_no_one(build.process.pid)
        _, error = build.process.communicate()
        assert error == ""


@LINUX
@pytest.mark.parametrize("to", ["a file", "a pipe"])
def test_a_disk_that_is_full(tmp_path: Path, to: str) -> None:
    """A file's room is asked for before the work begins; a stream's ends in the middle."""
    small = tmp_path / "small"
    small.mkdir()
    sparse_iso(tmp_path / "long.iso", 60_000)
    mount = ["mount", "-t", "tmpfs", "-o", "size=40m", "tmpfs", str(small)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no right to mount a small file system")
    memory = shared_memory()
    try:
        with (small / "stream").open("wb") if to == "a pipe" else io.BytesIO() as stream:
            target = "-" if to == "a pipe" else small / "out.raw"
            process = subprocess.Popen(
                command("long.iso", "-o", target, "--jobs", "2"),
                cwd=tmp_path,
                stdout=stream if to == "a pipe" else subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                start_new_session=True,
            )
            _, error = process.communicate(timeout=30)
        assert process.returncode == 1
        assert re.fullmatch(r"rawcd: \S+: cannot .*: No space left on device\n", error)
        wait_for_no_one(process.pid)
        assert [path.name for path in small.iterdir()] == (["stream"] if to == "a pipe" else [])
    finally:
        subprocess.run(["umount", str(small)], check=True)
    assert shared_memory() <= memory


def test_the_command_makes_the_same_file(tmp_path: Path) -> None:
    """Long enough for several processes, so that nothing has to be pretended."""
    blocks = noise_rows(500, 2048, seed=5)
    with (tmp_path / "a.iso").open("wb") as file:
        for _ in range(102):
            file.write(blocks.tobytes())
    for jobs in ("1", "2", "3"):
        done = subprocess.run(
            command("a.iso", "-o", f"{jobs}.cue", "--jobs", jobs),
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
    one, two, three = ((tmp_path / f"{jobs}.bin").read_bytes() for jobs in "123")
    assert len(one) == 51_000 * 2352
    assert one == two == three
