"""Alcohol's MDS/MDF: `layout` states the bytes, `sheet` reads and writes the MDS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rawcd.features import Feature
from rawcd.recording import RECORDED, SUBCODE_FEATURES, told_by_subcode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rawcd.fileset import InputFiles, OutputFiles
    from rawcd.image import DiscImage, RegionImage
    from rawcd.progress import Progress

_SIGNATURE: Final = b"MEDIA DESCRIPTOR"  # stated here again so that a look needs no construct
_SURE: Final = 100
_BY_NAME: Final = 30


class MdsFormat:
    """Reads and writes MDS with their MDF; see `rawcd.plugins.Format`.

    What an MDS has no field for (MCN, ISRC, SCMS, pregaps, indexes) is in the subcode behind each
    sector: written files always have it.
    """

    name = "mds"
    suffixes = (".mds",)
    keeps = RECORDED | {Feature.SESSIONS}
    one_file = False

    def keeps_for(self, image: DiscImage) -> frozenset[Feature]:
        """Return what is kept of an image: of what the subcode has to tell only what it does."""
        return (self.keeps - SUBCODE_FEATURES) | told_by_subcode(image)

    def accepts(self, name: str, head: bytes) -> int:
        """Answer by the signature, and by the name."""
        if head.startswith(_SIGNATURE):
            return _SURE
        return _BY_NAME if name.lower().endswith(self.suffixes) else 0

    def load(self, files: InputFiles) -> RegionImage:
        """Open an MDS and the files that it names.

        Raises:
            FormatError: it contradicts itself, is encrypted or of a DVD, or a file is too short.
            StorageError: a file is missing or cannot be read.
        """
        from rawcd.recording import recorded_image, sheet_bytes
        from rawcd_formats.mds.reading import read

        found = read(sheet_bytes(files), files)
        return recorded_image(found.sheet, found.stored, found.notes)

    def save(
        self,
        image: DiscImage,
        files: OutputFiles,
        options: Mapping[str, str],
        progress: Progress | None,
    ) -> None:
        """Write one MDF of 2,448 bytes a sector, and the MDS.

        Raises:
            UnsupportedError: an option is unknown, or a track begins before LBA 0.
            StorageError: reading or writing failed.
        """
        from rawcd_formats.mds.save import save

        save(image, files, options, progress)
