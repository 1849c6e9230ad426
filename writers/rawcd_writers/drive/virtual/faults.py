"""Faults to order: what goes wrong, and when.

A fault is written `KIND@WHEN` or `KIND@WHEN*TIMES`. WHEN is a command by its number from 1 on
(`12`), by its name and which of those it is (`write.3`, `sync.1`), or, for medium errors, an
address (`lba=1200`); a sector is bad for ever unless TIMES says how often it fails.
`slow-host@0.5` is no event: the host takes so many seconds per command.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from enum import Enum
from typing import Final

from rawcd.errors import UnsupportedError


class FaultKind(Enum):
    """What goes wrong."""

    MEDIUM_ERROR = "medium-error"
    """Writing or reading an address fails: 03/0C/00 or 03/11/00."""
    ABORTED = "aborted"
    """The command ends in 0B/00/00 and nothing of it happened."""
    NOT_READY = "not-ready"
    """02/04/01 for as many commands as TIMES says."""
    LONG_WRITE = "long-write"
    """02/04/08 for as many WRITEs as TIMES says: try again."""
    BUSY = "busy"
    """Status BUSY for as many commands as TIMES says."""
    BUS_RESET = "bus-reset"
    """The bus was reset: what was under way is lost, and 06/29/02 tells of it."""
    SHORT = "short"
    """Half of the transfer takes place, with GOOD status and a residual."""
    POWER_LOSS = "power-loss"
    """The drive is gone, this command and all after it: no answer at all."""
    MEDIUM_CHANGE = "medium-change"
    """The medium was taken out and put in again: 06/28/00."""
    SLOW_HOST = "slow-host"
    """The host takes seconds for each command."""


_TEXT: Final = re.compile(
    r"(?P<kind>[a-z-]+)@"
    r"(?:lba=(?P<lba>-?\d{1,9})"
    r"|(?P<name>[a-z-]+)\.(?P<nth>\d{1,9})"
    r"|(?P<number>\d{1,9}(?:\.\d{1,9})?))"
    r"(?:\*(?P<times>\d{1,9}))?"
)
NAMES: Final = {
    "ready": (0x00,),
    "sense": (0x03,),
    "inquiry": (0x12,),
    "select": (0x15, 0x55),
    "modes": (0x1A, 0x5A),
    "unit": (0x1B,),
    "prevent": (0x1E,),
    "capacity": (0x25,),
    "read": (0xBE, 0xB9, 0x28, 0xA8),
    "write": (0x2A, 0xAA),
    "sync": (0x35,),
    "toc": (0x43,),
    "configuration": (0x46,),
    "event": (0x4A,),
    "disc": (0x51,),
    "track": (0x52,),
    "reserve": (0x53,),
    "opc": (0x54,),
    "close": (0x5B,),
    "buffer": (0x5C,),
    "cue": (0x5D,),
    "blank": (0xA1,),
    "performance": (0xAC,),
    "streaming": (0xB6,),
    "speed": (0xBB,),
}
"""What a fault calls the commands."""


_FOR_EVER: Final = sys.maxsize


@dataclass(slots=True, kw_only=True)
class Fault:
    """One fault; it counts down as it happens.

    Attributes:
        kind: what goes wrong.
        number: the command's number, from 1 on; None where a name or an address tells.
        name: a key of `NAMES`.
        nth: which command of that name.
        lba: of medium errors.
        times: how often it happens; 0 leaves it to the kind: a sector is bad for ever, everything
            else happens once.
        seconds: of a slow host.
    """

    kind: FaultKind
    number: int | None = None
    name: str | None = None
    nth: int = 1
    lba: int | None = None
    times: int = 0
    seconds: float = 0.0
    begun: bool = False

    def __post_init__(self) -> None:
        self.times = self.times or (1 if self.lba is None else _FOR_EVER)

    @classmethod
    def parse(cls, text: str) -> Fault:
        """Read a fault as a user writes it.

        Raises:
            UnsupportedError: there is no such fault.
        """
        match = _TEXT.fullmatch(text)
        kinds = {kind.value: kind for kind in FaultKind}
        if match is None or match["kind"] not in kinds:
            raise UnsupportedError(
                f"no fault {text!r}: write KIND@WHEN or KIND@WHEN*TIMES, KIND one of "
                f"{', '.join(kinds)}, WHEN a command's number, NAME.N, or lba=N"
            )
        kind = kinds[match["kind"]]
        if match["name"] is not None and match["name"] not in NAMES:
            raise UnsupportedError(f"no command {match['name']!r}; there are {', '.join(NAMES)}")
        if (match["lba"] is not None) != (kind is FaultKind.MEDIUM_ERROR):
            raise UnsupportedError(f"{text!r}: lba= goes with medium-error, and with it alone")
        number = match["number"]
        if kind is FaultKind.SLOW_HOST:
            if number is None:
                raise UnsupportedError(f"{text!r}: write slow-host@SECONDS")
            return cls(kind=kind, seconds=float(number))
        if number is not None and "." in number:
            raise UnsupportedError(f"{text!r}: a command's number is whole")
        if 0 in (int(each) for each in (number, match["nth"], match["times"]) if each is not None):
            raise UnsupportedError(f"{text!r}: commands, and TIMES, are counted from 1 on")
        return cls(
            kind=kind,
            number=None if number is None else int(number),
            name=match["name"],
            nth=int(match["nth"] or 1),
            lba=None if match["lba"] is None else int(match["lba"]),
            times=int(match["times"] or 0),
        )


class Faults:
    """The faults of a run, and which command it is at.

    Args:
        faults: what is to happen.
    """

    def __init__(self, faults: tuple[Fault, ...] = ()) -> None:
        self._faults = list(faults)
        self._commands = 0
        self._by_opcode: dict[int, int] = {}
        self.host_seconds = sum(each.seconds for each in faults)

    def due(self, opcode: int) -> FaultKind | None:
        """Count a command; return what goes wrong with it."""
        self._commands += 1
        self._by_opcode[opcode] = self._by_opcode.get(opcode, 0) + 1
        for fault in self._faults:
            if fault.lba is not None or not fault.times or fault.kind is FaultKind.SLOW_HOST:
                continue
            if fault.name is not None:
                opcodes = NAMES[fault.name]
                count = sum(self._by_opcode.get(each, 0) for each in opcodes)
                meant = opcode in opcodes and count == fault.nth
            else:
                meant = self._commands == fault.number
            if meant or fault.begun:
                fault.begun = True
                fault.times -= 1
                return fault.kind
        return None

    def bad_sector(self, lba: int, count: int) -> int | None:
        """Return the first address of a stretch that cannot be written or read; count its fault."""
        bad = [
            (fault.lba, fault)
            for fault in self._faults
            if fault.lba is not None and fault.times and lba <= fault.lba < lba + count
        ]
        if not bad:
            return None
        first, fault = min(bad, key=lambda each: each[0])
        fault.times -= 1
        return first
