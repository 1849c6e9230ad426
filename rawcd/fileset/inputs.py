"""Files that are read: a sheet, and what it names beside it."""

from __future__ import annotations

import copy
import errno
from dataclasses import dataclass
from pathlib import Path, PurePath, PureWindowsPath
from typing import TYPE_CHECKING, Final

from rawcd.errors import FormatError, StorageError
from rawcd.fileset import wrapped
from rawcd.fileset.places import TRUST, Folder, Inside
from rawcd.image import Note
from rawcd.source import FileBytes

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Mapping, Sequence

    from rawcd.errors import RawCDError
    from rawcd.fileset.archive import Archive, Member
    from rawcd.fileset.places import Place
    from rawcd.source import Reader

HEAD_BYTES: Final = 64 * 1024
"""How much of a file a format is shown to say whether it is its own."""
SHEET_LIMIT: Final = 1024 * 1024
"""Bytes of the longest sheet: 99 tracks of 99 indexes, with eight languages of text, take less."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundFile:
    """A file that a sheet names.

    Attributes:
        reader: its bytes, unpacked where it is wrapped.
        suffix: its suffix in lower case, with the dot; where it is wrapped, that of what is in it.
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
    """A file to be read, and what lies beside it; wrapped files are as if they were not.

    Files wrapped by gzip, xz, zstd or zip are known by their first bytes, and are unpacked when
    their bytes are asked for: into a private temporary file (TMPDIR says where) that goes when
    its last reader does. An archive of several files has to be asked for its `heads` first, and
    one of them `chosen`.

    Args:
        path: the file itself.
        text: its content, when it is no file: a sheet made up by the caller.
        members: for such a sheet, the files its names stand for.
        trust_paths: names and links may lead out of the sheet's folder.

    Raises:
        FormatError: it is an archive, and damaged.
        StorageError: the file cannot be found.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        text: str | None = None,
        members: Mapping[str, str | os.PathLike[str] | InputFiles] | None = None,
        trust_paths: bool = False,
    ) -> None:
        self._path = Path(path)
        self._text = text
        self._members = dict(members or {})
        self._room = wrapped.Room()
        self._measured: dict[Path, FileBytes] = {}
        self._readers: dict[tuple[Path, str], FileBytes] = {}
        self._place: Place = Folder(self._path, follows=trust_paths)
        self._archive: Archive | None = None
        self._main: FileBytes | wrapped.Wrapped | None = None
        if text is None:
            self._main = self._open(self._path)

    @property
    def name(self) -> str:
        """The file's name as it was given, as messages call it."""
        return str(self._path)

    @property
    def plain_name(self) -> str:
        """The name without its wrapping; for a file in an archive, its name there."""
        return self.name if self._main is None else _plain_name(self._main)

    @property
    def suffix(self) -> str:
        """The plain name's suffix in lower case, with the dot."""
        return PurePath(self.plain_name).suffix.lower()

    @property
    def stem(self) -> str:
        """The plain name without folders and suffix: how files beside the main one are called."""
        return PurePath(self.plain_name).stem

    @property
    def trusts_paths(self) -> bool:
        """Whether names and links may lead out of the sheet's folder."""
        return self._place.follows

    @property
    def opened(self) -> tuple[Path, ...]:
        """Every file that was handed out so far; of wrapped ones, the wrapping."""
        return tuple(self._measured)

    @property
    def reader(self) -> Reader:
        """The file's bytes.

        Raises:
            FormatError: it is wrapped, and damaged, or holds more than a disc does.
            StorageError: it is wrapped, and cannot be unpacked.
            UnsupportedError: it is in an archive that encrypts it.
            MissingExtraError: it is wrapped by zstd, and there is no library for it.
        """
        return self._reader_of(self._whole())

    def head(self) -> bytes:
        """Return the first 64 KiB, or as much as there is; raises as `reader`."""
        if self._text is not None:
            return self._text.encode()[:HEAD_BYTES]
        main = self._whole()
        if isinstance(main, FileBytes):
            return _bytes(main, min(HEAD_BYTES, main.size))
        return wrapped.head_of(main, HEAD_BYTES)

    def tail(self) -> bytes:
        """Return the last 64 KiB, or as much as there is: what some formats are told by."""
        if self._text is not None:
            return self._text.encode()[-HEAD_BYTES:]
        reader = self.reader
        held = bytearray(min(HEAD_BYTES, reader.size))
        reader.read_at(reader.size - len(held), held)
        return bytes(held)

    def content(self) -> bytes:
        """Return the whole file, for sheets; raises as `reader`, and when it is too long."""
        if self._text is not None:
            return self._text.encode()
        main = self._whole()
        if isinstance(main, FileBytes):
            data = _bytes(main, min(SHEET_LIMIT + 1, main.size))
        else:
            data = wrapped.head_of(main, SHEET_LIMIT + 1)
        if len(data) > SHEET_LIMIT:
            raise FormatError(
                f"more than {SHEET_LIMIT} bytes are too many for a sheet",
                file=self.name,
                place=f"offset {SHEET_LIMIT}",
            )
        return data

    # -- archives ----------------------------------------------------------------------------------

    @property
    def leaves_a_choice(self) -> bool:
        """Whether it is an archive of several files."""
        return self._archive is not None and self._main is None

    def heads(self) -> Iterator[tuple[str, bytes | RawCDError]]:
        """Yield the files of an archive, by name, with the first 64 KiB or why there are none.

        Nothing is yielded where there is nothing to choose from.

        Raises:
            FormatError: the archive is damaged.
            StorageError: it cannot be read.
        """
        if self._archive is not None and self._main is None:
            for member, head in self._archive.heads(HEAD_BYTES):
                yield member.plain_name, head

    def chosen(self, member: str) -> InputFiles:
        """Return a file of an archive as the main one; its names stand for others in there.

        Args:
            member: one of the names that `heads` yields.
        """
        assert self._archive is not None, "only an archive has files to choose from"
        found = self._archive.as_written(PureWindowsPath(member).parts)
        assert found is not None, f"{member!r} is none of its files"
        one = copy.copy(self)
        one._take(found)
        return one

    def _take(self, member: Member) -> None:
        self._main = member
        self._place = Inside(member.archive, member.parts[:-1])

    def _open(self, path: Path) -> FileBytes | wrapped.Wrapped | None:
        """Return the main file; None for an archive that leaves a choice."""
        found = self._at(path)
        if isinstance(found, FileBytes | wrapped.PackedFile):
            return found
        self._archive = found
        if (only := found.only) is not None:
            self._place = Inside(found, only.parts[:-1])
        return only

    def _whole(self) -> FileBytes | wrapped.Wrapped:
        if self._main is None:
            raise FormatError(
                f"is an archive of {len(self._archive.members) if self._archive else 0} files; "
                "choose one of them",
                file=self.name,
                place="offset 0",
            )
        return self._main

    # -- bytes -------------------------------------------------------------------------------------

    def _at(self, path: Path) -> FileBytes | wrapped.PackedFile | Archive:
        """Return the file at a path, measured, or what wraps it."""
        if path not in self._measured:
            self._measured[path] = FileBytes(path)
        file = self._measured[path]
        kind = wrapped.wrapping_of(wrapped.first_bytes(file))
        if kind is None:
            return file
        if kind != "zip":
            return wrapped.PackedFile(file, kind)
        from rawcd.fileset.archive import Archive

        return Archive(file)

    def _reader_of(self, held: FileBytes | wrapped.Wrapped) -> FileBytes:
        if isinstance(held, FileBytes):
            return held
        key = held.file.path, held.plain_name
        if key not in self._readers:
            self._readers[key] = wrapped.unpack(held, self._room)
        return self._readers[key]

    # -- names in a sheet --------------------------------------------------------------------------

    def find(
        self, name: str, *, suffixes: Sequence[str] = (), place: str | None = None
    ) -> FoundFile:
        r"""Find a file that the sheet names: as written, in another case, wrapped, another suffix.

        Only files below the sheet's folder are taken. A name that leads elsewhere (an absolute
        path, a drive, a share, `..`) is looked up by its last part beside the sheet, and a link
        that leads elsewhere is refused, unless paths are trusted. What a sheet in an archive
        names is in the archive.

        Args:
            name: the name in the sheet; `/` and `\` both separate folders.
            suffixes: endings to try, in this order, when no file has the name.
            place: where in the sheet the name stands, for messages.

        Raises:
            FormatError: the name is empty or holds a NUL; or the file is wrapped, see `reader`.
            StorageError: there is no such file, or it must not be read.
            UnsupportedError: it is in an archive that encrypts it.
            MissingExtraError: it is wrapped by zstd, and there is no library for it.
        """
        try:
            return self._named(name, suffixes)
        except StorageError as error:
            reason = error.reason if place is None else f"{place}: {error.reason}"
            raise StorageError(reason, file=error.file, errno=error.errno) from error
        except FormatError as error:
            place = error.place or place
            raise FormatError(error.reason, file=error.file, place=place) from error

    def _named(self, name: str, suffixes: Sequence[str]) -> FoundFile:
        if name in self._members:
            given = self._members[name]
            member = given if isinstance(given, InputFiles) else InputFiles(given)
            found_file = FoundFile(reader=member.reader, suffix=member.suffix)
            self._measured |= member._measured
            return found_file
        written = PureWindowsPath(name)
        parts = written.parts
        if not name.strip() or "\0" in name or not parts:
            raise FormatError(f"{name!r} is no file name", file=self.name)
        leads_out = bool(written.anchor) or ".." in parts
        if self._place.follows or not leads_out:
            for ending in ("", *wrapped.SUFFIXES) if leads_out else ("",):
                if (found := self._place.as_written(name + ending)) is not None:
                    remark = f"{name!r} is missing; {_last(found)!r} was taken" if ending else None
                    return self._found(found, remark)
        if leads_out:
            return self._beside(name, "" if parts[-1] == ".." else written.name)
        # What follows the last dot may be a suffix, or part of the name ("no. 1").
        known = written.suffix.lower() in suffixes
        stems = (written.stem,) if known else (written.stem, written.name)
        others = (stem + suffix for suffix in suffixes for stem in stems)
        for wanted in (written.name, *others):
            for ending in ("", *wrapped.SUFFIXES):
                found = self._place.in_any_case((*parts[:-1], wanted + ending))
                if found is None:
                    continue
                if wanted + ending == written.name:
                    return self._found(found, f"{name!r} was found as {_last(found)!r}")
                return self._found(found, f"{name!r} is missing; {_last(found)!r} was taken")
        raise StorageError(
            f"there is no file {name!r} beside the sheet", file=self.name, errno=errno.ENOENT
        )

    def _beside(self, name: str, last: str) -> FoundFile:
        """Find a file by the last part of a name that leads out."""
        for ending in ("", *wrapped.SUFFIXES) if last else ():
            if (found := self._place.in_any_case((last + ending,))) is not None:
                return self._found(
                    found,
                    f"{name!r} leads out of the folder; {_last(found)!r} beside it was taken",
                )
        raise StorageError(
            f"the file {name!r} lies outside the sheet's folder and none of that name "
            f"is beside the sheet; move it there{self._or_trust}",
            file=self.name,
            errno=errno.ENOENT,
        )

    @property
    def _or_trust(self) -> str:
        can_trust = isinstance(self._place, Folder) and not self._place.follows
        return f", or allow it ({TRUST})" if can_trust else ""

    def _found(self, found: Path | Member, remark: str | None) -> FoundFile:
        held: FileBytes | wrapped.Wrapped
        if isinstance(found, Path):
            at = self._at(found)
            if isinstance(at, FileBytes | wrapped.PackedFile):
                held = at
            elif (only := at.only) is not None:
                held = only
            else:
                raise FormatError(
                    f"is an archive of {len(at.members)} files where a sheet names one file",
                    file=str(found),
                    place="offset 0",
                )
        else:
            held = found
        reader = self._reader_of(held)
        plain = _plain_name(held)
        if remark is None and isinstance(held, wrapped.PackedFile) and plain == held.name:
            remark = f"{found.name!r} is packed, and was unpacked"
        note = Note(code="file-name", message=remark, file=self.name) if remark else None
        return FoundFile(reader=reader, suffix=PurePath(plain).suffix.lower(), note=note)

    def find_folder(self, name: str) -> FoundFolder:
        """Find a folder that the sheet names: as written, or in another case.

        Args:
            name: the name in the sheet, as in `find`; only folders below the sheet's are taken,
                unless paths are trusted.

        Raises:
            FormatError: the name is empty or holds a NUL.
            StorageError: there is no such folder, or it lies outside the sheet's.
        """
        if name in self._members:
            given = self._members[name]
            return FoundFolder(path=given._path if isinstance(given, InputFiles) else Path(given))
        written = PureWindowsPath(name)
        if not name.strip() or "\0" in name:
            raise FormatError(f"{name!r} is no folder name", file=self.name)
        place = self._place
        leads_out = bool(written.anchor) or ".." in written.parts or not written.parts
        if not isinstance(place, Folder):
            raise StorageError(
                f"the folder {name!r} is in an archive; unpack it first", file=self.name
            )
        if (place.follows or not leads_out) and (found := place.folder_as_written(name)):
            return FoundFolder(path=found)
        if leads_out:
            raise StorageError(
                f"the folder {name!r} is not below the sheet's own; move it there{self._or_trust}",
                file=self.name,
                errno=errno.ENOENT,
            )
        if (found := place.folder_in_any_case(written.parts)) is None:
            raise StorageError(
                f"there is no folder {name!r} beside the sheet", file=self.name, errno=errno.ENOENT
            )
        remark = f"{name!r} was found as {found.name!r}"
        return FoundFolder(path=found, note=Note(code="file-name", message=remark, file=self.name))


def _plain_name(held: FileBytes | wrapped.Wrapped) -> str:
    return held.name if isinstance(held, FileBytes) else held.plain_name


def _last(found: Path | Member) -> str:
    """Return the last part of a name."""
    return found.name if isinstance(found, Path) else found.parts[-1]


def _bytes(file: FileBytes, count: int) -> bytes:
    held = bytearray(count)
    file.read_at(0, held)
    return bytes(held)
