"""What readcd and readom make with `-clone`, and cdrecord and wodim write with it.

`NAME` holds sectors of 2,448 bytes from LBA 0 to the lead-out: 2,352 with data sectors
unscrambled, 96 of subcode as on the disc. `NAME.toc` is the answer of READ TOC format 2, and two
bytes with the sector types of the first and the last track; cdrtools pads it to an even length.
MCN, ISRC, SCMS, pregaps and indexes are in the subcode alone. (Distrotech/cdrkit `wodim/clone.c`;
cdemu/cdemu `libmirage/images/image-readcd`.)
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePath
from typing import TYPE_CHECKING, Final

from rawcd.disc import TrackMode
from rawcd.errors import FormatError, UnsupportedError
from rawcd.recording import RECORDED, SUBCODE_FEATURES, told_by_subcode
from rawcd.source import SECTOR_BYTES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rawcd.disc import Disc
    from rawcd.features import Feature
    from rawcd.fileset import InputFiles, OutputFiles
    from rawcd.image import DiscImage, RegionImage
    from rawcd.progress import Progress
    from rawcd.recording import SheetTrack
    from rawcd.source import Reader
    from rawcd.toc import LeadIn

_TOC: Final = ".toc"
_SIZE: Final = SECTOR_BYTES + 96
_ITEM_BYTES: Final = 11
_LEAST_ITEMS: Final = 4
"""A0, A1, A2 and a track."""
_TAILS: Final = (0, 2, 3)
"""Bytes behind the table of contents: nothing, two sector types, and a byte of padding."""
_TOC_BYTES: Final = 2 + 0xFFFF + max(_TAILS)
_SURE: Final = 100
_BY_CONTENT_AND_NAME: Final = 95
_BY_CONTENT: Final = 60
_BY_NAME: Final = 30
_MODES: Final = {1: TrackMode.MODE0, 2: TrackMode.MODE1}
"""Bits 6 to 4 of a data track's sector type; what is above is mode 2 of some form."""
_SECTOR_TYPES: Final = {
    TrackMode.AUDIO: 0x00,  # CONTROL tells it
    TrackMode.MODE0: 0x11,
    TrackMode.MODE1: 0x21,
    TrackMode.MODE2: 0x32,
}


class CloneFormat:
    """Reads and writes such pairs; see `rawcd.plugins.Format`.

    Either file opens the pair. Readers and writers of it know one session.
    """

    name = "clone"
    suffixes = (".clone",)  # .toc is cdrdao's
    keeps = RECORDED
    one_file = False

    def keeps_for(self, image: DiscImage) -> frozenset[Feature]:
        """Return what is kept of an image: of what the subcode has to tell only what it does."""
        return (self.keeps - SUBCODE_FEATURES) | told_by_subcode(image)

    def accepts(self, name: str, head: bytes) -> int:
        """Answer by the table of contents, or by the name of the other file.

        The Q frames in that file look to other formats as if all of it were theirs.
        """
        if _is_toc(head):
            return _BY_CONTENT_AND_NAME if name.lower().endswith(_TOC) else _BY_CONTENT
        if name.lower().endswith(self.suffixes):
            return _SURE if len(head) >= _SIZE else _BY_NAME
        return 0

    def load(self, files: InputFiles) -> RegionImage:
        """Open a pair by either file.

        Raises:
            FormatError: the table of contents contradicts itself, or the other file is too short.
            StorageError: a file is missing or cannot be read.
        """
        from rawcd.recording import Sheet, Stored, recorded_image
        from rawcd.source import BlockSource
        from rawcd.toc import full_toc_size

        data_reader, toc_reader = _pair(files)
        if toc_reader.size > _TOC_BYTES:
            raise FormatError(
                f"{toc_reader.size} bytes are too many for a table of contents",
                file=toc_reader.name,
                place=f"offset {_TOC_BYTES}",
            )
        toc = bytearray(toc_reader.size)
        toc_reader.read_at(0, toc)
        lead_ins = _lead_ins(bytes(toc), toc_reader.name)
        size = full_toc_size(bytes(toc))
        held, rest = divmod(data_reader.size, _SIZE)
        needed = lead_ins[-1].lead_out_lba
        if held < needed:
            raise FormatError(
                f"has {held} sectors of {_SIZE} bytes and {rest} bytes, its table of contents "
                f"tells of {needed}; the file was cut short, or the table is another's",
                file=data_reader.name,
                place=f"offset {data_reader.size}",
            )
        main = BlockSource(data_reader, stride=_SIZE)
        sub = BlockSource(data_reader, offset=SECTOR_BYTES, block_size=96, stride=_SIZE)
        stored = []
        for place, lead_in in enumerate(lead_ins):
            first = min(lead_in.starts.values()) if place else 0
            count = lead_in.lead_out_lba - first
            if count <= 0 or first < 0:
                raise FormatError(
                    f"begins at LBA {first} and ends at {lead_in.lead_out_lba}",
                    file=toc_reader.name,
                    place=f"session {place + 1}",
                )
            stored.append(Stored(lba=first, sectors=count, main=main, sub=sub, start=first))
        sheet = Sheet(
            name=toc_reader.name, lead_ins=lead_ins, tracks=_modes(lead_ins, bytes(toc[size:]))
        )
        return recorded_image(sheet, stored)

    def save(
        self,
        image: DiscImage,
        files: OutputFiles,
        options: Mapping[str, str],
        progress: Progress | None,
    ) -> None:
        """Write the first session's sectors, and its table of contents.

        Raises:
            UnsupportedError: an option is unknown, or a track begins before LBA 0.
            StorageError: reading or writing failed.
        """
        from rawcd.pump import JOBS, jobs_of, pump
        from rawcd.pump.fills import PlainSectors
        from rawcd.recording import SUB, program_stretches, with_raw_subcode

        for option in options.keys() - {JOBS, SUB}:  # subcode is always there
            raise UnsupportedError(f"the format clone has no option {option!r}")
        data_name = files.name.removesuffix(_TOC)
        if not data_name:
            raise UnsupportedError(f"{files.name}: no name is left for the sectors")
        image = with_raw_subcode(image)
        disc = image.disc
        if len(disc.sessions) > 1:
            disc = replace(disc, sessions=disc.sessions[:1], appendable=False)
        ((first, end),) = program_stretches(disc)
        output = files.create(data_name)
        output.allocate((end - first) * _SIZE)
        pump(
            PlainSectors(image),
            first,
            end - first,
            output,
            width=_SIZE,
            jobs=jobs_of(options),
            progress=progress,
        )
        files.create(f"{data_name}{_TOC}").write(_toc_of(disc))


def _toc_of(disc: Disc) -> bytes:
    from rawcd.toc import scsi_full_toc

    types = [_SECTOR_TYPES[track.mode] for track in (disc.tracks[0], disc.tracks[-1])]
    return scsi_full_toc(disc) + bytes(types)


def _is_toc(head: bytes) -> bool:
    """Tell whether all of a file is a table of contents, of session 1 at first."""
    length = int.from_bytes(head[:2], "big")
    items, rest = divmod(length - 2, _ITEM_BYTES)
    whole = len(head) - 2 - length in _TAILS
    return whole and items >= _LEAST_ITEMS and not rest and head[2] == head[4] == 1


def _pair(files: InputFiles) -> tuple[Reader, Reader]:
    """Return the sectors and the table of contents, whichever of them was named."""
    name = PurePath(files.plain_name).name
    if name.lower().endswith(_TOC) and _is_toc(files.head()):
        return files.find(name[: -len(_TOC)]).reader, files.reader
    return files.reader, files.find(f"{name}{_TOC}").reader


def _lead_ins(toc: bytes, name: str) -> Sequence[LeadIn]:
    from rawcd.toc import LeadIn, parse_full_toc

    try:
        sessions = parse_full_toc(toc)
        lead_ins = [LeadIn.of(pointers) for pointers in sessions.values()]
    except FormatError as error:
        raise FormatError(error.reason, file=name, place=error.place) from error
    if list(sessions) != list(range(1, len(sessions) + 1)) or not sessions:
        raise FormatError(
            f"has items of sessions {list(sessions) or 'none'}", file=name, place="offset 4"
        )
    return lead_ins


def _modes(lead_ins: Sequence[LeadIn], types: bytes) -> dict[int, SheetTrack]:
    """Return what the sector types behind the table say of the first and the last track."""
    from rawcd.recording import SheetTrack

    if len(types) < 2:
        return {}
    told = {max(lead_ins[-1].starts): types[1], min(lead_ins[0].starts): types[0]}
    return {
        number: SheetTrack(mode=_MODES.get(kind >> 4 & 7, TrackMode.MODE2))
        for number, kind in told.items()
        if kind
    }
