"""Sources of 96-byte blocks: R-W packs laid on a line, interleaved, and taken apart again.

`RawChannels` is subcode that is stored channel by channel.

Each is a `Source` that holds nothing but what it reads from, so any stretch of it can be asked for,
in any cuts and by any process, and has the same bytes. Bits 7 and 6 of a block, P and Q where an
image carries them, belong to no pack and stay in their sector.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from rawcd.source import check_range, fill_rows, paths_of
from rawcd.subcode.interleave import LONGEST_DELAY, PACK_REACH, deinterleaved, interleaved
from rawcd.subcode.layouts import PACK_SYMBOLS, SECTOR_PACKS, PlanarPW, RWPacks
from rawcd.subcode.parity import corrected, with_parity
from rawcd.subcode.rows import PW96_BYTES, RW_BITS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rawcd.source import Bytes2D, Source
    from rawcd.subcode.parity import Verdicts

_WINDOW: Final = 768
"""Sectors that are read and worked on at a time."""
_PQ_BITS: Final = np.uint8(0xFF - RW_BITS)


class _Blocks(ABC):
    """What the sources below share: 96-byte blocks, as bytes or into rows, a window at a time."""

    def __init__(self, name: str, block_count: int, paths: tuple[Path, ...]) -> None:
        self.block_size = PW96_BYTES
        self.block_count = block_count
        self.name = name
        self.paths = paths

    def read(self, start: int, count: int) -> bytes:
        """Return blocks `start` to `start + count` end to end; see `Source`."""
        rows = np.empty((max(count, 0), PW96_BYTES), np.uint8)
        check_range(self.name, start, count, self.block_count)
        self.read_into(start, rows)
        return rows.tobytes()

    def read_into(self, start: int, rows: Bytes2D) -> None:
        """Fill `rows`, one block a row; see `ReadsInto`."""
        check_range(self.name, start, len(rows), self.block_count)
        for done in range(0, len(rows), _WINDOW):
            self._fill(start + done, rows[done : done + _WINDOW])

    @abstractmethod
    def _fill(self, start: int, rows: Bytes2D) -> None:
        """Fill at most a window of rows."""


def _check_blocks(source: Source) -> None:
    if source.block_size != PW96_BYTES:
        raise ValueError(
            f"{source.name}: blocks of {source.block_size} bytes; R-W takes {PW96_BYTES}"
        )


def _read_around(source: Source, start: int, count: int) -> Bytes2D:
    """Return blocks, (count, 96); zeros before the source's first and behind its last."""
    rows = np.zeros((count, PW96_BYTES), np.uint8)
    first, end = max(start, 0), min(start + count, source.block_count)
    if first < end:
        fill_rows(source, first, rows[first - start : end - start])
    return rows


@dataclass(frozen=True, slots=True, kw_only=True)
class PackPart:
    """Packs for a stretch of sectors.

    Attributes:
        at: the sector of the line where they begin.
        source: blocks of 96 bytes, four packs each.
        start: the source's first block to take.
        count: blocks.

    Raises:
        ValueError: the source has not as many blocks, or none of 96 bytes.
    """

    at: int
    source: Source
    start: int = 0
    count: int

    def __post_init__(self) -> None:
        _check_blocks(self.source)
        check_range(self.source.name, self.start, self.count, self.source.block_count)


class PackLine(_Blocks):
    """Packs of several sources laid on one line of sectors; packs of zeros between them.

    Interleave the line, not its parts: what is delayed past the end of a part then goes on into
    the sectors behind it, as it must.

    Args:
        parts: by rising sector, without overlap.
        block_count: sectors of the line.
        name: what a message calls it.

    Raises:
        ValueError: the parts overlap, or reach past the line.
    """

    def __init__(
        self, parts: Sequence[PackPart], block_count: int, *, name: str = "<R-W packs>"
    ) -> None:
        self.parts = tuple(part for part in parts if part.count)
        end = 0
        for part in self.parts:
            if part.at < end or part.at + part.count > block_count:
                raise ValueError(
                    f"{part.source.name}: {part.count} sectors at {part.at} "
                    f"do not fit between {end} and {block_count}"
                )
            end = part.at + part.count
        self._firsts = [part.at for part in self.parts]
        found = (path for part in self.parts for path in paths_of(part.source))
        super().__init__(name, block_count, tuple(dict.fromkeys(found)))

    def _fill(self, start: int, rows: Bytes2D) -> None:
        rows[:] = 0
        end = start + len(rows)
        position = max(bisect_right(self._firsts, start) - 1, 0)
        for part in self.parts[position:]:
            if part.at >= end:
                break
            first, after = max(part.at, start), min(part.at + part.count, end)
            if first < after:
                block = part.start + first - part.at
                rows[first - start : after - start] = _read_around(
                    part.source, block, after - first
                )


class InterleavedPacks(_Blocks):
    """Packs as they go to the disc: with parity, and interleaved from the first block on.

    Before the first block the delay holds zeros. To make a stretch, two sectors more are read
    before it. What is delayed past the last block is lost, so the source should reach to the end
    of the disc, as a `PackLine` does.

    Args:
        packs: blocks of 96 bytes, four packs each.
        parity: make it; False takes what the packs bring.

    Raises:
        ValueError: the blocks are not of 96 bytes.
    """

    def __init__(self, packs: Source, *, parity: bool = True) -> None:
        _check_blocks(packs)
        super().__init__(packs.name, packs.block_count, paths_of(packs))
        self._packs = packs
        self._parity = parity

    def _fill(self, start: int, rows: Bytes2D) -> None:
        held = _read_around(self._packs, start - PACK_REACH, PACK_REACH + len(rows))
        packs = held.reshape(-1, PACK_SYMBOLS)
        if self._parity:
            packs = with_parity(packs)
        first = PACK_REACH * SECTOR_PACKS
        symbols = interleaved(packs[first:], packs[first - LONGEST_DELAY : first])
        np.bitwise_and(held[PACK_REACH:], _PQ_BITS, out=rows)
        rows |= symbols.reshape(-1, PW96_BYTES)


class DeinterleavedPacks(_Blocks):
    """The packs of what is on the disc: block i holds those whose symbols begin in sector i.

    To take a stretch apart, two sectors more are read behind it; behind the last block there are
    zeros, so its last seven packs may be beyond mending. Parity stays in the packs.

    Args:
        symbols: blocks of 96 bytes as on the disc.
        correct: mend wrong symbols; False gives them as they are.

    Raises:
        ValueError: the blocks are not of 96 bytes.
    """

    def __init__(self, symbols: Source, *, correct: bool = True) -> None:
        _check_blocks(symbols)
        super().__init__(symbols.name, symbols.block_count, paths_of(symbols))
        self._symbols = symbols
        self._correct = correct

    def checked(self, start: int, count: int) -> tuple[RWPacks, Verdicts]:
        """Return the mended packs of some blocks, and what was found of each.

        Returns:
            The packs, P and Q in bits 7 and 6 where the source has them; and the verdicts
            (4 * count,), in the packs' order. Wrong symbols are mended whatever `correct` says.
        """
        check_range(self.name, start, count, self.block_count)
        held, packs = self._taken_apart(start, count)
        packs, verdicts = corrected(packs)
        rows = held[:count] & _PQ_BITS
        rows |= packs.reshape(-1, PW96_BYTES)
        return RWPacks(rows), verdicts

    def _taken_apart(self, start: int, count: int) -> tuple[Bytes2D, Bytes2D]:
        held = _read_around(self._symbols, start, count + PACK_REACH)
        symbols = held.reshape(-1, PACK_SYMBOLS)
        end = count * SECTOR_PACKS
        return held, deinterleaved(symbols[:end], symbols[end : end + LONGEST_DELAY])

    def _fill(self, start: int, rows: Bytes2D) -> None:
        held, packs = self._taken_apart(start, len(rows))
        if self._correct:
            packs, _ = corrected(packs)
        np.bitwise_and(held[: len(rows)], _PQ_BITS, out=rows)
        rows |= packs.reshape(-1, PW96_BYTES)


class RawChannels(_Blocks):
    """Subcode that is stored channel by channel (CloneCD's `.sub`), as it is on the disc.

    Args:
        planar: blocks of 96 bytes, twelve for each channel.

    Raises:
        ValueError: the blocks are not of 96 bytes.
    """

    def __init__(self, planar: Source) -> None:
        _check_blocks(planar)
        super().__init__(planar.name, planar.block_count, paths_of(planar))
        self._planar = planar

    def _fill(self, start: int, rows: Bytes2D) -> None:
        rows[:] = PlanarPW(_read_around(self._planar, start, len(rows))).raw().rows
