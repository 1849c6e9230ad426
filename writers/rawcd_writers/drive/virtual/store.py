"""The recorded sectors of a virtual disc in a file, and beside it what the file cannot tell.

The file is the disc as format `raw` has it: sectors of 2,448 bytes in order of address from the
first lead-in on, so that a finished disc opens as an image. What is not recorded is a hole.

A disc that is not finished, or is not on a blank of the default kind, has a second file, `.pma`:
as on a real disc the program memory area tells which tracks there are until a lead-in does. It
is replaced whole whenever the state changes, and removed when the image alone says it all.
"""

from __future__ import annotations

import errno
import json
import logging
import os
import stat
import tempfile
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from rawcd.errors import FormatError, StorageError
from rawcd.msf import FIRST_LBA
from rawcd_writers.drive.virtual.refusals import BadSpot

if TYPE_CHECKING:
    from collections.abc import Callable

    from _typeshed import WriteableBuffer

    from rawcd.source import Bytes2D

_log = logging.getLogger(__name__)

SECTOR_BYTES: Final = 2448
_SIDE_SUFFIX: Final = ".pma"
_SIDE_VERSION: Final = 1


def _is_unix() -> bool:
    """Tell whether a file can be locked, and read and written at any place by several threads."""
    return hasattr(os, "pwrite") and hasattr(os, "preadv") and find_spec("fcntl") is not None


def _taken(path: Path) -> tuple[int, bool]:
    """Open a disc's file for one recorder alone, as a disc is in one drive at a time.

    A file that is not there is made, so that a blank is one recorder's, too. Of several who come
    at once one may make it and another get it: nobody removes it then, and it stays a blank.

    Returns:
        Its descriptor, and whether it was made.

    Raises:
        BlockingIOError: another recorder has it.
        OSError: it cannot be opened, or not be made.
    """
    while True:
        made = not path.exists()
        flags = os.O_RDWR | os.O_CLOEXEC | (os.O_CREAT | os.O_EXCL if made else 0)
        try:
            fd = os.open(path, flags, 0o666)
        except FileExistsError as error:
            if path.is_symlink():
                raise OSError(errno.ENOENT, "it is a link to what is not there") from error
            continue  # somebody else was quicker
        except FileNotFoundError:
            if made:
                raise
            continue  # a blank that went as it had come
        try:
            _lock(fd, path)
            if os.fstat(fd).st_nlink:
                return fd, made
        except BaseException:
            os.close(fd)
            raise
        os.close(fd)  # it was an unused blank, removed between opening and locking


def _lock(fd: int, path: Path) -> None:
    """Keep others from an open file, as far as its file system can.

    Raises:
        BlockingIOError: somebody else has it.
        OSError: it is no plain file.
    """
    import fcntl

    if not stat.S_ISREG(os.fstat(fd).st_mode):
        raise OSError(errno.EINVAL, "it is no file, but a device or a pipe")
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise
    except OSError as error:
        _log.info("%s is not locked: %s", path, error)


def _is_there(path: Path) -> bool:
    """Tell whether there is something of a name.

    Raises:
        StorageError: nobody may know, or no file can be called so.
    """
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise StorageError.of(error, file=str(path), doing="open") from error
    except ValueError as error:  # a NUL
        raise StorageError("is no name of a file", file=repr(str(path))) from error
    return True


def _check_folder(path: Path) -> None:
    """See, before anything is said of a blank, that it can be written where it is to be.

    Raises:
        StorageError: its folder is missing, or takes no files.
    """
    folder = path.absolute().parent
    if not folder.is_dir():
        raise StorageError(
            f"its folder {str(folder)!r} does not exist; make it first",
            file=str(path),
            errno=errno.ENOENT,
        )
    if not os.access(folder, os.W_OK | os.X_OK):
        raise StorageError(
            f"nothing can be written to its folder {str(folder)!r}",
            file=str(path),
            errno=errno.EACCES,
        )


class SectorStore:
    """Sectors of 2,448 bytes by address, in a file.

    Args:
        path: the file; one that is made here goes again unless something is recorded. None takes a
            temporary one.

    Attributes:
        name: what a message calls it.
        path: the file, whatever folder is the current one later on.
        first_lba: the address of its first sector.
        is_new: the file was made here, and nothing has been recorded yet.
        bad_sector: returns the first sector of a stretch that is too bad to be written, or None.

    Raises:
        StorageError: the file is there and cannot be opened for writing, or another recorder has
            it; it is not there and cannot be made.
    """

    def __init__(self, path: Path | None) -> None:
        self.name = "<virtual disc>" if path is None else str(path)
        self.path = None if path is None else path.absolute()
        self.first_lba = FIRST_LBA
        self.is_new = False
        self.bad_sector: Callable[[int, int], int | None] = lambda lba, count: None
        self._fd = -1
        if path is None:
            return
        if not _is_there(path):
            _check_folder(path)
        self._open()

    def _open(self) -> None:
        if not _is_unix():
            raise StorageError(
                "a virtual recorder needs the file calls of Unix, which are not here; write the "
                "image to a file instead",
                file=self.name,
            )
        try:
            if self.path is None:
                fd, name = tempfile.mkstemp(prefix="rawcd-", suffix=".raw")
                Path(name).unlink()  # it lives as long as it is open
                self._fd = fd
            else:
                self._fd, self.is_new = _taken(self.path)
        except BlockingIOError as error:
            raise StorageError(
                "is in another virtual recorder already; wait until it is done, or take another "
                "file",
                file=self.name,
                errno=error.errno,
            ) from error
        except OSError as error:
            raise StorageError.of(error, file=self.name, doing="open") from error

    def keep(self) -> None:
        """Have the file stay from here on, whatever is recorded in it.

        Raises:
            StorageError: a temporary one cannot be made.
        """
        self.is_new = False
        if self._fd < 0:
            self._open()

    @property
    def end_lba(self) -> int:
        """One past the last sector that the file holds whole."""
        return self.first_lba + self.size // SECTOR_BYTES

    def write(self, lba: int, rows: Bytes2D) -> None:
        """Record sectors (n, 2448), C-contiguous, from an address on.

        Raises:
            BadSpot: one of them is bad.
            StorageError: the file takes no more.
        """
        bad = self.bad_sector(lba, len(rows))
        if bad is not None:
            raise BadSpot(bad)
        self.keep()
        view = memoryview(rows.data).cast("B")
        offset = (lba - self.first_lba) * SECTOR_BYTES
        try:
            while view:
                done = os.pwrite(self._fd, view, offset)
                view, offset = view[done:], offset + done
        except OSError as error:
            raise StorageError.of(error, file=self.name, doing="write") from error

    def read(self, lba: int, count: int) -> Bytes2D:
        """Return sectors (n, 2448); what was never recorded is zero."""
        rows = np.zeros((count, SECTOR_BYTES), np.uint8)
        self.read_into(lba, rows)
        return rows

    def read_into(self, lba: int, rows: Bytes2D) -> None:
        """Fill rows (n, 2448), C-contiguous."""
        if self._fd < 0:
            rows[:] = 0
            return
        view = memoryview(rows.data).cast("B")
        offset = (lba - self.first_lba) * SECTOR_BYTES
        try:
            while view:
                done = os.preadv(self._fd, [view], offset)
                if not done:
                    view[:] = bytes(len(view))
                    return
                view, offset = view[done:], offset + done
        except OSError as error:
            raise StorageError.of(error, file=self.name, doing="read") from error

    @property
    def size(self) -> int:
        """Bytes of the file; with `read_at` it is a `Reader`."""
        return os.fstat(self._fd).st_size if self._fd >= 0 else 0

    def read_at(self, offset: int, buffer: WriteableBuffer) -> None:
        """Fill a buffer from a place in the file on; holes are zero."""
        view = memoryview(buffer).cast("B")
        try:
            while view:
                done = os.preadv(self._fd, [view], offset)
                if not done:
                    raise StorageError(f"ends at byte {offset}", file=self.name)
                view, offset = view[done:], offset + done
        except OSError as error:
            raise StorageError.of(error, file=self.name, doing="read") from error

    def cut(self, end_lba: int) -> None:
        """Forget the sectors from an address on."""
        if self._fd >= 0:
            size = max(end_lba - self.first_lba, 0) * SECTOR_BYTES
            try:
                os.ftruncate(self._fd, min(size, os.fstat(self._fd).st_size))
            except OSError as error:
                raise StorageError.of(error, file=self.name, doing="cut") from error

    def erase(self, first_lba: int) -> None:
        """Forget everything; the blank's own lead-in decides where the file begins now."""
        self.cut(self.first_lba)
        self.first_lba = first_lba

    def flush(self) -> None:
        """See that what was recorded survives the machine.

        Raises:
            StorageError: somebody removed the file.
        """
        if self._fd < 0 or self.path is None:
            return
        with suppress(OSError):
            os.fsync(self._fd)
        if not os.fstat(self._fd).st_nlink:
            raise StorageError("was removed while it was in the recorder", file=self.name)

    def close(self) -> None:
        """Let go of the file; a temporary one is gone, and a new one that holds nothing."""
        if self._fd < 0:
            return
        if self.is_new and self.path is not None:
            with suppress(OSError):  # nobody opens it meanwhile: it is still locked
                if os.path.samestat(self.path.lstat(), os.fstat(self._fd)):
                    self.path.unlink()
        os.close(self._fd)
        self._fd = -1


class SideFile:
    """The `.pma` file beside a virtual disc; without a path it keeps nothing."""

    def __init__(self, disc: Path | None) -> None:
        self.name = f"{disc}{_SIDE_SUFFIX}"
        self.path = None if disc is None else Path(self.name).absolute()

    def load(self) -> dict[str, Any] | None:
        """Return what it says, or None where there is none.

        Raises:
            FormatError: it is no such file.
            StorageError: it cannot be read.
        """
        if self.path is None:
            return None
        try:
            text = self.path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StorageError.of(error, file=self.name, doing="read") from error
        try:
            state = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise FormatError(f"is no JSON: {error}", file=self.name) from error
        if not isinstance(state, dict) or state.get("rawcd_pma") != _SIDE_VERSION:
            raise FormatError(
                f"is no state of a virtual disc in version {_SIDE_VERSION}; remove it to take "
                "the disc's file as it is",
                file=self.name,
            )
        return state

    def save(self, state: dict[str, Any] | None) -> None:
        """Replace it whole; None removes it.

        Raises:
            StorageError: it cannot be written.
        """
        if self.path is None:
            return
        part = self.path.with_name(f".{self.path.name}.part")
        try:
            if state is None:
                self.path.unlink(missing_ok=True)
                return
            part.write_text(json.dumps({"rawcd_pma": _SIDE_VERSION, **state}, indent=1) + "\n")
            part.replace(self.path)
        except OSError as error:
            with suppress(OSError):
                part.unlink(missing_ok=True)
            raise StorageError.of(error, file=self.name, doing="write") from error
