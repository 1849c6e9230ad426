"""What things on a map are called, and which style they are drawn in."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Final

from rawcd.disc import Area, TrackMode
from rawcd.msf import FIRST_LBA, FRAMES_PER_MINUTE, FRAMES_PER_SECOND, LAST_LBA, Msf

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rawcd.report.spans import Span
    from rawcd.survey import Run

HUES: Final = 12
"""Colours of tracks; the thirteenth has the first one's."""
_AREA_NAMES: Final = {
    Area.LEAD_IN: "Lead-in",
    Area.PREGAP: "Pregap",
    Area.TRACK: "Track",
    Area.LEAD_OUT: "Lead-out",
    None: "Nothing that can be told",
}
_MODES: Final = {
    TrackMode.AUDIO: "audio",
    TrackMode.MODE0: "mode 0",
    TrackMode.MODE1: "mode 1",
    TrackMode.MODE2: "mode 2",
    None: "unknown",
}


def msf(lba: int) -> str:
    """Return an address as `mm:ss:ff`, or as LBA where no disc reaches."""
    return str(Msf.from_lba(lba)) if FIRST_LBA <= lba <= LAST_LBA else f"LBA {lba}"


def clock(sectors: int) -> str:
    """Return a length as minutes and seconds, rounded: what a player shows."""
    minutes, seconds = divmod(round(sectors / FRAMES_PER_SECOND), 60)
    return f"{minutes}:{seconds:02}"


def length(sectors: int) -> str:
    """Return a length as `mm:ss:ff`."""
    minutes, rest = divmod(sectors, FRAMES_PER_MINUTE)
    seconds, frames = divmod(rest, FRAMES_PER_SECOND)
    return f"{minutes:02}:{seconds:02}:{frames:02}"


def mode_name(mode: TrackMode | None) -> str:
    """Return what sectors are called."""
    return _MODES[mode]


def area_name(area: Area | None) -> str:
    """Return what an area is called."""
    return _AREA_NAMES[area]


def control_words(control: int | None) -> str:
    """Return what CONTROL says (IEC 60908 17.5.1)."""
    if control is None:
        return "unknown"
    words = ["data" if control & 4 else "audio"]
    words.append("copying permitted" if control & 2 else "no copying")
    if control & 1:
        words.append("incremental" if control & 4 else "pre-emphasis")
    if control & 8:
        words.append("four channels")
    return ", ".join(words)


def isrc_words(isrc: str) -> str:
    """Return an ISRC as it is printed."""
    return "-".join((isrc[:2], isrc[2:5], isrc[5:7], isrc[7:]))


def run_label(run: Run) -> str:
    """Return what a run is, where it lies and how long it is."""
    name = area_name(run.area)
    if run.area is Area.TRACK:
        name = f"Track {run.track} index {run.index}"
    elif run.area is Area.PREGAP:
        name = f"Pregap of track {run.track}"
    return f"{name}: from {msf(run.lba)}, {clock(run.sectors)} long, {mode_name(run.mode)}"


def span_label(span: Span) -> str:
    """Return the same of a track."""
    return (
        f"Track {span.number}: from {msf(span.start_lba)}, "
        f"{clock(span.end_lba - span.start_lba)} long, {mode_name(span.mode)}"
    )


def track_at(spans: Sequence[Span], lba: int) -> int | None:
    """Return the place in `spans` of the track in which a sector lies."""
    place = bisect_right(spans, lba, key=lambda span: span.lba) - 1
    return place if place >= 0 and lba < spans[place].end_lba else None


def run_style(run: Run, place: int | None) -> str:
    """Return the classes in which a run is drawn."""
    if run.area is None:
        return "lost"
    if run.area in (Area.LEAD_IN, Area.LEAD_OUT) or place is None:
        return "lead" if run.area is Area.LEAD_IN else "lead out"
    words = [f"hue{place % HUES}"]
    if run.area is Area.PREGAP:
        words.append("gap")
    elif run.mode is not TrackMode.AUDIO:
        words.append("data")
    return " ".join(words)


def many(count: int, one: str, more: str | None = None) -> str:
    """Return a number of things."""
    return f"{count:,} {one if count == 1 else more or one + 's'}"
