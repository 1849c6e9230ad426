"""A folder that is made for what goes into it."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from rawcd.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def made_folder(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a folder; one that was made for it goes with a failure.

    Raises:
        StorageError: it cannot be made, is there and no folder, or has no name.
    """
    if not os.fspath(path):  # to Path it would be the folder one works in
        raise StorageError("a folder without a name; give one", file=repr(path))
    folder = Path(path)
    try:
        folder.mkdir()
    except FileExistsError:
        if not folder.is_dir():
            raise StorageError(
                "exists and is no folder; choose another name", file=str(folder)
            ) from None
        yield folder
        return
    except OSError as error:
        raise StorageError.of(error, file=str(folder), doing="make the folder") from error
    try:
        yield folder
    except BaseException:
        with suppress(OSError):  # whatever else is in it by now is not ours
            folder.rmdir()
        raise
