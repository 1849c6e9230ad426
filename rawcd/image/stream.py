"""The bytes of an image as a raw stream."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

    from rawcd.image.values import DiscImage


class ImageFile(io.RawIOBase):
    """The bytes of an image as a raw stream; `RegionImage.open` puts a buffer on top."""

    def __init__(self, image: DiscImage) -> None:
        self._image = image
        self._position = 0
        self._size = image.sector_count * image.sector_size

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a byte; past the end is allowed, before the start a ValueError."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise ValueError(f"a seek to byte {base + offset}")
        self._position = base + offset
        return self._position

    def tell(self) -> int:
        """Return the position in bytes."""
        return self._position

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Fill the buffer, or as much of it as is left; returns the bytes read."""
        view = memoryview(buffer).cast("B")
        count = max(0, min(len(view), self._size - self._position))
        if count:
            size = self._image.sector_size
            first, skip = divmod(self._position, size)
            sectors = -(-(skip + count) // size)
            data = self._image.read(self._image.first_lba + first, sectors)
            view[:count] = data[skip : skip + count]
            self._position += count
        return count
