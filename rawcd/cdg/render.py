"""Any moment of a CD+G stream as a picture.

The canvas is kept every few thousand packs on the way, so that going back costs a short replay
and going on costs nothing; packs are read in pieces, so that a whole disc's are never held.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, BinaryIO, Final

from rawcd.cdg.canvas import CDG, Bytes2D, Bytes3D, View
from rawcd.cdg.files import CdgFile
from rawcd.cdg.packs import PACKS_PER_SECOND, PACKS_PER_SECTOR

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator

    from PIL import Image

CHECKPOINT_PACKS: Final = 20 * PACKS_PER_SECOND
"""65 KB are kept for every 20 seconds: 15 MB for the longest disc."""
_TOLERANCE: Final = 1e-6
"""Packs: what a time like 0.1 lies beside itself as a binary fraction."""


def packs_by(seconds: float) -> int:
    """Return how many packs have been sent after so many seconds, 300 in each.

    Raises:
        ValueError: the time is negative or no number.
    """
    if not 0 <= seconds < math.inf:
        raise ValueError(f"{seconds} s is no time after the start")
    return math.floor(seconds * PACKS_PER_SECOND + _TOLERANCE)


class CdgDecoder:
    """Renders any moment of a stream of packs.

    Moments may be asked for in any order. After the last pack its picture stays. On a disc the
    picture comes two sectors (27 ms) later, because a pack is spread over eight.

    Args:
        file: a `CdgFile`, or what one is made of.
        channels: the channels whose tiles are drawn; None draws all.
        pad: as in `CdgFile`.

    Attributes:
        file: the file.
    """

    def __init__(
        self,
        file: CdgFile | str | os.PathLike[str] | bytes | BinaryIO | Bytes2D,
        *,
        channels: Iterable[int] | None = None,
        pad: bool = False,
    ) -> None:
        self.file = file if isinstance(file, CdgFile) else CdgFile(file, pad=pad)
        self._kept = [CDG(channels=channels)]  # one for each CHECKPOINT_PACKS
        self._now = self._kept[0].copy()
        self._done = 0

    def after_packs(self, count: int) -> CDG:
        """Return the canvas after the first `count` packs, as a copy."""
        return self._after(count).copy()

    def after_sectors(self, count: int) -> CDG:
        """Return the canvas after the first `count` sectors, as a copy."""
        return self.after_packs(count * PACKS_PER_SECTOR)

    def at(self, seconds: float) -> CDG:
        """Return the canvas at a time, as a copy."""
        return self.after_packs(packs_by(seconds))

    def rgb(self, seconds: float, view: View = View.MEMORY) -> Bytes3D:
        """Return the picture at a time, shape (height, width, 3); see `CDG.rgb`."""
        return self._after(packs_by(seconds)).rgb(view)

    def image(self, seconds: float, view: View = View.MEMORY) -> Image.Image:
        """Return the picture at a time as a Pillow image; see `CDG.image`.

        Raises:
            MissingExtraError: Pillow is not installed.
        """
        return self._after(packs_by(seconds)).image(view)

    def frames(self, rate: float, view: View = View.MEMORY) -> Iterator[tuple[float, Bytes3D]]:
        """Yield time in seconds and picture, `rate` times a second, up to the last pack.

        The last picture is that after the last pack, when the rate does not fall on it.
        """
        if not rate > 0:
            raise ValueError(f"{rate} pictures a second are none")
        number = 0
        while (packs := packs_by(number / rate)) < self.file.pack_count:
            yield number / rate, self._after(packs).rgb(view)
            number += 1
        yield self.file.seconds, self._after(self.file.pack_count).rgb(view)

    def _after(self, count: int) -> CDG:
        """Return the canvas itself: the next call changes it."""
        if count < 0:
            raise ValueError(f"{count} packs are no number of packs")
        count = min(count, self.file.pack_count)
        nearest = min(count // CHECKPOINT_PACKS, len(self._kept) - 1)
        if not nearest * CHECKPOINT_PACKS <= self._done <= count:
            self._now = self._kept[nearest].copy()
            self._done = nearest * CHECKPOINT_PACKS
        while self._done < count:
            place = self._done // CHECKPOINT_PACKS + 1
            end = min(count, place * CHECKPOINT_PACKS)
            self._now.run(self.file.packs(self._done, end - self._done))
            self._done = end
            if end == len(self._kept) * CHECKPOINT_PACKS:
                self._kept.append(self._now.copy())
        return self._now
