"""CD+G laid under the tracks of an image, and the packs of an image read back.

Each file begins at its track's index 1.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Self

import numpy as np

from rawcd.cdg import CdgFile, CdgSource
from rawcd.errors import UnsupportedError
from rawcd.image import ImageType, Note, RegionImage, SubForm, SubRegion
from rawcd.source import SECTOR_BYTES, fill_rows
from rawcd.subcode import DeinterleavedPacks, PackKind, PackLine, PackPart, RWPacks, pack_kinds
from rawcd.subcode.rows import PW96_BYTES, RW_BITS

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping
    from pathlib import Path

    from rawcd.image import DiscImage
    from rawcd.source import Bytes2D, Source

_STEP: Final = 512


def with_graphics(
    image: RegionImage, files: Mapping[int, str | os.PathLike[str] | CdgFile]
) -> RegionImage:
    """Return the image with CD+G in the R-W subcode of some tracks.

    Parity and interleave are made when a RAW image is read; a COOKED one has the packs without
    (MMC leaves both to the drive). What a file has beyond its track is left out, with a note.

    Args:
        image: an image whose subcode is made, not recorded, and that has no R-W yet.
        files: `.cdg` files by track number.

    Raises:
        KeyError: there is no such track.
        FormatError: a file is no whole number of packs.
        StorageError: a file cannot be read.
        UnsupportedError: the image has recorded subcode, or R-W of its own.
    """
    if any(region.form is not SubForm.MADE for region in image.sub):
        raise UnsupportedError("CD+G needs subcode that is made: this image brings its own")
    first, count = image.first_lba, image.sector_count
    parts: list[PackPart] = []
    notes: list[Note] = []
    inputs: list[Path] = []
    for number in sorted(files):
        track, given = image.disc.track(number), files[number]
        file = given if isinstance(given, CdgFile) else CdgFile(given)
        source = CdgSource(file)
        room = track.end_lba - track.start_lba
        if source.block_count > room:
            notes.append(
                Note(
                    code="cdg-longer",
                    message=f"its graphics last {source.block_count} sectors, the track {room}; "
                    "the rest was left out",
                    track=number,
                    file=source.name,
                )
            )
        inputs.extend(source.paths)
        parts.append(
            PackPart(at=track.start_lba - first, source=source, count=min(source.block_count, room))
        )
    line = PackLine(parts, count, name="<CD+G>")
    region = SubRegion(lba=first, sectors=count, form=SubForm.RW, source=line, rw_packed=True)
    return replace(
        image,
        sub=(region,),
        notes=(*image.notes, *notes),
        inputs=(*image.inputs, *inputs),
    )


class DiscSubcode:
    """The 96 bytes of an image's sectors as a source, from its first sector on.

    Args:
        image: one whose kind has 96 bytes.
    """

    block_size = PW96_BYTES

    def __init__(self, image: DiscImage) -> None:
        self._image = image
        self.name = "the subcode"
        self.block_count = image.sector_count

    def read(self, start: int, count: int) -> bytes:
        """Return blocks `start` to `start + count`; see `rawcd.source.Source`."""
        rows = np.empty((count, PW96_BYTES), np.uint8)
        self.read_into(start, rows)
        return rows.tobytes()

    def read_into(self, start: int, rows: Bytes2D) -> None:
        """Fill `rows`, one block a row; see `rawcd.source.ReadsInto`."""
        lba = self._image.first_lba + start
        if isinstance(self._image, RegionImage):
            self._image.read_sub_into(lba, rows)
            return
        data = np.frombuffer(self._image.read(lba, len(rows)), np.uint8)
        rows[:] = data.reshape(len(rows), self._image.sector_size)[:, SECTOR_BYTES:]


def _packs_of(image: DiscImage) -> Source | None:
    """Return the packs of an image, from its first sector on; None where it has no R-W.

    They are what a reader of the disc gets, parity included, whether they lie in the image as on
    the disc or not.
    """
    if isinstance(image, RegionImage):
        if all(region.form in (SubForm.MADE, SubForm.PQ16) for region in image.sub):
            return None
        return DeinterleavedPacks(DiscSubcode(image.as_kind(ImageType.RAW)))
    if image.kind is ImageType.PQ_ONLY:
        return None
    source = DiscSubcode(image)
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
