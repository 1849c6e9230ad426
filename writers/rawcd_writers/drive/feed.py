"""Blocks for a drive, read ahead: a thread fills a bounded queue while the drive writes."""

from __future__ import annotations

import queue
import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import TracebackType

    from rawcd.source import Bytes2D

MAX_BLOCKS: Final = 26
"""Blocks of one WRITE: 63,648 bytes, which every host adapter takes."""
_READ_WRITES: Final = 8
"""WRITEs that one reading serves."""
_BUFFER_BYTES: Final = 24 << 20
"""Some 2.7 seconds at 52x."""
_PATIENCE_SECONDS: Final = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Sectors that are sent in blocks of one size.

    Attributes:
        lba: first address, as the drive is told.
        sectors: how many.
        block_bytes: bytes of a block.
        fill: fills rows with the blocks from an address on.
    """

    lba: int
    sectors: int
    block_bytes: int
    fill: Callable[[int, Bytes2D], None]

    @property
    def end_lba(self) -> int:
        """One past the last."""
        return self.lba + self.sectors


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Blocks for one WRITE."""

    lba: int
    blocks: int
    data: memoryview


class Feed:
    """Reads runs ahead of the drive; iterating over it gives what to write, in order.

    What a source raises is raised where its blocks would come.

    Attributes:
        read_lba: last sector that was read.
        used: bytes that wait.
        total: room for them.
    """

    def __init__(self, runs: Sequence[Run], *, max_bytes: int) -> None:
        self._runs = tuple(runs)
        self._max_bytes = max_bytes
        largest = max(run.block_bytes for run in self._runs)
        part = largest * MAX_BLOCKS * _READ_WRITES
        self._queue: queue.Queue[tuple[Run, int, Bytes2D] | BaseException | None] = queue.Queue(
            max(2, _BUFFER_BYTES // part)
        )
        # Beside the queue, one part is being read and one is being written.
        self.total = (self._queue.maxsize + 2) * part
        self.used = 0
        self.read_lba = self._runs[0].lba - 1
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._read, name="rawcd-feed", daemon=True)
        self._full_once = threading.Event()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stopped.set()
        with suppress(queue.Empty):  # whoever waits for room need not wait longer
            while True:
                self._queue.get_nowait()
        self._thread.join()

    def wait_until_full(self) -> None:
        """Return when the queue is full, or all has been read."""
        self._full_once.wait()

    def _read(self) -> None:
        import numpy as np

        try:
            for run in self._runs:
                blocks = self._blocks(run) * _READ_WRITES
                for lba in range(run.lba, run.end_lba, blocks):
                    rows = np.empty((min(blocks, run.end_lba - lba), run.block_bytes), np.uint8)
                    run.fill(lba, rows)
                    self.read_lba = lba + len(rows) - 1
                    with self._lock:
                        self.used += rows.nbytes
                    if not self._put((run, lba, rows)):
                        return
            self._put(None)
        except BaseException as error:  # it is raised on the other side
            self._put(error)
        finally:
            self._full_once.set()

    def _put(self, item: tuple[Run, int, Bytes2D] | BaseException | None) -> bool:
        while not self._stopped.is_set():
            if self._queue.full():
                self._full_once.set()
            with suppress(queue.Full):
                self._queue.put(item, timeout=_PATIENCE_SECONDS)
                return True
        return False

    def _blocks(self, run: Run) -> int:
        return max(1, min(MAX_BLOCKS, self._max_bytes // run.block_bytes))

    def __iter__(self) -> Iterator[Load]:
        """Yield what to write; a load never holds two runs."""
        while (item := self._queue.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            run, lba, rows = item
            step = self._blocks(run)
            whole = rows.data.cast("B")
            for start in range(0, len(rows), step):
                count = min(step, len(rows) - start)
                yield Load(
                    lba=lba + start,
                    blocks=count,
                    data=whole[start * run.block_bytes : (start + count) * run.block_bytes],
                )
                with self._lock:
                    self.used -= count * run.block_bytes
