"""The disc as one looks down on it: a ring for each area, from the hub outwards, in millimetres.

A disc turns so that the same length of spiral passes in the same time, so the area of a ring, not
its width, is proportional to its sectors (IEC 60908: constant linear velocity; the program area
begins at a radius of 25 mm and ends at 58 mm at the latest).
"""

from __future__ import annotations

from math import cos, radians, sin, sqrt
from typing import TYPE_CHECKING, Final

from rawcd.disc import Area
from rawcd.report.labels import run_label, run_style, span_label, track_at
from rawcd.report.markup import Markup, tag

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rawcd.report.reading import DiscReading
    from rawcd.report.scale import Scale
    from rawcd.survey import Run

PROGRAM_RADIUS: Final = 25.0
LAST_RADIUS: Final = 58.0
_FIRST_RADIUS: Final = 22.0
"""Where the picture begins when it is fitted to the disc: lead-in and all."""
DISC_RADIUS: Final = 60.0
HOLE_RADIUS: Final = 7.5
_CLAMP_RADIUS: Final = 16.5
_LEAST_HOLE: Final = 17.0
"""A lead-in longer than any may be would reach the hole."""
_GROOVE: Final = 0.3
_LOUD: Final = 2.2
"""What makes the loudest music as bright as can be: its RMS is some -7 dB."""
_GAMMA: Final = 0.7
_LABEL_LEAST: Final = 1.1
_LABEL_MOST: Final = 2.6
_LIGHT: Final = 38
_WEDGES: Final = range(2, 20, 2)
"""Degrees: where the light comes from, and how wide it is."""
_MARK_LEAST: Final = 0.6
"""Findings are drawn no thinner, however small they are."""
_ARC: Final = 7
"""Degrees from the middle of a finding's arc to its ends."""
_LINES_APART: Final = 1.0
_THIN: Final = 0.5
"""Rings thinner than this have no edges: there would be nothing else."""


def brightness(rms: float) -> float:
    """Return how much white lies over a groove of this loudness, 0 to 0.5."""
    return float(min(rms * _LOUD, 1.0) ** _GAMMA / 2)


class Rings:
    """Radii of addresses, and the rings between them.

    Args:
        reading: the disc.
        scale: what shares the addresses have; `Scale.of_blank` draws in proportion to a blank.
    """

    def __init__(self, reading: DiscReading, scale: Scale) -> None:
        self._reading = reading
        self._scale = scale
        self._first = PROGRAM_RADIUS if scale.is_blank else _FIRST_RADIUS

    def radius(self, lba: float) -> float:
        """Return the radius at which a sector begins, in millimetres."""
        area = LAST_RADIUS**2 - self._first**2
        squared = self._first**2 + self._scale.share(lba) * area
        return sqrt(max(squared, _LEAST_HOLE**2))

    def lba(self, radius: float) -> float:
        """Return the address at a radius."""
        area = LAST_RADIUS**2 - self._first**2
        return self._scale.lba((radius**2 - self._first**2) / area)

    def drawing(self) -> Markup:
        """Return the disc, round (0, 0)."""
        return tag(
            "g",
            tag("circle", r=DISC_RADIUS, class_="plastic"),
            tag("circle", r=_CLAMP_RADIUS, class_="clamp"),
            *map(self._ring, self._reading.runs),
            tag("g", *self._grooves(), class_="grooves"),
            tag("g", *self._index_lines(), class_="indexes"),
            tag("g", *_sheen(), class_="sheens"),
            tag("g", *self._findings(), class_="marks"),
            tag("g", *self._numbers(), class_="numbers"),
            tag("circle", r=HOLE_RADIUS, class_="hole"),
            class_="rings",
        )

    def _ring(self, run: Run) -> Markup:
        place = track_at(self._reading.spans, run.lba)
        inner, outer = self.radius(run.lba), self.radius(run.end_lba)
        return tag(
            "path",
            tag("title", run_label(run)),
            d=f"{_circle(outer)}{_circle(inner)}",
            fill_rule="evenodd",
            class_=f"ring {run_style(run, place)}{' thin' if outer - inner < _THIN else ''}",
            data_span=place,
        )

    def _grooves(self) -> Iterator[Markup]:
        """Yield what makes loud passages bright, as on a record."""
        waves = self._reading.waves
        for span in self._reading.spans:
            if span.is_data:
                continue
            inner, outer = self.radius(span.lba), self.radius(span.end_lba)
            count = min(int((outer - inner) / _GROOVE), span.sectors)
            for step in range(count):
                radius = inner + (step + 0.5) * (outer - inner) / count
                first = int(self.lba(radius - (outer - inner) / count / 2))
                end = int(self.lba(radius + (outer - inner) / count / 2))
                first = min(max(first, span.lba), span.end_lba - 1)
                end = min(max(end, first + 1), span.end_lba)
                loud = float(waves.columns(first, end - first, 1).rms[0])
                opacity = round(brightness(loud), 2)
                if opacity:
                    yield tag(
                        "circle",
                        r=round(radius, 2),
                        stroke_width=round((outer - inner) / count, 2),
                        stroke_opacity=opacity,
                    )

    def _index_lines(self) -> Iterator[Markup]:
        """Yield where indexes above 1 begin, as far as lines can be told apart."""
        free = 0.0
        for run in self._reading.runs:
            radius = self.radius(run.lba)
            later = run.area is Area.TRACK and run.index is not None and run.index > 1
            if later and radius >= free:
                free = radius + _LINES_APART
                yield tag("circle", r=round(radius, 2))

    def _numbers(self) -> Iterator[Markup]:
        """Yield the tracks' numbers, above the hole, where a ring is wide enough for one."""
        free = 0.0
        for place, span in enumerate(self._reading.spans):
            inner, outer = self.radius(span.start_lba), self.radius(span.end_lba)
            size = min((outer - inner) * 0.8, _LABEL_MOST)
            middle = (inner + outer) / 2
            if size < _LABEL_LEAST or middle - size * 0.6 < free:
                continue
            free = middle + size * 0.6
            yield tag(
                "text",
                span.number,
                tag("title", span_label(span)),
                x=0,
                y=round(size * 0.35 - middle, 2),
                font_size=round(size, 2),
                data_span=place,
            )

    def _findings(self) -> Iterator[Markup]:
        """Yield an arc on the right for each, so that many do not hide the disc."""
        for number, finding in enumerate(self._reading.shown_findings):
            if finding.lba is None:
                continue
            inner = self.radius(finding.lba)
            outer = self.radius(finding.lba + max(finding.sectors, 1))
            radius = (inner + outer) / 2
            x, y = radius * cos(radians(_ARC)), radius * sin(radians(_ARC))
            yield tag(
                "path",
                tag("title", finding.message),
                d=f"M{x:.2f} {-y:.2f}A{radius:.2f} {radius:.2f} 0 0 1 {x:.2f} {y:.2f}",
                stroke_width=round(max(outer - inner, _MARK_LEAST), 2),
                class_=f"mark {finding.severity.value}",
                data_finding=number,
            )


def _circle(radius: float) -> str:
    r = f"{radius:.3f}".rstrip("0").rstrip(".")
    return f"M-{r} 0a{r} {r} 0 1 0 {2 * radius:.3f} 0a{r} {r} 0 1 0-{2 * radius:.3f} 0z"


def _sheen() -> Iterator[Markup]:
    """Yield the light that lies on a disc: wedges, opposite to each other, in each other."""
    for turn in (-_LIGHT, 180 - _LIGHT):
        for half in _WEDGES:
            x, y = DISC_RADIUS * sin(radians(half)), DISC_RADIUS * cos(radians(half))
            points = f"0,0 {x:.2f},{y:.2f} {-x:.2f},{y:.2f}"
            yield tag("polygon", points=points, transform=f"rotate({turn})")
