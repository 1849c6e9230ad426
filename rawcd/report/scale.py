"""How addresses become lengths: shares of a picture, from 0 to 1."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Final, Self

import numpy as np

from rawcd.msf import FRAMES_PER_MINUTE, PROGRAM_LBA
from rawcd.report.spans import PROGRAM

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rawcd.survey import Run

BLANK_SECTORS: Final = 80 * FRAMES_PER_MINUTE
"""The program area of the usual blank."""
_LEAD_SHARE: Final = 16
"""What lies outside the program area takes at most one part in so many of the program's."""
_LEAST_LEAD: Final = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """Shares of addresses, by straight lines between knots.

    Attributes:
        lbas: addresses, rising.
        shares: their shares.
        is_true: whether all sectors have the same length.
        is_blank: 0 to 1 is the program area of a blank, and not all that there is.
    """

    lbas: tuple[int, ...]
    shares: tuple[float, ...]
    is_true: bool
    is_blank: bool = False

    @classmethod
    def fitted(cls, runs: Sequence[Run]) -> Self:
        """Make one that fills the picture with the program area.

        Lead-in and lead-out, minutes long whatever lies between, are as long as they are only on
        discs where that leaves the program area most of the room.
        """
        program = sum(run.sectors for run in runs if run.area in PROGRAM)
        most = max(program // _LEAD_SHARE, _LEAST_LEAD) if program else BLANK_SECTORS
        weights = [run.sectors if run.area in PROGRAM else min(run.sectors, most) for run in runs]
        total = sum(weights)
        return cls(
            lbas=(*(run.lba for run in runs), runs[-1].end_lba),
            shares=tuple(weight / total for weight in accumulate(weights, initial=0)),
            is_true=weights == [run.sectors for run in runs],
        )

    @classmethod
    def of_blank(cls, runs: Sequence[Run]) -> Self:
        """Make one of a blank's program area, from 0 to 1; the lead-in lies before it."""
        first, end = runs[0].lba, runs[-1].end_lba
        most = max(BLANK_SECTORS, end - PROGRAM_LBA)
        return cls(
            lbas=(first, end),
            shares=((first - PROGRAM_LBA) / most, (end - PROGRAM_LBA) / most),
            is_true=True,
            is_blank=True,
        )

    def share(self, lba: float) -> float:
        """Return the share of an address."""
        return float(np.interp(lba, self.lbas, self.shares))

    def lba(self, share: float) -> float:
        """Return the address of a share."""
        return float(np.interp(share, self.shares, self.lbas))

    def stretches(self, count: int) -> list[tuple[int, int]]:
        """Return what lies in each of `count` columns of a picture: first LBA and sectors.

        Columns that are narrower than a sector have the one in which they begin.
        """
        edges = np.interp(np.arange(count + 1) / count, self.shares, self.lbas).astype(np.int64)
        firsts = np.minimum(edges[:-1], self.lbas[-1] - 1)
        sectors = np.maximum(edges[1:] - firsts, 1)
        return list(zip(firsts.tolist(), sectors.tolist(), strict=True))
