"""The fewest packs that make a tile.

A tile pack, normal or XOR, gives each pixel one of two values, so it adds one constant and one
bit plane times one 4-bit vector (over GF(2)). A normal pack and n-1 XOR packs therefore make
just the tiles whose colour indexes lie in an affine subspace of dimension n: two colours need
one pack, three or four at least two, five to eight at least three, nine to sixteen four. XOR
packs alone do the same for the difference to the tile that is there. No order or choice of packs
does with fewer.

GF(2)^4 has just 67 subspaces, so each tile's is looked up rather than solved for.
"""

from __future__ import annotations

from functools import cache
from itertools import combinations
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from rawcd.cdg.packs import COLOURS

Bytes1D = npt.NDArray[np.uint8]
Bytes2D = npt.NDArray[np.uint8]
Sets = npt.NDArray[np.uint16]
"""Sets of indexes: bit i is index i."""

_DIMENSIONS = 4


class Subspaces(NamedTuple):
    """All subspaces of GF(2)^4, those of fewer dimensions first.

    Attributes:
        members: (67,), the vectors in each, as sets.
        dimensions: (67,).
        basis: (67, 4), a reduced basis, the highest vector first; what is not there is zero.
        pivots: (67, 4), the bit that is set in that basis vector alone: a vector of the
            subspace has that bit just when the basis vector is part of it.
    """

    members: Sets
    dimensions: Bytes1D
    basis: Bytes2D
    pivots: Bytes2D


@cache
def subspaces() -> Subspaces:
    """Return the table of subspaces."""
    found: dict[frozenset[int], tuple[list[int], list[int]]] = {}
    for size in range(_DIMENSIONS + 1):
        for vectors in combinations(range(1, COLOURS), size):
            span = {0}
            for vector in vectors:
                span |= {member ^ vector for member in span}
            if frozenset(span) not in found:
                found[frozenset(span)] = _reduced_basis(span)
    bases = np.zeros((len(found), _DIMENSIONS), np.uint8)
    pivots = np.zeros_like(bases)
    for number, (basis, bits) in enumerate(found.values()):
        bases[number, : len(basis)] = basis
        pivots[number, : len(bits)] = bits
    members = [sum(1 << member for member in span) for span in found]
    sizes = [len(basis) for basis, _ in found.values()]
    return Subspaces(np.array(members, np.uint16), np.array(sizes, np.uint8), bases, pivots)


def _reduced_basis(span: set[int]) -> tuple[list[int], list[int]]:
    pivots = sorted({member.bit_length() - 1 for member in span if member}, reverse=True)
    heads = sum(1 << pivot for pivot in pivots)
    return [next(m for m in span if m & heads == 1 << pivot) for pivot in pivots], pivots


def sets_of(values: Bytes2D) -> Sets:
    """Return the set of the values in each row."""
    bits = np.left_shift(np.uint16(1), values, dtype=np.uint16)
    found: Sets = np.bitwise_or.reduce(bits, axis=1)
    return found


def smallest_subspace(sets: Sets) -> npt.NDArray[np.intp]:
    """Return for each set the number of the smallest subspace that holds it."""
    table = subspaces()
    holds = (sets[:, None] & ~table.members) == 0
    found: npt.NDArray[np.intp] = holds.argmax(axis=1)  # the first True
    return found


@cache
def packs_for_sets() -> Bytes1D:
    """Return (65536,): the packs that a tile needs whose colours are that set, drawn anew."""
    sets = np.arange(1 << COLOURS, dtype=np.uint16)
    has = (sets[:, None] >> np.arange(COLOURS, dtype=np.uint16) & 1).astype(bool)
    lowest = has.argmax(axis=1)
    moved = np.take_along_axis(has, lowest[:, None] ^ np.arange(COLOURS), axis=1)
    differences = (moved * (np.uint16(1) << np.arange(COLOURS, dtype=np.uint16))).sum(
        axis=1, dtype=np.uint16
    )
    return np.maximum(subspaces().dimensions[smallest_subspace(differences)], 1)


@cache
def strays() -> Bytes1D:
    """Return (65536,): how far each set of colours is from needing fewer packs.

    For each of the dimensions 1, 2 and 3: the fewest of its colours that lie outside an affine
    subspace of that dimension, added up; 0..34.
    """
    table = subspaces()
    bits = np.arange(COLOURS, dtype=np.uint16)
    sets = np.arange(1 << COLOURS, dtype=np.uint16)
    has = (sets[:, None] >> bits & 1).astype(np.float32)
    found = np.zeros(len(sets), np.float32)
    for dimension in range(1, _DIMENSIONS):
        inside = table.members[table.dimensions == dimension][:, None] >> bits & 1
        moved = np.concatenate([inside[:, np.arange(COLOURS) ^ step] for step in range(COLOURS)])
        affine = np.unique(moved, axis=0).astype(np.float32)
        found += has.sum(axis=1) - (has @ affine.T).max(axis=1)
    return found.astype(np.uint8)
