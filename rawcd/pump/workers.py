"""The pump in several processes, of which the caller's own is one.

It begins at once and hands tasks to the others as they come to life, so that little is lost
by their beginning, and nothing where they come too late.
"""

from __future__ import annotations

import pickle
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rawcd.progress import report
from rawcd.pump.blocks import BLOCK_SECTORS
from rawcd.pump.crew import Crew
from rawcd.pump.roads import Places, Slots, Task

if TYPE_CHECKING:
    from rawcd.fileset import Stretch
    from rawcd.progress import Progress
    from rawcd.pump.fills import Fill
    from rawcd.pump.serial import Write

_SLOTS_A_JOB: Final = 3
_ROOM_BYTES: Final = 8 << 20
"""Shared memory that is well spent: narrow sectors get more slots, so that nobody waits for the
task whose turn it is."""
_SHARE_SECTORS: Final = 4 * BLOCK_SECTORS
"""Sectors that a process is given at a time where nothing speaks against it: a task costs the
parent a tenth of a millisecond, and most of a source is read end to end."""
_SLOT_BYTES: Final = BLOCK_SECTORS * 2_448
"""A slot's size at most: wide sectors go by single blocks."""


def recipe_of(fill: Fill) -> bytes | None:
    """Return a fill as bytes for another process, or None when it cannot leave this one."""
    try:
        return pickle.dumps(fill)
    except Exception:  # whatever the owner of a source has its pickling say
        return None


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be done; the arguments of `rawcd.pump.pump`, and the pickled fill."""

    fill: Fill
    recipe: bytes
    lba: int
    count: int
    width: int
    jobs: int
    progress: Progress | None

    @property
    def blocks(self) -> int:
        """How many blocks there are."""
        return -(-self.count // BLOCK_SECTORS)

    def share(self, begun: int, most: int) -> int:
        """Return how many sectors the next task gets: less towards the end, for all to end at once.

        Args:
            begun: sectors that have been given out.
            most: the largest task.
        """
        left = self.count - begun
        even = left // (2 * self.jobs) // BLOCK_SECTORS * BLOCK_SECTORS
        return min(left, max(BLOCK_SECTORS, min(most, even)))


def pump_in_order(work: Work, write: Write) -> None:
    """Make sectors in several processes and write them in order; see `rawcd.pump.pump`."""
    jobs = min(work.jobs, work.blocks)
    narrow = _SHARE_SECTORS * work.width <= _SLOT_BYTES
    sectors = _SHARE_SECTORS if narrow else BLOCK_SECTORS
    slots = min(-(-work.count // sectors), _ROOM_BYTES // (sectors * work.width))
    road = Slots(work.width, max(jobs * _SLOTS_A_JOB, slots), sectors)
    crew = Crew(work.recipe, road, jobs - 1)
    try:
        report(work.progress, 0, work.count)
        _write_in_order(work, road, crew, write)
    finally:
        crew.close()


def _write_in_order(work: Work, road: Slots, crew: Crew, write: Write) -> None:
    begun = done = 0
    free = deque(range(road.count))
    waiting: deque[Task] = deque()  # in the order of the disc
    filled: set[Task] = set()

    def begin() -> Task:
        nonlocal begun
        sectors = work.share(begun, road.sectors)
        task = Task(work.lba + begun, sectors, free.popleft())
        begun += sectors
        waiting.append(task)
        return task

    while done < work.count:
        filled.update(crew.finished(wait=False))
        while begun < work.count and free and crew.has_room:
            crew.hand_out(begin())
        if waiting and waiting[0] in filled:
            task = waiting.popleft()
            filled.remove(task)
            write(road.rows(task).reshape(-1).data)
            free.append(task.slot)
            done += task.sectors
            report(work.progress, done, work.count)
        elif begun < work.count and free:
            task = begin()
            road.work_off(work.fill, task)
            filled.add(task)
        else:
            filled.update(crew.finished(wait=True))


def pump_to_places(work: Work, stretch: Stretch) -> None:
    """Make sectors in several processes, each of which writes its share; see `rawcd.pump.pump`."""
    jobs = min(work.jobs, work.blocks)
    road = Places(stretch, work.lba, work.width)
    crew = Crew(work.recipe, road, jobs - 1)
    begun = done = 0

    def begin() -> Task:
        nonlocal begun
        sectors = work.share(begun, _SHARE_SECTORS)
        task = Task(work.lba + begun, sectors)
        begun += sectors
        return task

    try:
        report(work.progress, 0, work.count)
        while done < work.count:
            finished = crew.finished(wait=begun == work.count)
            while begun < work.count and crew.has_room:
                crew.hand_out(begin())
            if begun < work.count and not finished:
                task = begin()
                road.work_off(work.fill, task)
                finished = [task]
            if finished:
                done += sum(task.sectors for task in finished)
                report(work.progress, done, work.count)
    finally:
        crew.close()
        road.close()
