"""What IMAPI 2's writers and its eraser share: a drive, its disc, who is told (IDiscFormat2)."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

from rawcd.hresults import HResult
from rawcd.mastering.formats2.recorder import DiscRecorder2, recorder_of
from rawcd.mastering.formats2.refusals import client_name_of, refusal
from rawcd.mastering.formats2.sinks import Sinks
from rawcd.mastering.formats2.speeds import physical_type

if TYPE_CHECKING:
    from rawcd.drives import DriveSession, Media
    from rawcd.mastering.formats2.sinks import Sink
    from rawcd.mastering.formats2.states import Codes
    from rawcd.mastering.formats2.values import MediaPhysicalType


class DiscFormat2(ABC):
    """The base of all that write on a disc or erase it (IDiscFormat2).

    What an event sink raises is logged, and the work goes on: IMAPI looks at nothing that a sink
    returns, and a progress bar that fails must not cost a disc.
    """

    _media_types: ClassVar[tuple[MediaPhysicalType, ...]]
    _lacks: ClassVar[str]
    """What a drive that is not supported does not do, for the message."""

    def __init__(self) -> None:
        self._recorder: DiscRecorder2 | None = None
        self._client_name = ""
        self._sinks = Sinks()
        self._turn = threading.RLock()

    def __repr__(self) -> str:
        name = "without a recorder" if self._recorder is None else self._recorder.recorder.name
        return f"<{type(self).__name__} {name}>"

    @property
    @abstractmethod
    def _codes(self) -> Codes:
        """The codes of its own family."""

    # -- recorder and client ----------------------------------------------------------------------

    @property
    def recorder(self) -> DiscRecorder2 | None:
        """The recorder (Recorder); None clears it.

        Raises:
            MasteringError: put: RECORDER_NOT_SUPPORTED; E_INVALIDARG: it is no DiscRecorder2; of a
                writer WRITE_IN_PROGRESS, MEDIA_IS_PREPARED; of the eraser
                E_IMAPI_ERASE_RECORDER_IN_USE: an erasure runs, and ONLY_ONE_RECORDER_SUPPORTED:
                the present one has to be cleared before another is put.
        """
        return self._recorder

    @recorder.setter
    def recorder(self, value: DiscRecorder2 | None) -> None:
        with self._turn:
            self._check_at_rest("recorder")
            self._take(value)

    def _take(self, recorder: DiscRecorder2 | None) -> None:
        """Go by a recorder from now on, or by none."""
        if recorder is not None and not self._is_supported(recorder, "recorder"):
            raise refusal(
                self._codes.recorder_not_supported,
                f"recorder: {recorder.active_disc_recorder} does not {self._lacks}",
            )
        self._recorder = recorder

    @property
    def client_name(self) -> str:
        """Whose program it is (ClientName); "" until it is put, and needed before the disc is.

        Raises:
            MasteringError: put: CLIENT_NAME_IS_NOT_VALID; of a writer WRITE_IN_PROGRESS,
                MEDIA_IS_PREPARED; of the eraser E_IMAPI_ERASE_RECORDER_IN_USE.
        """
        return self._client_name

    @client_name.setter
    def client_name(self, value: str) -> None:
        with self._turn:
            self._check_at_rest("client_name")
            self._client_name = self._valid_name(value)

    def _valid_name(self, name: object) -> str:
        return client_name_of(name, self._codes.client_name)

    @abstractmethod
    def _check_at_rest(self, call: str) -> None:
        """Refuse to put a property while something goes on that it has to stay for."""

    def _needed_recorder(self, call: str) -> DiscRecorder2:
        if self._recorder is None:
            raise refusal(self._codes.no_recorder, f"{call}: no recorder has been set")
        return self._recorder

    # -- what a drive and its disc are good for ---------------------------------------------------

    @abstractmethod
    def _writes(self, session: DriveSession) -> bool:
        """Tell whether a drive can do what this is for, whatever is in it."""

    @abstractmethod
    def _suits(self, session: DriveSession, media: Media) -> bool:
        """Tell whether it can be done to the disc that is in such a drive."""

    def is_recorder_supported(self, recorder: DiscRecorder2) -> bool:
        """Tell whether a drive can do it, whatever is in it (IsRecorderSupported).

        Raises:
            MasteringError: E_POINTER, E_INVALIDARG; DEV.
        """
        return self._is_supported(recorder, "is_recorder_supported")

    def _is_supported(self, recorder: DiscRecorder2, call: str) -> bool:
        with recorder_of(recorder, call).session() as session:
            return self._writes(session)

    def is_current_media_supported(self, recorder: DiscRecorder2) -> bool:
        """Tell whether it can be done to the disc in a drive now (IsCurrentMediaSupported).

        True implies that the recorder is supported. A writer wants a blank CD-R or CD-RW, the
        eraser any CD-RW.

        Raises:
            MasteringError: E_POINTER, E_INVALIDARG; E_IMAPI_RECORDER_MEDIA_NO_MEDIA: the drive is
                empty, as Windows 7 has it, where Vista answered False; DEV.
        """
        with recorder_of(recorder, "is_current_media_supported").session() as session:
            return self._writes(session) and self._suits(session, media_in(session))

    @property
    def media_physically_blank(self) -> bool:
        """Whether the drive reports the disc as blank (MediaPhysicallyBlank)."""
        return self._is_blank("media_physically_blank")

    @property
    def media_heuristically_blank(self) -> bool:
        """The same (MediaHeuristicallyBlank): of a CD the drive's word is no guess."""
        return self._is_blank("media_heuristically_blank")

    def _is_blank(self, call: str) -> bool:
        with self._needed_recorder(call).session() as session:
            return media_in(session).is_blank

    @property
    def supported_media_types(self) -> tuple[MediaPhysicalType, ...]:
        """The discs that this is for (SupportedMediaTypes): CD-RW, and for writers CD-R."""
        return self._media_types

    @property
    def current_physical_media_type(self) -> MediaPhysicalType:
        """What is in the drive (CurrentPhysicalMediaType); UNKNOWN where it is empty.

        Raises:
            MasteringError: NO_RECORDER_SPECIFIED, of the eraser E_IMAPI_RECORDER_REQUIRED; DEV.
        """
        return self._media_type("current_physical_media_type")

    def _media_type(self, call: str) -> MediaPhysicalType:
        with self._needed_recorder(call).session() as session:
            return physical_type(session, session.media())

    # -- events -----------------------------------------------------------------------------------

    def advise(self, sink: Sink) -> int:
        """Have a function told of the progress: `sink(sender, progress)`.

        It is called on the thread that works, at each change of action and every half second.

        Returns:
            The cookie for `unadvise`.

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


def media_in(session: DriveSession) -> Media:
    """Return what is in a drive.

    Raises:
        MasteringError: it is empty (E_IMAPI_RECORDER_MEDIA_NO_MEDIA).
    """
    media = session.media()
    if media is None:
        raise refusal(
            HResult.E_IMAPI_RECORDER_MEDIA_NO_MEDIA, f"{session.name}: there is no disc in it"
        )
    return media
