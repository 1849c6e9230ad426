"""The map as a picture of its own: the disc, the line below it, and the tracks beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rawcd.report.labels import HUES, clock
from rawcd.report.markup import Markup, stylesheet, tag
from rawcd.report.rings import Rings
from rawcd.report.scale import Scale
from rawcd.report.timeline import HEIGHT, Timeline

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rawcd.report.reading import DiscReading

_WIDTH: Final = 1_000
_DISC: Final = 560
_MARGIN: Final = 24
_HEAD: Final = 64
_LINE: Final = 22
_MOST_TRACKS: Final = (_DISC - 2 * _LINE) // _LINE
_TEXT: Final = 34
"""Characters of a title for which there is room."""
_COLOURS: Final = """
.paper { fill: #fff }
.ink { fill: #14181d }
.soft { fill: #5c6673 }
@media (prefers-color-scheme: dark) {
  .paper, .hole { fill: #14181d }
  .ink, .hidden { fill: #e8ebef }
  .soft, .axis text { fill: #9aa5b3 }
  .plastic { fill: #232932; stroke: #39424e }
  .lead { fill: #4a5461 }
  .lead.out { fill: #404955 }
  .ring, .block { stroke: #14181d }
  .borders .index { stroke: #e8ebef }
}
"""


def svg_of(reading: DiscReading, *, name: str) -> str:
    """Return an SVG file."""
    scale = Scale.fitted(reading.runs)
    height = _HEAD + _DISC + HEIGHT + 2 * _MARGIN
    title = reading.text("title", 0) or name
    picture = tag(
        "svg",
        tag("title", f"Map of {title}"),
        tag("style", Markup(stylesheet("map.css") + _COLOURS)),
        tag("rect", width=_WIDTH, height=height, class_="paper"),
        tag("text", _cut(title, 60), x=_MARGIN, y=38, font_size=24, font_weight=700, class_="ink"),
        tag(
            "text",
            _cut(reading.text("performer", 0), 90),
            x=_MARGIN,
            y=60,
            font_size=14,
            class_="soft",
        ),
        tag(
            "svg",
            Rings(reading, scale).drawing(),
            x=_MARGIN,
            y=_HEAD,
            width=_DISC,
            height=_DISC,
            viewBox="-61 -61 122 122",
        ),
        *_tracks(reading),
        tag(
            "svg",
            Timeline(reading, scale).drawing(),
            x=_MARGIN,
            y=_HEAD + _DISC + _MARGIN,
            width=_WIDTH - 2 * _MARGIN,
            height=HEIGHT,
        ),
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {_WIDTH} {height}",
        width=_WIDTH,
        height=height,
    )
    return f"{picture}\n"


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _tracks(reading: DiscReading) -> Iterator[Markup]:
    """Yield the list beside the disc, in the middle of its height."""
    spans = reading.spans
    shown = spans if len(spans) <= _MOST_TRACKS else spans[: _MOST_TRACKS - 1]
    x, y = _DISC + 3 * _MARGIN, _HEAD + (_DISC - len(shown) * _LINE) // 2
    for place, span in enumerate(shown):
        yield tag("rect", x=x, y=y - 11, width=12, height=12, rx=2, class_=f"hue{place % HUES}")
        yield tag("text", f"{span.number:02}", x=x + 22, y=y, font_size=14, class_="soft")
        title = _cut(reading.text("title", span.number), _TEXT) or (
            "Data" if span.is_data else f"Track {span.number}"
        )
        yield tag("text", title, x=x + 50, y=y, font_size=14, class_="ink")
        yield tag(
            "text",
            clock(span.end_lba - span.start_lba),
            x=_WIDTH - _MARGIN,
            y=y,
            font_size=14,
            text_anchor="end",
            class_="soft",
        )
        y += _LINE
    if len(shown) < len(spans):
        more = f"and {len(spans) - len(shown)} more"
        yield tag("text", more, x=x + 50, y=y, font_size=14, class_="soft")
