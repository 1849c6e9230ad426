"""`rawcd report` and `rawcd map`: a disc to look at."""

from __future__ import annotations

import sys
from pathlib import Path
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Final

import click

from rawcd.cli.completing import FILE
from rawcd.cli.options import format_option, jobs_option, trust_paths_option
from rawcd.cli.terminal import progress_bar, takes_colour

if TYPE_CHECKING:
    from rawcd.image import DiscImage


_REPORT_EXAMPLES: Final = """\b
Examples:
  rawcd report album.raw -o album.html
  rawcd report album.cue -o - --no-verify | gzip > album.html.gz
"""
_MAP_EXAMPLES: Final = """\b
Examples:
  rawcd map album.raw
  rawcd map album.raw -o album.svg
"""


@click.command(short_help="Make a page that shows a disc.", epilog=_REPORT_EXAMPLES)
@click.argument("image", metavar="IMAGE", type=FILE)
@click.option(
    "-o",
    "--output",
    required=True,
    metavar="PAGE",
    type=FILE,
    help="The page to make, such as report.html; - writes it to a pipe.",
)
@click.option("--no-verify", is_flag=True, help="Do not look for defects.")
@jobs_option("look for defects")
@format_option
@trust_paths_option
@click.option("--force", is_flag=True, help="Replace an existing file.")
def report(
    image: str,
    output: str,
    no_verify: bool,
    jobs: int,
    format_name: str | None,
    trust_paths: bool,
    force: bool,
) -> None:
    """Make a page that shows a disc: rings, tracks, sound, texts, tables, graphics, defects.

    The page is one file that needs no network, drawn from the bytes of the image.
    """
    from rawcd.report import report_html, write_report

    opened, name = _opened(image, format_name, trust_paths)
    if output == "-":
        page = report_html(opened, name=name, verified=not no_verify, jobs=jobs)
        click.echo(page.encode(), nl=False)
        return
    with progress_bar(image, sector_size=opened.sector_size) as progress:
        made = write_report(
            opened,
            output,
            name=name,
            verified=not no_verify,
            jobs=jobs,
            replace=force,
            progress=progress,
        )
    click.echo(f"{made}  {made.stat().st_size} bytes")


@click.command(
    "map", short_help="Draw a disc in the terminal, or as a picture.", epilog=_MAP_EXAMPLES
)
@click.argument("image", metavar="IMAGE", type=FILE)
@click.option(
    "-o",
    "--output",
    metavar="PICTURE",
    type=FILE,
    help="Make a picture instead: .svg or .png.",
)
@click.option("--verify", "verified", is_flag=True, help="Look for defects, too, and mark them.")
@click.option(
    "--width",
    metavar="N",
    type=click.IntRange(40, 400),
    help="Columns, 40 to 400.  [default: the terminal's]",
)
@click.option("--ascii", "ascii_only", is_flag=True, help="Draw with ASCII alone.")
@format_option
@trust_paths_option
@click.option("--force", is_flag=True, help="Replace an existing picture.")
def map_(
    image: str,
    output: str | None,
    verified: bool,
    width: int | None,
    ascii_only: bool,
    format_name: str | None,
    trust_paths: bool,
    force: bool,
) -> None:
    """Draw a disc as it is recorded: areas, tracks, gaps, indexes, sound and hidden sound.

    It is as wide as the terminal, and coloured there unless NO_COLOR is set. What lies outside
    the tracks is shortened.
    """
    from rawcd.report import map_text, write_map

    if output is None and force:
        raise click.UsageError("--force replaces a picture: name it with -o")
    if output is not None and (width is not None or ascii_only):
        raise click.UsageError("--width and --ascii are of the map in the terminal, not of -o")
    opened, name = _opened(image, format_name, trust_paths)
    with progress_bar(image, sector_size=opened.sector_size) as progress:
        if output is not None:
            made = write_map(
                opened, output, name=name, verified=verified, replace=force, progress=progress
            )
            text = f"{made}  {made.stat().st_size} bytes"
        else:
            text = map_text(
                opened,
                width=width or get_terminal_size().columns,
                unicode=not ascii_only and _takes_blocks(),
                colour=takes_colour(),
                name=name,
                verified=verified,
                progress=progress,
            )
    click.echo(text)


def _opened(path: str, format_name: str | None, trust_paths: bool) -> tuple[DiscImage, str]:
    """Return an image, and what to call it."""
    from rawcd.plugins import open_image

    return open_image(path, format=format_name, trust_paths=trust_paths), Path(path).name


def _takes_blocks() -> bool:
    """Tell whether stdout can be written the signs of the map in."""
    try:
        "░▒█▓▚▁╵♪".encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
