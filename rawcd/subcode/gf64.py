"""Arithmetic of GF(64), the field of the R-W channels' codes: x^6 + x + 1, alpha = 2.

Sources: IEC 60908 clause 18 (Red Book, error correction of R to W); the field polynomial and roots
were checked against packs that other programs and another Reed-Solomon library made.
Addition is exclusive or. All functions take arrays of uint8 below 64 and work element by element.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Symbols = npt.NDArray[np.uint8]

SIZE: Final = 64
ORDER: Final = SIZE - 1
"""alpha^63 = 1."""
_FIELD: Final = 0x43


def times_alpha(value: int) -> int:
    """Return an element times alpha = 2."""
    return value << 1 ^ (_FIELD if value & 0x20 else 0)


def times(a: int, b: int) -> int:
    """Return the product of two elements, step by step; arrays go through `product`."""
    result = 0
    while b:
        if b & 1:
            result ^= a
        a, b = times_alpha(a), b >> 1
    return result


def power(exponent: int) -> int:
    """Return alpha to a power; negative ones too."""
    value = 1
    for _ in range(exponent % ORDER):
        value = times_alpha(value)
    return value


@cache
def _products() -> Symbols:
    """Return (64, 64): every product. All 64 elements have their row, 3Fh as well."""
    table = np.array([[times(a, b) for b in range(SIZE)] for a in range(SIZE)], np.uint8)
    table.flags.writeable = False
    return table


@cache
def _inverses() -> Symbols:
    """Return (64,): what gives 1 with each element; 0 has none and stands for itself."""
    table: Symbols = (_products() == 1).argmax(axis=1).astype(np.uint8)
    table.flags.writeable = False
    return table


@cache
def powers() -> Symbols:
    """Return (63,): alpha^0 to alpha^62."""
    table = np.array([power(exponent) for exponent in range(ORDER)], np.uint8)
    table.flags.writeable = False
    return table


def product(a: Symbols, b: Symbols | np.uint8) -> Symbols:
    """Return the products; the arguments are broadcast against each other."""
    found: Symbols = _products()[a, b]
    return found


def quotient(a: Symbols, b: Symbols) -> Symbols:
    """Return a / b; where b is 0, 0."""
    return product(a, _inverses()[b])
