"""How far, and may I go on?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

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


class BurnAction(Enum):
    """What a recorder is doing."""

    PREPARING = "preparing"
    CALIBRATING = "trying the laser"
    WRITING = "writing"
    FINISHING = "finishing"
    CHECKING = "asking the drive what became of the disc"
    VERIFYING = "comparing"
    BLANKING = "blanking"


@dataclass(frozen=True, slots=True, kw_only=True)
class BurnProgress:
    """How far a burn is; addresses may be negative, in the lead-in they are.

    Attributes:
        action: what is being done.
        start_lba: first sector of this burn.
        sector_count: sectors of this burn.
        read_lba: last sector that was fetched from the image.
        written_lba: last sector that the drive has taken.
        buffer_used: bytes that wait between the two.
        buffer_total: room for them.
        elapsed: seconds so far.
        remaining: seconds left, or None as long as nobody can tell.
        speed: how often single speed is what the drive takes.
        track: the track that is being written; None in lead-in and lead-out.
    """

    action: BurnAction
    start_lba: int
    sector_count: int
    read_lba: int
    written_lba: int
    buffer_used: int
    buffer_total: int
    elapsed: float
    remaining: float | None
    speed: float = 0.0
    track: int | None = None

    @property
    def done(self) -> float:
        """The part that is written, 0 to 1."""
        written = self.written_lba + 1 - self.start_lba
        return min(1.0, max(0.0, written / self.sector_count)) if self.sector_count > 0 else 0.0


BurnWatch = Callable[[BurnProgress], bool | None]
"""Called on the burning thread; False, or an exception, stops the burn."""
