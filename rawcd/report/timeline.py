"""The disc as a line: areas, numbers, indexes, sound, hidden sound and findings.

The picture is as wide as the room it gets: places are percentages, and only what may be stretched
is. So it carries no size, and no text of it is ever squeezed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rawcd.disc import Area
from rawcd.msf import FRAMES_PER_SECOND, PROGRAM_LBA
from rawcd.report.labels import HUES, clock, run_label, run_style, span_label, track_at
from rawcd.report.markup import Markup, tag
from rawcd.report.spans import PROGRAM

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    import numpy.typing as npt

    from rawcd.report.reading import DiscReading
    from rawcd.report.scale import Scale
    from rawcd.report.spans import Span
    from rawcd.report.waves import Columns
    from rawcd.survey import Run

HEIGHT: Final = 164
_AXIS: Final = 14
_BLOCKS: Final = (24, 34)
_WAVE: Final = (66, 64)
_PINS: Final = 152
_TICKS: Final = 8
_STEPS: Final = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1200, 1800)
"""Seconds between two ticks."""
_LINES_APART: Final = 1 / 100
_THIN: Final = 1 / 200
"""Blocks narrower than this have no edges."""
_MUCH_ROOM: Final = 1 / 20
"""A track so wide has its number on a phone, too."""
_LEAST_ROOM: Final = 1 / 45
_ROUND: Final = 10
"""Of tracks that are too short for their numbers those of round ones are shown."""
_COLUMNS: Final = 1_600
_WAVE_HEIGHT: Final = 100


def percent(share: float) -> str:
    """Return a share as a percentage."""
    return f"{share * 100:.3f}".rstrip("0").rstrip(".") + "%"


def _outline(columns: Columns) -> str:
    """Return the path around the least and greatest samples, 100 high, a column a unit wide."""
    return _around(columns.high, columns.low)


def _body(columns: Columns) -> str:
    """Return the path around the power, as wide as the outline's."""
    return _around(columns.rms, -columns.rms)


def _around(upper: npt.NDArray[np.float64], lower: npt.NDArray[np.float64]) -> str:
    half = _WAVE_HEIGHT / 2
    top = (half - upper * half).round().astype(int).tolist()
    bottom = (half - lower * half).round().astype(int).tolist()
    # A line of no height would not be seen.
    bottom = [max(low, high + 1) for low, high in zip(bottom, top, strict=True)]
    steps = [f"M0 {top[0]}"]
    at = top[0]
    for height in top[1:]:
        steps.append(f"l1 {height - at}")
        at = height
    steps.append(f"h1V{bottom[-1]}h-1")
    at = bottom[-1]
    for height in reversed(bottom[:-1]):
        steps.append(f"l-1 {height - at}")
        at = height
    return "".join(steps).replace(" -", "-") + "z"


def wave(columns: Columns, *, style: str = "", **place: str | int) -> Markup:
    """Return a waveform that fills the place it is given."""
    return tag(
        "svg",
        tag("path", d=_outline(columns), class_=f"peak {style}".strip()),
        tag("path", d=_body(columns), class_=f"rms {style}".strip()),
        viewBox=f"0 0 {len(columns)} {_WAVE_HEIGHT}",
        preserveAspectRatio="none",
        class_="wave",
        **place,
    )


class Timeline:
    """Draws the line.

    Args:
        reading: the disc.
        scale: what shares the addresses have.
    """

    def __init__(self, reading: DiscReading, scale: Scale) -> None:
        self._reading = reading
        self._scale = scale

    def drawing(self) -> Markup:
        """Return the line's elements, `HEIGHT` high and as wide as what they are put into."""
        return tag(
            "g",
            tag("g", *self._axis(), class_="axis"),
            *map(self._block, self._reading.runs),
            *self._waves(),
            tag("g", *self._borders(), class_="borders"),
            tag("g", *self._pins(), class_="pins"),
            tag("g", *self._findings(), class_="marks"),
            class_="line",
        )

    def _x(self, lba: float) -> str:
        return percent(self._scale.share(lba))

    def _share(self, lba: int, end: int) -> float:
        return self._scale.share(end) - self._scale.share(lba)

    def _width(self, lba: int, end: int) -> str:
        return percent(self._share(lba, end))

    def _block(self, run: Run) -> Markup:
        place = track_at(self._reading.spans, run.lba)
        top, height = _BLOCKS
        is_thin = self._share(run.lba, run.end_lba) < _THIN
        return tag(
            "rect",
            tag("title", run_label(run)),
            x=self._x(run.lba),
            width=self._width(run.lba, run.end_lba),
            y=top,
            height=height,
            class_=f"block {run_style(run, place)}{' thin' if is_thin else ''}",
            data_span=place,
        )

    def _waves(self) -> Iterator[Markup]:
        top, height = _WAVE
        for place, span in enumerate(self._reading.spans):
            first, after = self._scale.share(span.lba), self._scale.share(span.end_lba)
            if span.is_data:
                picture = tag(
                    "rect",
                    x=percent(first),
                    width=percent(after - first),
                    y=top + height // 4,
                    height=height // 2,
                    class_=f"hue{place % HUES} data",
                )
            else:
                count = max(int(_COLUMNS * (after - first)), 2)
                columns = self._reading.waves.columns(span.lba, span.sectors, count)
                picture = wave(
                    columns,
                    style=f"hue{place % HUES}",
                    x=percent(first),
                    width=percent(after - first),
                    y=top,
                    height=height,
                )
            yield tag(
                "g",
                tag("title", span_label(span)),
                picture,
                self._number(span),
                class_="span",
                data_span=place,
            )

    def _number(self, span: Span) -> Markup:
        """Return a track's number behind its pregap, in a class that tells how much room it has."""
        first, after = self._scale.share(span.start_lba), self._scale.share(span.end_lba)
        middle, width = (first + after) / 2, after - first
        if width <= _LEAST_ROOM and span.number % _ROUND == 0:
            width *= _ROUND
        room = "wide" if width > _MUCH_ROOM else "middling" if width > _LEAST_ROOM else "narrow"
        top, height = _BLOCKS
        return tag(
            "text",
            span.number,
            x=percent(middle),
            y=top + height // 2 + 5,
            class_=f"number {room}",
        )

    def _axis(self) -> Iterator[Markup]:
        """Yield times, on the disc's own clock, over the program areas."""
        runs = [run for run in self._reading.runs if run.area in PROGRAM]
        sectors = sum(run.sectors for run in runs)
        step = next((s for s in _STEPS if sectors / FRAMES_PER_SECOND / s <= _TICKS), _STEPS[-1])
        last = -1.0
        for run in runs:
            first = -((PROGRAM_LBA - run.lba) // (step * FRAMES_PER_SECOND))
            end = (run.end_lba - 1 - PROGRAM_LBA) // (step * FRAMES_PER_SECOND)
            for number in range(first, end + 1):
                share = self._scale.share(number * step * FRAMES_PER_SECOND + PROGRAM_LBA)
                if share < last + 0.5 / _TICKS:
                    continue
                last = share
                yield tag("line", x1=percent(share), x2=percent(share), y1=_AXIS + 4, y2=_AXIS + 9)
                yield tag(
                    "text",
                    clock(number * step * FRAMES_PER_SECOND),
                    x=percent(share),
                    y=_AXIS,
                    class_="edge" if share > 0.96 else "start" if share < 0.03 else None,
                )

    def _borders(self) -> Iterator[Markup]:
        """Yield lines between sessions, and marks where an index above 1 begins."""
        top = _BLOCKS[0]
        session, free = 1, 0.0
        for run in self._reading.runs:
            x = self._x(run.lba)
            if run.session != session:
                session = run.session
                yield tag("line", x1=x, x2=x, y1=top - 4, y2=_PINS, class_="session")
            share = self._scale.share(run.lba)
            if run.area is Area.TRACK and (run.index or 0) > 1 and share >= free:
                free = share + _LINES_APART
                yield tag(
                    "line",
                    tag("title", run_label(run)),
                    x1=x,
                    x2=x,
                    y1=top,
                    y2=_WAVE[0] + _WAVE[1],
                    class_="index",
                )

    def _pins(self) -> Iterator[Markup]:
        """Yield flags under sound that no track list shows."""
        for hidden in self._reading.hidden_sounds():
            yield tag(
                "g",
                tag("title", hidden.label),
                tag(
                    "rect",
                    x=self._x(hidden.lba),
                    width=self._width(hidden.lba, hidden.lba + hidden.sectors),
                    y=_PINS - 16,
                    height=4,
                    class_="hidden",
                ),
                class_="pin",
            )

    def _findings(self) -> Iterator[Markup]:
        for number, finding in enumerate(self._reading.shown_findings):
            if finding.lba is not None:
                yield tag(
                    "circle",
                    tag("title", finding.message),
                    cx=self._x(finding.lba + finding.sectors / 2),
                    cy=_PINS,
                    r=4,
                    class_=f"mark {finding.severity.value}",
                    data_finding=number,
                )
