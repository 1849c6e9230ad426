"""Sets for pressing plants against foreign ones: cue2ddp's sums, and a set made by hand."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pytest

from rawcd.cdtext import CDText, TextBlock, TextItem
from rawcd.disc import CopySetting, Disc, Index, Session, Track
from rawcd.features import Feature
from rawcd.image import MainForm, Region, RegionImage, SubForm, SubRegion, blanks, main_sectors
from rawcd.plugins import load_format, open_image, recognised_format, save_image
from rawcd.source import SECTOR_BYTES, ArraySource
from rawcd_formats.ddp.sums import find_sums
from tests.formats.test_conversions import stripped

if TYPE_CHECKING:
    from rawcd.source import Bytes2D

FIXTURES: Final = Path(__file__).parents[2] / "fixtures" / "ddp"


def counted(sectors: int) -> Bytes2D:
    """Sound whose stereo sample i is i in 32 bits."""
    samples = np.arange(sectors * 588, dtype="<u4")
    return samples.view(np.uint8).reshape(sectors, SECTOR_BYTES)


def disc_of(*tracks: dict[str, Any], end: int, **more: Any) -> Disc:
    """A disc of tracks, each with its indexes by number."""
    ends = [*(min(track["indexes"].values()) for track in tracks[1:]), end]
    made = []
    for number, (track, last) in enumerate(zip(tracks, ends, strict=True), 1):
        indexes = {0: -150, **track["indexes"]} if number == 1 else track["indexes"]
        places = tuple(Index(number=key, lba=lba) for key, lba in indexes.items())
        made.append(Track(**{**track, "number": number, "indexes": places, "end_lba": last}))
    return Disc(sessions=(Session(tracks=tuple(made), lead_out_lba=end),), **more)


def image_of(disc: Disc, first: int, sound: Bytes2D) -> RegionImage:
    """The disc with sound from an LBA to its lead-out, and silence around it."""
    lead_out = disc.sessions[0].lead_out_lba
    assert first + len(sound) == lead_out
    region = Region(
        lba=first,
        sectors=len(sound),
        form=MainForm.DISC,
        source=ArraySource(np.ascontiguousarray(sound)),
    )
    return RegionImage(
        disc=disc,
        main=(
            *blanks(disc, disc.first_lba, first),
            region,
            *blanks(disc, lead_out, disc.end_lba),
        ),
        sub=(
            SubRegion(lba=disc.first_lba, sectors=disc.end_lba - disc.first_lba, form=SubForm.MADE),
        ),
    )


def texts(**fields: tuple[str, ...]) -> CDText:
    items = [
        TextItem(field=field, track=track, text=text)
        for field, of_tracks in fields.items()
        for track, text in enumerate(of_tracks)
    ]
    return CDText(blocks=(TextBlock(items=tuple(items)),))


TWO_TRACKS: Final = ({"indexes": {1: 0}}, {"indexes": {1: 750}})
DISCS: Final = {
    "003-track2-pregap": (
        0,
        disc_of({"indexes": {1: 0}}, {"indexes": {0: 600, 1: 750}}, end=1500),
    ),
    "004-index02": (0, disc_of({"indexes": {1: 0, 2: 375}}, end=750)),
    "005-isrc-upc": (
        0,
        disc_of({"indexes": {1: 0}, "isrc": "USABC1234567"}, end=750, mcn="0123456789012"),
    ),
    "006-flags": (
        0,
        disc_of(
            {
                "indexes": {1: 0},
                "pre_emphasis": True,
                "copy": CopySetting.PERMITTED,
                "four_channel": True,
            },
            end=750,
        ),
    ),
    "009-track1-pregap": (-150, disc_of({"indexes": {1: 75}}, end=600)),
    "010-flag-scms": (0, disc_of({"indexes": {1: 0}, "copy": CopySetting.SCMS}, end=750)),
    "011-cdtext-cue": (
        0,
        disc_of(
            *TWO_TRACKS,
            end=1500,
            cdtext=texts(
                title=("Disc Title", "Track One", "Track Two"),
                performer=("Disc Performer", "Perf One", "Perf Two"),
                songwriter=("Disc Writer", "Writer One"),
            ),
        ),
    ),
    "014-three-tracks": (
        -150,
        disc_of(
            {"indexes": {1: 0}},
            {"indexes": {0: 600, 1: 675, 2: 975}},
            {"indexes": {0: 1350, 1: 1500}},
            end=2100,
        ),
    ),
}
"""cue2ddp's inputs: where the counted sound begins, and what the disc is."""
SUMS: Final = json.loads((FIXTURES / "cue2ddp.json").read_text(encoding="utf-8"))["sums"]


@pytest.mark.parametrize("case", SUMS)
def test_every_byte_is_as_cue2ddp_writes_it(case: str, tmp_path: Path) -> None:
    """All but the name of the PQ descriptor, which is `SD` there and `PQDESCR` here."""
    first, disc = DISCS[case]
    image = image_of(disc, first, counted(disc.sessions[0].lead_out_lba - first))
    save_image(image, tmp_path / "a.ddp")
    written = {path.name: path.read_bytes() for path in (tmp_path / "a.ddp").iterdir()}
    written["SD"] = written.pop("PQDESCR")
    written["DDPMS"] = written["DDPMS"].replace(b"PQDESCR", b"SD     ")
    del written["CHECKSUM.MD5"]
    assert {name: hashlib.md5(data).hexdigest() for name, data in written.items()} == SUMS[case]


def maker() -> Any:
    spec = importlib.util.spec_from_file_location("make", FIXTURES / "make.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def plant(tmp_path: Path) -> Path:
    """The set made by hand, with its image."""
    for path in (FIXTURES / "plant").iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "IMAGE.DAT").write_bytes(maker().image())
    return tmp_path


def test_the_kept_files_are_those_of_their_script() -> None:
    kept = {path.name: path.read_bytes() for path in (FIXTURES / "plant").iterdir()}
    assert kept == maker().files()


PLANT: Final = disc_of(
    {"indexes": {1: 0}, "pre_emphasis": True, "isrc": "XXRCD2600001"},
    {
        "indexes": {0: 900, 1: 1012, 2: 1350},
        "copy": CopySetting.SCMS,
        "isrc": "XXRCD2600002",
    },
    end=2100,
    mcn="0200000000123",
    cdtext=texts(title=("Plant", "One", "Two")),
)


@pytest.mark.parametrize("main", [".", "DDPID", "DDPMS"])
def test_a_set_made_by_hand_reads(plant: Path, main: str) -> None:
    assert recognised_format(plant / main) == "ddp"
    image = open_image(plant / main)
    assert image.disc == PLANT
    assert [note.code for note in image.notes] == ["not-on-disc"]
    assert "MASTER-7" in str(image.notes[0])
    expected = np.concatenate([np.zeros((150, SECTOR_BYTES), np.uint8), counted(2100)])
    assert (main_sectors(image, -150, 2250) == expected).all()


def test_its_sums_are_found_under_their_other_name(plant: Path) -> None:
    from rawcd.fileset import InputFiles

    sums = find_sums(InputFiles(plant / "DDPID"))
    assert sums is not None
    assert set(sums.of) == {"DDPID", "DDPMS", "PQDESCR", "CDTEXT.BIN", "IMAGE.DAT"}


@pytest.mark.skipif(shutil.which("md5sum") is None, reason="md5sum is not installed")
def test_md5sum_itself_agrees_with_the_sums(plant: Path) -> None:
    save_image(open_image(plant), plant / "again.ddp")
    for folder, sums in ((plant, "MD5_CHECKSUM.MD5"), (plant / "again.ddp", "CHECKSUM.MD5")):
        lines = (folder / sums).read_bytes().replace(b"\r", b"")  # md5sum takes no CR
        done = subprocess.run(
            ["md5sum", "--check", "--strict"], cwd=folder, input=lines, check=False
        )
        assert done.returncode == 0, sums


def test_what_was_read_is_written_again_as_the_same_disc(plant: Path) -> None:
    image = open_image(plant)
    save_image(image, plant / "again.ddp", options={"master-id": "MASTER-7"})
    again = open_image(plant / "again.ddp")
    assert again.disc == PLANT
    assert (plant / "again.ddp" / "IMAGE.DAT").read_bytes() == (plant / "IMAGE.DAT").read_bytes()


@pytest.mark.parametrize("other", ["cue", "toc", "chd", "raw"])
def test_an_audio_disc_comes_through_another_format_both_ways(other: str, tmp_path: Path) -> None:
    """What both ends declare comes through; noise lies in every sector from LBA 0 on."""
    disc = replace(DISCS["014-three-tracks"][1], mcn="2000000001234", cdtext=PLANT.cdtext)
    first, second, third = disc.tracks
    tracks = (
        replace(first, isrc="XXRCD2600001", pre_emphasis=True),
        replace(second, copy=CopySetting.PERMITTED),
        replace(third, copy=CopySetting.SCMS, four_channel=True),
    )
    disc = replace(disc, sessions=(replace(disc.sessions[0], tracks=tracks),))
    image = image_of(disc, 0, counted(2250)[150:])
    for start, end in (("ddp", other), (other, "ddp")):
        place = tmp_path / f"{start}-{end}"
        place.mkdir()
        at = image
        keeps = frozenset(Feature)
        for name in (start, end):
            path = place / f"{name}{load_format(name).suffixes[0]}"
            save_image(at, path, format=name, allow_loss=True)
            opened = open_image(path)
            assert isinstance(opened, RegionImage)
            keeps &= load_format(name).keeps
            assert opened.disc == stripped(disc, keeps)
            at = opened
        assert (main_sectors(at, 0, 2100) == main_sectors(image, 0, 2100)).all()
