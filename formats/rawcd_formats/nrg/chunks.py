"""The chunks at the end of an NRG, big-endian, and the trailer that finds them.

Version 1 (Nero 5.0 and older) has CUES, DAOI and ETNF, times in MSF and offsets of four bytes;
version 2 has CUEX, DAOX and ETN2, LBAs and offsets of eight. Nero published no layout: these are
what the readers libMirage, libcdio and Aaru agree on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import construct

from rawcd.errors import FormatError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rawcd.source import Reader

_CHAIN_LIMIT: Final = 1024 * 1024
"""More than 99 tracks of 99 indexes, eight blocks of CD-TEXT and some file names need."""
LEAD_IN: Final = 0x00
LEAD_OUT: Final = 0xAA
CD_MEDIA: Final = 0x401
"""Bits of MTYP that stand for CDs: recordable ones, and pressed ones."""
CD: Final = 1

_HEAD: Final = construct.Struct("id" / construct.Bytes(4), "length" / construct.Int32ub)
_TRAILERS: Final = (
    construct.Struct("magic" / construct.Const(b"NER5"), "first" / construct.Int64ub),
    construct.Struct("magic" / construct.Const(b"NERO"), "first" / construct.Int32ub),
)
_NUMBER: Final = construct.Int32ub
"""SINF: tracks of the session. MTYP: the medium."""

_CUE_ENTRY: Final = construct.Struct(
    "control_adr" / construct.Byte,  # high nibble CONTROL, low nibble ADR
    "track" / construct.Byte,  # BCD; 00 lead-in, AA lead-out
    "index" / construct.Byte,  # BCD
    construct.Padding(1),
    "place" / construct.Bytes(4),  # CUEX: LBA; CUES: zero, then M, S, F
)
_DAO_HEAD: Final = construct.Struct(
    "length" / construct.Int32ul,  # the chunk's once more; other programs leave rubbish in it
    "mcn" / construct.Bytes(13),
    construct.Padding(1),
    "disc_type" / construct.Byte,
    "one" / construct.Byte,
    "first" / construct.Byte,
    "last" / construct.Byte,
)


def _dao_track(offset: construct.Construct[int, int]) -> construct.Construct[Any, Any]:
    return construct.Struct(
        "isrc" / construct.Bytes(12),
        "sector_size" / construct.Int16ub,
        "mode" / construct.Byte,
        construct.Padding(2),
        "one" / construct.Byte,
        "pregap" / offset,
        "start" / offset,
        "end" / offset,
    )


def _tao_track(number: construct.Construct[int, int], rest: int) -> construct.Construct[Any, Any]:
    return construct.Struct(
        "offset" / number,
        "size" / number,
        construct.Padding(3),
        "mode" / construct.Byte,
        "lba" / construct.Int32ub,
        construct.Padding(rest),
    )


_DAO_TRACKS: Final = {
    b"DAOI": _dao_track(construct.Int32ub),
    b"DAOX": _dao_track(construct.Int64ub),
}
_TAO_TRACKS: Final = {
    b"ETNF": _tao_track(construct.Int32ub, 4),
    b"ETN2": _tao_track(construct.Int64ub, 8),
}
CUE_IDS: Final = frozenset({b"CUES", b"CUEX"})
DAO_IDS: Final = frozenset(_DAO_TRACKS)
TAO_IDS: Final = frozenset(_TAO_TRACKS)
SILENT_IDS: Final = frozenset({b"AFNM", b"VOLM", b"RELO", b"TOCT", b"DINF"})
"""File and volume names, and what nobody knows: nothing that a disc would have."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """A chunk: its name, where it begins in the file, and what it holds."""

    id: bytes
    offset: int
    data: bytes

    @property
    def place(self) -> str:
        """Where it is, for messages."""
        return f"{self.id.decode('ascii', 'backslashreplace')} chunk at offset {self.offset}"

    def error(self, reason: str) -> FormatError:
        """Return the error of a chunk that is wrong; the file's name is the caller's to add."""
        return FormatError(reason, place=self.place)


@dataclass(frozen=True, slots=True)
class CueEntry:
    """Where an index begins, its place as the file has it."""

    control_adr: int
    track: int
    index: int
    place: bytes


@dataclass(frozen=True, slots=True)
class DaoTrack:
    """What is stored of a track of a session written at once, in bytes from the file's first."""

    isrc: bytes
    sector_size: int
    mode: int
    pregap: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Dao:
    """What is stored of a session written at once."""

    mcn: bytes
    disc_type: int
    first: int
    last: int
    tracks: tuple[DaoTrack, ...]


@dataclass(frozen=True, slots=True)
class TaoTrack:
    """What is stored of a track written for itself."""

    offset: int
    size: int
    mode: int
    lba: int


def _whole(chunk: Chunk, layout: construct.Construct[Any, Any], head: int = 0) -> list[Any]:
    """Return the items that a chunk is made of from byte `head` on."""
    size = layout.sizeof()
    count, rest = divmod(len(chunk.data) - head, size)
    if rest or count < 1:
        raise chunk.error(
            f"its {len(chunk.data)} bytes are no whole number of entries of {size} bytes"
        )
    return list(construct.Array(count, layout).parse(chunk.data[head:]))


def cue_of(chunk: Chunk) -> tuple[CueEntry, ...]:
    """Return the entries of a CUES or CUEX chunk.

    Raises:
        FormatError: it has none, or is cut short.
    """
    return tuple(
        CueEntry(item.control_adr, item.track, item.index, item.place)
        for item in _whole(chunk, _CUE_ENTRY)
    )


def dao_of(chunk: Chunk) -> Dao:
    """Return what a DAOI or DAOX chunk says; raises as `cue_of`."""
    tracks = tuple(
        DaoTrack(item.isrc, item.sector_size, item.mode, item.pregap, item.start, item.end)
        for item in _whole(chunk, _DAO_TRACKS[chunk.id], _DAO_HEAD.sizeof())
    )
    head = _DAO_HEAD.parse(chunk.data)
    return Dao(head.mcn, head.disc_type, head.first, head.last, tracks)


def tao_of(chunk: Chunk) -> tuple[TaoTrack, ...]:
    """Return the tracks of an ETNF or ETN2 chunk; raises as `cue_of`."""
    return tuple(
        TaoTrack(item.offset, item.size, item.mode, item.lba)
        for item in _whole(chunk, _TAO_TRACKS[chunk.id])
    )


def number_of(chunk: Chunk) -> int:
    """Return the number that a SINF or MTYP chunk holds; raises as `cue_of`."""
    if len(chunk.data) < _NUMBER.sizeof():
        raise chunk.error(f"its {len(chunk.data)} bytes are no number")
    return int(_NUMBER.parse(chunk.data))


def _trailer(end: bytes) -> tuple[int, int] | None:
    """Return where the first chunk begins, and the trailer's own length."""
    for layout in _TRAILERS:
        size = layout.sizeof()
        try:
            return int(layout.parse(end[-size:]).first), size
        except construct.ConstructError:
            continue
    return None


def read_chunks(reader: Reader) -> tuple[Chunk, ...]:
    """Return the chunks of a file, END! left out.

    Raises:
        FormatError: it has no trailer, or its chunks do not lie between sectors and trailer.
        StorageError: it cannot be read.
    """
    longest = max(layout.sizeof() for layout in _TRAILERS)
    end = bytearray(min(longest, reader.size))
    reader.read_at(reader.size - len(end), end)
    found = _trailer(bytes(end))
    if found is None:
        raise FormatError(
            "ends in neither NER5 nor NERO and an offset: it is no NRG, or was cut short",
            file=reader.name,
            place=f"offset {reader.size - len(end)}",
        )
    first, length = found
    chain_end = reader.size - length
    if not 0 <= chain_end - first <= _CHAIN_LIMIT:
        raise FormatError(
            f"its chunks should begin at byte {first} and end before byte {chain_end}; "
            f"they have {_CHAIN_LIMIT} bytes at most",
            file=reader.name,
            place=f"offset {chain_end}",
        )
    chain = bytearray(chain_end - first)
    reader.read_at(first, chain)
    return tuple(_split(bytes(chain), first, reader.name))


def _split(chain: bytes, first: int, name: str) -> Iterable[Chunk]:
    position, head_size = 0, _HEAD.sizeof()
    while position < len(chain):
        place = f"offset {first + position}"
        if position + head_size > len(chain):
            raise FormatError("its last chunk is cut short", file=name, place=place)
        head = _HEAD.parse(chain[position : position + head_size])
        if head.id == b"END!":
            return
        end = position + head_size + head.length
        if end > len(chain):
            raise FormatError(
                f"a chunk of {head.length} bytes, and only {len(chain) - position - head_size} "
                "are left before the trailer",
                file=name,
                place=place,
            )
        yield Chunk(head.id, first + position, chain[position + head_size : end])
        position = end


# -- writing -----------------------------------------------------------------------------------


def build_chunk(name: bytes, data: bytes = b"") -> bytes:
    """Return a chunk."""
    return _HEAD.build({"id": name, "length": len(data)}) + data


def build_number(name: bytes, value: int) -> bytes:
    """Return a chunk that holds a number."""
    return build_chunk(name, _NUMBER.build(value))


def build_cue(entries: Iterable[tuple[int, int, int, int]]) -> bytes:
    """Return a CUEX chunk of (CONTROL and ADR, track, index, LBA), the numbers as stored."""
    data = b"".join(
        _CUE_ENTRY.build(
            {
                "control_adr": control_adr,
                "track": track,
                "index": index,
                "place": lba.to_bytes(4, "big", signed=True),
            }
        )
        for control_adr, track, index, lba in entries
    )
    return build_chunk(b"CUEX", data)


def build_dao(dao: Dao) -> bytes:
    """Return a DAOX chunk."""
    layout = _DAO_TRACKS[b"DAOX"]
    head = {
        "length": _DAO_HEAD.sizeof() + len(dao.tracks) * layout.sizeof(),
        "mcn": dao.mcn,
        "disc_type": dao.disc_type,
        "one": 1,
        "first": dao.first,
        "last": dao.last,
    }
    tracks = [
        layout.build(
            {
                "isrc": track.isrc,
                "sector_size": track.sector_size,
                "mode": track.mode,
                "one": 1,
                "pregap": track.pregap,
                "start": track.start,
                "end": track.end,
            }
        )
        for track in dao.tracks
    ]
    return build_chunk(b"DAOX", _DAO_HEAD.build(head) + b"".join(tracks))


def build_end(first: int) -> bytes:
    """Return the last chunk and the trailer of version 2.

    Args:
        first: where the first chunk begins.
    """
    return build_chunk(b"END!") + _TRAILERS[0].build({"first": first})
