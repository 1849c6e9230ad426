"""Recorders of IMAPI version 1 (IDiscRecorder)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import TYPE_CHECKING, Final, Self
from uuid import NAMESPACE_URL, uuid5

from rawcd.disc import DiscType
from rawcd.errors import RawCDError
from rawcd.hresults import HResult
from rawcd.mastering.drive import media_in
from rawcd.mastering.events import DiscMasterProgressEvents
from rawcd.mastering.refusals import code_of, drive_codes, named_values, refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rawcd.drives import DriveSession
    from rawcd.mastering.drive import Drive
    from rawcd.mastering.events import Listeners


class RecorderType(IntEnum):
    """What a drive writes, whatever is in it."""

    CDR = 1
    CDRW = 2


class RecorderState(IntEnum):
    """What a drive does for this program."""

    DOING_NOTHING = 0
    OPENED = 1
    """Somebody has called `open_exclusive`."""
    BURNING = 2


class MediaType(IntEnum):
    """What kind of disc is in a drive."""

    NONE = 0
    CDDA_CDROM = 1
    CD_ROM_XA = 2
    CD_I = 3
    CD_EXTRA = 4
    CD_OTHER = 5
    SPECIAL = 6


class MediaFlags(IntFlag):
    """What can be done with a disc."""

    NONE = 0
    BLANK = 0x1
    RW = 0x2
    WRITABLE = 0x4
    FORMAT_UNUSABLE_BY_IMAPI = 0x8


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaInfo:
    """What is written on a disc; its size is `next_writable` and `free_blocks` together.

    Attributes:
        sessions: finished ones.
        last_track: its number; 0 on a blank.
        start_address: first block of the last track of the last finished session.
        next_writable: where writing goes on.
        free_blocks: room from there on.
    """

    sessions: int
    last_track: int
    start_address: int
    next_writable: int
    free_blocks: int


_CDS: Final = ("CD-R", "CD-RW", "CD-ROM")
_TYPES: Final = {
    DiscType.CDDA_CDROM: MediaType.CDDA_CDROM,
    DiscType.CDI: MediaType.CD_I,
    DiscType.XA: MediaType.CD_ROM_XA,
}


class DiscRecorder:
    """A recorder; `DiscMaster.enum_disc_recorders` gives them, made by hand it is not initialised.

    Several objects may stand for one drive; they share its properties and its state.

    ```python
    recorder.open_exclusive()
    try:
        kind, flags = recorder.query_media_type()
    finally:
        recorder.close()  # else record_disc gives DEVICE_NOTACCESSIBLE
    ```

    In this interface NOTOPENED means that `open_exclusive` was not called. Every method may raise
    `MasteringError` with NOTINITIALIZED beside the codes that it names.
    """

    def __init__(self) -> None:
        self._drive: Drive | None = None
        self._listeners: Listeners | None = None

    @classmethod
    def of(cls, drive: Drive, listeners: Listeners) -> Self:
        """Return an initialised one (Init, which is internal).

        Args:
            drive: what it stands for.
            listeners: who is told when the disc has been erased.
        """
        recorder = cls()
        recorder._drive, recorder._listeners = drive, listeners
        return recorder

    def __repr__(self) -> str:
        return f"<DiscRecorder {self._drive.name if self._drive else 'not initialised'}>"

    @property
    def drive(self) -> Drive:
        """What it stands for.

        Raises:
            MasteringError: nothing (NOTINITIALIZED).
        """
        if self._drive is None:
            raise refusal(
                HResult.IMAPI_E_NOTINITIALIZED,
                "this recorder was not initialised; take one from enum_disc_recorders()",
            )
        return self._drive

    @property
    def _session(self) -> DriveSession:
        return self.drive.session_of(self)

    # -- what it is -------------------------------------------------------------------------------

    def get_recorder_guid(self, size: int | None = None) -> bytes | HResult:
        """Return the drive's id, 16 bytes, the same for all objects that stand for it.

        Args:
            size: room for it (IMAPI's buffer); None is enough.

        Returns:
            The id; IMAPI_S_BUFFER_TO_SMALL where there is not enough room.

        Raises:
            MasteringError: the size is no number (E_INVALIDARG).
        """
        told: object = size  # a script may pass anything
        if told is not None and not isinstance(told, int):
            raise refusal(HResult.E_INVALIDARG, f"get_recorder_guid: {told!r} is no size")
        guid = uuid5(NAMESPACE_URL, f"rawcd:recorder:{self.drive.name}").bytes_le
        if size is not None and size < len(guid):
            return HResult.IMAPI_S_BUFFER_TO_SMALL
        return guid

    def get_recorder_type(self) -> RecorderType:
        """Return what the drive writes, whatever disc is in it."""
        return RecorderType.CDRW if self.drive.facts.writes_cdrw else RecorderType.CDR

    def get_display_names(self) -> tuple[str, str, str]:
        """Return maker, product and revision."""
        facts = self.drive.facts
        return facts.vendor, facts.product, facts.revision

    def get_base_pnp_id(self) -> str:
        """Return maker, product and revision in one (GetBasePnPID)."""
        return "".join(self.get_display_names())

    def get_path(self) -> str:
        """Return the recorder's name, such as `/dev/sr0` or `virtual:disc.raw`."""
        return self.drive.name

    def get_recorder_properties(self) -> dict[str, int | bool]:
        """Return WriteSpeed, MaxWriteSpeed, BufferUnderrunFreeCapable, ..., a copy of them.

        AudioGapSize is in blocks, 0 to 225; the engine writes two more behind each track, so the
        true gap is longer by them. A drive need not know any other gap than 150.

        Raises:
            MasteringError: the recorder has none (DEVICE_NOPROPERTIES).
        """
        return self.drive.properties

    def set_recorder_properties(self, properties: Mapping[str, object] | None) -> HResult:
        """Set properties, as few as one likes; all of them, or none when a value is wrong.

        Returns:
            S_OK, or IMAPI_S_PROPERTIESIGNORED: some are unknown, or can only be read.

        Raises:
            MasteringError: there are none to set (E_POINTER), a value is out of range or they are
                no dictionary (E_INVALIDARG), the recorder has no properties (DEVICE_NOPROPERTIES).
        """
        drive = self.drive
        return drive.set_properties(named_values("set_recorder_properties", properties))

    def get_recorder_state(self) -> RecorderState:
        """Return whether this program has it open exclusively, or burns with it."""
        if self.drive.is_burning:
            return RecorderState.BURNING
        return RecorderState.OPENED if self.drive.is_held else RecorderState.DOING_NOTHING

    # -- what is in it ----------------------------------------------------------------------------

    def open_exclusive(self) -> None:
        """Take the drive for oneself; hold it briefly, and close it before `record_disc`.

        Raises:
            MasteringError: DEVICE_NOTACCESSIBLE (it is held, burning, or taken by another
                program), DEVICE_NOTPRESENT.
        """
        self.drive.hold(self)

    def query_media_type(self) -> tuple[MediaType, MediaFlags]:
        """Return what is in it; both are 0 where there is nothing.

        A blank is of type CDDA_CDROM: no page says which, and it can become just that.

        Raises:
            MasteringError: NOTOPENED, DEVICE_NOTPRESENT.
        """
        session = self._session
        with drive_codes("query_media_type"):
            media = session.media()
            if media is None:
                return MediaType.NONE, MediaFlags.NONE
            flags = MediaFlags.RW if media.erasable else MediaFlags.NONE
            if media.kind not in _CDS:
                return MediaType.CD_OTHER, flags | MediaFlags.FORMAT_UNUSABLE_BY_IMAPI
            if media.is_blank:
                return MediaType.CDDA_CDROM, flags | MediaFlags.BLANK | MediaFlags.WRITABLE
            if media.next_writable_lba is not None:
                flags |= MediaFlags.WRITABLE
            return _written_type(session), flags

    def query_media_info(self) -> MediaInfo:
        """Return how much is written on the disc, and how much can be.

        Raises:
            MasteringError: NOTOPENED, MEDIUM_NOTPRESENT, DEVICE_NOTPRESENT.
        """
        session = self._session
        with drive_codes("query_media_info"):
            media = media_in(session)
            next_writable, free = 0, 0
            if media.next_writable_lba is not None:
                room = session.track_room(data=True)
                next_writable, free = room.start_lba, room.sectors
            sessions = () if media.is_blank else session.image(sub="none")[0].disc.sessions
        last = sessions[-1].tracks[-1] if sessions else None
        return MediaInfo(
            sessions=len(sessions),
            last_track=last.number if last else 0,
            start_address=last.start_lba if last else 0,
            next_writable=next_writable,
            free_blocks=free,
        )

    def eject(self) -> None:
        """Unlock the tray, and open it where the drive can.

        Raises:
            MasteringError: NOTOPENED, DEVICE_NOTPRESENT.
        """
        session = self._session
        with drive_codes("eject"):
            session.eject()

    def erase(self, full: bool) -> None:
        """Erase a CD-RW: all of it, or its lists alone, which takes a minute or two.

        `notify_erase_complete` tells those who listen what this returns or raises.

        Raises:
            MasteringError: NOTOPENED, MEDIUM_NOTPRESENT, MEDIUM_INVALIDTYPE (no CD-RW is in),
                DEVICE_INVALIDTYPE (the drive writes none), DEVICE_NOTPRESENT, GENERIC.
        """
        session = self._session
        code = HResult.IMAPI_E_GENERIC
        try:
            with drive_codes("erase"):
                self._erase(session, full=full)
            code = HResult.S_OK
        except RawCDError as error:
            code = code_of(error)
            raise
        finally:
            if self._listeners is not None:
                self._listeners.tell(DiscMasterProgressEvents.notify_erase_complete, code)

    def _erase(self, session: DriveSession, *, full: bool) -> None:
        if not self.drive.facts.writes_cdrw:
            raise refusal(HResult.IMAPI_E_DEVICE_INVALIDTYPE, f"{session.name}: writes no CD-RW")
        media = media_in(session)
        if not media.erasable:
            raise refusal(
                HResult.IMAPI_E_MEDIUM_INVALIDTYPE, f"{session.name}: a {media.kind} stays written"
            )
        session.blank(quick=not full)

    def close(self) -> None:
        """Let go of the drive.

        Raises:
            MasteringError: NOTOPENED.
        """
        drive = self.drive
        drive.session_of(self)
        drive.release()


def _written_type(session: DriveSession) -> MediaType:
    """Return the type of a disc that is not blank; one that cannot be read is OTHER."""
    try:
        sessions = session.image(sub="none")[0].disc.sessions
    except RawCDError:
        return MediaType.CD_OTHER
    first, *later = sessions
    if all(track.is_audio for track in first.tracks) and later:
        return MediaType.CD_EXTRA if not later[0].tracks[0].is_audio else MediaType.CDDA_CDROM
    return _TYPES[first.disc_type]
