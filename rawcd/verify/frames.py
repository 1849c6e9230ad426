"""Q frames of tracks and lead-outs against the place where they stand (IEC 60908 17.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from rawcd.msf import FRAMES_PER_SECOND, PROGRAM_LBA, Msf
from rawcd.subcode.decoder import NOT_TOLD, QKind
from rawcd.subcode.frame import LEAD_OUT_TNO
from rawcd.verify.evidence import NOT_KNOWN, Expected

if TYPE_CHECKING:
    import numpy.typing as npt

    from rawcd.verify.collecting import Findings
    from rawcd.verify.evidence import Evidence, Flags, Numbers, Window

_COPY: Final = 2
_NINE_OF_TEN: Final = 10


def check_frames(evidence: Evidence, findings: Findings) -> None:
    """Judge every frame of the disc; the items of a lead-in are judged elsewhere."""
    expected = Expected.of(evidence)
    for window in evidence.windows():
        _check_window(window, expected, findings)
    _check_countdowns(evidence, expected, findings)
    _check_density(evidence, findings)


def _check_window(window: Window, expected: Expected, findings: Findings) -> None:
    table, first = window.table, window.first_lba
    area = window.of_run(expected.area)
    known = area != NOT_KNOWN
    findings.add_where("q-crc", ~table.right, first, "the CRC of the frame is wrong")
    kinds = table.kinds
    right = table.right & known
    in_lead_in = area == 0
    odd = kinds == QKind.UNKNOWN
    tno = table.q[:, 1]
    odd |= (kinds == QKind.POINTER) & (area == 1)
    findings.add_where(
        "q-mode",
        right & odd,
        first,
        lambda lba: f"mode {window.facts['q'][lba - first, 0] & 15} has no place here",
    )
    positions = window.positions & known
    # A lead-in's frame with a wrong TNO has a POINT where others have INDEX.
    _check_numbers(window, right & ~(positions & in_lead_in), findings)
    wrong_area = positions & in_lead_in
    wrong_area |= right & (kinds == QKind.LEAD_IN) & ~in_lead_in
    pointers = right & (kinds == QKind.POINTER)
    wrong_area |= pointers & in_lead_in & (tno != 0)
    wrong_area |= pointers & (area == 2) & (tno != LEAD_OUT_TNO)
    track = window.of_run(expected.track)
    other = positions & ~in_lead_in & (table.track != NOT_TOLD) & (table.track != track)
    findings.add_where(
        "q-track",
        wrong_area | other,
        first,
        lambda lba: f"TNO is {tno[lba - first]:02X}h, not {_tno(int(track[lba - first]))}",
    )
    inside = positions & ~in_lead_in
    index = window.of_run(expected.index)
    findings.add_where(
        "q-index",
        inside & (table.index != NOT_TOLD) & (table.index != index),
        first,
        lambda lba: f"INDEX is {table.index[lba - first]}, not {index[lba - first]}",
    )
    _check_times(window, expected, inside, findings)
    _check_control(window, expected, area, findings)
    _check_zeros(window, findings)


def _tno(track: int) -> str:
    if track == LEAD_OUT_TNO:
        return "that of the lead-out, AAh"
    return f"{track:02d}h" if track else "that of the lead-in, 00h"


def _check_numbers(window: Window, right: Flags, findings: Findings) -> None:
    """Find bytes that are no BCD, or no time, in frames of mode 1."""
    table = window.table
    placed = (table.kinds == QKind.PROGRAM) | (table.kinds == QKind.LEAD_OUT)
    bad = placed & ((table.track == NOT_TOLD) | (table.index == NOT_TOLD))
    bad |= placed & ((table.relative == NOT_TOLD) | (table.absolute == NOT_TOLD))
    bad |= (table.kinds == QKind.LEAD_IN) & (table.relative == NOT_TOLD)
    told = (table.kinds == QKind.CATALOG) | (table.kinds == QKind.ISRC)
    bad |= told & (table.aframe == NOT_TOLD)
    findings.add_where(
        "q-bcd",
        right & bad,
        window.first_lba,
        lambda lba: (
            f"{window.facts['q'][lba - window.first_lba].tobytes().hex(' ')} "
            "holds what is no number or time"
        ),
    )


def _check_times(window: Window, expected: Expected, inside: Flags, findings: Findings) -> None:
    table, first, lbas = window.table, window.first_lba, window.lbas
    absolute = inside & (table.absolute != NOT_TOLD)
    findings.add_where(
        "q-absolute-time",
        absolute & (table.absolute != lbas - PROGRAM_LBA),
        first,
        lambda lba: (
            f"absolute time is {_time(int(table.absolute[lba - first]))}, "
            f"not {_time(lba - PROGRAM_LBA)}"
        ),
        asked=absolute,
    )
    zero = window.of_run(expected.zero)
    should = (lbas - zero) * window.of_run(expected.step)
    relative = inside & (table.relative != NOT_TOLD) & (zero != NOT_KNOWN)
    findings.add_where(
        "q-relative-time",
        relative & (table.relative != should),
        first,
        lambda lba: (
            f"relative time is {_time(int(table.relative[lba - first]))}, "
            f"not {_time(int(should[lba - first]))}"
        ),
        asked=relative,
    )
    codes = window.table.right & (window.of_run(expected.area) > 0) & (table.aframe != NOT_TOLD)
    frame = (lbas - PROGRAM_LBA) % FRAMES_PER_SECOND
    findings.add_where(
        "q-frame-number",
        codes & (table.aframe != frame),
        first,
        lambda lba: f"AFRAME is {table.aframe[lba - first]}, not {frame[lba - first]}",
        asked=codes,
    )


def _time(frames: int) -> str:
    try:
        return str(Msf.from_frames(frames))
    except ValueError:
        return f"{frames} frames"


def control_of(window: Window, expected: Expected) -> Numbers:
    """Return the CONTROL that each sector should have, SCMS among it; `NOT_KNOWN` in a lead-in."""
    control = window.of_run(expected.control)
    scms = window.of_run(expected.scms)
    on = (scms != NOT_KNOWN) & ((window.lbas + scms) % 8 >= 4)
    return np.where(on, control | _COPY, control)


def _check_control(
    window: Window, expected: Expected, area: npt.NDArray[np.int64], findings: Findings
) -> None:
    table, first = window.table, window.first_lba
    should = control_of(window, expected)
    known = table.right & (area > 0) & (should != NOT_KNOWN)
    codes = (table.kinds == QKind.CATALOG) | (table.kinds == QKind.ISRC)
    wrong = known & (table.control != should) & (window.positions | codes)
    wrong &= ~(codes & (table.control == 0))  # cdrecord has none in modes 2 and 3
    findings.add_where(
        "q-control",
        wrong,
        first,
        lambda lba: f"CONTROL is {table.control[lba - first]:04b}, not {should[lba - first]:04b}",
        asked=known & (window.positions | codes),
    )


def _check_zeros(window: Window, findings: Findings) -> None:
    """Find bits that should be zero: ZERO of mode 1, what is left over in modes 2 and 3."""
    table, q = window.table, window.table.q
    one = (table.kinds == QKind.PROGRAM) | (table.kinds == QKind.LEAD_OUT)
    one |= table.kinds == QKind.LEAD_IN
    wrong = one & (q[:, 6] != 0)
    wrong |= (table.kinds == QKind.CATALOG) & ((q[:, 7] & 15 != 0) | (q[:, 8] != 0))
    wrong |= (table.kinds == QKind.ISRC) & ((q[:, 4] & 3 != 0) | (q[:, 8] & 15 != 0))
    findings.add_where(
        "q-zero", table.right & wrong, window.first_lba, "bits that should be zero are set"
    )


def _check_countdowns(evidence: Evidence, expected: Expected, findings: Findings) -> None:
    """Pregaps count down to 0 (ECMA-130 22.3.3.3), or as cdrdao and libMirage have it to 1."""
    for place, run in enumerate(evidence.survey.runs):
        start = evidence.track_starts.get(run.track or 0)
        if run.index != 0 or start is None:
            continue
        last = start - 1 - int(expected.zero[place])
        if last not in (0, -1):
            findings.add(
                "countdown",
                run.lba,
                f"relative time in the pregap ends at {-last}, not at 0 or 1",
                sectors=run.sectors,
            )


def pushed(evidence: Evidence, lbas: Numbers) -> Numbers:
    """Return how many sectors before each have to have a frame of mode 1, or have another code.

    A frame of mode 2 or 3 whose turn it is where track or index begin comes after that, so these
    sectors may come on top of the distance to the one before it.
    """
    facts = evidence.facts
    taken = np.zeros(len(facts) + 1, np.bool_)
    taken[evidence.borders - evidence.first_lba] = True
    adr = facts["q"][:, 0] & 15
    taken[:-1] |= facts["right"] & ((adr == 2) | (adr == 3))
    taken[:-1] |= evidence.unsure
    places = np.arange(len(taken))
    last_free = np.maximum.accumulate(np.where(taken, -1, places))
    before = lbas - evidence.first_lba - 1
    return np.where(before >= 0, before - last_free[np.maximum(before, 0)], 0)


def _check_density(evidence: Evidence, findings: Findings) -> None:
    """Of ten frames in a row nine are of mode 1, but for those that a border pushed together."""
    facts = evidence.facts
    adr = facts["q"][:, 0] & 15
    lead_in = np.zeros(len(facts), np.bool_)
    for run in evidence.survey.runs:
        if run.track is None:
            lead_in[run.lba - evidence.first_lba : run.end_lba - evidence.first_lba] = True
    other = facts["right"] & ((adr == 2) | (adr == 3)) & ~lead_in
    places = np.flatnonzero(other)
    if len(places) > 1:
        late = pushed(evidence, places + evidence.first_lba)
        close = (np.diff(places) < _NINE_OF_TEN) & (late[:-1] == 0) & (late[1:] == 0)
        flags = np.zeros(len(facts), np.bool_)
        flags[places[1:][close]] = True
        findings.add_where(
            "q-density",
            flags,
            evidence.first_lba,
            "more than one of ten frames is of mode 2 or 3",
        )
    if len(evidence.borders):
        at = evidence.borders - evidence.first_lba
        flags = np.zeros(len(facts), np.bool_)
        flags[at] = facts["right"][at] & ((adr[at] == 2) | (adr[at] == 3))
        findings.add_where(
            "q-border",
            flags,
            evidence.first_lba,
            "the frame where track or index begin is not of mode 1",
        )
