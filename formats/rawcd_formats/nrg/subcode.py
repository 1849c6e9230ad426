"""Which recorded subcode an NRG can hold: that of each session from its program area's start."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from rawcd.features import Feature, losses
from rawcd.image import RegionImage, SubForm, SubRegion

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rawcd.disc import Disc
    from rawcd.image import DiscImage

OUTER: Final = frozenset({Feature.OUTER_RW, Feature.OUTER_PQ})
"""Recorded subcode outside the tracks, of which an NRG has that of the first pregap alone."""
RECORDED: Final = frozenset({Feature.RW, Feature.DATA_RW, Feature.STORED_PQ}) | OUTER


def is_recorded_inside(image: DiscImage) -> bool:
    """Tell whether sectors that an NRG stores have subcode that rawcd would not make just so.

    Raises:
        StorageError: the subcode cannot be read.
    """
    return _is_recorded(image, inside=True)


def is_recorded_outside(image: DiscImage) -> bool:
    """Tell whether lead-ins or lead-outs have; raises as `is_recorded_inside`."""
    return _is_recorded(image, inside=False)


def _is_recorded(image: DiscImage, *, inside: bool) -> bool:
    if not isinstance(image, RegionImage):
        return False
    sub = tuple(part for region in image.sub for part in _parts(region, image.disc, inside=inside))
    if all(region.form is SubForm.MADE for region in sub):
        return False
    return bool(losses(replace(image, sub=sub), frozenset(Feature) - RECORDED))


def _parts(region: SubRegion, disc: Disc, *, inside: bool) -> Iterator[SubRegion]:
    """Yield a region, made anew where it is not looked at."""
    end = region.lba + region.sectors
    spans = [(session.program_lba, session.lead_out_lba) for session in disc.sessions]
    edges = (lba for span in spans for lba in span if region.lba < lba < end)
    for lba, stop in pairwise([region.lba, *edges, end]):
        part = replace(region, lba=lba, sectors=stop - lba, start=region.start + lba - region.lba)
        if any(first <= lba < last for first, last in spans) is not inside:
            part = SubRegion(lba=lba, sectors=stop - lba, form=SubForm.MADE)
        yield part
