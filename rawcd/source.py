"""Blocks and samples from anywhere, by number.

Three steps, each usable alone: a *reader* gives bytes at an offset (of a file, a file object,
memory); a *source* gives equal blocks of a reader by number; a *sound* gives 16-bit stereo
samples. Everything is measured when it is made, opened when it is first read, and never
copied or closed on the owner's behalf.

numpy is imported only by what hands out arrays, so that a sheet can be described without it.
"""

from __future__ import annotations

import io
import os
import threading
import weakref
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final, Protocol, cast, runtime_checkable

from rawcd.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Sequence

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


def _fill(file: BinaryIO, offset: int, buffer: WriteableBuffer, *, name: str) -> None:
    """Seek and fill the whole buffer, whatever pieces the file answers in."""
    view = memoryview(buffer).cast("B")
    done = 0
    try:
        file.seek(offset)
        while done < len(view) and (got := _read_some(file, view[done:])):
            done += got
    except OSError as error:
        raise StorageError.of(error, file=name, doing="read") from error
    except ValueError as error:  # a closed file object
        raise StorageError(f"cannot read: {error}", file=name) from error
    if done < len(view):
        raise StorageError(
            f"ends at byte {offset + done}, {len(view) - done} bytes early; "
            "it was longer when it was measured",
            file=name,
        )


def _read_some(file: BinaryIO, view: memoryview) -> int:
    """Read once; any object that has read() will do, readinto() only saves a copy."""
    readinto = getattr(file, "readinto", None)
    if readinto is not None:
        return readinto(view) or 0
    piece = file.read(len(view))
    view[: len(piece)] = piece
    return len(piece)


class FileBytes:
    """A file by path: measured now, opened at the first read, compared then.

    It pickles as its description: another process opens the file for itself.

    Attributes:
        path: the file.
        size: bytes, when it was measured.

    Raises:
        StorageError: the file cannot be found or is no regular file.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        try:
            found = self.path.stat()
        except OSError as error:
            raise StorageError.of(error, file=str(path), doing="open") from error
        except ValueError as error:  # a NUL in the name
            raise StorageError(f"cannot open: {error}", file=repr(path)) from error
        if not self.path.is_file():
            raise StorageError("is no file", file=str(path))
        self.size = found.st_size
        self._modified_ns = found.st_mtime_ns
        self._file: BinaryIO | None = None
        self._lock = threading.Lock()

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_file": None, "_lock": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _lock=threading.Lock())

    @property
    def name(self) -> str:
        """The path as it was given."""
        return str(self.path)

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files behind it, so that no output is ever written over its own input."""
        return (self.path,)

    def check_unchanged(self) -> None:
        """Compare the file with what was measured.

        Raises:
            StorageError: it vanished, or its size or time of change differ.
        """
        try:
            found = self.path.stat()
        except OSError as error:
            raise StorageError.of(error, file=self.name, doing="read") from error
        self._compare(found)

    def _compare(self, found: os.stat_result) -> None:
        if found.st_size != self.size:
            raise StorageError(
                f"changed since it was added: it had {self.size} bytes, now {found.st_size}",
                file=self.name,
            )
        if found.st_mtime_ns != self._modified_ns:
            raise StorageError("was written to since it was added", file=self.name)

    def read_at(self, offset: int, buffer: WriteableBuffer) -> None:
        """Fill `buffer` from byte `offset` on; see `Reader`."""
        with self._lock:
            if self._file is None:
                self._file = self._open()
            _fill(self._file, offset, buffer, name=self.name)

    def _open(self) -> BinaryIO:
        try:
            file = self.path.open("rb", buffering=0)
        except OSError as error:
            raise StorageError.of(error, file=self.name, doing="read") from error
        try:
            self._compare(os.fstat(file.fileno()))
        except BaseException:
            file.close()
            raise
        weakref.finalize(self, file.close)
        return file


class StreamBytes:
    """A binary file object that can seek. Its position is ours while we read; we never close it.

    Raises:
        StorageError: it cannot seek, or gives text.
    """

    def __init__(self, file: BinaryIO, *, name: str | None = None) -> None:
        given = name if name is not None else getattr(file, "name", None)
        self.name = given if isinstance(given, str) else f"<{type(file).__name__}>"
        self.file = file
        self.lock = threading.Lock()
        if isinstance(cast("object", file), io.TextIOBase):
            raise StorageError("gives text, not bytes; open it in binary mode", file=self.name)
        try:
            self.size = file.seek(0, os.SEEK_END)
        except (OSError, ValueError, AttributeError) as error:
            raise StorageError(f"cannot seek: {error}", file=self.name) from error

    def read_at(self, offset: int, buffer: WriteableBuffer) -> None:
        """Fill `buffer` from byte `offset` on; see `Reader`."""
        with self.lock:
            _fill(self.file, offset, buffer, name=self.name)


class MemoryBytes:
    """Bytes, or an array, in memory; kept, not copied, unless they do not lie end to end."""

    def __init__(self, data: Memory, *, name: str = "<bytes>") -> None:
        view = memoryview(cast("ReadableBuffer", data))
        if not view.c_contiguous:
            view = memoryview(view.tobytes())
        self._view = view.cast("B") if view.nbytes else memoryview(b"")  # nothing has no cast
        self.name = name
        self.size = len(self._view)

    def read_at(self, offset: int, buffer: WriteableBuffer) -> None:
        """Fill `buffer` from byte `offset` on; see `Reader`."""
        target = memoryview(buffer).cast("B")
        target[:] = self._view[offset : offset + len(target)]


def paths_of(part: object) -> tuple[Path, ...]:
    """Return the files behind a reader, source or sound; empty when it has none or does not say."""
    found = getattr(part, "paths", ())
    return tuple(found)


def check_range(name: str, start: int, count: int, limit: int) -> None:
    """Refuse a range outside 0..limit.

    Raises:
        ValueError: it is; this is misuse by the program, no fault of a file.
    """
    if start < 0 or count < 0 or start + count > limit:
        raise ValueError(f"{name}: {count} from {start} on are not within 0..{limit}")


class BlockSource:
    """Equal blocks of a reader: block i begins at `offset + i * stride`.

    A stride above the block size skips what lies between, so that the 2352 and the 96 bytes of
    a 2448-byte file are two sources over one file.

    Args:
        reader: where the bytes are.
        offset: first byte of block 0.
        block_size: bytes in a block.
        stride: bytes from one block to the next; None is `block_size`.
        block_count: None takes all that fit, a ragged end included when `pad` is set.
        pad: fill the last block with zeros where the reader ends inside it.

    Raises:
        StorageError: the reader is too short for what was asked.
    """

    def __init__(
        self,
        reader: Reader,
        *,
        offset: int = 0,
        block_size: int = SECTOR_BYTES,
        stride: int | None = None,
        block_count: int | None = None,
        pad: bool = False,
    ) -> None:
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


class FileSource(BlockSource):
    """Blocks of a file by path; opened at the first read. The arguments are `BlockSource`'s."""

    def __init__(
        self,
        path: str | os.PathLike[str],
        offset: int = 0,
        block_size: int = SECTOR_BYTES,
        stride: int | None = None,
        block_count: int | None = None,
        *,
        pad: bool = False,
    ) -> None:
        super().__init__(
            FileBytes(path),
            offset=offset,
            block_size=block_size,
            stride=stride,
            block_count=block_count,
            pad=pad,
        )


class StreamSource(BlockSource):
    """Blocks of a seekable binary file object. The arguments are `BlockSource`'s."""

    def __init__(
        self,
        file: BinaryIO,
        offset: int = 0,
        block_size: int = SECTOR_BYTES,
        stride: int | None = None,
        block_count: int | None = None,
        *,
        pad: bool = False,
    ) -> None:
        super().__init__(
            StreamBytes(file),
            offset=offset,
            block_size=block_size,
            stride=stride,
            block_count=block_count,
            pad=pad,
        )


class ArraySource(BlockSource):
    """Blocks of bytes or of a C-contiguous array. The arguments are `BlockSource`'s."""

    def __init__(
        self,
        data: Memory,
        offset: int = 0,
        block_size: int = SECTOR_BYTES,
        stride: int | None = None,
        block_count: int | None = None,
        *,
        pad: bool = False,
        name: str = "<bytes>",
    ) -> None:
        super().__init__(
            MemoryBytes(data, name=name),
            offset=offset,
            block_size=block_size,
            stride=stride,
            block_count=block_count,
            pad=pad,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SilenceSource:
    """Blocks of zeros: digital silence."""

    block_count: int
    block_size: int = SECTOR_BYTES
    name: str = "<silence>"

    def read(self, start: int, count: int) -> bytes:
        """Return zeros; see `Source`."""
        check_range(self.name, start, count, self.block_count)
        return bytes(count * self.block_size)

    def read_into(self, start: int, rows: Bytes2D) -> None:
        """Fill `rows` with zeros; see `ReadsInto`."""
        check_range(self.name, start, len(rows), self.block_count)
        rows[:] = 0


class PcmSound:
    """16-bit 44.1 kHz stereo samples as they stand in a reader, passed bit for bit.

    Args:
        reader: where the bytes are.
        offset: first byte of sample 0.
        sample_count: None takes all whole samples to the reader's end.
        big_endian: the samples are stored high byte first (AIFF, MOTOROLA).
    """

    def __init__(
        self,
        reader: Reader,
        *,
        offset: int = 0,
        sample_count: int | None = None,
        big_endian: bool = False,
    ) -> None:
        self._reader = reader
        self._offset = offset
        self._big_endian = big_endian
        held = max(0, reader.size - offset) // SAMPLE_BYTES
        self.sample_count = held if sample_count is None else sample_count
        if self.sample_count > held:
            raise StorageError(f"holds {held} samples, not {self.sample_count}", file=reader.name)

    @property
    def name(self) -> str:
        """The reader's name."""
        return self._reader.name

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files behind it."""
        return paths_of(self._reader)

    def read_samples(self, start: int, count: int) -> Samples:
        """Return samples `start` to `start + count`; see `Sound`."""
        import numpy as np

        samples = np.empty((count, 2), "<i2")
        self.read_samples_into(start, samples.reshape(-1).view(np.uint8))
        return samples.astype(np.int16, copy=False)

    def read_samples_into(self, start: int, flat: npt.NDArray[np.uint8]) -> None:
        """Fill contiguous bytes with samples from `start` on, little-endian as on the disc."""
        count = len(flat) // SAMPLE_BYTES
        check_range(self.name, start, count, self.sample_count)
        if count:
            self._reader.read_at(self._offset + start * SAMPLE_BYTES, flat.data)
            if self._big_endian:
                flat.view("<i2").byteswap(inplace=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundPart:
    """A stretch of a Sound.

    Attributes:
        sound: where the samples come from.
        start: its first sample.
        count: how many.
    """

    sound: Sound
    start: int
    count: int


class JoinedSound:
    """Stretches of sound end to end, as 2,352-byte blocks; the last block is filled with silence.

    A part may end anywhere: the next one goes on with the very next sample.
    """

    def __init__(self, parts: Sequence[SoundPart]) -> None:
        self.block_size = SECTOR_BYTES
        self.parts = tuple(part for part in parts if part.count)
        self._ends: list[int] = []
        total = 0
        for part in self.parts:
            check_range(part.sound.name, part.start, part.count, part.sound.sample_count)
            total += part.count
            self._ends.append(total)
        self.sample_count = total
        self.block_count = -(-total // SECTOR_SAMPLES)

    @property
    def name(self) -> str:
        """The name of the first sound, and how many follow."""
        names = list(dict.fromkeys(part.sound.name for part in self.parts))
        if not names:
            return "<no sound>"
        return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files behind it."""
        return tuple(dict.fromkeys(path for part in self.parts for path in paths_of(part.sound)))

    def read(self, start: int, count: int) -> bytes:
        """Return blocks `start` to `start + count`; see `Source`."""
        import numpy as np

        rows = np.empty((count, SECTOR_BYTES), np.uint8)
        self.read_into(start, rows)
        return rows.tobytes()

    def read_into(self, start: int, rows: Bytes2D) -> None:
        """Fill `rows`, one block a row; see `ReadsInto`."""
        import numpy as np

        check_range(self.name, start, len(rows), self.block_count)
        # Samples cross block borders, so they are laid end to end first; the copy stays in cache.
        flat = rows.reshape(-1) if rows.flags.c_contiguous else np.empty(rows.size, np.uint8)
        position = start * SECTOR_SAMPLES
        end = position + len(rows) * SECTOR_SAMPLES
        first_byte = 0
        for part, part_end in zip(self.parts, self._ends, strict=True):
            if part_end <= position:
                continue
            if position >= end:
                break
            count = min(part_end, end) - position
            last_byte = first_byte + count * SAMPLE_BYTES
            _read_sound_into(
                part.sound,
                part.start + part.count - (part_end - position),
                flat[first_byte:last_byte],
            )
            position += count
            first_byte = last_byte
        flat[first_byte:] = 0
        if not rows.flags.c_contiguous:
            rows[:] = flat.reshape(rows.shape)


def _read_sound_into(sound: Sound, start: int, flat: npt.NDArray[np.uint8]) -> None:
    """Fill contiguous bytes with samples, the short way where the sound offers one."""
    straight = getattr(sound, "read_samples_into", None)
    if straight is not None:
        straight(start, flat)
    else:
        samples = sound.read_samples(start, len(flat) // SAMPLE_BYTES)
        flat.view("<i2").reshape(-1, 2)[:] = samples
