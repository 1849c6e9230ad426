"""A binary stream, such as a pipe: one file, from its first byte to its last."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from rawcd.errors import UnsupportedError
from rawcd.fileset import StreamOutput
from rawcd.plugins import WriteResult

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rawcd.image import DiscImage
    from rawcd.plugins import Format
    from rawcd.progress import Progress


class StreamWriter:
    """Writes a one-file format into an open binary stream, which stays open."""

    name = "stream"

    def write(
        self,
        image: DiscImage,
        target: BinaryIO,
        *,
        format: Format,
        options: Mapping[str, str],
        progress: Progress | None,
        replace: bool,
    ) -> WriteResult:
        """Write an image; see `rawcd.plugins.Writer`.

        Raises:
            UnsupportedError: the format makes several files, or goes back in its own.
            StorageError: the stream cannot be written.
        """
        if not format.one_file:
            raise UnsupportedError(
                f"{format.name} does not fit into a stream: it makes several files, or goes back "
                "in its own; give a file name"
            )
        output = StreamOutput(target)
        format.save(image, output, options, progress)
        output.finish()
        return WriteResult(files=())
