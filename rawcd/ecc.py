"""The error codes of data sectors: EDC and the Reed-Solomon product code, many sectors at once.

Sources: ECMA-130 clause 14 and annex A (Yellow Book); the Green Book for what XA changes, which
is no more than the bytes that are covered.

A data sector is looked at as 1,170 words of two bytes from byte 12, its header, to its end. A
`Workspace` holds these words turned on their side: row w has word w of every sector. So every step
of both codes is an exclusive or of long runs of memory, without a table and without a shift in the
inner path:

* EDC. Its polynomial is G(x) = (x + 1)(x^31 + x^15 + x^3 + 1). Over GF(2), G(x)^(2^k) is
  G(x^(2^k)), so with y standing for a step of t rows, t a power of two, G divides
  (y^16 + 1)(y^31 + y^15 + y^3 + 1). The rows are divided by that, down to 47 t rows, with four
  exclusive ors a row, for t = 4, then 1, then once more for single bytes. Only the last 47 bytes go
  through tables.
* RSPC. The roots a^0 and a^1 of its generator give parity without a division: with weights
  c_k = 1 + a + ... + a^(k-1), k counted from the end of the codeword, the first parity symbol is
  the sum of c_k d_k, and the second is that plus the plain sum of the data. The eight sums of the
  words whose weight has bit b, and the plain sum, come from a fixed list of additions in which no
  common pair is added twice; seven multiplications by a put them together.

Nothing is computed when this module is imported.
"""

from __future__ import annotations

import sys
import threading
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from rawcd.source import Bytes2D

    Words = npt.NDArray[np.uint16]
    Lanes = npt.NDArray[np.uint64]
    Op = tuple[Callable[..., Any], tuple[Any, ...]]

FIRST_BYTE: Final = 12
"""Byte of the sector where word 0 begins: the header. The sync pattern is in no parity."""
ROWS: Final = 1170
"""Words of two bytes from the header to the end of the sector."""
P_ROW: Final = 1032
"""First word of P parity, byte 2076."""
Q_ROW: Final = 1118
"""First word of Q parity, byte 2248."""
P_COLUMNS: Final = 43
P_DATA: Final = 24
Q_DIAGONALS: Final = 26
Q_DATA: Final = 43

BLOCK: Final = 512
"""Sectors that are worked on together: words and scratch together stay near a level 2 cache."""
SMALL_BLOCK: Final = 64
"""The same for requests of a few sectors, at a third of a whole block's time."""
TILE: Final = 128
"""Sectors that are turned on their side at a time: larger tiles miss the cache."""

_FIELD: Final = 0x11D  # x^8 + x^4 + x^3 + x^2 + 1 (ECMA-130 annex A.3)
_EDC_REFLECTED: Final = 0xD8018001  # ECMA-130 14.3; the first bit of a byte is its lowest
_PADDING: Final = 8  # columns of no sector: rows a power of two apart would share few cache sets
_SKIP: Final = FIRST_BYTE // 2  # words before the header
_LOW_WORD: Final = 0 if sys.byteorder == "little" else 1  # of a pair, the one in its lower half
_EDC_TAIL: Final = 47  # bytes that are left for the tables

# Which additions make the nine sums. Inputs are numbered from 0; each addition's result takes the
# next free number. Found by replacing the commonest pair of all sums again and again; ordered so
# that few results are alive at once. The tests expand both lists into the sums they stand for.
P_ADDITIONS: Final = """
    4+14 1+9 3+10 6+16 5+15 26+28 17+28 11+24 7+27 0+14 33+30 7+19 17+18 16+35 12+31 29+38
    20+21 35+40 22+41 36+41 8+36 10+42 23+42 26+46 27+46 25+39 43+49 2+25 51+48 0+44 53+51
    11+44 29+54 24+54 37+57 52+55 2+12 1+3 32+61 60+32 63+34 13+53 9+53 60+66 47+67 65+52
    39+69 31+65 45+71 15+65 73+62 19+20 75+56
"""
P_SUMS: Final = (70, 68, 59, 72, 50, 76, 58, 74, 64)
"""Numbers of the plain sum, then of the sums for bit 0 to bit 7 of the weight."""
Q_ADDITIONS: Final = """
    0+18 37+38 1+4 11+35 0+33 16+18 19+48 20+28 39+44 13+17 6+27 7+19 1+11 2+47 23+56 3+21
    12+52 24+34 15+49 49+51 40+51 21+53 64+59 41+64 42+66 53+55 31+55 47+69 60+70 30+63
    22+28 54+73 26+36 20+37 76+68 12+32 14+61 57+65 72+57 72+67 69+67 75+69 63+83 78+83 5+75
    44+87 46+88 10+87 29+87 91+85 74+92 41+90 25+90 3+7 50+96 61+97 98+80 89+99 22+34 13+27
    102+94 8+29 97+104 79+104 24+105 101+107 108+65 62+109 108+81 78+81 106+112 103+113 4+35
    95+115 79+116 50+116 43+118 82+119 101+117 9+117 52+122 123+58 124+71 111+123 86+126
    14+36 45+128 129+110 10+16 111+131 84+132 2+17 78+134 121+135 77+136
"""
Q_SUMS: Final = (127, 93, 120, 114, 133, 130, 100, 137, 125)
"""The same for Q."""


def additions(text: str) -> list[tuple[int, int]]:
    """Read a list of additions: pairs of numbers of inputs and earlier results."""
    return [(int(a), int(b)) for a, b in (pair.split("+") for pair in text.split())]


def times_alpha(value: int) -> int:
    """Return an element of GF(2^8) times alpha = 2 (ECMA-130 annex A.3)."""
    return value << 1 ^ (_FIELD if value & 0x80 else 0)


@cache
def _byte_table() -> npt.NDArray[np.uint32]:
    """EDC of each single byte."""
    table: npt.NDArray[np.uint32] = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = table >> np.uint32(1) ^ (table & np.uint32(1)) * np.uint32(_EDC_REFLECTED)
    return table


def edc_of(data: bytes) -> int:
    """Return the EDC of one run of bytes, step by step (ECMA-130 14.3).

    Slow: a few hundred nanoseconds a byte. Bulk goes through `Workspace.edc`.
    """
    table = _byte_table().tolist()
    value = 0
    for byte in data:
        value = value >> 8 ^ table[(value ^ byte) & 0xFF]
    return int(value)


@cache
def _tail_table() -> npt.NDArray[np.uint32]:
    """EDC of each byte at each of the last 47 places: 256 for each place, little-endian."""
    tables = np.empty((_EDC_TAIL, 256), dtype="<u4")
    byte_table = current = _byte_table()
    for place in reversed(range(_EDC_TAIL)):
        tables[place] = current
        current = byte_table[current & 0xFF] ^ current >> 8
    return tables.reshape(-1)


@cache
def _tail_places() -> npt.NDArray[np.intp]:
    """Where each place's part of that table begins, a column."""
    return np.arange(0, 256 * _EDC_TAIL, 256, dtype=np.intp).reshape(-1, 1)


@cache
def _q_order() -> npt.NDArray[np.intp]:
    """Rows of the words 0 to 42 of all 26 diagonals, word by word (ECMA-130 annex A.6)."""
    word = np.arange(Q_DATA, dtype=np.intp)[:, np.newaxis]
    diagonal = np.arange(Q_DIAGONALS, dtype=np.intp)
    return ((P_COLUMNS * diagonal + (P_COLUMNS + 1) * word) % Q_ROW).reshape(-1)


class Workspace:
    """Room for a block of sectors turned on their side, and the programmes that run on it.

    A programme is a list of numpy calls whose operands were cut out once: cutting them for each
    block would take as long as the work. Columns past the sectors that were loaded hold
    what they held before and are worked on for nothing.

    One thread at a time may use a workspace; `workspace` gives each thread its own.

    Args:
        sectors: how many sectors it holds, a multiple of 8.

    Attributes:
        sectors: the same.
        rows: (1170, sectors) uint16, word w of each sector in memory order.
    """

    def __init__(self, sectors: int) -> None:
        if sectors <= 0 or sectors % 8:
            raise ValueError(f"a workspace of {sectors} sectors: take a multiple of 8")
        self.sectors = sectors
        self._width = sectors + _PADDING
        words = np.zeros((ROWS, self._width), dtype=np.uint16)
        self._words: Words = words
        self.rows: Words = words[:, :sectors]
        self._lanes: Lanes = words.view(np.uint64)
        self._arena = np.zeros((0, self._lanes.shape[1]), dtype=np.uint64)
        self._edc_programmes: dict[tuple[int, int], list[Op]] = {}
        self._edc = np.zeros(self._width, dtype="<u4")
        self._index = np.zeros((_EDC_TAIL, self._width), dtype=np.intp)
        self._shares = np.zeros((_EDC_TAIL, self._width), dtype="<u4")
        self._programmes: dict[str, list[Op]] = {}
        self._errors: Lanes = np.zeros((2 * P_COLUMNS, self._lanes.shape[1]), dtype=np.uint64)

    def load(self, sectors: Bytes2D, first_row: int = 0, end_row: int = ROWS) -> None:
        """Turn words of some sectors on their side, into the first columns.

        Two words at a time are turned, then parted: a turn costs by the piece, not by the byte.

        Args:
            sectors: (n, 2352), n at most `sectors`; rows may be strided.
            first_row: first word to take, an even one.
            end_row: one past the last, an even one.
        """
        self.turn(sectors, first_row, end_row)
        self.part(first_row, end_row)

    def turn(self, sectors: Bytes2D, first_row: int, end_row: int, *, column: int = 0) -> None:
        """Do the first half of `load`, for sectors that belong to the columns from `column` on."""
        pairs = sectors.view(np.uint32)
        turned = self._pairs((end_row - first_row) // 2)
        first, end = (first_row + _SKIP) // 2, (end_row + _SKIP) // 2
        for start in range(0, len(pairs), TILE):
            tile = pairs[start : start + TILE, first:end]
            begin = column + start
            turned[:, begin : begin + len(tile)] = tile.T

    def part(self, first_row: int, end_row: int) -> None:
        """Do the second half of `load`, once all sectors were turned."""
        turned = self._pairs((end_row - first_row) // 2)
        words = self._words[first_row:end_row].reshape(len(turned), 2, self._width)
        np.copyto(words[:, _LOW_WORD], turned, casting="unsafe")  # the lower half of each
        np.right_shift(turned, np.uint32(16), out=turned)
        np.copyto(words[:, 1 - _LOW_WORD], turned, casting="unsafe")

    def _pairs(self, rows: int) -> npt.NDArray[np.uint32]:
        return self._scratch(_SCRATCH_ROWS)[: 2 * rows].view(np.uint32).reshape(rows, self._width)

    def store(self, sectors: Bytes2D, first_row: int, end_row: int) -> None:
        """Turn words back into sectors, shape (n, 2352), the first n columns."""
        words = sectors.view(np.uint16)
        for start in range(0, len(words), TILE):
            tile = words[start : start + TILE, first_row + _SKIP : end_row + _SKIP]
            tile[:] = self.rows[first_row:end_row, start : start + len(tile)].T

    def edc(self, first_row: int, end_row: int) -> Words:
        """Return the EDC of rows `first_row` to `end_row` as two rows of words: (2, sectors).

        The words are in the order in which the sector has them, little-endian. What stands before
        `first_row` counts as zero: its share is for the caller to add.
        """
        key = first_row, end_row
        if key not in self._edc_programmes:
            self._edc_programmes[key] = self._edc_programme(first_row, end_row)
        for function, operands in self._edc_programmes[key]:
            function(*operands)
        return self._edc.view(np.uint16).reshape(-1, 2)[: self.sectors].T

    def p(self) -> None:
        """Make P parity, rows 1032 to 1117, from rows 0 to 1031 (ECMA-130 annex A.5)."""
        self._run("p", lambda: self._p_programme(self._parity_lanes(P_ROW, P_COLUMNS)))

    def q(self) -> None:
        """Make Q parity, rows 1118 to 1169, from rows 0 to 1117 (ECMA-130 annex A.6)."""
        self._run("q", lambda: self._q_programme(self._parity_lanes(Q_ROW, Q_DIAGONALS)))

    def p_errors(self) -> Words:
        """Return the stored P parity plus what it should be: (86, sectors), zero where it is right.

        The rows stay as they are; the result is good until the next call of this kind.
        """
        self._run("p errors", lambda: self._check(self._p_programme, P_ROW, P_COLUMNS))
        return self._errors.view(np.uint16)[:, : self.sectors]

    def q_errors(self) -> Words:
        """Return the same of Q parity, of P as it is stored: (52, sectors)."""
        self._run("q errors", lambda: self._check(self._q_programme, Q_ROW, Q_DIAGONALS))
        return self._errors.view(np.uint16)[: 2 * Q_DIAGONALS, : self.sectors]

    def _parity_lanes(self, first_row: int, width: int) -> Lanes:
        return self._lanes[first_row : first_row + 2 * width]

    def _check(self, make: Callable[[Lanes], list[Op]], first_row: int, width: int) -> list[Op]:
        errors = self._errors[: 2 * width]
        stored = self._parity_lanes(first_row, width).reshape(-1)
        return [*make(errors), (np.bitwise_xor, (errors.reshape(-1), stored, errors.reshape(-1)))]

    def _run(self, name: str, make: Callable[[], list[Op]]) -> None:
        if name not in self._programmes:
            self._programmes[name] = make()
        for function, operands in self._programmes[name]:
            function(*operands)

    def _scratch(self, rows: int) -> Lanes:
        """Return scratch of so many rows, the same memory for every programme.

        The programmes never run at once, and memory that was just in use is in the cache.
        A programme keeps the arena it was made with alive when a later one needs a larger one.
        """
        if len(self._arena) < rows:
            self._arena = np.zeros((rows, self._lanes.shape[1]), dtype=np.uint64)
        return self._arena[:rows]

    def _edc_programme(self, first_row: int, end_row: int) -> list[Op]:
        ops: list[Op] = []
        source = self._lanes[first_row:end_row]
        arena = self._scratch(_SCRATCH_ROWS)
        used = 0
        for step in (4, 1):
            source, used = _fold(ops, source, arena, step, used)
        # The same once more with rows of single bytes: the words' first bytes before their second.
        pairs = source.view(np.uint8).reshape(len(source), self._width, 2)
        single = arena[used : used + len(source)].view(np.uint8).reshape(len(source), 2, -1)
        ops.append((np.copyto, (single, pairs.transpose(0, 2, 1))))
        used += len(source)
        byte_lanes = single.reshape(2 * len(source), self._width).view(np.uint64)
        byte_arena = arena[used:].reshape(-1, byte_lanes.shape[1])
        tail = _fold(ops, byte_lanes, byte_arena, 1)[0].view(np.uint8)
        ops.append((np.copyto, (self._index, tail)))
        ops.append((np.add, (self._index, _tail_places(), self._index)))
        ops.append((_tail_table().take, (self._index, None, self._shares, "clip")))
        ops.append((np.bitwise_xor.reduce, (self._shares, 0, None, self._edc)))
        return ops

    def _p_programme(self, into: Lanes) -> list[Op]:
        """Column c, word r is row 43 r + c: word r of all columns is one run of rows."""
        inputs = [
            self._lanes[P_COLUMNS * word : P_COLUMNS * (word + 1)].reshape(-1)
            for word in range(P_DATA)
        ]
        ops: list[Op] = []
        self._parity(ops, inputs, P_ADDITIONS, P_SUMS, into, self._scratch(_SCRATCH_ROWS))
        return ops

    def _q_programme(self, into: Lanes) -> list[Op]:
        """Diagonal n, word m is row 43 ((n + m) mod 26) + m, gathered row by row in one call."""
        arena = self._scratch(_SCRATCH_ROWS)
        gathered = arena[: Q_DATA * Q_DIAGONALS]
        # "clip" here and below: the default mode takes a detour through a buffer to judge indexes
        # that are right anyway.
        ops: list[Op] = [(self._lanes.take, (_q_order(), 0, gathered, "clip"))]
        inputs = [
            gathered[Q_DIAGONALS * word : Q_DIAGONALS * (word + 1)].reshape(-1)
            for word in range(Q_DATA)
        ]
        rest = arena[Q_DATA * Q_DIAGONALS :]
        self._parity(ops, inputs, Q_ADDITIONS, Q_SUMS, into, rest)
        return ops

    def _parity(
        self,
        ops: list[Op],
        inputs: list[Lanes],
        text: str,
        sums: tuple[int, ...],
        into: Lanes,
        arena: Lanes,
    ) -> None:
        """Append what makes both parity symbols of some codewords: additions and a ladder.

        The first symbols go into the first half of `into`, the second ones into the other.
        """
        width = len(into) // 2
        pairs = additions(text)
        last_use = {number: len(pairs) for number in sums}
        for step, pair in reversed(list(enumerate(pairs))):
            for number in pair:
                last_use.setdefault(number, step)
        values: dict[int, Lanes] = dict(enumerate(inputs))
        slots: dict[int, int] = {}
        mask, *free = range(len(arena) // width)
        free.reverse()

        def slot(number: int) -> Lanes:
            return arena[number * width : (number + 1) * width].reshape(-1)

        for step, (left, right) in enumerate(pairs):
            operands = values[left], values[right]
            free.extend(slots.pop(n) for n in (left, right) if n in slots and last_use[n] == step)
            result = len(inputs) + step
            slots[result] = free.pop()
            values[result] = slot(slots[result])
            ops.append((np.bitwise_xor, (*operands, values[result])))
        plain, *bits = (values[number] for number in sums)
        first, second = into[:width].reshape(-1), into[width:].reshape(-1)
        total = bits.pop()
        while bits:
            ops += _alpha_ops(total, slot(mask))
            addend = bits.pop()
            ops.append((np.bitwise_xor, (total, addend, total if bits else first)))
        ops.append((np.bitwise_xor, (first, plain, second)))


# The largest demand on scratch: Q's turned inputs, the additions' results, the mask.
_SCRATCH_ROWS: Final = Q_DIAGONALS * (Q_DATA + 24)


def _alpha_ops(values: Lanes, mask: Lanes) -> list[Op]:
    """Return what multiplies bytes by alpha in place; numpy runs all of it on vectors."""
    as_bytes, mask_bytes = values.view(np.uint8), mask.view(np.uint8)
    return [
        (np.less, (values.view(np.int8), np.array(0, np.int8), mask.view(np.bool_))),
        (np.multiply, (mask_bytes, np.array(_FIELD & 0xFF, np.uint8), mask_bytes)),
        (np.add, (as_bytes, as_bytes, as_bytes)),
        (np.bitwise_xor, (values, mask, values)),
    ]


def _fold(
    ops: list[Op], source: Lanes, arena: Lanes, step: int, used: int = 0
) -> tuple[Lanes, int]:
    """Append the reduction of rows to 47 * step rows of the same remainder.

    Args:
        ops: the programme.
        source: the rows, first bits first.
        arena: scratch.
        step: rows in a step of y, a power of two.
        used: rows of the arena that must stay as they are.

    Returns:
        The rows left, and how many rows of the arena are in use.
    """
    batch = 16 * step
    blocks = -(-len(source) // batch)
    rows = blocks * batch
    pad = rows - len(source)  # rows of zeros that the first block lacks
    left = rows - 47 * step  # rows above the result, to be reduced away
    # Only four blocks of the quotient are alive at once. They share a ring, which stays in the
    # cache; the last four lie in it in their order.
    ring = arena[used : used + min(blocks, 4) * batch]

    def at(row: int, count: int) -> Lanes:
        begin = (row - rows) % len(ring)
        return ring[begin : begin + count]

    def xor(target: int, origin: int, count: int) -> None:
        while count:
            part = min(count, len(at(target, count)))
            into = at(target, part).reshape(-1)
            ops.append((np.bitwise_xor, (into, at(origin, part).reshape(-1), into)))
            target, origin, count = target + part, origin + part, count - part

    def divide(block: int) -> None:
        """Divide by y^16 + 1: each block of the quotient is the one before it plus the source."""
        begin = block * batch
        fresh = source[max(begin - pad, 0) : begin - pad + batch]
        # The first block has no rows in its pad, and none are added to the second from there.
        alone = {0: len(fresh), 1: pad}.get(block, 0)
        start = begin + batch - len(fresh)
        if alone:
            ops.append((np.copyto, (at(start, alone), fresh[:alone])))
        if alone < len(fresh):
            count = len(fresh) - alone
            before = at(start + alone - batch, count).reshape(-1)
            into = at(start + alone, count).reshape(-1)
            ops.append((np.bitwise_xor, (before, fresh[alone:].reshape(-1), into)))

    divided = 0
    for block in range(blocks - 2):
        # Reducing a block changes the two behind it, from which the division must have gone on.
        while divided < min(block + 4, blocks):
            divide(divided)
            divided += 1
        begin = max(block * batch, pad)
        count = min((block + 1) * batch, left) - begin
        for distance in (16, 28, 31):  # y^31 is y^15 + y^3 + 1
            xor(begin + distance * step, begin, count)
    # Multiply by y^16 + 1 again and add the remainder, which already stands behind the quotient.
    quotient_end = rows - batch
    xor(quotient_end, quotient_end - 16 * step, 16 * step)
    xor(left + 16 * step, left, 15 * step)
    return at(left, 47 * step), used + len(ring)


_of_thread = threading.local()


def workspace(sectors: int) -> Workspace:
    """Return this thread's workspace of that size; made at its first use, in milliseconds."""
    held: dict[int, Workspace] | None = getattr(_of_thread, "held", None)
    if held is None:
        held = _of_thread.held = {}
    if sectors not in held:
        held[sectors] = Workspace(sectors)
    return held[sectors]
