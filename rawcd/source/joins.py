"""Bytes from several places end to end, and the bytes that blocks of a larger unit hold."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

from rawcd.source.blocks import check_range
from rawcd.source.readers import paths_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np
    import numpy.typing as npt
    from _typeshed import WriteableBuffer

    from rawcd.source.protocols import Reader, Samples, Sound, Source


@dataclass(frozen=True, slots=True, kw_only=True)
class BytesPart:
    """A stretch of a reader, or of zeros.

    Attributes:
        reader: where the bytes are; None: zeros.
        start: the first one.
        count: how many.
    """

    reader: Reader | None = None
    start: int = 0
    count: int


class JoinedBytes:
    """Stretches of readers and of zeros end to end, as one reader."""

    def __init__(self, parts: Sequence[BytesPart]) -> None:
        self._parts = tuple(part for part in parts if part.count)
        for part in self._parts:
            if part.reader is not None:
                check_range(part.reader.name, part.start, part.count, part.reader.size)
        self._ends = tuple(accumulate(part.count for part in self._parts))
        self.size = self._ends[-1] if self._ends else 0

    @property
    def name(self) -> str:
        """The name of the first reader, and how many follow."""
        names = list(dict.fromkeys(part.reader.name for part in self._parts if part.reader))
        if not names:
            return "<zeros>"
        return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files behind it."""
        return tuple(dict.fromkeys(path for part in self._parts for path in paths_of(part.reader)))

    def read_at(self, offset: int, buffer: WriteableBuffer) -> None:
        """Fill `buffer` from `offset` on; see `Reader`."""
        view = memoryview(buffer).cast("B")
        check_range(self.name, offset, len(view), self.size)
        place = bisect_right(self._ends, offset)
        while view:
            part, end = self._parts[place], self._ends[place]
            count = min(end - offset, len(view))
            if part.reader is None:
                view[:count] = bytes(count)
            else:
                part.reader.read_at(part.start + part.count - (end - offset), view[:count])
            view = view[count:]
            offset += count
            place += 1


class BlockBytes:
    """A source's blocks end to end, as a reader: the main channel of a file with subcode."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.size = source.block_count * source.block_size

    @property
    def name(self) -> str:
        """The source's name."""
        return self._source.name

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files behind it."""
        return paths_of(self._source)

    def read_at(self, offset: int, buffer: WriteableBuffer) -> None:
        """Fill `buffer` from `offset` on; see `Reader`."""
        view = memoryview(buffer).cast("B")
        check_range(self.name, offset, len(view), self.size)
        size = self._source.block_size
        first = offset // size
        last = -(-(offset + len(view)) // size)
        held = self._source.read(first, last - first)
        view[:] = held[offset - first * size :][: len(view)]


@dataclass(frozen=True, slots=True, kw_only=True)
class SilentSound:
    """Samples of digital silence; see `Sound`."""

    sample_count: int
    name: str = "<silence>"

    def read_samples(self, start: int, count: int) -> Samples:
        """Return zeros; see `Sound`."""
        import numpy as np

        check_range(self.name, start, count, self.sample_count)
        return np.zeros((count, 2), np.int16)

    def read_samples_into(self, start: int, flat: npt.NDArray[np.uint8]) -> None:
        """Fill contiguous bytes with zeros."""
        del start
        flat[:] = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SwappedSound:
    """A sound with the two bytes of every sample exchanged; see `Sound`."""

    sound: Sound

    @property
    def name(self) -> str:
        """The sound's name."""
        return self.sound.name

    @property
    def sample_count(self) -> int:
        """Stereo samples."""
        return self.sound.sample_count

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files behind it."""
        return paths_of(self.sound)

    def read_samples(self, start: int, count: int) -> Samples:
        """Return the samples with their bytes exchanged; see `Sound`."""
        return self.sound.read_samples(start, count).byteswap()
