"""What is made of each sector of an image: values that can be sent to another process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rawcd.image import RegionImage, main_sectors
from rawcd.source import SECTOR_BYTES

if TYPE_CHECKING:
    from rawcd.image import DiscImage
    from rawcd.sector import SectorType
    from rawcd.source import Bytes2D

Fill = Callable[[int, "Bytes2D"], None]
"""Fills rows with the sectors from an LBA on."""


@dataclass(frozen=True, slots=True)
class WholeSectors:
    """Rows of `sector_size` bytes: an image's sectors with their subcode."""

    image: DiscImage

    def __call__(self, lba: int, rows: Bytes2D) -> None:
        """Fill `rows` from `lba` on."""
        import numpy as np

        if isinstance(self.image, RegionImage):
            self.image.read_into(lba, rows)
        else:
            data = self.image.read(lba, len(rows))
            rows[:] = np.frombuffer(data, np.uint8).reshape(rows.shape)


@dataclass(frozen=True, slots=True)
class PlainMain:
    """Rows of 2,352 bytes: the main channel, data sectors unscrambled."""

    image: DiscImage

    def __call__(self, lba: int, rows: Bytes2D) -> None:
        """Fill `rows` from `lba` on."""
        if isinstance(self.image, RegionImage):
            self.image.read_main_into(lba, rows, plain=True)
        else:
            rows[:] = main_sectors(self.image, lba, len(rows))


@dataclass(frozen=True, slots=True)
class UserData:
    """Rows of 2,048 bytes: the user data of an image's data sectors."""

    image: DiscImage
    sector_type: SectorType

    def __call__(self, lba: int, rows: Bytes2D) -> None:
        """Fill `rows` from `lba` on."""
        from rawcd.sector import decode

        sectors = main_sectors(self.image, lba, len(rows))
        decode(self.sector_type, sectors, block_size=rows.shape[1], out=rows)


@dataclass(frozen=True, slots=True)
class PlainSectors:
    """Rows of 2,448 bytes: the main channel, data sectors unscrambled, and the subcode behind."""

    image: DiscImage

    def __call__(self, lba: int, rows: Bytes2D) -> None:
        """Fill `rows` from `lba` on."""
        PlainMain(self.image)(lba, rows[:, :SECTOR_BYTES])
        _fill_subcode(self.image, lba, rows[:, SECTOR_BYTES:])


@dataclass(frozen=True, slots=True)
class PlanarSubcode:
    """Rows of 96 bytes: the subcode of a RAW image, channel by channel."""

    image: DiscImage

    def __call__(self, lba: int, rows: Bytes2D) -> None:
        """Fill `rows` from `lba` on."""
        from rawcd.subcode import RawPW

        _fill_subcode(self.image, lba, rows)
        rows[:] = RawPW(rows).planar().rows


def _fill_subcode(image: DiscImage, lba: int, rows: Bytes2D) -> None:
    import numpy as np

    if isinstance(image, RegionImage):
        image.read_sub_into(lba, rows)
    else:
        data = np.frombuffer(image.read(lba, len(rows)), np.uint8)
        rows[:] = data.reshape(len(rows), image.sector_size)[:, SECTOR_BYTES:]
