"""Bits, first bits first, and canonical Huffman codes as CHDs have them.

Codes of one length rise with their symbols, and the longest codes are the lowest numbers.
"""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, Final

import numpy as np

from rawcd.errors import FormatError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

_TREE_FIELD: Final = {6: 3, 8: 4, 16: 5}
"""Bits of a length in a tree as `read_lengths` finds it, by the longest code there may be."""
_REPEAT: Final = 1
"""As a length: another one follows, and how often it stands; twice it is itself."""


class Bits:
    """Reads bits from bytes.

    Attributes:
        at: the next bit.
    """

    def __init__(self, data: bytes, at: int = 0) -> None:
        self._data = data
        self.at = at
        self.size = 8 * len(data)

    def read(self, count: int) -> int:
        """Return the next `count` bits, 32 at most.

        Raises:
            FormatError: there are not so many.
        """
        end = self.at + count
        if end > self.size:
            raise FormatError(f"its bits end after {self.size}")
        value = int.from_bytes(self._data[self.at // 8 : -(-end // 8)], "big")
        self.at = end
        return value >> -end % 8 & (1 << count) - 1

    def peek(self, count: int) -> int:
        """Return the next `count` bits; behind the end there are zeros."""
        first = self.at // 8
        value = int.from_bytes(self._data[first : first + 4].ljust(4, b"\0"), "big")
        return value >> (32 - self.at % 8 - count) & (1 << count) - 1


class BitWriter:
    """Collects bits."""

    def __init__(self) -> None:
        self._parts: list[str] = []

    def write(self, value: int, count: int) -> None:
        """Append the lowest `count` bits of a number."""
        if count:
            self._parts.append(f"{value:0{count}b}")

    def bytes(self) -> bytes:
        """Return all bits, filled up with zeros to whole bytes."""
        text = "".join(self._parts)
        text += "0" * (-len(text) % 8)
        return int(text, 2).to_bytes(len(text) // 8, "big") if text else b""


def codes_of(lengths: Sequence[int]) -> list[int]:
    """Return the code of each symbol, by the lengths of the codes; 0 is no code.

    Raises:
        FormatError: no code has such lengths.
    """
    longest = max(lengths, default=0)
    starts = [0] * (longest + 1)
    start = 0
    for length in range(longest, 0, -1):
        starts[length] = start
        start += lengths.count(length)
        if length > 1 and start % 2:
            raise FormatError("the lengths of its Huffman codes contradict each other")
        start //= 2
    if longest and starts[1] + lengths.count(1) > 2:
        raise FormatError("there are more Huffman codes than their lengths allow")
    codes = []
    for length in lengths:
        codes.append(starts[length] if length else 0)
        if length:
            starts[length] += 1
    return codes


class Decoder:
    """The table of a code: for each run of `width` bits the symbol and its length.

    Args:
        lengths: the length of each symbol's code; 0 is no code.
        width: the longest code there may be.

    Attributes:
        symbols: by the next `width` bits.
        lengths: likewise; 0 where no code begins so.

    Raises:
        FormatError: no code has such lengths.
    """

    def __init__(self, lengths: Sequence[int], width: int) -> None:
        if max(lengths) > width:
            raise FormatError(f"a Huffman code of {max(lengths)} bits; {width} are the most")
        self.width = width
        self.symbols = np.zeros(1 << width, np.uint8)
        self.lengths = np.zeros(1 << width, np.uint8)
        for symbol, (length, code) in enumerate(zip(lengths, codes_of(lengths), strict=True)):
            if length:
                run = slice(code << (width - length), (code + 1) << (width - length))
                self.symbols[run] = symbol
                self.lengths[run] = length

    def read(self, bits: Bits) -> int:
        """Return the next symbol.

        Raises:
            FormatError: no code begins so, or the bits end.
        """
        window = bits.peek(self.width)
        length = int(self.lengths[window])
        bits.at += length
        if not length or bits.at > bits.size:
            raise FormatError(f"no Huffman code at bit {bits.at}")
        return int(self.symbols[window])


def read_lengths(bits: Bits, count: int, width: int) -> list[int]:
    """Read the lengths of codes as they stand before a map.

    Raises:
        FormatError: they do not come to `count`.
    """
    field = _TREE_FIELD[width]
    lengths: list[int] = []
    while len(lengths) < count:
        length, repeats = bits.read(field), 1
        if length == _REPEAT:
            length = bits.read(field)
            if length != _REPEAT:
                repeats = bits.read(field) + 3
        lengths += [length] * repeats
    if len(lengths) > count:
        raise FormatError("its Huffman codes are more than its symbols")
    return lengths


def write_lengths(bits: BitWriter, lengths: Sequence[int], width: int) -> None:
    """Write the lengths of codes as `read_lengths` reads them, none of them repeated."""
    field = _TREE_FIELD[width]
    for length in lengths:
        for _ in range(2 if length == _REPEAT else 1):
            bits.write(length, field)


def read_coded_lengths(bits: Bits, count: int) -> list[int]:
    """Read the lengths of codes as they stand before bytes: by a smaller code of their own.

    Raises:
        FormatError: they are damaged.
    """
    small = [bits.read(3)]
    first = bits.read(3) + 1
    small += [0] * (first - 1)
    while len(small) < 24:
        length = bits.read(3)
        if length == 7:
            break
        small.append(length)
    small += [0] * (24 - len(small))
    decoder = Decoder(small, 7)
    run_bits = (count - 9).bit_length()
    lengths: list[int] = []
    last = 0
    while len(lengths) < count:
        symbol = decoder.read(bits)
        if symbol:
            last = symbol - 1
            lengths.append(last)
            continue
        repeats = bits.read(3) + 2
        if repeats == 9:
            repeats += bits.read(run_bits)
        lengths += [last] * min(repeats, count - len(lengths))
    return lengths


def decode_bytes(data: bytes, size: int) -> bytes:
    """Return bytes of which each is a code of 16 bits at most.

    Raises:
        FormatError: the codes are damaged, or are fewer.
    """
    bits = Bits(data)
    decoder = Decoder(read_coded_lengths(bits, 256), 16)
    # The symbol at every bit is looked up at once; then the codes are walked from end to end.
    held = np.frombuffer(data + bytes(3), np.uint8).astype(np.uint32)
    windows = held[:-2] << 16 | held[1:-1] << 8 | held[2:]
    shifts = np.arange(8, 0, -1, dtype=np.uint32)
    every = (windows[: len(data), None] >> shifts & 0xFFFF).reshape(-1)
    lengths = decoder.lengths[every].tolist()
    places = np.empty(size, np.int64)
    at, end = bits.at, bits.size
    for number in range(size):
        if at >= end or not lengths[at]:
            raise FormatError(f"no Huffman code at bit {at}")
        places[number] = at
        at += lengths[at]
    if at > end:
        raise FormatError(f"its bits end after {end}")
    found: npt.NDArray[np.uint8] = decoder.symbols[every[places]]
    return found.tobytes()


def best_lengths(counts: Sequence[int], width: int) -> list[int]:
    """Return the lengths of codes for symbols that occur so often, none longer than `width`."""
    used = [symbol for symbol, count in enumerate(counts) if count]
    lengths = [0] * len(counts)
    if len(used) == 1:
        lengths[used[0]] = 1
        return lengths
    weights = {symbol: counts[symbol] for symbol in used}
    while True:
        lengths = [0] * len(counts)
        heap = [(weight, symbol, [symbol]) for symbol, weight in weights.items()]
        heapq.heapify(heap)
        while len(heap) > 1:
            one, first, left = heapq.heappop(heap)
            two, _, right = heapq.heappop(heap)
            for symbol in left + right:
                lengths[symbol] += 1
            heapq.heappush(heap, (one + two, first, left + right))
        if max(lengths, default=0) <= width:
            return lengths
        weights = {symbol: weight // 2 + 1 for symbol, weight in weights.items()}  # flatter
