"""What a verification tells."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from rawcd.msf import Msf


class Severity(Enum):
    """How much a finding weighs."""

    DEFECT = "defect"
    """The disc is not what it should be."""
    WARNING = "warning"
    """The disc is right; some player, drive or program is known to stumble over it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that is not as it should be, in one sector or in several in a row.

    Attributes:
        rule: its id, one of `rawcd.verify.RULES` or of `rawcd.rules`.
        severity: how much it weighs.
        lba: the first sector; None where it concerns the whole disc.
        sectors: how many. Between them may be some that have no say: where a time is wrong, the
            frames of a catalogue number.
        session: the session that `lba` lies in.
        track: the track that `lba` lies in, or that the finding is about.
        message: what is there and what should be.
    """

    rule: str
    severity: Severity
    lba: int | None
    sectors: int = 1
    session: int | None = None
    track: int | None = None
    message: str

    @property
    def msf(self) -> Msf | None:
        """The address of `lba` as the disc writes it."""
        return None if self.lba is None else Msf.from_lba(self.lba)

    def __str__(self) -> str:
        place = "" if self.lba is None else f"LBA {self.lba} ({self.msf})"
        if self.sectors > 1 and self.lba is not None:
            place += f" to {self.lba + self.sectors - 1}"
        if self.track is not None:
            place += f", track {self.track}" if place else f"track {self.track}"
        return f"{place}: {self.rule}: {self.message}" if place else f"{self.rule}: {self.message}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a verification found.

    Attributes:
        findings: by rising address, those of the whole disc first; of one address by rule.
        left_out: how many further findings of a rule there were, on a disc with very many.
        sectors: sectors that were looked at.
        first_lba: the first of them.
        made: stretches (first LBA, sectors) whose subcode was not recorded but is made from what a
            sheet says: nothing that is said of it comes from a disc.
    """

    findings: tuple[Finding, ...]
    left_out: tuple[tuple[str, int], ...] = ()
    sectors: int
    first_lba: int
    made: tuple[tuple[int, int], ...] = ()

    @property
    def defects(self) -> tuple[Finding, ...]:
        """The findings that are defects."""
        return tuple(each for each in self.findings if each.severity is Severity.DEFECT)

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """The findings that are warnings."""
        return tuple(each for each in self.findings if each.severity is Severity.WARNING)

    @property
    def is_clean(self) -> bool:
        """Whether there is no defect; warnings do not count."""
        return not self.defects

    @property
    def made_sectors(self) -> int:
        """Sectors whose subcode was not recorded."""
        return sum(sectors for _, sectors in self.made)

    def summary(self) -> str:
        """Return one line that tells what was found."""
        defects, warnings = len(self.defects), len(self.warnings)
        parts = [f"{self.sectors:,} sectors", _counted(defects, "defect", "defects")]
        parts.append(_counted(warnings, "warning", "warnings"))
        if more := sum(count for _, count in self.left_out):
            parts.append(f"{more:,} more not listed")
        if self.made_sectors == self.sectors:
            parts.append("subcode not recorded: made")
        elif self.made_sectors:
            parts.append(f"subcode of {self.made_sectors:,} sectors not recorded: made")
        return ", ".join(parts)


def _counted(count: int, one: str, many: str) -> str:
    return f"{count or 'no'} {one if count == 1 else many}"
