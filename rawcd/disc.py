"""What a disc says: sessions, tracks, indexes. No bytes and no sources; equality is meaning.

A `Disc` refuses only what contradicts itself, so that every disc that exists can be described.
What must not be authored is `rawcd.rules`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, IntEnum
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from rawcd.msf import FIRST_LBA, LAST_LBA, PROGRAM_LBA

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rawcd.cdtext import CDText

IMAGE_LEAD_IN_LBA: Final = -22_650
"""MSF 95:00:00, where an image begins (IMAPI: IRawCDImageCreator.CreateResultImage)."""
FIRST_LEAD_OUT_SECTORS: Final = 6_750
"""Lead-out of the first session: 90 seconds."""
LATER_LEAD_OUT_SECTORS: Final = 2_250
"""Lead-out of every later session: 30 seconds."""
LATER_LEAD_IN_SECTORS: Final = 4_500
"""Lead-in of every later session: 60 seconds."""
PREGAP_SECTORS: Final = 150
"""Two seconds: the pregap of a session's first track, and the standard gap."""
MODE_CHANGE_PREGAP_SECTORS: Final = 225
"""Three seconds: the least pregap of a data track behind one of another mode (ECMA-130 20.1)."""
MODE_CHANGE_HEAD_SECTORS: Final = 75
"""The first second of it, coded as the track before it is (ECMA-130 20.1)."""
POSTGAP_SECTORS: Final = 150
"""Two seconds: the least postgap of a data track before one of another mode (ECMA-130 20.2)."""
LAST_LEAD_OUT_LBA: Final = 359_849
"""79:59:74, the last possible start of the lead-out of most blanks."""
MAX_TRACKS: Final = 99
MAX_INDEX: Final = 99
Q_ISRC: Final = re.compile(r"[A-Z0-9]{5}[0-9]{7}")
"""What a mode 3 frame of the Q channel can hold (IEC 60908 17.5.3)."""
_MCN: Final = re.compile(r"[0-9]{13}")


class TrackMode(IntEnum):
    """The mode byte of the sector header; XA and CD-I are MODE2 and show in `DiscType`."""

    AUDIO = -1
    MODE0 = 0
    MODE1 = 1
    MODE2 = 2


class CopySetting(IntEnum):
    """Values of IMAPI_CD_TRACK_DIGITAL_COPY_SETTING."""

    PERMITTED = 0
    PROHIBITED = 1
    SCMS = 2


class DiscType(IntEnum):
    """PSEC of point A0 (Red Book, Yellow Book, Green Book)."""

    CDDA_CDROM = 0x00
    CDI = 0x10
    XA = 0x20


class Area(Enum):
    """What a sector is part of."""

    LEAD_IN = "lead-in"
    PREGAP = "pregap"
    TRACK = "track"
    LEAD_OUT = "lead-out"


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """An index of a track.

    Attributes:
        number: 0..99; 0 is the pregap, 1 the start of the track.
        lba: its first sector; index 0 of a session's first track is where its program area begins.
    """

    number: int
    lba: int


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise ValueError(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """A track.

    Attributes:
        number: 1..99, as in TNO.
        mode: audio, or the mode of its sectors.
        indexes: numbers rise by one from 0 or 1, LBAs rise.
        end_lba: one past the last sector, postgap included.
        copy: the copy bit of CONTROL.
        pre_emphasis: bit 0 of CONTROL.
        four_channel: bit 3 of CONTROL.
        isrc: 12 characters, no dashes, or None: five capital letters or digits, seven digits.

    Raises:
        ValueError: the parts contradict each other, or are none that there are.
    """

    number: int
    mode: TrackMode = TrackMode.AUDIO
    indexes: tuple[Index, ...]
    end_lba: int
    copy: CopySetting = CopySetting.PROHIBITED
    pre_emphasis: bool = False
    four_channel: bool = False
    isrc: str | None = None

    def __post_init__(self) -> None:
        who = f"track {self.number}"
        # A plain number would equal its member and not be it, and CONTROL would tell otherwise.
        object.__setattr__(self, "mode", TrackMode(self.mode))
        object.__setattr__(self, "copy", CopySetting(self.copy))
        object.__setattr__(self, "indexes", tuple(self.indexes))
        numbers = [index.number for index in self.indexes]
        _require(1 <= self.number <= MAX_TRACKS, f"{who}: numbers go from 1 to {MAX_TRACKS}")
        _require(1 in numbers[:2], f"{who}: it has no index 1")
        _require(
            all(after == before + 1 for before, after in pairwise(numbers)),
            f"{who}: its index numbers {numbers} do not rise by one",
        )
        _require(numbers[0] >= 0 and numbers[-1] <= MAX_INDEX, f"{who}: index above {MAX_INDEX}")
        lbas = [*(index.lba for index in self.indexes), self.end_lba]
        _require(
            all(before < after for before, after in pairwise(lbas)),
            f"{who}: its index addresses and end {lbas} do not rise",
        )
        _require(
            self.isrc is None or Q_ISRC.fullmatch(self.isrc) is not None,
            f"{who}: {self.isrc!r} is no ISRC of 12 characters: five capital letters or digits, "
            "seven digits, no dashes",
        )

    @property
    def first_lba(self) -> int:
        """Index 0 if there is one, else index 1."""
        return self.indexes[0].lba

    @property
    def start_lba(self) -> int:
        """Index 1: what the TOC says."""
        return self.indexes[0].lba if self.indexes[0].number else self.indexes[1].lba

    @property
    def pregap_sectors(self) -> int:
        """Sectors from index 0 to index 1."""
        return self.start_lba - self.first_lba

    @property
    def sector_count(self) -> int:
        """Sectors from index 1 to the end."""
        return self.end_lba - self.start_lba

    @property
    def is_audio(self) -> bool:
        """Whether the track holds sound."""
        return self.mode is TrackMode.AUDIO

    @property
    def control(self) -> int:
        """CONTROL nibble for the TOC; SCMS counts as prohibited there (Red Book 17.5)."""
        copy = self.copy is CopySetting.PERMITTED
        return self.pre_emphasis | copy << 1 | (not self.is_audio) << 2 | self.four_channel << 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A lead-in, tracks and a lead-out.

    Attributes:
        tracks: 1..99; numbers rise by one, each track ends where the next begins.
        lead_in_lba: first sector of the lead-in; on a blank disc it is the ATIP address.
        lead_out_lba: first sector of the lead-out, the last track's end.
        lead_out_sectors: 6,750, from the second session on 2,250.
        disc_type: PSEC of point A0.

    Raises:
        ValueError: the parts contradict each other.
    """

    tracks: tuple[Track, ...]
    lead_in_lba: int = IMAGE_LEAD_IN_LBA
    lead_out_lba: int
    lead_out_sectors: int = FIRST_LEAD_OUT_SECTORS
    disc_type: DiscType = DiscType.CDDA_CDROM

    def __post_init__(self) -> None:
        object.__setattr__(self, "tracks", tuple(self.tracks))
        object.__setattr__(self, "disc_type", DiscType(self.disc_type))
        _require(1 <= len(self.tracks) <= MAX_TRACKS, "a session has 1 to 99 tracks")
        for before, after in pairwise(self.tracks):
            _require(
                after.number == before.number + 1,
                f"track {after.number} follows track {before.number}: numbers rise by one",
            )
            _require(
                after.first_lba == before.end_lba,
                f"track {after.number} begins at LBA {after.first_lba}, "
                f"but track {before.number} ends at {before.end_lba}",
            )
        first, last = self.tracks[0], self.tracks[-1]
        _require(
            first.indexes[0].number == 0,
            f"track {first.number} is a session's first and has no index 0",
        )
        _require(self.lead_in_lba < first.first_lba, "the lead-in begins behind its tracks")
        _require(
            self.lead_out_lba == last.end_lba,
            f"the lead-out is at LBA {self.lead_out_lba}, the last track ends at {last.end_lba}",
        )
        _require(self.lead_out_sectors > 0, "the lead-out has no sectors")

    def mode_changes_at(self, track: Track) -> bool:
        """Tell whether a track of the session follows one of another mode, audio being one."""
        place = track.number - self.tracks[0].number
        return place > 0 and self.tracks[place - 1].mode is not track.mode

    def has_mode_change_head(self, track: Track) -> bool:
        """Tell whether a track's pregap begins with one second in the mode of the track before.

        A data track's does behind one of another mode, where it has the three seconds that it
        should have (ECMA-130 20.1).
        """
        enough = track.pregap_sectors >= MODE_CHANGE_PREGAP_SECTORS
        return enough and not track.is_audio and self.mode_changes_at(track)

    @property
    def program_lba(self) -> int:
        """First sector of the program area: index 0 of the first track."""
        return self.tracks[0].first_lba

    @property
    def end_lba(self) -> int:
        """One past the lead-out."""
        return self.lead_out_lba + self.lead_out_sectors


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What lies at an address: the answer for progress, verify and messages.

    Attributes:
        area: what the sector is part of.
        session: 1..
        track: the track's number; None in lead-in and lead-out.
        index: the index' number; None in lead-in and lead-out.
        relative: sectors from index 1 (negative in a pregap), or from the area's start.
    """

    area: Area
    session: int
    track: int | None
    index: int | None
    relative: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Disc:
    """A whole disc.

    Attributes:
        sessions: each one's lead-in begins where the lead-out before it ends.
        mcn: the media catalogue number, 13 digits, or None.
        cdtext: titles and names.
        appendable: the last session's lead-in names where a next one may begin (point B0).
        last_lead_out_lba: the blank's last possible start of the lead-out, as point B0 tells it;
            a disc of one session that is not appendable has no B0.

    Raises:
        ValueError: the parts contradict each other.
    """

    sessions: tuple[Session, ...]
    mcn: str | None = None
    cdtext: CDText | None = None
    appendable: bool = False
    last_lead_out_lba: int = LAST_LEAD_OUT_LBA

    def __post_init__(self) -> None:
        object.__setattr__(self, "sessions", tuple(self.sessions))
        _require(bool(self.sessions), "a disc has at least one session")
        first = self.sessions[0]
        _require(
            first.program_lba == PROGRAM_LBA,
            f"index 0 of the first track is at LBA {first.program_lba}, not at {PROGRAM_LBA}",
        )
        for before, after in pairwise(self.sessions):
            _require(
                after.lead_in_lba == before.end_lba,
                f"a lead-in begins at LBA {after.lead_in_lba}, the lead-out before it ends "
                f"at {before.end_lba}",
            )
            _require(
                after.tracks[0].number == before.tracks[-1].number + 1,
                f"track {after.tracks[0].number} follows track {before.tracks[-1].number}: "
                "numbers rise by one over all sessions",
            )
        _require(
            self.mcn is None or _MCN.fullmatch(self.mcn) is not None,
            f"{self.mcn!r} is no media catalogue number of 13 digits",
        )
        _require(
            first.lead_in_lba >= FIRST_LBA and self.end_lba <= LAST_LBA + 1,
            f"the disc reaches from LBA {first.lead_in_lba} to {self.end_lba - 1}; "
            f"addresses go from {FIRST_LBA} to {LAST_LBA}",
        )

    @property
    def tracks(self) -> tuple[Track, ...]:
        """The tracks of all sessions."""
        return tuple(track for session in self.sessions for track in session.tracks)

    @property
    def text_tracks(self) -> tuple[int, int]:
        """The first and the last track that CD-TEXT tells of.

        It lies in the first session's lead-in and tells of its tracks; of later ones where they
        have a text.
        """
        tracks = self.sessions[0].tracks
        blocks = () if self.cdtext is None else self.cdtext.blocks
        named = max((item.track for block in blocks for item in block.items), default=0)
        last = max(tracks[-1].number, min(named, self.tracks[-1].number))
        return tracks[0].number, last

    @property
    def is_multi_session(self) -> bool:
        """Whether lead-ins carry the pointers B0 and C0: there are more sessions, or may be."""
        return self.appendable or len(self.sessions) > 1

    @property
    def next_program_lba(self) -> int:
        """First sector of the program area that a further session would have."""
        return self.end_lba + LATER_LEAD_IN_SECTORS

    @property
    def first_lba(self) -> int:
        """First sector of the first lead-in."""
        return self.sessions[0].lead_in_lba

    @property
    def end_lba(self) -> int:
        """One past the last lead-out."""
        return self.sessions[-1].end_lba

    def track(self, number: int) -> Track:
        """Return a track by its number.

        Raises:
            KeyError: there is none.
        """
        for track in self.tracks:
            if track.number == number:
                return track
        raise KeyError(f"no track {number}")

    def place(self, lba: int) -> Place:
        """Tell what lies at an address.

        Raises:
            ValueError: the address is outside the disc.
        """
        if not self.first_lba <= lba < self.end_lba:
            raise ValueError(f"LBA {lba} is outside the disc")
        number, session = next(
            (number, session)
            for number, session in enumerate(self.sessions, 1)
            if lba < session.end_lba
        )
        if lba < session.program_lba:
            return Place(
                area=Area.LEAD_IN,
                session=number,
                track=None,
                index=None,
                relative=lba - session.lead_in_lba,
            )
        if lba >= session.lead_out_lba:
            return Place(
                area=Area.LEAD_OUT,
                session=number,
                track=None,
                index=None,
                relative=lba - session.lead_out_lba,
            )
        track = next(track for track in session.tracks if lba < track.end_lba)
        index = next(index for index in reversed(track.indexes) if index.lba <= lba)
        return Place(
            area=Area.TRACK if index.number else Area.PREGAP,
            session=number,
            track=track.number,
            index=index.number,
            relative=lba - track.start_lba,
        )

    def borders(self) -> Iterator[int]:
        """Yield, rising, where each area, track and index begins, and the disc's end."""
        for session in self.sessions:
            yield session.lead_in_lba
            for track in session.tracks:
                yield from (index.lba for index in track.indexes)
            yield session.lead_out_lba
        yield self.end_lba
