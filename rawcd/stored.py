"""What a file of tracks holds, laid onto a disc: stretches of stored sectors, and sessions.

Files of tracks store some stretches of a disc and leave the rest out: lead-in, lead-out, often
the first pregap. `lay_out` puts the stretches where they belong and makes what lies between.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from rawcd.disc import (
    FIRST_LEAD_OUT_SECTORS,
    IMAGE_LEAD_IN_LBA,
    LATER_LEAD_IN_SECTORS,
    LATER_LEAD_OUT_SECTORS,
    CopySetting,
    DiscType,
    Session,
    TrackMode,
)
from rawcd.errors import FormatError
from rawcd.image import MainForm, Region, RegionImage, SubForm, SubRegion, blanks
from rawcd.msf import Msf
from rawcd.sector import SYNC, SectorType
from rawcd.source import SECTOR_BYTES, BlockSource

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rawcd.disc import Disc, Track
    from rawcd.image import Note
    from rawcd.source import Reader

_PQ16_BYTES: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSectors:
    """Sectors that lie one behind the other in a file.

    Attributes:
        lba: the first one's address.
        sectors: how many.
        reader: the file.
        offset: the first one's byte in the file.
        sector_type: what the blocks hold.
        block_size: bytes of a block's main channel; 2,352 bytes of data are whole sectors.
        sub_bytes: bytes of subcode behind each: none, 16 (P and Q) or 96 (P-W interleaved).
        scrambled: whole data sectors lie there as on the disc.
    """

    lba: int
    sectors: int
    reader: Reader
    offset: int = 0
    sector_type: SectorType
    block_size: int = SECTOR_BYTES
    sub_bytes: int = 0
    scrambled: bool = False

    @property
    def end_lba(self) -> int:
        """One past the last sector."""
        return self.lba + self.sectors

    @property
    def stride(self) -> int:
        """Bytes from one sector to the next."""
        return self.block_size + self.sub_bytes

    def part(self, lba: int, end: int) -> StoredSectors:
        """Return the sectors from `lba` to `end`, which it holds."""
        skipped = (lba - self.lba) * self.stride
        return replace(self, lba=lba, sectors=end - lba, offset=self.offset + skipped)

    def _region(self, form: MainForm) -> Region:
        source = BlockSource(
            self.reader,
            offset=self.offset,
            block_size=self.block_size,
            stride=self.stride,
            block_count=self.sectors,
        )
        return Region(
            lba=self.lba,
            sectors=self.sectors,
            form=form,
            source=source,
            sector_type=None if form in (MainForm.DISC, MainForm.READ) else self.sector_type,
        )

    def regions(self, disc: Disc) -> Iterator[Region]:
        """Yield what it holds, for a disc that it belongs to.

        Files store the pregap of a data track as data sectors, or as silence where the track
        before is sound: each sector of it is taken for what it is, on discs that have data.
        """
        if self.block_size != SECTOR_BYTES:
            yield self._region(MainForm.USER)
            return
        if self.scrambled or all(track.is_audio for track in disc.tracks):
            yield self._region(MainForm.DISC)
            return
        form = MainForm.DISC if self.sector_type is SectorType.AUDIO else MainForm.PLAIN
        position = self.lba
        for track in disc.tracks:
            start, stop = max(track.first_lba, self.lba), min(track.start_lba, self.end_lba)
            if start >= stop:
                continue
            if position < start:
                yield self.part(position, start)._region(form)
            yield self.part(start, stop)._region(MainForm.READ)
            position = stop
        if position < self.end_lba:
            yield self.part(position, self.end_lba)._region(form)

    def sub_region(self) -> SubRegion | None:
        """Return its subcode; None where it has none."""
        if not self.sub_bytes:
            return None
        source = BlockSource(
            self.reader,
            offset=self.offset + self.block_size,
            block_size=self.sub_bytes,
            stride=self.stride,
            block_count=self.sectors,
        )
        form = SubForm.PQ16 if self.sub_bytes == _PQ16_BYTES else SubForm.RAW
        return SubRegion(lba=self.lba, sectors=self.sectors, form=form, source=source)


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What the first sixteen bytes of a data sector say.

    Attributes:
        lba: its address.
        mode: its mode.
        scrambled: it was found as on the disc.
    """

    lba: int
    mode: TrackMode
    scrambled: bool = False


def header_at(reader: Reader, offset: int) -> Header | None:
    """Return the header of the data sector that begins at a byte; None where none does.

    Raises:
        StorageError: the file cannot be read.
    """
    from rawcd.sector import scramble

    if not 0 <= offset <= reader.size - SECTOR_BYTES:
        return None
    sector = bytearray(SECTOR_BYTES)
    reader.read_at(offset, sector)
    found = _header(bytes(sector))
    if found is None:
        found = _header(scramble(sector).tobytes())
        return None if found is None else replace(found, scrambled=True)
    return found


def _header(sector: bytes) -> Header | None:
    """Read a header: sync, three BCD bytes, mode (ECMA-130 14; bits 7 to 5 tell link blocks)."""
    address, mode = sector[12:15], sector[15] & 0x1F
    if not sector.startswith(SYNC) or mode > TrackMode.MODE2 or not address.hex().isdecimal():
        return None
    try:
        lba = Msf(*(int(f"{byte:02x}") for byte in address)).to_lba()
    except ValueError:
        return None
    return Header(lba=lba, mode=TrackMode(mode))


KIND_OF_MODE: Final = {
    TrackMode.AUDIO: SectorType.AUDIO,
    TrackMode.MODE0: SectorType.MODE_ZERO,
    TrackMode.MODE1: SectorType.MODE1,
    TrackMode.MODE2: SectorType.MODE2FORM0,
}
"""How whole sectors of a track are taken: nothing in them is questioned."""


def lay_out(
    disc: Disc, stretches: Iterable[StoredSectors], *, file: str, notes: Sequence[Note] = ()
) -> RegionImage:
    """Return the image of a disc of which a file holds some stretches.

    Args:
        disc: the disc.
        stretches: what is stored, in any order.
        file: the file that says so, for messages.
        notes: the image's.

    Raises:
        FormatError: a stretch lies outside its file or the disc, two overlap, or sectors of a
            track are missing behind its index 1.
        StorageError: a file cannot be read.
    """
    held = sorted((each for each in stretches if each.sectors), key=lambda each: each.lba)
    for each in held:
        _check_inside(each, disc, file)
    for before, after in pairwise(held):
        if after.lba < before.end_lba:
            raise FormatError(
                f"the sectors up to LBA {min(before.end_lba, after.end_lba) - 1} are stored twice",
                file=file,
                place=f"LBA {after.lba}",
            )
    _check_complete(disc, held, file)
    main: list[Region] = []
    sub: list[SubRegion] = []
    position = disc.first_lba
    for each in held:
        main += blanks(disc, position, each.lba)
        main += each.regions(disc)
        if (stored := each.sub_region()) is not None:
            sub += _made(sub[-1].lba + sub[-1].sectors if sub else disc.first_lba, each.lba)
            sub.append(stored)
        position = each.end_lba
    main += blanks(disc, position, disc.end_lba)
    sub += _made(sub[-1].lba + sub[-1].sectors if sub else disc.first_lba, disc.end_lba)
    return RegionImage(disc=disc, main=tuple(main), sub=tuple(sub), notes=tuple(notes))


def _made(lba: int, end: int) -> Iterator[SubRegion]:
    if lba < end:
        yield SubRegion(lba=lba, sectors=end - lba, form=SubForm.MADE)


def _check_inside(each: StoredSectors, disc: Disc, file: str) -> None:
    end = each.offset + each.sectors * each.stride
    if each.offset < 0 or end > each.reader.size:
        raise FormatError(
            f"the sectors at LBA {each.lba} to {each.end_lba - 1} would end at byte {end}; "
            f"{each.reader.name} has {each.reader.size}; it was cut short",
            file=file,
            place=f"offset {each.offset}",
        )
    if each.lba < disc.first_lba or each.end_lba > disc.end_lba:
        raise FormatError(
            f"sectors at LBA {each.lba} to {each.end_lba - 1} are stored, and the disc goes "
            f"from {disc.first_lba} to {disc.end_lba - 1}",
            file=file,
            place=f"offset {each.offset}",
        )


def _check_complete(disc: Disc, held: Sequence[StoredSectors], file: str) -> None:
    """Refuse tracks of which sectors are missing; pregaps may be made."""
    for track in disc.tracks:
        position = track.start_lba
        for each in held:
            if each.lba <= position < each.end_lba:
                position = each.end_lba
        if position < track.end_lba:
            raise FormatError(
                f"it goes from LBA {track.start_lba} to {track.end_lba - 1}, and what is stored "
                f"of it ends before LBA {position}",
                file=file,
                place=f"track {track.number}",
            )


def with_control(track: Track, control: int) -> Track:
    """Return a track with the flags of a CONTROL nibble; its mode tells whether it is data."""
    return replace(
        track,
        copy=CopySetting.PERMITTED if control & 2 else CopySetting.PROHIBITED,
        pre_emphasis=bool(control & 1),
        four_channel=bool(control & 8),
    )


def further_program_lba(lead_out_lba: int, sessions: int) -> int:
    """Return where a further session's program area begins by rule (Orange Book part II).

    Args:
        lead_out_lba: start of the last session's lead-out.
        sessions: how many there are before it.
    """
    return lead_out_lba + _usual_lead_out(sessions) + LATER_LEAD_IN_SECTORS


def _usual_lead_out(number: int) -> int:
    return FIRST_LEAD_OUT_SECTORS if number == 1 else LATER_LEAD_OUT_SECTORS


def sessions_of(parts: Sequence[tuple[Sequence[Track], DiscType]]) -> tuple[Session, ...]:
    """Return the sessions of tracks whose addresses are known.

    Lead-outs have their usual length, and lead-ins what is left between them and the program
    area that follows; where too little is left for that, the lead-in has one sector.

    Args:
        parts: the tracks of each session, and its disc type.

    Raises:
        ValueError: the tracks contradict each other.
    """
    sessions: list[Session] = []
    for number, (tracks, disc_type) in enumerate(parts, 1):
        if not tracks:
            raise ValueError(f"session {number} has no track")
        lead_out = tracks[-1].end_lba
        sectors = _usual_lead_out(number)
        if number < len(parts) and (following := parts[number][0]):
            sectors = min(sectors, following[0].first_lba - lead_out - 1)
        sessions.append(
            Session(
                tracks=tuple(tracks),
                lead_in_lba=sessions[-1].end_lba if sessions else IMAGE_LEAD_IN_LBA,
                lead_out_lba=lead_out,
                lead_out_sectors=sectors,
                disc_type=disc_type,
            )
        )
    return tuple(sessions)
