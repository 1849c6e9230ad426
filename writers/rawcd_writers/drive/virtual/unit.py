"""What the virtual recorder is as a SCSI device, whatever is written with it (SPC, MMC).

It executes CDBs and tells of unit attentions, long operations and faults to order; the tray, mode
pages, events, features and speeds are here. Reading and writing discs is `device`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final

from rawcd.errors import DriveError, StorageError
from rawcd_writers.drive.transport import BUSY, GOOD, Answer
from rawcd_writers.drive.virtual import answers
from rawcd_writers.drive.virtual.clock import Clock, DriveBuffer
from rawcd_writers.drive.virtual.faults import Fault, FaultKind, Faults
from rawcd_writers.drive.virtual.medium import Medium
from rawcd_writers.drive.virtual.pages import (
    LINE_SPEED,
    READ_SPEED,
    WRITE_SPEEDS,
    ModePages,
    WriteParameters,
)
from rawcd_writers.drive.virtual.refusals import (
    ABORTED,
    BECOMING_READY,
    BUS_RESET,
    INVALID_OPCODE,
    LIST_LENGTH,
    LONG_WRITE,
    MEDIUM_CHANGED,
    NO_MEDIUM,
    NO_SENSE,
    OPERATION_IN_PROGRESS,
    POWER_ON,
    REMOVAL_PREVENTED,
    SEQUENCE_ERROR,
    TRAY_OPEN,
    BadSpot,
    Refusal,
    Sense,
    bad_cdb,
    bad_parameter,
)
from rawcd_writers.drive.virtual.tao import TaoRecording

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from _typeshed import ReadableBuffer

    from rawcd_writers.drive.virtual.blanks import Blank
    from rawcd_writers.drive.virtual.cuesheet import CueSheet
    from rawcd_writers.drive.virtual.recording import Recording

_log = logging.getLogger(__name__)

HABITS: Final = {
    "no-p-before-track": "P does not announce a track",
    "short-track": "a track is shorter than four seconds",
    "sparse-catalogue-number": "more than 100 sectors lie between two catalogue numbers in Q",
    "sparse-isrc": "more than 100 sectors lie between two ISRCs of a track in Q",
    "stale-zero-byte": "the zero byte of a Q frame is not zero",
    "unknown-pack": "an R-W pack is of no known mode and item",
    "unscrambled-blank": "a data sector that holds nothing is not scrambled",
}
"""Remarks in words."""
Handler = Callable[[Any, bytes, memoryview], bytes]
"""A method of the recorder: the CDB, filled up to 16 bytes, and the data that came with it."""

_INQUIRY: Final = 0x12
_REQUEST_SENSE: Final = 0x03
_GET_CONFIGURATION: Final = 0x46
_GET_EVENT: Final = 0x4A
_PAST_ATTENTION: Final = (_INQUIRY, _REQUEST_SENSE, _GET_CONFIGURATION, _GET_EVENT)
"""Commands that a unit attention does not hold up (SPC; MMC for the last two)."""
_PAST_BUSY: Final = (*_PAST_ATTENTION, 0x5C, 0x1E, 0x1A, 0x5A, 0x51, 0x52, 0xBB)
"""Commands that are answered while a long operation is under way."""
_POLL_SECONDS: Final = 1.0
"""How much later it is when a host asks again whether an operation is done."""
_CDB_LENGTHS: Final = {0: 6, 1: 10, 2: 10, 4: 16, 5: 12}


def _cdb_length(opcode: int) -> int:
    return _CDB_LENGTHS.get(opcode >> 5, 6)


def u16(data: bytes, at: int) -> int:
    """Return two bytes as a number."""
    return int.from_bytes(data[at : at + 2], "big")


def u32(data: bytes, at: int) -> int:
    """Return four bytes as a number."""
    return int.from_bytes(data[at : at + 4], "big")


def s32(data: bytes, at: int) -> int:
    """Return four bytes as a signed number: an LBA."""
    return int.from_bytes(data[at : at + 4], "big", signed=True)


class LogicalUnit:
    """A drive with a disc in it, as far as it is a SCSI device.

    Args:
        path: the file that holds the disc; one that is missing is a blank. None keeps the disc
            in a temporary file that goes with the recorder.
        blank: what kind of blank it is; None: as the file says, else an 80 minute CD-R.
        empty: there is no disc in the drive.
        faults: what is to go wrong.
        clock: a simulated clock; None makes one.
        buffer_bytes: the drive's buffer.

    Attributes:
        complaints: why each refused command was refused, in words, in order.
        remarks: habits of the host that are no faults, with first address and how often.

    Raises:
        FormatError: the file holds no disc.
        StorageError: it cannot be read, or another recorder has it.
    """

    def __init__(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        blank: Blank | None = None,
        empty: bool = False,
        faults: Sequence[Fault] = (),
        clock: Clock | None = None,
        buffer_bytes: int = 2 << 20,
    ) -> None:
        self.name = f"virtual:{path}" if path else "virtual:"
        self.max_bytes = 1 << 20
        self.clock = clock or Clock()
        self.buffer = DriveBuffer(self.clock, buffer_bytes)
        self.complaints: list[str] = []
        self.remarks: dict[str, tuple[int, int]] = {}
        self._faults = Faults(tuple(faults))
        self._pages = ModePages(write=WriteParameters(), buffer_bytes=buffer_bytes)
        self._medium: Medium | None = None if empty else self._loaded(blank, path)
        self._tray_open = False
        self._attentions: list[Sense] = [POWER_ON]
        self._media_event = 2 if self._medium else 0  # new media
        self._busy_until = 0.0
        self._busy_since = 0.0
        self._busy_sense = OPERATION_IN_PROGRESS
        self._recording: Recording | None = None
        self._rests = False  # what came of an unfinished session has been flushed
        self._sheet: CueSheet | None = None
        self._read_speed = READ_SPEED
        self._write_speed = WRITE_SPEEDS[0]
        self._last_failure: Refusal | None = None
        self._off = False

    # The seam

    @property
    def medium(self) -> Medium | None:
        """The disc in the drive."""
        return self._medium

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files that hold the disc: what is read from it must not be written over them."""
        return () if self._medium is None else self._medium.paths

    @property
    def observations(self) -> tuple[str, ...]:
        """The remarks in words, for people."""
        return tuple(
            f"{HABITS.get(habit, habit)} (first at LBA {lba}, {times} in all)"
            for habit, (lba, times) in self.remarks.items()
        )

    def execute(
        self,
        cdb: bytes,
        *,
        data_out: ReadableBuffer = b"",
        data_in: int = 0,
        timeout: float = 30.0,
    ) -> Answer:
        """Execute one command; see `Transport`.

        Raises:
            DriveError: the power is off (a fault to order).
            StorageError: the file that holds the disc failed.
        """
        del timeout
        out = memoryview(data_out).cast("B")
        opcode = cdb[0] if cdb else 0
        self.clock.wait(self._faults.host_seconds)
        wanted = max(len(out), data_in)
        try:
            due = self._due(opcode)
            if due is FaultKind.BUSY:
                return Answer(status=BUSY, data=b"", sense=b"", residual=wanted)
            short = due is FaultKind.SHORT
            if short:
                return self._short(cdb, out, data_in)
            data = self._executed(cdb, out)[:data_in]
        except Refusal as refusal:
            if isinstance(refusal, BadSpot):
                self._abandon(refusal.why)
                if self._medium is not None:
                    self._medium.spoil(refusal.why)
            self.complaints.append(f"{cdb.hex()}: {refusal.why}")
            return refusal.answer(wanted)
        return Answer(
            status=GOOD, data=data, sense=b"", residual=0 if len(out) else data_in - len(data)
        )

    def close(self) -> None:
        """Switch it off; a session under way stays unfinished."""
        try:
            self._abandon("the drive was switched off")
        except StorageError as error:  # that a session was begun has been kept before
            _log.info("why the session is not finished is not kept: %s", error)
        if self._medium is not None:
            self._medium.close()
        self._off = True

    # For people and tests, as hands on the drive

    def order(self, *faults: Fault) -> None:
        """Have other faults happen from here on; the next command is number 1."""
        self._faults = Faults(faults)
        if self._medium is not None:
            self._medium.store.bad_sector = self._faults.bad_sector

    def insert(
        self, path: str | os.PathLike[str] | None = None, *, blank: Blank | None = None
    ) -> None:
        """Put another disc in."""
        self.remove()
        self._medium = self._loaded(blank, path)
        self._tray_open = False
        self._attentions.append(MEDIUM_CHANGED)
        self._media_event = 2

    def _loaded(self, blank: Blank | None, path: str | os.PathLike[str] | None) -> Medium:
        medium = Medium(blank, None if path is None else Path(path))
        medium.store.bad_sector = self._faults.bad_sector
        return medium

    def remove(self) -> None:
        """Take the disc out."""
        self._abandon("the disc was taken out")
        if self._medium is not None:
            self._medium.close()
            self._media_event = 3
        self._medium = None

    # Executing

    def _due(self, opcode: int) -> FaultKind | None:
        if self._off:
            raise DriveError("the drive does not answer: it is switched off")
        due = self._faults.due(opcode)
        if due is FaultKind.POWER_LOSS:
            self.close()
            raise DriveError("the drive does not answer: its power is gone")
        if due is FaultKind.ABORTED:
            raise Refusal(ABORTED, "the command was aborted, to order")
        if due is FaultKind.NOT_READY:
            raise Refusal(BECOMING_READY, "becoming ready, to order")
        if due is FaultKind.LONG_WRITE:
            self.clock.wait(_POLL_SECONDS)
            raise Refusal(LONG_WRITE, "long write in progress, to order")
        if due is FaultKind.BUS_RESET:
            self._abandon("the bus was reset")
            self._pages = ModePages(write=WriteParameters(), buffer_bytes=self.buffer.size)
            self._attentions.append(BUS_RESET)
        if due is FaultKind.MEDIUM_CHANGE:
            self._abandon("the disc was taken out")
            self._attentions.append(MEDIUM_CHANGED)
            self._media_event = 2
        return due

    def _short(self, cdb: bytes, out: memoryview, data_in: int) -> Answer:
        """Let half of a transfer take place."""
        if len(out):
            taken = self._take_half(bytes(cdb).ljust(16, b"\0"), out)
            return Answer(status=GOOD, data=b"", sense=b"", residual=len(out) - taken)
        data = self._executed(cdb, out)[:data_in]
        data = data[: len(data) // 2]
        return Answer(status=GOOD, data=data, sense=b"", residual=data_in - len(data))

    def _take_half(self, cdb: bytes, out: memoryview) -> int:
        """Take half of what a command brings, if that has a meaning; return how many bytes."""
        del cdb, out
        return 0

    def _executed(self, cdb: bytes, out: memoryview) -> bytes:
        if not cdb:
            raise bad_cdb(0, "an empty CDB")
        opcode = cdb[0]
        handler = self.handlers.get(opcode)
        if opcode not in _PAST_ATTENTION and self._attentions:
            raise Refusal(self._attentions.pop(0), "unit attention")
        if handler is None:
            raise Refusal(INVALID_OPCODE, f"there is no command {opcode:02X}h")
        if len(cdb) < _cdb_length(opcode):
            raise bad_cdb(len(cdb), f"a CDB of {len(cdb)} bytes is cut short")
        self._wait_for_operation(opcode)
        # Trailing zeros do no harm: hosts send twelve bytes to everything.
        return handler(self, bytes(cdb).ljust(16, b"\0"), out)

    def _wait_for_operation(self, opcode: int) -> None:
        now = self.clock.now()
        if now < self._busy_until and opcode not in _PAST_BUSY:
            self.clock.wait(_POLL_SECONDS)
            whole = self._busy_until - self._busy_since
            done = min(max((now - self._busy_since) / whole, 0.0), 1.0) if whole else 0.0
            raise Refusal(
                self._busy_sense, "an operation is under way", progress=int(done * 0xFFFF)
            )

    def _operate(self, seconds: float, *, immediate: bool, sense: Sense) -> None:
        """Let a long operation take its time: now, or behind the command's answer."""
        if not immediate:
            self.clock.wait(seconds)
            return
        self._busy_since = self.clock.now()
        self._busy_until = self._busy_since + seconds
        self._busy_sense = sense

    def _abandon(self, why: str) -> None:
        """Lose what was under way."""
        recording, self._recording = self._recording, None
        self._rests = False
        self._sheet = None
        self._busy_until = 0.0
        self.buffer.flush()
        if recording is None or recording.test or self._medium is None:
            return
        if isinstance(recording, TaoRecording):
            self._medium.spoil(f"track {recording.track.number} was not closed: {why}")
        elif self._medium.open.spoilt is not None:
            self._medium.spoil(f"the session was not finished: {why}")

    def _give_up(self, why: str) -> None:
        """Lose a session that its host stopped in the middle and flushed, as stopped burns do."""
        if self._rests:
            self._abandon(why)

    def _disc(self) -> Medium:
        """Return the disc.

        Raises:
            Refusal: there is none.
        """
        if self._tray_open:
            raise Refusal(TRAY_OPEN, "the tray is open")
        if self._medium is None:
            raise Refusal(NO_MEDIUM, "there is no disc")
        return self._medium

    # SPC

    def _test_unit_ready(self, cdb: bytes, out: memoryview) -> bytes:
        del cdb, out
        self._disc()
        return b""

    def _request_sense(self, cdb: bytes, out: memoryview) -> bytes:
        del out
        if self._attentions:
            sense = Refusal(self._attentions.pop(0), "")
        elif self.clock.now() < self._busy_until:
            self.clock.wait(_POLL_SECONDS)
            sense = Refusal(self._busy_sense, "", progress=0x8000)
        else:
            sense = Refusal(NO_SENSE, "")
        return sense.data()[: cdb[4]]

    def _inquiry(self, cdb: bytes, out: memoryview) -> bytes:
        del out
        if not cdb[1] & 1:
            if cdb[2]:
                raise bad_cdb(2, "a page code without EVPD")
            return answers.inquiry()[: u16(cdb, 3)]
        return answers.inquiry_page(cdb[2])[: u16(cdb, 3)]

    def _mode_sense_6(self, cdb: bytes, out: memoryview) -> bytes:
        del out
        pages = self._pages.sense(cdb[2] & 0x3F, cdb[2] >> 6)
        data = bytes([min(len(pages) + 3, 0xFF), self._medium_type(), 0, 0]) + pages
        return data[: cdb[4]]

    def _mode_sense_10(self, cdb: bytes, out: memoryview) -> bytes:
        del out
        pages = self._pages.sense(cdb[2] & 0x3F, cdb[2] >> 6)
        head = (len(pages) + 6).to_bytes(2, "big") + bytes([self._medium_type()]) + bytes(5)
        return (head + pages)[: u16(cdb, 7)]

    def _medium_type(self) -> int:
        return 0x70 if self._medium is None or self._tray_open else 0x00

    def _mode_select(self, cdb: bytes, out: memoryview) -> bytes:
        six = cdb[0] == 0x15
        length = cdb[4] if six else u16(cdb, 7)
        if not cdb[1] & 0x10:
            raise bad_cdb(1, "PF must be set")
        if cdb[1] & 1:
            raise bad_cdb(1, "no mode page can be saved")
        if length > len(out):
            raise Refusal(LIST_LENGTH, f"{len(out)} bytes of {length}")
        pages = self._pages.select(bytes(out[:length]), 4 if six else 8)
        if self._recording is not None and pages.write != self._pages.write:
            raise Refusal(SEQUENCE_ERROR, "page 05h cannot change while a session is written")
        if pages.write != self._pages.write:
            self._sheet = None
        self._pages = pages
        return b""

    def _start_stop(self, cdb: bytes, out: memoryview) -> bytes:
        del out
        load, start = bool(cdb[4] & 2), bool(cdb[4] & 1)
        if cdb[4] >> 4:  # power conditions: the drive sleeps and wakes at once
            return b""
        if load and not start:
            if self._pages.locked:
                raise Refusal(REMOVAL_PREVENTED, "removal is prevented")
            self._give_up("the tray was opened")
            if self._recording is not None:
                raise Refusal(SEQUENCE_ERROR, "a session is being written")
            if not self._tray_open:
                self._tray_open = True
                self._media_event = 3
            return b""
        if self._recording is not None and not start:
            raise Refusal(SEQUENCE_ERROR, "a session is being written")
        if load and self._tray_open:
            self._tray_open = False
            if self._medium is not None:
                self._attentions.append(MEDIUM_CHANGED)
                self._media_event = 2
        # A stopped spindle turns again at the first command that needs it, as real drives do it:
        # cdrskin asks whether the unit is ready after it has stopped it.
        return b""

    def _prevent_allow(self, cdb: bytes, out: memoryview) -> bytes:
        del out
        self._pages = replace(self._pages, locked=bool(cdb[4] & 1))
        return b""

    # What it can do

    def _get_configuration(self, cdb: bytes, out: memoryview) -> bytes:
        del out
        if cdb[1] & 3 == 3:
            raise bad_cdb(1, "RT 11b is reserved")
        inside = None if self._tray_open else self._medium
        return answers.configuration(inside, cdb[1] & 3, u16(cdb, 2))[: u16(cdb, 7)]

    def _get_event(self, cdb: bytes, out: memoryview) -> bytes:
        del out
        if not cdb[1] & 1:
            raise bad_cdb(1, "asynchronous notification is not supported")
        supported = 0x5E  # media, power, operational change, external request, device busy
        asked = cdb[4] & supported
        if not asked:
            return bytes([0, 2, 0x80, supported])[: u16(cdb, 7)]
        lowest = (asked & -asked).bit_length() - 1
        body = bytes(4)
        if lowest == 4:
            inside = self._medium is not None and not self._tray_open
            body = bytes([self._media_event, inside << 1 | self._tray_open, 0, 0])
            self._media_event = 0
        elif lowest == 2:
            body = bytes([0, 1, 0, 0])
        elif lowest == 6:
            body = bytes([0, self.clock.now() < self._busy_until, 0, 0])
        return (bytes([0, 6, lowest, supported]) + body)[: u16(cdb, 7)]

    def _get_performance(self, cdb: bytes, out: memoryview) -> bytes:
        del out
        kind = cdb[10]
        if kind not in (0, 3):
            raise bad_cdb(10, f"there is no performance type {kind}")
        medium = self._disc()
        write = bool(cdb[1] & 4)
        end = max(medium.blank.last_lead_out_lba - 1, 0)
        return answers.performance(kind, write, u16(cdb, 8), end, self._write_speed)

    def _set_streaming(self, cdb: bytes, out: memoryview) -> bytes:
        length = u16(cdb, 9)
        if length != 28 or len(out) < 28:
            raise Refusal(LIST_LENGTH, "a performance descriptor has 28 bytes")
        data = bytes(out[:28])
        if data[0] & 0x04:  # RDD: defaults again
            self._set_speeds(READ_SPEED, WRITE_SPEEDS[0])
            return b""
        rates = []
        for at in (12, 20):
            kilobytes, milliseconds = u32(data, at), u32(data, at + 4)
            if not milliseconds:
                raise bad_parameter(at + 4, "no time to move anything in")
            rates.append(kilobytes * 1000 // milliseconds)
        self._set_speeds(*(rate // LINE_SPEED for rate in rates))
        return b""

    def _set_speed(self, cdb: bytes, out: memoryview) -> bytes:
        del out
        # A speed is the nearest the drive has that is not above the one asked for (MMC).
        self._set_speeds(*(-(-(rate - 5) // LINE_SPEED) for rate in (u16(cdb, 2), u16(cdb, 4))))
        return b""

    def _set_speeds(self, read: int, write: int) -> None:
        self._read_speed = max(1, min(read, READ_SPEED))
        self._write_speed = next((each for each in WRITE_SPEEDS if each <= write), WRITE_SPEEDS[-1])
        self._pages = replace(
            self._pages, read_speed=self._read_speed, write_speed=self._write_speed
        )

    def _read_buffer_capacity(self, cdb: bytes, out: memoryview) -> bytes:
        del out
        if cdb[1] & 1:
            raise bad_cdb(1, "the buffer is told in bytes")
        self._disc()
        size = self.buffer.size
        sizes = size.to_bytes(4, "big") + self.buffer.free.to_bytes(4, "big")
        return (bytes([0, 10, 0, 0]) + sizes)[: u16(cdb, 7)]

    handlers: ClassVar[dict[int, Handler]] = {
        0x00: _test_unit_ready,
        0x03: _request_sense,
        0x12: _inquiry,
        0x15: _mode_select,
        0x1A: _mode_sense_6,
        0x1B: _start_stop,
        0x1E: _prevent_allow,
        0x46: _get_configuration,
        0x4A: _get_event,
        0x55: _mode_select,
        0x5A: _mode_sense_10,
        0x5C: _read_buffer_capacity,
        0xAC: _get_performance,
        0xB6: _set_streaming,
        0xBB: _set_speed,
    }
