"""The bytes of a CHD of version 5: header, metadata records, the head of the map; big-endian.

Sources: libchdr and MAME read and write them so; figures observed in files of chdman 0.251.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import construct

from rawcd.errors import FormatError, UnsupportedError

if TYPE_CHECKING:
    from rawcd.source import Reader

MAGIC: Final = b"MComprHD"
VERSION: Final = 5
UNIT_BYTES: Final = 2448
"""One sector: 2,352 bytes of main channel and 96 of subcode."""
HUNK_UNITS: Final = 8
HUNK_BYTES: Final = HUNK_UNITS * UNIT_BYTES
"""What chdman takes for CDs, and we write."""
NO_CODEC: Final = bytes(4)
SHA1_BYTES: Final = 20

PREAMBLE: Final = construct.Struct(
    "magic" / construct.Bytes(8),
    "size" / construct.Int32ub,
    "version" / construct.Int32ub,
)
HEADER: Final = construct.Struct(
    "magic" / construct.Const(MAGIC),
    "size" / construct.Int32ub,
    "version" / construct.Const(VERSION, construct.Int32ub),
    "codecs" / construct.Array(4, construct.Bytes(4)),
    "logical_bytes" / construct.Int64ub,
    "map_offset" / construct.Int64ub,
    "metadata_offset" / construct.Int64ub,
    "hunk_bytes" / construct.Int32ub,
    "unit_bytes" / construct.Int32ub,
    "raw_sha1" / construct.Bytes(SHA1_BYTES),
    "sha1" / construct.Bytes(SHA1_BYTES),  # of the raw one and the metadata
    "parent_sha1" / construct.Bytes(SHA1_BYTES),
)
RECORD: Final = construct.Struct(
    "tag" / construct.Bytes(4),
    "flags" / construct.Int8ub,
    "size" / construct.Int24ub,
    "next" / construct.Int64ub,
)
CHECKED: Final = 1
"""Flag of a record whose content counts in the header's SHA-1."""
MAP_HEAD: Final = construct.Struct(
    "size" / construct.Int32ub,  # of the bits behind it
    "first_offset" / construct.BytesInteger(6),
    "crc" / construct.Int16ub,  # of the map unpacked
    "length_bits" / construct.Int8ub,
    "self_bits" / construct.Int8ub,
    "parent_bits" / construct.Int8ub,
    "reserved" / construct.Int8ub,
)

_MOST_HUNK_BYTES: Final = 1024 * 1024  # chdman's own limit
_MOST_UNITS: Final = 500_000  # MSF has 450,000 addresses, and tracks are padded


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What a header says; see `HEADER`."""

    codecs: tuple[bytes, ...]
    logical_bytes: int
    map_offset: int
    metadata_offset: int
    hunk_bytes: int
    raw_sha1: bytes = bytes(SHA1_BYTES)
    sha1: bytes = bytes(SHA1_BYTES)

    @property
    def units(self) -> int:
        """Sectors in the file, padding included."""
        return self.logical_bytes // UNIT_BYTES

    @property
    def hunk_count(self) -> int:
        """Hunks in the file; the last may be filled up."""
        return -(-self.logical_bytes // self.hunk_bytes)

    @property
    def packed(self) -> bool:
        """Whether the map is compressed, as it is when hunks may be."""
        return self.codecs[0] != NO_CODEC

    def build(self) -> bytes:
        """Return the 124 bytes."""
        codecs = [*self.codecs, *[NO_CODEC] * 4][:4]
        return HEADER.build(
            {
                "size": HEADER.sizeof(),
                "codecs": codecs,
                "logical_bytes": self.logical_bytes,
                "map_offset": self.map_offset,
                "metadata_offset": self.metadata_offset,
                "hunk_bytes": self.hunk_bytes,
                "unit_bytes": UNIT_BYTES,
                "raw_sha1": self.raw_sha1,
                "sha1": self.sha1,
                "parent_sha1": bytes(SHA1_BYTES),
            }
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A metadata record.

    Attributes:
        tag: four letters.
        flags: `CHECKED`, or 0.
        data: its content.
    """

    tag: bytes
    flags: int
    data: bytes

    def build(self, offset: int, *, last: bool) -> bytes:
        """Return the record's bytes, to stand at an offset."""
        end = offset + RECORD.sizeof() + len(self.data)
        head = {
            "tag": self.tag,
            "flags": self.flags,
            "size": len(self.data),
            "next": 0 if last else end,
        }
        return RECORD.build(head) + self.data


def parse_at(layout: construct.Construct[Any, Any], reader: Reader, offset: int, what: str) -> Any:
    """Read one layout at an offset; what it gives must not leave the module that asked.

    Raises:
        FormatError: the file ends inside it, or it holds what it must not.
        StorageError: the file cannot be read.
    """
    try:
        return layout.parse(read_at(reader, offset, layout.sizeof(), what))
    except construct.ConstructError as error:
        raise FormatError(
            f"is no {what}: {error}", file=reader.name, place=f"offset {offset}"
        ) from error


def read_at(reader: Reader, offset: int, size: int, what: str) -> bytes:
    """Return bytes of the file.

    Raises:
        FormatError: the file ends before them.
        StorageError: it cannot be read.
    """
    if offset + size > reader.size:
        raise FormatError(
            f"its {what} of {size} bytes lies behind the end of the file, which has "
            f"{reader.size} bytes; it was cut short, or is damaged",
            file=reader.name,
            place=f"offset {offset}",
        )
    held = bytearray(size)
    reader.read_at(offset, held)
    return bytes(held)


def read_header(reader: Reader) -> Header:
    """Read the header.

    Raises:
        FormatError: it is none, or says what cannot be.
        UnsupportedError: it is of another version, needs a parent, or is of no CD.
        StorageError: the file cannot be read.
    """
    name = reader.name
    if reader.size < PREAMBLE.sizeof():
        raise FormatError(f"{reader.size} bytes are too few for a CHD", file=name, place="offset 0")
    preamble = parse_at(PREAMBLE, reader, 0, "CHD header")
    if preamble.magic != MAGIC:
        raise FormatError(
            f"is no CHD: it does not begin with {MAGIC.decode()}", file=name, place="offset 0"
        )
    if preamble.version != VERSION:
        raise UnsupportedError(
            f"{name}: is a CHD of version {preamble.version}; version {VERSION} can be read: "
            "convert it with chdman copy"
        )
    found = parse_at(HEADER, reader, 0, "CHD header")
    if any(found.parent_sha1):
        raise UnsupportedError(
            f"{name}: needs its parent, the CHD whose SHA-1 is {found.parent_sha1.hex()}; "
            "write it as one file with chdman copy -ip PARENT"
        )
    if found.unit_bytes != UNIT_BYTES:
        raise UnsupportedError(
            f"{name}: is a CHD of units of {found.unit_bytes} bytes; those of a CD have "
            f"{UNIT_BYTES}: it is of another medium"
        )
    hunk_bytes, logical = found.hunk_bytes, found.logical_bytes
    if not hunk_bytes or hunk_bytes % UNIT_BYTES or hunk_bytes > _MOST_HUNK_BYTES:
        raise FormatError(
            f"hunks of {hunk_bytes} bytes: they hold whole units of {UNIT_BYTES} bytes, "
            f"{_MOST_HUNK_BYTES} at most",
            file=name,
            place="header",
        )
    if logical % UNIT_BYTES or not 0 < logical <= _MOST_UNITS * UNIT_BYTES:
        raise FormatError(
            f"says that it holds {logical} bytes, which are no sectors of {UNIT_BYTES} bytes, or "
            "more than any disc has",
            file=name,
            place="header",
        )
    return Header(
        codecs=tuple(found.codecs),
        logical_bytes=logical,
        map_offset=found.map_offset,
        metadata_offset=found.metadata_offset,
        hunk_bytes=hunk_bytes,
        raw_sha1=found.raw_sha1,
        sha1=found.sha1,
    )
