"""The layouts of the sectors (ECMA-130 clause 14; Green Book for mode 2's two forms).

Each layout is stated once, as construct Struct for single sectors; the numpy dtype for arrays of
them is derived from it. Offsets in the codec are taken from the dtype, so none is typed twice.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final

import construct
import numpy as np

from rawcd.sector.kinds import SYNC, SectorType

if TYPE_CHECKING:
    import numpy.typing as npt

FORM_2_BIT: Final = 0x20
"""Bit 5 of the submode: the sector is of form 2 (Green Book)."""

HEADER: Final = construct.Struct(
    "minute" / construct.Byte,  # BCD, as second and frame
    "second" / construct.Byte,
    "frame" / construct.Byte,
    "mode" / construct.Byte,
)
SUBHEADER: Final = construct.Struct(
    "file" / construct.Byte,
    "channel" / construct.Byte,
    "submode" / construct.Byte,
    "coding" / construct.Byte,
)
_HEAD: Final = ("sync" / construct.Bytes(len(SYNC)), "header" / HEADER)
_XA_HEAD: Final = (*_HEAD, "subheader" / SUBHEADER, "subheader_copy" / SUBHEADER)
_PARITY: Final = ("p" / construct.Bytes(172), "q" / construct.Bytes(104))

AUDIO: Final = construct.Struct("user" / construct.Bytes(2352))
FORMLESS: Final = construct.Struct(*_HEAD, "user" / construct.Bytes(2336))
"""Mode 0, where the user data is zero, and mode 2 without forms."""
MODE_1: Final = construct.Struct(
    *_HEAD,
    "user" / construct.Bytes(2048),
    "edc" / construct.Int32ul,
    "zeros" / construct.Bytes(8),  # "intermediate" in ECMA-130
    *_PARITY,
)
FORM_1: Final = construct.Struct(
    *_XA_HEAD, "user" / construct.Bytes(2048), "edc" / construct.Int32ul, *_PARITY
)
FORM_2: Final = construct.Struct(
    *_XA_HEAD, "user" / construct.Bytes(2324), "edc" / construct.Int32ul
)

LAYOUTS: Final = {
    SectorType.AUDIO: AUDIO,
    SectorType.MODE_ZERO: FORMLESS,
    SectorType.MODE1: MODE_1,
    SectorType.MODE2FORM0: FORMLESS,
    SectorType.MODE2FORM1: FORM_1,
    SectorType.MODE2FORM2: FORM_2,
}
"""By kind; a raw kind has the layout of its `cooked` kind, mixed sectors have either form's."""

_NUMPY_KINDS: Final = {
    "B": "u1", "b": "i1", "H": "u2", "h": "i2", "L": "u4", "l": "i4", "Q": "u8", "q": "i8",
}  # fmt: skip


def dtype_of(layout: construct.Construct[Any, Any]) -> np.dtype[Any]:
    """Return the numpy dtype with the fields, names and byte order of a fixed-size layout.

    Adapters show their raw value: BCD stays BCD.
    """
    if isinstance(layout, construct.Renamed):
        return dtype_of(layout.subcon)
    if isinstance(layout, construct.FormatField):
        return np.dtype(layout.fmtstr[0].replace("=", "") + _NUMPY_KINDS[layout.fmtstr[1]])
    if isinstance(layout, construct.Struct):
        return np.dtype(
            [(part.name or f"_pad{i}", dtype_of(part)) for i, part in enumerate(layout.subcons)]
        )
    if isinstance(layout, construct.Array):
        return np.dtype((dtype_of(layout.subcon), (layout.count,)))
    if isinstance(layout, construct.Adapter):
        return dtype_of(layout.subcon)
    return np.dtype((np.uint8, (layout.sizeof(),)))


@cache
def sector_dtype(sector_type: SectorType) -> np.dtype[Any]:
    """Return the dtype of one sector of 2,352 bytes.

    Raises:
        ValueError: this is no sector type, or mixed sectors, which have no one layout.
    """
    kind = SectorType(sector_type)
    layout = LAYOUTS.get(kind.cooked)
    if layout is None:
        raise ValueError(f"{kind.name} has no one layout; take that of form 1 or form 2")
    return dtype_of(layout)


@cache
def field_slice(sector_type: SectorType, field: str) -> slice:
    """Return where a field lies in a sector of that kind.

    Raises:
        KeyError: the kind has no such field.
    """
    dtype = sector_dtype(sector_type)
    for name, (field_dtype, offset, *_) in (dtype.fields or {}).items():
        if name == field:
            return slice(offset, offset + field_dtype.itemsize)
    raise KeyError(field)


def records(sectors: npt.NDArray[np.uint8], sector_type: SectorType) -> npt.NDArray[Any]:
    """Return sectors, (n, 2352), as n records with the layout's fields; shares their memory."""
    return sectors.view(sector_dtype(sector_type))[:, 0]
