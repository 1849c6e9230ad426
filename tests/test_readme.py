"""The README is true: its example runs, its names exist, its commands are the product's."""

from __future__ import annotations

import re
import wave
from pathlib import Path

import numpy as np
import pytest

import rawcd

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def write_sounds() -> None:
    """The files that the examples name, in the current folder."""
    import soundfile

    rng = np.random.default_rng(3)
    for name, sectors in (("hidden.wav", 300), ("02.wav", 400)):
        with wave.open(name, "wb") as file:
            file.setparams((2, 2, 44100, 0, "NONE", ""))
            file.writeframes(rng.integers(-9000, 9000, (588 * sectors, 2)).astype("<i2").tobytes())
    soundfile.write("01.flac", rng.integers(-9000, 9000, (588 * 1000, 2)).astype(np.int16), 44100)


def test_the_library_s_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_sounds()
    example = blocks("python")[0]
    names: dict[str, object] = {}
    exec(example, names)
    image = names["same"]
    assert isinstance(image, rawcd.RegionImage)
    first = image.disc.track(1)
    assert (first.start_lba, first.copy, first.isrc) == (
        150,
        rawcd.CopySetting.SCMS,
        "USK7Y9812345",
    )
    assert first.indexes[2].lba == 150 + 750


@pytest.mark.parametrize("number", [1, 2, 3])
def test_the_other_examples_run(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_sounds()
    (tmp_path / "extras").mkdir()
    (tmp_path / "extras" / "notes.txt").write_text("liner notes")
    exec(blocks("python")[number], {})


def test_every_example_is_run() -> None:
    assert len(blocks("python")) == 4


def rows_of_names() -> list[tuple[str, str]]:
    """Return (IMAPI's name, ours) of both halves of the table."""
    tables = [[cell.strip() for cell in line.split("|")] for line in README.splitlines()]
    return [
        (cells[at], cells[at + 1].strip("`"))
        for cells in tables
        for at in (1, 4)
        if len(cells) == 7 and re.fullmatch(r"(?!IRaw)[A-Z]\w+", cells[at])
    ]


def snake(name: str) -> str:
    """Return IMAPI's name as ours: R-W, LBA, ISRC and TOC are words of their own."""
    name = name.replace("SubcodeRW", "SubcodeRw").replace("LBA", "Lba").replace("ISRC", "Isrc")
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def test_the_table_of_imapi_s_names_is_complete_and_true() -> None:
    pairs = rows_of_names()
    own = {
        name
        for owner in (rawcd.RawCDImageCreator, rawcd.TrackInfo)
        for name in dir(owner)
        if not name.startswith("_")
    }
    for theirs, ours in pairs:
        assert ours == snake(theirs)
        assert ours in own
    beyond_imapi = {"raw_sector_count", "cdtext", "disc_type", "appendable"}
    beyond_imapi |= {"add_folder", "next_starting_lba"}
    assert all(f"`{name}`" in README for name in beyond_imapi)
    assert own == {ours for _, ours in pairs} | beyond_imapi
    assert len(pairs) == 14 + 10


@pytest.mark.parametrize("name", ["--type", "--style", "--leadout-limit", "--mcn", "--force"])
def test_the_options_it_names_exist(name: str) -> None:
    from rawcd.cli.build import build

    assert name in README
    assert name in {option for parameter in build.params for option in parameter.opts}


def test_it_names_no_machine() -> None:
    assert not re.search(r"/(home|work|root|tmp)/", README)
