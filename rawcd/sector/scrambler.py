"""The scrambler of data sectors (ECMA-130 annex B)."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

import numpy as np

from rawcd.errors import FormatError
from rawcd.msf import Msf
from rawcd.sector.kinds import SYNC
from rawcd.sector.rows import ADDRESS, MODE_BYTE, as_sectors, heads_of, lbas_of, room_for
from rawcd.source import SECTOR_BYTES

if TYPE_CHECKING:
    from rawcd.sector.rows import LbaLike, SectorsLike
    from rawcd.source import Bytes2D

_LAST_MODE: Final = 2


@cache
def sequence() -> Bytes2D:
    """Return what a sector is added to, (1, 2352): zeros for the sync, then 2,340 bytes.

    A register of 15 bits begins as 1; each output bit, lowest bit of a byte first, is its lowest
    bit, and the sum of its two lowest bits enters at the top: x^15 + x + 1. So bit n + 15 is the
    sum of bits n and n + 1, which gives fourteen bits at a time.
    """
    count = 8 * (SECTOR_BYTES - len(SYNC))
    bits = np.zeros(count + 15, np.uint8)
    bits[0] = 1
    for start in range(15, count, 14):
        bits[start : start + 14] = bits[start - 15 : start - 1] ^ bits[start - 14 : start]
    whole = np.zeros((1, SECTOR_BYTES), np.uint8)
    whole[0, len(SYNC) :] = np.packbits(bits[:count], bitorder="little")
    whole.flags.writeable = False
    return whole


def scramble(sectors: SectorsLike, *, out: Bytes2D | None = None) -> Bytes2D:
    """Return data sectors scrambled, or undo it: bytes 12 to 2,351 are added to a fixed sequence.

    The sync pattern is left alone, the header is scrambled too, in all modes; audio is never
    scrambled (ECMA-130 annex B). The order of bytes is that of the sector, as a drive takes them.

    Args:
        sectors: (n, 2352) uint8, rows may be strided, as in `buffer[:, :2352]`; or flat bytes.
        out: where the result goes, (n, 2352); `sectors` itself for in place, default a new array.

    Raises:
        FormatError: flat bytes are no whole sectors.
        ValueError: an array is not of that shape, or cannot be written to.
    """
    sectors = as_sectors(sectors)
    result = room_for(out, (len(sectors), SECTOR_BYTES))
    # Eight bytes a step where memory allows it; numpy would copy what is not aligned.
    if _is_aligned(sectors) and _is_aligned(result):
        np.bitwise_xor(
            sectors.view(np.uint64), sequence().view(np.uint64), out=result.view(np.uint64)
        )
    else:
        np.bitwise_xor(sectors, sequence(), out=result)
    return result


def _is_aligned(sectors: Bytes2D) -> bool:
    return sectors.ctypes.data % 8 == 0 and sectors.strides[0] % 8 == 0


def is_scrambled(sectors: SectorsLike, lba: LbaLike) -> bool:
    """Tell by header address and mode whether whole data sectors are scrambled.

    Args:
        sectors: (n, 2352), rows may be strided; or flat bytes.
        lba: the first sector's address, or each sector's.

    Raises:
        FormatError: some are and some are not, or one's header is of its place neither way.
        ValueError: an address is out of range, or the array does not fit.
    """
    sectors = as_sectors(sectors)
    lbas = lbas_of(lba, len(sectors))
    heads = heads_of(lbas, 0)
    span = slice(ADDRESS.start, MODE_BYTE + 1)
    found = sectors[:, span]
    answers = []
    for header in (found, found ^ sequence()[:, span]):
        right = (header[:, :3] == heads[:, ADDRESS]).all(axis=1)
        answers.append(right & (header[:, 3] <= _LAST_MODE))
    plain, scrambled = answers
    neither = ~plain & ~scrambled
    if neither.any():
        first = int(neither.argmax())
        told = ":".join(f"{byte:02x}" for byte in found[first, :3])
        raise FormatError(
            f"its header is not that of its place, scrambled or not: it says {told}, and the place "
            f"is {Msf.from_lba(int(lbas[first]))}; relocate=True rewrites it",
            place=f"LBA {lbas[first]}",
        )
    if plain.any() and scrambled.any():
        odd = plain if scrambled[0] else scrambled
        raise FormatError(
            "some sectors are scrambled and some are not", place=f"LBA {lbas[odd][0]}"
        )
    return bool(scrambled.any())
