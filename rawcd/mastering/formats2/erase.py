"""Erasing a rewritable disc: IDiscFormat2Erase."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from rawcd.errors import DriveError
from rawcd.hresults import HResult
from rawcd.mastering.formats2.discformat import DiscFormat2, media_in
from rawcd.mastering.formats2.refusals import code_of, refusal
from rawcd.mastering.formats2.sinks import Rhythm
from rawcd.mastering.formats2.speeds import offered, physical_type
from rawcd.mastering.formats2.states import ERASE
from rawcd.mastering.formats2.values import EraseProgress, MediaPhysicalType

if TYPE_CHECKING:
    from rawcd.drives import DriveSession, Media
    from rawcd.mastering.formats2.recorder import DiscRecorder2
    from rawcd.mastering.formats2.states import Codes
    from rawcd.progress import BurnProgress

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


class DiscFormat2Erase(DiscFormat2):
    """Erases a CD-RW (IDiscFormat2Erase, coclass MsftDiscFormat2Erase).

    ```python
    eraser = DiscFormat2Erase()
    eraser.recorder = DiscRecorder2("/dev/sr0")
    eraser.client_name = "my program"
    eraser.erase_media()
    ```

    Another recorder can be put when `recorder` has been put to None. Sinks are called with an
    `EraseProgress`.
    """

    _media_types = (MediaPhysicalType.CDRW,)
    _lacks = "write CD-RW"

    def __init__(self) -> None:
        super().__init__()
        self._full = False
        self._erasing = False

    @property
    def _codes(self) -> Codes:
        return ERASE

    def _check_at_rest(self, call: str) -> None:
        if self._erasing:
            raise refusal(HResult.E_IMAPI_ERASE_RECORDER_IN_USE, f"{call}: an erasure is running")

    def _take(self, recorder: DiscRecorder2 | None) -> None:
        if recorder is not None and self._recorder is not None:
            raise refusal(
                HResult.E_IMAPI_ERASE_ONLY_ONE_RECORDER_SUPPORTED,
                "recorder: there is one already; put None before another",
            )
        super()._take(recorder)

    def _writes(self, session: DriveSession) -> bool:
        if session.features() is not None:
            return _CD_RW_PROFILE in session.profiles()
        page = session.mode_page(_CAPABILITIES)
        return page is not None and len(page) > 3 and bool(page[3] & _WRITES_CDRW)

    def _suits(self, session: DriveSession, media: Media) -> bool:
        del session
        return media.erasable

    @property
    def full_erase(self) -> bool:
        """Whether all of the disc is overwritten, not its lists alone (FullErase)."""
        return self._full

    @full_erase.setter
    def full_erase(self, value: bool) -> None:
        with self._turn:
            self._check_at_rest("full_erase")
            self._full = bool(value)

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
            self._check_at_rest("erase_media")
            recorder = self._needed_recorder("erase_media")
            name = self._valid_name(self._client_name)
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
        media = media_in(session)
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
