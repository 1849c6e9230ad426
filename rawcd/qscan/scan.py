"""Recorded Q frames of consecutive sectors, asked where they are."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

import numpy as np

from rawcd.errors import FormatError
from rawcd.source import SilenceSource
from rawcd.subcode.frame import Q_BYTES, QFrame, QPointer, QPosition, parse_q
from rawcd.subcode.rows import PQ16_BYTES, crc_holds, pq_of_pq16, pq_of_pw96

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from rawcd.source import Bytes2D, Source

    Numbers = npt.NDArray[np.int64]

_REACH: Final = 50
"""How far a neighbour may lie that answers for a frame which does not tell its place."""
NEAR: Final = 4
"""How far the neighbours lie that vote on where a sector is."""
_HEADER_MODE: Final = 15
"""Byte of the sector header that tells the mode."""

Spot = tuple[int, int]
"""Track and index, rising along a disc; the lead-out is (AAh, 1), the lead-in (0, 0)."""


class QScan:
    """Recorded Q frames of consecutive sectors, by number.

    Args:
        subcode: blocks of 96 bytes (P-W interleaved) or of 16.
        main: the sectors' blocks of 2,352 bytes, asked for the mode of data tracks; not needed
            by who knows that.
    """

    def __init__(self, subcode: Source, main: Source | None = None) -> None:
        self._subcode = subcode
        self._main = main
        self._spots: dict[int, Spot | None] = {}
        self.name = subcode.name
        self.count = subcode.block_count

    def readable(self, start: int, count: int) -> tuple[Numbers, Bytes2D]:
        """Return the numbers and Q (n, 12) of the sectors of a stretch whose CRC is right."""
        start, end = max(start, 0), min(start + count, self.count)
        if end <= start:
            return np.empty(0, np.int64), np.empty((0, Q_BYTES), np.uint8)
        data = np.frombuffer(self._subcode.read(start, end - start), np.uint8)
        rows = data.reshape(end - start, -1)
        q, _ = pq_of_pq16(rows) if rows.shape[1] == PQ16_BYTES else pq_of_pw96(rows)
        right = np.flatnonzero(crc_holds(q))
        return right + start, q[right]

    def frames(self, start: int, count: int) -> Iterator[tuple[int, QFrame]]:
        """Yield the number and value of each readable frame with a right CRC in a stretch."""
        numbers, q = self.readable(start, count)
        for number, row in zip(numbers.tolist(), q, strict=True):
            if (frame := _parsed(row)) is not None:
                yield number, frame

    def _told(self, number: int) -> Spot | None:
        if number not in self._spots:
            self._spots[number] = None
            for _, frame in self.frames(number, 1):
                if isinstance(frame, QPosition):
                    self._spots[number] = (frame.track, frame.index)
                elif isinstance(frame, QPointer):
                    self._spots[number] = (0, 0)
        return self._spots[number]

    def spot(self, number: int) -> Spot:
        """Return track and index of a sector; a frame that does not tell gives way to another.

        Those before it are asked first: a frame of mode 2 or 3 never stands where track or
        index change, so it shares its predecessor's place, and so do most damaged ones.

        Raises:
            FormatError: no frame near it can be read.
        """
        before = range(number, max(number - _REACH, -1), -1)
        behind = range(number + 1, min(number + _REACH, self.count))
        for near in (*before, *behind):
            if (told := self._told(near)) is not None:
                return told
        raise FormatError(
            f"no Q frame within {_REACH} sectors of sector {number} can be read", file=self.name
        )

    def area(self, number: int) -> int:
        """Return a sector's TNO; of frames that disagree most are right, so that one may be wrong.

        Raises:
            FormatError: no frame near it can be read.
        """
        own = self.spot(number)[0]
        if own == self.spot(number + 1 if number + 1 < self.count else number - 1)[0]:
            return own
        votes = Counter(tno for _, tno in self._areas(number - NEAR, 2 * NEAR + 1))
        return max(votes, key=lambda tno: (votes[tno], tno == own), default=own)

    def _areas(self, start: int, count: int) -> Iterator[tuple[int, int]]:
        """Yield the numbers and TNO of the frames of a stretch that tell one."""
        for number, frame in self.frames(start, count):
            if isinstance(frame, QPosition):
                yield number, frame.track
            elif isinstance(frame, QPointer):
                yield number, 0

    def area_border(self, low: int, high: int, usual: int) -> int:
        """Return the first sector of another area: `low` is in the one before, `high` in it.

        Args:
            low: a sector before it.
            high: a sector of it, or behind it.
            usual: where it begins on other discs; taken where damaged frames leave a choice.
        """
        before = self.area(low)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self.area(middle) == before else (low, middle)
        first, end = max(high - _REACH, 0), min(high + _REACH, self.count)
        gain = np.zeros(end - first + 1, np.int64)
        for number, tno in self._areas(first, end - first):
            gain[number - first] = 1 if tno == before else -1
        # Before the border as many frames as can be tell the area before, and few another.
        score = np.concatenate([[0], np.cumsum(gain)])[:-1]
        best = np.flatnonzero(score == score.max()) + first
        return usual if usual in best else int(best[-1])

    def borders(self, first: int, last: int) -> Iterator[tuple[int, Spot]]:
        """Yield, rising, each sector in first+1..last where track or index change, and to what."""
        stack = [(first, last)]
        while stack:
            low, high = stack.pop()
            if high <= low or self.spot(low) == self.spot(high):
                continue
            if high == low + 1:
                yield high, self.spot(high)
                continue
            middle = (low + high) // 2
            stack.append((middle, high))
            stack.append((low, middle))

    def header_mode(self, number: int, count: int) -> int:
        """Return the mode that the headers of data sectors tell, 0 to 2; a damaged one is outvoted.

        Headers are scrambled on the disc.

        Raises:
            FormatError: none of the sectors has a header of a known mode.
        """
        from rawcd.sector import SYNC, scramble

        main = SilenceSource(block_count=self.count) if self._main is None else self._main
        rows: Bytes2D = np.frombuffer(main.read(number, count), np.uint8).reshape(count, -1)
        headed = scramble(rows[(rows[:, : len(SYNC)] == np.frombuffer(SYNC, np.uint8)).all(axis=1)])
        modes = Counter((headed[:, _HEADER_MODE] & 3).tolist())
        del modes[3]
        if not modes:
            raise FormatError(
                f"none of the first {count} sectors of a data track has a header", file=self.name
            )
        return int(modes.most_common(1)[0][0])


def _parsed(row: npt.NDArray[np.uint8]) -> QFrame | None:
    try:
        return parse_q(row.tobytes())
    except FormatError:  # a right CRC over nonsense tells as little as a wrong one
        return None
