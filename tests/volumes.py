"""Trees of any shape, volumes made of them, and what ECMA-119 says of a volume's bytes."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from rawcd.filesystem import (
    BLOCK_BYTES,
    FileTree,
    Folder,
    Link,
    MemoryFile,
    StoredFile,
    StoredVolume,
)
from rawcd.source import ArraySource

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from rawcd.filesystem import Entry, Volume

DATES = st.integers(0, 4_000_000_000)


def names(longest: int = 64) -> st.SearchStrategy[str]:
    """Names that Joliet holds, and every other tree that keeps names."""
    any_letter = st.characters(
        codec="utf-8", max_codepoint=0xFFFF, exclude_characters='*/:;?\\"', min_codepoint=0x20
    )
    return (st.text("abcAB. 01", min_size=1, max_size=12) | st.text(any_letter, min_size=1)).filter(
        lambda name: not name.endswith(".") and len(name) <= longest and len(name.encode()) <= 255
    )


def files() -> st.SearchStrategy[MemoryFile]:
    return st.builds(
        MemoryFile,
        data=st.binary(max_size=20) | st.sampled_from([bytes(2048), b"x" * 2049, b"y" * 6000]),
        modified=DATES,
        mode=st.sampled_from([0o444, 0o644, 0o755]),
    )


def links() -> st.SearchStrategy[Link]:
    return st.builds(
        Link,
        target=st.sampled_from(["a", "../b c", "/", "/abs/./x/..", "é" * 300, "a/" * 90 + "b"]),
        modified=DATES,
    )


def trees(
    *, keys: st.SearchStrategy[str] | None = None, with_links: bool = False
) -> st.SearchStrategy[FileTree]:
    keys = names() if keys is None else keys
    leaves: st.SearchStrategy[Entry] = files() | links() if with_links else files()

    def folders(inner: st.SearchStrategy[Entry]) -> st.SearchStrategy[Folder]:
        return st.builds(
            Folder,
            entries=st.dictionaries(keys, inner, max_size=6),
            modified=DATES,
            mode=st.sampled_from([0o555, 0o755]),
        )

    entries: st.SearchStrategy[Entry] = st.recursive(leaves, folders, max_leaves=12)
    return folders(entries).map(lambda root: FileTree(root=root))


def bytes_of(volume: Volume) -> bytes:
    return volume.source.read(0, volume.sector_count)


def stored(volume: Volume) -> StoredVolume:
    """Read a volume back from its bytes alone."""
    blocks = ArraySource(bytes_of(volume), block_size=BLOCK_BYTES)
    return StoredVolume(blocks, lba=volume.lba, base=volume.lba)


def contents(tree: FileTree, volume: StoredVolume | None = None) -> dict[str, object]:
    """What lies at each path: a file's bytes, a link's target, None for a folder."""
    found: dict[str, object] = {}
    for path, entry in tree.walk():
        if isinstance(entry, Folder):
            found[path] = None
        elif isinstance(entry, Link):
            found[path] = "-> " + entry.target
        elif isinstance(entry, MemoryFile):
            found[path] = entry.data
        elif isinstance(entry, StoredFile):
            assert volume is not None
            found[path] = volume.read_file(entry)
    return found


def of_folder(folder: Path) -> dict[str, object]:
    """The same of a folder of this computer."""
    found: dict[str, object] = {}
    for path in sorted(folder.rglob("*")):
        name = "/" + path.relative_to(folder).as_posix()
        if path.is_symlink():
            found[name] = "-> " + str(path.readlink())
        else:
            found[name] = None if path.is_dir() else path.read_bytes()
    return found


# -- the standard, read from the bytes alone ---------------------------------------------------


class Volume119:
    """The structures of ECMA-119 in a volume's bytes, every number checked in both orders."""

    def __init__(self, data: bytes, lba: int) -> None:
        self.data = data
        self.lba = lba
        self.used: dict[int, str] = {}

    def block(self, lba: int, count: int = 1) -> bytes:
        start = (lba - self.lba) * BLOCK_BYTES
        assert start >= 0, f"LBA {lba} lies before the volume"
        assert start + count * BLOCK_BYTES <= len(self.data), f"LBA {lba} lies behind it"
        return self.data[start : start + count * BLOCK_BYTES]

    def both32(self, data: bytes, at: int) -> int:
        little, big = (
            struct.unpack_from("<I", data, at)[0],
            struct.unpack_from(">I", data, at + 4)[0],
        )
        assert little == big
        return int(little)

    def take(self, lba: int, size: int, what: str) -> None:
        """Claim blocks: nobody else may have them, but for one file of several trees."""
        for block in range(lba, lba + -(-size // BLOCK_BYTES)):
            assert self.used.setdefault(block, what) == what, f"block {block} belongs to two"

    def records(self, lba: int, size: int) -> Iterator[tuple[bytes, int, int, int]]:
        """Give identifier, extent, size and flags; records do not cross blocks."""
        data = self.block(lba, size // BLOCK_BYTES)
        for start in range(0, size, BLOCK_BYTES):
            at = start
            while at < start + BLOCK_BYTES and data[at]:
                record = data[at : at + data[at]]
                assert at + data[at] <= start + BLOCK_BYTES
                assert data[at] % 2 == 0
                name = record[33 : 33 + record[32]]
                yield name, self.both32(record, 2), self.both32(record, 10), record[25]
                at += data[at]
            assert not any(data[at : start + BLOCK_BYTES])

    def check(self) -> list[str]:
        """Check every tree; return the kinds of descriptors found."""
        kinds: list[str] = []
        for number in range(16, 40):
            descriptor = self.block(self.lba + number)
            assert descriptor[1:6] == b"CD001"
            if descriptor[0] == 255:
                return kinds
            if descriptor[0] in (1, 2):
                joliet = descriptor[0] == 2 and descriptor[88:90] == b"%/"
                kinds.append("joliet" if joliet else f"iso {descriptor[6]}")
                assert self.both32(descriptor, 80) * BLOCK_BYTES == len(self.data)
                self.tree(descriptor, "joliet" if joliet else "iso")
        raise AssertionError("no end of the volume descriptors")

    def tree(self, descriptor: bytes, name: str) -> None:
        root = descriptor[156:190]
        size = self.both32(descriptor, 132)
        tables = []
        for at, order in ((140, "<"), (148, ">")):
            (lba,) = struct.unpack_from(order + "I", descriptor, at)
            self.take(lba, size, f"{name} path table {order}")
            tables.append(self.path_table(self.block(lba, -(-size // BLOCK_BYTES)), size, order))
        assert tables[0] == tables[1]
        directories = [(b"\0", self.both32(root, 2), 1)]
        sizes = [self.both32(root, 10)]
        number = 0
        while number < len(directories):
            _, lba, _ = directories[number]
            self.take(lba, sizes[number], f"{name} directory {lba}")
            found = list(self.records(lba, sizes[number]))
            parent = directories[directories[number][2] - 1][1]
            assert [found[0][:2], found[1][:2]] == [(b"\0", lba), (b"\1", parent)]
            identifiers = [record[0] for record in found[2:]]
            assert identifiers == sorted(set(identifiers)), "out of order, or twice"
            for identifier, extent, length, flags in found[2:]:
                if flags & 2:
                    directories.append((identifier, extent, number + 1))
                    sizes.append(length)
                elif extent >= self.lba and length:
                    self.take(extent, length, f"file {extent}")
            number += 1
        assert tables[0] == directories, "the path table is not the tree"

    def path_table(self, data: bytes, size: int, order: str) -> list[tuple[bytes, int, int]]:
        found, at = [], 0
        while at < size:
            length, _, lba, parent = struct.unpack_from(order + "BBIH", data, at)
            found.append((data[at + 8 : at + 8 + length], lba, parent))
            at += 8 + length + length % 2
        return found
