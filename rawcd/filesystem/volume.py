"""Volumes to be written: their blocks, made when asked for."""

from __future__ import annotations

import struct
from bisect import bisect_right
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rawcd.errors import AuthoringError
from rawcd.filesystem.names import CATALOG, Namer, check_taken, texts_of
from rawcd.filesystem.tree import (
    FileTree,
    Folder,
    HostFile,
    MemoryFile,
    NewFile,
    StoredFile,
    names_of,
    read_new_file,
)
from rawcd.filesystem.values import BLOCK_BYTES, SYSTEM_BLOCKS, Clock, VolumeOptions, refuse
from rawcd.source import check_range

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rawcd.filesystem.metadata import Metadata
    from rawcd.filesystem.names import Named
    from rawcd.filesystem.values import BootImage
    from rawcd.image import Note
    from rawcd.source import Bytes2D

_MBR_BYTES: Final = 512
_TABLE_AT: Final = 8
_TABLE_END: Final = 64
_MAX_LBA: Final = 0x7FFF_FFFF


class VolumeSource:
    """The blocks of a volume: metadata from memory, files from where they are.

    It is a `Source` that also `ReadsInto`, and pickles as its description.

    Attributes:
        name: for messages.
        block_size: 2,048.
        block_count: how long the volume is.
    """

    def __init__(
        self,
        *,
        name: str,
        head: bytes | bytearray,
        tail: dict[int, bytes] | dict[int, bytearray],
        contents: Sequence[tuple[int, NewFile]],
        block_count: int,
    ) -> None:
        self.name = name
        self.block_size = BLOCK_BYTES
        self.block_count = block_count
        self._head = head
        self._tail = tail
        self._starts = [start for start, _ in contents]
        self._files = [file for _, file in contents]

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files behind it, so that no output is ever written over its own input."""
        return tuple(Path(file.path) for file in self._files if isinstance(file, HostFile))

    def read(self, start: int, count: int) -> bytes:
        """Return `count` blocks from block `start` on; see `Source`."""
        check_range(self.name, start, count, self.block_count)
        data = bytearray(count * BLOCK_BYTES)
        self._fill(start, memoryview(data))
        return bytes(data)

    def read_into(self, start: int, rows: Bytes2D) -> None:
        """Fill `rows`, one block a row; see `ReadsInto`."""
        import numpy as np

        check_range(self.name, start, len(rows), self.block_count)
        if rows.flags.c_contiguous and len(rows):
            flat = rows.reshape(-1)
            self._fill(start, flat.data)
        else:
            block = np.empty((len(rows), BLOCK_BYTES), np.uint8)
            if len(rows):
                self._fill(start, block.reshape(-1).data)
            rows[:] = block

    def _fill(self, start: int, view: memoryview) -> None:
        """Fill `view` from block `start` on: the head, then files with their padding."""
        at, end = start * BLOCK_BYTES, start * BLOCK_BYTES + len(view)
        first = at
        if at < len(self._head):
            piece = self._head[at:end]
            view[: len(piece)] = piece
            at += len(piece)
        number = bisect_right(self._starts, at // BLOCK_BYTES) - 1
        while at < end:
            if number >= 0:
                file = self._files[number]
                offset = at - self._starts[number] * BLOCK_BYTES
                size = min(file.size - offset, end - at)
                if size > 0:
                    read_new_file(file, offset, view[at - first : at - first + size])
                    at += size
            number += 1
            following = end
            if number < len(self._starts):
                following = min(end, self._starts[number] * BLOCK_BYTES)
            if at < following:
                view[at - first : following - first] = bytes(following - at)
                at = following
        for number, block in self._tail.items():
            place = number * BLOCK_BYTES - first
            if 0 <= place < len(view):
                view[place : place + BLOCK_BYTES] = block


class Volume:
    """A volume that is laid out; where it will lie can be said at any time.

    Attributes:
        lba: where it begins.
        sector_count: how long it is.
        notes: names that were changed, entries that were left out.
    """

    def __init__(self, layout: _Layout, lba: int) -> None:
        if not 0 <= lba <= _MAX_LBA - layout.metadata.block_count:
            raise ValueError(f"LBA {lba} is no place for a volume")
        self._layout = layout
        self.lba = lba
        self.sector_count = layout.metadata.block_count
        self.notes = layout.notes

    def at(self, lba: int) -> Volume:
        """Return the same volume for another address; nothing is laid out again."""
        return Volume(self._layout, lba)

    @cached_property
    def source(self) -> VolumeSource:
        """The blocks, for this address.

        Raises:
            AuthoringError: files of earlier sessions would lie behind the volume's beginning.
        """
        layout = self._layout
        if self.lba < layout.stored_end:
            raise AuthoringError(
                f"the volume would begin at LBA {self.lba}, but files of earlier sessions lie up "
                f"to LBA {layout.stored_end - 1}",
                rule="earlier-session",
            )
        head, tail = layout.metadata.at(self.lba)
        return VolumeSource(
            name=layout.name,
            head=head,
            tail=tail,
            contents=[
                (block, self._booted(block, file)) for block, file in layout.metadata.contents
            ]
            if layout.with_table
            else layout.metadata.contents,
            block_count=self.sector_count,
        )

    def _booted(self, block: int, file: NewFile) -> NewFile:
        """Return a file as it is, or with its boot information table for this address."""
        if not isinstance(file, MemoryFile) or not any(
            file is found for found in self._layout.with_table
        ):
            return file
        numbers = (self.lba + SYSTEM_BLOCKS, self.lba + block, file.size, _word_sum(file.data))
        table = b"".join((number & 0xFFFF_FFFF).to_bytes(4, "little") for number in numbers)
        table = table.ljust(_TABLE_END - _TABLE_AT, b"\0")
        return replace(file, data=file.data[:_TABLE_AT] + table + file.data[_TABLE_END:])


def _word_sum(data: bytes) -> int:
    """Add the 32-bit words behind the table."""
    words = data[_TABLE_END:]
    words += bytes(-len(words) % 4)
    return sum(struct.unpack(f"<{len(words) // 4}I", words))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layout:
    """What does not depend on the address."""

    name: str
    metadata: Metadata
    notes: tuple[Note, ...]
    with_table: tuple[MemoryFile, ...]
    stored_end: int


def make_volume(
    tree: FileTree,
    *,
    lba: int = 0,
    options: VolumeOptions | None = None,
    previous: FileTree | None = None,
    limit: int | None = None,
) -> Volume:
    """Lay out a volume; no file's bytes are read.

    Args:
        tree: what is to be on it.
        lba: where it will begin; `Volume.at` moves it at no cost.
        options: what kind of volume; None is ISO 9660 level 3 with Joliet.
        previous: what is on the disc already, from `StoredVolume.tree`; it stays visible at its
            own addresses, and what `tree` has at the same path covers it.
        limit: how many sectors there are for it.

    Raises:
        AuthoringError: names, links or sizes that the volume cannot hold, all of them named; or
            it is longer than `limit`.
        UnsupportedError: UDF over earlier sessions.
        StorageError: a file to start from cannot be read.
    """
    from rawcd.filesystem.draft import draft
    from rawcd.filesystem.metadata import finish

    options = VolumeOptions() if options is None else options
    clock = Clock.of(options)
    if options.boot:
        check_taken(tree, f"/{CATALOG}")
        previous = None if previous is None else _without_catalog(previous)
    whole = tree if previous is None else previous.overlaid(tree)
    stored = [entry for _, entry in whole.walk() if isinstance(entry, StoredFile)]
    if stored and options.udf:
        # Its partition begins with this volume; what lies before it has no address there.
        raise AuthoringError(
            "UDF cannot hold files of earlier sessions; leave UDF out", rule="earlier-session"
        )
    namer = Namer(options)
    root = namer.name(whole)
    texts = texts_of(options, namer)
    refuse(namer.troubles)
    if limit is not None:
        _check_limit(_least_sectors(whole), limit, whole.name)
    boot_data, with_table = _boot_files(root, options.boot)
    sketch = draft(root, options, boot_data)
    metadata = finish(sketch, root, options, texts, clock)
    if limit is not None:
        _check_limit(metadata.block_count, limit, whole.name)
    return Volume(
        _Layout(
            name=whole.name,
            metadata=metadata,
            notes=(*whole.notes, *namer.notes),
            with_table=with_table,
            stored_end=max((file.lba + _blocks(file.size) for file in stored), default=0),
        ),
        lba,
    )


def _without_catalog(previous: FileTree) -> FileTree:
    """Leave out an earlier boot catalogue: the new one takes its place."""
    entries = {name: entry for name, entry in previous.root.entries.items() if name != CATALOG}
    return replace(previous, root=replace(previous.root, entries=entries))


def _blocks(size: int) -> int:
    return -(-size // BLOCK_BYTES)


def _least_sectors(tree: FileTree) -> int:
    """Return what the files alone take: enough to refuse a folder that is far too large."""
    return SYSTEM_BLOCKS + sum(
        _blocks(entry.size) for _, entry in tree.walk() if isinstance(entry, NewFile)
    )


def _check_limit(sectors: int, limit: int, name: str) -> None:
    if sectors > limit:
        raise AuthoringError(
            f"{name}: takes {sectors} sectors or more, and there are {limit}: "
            f"{(sectors - limit) * BLOCK_BYTES} bytes too many",
            rule="volume-size",
        )


def _boot_files(
    root: Named, images: Sequence[BootImage]
) -> tuple[dict[str, bytes], tuple[MemoryFile, ...]]:
    """Return the first bytes of files to start from, and those that get a table.

    Raises:
        AuthoringError: there is no such file, or it is too short for a table.
        StorageError: one cannot be read.
    """
    first: dict[str, bytes] = {}
    with_table: list[MemoryFile] = []
    for image in images:
        named = _find(root, image.path)
        file = None if named is None else named.entry
        if named is None or not isinstance(file, NewFile) or not file.size:
            raise AuthoringError(
                f"{image.path}: is no file with bytes in this tree, and cannot be started from",
                rule="boot-image",
            )
        if image.info_table and not any(file is found for found in with_table):
            if file.size < _TABLE_END:
                raise AuthoringError(
                    f"{image.path}: has {file.size} bytes, no room for a boot information table",
                    rule="boot-image",
                )
            data = bytearray(file.size)
            read_new_file(file, 0, memoryview(data))
            file = MemoryFile(data=bytes(data), modified=file.modified, mode=file.mode)
            named.entry = file
            with_table.append(file)
        start = bytearray(min(file.size, _MBR_BYTES))
        read_new_file(file, 0, memoryview(start))
        first[named.path] = bytes(start)
    return first, tuple(with_table)


def _find(root: Named, path: str) -> Named | None:
    found: Named | None = root
    for name in names_of(path):
        if found is None or not isinstance(found.entry, Folder):
            return None
        above = found.path.rstrip("/")
        found = next((child for child in found.children if child.path == f"{above}/{name}"), None)
    return found
