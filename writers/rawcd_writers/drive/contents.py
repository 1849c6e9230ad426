"""What a disc in a drive holds, as the drive's own tables tell: tracks, codes, CD-TEXT."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from rawcd.cdtext import read_packs
from rawcd.disc import (
    FIRST_LEAD_OUT_SECTORS,
    LATER_LEAD_OUT_SECTORS,
    PREGAP_SECTORS,
    CopySetting,
    Disc,
    DiscType,
    Index,
    Session,
    Track,
    TrackMode,
)
from rawcd.errors import DriveError, FormatError
from rawcd.image import Note
from rawcd.msf import PROGRAM_LBA
from rawcd_writers.drive import mmc
from rawcd_writers.drive.replies import lba_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rawcd.cdtext import CDText
    from rawcd_writers.drive.session import DriveSession
    from rawcd_writers.drive.tables import FullToc, Toc

_log = logging.getLogger(__name__)

_POINTS: Final = 0xA0, 0xA1, 0xA2
_NEXT_SESSION: Final = 0xB0
_MODE_5: Final = 5
_NONE_FOLLOWS: Final = b"\xff\xff\xff"
_DATA: Final = 4
_COPY: Final = 2
_MCN: Final = 2
_ISRC: Final = 3
_NO_MCN: Final = "0" * 13


@dataclass(frozen=True, slots=True, kw_only=True)
class _TocTrack:
    number: int
    control: int
    lba: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _TocSession:
    tracks: tuple[_TocTrack, ...]
    lead_out_lba: int
    disc_type: DiscType


def _sessions_of_full(toc: FullToc) -> Iterator[_TocSession]:
    for number in range(toc.first, toc.last + 1):
        items = [each for each in toc.entries if each.session == number and each.adr == 1]
        lead_out = next((each.lba for each in items if each.point == _POINTS[2]), None)
        kinds = [each.value[1] for each in items if each.point == _POINTS[0]]
        tracks = {
            each.point: _TocTrack(number=each.point, control=each.control, lba=each.lba)
            for each in items
            if 1 <= each.point <= 99 and each.lba is not None
        }
        if lead_out is None or not tracks:
            raise FormatError(f"session {number} has no tracks, or no lead-out", place="READ TOC")
        known = {int(each) for each in DiscType}
        yield _TocSession(
            tracks=tuple(tracks[each] for each in sorted(tracks)),
            lead_out_lba=lead_out,
            disc_type=DiscType(kinds[0] if kinds and kinds[0] in known else 0),
        )


def _session_of_short(toc: Toc) -> _TocSession:
    tracks = [
        _TocTrack(number=each.track, control=each.control, lba=each.lba)
        for each in toc.entries
        if 1 <= each.track <= 99
    ]
    ends = [each.lba for each in toc.entries if each.track == mmc.LEAD_OUT]
    if not tracks or not ends:
        raise FormatError("no tracks, or no lead-out", place="READ TOC")
    return _TocSession(tracks=tuple(tracks), lead_out_lba=ends[0], disc_type=DiscType.CDDA_CDROM)


def _following(toc: FullToc) -> dict[str, Any]:
    """Return what the last session's B0 says of a next one (MMC, READ TOC format 2)."""
    pointers = [
        each
        for each in toc.entries
        if each.session == toc.last and each.adr == _MODE_5 and each.point == _NEXT_SESSION
    ]
    if not pointers:
        return {}
    last = lba_of(pointers[0].value)
    told = {} if last is None else {"last_lead_out_lba": last}
    return {"appendable": pointers[0].time != _NONE_FOLLOWS, **told}


def disc_of_toc(session: DriveSession, modes: dict[int, TrackMode] | None = None) -> Disc:
    """Return the disc as its table of contents tells it: no pregaps but the first, no indexes.

    Args:
        session: the drive.
        modes: of data tracks; those not named have mode 1, in XA and CD-I sessions mode 2.

    Raises:
        DriveError: the disc has no table of contents, or one that contradicts itself.
    """
    full = session.dialogue.reply_or_none(mmc.read_full_toc())
    try:
        if full is not None and full.entries:
            told = tuple(_sessions_of_full(full))
            return replace(_disc_of(told, modes or {}), **_following(full))
        told = (_session_of_short(session.dialogue.ask(mmc.read_toc())),)
        return _disc_of(told, modes or {})
    except (FormatError, ValueError) as error:
        raise DriveError(
            f"{session.name}: the table of contents contradicts itself: {error}",
            command="READ TOC/PMA/ATIP",
        ) from error


def _disc_of(told: tuple[_TocSession, ...], modes: dict[int, TrackMode]) -> Disc:
    sessions: list[Session] = []
    for each in told:
        program = each.tracks[0].lba - PREGAP_SECTORS if sessions else PROGRAM_LBA
        xa = each.disc_type is not DiscType.CDDA_CDROM
        ends = [*(track.lba for track in each.tracks[1:]), each.lead_out_lba]
        tracks: list[Track] = []
        for track, end in zip(each.tracks, ends, strict=True):
            data = TrackMode.MODE2 if xa else TrackMode.MODE1
            head = () if tracks else (Index(number=0, lba=program),)
            is_data = bool(track.control & _DATA)
            tracks.append(
                Track(
                    number=track.number,
                    mode=modes.get(track.number, data) if is_data else TrackMode.AUDIO,
                    indexes=(*head, Index(number=1, lba=track.lba)),
                    end_lba=end,
                    copy=CopySetting.PERMITTED if track.control & _COPY else CopySetting.PROHIBITED,
                    pre_emphasis=bool(track.control & 1) and not is_data,
                    four_channel=bool(track.control & 8) and not is_data,
                )
            )
        extra = {"lead_in_lba": sessions[-1].end_lba} if sessions else {}
        sessions.append(
            Session(
                tracks=tuple(tracks),
                lead_out_lba=each.lead_out_lba,
                lead_out_sectors=LATER_LEAD_OUT_SECTORS if sessions else FIRST_LEAD_OUT_SECTORS,
                disc_type=each.disc_type,
                **extra,
            )
        )
    return Disc(sessions=tuple(sessions))


def with_codes(session: DriveSession, disc: Disc) -> Disc:
    """Return a disc with the catalogue number and the ISRCs that the drive finds by itself.

    A drive that fails while it looks for them is not asked further: the disc is read without.
    """

    def asked(kind: int, track: int = 0) -> str | None:
        reply = session.dialogue.reply_or_none(mmc.read_sub_channel(kind, track=track))
        return None if reply is None else reply.text

    try:
        mcn = asked(_MCN)
        codes = {track.number: asked(_ISRC, track.number) for track in disc.tracks}
        sessions = tuple(
            replace(
                each,
                tracks=tuple(replace(track, isrc=codes[track.number]) for track in each.tracks),
            )
            for each in disc.sessions
        )
        return replace(disc, mcn=None if mcn == _NO_MCN else mcn, sessions=sessions)
    except (DriveError, ValueError) as error:
        _log.warning("%s: the drive's codes are not used: %s", session.name, error)
        return disc


def text_of(session: DriveSession, disc: Disc) -> tuple[CDText | None, tuple[Note, ...]]:
    """Return the CD-TEXT that the drive finds in the first lead-in, and what is wrong with it.

    Args:
        session: the drive.
        disc: what is in it.
    """
    try:
        reply = session.dialogue.reply_or_none(mmc.read_cd_text())
    except DriveError as error:
        return None, (Note(code="text-unread", message=f"CD-TEXT, if there is any: {error}"),)
    if reply is None or not reply.packs:
        return None, ()
    found = read_packs(reply.packs)
    notes = tuple(
        Note(code="text-damaged", message=f"CD-TEXT as the drive reads it: {defect.message}")
        for defect in found.defects
    )
    tracks = disc.sessions[0].tracks
    text = found.cdtext
    return text and text.of_tracks(tracks[0].number, tracks[-1].number), notes
