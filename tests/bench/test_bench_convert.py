"""How long conversions of a whole disc take, against copying the result or chdman at work.

Runs as an ordinary test on a small disc; `RAWCD_BENCH=1 pytest tests/bench -s` takes a sheet over
700 MB, alternates the commands, prints the table, and writes it as JSON to the path in
`RAWCD_BENCH_JSON`. Figures never decide whether a test passes.
"""

from __future__ import annotations

import shutil
import statistics
import sys
from typing import TYPE_CHECKING

import pytest

from rawcd.plugins import FORMATS, plugins
from tests.bench.test_bench_build import BUILD, FULL, ROUNDS, Timed, show, sounds

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["sounds"]  # the fixture of the other bench is this one's, too

MADE = {"raw": "disc.raw", "ccd": "disc.img"}
"""A format that is written, and its largest file."""


def convert(source: Path, target: Path, *options: str) -> Timed:
    command = [sys.executable, "-c", BUILD, "convert", str(source), str(target), *options]
    return Timed([*command, "--force"], makes=target)


@pytest.mark.parametrize("name", [each.name for each in plugins(FORMATS) if each.name in MADE])
def test_a_sheet_converted_against_copying_the_result(sounds: Path, name: str) -> None:
    folder = sounds / f"to-{name}"
    folder.mkdir()
    target = folder / f"disc.{name}"
    ours = convert(sounds / "disc.cue", target)
    ours.run()
    made, copy = folder / MADE[name], folder / "copy"
    kept = folder / "kept"
    shutil.copy(made, kept)
    ours.seconds.clear()
    dd = Timed(["dd", f"if={kept}", f"of={copy}", "bs=1M", "conv=fsync", "status=none"], copy)
    for _ in range(ROUNDS):
        dd.run()
        ours.run()
    assert copy.stat().st_size == made.stat().st_size
    show(
        f"convert cue to {name}",
        {
            "seconds": statistics.median(ours.seconds),
            "of dd": statistics.median(ours.seconds) / statistics.median(dd.seconds),
            "MB": ours.megabytes,
        },
    )
    shutil.rmtree(folder)


@pytest.mark.skipif(shutil.which("chdman") is None, reason="chdman is not here")
@pytest.mark.parametrize("codec", ["cdzl", "cdlz", "cdfl"])
def test_a_sheet_packed_against_chdman(sounds: Path, codec: str) -> None:
    ours_at, theirs_at = sounds / "ours.chd", sounds / "theirs.chd"
    ours = convert(sounds / "disc.cue", ours_at, "--set", f"codecs={codec}", "--jobs", "2")
    theirs = Timed(
        [
            "chdman",
            "createcd",
            "-i",
            str(sounds / "disc.cue"),
            "-o",
            str(theirs_at),
            "-c",
            codec,
            "-np",
            "2",
            "-f",
        ],
        theirs_at,
    )
    for _ in range(2 if FULL else 1):
        ours.run()
        theirs.run()
    assert ours_at.stat().st_size < 1.1 * theirs_at.stat().st_size
    show(
        f"convert cue to chd by {codec}",
        {
            "seconds": ours.best,
            "of chdman": ours.best / theirs.best,
            "size of chdman's": ours_at.stat().st_size / theirs_at.stat().st_size,
            "MB": ours.megabytes,
        },
    )
    ours_at.unlink()
    theirs_at.unlink()
