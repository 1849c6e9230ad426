"""Writers in each state, and small discs for them."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import rawcd
from rawcd.errors import MasteringError
from rawcd.hresults import HResult
from rawcd.mastering.formats2 import DiscFormat2RawCD, DiscFormat2TrackAtOnce, DiscRecorder2
from tests.mastering.kept import kept_of, recorder

if TYPE_CHECKING:
    from collections.abc import Callable

    from rawcd.image import RegionImage


LEAD_IN = -4650
"""Where the short blank's lead-in begins: MSF 99:00:00."""


def sound(sectors: int, seed: int = 1) -> bytes:
    return np.random.default_rng(seed).integers(0, 256, sectors * 2352, np.uint8).tobytes()


@cache
def small_image(kind: rawcd.ImageType = rawcd.ImageType.RAW) -> RegionImage:
    """Two tracks of four seconds."""
    creator = rawcd.RawCDImageCreator()
    creator.resulting_image_type = kind
    creator.add_track(sound(300))
    creator.add_track(sound(300, 2))
    return creator.create_result_image()


@cache
def small_stream(kind: rawcd.ImageType = rawcd.ImageType.RAW) -> bytes:
    image = small_image(kind)
    return image.read(image.first_lba, image.sector_count)


def raw_writer(drive: DiscRecorder2 | None = None) -> DiscFormat2RawCD:
    """An idle writer."""
    writer = DiscFormat2RawCD()
    writer.recorder = drive or recorder()
    writer.client_name = "tests"
    return writer


def prepared_raw(drive: DiscRecorder2 | None = None) -> DiscFormat2RawCD:
    writer = raw_writer(drive)
    writer.prepare_media()
    writer.requested_sector_type = rawcd.ImageType.RAW
    return writer


def tao_writer(drive: DiscRecorder2 | None = None) -> DiscFormat2TrackAtOnce:
    """An idle writer."""
    writer = DiscFormat2TrackAtOnce()
    writer.recorder = drive or recorder()
    writer.client_name = "tests"
    return writer


def prepared_tao(drive: DiscRecorder2 | None = None) -> DiscFormat2TrackAtOnce:
    writer = tao_writer(drive)
    writer.prepare_media()
    return writer


def while_writing(
    writer: DiscFormat2RawCD | DiscFormat2TrackAtOnce, call: Callable[[Any], object]
) -> BaseException | None:
    """Call something at the first event of a write; return what it raised.

    A call that ends the write is no failure here.
    """
    met: list[BaseException | None] = []

    def sink(teller: Any, progress: object) -> None:
        if met:
            return
        try:
            call(teller)
        except Exception as error:
            met.append(error)
        else:
            met.append(None)

    cookie = writer.advise(sink)
    try:
        if isinstance(writer, DiscFormat2RawCD):
            writer.write_media(small_stream())
        else:
            writer.add_audio_track(sound(300))
    except MasteringError as error:
        if error.hresult != HResult.E_IMAPI_REQUEST_CANCELLED:
            raise
    finally:
        writer.unadvise(cookie)
    (only,) = met
    return only


def burned(drive: DiscRecorder2) -> bytes:
    return kept_of(drive).disc()


def expected(stream: bytes, first: int = -22_650) -> bytes:
    return stream[(LEAD_IN - first) * 2448 :]


def code_of(call: Callable[[], object]) -> HResult:
    with pytest.raises(MasteringError) as caught:
        call()
    return HResult(caught.value.hresult)
