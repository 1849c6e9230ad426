"""A raw disc from a stream, lead-in to lead-out: IDiscFormat2RawCD."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

from rawcd.hresults import HResult
from rawcd.image import ImageType
from rawcd.mastering.formats2.rawstream import STANDARD_LEAD_IN, raw_stream
from rawcd.mastering.formats2.refusals import refusal
from rawcd.mastering.formats2.speeds import times_of
from rawcd.mastering.formats2.states import RAW, RAW_TABLE
from rawcd.mastering.formats2.values import RawCDProgress, RawCDWriteAction
from rawcd.mastering.formats2.writer import FINISHING, PREPARING, DiscWriter
from rawcd.progress import BurnAction

if TYPE_CHECKING:
    from rawcd.drives import DriveSession, Media
    from rawcd.mastering.formats2.states import Family, Row
    from rawcd.progress import BurnProgress

_CD_MASTERING: Final = 0x002E
_RAW_BIT: Final = 0x08
"""Of the feature's first byte: raw writing (MMC, feature CD Mastering)."""
_ACTIONS: Final = {
    **dict.fromkeys(PREPARING, RawCDWriteAction.PREPARING),
    BurnAction.WRITING: RawCDWriteAction.WRITING,
    **dict.fromkeys(FINISHING, RawCDWriteAction.FINISHING),
}


class DiscFormat2RawCD(DiscWriter):
    """Burns a raw CD image from a stream (IDiscFormat2RawCD, coclass MsftDiscFormat2RawCD).

    ```python
    writer = DiscFormat2RawCD()
    writer.recorder = DiscRecorder2("/dev/sr0")
    writer.client_name = "my program"
    writer.prepare_media()
    try:
        writer.requested_sector_type = image.kind
        writer.write_media(image)  # or a binary file object that begins at MSF 95:00:00
    finally:
        writer.release_media()
    ```

    The stream's bytes reach the disc as they are, from the sector on where this blank's lead-in
    begins; nothing is made, repaired or left out. IMAPI has no test write, no verification and no
    second session here; `rawcd.burn_image` has them.
    """

    _family: ClassVar[Family] = RAW
    _lacks = "write raw discs"
    _table: ClassVar[dict[str, Row]] = RAW_TABLE

    def __init__(self) -> None:
        super().__init__()
        self._sector_type = ImageType.COOKED
        self._sector_types: tuple[ImageType, ...] = ()
        self._next_session = 0
        self._last_lead_out = 0

    def _writes(self, session: DriveSession) -> bool:
        features = session.features()
        if features is None:
            return bool(session.raw_block_types())
        return any(
            each.code == _CD_MASTERING and each.data and each.data[0] & _RAW_BIT
            for each in features
        )

    def _look_at(self, session: DriveSession, media: Media) -> None:
        self._sector_types = _types_of(session)
        lead_in, last = session.next_lead_in_lba(), media.last_lead_out_lba
        if lead_in is None or last is None:
            what = (
                "the lead-in begins" if lead_in is None else "the lead-out may begin at the latest"
            )
            raise refusal(
                HResult.E_IMAPI_RECORDER_MEDIA_INCOMPATIBLE,
                f"{session.name}: neither the drive nor the disc tells where {what}",
            )
        self._next_session, self._last_lead_out = lead_in, last

    # -- what the disc allows ---------------------------------------------------------------------

    @property
    def start_of_next_session(self) -> int:
        """The first sector that will be written (StartOfNextSession): the lead-in, below zero.

        Raises:
            MasteringError: MEDIA_IS_NOT_PREPARED.
        """
        self._check("get start_of_next_session")
        return self._next_session

    @property
    def last_possible_start_of_leadout(self) -> int:
        """The last LBA where the lead-out may begin (LastPossibleStartOfLeadout).

        Compare it with the creator's `start_of_leadout`.

        Raises:
            MasteringError: MEDIA_IS_NOT_PREPARED.
        """
        self._check("get last_possible_start_of_leadout")
        return self._last_lead_out

    @property
    def supported_sector_types(self) -> tuple[ImageType, ...]:
        """What the drive takes (SupportedSectorTypes), by number; a recorder is enough to ask.

        Raises:
            MasteringError: E_POINTER: no recorder is set; DEV.
        """
        if self._recorder is None:
            raise refusal(HResult.E_POINTER, "supported_sector_types: no recorder has been set")
        if self._prepared is not None:
            return self._sector_types
        with self._recorder.session() as session:
            return _types_of(session)

    @property
    def requested_sector_type(self) -> ImageType:
        """What a sector of the stream holds (RequestedSectorType); COOKED unless put.

        Raises:
            MasteringError: MEDIA_IS_NOT_PREPARED; put: WRITE_IN_PROGRESS,
                DATA_BLOCK_TYPE_NOT_SUPPORTED, E_INVALIDARG: no such type.
        """
        self._check("get requested_sector_type")
        return self._sector_type

    @requested_sector_type.setter
    def requested_sector_type(self, value: ImageType | int) -> None:
        with self._turn:
            self._check("put requested_sector_type")
            try:
                kind = ImageType(value)
            except ValueError as error:
                raise refusal(
                    HResult.E_INVALIDARG, f"{value!r} is no sector type; PQ_ONLY, COOKED, RAW are"
                ) from error
            self._check_type(kind)
            self._sector_type = kind

    def _check_type(self, kind: ImageType) -> None:
        if kind not in self._sector_types:
            taken = ", ".join(each.name for each in self._sector_types) or "none"
            raise refusal(
                HResult.E_IMAPI_DF2RAW_DATA_BLOCK_TYPE_NOT_SUPPORTED,
                f"the drive takes no sectors of type {kind.name}; it takes {taken}",
            )

    # -- writing ----------------------------------------------------------------------------------

    def write_media(self, data: Any) -> None:
        """Burn a stream that begins at MSF 95:00:00 (WriteMedia); blocks until that is done.

        Args:
            data: a binary file object, an image of rawcd's, a Source with blocks of whole
                sectors, bytes, or a path. A file object is read by position; one that cannot
                seek is read to its end first.

        Raises:
            MasteringError: E_POINTER, E_INVALIDARG, STREAM_NOT_SUPPORTED, MEDIA_IS_NOT_PREPARED,
                WRITE_IN_PROGRESS, MEDIA_IS_NOT_BLANK, STREAM_LEADIN_TOO_SHORT, NOT_ENOUGH_SPACE,
                DATA_BLOCK_TYPE_NOT_SUPPORTED, E_IMAPI_REQUEST_CANCELLED; DEV. `release_media` is
                still owed.
        """
        self._write("write_media", data, STANDARD_LEAD_IN)

    def write_media2(self, data: Any, stream_lead_in_sectors: int) -> None:
        """Burn a stream that begins elsewhere (WriteMedia2).

        IMAPI's page calls the second argument an address and its name calls it a number of
        sectors. It is the number here: how many sectors of lead-in the stream begins with, so that
        `write_media` is this with 22,500. An image of rawcd's tells its own address.

        Args:
            data: as in `write_media`.
            stream_lead_in_sectors: 0 to 45,000.

        Raises:
            MasteringError: as `write_media`.
        """
        self._write("write_media2", data, stream_lead_in_sectors)

    def _write(self, call: str, data: Any, lead_in_sectors: int) -> None:
        with self._writing(call) as session:
            self._check_blank(session)
            self._check_type(self._sector_type)
            stream = raw_stream(
                data,
                self._sector_type,
                lead_in_lba=self._next_session,
                stream_lead_in_sectors=lead_in_sectors,
            )
            if stream.lead_out_lba > self._last_lead_out:
                raise refusal(
                    HResult.E_IMAPI_DF2RAW_NOT_ENOUGH_SPACE,
                    f"{call}: the lead-out begins at LBA {stream.lead_out_lba}, on this disc it "
                    f"has to begin at LBA {self._last_lead_out} at the latest",
                )
            speed, pure_cav = self._chosen or (-1, False)
            session.write_raw(
                stream.fill,
                lba=stream.lba,
                sectors=stream.sectors,
                block_type=int(self._sector_type),
                appendable=stream.appendable,
                speed=times_of(speed),
                pure_cav=pure_cav,
                underrun_protection=not self._underrun_free_disabled,
                progress=self._watch(),
            )

    def cancel_write(self) -> None:
        """Stop the write that is running (CancelWrite): call it from an event sink.

        The write ends at the next command for the drive, with E_IMAPI_REQUEST_CANCELLED; the disc
        is then spoiled unless it can be erased. `release_media` is still owed.

        Raises:
            MasteringError: WRITE_NOT_IN_PROGRESS.
        """
        self._cancel("cancel_write")

    def _event(self, now: BurnProgress) -> tuple[object, object]:
        action = _ACTIONS.get(now.action, RawCDWriteAction.UNKNOWN)
        return action, RawCDProgress.of(now, current_action=action)


def _types_of(session: DriveSession) -> tuple[ImageType, ...]:
    """Return the sector types that a drive takes, by number."""
    return tuple(sorted(ImageType(each) for each in session.raw_block_types()))
