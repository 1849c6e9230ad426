"""Data tracks of every kind, and what the slow oracle says of their sectors."""

from __future__ import annotations

from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from rawcd import AuthoringError, RawCDImageCreator, SectorType, SilenceSource, main_sectors
from rawcd.sector import verify
from rawcd.subcode.rows import pq_of_pw96
from tests.oracles.blocks import KINDS_AND_SIZES, SIZES, blank, blocks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rawcd import DiscImage, RegionImage


LEAD_IN = -22_650
LENGTH = 300
"""Sectors of a shortest track."""
LEAD_OUT = 6_750
COOKED = [kind for kind in SIZES if not kind.endswith("RAW")]
RAW = [kind for kind in SIZES if kind.endswith("RAW")]

each_kind = pytest.mark.parametrize("kind", SIZES)
each_block = pytest.mark.parametrize(("kind", "size"), KINDS_AND_SIZES)


@contextmanager
def refused(hresult: int, *words: object) -> Iterator[None]:
    """The block must be refused with this code, and the message must hold these words."""
    with pytest.raises(AuthoringError) as caught:
        yield
    assert caught.value.hresult is not None
    assert hex(caught.value.hresult) == hex(hresult)
    for word in words:
        assert str(word) in str(caught.value)


@cache
def track_blocks(kind: str, size: int, lba: int = 0) -> tuple[bytes, ...]:
    """The blocks of a track. Of whole sectors most are blank, for the oracle is slow."""
    if size < 2352:
        return tuple(blocks(kind, size, LENGTH))
    return tuple(
        blocks(kind, size, 1, seed=i, lba=lba + i)[0] if i in LOOKED_AT else blank(kind, lba + i)
        for i in range(LENGTH)
    )


LOOKED_AT = (0, 1, 16, 100, 299)


def track_bytes(kind: str, size: int, lba: int = 0) -> bytes:
    return b"".join(track_blocks(kind, size, lba))


def image_of(kind: str, size: int, **more: Any) -> RegionImage:
    creator = RawCDImageCreator()
    creator.add_track(track_bytes(kind, size), SectorType[kind], block_size=size, **more)
    return creator.create_result_image()


def creator_of(*kinds: str, gaps: bool = False, **more: Any) -> RawCDImageCreator:
    """Tracks of a shortest length, in blocks of IMAPI's size; what they hold is zero."""
    creator = RawCDImageCreator()
    creator.disable_gapless_audio = gaps
    for kind in kinds:
        source = SilenceSource(block_count=LENGTH, block_size=min(SIZES[kind]))
        creator.add_track(source, SectorType[kind], **more)
    return creator


def plain(image: DiscImage, lba: int, count: int = 1) -> bytes:
    return main_sectors(image, lba, count).tobytes()


def on_disc(image: DiscImage, lba: int) -> bytes:
    return image.read(lba, 1)[:2352]


def assert_right(image: RegionImage, lba: int, end: int, kind: str) -> None:
    """Every sector of a stretch has the header of its place, and EDC and parity that hold."""
    for at in range(lba, end, 1024):
        found = verify(main_sectors(image, at, min(1024, end - at)), at, SectorType[kind])
        assert not found.any(), f"LBA {at + int(found.argmax())}"


def q_of(image: RegionImage, lba: int) -> bytes:
    """The Q frame of a sector, from its bytes."""
    sub = np.frombuffer(image.read(lba, 1)[2352:], np.uint8).reshape(1, 96)
    return pq_of_pw96(sub)[0].tobytes()
