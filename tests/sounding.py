"""Sound files of every kind, made on the spot, and how the tests open them."""

from __future__ import annotations

import io
import shutil
import struct
import subprocess
import wave
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import soundfile

from rawcd.audio import open_sound
from rawcd.source import MemoryBytes

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

    from rawcd.audio import OpenedSound
    from rawcd.source import Samples

STEP = 1 / 32_768
"""One 16-bit step, full scale being 1.0."""


def needs(tool: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(shutil.which(tool) is None, reason=f"{tool} is not installed")


def run(*command: str | Path, stdin: bytes | None = None) -> bytes:
    return subprocess.run(command, input=stdin, capture_output=True, check=True).stdout


def noise(count: int, *, seed: int = 1, channels: int = 2) -> Samples:
    """Samples over the whole 16-bit range, both ends included."""
    samples = np.random.default_rng(seed).integers(-32_768, 32_768, (count, channels), np.int16)
    samples[0], samples[-1] = -32_768, 32_767
    return samples


def music(seconds: float, rate: int, *, channels: int = 2) -> npt.NDArray[np.float64]:
    """A few tones and a little noise: something that a lossy encoder keeps."""
    n = np.arange(int(seconds * rate)) / rate
    frames = np.random.default_rng(3).standard_normal((len(n), channels)) * 0.02
    for hertz in (220, 997, 3_001, 7_919):
        frames += 0.1 * np.sin(2 * np.pi * hertz * n + hertz)[:, np.newaxis]
    return frames


def tone_file(rate: int, hertz: float, seconds: int, *, amplitude: float = 0.5) -> bytes:
    """A tone in 24 bits: left as it is, right upside down."""
    tone = amplitude * np.sin(2 * np.pi * hertz * np.arange(rate * seconds) / rate)
    return written(np.stack([tone, -tone], 1), rate, "WAV", "PCM_24")


def written(frames: npt.NDArray[Any], rate: int, container: str, subtype: str) -> bytes:
    """Written by libsndfile, a second at a time: its Vorbis encoder crashes on long blocks."""
    file = io.BytesIO()
    shape = {"samplerate": rate, "channels": frames.shape[1]}
    with soundfile.SoundFile(file, "w", **shape, format=container, subtype=subtype) as sound:
        for start in range(0, len(frames), rate):
            sound.write(frames[start : start + rate])
    return file.getvalue()


def wav_file(path: Path, samples: Samples) -> Path:
    """Written by Python's own module."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(samples.shape[1])
        file.setsampwidth(2)
        file.setframerate(44_100)
        file.writeframes(samples.astype("<i2").tobytes())
    return path


def chunk(name: bytes, body: bytes, *, size: int | None = None, order: str = "<") -> bytes:
    claimed = len(body) if size is None else size
    return name + struct.pack(f"{order}I", claimed) + body + bytes(len(body) % 2)


def fmt(*, tag: int = 1, channels: int = 2, rate: int = 44_100, bits: int = 16) -> bytes:
    frame = channels * bits // 8
    return chunk(b"fmt ", struct.pack("<HHIIHH", tag, channels, rate, rate * frame, frame, bits))


def riff(*chunks: bytes) -> bytes:
    body = b"WAVE" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def comm(frames: int, *, kind: bytes = b"") -> bytes:
    rate = struct.pack(">HH6x", 0x3FFF + 15, 44_100)  # 80-bit floating point, top bit 2**15
    compression = kind + b"\0\0" if kind else b""
    return chunk(b"COMM", struct.pack(">HIH", 2, frames, 16) + rate + compression, order=">")


def ssnd(data: bytes, *, offset: int = 0) -> bytes:
    return chunk(b"SSND", struct.pack(">II", offset, 0) + bytes(offset) + data, order=">")


def form(*chunks: bytes, kind: bytes = b"AIFF") -> bytes:
    body = kind + b"".join(chunks)
    return b"FORM" + struct.pack(">I", len(body)) + body


def opened(data: bytes, name: str = "sound") -> OpenedSound:
    return open_sound(MemoryBytes(data, name=name))


def everything(sound: OpenedSound) -> Samples:
    return sound.read_samples(0, sound.sample_count)


def codes(sound: OpenedSound) -> list[str]:
    return [remark.code for remark in sound.remarks]


_ENCODERS = {
    "wav": (44_100, "WAV", "PCM_16"),
    "wav8k": (8_000, "WAV", "PCM_16"),
    "float": (44_100, "WAV", "FLOAT"),
    "aiff": (44_100, "AIFF", "PCM_16"),
    "flac": (44_100, "FLAC", "PCM_16"),
    "flac24": (44_100, "FLAC", "PCM_24"),
    "flac96": (96_000, "FLAC", "PCM_24"),
    "vorbis": (44_100, "OGG", "VORBIS"),
    "vorbis48": (48_000, "OGG", "VORBIS"),
    "opus": (48_000, "OGG", "OPUS"),
    "mp3": (44_100, "MP3", "MPEG_LAYER_III"),
    "mp3at32": (32_000, "MP3", "MPEG_LAYER_III"),
}


def encoded(folder: Path, kind: str, *, seconds: float = 3.3, channels: int = 2) -> Path:
    rate, container, subtype = _ENCODERS[kind]
    path = folder / f"{kind}-{channels}.{container.lower()}"
    path.write_bytes(written(music(seconds, rate, channels=channels), rate, container, subtype))
    return path


def mp3_without_length(data: bytes) -> bytes:
    """Take away the first frame, which libsndfile's encoder (LAME) fills with the count."""
    assert b"Xing" in data[:200] or b"Info" in data[:200]
    return data[data.index(b"\xff\xfb", 4) :]
