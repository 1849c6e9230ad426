"""What RawCD and TrackAtOnce share beside IDiscFormat2: speeds, prepare, write and release, events.

What each call may do in which state is `states`' table.
"""

from __future__ import annotations

import logging
import sys
import threading
from abc import abstractmethod
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

from rawcd.errors import CancelledError, DriveError, RawCDError
from rawcd.hresults import HResult
from rawcd.mastering.formats2.discformat import DiscFormat2, media_in
from rawcd.mastering.formats2.refusals import code_of, refusal
from rawcd.mastering.formats2.sinks import Rhythm
from rawcd.mastering.formats2.speeds import (
    nearest,
    offered,
    physical_type,
    sectors_per_second,
    speed_asked_for,
    times_of,
)
from rawcd.mastering.formats2.states import WriterState, check
from rawcd.mastering.formats2.values import FASTEST, MediaPhysicalType, WriteSpeedDescriptor
from rawcd.progress import BurnAction

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rawcd.drives import DriveSession, Media
    from rawcd.mastering.formats2.recorder import DiscRecorder2
    from rawcd.mastering.formats2.states import Codes, Family, Row
    from rawcd.progress import BurnProgress, BurnWatch

_log = logging.getLogger(__name__)

_LEGACY_CAPABILITIES: Final = 0x2A
_ROTATION_BYTE: Final = 27
_PURE_CAV: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """What was found out about a disc when it was prepared; asked for again while writing.

    Attributes:
        media_type: CD-R or CD-RW.
        speeds: what the drive offers for it.
        write_speed: what is set, in sectors a second; None where the drive does not say.
        pure_cav: whether the disc turns at one speed throughout.
    """

    media_type: MediaPhysicalType
    speeds: tuple[WriteSpeedDescriptor, ...]
    write_speed: int | None
    pure_cav: bool


class DiscWriter(DiscFormat2):
    """The base of the writers: the frame around a write, and its speed."""

    _family: ClassVar[Family]
    _media_types = (MediaPhysicalType.CDR, MediaPhysicalType.CDRW)
    _table: ClassVar[dict[str, Row]]

    def __init__(self) -> None:
        super().__init__()
        self._state = WriterState.NO_RECORDER
        self._prepared: Prepared | None = None
        self._underrun_free_disabled = False
        self._requested_speed = FASTEST
        self._requested_cav = False
        self._chosen: tuple[int, bool] | None = None
        self._cancelled = threading.Event()
        self._failed = False

    @property
    def state(self) -> WriterState:
        """Where the writer stands (rawcd's own; IMAPI tells it by its refusals)."""
        return self._state

    @property
    def _codes(self) -> Codes:
        return self._family

    def _check(self, call: str) -> None:
        check(self._table, call, self._state)

    def _check_at_rest(self, call: str) -> None:
        self._check(f"put {call}")

    def _take(self, recorder: DiscRecorder2 | None) -> None:
        super()._take(recorder)
        self._chosen = None
        self._state = WriterState.NO_RECORDER if recorder is None else WriterState.IDLE

    def _suits(self, session: DriveSession, media: Media) -> bool:
        return physical_type(session, media) in self._media_types and media.is_blank

    def _is_blank(self, call: str) -> bool:
        return self._state is not WriterState.WRITING and super()._is_blank(call)

    def _media_type(self, call: str) -> MediaPhysicalType:
        if self._state is WriterState.WRITING and self._prepared is not None:
            return self._prepared.media_type
        return super()._media_type(call)

    # -- speeds -----------------------------------------------------------------------------------

    def set_write_speed(
        self,
        requested_sectors_per_second: int = FASTEST,
        rotation_type_is_pure_cav: bool = False,
    ) -> HResult:
        """Choose a speed (SetWriteSpeed): the nearest that the drive has for the disc.

        Args:
            requested_sectors_per_second: 75 is single speed; -1 is the fastest.
            rotation_type_is_pure_cav: the disc turns at one speed throughout.

        Returns:
            S_OK, or what was changed: S_IMAPI_SPEEDADJUSTED, S_IMAPI_ROTATIONADJUSTED,
            S_IMAPI_BOTHADJUSTED.

        Raises:
            MasteringError: E_INVALIDARG; E_IMAPI_RECORDER_REQUIRED; MEDIA_IS_NOT_SUPPORTED,
                MEDIA_IS_NOT_BLANK, WRITE_IN_PROGRESS; DEV.
        """
        with self._turn:
            self._check("set_write_speed")
            speed = speed_asked_for(requested_sectors_per_second)
            if speed is None:
                raise refusal(
                    HResult.E_INVALIDARG,
                    f"{requested_sectors_per_second!r} sectors a second are no speed; 75 is single "
                    "speed, -1 the fastest",
                )
            recorder = self._needed_recorder("set_write_speed")
            recorder.check_free("set_write_speed")
            with recorder.session() as session:
                if self._state is WriterState.IDLE:
                    self._check_blank(session)
                self._requested_speed, self._requested_cav = speed, bool(rotation_type_is_pure_cav)
                return self._choose_speed(session)

    def _choose_speed(self, session: DriveSession) -> HResult:
        """Set what comes nearest to the speed that was asked for."""
        media_type = physical_type(session, session.media())
        speeds = tuple(offered(session, media_type))
        speed, pure_cav, code = nearest(speeds, self._requested_speed, pure_cav=self._requested_cav)
        self._chosen = speed, pure_cav
        session.set_speed(times_of(speed), pure_cav=pure_cav)
        if self._prepared is not None:
            self._prepared = self._found_out(session, media_type, speeds)
        return code

    def _found_out(
        self,
        session: DriveSession,
        media_type: MediaPhysicalType,
        speeds: tuple[WriteSpeedDescriptor, ...],
    ) -> Prepared:
        told = session.current_write_speed()
        page = session.mode_page(_LEGACY_CAPABILITIES)
        pure_cav = self._chosen is not None and self._chosen[1]
        if page is not None and len(page) > _ROTATION_BYTE:
            pure_cav = page[_ROTATION_BYTE] & 3 == _PURE_CAV
        return Prepared(
            media_type=media_type,
            speeds=speeds,
            write_speed=None if told is None else sectors_per_second(told),
            pure_cav=pure_cav,
        )

    @property
    def requested_write_speed(self) -> int:
        """What `set_write_speed` was last asked for (RequestedWriteSpeed); -1 at first."""
        return self._requested_speed

    @property
    def requested_rotation_type_is_pure_cav(self) -> bool:
        """Likewise (RequestedRotationTypeIsPureCAV)."""
        return self._requested_cav

    def _speed_facts(self, call: str) -> Prepared:
        recorder = self._needed_recorder(call)
        if self._state is WriterState.WRITING and self._prepared is not None:
            return self._prepared
        recorder.check_free(call)
        with recorder.session() as session:
            media_type = physical_type(session, media_in(session))
            if self._chosen is not None:  # the drive may have forgotten it since
                session.set_speed(times_of(self._chosen[0]), pure_cav=self._chosen[1])
            return self._found_out(session, media_type, tuple(offered(session, media_type)))

    @property
    def current_write_speed(self) -> int:
        """What the drive is set to, in sectors a second (CurrentWriteSpeed).

        Raises:
            MasteringError: NO_RECORDER_SPECIFIED; E_IMAPI_UNEXPECTED_RESPONSE_FROM_DEVICE: it
                does not say; DEV.
        """
        speed = self._speed_facts("current_write_speed").write_speed
        if speed is None:
            raise refusal(
                HResult.E_IMAPI_UNEXPECTED_RESPONSE_FROM_DEVICE,
                "the drive does not say how fast it writes",
            )
        return speed

    @property
    def current_rotation_type_is_pure_cav(self) -> bool:
        """Whether the disc will turn at one speed throughout (CurrentRotationTypeIsPureCAV)."""
        return self._speed_facts("current_rotation_type_is_pure_cav").pure_cav

    @property
    def supported_write_speeds(self) -> tuple[int, ...]:
        """The speeds for this drive and disc, the fastest first (SupportedWriteSpeeds)."""
        told = self._speed_facts("supported_write_speeds").speeds
        return tuple(sorted({each.write_speed for each in told}, reverse=True))

    @property
    def supported_write_speed_descriptors(self) -> tuple[WriteSpeedDescriptor, ...]:
        """The same with the way of turning (SupportedWriteSpeedDescriptors)."""
        return self._speed_facts("supported_write_speed_descriptors").speeds

    @property
    def buffer_underrun_free_disabled(self) -> bool:
        """Whether writing goes on when data come too late (BufferUnderrunFreeDisabled).

        Raises:
            MasteringError: put: MEDIA_IS_NOT_PREPARED, WRITE_IN_PROGRESS.
        """
        return self._underrun_free_disabled

    @buffer_underrun_free_disabled.setter
    def buffer_underrun_free_disabled(self, value: bool) -> None:
        with self._turn:
            self._check("put buffer_underrun_free_disabled")
            self._underrun_free_disabled = bool(value)

    # -- the frame --------------------------------------------------------------------------------

    def prepare_media(self) -> HResult:
        """Take the drive, lock its tray and look at the disc (PrepareMedia).

        `release_media` is owed from now on, whatever becomes of the write.

        Returns:
            S_OK, or what was changed of the speed that was asked for, as `set_write_speed`.

        Raises:
            MasteringError: NO_RECORDER_SPECIFIED, MEDIA_IS_PREPARED, CLIENT_NAME_IS_NOT_VALID,
                MEDIA_IS_NOT_SUPPORTED, MEDIA_IS_NOT_BLANK; DEV. Nothing is owed then.
        """
        with self._turn:
            self._check("prepare_media")
            recorder = self._needed_recorder("prepare_media")
            name = self._valid_name(self._client_name)
            recorder.check_free("prepare_media")
            recorder.acquire_exclusive_access(True, name)
            try:
                with recorder.session() as session:
                    session.wait_until_ready()
                    media = self._check_blank(session)
                    session.lock()
                    try:
                        code = self._choose_speed(session)
                        media_type = physical_type(session, media)
                        speeds = tuple(offered(session, media_type))
                        self._prepared = self._found_out(session, media_type, speeds)
                        self._look_at(session, media)
                    except BaseException:
                        session.unlock()
                        raise
            except BaseException:
                self._prepared = None
                recorder.release_exclusive_access()
                raise
            self._failed = False
            self._state = WriterState.PREPARED
            return code

    def _check_blank(self, session: DriveSession) -> Media:
        """Return what is in the drive, if it is a blank that this writer takes."""
        media = media_in(session)
        if physical_type(session, media) not in self._media_types:
            raise refusal(
                self._family.not_supported,
                f"{session.name}: a {media.kind} is in the drive; a blank CD-R or CD-RW is needed",
            )
        if not media.is_blank:
            remedy = "erase it first" if media.erasable else "take a blank one"
            raise refusal(self._family.not_blank, f"{session.name}: the disc is written; {remedy}")
        return media

    @abstractmethod
    def _look_at(self, session: DriveSession, media: Media) -> None:
        """Find out about a disc that is being prepared what this writer wants to know."""

    def release_media(self) -> None:
        """Close what is open, unlock the tray and let go of the drive (ReleaseMedia).

        While the error of a write is on its way, in a `finally` or an `except`, it raises nothing:
        what fails in it is logged, so that the first error is the one that is seen. The drive is
        let go of in any case.

        Raises:
            MasteringError: MEDIA_IS_NOT_PREPARED, WRITE_IN_PROGRESS; of track at once: what
                closing the session met.
        """
        with self._turn:
            self._check("release_media")
            on_its_way = sys.exc_info()[1] is not None
            recorder = self._needed_recorder("release_media")
            recorder.check_free("release_media")
            self._cancelled.clear()
            self._state = WriterState.WRITING  # what closing tells of must not begin it again
            try:
                with recorder.in_use_by("release_media"), recorder.session() as session:
                    try:
                        self._finish(session)
                    finally:
                        session.unlock()
            except RawCDError as error:
                if not (self._failed and on_its_way):
                    raise
                _log.warning("release_media, after an error: %s", error)
            finally:
                self._prepared = None
                self._state = WriterState.IDLE
                recorder.release_exclusive_access()

    def _finish(self, session: DriveSession) -> None:
        """Close what is open on the disc; of raw writing nothing is."""
        del session

    @contextmanager
    def _writing(self, call: str) -> Iterator[DriveSession]:
        """Be in the state of writing; turn what goes wrong into IMAPI's refusals."""
        with self._turn:
            self._check(call)
            recorder = self._needed_recorder(call)
            self._cancelled.clear()
            self._state = WriterState.WRITING
        self._failed = True  # until it has gone well
        try:
            with recorder.in_use_by(call), recorder.session() as session:
                try:
                    yield session
                except CancelledError as error:
                    raise refusal(
                        HResult.E_IMAPI_REQUEST_CANCELLED,
                        f"{call}: cancelled; {error.disc_state or error}",
                    ) from error
                except DriveError as error:
                    raise refusal(self._code_of(error), f"{call}: {error}") from error
            self._failed = False
        finally:
            self._state = WriterState.PREPARED

    def _code_of(self, error: DriveError) -> HResult:
        return code_of(error, writing=True)

    def _cancel(self, call: str) -> None:
        self._check(call)
        self._cancelled.set()

    # -- events -----------------------------------------------------------------------------------

    @abstractmethod
    def _event(self, now: BurnProgress) -> tuple[object, object]:
        """Return the action that is being done, and the event that tells of it."""

    def _watch(self) -> BurnWatch:
        """Return what a burn is to call: it tells the sinks in their rhythm, and may stop it."""
        rhythm = Rhythm()

        def watch(now: BurnProgress) -> bool:
            action, event = self._event(now)
            if self._sinks and rhythm.is_due(action, now.elapsed):
                self._sinks.tell(self, event)
            return not self._cancelled.is_set()

        return watch


PREPARING: Final = (BurnAction.PREPARING, BurnAction.CALIBRATING)
FINISHING: Final = (BurnAction.FINISHING, BurnAction.CHECKING)
