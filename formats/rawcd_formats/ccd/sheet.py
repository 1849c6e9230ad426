r"""The sheet: sections of `key=value`, in any case.

| section | keys |
| --- | --- |
| `[CloneCD]` | `Version`: 2, or 3, which has `[TRACK n]` |
| `[Disc]` | `TocEntries`, `Sessions`, `DataTracksScrambled`, `CDTextLength`, `CATALOG` |
| `[CDText]` | `Entries`, `Entry i`: the 16 bytes of a pack before its CRC, in hex |
| `[Session n]` | `PreGapMode`, the mode of its first track, and `PreGapSubC` |
| `[Entry i]` | an item of a lead-in: `Session`, `Point`, `ADR`, `Control`, `TrackNo`, `AMin`, \
`ASec`, `AFrame`, `ALBA`, `Zero`, `PMin`, `PSec`, `PFrame`, `PLBA`; all times binary |
| `[TRACK n]` | `MODE`, `ISRC`, `INDEX i`: frames from the first stored sector of the session |

(cdemu/cdemu, psx-spx, mistydemeo/cue2ccd and aaru-dps/Aaru agree on these.)
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rawcd.cdtext import read_packs
from rawcd.disc import MAX_INDEX, PREGAP_SECTORS, TrackMode
from rawcd.errors import FormatError
from rawcd.image import Note
from rawcd.msf import FRAMES_PER_MINUTE, FRAMES_PER_SECOND, PROGRAM_LBA
from rawcd.recording import Sheet, SheetTrack
from rawcd.subcode.frame import POINTER_ADR
from rawcd.toc import LeadIn, lead_in_pointers, numbers_of, pointer_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rawcd.cdtext import CDText
    from rawcd.disc import Disc
    from rawcd.subcode.frame import QPointer

_SECTION: Final = re.compile(r"\[\s*([^\[\]]*?)\s*\]")
_NUMBERED: Final = re.compile(r"(\w+)\s+(\d{1,5})")
_NUMBER: Final = re.compile(r"[+-]?(?:0x[0-9a-f]{1,8}|\d{1,9})", re.IGNORECASE)
_BODY_BYTES: Final = 16
"""A pack of CD-TEXT without its CRC."""
_MODES: Final = {0: TrackMode.AUDIO, 1: TrackMode.MODE1, 2: TrackMode.MODE2}
_MOST_SESSIONS: Final = 99


@dataclass(frozen=True, slots=True, kw_only=True)
class _Value:
    """What stands behind a key, and where."""

    text: str
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Section:
    """A section: its name in small letters without its number, and its keys in small letters."""

    name: str
    number: int | None
    line: int
    values: dict[str, _Value]


@dataclass(frozen=True, slots=True, kw_only=True)
class CcdSheet:
    """A sheet read.

    Attributes:
        sheet: what it says of the disc.
        stretches: LBAs of what the `.img` holds of each session: the first and one past the last.
        notes: what was overlooked.
    """

    sheet: Sheet
    stretches: tuple[tuple[int, int], ...]
    notes: tuple[Note, ...]


def parse(data: bytes, name: str) -> CcdSheet:
    """Read a sheet.

    Args:
        data: the file's content.
        name: the file, for messages.

    Raises:
        FormatError: it is none, or contradicts itself.
    """
    return _Reader(data, name).read()


class _Reader:
    """One reading of a sheet."""

    def __init__(self, data: bytes, name: str) -> None:
        self._name = name
        self._notes: list[Note] = []
        self._sections: dict[tuple[str, int | None], _Section] = {}
        text = data.removeprefix(b"\xef\xbb\xbf").decode("latin-1")
        section: _Section | None = None
        for number, raw in enumerate(re.split(r"\r\n|\r|\n", text), 1):
            line = raw.strip()
            if not line or line[0] in ";#":
                continue
            if match := _SECTION.fullmatch(line):
                section = self._opened(match.group(1).lower(), number)
                continue
            key, equals, value = line.partition("=")
            if not equals or section is None:
                raise self._error(f"{line[:40]!r} is neither a section nor a key of one", number)
            words = " ".join(key.lower().split())
            if words in section.values:
                raise self._error(f"{key.strip()!r} stands twice in its section", number)
            section.values[words] = _Value(text=value.strip(), line=number)

    def _error(self, reason: str, line: int) -> FormatError:
        return FormatError(reason, file=self._name, place=f"line {line}")

    def _opened(self, title: str, line: int) -> _Section:
        match = _NUMBERED.fullmatch(title)
        name, number = (match.group(1), int(match.group(2))) if match else (title, None)
        if (name, number) in self._sections:
            raise self._error(f"the section [{title}] stands twice", line)
        made = _Section(name=name, number=number, line=line, values={})
        self._sections[name, number] = made
        return made

    def _numbered(self, name: str) -> Iterator[tuple[int, _Section]]:
        found = [(number, each) for (own, number), each in self._sections.items() if own == name]
        yield from sorted((number, each) for number, each in found if number is not None)

    def _number(
        self, section: _Section, key: str, default: int | None = None, *, most: int = 0xFF
    ) -> int:
        value = section.values.get(key)
        if value is None:
            if default is None:
                title = (
                    section.name if section.number is None else f"{section.name} {section.number}"
                )
                raise self._error(f"[{title}] has no {key}", section.line)
            return default
        if _NUMBER.fullmatch(value.text) is None:
            raise self._error(f"{key}: {value.text[:40]!r} is no number", value.line)
        number = int(value.text, 0 if "x" in value.text.lower() else 10)
        if not -most <= number <= most:
            raise self._error(f"{key}: {number} is above {most}", value.line)
        return number

    # -- what it says ----------------------------------------------------------------------------

    def read(self) -> CcdSheet:
        disc = self._sections.get(("disc", None))
        if disc is None:
            raise self._error("has no section [Disc]", 1)
        lead_ins = self._lead_ins(disc)
        tracks: dict[int, SheetTrack] = {}
        stretches: list[tuple[int, int]] = []
        for place, lead_in in enumerate(lead_ins):
            first = self._first_stored(lead_in, is_first=place == 0)
            stretches.append((first, lead_in.lead_out_lba))
            if not first < lead_in.lead_out_lba:
                raise self._error(
                    f"session {place + 1} has its lead-out at LBA {lead_in.lead_out_lba} and "
                    f"begins at {first}",
                    disc.line,
                )
            for track, start in lead_in.starts.items():
                leads = track == min(lead_in.starts)
                tracks[track] = self._track(track, start, first, leads=leads)
        mcn = disc.values.get("catalog")
        sheet = Sheet(
            name=self._name,
            lead_ins=lead_ins,
            tracks=tracks,
            mcn=mcn.text if mcn is not None and mcn.text else None,
            cdtext=self._cdtext(lead_ins[0]),
            scrambled=bool(self._number(disc, "datatracksscrambled", 0)),
        )
        return CcdSheet(sheet=sheet, stretches=tuple(stretches), notes=tuple(self._notes))

    def _lead_ins(self, disc: _Section) -> list[LeadIn]:
        items: dict[int, list[QPointer]] = {}
        entries = list(self._numbered("entry"))
        declared = self._number(disc, "tocentries", len(entries), most=0xFFFF)
        if declared > len(entries):
            raise self._error(
                f"TocEntries is {declared}, there are {len(entries)}; the sheet was cut short",
                disc.line,
            )
        for _, entry in entries:
            session = self._number(entry, "session")
            if not 1 <= session <= _MOST_SESSIONS:
                raise self._error(f"session {session} is none", entry.line)
            items.setdefault(session, []).append(self._pointer(entry))
        sessions = sorted(items)
        if sessions != list(range(1, len(sessions) + 1)) or not sessions:
            raise self._error(f"the entries are of sessions {sessions or 'none'}", disc.line)
        if self._number(disc, "sessions", len(sessions)) != len(sessions):
            raise self._error(
                f"Sessions is not {len(sessions)}, of which there are entries", disc.line
            )
        lead_ins = []
        for session in sessions:
            try:
                lead_ins.append(LeadIn.of(items[session]))
            except FormatError as error:
                raise self._error(f"session {session}: {error.reason}", disc.line) from error
        return lead_ins

    def _pointer(self, entry: _Section) -> QPointer:
        def times(prefix: str) -> bytes:
            keys = (f"{prefix}min", f"{prefix}sec", f"{prefix}frame")
            values = [self._number(entry, key, 0 if prefix == "a" else None) for key in keys]
            if min(values) < 0:
                raise self._error(f"{keys[0]}: a time is not negative", entry.line)
            return bytes(values)

        point = self._number(entry, "point")
        control = self._number(entry, "control", 0)
        adr = self._number(entry, "adr", 1)
        zero = self._number(entry, "zero", 0)
        if min(point, control, adr, zero) < 0 or max(control, adr) > 15:
            raise self._error("ADR and Control have four bits, Point and Zero eight", entry.line)
        try:
            return pointer_of(
                adr_control=adr << 4 | control,
                point=point,
                running=times("a") if adr == POINTER_ADR else bytes(3),
                zero=zero,
                value=times("p"),
            )
        except FormatError as error:
            if error.file is not None:
                raise
            raise self._error(error.reason, entry.line) from error

    def _first_stored(self, lead_in: LeadIn, *, is_first: bool) -> int:
        """Return the first stored LBA of a session: index 1 of its first track, or before it."""
        if is_first:
            return PROGRAM_LBA + PREGAP_SECTORS
        number, start = next(iter(lead_in.starts.items()))
        section = self._sections.get(("track", number))
        ahead = 0 if section is None else self._number(section, "index 1", 0, most=0xFFFFFF)
        return start - max(ahead, 0)

    def _track(self, number: int, start: int, origin: int, *, leads: bool) -> SheetTrack:
        section = self._sections.get(("track", number))
        if section is None:
            return SheetTrack()
        indexes: dict[int, int] = {}
        for key in section.values:
            match = _NUMBERED.fullmatch(key)
            if match is None or match.group(1) != "index":
                continue
            index = int(match.group(2))
            lba = origin + self._number(section, key, most=0xFFFFFF)
            if index > MAX_INDEX:
                raise self._error(f"INDEX {index} is above {MAX_INDEX}", section.values[key].line)
            if index == 1 and lba != start:
                self._notes.append(
                    Note(
                        code="index-1",
                        message=f"INDEX 1 is at LBA {lba}, the table of contents says {start}, "
                        "which was taken",
                        track=number,
                        file=self._name,
                        line=section.values[key].line,
                    )
                )
            if index != 1:
                indexes[index] = lba
        if leads:
            # What is stored begins two seconds behind the pregap of a session's first track.
            indexes.pop(0, None)
            if start > origin:
                indexes[0] = origin - PREGAP_SECTORS
        isrc = section.values.get("isrc")
        return SheetTrack(
            mode=_MODES.get(self._number(section, "mode", -1)),
            indexes=indexes,
            isrc=isrc.text if isrc is not None and isrc.text else None,
        )

    def _cdtext(self, lead_in: LeadIn) -> CDText | None:
        section = self._sections.get(("cdtext", None))
        if section is None:
            return None
        packs = []
        for number in range(self._number(section, "entries", 0, most=0xFFFF)):
            value = section.values.get(f"entry {number}")
            if value is None:
                raise self._error(f"[CDText] has no Entry {number}", section.line)
            try:
                body = bytes.fromhex(value.text)
            except ValueError:
                body = b""
            if len(body) != _BODY_BYTES:
                raise self._error(f"Entry {number} is not {_BODY_BYTES} bytes in hex", value.line)
            packs.append(body + bytes(2))
        if not packs:
            return None
        reading = read_packs(b"".join(packs), check_crc=False)
        self._notes.extend(
            Note(code="cdtext-damaged", message=f"CD-TEXT: {defect.message}", file=self._name)
            for defect in reading.defects
        )
        if reading.cdtext is None:
            return None
        return reading.cdtext.of_tracks(min(lead_in.starts), max(lead_in.starts))


# -- building ------------------------------------------------------------------------------------


def build(disc: Disc, stretches: tuple[tuple[int, int], ...], packs: bytes) -> bytes:
    """Return the sheet of a disc.

    Args:
        disc: the disc.
        stretches: LBAs of what the `.img` holds of each session.
        packs: CD-TEXT, 18 bytes each.
    """
    blocks = ["\r\n".join(lines) for lines in _sections(disc, stretches, packs)]
    return "".join(f"{block}\r\n\r\n" for block in blocks).encode("ascii")


def _sections(
    disc: Disc, stretches: tuple[tuple[int, int], ...], packs: bytes
) -> Iterator[list[str]]:
    entries = [
        (number, pointer)
        for number in range(1, len(disc.sessions) + 1)
        for pointer in lead_in_pointers(disc, number)
    ]
    yield ["[CloneCD]", "Version=3"]
    yield [
        "[Disc]",
        f"TocEntries={len(entries)}",
        f"Sessions={len(disc.sessions)}",
        "DataTracksScrambled=0",
        f"CDTextLength={len(packs)}",
        *([] if disc.mcn is None else [f"CATALOG={disc.mcn}"]),
    ]
    if packs:
        size = _BODY_BYTES + 2
        bodies = [packs[at : at + _BODY_BYTES] for at in range(0, len(packs), size)]
        yield [
            "[CDText]",
            f"Entries={len(bodies)}",
            *(f"Entry {number}={body.hex(' ')}" for number, body in enumerate(bodies)),
        ]
    for number, session in enumerate(disc.sessions, 1):
        mode = _mode_number(session.tracks[0].mode)
        yield [f"[Session {number}]", f"PreGapMode={mode}", "PreGapSubC=0"]
    for number, (session_number, pointer) in enumerate(entries):
        yield _entry(number, session_number, pointer)
    for session, (origin, _) in zip(disc.sessions, stretches, strict=True):
        for track in session.tracks:
            lines = [f"[TRACK {track.number}]", f"MODE={_mode_number(track.mode)}"]
            if track.isrc is not None:
                lines.append(f"ISRC={track.isrc}")
            # The pregap of a session's first track is stored from where the file begins, if at all.
            lines.extend(
                f"INDEX {index.number}={max(index.lba - origin, 0)}"
                for index in track.indexes
                if index.number or index.lba >= origin or track.start_lba > origin
            )
            yield lines


def _mode_number(mode: TrackMode) -> int:
    """Return a mode as the sheet has it; it knows no data of mode 0, but the headers do."""
    if mode is TrackMode.AUDIO:
        return 0
    return 2 if mode is TrackMode.MODE2 else 1


def _entry(number: int, session: int, pointer: QPointer) -> list[str]:
    told = numbers_of(pointer)
    a, p = tuple(told.running), tuple(told.value)
    return [
        f"[Entry {number}]",
        f"Session={session}",
        f"Point=0x{told.point:02x}",
        f"ADR=0x{pointer.adr:02x}",
        f"Control=0x{pointer.control:02x}",
        "TrackNo=0",
        f"AMin={a[0]}",
        f"ASec={a[1]}",
        f"AFrame={a[2]}",
        f"ALBA={_lba(told.running)}",
        f"Zero={pointer.zero}",
        f"PMin={p[0]}",
        f"PSec={p[1]}",
        f"PFrame={p[2]}",
        f"PLBA={_lba(told.value)}",
    ]


def _lba(time: bytes) -> int:
    """Return what the sheet calls the LBA of three bytes, whether they are a time or not."""
    minute, second, frame = time
    return minute * FRAMES_PER_MINUTE + second * FRAMES_PER_SECOND + frame + PROGRAM_LBA
