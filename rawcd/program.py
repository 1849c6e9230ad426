"""The program area of a disc, laid out from what a sheet names.

A sheet says which stretches of which files make up the tracks. What all sheets have in common
stands here: stretches get their addresses, everything between and around them is filled with
sectors without content in the mode of their track, and codes are read as people write them.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import TYPE_CHECKING

from rawcd.disc import (
    FIRST_LEAD_OUT_SECTORS,
    IMAGE_LEAD_IN_LBA,
    LATER_LEAD_OUT_SECTORS,
    Disc,
    Session,
)
from rawcd.errors import FormatError
from rawcd.image import (
    MainForm,
    Note,
    Region,
    RegionImage,
    SubForm,
    SubRegion,
    blanks,
)
from rawcd.rules import check_digit, is_sheet_isrc
from rawcd.source import JoinedSound

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
        yield from blanks(disc, position, stretch.lba)
        yield stretch.region
        position = stretch.end
    yield from blanks(disc, position, disc.end_lba)


def _sub(disc: Disc, stretches: Iterable[Stretch]) -> Iterator[SubRegion]:
    """Yield the subcode: made, with the R-W that the stretches bring.

    It is one line as long as its form does not change: packs are interleaved over the borders of
    stretches and tracks, and nothing goes on into the last lead-out.
    """
    lines = [list(run) for _, run in groupby(filter(_has_rw, stretches), lambda s: s.rw_packed)]
    starts = [disc.first_lba, *(line[0].lba for line in lines[1:]), disc.sessions[-1].lead_out_lba]
    for line, (first, end) in zip(lines, pairwise(starts), strict=False):
        yield SubRegion(
            lba=first,
            sectors=end - first,
            form=SubForm.RW,
            source=_rw_line(line, first, end),
            rw_packed=line[0].rw_packed,
        )
    position = starts[-1] if lines else disc.first_lba
    yield SubRegion(lba=position, sectors=disc.end_lba - position, form=SubForm.MADE)


def _has_rw(stretch: Stretch) -> bool:
    return stretch.rw is not None


def _rw_line(stretches: Iterable[Stretch], first: int, end: int) -> Source:
    from rawcd.subcode.streams import PackLine, PackPart

    parts = [
        PackPart(
            at=stretch.lba - first, source=stretch.rw, start=stretch.start, count=stretch.sectors
        )
        for stretch in stretches
        if stretch.rw is not None
    ]
    return PackLine(parts, end - first, name="<R-W of the sheet>")


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
    plan = SessionPlan(tracks=tuple(tracks), disc_type=disc_type)
    return disc_of_sessions([plan], mcn=mcn, cdtext=cdtext)


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionPlan:
    """A session that a sheet makes.

    Attributes:
        tracks: its tracks.
        disc_type: what its lead-in says.
        lead_out_sectors: None is the usual length of its place.
    """

    tracks: tuple[Track, ...]
    disc_type: DiscType
    lead_out_sectors: int | None = None


def disc_of_sessions(
    plans: Sequence[SessionPlan], *, mcn: str | None = None, cdtext: CDText | None = None
) -> Disc:
    """Return the disc that a sheet's sessions make; each lead-in follows a lead-out.

    Raises:
        FormatError: they contradict each other, or reach beyond the last address.
    """
    sessions: list[Session] = []
    lead_in = IMAGE_LEAD_IN_LBA
    try:
        for plan in plans:
            usual = LATER_LEAD_OUT_SECTORS if sessions else FIRST_LEAD_OUT_SECTORS
            session = Session(
                tracks=plan.tracks,
                lead_in_lba=lead_in,
                lead_out_lba=plan.tracks[-1].end_lba,
                lead_out_sectors=plan.lead_out_sectors or usual,
                disc_type=plan.disc_type,
            )
            sessions.append(session)
            lead_in = session.end_lba
        return Disc(sessions=tuple(sessions), mcn=mcn, cdtext=cdtext)
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
