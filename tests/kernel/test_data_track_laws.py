"""What holds for every disc of data tracks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rawcd import (
    DiscType,
    ImageType,
    RawCDImageCreator,
    SectorType,
    TrackMode,
    UnsupportedError,
    main_sectors,
    open_image,
    save_image,
)
from tests.contract.format_contract import assert_same_bytes, assert_same_main, folder, scaled
from tests.data_tracks import (
    COOKED,
    LENGTH,
    LOOKED_AT,
    assert_right,
    each_block,
    image_of,
    plain,
    track_blocks,
)
from tests.oracles.blocks import SIZES, sector
from tests.strategies import cuts

if TYPE_CHECKING:
    from pathlib import Path

    from rawcd import RegionImage


@st.composite
def data_images(draw: st.DrawFn) -> RegionImage:
    """Discs of up to three data tracks that go together, in blocks of any size."""
    creator = RawCDImageCreator()
    creator.disable_gapless_audio = draw(st.booleans())
    creator.resulting_image_type = draw(st.sampled_from(ImageType))
    family = draw(st.sampled_from([["MODE_ZERO"], ["MODE1"], COOKED[2:]]))
    for _ in range(draw(st.integers(1, 3))):
        kind = draw(st.sampled_from(family))
        size = draw(st.sampled_from([size for size in SIZES[kind] if size < 2352]))
        count = draw(st.integers(1, LENGTH))
        creator.add_track(
            b"".join(track_blocks(kind, size)[-count:]),
            SectorType[kind],
            block_size=size,
            pad_short=True,
            pregap=draw(st.none() | st.integers(150, 400)),
        )
    return creator.create_result_image()


@settings(max_examples=scaled(25))
@given(data_images(), st.data())
def test_reading_in_any_cuts_gives_the_same_bytes(image: RegionImage, data: st.DataObject) -> None:
    borders = [region.lba for region in image.main]
    lba = max(image.first_lba, data.draw(st.sampled_from(borders)) - data.draw(st.integers(0, 90)))
    count = data.draw(st.integers(0, min(600, image.disc.end_lba - lba)))
    whole = image.read(lba, count)
    pieces, position = [], lba
    for cut in data.draw(cuts(count)):
        pieces.append(image.read(position, cut))
        position += cut
    assert b"".join(pieces) == whole
    with image.open() as stream:
        stream.seek((lba - image.first_lba) * image.sector_size)
        assert b"".join(stream.read(cut) for cut in data.draw(cuts(len(whole)))) == whole


@settings(max_examples=scaled(25))
@given(data_images())
def test_every_sector_of_a_disc_is_right(image: RegionImage) -> None:
    mode = image.disc.tracks[0].mode
    kind = {0: "MODE_ZERO", 1: "MODE1"}.get(mode)
    if kind is not None:
        assert_right(image, -1_000, image.disc.end_lba, kind)
        return
    for region in image.main:  # of mode 2 each track and gap may be of another form
        assert region.sector_type is not None
        last = region.lba + region.sectors
        assert_right(image, max(region.lba, last - 700), last, region.sector_type.name)


@settings(max_examples=scaled(8))
@given(data_images())
def test_a_raw_image_comes_back(image: RegionImage) -> None:
    with folder() as place:
        save_image(image, place / "disc.raw")
        opened = open_image(place / "disc.raw")
        assert opened.disc == image.disc
        assert_same_bytes(image, opened)


@settings(max_examples=scaled(12))
@given(data_images())
def test_a_sheet_comes_back_or_says_why_not(image: RegionImage) -> None:
    mode_0 = image.disc.tracks[0].mode is TrackMode.MODE0
    formless = (
        image.disc.tracks[0].mode is TrackMode.MODE2
        and image.disc.sessions[0].disc_type is DiscType.CDDA_CDROM
    )
    with folder() as place:
        if mode_0 or formless:
            # Sheets know no mode 0, and call every disc of mode 2 XA or CD-I.
            with pytest.raises(UnsupportedError) as caught:
                save_image(image, place / "disc.cue")
            word = "mode 0" if mode_0 else "disc type CDDA_CDROM"
            assert word in str(caught.value)
            assert not list(place.iterdir())
            save_image(image, place / "disc.cue", allow_loss=True)
        else:
            save_image(image, place / "disc.cue")
        opened = open_image(place / "disc.cue")
        if not mode_0 and not formless:
            assert opened.disc == image.disc
        assert_same_main(image, opened, 0, image.disc.sessions[0].lead_out_lba)


@each_block
def test_each_block_in_a_raw_image_and_back(tmp_path: Path, kind: str, size: int) -> None:
    image = image_of(kind, size)
    save_image(image, tmp_path / "disc.raw")
    opened = open_image(tmp_path / "disc.raw")
    assert opened.disc == image.disc
    assert main_sectors(opened, 0, LENGTH).tobytes() == plain(image, 0, LENGTH)
    for lba in LOOKED_AT:
        assert plain(opened, lba) == sector(kind, track_blocks(kind, size)[lba], lba)


def test_a_disc_of_whole_sectors_of_a_raw_image_is_the_same(tmp_path: Path) -> None:
    """Out to a sheet, and its BIN in again as whole sectors."""
    image = image_of("MODE2MIXED", 2332)
    save_image(image, tmp_path / "disc.cue")
    creator = RawCDImageCreator()
    creator.resulting_image_type = image.kind
    creator.add_track(tmp_path / "disc.bin", SectorType.MODE2MIXED, block_size=2352)
    assert_same_bytes(creator.create_result_image(), image)
