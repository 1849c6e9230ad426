"""`rawcd convert`, and folders on the command line, as a terminal sees them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import rawcd
from rawcd import RawCDImageCreator, SilenceSource

if TYPE_CHECKING:
    from collections.abc import Mapping

NAMES = ("one", "two")


def run(
    *args: str | Path, cwd: Path, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "rawcd", *map(str, args)],
        cwd=cwd,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """A folder with two images: one plain, one with a catalogue number and an index 2."""
    for name in NAMES:
        creator = RawCDImageCreator()
        creator.resulting_image_type = rawcd.ImageType.RAW
        creator.add_track(SilenceSource(block_count=400))
        if name == "two":
            creator.media_catalog_number = "4006381333931"
            creator.track_info(1).add_track_index(100)
        rawcd.save_image(creator.create_result_image(), tmp_path / f"{name}.raw")
    return tmp_path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "files"
    (place / "inner").mkdir(parents=True)
    (place / "a.txt").write_text("one")
    (place / "inner" / "b.txt").write_text("two")
    return place


# -- convert -----------------------------------------------------------------------------------


def test_one_image_becomes_another(images: Path) -> None:
    done = run("convert", "two.raw", "two.cue", cwd=images)
    assert (done.returncode, done.stderr) == (0, "")
    assert "two.cue" in done.stdout
    assert rawcd.open_image(images / "two.cue").disc == rawcd.open_image(images / "two.raw").disc


def test_what_would_be_lost_is_listed_and_nothing_written(images: Path) -> None:
    done = run("convert", "two.raw", "two.chd", cwd=images)
    assert done.returncode == 1
    assert "two.raw: would be lost: media catalogue number 4006381333931" in done.stderr
    assert "two.raw: would be lost: track 1: index 2 at +100" in done.stderr
    assert "--allow-loss" in done.stderr
    assert not list(images.glob("*.chd*"))
    again = run("convert", "two.raw", "two.chd", "--allow-loss", cwd=images)
    assert again.returncode == 0
    assert "two.raw: lost: track 1: index 2 at +100" in again.stderr
    assert (images / "two.chd").is_file()


def test_many_go_into_a_folder(images: Path) -> None:
    (images / "out").mkdir()
    done = run("convert", "one.raw", "two.raw", "out", "--to", "chd", "--json", cwd=images)
    assert done.returncode == 1
    about = json.loads(done.stdout)
    assert about["rawcd_convert"] == 1
    assert [(each["input"], each["refused"]) for each in about["results"]] == [
        ("one.raw", False),
        ("two.raw", True),
    ]
    assert [Path(file["path"]).name for file in about["results"][0]["files"]] == ["one.chd"]
    assert about["results"][1]["losses"][0].startswith("media catalogue number")
    assert [path.name for path in (images / "out").iterdir()] == ["one.chd"]


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["one.raw"], "IN OUT"),
        (["one.raw", "two.raw", "three.cue"], "three.cue is no folder"),
        (["one.raw", "."], "--to names their format"),
        (["one.raw", "one.raw", ".", "--to", "cue"], "several inputs would become one.cue"),
        (["one.raw", "one.cue", "--set", "split"], "KEY=VALUE"),
        (["one.raw", "-", "--to", "raw"], "cannot fill a pipe"),
    ],
)
def test_misuse_is_told(images: Path, args: list[str], words: str) -> None:
    done = run("convert", *args, cwd=images)
    assert done.returncode == 2
    assert words in " ".join(done.stderr.split())
    assert sorted(path.name for path in images.iterdir()) == ["one.raw", "two.raw"]


def test_an_existing_file_stays_without_force(images: Path) -> None:
    (images / "one.cue").write_text("mine")
    done = run("convert", "one.raw", "one.cue", cwd=images)
    assert done.returncode == 1
    assert (images / "one.cue").read_text() == "mine"
    assert not (images / "one.bin").exists()
    assert run("convert", "one.raw", "one.cue", "--force", cwd=images).returncode == 0
    assert (images / "one.cue").read_text().startswith("FILE")


def test_a_missing_input_is_named(images: Path) -> None:
    done = run("convert", "gone.raw", "gone.cue", cwd=images)
    assert done.returncode == 1
    assert done.stderr.startswith("rawcd: gone.raw: ")


def test_one_of_many_that_cannot_be_read_does_not_stop_the_others(images: Path) -> None:
    (images / "out").mkdir()
    (images / "bad.raw").write_bytes(bytes(5_000))
    args = ("one.raw", "bad.raw", "gone.raw", "two.raw", "out", "--to", "cue", "--json")
    done = run("convert", *args, cwd=images)
    assert done.returncode == 1
    results = json.loads(done.stdout)["results"]
    assert [(each["input"], each["error"] is None) for each in results] == [
        ("one.raw", True),
        ("bad.raw", False),
        ("gone.raw", False),
        ("two.raw", True),
    ]
    assert results[2]["error"].startswith("gone.raw: ")
    assert "rawcd: bad.raw: " in done.stderr
    assert done.stderr.endswith("rawcd: 2 of 4 images could not be converted\n")
    cues = sorted(path.name for path in (images / "out").glob("*.cue"))
    assert cues == ["one.cue", "two.cue"]


def test_an_existing_file_among_many_is_refused_before_any_work(images: Path) -> None:
    (images / "out").mkdir()
    (images / "out" / "two.cue").write_text("mine")
    done = run("convert", "one.raw", "two.raw", "out", "--to", "cue", cwd=images)
    assert (done.returncode, done.stdout) == (1, "")
    assert "out/two.cue: exists already" in done.stderr.replace("\\", "/")
    assert [path.name for path in (images / "out").iterdir()] == ["two.cue"]


# -- folders -----------------------------------------------------------------------------------


def tree_of(path: Path) -> list[str]:
    from rawcd.filesystem import DiscBlocks, StoredVolume

    blocks = DiscBlocks(rawcd.open_image(path))
    volume = StoredVolume(blocks, lba=blocks.session_starts()[-1])
    return [name for name, _ in volume.tree().walk()]


def test_a_folder_becomes_a_disc(folder: Path, tmp_path: Path) -> None:
    done = run("build", "files", "-o", "files.cue", "--volume", "FILES", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert tree_of(tmp_path / "files.cue") == ["/a.txt", "/inner", "/inner/b.txt"]
    told = run("info", "files.cue", cwd=tmp_path).stdout
    assert "volume    FILES at 0: joliet, iso" in told


def test_a_folder_goes_onto_an_open_disc(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "c.txt").write_text("three")
    assert run("build", "files", "-o", "1.raw", "--appendable", cwd=tmp_path).returncode == 0
    assert "open for a further session" in run("info", "1.raw", cwd=tmp_path).stdout
    done = run("build", "more", "--onto", "1.raw", "-o", "2.raw", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert tree_of(tmp_path / "2.raw") == ["/a.txt", "/c.txt", "/inner", "/inner/b.txt"]
    closed = run("build", "more", "--onto", "2.raw", "-o", "3.raw", cwd=tmp_path)
    assert closed.returncode == 1
    assert "the disc is closed" in closed.stderr
    assert not (tmp_path / "3.raw").exists()


def test_music_and_a_folder_make_an_enhanced_disc(images: Path, folder: Path) -> None:
    done = run("convert", "one.raw", "one.cue", cwd=images)
    assert done.returncode == 0
    done = run("build", "one.cue", "--data", "files", "-o", "extra.raw", cwd=images)
    assert done.returncode == 0, done.stderr
    first, second = rawcd.open_image(images / "extra.raw").disc.sessions
    assert first.tracks[0].is_audio
    assert (second.disc_type, second.tracks[0].mode) == (rawcd.DiscType.XA, 2)
    assert second.tracks[0].start_lba == first.lead_out_lba + 11_400


def test_the_same_folder_makes_the_same_disc(folder: Path, tmp_path: Path) -> None:
    env = {**os.environ, "SOURCE_DATE_EPOCH": "1000000000"}
    for name in ("1.iso", "2.iso"):
        assert run("build", "files", "-o", name, cwd=tmp_path, env=env).returncode == 0
    assert (tmp_path / "1.iso").read_bytes() == (tmp_path / "2.iso").read_bytes()


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["files", "files"], "files is a folder: give it alone"),
        (["files", "--data", "files"], "files is a folder: give it alone"),
        (["one.raw", "--onto", "one.raw"], "--onto is for a folder"),
    ],
)
def test_misuse_of_folders_is_told(images: Path, folder: Path, args: list[str], words: str) -> None:
    done = run("build", *args, "-o", "out.raw", cwd=images)
    assert done.returncode == 2
    assert words in " ".join(done.stderr.split())


def test_a_name_that_the_volume_cannot_hold_is_named_or_changed(
    folder: Path, tmp_path: Path
) -> None:
    name = "x" * 70 + ".txt"
    (folder / name).write_text("long")
    refused = run("build", "files", "-o", "x.iso", cwd=tmp_path)
    assert refused.returncode == 1
    assert name in refused.stderr
    assert not (tmp_path / "x.iso").exists()
    relaxed = run("build", "files", "-o", "x.iso", "--relax", cwd=tmp_path)
    assert relaxed.returncode == 0
    assert name in relaxed.stderr
