"""The tracks, one below the other, each with its waveform."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rawcd.report.labels import (
    HUES,
    clock,
    control_words,
    isrc_words,
    length,
    many,
    mode_name,
    msf,
)
from rawcd.report.markup import Child, Markup, tag
from rawcd.report.reading import MOST_FINDINGS
from rawcd.report.timeline import percent, wave

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rawcd.report.reading import DiscReading
    from rawcd.report.spans import Span

_COLUMNS: Final = 40_000
"""Columns of all tracks' waveforms: some 700 KB."""
_MOST_COLUMNS: Final = 1_000
_LEAST_COLUMNS: Final = 20
_HEIGHT: Final = 72


def track_section(reading: DiscReading) -> Markup:
    """Return the list."""
    spans = reading.spans
    columns = max(_COLUMNS // max(len(spans), 1), _LEAST_COLUMNS)
    items = (
        _track(reading, place, span, min(columns, _MOST_COLUMNS))
        for place, span in enumerate(spans)
    )
    return tag(
        "section",
        tag("h2", "Tracks"),
        tag("p", "Arrow keys go up and down; Escape lets go.", class_="lede"),
        tag("ol", *items, class_="tracks"),
        id="tracks",
        tabindex=-1,
    )


def _track(reading: DiscReading, place: int, span: Span, columns: int) -> Markup:
    title = reading.text("title", span.number)
    performer = reading.text("performer", span.number)
    name = title or ("Data" if span.is_data else f"Track {span.number}")
    head = tag(
        "button",
        tag("span", f"{span.number:02}", class_="number"),
        tag("bdi", name, class_="title"),
        tag("span", clock(span.end_lba - span.start_lba), class_="time"),
        tag("bdi", performer, class_="by") if performer else None,
        type="button",
        aria_pressed="false",
        class_="head",
    )
    return tag(
        "li",
        head,
        tag("div", *(tag("span", word) for word in _about(reading, span)), class_="about"),
        _picture(reading, place, span, columns),
        class_=f"card track hue{place % HUES}",
        data_span=place,
    )


def _about(reading: DiscReading, span: Span) -> Iterator[str]:
    yield f"from {msf(span.start_lba)}"
    if span.pregap_sectors:
        yield f"pregap {length(span.pregap_sectors)}"
    later = sum(number > 1 for number, _ in span.indexes())
    if later:
        yield many(later, "more index", "more indexes")
    words = control_words(span.control)
    if span.is_data:
        words = words.replace("data", mode_name(span.mode), 1)
    if any(run.scms for run in span.runs):
        words = words.replace("no copying", "one generation of copies (SCMS)")
    yield words
    isrc = reading.survey.isrc(span.number)
    if isrc is not None:
        yield f"ISRC {isrc_words(isrc)}"


def _picture(reading: DiscReading, place: int, span: Span, columns: int) -> Markup:
    """Return a track's waveform, its pregap shaded, with indexes and findings."""
    return tag(
        "svg",
        tag("rect", width=_x(span, span.start_lba), height=_HEIGHT, class_="before"),
        tag("line", x2="100%", y1=_HEIGHT // 2, y2=_HEIGHT // 2, class_="middle"),
        _content(reading, span, columns),
        *_indexes(span),
        *_findings(reading, span),
        role="img",
        aria_label=f"{'Data' if span.is_data else 'Waveform'} of track {span.number}",
        class_=f"picture hue{place % HUES}",
    )


def _x(span: Span, lba: float) -> str:
    return percent((lba - span.lba) / span.sectors)


def _content(reading: DiscReading, span: Span, columns: int) -> Markup:
    if not span.is_data:
        found = reading.waves.columns(span.lba, span.sectors, columns)
        return wave(found, width="100%", height=_HEIGHT)
    return tag(
        "rect",
        x=_x(span, span.start_lba),
        width=percent(1 - span.pregap_sectors / span.sectors),
        y=_HEIGHT // 4,
        height=_HEIGHT // 2,
        class_="data",
    )


def _indexes(span: Span) -> Iterator[Child]:
    for number, lba in span.indexes():
        if lba > span.lba:
            x = _x(span, lba)
            yield tag("line", x1=x, x2=x, y2=_HEIGHT, class_="at")
            yield tag("text", number, x=x, dx=3, y=10)


def _findings(reading: DiscReading, span: Span) -> Iterator[Markup]:
    for number, finding in enumerate(reading.findings[:MOST_FINDINGS]):
        if finding.lba is not None and span.lba <= finding.lba < span.end_lba:
            middle = min(finding.lba + finding.sectors / 2, span.end_lba)
            yield tag(
                "circle",
                tag("title", finding.message),
                cx=_x(span, middle),
                cy=_HEIGHT - 5,
                r=4,
                class_=f"mark {finding.severity.value}",
                data_finding=number,
            )
