"""Volumes that exist: what is on them, and the bytes of their files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rawcd.errors import FormatError, UnsupportedError
from rawcd.filesystem.descriptors import (
    PRIMARY,
    SUPPLEMENTARY,
    descriptors,
)
from rawcd.filesystem.records import (
    ASSOCIATED,
    BOTH,
    DIRECTORY,
    MORE_SECTIONS,
    RECORD,
    date_seconds,
    records,
    system_use,
)
from rawcd.filesystem.tree import (
    FILE_MODE,
    FOLDER_MODE,
    Entry,
    FileTree,
    Folder,
    Link,
    StoredFile,
    check_name,
)
from rawcd.filesystem.values import BLOCK_BYTES, MAX_DEPTH

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rawcd.filesystem.records import Buffer, Record
    from rawcd.filesystem.values import TreeKind
    from rawcd.source import Source

_SELF: Final = b"\0"
_PARENT: Final = b"\1"
_READ_BLOCKS: Final = 512
_NO_SIZE: Final = 0
_POSIX_MODE: Final = 0o7777
_CONTINUE: Final = 0x01
_COMPONENTS: Final = {0x02: b".", 0x04: b"..", 0x08: b""}
"""Flags of a component of a link: this folder, the one above, the root (RRIP 4.1.3.1)."""


@dataclass(slots=True, kw_only=True)
class _Posix:
    """What Rock Ridge says of a record."""

    name: str | None = None
    mode: int | None = None
    target: str | None = None
    modified: int | None = None
    child: int | None = None
    """Where a folder that lies too deep really is (CL)."""
    moved: bool = False
    """This is such a folder (RE); it is seen where it belongs."""


class StoredVolume:
    """A volume of ISO 9660, with Joliet or Rock Ridge, read where it lies.

    Args:
        blocks: blocks of 2,048 bytes of the disc, or of the part of it that holds the volume and
            what it refers to.
        lba: where the volume begins: the start of its session's first data track.
        base: the LBA of block 0 of `blocks`.

    Attributes:
        volume_id: its name.
        kinds: the trees it has.
        block_count: how long it says it is.

    Raises:
        FormatError: there is no such volume.
        StorageError: the blocks cannot be read.
    """

    def __init__(self, blocks: Source, *, lba: int = 0, base: int = 0) -> None:
        if blocks.block_size != BLOCK_BYTES:
            raise ValueError(
                f"{blocks.name}: blocks of {blocks.block_size} bytes, not {BLOCK_BYTES}"
            )
        self._blocks = blocks
        self._base = base
        self.name = blocks.name
        self.lba = lba
        self._roots: dict[TreeKind, tuple[int, int]] = {}
        self._skip = 0
        self.volume_id = ""
        self.block_count = 0
        for found in descriptors(lambda block: self._read(lba + block, 1), file=self.name, lba=lba):
            if found.kind not in (PRIMARY, SUPPLEMENTARY):
                continue
            if found.block_bytes != BLOCK_BYTES:
                raise UnsupportedError(
                    f"{self.name}: blocks of {found.block_bytes} bytes at LBA {lba + found.block}"
                )
            if found.kind == SUPPLEMENTARY and not found.joliet:
                continue  # ISO 9660:1999 describes the primary tree a second time
            tree: TreeKind = "joliet" if found.joliet else "iso"
            _, _, extent, size, *_ = RECORD.unpack_from(found.root)
            self._roots.setdefault(tree, (extent, size))
            if not found.joliet:
                self.volume_id = found.volume_id.decode("ascii", "replace").rstrip(" \0")
                self.block_count = found.block_count
        if "iso" not in self._roots:
            raise FormatError("no primary volume descriptor", file=self.name, place=f"LBA {lba}")
        if self._find_rock_ridge():
            self._roots["rock-ridge"] = self._roots["iso"]

    @property
    def bytes_there(self) -> int:
        """How many bytes can be read at all."""
        return self._blocks.block_count * BLOCK_BYTES

    @property
    def kinds(self) -> tuple[TreeKind, ...]:
        """The trees that it has, that with the truest names first."""
        order: tuple[TreeKind, ...] = ("rock-ridge", "joliet", "iso")
        return tuple(kind for kind in order if kind in self._roots)

    def tree(self, kind: TreeKind | None = None) -> FileTree:
        """Return everything that is on it.

        Args:
            kind: which tree to read; None is the one with the truest names.

        Raises:
            FormatError: the tree contradicts itself.
            UnsupportedError: there is no such tree, or a file lies in pieces.
            StorageError: the blocks cannot be read.
        """
        kind = self.kinds[0] if kind is None else kind
        if kind not in self._roots:
            raise UnsupportedError(f"{self.name}: has no tree of kind {kind}")
        extent, size = self._roots[kind]
        walk = _Walk(self, kind, self._skip)
        return FileTree(root=walk.folder(extent, size), name=self.name)

    def read_file(self, file: StoredFile, offset: int = 0, size: int | None = None) -> bytes:
        """Return bytes of a file, as many as there are.

        Raises:
            ValueError: the offset is negative.
            FormatError: it lies outside what there is.
            StorageError: the blocks cannot be read.
        """
        if offset < 0:
            raise ValueError(f"{self.name}: no file has a byte {offset}")
        size = file.size - offset if size is None else min(size, file.size - offset)
        if size <= 0:
            return b""
        first, skip = divmod(offset, BLOCK_BYTES)
        count = -(-(skip + size) // BLOCK_BYTES)
        return self._read(file.lba + first, count)[skip : skip + size]

    def file_pieces(self, file: StoredFile) -> Iterator[bytes]:
        """Give a file's bytes, a megabyte at a time."""
        for done in range(0, file.size, _READ_BLOCKS * BLOCK_BYTES):
            yield self.read_file(file, done, _READ_BLOCKS * BLOCK_BYTES)

    def _read(self, lba: int, count: int) -> bytes:
        start = lba - self._base
        if start < 0 or start + count > self._blocks.block_count:
            there = self._blocks.block_count
            blocks = "1 block is" if count == 1 else f"{count} blocks are"
            raise FormatError(
                f"{blocks} asked for, but only LBA {self._base} to {self._base + there - 1} "
                "are there"
                if there
                else f"{blocks} asked for, and nothing is there",
                file=self.name,
                place=f"LBA {lba}",
            )
        return self._blocks.read(start, count)

    def directory(self, extent: int, size: int) -> bytes:
        """Return the bytes of a directory; a size of 0 is asked of the directory itself."""
        if not size:
            first = next(self.records(self._read(extent, 1), extent), None)
            size = first.size if first is not None and first.identifier == _SELF else BLOCK_BYTES
        return self._read(extent, -(-size // BLOCK_BYTES))

    def records(self, data: bytes, extent: int) -> Iterator[Record]:
        """Give the records of a directory's bytes."""
        return records(data, 0, len(data), file=self.name, place=f"directory at LBA {extent}")

    def area(self, block: int, offset: int, size: int) -> tuple[Buffer, int]:
        """Return a continuation area."""
        if offset + size > BLOCK_BYTES:
            raise FormatError(
                "a continuation area runs out of its block", file=self.name, place=f"LBA {block}"
            )
        return self._read(block, 1), offset

    def _find_rock_ridge(self) -> bool:
        """Look for the sign of Rock Ridge in the root's record of itself (SUSP 5.1)."""
        extent, _ = self._roots["iso"]
        data = self._read(extent, 1)
        first = next(self.records(data, extent), None)
        if first is None or first.identifier != _SELF:
            return False
        uses = list(system_use(data, first.use, first.end, self.area))
        marker = next((use for use in uses if use.signature == b"SP"), None)
        if marker is None or marker.body()[:2] != b"\xbe\xef":
            return False
        self._skip = marker.body()[2] if marker.length > 6 else 0
        return any(use.signature in (b"PX", b"RR", b"ER") for use in uses)


class _Walk:
    """One walk over a tree of a stored volume."""

    def __init__(self, volume: StoredVolume, kind: TreeKind, skip: int) -> None:
        self._volume = volume
        self._kind = kind
        self._skip = skip
        self._seen: set[int] = set()
        self._depth = 0
        self._bytes = 0

    def folder(
        self, extent: int, size: int, *, modified: int = 0, mode: int = FOLDER_MODE
    ) -> Folder:
        if extent in self._seen:
            raise FormatError(
                "a directory is reached by two ways: the tree is none",
                file=self._volume.name,
                place=f"LBA {extent}",
            )
        self._seen.add(extent)
        if self._depth > MAX_DEPTH:
            raise UnsupportedError(f"{self._volume.name}: folders lie more than {MAX_DEPTH} deep")
        data = self._volume.directory(extent, size)
        self._bytes += len(data)
        if self._bytes > self._volume.bytes_there:
            raise FormatError(
                "the directories take more room than there is",
                file=self._volume.name,
                place=f"LBA {extent}",
            )
        self._depth += 1
        entries: dict[str, Entry] = {}
        section: Record | None = None
        for record in self._volume.records(data, extent):
            if record.flags & ASSOCIATED:
                continue
            if record.identifier == _SELF:
                posix = self._posix(data, record) if self._kind == "rock-ridge" else _Posix()
                mode = mode if posix.mode is None else posix.mode & _POSIX_MODE
                modified = posix.modified or date_seconds(record.date)
                continue
            if record.identifier == _PARENT:
                continue
            if section is not None:
                record = self._joined(section, record, extent)
                section = None
            if record.flags & MORE_SECTIONS:
                section = record
                continue
            self._add(entries, data, record, extent)
        self._depth -= 1
        return Folder(entries=entries, modified=modified, mode=mode)

    def _add(self, entries: dict[str, Entry], data: bytes, record: Record, extent: int) -> None:
        posix = self._posix(data, record) if self._kind == "rock-ridge" else _Posix()
        if posix.moved:
            return
        place = f"directory at LBA {extent}"
        name = check_name(self._name(record, posix), file=self._volume.name, place=place)
        modified = date_seconds(record.date) if posix.modified is None else posix.modified
        entry: Entry
        if posix.target is not None:
            entry = Link(target=posix.target, modified=modified)
        elif posix.child is not None or record.flags & DIRECTORY:
            at = record.extent if posix.child is None else posix.child
            size = record.size if posix.child is None else _NO_SIZE
            entry = self.folder(at, size, modified=modified)
            if self._kind == "rock-ridge" and not entry.entries and self._holds_moved(at):
                return
        else:
            if record.interleaved:
                raise UnsupportedError(f"{self._volume.name}: {name} lies in interleaved pieces")
            entry = StoredFile(
                lba=record.extent + record.attributes,
                size=record.size,
                modified=modified,
                mode=FILE_MODE if posix.mode is None else posix.mode & _POSIX_MODE,
            )
        if name in entries:
            raise FormatError(
                f"two entries are called {name!r}", file=self._volume.name, place=place
            )
        entries[name] = entry

    def _holds_moved(self, extent: int) -> bool:
        """Tell whether a folder is only there for those that lie too deep."""
        data = self._volume.directory(extent, _NO_SIZE)
        return any(
            self._posix(data, record).moved
            for record in self._volume.records(data, extent)
            if record.identifier not in (_SELF, _PARENT)
        )

    def _joined(self, first: Record, second: Record, extent: int) -> Record:
        """Return two sections of a file as one, if they lie end to end."""
        end = first.extent + first.attributes + first.size // BLOCK_BYTES
        if first.size % BLOCK_BYTES or second.extent != end:
            raise UnsupportedError(
                f"{self._volume.name}: a file of the directory at LBA {extent} lies in pieces"
            )
        return second._replace(
            extent=first.extent, attributes=first.attributes, size=first.size + second.size
        )

    def _name(self, record: Record, posix: _Posix) -> str:
        if posix.name is not None:
            return posix.name
        if self._kind == "joliet":
            name = record.identifier.decode("utf-16-be", "replace")
        else:
            name = record.identifier.decode("ascii", "replace")
        if record.flags & DIRECTORY:
            return name
        stem, semicolon, version = name.rpartition(";")
        if semicolon and version.isdigit():
            name = stem
        return name if self._kind == "joliet" else name.removesuffix(".") or name

    def _posix(self, data: bytes, record: Record) -> _Posix:
        found = _Posix()
        name = b""
        target: list[bytes] = []
        joins = False
        start = record.use
        if record.identifier != _SELF or len(self._seen) > 1:
            start += self._skip
        for use in system_use(data, start, record.end, self._volume.area):
            body = use.body()
            if use.signature == b"NM" and body[:1]:
                if not body[0] & ~_CONTINUE:
                    name += body[1:]
            elif use.signature == b"PX" and len(body) >= 4:
                (found.mode,) = BOTH.unpack_from(body)
            elif use.signature == b"TF":
                found.modified = _modified(body)
            elif use.signature == b"SL" and body[:1]:
                joins = _add_components(target, body[1:], joins=joins)
                found.target = ""
            elif use.signature == b"CL" and len(body) >= 4:
                (found.child,) = BOTH.unpack_from(body)
            elif use.signature == b"RE":
                found.moved = True
        if name:
            found.name = name.decode("utf-8", "surrogateescape")
        if found.target is not None:
            found.target = (b"/".join(target) or b"/").decode("utf-8", "surrogateescape")
        return found


def _add_components(target: list[bytes], body: bytes, *, joins: bool) -> bool:
    """Add the components of an SL entry; return whether the last goes on in the next."""
    at = 0
    while at + 2 <= len(body):
        flags, length = body[at], body[at + 1]
        text = body[at + 2 : at + 2 + length]
        text = _COMPONENTS.get(flags & ~_CONTINUE, text)
        if joins and target:
            target[-1] += text
        else:
            target.append(text)
        joins = bool(flags & _CONTINUE)
        at += 2 + length
    return joins


def _modified(body: bytes) -> int | None:
    """Return when a file was last written to, of the dates of a TF entry (RRIP 4.1.6)."""
    if not body or body[0] & 0x80:
        return None
    at = 1 + 7 * (body[0] & 1)
    if not body[0] & 2 or at + 7 > len(body):
        return None
    return date_seconds(body[at : at + 7])
