"""Dumps by redumper: `.scram` and what lies beside it.

| file | holds |
| --- | --- |
| `.scram` | samples as the drive read them, data sectors scrambled, from LBA -45,150 on |
| `.subcode` | 96 bytes a sector over the same stretch, P-W interleaved; zeros where none was read |
| `.fulltoc` | the answer of READ TOC format 2; `.toc`: of format 0, with LBAs |
| `.cdtext` | the answer of READ TOC format 5 |

The drive's read offset is corrected in it, the disc's own write offset is not: sectors do not begin
where their number says. The syncs of the first data track tell by how many samples; of a disc of
sound alone nobody can tell, and it is taken as it is. (superg/redumper: README, cd_dump, cd_split.)
What `.state` says of single samples is not asked.
"""

from __future__ import annotations

import errno
from collections import Counter
from typing import TYPE_CHECKING, Final

from rawcd.disc import (
    FIRST_LEAD_OUT_SECTORS,
    IMAGE_LEAD_IN_LBA,
    LATER_LEAD_OUT_SECTORS,
    PREGAP_SECTORS,
)
from rawcd.errors import FormatError, StorageError
from rawcd.image import Note
from rawcd.msf import FIRST_LBA, PROGRAM_LBA
from rawcd.recording import SHEET_BYTES, Sheet, Stored, recorded_image
from rawcd.sector import SYNC
from rawcd.source import SAMPLE_BYTES, SECTOR_BYTES, BlockSource
from rawcd.stored import header_at
from rawcd.subcode.frame import LEAD_OUT_TNO
from rawcd.toc import LeadIn, parse_full_toc, parse_scsi_toc
from rawcd_formats.readonly import ReadOnly

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rawcd.cdtext import CDText
    from rawcd.fileset import InputFiles
    from rawcd.image import RegionImage
    from rawcd.source import Reader, Source

_SUB_BYTES: Final = 96
_DATA: Final = 4
"""The bit of CONTROL that tells data from sound."""
_PROBED_SECTORS: Final = 16
_MOST_OFFSET: Final = 150 * SECTOR_BYTES
_BASE_LBA: Final = FIRST_LBA + 150
"""What lies before is no disc's; so a sector may begin that much before its place in the file."""
_BY_NAME: Final = 70


class ScramFormat(ReadOnly):
    """Reads redumper's dumps; see `rawcd.plugins.Format`."""

    name = "scram"
    suffixes = (".scram",)
    one_file = False

    def accepts(self, name: str, head: bytes) -> int:
        """Answer by the name: such files begin with minutes of nothing."""
        del head
        return _BY_NAME if name.lower().endswith(self.suffixes) else 0

    def load(self, files: InputFiles) -> RegionImage:
        """Open a dump and the files of its name beside it.

        Raises:
            FormatError: a file is not what it should be, or they contradict each other.
            StorageError: there is no table of contents beside it, or a file cannot be read.
        """
        notes: list[Note] = []
        try:
            lead_ins = _lead_ins(files, notes)
        except ValueError as error:
            if isinstance(error, FormatError) and error.file is not None:
                raise
            reason = error.reason if isinstance(error, FormatError) else str(error)
            place = "table of contents"
            raise FormatError(
                f"its table of contents: {reason}", file=files.name, place=place
            ) from error
        main = _main(files.reader, lead_ins, notes)
        sub = _subcode(files, notes)
        sheet = Sheet(
            name=files.name,
            lead_ins=lead_ins,
            cdtext=_cdtext(files, lead_ins[0], notes),
            scrambled=True,
        )
        return recorded_image(sheet, _stored(files.name, lead_ins, main, sub), notes)


def _beside(files: InputFiles, suffix: str) -> Reader | None:
    """Return the file of the dump's name with another suffix; None where there is none."""
    try:
        return files.find(f"{files.stem}{suffix}").reader
    except StorageError as error:
        if error.errno == errno.ENOENT:
            return None
        raise


def _bytes_beside(files: InputFiles, suffix: str) -> bytes | None:
    reader = _beside(files, suffix)
    if reader is None:
        return None
    if reader.size > SHEET_BYTES:
        raise FormatError(
            f"{reader.size} bytes are too many", file=reader.name, place=f"offset {SHEET_BYTES}"
        )
    data = bytearray(reader.size)
    reader.read_at(0, data)
    return bytes(data)


def _lead_ins(files: InputFiles, notes: list[Note]) -> list[LeadIn]:
    """Return what the tables of contents say, session by session.

    Some drives answer format 2 wrongly: of one session format 0 is believed.
    """
    full, short = _bytes_beside(files, ".fulltoc"), _bytes_beside(files, ".toc")
    lead_ins = []
    if full is not None:
        pointers = parse_full_toc(full)
        lead_ins = [LeadIn.of(pointers[number]) for number in sorted(pointers)]
    if short is not None and len(lead_ins) < 2:
        own = _short_lead_in(short)
        if not lead_ins:
            return [own]
        (whole,) = lead_ins
        told = (own.controls, own.starts, own.lead_out_lba)
        if told != (whole.controls, whole.starts, whole.lead_out_lba):
            notes.append(
                Note(
                    code="toc-differs",
                    message=".toc and .fulltoc tell of different tracks; .toc was taken",
                    file=files.name,
                )
            )
            return [own]
    if not lead_ins:
        raise StorageError(
            "neither .fulltoc nor .toc of its name is beside it, and without one nothing tells "
            "of tracks",
            file=files.name,
            errno=errno.ENOENT,
        )
    return lead_ins


def _short_lead_in(data: bytes) -> LeadIn:
    items = parse_scsi_toc(data)
    if len(items) < 2 or items[-1].track != LEAD_OUT_TNO:
        raise FormatError("its .toc has no track, or no lead-out at its end")
    tracks = items[:-1]
    if [item.track for item in tracks] != list(
        range(tracks[0].track, tracks[0].track + len(tracks))
    ):
        raise FormatError("the track numbers of its .toc do not rise by one")
    return LeadIn(
        controls={item.track: item.control for item in tracks},
        starts={item.track: item.lba for item in tracks},
        lead_out_lba=items[-1].lba,
    )


def _main(reader: Reader, lead_ins: Sequence[LeadIn], notes: list[Note]) -> BlockSource:
    """Return the sectors, the first one being `_BASE_LBA`."""
    offset = _write_offset(reader, lead_ins)
    if offset is None:
        notes.append(
            Note(
                code="write-offset",
                message="no data sector tells where sectors begin; its samples were taken as they "
                "are",
                file=reader.name,
            )
        )
    elif offset:
        notes.append(
            Note(
                code="write-offset",
                message=f"its sectors begin {offset // SAMPLE_BYTES} samples off their place and "
                "were moved there",
                file=reader.name,
            )
        )
    first = (_BASE_LBA - FIRST_LBA) * SECTOR_BYTES + (offset or 0)
    source = BlockSource(reader, offset=first, pad=True)
    lead_out = lead_ins[-1].lead_out_lba
    if source.block_count + _BASE_LBA < lead_out:
        raise FormatError(
            f"ends before LBA {source.block_count + _BASE_LBA}, and the lead-out begins at "
            f"{lead_out}; the file was cut short",
            file=reader.name,
            place=f"offset {reader.size}",
        )
    return source


def _write_offset(reader: Reader, lead_ins: Sequence[LeadIn]) -> int | None:
    """Return how many bytes behind their place sectors begin, as most headers tell it.

    Each data track is asked until one answers; two sectors at least have to agree.
    """
    for lead_in in lead_ins:
        for number, start in lead_in.starts.items():
            if lead_in.controls[number] & _DATA:
                votes = Counter(_offsets_around(reader, start))
                if votes and (best := votes.most_common(1)[0])[1] > 1:
                    return best[0]
    return None


def _offsets_around(reader: Reader, lba: int) -> Iterator[int]:
    """Yield the offset that each scrambled header near a sector's place tells."""
    begin = max((lba - FIRST_LBA) * SECTOR_BYTES - _PROBED_SECTORS * SECTOR_BYTES, 0)
    held = bytearray(max(0, min(3 * _PROBED_SECTORS * SECTOR_BYTES, reader.size - begin)))
    reader.read_at(begin, held)
    at = held.find(SYNC)
    while at >= 0:
        header = header_at(reader, begin + at)
        if header is not None and header.scrambled:
            offset = begin + at - (header.lba - FIRST_LBA) * SECTOR_BYTES
            if abs(offset) <= _MOST_OFFSET and offset % SAMPLE_BYTES == 0:
                yield offset
        at = held.find(SYNC, at + 1)


def _subcode(files: InputFiles, notes: list[Note]) -> BlockSource | None:
    """Return the subcode, the first block being that of `_BASE_LBA`."""
    reader = _beside(files, ".subcode")
    if reader is None:
        notes.append(
            Note(
                code="no-subcode",
                message="there is no .subcode file; the subcode is made of what the table of "
                "contents says",
                file=files.name,
            )
        )
        return None
    skipped = (_BASE_LBA - FIRST_LBA) * _SUB_BYTES
    return BlockSource(reader, offset=skipped, block_size=_SUB_BYTES)


def _cdtext(files: InputFiles, lead_in: LeadIn, notes: list[Note]) -> CDText | None:
    data = _bytes_beside(files, ".cdtext")
    if data is None:
        return None
    from rawcd.cdtext import packs_of_cdt, read_packs

    name = f"{files.stem}.cdtext"
    try:
        reading = read_packs(packs_of_cdt(data))
    except FormatError as error:
        raise FormatError(error.reason, file=name, place=error.place) from error
    notes += [
        Note(code="cdtext-damaged", message=f"CD-TEXT: {defect}", file=name)
        for defect in reading.defects
    ]
    if reading.cdtext is None:
        return None
    return reading.cdtext.of_tracks(min(lead_in.starts), max(lead_in.starts))


def _stored(
    name: str, lead_ins: Sequence[LeadIn], main: BlockSource, sub: BlockSource | None
) -> list[Stored]:
    """Return what was read of each session: its tracks, and around them what has subcode.

    Raises:
        FormatError: the sessions contradict each other.
    """
    stored: list[Stored] = []
    file_end = main.block_count + _BASE_LBA
    for place, lead_in in enumerate(lead_ins):
        start, end = min(lead_in.starts.values()), lead_in.lead_out_lba
        before = stored[-1].end if stored else IMAGE_LEAD_IN_LBA
        if not before <= start < end:
            raise FormatError(
                f"it would go from LBA {start} to {end}, behind LBA {before}",
                file=name,
                place=f"session {place + 1}",
            )
        first, after = min(start, 0) if place == 0 else start, end
        if sub is not None:
            first -= _trailing(_has_subcode(sub, _earliest(lead_in, place, before, start), first))
            after += _trailing(_has_subcode(sub, end, _latest(lead_ins, place, file_end))[::-1])
        known = first if sub is None else min(max(sub.block_count + _BASE_LBA, first), after)
        whole, bare = _part(main, sub, first, known), _part(main, None, known, after)
        stored += [each for each in (whole, bare) if each.sectors > 0]
    return stored


def _earliest(lead_in: LeadIn, place: int, before: int, start: int) -> int:
    """Return the first sector before a session's tracks that may have been read."""
    if place:
        return max(before, start - PREGAP_SECTORS)
    told = lead_in.first_lead_in_lba
    if told is None or not FIRST_LBA <= told < PROGRAM_LBA:
        return IMAGE_LEAD_IN_LBA
    return max(told, _BASE_LBA)


def _latest(lead_ins: Sequence[LeadIn], place: int, file_end: int) -> int:
    """Return where the sectors of a lead-out that may have been read end."""
    end = lead_ins[place].lead_out_lba
    usual = LATER_LEAD_OUT_SECTORS if place else FIRST_LEAD_OUT_SECTORS
    latest = min(end + usual, file_end)
    if place + 1 < len(lead_ins):
        following = min(lead_ins[place + 1].starts.values()) - PREGAP_SECTORS
        latest = min(latest, (end + following) // 2)  # the room that its lead-out gets at least
    return latest


def _part(main: BlockSource, sub: Source | None, first: int, end: int) -> Stored:
    """Return sectors with their subcode, the two counted from one and the same block on."""
    return Stored(
        lba=first,
        sectors=end - first,
        main=main,
        sub=sub,
        start=first - _BASE_LBA,
    )


def _has_subcode(sub: BlockSource, lba: int, end: int) -> list[bool]:
    """Tell of which sectors of a stretch subcode was read."""
    import numpy as np

    count = max(0, min(end, sub.block_count + _BASE_LBA) - lba)
    rows = np.frombuffer(sub.read(lba - _BASE_LBA, count), np.uint8).reshape(count, _SUB_BYTES)
    flags = [bool(flag) for flag in np.bitwise_or.reduce(rows, axis=1)]
    return flags + [False] * (max(end - lba, 0) - count)


def _trailing(flags: Sequence[bool]) -> int:
    """Return how many flags are set at the end."""
    count = 0
    for flag in reversed(flags):
        if not flag:
            break
        count += 1
    return count
