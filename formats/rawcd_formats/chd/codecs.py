"""How hunks are packed: by one of four codecs that the header names.

The codecs of CDs (cdlz, cdzl, cdzs, cdfl) take the main channel and the subcode apart. All but
cdfl leave out what can be made anew; a bit for each sector, and the packed size of the main
channel, stand before it.
"""

from __future__ import annotations

import lzma
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from rawcd.errors import FormatError
from rawcd.source import SAMPLE_BYTES, SECTOR_BYTES
from rawcd.zstd import zstd_library
from rawcd_formats.chd.huffman import decode_bytes
from rawcd_formats.chd.hunkmap import crc_of
from rawcd_formats.chd.layout import UNIT_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from rawcd.source import Bytes2D

    Flags = npt.NDArray[np.bool_]

SUB_BYTES: Final = UNIT_BYTES - SECTOR_BYTES
_DEFLATE: Final = -15  # raw, without zlib's header
_BEST: Final = 9
_SHORT_HUNK: Final = 65_536
"""Below it a packed size takes two bytes, else three."""
_LZMA: Final[dict[str, int]] = {"id": lzma.FILTER_LZMA1, "lc": 3, "lp": 0, "pb": 2}
_LZMA_WORK: Final = {"mode": lzma.MODE_NORMAL, "mf": lzma.MF_BT4, "nice_len": 64, "depth": 48}
_LEAST_DICTIONARY: Final = 4096
_ZSTD_LEVEL: Final = 19
_FLAC_BLOCK: Final = 2352
"""Samples in a FLAC frame; readers make room for no more: half of a hunk of eight sectors."""
_LEAST_RUN: Final = 2
_LZMA_TAG: Final = b"cdlz"
_DEFLATE_TAG: Final = b"cdzl"
_MUCH_LESS: Final = 0.8
_LAST_BLOCKS: Final = (0b001, 0b011, 0b101)
"""First bits of a deflated block: it is the last one; stored, coded fixedly or by its own."""
_SLACK: Final = 64
"""Bytes that a deflated stream may be longer than what it holds."""


def inflate(data: bytes, size: int) -> bytes:
    """Return `size` deflated bytes.

    Raises:
        FormatError: they are damaged, or fewer.
    """
    try:
        return _whole(zlib.decompressobj(_DEFLATE).decompress(data, size), size, "deflated")
    except zlib.error as error:
        raise FormatError(f"its deflated bytes are damaged: {error}") from error


def _deflate(data: bytes) -> bytes:
    return zlib.compress(data, _BEST, _DEFLATE)


def _dictionary(size: int) -> int:
    return max(size, _LEAST_DICTIONARY)


def unlzma(data: bytes, size: int) -> bytes:
    """Return `size` bytes packed by LZMA; raises as `inflate`."""
    filters = [{**_LZMA, "dict_size": _dictionary(size)}]
    decoder = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=filters)
    try:
        held = decoder.decompress(data, size)
        while len(held) < size and not (decoder.eof or decoder.needs_input):
            more = decoder.decompress(b"", size - len(held))
            if not more:
                break
            held += more
    except lzma.LZMAError as error:
        raise FormatError(f"its LZMA bytes are damaged: {error}") from error
    return _whole(held, size, "LZMA")


def _lzma(data: bytes) -> bytes:
    filters = [{**_LZMA, **_LZMA_WORK, "dict_size": _dictionary(len(data))}]
    return lzma.compress(data, lzma.FORMAT_RAW, filters=filters)


def zstd_module() -> Any:
    """Return the zstd library: Python's own, or the one of the extra.

    Raises:
        MissingExtraError: there is none.
    """
    return zstd_library("hunks packed by zstd")


def unzstd(data: bytes, size: int) -> bytes:
    """Return `size` bytes packed by zstd; raises as `inflate`, and as `zstd_module`."""
    zstd = zstd_module()
    try:
        held = zstd.ZstdDecompressor().decompress(data, size)
    except zstd.ZstdError as error:
        raise FormatError(f"its zstd bytes are damaged: {error}") from error
    return _whole(held, size, "zstd")


def _zstd(data: bytes) -> bytes:
    packed: bytes = zstd_module().compress(data, _ZSTD_LEVEL)
    return packed


def _unflac(data: bytes, size: int) -> bytes:
    from rawcd.audio.flac import decode_frames

    orders = {b"L": "<i2", b"B": ">i2"}
    order = orders.get(data[:1])
    if order is None:
        raise FormatError("its FLAC bytes begin with no byte order")
    return decode_frames(data[1:], size // SAMPLE_BYTES).astype(order).tobytes()


def _whole(held: bytes, size: int, what: str) -> bytes:
    if len(held) != size:
        raise FormatError(f"its {what} bytes give {len(held)} of {size}")
    return held


_Unpack = Callable[[bytes, int], bytes]
_Pack = Callable[[bytes], bytes]
_WHOLE_HUNKS: Final[dict[bytes, _Unpack]] = {
    b"zlib": inflate,
    b"lzma": unlzma,
    b"zstd": unzstd,
    b"huff": decode_bytes,
    b"flac": _unflac,
}
_APART: Final[dict[bytes, tuple[_Unpack, _Unpack]]] = {
    b"cdzl": (inflate, inflate),
    b"cdlz": (unlzma, inflate),
    b"cdzs": (unzstd, unzstd),
}
FLAC: Final = b"cdfl"
READABLE: Final = frozenset({*_WHOLE_HUNKS, *_APART, FLAC})
WITH_ZSTD: Final = frozenset({b"zstd", b"cdzs"})
_PACKERS: Final[dict[bytes, tuple[_Pack, _Pack]]] = {
    b"cdlz": (_lzma, _deflate),
    b"cdzl": (_deflate, _deflate),
    b"cdzs": (_zstd, _zstd),
}
WRITABLE: Final = (*_PACKERS, FLAC)


def unpack(tag: bytes, data: bytes, units: Bytes2D) -> Flags | None:
    """Unpack a hunk of any codec but cdfl.

    Args:
        tag: the codec.
        data: the hunk as it is in the file.
        units: what to fill, (n, 2448), in one piece.

    Returns:
        Which sectors lack their sync pattern and parity, if any can.

    Raises:
        FormatError: it is damaged; file and place are the caller's to add.
        MissingExtraError: it needs a library that is not there.
    """
    if tag in _WHOLE_HUNKS:
        held = _WHOLE_HUNKS[tag](data, units.size)
        units[:] = np.frombuffer(held, np.uint8).reshape(units.shape)
        return None
    count = len(units)
    bits_end = -(-count // 8)
    head = bits_end + (2 if units.size < _SHORT_HUNK else 3)
    end = head + int.from_bytes(data[bits_end:head], "big")
    if end > len(data):
        raise FormatError(f"its main channel takes {end} of its {len(data)} bytes")
    unpack_main, unpack_sub = _APART[tag]
    main = unpack_main(data[head:end], count * SECTOR_BYTES)
    sub = unpack_sub(data[end:], count * SUB_BYTES)
    _put_together(units, main, sub)
    flags = np.unpackbits(np.frombuffer(data, np.uint8, bits_end), bitorder="little")
    return flags[:count].astype(bool)


def _put_together(units: Bytes2D, main: bytes, sub: bytes) -> None:
    units[:, :SECTOR_BYTES] = np.frombuffer(main, np.uint8).reshape(len(units), -1)
    units[:, SECTOR_BYTES:] = np.frombuffer(sub, np.uint8).reshape(len(units), -1)


def unpack_flac_run(datas: list[bytes], hunks: list[Bytes2D], crcs: list[int]) -> list[bool]:
    """Unpack hunks of cdfl that have no subcode in one go, which takes half the time.

    Args:
        datas: the hunks as they are in the file.
        hunks: what to fill, (n, 2448) each, in one piece.
        crcs: of the hunks unpacked.

    Returns:
        Which came out right; the others are for `unpack_flac`.
    """
    from rawcd.audio.flac import decode_frames

    count = len(hunks[0])
    zeros = _deflated_zeros(count * SUB_BYTES)
    if len(hunks) < _LEAST_RUN or not all(data.endswith(zeros) for data in datas):
        return [False] * len(hunks)
    frames = b"".join(data.removesuffix(zeros) for data in datas)
    try:
        samples = decode_frames(frames, len(hunks) * count * SECTOR_BYTES // SAMPLE_BYTES)
    except FormatError:  # each for itself will tell which
        return [False] * len(hunks)
    main = samples.astype(">i2").view(np.uint8).reshape(len(hunks), count, SECTOR_BYTES)
    for units, sectors in zip(hunks, main, strict=True):
        units[:, :SECTOR_BYTES] = sectors
        units[:, SECTOR_BYTES:] = 0
    return [crc_of(units.data) == crc for units, crc in zip(hunks, crcs, strict=True)]


def unpack_flac(data: bytes, units: Bytes2D, crc: int) -> None:
    """Unpack FLAC frames and the deflated subcode behind them.

    Nothing tells where the subcode begins: every place where it could is tried.

    Args:
        data: the hunk as it is in the file.
        units: what to fill, (n, 2448), in one piece.
        crc: of the hunk unpacked; it decides.

    Raises:
        FormatError: it is damaged.
    """
    from rawcd.audio.flac import decode_frames

    count = len(units)
    samples = decode_frames(data, count * SECTOR_BYTES // SAMPLE_BYTES)
    main = samples.astype(">i2").tobytes()
    for sub in _deflated_ends(data, count * SUB_BYTES):
        _put_together(units, main, sub)
        if crc_of(units.data) == crc:
            return
    raise FormatError("its CRC does not hold, or no subcode stands behind its FLAC frames")


def _deflated_ends(data: bytes, size: int) -> Iterator[bytes]:
    """Yield what the ends of some bytes inflate to, where they do to so many bytes exactly."""
    zeros = _deflated_zeros(size)
    if data.endswith(zeros):
        yield bytes(size)
    first = max(len(data) - size - _SLACK, 0)
    starts = range(len(data) - 2, first - 1, -1)
    # So few bytes are one block, most often: its first bits say that it is the last.
    alone = [start for start in starts if data[start] & 7 in _LAST_BLOCKS]
    others = (start for start in starts if data[start] & 7 not in _LAST_BLOCKS)
    for start in chain(alone, others):
        decoder = zlib.decompressobj(_DEFLATE)
        try:
            held = decoder.decompress(data[start:], size + 1)
        except zlib.error:
            continue
        if len(held) == size and decoder.eof and not decoder.unused_data:
            yield held


@cache
def _deflated_zeros(size: int) -> bytes:
    """Return that many zeros deflated: the subcode of most hunks."""
    return _deflate(bytes(size))


@dataclass(frozen=True, slots=True)
class Packer:
    """Packs hunks by whichever of some codecs makes the least of each.

    Attributes:
        tags: the codecs, as the header names them.
    """

    tags: tuple[bytes, ...]

    def pack(self, units: Bytes2D, bare: Bytes2D, flags: Flags) -> tuple[int | None, bytes]:
        """Pack one hunk.

        Args:
            units: the hunk, (n, 2448), in one piece.
            bare: its main channel, (n, 2352), without what can be made anew.
            flags: of which sectors it was left out.

        Returns:
            The codec's place in the header, and the bytes; None for a hunk stored as it is.
        """
        main = bare.tobytes()
        sub = np.ascontiguousarray(units[:, SECTOR_BYTES:]).tobytes()
        is_zero = sub.count(0) == len(sub)
        bits = np.packbits(flags, bitorder="little").tobytes()
        found: dict[bytes, bytes] = {}
        for tag in sorted(self.tags, key=_LZMA_TAG.__eq__):
            if self._is_hopeless(tag, found, is_data=bool(flags.any())):
                continue
            if tag == FLAC:
                found[tag] = self._pack_flac(units) + self._sub(_deflate, sub, is_zero=is_zero)
                continue
            pack_main, pack_sub = _PACKERS[tag]
            first = pack_main(main)
            size = len(first).to_bytes(2 if units.size < _SHORT_HUNK else 3, "big")
            found[tag] = b"".join((bits, size, first, self._sub(pack_sub, sub, is_zero=is_zero)))
        best = min(found, key=lambda tag: len(found[tag]))
        if len(found[best]) >= units.size:
            return None, units.tobytes()
        return self.tags.index(best), found[best]

    def _is_hopeless(self, tag: bytes, found: dict[bytes, bytes], *, is_data: bool) -> bool:
        """Tell that a codec need not be tried: most of the time goes where nothing is gained.

        FLAC makes nothing of data; and LZMA, which takes as long as all others together, little
        less than deflate of sound that FLAC has made much less of.
        """
        if tag == FLAC:
            return is_data and len(self.tags) > 1
        if tag == _LZMA_TAG and FLAC in found and _DEFLATE_TAG in found:
            return len(found[FLAC]) < _MUCH_LESS * len(found[_DEFLATE_TAG])
        return False

    @staticmethod
    def _sub(pack: _Pack, sub: bytes, *, is_zero: bool) -> bytes:
        return _deflated_zeros(len(sub)) if is_zero and pack is _deflate else pack(sub)

    @staticmethod
    def _pack_flac(units: Bytes2D) -> bytes:
        from rawcd.audio.flac import encode_frames

        big = np.ascontiguousarray(units[:, :SECTOR_BYTES]).view(">i2")
        samples = big.astype(np.int16).reshape(-1, 2)
        return encode_frames(samples, _FLAC_BLOCK)
