"""The recorded subcode as tables: what each lead-in lists, and Q where something happens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from rawcd.disc import Area, DiscType
from rawcd.errors import FormatError
from rawcd.msf import Msf
from rawcd.report.labels import area_name, control_words, isrc_words
from rawcd.report.spans import PROGRAM
from rawcd.subcode.frame import (
    LEAD_OUT_TNO,
    POINT_FIRST_LEAD_IN,
    POINT_FIRST_TRACK,
    POINT_LAST_TRACK,
    POINT_LEAD_OUT,
    POINT_NEXT_SESSION,
    POINTER_ADR,
    QCatalog,
    QIsrc,
    QPointer,
    QPosition,
    from_bcd,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rawcd.report.reading import DiscReading
    from rawcd.subcode.frame import QFrame
    from rawcd.survey import TocEntry

MOST_ITEMS: Final = 400
"""Items of lead-ins that are shown: a disc of one session has at most 104."""
MOST_FRAMES: Final = 400
"""Q frames that are shown; those of the tracks come before those of damaged sectors."""
_DISC_TYPES: Final[dict[int, str]] = {
    DiscType.CDDA_CDROM: "CD-DA or CD-ROM",
    DiscType.CDI: "CD-I",
    DiscType.XA: "CD-ROM XA",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TocRow:
    """An item of a lead-in.

    Attributes:
        session: whose.
        point: POINT as on the disc.
        name: what it is.
        value: what it says.
        control: CONTROL in words.
        adr: the mode of its frames.
        frames: how often it stands there.
        fields: its bytes as on the disc, without running time and CRC.
    """

    session: int
    point: str
    name: str
    value: str
    control: str
    adr: int
    frames: int
    fields: str


def toc_rows(reading: DiscReading) -> tuple[list[TocRow], int]:
    """Return the items of each lead-in, and how many more there are."""
    entries = reading.survey.toc[:MOST_ITEMS]
    return [_toc_row(entry) for entry in entries], len(reading.survey.toc) - len(entries)


def _toc_row(entry: TocEntry) -> TocRow:
    item = entry.pointer
    name, value = _pointer_words(item)
    timed = item.running.hex(" ") if item.adr == POINTER_ADR else "·· ·· ··"
    return TocRow(
        session=entry.session,
        point=f"{item.point:02X}",
        name=name,
        value=value,
        control=control_words(item.control),
        adr=item.adr,
        frames=entry.frames,
        fields=f"{item.control << 4 | item.adr:02x} 00 {item.point:02x} {timed} "
        f"{item.zero:02x} {item.value.hex(' ')}",
    )


def _time(bcd: bytes) -> str:
    try:
        return str(Msf(*map(from_bcd, bcd)))
    except (FormatError, ValueError):
        return f"{bcd.hex(' ')} (no time)"


def _number(bcd: int) -> str:
    try:
        return str(from_bcd(bcd))
    except FormatError:
        return f"{bcd:02X}h (no number)"


def _pointer_words(item: QPointer) -> tuple[str, str]:
    """Return what an item is, and what it says (IEC 60908 17.5.1; MMC, READ TOC format 2)."""
    if item.adr == POINTER_ADR:
        if item.point == POINT_NEXT_SESSION:
            is_closed = item.running == b"\xff\xff\xff"
            following = "none" if is_closed else _time(item.running)
            return "next session", f"{following}; last lead-out at {_time(item.value)}"
        if item.point == POINT_FIRST_LEAD_IN:
            return "first lead-in", _time(item.value)
        return "pointer", f"{item.running.hex(' ')} {item.zero:02x} {item.value.hex(' ')}"
    if item.point == POINT_FIRST_TRACK:
        kind = _DISC_TYPES.get(item.value[1], f"type {item.value[1]:02X}h")
        return "first track", f"{_number(item.value[0])}, {kind}"
    if item.point == POINT_LAST_TRACK:
        return "last track", _number(item.value[0])
    is_lead_out = item.point == POINT_LEAD_OUT
    return "lead-out" if is_lead_out else f"track {_number(item.point)}", _time(item.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameRow:
    """A Q frame.

    Attributes:
        lba: where it stands.
        why: why it is shown.
        adr: its mode.
        says: what it says.
        control: CONTROL in words.
        is_right: its CRC holds.
        p: P of the sector.
        frame: the twelve bytes.
    """

    lba: int
    why: str
    adr: int
    says: str
    control: str
    is_right: bool
    p: bool
    frame: str


def frame_rows(reading: DiscReading) -> tuple[list[FrameRow], int]:
    """Return the Q frames where something happens, and how many more there were."""
    wanted: dict[int, str] = {}
    for lba, why in _places(reading):
        if reading.first_lba <= lba < reading.end_lba:
            wanted[lba] = f"{wanted[lba]}; {why}" if lba in wanted else why
    chosen = sorted(list(wanted)[:MOST_FRAMES])
    return [_frame_row(reading, lba, wanted[lba]) for lba in chosen], len(wanted) - len(chosen)


def _places(reading: DiscReading) -> Iterator[tuple[int, str]]:
    """Yield where something happens, and what, the most important first."""
    runs = reading.runs
    for run in runs:
        if run.area in PROGRAM:
            pregap = run.area is Area.PREGAP
            yield run.lba, f"track {run.track} {'pregap' if pregap else f'index {run.index}'}"
        else:
            yield run.lba, f"{area_name(run.area).lower()} begins"
    for told in reading.survey.mcns:
        yield told.lba, "catalogue number"
    for told in reading.survey.isrcs:
        yield told.lba, f"ISRC of track {told.track}"
    wrong = np.flatnonzero(~reading.frames.right)
    for place in wrong[: MOST_FRAMES // 4].tolist():
        yield reading.first_lba + place, "CRC wrong"
    for run in runs[1:]:
        yield run.lba - 1, "the sector before"
    yield reading.end_lba - 1, "last sector"


def _frame_row(reading: DiscReading, lba: int, why: str) -> FrameRow:
    place = lba - reading.first_lba
    frames = reading.frames
    control_adr = int(frames.q[place, 0])
    is_right = bool(frames.right[place])
    try:
        says = _frame_words(frames.frame(place))
    except FormatError as error:
        says = error.reason if is_right else "unreadable: its CRC is wrong"
    return FrameRow(
        lba=lba,
        why=why,
        adr=control_adr & 15,
        says=says,
        control=control_words(control_adr >> 4),
        is_right=is_right,
        p=bool(reading.p[place]),
        frame=frames.q[place].tobytes().hex(" "),
    )


def _frame_words(frame: QFrame) -> str:
    match frame:
        case QPosition(track=track):
            who = "lead-out" if track == LEAD_OUT_TNO else f"track {track} index {frame.index}"
            return f"{who}, {frame.relative} relative, {frame.absolute} absolute"
        case QCatalog():
            return f"catalogue number {frame.mcn}, frame {frame.frame}"
        case QIsrc():
            return f"ISRC {isrc_words(frame.isrc)}, frame {frame.frame}"
        case QPointer():
            name, value = _pointer_words(frame)
            return f"{name}: {value}"
