"""One fault at a time at every place of a drive's work, and what must hold whatever happens then.

A work (a burn, an erasing, a copy) is done once undisturbed, and its CDBs are the places where
faults can be ordered. Then it is done again for each place, and judged.
"""

from __future__ import annotations

import os
import signal
import threading
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, Protocol

from hypothesis import settings

from rawcd.errors import DriveError, StorageError
from rawcd_writers.drive.session import DriveSession
from rawcd_writers.drive.virtual import Fault, VirtualRecorder, blank_named

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import pytest
    from _typeshed import ReadableBuffer

    from rawcd_writers.drive.transport import Answer

EVERYWHERE: Final = (
    os.environ.get("RAWCD_SWEEP") == "1" or settings.get_current_profile_name() == "night"
)
"""Whether each CDB has its turn, the hundreds of WRITEs and READs too."""
BULK: Final = (0x2A, 0xBE)
"""WRITE(10) and READ CD: alike by the hundred."""
NAMES: Final = {
    0x00: "TEST UNIT READY",
    0x12: "INQUIRY",
    0x1E: "PREVENT ALLOW MEDIUM REMOVAL",
    0x2A: "WRITE(10)",
    0x35: "SYNCHRONIZE CACHE(10)",
    0x43: "READ TOC/PMA/ATIP",
    0x46: "GET CONFIGURATION",
    0x51: "READ DISC INFORMATION",
    0x52: "READ TRACK INFORMATION",
    0x54: "SEND OPC INFORMATION",
    0x55: "MODE SELECT(10)",
    0x5B: "CLOSE TRACK/SESSION",
    0x5D: "SEND CUE SHEET",
    0xA1: "BLANK",
    0xBB: "SET CD SPEED",
    0xBE: "READ CD",
}
"""The commands of a burn as MMC calls them: what an error has to name."""
_REAL_SECONDS: Final = 60.0
_SIMULATED_SECONDS: Final = 3600.0
_EJECT: Final = bytes([0x1B, 0, 0, 0, 2, 0])
_REMOVAL_PREVENTED: Final = (5, 0x53, 2)


class Outcome(Enum):
    """How a disturbed work ended."""

    DONE = "done"
    """It went on, and what it made is right."""
    FAILED = "failed"
    """It ended in an error that names its cause and the disc's state."""


DONE: Final = frozenset({Outcome.DONE})
FAILED: Final = frozenset({Outcome.FAILED})
EITHER: Final = DONE | FAILED


class Hanging(BaseException):
    """A work that did not end."""


class Line:
    """A transport that notes the CDBs; closing it leaves the recorder on, as a cable does."""

    def __init__(self, recorder: VirtualRecorder) -> None:
        self.recorder = recorder
        self.name, self.max_bytes, self.clock = recorder.name, 131_072, recorder.clock
        self.cdbs: list[bytes] = []
        self.closed = 0

    def execute(
        self,
        cdb: bytes,
        *,
        data_out: ReadableBuffer = b"",
        data_in: int = 0,
        timeout: float = 30.0,
    ) -> Answer:
        """Hand a command on; see `Transport`."""
        self.cdbs.append(cdb)
        return self.recorder.execute(cdb, data_out=data_out, data_in=data_in, timeout=timeout)

    def close(self) -> None:
        """Count it."""
        self.closed += 1

    @property
    def opcodes(self) -> list[int]:
        """What was asked for."""
        return [cdb[0] for cdb in self.cdbs]


class Work(Protocol):
    """Something that is done with a drive."""

    def drive(self, *faults: Fault, path: Path | None = None) -> VirtualRecorder:
        """Return a recorder with the disc that the work begins with."""
        ...

    def run(self, session: DriveSession) -> Any:
        """Do it, and return what was done."""
        ...

    def judge(self, result: Any, drive: VirtualRecorder) -> None:
        """See that what was done is right."""
        ...

    def judge_failure(self, error: Any, line: Line) -> None:
        """See that an error tells the truth about the disc."""
        ...


@dataclass(slots=True)
class Tally:
    """How often which kind of fault had which outcome, by work."""

    counts: dict[tuple[str, str], Counter[Outcome]] = field(default_factory=dict)

    def add(self, kind: str, work: str, outcome: Outcome) -> None:
        """Count one."""
        self.counts.setdefault((kind, work), Counter())[outcome] += 1

    def show(self, config: pytest.Config) -> None:
        """Print the table where everybody sees it, captured output or not."""
        capture: Any = config.pluginmanager.getplugin("capturemanager")
        with capture.global_and_fixture_disabled():
            print(f"\n{self.table()}")

    def table(self) -> str:
        """Return kinds against works, `done/failed` in each cell."""
        kinds = list(dict.fromkeys(kind for kind, _ in self.counts))
        works = list(dict.fromkeys(work for _, work in self.counts))
        rows = [["done/failed", *works]]
        for kind in kinds:
            cells = [self.counts.get((kind, work)) for work in works]
            rows.append(
                [kind, *("-" if c is None else "/".join(str(c[o]) for o in Outcome) for c in cells)]
            )
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        return "\n".join(
            "  ".join(
                cell.rjust(width) if place else cell.ljust(width)
                for place, (cell, width) in enumerate(zip(row, widths, strict=True))
            )
            for row in rows
        )


@contextmanager
def watchdog(what: str) -> Iterator[None]:
    """End a case that hangs, by the real clock."""

    def bark(*_: object) -> None:
        raise Hanging(what)

    before = signal.signal(signal.SIGALRM, bark)
    signal.setitimer(signal.ITIMER_REAL, _REAL_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def undisturbed(work: Work) -> Line:
    """Do a work without a fault and judge it; return what was asked of the drive."""
    line = Line(work.drive())
    with DriveSession(line) as session:
        session.identity()
        result = work.run(session)
    work.judge(result, line.recorder)
    line.recorder.close()
    return line


def disturbed(
    work: Work, *faults: Fault, path: Path | None = None, cause: Callable[[Any], None]
) -> Outcome:
    """Do a work with faults, and see what must hold whatever happens.

    Args:
        work: what is done.
        faults: what goes wrong.
        path: the file that holds the disc; None keeps it in memory as long as the drive is on.
        cause: sees that an error names what went wrong.
    """
    threads = set(threading.enumerate())
    line = Line(work.drive(*faults, path=path))
    error: DriveError | StorageError | None = None
    result = None
    with watchdog(str(faults)):
        try:
            with DriveSession(line) as session:
                session.identity()
                result = work.run(session)
        except (DriveError, StorageError) as caught:  # the latter out of an image's source
            error = caught
    assert set(threading.enumerate()) == threads, "a thread was left behind"
    assert line.closed == 1, "the drive is still held"
    assert line.clock.now() < _SIMULATED_SECONDS
    if error is not None:
        cause(error)
        work.judge_failure(error, line)
    else:
        work.judge(result, line.recorder)
    if is_on(line.recorder):
        answer = line.recorder.execute(_EJECT)
        assert sense_of(answer) != _REMOVAL_PREVENTED, "the tray is locked"
    line.recorder.close()
    return Outcome.DONE if error is None else Outcome.FAILED


def sense_of(answer: Answer) -> tuple[int, int, int] | None:
    """Return the triple of sense data of the fixed form."""
    return (answer.sense[2] & 15, answer.sense[12], answer.sense[13]) if answer.sense else None


def is_on(drive: VirtualRecorder) -> bool:
    """Tell whether a recorder answers at all."""
    try:
        drive.execute(bytes([0x12, 0, 0, 0, 36, 0]), data_in=36)
    except DriveError:
        return False
    return True


def places(line: Line, borders: tuple[int, ...] = ()) -> list[int]:
    """Return the numbers, from 1 on, of the CDBs that have their turn.

    Args:
        line: an undisturbed run.
        borders: where areas begin: WRITEs and READs that touch them are taken, the first two,
            and the last.
    """
    if EVERYWHERE:
        return list(range(1, len(line.cdbs) + 1))
    bulk = [number for number, cdb in enumerate(line.cdbs, 1) if cdb[0] in BULK]
    chosen = {number for number, cdb in enumerate(line.cdbs, 1) if cdb[0] not in BULK}
    chosen.update(bulk[:2], bulk[-1:])
    for number in bulk:
        first, count = stretch(line.cdbs[number - 1])
        if any(first <= border <= first + count for border in borders):
            chosen.add(number)
    return sorted(chosen)


def stretch(cdb: bytes) -> tuple[int, int]:
    """Return first address and count of a WRITE(10) or READ CD."""
    count = cdb[7:9] if cdb[0] == 0x2A else cdb[6:9]
    return int.from_bytes(cdb[2:6], signed=True), int.from_bytes(count)


def short_medium(
    *faults: Fault, path: Path | None = None, rewritable: bool = False
) -> VirtualRecorder:
    """Return a recorder with a blank that has the shortest lead-in."""
    kind = "cdrw-short" if rewritable else "cdr-short"
    return VirtualRecorder(path, blank=blank_named(kind), faults=faults)
