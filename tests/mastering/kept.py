"""Recorders for tests: virtual ones whose disc stays in while sessions come and go."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from rawcd.mastering.formats2 import DiscRecorder2
from rawcd_writers.drive.recorder import facts_of
from rawcd_writers.drive.session import DriveSession
from rawcd_writers.drive.transport import CHECK_CONDITION, Answer
from rawcd_writers.drive.virtual import blank_named
from rawcd_writers.drive.virtual.device import VirtualRecorder
from rawcd_writers.drive.virtual.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Callable

    from _typeshed import ReadableBuffer

    from rawcd.recorders import RecorderFacts

_NUMBERS = itertools.count(1)
INQUIRY = 0x12
MODE_SENSE = 0x5A
GET_CONFIGURATION = 0x46
DISC_INFORMATION = 0x51
WRITE = 0x2A
BLANK = 0xA1


def check_condition(key: int, code: int, qualifier: int) -> Answer:
    """What a drive answers that has something to say."""
    sense = bytes([0x70, 0, key, 0, 0, 0, 0, 10, 0, 0, 0, 0, code, qualifier, 0, 0, 0, 0])
    return Answer(status=CHECK_CONDITION, data=b"", sense=sense)


class Wire:
    """A transport to a recorder that outlives it.

    Attributes:
        before: asked first; what it returns is the answer.
        opcodes: what was sent.
    """

    def __init__(self, drive: VirtualRecorder, name: str) -> None:
        self.drive, self.name = drive, name
        self.max_bytes, self.clock = 63_648, drive.clock
        self.before: Callable[[bytes], Answer | None] = lambda cdb: None
        self.opcodes: list[int] = []

    def execute(
        self,
        cdb: bytes,
        *,
        data_out: ReadableBuffer = b"",
        data_in: int = 0,
        timeout: float = 30.0,
    ) -> Answer:
        self.opcodes.append(cdb[0])
        told = self.before(cdb)
        if told is not None:
            return told
        return self.drive.execute(cdb, data_out=data_out, data_in=data_in, timeout=timeout)

    def close(self) -> None:
        pass


class KeptRecorder:
    """A recorder of the kernel's shape, over one virtual drive.

    Attributes:
        opened: how often a session was asked for, exclusive or not.
    """

    def __init__(self, kind: str = "cdr-short", *faults: str, empty: bool = False) -> None:
        self.name = name = f"kept:{next(_NUMBERS)}"
        self.drive = VirtualRecorder(
            blank=blank_named(kind), empty=empty, faults=[Fault.parse(each) for each in faults]
        )
        self.wire = Wire(self.drive, name)
        self.opened: list[bool] = []

    def open(self, *, exclusive: bool = True, client: str = "rawcd") -> DriveSession:
        self.opened.append(exclusive)
        return DriveSession(self.wire, client=client)

    def facts(self) -> RecorderFacts:
        with self.open(exclusive=False) as session:
            return facts_of(session)

    def disc(self) -> bytes:
        """Every sector that is recorded, from the lead-in on."""
        medium = self.drive.medium
        assert medium is not None
        store = medium.store
        return store.read(store.first_lba, store.end_lba - store.first_lba).tobytes()

    def say(self, key: int, code: int, qualifier: int) -> None:
        """Answer everything but INQUIRY with sense data from now on."""
        answer = check_condition(key, code, qualifier)
        self.wire.before = lambda cdb: None if cdb[0] == INQUIRY else answer

    def be_silent(self) -> None:
        """Give no answer from now on."""
        self.drive.close()


def recorder(kind: str = "cdr-short", *faults: str, empty: bool = False) -> DiscRecorder2:
    """A recorder of IMAPI's shape, over a drive of its own."""
    return DiscRecorder2(KeptRecorder(kind, *faults, empty=empty))


def kept_of(given: DiscRecorder2) -> KeptRecorder:
    """The drive behind it."""
    behind = given.recorder
    assert isinstance(behind, KeptRecorder)
    return behind
