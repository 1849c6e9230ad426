"""What a worker process runs.

Little is imported here: a worker ought to be at work before the one that started it is done.
"""

from __future__ import annotations

import os
import pickle
import signal
from contextlib import suppress
from typing import TYPE_CHECKING

from rawcd.errors import RawCDError

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from rawcd.pump.fills import Fill
    from rawcd.pump.roads import Road


class UnknownThereError(Exception):
    """A recipe that another process cannot read."""


def work(recipe: bytes, road: Road, pipe: Connection) -> None:
    """Say that all is ready, then work off tasks until the pipe ends.

    Args:
        recipe: the pickled fill.
        road: where the sectors go.
        pipe: brings tasks; takes None once, then each task that is done, or an error.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    # numpy's algebra, which nobody needs here, starts a thread for each core, and they spin for
    # a while: on the core on which the parent is at work.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    with suppress(EOFError, OSError):  # the parent has finished, or is gone
        try:
            fill: Fill = pickle.loads(recipe)
        except Exception as error:
            pipe.send(UnknownThereError(f"{type(error).__name__}: {error}"))
            return
        pipe.send(None)
        while True:
            task = pipe.recv()
            answer: object = task
            try:
                road.work_off(fill, task)
            except BaseException as error:
                answer = _portable(error)
            pipe.send(answer)


def _portable(error: BaseException) -> BaseException:
    """Return an error that reaches the parent whole: itself, or one that tells of it."""
    if not isinstance(error, RawCDError):
        import traceback

        error.add_note("in a worker process:\n" + "".join(traceback.format_exception(error)))
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RawCDError(f"a worker process met {type(error).__name__}: {error}")
    return error
