"""Erasing, copying and comparing with one fault each: see `test_fault_sweep`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pytest

import rawcd
from rawcd_writers.drive.session import DriveSession
from rawcd_writers.drive.virtual import Fault, FaultKind, VirtualRecorder
from tests.writers.drive.burning import sound
from tests.writers.drive.sweep import (
    DONE,
    EITHER,
    FAILED,
    NAMES,
    Line,
    Tally,
    disturbed,
    is_on,
    places,
    short_medium,
    undisturbed,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from rawcd.errors import DriveError, RawCDError
    from rawcd.image import RegionImage
    from tests.writers.drive.sweep import Outcome, Work

BLANK: Final = 0xA1
UNLOCKED: Final = bytes([0x1E, 0, 0, 0, 0, 0])
TEXT: Final = bytes([0x43, 0, 5])


@cache
def tone() -> RegionImage:
    """One track of sound."""
    creator = rawcd.RawCDImageCreator()
    creator.media_catalog_number = "4006381333931"
    creator.track_info(creator.add_track(sound(300))).isrc = "USRC17607839"
    return creator.create_result_image()


pytestmark = pytest.mark.slow


def written(*faults: Fault, rewritable: bool) -> VirtualRecorder:
    """Return a recorder with a disc in it; the faults are ordered when it is there."""
    drive = short_medium(rewritable=rewritable)
    DriveSession(Line(drive)).burn(tone(), mode="tao")
    drive.order(*faults)
    return drive


@dataclass(frozen=True)
class Erasing:
    """The erasing of a CD-RW."""

    name = "blank"

    def drive(self, *faults: Fault, path: Path | None = None) -> VirtualRecorder:
        del path
        return written(*faults, rewritable=True)

    def run(self, session: DriveSession) -> None:
        session.blank()

    def judge(self, result: Any, drive: VirtualRecorder) -> None:
        del result
        assert drive.medium is not None
        assert drive.medium.status == 0

    def judge_failure(self, error: DriveError, line: Line) -> None:
        state = error.disc_state
        if BLANK not in line.opcodes:
            assert state in (None, "nothing was erased")
            return
        assert state is not None
        assert state.startswith("erasing was begun; ")
        drive = line.recorder
        assert drive.medium is not None
        if is_on(drive) and "not known" not in state:
            words = ("the disc is blank", "", "the disc is closed")[drive.medium.status]
            assert state.endswith(words)


@dataclass(frozen=True)
class Reading:
    """The copying of a disc, main channel and subcode."""

    name = "read"

    def drive(self, *faults: Fault, path: Path | None = None) -> VirtualRecorder:
        del path
        return written(*faults, rewritable=False)

    def run(self, session: DriveSession) -> Any:
        image, _ = session.image()
        first, end = -150, image.disc.sessions[0].lead_out_lba
        return image.disc, image.read(first, end - first)

    def judge(self, result: Any, drive: VirtualRecorder) -> None:
        disc, sectors = result
        assert drive.medium is not None
        assert disc.tracks == drive.medium.disc.tracks if drive.medium.disc else False
        assert disc.mcn == tone().disc.mcn
        held = np.frombuffer(sectors, np.uint8).reshape(-1, 2448)
        if is_on(drive):
            assert np.array_equal(held, drive.medium.read(-150, len(held)))

    def judge_failure(self, error: RawCDError, line: Line) -> None:
        del error, line  # nothing was written


@dataclass(frozen=True)
class Comparing(Reading):
    """The comparison of a disc with what was burned."""

    name = "verify"

    def run(self, session: DriveSession) -> Any:
        return session.differences(tone(), "tao")

    def judge(self, result: Any, drive: VirtualRecorder) -> None:
        assert result == ()


@cache
def run_of(work: Work) -> Line:
    """Return the undisturbed run of a work."""
    return undisturbed(work)


WORKS: Final = (Erasing(), Reading(), Comparing())
SENSES: Final = {
    "not-ready": (2, 4, 1),
    "long-write": (2, 4, 8),
    "aborted": (0xB, 0, 0),
    "bus-reset": (6, 0x29, 2),
    "medium-change": (6, 0x28, 0),
}


def expected(kind: str, work: Work, line: Line, number: int) -> frozenset[Outcome]:
    """Return what has to come of a fault at a CDB, from what it means.

    A busy drive is waited for. A reset undoes nothing that was read, and an erasing that it ended
    shows in the disc's state; but a disc that may be another one is neither erased nor read on. At
    the table of contents it may come in time: all that follows is of that other disc. What the
    drive gave up is an error, but for sectors, which are read again, and for CD-TEXT, where a note
    tells of it.
    """
    opcodes = line.opcodes
    code = opcodes[number - 1]
    if isinstance(work, Erasing):
        begun = opcodes.index(BLANK) + 1
        checked = opcodes.index(0x51, begun) + 1
        unlocked = line.cdbs.index(UNLOCKED, checked) + 1
        if number >= unlocked:
            return DONE
        changed = FAILED if number == begun else DONE
    else:
        late = {0xBE: FAILED, 0x43: EITHER} if kind == "medium-change" else {}
        changed = late.get(code, DONE)
    if kind in ("not-ready", "long-write", "busy"):
        return DONE
    if kind in ("bus-reset", "medium-change"):
        return changed
    if kind == "short":
        return EITHER if code == 0xBE else DONE
    if kind == "aborted" and code == 0xBE:
        return DONE
    return EITHER if kind == "aborted" and line.cdbs[number - 1][:3] == TEXT else FAILED


@pytest.fixture(scope="module")
def tally(request: pytest.FixtureRequest) -> Iterator[Tally]:
    """Counts outcomes, and prints the table when all is done."""
    found = Tally()
    yield found
    found.show(request.config)


@pytest.mark.parametrize("work", WORKS, ids=lambda work: work.name)
@pytest.mark.parametrize("kind", [kind for kind in FaultKind if kind.value[-2:] != "or"])
def test_a_fault_at_any_command(kind: FaultKind, work: Any, tally: Tally) -> None:
    line = run_of(work)
    times = 3 if kind.value in ("not-ready", "long-write", "busy") else 1

    names = {NAMES[code] for code in line.opcodes}

    def cause(error: RawCDError) -> None:
        assert any(name in str(error) for name in names)
        sense = SENSES.get(kind.value)
        assert sense is None or "{:02X}/{:02X}/{:02X} (".format(*sense) in str(error)

    if kind is FaultKind.SLOW_HOST:
        fault = Fault(kind=kind, seconds=0.5)
        tally.add(kind.value, work.name, disturbed(work, fault, cause=cause))
        return
    for number in places(line, (0, 300)):
        fault = Fault(kind=kind, number=number, times=times)
        outcome = disturbed(work, replace(fault), cause=cause)
        tally.add(kind.value, work.name, outcome)
        code = line.opcodes[number - 1]
        where = f"{kind.value} at CDB {number} of {len(line.cdbs)} ({code:02X}h)"
        assert outcome in expected(kind.value, work, line, number), where


@pytest.mark.parametrize("lba", [0, 1, 150, 299])
def test_a_sector_that_cannot_be_read_is_told(lba: int, tally: Tally) -> None:
    def cause(error: RawCDError) -> None:
        assert f"READ CD at LBA {lba}: 03/11/00" in str(error)

    fault = Fault(kind=FaultKind.MEDIUM_ERROR, lba=lba)
    outcome = disturbed(Reading(), fault, cause=cause)
    tally.add("medium-error", Reading.name, outcome)
    assert outcome in FAILED
    with DriveSession(written(fault, rewritable=False)) as session:
        told = session.differences(tone(), "tao")
    assert told
    assert all(f"LBA {lba} " in line for line in told[:1])
