"""PNG files of arrays (ISO/IEC 15948), by zlib alone."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_RGB: Final = 2
_INDEXED: Final = 3


def png_of(picture: npt.NDArray[np.uint8], palette: npt.NDArray[np.uint8] | None = None) -> bytes:
    """Return a PNG.

    Args:
        picture: RGB, (height, width, 3); or indexes, (height, width), below 16.
        palette: of indexes: up to sixteen colours, (n, 3).
    """
    height, width = picture.shape[:2]
    lines: npt.NDArray[np.uint8]
    if palette is None:
        depth, kind = 8, _RGB
        lines = picture.reshape(height, -1)
    else:
        depth, kind = 4, _INDEXED
        even = np.pad(picture, ((0, 0), (0, width % 2)))
        lines = even[:, ::2] << np.uint8(4) | even[:, 1::2]
    filtered = np.zeros((height, lines.shape[1] + 1), np.uint8)  # filter 0 before each line
    filtered[:, 1:] = lines
    head = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0)
    colours = b"" if palette is None else _chunk(b"PLTE", palette.tobytes())
    data = _chunk(b"IDAT", zlib.compress(filtered.tobytes(), 9))
    return _SIGNATURE + _chunk(b"IHDR", head) + colours + data + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    body = kind + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))
