"""What tests give to worker processes; little is imported here, for each of them imports it."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from multiprocessing import parent_process
from typing import TYPE_CHECKING, NoReturn

import numpy as np

from rawcd.errors import StorageError

if TYPE_CHECKING:
    from rawcd.source import Bytes2D


@dataclass(frozen=True)
class Numbered:
    """Fills rows with what tells their LBA, and meets with something on the way.

    Attributes:
        pause: seconds that each block takes.
        fails_at: the LBA at which `fail` is called.
        how: `storage`, `foreign`, `broken`, `end`, `killed`, `exits` or `hangs`.
        there: fail in a worker alone: at the first block that it makes there or behind.
    """

    pause: float = 0.0
    fails_at: int | None = None
    how: str = "storage"
    there: bool = False

    def __call__(self, lba: int, rows: Bytes2D) -> None:
        time.sleep(self.pause)
        if self.fails_at is not None and self.fails_at < lba + len(rows):
            here = lba <= self.fails_at
            if parent_process() is not None if self.there else here:
                self.fail()
        rows[:] = np.arange(lba, lba + len(rows)).astype("<u4").view(np.uint8).reshape(-1, 4)[:, :1]
        rows[:, :4] = np.arange(lba, lba + len(rows)).astype("<u4").view(np.uint8).reshape(-1, 4)

    def fail(self) -> None:
        if self.how == "storage":
            raise StorageError("ends at byte 7", file="disc.bin", errno=5)
        if self.how == "foreign":
            raise ZeroDivisionError("by nothing")
        if self.how == "broken":
            raise UnportableError("one", "two")
        if self.how == "end":
            raise EOFError("no more")
        if self.how == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.how == "exits":
            os._exit(3)
        time.sleep(60)


class UnportableError(Exception):
    """Can be pickled, but not unpickled: its arguments are not those that it was made of."""

    def __init__(self, first: str, second: str) -> None:
        super().__init__(f"{first} and {second}")


@dataclass(frozen=True)
class Elsewhere:
    """Can be pickled here, and unpickled in no other process."""

    home: int

    def __call__(self, lba: int, rows: Bytes2D) -> None:
        Numbered()(lba, rows)

    def __reduce__(self) -> tuple[object, ...]:
        return _found_again, (self.home,)


def _found_again(home: int) -> Elsewhere:
    if home != os.getpid():
        raise LookupError("this is another process")
    return Elsewhere(home)


@dataclass(frozen=True)
class Rooted:
    """Refuses to be pickled, with an error of its own."""

    def __call__(self, lba: int, rows: Bytes2D) -> None:
        Numbered()(lba, rows)

    def __reduce__(self) -> NoReturn:
        raise RuntimeError("this stays here")
