"""How long whole discs take, as ratios to something timed in the same run.

Runs as an ordinary test on a small disc. `RAWCD_BENCH=1 pytest tests/bench -s` makes 80-minute
discs, times each command alternately, prints the table, and writes it as JSON to the path in
`RAWCD_BENCH_JSON`. Figures never decide whether a test passes.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

FULL = os.environ.get("RAWCD_BENCH") == "1"
SECTORS = 360_000 - 1_000 if FULL else 1_000
ROUNDS = 5 if FULL else 1
BLOCK = 1_000
LEAD_SECTORS = 22_650 + 6_750

DECODE = """
import sys, soundfile
with soundfile.SoundFile(sys.argv[1]) as file:
    import numpy
    block = numpy.empty((512 * 588, 2), numpy.int16)
    while len(file.read(out=block)):
        pass
"""

# The system's own mark of the process's peak: what wait4 tells includes the parent it forked from.
BUILD = """
import sys
from pathlib import Path
from rawcd.cli import main
status = main(sys.argv[1:])
sys.stderr.write(Path("/proc/self/status").read_text())
sys.exit(status)
"""


@dataclass
class Timed:
    """A command, and what its runs took."""

    command: list[str]
    makes: Path | None = None
    seconds: list[float] = field(default_factory=list)
    megabytes: float = 0.0

    def run(self) -> None:
        if self.makes is not None:
            self.makes.unlink(missing_ok=True)
        start = time.perf_counter()
        done = subprocess.run(self.command, capture_output=True, text=True, check=False)
        self.seconds.append(time.perf_counter() - start)
        assert done.returncode == 0, done.stderr
        if peak := re.search(r"VmHWM:\s+(\d+) kB", done.stderr):
            self.megabytes = max(self.megabytes, int(peak.group(1)) / 1024)

    @property
    def best(self) -> float:
        return min(self.seconds)


def build(source: Path, target: Path) -> Timed:
    command = [sys.executable, "-c", BUILD, "build", str(source), "-o", str(target)]
    return Timed(command, makes=target)


def samples(seed: int) -> np.ndarray[Any, Any]:
    """Return a block of sound: noise with the slope of music, so that FLAC has work to do."""
    rng = np.random.default_rng(seed)
    walk = np.cumsum(rng.normal(0, 200, (BLOCK * 588, 2)), axis=0)
    return (np.sin(walk / 4000) * 20_000).astype("<i2")


@pytest.fixture(scope="module")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one disc's sound as WAV, BIN with a sheet, and FLAC."""
    import soundfile

    folder = tmp_path_factory.mktemp("bench")
    blocks = [samples(seed) for seed in range(4)]
    with (
        soundfile.SoundFile(folder / "disc.wav", "w", 44100, 2, "PCM_16") as wav,
        soundfile.SoundFile(folder / "disc.flac", "w", 44100, 2, "PCM_16") as flac,
        (folder / "disc.bin").open("wb") as bare,
    ):
        for number in range(SECTORS // BLOCK):
            block = blocks[number % len(blocks)]
            wav.write(block)
            flac.write(block)
            bare.write(block.tobytes())
    (folder / "disc.cue").write_text(
        'FILE "disc.bin" BINARY\nTRACK 01 AUDIO\nINDEX 01 00:00:00\n', encoding="ascii"
    )
    return folder


def show(name: str, figures: dict[str, float]) -> None:
    """Print a table's row, and add it to the JSON file that was asked for."""
    print(f"\n{name}: " + ", ".join(f"{key} {value:.2f}" for key, value in figures.items()))
    if target := os.environ.get("RAWCD_BENCH_JSON"):
        path = Path(target)
        known = json.loads(path.read_text()) if path.exists() else {}
        path.write_text(json.dumps({**known, name: figures}, indent=2))


@pytest.mark.parametrize("source", ["disc.wav", "disc.cue"])
def test_a_disc_from_samples_against_copying_it(sounds: Path, source: str) -> None:
    target, copy = sounds / "disc.raw", sounds / "copy"
    ours = build(sounds / source, target)
    ours.run()  # warms memory, and makes what the others copy
    dd = Timed(
        ["dd", f"if={target}", f"of={copy}", "bs=1M", "conv=fsync", "status=none"], makes=copy
    )
    plain = Timed(["cp", str(target), str(copy)], makes=copy)
    kept = sounds / "kept.raw"
    ours.seconds.clear()
    shutil.move(target, kept)
    dd.command[1] = f"if={kept}"
    plain.command[1] = str(kept)
    for _ in range(ROUNDS):
        for each in (dd, ours, plain):
            each.run()
    assert target.stat().st_size == (SECTORS + LEAD_SECTORS) * 2448
    assert copy.stat().st_size == target.stat().st_size
    show(
        f"{source} to .raw",
        {
            "seconds": ours.best,
            "x dd conv=fsync": ours.best / dd.best,
            "x cp": ours.best / plain.best,
            "MB resident": ours.megabytes,
        },
    )
    kept.unlink()
    target.unlink()
    copy.unlink()


def test_a_disc_from_flac_against_decoding_it(sounds: Path) -> None:
    ours = build(sounds / "disc.flac", sounds / "disc.raw")
    decode = Timed([sys.executable, "-c", DECODE, str(sounds / "disc.flac")])
    for _ in range(ROUNDS):
        for each in (decode, ours):
            each.run()
    assert (sounds / "disc.raw").stat().st_size == (SECTORS + LEAD_SECTORS) * 2448
    show(
        "disc.flac to .raw",
        {
            "seconds": ours.best,
            "x decoding": ours.best / decode.best,
            "MB resident": ours.megabytes,
        },
    )
    (sounds / "disc.raw").unlink()
