"""Tracks at once from sources, without an image of a disc: one, or a whole session of them.

Unlike a burn of a disc's image they go on where the disc ends: the next session of a disc that is
still open is written the same way as the first.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from rawcd.disc import PREGAP_SECTORS
from rawcd.errors import CancelledError, DriveError
from rawcd.progress import BurnAction
from rawcd.source import SECTOR_BYTES, SilenceSource
from rawcd_writers.drive import mmc
from rawcd_writers.drive.blocks import source_filler
from rawcd_writers.drive.feed import Run
from rawcd_writers.drive.pages import BlockType, MultiSession, WriteParameters, WriteType
from rawcd_writers.drive.plan import RUN_OUT_SECTORS, WriteMode
from rawcd_writers.drive.replies import DiscStatus
from rawcd_writers.drive.writing import Writing, next_track

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rawcd.progress import BurnWatch
    from rawcd.source import Source
    from rawcd_writers.drive.session import DriveSession
    from rawcd_writers.drive.writing import BurnResult, TrackRoom

_SHORTEST_TRACK: Final = 300
"""Four seconds (IEC 60908)."""
_COPY_PROHIBITED: Final = 0
"""CONTROL of a track of sound: two channels, no pre-emphasis, bit 1 clear."""
_DATA_CONTROL: Final = 4
_BLOCKS: Final = {SECTOR_BYTES: BlockType.RAW, 2048: BlockType.MODE_1}


def room_for_track(session: DriveSession, *, data: bool) -> TrackRoom:
    """Ask the drive where the next track at once would go.

    Raises:
        DriveError: there is no disc, or nothing can be added to it.
    """
    block_type = BlockType.MODE_1 if data else BlockType.RAW
    page = WriteParameters(write_type=WriteType.TRACK_AT_ONCE, block_type=block_type)
    session.set_write_parameters(replace(page, track_mode=_control(block_type)))
    return next_track(session)


def _control(block_type: BlockType) -> int:
    return _DATA_CONTROL if block_type is BlockType.MODE_1 else 0


class TracksBurn(Writing):
    """Tracks one after another, and the session closed behind them.

    Args:
        session: the drive.
        sources: a track each: blocks of 2,352 bytes are sound, of 2,048 Mode 1.
        pause: sectors of silence before a track of sound that is not the first; drives that do
            not know how make 150.
        simulate: all is done but the laser's power.
        speed: how often single speed; None is the fastest.
        underrun_protection: writing pauses when data come too late.
        appendable: another session may follow.
        tracks_done: called with how many tracks are done, 0 at the beginning.
        progress: told on this thread after each WRITE; False or an exception stops the burn.

    Raises:
        ValueError: there are no sources, or one has blocks of another size.
    """

    def __init__(
        self,
        session: DriveSession,
        sources: Sequence[Source],
        *,
        pause: int,
        simulate: bool,
        speed: float | None,
        underrun_protection: bool,
        appendable: bool,
        tracks_done: Callable[[int], None] | None,
        progress: BurnWatch | None,
    ) -> None:
        if not sources:
            raise ValueError("a session has a track at least: give a source")
        for source in sources:
            if source.block_size not in _BLOCKS:
                raise ValueError(
                    f"{source.name} has blocks of {source.block_size} bytes; those of 2352 are "
                    "sound, of 2048 Mode 1"
                )
        super().__init__(
            session,
            start_lba=0,
            count=sources[0].block_count,
            simulate=simulate,
            speed=speed,
            underrun_protection=underrun_protection,
            progress=progress,
        )
        self._sources = sources
        self._pause = pause
        self._appendable = appendable
        self._tracks_done = tracks_done or (lambda _: None)

    def run(self) -> BurnResult:
        """Burn.

        Raises:
            DriveError: the drive failed, or says that the disc is not what it should be now;
                `.disc_state` says what became of it.
            CancelledError: `progress` said stop; `.disc_state` likewise.
        """
        self._session.wait_until_ready()
        status = self._session.disc_information().status

        def work() -> None:
            self._begin()
            self._tracks_done(0)
            for number, source in enumerate(self._sources, 1):
                self._write_track(source)
                self._tracks_done(number)
            self._close(mmc.Closing.SESSION)
            self._settle()
            # A disc that is full can have no other session after all.
            expected = (DiscStatus.APPENDABLE, DiscStatus.COMPLETE)[not self._appendable :]
            self._confirm(*expected, before=status)

        self._attend(work)
        return self._result(WriteMode.TAO)

    def _write_track(self, source: Source) -> None:
        block_type = _BLOCKS[source.block_size]
        multi_session = MultiSession.OPEN if self._appendable else MultiSession.CLOSED
        page = self._parameters(WriteType.TRACK_AT_ONCE, block_type, multi_session)
        self._session.set_write_parameters(
            replace(page, track_mode=_control(block_type), audio_pause=self._pause)
        )
        sectors = source.block_count
        if not self._touched:
            self._check_room()
            self._calibrate()
        place = self._next_track(sectors)
        start = place.start_lba
        self._start_lba, self._count, self._written_lba = start, sectors, start - 1
        run = Run(
            lba=start,
            sectors=sectors,
            block_bytes=source.block_size,
            fill=source_filler(source, start),
        )
        self._send([run])
        self._close_track(place.number)

    def _check_room(self) -> None:
        """See, with page 05h set for the first track, that there is room for all of them.

        Raises:
            DriveError: there is none.
        """
        room = next_track(self._session).sectors
        needed = self._sources[0].block_count
        for source in self._sources[1:]:
            pause = self._pause if source.block_size == SECTOR_BYTES else PREGAP_SECTORS
            needed += RUN_OUT_SECTORS + pause + source.block_count
        if needed > room:
            raise DriveError(
                f"{self._session.name}: the tracks need {needed} sectors, the disc has room for "
                f"{room}"
            )


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

        if end < least:
            silence = Run(
                lba=end,
                sectors=least - end,
                block_bytes=BlockType.RAW.bytes,
                fill=source_filler(SilenceSource(block_count=least - end), end),
            )
            self._send([silence])

    def _finish(self, place: TrackRoom) -> None:
        self._progress = None  # nothing stops a track from being closed
        self._close_track(place.number)
        self._all_sent = True
        self._track = WrittenTrack(
            number=place.number, start_lba=place.start_lba, sectors=self._sent
        )
