"""Every sector once and at its place, made by one process or several."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

import rawcd
from rawcd.errors import UnsupportedError
from rawcd.image import main_sectors
from rawcd.plugins import open_image, save_image
from rawcd.pump import PlainMain, UserData, WholeSectors, jobs_of
from rawcd.pump.crew import Crew
from rawcd.sector import SectorType
from rawcd.source import ArraySource, FileSource, StreamSource
from tests.pumping import BLOCK, numbers, pumped, share_always
from tests.strategies import noise_rows
from tests.workers import Elsewhere, Numbered, Rooted

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from rawcd.image import RegionImage
    from rawcd.source import Bytes2D


@pytest.fixture
def crews(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """For each stretch that is shared out, how many processes came."""
    return share_always(monkeypatch)


# -- the same bytes ----------------------------------------------------------------------------


@pytest.mark.parametrize("count", [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 20 * BLOCK + 7])
def test_one_process_writes_every_sector_in_order(count: int) -> None:
    assert pumped(Numbered(), count) == numbers(count)


@pytest.fixture(params=["function", "file"])
def into(request: pytest.FixtureRequest, tmp_path: Path) -> Path | None:
    """Where sectors go: to a function in order, or to a file in which each has its place."""
    return tmp_path if request.param == "file" else None


@pytest.mark.parametrize(
    ("jobs", "count"),
    [(2, 1), (3, BLOCK + 1), (2, 20 * BLOCK + 7), (3, 7 * BLOCK), (4, 65 * BLOCK + 1)],
)
def test_several_processes_write_the_same(
    crews: list[int], into: Path | None, jobs: int, count: int
) -> None:
    told: list[tuple[int, int]] = []
    made = pumped(Numbered(), count, into=into, jobs=jobs, progress=lambda *step: told.append(step))
    assert made == numbers(count)
    assert crews == [min(jobs, -(-count // BLOCK)) - 1]
    assert told[0] == (0, count)
    assert told[-1] == (count, count)
    assert told == sorted(set(told))


def test_nobody_waits_for_those_who_come_late(monkeypatch: pytest.MonkeyPatch) -> None:
    """The caller's process begins at once; here it is done before any other is there."""
    monkeypatch.setattr("rawcd.pump._WORTH_IT", 1)
    assert pumped(Numbered(), 9 * BLOCK, jobs=3) == numbers(9 * BLOCK)


@pytest.mark.parametrize("count", [49_999, 50_000])
def test_short_work_is_not_shared_out(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    begun: list[int] = []
    real = Crew.__init__

    def begin(crew: Crew, *args: Any) -> None:
        begun.append(1)
        real(crew, *args)

    monkeypatch.setattr(Crew, "__init__", begin)
    assert pumped(Numbered(), count, width=4, jobs=2) == numbers(count, width=4)
    assert begun == ([1] if count == 50_000 else [])


def test_a_system_without_fixed_places(
    crews: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Windows has no pwrite: there everything is written in order."""
    monkeypatch.delattr(os, "pwrite")
    assert pumped(Numbered(), 9 * BLOCK, into=tmp_path, jobs=3) == numbers(9 * BLOCK)
    assert crews == [2]


def mixed_disc(folder: Path) -> RegionImage:
    """Two data tracks of files and their gap, in sectors of user data and whole ones."""
    noise = noise_rows(900, 2048, seed=3)
    (folder / "user.iso").write_bytes(noise.tobytes())
    whole = rawcd.sector.encode(SectorType.MODE1, noise[:500], 900 + 150)
    (folder / "whole.bin").write_bytes(whole.tobytes())
    creator = rawcd.RawCDImageCreator()
    creator.disable_gapless_audio = True
    creator.add_track(folder / "user.iso", SectorType.MODE1)
    creator.add_track(folder / "whole.bin", SectorType.MODE1RAW)
    return creator.create_result_image()


def test_every_kind_of_rows_is_made_alike(
    tmp_path: Path, crews: list[int], into: Path | None
) -> None:
    image = mixed_disc(tmp_path)
    for fill, width in (
        (WholeSectors(image), 2448),
        (WholeSectors(image.as_kind(rawcd.ImageType.PQ_ONLY)), 2368),
        (PlainMain(image), 2352),
        (UserData(image, SectorType.MODE1), 2048),
    ):
        args: dict[str, Any] = {"count": 1_701, "lba": -150, "width": width}
        alone = pumped(fill, **args)
        assert pumped(fill, jobs=2, into=into, **args) == alone
        assert len(alone) == 1_701 * width
    assert crews == [1] * 4
    assert (
        pumped(PlainMain(image), 1_550, width=2352, lba=0)
        == main_sectors(image, 0, 1_550).tobytes()
    )


def test_formats_give_the_same_files(tmp_path: Path, crews: list[int]) -> None:
    image, iso = mixed_disc(tmp_path), open_image(tmp_path / "user.iso")
    sizes = {"sector-size": "2048"}
    for folder in ("one", "more"):
        (tmp_path / folder).mkdir()
        many = {"jobs": "3"} if folder == "more" else {}
        save_image(image, tmp_path / folder / "a.raw", options=many)
        save_image(image, tmp_path / folder / "a.cue", options={**sizes, **many})
        save_image(iso, tmp_path / folder / "a.iso", options=many)
    for path in (tmp_path / "one").iterdir():
        assert (tmp_path / "more" / path.name).read_bytes() == path.read_bytes(), path.name
    assert (tmp_path / "more" / "a.iso").read_bytes() == (tmp_path / "user.iso").read_bytes()
    assert crews == [2, 1, 1, 1]  # a sheet's tracks one after the other, of few blocks each


# -- what cannot leave the process -------------------------------------------------------------


@pytest.mark.parametrize(
    ("fill", "came"),
    [
        (lambda lba, rows: Numbered()(lba, rows), []),
        (Rooted(), []),
        (Elsewhere(os.getpid()), [2]),
    ],
    ids=["lambda", "will not be pickled", "cannot be unpickled"],
)
def test_what_cannot_leave_is_worked_off_here(
    crews: list[int],
    into: Path | None,
    fill: Callable[[int, Bytes2D], None],
    came: list[int],
) -> None:
    count = 5 * BLOCK + 3
    told: list[int] = []
    made = pumped(fill, count, into=into, jobs=3, progress=lambda done, _: told.append(done))
    assert made == numbers(count)
    assert crews == came
    assert told == sorted(told)
    assert told[-1] == count


@pytest.mark.parametrize("kind", ["file object", "array", "own class", "path"])
def test_sources_of_all_kinds(tmp_path: Path, crews: list[int], kind: str) -> None:
    data = noise_rows(700, seed=8)
    path = tmp_path / "a.bin"
    path.write_bytes(data.tobytes())

    @dataclass
    class Own:
        block_size: int = 2352
        block_count: int = 700
        name: str = "own"

        def read(self, start: int, count: int) -> bytes:
            return data[start : start + count].tobytes()

    with path.open("rb") as file:
        source = {
            "file object": StreamSource(file),
            "array": ArraySource(data),
            "own class": Own(),
            "path": FileSource(path),
        }[kind]
        creator = rawcd.RawCDImageCreator()
        creator.add_track(source)
        image = creator.create_result_image()
        made = pumped(PlainMain(image), 700, width=2352, lba=0, jobs=2)
    assert made == data.tobytes()
    assert crews == ([1] if kind == "path" else [])


# -- how many -----------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["0", "65", "-1", "", "two", "2.0", "\u0662", "1e1"])
def test_how_many_jobs_there_may_be(tmp_path: Path, text: str) -> None:
    with pytest.raises(UnsupportedError, match="jobs is a number from 1 to 64"):
        jobs_of({"jobs": text})
    creator = rawcd.RawCDImageCreator()
    creator.add_track(rawcd.SilenceSource(block_count=300))
    for name in ("a.raw", "a.cue"):
        with pytest.raises(UnsupportedError, match="jobs is a number"):
            save_image(creator_image(), tmp_path / name, options={"jobs": text})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("jobs", [0, -1, 65])
def test_how_many_processes_a_program_may_ask_for(jobs: int) -> None:
    for ask in (
        lambda: pumped(Numbered(), 1, jobs=jobs),
        lambda: rawcd.verify_image(creator_image(), jobs=jobs),
    ):
        with pytest.raises(ValueError, match=f"jobs is a number from 1 to 64, not {jobs}"):
            ask()


def test_one_job_is_the_default() -> None:
    assert [jobs_of(options) for options in ({}, {"jobs": "1"}, {"jobs": "64"})] == [1, 1, 64]


def creator_image() -> RegionImage:
    creator = rawcd.RawCDImageCreator()
    creator.add_track(rawcd.SilenceSource(block_count=300))
    return creator.create_result_image()
