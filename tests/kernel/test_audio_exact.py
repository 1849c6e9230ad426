"""CD sound comes bit for bit; other sound is rounded and resampled."""

from __future__ import annotations

import math
import sys
from fractions import Fraction
from typing import TYPE_CHECKING, Literal

import numpy as np
import pytest
import soundfile
import soxr
from hypothesis import given
from hypothesis import strategies as st

from rawcd.audio import PlainSound, is_sound, open_sound
from rawcd.audio.convert import CHUNK_SAMPLES, Conversion, dithered
from rawcd.audio.decode import DecodedSound
from rawcd.source import FileBytes, MemoryBytes

if TYPE_CHECKING:
    from pathlib import Path

from tests.sounding import (
    STEP,
    chunk,
    codes,
    comm,
    everything,
    fmt,
    form,
    music,
    needs,
    noise,
    opened,
    riff,
    run,
    ssnd,
    tone_file,
    wav_file,
    written,
)

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
