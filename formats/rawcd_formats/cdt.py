"""The CD-TEXT of a disc alone, as packs: what CDRWIN, cdrecord and CDTEXTFILE in a sheet take.

Such a file is no disc: it is written of one (which leaves all else behind) and laid over one
(`rawcd build SHEET --cdtext FILE`), but not opened.
"""

from __future__ import annotations

import binascii
from typing import TYPE_CHECKING, Final

from rawcd.errors import UnsupportedError
from rawcd.features import CDTEXT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rawcd.fileset import InputFiles, OutputFiles
    from rawcd.image import DiscImage, RegionImage
    from rawcd.progress import Progress

_PACK_BYTES: Final = 18
_HEADER_BYTES: Final = 4
_BY_CONTENT: Final = 80
_BY_NAME: Final = 30


def _is_pack(data: bytes) -> bool:
    """Tell whether bytes are a pack of CD-TEXT whose CRC, inverted, holds."""
    whole = len(data) == _PACK_BYTES and 0x80 <= data[0] <= 0x8F
    return whole and binascii.crc_hqx(data[:-2], 0) ^ 0xFFFF == int.from_bytes(data[-2:], "big")


class CdtFormat:
    """Writes the texts of a disc as packs; see `rawcd.plugins.Format`."""

    name = "cdt"
    suffixes = (".cdt",)
    keeps = CDTEXT
    one_file = True

    def accepts(self, name: str, head: bytes) -> int:
        """Answer by the first pack, behind a READ TOC header or not, and by the name."""
        if any(_is_pack(head[at : at + _PACK_BYTES]) for at in (0, _HEADER_BYTES)):
            return _BY_CONTENT
        return _BY_NAME if name.lower().endswith(self.suffixes) else 0

    def load(self, files: InputFiles) -> RegionImage:
        """Refuse: texts are no disc.

        Raises:
            UnsupportedError: always; it says what to do with the file.
        """
        raise UnsupportedError(
            f"{files.name}: holds CD-TEXT packs and no disc; lay them over a sheet (rawcd build "
            "SHEET --cdtext FILE), or name the file in the sheet (CDTEXTFILE)"
        )

    def save(
        self,
        image: DiscImage,
        files: OutputFiles,
        options: Mapping[str, str],
        progress: Progress | None,
    ) -> None:
        """Write the packs.

        Raises:
            UnsupportedError: an option was given (there are none), or the disc has no texts.
            StorageError: writing failed.
        """
        from rawcd.pump import JOBS, jobs_of

        for option in options.keys() - {JOBS}:
            raise UnsupportedError(f"the format cdt has no option {option!r}")
        jobs_of(options)
        cdtext = image.disc.cdtext
        if cdtext is None:
            raise UnsupportedError("this disc has no CD-TEXT; a cdt file would be empty")
        first, last = image.disc.text_tracks
        # What no character set can hold was named as a loss before.
        packs = cdtext.to_cdt(first_track=first, last_track=last, errors="replace")
        files.create(files.name).write(packs)
        if progress is not None:
            progress(1, 1)
