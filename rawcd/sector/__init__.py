"""The 2,352 bytes of a sector: encoded, decoded, verified, repaired, scrambled, many at once.

`kinds` names what a block can hold and what can be wrong; `layouts` states the bytes; `codec`
makes sectors of blocks and blocks of sectors; `whole` takes sectors as they are; `scrambler`,
`defects` and `mending` are what their names say; `rows` is the ground under them. Everywhere here
data sectors are unscrambled; scrambling happens on the way out of an image.

Only names live here, and all but those of `kinds` are loaded when they are first asked for: a
disc can be described without numpy and construct.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from rawcd.sector.kinds import SYNC, Defect, SectorType

if TYPE_CHECKING:
    from rawcd.sector.codec import DEFAULT_SUBHEADERS, decode, encode, encode_block
    from rawcd.sector.defects import verify
    from rawcd.sector.layouts import LAYOUTS, dtype_of, records, sector_dtype
    from rawcd.sector.mending import Repair, repair
    from rawcd.sector.scrambler import is_scrambled, scramble

__all__ = [
    "DEFAULT_SUBHEADERS",
    "LAYOUTS",
    "SYNC",
    "Defect",
    "Repair",
    "SectorType",
    "decode",
    "dtype_of",
    "encode",
    "encode_block",
    "is_scrambled",
    "records",
    "repair",
    "scramble",
    "sector_dtype",
    "verify",
]

_HOMES = {
    "DEFAULT_SUBHEADERS": "codec",
    "LAYOUTS": "layouts",
    "Repair": "mending",
    "decode": "codec",
    "dtype_of": "layouts",
    "encode": "codec",
    "encode_block": "codec",
    "is_scrambled": "scrambler",
    "records": "layouts",
    "repair": "mending",
    "scramble": "scrambler",
    "sector_dtype": "layouts",
    "verify": "defects",
}


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{home}"), name)


def __dir__() -> list[str]:
    return __all__
