"""CD+G: pictures in the R-W subcode of an audio track (Red Book, IEC 60908: TV graphics).

`packs` holds the instructions as values and as the 24 symbols of a pack; `canvas` the picture
memory they act on; `files` what is stored of them, as a file or as a disc's subcode; `render`
shows any moment of a stream; `pictures` brings a picture to sixteen colours; `encoder` finds
the packs that draw it; `schedule` the time at which they are sent.

Only names live here, each loaded when it is first asked for: nothing imports numpy, construct
or Pillow before it is needed. Pillow is needed only to be handed Pillow images.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rawcd.cdg.canvas import CDG, View
    from rawcd.cdg.encoder import encode
    from rawcd.cdg.files import CdgFile, CdgSource, write_cdg
    from rawcd.cdg.packs import (
        BorderPreset,
        ColourTable,
        Instruction,
        MemoryPreset,
        Scroll,
        Tile,
        Transparency,
        build_pack,
        parse_pack,
    )
    from rawcd.cdg.pictures import CdgPicture, make_picture, make_pictures
    from rawcd.cdg.render import CdgDecoder, packs_by
    from rawcd.cdg.schedule import Schedule, SentPicture, TimedPicture, schedule_pictures

__all__ = [
    "CDG",
    "BorderPreset",
    "CdgDecoder",
    "CdgFile",
    "CdgPicture",
    "CdgSource",
    "ColourTable",
    "Instruction",
    "MemoryPreset",
    "Schedule",
    "Scroll",
    "SentPicture",
    "Tile",
    "TimedPicture",
    "Transparency",
    "View",
    "build_pack",
    "encode",
    "make_picture",
    "make_pictures",
    "packs_by",
    "parse_pack",
    "schedule_pictures",
    "write_cdg",
]

_HOMES = {
    "BorderPreset": "packs",
    "CDG": "canvas",
    "CdgDecoder": "render",
    "CdgFile": "files",
    "CdgPicture": "pictures",
    "CdgSource": "files",
    "ColourTable": "packs",
    "Instruction": "packs",
    "MemoryPreset": "packs",
    "Schedule": "schedule",
    "Scroll": "packs",
    "SentPicture": "schedule",
    "Tile": "packs",
    "TimedPicture": "schedule",
    "Transparency": "packs",
    "View": "canvas",
    "build_pack": "packs",
    "encode": "encoder",
    "make_picture": "pictures",
    "make_pictures": "pictures",
    "packs_by": "render",
    "parse_pack": "packs",
    "schedule_pictures": "schedule",
    "write_cdg": "files",
}


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{home}"), name)


def __dir__() -> list[str]:
    return __all__
