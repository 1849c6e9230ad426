"""An MDS as a disc and the places of its sectors."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final

import construct

from rawcd.disc import TrackMode
from rawcd.errors import FormatError
from rawcd.image import Note
from rawcd.recording import Sheet, SheetTrack, Stored
from rawcd.sector import SectorType
from rawcd.source import SECTOR_BYTES, BlockSource, BytesPart, JoinedBytes
from rawcd.subcode.frame import POINT_FIRST_TRACK
from rawcd.subcode.rows import PW96_BYTES
from rawcd.toc import LeadIn, pointer_of
from rawcd_formats.mds import layout

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rawcd.fileset import InputFiles
    from rawcd.source import Reader
    from rawcd.subcode.frame import QPointer

_DVD: Final = 0x10
_MOST: Final = 99
"""Sessions of a disc, and files of a track; more are nobody's."""
_NAME_BYTES: Final = 2 * 1024
_WHOLE: Final = (SECTOR_BYTES, SECTOR_BYTES + PW96_BYTES)
_USER: Final = {
    (layout.MODE1, 2048): SectorType.MODE1,
    (layout.FORM1, 2048): SectorType.MODE2FORM1,
    (layout.FORM2, 2324): SectorType.MODE2FORM2,
}
"""What sectors without all of their bytes are; those of mode 2 follow by their size."""
_MODE2: Final = {
    2048: SectorType.MODE2FORM1,
    2324: SectorType.MODE2FORM2,
    2332: SectorType.MODE2MIXED,
    2336: SectorType.MODE2FORM0,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MdsReading:
    """What an MDS says, and where the sectors are."""

    sheet: Sheet
    stored: tuple[Stored, ...]
    notes: tuple[Note, ...]


def read(data: bytes, files: InputFiles) -> MdsReading:
    """Read an MDS.

    Args:
        data: its bytes.
        files: finds the files that it names.

    Raises:
        FormatError: it contradicts itself, is encrypted or of a DVD, or a file is too short.
        StorageError: a file is missing.
    """
    return _Reader(data, files).read()


class _Reader:
    """One reading of an MDS."""

    def __init__(self, data: bytes, files: InputFiles) -> None:
        self._data = data
        self._files = files
        self._name = files.name
        self._notes: list[Note] = []
        self._found: dict[tuple[str, ...], Reader] = {}
        self._ends: dict[str, int] = {}
        """How far each file has been accounted for."""

    def _error(self, reason: str, at: int | None = None) -> FormatError:
        place = None if at is None else f"offset {at}"
        return FormatError(reason, file=self._name, place=place)

    def _part(self, what: str, struct: construct.Construct[Any, Any], at: int) -> Any:
        try:
            return struct.parse(self._data[at : at + struct.sizeof()])
        except construct.ConstructError as error:
            raise self._error(f"{what} reaches beyond the {len(self._data)} bytes", at) from error

    def read(self) -> MdsReading:
        header = self._part("its header", layout.HEADER, 0)
        if header.signature != layout.SIGNATURE:
            raise self._error("has no signature of an MDS", 0)
        if header.major != 1:
            raise self._error(
                f"version {header.major}.{header.minor} is unknown or encrypted; 1.x can be read",
                16,
            )
        if header.medium >= _DVD:
            raise self._error(f"is of a DVD (medium {header.medium:02X}h), not of a CD", 18)
        if not 1 <= header.sessions <= _MOST:
            raise self._error(f"{header.sessions} sessions", 20)
        if header.dpm_at:
            self._note("dpm", "measured data positions (DPM) have no place in an image; left out")
        lead_ins: list[LeadIn] = []
        tracks: dict[int, SheetTrack] = {}
        stored: list[Stored] = []
        for number in range(header.sessions):
            at = header.sessions_at + number * layout.SESSION.sizeof()
            self._read_session(at, lead_ins, tracks, stored)
        sheet = Sheet(name=self._name, lead_ins=lead_ins, tracks=tracks)
        return MdsReading(
            sheet=sheet,
            stored=tuple(sorted(stored, key=lambda each: each.lba)),
            notes=tuple(self._notes),
        )

    def _note(self, code: str, message: str, track: int | None = None) -> None:
        self._notes.append(Note(code=code, message=message, track=track, file=self._name))

    def _read_session(
        self,
        at: int,
        lead_ins: list[LeadIn],
        tracks: dict[int, SheetTrack],
        stored: list[Stored],
    ) -> None:
        session = self._part("a session", layout.SESSION, at)
        places = [session.blocks_at + i * layout.BLOCK.sizeof() for i in range(session.blocks)]
        blocks = [(place, self._part("a track block", layout.BLOCK, place)) for place in places]
        try:
            lead_in = LeadIn.of(self._pointer(place, block) for place, block in blocks)
        except FormatError as error:
            if error.file is not None:
                raise
            raise self._error(error.reason, at) from error
        lead_ins.append(lead_in)
        own = [(place, block) for place, block in blocks if block.point < POINT_FIRST_TRACK]
        own.sort(key=lambda each: each[1].point)
        for place, block in own:
            leads = block.point == min(lead_in.starts)
            pregap, sectors = self._extent(place, block, lead_in)
            indexes: dict[int, int] = {}
            if leads and len(lead_ins) > 1:
                indexes[0] = session.first
            elif pregap and not leads:
                indexes[0] = lead_in.starts[block.point] - pregap
            mode = _mode_of(block.mode)
            tracks[block.point] = SheetTrack(mode=mode, indexes=indexes)
            stored.extend(self._stored(place, block, pregap, sectors))

    def _pointer(self, at: int, block: Any) -> QPointer:
        try:
            return pointer_of(
                adr_control=block.adr_control if block.adr_control >> 4 else block.adr_control | 16,
                point=block.point,
                running=block.running if block.adr_control >> 4 == 5 else bytes(3),
                zero=block.zero,
                value=block.value,
            )
        except FormatError as error:
            raise self._error(error.reason, at) from error

    def _extent(self, at: int, block: Any, lead_in: LeadIn) -> tuple[int, int]:
        """Return a track's pregap and length; without an extent it goes on to the next one."""
        if block.extent_at:
            extent = self._part("an extent", layout.EXTENT, block.extent_at)
            return extent.pregap, extent.sectors
        end = lead_in.starts.get(block.point + 1, lead_in.lead_out_lba)
        if end <= block.lba:
            raise self._error(f"track {block.point} has no length", at)
        return 0, end - block.lba

    def _stored(self, at: int, block: Any, pregap: int, sectors: int) -> list[Stored]:
        """Return the sectors of a track, and as many of its pregap as lie before them."""
        size, width = block.sector_bytes, block.sector_bytes
        if block.subcode not in (layout.NO_SUBCODE, layout.RAW_SUBCODE):
            raise self._error(f"subcode of kind {block.subcode:02X}h is unknown", at)
        has_sub = block.subcode == layout.RAW_SUBCODE or size == _WHOLE[1]
        if has_sub:
            width -= PW96_BYTES
        kind = _USER.get((block.mode & layout.MODE_BITS, width), _MODE2.get(width))
        if width == SECTOR_BYTES:
            kind = None
        elif kind is None or _mode_of(block.mode) is TrackMode.AUDIO:
            raise self._error(f"sectors of {size} bytes are unknown in mode {block.mode:02X}h", at)
        reader = self._reader(at, block)
        ahead = self._ahead(reader, block, pregap, size)
        offset = block.offset - ahead * size
        held = max(reader.size - offset, 0) // size
        if held < ahead + sectors:
            raise FormatError(
                f"has {held} sectors of {size} bytes from byte {offset} on; track {block.point} "
                f"needs {ahead + sectors}: the file was cut short, or the MDS is another's",
                file=reader.name,
                place=f"offset {reader.size}",
            )
        self._ends[reader.name] = block.offset + sectors * size
        if not ahead + sectors:
            return []
        count = ahead + sectors
        main = BlockSource(reader, offset=offset, block_size=width, stride=size, block_count=count)
        sub = None
        if has_sub:
            sub = BlockSource(
                reader,
                offset=offset + width,
                block_size=PW96_BYTES,
                stride=size,
                block_count=count,
            )
        return [Stored(lba=block.lba - ahead, sectors=count, main=main, sub=sub, sector_type=kind)]

    def _ahead(self, reader: Reader, block: Any, pregap: int, size: int) -> int:
        """Return how many sectors of a pregap lie in the file right before the track."""
        skipped: int = block.offset - self._ends.get(reader.name, 0)
        ahead, rest = divmod(max(skipped, 0), size)
        if skipped and (rest or ahead > pregap or skipped < 0):
            if skipped > 0:
                self._note(
                    "skipped-bytes",
                    f"{skipped} bytes before the track's first sector were left out",
                    block.point,
                )
            return 0
        return ahead

    # -- the files -------------------------------------------------------------------------------

    def _reader(self, at: int, block: Any) -> Reader:
        if not 1 <= block.files <= _MOST:
            raise self._error(f"track {block.point} lies in {block.files} files", at)
        names = tuple(
            self._name_at(block.names_at + i * layout.NAME.sizeof()) for i in range(block.files)
        )
        if names not in self._found:
            readers = [self._find(name, block.names_at) for name in names]
            self._found[names] = _joined(readers)
        return self._found[names]

    def _name_at(self, at: int) -> str:
        entry = self._part("a file name", layout.NAME, at)
        raw = self._data[entry.name_at : entry.name_at + _NAME_BYTES]
        if entry.wide:
            text = raw[: len(raw) & ~1].decode("utf-16-le", "replace")
        else:
            text = raw.decode("utf-8", "replace")
        name, end, _ = text.partition("\0")
        if not name or (not end and len(raw) == _NAME_BYTES):
            raise self._error("a file name is empty or has no end", entry.name_at)
        return name

    def _find(self, name: str, at: int) -> Reader:
        suffix = PurePath(name).suffix
        if name == f"*{suffix}":  # the MDS' own name: what Alcohol writes
            name = f"{PurePath(self._name).stem}{suffix}"
        found = self._files.find(name, suffixes=(".mdf",), place=f"offset {at}")
        if found.note is not None:
            self._notes.append(found.note)
        return found.reader


def _joined(readers: Sequence[Reader]) -> Reader:
    if len(readers) == 1:
        return readers[0]
    return JoinedBytes([BytesPart(reader=each, start=0, count=each.size) for each in readers])


def _mode_of(mode: int) -> TrackMode:
    bits = mode & layout.MODE_BITS
    if bits == layout.AUDIO:
        return TrackMode.AUDIO
    return TrackMode.MODE1 if bits == layout.MODE1 else TrackMode.MODE2
