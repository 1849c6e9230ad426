"""Whole-disc work: every sector of a stretch, in order, through a few reused buffers.

One pump serves files, pipes and drives alike. `fills` says what is made of each sector,
`serial` makes it in the caller's process while a thread writes, `workers` in several processes:
those of a `crew`, and the caller's. `roads` are the ways from them to the target.
Memory does not depend on the size of the disc.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rawcd.late import late_names
from rawcd.source import SECTOR_BYTES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rawcd.fileset import OutputFile
    from rawcd.progress import Progress
    from rawcd.pump.fills import Fill
    from rawcd.pump.fills import PlainMain as PlainMain
    from rawcd.pump.fills import UserData as UserData
    from rawcd.pump.fills import WholeSectors as WholeSectors
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
    target: Write | OutputFile,
    *,
    width: int = SECTOR_BYTES,
    jobs: int = 1,
    progress: Progress | None = None,
) -> None:
    """Make `count` sectors from `lba` on and write them.

    Args:
        fill: makes the sectors.
        lba: the first one.
        count: how many.
        target: a file; or a function that takes blocks of sectors, one at a time, in order.
        width: bytes in a sector.
        jobs: processes that make sectors, this one among them. Into a file that can be written
            at fixed places each writes its share. A `fill` that cannot be sent to another process
            (its sources are file objects, arrays, or of a kind that the other process cannot
            find) is worked off in this one, and so is a short stretch.
        progress: told after each block.

    Raises:
        CancelledError: `progress` said stop.
        StorageError: reading or writing failed; what `target` raises is raised here.
        RawCDError: a worker process died.
        ValueError: there are no jobs, or more than 64.
    """
    if not 1 <= jobs <= _MOST_JOBS:
        raise ValueError(f"jobs is a number from 1 to {_MOST_JOBS}, not {jobs!r}")
    from rawcd.fileset import OutputFile, SharesOut

    write: Write = target.write if isinstance(target, OutputFile) else target
    if jobs > 1 and count >= _WORTH_IT:
        from rawcd.pump.workers import Work, pump_in_order, pump_to_places, recipe_of

        recipe = recipe_of(fill)
        if recipe is not None:
            work = Work(fill, recipe, lba, count, width, jobs, progress)
            if isinstance(target, SharesOut) and (stretch := target.stretch()) is not None:
                pump_to_places(work, stretch)
                target.advance(count * width)
            else:
                pump_in_order(work, write)
            return
    from rawcd.pump.serial import pump_serially

    pump_serially(fill, lba, count, write, width=width, progress=progress)


# A worker process does without those that it needs not.
__getattr__, __dir__ = late_names(
    __name__, {"rawcd.pump.fills": ("PlainMain", "UserData", "WholeSectors")}
)
