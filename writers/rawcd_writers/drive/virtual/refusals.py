"""What the virtual recorder refuses, as sense data (SPC fixed format; MMC annex of sense codes)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import construct

from rawcd_writers.drive.transport import CHECK_CONDITION, Answer

_FIXED: Final = construct.Struct(
    "response" / construct.Byte,  # bit 7: the information field is valid; 70h: current
    construct.Padding(1),
    "key" / construct.Byte,
    "information" / construct.Int32sb,  # an LBA
    construct.Const(b"\x0a"),  # bytes that follow
    construct.Padding(4),
    "code" / construct.Byte,
    "qualifier" / construct.Byte,
    construct.Padding(1),
    "specific" / construct.Bytes(3),  # bit 7 of the first: valid; bit 6: of the CDB
)
"""Stated here for itself: the host's own reading of it must not share its mistakes."""
_CURRENT: Final = 0x70
_VALID: Final = 0x80
_SPECIFIC: Final = 0x80
_IN_CDB: Final = 0x40
_PROGRESS: Final = 0x80


@dataclass(frozen=True, slots=True)
class Sense:
    """Sense key, additional sense code and qualifier."""

    key: int
    code: int
    qualifier: int


NO_SENSE: Final = Sense(0x0, 0x00, 0x00)
BECOMING_READY: Final = Sense(0x2, 0x04, 0x01)
OPERATION_IN_PROGRESS: Final = Sense(0x2, 0x04, 0x07)
LONG_WRITE: Final = Sense(0x2, 0x04, 0x08)
NO_MEDIUM: Final = Sense(0x2, 0x3A, 0x01)
TRAY_OPEN: Final = Sense(0x2, 0x3A, 0x02)
WRITE_ERROR: Final = Sense(0x3, 0x0C, 0x00)
UNDERRUN: Final = Sense(0x3, 0x0C, 0x09)
READ_ERROR: Final = Sense(0x3, 0x11, 0x00)
FIXATION_ERROR: Final = Sense(0x3, 0x72, 0x00)
LIST_LENGTH: Final = Sense(0x5, 0x1A, 0x00)
INVALID_OPCODE: Final = Sense(0x5, 0x20, 0x00)
OUT_OF_RANGE: Final = Sense(0x5, 0x21, 0x00)
INVALID_ADDRESS: Final = Sense(0x5, 0x21, 0x02)
INVALID_CDB: Final = Sense(0x5, 0x24, 0x00)
INVALID_PARAMETER: Final = Sense(0x5, 0x26, 0x00)
INVALID_VALUE: Final = Sense(0x5, 0x26, 0x02)
SEQUENCE_ERROR: Final = Sense(0x5, 0x2C, 0x00)
INCOMPATIBLE_MEDIUM: Final = Sense(0x5, 0x30, 0x05)
CANNOT_FORMAT: Final = Sense(0x5, 0x30, 0x06)
SAVING_UNSUPPORTED: Final = Sense(0x5, 0x39, 0x00)
REMOVAL_PREVENTED: Final = Sense(0x5, 0x53, 0x02)
END_OF_TRACK: Final = Sense(0x5, 0x63, 0x00)
ILLEGAL_MODE: Final = Sense(0x5, 0x64, 0x00)
TRACK_INCOMPLETE: Final = Sense(0x5, 0x72, 0x03)
TRACK_EMPTY: Final = Sense(0x5, 0x72, 0x04)
MEDIUM_CHANGED: Final = Sense(0x6, 0x28, 0x00)
POWER_ON: Final = Sense(0x6, 0x29, 0x00)
BUS_RESET: Final = Sense(0x6, 0x29, 0x02)
ABORTED: Final = Sense(0xB, 0x00, 0x00)


class Refusal(Exception):
    """A command that ends in CHECK CONDITION.

    Attributes:
        sense: the triple.
        why: the rule, for people; kept on `VirtualRecorder.complaints`.
        lba: the information field.
        field: the wrong byte, of the CDB or of the parameter list.
        in_cdb: which of the two.
        progress: 0..65535, of an operation under way.
    """

    def __init__(
        self,
        sense: Sense,
        why: str,
        *,
        lba: int | None = None,
        field: int | None = None,
        in_cdb: bool = False,
        progress: int | None = None,
    ) -> None:
        super().__init__(why)
        self.sense = sense
        self.why = why
        self.lba = lba
        self.field = field
        self.in_cdb = in_cdb
        self.progress = progress

    def data(self) -> bytes:
        """Return the 18 bytes of sense data."""
        specific = bytes(3)
        if self.field is not None:
            flags = _SPECIFIC | (_IN_CDB if self.in_cdb else 0)
            specific = bytes([flags]) + min(self.field, 0xFFFF).to_bytes(2, "big")
        elif self.progress is not None:
            specific = bytes([_PROGRESS]) + self.progress.to_bytes(2, "big")
        return _FIXED.build(
            {
                "response": _CURRENT | (_VALID if self.lba is not None else 0),
                "key": self.sense.key,
                "information": self.lba or 0,
                "code": self.sense.code,
                "qualifier": self.sense.qualifier,
                "specific": specific,
            }
        )

    def answer(self, residual: int) -> Answer:
        """Return the answer to the command; nothing of its data was transferred."""
        return Answer(status=CHECK_CONDITION, data=b"", sense=self.data(), residual=residual)


class BadSpot(Refusal):
    """A sector that cannot be written, whoever makes what it would hold: the session is lost."""

    def __init__(self, lba: int) -> None:
        super().__init__(WRITE_ERROR, f"LBA {lba} cannot be written, to order", lba=lba)


def bad_cdb(field: int, why: str) -> Refusal:
    """Return the refusal of a CDB for one of its bytes."""
    return Refusal(INVALID_CDB, why, field=field, in_cdb=True)


def bad_parameter(field: int, why: str) -> Refusal:
    """Return the refusal of a parameter list for one of its bytes."""
    return Refusal(INVALID_PARAMETER, why, field=field)
