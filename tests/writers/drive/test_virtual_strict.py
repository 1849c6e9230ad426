"""What a strict recorder refuses: each rule broken alone, nothing recorded, and the reason said."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from rawcd.subcode.frame import q_crc
from rawcd.subcode.rows import pq_of_pw96
from rawcd.toc import drive_cue_sheet
from rawcd_writers.drive.virtual import VirtualRecorder, blank_named
from rawcd_writers.drive.virtual.pages import WriteParameters, WriteType
from tests.writers.drive.test_virtual_burning import audio_disc, mixed_disc
from tests.writers.drive.virtual_host import CHECK, SYNC, Host, write_10

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from rawcd.image import RegionImage

LEAD_IN = -4650
RAW = WriteParameters(write_type=WriteType.RAW, block_type=3)
SAO = WriteParameters(write_type=WriteType.SAO, block_type=0)
Rows = np.ndarray[tuple[int, int], np.dtype[np.uint8]]
VALUE, MODE, ADDRESS, PARAMETER = (5, 0x26, 2), (5, 0x64, 0), (5, 0x21, 2), (5, 0x26, 0)


@contextmanager
def recorder(blank: str = "cdr-short", path: Path | None = None) -> Iterator[Host]:
    drive = VirtualRecorder(path, blank=blank_named(blank))
    try:
        yield Host(drive)
    finally:
        drive.close()


@cache
def audio() -> RegionImage:
    return audio_disc()


@cache
def mixed() -> RegionImage:
    return mixed_disc()


def with_q(rows: Rows, row: int, change: Callable[[bytearray], None], *, crc: bool = True) -> None:
    """Change the Q frame of a row of 2,448 bytes."""
    sub = rows[row, 2352:]
    frame = bytearray(np.packbits(sub & 0x40).tobytes())
    change(frame)
    if crc:
        frame[10:] = q_crc(bytes(frame[:10])).to_bytes(2, "big")
    bits = np.unpackbits(np.frombuffer(bytes(frame), np.uint8))
    sub[:] = (sub & 0xBF) | bits * np.uint8(0x40)


def put(place: int, value: int) -> Callable[[bytearray], None]:
    def change(frame: bytearray) -> None:
        frame[place] = value

    return change


# LBA of the WRITE, row in it, byte of Q, its new value, sense.
FRAMES = {
    "crc": (0, 3, 10, 0x00, VALUE),
    "lead-in TNO": (-4000, 3, 1, 0x01, VALUE),
    "lead-in point that contradicts": (-4000, 3, 8, 0x59, VALUE),
    "lead-in running time": (-4000, 3, 4, 0x59, VALUE),
    "lead-in ADR": (-4000, 3, 0, 0x03, VALUE),
    "absolute address": (10, 3, 9, 0x00, VALUE),
    "relative time": (10, 3, 5, 0x74, VALUE),
    "track": (10, 3, 1, 0x07, VALUE),
    "index that skips": (10, 3, 2, 0x03, VALUE),
    "index 0 in a track": (10, 3, 2, 0x00, VALUE),
    "data bit": (10, 3, 0, 0x41, VALUE),
    "ADR in a track": (10, 3, 0, 0x04, VALUE),
    "pregap that does not count down": (-100, 3, 5, 0x74, VALUE),
    "pregap of another track": (-100, 3, 1, 0x02, VALUE),
    "lead-out track": (1300, 3, 1, 0x03, VALUE),
    "lead-out index": (1300, 3, 2, 0x02, VALUE),
    "lead-out time": (1300, 3, 5, 0x74, VALUE),
}


@pytest.mark.parametrize("name", FRAMES)
def test_a_wrong_q_frame_is_refused(name: str) -> None:
    image = audio()
    lba, row, place, value, expected = FRAMES[name]
    with recorder() as host:
        host.select(RAW)
        at = LEAD_IN
        while at < lba:
            count = min(500, lba - at)
            host.write(at, count, image.read(at, count))
            at += count
        rows = np.frombuffer(image.read(lba, 10), np.uint8).reshape(10, 2448).copy()
        with_q(rows, row, put(place, value), crc=name != "crc")
        assert host.sense(write_10(lba, 10), rows.tobytes()) == expected
        assert host.drive.complaints[-1]
        # It was refused whole: the same address is taken when it is right.
        host.write(lba, 10, image.read(lba, 10))


@pytest.mark.parametrize("point", [0xA0, 0xA1, 0xA2, 0x01, 0x02, 0x03])
def test_a_lead_in_without_an_item_is_refused(point: int) -> None:
    image = audio()
    with recorder() as host:
        host.select(RAW)
        for lba in range(LEAD_IN, -150, 500):
            rows = np.frombuffer(image.read(lba, 500), np.uint8).reshape(500, 2448).copy()
            frames = np.packbits(rows[:, 2352:] & 0x40, axis=1)
            for row in np.flatnonzero(frames[:, 2] == point).tolist():
                other = 0xA0 if point != 0xA0 else 0xA1
                source = next(bytes(frame) for frame in frames if frame[2] == other)
                with_q(rows, row, lambda frame, source=source: _become(frame, source))  # type: ignore[misc]  # bound in the loop
            host.write(lba, 500, rows.tobytes())
        answer = host.ask(write_10(-150, 1), image.read(-150, 1))
        assert answer.status == CHECK
        assert f"point {point:02X}h" in host.drive.complaints[-1]


def _become(frame: bytearray, source: bytes) -> None:
    frame[0], frame[2], frame[6:10] = source[0], source[2], source[6:10]


def test_sectors_of_a_data_track_must_be_scrambled() -> None:
    image = mixed()
    with recorder() as host:
        host.select(RAW)
        for lba in range(LEAD_IN, 0, 465):
            host.write(lba, 465, image.read(lba, 465))
        rows = np.frombuffer(image.read(0, 10), np.uint8).reshape(10, 2448).copy()
        from rawcd.sector import scramble

        plain = rows.copy()
        scramble(plain[:, :2352])
        assert host.sense(write_10(0, 10), plain.tobytes()) == MODE
        assert "not scrambled" in host.drive.complaints[-1]
        no_sync = rows.copy()
        no_sync[4, 5] ^= 1
        assert host.sense(write_10(0, 10), no_sync.tobytes()) == MODE
        assert "without sync" in host.drive.complaints[-1]
        elsewhere = rows.copy()
        elsewhere[4, 14] ^= 1
        assert host.sense(write_10(0, 10), elsewhere.tobytes()) == MODE
        host.write(0, 10, rows.tobytes())


def test_addresses_follow_each_other() -> None:
    image = audio()
    with recorder() as host:
        host.select(RAW)
        assert host.sense(write_10(0, 1), image.read(0, 1)) == ADDRESS
        host.write(LEAD_IN, 26, image.read(LEAD_IN, 26))
        assert host.next_address() == LEAD_IN + 26
        for lba in (LEAD_IN, LEAD_IN + 25, LEAD_IN + 27):
            assert host.sense(write_10(lba, 1), image.read(lba, 1)) == ADDRESS
        assert host.sense(write_10(LEAD_IN + 26, 1), image.read(0, 1)[:-1]) == (5, 0x1A, 0)


def test_a_lead_out_past_the_blank_is_refused() -> None:
    with recorder("cdr63") as host:
        image = audio()
        sheet = bytearray(drive_cue_sheet(image.disc))
        sheet[-3:] = bytes([63, 0, 1])
        host.select(SAO)
        cdb = b"\x5d" + bytes(5) + len(sheet).to_bytes(3, "big") + b"\0"
        assert host.sense(cdb, bytes(sheet)) == (5, 0x63, 0)
        sheet[-1] = 0
        host.run(cdb, bytes(sheet))


def test_an_unfinished_raw_session_stays_unfinished(tmp_path: Path) -> None:
    image, path = audio(), tmp_path / "disc.raw"
    with recorder(path=path) as host:
        host.select(RAW)
        host.write(LEAD_IN, 500, image.read(LEAD_IN, 500))
        host.run(SYNC)  # too early: nothing is finished, and it may go on
        assert host.disc_status() == (1, 1)
        host.write(LEAD_IN + 500, 10, image.read(LEAD_IN + 500, 10))
    with recorder(path=path) as host:
        assert host.sense(write_10(LEAD_IN + 510, 1), image.read(0, 1)) == (5, 0x30, 5)


# Byte of the audio disc's sheet, its new value: the field pointer must name the row.
ROWS = {
    "MCN that is no digit": (1, 0x41, 1),
    "MCN that does not end": (15, 0x31, 15),
    "lead-in with a track": (17, 1, 17),
    "lead-in form": (19, 0x10, 19),
    "ISRC of two tracks": (33, 2, 33),
    "ISRC character": (27, 0x2D, 26),
    "ISRC in small letters": (27, 0x75, 26),
    "first track without index 0": (42, 1, 42),
    "first pregap too short": (54, 1, 45),
    "index that skips": (58, 3, 58),
    "form that does not fit CONTROL": (51, 0x10, 48),
    "unknown form": (51, 0x05, 51),
    "SCMS": (52, 1, 52),
    "frame 75": (55, 75, 53),
    "times that do not rise": (53, 9, 61),
    "lead-out index": (-6, 2, -6),
    "lead-out form": (-5, 0x00, -5),
}


@pytest.mark.parametrize("name", ROWS)
def test_a_wrong_row_is_refused_with_its_place(name: str) -> None:
    place, value, pointed = ROWS[name]
    sheet = bytearray(drive_cue_sheet(audio().disc))
    sheet[place] = value
    with recorder() as host:
        host.select(SAO)
        cdb = b"\x5d" + bytes(5) + len(sheet).to_bytes(3, "big") + b"\0"
        answer = host.ask(cdb, bytes(sheet))
        assert answer.status == CHECK
        assert (answer.sense[2], answer.sense[12], answer.sense[13]) == PARAMETER
        assert answer.sense[15] == 0x80
        assert int.from_bytes(answer.sense[16:18], "big") == pointed % len(sheet)
        assert host.sense(write_10(-150, 1), bytes(2352)) == (5, 0x2C, 0), "no sheet was taken"


@pytest.mark.parametrize("end", [0, 8, 40, -4])
def test_a_sheet_that_is_cut_short_is_refused(end: int) -> None:
    sheet = drive_cue_sheet(audio().disc)[:end]
    with recorder() as host:
        host.select(SAO)
        cdb = b"\x5d" + bytes(5) + len(sheet).to_bytes(3, "big") + b"\0"
        assert host.sense(cdb, sheet)[0] == 5


def test_a_sheet_that_is_right_is_taken_again_and_again() -> None:
    sheet = drive_cue_sheet(audio().disc)
    with recorder() as host:
        host.select(SAO)
        for _ in range(3):
            host.run(b"\x5d" + bytes(5) + len(sheet).to_bytes(3, "big") + b"\0", sheet)
        host.write(-150, 1, bytes(2352))
        assert host.sense(b"\x5d" + bytes(9), b"") == (5, 0x2C, 0)


# -- habits: what players forgive is taken and remarked upon --------------------------------------


def burned_with(change: Callable[[Any], None]) -> VirtualRecorder:
    """Burn sound raw, its subcode (n, 96) changed by what is given rows from LBA -150 on."""
    image = audio()
    with recorder() as host:
        host.select(RAW)
        first, end = -150, image.disc.sessions[0].lead_out_lba
        host.write(LEAD_IN, first - LEAD_IN, image.read(LEAD_IN, first - LEAD_IN))
        rows = np.frombuffer(image.read(first, end - first), np.uint8).reshape(-1, 2448).copy()
        change(rows[:, 2352:])
        for at in range(0, len(rows), 250):
            part = rows[at : at + 250]
            host.write(first + at, len(part), part.tobytes())
        host.write(end, 6750, image.read(end, 6750))
        host.run(SYNC)
        return host.drive


def without(adr: int, first: int, end: int) -> Callable[[Any], None]:
    """Return what puts the frame of a place where codes are told from `first` to `end`."""
    disc = audio().disc
    bare = replace(
        disc,
        mcn=None,
        sessions=tuple(
            replace(each, tracks=tuple(replace(track, isrc=None) for track in each.tracks))
            for each in disc.sessions
        ),
    )
    plain = replace(audio(), disc=bare)

    def change(sub: Any) -> None:
        q, _ = pq_of_pw96(sub)
        told = (q[:, 0] & 15 == adr) & (np.arange(-150, len(sub) - 150) >= first)
        told &= np.arange(-150, len(sub) - 150) < end
        for row in np.flatnonzero(told).tolist():
            sub[row] = np.frombuffer(plain.read(row - 150, 1), np.uint8)[2352:]

    return change


def test_codes_that_come_seldom_are_remarked_upon() -> None:
    assert not burned_with(lambda sub: None).remarks
    for adr, habit in ((2, "sparse-catalogue-number"), (3, "sparse-isrc")):
        drive = burned_with(without(adr, 60, 150))
        assert set(drive.remarks) == {habit}
        (said,) = drive.observations
        assert "more than 100 sectors" in said


def test_p_that_announces_no_track_is_remarked_upon() -> None:
    def change(sub: Any) -> None:
        sub &= 0x7F

    drive = burned_with(change)
    assert set(drive.remarks) == {"no-p-before-track"}
    assert drive.remarks["no-p-before-track"][0] == -1
