"""Sense data: why a drive did not do what it was told (SPC, sense data; MMC annex F).

Both forms are read, fixed (70h, 71h) and descriptor (72h, 73h), short ones too: drives cut them
off where they like.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import Final

import construct

_FIXED: Final = construct.Struct(
    "response" / construct.Byte,  # bit 7: information is valid
    construct.Byte,
    "key" / construct.Byte,  # bits 3..0
    "information" / construct.Int32sb,
    construct.Byte,
    "command_information" / construct.Bytes(4),
    "asc" / construct.Byte,
    "ascq" / construct.Byte,
    construct.Byte,
    "specific" / construct.Bytes(3),  # bit 7 of the first: valid
)
_DESCRIPTOR: Final = construct.Struct(
    "response" / construct.Byte,
    "key" / construct.Byte,  # bits 3..0
    "asc" / construct.Byte,
    "ascq" / construct.Byte,
    construct.Bytes(3),
    "length" / construct.Byte,
)
_INFORMATION: Final = construct.Struct(
    construct.Const(b"\x00\x0a"),
    "valid" / construct.Byte,  # bit 7
    construct.Byte,
    "information" / construct.Int64sb,
)
_SPECIFIC: Final = construct.Struct(
    construct.Const(b"\x02\x06"),
    construct.Bytes(2),
    "specific" / construct.Bytes(3),
    construct.Byte,
)
_PROGRESS_UNITS: Final = 65_536


class SenseKey(IntEnum):
    """What kind of trouble it is."""

    NO_SENSE = 0x0
    RECOVERED_ERROR = 0x1
    NOT_READY = 0x2
    MEDIUM_ERROR = 0x3
    HARDWARE_ERROR = 0x4
    ILLEGAL_REQUEST = 0x5
    UNIT_ATTENTION = 0x6
    DATA_PROTECT = 0x7
    BLANK_CHECK = 0x8
    VENDOR_SPECIFIC = 0x9
    COPY_ABORTED = 0xA
    ABORTED_COMMAND = 0xB
    RESERVED_C = 0xC
    VOLUME_OVERFLOW = 0xD
    MISCOMPARE = 0xE
    COMPLETED = 0xF


class Action(Enum):
    """What is to be done about it."""

    GO_ON = "the command was carried out"
    WAIT = "the drive is busy: ask again after a pause"
    ASK_AGAIN = "the drive's state has changed: look at it, then ask once more"
    STOP = "the command has failed"


_BUSY: Final = {(0x04, 0x01), (0x04, 0x04), (0x04, 0x07), (0x04, 0x08)}
"""ASC and ASCQ of a drive that is not ready and soon will be."""

_KEY_WORDS: Final = {
    SenseKey.NO_SENSE: "nothing to report",
    SenseKey.RECOVERED_ERROR: "recovered by the drive",
    SenseKey.NOT_READY: "not ready",
    SenseKey.MEDIUM_ERROR: "error of the disc",
    SenseKey.HARDWARE_ERROR: "error of the drive",
    SenseKey.ILLEGAL_REQUEST: "refused request",
    SenseKey.UNIT_ATTENTION: "the drive's state has changed",
    SenseKey.DATA_PROTECT: "the disc is protected",
    SenseKey.BLANK_CHECK: "blank where there should be data, or data where it should be blank",
    SenseKey.ABORTED_COMMAND: "the drive gave the command up",
}
_WORDS: Final = {
    (0x00, 0x00): "no further detail",
    (0x02, 0x00): "the pick-up did not find its place",
    (0x04, 0x00): "not ready, the drive does not say why",
    (0x04, 0x01): "becoming ready",
    (0x04, 0x02): "the drive has to be started first",
    (0x04, 0x03): "somebody has to look after the drive",
    (0x04, 0x04): "formatting or blanking is under way",
    (0x04, 0x07): "an operation is under way",
    (0x04, 0x08): "a long write is under way",
    (0x08, 0x00): "the drive's electronics do not understand one another",
    (0x08, 0x01): "the drive's electronics did not answer in time",
    (0x08, 0x02): "parity error on the way to the drive",
    (0x08, 0x03): "checksum error on the way to the drive",
    (0x09, 0x00): "lost the track while following it",
    (0x09, 0x01): "the tracking servo failed",
    (0x09, 0x02): "the focus servo failed",
    (0x09, 0x03): "the spindle servo failed",
    (0x0C, 0x00): "write error",
    (0x0C, 0x07): "write error, and mending it may help",
    (0x0C, 0x08): "write error, and mending it did not help",
    (0x0C, 0x09): "data came too late: the buffer ran empty while the laser was on",
    (0x0C, 0x0A): "write error in the padding blocks",
    (0x11, 0x00): "a sector could not be read",
    (0x11, 0x01): "a sector could not be read in all retries",
    (0x11, 0x02): "a sector has more errors than can be corrected",
    (0x11, 0x05): "second-layer correction of a sector failed",
    (0x11, 0x06): "first-layer correction of a sector failed",
    (0x15, 0x00): "the pick-up is not where it should be",
    (0x1A, 0x00): "a parameter list has the wrong length",
    (0x20, 0x00): "the drive does not know the command",
    (0x21, 0x00): "the address is outside the disc",
    (0x21, 0x02): "not the address at which writing goes on",
    (0x24, 0x00): "a field of the command is not what the drive takes",
    (0x25, 0x00): "there is no such logical unit",
    (0x26, 0x00): "a field of the parameters is not what the drive takes",
    (0x26, 0x01): "the drive does not know a parameter",
    (0x26, 0x02): "a parameter's value is not one the drive takes",
    (0x27, 0x00): "the disc is write-protected",
    (0x28, 0x00): "the disc was changed, or the tray was moved",
    (0x29, 0x00): "the drive was switched on or reset",
    (0x2A, 0x01): "somebody changed the drive's mode parameters",
    (0x2C, 0x00): "commands came in the wrong order",
    (0x2E, 0x00): "there was no time left for the command",
    (0x30, 0x00): "the disc does not go with the drive",
    (0x30, 0x01): "the disc's format is not known",
    (0x30, 0x02): "the disc's format does not go with the command",
    (0x30, 0x05): "the disc's format is not one that can be written on",
    (0x30, 0x06): "the disc's format is not one that can be formatted",
    (0x31, 0x00): "the disc's format is damaged",
    (0x3A, 0x00): "there is no disc",
    (0x3A, 0x01): "there is no disc, and the tray is closed",
    (0x3A, 0x02): "there is no disc, and the tray is open",
    (0x3D, 0x00): "bits are set that should be zero",
    (0x3E, 0x02): "the command took too long",
    (0x44, 0x00): "the drive failed inside",
    (0x47, 0x00): "parity error on the bus",
    (0x51, 0x00): "erasing failed",
    (0x53, 0x00): "loading or ejecting failed",
    (0x53, 0x02): "the disc is locked in",
    (0x57, 0x00): "the table of contents cannot be read",
    (0x5D, 0x00): "the drive expects to fail soon",
    (0x63, 0x00): "the track's space is used up",
    (0x63, 0x01): "the packet does not fit the space that is left",
    (0x64, 0x00): "the track is of another kind than the sectors",
    (0x64, 0x01): "the packet has the wrong size",
    (0x72, 0x00): "the session could not be closed",
    (0x72, 0x01): "the session could not be closed: the lead-in could not be written",
    (0x72, 0x02): "the session could not be closed: the lead-out could not be written",
    (0x72, 0x03): "the session cannot be closed: one of its tracks is not complete",
    (0x72, 0x04): "the session cannot be closed: a reserved track is empty",
    (0x72, 0x05): "no more tracks can be reserved",
    (0x73, 0x00): "the drive's control of the laser failed",
    (0x73, 0x01): "the area for trying the laser is almost full",
    (0x73, 0x02): "the area for trying the laser is full",
    (0x73, 0x03): "trying the laser failed",
    (0x73, 0x04): "the disc's list of tracks could not be brought up to date",
    (0x73, 0x05): "the disc's list of tracks is full",
    (0x73, 0x06): "the disc's list of tracks is almost full",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sense:
    """Why a command was not simply carried out.

    Attributes:
        key: 0..15, see `SenseKey`.
        asc: additional sense code.
        ascq: its qualifier.
        deferred: it is about an earlier command.
        information: mostly an LBA; None when the drive did not fill it in.
        progress: how far an operation is, 0 to 1; None when the drive does not say.
    """

    key: int
    asc: int
    ascq: int
    deferred: bool = False
    information: int | None = None
    progress: float | None = None

    @classmethod
    def parse(cls, data: bytes) -> Sense | None:
        """Read sense data of either form; None where it is empty or of no known form."""
        response = data[0] & 0x7F if data else 0
        if response in (0x70, 0x71):
            fields = _FIXED.parse(data.ljust(_FIXED.sizeof(), b"\0"))
            return cls(
                key=fields.key & 15,
                asc=fields.asc,
                ascq=fields.ascq,
                deferred=response == 0x71,
                information=fields.information if fields.response & 0x80 else None,
                progress=_progress(fields.specific),
            )
        if response not in (0x72, 0x73):
            return None
        fields = _DESCRIPTOR.parse(data.ljust(_DESCRIPTOR.sizeof(), b"\0"))
        information, progress = _descriptors(data[8 : 8 + fields.length])
        return cls(
            key=fields.key & 15,
            asc=fields.asc,
            ascq=fields.ascq,
            deferred=response == 0x73,
            information=information,
            progress=progress,
        )

    @property
    def triple(self) -> tuple[int, int, int]:
        """Key, additional code and qualifier."""
        return self.key, self.asc, self.ascq

    @property
    def action(self) -> Action:
        """What is to be done about it (MMC annex F)."""
        if self.deferred and self.key > SenseKey.RECOVERED_ERROR:
            return Action.STOP  # what went wrong is done, and asking again would hide it
        if self.key in (SenseKey.NO_SENSE, SenseKey.RECOVERED_ERROR):
            return Action.GO_ON
        if self.key == SenseKey.UNIT_ATTENTION:
            return Action.ASK_AGAIN
        if self.key == SenseKey.NOT_READY and (self.asc, self.ascq) in _BUSY:
            return Action.WAIT
        return Action.STOP

    @property
    def meaning(self) -> str:
        """The triple in words."""
        words = _WORDS.get((self.asc, self.ascq))
        if words is None and self.asc == 0x3A:
            words = _WORDS[0x3A, 0]
        if words is None and self.asc == 0x29:
            words = _WORDS[0x29, 0]
        if words is None:
            words = _listed_words(self.asc, self.ascq)
        late = ", reported late" if self.deferred else ""
        return f"{_KEY_WORDS.get(SenseKey(self.key), 'unknown trouble')}: {words}{late}"

    def __str__(self) -> str:
        return f"{self.key:02X}/{self.asc:02X}/{self.ascq:02X} ({self.meaning})"


def _progress(specific: bytes) -> float | None:
    return int.from_bytes(specific[1:]) / _PROGRESS_UNITS if specific[0] & 0x80 else None


def _descriptors(data: bytes) -> tuple[int | None, float | None]:
    """Return information and progress of the descriptors that are there."""
    information = progress = None
    while len(data) >= 2:
        one, data = data[: 2 + data[1]], data[2 + data[1] :]
        try:
            if one[0] == 0x00:
                fields = _INFORMATION.parse(one)
                information = fields.information if fields.valid & 0x80 else None
            elif one[0] == 0x02:
                progress = _progress(_SPECIFIC.parse(one).specific)
        except construct.ConstructError:  # cut short: the drive says less
            break
    return information, progress


def _listed_words(asc: int, ascq: int) -> str:
    """Return the words of T10's list, which PYSCSI has; the maker's own codes have none."""
    from pyscsi.pyscsi.scsi_sense import sense_ascq_dict

    if asc >= 0x80 or ascq >= 0x80:
        return "a code of the drive's maker"
    words: str = sense_ascq_dict.get(asc << 8 | ascq, "a code that no list has")
    return words.lower()
