"""Where two Q frames of one sector differ, field by field, for many sectors at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from rawcd.errors import FormatError
from rawcd.subcode.frame import Q_BYTES, unpack_isrc, unpack_mcn
from rawcd.subcode.rows import ABSOLUTE, OFFSETS, RELATIVE

if TYPE_CHECKING:
    from collections.abc import Callable

    from rawcd.source import Bytes2D
    from rawcd.subcode.rows import Flags

ADR: Final = np.uint8(15)
CONTROL: Final = np.uint8(0xF0)
CATALOG_ADR: Final = 2
ISRC_ADR: Final = 3
AFRAME: Final = 9
DIGITS: Final = slice(1, 9)
"""What a frame of mode 2 or 3 says: the digits or characters, and the zeros behind them."""
CRC: Final = slice(OFFSETS["crc"], Q_BYTES)
_POSITION: Final = {
    "track": slice(OFFSETS["track"], OFFSETS["track"] + 1),
    "index": slice(OFFSETS["index"], OFFSETS["index"] + 1),
    "relative time": RELATIVE,
    "zero byte": slice(OFFSETS["zero"], OFFSETS["zero"] + 1),
    "absolute time": ABSOLUTE,
}
_AFRAME_FIELD: Final = {"AFRAME": slice(AFRAME, AFRAME + 1)}
_CATALOG: Final = {"catalogue number": DIGITS, **_AFRAME_FIELD}
_ISRC: Final = {"ISRC": DIGITS, **_AFRAME_FIELD}
_FIELDS: Final = {CATALOG_ADR: _CATALOG, ISRC_ADR: _ISRC}
"""By ADR; all others have the fields of a position (IEC 60908 17.5, modes 1 and 5)."""
_PLACES: Final = {**_POSITION, **_CATALOG, **_ISRC, "CRC": CRC}


def differing(read: Bytes2D, wanted: Bytes2D, *, with_crc: bool = True) -> dict[str, Flags]:
    """Return by the field's name in which frames it differs.

    Frames of two modes differ in ADR, and in no other field.

    Args:
        read: (n, 12), as read.
        wanted: (n, 12), as it should be.
        with_crc: look at the CRC of frames that are otherwise alike.
    """
    found: dict[str, Flags] = {}
    unlike = read != wanted
    if not unlike.any():
        return found

    def note(name: str, where: Flags) -> None:
        if where.any():
            found[name] = found[name] | where if name in found else where

    note("CONTROL", (read[:, 0] ^ wanted[:, 0]) & CONTROL != 0)
    adr = wanted[:, 0] & ADR
    same = read[:, 0] & ADR == adr
    note("ADR", ~same)
    told = np.isin(adr, list(_FIELDS))
    for fields, rows in (
        (_POSITION, same & ~told),
        *((fields, same & (adr == kind)) for kind, fields in _FIELDS.items()),
    ):
        for name, place in fields.items():
            note(name, rows & unlike[:, place].any(axis=1))
    if with_crc:
        others = np.zeros(len(read), bool)
        for where in found.values():
            others |= where
        note("CRC", ~others & unlike[:, CRC].any(axis=1))
    return found


def shown(name: str, frame: Bytes2D) -> str:
    """Return what a field of a frame (12,) says, as people write it."""
    data = frame.tobytes()
    if name == "CONTROL":
        return f"{data[0] >> 4:X}h"
    if name == "ADR":
        return str(data[0] & 15)
    part = data[_PLACES[name]]
    readers: dict[str, Callable[[bytes], str]] = {
        "catalogue number": lambda code: unpack_mcn(code[:7]),
        "ISRC": unpack_isrc,
    }
    if name in readers:
        try:
            return readers[name](part)
        except FormatError:
            return part.hex()
    if name.endswith("time"):
        return ":".join(f"{byte:02x}" for byte in part)
    return part.hex().upper()
