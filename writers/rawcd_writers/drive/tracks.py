"""Tracks at once, handed over one by one: what a job writes that stages its tracks itself.

Unlike a burn of an image it goes on where the disc ends: the next session of a disc that is
still open is written the same way as the first.
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Self

from rawcd.errors import CancelledError, DriveError
from rawcd.progress import BurnAction, BurnProgress
from rawcd.source import SECTOR_BYTES, fill_rows
from rawcd_writers.drive import mmc
from rawcd_writers.drive.dialogue import is_refused
from rawcd_writers.drive.feed import Feed, Run
from rawcd_writers.drive.pages import BlockType, MultiSession, WriteParameters, WriteType
from rawcd_writers.drive.replies import DiscStatus

if TYPE_CHECKING:
    from types import TracebackType

    from rawcd.progress import BurnWatch
    from rawcd.source import Bytes2D, Source
    from rawcd_writers.drive.command import Command
    from rawcd_writers.drive.replies import TrackInformation
    from rawcd_writers.drive.session import DriveSession

RUN_OUT_SECTORS: Final = 2
"""What a drive writes behind a track at once (Orange Book part II)."""
_DATA_CONTROL: Final = 4
_BLOCKS: Final = {SECTOR_BYTES: BlockType.RAW, 2048: BlockType.MODE_1}
_CLOSING_PATIENCE: Final = 900.0
_WRITING_PATIENCE: Final = 120.0


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
    told = _next_track(session, _page(data=data))
    assert told.next_writable_lba is not None, "else it was refused"
    return TrackRoom(start_lba=told.next_writable_lba, sectors=max(0, told.free - RUN_OUT_SECTORS))


def _page(*, data: bool) -> WriteParameters:
    return WriteParameters(
        write_type=WriteType.TRACK_AT_ONCE,
        block_type=BlockType.MODE_1 if data else BlockType.RAW,
        track_mode=_DATA_CONTROL if data else 0,
    )


def _next_track(session: DriveSession, page: WriteParameters) -> TrackInformation:
    session.set_write_parameters(page)
    told = session.dialogue.ask(mmc.read_track_information())
    if told.next_writable_lba is None:
        raise DriveError(
            f"{session.name}: the drive does not say where the next track goes",
            command="READ TRACK INFORMATION",
        )
    return told


class TracksAtOnce:
    """Writes tracks at once on the disc in a drive; a context manager that brings it to rest.

    Inside the block the tray is locked. An error leaves with what became of the disc.

    Args:
        session: the drive.
        simulate: all is done but the laser's power.
        speed: how often single speed; None is the fastest.
        more: another session may follow.
        underrun_protection: writing pauses when data come too late.
        progress: told on this thread after each WRITE; False or an exception stops the work.
    """

    def __init__(
        self,
        session: DriveSession,
        *,
        simulate: bool = False,
        speed: float | None = None,
        more: bool = False,
        underrun_protection: bool = True,
        progress: BurnWatch | None = None,
    ) -> None:
        self._session = session
        self._dialogue = session.dialogue
        self._simulate = simulate
        self._speed = speed
        self._more = more
        self._underrun_protection = underrun_protection
        self._progress = progress
        self._stack = ExitStack()
        self._started = time.monotonic()
        self._writing_since = self._started
        self._touched = False
        self._calibrated = False
        self._sent = 0
        self._status: DiscStatus | None = None
        self._track: TrackRoom | None = None
        self._number: int | None = None
        self._written_lba = -1
        self._feed: Feed | None = None

    def __enter__(self) -> Self:
        session = self._session
        session.wait_until_ready()
        self._status = session.disc_information().status
        self._stack.enter_context(session.locked())
        self._dialogue.while_waiting = self._report_waiting
        try:
            self._report(BurnAction.PREPARING)
            session.set_speed(self._speed)
        except BaseException as error:
            self._leave(error)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._leave(error)

    def _leave(self, error: BaseException | None) -> None:
        """Bring the drive to rest and unlock it; hides nothing."""
        self._dialogue.while_waiting = None
        if error is not None:
            if self._touched:
                try:
                    self._dialogue.ask(mmc.synchronize_cache(), patience=_WRITING_PATIENCE)
                except DriveError as second:
                    error.add_note(f"and then: {second}")
            if isinstance(error, DriveError | CancelledError):
                error.disc_state = self._state()
        self._stack.close()

    def _state(self) -> str:
        if not self._touched:
            return "nothing was written"
        if self._simulate:
            return f"it was a test; {self._session.state_in_words()}"
        return (
            f"{self._sent} sectors were sent, so the session is spoiled; the drive says: "
            f"{self._session.state_in_words()}"
        )

    def write(self, source: Source, *, pause: int = 150) -> int:
        """Write a track and close it; return where it begins.

        Args:
            source: blocks of 2,352 bytes, which make a track of sound, or of 2,048, Mode 1.
            pause: sectors of silence before a track of sound that is not the first; drives that
                do not know how take 150.

        Raises:
            DriveError: the drive failed, or has no room for it.
            CancelledError: `progress` said stop.
            StorageError: the source cannot be read.
        """
        block_type = _BLOCKS[source.block_size]
        page = replace(
            _page(data=block_type is BlockType.MODE_1),
            multi_session=MultiSession.OPEN if self._more else MultiSession.CLOSED,
            test_write=self._simulate,
            underrun_protection=self._underrun_protection,
            audio_pause=pause,
        )
        self._session.set_write_parameters(page)
        self._calibrate()  # with the page set: some drives try the laser for what it says
        told = _next_track(self._session, page)
        start, sectors = told.next_writable_lba, source.block_count
        assert start is not None, "else it was refused"
        if told.free < sectors + RUN_OUT_SECTORS:
            raise DriveError(
                f"{self._session.name}: the track has {sectors} sectors, the disc room for "
                f"{max(0, told.free - RUN_OUT_SECTORS)}"
            )
        self._track, self._number = TrackRoom(start_lba=start, sectors=sectors), told.track
        self._written_lba = start - 1
        self._writing_since = time.monotonic()

        def fill(lba: int, rows: Bytes2D) -> None:
            fill_rows(source, lba - start, rows)

        self._send(Run(lba=start, sectors=sectors, block_bytes=source.block_size, fill=fill))
        self._wait(mmc.synchronize_cache())
        self._close(mmc.Closing.TRACK, told.track)
        return start

    def close_session(self) -> None:
        """Close the session, and believe it closed when the drive says so.

        Raises:
            DriveError: the drive failed, or says otherwise.
            CancelledError: `progress` said stop before the drive was told to.
        """
        self._report(BurnAction.FINISHING)
        self._close(mmc.Closing.SESSION)
        expected = DiscStatus.APPENDABLE if self._more else DiscStatus.COMPLETE
        possible = {self._status} if self._simulate else {expected, DiscStatus.COMPLETE}
        found = self._session.disc_information().status
        if found not in possible:  # a disc that is full has no more sessions, whatever was wanted
            raise DriveError(
                f"{self._session.name}: the drive took everything and reports the disc as "
                f"{found.name.lower()}",
                command="READ DISC INFORMATION",
            )

    def _calibrate(self) -> None:
        """Have the laser tried, once; it costs a place in the disc's area, so not in a test."""
        if self._simulate or self._calibrated:
            return
        self._calibrated = True
        self._report(BurnAction.CALIBRATING)
        try:
            self._dialogue.ask(mmc.send_opc())
        except DriveError as error:
            if not is_refused(error):  # old drives do it by themselves
                raise

    def _send(self, run: Run) -> None:
        with Feed([run], max_bytes=self._dialogue.transport.max_bytes) as feed:
            self._feed = feed
            feed.wait_until_full()
            for load in feed:
                self._touched = True
                self._dialogue.ask(
                    mmc.write(load.lba, load.blocks, load.data),
                    patience=_WRITING_PATIENCE,
                    after_change=False,
                )
                self._sent += load.blocks
                self._written_lba = load.lba + load.blocks - 1
                self._report(BurnAction.WRITING)

    def _wait(self, command: Command[None]) -> None:
        self._dialogue.ask(command, patience=_CLOSING_PATIENCE, after_change=False)
        self._dialogue.ask(mmc.test_unit_ready(), patience=_CLOSING_PATIENCE, after_change=False)

    def _close(self, closing: mmc.Closing, track: int = 0) -> None:
        try:
            self._wait(mmc.close(closing, track))
        except DriveError as error:
            if not (self._simulate and is_refused(error)):  # in a test there is nothing to close
                raise

    def _report_waiting(self) -> None:
        self._report(BurnAction.WRITING if self._touched else BurnAction.PREPARING)

    def _report(self, action: BurnAction) -> None:
        if self._progress is None:
            return
        now, feed, track = time.monotonic(), self._feed, self._track
        start, count = (0, 0) if track is None else (track.start_lba, track.sectors)
        written = self._written_lba + 1 - start
        since = now - self._writing_since
        rate = written / since if since > 0 and written > 0 else 0.0
        told = BurnProgress(
            action=action,
            start_lba=start,
            sector_count=count,
            read_lba=self._written_lba if feed is None else feed.read_lba,
            written_lba=self._written_lba,
            buffer_used=0 if feed is None else feed.used,
            buffer_total=0 if feed is None else feed.total,
            elapsed=now - self._started,
            remaining=max(0, count - written) / rate if rate else None,
            speed=rate / 75,
            track=self._number,
        )
        if self._progress(told) is False:
            raise CancelledError(f"stopped by the caller after {self._sent} sectors")
