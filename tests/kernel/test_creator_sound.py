"""Sound from anywhere: kept, not copied."""

from __future__ import annotations

import array
import io
import mmap
import wave
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import soundfile

import rawcd
from rawcd import (
    ArraySource,
    AuthoringError,
    FormatError,
    RawCDImageCreator,
    SilenceSource,
    StorageError,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import numpy.typing as npt

from tests.imapi_codes import E_INVALIDARG
from tests.staging import counts, little, pattern, refused, silent

# -- sound from anywhere -------------------------------------------------------------------------

SECTORS = 301
SOUND = pattern(588 * SECTORS - 100)
"""Ragged: 100 samples are missing from the last sector."""
ON_DISC = little(SOUND) + bytes(400)


class OwnSource:
    """A Source that knows nothing of ours."""

    name = "own"
    block_size = 2_352
    block_count = SECTORS

    def read(self, start: int, count: int) -> bytes:
        return ON_DISC[start * 2_352 : (start + count) * 2_352]


class OwnSound:
    """A Sound that knows nothing of ours."""

    name = "own"
    sample_count = len(SOUND)

    def read_samples(self, start: int, count: int) -> npt.NDArray[np.int16]:
        return SOUND[start : start + count]


class OnlyReads:
    """A file object with read() and seek() and nothing else."""

    def __init__(self, data: bytes) -> None:
        self._file = io.BytesIO(data)

    def read(self, size: int) -> bytes:
        return self._file.read(min(size, 1_000))

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)


def wav(samples: npt.NDArray[np.int16]) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(2)
        out.setsampwidth(2)
        out.setframerate(44_100)
        out.writeframes(little(samples))
    return file.getvalue()


def wav_path(folder: Path) -> Path:
    path = folder / "sound.wav"
    path.write_bytes(wav(SOUND))
    return path


def samples_path(folder: Path) -> Path:
    path = folder / "sound.bin"
    path.write_bytes(little(SOUND))
    return path


def coded_path(folder: Path, name: str) -> Path:
    path = folder / name
    soundfile.write(path, SOUND, 44_100, "PCM_16")
    return path


def mapped(path: Path) -> mmap.mmap:
    with path.open("rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


STORED = little(SOUND)
INPUTS: dict[str, Callable[[Path], object]] = {
    "wav path": wav_path,
    "wav str": lambda folder: str(wav_path(folder)),
    "flac path": lambda folder: coded_path(folder, "sound.flac"),
    "aiff path": lambda folder: coded_path(folder, "sound.aiff"),
    "samples path": samples_path,
    "bytes": lambda _: STORED,
    "bytearray": lambda _: bytearray(STORED),
    "memoryview": lambda _: memoryview(STORED),
    "mmap": lambda folder: mapped(samples_path(folder)),
    "array of bytes": lambda _: array.array("B", STORED),
    "array of samples": lambda _: array.array("h", SOUND.tobytes()),
    "memoryview of samples": lambda _: SOUND.astype("<i2").data,
    "strided memoryview": lambda _: np.repeat(np.frombuffer(STORED, "u1"), 2)[::2].data,
    "int16": lambda _: SOUND,
    "int16 every second": lambda _: np.repeat(SOUND, 2, axis=0)[::2],
    "int16 columns first": lambda _: np.asfortranarray(SOUND),
    "int16 backwards twice": lambda _: SOUND[::-1].copy()[::-1],
    "int16 of four columns": lambda _: np.hstack([SOUND, SOUND])[:, :2],
    "int16 read-only": lambda _: np.frombuffer(STORED, "<i2").reshape(-1, 2),
    "int16 big-endian": lambda _: SOUND.astype(">i2"),
    "int16 big-endian strided": lambda _: np.repeat(SOUND, 3, axis=0).astype(">i2")[::3],
    "uint8": lambda _: np.frombuffer(STORED, np.uint8),
    "uint8 strided": lambda _: np.repeat(np.frombuffer(STORED, np.uint8), 2)[::2],
    "wav in memory": lambda _: io.BytesIO(wav(SOUND)),
    "samples in memory": lambda _: io.BytesIO(STORED),
    "only reads": lambda _: OnlyReads(wav(SOUND)),
    "source": lambda _: ArraySource(STORED, pad=True),
    "own source": lambda _: OwnSource(),
    "own sound": lambda _: OwnSound(),
}


@pytest.mark.parametrize("name", INPUTS)
def test_sound_comes_back_bit_for_bit(tmp_path: Path, name: str) -> None:
    creator = RawCDImageCreator()
    creator.add_track(silent(300))
    handle = creator.add_track(INPUTS[name](tmp_path))
    assert creator.track_info(handle).sector_count == SECTORS
    image = creator.create_result_image()
    assert rawcd.main_sectors(image, 300, SECTORS).tobytes() == ON_DISC
    sectors = np.frombuffer(image.read(300, SECTORS), np.uint8).reshape(SECTORS, 2_448)
    assert sectors[:, :2_352].tobytes() == ON_DISC
    with image.open() as stream:
        stream.seek((300 + 22_650) * 2_448)
        assert stream.read(2_352) == ON_DISC[:2_352]
    assert not rawcd.main_sectors(image, 0, 300).any()
    assert not rawcd.main_sectors(image, 300 + SECTORS, 100).any()
    padded = [(note.code, note.track) for note in image.notes]
    assert padded == ([] if "source" in name else [("tail-padded", 2)])
    assert all("; 400 bytes of silence" in note.message for note in image.notes)


@pytest.mark.parametrize("name", INPUTS)
def test_a_special_pregap_takes_the_same(tmp_path: Path, name: str) -> None:
    creator = RawCDImageCreator()
    creator.add_special_pregap(INPUTS[name](tmp_path))
    creator.add_track(silent(300))
    image = creator.create_result_image()
    assert rawcd.main_sectors(image, -150, SECTORS).tobytes() == ON_DISC


def test_an_open_sound_file(tmp_path: Path) -> None:
    with wav_path(tmp_path).open("rb") as file:
        creator = RawCDImageCreator()
        creator.add_track(file)
        image = creator.create_result_image()
        assert rawcd.main_sectors(image, 0, SECTORS).tobytes() == ON_DISC
        assert not file.closed


def test_strict_takes_a_stream_as_samples() -> None:
    held = (wav(SOUND) + bytes(2_352))[: 300 * 2_352]
    creator = RawCDImageCreator(strict=True)
    creator.add_track(io.BytesIO(held))
    image = creator.create_result_image()
    assert rawcd.main_sectors(image, 0, 300).tobytes() == held


def test_sound_of_another_rate_is_resampled_with_a_note(tmp_path: Path) -> None:
    path = tmp_path / "rate.wav"
    soundfile.write(path, np.zeros((48_000 * 5, 2), np.int16), 48_000, "PCM_16")
    creator = RawCDImageCreator()
    creator.add_track(path)
    assert counts(creator) == [375]  # 5 seconds
    image = creator.create_result_image()
    assert [(note.code, note.track, note.file) for note in image.notes] == [
        ("resampled", 1, str(path))
    ]


class CannotSeek:
    def read(self, size: int) -> bytes:
        return bytes(size)


class CannotRead:
    sample_count = 588 * 300


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (CannotSeek(), ("CannotSeek",)),
        (CannotRead(), ("CannotRead",)),
        (5, ("int",)),
        (5.0, ("float",)),
        (object(), ("object",)),
        ([0, 1], ("list",)),
        (array.array("d", [0.0] * 1_000), ("array",)),
        (np.zeros(1_000, np.int16), ("int16", "(1000,)")),
        (np.zeros((1_000, 1), np.int16), ("int16", "(1000, 1)")),
        (np.zeros((1_000, 3), np.int16), ("int16", "(1000, 3)")),
        (np.zeros((1_000, 2), np.uint16), ("uint16",)),
        (np.zeros((1_000, 2), np.int32), ("int32",)),
        (np.zeros((1_000, 2)), ("float64",)),
        (np.int16(3), ("int16", "()")),
        (SilenceSource(block_count=300, block_size=2_048), (2_048, 2_352)),
    ],
)
def test_what_is_no_sound(given: Any, words: tuple[object, ...]) -> None:
    creator = RawCDImageCreator()
    with refused(E_INVALIDARG):
        creator.add_special_pregap(given)
    with pytest.raises(AuthoringError) as caught:
        creator.add_track(given)
    assert str(caught.value).startswith("track 1: ")
    assert all(str(word) in str(caught.value) for word in words)
    assert creator.number_of_existing_tracks == 0


def test_files_that_are_no_sound(tmp_path: Path) -> None:
    creator = RawCDImageCreator()
    with pytest.raises(StorageError, match=r"none\.wav: cannot open: No such file"):
        creator.add_track(tmp_path / "none.wav")
    empty = tmp_path / "empty.wav"
    empty.write_bytes(b"")
    with pytest.raises(FormatError, match=r"empty\.wav: is empty"):
        creator.add_track(empty)
    text = tmp_path / "list.txt"
    text.write_bytes(bytes(2_352 * 300))
    with pytest.raises(FormatError, match=r"list\.txt: is no sound"):
        creator.add_track(text)
    cut = tmp_path / "cut.wav"
    cut.write_bytes(wav(SOUND)[:-1_000])
    with pytest.raises(FormatError, match=r"cut\.wav: "):
        creator.add_track(cut)
    with pytest.raises(StorageError, match="gives text"):
        creator.add_track(io.StringIO("text"))
    assert creator.number_of_existing_tracks == 0


# -- kept, not copied ----------------------------------------------------------------------------


def test_memory_is_kept_not_copied() -> None:
    held, samples = bytearray(300 * 2_352), np.zeros((300 * 588, 2), "<i2")
    creator = RawCDImageCreator()
    creator.add_track(held)
    creator.add_track(samples)
    image = creator.create_result_image()
    held[:4] = b"\1\2\3\4"
    samples[0] = 0x0605, 0x0807
    assert rawcd.main_sectors(image, 0, 1).tobytes().startswith(b"\1\2\3\4")
    assert rawcd.main_sectors(image, 300, 1).tobytes().startswith(b"\5\6\7\x08")


class Watched(OwnSource):
    """A Source that tells what was read."""

    def __init__(self) -> None:
        self.reads: list[tuple[int, int]] = []

    def read(self, start: int, count: int) -> bytes:
        self.reads.append((start, count))
        return super().read(start, count)


def test_nothing_is_read_before_it_is_asked_for_and_then_only_that() -> None:
    creator = RawCDImageCreator()
    first, second = Watched(), Watched()
    creator.add_track(first)
    creator.add_track(second)
    image = creator.create_result_image()
    image.read(-22_650, 22_650)
    assert first.reads == second.reads == []
    image.read(SECTORS + 7, 2)
    assert (first.reads, second.reads) == ([], [(7, 2)])


@pytest.mark.parametrize("how", ["grown", "gone"])
def test_a_file_that_changed_is_named_when_it_is_read(tmp_path: Path, how: str) -> None:
    path = wav_path(tmp_path)
    creator = RawCDImageCreator()
    creator.add_track(silent(300))
    creator.add_track(path)
    image = creator.create_result_image()
    if how == "gone":
        path.unlink()
    else:
        path.write_bytes(wav(SOUND) + bytes(4))
    image.read(0, 300)
    with pytest.raises(StorageError, match=r"sound\.wav") as caught:
        image.read(299, 2)
    assert caught.value.file == str(path)
    if how == "grown":
        assert "changed since it was added" in str(caught.value)
