"""`rawcd extract`: the tracks of a disc as plain files."""

from __future__ import annotations

import json
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, Final, Literal

import click

from rawcd.cli.completing import FILE
from rawcd.cli.options import force_option, format_option, json_option, trust_paths_option
from rawcd.cli.terminal import progress_bar, show_notes

if TYPE_CHECKING:
    from rawcd.extract import Extraction

SCHEMA: Final = 1
"""Version of the JSON object; it grows only by new keys."""
_EXAMPLES: Final = """\b
Examples:
  rawcd extract album.cue -o album
  rawcd extract disc.ccd -o files --wav
  rawcd extract album.raw -o hidden --track 0
"""


@click.command(short_help="Write the tracks of an image as sound files and ISOs.", epilog=_EXAMPLES)
@click.argument("image", metavar="IMAGE", type=FILE)
@click.option(
    "-o", "--output", "folder", required=True, metavar="FOLDER", type=FILE, help="Where they go."
)
@click.option("--flac", "sound", flag_value="flac", help="Sound as FLAC.  [default]")
@click.option("--wav", "sound", flag_value="wav", help="Sound as WAVE.")
@click.option(
    "--track",
    "tracks",
    metavar="N",
    type=click.IntRange(0, 99),
    multiple=True,
    help="Only this track; 0 is sound hidden before the first one. May be repeated.",
)
@click.option(
    "--pregaps",
    type=click.Choice(("joined", "apart")),
    default="joined",
    show_default=True,
    help="Sound before index 1: at the end of the track before, or in a file of its own.",
)
@format_option
@force_option
@trust_paths_option
@json_option
def extract(
    image: str,
    folder: str,
    sound: Literal["flac", "wav"] | None,
    tracks: tuple[int, ...],
    pregaps: Literal["joined", "apart"],
    format_name: str | None,
    force: bool,
    trust_paths: bool,
    as_json: bool,
) -> None:
    """Write the tracks of an image into a folder: sound with tags, data as ISO, CD+G as .cdg.

    Files are named by number and title. Sound before the first track is track 00. Data whose
    sectors are not all of 2,048 bytes becomes whole sectors in a .bin, which a note tells.
    All files appear, or none.
    """
    from rawcd.extract import extract_image
    from rawcd.plugins import open_image

    if folder == "-":
        raise click.UsageError("-o -: files go into a folder; a pipe takes none")
    opened = open_image(image, format=format_name, trust_paths=trust_paths)
    if not as_json:
        show_notes(opened.notes)
    bar = nullcontext() if as_json else progress_bar(folder, sector_size=2352)
    with bar as progress:
        done = extract_image(
            opened,
            folder,
            sound=sound or "flac",
            tracks=tracks,
            pregaps=pregaps,
            replace=force,
            progress=progress,
        )
    if as_json:
        about = describe(done, file=image)
        about["notes"] = [*map(str, opened.notes), *about["notes"]]
        click.echo(json.dumps(about, indent=2, ensure_ascii=False))
        return
    show_notes(done.notes)
    for file in done.files:
        click.echo(f"{file.path}  {file.path.stat().st_size} bytes")


def describe(done: Extraction, *, file: str) -> dict[str, Any]:
    """Return the object that `rawcd extract --json` prints."""
    return {
        "rawcd_extract": SCHEMA,
        "file": file,
        "files": [
            {
                "path": str(each.path),
                "size": each.path.stat().st_size,
                "kind": each.kind.value,
                "track": each.track,
                "lba": each.lba,
                "sectors": each.sectors,
                "tags": dict(each.tags),
            }
            for each in done.files
        ],
        "notes": list(map(str, done.notes)),
    }
