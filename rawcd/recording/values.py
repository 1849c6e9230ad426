"""What a sheet says of a disc, and which of its sectors a file holds."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rawcd.cdtext import CDText
    from rawcd.disc import TrackMode
    from rawcd.sector import SectorType
    from rawcd.source import Source
    from rawcd.toc import LeadIn


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """Consecutive sectors that a file holds.

    Attributes:
        lba: the first one.
        sectors: how many.
        main: their main channel.
        sub: their subcode, blocks of 96 bytes as on the disc.
        start: the sources' block that lies at `lba`.
        sector_type: what blocks of less than 2,352 bytes hold; None for whole sectors.
    """

    lba: int
    sectors: int
    main: Source
    sub: Source | None = None
    start: int = 0
    sector_type: SectorType | None = None

    @property
    def end(self) -> int:
        """One past the last one."""
        return self.lba + self.sectors

    def from_to(self, lba: int, end: int) -> Stored:
        """Return those of its sectors that lie in lba..end-1."""
        first, after = max(lba, self.lba), min(end, self.end)
        return replace(
            self, lba=first, sectors=max(after - first, 0), start=self.start + first - self.lba
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetTrack:
    """What a sheet says of a track beside the items of the lead-in.

    Attributes:
        mode: the mode of its sectors; asked where their header does not tell.
        indexes: LBAs of indexes other than 1, by their number.
        isrc: as it stands in the sheet.
    """

    mode: TrackMode | None = None
    indexes: Mapping[int, int] = field(default_factory=dict)
    isrc: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """What a sheet says of a disc.

    Attributes:
        name: the file, for messages.
        lead_ins: the items of each session's lead-in.
        tracks: what else it says, by track number.
        mcn: as it stands in the sheet.
        cdtext: the disc's texts.
        scrambled: the data sectors in the file are as on the disc.
    """

    name: str
    lead_ins: Sequence[LeadIn]
    tracks: Mapping[int, SheetTrack] = field(default_factory=dict)
    mcn: str | None = None
    cdtext: CDText | None = None
    scrambled: bool = False
