"""Losses are named before a byte is written: each feature, track by track."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from rawcd.cdtext import (
    CDText,
    Charset,
    RawPack,
    TextBlock,
    TextInterval,
    TextItem,
    TextToc,
)
from rawcd.disc import CopySetting, Disc, DiscType, Index, Session, Track, TrackMode
from rawcd.features import CDTEXT, Feature, losses
from rawcd.image import ImageType, MainForm, Region, RegionImage, SubForm, SubRegion
from rawcd.msf import Msf
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
        ({"isrc": "USRC17607839"}, ["track 2: ISRC USRC17607839"]),
        ({"copy": CopySetting.PERMITTED}, ["track 2: copy permission"]),
        ({"copy": CopySetting.SCMS}, ["track 2: SCMS"]),
        ({"pre_emphasis": True}, ["track 2: pre-emphasis"]),
        ({"four_channel": True}, ["track 2: four-channel flag"]),
        (
            {"indexes": (Index(number=0, lba=400), Index(number=1, lba=450))},
            ["track 2: pregap of 50 sectors"],
        ),
        (
            {
                "indexes": tuple(
                    Index(number=n, lba=lba) for n, lba in ((1, 400), (2, 450), (3, 799))
                )
            },
            ["track 2: index 2 at +50", "track 2: index 3 at +399"],
        ),
        ({"mode": TrackMode.MODE1}, ["track 2: data track of mode 1"]),
    ],
)
def test_what_a_track_has(second: dict[str, Any], expected: list[str]) -> None:
    assert found(image(disc(**second))) == expected
    assert found(image(disc(**second)), *Feature) == []


def test_what_a_disc_has() -> None:
    rich = replace(disc(), mcn="4006381333931")
    assert found(image(rich)) == ["media catalogue number 4006381333931"]
    session = replace(disc().sessions[0], lead_out_sectors=2_250)
    short = replace(disc(), sessions=(session,))
    assert found(image(short)) == ["session 1: lead-out of 2250 sectors"]


def test_sessions_one_by_one() -> None:
    first = disc().sessions[0]
    sessions = [first]
    for number in (3, 4):
        start = sessions[-1].end_lba + 4_650
        indexes = (Index(number=0, lba=start - 150), Index(number=1, lba=start))
        track = Track(number=number, indexes=indexes, end_lba=start + 300)
        sessions.append(
            Session(
                tracks=(track,),
                lead_in_lba=sessions[-1].end_lba,
                lead_out_lba=start + 300,
                lead_out_sectors=2_250,
            )
        )
    many = image(Disc(sessions=tuple(sessions)))
    assert found(many) == ["session 2 (tracks 3 to 3)", "session 3 (tracks 4 to 4)"]
    assert found(many, Feature.SESSIONS) == []


# -- CD-TEXT -----------------------------------------------------------------------------------


def with_text(*blocks: TextBlock) -> RegionImage:
    return image(replace(disc(), cdtext=CDText(blocks=blocks)))


def texts(*fields: tuple[str, int], text: str = "One") -> tuple[TextItem, ...]:
    return tuple(TextItem(field=field, track=track, text=text) for field, track in fields)


RAW_PACK = RawPack(pack_type=0x8B, element=1, payload=bytes(12))
TOC = TextToc.from_lbas((0, 400), END)
INTERVAL = TextInterval(track=1, start=Msf.from_lba(10), end=Msf.from_lba(20), number=1)


@pytest.mark.parametrize(
    ("block", "feature", "expected"),
    [
        (
            TextBlock(items=texts(("title", 0), ("title", 2), ("songwriter", 2))),
            Feature.TITLES,
            ["CD-TEXT title", "track 2: CD-TEXT title", "track 2: CD-TEXT songwriter"],
        ),
        (
            TextBlock(items=texts(("message", 0), ("composer", 1))),
            Feature.OTHER_TEXTS,
            ["CD-TEXT message", "track 1: CD-TEXT composer"],
        ),
        (
            TextBlock(
                items=texts(
                    ("disc_id", 0), ("genre", 0), ("closed", 2), ("upc_ean", 0), ("isrc", 1)
                )
            ),
            Feature.TEXT_CODES,
            [
                "CD-TEXT disc id",
                "CD-TEXT genre",
                "CD-TEXT UPC/EAN",
                "track 1: CD-TEXT ISRC",
                "track 2: CD-TEXT closed information",
            ],
        ),
        (TextBlock(genre_code=0x0E), Feature.GENRE_CODE, ["CD-TEXT genre code Jazz"]),
        (TextBlock(genre_code=0xFFF0), Feature.GENRE_CODE, ["CD-TEXT genre code FFF0h"]),
        (TextBlock(language=0x0F), Feature.LANGUAGES, ["CD-TEXT language French"]),
        (
            TextBlock(charset=Charset.MS_JIS),
            Feature.TEXT_CHARSET,
            ["CD-TEXT character set MS-JIS"],
        ),
        (
            TextBlock(toc=TOC, intervals=(INTERVAL,), raw=(RAW_PACK, RAW_PACK)),
            Feature.TEXT_PACKS,
            [
                "CD-TEXT table of contents",
                "CD-TEXT second table of contents (1 intervals)",
                "CD-TEXT packs of type 8Bh (2)",
            ],
        ),
        (
            TextBlock(copyright=3, first_track=1, last_track=9),
            Feature.SIZE_INFO,
            ["CD-TEXT copyright 03h", "CD-TEXT said to be of tracks 1 to 9"],
        ),
    ],
)
def test_what_a_block_of_cd_text_has(
    block: TextBlock, feature: Feature, expected: list[str]
) -> None:
    assert found(with_text(block)) == expected
    assert found(with_text(block), feature) == []


def test_a_character_set_that_the_texts_ask_for_is_no_loss() -> None:
    for text, charset in (("One", Charset.ISO_8859_1), ("\u3042", Charset.MS_JIS)):
        block = TextBlock(items=texts(("title", 1), text=text), charset=charset)
        assert found(with_text(block), Feature.TITLES) == []
        other = {*Charset} - {charset}
        for wrong in other:
            losing = with_text(replace(block, charset=wrong))
            named = [loss.feature for loss in losses(losing, {Feature.TITLES})]
            assert Feature.TEXT_CHARSET in named


def test_a_further_language_goes_as_a_whole_or_item_by_item() -> None:
    german = TextBlock(language=8, items=texts(("title", 1), ("composer", 1)), genre_code=5)
    two = with_text(TextBlock(items=texts(("title", 1))), german)
    assert found(two, Feature.TITLES) == ["CD-TEXT block 2 in German (2 texts)"]
    assert found(two, Feature.TITLES, Feature.LANGUAGES) == [
        "track 1: CD-TEXT composer of block 2 (German)",
        "CD-TEXT genre code Classical of block 2 (German)",
    ]
    assert found(two, *CDTEXT) == []


def test_what_packs_hold_is_all_that_cd_text_has() -> None:
    assert {feature for feature in Feature if "CD-TEXT" in feature.value} - CDTEXT == {
        Feature.TEXT_CHARACTERS
    }


# -- bytes -------------------------------------------------------------------------------------


def test_a_disc_type_that_its_tracks_do_not_imply_is_a_loss() -> None:
    def typed(of: Disc, disc_type: DiscType) -> RegionImage:
        return image(replace(of, sessions=(replace(of.sessions[0], disc_type=disc_type),)))

    mode2 = disc(mode=TrackMode.MODE2)
    keeps = (Feature.DATA_TRACKS,)
    assert found(typed(mode2, DiscType.XA), *keeps) == []
    assert found(typed(mode2, DiscType.CDI), *keeps) == ["session 1: disc type CDI"]
    assert found(typed(mode2, DiscType.CDI), *keeps, Feature.CDI_TYPE) == []
    assert found(typed(mode2, DiscType.CDDA_CDROM), *keeps) == ["session 1: disc type CDDA_CDROM"]
    assert found(typed(disc(), DiscType.XA)) == ["session 1: disc type XA"]


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
    expected = ["recorded P and Q subcode, other than rawcd would make it from LBA 5 on"]
    assert found(made) == expected
    assert found(made, Feature.STORED_PQ) == []


def test_r_w_is_a_loss_and_for_a_short_image_in_any_format() -> None:
    def sing(rows: Any) -> None:
        rows[22_650 + 77, 3] |= 0x09

    made = stored(image(disc()), sing)
    assert found(made) == ["track 1: R-W subcode from LBA 77 on"]
    assert found(made, Feature.RW) == []
    short = made.as_kind(ImageType.PQ_ONLY)
    assert [loss.feature for loss in losses(short, set(Feature) - {Feature.RW})] == [Feature.RW]


@pytest.mark.parametrize(
    ("lba", "words"),
    [
        (-5_000, "of the lead-in from LBA -5000 on"),
        (-1, "of the first pregap from LBA -1 on"),
        (END, f"of the lead-out from LBA {END} on"),
    ],
)
def test_subcode_outside_the_tracks_is_told_apart(lba: int, words: str) -> None:
    """Files of the tracks' subcode alone end there: CCD, MDS, the clone pair."""

    def flip(bit: int) -> Any:
        def change(rows: Any) -> None:
            rows[22_650 + lba, 3] ^= bit

        return change

    sung = stored(image(disc()), flip(0x01))
    assert found(sung, Feature.RW, Feature.STORED_PQ) == [f"R-W subcode {words}"]
    assert found(sung, Feature.OUTER_RW) == []
    other = stored(image(disc()), flip(0x40))
    place = words.replace(" from", ", other than rawcd would make it from")
    assert found(other, Feature.STORED_PQ) == [f"recorded P and Q subcode {place}"]
    assert found(other, Feature.OUTER_PQ) == []


def test_what_a_pregap_holds_is_a_loss_where_only_its_length_is_kept() -> None:
    gap = (Index(number=0, lba=400), Index(number=1, lba=450))
    of = disc(indexes=gap)
    rows = np.zeros((END, 2352), np.uint8)
    rows[449, 7] = 1
    sound = Region(lba=0, sectors=END, form=MainForm.DISC, source=ArraySource(rows))
    before = Region(lba=of.first_lba, sectors=-of.first_lba, form=MainForm.ZERO)
    after = Region(lba=END, sectors=of.end_lba - END, form=MainForm.ZERO)
    made = replace(image(of), main=(before, sound, after))
    assert found(made, Feature.PREGAPS) == ["track 2: what is recorded in its pregap (at LBA 449)"]
    assert found(made, Feature.PREGAPS, Feature.PREGAP_DATA) == []
    rows[449:] = 0
    rows[450, 7] = 1
    silent_gap = replace(made, main=(before, replace(sound, source=ArraySource(rows)), after))
    assert found(silent_gap, Feature.PREGAPS) == []
