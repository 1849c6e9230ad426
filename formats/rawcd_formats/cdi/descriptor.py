"""The descriptor at the end of a CDI, little-endian, and the eight bytes that find it.

Padus published no layout. This is the one of DeXT's notes that cdirip and its followers read
(versions 2 to 4), which libMirage and Aaru describe for the newer versions with other borders but
the same bytes: what they call a session block is here the head of a session and the mark with
which its first track begins.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import construct
from construct import this

from rawcd.errors import FormatError

if TYPE_CHECKING:
    from rawcd.source import Reader

VERSION_2: Final = 0x80000004
VERSION_3: Final = 0x80000005
VERSION_35: Final = 0x80000006
"""3.5 and 4; from here on the end tells the descriptor's length instead of its place."""
_VERSIONS: Final = (VERSION_2, VERSION_3, VERSION_35)
_DESCRIPTOR_LIMIT: Final = 1024 * 1024
"""More than 99 tracks with names, indexes and CD-TEXT need."""
DVD: Final = 0x38
_MOST_INDEXES: Final = 100
_MOST_TEXTS: Final = 8
_TEXT_FIELDS: Final = 18
_WITH_MEDIUM: Final = 0x80000000

_END: Final = construct.Struct("version" / construct.Int32ul, "place" / construct.Int32ul)
_NEWER: Final = this._params.version != VERSION_2
_MARK: Final = bytes.fromhex("00000100 0000ffff ffff") * 2
_BYTES: Final = construct.Prefixed(construct.Byte, construct.GreedyBytes)

_HEADER: Final = construct.Struct(
    "zero" / construct.Int32ul,
    construct.If(this.zero != 0, construct.Padding(8)),  # 3.00.780 puts eight bytes before it
    construct.Const(_MARK),
    construct.Padding(4),  # settings
    "name" / _BYTES,
    construct.Padding(19),
    "capacity" / construct.Int32ul,  # sectors; in version 4 a sign that it comes behind
    "medium"
    / construct.If(
        this.capacity == _WITH_MEDIUM,
        construct.FocusedSeq(
            "medium",
            construct.Padding(6),
            "medium" / construct.Int16ul,  # 98h CD, 38h DVD
        ),
    ),
)
"""How a track begins, and from version 3 on the disc's own part."""
_TRACK: Final = construct.Struct(
    "header" / _HEADER,
    "index_count" / construct.Int16ul,
    construct.Check(this.index_count <= _MOST_INDEXES),
    "indexes" / construct.Array(this.index_count, construct.Int32ul),  # lengths; the first: pregap
    "text_count" / construct.Int32ul,
    construct.Check(this.text_count <= _MOST_TEXTS),
    "texts" / construct.Array(this.text_count, construct.Array(_TEXT_FIELDS, _BYTES)),
    construct.Padding(2),
    "mode" / construct.Int32ul,  # 0 sound, 1, 2
    construct.Padding(4),
    "session" / construct.Int32ul,
    "number" / construct.Int32ul,  # in its session, from 0
    "start" / construct.Int32ul,  # of the pregap, counted from 00:00:00
    "length" / construct.Int32ul,  # sectors that are stored, pregap included
    construct.Padding(16),
    "read_mode" / construct.Int32ul,  # bytes of a sector: see `load`
    "control" / construct.Int32ul,
    construct.Padding(9),
    "isrc" / construct.Bytes(12),
    "isrc_valid" / construct.Int32ul,
    construct.If(
        _NEWER,
        construct.Struct(
            construct.Padding(5),
            "signature" / construct.Bytes(4),  # FFh from 3.00.780 on
            construct.If(this.signature == b"\xff" * 4, construct.Padding(78)),
        ),
    ),
)
_SESSION: Final = construct.Struct("tracks" / construct.Int16ul)
_SESSION_END: Final = construct.Struct(
    "type" / construct.Int32ul,  # 0 CD-DA, 1 CD-ROM, 2 XA, 4 open
    construct.Padding(8),
    construct.If(_NEWER, construct.Padding(1)),
)
_DISC: Final = construct.Struct(
    construct.Padding(2),  # a session without a track
    construct.If(_NEWER, _HEADER),
    construct.Padding(4),  # sectors in all
    "volume" / _BYTES,
    construct.If(_NEWER, construct.Padding(1)),
    construct.Padding(8),
    "mcn" / construct.Bytes(13),
    "mcn_valid" / construct.Int32ul,
    "packs" / construct.Prefixed(construct.Int32ul, construct.GreedyBytes),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CdiTrack:
    """A track as the descriptor has it; see the layout."""

    medium: int | None
    indexes: tuple[int, ...]
    has_text: bool
    mode: int
    start: int
    length: int
    read_mode: int
    control: int
    isrc: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CdiSession:
    """A session: its tracks, and its type."""

    tracks: tuple[CdiTrack, ...]
    type: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Descriptor:
    """What a CDI says of its disc.

    Attributes:
        offset: where it begins in the file, and the sectors end.
        sessions: the sessions.
        mcn: the media catalogue number as it is stored, or None.
        packs: CD-TEXT.
        disc_known: the part behind the sessions could be read; else it has neither.
    """

    offset: int
    sessions: tuple[CdiSession, ...]
    mcn: bytes | None = None
    packs: bytes = b""
    disc_known: bool = True


def read_descriptor(reader: Reader) -> Descriptor:
    """Return the descriptor of a file.

    Raises:
        FormatError: it has none, or one that is not as it should be.
        StorageError: it cannot be read.
    """
    if reader.size < _END.sizeof():
        raise FormatError(f"{reader.size} bytes are no CDI", file=reader.name, place="offset 0")
    held = bytearray(_END.sizeof())
    reader.read_at(reader.size - len(held), held)
    end = _END.parse(bytes(held))
    place = f"offset {reader.size - len(held)}"
    if end.version not in _VERSIONS:
        raise FormatError(
            f"its last bytes tell of version {end.version:08X}h; known are "
            f"{', '.join(f'{version:08X}h' for version in _VERSIONS)}",
            file=reader.name,
            place=place,
        )
    first = reader.size - end.place if end.version == VERSION_35 else end.place
    if not 0 <= reader.size - first <= _DESCRIPTOR_LIMIT or first < 0:
        raise FormatError(
            f"its descriptor should begin at byte {first} of {reader.size}; it has "
            f"{_DESCRIPTOR_LIMIT} bytes at most",
            file=reader.name,
            place=place,
        )
    data = bytearray(reader.size - first)
    reader.read_at(first, data)
    return _Reading(bytes(data), first, end.version, reader.name).descriptor()


class _Reading:
    """One reading of a descriptor, from its first byte to its last."""

    def __init__(self, data: bytes, offset: int, version: int, name: str) -> None:
        self._stream = io.BytesIO(data)
        self._offset = offset
        self._version = version
        self._name = name

    def _parse(self, layout: construct.Construct[Any, Any], what: str) -> Any:
        first = self._stream.tell()
        try:
            return layout.parse_stream(self._stream, version=self._version)
        except construct.ConstructError as error:
            raise FormatError(
                f"{what} is not as it should be: {str(error).splitlines()[-1].strip()}",
                file=self._name,
                place=f"offset {self._offset + first}",
            ) from error

    def descriptor(self) -> Descriptor:
        count = self._parse(construct.Int16ul, "the number of sessions")
        if not 1 <= count <= 99:
            raise FormatError(
                f"{count} sessions; a disc has 1 to 99",
                file=self._name,
                place=f"offset {self._offset}",
            )
        sessions = tuple(self._session(number) for number in range(1, count + 1))
        try:
            disc = self._parse(_DISC, "the disc's own part")
        except FormatError:
            return Descriptor(offset=self._offset, sessions=sessions, disc_known=False)
        return Descriptor(
            offset=self._offset,
            sessions=sessions,
            mcn=disc.mcn if disc.mcn_valid else None,
            packs=disc.packs,
        )

    def _session(self, number: int) -> CdiSession:
        first = self._stream.tell()
        count = self._parse(_SESSION, f"session {number}").tracks
        if not 1 <= count <= 99:
            raise FormatError(
                f"session {number} has {count} tracks; there are 1 to 99",
                file=self._name,
                place=f"offset {self._offset + first}",
            )
        tracks = tuple(self._track(number, place) for place in range(1, count + 1))
        return CdiSession(
            tracks=tracks, type=self._parse(_SESSION_END, f"the end of session {number}").type
        )

    def _track(self, session: int, place: int) -> CdiTrack:
        found = self._parse(_TRACK, f"track {place} of session {session}")
        return CdiTrack(
            medium=found.header.medium,
            indexes=tuple(found.indexes),
            has_text=any(any(map(len, fields)) for fields in found.texts),
            mode=found.mode,
            start=found.start,
            length=found.length,
            read_mode=found.read_mode,
            control=found.control,
            isrc=found.isrc if found.isrc_valid else None,
        )
