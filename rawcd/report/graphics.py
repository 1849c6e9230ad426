"""CD+G as pictures: what a player shows at some moments of each track that has it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from rawcd.cdg import CDG, View
from rawcd.cdg.canvas import rgb_of
from rawcd.image import ImageType
from rawcd.report.png import png_of
from rawcd.report.reading import rows_of
from rawcd.source import SECTOR_BYTES
from rawcd.subcode.layouts import PACK_SYMBOLS
from rawcd.subcode.rows import PW96_BYTES, RW_BITS
from rawcd.subcode.streams import DeinterleavedPacks

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from rawcd.image import DiscImage
    from rawcd.report.reading import DiscReading
    from rawcd.report.spans import Span
    from rawcd.source import Bytes2D

_MOST: Final = 36
"""Pictures of a disc, of two or three KB each."""
_A_TRACK: Final = 6
_DELAY: Final = 2
"""Sectors over which a pack is spread on the disc, beside its first."""
_STEP: Final = 768
"""Sectors whose packs are drawn at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A picture.

    Attributes:
        track: the track's number.
        sectors: how long after the track's beginning.
        png: the picture, 300 x 216.
    """

    track: int
    sectors: int
    png: bytes


class _Recorded:
    """The subcode of a stretch of an image as a `Source`."""

    block_size = PW96_BYTES
    paths: tuple[Path, ...] = ()

    def __init__(self, image: DiscImage, lba: int, block_count: int) -> None:
        self._image = image
        self._lba = lba
        self.block_count = block_count
        self.name = "recorded subcode"

    def read(self, start: int, count: int) -> bytes:
        return self._rows(start, count).tobytes()

    def read_into(self, start: int, rows: Bytes2D) -> None:
        rows[:] = self._rows(start, len(rows))

    def _rows(self, start: int, count: int) -> Bytes2D:
        return rows_of(self._image, self._lba + start, count)[:, SECTOR_BYTES:]


def moments(reading: DiscReading) -> Iterator[Moment]:
    """Yield pictures of the tracks with CD+G, evenly spread over what was sent.

    Where nothing has changed since the picture before there is none, but each track has one.
    """
    asked = ((span, _last_sector(reading, span)) for span in reading.spans)
    found = [(span, last) for span, last in asked if last is not None]
    if not found:
        return
    each = max(1, min(_A_TRACK, _MOST // len(found)))
    for span, last in found[:_MOST]:
        yield from _moments_of(reading, span, last + 1, each)


def _last_sector(reading: DiscReading, span: Span) -> int | None:
    """Return the last sector of a track that has CD+G, counted from index 1."""
    first = span.start_lba - reading.first_lba
    sent = np.flatnonzero(reading.has_graphics[first : span.end_lba - reading.first_lba])
    return int(sent[-1]) if len(sent) else None


def _moments_of(reading: DiscReading, span: Span, end: int, count: int) -> Iterator[Moment]:
    room = min(end + _DELAY, reading.end_lba - span.start_lba)
    recorded = _Recorded(reading.image, span.start_lba, room)
    is_raw = reading.image.kind is ImageType.RAW
    source = DeinterleavedPacks(recorded) if is_raw else recorded
    canvas = CDG()
    done = 0
    shown = canvas.copy()
    any_shown = False
    for number in range(1, count + 1):
        until = end * number // count
        while done < until:
            sectors = min(_STEP, until - done)
            rows = np.frombuffer(source.read(done, sectors), np.uint8) & np.uint8(RW_BITS)
            canvas.run(rows.reshape(-1, PACK_SYMBOLS))
            done += sectors
        if canvas != shown or (until == end and not any_shown):
            any_shown = True
            shown = canvas.copy()
            picture = png_of(canvas.indexes(View.SCREEN), rgb_of(canvas.palette))
            yield Moment(track=span.number, sectors=until, png=picture)
