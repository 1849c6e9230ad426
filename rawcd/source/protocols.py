"""What a source, a sound and a reader are, and the sizes that all three count in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol, runtime_checkable

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from _typeshed import ReadableBuffer, WriteableBuffer

    Bytes2D = npt.NDArray[np.uint8]
    """(sectors, bytes); rows may be strided, the bytes in a row are not."""
    Memory = ReadableBuffer | npt.NDArray[Any]
    """Bytes, or an array; type checkers know no buffer in an array before Python 3.12."""
    Samples = npt.NDArray[np.int16]
    """(samples, 2): left and right."""

SECTOR_BYTES: Final = 2352
"""Main channel of one sector."""
SAMPLE_BYTES: Final = 4
"""One stereo sample of 16 bits a side."""
SECTOR_SAMPLES: Final = SECTOR_BYTES // SAMPLE_BYTES


@runtime_checkable
class Source(Protocol):
    """Equal blocks from anywhere, by number."""

    @property
    def name(self) -> str:
        """What a message calls it."""
        ...

    @property
    def block_size(self) -> int:
        """Bytes in a block."""
        ...

    @property
    def block_count(self) -> int:
        """Blocks, fixed when the source is made."""
        ...

    def read(self, start: int, count: int) -> bytes:
        """Return exactly `count * block_size` bytes from block `start` on.

        Raises:
            StorageError: they cannot be had.
        """
        ...


@runtime_checkable
class ReadsInto(Protocol):
    """Optional on a Source or a DiscImage: fill rows in place. Used when there, never required."""

    def read_into(self, start: int, rows: Bytes2D) -> None:
        """Fill `rows`, one block a row, from block (or LBA) `start` on."""
        ...


class Sound(Protocol):
    """16-bit stereo at 44.1 kHz, by sample. Any cuts give the same samples."""

    @property
    def name(self) -> str:
        """What a message calls it."""
        ...

    @property
    def sample_count(self) -> int:
        """Stereo samples, fixed when the sound is made."""
        ...

    def read_samples(self, start: int, count: int) -> Samples:
        """Return samples `start` to `start + count`, shape (count, 2)."""
        ...


class Reader(Protocol):
    """Bytes at an offset."""

    @property
    def name(self) -> str:
        """What a message calls it."""
        ...

    @property
    def size(self) -> int:
        """Bytes in all, measured when the reader is made."""
        ...

    def read_at(self, offset: int, buffer: WriteableBuffer) -> None:
        """Fill `buffer` from `offset` on.

        Raises:
            StorageError: the bytes cannot be had.
        """
        ...
