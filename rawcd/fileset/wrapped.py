"""Files wrapped by gzip, xz or zstd: known by their first bytes, unpacked once, within bounds.

What is in a wrapped file is taken for no more than a disc can hold. There is no rule on how
far bytes may be packed: a blank disc is all zeros, and packs as well as any bomb.
"""

from __future__ import annotations

import lzma
import zlib
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final, Protocol

from rawcd.errors import FormatError, StorageError
from rawcd.fileset.scratch import STEP, UnpackedBytes
from rawcd.zstd import zstd_library

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from rawcd.source import FileBytes

LIMIT: Final = (404_850 + 45_150) * 2_448
"""Bytes of a disc from its first lead-in to 89:59:74, with subcode: no file of one has more."""
TOTAL: Final = 8 * LIMIT
"""Bytes of all wrapped files of an image: sound of 192 kHz and 24 bits takes 6.5 times a disc's."""
ZIP_MAGIC: Final = (b"PK\x03\x04", b"PK\x05\x06")  # APPNOTE 4.3.7; 4.3.16 when nothing is in it
_PIECE: Final = 64 * 1024
_GZIP_WINDOW: Final = 16 + zlib.MAX_WBITS  # with gzip's header and its check sums
_MEMORY: Final = 160 * 1024 * 1024
"""What xz may take: its largest preset needs 65 MiB. Of zstd the library's own limit is 128."""


class _Decoder(Protocol):
    """What lzma and zstd have in common, and `_Inflater` with them."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = -1, /) -> bytes: ...


class _Inflater:
    """zlib's decoder with the manners of the others."""

    def __init__(self) -> None:
        self._decoder = zlib.decompressobj(_GZIP_WINDOW)
        self._rest = b""
        self.needs_input = True

    @property
    def eof(self) -> bool:
        return self._decoder.eof

    @property
    def unused_data(self) -> bytes:
        return self._decoder.unused_data

    def decompress(self, data: bytes, max_length: int = -1, /) -> bytes:
        held = self._decoder.decompress(self._rest + data, max_length)
        self._rest = self._decoder.unconsumed_tail
        self.needs_input = not self._rest and len(held) < max_length
        return held


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wrapping:
    """A kind of wrapping.

    Attributes:
        name: what messages call it.
        magic: the first bytes.
        suffixes: endings that say nothing of what is in it.
        decoder: returns a function that makes decoders, and the error they raise.
    """

    name: str
    magic: bytes
    suffixes: tuple[str, ...]
    decoder: Callable[[str], tuple[Callable[[], _Decoder], type[Exception]]]


def _gzip(name: str) -> tuple[Callable[[], _Decoder], type[Exception]]:
    del name
    return _Inflater, zlib.error


def _xz(name: str) -> tuple[Callable[[], _Decoder], type[Exception]]:
    del name
    return lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_MEMORY), lzma.LZMAError


def _zstd(name: str) -> tuple[Callable[[], _Decoder], type[Exception]]:
    library: Any = zstd_library(f"{name}: unpacking zstd")
    return library.ZstdDecompressor, library.ZstdError


_WRAPPINGS: Final = (
    # RFC 1952 (method 8 is the only one), the .xz file format 2.1.1.1, RFC 8878 3.1.1
    _Wrapping(name="gzip", magic=b"\x1f\x8b\x08", suffixes=(".gz", ".gzip"), decoder=_gzip),
    _Wrapping(name="xz", magic=b"\xfd7zXZ\0", suffixes=(".xz",), decoder=_xz),
    _Wrapping(name="zstd", magic=b"\x28\xb5\x2f\xfd", suffixes=(".zst", ".zstd"), decoder=_zstd),
)
SUFFIXES: Final = (*(end for each in _WRAPPINGS for end in each.suffixes), ".zip")
"""Endings of wrapped files, the dot with them."""
_MAGIC_BYTES: Final = max(map(len, (*ZIP_MAGIC, *(each.magic for each in _WRAPPINGS))))


def without_wrapping(name: str) -> str:
    """Return a file's name without an ending that tells only by what it is wrapped."""
    ending = PurePath(name).suffix
    return name.removesuffix(ending) if ending.lower() in SUFFIXES else name


class Room:
    """How much may still be unpacked for one image."""

    def __init__(self) -> None:
        self.left = TOTAL


class Wrapped(Protocol):
    """What lies in a wrapped file, before it is unpacked."""

    @property
    def name(self) -> str:
        """What messages call it."""
        ...

    @property
    def plain_name(self) -> str:
        """The name without its wrapping."""
        ...

    @property
    def file(self) -> FileBytes:
        """The file that holds it."""
        ...

    def pieces(self) -> Iterator[tuple[bytes, str]]:
        """Yield the bytes, `STEP` at most at a time, each with its place in the file.

        Raises:
            FormatError: they are damaged.
            StorageError: they cannot be read.
            MissingExtraError: there is no library for them.
        """
        ...


def head_of(wrapped: Wrapped, count: int) -> bytes:
    """Return the first bytes, or as much as there is; raises as `Wrapped.pieces`."""
    return first_of((piece for piece, _ in wrapped.pieces()), count)


def first_of(pieces: Iterable[bytes], count: int) -> bytes:
    """Return the first bytes of pieces."""
    held = bytearray()
    for piece in pieces:
        held += piece
        if len(held) >= count:
            break
    return bytes(held[:count])


def unpack(wrapped: Wrapped, room: Room) -> UnpackedBytes:
    """Return what is in a wrapped file; raises as `Wrapped.pieces`, and when it is too much."""
    held = UnpackedBytes(
        _bounded(wrapped, room),
        name=wrapped.name,
        plain_name=wrapped.plain_name,
        packed=wrapped.file.path,
    )
    room.left -= held.size
    return held


def _bounded(wrapped: Wrapped, room: Room) -> Iterator[bytes]:
    size = 0
    for piece, place in wrapped.pieces():
        if not size and wrapping_of(piece) is not None:
            raise FormatError(
                "is wrapped twice; unpack it once", file=wrapped.name, place="offset 0"
            )
        size += len(piece)
        if size > LIMIT:
            raise too_much(wrapped.name, place)
        if size > room.left:
            raise FormatError(
                f"with it more than {TOTAL} bytes would be unpacked for one disc",
                file=wrapped.name,
                place=place,
            )
        yield piece


def too_much(name: str, place: str) -> FormatError:
    """Return the error for what no disc can hold."""
    return FormatError(
        f"unpacks to more than the {LIMIT} bytes that a disc can hold", file=name, place=place
    )


def wrapping_of(head: bytes) -> str | None:
    """Return by what a file with these first bytes is wrapped: `"zip"`, `"gzip"`, or None."""
    if head.startswith(ZIP_MAGIC):
        return "zip"
    return next((each.name for each in _WRAPPINGS if head.startswith(each.magic)), None)


def first_bytes(file: FileBytes) -> bytes:
    """Return the bytes that tell a wrapping; the file is closed again.

    Raises:
        StorageError: they cannot be read.
    """
    try:
        with file.path.open("rb", buffering=0) as opened:
            return opened.read(_MAGIC_BYTES)
    except OSError as error:
        raise StorageError.of(error, file=file.name, doing="read") from error


class PackedFile:
    """A file of one or several packed streams, one behind the other; see `Wrapped`."""

    def __init__(self, file: FileBytes, wrapping: str) -> None:
        self.file = file
        self._wrapping = next(each for each in _WRAPPINGS if each.name == wrapping)

    @property
    def name(self) -> str:
        """The file's name."""
        return self.file.name

    @property
    def plain_name(self) -> str:
        """The same without an ending that tells only the wrapping."""
        return without_wrapping(self.name)

    def pieces(self) -> Iterator[tuple[bytes, str]]:
        """Yield the bytes; see `Wrapped`."""
        make, damage = self._wrapping.decoder(self.name)
        kind, at = self._wrapping.name, 0
        decoder, packed = make(), b""
        self.file.check_unchanged()
        try:
            with self.file.path.open("rb", buffering=0) as file:
                while True:
                    if not packed and (decoder.eof or decoder.needs_input):
                        packed = file.read(_PIECE)
                        at += len(packed)
                        if not packed:
                            break
                    if decoder.eof:
                        packed = packed.lstrip(b"\0")  # padding behind a stream, as tapes have it
                        if not packed:
                            continue
                        decoder = make()
                    held = decoder.decompress(packed, STEP)
                    packed = decoder.unused_data if decoder.eof else b""
                    if held:
                        yield held, f"offset {at - len(packed)}"
        except OSError as error:
            raise StorageError.of(error, file=self.name, doing="read") from error
        except (damage, EOFError) as error:
            raise FormatError(
                f"its {kind} bytes are damaged, or are no {kind}: {error}",
                file=self.name,
                place=f"before offset {at}",
            ) from error
        if not decoder.eof:
            raise FormatError(
                f"ends within its {kind} bytes; it was cut short",
                file=self.name,
                place=f"offset {at}",
            )
