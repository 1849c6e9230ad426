"""The pump in several processes.

Each worker is sent the recipe once and fills slots of one shared memory; the parent hands out
blocks, writes the slots in order and hands them out again. Workers are spawned, never forked:
threads and open files of the caller stay its own. A worker ends when its pipe does, so none
outlives the parent however that ends.
"""

from __future__ import annotations

import pickle
import signal
from collections import deque
from contextlib import suppress
from multiprocessing import connection, get_context
from multiprocessing.shared_memory import SharedMemory
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np

from rawcd.errors import RawCDError
from rawcd.progress import report
from rawcd.pump.serial import BLOCK_SECTORS

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.context import SpawnProcess

    from rawcd.progress import Progress
    from rawcd.pump.fills import Fill
    from rawcd.pump.serial import Write
    from rawcd.source import Bytes2D

_SLOTS_A_JOB: Final = 3
_PATIENCE_SECONDS: Final = 1.0
_Task = tuple[int, int, int]
"""Slot, LBA and count of a block."""


def recipe_of(fill: Fill) -> bytes | None:
    """Return a fill as bytes for another process, or None when it cannot leave this one."""
    try:
        return pickle.dumps(fill)
    except (TypeError, AttributeError, pickle.PicklingError):
        return None


def _work(recipe: bytes, memory_name: str, width: int, pipe: Connection) -> None:
    """Fill slots until the pipe ends: what a worker process runs."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    fill: Fill = pickle.loads(recipe)
    memory = SharedMemory(memory_name)
    try:
        while True:
            slot, lba, count = pipe.recv()
            fill(lba, _slot_rows(memory, slot, width)[:count])
            pipe.send(slot)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        pass  # the parent has finished, or is gone
    except BaseException as error:
        with suppress(OSError):
            pipe.send(error)
    finally:
        memory.close()


def _slot_rows(memory: SharedMemory, slot: int, width: int) -> Bytes2D:
    size = BLOCK_SECTORS * width
    buffer = cast("memoryview", memory.buf)
    return np.frombuffer(buffer, np.uint8, size, slot * size).reshape(BLOCK_SECTORS, width)


class _Crew:
    """The worker processes and their shared memory; leaving the block ends both."""

    def __init__(self, recipe: bytes, width: int, jobs: int) -> None:
        self.width = width
        self.free = deque(range(jobs * _SLOTS_A_JOB))
        self.memory = SharedMemory(create=True, size=jobs * _SLOTS_A_JOB * BLOCK_SECTORS * width)
        self.workers: dict[Connection, SpawnProcess] = {}
        self.busy: dict[Connection, deque[_Task]] = {}
        context = get_context("spawn")
        try:
            for _ in range(jobs):
                ours, theirs = context.Pipe()
                worker = context.Process(
                    target=_work, args=(recipe, self.memory.name, width, theirs), daemon=True
                )
                worker.start()
                theirs.close()
                self.workers[ours] = worker
                self.busy[ours] = deque()
        except BaseException:
            self.close()
            raise

    def hand_out(self, lba: int, count: int) -> int:
        """Give a block to the worker with the least to do; returns its slot."""
        pipe = min(self.busy, key=lambda each: len(self.busy[each]))
        slot = self.free.popleft()
        try:
            pipe.send((slot, lba, count))
        except OSError:
            raise self._death(pipe) from None
        self.busy[pipe].append((slot, lba, count))
        return slot

    def finished(self) -> list[int]:
        """Wait for workers and return the slots that they have filled.

        Raises:
            RawCDError: a worker died; or what a worker met.
        """
        slots: list[int] = []
        for ready in connection.wait(list(self.workers)):
            pipe: Any = ready
            try:
                answer = pipe.recv()
            except (EOFError, OSError):
                raise self._death(pipe) from None
            if isinstance(answer, BaseException):
                raise answer
            self.busy[pipe].popleft()
            slots.append(answer)
        return slots

    def _death(self, pipe: Connection) -> RawCDError:
        worker = self.workers[pipe]
        worker.join(_PATIENCE_SECONDS)
        code = worker.exitcode
        how = f"was ended by signal {-code}" if code and code < 0 else f"ended with status {code}"
        return RawCDError(f"a worker process {how}; nothing was left behind")

    def rows(self, slot: int) -> Bytes2D:
        return _slot_rows(self.memory, slot, self.width)

    def close(self) -> None:
        """End every worker and give the memory back."""
        for pipe in self.workers:
            pipe.close()
        for worker in self.workers.values():
            worker.join(_PATIENCE_SECONDS / 2)
            if worker.is_alive():
                worker.kill()
                worker.join()
            worker.close()
        self.memory.close()
        with suppress(FileNotFoundError):
            self.memory.unlink()


def pump_in_processes(
    recipe: bytes,
    lba: int,
    count: int,
    write: Write,
    *,
    width: int,
    jobs: int,
    progress: Progress | None,
) -> None:
    """Make sectors in worker processes and write them in order; see `rawcd.pump.pump`."""
    crew = _Crew(recipe, width, jobs)
    try:
        report(progress, 0, count)
        _run(crew, lba, count, write, progress)
    finally:
        crew.close()


def _run(crew: _Crew, lba: int, count: int, write: Write, progress: Progress | None) -> None:
    handed = done = 0
    waiting: deque[tuple[int, int]] = deque()  # slot and count, in the order of the disc
    filled: set[int] = set()
    while done < count:
        while handed < count and crew.free:
            block = min(BLOCK_SECTORS, count - handed)
            waiting.append((crew.hand_out(lba + handed, block), block))
            handed += block
        while waiting and waiting[0][0] in filled:
            slot, block = waiting.popleft()
            filled.remove(slot)
            _write_slot(crew, slot, block, write)
            crew.free.append(slot)
            done += block
            report(progress, done, count)
        if waiting and waiting[0][0] not in filled and not (handed < count and crew.free):
            filled.update(crew.finished())


def _write_slot(crew: _Crew, slot: int, block: int, write: Write) -> None:
    """Write one slot; a view that outlived this call would keep the memory from being closed."""
    view = crew.rows(slot)[:block].reshape(-1).data
    try:
        write(view)
    finally:
        view.release()
