"""Writing without an image: the bytes of a raw disc as they come, and one track at a time.

What is sent is neither looked at nor changed; who calls answers for its being a disc.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from rawcd.errors import CancelledError
from rawcd.progress import BurnAction
from rawcd_writers.drive.blocks import source_filler
from rawcd_writers.drive.feed import Run
from rawcd_writers.drive.pages import BlockType, MultiSession, WriteType
from rawcd_writers.drive.plan import WriteMode
from rawcd_writers.drive.replies import DiscStatus
from rawcd_writers.drive.writing import Writing

if TYPE_CHECKING:
    from collections.abc import Callable

    from rawcd.progress import BurnWatch
    from rawcd.source import Bytes2D, Source
    from rawcd_writers.drive.session import DriveSession
    from rawcd_writers.drive.writing import BurnResult, TrackRoom

_SHORTEST_TRACK: Final = 300
"""Four seconds (IEC 60908)."""
_COPY_PROHIBITED: Final = 0
"""CONTROL of a track of sound: two channels, no pre-emphasis, bit 1 clear."""


class RawStreamBurn(Writing):
    """The sectors of one session, from its lead-in to the end of its lead-out, byte for byte.

    Args:
        session: the drive.
        fill: fills rows with the sectors from an address on; called on another thread.
        lba: the first sector: where this disc's lead-in begins.
        sectors: how many there are.
        block_type: what a block holds: 1, 2 or 3.
        appendable: another session may follow this one.
        speed: how often single speed; None is the fastest.
        pure_cav: the disc turns at one speed throughout.
        underrun_protection: writing pauses when data come too late.
        progress: told on this thread after each WRITE; False or an exception stops the burn.
    """

    def __init__(
        self,
        session: DriveSession,
        fill: Callable[[int, Bytes2D], None],
        *,
        lba: int,
        sectors: int,
        block_type: int,
        appendable: bool,
        speed: float | None,
        pure_cav: bool,
        underrun_protection: bool,
        progress: BurnWatch | None,
    ) -> None:
        super().__init__(
            session,
            start_lba=lba,
            count=sectors,
            speed=speed,
            pure_cav=pure_cav,
            underrun_protection=underrun_protection,
            progress=progress,
        )
        self._block_type = BlockType(block_type)
        self._multi_session = MultiSession.OPEN if appendable else MultiSession.CLOSED
        self._fill = fill

    def run(self) -> BurnResult:
        """Burn.

        Raises:
            DriveError: the drive failed; `.disc_state` says what became of the disc.
            CancelledError: `progress` said stop; `.disc_state` likewise.
        """
        self._attend(self._write)
        return self._result(WriteMode.RAW)

    def _write(self) -> None:
        self._begin()
        page = self._parameters(WriteType.RAW, self._block_type, self._multi_session)
        self._session.set_write_parameters(page)
        self._calibrate()
        run = Run(
            lba=self._start_lba,
            sectors=self._count,
            block_bytes=self._block_type.bytes,
            fill=self._fill,
        )
        self._send([run])
        self._flush()
        self._settle()
        more = self._multi_session is MultiSession.OPEN
        expected = DiscStatus.APPENDABLE if more else DiscStatus.COMPLETE
        self._confirm(expected)


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenTrack:
    """A track that was written at once.

    Attributes:
        number: the drive's number for it.
        start_lba: its first sector.
        sectors: how many were sent.
    """

    number: int
    start_lba: int
    sectors: int


class TrackBurn(Writing):
    """One track of sound, closed behind its last sector; the session stays open.

    Args:
        session: the drive.
        source: sectors of sound.
        speed: how often single speed; None is the fastest.
        pure_cav: the disc turns at one speed throughout.
        underrun_protection: writing pauses when data come too late.
        appendable: another session may follow the one that this track is in.
        progress: told on this thread after each WRITE. Where it says stop the track ends there,
            with silence up to four seconds.
    """

    def __init__(
        self,
        session: DriveSession,
        source: Source,
        *,
        speed: float | None,
        pure_cav: bool,
        underrun_protection: bool,
        appendable: bool,
        progress: BurnWatch | None,
    ) -> None:
        super().__init__(
            session,
            start_lba=0,
            count=source.block_count,
            speed=speed,
            pure_cav=pure_cav,
            underrun_protection=underrun_protection,
            progress=progress,
        )
        self._source = source
        self._multi_session = MultiSession.OPEN if appendable else MultiSession.CLOSED
        self._track: WrittenTrack | None = None

    def run(self) -> WrittenTrack:
        """Write the track.

        Raises:
            DriveError: the drive failed; `.disc_state` says what became of the disc.
            CancelledError: `progress` said stop; where sectors had been sent, the track is on
                the disc as far as it went, and `.disc_state` says so.
        """
        self._attend(self._write)
        assert self._track is not None  # it was made, or an error was raised
        return self._track

    def _write(self) -> None:
        self._begin()
        page = self._parameters(WriteType.TRACK_AT_ONCE, BlockType.RAW, self._multi_session)
        self._session.set_write_parameters(replace(page, track_mode=_COPY_PROHIBITED))
        place = self._next_track(self._source.block_count)
        start = place.start_lba
        if place.number == 1:
            self._calibrate()
        self._start_lba, self._written_lba = start, start - 1
        run = Run(
            lba=start,
            sectors=self._source.block_count,
            block_bytes=BlockType.RAW.bytes,
            fill=source_filler(self._source, start),
        )
        try:
            self._send([run])
            self._report(BurnAction.FINISHING)
        except CancelledError:
            if self._touched:
                self._fill_up(start)
                self._finish(place)
            raise
        self._finish(place)

    def _stop(self, error: BaseException) -> None:
        """Say of a track that ended early, and as it should, what it is."""
        if self._track is not None and isinstance(error, CancelledError):
            error.disc_state = (
                f"track {self._track.number} is on the disc with {self._track.sectors} sectors"
            )
        else:
            super()._stop(error)

    def _fill_up(self, start: int) -> None:
        """Send the silence that a track of four seconds lacks."""
        end, least = start + self._sent, start + _SHORTEST_TRACK
        self._progress = None  # it has said what it wanted

        def fill(lba: int, rows: Bytes2D) -> None:
            del lba
            rows[:] = 0

        if end < least:
            silence = Run(lba=end, sectors=least - end, block_bytes=BlockType.RAW.bytes, fill=fill)
            self._send([silence])

    def _finish(self, place: TrackRoom) -> None:
        self._progress = None  # nothing stops a track from being closed
        self._close_track(place.number)
        self._all_sent = True
        self._track = WrittenTrack(
            number=place.number, start_lba=place.start_lba, sectors=self._sent
        )
