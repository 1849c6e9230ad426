"""The main channel: data sectors as what their track makes them (ECMA-130; Green Book)."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from rawcd.disc import MODE_CHANGE_HEAD_SECTORS, POSTGAP_SECTORS, Area
from rawcd.sector import Defect, scramble
from rawcd.sector.rows import any_in
from rawcd.source import SECTOR_BYTES
from rawcd.survey.facts import Kind, Scrambling, has_sync, judge

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from rawcd.source import Bytes2D
    from rawcd.survey import Run
    from rawcd.survey.facts import Facts
    from rawcd.verify.collecting import Findings
    from rawcd.verify.evidence import Evidence, Flags

_AT_ONCE: Final = 512
_DATA: Final = (Kind.MODE0, Kind.MODE1, Kind.FORMLESS, Kind.XA)
_USER: Final = {
    Kind.MODE0: slice(16, 2352),
    Kind.MODE1: slice(16, 2064),
    Kind.FORMLESS: slice(16, 2352),
    Kind.XA: slice(24, 2072),
}
"""What has to be empty in a postgap."""
_RULES: Final = (
    ("sync", Defect.SYNC, "the sync pattern is wrong"),
    ("header-address", Defect.ADDRESS, "the header tells another address"),
    ("header-mode", Defect.MODE, "the header tells another mode than the track has"),
    ("edc", Defect.EDC, "the EDC does not fit"),
    ("p-parity", Defect.P, "P parity does not fit"),
    ("q-parity", Defect.Q, "Q parity does not fit"),
    ("zeros", Defect.ZEROS, "bytes that must be zero are not"),
)
_LOST: Final = Defect.SYNC | Defect.ADDRESS


def parts_of(evidence: Evidence) -> Iterator[tuple[Run, int, int, Kind]]:
    """Yield each run's sectors with the kind that they should be: run, first LBA, end, kind.

    A pregap behind a track of another mode may begin with one second in that mode (ECMA-130
    20.1), and writers differ on whose CONTROL it has: its sectors tell.
    """
    own = {
        (run.session, run.track): run.kind
        for run in evidence.survey.runs
        if run.area is Area.TRACK and run.index == 1
    }
    for run in evidence.survey.runs:
        kind = own.get((run.session, run.track), run.kind)
        before = own.get((run.session, (run.track or 0) - 1), kind)
        if run.area is not Area.PREGAP or before is kind:
            yield run, run.lba, run.end_lba, run.kind
            continue
        border = min(run.lba + MODE_CHANGE_HEAD_SECTORS, run.end_lba)
        for lba, end in ((run.lba, border), (border, run.end_lba)):
            kinds = evidence.facts["kind"][lba - evidence.first_lba : end - evidence.first_lba]
            old, new = np.count_nonzero(kinds == before), np.count_nonzero(kinds == kind)
            yield run, lba, end, before if old > new else kind


class Judged(NamedTuple):
    """What was found of some sectors, (n,) each.

    Attributes:
        lba: the first one.
        kind: what they should be.
        defects: `Defect` flags, as judged by that kind.
        scrambling: `Scrambling`.
        lost: which are no data sectors at all.
        copies: in which an XA subheader and its copy differ.
    """

    lba: int
    kind: Kind
    defects: npt.NDArray[np.uint8]
    scrambling: npt.NDArray[np.uint8]
    lost: Flags
    copies: Flags


def judged(evidence: Evidence) -> Iterator[Judged]:
    """Yield the data sectors in which something is wrong, among their neighbours."""
    for _, first, end, kind in parts_of(evidence):
        if kind not in _DATA:
            continue
        for lba in range(first, end, _AT_ONCE):
            stop = min(lba + _AT_ONCE, end)
            facts = evidence.facts[lba - evidence.first_lba : stop - evidence.first_lba]
            found = _judged(evidence, lba, facts, kind)
            if found is not None:
                yield found


def _judged(evidence: Evidence, lba: int, facts: Facts, kind: Kind) -> Judged | None:
    """Judge data sectors; those that seem to be of another kind are read again."""
    other = facts["kind"] != kind
    defects, scrambling = facts["defects"], facts["scrambling"]
    copies = np.zeros(len(facts), np.bool_)
    if other.any():
        defects, scrambling = defects.copy(), scrambling.copy()
        rows = _main(evidence, lba, len(facts))[other]
        _, defects[other], scrambling[other] = judge(rows, np.flatnonzero(other) + lba, kind)
        copies = other & (facts["kind"] == Kind.FORMLESS) & (kind is Kind.XA)
    if not (defects.any() or scrambling.any() or copies.any()):
        return None
    lost = (defects & _LOST) == _LOST
    return Judged(lba, kind, defects, scrambling, lost, copies)


def check_main(evidence: Evidence, findings: Findings) -> None:
    """Judge every data sector, and find those that lie where sound should be."""
    for found in judged(evidence):
        _tell(found, findings)
    for run, lba, end, kind in parts_of(evidence):
        if kind in _DATA or run.area is None:
            continue
        kinds = evidence.facts["kind"][lba - evidence.first_lba : end - evidence.first_lba]
        if kind is Kind.UNKNOWN:
            message = "CONTROL tells data, and there is none"
            findings.add_where("lost-sector", kinds == Kind.NONE, lba, message)
            message = "the header tells no mode that there is"
            findings.add_where("header-mode", kinds != Kind.NONE, lba, message)
        elif run.area in (Area.TRACK, Area.PREGAP):
            message = "a data sector where CONTROL tells sound"
            findings.add_where("data-in-audio", kinds != Kind.NONE, lba, message)
    _check_postgaps(evidence, findings)


def _tell(found: Judged, findings: Findings) -> None:
    lba, here = found.lba, ~found.lost
    findings.add_where(
        "lost-sector", found.lost, lba, "neither sync pattern nor header: it is no data"
    )
    for rule, defect, message in _RULES:
        findings.add_where(rule, (found.defects & defect != 0) & here, lba, message)
    message = "the subheader and its copy are not the same"
    findings.add_where("subheader", found.copies & here, lba, message)
    plain = found.scrambling == Scrambling.NONE
    findings.add_where("unscrambled", plain & here, lba, "it is stored without scrambling")
    body = found.scrambling == Scrambling.BODY
    message = "its header is scrambled, what follows is not"
    findings.add_where("scrambling", body & here, lba, message)


def _main(evidence: Evidence, lba: int, count: int) -> Bytes2D:
    held = np.frombuffer(evidence.image.read(lba, count), np.uint8).reshape(count, -1)
    return held[:, :SECTOR_BYTES].copy()


def _check_postgaps(evidence: Evidence, findings: Findings) -> None:
    """Data before a track of another mode end in two seconds that are empty (ECMA-130 20.2)."""
    for run, after in _mode_changes(evidence):
        first = max(run.lba, run.end_lba - POSTGAP_SECTORS)
        rows = _main(evidence, first, run.end_lba - first)
        filled = int(np.count_nonzero(has_sync(rows) & _has_data(scramble(rows), run.kind)))
        if filled:
            findings.add(
                "postgap",
                first,
                f"{filled} of the last {len(rows)} sectors before track "
                f"{after.track}, which is of another mode, hold data",
                sectors=len(rows),
            )


def _has_data(sectors: Bytes2D, kind: Kind) -> Flags:
    return any_in(sectors[:, _USER[kind]], 1)


def _mode_changes(evidence: Evidence) -> Iterator[tuple[Run, Run]]:
    """Yield the last run of each data track before one of another mode, and the run behind it."""
    runs = evidence.survey.runs
    kinds = {(run.session, run.track): run for run in runs if run.area is Area.TRACK}
    for run, after in pairwise(runs):
        if run.area is not Area.TRACK or after.track in (None, run.track):
            continue
        next_track = kinds.get((after.session, after.track))
        if next_track is None or run.kind not in _DATA or after.session != run.session:
            continue
        if next_track.mode is not run.mode:
            yield run, after
