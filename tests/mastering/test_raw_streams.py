"""Streams for DiscFormat2RawCD: whose bytes reach the disc as they are, and which are no discs."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pytest

import rawcd
from rawcd.errors import MasteringError
from rawcd.hresults import HResult
from rawcd.mastering.formats2 import WriterState
from rawcd.mastering.formats2.rawstream import raw_stream
from rawcd.source import ArraySource
from tests.mastering.kept import WRITE, kept_of, recorder
from tests.mastering.writing import (
    LEAD_IN,
    burned,
    code_of,
    expected,
    prepared_raw,
    prepared_tao,
    small_image,
    small_stream,
    sound,
)

if TYPE_CHECKING:
    from collections.abc import Callable

RAW = rawcd.ImageType.RAW


class Pipe(io.RawIOBase):
    """A stream that cannot seek, and gives what it likes."""

    def __init__(self, data: bytes) -> None:
        self._data = io.BytesIO(data)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False

    def read(self, size: int = -1) -> bytes:
        return self._data.read(min(size, 100_000))


# -- what reaches the disc ------------------------------------------------------------------------

GIVEN: dict[str, Callable[[bytes], Any]] = {
    "bytes": lambda data: data,
    "file object": io.BytesIO,
    "pipe": Pipe,
    "source": lambda data: ArraySource(data, block_size=2448),
    "image": lambda data: small_image(),
    "image stream": lambda data: small_image().open(),
}


@pytest.mark.parametrize("kind", GIVEN)
def test_a_streams_bytes_are_burned_as_they_are(kind: str) -> None:
    drive = recorder()
    writer = prepared_raw(drive)
    writer.write_media(GIVEN[kind](small_stream()))
    writer.release_media()
    assert burned(drive) == expected(small_stream())
    assert not writer.media_physically_blank


def test_a_path_is_a_stream(tmp_path: Any) -> None:
    file = tmp_path / "disc.raw"
    file.write_bytes(small_stream())
    drive = recorder()
    prepared_raw(drive).write_media(file)
    assert burned(drive) == expected(small_stream())


@pytest.mark.parametrize("type_", [rawcd.ImageType.COOKED, rawcd.ImageType.PQ_ONLY])
def test_other_sector_types_are_burned_as_they_are(type_: rawcd.ImageType) -> None:
    drive = recorder()
    writer = prepared_raw(drive)
    writer.requested_sector_type = type_
    writer.write_media(small_stream(type_))
    size = type_.sector_size
    wanted = small_stream(type_)[(LEAD_IN + 22_650) * size :]
    held = burned(drive)
    assert len(held) // 2448 == len(wanted) // size
    for sector in range(0, len(held) // 2448, 97):
        main = held[sector * 2448 : sector * 2448 + 2352]
        assert main == wanted[sector * size : sector * size + 2352]


def test_a_stream_may_begin_where_the_disc_does() -> None:
    drive = recorder()
    stream = expected(small_stream())
    prepared_raw(drive).write_media2(io.BytesIO(stream), 4500)
    assert burned(drive) == stream


def test_write_media_is_write_media2_with_22500() -> None:
    one, two = recorder(), recorder()
    prepared_raw(one).write_media(small_stream())
    prepared_raw(two).write_media2(small_stream(), 22_500)
    assert burned(one) == burned(two)


def test_hostile_bits_of_a_stream_pass_unchanged() -> None:
    """R-W, and sound that looks like sectors of data, are nobody's business."""
    stream = bytearray(small_stream())
    at = (22_650 + 10) * 2448
    stream[at : at + 12] = b"\0" + b"\xff" * 10 + b"\0"
    for byte in range(at + 2352, at + 2448):
        stream[byte] |= 0x2A
    drive = recorder()
    prepared_raw(drive).write_media(bytes(stream))
    assert burned(drive) == expected(bytes(stream))


# -- what is refused, with nothing written --------------------------------------------------------


def refused(given: Any, lead_in: Any = None, kind: str = "cdr-short") -> HResult:
    drive = recorder(kind)
    writer = prepared_raw(drive)
    if lead_in is None:
        code = code_of(lambda: writer.write_media(given))
    else:
        code = code_of(lambda: writer.write_media2(given, lead_in))
    assert WRITE not in kept_of(drive).wire.opcodes
    assert writer.state is WriterState.PREPARED
    writer.release_media()
    return code


def test_streams_that_are_no_streams() -> None:
    assert refused(None) == HResult.E_POINTER
    assert refused(17) == HResult.E_INVALIDARG
    assert refused(small_stream(), -1) == HResult.E_INVALIDARG
    assert refused(small_stream(), 45_001) == HResult.E_INVALIDARG
    assert refused(small_stream(), "all") == HResult.E_INVALIDARG


class Broken(io.BytesIO):
    def read(self, size: int | None = -1, /) -> bytes:
        raise ZeroDivisionError

    readinto = None  # type: ignore[assignment]  # only read is left


@pytest.mark.parametrize(
    "given",
    [
        b"",
        small_stream()[:-1],
        small_stream()[: 22_000 * 2448],
        small_stream()[: -100 * 2448],
        small_stream() + bytes(2448 * 20),
        bytes(len(small_stream())),
        b"\0" * 2448 + small_stream()[2448 * 0 :],
        small_stream(rawcd.ImageType.PQ_ONLY),
        "no such file",
        io.StringIO("text"),
        Broken(small_stream()),
        ArraySource(small_stream(), block_size=2352 + 16, block_count=100),
        small_image(rawcd.ImageType.COOKED),
    ],
    ids=[
        "empty",
        "ragged",
        "lead-in alone",
        "lead-out too short",
        "something behind the lead-out",
        "zeros",
        "one sector late",
        "other sectors",
        "missing file",
        "text",
        "unreadable",
        "source of other blocks",
        "image of another type",
    ],
)
def test_streams_that_are_no_discs(given: Any) -> None:
    code = refused(given)
    text = isinstance(given, io.StringIO)
    wanted = HResult.E_INVALIDARG if text else HResult.E_IMAPI_DF2RAW_STREAM_NOT_SUPPORTED
    assert code == wanted


class Liar:
    """A stream that answers nonsense when it is asked how long it is."""

    def __init__(self, size: Any) -> None:
        self._size = size

    def read(self, size: int = -1) -> bytes:
        return b""

    def seek(self, place: int, whence: int = 0) -> Any:
        if isinstance(self._size, Exception):
            raise self._size
        return self._size


@pytest.mark.parametrize("size", [None, -1, "long", ZeroDivisionError(), 10**30])
def test_streams_that_lie_about_their_length(size: Any) -> None:
    assert refused(Liar(size)) == HResult.E_IMAPI_DF2RAW_STREAM_NOT_SUPPORTED
    with pytest.raises(MasteringError) as caught:
        prepared_tao().add_audio_track(Liar(size))
    no_room = HResult.E_IMAPI_DF2TAO_NOT_ENOUGH_SPACE
    wanted = no_room if size == 10**30 else HResult.E_IMAPI_DF2TAO_STREAM_NOT_SUPPORTED
    assert caught.value.hresult == wanted


def test_two_sessions_are_refused_and_a_remedy_is_named() -> None:
    creator = rawcd.RawCDImageCreator()
    creator.resulting_image_type = RAW
    creator.appendable = True
    creator.add_track(sound(300))
    creator = rawcd.RawCDImageCreator(after=creator.create_result_image())
    creator.resulting_image_type = RAW
    creator.add_track(sound(300))
    image = creator.create_result_image()
    with pytest.raises(MasteringError, match="burn_image"):
        prepared_raw().write_media(image)
    stream = image.read(image.first_lba, image.sector_count)
    with pytest.raises(MasteringError, match="this writes one session"):
        prepared_raw().write_media(stream)


def test_an_appendable_session_stays_open() -> None:
    creator = rawcd.RawCDImageCreator()
    creator.resulting_image_type = RAW
    creator.appendable = True
    creator.add_track(sound(300))
    drive = recorder()
    prepared_raw(drive).write_media(creator.create_result_image())
    with drive.session() as session:
        media = session.media()
    assert media is not None
    assert (media.is_blank, media.next_writable_lba is None) == (False, False)


def test_a_lead_in_that_is_too_short() -> None:
    short = HResult.E_IMAPI_DF2RAW_STREAM_LEADIN_TOO_SHORT
    assert refused(expected(small_stream())[2448:], 4499) == short
    assert refused(small_stream(), 22_500 - 18_001) == short
    assert refused(small_image().with_lead_in(-4000)) == short


def test_a_disc_that_is_too_small() -> None:
    creator = rawcd.RawCDImageCreator()
    creator.resulting_image_type = RAW
    creator.add_track(rawcd.SilenceSource(block_count=290_000))
    code = refused(creator.create_result_image(), kind="cdr63")
    assert code == HResult.E_IMAPI_DF2RAW_NOT_ENOUGH_SPACE


def test_a_stream_is_looked_at_no_further_than_is_needed() -> None:
    """The table of contents and an address, and nothing of the sound."""

    class Counting(ArraySource):
        rows = 0

        def read_into(self, start: int, rows: Any) -> None:
            Counting.rows += len(rows)
            super().read_into(start, rows)

    stream = raw_stream(
        Counting(small_stream(), block_size=2448),
        RAW,
        lead_in_lba=LEAD_IN,
        stream_lead_in_sectors=22_500,
    )
    assert (stream.lba, stream.lead_out_lba) == (LEAD_IN, 600)
    assert Counting.rows < 700
