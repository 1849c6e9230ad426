"""Lossy kinds, and that any cut of any kind gives the same samples."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rawcd.audio import open_sound
from rawcd.audio.decode import Decoder
from rawcd.source import FileBytes, JoinedSound, MemoryBytes, SoundPart, StreamBytes

if TYPE_CHECKING:
    from rawcd.source import Reader
from tests.sounding import STEP, codes, encoded, everything, music, needs, run

# ---- lossy kinds --------------------------------------------------------------------------------


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
