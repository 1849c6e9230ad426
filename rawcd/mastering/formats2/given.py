"""Streams as programs give them: they may raise anything, and need not be able to seek."""

from __future__ import annotations

import tempfile
import weakref
from typing import TYPE_CHECKING, Any, BinaryIO, Final, cast

from rawcd.errors import RawCDError, StorageError
from rawcd.hresults import HResult
from rawcd.mastering.formats2.refusals import refusal
from rawcd.source import StreamBytes, fill_rows

if TYPE_CHECKING:
    from rawcd.source import Bytes2D, Source

_CHUNK: Final = 1 << 20


class Guarded:
    """A source of which every error is ours.

    Attributes:
        name: the source's.
        block_size: likewise.
        block_count: likewise.

    Raises:
        StorageError: the source does not say how many blocks it has.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self.name = source.name
        self.block_size = source.block_size
        self.block_count = source.block_count
        told: object = self.block_count
        if not isinstance(told, int) or told < 0:
            raise StorageError(f"says that it has {told!r} blocks", file=self.name)

    def read(self, start: int, count: int) -> bytes:
        """Return blocks; see `Source`."""
        import numpy as np

        rows = np.empty((count, self.block_size), np.uint8)
        self.read_into(start, rows)
        return rows.tobytes()

    def read_into(self, start: int, rows: Bytes2D) -> None:
        """Fill rows with blocks; see `ReadsInto`.

        Raises:
            StorageError: they cannot be had, whatever the reason.
        """
        try:
            fill_rows(self._source, start, rows)
        except RawCDError:
            raise
        except Exception as error:
            raise StorageError(f"cannot be read: {error!r}", file=self.name) from error


def seekable(stream: Any) -> StreamBytes | None:
    """Return what reads a stream at any place; None where it cannot seek.

    Raises:
        StorageError: it answers nonsense.
    """
    try:
        reader = StreamBytes(cast("BinaryIO", stream))
    except StorageError:
        return None
    except Exception as error:  # a stream may be anything
        raise StorageError(f"cannot seek: {error!r}", file=name_of(stream)) from error
    size: object = reader.size
    if not isinstance(size, int) or size < 0:
        raise StorageError(f"says that it has {size!r} bytes", file=reader.name)
    return reader


def name_of(stream: Any) -> str:
    """Return what a message calls a stream."""
    name = getattr(stream, "name", None)
    return name if isinstance(name, str) else "<stream>"


def spooled(stream: Any, *, skip: int = 0) -> StreamBytes:
    """Read a stream to its end before anything is written, so that its length is known.

    Args:
        stream: anything with `read`.
        skip: how many of its first bytes are thrown away.

    Raises:
        MasteringError: it gives text (E_INVALIDARG).
        StorageError: it cannot be read, or there is no room for it.
    """
    name = name_of(stream)
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
    reader = StreamBytes(cast("BinaryIO", kept), name=name)
    weakref.finalize(reader, kept.close)
    return reader


def _read(stream: Any, size: int, name: str) -> bytes:
    try:
        piece = stream.read(size)
    except RawCDError:
        raise
    except Exception as error:  # a stream may be anything
        raise StorageError(f"cannot be read: {error!r}", file=name) from error
    if piece and not isinstance(piece, (bytes, bytearray, memoryview)):
        raise refusal(HResult.E_INVALIDARG, f"{name} gives text, not bytes; open it in binary mode")
    if piece and len(piece) > size:
        raise StorageError(f"gave {len(piece)} bytes where {size} were asked for", file=name)
    return bytes(piece or b"")
