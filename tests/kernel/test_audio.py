"""Decoded sound, held against other programs (sox, flac, ffmpeg) and against theory."""

from __future__ import annotations

import collections
import gc
import io
import math
import os
import shutil
import struct
import subprocess
import sys
import threading
import time
import wave
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal

import numpy as np
import pytest
import soundfile
import soxr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rawcd.audio import PlainSound, is_sound, open_sound
from rawcd.audio.convert import CHUNK_SAMPLES, Conversion, dithered
from rawcd.audio.decode import DecodedSound, Decoder
from rawcd.errors import FormatError, RawCDError, StorageError, UnsupportedError
from rawcd.source import FileBytes, JoinedSound, MemoryBytes, SoundPart, StreamBytes

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from rawcd.audio import OpenedSound
    from rawcd.source import Reader, Samples

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


# ---- light import -------------------------------------------------------------------------------


def test_nothing_heavy_is_imported_before_it_is_needed(tmp_path: Path) -> None:
    path = wav_file(tmp_path / "a.wav", noise(1000))
    script = (
        "import sys, rawcd.audio as audio\n"
        "from rawcd.source import FileBytes\n"
        "reader = FileBytes(sys.argv[1])\n"
        "assert audio.is_sound(reader)\n"
        "heavy = {'numpy', 'construct', 'soundfile', 'soxr'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
        "assert audio.open_sound(reader).sample_count == 1000\n"
        "assert not {'soundfile', 'soxr'} & set(sys.modules)\n"
    )
    run(sys.executable, "-c", script, path)


# ---- bit for bit --------------------------------------------------------------------------------


def test_plain_wav_passes_bit_for_bit(tmp_path: Path) -> None:
    samples = noise(50_001)
    sound = open_sound(FileBytes(wav_file(tmp_path / "a.wav", samples)))
    assert isinstance(sound, PlainSound)
    assert sound.remarks == ()
    assert (sound.facts.container, sound.facts.rate, sound.facts.exact) == ("WAV", 44_100, True)
    np.testing.assert_array_equal(everything(sound), samples)


def test_chunks_before_and_behind_the_data_are_no_sound() -> None:
    samples = noise(777)
    data = chunk(b"data", samples.astype("<i2").tobytes())
    odd = chunk(b"LIST", b"INFOodd")
    sound = opened(riff(odd, fmt(), chunk(b"fact", bytes(4)), data, odd, b"trailing"))
    assert isinstance(sound, PlainSound)
    np.testing.assert_array_equal(everything(sound), samples)


@pytest.mark.parametrize("container", ["WAVEX", "RF64"])
def test_extensible_and_long_wav_pass_bit_for_bit(container: str) -> None:
    samples = noise(5000)
    sound = opened(written(samples, 44_100, container, "PCM_16"))
    assert isinstance(sound, PlainSound)
    np.testing.assert_array_equal(everything(sound), samples)


@needs("sox")
@pytest.mark.parametrize("kind", ["aiff", "aifc", "wav", "au"])
def test_what_sox_writes_is_read_bit_for_bit(tmp_path: Path, kind: str) -> None:
    samples = noise(50_001, seed=2)
    source = wav_file(tmp_path / "a.wav", samples)
    run("sox", source, tmp_path / f"b.{kind}")
    sound = open_sound(FileBytes(tmp_path / f"b.{kind}"))
    assert isinstance(sound, PlainSound) == (kind != "au")
    assert sound.facts.exact
    np.testing.assert_array_equal(everything(sound), samples)


@needs("ffmpeg")
@pytest.mark.parametrize(
    ("codec", "mark"), [("pcm_s16le", b"sowt"), ("pcm_s16be", b"AIFF"), ("pcm_s24be", b"AIFF")]
)
def test_aiff_of_ffmpeg(tmp_path: Path, codec: str, mark: bytes) -> None:
    samples = noise(10_007, seed=3)
    source = wav_file(tmp_path / "a.wav", samples)
    run("ffmpeg", "-v", "error", "-i", source, "-c:a", codec, tmp_path / "b.aiff")
    assert mark in (tmp_path / "b.aiff").read_bytes()[:200]
    sound = open_sound(FileBytes(tmp_path / "b.aiff"))
    assert isinstance(sound, PlainSound) == ("16" in codec)
    # What came from 16 bits stays within the dither: less than a step, rounded to one.
    difference = np.abs(everything(sound).astype(int) - samples)
    assert difference.max() <= (0 if "16" in codec else 1)


@pytest.mark.parametrize("kind", [b"twos", b"NONE"])
def test_aifc_high_byte_first_in_any_order_of_chunks(kind: bytes) -> None:
    samples = noise(999)
    data = ssnd(samples.astype(">i2").tobytes(), offset=10)
    sound = opened(form(data, comm(999, kind=kind), kind=b"AIFC"))
    assert isinstance(sound, PlainSound)
    np.testing.assert_array_equal(everything(sound), samples)


@needs("flac")
@pytest.mark.parametrize("level", ["-0", "-8"])
def test_flac_passes_bit_for_bit(tmp_path: Path, level: str) -> None:
    samples = noise(123_457)
    source = wav_file(tmp_path / "a.wav", samples)
    run("flac", "-s", level, source, "-o", tmp_path / "a.flac")
    sound = open_sound(FileBytes(tmp_path / "a.flac"))
    assert isinstance(sound, DecodedSound)
    assert sound.facts.exact
    assert sound.remarks == ()
    np.testing.assert_array_equal(everything(sound), samples)


@pytest.mark.parametrize("container", ["AU", "CAF", "W64", "VOC", "FLAC", "WAV", "AIFF"])
def test_mono_is_given_twice(container: str) -> None:
    samples = noise(20_011, channels=1)
    sound = opened(written(samples, 44_100, container, "PCM_16"))
    assert codes(sound) == ["mono-to-stereo"]
    assert sound.facts.exact
    np.testing.assert_array_equal(everything(sound), np.repeat(samples, 2, axis=1))


def test_eight_bits_need_no_dither() -> None:
    levels = np.arange(256, dtype=np.uint8)
    sound = opened(riff(fmt(bits=8), chunk(b"data", np.repeat(levels, 2).tobytes())))
    expected = np.repeat((levels.astype(int) - 128) * 256, 2).reshape(-1, 2)
    np.testing.assert_array_equal(everything(sound), expected)


# ---- samples without a header -------------------------------------------------------------------


def test_bare_samples_by_name() -> None:
    samples = noise(588)
    for name in ("a.bin", "A.RAW", "a.pcm", "a.cdda", "a.cdr"):
        sound = opened(samples.astype("<i2").tobytes(), name)
        assert sound.facts.container == "RAW"
        np.testing.assert_array_equal(everything(sound), samples)


@pytest.mark.parametrize(("order", "dtype"), [("little", "<i2"), ("big", ">i2")])
def test_bare_samples_when_told(order: Literal["little", "big"], dtype: str) -> None:
    samples = noise(588)
    reader = MemoryBytes(samples.astype(dtype).tobytes(), name="disc.wav")
    np.testing.assert_array_equal(everything(open_sound(reader, samples=order)), samples)


def test_the_content_comes_before_the_name() -> None:
    data = riff(fmt(), chunk(b"data", noise(588).astype("<i2").tobytes()))
    assert opened(data, "track.bin").sample_count == 588
    # A sheet that says BINARY is believed: the 44 bytes of header are then 11 samples more.
    told = open_sound(MemoryBytes(data, name="track.bin"), samples="little")
    assert told.sample_count == 588 + 11


def test_is_sound_asks_content_then_name() -> None:
    def ask(data: bytes, name: str) -> bool:
        return is_sound(MemoryBytes(data, name=name))

    assert ask(riff(fmt()), "x")
    assert ask(form(comm(1)), "x")
    assert ask(b"fLaC" + bytes(60), "x")
    assert ask(b"ID3\4\0\0" + bytes(60), "x")
    assert ask(b"\xff\xfb\x90\x64", "x.MP3")
    assert ask(bytes(4), "x.bin")
    assert not ask(b"\xff\xfb\x90\x64", "x")  # what libsndfile would take for MP3
    assert not ask(b"RIFF\0\0\0\0AVI LIST", "x.avi")
    assert not ask(b"", "x.wav")
    assert not ask(b'FILE "a.wav" WAVE', "x.cue")
    assert is_sound(MemoryBytes(bytes(4), name="x"), suffix=".raw")


# ---- rounding and dither ------------------------------------------------------------------------


@pytest.mark.parametrize("level", [0.0, 0.25, 0.5, -1000.3])
def test_the_error_of_rounding_is_that_of_triangular_dither(level: float) -> None:
    """Mean 0 and variance 1/4 step, whatever the level (Lipshitz et al. 1992)."""
    count = 1_000_000
    error = dithered(np.full((count // 2, 2), level * STEP), stream=7).astype(float) - level
    # Standard errors: of the mean (1/2) / sqrt(n); of the variance less, as |error| <= 3/2.
    allowed = 5 * 0.5 / math.sqrt(count)
    assert abs(error.mean()) < allowed
    assert abs(error.var() - 0.25) < allowed
    left, right = (error - error.mean(axis=0)).T
    for one, other in ((left, right), (left[1:], left[:-1])):
        assert abs((one * other).mean()) < 5 * 0.25 / math.sqrt(len(one))


def test_dithered_silence_is_three_quarters_silence() -> None:
    """The triangle from -1 to 1 has 3/4 of its area within half a step, 1/8 on either side."""
    count = 400_000
    values, found = np.unique(dithered(np.zeros((count, 1)), stream=0), return_counts=True)
    assert values.tolist() == [-1, 0, 1]
    # Standard error of a share p: sqrt(p (1 - p) / n), at most 0.44 / sqrt(n) here.
    np.testing.assert_allclose(found / count, [1 / 8, 3 / 4, 1 / 8], atol=5 * 0.44 / count**0.5)


def test_chunks_have_dither_of_their_own() -> None:
    zeros = np.zeros((50_000, 1))
    one, other = (dithered(zeros, stream=stream)[:, 0].astype(float) for stream in (0, 1))
    assert abs((one * other).mean()) < 5 * 0.25 / math.sqrt(len(one))


def test_beyond_full_scale_is_clipped() -> None:
    sound = opened(written(np.array([[2.0, -2.0]] * 10), 44_100, "WAV", "FLOAT"))
    assert codes(sound) == ["dithered"]
    assert everything(sound).tolist() == [[32_767, -32_768]] * 10


def test_24_bits_keep_what_lies_below_a_step() -> None:
    """A tone of a quarter step would be gone after plain rounding; dither keeps it."""
    sound = opened(tone_file(44_100, 1000, 10, amplitude=0.25 * STEP))
    assert sound.remarks[0].message == "24-bit samples, dithered to 16 bits"
    made = everything(sound)[:, 0] * STEP
    sine = np.sin(2 * np.pi * 1000 * np.arange(len(made)) / 44_100)
    # Noise of half a step on n samples: standard error sqrt(2 / n) * step / 2; and the 24-bit
    # file itself rounds to 1/256 step.
    allowed = 5 * math.sqrt(2 / len(made)) * STEP / 2 + STEP / 256
    assert abs(2 * (made * sine).mean() - 0.25 * STEP) < allowed


# ---- resampling ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rate", "hertz"), [(48_000, 997), (48_000, 15_013), (96_000, 997), (22_050, 997)]
)
def test_a_resampled_tone_leaves_only_the_dither(rate: int, hertz: int) -> None:
    """The residual against the ideal tone is the dither's: 20 log10((1/2) / 32768) = -96.3 dB."""
    sound = opened(tone_file(rate, hertz, 3))  # at -6 dB of full scale
    assert codes(sound) == ["resampled"]
    assert sound.remarks[0].message == (
        f"resampled from {rate} Hz to 44100 Hz (soxr VHQ), dithered to 16 bits"
    )
    assert sound.sample_count == 3 * 44_100
    ideal = 0.5 * np.sin(2 * np.pi * hertz * np.arange(sound.sample_count) / 44_100)
    residual = everything(sound) * STEP - np.stack([ideal, -ideal], 1)
    inner = residual[4410:-4410]  # the tone's sudden beginning and end ring in any filter
    level = 20 * math.log10(math.sqrt((inner**2).mean()))
    assert level == pytest.approx(20 * math.log10(0.5 * STEP), abs=1)


def test_what_a_disc_cannot_hold_is_filtered_out() -> None:
    """30 kHz at 96 kHz would fold to 14.1 kHz; nothing but the dither may be left."""
    inner = everything(opened(tone_file(96_000, 30_000, 2)))[4410:-4410] * STEP
    assert math.sqrt((inner**2).mean()) == pytest.approx(0.5 * STEP, rel=0.05)


RATES = [
    8_000, 11_025, 16_000, 22_050, 24_000, 32_000, 37_800, 44_056, 47_999, 48_000, 50_000, 64_000,
    88_200, 96_000, 176_400, 192_000, 352_800, 384_000, 768_000,
]  # fmt: skip


@pytest.mark.parametrize("rate", RATES)
def test_chunks_equal_the_whole_file_resampled(rate: int) -> None:
    count = int(rate * 2.7) + 13
    frames = np.random.default_rng(rate).standard_normal((count, 2)) * 0.2
    whole = soxr.resample(frames, rate, 44_100, quality="VHQ")
    conversion = Conversion(rate=rate, frame_count=count)
    assert conversion.sample_count == len(whole)
    pieces = []
    for index in range(-(-conversion.sample_count // CHUNK_SAMPLES)):
        first, end = conversion.stretch(index)
        length = min(CHUNK_SAMPLES, conversion.sample_count - index * CHUNK_SAMPLES)
        pieces.append(conversion.resampled(index, frames[first:end], length))
    worst = np.abs(np.concatenate(pieces) - whole).max()
    # Rates with a long period are approximated by soxr itself: still below one 16-bit step.
    assert worst < (STEP if rate in (44_056, 47_999) else 1e-9)


@given(st.sampled_from(RATES), st.integers(1, 10_000_000))
def test_the_length_is_the_same_time_with_halves_rounded_up(rate: int, frames: int) -> None:
    expected = math.floor(Fraction(frames * 44_100, rate) + Fraction(1, 2))
    assert Conversion(rate=rate, frame_count=frames).sample_count == expected


@needs("sox")
def test_sox_agrees_on_resampling(tmp_path: Path) -> None:
    """Sox makes 32 bits without dither; between us lies our rounding: half a step rms."""
    source = tmp_path / "a.wav"
    soundfile.write(source, music(3, 48_000), 48_000, subtype="PCM_24")
    shape = ("-t", "raw", "-e", "signed", "-b", "32", "-")
    raw = run("sox", "-D", source, *shape, "rate", "-v", "44100")
    theirs = np.frombuffer(raw, "<i4").reshape(-1, 2) / 2**31
    ours = everything(open_sound(FileBytes(source))) * STEP
    assert len(ours) == len(theirs)
    # Noise between 20 and 22.05 kHz may pass one filter's slope and not the other's.
    spectrum = np.fft.rfft((ours - theirs)[4410:-4410], axis=0)
    audible = spectrum[: int(len(spectrum) * 20_000 / 22_050)]
    mean_square = 2 * (np.abs(audible) ** 2).sum(axis=0) / (len(ours) - 8820) ** 2
    expected = 0.25 * STEP**2 * 20_000 / 22_050  # white: the share of the band looked at
    np.testing.assert_allclose(mean_square, expected, rtol=0.1)


# ---- lossy kinds --------------------------------------------------------------------------------

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


@pytest.mark.parametrize("kind", ["vorbis", "mp3", "float", "flac24"])
def test_lossy_and_long_samples_are_only_dithered(tmp_path: Path, kind: str) -> None:
    path = encoded(tmp_path, kind)
    sound = open_sound(FileBytes(path))
    assert codes(sound) == ["dithered"]
    decoded, _ = soundfile.read(path)
    assert sound.sample_count == len(decoded)
    error = everything(sound) - decoded / STEP
    assert np.abs(error).max() <= 1.5  # a step of dither, half a step of rounding
    assert error.std() == pytest.approx(0.5, rel=0.01)


@pytest.mark.parametrize("kind", ["vorbis", "vorbis48", "opus", "mp3", "mp3at32", "flac96"])
def test_seeking_decodes_the_same_as_going_on(tmp_path: Path, kind: str) -> None:
    path = encoded(tmp_path, kind, seconds=5)
    decoder = Decoder(FileBytes(path))
    whole = np.empty((decoder.frame_count, 2))
    decoder.read(0, whole)
    with soundfile.SoundFile(path) as plain:
        np.testing.assert_array_equal(whole, plain.read())
    random = np.random.default_rng(5)
    for _ in range(40):
        first = int(random.integers(0, len(whole) - 2000))
        part = np.empty((int(random.integers(1, 2000)), 2))
        decoder.read(first, part)
        np.testing.assert_array_equal(part, whole[first : first + len(part)])
    decoder.close()


@needs("ffmpeg")
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.opus", ("-c:a", "libopus", "-b:a", "16k")),  # its speech mode
        ("a.ogg", ("-c:a", "libvorbis", "-q:a", "0")),
        ("a.mp3", ("-c:a", "libmp3lame", "-q:a", "9")),
    ],
)
@pytest.mark.parametrize("channels", ["1", "2"])
def test_going_back_at_low_bitrates(
    tmp_path: Path, name: str, options: tuple[str, ...], channels: str
) -> None:
    """After long quiet the decoders' memory of what came before reaches far."""
    loud_after_quiet = music(8, 48_000)
    loud_after_quiet[: 48_000 * 4] *= 0.001
    soundfile.write(tmp_path / "a.wav", loud_after_quiet, 48_000)
    path = tmp_path / name
    source = str(tmp_path / "a.wav")
    run("ffmpeg", "-v", "error", "-i", source, *options, "-ac", channels, path)
    decoder = Decoder(FileBytes(path))
    whole = np.empty((decoder.frame_count, decoder.channels))
    decoder.read(0, whole)
    random = np.random.default_rng(5)
    for first in random.integers(0, len(whole) - 1000, 25).tolist():
        part = np.empty((1000, decoder.channels))
        decoder.read(first, part)
        np.testing.assert_array_equal(part, whole[first : first + 1000])
    decoder.close()


@needs("ffmpeg")
@pytest.mark.parametrize(
    "options", [("-b:a", "128k"), ("-q:a", "5"), ("-q:a", "5", "-ar", "22050")]
)
@pytest.mark.parametrize("tags", [("0", "0"), ("3", "1")], ids=["bare", "tagged"])
def test_mp3_that_does_not_tell_its_length(
    tmp_path: Path, options: tuple[str, ...], tags: tuple[str, str]
) -> None:
    """libsndfile guesses half or too much; ffmpeg decodes to the end. 529 is mpg123's delay."""
    loud_after_quiet = music(5, 44_100)
    loud_after_quiet[: 44_100 * 2] *= 0.001
    soundfile.write(tmp_path / "a.wav", loud_after_quiet, 44_100)
    path = tmp_path / "a.mp3"
    flags = ("-write_xing", "0", "-id3v2_version", tags[0], "-write_id3v1", tags[1])
    to_mp3 = ("ffmpeg", "-v", "error", "-i", str(tmp_path / "a.wav"), *options, *flags)
    run(*to_mp3, "-metadata", "title=t", path)
    raw = run("ffmpeg", "-v", "error", "-i", path, "-f", "f32le", "-")
    theirs = np.frombuffer(raw, "<f4").reshape(-1, 2)
    decoder = Decoder(FileBytes(path))
    assert decoder.frame_count == len(theirs) - 529
    ours = np.empty((decoder.frame_count, 2))
    decoder.read(0, ours)
    np.testing.assert_allclose(ours, theirs[529:], atol=1e-5)
    part = np.empty((1000, 2))
    decoder.read(40_000, part)
    np.testing.assert_array_equal(part, ours[40_000:41_000])
    decoder.close()


# ---- any cut ------------------------------------------------------------------------------------

KINDS = [
    ("wav", 2), ("aiff", 2), ("flac", 2), ("flac", 1), ("flac24", 2), ("flac96", 2), ("wav8k", 1),
    ("float", 2), ("vorbis", 2), ("vorbis48", 1), ("opus", 2), ("mp3", 2), ("mp3at32", 1),
]  # fmt: skip
IDS = [f"{kind}-{channels}" for kind, channels in KINDS]

Sounds = dict[tuple[str, int], tuple[Path, Any]]


@pytest.fixture(scope="module")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> Sounds:
    """Each kind, and what reading it whole gives."""
    folder = tmp_path_factory.mktemp("sounds")
    made: Sounds = {}
    for kind, channels in KINDS:
        path = encoded(folder, kind, channels=channels)
        made[kind, channels] = (path, everything(open_sound(FileBytes(path))))
    return made


@pytest.mark.parametrize("kind", KINDS, ids=IDS)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_any_cut_gives_the_same_samples(
    sounds: Sounds, kind: tuple[str, int], data: st.DataObject
) -> None:
    path, whole = sounds[kind]
    count = len(whole)
    lengths = st.one_of(st.integers(0, 5000), st.integers(0, count))
    cuts = st.lists(st.tuples(st.integers(0, count), lengths), min_size=1, max_size=6)
    with path.open("rb") as file:
        readers: list[Reader] = [FileBytes(path), StreamBytes(file), MemoryBytes(path.read_bytes())]
        sound = open_sound(data.draw(st.sampled_from(readers)), suffix=path.suffix)
        assert sound.sample_count == count
        start = 0
        for start, length in data.draw(cuts):
            end = min(count, start + length)
            part = sound.read_samples(start, end - start)
            assert part.dtype == np.int16
            np.testing.assert_array_equal(part, whole[start:end])
        flat = np.empty((count - start) * 4, np.uint8)
        sound.read_samples_into(start, flat)
        np.testing.assert_array_equal(flat.view("<i2").reshape(-1, 2), whole[start:])


@pytest.mark.parametrize("kind", KINDS, ids=IDS)
def test_sectors_of_a_joined_sound(sounds: Sounds, kind: tuple[str, int]) -> None:
    path, whole = sounds[kind]
    part = SoundPart(sound=open_sound(FileBytes(path)), start=100, count=len(whole) - 100)
    joined = JoinedSound([part])
    blocks = b"".join(joined.read(block, 1) for block in range(joined.block_count))
    expected = whole[100:].astype("<i2").tobytes()
    assert blocks == expected.ljust(joined.block_count * 2352, b"\0")


def test_threads_share_a_sound(sounds: Sounds) -> None:
    path, whole = sounds["vorbis48", 1]
    sound = open_sound(FileBytes(path))
    wrong: list[int] = []

    def work(seed: int) -> None:
        random = np.random.default_rng(seed)
        for _ in range(20):
            start = int(random.integers(0, len(whole) - 3000))
            if not np.array_equal(sound.read_samples(start, 3000), whole[start : start + 3000]):
                wrong.append(start)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.parametrize("kind", ["flac", "opus"])
def test_a_range_outside_is_misuse(tmp_path: Path, kind: str) -> None:
    sound = open_sound(FileBytes(encoded(tmp_path, kind, seconds=0.1)))
    for start, count in ((-1, 1), (0, sound.sample_count + 1), (5, -1)):
        with pytest.raises(ValueError, match="not within"):
            sound.read_samples(start, count)
    assert sound.read_samples(sound.sample_count, 0).shape == (0, 2)


# ---- lengths that programs leave open -----------------------------------------------------------


@pytest.mark.parametrize("claimed", [0, 0xFFFFFFFF, 0x7FFFF000])
@pytest.mark.parametrize("rate", [44_100, 48_000])
@pytest.mark.parametrize("bits", [16, 24])
def test_a_streamed_wav_goes_to_the_end(claimed: int, rate: int, bits: int) -> None:
    data = bytes(2 * bits // 8) * rate
    sound = opened(riff(fmt(bits=bits, rate=rate), chunk(b"data", data, size=claimed)))
    assert sound.sample_count == 44_100
    assert codes(sound)[0] == "streamed-wav-length"
    assert f"{claimed:X}h" in sound.remarks[0].message
    assert np.abs(everything(sound)).max() <= 1


@needs("espeak-ng")
def test_espeak_into_a_pipe() -> None:
    data = run("espeak-ng", "--stdout", "one two three")
    assert data[40:44] == bytes.fromhex("00f0ff7f")
    sound = opened(data)
    frames = (len(data) - 44) // 2
    assert codes(sound) == ["streamed-wav-length", "mono-to-stereo", "resampled"]
    assert sound.facts.frame_count == frames
    assert sound.sample_count == frames * 2  # from 22,050 Hz
    left, right = everything(sound).T
    np.testing.assert_array_equal(left, right)


@needs("ffmpeg")
def test_ffmpeg_into_a_pipe(tmp_path: Path) -> None:
    samples = noise(10_000)
    source = wav_file(tmp_path / "a.wav", samples)
    sound = opened(run("ffmpeg", "-v", "error", "-i", source, "-f", "wav", "-"))
    assert codes(sound) == ["streamed-wav-length"]
    np.testing.assert_array_equal(everything(sound), samples)


@needs("flac")
def test_flac_into_a_pipe_and_back() -> None:
    samples = noise(10_000)
    shape = ("--endian=little", "--sign=signed", "--channels=2", "--bps=16", "--sample-rate=44100")
    raw = samples.astype("<i2").tobytes()
    streamed = run("flac", "-s", "-c", "--force-raw-format", *shape, "-", stdin=raw)
    with pytest.raises(FormatError, match=r"a: does not tell its length.* ffmpeg -i IN OUT.flac"):
        opened(streamed, "a")
    sound = opened(run("flac", "-s", "-d", "-c", "-", stdin=streamed))
    assert codes(sound) == ["streamed-wav-length"]
    np.testing.assert_array_equal(everything(sound), samples)


@pytest.mark.parametrize("rest", [1, 2, 3])
def test_a_rest_that_is_no_frame_is_left_out(rest: int) -> None:
    sound = opened(riff(fmt(), chunk(b"data", b"\1\0" * 20 + bytes(rest))))
    assert codes(sound) == ["partial-sample-dropped"]
    assert f"last {rest} bytes" in sound.remarks[0].message
    assert everything(sound).tolist() == [[1, 1]] * 10


# ---- bad input ----------------------------------------------------------------------------------

BAD: list[tuple[str, bytes, type[RawCDError], str]] = [
    ("empty.wav", b"", FormatError, "empty.wav: is empty"),
    ("empty.bin", b"", FormatError, "empty.bin: is empty"),
    ("a.bin", bytes(23), FormatError, r"a.bin: has 23 bytes, which leaves 3 after 5 samples"),
    ("a.txt", b"hello there" * 9, FormatError, r"a.txt: is no sound: expected WAV.*\.cdr"),
    ("a.wav", b"hello there" * 9, FormatError, "a.wav: is no sound"),
    ("a.iso", bytes(2048 * 20), FormatError, "a.iso: is no sound"),
    ("a", b"\xff\xfb\x90\x64" + bytes(999), FormatError, "a: is no sound"),
    ("a", riff(), FormatError, "a: has no data chunk"),
    ("a", riff(fmt()), FormatError, "a: has no data chunk"),
    ("a", riff(chunk(b"data", bytes(4))), FormatError, "a: has no fmt chunk"),
    ("a", riff(fmt())[:30], FormatError, "a: offset 20: ends inside its header"),
    ("a", riff(fmt(), chunk(b"data", b"")), FormatError, "a: holds no samples"),
    ("a", riff(fmt(), chunk(b"data", bytes(3))), FormatError, "a: holds no whole sample"),
    (
        "a",
        riff(fmt(), chunk(b"data", bytes(176_400)))[:-1000],
        FormatError,
        "data chunk says 176400 bytes, but the file ends after 175400 of them; copy it or make it",
    ),
    (
        "a",
        riff(fmt(bits=24, rate=48_000), chunk(b"data", bytes(6000)))[:-1000],
        FormatError,
        "a: offset 44: is cut off: its data chunk says 6000 bytes, .* after 5000",
    ),
    (
        "a",
        form(comm(44_100), ssnd(bytes(176_400)))[:-1000],
        FormatError,
        "a: offset 46: is cut off: its SSND chunk says 176408 bytes, .* after 175408",
    ),
    ("a", form(comm(101), ssnd(bytes(400))), FormatError, "101 samples, which is 404 .* holds 400"),
    ("a", form(ssnd(bytes(400))), FormatError, "a: has no COMM chunk"),
    ("a", form(comm(100)), FormatError, "a: has no SSND chunk"),
    ("a", form(comm(0)), FormatError, "a: holds no samples"),
    ("a", b"fLaC" + bytes(100), FormatError, "a: cannot be opened"),
    ("a", b"OggS" + bytes(100), FormatError, "a: cannot be opened"),
    ("a", riff(fmt(rate=5), chunk(b"data", bytes(400))), FormatError, "a: gives a rate of 5 Hz"),
    (
        "a",
        riff(fmt(rate=192_000), chunk(b"data", bytes(8))),
        FormatError,
        "a: is too short for one sample",
    ),
    (
        "a",
        riff(fmt(channels=6), chunk(b"data", bytes(1200))),
        UnsupportedError,
        "a: has 6 channels, a disc has two; mix it to stereo first",
    ),
]


@pytest.mark.parametrize(("name", "data", "kind", "message"), BAD)
def test_bad_files_are_refused_by_name(
    name: str, data: bytes, kind: type[RawCDError], message: str
) -> None:
    with pytest.raises(kind, match=message):
        opened(data, name)


def test_a_missing_file_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "none.wav"
    with pytest.raises(StorageError, match=r"none\.wav: cannot open: No such file"):
        open_sound(FileBytes(path))


def test_bare_samples_are_whole_whatever_the_sheet_says() -> None:
    with pytest.raises(FormatError, match="leaves 2 after 1 samples"):
        open_sound(MemoryBytes(bytes(6), name="a"), samples="big")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e300])
@pytest.mark.parametrize("rate", [44_100, 48_000])
def test_values_that_are_no_sound(value: float, rate: int) -> None:
    frames = np.zeros((1000, 2))
    frames[500, 1] = value
    sound = opened(written(frames, rate, "WAV", "DOUBLE"), "a.wav")
    with pytest.raises(FormatError, match=r"a\.wav: holds a value that is no sound"):
        everything(sound)


def test_a_flac_cut_off_anywhere_says_so(tmp_path: Path) -> None:
    data = encoded(tmp_path, "flac", seconds=1).read_bytes()
    # Cut where a frame begins, all that is left decodes well, and the end is just missing.
    borders = [at for at in range(9000, len(data)) if data[at : at + 2] == b"\xff\xf8"][:4]
    assert borders
    for cut in [*range(9000, len(data) - 1, 5003), *borders]:
        sound = opened(data[:cut], "a.flac")
        blocks = JoinedSound([SoundPart(sound=sound, start=0, count=sound.sample_count)])
        with pytest.raises(FormatError, match=r"a\.flac: .*sample.*copy it or make it again"):
            collections.deque((blocks.read(i, 1) for i in range(blocks.block_count)), maxlen=0)


def test_a_damaged_flac_says_so(tmp_path: Path) -> None:
    data = bytearray(encoded(tmp_path, "flac", seconds=1).read_bytes())
    middle = len(data) // 2
    data[middle : middle + 64] = bytes(64)
    sound = opened(bytes(data), "a.flac")
    for _ in range(2):  # the second try does not find the decoder in the middle of something
        with pytest.raises(FormatError, match=r"a\.flac: cannot be decoded between samples 0 and"):
            everything(sound)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_changed_headers_parse_or_raise_our_errors(data: st.DataObject) -> None:
    wholes = [
        riff(fmt(), chunk(b"fact", bytes(4)), chunk(b"data", bytes(64))),
        riff(fmt(tag=3, bits=32, rate=48_000), chunk(b"data", bytes(64))),
        form(comm(16, kind=b"sowt"), ssnd(bytes(64)), kind=b"AIFC"),
    ]
    whole = data.draw(st.sampled_from(wholes))
    changed = bytearray(whole[: data.draw(st.integers(12, len(whole)))])
    for at in data.draw(st.lists(st.integers(12, len(whole) - 1), max_size=4)):
        if at < len(changed):
            changed[at] = data.draw(st.integers(0, 255))
    with suppress(RawCDError):
        sound = opened(bytes(changed))
        sound.read_samples(0, min(sound.sample_count, 1000))


# ---- files that move under us -------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["wav", "flac", "opus"])
def test_a_file_that_changed_is_not_read(tmp_path: Path, kind: str) -> None:
    path = encoded(tmp_path, kind, seconds=0.5)
    grown, touched, gone = (open_sound(FileBytes(path)) for _ in range(3))
    os.utime(path, ns=(1, 1))
    with pytest.raises(StorageError, match="was written to since it was added"):
        everything(touched)
    with path.open("ab") as file:
        file.write(b"more")
    with pytest.raises(StorageError, match="changed since it was added"):
        everything(grown)
    path.unlink()
    with pytest.raises(StorageError, match="No such file") as caught:
        everything(gone)
    assert caught.value.file == str(path)
    assert grown.paths == (path,)


def test_measured_sounds_hold_no_file_open(tmp_path: Path) -> None:
    descriptors = Path("/proc/self/fd")
    if not descriptors.exists():
        pytest.skip("no /proc to count open files in")
    paths = [encoded(tmp_path, kind, seconds=0.3) for kind in ("wav", "flac", "opus", "mp3")]
    streamed = tmp_path / "streamed.wav"
    streamed.write_bytes(riff(fmt(bits=24), chunk(b"data", bytes(6000), size=0)))
    untold = tmp_path / "untold.mp3"
    untold.write_bytes(mp3_without_length(paths[3].read_bytes()))
    paths += [streamed, untold]
    gc.collect()
    before = len(list(descriptors.iterdir()))
    kept = [open_sound(FileBytes(path)) for path in paths * 5]
    assert len(list(descriptors.iterdir())) == before
    for sound in kept[1:6]:
        everything(sound)  # read to the end, and closed again
    assert len(list(descriptors.iterdir())) == before


def test_a_name_that_is_no_utf8(tmp_path: Path) -> None:
    path = encoded(tmp_path, "flac", seconds=0.2)
    try:
        path = path.rename(tmp_path / os.fsdecode(b"f\xe9.flac"))
    except OSError:
        pytest.skip("the file system wants UTF-8")
    assert everything(open_sound(FileBytes(path))).shape == (8820, 2)


class Failing(io.BytesIO):
    """A file whose disk goes away."""

    broken = False

    def readinto(self, buffer: Any) -> int:
        if self.broken:
            raise OSError(5, "Input/output error")
        return super().readinto(buffer)


@pytest.mark.parametrize("kind", ["wav", "flac", "vorbis", "mp3"])
def test_what_the_file_object_raises_comes_through(tmp_path: Path, kind: str) -> None:
    path = encoded(tmp_path, kind, seconds=3)
    file = Failing(path.read_bytes())
    whole = everything(open_sound(FileBytes(path)))
    sound = open_sound(StreamBytes(file, name="stick.mp3"))
    file.broken = True
    with pytest.raises(StorageError, match=r"stick\.mp3: cannot read: Input/output") as caught:
        everything(sound)
    assert caught.value.errno == 5
    file.broken = False
    np.testing.assert_array_equal(everything(sound), whole)
    assert not file.closed


def test_a_file_object_needs_no_more_than_read_and_seek(tmp_path: Path) -> None:
    class Bare:
        def __init__(self, file: BinaryIO) -> None:
            self.seek = file.seek
            self.read = lambda count: file.read(min(count, 1000))

    data = encoded(tmp_path, "flac", seconds=1).read_bytes()
    bare: Any = Bare(io.BytesIO(data))
    sound = open_sound(StreamBytes(bare))
    np.testing.assert_array_equal(everything(sound), everything(opened(data)))


# ---- speed --------------------------------------------------------------------------------------


@pytest.mark.slow
def test_flac_costs_little_more_than_decoding(tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    soundfile.write(path, music(60, 44_100), 44_100)

    def alone() -> None:
        soundfile.read(path, dtype="int16")

    def ours() -> None:
        sound = open_sound(FileBytes(path))
        joined = JoinedSound([SoundPart(sound=sound, start=0, count=sound.sample_count)])
        rows = np.empty((512, 2352), np.uint8)
        for start in range(0, joined.block_count, 512):
            joined.read_into(start, rows[: min(512, joined.block_count - start)])

    def seconds(work: Callable[[], None]) -> float:
        begin = time.perf_counter()
        work()
        return time.perf_counter() - begin

    pairs = [(seconds(alone), seconds(ours)) for _ in range(7)]
    assert min(pair[1] for pair in pairs) <= 1.3 * min(pair[0] for pair in pairs)
