"""CHD, MAME's compressed hunks of data, version 5, of CDs.

`layout` states the bytes, `hunkmap` and `huffman` read and make the map, `metadata` the tracks;
`codecs` and `parity` pack and unpack hunks, `hunks` gives sectors by number. `load` makes a disc
of a file, `save` a file of a disc, through `packing`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rawcd.features import Feature
from rawcd_formats.chd.subcode import RECORDED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rawcd.fileset import InputFiles, OutputFiles
    from rawcd.image import DiscImage, RegionImage
    from rawcd.progress import Progress

_MAGIC: Final = b"MComprHD"
_SURE: Final = 100
_BY_NAME: Final = 30


class ChdFormat:
    """Reads and writes CHDs; see `rawcd.plugins.Format`."""

    name = "chd"
    suffixes = (".chd",)
    keeps = frozenset(
        {
            Feature.PREGAPS,
            Feature.PREGAP_DATA,
            Feature.DATA_TRACKS,
            Feature.RAW_SECTORS,
            *RECORDED,
        }
    )
    one_file = False  # its header is written last, and a pipe does not go back

    def accepts(self, name: str, head: bytes) -> int:
        """Answer by the first bytes, and by the name."""
        if head.startswith(_MAGIC):
            return _SURE
        return _BY_NAME if name.lower().endswith(self.suffixes) else 0

    def load(self, files: InputFiles) -> RegionImage:
        """Open a CHD; see `rawcd_formats.chd.load`.

        Raises:
            FormatError: the file is not what it claims.
            UnsupportedError: it is of another version or medium, needs a parent, or is packed by
                a codec that is not for CDs.
            MissingExtraError: it is packed by zstd, and there is no library for it.
            StorageError: it cannot be read.
        """
        from rawcd_formats.chd.load import load

        return load(files)

    def save(
        self,
        image: DiscImage,
        files: OutputFiles,
        options: Mapping[str, str],
        progress: Progress | None,
    ) -> None:
        """Write a CHD; see `rawcd_formats.chd.save`.

        Raises:
            UnsupportedError: an option or its value is unknown, the disc has several sessions,
                or the target cannot go back.
            MissingExtraError: cdzs was asked for, and there is no library for it.
            StorageError: reading or writing failed.
        """
        from rawcd_formats.chd.save import save

        save(image, files, options, progress)
