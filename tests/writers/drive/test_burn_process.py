"""`rawcd burn` as a process: signals, closed pipes, full disks, and two at the same disc."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

import rawcd
from rawcd.errors import StorageError
from rawcd_writers.drive.virtual import VirtualRecorder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="signals, locks, tmpfs")

BEGUN = 20_000_000
"""Bytes of a disc that is on its way; a whole one has eight hundred million."""
LONG, SHORT = 330_000, 600


def sheet(folder: Path, sectors: int = LONG) -> Path:
    """Return a sheet of one track; its file is sparse and made at once."""
    with (folder / "a.bin").open("wb") as file:
        file.truncate(2352 * sectors)
    path = folder / "a.cue"
    path.write_text('FILE "a.bin" BINARY\nTRACK 01 AUDIO\nINDEX 01 00:00:00\n', encoding="ascii")
    return path


def command(*args: str) -> list[str]:
    return [sys.executable, "-m", "rawcd", *args]


def run(folder: Path, *args: str) -> tuple[int, str, str]:
    done = subprocess.run(
        command(*args), cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )
    return done.returncode, done.stdout, done.stderr


@contextmanager
def burning(
    folder: Path, *more: str, drive: str = "virtual:disc.raw"
) -> Iterator[subprocess.Popen[str]]:
    """Start a burn and wait until the disc is on its way."""
    process = subprocess.Popen(
        command("burn", "a.cue", "--drive", drive, *more),
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    disc = folder / "disc.raw"
    deadline = time.monotonic() + 60
    try:
        while not (disc.exists() and disc.stat().st_blocks * 512 > BEGUN):
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.005)
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("mode", ["raw", "sao", "tao"])
@pytest.mark.parametrize(
    ("number", "status", "word"),
    [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")],
    ids=["Ctrl-C", "SIGTERM"],
)
def test_a_signal_in_the_middle_tells_what_the_disc_is(
    tmp_path: Path, mode: str, number: int, status: int, word: str
) -> None:
    if signal.getsignal(number) is signal.SIG_IGN:
        pytest.skip("the shell that began the tests lets nothing hear this signal")
    sheet(tmp_path)
    with burning(tmp_path, "--mode", mode) as process:
        process.send_signal(number)
        out, error = process.communicate(timeout=30)
    assert (process.returncode, out) == (status, "")
    assert re.fullmatch(
        rf"rawcd: {word}; \d+ sectors were sent, so the disc is spoiled unless it can be blanked; "
        r"the drive says: the disc is not closed",
        error.splitlines()[-1],  # before it: what tracks at once cannot carry
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "a.bin",
        "a.cue",
        "disc.raw",
        "disc.raw.pma",
    ]
    if number == signal.SIGTERM:
        return  # what is left is the same
    assert "CD-R, written, not closed" in run(tmp_path, "drives", "virtual:disc.raw")[1]
    code, _, error = run(tmp_path, "info", "disc.raw")
    assert code == 1
    assert re.search("not finished|holds a lead-in and nothing behind|the lead-out should", error)
    code, _, error = run(tmp_path, "burn", "a.cue", "--drive", "virtual:disc.raw")
    assert code == 1
    assert "the disc is not blank" in error


def test_a_rewritable_disc_is_blanked_after_an_interruption_and_burned(tmp_path: Path) -> None:
    sheet(tmp_path)
    with burning(tmp_path, drive="virtual:disc.raw?medium=cdrw80") as process:
        process.terminate()
        process.communicate(timeout=30)
    assert run(tmp_path, "blank", "--drive", "virtual:disc.raw")[0] == 0
    sheet(tmp_path, SHORT)
    assert run(tmp_path, "burn", "a.cue", "--drive", "virtual:disc.raw", "--mode", "sao")[0] == 0
    assert rawcd.open_image(tmp_path / "disc.raw").disc.tracks[0].sector_count == SHORT


def test_a_killed_burn_leaves_a_disc_that_says_so(tmp_path: Path) -> None:
    sheet(tmp_path)
    with burning(tmp_path) as process:
        process.kill()
        process.communicate(timeout=30)
    assert "CD-R, written, not closed" in run(tmp_path, "drives", "virtual:disc.raw")[1]


def test_a_disc_is_in_one_recorder_at_a_time(tmp_path: Path) -> None:
    sheet(tmp_path)
    with burning(tmp_path) as process:
        os.kill(process.pid, signal.SIGSTOP)
        for words in (("burn", "a.cue", "--drive"), ("drives",), ("blank", "--drive")):
            code, out, error = run(tmp_path, *words, "virtual:disc.raw")
            assert (code, out) == (1, "")
            assert re.fullmatch(r"rawcd: \S*disc\.raw: is in another virtual .*\n", error)
        os.kill(process.pid, signal.SIGCONT)
        process.terminate()
        process.communicate(timeout=30)
        assert process.returncode == 143
    assert run(tmp_path, "drives", "virtual:disc.raw")[0] == 0


def test_a_blank_in_no_file_yet_is_one_recorders_too(tmp_path: Path) -> None:
    """All who came before the first WRITE prepared it, and failed then, but one."""
    path = tmp_path / "disc.raw"
    start = threading.Barrier(8)

    def opened(_: int) -> VirtualRecorder | StorageError:
        start.wait()
        try:
            return VirtualRecorder(path)
        except StorageError as error:
            return error

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(opened, range(8)))
    [winner] = [each for each in found if isinstance(each, VirtualRecorder)]
    for each in found:
        assert each is winner or "is in another virtual recorder already" in str(each)
    winner.close()
    # Whoever made the file need not be who got it; what stays then is an empty file, a blank too.
    assert [each.stat().st_size for each in tmp_path.iterdir()] in ([], [0])


def test_a_new_file_stays_if_anything_was_recorded(tmp_path: Path) -> None:
    from rawcd_writers.drive.session import DriveSession

    image = rawcd.open_image(sheet(tmp_path, SHORT))
    path = tmp_path / "disc.raw"
    for simulate in (True, False):
        assert not path.exists()
        with DriveSession(VirtualRecorder(path)) as session:
            session.burn(image, mode="sao", simulate=simulate)
    with DriveSession(VirtualRecorder(path)) as again:
        assert again.differences(image, "sao") == ()


def test_a_file_that_took_the_place_of_an_unused_blank_stays(tmp_path: Path) -> None:
    path = tmp_path / "disc.raw"
    drive = VirtualRecorder(path)
    (tmp_path / "mine").write_text("mine")
    (tmp_path / "mine").replace(path)
    drive.close()
    assert path.read_text() == "mine"


@pytest.mark.parametrize("reader", ["head -1", "true"])
def test_output_that_nobody_reads_spoils_no_disc(tmp_path: Path, reader: str) -> None:
    sheet(tmp_path, SHORT)
    burn = f"{sys.executable} -m rawcd burn a.cue --drive virtual:disc.raw --mode sao"
    done = subprocess.run(
        ["bash", "-c", f"{burn} | {reader}; exit ${{PIPESTATUS[0]}}"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    told = "" if done.returncode == 0 else "rawcd: <stdout>: cannot write: Broken pipe\n"
    assert (done.returncode in (0, 1), done.stderr) == (True, told)
    assert run(tmp_path, "info", "disc.raw")[0] == 0


@pytest.mark.parametrize("mode", ["raw", "sao", "tao"])
def test_a_disk_that_is_full(tmp_path: Path, mode: str) -> None:
    small = tmp_path / "small"
    drive = f"virtual:{small}/disc.raw"
    small.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(small)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no right to mount a small file system")
    try:
        sheet(tmp_path, 5000)
        code, out, error = run(tmp_path, "burn", "a.cue", "--drive", drive, "--mode", mode)
        assert (code, out) == (1, "")
        (last,) = (line for line in error.splitlines() if line.startswith("rawcd: "))
        assert re.match(
            r"rawcd: \S+: WRITE\(10\) at LBA -?\d+: \S+: cannot write: No space left", last
        )
        assert "spoiled" in last
        assert sorted(path.name for path in small.iterdir()) == ["disc.raw", "disc.raw.pma"]
        assert "written, not closed" in run(tmp_path, "drives", drive)[1]
        (small / "disc.raw").unlink()
        (small / "disc.raw.pma").unlink()
        with (small / "filler").open("wb") as filler:  # not even room for the first sector
            filler.write(bytes(8 << 20))
    except OSError as full:
        assert full.errno == 28  # noqa: PT017 - it is how the filler ends
        code, _, error = run(tmp_path, "burn", "a.cue", "--drive", drive, "--mode", mode)
        assert code == 1
        assert "No space left" in error
        assert "disc.raw.pma.part" not in {path.name for path in small.iterdir()}
    finally:
        subprocess.run(["umount", str(small)], check=True)
