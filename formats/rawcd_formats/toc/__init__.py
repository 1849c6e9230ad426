"""TOC files of cdrdao: `grammar` is text as values, `layout` makes a disc of them, `save` writes.

The grammar is that of cdrdao's manual; where versions differ, see `words` and `cdtext`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from rawcd.features import CDTEXT, Feature

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rawcd.fileset import InputFiles, OutputFiles
    from rawcd.image import DiscImage, RegionImage
    from rawcd.progress import Progress

_TRACK: Final = re.compile(rb"^[ \t]*TRACK[ \t]+(AUDIO|MODE[0-2])", re.IGNORECASE | re.MULTILINE)
_OF_TOC: Final = re.compile(
    rb"^[ \t]*(CD_(DA|ROM|ROM_XA|I|TEXT)\b|DATAFILE\b|SILENCE\b|ZERO\b|START\b|NO[ \t]+COPY\b"
    rb"|(FILE|AUDIOFILE)[ \t]+\"[^\"\n]*\"[ \t]+(SWAP|#|\d))",
    re.IGNORECASE | re.MULTILINE,
)
_BY_CONTENT_AND_NAME: Final = 95
_BY_CONTENT: Final = 65
_BY_NAME: Final = 30


class TocFormat:
    """Reads and writes TOC files; see `rawcd.plugins.Format`."""

    name = "toc"
    suffixes = (".toc",)
    keeps = frozenset(
        {
            Feature.MCN,
            Feature.ISRC,
            Feature.COPY_PERMITTED,
            Feature.PRE_EMPHASIS,
            Feature.FOUR_CHANNEL,
            Feature.PREGAPS,
            Feature.PREGAP_DATA,
            Feature.INDEXES,
            Feature.FIRST_TRACK_NUMBER,
            Feature.DATA_TRACKS,
            Feature.RAW_SECTORS,
            Feature.DISC_TYPE,
            Feature.CDI_TYPE,
            Feature.RW,
            Feature.DATA_RW,
            *CDTEXT,
        }
    )
    one_file = False

    def accepts(self, name: str, head: bytes) -> int:
        """Answer by TRACK and a statement that cue sheets do not have, and by the name."""
        named = name.lower().endswith(self.suffixes)
        if b"\0" not in head and _TRACK.search(head) and _OF_TOC.search(head):
            return _BY_CONTENT_AND_NAME if named else _BY_CONTENT
        return _BY_NAME if named else 0

    def load(self, files: InputFiles) -> RegionImage:
        """Open a TOC file and what it names.

        Raises:
            FormatError: it contradicts itself, or a file is not what it says.
            StorageError: a file is missing or cannot be read.
            UnsupportedError: it reads from a pipe.
        """
        from rawcd_formats.toc.grammar import parse
        from rawcd_formats.toc.layout import lay_out

        return lay_out(parse(files.content(), files.name), files)

    def save(
        self,
        image: DiscImage,
        files: OutputFiles,
        options: Mapping[str, str],
        progress: Progress | None,
    ) -> None:
        """Write one BIN and the TOC file; see `rawcd_formats.toc.save`.

        Raises:
            UnsupportedError: an option is unknown, or a text has no place in a TOC file.
            StorageError: reading or writing failed.
        """
        from rawcd_formats.toc.save import save

        save(image, files, options, progress)
