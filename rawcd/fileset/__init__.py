"""The files of one image: found beside a sheet, or made in one transaction.

Formats never see paths. `InputFiles` finds what a sheet names; `OutputFiles` stages what a
format writes, and everything appears at once or not at all.
"""

from __future__ import annotations

from rawcd.fileset.inputs import HEAD_BYTES, FoundFile, FoundFolder, InputFiles
from rawcd.fileset.outputs import OutputFile, OutputFiles, SharesOut, StreamOutput
from rawcd.fileset.stretches import PlacedFile, Stretch
from rawcd.fileset.transaction import FileTransaction

__all__ = [
    "HEAD_BYTES",
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
]
