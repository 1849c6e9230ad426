"""The image that the creator and every `Format.load` make."""

from __future__ import annotations

import io
from bisect import bisect_right
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import TYPE_CHECKING, BinaryIO, Final, Literal, Self, TypeVar, cast

from rawcd.image.content import blank_like, fill_main, unscramble_data
from rawcd.image.stream import ImageFile
from rawcd.image.values import ImageType, MainForm, Note, Region, SubForm, SubRegion
from rawcd.msf import FIRST_LBA
from rawcd.source import SECTOR_BYTES, fill_rows, paths_of, side_by_side
from rawcd.subcode.style import STYLES, Style

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rawcd.disc import Disc
    from rawcd.image.values import DiscImage
    from rawcd.pq import ProgramChannels
    from rawcd.source import Bytes2D, Source

_STREAM_SECTORS: Final = 64

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
        if self._whole is not None:
            fill_rows(self._whole, self.main[0].start + lba - self.first_lba, rows)
            return
        self.read_main_into(lba, rows[:, :SECTOR_BYTES])
        self.read_sub_into(lba, rows[:, SECTOR_BYTES:])

    @cached_property
    def _whole(self) -> Source | None:
        """Whole sectors, where one source has all of them as they are: read once, not twice."""
        main, sub = self.main[0], self.sub[0]
        own = SubForm.PQ16 if self.kind is ImageType.PQ_ONLY else SubForm.RAW
        if len(self.main) + len(self.sub) > 2 or main.start != sub.start:
            return None
        if main.form is not MainForm.DISC or sub.form is not own:
            return None
        return side_by_side(main.source, self._sub_sources[0])

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
            fill_main(region, lba, part, self.disc, plain=plain)
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
            self._fill_sub(position, lba, part)
            lba = stop
            position += 1

    def _fill_sub(self, place: int, lba: int, rows: Bytes2D) -> None:
        import numpy as np

        from rawcd.subcode import rows as forms
        from rawcd.subcode.frame import Q_BYTES

        region, source = self.sub[place], self._sub_sources[place]
        pq_only = self.kind is ImageType.PQ_ONLY
        stored = None
        if source is not None:
            stored = np.empty((len(rows), source.block_size), np.uint8)
            fill_rows(source, region.start + lba - region.lba, stored)
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
        self._add_text(lba, rows)

    def _add_text(self, lba: int, rows: Bytes2D) -> None:
        """Lay CD-TEXT into the R-W of made lead-in sectors (IEC 61866; MMC-3 annex J)."""
        import numpy as np

        session = self.disc.sessions[0]
        count = min(session.program_lba - lba, len(rows))
        if count <= 0 or self.kind is not ImageType.RAW or not self.lead_in_packs:
            return
        cycle = self._lead_in_symbols
        first = lba - session.lead_in_lba
        rows[:count] |= cycle[np.arange(first, first + count) % len(cycle)]

    @cached_property
    def lead_in_packs(self) -> bytes:
        """The CD-TEXT packs that the lead-in of a RAW image repeats; empty when there is no text.

        Characters that a text's character set lacks are near ones; `check_text` names them.

        Raises:
            UnsupportedError: a block needs more packs than there can be.
        """
        return self._packs("replace")

    def check_text(self) -> None:
        """Refuse texts whose characters CD-TEXT packs cannot hold, unless the style allows it.

        Raises:
            UnsupportedError: there are such texts; `.lost` names track, field and character.
        """
        self._packs(self.style.text_errors)

    def _packs(self, errors: Literal["strict", "replace"]) -> bytes:
        if self.disc.cdtext is None:
            return b""
        first, last = self.disc.text_tracks
        return self.disc.cdtext.to_packs(
            style=self.style.text,
            first_track=first,
            last_track=last,
            errors=errors,
        )

    @cached_property
    def _lead_in_symbols(self) -> Bytes2D:
        import numpy as np

        from rawcd.cdtext import lead_in_symbols
        from rawcd.subcode.rows import PW96_BYTES

        symbols = np.frombuffer(lead_in_symbols(self.lead_in_packs), np.uint8)
        return symbols.reshape(-1, PW96_BYTES)

    @cached_property
    def _sub_sources(self) -> list[Source | None]:
        """Each sub region's source, its R-W in the form that this image's kind has."""
        return [self._in_our_form(region) for region in self.sub]

    def _in_our_form(self, region: SubRegion) -> Source | None:
        source, packed = region.source, self.kind is ImageType.COOKED
        has_rw = region.form in (SubForm.RW, SubForm.RAW) and self.kind is not ImageType.PQ_ONLY
        if source is None or not has_rw or region.rw_packed is packed:
            return source
        from rawcd.subcode.streams import DeinterleavedPacks, InterleavedPacks

        if packed:
            return DeinterleavedPacks(source)
        return InterleavedPacks(source, parity=self.style.rw_parity)

    def open(self) -> BinaryIO:
        """Return a seekable, read-only binary stream of the whole image."""
        stream = io.BufferedReader(ImageFile(self), self.sector_size * _STREAM_SECTORS)
        return cast("BinaryIO", stream)

    def as_kind(self, kind: ImageType) -> Self:
        """Return the same disc with its subcode in another form; nothing is read.

        R-W given as packs gets parity and interleave on its way into a RAW image, and loses
        both, errors corrected, on its way into a COOKED one (MMC, data block types 2 and 3).
        PQ_ONLY has no R-W, and CD-TEXT is in RAW images alone: it has no packs with parity.
        """
        return replace(self, kind=ImageType(kind))

    def with_style(self, style: Style | str) -> Self:
        """Return the same disc with P and Q made in another style (or preset); nothing is read.

        Raises:
            TypeError: it is neither.
            ValueError: there is no preset of that name.
        """
        return replace(self, style=Style.of(style))

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

        No byte tells the two apart: their parity does, or their owner. Nothing is converted.
        """
        packed = kind is ImageType.COOKED
        return replace(
            self,
            kind=kind,
            sub=tuple(replace(region, rw_packed=packed) for region in self.sub),
        )


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
