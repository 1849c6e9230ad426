"""Who made a blank: the codes in the address of its lead-in (Orange Book parts II and III).

Minute, second and the tens of the frame are a maker's; each may have two such codes. The last digit
of a CD-R's frame is the kind of its dye. The code is that of the stamper's owner, which need not be
who pressed the disc, let alone the brand on it.

The standard's own list is not public. Here are those codes alone on which two published tables
agree: that of cdrecord 1.8 (`cdrecord/diskid.c`, 1998) and that of Aaru (`ATIP.cs`). A code that
only one of them knows, or that they give to different makers (97:30:1x, 97:46:1x), has no name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from rawcd.msf import Msf

_MINUTE: Final = 97
_LONG_STRATEGY: Final = 5
"""Last digits below it are dyes that are written by a long strategy."""
_CODES: Final = {
    "Auvistar Industry": ((28, 3), (46, 5)),
    "CIS Technology": ((22, 4), (45, 4)),
    "CMC Magnetics": ((26, 6), (46, 6)),
    "Computer Support Italy": ((24, 2), (46, 3)),
    "Fornet International": ((26, 0), (45, 0)),
    "Fuji Photo Film": ((26, 4), (46, 4)),
    "Gigastorage": ((28, 1), (49, 1)),
    "Hitachi Maxell": ((25, 2), (47, 1)),
    "Kodak Japan": ((27, 4), (48, 1)),
    "Lead Data": ((26, 5), (48, 6)),
    "Mitsubishi Chemical": ((34, 2), (50, 2)),
    "Mitsui Chemicals": ((27, 5), (48, 5)),
    "Multi Media Masters": ((28, 2), (46, 2)),
    "Optical Disc Corporation": ((26, 3),),
    "Optical Disc Manufacturing Equipment": ((21, 4),),
    "Pioneer Video": ((27, 3), (48, 3)),
    "Plasmon Data Systems": ((27, 1), (48, 2)),
    "Postech": ((26, 1), (47, 4)),
    "Princo": ((27, 2), (47, 2)),
    "Prodisc Technology": ((32, 1), (47, 6)),
    "Ricoh": ((27, 6), (48, 0)),
    "Ritek": ((31, 0), (47, 5)),
    "SKC": ((26, 2),),
    "Sony": ((24, 1),),
    "TDK": ((32, 0), (49, 0)),
    "Taiyo Yuden": ((24, 0), (46, 0)),
}
"""Seconds and tens of the frame, by maker."""
_MAKERS: Final = {code: maker for maker, codes in _CODES.items() for code in codes}


def maker_of(lead_in: Msf) -> str | None:
    """Return the maker whose code the address of a blank's lead-in is; None: no known one.

    Example:
        >>> maker_of(Msf(97, 26, 66))
        'CMC Magnetics'
    """
    if lead_in.minute != _MINUTE:
        return None
    return _MAKERS.get((lead_in.second, lead_in.frame // 10))


def dye_of(lead_in: Msf) -> str | None:
    """Return the kind of a CD-R's dye; None where the address is no maker's known code.

    Example:
        >>> dye_of(Msf(97, 26, 66))
        'short strategy (phthalocyanine or like it)'
    """
    if maker_of(lead_in) is None:
        return None
    if lead_in.frame % 10 < _LONG_STRATEGY:
        return "long strategy (cyanine, azo or like them)"
    return "short strategy (phthalocyanine or like it)"
