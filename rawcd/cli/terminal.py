"""What a person at a terminal sees while the work goes on."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rawcd.image import Note
    from rawcd.progress import Progress


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
        line = " ".join(str(note).splitlines())
        print(f"note: {line}", file=sys.stderr)
