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
import weakref
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
_ELSEWHERE: Final = f"name another folder with stash= or {FOLDER_VARIABLE}"
_LOCK_MODE: Final = 0o644
"""Whoever may look into the folder may ask for the lock; what is staged stays its owner's."""


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
    try:
        return (Path(home) if home else Path.home() / ".local" / "state") / "rawcd"
    except RuntimeError as error:  # this user has no home
        raise refusal(
            HResult.IMAPI_E_FILEACCESS, f"there is no place for the stash: {error}; {_ELSEWHERE}"
        ) from error


@dataclass(slots=True, kw_only=True)
class _Hold:
    """What a stash has of the system while it is taken; the process that took it gives it back.

    Attributes:
        path: where the file is.
        lock: the lock, open; -1 when it was let go of.
        file: the file, open; -1 as long as there is none.
        process: who took it; a fork has all this too, and must leave it alone.
    """

    path: Path
    lock: int
    process: int
    file: int = -1

    def remove(self) -> None:
        """Close the file and remove it."""
        if self.file < 0:
            return
        os.close(self.file)
        self.file = -1
        if self.process == os.getpid():
            try:
                self.path.unlink(missing_ok=True)
            except OSError as error:  # the next open finds it, and reports it
                _log.warning("%s: cannot be removed: %s", self.path, error)

    def let_go(self) -> None:
        """Remove the file and let others have the lock; may be repeated."""
        if self.lock < 0:
            return
        self.remove()
        if self.process == os.getpid():
            import fcntl

            fcntl.flock(self.lock, fcntl.LOCK_UN)  # closing is not enough while a fork has it
        os.close(self.lock)
        self.lock = -1


class Stash:
    """The stash of a folder. It is taken, filled, read, cleared and let go of.

    One that is forgotten, or whose program ends without a word, is let go of by itself. Bytes are
    counted from behind the header. It is a `Reader` of what is in it.

    Args:
        folder: where it lies; None is `default_folder()`.
        limit: bytes that the whole file may have.

    Attributes:
        folder: where it lies, from the root on.
        limit: as given.
        used: bytes in it.
    """

    def __init__(
        self, folder: str | os.PathLike[str] | None = None, *, limit: int = STASH_BYTES
    ) -> None:
        if limit <= HEADER_BYTES:
            raise ValueError(f"a stash of {limit} bytes holds nothing")
        given = default_folder() if folder is None else Path(folder)
        if folder == "" or b"\0" in os.fsencode(given):
            raise ValueError(f"{folder!r} can be no folder's name")
        self.folder = given.absolute()  # the program may go to another folder while it lasts
        self.limit = min(limit, STASH_BYTES)
        self.used = 0
        self._hold: _Hold | None = None
        self._ending: weakref.finalize[..., Stash] | None = None

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
        return self._hold is not None

    @property
    def _file(self) -> int:
        return -1 if self._hold is None else self._hold.file

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
            raise _trouble(error, self.folder, "look for") from error
        if self.is_taken or not there:
            return None
        lock = self._locked()
        if lock is None:
            return None
        try:
            return self._removed_leftover()
        finally:
            lock.let_go()

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
            raise _trouble(error, self.folder, "make") from error
        hold = self._locked()
        if hold is None:
            raise refusal(
                HResult.IMAPI_E_STASHINUSE,
                f"{self.folder}: another program masters a disc; only one at a time can",
            )
        self._hold = hold
        self._ending = weakref.finalize(self, hold.let_go)
        try:
            self._removed_leftover()
            self.reserve(kind, wanted)
        except BaseException:
            self.release()
            raise

    def reserve(self, kind: DiscMasterFormat, wanted: int) -> None:
        """Reserve room for so many bytes, those in it included.

        Raises:
            MasteringError: the volume does not do; see `take`. It is not taken (E_UNEXPECTED).
        """
        if self._hold is None:
            raise refusal(HResult.E_UNEXPECTED, f"{self.path}: is not taken")
        size = HEADER_BYTES + min(wanted, self.room)
        try:
            held = os.fstat(self._file).st_size if self._file >= 0 else 0
            if held >= size:
                return
            StashVolume.of(self.folder).check(size - held, folder=self.folder)
            if self._hold.file < 0:
                flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
                self._hold.file = os.open(self.path, flags, 0o600)
                self._write_header(kind)
            _fallocate(self._hold.file, size)
        except OSError as error:
            raise _trouble(error, self.path, "reserve room in") from error

    def clear(self) -> None:
        """Erase it; it stays ours."""
        self.used = 0
        if self._hold is not None:
            self._hold.remove()

    def release(self) -> None:
        """Erase it and let others have it; may be repeated."""
        self.used = 0
        if self._ending is not None:
            self._ending()
            self._ending = self._hold = None

    def _locked(self) -> _Hold | None:
        """Return the lock; None where another has it.

        Raises:
            MasteringError: it cannot be had at all (FILEACCESS), or there are none (E_NOTIMPL).
        """
        try:
            import fcntl
        except ImportError as error:
            raise refusal(
                HResult.E_NOTIMPL, "a stash needs the file locks of Unix, which are not here"
            ) from error
        path = self.folder / _LOCK
        try:
            handle = _opened_lock(path)
        except OSError as error:
            raise _trouble(error, path, "lock") from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(handle)
            if isinstance(error, BlockingIOError):
                return None
            raise _trouble(error, path, "lock") from error
        return _Hold(path=self.path, lock=handle, process=os.getpid())

    def _removed_leftover(self) -> StashLeftover | None:
        """Remove a stash that was left behind; the lock is ours, so its program is gone."""
        try:
            found = os.lstat(self.path)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _trouble(error, self.path, "clear") from error
        if not stat.S_ISREG(found.st_mode):
            raise _no_stash(self.path)
        try:
            handle = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
            with os.fdopen(handle, "rb") as file:
                head = file.read(_HEADER.sizeof())
            left = self._leftover(head, found)
            self.path.unlink()
        except PermissionError as error:
            raise refusal(
                HResult.IMAPI_E_FILEACCESS,
                f"{self.path}: user {found.st_uid} left it, and it is theirs to remove; or "
                f"{_ELSEWHERE}",
            ) from error
        except OSError as error:
            raise _trouble(error, self.path, "clear") from error
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
            raise _no_stash(self.path)
        try:
            fields = _HEADER.parse(head)
        except (construct.ConstructError, UnicodeError) as error:
            raise _no_stash(self.path) from error
        if fields.version != _VERSION:
            raise _no_stash(self.path)
        return StashLeftover(
            path=self.name,
            process=fields.process,
            began=min(fields.began, int(found.st_mtime)),
            used=min(fields.used, max(0, found.st_size - HEADER_BYTES)),
            format=fields.format,
        )

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
            raise _trouble(error, self.path, "write") from error
        return start

    def note_used(self) -> None:
        """Put into the header how much is in it, for whoever finds it after a crash."""
        place = _HEADER.sizeof() - _HEADER.format.sizeof() - 8
        try:
            os.pwrite(self._file, self.used.to_bytes(8, "little"), place)
        except OSError as error:
            raise _trouble(error, self.path, "write") from error

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


def _opened_lock(path: Path) -> int:
    """Open the lock, which whoever comes first makes; others need not be able to write it.

    Raises:
        MasteringError: what lies in its place is no file (FILEACCESS).
    """
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK  # a FIFO would wait
    try:
        handle = os.open(path, flags)
    except FileNotFoundError:
        try:
            handle = os.open(path, flags | os.O_CREAT | os.O_EXCL, _LOCK_MODE)
        except FileExistsError:  # somebody came between
            handle = os.open(path, flags)
    found = os.fstat(handle)
    if not stat.S_ISREG(found.st_mode):
        os.close(handle)
        raise _no_stash(path)
    ours = found.st_uid == os.geteuid() and found.st_nlink == 1 and not found.st_size
    if ours and found.st_mode & _LOCK_MODE != _LOCK_MODE:
        os.fchmod(handle, _LOCK_MODE)  # the umask must not keep other users from asking for it
    return handle


def _no_stash(path: Path) -> Exception:
    return refusal(
        HResult.IMAPI_E_FILEACCESS,
        f"{path}: lies where the stash belongs and is none; move it, or {_ELSEWHERE}",
    )


def _trouble(error: OSError, path: Path, doing: str) -> Exception:
    code = HResult.IMAPI_E_FILEACCESS
    if error.errno in _NO_ROOM:
        code = HResult.IMAPI_E_NOTENOUGHDISKFORSTASH
    told = StorageError.of(error, file=str(path), doing=doing)
    return refusal(code, f"{told}; {_ELSEWHERE}")


def _fallocate(handle: int, size: int) -> None:
    """Give a file its room on the disk, where the file system can."""
    try:
        os.posix_fallocate(handle, 0, size)
    except (AttributeError, OSError) as error:
        if isinstance(error, OSError) and error.errno not in _CANNOT_RESERVE:
            raise
        os.ftruncate(handle, size)
