"""Which of two forms recorded R-W has: packs before interleave, or the symbols of the disc.

No byte tells, but parity does: it holds in packs, and in what is interleaved by chance alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from rawcd.subcode.interleave import LONGEST_DELAY, deinterleaved
from rawcd.subcode.layouts import PACK_SYMBOLS
from rawcd.subcode.parity import P_PARITY, Q_PARITY, parity_holds
from rawcd.subcode.rows import PW96_BYTES, RW_BITS, check_rows

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rawcd.source import Bytes2D

_LEAST: Final = 8
"""Packs that have to be there before they prove anything."""
_MOSTLY: Final = 0.9
_MARGIN: Final = 0.1
"""By how much of all packs the other form has to be worse: packs among zeros that have no parity
leave, deinterleaved, many that seem to have none either."""


def are_packs(windows: Iterable[Bytes2D]) -> bool:
    """Tell whether R-W are packs before interleave, as images of type COOKED have them.

    A pack counts as right where its parity holds, or where none was made: MMC leaves that to the
    drive. Where too few packs are filled, or neither form is right, the answer is no.

    Args:
        windows: some sectors in a row (n, 96) each, P to W, from several places of a disc.

    Raises:
        ValueError: an array has another width.
    """
    here, laid = np.zeros(2, np.int64), np.zeros(2, np.int64)
    for rows in windows:
        check_rows(rows, PW96_BYTES, "R-W")
        symbols = np.ascontiguousarray(rows & np.uint8(RW_BITS)).reshape(-1, PACK_SYMBOLS)
        here += _right_of(symbols)
        laid += _right_of(deinterleaved(symbols)[: max(len(symbols) - LONGEST_DELAY, 0)])
    if here[1] < _LEAST or not laid[1]:
        return False
    share, other = here[0] / here[1], laid[0] / laid[1]
    return bool(share >= _MOSTLY and other < share - _MARGIN)


def _right_of(packs: Bytes2D) -> tuple[int, int]:
    """Return how many packs are right, and how many there are, zeros left out."""
    filled = packs[packs.any(axis=1)]
    unmade = ~(filled[:, Q_PARITY].any(axis=1) | filled[:, P_PARITY].any(axis=1))
    return int((parity_holds(filled) | unmade).sum()), len(filled)
