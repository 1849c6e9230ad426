"""A drive that somebody holds: what it is, what is in it, and what it is told to do."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from rawcd.errors import DriveError, FormatError
from rawcd.msf import Msf
from rawcd_writers.drive import mmc
from rawcd_writers.drive.pages import (
    WRITE_PARAMETERS_PAGE,
    BlockType,
    MultiSession,
    WriteParameters,
    WriteType,
)
from rawcd_writers.drive.queries import DriveQueries
from rawcd_writers.drive.replies import DiscStatus, FeatureCode
from rawcd_writers.drive.writing import CLOSING_PATIENCE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import TracebackType

    from rawcd.image import DiscImage, RegionImage
    from rawcd.progress import BurnWatch, Progress
    from rawcd.source import Bytes2D, Source
    from rawcd_writers.drive.comparing import Comparison
    from rawcd_writers.drive.plan import BurnPlan
    from rawcd_writers.drive.reading import SectorReader, Sectors
    from rawcd_writers.drive.replies import (
        DiscInformation,
        TrackInformation,
    )
    from rawcd_writers.drive.tracks import WrittenTrack
    from rawcd_writers.drive.transport import Transport
    from rawcd_writers.drive.writing import BurnResult, TrackRoom

_log = logging.getLogger(__name__)

SINGLE_SPEED: Final = 176.4
"""kB/s of 1,000 bytes: 75 sectors of 2,352."""
_CD_PROFILES: Final = {0x08: "CD-ROM", 0x09: "CD-R", 0x0A: "CD-RW"}
_CD_ROM: Final = 0x08
_BLANKING_PATIENCE: Final = 2 * 3600.0
_READY_PATIENCE: Final = 60.0
_STATUS_WORDS: Final = {
    DiscStatus.BLANK: "the disc is blank",
    DiscStatus.APPENDABLE: "the disc is not closed",
    DiscStatus.COMPLETE: "the disc is closed",
    DiscStatus.OTHER: "the disc's state is not one of a CD",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """What is in a drive.

    Attributes:
        kind: `"CD-R"`, `"CD-RW"`, `"CD-ROM"`, or `"profile 001Bh"`.
        status: blank, appendable or complete.
        erasable: it can be blanked.
        sessions: how many there are, an empty one at the end included.
        lead_in_lba: where the blank's groove says that the lead-in begins; None where no ATIP
            can be read.
        last_lead_out_lba: the last possible start of the lead-out; None where nobody tells.
        next_writable_lba: where writing goes on; None on a complete disc.
        free: sectors from there on that the drive calls free.
    """

    kind: str
    status: DiscStatus
    erasable: bool
    sessions: int
    lead_in_lba: int | None
    last_lead_out_lba: int | None
    next_writable_lba: int | None
    free: int | None

    @property
    def is_blank(self) -> bool:
        """Whether nothing is written."""
        return self.status is DiscStatus.BLANK

    @property
    def maker_code(self) -> str | None:
        """The lead-in's address, which Orange Book gives to makers: the frame is the dye's kind."""
        return None if self.lead_in_lba is None else str(Msf.from_lba(self.lead_in_lba))


def _kilobytes(times: float) -> int:
    """Return a speed as SET CD SPEED has it.

    Raises:
        ValueError: it is not above 0.
    """
    try:
        above = times > 0  # NaN is not
    except TypeError:
        above = False
    if not above:
        raise ValueError(f"a speed is a number above 0, not {times!r}")
    most = (mmc.MAX_SPEED - 1) / SINGLE_SPEED
    return max(1, round(min(most, times) * SINGLE_SPEED))


def _forms(sub: str, *, flags: bool) -> tuple[mmc.SubSelection, mmc.ErrorSelection]:
    """Return what READ CD is asked for beside the main channel.

    Raises:
        ValueError: there is no such subcode.
    """
    forms = {form.name.lower(): form for form in mmc.SubSelection}
    if sub not in forms:
        raise ValueError(f"no form of subcode: {sub!r}; there are {', '.join(sorted(forms))}")
    return forms[sub], mmc.ErrorSelection.C2 if flags else mmc.ErrorSelection.NONE


class DriveSession(DriveQueries):
    """An open drive. Leaving the `with` block unlocks the tray and lets go of it.

    Args:
        transport: the way to the drive.
        client: who holds it, for messages.

    Attributes:
        dialogue: what is said to it.
        client: who holds it.
    """

    def __init__(self, transport: Transport, *, client: str = "rawcd") -> None:
        super().__init__(transport)
        self.client = client
        self._locked = False
        self._told_stuck = False  # that the tray stays locked is said once

    def __repr__(self) -> str:
        return f"<{type(self).__name__} with {self.name}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Unlock the tray and let go of the drive; never fails, so that it hides no error."""
        self.unlock()
        self.dialogue.transport.close()

    # -- who it is, and what it can do ------------------------------------------------------------

    def write_parameters(self) -> WriteParameters | None:
        """Return mode page 05h as it stands; None where the drive does not write."""
        reply = self.dialogue.reply_or_none(mmc.mode_sense(WRITE_PARAMETERS_PAGE))
        if reply is None:
            return None
        try:
            return WriteParameters.parse(reply.page(WRITE_PARAMETERS_PAGE))
        except FormatError:
            return None

    def set_write_parameters(self, page: WriteParameters) -> None:
        """Set mode page 05h."""
        self.dialogue.ask(mmc.mode_select(page.build()))

    def takes(self, page: WriteParameters) -> bool:
        """Try a setting of mode page 05h; the drive's refusal is a no. It stays set."""
        return self.dialogue.can(mmc.mode_select(page.build()))

    def raw_block_types(self) -> tuple[BlockType, ...]:
        """Return the data block types that the drive takes in raw mode, the best first.

        They are tried one by one: drives were seen to claim what they refuse, and the reverse.
        """
        candidates = (BlockType.RAW_PW, BlockType.RAW_PACKED, BlockType.RAW_PQ)
        return tuple(
            each
            for each in candidates
            if self.takes(WriteParameters(write_type=WriteType.RAW, block_type=each))
        )

    def takes_track_at_once(self) -> bool:
        """Try mode page 05h for tracks of sound, one at a time; it stays set."""
        return self.takes(
            WriteParameters(write_type=WriteType.TRACK_AT_ONCE, block_type=BlockType.RAW)
        )

    def takes_rw(self) -> bool:
        """Tell whether the drive says that it takes R-W, and with it CD-TEXT, session at once."""
        configuration = self.configuration()
        if configuration is None:
            return False
        feature = configuration.feature(FeatureCode.CD_MASTERING)
        return feature is not None and feature.bit(4, 0)

    # -- what is in it ----------------------------------------------------------------------------

    def wait_until_ready(self, patience: float = _READY_PATIENCE) -> None:
        """Wait until the drive has looked at its disc.

        Raises:
            DriveError: there is no disc, or the drive stayed busy.
        """
        self.dialogue.ask(mmc.test_unit_ready(), patience=patience)

    def disc_information(self) -> DiscInformation:
        """Return what state the disc is in."""
        return self.dialogue.ask(mmc.read_disc_information())

    def track_information(self) -> TrackInformation:
        """Return what state the track is in that is written next."""
        return self.dialogue.ask(mmc.read_track_information())

    def media(self) -> Media | None:
        """Return what is in the drive; None where it is empty."""
        info = self.dialogue.reply_or_none(mmc.read_disc_information())
        if info is None:
            return None
        configuration = self.configuration()
        profile = 0 if configuration is None else configuration.profile
        atip = self.dialogue.reply_or_none(mmc.read_atip())
        track = None
        if info.status in (DiscStatus.BLANK, DiscStatus.APPENDABLE):
            track = self.dialogue.reply_or_none(mmc.read_track_information())
        last = None if atip is None else atip.last_lead_out_lba
        kind = _CD_PROFILES.get(profile, f"profile {profile:04X}h")
        if atip is not None and profile == _CD_ROM:  # a closed disc passes for a pressed one
            kind = "CD-RW" if atip.rewritable else "CD-R"
        return Media(
            kind=kind,
            status=info.status,
            erasable=info.erasable,
            sessions=info.sessions,
            lead_in_lba=None if atip is None else atip.lead_in_lba,
            last_lead_out_lba=info.last_lead_out_lba if last is None else last,
            next_writable_lba=None if track is None else track.next_writable_lba,
            free=None if track is None else track.free,
        )

    def state(self) -> tuple[DiscStatus | None, str]:
        """Return what the disc is now, and that in words; None where the drive does not tell."""
        try:
            status = self.disc_information().status
        except DriveError:
            return None, "what became of the disc is not known: the drive does not answer"
        return status, _STATUS_WORDS[status]

    def state_in_words(self) -> str:
        """Say what the disc is now, as far as the drive tells; never fails."""
        return self.state()[1]

    def observed(self, known: Sequence[str] = ()) -> tuple[str, ...]:
        """Return what a recorder that is a program remarks upon and no sense code tells.

        Args:
            known: what was remarked upon before.
        """
        told: tuple[str, ...] = getattr(self.dialogue.transport, "observations", ())
        return tuple(each for each in told if each not in known)

    # -- tray and speed ---------------------------------------------------------------------------

    @property
    def is_locked(self) -> bool:
        """Whether the tray is kept shut."""
        return self._locked

    def lock(self) -> None:
        """Keep the tray shut."""
        self._locked = True  # also where the drive did it and could not say so
        self.dialogue.ask(mmc.prevent_allow(prevent=True))

    def unlock(self) -> None:
        """Let the tray open again, if `lock` was called; never fails, so that it hides no error."""
        for again in (True, False):  # a tray that stays locked keeps the disc from its owner
            if not self._locked:
                return
            try:
                self.dialogue.ask(mmc.prevent_allow(prevent=False), patience=5)
                self._locked = False
            except DriveError as error:
                if not again and not self._told_stuck:
                    self._told_stuck = True
                    _log.warning("the tray stays locked: %s", error)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep the tray shut inside the block; unlocking never hides what went wrong inside.

        A tray that was locked before stays locked behind it.
        """
        if self._locked:
            yield
            return
        self.lock()
        try:
            yield
        finally:
            self.unlock()

    def eject(self) -> None:
        """Open the tray."""
        self.unlock()
        self.dialogue.ask(mmc.start_stop(mmc.Motion.EJECT))

    def load(self) -> None:
        """Close the tray and wait for the disc."""
        self.dialogue.ask(mmc.start_stop(mmc.Motion.LOAD))

    def set_speed(self, times: float | None, *, pure_cav: bool = False) -> None:
        """Have the drive write so many times as fast as music plays; None is its fastest.

        A speed that the drive lacks becomes one that it has.

        Raises:
            ValueError: it is not above 0.
        """
        speed = mmc.MAX_SPEED if times is None else _kilobytes(times)
        self.dialogue.can(mmc.set_cd_speed(write_speed=speed, rotation=int(pure_cav)))

    # -- the work ---------------------------------------------------------------------------------

    def blank(
        self,
        *,
        quick: bool = True,
        progress: BurnWatch | None = None,
        patience: float = _BLANKING_PATIENCE,
    ) -> None:
        """Erase a CD-RW: its lists alone, or all of it.

        Args:
            quick: the lists alone.
            progress: told while the drive works; False or an exception ends the wait.
            patience: seconds that it may take.

        Raises:
            DriveError: the disc cannot be erased, or the drive failed.
            CancelledError: `progress` said stop; the drive may go on by itself.
        """
        from rawcd_writers.drive.blanking import blank

        blank(self, quick=quick, progress=progress, patience=patience)

    def burn(
        self,
        image: DiscImage,
        *,
        mode: str = "auto",
        simulate: bool = False,
        speed: float | None = None,
        overburn: bool = False,
        progress: BurnWatch | None = None,
        planned: Callable[[BurnPlan], None] | None = None,
    ) -> BurnResult:
        """Write an image; see `rawcd.burn_image`.

        `planned` is told, before anything is written, how it will be and what will be lost; what it
        raises stops the burn.
        """
        from rawcd_writers.drive.burn import Burn

        return Burn(
            self,
            image,
            mode=mode,
            simulate=simulate,
            speed=speed,
            overburn=overburn,
            progress=progress,
            planned=planned,
        ).run()

    def next_lead_in_lba(self) -> int | None:
        """Return where the next raw session's lead-in begins; None where nobody tells.

        The drive is asked with mode page 05h set to raw, for it may answer with the first track
        otherwise; what it says counts as far as it can be a lead-in, else the groove's word.
        """
        from rawcd_writers.drive.burn import lead_in_lba

        self.raw_block_types()
        return lead_in_lba(self, self.media())

    def write_raw(
        self,
        fill: Callable[[int, Bytes2D], None],
        *,
        lba: int,
        sectors: int,
        block_type: int,
        appendable: bool = False,
        speed: float | None = None,
        pure_cav: bool = False,
        underrun_protection: bool = True,
        progress: BurnWatch | None = None,
    ) -> BurnResult:
        """Write a raw session byte for byte; see `RawStreamBurn`."""
        from rawcd_writers.drive.streams import RawStreamBurn

        return RawStreamBurn(
            self,
            fill,
            lba=lba,
            sectors=sectors,
            block_type=block_type,
            appendable=appendable,
            speed=speed,
            pure_cav=pure_cav,
            underrun_protection=underrun_protection,
            progress=progress,
        ).run()

    def track_at_once(
        self,
        source: Source,
        *,
        speed: float | None = None,
        pure_cav: bool = False,
        underrun_protection: bool = True,
        appendable: bool = False,
        progress: BurnWatch | None = None,
    ) -> WrittenTrack:
        """Write one track of sound and close it; see `TrackBurn`."""
        from rawcd_writers.drive.tracks import TrackBurn

        return TrackBurn(
            self,
            source,
            speed=speed,
            pure_cav=pure_cav,
            underrun_protection=underrun_protection,
            appendable=appendable,
            progress=progress,
        ).run()

    def close_session(self, *, appendable: bool = False) -> None:
        """Have the drive make lead-in and lead-out of the tracks that are there.

        Args:
            appendable: another session may follow.
        """
        page = WriteParameters(
            write_type=WriteType.TRACK_AT_ONCE,
            block_type=BlockType.RAW,
            multi_session=MultiSession.OPEN if appendable else MultiSession.CLOSED,
        )
        self.set_write_parameters(page)
        self.dialogue.ask(
            mmc.close(mmc.Closing.SESSION), patience=CLOSING_PATIENCE, after_change=False
        )
        self.dialogue.ask(mmc.test_unit_ready(), patience=CLOSING_PATIENCE)

    def track_room(self, *, data: bool) -> TrackRoom:
        """Return where the next track at once would begin, and how long it may be; see `tracks`."""
        from rawcd_writers.drive.tracks import room_for_track

        return room_for_track(self, data=data)

    def write_tracks(
        self,
        sources: Sequence[Source],
        *,
        pause: int = 150,
        simulate: bool = False,
        speed: float | None = None,
        underrun_protection: bool = True,
        appendable: bool = False,
        tracks_done: Callable[[int], None] | None = None,
        progress: BurnWatch | None = None,
    ) -> BurnResult:
        """Write a session of tracks, on a blank or behind the last session; see `TracksBurn`."""
        from rawcd_writers.drive.tracks import TracksBurn

        return TracksBurn(
            self,
            sources,
            pause=pause,
            simulate=simulate,
            speed=speed,
            underrun_protection=underrun_protection,
            appendable=appendable,
            tracks_done=tracks_done,
            progress=progress,
        ).run()

    def read(
        self, lba: int, count: int, *, sub: str = "none", flags: bool = False, retries: int = 3
    ) -> Sectors:
        """Read sectors, whatever the table of contents says of them.

        Args:
            lba: the first one.
            count: how many.
            sub: `raw`, `rw` (corrected), `q` or `none`.
            flags: tell the bytes that the drive could not correct.
            retries: how often a sector is tried again.

        Raises:
            DriveError: one of them cannot be read.
            ValueError: there is no such subcode; a number below 0.
        """
        from rawcd_writers.drive.reading import SectorReader

        if count < 0:
            raise ValueError(f"{count} sectors are none that could be read")
        form, errors = _forms(sub, flags=flags)
        return SectorReader(self, sub=form, errors=errors, retries=retries).read(lba, count)

    def image(
        self, *, sub: str = "raw", flags: bool = False, retries: int = 3
    ) -> tuple[RegionImage, SectorReader]:
        """Return the disc as an image that reads from the drive, and what tells of hard sectors.

        Args:
            sub: `raw`, `rw` (corrected), `q` or `none`.
            flags: count the bytes that the drive could not correct.
            retries: how often a sector is tried again.

        Raises:
            DriveError: there is no disc, or it cannot be read.
            ValueError: there is no such subcode; a number below 0.
        """
        from rawcd_writers.drive.reading import read_disc

        form, errors = _forms(sub, flags=flags)
        return read_disc(self, sub=form, errors=errors, retries=retries)

    def compare(
        self, image: DiscImage, burned: BurnResult | str, *, progress: Progress | None = None
    ) -> Comparison:
        """Compare the disc with the image that was burned on it, sector by sector.

        Args:
            image: what was burned.
            burned: what the burn brought, or its mode alone; then R-W and CD-TEXT are compared
                of a raw burn only, where its subcode was sent in the image's own form.
            progress: told after some sectors each.

        Raises:
            DriveError: the disc is blank, or cannot be read at all.
            CancelledError: `progress` said stop.
            ValueError: there is no such mode.
        """
        from rawcd_writers.drive.comparing import compare

        if isinstance(burned, str):
            return compare(self, image, burned, progress=progress)
        return compare(
            self,
            image,
            burned.mode,
            sub=burned.sub,
            with_text=burned.with_text,
            progress=progress,
        )

    def differences(self, image: DiscImage, burned: BurnResult | str) -> tuple[str, ...]:
        """Return in words what `compare` finds: the first differences, and how many there are."""
        return self.compare(image, burned).lines
