"""The functions that a program calls: an image in, a page, a picture or a text out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rawcd.errors import UnsupportedError
from rawcd.fileset import FileTransaction

if TYPE_CHECKING:
    import os

    from rawcd.image import DiscImage
    from rawcd.progress import Progress

PICTURES = (".svg", ".png")
"""Suffixes of pictures that `write_map` makes."""


def report_html(
    image: DiscImage,
    *,
    name: str = "",
    verified: bool = True,
    jobs: int = 1,
    progress: Progress | None = None,
) -> str:
    """Return a page that shows the disc; it is one file, and fetches nothing.

    Args:
        image: the image.
        name: what the page calls it where the disc has no title.
        verified: look for defects, too, and show them.
        jobs: processes that look for them, this one among them.
        progress: called with the sectors done and those to do; False stops.

    Raises:
        StorageError: a sector cannot be read.
        CancelledError: `progress` said stop.
    """
    from rawcd.report.page import page_of
    from rawcd.report.reading import read_disc

    reading = read_disc(image, verified=verified, jobs=jobs, progress=progress)
    return page_of(reading, name=name or "Disc")


def write_report(
    image: DiscImage,
    path: str | os.PathLike[str],
    *,
    name: str = "",
    verified: bool = True,
    jobs: int = 1,
    replace: bool = False,
    progress: Progress | None = None,
) -> Path:
    """Write the page of `report_html` to a file: whole or not at all.

    Args:
        image: the image.
        path: the file.
        name: as in `report_html`.
        verified: as in `report_html`.
        jobs: as in `report_html`.
        replace: the file may exist; it never may be one that the image is read from.
        progress: as in `report_html`.

    Returns:
        The file.

    Raises:
        StorageError: a sector cannot be read, or the file not be written; or it exists.
        CancelledError: `progress` said stop.
    """
    with FileTransaction(path, replace=replace, inputs=_inputs(image)) as files:
        page = report_html(image, name=name, verified=verified, jobs=jobs, progress=progress)
        files.create(files.name).write(page.encode())
        files.commit()
    return Path(path)


def map_svg(
    image: DiscImage,
    *,
    name: str = "",
    verified: bool = False,
    progress: Progress | None = None,
) -> str:
    """Return the disc's map as an SVG picture; arguments and errors as in `report_html`."""
    from rawcd.report.maps import svg_of
    from rawcd.report.reading import read_disc

    return svg_of(read_disc(image, verified=verified, progress=progress), name=name or "Disc")


def map_png(
    image: DiscImage,
    *,
    verified: bool = False,
    progress: Progress | None = None,
) -> bytes:
    """Return the same map as a PNG picture, with numbers and without words."""
    from rawcd.report.raster import raster_of
    from rawcd.report.reading import read_disc

    return raster_of(read_disc(image, verified=verified, progress=progress))


def write_map(
    image: DiscImage,
    path: str | os.PathLike[str],
    *,
    name: str = "",
    verified: bool = False,
    replace: bool = False,
    progress: Progress | None = None,
) -> Path:
    """Write the map to a file, `.svg` or `.png`; arguments and errors as in `write_report`.

    Raises:
        UnsupportedError: the file has another suffix.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in PICTURES:
        raise UnsupportedError(
            f"{str(path)!r}: a map is written as {' or '.join(PICTURES)}; choose such a name"
        )
    with FileTransaction(path, replace=replace, inputs=_inputs(image)) as files:
        if suffix == ".svg":
            data = map_svg(image, name=name, verified=verified, progress=progress).encode()
        else:
            data = map_png(image, verified=verified, progress=progress)
        files.create(files.name).write(data)
        files.commit()
    return Path(path)


def map_text(
    image: DiscImage,
    *,
    width: int = 80,
    unicode: bool = True,
    colour: bool = False,
    name: str = "",
    verified: bool = False,
    progress: Progress | None = None,
) -> str:
    """Return the disc's map as lines of text.

    Args:
        image: the image.
        width: columns, 40 at least.
        unicode: draw with blocks; False draws with ASCII.
        colour: with the escape codes of terminals.
        name: as in `report_html`.
        verified: as in `report_html`.
        progress: as in `report_html`.

    Raises:
        StorageError: a sector cannot be read.
        CancelledError: `progress` said stop.
    """
    from rawcd.report.reading import read_disc
    from rawcd.report.terminal import text_of

    reading = read_disc(image, verified=verified, progress=progress)
    return text_of(reading, width=width, unicode=unicode, colour=colour, name=name or "Disc")


def _inputs(image: DiscImage) -> tuple[Path, ...]:
    """Return the files that an image is read from, as far as it tells."""
    inputs: tuple[Path, ...] = getattr(image, "files", ())
    return inputs
