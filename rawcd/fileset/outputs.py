"""Files that are written: what a format is given to write to, and a stream in a file's place."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO, Protocol, runtime_checkable

from rawcd.errors import StorageError, UnsupportedError

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

    from rawcd.fileset.stretches import Stretch


@runtime_checkable
class OutputFile(Protocol):
    """A file that a format writes, from its first byte to its last."""

    @property
    def name(self) -> str:
        """The name under which it will appear, without folders."""
        ...

    def allocate(self, size: int) -> None:
        """Reserve room for the whole file, so that a full disk shows before the work.

        Raises:
            StorageError: there is not so much room.
        """
        ...

    def write(self, data: ReadableBuffer) -> None:
        """Write what follows.

        Raises:
            StorageError: it cannot be written.
        """
        ...

    def rewrite(self, offset: int, data: ReadableBuffer) -> None:
        """Write over what was written, from a byte on: a header that is only known at the end.

        Raises:
            UnsupportedError: the target cannot go back, as a pipe cannot.
            StorageError: it cannot be written.
        """
        ...


class OutputFiles(Protocol):
    """Where a format puts its files."""

    @property
    def name(self) -> str:
        """The name that was asked for, without folders: that of the sheet, or of the only file."""
        ...

    def create(self, name: str) -> OutputFile:
        """Begin a file beside the others.

        Raises:
            UnsupportedError: the target holds only one file.
            StorageError: it cannot be made.
        """
        ...


@runtime_checkable
class SharesOut(OutputFile, Protocol):
    """An OutputFile of which several processes may write their parts of what comes next."""

    def stretch(self) -> Stretch | None:
        """Return where the next bytes go; None where there are no fixed places."""
        ...

    def advance(self, size: int) -> None:
        """Go on behind `size` bytes that were written at their places."""
        ...


class StreamOutput:
    """A binary stream as the only file of a save, such as a pipe.

    Nothing can be taken back from a pipe: what a target cannot hold is refused before.
    """

    def __init__(self, stream: BinaryIO, *, name: str = "<stdout>") -> None:
        self.name = name
        self._stream = stream
        self._used = False

    def create(self, name: str) -> StreamOutput:
        """Return the stream itself, once; see `OutputFiles`."""
        if self._used:
            raise UnsupportedError(f"a stream holds one file; {name!r} would be a second one")
        self._used = True
        return self

    def allocate(self, size: int) -> None:
        """Do nothing: a stream has no size."""

    def write(self, data: ReadableBuffer) -> None:
        """Write what follows; see `OutputFile`."""
        view = memoryview(data).cast("B")
        try:
            while view:
                view = view[self._stream.write(view) or 0 :]
        except OSError as error:
            raise StorageError.of(error, file=self.name, doing="write") from error
        except ValueError as error:  # a closed stream
            raise StorageError(f"cannot write: {error}", file=self.name) from error

    def rewrite(self, offset: int, data: ReadableBuffer) -> None:
        """Refuse: a stream does not go back; see `OutputFile`."""
        raise UnsupportedError(
            f"{self.name}: a stream does not go back to byte {offset}; give a file name"
        )

    def finish(self) -> None:
        """Flush the stream; it stays open.

        Raises:
            StorageError: it cannot be flushed.
        """
        try:
            self._stream.flush()
        except OSError as error:
            raise StorageError.of(error, file=self.name, doing="write") from error
        except ValueError as error:  # a closed stream
            raise StorageError(f"cannot write: {error}", file=self.name) from error
