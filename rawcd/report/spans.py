"""Tracks as a map draws them: runs of the recorded bytes put together, whatever they say.

A disc whose Q is damaged may tell of a track twice, or of one in the middle of another: each
stretch is a span of its own then, and is drawn where it was found.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING, Final

from rawcd.disc import Area, TrackMode

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rawcd.survey import Run

MOST_RUNS: Final = 2_000
PROGRAM: Final = (Area.PREGAP, Area.TRACK)


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A track, or a stretch of one.

    Attributes:
        number: the track's number.
        session: the session's.
        runs: its pregap and indexes, in their order on the disc.
    """

    number: int
    session: int
    runs: tuple[Run, ...]

    @property
    def lba(self) -> int:
        """The first sector, that of the pregap where there is one."""
        return self.runs[0].lba

    @property
    def end_lba(self) -> int:
        """One past the last sector."""
        return self.runs[-1].end_lba

    @property
    def sectors(self) -> int:
        """How many sectors it has, the pregap included."""
        return self.end_lba - self.lba

    @property
    def pregap_sectors(self) -> int:
        """How many of them are the pregap."""
        return self.start_lba - self.lba

    @property
    def start_lba(self) -> int:
        """Where the pregap ends and the track begins."""
        first = next((run for run in self.runs if run.area is not Area.PREGAP), None)
        return self.end_lba if first is None else first.lba

    @property
    def is_data(self) -> bool:
        """Whether its sectors are data, or said to be."""
        return self.mode is not TrackMode.AUDIO

    @property
    def mode(self) -> TrackMode | None:
        """What its sectors are, as the longest run behind the pregap has it; None: unreadable."""
        return self._main_run.mode

    @property
    def control(self) -> int | None:
        """CONTROL, as the longest run behind the pregap has it."""
        return self._main_run.control

    @property
    def _main_run(self) -> Run:
        behind = [run for run in self.runs if run.area is not Area.PREGAP]
        return max(behind or self.runs, key=lambda run: run.sectors)

    def indexes(self) -> tuple[tuple[int, int], ...]:
        """Return number and LBA of each index."""
        return tuple((run.index, run.lba) for run in self.runs if run.index is not None)


def spans_of(runs: Iterable[Run]) -> tuple[Span, ...]:
    """Return the tracks among the runs of a disc."""
    found = []
    for (_, session, number), each in groupby(runs, key=_owner):
        if number is not None:
            found.append(Span(number=number, session=session, runs=tuple(each)))
    return tuple(found)


def drawable(runs: Sequence[Run]) -> tuple[Run, ...]:
    """Return runs that a picture can hold: `MOST_RUNS` at most.

    Of a disc with more the indexes of a track are put together; where that does not suffice, all
    that comes late, as a stretch that is no area.
    """
    if len(runs) <= MOST_RUNS:
        return tuple(runs)
    found = []
    for _, each in groupby(runs, key=lambda run: (run.session, run.area, run.track)):
        first, *others = each
        end = others[-1].end_lba if others else first.end_lba
        found.append(replace(first, sectors=end - first.lba))
    if len(found) > MOST_RUNS:
        rest = found[MOST_RUNS - 1]
        sectors = runs[-1].end_lba - rest.lba
        lost = replace(rest, sectors=sectors, area=None, track=None, index=None)
        found[MOST_RUNS - 1 :] = [lost]
    return tuple(found)


def _owner(run: Run) -> tuple[bool, int, int | None]:
    within = run.area in PROGRAM
    return within, run.session, run.track if within else None
