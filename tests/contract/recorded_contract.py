"""What formats owe besides that copy a disc sector by sector, subcode and all."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from hypothesis import given, settings
from hypothesis import strategies as st

from rawcd.features import Feature
from rawcd.image import RegionImage
from rawcd.plugins import open_image, save_image
from tests.contract.format_contract import FormatContract, folder, image_with, scaled
from tests.recordings import (
    assert_same_program,
    mixed_discs,
    recorded,
    two_sessions,
    with_subcode_noise,
)

if TYPE_CHECKING:
    from pathlib import Path

    from rawcd.disc import Disc


def opened(path: Path) -> RegionImage:
    image = open_image(path)
    assert isinstance(image, RegionImage)
    return image


class RecordedContract(FormatContract):
    """The suite for them.

    Attributes:
        endings: of the files of an image.
        openable: of those that it is opened by.
        most_sessions: how many sessions the discs have at most.
    """

    endings: ClassVar[tuple[str, ...]]
    openable: ClassVar[tuple[str, ...]]
    most_sessions: ClassVar[int] = 2

    def image_with(self, feature: Feature) -> RegionImage:
        return two_sessions() if feature is Feature.SESSIONS else image_with(feature)

    def test_mixed_discs_come_back_and_make_the_same_files(self) -> None:
        """Sectors that are no data sectors, wrong parity and damaged subcode among them."""

        @settings(max_examples=scaled(25))
        @given(mixed_discs(sessions=self.most_sessions), st.booleans())
        def law(disc: Disc, noisy: bool) -> None:
            image = with_subcode_noise(recorded(disc)) if noisy else recorded(disc)
            with folder() as place:
                save_image(image, self.path_in(place, "a"))
                for ending in self.openable:
                    found = opened(place / f"a{ending}")
                    assert found.disc == disc
                    assert found.notes == ()
                    assert_same_program(image, found)
                    save_image(found, self.path_in(place, "b"), replace=True)
                for ending in self.endings:
                    again = (place / f"b{ending}").read_bytes()
                    assert (place / f"a{ending}").read_bytes() == again

        law()
