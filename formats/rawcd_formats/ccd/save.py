"""An image as `.img`, `.sub` and the sheet that goes with them."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING

from rawcd.errors import UnsupportedError
from rawcd.image import RegionImage
from rawcd.progress import part_of
from rawcd.pump import JOBS, jobs_of, pump
from rawcd.pump.fills import PlainMain, PlanarSubcode
from rawcd.recording import SUB, program_stretches, with_raw_subcode
from rawcd.source import SECTOR_BYTES
from rawcd.subcode.rows import PW96_BYTES
from rawcd_formats.ccd.sheet import build

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rawcd.fileset import OutputFiles
    from rawcd.image import DiscImage
    from rawcd.progress import Progress


def save(
    image: DiscImage,
    files: OutputFiles,
    options: Mapping[str, str],
    progress: Progress | None,
) -> None:
    """Write the three files.

    Raises:
        UnsupportedError: an option is unknown, a track begins before LBA 0, or the sheet would
            have the name of its own data.
        StorageError: reading or writing failed.
    """
    for option in options.keys() - {JOBS, SUB}:  # subcode is always there
        raise UnsupportedError(f"the format ccd has no option {option!r}")
    stem = PurePath(files.name).stem
    if files.name in (f"{stem}.img", f"{stem}.sub"):
        raise UnsupportedError(f"{files.name}: a sheet cannot have the name of its own data")
    image = with_raw_subcode(image)
    stretches = program_stretches(image.disc)
    sheet = build(image.disc, stretches, _packs(image))
    sectors = sum(end - first for first, end in stretches)
    done = 0
    for suffix, fill, width in (
        (".img", PlainMain(image), SECTOR_BYTES),
        (".sub", PlanarSubcode(image), PW96_BYTES),
    ):
        output = files.create(f"{stem}{suffix}")
        output.allocate(sectors * width)
        for first, end in stretches:
            pump(
                fill,
                first,
                end - first,
                output,
                width=width,
                jobs=jobs_of(options),
                progress=part_of(progress, done, 2 * sectors),
            )
            done += end - first
    files.create(files.name).write(sheet)


def _packs(image: DiscImage) -> bytes:
    """Return the packs of CD-TEXT; characters that they cannot hold were allowed to be lost."""
    if isinstance(image, RegionImage):
        return image.lead_in_packs
    disc = image.disc
    if disc.cdtext is None:
        return b""
    first, last = disc.text_tracks
    return disc.cdtext.to_packs(first_track=first, last_track=last, errors="replace")
