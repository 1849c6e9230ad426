"""Sound files that hold a disc's samples, as other programs read them."""

from __future__ import annotations

import io
import shutil
import subprocess
import wave
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from rawcd.audio.encode import WAVE_HEAD_BYTES, FlacWriter, wave_head
from rawcd.errors import StorageError
from tests.strategies import cuts, noise_rows

if TYPE_CHECKING:
    from pathlib import Path

    from _typeshed import ReadableBuffer


class Memory:
    """A file in memory that fails after so many bytes."""

    name = "x.flac"

    def __init__(self, room: int = 1 << 30) -> None:
        self.held = bytearray()
        self.room = room

    def write(self, data: ReadableBuffer) -> None:
        self.held += memoryview(data).cast("B")
        if len(self.held) > self.room:
            raise StorageError("the disk is full", file=self.name)

    def patch(self, place: int, data: bytes) -> None:
        assert place + len(data) <= len(self.held)
        self.held[place : place + len(data)] = data


def flac_of(data: bytes, lengths: list[int]) -> bytes:
    memory = Memory()
    with FlacWriter(memory, memory.patch) as writer:
        position = 0
        for length in lengths:
            writer.write(data[4 * position : 4 * (position + length)])
            position += length
    return bytes(memory.held)


@given(st.integers(1, 5_000), st.data())
def test_flac_in_any_cuts_holds_the_samples(count: int, data: st.DataObject) -> None:
    samples = noise_rows(1, 4 * count).tobytes()
    held = flac_of(samples, data.draw(cuts(count)))
    read, rate = soundfile.read(io.BytesIO(held), dtype="int16", always_2d=True)
    assert rate == 44_100
    assert read.astype("<i2").tobytes() == samples
    assert soundfile.info(io.BytesIO(held)).frames == count  # told at its beginning


@pytest.mark.skipif(shutil.which("flac") is None, reason="flac is not installed")
def test_flac_s_own_program_finds_length_and_checksum(tmp_path: Path) -> None:
    samples = noise_rows(75).tobytes()
    (tmp_path / "a.flac").write_bytes(flac_of(samples, [1, 75 * 588 - 1]))
    done = subprocess.run(
        ["flac", "-t", "-w", "a.flac"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr  # -w: a missing checksum would be an error
    subprocess.run(["flac", "-ds", "a.flac"], cwd=tmp_path, check=True)
    with wave.open(str(tmp_path / "a.wav")) as sound:
        assert sound.readframes(sound.getnframes()) == samples


@pytest.mark.parametrize("room", [0, 100, 50_000])
def test_a_full_disk_is_the_output_s_own_error(room: int) -> None:
    memory = Memory(room)

    def write_all() -> None:
        with FlacWriter(memory, memory.patch) as writer:
            for _ in range(20):
                writer.write(noise_rows(10).tobytes())

    with pytest.raises(StorageError, match="the disk is full"):
        write_all()


@given(st.integers(0, 2**30 - 10))
def test_a_wave_head_says_how_many_samples_follow(count: int) -> None:
    head = wave_head(count)
    assert len(head) == WAVE_HEAD_BYTES
    with wave.open(io.BytesIO(head)) as sound:
        assert sound.getparams()[:4] == (2, 2, 44_100, count)


def test_a_wave_file_holds_the_samples() -> None:
    samples = noise_rows(3).tobytes()
    read, rate = soundfile.read(io.BytesIO(wave_head(3 * 588) + samples), dtype="int16")
    assert rate == 44_100
    assert np.array_equal(read, np.frombuffer(samples, "<i2").reshape(-1, 2))
