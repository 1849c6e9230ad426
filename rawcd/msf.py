"""Addresses on a disc: minute, second, frame, and the LBA line behind them.

One sector is one frame, 1/75 second. LBA 0 is MSF 00:02:00; the program area begins at
LBA -150 (00:00:00); lead-in times 90:00:00 to 99:59:74 lie before it (MMC, LBA to MSF
translation; Red Book, IEC 60908 clause 17).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Self

from rawcd.errors import FormatError

FRAMES_PER_SECOND: Final = 75
FRAMES_PER_MINUTE: Final = 60 * FRAMES_PER_SECOND
PROGRAM_LBA: Final = -150
"""First sector of the program area, MSF 00:00:00."""
LEAD_IN_WRAP: Final = 100 * FRAMES_PER_MINUTE
"""99:59:74 is followed by 00:00:00, so lead-in addresses are counted modulo this."""
FIRST_LBA: Final = -45_150
"""90:00:00, the lowest address that the wrap can express."""
LAST_LBA: Final = 404_849
"""89:59:74, the highest address that is no lead-in time."""

_MSF_TEXT = re.compile(r"([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})")


def linear_frames(lba: int) -> int:
    """Return 0..449,999, the linear time of an LBA: the row of any table over all MSF values."""
    return (lba - PROGRAM_LBA) % LEAD_IN_WRAP


@dataclass(frozen=True, slots=True)
class Msf:
    """An address as a disc writes it.

    Not ordered: 99:59:74 lies before 00:00:00. Order by LBA.

    Attributes:
        minute: 0..99, binary; BCD exists only in `bcd()`.
        second: 0..59.
        frame: 0..74.

    Raises:
        ValueError: a part is out of its range.
    """

    minute: int
    second: int
    frame: int

    def __post_init__(self) -> None:
        if not (0 <= self.minute <= 99 and 0 <= self.second <= 59 and 0 <= self.frame <= 74):
            raise ValueError(
                f"no MSF: {self.minute}:{self.second}:{self.frame}; "
                "minutes go to 99, seconds to 59, frames to 74"
            )

    @classmethod
    def from_frames(cls, frames: int) -> Self:
        """Return a length or linear time of 0..449,999 frames as MSF."""
        minute, rest = divmod(frames, FRAMES_PER_MINUTE)
        return cls(minute, *divmod(rest, FRAMES_PER_SECOND))

    @classmethod
    def from_lba(cls, lba: int) -> Self:
        """Return the address of a sector.

        Raises:
            ValueError: the LBA is outside -45,150..404,849.
        """
        if not FIRST_LBA <= lba <= LAST_LBA:
            raise ValueError(f"LBA {lba} has no MSF: a disc reaches from {FIRST_LBA} to {LAST_LBA}")
        return cls.from_frames(linear_frames(lba))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `mm:ss:ff`; one-digit parts are taken.

        Raises:
            FormatError: the text is no MSF.
        """
        match = _MSF_TEXT.fullmatch(text)
        if match is None:
            raise FormatError(f"{text!r} is no time; write it as mm:ss:ff")
        try:
            return cls(*map(int, match.groups()))
        except ValueError as error:
            raise FormatError(str(error)) from error

    def to_frames(self) -> int:
        """Return the time as a number of frames, with no offset: what a length is."""
        return self.minute * FRAMES_PER_MINUTE + self.second * FRAMES_PER_SECOND + self.frame

    def to_lba(self) -> int:
        """Return the sector's LBA; minutes from 90 on are lead-in times."""
        frames = self.to_frames() + PROGRAM_LBA
        return frames - LEAD_IN_WRAP if self.minute >= 90 else frames

    def bcd(self) -> bytes:
        """Return the three BCD bytes that a disc carries."""
        return bytes(value // 10 << 4 | value % 10 for value in self.parts())

    def parts(self) -> tuple[int, int, int]:
        """Return minute, second and frame."""
        return self.minute, self.second, self.frame

    def __str__(self) -> str:
        return f"{self.minute:02}:{self.second:02}:{self.frame:02}"
