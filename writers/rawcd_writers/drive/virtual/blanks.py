"""The blanks that can be put into the virtual recorder: what their ATIP says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from rawcd.disc import FIRST_LEAD_OUT_SECTORS
from rawcd.errors import UnsupportedError
from rawcd.msf import LAST_LBA, Msf


@dataclass(frozen=True, slots=True, kw_only=True)
class Blank:
    """A blank.

    Attributes:
        name: what a user calls it.
        rewritable: CD-RW.
        lead_in: ATIP start of the lead-in.
        last_lead_out: ATIP last possible start of the lead-out.
        spare_sectors: what the groove holds past a lead-out that starts there: room for those
            who burn more than the blank promises.
    """

    name: str
    rewritable: bool = False
    lead_in: Msf
    last_lead_out: Msf
    spare_sectors: int = 0

    @property
    def lead_in_lba(self) -> int:
        """First sector that can be written."""
        return self.lead_in.to_lba()

    @property
    def last_lead_out_lba(self) -> int:
        """Last sector where the lead-out may begin."""
        return self.last_lead_out.to_lba()

    @property
    def end_lba(self) -> int:
        """One past the last sector that can be written."""
        end = self.last_lead_out_lba + self.spare_sectors + FIRST_LEAD_OUT_SECTORS
        return min(end, LAST_LBA + 1)


# Lead-in starts are such as makers have, of the sort that redbook-conforming blanks announce.
_KINDS: Final = (
    Blank(name="cdr63", lead_in=Msf(97, 26, 66), last_lead_out=Msf(63, 0, 0)),
    Blank(name="cdr74", lead_in=Msf(97, 24, 1), last_lead_out=Msf(74, 5, 0), spare_sectors=3000),
    Blank(name="cdr80", lead_in=Msf(97, 26, 66), last_lead_out=Msf(79, 59, 74), spare_sectors=6000),
    Blank(name="cdr90", lead_in=Msf(97, 15, 5), last_lead_out=Msf(88, 29, 74)),
    Blank(name="cdrw74", rewritable=True, lead_in=Msf(97, 10, 0), last_lead_out=Msf(74, 30, 0)),
    Blank(name="cdrw80", rewritable=True, lead_in=Msf(97, 34, 22), last_lead_out=Msf(79, 59, 74)),
    # No maker's: the shortest lead-in that the Red Book allows, for tests of every command.
    Blank(name="cdr-short", lead_in=Msf(99, 0, 0), last_lead_out=Msf(79, 59, 74)),
    Blank(name="cdrw-short", rewritable=True, lead_in=Msf(99, 0, 0), last_lead_out=Msf(79, 59, 74)),
)
BLANKS: Final = {kind.name: kind for kind in _KINDS}
DEFAULT_BLANK: Final = "cdr80"


def blank_named(name: str) -> Blank:
    """Return a blank by its name.

    Raises:
        UnsupportedError: there is none of that name.
    """
    if name not in BLANKS:
        raise UnsupportedError(f"no medium {name!r}; there are {', '.join(BLANKS)}")
    return BLANKS[name]
