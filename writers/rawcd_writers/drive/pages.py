"""Mode pages: how writing is set up (05h), and what a drive says it can do (2Ah)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import construct

from rawcd.errors import FormatError

_HEADER_10: Final = construct.Struct(
    "length" / construct.Int16ub,
    "medium" / construct.Byte,
    construct.Bytes(3),
    "descriptors" / construct.Int16ub,
)
_HEADER_6: Final = construct.Struct(
    "length" / construct.Byte,
    "medium" / construct.Byte,
    construct.Byte,
    "descriptors" / construct.Byte,
)
_WRITE_PARAMETERS: Final = construct.Struct(
    "code" / construct.Byte,  # bit 7: may be saved; must be 0 when the page is sent
    "length" / construct.Byte,
    "write_type" / construct.Byte,  # bit 6 underrun protection, 5 link size, 4 test, 3..0 type
    "track_mode" / construct.Byte,  # bits 7..6 multi-session, 5 fixed packets, 4 copy, 3..0 CONTROL
    "block_type" / construct.Byte,
    "link_size" / construct.Byte,
    construct.Padding(1),
    "application" / construct.Byte,
    "session_format" / construct.Byte,
    construct.Padding(1),
    "packet_size" / construct.Int32ub,
    "audio_pause" / construct.Int16ub,
    "mcn" / construct.Bytes(16),  # bit 7 of the first: valid; 13 digits, 00, AFRAME
    "isrc" / construct.Bytes(16),  # bit 7 of the first: valid; 12 characters, 00, AFRAME
    "subheader" / construct.Bytes(4),
)
_CAPABILITIES: Final = construct.Struct(
    "code" / construct.Byte,
    "length" / construct.Byte,
    "reads" / construct.Byte,
    "writes" / construct.Byte,  # bit 0 CD-R, 1 CD-RW, 2 test write
    "plays" / construct.Byte,  # bit 7 underrun protection
    "sound" / construct.Byte,  # bit 0 CD-DA, 1 exact, 2 R-W, 3 R-W corrected, 4 C2
    "mechanism" / construct.Byte,  # bit 0 lock, 3 eject, 7..5 how it is loaded
    construct.Byte,
    "read_speed" / construct.Int16ub,
    "volumes" / construct.Int16ub,
    "buffer_kib" / construct.Int16ub,
    "current_read_speed" / construct.Int16ub,
    construct.Bytes(2),
    "write_speed" / construct.Int16ub,
    "old_write_speed" / construct.Int16ub,
    construct.Bytes(6),
    "current_write_speed" / construct.Int16ub,
    "speeds" / construct.Int16ub,
)
_SPEED: Final = construct.Struct(
    construct.Byte,
    "rotation" / construct.Byte,  # bit 0: pure CAV
    "speed" / construct.Int16ub,
)
WRITE_PARAMETERS_PAGE: Final = 0x05
CAPABILITIES_PAGE: Final = 0x2A
ALL_PAGES: Final = 0x3F
_PAGE_CODE: Final = 0x3F
_SUBPAGES: Final = 0x40
_WRITE_PARAMETERS_LENGTH: Final = _WRITE_PARAMETERS.sizeof() - 2


def parameter_list(page: bytes, *, short: bool = False) -> bytes:
    """Return what MODE SELECT sends: a header of zeros, no block descriptor, the page.

    Args:
        page: the page; its bit PS is cleared, which a drive may not be sent.
        short: for the six-byte command.
    """
    header = _HEADER_6 if short else _HEADER_10
    return bytes(header.sizeof()) + bytes([page[0] & _PAGE_CODE]) + page[1:]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModeReply:
    """Mode pages that a drive sent.

    Attributes:
        medium: the code of old drives for what is in.
        pages: each page from its code on, in the drive's order.
    """

    medium: int
    pages: tuple[bytes, ...]

    @classmethod
    def parse(cls, data: bytes) -> ModeReply:
        """Read the reply to MODE SENSE(10)."""
        return cls._parse(data, _HEADER_10, 2)

    @classmethod
    def parse_short(cls, data: bytes) -> ModeReply:
        """Read the reply to MODE SENSE(6)."""
        return cls._parse(data, _HEADER_6, 1)

    @classmethod
    def _parse(cls, data: bytes, layout: construct.Struct, counted_from: int) -> ModeReply:
        if len(data) < layout.sizeof():
            raise FormatError(
                f"a reply of {len(data)} bytes has not even a header", place="MODE SENSE"
            )
        header = layout.parse(data)
        rest = data[layout.sizeof() + header.descriptors : counted_from + header.length]
        found = []
        while len(rest) > 2:  # a page that is cut off counts as far as it goes
            length = 4 + int.from_bytes(rest[2:4]) if rest[0] & _SUBPAGES else 2 + rest[1]
            found.append(rest[:length])
            rest = rest[length:]
        return cls(medium=header.medium, pages=tuple(found))

    def page(self, code: int) -> bytes:
        """Return a page.

        Raises:
            FormatError: the drive did not send it.
        """
        for page in self.pages:
            if page[0] & _PAGE_CODE == code and not page[0] & _SUBPAGES:
                return page
        raise FormatError(f"there is no page {code:02X}h in the reply", place="MODE SENSE")


class WriteType(IntEnum):
    """How a disc is written (MMC, page 05h)."""

    PACKET = 0
    TRACK_AT_ONCE = 1
    SESSION_AT_ONCE = 2
    RAW = 3


class BlockType(IntEnum):
    """What a block holds that is sent (MMC, page 05h, data block types)."""

    RAW = 0
    RAW_PQ = 1
    RAW_PACKED = 2
    RAW_PW = 3
    MODE_1 = 8
    MODE_2 = 9
    FORM_1 = 10
    FORM_1_SUBHEADER = 11
    FORM_2 = 12
    MIXED = 13

    @property
    def bytes(self) -> int:
        """Bytes of a block."""
        return _BLOCK_BYTES[self]


_BLOCK_BYTES: Final = {
    BlockType.RAW: 2352,
    BlockType.RAW_PQ: 2368,
    BlockType.RAW_PACKED: 2448,
    BlockType.RAW_PW: 2448,
    BlockType.MODE_1: 2048,
    BlockType.MODE_2: 2336,
    BlockType.FORM_1: 2048,
    BlockType.FORM_1_SUBHEADER: 2056,
    BlockType.FORM_2: 2324,
    BlockType.MIXED: 2332,
}


class MultiSession(IntEnum):
    """What the lead-in says of a next session."""

    CLOSED = 0
    CLOSED_WITH_B0 = 1
    OPEN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteParameters:
    """Mode page 05h.

    Attributes:
        write_type: raw, session at once, track at once.
        block_type: what a block holds.
        multi_session: whether a session may follow.
        test_write: all is done but the laser's power.
        underrun_protection: writing pauses when data come too late.
        track_mode: CONTROL of the track.
        copy: the copy bit of an SCMS recording.
        session_format: PSEC of A0.
        audio_pause: sectors of silence before an audio track.
        mcn: media catalogue number, or None.
        isrc: of the track, or None.
        link_size: of packets.
        packet_size: of packets.
        fixed_packets: packets have a fixed size.
        subheader: of XA sectors whose blocks have none.
    """

    write_type: int
    block_type: int
    multi_session: int = MultiSession.CLOSED
    test_write: bool = False
    underrun_protection: bool = True
    track_mode: int = 0
    copy: bool = False
    session_format: int = 0
    audio_pause: int = 150
    mcn: str | None = None
    isrc: str | None = None
    link_size: int = 0
    packet_size: int = 0
    fixed_packets: bool = False
    subheader: bytes = bytes(4)

    @classmethod
    def parse(cls, page: bytes) -> WriteParameters:
        """Read the page; bytes that an old drive does not send are zero.

        Raises:
            FormatError: it is another page, or too short.
        """
        if len(page) < 16 or page[0] & _PAGE_CODE != WRITE_PARAMETERS_PAGE:
            raise FormatError(f"no page 05h: {page[:16].hex(' ')}", place="MODE SENSE")
        size = _WRITE_PARAMETERS.sizeof()
        fields = _WRITE_PARAMETERS.parse(page[:size].ljust(size, b"\0"))
        return cls(
            write_type=fields.write_type & 15,
            block_type=fields.block_type & 15,
            multi_session=fields.track_mode >> 6,
            test_write=bool(fields.write_type & 0x10),
            underrun_protection=bool(fields.write_type & 0x40),
            track_mode=fields.track_mode & 15,
            copy=bool(fields.track_mode & 0x10),
            session_format=fields.session_format,
            audio_pause=fields.audio_pause,
            mcn=_code(fields.mcn, 13),
            isrc=_code(fields.isrc, 12),
            link_size=fields.link_size,
            packet_size=fields.packet_size,
            fixed_packets=bool(fields.track_mode & 0x20),
            subheader=fields.subheader,
        )

    def build(self) -> bytes:
        """Return the page's 52 bytes, bit PS clear."""
        return _WRITE_PARAMETERS.build(
            {
                "code": WRITE_PARAMETERS_PAGE,
                "length": _WRITE_PARAMETERS_LENGTH,
                "write_type": self.underrun_protection << 6
                | self.test_write << 4
                | self.write_type,
                "track_mode": self.multi_session << 6
                | self.fixed_packets << 5
                | self.copy << 4
                | self.track_mode,
                "block_type": self.block_type,
                "link_size": self.link_size,
                "application": 0,
                "session_format": self.session_format,
                "packet_size": self.packet_size,
                "audio_pause": self.audio_pause,
                "mcn": _packed(self.mcn),
                "isrc": _packed(self.isrc),
                "subheader": self.subheader,
            }
        )


def _code(field: bytes, length: int) -> str | None:
    text = field[1 : 1 + length]
    valid = field[0] & 0x80 and text.isalnum() and text.isascii()
    return text.decode("ascii") if valid else None


def _packed(text: str | None) -> bytes:
    return bytes(16) if text is None else (b"\x80" + text.encode("ascii")).ljust(16, b"\0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """Mode page 2Ah: what old drives tell instead of features.

    Attributes:
        writes_cdr: CD-R can be written.
        writes_cdrw: CD-RW can be written.
        test_write: a burn can be rehearsed.
        underrun_protection: writing can pause.
        reads_rw: R-W can be read.
        c2: error flags can be read.
        locks: the tray can be locked.
        ejects: the tray can be opened by command.
        buffer_bytes: the drive's buffer.
        max_write_speed: kB/s of 1,000 bytes.
        current_write_speed: likewise; 0 where the drive does not say.
        max_read_speed: likewise.
        write_speeds: those that the disc can be written at; empty where old drives have no list.
    """

    writes_cdr: bool
    writes_cdrw: bool
    test_write: bool
    underrun_protection: bool
    reads_rw: bool
    c2: bool
    locks: bool
    ejects: bool
    buffer_bytes: int
    max_write_speed: int
    current_write_speed: int
    max_read_speed: int
    write_speeds: tuple[int, ...]

    @classmethod
    def parse(cls, page: bytes) -> Capabilities:
        """Read the page.

        Raises:
            FormatError: it is another page, or too short.
        """
        if len(page) < 8 or page[0] & _PAGE_CODE != CAPABILITIES_PAGE:
            raise FormatError(f"no page 2Ah: {page[:8].hex(' ')}", place="MODE SENSE")
        size = _CAPABILITIES.sizeof()
        fields = _CAPABILITIES.parse(page[:size].ljust(size, b"\0"))
        speeds = page[size : size + fields.speeds * _SPEED.sizeof()]
        count = len(speeds) // _SPEED.sizeof()
        return cls(
            writes_cdr=bool(fields.writes & 1),
            writes_cdrw=bool(fields.writes & 2),
            test_write=bool(fields.writes & 4),
            underrun_protection=bool(fields.plays & 0x80),
            reads_rw=bool(fields.sound & 4),
            c2=bool(fields.sound & 0x10),
            locks=bool(fields.mechanism & 1),
            ejects=bool(fields.mechanism & 8),
            buffer_bytes=fields.buffer_kib * 1024,
            max_write_speed=fields.write_speed,
            current_write_speed=fields.current_write_speed or fields.old_write_speed,
            max_read_speed=fields.read_speed,
            write_speeds=tuple(item.speed for item in construct.Array(count, _SPEED).parse(speeds)),
        )
