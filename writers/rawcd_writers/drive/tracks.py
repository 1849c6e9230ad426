"""A session of tracks at once, from sources that lie ready: what a staged image is burned with.

Unlike a burn of a disc's image it goes on where the disc ends: the next session of a disc that is
still open is written the same way as the first.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from rawcd.errors import DriveError
from rawcd.progress import BurnAction
from rawcd.source import SECTOR_BYTES, fill_rows
from rawcd_writers.drive import mmc
from rawcd_writers.drive.burn import BurnResult
from rawcd_writers.drive.feed import Run
from rawcd_writers.drive.pages import BlockType, MultiSession, WriteParameters, WriteType
from rawcd_writers.drive.replies import DiscStatus
from rawcd_writers.drive.writing import Writing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rawcd.progress import BurnWatch
    from rawcd.source import Bytes2D, Source
    from rawcd_writers.drive.session import DriveSession

RUN_OUT_SECTORS: Final = 2
"""What a drive writes behind a track at once (Orange Book part II)."""
_DATA_CONTROL: Final = 4
_BLOCKS: Final = {SECTOR_BYTES: BlockType.RAW, 2048: BlockType.MODE_1}


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackRoom:
    """Where the next track at once would begin, and how long it may be.

    Attributes:
        start_lba: its first sector, behind the pregap.
        sectors: room for it, what the drive adds behind it taken off.
    """

    start_lba: int
    sectors: int


def room_for_track(session: DriveSession, *, data: bool) -> TrackRoom:
    """Ask the drive where the next track at once would go.

    Raises:
        DriveError: there is no disc, or nothing can be added to it.
    """
    block_type = BlockType.MODE_1 if data else BlockType.RAW
    page = WriteParameters(write_type=WriteType.TRACK_AT_ONCE, block_type=block_type)
    session.set_write_parameters(replace(page, track_mode=_control(block_type)))
    told = session.dialogue.ask(mmc.read_track_information())
    if told.next_writable_lba is None:
        raise DriveError(
            f"{session.name}: the drive does not say where the next track goes",
            command="READ TRACK INFORMATION",
        )
    return TrackRoom(start_lba=told.next_writable_lba, sectors=max(0, told.free - RUN_OUT_SECTORS))


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
            self._all_sent = True
            self._check(status)

        self._attend(work)
        return BurnResult(
            mode="tao",
            simulated=self._simulate,
            sectors=self._sent,
            losses=(),
            remarks=tuple(map(str, self._dialogue.warnings)),
            disc_state=self._session.state_in_words(),
        )

    def _write_track(self, source: Source) -> None:
        block_type = _BLOCKS[source.block_size]
        multi_session = MultiSession.OPEN if self._appendable else MultiSession.CLOSED
        page = self._parameters(WriteType.TRACK_AT_ONCE, block_type, multi_session)
        self._session.set_write_parameters(
            replace(page, track_mode=_control(block_type), audio_pause=self._pause)
        )
        if not self._touched:
            self._calibrate()
        told = self._dialogue.ask(mmc.read_track_information())
        start, sectors = told.next_writable_lba, source.block_count
        if start is None:
            raise DriveError(
                f"{self._session.name}: the drive does not say where track {told.track} goes",
                command="READ TRACK INFORMATION",
            )
        if not self._simulate and told.free < sectors + RUN_OUT_SECTORS:
            raise DriveError(
                f"track {told.track} has {sectors} sectors, the disc room for "
                f"{max(0, told.free - RUN_OUT_SECTORS)}"
            )
        self._start_lba, self._count, self._written_lba = start, sectors, start - 1

        def fill(lba: int, rows: Bytes2D) -> None:
            fill_rows(source, lba - start, rows)

        self._send([Run(lba=start, sectors=sectors, block_bytes=source.block_size, fill=fill)])
        self._close_track(told.track)

    def _check(self, before: DiscStatus) -> None:
        """Ask the drive what the disc is now; only its answer makes a success."""
        self._report(BurnAction.CHECKING)
        found = self._session.disc_information().status
        if self._simulate:
            expected = {before}
        elif self._appendable:  # a disc that is full can have no other session after all
            expected = {DiscStatus.APPENDABLE, DiscStatus.COMPLETE}
        else:
            expected = {DiscStatus.COMPLETE}
        if found not in expected:
            raise DriveError(
                f"{self._session.name}: the drive took everything and reports the disc as "
                f"{found.name.lower()}",
                command="READ DISC INFORMATION",
            )
