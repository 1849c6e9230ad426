"""How fast the strict recorder takes a disc, and in how little memory: the host's image apart.

`RAWCD_BENCH=1 pytest -s` prints the figures of a disc of 74 minutes; else a short one shows that
memory does not grow with the disc.
"""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

BENCH = bool(os.environ.get("RAWCD_BENCH"))
SECTORS = 333_000 if BENCH else 12_000
LEAST = 100e6
"""Bytes a second: over ten times 52x."""
MOST_KIB = 100_000

PROGRAM = """
import sys, time
from pathlib import Path
import numpy as np
import rawcd
from rawcd_writers.drive.virtual import VirtualRecorder, blank_named
from rawcd_writers.drive.virtual.pages import WriteParameters, WriteType

path, sectors, kind = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
size = 2048 if kind == "data" else 2352
each = sectors // 20
with path.with_name("source").open("wb") as file:
    for number in range(each):
        file.write(np.random.default_rng(number).bytes(size))
source = rawcd.FileSource(path.with_name("source"), block_size=size)
creator = rawcd.RawCDImageCreator()
creator.resulting_image_type = rawcd.ImageType.RAW
creator.media_catalog_number = "4006381333931"
type_ = rawcd.SectorType.MODE1 if kind == "data" else rawcd.SectorType.AUDIO
for _ in range(20):
    creator.add_track(source, sector_type=type_)
image = creator.create_result_image()
drive = VirtualRecorder(path)
drive.execute(bytes(6))
page = WriteParameters(write_type=WriteType.RAW, block_type=3).build()
assert not drive.execute(bytes.fromhex("55100000000000003c00"), data_out=bytes(8) + page).status
lba = start = drive.medium.blank.lead_in_lba
end, spent = image.first_lba + image.sector_count, 0.0
while lba < end:
    count = min(26 * 20, end - lba)
    data = memoryview(image.read(lba, count))
    began = time.perf_counter()
    for at in range(0, count, 26):
        part = min(26, count - at)
        cdb = b"\\x2a\\0" + (lba + at).to_bytes(4, "big", signed=True)
        cdb += b"\\0" + part.to_bytes(2, "big") + b"\\0"
        answer = drive.execute(cdb, data_out=data[at * 2448 : (at + part) * 2448])
        assert not answer.status, drive.complaints
    spent += time.perf_counter() - began
    lba += count
assert not drive.execute(bytes.fromhex("35000000000000000000")).status
assert drive.medium.status == 2
assert drive.buffer.lowest >= drive.buffer.size // 2
status = Path("/proc/self/status").read_text()  # ru_maxrss would be the parent's
print((end - start) * 2448 / spent, status.split("VmHWM:")[1].split()[0])
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the memory is read from /proc")
@pytest.mark.parametrize("kind", ["audio", "data"])
def test_a_raw_disc_is_taken_fast_and_in_little_memory(kind: str, tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", PROGRAM, str(tmp_path / "disc.raw"), str(SECTORS), kind]
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stderr
    rate, kib = map(float, done.stdout.split())
    print(f"\n{kind}: {rate / 1e6:.0f} MB/s, {kib / 1024:.0f} MiB at most")
    assert kib < MOST_KIB
    if BENCH:
        assert rate >= LEAST
