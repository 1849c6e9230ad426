"""WAV and AIFF headers: where the samples lie, and whether all of them are there.

libsndfile opens a file that was cut off without complaint, so sizes are held against the file
here (RIFF/WAVE: Microsoft's "Multimedia Programming Interface and Data Specifications 1.0" and
mmreg.h; RF64: EBU Tech 3306; AIFF and AIFF-C: Apple's "Audio Interchange File Format", 1989
and 1991).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

import construct

from rawcd.audio.facts import CD_RATE, Remark
from rawcd.errors import FormatError
from rawcd.source import SAMPLE_BYTES, paths_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from _typeshed import WriteableBuffer

    from rawcd.source import Reader

_FORM: Final = construct.Struct(
    "id" / construct.Bytes(4),
    "size" / construct.Bytes(4),  # often wrong, and never needed
    "kind" / construct.Bytes(4),
)
_RIFF_CHUNK: Final = construct.Struct("id" / construct.Bytes(4), "size" / construct.Int32ul)
_FMT: Final = construct.Struct(
    "tag" / construct.Int16ul,
    "channels" / construct.Int16ul,
    "rate" / construct.Int32ul,
    "byte_rate" / construct.Int32ul,
    "frame_bytes" / construct.Int16ul,
    "bits" / construct.Int16ul,
)
_FMT_EXTENSIBLE: Final = construct.Struct(
    "basic" / _FMT,
    "extra_bytes" / construct.Int16ul,
    "valid_bits" / construct.Int16ul,
    "speakers" / construct.Int32ul,
    "tag" / construct.Int16ul,  # the first two bytes of the subformat's GUID
    "guid_rest" / construct.Bytes(14),
)
_DS64: Final = construct.Struct("riff_size" / construct.Int64ul, "data_size" / construct.Int64ul)

_IFF_CHUNK: Final = construct.Struct("id" / construct.Bytes(4), "size" / construct.Int32ub)
_COMM: Final = construct.Struct(
    "channels" / construct.Int16ub,
    "frames" / construct.Int32ub,
    "bits" / construct.Int16ub,
    "rate" / construct.Bytes(10),  # 80-bit floating point
)
_COMPRESSION: Final = construct.Bytes(4)  # behind COMM's fields in AIFF-C
_SSND: Final = construct.Struct("offset" / construct.Int32ub, "block_size" / construct.Int32ub)

_TAG_PCM: Final = 1
_TAG_FLOAT: Final = 3
_TAG_EXTENSIBLE: Final = 0xFFFE
_SUBFORMAT_REST: Final = bytes.fromhex("000000001000800000aa00389b71")
_SAMPLE_BITS: Final = 16
# 44,100 = AC44h, its top bit worth 2**15: exponent 3FFFh + 15.
_AIFF_CD_RATE: Final = bytes.fromhex("400eac44000000000000")
_AIFF_BYTE_ORDER: Final[dict[bytes, Literal["little", "big"]]] = {
    b"NONE": "big",
    b"twos": "big",
    b"sowt": "little",
}
_RF64_SIZE: Final = 0xFFFFFFFF
# What programs leave in a header that they cannot come back to: flac 0, ffmpeg FFFFFFFFh,
# espeak-ng 7FFFF000h.
_UNKNOWN_SIZES: Final = (0, 0x7FFFF000, 0xFFFFFFFF)
_MOST_CHUNKS: Final = 4096  # no file has so many; a crafted one must not keep us for hours


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """Where the samples of a WAV or AIFF file lie.

    Attributes:
        container: `WAV`, `RF64` or `AIFF`.
        plain: the byte order when these are 16-bit stereo samples at 44.1 kHz, as a disc has
            them; else None, and a decoder is needed.
        offset: first byte of the samples.
        size: their bytes.
        frame_count: frames in them; 0 when only a decoder can tell.
        size_field: where a WAV header keeps that number, when it is wrong there; else None.
        remarks: what was overlooked.
    """

    container: str
    plain: Literal["little", "big"] | None
    offset: int
    size: int
    frame_count: int
    size_field: int | None = None
    remarks: tuple[Remark, ...] = ()

    def mended(self, reader: Reader) -> Reader:
        """Return the reader, its data size corrected where the header had none to give."""
        assert self.size_field is not None
        size = min(self.size, _RF64_SIZE - 1)
        return _Overlay(reader, self.size_field, size.to_bytes(4, "little"))


class _Overlay:
    """A reader with a few bytes replaced."""

    def __init__(self, reader: Reader, offset: int, patch: bytes) -> None:
        self._reader = reader
        self._offset = offset
        self._patch = patch
        self.name = reader.name
        self.size = reader.size

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files behind it."""
        return paths_of(self._reader)

    def read_at(self, offset: int, buffer: WriteableBuffer) -> None:
        """Fill `buffer` from byte `offset` on; see `Reader`."""
        self._reader.read_at(offset, buffer)
        view = memoryview(buffer).cast("B")
        for at, value in enumerate(self._patch, self._offset - offset):
            if 0 <= at < len(view):
                view[at] = value


def find_payload(reader: Reader) -> Payload:
    """Walk the chunks of a WAV or AIFF file.

    Raises:
        FormatError: a chunk is missing, cut off or contradicts the file.
        StorageError: the file cannot be read.
    """
    form = _parse(_FORM, reader, 0)
    return _aiff_payload(reader, form.kind) if form.id == b"FORM" else _wav_payload(reader, form.id)


def _parse(layout: construct.Construct[Any, Any], reader: Reader, offset: int) -> Any:
    """Read one layout at an offset; what it gives must not leave this module."""
    held = bytearray(min(layout.sizeof(), max(0, reader.size - offset)))
    reader.read_at(offset, held)
    try:
        return layout.parse(bytes(held))
    except construct.ConstructError as error:
        raise FormatError(
            "ends inside its header: it is cut off; copy it or make it again",
            file=reader.name,
            place=f"offset {offset}",
        ) from error


def _chunks(
    reader: Reader, layout: construct.Construct[Any, Any]
) -> Iterator[tuple[bytes, int, int]]:
    """Give each chunk's id, the offset of its body and the size it claims."""
    at = _FORM.sizeof()
    for _ in range(_MOST_CHUNKS):
        if at + layout.sizeof() > reader.size:
            return
        chunk = _parse(layout, reader, at)
        body = at + layout.sizeof()
        yield chunk.id, body, chunk.size
        at = body + chunk.size + chunk.size % 2


def _missing(reader: Reader, chunk: str) -> FormatError:
    return FormatError(
        f"has no {chunk} chunk: it is cut off or damaged; copy it or make it again",
        file=reader.name,
    )


def _cut_off(reader: Reader, chunk: str, offset: int, size: int) -> FormatError:
    held = reader.size - offset
    return FormatError(
        f"is cut off: its {chunk} chunk says {size} bytes, but the file ends after {held} of "
        "them; copy it or make it again",
        file=reader.name,
        place=f"offset {offset}",
    )


def _dropped(rest: int, frame_bytes: int) -> Remark:
    return Remark(
        code="partial-sample-dropped",
        message=f"the last {rest} bytes of its data are no whole frame of {frame_bytes} bytes "
        "and are left out",
    )


def _wav_payload(reader: Reader, form_id: bytes) -> Payload:
    tag = channels = rate = bits = frame_bytes = 0
    found_format = False
    long_size: int | None = None
    for chunk_id, offset, size in _chunks(reader, _RIFF_CHUNK):
        if chunk_id == b"ds64":
            long_size = _parse(_DS64, reader, offset).data_size
        elif chunk_id == b"fmt ":
            found_format = True
            basic = _parse(_FMT, reader, offset)
            tag, channels, rate, bits = basic.tag, basic.channels, basic.rate, basic.bits
            frame_bytes = basic.frame_bytes
            if tag == _TAG_EXTENSIBLE and size >= _FMT_EXTENSIBLE.sizeof():
                extended = _parse(_FMT_EXTENSIBLE, reader, offset)
                whole = extended.valid_bits in (0, bits)
                if whole and extended.guid_rest == _SUBFORMAT_REST:
                    tag = extended.tag
        elif chunk_id == b"data":
            break
    else:
        raise _missing(reader, "data")
    if not found_format:
        raise _missing(reader, "fmt")

    held = reader.size - offset
    remarks: list[Remark] = []
    size_field = None
    if form_id == b"RF64" and size == _RF64_SIZE and long_size is not None:
        size = long_size
    if size > held or not size:
        if size not in _UNKNOWN_SIZES:
            raise _cut_off(reader, "data", offset, size)
        if held:
            remarks.append(
                Remark(
                    code="streamed-wav-length",
                    message=f"its header gives {size:X}h bytes of data, as programs write into "
                    "a pipe; read to the end of the file",
                )
            )
            size_field = offset - 4
        size = held
    if not size:
        raise FormatError("holds no samples: its data chunk is empty", file=reader.name)

    frames = 0
    if tag in (_TAG_PCM, _TAG_FLOAT) and frame_bytes:
        frames, rest = divmod(size, frame_bytes)
        if rest:
            remarks.append(_dropped(rest, frame_bytes))
    plain = (tag, channels, rate, bits, frame_bytes) == (
        _TAG_PCM,
        2,
        CD_RATE,
        _SAMPLE_BITS,
        SAMPLE_BYTES,
    )
    if plain and not frames:
        raise FormatError("holds no whole sample", file=reader.name)
    return Payload(
        container="RF64" if form_id == b"RF64" else "WAV",
        plain="little" if plain else None,
        offset=offset,
        size=size,
        frame_count=frames,
        size_field=size_field,
        remarks=tuple(remarks),
    )


def _aiff_payload(reader: Reader, kind: bytes) -> Payload:
    common = None
    compression = b"NONE"
    data: tuple[int, int] | None = None
    for chunk_id, offset, size in _chunks(reader, _IFF_CHUNK):
        if chunk_id == b"COMM":
            common = _parse(_COMM, reader, offset)
            if kind == b"AIFC":
                compression = _parse(_COMPRESSION, reader, offset + _COMM.sizeof())
        elif chunk_id == b"SSND":
            if size > reader.size - offset:
                raise _cut_off(reader, "SSND", offset, size)
            skipped = _SSND.sizeof() + _parse(_SSND, reader, offset).offset
            data = (offset + skipped, size - skipped)
    if common is None:
        raise _missing(reader, "COMM")
    if not common.frames:
        raise FormatError("holds no samples: its COMM chunk counts none", file=reader.name)
    if data is None:
        raise _missing(reader, "SSND")

    first, held = data
    order = _AIFF_BYTE_ORDER.get(compression)
    plain = order is not None and (common.channels, common.bits, common.rate) == (
        2,
        _SAMPLE_BITS,
        _AIFF_CD_RATE,
    )
    needed = common.frames * SAMPLE_BYTES
    if plain and needed > held:
        raise FormatError(
            f"is cut off: its COMM chunk says {common.frames} samples, which is {needed} bytes, "
            f"but its SSND chunk holds {max(0, held)}; copy it or make it again",
            file=reader.name,
        )
    return Payload(
        container="AIFF",
        plain=order if plain else None,
        offset=first,
        size=held,
        frame_count=common.frames,
    )
