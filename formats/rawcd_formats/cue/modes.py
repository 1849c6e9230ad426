"""The modes of TRACK commands: what is in the file, and what it becomes on the disc.

CDG is sound with R-W subcode: 2,352 bytes and 96 a sector. No document says what the 96 are;
libMirage and Aaru, which read them, take P-W as it is on the disc, one symbol a byte, P in bit 7,
packs interleaved, so that is what is read and written here. P and Q in it are not taken, as
the sheet says all of them (cdrdao replaces them likewise); they are written for readers
that take them. Sectors of 2,448 bytes of any mode (86Box) are the same, and so is a mode
with RW_RAW behind it (chdman, after cdrdao); with RW the 96 bytes are packs before interleave.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from rawcd.disc import DiscType, TrackMode
from rawcd.image import ImageType, MainForm
from rawcd.sector import SectorType
from rawcd.source import SECTOR_BYTES

RW: Final = "RW"
RW_RAW: Final = "RW_RAW"
SUB_BYTES: Final = ImageType.RAW.sub_bytes


@dataclass(frozen=True, slots=True)
class Mode:
    """What the mode of a TRACK command means.

    Attributes:
        mode: the mode byte of the track's sectors.
        sector_type: what the blocks in the file hold.
        main_bytes: bytes of one in the file, without subcode.
        disc_type: what such a track makes of the disc.
        subchannel: `RW` or `RW_RAW`: what the 96 bytes behind each block are; None: there are
            none.
    """

    mode: TrackMode
    sector_type: SectorType
    main_bytes: int = SECTOR_BYTES
    disc_type: DiscType = DiscType.CDDA_CDROM
    subchannel: str | None = None

    @property
    def block_size(self) -> int:
        """Bytes of a block in the file, with its subcode."""
        return self.main_bytes + (SUB_BYTES if self.has_rw else 0)

    @property
    def has_rw(self) -> bool:
        """Whether subcode follows each block."""
        return self.subchannel is not None

    @property
    def is_audio(self) -> bool:
        """Whether the blocks are sound."""
        return self.mode is TrackMode.AUDIO

    @property
    def is_whole(self) -> bool:
        """Whether the blocks are data sectors with their header."""
        return not self.is_audio and self.main_bytes == SECTOR_BYTES

    @property
    def form(self) -> MainForm:
        """How a block becomes a sector: whole ones are kept, what they hold is not questioned."""
        if self.is_audio:
            return MainForm.DISC
        return MainForm.PLAIN if self.is_whole else MainForm.USER


def _mode2(
    sector_type: SectorType, size: int = SECTOR_BYTES, disc_type: DiscType = DiscType.XA
) -> Mode:
    return Mode(TrackMode.MODE2, sector_type, size, disc_type)


CDG: Final = "CDG"
AUDIO: Final = Mode(TrackMode.AUDIO, SectorType.AUDIO)
_MODE1: Final = Mode(TrackMode.MODE1, SectorType.MODE1)
_MODE2: Final = _mode2(SectorType.MODE2FORM0)
MODES: Final = {
    "AUDIO": AUDIO,
    CDG: replace(AUDIO, subchannel=RW_RAW),
    "MODE1/2048": Mode(TrackMode.MODE1, SectorType.MODE1, 2048),
    "MODE1/2352": _MODE1,
    "MODE1/2448": replace(_MODE1, subchannel=RW_RAW),
    "MODE2/2048": _mode2(SectorType.MODE2FORM1, 2048),
    "MODE2/2324": _mode2(SectorType.MODE2FORM2, 2324),
    "MODE2/2332": _mode2(SectorType.MODE2MIXED, 2332),
    # All that follows the header, EDC and parity too: it goes to the disc as it is.
    "MODE2/2336": _mode2(SectorType.MODE2FORM0, 2336),
    # libcue's spelling of 2324: no block has 2,342 bytes.
    "MODE2/2342": _mode2(SectorType.MODE2FORM2, 2324),
    "MODE2/2352": _MODE2,
    "MODE2/2448": replace(_MODE2, subchannel=RW_RAW),
    "CDI/2336": _mode2(SectorType.MODE2FORM0, 2336, DiscType.CDI),
    "CDI/2352": _mode2(SectorType.MODE2FORM0, SECTOR_BYTES, DiscType.CDI),
}


def mode_of(name: str, subchannel: str | None) -> Mode | None:
    """Return what a TRACK command means; None for a mode that there is not.

    Args:
        name: the mode, in upper case.
        subchannel: the word behind it; a mode that has subcode of its own takes none.
    """
    mode = MODES.get(name)
    if mode is None or subchannel is None:
        return mode
    return None if mode.has_rw else replace(mode, subchannel=subchannel)
