"""`rawcd man`: the manual page, made of what `--help` says."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import click

from rawcd import __version__
from rawcd.cli.status import MEANINGS

if TYPE_CHECKING:
    from collections.abc import Iterator

_EXAMPLES: Final = """\b
Examples:
  rawcd man | man -l -
  rawcd man > /usr/local/share/man/man1/rawcd.1
"""
_VARIABLES: Final = (
    ("NO_COLOR", "Where it is set to anything, nothing is coloured; nothing is but on a terminal."),
    (
        "RAWCD_RECORDERS",
        "Recorders that no search finds, virtual or behind iSCSI, with ; between two.",
    ),
    ("RAWCD_TRACEBACK", "Shows where an internal error came from."),
    ("SOURCE_DATE_EPOCH", "The date of file systems that are made, in seconds since 1970."),
    ("TMPDIR", "Where wrapped files are unpacked while they are read."),
)
_PLAIN: Final = "\b"
"""What click's texts have before a paragraph whose lines stay as they are."""


@click.command("man", short_help="Print the manual page.", epilog=_EXAMPLES)
def manual() -> None:
    """Print the manual page of all commands, in the language of man(7)."""
    root = click.get_current_context().find_root().command
    assert isinstance(root, click.Group)
    click.echo("\n".join(_page(root)))


def _page(root: click.Group) -> Iterator[str]:
    context = click.Context(root, info_name="rawcd")
    yield f'.TH RAWCD 1 "" "rawcd {__version__}" "User Commands"'
    yield ".SH NAME"
    head, _, rest = (root.help or "").partition("\n")
    yield f"rawcd \\- {_escaped(head[:1].lower() + head[1:].rstrip('.'))}"
    yield ".SH SYNOPSIS"
    yield ".B rawcd"
    yield ".I COMMAND"
    yield "[\\fIOPTION\\fR]... [\\fIARGUMENT\\fR]..."
    yield ".SH DESCRIPTION"
    yield from _text(rest)
    yield ".SH COMMANDS"
    for name in root.list_commands(context):
        command = root.get_command(context, name)
        assert command is not None, "it was just listed"
        yield from _command(command, click.Context(command, info_name=name, parent=context))
    yield ".SH EXIT STATUS"
    for status, meaning in MEANINGS.items():
        yield from _item(str(status), meaning)
    yield ".SH ENVIRONMENT"
    for variable, meaning in _VARIABLES:
        yield from _item(variable, meaning)


def _command(command: click.Command, context: click.Context) -> Iterator[str]:
    pieces = " ".join(command.collect_usage_pieces(context))
    yield f".SS rawcd {_escaped(f'{context.info_name} {pieces}')}"
    yield from _text(command.help or "")
    for parameter in command.params:
        record = parameter.get_help_record(context)
        if isinstance(parameter, click.Option) and record is not None:
            yield from _item(*record)
    yield from _text(command.epilog or "")


def _item(head: str, text: str) -> Iterator[str]:
    yield ".TP"
    yield f".B {_escaped(head)}"
    yield _line(text)


def _text(text: str) -> Iterator[str]:
    """Yield paragraphs: filled, or as they stand where click leaves them so."""
    for paragraph in re.split(r"\n\s*\n", text.strip("\n")):
        lines = paragraph.split("\n")
        if lines[0].strip() == _PLAIN:
            yield ".PP"
            yield ".nf"
            yield from map(_line, lines[1:])
            yield ".fi"
        elif paragraph.strip():
            yield ".PP"
            yield _line(" ".join(line.strip() for line in lines))


def _line(text: str) -> str:
    """Return a line of text that is taken for no request."""
    escaped = _escaped(text.rstrip())
    return f"\\&{escaped}" if escaped.startswith((".", "'")) else escaped


def _escaped(text: str) -> str:
    return text.replace("\\", "\\e").replace("-", "\\-")
