"""What comparing two discs gives."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rawcd.msf import Msf

if TYPE_CHECKING:
    from rawcd.survey import Survey


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Something in which two discs differ.

    Attributes:
        part: `layout`, `texts`, `main` or `subcode`.
        code: stable: `track`, `index`, `mcn`, `sound`, `q-relative`, ...
        message: in words.
        count: how often; `unit` says of what.
        unit: `sectors`, `samples`, `packs`, or `times`.
        lba: where first, or None.
        track: the track there as the first disc's Q channel tells it, or None.
        a: what the first disc has, where that can be said.
        b: what the second one has.
    """

    part: str
    code: str
    message: str
    count: int = 1
    unit: str = "times"
    lba: int | None = None
    track: int | None = None
    a: str | None = None
    b: str | None = None

    @property
    def msf(self) -> Msf | None:
        """The same place as a disc writes it."""
        return None if self.lba is None else Msf.from_lba(self.lba)

    def at_home(self, survey: Survey) -> Difference:
        """Return it with the track that the recorded bytes tell at its place."""
        if self.lba is None or self.track is not None:
            return self
        place = bisect_right([run.lba for run in survey.runs], self.lba) - 1
        return replace(self, track=survey.runs[place].track) if place >= 0 else self

    def __str__(self) -> str:
        told = f"{self.part}: {self.message}"
        if self.unit != "times":
            unit = self.unit.removesuffix("s") if self.count == 1 else self.unit
            told += f": {self.count} {unit}"
        if self.lba is None:
            return told
        track = "" if self.track is None else f", track {self.track}"
        first = ", first at" if self.unit != "times" else ", at"
        return f"{told}{first} LBA {self.lba} ({self.msf}{track})"


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioOffset:
    """Sound that is the same, or nearly, but for where it begins.

    Attributes:
        samples: how much later the second disc's sound comes; negative: earlier.
        compared: samples of sound that were compared at that offset.
        different: how many of them differ there, those at the ends apart.
        at_ends: how many differ where the offset pushes sound over an end: of the program area,
            of sound that data follow, and at LBA 0, where most files begin.
        lba: the first sector in which one differs elsewhere, or None.
    """

    samples: int
    compared: int
    different: int
    at_ends: int
    lba: int | None

    @property
    def same_sound(self) -> bool:
        """Whether it is the same sound, its very ends apart."""
        return not self.different

    def __str__(self) -> str:
        by = "1 sample" if abs(self.samples) == 1 else f"{abs(self.samples)} samples"
        told = f"the sound of the second disc comes {by} "
        told += "later" if self.samples > 0 else "earlier"
        if self.lba is not None:
            msf = Msf.from_lba(self.lba)
            told += f"; there {self.different} of {self.compared} samples differ, the first in LBA "
            return f"{told}{self.lba} ({msf})"
        ends = f", but for {self.at_ends} samples at the ends" if self.at_ends else ""
        return f"{told} and is the same there{ends}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """In what two discs differ.

    Attributes:
        sectors: how many were compared.
        differences: layout first, then texts, main channel, subcode.
        offset: the offset of the sound, if there is one.
        notes: what could not be compared.
    """

    sectors: int
    differences: tuple[Difference, ...]
    offset: AudioOffset | None = None
    notes: tuple[str, ...] = ()

    @property
    def equal(self) -> bool:
        """Whether nothing differs."""
        return not self.differences
