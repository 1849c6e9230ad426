"""What R-W packs are about: mode and item, in symbol 0 of each (IEC 60908 clause 18; MMC).

Symbol 0 is neither swapped nor delayed by the interleave, so it tells the same of packs and of what
is on the disc.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Final

import numpy as np

from rawcd.subcode.layouts import PACK_SYMBOLS, RawPW, RWPacks
from rawcd.subcode.rows import RW_BITS

if TYPE_CHECKING:
    from rawcd.source import Source

_SCAN_SECTORS: Final = 1024
_ITEM_BITS: Final = 3


class PackKind(IntEnum):
    """Mode in bits 5..3 of symbol 0, item in bits 2..0."""

    ZERO = 0x00
    """Mode 0, item 0: nothing; all symbols are zero."""
    LINE_GRAPHICS = 0x08
    """Mode 1, item 0."""
    TV_GRAPHICS = 0x09
    """Mode 1, item 1: CD+G."""
    EXTENDED = 0x0A
    """Mode 1, item 2: CD+EG."""
    MIDI = 0x18
    """Mode 3, item 0: CD+MIDI."""
    CD_TEXT = 0x20
    """Mode 4, in the lead-in: CD-TEXT, 18 bytes in 24 symbols, without parity or interleave. The
    item is part of the text pack's type, so any counts."""
    USER = 0x38
    """Mode 7, item 0."""
    OTHER = 0xFF
    """A symbol 0 that no standard gives a meaning, or a damaged one."""

    @property
    def mode(self) -> int | None:
        """0..7, or None for OTHER."""
        return None if self is PackKind.OTHER else self >> _ITEM_BITS

    @property
    def item(self) -> int | None:
        """0..7, or None where it is not fixed."""
        fixed = self not in (PackKind.CD_TEXT, PackKind.OTHER)
        return self & (1 << _ITEM_BITS) - 1 if fixed else None

    @classmethod
    def of(cls, symbol: int) -> PackKind:
        """Return what a pack with this symbol 0 is about; bits 7 and 6 are not looked at."""
        symbol &= RW_BITS
        if symbol >> _ITEM_BITS == cls.CD_TEXT >> _ITEM_BITS:
            return cls.CD_TEXT
        return cls(symbol) if symbol in cls._value2member_map_ else cls.OTHER


def pack_kinds(sectors: RWPacks | RawPW) -> dict[PackKind, int]:
    """Return how many packs of each kind some sectors hold; kinds that do not occur are left out.

    Raises:
        TypeError: the sectors are in a layout without packs.
    """
    if not isinstance(sectors, RWPacks | RawPW):
        raise TypeError(f"{type(sectors).__name__} holds no packs")
    counts = np.bincount(
        (sectors.rows[:, ::PACK_SYMBOLS] & np.uint8(RW_BITS)).reshape(-1), minlength=RW_BITS + 1
    )
    kinds: dict[PackKind, int] = {}
    for symbol in np.flatnonzero(counts).tolist():
        kind = PackKind.of(symbol)
        kinds[kind] = kinds.get(kind, 0) + int(counts[symbol])
    return {kind: kinds[kind] for kind in sorted(kinds)}


def source_pack_kinds(
    source: Source, start: int = 0, count: int | None = None
) -> dict[PackKind, int]:
    """Return `pack_kinds` of a stretch of a source of 96-byte blocks, packs or as on the disc.

    Args:
        source: never planar: no byte would tell.
        start: its first block to look at.
        count: blocks; None is all that follow.

    Raises:
        StorageError: they cannot be read.
        ValueError: the blocks have another size.
    """
    end = source.block_count if count is None else start + count
    kinds: dict[PackKind, int] = {}
    for first in range(start, end, _SCAN_SECTORS):
        rows = np.frombuffer(source.read(first, min(_SCAN_SECTORS, end - first)), np.uint8)
        for kind, packs in pack_kinds(RawPW(rows.reshape(-1, source.block_size))).items():
            kinds[kind] = kinds.get(kind, 0) + packs
    return {kind: kinds[kind] for kind in sorted(kinds)}
