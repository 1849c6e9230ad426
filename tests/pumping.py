"""What the tests of the pump share: targets, a clock, and looks at what was left behind."""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rawcd.fileset import FileTransaction
from rawcd.pump import pump
from rawcd.pump.crew import Crew
from tests.workers import Numbered

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pytest

    from rawcd.fileset import OutputFile

BLOCK = 512
SOON = 2.0 if "CI" not in os.environ else 10.0  # time alone must not fail a shared machine
"""Seconds within which every bad end must come."""
STARTING = 8.0
"""Seconds that worker processes may take to begin on a machine that has much else to do."""


def share_always(patch: pytest.MonkeyPatch) -> list[int]:
    """Have several processes work on stretches of any length, and begin together.

    Returns:
        For each stretch that is shared out, how many processes came beside this one.
    """
    real = Crew.__init__
    came: list[int] = []

    def begin(crew: Crew, *args: Any) -> None:
        real(crew, *args)
        came.append(len(crew._workers))
        for pipe in crew._workers:  # each says that it is ready, or why not
            assert pipe.poll(30)

    patch.setattr("rawcd.pump._WORTH_IT", 1)
    patch.setattr(Crew, "__init__", begin)
    return came


def shared_memory() -> set[str]:
    folder = Path("/dev/shm")
    return {path.name for path in folder.iterdir()} if folder.is_dir() else set()


@contextmanager
def nothing_left() -> Iterator[None]:
    """No process, no thread and no shared memory may be left by what is done in here."""
    threads, memory = set(threading.enumerate()), shared_memory()
    yield
    assert multiprocessing.active_children() == []
    assert set(threading.enumerate()) <= threads
    assert shared_memory() <= memory


def written_to(folder: Path, work: Callable[[OutputFile], None]) -> bytes:
    """Return what was written to a file, among other bytes of which none may be lost."""
    with FileTransaction(folder / "disc.raw", replace=True) as files:
        output = files.create("disc.raw")
        output.write(b"before")
        work(output)
        output.write(b"behind")
        files.commit()
    held = (folder / "disc.raw").read_bytes()
    assert (held[:6], held[-6:]) == (b"before", b"behind")
    return held[6:-6]


def pumped(
    fill: Any, count: int, *, width: int = 8, lba: int = -150, into: Path | None = None, **more: Any
) -> bytes:
    """Return what is pumped: into a file in a folder, or to a function."""
    written = bytearray()
    with nothing_left():
        if into is not None:
            return written_to(
                into, lambda output: pump(fill, lba, count, output, width=width, **more)
            )
        pump(fill, lba, count, written.extend, width=width, **more)
    return bytes(written)


def nowhere(data: memoryview) -> None:
    """Keep nothing of what is made."""


def numbers(count: int, *, width: int = 8, lba: int = -150) -> bytes:
    rows = np.empty((count, width), np.uint8)
    Numbered()(lba, rows)
    return rows.tobytes()


@dataclass
class Clock:
    """When the bad thing happened; where only a worker knows, it may have been at once."""

    at: float

    def now(self) -> None:
        self.at = time.monotonic()


@contextmanager
def ends_soon() -> Iterator[Clock]:
    """What ends the work must end it soon, and leave nothing."""
    clock = Clock(time.monotonic() + STARTING)
    with nothing_left():
        yield clock
        assert time.monotonic() - clock.at < SOON
