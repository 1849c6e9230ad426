"""Catalogue number and ISRCs: what they say, how often, and where (IEC 60908 17.5.2, 17.5.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from rawcd.disc import Area
from rawcd.errors import FormatError
from rawcd.rules import check_digit, is_isrc
from rawcd.subcode.frame import QCatalog, QIsrc, unpack_isrc, unpack_mcn
from rawcd.verify.frames import pushed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rawcd.verify.collecting import Findings
    from rawcd.verify.evidence import Evidence, Flags, Numbers

_WITHIN: Final = 100
"""Of so many frames in a row one tells a code, where the disc has it."""
_MCN: Final = slice(1, 8)
_ISRC: Final = slice(1, 9)


def check_codes(evidence: Evidence, findings: Findings) -> None:
    """Judge the frames of modes 2 and 3."""
    facts = evidence.facts
    adr = facts["q"][:, 0] & 15
    catalog = facts["right"] & (adr == QCatalog.adr)
    isrc = facts["right"] & (adr == QIsrc.adr)
    _check_mcn(evidence, catalog, findings)
    _check_isrcs(evidence, isrc, findings)


def _check_mcn(evidence: Evidence, frames: Flags, findings: Findings) -> None:
    survey = evidence.survey
    mcn = survey.mcns[0].code if survey.mcns else None
    _check_texts(evidence, frames, _MCN, unpack_mcn, mcn, ("mcn", "catalogue number"), findings)
    if mcn is None or survey.mcn is None:
        return
    if mcn[-1] != check_digit(mcn):
        findings.add(
            "mcn-check-digit",
            survey.mcns[0].lba,
            f"{mcn} ends in {mcn[-1]}; its check digit is {check_digit(mcn)}",
            track=None,
        )
    for first, end in _program_areas(evidence):
        _check_density(evidence, frames, (first, end), ("mcn-density", mcn), findings)


def _program_areas(evidence: Evidence) -> Iterator[tuple[int, int]]:
    """Yield first LBA and end of each session's program area."""
    by_session: dict[int, tuple[int, int]] = {}
    for run in evidence.survey.runs:
        if run.track is not None:
            first, _ = by_session.get(run.session, (run.lba, 0))
            by_session[run.session] = first, run.end_lba
    yield from by_session.values()


def _tracks(evidence: Evidence) -> dict[tuple[int, int], tuple[int, int]]:
    """Return first LBA and end of each track, by session and number."""
    found: dict[tuple[int, int], tuple[int, int]] = {}
    for run in evidence.survey.runs:
        if run.track is not None:
            key = (run.session, run.track)
            first, _ = found.get(key, (run.lba, 0))
            found[key] = first, run.end_lba
    return found


def _check_isrcs(evidence: Evidence, frames: Flags, findings: Findings) -> None:
    outside = np.zeros(len(frames), np.bool_)
    for run in evidence.survey.runs:
        if run.area in (Area.LEAD_IN, Area.LEAD_OUT):
            outside[run.lba - evidence.first_lba : run.end_lba - evidence.first_lba] = True
    findings.add_where(
        "isrc-place",
        frames & outside,
        evidence.first_lba,
        "an ISRC in a lead-in or lead-out",
    )
    for (_, track), (first, end) in _tracks(evidence).items():
        inside = np.zeros(len(frames), np.bool_)
        part = slice(first - evidence.first_lba, end - evidence.first_lba)
        inside[part] = frames[part]
        told = next((each for each in evidence.survey.isrcs if each.track == track), None)
        isrc = None if told is None else told.code
        _check_texts(evidence, inside, _ISRC, unpack_isrc, isrc, ("isrc", "ISRC"), findings)
        if told is None or isrc is None:
            continue
        if not is_isrc(isrc):
            findings.add("isrc-shape", told.lba, f"{isrc} does not begin with a country's letters")
        _check_density(evidence, inside, (first, end), ("isrc-density", isrc), findings)


def _check_texts(
    evidence: Evidence,
    frames: Flags,
    field: slice,
    read: Callable[[bytes], str],
    usual: str | None,
    names: tuple[str, str],
    findings: Findings,
) -> None:
    """Find frames whose code cannot be read, or is not the usual one."""
    places = np.flatnonzero(frames)
    if not len(places):
        return
    rows, inverse = np.unique(evidence.facts["q"][places, field], axis=0, return_inverse=True)
    rule, name = names
    for number, row in enumerate(rows):
        try:
            code = read(row.tobytes())
        except FormatError as error:
            broken, message = f"{rule}-invalid", error.reason
        else:
            if code == usual:
                continue
            broken = f"{rule}-contradiction"
            message = f"the {name} here is {code}, elsewhere {usual}"
        flags = np.zeros(len(frames), np.bool_)
        flags[places[inverse.reshape(-1) == number]] = True
        findings.add_where(broken, flags, evidence.first_lba, message)


def _check_density(
    evidence: Evidence,
    frames: Flags,
    span: tuple[int, int],
    names: tuple[str, str],
    findings: Findings,
) -> None:
    """Find stretches of 100 frames and more without a code.

    A frame that cannot be read may have been one. What a border pushed back is not late.
    """
    first, end = (lba - evidence.first_lba for lba in span)
    told = frames[first:end] | ~evidence.facts["right"][first:end]
    found: Numbers = np.flatnonzero(told) + first
    before = np.concatenate([[first - 1], found])
    after = np.concatenate([found, [end]])
    late = pushed(evidence, after + evidence.first_lba)
    late[-1] = 0
    gaps = after - before - 1
    rule, code = names
    for place in np.flatnonzero(gaps - late >= _WITHIN).tolist():
        findings.add(
            rule,
            int(before[place]) + 1 + evidence.first_lba,
            f"no frame of {int(gaps[place])} in a row tells {code}",
            sectors=int(gaps[place]),
        )
