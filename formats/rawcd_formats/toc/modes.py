"""The words of the grammar that stand for something: disc types, track modes, subchannels.

Block sizes: formats.md 4, from cdrdao's manual.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from rawcd.disc import DiscType, TrackMode
from rawcd.image import MainForm
from rawcd.sector import SectorType
from rawcd.source import SECTOR_BYTES

RW: Final = "RW"
RW_RAW: Final = "RW_RAW"
SUBCHANNELS: Final = (RW, RW_RAW)
SUB_BYTES: Final = 96
"""Bytes of subcode behind each block: P to W interleaved, of which R to W count."""

DISC_TYPES: Final = MappingProxyType(
    {
        "CD_DA": DiscType.CDDA_CDROM,
        "CD_ROM": DiscType.CDDA_CDROM,
        "CD_ROM_XA": DiscType.XA,
        "CD_I": DiscType.CDI,
    }
)


@dataclass(frozen=True, slots=True)
class Mode:
    """What a mode means.

    Attributes:
        mode: the mode byte of the sectors.
        sector_type: what the blocks in a file hold.
        block_size: bytes of one in a file, without subcode.
        is_xa: such a track makes an XA disc where the sheet names no disc type.
    """

    mode: TrackMode
    sector_type: SectorType
    block_size: int = SECTOR_BYTES
    is_xa: bool = False

    @property
    def form(self) -> MainForm:
        """How a block becomes a sector: whole ones are kept, what they hold is not questioned."""
        if self.mode is TrackMode.AUDIO:
            return MainForm.DISC
        return MainForm.PLAIN if self.block_size == SECTOR_BYTES else MainForm.USER

    def file_bytes(self, subchannel: str | None) -> int:
        """Return the bytes of one block in a file."""
        return self.block_size + (SUB_BYTES if subchannel else 0)


AUDIO: Final = "AUDIO"
MODES: Final = MappingProxyType(
    {
        AUDIO: Mode(TrackMode.AUDIO, SectorType.AUDIO),
        "MODE0": Mode(TrackMode.MODE0, SectorType.MODE_ZERO, 2336),
        "MODE1": Mode(TrackMode.MODE1, SectorType.MODE1, 2048),
        "MODE1_RAW": Mode(TrackMode.MODE1, SectorType.MODE1),
        "MODE2": Mode(TrackMode.MODE2, SectorType.MODE2FORM0, 2336, is_xa=True),
        "MODE2_RAW": Mode(TrackMode.MODE2, SectorType.MODE2FORM0, is_xa=True),
        "MODE2_FORM1": Mode(TrackMode.MODE2, SectorType.MODE2FORM1, 2048, is_xa=True),
        "MODE2_FORM2": Mode(TrackMode.MODE2, SectorType.MODE2FORM2, 2324, is_xa=True),
        # Subheader and user data; EDC and parity are made anew, each sector in its own form.
        "MODE2_FORM_MIX": Mode(TrackMode.MODE2, SectorType.MODE2MIXED, 2336, is_xa=True),
    }
)
