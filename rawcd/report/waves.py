"""What the sound of a disc looks like: least and greatest sample, and power, of short parts.

A sector is four parts of 147 stereo samples, both channels taken together, so four seconds still
fill the width of a screen; a disc of 80 minutes is 1.4 million parts. Whoever draws fewer columns
takes the extremes of the parts in each, so that no peak is lost.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from rawcd.source import SECTOR_BYTES

if TYPE_CHECKING:
    from rawcd.source import Bytes2D

    Samples = npt.NDArray[np.int16]
    Powers = npt.NDArray[np.float32]

PARTS: Final = 4
"""Parts of a sector."""
FULL_SCALE: Final = 32_768
_VALUES: Final = SECTOR_BYTES // 2 // PARTS
"""Samples of both channels in a part."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Columns:
    """A stretch of sound as columns of a picture, from -1 to 1.

    Attributes:
        low: (n,), the least sample of each.
        high: (n,), the greatest.
        rms: (n,), the square root of the mean power.
    """

    low: npt.NDArray[np.float64]
    high: npt.NDArray[np.float64]
    rms: npt.NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.low)

    @property
    def peaks(self) -> npt.NDArray[np.float64]:
        """The greatest distance from zero, (n,), 0..1."""
        return np.maximum(np.abs(self.low), np.abs(self.high))


class Waves:
    """Collects a disc's sound while it is read, and gives it as columns.

    Args:
        first_lba: the first sector.
        sectors: how many there are.
    """

    def __init__(self, first_lba: int, sectors: int) -> None:
        self.first_lba = first_lba
        self._low = np.zeros(sectors * PARTS, np.int16)
        self._high = np.zeros(sectors * PARTS, np.int16)
        self._power = np.zeros(sectors * PARTS, np.float32)

    def take(self, lba: int, main: Bytes2D, is_data: npt.NDArray[np.bool_]) -> None:
        """Take sectors, (n, 2352), from an LBA on; those that are data count as silence."""
        parts = np.ascontiguousarray(main).view("<i2").reshape(-1, _VALUES)
        first = (lba - self.first_lba) * PARTS
        place = slice(first, first + len(parts))
        parts.min(axis=1, out=self._low[place])
        parts.max(axis=1, out=self._high[place])
        values = parts.astype(np.float32)
        np.einsum("ij,ij->i", values, values, out=self._power[place])
        if is_data.any():
            silent = np.repeat(is_data, PARTS)
            for kept in (self._low, self._high, self._power):
                kept[place][silent] = 0

    def columns(self, lba: int, sectors: int, most: int) -> Columns:
        """Return a stretch as columns: as many as are asked for, or as there are parts."""
        first = (lba - self.first_lba) * PARTS
        count = min(most, sectors * PARTS)
        starts = first + np.arange(count, dtype=np.int64) * (sectors * PARTS) // count
        end = first + sectors * PARTS
        widths = np.diff(starts, append=end)
        power = np.add.reduceat(self._power[:end], starts) / (widths * _VALUES)
        return Columns(
            low=np.minimum.reduceat(self._low[:end], starts) / FULL_SCALE,
            high=np.maximum.reduceat(self._high[:end], starts) / FULL_SCALE,
            rms=np.sqrt(power) / FULL_SCALE,
        )

    def sounding(self, lba: int, sectors: int) -> tuple[int, int] | None:
        """Return the first and the last sector of a stretch that are not digital silence."""
        first = (lba - self.first_lba) * PARTS
        place = slice(first, first + sectors * PARTS)
        loud = np.flatnonzero((self._low[place] != 0) | (self._high[place] != 0))
        if not len(loud):
            return None
        return lba + int(loud[0]) // PARTS, lba + int(loud[-1]) // PARTS
