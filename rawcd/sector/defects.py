"""What is wrong with sectors (ECMA-130 clause 14 and annex A; Green Book)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rawcd import ecc
from rawcd.sector.kinds import SYNC, Defect, SectorType
from rawcd.sector.rows import (
    ADDRESS,
    HEAD_BYTES,
    MODE_BYTE,
    any_in,
    as_sectors,
    edc_rows,
    form_2,
    heads_of,
    lbas_of,
    loaded_edc,
    spans,
    workspace_for,
)

if TYPE_CHECKING:
    import numpy.typing as npt

    from rawcd.sector.rows import Flags, LbaLike, Lbas
    from rawcd.source import Bytes2D

    Defects = npt.NDArray[np.uint8]
    """(n,): the `Defect` flags of each sector."""


def verify(sectors: Bytes2D, lba: LbaLike, sector_type: SectorType) -> Defects:
    """Return what is wrong with each sector as `Defect` flags: (n,) uint8, 0 where nothing is.

    Each code is judged over the bytes as they were found, but for one case: where mode 1's
    intermediate field is not zero and P and Q hold once it is, `ZEROS` alone is told.
    Raw kinds are judged as those without RAW, mixed sectors in the form that each one tells.
    Audio has nothing to judge.

    Args:
        sectors: (n, 2352), not scrambled; rows may be strided.
        lba: the first sector's address, or each sector's.
        sector_type: what the sectors should be.

    Raises:
        ValueError: an address outside -45,150..404,849, or an array that does not fit.
    """
    kind = SectorType(sector_type).cooked
    sectors = as_sectors(sectors)
    lbas = lbas_of(lba, len(sectors))
    found = np.zeros(len(sectors), np.uint8)
    if kind is SectorType.AUDIO:
        return found
    for span in spans(len(sectors)):
        some = sectors[span]
        found[span] = _head_defects(some, lbas[span], kind)
        in_form_2 = form_2(some)
        if kind is not SectorType.MODE2MIXED:
            found[span] |= body_defects(some, kind)
            if kind in (SectorType.MODE2FORM1, SectorType.MODE2FORM2):
                other = in_form_2 != (kind is SectorType.MODE2FORM2)
                found[span] |= _flag(other, Defect.FORM)
            continue
        for form, chosen in (
            (SectorType.MODE2FORM1, ~in_form_2),
            (SectorType.MODE2FORM2, in_form_2),
        ):
            if chosen.any():
                found[span][chosen] |= body_defects(some[chosen], form)
    return found


def _flag(answers: Flags, defect: Defect) -> Defects:
    return answers.astype(np.uint8) * np.uint8(defect)


def _head_defects(sectors: Bytes2D, lbas: Lbas, kind: SectorType) -> Defects:
    wrong: Flags = sectors[:, :HEAD_BYTES] != heads_of(lbas, kind.mode or 0)
    return (
        _flag(any_in(wrong[:, : len(SYNC)], 1), Defect.SYNC)
        | _flag(any_in(wrong[:, ADDRESS], 1), Defect.ADDRESS)
        | _flag(wrong[:, MODE_BYTE], Defect.MODE)
    )


def body_defects(sectors: Bytes2D, kind: SectorType) -> Defects:
    """Return EDC, P, Q and ZEROS of at most 512 sectors of one kind; no header is judged.

    Mode 1's EDC is judged as if the sync pattern were right.
    """
    if kind is SectorType.MODE_ZERO:
        return _flag(any_in(sectors[:, HEAD_BYTES:], 1), Defect.ZEROS)
    if kind is SectorType.MODE2FORM0:
        return np.zeros(len(sectors), np.uint8)
    count = len(sectors)
    room = workspace_for(count)
    rows = room.rows
    first, edc_row = edc_rows(kind)
    room.load(sectors, first)
    stored = rows[edc_row : edc_row + 2]
    bad_edc = any_in((loaded_edc(room, kind) != stored)[:, :count], 0)
    if kind is SectorType.MODE2FORM2:
        return _flag(bad_edc & any_in(stored[:, :count], 0), Defect.EDC)  # zero: not computed
    rows[:first] = 0  # form 1: the header counts as zero
    parity = rows[ecc.P_ROW :].copy()
    bad_p, bad_q = _bad_parity(room, parity, count)
    zeros = rows[edc_row + 2 : ecc.P_ROW]
    not_zero = any_in(zeros[:, :count], 0)
    if (not_zero & (bad_p | bad_q)).any():
        zeros[:] = 0
        held = not_zero & ~np.logical_or(*_bad_parity(room, parity, count))
        bad_p &= ~held
        bad_q &= ~held
    return (
        _flag(bad_edc, Defect.EDC)
        | _flag(bad_p, Defect.P)
        | _flag(bad_q, Defect.Q)
        | _flag(not_zero, Defect.ZEROS)
    )


def _bad_parity(
    room: ecc.Workspace, stored: npt.NDArray[np.uint16], count: int
) -> tuple[Flags, Flags]:
    """Tell which sectors' P and Q differ from the parity made anew; Q covers P as stored."""
    p_words, q_words = room.rows[ecc.P_ROW : ecc.Q_ROW], room.rows[ecc.Q_ROW :]
    p_rows = len(p_words)
    room.p()
    bad_p = any_in((p_words != stored[:p_rows])[:, :count], 0)
    p_words[:] = stored[:p_rows]
    room.q()
    bad_q = any_in((q_words != stored[p_rows:])[:, :count], 0)
    return bad_p, bad_q
