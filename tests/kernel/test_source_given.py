"""What a source is made of, as strangers give it, and sources that break their promise."""

from __future__ import annotations

import array
import io
import mmap
import os
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from rawcd.errors import StorageError
from rawcd.source import (
    FileBytes,
    JoinedSound,
    SilenceSource,
    SoundPart,
    StreamBytes,
    fill_rows,
    reader_of,
)

if TYPE_CHECKING:
    from pathlib import Path

HELD = bytes(range(256)) * 8


class BytesPath(os.PathLike[bytes]):
    def __init__(self, path: Path) -> None:
        self._path = path

    def __fspath__(self) -> bytes:
        return os.fsencode(self._path)


class SeeksInSilence(io.BytesIO):
    """Some objects move and do not say where to, as mmap does before Python 3.13."""

    def seek(self, offset: int, whence: int = 0) -> int:
        super().seek(offset, whence)
        return None  # type: ignore[return-value]  # wrong on purpose


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "held"
    made.write_bytes(HELD)
    return made


def content(given: object) -> bytes:
    reader = reader_of(given)
    assert reader is not None
    held = bytearray(reader.size)
    reader.read_at(0, held)
    return bytes(held)


def test_all_that_has_bytes_has_a_reader(path: Path) -> None:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        for given in (
            path,
            str(path),
            BytesPath(path),
            FileBytes(path),
            file,
            SeeksInSilence(HELD),
            HELD,
            bytearray(HELD),
            memoryview(HELD),
            array.array("B", HELD),
            np.frombuffer(HELD, np.uint8).reshape(8, -1),
            np.frombuffer(HELD, np.uint8).repeat(2)[::2],
        ):
            assert content(given) == HELD, given
        assert content(mapped[:]) == HELD
        reader = reader_of(mapped)
        assert reader is not None
        assert reader.size == len(HELD)
        del reader  # it holds the map open


@pytest.mark.parametrize(
    "given", [None, 5, [b"a"], np.zeros(4), np.zeros(4, np.int8), array.array("d", [1.0])]
)
def test_what_has_none(given: object) -> None:
    assert reader_of(given) is None


def test_an_empty_name_is_told() -> None:
    with pytest.raises(StorageError, match="'': is no file"):
        FileBytes("")


def test_a_file_object_that_gives_no_bytes() -> None:
    class Texts:
        def read(self, size: int) -> str:
            return "x" * size

        def seek(self, offset: int, whence: int = 0) -> int:
            del offset, whence
            return 4

    reader = reader_of(Texts())
    assert isinstance(reader, StreamBytes)
    with pytest.raises(StorageError, match="<Texts>: cannot read"):
        reader.read_at(0, bytearray(4))


class Given:
    """A source and a sound that give what they were given, whatever was asked for."""

    name = "given"
    block_size = 2_352
    block_count = 300
    sample_count = 588

    def __init__(self, given: Any) -> None:
        self._given = given

    def read(self, start: int, count: int) -> Any:
        del start, count
        return self._given

    def read_samples(self, start: int, count: int) -> Any:
        del start, count
        return self._given


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (b"", "0 bytes|bytes"),
        (bytes(2_351), "2351 bytes"),
        (bytes(2_352 * 3), "7056 bytes"),
        ("x" * 4_704, "str"),
        (None, "NoneType"),
    ],
)
def test_a_source_that_gives_something_else(given: object, said: str) -> None:
    rows = np.empty((2, 2_352), np.uint8)
    with pytest.raises(StorageError, match=f"given: gave ({said}) for 2 blocks of 2352 bytes"):
        fill_rows(Given(given), 7, rows)
    fill_rows(Given(np.ones((2, 2_352), np.uint8)), 7, rows)  # any buffer of them will do
    assert (rows == 1).all()


@pytest.mark.parametrize(
    "given",
    [
        np.zeros((587, 2), np.int16),
        np.zeros((588, 1), np.int16),
        np.zeros(588, np.int16),
        np.full((588, 2), 0.5),
        np.full((588, 2), 70_000, np.int32),
        bytes(2_352),
        None,
    ],
)
def test_a_sound_that_gives_something_else(given: object) -> None:
    sound = Given(given)
    joined = JoinedSound([SoundPart(sound=sound, start=0, count=588)])
    with pytest.raises(StorageError, match=r"given: gave .* a Sound gives int16 \(588, 2\)"):
        joined.read(0, 1)


@pytest.mark.parametrize(("count", "size"), [(-1, 2_352), (5, 0), (5, -1)])
def test_silence_of_no_length(count: int, size: int) -> None:
    with pytest.raises(ValueError, match="no blocks"):
        SilenceSource(block_count=count, block_size=size)
