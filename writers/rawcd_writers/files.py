"""Files on disk, in one transaction: all of them appear, or none."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rawcd.fileset import FileTransaction, made_folder
from rawcd.plugins import WriteResult, main_name_of

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Mapping

    from rawcd.image import DiscImage
    from rawcd.plugins import Format
    from rawcd.progress import Progress


class FileWriter:
    """Writes to the path of the main file, beside which a format puts its others.

    Where a format's files are a folder by themselves, the path is that folder, which is made; or
    the main file by its own name in a folder that is there.
    """

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
        with (
            _main_path(target, format) as path,
            FileTransaction(path, replace=replace, inputs=inputs) as files,
        ):
            format.save(image, files, options, progress)
            files.commit()
            return WriteResult(files=files.paths)


@contextmanager
def _main_path(target: str | os.PathLike[str], format: Format) -> Iterator[Path]:
    """Yield where the main file goes; a folder that was made for it goes with a failure."""
    path = Path(target)
    name = main_name_of(format)
    if name is None or path.name.upper() == name:
        yield path
        return
    with made_folder(path) as folder:
        yield folder / name
