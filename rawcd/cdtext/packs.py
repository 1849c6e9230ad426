"""One CD-TEXT pack, and the record in the last three of a block (MMC-3 annex J).

The layouts stand first, then the values.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import construct

from rawcd.cdtext.fields import FIRST_TYPE, SIZE_TYPE
from rawcd.cdtext.values import MAX_BLOCKS, MAX_TRACK, PAYLOAD_BYTES
from rawcd.errors import FormatError
from rawcd.subcode.frame import q_crc

PACK_LAYOUT: Final = construct.Struct(
    "pack_type" / construct.Byte,
    "track" / construct.Byte,  # bit 7: extension, always 0
    "sequence" / construct.Byte,
    "place" / construct.Byte,  # bit 7 double byte, 6..4 block, 3..0 character position
    "payload" / construct.Bytes(PAYLOAD_BYTES),
    "crc" / construct.Int16ub,  # inverted, as in Q
)
SIZE_LAYOUT: Final = construct.Struct(
    "charset" / construct.Byte,
    "first_track" / construct.Byte,
    "last_track" / construct.Byte,
    "copyright" / construct.Byte,
    "counts" / construct.Bytes(16),  # packs of types 80h..8Fh in this block
    "last_sequences" / construct.Bytes(MAX_BLOCKS),
    "languages" / construct.Bytes(MAX_BLOCKS),
)
"""The payloads of a block's three packs of type 8Fh."""

PACK_BYTES: Final = PACK_LAYOUT.sizeof()
SIZE_PACKS: Final = SIZE_LAYOUT.sizeof() // PAYLOAD_BYTES
MAX_PACKS: Final = 256
"""Packs in a block: sequence numbers are a byte."""
MAX_POSITION: Final = 15


def crc_holds(pack: bytes) -> bool:
    """Tell whether the last two of 18 bytes are the inverted CRC of the others."""
    return q_crc(pack[:-2]) == int.from_bytes(pack[-2:], "big")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """One pack without its CRC.

    Attributes:
        pack_type: 80h..8Fh.
        track: the track (0: the album) of the first text that begins or goes on in it; for
            binary types the element.
        sequence: its number in the block.
        block: 0..7.
        double_byte: its characters take two bytes.
        position: characters of its first text that earlier packs hold, at most 15.
        payload: twelve bytes.
    """

    pack_type: int
    track: int
    sequence: int
    block: int
    double_byte: bool = False
    position: int = 0
    payload: bytes

    def build(self, *, crc: str = "inverted") -> bytes:
        """Return the 18 bytes; `crc` as in `TextStyle`."""
        fields = {
            "pack_type": self.pack_type,
            "track": self.track,
            "sequence": self.sequence,
            "place": self.double_byte << 7 | self.block << 4 | self.position,
            "payload": self.payload,
            "crc": 0,
        }
        body = bytes(PACK_LAYOUT.build(fields))[:-2]
        check = {"inverted": q_crc(body), "plain": q_crc(body) ^ 0xFFFF}.get(crc, 0)
        return body + check.to_bytes(2, "big")

    @classmethod
    def parse(cls, data: bytes) -> Pack:
        """Read 18 bytes, whatever their CRC.

        Raises:
            FormatError: the length or type is no pack's, or the track is above 99.
        """
        if len(data) != PACK_BYTES:
            raise FormatError(f"{len(data)} bytes are no pack of {PACK_BYTES}")
        fields = PACK_LAYOUT.parse(data)
        if not FIRST_TYPE <= fields.pack_type <= SIZE_TYPE:
            raise FormatError(f"{fields.pack_type:02X}h is no pack type")
        if fields.track > MAX_TRACK:
            what = "has the extension bit" if fields.track & 0x80 else "is above 99"
            raise FormatError(f"track byte {fields.track:02X}h {what}")
        return cls(
            pack_type=fields.pack_type,
            track=fields.track,
            sequence=fields.sequence,
            block=fields.place >> 4 & 7,
            double_byte=bool(fields.place & 0x80),
            position=fields.place & 0x0F,
            payload=fields.payload,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeInfo:
    """What a block's three packs of type 8Fh say.

    Attributes:
        charset: the character code.
        first_track: the disc's first track.
        last_track: the disc's last track.
        copyright: 0, or 3 for protected.
        counts: packs of types 80h..8Fh, sixteen numbers.
        last_sequences: last sequence number of each block; 0 if there is none.
        languages: language code of each block.
    """

    charset: int
    first_track: int
    last_track: int
    copyright: int
    counts: bytes
    last_sequences: bytes
    languages: bytes

    def build(self) -> bytes:
        """Return the 36 bytes."""
        return bytes(
            SIZE_LAYOUT.build(
                {
                    "charset": self.charset,
                    "first_track": self.first_track,
                    "last_track": self.last_track,
                    "copyright": self.copyright,
                    "counts": self.counts,
                    "last_sequences": self.last_sequences,
                    "languages": self.languages,
                }
            )
        )

    @classmethod
    def parse(cls, record: bytes) -> SizeInfo:
        """Read 36 bytes."""
        fields = SIZE_LAYOUT.parse(record)
        return cls(
            charset=fields.charset,
            first_track=fields.first_track,
            last_track=fields.last_track,
            copyright=fields.copyright,
            counts=fields.counts,
            last_sequences=fields.last_sequences,
            languages=fields.languages,
        )
