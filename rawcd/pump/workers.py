"""The pump in several processes.

Each worker is sent the recipe once and fills slots of one shared memory; the parent hands out
blocks, writes the slots in order and hands them out again. Workers are spawned, never forked:
threads and open files of the caller stay its own. A worker ends when its pipe does, so none
outlives the parent however that ends; the memory has no name, so none of it can be left behind.
"""

from __future__ import annotations

import ctypes
import pickle
import signal
import traceback
from collections import deque
from contextlib import contextmanager, suppress
from multiprocessing import connection, get_context, resource_tracker
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from rawcd.errors import RawCDError
from rawcd.progress import report
from rawcd.pump.serial import BLOCK_SECTORS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.connection import Connection
    from multiprocessing.context import SpawnProcess

    from rawcd.progress import Progress
    from rawcd.pump.fills import Fill
    from rawcd.pump.serial import Write
    from rawcd.source import Bytes2D

    Memory = ctypes.Array[ctypes.c_ubyte]

_SLOTS_A_JOB: Final = 3
_PATIENCE_SECONDS: Final = 1.0
_Task = tuple[int, int, int]
"""Slot, LBA and count of a block."""


class _UnknownThereError(Exception):
    """A recipe that another process cannot read."""


def recipe_of(fill: Fill) -> bytes | None:
    """Return a fill as bytes for another process, or None when it cannot leave this one."""
    try:
        return pickle.dumps(fill)
    except Exception:  # whatever the owner of a source has its pickling say
        return None


def _work(recipe: bytes, memory: Memory, width: int, pipe: Connection) -> None:
    """Fill slots until the pipe ends: what a worker process runs."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    with suppress(EOFError, OSError):  # the parent has finished, or is gone
        try:
            fill: Fill = pickle.loads(recipe)
        except Exception as error:
            pipe.send(_UnknownThereError(f"{type(error).__name__}: {error}"))
            return
        while True:
            slot, lba, count = pipe.recv()
            answer: int | BaseException = slot
            try:
                fill(lba, _slot_rows(memory, slot, width)[:count])
            except BaseException as error:
                answer = _portable(error)
            pipe.send(answer)


def _portable(error: BaseException) -> BaseException:
    """Return an error that reaches the parent whole: itself, or one that tells of it."""
    if not isinstance(error, RawCDError):
        error.add_note("in a worker process:\n" + "".join(traceback.format_exception(error)))
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RawCDError(f"a worker process met {type(error).__name__}: {error}")
    return error


def _slot_rows(memory: Memory, slot: int, width: int) -> Bytes2D:
    size = BLOCK_SECTORS * width
    return np.frombuffer(memoryview(memory), np.uint8, size, slot * size).reshape(
        BLOCK_SECTORS, width
    )


@contextmanager
def _deaf_to_ctrl_c() -> Iterator[None]:
    """Let processes that are started here hear no Ctrl-C, from their first moment on.

    They inherit which signals are blocked, and a terminal sends Ctrl-C to them too.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # it would unblock the signal when it starts
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class _Crew:
    """The worker processes and their shared memory; `close` ends both."""

    def __init__(self, recipe: bytes, width: int, jobs: int) -> None:
        self.width = width
        self.free = deque(range(jobs * _SLOTS_A_JOB))
        self.workers: dict[Connection, SpawnProcess] = {}
        self.busy: dict[Connection, deque[_Task]] = {}
        context = get_context("spawn")
        self.memory = context.RawArray(ctypes.c_ubyte, len(self.free) * BLOCK_SECTORS * width)
        try:
            with _deaf_to_ctrl_c():
                for _ in range(jobs):
                    ours, theirs = context.Pipe()
                    worker = context.Process(
                        target=_work, args=(recipe, self.memory, width, theirs), daemon=True
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
        with suppress(OSError):  # a worker that is gone has perhaps said why: `finished` listens
            pipe.send((slot, lba, count))
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
        if code and code < 0:
            how = f"was ended by signal {-code}"
        else:
            how = (
                f"ended with status {code} (a script that asks for jobs must guard its own work "
                'by if __name__ == "__main__")'
            )
        return RawCDError(f"a worker process {how}; nothing was left behind")

    def rows(self, slot: int) -> Bytes2D:
        return _slot_rows(self.memory, slot, self.width)

    def close(self) -> None:
        """End every worker; they hold nothing that would have to be put in order."""
        for worker in self.workers.values():
            worker.kill()
        for pipe, worker in self.workers.items():
            worker.join()
            worker.close()
            pipe.close()


def pump_in_processes(
    recipe: bytes,
    lba: int,
    count: int,
    write: Write,
    *,
    width: int,
    jobs: int,
    progress: Progress | None,
) -> bool:
    """Make sectors in worker processes and write them in order; see `rawcd.pump.pump`.

    Returns:
        False when the workers cannot read the recipe: then nothing was written.
    """
    crew = _Crew(recipe, width, min(jobs, -(-count // BLOCK_SECTORS)))
    try:
        report(progress, 0, count)
        _run(crew, lba, count, write, progress)
    except _UnknownThereError:
        return False
    finally:
        crew.close()
    return True


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
            write(crew.rows(slot)[:block].reshape(-1).data)
            crew.free.append(slot)
            done += block
            report(progress, done, count)
        if waiting and waiting[0][0] not in filled and not (handed < count and crew.free):
            filled.update(crew.finished())
