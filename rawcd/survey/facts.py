"""What one sector's bytes say by themselves: a few bytes for each of 2,448.

All work on whole sectors happens here, in a value that can be sent to another process; what is
left of a disc are 20 bytes a sector, which the parent reads as a whole.
"""

from __future__ import annotations

import binascii
import threading
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from rawcd.image import ImageType
from rawcd.progress import report
from rawcd.pump import WholeSectors, pump
from rawcd.pump.blocks import BLOCK_SECTORS
from rawcd.sector import SYNC, Defect, SectorType, verify
from rawcd.sector.rows import ADDRESS, MODE_BYTE, heads_of
from rawcd.sector.scrambler import sequence
from rawcd.source import SECTOR_BYTES
from rawcd.subcode.frame import POINTER_ADR
from rawcd.subcode.interleave import PACK_REACH, deinterleaved
from rawcd.subcode.layouts import PACK_SYMBOLS, SECTOR_PACKS
from rawcd.subcode.parity import Verdict, corrected
from rawcd.subcode.rows import (
    PQ16_BYTES,
    PW96_BYTES,
    Q_BIT,
    RW_BITS,
    crc_holds,
    pq_of_pq16,
)

if TYPE_CHECKING:
    from rawcd.image import DiscImage
    from rawcd.progress import Progress
    from rawcd.source import Bytes2D
    from rawcd.subcode.rows import Flags

    Facts = npt.NDArray[np.void]
    """(n,) of `FACTS`."""
    Kinds = npt.NDArray[np.uint8]
    """(n,) of `Kind`."""
    Stored = npt.NDArray[np.uint8]
    """(n,) of `Scrambling`."""

FACTS: Final = np.dtype(
    [
        ("q", np.uint8, 12),  # as on the disc, its CRC inverted
        ("right", np.bool_),  # the CRC of Q holds
        ("p", np.uint8),  # how many of the sector's P bits are set
        ("kind", np.uint8),  # Kind
        ("defects", np.uint8),  # Defect flags of a sector of that kind
        ("scrambling", np.uint8),  # Scrambling
        ("graphics", np.uint8),  # R-W is not zero: bit 0; packs whose parity fails: bits 1 to 4
        ("texts", np.uint8),  # packs of CD-TEXT whose CRC fails: bits 0 to 3
        ("items", np.uint8),  # packs of a mode and item that there are not: bits 0 to 3
    ]
)
"""What is kept of a sector."""

_OWN: Final = threading.local()
_XA_COPIES: Final = slice(16, 20), slice(20, 24)
"""The subheader and its copy (Green Book)."""
_HEAD_BYTES: Final = _XA_COPIES[1].stop
"""Of a data sector: all that tells what it is."""
_BODY: Final = np.uint8(Defect.EDC | Defect.P | Defect.Q | Defect.ZEROS)
_PACK_ITEMS: Final = (0x00, 0x08, 0x09, 0x0A, 0x18, *range(0x38, 0x40))
"""Mode and item of R-W packs behind the lead-in: zero; line, TV and extended graphics; MIDI; user,
whose items are free (IEC 60908 clause 18)."""
TEXT_BYTES: Final = 18
"""Bytes of a pack of CD-TEXT."""


class Kind(IntEnum):
    """What a sector's main channel shows of itself, and what a sector of a run should be."""

    NONE = 0
    """No sync pattern: sound, or a data sector that lost it."""
    MODE0 = 1
    MODE1 = 2
    FORMLESS = 3
    """Mode 2; what stands where XA has its subheader is not there twice."""
    XA = 4
    """Mode 2 with a subheader, form 1 or 2."""
    UNKNOWN = 5
    """A sync pattern, and a header that tells no mode."""

    @property
    def sector_type(self) -> SectorType:
        """The kind by which the codec judges such sectors."""
        return _SECTOR_TYPES[self]


_SECTOR_TYPES: Final = {
    Kind.MODE0: SectorType.MODE_ZERO,
    Kind.MODE1: SectorType.MODE1,
    Kind.FORMLESS: SectorType.MODE2FORM0,
    Kind.XA: SectorType.MODE2MIXED,
}


class Scrambling(IntEnum):
    """How a data sector is stored."""

    RIGHT = 0
    NONE = 1
    """Not scrambled at all: its header can be read as it stands."""
    BODY = 2
    """The header is scrambled, what follows is not."""


def has_sync(main: Bytes2D) -> Flags:
    """Tell which sectors (n, 2352) begin with the sync pattern."""
    words = np.ascontiguousarray(main[:, : len(SYNC)]).view(np.uint32)
    first, second, third = np.frombuffer(SYNC, np.uint32)
    found: Flags = (words[:, 1] == second) & (words[:, 0] == first) & (words[:, 2] == third)
    return found


def judge(
    sectors: Bytes2D, lbas: npt.NDArray[np.int64], kind: Kind | None = None
) -> tuple[Kinds, npt.NDArray[np.uint8], Stored]:
    """Tell of data sectors what they are, what is wrong with them, and how they are stored.

    Args:
        sectors: (n, 2352), as on the disc.
        lbas: (n,), their addresses.
        kind: what they should be; None asks each one's own header.

    Returns:
        Kinds, `Defect` flags and scramblings, (n,) each.
    """
    stored = sectors[:, :_HEAD_BYTES]
    kinds = _kinds_of(stored ^ sequence()[:, :_HEAD_BYTES], kind)
    defects = _defects(sectors, lbas, kinds, scrambled=True)
    scrambling = np.full(len(sectors), Scrambling.RIGHT, np.uint8)
    lost = np.flatnonzero((defects & Defect.ADDRESS != 0) | (kinds == Kind.UNKNOWN))
    if len(lost):
        bare = (stored[lost, ADDRESS] == heads_of(lbas[lost], 0)[:, ADDRESS]).all(axis=1)
        plain = lost[bare]
        kinds[plain] = _kinds_of(stored[plain], kind)
        defects[plain] = _defects(sectors[plain], lbas[plain], kinds[plain], scrambled=False)
        scrambling[plain] = Scrambling.NONE
    wrong = np.flatnonzero((defects & _BODY != 0) & (scrambling == Scrambling.RIGHT))
    if len(wrong):
        body = wrong[_bare_body(sectors[wrong], lbas[wrong], kinds[wrong])]
        defects[body] &= np.uint8(Defect.SYNC | Defect.ADDRESS | Defect.MODE)
        scrambling[body] = Scrambling.BODY
    return kinds, defects, scrambling


def _defects(
    sectors: Bytes2D, lbas: npt.NDArray[np.int64], kinds: Kinds, *, scrambled: bool
) -> npt.NDArray[np.uint8]:
    """Return the `Defect` flags of data sectors, each judged as the kind that it is."""
    defects = np.zeros(len(sectors), np.uint8)
    for kind, sector_type in _SECTOR_TYPES.items():
        chosen = kinds == kind
        if chosen.all():
            return verify(sectors, lbas, sector_type, scrambled=scrambled)
        if chosen.any():
            some, at = sectors[chosen], lbas[chosen]
            defects[chosen] = verify(some, at, sector_type, scrambled=scrambled)
    return defects


def _kinds_of(heads: Bytes2D, kind: Kind | None) -> Kinds:
    return _kinds(heads) if kind is None else np.full(len(heads), kind, np.uint8)


def _kinds(heads: Bytes2D) -> Kinds:
    """Return what the unscrambled first 24 bytes of data sectors say that they are."""
    mode = heads[:, MODE_BYTE] & 3
    by_mode = np.array([Kind.MODE0, Kind.MODE1, Kind.FORMLESS, Kind.UNKNOWN], np.uint8)
    kinds: Kinds = by_mode[mode]
    two = np.flatnonzero(mode == 2)
    if len(two):
        first, second = _XA_COPIES
        twice = (heads[two, first] == heads[two, second]).all(axis=1)
        kinds[two[twice]] = Kind.XA
    return kinds


def _bare_body(sectors: Bytes2D, lbas: npt.NDArray[np.int64], kinds: Kinds) -> Flags:
    """Tell which damaged sectors are whole, or empty, once only their header is unscrambled."""
    bare = sectors.copy()
    bare[:, : MODE_BYTE + 1] ^= sequence()[:, : MODE_BYTE + 1]
    held: Flags = _defects(bare, lbas, kinds, scrambled=False) & _BODY == 0
    return held | ~bare[:, MODE_BYTE + 1 :].any(axis=1)


@dataclass(frozen=True, slots=True)
class SectorFacts:
    """Makes rows of `FACTS` of an image's sectors.

    Args:
        image: any image.
        checks: EDC and parity of data sectors, parity of R-W packs and the CRC of CD-TEXT are
            looked at too; without it only what tells where things are.
    """

    image: DiscImage
    checks: bool = True

    def __call__(self, lba: int, rows: Bytes2D) -> None:
        """Fill `rows`, (n, the size of `FACTS`), with what the sectors from `lba` on say."""
        count = len(rows)
        facts = np.zeros(count, FACTS)
        behind = self.image.first_lba + self.image.sector_count - (lba + count)
        packs = self.checks and self.image.kind is ImageType.RAW
        sectors = _sectors(self.image, lba, count + (min(PACK_REACH, behind) if packs else 0))
        self._fill_main(lba, sectors[:count, :SECTOR_BYTES], facts)
        self._fill_sub(sectors[:, SECTOR_BYTES:], count, facts)
        rows[:] = facts.view(np.uint8).reshape(count, FACTS.itemsize)

    def _fill_main(self, lba: int, main: Bytes2D, facts: Facts) -> None:
        data = np.flatnonzero(has_sync(main))
        if not len(data):
            return
        some = main if len(data) == len(main) else main[data]
        if self.checks:
            found = judge(some, lba + data)
            facts["kind"][data], facts["defects"][data], facts["scrambling"][data] = found
            return
        heads = some[:, :_HEAD_BYTES] ^ sequence()[:, :_HEAD_BYTES]
        facts["kind"][data] = _kinds(heads)

    def _fill_sub(self, sub: Bytes2D, count: int, facts: Facts) -> None:
        own = sub[:count]
        if sub.shape[1] == PQ16_BYTES:
            q, p = pq_of_pq16(own)
            facts["p"] = p * np.uint8(PW96_BYTES)
        else:
            q = np.packbits(own & Q_BIT, axis=1)
            facts["p"] = (own >> 7).sum(axis=1, dtype=np.uint8)
        facts["q"] = q
        facts["right"] = right = crc_holds(q)
        if not self.checks or sub.shape[1] == PQ16_BYTES:
            return
        words = np.bitwise_or.reduce(np.ascontiguousarray(own).view(np.uint64), axis=1)
        filled = words & np.uint64(RW_BITS * 0x0101010101010101) != 0
        facts["graphics"] = filled
        if filled.any() and self.image.kind is ImageType.RAW:
            in_lead_in = _in_lead_in(q, right)
            self._fill_texts(own, filled & in_lead_in, facts)
            self._fill_packs(sub, filled, ~in_lead_in, facts)

    def _fill_texts(self, own: Bytes2D, chosen: Flags, facts: Facts) -> None:
        """Judge the packs of CD-TEXT, four in a sector of the lead-in (MMC-3 annex J)."""
        places = np.flatnonzero(chosen)
        if len(places):
            packs = text_packs(own[places])
            wrong = ~text_crc_holds(packs.reshape(-1, TEXT_BYTES)).reshape(-1, SECTOR_PACKS)
            facts["texts"][places] = _mask(wrong)

    def _fill_packs(self, sub: Bytes2D, filled: Flags, chosen: Flags, facts: Facts) -> None:
        """Judge the R-W packs that begin in each sector (IEC 60908 clause 18)."""
        count = len(filled)
        reach = len(sub) - PACK_REACH  # behind the last whole one there is nothing to end a pack
        symbols = np.ascontiguousarray(sub & np.uint8(RW_BITS)).reshape(-1, PACK_SYMBOLS)
        packs = deinterleaved(symbols)[: count * SECTOR_PACKS]
        _, verdicts = corrected(packs)
        judged = chosen & (np.arange(count) < reach)
        wrong = (verdicts != Verdict.CLEAN).reshape(-1, SECTOR_PACKS) & judged[:, None]
        facts["graphics"] |= _mask(wrong) << np.uint8(1)
        items = packs[:, 0].reshape(-1, SECTOR_PACKS)
        facts["items"] = _mask(~np.isin(items, _PACK_ITEMS) & ~wrong & judged[:, None])


def _mask(answers: npt.NDArray[np.bool_]) -> npt.NDArray[np.uint8]:
    """Return four answers a sector, (n, 4), as bits 0 to 3."""
    bits: npt.NDArray[np.uint8] = np.packbits(answers, axis=1, bitorder="little")[:, 0]
    return bits


def _in_lead_in(q: Bytes2D, right: Flags) -> Flags:
    """Tell which sectors lie in a lead-in; one that does not tell is where its neighbour is."""
    adr = q[:, 0] & 15
    told = np.flatnonzero(right & ((adr == 1) | (adr == POINTER_ADR)))
    if not len(told):
        return np.zeros(len(q), np.bool_)
    nearest = np.maximum(np.searchsorted(told, np.arange(len(q)), side="right") - 1, 0)
    inside: Flags = q[told[nearest], 1] == 0
    return inside


def text_packs(sub: Bytes2D) -> Bytes2D:
    """Return the CD-TEXT packs of lead-in sectors (n, 96): (n, 72), six bits of each byte."""
    bits = np.unpackbits(sub[..., None], axis=2)[:, :, 2:]
    return np.packbits(bits.reshape(len(sub), -1), axis=1)


def text_crc_holds(packs: Bytes2D) -> Flags:
    """Tell which packs of 18 bytes have a right CRC; packs of zeros are none, and right."""
    shares = _text_shares()
    words = np.full(len(packs), 0xFFFF, np.uint16)
    for position in range(TEXT_BYTES - 2):
        words ^= shares[position][packs[:, position]]
    stored = packs[:, TEXT_BYTES - 2].astype(np.uint16) << 8 | packs[:, TEXT_BYTES - 1]
    held: Flags = (words == stored) | ~packs.any(axis=1)
    return held


@cache
def _text_shares() -> npt.NDArray[np.uint16]:
    """Return (16, 256): what each value of each byte of a pack adds to its CRC."""
    shares = np.zeros((TEXT_BYTES - 2, 256), np.uint16)
    for position in range(TEXT_BYTES - 2):
        rest = bytes(TEXT_BYTES - 3 - position)
        for value in range(256):
            shares[position, value] = binascii.crc_hqx(bytes([value]) + rest, 0)
    return shares


def _sectors(image: DiscImage, lba: int, count: int) -> Bytes2D:
    """Return whole sectors, in memory that this thread uses again."""
    size = count * image.sector_size
    room: npt.NDArray[np.uint8] | None = getattr(_OWN, "room", None)
    if room is None or len(room) < size:
        room = _OWN.room = np.empty(size, np.uint8)
    rows = room[:size].reshape(count, image.sector_size)
    WholeSectors(image)(lba, rows)
    return rows


def gather(
    image: DiscImage,
    *,
    checks: bool = True,
    jobs: int = 1,
    progress: Progress | None = None,
) -> Facts:
    """Return what every sector of an image says, (sectors,) of `FACTS`.

    Args:
        image: any image.
        checks: see `SectorFacts`.
        jobs: processes that look, this one among them.
        progress: told after each block.

    Raises:
        CancelledError: `progress` said stop.
        StorageError: the image cannot be read.
        ValueError: there are no jobs, or more than 64.
    """
    facts = np.empty(image.sector_count, FACTS)
    room = facts.view(np.uint8)
    fill = SectorFacts(image, checks)
    if jobs == 1:  # nothing is written, so no thread need do it
        rows, total = room.reshape(-1, FACTS.itemsize), len(facts)
        report(progress, 0, total)
        for start in range(0, total, BLOCK_SECTORS):
            block = rows[start : start + BLOCK_SECTORS]
            fill(image.first_lba + start, block)
            report(progress, start + len(block), total)
        return facts
    done = 0

    def take(block: memoryview) -> None:
        nonlocal done
        room[done : done + len(block)] = np.frombuffer(block, np.uint8)
        done += len(block)

    pump(
        fill,
        image.first_lba,
        image.sector_count,
        take,
        width=FACTS.itemsize,
        jobs=jobs,
        progress=progress,
    )
    return facts
