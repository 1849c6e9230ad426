"""`rawcd build`: a sheet, an image or sound files become a disc image."""

from __future__ import annotations

import json
import sys
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

import click

from rawcd.cli.completing import FILE, format_names
from rawcd.cli.folders import (
    folder_options,
    from_folder,
    is_image,
    left_open,
    volume_options,
    with_folder,
)
from rawcd.cli.options import (
    KINDS,
    allow_loss_option,
    force_option,
    jobs_option,
    settings_option,
    trust_paths_option,
)
from rawcd.cli.terminal import progress_bar, show_notes
from rawcd.cli.texts import with_texts
from rawcd.errors import AuthoringError, FormatError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rawcd.fileset import InputFiles
    from rawcd.image import RegionImage
    from rawcd.plugins import WriteResult

SCHEMA: Final = 1
"""Version of the JSON object; it grows only by new keys."""
_MAX_TRACKS: Final = 99
_EXAMPLES: Final = """\b
Examples:
  rawcd build album.cue -o album.raw
  rawcd build *.flac -o album.cue --gaps
  rawcd build photos/ -o photos.cue --volume PHOTOS
  rawcd build album.cue --data extras/ -o enhanced.raw
  rawcd build disc.toml -o - | ssh burner ...
"""


def _within_a_disc(context: click.Context, option: click.Parameter, lba: int | None) -> int | None:
    """Refuse a limit that no disc can have; the law is loaded for that alone."""
    if lba is None:
        return None
    from rawcd.rules import MAX_LEAD_OUT_LBA

    if not 1 <= lba <= MAX_LEAD_OUT_LBA:
        raise click.BadParameter(f"{lba} is not from 1 to {MAX_LEAD_OUT_LBA}", context, option)
    return lba


@click.command(short_help="Make a disc image.", epilog=_EXAMPLES)
@click.argument(
    "inputs", nargs=-1, required=True, metavar="SHEET_SOUND_FILES_OR_FOLDER...", type=FILE
)
@click.option(
    "-o",
    "--output",
    required=True,
    metavar="OUT",
    type=FILE,
    help="The file to make; its suffix chooses the format. - streams to a pipe.",
)
@click.option(
    "--format",
    "format_name",
    metavar="NAME",
    shell_complete=format_names,
    help="The format, whatever the suffix.",
)
@click.option(
    "--type",
    "kind",
    type=click.Choice(KINDS),
    help="Subcode of a raw image: pq 16 bytes a sector, cooked or raw 96.  [default: raw]",
)
@click.option("--mcn", metavar="DIGITS", help="Media catalogue number, with its check digit.")
@click.option(
    "--leadout-limit",
    metavar="LBA",
    type=int,
    callback=_within_a_disc,
    help="Refuse a disc whose lead-out would start behind this LBA.",
)
@click.option(
    "--cdg",
    "graphics",
    multiple=True,
    metavar="[TRACK=]FILE",
    type=FILE,
    help="CD+G for a track; without a number for the next one. Sound files bring theirs by name.",
)
@click.option(
    "--cdtext",
    "text_files",
    multiple=True,
    metavar="FILE",
    type=FILE,
    help="Texts: a .cdt file of packs, or v07t sheets, one for each language.",
)
@click.option("--gaps", is_flag=True, help="Two silent seconds between sound files.")
@click.option(
    "--pad-short",
    is_flag=True,
    help="Fill tracks under 4 seconds: with silence, or data sectors of zeros.",
)
@folder_options
@click.option(
    "--style",
    type=click.Choice(("standard", "cdrdao", "cdrecord")),
    default=None,
    help="Make P and Q as another writer does.",
)
@click.option(
    "--sector-size",
    type=click.Choice(("2048", "2352")),
    help="Mode 1 tracks in a cue sheet's BIN: user data alone, or whole sectors.  [default: 2352]",
)
@settings_option
@jobs_option("make sectors; more than one is worth it for a whole disc")
@trust_paths_option
@force_option
@allow_loss_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object; not with -o -.")
def build(
    inputs: tuple[str, ...],
    output: str,
    format_name: str | None,
    kind: str | None,
    mcn: str | None,
    leadout_limit: int | None,
    graphics: tuple[str, ...],
    text_files: tuple[str, ...],
    gaps: bool,
    pad_short: bool,
    data_folder: str | None,
    onto: str | None,
    appendable: bool,
    xa: bool,
    volume: str,
    joliet: bool,
    rock_ridge: bool,
    udf: bool,
    boot: str | None,
    relax: bool,
    style: str | None,
    sector_size: str | None,
    settings: tuple[str, ...],
    jobs: int,
    trust_paths: bool,
    force: bool,
    allow_loss: bool,
    as_json: bool,
) -> None:
    """Make a disc image of a cue sheet, of another image, of sound files, or of a folder.

    Sound files become one track each, butted together; a folder becomes a data disc, or with
    --onto a further session. What was changed or left out on the way is noted on stderr;
    nothing is overwritten without --force, and outputs appear whole or not at all.
    """
    if not output:
        raise click.UsageError("-o needs a file name, or - for a pipe")
    to_pipe = output == "-"
    if to_pipe and as_json:
        raise click.UsageError("-o - writes the image to stdout, where --json would print")
    if to_pipe and sys.stdout.isatty():
        raise click.UsageError("-o - writes binary data and stdout is a terminal; use a pipe")
    options = dict(_setting(setting) for setting in settings)
    if sector_size is not None:
        options["sector-size"] = sector_size
    if jobs > 1:
        options["jobs"] = str(jobs)
    kind_of_volume = volume_options(
        volume=volume, joliet=joliet, rock_ridge=rock_ridge, udf=udf, boot=boot, relax=relax
    )
    is_folder = Path(inputs[0]).is_dir() and not is_image(inputs[0])
    folder = inputs[0] if is_folder else None
    if folder is None:
        if onto is not None:
            raise click.UsageError("--onto is for a folder that becomes a further session")
        image = opened(inputs, gaps=gaps, trust_paths=trust_paths)
    else:
        if len(inputs) > 1 or data_folder is not None:
            raise click.UsageError(f"{folder} is a folder: give it alone, or behind --data")
        image = from_folder(
            folder,
            kind_of_volume,
            onto=onto,
            xa=xa,
            appendable=appendable,
            limit=leadout_limit,
            trust_paths=trust_paths,
        )
    image = _settled(image, kind=kind, mcn=mcn, style=style, pad_short=pad_short)
    image = with_texts(with_cdg(image, inputs, graphics), text_files)
    if data_folder is not None:
        image = with_folder(
            image, data_folder, kind_of_volume, xa=True, appendable=appendable, limit=leadout_limit
        )
    elif appendable and folder is None:
        image = left_open(image)
    _check_rules(image, leadout_limit)
    if not as_json:
        show_notes(image.notes)
    result = _saved(
        image,
        output,
        to_pipe=to_pipe,
        quiet=as_json,
        format_name=format_name,
        allow_loss=allow_loss,
        force=force,
        options=options,
    )
    if as_json:
        told = {
            "rawcd_build": SCHEMA,
            "files": [{"path": str(path), "size": path.stat().st_size} for path in result.files],
            "losses": list(map(str, result.losses)),
            "notes": list(map(str, (*image.notes, *result.notes))),
        }
        click.echo(json.dumps(told, indent=2, ensure_ascii=False))
        return
    show_notes(result.notes)
    for loss in result.losses:
        click.echo(f"lost: {loss}", err=True)
    for path in result.files:
        click.echo(f"{path}  {path.stat().st_size} bytes")


def _setting(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise click.UsageError(f"--set {text!r}: write KEY=VALUE")
    return key, value


def opened(inputs: Sequence[str], *, gaps: bool, trust_paths: bool = False) -> RegionImage:
    """Return the image of one sheet or image, or of sound files."""
    from rawcd.fileset import InputFiles
    from rawcd.image import RegionImage
    from rawcd.plugins import main_file, open_image

    files = [InputFiles(main_file(path), trust_paths=trust_paths) for path in inputs]
    formats = [_format_of(each) for each in files]
    if any(formats) and len(inputs) > 1:
        known = inputs[[bool(name) for name in formats].index(True)]
        raise click.UsageError(f"{known} is a sheet or an image: give it alone, or sound files")
    if formats[0] is None:
        return _from_sounds(files, gaps=gaps)
    if gaps:
        raise click.UsageError("--gaps is for sound files; a sheet says its own gaps")
    image = open_image(files[0], format=formats[0])
    if not isinstance(image, RegionImage):
        raise click.UsageError(
            f"{inputs[0]}: the format {formats[0]} gives images that cannot be changed here"
        )
    return image


def _format_of(files: InputFiles) -> str | None:
    """Return the format that recognises a file, or None when it is sound."""
    from rawcd.audio import is_sound
    from rawcd.plugins import recognised_format

    try:
        return recognised_format(files)
    except FormatError:
        if not files.leaves_a_choice and is_sound(files.reader):
            return None
        raise


def _from_sounds(inputs: Sequence[InputFiles], *, gaps: bool) -> RegionImage:
    """Return the image of the sheet that says FILE, TRACK, INDEX 01 00:00:00 for each file."""
    from rawcd.fileset import InputFiles
    from rawcd.image import RegionImage
    from rawcd.plugins import open_image

    if len(inputs) > _MAX_TRACKS:
        raise AuthoringError(
            f"{len(inputs)} sound files would be {len(inputs)} tracks; a disc has at most "
            f"{_MAX_TRACKS}",
            rule="too-many-tracks",
        )
    lines = []
    for number, _ in enumerate(inputs, 1):
        lines += [f'FILE "{number}" WAVE', f"TRACK {number:02} AUDIO"]
        if gaps and number > 1:
            lines.append("PREGAP 00:02:00")
        lines.append("INDEX 01 00:00:00")
    files = InputFiles(
        "sound files",
        text="\n".join(lines),
        members={str(number): each for number, each in enumerate(inputs, 1)},
    )
    image = open_image(files, format="cue")
    assert isinstance(image, RegionImage)
    # Nobody wrote that sheet: what is noted of its lines is noted of the track's sound.
    notes = (
        replace(note, file=None if note.track is None else inputs[note.track - 1].name, line=None)
        if note.file == files.name
        else note
        for note in image.notes
    )
    return replace(image, notes=tuple(notes))


def _settled(
    image: RegionImage, *, kind: str | None, mcn: str | None, style: str | None, pad_short: bool
) -> RegionImage:
    """Return the image with what the options ask for."""
    from rawcd.image import ImageType, SubForm
    from rawcd.padding import pad_short_tracks
    from rawcd.rules import complete_mcn

    recorded = [each.form not in (SubForm.MADE, SubForm.RW) for each in image.sub]
    if pad_short:
        image = pad_short_tracks(image)
    if mcn is not None:
        image = replace(image, disc=replace(image.disc, mcn=complete_mcn(mcn)))
        if any(recorded):
            image = _with_note(
                image, "--mcn is for formats without subcode; the recorded frames stay as they are"
            )
    if kind is not None:
        image = image.as_kind(ImageType(1 + KINDS.index(kind)))
    if style is not None:
        image = image.with_style(style)
        if all(recorded):
            image = _with_note(image, "--style changes nothing: all of the subcode was recorded")
    return image


def _with_note(image: RegionImage, message: str) -> RegionImage:
    from rawcd.image import Note

    note = Note(code="subcode-recorded", message=message)
    return replace(image, notes=(*image.notes, note))


def with_cdg(image: RegionImage, inputs: Sequence[str], given: Sequence[str] = ()) -> RegionImage:
    """Return the image with the CD+G that was named, or that lies beside the sound files."""
    from rawcd.image import Note

    tracks = image.disc.tracks
    files: dict[int, str] = {}
    following = tracks[0].number
    for text in given:
        number, equals, path = text.partition("=")
        if not (equals and number.isascii() and number.isdecimal()):
            number, path = str(following), text
        if int(number) not in {track.number for track in tracks}:
            raise click.UsageError(f"--cdg {text}: there is no track {number}")
        files[int(number)] = path
        following = int(number) + 1
    notes = []
    if not given and len(inputs) == len(tracks):
        for track, sound in zip(tracks, inputs, strict=True):
            if (beside := _graphics_beside(sound)) is not None:
                files[track.number] = str(beside)
                notes.append(
                    Note(
                        code="cdg-found",
                        message=f"CD+G was taken from {beside}",
                        track=track.number,
                    )
                )
    if not files:
        return image
    from rawcd.graphics import with_graphics

    image = with_graphics(image, files)
    return replace(image, notes=(*image.notes, *notes))


def _graphics_beside(sound: str) -> Path | None:
    """Return the `.cdg` file that goes by a sound file's name, in either case."""
    from rawcd.audio import SOUND_SUFFIXES

    path = Path(sound)
    if path.suffix.lower() not in SOUND_SUFFIXES:
        return None
    return next(
        (beside for suffix in (".cdg", ".CDG") if (beside := path.with_suffix(suffix)).is_file()),
        None,
    )


def _check_rules(image: RegionImage, limit: int | None) -> None:
    """Refuse what must not be authored."""
    from rawcd.rules import MAX_LEAD_OUT_LBA, rule_breaks

    breaks = rule_breaks(image.disc, lead_out_limit=limit or MAX_LEAD_OUT_LBA)
    if breaks:
        remedy = "; --pad-short fills it" if breaks[0].rule == "short-track" else ""
        raise AuthoringError("; ".join(map(str, breaks)) + remedy, rule=breaks[0].rule)


def _saved(
    image: RegionImage,
    output: str,
    *,
    to_pipe: bool,
    quiet: bool,
    format_name: str | None,
    allow_loss: bool,
    force: bool,
    options: dict[str, str],
) -> WriteResult:
    from rawcd.plugins import save_image

    target: BinaryIO | Path = sys.stdout.buffer if to_pipe else Path(output)
    bar = nullcontext() if to_pipe or quiet else progress_bar(output, sector_size=image.sector_size)
    with bar as progress:
        return save_image(
            image,
            target,
            format=format_name or ("raw" if to_pipe else None),
            allow_loss=allow_loss,
            replace=force,
            options=options,
            progress=progress,
        )
