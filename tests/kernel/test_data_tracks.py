"""Data tracks in the creator: every kind of block, from its source to the disc.

What a sector must be is asked of the slow oracle in `tests/oracles`; codes and addresses are
worked out by hand.
"""

from __future__ import annotations

import hashlib
import io
import os
import struct
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from rawcd import (
    ArraySource,
    CopySetting,
    DiscType,
    RawCDImageCreator,
    SectorType,
    SilenceSource,
    StorageError,
    TrackMode,
)
from tests.data_tracks import (
    COOKED,
    LEAD_IN,
    LEAD_OUT,
    LENGTH,
    LOOKED_AT,
    assert_right,
    creator_of,
    each_block,
    each_kind,
    image_of,
    on_disc,
    plain,
    q_of,
    refused,
    track_blocks,
    track_bytes,
)
from tests.imapi_codes import (
    E_INVALIDARG,
    E_POINTER,
    INSUFFICIENT_SPACE,
    READ_ONLY,
    SECTOR_TYPE_NOT_SUPPORTED,
)
from tests.oracles import sectors as oracle
from tests.oracles.blocks import SIZES, blank, blocks, sector

if TYPE_CHECKING:
    from pathlib import Path

    from rawcd import TrackInfo

# -- every kind and size of block --------------------------------------------------------------


@each_block
def test_blocks_become_sectors(kind: str, size: int) -> None:
    image = image_of(kind, size)
    for lba in LOOKED_AT:
        expected = sector(kind, track_blocks(kind, size)[lba], lba)
        assert plain(image, lba) == expected, lba
        assert on_disc(image, lba) == oracle.scrambled(expected), lba
    assert_right(image, LEAD_IN, LENGTH + LEAD_OUT, kind)


@each_kind
def test_the_disc_says_what_it_is(kind: str) -> None:
    (session,) = image_of(kind, SIZES[kind][0]).disc.sessions
    (track,) = session.tracks
    mode = {"MODE_ZERO": 0, "MODE1": 1, "MODE1RAW": 1}.get(kind, 2)
    assert track.mode is TrackMode(mode)
    assert [(index.number, index.lba) for index in track.indexes] == [(0, -150), (1, 0)]
    assert (track.end_lba, session.lead_out_lba, session.end_lba) == (300, 300, 7_050)
    xa = any(word in kind for word in ("FORM1", "FORM2", "MIXED"))
    assert session.disc_type is (DiscType.XA if xa else DiscType.CDDA_CDROM)


@pytest.mark.parametrize(
    "way",
    [
        *("path", "text path", "bytes", "bytearray", "memoryview", "array", "wider array"),
        *("flat array", "read-only array", "file object", "source"),
    ],
)
@pytest.mark.parametrize(("kind", "size"), [("MODE1", 2048), ("MODE2MIXED", 2332)])
def test_blocks_come_from_anywhere(tmp_path: Path, way: str, kind: str, size: int) -> None:
    data = track_bytes(kind, size)
    path = tmp_path / "blocks.bin"
    path.write_bytes(data)
    array = np.frombuffer(bytearray(data), np.uint8).reshape(-1, size)
    given_: Any = {
        "path": path,
        "text path": str(path),
        "bytes": data,
        "bytearray": bytearray(data),
        "memoryview": memoryview(data),
        "array": array,
        "wider array": np.hstack([array, array])[:, size:],
        "flat array": array.reshape(-1),
        "read-only array": np.frombuffer(data, np.uint8).reshape(-1, size),
        "file object": io.BytesIO(data),
        "source": ArraySource(data, block_size=size),
    }[way]
    creator = RawCDImageCreator()
    creator.add_track(given_, SectorType[kind])
    image = creator.create_result_image()
    for lba in (0, 299):
        assert plain(image, lba) == sector(kind, track_blocks(kind, size)[lba], lba)


@pytest.mark.parametrize("given_size", [None, 2324, 2336])
def test_imapis_block_size_comes_first(given_size: int | None) -> None:
    """584 blocks of 2,324 bytes are 581 of 2,336: IMAPI's size, unless the caller says more."""
    block = bytes.fromhex("0000200000002000")
    data = (block + bytes(2336 - 8)) * 581
    creator = RawCDImageCreator()
    creator.add_track(data, SectorType.MODE2FORM2, block_size=given_size)
    assert creator.start_of_leadout == (584 if given_size == 2324 else 581)


@pytest.mark.parametrize(
    ("kind", "size"),
    [(kind, size) for kind in ("MODE2FORM2", "MODE2MIXED") for size in SIZES[kind]],
)
def test_a_size_that_alone_divides_is_found(kind: str, size: int) -> None:
    creator = RawCDImageCreator()
    creator.add_track(track_bytes(kind, size), SectorType[kind])
    assert creator.start_of_leadout == LENGTH


@pytest.mark.parametrize(
    ("data", "kind", "size", "words"),
    [
        (bytes(2048 * 300 + 5), "MODE1", None, ("300 sectors of 2048", "remainder of 5")),
        (bytes(2048 * 300 - 1), "MODE2FORM1", 2048, ("299 sectors of 2048", "remainder of 2047")),
        (bytes(2352 * 300 + 16), "MODE1RAW", None, ("300 sectors of 2352", "remainder of 16")),
        (bytes(2336 * 300 + 2335), "MODE_ZERO", None, ("300 sectors", "remainder of 2335")),
        (io.BytesIO(bytes(2336 * 300 + 8)), "MODE2FORM0", 2336, ("remainder of 8",)),
        (np.zeros(2048 * 300 + 7, np.uint8), "MODE1", None, ("remainder of 7",)),
        (bytes(2332 * 588), "MODE2MIXED", None, ("2,332 or 2,352", "give block_size")),
        (bytes(2048 * 300), "MODE1", 2047, ("2,048 or 2,352", "not 2047")),
        (bytes(2048 * 300), "MODE1RAW", 2048, ("2,352", "not 2048")),
        (np.zeros((300, 2000), np.uint8), "MODE1", None, ("not 2000",)),
        (SilenceSource(block_count=300, block_size=96), "MODE1", None, ("not 96",)),
    ],
    ids=lambda value: value[-1] if isinstance(value, tuple) else type(value).__name__,
)
def test_what_is_no_whole_blocks(
    data: Any, kind: str, size: int | None, words: tuple[str, ...]
) -> None:
    creator = RawCDImageCreator()
    with refused(E_INVALIDARG, "track 1", *words):
        creator.add_track(data, SectorType[kind], block_size=size)
    assert creator.number_of_existing_tracks == 0


def test_a_file_of_broken_blocks_is_named_by_its_remainder(tmp_path: Path) -> None:
    (tmp_path / "a.iso").write_bytes(bytes(2048 * 400 + 9))
    with refused(E_INVALIDARG, "400 sectors of 2048 bytes and a remainder of 9"):
        RawCDImageCreator().add_track(tmp_path / "a.iso", SectorType.MODE1)


@pytest.mark.parametrize(
    "data", [5, 2.5, object(), np.zeros(2048, np.int16), np.zeros((1, 2048), bool), ["a"]]
)
def test_what_is_no_data(data: Any) -> None:
    with refused(E_INVALIDARG, "track 1"):
        RawCDImageCreator().add_track(data, SectorType.MODE1)


def test_nothing_and_nowhere(tmp_path: Path) -> None:
    creator = RawCDImageCreator()
    with refused(E_POINTER, "no data was given"):
        creator.add_track(None, SectorType.MODE1)
    with pytest.raises(StorageError, match=r"gone\.iso"):
        creator.add_track(tmp_path / "gone.iso", SectorType.MODE1)
    with pytest.raises(StorageError, match="binary mode"):
        creator.add_track(io.StringIO("text"), SectorType.MODE1)
    assert creator.number_of_existing_tracks == 0


def test_a_file_that_changes_is_found_out_when_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.iso"
    path.write_bytes(track_bytes("MODE1", 2048))
    creator = RawCDImageCreator()
    creator.add_track(path, SectorType.MODE1)
    image = creator.create_result_image()
    os.truncate(path, 2048 * 200)
    assert plain(image, -1) == blank("MODE1", -1)
    with pytest.raises(StorageError, match=r"a\.iso"):
        image.read(250, 1)


# -- subheaders --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "size", "subheader"),
    [
        ("MODE2FORM1", 2048, "01020805"),
        ("MODE2FORM1", 2048, "0102080501028805"),
        ("MODE2FORM2", 2324, "01026405"),
        ("MODE2FORM2", 2324, "0102640501022405"),
    ],
)
def test_a_subheader_for_blocks_that_bring_none(kind: str, size: int, subheader: str) -> None:
    given_ = bytes.fromhex(subheader)
    image = image_of(kind, size, subheader=given_)
    eight = given_ if len(given_) == 8 else given_ * 2
    for lba in LOOKED_AT:
        block = track_blocks(kind, size)[lba]
        assert plain(image, lba) == sector(kind, block, lba, eight)
    assert_right(image, LEAD_IN, LENGTH + LEAD_OUT, kind)
    assert plain(image, -1) == blank(kind, -1)  # what is made around has the default


WRONG_SUBHEADERS = [
    ("MODE2FORM1", 2048, bytes(5)),
    ("MODE2FORM1", 2048, bytes.fromhex("00002000")),  # tells form 2
    ("MODE2FORM2", 2324, bytes.fromhex("00000800")),  # tells form 1
    ("MODE2FORM1", 2336, bytes.fromhex("00000800")),  # the blocks bring their own
    ("MODE1", 2048, bytes.fromhex("00000800")),
]


@pytest.mark.parametrize(("kind", "size", "subheader"), WRONG_SUBHEADERS, ids=repr)
def test_a_subheader_that_has_no_place_is_refused(kind: str, size: int, subheader: bytes) -> None:
    with refused(E_INVALIDARG, "track 1", "subheader"):
        image_of(kind, size, subheader=subheader)


# -- around the tracks -------------------------------------------------------------------------


@each_kind
def test_lead_in_pregap_and_lead_out_are_sectors_of_the_track_s_mode(kind: str) -> None:
    """Redbook 5.1; the lead-in's addresses are its own times, up to 99:59:74."""
    image = image_of(kind, SIZES[kind][0])
    for lba, header in (
        (LEAD_IN, "950000"),
        (-11_634, "972666"),
        (-151, "995974"),
        (-150, "000000"),
        (-1, "000174"),
        (300, "000600"),
        (7_049, "013574"),
    ):
        expected = blank(kind, lba)
        assert expected[12:15].hex() == header
        assert plain(image, lba) == expected
        assert on_disc(image, lba) == oracle.scrambled(expected)


@pytest.mark.parametrize("lba", [-45_150, -30_000, -11_634, -151])
def test_a_lead_in_may_begin_elsewhere(lba: int) -> None:
    image = image_of("MODE2FORM1", 2048).with_lead_in(lba)
    assert image.first_lba == lba
    assert plain(image, lba) == blank("MODE2FORM1", lba)
    assert_right(image, lba, 0, "MODE2FORM1")


@pytest.mark.parametrize("kind", COOKED)
def test_gaps_between_data_tracks(kind: str) -> None:
    """150 sectors without content behind a track, and index 0 of the next one at their head."""
    creator = creator_of(kind, kind, kind, gaps=True)
    assert [creator.track_info(n).starting_lba for n in (1, 2, 3)] == [0, 450, 900]
    assert [creator.track_info(n).sector_count for n in (1, 2, 3)] == [300, 300, 300]
    image = creator.create_result_image()
    found = [[(i.number, i.lba) for i in track.indexes] for track in image.disc.tracks]
    assert found == [[(0, -150), (1, 0)], [(0, 300), (1, 450)], [(0, 750), (1, 900)]]
    for lba in (300, 449, 750, 899, 1_200):
        assert plain(image, lba) == blank(kind, lba)
    assert_right(image, 0, image.disc.end_lba, kind)


@pytest.mark.parametrize("kind", COOKED)
def test_gapless_data_tracks_share_nothing(kind: str) -> None:
    """Sound may end in the next track's pregap; a file system must not."""
    creator = creator_of(kind, kind)
    assert [creator.track_info(n).sector_count for n in (1, 2)] == [300, 300]
    disc = creator.create_result_image().disc
    assert [[i.number for i in track.indexes] for track in disc.tracks] == [[0, 1], [1]]
    assert (disc.tracks[1].start_lba, disc.sessions[0].lead_out_lba) == (300, 600)


def test_a_gap_is_of_the_kind_of_the_track_behind_it() -> None:
    image = creator_of("MODE2FORM1", "MODE2FORM2", "MODE2FORM0", gaps=True).create_result_image()
    assert plain(image, 300) == blank("MODE2FORM2", 300)
    assert plain(image, 750) == blank("MODE2FORM0", 750)
    assert plain(image, -1) == blank("MODE2FORM1", -1)
    assert plain(image, 1_200) == blank("MODE2FORM0", 1_200)


@pytest.mark.parametrize(("pregap", "start"), [(0, 300), (1, 301), (75, 375), (500, 800)])
@pytest.mark.parametrize("gaps", [False, True])
def test_a_pregap_of_its_own(pregap: int, start: int, gaps: bool) -> None:
    creator = creator_of("MODE1", gaps=gaps)
    creator.add_track(track_bytes("MODE1", 2048), SectorType.MODE1, pregap=pregap)
    image = creator.create_result_image()
    second = image.disc.tracks[1]
    assert (second.first_lba, second.start_lba, second.pregap_sectors) == (300, start, pregap)
    assert plain(image, start) == sector("MODE1", track_blocks("MODE1", 2048)[0], start)
    assert plain(image, start - 1) == (blank("MODE1", start - 1) if pregap else plain(image, 299))
    assert_right(image, 0, image.disc.end_lba, "MODE1")


@pytest.mark.parametrize("pregap", [150, 151, 1_000])
def test_the_first_pregap_may_be_longer(pregap: int) -> None:
    image = image_of("MODE2FORM2", 2324, pregap=pregap)
    first = image.disc.tracks[0]
    assert (first.first_lba, first.start_lba) == (-150, pregap - 150)
    assert plain(image, pregap - 151) == blank("MODE2FORM2", pregap - 151)
    block = track_blocks("MODE2FORM2", 2324)[0]
    assert plain(image, pregap - 150) == sector("MODE2FORM2", block, pregap - 150)
    assert_right(image, LEAD_IN, image.disc.end_lba, "MODE2FORM2")


@pytest.mark.parametrize("pregap", [0, 149, -1])
def test_the_first_pregap_is_two_seconds_at_least(pregap: int) -> None:
    with refused(E_INVALIDARG):
        image_of("MODE1", 2048, pregap=pregap)


def test_sound_is_no_pregap_of_data() -> None:
    for pregap in (SilenceSource(block_count=150), bytes(2352 * 150)):
        with refused(E_INVALIDARG, "track 1", "MODE1"):
            image_of("MODE1", 2048, pregap=pregap)


def test_a_special_pregap_is_followed_by_sound() -> None:
    creator = RawCDImageCreator()
    creator.add_special_pregap(SilenceSource(block_count=150))
    with refused(SECTOR_TYPE_NOT_SUPPORTED, "special pregap", "MODE1"):
        creator.add_track(bytes(2048 * 300), SectorType.MODE1)
    creator.add_track(SilenceSource(block_count=300))


def test_numbers_above_1_are_for_sound() -> None:
    creator = RawCDImageCreator()
    creator.starting_track_number = 2
    with refused(SECTOR_TYPE_NOT_SUPPORTED, 2, "MODE2FORM1"):
        creator.add_track(bytes(2048 * 300), SectorType.MODE2FORM1)


@pytest.mark.parametrize("kind", COOKED)
@pytest.mark.parametrize("count", [0, 1, 299])
def test_a_short_track_is_filled_with_sectors_of_its_kind(kind: str, count: int) -> None:
    size = min(SIZES[kind])
    data = b"".join(blocks(kind, size, count))
    with refused(E_INVALIDARG, f"{count} sectors"):
        RawCDImageCreator().add_track(data, SectorType[kind], block_size=size)
    creator = RawCDImageCreator()
    creator.add_track(data, SectorType[kind], block_size=size, pad_short=True)
    image = creator.create_result_image()
    assert image.disc.sessions[0].lead_out_lba == 300
    assert plain(image, 299) == blank(kind, 299)
    assert plain(image, count) == blank(kind, count)
    assert_right(image, 0, 300, kind)
    (note,) = image.notes
    assert (note.code, note.track) == ("short-padded", 1)
    assert f"its {count} sectors" in note.message


def test_a_disc_may_be_full_and_no_fuller() -> None:
    creator = RawCDImageCreator()
    for sectors, fits in ((398_101, False), (398_100, True)):
        source = SilenceSource(block_count=sectors, block_size=2048)
        if fits:
            creator.add_track(source, SectorType.MODE1)
        else:
            with refused(INSUFFICIENT_SPACE, 398_100):
                creator.add_track(source, SectorType.MODE1)
    image = creator.create_result_image()
    assert plain(image, 398_099) == blank("MODE1", 398_099)
    assert plain(image, 404_849)[12:16].hex() == "89597401"


def test_99_tracks_of_data() -> None:
    creator = creator_of(*["MODE1"] * 99)
    with refused(0x80AA0A01):
        creator.add_track(bytes(2048 * 300), SectorType.MODE1)
    image = creator.create_result_image()
    assert image.disc.sessions[0].lead_out_lba == 99 * 300
    assert_right(image, 98 * 300, 99 * 300, "MODE1")


# -- indexes and settings ----------------------------------------------------------------------


def test_indexes_of_a_data_track() -> None:
    creator = creator_of("MODE1")
    info = creator.track_info(1)
    assert info.add_track_index(290) is True
    assert info.add_track_index(100) is True
    assert info.add_track_index(100) is False
    with refused(0x80AA0A0A):
        info.add_track_index(291)
    info.clear_track_index(290)
    disc = creator.create_result_image().disc
    indexes = disc.tracks[0].indexes
    assert [(index.number, index.lba) for index in indexes] == [(0, -150), (1, 0), (2, 100)]


@pytest.mark.parametrize("kind", [kind for kind in SIZES if not kind.endswith("RAW")])
def test_settings_for_audio_are_refused(kind: str) -> None:
    creator = creator_of(kind)
    info = creator.track_info(1)
    for setting in CopySetting:
        with refused(E_INVALIDARG, "track 1", kind):
            info.digital_audio_copy_setting = setting
    for value in (True, False):
        with refused(E_INVALIDARG, "track 1", kind):
            info.audio_has_preemphasis = value
    assert (info.digital_audio_copy_setting, info.audio_has_preemphasis) == (1, False)
    assert (info.isrc, info.sector_type) == ("", SectorType[kind])
    creator.create_result_image()
    with refused(READ_ONLY):
        info.digital_audio_copy_setting = CopySetting.PERMITTED


def put_isrc(info: TrackInfo) -> None:
    info.isrc = "USRC17607839"


def test_an_isrc_is_for_audio() -> None:
    creator = creator_of("MODE1")
    with refused(E_INVALIDARG, "track 1", "MODE1"):
        put_isrc(creator.track_info(1))


def test_an_isrc_of_a_data_track_reaches_no_disc() -> None:
    creator = creator_of("MODE1")
    with refused(E_INVALIDARG, "track 1"):
        put_isrc(creator.track_info(1))
        creator.create_result_image()


# -- TOC and Q ---------------------------------------------------------------------------------


@each_kind
def test_the_data_bit_stands_in_the_toc_and_in_q(kind: str) -> None:
    """CONTROL 4 everywhere: in each pointer of the lead-in, in the tracks and in the lead-out."""
    creator = RawCDImageCreator()
    creator.media_catalog_number = "4006381333931"
    creator.add_track(track_bytes(kind, SIZES[kind][0]), SectorType[kind])
    creator.add_track(track_bytes(kind, SIZES[kind][0], 300), SectorType[kind])
    assert creator.expected_table_of_contents == struct.pack(
        ">HBB BBBBi BBBBi BBBBi",
        *(26, 1, 2),
        *(0, 0x14, 1, 0, 0),
        *(0, 0x14, 2, 0, 300),
        *(0, 0x14, 0xAA, 0, 600),
    )
    image = creator.create_result_image()
    disc_type = 0x20 if any(word in kind for word in ("FORM1", "FORM2", "MIXED")) else 0
    pointers = [
        bytes([0xA0, 1, disc_type, 0]),
        bytes([0xA1, 2, 0, 0]),
        bytes.fromhex("a2001000"),  # lead-out at 00:10:00
        bytes.fromhex("01000200"),
        bytes.fromhex("02000600"),
    ]
    for lba in range(LEAD_IN, LEAD_IN + 30):
        q = q_of(image, lba)
        point, psec = pointers[(lba - LEAD_IN) // 3 % 5][:1], pointers[(lba - LEAD_IN) // 3 % 5][1:]
        assert (q[:2], q[2:3], q[7:10]) == (b"\x41\x00", point, psec)
    for lba in (-150, -1, 0, 299, 300, 599, 600, 7_349):
        assert q_of(image, lba)[0] >> 4 == 4
    catalogue = [q for lba in range(-150, 600) if (q := q_of(image, lba))[0] & 15 == 2]
    assert len(catalogue) >= 7
    assert {q[0] for q in catalogue} == {0x42}


# -- as another writer made it -----------------------------------------------------------------


def test_cdrecord_s_data_track(vectors: dict[str, Any]) -> None:
    """The data sectors that are listed of its mixed disc; the sound is left out."""
    stream = vectors["raw_dao_streams"][2]
    assert stream["inputs"]["files"][0]["formula"] == "byte[i]=(13*i+5*(i>>8)+1)&0xff"
    sectors = stream["inputs"]["files"][0]["sectors"]
    places = np.arange(2048 * sectors)
    data = ((13 * places + 5 * (places >> 8) + 1) & 0xFF).astype(np.uint8)
    creator = RawCDImageCreator()
    creator.add_track(data, SectorType.MODE1)
    image = creator.create_result_image().with_lead_in(stream["first_lba"])
    for lba, start in stream["main_first32"].items():
        if lba == "-1":  # its last sector of a pregap is scrambled in the header alone
            continue
        assert on_disc(image, int(lba))[:32].hex() == start, lba
    for lba, digest in (
        (stream["first_lba"], stream["leadin_start_sector_main_sha256"]),
        (0, stream["lba0_main_sha256"]),
    ):
        assert hashlib.sha256(on_disc(image, lba)).hexdigest() == digest
