"""Files on disk, in one transaction: all of them appear, or none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rawcd.fileset import FileTransaction
from rawcd.plugins import WriteResult

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from rawcd.image import DiscImage
    from rawcd.plugins import Format
    from rawcd.progress import Progress


class FileWriter:
    """Writes to the path of the main file, beside which a format puts its others."""

    name = "files"

    def write(
        self,
        image: DiscImage,
        target: str | os.PathLike[str],
        *,
        format: Format,
        options: Mapping[str, str],
        progress: Progress | None,
        replace: bool,
    ) -> WriteResult:
        """Write an image; see `rawcd.plugins.Writer`.

        Raises:
            StorageError: a file cannot be written, exists and may not be replaced, or is one
                of those that the image is read from.
        """
        inputs = getattr(image, "files", ())
        with FileTransaction(target, replace=replace, inputs=inputs) as files:
            format.save(image, files, options, progress)
            files.commit()
            return WriteResult(files=files.paths)
