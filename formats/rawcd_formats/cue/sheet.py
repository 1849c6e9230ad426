"""What a sheet says, gathered command by command: files, tracks, sessions, codes and texts.

Nothing is opened and no address is known here; what contradicts itself is refused with its line.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from rawcd.cdtext import TextItem
from rawcd.errors import FormatError, UnsupportedError
from rawcd.image import Note
from rawcd.program import isrc_of_sheet, mcn_of_sheet
from rawcd_formats.cue import commands as cue
from rawcd_formats.cue.modes import MODES, Mode, mode_of

if TYPE_CHECKING:
    from collections.abc import Iterable

_FLAGS: Final = frozenset({"DCP", "4CH", "PRE", "SCMS", "DATA"})
_GD_ROM: Final = (["SINGLE-DENSITY", "AREA"], ["HIGH-DENSITY", "AREA"])
_SESSION_TIMES: Final = ("LEAD-OUT", "LEAD-IN", "PREGAP")


@dataclass(slots=True)
class TrackSheet:
    """What the sheet says of a track.

    Attributes:
        start: its TRACK command.
        mode: what that means.
        indexes: each with the place of its file.
        flags: all of them.
        isrc: as on the disc.
        pregap: PREGAP.
        postgap: POSTGAP.
    """

    start: cue.TrackStart
    mode: Mode
    indexes: list[tuple[cue.IndexAt, int]] = field(default_factory=list)
    flags: frozenset[str] = frozenset()
    isrc: str | None = None
    pregap: cue.Pregap | None = None
    postgap: cue.Postgap | None = None

    @property
    def number(self) -> int:
        """Its number."""
        return self.start.number

    @property
    def first(self) -> tuple[cue.IndexAt, int]:
        """The first index, with the place of its file."""
        return self.indexes[0]


@dataclass(slots=True)
class FileSheet:
    """A FILE command, and the stretches of one mode in it: (first frame, mode)."""

    command: cue.File
    stretches: list[tuple[int, Mode]] = field(default_factory=list)


@dataclass(slots=True)
class SessionSheet:
    """What the sheet says of a session: REM SESSION and what stands around it.

    Attributes:
        first: the place of its first track among the tracks.
        line: that of REM SESSION; 0 where none opens it.
        lead_out: frames of REM LEAD-OUT at its end: a length, or a place in the file.
        lead_in: frames of REM LEAD-IN.
        pregap: frames of REM PREGAP, which no file holds.
    """

    first: int
    line: int = 0
    lead_out: int | None = None
    lead_in: int | None = None
    pregap: int | None = None


class Teller:
    """Makes errors and keeps notes, with the sheet's name and a line."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.notes: list[Note] = []

    def error(self, reason: str, line: int) -> FormatError:
        """Return an error of the sheet."""
        return FormatError(reason, file=self.file, place=f"line {line}")

    def note(
        self, code: str, message: str, line: int | None = None, track: int | None = None
    ) -> None:
        """Keep a note."""
        self.notes.append(Note(code=code, message=message, track=track, file=self.file, line=line))


class Sheet:
    """A sheet's commands, sorted by what they speak of.

    Attributes:
        teller: where notes go.
        mcn: the media catalogue number.
        items: texts, in the sheet's order.
        text_file: CDTEXTFILE.
        tracks: in order; all have an index 1.
        files: one for each FILE command; see `_take_file` for those that repeat one.
        sessions: at least one, none of them empty.

    Raises:
        FormatError: it contradicts itself.
        UnsupportedError: it is of a disc that is no CD.
    """

    def __init__(self, commands: Iterable[cue.Command], teller: Teller) -> None:
        self.teller = teller
        self.mcn: str | None = None
        self.items: list[TextItem] = []
        self.text_file: cue.TextFile | None = None
        self.tracks: list[TrackSheet] = []
        self.files: list[FileSheet] = []
        self.sessions: list[SessionSheet] = [SessionSheet(0)]
        self._number = 1  # of the current session
        self._again: cue.File | None = None
        self._noted: set[str] = set()
        for command in commands:
            self._take(command)
        self._check()

    def _current(self, command: cue.Command, word: str) -> TrackSheet:
        if not self.tracks:
            raise self.teller.error(f"{word} stands before the first TRACK", command.line)
        return self.tracks[-1]

    def _take(self, command: cue.Command) -> None:
        match command:
            case cue.Catalog(line, digits):
                before, self.mcn = self.mcn, self._read_mcn(line, digits)
                self._note_replaced("CATALOG", before, self.mcn, line)
            case cue.Text(_, name, text):
                number = self.tracks[-1].number if self.tracks else 0
                self.items.append(TextItem(field=name, track=number, text=text))
            case cue.TextFile():
                self.text_file = command
            case cue.File():
                self._take_file(command)
            case cue.TrackStart():
                self._take_track(command)
            case cue.Flags(line, flags):
                track = self._current(command, "FLAGS")
                for flag in flags:
                    if flag not in _FLAGS:
                        message = f"the flag {flag} was ignored"
                        self.teller.note("unknown-flag", message, line, track.number)
                track.flags |= frozenset(flags)
            case cue.Isrc(line, code):
                track = self._current(command, "ISRC")
                before, track.isrc = track.isrc, self._read_isrc(line, code, track.number)
                self._note_replaced("ISRC", before, track.isrc, line)
            case cue.Pregap():
                track = self._current(command, "PREGAP")
                if track.pregap is not None:
                    raise self.teller.error("a track has one PREGAP", command.line)
                track.pregap = command
            case cue.Postgap():
                track = self._current(command, "POSTGAP")
                if track.postgap is not None:
                    raise self.teller.error("a track has one POSTGAP", command.line)
                track.postgap = command
            case cue.IndexAt():
                self._take_index(command)
            case cue.Remark():
                self._take_remark(command)
            case cue.Unknown(line, word):
                self._note_once("unknown-command", word, f"the command {word} was ignored", line)

    def _note_replaced(self, word: str, before: str | None, now: str | None, line: int) -> None:
        """Say that a code stands there twice, and which one counts."""
        if before not in (None, now):
            self.teller.note("code-repeated", f"{word} {now} replaces {before}", line)

    def _note_once(self, code: str, word: str, message: str, line: int) -> None:
        if word not in self._noted:
            self._noted.add(word)
            self.teller.note(code, message, line)

    # -- remarks ---------------------------------------------------------------------------------

    def _take_remark(self, command: cue.Remark) -> None:
        """Take what is more than a comment: sessions, and what would be a wrong disc without it."""
        match command.text.upper().split():
            case words if words in _GD_ROM:
                raise UnsupportedError(
                    f"{self.teller.file}: line {command.line}: REM {command.text}: this sheet is "
                    "of a GD-ROM, whose second area is no part of a CD; a .gdi file names its "
                    "tracks too"
                )
            case ["SESSION", number] if number.isascii() and number.isdecimal():
                self._take_session(command, int(number[:9]))
            case [word, time] if word in _SESSION_TIMES:
                self._take_session_time(word, cue.frames_of(time))
            case ["TAOGAP", *_]:
                message = f"REM {command.text} was ignored"
                self._note_once("unknown-remark", "REM TAOGAP", message, command.line)

    def _take_session(self, command: cue.Remark, number: int) -> None:
        current = self.sessions[-1]
        if number == self._number:
            if not self.tracks:
                current.line = command.line
            return
        if number != self._number + 1:
            raise self.teller.error(
                f"session {number} follows session {self._number}: they rise by one from 1",
                command.line,
            )
        if current.first == len(self.tracks):
            raise self.teller.error(f"session {self._number} has no TRACK", command.line)
        self._number = number
        self.sessions.append(SessionSheet(len(self.tracks), command.line))

    def _take_session_time(self, word: str, frames: int | None) -> None:
        """Take a length that stands between sessions; anywhere else it is a comment."""
        session = self.sessions[-1]
        if word == "LEAD-OUT":
            if self.tracks:
                session.lead_out = frames
        elif len(self.sessions) > 1 and session.first == len(self.tracks):
            if word == "LEAD-IN":
                session.lead_in = frames
            else:
                session.pregap = frames

    # -- files, tracks, indexes ------------------------------------------------------------------

    def _take_file(self, command: cue.File) -> None:
        """Begin a file, or go on in the last one where the same line is repeated.

        Which it is, the next index tells: times that go on are of the same file, as a FILE line
        before every track of one BIN has them; a time that does not is of the file once more.
        """
        self._again = None
        last = self.files[-1].command if self.files else None
        if last is not None and (last.name, last.kind) == (command.name, command.kind):
            self._again = command
        else:
            self.files.append(FileSheet(command))

    def _open_again(self, index: cue.IndexAt) -> None:
        command, self._again = self._again, None
        if command is None:
            return
        last = self._last_index(len(self.files) - 1)
        if last is None or index.frames > last.frames:
            message = f"FILE {command.name!r} stands there again; its times go on"
            self._note_once("file-repeated", "FILE", message, command.line)
        else:
            self.files.append(FileSheet(command))

    def _take_track(self, command: cue.TrackStart) -> None:
        line, number, name = command.line, command.number, command.mode
        if self.tracks and number != self.tracks[-1].number + 1:
            raise self.teller.error(
                f"TRACK {number:02} follows TRACK {self.tracks[-1].number:02}: "
                "track numbers rise by one, to 99 at most",
                line,
            )
        if not number:
            raise self.teller.error("track numbers go from 01 to 99", line)
        mode = mode_of(name, command.subchannel)
        if mode is None:
            said = f"{name} {command.subchannel}" if command.subchannel else name
            raise self.teller.error(f"{said} is no track mode; there are {', '.join(MODES)}", line)
        self.tracks.append(TrackSheet(command, mode))

    def _take_index(self, command: cue.IndexAt) -> None:
        line, number = command.line, command.number
        track = self._current(command, "INDEX")
        self._open_again(command)
        if not self.files:
            raise self.teller.error("INDEX stands before the first FILE", line)
        place = len(self.files) - 1
        if not track.indexes:
            if number > 1:
                raise self.teller.error(f"a track's first index is 00 or 01, not {number:02}", line)
        else:
            before = track.indexes[-1][0]
            if number != before.number + 1:
                raise self.teller.error(
                    f"INDEX {number:02} follows INDEX {before.number:02}: they rise by one", line
                )
        last = self._last_index(place)
        if last is not None and command.frames <= last.frames:
            raise self.teller.error(
                f"INDEX {number:02} is not behind the one in line {last.line}: times rise", line
            )
        stretches = self.files[place].stretches
        if not stretches:
            stretches.append((0, self._owner(track, command)))
        if stretches[-1][1] != track.mode:
            stretches.append((command.frames, track.mode))
        track.indexes.append((command, place))

    def _owner(self, track: TrackSheet, index: cue.IndexAt) -> Mode:
        """Return the mode of what lies before a file's first index: it goes on from before."""
        opens = any(session.first == len(self.tracks) - 1 for session in self.sessions)
        return track.mode if opens or track.indexes or not index.frames else self.tracks[-2].mode

    def _last_index(self, place: int) -> cue.IndexAt | None:
        for track in reversed(self.tracks):
            for index, in_file in reversed(track.indexes):
                return index if in_file == place else None
        return None

    # -- codes, and the whole --------------------------------------------------------------------

    def _read_mcn(self, line: int, digits: str) -> str | None:
        try:
            mcn, remark = mcn_of_sheet(digits)
        except FormatError as error:
            raise self.teller.error(error.reason, line) from error
        if remark:
            self.teller.note("mcn-check-digit", remark, line)
        return mcn

    def _read_isrc(self, line: int, code: str, track: int) -> str:
        try:
            isrc, remark = isrc_of_sheet(code)
        except FormatError as error:
            raise self.teller.error(error.reason, line) from error
        if remark:
            self.teller.note("isrc-hyphens", remark, line, track)
        return isrc

    def _check(self) -> None:
        if not self.tracks:
            raise self.teller.error("there is no TRACK in it", 1)
        for track in self.tracks:
            if all(index.number != 1 for index, _ in track.indexes):
                raise self.teller.error(
                    f"TRACK {track.number:02} has no INDEX 01", track.start.line
                )
        if self.sessions[-1].first == len(self.tracks):
            raise self.teller.error(f"session {self._number} has no TRACK", self.sessions[-1].line)
        last = self.tracks[-1]
        if last.postgap is not None:
            self.teller.note(
                "postgap-at-end",
                "POSTGAP of the last track: silence before the lead-out",
                last.postgap.line,
                last.number,
            )
