"""The line of samples that a sheet describes, and the regions that it becomes.

Pieces are stretches of files, end to end; runs are stretches of the line that begin on a sector.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rawcd.image import MainForm, Region, SubForm, SubRegion, blanks
from rawcd.source import SECTOR_SAMPLES, JoinedSound, SoundPart
from rawcd_formats.cue.modes import AUDIO, Mode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rawcd.disc import Disc
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


def regions(disc: Disc, runs: list[Run], pieces: list[Piece]) -> Iterator[Region]:
    """Yield the regions: sectors without content wherever no run lies."""
    position = disc.first_lba
    for run in runs:
        yield from blanks(disc, position, run.lba)
        yield from _run_regions(run, pieces)
        position = run.lba + run.sectors
    yield from blanks(disc, position, disc.end_lba)


def subcode(disc: Disc, runs: list[Run], pieces: list[Piece]) -> SubRegion:
    """Return the subcode: made, with the R-W that the files hold.

    It is one line from the first sector on, as packs are interleaved over the borders of tracks.
    """
    first, sectors = disc.first_lba, disc.end_lba - disc.first_lba
    if all(piece.rw is None for piece in pieces):
        return SubRegion(lba=first, sectors=sectors, form=SubForm.MADE)
    from rawcd.subcode.streams import PackLine, PackPart

    parts = [
        PackPart(at=spot.lba - first, source=spot.piece.rw, start=spot.block, count=spot.sectors)
        for run in runs
        for spot in _spots(run, pieces)
        if spot.piece.rw is not None
    ]
    line = PackLine(parts, sectors, name="<R-W of the sheet>")
    return SubRegion(lba=first, sectors=sectors, form=SubForm.RW, source=line)


@dataclass(frozen=True, slots=True)
class _Spot:
    """Where blocks of a piece lie on the disc."""

    piece: Piece
    lba: int
    sectors: int
    block: int  # the piece's first


def _spots(run: Run, pieces: list[Piece]) -> Iterator[_Spot]:
    """Yield where a run's blocks lie; joined sound is none of them."""
    base = 0
    for piece in pieces:
        start, end = max(run.start, base), min(run.end, base + piece.samples)
        if start < end and piece.sound is None:
            yield _Spot(
                piece,
                run.lba + (start - run.start) // SECTOR_SAMPLES,
                (end - start) // SECTOR_SAMPLES,
                (start - base) // SECTOR_SAMPLES,
            )
        base += piece.samples


def _run_regions(run: Run, pieces: list[Piece]) -> Iterator[Region]:
    """Yield where a run's sectors come from: joined sound, or stretches of blocks."""
    parts: list[SoundPart] = []
    base = 0
    for piece in pieces:
        start, end = max(run.start, base), min(run.end, base + piece.samples)
        if start < end and piece.sound is not None:
            parts.append(SoundPart(sound=piece.sound, start=start - base, count=end - start))
        base += piece.samples
    if parts:
        source = JoinedSound(parts)
        yield Region(lba=run.lba, sectors=run.sectors, form=MainForm.DISC, source=source)
    for spot in _spots(run, pieces):
        yield Region(
            lba=spot.lba,
            sectors=spot.sectors,
            form=spot.piece.mode.form,
            source=spot.piece.data,
            start=spot.block,
            sector_type=spot.piece.mode.sector_type,
        )
