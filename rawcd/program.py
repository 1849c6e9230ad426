"""The program area of a disc, laid out from what a sheet names.

A sheet says which stretches of which files make up the tracks. What all sheets have in common
stands here: stretches get their addresses, everything between and around them is filled with
sectors without content in the mode of their track, and codes are read as people write them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

from rawcd.disc import Disc, Session
from rawcd.errors import FormatError
from rawcd.image import (
    ImageType,
    MainForm,
    Note,
    Region,
    RegionImage,
    SubForm,
    SubRegion,
    blank_like,
)
from rawcd.rules import check_digit, is_sheet_isrc
from rawcd.source import BlockBytes, BlockSource, BytesPart, JoinedBytes, JoinedSound

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rawcd.cdtext import CDText
    from rawcd.disc import DiscType, Index, Track
    from rawcd.sector import SectorType
    from rawcd.source import SoundPart, Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Sectors of the program area that come from one place.

    Attributes:
        lba: the first one.
        sectors: how many.
        form: how blocks become sectors.
        source: where they come from; None as in `Region`.
        start: the source's block that lies at `lba`.
        sector_type: how PLAIN and USER blocks are to be taken.
        rw: 96 bytes a sector whose low six bits are R to W; None: they are zero.
        rw_packed: these are packs before parity and interleave.
    """

    lba: int
    sectors: int
    form: MainForm
    source: Source | None = None
    start: int = 0
    sector_type: SectorType | None = None
    rw: Source | None = None
    rw_packed: bool = False

    @property
    def end(self) -> int:
        """One past the last sector."""
        return self.lba + self.sectors

    @property
    def region(self) -> Region:
        """Its main channel."""
        return Region(
            lba=self.lba,
            sectors=self.sectors,
            form=self.form,
            source=self.source,
            start=self.start,
            sector_type=self.sector_type,
        )

    @property
    def sub_region(self) -> SubRegion:
        """Its subcode: P and Q are made."""
        return SubRegion(
            lba=self.lba,
            sectors=self.sectors,
            form=SubForm.MADE if self.rw is None else SubForm.RW,
            source=self.rw,
            start=0 if self.rw is None else self.start,
            rw_packed=self.rw_packed,
        )


def stretch_of_sound(lba: int, parts: Sequence[SoundPart]) -> Stretch:
    """Return sound that begins on a sector; silence fills its last one."""
    source = JoinedSound(parts)
    return Stretch(lba=lba, sectors=source.block_count, form=MainForm.DISC, source=source)


def image_of_program(
    disc: Disc, stretches: Iterable[Stretch], notes: Iterable[Note] = ()
) -> RegionImage:
    """Return the image of a disc whose program area holds the stretches, and nothing else.

    Args:
        disc: the disc.
        stretches: rising, without overlap.
        notes: what was changed or overlooked on the way.
    """
    laid = list(stretches)
    return RegionImage(
        disc=disc,
        main=tuple(_main(disc, laid)),
        sub=tuple(_sub(disc, laid)),
        notes=tuple(notes),
    )


def _main(disc: Disc, stretches: Iterable[Stretch]) -> Iterator[Region]:
    position = disc.first_lba
    for stretch in stretches:
        yield from _blanks(disc, position, stretch.lba)
        yield stretch.region
        position = stretch.end
    yield from _blanks(disc, position, disc.end_lba)


def _blanks(disc: Disc, lba: int, end: int) -> Iterator[Region]:
    """Yield a stretch without content, each part in the mode of the track that it belongs to."""
    tracks = disc.tracks
    for track, owned in zip(tracks, [*(t.first_lba for t in tracks[1:]), end], strict=True):
        stop = min(owned, end)
        if stop > lba:
            yield blank_like(track, lba, stop - lba)
            lba = stop


def _sub(disc: Disc, stretches: Iterable[Stretch]) -> Iterator[SubRegion]:
    position = disc.first_lba
    for joined in _touching(stretch for stretch in stretches if stretch.rw is not None):
        if joined.lba > position:
            yield _made(position, joined.lba)
        yield joined
        position = _end(joined)
    if disc.end_lba > position:
        yield _made(position, disc.end_lba)


def _touching(stretches: Iterable[Stretch]) -> Iterator[SubRegion]:
    """Yield stored R-W; packs that go on in the next stretch are one region.

    Interleave spreads a pack over eight sectors, whatever track they belong to.
    """
    run: list[SubRegion] = []
    for stretch in stretches:
        region = stretch.sub_region
        if run and not (region.rw_packed and run[-1].rw_packed and _end(run[-1]) == region.lba):
            yield _joined(run)
            run = []
        run.append(region)
    if run:
        yield _joined(run)


def _end(region: SubRegion) -> int:
    return region.lba + region.sectors


def _joined(run: Sequence[SubRegion]) -> SubRegion:
    if len(run) == 1:
        return run[0]
    size = ImageType.RAW.sub_bytes
    parts = [
        BytesPart(
            reader=BlockBytes(region.source), start=region.start * size, count=region.sectors * size
        )
        for region in run
        if region.source is not None
    ]
    source = BlockSource(JoinedBytes(parts), block_size=size)
    return replace(run[0], sectors=_end(run[-1]) - run[0].lba, source=source, start=0)


def _made(lba: int, end: int) -> SubRegion:
    return SubRegion(lba=lba, sectors=end - lba, form=SubForm.MADE)


def disc_of_tracks(
    tracks: Sequence[Track],
    *,
    disc_type: DiscType,
    mcn: str | None = None,
    cdtext: CDText | None = None,
) -> Disc:
    """Return the disc of one session that a sheet's tracks make.

    Raises:
        FormatError: they contradict each other, or reach beyond the last address.
    """
    try:
        session = Session(
            tracks=tuple(tracks), lead_out_lba=tracks[-1].end_lba, disc_type=disc_type
        )
        return Disc(sessions=(session,), mcn=mcn, cdtext=cdtext)
    except FormatError:
        raise
    except ValueError as error:
        raise FormatError(str(error)) from error


def check_places(number: int, indexes: Sequence[Index], end: int) -> None:
    """Refuse a track whose indexes do not rise, or that has not one sector behind its last one.

    Raises:
        FormatError: it is such a track; `place` is left to the caller.
    """
    for before, after in pairwise(indexes):
        if after.lba == before.lba:
            raise FormatError(
                f"TRACK {number:02}: INDEX {before.number:02} and {after.number:02} fall into "
                "one sector"
            )
        if after.lba < before.lba:
            raise FormatError(
                f"TRACK {number:02}: INDEX {after.number:02} lies before INDEX {before.number:02}"
            )
    if end <= indexes[-1].lba:
        raise FormatError(f"TRACK {number:02} has not one sector of its own")


def mcn_of_sheet(digits: str) -> tuple[str | None, str]:
    """Return a media catalogue number, and a remark on it ("" if there is nothing to say).

    Twelve digits (UPC) get the zero before them that makes an EAN; thirteen zeros are none.

    Raises:
        FormatError: it is none; `place` is left to the caller.
    """
    if not (digits.isascii() and digits.isdecimal() and len(digits) in (12, 13)):
        raise FormatError(f"CATALOG {digits!r} is no media catalogue number of 13 digits (or 12)")
    mcn = digits.zfill(13)
    if not mcn.strip("0"):
        return None, ""
    right = check_digit(mcn)
    if mcn[-1] == right:
        return mcn, ""
    return mcn, f"the check digit of CATALOG {mcn} should be {right}; kept as it is"


def isrc_of_sheet(code: str) -> tuple[str, str]:
    """Return an ISRC of twelve characters, and a remark where it was written otherwise.

    Raises:
        FormatError: it is none; `place` is left to the caller.
    """
    isrc = code.replace("-", "").replace(" ", "").upper()
    if not is_sheet_isrc(isrc):
        raise FormatError(
            f"ISRC {code!r} has {len(isrc)} characters and must have 12: "
            "five letters or digits, then seven digits"
        )
    return isrc, "" if isrc == code.upper() else f"ISRC {code} was read as {isrc}"
