"""The table of contents: its cycle in each lead-in, and what it says against the program.

Sources: IEC 60908 17.5.1, ECMA-130 22.3.4; Orange Book part II for the pointers of mode 5.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from rawcd.disc import Area, DiscType
from rawcd.errors import FormatError
from rawcd.msf import LEAD_IN_WRAP, Msf, linear_frames
from rawcd.subcode.decoder import NOT_TOLD, QKind, decode_q
from rawcd.subcode.frame import (
    POINT_FIRST_LEAD_IN,
    POINT_FIRST_TRACK,
    POINT_LAST_TRACK,
    POINT_LEAD_OUT,
    POINT_NEXT_SESSION,
    POINTER_ADR,
    QPosition,
    from_bcd,
    to_bcd,
)
from rawcd.toc import POINT_REPEATS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import numpy.typing as npt

    from rawcd.subcode.decoder import QTable
    from rawcd.survey import Run, TocEntry
    from rawcd.verify.collecting import Findings
    from rawcd.verify.evidence import Evidence, Flags, Numbers

_CLOSED: Final = b"\xff\xff\xff"
_TRACK_POINTS: Final = range(1, 0x9A)


def check_lead_ins(evidence: Evidence, findings: Findings) -> None:
    """Judge every lead-in of the disc."""
    runs = evidence.survey.runs
    if runs[0].area is None:
        findings.add(
            "no-place", None, "no Q frame can be read: nothing tells tracks and places apart"
        )
        return
    if runs[0].area is not Area.LEAD_IN:
        findings.add("no-lead-in", runs[0].lba, f"it begins with a {runs[0].area.value}")
    for run in runs:
        if run.area is Area.LEAD_IN:
            _check_cycle(evidence, run, findings)
            _check_contents(evidence, run, findings)


def _check_cycle(evidence: Evidence, run: Run, findings: Findings) -> None:
    facts = evidence.of(run)
    table = decode_q(np.ascontiguousarray(facts["q"]), facts["right"])
    entries = [each for each in evidence.survey.toc if each.session == run.session]
    items = table.right & (table.q[:, 1] == 0)
    items &= (table.kinds == QKind.LEAD_IN) | (table.kinds == QKind.POINTER)
    keys = np.where(items, (table.q[:, 0] & 15).astype(np.int64) << 8 | table.q[:, 2], NOT_TOLD)
    usual = _usual(entries)
    stray = items.copy()
    if usual:
        stray = _strays(keys, [_key(entry) for entry in usual], run, findings)
    _check_items(table, keys, entries, items & ~stray, run, findings)
    _check_running(table, items, run, findings)


def _key(entry: TocEntry) -> int:
    return entry.pointer.adr << 8 | entry.pointer.point


def _usual(entries: list[TocEntry]) -> list[TocEntry]:
    """Return the items that stand there as often as most do; others are accidents."""
    if not entries:
        return []
    middle = sorted(entry.frames for entry in entries)[len(entries) // 2]
    return [entry for entry in entries if 4 * entry.frames >= middle]


def _strays(keys: Numbers, usual: list[int], run: Run, findings: Findings) -> Flags:
    """Find the frames whose item stands where another should; tell and return them."""
    period = POINT_REPEATS * len(usual)
    residues = np.arange(len(keys)) % period
    counts = np.stack(
        [np.bincount(residues[keys == key], minlength=period) for key in usual], axis=1
    )
    pattern = np.array(usual)[counts.argmax(axis=1)]
    stray: Flags = (keys != NOT_TOLD) & (keys != pattern[residues])
    told = np.count_nonzero(keys != NOT_TOLD)
    lengths = _lengths(pattern)
    if 4 * np.count_nonzero(stray) > told or len(lengths) != len(usual):
        findings.add(
            "toc-cycle", run.lba, "its items follow each other in no cycle", sectors=run.sectors
        )
        return np.zeros(len(keys), np.bool_)
    if set(lengths) != {POINT_REPEATS}:
        findings.add(
            "toc-cycle",
            run.lba,
            f"items stand in {min(lengths)} to {max(lengths)} frames in a row, "
            f"not in {POINT_REPEATS} each",
            sectors=run.sectors,
        )
        return np.zeros(len(keys), np.bool_)
    findings.add_where(
        "toc-cycle",
        stray,
        run.lba,
        lambda lba: (
            f"point {keys[lba - run.lba] & 0xFF:02X}h stands "
            f"where point {pattern[(lba - run.lba) % period] & 0xFF:02X}h has its turn"
        ),
    )
    return stray


def _lengths(pattern: npt.NDArray[np.int64]) -> list[int]:
    """Return how many equal items follow each other in a cycle, wherever it begins."""
    cuts = np.flatnonzero(pattern != np.roll(pattern, 1))
    if not len(cuts):
        return [len(pattern)]
    return [int(each) for each in np.diff(np.append(cuts, cuts[0] + len(pattern)))]


def _check_items(
    table: QTable,
    keys: Numbers,
    entries: list[TocEntry],
    items: Flags,
    run: Run,
    findings: Findings,
) -> None:
    wrong = np.zeros(len(keys), np.bool_)
    for entry in entries:
        pointer = entry.pointer
        here = np.flatnonzero(items & (keys == _key(entry)))
        built = np.frombuffer(pointer.build(), np.uint8)
        differs = table.q[here, :10] != built[:10]
        if pointer.adr != POINTER_ADR:
            differs[:, 3:7] = False  # the running time, and the zero that is judged elsewhere
        wrong[here] = differs.any(axis=1)
    findings.add_where(
        "toc-item",
        wrong,
        run.lba,
        lambda lba: (
            f"point {keys[lba - run.lba] & 0xFF:02X}h is "
            f"{table.q[lba - run.lba, :10].tobytes().hex(' ')}, unlike elsewhere"
        ),
    )


def _check_running(table: QTable, items: Flags, run: Run, findings: Findings) -> None:
    asked = items & (table.kinds == QKind.LEAD_IN) & (table.relative != NOT_TOLD)
    places = np.flatnonzero(asked)
    if not len(places):
        return
    ahead = (table.relative[places] - places) % LEAD_IN_WRAP
    values, counts = np.unique(ahead, return_counts=True)
    first = int(values[counts.argmax()])
    wrong = np.zeros(len(asked), np.bool_)
    wrong[places[ahead != first]] = True

    def message(lba: int) -> str:
        place = lba - run.lba
        should = Msf.from_frames((first + place) % LEAD_IN_WRAP)
        return f"running time is {Msf.from_frames(int(table.relative[place]))}, not {should}"

    findings.add_where("toc-running-time", wrong, run.lba, message, asked=asked)


def _bcd(value: int) -> int | None:
    try:
        return from_bcd(value)
    except FormatError:
        return None


def _bcd_of(lba: int) -> bytes:
    return Msf.from_frames(linear_frames(lba)).bcd()


def _check_contents(evidence: Evidence, run: Run, findings: Findings) -> None:
    survey = evidence.survey
    usual = _usual([each for each in survey.toc if each.session == run.session])
    by_point = {(entry.pointer.adr, entry.pointer.point): entry for entry in usual}
    tracks = _starts(evidence, run.session)
    wanted = {
        POINT_FIRST_TRACK: "where the first track is",
        POINT_LAST_TRACK: "where the last track is",
        POINT_LEAD_OUT: "where the lead-out is",
        **{to_bcd(track): f"where track {track} begins" for track in tracks},
    }
    for point, what in wanted.items():
        if (QPosition.adr, point) not in by_point:
            findings.add("toc-missing", run.lba, f"no item, point {point:02X}h, tells {what}")
    for (adr, point), entry in by_point.items():
        if adr == QPosition.adr and point not in wanted:
            findings.add("toc-extra", entry.lba, f"point {point:02X}h tells of what is not there")
    for rule, key, message in _contradictions(evidence, run, tracks, by_point):
        findings.add(rule, by_point[key].lba, message)
    _check_pointers(evidence, run, by_point, findings)


def _starts(evidence: Evidence, session: int) -> dict[int, Run]:
    """Return the runs in which index 1 of a session's tracks begins."""
    found: dict[int, Run] = {}
    for run in evidence.survey.runs:
        if run.session == session and run.area is Area.TRACK and run.track is not None:
            found.setdefault(run.track, run)
    return found


def _contradictions(
    evidence: Evidence,
    lead_in: Run,
    tracks: dict[int, Run],
    by_point: Mapping[tuple[int, int], TocEntry],
) -> Iterator[tuple[str, tuple[int, int], str]]:
    """Yield what items of mode 1 say that is not so: rule, item, message."""
    out = next(
        (
            run
            for run in evidence.survey.runs
            if run.session == lead_in.session and run.area is Area.LEAD_OUT
        ),
        None,
    )
    controls = {run.control for run in (*tracks.values(), *([out] if out else []))}
    first, last = min(tracks, default=None), max(tracks, default=None)
    for (adr, point), entry in by_point.items():
        if adr != QPosition.adr:
            continue
        key, pointer = (adr, point), entry.pointer
        number = _bcd(pointer.value[0])
        if point == POINT_FIRST_TRACK:
            if number != first:
                yield "toc-first-track", key, f"A0 tells track {number}, the first one is {first}"
            if pointer.value[1] not in tuple(DiscType):
                yield "toc-disc-type", key, f"A0 tells disc type {pointer.value[1]:02X}h"
        elif point == POINT_LAST_TRACK:
            if number != last:
                yield "toc-last-track", key, f"A1 tells track {number}, the last one is {last}"
        elif point == POINT_LEAD_OUT:
            if out is not None and pointer.value != _bcd_of(out.lba):
                told, is_at = pointer.value.hex(":"), Msf.from_lba(out.lba)
                yield "toc-lead-out", key, f"A2 tells {told}, the lead-out begins at {is_at}"
        elif (track := _bcd(point)) in tracks:
            run = tracks[track]
            if pointer.value != _bcd_of(run.lba):
                told, is_at = pointer.value.hex(":"), Msf.from_lba(run.lba)
                yield "toc-track", key, f"its item tells {told}, track {track} begins at {is_at}"
        if point in _TRACK_POINTS:
            right = {tracks[track].control} if (track := _bcd(point)) in tracks else controls
        else:
            right = controls
        if right and pointer.control not in right:
            yield (
                "toc-control",
                key,
                f"CONTROL of point {point:02X}h is {pointer.control:04b}, not "
                + " or ".join(f"{each:04b}" for each in sorted(each or 0 for each in right)),
            )


def _check_pointers(
    evidence: Evidence,
    lead_in: Run,
    by_point: Mapping[tuple[int, int], TocEntry],
    findings: Findings,
) -> None:
    """Judge B0 and C0, which discs of several sessions have."""
    runs = evidence.survey.runs
    sessions = runs[-1].session
    entry = by_point.get((POINTER_ADR, POINT_NEXT_SESSION))
    if entry is None and sessions > 1:
        findings.add(
            "toc-missing", lead_in.lba, "no item, point B0h, tells where another session is"
        )
    elif entry is not None and lead_in.session < sessions:
        program = next(
            (run.lba for run in runs if run.session == lead_in.session + 1 and run.track), None
        )
        if program is not None and entry.pointer.running != _bcd_of(program):
            told = "none" if entry.pointer.running == _CLOSED else entry.pointer.running.hex(":")
            findings.add(
                "toc-next-session",
                entry.lba,
                f"B0 tells {told}, the next program area begins at {Msf.from_lba(program)}",
            )
    first = by_point.get((POINTER_ADR, POINT_FIRST_LEAD_IN))
    if first is None and sessions > 1 and lead_in.session == 1:
        findings.add("toc-missing", lead_in.lba, "no item, point C0h, tells of the first lead-in")
    elif first is not None and first.pointer.value != _bcd_of(evidence.first_lba):
        findings.add(
            "toc-first-lead-in",
            first.lba,
            f"C0 tells {first.pointer.value.hex(':')}, "
            f"the image begins at {Msf.from_lba(evidence.first_lba)}",
        )
