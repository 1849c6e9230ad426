"""The virtual recorder: a CD-R/CD-RW drive that executes CDBs and obeys MMC strictly.

It knows nothing of the host's side of this package but the seam, `rawcd_writers.drive.transport`:
commands, pages and replies are stated here a second time, so that a mistake of the host shows as
a refusal and not as an agreement.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from rawcd.errors import DriveError
from rawcd.msf import FIRST_LBA, LAST_LBA, Msf
from rawcd_writers.drive.transport import BUSY, GOOD, Answer
from rawcd_writers.drive.virtual import answers
from rawcd_writers.drive.virtual.clock import SECTORS_PER_SECOND, Clock, DriveBuffer
from rawcd_writers.drive.virtual.cuesheet import CueSheet, read_cue_sheet
from rawcd_writers.drive.virtual.faults import Fault, FaultKind, Faults
from rawcd_writers.drive.virtual.medium import DiscStatus, Medium
from rawcd_writers.drive.virtual.pages import (
    LINE_SPEED,
    RAW_BLOCKS,
    READ_SPEED,
    WRITE_SPEEDS,
    ModePages,
    WriteParameters,
    WriteType,
)
from rawcd_writers.drive.virtual.reading import SectorReader
from rawcd_writers.drive.virtual.recording import RawRecording, Recording
from rawcd_writers.drive.virtual.refusals import (
    ABORTED,
    BECOMING_READY,
    BUS_RESET,
    CANNOT_FORMAT,
    END_OF_TRACK,
    INCOMPATIBLE_MEDIUM,
    INVALID_OPCODE,
    LIST_LENGTH,
    LONG_WRITE,
    MEDIUM_CHANGED,
    NO_MEDIUM,
    NO_SENSE,
    OPERATION_IN_PROGRESS,
    OUT_OF_RANGE,
    POWER_ON,
    READ_ERROR,
    REMOVAL_PREVENTED,
    SEQUENCE_ERROR,
    TRAY_OPEN,
    UNDERRUN,
    WRITE_ERROR,
    Refusal,
    Sense,
    bad_cdb,
    bad_parameter,
)
from rawcd_writers.drive.virtual.sao import SaoRecording
from rawcd_writers.drive.virtual.tao import TaoRecording, close_session, reserve_track

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from _typeshed import ReadableBuffer

    from rawcd_writers.drive.virtual.blanks import Blank

Handler = Callable[["VirtualRecorder", bytes, memoryview], bytes]

_INQUIRY: Final = 0x12
_REQUEST_SENSE: Final = 0x03
_GET_CONFIGURATION: Final = 0x46
_GET_EVENT: Final = 0x4A
_WRITES: Final = (0x2A, 0xAA)
_PAST_ATTENTION: Final = (_INQUIRY, _REQUEST_SENSE, _GET_CONFIGURATION, _GET_EVENT)
"""Commands that a unit attention does not hold up (SPC; MMC for the last two)."""
_PAST_BUSY: Final = (*_PAST_ATTENTION, 0x5C, 0x1E, 0x1A, 0x5A, 0x51, 0x52, 0xBB)
"""Commands that are answered while a long operation is under way."""
_POLL_SECONDS: Final = 1.0
"""How much later it is when a host asks again whether an operation is done."""
_CDB_LENGTHS: Final = {0: 6, 1: 10, 2: 10, 4: 16, 5: 12}
_KIB: Final = 1024


def _cdb_length(opcode: int) -> int:
    return _CDB_LENGTHS.get(opcode >> 5, 6)


def _u16(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 2], "big")


def _u32(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 4], "big")


def _s32(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 4], "big", signed=True)


class VirtualRecorder:
    """A drive with a disc in it; a `Transport`.

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
        commands: opcodes executed, in order (the last 100,000).

    Raises:
        FormatError: the file holds no disc.
        StorageError: it cannot be read.
    """

    def __init__(
        self,
        path: Path | None = None,
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
        self._medium: Medium | None = None if empty else Medium(blank, path)
        self._tray_open = False
        self._attentions: list[Sense] = [POWER_ON]
        self._media_event = 2 if self._medium else 0  # new media
        self._busy_until = 0.0
        self._busy_since = 0.0
        self._busy_sense = OPERATION_IN_PROGRESS
        self._recording: Recording | None = None
        self._sheet: CueSheet | None = None
        self._sheet_parameters: WriteParameters | None = None
        self._read_speed = READ_SPEED
        self._write_speed = WRITE_SPEEDS[0]
        self._last_failure: Refusal | None = None
        self._off = False

    # The seam

    @property
    def medium(self) -> Medium | None:
        """The disc in the drive."""
        return self._medium

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
            self.complaints.append(f"{cdb.hex()}: {refusal.why}")
            return refusal.answer(wanted)
        return Answer(
            status=GOOD, data=data, sense=b"", residual=0 if len(out) else data_in - len(data)
        )

    def close(self) -> None:
        """Switch it off; a session under way stays unfinished."""
        self._abandon("the drive was switched off")
        if self._medium is not None:
            self._medium.close()
        self._off = True

    # For people and tests, as hands on the drive

    def insert(self, path: Path | None = None, *, blank: Blank | None = None) -> None:
        """Put another disc in."""
        self.remove()
        self._medium = Medium(blank, path)
        self._tray_open = False
        self._attentions.append(MEDIUM_CHANGED)
        self._media_event = 2

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
        if cdb and cdb[0] in _WRITES and self._recording is not None:
            wide = cdb[0] == 0xAA
            lba = _s32(cdb, 2)
            count = _u32(cdb, 6) if wide else _u16(cdb, 7)
            size = self._recording.block_bytes(lba)
            half = count // 2
            self._write(lba, half, out[: half * size])
            return Answer(status=GOOD, data=b"", sense=b"", residual=len(out) - half * size)
        if len(out):
            return Answer(status=GOOD, data=b"", sense=b"", residual=len(out))
        data = self._executed(cdb, out)[:data_in]
        data = data[: len(data) // 2]
        return Answer(status=GOOD, data=data, sense=b"", residual=data_in - len(data))

    def _executed(self, cdb: bytes, out: memoryview) -> bytes:
        if not cdb:
            raise bad_cdb(0, "an empty CDB")
        opcode = cdb[0]
        handler = _HANDLERS.get(opcode)
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
        self._sheet = None
        self._busy_until = 0.0
        self.buffer.flush()
        if recording is None or recording.test or self._medium is None:
            return
        if isinstance(recording, TaoRecording):
            self._medium.spoil(f"track {recording.track.number} was not closed: {why}")
        elif self._medium.open.spoilt is not None:
            self._medium.spoil(f"the session was not finished: {why}")

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
            return answers.inquiry()[: _u16(cdb, 3)]
        return answers.inquiry_page(cdb[2])[: _u16(cdb, 3)]

    def _mode_sense_6(self, cdb: bytes, out: memoryview) -> bytes:
        del out
        pages = self._pages.sense(cdb[2] & 0x3F, cdb[2] >> 6)
        data = bytes([min(len(pages) + 3, 0xFF), self._medium_type(), 0, 0]) + pages
        return data[: cdb[4]]

    def _mode_sense_10(self, cdb: bytes, out: memoryview) -> bytes:
        del out
        pages = self._pages.sense(cdb[2] & 0x3F, cdb[2] >> 6)
        head = (len(pages) + 6).to_bytes(2, "big") + bytes([self._medium_type()]) + bytes(5)
        return (head + pages)[: _u16(cdb, 7)]

    def _medium_type(self) -> int:
        return 0x70 if self._medium is None or self._tray_open else 0x00

    def _mode_select(self, cdb: bytes, out: memoryview) -> bytes:
        six = cdb[0] == 0x15
        length = cdb[4] if six else _u16(cdb, 7)
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

    # Reading

    def _read_capacity(self, cdb: bytes, out: memoryview) -> bytes:
        del cdb, out
        return answers.last_sector(self._disc()).to_bytes(4, "big") + (2048).to_bytes(4, "big")

    def _read_toc(self, cdb: bytes, out: memoryview) -> bytes:
        del out
        medium, msf = self._disc(), bool(cdb[1] & 2)
        form, number = cdb[2] & 15, cdb[6]
        if not form:
            form = cdb[9] >> 6  # where SFF-8020 had it
        if form == 0:
            data = answers.toc(medium.disc, number, msf=msf)
        elif form == 1:
            data = answers.session_info(medium.disc, msf=msf)
        elif form == 2:
            data = answers.full_toc(medium.disc, number)
        elif form == 3:
            data = answers.pma(medium)
        elif form == 4:
            data = answers.atip(medium)
        elif form == 5:
            data = answers.cdtext_packs(medium)
        else:
            raise bad_cdb(2, f"there is no format {form}")
        return data[: _u16(cdb, 7)]

    def _read_disc_information(self, cdb: bytes, out: memoryview) -> bytes:
        del out
        if cdb[1] & 7:
            raise bad_cdb(1, f"a CD has no disc information of type {cdb[1] & 7}")
        return answers.disc_information(self._disc())[: _u16(cdb, 7)]

    def _read_track_information(self, cdb: bytes, out: memoryview) -> bytes:
        del out
        medium, kind, number = self._disc(), cdb[1] & 3, _u32(cdb, 2)
        parameters = self._pages.write
        next_lba = None
        if self._recording is not None:
            parameters = replace(parameters)
            next_lba = self._recording.next_lba
        found = None
        if kind == 0:
            lba = _s32(cdb, 2)
            found = answers.track_by_address(medium, parameters, lba, next_lba)
        elif kind == 1:
            if number == 0:
                raise bad_cdb(2, "a lead-in has no track information here")
            found = answers.track_by_number(medium, parameters, number, next_lba)
        elif kind == 2:
            sessions = medium.disc.sessions if medium.disc else ()
            if 1 <= number <= len(sessions):
                first = sessions[number - 1].tracks[0].number
                found = answers.track_by_number(medium, parameters, first, next_lba)
            elif number == len(sessions) + 1:
                found = answers.track_by_number(medium, parameters, 0xFF, next_lba)
        else:
            raise bad_cdb(1, "address type 11b is reserved")
        if found is None:
            raise bad_cdb(2, f"there is no track {number}")
        return found.build()[: _u16(cdb, 7)]

    def _read_cd(self, cdb: bytes, out: memoryview) -> bytes:
        del out
        lba, count = _s32(cdb, 2), int.from_bytes(cdb[6:9], "big")
        return self._read_sectors(SectorReader(cdb[1] >> 2 & 7, cdb[9], cdb[10]), lba, count)

    def _read_cd_msf(self, cdb: bytes, out: memoryview) -> bytes:
        del out
        try:
            first, end = (Msf(*cdb[at : at + 3]).to_frames() - 150 for at in (3, 6))
        except ValueError as error:
            raise bad_cdb(3, str(error)) from error
        if end < first:
            raise bad_cdb(6, "the end lies before the start")
        reader = SectorReader(cdb[1] >> 2 & 7, cdb[9], cdb[10])
        return self._read_sectors(reader, first, end - first)

    def _read_10_12(self, cdb: bytes, out: memoryview) -> bytes:
        """Return user data of data tracks, 2,048 bytes a sector."""
        del out
        count = _u16(cdb, 7) if cdb[0] == 0x28 else _u32(cdb, 6)
        return self._read_sectors(SectorReader(0, 0x10, 0), _s32(cdb, 2), count, user=True)

    def _read_sectors(
        self, reader: SectorReader, lba: int, count: int, *, user: bool = False
    ) -> bytes:
        medium = self._disc()
        if self._recording is not None and not self._recording.test:
            raise Refusal(SEQUENCE_ERROR, "a session is being written")
        if not count:
            return b""
        if not FIRST_LBA <= lba <= lba + count - 1 <= LAST_LBA:
            raise Refusal(OUT_OF_RANGE, f"LBA {lba} to {lba + count - 1} is no address", lba=lba)
        if count * 2744 > 64 * self.max_bytes:
            raise bad_cdb(6, f"{count} sectors are more than one transfer carries")
        bad = self._faults.bad_sector(lba, count)
        if bad is not None:
            raise Refusal(READ_ERROR, f"LBA {bad} cannot be read, to order", lba=bad)
        data = reader.read(medium, lba, count)
        if user and len(data) != count * 2048:
            from rawcd_writers.drive.virtual.refusals import ILLEGAL_MODE

            raise Refusal(ILLEGAL_MODE, "READ takes sectors of 2,048 bytes", lba=lba)
        self.clock.wait(count / (SECTORS_PER_SECOND * self._read_speed))
        return data

    def _read_subchannel(self, cdb: bytes, out: memoryview) -> bytes:
        del out
        medium, form = self._disc(), cdb[3]
        head = bytes([0, 0x15])  # no audio status: nothing plays here
        if not cdb[2] & 0x40:
            return (head + bytes(2))[: _u16(cdb, 7)]
        disc = medium.disc
        if form == 1:
            body = bytes([1, 0, 0, 0]) + bytes(8)
        elif form == 2:
            mcn = disc.mcn if disc else None
            text = (mcn or "").encode("ascii").ljust(13, b"\0")
            body = bytes([2, 0, 0, 0, 0x80 if mcn else 0]) + text + bytes(2)
        elif form == 3:
            try:
                track = disc.track(cdb[6]) if disc else None
            except KeyError:
                track = None
            if track is None:
                raise bad_cdb(6, f"there is no track {cdb[6]}")
            isrc = (track.isrc or "").encode("ascii").ljust(12, b"\0")
            valid = 0x80 if track.isrc else 0
            body = bytes([3, 0x10 | track.control, track.number, 0, valid]) + isrc + bytes(3)
        else:
            raise bad_cdb(3, f"there is no sub-channel format {form}")
        return (head + len(body).to_bytes(2, "big") + body)[: _u16(cdb, 7)]

    # What it can do

    def _get_configuration(self, cdb: bytes, out: memoryview) -> bytes:
        del out
        if cdb[1] & 3 == 3:
            raise bad_cdb(1, "RT 11b is reserved")
        inside = None if self._tray_open else self._medium
        return answers.configuration(inside, cdb[1] & 3, _u16(cdb, 2))[: _u16(cdb, 7)]

    def _get_event(self, cdb: bytes, out: memoryview) -> bytes:
        del out
        if not cdb[1] & 1:
            raise bad_cdb(1, "asynchronous notification is not supported")
        supported = 0x5E  # media, power, operational change, external request, device busy
        asked = cdb[4] & supported
        if not asked:
            return bytes([0, 2, 0x80, supported])[: _u16(cdb, 7)]
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
        return (bytes([0, 6, lowest, supported]) + body)[: _u16(cdb, 7)]

    def _get_performance(self, cdb: bytes, out: memoryview) -> bytes:
        del out
        kind = cdb[10]
        if kind not in (0, 3):
            raise bad_cdb(10, f"there is no performance type {kind}")
        medium = self._disc()
        write = bool(cdb[1] & 4)
        end = max(medium.blank.last_lead_out_lba - 1, 0)
        return answers.performance(kind, write, _u16(cdb, 8), end, self._write_speed)

    def _set_streaming(self, cdb: bytes, out: memoryview) -> bytes:
        length = _u16(cdb, 9)
        if length != 28 or len(out) < 28:
            raise Refusal(LIST_LENGTH, "a performance descriptor has 28 bytes")
        data = bytes(out[:28])
        if data[0] & 0x04:  # RDD: defaults again
            self._set_speeds(READ_SPEED, WRITE_SPEEDS[0])
            return b""
        rates = []
        for at in (12, 20):
            kilobytes, milliseconds = _u32(data, at), _u32(data, at + 4)
            if not milliseconds:
                raise bad_parameter(at + 4, "no time to move anything in")
            rates.append(kilobytes * 1000 // milliseconds)
        self._set_speeds(*(rate // LINE_SPEED for rate in rates))
        return b""

    def _set_speed(self, cdb: bytes, out: memoryview) -> bytes:
        del out
        # A speed is the nearest the drive has that is not above the one asked for (MMC).
        self._set_speeds(*(-(-(rate - 5) // LINE_SPEED) for rate in (_u16(cdb, 2), _u16(cdb, 4))))
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
        return (bytes([0, 10, 0, 0]) + sizes)[: _u16(cdb, 7)]

    # Writing

    def _writable(self) -> Medium:
        medium = self._disc()
        if medium.status is DiscStatus.COMPLETE:
            raise Refusal(INCOMPATIBLE_MEDIUM, "the disc is complete: nothing can be added")
        if medium.open.spoilt is not None and self._recording is None:
            raise Refusal(INCOMPATIBLE_MEDIUM, f"nothing can be added: {medium.open.spoilt}")
        return medium

    def _send_opc(self, cdb: bytes, out: memoryview) -> bytes:
        del out
        self._writable()
        if self._recording is not None:
            raise Refusal(SEQUENCE_ERROR, "a session is being written")
        if _u16(cdb, 7):
            raise bad_cdb(7, "OPC values cannot be given")
        self.clock.wait(2.0)
        return b""

    def _send_cue_sheet(self, cdb: bytes, out: memoryview) -> bytes:
        medium, parameters = self._writable(), self._pages.write
        if self._recording is not None:
            raise Refusal(SEQUENCE_ERROR, "a session is being written")
        if parameters.write_type is not WriteType.SAO:
            raise Refusal(SEQUENCE_ERROR, "page 05h is not set to session at once")
        if medium.open.tracks:
            raise Refusal(SEQUENCE_ERROR, "the session has tracks at once")
        length = int.from_bytes(cdb[6:9], "big")
        if length != len(out):
            raise Refusal(LIST_LENGTH, f"{len(out)} bytes, not {length}")
        self._sheet = read_cue_sheet(
            bytes(out),
            medium,
            parameters.session_format,
            appendable=parameters.multi_session == 3,
        )
        return b""

    def _write_10_12(self, cdb: bytes, out: memoryview) -> bytes:
        lba = _s32(cdb, 2)
        count = _u32(cdb, 6) if cdb[0] == 0xAA else _u16(cdb, 7)
        self._write(lba, count, out)
        return b""

    def _write(self, lba: int, count: int, out: memoryview) -> None:
        medium = self._writable()
        if not count:
            return
        recording = self._recording
        if recording is None:
            recording = self._begun(medium, lba)
        bad = self._faults.bad_sector(lba, count)
        if bad is not None and lba == recording.next_lba:
            self._recording = recording
            self._abandon(f"LBA {bad} could not be written")
            raise Refusal(WRITE_ERROR, f"LBA {bad} cannot be written, to order", lba=bad)
        block = recording.block_bytes(lba) or len(out) // count
        recording.write(lba, count, out)
        self._recording = recording
        fed = self.buffer.put(len(out), max(block, 1), self._write_speed)
        if not fed and not self._pages.write.underrun_protection:
            self._abandon("the buffer ran dry")
            raise Refusal(UNDERRUN, "the buffer ran dry without underrun protection", lba=lba)

    def _begun(self, medium: Medium, lba: int) -> Recording:
        parameters = self._pages.write
        if parameters.write_type is WriteType.TAO:
            return TaoRecording(medium, parameters, lba)
        if medium.open.tracks:
            raise Refusal(SEQUENCE_ERROR, "the session has tracks at once")
        if parameters.write_type is WriteType.RAW:
            if parameters.block_type not in RAW_BLOCKS:
                raise Refusal(SEQUENCE_ERROR, "page 05h has no data block type of raw writing")
            return RawRecording(medium, parameters)
        if self._sheet is None:
            raise Refusal(SEQUENCE_ERROR, "session at once begins with a cue sheet")
        return SaoRecording(medium, parameters, self._sheet)

    def _synchronize(self, cdb: bytes, out: memoryview) -> bytes:
        del out
        self._disc()
        seconds = self.buffer.flush()
        recording = self._recording
        if recording is not None:
            finished = recording.sync()
            self._keep_remarks(recording)
            if finished:
                self._recording = None
                self._sheet = None
                if not isinstance(recording, TaoRecording):  # lead-in and lead-out are the drive's
                    seconds += 11_250 / (SECTORS_PER_SECOND * self._write_speed)
        self._operate(seconds, immediate=bool(cdb[1] & 2), sense=LONG_WRITE)
        return b""

    def _keep_remarks(self, recording: Recording) -> None:
        self.remarks.update(recording.remarks())

    def _close(self, cdb: bytes, out: memoryview) -> bytes:
        del out
        function, number = cdb[2] & 7, _u16(cdb, 4)
        medium = self._disc()
        seconds = self.buffer.flush()
        recording = self._recording
        if function == 0:
            pass  # stops a format in the background: there is none
        elif function == 1:
            if isinstance(recording, TaoRecording):
                if number not in (recording.track.number, 0xFF, 0):
                    raise Refusal(SEQUENCE_ERROR, f"track {number} is not the one being written")
                recording.finish()
                self._keep_remarks(recording)
                self._recording = None
            elif recording is not None:
                raise Refusal(SEQUENCE_ERROR, "a session at once has no track to close")
            else:
                self._close_waiting_track(medium, number)
        elif function == 2:
            if isinstance(recording, TaoRecording):
                raise Refusal(SEQUENCE_ERROR, "a track is open: close it first")
            if recording is not None:
                raise Refusal(SEQUENCE_ERROR, "the session is not whole")
            if medium.open.spoilt is not None:
                raise Refusal(SEQUENCE_ERROR, medium.open.spoilt)
            close_session(medium, self._pages.write)
            seconds += 11_250 / (SECTORS_PER_SECOND * self._write_speed)
        else:
            raise bad_cdb(2, f"there is no close function {function} on a CD")
        self._operate(seconds, immediate=bool(cdb[1] & 1), sense=OPERATION_IN_PROGRESS)
        return b""

    def _close_waiting_track(self, medium: Medium, number: int) -> None:
        """Close a track of an earlier command; closed ones are left, as MMC wants it."""
        for track in medium.open.tracks:
            if not track.closed or number not in (track.number, 0xFF):
                continue
            return
        raise Refusal(SEQUENCE_ERROR, f"track {number} is not open")

    def _reserve(self, cdb: bytes, out: memoryview) -> bytes:
        del out
        medium = self._writable()
        if self._recording is not None:
            raise Refusal(SEQUENCE_ERROR, "a session is being written")
        if self._pages.write.write_type is not WriteType.TAO:
            raise Refusal(SEQUENCE_ERROR, "page 05h is not set to track at once")
        if medium.next_track_number > 99:
            raise Refusal(END_OF_TRACK, "the disc has 99 tracks")
        reserve_track(medium, self._pages.write, _u32(cdb, 5))
        return b""

    def _blank(self, cdb: bytes, out: memoryview) -> bytes:
        del out
        medium, kind = self._disc(), cdb[1] & 7
        if self._recording is not None:
            raise Refusal(SEQUENCE_ERROR, "a session is being written")
        if not medium.blank.rewritable:
            raise Refusal(CANNOT_FORMAT, "a CD-R cannot be blanked")
        if kind not in (0, 1):
            raise bad_cdb(1, f"blanking type {kind} is not supported")
        sectors = medium.blank.end_lba - medium.blank.lead_in_lba if kind == 0 else 11_250
        medium.erase()
        self._media_event = 2
        self._operate(
            sectors / (SECTORS_PER_SECOND * self._write_speed),
            immediate=bool(cdb[1] & 0x10),
            sense=OPERATION_IN_PROGRESS,
        )
        return b""


_HANDLERS: Final[dict[int, Handler]] = {
    0x00: VirtualRecorder._test_unit_ready,
    0x03: VirtualRecorder._request_sense,
    0x12: VirtualRecorder._inquiry,
    0x15: VirtualRecorder._mode_select,
    0x1A: VirtualRecorder._mode_sense_6,
    0x1B: VirtualRecorder._start_stop,
    0x1E: VirtualRecorder._prevent_allow,
    0x25: VirtualRecorder._read_capacity,
    0x28: VirtualRecorder._read_10_12,
    0x2A: VirtualRecorder._write_10_12,
    0x35: VirtualRecorder._synchronize,
    0x42: VirtualRecorder._read_subchannel,
    0x43: VirtualRecorder._read_toc,
    0x46: VirtualRecorder._get_configuration,
    0x4A: VirtualRecorder._get_event,
    0x51: VirtualRecorder._read_disc_information,
    0x52: VirtualRecorder._read_track_information,
    0x53: VirtualRecorder._reserve,
    0x54: VirtualRecorder._send_opc,
    0x55: VirtualRecorder._mode_select,
    0x5A: VirtualRecorder._mode_sense_10,
    0x5B: VirtualRecorder._close,
    0x5C: VirtualRecorder._read_buffer_capacity,
    0x5D: VirtualRecorder._send_cue_sheet,
    0xA1: VirtualRecorder._blank,
    0xA8: VirtualRecorder._read_10_12,
    0xAA: VirtualRecorder._write_10_12,
    0xAC: VirtualRecorder._get_performance,
    0xB6: VirtualRecorder._set_streaming,
    0xB9: VirtualRecorder._read_cd_msf,
    0xBB: VirtualRecorder._set_speed,
    0xBE: VirtualRecorder._read_cd,
}
