"""`rawcd diff`: two images compared as discs."""

from __future__ import annotations

import json
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, Final

import click

from rawcd.cli.completing import FILE
from rawcd.cli.options import json_option, trust_paths_option
from rawcd.cli.status import FOUND
from rawcd.cli.terminal import progress_bar
from rawcd.diff import PARTS

if TYPE_CHECKING:
    from rawcd.diff import Comparison

SCHEMA: Final = 1
"""Version of the JSON object; it grows only by new keys."""
_EXAMPLES: Final = """\b
Examples:
  rawcd diff album.cue album.raw
  rawcd diff rip.cue other-rip.cue --ignore subcode
  rawcd diff a.ccd b.mds --json
"""


@click.command(short_help="Compare two images as discs.", epilog=_EXAMPLES)
@click.argument("a", metavar="A", type=FILE)
@click.argument("b", metavar="B", type=FILE)
@click.option(
    "--ignore",
    "ignored",
    type=click.Choice(PARTS),
    multiple=True,
    help="What may differ; without subcode P and Q may, as long as they say the same.",
)
@trust_paths_option
@json_option
def diff(a: str, b: str, ignored: tuple[str, ...], trust_paths: bool, as_json: bool) -> None:
    """Compare two images of any format as discs: layout, texts, every sector, subcode.

    What differs is counted and told with the first place. Where sound differs, it is looked
    for at an offset of some samples, as drives and pressings have them.

    Exit status: 0 they are the same, 1 error, 2 usage, 3 they differ.
    """
    from rawcd.diff import diff_images
    from rawcd.plugins import open_image

    one, other = (open_image(path, trust_paths=trust_paths) for path in (a, b))
    bar = nullcontext() if as_json else progress_bar(f"{a} {b}", sector_size=one.sector_size)
    with bar as progress:
        found = diff_images(one, other, ignore=ignored, progress=progress)
    if as_json:
        about = describe(found, a=a, b=b)
        click.echo(json.dumps(about, indent=2, ensure_ascii=False))
    else:
        _show(found)
    if not found.equal:
        click.get_current_context().exit(FOUND)


def _show(found: Comparison) -> None:
    for note in found.notes:
        click.echo(f"note: {note}", err=True)
    for each in found.differences:
        click.echo(str(each))
    if found.offset is not None:
        click.echo(f"offset: {found.offset}")
    if found.equal:
        click.echo(f"the same in {found.sectors} sectors")


def describe(found: Comparison, *, a: str, b: str) -> dict[str, Any]:
    """Return the object that `rawcd diff --json` prints."""
    offset = found.offset
    return {
        "rawcd_diff": SCHEMA,
        "a": a,
        "b": b,
        "equal": found.equal,
        "sectors": found.sectors,
        "differences": [
            {
                "part": each.part,
                "code": each.code,
                "message": each.message,
                "count": each.count,
                "unit": each.unit,
                "lba": each.lba,
                "msf": None if each.msf is None else str(each.msf),
                "track": each.track,
                "a": each.a,
                "b": each.b,
            }
            for each in found.differences
        ],
        "offset": None
        if offset is None
        else {
            "samples": offset.samples,
            "same_sound": offset.same_sound,
            "compared": offset.compared,
            "different": offset.different,
            "at_ends": offset.at_ends,
            "lba": offset.lba,
        },
        "notes": list(found.notes),
    }
