"""The image of recorded sectors, and the sheet beside them."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

from rawcd.errors import FormatError
from rawcd.image import (
    ImageType,
    MainForm,
    Region,
    RegionImage,
    SubForm,
    SubRegion,
    blanks,
)
from rawcd.recording.layout import Layout

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rawcd.disc import Disc
    from rawcd.fileset import InputFiles
    from rawcd.image import Note
    from rawcd.recording.values import Sheet, Stored

SHEET_BYTES: Final = 1024 * 1024
"""More than any table of contents needs."""


def sheet_bytes(files: InputFiles) -> bytes:
    """Return the whole content of a sheet.

    Raises:
        FormatError: it is larger than any sheet.
        StorageError: it cannot be read.
    """
    data = files.content()
    if len(data) > SHEET_BYTES:
        raise FormatError(
            f"{len(data)} bytes are too many for a sheet; it has at most {SHEET_BYTES}",
            file=files.name,
            place=f"offset {SHEET_BYTES}",
        )
    return data


def recorded_image(
    sheet: Sheet, stored: Sequence[Stored], notes: Iterable[Note] = ()
) -> RegionImage:
    """Return the image of recorded sectors and the sheet beside them.

    Args:
        sheet: what the sheet says.
        stored: the recorded sectors, rising; what lies between them is made.
        notes: what was met on the way so far.

    Raises:
        FormatError: the sheet contradicts itself.
        StorageError: the recorded sectors cannot be read.
    """
    for before, after in pairwise(stored):
        if after.lba < before.end:
            raise FormatError(
                "sectors from here on are stored twice", file=sheet.name, place=f"LBA {after.lba}"
            )
    layout = Layout(sheet, stored)
    try:
        disc = layout.disc()
    except FormatError as error:
        if error.file is not None:
            raise
        raise FormatError(error.reason, file=sheet.name, place=error.place) from error
    except ValueError as error:
        raise FormatError(
            f"contradicts itself: {error}", file=sheet.name, place="table of contents"
        ) from error
    if stored and not disc.first_lba <= stored[0].lba <= stored[-1].end <= disc.end_lba:
        raise FormatError(
            "sectors outside the disc are stored", file=sheet.name, place="table of contents"
        )
    return RegionImage(
        disc=disc,
        main=tuple(_main_regions(disc, stored, scrambled=sheet.scrambled)),
        sub=tuple(_sub_regions(disc, stored, layout.without_q)),
        kind=ImageType.RAW,
        notes=(*notes, *layout.notes),
    )


def _main_regions(disc: Disc, stored: Sequence[Stored], *, scrambled: bool) -> Iterator[Region]:
    position = disc.first_lba
    for each in stored:
        yield from blanks(disc, position, each.lba)
        for lba, end, form in _forms(disc, scrambled=scrambled):
            yield from _region(each.from_to(lba, end), form)
        position = each.end
    yield from blanks(disc, position, disc.end_lba)


def _forms(disc: Disc, *, scrambled: bool) -> Iterator[tuple[int, int, MainForm]]:
    """Yield the stretches of a disc and the form in which they are stored.

    What is stored of sound is as on the disc. Around it, pregaps of sound included, sectors with
    a sync are data sectors before scrambling: just those that `main_sectors` unscrambles.
    """
    if scrambled or all(track.is_audio for track in disc.tracks):
        yield disc.first_lba, disc.end_lba, MainForm.DISC
        return
    position = disc.first_lba
    for track in disc.tracks:
        if track.is_audio:
            yield position, track.start_lba, MainForm.READ
            yield track.start_lba, track.end_lba, MainForm.DISC
            position = track.end_lba
    yield position, disc.end_lba, MainForm.READ


def _region(part: Stored, form: MainForm) -> Iterator[Region]:
    if part.sectors:
        whole = part.sector_type is None
        yield Region(
            lba=part.lba,
            sectors=part.sectors,
            form=form if whole else MainForm.USER,
            source=part.main,
            start=part.start,
            sector_type=part.sector_type,
        )


def _sub_regions(
    disc: Disc, stored: Sequence[Stored], without_q: Sequence[tuple[int, int]]
) -> Iterator[SubRegion]:
    position = disc.first_lba
    for each in (each for each in stored if each.sub is not None):
        if position < each.lba:
            yield SubRegion(lba=position, sectors=each.lba - position, form=SubForm.MADE)
        position = each.lba
        for first, after in (*without_q, (each.end, each.end)):
            recorded = each.from_to(position, first)
            bare = each.from_to(max(first, position), after)
            for part, form in ((recorded, SubForm.RAW), (bare, SubForm.RW)):
                if part.sectors:
                    yield SubRegion(
                        lba=part.lba,
                        sectors=part.sectors,
                        form=form,
                        source=part.sub,
                        start=part.start,
                    )
            position = max(position, min(after, each.end))
    if position < disc.end_lba:
        yield SubRegion(lba=position, sectors=disc.end_lba - position, form=SubForm.MADE)
