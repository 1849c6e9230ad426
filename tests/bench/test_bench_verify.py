"""How long verifying a whole disc takes, against encoding the same sectors in the same run.

An ordinary test on a small disc; with RAWCD_BENCH=1 it writes 700 MB discs of Mode 1 and of sound,
times `rawcd verify` with one and two jobs, and prints what it takes and the memory of each process;
and the same of `verify_image` alone, without the command's beginning and, for two jobs, without the
second one's. Figures never decide whether a test passes.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest

import rawcd
from rawcd.sector import encode
from tests.bench.test_bench_build import show

if TYPE_CHECKING:
    from pathlib import Path

FULL = os.environ.get("RAWCD_BENCH") == "1"
SECTORS = 333_000 if FULL else 600
ROUNDS = 3 if FULL else 1
LEAD_SECTORS = 22_650 + 6_750

RUN = """
import sys
from pathlib import Path
from rawcd.cli import main
status = main(sys.argv[1:])
sys.stderr.write(Path("/proc/self/status").read_text())
sys.exit(status)
"""


def verified(path: Path, jobs: int) -> tuple[float, float, float]:
    """Seconds on the clock and of processors, and megabytes at the peak, of one run."""
    command = [sys.executable, "-c", RUN, "verify", str(path), "--jobs", str(jobs)]
    # As where it is installed, its modules are compiled.
    env = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    before, start = os.times(), time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
    seconds, after = time.perf_counter() - start, os.times()
    processor = after.children_user + after.children_system
    processor -= before.children_user + before.children_system
    assert done.returncode == 0, done.stdout + done.stderr
    peak = re.search(r"VmHWM:\s+(\d+) kB", done.stderr)
    return seconds, processor, int(peak.group(1)) / 1024 if peak else 0.0


def looked_at(path: Path, jobs: int) -> tuple[float, float]:
    """Processor seconds of `verify_image`, and seconds on the clock for a disc at its last pace."""
    image = rawcd.open_image(path)
    seen: list[tuple[int, float]] = []
    start = time.process_time()
    rawcd.verify_image(
        image,
        jobs=jobs,
        progress=lambda done, total: seen.append((done, time.perf_counter())),
    )
    processor = time.process_time() - start
    total, end = seen[-1]
    half = next(each for each in seen if 2 * each[0] >= total)
    return processor, (end - half[1]) * total / max(total - half[0], 1)


def encoded() -> float:
    """Processor seconds to encode as many Mode 1 sectors as the disc has."""
    user = np.random.default_rng(1).integers(0, 256, (512, 2048), np.uint8)
    rows = np.empty((512, 2352), np.uint8)
    start = time.process_time()
    for lba in range(0, SECTORS, 512):
        encode(rawcd.SectorType.MODE1, user, lba, out=rows)
    return time.process_time() - start


@pytest.mark.parametrize("kind", ["MODE1", "AUDIO"])
def test_a_whole_disc(kind: str, tmp_path: Path) -> None:
    size = 2048 if kind == "MODE1" else 2352
    block = np.random.default_rng(2).integers(0, 256, (SECTORS, size), np.uint8)
    creator = rawcd.RawCDImageCreator()
    creator.add_track(block.reshape(-1), rawcd.SectorType[kind])
    creator.resulting_image_type = rawcd.ImageType.RAW
    path = tmp_path / "disc.raw"
    rawcd.save_image(creator.create_result_image(), path)
    del block, creator
    encoding = min(encoded() for _ in range(ROUNDS))
    runs = {jobs: [verified(path, jobs) for _ in range(ROUNDS)] for jobs in (1, 2)}
    alone = {jobs: [looked_at(path, jobs) for _ in range(ROUNDS)] for jobs in (1, 2)}
    pace = {jobs: min(seconds for _, seconds in each) for jobs, each in alone.items()}
    best = {jobs: min(seconds for seconds, _, _ in each) for jobs, each in runs.items()}
    show(
        f"verify {kind}, {SECTORS + LEAD_SECTORS} sectors",
        {
            "seconds": best[1],
            "x encoding": min(processor for _, processor, _ in runs[1]) / encoding,
            "x encoding, the function": min(processor for processor, _ in alone[1]) / encoding,
            "jobs 2 faster by": best[1] / best[2],
            "jobs 2 once both work": pace[1] / max(pace[2], 1e-9),
            "MB resident": max(megabytes for _, _, megabytes in runs[1]),
        },
    )
    path.unlink()
