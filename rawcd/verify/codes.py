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

    import numpy.typing as npt

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
    whole = evidence.first_lba, evidence.first_lba + survey.sectors
    name = "mcn", "catalogue number"
    _check_texts(evidence, frames, whole, _MCN, unpack_mcn, mcn, name, findings)
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
    for (_, track), span in _tracks(evidence).items():
        told = next((each for each in evidence.survey.isrcs if each.track == track), None)
        isrc = None if told is None else told.code
        _check_texts(evidence, frames, span, _ISRC, unpack_isrc, isrc, ("isrc", "ISRC"), findings)
        if told is None or isrc is None:
            continue
        if not is_isrc(isrc):
            findings.add("isrc-shape", told.lba, f"{isrc} does not begin with a country's letters")
        _check_density(evidence, frames, span, ("isrc-density", isrc), findings)


def _check_texts(
    evidence: Evidence,
    frames: Flags,
    span: tuple[int, int],
    field: slice,
    read: Callable[[bytes], str],
    usual: str | None,
    names: tuple[str, str],
    findings: Findings,
) -> None:
    """Find frames whose code cannot be read, or is not the usual one."""
    lba, end = span
    part = slice(lba - evidence.first_lba, end - evidence.first_lba)
    held, places = evidence.facts["q"][part, field], np.flatnonzero(frames[part])
    if not len(places):
        return
    rule, name = names

    def judged(row: npt.NDArray[np.uint8]) -> tuple[str, str] | None:
        try:
            code = read(row.tobytes())
        except FormatError as error:
            return f"{rule}-invalid", error.reason
        if code == usual:
            return None
        return f"{rule}-contradiction", f"the {name} here is {code}, elsewhere {usual}"

    def message(at: int) -> str:
        return (judged(held[at - lba]) or names)[1]

    rows, inverse = np.unique(held[places], axis=0, return_inverse=True)
    broken = np.array([(judged(row) or ("", ""))[0] for row in rows])[inverse.reshape(-1)]
    for each in (f"{rule}-invalid", f"{rule}-contradiction"):
        flags = np.zeros(end - lba, np.bool_)
        flags[places[broken == each]] = True
        findings.add_where(each, flags, lba, message)


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
