"""A model of the creator in plain integers: where tracks lie, and what is refused.

It is written from the decisions on the core and ECMA-130's gaps, not from the code: it knows
lengths and addresses and nothing else of ours.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from rawcd import AuthoringError

if TYPE_CHECKING:
    from collections.abc import Callable


LAST_LEADOUT = 398_100
PQ_ONLY = 1


@dataclass
class Stamped:
    """Blocks that tell which source they are from and where they stood there; or zeros."""

    stamp: int
    block_count: int
    block_size: int = 2_352
    name: str = "stamped"

    def read(self, start: int, count: int) -> bytes:
        if not self.stamp:
            return bytes(count * self.block_size)
        return b"".join(
            struct.pack("<II", self.stamp, block).ljust(self.block_size, b"\xaa")
            for block in range(start, start + count)
        )


MODES = {0: -1, 1: 0, 2: 1, 3: 2, 4: 2, 5: 2, 6: 1, 7: 2, 8: 2, 9: 2, 16: 2}
"""By IMAPI_CD_SECTOR_TYPE, 16 our own mixed forms: the mode byte, -1 without a header."""
SIZES = {0: 2_352, 1: 2_336, 2: 2_048, 3: 2_336, 4: 2_048, 5: 2_324, 16: 2_332}
"""A block size of each kind that the model makes; raw kinds hold their own addresses."""
STAMPED_AT = {2: 16, 3: 16, 4: 24, 5: 24, 16: 16}
"""Where a block's first byte lies in the sector: behind the header, or behind the subheader."""
SYNC = b"\0" + b"\xff" * 10 + b"\0"


@dataclass
class ModelTrack:
    kind: int
    stamp: int  # 0: zeros
    stored: int  # sectors that were given
    sectors: int  # and with padding
    pregap: int | None
    pregap_stamp: int  # 0: silence
    offsets: list[int] = field(default_factory=lambda: [0])
    isrc: str = ""
    copy: int = 1
    pre_emphasis: bool = False


@dataclass
class Spot:
    index0: int  # == index1 when there is none
    index1: int
    end: int  # of its own sound or data
    after: int  # its postgap


def shared(track: ModelTrack) -> int:
    """How much of a track its gapless successor takes for a pregap (decision 3); never data."""
    if track.kind:
        return 0
    n = track.sectors
    return max(0, min(150, n - 300, n - 10 - max(track.offsets)))


def layout(tracks: list[ModelTrack], special: int | None, *, gaps: bool) -> list[Spot]:
    """Decisions 1, 2, 4, 5 and 6; where the mode changes ECMA-130 20: 225, 150 and 150 sectors."""
    spots: list[Spot] = []
    for number, track in enumerate(tracks):
        if number == 0:
            pregap = special if special is not None else track.pregap
            index0, index1 = -150, (150 if pregap is None else pregap) - 150
        else:
            before = tracks[number - 1]
            changes = MODES[before.kind] != MODES[track.kind]
            if changes and before.kind:
                spots[-1].after = spots[-1].end + 150
            end = index0 = spots[-1].after
            if track.pregap is not None:
                index1 = end + track.pregap
            elif changes:
                index1 = end + (225 if track.kind else 150)
            elif gaps:
                index1 = end + 150
            else:
                index0, index1 = end - shared(before), end
        end = index1 + track.sectors
        spots.append(Spot(index0, index1, end, end))
    return spots


def ean_13(twelve: str) -> str:
    total = sum(int(digit) for digit in twelve[0::2]) + 3 * sum(int(d) for d in twelve[1::2])
    return twelve + str((10 - total % 10) % 10)


borders = st.sampled_from([0, 1, 149, 150, 151, 299, 300, 301, 309, 310, 449, 450, 451])
lengths = st.one_of(
    borders,
    st.integers(300, 2_000),
    st.integers(300, 2_000),
    st.integers(100_000, 398_200),
    st.sampled_from([397_949, 397_950, 397_951, 398_099, 398_100, 398_101]),
)
pregaps = st.one_of(
    st.none(),
    st.none(),
    st.tuples(st.booleans(), borders),
    st.tuples(st.booleans(), st.integers(0, 500)),
    st.tuples(st.just(False), st.sampled_from([-1, 397_950, 397_951, 398_100, 398_101])),
)
limits = st.one_of(
    st.sampled_from([-1, 0, 1, 398_099, 398_100, 398_101]),
    st.integers(300, 5_000),
    st.integers(1, 398_100),
)


def code_of(call: Callable[[], object]) -> tuple[int, str]:
    """Make the call; return its HRESULT, 0 for success, and the message."""
    try:
        call()
    except AuthoringError as error:
        return error.hresult or -1, str(error)
    return 0, "it went through"
