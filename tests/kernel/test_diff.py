"""Two images compared as discs: what was planted is found, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import rawcd
from rawcd import (
    ArraySource,
    CancelledError,
    CDText,
    CopySetting,
    Disc,
    Index,
    Msf,
    RawCDImageCreator,
    RegionImage,
    SectorType,
    StorageError,
    TextBlock,
    TextItem,
    diff_images,
    main_sectors,
)
from rawcd.cdg import CdgFile, MemoryPreset, write_cdg
from rawcd.cdtext import RawPack, TextInterval, TextToc
from rawcd.diff import PARTS
from rawcd.graphics import with_graphics
from tests.strategies import discs, image_of, images, noise_rows

if TYPE_CHECKING:
    from collections.abc import Callable

    from rawcd import Comparison, DiscImage, Track
    from rawcd.source import Bytes2D

SMALL = discs(max_tracks=3, lead_ins=[-600], lead_out_sectors=[200])
ROW = 2448


def codes(found: Comparison) -> dict[str, int]:
    return {each.code: each.count for each in found.differences}


@pytest.fixture(scope="module")
def album() -> RegionImage:
    """Two tracks of noise with codes and titles, and an index 2."""
    creator = RawCDImageCreator()
    creator.resulting_image_type = rawcd.ImageType.RAW
    creator.media_catalog_number = "4006381333931"
    for seed in (1, 2):
        creator.add_track(ArraySource(noise_rows(400, seed=seed)))
    creator.track_info(1).isrc = "USRC17607839"
    creator.track_info(2).add_track_index(100)
    items = tuple(TextItem(field="title", track=n, text=f"Song {n}") for n in (1, 2))
    creator.cdtext = CDText(blocks=(TextBlock(items=items),))
    return creator.create_result_image()


@pytest.fixture(scope="module")
def data() -> RegionImage:
    """Data, then sound."""
    creator = RawCDImageCreator()
    creator.resulting_image_type = rawcd.ImageType.RAW
    creator.add_track(noise_rows(300, 2048).tobytes(), SectorType.MODE1)
    creator.add_track(ArraySource(noise_rows(400)))
    return creator.create_result_image()


def with_disc(image: RegionImage, change: Callable[[Disc], Disc]) -> RegionImage:
    return replace(image, disc=change(image.disc))


def with_track(image: RegionImage, number: int, **changes: Any) -> RegionImage:
    def changed(track: Track) -> Track:
        return replace(track, **changes) if track.number == number else track

    (session,) = image.disc.sessions
    tracks = tuple(changed(track) for track in session.tracks)
    return with_disc(image, lambda disc: replace(disc, sessions=(replace(session, tracks=tracks),)))


# -- the same ----------------------------------------------------------------------------------


@settings(max_examples=15)
@given(image=images(SMALL), kind=st.sampled_from(rawcd.ImageType))
def test_a_disc_is_the_same_as_itself_in_any_form(
    image: RegionImage, kind: rawcd.ImageType
) -> None:
    found = diff_images(image, image.as_kind(kind))
    assert found.equal, list(map(str, found.differences))
    assert (found.sectors, found.offset, found.notes) == (image.sector_count, None, ())


def test_a_disc_is_the_same_in_every_format_that_keeps_it(
    album: RegionImage, tmp_path: Path
) -> None:
    for suffix in ("raw", "cue", "toc", "ccd", "nrg"):
        path = tmp_path / suffix / f"a.{suffix}"
        path.parent.mkdir()
        rawcd.save_image(album, path)
        found = diff_images(album, rawcd.open_image(path))
        assert found.equal, (suffix, list(map(str, found.differences)))


def test_what_is_the_same_is_read_once(album: RegionImage) -> None:
    told: list[tuple[int, int]] = []
    assert diff_images(album, album, progress=lambda *now: told.append(now)).equal
    assert told[-1] == (album.sector_count, album.sector_count)
    assert {total for _, total in told} == {album.sector_count}


# -- planted in a file -------------------------------------------------------------------------


@settings(max_examples=20)
@given(
    image=images(discs(max_tracks=2, lead_ins=[-300], lead_out_sectors=[160], titles=False)),
    place=st.floats(0, 1, exclude_max=True),
    byte=st.integers(0, ROW - 1) | st.integers(2352, ROW - 1),
    bit=st.integers(0, 7),
)
def test_one_bit_of_the_file_is_found_where_it_is(
    image: RegionImage, place: float, byte: int, bit: int
) -> None:
    """The model says the same of both: only the bytes can tell."""
    sector = int(place * image.sector_count)
    lba = image.first_lba + sector
    with TemporaryDirectory() as folder:
        path = Path(folder) / "a.raw"
        rawcd.save_image(image, path)
        before = rawcd.open_image(path)
        assert isinstance(before, RegionImage)
        held = bytearray(path.read_bytes())
        held[sector * ROW + byte] ^= 1 << bit
        path.with_name("b.raw").write_bytes(held)
        after = rawcd.open_image(path.with_name("b.raw"))
        assert isinstance(after, RegionImage)
        after = replace(after, disc=before.disc)
        for one, other in ((before, after), (after, before)):
            found = diff_images(one, other)
            seen = codes(found)
            assert {each.lba for each in found.differences if each.part != "layout"} == {lba}
            if byte < 2352:
                assert seen == {"sound": 1, "sound-samples": 1}
            elif bit == 7:
                assert seen == {"p": 1}
            elif bit == 6:
                q = {code for code in seen if code.startswith("q-")}
                assert q
                assert set(seen.values()) == {1}
                # One wrong bit makes one frame's CRC wrong, whatever it was.
                assert "q-crc" in q
            else:
                assert seen.pop("rw") == 1
                assert not seen  # one symbol of a pack is mended, and a pack of zeros is


@pytest.fixture(scope="module")
def recorded() -> tuple[RegionImage, Bytes2D]:
    """A short disc, and its subcode as a recording."""
    session = _sound(300).disc.sessions[0]
    short = replace(session, lead_in_lba=-300, lead_out_sectors=160)
    image = image_of(Disc(sessions=(short,)))
    rows = np.empty((image.sector_count, 96), np.uint8)
    image.read_sub_into(image.first_lba, rows)
    return image, rows


@settings(max_examples=25)
@given(data=st.data(), sector=st.sampled_from([0, 100, 300, 455, 599]))
def test_recordings_that_differ_are_never_the_same(
    recorded: tuple[RegionImage, Bytes2D], data: st.DataObject, sector: int
) -> None:
    """Whatever stands there: two frames with wrong CRCs, unknown modes, any junk."""
    image, held = recorded
    sides = []
    for _ in range(2):
        rows = held.copy()
        for byte in data.draw(st.lists(st.integers(0, 95), min_size=1, max_size=4)):
            rows[sector, byte] ^= data.draw(st.sampled_from([0x40, 0x80, 0x01, 0xC0]))
        source = ArraySource(rows, block_size=96)
        region = replace(image.sub[0], form=rawcd.SubForm.RAW, source=source)
        sides.append((rows, replace(image, sub=(region,))))
    (one, first), (other, second) = sides
    same = np.array_equal(one, other)
    assert diff_images(first, second).equal is same
    assert diff_images(first, second, ignore=["layout", "texts"]).equal is same


@pytest.mark.parametrize(
    ("byte", "code"), [(5, "sector-kind"), (13, "data-header"), (16, "data"), (2351, "data")]
)
def test_data_sectors_are_told_field_by_field(data: RegionImage, byte: int, code: str) -> None:
    rows = main_sectors(data, 0, 300).copy()
    rows[7, byte] ^= 1
    stored = [region for region in data.main if region.lba == 0]
    assert [region.sectors for region in stored] == [300]
    changed = replace(
        stored[0], form=rawcd.MainForm.PLAIN, source=ArraySource(rows), start=0, sectors=300
    )
    other = replace(
        data, main=tuple(changed if region is stored[0] else region for region in data.main)
    )
    found = diff_images(data, other)
    assert codes(found) == {code: 1}
    (only,) = found.differences
    assert (only.lba, only.track, str(only.msf)) == (7, 1, "00:02:07")
    assert ": 1 sector, first at LBA 7 (00:02:07, track 1)" in str(only)
    assert found.offset is None


def test_a_symbol_that_is_mended_makes_no_other_pack(tmp_path: Path) -> None:
    write_cdg(tmp_path / "a.cdg", [MemoryPreset(colour=3)] * 900)
    image = with_graphics(_sound(300), {1: CdgFile(tmp_path / "a.cdg")})
    rawcd.save_image(image, tmp_path / "a.raw")
    held = bytearray((tmp_path / "a.raw").read_bytes())
    place = (22_650 + 100) * ROW + 2352
    for at, expected in ((3, {"rw": 1}), (slice(24, 48), {"rw": 1, "rw-packs": 8})):
        wrong = np.array(held)
        wrong[place : place + 96][at] ^= 0x15
        (tmp_path / "b.raw").write_bytes(wrong.tobytes())
        found = diff_images(image, rawcd.open_image(tmp_path / "b.raw"))
        seen = codes(found)
        assert seen.keys() == expected.keys()
        assert seen["rw"] == 1


def _sound(sectors: int) -> RegionImage:
    creator = RawCDImageCreator()
    creator.resulting_image_type = rawcd.ImageType.RAW
    creator.add_track(ArraySource(noise_rows(sectors)))
    return creator.create_result_image()


# -- offsets -----------------------------------------------------------------------------------


def moved(rows: Bytes2D, offset: int) -> Bytes2D:
    """Sound that begins so many samples later, silence coming in, the end cut off."""
    words = rows.reshape(-1).view("<u4")
    new = np.zeros_like(words)
    if offset >= 0:
        new[offset:] = words[: len(words) - offset]
    else:
        new[:offset] = words[-offset:]
    return new.view(np.uint8).reshape(rows.shape)


@settings(max_examples=8)
@given(offset=st.integers(-14_700, 14_700).filter(bool), seed=st.integers(0, 9))
@example(offset=30, seed=0)
@example(offset=-30, seed=0)
@example(offset=14_700, seed=1)
@example(offset=-14_700, seed=1)
@example(offset=1, seed=1)
@example(offset=588, seed=1)
def test_an_offset_is_found_to_the_sample(offset: int, seed: int) -> None:
    image = _sound(400)
    rows = noise_rows(400, seed=seed)
    one, other = (
        image_of(image.disc, source=ArraySource(each)) for each in (rows, moved(rows, offset))
    )
    found = diff_images(one, other)
    assert found.offset is not None
    assert found.offset.samples == offset
    assert found.offset.same_sound
    assert found.offset.different == 0
    assert found.offset.lba is None
    assert abs(offset) - 1 <= found.offset.at_ends <= abs(offset)
    assert not found.equal
    assert codes(found).keys() == {"sound", "sound-samples"}


def test_other_sound_has_no_offset() -> None:
    image = _sound(400)
    one, other = (
        image_of(image.disc, source=ArraySource(noise_rows(400, seed=seed))) for seed in (1, 2)
    )
    found = diff_images(one, other)
    assert codes(found)["sound"] == 400
    assert found.offset is None


def test_what_is_wrong_at_the_offset_is_counted() -> None:
    image = _sound(400)
    rows = noise_rows(400)
    words = moved(rows, 102).copy()
    words[200, 16:20] ^= 0xFF  # one sample
    one, other = (image_of(image.disc, source=ArraySource(each)) for each in (rows, words))
    found = diff_images(one, other)
    assert found.offset is not None
    assert found.offset.samples == 102
    assert not found.offset.same_sound
    assert (found.offset.different, found.offset.at_ends) == (1, 102)
    assert found.offset.lba == (200 * 588 + 4 - 102) // 588


def test_one_wrong_sample_is_no_offset() -> None:
    image = _sound(400)
    rows = noise_rows(400)
    wrong = rows.copy()
    wrong[100, 0] ^= 1
    one, other = (image_of(image.disc, source=ArraySource(each)) for each in (rows, wrong))
    found = diff_images(one, other)
    assert codes(found) == {"sound": 1, "sound-samples": 1}
    assert found.offset is None


def test_data_stay_where_they_are_when_sound_moves(data: RegionImage) -> None:
    first = data.disc.tracks[1].first_lba
    end = data.disc.end_lba
    rows = main_sectors(data, first, end - first, plain=False)
    places = [region for region in data.main if region.lba >= data.disc.tracks[1].start_lba]
    whole = replace(
        places[0],
        sectors=end - places[0].lba,
        form=rawcd.MainForm.DISC,
        source=ArraySource(moved(rows[places[0].lba - first :], 667)),
        start=0,
    )
    kept = tuple(region for region in data.main if region.lba < places[0].lba)
    found = diff_images(data, replace(data, main=(*kept, whole)))
    assert found.offset is not None
    assert (found.offset.samples, found.offset.same_sound) == (667, True)
    assert codes(found).keys() == {"sound", "sound-samples"}


# -- layout and texts --------------------------------------------------------------------------


def test_codes_and_flags_are_told_in_words(album: RegionImage) -> None:
    changed = {
        "catalogue-number": with_disc(album, lambda disc: replace(disc, mcn="4006381333948")),
        "ISRC": with_track(album, 1, isrc="USRC17607840"),
        "track": with_track(album, 2, copy=CopySetting.SCMS),
        "index": with_track(
            album,
            2,
            indexes=(*album.disc.tracks[1].indexes[:-1], Index(number=2, lba=555)),
        ),
    }
    for code, other in changed.items():
        found = diff_images(album, other)
        layout = [each for each in found.differences if each.part == "layout"]
        assert [each.code for each in layout] == [code]
        assert codes(found).keys() - {code} <= {
            "q-mcn",
            "q-isrc",
            "q-control",
            "q-index",
            "q-mode",
            "q-crc",
        }
        only = diff_images(album, other, ignore=["subcode"])
        assert list(only.differences) == layout
        assert diff_images(album, other, ignore=["subcode", "layout"]).equal
    first = diff_images(album, changed["ISRC"]).differences[0]
    assert (first.a, first.b, first.track) == ("USRC17607839", "USRC17607840", 1)
    moved_index = diff_images(album, changed["index"]).differences[0]
    assert (moved_index.a, moved_index.b) == ("LBA 500 (00:08:50)", "LBA 555 (00:09:30)")
    assert moved_index.lba == 500


def test_texts_are_told_item_by_item(album: RegionImage) -> None:
    items = (
        TextItem(field="title", track=1, text="Song 1"),
        TextItem(field="title", track=2, text="Another"),
        TextItem(field="performer", track=2, text="Me"),
    )
    texts = CDText(blocks=(TextBlock(items=items),))
    other = with_disc(album, lambda disc: replace(disc, cdtext=texts))
    found = diff_images(album, other)
    told = {(each.code, each.track): (each.a, each.b) for each in found.differences}
    assert told["title", 2] == ("'Song 2'", "'Another'")
    assert told["performer", 2] == (None, "'Me'")
    assert ("title", 1) not in told
    without = with_disc(album, lambda disc: replace(disc, cdtext=None))
    found = diff_images(album, without, ignore=["subcode"])
    assert {each.part for each in found.differences} == {"texts"}
    assert all(each.b is None for each in found.differences)
    assert diff_images(album, without, ignore=["subcode", "texts"]).equal


def test_of_a_block_that_the_other_lacks_only_what_it_says_is_told(album: RegionImage) -> None:
    without = with_disc(album, lambda disc: replace(disc, cdtext=None))
    found = diff_images(album, without, ignore=["subcode"])
    assert {each.code for each in found.differences} == {"block", "title"}


def test_what_a_block_says_beside_its_texts_is_told_in_words(album: RegionImage) -> None:
    assert album.disc.cdtext is not None
    block = replace(
        album.disc.cdtext.blocks[0],
        genre_code=0x12,
        copyright=3,
        toc=TextToc.from_lbas([0, 400], 800),
        intervals=(TextInterval(track=1, start=Msf(0, 2, 0), end=Msf(0, 4, 0), number=1),),
        raw=(RawPack(pack_type=0x8A, element=2, payload=bytes(range(12))),),
    )
    other = with_disc(album, lambda disc: replace(disc, cdtext=CDText(blocks=(block,))))
    found = diff_images(album, other, ignore=["subcode"])
    assert {each.code: (each.a, each.b) for each in found.differences} == {
        "genre-code": (None, "0012h, Opera"),
        "copyright": (None, "03h"),
        "table-of-contents": (None, "track 1 on at 00:02:00, 00:07:25, lead-out at 00:12:50"),
        "interval": (None, "00:02:00 to 00:04:00 in track 1"),
        "pack": (None, "type 8Ah, element 2, 00 01 02 03 04 05 06 07 08 09 0a 0b"),
    }


def test_another_writer_s_subcode_says_the_same(album: RegionImage) -> None:
    other = album.with_style("cdrdao")
    found = diff_images(album, other)
    assert {each.part for each in found.differences} == {"subcode"}
    assert diff_images(album, other, ignore=["subcode"]).equal


def test_a_longer_disc_is_told(album: RegionImage) -> None:
    found = diff_images(album, album.with_lead_in(-10_000))
    assert found.sectors == album.sector_count - 12_650
    extent = found.differences[0]
    assert (extent.code, extent.a) == ("extent", f"LBA -22650 to {album.disc.end_lba - 1}")
    assert extent.b == f"LBA -10000 to {album.disc.end_lba - 1}"


# -- images of other kinds ---------------------------------------------------------------------


class Bare:
    """An image that is none of ours."""

    def __init__(self, image: DiscImage) -> None:
        self.disc, self.kind, self.notes = image.disc, image.kind, image.notes
        self.first_lba, self.sector_count = image.first_lba, image.sector_count
        self.sector_size = image.sector_size
        self.open = image.open
        self.largest = 0
        self._image = image

    def read(self, lba: int, count: int) -> bytes:
        self.largest = max(self.largest, count)
        return self._image.read(lba, count)


@pytest.mark.parametrize("kind", rawcd.ImageType)
def test_images_that_are_none_of_ours_are_compared_too(
    album: RegionImage, kind: rawcd.ImageType
) -> None:
    bare = Bare(album.as_kind(kind))
    without_text = replace(album, disc=replace(album.disc, cdtext=None))
    found = diff_images(bare, without_text)
    if kind is rawcd.ImageType.RAW:
        assert {each.part for each in found.differences} == {"texts", "subcode"}
        assert found.notes == ()
    else:
        assert found.equal
        assert found.notes == ("the first image has no R-W as on a disc: it was not compared",)
    assert bare.largest <= 4_096


def test_memory_does_not_grow_with_the_disc(album: RegionImage) -> None:
    one, other = Bare(album), Bare(with_track(album, 1, isrc="USRC17607840"))
    assert not diff_images(one, other).equal
    assert max(one.largest, other.largest) <= 2_048


def test_what_may_differ_may_come_from_a_generator(album: RegionImage) -> None:
    other = album.with_style("cdrdao")
    assert diff_images(album, other, ignore=(part for part in ("texts", "subcode"))).equal


def test_misuse_and_stops(album: RegionImage, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="'sound' is none of layout, texts, main, subcode"):
        diff_images(album, album, ignore=["sound"])
    assert diff_images(album, _sound(300), ignore=PARTS).equal
    with pytest.raises(CancelledError):
        diff_images(album, album, progress=lambda done, _: done < 2_000)
    rawcd.save_image(album, tmp_path / "a.raw")
    opened = rawcd.open_image(tmp_path / "a.raw")
    (tmp_path / "a.raw").write_bytes(b"short")
    with pytest.raises(StorageError):
        diff_images(album, opened)
