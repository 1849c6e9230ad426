"""Packs as the R-W symbols of a lead-in, and back from what a drive read there.

Four packs, 72 bytes, are the 96 six-bit symbols of one sector, most significant bit first,
without parity and without interleave (MMC-3 annex J). The set is repeated over the lead-in.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from itertools import pairwise
from math import gcd
from typing import TYPE_CHECKING, Final

import numpy as np

from rawcd.cdtext.fields import FIRST_TYPE, LAST_TYPE
from rawcd.cdtext.packs import PACK_BYTES, crc_holds
from rawcd.errors import FormatError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SYMBOLS_IN_A_SECTOR: Final = 96
PACKS_IN_A_SECTOR: Final = 4
_SYMBOL_BITS: Final = 0x3F


def lead_in_symbols(packs: bytes) -> bytes:
    """Return one whole cycle of symbols, one to a byte in bits 5..0, P and Q zero.

    The cycle is as many sectors as it takes until a sector ends where the set does: a quarter,
    a half or all of the number of packs, as cdrdao does it. Repeated, it fills any lead-in.

    Raises:
        ValueError: the packs are not whole.
    """
    if len(packs) % PACK_BYTES:
        raise ValueError(f"{len(packs)} bytes are no whole number of packs")
    count = len(packs) // PACK_BYTES
    cycle = packs * (PACKS_IN_A_SECTOR // gcd(count, PACKS_IN_A_SECTOR))
    triples = np.frombuffer(cycle, np.uint8).reshape(-1, 3).astype(np.uint32)
    words = triples[:, 0] << 16 | triples[:, 1] << 8 | triples[:, 2]
    shifts = np.array([18, 12, 6, 0], np.uint32)
    return ((words[:, None] >> shifts) & _SYMBOL_BITS).astype(np.uint8).tobytes()


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolsReading:
    """Packs that a lead-in holds.

    Attributes:
        packs: every pack once, in order of blocks and sequence; each has a right CRC.
        copies: how often each was read with a right CRC; 0: it was mended by majority.
        period: after how many packs the set repeats; None where that is not seen.
        defects: what is missing, was mended, or was read in two ways.
    """

    packs: bytes
    copies: tuple[int, ...]
    period: int | None
    defects: tuple[str, ...]


def packs_of_symbols(symbols: bytes) -> SymbolsReading:
    """Read the packs in the R-W symbols of a lead-in.

    Of each pack the copy that was read most often counts, if its CRC holds; where no copy's
    does, the majority of each bit over all copies is tried.

    Args:
        symbols: 96 a sector, one to a byte as on the disc; bits 7 and 6, P and Q, are ignored.
            Any sectors in a row, from anywhere in the cycle.

    Raises:
        FormatError: they are not whole sectors.
    """
    if len(symbols) % SYMBOLS_IN_A_SECTOR:
        raise FormatError(
            f"{len(symbols)} symbols are no whole number of sectors of {SYMBOLS_IN_A_SECTOR}"
        )
    fours = np.frombuffer(symbols, np.uint8).reshape(-1, 4).astype(np.uint32) & _SYMBOL_BITS
    words = fours[:, 0] << 18 | fours[:, 1] << 12 | fours[:, 2] << 6 | fours[:, 3]
    triples = (words[:, None] >> np.array([16, 8, 0], np.uint32)) & 0xFF
    data = triples.astype(np.uint8).tobytes()
    rows = [data[place : place + PACK_BYTES] for place in range(0, len(data), PACK_BYTES)]
    places: dict[bytes, list[int]] = defaultdict(list)
    for place, row in enumerate(rows):
        if FIRST_TYPE <= row[0] <= LAST_TYPE:
            places[row].append(place)
    sound = {row: where for row, where in places.items() if crc_holds(row)}
    return _Set(rows=rows, sound=sound).reading()


def _key(pack: bytes) -> tuple[int, int]:
    """Return block and sequence number."""
    return pack[3] >> 4 & 7, pack[2]


@dataclass(slots=True, kw_only=True)
class _Set:
    rows: list[bytes]
    sound: Mapping[bytes, list[int]]

    def reading(self) -> SymbolsReading:
        defects: list[str] = []
        chosen: dict[tuple[int, int], tuple[bytes, int]] = {}
        for pack, where in sorted(self.sound.items(), key=lambda kept: -len(kept[1])):
            key = _key(pack)
            if key in chosen:
                defects.append(f"{_name(key)} was also read otherwise, with a right CRC")
            else:
                chosen[key] = pack, len(where)
        period = self._period()
        if period is not None:
            for mended in self._mended(period):
                if mended is None:
                    defects.append("a pack was never read whole")
                elif _key(mended) not in chosen:
                    chosen[_key(mended)] = mended, 0
                    defects.append(f"{_name(_key(mended))} is the majority of damaged copies")
        kept = [chosen[key] for key in sorted(chosen)]
        return SymbolsReading(
            packs=b"".join(pack for pack, _ in kept),
            copies=tuple(count for _, count in kept),
            period=period,
            defects=tuple(defects),
        )

    def _period(self) -> int | None:
        """Return the commonest distance between two copies of a pack."""
        distances: Counter[int] = Counter()
        for where in self.sound.values():
            distances.update(after - before for before, after in pairwise(where))
        return distances.most_common(1)[0][0] if distances else None

    def _mended(self, period: int) -> Iterator[bytes | None]:
        """Yield the majority of each place in the cycle where no copy is sound."""
        there = {place % period for where in self.sound.values() for place in where}
        for column in range(period):
            copies = self.rows[column::period]
            if column in there or not copies:
                continue
            bits = np.unpackbits(np.frombuffer(b"".join(copies), np.uint8).reshape(len(copies), -1))
            votes = bits.reshape(len(copies), -1).sum(axis=0, dtype=np.int64)
            pack = np.packbits(votes * 2 > len(copies)).tobytes()
            whole = FIRST_TYPE <= pack[0] <= LAST_TYPE and crc_holds(pack)
            yield pack if whole else None


def _name(key: tuple[int, int]) -> str:
    return f"pack {key[1]} of block {key[0]}"
