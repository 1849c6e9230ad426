"""Mode pages of the virtual recorder: 01h, 05h and 2Ah (MMC, mode parameters).

The layouts are stated here for themselves, not taken from the host's side: a mistake in one of
the two must not be hidden by the other.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum
from typing import TYPE_CHECKING, Final

import construct

from rawcd.disc import PREGAP_SECTORS
from rawcd.rules import is_sheet_isrc
from rawcd_writers.drive.virtual.refusals import (
    LIST_LENGTH,
    SAVING_UNSUPPORTED,
    Refusal,
    bad_cdb,
    bad_parameter,
)

if TYPE_CHECKING:
    from collections.abc import Callable

ERROR_RECOVERY: Final = 0x01
WRITE_PARAMETERS: Final = 0x05
CAPABILITIES: Final = 0x2A
ALL_PAGES: Final = 0x3F

_ERROR_PAGE: Final = construct.Struct(
    construct.Const(b"\x01\x0a"),
    "recovery" / construct.Byte,
    "read_retries" / construct.Byte,
    construct.Padding(4),
    "write_retries" / construct.Byte,
    construct.Padding(3),
)
_WRITE_PAGE: Final = construct.Struct(
    construct.Const(b"\x05\x32"),
    "write" / construct.Byte,  # 6 BUFE, 5 LS_V, 4 test write, 3..0 write type
    "track" / construct.Byte,  # 7..6 multi-session, 5 FP, 4 copy, 3..0 CONTROL
    "block" / construct.Byte,  # 3..0 data block type
    "link_size" / construct.Byte,
    construct.Padding(1),
    "application" / construct.Byte,
    "session_format" / construct.Byte,
    construct.Padding(1),
    "packet_size" / construct.Int32ub,
    "pause" / construct.Int16ub,
    "mcn" / construct.Bytes(16),  # bit 7 of the first: valid; 13 digits, 0, AFRAME
    "isrc" / construct.Bytes(16),
    "subheader" / construct.Bytes(4),
)
_CAPABILITIES_PAGE: Final = construct.Struct(
    construct.Const(b"\x2a"),
    "length" / construct.Byte,
    "reads" / construct.Byte,
    "writes" / construct.Byte,
    "features" / construct.Bytes(4),
    "max_read" / construct.Int16ub,  # kB/s
    "volumes" / construct.Int16ub,
    "buffer" / construct.Int16ub,  # KiB
    "read" / construct.Int16ub,
    construct.Padding(2),
    "max_write" / construct.Int16ub,
    "write_old" / construct.Int16ub,
    construct.Padding(5),
    "rotation" / construct.Byte,
    "write" / construct.Int16ub,
    "count" / construct.Int16ub,
    "speeds" / construct.Array(construct.this.count, construct.Int32ub),
)

LINE_SPEED: Final = 176
"""kB/s (of 1,000 bytes) at single speed, as MMC counts."""
WRITE_SPEEDS: Final = (52, 48, 40, 32, 24, 16, 8, 4)
READ_SPEED: Final = 52


class WriteType(IntEnum):
    """Write type of page 05h."""

    PACKET = 0
    TAO = 1
    SAO = 2
    RAW = 3


RAW_BLOCKS: Final = {1: 2368, 2: 2448, 3: 2448}
"""Bytes of a block by data block type, in raw writing."""
TRACK_BLOCKS: Final = {0: 2352, 8: 2048, 9: 2336, 10: 2048, 11: 2056, 12: 2324, 13: 2332}
"""The same in track at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteParameters:
    """What page 05h says.

    Attributes:
        write_type: how the session is written.
        test: nothing is recorded.
        underrun_protection: BUFE.
        multi_session: 0: no further session, no B0; 1: B0 says none; 3: one may follow.
        control: CONTROL of a track at once.
        copied: the copy bit (SCMS) of a track at once.
        block_type: data block type.
        session_format: PSEC of A0.
        pause: sectors of the pregap of a track of sound at once.
        mcn: 13 digits, or None.
        isrc: 12 characters, or None.
        subheader: of block types 10 and 12.
    """

    write_type: WriteType = WriteType.TAO
    test: bool = False
    underrun_protection: bool = True
    multi_session: int = 0
    control: int = 4
    copied: bool = False
    block_type: int = 8
    session_format: int = 0
    pause: int = 150
    mcn: str | None = None
    isrc: str | None = None
    subheader: bytes = bytes(4)

    @property
    def pregap(self) -> int:
        """Sectors before a track at once that is not its session's first; data have two seconds."""
        return PREGAP_SECTORS if self.control & 4 else self.pause

    def build(self) -> bytes:
        """Return the page."""
        return _WRITE_PAGE.build(
            {
                "write": self.write_type | self.test << 4 | self.underrun_protection << 6,
                "track": self.control | self.copied << 4 | self.multi_session << 6,
                "block": self.block_type,
                "link_size": 0,
                "application": 0,
                "session_format": self.session_format,
                "packet_size": 0,
                "pause": self.pause,
                "mcn": _text_field(self.mcn),
                "isrc": _text_field(self.isrc),
                "subheader": self.subheader,
            }
        )


def _text_field(text: str | None) -> bytes:
    if text is None:
        return bytes(16)
    return (b"\x80" + text.encode("ascii")).ljust(16, b"\0")


def _text_of(field: bytes, length: int, allowed: Callable[[str], bool], at: int) -> str | None:
    if not field[0] & 0x80:
        return None
    text = field[1 : 1 + length].decode("latin-1")
    if not (text.isascii() and allowed(text)):
        raise bad_parameter(at, f"{text!r} is no code of {length} characters")
    return text


def parse_write_page(page: bytes, at: int) -> WriteParameters:
    """Read page 05h as the host sent it.

    Args:
        page: 52 bytes.
        at: where it lies in the parameter list, for the field pointer.

    Raises:
        Refusal: a field has a value that this recorder does not take.
    """
    fields = _WRITE_PAGE.parse(page)
    write_type = fields.write & 15
    if write_type not in (WriteType.TAO, WriteType.SAO, WriteType.RAW):
        raise bad_parameter(at + 2, f"write type {write_type} is not supported")
    block_type = fields.block & 15
    blocks: dict[int, int] = RAW_BLOCKS if write_type == WriteType.RAW else TRACK_BLOCKS
    # In session at once the cue sheet tells the block size: any type that exists is taken, since
    # cdrdao sets 3 and libburn 0 (Mt. Fuji leaves the field open there).
    known = block_type in RAW_BLOCKS or block_type in TRACK_BLOCKS
    if block_type not in blocks and not (write_type == WriteType.SAO and known):
        raise bad_parameter(at + 4, f"write type {write_type} has no data block type {block_type}")
    if fields.track >> 6 == 2:
        raise bad_parameter(at + 3, "multi-session 10b is reserved")
    if fields.track & 0x20:
        raise bad_parameter(at + 3, "fixed packets belong to packet writing")
    if fields.session_format not in (0x00, 0x10, 0x20):
        raise bad_parameter(at + 8, f"session format {fields.session_format:02X}h is none of CD")
    return WriteParameters(
        write_type=WriteType(write_type),
        test=bool(fields.write & 0x10),
        underrun_protection=bool(fields.write & 0x40),
        multi_session=fields.track >> 6,
        control=fields.track & 15,
        copied=bool(fields.track & 0x10),
        block_type=block_type,
        session_format=fields.session_format,
        pause=fields.pause,
        mcn=_text_of(fields.mcn, 13, str.isdecimal, at + 16),
        isrc=_text_of(fields.isrc, 12, is_sheet_isrc, at + 32),
        subheader=fields.subheader,
    )


@dataclass(slots=True, kw_only=True)
class ModePages:
    """The pages of one recorder, current values."""

    write: WriteParameters
    recovery: int = 0x00
    read_retries: int = 8
    write_retries: int = 1
    read_speed: int = READ_SPEED
    write_speed: int = WRITE_SPEEDS[0]
    buffer_bytes: int = 2 << 20
    rewritable: bool = True
    locked: bool = False

    def page(self, code: int, control: int) -> bytes | None:
        """Return a page's current (0), changeable (1) or default (2) values; None: no such page."""
        if code == ERROR_RECOVERY:
            if control == 1:
                values = {"recovery": 0x3F, "read_retries": 0xFF, "write_retries": 0xFF}
            elif control == 2:
                values = {"recovery": 0, "read_retries": 8, "write_retries": 1}
            else:
                values = {
                    "recovery": self.recovery,
                    "read_retries": self.read_retries,
                    "write_retries": self.write_retries,
                }
            return _ERROR_PAGE.build(values)
        if code == WRITE_PARAMETERS:
            if control == 1:
                mask = bytearray(_WRITE_PAGE.sizeof())
                mask[:2] = b"\x05\x32"
                mask[2:5] = b"\x5f\xdf\x0f"
                mask[8] = 0x30
                mask[14:52] = b"\xff" * 38
                return bytes(mask)
            return (WriteParameters() if control == 2 else self.write).build()
        if code == CAPABILITIES:
            page = self._capabilities()
            return page[:2] + bytes(len(page) - 2) if control == 1 else page
        return None

    def _capabilities(self) -> bytes:
        speeds = [speed * LINE_SPEED for speed in WRITE_SPEEDS]
        return _CAPABILITIES_PAGE.build(
            {
                "length": 30 + 4 * len(speeds),
                "reads": 0x07,  # CD-R, CD-RW, method 2
                "writes": 0x07,  # CD-R, CD-RW, test write
                # multi-session, both forms of mode 2, BUF | bar code no; MCN, ISRC, C2, R-W
                # de-interleaved and corrected, accurate stream, CD-DA | tray, eject, lock |
                # R-W in the lead-in
                "features": bytes([0xF1, 0x7F, 0x29 | self.locked << 1, 0x23]),
                "max_read": READ_SPEED * LINE_SPEED,
                "volumes": 256,
                "buffer": self.buffer_bytes >> 10,
                "read": self.read_speed * LINE_SPEED,
                "max_write": speeds[0],
                "write_old": self.write_speed * LINE_SPEED,
                "rotation": 0,
                "write": self.write_speed * LINE_SPEED,
                "count": len(speeds),
                "speeds": speeds,
            }
        )

    def sense(self, code: int, control: int) -> bytes:
        """Return what MODE SENSE answers behind its header.

        Raises:
            Refusal: there is no such page, or saved values are asked for.
        """
        if control == 3:
            raise Refusal(SAVING_UNSUPPORTED, "no mode page can be saved", field=2, in_cdb=True)
        codes = (ERROR_RECOVERY, WRITE_PARAMETERS, CAPABILITIES) if code == ALL_PAGES else (code,)
        pages = [self.page(each, control) for each in codes]
        if None in pages:
            raise bad_cdb(2, f"there is no mode page {code:02X}h")
        return b"".join(page for page in pages if page is not None)

    def select(self, parameters: bytes, header: int) -> ModePages:
        """Return the pages after MODE SELECT; nothing has changed where one is refused.

        Args:
            parameters: the whole list.
            header: bytes of its header: 4 or 8.

        Raises:
            Refusal: the list is cut short, or holds what cannot be set.
        """
        changed = replace(self)
        if not parameters:
            return changed
        if len(parameters) < header:
            raise Refusal(LIST_LENGTH, "the mode parameter header is cut short")
        descriptors = int.from_bytes(parameters[header - 2 : header], "big")
        if header == 4:
            descriptors = parameters[3]
        if descriptors not in (0, 8):
            raise bad_parameter(header - 1, f"a block descriptor of {descriptors} bytes")
        at = header + descriptors
        if at > len(parameters):
            raise Refusal(LIST_LENGTH, "the block descriptor is cut short")
        while at < len(parameters):
            if len(parameters) - at < 2:
                raise Refusal(LIST_LENGTH, "a mode page is cut short")
            code, length = parameters[at], parameters[at + 1] + 2
            page = parameters[at : at + length]
            if len(page) < length:
                raise Refusal(LIST_LENGTH, f"mode page {code:02X}h is cut short")
            changed._take(code, page, at)
            at += length
        return changed

    def _take(self, code: int, page: bytes, at: int) -> None:
        if code & 0x80:
            raise bad_parameter(at, "MODE SELECT must not set PS")
        current = self.page(code, 0)
        if current is None:
            raise bad_parameter(at, f"there is no mode page {code & 0x3F:02X}h")
        if code == CAPABILITIES:
            # Nothing in it can be changed; wodim sends its speed there to old drives.
            if page[:2] != current[:2]:
                raise bad_parameter(at + 1, "page 2Ah has another length")
            return
        if len(page) != len(current):
            raise bad_parameter(at + 1, f"page {code:02X}h has {len(current) - 2} bytes")
        if code == WRITE_PARAMETERS:
            self.write = parse_write_page(page, at)
        else:
            fields = _ERROR_PAGE.parse(page)
            self.recovery = fields.recovery & 0x3F
            self.read_retries = fields.read_retries
            self.write_retries = fields.write_retries
