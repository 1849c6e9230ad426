"""The files of one image: found beside a sheet, or made in one transaction.

Formats never see paths. `InputFiles` finds what a sheet names, and unpacks what is wrapped;
`OutputFiles` stages what a format writes, and everything appears at once or not at all.
"""

from __future__ import annotations

from rawcd.fileset.folders import made_folder
from rawcd.fileset.inputs import HEAD_BYTES, SHEET_LIMIT, FoundFile, FoundFolder, InputFiles
from rawcd.fileset.outputs import OutputFile, OutputFiles, SharesOut, StreamOutput
from rawcd.fileset.scratch import UnpackedBytes
from rawcd.fileset.stretches import PlacedFile, Stretch
from rawcd.fileset.transaction import FileTransaction, check_free
from rawcd.fileset.wrapped import without_wrapping

__all__ = [
    "HEAD_BYTES",
    "SHEET_LIMIT",
    "FileTransaction",
    "FoundFile",
    "FoundFolder",
    "InputFiles",
    "OutputFile",
    "OutputFiles",
    "PlacedFile",
    "SharesOut",
    "StreamOutput",
    "Stretch",
    "UnpackedBytes",
    "check_free",
    "made_folder",
    "without_wrapping",
]
