"""The blocks of a volume that are no file's: finished once, moved to any address at no cost.

pycdlib lays out from block 0 and dates everything now. Here every date gets its own, files of
earlier sessions get their addresses, and every field that holds an address of this volume is
written down, so that moving the volume is one addition over all of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from rawcd.errors import AuthoringError
from rawcd.filesystem.descriptors import (
    APPLICATION_AT,
    BIG_PATH_TABLE_AT,
    BOOT_RECORD,
    BOOT_SYSTEM,
    CATALOG_AT,
    DATES_AT,
    PATH_TABLE_AT,
    PREPARER_AT,
    PRIMARY,
    PUBLISHER_AT,
    ROOT_AT,
    SUPPLEMENTARY,
    SYSTEM_ID_AT,
    VOLUME_ID_AT,
    boot_addresses,
    descriptors,
)
from rawcd.filesystem.names import iso_identifier
from rawcd.filesystem.records import (
    BOTH,
    BOTH_BIG,
    DATE_AT,
    DIRECTORY,
    EXTENT_AT,
    NO_LONG_DATE,
    SIZE_AT,
    date_bytes,
    long_date,
    records,
    system_use,
)
from rawcd.filesystem.tree import NewFile, StoredFile
from rawcd.filesystem.udf import UdfPart
from rawcd.filesystem.values import BLOCK_BYTES

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from rawcd.filesystem.draft import Draft
    from rawcd.filesystem.names import Named, Texts
    from rawcd.filesystem.records import Buffer, Record, Use
    from rawcd.filesystem.values import Clock, VolumeOptions

_SELF: Final = b"\0"
_PARENT: Final = b"\1"
_NAME: Final = "the volume"


@dataclass(slots=True, kw_only=True)
class Metadata:
    """The metadata of a volume that lies at LBA 0.

    Attributes:
        head: from its first block to the last before the files.
        tail: single blocks behind them, by number.
        block_count: how long the volume is.
        contents: what lies where among the files: first block and file, each file once.
        little: where addresses are, low byte first.
        big: where they are high byte first.
        udf: the part of it that is UDF's.
    """

    head: bytearray
    tail: dict[int, bytearray]
    block_count: int
    contents: list[tuple[int, NewFile]]
    little: npt.NDArray[np.int64]
    big: npt.NDArray[np.int64]
    udf: UdfPart | None = None

    def at(self, lba: int) -> tuple[bytearray, dict[int, bytearray]]:
        """Return head and tail of the same volume at another address; tail by the same numbers."""
        import numpy as np

        copy = bytearray(self.head)
        head = np.frombuffer(copy, np.uint8)
        for places, order in ((self.little, "<u4"), (self.big, ">u4")):
            index = places[:, None] + np.arange(4)
            moved = head[index].view(order) + np.uint32(lba)
            head[index] = moved.astype(order).view(np.uint8)
        del head  # while an array looks at it, it cannot be moved
        tail = {number: bytearray(block) for number, block in self.tail.items()}
        if self.udf is not None:
            self.udf.move(copy, tail, lba)
        return copy, tail


def finish(
    sketch: Draft, root: Named, options: VolumeOptions, texts: Texts, clock: Clock
) -> Metadata:
    """Give a draft its dates, its texts and its files of earlier sessions.

    Raises:
        AuthoringError: a folder that lies too deep has too long a name.
        UnsupportedError: pycdlib laid out UDF in a way that we cannot follow.
    """
    return _Finishing(sketch, root, options, texts, clock).run()


@dataclass(slots=True)
class _Below:
    """A directory that is to be finished: its folder, and what lies above."""

    extent: int
    size: int
    folder: Named
    parent: Named


@dataclass(slots=True)
class _Finishing:
    sketch: Draft
    root: Named
    options: VolumeOptions
    texts: Texts
    clock: Clock
    head: bytearray = field(init=False)
    little: list[int] = field(default_factory=list)
    big: list[int] = field(default_factory=list)
    contents: dict[int, NewFile] = field(default_factory=dict)
    dates: dict[int, bytes] = field(default_factory=dict)

    def run(self) -> Metadata:
        import numpy as np

        self.head, tail = self.sketch.head, self.sketch.tail
        self.head += bytes(-len(self.head) % BLOCK_BYTES)
        end = self.sketch.block_count
        if self.options.udf:
            end -= 1  # the second anchor is behind the files
            if end not in tail:
                tail[end] = self.head[end * BLOCK_BYTES :]
                del self.head[end * BLOCK_BYTES :]
        for found in descriptors(self._block, file=_NAME, lba=0):
            if found.kind == BOOT_RECORD:
                self._boot(found.block)
            elif found.kind in (PRIMARY, SUPPLEMENTARY):
                self._descriptor(found.block, joliet=found.joliet)
                if found.kind == SUPPLEMENTARY and not found.joliet:
                    continue  # ISO 9660:1999 describes the primary tree a second time
                self._path_table(found.path_table, found.path_table_bytes, big=False)
                self._path_table(found.big_path_table, found.path_table_bytes, big=True)
                self._tree(found.block, joliet=found.joliet)
        udf = None
        if self.options.udf:
            udf = UdfPart.finished(self.head, tail, self.root, self.clock, self.texts.udf_volume_id)
        return Metadata(
            head=self.head,
            tail=tail,
            block_count=self.sketch.block_count,
            contents=sorted(self.contents.items(), key=lambda item: item[0]),
            little=np.unique(np.array(self.little, np.int64)),
            big=np.unique(np.array(self.big, np.int64)),
            udf=udf,
        )

    def _block(self, number: int) -> bytes:
        return bytes(self.head[number * BLOCK_BYTES : (number + 1) * BLOCK_BYTES])

    def _area(self, block: int, offset: int, size: int) -> tuple[Buffer, int]:
        return self.head, block * BLOCK_BYTES + offset

    # -- descriptors ---------------------------------------------------------------------------

    def _descriptor(self, block: int, *, joliet: bool) -> None:
        start = block * BLOCK_BYTES
        made = long_date(self.clock.volume)
        dates = made + made + NO_LONG_DATE + made
        self.head[start + DATES_AT : start + DATES_AT + len(dates)] = dates
        texts = self.texts
        name = texts.joliet_volume_id if joliet else texts.volume_id
        for at, width, text in (
            (SYSTEM_ID_AT, 32, texts.system_id),
            (VOLUME_ID_AT, 32, name),
            (PUBLISHER_AT, 128, texts.publisher),
            (PREPARER_AT, 128, texts.preparer),
            (APPLICATION_AT, 128, texts.application),
        ):
            field = text.ljust(width // 2).encode("utf-16-be") if joliet else text.encode()
            self.head[start + at : start + at + width] = field.ljust(width)
        self.little.append(start + PATH_TABLE_AT)
        self.big.append(start + BIG_PATH_TABLE_AT)
        self._both(start + ROOT_AT + EXTENT_AT)
        date = self._date(self.root.entry.modified)
        self.head[start + ROOT_AT + DATE_AT : start + ROOT_AT + DATE_AT + 7] = date

    def _both(self, at: int) -> None:
        self.little.append(at)
        self.big.append(at + 4)

    def _date(self, modified: int) -> bytes:
        found = self.dates.get(modified)
        if found is None:
            found = self.dates[modified] = date_bytes(self.clock.of_entry(modified))
        return found

    def _path_table(self, block: int, size: int, *, big: bool) -> None:
        """Remember the addresses in a path table (ECMA-119 9.4)."""
        at = block * BLOCK_BYTES
        end = at + size
        while at < end:
            name = self.head[at]
            (self.big if big else self.little).append(at + 2)
            at += 8 + name + name % 2

    def _boot(self, block: int) -> None:
        """Remember the addresses of El Torito."""
        start = block * BLOCK_BYTES
        if not self.head[start + 7 :].startswith(BOOT_SYSTEM):
            return
        (catalog,) = BOTH.unpack_from(self.head, start + CATALOG_AT)
        self.little.append(start + CATALOG_AT)
        for at in boot_addresses(self._block(catalog)):
            self.little.append(catalog * BLOCK_BYTES + at)

    # -- directories ---------------------------------------------------------------------------

    def _tree(self, block: int, *, joliet: bool) -> None:
        root = block * BLOCK_BYTES + ROOT_AT
        (extent,) = BOTH.unpack_from(self.head, root + EXTENT_AT)
        (size,) = BOTH.unpack_from(self.head, root + SIZE_AT)
        pending = [_Below(extent, size, self.root, self.root)]
        while pending:
            below = pending.pop()
            if joliet:
                by_name = {
                    child.joliet.encode("utf-16-be"): child
                    for child in below.folder.children
                    if child.joliet is not None
                }
            else:
                level = self.options.level
                by_name = {
                    iso_identifier(child, level).encode(): child for child in below.folder.children
                }
            pending.extend(self._directory(below, by_name))

    def _directory(self, below: _Below, by_name: dict[bytes, Named]) -> list[_Below]:
        """Finish one directory; return the folders in it."""
        head = self.head
        inner: list[_Below] = []
        start = below.extent * BLOCK_BYTES
        place = f"directory at block {below.extent}"
        for record in records(head, start, below.size, file=_NAME, place=place):
            named: Named | None
            if record.identifier == _SELF:
                named = below.folder
            elif record.identifier == _PARENT:
                named = below.parent
            else:
                named = by_name.get(record.identifier)
            modified = self.clock.volume if named is None else named.entry.modified
            date = self._date(modified)
            head[record.at + DATE_AT : record.at + DATE_AT + 7] = date
            child = None
            if record.use < record.end:
                child = self._system_use(record, date, named)
            if child is not None and named is not None:
                # pycdlib makes it a file of 2,048 bytes at block 0, which a reader that knows no
                # Rock Ridge would show, and genisoimage -M stumbles over.
                self._put(record.at + SIZE_AT, 0)
                size = self._own_size(child)
                inner.append(_Below(child, size, named, below.folder))
                continue
            if named is not None and isinstance(named.entry, StoredFile):
                self._put(record.at + EXTENT_AT, named.entry.lba)
                self._put(record.at + SIZE_AT, named.entry.size)
            elif record.extent:
                self._both(record.at + EXTENT_AT)
            if record.identifier in (_SELF, _PARENT) or named is None:
                if named is None and record.flags & DIRECTORY:
                    self._moved_folders(record)
                continue
            if record.flags & DIRECTORY:
                inner.append(_Below(record.extent, record.size, named, below.folder))
            elif isinstance(named.entry, NewFile) and record.size:
                self.contents[record.extent] = named.entry
        return inner

    def _system_use(self, record: Record, date: bytes, named: Named | None) -> int | None:
        """Finish Rock Ridge's entries; return where the folder really is, if that is elsewhere.

        Raises:
            AuthoringError: pycdlib gave the entries no room to go on.
        """
        child = None
        for use in system_use(self.head, record.use, record.end, self._area):
            if use.signature == b"TF":
                self._dates(use, date)
            elif use.signature in (b"CE", b"PL"):
                if use.signature == b"CE" and not BOTH.unpack_from(self.head, use.at + 4)[0]:
                    what = "" if named is None else named.path
                    raise AuthoringError(
                        f"{what}: the name is too long for a folder eight levels deep",
                        rule="folder-depth",
                    )
                self._both(use.at + 4)
            elif use.signature == b"CL":
                self._both(use.at + 4)
                (child,) = BOTH.unpack_from(self.head, use.at + 4)
        return child

    def _dates(self, use: Use, date: bytes) -> None:
        at = use.at + 5
        while at + 7 <= use.at + use.length:
            self.head[at : at + 7] = date
            at += 7

    def _moved_folders(self, moved: Record) -> None:
        """Finish the records of the folder that keeps those which lie too deep."""
        start = moved.extent * BLOCK_BYTES
        date = self._date(self.clock.volume)
        for record in records(self.head, start, moved.size, file=_NAME, place="moved folders"):
            self.head[record.at + DATE_AT : record.at + DATE_AT + 7] = date
            self._system_use(record, date, None)
            self._both(record.at + EXTENT_AT)

    def _own_size(self, extent: int) -> int:
        """Return the size that a directory gives itself."""
        (size,) = BOTH.unpack_from(self.head, extent * BLOCK_BYTES + SIZE_AT)
        return int(size)

    def _put(self, at: int, number: int) -> None:
        BOTH.pack_into(self.head, at, number)
        BOTH_BIG.pack_into(self.head, at + 4, number)
