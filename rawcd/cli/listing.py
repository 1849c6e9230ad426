"""`rawcd plugins`: what is plugged in; nothing is loaded for it."""

from __future__ import annotations

import json
from typing import Final

import click

from rawcd.cli.options import json_option

SCHEMA: Final = 1
"""Version of the JSON object; it grows only by new keys."""
_EXAMPLES: Final = """\b
Examples:
  rawcd plugins
  rawcd plugins --json
"""


@click.command(short_help="List what is plugged in.", epilog=_EXAMPLES)
@json_option
def plugins(as_json: bool) -> None:
    """List the formats and writers that are installed, and where they come from."""
    from dataclasses import asdict

    from rawcd.plugins import plugins as declared

    if as_json:
        told = {"rawcd_plugins": SCHEMA, "plugins": [asdict(each) for each in declared()]}
        click.echo(json.dumps(told, indent=2))
        return
    rows = [(each.group, each.name, each.value, each.package) for each in declared()]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        click.echo(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        )
