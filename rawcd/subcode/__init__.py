"""The subcode of a disc: Q frames, the layouts of the 96 bytes, and R-W packs.

`style` holds what real writers do differently; `frame` is one Q frame as a value, `rows` P and Q of
many sectors as arrays, `decoder` what recorded Q says. `layouts` tells the forms of the 96 bytes
apart; `packs` names what R-W packs are about, `parity` is their error correction over the field of
`gf64`, `interleave` their order on the disc, and `streams` the two as sources.

Only names live here, and all but those of `style` are loaded when they are first asked for: a disc
can be described without numpy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rawcd.late import late_names
from rawcd.subcode.style import STYLES, Style

if TYPE_CHECKING:
    from rawcd.subcode.decoder import (
        QKind,
        QTable,
        decode_q,
        isrc_of,
        isrcs_by_track,
        mcn_of,
        toc_of,
    )
    from rawcd.subcode.interleave import deinterleaved, history_after, interleaved
    from rawcd.subcode.layouts import PQ16, PlanarPW, RawPW, RWPacks
    from rawcd.subcode.packs import PackKind, pack_kinds, source_pack_kinds
    from rawcd.subcode.parity import Verdict, corrected, parity_holds, with_parity
    from rawcd.subcode.streams import (
        DeinterleavedPacks,
        InterleavedPacks,
        PackLine,
        PackPart,
        RawChannels,
    )

__all__ = [
    "PQ16",
    "STYLES",
    "DeinterleavedPacks",
    "InterleavedPacks",
    "PackKind",
    "PackLine",
    "PackPart",
    "PlanarPW",
    "QKind",
    "QTable",
    "RWPacks",
    "RawChannels",
    "RawPW",
    "Style",
    "Verdict",
    "corrected",
    "decode_q",
    "deinterleaved",
    "history_after",
    "interleaved",
    "isrc_of",
    "isrcs_by_track",
    "mcn_of",
    "pack_kinds",
    "parity_holds",
    "source_pack_kinds",
    "toc_of",
    "with_parity",
]

__getattr__, __dir__ = late_names(
    __name__,
    {
        "rawcd.subcode.decoder": (
            "QKind",
            "QTable",
            "decode_q",
            "isrc_of",
            "isrcs_by_track",
            "mcn_of",
            "toc_of",
        ),
        "rawcd.subcode.interleave": ("deinterleaved", "history_after", "interleaved"),
        "rawcd.subcode.layouts": ("PQ16", "PlanarPW", "RWPacks", "RawPW"),
        "rawcd.subcode.packs": ("PackKind", "pack_kinds", "source_pack_kinds"),
        "rawcd.subcode.parity": ("Verdict", "corrected", "parity_holds", "with_parity"),
        "rawcd.subcode.streams": (
            "DeinterleavedPacks",
            "InterleavedPacks",
            "PackLine",
            "PackPart",
            "RawChannels",
        ),
    },
)
