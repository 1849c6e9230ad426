"""Streams as COM has them, over binary file objects, and IMAPI's ready-made ones."""

from __future__ import annotations

import io
import os
from abc import abstractmethod
from bisect import bisect_right
from itertools import accumulate
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING, Any, BinaryIO, Final, NamedTuple, NoReturn, cast

import numpy as np

from rawcd.errors import MasteringError
from rawcd.hresults import HResult

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from _typeshed import WriteableBuffer

    from rawcd.image import DiscImage

KEPT_IN_MEMORY: Final = 1 << 24
"""A stream of its own moves onto the disk beyond so many bytes."""
_PIECE: Final = 1 << 20
_ENDLESS: Final = (1 << 63) - 1
_STGTY_STREAM: Final = 2
_STGM_READWRITE: Final = 2
_NO_CLASS: Final = "{00000000-0000-0000-0000-000000000000}"


class StatStg(NamedTuple):
    """What Stat gives: STATSTG, in the order of pywin32's tuple, and by name."""

    pwcsName: str | None  # COM's own names, as scripts read them
    type: int
    cbSize: int
    mtime: Any = None
    ctime: Any = None
    atime: Any = None
    grfMode: int = 0
    grfLocksSupported: int = 0
    clsid: str = _NO_CLASS
    grfStateBits: int = 0
    reserved: int = 0


def _refuse(code: int, message: str) -> NoReturn:
    raise MasteringError(message, hresult=code)


class _OwnFile(SpooledTemporaryFile[bytes]):
    """Closed when the last one who holds it lets go, as COM's objects are."""

    def __del__(self) -> None:
        self.close()

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a byte; far beyond the end on the disk, where a gap is a hole."""
        before = self.tell()
        place = super().seek(offset, whence)
        if place > KEPT_IN_MEMORY:
            super().seek(before)  # from where the disk's file, too, can be asked to go there
            self.rollover()
            place = super().seek(offset, whence)
        return place


def own_file() -> BinaryIO:
    """Return a file of nobody else's: in memory while it is small."""
    return cast("BinaryIO", _OwnFile(max_size=KEPT_IN_MEMORY))


def resize(file: BinaryIO, size: int) -> None:
    """Cut a file, or lengthen it with zeros; a file on the disk gets a hole."""
    file.truncate(size)
    missing = size - file.seek(0, os.SEEK_END)
    while missing > 0:  # what is in memory is not lengthened by being cut
        missing -= file.write(bytes(min(missing, _PIECE)))


def _is_writable(file: BinaryIO) -> bool:
    writable = getattr(file, "writable", None)  # a script's own object need not have it
    return callable(getattr(file, "write", None)) and (writable is None or bool(writable()))


def _require_writable(file: BinaryIO) -> None:
    if not _is_writable(file):
        _refuse(HResult.STG_E_ACCESSDENIED, "this stream can only be read")


def copied(file: BinaryIO, target: BinaryIO, count: int) -> int:
    """Copy bytes from one stream's position to another's; return how many there were.

    Raises:
        MasteringError: the other one can only be read (STG_E_ACCESSDENIED).
    """
    _require_writable(target)
    done = 0
    while done < count and (piece := file.read(min(count - done, _PIECE))):
        target.write(piece)
        done += len(piece)
    return done


class ByteStream:
    """An IStream over a seekable binary file object, whose position it shares.

    Args:
        file: the bytes; None is a file of its own, empty.
        reopen: what opens the same bytes again, for Clone; None where nothing does.
        name: what Stat calls it.
    """

    def __init__(
        self,
        file: BinaryIO | None = None,
        *,
        reopen: Callable[[], BinaryIO] | None = None,
        name: str | None = None,
    ) -> None:
        self.file = own_file() if file is None else file
        self._reopen = reopen
        given = name if name is not None else getattr(file, "name", None)
        self.name = given if isinstance(given, str) else None

    @classmethod
    def of_image(cls, image: DiscImage) -> ByteStream:
        """Return the stream of a finished image."""
        return cls(image.open(), reopen=image.open)

    def read(self, count: int) -> bytes:
        """Read so many bytes; fewer at the end (ISequentialStream::Read)."""
        if count < 0:
            _refuse(HResult.E_INVALIDARG, f"{count} bytes cannot be read")
        pieces = []
        while count and (piece := self.file.read(min(count, _PIECE))):
            pieces.append(piece)
            count -= len(piece)
        return b"".join(pieces)

    def write(self, data: bytes) -> int:
        """Write bytes at the position; returns how many (ISequentialStream::Write)."""
        _require_writable(self.file)
        return self.file.write(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a byte, from the start (0), the position (1) or the end (2); returns the place."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self.file.tell(), os.SEEK_END: 0}.get(whence)
        if base is None:
            _refuse(HResult.STG_E_INVALIDFUNCTION, f"{whence} is no origin; there are 0, 1 and 2")
        if whence == os.SEEK_END:
            base = self._size()
        if base + offset < 0:
            _refuse(HResult.STG_E_INVALIDFUNCTION, f"byte {base + offset} lies before the start")
        if base + offset > _ENDLESS:
            _refuse(HResult.STG_E_INVALIDFUNCTION, f"byte {base + offset} has no 64-bit number")
        return self.file.seek(base + offset)

    def _size(self) -> int:
        position = self.file.tell()
        size = self.file.seek(0, os.SEEK_END)
        self.file.seek(position)
        return size

    def set_size(self, size: int) -> None:
        """Cut the stream, or lengthen it with zeros; the position stays (IStream::SetSize)."""
        _require_writable(self.file)
        if size < 0:
            _refuse(HResult.E_INVALIDARG, f"{size} is no size")
        position = self.file.tell()
        resize(self.file, size)
        self.file.seek(position)

    def copy_to(self, target: BinaryIO | None, count: int) -> int:
        """Copy bytes from the position to another stream's; returns how many (IStream::CopyTo)."""
        if target is None:
            _refuse(HResult.E_POINTER, "no stream to copy to was given")
        return copied(self.file, target, count)

    def commit(self, flags: int = 0) -> None:
        """Write out what is buffered (IStream::Commit)."""
        del flags
        flush = getattr(self.file, "flush", None)
        if flush is not None:
            flush()

    def revert(self) -> None:
        """Do nothing: such streams have no transactions (IStream::Revert)."""

    def lock_region(self, offset: int, count: int, kind: int) -> None:
        """Refuse: regions cannot be locked (IStream::LockRegion, UnlockRegion)."""
        _refuse(
            HResult.STG_E_INVALIDFUNCTION,
            f"{count} bytes at {offset} cannot be locked or unlocked (kind {kind})",
        )

    def stat(self, flag: int = 0) -> StatStg:
        """Tell name and size (IStream::Stat).

        Args:
            flag: 1 (STATFLAG_NONAME) leaves the name out.
        """
        return StatStg(
            pwcsName=None if flag & 1 else self.name,
            type=_STGTY_STREAM,
            cbSize=self._size(),
            grfMode=_STGM_READWRITE if _is_writable(self.file) else 0,
        )

    def clone(self) -> ByteStream:
        """Return a stream of the same bytes with a place of its own (IStream::Clone)."""
        if self._reopen is None:
            _refuse(HResult.E_NOTIMPL, "this stream's bytes cannot be opened a second time")
        again = ByteStream(self._reopen(), reopen=self._reopen, name=self.name)
        again.file.seek(self.file.tell())
        return again


class ForeignStream(io.RawIOBase):
    """The file object over a script's own IStream: an object with Read and Seek.

    Whatever such an object raises is an OSError that names the call: COM, too, lets no exception
    of a script's pass into the object that called it.

    Attributes:
        name: the object's class, for messages.
    """

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.name = type(stream).__name__

    def _ask(self, call: str, *arguments: Any) -> Any:
        try:
            return getattr(self._stream, call)(*arguments)
        except Exception as error:
            raise OSError(f"its {call} raised {error!r}") from error

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def writable(self) -> bool:
        """Whether it has Write."""
        return callable(getattr(self._stream, "Write", None))

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a byte; the stream may answer with the place, or with nothing."""
        place = self._ask("Seek", offset, whence)
        if place is None:
            place = offset if whence == os.SEEK_SET else self._ask("Seek", 0, os.SEEK_CUR)
        if not isinstance(place, int) or place < 0:
            raise OSError(f"its Seek tells no place: {place!r}")
        return place

    def tell(self) -> int:
        """Return the place."""
        return self.seek(0, os.SEEK_CUR)

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Fill the buffer, or a part of it."""
        view = memoryview(buffer).cast("B")
        given = self._ask("Read", len(view))
        try:
            data = bytes(memoryview(given or b""))
        except TypeError:
            raise OSError(f"its Read gave {type(given).__name__} instead of bytes") from None
        if len(data) > len(view):
            raise OSError(f"its Read gave {len(data)} bytes where {len(view)} were asked for")
        view[: len(data)] = data
        return len(data)

    def write(self, data: Any) -> int:
        """Write bytes; a stream that does not tell how many wrote them all."""
        written = self._ask("Write", bytes(data))
        return len(data) if written is None else int(written)


class _Made(io.RawIOBase):
    """Bytes that are made when they are asked for.

    Attributes:
        name: IMAPI's class, for messages.
    """

    name: str

    def __init__(self) -> None:
        self._position = 0

    @abstractmethod
    def _end(self) -> int:
        """Return how many bytes there are."""

    @abstractmethod
    def _fill(self, start: int, view: memoryview) -> int:
        """Fill the view with bytes from `start` on; returns how many."""

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a byte."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._end()}[whence]
        if base + offset < 0:
            raise ValueError(f"a seek to byte {base + offset}")
        self._position = base + offset
        return self._position

    def tell(self) -> int:
        """Return the place."""
        return self._position

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Fill the buffer, or as much of it as is left."""
        view = memoryview(buffer).cast("B")
        left = max(0, min(len(view), self._end() - self._position))
        done = self._fill(self._position, view[:left]) if left else 0
        self._position += done
        return done


class _Zeros(_Made):
    name = "MsftStreamZero"

    def __init__(self) -> None:
        super().__init__()
        self.size = _ENDLESS

    def _end(self) -> int:
        return self.size

    def _fill(self, start: int, view: memoryview) -> int:
        del start
        view[:] = bytes(len(view))
        return len(view)


class ZeroStream(ByteStream):
    """Zeros without end (MsftStreamZero); SetSize gives them one, ours."""

    def __init__(self) -> None:
        self._zeros = _Zeros()
        super().__init__(cast("BinaryIO", self._zeros))

    def set_size(self, size: int) -> None:
        """Say how many zeros there are (IStream::SetSize)."""
        if size < 0:
            _refuse(HResult.E_INVALIDARG, f"{size} is no size")
        self._zeros.size = size

    def clone(self) -> ByteStream:
        """Return another with a place of its own (IStream::Clone)."""
        again = ZeroStream()
        again.set_size(self._zeros.size)
        again.seek(self._zeros.tell())
        return again


class _Parts(_Made):
    """Stretches of files, one behind the other."""

    name = "MsftStreamConcatenate"

    def __init__(self) -> None:
        super().__init__()
        self._files: list[BinaryIO] = []
        self._ends: list[int] = []

    def _end(self) -> int:
        return min(self._ends[-1], _ENDLESS) if self._ends else 0

    def put(self, files: Sequence[BinaryIO]) -> None:
        """Take these files instead of what there was."""
        self._files = list(files)
        self._ends = list(accumulate(file.seek(0, os.SEEK_END) for file in files))

    def add(self, files: Sequence[BinaryIO]) -> None:
        """Take these files behind what there is."""
        self.put([*self._files, *files])

    def _fill(self, start: int, view: memoryview) -> int:
        number = bisect_right(self._ends, start)
        within = start - (self._ends[number - 1] if number else 0)
        return _read_at(self._files[number], within, view[: self._ends[number] - start])


class _Turns(_Made):
    """Files by turns: so many bytes of the first, so many of the second, and again."""

    name = "MsftStreamInterleave"

    def __init__(self) -> None:
        super().__init__()
        self._files: list[BinaryIO] = []
        self._sizes: list[int] = []
        self._ends: list[int] = []
        self._rounds = 0

    def put(self, files: Sequence[BinaryIO], sizes: Sequence[int]) -> None:
        """Take these files; each has to hold whole turns, and all of them as many."""
        rounds = set()
        for number, (file, size) in enumerate(zip(files, sizes, strict=True), 1):
            whole = file.seek(0, os.SEEK_END)
            count, rest = divmod(whole, size)
            if rest:
                _refuse(
                    HResult.E_INVALIDARG,
                    f"stream {number} has {whole} bytes, no multiple of its turn of {size}",
                )
            rounds.add(count)
        if len(rounds) > 1:
            counts = ", ".join(map(str, sorted(rounds)))
            _refuse(HResult.E_INVALIDARG, f"the streams have {counts} turns; all need as many")
        self._files, self._sizes = list(files), list(sizes)
        self._ends = list(accumulate(sizes))
        self._rounds = rounds.pop() if rounds else 0

    def _end(self) -> int:
        return self._rounds * self._ends[-1] if self._ends else 0

    def _fill(self, start: int, view: memoryview) -> int:
        whole = self._ends[-1]
        turn, skip = divmod(start, whole)
        if whole > _PIECE:  # a part of one stream's turn is enough for one read
            number = bisect_right(self._ends, skip)
            size = self._sizes[number]
            within = skip - (self._ends[number] - size)
            return _read_at(self._files[number], turn * size + within, view[: size - within])
        turns = min(-(-(skip + len(view)) // whole), max(1, _PIECE // whole))
        rows = np.empty((turns, whole), np.uint8)
        for file, size, end in zip(self._files, self._sizes, self._ends, strict=True):
            part = np.empty((turns, size), np.uint8)
            _read_at(file, turn * size, part.data.cast("B"))
            rows[:, end - size : end] = part
        made = rows.data.cast("B")[skip : skip + len(view)]
        view[: len(made)] = made
        return len(made)


def _read_at(file: BinaryIO, place: int, view: memoryview) -> int:
    file.seek(place)
    done = 0
    while done < len(view) and (piece := file.read(len(view) - done)):
        view[done : done + len(piece)] = piece
        done += len(piece)
    if done < len(view):
        raise OSError(f"a stream ended at byte {place + done}, before its measured end")
    return done


def _given(
    streams: Sequence[BinaryIO | None] | None, count: int | None, what: str
) -> list[BinaryIO]:
    if streams is None:
        _refuse(HResult.E_POINTER, f"{what}: no streams were given")
    if count is not None and not 0 < count <= len(streams):
        _refuse(HResult.E_INVALIDARG, f"{what}: {count} of {len(streams)} streams cannot be taken")
    taken = list(streams if count is None else streams[:count])
    if not taken or None in taken:
        _refuse(HResult.E_POINTER, f"{what}: a stream is missing")
    return cast("list[BinaryIO]", taken)


class ConcatenatedStream(ByteStream):
    """Streams one behind the other (MsftStreamConcatenate)."""

    def __init__(self) -> None:
        self._parts = _Parts()
        super().__init__(cast("BinaryIO", self._parts))

    def initialize(self, first: BinaryIO | None, second: BinaryIO | None) -> None:
        """Take two streams (Initialize)."""
        self._parts.put(_given([first, second], None, "Initialize"))
        self.file.seek(0)

    def initialize2(self, streams: Sequence[BinaryIO | None], count: int | None = None) -> None:
        """Take as many of the streams as `count` says, or all (Initialize2)."""
        self._parts.put(_given(streams, count, "Initialize2"))
        self.file.seek(0)

    def append(self, stream: BinaryIO | None) -> None:
        """Take a further stream (Append)."""
        self._parts.add(_given([stream], None, "Append"))

    def append2(self, streams: Sequence[BinaryIO | None], count: int | None = None) -> None:
        """Take further streams (Append2)."""
        self._parts.add(_given(streams, count, "Append2"))


class InterleavedStream(ByteStream):
    """Streams by turns (MsftStreamInterleave)."""

    def __init__(self) -> None:
        self._turns = _Turns()
        super().__init__(cast("BinaryIO", self._turns))

    def initialize(
        self,
        streams: Sequence[BinaryIO | None],
        sizes: Sequence[int],
        count: int | None = None,
    ) -> None:
        """Take streams and how many bytes of each make a turn (Initialize)."""
        taken = _given(streams, count, "Initialize")
        turns = list(sizes or ())[: len(taken)]
        if len(turns) < len(taken) or min(turns) <= 0:
            _refuse(HResult.E_INVALIDARG, "Initialize: every stream needs a turn of 1 byte or more")
        self._turns.put(taken, turns)
        self.file.seek(0)
