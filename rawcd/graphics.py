"""CD+G laid under the tracks of an image: each file begins at its track's index 1."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from rawcd.cdg import CdgFile, CdgSource
from rawcd.errors import UnsupportedError
from rawcd.image import Note, SubForm, SubRegion
from rawcd.subcode.streams import PackLine, PackPart

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping
    from pathlib import Path

    from rawcd.image import RegionImage


def with_graphics(
    image: RegionImage, files: Mapping[int, str | os.PathLike[str] | CdgFile]
) -> RegionImage:
    """Return the image with CD+G in the R-W subcode of some tracks.

    Parity and interleave are made when a RAW image is read; a COOKED one has the packs without
    (MMC leaves both to the drive). What a file has beyond its track is left out, with a note.

    Args:
        image: an image whose subcode is made, not recorded, and that has no R-W yet.
        files: `.cdg` files by track number.

    Raises:
        KeyError: there is no such track.
        FormatError: a file is no whole number of packs.
        StorageError: a file cannot be read.
        UnsupportedError: the image has recorded subcode, or R-W of its own.
    """
    if any(region.form is not SubForm.MADE for region in image.sub):
        raise UnsupportedError("CD+G needs subcode that is made: this image brings its own")
    first, count = image.first_lba, image.sector_count
    parts: list[PackPart] = []
    notes: list[Note] = []
    inputs: list[Path] = []
    for number in sorted(files):
        track, given = image.disc.track(number), files[number]
        file = given if isinstance(given, CdgFile) else CdgFile(given)
        source = CdgSource(file)
        room = track.end_lba - track.start_lba
        if source.block_count > room:
            notes.append(
                Note(
                    code="cdg-longer",
                    message=f"its graphics last {source.block_count} sectors, the track {room}; "
                    "the rest was left out",
                    track=number,
                    file=source.name,
                )
            )
        inputs.extend(source.paths)
        parts.append(
            PackPart(at=track.start_lba - first, source=source, count=min(source.block_count, room))
        )
    line = PackLine(parts, count, name="<CD+G>")
    region = SubRegion(lba=first, sectors=count, form=SubForm.RW, source=line, rw_packed=True)
    return replace(
        image,
        sub=(region,),
        notes=(*image.notes, *notes),
        inputs=(*image.inputs, *inputs),
    )
