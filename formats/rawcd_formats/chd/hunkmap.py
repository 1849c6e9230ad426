"""The map: where each hunk lies and how it is packed.

Without compression it is four bytes a hunk. Else the kinds of all hunks come first, Huffman coded
with runs; then for each hunk what its kind needs: length and CRC, or the hunk it repeats.
"""

from __future__ import annotations

import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from rawcd.errors import FormatError, UnsupportedError
from rawcd_formats.chd.huffman import (
    Bits,
    BitWriter,
    Decoder,
    best_lengths,
    codes_of,
    read_lengths,
    write_lengths,
)
from rawcd_formats.chd.layout import MAP_HEAD, parse_at, read_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from rawcd.source import Reader
    from rawcd_formats.chd.layout import Header

    Ints = npt.NDArray[np.int64]

STORED: Final = 4
"""Kinds 0 to 3 are the header's codecs; this one lies as it is."""
SELF: Final = 5
"""It repeats an earlier hunk."""
_PARENT: Final = 6
_RUN_SHORT: Final = 7
_RUN_LONG: Final = 8
_SELF_SAME: Final = 9
_SELF_NEXT: Final = 10
_PARENTS: Final = frozenset({_PARENT, 11, 12, 13})
_KINDS: Final = 14
_SYMBOLS: Final = 16
_WIDTH: Final = 8
_ZEROS: Final = 0xFF
"""As a kind, ours: a hunk that an uncompressed file does not hold."""
_CRC_BITS: Final = 16
_MOST_BYTES_A_HUNK: Final = 10
_LONGEST_RUN: Final = 3 + 15 + 256
_ENTRY: Final = np.dtype([("kind", "u1"), ("length", "u1", 3), ("offset", "u1", 6), ("crc", ">u2")])


def crc_of(data: bytes | memoryview) -> int:
    """Return the CRC-16 of hunks and maps: CCITT, begun with FFFFh."""
    return binascii.crc_hqx(data, 0xFFFF)


@dataclass(frozen=True, slots=True, kw_only=True)
class HunkMap:
    """Where each hunk lies; one value a hunk.

    Attributes:
        kinds: 0 to 3 for the header's codecs, `STORED`, `SELF`, or zeros.
        offsets: first byte in the file; of `SELF` the hunk it repeats.
        lengths: bytes in the file; 0 for `SELF`.
        crcs: of the hunk unpacked; 0 for `SELF`.
        checked: whether there are CRCs.
    """

    kinds: npt.NDArray[np.uint8]
    offsets: Ints
    lengths: Ints
    crcs: npt.NDArray[np.uint16]
    checked: bool = True

    def unpacked(self) -> bytes:
        """Return the map as its CRC covers it."""
        rows = np.zeros(len(self.kinds), _ENTRY)
        rows["kind"] = self.kinds
        rows["length"] = _bytes_of(self.lengths, 3)
        rows["offset"] = _bytes_of(self.offsets, 6)
        rows["crc"] = self.crcs
        return rows.tobytes()

    @property
    def zeros(self) -> npt.NDArray[np.bool_]:
        """Tell which hunks the file does not hold because they are zero."""
        found: npt.NDArray[np.bool_] = self.kinds == _ZEROS
        return found

    def sources(self) -> Ints:
        """Return for each hunk the one that holds its bytes: itself, or what it repeats."""
        own = np.arange(len(self.kinds))
        source: Ints = np.where(self.kinds == SELF, self.offsets, own)
        # Hunks repeat earlier ones: each turn at least halves what is left of a chain.
        while not np.array_equal(further := source[source], source):
            source = further
        return source


def _bytes_of(values: Ints, count: int) -> npt.NDArray[np.uint8]:
    return values.astype(">u8").view(np.uint8).reshape(-1, 8)[:, 8 - count :]


def read_map(reader: Reader, header: Header) -> HunkMap:
    """Read the map of a file.

    Raises:
        FormatError: it is damaged, or leads out of the file.
        UnsupportedError: hunks lie in a parent.
        StorageError: the file cannot be read.
    """
    found = _read_packed(reader, header) if header.packed else _read_plain(reader, header)
    in_file = (found.kinds <= STORED) & (found.offsets + found.lengths > reader.size)
    if in_file.any():
        number = int(in_file.argmax())
        raise FormatError(
            f"hunk {number} of {len(in_file)} lies behind the end of the file, at byte "
            f"{int(found.offsets[number])} of {reader.size}; it was cut short",
            file=reader.name,
            place="map",
        )
    bad = found.lengths > 2 * header.hunk_bytes
    if bad.any():
        number = int(bad.argmax())
        raise FormatError(
            f"hunk {number} takes {int(found.lengths[number])} bytes and holds "
            f"{header.hunk_bytes}: it would not have been packed",
            file=reader.name,
            place="map",
        )
    bad = (found.kinds == SELF) & (found.offsets >= np.arange(len(found.kinds)))
    if bad.any():
        raise FormatError(
            f"hunk {int(bad.argmax())} repeats one that does not come before it",
            file=reader.name,
            place="map",
        )
    return found


def _read_plain(reader: Reader, header: Header) -> HunkMap:
    count = header.hunk_count
    data = read_at(reader, header.map_offset, 4 * count, "map")
    blocks = np.frombuffer(data, ">u4").astype(np.int64)
    return HunkMap(
        kinds=np.where(blocks == 0, _ZEROS, STORED).astype(np.uint8),
        offsets=blocks * header.hunk_bytes,
        lengths=np.where(blocks == 0, 0, header.hunk_bytes),
        crcs=np.zeros(count, np.uint16),
        checked=False,
    )


def _read_packed(reader: Reader, header: Header) -> HunkMap:
    count, at = header.hunk_count, header.map_offset
    if not at:
        raise FormatError("has no map: it was never finished", file=reader.name, place="header")
    head = parse_at(MAP_HEAD, reader, at, "map")
    if head.size > _MOST_BYTES_A_HUNK * (count + _SYMBOLS):
        raise FormatError(
            f"a map of {head.size} bytes is too large for {count} hunks",
            file=reader.name,
            place=f"offset {at}",
        )
    data = read_at(reader, at + MAP_HEAD.sizeof(), head.size, "map")
    widths = (head.length_bits, head.self_bits, head.parent_bits)
    if head.length_bits > 24 or max(widths) > 48:
        raise FormatError(
            f"numbers of {widths} bits are too wide for a map", file=reader.name, place="map"
        )
    try:
        bits = Bits(data)
        kinds = _read_kinds(bits, Decoder(read_lengths(bits, _SYMBOLS, _WIDTH), _WIDTH), count)
        if set(np.unique(kinds).tolist()) & _PARENTS:
            raise UnsupportedError(
                f"{reader.name}: hunks of it lie in a parent CHD; write it as one file with "
                "chdman copy -ip PARENT"
            )
        found = _read_places(bits, data, kinds, head, header.hunk_bytes)
    except FormatError as error:
        raise FormatError(error.reason, file=reader.name, place="map") from error
    if crc_of(found.unpacked()) != head.crc:
        raise FormatError("its CRC does not hold: it is damaged", file=reader.name, place="map")
    return found


def _read_kinds(bits: Bits, decoder: Decoder, count: int) -> npt.NDArray[np.uint8]:
    kinds = np.empty(count, np.uint8)
    at, last = 0, 0
    while at < count:
        symbol, repeats = decoder.read(bits), 1
        if symbol == _RUN_SHORT:
            repeats = 3 + decoder.read(bits)
        elif symbol == _RUN_LONG:
            repeats = 3 + 16 + (decoder.read(bits) << 4)
            repeats += decoder.read(bits)
        else:
            last = symbol
        kinds[at : at + repeats] = last
        at += repeats
    if at > count or int(kinds.max()) >= _KINDS:
        raise FormatError("a run of hunks goes past the last one, or a kind is unknown")
    return kinds


def _read_places(
    bits: Bits, data: bytes, kinds: npt.NDArray[np.uint8], head: Any, hunk_bytes: int
) -> HunkMap:
    """Read what stands behind the kinds, for all hunks at once."""
    packed, stored = kinds < STORED, kinds == STORED
    with_crc = packed | stored
    length_bits = np.where(packed, head.length_bits, 0)
    self_bits = np.where(kinds == SELF, head.self_bits, 0)
    widths = length_bits + self_bits + _CRC_BITS * with_crc
    ends = bits.at + np.cumsum(widths, dtype=np.int64)
    if int(ends[-1]) > bits.size:
        raise FormatError(f"its bits end after {bits.size}")
    starts = ends - widths
    lengths = _fields(data, starts, length_bits)
    lengths[stored] = hunk_bytes
    crcs = _fields(data, starts + length_bits, np.where(with_crc, _CRC_BITS, 0))
    offsets = head.first_offset + np.cumsum(lengths) - lengths
    told = _fields(data, starts, self_bits)
    offsets[kinds == SELF] = told[kinds == SELF]
    # A hunk may repeat the one repeated last, or that one's successor.
    is_short = (kinds == _SELF_SAME) | (kinds == _SELF_NEXT)
    if is_short.any():
        is_told = kinds == SELF
        steps = np.cumsum(kinds == _SELF_NEXT)
        before = np.maximum.accumulate(np.where(is_told, np.arange(len(kinds)), -1))
        base = np.where(before < 0, 0, told[before] - steps[before])
        offsets[is_short] = (base + steps)[is_short]
    kinds = np.where(is_short, SELF, kinds).astype(np.uint8)
    return HunkMap(kinds=kinds, offsets=offsets, lengths=lengths, crcs=crcs.astype(np.uint16))


def _fields(data: bytes, starts: Ints, widths: Ints) -> Ints:
    """Return the numbers of so many bits, 48 at most, that begin at some bits."""
    held = np.frombuffer(data + bytes(8), np.uint8)
    first = starts // 8
    value = np.zeros(len(starts), np.uint64)
    for place in range(8):
        value = value << np.uint64(8) | held[first + place]
    shift = (64 - starts % 8 - widths).astype(np.uint64)
    wide = widths > 0
    value = np.where(wide, value >> np.where(wide, shift, np.uint64(0)), np.uint64(0))
    mask = (np.uint64(1) << widths.astype(np.uint64)) - np.uint64(1)
    return (value & mask).astype(np.int64)


def build_map(found: HunkMap, first_offset: int) -> bytes:
    """Return the packed map of hunks that lie end to end from an offset on."""
    symbols = list(_symbols(found))
    fields: list[tuple[int, int]] = []
    length_bits = int(found.lengths[found.kinds < STORED].max(initial=0)).bit_length()
    self_bits = int(found.offsets[found.kinds == SELF].max(initial=0)).bit_length()
    for kind, offset, length, crc in zip(
        _short_kinds(found),
        found.offsets.tolist(),
        found.lengths.tolist(),
        found.crcs.tolist(),
        strict=True,
    ):
        if kind < STORED:
            fields.append((length, length_bits))
        if kind <= STORED:
            fields.append((crc, _CRC_BITS))
        elif kind == SELF:
            fields.append((offset, self_bits))
    lengths = best_lengths([symbols.count(symbol) for symbol in range(_SYMBOLS)], _WIDTH)
    codes = codes_of(lengths)
    bits = BitWriter()
    write_lengths(bits, lengths, _WIDTH)
    for symbol in symbols:
        bits.write(codes[symbol], lengths[symbol])
    for value, width in fields:
        bits.write(value, width)
    data = bits.bytes()
    head = {
        "size": len(data),
        "first_offset": first_offset,
        "crc": crc_of(found.unpacked()),
        "length_bits": length_bits,
        "self_bits": self_bits,
        "parent_bits": 0,
        "reserved": 0,
    }
    return MAP_HEAD.build(head) + data


def _short_kinds(found: HunkMap) -> list[int]:
    """Return the kinds, repeated hunks told by the one before where they can be."""
    kinds: list[int] = []
    last = 0
    for kind, offset in zip(found.kinds.tolist(), found.offsets.tolist(), strict=True):
        short = kind
        if kind == SELF:
            short = {last: _SELF_SAME, last + 1: _SELF_NEXT}.get(offset, SELF)
            last = offset
        kinds.append(short)
    return kinds


def _symbols(found: HunkMap) -> Iterator[int]:
    """Yield the kinds as symbols, runs of three and more as runs."""
    kinds = _short_kinds(found)
    at, last = 0, 0
    while at < len(kinds):
        if kinds[at] != last:
            last = kinds[at]
            yield last
            at += 1
        run = 0
        while run < _LONGEST_RUN and at + run < len(kinds) and kinds[at + run] == last:
            run += 1
        at += run
        if run < 3:
            yield from [last] * run
        elif run < 3 + 16:
            yield from (_RUN_SHORT, run - 3)
        else:
            high, low = divmod(run - 3 - 16, 16)
            yield from (_RUN_LONG, high, low)
