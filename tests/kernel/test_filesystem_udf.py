"""The UDF side of a bridge, read by a reader of ECMA-167 that trusts no number unchecked."""

from __future__ import annotations

import struct
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rawcd.errors import AuthoringError
from rawcd.filesystem import (
    BLOCK_BYTES,
    FileTree,
    Folder,
    Link,
    MemoryFile,
    VolumeOptions,
    make_volume,
)
from tests.volumes import DATES, bytes_of, contents, trees

if TYPE_CHECKING:
    from collections.abc import Iterator


def crc_ccitt(data: bytes) -> int:
    """ECMA-167 1/7.2.6: x^16 + x^12 + x^5 + 1, from 0, a bit at a time."""
    crc = 0
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ 0x1021 if crc & 0x8000 else crc << 1) & 0xFFFF
    return crc


class Udf:
    """A volume of UDF on a disc whose block 0 is at `base`."""

    def __init__(self, data: bytes, base: int) -> None:
        self.data = data
        self.base = base
        kinds = [self.block(base + n)[1:6] for n in range(16, 32)]
        assert kinds.index(b"BEA01") < kinds.index(b"NSR02") < kinds.index(b"TEA01")
        last = base + len(data) // BLOCK_BYTES - 1
        anchors = [self.tagged(lba, lba, 2) for lba in (base + 256, last)]
        assert anchors[0][16:32] == anchors[1][16:32]
        main, reserve = (self.sequence(anchors[0][at : at + 8]) for at in (16, 24))
        assert [d[16:] for d in main.values()] == [d[16:] for d in reserve.values()]
        partition, logical = main[5], main[6]
        self.start, self.length = struct.unpack_from("<II", partition, 188)
        assert base + 256 < self.start < self.start + self.length <= last + 1
        self.name = self.text(logical[84:212])
        assert self.text(main[1][24:56]) == self.name
        length, lba = struct.unpack_from("<II", logical, 432)
        assert self.tagged(lba, lba, 9)[28:32] == struct.pack("<I", 1)  # closed
        assert length
        (file_set,) = struct.unpack_from("<I", logical, 248 + 4)
        self.root = struct.unpack_from("<I", self.inside(file_set, 256), 404)[0]

    def block(self, lba: int, count: int = 1) -> bytes:
        start = (lba - self.base) * BLOCK_BYTES
        assert start >= 0
        assert start + count * BLOCK_BYTES <= len(self.data)
        return self.data[start : start + count * BLOCK_BYTES]

    def check(self, data: bytes, location: int, kind: int) -> bytes:
        found, _, total, _, _, crc, length, where = struct.unpack_from("<HHBBHHHI", data)
        assert (found, where) == (kind, location)
        assert total == (sum(data[:16]) - data[4]) % 256
        assert crc == crc_ccitt(data[16 : 16 + length])
        return data

    def tagged(self, lba: int, location: int, kind: int) -> bytes:
        return self.check(self.block(lba), location, kind)

    def inside(self, block: int, kind: int) -> bytes:
        assert block < self.length
        return self.tagged(self.start + block, block, kind)

    def sequence(self, extent: bytes) -> dict[int, bytes]:
        length, lba = struct.unpack("<II", extent)
        found = {}
        for number in range(length // BLOCK_BYTES):
            kind = struct.unpack_from("<H", self.block(lba + number))[0]
            found[kind] = self.tagged(lba + number, lba + number, kind)
            if kind == 8:
                break
        return found

    def text(self, field: bytes) -> str:
        data = field[: field[-1]]
        return data[1:].decode("utf-16-be" if data[0] == 16 else "latin-1")

    def file(self, block: int) -> tuple[int, bytes, tuple[int, ...]]:
        """Return type, bytes and date of a file entry."""
        entry = self.inside(block, 261)
        size, blocks = struct.unpack_from("<QQ", entry, 56)
        skip, ads = struct.unpack_from("<II", entry, 168)
        data = b""
        for at in range(176 + skip, 176 + skip + ads, 8):
            length, first = struct.unpack_from("<II", entry, at)
            count = -(-length // BLOCK_BYTES)
            assert first + count <= self.length
            data += self.block(self.start + first, count)[:length]
        assert len(data) == size
        assert blocks == max(-(-size // BLOCK_BYTES), 0)
        return entry[16 + 11], data, struct.unpack_from("<HhBBBBB", entry, 84)

    def walk(self, block: int | None = None, above: str = "") -> Iterator[tuple[str, bytes | None]]:
        kind, data, _ = self.file(self.root if block is None else block)
        assert kind == 4
        at = 0
        while at < len(data):
            flags, length = data[at + 18 : at + 20]
            (entry,) = struct.unpack_from("<I", data, at + 24)
            (use,) = struct.unpack_from("<H", data, at + 36)
            total = -(-(38 + use + length) // 4) * 4
            location = struct.unpack_from("<I", data, at + 12)[0]
            self.check(data[at : at + total], location, 257)
            name = data[at + 38 + use : at + 38 + use + length]
            at += total
            if flags & 8:
                continue
            path = f"{above}/{name[1:].decode('utf-16-be' if name[0] == 16 else 'latin-1')}"
            inner, body, _ = self.file(entry)
            assert (inner == 4) == bool(flags & 2)
            if inner == 4:
                yield path, None
                yield from self.walk(entry, path)
            else:
                yield path, body


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(tree=trees(), lba=st.sampled_from([0, 11_702]), rock_ridge=st.booleans())
def test_any_tree_comes_back_from_udf(tree: FileTree, lba: int, rock_ridge: bool) -> None:
    options = VolumeOptions(udf=True, rock_ridge=rock_ridge, volume_id="Ünï", relax=True)
    volume = make_volume(tree, lba=lba, options=options)
    found = Udf(bytes_of(volume), lba)
    assert found.name == "Ünï"
    have = dict(found.walk())
    want = contents(tree)
    if not volume.notes:
        assert have == want
    assert sorted(map(repr, have.values())) == sorted(map(repr, want.values()))


@pytest.mark.parametrize("count", [1, 15, 16, 17, 50, 200, 1000])
@pytest.mark.parametrize("letters", [1, 9, 60])
def test_folders_of_any_size(count: int, letters: int) -> None:
    """Descriptors of files straddle blocks in every way."""
    entries = {f"{n:04}{'x' * letters}": MemoryFile(data=b"%d" % n) for n in range(count)}
    tree = FileTree(root=Folder(entries={"d": Folder(entries=entries), **entries}))
    found = Udf(bytes_of(make_volume(tree, lba=50, options=VolumeOptions(udf=True))), 50)
    assert dict(found.walk()) == contents(tree)


@given(modified=DATES, date=DATES)
def test_files_have_their_dates(modified: int, date: int) -> None:
    tree = FileTree(root=Folder(entries={"f": MemoryFile(data=b"1", modified=modified)}))
    data = bytes_of(make_volume(tree, options=VolumeOptions(udf=True, date=date)))
    found = Udf(data, 0)
    root = found.file(found.root)[1]
    second = -(-(38 + root[19]) // 4) * 4
    (entry,) = struct.unpack_from("<I", root, second + 24)
    utc = time.gmtime(min(modified, date))
    assert found.file(entry)[2] == (1 << 12, *utc[:6])


def test_the_same_volume_has_the_same_bytes() -> None:
    tree = FileTree(root=Folder(entries={"f": MemoryFile(data=b"1")}))
    options = VolumeOptions(udf=True, date=1)
    assert len({bytes_of(make_volume(tree, options=options)) for _ in range(3)}) == 1


def test_names_that_pycdlib_would_take_for_one_are_told_apart() -> None:
    entries = {"ab": MemoryFile(data=b"1"), "\u6162": MemoryFile(data=b"2")}
    assert "\u6162".encode("utf-16-be") == b"ab"
    tree = FileTree(root=Folder(entries=entries))
    with pytest.raises(AuthoringError, match="UDF cannot hold the name"):
        make_volume(tree, options=VolumeOptions(udf=True))
    volume = make_volume(tree, options=VolumeOptions(udf=True, relax=True))
    assert sorted(map(repr, dict(Udf(bytes_of(volume), 0).walk()).values())) == ["b'1'", "b'2'"]


def test_links_are_left_out() -> None:
    tree = FileTree(root=Folder(entries={"l": Link(target="x"), "f": MemoryFile(data=b"")}))
    volume = make_volume(tree, options=VolumeOptions(udf=True, rock_ridge=True))
    assert dict(Udf(bytes_of(volume), 0).walk()) == {"/f": b""}
    assert [note.message for note in volume.notes] == ["Joliet and UDF cannot hold 1 links"]
