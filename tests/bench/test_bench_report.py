"""How long a disc's page takes, as ratios to reading the image.

Runs as an ordinary test on a few sectors. `RAWCD_BENCH=1 pytest tests/bench -s` takes 80 minutes,
prints the table, and adds it to the JSON file that `RAWCD_BENCH_JSON` names. Figures never decide
whether a test passes. All is processor time, the image in the page cache.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import rawcd
from tests.report.discs import noise

if TYPE_CHECKING:
    from collections.abc import Callable

FULL = os.environ.get("RAWCD_BENCH") == "1"
TRACKS = 12
SECTORS = 352_000 // TRACKS if FULL else 300
ROUNDS = 3 if FULL else 1


def album(path: Path) -> Path:
    creator = rawcd.RawCDImageCreator()
    creator.resulting_image_type = rawcd.ImageType.RAW
    sound = noise(SECTORS)
    for _ in range(TRACKS):
        creator.add_track(sound)
    rawcd.save_image(creator.create_result_image(), path)
    return path


def test_the_page_of_a_disc_against_reading_it(tmp_path: Path) -> None:
    path = album(tmp_path / "album.raw")
    image = rawcd.open_image(path)

    def read() -> None:
        for lba in range(image.first_lba, image.first_lba + image.sector_count, 512):
            left = image.first_lba + image.sector_count - lba
            image.read(lba, min(512, left))

    tasks: dict[str, Callable[[], object]] = {
        "reading": read,
        "page": lambda: rawcd.report_html(image, verified=False),
        "page with findings": lambda: rawcd.report_html(image),
        "map as text": lambda: rawcd.map_text(image),
        "map as PNG": lambda: rawcd.map_png(image),
    }
    best: dict[str, float] = {}
    for _ in range(ROUNDS):
        for name, task in tasks.items():
            start = time.process_time()
            task()
            best[name] = min(best.get(name, float("inf")), time.process_time() - start)
    table = {name: {"s": spent, "x read": spent / best["reading"]} for name, spent in best.items()}
    print(f"\n{f'{image.sector_count} sectors':<28}{'s':>8}{'x read':>8}")
    for name, row in table.items():
        print(f"{name:<28}{row['s']:>8.2f}{row['x read']:>8.1f}")
    assert all(spent > 0 for spent in best.values())
    if target := os.environ.get("RAWCD_BENCH_JSON"):
        known = json.loads(Path(target).read_text()) if Path(target).exists() else {}
        Path(target).write_text(json.dumps({**known, "report": table}, indent=2), encoding="utf-8")
