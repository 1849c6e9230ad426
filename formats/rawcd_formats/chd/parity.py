"""What CHDs leave out of data sectors: the sync pattern and the parity, where they hold.

EDC, zeros and header stay. Parity is that of ECMA-130 annex A; the header counts as zero where
the mode byte is 2 (Green Book).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from rawcd import ecc
from rawcd.sector import SYNC

if TYPE_CHECKING:
    import numpy.typing as npt

    from rawcd.source import Bytes2D

    Flags = npt.NDArray[np.bool_]

_SYNC: Final = np.frombuffer(SYNC, np.uint8)
_MODE_AT: Final = 15
_PARITY: Final = slice(ecc.FIRST_BYTE + 2 * ecc.P_ROW, ecc.FIRST_BYTE + 2 * ecc.ROWS)
_HEADER_ROWS: Final = 2


def _room(count: int) -> ecc.Workspace:
    return ecc.workspace(ecc.SMALL_BLOCK if count <= ecc.SMALL_BLOCK else ecc.BLOCK)


def _load(sectors: Bytes2D, end_row: int) -> ecc.Workspace:
    room = _room(len(sectors))
    room.load(sectors, 0, end_row)
    room.rows[:_HEADER_ROWS, : len(sectors)][:, sectors[:, _MODE_AT] == 2] = 0
    return room


def is_remakeable(sectors: Bytes2D) -> Flags:
    """Tell which sectors, (n, 2352), have a sync pattern and the parity of what they hold."""
    found: Flags = (sectors[:, : len(SYNC)] == _SYNC).all(axis=1)
    places = np.flatnonzero(found)
    for start in range(0, len(places), ecc.BLOCK):
        some = places[start : start + ecc.BLOCK]
        room = _load(sectors[some], ecc.ROWS)
        stored = room.rows[ecc.P_ROW :].copy()
        room.p()
        room.q()
        found[some] = (room.rows[ecc.P_ROW :] == stored).all(axis=0)[: len(some)]
    return found


def leave_out(sectors: Bytes2D, which: Flags) -> None:
    """Put zeros where the sync pattern and the parity of some sectors stand."""
    if which.any():
        sectors[which, : len(SYNC)] = 0
        sectors[which, _PARITY] = 0


def put_back(sectors: Bytes2D, which: Flags) -> None:
    """Make the sync pattern and the parity of some sectors anew."""
    places = np.flatnonzero(which)
    for start in range(0, len(places), ecc.BLOCK):
        some = places[start : start + ecc.BLOCK]
        held = sectors[some]
        held[:, : len(SYNC)] = _SYNC
        room = _load(held, ecc.P_ROW)
        room.p()
        room.q()
        room.store(held, ecc.P_ROW, ecc.ROWS)
        sectors[some] = held
