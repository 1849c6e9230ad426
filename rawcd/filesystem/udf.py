"""UDF's structures in a bridge volume: dates, and the few addresses that are absolute.

Everything inside UDF's partition counts from the partition's start, so that moving the volume
moves the partition: only its descriptor, the anchors and what lies before it name blocks of the
disc (ECMA-167 3/8.4.2, 3/10; UDF 2.60, 2.2).
"""

from __future__ import annotations

import struct
import time
from binascii import crc_hqx
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rawcd.errors import UnsupportedError
from rawcd.filesystem.tree import Folder
from rawcd.filesystem.values import BLOCK_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rawcd.filesystem.names import Named
    from rawcd.filesystem.values import Clock

_TAG: Final = struct.Struct("<HHBxHHHI")
"""Identifier, version, sum, serial number, CRC, length that it covers, location (3/7.2)."""
_ANCHOR_BLOCK: Final = 256
_PRIMARY: Final = 1
_ANCHOR: Final = 2
_IMPLEMENTATION: Final = 4
_PARTITION: Final = 5
_LOGICAL: Final = 6
_TERMINATOR: Final = 8
_INTEGRITY: Final = 9
_FILE_SET: Final = 256
_FILE_ENTRY: Final = 261

_WORD: Final = struct.Struct("<I")
_EXTENT: Final = struct.Struct("<II")
_PARTITION_START_AT: Final = 188
_INTEGRITY_EXTENT_AT: Final = 432
_VOLUME_SET_AT: Final = 72
_NAMES_AT: Final = {
    _PRIMARY: ((24, 32),),
    _IMPLEMENTATION: ((116, 128),),
    _LOGICAL: ((84, 128),),
    _FILE_SET: ((112, 128), (304, 32)),
}
"""Where descriptors name the volume, and in how many bytes."""
_PRIMARY_DATE_AT: Final = 376
_INTEGRITY_DATE_AT: Final = 16
_FILE_SET_DATE_AT: Final = 16
_ROOT_AT: Final = 400
_FILE_DATES_AT: Final = 72
_ATTRIBUTES_AT: Final = 168
_FILE_LENGTH_AT: Final = 56
_ALLOCATION_AT: Final = 176
_PARENT: Final = 0x08


def _timestamp(seconds: int) -> bytes:
    """Return a timestamp in UTC (ECMA-167 1/7.3)."""
    utc = time.gmtime(seconds)
    return struct.pack("<Hh8B", 1 << 12, *utc[:6], 0, 0, 0)


def _seal(block: bytearray, at: int, location: int) -> None:
    """Give a descriptor its location, and its tag the right CRC and sum."""
    covered = _TAG.unpack_from(block, at)[5]
    crc = crc_hqx(bytes(block[at + 16 : at + 16 + covered]), 0)
    struct.pack_into("<HHI", block, at + 8, crc, covered, location)
    block[at + 4] = 0
    block[at + 4] = sum(block[at : at + 16]) & 0xFF


@dataclass(frozen=True, slots=True, kw_only=True)
class UdfPart:
    """Where the descriptors of UDF lie that name blocks of the disc.

    Attributes:
        outside: blocks of descriptors before the partition.
        anchors: blocks of anchors, in the head.
        start: the partition's first block.
    """

    outside: tuple[int, ...]
    anchors: tuple[int, ...]
    start: int

    @classmethod
    def finished(
        cls,
        head: bytearray,
        tail: dict[int, bytearray],
        root: Named,
        clock: Clock,
        volume_id: str,
    ) -> UdfPart:
        """Give everything its date and name, and return the part.

        Raises:
            UnsupportedError: the structures are not what pycdlib is known to make.
        """
        if _tag(head, _ANCHOR_BLOCK) != _ANCHOR:
            raise UnsupportedError("pycdlib put no anchor of UDF into block 256")
        outside: list[int] = []
        start = integrity = None
        for where in (16, 24):
            length, first = _EXTENT.unpack_from(head, _ANCHOR_BLOCK * BLOCK_BYTES + where)
            for block in range(first, first + length // BLOCK_BYTES):
                kind = _tag(head, block)
                if not kind:
                    break
                outside.append(block)
                if kind == _PARTITION:
                    at = block * BLOCK_BYTES + _PARTITION_START_AT
                    (start,) = _WORD.unpack_from(head, at)
                elif kind == _LOGICAL:
                    at = block * BLOCK_BYTES + _INTEGRITY_EXTENT_AT
                    length, integrity = _EXTENT.unpack_from(head, at)
                    integrity = integrity if length else None
                elif kind == _TERMINATOR:
                    break
        if start is None:
            raise UnsupportedError("pycdlib made no partition of UDF")
        if integrity is not None:
            outside += [block for block in (integrity, integrity + 1) if _tag(head, block)]
        part = cls(outside=tuple(outside), anchors=(_ANCHOR_BLOCK,), start=start)
        part._name(head, volume_id)
        part._date(head, root, clock)
        part.move(head, tail, 0)
        return part

    def move(self, head: bytearray, tail: dict[int, bytearray], lba: int) -> None:
        """Write the addresses of a volume that lies at `lba`; it lay at 0."""
        for block in self.outside:
            at = block * BLOCK_BYTES
            kind = _tag(head, block)
            if kind == _PARTITION:
                _add(head, at + _PARTITION_START_AT, lba)
            elif kind == _LOGICAL:
                _add(head, at + _INTEGRITY_EXTENT_AT + 4, lba)
            _seal(head, at, block + lba)
        for block in self.anchors:
            self._move_anchor(head, block * BLOCK_BYTES, block, lba)
        for block, data in tail.items():
            self._move_anchor(data, 0, block, lba)

    def _move_anchor(self, data: bytearray, at: int, block: int, lba: int) -> None:
        _add(data, at + 20, lba)
        _add(data, at + 28, lba)
        _seal(data, at, block + lba)

    def _name(self, head: bytearray, volume_id: str) -> None:
        for block in (*self.outside, self.start):
            for where, width in _NAMES_AT.get(_tag(head, block), ()):
                _write_text(head, block * BLOCK_BYTES + where, volume_id, width)

    # -- dates ---------------------------------------------------------------------------------

    def _date(self, head: bytearray, root: Named, clock: Clock) -> None:
        made = _timestamp(clock.volume)
        for block in self.outside:
            at = block * BLOCK_BYTES
            kind = _tag(head, block)
            if kind == _PRIMARY:
                head[at + _PRIMARY_DATE_AT : at + _PRIMARY_DATE_AT + 12] = made
                # Sixteen letters that tell this set from others (UDF 2.60, 2.2.2.5): pycdlib
                # rolls dice for them, the same volume shall have the same.
                text = f"{clock.volume & 0xFFFF_FFFF:08x}{len(head):08x}"
                _write_text(head, at + _VOLUME_SET_AT, text, 128)
            elif kind == _INTEGRITY:
                head[at + _INTEGRITY_DATE_AT : at + _INTEGRITY_DATE_AT + 12] = made
        at = self.start * BLOCK_BYTES
        if _tag(head, self.start) != _FILE_SET:
            raise UnsupportedError("pycdlib put no file set at the start of UDF's partition")
        head[at + _FILE_SET_DATE_AT : at + _FILE_SET_DATE_AT + 12] = made
        _seal(head, at, 0)
        (entry,) = _WORD.unpack_from(head, at + _ROOT_AT + 4)
        pending: list[tuple[int, Named | None]] = [(entry, root)]
        while pending:
            entry, named = pending.pop()
            at = (self.start + entry) * BLOCK_BYTES
            if _tag(head, self.start + entry) != _FILE_ENTRY:
                raise UnsupportedError(f"pycdlib made no file entry of UDF in block {entry}")
            modified = clock.volume if named is None else clock.of_entry(named.entry.modified)
            head[at + _FILE_DATES_AT : at + _FILE_DATES_AT + 36] = 3 * _timestamp(modified)
            _seal(head, at, entry)
            if named is not None and isinstance(named.entry, Folder):
                names = {child.udf: child for child in named.children if child.udf is not None}
                for name, block in self._children(head, at):
                    pending.append((block, names.get(name)))

    def _children(self, head: bytearray, at: int) -> Iterator[tuple[str, int]]:
        """Give name and block of what a folder holds (ECMA-167 4/14.4)."""
        (size,) = _WORD.unpack_from(head, at + _FILE_LENGTH_AT)
        (attributes,) = _WORD.unpack_from(head, at + _ATTRIBUTES_AT)
        (block,) = _WORD.unpack_from(head, at + _ALLOCATION_AT + attributes + 4)
        at = (self.start + block) * BLOCK_BYTES
        end = at + size
        while at < end:
            flags, length = head[at + 18], head[at + 19]
            (entry,) = _WORD.unpack_from(head, at + 24)
            (use,) = struct.unpack_from("<H", head, at + 36)
            text = bytes(head[at + 38 + use : at + 38 + use + length])
            if not flags & _PARENT:
                yield _decoded(text), entry
            at += -(-(38 + use + length) // 4) * 4


def _decoded(text: bytes) -> str:
    """Return OSTA compressed Unicode (UDF 2.60, 2.1.1)."""
    return text[1:].decode("utf-16-be" if text[:1] == b"\x10" else "latin-1")


def _write_text(data: bytearray, at: int, text: str, width: int) -> None:
    """Write a d-string: how wide its letters are, the letters, at the end how many bytes."""
    try:
        body = b"\x08" + text.encode("latin-1")
    except UnicodeEncodeError:
        body = b"\x10" + text.encode("utf-16-be")
    data[at : at + width] = body.ljust(width - 1, b"\0") + bytes((len(body),))


def _add(data: bytearray, at: int, lba: int) -> None:
    (before,) = _WORD.unpack_from(data, at)
    _WORD.pack_into(data, at, before + lba)


def _tag(data: bytearray, block: int) -> int:
    """Return the identifier of the descriptor in a block; 0 where there is none."""
    found = _TAG.unpack_from(data, block * BLOCK_BYTES)
    return int(found[0])
