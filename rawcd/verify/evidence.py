"""What the checks work on: the facts of all sectors, and what each should be by the survey."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np

from rawcd.disc import Area
from rawcd.subcode.decoder import QKind, decode_q
from rawcd.subcode.frame import LEAD_OUT_TNO

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from rawcd.image import DiscImage
    from rawcd.subcode.decoder import QTable
    from rawcd.survey import Run, Survey
    from rawcd.survey.facts import Facts

    Flags = npt.NDArray[np.bool_]
    Numbers = npt.NDArray[np.int64]

WINDOW: Final = 1 << 14
"""Sectors that are looked at together: memory does not grow with the disc."""
NOT_KNOWN: Final = -1_000_000
"""No LBA, number or phase; an LBA may be -1."""
_FEW: Final = 16
"""Frames that are too few to tell the phase of SCMS."""


@dataclass(frozen=True, eq=False)
class Evidence:
    """A disc to be judged.

    Attributes:
        image: where its sectors can be read again.
        facts: what each says by itself.
        survey: what they say together.
    """

    image: DiscImage
    facts: Facts
    survey: Survey

    @property
    def first_lba(self) -> int:
        """The first sector's address."""
        return self.survey.first_lba

    def of(self, run: Run) -> Facts:
        """Return the facts of a run."""
        return self.facts[run.lba - self.first_lba : run.end_lba - self.first_lba]

    @cached_property
    def starts(self) -> Numbers:
        """(runs,): each run's first LBA."""
        return np.array([run.lba for run in self.survey.runs], np.int64)

    @cached_property
    def track_starts(self) -> dict[int, int]:
        """Where index 1 of each track begins."""
        found: dict[int, int] = {}
        for run in self.survey.runs:
            if run.area is Area.TRACK and run.index == 1 and run.track is not None:
                found.setdefault(run.track, run.lba)
        return found

    @cached_property
    def borders(self) -> Numbers:
        """Where areas, tracks and indexes begin, rising."""
        found: list[int] = []
        before: tuple[object, ...] | None = None
        for run in self.survey.runs:
            place = (run.area, run.session, run.track, run.index)
            if place != before:
                found.append(run.lba)
            before = place
        return np.array(found, np.int64)

    @cached_property
    def unsure(self) -> Flags:
        """(n,): sectors whose frames cannot be read right before a place begins.

        The place may begin there, or at any of those behind it.
        """
        bad = np.concatenate([[False], ~self.facts["right"], [False]])
        firsts, ends = np.flatnonzero(np.diff(bad)).reshape(-1, 2).T
        at = self.borders - self.first_lba
        # A stretch that begins or goes on where a place begins, or ends right before it.
        behind = np.searchsorted(ends, at, side="left")
        near = behind < len(firsts)
        near[near] = firsts[behind[near]] <= at[near]
        chosen = np.unique(behind[near])
        change = np.zeros(len(self.facts) + 1, np.int8)
        change[firsts[chosen]] = 1
        change[ends[chosen]] -= 1
        found: Flags = np.cumsum(change[:-1]) > 0
        return found

    def windows(self) -> Iterator[Window]:
        """Yield the disc in pieces."""
        for start in range(0, len(self.facts), WINDOW):
            yield Window(self, start, min(start + WINDOW, len(self.facts)))


@dataclass(frozen=True, eq=False)
class Window:
    """Some sectors, their frames, and what these should tell; (n,) each."""

    evidence: Evidence
    start: int
    end: int

    @cached_property
    def lbas(self) -> Numbers:
        """The sectors' addresses."""
        return np.arange(self.start, self.end) + self.evidence.first_lba

    @property
    def first_lba(self) -> int:
        """The first sector's address."""
        return self.start + self.evidence.first_lba

    @cached_property
    def facts(self) -> Facts:
        """What each says by itself."""
        return self.evidence.facts[self.start : self.end]

    @cached_property
    def table(self) -> QTable:
        """The frames, decoded."""
        return decode_q(np.ascontiguousarray(self.facts["q"]), self.facts["right"])

    @cached_property
    def positions(self) -> Flags:
        """Which frames are right and tell a place in a track or lead-out."""
        kinds = self.table.kinds
        placed: Flags = (kinds == QKind.PROGRAM) | (kinds == QKind.LEAD_OUT)
        return self.table.right & placed

    @cached_property
    def owners(self) -> Numbers:
        """The number of the run that each lies in."""
        found: Numbers = np.searchsorted(self.evidence.starts, self.lbas, side="right") - 1
        return found

    def of_run(self, values: Numbers) -> Numbers:
        """Return for each sector a value of its run."""
        return values[self.owners]


@dataclass(frozen=True, slots=True, eq=False)
class Expected:
    """What the frames of each run should tell; (runs,) each, `NOT_KNOWN` where nothing does.

    Attributes:
        area: 0 lead-in, 1 program area, 2 lead-out.
        track: TNO.
        index: INDEX.
        control: CONTROL, the copy bit off under SCMS.
        scms: the phase of the copy bit, added to the LBA.
        zero: the LBA at which relative time is zero.
        step: +1 where relative time counts up, -1 in a pregap.
    """

    area: Numbers
    track: Numbers
    index: Numbers
    control: Numbers
    scms: Numbers
    zero: Numbers
    step: Numbers

    @classmethod
    def of(cls, evidence: Evidence) -> Expected:
        """Return what a survey makes one expect."""
        count = len(evidence.survey.runs)
        told = cls(*(np.full(count, NOT_KNOWN, np.int64) for _ in range(7)))
        for place, run in enumerate(evidence.survey.runs):
            if run.area is None:
                continue
            told.step[place] = 1
            if run.control is not None:
                told.control[place] = run.control
            if run.area is Area.LEAD_IN:
                told.area[place], told.track[place] = 0, 0
            elif run.area is Area.LEAD_OUT:
                told.area[place], told.track[place], told.index[place] = 2, LEAD_OUT_TNO, 1
                told.zero[place] = run.lba
            elif run.track is not None and run.index is not None:
                told.area[place], told.track[place], told.index[place] = 1, run.track, run.index
                start = evidence.track_starts.get(run.track)
                if start is not None:
                    told.zero[place] = start
                if run.index == 0:
                    told.step[place] = -1
                    told.zero[place] = countdown_zero(evidence, run, start)
        _phases(evidence, told)
        return told


def countdown_zero(evidence: Evidence, run: Run, start: int | None) -> int:
    """Return the LBA at which a pregap's relative time is zero, or would be, by most frames."""
    facts = evidence.of(run)
    table = decode_q(np.ascontiguousarray(facts["q"]), facts["right"])
    chosen = table.right & (table.kinds == QKind.PROGRAM) & (table.track == run.track)
    chosen &= (table.index == 0) & (table.relative >= 0)
    zeros = table.relative[chosen] + np.flatnonzero(chosen) + run.lba
    usual = run.end_lba - 1 if start is None else start - 1
    if not len(zeros):
        return usual
    values, counts = np.unique(zeros, return_counts=True)
    best = int(counts.argmax())
    return int(values[best]) if 2 * counts[best] > len(zeros) else usual


def _phases(evidence: Evidence, told: Expected) -> None:
    """Find the phase of each SCMS track's copy bit: off for four sectors, on for four."""
    by_track: dict[tuple[int, int], Numbers] = {}
    for place, run in enumerate(evidence.survey.runs):
        if not run.scms:
            continue
        facts = evidence.of(run)
        adr = facts["q"][:, 0] & 15
        places = np.flatnonzero(facts["right"] & (adr == 1))
        on = (facts["q"][places, 0] & 0x20) != 0
        votes = np.bincount((places[on] + run.lba) % 8, minlength=8)
        key = (run.session, int(told.control[place]))
        by_track[key] = by_track.get(key, np.zeros(8, np.int64)) + votes
    for place, run in enumerate(evidence.survey.runs):
        if run.scms:
            votes = by_track[run.session, int(told.control[place])]
            sums = [int(np.roll(votes, phase)[4:].sum()) for phase in range(8)]
            told.scms[place] = int(np.argmax(sums))
