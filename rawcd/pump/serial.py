"""The pump in one process: while a block of sectors is made, a thread writes the one before it."""

from __future__ import annotations

import queue
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import numpy as np

from rawcd.progress import report
from rawcd.pump.blocks import BLOCK_SECTORS
from rawcd.source import SECTOR_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable

    from rawcd.progress import Progress
    from rawcd.source import Bytes2D

    Fill = Callable[[int, Bytes2D], None]
    """Fills rows with the sectors from an LBA on."""
    Write = Callable[[memoryview], None]
    """Takes the bytes of whole sectors."""

_BUFFERS: Final = 3
_PATIENCE_SECONDS: Final = 2.0


class Writer:
    """A thread that writes blocks in order and hands their buffers back."""

    def __init__(self, write: Write, buffers: list[Bytes2D]) -> None:
        self._write = write
        self._full: queue.Queue[tuple[Bytes2D, int] | None] = queue.Queue()
        self._free: queue.Queue[Bytes2D | BaseException] = queue.Queue()
        for buffer in buffers:
            self._free.put(buffer)
        self._thread = threading.Thread(target=self._run, name="rawcd-writer", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            while (item := self._full.get()) is not None:
                buffer, count = item
                self._write(buffer[:count].reshape(-1).data)
                self._free.put(buffer)
        except BaseException as error:
            self._free.put(error)

    def buffer(self) -> Bytes2D:
        """Return a free buffer; raises what the thread met."""
        got = self._free.get()
        if isinstance(got, BaseException):
            raise got
        return got

    def put(self, buffer: Bytes2D, count: int) -> None:
        """Let the first `count` rows of a buffer be written."""
        self._full.put((buffer, count))

    def close(self) -> None:
        """Wait until all is written; raises what the thread met."""
        self._full.put(None)
        self._thread.join()
        while not self._free.empty():
            self.buffer()

    def abandon(self) -> None:
        """Write nothing more. A write that hangs in a stalled pipe is not waited for."""
        with suppress(queue.Empty):
            while True:
                self._full.get_nowait()
        self._full.put(None)
        self._thread.join(_PATIENCE_SECONDS)


def pump_serially(
    fill: Fill,
    lba: int,
    count: int,
    write: Write,
    *,
    width: int = SECTOR_BYTES,
    progress: Progress | None = None,
) -> None:
    """Make sectors in the caller's thread; see `rawcd.pump.pump`."""
    size = max(1, min(BLOCK_SECTORS, count))
    writer = Writer(write, [np.empty((size, width), np.uint8) for _ in range(_BUFFERS)])
    try:
        report(progress, 0, count)
        for done in range(0, count, size):
            block = min(size, count - done)
            buffer = writer.buffer()
            fill(lba + done, buffer[:block])
            writer.put(buffer, block)
            report(progress, done + block, count)
    except BaseException:
        writer.abandon()
        raise
    writer.close()
