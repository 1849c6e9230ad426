"""`rawcd completion`, and what a shell offers for arguments and options."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

_VARIABLE: Final = "_RAWCD_COMPLETE"
_EXAMPLES: Final = """\b
Examples:
  rawcd completion bash > ~/.local/share/bash-completion/completions/rawcd
  rawcd completion zsh > ~/.zfunc/_rawcd
  rawcd completion fish > ~/.config/fish/completions/rawcd.fish
"""

FILE: Final = click.Path(readable=False)
"""The type of what names a file: shells offer files. Whether it is there is found out later."""


def format_names(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the formats that begin so; nothing of them is loaded."""
    from click.shell_completion import CompletionItem

    from rawcd.plugins import FORMATS, plugins

    del context, parameter
    names = [plugin.name for plugin in plugins(FORMATS)]
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


@click.command(short_help="Print what a shell needs to complete commands.", epilog=_EXAMPLES)
@click.argument("shell", type=click.Choice(("bash", "zsh", "fish")))
def completion(shell: str) -> None:
    """Print the script by which a shell completes commands, options, formats and files."""
    from click.shell_completion import ShellComplete, get_completion_class

    of_shell = get_completion_class(shell)
    assert of_shell is not None, "click has all three"
    root = click.get_current_context().find_root().command
    # Not the shell's own `source`, which would run bash to see how old it is.
    click.echo(ShellComplete.source(of_shell(root, {}, "rawcd", _VARIABLE)))
