"""The stash: the one file in which an image grows until it is burned (IMAPI's IDiscStash).

IMAPI gives the whole system one hidden stash of at most 800 MB; who has it, has it alone. Here it
is a file in a folder of its own, and beside it a lock, which the system takes back from a program
that dies. A stash that outlived its program is told by its header and cleared by the next open.
"""

from __future__ import annotations

import errno
import logging
import os
import stat
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import construct

from rawcd.errors import StorageError
from rawcd.hresults import HResult
from rawcd.mastering.refusals import refusal
from rawcd.mastering.stashvolume import StashVolume

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

    from rawcd.mastering.states import DiscMasterFormat

_log = logging.getLogger(__name__)

STASH_BYTES: Final = 800 << 20
"""The most that a stash may hold, its header included."""
HEADER_BYTES: Final = 4096
FOLDER_VARIABLE: Final = "RAWCD_STASH"
_HEADER: Final = construct.Struct(
    "magic" / construct.Bytes(8),
    "version" / construct.Int32ul,
    "process" / construct.Int32ul,
    "began" / construct.Int64ul,  # seconds of the epoch
    "used" / construct.Int64ul,  # bytes behind the header that are part of an image
    "format" / construct.PaddedString(40, "ascii"),
)
_MAGIC: Final = b"RAWCDSTH"
_VERSION: Final = 1
_FILE: Final = "stash"
_LOCK: Final = "lock"
_NO_ROOM: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_CANNOT_RESERVE: Final = (errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS)
_SYSTEM_FOLDER: Final = Path("/var/lib/rawcd")


@dataclass(frozen=True, slots=True, kw_only=True)
class StashLeftover:
    """A stash that its program never cleared; what was in it is gone.

    Attributes:
        path: the file.
        process: the number of the program that made it.
        began: when, in seconds of the epoch.
        used: bytes that were staged.
        format: the format's IID, or what the header has for it.
    """

    path: str
    process: int
    began: int
    used: int
    format: str

    def __str__(self) -> str:
        when = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(self.began))
        return (
            f"{self.path}: a stash with {self.used} bytes that process {self.process} began at "
            f"{when} UTC and never cleared; it was removed"
        )


def default_folder() -> Path:
    """Return where the stash lies: one place for all users if it is theirs to use, else one each.

    `RAWCD_STASH` names another; `/var/lib/rawcd` is for all users where the system's keeper has
    made it writable; else it is a folder `rawcd` below `XDG_STATE_HOME` or `~/.local/state`.
    """
    named = os.environ.get(FOLDER_VARIABLE)
    if named:
        return Path(named)
    if os.access(_SYSTEM_FOLDER, os.W_OK | os.X_OK):
        return _SYSTEM_FOLDER
    home = os.environ.get("XDG_STATE_HOME")
    return (Path(home) if home else Path.home() / ".local" / "state") / "rawcd"


class Stash:
    """The stash of a folder. It is taken, filled, read, cleared and let go of.

    Bytes are counted from behind the header. It is a `Reader` of what is in it.

    Args:
        folder: where it lies; None is `default_folder()`.
        limit: bytes that the whole file may have.

    Attributes:
        folder: where it lies.
        limit: as given.
        used: bytes in it.
    """

    def __init__(
        self, folder: str | os.PathLike[str] | None = None, *, limit: int = STASH_BYTES
    ) -> None:
        if limit <= HEADER_BYTES:
            raise ValueError(f"a stash of {limit} bytes holds nothing")
        self.folder = default_folder() if folder is None else Path(folder)
        self.limit = min(limit, STASH_BYTES)
        self.used = 0
        self._file = -1
        self._lock = -1

    @property
    def path(self) -> Path:
        """The file."""
        return self.folder / _FILE

    @property
    def name(self) -> str:
        """What a message calls it."""
        return str(self.path)

    @property
    def size(self) -> int:
        """Bytes in it; see `Reader`."""
        return self.used

    @property
    def room(self) -> int:
        """The most bytes that can ever be in it."""
        return self.limit - HEADER_BYTES

    @property
    def is_taken(self) -> bool:
        """Whether it is ours."""
        return self._lock >= 0

    # -- who has it -------------------------------------------------------------------------------

    def clear_leftover(self) -> StashLeftover | None:
        """Look for a stash that nobody holds any more, and clear it.

        Returns:
            What it was; None where there was none, or where another program holds it.

        Raises:
            MasteringError: the folder cannot be used, or the file in it is no stash (FILEACCESS).
        """
        try:
            there = self.folder.is_dir()
        except OSError as error:
            raise self._trouble(error, "look for") from error
        if self.is_taken or not there or not self._take_lock():
            return None
        try:
            return self._removed_leftover()
        finally:
            self._let_go()

    def take(self, kind: DiscMasterFormat, wanted: int) -> None:
        """Take it for oneself and reserve its room on the disk.

        Args:
            kind: what will be staged.
            wanted: the most bytes that will be.

        Raises:
            MasteringError: another program has it (STASHINUSE); its volume is compressed,
                encrypted, removable or full; it cannot be written (FILEACCESS).
        """
        if self.is_taken:
            self.reserve(kind, wanted)
            return
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise self._trouble(error, "make") from error
        if not self._take_lock():
            raise refusal(
                HResult.IMAPI_E_STASHINUSE,
                f"{self.folder}: another program masters a disc; only one at a time can",
            )
        try:
            self._removed_leftover()
            self.reserve(kind, wanted)
        except BaseException:
            self.release()
            raise

    def reserve(self, kind: DiscMasterFormat, wanted: int) -> None:
        """Reserve room for so many bytes, those in it included.

        Raises:
            MasteringError: the volume does not do; see `take`.
        """
        size = HEADER_BYTES + min(wanted, self.room)
        try:
            held = os.fstat(self._file).st_size if self._file >= 0 else 0
            if held >= size:
                return
            StashVolume.of(self.folder).check(size - held, folder=self.folder)
            if self._file < 0:
                flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
                self._file = os.open(self.path, flags, 0o600)
                self._write_header(kind)
            _fallocate(self._file, size)
        except OSError as error:
            raise self._trouble(error, "reserve room in") from error

    def clear(self) -> None:
        """Erase it; it stays ours."""
        self.used = 0
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
            try:
                self.path.unlink(missing_ok=True)
            except OSError as error:  # the next open finds it, and reports it
                _log.warning("%s: cannot be removed: %s", self.path, error)

    def release(self) -> None:
        """Erase it and let others have it; may be repeated."""
        if self.is_taken:
            self.clear()
            self._let_go()

    def _take_lock(self) -> bool:
        try:
            import fcntl
        except ImportError as error:
            raise refusal(
                HResult.E_NOTIMPL, "a stash needs the file locks of Unix, which are not here"
            ) from error
        try:
            handle = self._open_lock()
        except OSError as error:
            raise self._trouble(error, "lock") from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(handle)
            if isinstance(error, BlockingIOError):
                return False
            raise self._trouble(error, "lock") from error
        self._lock = handle
        return True

    def _open_lock(self) -> int:
        """Open the lock, which whoever comes first makes; others need not be able to write it."""
        path, flags = self.folder / _LOCK, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            return os.open(path, flags)
        except FileNotFoundError:
            return os.open(path, flags | os.O_CREAT, 0o644)

    def _let_go(self) -> None:
        os.close(self._lock)  # the lock goes with it
        self._lock = -1

    def _removed_leftover(self) -> StashLeftover | None:
        """Remove a stash that was left behind; the lock is ours, so its program is gone."""
        try:
            found = os.lstat(self.path)
            if not stat.S_ISREG(found.st_mode):
                raise self._no_stash()
            handle = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
            with os.fdopen(handle, "rb") as file:
                head = file.read(_HEADER.sizeof())
            left = self._leftover(head, found)
            self.path.unlink()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._trouble(error, "clear") from error
        _log.warning("%s", left)
        return left

    def _leftover(self, head: bytes, found: os.stat_result) -> StashLeftover:
        """Return what a header says; it may have been cut off before it was written.

        Raises:
            MasteringError: this is a file of somebody's (FILEACCESS).
        """
        if not head:
            return StashLeftover(
                path=self.name, process=0, began=int(found.st_mtime), used=0, format=""
            )
        if len(head) < _HEADER.sizeof() or not head.startswith(_MAGIC):
            raise self._no_stash()
        try:
            fields = _HEADER.parse(head)
        except (construct.ConstructError, UnicodeError) as error:
            raise self._no_stash() from error
        if fields.version != _VERSION:
            raise self._no_stash()
        return StashLeftover(
            path=self.name,
            process=fields.process,
            began=min(fields.began, int(found.st_mtime)),
            used=min(fields.used, max(0, found.st_size - HEADER_BYTES)),
            format=fields.format,
        )

    def _no_stash(self) -> Exception:
        return refusal(
            HResult.IMAPI_E_FILEACCESS,
            f"{self.path}: lies where the stash belongs and is none; move it, or name another "
            f"folder with stash= or {FOLDER_VARIABLE}",
        )

    def _trouble(self, error: OSError, doing: str) -> Exception:
        code = HResult.IMAPI_E_FILEACCESS
        if error.errno in _NO_ROOM:
            code = HResult.IMAPI_E_NOTENOUGHDISKFORSTASH
        return refusal(code, str(StorageError.of(error, file=self.name, doing=doing)))

    # -- what is in it ----------------------------------------------------------------------------

    def _write_header(self, kind: DiscMasterFormat) -> None:
        header = _HEADER.build(
            {
                "magic": _MAGIC,
                "version": _VERSION,
                "process": os.getpid(),
                "began": int(time.time()),
                "used": self.used,
                "format": kind.value,
            }
        )
        os.pwrite(self._file, header, 0)

    def append(self, data: ReadableBuffer) -> int:
        """Add bytes behind those in it, and return where they begin.

        Raises:
            MasteringError: the stash is full (DISCFULL), or cannot be written (FILEACCESS).
        """
        view, start = memoryview(data).cast("B"), self.used
        if len(view) > self.room - start:
            raise refusal(
                HResult.IMAPI_E_DISCFULL,
                f"the stash has room for {self.room - start} bytes more, not for {len(view)}",
            )
        try:
            while view:
                done = os.pwrite(self._file, view, HEADER_BYTES + self.used)
                view, self.used = view[done:], self.used + done
        except OSError as error:
            self.used = start
            raise self._trouble(error, "write") from error
        return start

    def note_used(self) -> None:
        """Put into the header how much is in it, for whoever finds it after a crash."""
        place = _HEADER.sizeof() - _HEADER.format.sizeof() - 8
        try:
            os.pwrite(self._file, self.used.to_bytes(8, "little"), place)
        except OSError as error:
            raise self._trouble(error, "write") from error

    def cut(self, used: int) -> None:
        """Forget what was added behind so many bytes."""
        self.used = used

    def read_at(self, offset: int, buffer: WriteableBuffer) -> None:
        """Fill `buffer` from byte `offset` on; see `Reader`."""
        view = memoryview(buffer).cast("B")
        if offset < 0 or offset + len(view) > self.used:
            raise StorageError(f"holds {self.used} bytes, not {offset + len(view)}", file=self.name)
        while view:
            try:
                done = os.preadv(self._file, [view], HEADER_BYTES + offset)
            except OSError as error:
                raise StorageError.of(error, file=self.name, doing="read") from error
            if not done:
                raise StorageError(f"ends at byte {offset}", file=self.name)
            view, offset = view[done:], offset + done


def _fallocate(handle: int, size: int) -> None:
    """Give a file its room on the disk, where the file system can."""
    try:
        os.posix_fallocate(handle, 0, size)
    except (AttributeError, OSError) as error:
        if isinstance(error, OSError) and error.errno not in _CANNOT_RESERVE:
            raise
        os.ftruncate(handle, size)
