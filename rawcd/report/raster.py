"""The map as a PNG: the same disc and line, pixel by pixel, with numbers for words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from rawcd.report.labels import run_style, track_at
from rawcd.report.markup import stylesheet
from rawcd.report.png import png_of
from rawcd.report.rings import DISC_RADIUS, HOLE_RADIUS, Rings, brightness
from rawcd.report.scale import Scale

if TYPE_CHECKING:
    from rawcd.report.reading import DiscReading

    Picture = npt.NDArray[np.uint8]

_SIZE: Final = 900
"""Pixels across the disc, and of the line."""
_PIXEL: Final = 2 * (DISC_RADIUS + 1) / _SIZE
"""Millimetres."""
_FINE: Final = 2
"""Each pixel of the disc is the mean of so many squared."""
_STEPS: Final = 4096
"""Colours of the disc from the inside out."""
_LINE: Final = 120
_BAR: Final = 40
_MARGIN: Final = 30
_PAPER: Final = (255, 255, 255)
_PLASTIC: Final = (227, 231, 236)
_LOST: Final = (209, 36, 47)
_GAP: Final = 0.42
"""Opacity of pregaps, as in the style sheet."""
_MOST_DOT: Final = 3
_GLYPHS: Final = (
    0o75557, 0o26227, 0o71747, 0o71717, 0o55711, 0o74717, 0o74757, 0o71111, 0o75757, 0o75717,
)  # fmt: skip
"""Figures of three by five dots, a line in each octal digit."""


def raster_of(reading: DiscReading) -> bytes:
    """Return a PNG file."""
    picture = np.full((_SIZE + _LINE + 2 * _MARGIN, _SIZE, 3), _PAPER, np.uint8)
    scale = Scale.fitted(reading.runs)
    _draw_disc(picture[:_SIZE], reading, scale)
    _draw_line(picture[_SIZE + _MARGIN : -_MARGIN, _MARGIN:-_MARGIN], reading, scale)
    return png_of(picture)


def _colours(reading: DiscReading) -> Picture:
    """Return the colour of each run, as the style sheet has it."""
    named = {
        name: tuple(bytes.fromhex(colour))
        for name, colour in re.findall(
            r"^\.(\w+) \{.*?fill: #([0-9a-f]{6})", stylesheet("map.css"), re.MULTILINE
        )
    }
    found = []
    for run in reading.runs:
        words = run_style(run, track_at(reading.spans, run.lba)).split()
        colour = np.array(named[words[0]], np.float64)
        found.append(colour * _GAP + 255 * (1 - _GAP) if "gap" in words else colour)
    return np.array(found).astype(np.uint8)


def _seen(reading: DiscReading, stretches: list[tuple[int, int]]) -> Picture:
    """Return the colour of what lies in the middle of each stretch."""
    starts = np.array([run.lba for run in reading.runs])
    middles = np.array([first + sectors // 2 for first, sectors in stretches])
    return _colours(reading)[np.searchsorted(starts, middles, "right") - 1]


def _draw_disc(picture: Picture, reading: DiscReading, scale: Scale) -> None:
    rings = Rings(reading, scale)
    first, end = rings.radius(reading.first_lba), rings.radius(reading.end_lba)
    stretches = scale.stretches(_STEPS)
    loud = [brightness(reading.waves.columns(*each, 1).rms[0]) for each in stretches]
    colours = _seen(reading, stretches).astype(np.float64)
    colours += (255 - colours) * np.array(loud)[:, None]
    places = (np.arange(_SIZE * _FINE) + 0.5) / _FINE - _SIZE / 2
    squared = (places[:, None] ** 2 + places**2) * _PIXEL**2
    share = (squared - first**2) / (end**2 - first**2)
    drawn = colours.astype(np.uint8)[(share * _STEPS).astype(np.int64).clip(0, _STEPS - 1)]
    drawn[(share < 0) | (share >= 1)] = _PLASTIC
    drawn[(squared > DISC_RADIUS**2) | (squared < HOLE_RADIUS**2)] = _PAPER
    picture[:] = drawn.reshape(_SIZE, _FINE, _SIZE, _FINE, 3).mean(axis=(1, 3)).round()
    for span in reading.spans:
        inner, outer = rings.radius(span.start_lba), rings.radius(span.end_lba)
        above = round((inner + outer) / 2 / _PIXEL)
        _write(picture, span.number, _SIZE // 2, _SIZE // 2 - above, (outer - inner) / _PIXEL / 7)


def _draw_line(picture: Picture, reading: DiscReading, scale: Scale) -> None:
    height, width = picture.shape[:2]
    stretches = scale.stretches(width)
    colours = _seen(reading, stretches)
    picture[:_BAR] = colours
    half = (height - _BAR) // 2 - 5
    middle = height - half - 1
    for column, stretch in enumerate(stretches):
        sound = reading.waves.columns(*stretch, 1)
        top, bottom = middle - int(sound.high[0] * half), middle - int(sound.low[0] * half)
        if sound.high[0] != sound.low[0]:
            picture[top : bottom + 1, column] = colours[column]
    for span in reading.spans:
        first, after = scale.share(span.start_lba) * width, scale.share(span.end_lba) * width
        _write(picture, span.number, round((first + after) / 2), _BAR // 2, (after - first) / 9)
    for finding in reading.findings:
        if finding.lba is not None:
            column = min(int(scale.share(finding.lba) * width), width - 3)
            picture[_BAR + 2 : _BAR + 8, column : column + 3] = _LOST


def _write(picture: Picture, number: int, x: int, y: int, room: float) -> None:
    """Write a number round a place, a dot as large as there is room; none where there is none."""
    size = min(int(room), _MOST_DOT)
    if size < 1:
        return
    figures = [_GLYPHS[int(figure)] for figure in str(number)]
    dots = np.zeros((5, 4 * len(figures) - 1), np.bool_)
    for place, glyph in enumerate(figures):
        bits = [glyph >> bit & 1 for bit in range(14, -1, -1)]
        dots[:, 4 * place : 4 * place + 3] = np.array(bits, np.bool_).reshape(5, 3)
    dots = dots.repeat(size, axis=0).repeat(size, axis=1)
    top, left = y - dots.shape[0] // 2, max(x - dots.shape[1] // 2, 0)
    room_there = picture[top : top + dots.shape[0], left : left + dots.shape[1]]
    if room_there.shape[:2] == dots.shape:
        room_there[dots] = _PAPER
