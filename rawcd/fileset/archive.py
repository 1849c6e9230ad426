"""Zip archives: which files are in one, and the bytes of each.

Only what is stored or deflated is unpacked: those two kinds come in steps of any size, while
the others of APPNOTE 4.4.5 unpack as much as they like at once.
"""

from __future__ import annotations

import errno
import io
import stat
import struct
import zipfile
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PureWindowsPath
from typing import TYPE_CHECKING, Any, Final

from rawcd.errors import FormatError, RawCDError, StorageError, UnsupportedError
from rawcd.fileset.scratch import STEP
from rawcd.fileset.wrapped import LIMIT, first_of, too_much

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rawcd.source import FileBytes

MOST_FILES: Final = 1_000
"""Files in an archive of a disc: 99 tracks, each with subcode, graphics and text, are fewer."""
_LONGEST_READ: Final = 4 * STEP
"""Bytes read at once; the list of files is, and no list of `MOST_FILES` is longer."""
_ENCRYPTED: Final = 0x2041  # APPNOTE 4.4.4: bits 0, 6 and 13
_MAC_SHADOWS: Final = "__MACOSX"
_DAMAGE: Final = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    NotImplementedError,
    RuntimeError,
    ValueError,
    EOFError,
    ArithmeticError,
    LookupError,
)


class _Measured(io.FileIO):
    """The archive's file, which reads no more at once than an archive has to."""

    def read(self, size: int | None = -1, /) -> bytes:
        wanted = _LONGEST_READ + 1 if size is None or size < 0 else size
        if wanted <= _LONGEST_READ + 1:
            held = super().read(wanted) or b""
            if len(held) <= _LONGEST_READ:
                return held
        raise zipfile.BadZipFile("its list of files is longer than that of any disc")


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A file in an archive; see `Wrapped`.

    Attributes:
        archive: where it is.
        parts: folders and name.
        place: which in the list of files.
    """

    archive: Archive
    parts: tuple[str, ...]
    place: int

    @property
    def file(self) -> FileBytes:
        """The archive's file."""
        return self.archive.file

    @property
    def plain_name(self) -> str:
        """Its name in the archive."""
        return "/".join(self.parts)

    @property
    def name(self) -> str:
        """Its name, with the archive's before it."""
        return f"{self.archive.file.name}/{self.plain_name}"

    def pieces(self) -> Iterator[tuple[bytes, str]]:
        """Yield the bytes; see `Wrapped`."""
        with self.archive.opened() as opened:
            yield from self.read_from(opened)

    def read_from(self, opened: zipfile.ZipFile) -> Iterator[tuple[bytes, str]]:
        """Yield the bytes from the open archive."""
        about = opened.infolist()[self.place]
        place = f"offset {about.header_offset}"
        if about.flag_bits & _ENCRYPTED:
            raise UnsupportedError(f"{self.name}: is encrypted; unpack it with its password first")
        if about.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise UnsupportedError(
                f"{self.name}: is packed by zip's method {about.compress_type}, and only stored "
                "and deflated files are read; unpack it, or pack it anew"
            )
        if stat.S_IFMT(about.external_attr >> 16) not in (0, stat.S_IFREG):
            raise FormatError("is a link or a device, no file", file=self.name, place=place)
        if about.file_size > LIMIT:
            raise too_much(self.name, place)
        left = about.file_size
        with opened.open(about) as file:
            while piece := file.read(STEP):
                left -= len(piece)
                yield piece, place
        if left:
            raise FormatError(
                f"is {left} bytes shorter than the archive says", file=self.name, place=place
            )


class Archive:
    """A zip archive by path; it is open only while something is read from it.

    Raises:
        FormatError: it is damaged, holds more files than a disc is made of, two of one name, or
            one whose name leads out of it.
        StorageError: it cannot be read.
    """

    def __init__(self, file: FileBytes) -> None:
        self.file = file
        with self.opened() as opened:
            listed = opened.infolist()
        if len(listed) > MOST_FILES:
            raise FormatError(
                f"holds {len(listed)} files, more than the {MOST_FILES} that an archive of a disc "
                "may have",
                file=file.name,
                place="directory",
            )
        self._members: dict[tuple[str, ...], Member] = {}
        for place, about in enumerate(listed):
            self._add(place, about)
        if not self._members:
            raise FormatError("holds no file", file=file.name, place="directory")

    def _add(self, place: int, about: zipfile.ZipInfo) -> None:
        written = PureWindowsPath(about.filename)
        parts = written.parts
        shown = about.orig_filename
        if "\0" in shown or not parts or written.anchor or ".." in parts:
            raise FormatError(
                f"the name {shown!r} in it leads out of it, or is none",
                file=self.file.name,
                place=f"offset {about.header_offset}",
            )
        if about.filename.endswith(("/", "\\")) or parts[0] == _MAC_SHADOWS:
            return
        if parts in self._members:
            raise FormatError(
                f"holds two files {shown!r}",
                file=self.file.name,
                place=f"offset {about.header_offset}",
            )
        self._members[parts] = Member(archive=self, parts=parts, place=place)

    @property
    def members(self) -> tuple[Member, ...]:
        """The files in it, as they follow each other."""
        return tuple(self._members.values())

    @property
    def only(self) -> Member | None:
        """The file in it, if there is but one."""
        return self.members[0] if len(self._members) == 1 else None

    def heads(self, count: int) -> Iterator[tuple[Member, bytes | RawCDError]]:
        """Yield each file with its first bytes, or with why it cannot be read.

        Raises:
            FormatError: the archive is damaged.
            StorageError: it cannot be read.
        """
        with self.opened() as opened:
            for member in self.members:
                pieces = (piece for piece, _ in member.read_from(opened))
                try:
                    head: bytes | RawCDError = first_of(pieces, count)
                except RawCDError as error:
                    head = error
                yield member, head

    def as_written(self, parts: Sequence[str]) -> Member | None:
        """Return the file of that name."""
        return self._members.get(tuple(parts))

    def in_any_case(self, parts: Sequence[str]) -> Member | None:
        """Return the file of that name, the case of letters apart."""
        wanted = [part.casefold() for part in parts]
        return next(
            (
                self._members[name]
                for name in sorted(self._members)
                if [part.casefold() for part in name] == wanted
            ),
            None,
        )

    @contextmanager
    def opened(self) -> Iterator[zipfile.ZipFile]:
        """Open it for as long as something is read; all its errors become ours."""
        self.file.check_unchanged()
        try:
            with _Measured(self.file.path) as file, zipfile.ZipFile(_as_file(file)) as opened:
                yield opened
        except RawCDError:
            raise
        except OSError as error:
            if error.errno != errno.EINVAL:  # that is a seek to where an archive cannot lead
                raise StorageError.of(error, file=self.file.name, doing="read") from error
            raise self._damaged(error) from error
        except _DAMAGE as error:
            raise self._damaged(error) from error

    def _damaged(self, error: Exception) -> FormatError:
        return FormatError(
            f"is no whole zip archive: {error}; copy it again",
            file=self.file.name,
            place="directory",
        )


def _as_file(file: _Measured) -> Any:
    return file  # typeshed asks for a BinaryIO, and a FileIO is all but that
