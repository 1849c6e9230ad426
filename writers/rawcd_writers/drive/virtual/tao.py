"""Tracks at once: one track after another, link blocks between, lead-in and lead-out at the end.

What a drive puts around a track (Orange Book part II, MMC packet and track writing): 150 sectors
of pregap before it, and two run-out blocks behind it. In data tracks these tell by bits 7 to 5 of
the mode byte that they are none of the user's (MMC, block indicator).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from rawcd.disc import PREGAP_SECTORS, DiscType
from rawcd.sector import SectorType
from rawcd.source import SECTOR_BYTES as MAIN_BYTES
from rawcd_writers.drive.virtual.leadin import OPEN, SessionFrame
from rawcd_writers.drive.virtual.medium import Medium, OpenTrack
from rawcd_writers.drive.virtual.pages import TRACK_BLOCKS, WriteParameters
from rawcd_writers.drive.virtual.recording import check_address, check_length
from rawcd_writers.drive.virtual.refusals import (
    END_OF_TRACK,
    FIXATION_ERROR,
    ILLEGAL_MODE,
    SEQUENCE_ERROR,
    TRACK_EMPTY,
    TRACK_INCOMPLETE,
    Refusal,
)
from rawcd_writers.drive.virtual.sectors import (
    KIND_OF_BLOCK_TYPE,
    fill_blank,
    fill_sectors,
    mode_of,
    subheader_of,
)
from rawcd_writers.drive.virtual.store import SECTOR_BYTES

if TYPE_CHECKING:
    from rawcd.source import Bytes2D

RUN_OUT_SECTORS: Final = 2
_LINK: Final = 5
_RUN_INS: Final = (4, 3, 2, 1)
"""Block indicators of the four run-in blocks, in order."""
_RUN_OUTS: Final = (7, 6)
_INDICATOR_SHIFT: Final = 5
_MODE_BYTE: Final = 15
_STEP: Final = 512


def _marked(rows: Bytes2D, indicators: tuple[int, ...]) -> None:
    """Set the block indicators of the first rows of blank data sectors that are scrambled."""
    for row, indicator in zip(rows, indicators, strict=False):
        row[_MODE_BYTE] ^= indicator << _INDICATOR_SHIFT  # scrambling is an XOR


def block_indicators(plain: Bytes2D) -> Bytes2D:
    """Return the block indicators (n,) of unscrambled data sectors; 0 is user data."""
    found: Bytes2D = plain[:, _MODE_BYTE] >> np.uint8(_INDICATOR_SHIFT)
    return found


class TaoRecording:
    """A track at once, from its first WRITE to SYNCHRONIZE CACHE or CLOSE TRACK (write type 1).

    Args:
        medium: what it goes on.
        parameters: page 05h, as it was when the first WRITE came.
        lba: the address of that WRITE.

    Raises:
        Refusal: the page contradicts itself, or no track begins there.
    """

    def __init__(self, medium: Medium, parameters: WriteParameters, lba: int) -> None:
        self._medium = medium
        self._parameters = parameters
        self.test = parameters.test
        self.kind = KIND_OF_BLOCK_TYPE[parameters.block_type]
        if bool(parameters.control & 4) != (self.kind is not SectorType.AUDIO):
            raise Refusal(
                ILLEGAL_MODE,
                f"data block type {parameters.block_type} does not fit track mode "
                f"{parameters.control:X}h of page 05h",
            )
        self._reserved = next(
            (track for track in medium.open.tracks if not track.closed and track.next_lba == lba),
            None,
        )
        if self._reserved is None:
            check_address(lba, medium.track_lba(parameters.pregap))
            pregap = parameters.pregap if medium.open.tracks else PREGAP_SECTORS
            if medium.next_track_number > 99:
                raise Refusal(END_OF_TRACK, "the disc has 99 tracks")
            self.track = OpenTrack(
                number=medium.next_track_number,
                first_lba=lba - pregap,
                start_lba=lba,
                next_lba=lba,
                end_lba=lba,
                control=parameters.control,
                mode=mode_of(self.kind),
                block_type=parameters.block_type,
                scms=parameters.copied,
                isrc=parameters.isrc,
            )
        else:
            self.track = replace(
                self._reserved,
                control=parameters.control,
                mode=mode_of(self.kind),
                block_type=parameters.block_type,
                scms=parameters.copied,
                isrc=parameters.isrc,
            )
        self._began = self.test  # a test begins nothing

    def _begin(self) -> None:
        track, opened = self.track, self._medium.open
        first = replace(opened, mcn=opened.mcn or self._parameters.mcn)
        if not any(each.mode >= 0 for each in opened.tracks):
            first = replace(first, disc_type=self._parameters.session_format)
        self._medium.open = first
        if track.start_lba > track.first_lba:
            gap = np.empty((track.start_lba - track.first_lba, SECTOR_BYTES), np.uint8)
            gap[:, MAIN_BYTES:] = 0
            fill_blank(self.kind, track.first_lba, gap[:, :MAIN_BYTES])
            if self.kind is not SectorType.AUDIO:
                _marked(gap[-1 - len(_RUN_INS) :], (_LINK, *_RUN_INS))
            self._medium.store.write(track.first_lba, gap)
        self._put()

    def _put(self) -> None:
        tracks = tuple(
            each for each in self._medium.open.tracks if each.number != self.track.number
        )
        tracks = tuple(sorted((*tracks, self.track), key=lambda each: each.number))
        self._medium.change(tracks=tracks)

    @property
    def next_lba(self) -> int:
        """The only address that the next WRITE may have."""
        return self.track.next_lba

    def block_bytes(self, lba: int) -> int:
        """Return the size of the page's data block type."""
        del lba
        return TRACK_BLOCKS[self._parameters.block_type]

    def write(self, lba: int, count: int, data: memoryview) -> None:
        """Record blocks of the track; see `Recording`."""
        check_address(lba, self.track.next_lba)
        size = TRACK_BLOCKS[self._parameters.block_type]
        check_length(count, size, data)
        end = lba + count
        limit = self._medium.last_lead_out_lba
        if self._reserved is not None:
            limit = self._reserved.end_lba
        if end + RUN_OUT_SECTORS > limit:
            raise Refusal(END_OF_TRACK, f"the track may end at LBA {limit - 1}", lba=lba)
        rows = np.empty((count, SECTOR_BYTES), np.uint8)
        rows[:, MAIN_BYTES:] = 0
        blocks = np.frombuffer(data, np.uint8).reshape(count, size)
        subheader = subheader_of(self._parameters.block_type, self._parameters.subheader)
        if subheader is not None and not any(subheader):
            subheader = None  # the page says nothing: the kind's own
        fill_sectors(self.kind, blocks, lba, rows[:, :MAIN_BYTES], subheader=subheader)
        if not self._began:
            self._began = True
            self._begin()
        if not self.test:
            self._medium.store.write(lba, rows)
        grown = self.track.end_lba if self._reserved is not None else end
        self.track = replace(self.track, next_lba=end, end_lba=grown)
        if not self.test:
            opened = self._medium.open
            tracks = [self.track if t.number == self.track.number else t for t in opened.tracks]
            self._medium.open = replace(opened, tracks=tuple(tracks))  # kept at the next sync

    def sync(self) -> bool:
        """Close the track: when the buffer is empty, the drive links out and the track is ended.

        wodim and cdrskin rely on it and send no CLOSE TRACK for a CD. Only a reserved track goes
        on until it is closed.
        """
        if self._reserved is None:
            self.finish()
            return True
        if not self.test:
            self._medium.store.flush()
            self._medium.save()
        return False

    def finish(self) -> None:
        """Close the track: run-out blocks, and blank sectors up to a reserved track's end."""
        end = self.track.next_lba + RUN_OUT_SECTORS
        if self._reserved is not None:
            end = self.track.end_lba
        if not self.test:
            for at in range(self.track.next_lba, end, _STEP):
                rows = np.empty((min(_STEP, end - at), SECTOR_BYTES), np.uint8)
                rows[:, MAIN_BYTES:] = 0
                fill_blank(self.kind, at, rows[:, :MAIN_BYTES])
                if at == self.track.next_lba and self.kind is not SectorType.AUDIO:
                    _marked(rows, _RUN_OUTS)
                self._medium.store.write(at, rows)
        self.track = replace(self.track, end_lba=end, closed=True)
        if not self.test:
            self._put()

    def remarks(self) -> dict[str, tuple[int, int]]:
        """Return habits that were seen."""
        short = self.track.next_lba - self.track.start_lba < 300
        return {"short-track": (self.track.start_lba, 1)} if short and self.track.closed else {}


def reserve_track(medium: Medium, parameters: WriteParameters, size: int) -> None:
    """Keep room for a track (RESERVE TRACK).

    Raises:
        Refusal: there is no such room, or no track can be reserved.
    """
    start = medium.next_track_lba
    if size < 1 or start + size + RUN_OUT_SECTORS > medium.last_lead_out_lba:
        raise Refusal(END_OF_TRACK, f"no room for a track of {size} sectors", lba=start)
    if any(not track.closed and not track.reserved for track in medium.open.tracks):
        raise Refusal(SEQUENCE_ERROR, "a track is open")
    track = OpenTrack(
        number=medium.next_track_number,
        first_lba=start - PREGAP_SECTORS,
        start_lba=start,
        next_lba=start,
        end_lba=start + size + RUN_OUT_SECTORS,
        control=parameters.control,
        mode=mode_of(KIND_OF_BLOCK_TYPE.get(parameters.block_type, SectorType.MODE1)),
        block_type=parameters.block_type,
        reserved=True,
    )
    medium.change(tracks=(*medium.open.tracks, track))


def close_session(medium: Medium, parameters: WriteParameters) -> None:
    """Make lead-in and lead-out of the tracks at once, and their subcode (CLOSE SESSION).

    Raises:
        Refusal: a track is open or empty, or there is none.
    """
    opened = medium.open
    if not opened.tracks:
        raise Refusal(SEQUENCE_ERROR, "no session is open")
    for track in opened.tracks:
        if not track.closed:
            empty = track.next_lba == track.start_lba
            raise Refusal(
                TRACK_EMPTY if empty else TRACK_INCOMPLETE, f"track {track.number} is not closed"
            )
    lead_out = opened.tracks[-1].end_lba
    try:
        disc = medium.with_session(
            tuple(track.as_track() for track in opened.tracks),
            lead_out_lba=lead_out,
            disc_type=DiscType(opened.disc_type),
            mcn=opened.mcn,
            appendable=parameters.multi_session == OPEN,
        )
    except ValueError as error:
        raise Refusal(FIXATION_ERROR, f"the tracks make no session: {error}") from error
    made = SessionFrame(disc, parameters.multi_session)
    session = disc.sessions[-1]
    for at in range(session.lead_in_lba, session.end_lba, _STEP):
        count = min(_STEP, session.end_lba - at)
        rows = np.empty((count, SECTOR_BYTES), np.uint8)
        made.read_into(at, rows)
        first, end = max(at, session.program_lba), min(at + count, lead_out)
        if first < end:  # the program area keeps its sectors and is given its subcode
            held = medium.store.read(first, end - first)
            rows[first - at : end - at, :MAIN_BYTES] = held[:, :MAIN_BYTES]
        medium.store.write(at, rows)
    medium.finish(disc)
