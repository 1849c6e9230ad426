"""`rawcd plugins`: what is plugged in; nothing is loaded for it."""

from __future__ import annotations

import click


@click.command(short_help="List what is plugged in.")
def plugins() -> None:
    """List the formats and writers that are installed, and where they come from."""
    from rawcd.plugins import plugins as declared

    rows = [(each.group, each.name, each.value, each.package) for each in declared()]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        click.echo(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        )
