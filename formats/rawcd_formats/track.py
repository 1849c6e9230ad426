"""A file of one data track without a sheet, known by its own sectors.

Whole sectors of 2,352 bytes, or of 2,448 with 96 bytes of subcode behind each, begin with a sync
pattern and tell mode and address (ECMA-130 14); blocks of 2,336 are mode 2 without sync and
header, known by the subheader, which stands there twice (Green Book). Sound has no address: a
file of it is a matter for a sheet. User data of 2,048 bytes is the format `iso`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from rawcd.disc import Disc, DiscType, Index, Track, TrackMode
from rawcd.errors import FormatError
from rawcd.image import Note
from rawcd.msf import PROGRAM_LBA
from rawcd.sector import SYNC, SectorType
from rawcd.source import SECTOR_BYTES
from rawcd.stored import KIND_OF_MODE, StoredSectors, header_at, lay_out, sessions_of
from rawcd_formats.readonly import ReadOnly

if TYPE_CHECKING:
    from rawcd.fileset import InputFiles
    from rawcd.image import RegionImage
    from rawcd.source import Reader
    from rawcd.stored import Header

_SUB_BYTES: Final = 96
_MODE2_BYTES: Final = 2336
_SUBHEADER: Final = 4
_PROBED: Final = 16
_BY_CONTENT: Final = 50
_BY_NAME_AND_CONTENT: Final = 60
_BY_SUBHEADERS: Final = 35


def _synced(head: bytes, size: int) -> bool:
    """Tell whether all sectors of a head begin with a sync pattern."""
    starts = range(0, max(len(head) - len(SYNC), 0), size)
    return bool(starts) and all(head[at : at + len(SYNC)] == SYNC for at in starts)


def _subheaders(head: bytes) -> bool:
    """Tell whether blocks of 2,336 bytes begin with a subheader and its copy, not all zero."""
    found = [head[at : at + 8] for at in range(0, len(head) - _MODE2_BYTES + 1, _MODE2_BYTES)]
    twice = [each for each in found[:_PROBED] if each[:_SUBHEADER] == each[_SUBHEADER:]]
    return len(found) > 1 and len(twice) == len(found[:_PROBED]) and any(map(any, twice))


class TrackFormat(ReadOnly):
    """Reads files of one data track; see `rawcd.plugins.Format`."""

    name = "track"
    suffixes = (".bin", ".img")
    one_file = True

    def accepts(self, name: str, head: bytes) -> int:
        """Answer by sync patterns at equal distances, or by subheaders that stand twice."""
        if any(_synced(head, size) for size in (SECTOR_BYTES, SECTOR_BYTES + _SUB_BYTES)):
            named = name.lower().endswith(self.suffixes)
            return _BY_NAME_AND_CONTENT if named else _BY_CONTENT
        return _BY_SUBHEADERS if _subheaders(head) else 0

    def load(self, files: InputFiles) -> RegionImage:
        """Open a file as the disc of its only track.

        Raises:
            FormatError: it is no such file, was cut short, or its addresses do not go on.
            StorageError: it cannot be read.
        """
        reader, head = files.reader, files.head()
        header = header_at(reader, 0)
        if header is None:
            stretch = _mode2_blocks(reader, head)
        else:
            stretch = _whole_sectors(reader, head, header)
        notes = []
        if header is not None and stretch.lba > 0:
            notes.append(
                Note(
                    code="track-begins-later",
                    message=f"its first sector has the address of LBA {stretch.lba}; what lies "
                    "before it is made as its pregap",
                    file=files.name,
                )
            )
        mode = TrackMode(stretch.sector_type.mode or 0)
        start = max(stretch.lba, 0)
        try:
            track = Track(
                number=1,
                mode=mode,
                indexes=(Index(number=0, lba=PROGRAM_LBA), Index(number=1, lba=start)),
                end_lba=stretch.end_lba,
            )
            disc_type = DiscType.XA if mode is TrackMode.MODE2 else DiscType.CDDA_CDROM
            disc = Disc(sessions=sessions_of([((track,), disc_type)]))
        except ValueError as error:
            raise FormatError(
                f"makes no disc: {error}", file=files.name, place="offset 0"
            ) from error
        return lay_out(disc, [stretch], file=files.name, notes=notes)


def _whole_sectors(reader: Reader, head: bytes, header: Header) -> StoredSectors:
    """Return the sectors of a file that begins with a whole one.

    Raises:
        FormatError: it is cut short, or its last sector is not where the first one says.
    """
    sizes = [size for size in (SECTOR_BYTES, SECTOR_BYTES + _SUB_BYTES) if _synced(head, size)]
    whole = [size for size in sizes if not reader.size % size]
    size = (*whole, *sizes, SECTOR_BYTES)[0]
    sectors, rest = divmod(reader.size, size)
    if rest:
        raise FormatError(
            f"{reader.size} bytes are {sectors} sectors of {size} bytes and a remainder of {rest}; "
            "the file was cut short",
            file=reader.name,
            place=f"offset {sectors * size}",
        )
    last = header_at(reader, (sectors - 1) * size)
    wanted = replace(header, lba=header.lba + sectors - 1)
    if last != wanted:
        told = "has none" if last is None else f"is that of LBA {last.lba}, mode {last.mode}"
        raise FormatError(
            f"its first sector is LBA {header.lba} of mode {header.mode}, so the header of its "
            f"last should be that of LBA {wanted.lba}, and it {told}: it holds more than one data "
            "track; give the sheet that belongs to it",
            file=reader.name,
            place=f"offset {(sectors - 1) * size}",
        )
    return StoredSectors(
        lba=header.lba,
        sectors=sectors,
        reader=reader,
        sector_type=KIND_OF_MODE[header.mode],
        sub_bytes=size - SECTOR_BYTES,
        scrambled=header.scrambled,
    )


def _mode2_blocks(reader: Reader, head: bytes) -> StoredSectors:
    """Return the blocks of a file without headers, taken to begin at LBA 0.

    Raises:
        FormatError: they are none, or cut short.
    """
    sectors, rest = divmod(reader.size, _MODE2_BYTES)
    if not _subheaders(head) or rest:
        raise FormatError(
            "neither sync patterns nor subheaders of mode 2 stand in it at equal distances; a "
            "file of bare sectors has no addresses: give the sheet that names it",
            file=reader.name,
            place="offset 0",
        )
    return StoredSectors(
        lba=0,
        sectors=sectors,
        reader=reader,
        sector_type=SectorType.MODE2FORM0,
        block_size=_MODE2_BYTES,
    )
