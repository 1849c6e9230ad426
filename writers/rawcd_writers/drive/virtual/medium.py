"""A disc in the virtual recorder: its sessions, the tracks of the open one, what may come next."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, replace
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Final

from rawcd.disc import (
    LATER_LEAD_IN_SECTORS,
    PREGAP_SECTORS,
    Q_ISRC,
    CopySetting,
    Disc,
    DiscType,
    Index,
    Session,
    Track,
    TrackMode,
)
from rawcd.errors import FormatError, UnsupportedError
from rawcd.msf import FIRST_LBA, LAST_LBA, PROGRAM_LBA
from rawcd.source import SECTOR_BYTES as MAIN_BYTES
from rawcd.source import BlockSource
from rawcd_writers.drive.virtual.blanks import DEFAULT_BLANK, Blank, blank_named
from rawcd_writers.drive.virtual.store import SECTOR_BYTES, SectorStore, SideFile

if TYPE_CHECKING:
    from pathlib import Path

    from rawcd.source import Bytes2D


class DiscStatus(IntEnum):
    """Disc status of READ DISC INFORMATION."""

    BLANK = 0
    APPENDABLE = 1
    COMPLETE = 2


class SessionState(IntEnum):
    """State of the last session of READ DISC INFORMATION."""

    EMPTY = 0
    INCOMPLETE = 1
    COMPLETE = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenTrack:
    """A track of the session that no lead-in closes yet: a line of the PMA.

    Attributes:
        number: its number.
        first_lba: index 0.
        start_lba: index 1.
        next_lba: the next address to write in it.
        end_lba: one past its last sector, run-out included; of a reserved track, its end.
        control: CONTROL.
        mode: the sectors' mode, `TrackMode`.
        block_type: data block type that it is written with.
        scms: the copy bit alternates.
        isrc: 12 characters, or None.
        reserved: RESERVE TRACK made it.
        closed: CLOSE TRACK was.
    """

    number: int
    first_lba: int
    start_lba: int
    next_lba: int
    end_lba: int
    control: int
    mode: int
    block_type: int
    scms: bool = False
    isrc: str | None = None
    reserved: bool = False
    closed: bool = False

    def as_track(self) -> Track:
        """Return it as a disc tells it."""
        copy = CopySetting.PROHIBITED
        if self.scms:
            copy = CopySetting.SCMS
        elif self.control & 2:
            copy = CopySetting.PERMITTED
        indexes = (Index(number=0, lba=self.first_lba), Index(number=1, lba=self.start_lba))
        return Track(
            number=self.number,
            mode=TrackMode(self.mode),
            indexes=indexes[self.first_lba == self.start_lba :],
            end_lba=self.end_lba,
            copy=copy,
            pre_emphasis=bool(self.control & 1),
            four_channel=bool(self.control & 8),
            isrc=self.isrc,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSession:
    """A session under way, kept across commands and in the side file.

    Attributes:
        tracks: of track at once.
        mcn: from page 05h when its first track was begun.
        disc_type: likewise.
        spoilt: why it can never be finished, or None.
    """

    tracks: tuple[OpenTrack, ...] = ()
    mcn: str | None = None
    disc_type: int = 0
    spoilt: str | None = None


_EMPTY: Final = OpenSession()
_MCN: Final = re.compile("[0-9]{13}")
_WORDS: Final = re.compile("[ -~]+")


def _told_session(state: dict[str, Any]) -> OpenSession:
    """Return the open session that a side file tells of, which anybody may have written.

    Raises:
        KeyError, TypeError, ValueError: it tells of none.
    """
    tracks = tuple(_told_track(each) for each in state["tracks"])
    numbers = [track.number for track in tracks]
    areas = [lba for track in tracks for lba in (track.first_lba, track.end_lba)]
    if numbers != sorted(set(numbers)) or areas != sorted(areas):
        raise ValueError("its tracks do not follow one another")
    return OpenSession(
        tracks=tracks,
        mcn=_text(state["mcn"], _MCN),
        disc_type=int(DiscType(_whole(state["disc_type"], 0, 0xFF))),
        spoilt=_text(state["spoilt"], _WORDS),
    )


def _told_track(told: dict[str, Any]) -> OpenTrack:
    """Return a track of the open session; see `_told_session`."""
    found = OpenTrack(**told)
    _whole(found.number, 1, 99)
    _whole(found.control, 0, 15)
    _whole(found.block_type, 0, 15)
    TrackMode(_whole(found.mode, min(TrackMode), max(TrackMode)))
    places = found.first_lba, found.start_lba, found.next_lba, found.end_lba
    for lba in places:
        _whole(lba, PROGRAM_LBA, LAST_LBA + 1)
    if list(places) != sorted(places) or (found.closed and found.end_lba == found.start_lba):
        raise ValueError(f"track {found.number}: its addresses {places} do not rise")
    for flag in (found.scms, found.reserved, found.closed):
        if not isinstance(flag, bool):
            raise TypeError(f"{flag!r} is neither true nor false")
    _text(found.isrc, Q_ISRC)
    return found


def _whole(value: object, least: int, most: int) -> int:
    if type(value) is not int or not least <= value <= most:  # True is an int, too
        raise ValueError(f"{value!r} is no number from {least} to {most}")
    return value


def _text(value: object, pattern: re.Pattern[str]) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise ValueError(f"{value!r} is not {pattern.pattern}")
    return value


class Medium:
    """A disc, blank or not, over its store.

    Args:
        blank: what kind of blank it is; None takes what the side file says, else the default.
        path: the file that holds it, or None.

    Attributes:
        disc: the finished sessions, or None.
        open: the session that is not finished.

    Raises:
        FormatError: the file holds no disc of 2,448-byte sectors, or not what its side file says.
        StorageError: it cannot be read, or another recorder has it.
    """

    def __init__(self, blank: Blank | None = None, path: Path | None = None) -> None:
        self.store = SectorStore(path)  # nobody else changes from here on what is looked at
        self._side = SideFile(path)
        self.disc: Disc | None = None
        self.open = _EMPTY
        try:
            self.blank = self._look(blank)
        except BaseException:
            self.store.close()  # nobody is there to do it later
            raise

    # What is kept

    def _look(self, blank: Blank | None) -> Blank:
        """See what is in the file and what is told beside it; return the disc's kind.

        Raises:
            FormatError: the file holds no disc, or not what is told of it.
        """
        state = self._side.load()
        kept = self._kept_blank(state) if state else None
        if blank and kept and blank.name != kept.name and not self.store.is_new:
            raise FormatError(
                f"is a {kept.name}, not a {blank.name}; leave out medium=, or take another file",
                file=self.store.name,
            )
        kind = blank or kept or blank_named(DEFAULT_BLANK)
        self.store.first_lba = kind.lead_in_lba
        if state is not None and not self.store.is_new:
            self._restore(state)
        elif self.store.size:
            self.disc = self._recognised()
        return kind

    def _kept_blank(self, state: dict[str, Any]) -> Blank:
        try:
            return blank_named(str(state.get("medium")))
        except UnsupportedError as error:
            raise FormatError(str(error), file=self._side.name) from error

    def _restore(self, state: dict[str, Any]) -> None:
        try:
            sessions_end = state["sessions_end"]
            self.open = _told_session(state)
            first_lba = self.store.first_lba = _whole(state["first_lba"], FIRST_LBA, PROGRAM_LBA)
            if sessions_end is not None:
                sessions_end = _whole(sessions_end, first_lba + 1, LAST_LBA + 1)
        except (KeyError, TypeError, ValueError) as error:
            raise FormatError(
                f"is no state of a disc: {error!r}; remove it to take the disc's file as it is",
                file=self._side.name,
            ) from error
        if sessions_end is not None:
            self.disc = self._recognised(sessions_end)

    def save(self) -> None:
        """Keep what the image alone does not tell.

        Raises:
            StorageError: it cannot be written.
        """
        told = self.open == _EMPTY and self.blank.name == DEFAULT_BLANK
        if told and (self.disc is None or self.store.end_lba == self.disc.end_lba):
            self._side.save(None)
            return
        self._side.save(
            {
                "medium": self.blank.name,
                "first_lba": self.store.first_lba,
                "sessions_end": None if self.disc is None else self.disc.end_lba,
                "tracks": [asdict(track) for track in self.open.tracks],
                "mcn": self.open.mcn,
                "disc_type": self.open.disc_type,
                "spoilt": self.open.spoilt,
            }
        )

    def _recognised(self, end_lba: int | None = None) -> Disc:
        """Return the disc in a file that was given.

        Args:
            end_lba: where its sessions end, as the side file says.

        Raises:
            FormatError: it holds none, or another.
        """
        try:
            return self._recovered(end_lba)
        except FormatError as error:
            remedy = "name another file, or one that is not there yet"
            if end_lba is not None:
                remedy += f"; or remove {self._side.name}, if that is not this disc's"
            raise FormatError(
                f"holds no disc of a virtual recorder: {error.reason}; {remedy}",
                file=self.store.name,
                place=error.place,
            ) from error

    def _recovered(self, end_lba: int | None = None) -> Disc:
        """Return the disc that the recorded sectors tell of.

        Raises:
            FormatError: they tell of none.
        """
        from rawcd.qscan import recover_disc

        count = None if end_lba is None else end_lba - self.store.first_lba
        main = BlockSource(self.store, stride=SECTOR_BYTES, block_count=count)
        sub = BlockSource(
            self.store, offset=MAIN_BYTES, block_size=96, stride=SECTOR_BYTES, block_count=count
        )
        disc = recover_disc(sub, main)
        self.store.first_lba = disc.first_lba
        return disc

    # What it is

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files that hold it."""
        return tuple(path for path in (self.store.path, self._side.path) if path is not None)

    @property
    def status(self) -> DiscStatus:
        """Blank, appendable or complete."""
        if self.open != _EMPTY:
            return DiscStatus.APPENDABLE
        if self.disc is None:
            return DiscStatus.BLANK
        if self.disc.appendable and self.next_program_lba + PREGAP_SECTORS < self.blank.end_lba:
            return DiscStatus.APPENDABLE
        return DiscStatus.COMPLETE

    @property
    def session_state(self) -> SessionState:
        """State of the last session: of a disc that can be added to, the one to come."""
        if self.open != _EMPTY:
            return SessionState.INCOMPLETE
        return SessionState.COMPLETE if self.status is DiscStatus.COMPLETE else SessionState.EMPTY

    @property
    def complete_sessions(self) -> int:
        """Sessions with a lead-in and a lead-out."""
        return len(self.disc.sessions) if self.disc else 0

    @property
    def can_record(self) -> bool:
        """Whether anything may be written at all."""
        return self.status is not DiscStatus.COMPLETE and self.open.spoilt is None

    @property
    def next_lead_in_lba(self) -> int:
        """First sector of the lead-in of the open or next session."""
        return self.disc.end_lba if self.disc else self.blank.lead_in_lba

    @property
    def next_program_lba(self) -> int:
        """First sector of its program area."""
        return self.disc.end_lba + LATER_LEAD_IN_SECTORS if self.disc else PROGRAM_LBA

    @property
    def next_track_lba(self) -> int:
        """Where index 1 of the next track at once will be."""
        return self.track_lba(PREGAP_SECTORS)

    def track_lba(self, pause: int) -> int:
        """Return where index 1 of the next track at once will be, so many sectors behind the last.

        The first one of a session has the pregap of two seconds, whatever was asked for.
        """
        tracks = self.open.tracks
        return tracks[-1].end_lba + pause if tracks else self.next_program_lba + PREGAP_SECTORS

    @property
    def next_track_number(self) -> int:
        """Number of the next track at once."""
        if self.open.tracks:
            return self.open.tracks[-1].number + 1
        return self.disc.tracks[-1].number + 1 if self.disc else 1

    @property
    def last_lead_out_lba(self) -> int:
        """Where the next lead-out may begin at the latest, spare room included."""
        return self.blank.last_lead_out_lba + self.blank.spare_sectors

    # What happens to it

    def change(self, **changes: Any) -> None:
        """Replace fields of the open session, and keep them."""
        self.store.keep()
        self.open = replace(self.open, **changes)
        self.save()

    def spoil(self, why: str) -> None:
        """Leave the session as it is, never to be finished."""
        self.change(spoilt=why)

    def finish(self, disc: Disc | None = None) -> None:
        """Make the session under way part of the disc.

        Args:
            disc: the whole disc; None reads it from what was recorded.

        Raises:
            FormatError: what was recorded is no disc.
        """
        self.disc = self._recovered() if disc is None else disc
        self.open = _EMPTY
        self.store.flush()
        self.save()

    def with_session(
        self,
        tracks: tuple[Track, ...],
        *,
        lead_out_lba: int,
        disc_type: DiscType,
        mcn: str | None,
        appendable: bool,
    ) -> Disc:
        """Return the disc as it is when a session has been added.

        Raises:
            ValueError: the parts contradict each other.
        """
        from rawcd.disc import FIRST_LEAD_OUT_SECTORS, LATER_LEAD_OUT_SECTORS

        session = Session(
            tracks=tracks,
            lead_in_lba=self.next_lead_in_lba,
            lead_out_lba=lead_out_lba,
            lead_out_sectors=LATER_LEAD_OUT_SECTORS if self.disc else FIRST_LEAD_OUT_SECTORS,
            disc_type=disc_type,
        )
        earlier = self.disc.sessions if self.disc else ()
        return Disc(
            sessions=(*earlier, session),
            mcn=mcn if mcn or self.disc is None else self.disc.mcn,
            appendable=appendable,
            last_lead_out_lba=self.blank.last_lead_out_lba,
        )

    def erase(self) -> None:
        """Blank it."""
        self.store.keep()
        self.disc = None
        self.open = _EMPTY
        self.store.erase(self.blank.lead_in_lba)
        self.save()

    def is_recorded(self, lba: int, count: int) -> bool:
        """Tell whether sectors lie in a program area, finished or of closed tracks, or open."""
        return any(first <= lba and lba + count <= end for first, end in self._recorded_areas())

    def _recorded_areas(self) -> list[tuple[int, int]]:
        areas = []
        if self.disc:
            areas += [(each.program_lba, each.lead_out_lba) for each in self.disc.sessions]
        if self.open.tracks and not self.open.spoilt:
            tracks = self.open.tracks
            ends = [track.end_lba if track.closed else track.next_lba for track in tracks]
            areas += [(t.first_lba, end) for t, end in zip(tracks, ends, strict=True)]
        return areas

    def read(self, lba: int, count: int) -> Bytes2D:
        """Return recorded sectors, (n, 2448), as on the disc."""
        return self.store.read(lba, count)

    def close(self) -> None:
        """Let go of the file."""
        self.store.close()
