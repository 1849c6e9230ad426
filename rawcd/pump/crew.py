"""Worker processes: started, handed tasks, listened to, ended.

Workers are spawned, never forked: threads and open files of the caller stay its own. A worker
ends when its pipe does, so none outlives the parent however that ends.
"""

from __future__ import annotations

import signal
import sys
from collections import deque
from contextlib import contextmanager, suppress
from importlib.machinery import ModuleSpec
from multiprocessing import connection, get_context, resource_tracker
from typing import TYPE_CHECKING, Any, Final

from rawcd.errors import RawCDError
from rawcd.pump.worker import UnknownThereError, work

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.connection import Connection
    from multiprocessing.context import SpawnProcess

    from rawcd.pump.roads import Road, Task

_AHEAD: Final = 2
"""Tasks that a worker is given at a time, so that it need not wait for the next."""
_PATIENCE_SECONDS: Final = 1.0


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


@contextmanager
def _without_the_program(recipe: bytes) -> Iterator[None]:
    """Let processes that are started here not import the module that began the program.

    multiprocessing has each of them do so first, for the sake of what is defined there: a script
    with all that it imports, and with its work where that stands unguarded. A recipe that names
    nothing of it can do without. A module called `__main__` is left alone by multiprocessing.
    """
    main = sys.modules.get("__main__")
    if main is None or b"__main__" in recipe:
        yield
        return
    before = getattr(main, "__spec__", None)
    main.__spec__ = ModuleSpec("__main__", None)
    try:
        yield
    finally:
        main.__spec__ = before


class Crew:
    """Some worker processes; `close` ends them.

    Args:
        recipe: the pickled fill.
        road: where the sectors go.
        workers: how many processes.
    """

    def __init__(self, recipe: bytes, road: Road, workers: int) -> None:
        self._workers: dict[Connection, SpawnProcess] = {}
        self._tasks: dict[Connection, deque[Task]] = {}
        """Of those who have said that they are ready."""
        context = get_context("spawn")
        try:
            with _deaf_to_ctrl_c(), _without_the_program(recipe):
                for _ in range(workers):
                    ours, theirs = context.Pipe()
                    worker = context.Process(target=work, args=(recipe, road, theirs), daemon=True)
                    worker.start()
                    theirs.close()
                    self._workers[ours] = worker
        except BaseException:
            self.close()
            raise

    @property
    def has_room(self) -> bool:
        """Whether a worker would take a task."""
        return any(len(tasks) < _AHEAD for tasks in self._tasks.values())

    @property
    def is_busy(self) -> bool:
        """Whether a worker has a task that is not done."""
        return any(self._tasks.values())

    def hand_out(self, task: Task) -> None:
        """Give a task to the worker with the least to do."""
        pipe = min(self._tasks, key=lambda each: len(self._tasks[each]))
        with suppress(OSError):  # a worker that is gone has perhaps said why: `finished` listens
            pipe.send(task)
        self._tasks[pipe].append(task)

    def finished(self, *, wait: bool) -> list[Task]:
        """Return the tasks that have been done.

        Args:
            wait: until there is something to tell.

        Raises:
            RawCDError: a worker died; or what a worker met.
        """
        done: list[Task] = []
        for ready in connection.wait(list(self._workers), None if wait else 0):
            pipe: Any = ready
            try:
                answer = pipe.recv()
            except (EOFError, OSError):
                raise self._death(pipe) from None
            if answer is None:
                self._tasks[pipe] = deque()
            elif isinstance(answer, UnknownThereError):
                self._end(pipe)
            elif isinstance(answer, BaseException):
                raise answer
            else:
                done.append(self._tasks[pipe].popleft())
        return done

    def _death(self, pipe: Connection) -> RawCDError:
        worker = self._workers[pipe]
        worker.join(_PATIENCE_SECONDS)
        code = worker.exitcode
        if code and code < 0:
            how = f"was ended by signal {-code}"
        else:
            how = (
                f"ended with status {code} (a script whose own sources are to be read by several "
                'jobs must guard its work by if __name__ == "__main__")'
            )
        return RawCDError(f"a worker process {how}; nothing was left behind")

    def _end(self, pipe: Connection) -> None:
        worker = self._workers.pop(pipe)
        worker.kill()
        worker.join()
        worker.close()
        pipe.close()

    def close(self) -> None:
        """End every worker; they hold nothing that would have to be put in order."""
        for worker in self._workers.values():
            worker.kill()
        for pipe in list(self._workers):
            self._end(pipe)
