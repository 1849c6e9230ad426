"""FLAC frames without a file around them, judged by the reference decoder and ffmpeg."""

from __future__ import annotations

import shutil
import struct
import subprocess
from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rawcd.audio.flac import decode_frames, encode_frames
from rawcd.errors import FormatError

if TYPE_CHECKING:
    from pathlib import Path

    from rawcd.source import Samples


def sound(count: int, seed: int = 0, loud: int = 3_000) -> Samples:
    noise = np.random.default_rng(seed).integers(-loud, loud + 1, (count, 2))
    return (noise + (np.arange(count) * 40 % 9_000)[:, None]).astype(np.int16)


@given(st.integers(16, 9_000), st.integers(16, 4_096), st.sampled_from([0, 9, 3_000, 20_000]))
def test_samples_come_back(count: int, block: int, loud: int) -> None:
    samples = sound(count, loud=loud) if -(-count // block) <= 128 else sound(block)
    frames = encode_frames(samples, block)
    assert (decode_frames(frames, len(samples)) == samples).all()
    assert (decode_frames(frames + b"what follows", len(samples)) == samples).all()
    with pytest.raises(FormatError):
        decode_frames(frames, len(samples) + 1)


def test_numbers_may_begin_anew() -> None:
    parts = [sound(4_704, seed) for seed in range(5)]
    frames = b"".join(encode_frames(part, 2_352) for part in parts)
    assert (decode_frames(frames, 5 * 4_704) == np.concatenate(parts)).all()


def test_more_or_other_frames_than_there_can_be() -> None:
    with pytest.raises(ValueError, match="frame 128"):
        encode_frames(sound(16 * 129), 16)
    for block in (15, 4_097):
        with pytest.raises(ValueError, match=f"frames of {block} samples"):
            encode_frames(sound(99), block)


@given(st.binary(max_size=500), st.integers(0, 5_000))
def test_any_bytes_are_frames_or_refused(junk: bytes, count: int) -> None:
    with suppress(FormatError):
        assert decode_frames(junk, count).shape == (count, 2)


@pytest.mark.parametrize(
    ("tool", "command"),
    [
        ("flac", ["flac", "-t", "-s"]),
        ("ffmpeg", ["ffmpeg", "-v", "error", "-err_detect", "explode+crccheck", "-i"]),
    ],
)
def test_others_find_every_crc_right(tmp_path: Path, tool: str, command: list[str]) -> None:
    """Frames behind the first get another number than the encoder gave them, so other CRCs."""
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is not installed")
    for block in (16, 255, 256, 576, 1_152, 2_352, 4_095, 4_096):
        samples = sound(block * 100 + 17)
        frames = encode_frames(samples, block)
        info = struct.pack(
            ">HH6xQ16x", 16, 65_535, 44_100 << 44 | 1 << 41 | 15 << 36 | len(samples)
        )
        path = tmp_path / f"{block}.flac"
        path.write_bytes(b"fLaC\x80\0\0\x22" + info + frames)
        more = ["-f", "null", "-"] if tool == "ffmpeg" else []
        done = subprocess.run(
            [*command, str(path), *more], capture_output=True, text=True, check=False, timeout=60
        )
        said = [line for line in done.stderr.splitlines() if "WARNING" not in line]
        assert (done.returncode, said) in ((0, []), (0, [""])), (block, done.stderr)
