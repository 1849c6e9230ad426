"""Whether an Ogg file has its end (RFC 3533 clause 6).

libsndfile takes what is left of a file that was cut off for all there is: pages do not count the
others. But the last one says that it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import construct

from rawcd.audio.facts import Remark
from rawcd.errors import FormatError

if TYPE_CHECKING:
    from rawcd.source import Reader

_MARK: Final = b"OggS"
_PAGE: Final = construct.Struct(
    "mark" / construct.Const(_MARK),
    "version" / construct.Const(0, construct.Byte),
    "flags" / construct.Byte,
    "granule_serial_sequence_crc" / construct.Bytes(20),
    "segments" / construct.PrefixedArray(construct.Byte, construct.Byte),
)
_LAST: Final = 4
"""The flag of the last page of a stream."""
_HEADER_BYTES: Final = 27
_LONGEST: Final = _HEADER_BYTES + 255 + 255 * 255
"""Bytes: header, the segments' lengths, segments."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Page:
    """A page's bytes in all, and whether it is the last of its stream."""

    size: int
    is_last: bool


def _page(data: bytes) -> _Page | None:
    """Read a page's header; None where the bytes end inside it, or are none."""
    try:
        page = _PAGE.parse(data)
    except construct.ConstructError:
        return None
    size = _HEADER_BYTES + len(page.segments) + sum(page.segments)
    return _Page(size=size, is_last=bool(page.flags & _LAST))


def check_end(reader: Reader) -> tuple[Remark, ...]:
    """Look at the last page, and return what there is to say of it.

    Raises:
        FormatError: the file ends inside it.
        StorageError: the file cannot be read.
    """
    tail = bytearray(min(reader.size, _LONGEST))
    start = reader.size - len(tail)
    reader.read_at(start, tail)
    found = tail.rfind(_MARK)
    if found < 0:  # something else stands behind the sound
        return ()
    page = _page(bytes(tail[found:]))
    if page is None:
        raise FormatError(
            "is cut off: it ends inside the header of its last page; copy it or make it again",
            file=reader.name,
            place=f"offset {start + found}",
        )
    held = len(tail) - found
    if page.size > held:
        raise FormatError(
            f"is cut off: its last page has {page.size} bytes, but the file ends after {held} of "
            "them; copy it or make it again",
            file=reader.name,
            place=f"offset {start + found}",
        )
    if page.is_last:
        return ()
    return (
        Remark(
            code="no-end-of-stream",
            message="the last page does not say that it is the last: the file may be cut off",
        ),
    )
