"""R to W: CD-TEXT in the first lead-in, packs of graphics behind it.

Sources: MMC-3 annex J; IEC 60908 clause 18.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from rawcd.cdtext import lead_in_symbols, packs_of_symbols, read_packs
from rawcd.disc import Area
from rawcd.image import ImageType
from rawcd.source import SECTOR_BYTES
from rawcd.subcode.rows import PW96_BYTES, RW_BITS
from rawcd.verify.evidence import WINDOW

if TYPE_CHECKING:
    from rawcd.source import Bytes2D
    from rawcd.verify.collecting import Findings
    from rawcd.verify.evidence import Evidence

_READ: Final = 1_536
"""Sectors that hold the largest set of packs three times."""
_FILLED: Final = 1
_WRONG: Final = 0b11110


def check_rw(evidence: Evidence, findings: Findings) -> None:
    """Judge R to W of every sector."""
    if evidence.image.kind is ImageType.PQ_ONLY:
        return
    areas = np.array([run.area is Area.LEAD_IN for run in evidence.survey.runs])
    for window in evidence.windows():
        part, lba = window.facts, window.first_lba
        # What a single frame says of its area may be wrong; the survey has outvoted it.
        texts = areas[window.owners]
        findings.add_where(
            "rw-parity",
            ~texts & (part["graphics"] & _WRONG != 0),
            lba,
            "the parity of an R-W pack is wrong",
        )
        findings.add_where(
            "rw-item",
            ~texts & (part["items"] != 0),
            lba,
            "an R-W pack is of a mode and item that there are not",
        )
        findings.add_where(
            "cdtext-crc", texts & (part["texts"] != 0), lba, "the CRC of a CD-TEXT pack is wrong"
        )
    first = evidence.survey.runs[0]
    if first.area is Area.LEAD_IN and (evidence.of(first)["graphics"] & _FILLED).any():
        _check_texts(evidence, findings)


def _symbols(evidence: Evidence, lba: int, count: int) -> Bytes2D:
    held = np.frombuffer(evidence.image.read(lba, count), np.uint8).reshape(count, -1)
    symbols: Bytes2D = held[:, SECTOR_BYTES : SECTOR_BYTES + PW96_BYTES] & np.uint8(RW_BITS)
    return symbols


def _check_texts(evidence: Evidence, findings: Findings) -> None:
    run = evidence.survey.runs[0]
    symbols = _symbols(evidence, run.lba, min(run.sectors, _READ))
    reading = packs_of_symbols(symbols.tobytes())
    if not reading.packs:
        findings.add("cdtext", run.lba, "R to W of the lead-in hold no pack of CD-TEXT")
        return
    for defect in read_packs(reading.packs).defects:
        findings.add("cdtext", run.lba, f"{defect.code}: {defect.message}")
    cycle = np.frombuffer(lead_in_symbols(reading.packs), np.uint8).reshape(-1, PW96_BYTES)
    phase = _phase(symbols, cycle)
    facts = evidence.of(run)
    for start in range(0, run.sectors, WINDOW):
        count = min(WINDOW, run.sectors - start)
        held = _symbols(evidence, run.lba + start, count)
        turn = (np.arange(start, start + count) + phase) % len(cycle)
        other = (held != cycle[turn]).any(axis=1) & (facts["texts"][start : start + count] == 0)
        findings.add_where(
            "cdtext", other, run.lba + start, "the packs here are not those whose turn it is"
        )


def _phase(symbols: Bytes2D, cycle: Bytes2D) -> int:
    """Return where in the cycle the lead-in begins: where most of its sectors fit."""
    count = min(len(symbols), 2 * len(cycle))
    order = {row.tobytes(): place for place, row in reversed(list(enumerate(cycle)))}
    votes = np.zeros(len(cycle), np.int64)
    for place in range(count):
        found = order.get(symbols[place].tobytes())
        if found is not None:
            votes[(found - place) % len(cycle)] += 1
    return int(votes.argmax())
