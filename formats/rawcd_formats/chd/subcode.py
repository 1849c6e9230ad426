"""Whether a CHD's sectors need subcode: those of the tracks, from LBA 0 to the lead-out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rawcd.features import Feature, losses

if TYPE_CHECKING:
    from rawcd.image import DiscImage

RECORDED: Final = frozenset({Feature.RW, Feature.DATA_RW, Feature.STORED_PQ})
"""What recorded subcode a CHD can hold."""


def is_recorded_inside(image: DiscImage) -> bool:
    """Tell whether a CHD's sectors have subcode that rawcd would not make just so.

    Raises:
        StorageError: the subcode cannot be read.
    """
    return bool(losses(image, frozenset(Feature) - RECORDED))
