"""Discs that other programs made: verify tells their documented deviations, and nothing else.

| who | finding | why |
| --- | --- | --- |
| all | many-indexes | the sheet has an index 2, which chdman and bchunk would lose |
| all mixed | postgap | none of them ends data by two empty seconds before sound |
| cdrdao, raw, mixed | header-address, the whole lead-in | its headers there count from 00:00:00 |
| wodim, raw | q-zero, behind each code | byte 6 of Q keeps old bits (formats.md 15) |
| wodim, raw | mcn-density, the first pregap | its catalogue number begins at LBA -1 |
| CCD, MDS, NRG | short-track | the NRG's second track has 200 sectors (fixtures/nrg) |
| chdman | damaged sectors, short tracks, modes mixed | so the disc was made (fixtures/chd) |
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import rawcd
from tests.formats import test_ccd, test_mds, test_nrg
from tests.oracles.blocks import blocks, sector
from tests.oracles.burners import needs
from tests.oracles.test_burners import (
    CDRDAO,
    ISRC,
    MCN,
    MIXED,
    SECTORS,
    TOC,
    WODIM,
    Burned,
    content,
)
from tests.strategies import noise_rows

if TYPE_CHECKING:
    from collections.abc import Callable

    from rawcd.verify import Report

FIXTURES = Path(__file__).parent.parent.parent / "fixtures"


def found(report: Report) -> set[tuple[str, int | None, int]]:
    return {(each.rule, each.lba, each.sectors) for each in report.findings}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    sound = content(2352 * SECTORS, 1)
    (tmp_path / "a.le").write_bytes(sound)
    (tmp_path / "a.raw").write_bytes(sound)
    (tmp_path / "d.iso").write_bytes(content(2048 * 400, 2))
    (tmp_path / "a.toc").write_text(TOC, encoding="ascii")
    (tmp_path / "m.toc").write_text(MIXED, encoding="ascii")
    return tmp_path


@needs("cdrdao")
@pytest.mark.parametrize("driver", ["generic-mmc:0x10", "generic-mmc-raw"])
def test_sound_by_cdrdao(folder: Path, driver: str) -> None:
    report = rawcd.verify_image(Burned(folder, *CDRDAO, driver, "a.toc").image)
    assert found(report) == {("many-indexes", 375, 1)}
    assert not report.made


@needs("cdrdao")
def test_data_and_sound_by_cdrdao(folder: Path) -> None:
    report = rawcd.verify_image(Burned(folder, *CDRDAO, "generic-mmc-raw", "m.toc").image)
    lead_in = -150 - report.first_lba
    assert found(report) == {
        ("header-address", report.first_lba, lead_in),
        ("postgap", 250, 150),
    }


@needs("wodim")
@pytest.mark.parametrize("mode", ["-raw16", "-raw96r"])
def test_sound_by_wodim(folder: Path, mode: str) -> None:
    codes = (f"mcn={MCN}", "-audio", "-swab", f"isrc={ISRC}")
    report = rawcd.verify_image(Burned(folder, *WODIM, mode, *codes, "a.le").image)
    stale = {each for each in found(report) if each[0] == "q-zero"}
    assert found(report) - stale == {("mcn-density", -150, 149)}
    assert len(stale) >= 20
    # MCN where LBA mod 100 is 99, ISRC where it is 49: the frames behind them.
    assert {each[1] % 50 for each in stale if each[1] is not None} == {0}


@needs("wodim")
@pytest.mark.parametrize("mode", ["-sao", "-raw96r"])
def test_data_and_sound_by_wodim(folder: Path, mode: str) -> None:
    command = (*WODIM, mode, "-data", "d.iso", "-audio", "-swab", "a.le")
    assert found(rawcd.verify_image(Burned(folder, *command).image)) == {("postgap", 250, 150)}


@pytest.mark.parametrize("name", ["cdlz-cdzl-cdfl", "none"])
def test_a_chd_by_chdman(name: str) -> None:
    report = rawcd.verify_image(rawcd.open_image(FIXTURES / "chd" / f"{name}.chd"))
    assert found(report) == {
        ("p-parity", 5, 1),
        ("q-parity", 5, 2),
        ("sync", 7, 1),
        ("edc", 8, 1),
        ("p-parity", 8, 1),
        ("q-parity", 8, 1),
        ("q-parity", 75, 1),
        ("short-track", 0, 1),
        ("short-track", 31, 1),
        ("short-track", 69, 1),
        ("disc-type", 0, 1),
        ("mixed-modes", 69, 1),
        ("mode-change-pregap", 69, 1),
        ("postgap", 0, 21),
    }
    assert report.summary().endswith("subcode not recorded: made")


def _mixed() -> bytes:
    return test_ccd.mode_1(0, 450) + noise_rows(750).tobytes()


def _two_sessions_ccd(folder: Path) -> Path:
    rows = enumerate(blocks("MODE2MIXED", 2336, 400), 12_000)
    data = b"".join(sector("MODE2MIXED", block, lba) for lba, block in rows)
    return test_ccd.beside(folder, "two-sessions", noise_rows(600).tobytes() + data)


def _mds(folder: Path) -> Path:
    path = folder / "a.mds"
    path.write_bytes((FIXTURES / "mds" / "mixed.mds").read_bytes())
    path.with_suffix(".mdf").write_bytes(test_mds.sectors_2448(_mixed()))
    return path


DESCRIBED: dict[str, tuple[Callable[[Path], Path], set[tuple[str, int | None, int]]]] = {
    "mixed.ccd": (
        lambda folder: test_ccd.beside(folder, "mixed", _mixed()),
        {("postgap", 300, 150), ("many-indexes", 600, 1)},
    ),
    "two-sessions.ccd": (_two_sessions_ccd, set()),
    "titles.ccd": (lambda folder: test_ccd.beside(folder, "titles", bytes(2352 * 1_200)), set()),
    "mixed.mds": (_mds, {("postgap", 300, 150)}),
    "dao2.nrg": (
        lambda folder: test_nrg.written(folder, test_nrg.make.at_once(2)),
        {("short-track", 375, 1)},
    ),
    "tao1.nrg": (
        lambda folder: test_nrg.written(folder, test_nrg.make.track_by_track(1)),
        {("postgap", 150, 150)},
    ),
}
"""The fixtures that tables of other programs describe, and what is wrong with the discs."""


@pytest.mark.parametrize("name", DESCRIBED)
def test_a_disc_described_as_others_do(name: str, tmp_path: Path) -> None:
    write, deviations = DESCRIBED[name]
    report = rawcd.verify_image(rawcd.open_image(write(tmp_path)))
    assert found(report) == deviations
    assert report.made_sectors == report.sectors
