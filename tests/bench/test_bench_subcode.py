"""How long the subcode of a whole disc takes, as ratios to copying the same bytes.

Runs as an ordinary test on a few sectors. `RAWCD_BENCH=1 pytest tests/bench -s` takes the 360,000
of 80 minutes, prints the table, and adds it to the JSON file that `RAWCD_BENCH_JSON` names.
Figures never decide whether a test passes. All is one core's time.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rawcd.disc import Disc, Index, Session, Track
from rawcd.pq import ProgramChannels
from rawcd.source import ArraySource
from rawcd.subcode import STYLES
from rawcd.subcode.decoder import decode_q
from rawcd.subcode.layouts import PlanarPW, RawPW
from rawcd.subcode.parity import corrected, put_parity
from rawcd.subcode.rows import pw96_of
from rawcd.subcode.streams import DeinterleavedPacks, InterleavedPacks

FULL = os.environ.get("RAWCD_BENCH") == "1"
SECTORS = 360_000 if FULL else 3_000
ROUNDS = 7 if FULL else 1
WINDOW = 1_024
LEAD_IN, LEAD_OUT = (22_500, 6_750) if FULL else (500, 300)

Task = Callable[[], object]


def milliseconds(task: Task) -> float:
    """CPU time of this thread: neighbours on the machine count less than on the clock."""
    start = time.thread_time()
    task()
    return (time.thread_time() - start) * 1e3


def disc() -> Disc:
    """Twelve tracks with pregaps, ISRCs and a catalogue number, SECTORS in all."""
    end = SECTORS - LEAD_IN - LEAD_OUT - 150
    starts = [number * (end // 12) for number in range(12)]
    tracks = tuple(
        Track(
            number=number,
            indexes=(Index(number=0, lba=start - 150), Index(number=1, lba=start)),
            end_lba=starts[number] - 150 if number < 12 else end,
            isrc=f"USRC176{number:05}",
        )
        for number, start in enumerate(starts, 1)
    )
    session = Session(
        tracks=tracks, lead_in_lba=-150 - LEAD_IN, lead_out_lba=end, lead_out_sectors=LEAD_OUT
    )
    return Disc(sessions=(session,), mcn="4006381333931")


@pytest.fixture(scope="module")
def tasks() -> dict[str, tuple[Task, int]]:
    """What is timed, and how many bytes a sector the copy beside it moves."""
    noise = np.random.default_rng(1).integers(0, 256, (SECTORS, 96), dtype=np.uint8)
    # Ones: memory that nothing was written to is not there yet.
    rows, copied, packs = (np.ones_like(noise) for _ in range(3))
    packs[:] = noise & 0x3F
    made = disc()
    channels = ProgramChannels(made, STYLES["standard"])
    q, p = np.ones((WINDOW, 12), np.uint8), np.ones(WINDOW, bool)
    frames = np.ones((SECTORS, 12), np.uint8)
    cooked = ArraySource(packs, block_size=96)
    disc_rows = np.ones_like(noise)
    InterleavedPacks(cooked).read_into(0, disc_rows)

    def pq_spread() -> None:
        for start in range(0, SECTORS, WINDOW):
            window = rows[start : start + WINDOW]
            count = len(window)
            channels.fill(made.first_lba + start, q[:count], p[:count])
            window[:] = pw96_of(q[:count], p[:count])
            frames[start : start + WINDOW] = q[:count]

    def to_raw() -> None:
        for start in range(0, SECTORS, WINDOW):
            rows[start : start + WINDOW] = PlanarPW(noise[start : start + WINDOW]).raw().rows

    def to_planar() -> None:
        for start in range(0, SECTORS, WINDOW):
            rows[start : start + WINDOW] = RawPW(noise[start : start + WINDOW]).planar().rows

    tasks: dict[str, Task] = {
        "copy": lambda: np.copyto(copied, noise),
        "P, Q and spreading": pq_spread,
        "P-W to raw": to_raw,
        "P-W to planar": to_planar,
        "R-W parity": lambda: put_parity(packs.reshape(-1, 24)),
        "R-W parity and interleave": lambda: InterleavedPacks(cooked).read_into(0, rows),
        "R-W back, checked": lambda: DeinterleavedPacks(
            ArraySource(disc_rows, block_size=96)
        ).read_into(0, rows),
        "R-W, all of it noise": lambda: corrected(noise.reshape(-1, 24)),
        "Q decoded": lambda: decode_q(frames),
    }
    return {name: (task, 12 if name == "Q decoded" else 96) for name, task in tasks.items()}


def test_the_subcode_of_a_disc_against_copying_it(
    tasks: dict[str, tuple[Task, int]],
) -> None:
    for task, _ in tasks.values():
        task()  # makes the tables
    best: dict[str, float] = {}
    for _ in range(ROUNDS):
        for name, (task, _) in tasks.items():
            best[name] = min(best.get(name, float("inf")), milliseconds(task))
    assert all(spent >= 0 for spent in best.values())
    table: dict[str, Any] = {
        name: {"ms": best[name], "x copy": best[name] / (best["copy"] * size / 96 or 1.0)}
        for name, (_, size) in tasks.items()
    }
    print(f"\n{f'{SECTORS} sectors':<28}{'ms':>8}{'x copy':>8}")
    for name, row in table.items():
        print(f"{name:<28}{row['ms']:>8.1f}{row['x copy']:>8.1f}")
    if target := os.environ.get("RAWCD_BENCH_JSON"):
        path = Path(target)
        known = json.loads(path.read_text()) if path.exists() else {}
        path.write_text(json.dumps({**known, "subcode": table}, indent=2), encoding="utf-8")
