"""What a drive replies, as values with signed addresses (MMC, SPC).

Drives send less than a layout has, more, or bytes where zeros should be; only what is needed is
asked for. A reply that is cut short is read as far as it goes.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

import construct

from rawcd.errors import FormatError
from rawcd.msf import Msf

_INQUIRY: Final = construct.Struct(
    "device_type" / construct.Byte,  # bits 4..0
    "removable" / construct.Byte,  # bit 7
    construct.Bytes(6),
    "vendor" / construct.Bytes(8),
    "product" / construct.Bytes(16),
    "revision" / construct.Bytes(4),
)
_CAPACITY: Final = construct.Struct(
    "last_lba" / construct.Int32sb,  # -1: nothing can be read
    "block_bytes" / construct.Int32ub,
)
_DISC_INFORMATION: Final = construct.Struct(
    "length" / construct.Int16ub,
    "status" / construct.Byte,  # bit 4 erasable, 3..2 last session, 1..0 disc
    "first_track" / construct.Byte,
    "sessions" / construct.Byte,
    "first_track_in_last" / construct.Byte,
    "last_track_in_last" / construct.Byte,
    "flags" / construct.Byte,
    "disc_type" / construct.Byte,
    "sessions_high" / construct.Byte,
    "first_track_in_last_high" / construct.Byte,
    "last_track_in_last_high" / construct.Byte,
    "disc_id" / construct.Int32ub,
    "lead_in" / construct.Bytes(4),
    "lead_out" / construct.Bytes(4),
    "bar_code" / construct.Bytes(8),
    construct.Byte,
    "opc_entries" / construct.Byte,
)
_TRACK_INFORMATION: Final = construct.Struct(
    "length" / construct.Int16ub,
    "track" / construct.Byte,
    "session" / construct.Byte,
    construct.Byte,
    "track_mode" / construct.Byte,  # bit 5 damage, 4 copy, 3..0 CONTROL
    "data_mode" / construct.Byte,  # bit 7 reserved, 6 blank, 5 packet, 4 fixed, 3..0 mode
    "valid" / construct.Byte,  # bit 0 next writable, 1 last recorded
    "start" / construct.Int32sb,
    "next_writable" / construct.Int32sb,
    "free" / construct.Int32ub,
    "packet_size" / construct.Int32ub,
    "size" / construct.Int32ub,
    "last_recorded" / construct.Int32sb,
    "track_high" / construct.Byte,
    "session_high" / construct.Byte,
    construct.Bytes(2),
)
_BUFFER_CAPACITY: Final = construct.Struct(
    construct.Bytes(4),
    "size" / construct.Int32ub,
    "free" / construct.Int32ub,
)
_SPEED_HEADER: Final = construct.Struct("length" / construct.Int32ub, construct.Bytes(4))
_SPEED: Final = construct.Struct(
    "flags" / construct.Byte,  # bits 4..3 rotation, 1 exact
    construct.Bytes(3),
    "end_lba" / construct.Int32sb,
    "read_speed" / construct.Int32ub,
    "write_speed" / construct.Int32ub,
)
_CONFIGURATION: Final = construct.Struct(
    "length" / construct.Int32ub,
    construct.Bytes(2),
    "profile" / construct.Int16ub,
)
_FEATURE: Final = construct.Struct(
    "code" / construct.Int16ub,
    "flags" / construct.Byte,  # bits 5..2 version, 1 persistent, 0 current
    "length" / construct.Byte,
)
_EVENT: Final = construct.Struct(
    "length" / construct.Int16ub,
    "event_class" / construct.Byte,  # bit 7: none available
    construct.Byte,
    "event" / construct.Byte,  # bits 3..0
    "status" / construct.Byte,  # bit 1 a disc is there, 0 the tray is open
    construct.Bytes(2),
)


def reply_fields(data: bytes, layout: construct.Struct, least: int, what: str) -> Any:
    """Parse a reply; bytes behind its end are taken as zero, of which `least` must be there."""
    if len(data) < least:
        raise FormatError(f"a reply of {len(data)} bytes; {least} are the least", place=what)
    return layout.parse(data[: layout.sizeof()].ljust(layout.sizeof(), b"\0"))


def told_part(data: bytes, length: int) -> bytes:
    """Return as much of a reply as its length says; what behind it comes is old memory."""
    return data[: 2 + length]


def lba_of(msf: bytes) -> int | None:
    """Return the LBA of three binary bytes; None where they are no time."""
    try:
        return Msf(*msf).to_lba()
    except ValueError:
        return None


def text_of(data: bytes) -> str:
    """Return the printable characters of a field, without the blanks around them."""
    return "".join(chr(byte) if 0x20 <= byte < 0x7F else " " for byte in data).strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Inquiry:
    """Who a device is.

    Attributes:
        device_type: 5 is a CD or DVD drive.
        removable: its media can be taken out.
        vendor: the maker.
        product: the model.
        revision: of the firmware.
    """

    device_type: int
    removable: bool
    vendor: str
    product: str
    revision: str

    @classmethod
    def parse(cls, data: bytes) -> Inquiry:
        """Read the reply."""
        fields = reply_fields(data, _INQUIRY, 5, "INQUIRY")
        return cls(
            device_type=fields.device_type & 31,
            removable=bool(fields.removable & 0x80),
            vendor=text_of(fields.vendor),
            product=text_of(fields.product),
            revision=text_of(fields.revision),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """What can be read: the last address, and the bytes of a block."""

    last_lba: int
    block_bytes: int

    @classmethod
    def parse(cls, data: bytes) -> Capacity:
        """Read the reply."""
        fields = reply_fields(data, _CAPACITY, 8, "READ CAPACITY")
        return cls(last_lba=fields.last_lba, block_bytes=fields.block_bytes)


class DiscStatus(IntEnum):
    """What can be done with a disc."""

    BLANK = 0
    APPENDABLE = 1
    COMPLETE = 2
    OTHER = 3


class SessionStatus(IntEnum):
    """What state the last session is in."""

    EMPTY = 0
    INCOMPLETE = 1
    DAMAGED = 2
    COMPLETE = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscInformation:
    """What state a disc is in.

    Attributes:
        status: blank, appendable, complete.
        last_session: what state the last session is in.
        erasable: it is rewritable.
        first_track: its number.
        sessions: how many there are, the empty one at the end included.
        first_track_in_last: number of the first track of the last session.
        last_track_in_last: number of the last.
        disc_type: PSEC of A0; FFh where it is not settled.
        lead_in_lba: where the last session's lead-in begins; None on a complete disc.
        last_lead_out_lba: the last possible start of the lead-out; None on a complete disc.
    """

    status: DiscStatus
    last_session: SessionStatus
    erasable: bool
    first_track: int
    sessions: int
    first_track_in_last: int
    last_track_in_last: int
    disc_type: int
    lead_in_lba: int | None
    last_lead_out_lba: int | None

    @classmethod
    def parse(cls, data: bytes) -> DiscInformation:
        """Read the reply; of a short one the addresses are None."""
        what = "READ DISC INFORMATION"
        data = told_part(
            data, reply_fields(data, construct.Struct("n" / construct.Int16ub), 2, what).n
        )
        fields = reply_fields(data, _DISC_INFORMATION, 7, what)
        return cls(
            status=DiscStatus(fields.status & 3),
            last_session=SessionStatus(fields.status >> 2 & 3),
            erasable=bool(fields.status & 0x10),
            first_track=fields.first_track,
            sessions=fields.sessions | fields.sessions_high << 8,
            first_track_in_last=fields.first_track_in_last | fields.first_track_in_last_high << 8,
            last_track_in_last=fields.last_track_in_last | fields.last_track_in_last_high << 8,
            disc_type=fields.disc_type,
            lead_in_lba=lba_of(fields.lead_in[1:]) if len(data) >= 20 else None,
            last_lead_out_lba=lba_of(fields.lead_out[1:]) if len(data) >= 24 else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackInformation:
    """What state a track is in.

    Attributes:
        track: its number.
        session: the session's.
        control: CONTROL nibble.
        data_mode: 1, 2, or 15 where it is not known.
        damaged: it was not closed as it should be.
        blank: nothing is written in it.
        reserved: its size is fixed.
        start_lba: where it begins.
        next_writable_lba: where writing goes on; None where the drive does not say.
        free: sectors that are left.
        size: sectors in all.
        last_recorded_lba: None where the drive does not say.
    """

    track: int
    session: int
    control: int
    data_mode: int
    damaged: bool
    blank: bool
    reserved: bool
    start_lba: int
    next_writable_lba: int | None
    free: int
    size: int
    last_recorded_lba: int | None

    @classmethod
    def parse(cls, data: bytes) -> TrackInformation:
        """Read the reply."""
        what = "READ TRACK INFORMATION"
        data = told_part(
            data, reply_fields(data, construct.Struct("n" / construct.Int16ub), 2, what).n
        )
        fields = reply_fields(data, _TRACK_INFORMATION, 12, what)
        return cls(
            track=fields.track | fields.track_high << 8,
            session=fields.session | fields.session_high << 8,
            control=fields.track_mode & 15,
            data_mode=fields.data_mode & 15,
            damaged=bool(fields.track_mode & 0x20),
            blank=bool(fields.data_mode & 0x40),
            reserved=bool(fields.data_mode & 0x80),
            start_lba=fields.start,
            next_writable_lba=fields.next_writable if fields.valid & 1 else None,
            free=fields.free,
            size=fields.size,
            last_recorded_lba=fields.last_recorded if fields.valid & 2 else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class BufferCapacity:
    """The drive's own buffer, in bytes."""

    size: int
    free: int

    @classmethod
    def parse(cls, data: bytes) -> BufferCapacity:
        """Read the reply."""
        fields = reply_fields(data, _BUFFER_CAPACITY, 12, "READ BUFFER CAPACITY")
        return cls(size=fields.size, free=fields.free)


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteSpeed:
    """A speed at which the disc can be written, in kB/s of 1,000 bytes; 176 is single speed."""

    write: int
    read: int
    pure_cav: bool
    end_lba: int


def write_speeds(data: bytes) -> tuple[WriteSpeed, ...]:
    """Read the reply to GET PERFORMANCE type 3; a descriptor that is cut off is left out."""
    length = reply_fields(data, _SPEED_HEADER, 8, "GET PERFORMANCE").length
    body = data[8 : 4 + length]
    count = len(body) // _SPEED.sizeof()
    return tuple(
        WriteSpeed(
            write=item.write_speed,
            read=item.read_speed,
            pure_cav=item.flags >> 3 & 3 == 1,
            end_lba=item.end_lba,
        )
        for item in construct.Array(count, _SPEED).parse(body)
    )


class FeatureCode(IntEnum):
    """Features that a burn looks at."""

    PROFILE_LIST = 0x0000
    CD_READ = 0x001E
    INCREMENTAL_STREAMING = 0x0021
    CD_TRACK_AT_ONCE = 0x002D
    CD_MASTERING = 0x002E
    CD_RW_MEDIA_WRITE = 0x0037


@dataclass(frozen=True, slots=True, kw_only=True)
class DriveFeature:
    """A feature of a drive.

    Attributes:
        code: see `FeatureCode`.
        version: 0..15.
        persistent: it is always current.
        current: it holds for the disc that is in.
        data: what the feature says of itself.
    """

    code: int
    version: int
    persistent: bool
    current: bool
    data: bytes

    def bit(self, place: int, bit: int) -> bool:
        """Tell a bit of the feature's data; MMC counts its bytes from 4 on."""
        return len(self.data) > place - 4 and bool(self.data[place - 4] >> bit & 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """The current profile and the features that were asked for.

    Attributes:
        profile: 8 CD-ROM, 9 CD-R, Ah CD-RW; 0 without a disc.
        features: in the drive's order.
    """

    profile: int
    features: tuple[DriveFeature, ...]

    @classmethod
    def parse(cls, data: bytes) -> Configuration:
        """Read the reply; a feature that is cut off is left out."""
        header = reply_fields(data, _CONFIGURATION, 8, "GET CONFIGURATION")
        rest = data[8 : 4 + header.length]
        features = []
        while len(rest) >= _FEATURE.sizeof():
            fields = _FEATURE.parse(rest)
            end = _FEATURE.sizeof() + fields.length
            if len(rest) < end:
                break
            features.append(
                DriveFeature(
                    code=fields.code,
                    version=fields.flags >> 2 & 15,
                    persistent=bool(fields.flags & 2),
                    current=bool(fields.flags & 1),
                    data=rest[_FEATURE.sizeof() : end],
                )
            )
            rest = rest[end:]
        return cls(profile=header.profile, features=tuple(features))

    def feature(self, code: int) -> DriveFeature | None:
        """Return a feature, or None where the drive does not have it."""
        return next((each for each in self.features if each.code == code), None)


class MediaEvent(IntEnum):
    """What happened to the disc or the tray."""

    NONE = 0
    EJECT_REQUEST = 1
    NEW_MEDIA = 2
    REMOVAL = 3
    CHANGED = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class EventStatus:
    """What happened, and how disc and tray stand now.

    Attributes:
        event: see `MediaEvent`; other numbers are the drive's own.
        media_present: a disc is in.
        tray_open: the tray is out.
    """

    event: int
    media_present: bool
    tray_open: bool

    @classmethod
    def parse(cls, data: bytes) -> EventStatus:
        """Read the reply."""
        fields = reply_fields(data, _EVENT, 4, "GET EVENT STATUS NOTIFICATION")
        return cls(
            event=fields.event & 15,
            media_present=bool(fields.status & 2),
            tray_open=bool(fields.status & 1),
        )
