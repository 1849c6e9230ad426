"""Losses are named before a byte is written: each feature, track by track."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from rawcd.cdtext import CDText, TextBlock, TextItem
from rawcd.disc import CopySetting, Disc, DiscType, Index, Session, Track, TrackMode
from rawcd.features import Feature, losses
from rawcd.image import ImageType, MainForm, Region, RegionImage, SubForm, SubRegion
from rawcd.source import ArraySource, SilenceSource

END = 800


def disc(**second: Any) -> Disc:
    first = Track(
        number=1, indexes=(Index(number=0, lba=-150), Index(number=1, lba=0)), end_lba=400
    )
    given = {"indexes": (Index(number=1, lba=400),), "end_lba": END, **second}
    tracks = (first, Track(number=2, **given))
    return Disc(sessions=(Session(tracks=tracks, lead_out_lba=END),))


def image(of: Disc) -> RegionImage:
    first, count = of.first_lba, of.end_lba - of.first_lba
    return RegionImage(
        disc=of,
        main=(Region(lba=first, sectors=count, form=MainForm.ZERO),),
        sub=(SubRegion(lba=first, sectors=count, form=SubForm.MADE),),
    )


def found(of: RegionImage, *keeps: Feature) -> list[str]:
    return [str(loss) for loss in losses(of, keeps)]


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        ({}, []),
        ({"isrc": "USRC17607839"}, ["ISRC of track 2 (USRC17607839)"]),
        ({"copy": CopySetting.PERMITTED}, ["copy permission of track 2"]),
        ({"copy": CopySetting.SCMS}, ["SCMS of track 2"]),
        ({"pre_emphasis": True}, ["pre-emphasis of track 2"]),
        ({"four_channel": True}, ["four-channel flag of track 2"]),
        (
            {"indexes": (Index(number=0, lba=400), Index(number=1, lba=450))},
            ["pregap of track 2"],
        ),
        (
            {"indexes": (Index(number=1, lba=400), Index(number=2, lba=450))},
            ["indexes above 1 of track 2"],
        ),
        ({"mode": TrackMode.MODE1}, ["data track of track 2 (mode1)"]),
    ],
)
def test_what_a_track_has(second: dict[str, Any], expected: list[str]) -> None:
    assert found(image(disc(**second))) == expected
    assert found(image(disc(**second)), *Feature) == []


def test_what_a_disc_has() -> None:
    texts = (TextItem(field="title", track=1, text="One"),)
    blocks = (TextBlock(items=texts), TextBlock(language=8))
    rich = replace(disc(), mcn="4006381333931", cdtext=CDText(blocks=blocks))
    assert found(image(rich)) == [
        "media catalogue number (4006381333931)",
        "titles (CD-TEXT)",
        "CD-TEXT in a language other than English",
    ]


def test_a_disc_type_that_its_tracks_do_not_imply_is_a_loss() -> None:
    def typed(of: Disc, disc_type: DiscType) -> RegionImage:
        return image(replace(of, sessions=(replace(of.sessions[0], disc_type=disc_type),)))

    mode2 = disc(mode=TrackMode.MODE2)
    keeps = (Feature.DATA_TRACKS,)
    assert found(typed(mode2, DiscType.XA), *keeps) == []
    assert found(typed(mode2, DiscType.CDI), *keeps) == []
    assert found(typed(mode2, DiscType.CDDA_CDROM), *keeps) == ["disc type (CDDA_CDROM)"]
    assert found(typed(disc(), DiscType.XA)) == ["disc type (XA)"]


@pytest.mark.parametrize(
    ("lba", "feature", "words"),
    [
        (-5000, Feature.LEAD_IN_DATA, "recorded lead-in data (at LBA -5000)"),
        (-7, Feature.FIRST_PREGAP_SOUND, "sound before LBA 0 (at LBA -7)"),
        (END + 9, Feature.LEAD_OUT_DATA, f"recorded lead-out data (at LBA {END + 9})"),
        (5, None, ""),
    ],
)
def test_bytes_that_nothing_makes_anew(lba: int, feature: Feature | None, words: str) -> None:
    of = disc()
    count = of.end_lba - of.first_lba
    one = np.zeros((1, 2352), np.uint8)
    one[0, 100] = 1
    at = lba - of.first_lba
    made = replace(
        image(of),
        main=(
            Region(
                lba=of.first_lba,
                sectors=at,
                form=MainForm.DISC,
                source=SilenceSource(block_count=at),
            ),
            Region(lba=lba, sectors=1, form=MainForm.DISC, source=ArraySource(one)),
            Region(lba=lba + 1, sectors=count - at - 1, form=MainForm.ZERO),
        ),
    )
    assert found(made) == ([words] if feature else [])
    if feature:
        assert found(made, feature) == []


def stored(of: RegionImage, change: Any) -> RegionImage:
    """Return the image with its subcode recorded, and changed."""
    count = of.sector_count
    whole = np.frombuffer(of.read(of.first_lba, count), np.uint8).reshape(count, -1)
    rows = whole[:, 2352:].copy()
    change(rows)
    sub = SubRegion(
        lba=of.first_lba,
        sectors=count,
        form=SubForm.RAW if rows.shape[1] == 96 else SubForm.PQ16,
        source=ArraySource(rows, block_size=rows.shape[1]),
    )
    return replace(of, sub=(sub,))


@pytest.mark.parametrize("kind", [ImageType.RAW, ImageType.PQ_ONLY])
def test_recorded_subcode_that_would_be_made_just_so_is_no_loss(kind: ImageType) -> None:
    made = image(disc()).as_kind(kind)
    assert found(stored(made, lambda rows: None)) == []


def test_recorded_subcode_that_differs_is_a_loss() -> None:
    def flip(rows: Any) -> None:
        rows[22_650 + 5, 3] ^= 0x40

    made = stored(image(disc()), flip)
    expected = ["recorded P and Q subcode (other than rawcd would make it from LBA 5 on)"]
    assert found(made) == expected
    assert found(made, Feature.STORED_PQ) == []


def test_r_w_is_a_loss_and_for_a_short_image_in_any_format() -> None:
    def sing(rows: Any) -> None:
        rows[22_650 + 77, 3] |= 0x09

    made = stored(image(disc()), sing)
    assert found(made) == ["R-W subcode (from LBA 77 on)"]
    assert found(made, Feature.RW) == []
    short = made.as_kind(ImageType.PQ_ONLY)
    assert [loss.feature for loss in losses(short, set(Feature) - {Feature.RW})] == [Feature.RW]
