"""Other programs read the data discs that we make of an ISO, and find every byte of it.

chdman leaves EDC and parity out when it compresses and makes them anew, so what it gives back
judges ours. bchunk and cd-read find the user data by the mode and the header alone.
"""

from __future__ import annotations

import random
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from rawcd import RawCDImageCreator, SectorType, save_image
from tests.oracles.blocks import blocks
from tests.oracles.test_bin_cue import needs, run

if TYPE_CHECKING:
    from pathlib import Path

VOLUME = "RAWCD_TEST"
MAKERS = {
    "xorriso": ["xorriso", "-as", "mkisofs", "-quiet"],
    "genisoimage": ["genisoimage", "-quiet"],
}
maker = next((name for name in MAKERS if shutil.which(name)), None)
needs_an_iso = pytest.mark.skipif(
    maker is None, reason=f"neither {' nor '.join(MAKERS)} is installed"
)


def rawcd(folder: Path, *args: str) -> None:
    run(sys.executable, "-m", "rawcd", "build", *args, folder=folder)


def noise(count: int) -> bytes:
    return random.Random(count).randbytes(count)


FILES = {
    "HELLO.TXT": b"Here is a text.\n",
    "ZERO.BIN": bytes(50_000),
    "SUB/NOISE.BIN": noise(700_001),
    "SUB/FF.BIN": b"\xff" * 9_999,
}


def make_iso(program: str, folder: Path) -> None:
    for name, data in FILES.items():
        path = folder / "tree" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    run(*MAKERS[program], "-V", VOLUME, "-J", "-R", "-o", "disc.iso", "tree", folder=folder)


@pytest.fixture(scope="module")
def disc(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an ISO, and the discs that we made of it: whole sectors, and user data."""
    folder = tmp_path_factory.mktemp("disc")
    assert maker is not None
    make_iso(maker, folder)
    rawcd(folder, "disc.iso", "-o", "x.cue")
    rawcd(folder, "disc.iso", "-o", "y.cue", "--sector-size", "2048")
    return folder


def sectors_of(disc: Path) -> int:
    return (disc / "disc.iso").stat().st_size // 2048


# -- the ISO back ------------------------------------------------------------------------------


@pytest.mark.parametrize("program", MAKERS)
def test_an_iso_goes_through_every_format_unchanged(tmp_path: Path, program: str) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    make_iso(program, tmp_path)
    rawcd(tmp_path, "disc.iso", "-o", "a.cue")
    rawcd(tmp_path, "a.cue", "-o", "b.raw")
    rawcd(tmp_path, "b.raw", "-o", "c.cue", "--sector-size", "2048")
    rawcd(tmp_path, "c.cue", "-o", "back.iso")
    assert (tmp_path / "back.iso").read_bytes() == (tmp_path / "disc.iso").read_bytes()
    assert (tmp_path / "c.bin").read_bytes() == (tmp_path / "disc.iso").read_bytes()


@needs_an_iso
@needs("isoinfo")
def test_isoinfo_reads_the_iso_back(disc: Path) -> None:
    rawcd(disc, "x.cue", "-o", "isoinfo.iso")
    said = run("isoinfo", "-l", "-i", "isoinfo.iso", folder=disc)
    for name, data in FILES.items():
        assert re.search(rf"\s{len(data)} .*\] +{name.rpartition('/')[2]};1", said)
    for name, data in FILES.items():
        done = subprocess.run(
            ["isoinfo", "-i", "isoinfo.iso", "-x", f"/{name};1"],
            cwd=disc,
            capture_output=True,
            timeout=60,
            check=True,
        )
        assert done.stdout == data
    assert f"Volume id: {VOLUME}" in run("isoinfo", "-d", "-i", "isoinfo.iso", folder=disc)


@needs_an_iso
@needs("xorriso")
def test_xorriso_reads_the_iso_back(disc: Path) -> None:
    rawcd(disc, "y.cue", "-o", "xorriso.iso")
    said = run("xorriso", "-indev", "stdio:xorriso.iso", "-toc", folder=disc)
    assert re.search(rf"ISO session +: +1 ,.*, +{sectors_of(disc)}s , {VOLUME}", said)
    run(
        *("xorriso", "-osirrox", "on", "-indev", "stdio:xorriso.iso"),
        *("-extract", "/", "extracted"),
        folder=disc,
    )
    for name, data in FILES.items():
        assert (disc / "extracted" / name).read_bytes() == data


# -- the BIN -----------------------------------------------------------------------------------


def through_chdman(folder: Path, sheet: str, *more: str) -> bytes:
    run("chdman", "createcd", "-f", *more, "-i", sheet, "-o", "disc.chd", folder=folder)
    run("chdman", "verify", "-i", "disc.chd", folder=folder)
    back = ("-o", "back.cue", "-ob", "back.bin")
    run("chdman", "extractcd", "-f", "-i", "disc.chd", *back, folder=folder)
    return (folder / "back.bin").read_bytes()


@needs_an_iso
@needs("chdman")
@pytest.mark.parametrize("compression", [(), ("-c", "none")], ids=["compressed", "plain"])
@pytest.mark.parametrize("name", ["x", "y"])
def test_chdman_gives_the_same_bin_back(
    disc: Path, name: str, compression: tuple[str, ...]
) -> None:
    data = through_chdman(disc, f"{name}.cue", *compression)
    assert data == (disc / f"{name}.bin").read_bytes()
    said = run("chdman", "info", "-i", "disc.chd", folder=disc)
    kind = "MODE1_RAW" if name == "x" else "MODE1"
    assert re.search(rf"TRACK:1 TYPE:{kind} SUBTYPE:NONE FRAMES:{sectors_of(disc)} ", said)


@needs("chdman")
@pytest.mark.parametrize(
    ("kind", "size"), [("MODE2FORM1", 2048), ("MODE2FORM2", 2324), ("MODE2MIXED", 2332)]
)
def test_chdman_gives_xa_sectors_back(tmp_path: Path, kind: str, size: int) -> None:
    creator = RawCDImageCreator()
    data = b"".join(blocks(kind, size, 301))
    creator.add_track(data, SectorType[kind], block_size=size)
    save_image(creator.create_result_image(), tmp_path / "xa.cue")
    assert through_chdman(tmp_path, "xa.cue") == (tmp_path / "xa.bin").read_bytes()
    said = run("chdman", "info", "-i", "disc.chd", folder=tmp_path)
    assert "TRACK:1 TYPE:MODE2_RAW SUBTYPE:NONE FRAMES:301 " in said


@needs_an_iso
@needs("bchunk")
def test_bchunk_gives_the_iso_back(disc: Path) -> None:
    run("bchunk", "x.bin", "x.cue", "bchunk", folder=disc)
    assert (disc / "bchunk01.iso").read_bytes() == (disc / "disc.iso").read_bytes()


@needs_an_iso
@needs("cd-read")
def test_cd_read_finds_the_user_data(disc: Path) -> None:
    user = (disc / "disc.iso").read_bytes()
    for lba in (16, 17, sectors_of(disc) // 2):
        run(
            *("cd-read", "--mode=m1f1", f"--start={lba}", "--number=1", "--no-header"),
            *("-c", "x.cue", "-o", "sector"),
            folder=disc,
        )
        assert (disc / "sector").read_bytes()[:2048] == user[2048 * lba : 2048 * (lba + 1)]
    said = run(
        *("cd-read", "--mode=m1f1", "--start=16", "--number=1", "--no-header", "-c", "x.cue"),
        folder=disc,
    )
    assert "0143 4430 3031 0100" in said  # \1CD001\1\0, the volume descriptor


@needs_an_iso
@needs("cd-info")
def test_cd_info_sees_the_file_system(disc: Path) -> None:
    said = run(
        *("cd-info", "--no-header", "--no-device-info", "--no-cddb", "--cue-file=x.cue"),
        folder=disc,
    )
    assert re.search(r"^ *1: 00:02:00 +000000 data ", said, re.MULTILINE)
    assert re.search(rf"^170: .* 0*{sectors_of(disc)} leadout", said, re.MULTILINE)
    assert f"ISO 9660: {sectors_of(disc)} blocks, label `{VOLUME}" in said


@needs_an_iso
@needs("cdrdao")
@pytest.mark.parametrize(("name", "mode"), [("x", "MODE1_RAW"), ("y", "MODE1")])
def test_cdrdao_agrees_and_reads_every_sector(disc: Path, name: str, mode: str) -> None:
    said = run("cdrdao", "show-toc", f"{name}.cue", folder=disc)
    assert "TOC TYPE: CD_ROM\n" in said
    assert re.search(rf"TRACK +1 +Mode {mode}:", said)
    assert re.search(r"START +00:00:00\( +0\)", said)
    assert re.search(rf"END +\d\d:\d\d:\d\d\( *{sectors_of(disc)}\)", said)
    run("cdrdao", "read-test", f"{name}.cue", folder=disc)
