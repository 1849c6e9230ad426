"""What is wrong with sectors (ECMA-130 clause 14 and annex A; Green Book)."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from rawcd import ecc
from rawcd.sector.kinds import Defect, SectorType
from rawcd.sector.rows import (
    HEAD_BYTES,
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
from rawcd.sector.scrambler import sequence

if TYPE_CHECKING:
    import numpy.typing as npt

    from rawcd.sector.rows import Flags, LbaLike, Lbas, SectorsLike
    from rawcd.source import Bytes2D

    Defects = npt.NDArray[np.uint8]
    """(n,): the `Defect` flags of each sector."""


_ADDRESS_BYTES: Final = np.frombuffer(bytes.fromhex("ffffff00"), np.uint32)
"""The header's address, in its word."""
_MODE_BYTES: Final = np.frombuffer(bytes.fromhex("000000ff"), np.uint32)


class _Shares(NamedTuple):
    """What is found in place of zero: columns of words.

    All codes are linear. So a scrambled sector without a defect leaves of them, instead of
    nothing, what the scrambler's sequence does.
    """

    stored: npt.NDArray[np.uint16]
    edc: npt.NDArray[np.uint16]
    zeros: npt.NDArray[np.uint16]
    p: npt.NDArray[np.uint16]
    q: npt.NDArray[np.uint16]


@cache
def _shares_of(kind: SectorType, scrambled: bool) -> _Shares:
    room = ecc.Workspace(8)
    first, edc_row = edc_rows(kind)
    if scrambled:
        room.load(sequence(), first)
    room.rows[:first] = 0
    rows = room.rows[:, :1].copy()
    return _Shares(
        stored=rows[edc_row : edc_row + 2],
        edc=room.edc(first, edc_row)[:, :1] ^ rows[edc_row : edc_row + 2],
        zeros=rows[edc_row + 2 : ecc.P_ROW],
        p=room.p_errors()[:, :1].copy(),
        q=room.q_errors()[:, :1].copy(),
    )


def verify(
    sectors: SectorsLike, lba: LbaLike, sector_type: SectorType, *, scrambled: bool = False
) -> Defects:
    """Return what is wrong with each sector as `Defect` flags: (n,) uint8, 0 where nothing is.

    Each code is judged over the bytes as they were found, but for one case: where mode 1's
    intermediate field is not zero and P and Q hold once it is, `ZEROS` alone is told.
    Raw kinds are judged as those without RAW, mixed sectors in the form that each one tells.
    Audio has nothing to judge.

    Args:
        sectors: (n, 2352), rows may be strided; or flat bytes.
        lba: the first sector's address, or each sector's.
        sector_type: what the sectors should be.
        scrambled: they are as on the disc; they are judged as they are, nothing is undone.

    Raises:
        FormatError: flat bytes are no whole sectors.
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
        found[span] = _head_defects(some, lbas[span], kind, scrambled=scrambled)
        in_form_2 = form_2(some) ^ (scrambled & form_2(sequence()))
        if kind is not SectorType.MODE2MIXED:
            found[span] |= body_defects(some, kind, scrambled=scrambled)
            if kind in (SectorType.MODE2FORM1, SectorType.MODE2FORM2):
                other = in_form_2 != (kind is SectorType.MODE2FORM2)
                found[span] |= _flag(other, Defect.FORM)
            continue
        for form, chosen in (
            (SectorType.MODE2FORM1, ~in_form_2),
            (SectorType.MODE2FORM2, in_form_2),
        ):
            if chosen.any():
                found[span][chosen] |= body_defects(some[chosen], form, scrambled=scrambled)
    return found


def _flag(answers: Flags, defect: Defect) -> Defects:
    return answers.astype(np.uint8) * np.uint8(defect)


def _head_defects(sectors: Bytes2D, lbas: Lbas, kind: SectorType, *, scrambled: bool) -> Defects:
    heads = heads_of(lbas, kind.mode or 0)
    if scrambled:
        heads ^= sequence()[:, :HEAD_BYTES]
    heads ^= sectors[:, :HEAD_BYTES]
    wrong = heads.view(np.uint32)  # three words of sync, one of header
    return (
        _flag(wrong[:, 0] | wrong[:, 1] | wrong[:, 2] != 0, Defect.SYNC)
        | _flag(wrong[:, 3] & _ADDRESS_BYTES != 0, Defect.ADDRESS)
        | _flag(wrong[:, 3] & _MODE_BYTES != 0, Defect.MODE)
    )


def body_defects(sectors: Bytes2D, kind: SectorType, *, scrambled: bool = False) -> Defects:
    """Return EDC, P, Q and ZEROS of at most 512 sectors of one kind; no header is judged.

    Mode 1's EDC is judged as if the sync pattern were right.
    """
    if kind is SectorType.MODE_ZERO:
        body = sectors[:, HEAD_BYTES:]
        filled = any_in(body != sequence()[:, HEAD_BYTES:] if scrambled else body, 1)
        return _flag(filled, Defect.ZEROS)
    if kind is SectorType.MODE2FORM0:
        return np.zeros(len(sectors), np.uint8)
    count = len(sectors)
    room = workspace_for(count)
    rows = room.rows
    shares = _shares_of(kind, scrambled)
    first, edc_row = edc_rows(kind)
    room.load(sectors, first)
    stored = rows[edc_row : edc_row + 2]
    bad_edc = any_in((loaded_edc(room, kind) ^ stored != shares.edc)[:, :count], 0)
    if kind is SectorType.MODE2FORM2:  # an EDC of zero was not computed
        return _flag(bad_edc & any_in((stored != shares.stored)[:, :count], 0), Defect.EDC)
    rows[:first] = 0  # form 1: the header counts as zero, scrambled or not
    zeros = rows[edc_row + 2 : ecc.P_ROW]
    bad_p, bad_q = _bad_parity(room, shares, count)
    not_zero = any_in((zeros != shares.zeros)[:, :count], 0)
    if (not_zero & (bad_p | bad_q)).any():
        zeros[:] = shares.zeros
        held = not_zero & ~np.logical_or(*_bad_parity(room, shares, count))
        bad_p &= ~held
        bad_q &= ~held
    return (
        _flag(bad_edc, Defect.EDC)
        | _flag(bad_p, Defect.P)
        | _flag(bad_q, Defect.Q)
        | _flag(not_zero, Defect.ZEROS)
    )


def _bad_parity(room: ecc.Workspace, shares: _Shares, count: int) -> tuple[Flags, Flags]:
    """Tell which sectors' P and Q differ from the parity made anew; Q covers P as stored."""
    bad_p = any_in((room.p_errors() != shares.p)[:, :count], 0)
    bad_q = any_in((room.q_errors() != shares.q)[:, :count], 0)
    return bad_p, bad_q
