"""Every sector once and in order, by one process or several; and how the work ends when it must."""

from __future__ import annotations

import errno
import io
import multiprocessing
import os
import pickle
import re
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import rawcd
from rawcd.errors import CancelledError, RawCDError, StorageError, UnsupportedError
from rawcd.image import main_sectors
from rawcd.plugins import open_image, save_image
from rawcd.pump import PlainMain, UserData, WholeSectors, jobs_of, pump, workers
from rawcd.sector import SectorType
from rawcd.source import ArraySource, FileSource, StreamSource
from tests.strategies import noise_rows
from tests.workers import Elsewhere, Numbered, Rooted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rawcd.image import RegionImage
    from rawcd.source import Bytes2D

BLOCK = 512
SOON = 2.0 if "CI" not in os.environ else 10.0  # time alone must not fail a shared machine
"""Seconds within which every bad end must come."""
HEARS_CTRL_C = pytest.mark.skipif(
    signal.getsignal(signal.SIGINT) is signal.SIG_IGN,
    reason="begun behind a shell's &, which lets nothing hear Ctrl-C",
)
LINUX = pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="looks into /proc")


@pytest.fixture
def always(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several processes for stretches of any length."""
    monkeypatch.setattr(rawcd.pump, "_WORTH_IT", 1)


@pytest.fixture
def crews(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """What became of each stretch that several processes were asked to do."""
    real = workers.pump_in_processes
    answers: list[bool] = []

    def watched(*args: Any, **more: Any) -> bool:
        answers.append(real(*args, **more))
        return answers[-1]

    monkeypatch.setattr(workers, "pump_in_processes", watched)
    return answers


def shared_memory() -> set[str]:
    folder = Path("/dev/shm")
    return {path.name for path in folder.iterdir()} if folder.is_dir() else set()


@contextmanager
def nothing_left() -> Iterator[None]:
    """No process, no thread and no shared memory may be left by what is done in here."""
    threads, memory = set(threading.enumerate()), shared_memory()
    yield
    assert multiprocessing.active_children() == []
    assert set(threading.enumerate()) <= threads
    assert shared_memory() <= memory


def pumped(fill: Any, count: int, *, width: int = 8, lba: int = -150, **more: Any) -> bytes:
    written = bytearray()
    with nothing_left():
        pump(fill, lba, count, written.extend, width=width, **more)
    return bytes(written)


def nowhere(data: memoryview) -> None:
    """Keep nothing of what is made."""


def numbers(count: int, *, width: int = 8, lba: int = -150) -> bytes:
    rows = np.empty((count, width), np.uint8)
    Numbered()(lba, rows)
    return rows.tobytes()


# -- the same bytes ----------------------------------------------------------------------------


@pytest.mark.parametrize("count", [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 20 * BLOCK + 7])
def test_one_process_writes_every_sector_in_order(count: int) -> None:
    assert pumped(Numbered(), count) == numbers(count)


@pytest.mark.parametrize(
    ("jobs", "count"), [(2, 1), (3, BLOCK + 1), (2, 20 * BLOCK + 7), (3, 7 * BLOCK)]
)
@pytest.mark.usefixtures("always")
def test_several_processes_write_the_same(crews: list[bool], jobs: int, count: int) -> None:
    told: list[tuple[int, int]] = []
    made = pumped(Numbered(), count, jobs=jobs, progress=lambda *step: told.append(step))
    assert made == numbers(count)
    assert crews == [True]
    assert told[0] == (0, count)
    assert told[-1] == (count, count)
    assert told == sorted(set(told))


def test_short_work_is_not_shared_out(crews: list[bool]) -> None:
    assert len(pumped(Numbered(), 49_999, width=4, jobs=2)) == 4 * 49_999
    assert crews == []
    assert pumped(Numbered(), 50_000, width=4, jobs=2) == numbers(50_000, width=4)
    assert crews == [True]


def mixed_disc(folder: Path) -> RegionImage:
    """Two data tracks of files and their gap, in sectors of user data and whole ones."""
    noise = noise_rows(900, 2048, seed=3)
    (folder / "user.iso").write_bytes(noise.tobytes())
    whole = rawcd.sector.encode(SectorType.MODE1, noise[:500], 900 + 150)
    (folder / "whole.bin").write_bytes(whole.tobytes())
    creator = rawcd.RawCDImageCreator()
    creator.disable_gapless_audio = True
    creator.add_track(folder / "user.iso", SectorType.MODE1)
    creator.add_track(folder / "whole.bin", SectorType.MODE1RAW)
    return creator.create_result_image()


@pytest.mark.usefixtures("always")
def test_every_kind_of_rows_is_made_alike(tmp_path: Path, crews: list[bool]) -> None:
    image = mixed_disc(tmp_path)
    for fill, width in (
        (WholeSectors(image), 2448),
        (WholeSectors(image.as_kind(rawcd.ImageType.PQ_ONLY)), 2368),
        (PlainMain(image), 2352),
        (UserData(image, SectorType.MODE1), 2048),
    ):
        args: dict[str, Any] = {"count": 1_701, "lba": -150, "width": width}
        alone = pumped(fill, **args)
        assert pumped(fill, jobs=2, **args) == alone
        assert len(alone) == 1_701 * width
    assert crews == [True] * 4
    assert (
        pumped(PlainMain(image), 1_550, width=2352, lba=0)
        == main_sectors(image, 0, 1_550).tobytes()
    )


@pytest.mark.usefixtures("always")
def test_formats_give_the_same_files(tmp_path: Path, crews: list[bool]) -> None:
    image, iso = mixed_disc(tmp_path), open_image(tmp_path / "user.iso")
    sizes = {"sector-size": "2048"}
    for folder in ("one", "more"):
        (tmp_path / folder).mkdir()
        many = {"jobs": "3"} if folder == "more" else {}
        save_image(image, tmp_path / folder / "a.raw", options=many)
        save_image(image, tmp_path / folder / "a.cue", options={**sizes, **many})
        save_image(iso, tmp_path / folder / "a.iso", options=many)
    for path in (tmp_path / "one").iterdir():
        assert (tmp_path / "more" / path.name).read_bytes() == path.read_bytes(), path.name
    assert (tmp_path / "more" / "a.iso").read_bytes() == (tmp_path / "user.iso").read_bytes()
    assert crews == [True] * 4  # a sheet's tracks one after the other


# -- what cannot leave the process -------------------------------------------------------------


@pytest.mark.parametrize(
    ("fill", "answers"),
    [
        (lambda lba, rows: Numbered()(lba, rows), []),
        (Rooted(), []),
        (Elsewhere(os.getpid()), [False]),
    ],
    ids=["lambda", "will not be pickled", "cannot be unpickled"],
)
@pytest.mark.usefixtures("always")
def test_what_cannot_leave_is_worked_off_here(
    crews: list[bool], fill: Callable[[int, Bytes2D], None], answers: list[bool]
) -> None:
    count = 5 * BLOCK + 3
    told: list[int] = []
    made = pumped(fill, count, jobs=3, progress=lambda done, _: told.append(done))
    assert made == numbers(count)
    assert crews == answers
    assert told == sorted(told)
    assert told[-1] == count


@pytest.mark.parametrize("kind", ["file object", "array", "own class", "path"])
@pytest.mark.usefixtures("always")
def test_sources_of_all_kinds(tmp_path: Path, crews: list[bool], kind: str) -> None:
    data = noise_rows(700, seed=8)
    path = tmp_path / "a.bin"
    path.write_bytes(data.tobytes())

    @dataclass
    class Own:
        block_size: int = 2352
        block_count: int = 700
        name: str = "own"

        def read(self, start: int, count: int) -> bytes:
            return data[start : start + count].tobytes()

    with path.open("rb") as file:
        source = {
            "file object": StreamSource(file),
            "array": ArraySource(data),
            "own class": Own(),
            "path": FileSource(path),
        }[kind]
        creator = rawcd.RawCDImageCreator()
        creator.add_track(source)
        image = creator.create_result_image()
        made = pumped(PlainMain(image), 700, width=2352, lba=0, jobs=2)
    assert made == data.tobytes()
    assert crews == ([True] if kind == "path" else [])


# -- bad ends ----------------------------------------------------------------------------------


STARTING = 8.0
"""Seconds that worker processes may take to begin on a machine that has much else to do."""


@dataclass
class Clock:
    """When the bad thing happened; where only a worker knows, it may have been at once."""

    at: float

    def now(self) -> None:
        self.at = time.monotonic()


@contextmanager
def ends_soon() -> Iterator[Clock]:
    """What ends the work must end it soon, and leave nothing."""
    clock = Clock(time.monotonic() + STARTING)
    with nothing_left():
        yield clock
        assert time.monotonic() - clock.at < SOON


both = pytest.mark.parametrize("jobs", [1, 2])


@both
@pytest.mark.parametrize("answered", [0, 3])
@pytest.mark.usefixtures("always")
def test_a_progress_function_says_stop(jobs: int, answered: int) -> None:
    told: list[int] = []

    def listen(done: int, total: int) -> bool:
        told.append(done)
        clock.now()
        return len(told) <= answered

    with ends_soon() as clock, pytest.raises(CancelledError, match="stopped by the caller"):
        pump(Numbered(), 0, 40 * BLOCK, nowhere, width=8, jobs=jobs, progress=listen)
    assert len(told) == answered + 1


@both
@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt, SystemExit])
@pytest.mark.usefixtures("always")
def test_a_progress_function_raises(jobs: int, error: type[BaseException]) -> None:
    def listen(done: int, total: int) -> None:
        if done > 2 * BLOCK:
            clock.now()
            raise error

    with ends_soon() as clock, pytest.raises(error):
        pump(Numbered(), 0, 40 * BLOCK, nowhere, width=8, jobs=jobs, progress=listen)


@both
@pytest.mark.usefixtures("always")
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


@both
@pytest.mark.usefixtures("always")
def test_a_source_fails(jobs: int) -> None:
    with ends_soon(), pytest.raises(StorageError) as caught:
        pump(Numbered(fails_at=9 * BLOCK), 0, 40 * BLOCK, nowhere, width=8, jobs=jobs)
    assert caught.value.file == "disc.bin"
    assert str(caught.value) == "disc.bin: ends at byte 7"
    if jobs == 1:
        assert caught.value.errno == 5


def test_an_error_keeps_its_number_between_processes() -> None:
    error = StorageError("cannot read", file="disc.bin", errno=errno.EIO)
    assert pickle.loads(pickle.dumps(error)).errno == errno.EIO


@both
@pytest.mark.parametrize(
    ("how", "error", "says"),
    [("foreign", ZeroDivisionError, "by nothing"), ("end", EOFError, "no more")],
)
@pytest.mark.usefixtures("always")
def test_a_source_raises_what_it_must_not(
    jobs: int, how: str, error: type[Exception], says: str
) -> None:
    with ends_soon(), pytest.raises(error, match=says) as caught:
        pump(Numbered(fails_at=9 * BLOCK, how=how), 0, 40 * BLOCK, nowhere, width=8, jobs=jobs)
    if jobs > 1:  # where it came from is not lost
        assert re.search(r"in a worker process:.*in fail", caught.value.__notes__[0], re.DOTALL)


@pytest.mark.usefixtures("always")
def test_an_error_that_does_not_travel_is_told_of() -> None:
    fill = Numbered(fails_at=9 * BLOCK, how="broken")
    with ends_soon(), pytest.raises(RawCDError, match="UnportableError: one and"):
        pump(fill, 0, 40 * BLOCK, nowhere, width=8, jobs=2)


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ("killed", rf"ended by signal {int(signal.SIGKILL)}; nothing was left behind"),
        ("exits", "ended with status 3"),
    ],
)
@pytest.mark.parametrize("at", [0, 30 * BLOCK])
@pytest.mark.usefixtures("always")
def test_a_worker_dies(capfd: pytest.CaptureFixture[str], how: str, says: str, at: int) -> None:
    fill = Numbered(fails_at=at, how=how)
    with ends_soon(), pytest.raises(RawCDError, match=says):
        pump(fill, 0, 40 * BLOCK, nowhere, width=8, jobs=2)
    assert capfd.readouterr().err == ""


@pytest.mark.usefixtures("always")
def test_a_worker_that_hangs_does_not_hold_up_the_end() -> None:
    def write(data: memoryview) -> None:
        clock.now()
        raise StorageError("cannot write", file="out")

    fill = Numbered(fails_at=BLOCK, how="hangs")
    with ends_soon() as clock, pytest.raises(StorageError):
        pump(fill, 0, 40 * BLOCK, write, width=8, jobs=2)


def test_a_script_without_a_guard_is_told_so(tmp_path: Path) -> None:
    """The module that begins a program is imported by every worker, as multiprocessing has it."""
    (tmp_path / "script.py").write_text(
        "import rawcd.pump\n"
        "from tests.workers import Numbered\n"
        "rawcd.pump._WORTH_IT = 1\n"
        "rawcd.pump.pump(Numbered(), 0, 1000, len, width=8, jobs=2)\n"
    )
    done = subprocess.run(
        [sys.executable, "script.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent.parent)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].endswith(
        '(a script that asks for jobs must guard its own work by if __name__ == "__main__"); '
        "nothing was left behind"
    )
    assert "resource_tracker" not in done.stderr


@pytest.mark.parametrize("text", ["0", "65", "-1", "", "two", "2.0", "\u0662", "1e1"])
def test_how_many_jobs_there_may_be(tmp_path: Path, text: str) -> None:
    with pytest.raises(UnsupportedError, match="jobs is a number from 1 to 64"):
        jobs_of({"jobs": text})
    creator = rawcd.RawCDImageCreator()
    creator.add_track(rawcd.SilenceSource(block_count=300))
    for name in ("a.raw", "a.cue"):
        with pytest.raises(UnsupportedError, match="jobs is a number"):
            save_image(creator_image(), tmp_path / name, options={"jobs": text})
    assert not list(tmp_path.iterdir())


def test_one_job_is_the_default() -> None:
    assert [jobs_of(options) for options in ({}, {"jobs": "1"}, {"jobs": "64"})] == [1, 1, 64]


def creator_image() -> RegionImage:
    creator = rawcd.RawCDImageCreator()
    creator.add_track(rawcd.SilenceSource(block_count=300))
    return creator.create_result_image()


# -- the command -------------------------------------------------------------------------------

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
    """How far a process is in the file that it writes; 0 before there is one."""
    try:
        for link in Path(f"/proc/{pid}/fd").iterdir():
            if link.readlink().name.endswith(".part"):
                about = Path(f"/proc/{pid}/fdinfo/{link.name}").read_text(encoding="ascii")
                return int(about.split()[1])
    except OSError:
        pass
    return 0


def wait_for(condition: Callable[[], object], process: subprocess.Popen[Any]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.002)


@dataclass
class Build:
    """A build with two workers in a session of its own, in the middle of its work."""

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
        command("long.iso", "-o", "out/long.raw", "--jobs", "2", *more),
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
