"""The table of contents of a session: as its lead-in tells it, or as its program does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from rawcd.disc import MAX_TRACKS, DiscType
from rawcd.errors import FormatError
from rawcd.msf import PROGRAM_LBA, Msf
from rawcd.subcode.decoder import toc_of
from rawcd.subcode.frame import (
    LEAD_OUT_TNO,
    POINT_FIRST_TRACK,
    POINT_LAST_TRACK,
    POINT_LEAD_OUT,
    POINTER_ADR,
    QPointer,
    QPosition,
    from_bcd,
    to_bcd,
)

if TYPE_CHECKING:
    from rawcd.qscan.scan import QScan

_CYCLE: Final = 3 * (MAX_TRACKS + 3)
"""Sectors of the longest table of contents, each item three times."""
_CONTROLS: Final = 32
"""Frames that are asked for a track's CONTROL: under SCMS half of them have the copy bit."""
STRIDE: Final = 2_000
"""Steps through a lead-in or lead-out: what follows is longer (IEC 60908, Orange Book part II)."""

Items = dict[tuple[int, int], QPointer]
"""What a lead-in tells: items by ADR and POINT as on the disc."""


def lead_in_toc(scan: QScan, first: int, program: int) -> Items:
    """Return the items of a lead-in, by majority over two cycles, all tracks among them.

    Args:
        scan: the frames.
        first: number of the lead-in's first sector.
        program: number of the first sector behind it.
    """
    _, q = scan.readable(first, min(program - first, 2 * _CYCLE))
    items = toc_of(q)

    def value(point: int, what: str) -> bytes:
        item = items.get((QPosition.adr, point))
        if item is None:
            raise FormatError(f"no readable frame of the lead-in tells {what}", file=scan.name)
        return item.value

    values = {
        point: value(point, f"point {point:02X}h")
        for point in (POINT_FIRST_TRACK, POINT_LAST_TRACK, POINT_LEAD_OUT)
    }
    lowest = from_bcd(values[POINT_FIRST_TRACK][0])
    highest = from_bcd(values[POINT_LAST_TRACK][0])
    if not 1 <= lowest <= highest:
        raise FormatError(
            f"the table of contents goes from track {lowest} to {highest}",
            file=scan.name,
            place="lead-in",
        )
    for number in range(lowest, highest + 1):
        value(to_bcd(number), f"track {number}")
    return items


def program_toc(scan: QScan, first_lba: int, lead_in: int, program: int) -> Items:
    """Return what a lead-in should hold, as the frames of the program behind it tell it.

    Raises:
        FormatError: they tell of no track, or of no lead-out.
    """
    low = high = program
    while scan.area(high) != LEAD_OUT_TNO:
        if high == scan.count - 1:
            raise FormatError("no lead-out is behind the program", file=scan.name)
        low, high = high, min(high + STRIDE, scan.count - 1)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if scan.area(middle) == LEAD_OUT_TNO else (middle, high)
    starts: dict[int, int] = {}
    for sector, (track, index) in scan.borders(program, high - 1):
        if index == 1 and (not starts or track == max(starts) + 1):
            starts[track] = sector
    if not starts:
        raise FormatError("no frame of the program tells of a track", file=scan.name)
    first, last = min(starts), max(starts)
    _, q = scan.readable(lead_in, min(program - lead_in, 2 * _CYCLE))
    told = toc_of(q)
    items = {key: item for key, item in told.items() if key[0] == POINTER_ADR}
    first_item = told.get((QPosition.adr, POINT_FIRST_TRACK))
    disc_type = first_item.value[1] if first_item is not None else DiscType.CDDA_CDROM
    if disc_type not in set(DiscType):
        disc_type = DiscType.CDDA_CDROM
    for point, sector, value in (
        (POINT_FIRST_TRACK, starts[first], bytes((to_bcd(first), disc_type, 0))),
        (POINT_LAST_TRACK, starts[last], bytes((to_bcd(last), 0, 0))),
        (POINT_LEAD_OUT, high, None),
        *((to_bcd(track), sector, None) for track, sector in starts.items()),
    ):
        items[QPosition.adr, point] = QPointer(
            control=_control(scan, sector),
            point=point,
            value=Msf.from_lba(sector + first_lba).bcd() if value is None else value,
        )
    return items


def _control(scan: QScan, first: int) -> int:
    """Return the CONTROL of most frames from a sector on."""
    _, q = scan.readable(first, _CONTROLS)
    nibbles = q[q[:, 0] & 15 == QPosition.adr, 0] >> 4
    return sum(
        bit for bit in (1, 2, 4, 8) if 4 * np.count_nonzero(nibbles & bit) > 3 * len(nibbles)
    )


def lba_of(value: bytes, name: str) -> int:
    """Return the LBA of an item's address.

    Raises:
        FormatError: it is no time.
    """
    try:
        return Msf(*map(from_bcd, value)).to_frames() + PROGRAM_LBA
    except ValueError as error:
        raise FormatError(str(error), file=name, place="lead-in") from error
