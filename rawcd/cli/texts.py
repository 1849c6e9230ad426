"""Texts on the command line: files of CD-TEXT that are laid over a disc."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rawcd.image import RegionImage

_LIMIT: Final = 1024 * 1024
"""Bytes of a file of texts; eight languages of 256 packs are 36,864."""


def with_texts(image: RegionImage, paths: Sequence[str]) -> RegionImage:
    """Return an image with the texts of files instead of its own.

    Raises:
        FormatError: a file is damaged, or does not fit the disc.
        StorageError: it cannot be read.
    """
    from rawcd.cdtext.files import texts_of_files
    from rawcd.errors import FormatError
    from rawcd.image import Note, SubForm
    from rawcd.source import FileBytes

    if not paths:
        return image
    if any(
        region.lba <= image.disc.first_lba and region.form in (SubForm.RAW, SubForm.PQ16)
        for region in image.sub
    ):
        raise click.UsageError("--cdtext: this image's lead-in was recorded with what it says")
    files = {}
    for path in paths:
        reader = FileBytes(path)
        if reader.size > _LIMIT:
            raise FormatError(f"{reader.size} bytes are too many for texts", file=path)
        held = bytearray(reader.size)
        reader.read_at(0, held)
        files[path] = bytes(held)
    tracks = image.disc.sessions[0].tracks
    cdtext = texts_of_files(files, first_track=tracks[0].number, last_track=tracks[-1].number)
    notes = image.notes
    if image.disc.cdtext is not None:
        told = Note(
            code="texts-replaced", message=f"the disc's own texts give way to {', '.join(paths)}"
        )
        notes = (*notes, told)
    return replace(image, disc=replace(image.disc, cdtext=cdtext), notes=notes)
