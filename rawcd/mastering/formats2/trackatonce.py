"""Tracks of sound, one by one, onto a blank: IDiscFormat2TrackAtOnce."""

from __future__ import annotations

import hashlib
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final

from rawcd.disc import Disc, Index, Session, Track
from rawcd.errors import RawCDError
from rawcd.hresults import HResult
from rawcd.image import main_sectors
from rawcd.mastering.formats2.refusals import refusal
from rawcd.mastering.formats2.sound import track_sound
from rawcd.mastering.formats2.speeds import times_of
from rawcd.mastering.formats2.states import TAO, TAO_TABLE
from rawcd.mastering.formats2.values import (
    BurnVerificationLevel,
    TrackAtOnceProgress,
    TrackAtOnceWriteAction,
)
from rawcd.mastering.formats2.writer import FINISHING, PREPARING, DiscWriter
from rawcd.msf import PROGRAM_LBA
from rawcd.progress import BurnAction, BurnProgress
from rawcd.toc import scsi_toc

if TYPE_CHECKING:
    from rawcd.drives import DriveSession, Media
    from rawcd.errors import DriveError, MasteringError
    from rawcd.image import DiscImage
    from rawcd.mastering.formats2.states import Family, Row

_CD_TRACK_AT_ONCE: Final = 0x002D
_MAX_TRACKS: Final = 99
_GAP: Final = 150
"""The two seconds that a drive puts before each track."""
_NO_ROOM: Final = (5, 0x63)
"""Sense key and additional code: the end of what can be written has come."""
_COMPARED: Final = 64
_ACTIONS: Final = {
    **dict.fromkeys(PREPARING, TrackAtOnceWriteAction.PREPARING),
    BurnAction.WRITING: TrackAtOnceWriteAction.WRITING,
    **dict.fromkeys(FINISHING, TrackAtOnceWriteAction.FINISHING),
    BurnAction.VERIFYING: TrackAtOnceWriteAction.VERIFYING,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Written:
    """A track on the disc.

    Attributes:
        number: its number.
        start_lba: where it begins.
        sectors: how many were sent.
        digest: the sum over them; None where the track was cancelled.
    """

    number: int
    start_lba: int
    sectors: int
    digest: bytes | None


class DiscFormat2TrackAtOnce(DiscWriter):
    """Writes tracks of sound to a blank (IDiscFormat2TrackAtOnce, MsftDiscFormat2TrackAtOnce).

    ```python
    writer = DiscFormat2TrackAtOnce()
    writer.recorder = DiscRecorder2("/dev/sr0")
    writer.client_name = "my program"
    writer.prepare_media()
    try:
        for song in ("01.pcm", "02.pcm"):
            with open(song, "rb") as samples:
                writer.add_audio_track(samples)
    finally:
        writer.release_media()  # closes the session
    ```

    The drive puts two seconds of silence before each track. What a disc held before is nothing:
    IMAPI wants a blank. Neither catalogue number nor ISRC can be given, though IMAPI has codes for
    wrong ones (INVALID_ISRC, INVALID_MCN).
    """

    _family: ClassVar[Family] = TAO
    _lacks = "write tracks at once"
    _table: ClassVar[dict[str, Row]] = TAO_TABLE

    def __init__(self) -> None:
        super().__init__()
        self._open_for_more = False
        self._verification = BurnVerificationLevel.NONE
        self._tracks: list[_Written] = []
        self._total = self._free = 0
        self._next_lba = 0
        self._number = 1

    def _writes(self, session: DriveSession) -> bool:
        features = session.features()
        if features is None:
            return session.takes_track_at_once()
        return any(each.code == _CD_TRACK_AT_ONCE for each in features)

    def _look_at(self, session: DriveSession, media: Media) -> None:
        del media
        self._tracks = []
        self._measure(session)
        self._total = self._free

    def _measure(self, session: DriveSession) -> None:
        """Ask where the next track begins and how much room there is."""
        room = session.track_room(data=False)
        self._next_lba, self._free = room.start_lba, room.sectors
        self._number = session.track_information().track

    # -- settings ---------------------------------------------------------------------------------

    @property
    def do_not_finalize_media(self) -> bool:
        """Whether another session may follow (DoNotFinalizeMedia): data behind music, say.

        Raises:
            MasteringError: put: MEDIA_IS_PREPARED, WRITE_IN_PROGRESS.
        """
        return self._open_for_more

    @do_not_finalize_media.setter
    def do_not_finalize_media(self, value: bool) -> None:
        with self._turn:
            self._check("put do_not_finalize_media")
            self._open_for_more = bool(value)

    @property
    def burn_verification_level(self) -> BurnVerificationLevel:
        """What `release_media` compares (IBurnVerification.BurnVerificationLevel).

        QUICK: the table of contents that the drive reads; FULL: all sound besides. Drives whose
        reading is shifted against their writing fail FULL, though nothing is wrong.

        Raises:
            MasteringError: put: MEDIA_IS_PREPARED, WRITE_IN_PROGRESS; E_INVALIDARG.
        """
        return self._verification

    @burn_verification_level.setter
    def burn_verification_level(self, value: BurnVerificationLevel | int) -> None:
        with self._turn:
            self._check("put burn_verification_level")
            try:
                self._verification = BurnVerificationLevel(value)
            except ValueError as error:
                raise refusal(
                    HResult.E_INVALIDARG, f"{value!r} is no level of verification; 0 to 2 are"
                ) from error

    # -- what is on the disc ----------------------------------------------------------------------

    @property
    def number_of_existing_tracks(self) -> int:
        """How many tracks are finished (NumberOfExistingTracks)."""
        self._check("get number_of_existing_tracks")
        return len(self._tracks)

    @property
    def total_sectors_on_media(self) -> int:
        """What the disc would hold as one single track (TotalSectorsOnMedia)."""
        self._check("get total_sectors_on_media")
        return self._total

    @property
    def free_sectors_on_media(self) -> int:
        """What the next track could hold (FreeSectorsOnMedia)."""
        self._check("get free_sectors_on_media")
        return self._free

    @property
    def used_sectors_on_media(self) -> int:
        """What tracks and what lies between them take (UsedSectorsOnMedia)."""
        self._check("get used_sectors_on_media")
        return self._total - self._free

    @property
    def expected_table_of_contents(self) -> bytes:
        """What READ TOC will answer, in LBA form (ExpectedTableOfContents).

        Raises:
            MasteringError: MEDIA_IS_NOT_PREPARED, TABLE_OF_CONTENTS_EMPTY_DISC.
        """
        self._check("get expected_table_of_contents")
        if not self._tracks:
            raise refusal(
                HResult.E_IMAPI_DF2TAO_TABLE_OF_CONTENTS_EMPTY_DISC,
                "expected_table_of_contents: nothing has been written yet",
            )
        return scsi_toc(self._expected_disc())

    def _expected_disc(self) -> Disc:
        lead_out = self._next_lba - _GAP
        ends = [each.start_lba - _GAP for each in self._tracks[1:]] + [lead_out]
        tracks = tuple(
            Track(
                number=each.number,
                indexes=(
                    Index(number=0, lba=max(PROGRAM_LBA, each.start_lba - _GAP)),
                    Index(number=1, lba=each.start_lba),
                ),
                end_lba=end,
            )
            for each, end in zip(self._tracks, ends, strict=True)
        )
        return Disc(sessions=(Session(tracks=tracks, lead_out_lba=lead_out),))

    # -- writing ----------------------------------------------------------------------------------

    def add_audio_track(self, data: Any) -> None:
        """Write one track (AddAudioTrack); blocks until it is closed.

        Args:
            data: bare samples, 44.1 kHz, 16 bits, stereo, little-endian: a binary file object,
                bytes, an int16 array (n, 2) or a Source of sectors; or a path of a sound file.
                Less than four seconds are filled up with silence, and so is a last sector.

        Raises:
            MasteringError: E_POINTER, E_INVALIDARG, STREAM_NOT_SUPPORTED, MEDIA_IS_NOT_PREPARED,
                WRITE_IN_PROGRESS, TRACK_LIMIT_REACHED, NOT_ENOUGH_SPACE,
                E_IMAPI_REQUEST_CANCELLED; DEV. `release_media` is still owed.
        """
        with self._writing("add_audio_track") as session:
            sound = track_sound(data)
            if len(self._tracks) >= _MAX_TRACKS:
                raise refusal(
                    HResult.E_IMAPI_DF2TAO_TRACK_LIMIT_REACHED,
                    f"add_audio_track: there are {_MAX_TRACKS} tracks, and a CD holds no more",
                )
            if sound.block_count > self._free:
                raise refusal(
                    self._family.not_enough_space,
                    f"add_audio_track: the track has {sound.block_count} sectors, the disc room "
                    f"for {self._free}",
                )
            speed, pure_cav = self._chosen or (-1, False)
            try:
                done = session.track_at_once(
                    sound,
                    speed=times_of(speed),
                    pure_cav=pure_cav,
                    underrun_protection=not self._underrun_free_disabled,
                    appendable=self._open_for_more,
                    progress=self._watch(),
                )
            except BaseException:
                with suppress(RawCDError):  # the first error is the one to be told
                    self._enter(session, None)
                raise
            self._enter(
                session,
                _Written(
                    number=done.number,
                    start_lba=done.start_lba,
                    sectors=done.sectors,
                    digest=sound.digest,
                ),
            )

    def _enter(self, session: DriveSession, track: _Written | None) -> None:
        """Put a track on the list and look at the disc behind it.

        Of one that was stopped, and closed all the same, only the drive can tell.
        """
        start, number = self._next_lba, self._number
        if track is not None:
            self._tracks.append(track)
        self._measure(session)
        if track is None and self._number > number:
            end = self._next_lba - _GAP
            self._tracks.append(
                _Written(number=number, start_lba=start, sectors=end - start, digest=None)
            )

    def _code_of(self, error: DriveError) -> HResult:
        if error.sense is not None and error.sense[:2] == _NO_ROOM:
            return self._family.not_enough_space
        return super()._code_of(error)

    def cancel_add_track(self) -> None:
        """End the track that is being written (CancelAddTrack): call it from an event sink.

        The track stays on the disc as far as it went, four seconds at least, and the disc stays
        usable. `release_media` is still owed; while that compares, this ends the comparison.

        Raises:
            MasteringError: WRITE_NOT_IN_PROGRESS.
        """
        self._cancel("cancel_add_track")

    # -- closing ----------------------------------------------------------------------------------

    def _finish(self, session: DriveSession) -> None:
        """Close the session, if there is a track in it, and compare what is to be compared."""
        if not self._tracks:
            return
        session.close_session(appendable=self._open_for_more)
        if self._verification is not BurnVerificationLevel.NONE:
            self._verify(session)

    def _verify(self, session: DriveSession) -> None:
        """Compare what the drive reads with what was written.

        Raises:
            MasteringError: it is something else (E_IMAPI_BURN_VERIFICATION_FAILED).
        """
        image, _ = session.image(sub="none")
        found = [(each.number, each.start_lba) for each in image.disc.tracks]
        wanted = [(each.number, each.start_lba) for each in self._tracks]
        if found != wanted:
            raise _unlike(f"the drive reads tracks {found}, {wanted} were written")
        if self._verification is BurnVerificationLevel.FULL:
            for track in self._tracks:
                if track.digest is not None and self._sum_of(image, track) != track.digest:
                    raise _unlike(f"track {track.number} reads otherwise than it was written")

    def _sum_of(self, image: DiscImage, track: _Written) -> bytes:
        """Return the sum over a track as it reads, and tell of it meanwhile.

        Raises:
            MasteringError: a sink has called `cancel_add_track` (E_IMAPI_REQUEST_CANCELLED).
        """
        summed, watch, started = hashlib.blake2b(digest_size=16), self._watch(), time.monotonic()
        end = track.start_lba + track.sectors
        self._number = track.number
        for lba in range(track.start_lba, end, _COMPARED):
            count = min(_COMPARED, end - lba)
            summed.update(main_sectors(image, lba, count).tobytes())
            compared = BurnProgress(
                action=BurnAction.VERIFYING,
                start_lba=track.start_lba,
                sector_count=track.sectors,
                read_lba=lba + count - 1,
                written_lba=lba + count - 1,
                buffer_used=0,
                buffer_total=0,
                elapsed=time.monotonic() - started,
                remaining=None,
            )
            if watch(compared) is False:
                raise refusal(
                    HResult.E_IMAPI_REQUEST_CANCELLED,
                    f"release_media: comparing was cancelled in track {track.number}; the disc is "
                    "complete",
                )
        return summed.digest()

    def _event(self, now: BurnProgress) -> tuple[object, object]:
        action = _ACTIONS.get(now.action, TrackAtOnceWriteAction.UNKNOWN)
        return action, TrackAtOnceProgress.of(
            now, current_action=action, current_track_number=self._number
        )


def _unlike(why: str) -> MasteringError:
    return refusal(HResult.E_IMAPI_BURN_VERIFICATION_FAILED, f"release_media: {why}")
