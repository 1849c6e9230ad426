"""The 96 subcode bytes of a sector: Q frames one by one, and whole discs of P and Q at once.

`style` holds what real writers do differently, `frame` one Q frame as a value, `rows` the
subcode of many sectors as arrays. Only `rows` needs numpy.
"""

from __future__ import annotations

from rawcd.subcode.style import STYLES, Style

__all__ = ["STYLES", "Style"]
