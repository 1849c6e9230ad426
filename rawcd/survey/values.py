"""What a survey tells of a disc."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rawcd.survey.facts import Kind

if TYPE_CHECKING:
    from rawcd.disc import Area, TrackMode
    from rawcd.subcode.frame import QPointer


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Sectors in a row that lie in the same place, as the recorded bytes tell it.

    Attributes:
        lba: first sector.
        sectors: how many.
        area: what they are part of; None where no frame of the image can be read.
        session: 1, 2, ..., by the lead-ins that were passed.
        track: TNO; None in lead-in and lead-out.
        index: INDEX; None in lead-in and lead-out.
        control: CONTROL as most frames have it, the copy bit off under SCMS; None in a lead-in,
            where each item has its own.
        scms: the copy bit alternates.
        mode: what the main channel holds as most sectors' headers tell; None where CONTROL tells
            data and no header can be read.
        kind: the same more closely.
    """

    lba: int
    sectors: int
    area: Area | None
    session: int
    track: int | None
    index: int | None
    control: int | None
    scms: bool = False
    mode: TrackMode | None
    kind: Kind = Kind.NONE

    @property
    def end_lba(self) -> int:
        """One past the last sector."""
        return self.lba + self.sectors


@dataclass(frozen=True, slots=True, kw_only=True)
class TocEntry:
    """An item that a lead-in repeats.

    Attributes:
        session: whose lead-in.
        pointer: the item, as most of its frames have it.
        lba: where it stands first.
        frames: how often it stands there.
    """

    session: int
    pointer: QPointer
    lba: int
    frames: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A code that mode 2 or mode 3 frames tell.

    Attributes:
        code: 13 digits, or the 12 characters of an ISRC.
        lba: where it stands first.
        frames: how often.
        session: where that is.
        track: where that is; None in lead-in and lead-out.
    """

    code: str
    lba: int
    frames: int
    session: int
    track: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What the recorded bytes of an image say, without its `Disc`.

    Attributes:
        first_lba: first sector.
        sectors: how many.
        runs: tile the image.
        toc: the items of each lead-in, in the order in which they come.
        mcns: catalogue numbers that were found, the most frequent first.
        isrcs: ISRCs that were found, by session and track, the most frequent of a track first.
        made: stretches (first LBA, sectors) whose subcode was not recorded: it is made from what
            the sheet says, and bears witness to nothing.
    """

    first_lba: int
    sectors: int
    runs: tuple[Run, ...]
    toc: tuple[TocEntry, ...]
    mcns: tuple[Told, ...] = ()
    isrcs: tuple[Told, ...] = ()
    made: tuple[tuple[int, int], ...] = field(default=())

    @property
    def mcn(self) -> str | None:
        """The catalogue number that most frames tell; thirteen zeros are none."""
        code = self.mcns[0].code if self.mcns else None
        return None if code == "0" * 13 else code

    def isrc(self, track: int) -> str | None:
        """Return the ISRC that most frames of a track tell."""
        return next((told.code for told in self.isrcs if told.track == track), None)

    @property
    def is_recorded(self) -> bool:
        """Whether any subcode was recorded."""
        return sum(sectors for _, sectors in self.made) < self.sectors
