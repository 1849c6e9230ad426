"""NRG, Nero's images: sectors first, then chunks that tell what they are.

`chunks` states the bytes, `modes` what the mode bytes mean; `load` makes a disc of a file, `save`
a file of a disc.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rawcd.features import CDTEXT, Feature
from rawcd_formats.nrg.subcode import OUTER, RECORDED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rawcd.fileset import InputFiles, OutputFiles
    from rawcd.image import DiscImage, RegionImage
    from rawcd.progress import Progress

_SURE: Final = 100
_BY_NAME: Final = 40


class NrgFormat:
    """Reads NRGs of both versions, writes version 2; see `rawcd.plugins.Format`."""

    name = "nrg"
    suffixes = (".nrg",)
    keeps = frozenset(
        {
            Feature.MCN,
            Feature.ISRC,
            Feature.COPY_PERMITTED,
            Feature.PRE_EMPHASIS,
            Feature.FOUR_CHANNEL,
            Feature.PREGAPS,
            Feature.INDEXES,
            Feature.FIRST_PREGAP_SOUND,
            Feature.FIRST_TRACK_NUMBER,
            Feature.DATA_TRACKS,
            Feature.DISC_TYPE,
            Feature.CDI_TYPE,
            Feature.SESSIONS,
            Feature.PREGAP_DATA,
            Feature.RAW_SECTORS,
            *CDTEXT,
            *RECORDED,
        }
    )
    one_file = True

    def keeps_for(self, image: DiscImage) -> frozenset[Feature]:
        """Return what a file keeps: of the outer subcode the first pregap's, and no other."""
        from rawcd_formats.nrg.subcode import is_recorded_outside

        return self.keeps - OUTER if is_recorded_outside(image) else self.keeps

    def accepts(self, name: str, head: bytes) -> int:
        """Answer by the name; what tells an NRG stands at its end."""
        del head
        return _BY_NAME if name.lower().endswith(self.suffixes) else 0

    def accepts_tail(self, tail: bytes) -> int:
        """Answer by the trailer: its name, then an offset of eight or of four bytes."""
        return _SURE if tail[-12:-8] == b"NER5" or tail[-8:-4] == b"NERO" else 0

    def load(self, files: InputFiles) -> RegionImage:
        """Open an NRG; see `rawcd_formats.nrg.load`.

        Raises:
            FormatError: the file is not what it claims.
            StorageError: it cannot be read.
        """
        from rawcd_formats.nrg.load import load

        return load(files)

    def save(
        self,
        image: DiscImage,
        files: OutputFiles,
        options: Mapping[str, str],
        progress: Progress | None,
    ) -> None:
        """Write an NRG of version 2; see `rawcd_formats.nrg.save`.

        Raises:
            UnsupportedError: an option or its value is unknown, or a sector is not what its user
                data alone would make again.
            StorageError: reading or writing failed.
        """
        from rawcd_formats.nrg.save import save

        save(image, files, options, progress)
