"""Blocks and samples from anywhere, by number.

Three steps, each usable alone: a *reader* gives bytes at an offset (of a file, a file object,
memory); a *source* gives equal blocks of a reader by number; a *sound* gives 16-bit stereo
samples. Everything is measured when it is made, opened when it is first read, and never
copied or closed on the owner's behalf.

numpy is imported only by what hands out arrays, so that a sheet can be described without it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rawcd.source.blocks import (
    ArraySource,
    BlockSource,
    FileSource,
    SilenceSource,
    StreamSource,
    check_range,
    fill_rows,
    side_by_side,
)
from rawcd.source.joins import (
    BlockBytes,
    BytesPart,
    JoinedBytes,
    SilentSound,
    SwappedSound,
)
from rawcd.source.protocols import (
    SAMPLE_BYTES,
    SECTOR_BYTES,
    SECTOR_SAMPLES,
    Reader,
    ReadsInto,
    Sound,
    Source,
)
from rawcd.source.readers import FileBytes, MemoryBytes, StreamBytes, paths_of, reader_of
from rawcd.source.sounds import JoinedSound, PcmSound, SoundPart

if TYPE_CHECKING:
    from rawcd.source.protocols import Bytes2D as Bytes2D
    from rawcd.source.protocols import Memory as Memory
    from rawcd.source.protocols import Samples as Samples

__all__ = [
    "SAMPLE_BYTES",
    "SECTOR_BYTES",
    "SECTOR_SAMPLES",
    "ArraySource",
    "BlockBytes",
    "BlockSource",
    "BytesPart",
    "FileBytes",
    "FileSource",
    "JoinedBytes",
    "JoinedSound",
    "MemoryBytes",
    "PcmSound",
    "Reader",
    "ReadsInto",
    "SilenceSource",
    "SilentSound",
    "Sound",
    "SoundPart",
    "Source",
    "StreamBytes",
    "StreamSource",
    "SwappedSound",
    "check_range",
    "fill_rows",
    "paths_of",
    "reader_of",
    "side_by_side",
]
