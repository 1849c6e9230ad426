"""A session of tracks at once, from sources that lie ready: what a staged image is burned with.

Unlike a burn of a disc's image it goes on where the disc ends: the next session of a disc that is
still open is written the same way as the first.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from rawcd.source import SECTOR_BYTES
from rawcd_writers.drive import mmc
from rawcd_writers.drive.blocks import source_filler
from rawcd_writers.drive.feed import Run
from rawcd_writers.drive.pages import BlockType, MultiSession, WriteParameters, WriteType
from rawcd_writers.drive.plan import WriteMode
from rawcd_writers.drive.replies import DiscStatus
from rawcd_writers.drive.writing import Writing, next_track

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rawcd.progress import BurnWatch
    from rawcd.source import Source
    from rawcd_writers.drive.session import DriveSession
    from rawcd_writers.drive.writing import BurnResult, TrackRoom

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
        if not self._touched:
            self._calibrate()
        sectors = source.block_count
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
