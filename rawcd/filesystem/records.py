"""How directory records, dates and Rock Ridge's entries lie in their bytes.

There are forty thousand records on a full disc: they are taken apart by `struct`, at a fiftieth
of what construct takes for each.
"""

from __future__ import annotations

import calendar
import struct
import time
from typing import TYPE_CHECKING, Final, NamedTuple

from rawcd.errors import FormatError
from rawcd.filesystem.values import BLOCK_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Buffer = bytes | bytearray

RECORD: Final = struct.Struct("<BB I4x I4x 7s BBB H2x B")
"""Directory record (ECMA-119 9.1): length, length of the extended attributes, extent, data length,
date, flags, unit, gap, volume, length of the identifier; both-endian numbers by their first half.
"""
EXTENT_AT: Final = 2
SIZE_AT: Final = 10
DATE_AT: Final = 18
BOTH: Final = struct.Struct("<I")
BOTH_BIG: Final = struct.Struct(">I")
DIRECTORY: Final = 0x02
ASSOCIATED: Final = 0x04
MORE_SECTIONS: Final = 0x80
_CONTINUATIONS: Final = 64
"""Continuation areas that a record may have: more are a loop."""


class Record(NamedTuple):
    """A directory record.

    Attributes:
        at: where in its buffer it begins.
        extent: first block, behind which the extended attributes come first.
        attributes: blocks of these.
        size: bytes of data.
        date: seven bytes.
        flags: bits of ECMA-119 9.1.6.
        interleaved: whether the data are.
        identifier: the name; one byte 0 is the folder itself, one byte 1 the one above.
        use: where its system use area begins.
        end: where it ends.
    """

    at: int
    extent: int
    attributes: int
    size: int
    date: bytes
    flags: int
    interleaved: bool
    identifier: bytes
    use: int
    end: int


def records(data: Buffer, start: int, size: int, *, file: str, place: str) -> Iterator[Record]:
    """Give the records of a directory; none crosses a block (ECMA-119 6.8.1.1).

    Raises:
        FormatError: they are no directory records.
    """
    at, end = start, start + size
    while at < end:
        length = data[at]
        if not length:
            at += BLOCK_BYTES - (at - start) % BLOCK_BYTES
            continue
        room = BLOCK_BYTES - (at - start) % BLOCK_BYTES
        if length < RECORD.size + 1 or length > room:
            raise FormatError(
                f"byte {at - start} begins no directory record", file=file, place=place
            )
        _, attributes, extent, bytes_, date, flags, unit, gap, _, name = RECORD.unpack_from(
            data, at
        )
        begin = at + RECORD.size
        use = begin + name + (not name & 1)
        if not name or use > at + length + 1:
            raise FormatError(
                f"byte {at - start}: a name runs out of its record", file=file, place=place
            )
        yield Record(
            at,
            extent,
            attributes,
            bytes_,
            date,
            flags,
            bool(unit or gap),
            bytes(data[begin : begin + name]),
            use,
            at + length,
        )
        at += length


class Use(NamedTuple):
    """An entry of the system use area (SUSP 1.12, 4.1): where it is and how long."""

    signature: bytes
    data: Buffer
    at: int
    length: int

    def body(self, skip: int = 4) -> bytes:
        """Return what follows signature, length and version; `skip` leaves out more."""
        return bytes(self.data[self.at + skip : self.at + self.length])


def system_use(
    data: Buffer,
    start: int,
    end: int,
    area: Callable[[int, int, int], tuple[Buffer, int]],
) -> Iterator[Use]:
    """Give the entries of a system use area and of where it is continued.

    Args:
        data: where the record is.
        start: where its area begins.
        end: where it ends.
        area: gives a buffer and a place in it for the block, offset and length of a continuation.

    Raises:
        FormatError: the continuations are a loop.
    """
    for _ in range(_CONTINUATIONS):
        following = None
        while end - start >= 4:
            length = data[start + 2]
            if length < 4 or start + length > end:
                break
            use = Use(bytes(data[start : start + 2]), data, start, length)
            if use.signature == b"ST":
                break
            if use.signature == b"CE" and length >= 28:
                following = use
            yield use
            start += length
        if following is None:
            return
        block, offset, size = struct.unpack_from("<I4xI4xI", following.data, following.at + 4)
        data, start = area(block, offset, size)
        end = start + size
    raise FormatError("the continuation areas of a directory record do not end")


def date_bytes(seconds: int) -> bytes:
    """Return a date of a directory record, in UTC (ECMA-119 9.1.5)."""
    utc = time.gmtime(seconds)
    return bytes((utc.tm_year - 1900, utc.tm_mon, utc.tm_mday, *utc[3:6], 0))


def date_seconds(date: bytes) -> int:
    """Return the seconds of a directory record's date; 0 where it is none."""
    year, month, day, hour, minute, second, quarters = struct.unpack("7b", date)
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return 0
    seconds = calendar.timegm((year % 256 + 1900, month, day, hour, minute, second))
    return max(0, int(seconds - quarters * 900))


def long_date(seconds: int) -> bytes:
    """Return a date of a volume descriptor, in UTC (ECMA-119 8.4.26.1)."""
    return time.strftime("%Y%m%d%H%M%S00", time.gmtime(seconds)).encode() + b"\0"


NO_LONG_DATE: Final = b"0" * 16 + b"\0"
