"""The interleave of R-W packs: each symbol of a pack goes to one of eight packs on the disc.

Sources: IEC 60908 clause 18 (Red Book, R to W); MMC, packed R-W. In every pack symbols 1 and 18, 2
and 5, 3 and 23 change places; then the symbol in column k is recorded k mod 8 packs later. So pack
n on the disc holds symbols of the packs n - 7 to n, and a scratch hurts each of them a little.

The delay knows no sector, track or area: it runs on from the first pack to the last. It has no
state but the seven packs before, so any stretch can be made alone from those.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from rawcd.subcode.layouts import PACK_SYMBOLS, SECTOR_PACKS
from rawcd.subcode.rows import RW_BITS, check_rows

if TYPE_CHECKING:
    from rawcd.source import Bytes2D

DELAYS: Final = 8
"""Column k is delayed by k modulo this, in packs."""
LONGEST_DELAY: Final = DELAYS - 1
"""Packs before one on the disc that it still holds symbols of."""
PACK_REACH: Final = -(-LONGEST_DELAY // SECTOR_PACKS)
"""Sectors behind the one in which a pack begins that hold symbols of it."""
SWAPS: Final = ((1, 18), (2, 5), (3, 23))
"""Symbols that change places before they are delayed."""

_WINDOW: Final = 4096
"""Packs that are laid at a time: what the columns are cut from stays in a level 2 cache."""


def _symbols_by_column() -> tuple[int, ...]:
    symbols = list(range(PACK_SYMBOLS))
    for first, second in SWAPS:
        symbols[first], symbols[second] = second, first
    return tuple(symbols)


SYMBOL_OF_COLUMN: Final = _symbols_by_column()
"""Which symbol of a pack stands in each column; the swaps are their own inverse."""


def _neighbours(packs: Bytes2D | None, what: str) -> Bytes2D:
    if packs is None:
        return np.zeros((LONGEST_DELAY, PACK_SYMBOLS), np.uint8)
    check_rows(packs, PACK_SYMBOLS, what)
    if len(packs) != LONGEST_DELAY:
        raise ValueError(f"{what}: {LONGEST_DELAY} packs are needed, not {packs.shape}")
    return packs


def interleaved(packs: Bytes2D, before: Bytes2D | None = None) -> Bytes2D:
    """Return the symbols (n, 24) as they stand on the disc, bits 7 and 6 zero.

    Args:
        packs: (n, 24), parity included; bits 7 and 6 are not looked at.
        before: (7, 24), the packs before them (see `history_after`); None is zeros, as at the
            beginning of a disc.
    """
    check_rows(packs, PACK_SYMBOLS, "interleave")
    held = np.concatenate([_neighbours(before, "before"), packs])
    held &= RW_BITS
    return _shifted(held, [LONGEST_DELAY - column % DELAYS for column in range(PACK_SYMBOLS)])


def deinterleaved(symbols: Bytes2D, behind: Bytes2D | None = None) -> Bytes2D:
    """Return the packs (n, 24) whose first symbols stand in the packs on the disc.

    Args:
        symbols: (n, 24), as on the disc; bits 7 and 6 are not looked at.
        behind: (7, 24), what follows them on the disc; None is zeros, so that the last seven
            packs lack what was never recorded.
    """
    check_rows(symbols, PACK_SYMBOLS, "interleave")
    held = np.concatenate([symbols, _neighbours(behind, "behind")])
    held &= RW_BITS
    return _shifted(held, [column % DELAYS for column in SYMBOL_OF_COLUMN])


def history_after(packs: Bytes2D, before: Bytes2D | None = None) -> Bytes2D:
    """Return the `before` of what follows `packs`: the last seven that were laid.

    Args:
        packs: (n, 24), any number, 0 too.
        before: their own.
    """
    if len(packs) < LONGEST_DELAY:
        packs = np.concatenate([_neighbours(before, "before"), packs])
    return packs[-LONGEST_DELAY:].copy()


def _shifted(held: Bytes2D, first_rows: list[int]) -> Bytes2D:
    """Return (n, 24) out of (n + 7, 24): columns swapped, each from its own first row on."""
    count = len(held) - LONGEST_DELAY
    out = np.empty((count, PACK_SYMBOLS), np.uint8)
    for start in range(0, count, _WINDOW):
        window = out[start : start + _WINDOW]
        for column, (symbol, row) in enumerate(zip(SYMBOL_OF_COLUMN, first_rows, strict=True)):
            window[:, column] = held[start + row : start + row + len(window), symbol]
    return out
