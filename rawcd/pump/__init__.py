"""Whole-disc work: every sector of a stretch, in order, through a few reused buffers.

One pump serves files, pipes and drives alike. `fills` says what is made of each sector,
`serial` makes it in the caller's process while a thread writes, `workers` in several processes.
Memory does not depend on the size of the disc.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rawcd.pump.fills import PlainMain, UserData, WholeSectors
from rawcd.pump.serial import pump_serially
from rawcd.source import SECTOR_BYTES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rawcd.progress import Progress
    from rawcd.pump.fills import Fill
    from rawcd.pump.serial import Write

__all__ = ["JOBS", "PlainMain", "UserData", "WholeSectors", "jobs_of", "pump"]

JOBS = "jobs"
"""The option by which a format is told how many processes may work for it."""
_WORTH_IT = 50_000
"""Sectors below which starting processes costs more than it saves."""
_MOST_JOBS = 64


def jobs_of(options: Mapping[str, str]) -> int:
    """Read the option `jobs`; one process where it is not given.

    Raises:
        UnsupportedError: it is no number from 1 to 64.
    """
    from rawcd.errors import UnsupportedError

    text = options.get(JOBS, "1")
    if not (text.isascii() and text.isdecimal() and 1 <= int(text) <= _MOST_JOBS):
        raise UnsupportedError(f"the option jobs is a number from 1 to {_MOST_JOBS}, not {text!r}")
    return int(text)


def pump(
    fill: Fill,
    lba: int,
    count: int,
    write: Write,
    *,
    width: int = SECTOR_BYTES,
    jobs: int = 1,
    progress: Progress | None = None,
) -> None:
    """Make `count` sectors from `lba` on and write them in order.

    Args:
        fill: makes the sectors.
        lba: the first one.
        count: how many.
        write: takes blocks of them, one at a time, in order.
        width: bytes in a sector.
        jobs: processes that make sectors. A `fill` that cannot be sent to another process (its
            sources are file objects, arrays, or of a kind that the other process cannot find)
            is worked off in this one, and so is a short stretch.
        progress: told after each block.

    Raises:
        CancelledError: `progress` said stop.
        StorageError: reading or writing failed; what `write` raises is raised here.
        RawCDError: a worker process died.
    """
    if jobs > 1 and count >= _WORTH_IT:
        from rawcd.pump.workers import pump_in_processes, recipe_of

        recipe = recipe_of(fill)
        if recipe is not None and pump_in_processes(
            recipe, lba, count, write, width=width, jobs=jobs, progress=progress
        ):
            return
    pump_serially(fill, lba, count, write, width=width, progress=progress)
