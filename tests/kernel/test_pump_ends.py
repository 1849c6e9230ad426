"""How the pump's work ends when it must: soon, with one clear error, and nothing left."""

from __future__ import annotations

import errno
import os
import pickle
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rawcd.errors import CancelledError, RawCDError, StorageError
from rawcd.fileset import FileTransaction
from rawcd.pump import pump
from tests.pumping import BLOCK, ends_soon, nowhere, share_always
from tests.workers import Numbered

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rawcd.fileset import OutputFile

    Target = Callable[[memoryview], None] | OutputFile

both = pytest.mark.parametrize("jobs", [1, 2])
here_and_there = pytest.mark.parametrize(
    ("jobs", "there"), [(1, False), (2, False), (2, True)], ids=["one", "here", "there"]
)


@pytest.fixture(autouse=True)
def _together(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several processes for stretches of any length, all of them from the beginning."""
    share_always(monkeypatch)


@pytest.fixture(params=["function", "file"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Target]:
    """A function that takes blocks in order; or a file in a transaction that comes to nothing."""
    if request.param == "function":
        yield nowhere
        return
    with FileTransaction(tmp_path / "disc.raw") as files:
        yield files.create("disc.raw")
    assert list(tmp_path.iterdir()) == []


@both
@pytest.mark.parametrize("answered", [0, 3])
def test_a_progress_function_says_stop(target: Target, jobs: int, answered: int) -> None:
    told: list[int] = []

    def listen(done: int, total: int) -> bool:
        told.append(done)
        clock.now()
        return len(told) <= answered

    with ends_soon() as clock, pytest.raises(CancelledError, match="stopped by the caller"):
        pump(Numbered(), 0, 40 * BLOCK, target, width=8, jobs=jobs, progress=listen)
    assert len(told) == answered + 1


@both
@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt, SystemExit])
def test_a_progress_function_raises(target: Target, jobs: int, error: type[BaseException]) -> None:
    def listen(done: int, total: int) -> None:
        if done > 2 * BLOCK:
            clock.now()
            raise error

    with ends_soon() as clock, pytest.raises(error):
        pump(Numbered(), 0, 40 * BLOCK, target, width=8, jobs=jobs, progress=listen)


@both
def test_a_write_fails(jobs: int) -> None:
    written = 0

    def write(data: memoryview) -> None:
        nonlocal written
        written += len(data)
        if written > 6 * 8 * BLOCK:
            clock.now()
            raise StorageError("cannot write: no space", file="out", errno=errno.ENOSPC)

    with ends_soon() as clock, pytest.raises(StorageError) as caught:
        pump(Numbered(), 0, 400 * BLOCK, write, width=8, jobs=jobs)
    assert caught.value.errno == errno.ENOSPC


@here_and_there
def test_a_source_fails(target: Target, jobs: int, there: bool) -> None:
    fill = Numbered(fails_at=9 * BLOCK, there=there)
    with ends_soon(), pytest.raises(StorageError) as caught:
        pump(fill, 0, 40 * BLOCK, target, width=8, jobs=jobs)
    assert caught.value.file == "disc.bin"
    assert str(caught.value) == "disc.bin: ends at byte 7"
    assert caught.value.errno == 5


def test_an_error_keeps_its_number_between_processes() -> None:
    error = StorageError("cannot read", file="disc.bin", errno=errno.EIO)
    assert pickle.loads(pickle.dumps(error)).errno == errno.EIO


@here_and_there
@pytest.mark.parametrize(
    ("how", "error", "says"),
    [("foreign", ZeroDivisionError, "by nothing"), ("end", EOFError, "no more")],
)
def test_a_source_raises_what_it_must_not(
    target: Target, jobs: int, there: bool, how: str, error: type[Exception], says: str
) -> None:
    fill = Numbered(fails_at=9 * BLOCK, how=how, there=there)
    with ends_soon(), pytest.raises(error, match=says) as caught:
        pump(fill, 0, 40 * BLOCK, target, width=8, jobs=jobs)
    if there:  # where it came from is not lost
        assert re.search(r"in a worker process:.*in fail", caught.value.__notes__[0], re.DOTALL)


def test_an_error_that_does_not_travel_is_told_of(target: Target) -> None:
    fill = Numbered(fails_at=9 * BLOCK, how="broken", there=True)
    with ends_soon(), pytest.raises(RawCDError, match="UnportableError: one and"):
        pump(fill, 0, 40 * BLOCK, target, width=8, jobs=2)


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ("killed", rf"ended by signal {int(signal.SIGKILL)}; nothing was left behind"),
        ("exits", "ended with status 3"),
    ],
)
@pytest.mark.parametrize("at", [0, 30 * BLOCK])
def test_a_worker_dies(
    target: Target, capfd: pytest.CaptureFixture[str], how: str, says: str, at: int
) -> None:
    fill = Numbered(fails_at=at, how=how, there=True, pause=0.002)
    with ends_soon(), pytest.raises(RawCDError, match=says):
        pump(fill, 0, 40 * BLOCK, target, width=8, jobs=2)
    assert capfd.readouterr().err == ""


def test_a_worker_that_hangs_does_not_hold_up_the_end(target: Target) -> None:
    """It does what comes before, has more to do, and never comes back from it."""

    def listen(done: int, total: int) -> bool:
        if done < 3 * BLOCK:
            return True
        time.sleep(0.1)
        clock.now()
        return False

    fill = Numbered(fails_at=4 * BLOCK, how="hangs", there=True)
    with ends_soon() as clock, pytest.raises(CancelledError):
        pump(fill, 0, 40 * BLOCK, target, width=8, jobs=2, progress=listen)


@pytest.mark.skipif(not hasattr(os, "pwrite"), reason="the system has no pwrite")
@pytest.mark.parametrize("jobs", [1, 3])
def test_a_disk_that_is_full_in_the_middle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jobs: int
) -> None:
    """A limit on files stands for it: each process meets that as it would meet a full disk."""
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (30 * BLOCK * 8 + 5, before[1]))
    try:
        with (
            ends_soon(),
            pytest.raises(StorageError, match=r"disc\.raw: cannot write: File too large") as caught,
            FileTransaction(tmp_path / "disc.raw") as files,
        ):
            pump(Numbered(), 0, 40 * BLOCK, files.create("disc.raw"), width=8, jobs=jobs)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert caught.value.errno == errno.EFBIG
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not hasattr(os, "pwrite"), reason="the system has no pwrite")
def test_a_file_that_is_replaced_while_it_is_written(tmp_path: Path) -> None:
    """No process ever writes to a file that is not ours."""
    with FileTransaction(tmp_path / "disc.raw") as files:
        output = files.create("disc.raw")
        (temporary,) = tmp_path.iterdir()
        temporary.unlink()
        temporary.write_bytes(b"another's")
        with ends_soon(), pytest.raises(StorageError, match="was replaced while it was written"):
            pump(Numbered(), 0, 40 * BLOCK, output, width=8, jobs=2)
        assert temporary.read_bytes() == b"another's"


SCRIPT = """
import rawcd.pump
from tests.workers import Numbered
class Own(Numbered):
    pass
rawcd.pump._WORTH_IT = 1
told = []
rawcd.pump.pump({fill}(pause=0.02), 0, 100_000, told.append, width=8, jobs=2)
print(sum(map(len, told)))
"""


def script(folder: Path, fill: str) -> subprocess.CompletedProcess[str]:
    (folder / "script.py").write_text(SCRIPT.format(fill=fill), encoding="ascii")
    path = [str(Path(__file__).parents[2]), *sys.path]
    return subprocess.run(
        [sys.executable, "script.py"],
        cwd=folder,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(path),
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_script_needs_no_guard_for_what_it_does_not_define(tmp_path: Path) -> None:
    """Workers do not run it again."""
    done = script(tmp_path, "Numbered")
    assert (done.returncode, done.stdout, done.stderr) == (0, "800000\n", "")


def test_a_script_without_a_guard_is_told_so(tmp_path: Path) -> None:
    """What it defines itself is found in it, so every worker imports it first."""
    done = script(tmp_path, "Own")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].endswith(
        "(a script whose own sources are to be read by several jobs must guard its work by "
        'if __name__ == "__main__"); nothing was left behind'
    )
    assert "resource_tracker" not in done.stderr
