"""The README is true: its example runs, its names exist, its commands are the product's."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import wave
from pathlib import Path

import numpy as np
import pytest

import rawcd
from tests.keeping import table

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")


LIBRARY = README.partition("## The library\n")[2]


def blocks(language: str, text: str = README) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


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
    example = blocks("python", LIBRARY)[0]
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


def test_the_examples_run_one_after_another_in_one_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RAWCD_STASH", str(tmp_path / "stash"))
    write_sounds()
    (tmp_path / "extras").mkdir()
    (tmp_path / "extras" / "notes.txt").write_text("liner notes")
    for number, example in enumerate(blocks("python"), 1):
        exec(compile(example, f"example {number}", "exec"), {})


COMMANDS = [
    re.sub(r"\s*#.*", "", line)
    for block in blocks("sh")
    for line in block.splitlines()
    if line.startswith("rawcd ")
]
"""What the README tells people to type, beside the two commands of its beginning."""


def write_inputs(place: Path) -> None:
    """What somebody has who types the README's commands, in the current folder."""
    write_sounds()
    Path("01.flac").rename("song.flac")
    Path("song.cdg").write_bytes(bytes(24 * 300))
    for folder in ("photos", "extras", "more"):
        (place / folder).mkdir()
        (place / folder / f"{folder}.txt").write_text(folder)
    Path("disc.iso").write_bytes(bytes(2048 * 300))
    lines = ['FILE "song.flac" WAVE', "  TRACK 01 AUDIO", "    INDEX 01 00:00:00"]
    Path("album.cue").write_text("\n".join(lines))
    titles = rawcd.CDText(
        blocks=(rawcd.TextBlock(items=(rawcd.TextItem(field="title", track=1, text="One"),)),)
    )
    Path("titles.cdt").write_bytes(titles.to_cdt())
    Path("disc.toml").write_text('[[track]]\nfile = "song.flac"\n')


@pytest.mark.skipif(os.name != "posix", reason="the commands are a POSIX shell's")
def test_the_commands_run_one_after_another_in_one_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a reader types them: nothing is in the way of a later one, and nothing is missing."""
    assert len(COMMANDS) >= 25
    monkeypatch.chdir(tmp_path)
    write_inputs(tmp_path)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    for command in COMMANDS:
        done = subprocess.run(
            ["sh", "-ec", command.replace("| ssh burner ...", "| wc -c")],
            env={**os.environ, "PATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{command}: {done.stderr}"
        assert "internal error" not in done.stderr, command


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
    beyond_imapi |= {"add_folder", "next_starting_lba", "has_four_channels"}
    assert all(f"`{name}`" in README for name in beyond_imapi)
    assert own == {ours for _, ours in pairs} | beyond_imapi
    assert len(pairs) == 14 + 10


@pytest.mark.parametrize("name", ["--type", "--style", "--leadout-limit", "--mcn", "--force"])
def test_the_options_it_names_exist(name: str) -> None:
    from rawcd.cli.build import build

    assert name in README
    assert name in {option for parameter in build.params for option in parameter.opts}


def test_the_table_of_what_formats_keep_is_theirs() -> None:
    assert table() in README


def test_it_names_no_machine() -> None:
    assert not re.search(r"/(home|work|root|tmp)/", README)
