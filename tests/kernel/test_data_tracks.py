"""Data tracks in the creator: every kind of block, from its source to the disc.

What a sector must be is asked of the slow oracle in `tests/oracles`; codes and addresses are
worked out by hand.
"""

from __future__ import annotations

import hashlib
import io
import os
import struct
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rawcd import (
    ArraySource,
    AuthoringError,
    CopySetting,
    DiscType,
    FormatError,
    ImageType,
    RawCDImageCreator,
    SectorType,
    SilenceSource,
    StorageError,
    TrackMode,
    UnsupportedError,
    main_sectors,
    open_image,
    save_image,
)
from rawcd.sector import verify
from rawcd.subcode.rows import pq_of_pw96
from tests.contract.format_contract import assert_same_bytes, assert_same_main, folder, scaled
from tests.oracles import sectors as oracle
from tests.oracles.blocks import KINDS_AND_SIZES, SIZES, blank, blocks, sector
from tests.strategies import cuts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from rawcd import DiscImage, RegionImage, TrackInfo

E_INVALIDARG = 0x80070057
E_POINTER = 0x80004003
READ_ONLY = 0x80AA0A00
SECTOR_TYPE_NOT_SUPPORTED = 0x80AA0A02
INSUFFICIENT_SPACE = 0x80AA0A05

LEAD_IN = -22_650
LENGTH = 300
"""Sectors of a shortest track."""
LEAD_OUT = 6_750
COOKED = [kind for kind in SIZES if not kind.endswith("RAW")]
RAW = [kind for kind in SIZES if kind.endswith("RAW")]

each_kind = pytest.mark.parametrize("kind", SIZES)
each_block = pytest.mark.parametrize(("kind", "size"), KINDS_AND_SIZES)


@contextmanager
def refused(hresult: int, *words: object) -> Iterator[None]:
    """The block must be refused with this code, and the message must hold these words."""
    with pytest.raises(AuthoringError) as caught:
        yield
    assert caught.value.hresult is not None
    assert hex(caught.value.hresult) == hex(hresult)
    for word in words:
        assert str(word) in str(caught.value)


@cache
def track_blocks(kind: str, size: int, lba: int = 0) -> tuple[bytes, ...]:
    """The blocks of a track. Of whole sectors most are blank, for the oracle is slow."""
    if size < 2352:
        return tuple(blocks(kind, size, LENGTH))
    return tuple(
        blocks(kind, size, 1, seed=i, lba=lba + i)[0] if i in LOOKED_AT else blank(kind, lba + i)
        for i in range(LENGTH)
    )


LOOKED_AT = (0, 1, 16, 100, 299)


def track_bytes(kind: str, size: int, lba: int = 0) -> bytes:
    return b"".join(track_blocks(kind, size, lba))


def image_of(kind: str, size: int, **more: Any) -> RegionImage:
    creator = RawCDImageCreator()
    creator.add_track(track_bytes(kind, size), SectorType[kind], block_size=size, **more)
    return creator.create_result_image()


def creator_of(*kinds: str, gaps: bool = False, **more: Any) -> RawCDImageCreator:
    """Tracks of a shortest length, in blocks of IMAPI's size; what they hold is zero."""
    creator = RawCDImageCreator()
    creator.disable_gapless_audio = gaps
    for kind in kinds:
        source = SilenceSource(block_count=LENGTH, block_size=min(SIZES[kind]))
        creator.add_track(source, SectorType[kind], **more)
    return creator


def plain(image: DiscImage, lba: int, count: int = 1) -> bytes:
    return main_sectors(image, lba, count).tobytes()


def on_disc(image: DiscImage, lba: int) -> bytes:
    return image.read(lba, 1)[:2352]


def assert_right(image: RegionImage, lba: int, end: int, kind: str) -> None:
    """Every sector of a stretch has the header of its place, and EDC and parity that hold."""
    for at in range(lba, end, 1024):
        found = verify(main_sectors(image, at, min(1024, end - at)), at, SectorType[kind])
        assert not found.any(), f"LBA {at + int(found.argmax())}"


def q_of(image: RegionImage, lba: int) -> bytes:
    """The Q frame of a sector, from its bytes."""
    sub = np.frombuffer(image.read(lba, 1)[2352:], np.uint8).reshape(1, 96)
    return pq_of_pw96(sub)[0].tobytes()


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


@pytest.mark.parametrize("kind", ["MODE2FORM2", "MODE2MIXED"])
@pytest.mark.parametrize("size", [2324, 2332, 2336, 2352])
def test_a_size_that_alone_divides_is_found(kind: str, size: int) -> None:
    if size not in SIZES[kind]:
        return
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
    ids=repr,
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


# -- whole sectors -----------------------------------------------------------------------------


def scrambled(data: bytes) -> bytes:
    """Whole sectors as the disc has them; the sequence is added to all of them at once."""
    rows = np.frombuffer(data, np.uint8).reshape(-1, 2352).copy()
    rows[:, 12:] ^= np.frombuffer(oracle.sequence(), np.uint8)
    return rows.tobytes()


@pytest.mark.parametrize("kind", RAW)
@pytest.mark.parametrize("said", [True, None])
def test_scrambled_sectors_go_to_the_disc_as_they_are(kind: str, said: bool | None) -> None:
    data = scrambled(track_bytes(kind, 2352))
    creator = RawCDImageCreator()
    creator.add_track(data, SectorType[kind], scrambled=said)
    image = creator.create_result_image()
    assert image.read(0, LENGTH)[:2352] == data[:2352]
    assert main_sectors(image, 0, LENGTH, plain=False).tobytes() == data
    assert plain(image, 0, LENGTH) == track_bytes(kind, 2352)


@pytest.mark.parametrize("kind", RAW)
@pytest.mark.parametrize("said", [False, None])
def test_plain_sectors_are_scrambled(kind: str, said: bool | None) -> None:
    data = track_bytes(kind, 2352)
    creator = RawCDImageCreator()
    creator.add_track(data, SectorType[kind], scrambled=said)
    image = creator.create_result_image()
    assert main_sectors(image, 0, LENGTH, plain=False).tobytes() == scrambled(data)
    assert plain(image, 0, LENGTH) == data


def test_damage_in_whole_sectors_is_kept() -> None:
    """Only the header decides; what else is wrong in a sector is its owner's affair."""
    data = bytearray(track_bytes("MODE1RAW", 2352))
    data[2352 * 7 + 100] ^= 1
    data[2352 * 8 + 2350] ^= 1
    creator = RawCDImageCreator()
    creator.add_track(bytes(data), SectorType.MODE1RAW)
    assert plain(creator.create_result_image(), 0, LENGTH) == bytes(data)


@pytest.mark.parametrize(
    ("said", "given_", "lba"),
    [(True, "plain", 0), (False, "scrambled", 0), (None, "mixed", 123), (None, "late", 299)],
)
def test_what_is_said_of_scrambling_must_be_so(said: bool | None, given_: str, lba: int) -> None:
    whole = track_bytes("MODE1RAW", 2352)
    cut = 2352 * lba
    data = {
        "plain": whole,
        "scrambled": scrambled(whole),
        "mixed": whole[:cut] + scrambled(whole)[cut:],
        "late": scrambled(whole)[:cut] + whole[cut:],
    }[given_]
    creator = RawCDImageCreator()
    creator.add_track(data, SectorType.MODE1RAW, scrambled=said)
    with refused(E_INVALIDARG, "track 1", f"LBA {lba}:", "scrambled"):
        creator.create_result_image()
    creator.start_of_leadout_limit = 5_000  # it stays writable


def test_mixed_sectors_are_found_wherever_they_change() -> None:
    """A thousand sectors are looked at in one go: the change may fall between two goes."""
    whole = b"".join(oracle.formless(bytes(2336), lba) for lba in range(1_500))
    for lba in (1_023, 1_024, 1_025):
        creator = RawCDImageCreator()
        cut = 2352 * lba
        data = whole[:cut] + scrambled(whole[cut:])
        creator.add_track(data, SectorType.MODE2FORM0RAW)
        with refused(E_INVALIDARG, "track 1", f"LBA {lba}:"):
            creator.create_result_image()


@pytest.mark.parametrize("in_scrambled_form", [False, True])
@pytest.mark.parametrize("kind", RAW)
def test_sectors_of_another_place_are_named(kind: str, in_scrambled_form: bool) -> None:
    data = track_bytes(kind, 2352, 1)
    creator = RawCDImageCreator()
    creator.add_track(scrambled(data) if in_scrambled_form else data, SectorType[kind])
    with refused(E_INVALIDARG, "track 1", "LBA 0:", "header"):
        creator.create_result_image()
    wrong = bytearray(track_bytes(kind, 2352))
    wrong[2352 * 250 + 14] ^= 0x01  # the frame
    creator = RawCDImageCreator()
    creator.add_track(
        scrambled(bytes(wrong)) if in_scrambled_form else bytes(wrong), SectorType[kind]
    )
    with refused(E_INVALIDARG, "track 1", "LBA 250:", "header"):
        creator.create_result_image()


@pytest.mark.parametrize(
    ("place", "byte"), [(15, 2), (0, 1), (5, 0)], ids=["another mode", "no sync", "half a sync"]
)
@pytest.mark.parametrize("in_scrambled_form", [False, True])
def test_sectors_of_another_kind_are_named(place: int, byte: int, in_scrambled_form: bool) -> None:
    wrong = bytearray(track_bytes("MODE1RAW", 2352))
    wrong[2352 * 250 + place] = byte
    creator = RawCDImageCreator()
    data = scrambled(bytes(wrong)) if in_scrambled_form else bytes(wrong)
    creator.add_track(data, SectorType.MODE1RAW)
    with refused(E_INVALIDARG, "track 1", "LBA 250:"):
        creator.create_result_image()


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("AUDIO", {"scrambled": True}),
        ("AUDIO", {"subheader": bytes(4)}),
        ("AUDIO", {"block_size": 2048}),
        ("MODE1", {"scrambled": True}),
        ("MODE2FORM2", {"scrambled": False}),
    ],
    ids=repr,
)
def test_options_that_a_kind_has_no_use_for_are_refused(kind: str, options: dict[str, Any]) -> None:
    source = SilenceSource(block_count=300, block_size=2352)
    with refused(E_INVALIDARG, "track 1", *options):
        RawCDImageCreator().add_track(source, SectorType[kind], **options)


def test_a_gap_moves_whole_sectors_out_of_their_place() -> None:
    """The switch may be put after the tracks; it is judged where they lie in the end."""
    data = track_bytes("MODE2FORM2RAW", 2352), track_bytes("MODE2FORM2RAW", 2352, 450)
    creator = RawCDImageCreator()
    for each in data:
        creator.add_track(each, SectorType.MODE2FORM2RAW)
    with refused(E_INVALIDARG, "track 2", "LBA 300:"):
        creator.create_result_image()
    creator.disable_gapless_audio = True
    image = creator.create_result_image()
    assert plain(image, 0, LENGTH) + plain(image, 450, LENGTH) == b"".join(data)
    assert plain(image, 300) == blank("MODE2FORM2", 300)


@pytest.mark.parametrize("kind", COOKED)
def test_whole_sectors_of_a_plain_kind_are_checked_when_they_are_read(kind: str) -> None:
    creator = RawCDImageCreator()
    creator.add_track(track_bytes(kind, 2352, 1), SectorType[kind], block_size=2352)
    image = creator.create_result_image()
    with pytest.raises(FormatError, match="LBA 0: the header says 00:02:01, its place is 00:02:00"):
        image.read(0, 1)


@pytest.mark.parametrize(
    ("kind", "size", "other"),
    [("MODE2FORM1", 2336, "MODE2FORM2"), ("MODE2FORM2", 2336, "MODE2FORM1")],
)
def test_a_sector_of_the_other_form_is_named(
    tmp_path: Path, kind: str, size: int, other: str
) -> None:
    rows = list(track_blocks(kind, size))
    rows[77] = track_blocks(other, size)[77]
    (tmp_path / "xa.bin").write_bytes(b"".join(rows))
    creator = RawCDImageCreator()
    creator.add_track(tmp_path / "xa.bin", SectorType[kind])
    image = creator.create_result_image()
    assert len(image.read(0, 77)) == 77 * 2448
    with pytest.raises(FormatError, match=r"xa\.bin: LBA 77: .*MODE2MIXED"):
        image.read(50, 100)


def test_a_mode_0_track_holds_zeros_alone() -> None:
    data = bytearray(2336 * LENGTH)
    data[2336 * 5 + 2335] = 1
    creator = RawCDImageCreator()
    creator.add_track(bytes(data), SectorType.MODE_ZERO)
    with pytest.raises(FormatError, match="LBA 5: a mode 0 sector holds nothing but zeros"):
        creator.create_result_image().read(0, LENGTH)


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


# -- laws --------------------------------------------------------------------------------------


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
            word = "mode 0" if mode_0 else "disc type (CDDA_CDROM)"
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
