"""Blocks and samples from anywhere: any cut is the same, and what changed is found out."""

from __future__ import annotations

import gc
import io
import os
import pickle
import threading
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rawcd.errors import StorageError
from rawcd.source import (
    ArraySource,
    BlockSource,
    FileBytes,
    FileSource,
    JoinedSound,
    MemoryBytes,
    PcmSound,
    ReadsInto,
    SilenceSource,
    SoundPart,
    Source,
    StreamBytes,
    StreamSource,
    paths_of,
    side_by_side,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from rawcd.source import Bytes2D, Samples, Sound

    AnySource = FileSource | StreamSource | ArraySource
    MakeSource = Callable[..., AnySource]


def noise(count: int, seed: int = 1) -> bytes:
    return np.random.default_rng(seed).bytes(count)


class Dribble(io.RawIOBase):
    """A file object that answers in pieces of a few bytes, through read() alone."""

    def __init__(self, data: bytes) -> None:
        self._file = io.BytesIO(data)

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def read(self, size: int = -1) -> bytes:
        return self._file.read(min(size, 7))

    readinto = None  # type: ignore[assignment]  # as on an object that only reads


@dataclass
class Blocks:
    """What the blocks of a reader must be, byte by byte."""

    data: bytes
    offset: int
    block_size: int
    stride: int

    def block(self, number: int) -> bytes:
        begin = self.offset + number * self.stride
        return self.data[begin : begin + self.block_size].ljust(self.block_size, b"\0")

    def span(self, start: int, count: int) -> bytes:
        return b"".join(self.block(number) for number in range(start, start + count))

    def count(self, *, pad: bool) -> int:
        least = 1 if pad else self.block_size
        number = 0
        while self.offset + number * self.stride + least <= len(self.data):
            number += 1
        return number


@st.composite
def shapes(draw: st.DrawFn) -> Blocks:
    block_size = draw(st.integers(1, 40))
    return Blocks(
        data=draw(st.binary(max_size=300)),
        offset=draw(st.integers(0, 60)),
        block_size=block_size,
        stride=block_size + draw(st.sampled_from([0, 0, 1, 13])),
    )


def source_of(blocks: Blocks, *, pad: bool = False) -> ArraySource:
    return ArraySource(blocks.data, blocks.offset, blocks.block_size, blocks.stride, pad=pad)


# -- blocks: laws --------------------------------------------------------------------------------


@given(shapes(), st.booleans())
def test_blocks_are_the_bytes_at_their_place(blocks: Blocks, pad: bool) -> None:
    source = source_of(blocks, pad=pad)
    assert source.block_count == blocks.count(pad=pad)
    assert source.read(0, source.block_count) == blocks.span(0, source.block_count)


@given(shapes(), st.booleans(), st.data())
def test_any_cut_equals_the_whole(blocks: Blocks, pad: bool, data: st.DataObject) -> None:
    source = source_of(blocks, pad=pad)
    total = source.block_count
    cuts = sorted(data.draw(st.lists(st.integers(0, total), max_size=4)))
    borders = [0, *cuts, total]
    pieces = [source.read(begin, end - begin) for begin, end in pairwise(borders)]
    assert b"".join(pieces) == source.read(0, total)


@given(shapes(), st.booleans(), st.data())
def test_rows_may_be_strided(blocks: Blocks, pad: bool, data: st.DataObject) -> None:
    source = source_of(blocks, pad=pad)
    start = data.draw(st.integers(0, source.block_count))
    count = data.draw(st.integers(0, source.block_count - start))
    wide = np.full((count, blocks.block_size + 5), 0xEE, np.uint8)
    source.read_into(start, wide[:, 2 : 2 + blocks.block_size])
    assert wide[:, 2 : 2 + blocks.block_size].tobytes() == blocks.span(start, count)
    assert (np.delete(wide, np.s_[2 : 2 + blocks.block_size], axis=1) == 0xEE).all()


def makers(folder: Path, data: bytes) -> dict[str, MakeSource]:
    path = folder / "blocks.bin"
    path.write_bytes(data)
    return {
        "file": lambda *a, **k: FileSource(path, *a, **k),
        "stream": lambda *a, **k: StreamSource(io.BytesIO(data), *a, **k),
        "dribble": lambda *a, **k: StreamSource(Dribble(data), *a, **k),  # type: ignore[arg-type]  # a BinaryIO as far as we use it
        "array": lambda *a, **k: ArraySource(data, *a, **k),
        "uint8": lambda *a, **k: ArraySource(np.frombuffer(data, np.uint8).data, *a, **k),
    }


KINDS = ("file", "stream", "dribble", "array", "uint8")


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_gives_the_same_blocks(tmp_path: Path, kind: str) -> None:
    data = noise(1_001)
    make = makers(tmp_path, data)[kind]
    blocks = Blocks(data, 10, 96, 100)
    source = make(10, 96, 100, pad=True)
    assert source.block_count == 10
    assert source.read(0, 10) == blocks.span(0, 10)
    assert source.read(9, 1) == data[910:1_001].ljust(96, b"\0")
    assert make(10, 96, 100).block_count == 9
    assert make(10, 96, 100, 4).block_count == 4
    assert make().block_count == 0  # 2,352 bytes do not fit
    assert isinstance(source, Source)
    assert isinstance(source, ReadsInto)


def test_two_sources_over_one_file_of_2448_bytes(tmp_path: Path) -> None:
    path = tmp_path / "disc.raw"
    main, sub = noise(3 * 2_352, 1), noise(3 * 96, 2)
    path.write_bytes(b"".join(main[n * 2_352 :][:2_352] + sub[n * 96 :][:96] for n in range(3)))
    assert FileSource(path, 0, 2_352, 2_448).read(0, 3) == main
    assert FileSource(path, 2_352, 96, 2_448).read(0, 3) == sub
    reader = FileBytes(path)
    parts = [BlockSource(reader, *place, 2_448) for place in ((0, 2_352), (2_352, 96), (2_353, 95))]
    whole = side_by_side(parts[0], parts[1])
    assert whole is not None
    assert whole.read(1, 2) == path.read_bytes()[2_448:]
    others: list[Source | None] = [
        parts[2],
        FileSource(path, 2_352, 96, 2_448),
        BlockSource(reader, 2_352, 96),
        None,
    ]
    assert [side_by_side(parts[0], other) for other in others] == [None] * 4


@pytest.mark.parametrize(("start", "count"), [(-1, 1), (0, 4), (3, 1), (4, 0), (1, -1)])
def test_a_range_outside_is_misuse(start: int, count: int) -> None:
    for source in (
        ArraySource(bytes(30), block_size=10),
        SilenceSource(block_count=3, block_size=10),
        JoinedSound([SoundPart(sound=sound_of(3 * 588), start=0, count=3 * 588)]),
    ):
        with pytest.raises(ValueError, match=r"within 0\.\.3|negative dimensions"):
            source.read(start, count)


def test_rows_outside_are_misuse() -> None:
    for source in (
        ArraySource(bytes(30), block_size=10),
        SilenceSource(block_count=3, block_size=10),
    ):
        with pytest.raises(ValueError, match=r"within 0\.\.3"):
            source.read_into(2, np.empty((2, 10), np.uint8))


def test_a_ragged_end_is_left_out_unless_it_is_to_be_filled() -> None:
    reader = MemoryBytes(bytes(15))
    assert BlockSource(reader, block_size=10).block_count == 1
    assert BlockSource(reader, block_size=10, pad=True).block_count == 2


@pytest.mark.parametrize(
    ("offset", "size", "stride"), [(-1, 10, 10), (0, 0, 10), (0, -1, 10), (0, 11, 10)]
)
def test_shapes_that_are_none(offset: int, size: int, stride: int) -> None:
    with pytest.raises(ValueError, match=f"no blocks: offset {offset}, size {size}"):
        ArraySource(bytes(100), offset, size, stride)


def test_a_negative_number_of_blocks_is_misuse() -> None:
    with pytest.raises(ValueError, match="-1 blocks"):
        ArraySource(bytes(100), block_count=-1)


@pytest.mark.parametrize("kind", KINDS)
def test_more_blocks_than_there_are(tmp_path: Path, kind: str) -> None:
    with pytest.raises(StorageError, match="holds 9 blocks of 10 bytes from byte 5 on, not 10"):
        makers(tmp_path, bytes(99))[kind](5, 10, None, 10)


@pytest.mark.parametrize(("block_size", "count"), [(2_352, 0), (96, 400_000), (1, 3)])
def test_silence(block_size: int, count: int) -> None:
    silence = SilenceSource(block_count=count, block_size=block_size)
    last = min(count, 2)
    assert silence.read(count - last, last) == bytes(last * block_size)
    rows = np.full((last, block_size), 1, np.uint8)
    silence.read_into(0, rows)
    assert not rows.any()


# -- memory --------------------------------------------------------------------------------------


def test_memory_is_kept_not_copied() -> None:
    held = bytearray(2_352 * 2)
    source = ArraySource(held)
    held[2_352] = 7
    assert source.read(1, 1) == b"\x07" + bytes(2_351)


@pytest.mark.parametrize(
    "view",
    [
        memoryview(bytes(range(40)))[::2],
        np.arange(40, dtype=np.uint8).reshape(4, 10)[:, ::2].data,
    ],
    ids=["strided", "columns"],
)
def test_memory_that_does_not_lie_end_to_end(view: memoryview) -> None:
    assert ArraySource(view, block_size=4).read(0, 5) == bytes(range(0, 40, 2))


def test_memory_of_any_item_is_bytes() -> None:
    samples = np.arange(8, dtype="<i2").reshape(4, 2)
    assert MemoryBytes(samples.data).size == 16
    assert ArraySource(samples.data, block_size=4).read(1, 1) == b"\x02\x00\x03\x00"
    assert MemoryBytes(np.empty((0, 2), np.int16).data).size == 0


# -- files: measured once, compared then ---------------------------------------------------------


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "sound.bin"
    path.write_bytes(noise(4_704))
    return path


def later(path: Path) -> None:
    """Move the time of change, whatever the clock's step."""
    status = path.stat()
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1_000_000_000))


def grow(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"x")


def cut(path: Path) -> None:
    os.truncate(path, 4_703)


def rewrite(path: Path) -> None:
    path.write_bytes(noise(4_704, 2))
    later(path)


CHANGES: list[tuple[Callable[[Path], None], str]] = [
    (grow, "changed since it was added: it had 4704 bytes, now 4705"),
    (cut, "changed since it was added: it had 4704 bytes, now 4703"),
    (rewrite, "was written to since it was added"),
    (Path.unlink, "cannot read: No such file"),
]


@pytest.mark.parametrize(("change", "message"), CHANGES, ids=lambda part: str(part)[:20])
def test_a_file_that_changed_before_it_was_read(
    path: Path, change: Callable[[Path], None], message: str
) -> None:
    source, reader = FileSource(path), FileBytes(path)
    reader.check_unchanged()
    change(path)
    with pytest.raises(StorageError, match=message) as caught:
        source.read(0, 1)
    assert caught.value.file == str(path)
    assert str(caught.value).startswith(str(path))
    with pytest.raises(StorageError, match=message):
        reader.check_unchanged()


def test_a_file_that_is_cut_while_it_is_read(path: Path) -> None:
    source = FileSource(path)
    source.read(0, 1)
    os.truncate(path, 3_000)
    with pytest.raises(StorageError, match="ends at byte 3000, 1704 bytes early") as caught:
        source.read(1, 1)
    assert caught.value.file == str(path)


def test_a_file_is_opened_when_it_is_read_and_closed_with_its_source(path: Path) -> None:
    folder = Path("/proc/self/fd")
    if not folder.is_dir():
        pytest.skip("/proc/self/fd is not there to count open files")

    def open_now() -> int:
        return sum(os.path.realpath(entry) == str(path.resolve()) for entry in folder.iterdir())

    source = FileSource(path)
    assert open_now() == 0
    source.read(0, 1)
    source.read(1, 1)
    assert open_now() == 1
    del source
    gc.collect()
    assert open_now() == 0


def test_what_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot open: No such file") as caught:
        FileSource(tmp_path / "missing.wav")
    assert caught.value.file == str(tmp_path / "missing.wav")
    assert caught.value.errno is not None
    with pytest.raises(StorageError, match="is no file"):
        FileSource(tmp_path)
    with pytest.raises(StorageError, match=r"cannot open: .*embedded null"):
        FileSource("a\0b")


def test_a_file_source_pickles_as_its_description(path: Path) -> None:
    source = FileSource(path, 4, 100, 200)
    expected = source.read(0, 3)  # open by now
    again: FileSource = pickle.loads(pickle.dumps(source))
    assert (again.name, again.block_size, again.block_count) == (str(path), 100, 24)
    assert again.read(0, 3) == expected


def test_a_pickled_file_source_still_knows_what_was_measured(path: Path) -> None:
    held = pickle.dumps(FileSource(path))
    grow(path)
    again: FileSource = pickle.loads(held)
    with pytest.raises(StorageError, match="it had 4704 bytes, now 4705"):
        again.read(0, 1)


def test_the_files_behind_are_told(path: Path) -> None:
    assert paths_of(FileSource(path)) == (path,)
    assert paths_of(PcmSound(FileBytes(path))) == (path,)
    assert paths_of(ArraySource(bytes(9))) == ()
    assert paths_of(object()) == ()


def test_many_threads_read_one_file(path: Path) -> None:
    whole = path.read_bytes()
    for reader in (FileBytes(path), StreamBytes(io.BytesIO(whole))):
        source = BlockSource(reader, block_size=1)
        wrong: list[int] = []

        def work(seed: int, source: BlockSource = source, wrong: list[int] = wrong) -> None:
            for start in np.random.default_rng(seed).integers(0, 4_600, 200).tolist():
                if source.read(start, 100) != whole[start : start + 100]:
                    wrong.append(start)  # noqa: PERF401  # a thread tells by appending

        threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert wrong == []


# -- file objects --------------------------------------------------------------------------------


def test_a_file_object_stays_open_and_keeps_its_name(path: Path) -> None:
    with path.open("rb") as file:
        source = StreamSource(file)
        assert source.name == str(path)
        assert source.read(1, 1) == path.read_bytes()[2_352:]
        del source
        gc.collect()
        assert not file.closed
    assert StreamSource(io.BytesIO(b"")).name == "<BytesIO>"
    assert StreamBytes(io.BytesIO(b""), name="given").name == "given"


def test_a_closed_file_object(path: Path) -> None:
    with path.open("rb") as file:
        source = StreamSource(file)
    with pytest.raises(StorageError, match=r"cannot read: .*closed") as caught:
        source.read(0, 1)
    assert caught.value.file == str(path)
    with pytest.raises(StorageError, match="cannot seek"):
        StreamSource(file)


def test_a_file_object_that_shrank() -> None:
    file = io.BytesIO(bytes(4_704))
    source = StreamSource(file)
    file.truncate(2_400)
    with pytest.raises(StorageError, match="ends at byte 2400, 2304 bytes early"):
        source.read(1, 1)


def test_what_cannot_seek_or_gives_text() -> None:
    end, other = os.pipe()
    os.close(other)
    with os.fdopen(end, "rb") as pipe, pytest.raises(StorageError, match="cannot seek"):
        StreamSource(pipe)
    text: Any = io.StringIO("sound?")
    with pytest.raises(StorageError, match="gives text, not bytes; open it in binary mode"):
        StreamSource(text)


def test_an_error_while_reading_names_the_stream() -> None:
    class Broken(io.BytesIO):
        name = "tape"

        def readinto(self, buffer: Any) -> int:
            raise OSError(5, "Input/output error")

    with pytest.raises(StorageError, match="tape: cannot read: Input/output error") as caught:
        StreamSource(Broken(bytes(2_352))).read(0, 1)
    assert caught.value.errno == 5


# -- samples -------------------------------------------------------------------------------------


def sound_of(count: int, seed: int = 1) -> PcmSound:
    return PcmSound(MemoryBytes(noise(4 * count, seed), name=f"sound {seed}"))


class Foreign:
    """A Sound that knows nothing of ours."""

    def __init__(self, samples: Samples) -> None:
        self._samples = samples
        self.name = "foreign"
        self.sample_count = len(samples)

    def read_samples(self, start: int, count: int) -> Samples:
        return self._samples[start : start + count]


@given(st.binary(max_size=200), st.integers(0, 20), st.booleans(), st.data())
def test_samples_are_the_bytes_in_either_order(
    held: bytes, offset: int, big_endian: bool, data: st.DataObject
) -> None:
    sound = PcmSound(MemoryBytes(held), offset=offset, big_endian=big_endian)
    assert sound.sample_count == max(0, len(held) - offset) // 4
    start = data.draw(st.integers(0, sound.sample_count))
    count = data.draw(st.integers(0, sound.sample_count - start))
    samples = sound.read_samples(start, count)
    assert samples.dtype == np.int16
    assert samples.shape == (count, 2)
    order: Literal["little", "big"] = "big" if big_endian else "little"
    for row, (left, right) in enumerate(samples.tolist(), start):
        place = offset + 4 * row
        assert left == int.from_bytes(held[place : place + 2], order, signed=True)
        assert right == int.from_bytes(held[place + 2 : place + 4], order, signed=True)


@pytest.mark.parametrize(("big_endian", "sample"), [(False, [0x0201, -2]), (True, [0x0102, -257])])
def test_a_sample_in_either_order(big_endian: bool, sample: list[int]) -> None:
    sound = PcmSound(MemoryBytes(b"\x01\x02\xfe\xff"), big_endian=big_endian)
    assert sound.read_samples(0, 1).tolist() == [sample]


@pytest.mark.parametrize(("start", "count"), [(-1, 1), (0, 4), (3, 1), (4, 0)])
def test_samples_outside_are_misuse(start: int, count: int) -> None:
    sound = PcmSound(MemoryBytes(bytes(100), name="three"), offset=4, sample_count=3)
    with pytest.raises(ValueError, match=r"three: .* within 0\.\.3"):
        sound.read_samples(start, count)


def test_more_samples_than_there_are() -> None:
    with pytest.raises(StorageError, match="three: holds 3 samples, not 4"):
        PcmSound(MemoryBytes(bytes(15), name="three"), sample_count=4)


@st.composite
def joins(draw: st.DrawFn) -> tuple[list[SoundPart], bytes]:
    """Parts of three sounds, and the bytes they are together."""
    wholes = [noise(4 * 1_500, seed) for seed in range(3)]
    foreign = Foreign(np.frombuffer(wholes[2], "<i2").reshape(-1, 2).astype(np.int16))
    sounds: list[Sound] = [
        PcmSound(MemoryBytes(wholes[0])),
        PcmSound(MemoryBytes(wholes[1])),
        foreign,
    ]
    parts: list[SoundPart] = []
    expected = b""
    for _ in range(draw(st.integers(0, 5))):
        which = draw(st.integers(0, 2))
        start = draw(st.integers(0, 1_500))
        count = draw(st.one_of(st.just(588), st.integers(0, 1_500)))
        count = min(count, 1_500 - start)
        parts.append(SoundPart(sound=sounds[which], start=start, count=count))
        expected += wholes[which][4 * start : 4 * (start + count)]
    return parts, expected


@settings(deadline=None)
@given(joins(), st.data())
def test_joined_sound_goes_on_with_the_very_next_sample(
    join: tuple[list[SoundPart], bytes], data: st.DataObject
) -> None:
    parts, expected = join
    joined = JoinedSound(parts)
    assert joined.sample_count == len(expected) // 4
    blocks = -(-len(expected) // 2_352)
    assert joined.block_count == blocks
    whole = expected.ljust(blocks * 2_352, b"\0")
    assert joined.read(0, blocks) == whole
    start = data.draw(st.integers(0, blocks))
    count = data.draw(st.integers(0, blocks - start))
    assert joined.read(start, count) == whole[start * 2_352 : (start + count) * 2_352]
    wide: Bytes2D = np.full((count, 2_448), 0xEE, np.uint8)
    joined.read_into(start, wide[:, :2_352])
    assert wide[:, :2_352].tobytes() == whole[start * 2_352 : (start + count) * 2_352]
    assert (wide[:, 2_352:] == 0xEE).all()


def test_a_joined_sound_reads_no_part_it_was_not_asked_for() -> None:
    class Untouched(Foreign):
        def read_samples(self, start: int, count: int) -> Samples:
            raise AssertionError("read")

    never = Untouched(np.zeros((588, 2), np.int16))
    parts = [
        SoundPart(sound=never, start=0, count=588),
        SoundPart(sound=sound_of(588), start=0, count=588),
        SoundPart(sound=never, start=0, count=588),
    ]
    assert JoinedSound(parts).read(1, 1) == noise(2_352)


def test_a_joined_sound_is_called_by_its_first() -> None:
    one, two = sound_of(10, 1), sound_of(10, 2)

    def name(*sounds: PcmSound) -> str:
        return JoinedSound([SoundPart(sound=sound, start=0, count=1) for sound in sounds]).name

    assert name() == "<no sound>"
    assert name(one, one) == "sound 1"
    assert name(one, two, one) == "sound 1 and 1 more"


@pytest.mark.parametrize(("start", "count"), [(-1, 2), (0, 11), (11, 1), (5, -1)])
def test_a_part_outside_its_sound_is_misuse(start: int, count: int) -> None:
    with pytest.raises(ValueError, match=r"sound 1: .* within 0\.\.10"):
        JoinedSound([SoundPart(sound=sound_of(10), start=start, count=count)])


def test_the_files_behind_a_joined_sound(path: Path) -> None:
    part = SoundPart(sound=PcmSound(FileBytes(path)), start=0, count=1)
    assert JoinedSound([part, part]).paths == (path,)
