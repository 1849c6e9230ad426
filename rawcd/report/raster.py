"""The map as a PNG: the same disc and line, pixel by pixel, with numbers for words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from rawcd.report.labels import run_style, track_at
from rawcd.report.page import stylesheet
from rawcd.report.png import png_of
from rawcd.report.rings import DISC_RADIUS, HOLE_RADIUS, Rings
from rawcd.report.scale import Scale

if TYPE_CHECKING:
    from rawcd.report.reading import DiscReading

    Picture = npt.NDArray[np.uint8]

_SIZE: Final = 900
_FINE: Final = 2
"""Each pixel is the mean of so many squared."""
_LINE: Final = 120
_MARGIN: Final = 30
_PAPER: Final = (255, 255, 255)
_INK: Final = (20, 24, 29)
_PLASTIC: Final = (227, 231, 236)
_LOST: Final = (209, 36, 47)
_GLYPHS: Final = (
    0o75557,
    0o26227,
    0o71747,
    0o71717,
    0o55711,
    0o74717,
    0o74757,
    0o71111,
    0o75757,
    0o75717,
)
"""Figures of three by five dots, a line in each octal digit."""


def raster_of(reading: DiscReading) -> bytes:
    """Return a PNG file."""
    picture = np.full((_SIZE + _LINE + 2 * _MARGIN, _SIZE, 3), _PAPER, np.uint8)
    scale = Scale.fitted(reading.survey.runs)
    colours = _colours(reading)
    _draw_disc(picture[:_SIZE], reading, scale, colours)
    _draw_line(picture[_SIZE + _MARGIN : -_MARGIN, _MARGIN:-_MARGIN], reading, scale, colours)
    return png_of(picture)


def _colours(reading: DiscReading) -> npt.NDArray[np.float64]:
    """Return the colour of each run, as the style sheet has it."""
    named = {
        name.strip("."): tuple(bytes.fromhex(colour))
        for name, colour in re.findall(
            r"^\.([\w.]+) \{.*?fill: #([0-9a-f]{6})", stylesheet("map.css"), re.MULTILINE
        )
    }
    found = []
    for run in reading.survey.runs:
        words = run_style(run, track_at(reading.spans, run.lba)).split()
        colour = np.array(named.get(words[0], _LOST), np.float64)
        found.append(colour * 0.42 + 255 * 0.58 if "gap" in words else colour)
    return np.array(found)


def _runs_at(reading: DiscReading, lbas: npt.NDArray[np.float64]) -> npt.NDArray[np.intp]:
    starts = np.array([run.lba for run in reading.survey.runs])
    return np.clip(np.searchsorted(starts, lbas, "right") - 1, 0, len(starts) - 1)


def _draw_disc(picture: Picture, reading: DiscReading, scale: Scale, colours: Any) -> None:
    rings = Rings(reading, scale)
    first, end = rings.radius(reading.first_lba), rings.radius(reading.end_lba)
    fine = np.arange(_SIZE * _FINE) + 0.5
    away = (fine / _FINE - _SIZE / 2) * (2 * (DISC_RADIUS + 1) / _SIZE)
    radius = np.hypot(away[:, None], away)
    # A disc is the same all round: what is seen at each radius is found once.
    steps = np.linspace(0, radius.max(), 4096)
    lbas = np.array([rings.lba(each) for each in steps])
    seen = colours[_runs_at(reading, lbas)]
    for step in np.flatnonzero((steps >= first) & (steps <= end)).tolist():
        lba = min(int(lbas[step]), reading.end_lba - 1)
        after = int(lbas[min(step + 1, len(steps) - 1)])
        loud = float(
            reading.waves.columns(lba, min(max(after - lba, 1), reading.end_lba - lba), 1).rms[0]
        )
        seen[step] += (255 - seen[step]) * min(loud * 2.2, 1.0) ** 0.7 * 0.5
    seen[(steps < first) | (steps > end)] = _PLASTIC
    seen[(steps > DISC_RADIUS) | (steps < HOLE_RADIUS)] = _PAPER
    drawn = seen[np.searchsorted(steps, radius.reshape(-1)).clip(0, len(steps) - 1)]
    fours = drawn.reshape(_SIZE, _FINE, _SIZE, _FINE, 3)
    picture[:] = fours.mean(axis=(1, 3)).round()
    for span in reading.spans:
        inner, outer = rings.radius(span.start_lba), rings.radius(span.end_lba)
        middle = int(_SIZE / 2 - (inner + outer) / 2 * _SIZE / (2 * (DISC_RADIUS + 1)))
        room = int((outer - inner) * _SIZE / (2 * (DISC_RADIUS + 1)))
        _write(picture, span.number, _SIZE // 2, middle, min(room // 7, 3))


def _draw_line(picture: Picture, reading: DiscReading, scale: Scale, colours: Any) -> None:
    height, width = picture.shape[:2]
    bar = height // 3
    edges = np.interp(np.arange(width + 1) / width, scale.shares, scale.lbas)
    seen = colours[_runs_at(reading, (edges[:-1] + edges[1:]) / 2)]
    picture[:bar] = seen.round()
    half = (height - bar - 10) // 2
    middle = bar + 10 + half
    for column in range(width):
        lba = min(int(edges[column]), reading.end_lba - 1)
        sectors = min(max(int(edges[column + 1]) - lba, 1), reading.end_lba - lba)
        sound = reading.waves.columns(lba, sectors, 1)
        top, bottom = middle - int(sound.high[0] * half), middle - int(sound.low[0] * half)
        if top != bottom:
            picture[top : bottom + 1, column] = seen[column].round()
    for span in reading.spans:
        first, after = scale.share(span.start_lba) * width, scale.share(span.end_lba) * width
        _write(
            picture,
            span.number,
            int((first + after) / 2),
            bar // 2,
            min(int(after - first) // 9, 3),
        )
    for finding in reading.findings:
        if finding.lba is not None:
            column = min(int(scale.share(finding.lba) * width), width - 3)
            picture[bar + 2 : bar + 8, column : column + 3] = _LOST


def _write(picture: Picture, number: int, x: int, y: int, size: int) -> None:
    """Write a number round a place, its dots so many pixels wide; none where there is no room."""
    if size < 1:
        return
    figures = [int(figure) for figure in str(number)]
    dots = np.zeros((5, 4 * len(figures) - 1), bool)
    for place, figure in enumerate(figures):
        for line in range(5):
            for dot in range(3):
                dots[line, 4 * place + dot] = _GLYPHS[figure] >> 3 * (4 - line) >> (2 - dot) & 1
    dots = np.kron(dots, np.ones((size, size), bool)).astype(bool)
    top, left = y - dots.shape[0] // 2, x - dots.shape[1] // 2
    if top < 0 or left < 0:
        return
    place_of = picture[top : top + dots.shape[0], left : left + dots.shape[1]]
    if place_of.shape[:2] == dots.shape:
        place_of[dots] = _PAPER
