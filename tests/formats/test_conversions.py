"""The same discs through every pair of formats: what both ends declare comes through.

A disc goes into one format and from there into another, losses allowed. What comes back must be
the disc without what either of the two does not keep, by their own words, and no more than that.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

import rawcd
from rawcd import CDText, RawCDImageCreator, SectorType, TextBlock, TextItem
from rawcd.disc import CopySetting, Disc, DiscType, Session, Track, TrackMode
from rawcd.features import Feature
from rawcd.plugins import load_format
from tests.keeping import written_formats
from tests.strategies import PatternSource, noise_rows

if TYPE_CHECKING:
    from pathlib import Path

    from rawcd.image import RegionImage
    from rawcd.plugins import Format

WRITTEN = [name for name in written_formats() if Feature.PREGAPS in load_format(name).keeps]
"""Formats that hold discs of several tracks."""


def keeping(feature: Feature) -> list[str]:
    return [name for name in WRITTEN if feature in load_format(name).keeps]


def game() -> RegionImage:
    """A Mode 1 track and three of sound, with all that a sheet can say of them."""
    creator = RawCDImageCreator()
    creator.resulting_image_type = rawcd.ImageType.RAW
    creator.media_catalog_number = "4006381333931"
    creator.add_track(noise_rows(310, 2_048).tobytes(), SectorType.MODE1)
    for number in (2, 3, 4):
        source = PatternSource(block_count=300 + number, salt=number)
        info = creator.track_info(creator.add_track(source, pregap=0 if number == 3 else 150))
        info.isrc = f"USK7Y98{number:05}"
    creator.track_info(2).digital_audio_copy_setting = CopySetting.PERMITTED
    creator.track_info(3).audio_has_preemphasis = True
    creator.track_info(4).digital_audio_copy_setting = CopySetting.SCMS
    creator.track_info(4).has_four_channels = True
    creator.track_info(2).add_track_index(100)
    creator.track_info(2).add_track_index(200)
    english = [(0, "title", "A Game"), (0, "performer", "Its Makers"), (2, "title", "Theme")]
    german = [(0, "title", "Ein Spiel"), (4, "composer", "Jemand")]
    creator.cdtext = CDText(
        blocks=tuple(
            TextBlock(
                language=language,
                items=tuple(TextItem(track=t, field=f, text=text) for t, f, text in items),
            )
            for language, items in ((9, english), (8, german))
        )
    )
    return creator.create_result_image()


def bridge() -> RegionImage:
    """An XA disc: a track of mixed forms, then sound."""
    creator = RawCDImageCreator()
    creator.resulting_image_type = rawcd.ImageType.RAW
    rows = noise_rows(320, 2_332)
    rows[:, :8] = np.frombuffer(bytes.fromhex("0000080000000800"), np.uint8)
    rows[::3, :8] = np.frombuffer(bytes.fromhex("0102640501026405"), np.uint8)
    creator.add_track(rows.tobytes(), SectorType.MODE2MIXED, block_size=2_332)
    creator.add_track(PatternSource(block_count=333))
    return creator.create_result_image()


def album() -> RegionImage:
    """Sound alone, with texts and every flag that all keep."""
    creator = RawCDImageCreator()
    creator.resulting_image_type = rawcd.ImageType.RAW
    creator.media_catalog_number = "4006381333931"
    for number in (1, 2, 3):
        source = PatternSource(block_count=300 + number, salt=number)
        creator.add_track(source, pregap=None if number == 1 else 75)
    creator.track_info(2).isrc = "USK7Y9812345"
    creator.track_info(3).add_track_index(150)
    items = (TextItem(track=0, field="title", text="An Album"),)
    creator.cdtext = CDText(blocks=(TextBlock(items=items),))
    return creator.create_result_image()


def enhanced() -> RegionImage:
    """The album, and a session of XA data behind it."""
    creator = RawCDImageCreator(after=album())
    creator.add_track(noise_rows(300, 2_048).tobytes(), SectorType.MODE2FORM1)
    return creator.create_result_image()


DISCS = {
    "game": (game, Feature.DATA_TRACKS),
    "bridge": (bridge, Feature.DATA_TRACKS),
    "album": (album, Feature.PREGAPS),
    "enhanced": (enhanced, Feature.SESSIONS),
}
"""Discs, and what a format must keep to hold them at all."""
CASES = [(disc, name) for disc, (_, feature) in DISCS.items() for name in keeping(feature)]


def kept(image: RegionImage, chosen: Format) -> frozenset[Feature]:
    keeps_for = getattr(chosen, "keeps_for", None)
    found = chosen.keeps if keeps_for is None else keeps_for(image)
    return frozenset(found)


def stripped(disc: Disc, keeps: frozenset[Feature]) -> Disc:
    """The disc without what is not kept."""
    return replace(
        disc,
        mcn=disc.mcn if Feature.MCN in keeps else None,
        cdtext=_text(disc.cdtext, keeps),
        sessions=tuple(_session(session, keeps) for session in disc.sessions),
    )


def _text(cdtext: CDText | None, keeps: frozenset[Feature]) -> CDText | None:
    if cdtext is None or Feature.TITLES not in keeps:
        return None
    names = {"title", "performer", "songwriter"}
    names |= {"composer", "arranger", "message"} if Feature.OTHER_TEXTS in keeps else set()
    blocks = cdtext.blocks if Feature.LANGUAGES in keeps else cdtext.blocks[:1]
    kept_blocks = (
        replace(block, items=tuple(item for item in block.items if item.field in names))
        for block in blocks
    )
    return CDText(blocks=tuple(block for block in kept_blocks if block.items))


def _session(session: Session, keeps: frozenset[Feature]) -> Session:
    tracks = tuple(_track(track, keeps) for track in session.tracks)
    if Feature.DISC_TYPE in keeps:
        return replace(session, tracks=tracks)
    mode2 = any(track.mode is TrackMode.MODE2 for track in tracks)
    return replace(session, tracks=tracks, disc_type=DiscType.XA if mode2 else DiscType.CDDA_CDROM)


def _track(track: Track, keeps: frozenset[Feature]) -> Track:
    kept_copy = {
        CopySetting.PROHIBITED: True,
        CopySetting.PERMITTED: Feature.COPY_PERMITTED in keeps,
        CopySetting.SCMS: Feature.SCMS in keeps,
    }[track.copy]
    return replace(
        track,
        isrc=track.isrc if Feature.ISRC in keeps else None,
        copy=track.copy if kept_copy else CopySetting.PROHIBITED,
        pre_emphasis=track.pre_emphasis and Feature.PRE_EMPHASIS in keeps,
        four_channel=track.four_channel and Feature.FOUR_CHANNEL in keeps,
        indexes=track.indexes
        if Feature.INDEXES in keeps
        else tuple(index for index in track.indexes if index.number < 2),
    )


def saved(image: RegionImage, name: str, folder: Path) -> RegionImage:
    folder.mkdir()
    path = folder / f"disc{load_format(name).suffixes[0]}"
    rawcd.save_image(image, path, format=name, allow_loss=True)
    opened = rawcd.open_image(path)
    assert isinstance(opened, rawcd.RegionImage)
    return opened


@pytest.mark.parametrize(("disc", "first"), CASES)
def test_what_both_ends_keep_comes_through(disc: str, first: str, tmp_path: Path) -> None:
    make, feature = DISCS[disc]
    image = make()
    one = saved(image, first, tmp_path / first)
    keeps = kept(image, load_format(first))
    assert one.disc == stripped(image.disc, keeps)
    assert_same_sectors(one, image)
    for second in keeping(feature):
        two = saved(one, second, tmp_path / f"{first}-{second}")
        both = keeps & kept(one, load_format(second))
        assert two.disc == stripped(image.disc, both), second
        assert_same_sectors(two, image)


def assert_same_sectors(made: RegionImage, image: RegionImage) -> None:
    """In every session, from index 1 of its first track to its lead-out."""
    for session in image.disc.sessions:
        lba, count = session.tracks[0].start_lba, session.lead_out_lba
        count -= lba
        np.testing.assert_array_equal(
            rawcd.main_sectors(made, lba, count), rawcd.main_sectors(image, lba, count)
        )
