"""Readers of others copy what was burned here from the virtual recorder, and get the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import rawcd
from rawcd_writers.drive.session import DriveSession
from rawcd_writers.drive.virtual import VirtualRecorder, blank_named
from tests.oracles.burners import DEVICE, burn, needs
from tests.writers.drive.burning import album, mixed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from rawcd.image import RegionImage


def burned(image: RegionImage, folder: Path) -> VirtualRecorder:
    """Burn an image; return a recorder with its disc."""
    path = folder / "disc.raw"
    with DriveSession(VirtualRecorder(path, blank=blank_named("cdr-short"))) as session:
        session.burn(image, mode="raw")
    return VirtualRecorder(path)


@needs("readom")
@pytest.mark.parametrize("make", [album, mixed])
def test_readom_clones_main_channel_and_subcode(
    make: Callable[[], RegionImage], tmp_path: Path
) -> None:
    image = make().as_kind(rawcd.ImageType.RAW)
    drive = burned(image, tmp_path)
    burn(drive, "readom", f"dev={DEVICE}", "-clone", "f=copy.clone", folder=tmp_path)
    copy = rawcd.open_image(tmp_path / "copy.clone")
    assert [t.start_lba for t in copy.disc.tracks] == [t.start_lba for t in image.disc.tracks]
    count = image.disc.sessions[0].lead_out_lba
    assert copy.read(0, count) == image.read(0, count)


@needs("cdrdao")
def test_cdrdao_reads_sound_codes_indexes_and_texts(tmp_path: Path) -> None:
    """Index 0 is not compared: cdrdao 1.2.4 finds 108 sectors where it burned a pregap of 75."""
    items = tuple(
        rawcd.TextItem(field="title", track=track, text=text)
        for track, text in enumerate(("Album", "One", "Two"))
    )
    text = rawcd.CDText(blocks=(rawcd.TextBlock(items=items),))
    image = album(cdtext=text, resulting_image_type=rawcd.ImageType.RAW)
    drive = burned(image, tmp_path)
    options = ("--device", DEVICE, "--driver", "generic-mmc-raw", "--paranoia-mode", "0")
    burn(drive, "cdrdao", "read-cd", *options, "copy.toc", folder=tmp_path)
    copy = rawcd.open_image(tmp_path / "copy.toc")
    assert copy.disc.mcn == image.disc.mcn
    assert copy.disc.cdtext is not None
    assert [copy.disc.cdtext.text("title", track) for track in range(3)] == ["Album", "One", "Two"]
    told, burned_tracks = (
        [(t.isrc, t.control, [i for i in t.indexes if i.number]) for t in each.disc.tracks]
        for each in (copy, image)
    )
    assert told == burned_tracks
    count = image.disc.sessions[0].lead_out_lba
    assert rawcd.main_sectors(copy, 0, count).tobytes() == (
        rawcd.main_sectors(image, 0, count).tobytes()
    )
