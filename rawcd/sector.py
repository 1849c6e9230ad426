"""The 2,352 bytes of a sector: what they can hold, and the scrambling of data sectors.

numpy is imported only where arrays are handled.
"""

from __future__ import annotations

from enum import IntEnum
from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Bytes2D = npt.NDArray[np.uint8]

SYNC: Final = b"\0" + b"\xff" * 10 + b"\0"
"""The first twelve bytes of every data sector (ECMA-130 14.1)."""


class SectorType(IntEnum):
    """What an input block holds: values of IMAPI_CD_SECTOR_TYPE.

    The four RAW kinds are complete 2,352-byte sectors, scrambled.
    """

    AUDIO = 0
    MODE_ZERO = 1
    MODE1 = 2
    MODE2FORM0 = 3
    MODE2FORM1 = 4
    MODE2FORM2 = 5
    MODE1RAW = 6
    MODE2FORM0RAW = 7
    MODE2FORM1RAW = 8
    MODE2FORM2RAW = 9


@cache
def _scrambling() -> npt.NDArray[np.uint8]:
    """Return (2352,): the sync's twelve zeros, then the output of x^15 + x + 1 preset to 1."""
    import numpy as np

    register = 1
    bits = []
    for _ in range((2352 - len(SYNC)) * 8):
        bits.append(register & 1)
        register = register >> 1 | ((register ^ register >> 1) & 1) << 14
    sequence = np.packbits(np.array(bits, np.uint8), bitorder="little")
    return np.concatenate([np.zeros(len(SYNC), np.uint8), sequence])


def scramble(rows: Bytes2D) -> None:
    """Scramble data sectors (n, 2352) in place; done twice it is undone (ECMA-130 annex B)."""
    rows ^= _scrambling()
