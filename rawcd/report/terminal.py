"""The map as text: a line as wide as the terminal, and a row for each track."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from unicodedata import combining, east_asian_width

import numpy as np

from rawcd.disc import Area, TrackMode
from rawcd.report.labels import HUES, clock, many, mode_name, msf, track_at
from rawcd.report.markup import plain
from rawcd.report.scale import Scale

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rawcd.report.reading import DiscReading
    from rawcd.report.spans import Span
    from rawcd.survey import Run

LEAST_WIDTH: Final = 40
_MOST_WIDTH: Final = 400
_ELLIPSIS: Final = "..."
_SOUND_COLUMNS: Final = 16
_QUIETEST: Final = -48.0
"""Decibels below full scale: the lowest step of a loudness that is none."""
_SHADES: Final = (37, 38, 68, 104, 140, 133, 168, 167, 172, 136, 107, 71)
"""The hues of tracks in the 256 colours of terminals."""
_GREY: Final = 245
_RED: Final = 160


@dataclass(frozen=True, slots=True, kw_only=True)
class _Signs:
    lead: str
    pregap: str
    tracks: str
    data: str
    lost: str
    levels: str
    """From silence to full scale."""
    index: str
    hidden: str
    finding: str


_BLOCKS: Final = _Signs(
    lead="░", pregap="▒", tracks="█▓", data="▚", lost="?", levels=" ▁▂▃▄▅▆▇█", index="╵",
    hidden="♪", finding="!",
)  # fmt: skip
_ASCII: Final = _Signs(
    lead=".", pregap="-", tracks="#=", data="%", lost="?", levels=" .,:-=+*#", index="'",
    hidden="h", finding="!",
)  # fmt: skip


def text_of(reading: DiscReading, *, width: int, unicode: bool, colour: bool, name: str) -> str:
    """Return the map, lines apart, without a last line's end."""
    width = max(LEAST_WIDTH, min(width, _MOST_WIDTH))
    return "\n".join(_Map(reading, width, _BLOCKS if unicode else _ASCII, colour).lines(name))


def columns_of(text: str) -> int:
    """Return how many columns of a terminal a text takes: letters of East Asia take two."""
    return sum(1 + (east_asian_width(letter) in "WF") for letter in text if not combining(letter))


def _cut(text: str, room: int) -> str:
    """Return as much of a text as there is room for."""
    while columns_of(text) > room:
        text = text[:-1]
    return text


class _Map:
    def __init__(self, reading: DiscReading, width: int, signs: _Signs, colour: bool) -> None:
        self._reading = reading
        self._width = width
        self._signs = signs
        self._colour = colour
        self._scale = Scale.fitted(reading.runs)
        self._columns = self._scale.stretches(width)

    def _painted(self, text: str, shade: int) -> str:
        return f"\x1b[38;5;{shade}m{text}\x1b[0m" if self._colour and text.strip() else text

    def _shade(self, place: int | None) -> int:
        return _GREY if place is None else _SHADES[place % HUES]

    def _column(self, lba: float) -> int:
        return min(int(self._scale.share(lba) * self._width), self._width - 1)

    def lines(self, name: str) -> Iterator[str]:
        """Yield all lines."""
        reading = self._reading
        sessions = {run.session for run in reading.runs}
        about = (
            many(len(reading.spans), "track"),
            many(len(sessions), "session"),
            f"catalogue {reading.survey.mcn or 'none'}",
        )
        yield self._fitting(f"{self._shown(name)}: {', '.join(about)}")
        title = [self._told(field, 0) for field in ("performer", "title")]
        if any(title):
            yield self._fitting(" / ".join(filter(None, title)))
        yield ""
        yield self._numbers()
        yield "".join(self._areas())
        if sound := "".join(self._sound()).rstrip():
            yield sound
        if (marks := self._marks()).strip():
            yield marks
        if (found := self._findings()).strip():
            yield self._painted(found, _RED)
        yield from self._wrapped(self._legend())
        yield ""
        for place, span in enumerate(reading.spans):
            yield self._row(place, span)
        for hidden in reading.hidden_sounds():
            yield self._fitting(f"    {hidden.label}")

    def _shown(self, text: str) -> str:
        """Return a text of the disc as this terminal can show it."""
        text = plain(text)
        return text if self._signs is _BLOCKS else text.encode("ascii", "replace").decode()

    def _told(self, field: str, track: int) -> str:
        return self._shown(self._reading.text(field, track))

    def _fitting(self, line: str) -> str:
        if columns_of(line) <= self._width:
            return line
        return f"{_cut(line, self._width - len(_ELLIPSIS))}{_ELLIPSIS}"

    def _wrapped(self, words: Sequence[str]) -> Iterator[str]:
        line = ""
        for word in words:
            if line and len(line) + 2 + len(word) > self._width:
                yield line
                line = ""
            line += f"{'  ' if line else ''}{word}"
        yield line

    def _numbers(self) -> str:
        """Return the tracks' numbers above their beginnings, as far as there is room."""
        line, free = [" "] * self._width, 0
        for span in self._reading.spans:
            text, column = str(span.number), self._column(span.start_lba)
            if column >= free and column + len(text) <= self._width:
                line[column : column + len(text)] = text
                free = column + len(text) + 1
        return "".join(line).rstrip()

    def _run_at(self, column: int) -> Run:
        """Return what fills most of a column."""
        first, sectors = self._columns[column]
        end = first + sectors
        runs = self._reading.runs
        return max(runs, key=lambda run: min(end, run.end_lba) - max(first, run.lba))

    def _areas(self) -> Iterator[str]:
        spans, signs = self._reading.spans, self._signs
        for column in range(self._width):
            run = self._run_at(column)
            place = track_at(spans, run.lba)
            if run.area is None:
                yield self._painted(signs.lost, _RED)
            elif place is None:
                yield self._painted(signs.lead, _GREY)
            elif run.area is Area.PREGAP:
                yield self._painted(signs.pregap, self._shade(place))
            elif run.mode is not TrackMode.AUDIO:
                yield self._painted(signs.data, self._shade(place))
            else:
                yield self._painted(signs.tracks[place % 2], self._shade(place))

    def _sound(self) -> Iterator[str]:
        for first, sectors in self._columns:
            place = track_at(self._reading.spans, first + sectors // 2)
            level = " " if place is None else self._levels(first, sectors, 1)
            yield self._painted(level, self._shade(place))

    def _levels(self, lba: int, sectors: int, most: int) -> str:
        """Return the loudness of a stretch, a sign a column."""
        rms = self._reading.waves.columns(lba, sectors, most).rms
        with np.errstate(divide="ignore"):
            decibels = 20 * np.log10(rms)
        steps = len(self._signs.levels) - 1
        level = np.ceil((1 - decibels / _QUIETEST) * steps)
        level = np.where(rms > 0, np.clip(level, 1, steps), 0).astype(int)
        return "".join(self._signs.levels[step] for step in level.tolist())

    def _marks(self) -> str:
        """Return where indexes above 1 begin, and sound in pregaps."""
        line = [" "] * self._width
        for hidden in self._reading.hidden_sounds():
            first, last = self._column(hidden.lba), self._column(hidden.lba + hidden.sectors - 1)
            line[first : last + 1] = self._signs.hidden * (last + 1 - first)
        for run in self._reading.runs:
            if run.area is Area.TRACK and (run.index or 0) > 1:
                line[self._column(run.lba)] = self._signs.index
        return "".join(line).rstrip()

    def _findings(self) -> str:
        line = [" "] * self._width
        for finding in self._reading.findings:
            if finding.lba is not None:
                first = self._column(finding.lba)
                last = self._column(finding.lba + max(finding.sectors, 1) - 1)
                line[first : last + 1] = self._signs.finding * (last + 1 - first)
        return "".join(line).rstrip()

    def _legend(self) -> list[str]:
        signs, spans = self._signs, self._reading.spans
        words = [f"{signs.lead} lead-in, lead-out", f"{signs.tracks} tracks"]
        if any(span.pregap_sectors for span in spans):
            words.append(f"{signs.pregap} pregap")
        if any(span.is_data for span in spans):
            words.append(f"{signs.data} data")
        if any(number > 1 for span in spans for number, _ in span.indexes()):
            words.append(f"{signs.index} index")
        if self._reading.hidden_sounds():
            words.append(f"{signs.hidden} sound in a pregap")
        if self._reading.findings:
            words.append(f"{signs.finding} found by verify")
        return words

    def _row(self, place: int, span: Span) -> str:
        sound = " " * _SOUND_COLUMNS
        if not span.is_data:
            sectors = max(span.end_lba - span.start_lba, 1)
            first = min(span.start_lba, span.end_lba - 1)
            sound = self._levels(first, sectors, _SOUND_COLUMNS).ljust(_SOUND_COLUMNS)
        title = " / ".join(
            filter(None, (self._told(field, span.number) for field in ("performer", "title")))
        )
        head = f"{span.number:3} "
        about = f"{msf(span.start_lba)} {clock(span.end_lba - span.start_lba):>6}  "
        tail = f"  {mode_name(span.mode):6} {title}".rstrip()
        room = self._width - len(head) - len(about)
        if room < _SOUND_COLUMNS + 12:
            return head + about + _cut(tail.strip(), room)
        painted = self._painted(sound, self._shade(place))
        return f"{head}{about}{painted}{_cut(tail, room - _SOUND_COLUMNS)}".rstrip()
