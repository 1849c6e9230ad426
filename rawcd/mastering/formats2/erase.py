"""Erasing a rewritable disc: IDiscFormat2Erase."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final

from rawcd.errors import DriveError, MasteringError
from rawcd.hresults import HResult
from rawcd.mastering.formats2.recorder import DiscRecorder2, recorder_of
from rawcd.mastering.formats2.refusals import client_name_of, code_of, refusal
from rawcd.mastering.formats2.sinks import Rhythm, Sinks
from rawcd.mastering.formats2.speeds import offered, physical_type
from rawcd.mastering.formats2.values import EraseProgress, MediaPhysicalType

if TYPE_CHECKING:
    from rawcd.drives import DriveSession
    from rawcd.mastering.formats2.sinks import Sink
    from rawcd.progress import BurnProgress

SUPPORTED: Final = (MediaPhysicalType.CDRW,)
PATIENCE_SECONDS: Final = 3600.0
"""IMAPI gives an erasure one hour."""
_CD_RW_PROFILE: Final = 0x000A
_CAPABILITIES: Final = 0x2A
_LEAST_INFORMATION: Final = 7
"""Bytes of READ DISC INFORMATION up to the flags of the last session."""
_LEAST_CAPABILITIES: Final = 8
_WRITES_CDRW: Final = 0x02
_ERASABLE: Final = 0x10
_LISTS_SECTORS: Final = 11_250
"""A lead-in and the first pregap, and what a drive does around them: what quick erasing writes."""
_WHOLE_SECTORS: Final = 22_500 + 359_849 + 6_750
_ILLEGAL_REQUEST: Final = 5
_BUSY: Final = (
    HResult.E_IMAPI_RECORDER_MEDIA_BUSY,
    HResult.E_IMAPI_RECORDER_MEDIA_FORMAT_IN_PROGRESS,
)


class DiscFormat2Erase:
    """Erases a CD-RW (IDiscFormat2Erase, coclass MsftDiscFormat2Erase).

    ```python
    eraser = DiscFormat2Erase()
    eraser.recorder = DiscRecorder2("/dev/sr0")
    eraser.client_name = "my program"
    eraser.erase_media()
    ```

    What an event sink raises is logged, and the erasing goes on.
    """

    def __init__(self) -> None:
        self._recorder: DiscRecorder2 | None = None
        self._client_name = ""
        self._full = False
        self._erasing = False
        self._sinks = Sinks()
        self._turn = threading.RLock()

    # -- recorder and client ----------------------------------------------------------------------

    @property
    def recorder(self) -> DiscRecorder2 | None:
        """The recorder (Recorder); None clears it, which has to come before another is put.

        Raises:
            MasteringError: put: E_IMAPI_ERASE_RECORDER_IN_USE: an erasure runs;
                ONLY_ONE_RECORDER_SUPPORTED: clear the present one first; RECORDER_NOT_SUPPORTED.
        """
        return self._recorder

    @recorder.setter
    def recorder(self, value: DiscRecorder2 | None) -> None:
        with self._turn:
            self._check_rest()
            if value is not None:
                if self._recorder is not None:
                    raise refusal(
                        HResult.E_IMAPI_ERASE_ONLY_ONE_RECORDER_SUPPORTED,
                        "recorder: there is one already; put None before another",
                    )
                if not self.is_recorder_supported(value):
                    raise refusal(
                        HResult.E_IMAPI_ERASE_RECORDER_NOT_SUPPORTED,
                        f"{value.active_disc_recorder} does not write CD-RW",
                    )
            self._recorder = value

    @property
    def client_name(self) -> str:
        """Who erases (ClientName); "" until it is put, and needed by `erase_media`.

        Raises:
            MasteringError: put: E_IMAPI_ERASE_CLIENT_NAME_IS_NOT_VALID, RECORDER_IN_USE.
        """
        return self._client_name

    @client_name.setter
    def client_name(self, value: str) -> None:
        with self._turn:
            self._check_rest()
            self._client_name = _name(value)

    @property
    def full_erase(self) -> bool:
        """Whether all of the disc is overwritten, not its lists alone (FullErase)."""
        return self._full

    @full_erase.setter
    def full_erase(self, value: bool) -> None:
        with self._turn:
            self._check_rest()
            self._full = bool(value)

    def _check_rest(self) -> None:
        if self._erasing:
            raise refusal(HResult.E_IMAPI_ERASE_RECORDER_IN_USE, "an erasure is running")

    def _needed_recorder(self, call: str) -> DiscRecorder2:
        if self._recorder is None:
            raise refusal(HResult.E_IMAPI_RECORDER_REQUIRED, f"{call}: no recorder has been set")
        return self._recorder

    # -- IDiscFormat2 -----------------------------------------------------------------------------

    def is_recorder_supported(self, recorder: DiscRecorder2) -> bool:
        """Tell whether a drive writes CD-RW, whatever is in it (IsRecorderSupported)."""
        with recorder_of(recorder, "is_recorder_supported").session() as session:
            return _writes_cdrw(session)

    def is_current_media_supported(self, recorder: DiscRecorder2) -> bool:
        """Tell whether the disc in a drive can be erased (IsCurrentMediaSupported).

        Raises:
            MasteringError: E_POINTER, E_INVALIDARG; E_IMAPI_RECORDER_MEDIA_NO_MEDIA; DEV.
        """
        with recorder_of(recorder, "is_current_media_supported").session() as session:
            media = session.media()
            if media is None:
                raise _empty(session)
            return _writes_cdrw(session) and media.erasable

    @property
    def media_physically_blank(self) -> bool:
        """Whether the drive reports the disc as blank (MediaPhysicallyBlank)."""
        with self._needed_recorder("media_physically_blank").session() as session:
            media = session.media()
            if media is None:
                raise _empty(session)
            return media.is_blank

    @property
    def media_heuristically_blank(self) -> bool:
        """The same (MediaHeuristicallyBlank): of a CD the drive's word is no guess."""
        return self.media_physically_blank

    @property
    def supported_media_types(self) -> tuple[MediaPhysicalType, ...]:
        """CD-RW (SupportedMediaTypes)."""
        return SUPPORTED

    @property
    def current_physical_media_type(self) -> MediaPhysicalType:
        """What is in the drive (CurrentPhysicalMediaType); UNKNOWN where it is empty.

        Raises:
            MasteringError: E_IMAPI_RECORDER_REQUIRED; DEV.
        """
        with self._needed_recorder("current_physical_media_type").session() as session:
            return physical_type(session, session.media())

    # -- erasing ----------------------------------------------------------------------------------

    def erase_media(self) -> None:
        """Erase the disc (EraseMedia); blocks until the drive calls it blank.

        Raises:
            MasteringError: E_IMAPI_RECORDER_REQUIRED; E_IMAPI_ERASE_RECORDER_IN_USE,
                CLIENT_NAME_IS_NOT_VALID, DISC_INFORMATION_TOO_SMALL, MODE_PAGE_2A_TOO_SMALL,
                MEDIA_IS_NOT_SUPPORTED, MEDIA_IS_NOT_ERASABLE, DRIVE_FAILED_SPINUP_COMMAND,
                DRIVE_FAILED_ERASE_COMMAND, TOOK_LONGER_THAN_ONE_HOUR,
                UNEXPECTED_DRIVE_RESPONSE_DURING_ERASE; DEV.
        """
        with self._turn:
            self._check_rest()
            recorder = self._needed_recorder("erase_media")
            name = _name(self._client_name)
            recorder.acquire_exclusive_access(True, name)
            self._erasing = True
        try:
            with recorder.in_use_by("erase_media"), recorder.session() as session:
                self._check_disc(session)
                self._erase(session)
        finally:
            self._erasing = False
            recorder.release_exclusive_access()

    def _check_disc(self, session: DriveSession) -> None:
        """Refuse what cannot be erased, before anything is."""
        try:
            session.wait_until_ready()
        except DriveError as error:
            code = code_of(error)
            if error.sense is not None and code is not HResult.E_IMAPI_RECORDER_MEDIA_NO_MEDIA:
                code = HResult.E_IMAPI_ERASE_DRIVE_FAILED_SPINUP_COMMAND
            raise refusal(code, f"erase_media: {error}") from error
        media = session.media()
        if media is None:
            raise _empty(session)
        information = session.disc_information_bytes()
        if len(information) < _LEAST_INFORMATION:
            raise refusal(
                HResult.E_IMAPI_ERASE_DISC_INFORMATION_TOO_SMALL,
                f"{session.name} answers READ DISC INFORMATION with {len(information)} bytes; "
                f"{_LEAST_INFORMATION} are the least",
            )
        page = session.mode_page(_CAPABILITIES)
        if page is not None and len(page) < _LEAST_CAPABILITIES:
            raise refusal(
                HResult.E_IMAPI_ERASE_MODE_PAGE_2A_TOO_SMALL,
                f"{session.name} has {len(page)} bytes of mode page 2Ah; "
                f"{_LEAST_CAPABILITIES} are the least",
            )
        kind = physical_type(session, media)
        if kind not in (MediaPhysicalType.CDR, MediaPhysicalType.CDRW, MediaPhysicalType.CDROM):
            raise refusal(
                HResult.E_IMAPI_ERASE_MEDIA_IS_NOT_SUPPORTED,
                f"{session.name}: a {media.kind} is in the drive, and no CD-RW",
            )
        if not information[2] & _ERASABLE:
            raise refusal(
                HResult.E_IMAPI_ERASE_MEDIA_IS_NOT_ERASABLE,
                f"{session.name}: a {media.kind} cannot be erased",
            )

    def _erase(self, session: DriveSession) -> None:
        estimate, rhythm = self._estimate(session), Rhythm()

        def watch(now: BurnProgress) -> None:
            if self._sinks and rhythm.is_due(now.action, now.elapsed):
                elapsed = int(now.elapsed)
                event = EraseProgress(
                    elapsed_seconds=elapsed, estimated_total_seconds=max(estimate, elapsed)
                )
                self._sinks.tell(self, event)

        started = time.monotonic()
        try:
            session.blank(quick=not self._full, progress=watch, patience=PATIENCE_SECONDS)
        except DriveError as error:
            after = round(time.monotonic() - started)
            raise refusal(_code(error), f"erase_media, after {after} seconds: {error}") from error

    def _estimate(self, session: DriveSession) -> int:
        """Return the seconds that it will take at the fastest speed that the drive offers."""
        speeds = offered(session, MediaPhysicalType.CDRW)
        sectors = _WHOLE_SECTORS if self._full else _LISTS_SECTORS
        return round(sectors / max((each.write_speed for each in speeds), default=75))

    # -- events -----------------------------------------------------------------------------------

    def advise(self, sink: Sink) -> int:
        """Have a function told of the progress: `sink(eraser, EraseProgress)`; see `unadvise`.

        Raises:
            MasteringError: E_POINTER, E_INVALIDARG: it cannot be called.
        """
        return self._sinks.advise(sink)

    def unadvise(self, cookie: int) -> None:
        """Tell a function no more.

        Raises:
            MasteringError: E_INVALIDARG: there is no such cookie.
        """
        self._sinks.unadvise(cookie)


def _name(value: object) -> str:
    return client_name_of(value, HResult.E_IMAPI_ERASE_CLIENT_NAME_IS_NOT_VALID)


def _empty(session: DriveSession) -> MasteringError:
    return refusal(
        HResult.E_IMAPI_RECORDER_MEDIA_NO_MEDIA, f"{session.name}: there is no disc in it"
    )


def _writes_cdrw(session: DriveSession) -> bool:
    if session.features() is not None:
        return _CD_RW_PROFILE in session.profiles()
    page = session.mode_page(_CAPABILITIES)
    return page is not None and len(page) > 3 and bool(page[3] & _WRITES_CDRW)


def _code(error: DriveError) -> HResult:
    """Return the code of what went wrong while a drive erased."""
    if error.sense is None:
        if error.__cause__ is None:  # it has done something else than it was told
            return HResult.E_IMAPI_ERASE_UNEXPECTED_DRIVE_RESPONSE_DURING_ERASE
        return code_of(error)
    code = code_of(error)
    if code in _BUSY:
        return HResult.E_IMAPI_ERASE_TOOK_LONGER_THAN_ONE_HOUR
    if error.sense[0] == _ILLEGAL_REQUEST:
        return HResult.E_IMAPI_ERASE_DRIVE_FAILED_ERASE_COMMAND
    if code is HResult.E_FAIL:
        return HResult.E_IMAPI_ERASE_UNEXPECTED_DRIVE_RESPONSE_DURING_ERASE
    return code
