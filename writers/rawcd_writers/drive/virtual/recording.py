"""A session being written raw; what all ways of writing share.

A recording is under way from its first WRITE until its last sector is synchronized. Each WRITE
is checked whole before any of it is recorded, so that a refused one changes nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

from rawcd.disc import FIRST_LEAD_OUT_SECTORS, LATER_LEAD_OUT_SECTORS
from rawcd.errors import FormatError
from rawcd.source import SECTOR_BYTES as MAIN_BYTES
from rawcd.subcode.interleave import history_after, interleaved
from rawcd.subcode.layouts import PACK_SYMBOLS, SECTOR_PACKS
from rawcd.subcode.parity import with_parity
from rawcd.subcode.rows import P_BIT, Q_BIT, RW_BITS, pq_of_pq16, pw96_of
from rawcd_writers.drive.virtual.pages import RAW_BLOCKS
from rawcd_writers.drive.virtual.rawcheck import RawCheck
from rawcd_writers.drive.virtual.refusals import (
    END_OF_TRACK,
    FIXATION_ERROR,
    INVALID_ADDRESS,
    LIST_LENGTH,
    Refusal,
)
from rawcd_writers.drive.virtual.store import SECTOR_BYTES

if TYPE_CHECKING:
    from rawcd.source import Bytes2D
    from rawcd.subcode.rows import Flags
    from rawcd_writers.drive.virtual.medium import Medium
    from rawcd_writers.drive.virtual.pages import WriteParameters

_PQ_TYPE: Final = 1
_COOKED_TYPE: Final = 2
_PQ_BITS: Final = np.uint8(0xFF - RW_BITS)


class Recording(Protocol):
    """A session, or a track, under way."""

    @property
    def test(self) -> bool:
        """Whether nothing is recorded."""
        ...

    @property
    def next_lba(self) -> int:
        """The only address that the next WRITE may have."""
        ...

    def block_bytes(self, lba: int) -> int:
        """Return how many bytes a block at an address has."""
        ...

    def write(self, lba: int, count: int, data: memoryview) -> None:
        """Take blocks.

        Raises:
            Refusal: they are not as they must be; none is recorded.
        """
        ...

    def sync(self) -> bool:
        """Write what is still to be written; True when nothing more can come.

        Raises:
            Refusal: what was recorded is no disc.
        """
        ...

    def remarks(self) -> dict[str, tuple[int, int]]:
        """Return habits that were seen: the first address, and how often."""
        ...


def check_address(lba: int, expected: int) -> None:
    """Refuse a WRITE that does not go on where the last one ended."""
    if lba != expected:
        raise Refusal(
            INVALID_ADDRESS, f"WRITE at LBA {lba}; the next address is {expected}", lba=expected
        )


def check_length(count: int, block_bytes: int, data: memoryview) -> None:
    """Refuse a WRITE whose data is not as long as its blocks."""
    if len(data) != count * block_bytes:
        raise Refusal(
            LIST_LENGTH,
            f"{count} blocks of {block_bytes} bytes are {count * block_bytes}, not {len(data)}",
        )


class PackWriter:
    """The recorder's R-W encoder: parity and interleave of packs, sector after sector.

    Attributes:
        before: the last packs, whose symbols are still to come; None before the first.
    """

    def __init__(self) -> None:
        self.before: Bytes2D | None = None

    def on_disc(self, sub: Bytes2D) -> Bytes2D:
        """Return R-W (n, 96) as recorded, P and Q zero, of packs in bits 5..0 of (n, 96)."""
        packs = with_parity((sub & np.uint8(RW_BITS)).reshape(-1, PACK_SYMBOLS))
        symbols = interleaved(packs, self.before)
        self.before = history_after(packs, self.before)
        return symbols.reshape(-1, PACK_SYMBOLS * SECTOR_PACKS)

    def rest(self, sectors: int) -> Bytes2D:
        """Return R-W (n, 96) of sectors without packs: what the delay still holds."""
        if self.before is None or not self.before.any():
            return np.zeros((sectors, PACK_SYMBOLS * SECTOR_PACKS), np.uint8)
        return self.on_disc(np.zeros((sectors, PACK_SYMBOLS * SECTOR_PACKS), np.uint8))


class RawRecording:
    """A session whose lead-in, subcode and scrambling the host makes (write type 3).

    Args:
        medium: what it goes on.
        parameters: page 05h, as it was when the first WRITE came.
    """

    def __init__(self, medium: Medium, parameters: WriteParameters) -> None:
        self._medium = medium
        self._block_type = parameters.block_type
        self.test = parameters.test
        self.next_lba = medium.next_lead_in_lba
        self._packs = PackWriter()
        self._began = False
        self._check = RawCheck(
            lead_in_lba=medium.next_lead_in_lba,
            program_lba=medium.next_program_lba,
            next_track=medium.next_track_number,
            last_lead_out_lba=medium.last_lead_out_lba,
        )

    def block_bytes(self, lba: int) -> int:
        """Return 2,368 or 2,448."""
        del lba
        return RAW_BLOCKS[self._block_type]

    def write(self, lba: int, count: int, data: memoryview) -> None:
        """Check and record sectors; see `Recording`."""
        check_address(lba, self.next_lba)
        size = RAW_BLOCKS[self._block_type]
        check_length(count, size, data)
        if lba + count > self._medium.blank.end_lba:
            raise Refusal(END_OF_TRACK, "the blank has no more sectors", lba=lba)
        blocks = np.frombuffer(data, np.uint8).reshape(count, size)
        main, sub = blocks[:, :MAIN_BYTES], blocks[:, MAIN_BYTES:]
        p: Flags | None = None
        if self._block_type == _PQ_TYPE:
            q, p = pq_of_pq16(sub)
        else:
            q = np.packbits(sub & Q_BIT, axis=1)
        self._check.take(lba, main, q, (sub[:, 0] & P_BIT) != 0 if p is None else p)
        if not self.test:
            if not self._began:
                self._began = True
                self._medium.change(spoilt="a raw session was begun and is not finished")
            self._medium.store.write(lba, self._sectors(blocks, q, p))
        self.next_lba = lba + count

    def _sectors(self, blocks: Bytes2D, q: Bytes2D, p: Flags | None) -> Bytes2D:
        """Return blocks as sectors of 2,448 bytes, R-W as on the disc."""
        if self._block_type not in (_PQ_TYPE, _COOKED_TYPE):
            return blocks
        rows = np.empty((len(blocks), SECTOR_BYTES), np.uint8)
        rows[:, :MAIN_BYTES] = blocks[:, :MAIN_BYTES]
        sub = rows[:, MAIN_BYTES:]
        if p is not None:
            sub[:] = pw96_of(q, p)
        else:
            given = blocks[:, MAIN_BYTES:]
            sub[:] = self._packs.on_disc(given) | (given & _PQ_BITS)
        return rows

    def sync(self) -> bool:
        """Finish the session if its lead-out is whole; see `Recording`."""
        toc = self._check.toc
        least = LATER_LEAD_OUT_SECTORS if self._medium.disc else FIRST_LEAD_OUT_SECTORS
        if toc is None or self.next_lba < toc.lead_out_lba + least:
            return False
        if not self.test:
            try:
                self._medium.finish()
            except FormatError as error:
                raise Refusal(FIXATION_ERROR, f"what was recorded is no disc: {error}") from error
        return True

    def remarks(self) -> dict[str, tuple[int, int]]:
        """Return habits that were seen."""
        return self._check.remarks
