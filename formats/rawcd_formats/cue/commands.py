"""The text of a cue sheet as frozen command values, and back (CDRWIN user guide, appendix B).

Keywords are taken in any case, names quoted or not, lines ended in any way; written they are
upper case, quoted, CRLF. What a command means is `layout`'s business.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rawcd.errors import FormatError
from rawcd.msf import FRAMES_PER_MINUTE, FRAMES_PER_SECOND
from rawcd_formats.cue.encodings import decode
from rawcd_formats.cue.modes import RW, RW_RAW

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

TEXT_FIELDS: Final = ("TITLE", "PERFORMER", "SONGWRITER")
"""Text commands that every common reader of sheets knows."""
READ_FIELDS: Final = (*TEXT_FIELDS, "COMPOSER", "ARRANGER", "MESSAGE", "DISC_ID", "UPC_EAN")
"""These and those of cdrecord and libcue, at which cdrdao and wodim stop."""
SHEET_LIMIT: Final = 1024 * 1024
"""Bytes: 99 tracks with 99 indexes and a file each are a quarter of it."""
BINARY: Final = "BINARY"
MOTOROLA: Final = "MOTOROLA"

_OF_SESSIONS: Final = ("SESSION ", "LEAD-OUT ", "LEAD-IN ", "PREGAP ")
"""How remarks begin that stand between tracks."""
_TIME: Final = re.compile(r"(\d{1,5}):(\d{1,2}):(\d{1,2})", re.ASCII)
_NUMBER: Final = re.compile(r"\d{1,2}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Remark:
    """REM: a comment, which may carry an extension."""

    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Catalog:
    """CATALOG: the media catalogue number as written."""

    line: int
    digits: str


@dataclass(frozen=True, slots=True)
class Text:
    """TITLE and the like: of the album before the first TRACK, else of the track."""

    line: int
    field: str
    text: str


@dataclass(frozen=True, slots=True)
class TextFile:
    """CDTEXTFILE: a file of CD-TEXT packs, which beats the sheet's own texts."""

    line: int
    name: str


@dataclass(frozen=True, slots=True)
class File:
    """FILE: what the indexes behind it count in; kind is BINARY, WAVE, ..., in upper case."""

    line: int
    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class TrackStart:
    """TRACK: number, mode in upper case, and RW or RW_RAW where it stands behind it."""

    line: int
    number: int
    mode: str
    subchannel: str | None = None


@dataclass(frozen=True, slots=True)
class Flags:
    """FLAGS: DCP, 4CH, PRE, SCMS, ..., in upper case."""

    line: int
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Isrc:
    """ISRC: the code as written."""

    line: int
    code: str


@dataclass(frozen=True, slots=True)
class Pregap:
    """PREGAP: frames of silence before the track that no file holds."""

    line: int
    frames: int


@dataclass(frozen=True, slots=True)
class Postgap:
    """POSTGAP: frames of silence at the track's end that no file holds."""

    line: int
    frames: int


@dataclass(frozen=True, slots=True)
class IndexAt:
    """INDEX: number and place in the current file, in frames."""

    line: int
    number: int
    frames: int


@dataclass(frozen=True, slots=True)
class Unknown:
    """A word that is no command we know."""

    line: int
    word: str


Command = (
    Remark
    | Catalog
    | Text
    | TextFile
    | File
    | TrackStart
    | Flags
    | Isrc
    | Pregap
    | Postgap
    | IndexAt
    | Unknown
)


def frames_of(text: str) -> int | None:
    """Return a time as frames; None where the text is none."""
    match = _TIME.fullmatch(text)
    if match is None:
        return None
    minutes, seconds, frames = map(int, match.groups())
    if seconds > 59 or frames > 74:
        return None
    return minutes * FRAMES_PER_MINUTE + seconds * FRAMES_PER_SECOND + frames


def _time(line: int, text: str, file: str) -> int:
    frames = frames_of(text)
    if frames is None:
        raise FormatError(
            f"{text!r} is no time; write it as mm:ss:ff: seconds go to 59, frames to 74",
            file=file,
            place=_at(line),
        )
    return frames


def _number(line: int, text: str, file: str) -> int:
    if _NUMBER.fullmatch(text) is None:
        raise FormatError(f"{text!r} is no number from 00 to 99", file=file, place=_at(line))
    return int(text)


def _at(line: int) -> str:
    return f"line {line}"


def _unquoted(rest: str) -> str:
    """Return a text argument; quotes inside the outer ones are part of it."""
    rest = rest.strip()
    if rest.startswith('"'):
        end = rest.rfind('"')
        return rest[1:end] if end else rest[1:]
    return rest


def _words(line: int, rest: str, count: int, usage: str, file: str) -> list[str]:
    words = rest.split()
    if len(words) != count:
        raise FormatError(f"expected {usage}", file=file, place=_at(line))
    return words


def _file(line: int, rest: str, file: str) -> File:
    rest = rest.strip()
    if rest.startswith('"') and (end := rest.rfind('"')):
        name, kind = rest[1:end], rest[end + 1 :].strip()
    else:
        name, kind = rest.rsplit(None, 1) if len(rest.split()) > 1 else ("", "")
    if not name or len(kind.split()) != 1:
        raise FormatError('expected FILE "name" TYPE', file=file, place=_at(line))
    return File(line, name, kind.upper())


def _track(line: int, rest: str, file: str) -> TrackStart:
    words = rest.split()
    behind = words[2].upper() if len(words) == 3 else None
    if behind in (RW, RW_RAW):
        words.pop()
    number, mode = _words(line, " ".join(words), 2, "TRACK nn MODE", file)
    return TrackStart(line, _number(line, number, file), mode.upper(), behind)


def _index(line: int, rest: str, file: str) -> IndexAt:
    number, time = _words(line, rest, 2, "INDEX nn mm:ss:ff", file)
    return IndexAt(line, _number(line, number, file), _time(line, time, file))


def _pregap(line: int, rest: str, file: str) -> Pregap:
    (time,) = _words(line, rest, 1, "PREGAP mm:ss:ff", file)
    return Pregap(line, _time(line, time, file))


def _postgap(line: int, rest: str, file: str) -> Postgap:
    (time,) = _words(line, rest, 1, "POSTGAP mm:ss:ff", file)
    return Postgap(line, _time(line, time, file))


_READERS: Final[dict[str, Callable[[int, str, str], Command]]] = {
    "REM": lambda line, rest, _: Remark(line, rest.strip()),
    "CATALOG": lambda line, rest, _: Catalog(line, _unquoted(rest)),
    "CDTEXTFILE": lambda line, rest, _: TextFile(line, _unquoted(rest)),
    "FILE": _file,
    "TRACK": _track,
    "FLAGS": lambda line, rest, _: Flags(line, tuple(rest.upper().split())),
    "ISRC": lambda line, rest, _: Isrc(line, _unquoted(rest)),
    "TRACK_ISRC": lambda line, rest, _: Isrc(line, _unquoted(rest)),
    "PREGAP": _pregap,
    "POSTGAP": _postgap,
    "INDEX": _index,
}


def parse(data: bytes, file: str) -> tuple[Command, ...]:
    """Return the commands of a sheet, in order.

    Args:
        data: the sheet.
        file: its name, for messages.

    Raises:
        FormatError: it is no text, or larger than any sheet; or a command's arguments are wrong:
            `.place` is the line.
    """
    if len(data) > SHEET_LIMIT:
        line = data.count(b"\n", 0, SHEET_LIMIT) + 1
        raise FormatError(
            f"{len(data)} bytes are too many for a sheet; {SHEET_LIMIT} are read",
            file=file,
            place=_at(line),
        )
    commands: list[Command] = []
    text = decode(data, file).replace("\r\n", "\n").replace("\r", "\n")
    for line, content in enumerate(text.split("\n"), 1):
        words = content.split(None, 1)
        if not words or not words[0].strip("\x1a\0"):  # DOS ended texts with 1Ah
            continue
        keyword = words[0].upper()
        rest = words[1] if len(words) > 1 else ""
        if keyword in READ_FIELDS:
            commands.append(Text(line, keyword.lower(), _unquoted(rest)))
        elif keyword in _READERS:
            commands.append(_READERS[keyword](line, rest, file))
        else:
            commands.append(Unknown(line, keyword))
    return tuple(commands)


def _quoted(text: str) -> str:
    return f'"{text}"'


def stamp(frames: int) -> str:
    """Return frames as a time, mm:ss:ff."""
    seconds, frame = divmod(frames, FRAMES_PER_SECOND)
    minute, second = divmod(seconds, 60)
    return f"{minute:02}:{second:02}:{frame:02}"


def build(commands: Iterable[Command]) -> str:
    """Return commands as the text of a sheet: CRLF, upper case, two spaces a level."""
    lines: list[str] = []
    in_track = False
    for command in commands:
        in_track = in_track or isinstance(command, TrackStart)
        deep = "    " if in_track else ""
        match command:
            case Remark(_, text):
                outer = text.startswith(_OF_SESSIONS)
                lines.append(f"{'' if outer else deep}REM {text}")
            case Catalog(_, digits):
                lines.append(f"CATALOG {digits}")
            case Text(_, field, text):
                lines.append(f"{deep}{field.upper()} {_quoted(text)}")
            case TextFile(_, name):
                lines.append(f"CDTEXTFILE {_quoted(name)}")
            case File(_, name, kind):
                lines.append(f"FILE {_quoted(name)} {kind}")
            case TrackStart(_, number, mode, subchannel):
                behind = f" {subchannel}" if subchannel else ""
                lines.append(f"  TRACK {number:02} {mode}{behind}")
            case Flags(_, flags):
                lines.append(f"{deep}FLAGS {' '.join(flags)}")
            case Isrc(_, code):
                lines.append(f"{deep}ISRC {code}")
            case Pregap(_, frames):
                lines.append(f"{deep}PREGAP {stamp(frames)}")
            case Postgap(_, frames):
                lines.append(f"{deep}POSTGAP {stamp(frames)}")
            case IndexAt(_, number, frames):
                lines.append(f"{deep}INDEX {number:02} {stamp(frames)}")
            case Unknown(_, word):
                lines.append(f"{deep}{word}")
    return "".join(f"{line}\r\n" for line in lines)
