"""Volume descriptors and El Torito's catalogue: their layouts (ECMA-119 8; El Torito 1.0)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import construct

from rawcd.errors import FormatError
from rawcd.filesystem.values import SYSTEM_BLOCKS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_BOTH = construct.Struct("little" / construct.Int32ul, "big" / construct.Int32ub)

_LAYOUT: Final = construct.Struct(
    "type" / construct.Byte,
    "id" / construct.Const(b"CD001"),
    "version" / construct.Byte,
    "flags" / construct.Byte,
    "system_id" / construct.Bytes(32),
    "volume_id" / construct.Bytes(32),
    construct.Padding(8),
    "block_count" / _BOTH,
    "escapes" / construct.Bytes(32),
    construct.Padding(8),
    "block_bytes" / construct.Int16ul,
    construct.Padding(2),
    "path_table_bytes" / _BOTH,
    "path_table" / construct.Int32ul,
    "second_path_table" / construct.Int32ul,
    "big_path_table" / construct.Int32ub,
    "second_big_path_table" / construct.Int32ub,
    "root" / construct.Bytes(34),
    "texts" / construct.Bytes(128 * 4 + 37 * 3),
    "dates" / construct.Bytes(17 * 4),
    construct.GreedyBytes,
)
SYSTEM_ID_AT: Final = 8
VOLUME_ID_AT: Final = 40
PUBLISHER_AT: Final = 318
PREPARER_AT: Final = 446
APPLICATION_AT: Final = 574
PATH_TABLE_AT: Final = 140
BIG_PATH_TABLE_AT: Final = 148
ROOT_AT: Final = 156
DATES_AT: Final = 813
BOOT_RECORD: Final = 0
PRIMARY: Final = 1
SUPPLEMENTARY: Final = 2
TERMINATOR: Final = 255
BOOT_SYSTEM: Final = b"EL TORITO SPECIFICATION"
CATALOG_AT: Final = 71
_JOLIET_ESCAPES: Final = (b"%/@", b"%/C", b"%/E")
_MAX_DESCRIPTORS: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Descriptor:
    """A volume descriptor; but for block and kind it means something in two kinds alone.

    Attributes:
        block: where it is, from the volume's start.
        kind: BOOT_RECORD, PRIMARY, SUPPLEMENTARY, TERMINATOR or another.
        joliet: whether it describes a Joliet tree.
        volume_id: 32 bytes.
        block_count: the volume's length.
        block_bytes: of a logical block.
        path_table_bytes: length of a path table.
        path_table: its block, numbers low byte first.
        big_path_table: the block of the other.
        root: the directory record of the root.
    """

    block: int
    kind: int
    joliet: bool
    volume_id: bytes
    block_count: int
    block_bytes: int
    path_table_bytes: int
    path_table: int
    big_path_table: int
    root: bytes


def descriptors(read: Callable[[int], bytes], *, file: str, lba: int) -> Iterator[Descriptor]:
    """Give every volume descriptor.

    Args:
        read: gives a block by its number from the volume's start.
        file: for messages.
        lba: where the volume begins, for messages.

    Raises:
        FormatError: there is no set of them.
    """
    for block in range(SYSTEM_BLOCKS, SYSTEM_BLOCKS + _MAX_DESCRIPTORS):
        try:
            found = _LAYOUT.parse(read(block))
        except construct.ConstructError as error:
            raise FormatError(
                "no volume descriptor of ISO 9660", file=file, place=f"LBA {lba + block}"
            ) from error
        yield Descriptor(
            block=block,
            kind=found.type,
            joliet=found.type == SUPPLEMENTARY and found.escapes[:3] in _JOLIET_ESCAPES,
            volume_id=found.volume_id,
            block_count=found.block_count.little,
            block_bytes=found.block_bytes,
            path_table_bytes=found.path_table_bytes.little,
            path_table=found.path_table,
            big_path_table=found.big_path_table,
            root=found.root,
        )
        if found.type == TERMINATOR:
            return
    raise FormatError("the volume descriptors do not end", file=file, place=f"LBA {lba}")


_ENTRY_BYTES: Final = 32
_LOAD_AT: Final = 8
_MORE_HEADERS: Final = 0x90
_LAST_HEADER: Final = 0x91
_EXTENSION: Final = 0x44


def boot_addresses(catalog: bytes) -> list[int]:
    """Return where in a boot catalogue the addresses of images are (El Torito 1.0, 2)."""
    found = [_ENTRY_BYTES + _LOAD_AT]
    at = 2 * _ENTRY_BYTES
    while at + _ENTRY_BYTES <= len(catalog) and catalog[at] in (_MORE_HEADERS, _LAST_HEADER):
        last, entries = (
            catalog[at] == _LAST_HEADER,
            int.from_bytes(catalog[at + 2 : at + 4], "little"),
        )
        at += _ENTRY_BYTES
        while entries and at + _ENTRY_BYTES <= len(catalog):
            if catalog[at] != _EXTENSION:
                found.append(at + _LOAD_AT)
                entries -= 1
            at += _ENTRY_BYTES
        if last:
            break
    return found
