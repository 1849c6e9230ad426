"""FLAC frames without the file around them, as other formats carry them (RFC 9639).

What a file would say in front of them, that they are 16-bit stereo at 44.1 kHz, is said to
libsndfile in their stead.
"""

from __future__ import annotations

import io
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import construct
import numpy as np
import soundfile

from rawcd.audio.facts import CD_RATE
from rawcd.errors import FormatError

if TYPE_CHECKING:
    from rawcd.source import Samples

_MARK: Final = b"fLaC"
_STREAMINFO: Final = construct.BitStruct(  # RFC 9639 8.1 and 8.2
    "last" / construct.Const(1, construct.BitsInteger(1)),
    "kind" / construct.Const(0, construct.BitsInteger(7)),
    "size" / construct.Const(34, construct.BitsInteger(24)),
    "least_block" / construct.BitsInteger(16),
    "largest_block" / construct.BitsInteger(16),
    "frame_sizes" / construct.Const(0, construct.BitsInteger(48)),  # not known
    "rate" / construct.BitsInteger(20),
    "channels_less_1" / construct.BitsInteger(3),
    "bits_less_1" / construct.BitsInteger(5),
    "sample_count" / construct.BitsInteger(36),
    "md5" / construct.Const(0, construct.BitsInteger(128)),  # not known
)
_LEAST_BLOCK: Final = 16
_LARGEST_BLOCK: Final = 65_535
_ENCODER_BLOCK: Final = 4096
"""Beyond it the encoder makes two frames of a block."""
_LEVEL: Final = 5 / 8
"""The reference encoder's usual compression, 5 of 8."""
# RFC 9639 9.1: codes of a frame header whose value stands in more bytes before the CRC.
_SIZE_BYTES: Final = {0b0110: 1, 0b0111: 2}
_RATE_BYTES: Final = {0b1100: 1, 0b1101: 2, 0b1110: 2}
_NUMBER_AT: Final = 4
_HIGHEST_NUMBER: Final = 0x7F
"""The last frame number of one byte."""
_CRC_8: Final = 0x107
_CRC_16: Final = 0x18005


class _Flowing(soundfile.SoundFile):  # type: ignore[misc]  # soundfile has no types
    """A SoundFile that does not seek to where it is after each read; see `decode`."""

    def seekable(self) -> bool:
        """Return False, to reads."""
        return False


@lru_cache(maxsize=64)
def _head(sample_count: int) -> bytes:
    """Return what a file of 16-bit stereo frames at 44.1 kHz begins with."""
    return _MARK + _STREAMINFO.build(
        {
            "least_block": _LEAST_BLOCK,
            "largest_block": _LARGEST_BLOCK,
            "rate": CD_RATE,
            "channels_less_1": 1,
            "bits_less_1": 15,
            "sample_count": sample_count,
        }
    )


def decode_frames(frames: bytes, sample_count: int) -> Samples:
    """Return the samples of FLAC frames that follow each other, (n, 2).

    Their numbers may begin anew in between. What follows the last one is overlooked.

    Args:
        frames: 16-bit stereo frames.
        sample_count: how many stereo samples they hold.

    Raises:
        FormatError: they cannot be decoded, or hold fewer.
    """
    samples = np.zeros((sample_count, 2), np.int16)
    try:
        with _Flowing(io.BytesIO(_head(sample_count) + frames)) as file:
            got = len(file.read(sample_count, out=samples))
    except (soundfile.LibsndfileError, RuntimeError) as error:
        raise FormatError(f"FLAC frames cannot be decoded: {error}") from error
    if got < sample_count:
        raise FormatError(f"FLAC frames hold {got} samples, not {sample_count}")
    return samples


def encode_frames(samples: Samples, block_samples: int) -> bytes:
    """Return samples, (n, 2), as FLAC frames of so many each, numbered from 0.

    Args:
        samples: n at most 128 blocks.
        block_samples: stereo samples in a frame, 16 to 4,096; the last may have fewer.

    Raises:
        ValueError: there are more blocks, or blocks of another size.
    """
    if not _LEAST_BLOCK <= block_samples <= _ENCODER_BLOCK:
        raise ValueError(f"frames of {block_samples} samples: {_ENCODER_BLOCK} are the most")
    found: list[bytes] = []
    for number, start in enumerate(range(0, len(samples), block_samples)):
        # libsndfile chooses the block size, so that each block is a stream of its own to it.
        stream = io.BytesIO()
        with soundfile.SoundFile(
            stream, "w", CD_RATE, 2, "PCM_16", format="FLAC", compression_level=_LEVEL
        ) as file:
            file.write(np.ascontiguousarray(samples[start : start + block_samples]))
        found.append(_numbered(_first_frame(stream.getvalue()), number))
    return b"".join(found)


def _first_frame(stream: bytes) -> bytes:
    """Return what follows the metadata blocks of a stream."""
    at, last = len(_MARK), False
    while not last:
        last = bool(stream[at] & 0x80)
        at += 4 + int.from_bytes(stream[at + 1 : at + 4], "big")
    return stream[at:]


def _numbered(frame: bytes, number: int) -> bytes:
    """Return frame 0 of a stream as another one, its CRCs made to hold."""
    if not number:
        return frame
    if number > _HIGHEST_NUMBER:
        raise ValueError(f"frame {number}: numbers go to {_HIGHEST_NUMBER} here")
    held = bytearray(frame)
    crc_at = _NUMBER_AT + 1 + _SIZE_BYTES.get(held[2] >> 4, 0) + _RATE_BYTES.get(held[2] & 15, 0)
    before = bytes(held[_NUMBER_AT : crc_at + 1])
    held[_NUMBER_AT] = number
    held[crc_at] = _remainder(bytes(held[:crc_at]), _CRC_8, 8)
    # The whole frame's CRC changes by that of the bytes that changed, zeros following them.
    changed = bytes(old ^ new for old, new in zip(before, held[_NUMBER_AT:], strict=False))
    stored = int.from_bytes(held[-2:], "big")
    share = _shifted(_remainder(changed, _CRC_16, 16), len(held) - 2 - (crc_at + 1))
    held[-2:] = (stored ^ share).to_bytes(2, "big")
    return bytes(held)


def _remainder(data: bytes, polynomial: int, bits: int) -> int:
    """Return a CRC that begins with 0, first bits first; for a handful of bytes."""
    value = 0
    for byte in data:
        value ^= byte << (bits - 8)
        for _ in range(8):
            value <<= 1
            if value >> bits:
                value ^= polynomial
    return value


@lru_cache(maxsize=4096)
def _shifted(crc: int, zeros: int) -> int:
    """Return what a CRC-16 becomes when so many zero bytes follow."""
    power, square = 1, 0x100  # x^8 for a byte
    while zeros:
        if zeros & 1:
            power = _product(power, square)
        square = _product(square, square)
        zeros >>= 1
    return _product(crc, power)


def _product(left: int, right: int) -> int:
    """Multiply two polynomials below x^16 modulo that of CRC-16."""
    value = 0
    while right:
        if right & 1:
            value ^= left
        left <<= 1
        if left >> 16:
            left ^= _CRC_16
        right >>= 1
    return value
