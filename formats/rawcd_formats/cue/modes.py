"""The modes of TRACK commands: what is in the file, and what it becomes on the disc.

CDG is sound with R-W subcode: 2,352 bytes and 96 a sector. No document says what the 96 are;
libMirage and Aaru, which read them, take P-W as it is on the disc, one symbol a byte, P in bit 7,
packs interleaved, so that is what is read and written here. P and Q in it are not taken, as
the sheet says all of them (cdrdao replaces them likewise); they are written for readers
that take them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from rawcd.disc import DiscType, TrackMode
from rawcd.image import ImageType, MainForm
from rawcd.sector import SectorType
from rawcd.source import SECTOR_BYTES


@dataclass(frozen=True, slots=True)
class Mode:
    """What the mode of a TRACK command means.

    Attributes:
        mode: the mode byte of the track's sectors.
        sector_type: what the blocks in the file hold.
        block_size: bytes of one in the file.
        disc_type: what such a track makes of the disc.
        has_rw: 96 bytes of subcode follow each block, and count in its size.
    """

    mode: TrackMode
    sector_type: SectorType
    block_size: int = SECTOR_BYTES
    disc_type: DiscType = DiscType.CDDA_CDROM
    has_rw: bool = False

    @property
    def form(self) -> MainForm:
        """How a block becomes a sector: whole ones are kept, what they hold is not questioned."""
        if self.mode is TrackMode.AUDIO:
            return MainForm.DISC
        return MainForm.PLAIN if self.block_size == SECTOR_BYTES else MainForm.USER


def _mode2(
    sector_type: SectorType, size: int = SECTOR_BYTES, disc_type: DiscType = DiscType.XA
) -> Mode:
    return Mode(TrackMode.MODE2, sector_type, size, disc_type)


CDG: Final = "CDG"
AUDIO: Final = Mode(TrackMode.AUDIO, SectorType.AUDIO)
MODES: Final = {
    "AUDIO": AUDIO,
    CDG: Mode(TrackMode.AUDIO, SectorType.AUDIO, ImageType.RAW.sector_size, has_rw=True),
    "MODE1/2048": Mode(TrackMode.MODE1, SectorType.MODE1, 2048),
    "MODE1/2352": Mode(TrackMode.MODE1, SectorType.MODE1),
    "MODE2/2048": _mode2(SectorType.MODE2FORM1, 2048),
    "MODE2/2324": _mode2(SectorType.MODE2FORM2, 2324),
    "MODE2/2332": _mode2(SectorType.MODE2MIXED, 2332),
    # All that follows the header, EDC and parity too: it goes to the disc as it is.
    "MODE2/2336": _mode2(SectorType.MODE2FORM0, 2336),
    "MODE2/2352": _mode2(SectorType.MODE2FORM0),
    "CDI/2336": _mode2(SectorType.MODE2FORM0, 2336, DiscType.CDI),
    "CDI/2352": _mode2(SectorType.MODE2FORM0, SECTOR_BYTES, DiscType.CDI),
}
