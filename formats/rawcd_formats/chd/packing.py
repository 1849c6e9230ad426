"""Sectors into hunks, hunks into a file: packed in several threads, written in order."""

from __future__ import annotations

import hashlib
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

from rawcd.source import SECTOR_BYTES
from rawcd_formats.chd.codecs import Packer
from rawcd_formats.chd.hunkmap import SELF, STORED, HunkMap, build_map, crc_of
from rawcd_formats.chd.layout import HEADER, HUNK_BYTES, HUNK_UNITS, UNIT_BYTES
from rawcd_formats.chd.metadata import sha1_of
from rawcd_formats.chd.parity import is_remakeable, leave_out

if TYPE_CHECKING:
    from collections.abc import Sequence
    from concurrent.futures import Future
    from types import TracebackType
    from typing import Self

    from rawcd.fileset import OutputFile
    from rawcd.source import Bytes2D
    from rawcd_formats.chd.layout import Header, Record

    Packed = list[tuple[int | None, bytes, int]]
    """For each hunk: the codec's place or None, its bytes, the CRC of what they hold."""

_BATCH_HUNKS: Final = 32
_BATCH_UNITS: Final = _BATCH_HUNKS * HUNK_UNITS


class Store(Protocol):
    """Where whole hunks go."""

    def put(self, units: Bytes2D, count: int) -> None:
        """Take a batch of hunks, of whose sectors the first `count` are the disc's."""
        ...

    def finish(self) -> None:
        """Write what stands behind the hunks."""
        ...


class Units:
    """Gathers sectors into batches of hunks.

    Args:
        store: takes the batches.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._batch = np.zeros((_BATCH_UNITS, UNIT_BYTES), np.uint8)
        self._count = 0

    def add(self, rows: Bytes2D, *, swapped: bool) -> None:
        """Add sectors of 2,352 bytes, or of 2,448 with their subcode.

        Args:
            rows: the sectors.
            swapped: they are sound, which is stored high byte first.
        """
        while len(rows):
            part = rows[: _BATCH_UNITS - self._count]
            room = self._batch[self._count : self._count + len(part)]
            room[:, : rows.shape[1]] = part
            if swapped:
                room[:, :SECTOR_BYTES].view(np.uint16).byteswap(inplace=True)
            rows = rows[len(part) :]
            self._advance(len(part))

    def add_zeros(self, count: int) -> None:
        """Add fewer sectors of nothing than fill a hunk."""
        while count:
            part = min(count, _BATCH_UNITS - self._count)
            self._advance(part)  # a new batch is zero
            count -= part

    def _advance(self, count: int) -> None:
        self._count += count
        if self._count == _BATCH_UNITS:
            self._hand_over()

    def _hand_over(self) -> None:
        whole = -(-self._count // HUNK_UNITS) * HUNK_UNITS
        self._store.put(self._batch[:whole], self._count)
        self._batch = np.zeros((_BATCH_UNITS, UNIT_BYTES), np.uint8)
        self._count = 0

    def finish(self) -> None:
        """Hand over what is left, the last hunk filled with zeros, and end the file."""
        if self._count:
            self._hand_over()
        self._store.finish()


def _records_at(records: Sequence[Record], offset: int) -> bytes:
    """Return records end to end, to stand at an offset."""
    held = b""
    for record in records:
        held += record.build(offset + len(held), last=record is records[-1])
    return held


class PlainStore:
    """Hunks as they are: header, map, metadata; then each hunk at a multiple of its size.

    Such files have no checksums; chdman makes none either.
    """

    def __init__(self, output: OutputFile, header: Header, records: Sequence[Record]) -> None:
        self._output = output
        count = header.hunk_count
        map_offset = HEADER.sizeof()
        metadata_offset = map_offset + 4 * count
        metadata = _records_at(records, metadata_offset)
        first = -(-(metadata_offset + len(metadata)) // HUNK_BYTES)
        output.allocate((first + count) * HUNK_BYTES)
        placed = replace(header, map_offset=map_offset, metadata_offset=metadata_offset)
        blocks = np.arange(first, first + count).astype(">u4").tobytes()
        head = b"".join((placed.build(), blocks, metadata))
        output.write(head.ljust(first * HUNK_BYTES, b"\0"))

    def put(self, units: Bytes2D, count: int) -> None:
        """Write hunks; see `Store`."""
        del count
        self._output.write(units.reshape(-1).data)

    def finish(self) -> None:
        """Do nothing: all is written."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Do nothing: there is nothing to end."""


class PackedStore:
    """Packed hunks end to end, the map behind them, the header at last.

    A hunk that was there before is told by its number. Used as a context manager, which ends the
    threads.

    Args:
        output: the file.
        header: says the codecs and how large all is.
        records: the metadata.
        jobs: threads that pack.
    """

    def __init__(
        self, output: OutputFile, header: Header, records: Sequence[Record], jobs: int
    ) -> None:
        self._output = output
        self._header = header
        self._records = records
        count = header.hunk_count
        self._kinds = np.zeros(count, np.uint8)
        self._offsets = np.zeros(count, np.int64)
        self._lengths = np.zeros(count, np.int64)
        self._crcs = np.zeros(count, np.uint16)
        self._put = 0
        self._written = 0
        self._first_of: dict[bytes, int] = {}
        self._sha1 = hashlib.sha1(usedforsecurity=False)
        self._packer = Packer(header.codecs)
        self._most_waiting = 2 * jobs
        self._waiting: deque[tuple[list[int], Future[Packed]]] = deque()
        self._threads = ThreadPoolExecutor(jobs, thread_name_prefix="rawcd-chd")
        head = header.build() + _records_at(records, HEADER.sizeof())
        self._first_offset = self._offset = len(head)
        output.write(head)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the threads; what they have not begun is not done."""
        self._threads.shutdown(wait=True, cancel_futures=True)

    def put(self, units: Bytes2D, count: int) -> None:
        """Let hunks be packed, and write those that are ready; see `Store`."""
        self._sha1.update(units[:count].reshape(-1).data)
        repeated: list[int] = []
        for start in range(0, len(units), HUNK_UNITS):
            data = units[start : start + HUNK_UNITS].reshape(-1).data
            digest = hashlib.sha1(data, usedforsecurity=False).digest()
            first = self._first_of.setdefault(digest, self._put)
            repeated.append(first if first != self._put else -1)
            self._put += 1
        fresh = [place for place, first in enumerate(repeated) if first < 0]
        self._waiting.append((repeated, self._threads.submit(_pack, self._packer, units, fresh)))
        while len(self._waiting) > self._most_waiting:
            self._write_batch()

    def _write_batch(self) -> None:
        """Write the oldest batch, once it is packed."""
        repeated, future = self._waiting.popleft()
        packed = iter(future.result())
        held: list[bytes] = []
        for first in repeated:
            number = self._written
            self._written += 1
            if first >= 0:
                self._kinds[number], self._offsets[number] = SELF, first
                continue
            place, data, crc = next(packed)
            self._kinds[number] = STORED if place is None else place
            self._offsets[number] = self._offset
            self._lengths[number] = len(data)
            self._crcs[number] = crc
            self._offset += len(data)
            held.append(data)
        self._output.write(b"".join(held))

    def finish(self) -> None:
        """Write the map, and the header with what is known now."""
        while self._waiting:
            self._write_batch()
        made = HunkMap(
            kinds=self._kinds, offsets=self._offsets, lengths=self._lengths, crcs=self._crcs
        )
        self._output.write(build_map(made, self._first_offset))
        raw_sha1 = self._sha1.digest()
        header = replace(
            self._header,
            map_offset=self._offset,
            raw_sha1=raw_sha1,
            sha1=sha1_of(raw_sha1, self._records),
        )
        self._output.rewrite(0, header.build())


def _pack(packer: Packer, units: Bytes2D, places: list[int]) -> Packed:
    """Pack some hunks of a batch: what a thread does."""
    bare = units[:, :SECTOR_BYTES].copy()
    flags = is_remakeable(bare)
    leave_out(bare, flags)
    found: Packed = []
    for place in places:
        span = slice(place * HUNK_UNITS, (place + 1) * HUNK_UNITS)
        codec, data = packer.pack(units[span], bare[span], flags[span])
        found.append((codec, data, crc_of(units[span].reshape(-1).data)))
    return found
