"""How far, and may I go on?"""

from __future__ import annotations

from collections.abc import Callable

from rawcd.errors import CancelledError

Progress = Callable[[int, int], bool | None]
"""Called with the sectors done and the sectors in all; False stops the work."""


def report(progress: Progress | None, done: int, total: int) -> None:
    """Tell `progress` how far the work is.

    Args:
        progress: the caller's function, or None for nobody.
        done: sectors done.
        total: sectors in all.

    Raises:
        CancelledError: the function answered False. What it raises itself passes through.
    """
    if progress is not None and progress(done, total) is False:
        raise CancelledError(f"stopped by the caller after {done} of {total} sectors")


def part_of(progress: Progress | None, before: int, total: int) -> Progress | None:
    """Return what tells `progress` of one part of a larger work.

    Args:
        progress: the caller's function, or None for nobody.
        before: sectors done in earlier parts.
        total: sectors of all parts.
    """
    if progress is None:
        return None
    return lambda done, _: progress(before + done, total)
