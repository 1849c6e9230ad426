"""The virtual recorder: a CD-R/CD-RW drive that executes CDBs and obeys MMC strictly.

It knows nothing of the host's side of this package but the seam, `rawcd_writers.drive.transport`:
commands, pages and replies are stated here a second time, so that a mistake of the host shows as
a refusal and not as an agreement.
"""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar, Final

from rawcd.msf import FIRST_LBA, LAST_LBA, Msf
from rawcd_writers.drive.virtual import answers
from rawcd_writers.drive.virtual.clock import SECTORS_PER_SECOND
from rawcd_writers.drive.virtual.cuesheet import read_cue_sheet
from rawcd_writers.drive.virtual.leadin import OPEN
from rawcd_writers.drive.virtual.medium import DiscStatus, Medium
from rawcd_writers.drive.virtual.pages import (
    RAW_BLOCKS,
    WriteType,
)
from rawcd_writers.drive.virtual.reading import SectorReader
from rawcd_writers.drive.virtual.recording import RawRecording, Recording
from rawcd_writers.drive.virtual.refusals import (
    CANNOT_FORMAT,
    END_OF_TRACK,
    ILLEGAL_MODE,
    INCOMPATIBLE_MEDIUM,
    LIST_LENGTH,
    LONG_WRITE,
    OPERATION_IN_PROGRESS,
    OUT_OF_RANGE,
    READ_ERROR,
    SEQUENCE_ERROR,
    UNDERRUN,
    WRITE_ERROR,
    Refusal,
    bad_cdb,
)
from rawcd_writers.drive.virtual.sao import SaoRecording
from rawcd_writers.drive.virtual.tao import TaoRecording, close_session, reserve_track
from rawcd_writers.drive.virtual.unit import Handler, LogicalUnit, s32, u16, u32

_WRITES: Final = (0x2A, 0xAA)


class VirtualRecorder(LogicalUnit):
    """A recorder with a disc in it; a `Transport`. What it is made of: see `LogicalUnit`.

    It is what a CDB makes of a disc: nothing that the standard forbids happens to it, and
    `complaints` tells in words why.
    """

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
            data = answers.full_toc(medium, number)
        elif form == 3:
            data = answers.pma(medium)
        elif form == 4:
            data = answers.atip(medium)
        elif form == 5:
            data = answers.cdtext_packs(medium)
        else:
            raise bad_cdb(2, f"there is no format {form}")
        return data[: u16(cdb, 7)]

    def _read_disc_information(self, cdb: bytes, out: memoryview) -> bytes:
        del out
        if cdb[1] & 7:
            raise bad_cdb(1, f"a CD has no disc information of type {cdb[1] & 7}")
        return answers.disc_information(self._disc())[: u16(cdb, 7)]

    def _read_track_information(self, cdb: bytes, out: memoryview) -> bytes:
        del out
        medium, kind, number = self._disc(), cdb[1] & 3, u32(cdb, 2)
        parameters = self._pages.write
        next_lba = None
        if self._recording is not None:
            parameters = replace(parameters)
            next_lba = self._recording.next_lba
        found = None
        if kind == 0:
            lba = s32(cdb, 2)
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
        return found.build()[: u16(cdb, 7)]

    def _read_cd(self, cdb: bytes, out: memoryview) -> bytes:
        del out
        lba, count = s32(cdb, 2), int.from_bytes(cdb[6:9], "big")
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
        count = u16(cdb, 7) if cdb[0] == 0x28 else u32(cdb, 6)
        return self._read_sectors(SectorReader(0, 0x10, 0), s32(cdb, 2), count, user=True)

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
            raise Refusal(ILLEGAL_MODE, "READ takes sectors of 2,048 bytes", lba=lba)
        self.clock.wait(count / (SECTORS_PER_SECOND * self._read_speed))
        return data

    def _read_subchannel(self, cdb: bytes, out: memoryview) -> bytes:
        del out
        medium, form = self._disc(), cdb[3]
        head = bytes([0, 0x15])  # no audio status: nothing plays here
        if not cdb[2] & 0x40:
            return (head + bytes(2))[: u16(cdb, 7)]
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
        return (head + len(body).to_bytes(2, "big") + body)[: u16(cdb, 7)]

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
        if u16(cdb, 7):
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
            appendable=parameters.multi_session == OPEN,
        )
        return b""

    def _write_10_12(self, cdb: bytes, out: memoryview) -> bytes:
        self._write(s32(cdb, 2), self._blocks(cdb), out)
        return b""

    def _take_half(self, cdb: bytes, out: memoryview) -> int:
        if cdb[0] not in _WRITES or self._recording is None:
            return 0
        lba, count = s32(cdb, 2), self._blocks(cdb) // 2
        size = count * self._recording.block_bytes(lba)
        self._write(lba, count, out[:size])
        return size

    @staticmethod
    def _blocks(cdb: bytes) -> int:
        return u32(cdb, 6) if cdb[0] == 0xAA else u16(cdb, 7)

    def _write(self, lba: int, count: int, out: memoryview) -> None:
        medium = self._writable()
        if not count:
            return
        recording = self._recording
        if recording is None:
            recording = self._begun(medium, lba)
        due = lba == recording.next_lba
        bad = self._faults.bad_sector(lba, count) if due else None
        if bad is not None:
            self._recording = recording
            self._abandon(f"LBA {bad} could not be written")
            raise Refusal(WRITE_ERROR, f"LBA {bad} cannot be written, to order", lba=bad)
        block = recording.block_bytes(lba) or len(out) // count
        recording.write(lba, count, out)
        self._recording = recording
        self._rests = False
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
            self._rests = not finished and not isinstance(recording, TaoRecording)
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
        function, number = cdb[2] & 7, u16(cdb, 4)
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
        reserve_track(medium, self._pages.write, u32(cdb, 5))
        return b""

    def _blank(self, cdb: bytes, out: memoryview) -> bytes:
        del out
        medium, kind = self._disc(), cdb[1] & 7
        self._give_up("the disc was erased")
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

    handlers: ClassVar[dict[int, Handler]] = LogicalUnit.handlers | {
        0x25: _read_capacity,
        0x28: _read_10_12,
        0x2A: _write_10_12,
        0x35: _synchronize,
        0x42: _read_subchannel,
        0x43: _read_toc,
        0x51: _read_disc_information,
        0x52: _read_track_information,
        0x53: _reserve,
        0x54: _send_opc,
        0x5B: _close,
        0x5D: _send_cue_sheet,
        0xA1: _blank,
        0xA8: _read_10_12,
        0xAA: _write_10_12,
        0xB9: _read_cd_msf,
        0xBE: _read_cd,
    }
