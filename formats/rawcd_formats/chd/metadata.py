"""Metadata: the records of a CHD, and those that tell its tracks.

Sources: libchdr and MAME for the words of the texts; figures observed in files of chdman 0.251.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import construct

from rawcd.errors import FormatError, UnsupportedError
from rawcd_formats.chd.layout import CHECKED, RECORD, Record, parse_at, read_at
from rawcd_formats.cue.modes import MODES, Mode

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rawcd.source import Reader

TRACK_TAG: Final = b"CHT2"
_TEXT_TAGS: Final = (TRACK_TAG, b"CHTR")
_OLD_TAG: Final = b"CHCD"
_OTHER_MEDIA: Final = {
    b"CHGD": "a GD-ROM, most of which lies beyond a CD's last address",
    b"CHGT": "a GD-ROM, most of which lies beyond a CD's last address",
    b"GDDD": "a hard disk",
    b"DVD ": "a DVD",
    b"AVAV": "a laserdisc",
}
PADDING_UNITS: Final = 4
"""Each track is filled up to a multiple of so many sectors."""
_MOST_RECORDS: Final = 1000
_MOST_BYTES: Final = 64 * 1024
_MOST_FRAMES: Final = 450_000
_MOST_TRACKS: Final = 99

_MODES: Final = {
    "MODE1": MODES["MODE1/2048"],
    "MODE1/2048": MODES["MODE1/2048"],
    "MODE1_RAW": MODES["MODE1/2352"],
    "MODE1/2352": MODES["MODE1/2352"],
    "MODE2": MODES["MODE2/2336"],
    "MODE2/2336": MODES["MODE2/2336"],
    "MODE2_FORM1": MODES["MODE2/2048"],
    "MODE2/2048": MODES["MODE2/2048"],
    "MODE2_FORM2": MODES["MODE2/2324"],
    "MODE2/2324": MODES["MODE2/2324"],
    "MODE2_FORM_MIX": MODES["MODE2/2336"],
    "MODE2_RAW": MODES["MODE2/2352"],
    "MODE2/2352": MODES["MODE2/2352"],
    "CDI/2352": MODES["CDI/2352"],
    "AUDIO": MODES["AUDIO"],
}
_OLD_MODES: Final = (
    "MODE1", "MODE1_RAW", "MODE2", "MODE2_FORM1", "MODE2_FORM2", "MODE2_FORM_MIX", "MODE2_RAW",
    "AUDIO",
)  # fmt: skip
NO_SUB: Final = "NONE"
PACKED_SUB: Final = "RW"
RAW_SUB: Final = "RW_RAW"
_OLD_SUBS: Final = (PACKED_SUB, RAW_SUB, NO_SUB)
_WORD: Final = re.compile(r"([A-Z]+):(\S+)", re.ASCII)
_OLD_TRACK: Final = construct.Struct(
    "mode" / construct.Int32ub,
    "sub" / construct.Int32ub,
    "data_bytes" / construct.Int32ub,
    "sub_bytes" / construct.Int32ub,
    "frames" / construct.Int32ub,
    "padding" / construct.Int32ub,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackRecord:
    """What a record says of a track.

    Attributes:
        number: 1..99.
        kind: TYPE: what its sectors are.
        sub: SUBTYPE: `NONE`, `RW` (packs) or `RW_RAW` (as on the disc).
        frames: sectors in the file, a stored pregap included.
        pregap: sectors from index 0 to index 1.
        pregap_stored: they are in the file (PGTYPE begins with V).
        postgap: silence behind it that is not in the file.
        padding: sectors of nothing behind it in the file.
    """

    number: int
    kind: str
    sub: str = NO_SUB
    frames: int
    pregap: int = 0
    pregap_stored: bool = False
    postgap: int = 0
    padding: int

    @property
    def mode(self) -> Mode:
        """What its sectors are, in the words of sheets."""
        return _MODES[self.kind]

    def build(self) -> Record:
        """Return the record that chdman writes for such a track."""
        gap = f"V{self.kind}" if self.pregap_stored else "MODE1"
        text = (
            f"TRACK:{self.number} TYPE:{self.kind} SUBTYPE:{self.sub} FRAMES:{self.frames} "
            f"PREGAP:{self.pregap} PGTYPE:{gap} PGSUB:NONE POSTGAP:{self.postgap}"
        )
        return Record(tag=TRACK_TAG, flags=CHECKED, data=text.encode() + b"\0")


def padding_of(frames: int) -> int:
    """Return the sectors that fill a track up."""
    return -frames % PADDING_UNITS


def read_records(reader: Reader, offset: int) -> Iterator[Record]:
    """Yield the metadata records of a file.

    Raises:
        FormatError: they lead out of the file, in a circle, or are more than any CD has.
        StorageError: the file cannot be read.
    """
    seen = 0
    while offset:
        head = parse_at(RECORD, reader, offset, "metadata record")
        seen += 1
        if seen > _MOST_RECORDS or head.size > _MOST_BYTES:
            raise FormatError(
                f"has metadata beyond any CD's: {seen} records, the last of {head.size} bytes",
                file=reader.name,
                place=f"offset {offset}",
            )
        data = read_at(reader, offset + RECORD.sizeof(), head.size, "metadata record")
        yield Record(tag=head.tag, flags=head.flags, data=data)
        offset = head.next


def sha1_of(raw_sha1: bytes, records: Sequence[Record]) -> bytes:
    """Return the SHA-1 of a whole CHD: of its sectors' and of its records that count."""
    parts = [
        record.tag + hashlib.sha1(record.data, usedforsecurity=False).digest()
        for record in records
        if record.flags & CHECKED
    ]
    return hashlib.sha1(b"".join([raw_sha1, *sorted(parts)]), usedforsecurity=False).digest()


def tracks_of(records: Sequence[Record], name: str) -> tuple[TrackRecord, ...]:
    """Return the tracks that records tell of, by number.

    Raises:
        FormatError: there are none, or they contradict each other.
        UnsupportedError: they tell of another medium.
    """
    tags = [record.tag for record in records]
    for tag, what in _OTHER_MEDIA.items():
        if tag in tags:
            raise UnsupportedError(f"{name}: holds {what} ({tag.decode().strip()}), no CD")
    found = [_of_text(record, name) for record in records if record.tag in _TEXT_TAGS] or [
        track for record in records if record.tag == _OLD_TAG for track in _of_binary(record, name)
    ]
    found.sort(key=lambda track: track.number)
    numbers = [track.number for track in found]
    if not found or numbers != list(range(1, len(found) + 1)) or len(found) > _MOST_TRACKS:
        raise FormatError(
            f"its records tell of the tracks {numbers[:100]}; a CD's are 1 to 99 at most, each "
            "once",
            file=name,
            place="metadata",
        )
    return tuple(found)


def _error(name: str, reason: str) -> FormatError:
    return FormatError(reason, file=name, place="metadata")


def _of_text(record: Record, name: str) -> TrackRecord:
    text = record.data.rstrip(b"\0").decode("ascii", "replace")
    words = dict(_WORD.findall(text))

    def number(word: str, default: str | None = None) -> int:
        value = words.get(word, default)
        if value is None or not (value.isascii() and value.isdecimal() and len(value) < 8):
            raise _error(name, f"{text[:200]!r} gives no number of {word}")
        if int(value) > _MOST_FRAMES:
            raise _error(name, f"{text[:200]!r}: {word} is more than a disc holds")
        return int(value)

    gap = words.get("PGTYPE", "")
    track = TrackRecord(
        number=number("TRACK"),
        kind=words.get("TYPE", ""),
        sub=words.get("SUBTYPE", ""),
        frames=number("FRAMES"),
        pregap=number("PREGAP", "0"),
        pregap_stored=gap.startswith("V"),
        postgap=number("POSTGAP", "0"),
        padding=padding_of(number("FRAMES")),
    )
    return _checked(track, name)


def _of_binary(record: Record, name: str) -> Iterator[TrackRecord]:
    """Yield the tracks of the oldest records: a count, then six numbers a track."""
    data = record.data
    count = int.from_bytes(data[:4], "big")
    if count > _MOST_TRACKS:  # some machines wrote it the other way round
        data = b"".join(data[at : at + 4][::-1] for at in range(0, len(data), 4))
        count = int.from_bytes(data[:4], "big")
    size = _OLD_TRACK.sizeof()
    if not 0 < count <= _MOST_TRACKS or len(data) < 4 + count * size:
        raise _error(name, f"a record CHCD of {len(data)} bytes cannot tell of {count} tracks")
    for number in range(count):
        found = _OLD_TRACK.parse(data[4 + number * size :])
        if found.mode >= len(_OLD_MODES) or found.sub >= len(_OLD_SUBS):
            raise _error(name, f"track {number + 1} is of no known kind: {found.mode}, {found.sub}")
        if max(found.frames, found.padding) > _MOST_FRAMES:
            raise _error(name, f"track {number + 1} is longer than a disc")
        track = TrackRecord(
            number=number + 1,
            kind=_OLD_MODES[found.mode],
            sub=_OLD_SUBS[found.sub],
            frames=found.frames,
            padding=found.padding,
        )
        yield _checked(track, name)


def _checked(track: TrackRecord, name: str) -> TrackRecord:
    who = f"track {track.number}"
    if track.kind not in _MODES:
        raise _error(name, f"{who} is of the type {track.kind!r}; there are {', '.join(_MODES)}")
    if track.sub not in _OLD_SUBS:
        raise _error(name, f"{who} has the subtype {track.sub!r}; there are {', '.join(_OLD_SUBS)}")
    if not track.frames:
        raise _error(name, f"{who} has no sectors")
    if track.pregap_stored and track.pregap >= track.frames:
        raise _error(
            name, f"{who} has {track.frames} sectors, all of them its pregap of {track.pregap}"
        )
    return track
