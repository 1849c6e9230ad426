"""Each kind of disc burned in each way and read back: what is equal, and what is said to be lost.

The table below is the whole truth of it: for a disc and a way of writing what the disc that is
read back has otherwise, and the losses that the burner names before it writes. What is not named
is equal.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import rawcd
from rawcd.cdtext import CDText, TextBlock, TextItem
from rawcd.disc import CopySetting, DiscType
from rawcd.features import CDTEXT, Feature
from rawcd.image import ImageType, RegionImage, SubForm, SubRegion
from rawcd.source import ArraySource
from rawcd.subcode.streams import DeinterleavedPacks
from rawcd_writers.drive.transport import Answer
from tests.writers.drive.burning import album, blank_disc, sound, two_sessions

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from rawcd.disc import Disc, Track
    from rawcd_writers.drive.plan import BurnPlan

Facts = dict[str, Any]


# -- the discs ------------------------------------------------------------------------------------


def audio() -> RegionImage:
    """Catalogue number, ISRCs, a pregap with sound, an index, every copy setting, emphasis."""
    creator = rawcd.RawCDImageCreator()
    creator.media_catalog_number = "4006381333931"
    settings = (CopySetting.PERMITTED, CopySetting.SCMS, CopySetting.PROHIBITED)
    for number, copy in enumerate(settings, 1):
        pregap = {1: None, 2: sound(75, 9), 3: 150}[number]
        creator.add_track(sound(400, number), pregap=pregap)
        info = creator.track_info(number)
        info.isrc = f"USRC1760783{number}"
        info.digital_audio_copy_setting = copy
    creator.track_info(2).add_track_index(100)
    creator.track_info(3).audio_has_preemphasis = True
    return creator.create_result_image()


def data(seed: int) -> bytes:
    return np.random.default_rng(seed).integers(0, 256, 320 * 2048, np.uint8).tobytes()


def mixed() -> RegionImage:
    """Data, sound, and data again behind the pregap of a mode change."""
    creator = rawcd.RawCDImageCreator()
    creator.add_track(data(3), sector_type=rawcd.SectorType.MODE1)
    creator.add_track(sound(310), pregap=150)
    creator.add_track(data(5), sector_type=rawcd.SectorType.MODE1, pregap=225)
    image = creator.create_result_image()
    session = image.disc.sessions[0]
    assert session.has_mode_change_head(session.tracks[2])
    return image


def texts() -> RegionImage:
    """Titles in three languages, one of them in two bytes a character."""
    blocks = []
    for language, names in (
        (0x09, ("Album", "First", "Second")),
        (0x08, ("Platte", "Erstes", "Zweites Stück, über zwei Packungen lang")),
        (0x69, ("盤", "一", "二")),
    ):
        items = tuple(
            TextItem(field="title", track=track, text=text) for track, text in enumerate(names)
        )
        charset = 0x80 if language == 0x69 else 0x00
        blocks.append(TextBlock(language=language, charset=charset, items=items))
    image = album()
    disc = replace(image.disc, cdtext=CDText(blocks=tuple(blocks)))
    return replace(image, disc=disc, kind=ImageType.RAW)


def graphics() -> RegionImage:
    """CD+G: packs of television graphics under both tracks."""
    image = album()
    first, end = 0, image.disc.sessions[0].lead_out_lba
    count = end - first
    packs = np.random.default_rng(7).integers(0, 64, (count * 4, 24), np.uint8)
    packs[:, 0] = 9
    packs[-8:] = 0  # the last packs' symbols would lie in the lead-out
    sub = (
        SubRegion(lba=image.first_lba, sectors=first - image.first_lba, form=SubForm.MADE),
        SubRegion(
            lba=first,
            sectors=count,
            form=SubForm.RW,
            source=ArraySource(packs.reshape(count, 96), block_size=96),
            rw_packed=True,
        ),
        SubRegion(lba=end, sectors=6750, form=SubForm.MADE),
    )
    return replace(image, kind=ImageType.RAW, sub=sub)


def appendable() -> RegionImage:
    """Sound with room for a further session."""
    creator = rawcd.RawCDImageCreator()
    creator.appendable = True
    creator.add_track(sound(400))
    return creator.create_result_image()


def xa() -> RegionImage:
    """A disc of XA sectors of both forms."""
    creator = rawcd.RawCDImageCreator()
    blocks = np.random.default_rng(8).integers(0, 256, (320, 2336), np.uint8)
    blocks[:, :8] = np.frombuffer(bytes.fromhex("00000800") * 2, np.uint8)
    blocks[::3, :8] = np.frombuffer(bytes.fromhex("00002000") * 2, np.uint8)
    blocks[::3, -4:] = 0  # form 2 without an EDC
    rows = np.zeros((320, 2352), np.uint8)
    rawcd.sector.encode(rawcd.SectorType.MODE2MIXED, blocks, 0, out=rows)
    creator.add_track(rows[:, 16:].tobytes(), sector_type=rawcd.SectorType.MODE2MIXED)
    return creator.create_result_image()


DISCS = {
    "audio": audio,
    "mixed": mixed,
    "texts": texts,
    "graphics": graphics,
    "two sessions": two_sessions,
    "appendable": appendable,
    "xa": xa,
}
WAYS: dict[str, tuple[str, tuple[int, ...]]] = {
    "raw 96": ("raw", ()),
    "raw packed": ("raw", (3,)),
    "raw 16": ("raw", (3, 2)),
    "sao": ("sao", ()),
    "tao": ("tao", ()),
}
"""The mode, and data block types that the drive refuses in it."""

MOVED = "its address, LBA {}: it will begin at LBA {}"
ENDS = "session {}: lead-out at LBA {}: it will begin at LBA {}"
_NO_TEXT = (
    *(f"track {track}: CD-TEXT title" if track else "CD-TEXT title" for track in range(3)),
    "CD-TEXT block 2 in German (3 texts)",
    "CD-TEXT block 3 in Japanese (3 texts)",
)
_NO_GRAPHICS = tuple(
    f"track {track}: R-W subcode from LBA {lba} on" for track, lba in ((1, 0), (2, 400))
)
_ALBUM_AT_ONCE = (
    "track 2: pregap of 75 sectors",
    "track 2: index 2 at +100",
    f"track 2: {MOVED.format(475, 552)}",
    ENDS.format(1, 825, 904),
)
_AT_ONCE = frozenset({"layout", "pregaps", "indexes"})

LOST: dict[tuple[str, str], tuple[frozenset[str], tuple[str, ...]]] = {
    ("audio", "tao"): (
        frozenset({"layout", "pregaps", "indexes", "pregap sound"}),
        (
            "track 2: pregap of 75 sectors",
            "track 2: index 2 at +100",
            "track 2: what is recorded in its pregap (at LBA 400)",
            f"track 2: {MOVED.format(475, 552)}",
            f"track 3: {MOVED.format(1025, 1104)}",
            ENDS.format(1, 1425, 1506),
        ),
    ),
    ("mixed", "sao"): (
        frozenset({"mode change"}),
        ("track 3: first second of its pregap in the mode of the track before",),
    ),
    ("mixed", "tao"): (
        frozenset({"layout", "pregaps", "mode change"}),
        (
            "track 3: pregap of 225 sectors",
            f"track 2: {MOVED.format(620, 622)}",
            f"track 3: {MOVED.format(1155, 1084)}",
            ENDS.format(1, 1475, 1406),
        ),
    ),
    ("texts", "raw packed"): (frozenset({"texts"}), _NO_TEXT),
    ("texts", "raw 16"): (frozenset({"texts"}), _NO_TEXT),
    ("texts", "tao"): (_AT_ONCE | {"texts"}, (*_ALBUM_AT_ONCE[:2], *_NO_TEXT, *_ALBUM_AT_ONCE[2:])),
    ("graphics", "raw 16"): (frozenset({"graphics"}), _NO_GRAPHICS),
    ("graphics", "tao"): (
        _AT_ONCE | {"graphics"},
        (*_ALBUM_AT_ONCE[:2], *_NO_GRAPHICS, *_ALBUM_AT_ONCE[2:]),
    ),
    ("two sessions", "tao"): (
        frozenset({"layout"}),
        (
            ENDS.format(1, 400, 402),
            f"track 2: {MOVED.format(11_800, 11_802)}",
            ENDS.format(2, 12_120, 12_124),
        ),
    ),
    ("appendable", "tao"): (frozenset({"layout"}), (ENDS.format(1, 400, 402),)),
    ("xa", "tao"): (frozenset({"layout"}), (ENDS.format(1, 320, 322),)),
}
"""What is read back otherwise, and what is named as lost; nothing of what is not here."""
NAMED: dict[str, frozenset[Feature]] = {
    "layout": frozenset({Feature.PREGAPS, Feature.LEAD_OUT_LENGTH}),
    "pregaps": frozenset({Feature.PREGAPS}),
    "pregap sound": frozenset({Feature.PREGAP_DATA}),
    "mode change": frozenset({Feature.PREGAP_DATA, Feature.PREGAPS}),
    "indexes": frozenset({Feature.INDEXES}),
    "texts": CDTEXT,
    "graphics": frozenset({Feature.RW, Feature.DATA_RW}),
}
"""The features of which one at least names a fact that is lost."""


# -- what a disc is -------------------------------------------------------------------------------


def facts_of(image: RegionImage) -> Facts:
    """All that is compared; places are told once, the others wherever tracks may lie."""
    disc = image.disc
    return {
        "layout": [
            ([(t.start_lba, t.end_lba) for t in each.tracks], each.lead_out_lba)
            for each in disc.sessions
        ],
        "modes": [(t.number, t.mode) for t in disc.tracks],
        "disc type": [each.disc_type for each in disc.sessions],
        "pregaps": [t.pregap_sectors for t in disc.tracks],
        "indexes": [
            [(i.number, i.lba - t.start_lba) for i in t.indexes if i.number] for t in disc.tracks
        ],
        "mcn": disc.mcn,
        "isrcs": [t.isrc for t in disc.tracks],
        "copy": [t.copy for t in disc.tracks],
        "emphasis": [t.pre_emphasis for t in disc.tracks],
        "room for a session": disc.appendable,
        "texts": disc.cdtext,
        "sound and data": [content(image, track) for track in disc.tracks],
        "pregap sound": [
            main(image, track.first_lba, track.pregap_sectors).any()
            for track in disc.tracks
            if track.is_audio and track.number > 1
        ],
        "mode change": [
            main(image, track.first_lba, 75).any()
            for session in disc.sessions
            for track in session.tracks
            if session.mode_changes_at(track) and not track.is_audio
        ],
        "graphics": [packs(image, track) for track in disc.tracks],
    }


def main(image: RegionImage, lba: int, count: int) -> Any:
    return rawcd.main_sectors(image, lba, count)


LENGTHS: dict[int, int] = {}


def content(image: RegionImage, track: Track) -> bytes:
    """A track's sectors; of data without the header, which tells the address."""
    count = min(track.sector_count, LENGTHS[track.number])
    rows = main(image, track.start_lba, count).copy()
    if not track.is_audio:
        rows[:, 12:15] = 0
        if track.mode == 1:
            rows[:, 2064:] = 0  # EDC and parity are over the header, too
        else:  # a drive at once makes an EDC of form 2, where the Green Book leaves the choice
            rows[rows[:, 18] & 0x20 != 0, 2348:] = 0
    return bytes(rows.tobytes())


def packs(image: RegionImage, track: Track) -> bytes:
    """The R-W packs that begin in a track, without parity."""
    raw = image.as_kind(ImageType.RAW)
    count = min(track.sector_count, LENGTHS[track.number])
    end = min(track.start_lba + count + 2, image.disc.sessions[-1].lead_out_lba)
    rows = np.zeros((count + 2, 96), np.uint8)
    raw.read_sub_into(track.start_lba, rows[: end - track.start_lba])
    line = ArraySource(rows & 0x3F, block_size=96)
    found = np.frombuffer(DeinterleavedPacks(line).read(0, count), np.uint8).reshape(-1, 24).copy()
    found[:, 2:4] = found[:, 20:] = 0
    return found.tobytes()


def unlike(one: Facts, other: Facts) -> frozenset[str]:
    return frozenset(name for name in one if one[name] != other[name])


def burned(
    image: RegionImage, way: str, check: Callable[[RegionImage, Any], None]
) -> tuple[BurnPlan, Any]:
    """Burn, hand what is read back to `check`, and return what was planned and done."""
    mode, refused = WAYS[way]
    spy = blank_disc()
    execute = spy.recorder.execute
    plans: list[BurnPlan] = []

    def picky(cdb: bytes, *, data_out: Any = b"", **more: Any) -> Answer:
        page = bytes(data_out)[8:]
        if cdb[0] == 0x55 and page[2] & 15 == 3 and page[4] in refused:
            sense = bytes([0x70, 0, 5, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0x26, 0, 0, 0, 0, 0])
            return Answer(status=2, data=b"", sense=sense)
        return execute(cdb, data_out=data_out, **more)

    def planned(plan: BurnPlan) -> None:
        assert not spy.written, "losses are named before anything is written"
        plans.append(plan)

    spy.recorder.execute = picky  # type: ignore[method-assign]  # the drive of this test
    from rawcd_writers.drive.session import DriveSession

    with DriveSession(spy) as session:
        result = session.burn(image, mode=mode, planned=planned)
        found, reader = session.image()
        check(found, reader)
        compared = session.compare(image, result)
        assert compared.lines == ()
    (plan,) = plans
    assert plan.losses == result.losses
    return plan, result


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", DISCS)
def test_what_is_read_back_is_equal_but_for_what_was_named(name: str, way: str) -> None:
    image = DISCS[name]()
    LENGTHS.clear()
    LENGTHS.update({track.number: track.sector_count for track in image.disc.tracks})
    wanted = facts_of(image)
    found: list[Facts] = []

    def check(disc: RegionImage, reader: Any) -> None:
        found.append(facts_of(disc))
        data_tracks = [track for track in disc.disc.tracks if not track.is_audio]
        assert bool(reader.lost) <= (way == "tao" and bool(data_tracks))

    plan, _ = burned(image, way, check)
    lost, named = LOST.get((name, way), (frozenset(), ()))
    assert unlike(wanted, found[0]) == lost
    assert [str(loss) for loss in plan.losses] == list(named)
    features = {loss.feature for loss in plan.losses}
    for fact in lost:
        assert features & NAMED[fact], f"{fact} was lost without a word"


def test_the_table_names_only_what_there_is() -> None:
    assert {disc for disc, _ in LOST} <= set(DISCS)
    assert {way for _, way in LOST} <= set(WAYS)
    assert {fact for lost, _ in LOST.values() for fact in lost} == set(NAMED)


def test_an_album_at_once_is_the_same_whatever_subcode_the_drive_reads(tmp_path: Path) -> None:
    """Without Q the drive's own search finds the codes; pregaps and indexes are not found."""
    image = audio()
    spy = blank_disc()
    from rawcd_writers.drive.session import DriveSession

    with DriveSession(spy) as session:
        session.burn(image, mode="sao")
        for sub in ("raw", "q", "rw", "none"):
            disc: Disc = session.image(sub=sub)[0].disc
            assert disc.mcn == image.disc.mcn
            assert [t.isrc for t in disc.tracks] == [t.isrc for t in image.disc.tracks]
            assert [t.start_lba for t in disc.tracks] == [t.start_lba for t in image.disc.tracks]
            wanted = [t.copy for t in image.disc.tracks]
            if sub in ("rw", "none"):  # SCMS alternates: the table of contents says prohibited
                wanted[1] = CopySetting.PROHIBITED
            assert [t.copy for t in disc.tracks] == wanted
            assert disc.tracks[2].pre_emphasis


@pytest.mark.parametrize("way", ["sao", "tao"])
def test_a_disc_with_data_at_once_is_copied_whole(way: str, tmp_path: Path) -> None:
    """Link blocks before and behind a data track are unreadable, and no reason to stop."""

    def check(disc: RegionImage, reader: Any) -> None:
        rawcd.save_image(disc, tmp_path / "copy.ccd", format="ccd", allow_loss=True)
        if way == "tao":
            spots = [(t.start_lba, t.end_lba) for t in disc.disc.tracks if not t.is_audio]
            around = {
                lba
                for start, end in spots
                for lba in (*range(start - 5, start), *range(end - 2, end))
            }
            assert {lba for lba in around if lba >= 0} <= reader.lost <= around
        else:
            assert not reader.lost

    image = mixed()
    burned(image, way, check)
    copy = rawcd.open_image(tmp_path / "copy.ccd")
    assert [t.mode for t in copy.disc.tracks] == [t.mode for t in image.disc.tracks]


def test_an_xa_sector_whose_edc_is_wrong_is_named_before_a_drive_makes_it_right() -> None:
    image = xa()
    assert image.disc.sessions[0].disc_type is DiscType.XA
    first, count = image.disc.sessions[0].program_lba, image.disc.tracks[0].end_lba + 150
    from rawcd.image import MainForm, Region

    stored = main(image, first, count).copy()
    stored[150 + 40, 2073] ^= 1
    regions = (
        *(replace(each, sectors=first - each.lba) for each in image.main if each.lba < first),
        Region(
            lba=first,
            sectors=count,
            form=MainForm.PLAIN,
            source=ArraySource(stored, block_size=2352),
            sector_type=rawcd.SectorType.MODE2MIXED,
        ),
        *(each for each in image.main if each.lba >= image.disc.tracks[0].end_lba),
    )
    broken = replace(image, main=regions[:1] + regions[-2:])
    LENGTHS.clear()
    LENGTHS.update({1: 320})
    for way in ("sao", "tao"):
        plan, _ = burned(broken, way, lambda *_: None)
        (named,) = [loss for loss in plan.losses if loss.feature is Feature.RAW_SECTORS]
        assert "LBA 40 as it is" in str(named)
    plan, _ = burned(broken, "raw 96", lambda *_: None)
    assert plan.losses == ()
