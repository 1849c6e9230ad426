"""What every command that reads images takes."""

from __future__ import annotations

import click

trust_paths_option = click.option(
    "--trust-paths",
    is_flag=True,
    help="Names in a sheet, and links beside it, may lead out of its folder.",
)
