"""The kinds of sectors, the sizes their blocks come in, and what may be wrong with them.

Light: neither numpy nor construct is imported here, so that a sheet can be described without them.
"""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import Final

from rawcd.errors import FormatError

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


def fitting_block_size(
    sector_type: SectorType, byte_count: int, block_size: int | None = None
) -> int:
    """Return the size of the blocks that so many bytes of a kind are cut into.

    IMAPI's size if that divides them, else the only size that does.

    Args:
        sector_type: what the blocks are.
        byte_count: bytes in all.
        block_size: the size, where it is known.

    Raises:
        FormatError: the bytes are not whole blocks.
        ValueError: the kind has no such block size, or several sizes fit and none is IMAPI's.
    """
    sizes = sector_type.block_sizes
    if block_size is not None and block_size not in sizes:
        raise ValueError(f"{sector_type.name} has blocks of {_listed(sizes)}, not {block_size}")
    size = block_size or sizes[0]
    if byte_count % size and block_size is None:
        fitting = tuple(other for other in sizes if byte_count % other == 0)
        if len(fitting) > 1:
            raise ValueError(
                f"{byte_count} bytes of {sector_type.name} may be blocks of {_listed(fitting)}: "
                "give block_size"
            )
        size = fitting[0] if fitting else size
    whole, rest = divmod(byte_count, size)
    if rest:
        raise FormatError(
            f"{byte_count} bytes are {whole} sectors of {size} bytes and a remainder of {rest}"
        )
    return size


def _listed(sizes: tuple[int, ...]) -> str:
    return " or ".join(f"{size:,}" for size in sizes)
