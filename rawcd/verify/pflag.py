"""The P channel against the places that Q tells (IEC 60908 17.4; ECMA-130 22.2).

Writers differ, and all are read: whether P is still set in the first sector of index 1, whether it
is set for two seconds before a track that has a shorter pregap, and before the lead-out, and how it
beats there. Each of these is taken as most sectors of the disc have it.
"""

from __future__ import annotations

from enum import IntFlag
from typing import TYPE_CHECKING, Final

import numpy as np

from rawcd.disc import Area
from rawcd.subcode.rows import PW96_BYTES

if TYPE_CHECKING:
    import numpy.typing as npt

    from rawcd.verify.collecting import Findings
    from rawcd.verify.evidence import Evidence, Flags

_LEAST: Final = 150
"""Two seconds: P before a track or lead-out, and the silence before it beats."""
_WAVES: Final = (19, 75)
"""Half periods in sectors: the Red Book's 2 Hz, and cdrecord's."""
_SET: Final = PW96_BYTES // 2


class _Zone(IntFlag):
    """Why P may be set in a sector."""

    PREGAP = 1
    """It is set, by all writers."""
    SHORT = 2
    """Before a track with a shorter pregap than two seconds, or none."""
    FIRST = 4
    """The first sector of index 1: P lags one sector behind Q."""
    BEFORE_LEAD_OUT = 8
    FIRST_OF_LEAD_OUT = 16
    UNSURE = 32
    """Where a place begins cannot be told."""


_BY_HABIT: Final = (_Zone.SHORT, _Zone.FIRST, _Zone.BEFORE_LEAD_OUT, _Zone.FIRST_OF_LEAD_OUT)


def _zones(evidence: Evidence) -> npt.NDArray[np.uint8]:
    zones = np.zeros(len(evidence.facts), np.uint8)
    program = 0

    def mark(zone: _Zone, lba: int, end: int) -> None:
        first = max(lba - evidence.first_lba, 0)
        zones[first : max(end - evidence.first_lba, 0)] |= np.uint8(zone)

    program = evidence.first_lba
    before: Area | None = None
    for run in evidence.survey.runs:
        if run.area is Area.PREGAP:
            mark(_Zone.PREGAP, run.lba, run.end_lba)
        if run.area in (Area.PREGAP, Area.TRACK) and before in (None, Area.LEAD_IN):
            program = run.lba
        if run.area is Area.TRACK and run.index == 1:
            mark(_Zone.SHORT, max(run.lba - _LEAST, program), run.lba)
            mark(_Zone.FIRST, run.lba, run.lba + 1)
        if run.area is Area.LEAD_OUT:
            mark(_Zone.BEFORE_LEAD_OUT, max(run.lba - _LEAST, program), run.lba)
            mark(_Zone.FIRST_OF_LEAD_OUT, run.lba, run.lba + 1)
        before = run.area
    zones[evidence.unsure] |= np.uint8(_Zone.UNSURE)
    return zones


def expected_p(evidence: Evidence) -> tuple[Flags, Flags]:
    """Return in which sectors P should be set, and where that cannot be told; (n,) each."""
    zones, is_set = _zones(evidence), evidence.facts["p"] > _SET
    should: Flags = zones & np.uint8(_Zone.PREGAP) != 0
    doubtful: Flags = zones & np.uint8(_Zone.UNSURE) != 0
    for zone in _BY_HABIT:
        alone = zones == zone
        inside = (zones & np.uint8(zone)) != 0
        votes, count = np.count_nonzero(is_set & alone), np.count_nonzero(alone)
        if 2 * votes > count:
            should |= inside
        elif 2 * votes == count:
            doubtful |= inside & ~should
    for run in evidence.survey.runs:
        if run.area is Area.LEAD_OUT and run.sectors > _LEAST:
            part = slice(run.lba + _LEAST - evidence.first_lba, run.end_lba - evidence.first_lba)
            wave = _wave(is_set[part])
            if wave is None:
                doubtful[part] = True
            else:
                should[part] = wave
    return should, doubtful


def _wave(is_set: Flags) -> Flags | None:
    """Return how P beats in a lead-out from its third second on, None where in no known way."""
    count = np.arange(len(is_set))
    habits = [np.zeros(len(is_set), np.bool_), *((count // half) % 2 == 0 for half in _WAVES)]
    best = min(habits, key=lambda wave: int(np.count_nonzero(wave != is_set)))
    return best if 4 * np.count_nonzero(best != is_set) <= len(is_set) else None


def check_p(evidence: Evidence, findings: Findings) -> None:
    """Judge P of every sector."""
    runs = evidence.survey.runs
    if runs[0].area is None:
        return
    facts, first = evidence.facts, evidence.first_lba
    ones = facts["p"]
    findings.add_where(
        "p-bits",
        (ones != 0) & (ones != PW96_BYTES),
        first,
        lambda lba: f"{ones[lba - first]} of the sector's 96 P bits are set",
    )
    is_set = ones > _SET
    should, doubtful = expected_p(evidence)
    findings.add_where(
        "p-flag",
        (is_set != should) & ~doubtful,
        first,
        lambda lba: (
            "P is set where it should not be"
            if is_set[lba - first]
            else "P is not set where it should be"
        ),
    )
    for run in runs:
        part = slice(run.lba + _LEAST - first, run.end_lba - first)
        beats = run.area is Area.LEAD_OUT and run.sectors > _LEAST
        if beats and _wave(is_set[part]) is None:
            findings.add(
                "p-wave",
                run.lba + _LEAST,
                "P beats in the lead-out as no writer does",
                sectors=run.sectors - _LEAST,
            )
