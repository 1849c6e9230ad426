"""The user data of data tracks alone: what files of 2,048-byte sectors hold.

Header, EDC and parity are left out because they can be made again; a sector of which that is
not true is refused, never cut down in silence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rawcd.errors import UnsupportedError
from rawcd.image import main_sectors

if TYPE_CHECKING:
    from rawcd.image import DiscImage
    from rawcd.sector import SectorType

_STEP: Final = 512


def check_remakeable(image: DiscImage, first: int, end: int, sector_type: SectorType) -> None:
    """Refuse sectors that are not what their user data alone would make again.

    Args:
        image: the image.
        first: first LBA.
        end: one past the last.
        sector_type: what the sectors are.

    Raises:
        UnsupportedError: a sector's header, EDC or parity is not what it should be.
        StorageError: the image cannot be read.
    """
    from rawcd.sector import Defect, verify

    for lba in range(first, end, _STEP):
        found = verify(main_sectors(image, lba, min(_STEP, end - lba)), lba, sector_type)
        if found.any():
            row = int((found != 0).argmax())
            raise UnsupportedError(
                f"the sector at LBA {lba + row} is no clean {sector_type.name} sector "
                f"({Defect(int(found[row])).name}); user data alone "
                "would not keep it: keep whole sectors",
                lost=(f"the sector at LBA {lba + row} as it is",),
            )
