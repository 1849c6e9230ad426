"""Lengths left open, bad input, and files that move under us."""

from __future__ import annotations

import collections
import gc
import io
import os
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rawcd.audio import open_sound
from rawcd.errors import FormatError, RawCDError, StorageError, UnsupportedError
from rawcd.source import FileBytes, JoinedSound, MemoryBytes, SoundPart, StreamBytes
from tests.sounding import (
    chunk,
    codes,
    comm,
    encoded,
    everything,
    fmt,
    form,
    mp3_without_length,
    needs,
    noise,
    opened,
    riff,
    run,
    ssnd,
    wav_file,
    written,
)

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
