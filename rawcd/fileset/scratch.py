"""Bytes that were unpacked, in a private temporary file for as long as somebody reads them."""

from __future__ import annotations

import os
import secrets
import tempfile
import weakref
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rawcd.errors import StorageError
from rawcd.source import FileBytes

if TYPE_CHECKING:
    from collections.abc import Iterable

STEP: Final = 1024 * 1024
"""Bytes that are unpacked at a time."""
_ZEROS: Final = bytes(STEP)


class _Scratch:
    """A file that only its maker knows; it goes with this object, and at exit at the latest.

    Nothing but this object removes it, in the process that made it: workers that open it by
    its path, and forked children, leave it alone.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        try:
            folder = Path(tempfile.gettempdir())
        except OSError as error:
            raise StorageError(
                "must be unpacked, and no temporary folder can be written to; set TMPDIR to one",
                file=name,
                errno=error.errno,
            ) from error
        self.path = folder / f"rawcd-{secrets.token_hex(8)}.tmp"
        # Before the file is there, so that no interrupt can lose it.
        self.remove = weakref.finalize(self, _remove, self.path, os.getpid())
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        flags |= getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
        try:
            os.close(os.open(self.path, flags, 0o600))
        except FileExistsError as error:
            self.remove.detach()
            raise self._cannot(error) from error
        except OSError as error:
            raise self._cannot(error) from error

    def fill(self, pieces: Iterable[bytes]) -> None:
        """Write everything; stretches of zeros become holes where the system has them."""
        size = 0
        try:
            with self.path.open("r+b", buffering=0) as file:
                for piece in pieces:
                    size += len(piece)
                    if piece == _ZEROS:
                        file.seek(size)
                        continue
                    view = memoryview(piece)
                    while view:
                        view = view[file.write(view) :]
                file.truncate(size)
        except StorageError:  # of the pieces
            raise
        except OSError as error:
            raise self._cannot(error) from error

    def _cannot(self, error: OSError) -> StorageError:
        return StorageError(
            f"cannot be unpacked into the temporary folder {self.path.parent}: "
            f"{error.strerror or error}; set TMPDIR to a folder with more room",
            file=self.name,
            errno=error.errno,
        )


def _remove(path: Path, owner: int) -> None:
    if os.getpid() == owner:
        with suppress(OSError):
            path.unlink()


class UnpackedBytes(FileBytes):
    """What a wrapped file holds, as a file by path.

    Attributes:
        plain_name: the name without its wrapping.

    Args:
        pieces: the bytes, one after another.
        name: what messages call it.
        plain_name: see above.
        packed: the file that holds it on disk.

    Raises:
        FormatError: the pieces are damaged, or too many.
        StorageError: they cannot be read, or the temporary folder is full.
    """

    def __init__(
        self, pieces: Iterable[bytes], *, name: str, plain_name: str, packed: Path
    ) -> None:
        scratch = _Scratch(name)
        try:
            scratch.fill(pieces)
            super().__init__(scratch.path)
        except BaseException:
            scratch.remove()
            raise
        self._scratch: _Scratch | None = scratch
        self._name = name
        self._packed = packed
        self.plain_name = plain_name

    def __getstate__(self) -> dict[str, Any]:
        """Travel without the right to remove the file: that stays here."""
        return {**super().__getstate__(), "_scratch": None}

    @property
    def name(self) -> str:
        """The wrapped file's name, as it was given."""
        return self._name

    @property
    def paths(self) -> tuple[Path, ...]:
        """The wrapped file: no output is ever written over it."""
        return (self._packed,)
