"""The lead-in that the recorder makes by itself, session at once and track at once.

Which pointers of mode 5 it has is told by the multi-session bits of page 05h (MMC, write
parameters): 00b none, 01b a B0 that allows no further session, 11b a B0 that tells where the next
one may begin. What a session before had is on the disc already and stays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from rawcd.disc import LATER_LEAD_IN_SECTORS
from rawcd.image import RegionImage, SubForm, SubRegion, blanks
from rawcd.msf import LAST_LBA, Msf, linear_frames
from rawcd.source import SECTOR_BYTES as MAIN_BYTES
from rawcd.subcode.decoder import toc_of
from rawcd.subcode.frame import (
    POINT_FIRST_LEAD_IN,
    POINT_FIRST_TRACK,
    POINT_NEXT_SESSION,
    POINTER_ADR,
    Q_BYTES,
    QPointer,
)
from rawcd.subcode.rows import RELATIVE, crc_words, msf_bcd, pq_of_pw96, put_crc, pw96_of
from rawcd.toc import lead_in_pointers

if TYPE_CHECKING:
    from rawcd.disc import Disc
    from rawcd.source import Bytes2D
    from rawcd_writers.drive.virtual.medium import Medium

NO_POINTER: Final = 0
CLOSED: Final = 1
OPEN: Final = 3
"""Multi-session bits of page 05h."""
_REPEATS: Final = 3
_NONE_FOLLOWS: Final = b"\xff\xff\xff"
_TOC_SECTORS: Final = 2 * _REPEATS * (99 + 5)
"""Two cycles of the longest table of contents."""


class SessionFrame:
    """What a drive makes around the content of the last session of a disc.

    Lead-in and lead-out, P and Q, no content.

    Args:
        disc: the disc as it will be.
        multi_session: bits 7 and 6 of page 05h, byte 3.
    """

    def __init__(self, disc: Disc, multi_session: int) -> None:
        first, count = disc.first_lba, disc.end_lba - disc.first_lba
        self._image = RegionImage(
            disc=disc,
            main=tuple(blanks(disc, first, disc.end_lba)),
            sub=(SubRegion(lba=first, sectors=count, form=SubForm.MADE),),
        )
        self._session = disc.sessions[-1]
        pointers = _pointers(disc, multi_session)
        frames = np.frombuffer(b"".join(each.build() for each in pointers), np.uint8)
        self._items = frames.reshape(-1, Q_BYTES)
        self._timed = np.array([each.adr != POINTER_ADR for each in pointers])

    def read_main_into(self, lba: int, rows: Bytes2D) -> None:
        """Fill rows (n, 2352)."""
        self._image.read_main_into(lba, rows)

    def read_sub_into(self, lba: int, rows: Bytes2D) -> None:
        """Fill rows (n, 96), R-W zero."""
        count = min(max(self._session.program_lba - lba, 0), len(rows))
        if count:
            rows[:count] = self._lead_in(lba, count)
        if count < len(rows):
            self._image.read_sub_into(lba + count, rows[count:])

    def read_into(self, lba: int, rows: Bytes2D) -> None:
        """Fill rows (n, 2448)."""
        self.read_main_into(lba, rows[:, :MAIN_BYTES])
        self.read_sub_into(lba, rows[:, MAIN_BYTES:])

    def _lead_in(self, lba: int, count: int) -> Bytes2D:
        """Return lead-in subcode (n, 96): each item three times, the list over and over."""
        since = np.arange(lba, lba + count) - self._session.lead_in_lba
        which = since // _REPEATS % len(self._items)
        frames = self._items[which]
        times = np.take(
            msf_bcd(),
            np.arange(linear_frames(lba), linear_frames(lba) + count),
            axis=0,
            mode="wrap",
        )
        timed = self._timed[which]
        frames[timed, RELATIVE] = times[timed]
        put_crc(frames, crc_words(frames))
        return pw96_of(frames, np.zeros(count, bool))


def _pointers(disc: Disc, multi_session: int) -> list[QPointer]:
    number = len(disc.sessions)
    found = [each for each in lead_in_pointers(disc, number) if each.adr != POINTER_ADR]
    if multi_session == NO_POINTER:
        return found
    control = disc.sessions[-1].tracks[0].control
    running, following = _NONE_FOLLOWS, disc.end_lba + LATER_LEAD_IN_SECTORS
    if multi_session == OPEN and following <= LAST_LBA:
        running = Msf.from_lba(following).bcd()
    found.append(
        QPointer(
            control=control,
            adr=POINTER_ADR,
            point=POINT_NEXT_SESSION,
            running=running,
            zero=2 if number == 1 else 1,
            value=Msf.from_lba(disc.last_lead_out_lba).bcd(),
        )
    )
    if number == 1:
        found.append(
            QPointer(
                control=control,
                adr=POINTER_ADR,
                point=POINT_FIRST_LEAD_IN,
                value=Msf.from_lba(disc.first_lba).bcd(),
            )
        )
    return found


def recorded_pointers(medium: Medium, number: int) -> tuple[QPointer, ...]:
    """Return the items that the recorded lead-in of a finished session has, tracks behind A2."""
    assert medium.disc is not None  # a session is finished
    session = medium.disc.sessions[number - 1]
    count = min(_TOC_SECTORS, session.program_lba - session.lead_in_lba)
    rows = medium.read(session.lead_in_lba, count)
    items = toc_of(pq_of_pw96(np.ascontiguousarray(rows[:, MAIN_BYTES:]))[0])

    def order(key: tuple[int, int]) -> tuple[int, bool, int]:
        adr, point = key
        return adr, point < POINT_FIRST_TRACK, point

    return tuple(items[key] for key in sorted(items, key=order))
