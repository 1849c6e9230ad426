"""Options that several commands have, each stated once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from rawcd.cli.completing import format_names

if TYPE_CHECKING:
    from collections.abc import Callable

KINDS: Final = ("pq", "cooked", "raw")
"""The command's words for image types, in the order of IMAPI's values 1, 2, 3."""

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
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
force_option = click.option("--force", is_flag=True, help="Replace existing files.")
allow_loss_option = click.option(
    "--allow-loss", is_flag=True, help="Go on when the format cannot hold everything."
)
stored_rw_option = click.option(
    "--type",
    "kind",
    type=click.Choice(KINDS[1:]),
    help="What the stored R-W subcode of a raw image is.  [default: what its parity says]",
)
settings_option = click.option(
    "--set", "settings", multiple=True, metavar="KEY=VALUE", help="An option of the format."
)


def jobs_option(what: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return the option `--jobs` of a command whose processes do this."""
    return click.option(
        "--jobs",
        metavar="N",
        type=click.IntRange(1, 64),
        default=1,
        show_default=True,
        help=f"Processes that {what}.",
    )
