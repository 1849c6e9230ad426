"""Volumes from anywhere: any bytes are a volume or one of our errors."""

from __future__ import annotations

import random
from contextlib import suppress
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rawcd.errors import FormatError, UnsupportedError
from rawcd.filesystem import (
    BLOCK_BYTES,
    FileTree,
    Folder,
    Link,
    MemoryFile,
    StoredFile,
    StoredVolume,
    VolumeOptions,
    make_volume,
)
from rawcd.source import ArraySource, BlockSource, MemoryBytes
from tests.volumes import bytes_of


@cache
def good() -> bytes:
    deep = Folder(entries={"f": MemoryFile(data=b"1")})
    for level in range(10):
        deep = Folder(entries={f"{level}": deep, "n" * 200: MemoryFile(data=b"2" * 3000)})
    root = Folder(entries={"d": deep, "l": Link(target="x/" * 200)})
    options = VolumeOptions(rock_ridge=True, relax=True)
    return bytes_of(make_volume(FileTree(root=root), options=options))


def read_all(data: bytes) -> None:
    volume = StoredVolume(BlockSource(MemoryBytes(data, name="a.iso"), block_size=BLOCK_BYTES))
    for kind in volume.kinds:
        for _, entry in volume.tree(kind).walk():
            if isinstance(entry, StoredFile):
                for _ in volume.file_pieces(entry):
                    pass


def test_the_good_one_is_good() -> None:
    read_all(good())


@given(st.binary(max_size=40_000))
def test_any_bytes_are_a_volume_or_one_error(junk: bytes) -> None:
    with suppress(FormatError, UnsupportedError):
        read_all(junk + bytes(-len(junk) % BLOCK_BYTES))


@given(
    changes=st.lists(
        st.tuples(st.integers(16 * BLOCK_BYTES, 1 << 17), st.integers(0, 255)), min_size=1
    ),
    keep=st.integers(16, 200),
)
def test_any_change_of_a_volume_is_a_volume_or_one_error(
    changes: list[tuple[int, int]], keep: int
) -> None:
    data = bytearray(good())
    for at, value in changes:
        data[at % len(data)] = value
    with suppress(FormatError, UnsupportedError):
        read_all(bytes(data[: keep * BLOCK_BYTES]))


@pytest.mark.parametrize("seed", range(40))
def test_noise_in_the_directories_is_a_volume_or_one_error(seed: int) -> None:
    dice = random.Random(seed)
    data = bytearray(good())
    for _ in range(30):
        at = dice.randrange(16 * BLOCK_BYTES, len(data))
        data[at] = dice.choice([0, 1, 2, 255, dice.randrange(256)])
    with suppress(FormatError, UnsupportedError):
        read_all(bytes(data))


def plain(**entries: bytes | Folder) -> bytearray:
    root = Folder(
        entries={
            name: MemoryFile(data=entry) if isinstance(entry, bytes) else entry
            for name, entry in entries.items()
        }
    )
    return bytearray(
        bytes_of(make_volume(FileTree(root=root), options=VolumeOptions(joliet=False)))
    )


def record_at(data: bytearray, identifier: bytes) -> int:
    volume = b"\x01\x00\x00\x01"  # its number, in both orders, goes before the identifier
    return data.index(volume + bytes((len(identifier),)) + identifier) - 28


def test_a_folder_within_itself_is_no_tree() -> None:
    data = plain(A=Folder(entries={"B": Folder()}))
    inner, outer = record_at(data, b"B"), record_at(data, b"A")
    data[inner + 2 : inner + 10] = data[outer + 2 : outer + 10]
    with pytest.raises(FormatError, match=r"a\.iso: LBA \d+: a directory is reached by two ways"):
        read_all(bytes(data))


def test_a_file_outside_is_named_when_it_is_read() -> None:
    data = plain(A=b"1")
    at = record_at(data, b"A.;1")
    data[at + 2 : at + 6] = (70_000).to_bytes(4, "little")
    with pytest.raises(FormatError, match=r"a\.iso: LBA 70000: 1 block is asked for"):
        read_all(bytes(data))


def test_a_file_is_read_from_its_first_byte_to_its_last() -> None:
    volume = StoredVolume(ArraySource(plain(A=b"hello"), block_size=BLOCK_BYTES))
    file = volume.tree().get("/A")
    assert isinstance(file, StoredFile)
    assert volume.read_file(file, 3, 10) == b"lo"
    assert volume.read_file(file, 5) == b""
    with pytest.raises(ValueError, match="no file has a byte -1"):
        volume.read_file(file, -1)


def test_of_no_blocks_none_is_named() -> None:
    with pytest.raises(FormatError, match="1 block is asked for, and nothing is there"):
        StoredVolume(ArraySource(b"", block_size=BLOCK_BYTES))


def test_sections_end_to_end_are_one_file_and_others_are_refused() -> None:
    data = plain(A=b"1" * 2048, B=b"2")
    at = record_at(data, b"A.;1")
    data[at + 25] |= 0x80
    second = record_at(data, b"B.;1")
    data[second + 33] = ord("A")
    volume = StoredVolume(ArraySource(data, block_size=BLOCK_BYTES))
    file = volume.tree().get("/A")
    assert isinstance(file, StoredFile)
    assert volume.read_file(file) == b"1" * 2048 + b"2"
    data[second + 2] += 1
    with pytest.raises(UnsupportedError, match="lies in pieces"):
        read_all(bytes(data))


def test_interleaved_files_are_refused() -> None:
    data = plain(A=b"1")
    data[record_at(data, b"A.;1") + 26] = 1
    with pytest.raises(UnsupportedError, match="interleaved"):
        read_all(bytes(data))


def test_extended_attributes_lie_before_the_data() -> None:
    data = plain(A=b"1")
    data[record_at(data, b"A.;1") + 1] = 3
    volume = StoredVolume(ArraySource(data, block_size=BLOCK_BYTES))
    file, whole = volume.tree().get("/A"), StoredVolume(ArraySource(plain(A=b"1"), block_size=2048))
    before = whole.tree().get("/A")
    assert isinstance(file, StoredFile)
    assert isinstance(before, StoredFile)
    assert file.lba == before.lba + 3


def test_names_that_climb_are_refused() -> None:
    options = VolumeOptions(rock_ridge=True, joliet=False)
    tree = FileTree(root=Folder(entries={"ab": MemoryFile(data=b"")}))
    data = bytearray(bytes_of(make_volume(tree, options=options)))
    at = data.index(b"NM\x07\x01\x00ab")
    data[at + 5 : at + 7] = b".."
    with pytest.raises(FormatError, match=r"an entry is called '\.\.'"):
        read_all(bytes(data))


def test_what_is_asked_for_has_to_be_there() -> None:
    volume = StoredVolume(ArraySource(plain(A=b"1"), block_size=BLOCK_BYTES))
    assert volume.kinds == ("iso",)
    assert volume.volume_id == "CDROM"
    with pytest.raises(UnsupportedError, match="has no tree of kind joliet"):
        volume.tree("joliet")
    with pytest.raises(ValueError, match="blocks of 2352 bytes"):
        StoredVolume(ArraySource(bytes(2352)))
