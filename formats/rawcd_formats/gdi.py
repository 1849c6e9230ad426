"""GDI: the tracks of a Dreamcast disc, one file each, and a sheet of their addresses.

```text
3
1 0 4 2352 track01.bin 0
2 756 0 2352 track02.raw 0
3 45000 4 2352 track03.bin 0
```

The first line counts the tracks. Then follow number, LBA of index 1, type (0 sound, 4 data), bytes
of a sector, file and first byte in it. From LBA 45,000 on lies the high-density area of a GD-ROM;
here it is a second session. What lies between a file's end and the next track is left out: that
track's pregap. (mamedev/mame: chdcd.cpp; dreamcast.wiki: GDI format.)

Most high-density areas end at LBA 549,149, and no CD has addresses above 404,849: such sheets are
refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from rawcd.disc import PREGAP_SECTORS, Disc, DiscType, Index, Track, TrackMode
from rawcd.errors import FormatError, UnsupportedError
from rawcd.msf import LAST_LBA, PROGRAM_LBA
from rawcd.sector import SectorType
from rawcd.source import SECTOR_BYTES
from rawcd.stored import KIND_OF_MODE, StoredSectors, header_at, lay_out, sessions_of
from rawcd_formats.readonly import ReadOnly

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rawcd.fileset import InputFiles
    from rawcd.image import Note, RegionImage

_HIGH_DENSITY_LBA: Final = 45_000
_SHEET_BYTES: Final = 64 * 1024
"""More than 99 lines of names need."""
_ROW_CHARACTERS: Final = 1024
_HEAD: Final = re.compile(
    rb"\A(?:\xef\xbb\xbf)?\s*\d{1,2}[ \t]*\r?\n\s*1[ \t]+\d+[ \t]+[04][ \t]+\d+"
)
_LINE: Final = re.compile(
    r"\s*(\d{1,9})\s+(\d{1,9})\s+(\d{1,9})\s+(\d{1,9})\s+(?:\"([^\"]+)\"|(\S.*?))\s+(\d{1,18})\s*"
)
_TYPES: Final = {0: TrackMode.AUDIO, 4: TrackMode.MODE1}
_SIZES: Final = {2048: SectorType.MODE1, 2336: SectorType.MODE2FORM0, SECTOR_BYTES: None}
_SUFFIXES: Final = (".bin", ".raw", ".iso")
_BY_CONTENT_AND_NAME: Final = 90
_BY_CONTENT: Final = 60
_BY_NAME: Final = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """A track as the sheet has it."""

    line: int
    number: int
    lba: int
    mode: TrackMode
    size: int
    name: str
    offset: int


class GdiFormat(ReadOnly):
    """Reads GDI sheets; see `rawcd.plugins.Format`."""

    name = "gdi"
    suffixes = (".gdi",)
    one_file = False

    def accepts(self, name: str, head: bytes) -> int:
        """Answer by the first two lines, and by the name."""
        named = name.lower().endswith(self.suffixes)
        if _HEAD.match(head):
            return _BY_CONTENT_AND_NAME if named else _BY_CONTENT
        return _BY_NAME if named else 0

    def load(self, files: InputFiles) -> RegionImage:
        """Open a sheet and the files that it names.

        Raises:
            FormatError: the sheet contradicts itself, or a file is not what it says.
            UnsupportedError: the high-density area is larger than any CD.
            StorageError: a file is missing or cannot be read.
        """
        lines = _parse(files)
        notes: list[Note] = []
        stretches = [_stretch(files, line, notes) for line in lines]
        _check_addresses(files, stretches)
        try:
            disc = _disc(lines, stretches)
        except ValueError as error:
            place = f"line {lines[-1].line}"
            raise FormatError(
                f"contradicts itself: {error}", file=files.name, place=place
            ) from error
        return lay_out(disc, stretches, file=files.name, notes=notes)


def _parse(files: InputFiles) -> list[_Line]:
    if files.reader.size > _SHEET_BYTES:
        raise FormatError(
            f"{files.reader.size} bytes are too many for a GDI",
            file=files.name,
            place=f"offset {_SHEET_BYTES}",
        )
    data = files.content().removeprefix(b"\xef\xbb\xbf")
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = data.decode("cp1252", errors="replace")
    rows = [(number, row) for number, row in enumerate(text.splitlines(), 1) if row.strip()]
    if not rows or re.fullmatch(r"\s*\d{1,3}\s*", rows[0][1]) is None:
        raise FormatError("its first line is no number of tracks", file=files.name, place="line 1")
    count = int(rows[0][1])
    if len(rows) - 1 != count or not count:
        raise FormatError(
            f"it counts {count} tracks and has lines for {len(rows) - 1}",
            file=files.name,
            place=f"line {rows[0][0]}",
        )
    lines = [_parse_line(files.name, number, row) for number, row in rows[1:]]
    for place, line in enumerate(lines, 1):
        if line.number != place:
            raise FormatError(
                f"track {line.number} stands where track {place} must",
                file=files.name,
                place=f"line {line.line}",
            )
    return lines


def _parse_line(file: str, number: int, row: str) -> _Line:
    place = f"line {number}"
    match = _LINE.fullmatch(row) if len(row) <= _ROW_CHARACTERS else None
    if match is None:
        raise FormatError(
            f"{row.strip()[:60]!r} is no track: number, LBA, type, sector size, file, offset",
            file=file,
            place=place,
        )
    track, lba, kind, size = map(int, match.group(1, 2, 3, 4))
    if kind not in _TYPES:
        raise FormatError(f"type {kind} is neither 0 (sound) nor 4 (data)", file=file, place=place)
    mode = _TYPES[kind]
    if size not in _SIZES or (mode is TrackMode.AUDIO and size != SECTOR_BYTES):
        raise FormatError(
            f"no such sectors of {size} bytes: sound has {SECTOR_BYTES}, data 2048, 2336 or "
            f"{SECTOR_BYTES}",
            file=file,
            place=place,
        )
    return _Line(
        line=number,
        number=track,
        lba=lba,
        mode=mode,
        size=size,
        name=match.group(5) or match.group(6),
        offset=int(match.group(7)),
    )


def _stretch(files: InputFiles, line: _Line, notes: list[Note]) -> StoredSectors:
    found = files.find(line.name, suffixes=_SUFFIXES, place=f"line {line.line}")
    if found.note is not None:
        notes.append(replace(found.note, line=line.line))
    reader = found.reader
    sectors, rest = divmod(reader.size - line.offset, line.size)
    if rest or sectors < 1:
        raise FormatError(
            f"{reader.size} bytes are from byte {line.offset} on no whole number of sectors of "
            f"{line.size} bytes; the file was cut short, or is another's",
            file=reader.name,
            place=f"line {line.line} of {files.name}",
        )
    sector_type = _SIZES[line.size] or KIND_OF_MODE[line.mode]
    if line.mode is not TrackMode.AUDIO and line.size == SECTOR_BYTES:
        header = header_at(reader, line.offset)
        if header is not None and not header.scrambled:
            sector_type = KIND_OF_MODE[header.mode]
    return StoredSectors(
        lba=line.lba,
        sectors=sectors,
        reader=reader,
        offset=line.offset,
        sector_type=sector_type,
        block_size=line.size,
    )


def _check_addresses(files: InputFiles, stretches: Sequence[StoredSectors]) -> None:
    last = max(stretch.end_lba for stretch in stretches) - 1
    if last > LAST_LBA:
        raise UnsupportedError(
            f"{files.name}: its tracks reach LBA {last}, and addresses on a CD end at {LAST_LBA}; "
            "a sheet of the tracks below LBA 45000 alone is what a CD drive sees of a GD-ROM"
        )


def _disc(lines: Sequence[_Line], stretches: Sequence[StoredSectors]) -> Disc:
    """Return the disc; what no file holds before a track is its pregap.

    Raises:
        ValueError: the tracks contradict each other.
    """
    areas: tuple[list[Track], list[Track]] = ([], [])
    for line, stretch in zip(lines, stretches, strict=True):
        area = areas[line.lba >= _HIGH_DENSITY_LBA]
        if area:
            first = area[-1].end_lba
        else:
            first = line.lba - PREGAP_SECTORS if line.lba >= _HIGH_DENSITY_LBA else PROGRAM_LBA
        indexes = [Index(number=0, lba=first), Index(number=1, lba=line.lba)]
        mode = TrackMode.AUDIO
        if line.mode is not TrackMode.AUDIO:
            mode = TrackMode(stretch.sector_type.mode or 0)
        area.append(
            Track(
                number=line.number,
                mode=mode,
                indexes=tuple(indexes[first == line.lba :]),
                end_lba=stretch.end_lba,
            )
        )
    parts = [
        (
            tracks,
            DiscType.XA
            if any(track.mode is TrackMode.MODE2 for track in tracks)
            else DiscType.CDDA_CDROM,
        )
        for tracks in areas
        if tracks
    ]
    return Disc(sessions=sessions_of(parts))
