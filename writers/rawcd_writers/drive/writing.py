"""What all ways of writing share: blocks fed to a drive, progress told, a failure met."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rawcd.errors import CancelledError, DriveError, RawCDError
from rawcd.progress import BurnAction, BurnProgress
from rawcd_writers.drive import mmc
from rawcd_writers.drive.dialogue import is_refused
from rawcd_writers.drive.feed import Feed, Run
from rawcd_writers.drive.pages import BlockType, MultiSession, WriteParameters, WriteType
from rawcd_writers.drive.plan import RUN_OUT_SECTORS, WriteMode
from rawcd_writers.drive.replies import DiscStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rawcd.disc import Disc
    from rawcd.features import Loss
    from rawcd.image import ImageType
    from rawcd.progress import BurnWatch
    from rawcd_writers.drive.session import DriveSession

_log = logging.getLogger(__name__)

CLOSING_PATIENCE: Final = 900.0
"""Seconds that closing a track or a session may take."""
_WRITING_PATIENCE: Final = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BurnResult:
    """What was done.

    Attributes:
        mode: `raw`, `sao` or `tao`.
        simulated: nothing was written.
        sectors: how many were sent.
        losses: what the image has and the disc has not.
        remarks: what the drive remarked upon while it did its work.
        disc_state: what the disc is now, in words.
        sub: the form in which subcode was sent; None: the drive made all of it.
        with_text: CD-TEXT was sent for the lead-in.
    """

    mode: str
    simulated: bool
    sectors: int
    losses: tuple[Loss, ...]
    remarks: tuple[str, ...]
    disc_state: str
    sub: ImageType | None = None
    with_text: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackRoom:
    """Where the next track at once goes.

    Attributes:
        number: the drive's number for it.
        start_lba: its first sector, behind the pregap.
        sectors: room for it, what the drive adds behind it taken off.
    """

    number: int
    start_lba: int
    sectors: int


def next_track(session: DriveSession) -> TrackRoom:
    """Ask the drive where the next track at once goes, with page 05h set for it.

    Raises:
        DriveError: there is no disc, or nothing can be added to it.
    """
    told = session.dialogue.ask(mmc.read_track_information())
    if told.next_writable_lba is None:
        raise DriveError(
            f"{session.name}: the drive does not say where track {told.track} goes",
            command="READ TRACK INFORMATION",
        )
    return TrackRoom(
        number=told.track,
        start_lba=told.next_writable_lba,
        sectors=max(0, told.free - RUN_OUT_SECTORS),
    )


class Writing:
    """One piece of writing on one drive.

    Args:
        session: the drive.
        start_lba: first sector of what is written, for progress.
        count: sectors of it.
        simulate: all is done but the laser's power.
        speed: how often single speed; None is the fastest.
        pure_cav: the disc turns at one speed throughout.
        underrun_protection: writing pauses when data come too late.
        progress: told on this thread after each WRITE; False or an exception stops the work.
    """

    def __init__(
        self,
        session: DriveSession,
        *,
        start_lba: int,
        count: int,
        simulate: bool = False,
        speed: float | None = None,
        pure_cav: bool = False,
        underrun_protection: bool = True,
        progress: BurnWatch | None = None,
    ) -> None:
        self._session = session
        self._dialogue = session.dialogue
        self._simulate = simulate
        self._speed = speed
        self._pure_cav = pure_cav
        self._underrun_protection = underrun_protection
        self._progress = progress
        self._feed: Feed | None = None
        self._started = time.monotonic()
        self._writing_since: float | None = None
        self._known: tuple[str, ...] = ()  # what was remarked upon before
        self._changes = 0  # of the drive's state, when somebody last looked at the disc
        self._touched = False  # a WRITE has gone out: the disc may not be what it was
        self._all_sent = False
        self._sent = 0
        self._start_lba = start_lba
        self._count = count
        self._written_lba = start_lba - 1

    def _attend(self, work: Callable[[], None]) -> None:
        """Do the work once the drive is ready; an error is told what became of the disc.

        A tray that `work` locks is unlocked behind it; one that was locked before stays so.
        """
        session = self._session
        locked = session.is_locked
        self._dialogue.while_waiting = self._report_waiting
        try:
            session.wait_until_ready()
            self._changes = len(self._dialogue.changes)
            self._known = session.observed()
            work()
        except BaseException as error:
            self._dialogue.while_waiting = None
            self._stop(error)
            raise
        finally:
            self._dialogue.while_waiting = None
            if not locked:
                session.unlock()

    def _begin(self) -> None:
        """Lock the tray and set the speed."""
        if not self._session.is_locked:
            self._session.lock()
        self._report(BurnAction.PREPARING)
        self._session.set_speed(self._speed, pure_cav=self._pure_cav)

    def _next_track(self, sectors: int, *, overburn: bool = False) -> TrackRoom:
        """Return where the next track goes, which has so many sectors.

        Raises:
            DriveError: nobody tells where, or there is no room for it.
        """
        place = next_track(self._session)
        if place.sectors < sectors and not (self._simulate or overburn):
            raise DriveError(
                f"{self._session.name}: track {place.number} has {sectors} sectors, the disc room "
                f"for {place.sectors}"
            )
        return place

    def _parameters(
        self, write_type: WriteType, block_type: BlockType, multi_session: MultiSession
    ) -> WriteParameters:
        """Return page 05h."""
        return WriteParameters(
            write_type=write_type,
            block_type=block_type,
            multi_session=multi_session,
            test_write=self._simulate,
            underrun_protection=self._underrun_protection,
        )

    def _calibrate(self) -> None:
        """Have the laser tried; it costs a place in the disc's area for that, so not in a test."""
        if self._simulate:
            return
        self._report(BurnAction.CALIBRATING)
        try:
            self._dialogue.ask(mmc.send_opc())
        except DriveError as error:
            if not is_refused(error):  # old drives do it by themselves
                raise

    def _send(self, runs: Sequence[Run], *, disc: Disc | None = None) -> None:
        """Send runs of blocks, in order, at the addresses they have."""
        self._see_that_nothing_changed()
        with Feed(runs, max_bytes=self._dialogue.transport.max_bytes) as feed:
            self._feed = feed
            feed.wait_until_full()
            if self._writing_since is None:
                self._writing_since = time.monotonic()
            for load in feed:
                self._touched = True
                self._dialogue.ask(
                    mmc.write(load.lba, load.blocks, load.data),
                    patience=_WRITING_PATIENCE,
                    after_change=False,
                )
                self._sent += load.blocks
                self._written_lba = load.lba + load.blocks - 1
                self._report(BurnAction.WRITING, disc=disc)

    def _see_that_nothing_changed(self) -> None:
        """Refuse to write on what may be another disc, or with other parameters than were set.

        A drive that was reset has forgotten page 05h and the cue sheet; one that reports a new
        disc may hold one of another size, or one that is not blank.
        """
        for first in self._dialogue.changes[self._changes :]:
            raise DriveError(
                f"{first}; the disc has to be looked at anew: start again",
                sense=first.sense,
                command=first.command,
                lba=first.lba,
            )

    def _flush(self) -> None:
        self._report(BurnAction.FINISHING)
        self._dialogue.ask(mmc.synchronize_cache(), patience=CLOSING_PATIENCE, after_change=False)

    def _settle(self) -> None:
        """Wait until the drive rests behind a session, which it may report as a new disc."""
        self._dialogue.ask(mmc.test_unit_ready(), patience=CLOSING_PATIENCE)
        self._changes = len(self._dialogue.changes)

    def _close(self, closing: mmc.Closing, track: int = 0) -> None:
        try:
            self._dialogue.ask(
                mmc.close(closing, track), patience=CLOSING_PATIENCE, after_change=False
            )
        except DriveError as error:
            if not (self._simulate and is_refused(error)):  # in a test there is nothing to close
                raise

    def _close_track(self, track: int) -> None:
        """Have everything of a track written, and close it."""
        self._flush()
        self._dialogue.ask(mmc.test_unit_ready(), patience=CLOSING_PATIENCE, after_change=False)
        self._close(mmc.Closing.TRACK, track)

    def _confirm(self, *expected: DiscStatus, before: DiscStatus | None = None) -> None:
        """Ask the drive what the disc is now; only its answer makes a success.

        Args:
            expected: what it may be; the first is what was asked for.
            before: what it was, and is after a test; None: this way of writing has none.
        """
        self._all_sent = True
        self._report(BurnAction.CHECKING)
        right = (before,) if self._simulate and before is not None else expected
        status = self._session.disc_information().status
        if status not in right:
            raise DriveError(
                f"{self._session.name}: the drive took everything and reports the disc as "
                f"{status.name.lower()}, where {right[0].name.lower()} is right",
                command="READ DISC INFORMATION",
            )

    def _result(self, mode: WriteMode) -> BurnResult:
        return BurnResult(
            mode=mode.value,
            simulated=self._simulate,
            sectors=self._sent,
            losses=(),
            remarks=(*map(str, self._dialogue.warnings), *self._session.observed(self._known)),
            disc_state=self._session.state_in_words(),
        )

    def _report_waiting(self) -> None:
        self._report(BurnAction.WRITING if self._touched else BurnAction.PREPARING)

    def _report(self, action: BurnAction, *, disc: Disc | None = None) -> None:
        if self._progress is None:
            return
        now, feed = time.monotonic(), self._feed
        written = self._written_lba + 1 - self._start_lba
        since = now - (self._writing_since or now)
        rate = written / since if since > 0 and written > 0 else 0.0
        place = disc.place(self._written_lba) if disc is not None else None
        told = BurnProgress(
            action=action,
            start_lba=self._start_lba,
            sector_count=self._count,
            read_lba=self._written_lba if feed is None else feed.read_lba,
            written_lba=self._written_lba,
            buffer_used=0 if feed is None else feed.used,
            buffer_total=0 if feed is None else feed.total,
            elapsed=now - self._started,
            remaining=max(0, self._count - written) / rate if rate else None,
            speed=rate / 75,
            track=None if place is None else place.track,
        )
        if self._progress(told) is False:
            raise CancelledError(
                f"stopped by the caller after {max(0, written)} of {self._count} sectors"
            )

    def _stop(self, error: BaseException) -> None:
        """Bring the drive to rest and tell `error` what became of the disc; hides nothing."""
        try:
            state = self._left_behind()
        except BaseException as second:  # such as a second Ctrl-C
            second.add_note(f"{self._sent} sectors were sent; the drive was not asked further")
            raise
        if isinstance(error, DriveError | CancelledError):
            error.disc_state = state
        elif isinstance(error, RawCDError) and self._touched:
            raise DriveError(f"the image cannot be read on: {error}", disc_state=state) from error
        else:
            error.add_note(state)

    def _left_behind(self) -> str:
        """Stop writing, and say in words what the disc is now."""
        if not self._touched:
            return "nothing was written"
        if not self._all_sent:
            try:
                self._dialogue.ask(mmc.synchronize_cache(), patience=_WRITING_PATIENCE)
            except DriveError as second:
                _log.warning("after the error: %s", second)
        status, words = self._session.state()
        if status is not None:
            words = f"the drive says: {words}"
        if self._simulate:
            return f"it was a test; {words}"
        if self._all_sent:
            spoiled = status in (DiscStatus.BLANK, DiscStatus.APPENDABLE)
        else:
            spoiled = status is DiscStatus.APPENDABLE or (
                self._sent > 0 and status is not DiscStatus.COMPLETE
            )
        return (
            f"{self._sent} sectors were sent"
            + ", so the disc is spoiled unless it can be blanked" * spoiled
            + f"; {words}"
        )
