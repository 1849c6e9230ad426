"""How long a folder of many small files takes to become a volume, against xorriso.

Runs as an ordinary test on a small folder. `RAWCD_BENCH=1 pytest tests/bench -s` takes 20,000
files of 700 MB in all, times each command alternately, prints the table, and writes it as JSON to
the path in `RAWCD_BENCH_JSON`. Figures never decide whether a test passes.
"""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.bench.test_bench_build import FULL, ROUNDS, Timed, show

if TYPE_CHECKING:
    from pathlib import Path

FOLDERS = 100 if FULL else 5
FILES = 200 if FULL else 20
BYTES = 35_000

OURS = """
import sys
from pathlib import Path
import numpy as np
from rawcd.filesystem import FileTree, VolumeOptions, make_volume
tree = FileTree.from_folder(sys.argv[1])
volume = make_volume(tree, options=VolumeOptions(rock_ridge=True))
source = volume.at(int(sys.argv[3])).source
rows = np.empty((512, 2048), np.uint8)
with open(sys.argv[2], "wb", buffering=0) as file:
    for start in range(0, source.block_count, len(rows)):
        part = rows[: source.block_count - start]
        source.read_into(start, part)
        file.write(part)
sys.stderr.write(Path("/proc/self/status").read_text())
"""
LAYOUT = """
import sys, time
from rawcd.filesystem import FileTree, VolumeOptions, make_volume
tree = FileTree.from_folder(sys.argv[1])
make_volume(tree, options=VolumeOptions(rock_ridge=True))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folders of files of some 35,000 bytes of noise."""
    top = tmp_path_factory.mktemp("bench") / "tree"
    rng = np.random.default_rng(1)
    for number in range(FOLDERS):
        inner = top / f"folder {number:03}"
        inner.mkdir(parents=True)
        for each in range(FILES):
            size = BYTES + int(rng.integers(-2000, 2000))
            (inner / f"a file with a name {each:05}.dat").write_bytes(rng.bytes(size))
    return top


@pytest.mark.skipif(shutil.which("xorriso") is None, reason="xorriso is not installed")
def test_a_folder_of_many_files(folder: Path) -> None:
    mine, theirs = folder.parent / "mine.iso", folder.parent / "theirs.iso"
    command = [sys.executable, "-c", OURS, str(folder), str(mine), "11702"]
    ours = Timed(command, makes=mine)
    layout = Timed([sys.executable, "-c", LAYOUT, str(folder)])
    maker = ["xorriso", "-as", "mkisofs", "-quiet", "-J", "-R", "-o", str(theirs), str(folder)]
    xorriso = Timed(maker, makes=theirs)
    xorriso.run()  # warms the cache
    xorriso.seconds.clear()
    for _ in range(ROUNDS):
        for each in (xorriso, ours, layout):
            each.run()
    assert mine.stat().st_size > FOLDERS * FILES * (BYTES - 2000)
    show(
        f"{FOLDERS * FILES} files to an ISO",
        {
            "seconds": ours.best,
            "x xorriso": ours.best / xorriso.best,
            "seconds until it is laid out": layout.best,
            "MB resident": ours.megabytes,
        },
    )
