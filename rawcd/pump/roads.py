"""Two roads on which sectors leave the processes that make them.

`Slots` is shared memory out of which one process writes in order: for pipes, and for all that
only takes one byte after the other. On `Places` each process writes its own share of a file.
Either can be sent to a process that is being started.
"""

from __future__ import annotations

import ctypes
from multiprocessing import get_context
from typing import TYPE_CHECKING, NamedTuple, Protocol

from rawcd.pump.blocks import BLOCK_SECTORS

if TYPE_CHECKING:
    from rawcd.fileset import PlacedFile, Stretch
    from rawcd.pump.fills import Fill
    from rawcd.source import Bytes2D


class Task(NamedTuple):
    """Sectors that one process makes.

    Attributes:
        lba: the first.
        sectors: how many.
        slot: where in shared memory they go; 0 on another road.
    """

    lba: int
    sectors: int
    slot: int = 0


class Road(Protocol):
    """Where sectors go."""

    def work_off(self, fill: Fill, task: Task) -> None:
        """Make the sectors of a task and put them where they belong."""
        ...


class Slots:
    """Shared memory for the sectors of some tasks. It has no name, so none can be left behind.

    Args:
        width: bytes in a sector.
        count: how many tasks it holds.
        sectors: what a task has at most.
    """

    def __init__(self, width: int, count: int, sectors: int) -> None:
        self.width = width
        self.count = count
        self.sectors = sectors
        self._memory = get_context("spawn").RawArray(ctypes.c_ubyte, count * sectors * width)

    def rows(self, task: Task) -> Bytes2D:
        """Return the rows that a task fills."""
        import numpy as np

        begin = task.slot * self.sectors * self.width
        size = task.sectors * self.width
        held = np.frombuffer(memoryview(self._memory), np.uint8, size, begin)
        return held.reshape(task.sectors, self.width)

    def work_off(self, fill: Fill, task: Task) -> None:
        """Make the sectors of a task, block after block, in its slot."""
        rows = self.rows(task)
        for done in range(0, task.sectors, BLOCK_SECTORS):
            fill(task.lba + done, rows[done : done + BLOCK_SECTORS])


class Places:
    """Fixed places in a file: a sector lies where its LBA says. Each process opens it for itself.

    Args:
        stretch: where the sectors belong.
        lba: the sector at its first byte.
        width: bytes in a sector.
    """

    def __init__(self, stretch: Stretch, lba: int, width: int) -> None:
        self._stretch = stretch
        self._lba = lba
        self._width = width
        self._file: PlacedFile | None = None
        self._rows: Bytes2D | None = None

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_file": None, "_rows": None}

    def work_off(self, fill: Fill, task: Task) -> None:
        """Make the sectors of a task, block after block, and write each at its place.

        Raises:
            StorageError: they cannot be written.
        """
        import numpy as np

        if self._file is None or self._rows is None:
            self._file = self._stretch.open()
            self._rows = np.empty((BLOCK_SECTORS, self._width), np.uint8)
        begin = (task.lba - self._lba) * self._width
        for done in range(0, task.sectors, BLOCK_SECTORS):
            rows = self._rows[: min(BLOCK_SECTORS, task.sectors - done)]
            fill(task.lba + done, rows)
            self._file.write_at(begin + done * self._width, rows.reshape(-1).data)
        self._file.store(begin, task.sectors * self._width)

    def close(self) -> None:
        """Close this process's hold on the file."""
        if self._file is not None:
            self._file.close()
            self._file = None
