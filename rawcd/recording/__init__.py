"""Discs of which the program areas are recorded, and the table of contents beside them.

That is what programs that copy discs store: a sheet with the items of each lead-in, and a file
with the sectors from each session's first track to its lead-out, with or without their subcode.
The table of contents says which tracks there are. What it cannot say comes from the sheet where
that says it, else from the recorded Q: pregaps, indexes, MCN, ISRC, SCMS.

`values` is what a format hands over, `layout` makes the disc of it, `opening` the image; `saving`
serves the way back.
"""

from __future__ import annotations

from rawcd.recording.opening import SHEET_BYTES, recorded_image, sheet_bytes
from rawcd.recording.saving import (
    RECORDED,
    SUB,
    SUBCODE_FEATURES,
    program_stretches,
    told_by_subcode,
    wants_subcode,
    with_raw_subcode,
)
from rawcd.recording.values import Sheet, SheetTrack, Stored

__all__ = [
    "RECORDED",
    "SHEET_BYTES",
    "SUB",
    "SUBCODE_FEATURES",
    "Sheet",
    "SheetTrack",
    "Stored",
    "program_stretches",
    "recorded_image",
    "sheet_bytes",
    "told_by_subcode",
    "wants_subcode",
    "with_raw_subcode",
]
