"""One Q frame: twelve bytes, most significant bit first (IEC 60908 17.5, ECMA-130 22.3).

The layouts stand first, one for each mode that shares its field borders; then the values.
"""

from __future__ import annotations

import binascii
from dataclasses import dataclass
from typing import ClassVar, Final

import construct

from rawcd.errors import FormatError
from rawcd.msf import Msf

Q_BYTES: Final = 12
LEAD_OUT_TNO: Final = 0xAA
"""Track number of the lead-out, on the disc and in a TOC."""
POINT_FIRST_TRACK: Final = 0xA0
POINT_LAST_TRACK: Final = 0xA1
POINT_LEAD_OUT: Final = 0xA2
POINT_NEXT_SESSION: Final = 0xB0
"""Mode 5: where the next program area may begin, and the last possible lead-out."""
POINT_FIRST_LEAD_IN: Final = 0xC0
"""Mode 5: the first lead-in of the disc, and a copy of the blank's ATIP."""
POINTER_ADR: Final = 5

Q_POSITION_LAYOUT: Final = construct.Struct(
    "control_adr" / construct.Byte,  # high nibble CONTROL, low nibble ADR
    "track" / construct.Byte,  # TNO, BCD; 00 lead-in, AA lead-out
    "index" / construct.Byte,  # INDEX, BCD; POINT in the lead-in
    "relative" / construct.Bytes(3),  # BCD MSF; the running time in the lead-in
    "zero" / construct.Byte,
    "absolute" / construct.Bytes(3),  # BCD MSF; PMIN PSEC PFRAME in the lead-in
    "crc" / construct.Int16ub,  # inverted
)
"""Modes 1 and 5."""
_Q_CATALOG_LAYOUT: Final = construct.Struct(
    "control_adr" / construct.Byte,
    "digits" / construct.Bytes(7),  # 13 BCD digits and a zero nibble
    "zero" / construct.Byte,
    "frame" / construct.Byte,  # AFRAME, BCD
    "crc" / construct.Int16ub,
)
"""Mode 2."""
_Q_ISRC_LAYOUT: Final = construct.Struct(
    "control_adr" / construct.Byte,
    "code" / construct.Bytes(8),  # 5 x 6 bits, 2 zero bits, 7 BCD digits, a zero nibble
    "frame" / construct.Byte,
    "crc" / construct.Int16ub,
)
"""Mode 3."""


def field_offsets(layout: construct.Struct) -> dict[str, int]:
    """Return where each field of a layout of fixed-size fields begins, in bytes."""
    offsets: dict[str, int] = {}
    position = 0
    for part in layout.subcons:
        offsets[str(part.name)] = position
        position += part.sizeof()
    return offsets


def q_crc(body: bytes) -> int:
    """Return the CRC of the ten bytes before it, inverted as on the disc (x^16+x^12+x^5+1)."""
    return binascii.crc_hqx(body, 0) ^ 0xFFFF


def to_bcd(value: int) -> int:
    """Return 0..99 as one BCD byte."""
    return value // 10 << 4 | value % 10


def from_bcd(byte: int) -> int:
    """Return a BCD byte's value.

    Raises:
        FormatError: a nibble is above 9.
    """
    high, low = divmod(byte, 16)
    if high > 9 or low > 9:
        raise FormatError(f"{byte:02X}h is no BCD number", place="Q channel")
    return high * 10 + low


def _msf(bcd: bytes) -> Msf:
    try:
        return Msf(*map(from_bcd, bcd))
    except FormatError:
        raise
    except ValueError as error:
        raise FormatError(str(error), place="Q channel") from error


def pack_mcn(mcn: str) -> bytes:
    """Return 13 digits as the seven bytes of a mode 2 frame."""
    return bytes.fromhex(mcn + "0")


def unpack_mcn(digits: bytes) -> str:
    """Return the 13 digits of a mode 2 frame's seven bytes.

    Raises:
        FormatError: a nibble is no digit.
    """
    text = digits.hex()[:13]
    if not text.isdecimal():
        raise FormatError(f"{text} is no catalogue number of 13 digits", place="Q channel")
    return text


def _six_bits(character: str) -> int:
    return ord(character) - 0x30  # '0'..'9' give 0..9, 'A'..'Z' give 17..42


def pack_isrc(isrc: str) -> bytes:
    """Return 12 characters (5 letters or digits, 7 digits) as the 8 bytes of a mode 3 frame."""
    bits = 0
    for character in isrc[:5]:
        bits = bits << 6 | _six_bits(character)
    bits <<= 2
    for digit in isrc[5:]:
        bits = bits << 4 | int(digit)
    return (bits << 4).to_bytes(8, "big")


def unpack_isrc(code: bytes) -> str:
    """Return the 12 characters of a mode 3 frame's eight bytes.

    Raises:
        FormatError: a character is neither letter nor digit, or a digit is none.
    """
    bits = int.from_bytes(code, "big")
    characters = "".join(chr((bits >> shift & 63) + 0x30) for shift in range(58, 33, -6))
    digits = f"{bits >> 4 & 0xFFFFFFF:07x}"
    if not (characters.isalnum() and characters.upper() == characters and digits.isdecimal()):
        raise FormatError(f"{code.hex()} is no ISRC", place="Q channel")
    return characters + digits


@dataclass(frozen=True, slots=True, kw_only=True)
class QPosition:
    """Where one sector of the program area or lead-out lies (mode 1).

    Attributes:
        control: CONTROL nibble.
        track: 1..99, or `LEAD_OUT_TNO`.
        index: 0..99.
        relative: time to index 1 (counting down) or from it; in the lead-out from its start.
        absolute: the sector's address.
    """

    adr: ClassVar[int] = 1

    control: int
    track: int
    index: int
    relative: Msf
    absolute: Msf

    def build(self) -> bytes:
        """Return the twelve bytes."""
        track = self.track if self.track == LEAD_OUT_TNO else to_bcd(self.track)
        return _build_position(
            self.control << 4 | self.adr,
            track,
            to_bcd(self.index),
            self.relative.bcd(),
            0,
            self.absolute.bcd(),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class QPointer:
    """One item of the table of contents in a lead-in (modes 1 and 5, TNO 00).

    Attributes:
        control: CONTROL nibble.
        adr: 1, or 5 for the pointers of a multi-session disc.
        point: the POINT byte as on the disc: BCD track number, A0h, A1h, A2h, B0h, ...
        running: the lead-in's running time; in mode 5 three bytes of another meaning.
        zero: the byte behind it; a count in mode 5's B0.
        value: PMIN, PSEC, PFRAME as on the disc.
    """

    control: int
    adr: int = 1
    point: int
    running: bytes = bytes(3)
    zero: int = 0
    value: bytes

    def build(self) -> bytes:
        """Return the twelve bytes."""
        return _build_position(
            self.control << 4 | self.adr, 0, self.point, self.running, self.zero, self.value
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class QCatalog:
    """The media catalogue number (mode 2).

    Attributes:
        control: CONTROL nibble.
        mcn: 13 digits.
        frame: frame of the sector's absolute address, 0..74.
    """

    adr: ClassVar[int] = 2

    control: int
    mcn: str
    frame: int

    def build(self) -> bytes:
        """Return the twelve bytes."""
        return _with_crc(
            _Q_CATALOG_LAYOUT.build(
                {
                    "control_adr": self.control << 4 | self.adr,
                    "digits": pack_mcn(self.mcn),
                    "zero": 0,
                    "frame": to_bcd(self.frame),
                    "crc": 0,
                }
            )
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class QIsrc:
    """The recording code of a track (mode 3).

    Attributes:
        control: CONTROL nibble.
        isrc: 12 characters.
        frame: frame of the sector's absolute address, 0..74.
    """

    adr: ClassVar[int] = 3

    control: int
    isrc: str
    frame: int

    def build(self) -> bytes:
        """Return the twelve bytes."""
        return _with_crc(
            _Q_ISRC_LAYOUT.build(
                {
                    "control_adr": self.control << 4 | self.adr,
                    "code": pack_isrc(self.isrc),
                    "frame": to_bcd(self.frame),
                    "crc": 0,
                }
            )
        )


QFrame = QPosition | QPointer | QCatalog | QIsrc


def _with_crc(frame: bytes) -> bytes:
    body = frame[:-2]
    return body + q_crc(body).to_bytes(2, "big")


def _build_position(
    control_adr: int, track: int, index: int, relative: bytes, zero: int, absolute: bytes
) -> bytes:
    return _with_crc(
        Q_POSITION_LAYOUT.build(
            {
                "control_adr": control_adr,
                "track": track,
                "index": index,
                "relative": relative,
                "zero": zero,
                "absolute": absolute,
                "crc": 0,
            }
        )
    )


def parse_q(frame: bytes) -> QFrame:
    """Read a Q frame of twelve bytes.

    Raises:
        FormatError: it has another length, its CRC is wrong, its mode is none of 1, 2, 3 and
            5, or a field holds no number.
    """
    if len(frame) != Q_BYTES:
        raise FormatError(f"{len(frame)} bytes, not {Q_BYTES}", place="Q channel")
    if q_crc(frame[:-2]) != int.from_bytes(frame[-2:], "big"):
        raise FormatError(f"the CRC of {frame.hex()} is wrong", place="Q channel")
    control, adr = divmod(frame[0], 16)
    if adr == QCatalog.adr:
        catalog = _Q_CATALOG_LAYOUT.parse(frame)
        return QCatalog(
            control=control, mcn=unpack_mcn(catalog.digits), frame=from_bcd(catalog.frame)
        )
    if adr == QIsrc.adr:
        isrc = _Q_ISRC_LAYOUT.parse(frame)
        return QIsrc(control=control, isrc=unpack_isrc(isrc.code), frame=from_bcd(isrc.frame))
    if adr not in (1, 5):
        raise FormatError(f"mode {adr} is none of 1, 2, 3 and 5", place="Q channel")
    fields = Q_POSITION_LAYOUT.parse(frame)
    if adr == 5 or fields.track == 0:
        return QPointer(
            control=control,
            adr=adr,
            point=fields.index,
            running=fields.relative,
            zero=fields.zero,
            value=fields.absolute,
        )
    return QPosition(
        control=control,
        track=fields.track if fields.track == LEAD_OUT_TNO else from_bcd(fields.track),
        index=from_bcd(fields.index),
        relative=_msf(fields.relative),
        absolute=_msf(fields.absolute),
    )
