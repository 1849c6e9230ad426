"""ADODB.Stream, as far as bytes go: how scripts make a file an IStream."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Any, BinaryIO, Final, NoReturn

from rawcd.errors import MasteringError
from rawcd.hresults import HResult
from rawcd.imapi.streams import ByteStream, copied, own_file, resize

if TYPE_CHECKING:
    from collections.abc import Iterator

TYPE_BINARY: Final = 1
TYPE_TEXT: Final = 2
SAVE_OVERWRITE: Final = 2
_MODE_READ: Final = 1
_MODES: Final = {0, 1, 2, 3, 4, 8, 12, 16}
_PIECE: Final = 1 << 20

# ADO's own errors (ErrorValueEnum), as HRESULTs: FACILITY_CONTROL and the number.
WRONG_ARGUMENT: Final = 0x800A0BB9  # 3001 adErrInvalidArgument
CANNOT_OPEN: Final = 0x800A0BBA  # 3002 adErrOpeningFile
CANNOT_WRITE: Final = 0x800A0BBC  # 3004 adErrWriteFile
NOT_IN_THIS_CONTEXT: Final = 0x800A0C93  # 3219 adErrIllegalOperation
CLOSED: Final = 0x800A0E78  # 3704 adErrObjectClosed
OPEN: Final = 0x800A0E79  # 3705 adErrObjectOpen


def _refuse(code: int, message: str) -> NoReturn:
    raise MasteringError(message, hresult=code)


@contextlib.contextmanager
def _told_as(code: int, name: str, doing: str) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise MasteringError(f"{name}: cannot {doing}: {error}", hresult=code) from error


class AdoStream:
    """A stream of one's own bytes: in memory while it is small, else in a temporary file."""

    def __init__(self) -> None:
        self._file: BinaryIO | None = None
        self._type = TYPE_TEXT
        self._mode = 0

    @property
    def file(self) -> BinaryIO:
        """The bytes, as a file object: what stands for the stream where an IStream is wanted."""
        if self._file is None:
            _refuse(CLOSED, "the stream is closed; call Open first")
        return self._file

    def as_stream(self) -> ByteStream:
        """Return the bytes as an IStream, at the same position (QueryInterface)."""
        return ByteStream(self.file)

    def _binary(self) -> BinaryIO:
        if self._type != TYPE_BINARY:
            _refuse(NOT_IN_THIS_CONTEXT, "the stream holds text; put Type to adTypeBinary (1)")
        return self.file

    def _writable(self, file: BinaryIO) -> BinaryIO:
        if self._mode & 3 == _MODE_READ:
            _refuse(NOT_IN_THIS_CONTEXT, "the stream was opened for reading alone")
        return file

    def open(
        self,
        source: Any = None,
        mode: int = 0,
        options: int = -1,
        user: str = "",
        password: str = "",
    ) -> None:
        """Open the stream, empty (Open). Sources with URLs are beyond reach."""
        del options, user, password
        if source not in (None, ""):
            _refuse(HResult.E_NOTIMPL, "streams open empty here; LoadFromFile brings a file")
        if self._file is not None:
            _refuse(OPEN, "the stream is open")
        if mode:
            self.mode = mode
        self._file = own_file()

    def close(self) -> None:
        """Close the stream and lose its bytes (Close)."""
        self.file.close()
        self._file = None

    @property
    def type(self) -> int:
        """Bytes (adTypeBinary, 1) or text (adTypeText, 2), the default (Type)."""
        return self._type

    @type.setter
    def type(self, kind: int) -> None:
        if kind not in (TYPE_BINARY, TYPE_TEXT):
            _refuse(WRONG_ARGUMENT, f"{kind} is no type of stream; there are 1 and 2")
        if self._file is not None and self._file.tell():
            _refuse(NOT_IN_THIS_CONTEXT, "Type can only be put at Position 0")
        self._type = kind

    @property
    def mode(self) -> int:
        """What may be done with it; put while it is closed (Mode)."""
        return self._mode

    @mode.setter
    def mode(self, mode: int) -> None:
        if self._file is not None:
            _refuse(NOT_IN_THIS_CONTEXT, "Mode can only be put while the stream is closed")
        if mode & ~31 or (mode & ~3 and mode & ~3 not in _MODES):
            _refuse(WRONG_ARGUMENT, f"{mode} is no mode")
        self._mode = mode

    @property
    def state(self) -> int:
        """Closed (adStateClosed, 0) or open (adStateOpen, 1) (State)."""
        return int(self._file is not None)

    @property
    def size(self) -> int:
        """Bytes in it (Size)."""
        file = self.file
        place = file.tell()
        size = file.seek(0, os.SEEK_END)
        file.seek(place)
        return size

    @property
    def position(self) -> int:
        """Where the next byte is read or written; beyond the end lengthens it (Position)."""
        return self.file.tell()

    @position.setter
    def position(self, place: int) -> None:
        file = self.file
        if place < 0:
            _refuse(WRONG_ARGUMENT, f"{place} is no position")
        if place > self.size:
            with _told_as(CANNOT_WRITE, "the stream", "write"):
                resize(self._writable(file), place)
        file.seek(place)

    @property
    def eos(self) -> bool:
        """Whether the position is at the end (EOS)."""
        return self.position >= self.size

    def read(self, count: int = -1) -> bytes | None:
        """Read so many bytes, or all (adReadAll, -1); None at the end (Read)."""
        file = self._binary()
        if count < -1:
            _refuse(WRONG_ARGUMENT, f"{count} bytes cannot be read")
        return file.read(count) or None

    def write(self, data: bytes) -> None:
        """Write bytes at the position (Write)."""
        file = self._writable(self._binary())
        with _told_as(CANNOT_WRITE, "the stream", "write"):
            file.write(data)

    def set_eos(self) -> None:
        """Make the position the end (SetEOS)."""
        file = self._writable(self.file)
        file.truncate(file.tell())

    def copy_to(self, target: BinaryIO | None, count: int = -1) -> None:
        """Copy bytes from the position to another stream's, or all that follow (CopyTo)."""
        file = self.file
        if target is None:
            _refuse(WRONG_ARGUMENT, "no stream to copy to was given")
        if count < -1:
            _refuse(WRONG_ARGUMENT, f"{count} bytes cannot be copied")
        copied(file, target, self.size - self.position if count == -1 else count)

    def flush(self) -> None:
        """Do what there is to do: nothing (Flush)."""
        self.file.flush()

    def cancel(self) -> None:
        """Do nothing: no call runs on beyond its return (Cancel)."""

    def load_from_file(self, name: str) -> None:
        """Take a file's bytes instead of those that are there; the position is 0 (LoadFromFile)."""
        file = self._writable(self.file)
        fresh = own_file()
        with _told_as(CANNOT_OPEN, name, "open"), Path(name).open("rb") as given:
            while piece := given.read(_PIECE):
                fresh.write(piece)
        fresh.seek(0)
        file.close()
        self._file = fresh

    def save_to_file(self, name: str, options: int = 1) -> None:
        """Write all bytes into a file, whole or not at all; the position is 0 then (SaveToFile).

        Args:
            name: the file.
            options: adSaveCreateNotExist 1 or adSaveCreateOverWrite 2.
        """
        file = self.file
        if options not in (1, SAVE_OVERWRITE):
            _refuse(WRONG_ARGUMENT, f"{options} is no way to save; there are 1 and 2")
        target = Path(name)
        if not target.name:
            _refuse(WRONG_ARGUMENT, f"{name!r} is no file's name")
        with _told_as(CANNOT_WRITE, name, "write"):
            if options != SAVE_OVERWRITE and target.exists():
                raise OSError("it exists; give adSaveCreateOverWrite (2) to replace it")
            staged = target.with_name(f".{target.name}.{token_hex(4)}.part")
            try:
                with staged.open("xb") as out:
                    file.seek(0)
                    while piece := file.read(_PIECE):
                        out.write(piece)
                    out.flush()
                    os.fsync(out.fileno())
                staged.replace(target)
            except BaseException:
                staged.unlink(missing_ok=True)
                raise
        file.seek(0)
