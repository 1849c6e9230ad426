"""Tracks of mode CDG: sound with its R-W subcode, 2,448 bytes a sector."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from rawcd.cdg import CdgFile
from rawcd.disc import Disc, Index, Session, Track, TrackMode
from rawcd.errors import FormatError, UnsupportedError
from rawcd.graphics import with_graphics
from rawcd.image import ImageType, MainForm, Region, RegionImage, SubForm, SubRegion, main_sectors
from rawcd.plugins import open_image, save_image
from rawcd.sector import SectorType, encode
from rawcd.source import ArraySource
from rawcd_formats.cue.commands import TrackStart, parse
from tests.contract.format_contract import folder, plain_disc, scaled, with_rw
from tests.strategies import image_of, noise_rows

if TYPE_CHECKING:
    from pathlib import Path

    from rawcd.source import Bytes2D

RW = 0x3F
BIN_SECTOR = 2448


def disc_of(*lengths: int, modes: tuple[TrackMode, ...] = ()) -> Disc:
    """Tracks of these lengths, butted together."""
    tracks, start = [], 0
    for place, length in enumerate(lengths):
        indexes = [Index(number=1, lba=start)]
        if not place:
            indexes.insert(0, Index(number=0, lba=-150))
        mode = modes[place] if modes else TrackMode.AUDIO
        end = start + length
        tracks.append(Track(number=place + 1, mode=mode, indexes=tuple(indexes), end_lba=end))
        start = end
    return Disc(sessions=(Session(tracks=tuple(tracks), lead_out_lba=start),))


def sung(image: RegionImage, lba: int, rows: Bytes2D, *, packed: bool = False) -> RegionImage:
    """The image with R-W from an LBA on."""
    whole = np.zeros((image.sector_count, 96), np.uint8)
    whole[lba - image.first_lba :][: len(rows)] = rows & RW
    source = ArraySource(whole.tobytes(), block_size=96)
    region = SubRegion(
        lba=image.first_lba,
        sectors=image.sector_count,
        form=SubForm.RW,
        source=source,
        rw_packed=packed,
    )
    return replace(image, sub=(region,))


def modes_of(sheet: Path) -> list[str]:
    commands = parse(sheet.read_bytes(), sheet.name)
    return [command.mode for command in commands if isinstance(command, TrackStart)]


def sub_of(image: RegionImage, lba: int, count: int) -> Bytes2D:
    rows = np.empty((count, image.kind.sub_bytes), np.uint8)
    image.read_sub_into(lba, rows)
    return rows


# -- laws --------------------------------------------------------------------------------------


@settings(max_examples=scaled(15))
@given(
    st.lists(st.integers(300, 340), min_size=1, max_size=4),
    st.integers(0, 255),
    st.booleans(),
    st.data(),
)
def test_r_w_of_any_tracks_comes_back(
    lengths: list[int], seed: int, packed: bool, data: st.DataObject
) -> None:
    """Whichever tracks have it, and wherever in them; in the form of the disc and as packs."""
    image = image_of(disc_of(*lengths))
    end = sum(lengths)
    first = data.draw(st.integers(0, end - 1))
    count = data.draw(st.integers(1, end - first))
    assume(not packed or first + count <= end - 2)  # else it goes on into the lead-out
    image = sung(image, first, noise_rows(count, 96, seed=seed), packed=packed)
    with folder() as place:
        save_image(image, place / "a.cue")
        opened = open_image(place / "a.cue")
        assert isinstance(opened, RegionImage)
        assert opened.disc == image.disc
        assert "CDG" in modes_of(place / "a.cue")
        np.testing.assert_array_equal(
            sub_of(opened, opened.first_lba, opened.sector_count),
            sub_of(image.as_kind(ImageType.RAW), image.first_lba, image.sector_count),
        )
        np.testing.assert_array_equal(main_sectors(opened, 0, end), main_sectors(image, 0, end))


# -- writing -----------------------------------------------------------------------------------


def test_sectors_of_the_bin_are_those_of_the_disc(tmp_path: Path) -> None:
    """P and Q are there too, for readers that take them."""
    image = with_rw(image_of(plain_disc()))
    save_image(image, tmp_path / "a.cue")
    assert modes_of(tmp_path / "a.cue") == ["CDG", "CDG"]
    assert (tmp_path / "a.bin").read_bytes() == image.read(0, 600)


def test_only_tracks_with_r_w_are_of_the_mode(tmp_path: Path) -> None:
    image = sung(image_of(disc_of(300, 310, 320)), 400, noise_rows(50, 96))
    save_image(image, tmp_path / "a.cue")
    assert modes_of(tmp_path / "a.cue") == ["AUDIO", "CDG", "AUDIO"]
    assert (tmp_path / "a.bin").stat().st_size == 2352 * (300 + 320) + BIN_SECTOR * 310
    with open_image(tmp_path / "a.cue").open() as ours, image.open() as theirs:
        assert ours.read() == theirs.read()


def test_what_interleave_carries_over_makes_the_next_track_one(tmp_path: Path) -> None:
    packs = np.zeros((300, 96), np.uint8)
    packs[299] = 0x15
    image = sung(image_of(disc_of(300, 310)), 0, packs, packed=True)
    save_image(image, tmp_path / "a.cue")
    assert modes_of(tmp_path / "a.cue") == ["CDG", "CDG"]
    opened = open_image(tmp_path / "a.cue")
    assert isinstance(opened, RegionImage)
    taken_apart = sub_of(opened.as_kind(ImageType.COOKED), 299, 1)[0].reshape(4, 24) & RW
    assert (taken_apart[:, 4:20] == 0x15).all()


def test_cd_g_survives_a_sheet(tmp_path: Path) -> None:
    packs = noise_rows(4 * 290, 24, seed=5) & RW
    packs[:, 0] = 0x09
    image = with_graphics(image_of(plain_disc()), {1: CdgFile(packs.tobytes())})
    save_image(image.as_kind(ImageType.COOKED), tmp_path / "a.cue")
    save_image(image, tmp_path / "b.cue")
    assert (tmp_path / "a.bin").read_bytes() == (tmp_path / "b.bin").read_bytes()
    opened = open_image(tmp_path / "a.cue")
    assert isinstance(opened, RegionImage)
    found = sub_of(opened.as_kind(ImageType.COOKED), 0, 290).reshape(-1, 24) & RW
    np.testing.assert_array_equal(found[:, [0, 1, *range(4, 20)]], packs[:, [0, 1, *range(4, 20)]])


def test_r_w_that_no_track_of_the_sheet_holds_is_refused_by_name(tmp_path: Path) -> None:
    packs = np.full((600, 96), 0x15, np.uint8)
    image = sung(image_of(plain_disc()), 0, packs, packed=True)
    with pytest.raises(UnsupportedError) as caught:
        save_image(image, tmp_path / "a.cue")
    assert caught.value.lost == ("R-W subcode of the lead-out from LBA 600 on",)
    save_image(image, tmp_path / "a.cue", allow_loss=True)
    assert modes_of(tmp_path / "a.cue") == ["CDG", "CDG"]
    before = sung(image_of(plain_disc()), -2, packs[:2])
    with pytest.raises(UnsupportedError, match="first pregap from LBA -2 on"):
        save_image(before, tmp_path / "b.cue")


def mixed(rw_from: int) -> RegionImage:
    disc = disc_of(310, 320, modes=(TrackMode.AUDIO, TrackMode.MODE1))
    rows = encode(SectorType.MODE1, noise_rows(320, 2048), 310)
    end = disc.end_lba
    main = (
        Region(lba=disc.first_lba, sectors=-disc.first_lba, form=MainForm.ZERO),
        Region(lba=0, sectors=310, form=MainForm.DISC, source=ArraySource(noise_rows(310))),
        Region(
            lba=310,
            sectors=320,
            form=MainForm.PLAIN,
            source=ArraySource(rows),
            sector_type=SectorType.MODE1,
        ),
        Region(lba=630, sectors=end - 630, form=MainForm.ZERO),
    )
    return sung(replace(image_of(disc), main=main), rw_from, noise_rows(100, 96))


def test_sung_sound_and_data_share_a_bin(tmp_path: Path) -> None:
    image = mixed(100)
    for size in ("2352", "2048"):
        save_image(image, tmp_path / f"{size}.cue", options={"sector-size": size})
        assert modes_of(tmp_path / f"{size}.cue") == ["CDG", f"MODE1/{size}"]
        opened = open_image(tmp_path / f"{size}.cue")
        assert opened.read(0, 630) == image.read(0, 630)


def test_r_w_of_a_data_track_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedError) as caught:
        save_image(mixed(300), tmp_path / "a.cue")
    assert caught.value.lost == ("track 2: R-W subcode from LBA 310 on",)
    result = save_image(mixed(300), tmp_path / "a.cue", allow_loss=True)
    assert tuple(map(str, result.losses)) == caught.value.lost


def test_an_image_of_16_bytes_has_no_r_w_to_write(tmp_path: Path) -> None:
    image = with_rw(image_of(plain_disc())).as_kind(ImageType.PQ_ONLY)
    with pytest.raises(UnsupportedError, match=r"--type raw"):
        save_image(image, tmp_path / "a.cue")
    save_image(image, tmp_path / "a.cue", allow_loss=True)
    assert modes_of(tmp_path / "a.cue") == ["AUDIO", "AUDIO"]


# -- reading -----------------------------------------------------------------------------------


def sheet_over(place: Path, rows: Bytes2D, *, kind: str = "BINARY", name: str = "s.bin") -> Path:
    (place / name).write_bytes(rows.tobytes())
    text = f'FILE "{name}" {kind}\nTRACK 01 CDG\nINDEX 01 00:00:00\nINDEX 02 00:02:00\n'
    (place / "s.cue").write_text(text, encoding="ascii")
    return place / "s.cue"


def test_p_and_q_of_the_file_are_not_taken(tmp_path: Path) -> None:
    """The sheet says all of them; some writers leave zeros there."""
    rows = noise_rows(300, BIN_SECTOR)
    opened = open_image(sheet_over(tmp_path, rows))
    assert isinstance(opened, RegionImage)
    np.testing.assert_array_equal(main_sectors(opened, 0, 300), rows[:, :2352])
    found = sub_of(opened, 0, 300)
    np.testing.assert_array_equal(found & RW, rows[:, 2352:] & RW)
    made = image_of(opened.disc)
    np.testing.assert_array_equal(found & 0xC0, sub_of(made, 0, 300) & 0xC0)
    assert not (sub_of(opened, opened.first_lba, 22_650) & RW).any()
    assert opened.disc.tracks[0].indexes[-1] == Index(number=2, lba=150)


def test_a_pregap_that_no_file_holds_has_none(tmp_path: Path) -> None:
    sheet = sheet_over(tmp_path, noise_rows(300, BIN_SECTOR))
    text = sheet.read_text().replace("CDG\n", "CDG\nPREGAP 00:02:00\n")
    sheet.write_text(text, encoding="ascii")
    opened = open_image(sheet)
    assert isinstance(opened, RegionImage)
    assert opened.disc.tracks[0].start_lba == 150
    assert not (sub_of(opened, 0, 150) & RW).any()
    np.testing.assert_array_equal(
        sub_of(opened, 150, 300) & RW, noise_rows(300, BIN_SECTOR)[:, 2352:] & RW
    )


@pytest.mark.parametrize("rest", [1, 2352, 2447])
def test_a_file_of_no_whole_sectors_is_refused(tmp_path: Path, rest: int) -> None:
    sheet = sheet_over(tmp_path, noise_rows(300, BIN_SECTOR))
    with (tmp_path / "s.bin").open("ab") as file:
        file.write(bytes(rest))
    with pytest.raises(FormatError, match=rf"sectors of 2448 bytes: {rest} remain"):
        open_image(sheet)


@pytest.mark.parametrize(
    ("kind", "says"),
    [("WAVE", "they are in BINARY files alone"), ("MOTOROLA", "which bytes are swapped")],
)
def test_other_files_have_no_r_w(tmp_path: Path, kind: str, says: str) -> None:
    sheet = sheet_over(tmp_path, noise_rows(300, BIN_SECTOR), kind=kind)
    with pytest.raises(FormatError, match=says) as caught:
        open_image(sheet)
    assert str(caught.value).startswith(f"{sheet}: line 1: ")
