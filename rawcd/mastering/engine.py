"""The burn engine: it takes a stash to a disc, and tells those who listen (IMSBurnEngine)."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from rawcd.errors import CancelledError, DriveError, MasteringError, RawCDError, StorageError
from rawcd.hresults import HResult
from rawcd.mastering.drive import CLIENT, RUN_OUT_BLOCKS
from rawcd.mastering.events import DiscMasterProgressEvents as Events
from rawcd.mastering.ground import check_same
from rawcd.mastering.refusals import drive_codes, refusal
from rawcd.progress import BurnAction

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rawcd.drives import DriveSession
    from rawcd.mastering.drive import Drive
    from rawcd.mastering.events import Listeners
    from rawcd.mastering.ground import Ground
    from rawcd.mastering.stash import Stash
    from rawcd.progress import BurnProgress
    from rawcd.source import Source

_log = logging.getLogger(__name__)

_PREPARING_SECONDS: Final = 15
"""What drives take to spin up and to try the laser."""
_CLOSING_SECTORS: Final = 4500 + 6750
"""A lead-in and a first lead-out."""
_STEPS: Final = 100
"""How often block progress is told, about."""


class BurnEngine:
    """One burn.

    Args:
        drive: where.
        ground: the disc that the image was staged for.
        stash: where the image is.
        listeners: who is told, and asked whether to go on.
        simulate: all is done but the laser's power.
    """

    def __init__(
        self,
        drive: Drive,
        ground: Ground,
        stash: Stash,
        listeners: Listeners,
        *,
        simulate: bool,
    ) -> None:
        self._drive = drive
        self._ground = ground
        self._stash = stash
        self._listeners = listeners
        self._simulate = simulate
        self._tracks: int | None = None
        self._total = 0
        self._before = 0
        self._told = 0
        self._closing = False
        self._refused: MasteringError | None = None

    def burn_audio(self, sources: Sequence[Source], *, eject: bool) -> None:
        """Burn tracks of sound, the drive's gaps between them, and close the disc.

        Raises:
            MasteringError: with what `record_disc` is to give.
        """
        self._tracks = len(sources)
        gap = self._drive.gap_blocks
        needed = sum(source.block_count for source in sources)
        needed += (len(sources) - 1) * (gap + RUN_OUT_BLOCKS)
        with self._session() as session:
            self._check_room(session, needed, data=False)
            self._burn(session, sources, pause=gap, appendable=False)
            self._eject(session, eject)

    def burn_data(self, source: Source, *, eject: bool) -> None:
        """Burn a data track as a session of its own; another may follow it.

        Raises:
            MasteringError: with what `record_disc` is to give.
        """
        with self._session() as session:
            start = self._check_room(session, source.block_count, data=True)
            if start != self._ground.start_lba:
                raise refusal(
                    HResult.IMAPI_E_WRONGDISC,
                    f"{session.name}: the session was staged for LBA {self._ground.start_lba}, "
                    f"and would begin at {start}",
                )
            self._burn(session, [source], pause=0, appendable=True)
            self._eject(session, eject)

    @contextmanager
    def _session(self) -> Iterator[DriveSession]:
        """Give the drive, held alone, with the right disc in it."""
        self._drive.is_burning = True
        try:
            with (
                drive_codes("record_disc"),
                self._stash_checked(),
                self._drive.recorder.open(exclusive=True, client=CLIENT) as session,
            ):
                check_same(session, self._ground)
                yield session
        finally:
            self._drive.is_burning = False

    @contextmanager
    def _stash_checked(self) -> Iterator[None]:
        """Tell a stash that cannot be read any more from a drive that fails.

        Raises:
            MasteringError: it cannot (INVALIDIMAGE).
        """
        try:
            yield
        except (StorageError, DriveError) as error:
            cause = error if isinstance(error, StorageError) else error.__cause__
            if isinstance(cause, StorageError) and cause.file == self._stash.name:
                raise refusal(
                    HResult.IMAPI_E_INVALIDIMAGE, f"record_disc: the stash is damaged: {error}"
                ) from error
            raise

    def _check_room(self, session: DriveSession, needed: int, *, data: bool) -> int:
        """Return where the first track goes, if there is room.

        Raises:
            MasteringError: there is not (DISCFULL): the disc is a smaller one.
        """
        room = session.track_room(data=data)
        if needed > room.sectors:
            raise refusal(
                HResult.IMAPI_E_DISCFULL,
                f"{session.name}: the image takes {needed} blocks, the disc has {room.sectors}",
            )
        return room.start_lba

    def _burn(
        self, session: DriveSession, sources: Sequence[Source], *, pause: int, appendable: bool
    ) -> None:
        self._total = sum(source.block_count for source in sources)
        counts = [source.block_count for source in sources]
        self._listeners.tell(Events.notify_preparing_burn, _PREPARING_SECONDS)

        def tracks_done(done: int) -> None:
            self._before = sum(counts[:done])
            if done and self._before > self._told:
                self._tell_blocks(self._before)
            if self._tracks is not None:
                self._listeners.tell(Events.notify_track_progress, done, self._tracks)
            if not done:
                self._listeners.tell(Events.notify_block_progress, 0, self._total)
            if done == len(counts):
                self._closing = True
                self._listeners.tell(Events.notify_closing_disc, self._closing_seconds())

        try:
            session.write_tracks(
                sources,
                pause=pause,
                simulate=self._simulate,
                speed=self._drive.write_speed,
                underrun_protection=self._drive.underrun_protection,
                appendable=appendable,
                tracks_done=tracks_done,
                progress=self._watch,
            )
        except CancelledError as error:
            if self._refused is None:
                raise
            state = "" if error.disc_state is None else f"; {error.disc_state}"
            raise refusal(
                HResult(self._refused.hresult), f"record_disc: {self._refused}{state}"
            ) from (self._refused.__cause__ or error)

    def _watch(self, told: BurnProgress) -> bool:
        """Tell how far it is, and ask whether to go on.

        Once the session is being closed nobody is asked: it would be closed all the same.
        """
        if self._closing:
            return True
        if told.action is BurnAction.WRITING and told.written_lba >= told.start_lba:
            done = self._before + told.written_lba + 1 - told.start_lba
            if done - self._told >= max(1, self._total // _STEPS):
                self._tell_blocks(done)
        try:
            self._listeners.check_cancelled()
        except MasteringError as error:
            self._refused = error
            return False
        return True

    def _tell_blocks(self, done: int) -> None:
        self._told = done
        self._listeners.tell(Events.notify_block_progress, done, self._total)

    def _closing_seconds(self) -> int:
        speed = self._drive.write_speed or self._drive.facts.max_speed or 1
        return 0 if self._simulate else -(-_CLOSING_SECTORS // (75 * speed))

    def _eject(self, session: DriveSession, wanted: bool) -> None:
        """Open the tray; the disc is done, whether it opens or not."""
        if not wanted:
            return
        try:
            session.eject()
        except RawCDError as error:
            _log.warning(
                "%s: the disc is written, and the tray stays shut: %s", session.name, error
            )
