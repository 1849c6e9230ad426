"""Sound that is the same but for where it begins, as drives and pressings move it.

Anchors, some samples in a row out of one disc, are looked for around their places in the other.
Where most of them are found equally far off, the whole sound is compared at that offset.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from rawcd.diff.sectors import is_data
from rawcd.diff.values import AudioOffset
from rawcd.disc import Area
from rawcd.progress import report

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rawcd.diff.sectors import Pair, Side
    from rawcd.progress import Progress
    from rawcd.source import Bytes2D
    from rawcd.subcode.rows import Flags
    from rawcd.survey import Survey

    Places = npt.NDArray[np.int64]
    Words = npt.NDArray[np.uint32]
    """Samples, both channels of each in one number."""

_SECTOR_SAMPLES: Final = 588
_DATA: Final = 4
"""The bit of CONTROL that tells data."""
_ANCHORS: Final = 16
_ANCHOR_SAMPLES: Final = 64
_LEAST_VALUES: Final = 16
"""Different samples in an anchor; silence and test tones are everywhere."""
_MOST_PLACES: Final = 32
"""Places at which one anchor may be found."""


def find_offset(
    pair: Pair, places: Sequence[int], most: int, told: Survey, progress: Progress | None
) -> AudioOffset | None:
    """Return by how many samples the second disc's sound is moved; None where it is not.

    Args:
        pair: the discs.
        places: sectors whose sound differs.
        most: samples by which it may be moved.
        told: what the first disc's bytes say.
        progress: told of the sectors that are compared at the offset.

    Raises:
        StorageError: an image cannot be read.
        CancelledError: `progress` said stop.
    """
    votes: Counter[int] = Counter()
    step = max(1, len(places) // _ANCHORS)
    for lba in places[::step]:
        votes.update(_offsets_of(pair, lba, most))
    votes.pop(0, None)
    if not votes:
        return None
    offset = min(votes, key=lambda each: (-votes[each], abs(each), each))
    return _compared(pair, offset, _edges(pair, told), progress)


def _words(sectors: Bytes2D) -> Words:
    return np.ascontiguousarray(sectors).reshape(-1).view("<u4")


def _samples(pair: Pair, side: Side, first: int, count: int) -> Words:
    """Return samples of a disc, counted from the first sector that both have; zeros outside."""
    found = np.zeros(count, np.uint32)
    start = max(first, 0)
    end = min(first + count, pair.sectors * _SECTOR_SAMPLES)
    if start < end:
        sector = start // _SECTOR_SAMPLES
        sectors = -(-end // _SECTOR_SAMPLES) - sector
        held = _words(side.main(pair.lba + sector, sectors))
        skipped = start - sector * _SECTOR_SAMPLES
        found[start - first : end - first] = held[skipped : skipped + end - start]
    return found


def _offsets_of(pair: Pair, lba: int, most: int) -> Iterator[int]:
    """Yield by how much an anchor of a sector may be moved in the other disc."""
    first = (lba - pair.lba) * _SECTOR_SAMPLES
    around = _samples(pair, pair.a, first, 2 * _SECTOR_SAMPLES)
    for at in range(0, len(around) - _ANCHOR_SAMPLES, _ANCHOR_SAMPLES):
        anchor = around[at : at + _ANCHOR_SAMPLES]
        if len(np.unique(anchor)) >= _LEAST_VALUES:
            break
    else:
        return
    start = first + at - most
    window = _samples(pair, pair.b, start, 2 * most + _ANCHOR_SAMPLES)
    found = np.flatnonzero(window[: 2 * most + 1] == anchor[0])
    for place in range(1, _ANCHOR_SAMPLES):
        found = found[window[found + place] == anchor[place]]
    if len(found) <= _MOST_PLACES:
        yield from (found - most).tolist()


def _edges(pair: Pair, told: Survey) -> Places:
    """Return the samples at which sound may be cut off or come in.

    There are more areas than one on a disc, and nothing but sound in some; at LBA 0 begins what
    most files hold.
    """
    edges = {0}
    before: tuple[bool, bool] | None = None
    for run in told.runs:
        inside = run.area in (Area.PREGAP, Area.TRACK)
        kind = (inside, inside and bool((run.control or 0) & _DATA))
        if kind != before:
            edges.add(run.lba)
        before = kind
    return (np.array(sorted(edges), np.int64) - pair.lba) * _SECTOR_SAMPLES


def _compared(pair: Pair, offset: int, edges: Places, progress: Progress | None) -> AudioOffset:
    """Compare the sound of two discs at an offset."""
    compared = different = at_ends = 0
    where: int | None = None
    for lba, count in pair.blocks():
        first = (lba - pair.lba) * _SECTOR_SAMPLES
        sectors = pair.a.main(lba, count)
        heard = np.repeat(~is_data(sectors), _SECTOR_SAMPLES)
        other = _samples(pair, pair.b, first + offset, count * _SECTOR_SAMPLES)
        found = np.flatnonzero((_words(sectors) != other) & heard) + first
        inner = found[~_near(found, edges, abs(offset))]
        compared += int(heard.sum())
        at_ends += len(found) - len(inner)
        different += len(inner)
        if len(inner) and where is None:
            where = pair.lba + int(inner[0]) // _SECTOR_SAMPLES
        report(progress, lba + count - pair.lba, pair.sectors)
    return AudioOffset(
        samples=offset, compared=compared, different=different, at_ends=at_ends, lba=where
    )


def _near(places: Places, edges: Places, reach: int) -> Flags:
    """Tell which places are less than a reach before an edge, or behind it."""
    after = np.searchsorted(edges, places, side="right")
    behind = places - edges[np.maximum(after - 1, 0)]
    ahead = edges[np.minimum(after, len(edges) - 1)] - places
    return ((behind >= 0) & (behind < reach)) | ((ahead > 0) & (ahead <= reach))
