"""Any sector of a disc, on demand: what formats, writers and recorders are given.

An image is a `Disc`, regions that say where each sector's 2,352 bytes come from, and regions
for the subcode. Nothing is read before it is asked for.
"""

from __future__ import annotations

from rawcd.image.content import blank, blank_like, blanks, first_rw_lba
from rawcd.image.regions import RegionImage, main_sectors
from rawcd.image.values import (
    DiscImage,
    ImageType,
    MainForm,
    Note,
    Region,
    SubForm,
    SubRegion,
)

__all__ = [
    "DiscImage",
    "ImageType",
    "MainForm",
    "Note",
    "Region",
    "RegionImage",
    "SubForm",
    "SubRegion",
    "blank",
    "blank_like",
    "blanks",
    "first_rw_lba",
    "main_sectors",
]
