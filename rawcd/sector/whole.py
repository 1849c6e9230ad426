"""Whole sectors taken as they are: are they of their place, and how they get to another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from rawcd import ecc
from rawcd.errors import FormatError
from rawcd.msf import Msf
from rawcd.sector.defects import body_defects
from rawcd.sector.kinds import SYNC, Defect, SectorType
from rawcd.sector.rows import (
    ADDRESS,
    MODE_BYTE,
    edc_rows,
    heads_of,
    loaded_edc,
    spans,
    workspace_for,
)
from rawcd.sector.scrambler import scramble

if TYPE_CHECKING:
    from rawcd.sector.rows import Flags, Lbas
    from rawcd.source import Bytes2D

_MODE_BITS: Final = 0x1F  # bits 7..5 tell run-in, run-out and link blocks (Orange Book, MMC)


def place(
    kind: SectorType, whole: Bytes2D, lbas: Lbas, sectors: Bytes2D, *, relocate: bool
) -> None:
    """Put whole sectors where they go, each byte as it was.

    Args:
        kind: what they are, no raw kind.
        whole: (n, 2352), not scrambled.
        lbas: the address of each.
        sectors: what to fill, (n, 2352).
        relocate: whether other addresses are rewritten instead of refused; EDC and parity that
            held are then made anew. Only mode 1's cover the header.

    Raises:
        FormatError: a sector has no sync, another mode, or (without `relocate`) another address.
    """
    heads = heads_of(lbas, kind.mode or 0)
    wrong_sync = (whole[:, : len(SYNC)] != heads[:, : len(SYNC)]).any(axis=1)
    wrong_mode = whole[:, MODE_BYTE] & _MODE_BITS != (kind.mode or 0)
    elsewhere = (whole[:, ADDRESS] != heads[:, ADDRESS]).any(axis=1)
    bad = wrong_sync | wrong_mode if relocate else wrong_sync | wrong_mode | elsewhere
    if bad.any():
        first = int(bad.argmax())
        lba = int(lbas[first])
        raise FormatError(_why_not(whole[first], heads[first], lba), place=f"LBA {lba}")
    np.copyto(sectors, whole)
    if not elsewhere.any():
        return
    if kind is not SectorType.MODE1:
        sectors[:, ADDRESS] = heads[:, ADDRESS]
        return
    for span in spans(len(sectors)):
        moved = elsewhere[span]
        if moved.any():
            some = sectors[span][moved]
            _move(some, heads[span][moved])
            sectors[span][moved] = some


def _why_not(sector: Bytes2D, head: Bytes2D, lba: int) -> str:
    """Say what a whole sector's first sixteen bytes tell."""
    if (sector[: len(SYNC)] != head[: len(SYNC)]).any():
        return "a data sector begins with the sync pattern, this one does not"
    plain = scramble(sector)
    if (plain[0, ADDRESS] == head[ADDRESS]).all():
        return "the sector is scrambled; sectors are taken before scrambling"
    if sector[MODE_BYTE] & _MODE_BITS != head[MODE_BYTE]:
        return f"the header's mode byte is {sector[MODE_BYTE]:02x}, not {head[MODE_BYTE]:02x}"
    told = ":".join(f"{byte:02x}" for byte in sector[ADDRESS])
    return f"the header says {told}, its place is {Msf.from_lba(lba)}; relocate=True rewrites it"


def _move(sectors: Bytes2D, heads: Bytes2D) -> None:
    """Give mode 1 sectors new addresses in place; what held before holds again, no more."""
    before = body_defects(sectors, SectorType.MODE1)
    sectors[:, ADDRESS] = heads[:, ADDRESS]
    remake(sectors, *(before & flag == 0 for flag in (Defect.EDC, Defect.P, Defect.Q)))


def remake(sectors: Bytes2D, edc: Flags, p: Flags, q: Flags) -> None:
    """Make EDC, P and Q of mode 1 sectors anew in place, each only where it is asked for."""
    count = len(sectors)
    room = workspace_for(count)
    _, edc_row = edc_rows(SectorType.MODE1)
    room.load(sectors)
    stored = room.rows[edc_row:].copy()

    def keep(first: int, end: int, made: Flags) -> None:
        """Put back what was stored where nothing was to be made."""
        old = stored[first - edc_row : end - edc_row, :count]
        new = room.rows[first:end, :count]
        np.copyto(new, old, where=~made)

    room.rows[edc_row : edc_row + 2] = loaded_edc(room, SectorType.MODE1)
    keep(edc_row, edc_row + 2, edc)
    room.p()
    keep(ecc.P_ROW, ecc.Q_ROW, p)
    room.q()
    keep(ecc.Q_ROW, ecc.ROWS, q)
    room.store(sectors, edc_row, ecc.ROWS)
