"""What a burn sends: a disc's sectors as blocks, in the form that a way of writing has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rawcd.disc import TrackMode
from rawcd.image import RegionImage, main_sectors
from rawcd.source import SECTOR_BYTES, fill_rows

if TYPE_CHECKING:
    from collections.abc import Callable

    from rawcd.disc import Track
    from rawcd.image import DiscImage, ImageType
    from rawcd.source import Bytes2D, Source

USER: Final = {
    TrackMode.AUDIO: slice(0, SECTOR_BYTES),
    TrackMode.MODE1: slice(16, 2064),
    TrackMode.MODE2: slice(16, SECTOR_BYTES),
}
"""What of a sector goes to a drive that makes sync, header and parity itself."""
MIXED: Final = slice(16, 2348)
"""Subheader and data of an XA sector: data block type 13."""


def sector_filler(image: DiscImage) -> Callable[[int, Bytes2D], None]:
    """Return what fills rows with whole sectors."""
    if isinstance(image, RegionImage):
        return image.read_into

    def fill(lba: int, rows: Bytes2D) -> None:
        import numpy as np

        rows[:] = np.frombuffer(image.read(lba, len(rows)), np.uint8).reshape(rows.shape)

    return fill


def source_filler(source: Source, start_lba: int) -> Callable[[int, Bytes2D], None]:
    """Return what fills rows with a source's blocks, the first of them at an address."""

    def fill(lba: int, rows: Bytes2D) -> None:
        fill_rows(source, lba - start_lba, rows)

    return fill


def plain_filler(image: DiscImage, cut: slice, shift: int) -> Callable[[int, Bytes2D], None]:
    """Return what fills rows with a part of plain sectors that lie `shift` further on."""

    def fill(lba: int, rows: Bytes2D) -> None:
        rows[:] = main_sectors(image, lba + shift, len(rows))[:, cut]

    return fill


def sao_bytes(track: Track, sub: ImageType | None) -> int:
    """Return the size of a track's blocks, session at once."""
    cut = USER[track.mode]
    return int(cut.stop - cut.start) + (0 if sub is None else sub.sub_bytes)


def sao_filler(
    image: DiscImage, track: Track, sub: ImageType | None
) -> Callable[[int, Bytes2D], None]:
    """Return what fills rows with a track's blocks, its R-W behind each where there is any."""
    main = plain_filler(image, USER[track.mode], 0)
    if sub is None:
        return main
    assert isinstance(image, RegionImage)  # no other tells of R-W
    own = image.as_kind(sub)

    def fill(lba: int, rows: Bytes2D) -> None:
        width = rows.shape[1] - own.kind.sub_bytes
        main(lba, rows[:, :width])
        own.read_sub_into(lba, rows[:, width:])

    return fill
