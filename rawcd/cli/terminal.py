"""What a person at a terminal sees while the work goes on."""

from __future__ import annotations

import os
import re
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rawcd.image import Note
    from rawcd.progress import Progress


_NOT_SHOWN: Final = re.compile("[\0-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters, those that turn the direction of writing, bytes of names in no encoding."""


def one_line(text: str) -> str:
    """Return a text as one line that does nothing to a terminal.

    Texts and names come from images of strangers: what is no character to look at is spelt out.
    """
    line = " ".join(text.splitlines())
    return _NOT_SHOWN.sub(lambda found: ascii(found[0])[1:-1], line)


@contextmanager
def progress_bar(label: str, *, sector_size: int) -> Iterator[Progress | None]:
    """Show a bar with rate and remaining time while stdout is a terminal; else nothing.

    Args:
        label: what is being done.
        sector_size: bytes in a sector, for the rate.
    """
    if not sys.stdout.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(), transient=True) as bar:
        task = bar.add_task(label, total=None)

        def tell(done: int, total: int) -> None:
            bar.update(task, completed=done * sector_size, total=total * sector_size)

        yield tell


def takes_colour() -> bool:
    """Tell whether stdout is a terminal that has colours, and may be given some (NO_COLOR)."""
    dumb = os.environ.get("TERM") in ("dumb", "unknown")
    return sys.stdout.isatty() and not dumb and not os.environ.get("NO_COLOR")


def show_notes(notes: Iterable[Note]) -> None:
    """Print notes on stderr, a line each."""
    for note in notes:
        print(f"note: {one_line(str(note))}", file=sys.stderr)
