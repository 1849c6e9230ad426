"""CDI, DiscJuggler's images of versions 2 to 4: sectors first, then a descriptor.

`descriptor` states the bytes, `load` makes a disc of them. Nothing is written: what DiscJuggler
itself expects of half of the descriptor nobody knows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rawcd_formats.readonly import ReadOnly

if TYPE_CHECKING:
    from rawcd.fileset import InputFiles
    from rawcd.image import RegionImage

_VERSIONS: Final = (b"\x04\0\0\x80", b"\x05\0\0\x80", b"\x06\0\0\x80")
_SURE: Final = 100
_BY_NAME: Final = 40


class CdiFormat(ReadOnly):
    """Reads DiscJuggler's images; see `rawcd.plugins.Format`."""

    name = "cdi"
    suffixes = (".cdi",)
    one_file = True

    def accepts(self, name: str, head: bytes) -> int:
        """Answer by the name; what tells a CDI stands at its end."""
        del head
        return _BY_NAME if name.lower().endswith(self.suffixes) else 0

    def accepts_tail(self, tail: bytes) -> int:
        """Answer by the version, which stands before the last four bytes."""
        return _SURE if tail[-8:-4] in _VERSIONS else 0

    def load(self, files: InputFiles) -> RegionImage:
        """Open a CDI; see `rawcd_formats.cdi.load`.

        Raises:
            FormatError: the file is not what it claims.
            StorageError: it cannot be read.
        """
        from rawcd_formats.cdi.load import load

        return load(files)
