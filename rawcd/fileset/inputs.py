"""Files that are read: a sheet, and what it names beside it."""

from __future__ import annotations

import errno
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, Final

from rawcd.errors import FormatError, StorageError
from rawcd.image import Note
from rawcd.source import FileBytes

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping, Sequence

    from rawcd.source import Reader

HEAD_BYTES: Final = 64 * 1024
"""How much of a file a format is shown to say whether it is its own."""
_SHEET_LIMIT: Final = 16 * 1024 * 1024


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


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundFolder:
    """A folder that a sheet names.

    Attributes:
        path: where it is.
        note: why it is not the name as written, or None.
    """

    path: Path
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

    def _bytes(self, count: int) -> bytes:
        held = bytearray(count)
        self._main.read_at(0, held)
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

    def find_folder(self, name: str) -> FoundFolder:
        """Find a folder that the sheet names: as written, or in another case.

        Args:
            name: the name in the sheet, as in `find`; only folders below the sheet's are taken.

        Raises:
            FormatError: the name is empty or holds a NUL.
            StorageError: there is no such folder, or it lies outside the sheet's.
        """
        if name in self._members:
            return FoundFolder(path=self._members[name])
        written = PureWindowsPath(name)
        if not name.strip() or "\0" in name:
            raise FormatError(f"{name!r} is no folder name", file=self.name)
        if written.anchor or ".." in written.parts or not written.parts:
            raise StorageError(
                f"the folder {name!r} is not below the sheet's own; move it there",
                file=self.name,
                errno=errno.ENOENT,
            )
        folder = self._path.parent
        for candidate in (folder.joinpath(PurePosixPath(name)), folder.joinpath(*written.parts)):
            if _is_folder(candidate):
                return FoundFolder(path=candidate)
        found = _in_any_case(folder, written.parts, _is_folder)
        if found is None:
            raise StorageError(
                f"there is no folder {name!r} beside the sheet", file=self.name, errno=errno.ENOENT
            )
        remark = f"{name!r} was found as {found.name!r}"
        return FoundFolder(path=found, note=Note(code="file-name", message=remark, file=self.name))

    def _found(self, path: Path, remark: str | None) -> FoundFile:
        note = Note(code="file-name", message=remark, file=self.name) if remark else None
        return FoundFile(reader=self._open(path), suffix=path.suffix.lower(), note=note)


def _is_file(path: Path) -> bool:
    """Tell whether it is a file; a name that no file can have is none."""
    try:
        return path.is_file()
    except OSError:  # such as a name that is too long
        return False


def _is_folder(path: Path) -> bool:
    """Tell the same of a folder."""
    try:
        return path.is_dir()
    except OSError:
        return False


def _in_any_case(
    folder: Path, parts: Sequence[str], is_wanted: Callable[[Path], bool] = _is_file
) -> Path | None:
    """Return the file below `folder` whose path is `parts`, the case of letters apart."""
    wanted = parts[0].casefold()
    try:
        names = sorted(entry.name for entry in folder.iterdir())
    except OSError:
        return None
    for name in names:
        if name.casefold() == wanted:
            path = folder / name
            found = _in_any_case(path, parts[1:], is_wanted) if parts[1:] else path
            if found is not None and is_wanted(found):
                return found
    return None
