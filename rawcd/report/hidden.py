"""Sound that no list of tracks shows: what is recorded in pregaps."""

from __future__ import annotations

from dataclasses import dataclass
from math import log10
from typing import TYPE_CHECKING

from rawcd.disc import Area
from rawcd.report.labels import clock, msf

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rawcd.report.reading import DiscReading


@dataclass(frozen=True, slots=True, kw_only=True)
class HiddenSound:
    """A pregap that is not silent.

    Attributes:
        track: whose pregap.
        lba: the first sector that is not digital silence.
        sectors: from there to the last such sector.
        peak: the greatest sample, above 0, at most 1.
        is_first: it lies before the first track of a session, where rewinding is the only way.
    """

    track: int
    lba: int
    sectors: int
    peak: float
    is_first: bool

    @property
    def label(self) -> str:
        """What it is, for people."""
        where = (
            "before the first track" if self.is_first else f"in the pregap of track {self.track}"
        )
        level = 20 * log10(self.peak)
        return (
            f"Sound {where}: from {msf(self.lba)}, {clock(self.sectors)} long, peak {level:.1f} dB"
        )


def hidden_sounds(reading: DiscReading) -> Iterator[HiddenSound]:
    """Yield the pregaps that are not silent, rising."""
    session = 0
    for span in reading.spans:
        is_first, session = span.session != session, span.session
        for run in span.runs:
            if run.area is not Area.PREGAP or span.is_data:
                continue
            ends = reading.waves.sounding(run.lba, run.sectors)
            if ends is None:
                continue
            first, last = ends
            columns = reading.waves.columns(run.lba, run.sectors, 1)
            yield HiddenSound(
                track=span.number,
                lba=first,
                sectors=last + 1 - first,
                peak=float(columns.peaks[0]),
                is_first=is_first,
            )
