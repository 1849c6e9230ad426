"""What the virtual recorder answers: the data-in of its commands (SPC, MMC)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import construct

from rawcd.errors import FormatError
from rawcd.msf import LAST_LBA, Msf
from rawcd.source import SECTOR_BYTES as MAIN_BYTES
from rawcd.subcode.frame import POINT_FIRST_TRACK, from_bcd
from rawcd_writers.drive.virtual.cuesheet import MAX_BYTES as CUE_SHEET_BYTES
from rawcd_writers.drive.virtual.leadin import recorded_pointers
from rawcd_writers.drive.virtual.medium import DiscStatus, OpenTrack
from rawcd_writers.drive.virtual.pages import (
    LINE_SPEED,
    READ_SPEED,
    WRITE_SPEEDS,
    WriteParameters,
    WriteType,
)
from rawcd_writers.drive.virtual.refusals import INVALID_CDB, Refusal, bad_cdb

if TYPE_CHECKING:
    from rawcd.disc import Disc, Track
    from rawcd_writers.drive.virtual.medium import Medium

VENDOR: Final = "RAWCD"
MODEL: Final = "VIRTUAL RECORDER"
REVISION: Final = "1.00"
SERIAL: Final = "0000000000000001"

_DISC_INFORMATION: Final = construct.Struct(
    "length" / construct.Int16ub,
    "status" / construct.Byte,  # 4 erasable, 3..2 last session, 1..0 disc
    "first_track" / construct.Byte,
    "sessions" / construct.Byte,
    "first_track_last_session" / construct.Byte,
    "last_track_last_session" / construct.Byte,
    "flags" / construct.Byte,
    "disc_type" / construct.Byte,
    construct.Padding(3),  # high bytes: a CD has no more than 99
    "disc_id" / construct.Int32ub,
    "lead_in" / construct.Bytes(4),
    "last_lead_out" / construct.Bytes(4),
    construct.Padding(8),
    construct.Padding(1),
    "opc" / construct.Byte,
)
_TRACK_INFORMATION: Final = construct.Struct(
    "length" / construct.Int16ub,
    "track" / construct.Byte,
    "session" / construct.Byte,
    construct.Padding(1),
    "track_mode" / construct.Byte,  # 5 damage, 4 copy, 3..0 CONTROL
    "data_mode" / construct.Byte,  # 7 RT, 6 blank, 5 packet, 4 FP, 3..0 mode
    "valid" / construct.Byte,  # 0 NWA_V, 1 LRA_V
    "start" / construct.Int32sb,
    "next" / construct.Int32sb,
    "free" / construct.Int32ub,
    "packet_size" / construct.Int32ub,
    "size" / construct.Int32ub,
    "last_recorded" / construct.Int32sb,
    construct.Padding(4),
)
_FULL_TOC_ITEM: Final = construct.Struct(
    "session" / construct.Byte,
    "adr_control" / construct.Byte,  # ADR is the high nibble here
    construct.Padding(1),
    "point" / construct.Byte,
    "time" / construct.Bytes(3),
    "zero" / construct.Byte,
    "value" / construct.Bytes(3),
)
_ATIP: Final = construct.Struct(
    "power" / construct.Byte,
    "use" / construct.Byte,
    "kind" / construct.Byte,
    construct.Padding(1),
    "lead_in" / construct.Bytes(3),
    construct.Padding(1),
    "last_lead_out" / construct.Bytes(3),
    construct.Padding(13),
)
_UNDEFINED: Final = b"\xff\xff\xff\xff"
_CLOSED: Final = b"\xff\xff\xff"
_LEAD_OUT_TRACK: Final = 0xAA
_TEXT_SECTORS: Final = 1100
"""Lead-in sectors that hold any CD-TEXT at least twice."""


def msf_bytes(lba: int) -> bytes:
    """Return 00 and the binary address, as MMC writes MSF in four bytes."""
    return bytes((0, *Msf.from_lba(lba).parts()))


def address(lba: int, *, msf: bool) -> bytes:
    """Return four bytes of an address, in either form."""
    return msf_bytes(lba) if msf else lba.to_bytes(4, "big", signed=True)


def inquiry() -> bytes:
    """Return standard INQUIRY data: a removable CD/DVD device that conforms to SPC-3."""
    text = VENDOR.ljust(8) + MODEL.ljust(16) + REVISION.ljust(4)
    return bytes([0x05, 0x80, 0x05, 0x02, 31, 0, 0, 0]) + text.encode("ascii")


def inquiry_page(page: int) -> bytes:
    """Return a page of vital product data.

    Raises:
        Refusal: there is no such page.
    """
    bodies = {0x00: b"\x00\x80\x83", 0x80: SERIAL.encode("ascii")}
    name = f"{VENDOR:8}{MODEL:16}{SERIAL}".encode("ascii")
    bodies[0x83] = bytes([0x02, 0x01, 0x00, len(name)]) + name  # T10 vendor identification
    if page not in bodies:
        raise bad_cdb(2, f"there is no vital product data page {page:02X}h")
    body = bodies[page]
    return bytes([0x05, page]) + len(body).to_bytes(2, "big") + body


# Table of contents


def _header(body: bytes, first: int, last: int) -> bytes:
    return (len(body) + 2).to_bytes(2, "big") + bytes([first, last]) + body


def _item(control: int, track: int, lba: int, *, msf: bool) -> bytes:
    return bytes([0, 0x10 | control, track, 0]) + address(lba, msf=msf)


def toc(disc: Disc | None, start: int, *, msf: bool) -> bytes:
    """Return READ TOC format 0.

    Raises:
        Refusal: no session is finished, or there is no such track.
    """
    if disc is None:
        raise Refusal(INVALID_CDB, "a disc without a finished session has no table of contents")
    tracks = disc.tracks
    if start > tracks[-1].number and start != _LEAD_OUT_TRACK:
        raise bad_cdb(6, f"there is no track {start}")
    body = b"".join(
        _item(track.control, track.number, track.start_lba, msf=msf)
        for track in tracks
        if track.number >= start
    )
    end = disc.sessions[-1].lead_out_lba
    body += _item(tracks[-1].control, _LEAD_OUT_TRACK, end, msf=msf)
    return _header(body, tracks[0].number, tracks[-1].number)


def session_info(disc: Disc | None, *, msf: bool) -> bytes:
    """Return READ TOC format 1; of a disc without a finished session zeros."""
    if disc is None:
        return _header(bytes(8), 0, 0)
    track = disc.sessions[-1].tracks[0]
    item = _item(track.control, track.number, track.start_lba, msf=msf)
    return _header(item, 1, len(disc.sessions))


def _binary(bcd: bytes) -> bytes:
    return bcd if bcd == _CLOSED else bytes(map(from_bcd, bcd))


def full_toc(medium: Medium, first: int) -> bytes:
    """Return READ TOC format 2 from a session on: what the recorded lead-ins say.

    Raises:
        Refusal: there is none.
    """
    disc = medium.disc
    if disc is None or first > len(disc.sessions):
        raise Refusal(INVALID_CDB, "there is no finished session of that number", field=6)
    body = b""
    for number in range(max(first, 1), len(disc.sessions) + 1):
        for pointer in recorded_pointers(medium, number):
            point = pointer.point if pointer.point >= 0xA0 else from_bcd(pointer.point)
            value = _binary(pointer.value)
            if pointer.point == POINT_FIRST_TRACK:
                value = value[:1] + pointer.value[1:]  # the disc type is no number
            body += _FULL_TOC_ITEM.build(
                {
                    "session": number,
                    "adr_control": pointer.adr << 4 | pointer.control,
                    "point": point,
                    "time": _binary(pointer.running),
                    "zero": pointer.zero,
                    "value": value,
                }
            )
    return _header(body, 1, len(disc.sessions))


def pma(medium: Medium) -> bytes:
    """Return READ TOC format 3: the tracks that no lead-in tells yet, and those before."""
    earlier = medium.disc.tracks if medium.disc else ()
    opened = [each.as_track() for each in medium.open.tracks if each.closed]
    body = b"".join(
        _FULL_TOC_ITEM.build(
            {
                "session": 0,
                "adr_control": 0x10 | track.control,
                "point": track.number,
                "time": msf_bytes(track.end_lba)[1:],
                "zero": 0,
                "value": msf_bytes(track.start_lba)[1:],
            }
        )
        for track in (*earlier, *opened)
    )
    return _header(body, 0, 0)


def atip(medium: Medium) -> bytes:
    """Return READ TOC format 4."""
    blank = medium.blank
    body = _ATIP.build(
        {
            "power": 0x80 | 5 << 4 | (1 if blank.rewritable else 0),
            "use": 0x00,
            "kind": 0x80 | blank.rewritable << 6,
            "lead_in": bytes(blank.lead_in.parts()),
            "last_lead_out": bytes(blank.last_lead_out.parts()),
        }
    )
    return _header(body, 0, 0)


def cdtext_packs(medium: Medium) -> bytes:
    """Return READ TOC format 5: the packs that the first lead-in holds."""
    from rawcd.cdtext import packs_of_symbols

    packs = b""
    if medium.disc is not None:
        session = medium.disc.sessions[0]
        count = min(_TEXT_SECTORS, session.program_lba - session.lead_in_lba)
        rows = medium.read(session.lead_in_lba, count)
        try:
            packs = packs_of_symbols(rows[:, MAIN_BYTES:].tobytes()).packs
        except FormatError:
            packs = b""
    return _header(packs, 0, 0)


# Disc and tracks


def disc_information(medium: Medium) -> bytes:
    """Return READ DISC INFORMATION, data type 0."""
    status, disc = medium.status, medium.disc
    incomplete = status is not DiscStatus.COMPLETE
    sessions = medium.complete_sessions + incomplete
    first = disc.tracks[0].number if disc else 1
    if medium.open.tracks:
        numbers = [track.number for track in medium.open.tracks]
        low, high = numbers[0], numbers[-1]
    elif incomplete or disc is None:
        low = high = medium.next_track_number
    else:
        low, high = (disc.sessions[-1].tracks[each].number for each in (0, -1))
    lead_in = last_lead_out = _UNDEFINED
    if incomplete:
        lead_in = msf_bytes(medium.next_lead_in_lba)
        last_lead_out = msf_bytes(medium.blank.last_lead_out_lba)
    return _DISC_INFORMATION.build(
        {
            "length": _DISC_INFORMATION.sizeof() - 2,
            "status": medium.blank.rewritable << 4 | medium.session_state << 2 | status,
            "first_track": first,
            "sessions": sessions,
            "first_track_last_session": low,
            "last_track_last_session": high,
            "flags": 0x20 * (disc is None),  # URU: unrestricted use
            "disc_type": disc.sessions[0].disc_type if disc else 0xFF,
            "disc_id": 0,
            "lead_in": lead_in,
            "last_lead_out": last_lead_out,
            "opc": 0,
        }
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackFacts:
    """What READ TRACK INFORMATION tells."""

    number: int
    session: int
    control: int
    data_mode: int
    start: int
    size: int
    next_lba: int | None = None
    free: int = 0
    last_recorded: int | None = None
    reserved: bool = False
    blank: bool = False
    damaged: bool = False
    copied: bool = False

    def build(self) -> bytes:
        """Return the 36 bytes."""
        return _TRACK_INFORMATION.build(
            {
                "length": _TRACK_INFORMATION.sizeof() - 2,
                "track": self.number,
                "session": self.session,
                "track_mode": self.damaged << 5 | self.copied << 4 | self.control,
                "data_mode": self.reserved << 7 | self.blank << 6 | self.data_mode,
                "valid": (self.next_lba is not None) | (self.last_recorded is not None) << 1,
                "start": self.start,
                "next": self.next_lba or 0,
                "free": max(self.free, 0),
                "packet_size": 0,
                "size": max(self.size, 0),
                "last_recorded": self.last_recorded or 0,
            }
        )


_UNKNOWN_MODE: Final = 15


def _data_mode(mode: int) -> int:
    return mode if mode > 0 else _UNKNOWN_MODE


def _of_disc(track: Track, session: int) -> TrackFacts:
    return TrackFacts(
        number=track.number,
        session=session,
        control=track.control,
        data_mode=_data_mode(track.mode),
        start=track.start_lba,
        size=track.sector_count,
        last_recorded=track.end_lba - 1,
    )


def _of_open(track: OpenTrack, session: int, next_lba: int, limit: int) -> TrackFacts:
    end = track.end_lba if track.closed or track.reserved else limit
    return TrackFacts(
        number=track.number,
        session=session,
        control=track.control,
        data_mode=_data_mode(track.mode),
        start=track.start_lba,
        size=end - track.start_lba,
        next_lba=None if track.closed else next_lba,
        free=0 if track.closed else end - 2 - next_lba,
        last_recorded=next_lba - 1 if next_lba > track.start_lba else None,
        reserved=track.reserved,
        blank=next_lba == track.start_lba,
        copied=track.scms,
    )


def _invisible(medium: Medium, parameters: WriteParameters, next_lba: int | None) -> TrackFacts:
    """Return the track that nothing has been written of; page 05h tells where it begins."""
    track = medium.track_lba(parameters.pregap)
    starts = {
        WriteType.RAW: medium.next_lead_in_lba,
        WriteType.SAO: medium.next_program_lba,
    }
    if medium.open.tracks:
        starts = {}
    start = starts.get(parameters.write_type, track)
    spoilt = medium.open.spoilt is not None and next_lba is None
    return TrackFacts(
        number=medium.next_track_number,
        session=medium.complete_sessions + 1,
        control=parameters.control,
        data_mode=_UNKNOWN_MODE,
        start=start,
        size=medium.blank.last_lead_out_lba - max(start, track),
        next_lba=start if next_lba is None and not spoilt else next_lba,
        free=medium.blank.last_lead_out_lba - max(next_lba or start, track),
        blank=next_lba is None,
        damaged=spoilt,
    )


def track_by_number(
    medium: Medium, parameters: WriteParameters, number: int, next_lba: int | None
) -> TrackFacts | None:
    """Return a track; FFh, or the number behind the last one, is the invisible track.

    Args:
        medium: the disc.
        parameters: page 05h.
        number: the track.
        next_lba: where a raw session or one at once that is under way goes on.
    """
    if medium.disc is not None:
        for place, session in enumerate(medium.disc.sessions, 1):
            for track in session.tracks:
                if track.number == number:
                    return _of_disc(track, place)
    limit = medium.blank.last_lead_out_lba
    open_tracks = medium.open.tracks
    for each in open_tracks:
        unfinished = number == 0xFF and not each.closed and not each.reserved
        if each.number == number or unfinished:
            return _of_open(each, medium.complete_sessions + 1, each.next_lba, limit)
    if medium.status is DiscStatus.COMPLETE or number not in (0xFF, medium.next_track_number):
        return None
    return _invisible(medium, parameters, next_lba)


def track_by_address(
    medium: Medium, parameters: WriteParameters, lba: int, next_lba: int | None
) -> TrackFacts | None:
    """Return the track in which an address lies; a pregap belongs to the track behind it."""
    if medium.disc is not None:
        for place, session in enumerate(medium.disc.sessions, 1):
            for track in session.tracks:
                if track.first_lba <= lba < track.end_lba:
                    return _of_disc(track, place)
    for each in medium.open.tracks:
        if each.first_lba <= lba < each.end_lba:
            return track_by_number(medium, parameters, each.number, next_lba)
    if lba >= medium.next_program_lba and lba < medium.blank.end_lba:
        return track_by_number(medium, parameters, 0xFF, next_lba)
    return None


# Features


def features(medium: Medium | None) -> list[bytes]:
    """Return the features of GET CONFIGURATION, each with its head (MMC, features)."""
    rewritable = medium is not None and medium.blank.rewritable
    blank = medium is not None and medium.status is not DiscStatus.COMPLETE
    writable = blank or rewritable

    def feature(
        code: int, data: bytes, *, version: int = 0, persistent: bool = False, current: bool
    ) -> bytes:
        flags = version << 2 | persistent << 1 | (current or persistent)
        return code.to_bytes(2, "big") + bytes([flags, len(data)]) + data

    current = profile(medium)
    profiles = b"".join(
        each.to_bytes(2, "big") + bytes([each == current, 0]) for each in (0x000A, 0x0009, 0x0008)
    )
    inside = medium is not None
    return [
        feature(0x0000, profiles, persistent=True, current=True),
        feature(
            0x0001, bytes.fromhex("0000000101000000"), version=2, persistent=True, current=True
        ),
        feature(0x0003, bytes.fromhex("29000000"), persistent=True, current=True),
        feature(0x0010, bytes.fromhex("0000080000010100"), current=inside),
        feature(0x001D, b"", current=inside),
        feature(0x001E, bytes.fromhex("03000000"), version=2, current=inside),
        feature(0x002D, bytes.fromhex("47003f01"), version=2, current=writable),
        feature(
            0x002E,
            bytes([0x40 | 0x20 | 0x10 | 0x08 | 0x04 | 0x02 | 0x01])
            + CUE_SHEET_BYTES.to_bytes(3, "big"),
            version=1,
            current=writable,
        ),
        feature(0x0037, bytes.fromhex("00ff0000"), current=rewritable),
        feature(0x0100, b"", persistent=True, current=True),
        feature(0x0105, bytes(4), version=1, persistent=True, current=True),
        feature(0x0107, bytes.fromhex("1f000000"), version=4, current=inside),
        feature(0x0108, SERIAL.encode("ascii"), persistent=True, current=True),
    ]


def profile(medium: Medium | None) -> int:
    """Return the current profile: CD-RW, CD-R, CD-ROM of a closed CD-R, or none."""
    if medium is None:
        return 0x0000
    if medium.blank.rewritable:
        return 0x000A
    return 0x0008 if medium.status is DiscStatus.COMPLETE else 0x0009


def configuration(medium: Medium | None, request: int, first: int) -> bytes:
    """Return GET CONFIGURATION."""
    wanted = []
    for each in features(medium):
        code, current = int.from_bytes(each[:2], "big"), each[2] & 1
        if request == 2:
            if code == first:
                wanted.append(each)
        elif code >= first and (request == 0 or current):
            wanted.append(each)
    body = b"".join(wanted)
    return (len(body) + 4).to_bytes(4, "big") + bytes(2) + profile(medium).to_bytes(2, "big") + body


# Speeds


def performance(kind: int, write: bool, descriptors: int, end_lba: int, selected: int) -> bytes:
    """Return GET PERFORMANCE, type 0 (nominal) or 3 (write speeds)."""
    speeds = WRITE_SPEEDS if kind == 3 else (selected if write else READ_SPEED,)
    body = b""
    for speed in speeds[:descriptors]:
        rate = speed * LINE_SPEED
        if kind == 3:
            body += bytes(4) + b"".join(
                number.to_bytes(4, "big") for number in (end_lba, READ_SPEED * LINE_SPEED, rate)
            )
        else:
            body += b"".join(number.to_bytes(4, "big") for number in (0, rate, end_lba, rate))
    flags = 0 if kind == 3 else write << 1
    return (len(body) + 4).to_bytes(4, "big") + bytes([flags, 0, 0, 0]) + body


def last_sector(medium: Medium) -> int:
    """Return what READ CAPACITY tells: the last sector before the last lead-out."""
    if medium.disc is None:
        return 0
    return min(max(medium.disc.sessions[-1].lead_out_lba - 1, 0), LAST_LBA)
