"""What a burn says to a drive beside what known burners said: pages, sheets, commands, their order.

The vectors are captures of cdrdao, cdrskin and cdrecord; the tables are those of MMC.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import rawcd
from rawcd.cdtext import CDText, TextBlock, TextItem
from rawcd.disc import CopySetting
from rawcd.image import ImageType, RegionImage
from rawcd_writers.drive.session import DriveSession
from rawcd_writers.drive.transport import Answer
from rawcd_writers.drive.virtual import VirtualRecorder, blank_named
from tests.writers.drive.burning import Spy, album, blank_disc, mixed, sound, two_sessions
from tests.writers.drive.test_round_trips import graphics

if TYPE_CHECKING:
    from collections.abc import Callable

SHORT_LEAD_IN = -4650
MCN = "1234567890128"
"""The captures have another last digit, which no check digit is; no such disc is burned here."""


def titled(image: RegionImage) -> RegionImage:
    items = (TextItem(field="title", track=0, text="Album"),)
    disc = replace(image.disc, cdtext=CDText(blocks=(TextBlock(items=items),)))
    return replace(image, disc=disc, kind=ImageType.RAW)


def burned(image: RegionImage, mode: str, **more: Any) -> Spy:
    spy = blank_disc()
    with DriveSession(spy) as session:
        session.burn(image, mode=mode, **more)
    return spy


def sent(vectors: dict[str, Any], writer: str, opcode: str) -> list[bytes]:
    """Return the parameter lists that a writer sent with a command."""
    (found,) = [each for each in vectors["cue_sheets"] if each["writer"].startswith(writer)]
    lists = [each["out"] for each in found["commands"] if each["cdb"].startswith(opcode)]
    return [bytes.fromhex(each).replace(b"890123\0", b"890128\0") for each in lists]


def of_cdrskin() -> RegionImage:
    """Three tracks butted together, each with its ISRC."""
    creator = rawcd.RawCDImageCreator()
    creator.media_catalog_number = MCN
    for number, sectors in enumerate((300, 450, 300), 7):
        pregap = 150 if number == 7 else 0
        info = creator.track_info(creator.add_track(sound(sectors, number), pregap=pregap))
        info.isrc = f"USABC25000{number + 10}"
    return creator.create_result_image()


def test_session_at_once_says_what_cdrskin_said(vectors: dict[str, Any]) -> None:
    spy = burned(of_cdrskin(), "sao")
    page = sent(vectors, "cdrskin", "55")[0]
    assert bytes(8) + spy.selected[-1] == page
    sheet = bytearray(sent(vectors, "cdrskin", "5d")[0])
    assert sheet[19] == 0x41  # it sent CD-TEXT
    with_text = burned(titled(of_cdrskin()), "sao")
    assert with_text.sheets == [bytes(sheet)]
    sheet[19] = 0x01
    assert spy.sheets == [bytes(sheet)]
    # Where it left the data block type at 0, cdrdao set 3 for the sake of CD-TEXT; so do we.
    assert with_text.selected[-1][4] == sent(vectors, "cdrdao", "55")[0][8 + 4] == 3
    changed = bytearray(with_text.selected[-1])
    changed[4] = 0
    assert bytes(8) + bytes(changed) == page


def test_session_at_once_says_what_cdrdao_said_but_for_its_habits(vectors: dict[str, Any]) -> None:
    """cdrdao gives MCN and lead-in CONTROL 0, and the lead-in the time of its groove."""
    creator = rawcd.RawCDImageCreator()
    creator.media_catalog_number = MCN
    first = creator.track_info(creator.add_track(sound(300)))
    first.isrc = "USABC2500017"
    first.digital_audio_copy_setting = CopySetting.PERMITTED
    creator.add_track(sound(450, 2), pregap=75)
    creator.track_info(2).add_track_index(180)
    spy = burned(titled(creator.create_result_image()), "sao")
    (theirs,) = sent(vectors, "cdrdao", "5d")
    rows, their_rows = (
        [each[at : at + 8] for at in range(0, len(each), 8)] for each in (spy.sheets[0], theirs)
    )
    assert rows[3:] == their_rows[3:]
    assert [row[1:] for row in rows[:2]] == [row[1:] for row in their_rows[:2]]
    assert rows[2] == bytes.fromhex("2100004100000000")


@pytest.mark.parametrize("kind", [ImageType.RAW, ImageType.COOKED, ImageType.PQ_ONLY])
def test_raw_sends_each_session_from_its_lead_in_to_the_end_of_its_lead_out(
    kind: ImageType,
) -> None:
    refused = {ImageType.RAW: (), ImageType.COOKED: (3,), ImageType.PQ_ONLY: (3, 2)}[kind]
    spy, image = blank_disc(), two_sessions()
    execute = spy.recorder.execute

    def picky(cdb: bytes, *, data_out: Any = b"", **more: Any) -> Answer:
        page = bytes(data_out)[8:]
        if cdb[0] == 0x55 and page[2] & 15 == 3 and page[4] in refused:
            sense = bytes([0x70, 0, 5, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0x26, 0, 0, 0, 0, 0])
            return Answer(status=2, data=b"", sense=sense)
        return execute(cdb, data_out=data_out, **more)

    spy.recorder.execute = picky  # type: ignore[method-assign]  # the drive of this test
    with DriveSession(spy) as session:
        session.burn(image, mode="raw")
    expected = image.as_kind(kind).with_lead_in(SHORT_LEAD_IN)
    data = b"".join(part for _, _, part in spy.written)
    assert data == expected.read(SHORT_LEAD_IN, expected.sector_count)
    addresses = [(lba, blocks) for lba, blocks, _ in spy.written]
    ends = [lba + blocks for lba, blocks in addresses]
    assert [lba for lba, _ in addresses[1:]] == ends[:-1]
    borders = [each.end_lba for each in image.disc.sessions]
    assert set(borders) <= set(ends), "no WRITE reaches over the border of two sessions"
    assert [cdb[0] for cdb in spy.cdbs if cdb[0] in (0x35, 0x5B)] == [0x35, 0x35]


ORDER = {
    # page 05h, the first address, calibration, WRITEs, SYNCHRONIZE CACHE: no cue sheet, no close
    "raw": [0x55, 0x52, 0x54, 0x2A, 0x35, 0x00],
    # page 05h, calibration, the sheet, WRITEs, SYNCHRONIZE CACHE
    "sao": [0x55, 0x54, 0x5D, 0x2A, 0x35, 0x00],
    # for each track page 05h, its address, WRITEs, SYNCHRONIZE CACHE, CLOSE TRACK; CLOSE SESSION
    "tao": [0x55, 0x54, 0x52, 0x2A, 0x35, 0x00, 0x5B, 0x55, 0x52, 0x2A, 0x35, 0x00, 0x5B, 0x00],
}


@pytest.mark.parametrize("mode", ORDER)
@pytest.mark.parametrize("make", [album, mixed])
def test_the_commands_follow_the_order_of_the_standard(
    mode: str, make: Callable[[], RegionImage]
) -> None:
    spy = burned(make(), mode)
    codes = spy.names
    steps = codes[codes.index(0xBB) + 1 :]
    assert steps[: len(ORDER[mode])] == ORDER[mode]
    # Then the disc is looked at, the tray unlocked, the disc's state told.
    rest = [0x51, 0x1E, 0x51] if mode == "tao" else [0x51, 0x43, 0x1E, 0x51]
    tail = steps[len(ORDER[mode]) :]
    assert [code for code in tail if not (mode == "tao" and code == 0x43)] == rest


FREE: dict[int, tuple[int, ...]] = {
    0x00: (),
    0x12: (3, 4),
    0x1B: (1, 4),
    0x1E: (4,),
    0x2A: (2, 3, 4, 5, 7, 8),
    0x35: (1,),
    0x43: (2, 6, 7, 8),
    0x46: (1, 2, 3, 7, 8),
    0x51: (7, 8),
    0x52: (2, 3, 4, 5, 7, 8),
    0x54: (),
    0x55: (7, 8),
    0x5A: (2, 7, 8),
    0x5C: (7, 8),
    0x5D: (6, 7, 8),
    0xAC: (1, 8, 9, 10),
    0xBB: (2, 3, 4, 5),
}
"""Bytes of a CDB whose value depends on what is asked (MMC); all others are as captured."""


@pytest.mark.parametrize("mode", ["raw", "sao", "tao"])
def test_each_command_has_the_shape_of_a_captured_one(mode: str, vectors: dict[str, Any]) -> None:
    def shape(cdb: bytes) -> str:
        free = FREE[cdb[0]]
        return " ".join("--" if at in free else f"{byte:02x}" for at, byte in enumerate(cdb))

    known: dict[int, set[str]] = {}
    for example in vectors["cdb_examples"]:
        cdb = bytes.fromhex(example["cdb"])
        if cdb[0] in FREE:
            known.setdefault(cdb[0], set()).add(shape(cdb))
    spy = blank_disc()
    with DriveSession(spy) as session:
        session.identity()
        session.capabilities()
        session.write_speeds()
        session.burn(titled(album()), mode=mode, speed=4)
        session.eject()
    told = {cdb[0] for cdb in spy.cdbs}
    assert told - {0x5B, 0xBE} <= set(FREE), "a command without a captured example"
    for cdb in spy.cdbs:
        if (
            cdb[0] != 0x5B
        ):  # CLOSE TRACK/SESSION was captured of nobody: cdrdao and cdrecord write at once
            assert shape(cdb) in known[cdb[0]], cdb.hex()


# -- R-W session at once --------------------------------------------------------------------------


def test_packs_go_out_as_packs_session_at_once() -> None:
    image = graphics()
    spy = burned(image, "sao")
    rows = np.frombuffer(spy.sheets[0], np.uint8).reshape(-1, 8)
    tracks = rows[(rows[:, 0] & 15 == 1) & (rows[:, 1] > 0) & (rows[:, 1] < 100)]
    assert set(tracks[:, 3].tolist()) == {0xC0}
    assert spy.selected[-1][4] == 2
    data = b"".join(part for _, _, part in spy.written)
    blocks = np.frombuffer(data, np.uint8).reshape(-1, 2448)
    cooked = np.frombuffer(image.as_kind(ImageType.COOKED).read(-150, 975), np.uint8)
    assert (blocks == cooked.reshape(-1, 2448)).all()


def test_a_drive_that_refuses_packs_is_sent_what_they_become() -> None:
    image, spy = graphics(), blank_disc()

    def picky(cdb: bytes) -> Answer | None:
        if cdb[0] == 0x5D and picky.refuse:  # type: ignore[attr-defined]  # said below
            picky.refuse = False  # type: ignore[attr-defined]  # as above
            sense = bytes([0x70, 0, 5, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0x26, 0, 0, 0, 0, 0])
            return Answer(status=2, data=b"", sense=sense)
        return None

    picky.refuse = True  # type: ignore[attr-defined]  # as above
    spy.before = picky
    with DriveSession(spy) as session:
        result = session.burn(image, mode="sao")
        assert result.sub is ImageType.RAW
        assert session.compare(image, result).same
    assert {row[3] for row in np.frombuffer(spy.sheets[-1], np.uint8).reshape(-1, 8)[5:-1]} == {
        0x40
    }
    assert spy.selected[-1][4] == 3
    data = b"".join(part for _, _, part in spy.written)
    assert data == image.as_kind(ImageType.RAW).read(-150, 975)


@pytest.mark.parametrize(("number", "bits"), [(1, [0]), (2, [3, 1])])
@pytest.mark.parametrize("mode", ["raw", "sao", "tao"])
def test_the_page_tells_what_may_follow(mode: str, number: int, bits: list[int]) -> None:
    """The last of several sessions gets a B0 that closes the disc, as its raw lead-in has one."""
    spy = burned(album() if number == 1 else two_sessions(), mode)
    sessions = [page[3] >> 6 for page in spy.selected]
    told = [bit for at, bit in enumerate(sessions) if not at or sessions[at - 1] != bit]
    assert told[-len(bits) :] == bits


def test_what_a_program_of_a_recorder_remarks_upon_is_told() -> None:
    creator = rawcd.RawCDImageCreator()
    creator.add_track(sound(400))
    creator.add_track(sound(400, 2), pregap=0)
    image = creator.create_result_image().with_style("cdrecord")
    with DriveSession(VirtualRecorder(blank=blank_named("cdr-short"))) as session:
        result = session.burn(image, mode="raw")
    (said,) = result.remarks
    assert said == "P does not announce a track (first at LBA 399, 1 in all)"
