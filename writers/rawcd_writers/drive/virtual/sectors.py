"""What the recorder makes of the blocks that come: whole sectors, encoded and scrambled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from rawcd.disc import TrackMode
from rawcd.errors import FormatError
from rawcd.sector import SectorType, encode, scramble
from rawcd.source import SECTOR_BYTES as MAIN_BYTES
from rawcd_writers.drive.virtual.refusals import ILLEGAL_MODE, Refusal

if TYPE_CHECKING:
    from rawcd.source import Bytes2D

KIND_OF_BLOCK_TYPE: Final = {
    0: SectorType.AUDIO,
    8: SectorType.MODE1,
    9: SectorType.MODE2FORM0,
    10: SectorType.MODE2FORM1,
    11: SectorType.MODE2FORM1,
    12: SectorType.MODE2FORM2,
    13: SectorType.MODE2MIXED,
}
"""What the blocks of a track at once are, by data block type of page 05h (MMC)."""
_SUBHEADER_TYPES: Final = (10, 12)
_HEAD: Final = 16
_BLANK_BLOCK: Final = {
    SectorType.AUDIO: 2352,
    SectorType.MODE1: 2048,
    SectorType.MODE2FORM0: 2336,
    SectorType.MODE2FORM1: 2048,
    SectorType.MODE2FORM2: 2324,
}


def mode_of(kind: SectorType) -> TrackMode:
    """Return the track mode of sectors of a kind."""
    return TrackMode.AUDIO if kind.mode is None else TrackMode(kind.mode)


def fill_sectors(
    kind: SectorType, blocks: Bytes2D, lba: int, rows: Bytes2D, *, subheader: bytes | None = None
) -> None:
    """Fill rows (n, 2352) with the sectors that blocks become, scrambled.

    Blocks of 2,352 bytes of a data kind are whole sectors whose head and parity the drive makes
    anew, as in session at once.

    Raises:
        Refusal: the blocks are not what they are announced as.
    """
    if kind is SectorType.AUDIO:
        rows[:] = blocks
        return
    if blocks.shape[1] == MAIN_BYTES:
        end = _HEAD + (2048 if kind is SectorType.MODE1 else 2336)
        blocks = blocks[:, _HEAD:end]
    made = np.empty((len(blocks), MAIN_BYTES), np.uint8)
    try:
        encode(kind, np.ascontiguousarray(blocks), lba, subheader=subheader, out=made)
    except (FormatError, ValueError) as error:
        raise Refusal(ILLEGAL_MODE, f"LBA {lba}: {error}", lba=lba) from error
    scramble(made, out=made)
    rows[:] = made


def fill_blank(kind: SectorType, lba: int, rows: Bytes2D) -> None:
    """Fill rows (n, 2352) with sectors of a kind that hold nothing, scrambled."""
    if kind is SectorType.MODE2MIXED:
        kind = SectorType.MODE2FORM2  # as MMC has it for XA sectors that the drive makes
    fill_sectors(kind, np.zeros((len(rows), _BLANK_BLOCK[kind]), np.uint8), lba, rows)


def subheader_of(block_type: int, subheader: bytes) -> bytes | None:
    """Return the subheader that page 05h gives for a block type, or None where blocks have it."""
    return subheader if block_type in _SUBHEADER_TYPES else None
