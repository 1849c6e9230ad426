"""Any sector of a disc, on demand: what formats, writers and recorders are given.

An image is a `Disc`, regions that say where each sector's 2,352 bytes come from, and regions
for the subcode. Nothing is read before it is asked for.
"""

from __future__ import annotations

import io
from bisect import bisect_right
from dataclasses import dataclass, fields, replace
from enum import Enum, IntEnum
from functools import cached_property
from typing import TYPE_CHECKING, BinaryIO, Final, Protocol, Self, TypeVar, cast

from rawcd.disc import TrackMode
from rawcd.errors import FormatError, UnsupportedError
from rawcd.msf import FIRST_LBA
from rawcd.sector import SYNC, SectorType
from rawcd.source import SECTOR_BYTES, ReadsInto, Source, paths_of
from rawcd.subcode.style import STYLES, Style

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from _typeshed import WriteableBuffer

    from rawcd.disc import Disc, Track
    from rawcd.pq import ProgramChannels
    from rawcd.source import Bytes2D

_STREAM_SECTORS: Final = 64
_SCAN_SECTORS: Final = 1024


class MainForm(Enum):
    """How a source's block becomes the 2,352 bytes on the disc."""

    ZERO = "zero"
    """No source: digital silence."""
    DISC = "disc"
    """2,352 bytes as on the disc: audio, or a data sector already scrambled; never touched."""
    PLAIN = "plain"
    """2,352 bytes of a data sector before scrambling; header and parity are kept."""
    USER = "user"
    """Blocks of the region's sector type: encoded for their LBA, then scrambled; without a source
    zero user data."""


class SubForm(Enum):
    """Where the subcode of a run of sectors comes from."""

    MADE = "made"
    """P and Q from the Disc, R to W zero."""
    RW = "rw"
    """P and Q from the Disc, R to W from bits 5..0 of the source's 96 bytes."""
    RAW = "raw"
    """All 96 bytes as stored, P-W interleaved; kept bit for bit, CRC errors too."""
    PQ16 = "pq16"
    """16 bytes as stored."""


class ImageType(IntEnum):
    """Values of IMAPI_FORMAT2_RAW_CD_DATA_SECTOR_TYPE, which are MMC data block types."""

    PQ_ONLY = 1
    """2,352 + 16 bytes a sector."""
    COOKED = 2
    """2,352 + 96; R to W are packs before interleave."""
    RAW = 3
    """2,352 + 96; R to W are as on the disc."""

    @property
    def sub_bytes(self) -> int:
        """Bytes of subcode in a sector: 16 or 96."""
        return 16 if self is ImageType.PQ_ONLY else 96

    @property
    def sector_size(self) -> int:
        """Bytes in a sector: 2,368 or 2,448."""
        return SECTOR_BYTES + self.sub_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """Sectors whose main channel comes from one place; regions tile the image.

    Attributes:
        lba: first sector.
        sectors: how many.
        form: how blocks become sectors.
        source: None for ZERO, and for USER with zero user data.
        start: the source's block that lies at `lba`.
        sector_type: how PLAIN and USER blocks are to be taken.
        subheader: four or eight bytes for USER blocks of XA that bring none; None is the kind's
            default.

    Raises:
        ValueError: a source is missing, or a USER region's sector type.
    """

    lba: int
    sectors: int
    form: MainForm
    source: Source | None = None
    start: int = 0
    sector_type: SectorType | None = None
    subheader: bytes | None = None

    def __post_init__(self) -> None:
        needs_source = self.form in (MainForm.DISC, MainForm.PLAIN)
        if needs_source and self.source is None:
            raise ValueError(f"a region of form {self.form.name} needs a source")
        if self.form is MainForm.USER and self.sector_type is None:
            raise ValueError("a region of form USER needs a sector type")


@dataclass(frozen=True, slots=True, kw_only=True)
class SubRegion:
    """The same for the subcode; its borders need not be those of the regions.

    Attributes:
        lba: first sector.
        sectors: how many.
        form: where the bytes come from.
        source: None for MADE.
        start: the source's block that lies at `lba`.
        rw_packed: R to W of the source are packs before interleave (COOKED).
    """

    lba: int
    sectors: int
    form: SubForm
    source: Source | None = None
    start: int = 0
    rw_packed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Something that was changed or overlooked; the disc is legal all the same.

    Attributes:
        code: stable: `"tail-padded"`, `"short-padded"`, `"resampled"`, ...
        message: for people.
        track: the track it concerns.
        file: the file it concerns.
        line: the line of that file.
    """

    code: str
    message: str
    track: int | None = None
    file: str | None = None
    line: int | None = None

    def __str__(self) -> str:
        place = self.file or ""
        if self.line is not None:
            place += f":{self.line}"
        if self.track is not None:
            place += f" (track {self.track})" if place else f"track {self.track}"
        return f"{place}: {self.message}" if place else self.message


class DiscImage(Protocol):
    """What formats, writers and recorders are given."""

    @property
    def disc(self) -> Disc:
        """What the disc says."""
        ...

    @property
    def kind(self) -> ImageType:
        """The form of the subcode."""
        ...

    @property
    def notes(self) -> Sequence[Note]:
        """What was changed or overlooked on the way."""
        ...

    @property
    def first_lba(self) -> int:
        """LBA of the first sector, that of the lead-in."""
        ...

    @property
    def sector_count(self) -> int:
        """Sectors from there to the end of the last lead-out."""
        ...

    @property
    def sector_size(self) -> int:
        """Bytes in a sector: 2,368 or 2,448."""
        ...

    def read(self, lba: int, count: int) -> bytes:
        """Return `count * sector_size` bytes as they go to the disc: data sectors scrambled."""
        ...

    def open(self) -> BinaryIO:
        """Return a seekable, read-only binary stream whose byte 0 is at `first_lba`."""
        ...


_R = TypeVar("_R", Region, SubRegion)


def _check_tiling(regions: Sequence[Region | SubRegion], first: int, end: int, what: str) -> None:
    position = first
    for region in regions:
        if region.lba != position or region.sectors <= 0:
            raise ValueError(
                f"{what}: a region of {region.sectors} sectors at LBA {region.lba} "
                f"where one at {position} must follow"
            )
        position += region.sectors
    if position != end:
        raise ValueError(f"{what}: the regions end at LBA {position}, the disc at {end}")


def _from_lba(regions: Sequence[_R], lba: int) -> tuple[_R, ...]:
    """Return the regions from `lba` on, the one that holds it cut."""
    return tuple(
        region
        if region.lba >= lba
        else replace(
            region,
            lba=lba,
            sectors=region.lba + region.sectors - lba,
            start=region.start + lba - region.lba,
        )
        for region in regions
        if region.lba + region.sectors > lba
    )


@dataclass(frozen=True, kw_only=True)
class RegionImage:
    """The image that the creator and every `Format.load` make; see `DiscImage`.

    Attributes:
        disc: what the disc says.
        main: where the 2,352 bytes come from; tiles the disc.
        sub: where the subcode comes from; tiles the disc.
        kind: the form of the subcode.
        style: how P and Q are made.
        notes: what was changed or overlooked.
        inputs: files that were read to describe it, beside those of the sources.

    Raises:
        ValueError: the regions do not tile the disc.
        UnsupportedError: stored R-W cannot be given in the form of `kind`.
    """

    disc: Disc
    main: tuple[Region, ...]
    sub: tuple[SubRegion, ...]
    kind: ImageType = ImageType.RAW
    style: Style = STYLES["standard"]
    notes: tuple[Note, ...] = ()
    inputs: tuple[Path, ...] = ()

    def __post_init__(self) -> None:
        _check_tiling(self.main, self.disc.first_lba, self.disc.end_lba, "main channel")
        _check_tiling(self.sub, self.disc.first_lba, self.disc.end_lba, "subcode")
        for region in self.sub:
            if (
                region.form in (SubForm.RW, SubForm.RAW)
                and self.kind is not ImageType.PQ_ONLY
                and region.rw_packed is not (self.kind is ImageType.COOKED)
            ):
                have, want = (
                    ("packs", "as on the disc")
                    if region.rw_packed
                    else (
                        "as on the disc",
                        "packs",
                    )
                )
                raise UnsupportedError(
                    f"the R-W subcode is stored {have} and an image of type {self.kind.name} "
                    f"holds it {want}; the two cannot be converted yet",
                    lost=("R-W subcode",),
                )

    def __getstate__(self) -> dict[str, object]:
        """Travel between processes without what was computed on the way."""
        return {each.name: getattr(self, each.name) for each in fields(self)}

    @property
    def first_lba(self) -> int:
        """LBA of the first sector, that of the lead-in."""
        return self.disc.first_lba

    @property
    def sector_count(self) -> int:
        """Sectors from there to the end of the last lead-out."""
        return self.disc.end_lba - self.disc.first_lba

    @property
    def sector_size(self) -> int:
        """Bytes in a sector: 2,368 or 2,448."""
        return self.kind.sector_size

    @cached_property
    def files(self) -> tuple[Path, ...]:
        """Every file that the image is read from: no output may be written over one of them."""
        sources = [region.source for region in self.main]
        sources += [region.source for region in self.sub]
        found = [path for source in sources if source is not None for path in paths_of(source)]
        return tuple(dict.fromkeys((*self.inputs, *found)))

    @cached_property
    def _channels(self) -> ProgramChannels:
        from rawcd.pq import ProgramChannels

        return ProgramChannels(self.disc, self.style)

    @cached_property
    def _main_starts(self) -> list[int]:
        return [region.lba for region in self.main]

    @cached_property
    def _sub_starts(self) -> list[int]:
        return [region.lba for region in self.sub]

    def read(self, lba: int, count: int) -> bytes:
        """Return `count` sectors from `lba` on; see `DiscImage`.

        Raises:
            ValueError: the range is outside the image.
            StorageError: a source cannot be read, or changed since it was added.
        """
        import numpy as np

        self._check_range(lba, count)
        rows = np.empty((count, self.sector_size), np.uint8)
        self.read_into(lba, rows)
        return rows.tobytes()

    def read_into(self, lba: int, rows: Bytes2D) -> None:
        """Fill `rows`, (n, sector_size), with the sectors from `lba` on; raises as `read`."""
        self._check_range(lba, len(rows))
        self.read_main_into(lba, rows[:, :SECTOR_BYTES])
        self.read_sub_into(lba, rows[:, SECTOR_BYTES:])

    def _check_range(self, lba: int, count: int) -> None:
        if count < 0 or lba < self.first_lba or lba + count > self.disc.end_lba:
            raise ValueError(
                f"{count} sectors from LBA {lba} on are not within the image, "
                f"which goes from {self.first_lba} to {self.disc.end_lba - 1}"
            )

    def read_main_into(self, lba: int, rows: Bytes2D, *, plain: bool = False) -> None:
        """Fill `rows`, (n, 2352), with the main channel from `lba` on.

        Args:
            lba: first sector.
            rows: what to fill.
            plain: data sectors of data tracks come unscrambled.

        Raises:
            ValueError: the range is outside the image.
            StorageError: a source cannot be read, or changed since it was added.
        """
        self._check_range(lba, len(rows))
        end = lba + len(rows)
        position = bisect_right(self._main_starts, lba) - 1
        while lba < end:
            region = self.main[position]
            stop = min(region.lba + region.sectors, end)
            part, rows = rows[: stop - lba], rows[stop - lba :]
            _fill_main(region, lba, part, self.disc, plain=plain)
            lba = stop
            position += 1

    def read_sub_into(self, lba: int, rows: Bytes2D) -> None:
        """Fill `rows`, (n, 16) or (n, 96), with the subcode from `lba` on; raises as `read`."""
        self._check_range(lba, len(rows))
        end = lba + len(rows)
        position = bisect_right(self._sub_starts, lba) - 1
        while lba < end:
            region = self.sub[position]
            stop = min(region.lba + region.sectors, end)
            part, rows = rows[: stop - lba], rows[stop - lba :]
            self._fill_sub(region, lba, part)
            lba = stop
            position += 1

    def _fill_sub(self, region: SubRegion, lba: int, rows: Bytes2D) -> None:
        import numpy as np

        from rawcd.subcode import rows as forms
        from rawcd.subcode.frame import Q_BYTES

        pq_only = self.kind is ImageType.PQ_ONLY
        stored = None
        if region.source is not None:
            width = forms.PQ16_BYTES if region.form is SubForm.PQ16 else forms.PW96_BYTES
            stored = np.empty((len(rows), width), np.uint8)
            fill_rows(region.source, region.start + lba - region.lba, stored)
        if stored is not None and region.form in (SubForm.RAW, SubForm.PQ16):
            if stored.shape == rows.shape:
                rows[:] = stored
                return
            q, p = forms.pq_of_pw96(stored) if pq_only else forms.pq_of_pq16(stored)
            stored = None
        else:
            q = np.empty((len(rows), Q_BYTES), np.uint8)
            p = np.empty(len(rows), bool)
            self._channels.fill(lba, q, p)
        if pq_only:
            rows[:] = forms.pq16_of(q, p, crc_inverted=self.style.pq16_crc_inverted)
            return
        rows[:] = forms.pw96_of(q, p)
        if stored is not None:
            rows |= stored & forms.RW_BITS

    def open(self) -> BinaryIO:
        """Return a seekable, read-only binary stream of the whole image."""
        stream = io.BufferedReader(_ImageFile(self), self.sector_size * _STREAM_SECTORS)
        return cast("BinaryIO", stream)

    def as_kind(self, kind: ImageType) -> Self:
        """Return the same disc with its subcode in another form; nothing is converted.

        Nothing is read either, except to see whether stored subcode has R-W at all when packs
        are asked of final R-W or the other way round.

        Raises:
            UnsupportedError: stored R-W cannot be given in that form.
            StorageError: stored subcode cannot be read.
        """
        kind = ImageType(kind)
        packed = kind is ImageType.COOKED
        sub = tuple(
            region
            if region.rw_packed is packed or has_rw(region)
            else replace(region, rw_packed=packed)
            for region in self.sub
        )
        return replace(self, kind=kind, sub=sub)

    def with_style(self, style: Style | str) -> Self:
        """Return the same disc with P and Q made in another style (or preset); nothing is read."""
        return replace(self, style=Style.preset(style) if isinstance(style, str) else style)

    def with_lead_in(self, lba: int) -> Self:
        """Return the same disc with its first lead-in beginning elsewhere; nothing is read.

        Args:
            lba: for a burn the blank's ATIP address; -45,150..-151.

        Raises:
            ValueError: the address is no lead-in's.
        """
        first = self.disc.sessions[0]
        if not FIRST_LBA <= lba < first.program_lba:
            raise ValueError(
                f"a lead-in begins from LBA {FIRST_LBA} to {first.program_lba - 1}, not at {lba}"
            )
        disc = replace(
            self.disc,
            sessions=(replace(first, lead_in_lba=lba), *self.disc.sessions[1:]),
        )
        main, sub = _from_lba(self.main, lba), _from_lba(self.sub, lba)
        missing = self.first_lba - lba
        if missing > 0:
            head = main[0]
            more = (
                replace(head, lba=lba, sectors=missing)
                if head.source is None
                else blank_like(first.tracks[0], lba, missing)
            )
            main = (more, *main)
            sub = (SubRegion(lba=lba, sectors=missing, form=SubForm.MADE), *sub)
        return replace(self, disc=disc, main=main, sub=sub)

    def taking_rw_as(self, kind: ImageType) -> Self:
        """Return the image with its stored R-W taken to be what `kind` holds: packs, or final.

        No byte tells the two apart, so the owner of the bytes has to; nothing is converted.
        """
        packed = kind is ImageType.COOKED
        return replace(
            self,
            kind=kind,
            sub=tuple(replace(region, rw_packed=packed) for region in self.sub),
        )


def fill_rows(source: Source, start: int, rows: Bytes2D) -> None:
    """Fill `rows` from a source's block `start` on, the short way where it offers one.

    Raises:
        StorageError: the bytes cannot be had.
    """
    import numpy as np

    if isinstance(source, ReadsInto):
        source.read_into(start, rows)
    else:
        rows[:] = np.frombuffer(source.read(start, len(rows)), np.uint8).reshape(rows.shape)


def first_rw_lba(region: SubRegion) -> int | None:
    """Return the first sector of a region whose stored R-W is not zero; None where none is.

    Raises:
        StorageError: the stored subcode cannot be read.
    """
    import numpy as np

    from rawcd.subcode.rows import RW_BITS

    if region.source is None or region.form not in (SubForm.RW, SubForm.RAW):
        return None
    for done in range(0, region.sectors, _SCAN_SECTORS):
        count = min(_SCAN_SECTORS, region.sectors - done)
        rows = np.empty((count, region.source.block_size), np.uint8)
        fill_rows(region.source, region.start + done, rows)
        filled = (rows & RW_BITS).any(axis=1)
        if filled.any():
            return region.lba + done + int(filled.argmax())
    return None


def has_rw(region: SubRegion) -> bool:
    """Tell whether a region stores R-W that is not zero; raises as `first_rw_lba`."""
    return first_rw_lba(region) is not None


def blank(lba: int, sectors: int, sector_type: SectorType) -> Region:
    """Return sectors without content: digital silence, or a mode's sectors of zero user data.

    Args:
        lba: first sector.
        sectors: how many.
        sector_type: the kind of the track they belong to. Mixed XA gets form 2, as a recorder
            makes it (MMC, data form 24h).
    """
    if sector_type is SectorType.AUDIO:
        return Region(lba=lba, sectors=sectors, form=MainForm.ZERO)
    kind = sector_type.cooked
    if kind is SectorType.MODE2MIXED:
        kind = SectorType.MODE2FORM2
    return Region(lba=lba, sectors=sectors, form=MainForm.USER, sector_type=kind)


_KIND_OF_MODE: Final = {
    TrackMode.AUDIO: SectorType.AUDIO,
    TrackMode.MODE0: SectorType.MODE_ZERO,
    TrackMode.MODE1: SectorType.MODE1,
    TrackMode.MODE2: SectorType.MODE2MIXED,
}


def blank_like(track: Track, lba: int, sectors: int) -> Region:
    """Return sectors without content for the lead-in, pregap or lead-out of a track."""
    return blank(lba, sectors, _KIND_OF_MODE[track.mode])


def _fill_main(region: Region, lba: int, rows: Bytes2D, disc: Disc, *, plain: bool) -> None:
    from rawcd.sector import scramble

    if region.form is MainForm.ZERO:
        rows[:] = 0
        return
    if region.form is MainForm.USER:
        _fill_user(region, lba, rows)
    elif region.source is not None:
        fill_rows(region.source, region.start + lba - region.lba, rows)
    if region.form is not MainForm.DISC:
        if not plain:
            scramble(rows)
    elif plain:
        unscramble_data(disc, lba, rows)


def _fill_user(region: Region, lba: int, rows: Bytes2D) -> None:
    """Encode a region's blocks for their place."""
    import numpy as np

    from rawcd.sector import encode

    kind = cast("SectorType", region.sector_type)
    if region.source is None:
        blocks = np.zeros((len(rows), min(kind.block_sizes)), np.uint8)
    else:
        blocks = np.empty((len(rows), region.source.block_size), np.uint8)
        fill_rows(region.source, region.start + lba - region.lba, blocks)
    try:
        encode(kind, blocks, lba, subheader=region.subheader, out=rows)
    except FormatError as error:
        name = None if region.source is None else region.source.name
        raise FormatError(error.reason, file=name, place=error.place) from error


def unscramble_data(disc: Disc, lba: int, rows: Bytes2D) -> None:
    """Undo the scrambling of data sectors (n, 2352) as on the disc, in place.

    Sectors of audio tracks are never touched; elsewhere those with a sync are data sectors.
    """
    import numpy as np

    from rawcd.sector import scramble

    if all(track.is_audio for track in disc.tracks):
        return
    is_data = (rows[:, : len(SYNC)] == np.frombuffer(SYNC, np.uint8)).all(axis=1)
    for track in disc.tracks:
        if track.is_audio:
            is_data[max(track.start_lba - lba, 0) : max(track.end_lba - lba, 0)] = False
    if is_data.any():
        found = rows[is_data]
        scramble(found)
        rows[is_data] = found


def main_sectors(image: DiscImage, lba: int, count: int, *, plain: bool = True) -> Bytes2D:
    """Return the main channel, (count, 2352).

    Args:
        image: any image.
        lba: first sector.
        count: sectors.
        plain: undo the scrambling of data sectors, as files keep them.

    Raises:
        ValueError: the range is outside the image.
        StorageError: a source cannot be read.
    """
    import numpy as np

    if isinstance(image, RegionImage):
        rows = np.empty((count, SECTOR_BYTES), np.uint8)
        image.read_main_into(lba, rows, plain=plain)
        return rows
    whole = np.frombuffer(image.read(lba, count), np.uint8).reshape(count, image.sector_size)
    rows = whole[:, :SECTOR_BYTES].copy()
    if plain:
        unscramble_data(image.disc, lba, rows)
    return rows


class _ImageFile(io.RawIOBase):
    """The bytes of an image as a raw stream; `RegionImage.open` puts a buffer on top."""

    def __init__(self, image: RegionImage) -> None:
        self._image = image
        self._position = 0
        self._size = image.sector_count * image.sector_size

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise ValueError(f"a seek to byte {base + offset}")
        self._position = base + offset
        return self._position

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer).cast("B")
        count = max(0, min(len(view), self._size - self._position))
        if count:
            size = self._image.sector_size
            first, skip = divmod(self._position, size)
            sectors = -(-(skip + count) // size)
            data = self._image.read(self._image.first_lba + first, sectors)
            view[:count] = data[skip : skip + count]
            self._position += count
        return count
