"""CD+G: pictures in the R-W subcode of an audio track (Red Book, IEC 60908: TV graphics).

`packs` holds the instructions as values and as the 24 symbols of a pack; `canvas` the picture
memory they act on; `files` what is stored of them, as a file or as a disc's subcode; `render`
shows any moment of a stream; `pictures` brings a picture to sixteen colours; `encoder` finds
the packs that draw it; `schedule` the time at which they are sent.

Only names live here, each loaded when it is first asked for: nothing imports numpy, construct
or Pillow before it is needed. Pillow is needed only to be handed Pillow images.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rawcd.late import late_names

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

__getattr__, __dir__ = late_names(
    __name__,
    {
        "rawcd.cdg.canvas": ("CDG", "View"),
        "rawcd.cdg.encoder": ("encode",),
        "rawcd.cdg.files": ("CdgFile", "CdgSource", "write_cdg"),
        "rawcd.cdg.packs": (
            "BorderPreset",
            "ColourTable",
            "Instruction",
            "MemoryPreset",
            "Scroll",
            "Tile",
            "Transparency",
            "build_pack",
            "parse_pack",
        ),
        "rawcd.cdg.pictures": ("CdgPicture", "make_picture", "make_pictures"),
        "rawcd.cdg.render": ("CdgDecoder", "packs_by"),
        "rawcd.cdg.schedule": ("Schedule", "SentPicture", "TimedPicture", "schedule_pictures"),
    },
)
