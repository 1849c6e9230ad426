"""R-W packs mended by their own parity (IEC 60908 clause 18)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rawcd.disc import Area
from rawcd.subcode.interleave import deinterleaved, interleaved
from rawcd.subcode.layouts import PACK_SYMBOLS, SECTOR_PACKS
from rawcd.subcode.parity import corrected
from rawcd.subcode.rows import RW_BITS

if TYPE_CHECKING:
    from rawcd.source import Bytes2D
    from rawcd.verify.evidence import Evidence, Flags


def wrong_packs(evidence: Evidence) -> Flags:
    """Return (n, 4): which of the packs that begin in each sector have a wrong parity.

    None where most have: that is no damage, but R-W of another form, and of noise some packs would
    be taken for others.
    """
    graphics = evidence.facts["graphics"]
    behind = np.ones(len(graphics), np.bool_)
    for run in evidence.survey.runs:
        if run.area is Area.LEAD_IN:  # what stands there has no parity (MMC-3 annex J)
            behind[run.lba - evidence.first_lba : run.end_lba - evidence.first_lba] = False
    graphics = np.where(behind, graphics, 0)
    wrong = np.unpackbits(graphics[:, None], axis=1, bitorder="little")[:, 1 : 1 + SECTOR_PACKS]
    damaged = np.count_nonzero(wrong.any(axis=1))
    if 2 * damaged > np.count_nonzero(graphics & 1):
        return np.zeros(wrong.shape, np.bool_)
    return wrong.astype(np.bool_)


def with_mended_packs(sub: Bytes2D, wrong: Flags) -> Bytes2D:
    """Return subcode of consecutive sectors (n, 96) in which wrong packs are mended if they can be.

    Args:
        sub: their subcode; `PACK_REACH` sectors more on either side than are asked for, as far as
            there are any (see `rawcd.subcode.interleave`).
        wrong: (n, 4), which of the packs that begin in each are.
    """
    symbols = (sub & np.uint8(RW_BITS)).reshape(-1, PACK_SYMBOLS)
    packs = deinterleaved(symbols)
    chosen = np.flatnonzero(wrong)
    errors = np.zeros_like(packs)
    errors[chosen] = packs[chosen] ^ corrected(packs[chosen])[0]
    mended: Bytes2D = sub ^ interleaved(errors).reshape(sub.shape)
    return mended
