"""The kinds of sectors, the sizes their blocks come in, and what may be wrong with them.

Light: neither numpy nor construct is imported here, so that a sheet can be described without them.
"""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import Final

SYNC: Final = b"\x00" + b"\xff" * 10 + b"\x00"
"""The first twelve bytes of every data sector (ECMA-130 14.1)."""


class SectorType(IntEnum):
    """What an input block holds (IMAPI_CD_SECTOR_TYPE 0..9; our own kinds from 16 on).

    IMAPI's raw kinds are whole sectors as they lie on the disc, scrambled. Here, as everywhere
    but in a `DiscImage`, they are whole sectors before scrambling.
    """

    AUDIO = 0
    """IMAPI_CD_SECTOR_AUDIO."""
    MODE_ZERO = 1
    """IMAPI_CD_SECTOR_MODE_ZERO: nothing but zeros behind the header."""
    MODE1 = 2
    """IMAPI_CD_SECTOR_MODE1."""
    MODE2FORM0 = 3
    """IMAPI_CD_SECTOR_MODE2FORM0: mode 2 without forms, 2,336 bytes as they are."""
    MODE2FORM1 = 4
    """IMAPI_CD_SECTOR_MODE2FORM1."""
    MODE2FORM2 = 5
    """IMAPI_CD_SECTOR_MODE2FORM2."""
    MODE1RAW = 6
    """IMAPI_CD_SECTOR_MODE1RAW."""
    MODE2FORM0RAW = 7
    """IMAPI_CD_SECTOR_MODE2FORM0RAW."""
    MODE2FORM1RAW = 8
    """IMAPI_CD_SECTOR_MODE2FORM1RAW."""
    MODE2FORM2RAW = 9
    """IMAPI_CD_SECTOR_MODE2FORM2RAW."""
    MODE2MIXED = 16
    """Ours: forms 1 and 2 mixed, each sector's form told by bit 5 of its submode (Green Book)."""

    @property
    def is_raw(self) -> bool:
        """Whether it is one of IMAPI's four kinds of whole sectors."""
        return SectorType.MODE1RAW <= self <= SectorType.MODE2FORM2RAW

    @property
    def cooked(self) -> SectorType:
        """The kind whose layout the sectors have: that of a raw kind without RAW, else itself."""
        return SectorType(self - SectorType.MODE1RAW + SectorType.MODE1) if self.is_raw else self

    @property
    def mode(self) -> int | None:
        """The mode byte of the header: 0, 1 or 2; None for audio, which has no header."""
        if self is SectorType.AUDIO:
            return None
        if self is SectorType.MODE_ZERO:
            return 0
        return 1 if self.cooked is SectorType.MODE1 else 2

    @property
    def block_sizes(self) -> tuple[int, ...]:
        """Bytes that a block of this kind may have; IMAPI's own size comes first.

        2,048 or 2,324 is user data; 2,056 and 2,332 have the subheader before it; 2,336 is all
        that follows the header; 2,352 is the whole sector, before scrambling.
        """
        return (2352,) if self.is_raw else _BLOCK_SIZES[self]


_BLOCK_SIZES: Final = {
    SectorType.AUDIO: (2352,),
    SectorType.MODE_ZERO: (2336, 2352),
    SectorType.MODE1: (2048, 2352),
    SectorType.MODE2FORM0: (2336, 2352),
    SectorType.MODE2FORM1: (2048, 2056, 2336, 2352),
    SectorType.MODE2FORM2: (2336, 2324, 2332, 2352),
    SectorType.MODE2MIXED: (2336, 2332, 2352),
}


class Defect(IntFlag):
    """What `verify` finds in a sector; 0 is a sector without fault."""

    SYNC = 1
    """The twelve bytes of the sync pattern (ECMA-130 14.1)."""
    ADDRESS = 2
    """The header's minute, second and frame are not those of the sector's place."""
    MODE = 4
    """The header's mode byte."""
    EDC = 8
    """The EDC does not fit the bytes it covers. A form 2 EDC of zero is none, and right."""
    P = 16
    """A P codeword does not check."""
    Q = 32
    """A Q codeword does not check."""
    ZEROS = 64
    """Bytes that must be zero are not: mode 1's intermediate field, all of a mode 0 sector."""
    FORM = 128
    """The submode tells the other form than the track's (Green Book, submode bit 5)."""
