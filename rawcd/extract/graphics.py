"""R-W packs of an image, sector by sector, as `.cdg` files hold them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

import numpy as np

from rawcd.image import ImageType, RegionImage, SubForm
from rawcd.source import SECTOR_BYTES, fill_rows
from rawcd.subcode import DeinterleavedPacks, PackKind, RWPacks, pack_kinds
from rawcd.subcode.rows import PW96_BYTES, RW_BITS

if TYPE_CHECKING:
    from rawcd.image import DiscImage
    from rawcd.source import Bytes2D, Source

_STEP: Final = 512


class _Subcode:
    """The 96 bytes of an image's sectors as a source, from its first sector on."""

    block_size = PW96_BYTES

    def __init__(self, image: DiscImage) -> None:
        self._image = image
        self.name = "the subcode"
        self.block_count = image.sector_count

    def read(self, start: int, count: int) -> bytes:
        lba = self._image.first_lba + start
        if isinstance(self._image, RegionImage):
            rows = np.empty((count, PW96_BYTES), np.uint8)
            self._image.read_sub_into(lba, rows)
            return rows.tobytes()
        data = np.frombuffer(self._image.read(lba, count), np.uint8)
        return data.reshape(count, -1)[:, SECTOR_BYTES:].tobytes()


def _packs_of(image: DiscImage) -> Source | None:
    """Return the packs of an image, from its first sector on; None where it has no R-W.

    They are what a reader of the disc gets, parity included, whether they lie in the image as on
    the disc or not.
    """
    if isinstance(image, RegionImage):
        if all(region.form in (SubForm.MADE, SubForm.PQ16) for region in image.sub):
            return None
        return DeinterleavedPacks(_Subcode(image.as_kind(ImageType.RAW)))
    if image.kind is ImageType.PQ_ONLY:
        return None
    source = _Subcode(image)
    return DeinterleavedPacks(source) if image.kind is ImageType.RAW else source


@dataclass(frozen=True, slots=True)
class Packs:
    """Rows of 96 bytes: four packs a sector, errors corrected, neither P nor Q."""

    source: Source
    first_lba: int

    def __call__(self, lba: int, rows: Bytes2D) -> None:
        """Fill `rows` from `lba` on."""
        fill_rows(self.source, lba - self.first_lba, rows)
        rows &= np.uint8(RW_BITS)

    @classmethod
    def of(cls, image: DiscImage) -> Self | None:
        """Return what fills rows with the packs of an image; None where it can have none."""
        source = _packs_of(image)
        return None if source is None else cls(source, image.first_lba)

    def kinds(self, lba: int, end: int) -> set[PackKind]:
        """Return the kinds in a stretch; nothing where no pack tells what it is about.

        Raises:
            StorageError: the subcode cannot be read.
        """
        found: set[PackKind] = set()
        for at in range(lba, end, _STEP):
            rows = np.empty((min(_STEP, end - at), PW96_BYTES), np.uint8)
            self(at, rows)
            if rows.any():
                found.update(pack_kinds(RWPacks(rows)))
        return found if found - {PackKind.ZERO, PackKind.OTHER} else set()
