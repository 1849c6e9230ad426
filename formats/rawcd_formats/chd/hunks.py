"""The sectors of a CHD by number: hunks unpacked when they are asked for."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from rawcd.errors import FormatError
from rawcd.source import SECTOR_BYTES, check_range, paths_of
from rawcd_formats.chd.codecs import FLAC, unpack, unpack_flac, unpack_flac_run
from rawcd_formats.chd.hunkmap import STORED, crc_of
from rawcd_formats.chd.layout import UNIT_BYTES
from rawcd_formats.chd.parity import put_back

if TYPE_CHECKING:
    from pathlib import Path

    from rawcd.source import Bytes2D, Reader
    from rawcd_formats.chd.hunkmap import HunkMap
    from rawcd_formats.chd.layout import Header
    from rawcd_formats.chd.parity import Flags

_SPAN_UNITS: Final = 512
_HELD_BYTES: Final = 4 * 1024 * 1024
"""Unpacked hunks that are kept: main channel and subcode of one stretch are asked for apart."""


class Hunks:
    """The hunks of a file; several threads may read, one at a time.

    It travels to other processes as its description.

    Args:
        reader: the file.
        header: its header.
        found: its map.
    """

    def __init__(self, reader: Reader, header: Header, found: HunkMap) -> None:
        self._reader = reader
        self._codecs = header.codecs
        self._hunk_bytes = header.hunk_bytes
        self._hunk_units = header.hunk_bytes // UNIT_BYTES
        self._map = found
        self._sources = found.sources()
        self._held: OrderedDict[int, Bytes2D] = OrderedDict()
        self._lock = threading.Lock()

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what each process has of its own."""
        return {**self.__dict__, "_held": OrderedDict(), "_lock": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take the description."""
        self.__dict__.update(state, _lock=threading.Lock())

    @property
    def name(self) -> str:
        """The reader's name."""
        return self._reader.name

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files behind it."""
        return paths_of(self._reader)

    def read_units_into(self, start: int, rows: Bytes2D, offset: int) -> None:
        """Fill rows with a part of each sector from `start` on.

        Args:
            start: the first sector's number in the file.
            rows: what to fill, (n, width).
            offset: first byte of each sector to take.

        Raises:
            FormatError: a hunk is damaged.
            StorageError: the file cannot be read.
        """
        size = self._hunk_units
        with self._lock:
            for done in range(0, len(rows), _SPAN_UNITS):
                span = rows[done : done + _SPAN_UNITS]
                first = start + done
                end = first + len(span)
                numbers = range(first // size, -(-end // size))
                hunks = self._unpacked(numbers)
                for number in numbers:
                    unit = number * size
                    low, high = max(first, unit), min(end, unit + size)
                    part = hunks[number][low - unit : high - unit, offset : offset + rows.shape[1]]
                    span[low - first : high - first] = part

    def _unpacked(self, numbers: range) -> dict[int, Bytes2D]:
        """Return hunks by number; of those that are alike one is unpacked."""
        sources = {number: int(self._sources[number]) for number in numbers}
        missing = sorted(set(sources.values()) - self._held.keys())
        if missing:
            fresh = np.empty((len(missing), self._hunk_units, UNIT_BYTES), np.uint8)
            self._unpack(missing, fresh)
            for place, number in enumerate(missing):
                self._held[number] = fresh[place]
        found = {}
        for number, source in sources.items():
            self._held.move_to_end(source)
            found[number] = self._held[source]
        while len(self._held) * self._hunk_bytes > _HELD_BYTES and len(self._held) > 1:
            self._held.popitem(last=False)
        return found

    def _unpack(self, numbers: list[int], fresh: Any) -> None:
        """Unpack hunks; what they lack is made anew for all of them at once."""
        lacking = np.zeros(fresh.shape[:2], np.bool_)
        checked = self._unpack_flac(numbers, fresh)
        for place, number in enumerate(numbers):
            if place in checked:
                continue
            try:
                flags = self._unpack_one(number, fresh[place])
            except FormatError as error:
                raise self._damaged(number, error.reason) from error
            if flags is not None:
                lacking[place] = flags
        put_back(fresh.reshape(-1, UNIT_BYTES)[:, :SECTOR_BYTES], lacking.reshape(-1))
        if not self._map.checked:
            return
        for place, number in enumerate(numbers):
            if place not in checked and crc_of(fresh[place].data) != self._map.crcs[number]:
                raise self._damaged(number, "its CRC does not hold")

    def _unpack_flac(self, numbers: list[int], fresh: Any) -> set[int]:
        """Unpack the hunks of cdfl; returns their places in the list, their CRCs being right."""
        places = [p for p, number in enumerate(numbers) if self._codec_of(number) == FLAC]
        if not places:
            return set()
        datas = [self._data_of(numbers[place]) for place in places]
        crcs = [int(self._map.crcs[numbers[place]]) for place in places]
        right = unpack_flac_run(datas, [fresh[place] for place in places], crcs)
        for place, data, crc, done in zip(places, datas, crcs, right, strict=True):
            if done:
                continue
            try:
                unpack_flac(data, fresh[place], crc)
            except FormatError as error:
                raise self._damaged(numbers[place], error.reason) from error
        return set(places)

    def _codec_of(self, number: int) -> bytes | None:
        kind = int(self._map.kinds[number])
        return self._codecs[kind] if kind < STORED else None

    def _data_of(self, number: int) -> bytes:
        data = bytearray(int(self._map.lengths[number]))
        self._reader.read_at(int(self._map.offsets[number]), data)
        return bytes(data)

    def _unpack_one(self, number: int, units: Bytes2D) -> Flags | None:
        if self._map.zeros[number]:
            units[:] = 0
            return None
        codec, data = self._codec_of(number), self._data_of(number)
        if codec is None:
            units[:] = np.frombuffer(data, np.uint8).reshape(units.shape)
            return None
        return unpack(codec, data, units)

    def _damaged(self, number: int, reason: str) -> FormatError:
        return FormatError(
            f"{reason}; the file is damaged: copy it or make it again",
            file=self.name,
            place=f"hunk {number}",
        )


class UnitSource:
    """A part of each sector of a stretch, as blocks.

    Args:
        hunks: where the sectors are.
        start: the first one's number in the file.
        count: how many.
        offset: first byte of each to take.
        block_size: how many bytes.
        swapped: they are samples, high byte first as CHDs have them.
    """

    def __init__(
        self,
        hunks: Hunks,
        start: int,
        count: int,
        *,
        offset: int = 0,
        block_size: int = SECTOR_BYTES,
        swapped: bool = False,
    ) -> None:
        self._hunks = hunks
        self._start = start
        self._offset = offset
        self._swapped = swapped
        self.block_size = block_size
        self.block_count = count

    @property
    def name(self) -> str:
        """The file's name."""
        return self._hunks.name

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files behind it."""
        return self._hunks.paths

    def read(self, start: int, count: int) -> bytes:
        """Return blocks `start` to `start + count` end to end; see `Source`."""
        rows = np.empty((count, self.block_size), np.uint8)
        self.read_into(start, rows)
        return rows.tobytes()

    def read_into(self, start: int, rows: Bytes2D) -> None:
        """Fill `rows`, one block a row; see `ReadsInto`."""
        check_range(self.name, start, len(rows), self.block_count)
        self._hunks.read_units_into(self._start + start, rows, self._offset)
        if self._swapped and len(rows):
            rows.view(np.uint16).byteswap(inplace=True)
