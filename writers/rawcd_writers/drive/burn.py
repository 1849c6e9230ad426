"""The burn: raw, session at once, track at once, as rows of stages.

Whatever goes wrong, the first error is the one that is told, with what became of the disc; and
nothing counts as done before the drive has confirmed it.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from rawcd.cdtext import lead_in_symbols
from rawcd.disc import CopySetting, DiscType, TrackMode
from rawcd.errors import DriveError, UnsupportedError
from rawcd.image import ImageType, RegionImage, first_rw_lba
from rawcd.msf import PROGRAM_LBA
from rawcd.progress import BurnAction
from rawcd.toc import FORM_PACKED_RW, FORM_RAW_RW, drive_cue_sheet
from rawcd_writers.drive import mmc
from rawcd_writers.drive.blocks import (
    MIXED,
    USER,
    plain_filler,
    sao_bytes,
    sao_filler,
    sector_filler,
)
from rawcd_writers.drive.dialogue import is_refused
from rawcd_writers.drive.feed import Run
from rawcd_writers.drive.pages import BlockType, MultiSession, WriteParameters, WriteType
from rawcd_writers.drive.plan import BurnPlan, WriteMode, check_fits, check_tracks_fit, plan_burn
from rawcd_writers.drive.replies import DiscStatus
from rawcd_writers.drive.writing import BurnResult, Writing

if TYPE_CHECKING:
    from collections.abc import Callable

    from rawcd.disc import Disc, Session, Track
    from rawcd.image import DiscImage
    from rawcd.progress import BurnWatch
    from rawcd.source import Bytes2D
    from rawcd_writers.drive.session import DriveSession, Media

_log = logging.getLogger(__name__)

_LAST_LEAD_IN_LBA: Final = -4500
"""A lead-in is a minute at least; a drive that says otherwise is not believed (as cdrecord)."""
_SAO_BLOCKS: Final = {
    None: BlockType.RAW,
    ImageType.RAW: BlockType.RAW_PW,
    ImageType.COOKED: BlockType.RAW_PACKED,
}
_RW_FORMS: Final = {None: 0, ImageType.RAW: FORM_RAW_RW, ImageType.COOKED: FORM_PACKED_RW}
"""By the form of the R-W that is sent session at once."""
_TAO_BLOCKS: Final = {
    TrackMode.AUDIO: BlockType.RAW,
    TrackMode.MODE1: BlockType.MODE_1,
    TrackMode.MODE2: BlockType.MODE_2,
}


class Burn(Writing):
    """One burn of an image on one drive.

    Args:
        session: the drive.
        image: what is written.
        mode: `auto`, `raw`, `sao` or `tao`.
        simulate: all is done but the laser's power.
        speed: how often single speed; None is the fastest.
        overburn: the lead-out may begin behind the blank's limit.
        progress: told on this thread after each WRITE; False or an exception stops the burn.
        planned: told before anything is written how it will be, and what will be lost.
    """

    def __init__(
        self,
        session: DriveSession,
        image: DiscImage,
        *,
        mode: str,
        simulate: bool,
        speed: float | None,
        overburn: bool,
        progress: BurnWatch | None,
        planned: Callable[[BurnPlan], None] | None = None,
    ) -> None:
        super().__init__(
            session,
            start_lba=image.first_lba,
            count=image.sector_count,
            simulate=simulate,
            speed=speed,
            progress=progress,
        )
        self._image = image
        self._wanted = mode
        self._overburn = overburn
        self._planned = planned
        self._plan: BurnPlan | None = None
        self._sub: ImageType | None = None  # the form of the subcode that is sent
        self._with_text = False

    def run(self) -> BurnResult:
        """Burn.

        Raises:
            AuthoringError: the disc must not be burned, or does not fit.
            UnsupportedError: the drive cannot write so.
            DriveError: the drive failed; `.disc_state` says what became of the disc.
            CancelledError: `progress` said stop; `.disc_state` likewise.
        """
        self._attend(self._burn)
        assert self._plan is not None  # it was made, or an error was raised
        result = self._result(self._plan.mode)
        return replace(result, losses=self._plan.losses, sub=self._sub, with_text=self._with_text)

    def _burn(self) -> None:
        session = self._session
        media = session.media()
        check_fits(self._image, media, name=session.name, overburn=self._overburn)
        assert media is not None  # check_fits refuses an empty drive
        plan = self._plan = plan_burn(session, self._image, self._wanted)
        _log.info("%s: %s, without %s", session.name, plan.mode.value, plan.losses)
        if plan.mode is WriteMode.TAO and not self._overburn:
            check_tracks_fit(self._image.disc, media.last_lead_out_lba)
        if self._planned is not None:
            self._planned(plan)
        write = {
            WriteMode.RAW: self._write_raw,
            WriteMode.SAO: self._write_sao,
            WriteMode.TAO: self._write_tao,
        }[plan.mode]
        self._begin()
        write(plan, media)
        self._confirm(
            DiscStatus.APPENDABLE if self._image.disc.appendable else DiscStatus.COMPLETE,
            before=media.status,
        )
        if (
            not self._simulate and plan.mode is not WriteMode.TAO
        ):  # which puts tracks where it likes
            self._check_tracks()

    def _page(self, write_type: WriteType, block_type: BlockType, number: int) -> WriteParameters:
        """Return page 05h for a session, the first one being 1.

        The last session of several has a B0 that says so, as the image's lead-in has it.
        """
        sessions = len(self._image.disc.sessions)
        multi_session = MultiSession.CLOSED
        if number < sessions or self._image.disc.appendable:
            multi_session = MultiSession.OPEN
        elif number > 1:
            multi_session = MultiSession.CLOSED_WITH_B0
        return self._parameters(write_type, block_type, multi_session)

    def _check_tracks(self) -> None:
        """See that the drive reads the tracks that were written."""
        toc = self._dialogue.reply_or_none(mmc.read_toc())
        if toc is None:
            return
        found = [(each.track, each.lba) for each in toc.entries if each.track != mmc.LEAD_OUT]
        wanted = [(track.number, track.start_lba) for track in self._image.disc.tracks]
        if found != wanted:
            raise DriveError(
                f"{self._session.name}: the drive reads other tracks than were written: "
                f"{found[:3]}..., where {wanted[:3]}... were",
                command="READ TOC/PMA/ATIP",
            )

    # -- raw --------------------------------------------------------------------------------------

    def _write_raw(self, plan: BurnPlan, media: Media) -> None:
        """Send every sector from the blank's lead-in to the end of the last lead-out.

        Each session is a recording of its own, from its lead-in to the end of its lead-out.
        """
        disc = self._image.disc
        image = self._image
        self._sub = plan.kind
        self._with_text = plan.block_type is BlockType.RAW_PW
        for number, session in enumerate(disc.sessions, 1):
            page = self._page(WriteType.RAW, plan.block_type, number)
            self._session.set_write_parameters(replace(page, session_format=session.disc_type))
            if number == 1:
                image = self._from_lead_in(plan, self._lead_in_lba(media))
                self._start_lba, self._count = image.first_lba, image.sector_count
                self._written_lba = image.first_lba - 1
                self._calibrate()
            else:
                self._check_start(session, session.lead_in_lba)
            first = image.first_lba if number == 1 else session.lead_in_lba
            run = Run(
                lba=first,
                sectors=session.end_lba - first,
                block_bytes=image.sector_size,
                fill=sector_filler(image),
            )
            self._send([run], disc=image.disc)
            self._flush()
            self._settle()

    def _lead_in_lba(self, media: Media) -> int:
        """Return where this disc's lead-in begins: as the drive says, else as the groove does."""
        told = lead_in_lba(self._session, media)
        if told is None:
            raise DriveError(
                f"{self._session.name}: neither the drive nor the disc tells where the lead-in "
                "begins",
                command="READ TRACK INFORMATION",
            )
        return told

    def _from_lead_in(self, plan: BurnPlan, lba: int) -> DiscImage:
        if isinstance(self._image, RegionImage):
            return self._image.as_kind(plan.kind).with_lead_in(lba)
        if self._image.first_lba != lba:
            raise UnsupportedError(
                f"the image begins at LBA {self._image.first_lba}, this disc's lead-in at {lba}"
            )
        return self._image

    # -- session at once --------------------------------------------------------------------------

    def _write_sao(self, plan: BurnPlan, media: Media) -> None:
        """Tell the drive what each session looks like, and send its tracks."""
        disc = self._image.disc
        packs = self._packs() if plan.with_rw else b""
        self._sub = self._rw_kind() if plan.with_rw else None
        self._with_text = bool(packs)
        last = disc.sessions[-1]
        self._start_lba = disc.sessions[0].program_lba
        self._count = last.lead_out_lba - self._start_lba
        for number, session in enumerate(disc.sessions, 1):
            text = packs if number == 1 else b""
            self._announce(number, with_text=bool(text), calibrate=number == 1)
            if number > 1:  # drives count from the pregap, or from the first track
                self._check_start(session, session.program_lba, session.tracks[0].start_lba)
            runs = [
                Run(
                    lba=track.first_lba,
                    sectors=track.end_lba - track.first_lba,
                    block_bytes=sao_bytes(track, self._sub),
                    fill=sao_filler(self._image, track, self._sub),
                )
                for track in session.tracks
            ]
            if text:
                runs.insert(0, self._text_run(text, media))
                self._start_lba = min(self._start_lba, runs[0].lba)
                self._count = last.lead_out_lba - self._start_lba
            self._written_lba = runs[0].lba - 1
            self._send(runs, disc=disc)
            self._flush()
            self._settle()

    def _packs(self) -> bytes:
        return self._image.lead_in_packs if isinstance(self._image, RegionImage) else b""

    def _announce(self, number: int, *, with_text: bool, calibrate: bool) -> None:
        """Set the page for a session and send its cue sheet.

        A drive that refuses packed R-W is offered the same as it is on the disc.
        """
        disc = self._image.disc
        session = disc.sessions[number - 1]
        while True:
            block_type = _SAO_BLOCKS[self._sub]
            if with_text and self._sub is None:
                block_type = BlockType.RAW_PW
            page = self._page(WriteType.SESSION_AT_ONCE, block_type, number)
            self._session.set_write_parameters(replace(page, session_format=session.disc_type))
            if calibrate:
                self._calibrate()
                calibrate = False
            rows = drive_cue_sheet(disc, number, rw_form=_RW_FORMS[self._sub], with_text=with_text)
            self._see_that_nothing_changed()
            try:
                self._dialogue.ask(mmc.send_cue_sheet(rows), after_change=False)
            except DriveError as error:
                if not (is_refused(error) and self._sub is ImageType.COOKED and number == 1):
                    raise
                _log.info("%s: packed R-W is refused: %s", self._session.name, error)
                self._sub = ImageType.RAW
            else:
                return

    def _rw_kind(self) -> ImageType | None:
        """Return in which form the tracks' R-W is sent; None where there is none.

        Packs go as packs, so that the drive makes parity and interleave; what is stored as it is
        on a disc goes so. An image that cannot tell is taken to have no R-W.
        """
        if not isinstance(self._image, RegionImage):
            return None
        first, end = _program(self._image.disc)
        found = [
            region
            for region in self._image.sub
            if region.source is not None
            and region.lba < end
            and first < region.lba + region.sectors
            and first_rw_lba(region, max(first, region.lba), min(end, region.lba + region.sectors))
            is not None
        ]
        if not found:
            return None
        return ImageType.COOKED if all(each.rw_packed for each in found) else ImageType.RAW

    def _text_run(self, packs: bytes, media: Media) -> Run:
        """Return the lead-in's R-W: CD-TEXT, over and over, 96 bytes a sector."""
        import numpy as np

        if media.lead_in_lba is None:
            raise DriveError(
                f"{self._session.name}: no ATIP tells where the lead-in with CD-TEXT begins",
                command="READ TOC/PMA/ATIP",
            )
        first = media.lead_in_lba
        symbols = np.frombuffer(lead_in_symbols(packs), np.uint8).reshape(-1, 96)

        def fill(lba: int, rows: Bytes2D) -> None:
            rows[:] = symbols[np.arange(lba - first, lba - first + len(rows)) % len(symbols)]

        return Run(lba=first, sectors=PROGRAM_LBA - first, block_bytes=96, fill=fill)

    def _check_start(self, session: Session, *starts: int) -> None:
        """See that the drive will put a session where the image has it."""
        track = self._dialogue.reply_or_none(mmc.read_track_information())
        told = None if track is None else track.next_writable_lba
        if told is not None and told not in starts:
            raise DriveError(
                f"{self._session.name}: the next session would begin at LBA {told}, "
                f"the image has it at {session.program_lba}"
            )

    # -- track at once ----------------------------------------------------------------------------

    def _write_tao(self, plan: BurnPlan, media: Media) -> None:
        """Send track after track and close each; the drive makes the pregaps."""
        del plan, media
        disc = self._image.disc
        self._start_lba = 0
        self._count = sum(track.sector_count for track in disc.tracks)
        for number, session in enumerate(disc.sessions, 1):
            for track in session.tracks:
                self._write_track(session, track, number)
            self._report(BurnAction.FINISHING)
            self._close(mmc.Closing.SESSION)
            self._settle()

    def _write_track(self, session: Session, track: Track, number: int) -> None:
        disc = self._image.disc
        xa = track.mode is TrackMode.MODE2 and session.disc_type is not DiscType.CDDA_CDROM
        if track.mode not in _TAO_BLOCKS:
            raise UnsupportedError(f"track {track.number}: no mode but raw writes mode 0")
        block_type = BlockType.MIXED if xa else _TAO_BLOCKS[track.mode]
        page = self._page(WriteType.TRACK_AT_ONCE, block_type, number)
        self._session.set_write_parameters(
            replace(
                page,
                track_mode=track.control,
                copy=track.copy is CopySetting.SCMS,
                session_format=session.disc_type,
                mcn=disc.mcn,
                isrc=track.isrc,
            )
        )
        if track.number == disc.tracks[0].number:
            self._calibrate()
        place = self._next_track(track.sector_count, overburn=self._overburn)
        start = place.start_lba
        cut = MIXED if xa else USER[track.mode]
        fill = plain_filler(self._image, cut, track.start_lba - start)
        run = Run(lba=start, sectors=track.sector_count, block_bytes=block_type.bytes, fill=fill)
        self._written_lba = start - 1
        self._send([run])
        self._close_track(place.number)


def lead_in_lba(session: DriveSession, media: Media | None) -> int | None:
    """Return where a raw session would begin, with page 05h set so; None where nobody tells."""
    track = session.dialogue.reply_or_none(mmc.read_track_information())
    told = None if track is None else track.next_writable_lba
    if told is None and track is not None:
        told = track.start_lba
    for lba in (told, None if media is None else media.lead_in_lba):
        if lba is not None and lba <= _LAST_LEAD_IN_LBA:
            return lba
    return None


def _program(disc: Disc) -> tuple[int, int]:
    return disc.sessions[0].program_lba, disc.sessions[-1].lead_out_lba
