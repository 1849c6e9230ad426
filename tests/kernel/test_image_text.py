"""CD-TEXT in the lead-in of images: as cdrdao writes it, as the raw reader finds it."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import rawcd
from rawcd.cdtext import CDText, Charset, TextBlock, TextItem
from rawcd.disc import CopySetting, Disc, Index, Session, Track
from rawcd.errors import AuthoringError, UnsupportedError
from rawcd.image import ImageType, MainForm, Region, RegionImage, SubForm, SubRegion
from rawcd.source import SilenceSource
from rawcd.subcode import Style

if TYPE_CHECKING:
    from pathlib import Path

E_INVALIDARG = 0x80070057
RAW_SECTORS = 22_650 + 300 + 6_750


def disc_of(stream: dict[str, Any], cdtext: CDText | None) -> Disc:
    """The disc of the vectors' TOC file."""
    tracks = (
        Track(
            number=1,
            indexes=(Index(number=0, lba=-150), Index(number=1, lba=0)),
            end_lba=300,
            copy=CopySetting.PERMITTED,
            isrc="USABC2500017",
        ),
        Track(
            number=2,
            indexes=(
                Index(number=0, lba=300),
                Index(number=1, lba=375),
                Index(number=2, lba=555),
            ),
            end_lba=825,
        ),
    )
    session = Session(lead_in_lba=stream["first_lba"], lead_out_lba=825, tracks=tracks)
    return Disc(mcn="1234567890123", cdtext=cdtext, sessions=(session,))


def silent(disc: Disc, **more: Any) -> RegionImage:
    first, count = disc.first_lba, disc.end_lba - disc.first_lba
    return RegionImage(
        disc=disc,
        main=(Region(lba=first, sectors=count, form=MainForm.ZERO),),
        sub=(SubRegion(lba=first, sectors=count, form=SubForm.MADE),),
        **more,
    )


def sub_of(image: RegionImage, lba: int, count: int) -> Any:
    rows = np.empty((count, image.kind.sub_bytes), np.uint8)
    image.read_sub_into(lba, rows)
    return rows


@pytest.fixture
def stream(vectors: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = vectors["raw_dao_streams"][1]
    return found


@pytest.fixture
def cdtext(stream: dict[str, Any]) -> CDText:
    return CDText.from_packs(bytes.fromhex("".join(stream["cdtext_packs"])))


def test_all_subcode_of_cdrdao_s_stream_with_text_comes_out_whole(
    stream: dict[str, Any], cdtext: CDText
) -> None:
    image = silent(disc_of(stream, cdtext), style=Style.preset("cdrdao"))
    assert image.lead_in_packs == bytes.fromhex("".join(stream["cdtext_packs"]))
    rows = sub_of(image, image.first_lba, image.sector_count)
    assert rows[0].tobytes().hex() == stream["leadin_first_sector_sub96"]
    assert rows[1].tobytes().hex() == stream["leadin_second_sector_sub96"]
    assert hashlib.sha256(rows.tobytes()).hexdigest() == stream["sub_sha256"]


def test_text_is_found_in_the_file_alone(
    stream: dict[str, Any], cdtext: CDText, tmp_path: Path
) -> None:
    disc = disc_of(stream, cdtext.of_tracks(1, 2))
    for style in ("standard", "cdrdao"):
        target = tmp_path / f"{style}.raw"
        rawcd.save_image(silent(disc).with_style(style), target)
        opened = rawcd.open_image(target)
        assert not opened.notes
        found = opened.disc.cdtext
        assert found is not None
        assert found.text("title", 2) == "A considerably longer second title, past thirty-six"
        assert found.blocks[1].text("title", 1) == "Erstes Bild"
        if style == "standard":
            assert opened.disc == disc


def test_only_the_lead_in_of_a_raw_image_carries_it(stream: dict[str, Any], cdtext: CDText) -> None:
    image = silent(disc_of(stream, cdtext))
    assert (sub_of(image, -155, 5) & 0x3F).any()
    assert not (sub_of(image, -150, 900) & 0x3F).any()
    assert not (sub_of(image.as_kind(ImageType.COOKED), -200, 60) & 0x3F).any()
    whole = sub_of(image, image.first_lba, 40)
    np.testing.assert_array_equal(
        np.concatenate([sub_of(image, image.first_lba + row, 1) for row in range(40)]), whole
    )


@pytest.mark.parametrize("kind", [ImageType.COOKED, ImageType.PQ_ONLY])
def test_other_kinds_refuse_it_item_by_item(
    stream: dict[str, Any], cdtext: CDText, kind: ImageType, tmp_path: Path
) -> None:
    image = silent(disc_of(stream, cdtext))
    with pytest.raises(UnsupportedError, match=r"make it a RAW image \(--type raw\)") as caught:
        rawcd.save_image(image.as_kind(kind), tmp_path / "a.raw")
    german = f"CD-TEXT block 2 in German ({len(cdtext.blocks[1].items)} texts)"
    expected = {"CD-TEXT title", "track 1: CD-TEXT title", "track 2: CD-TEXT title", german}
    assert expected <= set(caught.value.lost)
    assert f"type {kind.name}" in str(caught.value)
    assert not list(tmp_path.iterdir())
    result = rawcd.save_image(image.as_kind(kind), tmp_path / "a.raw", allow_loss=True)
    assert tuple(map(str, result.losses)) == caught.value.lost
    assert rawcd.open_image(tmp_path / "a.raw").disc.cdtext is None
    assert not rawcd.save_image(image, tmp_path / "a.raw", replace=True).losses


def titled(text: str, charset: int = Charset.ISO_8859_1) -> CDText:
    items = (TextItem(field="title", track=1, text=text),)
    return CDText(blocks=(TextBlock(items=items, charset=charset),))


def test_a_character_that_cannot_be_held_is_named_and_may_be_replaced(
    stream: dict[str, Any], tmp_path: Path
) -> None:
    image = silent(disc_of(stream, titled("Dvo\u0159\u00e1k")))
    with pytest.raises(UnsupportedError, match=r"title of track 1.*\u0159.*U\+0159") as caught:
        rawcd.save_image(image, tmp_path / "a.raw")
    assert "U+0159" in " ".join(caught.value.lost)
    assert list(tmp_path.iterdir()) == []
    rawcd.save_image(image, tmp_path / "a.raw", allow_loss=True)
    found = rawcd.open_image(tmp_path / "a.raw").disc.cdtext
    assert found is not None
    assert found.text("title", 1) == "Dvor\u00e1k"


def test_damaged_text_is_outvoted_and_noted(
    stream: dict[str, Any], cdtext: CDText, tmp_path: Path
) -> None:
    image = silent(disc_of(stream, cdtext.of_tracks(1, 2)))
    rawcd.save_image(image, tmp_path / "a.raw")
    data = bytearray((tmp_path / "a.raw").read_bytes())
    for sector in range(0, 1000, 3):  # a third of all copies
        data[sector * 2448 + 2352 + 17] ^= 0x15
    (tmp_path / "b.raw").write_bytes(data)
    opened = rawcd.open_image(tmp_path / "b.raw")
    assert opened.disc == image.disc
    assert not [note for note in opened.notes if note.code != "cdtext-damaged"]


# -- the creator -------------------------------------------------------------------------------


def creator(kind: ImageType) -> rawcd.RawCDImageCreator:
    made = rawcd.RawCDImageCreator()
    made.add_track(SilenceSource(block_count=300))
    made.resulting_image_type = kind
    made.cdtext = titled("One")
    return made


def test_the_creator_takes_text_for_raw_images_alone() -> None:
    image = creator(ImageType.RAW).create_result_image()
    assert CDText.from_packs(image.lead_in_packs).text("title", 1) == "One"
    for kind in (ImageType.COOKED, ImageType.PQ_ONLY):
        made = creator(kind)
        with pytest.raises(AuthoringError, match=f"{kind.name} has none") as caught:
            made.create_result_image()
        assert (caught.value.hresult, caught.value.rule) == (E_INVALIDARG, "cdtext-needs-raw")
        made.cdtext = None
        made.create_result_image()


def test_text_and_r_w_in_the_lead_in_exclude_each_other() -> None:
    rows = np.zeros((RAW_SECTORS, 96), np.uint8)
    rows[22_650:, 5] = 0x2A
    made = creator(ImageType.RAW)
    made.add_subcode_rw_generator(rows)
    image = made.create_result_image()
    assert (sub_of(image, 0, 3) & 0x3F)[:, 5].tolist() == [0x2A] * 3
    assert CDText.from_packs(image.lead_in_packs).text("title", 1) == "One"
    assert (sub_of(image, -22_650, 1) & 0x3F).any()

    rows[100, 7] = 1
    made = creator(ImageType.RAW)
    made.add_subcode_rw_generator(rows)
    with pytest.raises(AuthoringError, match="not zero at LBA -22550") as caught:
        made.create_result_image()
    assert (caught.value.hresult, caught.value.rule) == (E_INVALIDARG, "cdtext-and-rw")


def test_the_creator_names_a_character_that_cannot_be_held() -> None:
    made = creator(ImageType.RAW)
    made.cdtext = titled("\u0416")
    with pytest.raises(UnsupportedError, match=r"U\+0416"):
        made.create_result_image()
    made.cdtext = titled("fine")  # it stays writable
    made.create_result_image()
    near = rawcd.RawCDImageCreator(style=replace(Style(), text_errors="replace"))
    near.add_track(SilenceSource(block_count=300))
    near.resulting_image_type = ImageType.RAW
    near.cdtext = titled("\u0416")
    assert near.create_result_image().lead_in_packs


@pytest.mark.parametrize("wrong", ["Title", b"", TextBlock()])
def test_a_creator_refuses_what_is_no_cdtext(wrong: Any) -> None:
    creator = rawcd.RawCDImageCreator()
    with pytest.raises(AuthoringError, match="is no CDText") as caught:
        creator.cdtext = wrong
    assert caught.value.hresult == rawcd.HResult.E_INVALIDARG
    assert creator.cdtext is None
