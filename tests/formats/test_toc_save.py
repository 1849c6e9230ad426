"""An image as a TOC file and one BIN."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given

from rawcd.disc import CopySetting
from rawcd.errors import UnsupportedError
from rawcd.features import Feature
from rawcd.fileset import FileTransaction, InputFiles
from rawcd.image import ImageType, RegionImage, SubForm, SubRegion, main_sectors
from rawcd.source import ArraySource
from rawcd_formats.toc import TocFormat
from rawcd_formats.toc import values as toc
from rawcd_formats.toc.grammar import parse
from tests.contract.format_contract import (
    FormatContract,
    folder,
    image_with,
    plain_disc,
)
from tests.strategies import discs, image_of, images, noise_rows

if TYPE_CHECKING:
    from pathlib import Path

    from hypothesis import strategies as st

    from rawcd.disc import Disc
    from rawcd.source import Bytes2D


def without_scms(disc: Disc) -> Disc:
    def known(copy: CopySetting) -> CopySetting:
        return CopySetting.PROHIBITED if copy is CopySetting.SCMS else copy

    session = disc.sessions[0]
    tracks = tuple(replace(track, copy=known(track.copy)) for track in session.tracks)
    return replace(disc, sessions=(replace(session, tracks=tracks),))


def fitting(disc: Disc) -> bool:
    """Whether CD-TEXT packs could hold its texts."""
    try:
        image_of(disc).check_text()
    except UnsupportedError:
        return False
    return True


class TestContract(FormatContract):
    name = "toc"
    examples = 40

    def discs(self) -> st.SearchStrategy[Disc]:
        return discs().map(without_scms).filter(fitting)


def saved(image: RegionImage, place: Path) -> tuple[toc.Sheet, bytes]:
    path = place / "x.toc"
    with FileTransaction(path) as files:
        TocFormat().save(image, files, {}, None)
        files.commit()
    assert sorted(each.name for each in place.iterdir()) == ["x.bin", "x.toc"]
    return parse(path.read_bytes(), "x.toc"), (place / "x.bin").read_bytes()


def loaded(place: Path) -> RegionImage:
    return TocFormat().load(InputFiles(place / "x.toc"))


def sub_rows(image: RegionImage, lba: int, count: int) -> Bytes2D:
    rows = np.empty((count, 96), np.uint8)
    image.read_sub_into(lba, rows)
    return rows & np.uint8(0x3F)


def with_rw(first: int, sectors: int, kind: ImageType = ImageType.RAW) -> RegionImage:
    """`plain_disc` with R-W in some sectors, packs or final as the kind has them."""
    disc = plain_disc()
    source = ArraySource(noise_rows(sectors, 96).tobytes(), block_size=96)
    made = SubForm.MADE
    end = first + sectors
    sub = (
        SubRegion(lba=disc.first_lba, sectors=first - disc.first_lba, form=made),
        SubRegion(
            lba=first,
            sectors=sectors,
            form=SubForm.RW,
            source=source,
            rw_packed=kind is ImageType.COOKED,
        ),
        SubRegion(lba=end, sectors=disc.end_lba - end, form=made),
    )
    return replace(image_of(disc, kind=kind), sub=sub)


# -- the BIN and the sheet ---------------------------------------------------------------------


@given(images(discs(max_tracks=3, titles=False)))
def test_sound_is_one_bin_with_the_high_byte_first(image: RegionImage) -> None:
    lead_out = image.disc.sessions[0].lead_out_lba
    with folder() as place:
        sheet, data = saved(image, place)
    main = main_sectors(image, 0, lead_out)
    assert data == main.view("<u2").astype(">u2").tobytes()
    assert sheet.disc_type == "CD_DA"
    position = 0
    for track, described in zip(image.disc.tracks, sheet.tracks, strict=True):
        first, *rest = described.parts
        length = toc.Amount(track.end_lba - position, True)
        start = toc.Amount(position, bool(position))
        assert first == toc.SoundFile("x.bin", start, length)
        gap = track.start_lba - position
        assert rest == ([toc.Start(gap)] if gap else [])
        above = [index.lba - track.start_lba for index in track.indexes if index.number > 1]
        assert [index.frames for index in described.indexes] == above
        position = track.end_lba


def test_data_is_whole_sectors_unscrambled(tmp_path: Path) -> None:
    image = image_with(Feature.DATA_TRACKS)
    sheet, data = saved(image, tmp_path)
    assert data[: 300 * 2352] == main_sectors(image, 0, 300).tobytes()
    assert sheet.disc_type == "CD_ROM"
    assert sheet.tracks[0].mode == "MODE1_RAW"
    assert sheet.tracks[0].parts == (toc.DataFile("x.bin", toc.Amount(300, True)),)


def test_a_whole_file(tmp_path: Path) -> None:
    disc = plain_disc(mcn="2000000001234", first_number=4)
    saved(image_of(disc), tmp_path)
    assert (tmp_path / "x.toc").read_bytes() == (
        b'CD_DA\nCATALOG "2000000001234"\nFIRST_TRACK_NO 4\n'
        b"\nTRACK AUDIO\nNO COPY\nNO PRE_EMPHASIS\nTWO_CHANNEL_AUDIO\n"
        b'FILE "x.bin" 0 00:04:00\n'
        b"\nTRACK AUDIO\nNO COPY\nNO PRE_EMPHASIS\nTWO_CHANNEL_AUDIO\n"
        b'FILE "x.bin" 00:04:00 00:04:00\n'
    )


# -- R-W ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [ImageType.RAW, ImageType.COOKED])
@pytest.mark.parametrize(
    ("first", "sectors", "which"),
    [(10, 20, [True, False]), (290, 20, [True, True]), (400, 200, [False, True])],
)
def test_only_tracks_with_r_to_w_have_subcode(
    tmp_path: Path, kind: ImageType, first: int, sectors: int, which: list[bool]
) -> None:
    image = with_rw(first, sectors, kind)
    sheet, data = saved(image, tmp_path)
    word = "RW" if kind is ImageType.COOKED else "RW_RAW"
    assert [track.subchannel for track in sheet.tracks] == [word if has else None for has in which]
    assert len(data) == sum(300 * (2448 if has else 2352) for has in which)
    back = loaded(tmp_path).as_kind(kind)
    np.testing.assert_array_equal(sub_rows(back, 0, 600), sub_rows(image, 0, 600))
    np.testing.assert_array_equal(main_sectors(back, 0, 600), main_sectors(image, 0, 600))
    if which[0]:
        rows = np.frombuffer(data[: 300 * 2448], np.uint8).reshape(300, 2448)
        assert not (rows[:, 2352:] & 0xC0).any()  # P and Q are not in it


def test_packs_become_the_same_symbols_by_way_of_a_cooked_file(tmp_path: Path) -> None:
    """Packs over the border of two tracks: interleave goes on."""
    image = with_zeros_behind(with_rw(280, 60, ImageType.COOKED))
    saved(image, tmp_path)
    back = loaded(tmp_path)
    np.testing.assert_array_equal(
        sub_rows(back, 0, 600), sub_rows(image.as_kind(ImageType.RAW), 0, 600)
    )


def test_packs_that_interleave_carries_into_the_next_track_are_kept(tmp_path: Path) -> None:
    image = with_zeros_behind(with_rw(280, 20, ImageType.COOKED)).as_kind(ImageType.RAW)
    assert sub_rows(image, 300, 7).any()
    sheet, _ = saved(image, tmp_path)
    assert [track.subchannel for track in sheet.tracks] == ["RW_RAW", "RW_RAW"]
    np.testing.assert_array_equal(sub_rows(loaded(tmp_path), 0, 600), sub_rows(image, 0, 600))


def with_zeros_behind(image: RegionImage) -> RegionImage:
    """The image of `with_rw` with ten sectors of no packs behind the others."""
    before, region, after = image.sub
    assert region.source is not None
    data = region.source.read(0, region.sectors) + bytes(96 * 10)
    source = ArraySource(data, block_size=96)
    longer = replace(region, sectors=region.sectors + 10, source=source)
    return replace(
        image,
        sub=(before, longer, replace(after, lba=after.lba + 10, sectors=after.sectors - 10)),
    )


def test_a_data_track_with_subcode_is_unscrambled(tmp_path: Path) -> None:
    plain = image_with(Feature.DATA_TRACKS)
    image = replace(plain, sub=with_rw(10, 20).sub)
    sheet, _ = saved(image, tmp_path)
    assert sheet.tracks[0].subchannel == "RW_RAW"
    back = loaded(tmp_path)
    np.testing.assert_array_equal(main_sectors(back, 0, 600), main_sectors(plain, 0, 600))
    np.testing.assert_array_equal(sub_rows(back, 0, 600), sub_rows(image, 0, 600))


# -- refusals ----------------------------------------------------------------------------------


def test_a_sheet_that_is_its_own_bin_is_refused(tmp_path: Path) -> None:
    with FileTransaction(tmp_path / "x.bin") as files, pytest.raises(UnsupportedError, match="BIN"):
        TocFormat().save(image_of(plain_disc()), files, {}, None)


@pytest.mark.parametrize("stem", ['a "quoted" one', "back\\slash", "ünïcode", "a\nb"])
def test_names_come_back(tmp_path: Path, stem: str) -> None:
    path = tmp_path / f"{stem}.toc"
    image = image_of(plain_disc())
    with FileTransaction(path) as files:
        TocFormat().save(image, files, {}, None)
        files.commit()
    assert TocFormat().load(InputFiles(path)).disc == image.disc
