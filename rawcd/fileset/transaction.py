"""Files that appear under their names all at once, or never."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from rawcd.errors import StorageError
from rawcd.fileset.stretches import Stretch, start_storing

if TYPE_CHECKING:
    from collections.abc import Collection
    from types import TracebackType
    from typing import Self

    from _typeshed import ReadableBuffer

_FLOW_BYTES: Final = 8 * 1024 * 1024


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

    def rewrite(self, offset: int, data: ReadableBuffer) -> None:
        try:
            end = self._file.seek(0, os.SEEK_CUR)
            self._file.seek(offset)
            view = memoryview(data).cast("B")
            while view:
                view = view[self._file.write(view) :]
            self._file.seek(end)
        except OSError as error:
            raise StorageError.of(error, file=str(self.final), doing="write") from error

    def _flow(self, count: int) -> None:
        self._unadvised += count
        if self._unadvised >= _FLOW_BYTES:
            end = self._file.tell()
            start_storing(self._file.fileno(), end - self._unadvised, self._unadvised)
            self._unadvised = 0

    def stretch(self) -> Stretch | None:
        """Return where the next bytes go; see `SharesOut`."""
        if not hasattr(os, "pwrite"):  # Windows: what is written goes through this process
            return None
        about = os.fstat(self._file.fileno())
        return Stretch(
            path=self.temporary,
            offset=self._file.tell(),
            identity=(about.st_dev, about.st_ino),
            name=str(self.final),
        )

    def advance(self, size: int) -> None:
        """Go on behind bytes that were written at their places; see `SharesOut`."""
        self._file.seek(size, os.SEEK_CUR)
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


def check_free(path: Path) -> None:
    """Refuse a name under which something lies that nobody allowed to be replaced.

    Raises:
        StorageError: there is something.
    """
    if os.path.lexists(path):
        raise StorageError(
            "exists already; choose another name, or allow replacing it (--force, replace=True)",
            file=str(path),
            errno=errno.EEXIST,
        )


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
            check_free(path)

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
