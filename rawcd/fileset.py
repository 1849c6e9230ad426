"""The files of one image: found beside a sheet, or made in one transaction.

Formats never see paths. `InputFiles` finds what a sheet names; `OutputFiles` stages what a
format writes, and everything appears at once or not at all.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import secrets
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, BinaryIO, Final, Protocol

from rawcd.errors import FormatError, StorageError, UnsupportedError
from rawcd.image import Note
from rawcd.source import FileBytes

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from types import TracebackType
    from typing import Self

    from _typeshed import ReadableBuffer

    from rawcd.source import Reader

HEAD_BYTES: Final = 64 * 1024
"""How much of a file a format is shown to say whether it is its own."""
_SHEET_LIMIT: Final = 16 * 1024 * 1024
_FLOW_BYTES: Final = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundFile:
    """A file that a sheet names.

    Attributes:
        reader: its bytes.
        suffix: its suffix in lower case, with the dot.
        note: why it is not the name as written, or None.
    """

    reader: Reader
    suffix: str
    note: Note | None = None


class InputFiles:
    """A file to be read, and what lies beside it.

    Args:
        path: the file itself.
        text: its content, when it is no file: a sheet made up by the caller.
        members: for such a sheet, the files its names stand for.

    Raises:
        StorageError: the file cannot be found.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        text: str | None = None,
        members: Mapping[str, str | os.PathLike[str]] | None = None,
    ) -> None:
        self._path = Path(path)
        self._text = text
        self._members = {name: Path(member) for name, member in (members or {}).items()}
        self._opened: dict[Path, FileBytes] = {}
        if text is None:
            self._main = self._open(self._path)

    @property
    def name(self) -> str:
        """The file's name, as messages call it."""
        return str(self._path)

    @property
    def suffix(self) -> str:
        """Its suffix in lower case, with the dot."""
        return self._path.suffix.lower()

    @property
    def opened(self) -> tuple[Path, ...]:
        """Every file that was handed out so far."""
        return tuple(self._opened)

    @property
    def reader(self) -> Reader:
        """The file's bytes."""
        return self._main

    def head(self) -> bytes:
        """Return the first 64 KiB, or as much as there is."""
        if self._text is not None:
            return self._text.encode()[:HEAD_BYTES]
        return self._bytes(min(HEAD_BYTES, self._main.size))

    def tail(self) -> bytes:
        """Return the last 64 KiB, or as much as there is: what some formats are told by."""
        if self._text is not None:
            return self._text.encode()[-HEAD_BYTES:]
        count = min(HEAD_BYTES, self._main.size)
        return self._bytes(count, self._main.size - count)

    def content(self) -> bytes:
        """Return the whole file: for sheets.

        Raises:
            FormatError: it is larger than any sheet.
            StorageError: it cannot be read.
        """
        if self._text is not None:
            return self._text.encode()
        if self._main.size > _SHEET_LIMIT:
            raise FormatError(f"{self._main.size} bytes are too many for a sheet", file=self.name)
        return self._bytes(self._main.size)

    def _bytes(self, count: int, offset: int = 0) -> bytes:
        held = bytearray(count)
        self._main.read_at(offset, held)
        return bytes(held)

    def _open(self, path: Path) -> FileBytes:
        if path not in self._opened:
            self._opened[path] = FileBytes(path)
        return self._opened[path]

    def find(self, name: str, *, suffixes: Sequence[str] = ()) -> FoundFile:
        r"""Find a file that the sheet names: as written, in another case, with another suffix.

        Only files below the sheet's folder are taken. A name that leads elsewhere (an absolute
        path, `..`) is looked up by its last part beside the sheet.

        Args:
            name: the name in the sheet; `/` and `\` both separate folders.
            suffixes: endings to try, in this order, when no file has the name.

        Raises:
            FormatError: the name is empty or holds a NUL.
            StorageError: there is no such file.
        """
        if name in self._members:
            path = self._members[name]
            return FoundFile(reader=self._open(path), suffix=path.suffix.lower())
        parts = PureWindowsPath(name).parts
        if not name.strip() or "\0" in name or not parts:
            raise FormatError(f"{name!r} is no file name", file=self.name)
        folder = self._path.parent
        as_written = PurePosixPath(name)
        if not (PureWindowsPath(name).anchor or ".." in parts):
            for candidate in (folder.joinpath(as_written), folder.joinpath(*parts)):
                if _is_file(candidate):
                    return self._found(candidate, None)
            if found := _in_any_case(folder, parts):
                return self._found(found, f"{name!r} was found as {found.name!r}")
        else:
            beside = _in_any_case(folder, parts[-1:]) if parts[-1:] != ("..",) else None
            if beside:
                return self._found(
                    beside, f"{name!r} leads out of the folder; {beside.name!r} beside it was taken"
                )
            raise StorageError(
                f"the file {name!r} lies outside the sheet's folder and none of that name "
                "is beside the sheet; move it there",
                file=self.name,
                errno=errno.ENOENT,
            )
        written = PureWindowsPath(name)
        # What follows the last dot may be a suffix, or part of the name ("no. 1").
        known = written.suffix.lower() in suffixes
        stems = (written.stem,) if known else (written.stem, written.name)
        for wanted in (stem + suffix for suffix in suffixes for stem in stems):
            if found := _in_any_case(folder, (*parts[:-1], wanted)):
                return self._found(found, f"{name!r} is missing; {found.name!r} was taken")
        raise StorageError(
            f"there is no file {name!r} beside the sheet",
            file=self.name,
            errno=errno.ENOENT,
        )

    def _found(self, path: Path, remark: str | None) -> FoundFile:
        note = Note(code="file-name", message=remark, file=self.name) if remark else None
        return FoundFile(reader=self._open(path), suffix=path.suffix.lower(), note=note)


def _in_any_case(folder: Path, parts: Sequence[str]) -> Path | None:
    """Return the file below `folder` whose path is `parts`, the case of letters apart."""
    wanted = parts[0].casefold()
    try:
        names = sorted(entry.name for entry in folder.iterdir())
    except OSError:
        return None
    for name in names:
        if name.casefold() == wanted:
            path = folder / name
            found = _in_any_case(path, parts[1:]) if parts[1:] else path
            if found is not None and _is_file(found):
                return found
    return None


def _is_file(path: Path) -> bool:
    """Tell whether it is a file; a name that no file can have is none."""
    try:
        return path.is_file()
    except OSError:  # such as a name that is too long
        return False


class OutputFile(Protocol):
    """A file that a format writes, from its first byte to its last."""

    @property
    def name(self) -> str:
        """The name under which it will appear, without folders."""
        ...

    def allocate(self, size: int) -> None:
        """Reserve room for the whole file, so that a full disk shows before the work.

        Raises:
            StorageError: there is not so much room.
        """
        ...

    def write(self, data: ReadableBuffer) -> None:
        """Write what follows.

        Raises:
            StorageError: it cannot be written.
        """
        ...


class OutputFiles(Protocol):
    """Where a format puts its files."""

    @property
    def name(self) -> str:
        """The name that was asked for, without folders: that of the sheet, or of the only file."""
        ...

    def create(self, name: str) -> OutputFile:
        """Begin a file beside the others.

        Raises:
            UnsupportedError: the target holds only one file.
            StorageError: it cannot be made.
        """
        ...


class _Staged:
    """A file under a temporary name."""

    def __init__(self, final: Path, temporary: Path) -> None:
        self.final = final
        self.temporary = temporary
        self._unadvised = 0
        self._ours = True
        self._file: BinaryIO = io.BytesIO()  # nothing can be written to it before `open`

    def open(self) -> None:
        """Create the file; an interrupt just then leaves it to `discard`."""
        try:
            # Unbuffered: blocks are large. Mode x: the random name must be ours alone.
            self._file = self.temporary.open("xb", buffering=0)
        except FileExistsError as error:
            self._ours = False
            raise StorageError.of(error, file=str(self.final), doing="create") from error
        except OSError as error:
            raise StorageError.of(error, file=str(self.final), doing="create") from error

    @property
    def name(self) -> str:
        return self.final.name

    def allocate(self, size: int) -> None:
        if size and hasattr(os, "posix_fallocate"):
            try:
                os.posix_fallocate(self._file.fileno(), 0, size)
            except OSError as error:
                if error.errno in (errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS):
                    return  # this file system cannot; the write will tell
                raise StorageError.of(
                    error, file=str(self.final), doing=f"reserve {size} bytes for"
                ) from error

    def write(self, data: ReadableBuffer) -> None:
        view = memoryview(data).cast("B")
        try:
            while view:
                view = view[self._file.write(view) :]
            self._flow(memoryview(data).nbytes)
        except OSError as error:
            raise StorageError.of(error, file=str(self.final), doing="write") from error

    def _flow(self, count: int) -> None:
        """Let the system begin to store what was written, so that the last sync is short.

        Advice on pages that are still dirty drops none of them: it only starts their way out.
        """
        self._unadvised += count
        if self._unadvised >= _FLOW_BYTES and hasattr(os, "posix_fadvise"):
            end = self._file.tell()
            os.posix_fadvise(
                self._file.fileno(),
                end - self._unadvised,
                self._unadvised,
                os.POSIX_FADV_DONTNEED,
            )
            self._unadvised = 0

    def finish(self) -> None:
        try:
            os.fsync(self._file.fileno())
            self._file.close()
        except OSError as error:
            raise StorageError.of(error, file=str(self.final), doing="write") from error

    def discard(self) -> None:
        with contextlib.suppress(OSError):
            self._file.close()
        if self._ours:
            with contextlib.suppress(OSError):
                self.temporary.unlink()


class FileTransaction:
    """The files of one save: all appear under their names at `commit()`, or none ever does.

    Used as a context manager; leaving the block without `commit()` removes everything.

    Args:
        path: the sheet, or the only file.
        replace: existing files may be replaced; they are, only when all new ones are complete.
        inputs: files that the image is read from; none of them is ever replaced.

    Raises:
        StorageError: the folder does not exist, or the file does and may not be replaced.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        replace: bool = False,
        inputs: Collection[Path] = (),
    ) -> None:
        self._main = Path(path)
        self._replace = replace
        self._inputs = tuple(inputs)
        self._staged: list[_Staged] = []
        self._committed = False
        folder = self._main.parent
        if not os.path.lexists(folder) or not folder.is_dir():
            raise StorageError(
                f"its folder {str(folder)!r} does not exist; make it first",
                file=str(self._main),
                errno=errno.ENOENT,
            )
        self.check(self._main.name)

    @property
    def name(self) -> str:
        """The main file's name, without folders."""
        return self._main.name

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files of the transaction, the main file last."""
        return tuple(staged.final for staged in self._in_order())

    def check(self, name: str) -> None:
        """Refuse a name that must not be written.

        Raises:
            StorageError: it leads elsewhere, is one of the inputs, or exists.
        """
        if name in ("", ".", "..") or "\0" in name or Path(name).name != name:
            raise StorageError("is no plain file name", file=name)
        path = self._main.parent / name
        if not os.path.lexists(path):
            return
        for given in self._inputs:
            if _same_file(path, given):
                raise StorageError(
                    f"is one of the inputs ({given}); write to another name", file=str(path)
                )
        if not path.is_file():
            what = "a folder" if path.is_dir() else "no regular file; give - to write to a pipe"
            raise StorageError(f"is {what}", file=str(path), errno=errno.EISDIR)
        if not self._replace:
            raise StorageError(
                "exists already; choose another name, or allow replacing it (--force)",
                file=str(path),
                errno=errno.EEXIST,
            )

    def create(self, name: str) -> _Staged:
        """Begin a file; see `OutputFiles`."""
        self.check(name)
        final = self._main.parent / name
        if any(staged.final == final for staged in self._staged):
            raise StorageError("would be written twice; choose another name", file=str(final))
        temporary = final.with_name(f".{name}.{secrets.token_hex(4)}.part")
        staged = _Staged(final, temporary)
        self._staged.append(staged)  # known before it is there, so that no interrupt can lose it
        try:
            staged.open()
        except StorageError:
            self._staged.remove(staged)
            raise
        return staged

    def _in_order(self) -> list[_Staged]:
        """Data first, the sheet last: a sheet never names an unfinished file."""
        return sorted(self._staged, key=lambda staged: staged.final == self._main)

    def commit(self) -> None:
        """Make every file durable, then let all appear; old ones come back if that fails.

        Raises:
            StorageError: a file cannot be completed or renamed.
        """
        for staged in self._staged:
            staged.finish()
        aside: list[tuple[Path, Path]] = []
        try:
            for staged in self._in_order():
                if os.path.lexists(staged.final):
                    self.check(staged.name)  # it may have come up while we worked
                    old = staged.final.with_name(f".{staged.name}.{secrets.token_hex(4)}.old")
                    aside.append((old, staged.final))  # first: an interrupt may follow the rename
                    _rename(staged.final, old)
            for staged in self._in_order():
                _rename(staged.temporary, staged.final)
        except BaseException:
            for staged in self._staged:
                if not os.path.lexists(staged.temporary):  # it is in place already
                    with contextlib.suppress(OSError):
                        staged.final.unlink()
            for old, final in aside:
                with contextlib.suppress(OSError):
                    old.rename(final)
            raise
        self._committed = True
        try:
            _sync_folder(self._main.parent)
        finally:
            for old, _ in aside:
                with contextlib.suppress(OSError):
                    old.unlink()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if not self._committed:
            for staged in self._staged:
                staged.discard()


def _same_file(one: Path, other: Path) -> bool:
    """Tell whether two names lead to one file; a name that leads nowhere is another file."""
    try:
        return one.samefile(other)
    except OSError:
        return False


def _rename(old: Path, new: Path) -> None:
    try:
        old.rename(new)
    except OSError as error:
        raise StorageError.of(error, file=str(new), doing="put in place") from error


def _sync_folder(folder: Path) -> None:
    """Make the renames durable, where folders can be opened and synced."""
    with contextlib.suppress(OSError, AttributeError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


class StreamOutput:
    """A binary stream as the only file of a save, such as a pipe.

    Nothing can be taken back from a pipe: what a target cannot hold is refused before.
    """

    def __init__(self, stream: BinaryIO, *, name: str = "<stdout>") -> None:
        self.name = name
        self._stream = stream
        self._used = False

    def create(self, name: str) -> StreamOutput:
        """Return the stream itself, once; see `OutputFiles`."""
        if self._used:
            raise UnsupportedError(f"a stream holds one file; {name!r} would be a second one")
        self._used = True
        return self

    def allocate(self, size: int) -> None:
        """Do nothing: a stream has no size."""

    def write(self, data: ReadableBuffer) -> None:
        """Write what follows; see `OutputFile`."""
        view = memoryview(data).cast("B")
        try:
            while view:
                view = view[self._stream.write(view) or 0 :]
        except OSError as error:
            raise StorageError.of(error, file=self.name, doing="write") from error
        except ValueError as error:  # a closed stream
            raise StorageError(f"cannot write: {error}", file=self.name) from error

    def finish(self) -> None:
        """Flush the stream; it stays open.

        Raises:
            StorageError: it cannot be flushed.
        """
        try:
            self._stream.flush()
        except OSError as error:
            raise StorageError.of(error, file=self.name, doing="write") from error
        except ValueError as error:  # a closed stream
            raise StorageError(f"cannot write: {error}", file=self.name) from error
