"""Bytes at an offset: of a file, a file object, memory."""

from __future__ import annotations

import io
import os
import sys
import threading
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final, cast

from rawcd.errors import StorageError

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

    from rawcd.source.protocols import Memory, Reader

_BYTES: Final = ("B", "<B", "c")
"""What `struct` calls the items of a buffer of bytes."""
_SAMPLES: Final = ("<h", "h") if sys.byteorder == "little" else ("<h",)


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
    except (ValueError, TypeError) as error:  # a closed file object, or one that gives no bytes
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
        given = os.fsdecode(path)
        self.path = Path(given)
        try:
            found = self.path.stat()
        except OSError as error:
            raise StorageError.of(error, file=given, doing="open") from error
        except ValueError as error:  # a NUL in the name
            raise StorageError(f"cannot open: {error}", file=repr(given)) from error
        if not self.path.is_file():
            raise StorageError("is no file", file=given or "''")
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
            end: int | None = file.seek(0, os.SEEK_END)
            self.size = file.tell() if end is None else end  # some objects' seek() answers nothing
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


def reader_of(given: object, *, samples: bool = False) -> Reader | None:
    """Return what reads a path, a buffer of bytes or a binary file object; None for all else.

    A buffer is bytes, a bytearray, a memoryview, an mmap, an array of uint8.

    Args:
        given: what may be one of these.
        samples: take a buffer of 16-bit numbers, as a disc orders their bytes, too.

    Raises:
        StorageError: the file cannot be found, or the object cannot seek.
    """
    if isinstance(given, FileBytes):
        return given
    if isinstance(given, (str, os.PathLike)):
        return FileBytes(given)
    try:
        view = memoryview(cast("ReadableBuffer", given))
    except TypeError:
        pass
    else:
        is_array = hasattr(given, "__array_interface__")
        name = "<array>" if is_array else "<bytes>"
        fits = view.format in _BYTES or (samples and view.format in _SAMPLES)
        return MemoryBytes(view, name=name) if fits else None
    if hasattr(given, "read") and hasattr(given, "seek"):
        return StreamBytes(cast("BinaryIO", given))
    return None


def paths_of(part: object) -> tuple[Path, ...]:
    """Return the files behind a reader, source or sound; empty when it has none or does not say."""
    found = getattr(part, "paths", ())
    return tuple(found)
