"""Streams that cannot seek, kept in a temporary file."""

from __future__ import annotations

import tempfile
from typing import Any, BinaryIO, Final, cast

from rawcd.errors import RawCDError, StorageError
from rawcd.hresults import HResult
from rawcd.mastering.formats2.refusals import refusal
from rawcd.source import StreamBytes

_CHUNK: Final = 1 << 20


def spooled(stream: Any, *, skip: int = 0) -> StreamBytes:
    """Read a stream to its end before anything is written, so that its length is known.

    Args:
        stream: anything with `read`.
        skip: how many of its first bytes are thrown away.

    Raises:
        MasteringError: it gives text (E_INVALIDARG).
        StorageError: it cannot be read, or there is no room for it.
    """
    name = getattr(stream, "name", None)
    name = name if isinstance(name, str) else "<stream>"
    kept = tempfile.TemporaryFile(prefix="rawcd-")  # noqa: SIM115 - it lives with its reader
    try:
        while piece := _read(stream, min(_CHUNK, skip) if skip else _CHUNK, name):
            if skip:
                skip -= len(piece)
            else:
                kept.write(piece)
        kept.flush()
    except OSError as error:
        kept.close()
        raise (
            error
            if isinstance(error, StorageError)
            else StorageError.of(error, file=name, doing="keep")
        ) from error
    except BaseException:
        kept.close()
        raise
    return StreamBytes(cast("BinaryIO", kept), name=name)


def _read(stream: Any, size: int, name: str) -> bytes:
    try:
        piece = stream.read(size)
    except RawCDError:
        raise
    except Exception as error:  # a stream may be anything
        raise StorageError(f"cannot be read: {error}", file=name) from error
    if piece and not isinstance(piece, (bytes, bytearray, memoryview)):
        raise refusal(HResult.E_INVALIDARG, f"{name} gives text, not bytes; open it in binary mode")
    if piece and len(piece) > size:
        raise StorageError(f"gave {len(piece)} bytes where {size} were asked for", file=name)
    return bytes(piece or b"")
