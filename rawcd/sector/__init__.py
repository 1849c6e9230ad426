"""The 2,352 bytes of a sector: encoded, decoded, verified, repaired, scrambled, many at once.

`kinds` names what a block can hold and what can be wrong; `layouts` states the bytes; `codec`
makes sectors of blocks and blocks of sectors; `whole` takes sectors as they are; `scrambler`,
`defects` and `mending` are what their names say; `rows` is the ground under them. Everywhere here
data sectors are unscrambled; scrambling happens on the way out of an image.

Only names live here, and all but those of `kinds` are loaded when they are first asked for: a
disc can be described without numpy and construct.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rawcd.late import late_names
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

__getattr__, __dir__ = late_names(
    __name__,
    {
        "rawcd.sector.codec": ("DEFAULT_SUBHEADERS", "decode", "encode", "encode_block"),
        "rawcd.sector.defects": ("verify",),
        "rawcd.sector.layouts": ("LAYOUTS", "dtype_of", "records", "sector_dtype"),
        "rawcd.sector.mending": ("Repair", "repair"),
        "rawcd.sector.scrambler": ("is_scrambled", "scramble"),
    },
)
