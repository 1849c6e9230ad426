"""The line of samples that a sheet describes, and the stretches that it becomes.

Pieces are stretches of files, end to end; runs are stretches of the line that begin on a sector.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rawcd.program import Stretch, stretch_of_sound
from rawcd.source import SECTOR_SAMPLES, SoundPart
from rawcd_formats.cue.modes import AUDIO, RW, Mode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rawcd.source import BlockSource, Sound


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of the line that comes from one file; samples is its length on the line."""

    samples: int
    sound: Sound | None = None
    start: int = 0  # first sample of the sound
    data: BlockSource | None = None
    rw: BlockSource | None = None
    mode: Mode = AUDIO


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of the line between two cuts, and where its first sample lies."""

    start: int
    end: int
    lba: int

    @property
    def sectors(self) -> int:
        """Sectors, the last one perhaps filled up."""
        return -(-(self.end - self.start) // SECTOR_SAMPLES)


def stretches(runs: list[Run], pieces: list[Piece]) -> Iterator[Stretch]:
    """Yield where the sectors of runs come from: joined sound, or blocks."""
    for run in runs:
        parts: list[SoundPart] = []
        base = 0
        for piece in pieces:
            start, end = max(run.start, base), min(run.end, base + piece.samples)
            if start < end and piece.sound is not None:
                parts.append(SoundPart(sound=piece.sound, start=start - base, count=end - start))
            elif start < end:
                yield Stretch(
                    lba=run.lba + (start - run.start) // SECTOR_SAMPLES,
                    sectors=(end - start) // SECTOR_SAMPLES,
                    form=piece.mode.form,
                    source=piece.data,
                    start=(start - base) // SECTOR_SAMPLES,
                    sector_type=piece.mode.sector_type,
                    rw=piece.rw,
                    rw_packed=piece.mode.subchannel == RW,
                )
            base += piece.samples
        if parts:
            yield stretch_of_sound(run.lba, parts)
