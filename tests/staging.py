"""A creator with tracks in it, and how its refusals are asked for."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from rawcd import (
    AuthoringError,
    RawCDImageCreator,
    SilenceSource,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from rawcd import RegionImage, TrackInfo


@contextmanager
def refused(hresult: int, *words: object) -> Iterator[None]:
    """The block must be refused with this code, and the message must hold these words."""
    with pytest.raises(AuthoringError) as caught:
        yield
    assert caught.value.hresult is not None
    assert hex(caught.value.hresult) == hex(hresult)
    for word in words:
        found = re.search(rf"(?<!\w){re.escape(str(word))}(?!\w)", str(caught.value))
        assert found, f"{word} is not in: {caught.value}"


def silent(sectors: int) -> SilenceSource:
    return SilenceSource(block_count=sectors)


def staged(*lengths: int, gaps: bool = False, **options: Any) -> RawCDImageCreator:
    creator = RawCDImageCreator(**options)
    creator.disable_gapless_audio = gaps
    for sectors in lengths:
        creator.add_track(silent(sectors))
    return creator


def infos(creator: RawCDImageCreator) -> list[TrackInfo]:
    count = creator.number_of_existing_tracks
    return [creator.track_info(handle) for handle in range(1, count + 1)]


def starts(creator: RawCDImageCreator) -> list[int]:
    return [info.starting_lba for info in infos(creator)]


def counts(creator: RawCDImageCreator) -> list[int]:
    return [info.sector_count for info in infos(creator)]


def indexes(image: RegionImage) -> list[dict[int, int]]:
    return [{index.number: index.lba for index in track.indexes} for track in image.disc.tracks]


def pattern(samples: int, seed: int = 1) -> npt.NDArray[np.int16]:
    return np.random.default_rng(seed).integers(-32_768, 32_768, (samples, 2), np.int16)


def little(samples: npt.NDArray[np.int16]) -> bytes:
    """The samples as they lie on the disc: 16 bits, low byte first, left first."""
    return samples.astype("<i2").tobytes()


both = pytest.mark.parametrize("strict", [False, True], ids=["ours", "strict"])
"""With IMAPI's limits alone, and with ours."""
