"""MP3 streams that do not tell their length.

Most encoders begin an MP3 with a frame that counts the others ("Xing" or "Info"). Without it
libsndfile guesses from the first frame's bitrate, and never gives more than it guessed: of a
stream with varying bitrate half may be lost. Such a stream is given a counting frame that
claims far too much; the decoder then gives all there is, and what it gives is counted.

Headers: ISO/IEC 11172-3 and 13818-3, clause 2.4.2.3. The counting frame: Xing's VBR header as
described by G. Bouvigne, "MP3 Info Tag revision 1" (field layout alone).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import construct

from rawcd.source import paths_of

if TYPE_CHECKING:
    from pathlib import Path

    from _typeshed import WriteableBuffer

    from rawcd.source import Reader

_HEADER: Final = construct.BitStruct(
    "sync" / construct.BitsInteger(11),
    "version" / construct.BitsInteger(2),
    "layer" / construct.BitsInteger(2),
    "no_crc" / construct.BitsInteger(1),
    "bitrate" / construct.BitsInteger(4),
    "rate" / construct.BitsInteger(2),
    "padding" / construct.BitsInteger(1),
    "private" / construct.BitsInteger(1),
    "mode" / construct.BitsInteger(2),
    "rest" / construct.BitsInteger(6),
)
_COUNT: Final = construct.Struct(
    "mark" / construct.Bytes(4),
    "flags" / construct.Int32ub,  # bit 0: the count of frames follows
    "frames" / construct.Int32ub,
)
_ID3: Final = construct.Struct(
    "mark" / construct.Bytes(3),
    "version" / construct.Bytes(2),
    "flags" / construct.Byte,  # bit 4: a footer as long as this header
    "size" / construct.Array(4, construct.Byte),  # 7 bits each
)
_SYNC: Final = 0x7FF
_LAYER_III: Final = 1
_MPEG_1: Final = 3
_MONO: Final = 3
_KBITS_MPEG_1: Final = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_KBITS_MPEG_2: Final = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_RATES: Final = {
    3: (44_100, 48_000, 32_000),
    2: (22_050, 24_000, 16_000),
    0: (11_025, 12_000, 8_000),
}
_COUNT_KBITS: Final = 64  # holds the counting frame at every rate
_FAR_TOO_MANY: Final = 0xFFFFFF  # frames: 5 days at 44.1 kHz
_SEARCHED_BYTES: Final = 0x10000  # mpg123 gives up there too


class _Preceded:
    """A reader from some byte on, with other bytes before it."""

    def __init__(self, head: bytes, reader: Reader, first: int) -> None:
        self._head = head
        self._reader = reader
        self._first = first
        self.name = reader.name
        self.size = len(head) + reader.size - first

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files behind it."""
        return paths_of(self._reader)

    def read_at(self, offset: int, buffer: WriteableBuffer) -> None:
        """Fill `buffer` from byte `offset` on; see `Reader`."""
        view = memoryview(buffer).cast("B")
        made = self._head[offset : offset + len(view)]
        view[: len(made)] = made
        if len(made) < len(view):
            behind = offset + len(made) - len(self._head)
            self._reader.read_at(self._first + behind, view[len(made) :])


def without_length(reader: Reader) -> Reader | None:
    """Return an MP3 stream to be counted, or None when it tells its length (or is no layer III).

    What is returned begins with a frame that claims more frames than any file has.

    Raises:
        StorageError: the file cannot be read.
    """
    start = _tag_bytes(reader)
    held = _bytes_at(reader, start, _SEARCHED_BYTES)
    found = _first_frame(held)
    if found is None:
        return None
    at, header = found
    mark_at = _mark_at(header)
    count = held[at + mark_at + (0 if header.no_crc else 2) :][: _COUNT.sizeof()]
    if len(count) == _COUNT.sizeof():
        told = _COUNT.parse(count)
        if told.mark in (b"Xing", b"Info") and told.flags & 1 and told.frames:
            return None
    header.no_crc = 1
    header.padding = 0
    header.bitrate = _kbits(header).index(_COUNT_KBITS)
    claim = _COUNT.build({"mark": b"Xing", "flags": 1, "frames": _FAR_TOO_MANY})
    frame = _HEADER.build(header) + bytes(mark_at - _HEADER.sizeof()) + claim
    return _Preceded(frame.ljust(_frame_bytes(header), b"\0"), reader, start + at)


def _bytes_at(reader: Reader, offset: int, count: int) -> bytes:
    held = bytearray(max(0, min(count, reader.size - offset)))
    reader.read_at(offset, held)
    return bytes(held)


def _tag_bytes(reader: Reader) -> int:
    """Return the length of the ID3v2 tag at the beginning, 0 when there is none."""
    head = _bytes_at(reader, 0, _ID3.sizeof())
    if not head.startswith(b"ID3") or len(head) < _ID3.sizeof():
        return 0
    tag = _ID3.parse(head)
    size = 0
    for seven_bits in tag.size:
        size = size << 7 | seven_bits & 0x7F
    return _ID3.sizeof() * (2 if tag.flags & 0x10 else 1) + size


def _first_frame(held: bytes) -> tuple[int, Any] | None:
    """Find a layer III header that another of its kind follows where the frame ends."""
    at = held.find(b"\xff")
    while 0 <= at <= len(held) - _HEADER.sizeof():
        header = _layer_iii(held, at)
        if header is not None:
            follower = _layer_iii(held, at + _frame_bytes(header))
            if follower is not None and (follower.version, follower.rate) == (
                header.version,
                header.rate,
            ):
                return at, header
        at = held.find(b"\xff", at + 1)
    return None


def _layer_iii(held: bytes, at: int) -> Any:
    """Return the header at an offset, or None when there is none."""
    four = held[at : at + _HEADER.sizeof()]
    if len(four) < _HEADER.sizeof():
        return None
    header = _HEADER.parse(four)
    right = (
        header.sync == _SYNC
        and header.layer == _LAYER_III
        and header.version in _RATES
        and 0 < header.bitrate < len(_KBITS_MPEG_1)
        and header.rate < len(_RATES[3])
    )
    return header if right else None


def _kbits(header: Any) -> tuple[int, ...]:
    return _KBITS_MPEG_1 if header.version == _MPEG_1 else _KBITS_MPEG_2


def _frame_bytes(header: Any) -> int:
    # 1,152 samples in MPEG-1, half as many in MPEG-2: a frame's bits over 8.
    per_second = 144 if header.version == _MPEG_1 else 72
    bits = _kbits(header)[header.bitrate] * 1000
    return int(per_second * bits // _RATES[header.version][header.rate] + header.padding)


def _mark_at(header: Any) -> int:
    """Return where the mark stands: behind the header and the side information."""
    if header.version == _MPEG_1:
        return 4 + (17 if header.mode == _MONO else 32)
    return 4 + (9 if header.mode == _MONO else 17)
