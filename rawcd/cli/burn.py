"""`rawcd burn`, and what goes with a drive: `drives`, `blank`, `eject`, `read`."""

from __future__ import annotations

import json
import math
import sys
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, Final

import click

from rawcd.cli.completing import FILE, format_names
from rawcd.cli.options import allow_loss_option, force_option, json_option, trust_paths_option
from rawcd.cli.status import FOUND
from rawcd.cli.terminal import progress_bar, show_notes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rawcd.drives import Comparison
    from rawcd.progress import BurnProgress, BurnWatch
    from rawcd.recorders import RecorderFacts

SCHEMA: Final = 1
"""Version of the JSON object; it grows only by new keys."""

_BURN_EXAMPLES: Final = """\b
Examples:
  rawcd burn album.cue --drive /dev/sr0
  rawcd burn album.cue --drive virtual:rehearsal.raw
  rawcd burn *.flac --drive /dev/sr0 --speed 8 --verify
"""
_DRIVES_EXAMPLES: Final = """\b
Examples:
  rawcd drives
  rawcd drives virtual:rehearsal.raw --json
"""
_BLANK_EXAMPLES: Final = """\b
Examples:
  rawcd blank --drive /dev/sr0
  rawcd blank --drive "virtual:rw.raw?medium=cdrw-short" --full
"""
_EJECT_EXAMPLES: Final = """\b
Example:
  rawcd eject --drive /dev/sr0
"""
_READ_EXAMPLES: Final = """\b
Examples:
  rawcd read /dev/sr0 copy.cue
  rawcd read /dev/sr0 copy.raw --retries 20 --c2
"""
_drive = click.option(
    "--drive",
    "drive",
    metavar="DRIVE",
    type=FILE,
    required=True,
    help="/dev/sr0, iscsi://HOST/TARGET/LUN, or virtual:FILE, a recorder that is a program.",
)


@contextmanager
def _watch(label: str) -> Iterator[BurnWatch | None]:
    """Show a bar while stdout is a terminal."""
    with progress_bar(label, sector_size=2352) as tell:
        if tell is None:
            yield None
            return

        def watch(now: BurnProgress) -> None:
            if now.sector_count:
                tell(max(0, now.written_lba + 1 - now.start_lba), now.sector_count)

        yield watch


def _finite(context: click.Context, option: click.Parameter, value: float | None) -> float | None:
    if value is not None and not math.isfinite(value):  # click's ranges let NaN through
        raise click.BadParameter(f"{value} is no speed.", context, option)
    return value


@contextmanager
def _after_burning(drive: str, state: str) -> Iterator[None]:
    """Tell, whatever ends the work behind a burn, that the disc was burned before."""
    from rawcd.errors import CancelledError, DriveError

    try:
        yield
    except (CancelledError, DriveError) as error:
        error.disc_state = f"it was burned before; {state}"
        raise
    except BaseException as error:
        error.add_note(f"{drive} was burned before; {state}")
        raise


@click.command(short_help="Burn an image, a sheet or sound files.", epilog=_BURN_EXAMPLES)
@click.argument("inputs", nargs=-1, required=True, metavar="IN...", type=FILE)
@_drive
@click.option(
    "--mode",
    type=click.Choice(["auto", "raw", "sao", "tao"]),
    default="auto",
    show_default=True,
    help="How to write; auto takes the best that the drive has.",
)
@click.option(
    "--speed",
    metavar="N",
    type=click.FloatRange(min=0.1),
    callback=_finite,
    help="Times single speed.",
)
@click.option("--simulate", is_flag=True, help="Do all but switch the laser's power on.")
@click.option("--verify", is_flag=True, help="Compare every sector and its subcode afterwards.")
@click.option("--eject", "eject_after", is_flag=True, help="Open the tray at the end.")
@click.option("--overburn", is_flag=True, help="Try more than the blank promises to hold.")
@click.option("--gaps", is_flag=True, help="Two seconds of silence between sound files.")
@click.option(
    "--pad-short",
    is_flag=True,
    help="Fill tracks under 4 seconds: with silence, or data sectors of zeros.",
)
@trust_paths_option
@json_option
def burn(
    inputs: tuple[str, ...],
    drive: str,
    mode: str,
    speed: float | None,
    simulate: bool,
    verify: bool,
    eject_after: bool,
    overburn: bool,
    gaps: bool,
    pad_short: bool,
    trust_paths: bool,
    as_json: bool,
) -> int:
    """Write an image, a sheet or sound files on the blank disc in a drive.

    What does not fit, or must not be on a disc, is refused before anything is written. The exit
    status is 3 where --verify finds differences.
    """
    from rawcd.cli.build import opened, with_cdg
    from rawcd.padding import pad_short_tracks
    from rawcd.recorders import find_recorder

    image = opened(inputs, gaps=gaps, trust_paths=trust_paths)
    if pad_short:
        image = pad_short_tracks(image)
    image = with_cdg(image, inputs)
    show_notes(image.notes)

    def planned(plan: Any) -> None:
        """Say before anything is written what the disc will lack."""
        for loss in plan.losses:
            click.echo(f"{drive}: not on the disc in mode {plan.mode.value}: {loss}", err=True)

    compared = None
    with find_recorder(drive).open(exclusive=True, client="rawcd") as session:
        with nullcontext() if as_json else _watch(drive) as watch:
            result = session.burn(
                image,
                mode=mode,
                simulate=simulate,
                speed=speed,
                overburn=overburn,
                progress=watch,
                planned=planned,
            )
        for remark in result.remarks:
            click.echo(f"{drive}: {remark}", err=True)
        if not as_json:
            done = "rehearsed" if simulate else "burned"
            click.echo(f"{drive}: {done} in mode {result.mode}, {result.sectors} sectors")
            click.echo(f"{drive}: {result.disc_state}")
        if verify and simulate:
            click.echo(f"{drive}: not compared: a rehearsal writes nothing", err=True)
        with nullcontext() if simulate else _after_burning(drive, result.disc_state):
            if verify and not simulate:
                bar = nullcontext() if as_json else progress_bar(drive, sector_size=2352)
                with bar as progress:
                    compared = session.compare(image, result, progress=progress)
            if eject_after:
                session.eject()
    if as_json:
        told = {
            "rawcd_burn": SCHEMA,
            "drive": drive,
            "mode": result.mode,
            "simulated": result.simulated,
            "sectors": result.sectors,
            "disc_state": result.disc_state,
            "losses": list(map(str, result.losses)),
            "remarks": list(result.remarks),
            "compared": None if compared is None else _compared_object(compared),
        }
        click.echo(json.dumps(told, indent=2, ensure_ascii=False))
    if compared is None:
        return 0
    return _show_compared(drive, compared, as_json=as_json)


def _compared_object(compared: Comparison) -> dict[str, Any]:
    return {
        "sectors": compared.sectors,
        "skipped": list(compared.skipped),
        "same": compared.same,
        "differences": list(compared.lines),
    }


def _show_compared(drive: str, compared: Comparison, *, as_json: bool) -> int:
    """Tell how a disc and its image compare; return the command's status."""
    for line in compared.skipped:
        click.echo(f"{drive}: not compared: {line}", err=True)
    for line in compared.lines:
        click.echo(f"{drive}: {line}", err=True)
    if not compared.same:
        click.echo(f"{drive}: the disc is not what was burned", err=True)
        return FOUND
    if not as_json:
        same = "sectors compared, the disc is what was burned"
        click.echo(f"{drive}: {compared.sectors} {same}")
    return 0


@click.command(short_help="List the recorders, and what is in them.", epilog=_DRIVES_EXAMPLES)
@click.argument("names", nargs=-1, metavar="[DRIVE]...", type=FILE)
@json_option
def drives(names: tuple[str, ...], as_json: bool) -> None:
    """List the recorders of this computer, or those that are named.

    Virtual recorders and those behind iSCSI are listed too when RAWCD_RECORDERS names them, with
    ";" between two names.
    """
    from dataclasses import asdict

    from rawcd.errors import RawCDError
    from rawcd.recorders import find_recorder, list_recorders

    found = [find_recorder(name) for name in names] if names else list(list_recorders())
    told = []
    for recorder in found:
        try:
            told.append(recorder.facts())
        except RawCDError as error:
            if names:
                raise
            print(f"{recorder.name}: {' '.join(str(error).splitlines())}", file=sys.stderr)
    if as_json:
        drives_told = [asdict(facts) for facts in told]
        click.echo(
            json.dumps(
                {"rawcd_drives": SCHEMA, "drives": drives_told}, indent=2, ensure_ascii=False
            )
        )
        return
    if not told:
        click.echo("no recorder; virtual:FILE is one on every Unix")
    for facts in told:
        click.echo(f"{facts.name}  {facts.vendor} {facts.product} {facts.firmware}")
        for line in _inside(facts):
            click.echo(f"  {line}")


def _inside(facts: RecorderFacts) -> Iterator[str]:
    """Yield what is in a drive, in words."""
    if facts.medium is None:
        yield "empty"
        return
    state = "blank" if facts.blank else "closed" if facts.closed else "written, not closed"
    yield ", ".join(filter(None, (facts.medium, state, facts.maker_code)))
    if facts.maker:
        yield f"made by {facts.maker}" + (f", {facts.dye}" if facts.dye else "")
    if facts.modes:
        yield f"writes {', '.join(facts.modes)}"
    if facts.modes and facts.speeds:
        yield f"at {', '.join(f'{speed:g}' for speed in facts.speeds)} times single speed"
    if facts.last_lead_out_lba is not None:
        yield f"lead-out at LBA {facts.last_lead_out_lba} at the latest"


@click.command(short_help="Erase a rewritable disc.", epilog=_BLANK_EXAMPLES)
@_drive
@click.option("--full", is_flag=True, help="Erase all of it, not its lists alone.")
def blank(drive: str, full: bool) -> None:
    """Erase the CD-RW in a drive."""
    from rawcd.recorders import find_recorder

    with find_recorder(drive).open(exclusive=True, client="rawcd") as session:
        session.blank(quick=not full)
    click.echo(f"{drive}: the disc is blank")


@click.command(short_help="Open the tray of a drive.", epilog=_EJECT_EXAMPLES)
@_drive
def eject(drive: str) -> None:
    """Open the tray of a drive."""
    from rawcd.recorders import find_recorder

    with find_recorder(drive).open(exclusive=True, client="rawcd") as session:
        session.eject()


@click.command(short_help="Copy a disc into a file of any format.", epilog=_READ_EXAMPLES)
@click.argument("drive", metavar="DRIVE", type=FILE)
@click.argument("output", metavar="OUT", type=FILE)
@click.option(
    "--to",
    "--format",
    "format_name",
    metavar="FORMAT",
    shell_complete=format_names,
    help="The format, whatever OUT's suffix.",
)
@click.option(
    "--sub",
    type=click.Choice(["raw", "rw", "q", "none"]),
    default="raw",
    show_default=True,
    help="The subcode that is read.",
)
@click.option("--c2", is_flag=True, help="Report bytes that the drive could not correct.")
@click.option(
    "--retries",
    metavar="N",
    type=click.IntRange(0, 100),
    default=3,
    show_default=True,
    help="How often a sector that cannot be read is tried again.",
)
@allow_loss_option
@force_option
@json_option
def read(
    drive: str,
    output: str,
    format_name: str | None,
    sub: str,
    c2: bool,
    retries: int,
    allow_loss: bool,
    force: bool,
    as_json: bool,
) -> None:
    """Copy the disc in a drive into a file of any format."""
    if output == "-":
        raise click.UsageError("read makes files and cannot fill a pipe: name one")
    from rawcd.plugins import save_image
    from rawcd.recorders import find_recorder

    with find_recorder(drive).open(exclusive=True, client="rawcd") as session:
        image, reader = session.image(sub=sub, flags=c2, retries=retries)
        bar = nullcontext() if as_json else progress_bar(output, sector_size=image.sector_size)
        with bar as progress:
            result = save_image(
                image,
                output,
                format=format_name,
                allow_loss=allow_loss,
                replace=force,
                progress=progress,
            )
        show_notes(result.notes)
        for loss in result.losses:
            click.echo(f"{drive}: lost: {loss}", err=True)
        for lba, count in sorted(reader.retried.items()):
            click.echo(f"{drive}: LBA {lba} took {count + 1} tries", err=True)
        for lba in sorted(reader.lost):
            click.echo(f"{drive}: LBA {lba}: a link block that holds nothing", err=True)
        for lba, count in sorted(reader.flagged.items()):
            click.echo(f"{drive}: LBA {lba}: {count} bytes could not be corrected", err=True)
    if as_json:
        told = {
            "rawcd_read": SCHEMA,
            "drive": drive,
            "files": [{"path": str(path), "size": path.stat().st_size} for path in result.files],
            "losses": list(map(str, result.losses)),
            "notes": list(map(str, result.notes)),
            "retried": [
                {"lba": lba, "tries": count + 1} for lba, count in sorted(reader.retried.items())
            ],
            "lost": sorted(reader.lost),
            "flagged": [
                {"lba": lba, "bytes": count} for lba, count in sorted(reader.flagged.items())
            ],
        }
        click.echo(json.dumps(told, indent=2, ensure_ascii=False))
        return
    for path in result.files:
        click.echo(f"{path}  {path.stat().st_size} bytes")
