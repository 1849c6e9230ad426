"""Trees of files and folders: of the computer, of memory, of an earlier session."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Self

from rawcd.errors import AuthoringError, FormatError, StorageError
from rawcd.filesystem.values import MAX_DEPTH, Trouble, refuse
from rawcd.image import Note

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from rawcd.source import Reader

FILE_MODE: Final = 0o444
FOLDER_MODE: Final = 0o555


@dataclass(frozen=True, slots=True, kw_only=True)
class HostFile:
    """A file of this computer: measured when the tree was made, compared when it is read.

    Attributes:
        path: where it is.
        size: its bytes.
        modified_ns: when it was last written to.
        mode: its permissions.
    """

    path: str
    size: int
    modified_ns: int
    mode: int = FILE_MODE

    @property
    def modified(self) -> int:
        """In seconds of the epoch."""
        return self.modified_ns // 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryFile:
    """A file whose bytes are here."""

    data: bytes
    modified: int = 0
    mode: int = FILE_MODE

    @property
    def size(self) -> int:
        """Its bytes."""
        return len(self.data)


@dataclass(frozen=True, slots=True, kw_only=True)
class PieceFile:
    """A file whose bytes are a piece of something that is read by offset, such as a stash.

    Attributes:
        reader: what they are a piece of.
        offset: the first of them.
        size: how many they are.
        modified: in seconds of the epoch.
        mode: its permissions.
    """

    reader: Reader
    offset: int
    size: int
    modified: int = 0
    mode: int = FILE_MODE


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """A file that lies on the disc already, in one piece.

    Attributes:
        lba: its first block.
        size: its bytes.
        modified: in seconds of the epoch.
        mode: its permissions.
    """

    lba: int
    size: int
    modified: int = 0
    mode: int = FILE_MODE


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A symbolic link; only Rock Ridge keeps it."""

    target: str
    modified: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """Entries by name."""

    entries: Mapping[str, Entry] = field(default_factory=lambda: MappingProxyType({}))
    modified: int = 0
    mode: int = FOLDER_MODE


NewFile = HostFile | MemoryFile | PieceFile
"""A file that is still to be written on the disc."""
Entry = HostFile | MemoryFile | PieceFile | StoredFile | Link | Folder


@dataclass(frozen=True, slots=True, kw_only=True)
class FileTree:
    """What shall be on a volume, or is.

    Attributes:
        root: the root folder.
        name: what a message calls the tree.
        notes: what was left out on the way.
    """

    root: Folder
    name: str = "<tree>"
    notes: tuple[Note, ...] = ()

    @classmethod
    def from_folder(
        cls,
        path: str | os.PathLike[str],
        *,
        follow_links: bool = False,
        relax: bool = False,
    ) -> Self:
        """Return the tree below a folder, every file of it measured.

        Args:
            path: the folder.
            follow_links: take what links point to; else they stay links, which only Rock Ridge
                can hold.
            relax: leave out what is neither file, folder nor link, with a note, rather than
                refuse it.

        Raises:
            AuthoringError: there are special files, unreadable files, links to nothing or loops
                of links; all are named.
            StorageError: the folder itself cannot be read.
        """
        survey = _Survey(follow_links=follow_links, relax=relax)
        root = os.fspath(path)
        try:
            found = os.stat(root)  # noqa: PTH116 - twenty thousand Paths are half a second
            os.scandir(root).close()
        except OSError as error:
            raise StorageError.of(error, file=root, doing="read") from error
        except ValueError as error:  # a NUL in the name
            raise StorageError(f"cannot read: {error}", file=repr(root)) from error
        folder = survey.folder(root, found)
        refuse(survey.troubles)
        return cls(root=folder, name=root, notes=tuple(survey.notes))

    @classmethod
    def from_parts(
        cls,
        parts: Iterable[tuple[str, str | os.PathLike[str]]],
        *,
        follow_links: bool = False,
        relax: bool = False,
    ) -> Self:
        """Return a tree grafted together: pairs of a place on the volume and a file or folder.

        A folder's entries are laid into that place, a file lies at it. Later parts cover earlier
        ones. The other arguments are `from_folder`'s.

        Raises:
            AuthoringError: as `from_folder`; or two parts want one name as file and as folder.
            StorageError: a part cannot be found.
        """
        tree = cls(root=Folder(), name="<parts>")
        for place, path in parts:
            host = Path(path)
            names = names_of(place)
            if host.is_dir():
                part = cls.from_folder(host, follow_links=follow_links, relax=relax)
            else:
                if not names:
                    raise AuthoringError(f"{host}: a file needs a name on the volume", rule="graft")
                survey = _Survey(follow_links=True, relax=False)
                entry = survey.entry(os.fspath(path))
                refuse(survey.troubles)
                assert entry is not None, "an entry that is missing is a trouble"
                part = cls(root=Folder(entries={names.pop(): entry}))
            for name in reversed(names):
                inner = Folder(entries={name: part.root}, modified=part.root.modified)
                part = replace(part, root=inner)
            tree = tree.overlaid(part)
        return tree

    def overlaid(self, upper: FileTree) -> Self:
        """Return both trees in one; where both have a path, `upper` is seen.

        Folders are merged; a file over a folder, or the other way round, takes its place.
        """
        return replace(
            self,
            root=_overlaid(self.root, upper.root),
            name=upper.name,
            notes=(*self.notes, *upper.notes),
        )

    def walk(self) -> Iterator[tuple[str, Entry]]:
        """Give every path, such as `"/music/01.flac"`, and its entry.

        Folders come before what is in them, names in order.
        """
        pending: list[tuple[str, Entry]] = [("", self.root)]
        while pending:
            path, entry = pending.pop()
            if path:
                yield path, entry
            if isinstance(entry, Folder):
                names = sorted(entry.entries, reverse=True)
                pending.extend((f"{path}/{name}", entry.entries[name]) for name in names)

    def get(self, path: str) -> Entry | None:
        """Return the entry at a path; None where there is none."""
        entry: Entry | None = self.root
        for name in names_of(path):
            entry = entry.entries.get(name) if isinstance(entry, Folder) else None
        return entry


def names_of(place: str) -> list[str]:
    """Return the parts of a path on the volume; it begins at the root, with a slash or without.

    Raises:
        AuthoringError: it climbs.
    """
    names = [name for name in place.split("/") if name not in ("", ".")]
    if ".." in names:
        raise AuthoringError(f"{place}: no place on a volume", rule="graft")
    return names


def _overlaid(lower: Folder, upper: Folder) -> Folder:
    entries = dict(lower.entries)
    for name, entry in upper.entries.items():
        below = entries.get(name)
        if isinstance(below, Folder) and isinstance(entry, Folder):
            entries[name] = _overlaid(below, entry)
        else:
            entries[name] = entry
    return replace(upper, entries=entries)


class _Survey:
    """Measures files and remembers what was wrong with them."""

    def __init__(self, *, follow_links: bool, relax: bool) -> None:
        self._follow = follow_links
        self._relax = relax
        self.troubles: list[Trouble] = []
        self.notes: list[Note] = []
        self._open: dict[tuple[int, int], str] = {}
        """The folders that we are in, by device and number: a link to one of them is a loop."""

    def folder(self, path: str, found: os.stat_result) -> Folder:
        identity = (found.st_dev, found.st_ino)
        self._open[identity] = path
        try:
            with os.scandir(path) as scan:
                names = sorted(entry.name for entry in scan)
        except OSError as error:
            self._trouble("unreadable-file", path, f"cannot be read: {error.strerror}")
            names = []
        entries: dict[str, Entry] = {}
        for name in names:
            entry = self.entry(os.path.join(path, name))  # noqa: PTH118 - see from_folder
            if entry is not None:
                entries[name] = entry
        del self._open[identity]
        return Folder(
            entries=entries,
            modified=int(found.st_mtime),
            mode=stat.S_IMODE(found.st_mode),
        )

    def entry(self, path: str) -> Entry | None:
        """Return what lies at a path; None where it was left out or is a trouble."""
        try:
            found = os.lstat(path)
            if stat.S_ISLNK(found.st_mode):
                if not self._follow:
                    return Link(target=os.readlink(path), modified=int(found.st_mtime))  # noqa: PTH115
                found = os.stat(path)  # noqa: PTH116
        except (OSError, ValueError) as error:
            self._broken(path, error)
            return None
        mode = found.st_mode
        if stat.S_ISREG(mode):
            if not os.access(path, os.R_OK):
                self._trouble("unreadable-file", path, "may not be read")
                return None
            return HostFile(
                path=path,
                size=found.st_size,
                modified_ns=found.st_mtime_ns,
                mode=stat.S_IMODE(mode),
            )
        if stat.S_ISDIR(mode):
            above = self._open.get((found.st_dev, found.st_ino))
            if above is not None:
                self._trouble("link-loop", path, f"leads back to {above}: a loop of links")
                return None
            if len(self._open) >= MAX_DEPTH:
                self._trouble("folder-depth", path, f"lies more than {MAX_DEPTH} folders deep")
                return None
            return self.folder(path, found)
        if self._relax:
            self.notes.append(
                Note(code="left-out", message=f"{_kind_of(mode)} was left out", file=path)
            )
            return None
        self._trouble("special-file", path, f"is {_kind_of(mode)}, not a file or folder")
        return None

    def _broken(self, path: str, error: OSError | ValueError) -> None:
        if not os.path.islink(path):  # noqa: PTH114
            why = error.strerror if isinstance(error, OSError) else error
            self._trouble("unreadable-file", path, f"cannot be read: {why}")
            return
        try:
            os.path.realpath(path, strict=True)
        except FileNotFoundError:
            target = os.readlink(path)  # noqa: PTH115
            self._trouble("link", path, f"is a link to {target}, which is not there")
        except OSError as deeper:
            # ELOOP: links that lead in a circle among themselves.
            self._trouble("link-loop", path, f"is a link that leads nowhere: {deeper.strerror}")

    def _trouble(self, rule: str, path: str, why: str) -> None:
        self.troubles.append(Trouble(rule=rule, path=path, why=why))


def _kind_of(mode: int) -> str:
    kinds = (
        (stat.S_ISFIFO, "a pipe"),
        (stat.S_ISSOCK, "a socket"),
        (stat.S_ISCHR, "a character device"),
        (stat.S_ISBLK, "a block device"),
    )
    return next((name for test, name in kinds if test(mode)), "no regular file")


def read_new_file(file: NewFile, offset: int, buffer: memoryview) -> None:
    """Fill `buffer` from byte `offset` of a file on, wherever its bytes are.

    Raises:
        StorageError: they cannot be read, or are not those that were measured.
    """
    if isinstance(file, MemoryFile):
        buffer[:] = file.data[offset : offset + len(buffer)]
    elif isinstance(file, PieceFile):
        file.reader.read_at(file.offset + offset, buffer)
    else:
        read_host_file(file, offset, buffer)


def read_host_file(file: HostFile, offset: int, buffer: memoryview) -> None:
    """Fill `buffer` from byte `offset` of a file on; opened for this alone, and compared.

    A volume has too many files to keep them open.

    Raises:
        StorageError: it cannot be read, or is not the file that was measured.
    """
    flags = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        handle = os.open(file.path, flags)
    except (OSError, ValueError) as error:
        known = error if isinstance(error, OSError) else OSError(str(error))
        raise StorageError.of(known, file=file.path, doing="read") from error
    try:
        _compare(file, os.fstat(handle))
        if offset:
            os.lseek(handle, offset, os.SEEK_SET)
        done = 0
        with os.fdopen(handle, "rb", buffering=0, closefd=False) as raw:
            while done < len(buffer) and (got := raw.readinto(buffer[done:])):
                done += got
    except StorageError:
        raise
    except OSError as error:
        raise StorageError.of(error, file=file.path, doing="read") from error
    finally:
        os.close(handle)
    if done < len(buffer):
        raise StorageError(
            f"ends at byte {offset + done}; it was longer when it was measured", file=file.path
        )


def _compare(file: HostFile, found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise StorageError("is no file any more", file=file.path)
    if found.st_size != file.size:
        raise StorageError(
            f"changed since it was added: it had {file.size} bytes, now {found.st_size}",
            file=file.path,
        )
    if found.st_mtime_ns != file.modified_ns:
        raise StorageError("was written to since it was added", file=file.path)


def check_name(name: str, *, file: str, place: str) -> str:
    """Return a name that was read from a volume.

    Raises:
        FormatError: it cannot be a name of an entry.
    """
    if not name or name in (".", "..") or "/" in name or "\0" in name:
        raise FormatError(f"an entry is called {name!r}", file=file, place=place)
    return name
