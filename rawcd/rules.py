"""The law: what must not be authored, though it may exist and be opened.

The creator refuses on these rules, burning refuses on them, verify reports them; opening a
file never asks. HRESULTs are the creator's business.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rawcd.disc import (
    MODE_CHANGE_PREGAP_SECTORS,
    PREGAP_SECTORS,
    Q_ISRC,
    CopySetting,
    DiscType,
    TrackMode,
)
from rawcd.errors import AuthoringError
from rawcd.msf import LAST_LBA, Msf

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rawcd.disc import Disc, Session, Track

MIN_TRACK_SECTORS: Final = 300
"""Four seconds from index 1 on (Red Book 17.5; IMAPI: AddTrack)."""
MAX_LEAD_OUT_LBA: Final = 398_100
"""Last start of the lead-out: its 6,750 sectors end at 89:59:74 (IMAPI: AddTrack's limit + 1)."""
MAX_SPECIAL_PREGAP_END_LBA: Final = 397_800
"""One past the last sector of a special pregap (IMAPI: AddSpecialPregap, MSF 88:25:74)."""
MIN_LEAD_IN_SECTORS: Final = 4_500
"""One minute (Orange Book part II)."""

_ISRC: Final = re.compile(r"[A-Z]{2}[A-Z0-9]{3}[0-9]{7}")


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleBreak:
    """A rule that a disc breaks.

    Attributes:
        rule: the rule's id: `"short-track"`, `"lead-out-limit"`, ...
        lba: where, or None.
        track: the track's number, or None.
        message: rule, value and limit.
    """

    rule: str
    lba: int | None
    track: int | None
    message: str

    def __str__(self) -> str:
        return self.message if self.track is None else f"track {self.track}: {self.message}"


def lead_out_limit_message(lead_out_lba: int, limit: int) -> str:
    """Say that a lead-out lies behind its limit."""
    return (
        f"the lead-out would start at LBA {lead_out_lba} ({Msf.from_lba(lead_out_lba)}), "
        f"{lead_out_lba - limit} sectors behind the limit of {limit} ({Msf.from_lba(limit)})"
        if lead_out_lba <= LAST_LBA
        else f"the lead-out would start at LBA {lead_out_lba}; the limit is {limit}"
    )


def short_track_message(sectors: int) -> str:
    """Say that a track is too short."""
    return (
        f"{sectors} sectors ({sectors / 75:.2f} s) are shorter than the shortest track, "
        f"{MIN_TRACK_SECTORS} sectors (4 s)"
    )


def rule_breaks(disc: Disc, *, lead_out_limit: int = MAX_LEAD_OUT_LBA) -> tuple[RuleBreak, ...]:
    """Return every rule of the Red Book, of MMC and of IMAPI that the disc breaks.

    Args:
        disc: any disc.
        lead_out_limit: highest LBA at which the last lead-out may start; a blank's ATIP tells
            it, and it is never above 398,100.
    """
    return tuple(_breaks(disc, min(lead_out_limit, MAX_LEAD_OUT_LBA)))


def _breaks(disc: Disc, limit: int) -> Iterator[RuleBreak]:
    for session in disc.sessions:
        lead_in = session.program_lba - session.lead_in_lba
        if lead_in < MIN_LEAD_IN_SECTORS:
            yield RuleBreak(
                rule="short-lead-in",
                lba=session.lead_in_lba,
                track=None,
                message=f"a lead-in of {lead_in} sectors is shorter than {MIN_LEAD_IN_SECTORS}",
            )
        first = session.tracks[0]
        if first.pregap_sectors < PREGAP_SECTORS:
            yield RuleBreak(
                rule="short-pregap",
                lba=first.first_lba,
                track=first.number,
                message=f"the first track's pregap of {first.pregap_sectors} sectors is shorter "
                f"than {PREGAP_SECTORS} (2 s)",
            )
        yield from _mode_breaks(session)
        for track in session.tracks:
            yield from _track_breaks(track)
    last = disc.sessions[-1]
    if last.lead_out_lba > limit:
        yield RuleBreak(
            rule="lead-out-limit",
            lba=last.lead_out_lba,
            track=None,
            message=lead_out_limit_message(last.lead_out_lba, limit),
        )


def mixed_modes_message(mode: TrackMode, other: TrackMode) -> str:
    """Say that data tracks of two modes are in one session."""
    return (
        f"a track of {mode.name.lower()} and one of {other.name.lower()} are in one session: "
        "point A0 names one kind of data for all of it; put them into sessions of their own"
    )


def mode_change_message(sectors: int) -> str:
    """Say that a data track's pregap is too short for the change of mode in it."""
    return (
        f"a pregap of {sectors} sectors is shorter than {MODE_CHANGE_PREGAP_SECTORS} (3 s), which "
        "a data track has behind one of another mode: one second in the old mode, two in its own"
    )


def _mode_breaks(session: Session) -> Iterator[RuleBreak]:
    """Yield what a session breaks where data tracks meet others (ECMA-130 20, MMC A0 PSEC)."""
    data: Track | None = None
    for track in session.tracks:
        if track.is_audio:
            continue
        if data is not None and track.mode is not data.mode:
            yield RuleBreak(
                rule="mixed-modes",
                lba=track.start_lba,
                track=track.number,
                message=mixed_modes_message(track.mode, data.mode),
            )
        data = data or track
        if session.mode_changes_at(track) and track.pregap_sectors < MODE_CHANGE_PREGAP_SECTORS:
            yield RuleBreak(
                rule="mode-change-pregap",
                lba=track.first_lba,
                track=track.number,
                message=mode_change_message(track.pregap_sectors),
            )
        if session.disc_type is not DiscType.CDDA_CDROM and track.mode is not TrackMode.MODE2:
            yield RuleBreak(
                rule="disc-type",
                lba=track.start_lba,
                track=track.number,
                message=f"a {session.disc_type.name} session holds data of mode 2 alone; this "
                f"track is {track.mode.name.lower()}",
            )


def _track_breaks(track: Track) -> Iterator[RuleBreak]:
    if track.sector_count < MIN_TRACK_SECTORS:
        yield RuleBreak(
            rule="short-track",
            lba=track.start_lba,
            track=track.number,
            message=short_track_message(track.sector_count),
        )
    if track.is_audio:
        return
    for rule, wrong, what in (
        ("scms-on-data", track.copy is CopySetting.SCMS, "SCMS"),
        ("pre-emphasis-on-data", track.pre_emphasis, "pre-emphasis"),
        ("four-channel-on-data", track.four_channel, "four channels"),
        ("isrc-on-data", track.isrc is not None, "an ISRC"),
    ):
        if wrong:
            yield RuleBreak(
                rule=rule,
                lba=track.start_lba,
                track=track.number,
                message=f"{what} is for audio tracks; this one is {track.mode.name.lower()}",
            )


def check_digit(digits: str) -> str:
    """Return the EAN-13 check digit of twelve digits (weights 1 and 3 in turn)."""
    total = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(digits[:12]))
    return str(-total % 10)


def complete_mcn(digits: str) -> str | None:
    """Return a media catalogue number of 13 digits; leading zeros may be left out.

    Returns:
        The number, or None for an empty text and for zeros alone, which mean none.

    Raises:
        AuthoringError: it is no number of at most 13 digits, or its EAN-13 check digit is
            wrong (IMAPI: MediaCatalogNumber); `.rule` is `"mcn"`.
    """
    if digits and not (digits.isascii() and digits.isdecimal() and len(digits) <= 13):
        raise AuthoringError(
            f"{digits!r} is no media catalogue number of at most 13 digits", rule="mcn"
        )
    mcn = digits.zfill(13)
    if mcn[-1] != check_digit(mcn):
        raise AuthoringError(
            f"the check digit of {digits!r} is {mcn[-1]} and should be {check_digit(mcn)}",
            rule="mcn",
        )
    return mcn if mcn.strip("0") else None


def is_isrc(text: str) -> bool:
    """Tell whether 12 characters are an ISRC: country, registrant, year, serial (ISO 3901)."""
    return _ISRC.fullmatch(text) is not None


def is_sheet_isrc(text: str) -> bool:
    """Tell whether 12 characters fit a mode 3 frame: five letters or digits, seven digits."""
    return Q_ISRC.fullmatch(text) is not None
