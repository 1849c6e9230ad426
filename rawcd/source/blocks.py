"""Equal blocks of a reader, by number."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Generic, TypeVar

from rawcd.errors import StorageError
from rawcd.source.protocols import SECTOR_BYTES, ReadsInto
from rawcd.source.readers import FileBytes, MemoryBytes, StreamBytes, paths_of

if TYPE_CHECKING:
    import os
    from pathlib import Path

    from rawcd.source.protocols import Bytes2D, Memory, Reader, Source

Given = TypeVar("Given")


def check_range(name: str, start: int, count: int, limit: int) -> None:
    """Refuse a range outside 0..limit.

    Raises:
        ValueError: it is; this is misuse by the program, no fault of a file.
    """
    if start < 0 or count < 0 or start + count > limit:
        raise ValueError(f"{name}: {count} from {start} on are not within 0..{limit}")


def fill_rows(source: Source, start: int, rows: Bytes2D) -> None:
    """Fill `rows` from a source's block `start` on, the short way where it offers one.

    Raises:
        StorageError: the bytes cannot be had.
    """
    import numpy as np

    if isinstance(source, ReadsInto):
        source.read_into(start, rows)
    else:
        given = source.read(start, len(rows))
        try:
            held = np.frombuffer(given, np.uint8)
        except (TypeError, ValueError) as error:  # no bytes, or none at all
            raise _broken_promise(source, start, rows, type(given).__name__) from error
        if held.size != rows.size:
            raise _broken_promise(source, start, rows, f"{held.size} bytes")
        rows[:] = held.reshape(rows.shape)


def _broken_promise(source: Source, start: int, rows: Bytes2D, gave: str) -> StorageError:
    return StorageError(
        f"gave {gave} for {len(rows)} blocks of {rows.shape[1]} bytes from block {start} on; a "
        "Source gives all of them or raises StorageError",
        file=source.name,
    )


class _Blocks(ABC, Generic[Given]):
    """Equal blocks of what was given: block i begins at `offset + i * stride`.

    A stride above the block size skips what lies between, so that the 2352 and the 96 bytes of
    a 2448-byte file are two sources over one file.

    Args:
        given: where the bytes are.
        offset: first byte of block 0.
        block_size: bytes in a block.
        stride: bytes from one block to the next; None is `block_size`.
        block_count: None takes all that fit, a ragged end included when `pad` is set.
        pad: fill the last block with zeros where the bytes end inside it.

    Raises:
        StorageError: there are fewer bytes than were asked for.
    """

    def __init__(
        self,
        given: Given,
        offset: int = 0,
        block_size: int = SECTOR_BYTES,
        stride: int | None = None,
        block_count: int | None = None,
        *,
        pad: bool = False,
    ) -> None:
        reader = self._reader_of(given)
        self._reader = reader
        self._offset = offset
        self.block_size = block_size
        self._stride = block_size if stride is None else stride
        if not 0 < block_size <= self._stride or offset < 0:
            raise ValueError(f"no blocks: offset {offset}, size {block_size}, stride {stride}")
        usable = max(0, reader.size - offset)
        whole, rest = divmod(usable, self._stride)
        held = whole + (rest >= block_size or (pad and rest > 0))
        self.block_count = held if block_count is None else block_count
        if self.block_count < 0:
            raise ValueError(f"{self.block_count} blocks are no number of blocks")
        if self.block_count > held:
            raise StorageError(
                f"holds {held} blocks of {block_size} bytes from byte {offset} on, "
                f"not {self.block_count}",
                file=reader.name,
            )

    @staticmethod
    @abstractmethod
    def _reader_of(given: Given) -> Reader:
        """Return what reads the bytes."""

    @property
    def name(self) -> str:
        """The reader's name."""
        return self._reader.name

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files behind it."""
        return paths_of(self._reader)

    def read(self, start: int, count: int) -> bytes:
        """Return blocks `start` to `start + count` end to end; see `Source`."""
        import numpy as np

        rows = np.empty((count, self.block_size), np.uint8)
        self.read_into(start, rows)
        return rows.tobytes()

    def read_into(self, start: int, rows: Bytes2D) -> None:
        """Fill `rows`, one block a row; see `ReadsInto`."""
        import numpy as np

        count = len(rows)
        check_range(self.name, start, count, self.block_count)
        if not count:
            return
        first = self._offset + start * self._stride
        # The last row's bytes need not be followed by a whole stride, nor, padded, be whole.
        span = min((count - 1) * self._stride + self.block_size, self._reader.size - first)
        if rows.flags.c_contiguous and self._stride == self.block_size:
            flat = rows.reshape(-1)
            self._reader.read_at(first, flat[:span].data)
            flat[span:] = 0
            return
        held = np.empty(count * self._stride, np.uint8)
        self._reader.read_at(first, held[:span].data)
        held[span:] = 0
        rows[:] = held.reshape(count, self._stride)[:, : self.block_size]


class BlockSource(_Blocks["Reader"]):
    """Blocks of a reader."""

    @staticmethod
    def _reader_of(given: Reader) -> Reader:
        return given


def side_by_side(first: Source | None, second: Source | None) -> BlockSource | None:
    """Return blocks of one block of each source, where they lie so in one reader; else None."""
    if not (isinstance(first, _Blocks) and isinstance(second, _Blocks)):
        return None
    behind = first._offset + first.block_size
    if second._reader is not first._reader or second._stride != first._stride:
        return None
    if second._offset != behind:
        return None
    return BlockSource(
        first._reader,
        offset=first._offset,
        block_size=first.block_size + second.block_size,
        stride=first._stride,
        block_count=min(first.block_count, second.block_count),
    )


class FileSource(_Blocks["str | os.PathLike[str]"]):
    """Blocks of a file by path; opened at the first read."""

    @staticmethod
    def _reader_of(given: str | os.PathLike[str]) -> Reader:
        return FileBytes(given)


class StreamSource(_Blocks["BinaryIO"]):
    """Blocks of a seekable binary file object."""

    @staticmethod
    def _reader_of(given: BinaryIO) -> Reader:
        return StreamBytes(given)


class ArraySource(_Blocks["Memory"]):
    """Blocks of bytes or of a C-contiguous array."""

    @staticmethod
    def _reader_of(given: Memory) -> Reader:
        return MemoryBytes(given)


@dataclass(frozen=True, slots=True, kw_only=True)
class SilenceSource:
    """Blocks of zeros: digital silence.

    Raises:
        ValueError: there are less than none, or they are empty.
    """

    block_count: int
    block_size: int = SECTOR_BYTES
    name: str = "<silence>"

    def __post_init__(self) -> None:
        if self.block_count < 0 or self.block_size < 1:
            raise ValueError(f"no blocks: {self.block_count} of {self.block_size} bytes")

    def read(self, start: int, count: int) -> bytes:
        """Return zeros; see `Source`."""
        check_range(self.name, start, count, self.block_count)
        return bytes(count * self.block_size)

    def read_into(self, start: int, rows: Bytes2D) -> None:
        """Fill `rows` with zeros; see `ReadsInto`."""
        check_range(self.name, start, len(rows), self.block_count)
        rows[:] = 0
