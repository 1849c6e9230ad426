"""What the sector codec costs, as ratios to copying the same sectors in the same run.

An ordinary test on few sectors; with RAWCD_BENCH=1 it times 32,768 sectors, prints a table with
the targets beside it, and adds it to the file that RAWCD_BENCH_JSON names. Figures never decide
whether a test passes.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
import pytest

from rawcd import ecc
from rawcd.sector import SectorType, decode, encode, scramble, verify

TIMED = os.environ.get("RAWCD_BENCH") == "1"
SECTORS = 32_768 if TIMED else 700
PIECE = 1_024  # sectors in the buffer that is used again and again
ROUNDS = 15 if TIMED else 1
TARGETS = {
    "encode mode 1": "12 x copy",
    "encode form 1": "1.10 x mode 1",
    "encode form 2": "0.65 x mode 1",
}

Task = Callable[[], object]


def seconds(task: Task) -> float:
    """CPU time of this thread: neighbours on the machine count less than on the clock."""
    start = time.thread_time()
    task()
    return time.thread_time() - start


def tasks() -> dict[str, Task]:
    rng = np.random.default_rng(1)

    def blocks(size: int) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
        return rng.integers(0, 256, (SECTORS, size), dtype=np.uint8)

    user, form_2, mixed, whole = blocks(2048), blocks(2324), blocks(2332), blocks(2352)
    copied = np.ones_like(whole)  # ones: memory that nothing was written to is not there yet
    buffer = np.ones((PIECE, 2448), np.uint8)
    good = encode(SectorType.MODE1, user, 0)

    def each(kind: SectorType, data: np.ndarray[tuple[int, int], np.dtype[np.uint8]]) -> Task:
        def run() -> None:
            for start in range(0, SECTORS, PIECE):
                piece = data[start : start + PIECE]
                encode(kind, piece, start, out=buffer[: len(piece), :2352])

        return run

    return {
        "copy 2,352 bytes": lambda: np.copyto(copied, whole),
        "encode mode 1": each(SectorType.MODE1, user),
        "encode form 1": each(SectorType.MODE2FORM1, user),
        "encode form 2": each(SectorType.MODE2FORM2, form_2),
        "encode mixed": each(SectorType.MODE2MIXED, mixed),
        "encode mode 2": each(SectorType.MODE2FORM0, whole[:, :2336]),
        "decode mode 1": lambda: decode(SectorType.MODE1, good, out=copied[:, :2048]),
        "verify mode 1": lambda: verify(good, 0, SectorType.MODE1),
        "scramble": lambda: scramble(whole, out=whole),
    }


def test_codec() -> None:
    timed = tasks()
    for task in timed.values():
        task()
    rounds = [{name: seconds(task) for name, task in timed.items()} for _ in range(ROUNDS)]
    copy, mode_1 = "copy 2,352 bytes", "encode mode 1"
    if not TIMED:
        assert all(value >= 0 for value in rounds[0].values())
        return
    table = {
        name: {
            "microseconds": median(r[name] for r in rounds) / SECTORS * 1e6,
            "x copy": median(r[name] / r[copy] for r in rounds),
            "x mode 1": median(r[name] / r[mode_1] for r in rounds),
        }
        for name in timed
    }
    print(f"\n{'a sector':<20}{'us':>8}{'x copy':>8}{'x mode 1':>10}")
    for name, row in table.items():
        target = f"  at most {TARGETS[name]}" if name in TARGETS else ""
        ratios = f"{row['x copy']:>8.2f}{row['x mode 1']:>10.2f}"
        print(f"{name:<20}{row['microseconds']:>8.3f}{ratios}{target}")
    if asked := os.environ.get("RAWCD_BENCH_JSON"):
        path = Path(asked)
        known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        path.write_text(json.dumps({**known, "sector": table}, indent=2) + "\n", encoding="utf-8")


@pytest.mark.parametrize("size", [64, 256, 512, 768, 1024] if TIMED else [8])
def test_block_sizes(size: int) -> None:
    """EDC and both parities alone, by sectors in a workspace; and what making one takes."""

    def work(room: ecc.Workspace) -> None:
        room.edc(0, 1026)
        room.p()
        room.q()

    start = time.perf_counter()
    room = ecc.Workspace(size)
    work(room)
    made = time.perf_counter() - start
    room.rows[:] = np.random.default_rng(1).integers(0, 1 << 16, room.rows.shape, np.uint16)
    spent = median(seconds(lambda: work(room)) for _ in range(20 * ROUNDS))
    if TIMED:
        print(f"\n{size:>5} sectors: {spent / size * 1e6:.2f} us each, set-up {made * 1e3:.1f} ms")
