"""A stretch of a file that is being made, for several processes to write at fixed places."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rawcd.errors import StorageError

if TYPE_CHECKING:
    from pathlib import Path

    from _typeshed import ReadableBuffer


def start_storing(descriptor: int, offset: int, size: int) -> None:
    """Let the system begin to store what was written, so that the last sync is short.

    Advice on pages that are still dirty drops none of them: it only starts their way out.
    """
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(descriptor, offset, size, os.POSIX_FADV_DONTNEED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Where bytes belong in a file; it can be sent to another process.

    Attributes:
        path: the file under its temporary name.
        offset: the first byte.
        identity: device and number of the file, so that nobody writes to another one.
        name: what a message calls it.
    """

    path: Path
    offset: int
    identity: tuple[int, int]
    name: str

    def open(self) -> PlacedFile:
        """Open the file, as each process does for itself.

        Raises:
            StorageError: it cannot be opened, or is another file by now.
        """
        try:
            descriptor = os.open(self.path, os.O_WRONLY | getattr(os, "O_CLOEXEC", 0))
        except OSError as error:
            raise StorageError.of(error, file=self.name, doing="write") from error
        about = os.fstat(descriptor)
        if (about.st_dev, about.st_ino) != self.identity:
            os.close(descriptor)
            raise StorageError("was replaced while it was written", file=self.name)
        return PlacedFile(descriptor, self.offset, self.name)


class PlacedFile:
    """A stretch opened by one process, that writes parts of it in any order."""

    def __init__(self, descriptor: int, offset: int, name: str) -> None:
        self._descriptor = descriptor
        self._offset = offset
        self._name = name

    def write_at(self, place: int, data: ReadableBuffer) -> None:
        """Write bytes at a place counted from the stretch's first byte.

        Raises:
            StorageError: they cannot be written.
        """
        view = memoryview(data).cast("B")
        at = self._offset + place
        try:
            while view:
                written = os.pwrite(self._descriptor, view, at)
                view = view[written:]
                at += written
        except OSError as error:
            raise StorageError.of(error, file=self._name, doing="write") from error

    def store(self, place: int, size: int) -> None:
        """Let the system begin to store what was written there.

        Raises:
            StorageError: it cannot be stored.
        """
        try:
            start_storing(self._descriptor, self._offset + place, size)
        except OSError as error:
            raise StorageError.of(error, file=self._name, doing="write") from error

    def close(self) -> None:
        """Close this process's hold on the file."""
        os.close(self._descriptor)
