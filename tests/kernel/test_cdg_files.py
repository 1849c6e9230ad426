from __future__ import annotations

import errno
import io
import pickle
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rawcd.cdg import (
    CdgDecoder,
    CdgFile,
    CdgSource,
    Instruction,
    MemoryPreset,
    build_pack,
    write_cdg,
)
from rawcd.errors import FormatError, StorageError
from rawcd.source import ReadsInto, Source
from tests.kernel.test_cdg_packs import instructions

if TYPE_CHECKING:
    from pathlib import Path


@given(st.lists(instructions | st.none(), max_size=20))
def test_what_is_written_is_read_back(stream: list[Instruction | None]) -> None:
    target = io.BytesIO()
    assert write_cdg(target, stream) == len(stream)
    file = CdgFile(target)
    assert file.pack_count == len(stream)
    assert list(file.instructions()) == [
        (number, each) for number, each in enumerate(stream) if each is not None
    ]
    assert file.packs().tobytes() == target.getvalue()
    again = io.BytesIO()
    write_cdg(again, file.packs())
    assert again.getvalue() == target.getvalue()


@given(st.binary(max_size=200))
def test_any_bytes_are_packs_or_raise_one_error(junk: bytes) -> None:
    padded = CdgFile(junk, pad=True)
    assert padded.packs().tobytes() == junk + bytes(padded.padded)
    CdgDecoder(padded).rgb(0.5)
    list(padded.instructions())
    if len(junk) % 24:
        with pytest.raises(FormatError, match=f"^<CD.G packs>.*: {len(junk) % 24} bytes are left"):
            CdgFile(junk)
    else:
        assert CdgFile(junk).padded == 0


def test_a_ragged_end_names_file_and_place(tmp_path: Path) -> None:
    path = tmp_path / "short.cdg"
    path.write_bytes(bytes(24 * 3 + 5))
    with pytest.raises(FormatError, match="5 bytes are left over after 3 packs") as caught:
        CdgFile(path)
    assert (caught.value.file, caught.value.place) == (str(path), "offset 72")
    file = CdgFile(path, pad=True)
    assert (file.pack_count, file.padded, file.sector_count) == (4, 19, 1)
    assert file.seconds == 4 / 300


def test_packs_may_be_read_in_pieces(tmp_path: Path) -> None:
    packs = np.random.default_rng(1).integers(0, 256, (100, 24)).astype(np.uint8)
    path = tmp_path / "a.cdg"
    write_cdg(path, packs)
    file = pickle.loads(pickle.dumps(CdgFile(path)))
    np.testing.assert_array_equal(file.packs(), packs)
    np.testing.assert_array_equal(file.packs(17, 30), packs[17:47])
    np.testing.assert_array_equal(CdgFile(packs[::2]).packs(), packs[::2])
    assert file.packs(100).shape == (0, 24)
    assert file.paths == (path,)
    with pytest.raises(ValueError, match="not within"):
        file.packs(90, 11)


def test_a_file_that_is_there_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "a.cdg"
    write_cdg(path, [MemoryPreset(colour=1)])
    with pytest.raises(StorageError, match="cannot write"):
        write_cdg(path, [])
    assert path.read_bytes() == build_pack(MemoryPreset(colour=1))
    write_cdg(path, bytes(24), overwrite=True)
    assert path.read_bytes() == bytes(24)
    with pytest.raises(ValueError, match="no whole packs"):
        write_cdg(io.BytesIO(), bytes(25))
    with pytest.raises(StorageError, match="cannot open"):
        CdgFile(tmp_path / "missing.cdg")

    class Full(io.BytesIO):
        def write(self, data: Any, /) -> int:
            raise OSError(28, "No space left on device")

    with pytest.raises(StorageError, match="No space left"):
        write_cdg(Full(), bytes(24))


def test_bytes_of_any_kind_are_packs_and_wider_numbers_are_none(tmp_path: Path) -> None:
    pack = build_pack(MemoryPreset(colour=3))
    buffers: list[Any] = [bytearray(pack * 2), memoryview(pack * 2)]
    for number, buffer in enumerate(buffers):
        assert write_cdg(tmp_path / f"{number}.cdg", buffer) == 2
        assert (tmp_path / f"{number}.cdg").read_bytes() == pack * 2
    wide = np.frombuffer(pack, np.uint8).astype(np.int64).reshape(1, 24)
    takes: list[Any] = [CdgFile, lambda packs: write_cdg(io.BytesIO(), packs)]
    for take in takes:
        with pytest.raises(TypeError, match="an array of uint8, not int64"):
            take(wide)
    for nothing in (["x"], [pack], [3]):
        with pytest.raises(TypeError, match="is no instruction of CD"):
            write_cdg(tmp_path / "none.cdg", nothing)  # type: ignore[arg-type]  # that is the point
    assert not (tmp_path / "none.cdg").exists()


def test_a_file_is_replaced_whole_or_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place, link = tmp_path / "song.cdg", tmp_path / "link.cdg"
    write_cdg(place, [MemoryPreset(colour=1)])
    link.symlink_to(place)
    assert write_cdg(link, [None, None], overwrite=True) == 2
    assert link.is_symlink()
    assert place.read_bytes() == bytes(48)

    def full(self: Path, target: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(type(tmp_path), "replace", full)
    with pytest.raises(StorageError, match=r"song\.cdg: cannot write: No space left"):
        write_cdg(place, [MemoryPreset(colour=1)], overwrite=True)
    assert place.read_bytes() == bytes(48)
    assert sorted(tmp_path.iterdir()) == [link, place]
    assert write_cdg("/dev/null", [None], overwrite=True) == 1


def blocks_of(packs: Any, first_sector: int, count: int) -> bytes:
    """Return what a source should give, one symbol at a time."""
    blocks = bytearray(96 * count)
    for number, pack in enumerate(packs.tolist()):
        for place, byte in enumerate(pack):
            at = 96 * first_sector + 24 * number + place
            parity = place in (2, 3, 20, 21, 22, 23)
            if 0 <= at < len(blocks) and not parity:
                blocks[at] = byte & 63
    return bytes(blocks)


@given(
    packs=st.builds(
        lambda seed, count: (
            np.random.default_rng(seed).integers(0, 256, (count, 24)).astype(np.uint8)
            * (np.arange(count)[:, None] % 3 > 0).astype(np.uint8)
        ),
        st.integers(0, 999),
        st.integers(0, 13),
    ),
    first_sector=st.integers(-3, 5),
    block_count=st.integers(0, 9) | st.none(),
    cut=st.integers(0, 9),
)
def test_a_source_lays_the_packs_at_their_sector(
    packs: Any, first_sector: int, block_count: int | None, cut: int
) -> None:
    source = CdgSource(CdgFile(packs), first_sector=first_sector, block_count=block_count)
    count = source.block_count
    if block_count is None:
        assert count == max(0, first_sector + -(-len(packs) // 4))
    whole = source.read(0, count)
    assert whole == blocks_of(packs, first_sector, count)
    cut = min(cut, count)
    assert source.read(0, cut) + source.read(cut, count - cut) == whole
    kept = [0 <= first_sector + number // 4 < count for number in range(len(packs))]
    used = (packs & 63).any(axis=1)
    assert source.lost_packs() == int((used & ~np.array(kept, bool)).sum())


def test_a_source_is_one(tmp_path: Path) -> None:
    path = tmp_path / "song.cdg"
    path.write_bytes(bytes([0xFF]) * 24 * 5)
    source = CdgSource(path, first_sector=2)
    assert isinstance(source, Source)
    assert isinstance(source, ReadsInto)
    assert (source.name, source.block_size, source.block_count) == (str(path), 96, 4)
    assert source.paths == (path,)
    rows = np.full((4, 200), 7, np.uint8)
    source.read_into(0, rows[:, 10:106])
    assert rows[:, 10:106].tobytes() == source.read(0, 4)
    assert (rows[:, :10] == 7).all()
    assert (rows[:, 106:] == 7).all()
    assert max(source.read(0, 4)) == 63
    with pytest.raises(ValueError, match="not within"):
        source.read(3, 2)
    with pytest.raises(ValueError, match="no number of blocks"):
        CdgSource(path, block_count=-1)
    assert CdgSource(path, block_count=0).read(0, 0) == b""
