"""An image as a TOC file and one BIN: what cdrdao reads as the same disc.

The BIN holds whole sectors from LBA 0 to the lead-out, of sound high byte first, as cdrdao has
it. A track with R-W subcode has 96 bytes more behind each sector (RW_RAW; RW where the image is
COOKED), the others have not: a sector is 2,448 bytes or 2,352.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Final

from rawcd.disc import CopySetting, DiscType, TrackMode
from rawcd.errors import UnsupportedError
from rawcd.image import ImageType, RegionImage, first_rw_lba
from rawcd.progress import part_of
from rawcd.pump import JOBS, PlainMain, WholeSectors, jobs_of, pump
from rawcd.source import SECTOR_BYTES
from rawcd_formats.toc import values as toc
from rawcd_formats.toc.cdtext import Sections, sections_of
from rawcd_formats.toc.grammar import build
from rawcd_formats.toc.modes import AUDIO, RW, RW_RAW, SUB_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rawcd.disc import Disc, Session, Track
    from rawcd.fileset import OutputFiles
    from rawcd.image import DiscImage
    from rawcd.msf import Msf
    from rawcd.progress import Progress
    from rawcd.pump.fills import Fill
    from rawcd.source import Bytes2D

_STEP: Final = 1024
"""Sectors looked at in one go."""
_MODES: Final = {
    TrackMode.AUDIO: AUDIO,
    TrackMode.MODE0: "MODE1_RAW",  # tracks have no word for mode 0; the headers still tell it
    TrackMode.MODE1: "MODE1_RAW",
    TrackMode.MODE2: "MODE2_RAW",
}


@dataclass(frozen=True, slots=True)
class _Plan:
    """A track in the BIN: its sectors, its subcode, and where its first byte lies."""

    track: Track
    first: int
    subchannel: str | None
    offset: int

    @property
    def sectors(self) -> int:
        return self.track.end_lba - self.first

    @property
    def width(self) -> int:
        return SECTOR_BYTES + (SUB_BYTES if self.subchannel else 0)

    @property
    def size(self) -> int:
        return self.sectors * self.width


def save(
    image: DiscImage,
    files: OutputFiles,
    options: Mapping[str, str],
    progress: Progress | None,
) -> None:
    """Write the BIN and the TOC file.

    Args:
        image: the image.
        files: where they go.
        options: none but `jobs`.
        progress: told how far the work is.

    Raises:
        UnsupportedError: an option is unknown, or packs of CD-TEXT or the file's name have no
            place in a TOC file.
        StorageError: reading or writing failed.
    """
    for option in options.keys() - {JOBS}:
        raise UnsupportedError(f"the format toc has no option {option!r}")
    bin_name = f"{PurePath(files.name).stem}.bin"
    if bin_name == files.name:
        raise UnsupportedError(f"{files.name}: a TOC file cannot have the name of its own BIN")
    plans = list(_plans(image))
    sheet = sheet_of(image.disc, bin_name, {plan.track.number: plan.subchannel for plan in plans})
    try:
        text = build(sheet)
    except UnicodeEncodeError as error:
        raise UnsupportedError(f"{bin_name!r} is no name in Unicode") from error
    output = files.create(bin_name)
    output.allocate(sum(plan.size for plan in plans))
    lead_out = image.disc.sessions[0].lead_out_lba
    for plan in plans:
        fill: Fill = WholeSectors(image) if plan.subchannel else PlainMain(image)
        pump(
            _ForCdrdao(fill, is_audio=plan.track.is_audio, has_sub=plan.subchannel is not None),
            plan.first,
            plan.sectors,
            output,
            width=plan.width,
            jobs=jobs_of(options),
            progress=part_of(progress, plan.first, lead_out),
        )
    files.create(files.name).write(text)


@dataclass(frozen=True, slots=True)
class _ForCdrdao:
    """Rows as cdrdao reads them: sound high byte first, data unscrambled, of subcode R to W."""

    fill: Fill
    is_audio: bool
    has_sub: bool

    def __call__(self, lba: int, rows: Bytes2D) -> None:
        """Fill `rows` from `lba` on."""
        import numpy as np

        from rawcd.subcode.rows import RW_BITS

        self.fill(lba, rows)
        main = rows[:, :SECTOR_BYTES]
        if self.is_audio:
            main.view(np.uint16).byteswap(inplace=True)
        elif self.has_sub and isinstance(self.fill, WholeSectors):
            PlainMain(self.fill.image)(lba, main)
        if self.has_sub:
            np.bitwise_and(rows[:, SECTOR_BYTES:], RW_BITS, out=rows[:, SECTOR_BYTES:])


def _plans(image: DiscImage) -> Iterator[_Plan]:
    offset = 0
    for track in image.disc.sessions[0].tracks:
        first = max(track.first_lba, 0)
        plan = _Plan(track, first, _subchannel(image, first, track.end_lba), offset)
        offset += plan.size
        yield plan


def _subchannel(image: DiscImage, first: int, end: int) -> str | None:
    """Return the word for the R-W of a stretch; None where it is zero.

    Subcode as it is rendered decides: interleave carries packs into sectors that store none.
    """
    import numpy as np

    from rawcd.subcode.rows import PW96_BYTES, RW_BITS

    if image.kind is ImageType.PQ_ONLY or not isinstance(image, RegionImage):
        return None
    for region in image.sub:
        start, stop = max(region.lba, first), min(region.lba + region.sectors, end)
        if start >= stop or first_rw_lba(region, region.lba, region.lba + region.sectors) is None:
            continue
        for lba in range(start, stop, _STEP):
            rows = np.empty((min(_STEP, stop - lba), PW96_BYTES), np.uint8)
            image.read_sub_into(lba, rows)
            if (rows & RW_BITS).any():
                return RW if image.kind is ImageType.COOKED else RW_RAW
    return None


def sheet_of(disc: Disc, bin_name: str, subchannels: Mapping[int, str | None]) -> toc.Sheet:
    """Return the TOC file of a disc whose sectors from LBA 0 on are in one BIN.

    Args:
        disc: the disc.
        bin_name: the BIN's name.
        subchannels: by track, what stands behind each sector.

    Raises:
        UnsupportedError: packs of CD-TEXT have no place in it.
    """
    session = disc.sessions[0]

    def track_at(address: Msf) -> int:
        lba = address.to_lba()
        return next((t.number for t in session.tracks if t.first_lba <= lba < t.end_lba), 0)

    sections = sections_of(disc, track_at)
    first = session.tracks[0].number
    return toc.Sheet(
        disc_type=_disc_type(session),
        catalog=None if disc.mcn is None else toc.Catalog(disc.mcn),
        first_track=None if first == 1 else toc.FirstTrack(first),
        languages=sections.languages,
        texts=sections.album,
        tracks=tuple(_tracks(session, bin_name, sections, subchannels)),
    )


def _disc_type(session: Session) -> str:
    if session.disc_type is DiscType.CDI:
        return "CD_I"
    if session.disc_type is DiscType.XA:
        return "CD_ROM_XA"
    return "CD_DA" if all(track.is_audio for track in session.tracks) else "CD_ROM"


def _tracks(
    session: Session, bin_name: str, sections: Sections, subchannels: Mapping[int, str | None]
) -> Iterator[toc.TrackSheet]:
    offset = 0
    for track in session.tracks:
        first = max(track.first_lba, 0)
        subchannel = subchannels[track.number]
        length = toc.Amount(track.end_lba - first, in_frames=True)
        part: toc.Part
        if track.is_audio and subchannel is None:
            # libcdio reads a start in time, and no offset in bytes.
            frames, rest = divmod(offset, SECTOR_BYTES)
            start = toc.Amount(0 if rest else frames, in_frames=bool(frames and not rest))
            part = toc.SoundFile(bin_name, start, length, offset if rest else 0)
        else:
            part = toc.DataFile(bin_name, length, offset)
        parts: list[toc.Part] = [part]
        if track.start_lba > first:
            parts.append(toc.Start(track.start_lba - first))
        offset += length.count * (SECTOR_BYTES + (SUB_BYTES if subchannel else 0))
        yield toc.TrackSheet(
            mode=_MODES[track.mode],
            subchannel=subchannel,
            copy=track.copy is CopySetting.PERMITTED,
            pre_emphasis=track.pre_emphasis,
            four_channel=track.four_channel,
            isrc=None if track.isrc is None else toc.Isrc(track.isrc),
            texts=sections.tracks.get(track.number, ()),
            parts=tuple(parts),
            indexes=tuple(
                toc.IndexAt(index.lba - track.start_lba)
                for index in track.indexes
                if index.number > 1
            ),
        )
