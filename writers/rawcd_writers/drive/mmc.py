"""The commands of a CD recorder (MMC, SPC). Bytes of a CDB that no layout names are zero."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Final, TypeVar

import construct

from rawcd_writers.drive import pages, replies, tables
from rawcd_writers.drive.command import Command, as_it_is, cdb_layout, nothing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from _typeshed import ReadableBuffer

R = TypeVar("R")

_LONG_SECONDS: Final = 120.0
"""A command that may find the drive spinning up, trying its laser, or with a full buffer."""
_CLOSING_SECONDS: Final = 900.0
"""A lead-in and a lead-out at single speed, and the drive's own pauses."""
_BLANKING_SECONDS: Final = 2 * 3600.0


_U8: Final = construct.Byte
_U16: Final = construct.Int16ub
_U24: Final = construct.Int24ub
_U32: Final = construct.Int32ub
_LBA: Final = construct.Int32sb
_SKIP: Final = construct.Padding

_TEST_UNIT_READY: Final = cdb_layout(0x00)
_REQUEST_SENSE: Final = cdb_layout(0x03, _SKIP(3), "length" / _U8)
_INQUIRY: Final = cdb_layout(0x12, _SKIP(2), "length" / _U16)
_MODE_SELECT_6: Final = cdb_layout(0x15, "flags" / _U8, _SKIP(2), "length" / _U8)
_MODE_SELECT_10: Final = cdb_layout(0x55, "flags" / _U8, _SKIP(5), "length" / _U16)
_MODE_SENSE_6: Final = cdb_layout(0x1A, "flags" / _U8, "page" / _U8, _SKIP(1), "length" / _U8)
_MODE_SENSE_10: Final = cdb_layout(0x5A, "flags" / _U8, "page" / _U8, _SKIP(4), "length" / _U16)
_START_STOP: Final = cdb_layout(0x1B, "immediate" / _U8, _SKIP(2), "motion" / _U8)
_PREVENT_ALLOW: Final = cdb_layout(0x1E, _SKIP(3), "prevent" / _U8)
_READ_CAPACITY: Final = cdb_layout(0x25)
_READ_10: Final = cdb_layout(0x28, _SKIP(1), "lba" / _LBA, _SKIP(1), "blocks" / _U16)
_WRITE_10: Final = cdb_layout(0x2A, "flags" / _U8, "lba" / _LBA, _SKIP(1), "blocks" / _U16)
_WRITE_12: Final = cdb_layout(0xAA, "flags" / _U8, "lba" / _LBA, "blocks" / _U32)
_SYNCHRONIZE_CACHE: Final = cdb_layout(0x35, "flags" / _U8)
_READ_SUB_CHANNEL: Final = cdb_layout(
    0x42,
    "flags" / _U8,  # bit 1: MSF
    "q" / _U8,  # bit 6: the Q data are wanted
    "format" / _U8,
    _SKIP(2),
    "track" / _U8,
    "length" / _U16,
)
_READ_TOC: Final = cdb_layout(
    0x43,
    "flags" / _U8,  # bit 1: MSF
    "format" / _U8,
    _SKIP(3),
    "first" / _U8,  # track, or session
    "length" / _U16,
)
_GET_CONFIGURATION: Final = cdb_layout(
    0x46, "which" / _U8, "feature" / _U16, _SKIP(3), "length" / _U16
)
_GET_EVENT_STATUS: Final = cdb_layout(
    0x4A, "polled" / _U8, _SKIP(2), "classes" / _U8, _SKIP(2), "length" / _U16
)
_READ_DISC_INFORMATION: Final = cdb_layout(0x51, "type" / _U8, _SKIP(5), "length" / _U16)
_READ_TRACK_INFORMATION: Final = cdb_layout(
    0x52, "address_type" / _U8, "address" / _LBA, _SKIP(1), "length" / _U16
)
_RESERVE_TRACK: Final = cdb_layout(0x53, _SKIP(4), "sectors" / _U32)
_SEND_OPC: Final = cdb_layout(0x54, "do" / _U8, _SKIP(5), "length" / _U16)
_CLOSE: Final = cdb_layout(0x5B, "immediate" / _U8, "function" / _U8, _SKIP(1), "track" / _U16)
_READ_BUFFER_CAPACITY: Final = cdb_layout(0x5C, "blocks" / _U8, _SKIP(5), "length" / _U16)
_SEND_CUE_SHEET: Final = cdb_layout(0x5D, _SKIP(5), "length" / _U24)
_BLANK: Final = cdb_layout(0xA1, "flags" / _U8, "address" / _LBA)
_GET_PERFORMANCE: Final = cdb_layout(
    0xAC, "flags" / _U8, "lba" / _LBA, _SKIP(2), "descriptors" / _U16, "type" / _U8
)
_SET_STREAMING: Final = cdb_layout(0xB6, _SKIP(7), "type" / _U8, "length" / _U16)
_READ_CD_MSF: Final = cdb_layout(
    0xB9, "kind" / _U8, _SKIP(1), "start" / _U24, "end" / _U24, "main" / _U8, "sub" / _U8
)
_SET_CD_SPEED: Final = cdb_layout(0xBB, "rotation" / _U8, "read" / _U16, "write" / _U16)
_READ_CD: Final = cdb_layout(
    0xBE, "kind" / _U8, "lba" / _LBA, "blocks" / _U24, "main" / _U8, "sub" / _U8
)


def test_unit_ready() -> Command[None]:
    """Ask whether the drive is ready."""
    return Command("TEST UNIT READY", _TEST_UNIT_READY, {}, nothing)


def request_sense(length: int = 18) -> Command[bytes]:
    """Ask for sense data that no command brought along."""
    return Command("REQUEST SENSE", _REQUEST_SENSE, {"length": length}, as_it_is, data_in=length)


def inquiry(length: int = 36) -> Command[replies.Inquiry]:
    """Ask who the device is."""
    fields = {"length": length}
    return Command("INQUIRY", _INQUIRY, fields, replies.Inquiry.parse, data_in=length)


_PAGE_FORMAT: Final = 0x10
_SAVE_PAGES: Final = 0x01


def mode_select(page: bytes, *, save: bool = False) -> Command[None]:
    """Set a mode page, by the ten-byte command."""
    data = pages.parameter_list(page)
    fields = {"flags": _PAGE_FORMAT | save * _SAVE_PAGES, "length": len(data)}
    return Command(
        "MODE SELECT(10)", _MODE_SELECT_10, fields, nothing, data_out=data, timeout=_LONG_SECONDS
    )


def mode_select_6(page: bytes, *, save: bool = False) -> Command[None]:
    """Set a mode page, by the six-byte command of old drives."""
    data = pages.parameter_list(page, short=True)
    fields = {"flags": _PAGE_FORMAT | save * _SAVE_PAGES, "length": len(data)}
    return Command(
        "MODE SELECT(6)", _MODE_SELECT_6, fields, nothing, data_out=data, timeout=_LONG_SECONDS
    )


class PageControl(IntEnum):
    """Which values of a mode page are asked for."""

    CURRENT = 0
    CHANGEABLE = 1
    DEFAULT = 2
    SAVED = 3


def mode_sense(
    page: int,
    length: int = 192,
    *,
    control: PageControl = PageControl.CURRENT,
    no_descriptors: bool = False,
) -> Command[pages.ModeReply]:
    """Ask for mode pages (3Fh: all of them), by the ten-byte command."""
    fields = {"flags": no_descriptors << 3, "page": control << 6 | page, "length": length}
    return Command("MODE SENSE(10)", _MODE_SENSE_10, fields, pages.ModeReply.parse, data_in=length)


def mode_sense_6(
    page: int,
    length: int = 192,
    *,
    control: PageControl = PageControl.CURRENT,
    no_descriptors: bool = False,
) -> Command[pages.ModeReply]:
    """Ask for mode pages, by the six-byte command of old drives."""
    fields = {"flags": no_descriptors << 3, "page": control << 6 | page, "length": length}
    return Command(
        "MODE SENSE(6)", _MODE_SENSE_6, fields, pages.ModeReply.parse_short, data_in=length
    )


class Motion(IntEnum):
    """What START STOP UNIT is to do."""

    STOP = 0
    START = 1
    EJECT = 2
    LOAD = 3


def start_stop(motion: Motion, *, immediate: bool = False) -> Command[None]:
    """Spin up or down, eject or load."""
    fields = {"immediate": int(immediate), "motion": motion}
    return Command("START STOP UNIT", _START_STOP, fields, nothing, timeout=_LONG_SECONDS)


def prevent_allow(*, prevent: bool) -> Command[None]:
    """Lock or unlock the tray."""
    return Command(
        "PREVENT ALLOW MEDIUM REMOVAL", _PREVENT_ALLOW, {"prevent": int(prevent)}, nothing
    )


def read_capacity() -> Command[replies.Capacity]:
    """Ask for the last address that can be read, and the size of a block."""
    return Command("READ CAPACITY", _READ_CAPACITY, {}, replies.Capacity.parse, data_in=8)


def read(lba: int, blocks: int, block_bytes: int = 2048) -> Command[bytes]:
    """Read user data."""
    fields = {"lba": lba, "blocks": blocks}
    return Command(
        "READ(10)",
        _READ_10,
        fields,
        as_it_is,
        data_in=blocks * block_bytes,
        timeout=_LONG_SECONDS,
        lba=lba,
    )


def write(lba: int, blocks: int, data: ReadableBuffer, *, at_once: bool = False) -> Command[None]:
    """Write blocks, by the ten-byte command; `at_once` is the FUA bit."""
    fields = {"flags": at_once << 3, "lba": lba, "blocks": blocks}
    return Command(
        "WRITE(10)", _WRITE_10, fields, nothing, data_out=data, timeout=_LONG_SECONDS, lba=lba
    )


def write_12(
    lba: int, blocks: int, data: ReadableBuffer, *, at_once: bool = False
) -> Command[None]:
    """Write blocks, by the twelve-byte command."""
    fields = {"flags": at_once << 3, "lba": lba, "blocks": blocks}
    return Command(
        "WRITE(12)", _WRITE_12, fields, nothing, data_out=data, timeout=_LONG_SECONDS, lba=lba
    )


def synchronize_cache(*, immediate: bool = False) -> Command[None]:
    """Have everything written that the drive still holds."""
    fields = {"flags": immediate << 1}
    return Command(
        "SYNCHRONIZE CACHE(10)", _SYNCHRONIZE_CACHE, fields, nothing, timeout=_CLOSING_SECONDS
    )


def read_sub_channel(
    kind: int, *, track: int = 0, msf: bool = False, length: int = 24
) -> Command[tables.SubChannel]:
    """Ask for the position (1), the MCN (2) or a track's ISRC (3)."""
    fields = {"flags": msf << 1, "q": 0x40, "format": kind, "track": track, "length": length}
    return Command(
        "READ SUB-CHANNEL",
        _READ_SUB_CHANNEL,
        fields,
        tables.SubChannel.parse,
        data_in=length,
        timeout=_LONG_SECONDS,
    )


def _toc(
    kind: int, parse: Callable[[bytes], R], first: int, length: int, *, msf: bool
) -> Command[R]:
    fields = {"flags": msf << 1, "format": kind, "first": first, "length": length}
    return Command(
        "READ TOC/PMA/ATIP", _READ_TOC, fields, parse, data_in=length, timeout=_LONG_SECONDS
    )


def read_toc(first_track: int = 0, length: int = 4 + 100 * 8) -> Command[tables.Toc]:
    """Ask for the tracks and the lead-out (format 0)."""
    return _toc(0, tables.Toc.parse, first_track, length, msf=False)


def read_session_info(length: int = 12) -> Command[tables.Toc]:
    """Ask where the last complete session begins (format 1)."""
    return _toc(1, tables.Toc.parse, 0, length, msf=False)


def read_full_toc(first_session: int = 1, length: int = 4 + 11 * 1000) -> Command[tables.FullToc]:
    """Ask for the items of all lead-ins (format 2)."""
    return _toc(2, tables.FullToc.parse, first_session, length, msf=True)


def read_pma(length: int = 4 + 11 * 200) -> Command[tables.FullToc]:
    """Ask for the disc's list of tracks that no lead-in has yet (format 3)."""
    return _toc(3, tables.FullToc.parse, 0, length, msf=True)


def read_atip(length: int = 28) -> Command[tables.Atip]:
    """Ask what the blank's groove says (format 4)."""
    return _toc(4, tables.Atip.parse, 0, length, msf=False)


def read_cd_text(length: int = 4 + 18 * 2048) -> Command[tables.TextPacks]:
    """Ask for the CD-TEXT packs of the lead-in (format 5)."""
    return _toc(5, tables.TextPacks.parse, 0, length, msf=False)


class Which(IntEnum):
    """Which features GET CONFIGURATION lists."""

    ALL = 0
    CURRENT = 1
    ONE = 2


def get_configuration(
    feature: int = 0, *, which: Which = Which.ALL, length: int = 4096
) -> Command[replies.Configuration]:
    """Ask for the current profile and the features from a number on."""
    fields = {"which": which, "feature": feature, "length": length}
    return Command(
        "GET CONFIGURATION",
        _GET_CONFIGURATION,
        fields,
        replies.Configuration.parse,
        data_in=length,
    )


MEDIA_EVENTS: Final = 0x10


def get_event_status(classes: int = MEDIA_EVENTS, length: int = 8) -> Command[replies.EventStatus]:
    """Ask what happened to the disc or the tray, without waiting for it."""
    fields = {"polled": 1, "classes": classes, "length": length}
    return Command(
        "GET EVENT STATUS NOTIFICATION",
        _GET_EVENT_STATUS,
        fields,
        replies.EventStatus.parse,
        data_in=length,
    )


def read_disc_information(length: int = 34) -> Command[replies.DiscInformation]:
    """Ask what state the disc is in."""
    return Command(
        "READ DISC INFORMATION",
        _READ_DISC_INFORMATION,
        {"type": 0, "length": length},
        replies.DiscInformation.parse,
        data_in=length,
        timeout=_LONG_SECONDS,
    )


LEAD_OUT: Final = 0xAA
"""The lead-out's number in a table of contents."""
INVISIBLE_TRACK: Final = 0xFF
"""The track that is written next, whatever its number will be."""


class AddressType(IntEnum):
    """How READ TRACK INFORMATION is told which track is meant."""

    LBA = 0
    TRACK = 1
    SESSION = 2


def read_track_information(
    address: int = INVISIBLE_TRACK,
    *,
    address_type: AddressType = AddressType.TRACK,
    length: int = 36,
) -> Command[replies.TrackInformation]:
    """Ask what state a track is in, and where writing in it goes on."""
    fields = {"address_type": address_type, "address": address, "length": length}
    return Command(
        "READ TRACK INFORMATION",
        _READ_TRACK_INFORMATION,
        fields,
        replies.TrackInformation.parse,
        data_in=length,
        timeout=_LONG_SECONDS,
    )


def reserve_track(sectors: int) -> Command[None]:
    """Reserve room for a track."""
    fields = {"sectors": sectors}
    return Command("RESERVE TRACK", _RESERVE_TRACK, fields, nothing, timeout=_LONG_SECONDS)


def send_opc() -> Command[None]:
    """Have the drive try its laser on the disc and set its power by what it finds."""
    return Command(
        "SEND OPC INFORMATION",
        _SEND_OPC,
        {"do": 1, "length": 0},
        nothing,
        timeout=_LONG_SECONDS,
    )


class Closing(IntEnum):
    """What CLOSE TRACK/SESSION closes."""

    TRACK = 1
    SESSION = 2


def close(closing: Closing, track: int = 0, *, immediate: bool = False) -> Command[None]:
    """Close a track, or the session with its lead-in and lead-out."""
    fields = {"immediate": int(immediate), "function": closing, "track": track}
    return Command("CLOSE TRACK/SESSION", _CLOSE, fields, nothing, timeout=_CLOSING_SECONDS)


def read_buffer_capacity(length: int = 12) -> Command[replies.BufferCapacity]:
    """Ask how large the drive's buffer is, and how much of it is free."""
    return Command(
        "READ BUFFER CAPACITY",
        _READ_BUFFER_CAPACITY,
        {"blocks": 0, "length": length},
        replies.BufferCapacity.parse,
        data_in=length,
    )


def send_cue_sheet(rows: bytes) -> Command[None]:
    """Tell the drive what a session will look like."""
    return Command(
        "SEND CUE SHEET",
        _SEND_CUE_SHEET,
        {"length": len(rows)},
        nothing,
        data_out=rows,
        timeout=_LONG_SECONDS,
    )


class Blanking(IntEnum):
    """How much of a rewritable disc BLANK erases."""

    DISC = 0
    MINIMAL = 1
    TRACK = 2
    UNRESERVE = 3
    TRACK_TAIL = 4
    UNCLOSE_LAST_SESSION = 5
    LAST_SESSION = 6


def blank(blanking: Blanking, *, immediate: bool = False, address: int = 0) -> Command[None]:
    """Erase a rewritable disc, or a part of it."""
    fields = {"flags": immediate << 4 | blanking, "address": address}
    return Command("BLANK", _BLANK, fields, nothing, timeout=_BLANKING_SECONDS)


def get_write_speeds(descriptors: int = 64) -> Command[tuple[replies.WriteSpeed, ...]]:
    """Ask for the speeds at which the disc can be written (type 3)."""
    fields = {"flags": 0, "lba": 0, "descriptors": descriptors, "type": 3}
    return Command(
        "GET PERFORMANCE",
        _GET_PERFORMANCE,
        fields,
        replies.write_speeds,
        data_in=8 + 16 * descriptors,
        timeout=_LONG_SECONDS,
    )


def get_performance(
    descriptors: int = 16, *, writing: bool = False, lba: int = 0
) -> Command[bytes]:
    """Ask how fast the disc is along its radius (type 0), as it is."""
    tolerance = 0b10 << 3
    fields = {
        "flags": tolerance | writing << 2,
        "lba": lba,
        "descriptors": descriptors,
        "type": 0,
    }
    return Command(
        "GET PERFORMANCE",
        _GET_PERFORMANCE,
        fields,
        as_it_is,
        data_in=8 + 16 * descriptors,
        timeout=_LONG_SECONDS,
    )


def set_streaming(descriptor: bytes) -> Command[None]:
    """Set speeds by a performance descriptor."""
    return Command(
        "SET STREAMING",
        _SET_STREAMING,
        {"type": 0, "length": len(descriptor)},
        nothing,
        data_out=descriptor,
    )


MAX_SPEED: Final = 0xFFFF


def set_cd_speed(
    *, read_speed: int = MAX_SPEED, write_speed: int = MAX_SPEED, rotation: int = 0
) -> Command[None]:
    """Set the speeds in kB/s (1,000 bytes; 176 is single speed); rotation 1 is pure CAV."""
    fields = {"rotation": rotation, "read": read_speed, "write": write_speed}
    return Command("SET CD SPEED", _SET_CD_SPEED, fields, nothing, timeout=_LONG_SECONDS)


class SubSelection(IntEnum):
    """Which subcode READ CD brings, and how."""

    NONE = 0
    RAW = 1
    Q = 2
    RW = 4

    @property
    def bytes(self) -> int:
        """Bytes of it in a sector."""
        return {SubSelection.NONE: 0, SubSelection.Q: 16}.get(self, 96)


class ErrorSelection(IntEnum):
    """Which error flags READ CD brings."""

    NONE = 0
    C2 = 1
    C2_AND_BLOCK = 2

    @property
    def bytes(self) -> int:
        """Bytes of them in a sector."""
        return (0, 294, 296)[self]


WHOLE_SECTOR: Final = 0xF8
"""Sync, headers, user data, EDC and ECC: 2,352 bytes."""
_SECTOR_BYTES: Final = 2352


def read_cd(
    lba: int,
    blocks: int,
    *,
    sector_type: int = 0,
    errors: ErrorSelection = ErrorSelection.NONE,
    sub: SubSelection = SubSelection.NONE,
) -> Command[bytes]:
    """Read whole sectors: for each 2,352 bytes, then the error flags, then the subcode."""
    size = _SECTOR_BYTES + errors.bytes + sub.bytes
    fields = {
        "kind": sector_type << 2,
        "lba": lba,
        "blocks": blocks,
        "main": WHOLE_SECTOR | errors << 1,
        "sub": sub,
    }
    return Command(
        "READ CD",
        _READ_CD,
        fields,
        as_it_is,
        data_in=blocks * size,
        timeout=_LONG_SECONDS,
        lba=lba,
    )


def read_cd_msf(
    start: Sequence[int],
    end: Sequence[int],
    *,
    sector_type: int = 0,
    errors: ErrorSelection = ErrorSelection.NONE,
    sub: SubSelection = SubSelection.NONE,
) -> Command[bytes]:
    """Read whole sectors from one MSF to before another; reaches addresses that no LBA has."""
    frames = [(minute * 60 + second) * 75 + frame for minute, second, frame in (start, end)]
    size = _SECTOR_BYTES + errors.bytes + sub.bytes
    fields = {
        "kind": sector_type << 2,
        "start": int.from_bytes(bytes(start)),
        "end": int.from_bytes(bytes(end)),
        "main": WHOLE_SECTOR | errors << 1,
        "sub": sub,
    }
    return Command(
        "READ CD MSF",
        _READ_CD_MSF,
        fields,
        as_it_is,
        data_in=max(0, frames[1] - frames[0]) * size,
        timeout=_LONG_SECONDS,
    )
