"""Which recorded subcode a CHD can hold: that of the sectors from LBA 0 to the lead-out."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from rawcd.features import Feature, losses
from rawcd.image import RegionImage, SubForm, SubRegion

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rawcd.image import DiscImage

RECORDED: Final = frozenset({Feature.RW, Feature.STORED_PQ})


def is_recorded_inside(image: DiscImage) -> bool:
    """Tell whether a CHD's sectors have subcode that rawcd would not make just so.

    Raises:
        StorageError: the subcode cannot be read.
    """
    return _is_recorded(image, inside=True)


def is_recorded_outside(image: DiscImage) -> bool:
    """Tell whether lead-in, first pregap or lead-out have; raises as `is_recorded_inside`."""
    return _is_recorded(image, inside=False)


def _is_recorded(image: DiscImage, *, inside: bool) -> bool:
    if not isinstance(image, RegionImage):
        return False
    sub = tuple(part for region in image.sub for part in _parts(region, image, inside=inside))
    if all(region.form is SubForm.MADE for region in sub):
        return False
    return bool(losses(replace(image, sub=sub), frozenset(Feature) - RECORDED))


def _parts(region: SubRegion, image: RegionImage, *, inside: bool) -> Iterator[SubRegion]:
    """Yield a region, made anew where it is not looked at."""
    lead_out = image.disc.sessions[0].lead_out_lba
    end = region.lba + region.sectors
    borders = [region.lba, *(lba for lba in (0, lead_out) if region.lba < lba < end), end]
    for lba, stop in pairwise(borders):
        part = replace(region, lba=lba, sectors=stop - lba, start=region.start + lba - region.lba)
        if (0 <= lba < lead_out) is not inside:
            part = SubRegion(lba=lba, sectors=stop - lba, form=SubForm.MADE)
        yield part
