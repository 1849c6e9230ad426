"""Which places a disc goes through, from frames some of which are wrong.

A frame of mode 1 tells a place: the lead-in, a track and index, the lead-out. What all frames tell,
one after the other, is a row of stretches; the damaged among them must go. Kept are those that
make the heaviest chain of legal steps: inside a track indexes rise by one, tracks follow each
other, sessions go from lead-in to lead-out. A step that is not legal costs as much as the sectors
that it would have to bring.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from rawcd.disc import MAX_INDEX
from rawcd.subcode.frame import LEAD_OUT_TNO

if TYPE_CHECKING:
    import numpy.typing as npt

    Numbers = npt.NDArray[np.int32]

NOT_TOLD: Final = -1
LEAD_IN: Final = 0
"""The key of a place in a lead-in."""
_PER_TRACK: Final = 100
LEAD_OUT: Final = LEAD_OUT_TNO * _PER_TRACK
"""The key of a place in a lead-out, whatever the index."""
_SKIPPED_INDEX: Final = 3
"""Sectors that an index number has to bring that does not follow the one before it."""
_OTHER_STEP: Final = 100
"""Sectors that any other step has to bring that no disc should take."""
_LEAST_LEAD_IN: Final = 200
"""Sectors that a lead-in behind a lead-out has to bring: it has 4,500."""
_MOST_STRETCHES: Final = 20_000
"""Of more, only the longest are looked at: no disc has 10,000 indexes."""


def key_of(track: int, index: int) -> int:
    """Return the key of a place in a track."""
    return track * _PER_TRACK + index


def track_of(key: int) -> int:
    """Return a key's track: 0 in the lead-in, `LEAD_OUT_TNO` in the lead-out."""
    return key // _PER_TRACK


def index_of(key: int) -> int:
    """Return a key's index."""
    return key % _PER_TRACK


class Stretch(NamedTuple):
    """Frames in a row that tell the same place; others, that tell none, may be between them."""

    key: int
    first: int
    last: int
    told: int


def _stretches(keys: Numbers) -> list[Stretch]:
    told = np.flatnonzero(keys != NOT_TOLD)
    if not len(told):
        return []
    found = keys[told]
    starts = np.concatenate([[0], np.flatnonzero(found[1:] != found[:-1]) + 1])
    ends = np.concatenate([starts[1:], [len(found)]])
    if len(starts) > _MOST_STRETCHES:
        kept = np.sort(np.argsort(starts - ends, kind="stable")[:_MOST_STRETCHES])
        starts, ends = starts[kept], ends[kept]
    return [
        Stretch(int(found[start]), int(told[start]), int(told[end - 1]), int(end - start))
        for start, end in zip(starts, ends, strict=True)
    ]


class _Scores:
    """The best chains so far, by what they end with: score and number of the last stretch."""

    def __init__(self) -> None:
        nothing = (0, -1)
        self.any = nothing
        self.program = nothing
        self.by_key: dict[int, tuple[int, int]] = defaultdict(lambda: nothing)
        self.by_track: dict[int, tuple[int, int]] = defaultdict(lambda: nothing)

    def before(self, key: int) -> tuple[int, int]:
        """Return the best chain to which a stretch of a place can be added."""
        best = max(self.by_key[key], (self.any[0] - _OTHER_STEP, self.any[1]))
        if key == LEAD_IN:
            score, before = self.by_key[LEAD_OUT]
            return max(best, (score - _LEAST_LEAD_IN, before))
        if key == LEAD_OUT:
            return max(best, self.program)
        track, index = track_of(key), index_of(key)
        if index <= 1:
            best = max(best, self.by_key[LEAD_IN], self.by_track[track - 1])
        if index:
            best = max(best, self.by_key[key - 1])
            lower = max((self.by_key[key - back] for back in range(1, index + 1)), default=best)
            best = max(best, (lower[0] - _SKIPPED_INDEX, lower[1]))
        return best

    def add(self, key: int, score: tuple[int, int]) -> None:
        self.by_key[key] = max(self.by_key[key], score)
        self.any = max(self.any, score)
        if key not in (LEAD_IN, LEAD_OUT):
            track = track_of(key)
            self.by_track[track] = max(self.by_track[track], score)
            self.program = max(self.program, score)


def chain_of(keys: Numbers) -> list[Stretch]:
    """Return the stretches that a disc goes through, those of one place joined.

    Args:
        keys: what each frame tells, `NOT_TOLD` where it tells no place.
    """
    stretches = _stretches(keys)
    scores = _Scores()
    origin: list[int] = []
    for number, stretch in enumerate(stretches):
        score, before = scores.before(stretch.key)
        if score <= 0:
            score, before = 0, -1
        origin.append(before)
        scores.add(stretch.key, (score + stretch.told, number))
    chain: list[Stretch] = []
    number = scores.any[1]
    while number >= 0:
        stretch = stretches[number]
        if chain and chain[-1].key == stretch.key:
            after = chain.pop()
            stretch = Stretch(stretch.key, stretch.first, after.last, stretch.told + after.told)
        chain.append(stretch)
        number = origin[number]
    return chain[::-1]


def lost_between(before: Stretch, after: Stretch) -> range:
    """Return the indexes between two stretches of a track that no frame tells."""
    if track_of(before.key) != track_of(after.key) or index_of(after.key) > MAX_INDEX:
        return range(0)
    lost = range(index_of(before.key) + 1, index_of(after.key))
    return lost if len(lost) <= after.first - before.last - 1 else range(0)
