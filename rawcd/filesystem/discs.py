"""The user data of a disc's data sectors, as the blocks of a volume."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rawcd.disc import TrackMode
from rawcd.errors import FormatError
from rawcd.filesystem.values import BLOCK_BYTES
from rawcd.image import main_sectors
from rawcd.source import check_range

if TYPE_CHECKING:
    from rawcd.image import DiscImage

_MODE_AT: Final = 15
_SUBMODE_AT: Final = 18
_FORM_2: Final = 0x20
_MODE_1_DATA: Final = 16
_FORM_1_DATA: Final = 24


class DiscBlocks:
    """Blocks of 2,048 bytes of a disc, block 0 at LBA 0: Mode 1 and Mode 2 form 1.

    Args:
        image: the disc.

    Attributes:
        name: for messages.
        block_size: 2,048.
        block_count: blocks to the end of the last session.
    """

    def __init__(self, image: DiscImage, *, name: str = "<disc>") -> None:
        self._image = image
        self.name = name
        self.block_size = BLOCK_BYTES
        self.block_count = max(0, image.disc.sessions[-1].lead_out_lba)

    def session_starts(self) -> list[int]:
        """Return where the volume of each session with data may begin: its first data track.

        The last of them is the one that a reader of many sessions takes (Orange Book).
        """
        found = []
        for session in self._image.disc.sessions:
            data = [track for track in session.tracks if track.mode is not TrackMode.AUDIO]
            if data:
                found.append(data[0].start_lba)
        return found

    def read(self, start: int, count: int) -> bytes:
        """Return the user data of `count` sectors; see `Source`.

        Raises:
            FormatError: one of them holds no block.
        """
        import numpy as np

        check_range(self.name, start, count, self.block_count)
        rows = main_sectors(self._image, start, count)
        mode, submode = rows[:, _MODE_AT], rows[:, _SUBMODE_AT]
        first = mode == 1
        form_1 = (mode == 2) & (submode & _FORM_2 == 0)
        if not (first | form_1).all():
            bad = start + int((~(first | form_1)).argmax())
            raise FormatError("no sector of 2,048 bytes", file=self.name, place=f"LBA {bad}")
        return np.where(
            first[:, None],
            rows[:, _MODE_1_DATA : _MODE_1_DATA + BLOCK_BYTES],
            rows[:, _FORM_1_DATA : _FORM_1_DATA + BLOCK_BYTES],
        ).tobytes()
