"""How long a whole data disc takes by one process and by two, and how much memory each has.

Whole builds first: there one process has a thread that writes, and no disk is faster for two.
Then sectors that are made and not kept: in all, with the time in which the second process comes
to life, and the second half alone, in which both are at work.

Runs as an ordinary test on the shortest disc for which processes are started.
`RAWCD_BENCH=1 pytest tests/bench -s` takes an ISO of 700 MB, times each command alternately,
prints the table, and writes it as JSON to the path in `RAWCD_BENCH_JSON`. Figures never decide
whether a test passes.
"""

from __future__ import annotations

import re
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from rawcd.plugins import open_image
from rawcd.pump import WholeSectors, pump
from tests.bench.test_bench_build import BUILD, FULL, LEAD_SECTORS, ROUNDS, Timed, show

SECTORS = 333_000 if FULL else 21_000
BLOCK = 1_000
LOOK_SECONDS = 0.02


def peak_in(text: str) -> float:
    """The peak of a process in MB, from what the system says of it."""
    found = re.search(r"VmHWM:\s+(\d+) kB", text)
    return int(found[1]) / 1024 if found else 0.0


def worker_peaks(pid: int) -> dict[int, float]:
    """The peak until now of each worker of a process; nothing where there is no /proc."""
    found = {}
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
        for child in children:
            about = Path(f"/proc/{child}")
            if b"spawn_main" in (about / "cmdline").read_bytes():
                found[int(child)] = peak_in((about / "status").read_text(encoding="utf-8"))
    except OSError:  # it has just ended
        pass
    return found


@dataclass
class Build(Timed):
    """A build, and the peaks of its workers; a process's last look at itself is its peak."""

    workers: dict[int, float] = field(default_factory=dict)

    def run(self) -> None:
        assert self.makes is not None
        self.makes.unlink(missing_ok=True)
        start = time.perf_counter()
        process = subprocess.Popen(
            self.command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        ended = threading.Event()

        def look() -> None:
            while not ended.wait(LOOK_SECONDS):
                self.workers.update(worker_peaks(process.pid))

        looking = threading.Thread(target=look)
        looking.start()
        _, error = process.communicate()
        self.seconds.append(time.perf_counter() - start)
        ended.set()
        looking.join()
        assert process.returncode == 0, error
        self.megabytes = max(self.megabytes, peak_in(error))


@pytest.fixture(scope="module")
def iso(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A disc's worth of noise, which nothing can make short work of."""
    path = tmp_path_factory.mktemp("bench") / "disc.iso"
    rng = np.random.default_rng(1)
    with path.open("wb") as file:
        for _ in range(SECTORS // BLOCK):
            file.write(rng.bytes(2048 * BLOCK))
    return path


def test_a_disc_of_an_iso_by_one_process_and_by_two(iso: Path) -> None:
    folder = iso.parent
    kept, copy = folder / "kept.raw", folder / "copy"

    def build(jobs: int) -> Build:
        target = folder / f"{jobs}.raw"
        arguments = ["build", str(iso), "-o", str(target), "--jobs", str(jobs)]
        return Build([sys.executable, "-c", BUILD, *arguments], makes=target)

    one, two = build(1), build(2)
    one.run()  # warms memory, and makes what dd copies
    (folder / "1.raw").rename(kept)
    one.seconds.clear()
    dd = Timed(["dd", f"if={kept}", f"of={copy}", "bs=1M", "conv=fsync", "status=none"], makes=copy)
    for _ in range(ROUNDS):
        for each in (dd, one, two):
            each.run()
    size = (SECTORS + LEAD_SECTORS) * 2448
    for path in (kept, copy, folder / "1.raw", folder / "2.raw"):
        assert path.stat().st_size == size
    show(
        "disc.iso to .raw",
        {
            "seconds": one.best,
            "seconds by two": two.best,
            "x dd conv=fsync": one.best / dd.best,
            "x dd by two": two.best / dd.best,
            "two as fast as one": one.best / two.best,
            "MB resident": one.megabytes,
            "MB of the parent of two": two.megabytes,
            "MB of a worker": max(two.workers.values(), default=0.0),
        },
    )
    for path in (kept, copy, folder / "1.raw", folder / "2.raw"):
        path.unlink()


def test_sectors_that_are_not_kept(iso: Path) -> None:
    image = open_image(iso)
    whole: dict[int, list[float]] = {1: [], 2: []}
    half: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(ROUNDS):
        for jobs in whole:
            came: list[float] = []

            def note(data: memoryview, came: list[float] = came) -> None:
                came.append(time.perf_counter())

            start = time.perf_counter()
            lba, count, width = image.first_lba, image.sector_count, image.sector_size
            pump(WholeSectors(image), lba, count, note, width=width, jobs=jobs)
            whole[jobs].append(came[-1] - start)
            half[jobs].append(came[-1] - came[len(came) // 2])
    show(
        "sectors of disc.iso, not kept",
        {
            "seconds": min(whole[1]),
            "seconds by two": min(whole[2]),
            "two as fast as one, with their beginning": min(whole[1]) / min(whole[2]),
            "two as fast as one": min(half[1]) / min(half[2]),
        },
    )
