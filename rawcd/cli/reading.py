"""What every command that reads images takes."""

from __future__ import annotations

import click

from rawcd.cli.completing import format_names

trust_paths_option = click.option(
    "--trust-paths",
    is_flag=True,
    help="Names in a sheet, and links beside it, may lead out of its folder.",
)
format_option = click.option(
    "--format",
    "format_name",
    metavar="NAME",
    shell_complete=format_names,
    help="The format, whatever it looks like.",
)
