"""Where the names in a sheet are looked up: a folder, or the archive that the sheet is in."""

from __future__ import annotations

import errno
import stat
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, Final, Literal, Protocol

from rawcd.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rawcd.fileset.archive import Archive, Member

_Kind = Literal["file", "folder", "other"]
TRUST: Final = "--trust-paths"
"""What lets names lead out of the sheet's folder, as remedies call it."""


class Place(Protocol):
    """Where names are looked up.

    Attributes:
        follows: names may lead out of it.
    """

    follows: bool

    def as_written(self, name: str) -> Path | Member | None:
        """Return the file of that name, letter by letter.

        Raises:
            StorageError: it must not be read.
        """
        ...

    def in_any_case(self, parts: Sequence[str]) -> Path | Member | None:
        """Return the file of that name, the case of letters apart; raises as `as_written`."""
        ...


class Folder:
    """The folder of a sheet on disk.

    Links may lead anywhere below the sheet's own folder, however that is reached: the folder is
    resolved first, so that a linked music folder is as good as a plain one. Where the sheet is a
    link itself, the folder that it leads to is its own, too.

    Args:
        sheet: the sheet.
        follows: names and links may lead out.
    """

    def __init__(self, sheet: Path, *, follows: bool) -> None:
        self.path = sheet.parent
        self.follows = follows
        self._sheet = sheet

    def as_written(self, name: str) -> Path | None:
        """Return the file of that name; see `Place`."""
        return self._exact(name, "file")

    def in_any_case(self, parts: Sequence[str]) -> Path | None:
        """Return the file of that name, the case of letters apart; see `Place`."""
        return self._any_case(parts, "file")

    def folder_as_written(self, name: str) -> Path | None:
        """Return the folder of that name; raises as `as_written`."""
        return self._exact(name, "folder")

    def folder_in_any_case(self, parts: Sequence[str]) -> Path | None:
        """Return the folder of that name, the case of letters apart; raises as `as_written`."""
        return self._any_case(parts, "folder")

    def _exact(self, name: str, wanted: _Kind) -> Path | None:
        parts = PureWindowsPath(name).parts
        for path in (self.path.joinpath(PurePosixPath(name)), self.path.joinpath(*parts)):
            kind = _kind(path)
            if kind == wanted:
                return self._inside(path, name)
            if kind == "other":
                raise StorageError(
                    f"{name!r} is a device or a pipe, no regular file",
                    file=str(self._sheet),
                    errno=errno.EINVAL,
                )
        return None

    def _any_case(self, parts: Sequence[str], wanted: _Kind) -> Path | None:
        found = _in_any_case(self.path, parts, wanted)
        return None if found is None else self._inside(found, "/".join(parts))

    def _inside(self, path: Path, name: str) -> Path:
        """Return a path that does not lead out of the folder through a link."""
        if self.follows:
            return path
        try:
            target = path.resolve()
            own = (self.path.resolve(), self._sheet.resolve().parent)
        except (OSError, RuntimeError) as error:  # the latter for links in a ring
            raise StorageError(
                f"cannot follow {name!r}: {error}", file=str(self._sheet), errno=errno.ELOOP
            ) from error
        if any(target.is_relative_to(folder) for folder in own):
            return path
        raise StorageError(
            f"{name!r} is a link that leads out of the sheet's folder, to {str(target)!r}; "
            f"put the file itself there, or allow it ({TRUST})",
            file=str(self._sheet),
            errno=errno.EACCES,
        )


class Inside:
    """The folder of a sheet within an archive; nothing leads out of the archive.

    Args:
        archive: the archive.
        folder: the sheet's folder in it.
    """

    follows = False

    def __init__(self, archive: Archive, folder: Sequence[str]) -> None:
        self._archive = archive
        self._folder = tuple(folder)

    def as_written(self, name: str) -> Member | None:
        """Return the file of that name; see `Place`."""
        return self._archive.as_written((*self._folder, *PureWindowsPath(name).parts))

    def in_any_case(self, parts: Sequence[str]) -> Member | None:
        """Return the file of that name, the case of letters apart; see `Place`."""
        return self._archive.in_any_case((*self._folder, *parts))


def _kind(path: Path) -> _Kind | None:
    """Return what lies at a path; at one that no file can have lies nothing."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return None
    if stat.S_ISREG(mode):
        return "file"
    return "folder" if stat.S_ISDIR(mode) else "other"


def _in_any_case(folder: Path, parts: Sequence[str], wanted: _Kind) -> Path | None:
    """Return what lies below `folder` at `parts`, the case of letters apart."""
    name = parts[0].casefold()
    try:
        names = sorted(entry.name for entry in folder.iterdir())
    except OSError:
        return None
    for each in names:
        if each.casefold() == name:
            path = folder / each
            found = _in_any_case(path, parts[1:], wanted) if parts[1:] else path
            if found is not None and _kind(found) == wanted:
                return found
    return None
