"""The mode bytes of NRGs: what a track's sectors hold, and how much of them is stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from rawcd.disc import TrackMode
from rawcd.sector import SectorType
from rawcd.source import SECTOR_BYTES

SUB_BYTES: Final = 96
_WITH_SUB: Final = SECTOR_BYTES + SUB_BYTES


@dataclass(frozen=True, slots=True)
class Mode:
    """What a mode byte means.

    Attributes:
        mode: the mode of the track.
        sector_type: what the blocks hold.
        size: bytes of a sector in the file, subcode included.
    """

    mode: TrackMode
    sector_type: SectorType
    size: int = SECTOR_BYTES

    @property
    def sub_bytes(self) -> int:
        """Bytes of subcode behind each block."""
        return SUB_BYTES if self.size == _WITH_SUB else 0


_AUDIO: Final = (TrackMode.AUDIO, SectorType.AUDIO)
_MODE1: Final = (TrackMode.MODE1, SectorType.MODE1)
_MODE2: Final = (TrackMode.MODE2, SectorType.MODE2FORM0)

MODES: Final = {
    0x00: Mode(*_MODE1, 2048),
    0x02: Mode(TrackMode.MODE2, SectorType.MODE2FORM1, 2048),
    0x03: Mode(*_MODE2, 2336),
    0x05: Mode(*_MODE1),
    0x06: Mode(*_MODE2),
    0x07: Mode(*_AUDIO),
    0x08: Mode(*_AUDIO),
    0x0F: Mode(*_MODE1, _WITH_SUB),
    0x10: Mode(*_AUDIO, _WITH_SUB),
    0x11: Mode(*_MODE2, _WITH_SUB),
}
USER_DATA: Final = 0x00
WHOLE: Final = {
    TrackMode.AUDIO: 0x07,
    TrackMode.MODE0: 0x05,  # NRGs have no word for mode 0; the headers still tell it
    TrackMode.MODE1: 0x05,
    TrackMode.MODE2: 0x06,
}
WHOLE_WITH_SUB: Final = {
    TrackMode.AUDIO: 0x10,
    TrackMode.MODE0: 0x0F,
    TrackMode.MODE1: 0x0F,
    TrackMode.MODE2: 0x11,
}


def of_size(code: int, size: int) -> Mode | None:
    """Return what a mode byte means for sectors of another size than its own.

    MagicISO writes the bytes of user data over whole sectors; the size is what counts.

    Returns:
        None where no mode of that kind has the size.
    """
    own = MODES[code]
    if own.size == size:
        return own
    fitting = (each for each in MODES.values() if each.mode is own.mode and each.size == size)
    return next(fitting, None)
