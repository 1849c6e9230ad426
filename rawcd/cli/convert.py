"""`rawcd convert`: an image in another format, or many into a folder."""

from __future__ import annotations

import json
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from rawcd.cli.completing import FILE, format_names
from rawcd.cli.folders import is_image
from rawcd.cli.options import (
    allow_loss_option,
    force_option,
    jobs_option,
    json_option,
    settings_option,
    trust_paths_option,
)
from rawcd.cli.terminal import progress_bar, show_notes
from rawcd.errors import CancelledError, RawCDError, UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rawcd.plugins import WriteResult

SCHEMA: Final = 1
"""Version of the JSON object; it grows only by new keys."""


_EXAMPLES: Final = """\b
Examples:
  rawcd convert album.cue album.toc
  rawcd convert disc.mds disc.chd --jobs 2
  rawcd convert *.cue discs/ --to chd
"""


@click.command(short_help="Convert an image into another format.", epilog=_EXAMPLES)
@click.argument("inputs", nargs=-1, required=True, metavar="IN... OUT", type=FILE)
@click.option(
    "--to",
    "--format",
    "format_name",
    metavar="FORMAT",
    shell_complete=format_names,
    help="The format to make, whatever the suffix of OUT; needed where OUT is a folder.",
)
@click.option("--split", is_flag=True, help="A file for each track, where the format can.")
@click.option("--sub", is_flag=True, help="Subcode in a file beside, where the format can.")
@settings_option
@jobs_option("make sectors")
@allow_loss_option
@force_option
@trust_paths_option
@json_option
def convert(
    inputs: tuple[str, ...],
    format_name: str | None,
    split: bool,
    sub: bool,
    settings: tuple[str, ...],
    jobs: int,
    allow_loss: bool,
    force: bool,
    trust_paths: bool,
    as_json: bool,
) -> None:
    """Convert an image or a sheet into another format; many into a folder.

    What the target cannot hold is listed and refused before a byte is written; --allow-loss
    goes on and lists the same. An existing disc may break the rules of authoring: it is
    converted as it is. One of several that cannot be converted is told of; the others are.
    """
    from rawcd.fileset import check_free

    if len(inputs) < 2:
        raise click.UsageError("name what to convert and what to make: IN OUT")
    *sources, target = inputs
    if target == "-":
        raise click.UsageError("convert makes files and cannot fill a pipe: name one")
    options = _options(settings, split=split, sub=sub, jobs=jobs)
    path = Path(target)
    into_folder = path.is_dir() and not is_image(path)
    if len(sources) > 1 and not into_folder:
        raise click.UsageError(f"{target} is no folder; several images go into one")
    if into_folder and format_name is None:
        raise click.UsageError("where images go into a folder, --to names their format")
    pairs = _pairs(sources, path, format_name) if into_folder else [(sources[0], path)]
    if not force:
        for _, output in pairs:  # before any work begins
            check_free(output)
    results = []
    for source, output in pairs:
        about: dict[str, Any] = {
            "input": source,
            "refused": False,
            "error": None,
            "files": [],
            "losses": [],
            "notes": [],
        }
        try:
            about |= _converted(
                source,
                output,
                format_name=format_name,
                options=options,
                allow_loss=allow_loss,
                force=force,
                trust_paths=trust_paths,
                quiet=as_json,
            )
        except CancelledError:
            raise
        except RawCDError as error:
            if len(pairs) == 1:
                raise
            about["error"] = str(error)
            click.echo(f"rawcd: {error}", err=True)
        results.append(about)
    if as_json:
        click.echo(
            json.dumps({"rawcd_convert": SCHEMA, "results": results}, indent=2, ensure_ascii=False)
        )
    if failed := sum(result["error"] is not None for result in results):
        raise click.ClickException(f"{failed} of {len(results)} images could not be converted")
    if any(result["refused"] for result in results):
        raise click.ClickException(
            "nothing was written where something would be lost; --allow-loss goes on"
        )


def _options(settings: Sequence[str], *, split: bool, sub: bool, jobs: int) -> dict[str, str]:
    options = {}
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not key or not equals:
            raise click.UsageError(f"--set {setting!r}: write KEY=VALUE")
        options[key] = value
    if split:
        options["split"] = "yes"
    if sub:
        options["sub"] = "yes"
    if jobs > 1:
        options["jobs"] = str(jobs)
    return options


def _pairs(sources: Sequence[str], target: Path, format_name: str | None) -> list[tuple[str, Path]]:
    """Return each input with its output; no two inputs may want the same one."""
    from rawcd.fileset import without_wrapping
    from rawcd.plugins import load_format

    assert format_name is not None, "a folder without --to was refused"
    suffix = load_format(format_name).suffixes[0]
    stems = [Path(without_wrapping(source)).stem for source in sources]
    pairs = [
        (source, target / (stem + suffix)) for source, stem in zip(sources, stems, strict=True)
    ]
    wanted = [output for _, output in pairs]
    for output in wanted:
        if wanted.count(output) > 1:
            raise click.UsageError(f"several inputs would become {output}; convert them apart")
    return pairs


def _converted(
    source: str,
    output: Path,
    *,
    format_name: str | None,
    options: Mapping[str, str],
    allow_loss: bool,
    force: bool,
    trust_paths: bool,
    quiet: bool,
) -> dict[str, Any]:
    """Convert one image and tell of it; what would be lost is an answer, not an end."""
    from rawcd.plugins import open_image, save_image

    image = open_image(source, trust_paths=trust_paths)
    if not quiet:
        show_notes(image.notes)
    bar = nullcontext() if quiet else progress_bar(str(output), sector_size=image.sector_size)
    about: dict[str, Any] = {"notes": list(map(str, image.notes))}
    try:
        with bar as progress:
            result = save_image(
                image,
                output,
                format=format_name,
                allow_loss=allow_loss,
                replace=force,
                options=options,
                progress=progress,
            )
    except UnsupportedError as error:
        if not error.lost:
            raise
        about |= {"refused": True, "losses": list(error.lost)}
        for each in error.lost:
            click.echo(f"{source}: would be lost: {each}", err=True)
        return about
    about["files"] = [{"path": str(p), "size": p.stat().st_size} for p in result.files]
    about["losses"] = list(map(str, result.losses))
    about["notes"] += map(str, result.notes)
    if not quiet:
        _show(source, result)
    return about


def _show(source: str, result: WriteResult) -> None:
    show_notes(result.notes)
    for loss in result.losses:
        click.echo(f"{source}: lost: {loss}", err=True)
    for path in result.files:
        click.echo(f"{path}  {path.stat().st_size} bytes")
