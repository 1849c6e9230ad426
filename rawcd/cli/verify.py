"""`rawcd verify`: whether a disc image is as it should be."""

from __future__ import annotations

import json
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from rawcd.cli.completing import FILE
from rawcd.cli.options import (
    KINDS,
    format_option,
    jobs_option,
    json_option,
    stored_rw_option,
    trust_paths_option,
)
from rawcd.cli.status import FOUND
from rawcd.cli.terminal import progress_bar

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rawcd.verify import Finding, Report

SCHEMA: Final = 1
"""Version of the JSON object; it grows only by new keys."""

_EXAMPLES: Final = """\b
Examples:
  rawcd verify album.raw
  rawcd verify disc.ccd --jobs 2 --json
  rawcd verify scratched.raw --repair mended.raw
"""


@click.command(short_help="Check a disc image, byte by byte.", epilog=_EXAMPLES)
@click.argument("image", metavar="IMAGE", type=FILE)
@json_option
@format_option
@jobs_option("read sectors")
@stored_rw_option
@click.option(
    "--repair",
    "output",
    metavar="OUT",
    type=FILE,
    help="Write an image with what could be mended; its suffix names the format.",
)
@click.option("--force", is_flag=True, help="Replace an existing OUT.")
@click.option("--allow-loss", is_flag=True, help="Go on when OUT cannot hold everything.")
@trust_paths_option
def verify(
    image: str,
    as_json: bool,
    format_name: str | None,
    jobs: int,
    kind: str | None,
    output: str | None,
    force: bool,
    allow_loss: bool,
    trust_paths: bool,
) -> int:
    """Check a disc image: every sector, every frame of its subcode, and the disc as a whole.

    Each finding is a line with its address, track and rule; the last line sums up. All is told
    from the bytes. Subcode that an image does not hold is made for it, and the sum says so.

    --repair mends data sectors and R-W packs by their own parity, frames of Q whose CRC is wrong
    by their neighbours, and P; the lines tell what was mended and what is left. IMAGE is not
    touched. (Some discs are protected by frames with a wrong CRC: mended, they do not run.)

    Exit status: 0 no defect (there may be warnings), 1 error, 2 usage, 3 defects; with --repair 3
    where some are left.
    """
    from rawcd.fileset import check_free
    from rawcd.image import ImageType
    from rawcd.plugins import format_for, open_image, save_image
    from rawcd.verify import repair_image, verify_image

    if output is None and (force or allow_loss):
        raise click.UsageError("--force and --allow-loss are about what --repair writes")
    if output is not None:  # before all is read
        format_for(output)
        if not force:
            check_free(Path(output))
    rw = None if kind is None else ImageType(1 + KINDS.index(kind))
    opened = open_image(image, format=format_name, rw=rw, trust_paths=trust_paths)
    mended: tuple[Finding, ...] = ()
    losses: tuple[str, ...] = ()
    bar = nullcontext() if as_json else progress_bar(image, sector_size=opened.sector_size)
    with bar as progress:
        if output is None:
            report = verify_image(opened, jobs=jobs, progress=progress)
        else:
            repair = repair_image(opened, jobs=jobs, progress=progress)
            mended, report = repair.mended, repair.left
            written = save_image(
                repair.image, output, allow_loss=allow_loss, replace=force, progress=progress
            )
            losses = tuple(map(str, written.losses))
    if as_json:
        about = describe(report, file=image, repaired=output, mended=mended, losses=losses)
        click.echo(json.dumps(about, indent=2, ensure_ascii=False))
        return 0 if report.is_clean else FOUND
    for loss in losses:
        click.echo(f"{output}: lost: {loss}", err=True)
    for each in mended:
        click.echo(f"mended: {each}")
    for each in report.findings:
        click.echo(f"{each.severity.value}: {each}")
    for rule, count in report.left_out:
        click.echo(f"{rule}: {count:,} more")
    if output is not None:
        click.echo(f"{output}: {len(mended)} findings mended")
    click.echo(f"{output or image}: {report.summary()}")
    return 0 if report.is_clean else FOUND


def describe(
    report: Report,
    *,
    file: str,
    repaired: str | None = None,
    mended: Iterable[Finding] = (),
    losses: Iterable[str] = (),
) -> dict[str, Any]:
    """Return the object that `rawcd verify --json` prints.

    Absent is None, never a missing key; MSF is `"mm:ss:ff"`. Where `repaired` names a mended image,
    the findings are those that are left in it, and `losses` what its format could not hold.
    """
    return {
        "rawcd_verify": SCHEMA,
        "file": file,
        "first_lba": report.first_lba,
        "sectors": report.sectors,
        "clean": report.is_clean,
        "defects": len(report.defects),
        "warnings": len(report.warnings),
        "findings": [_finding(finding) for finding in report.findings],
        "left_out": [{"rule": rule, "count": count} for rule, count in report.left_out],
        "subcode_made": [{"lba": lba, "sectors": sectors} for lba, sectors in report.made],
        "repaired": repaired,
        "mended": [_finding(finding) for finding in mended],
        "losses": list(losses),
        "summary": report.summary(),
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "severity": finding.severity.value,
        "lba": finding.lba,
        "msf": None if finding.msf is None else str(finding.msf),
        "sectors": finding.sectors,
        "session": finding.session,
        "track": finding.track,
        "message": finding.message,
    }
