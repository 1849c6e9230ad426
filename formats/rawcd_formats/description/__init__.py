"""Descriptions of discs in TOML: what no cue sheet can say, written by people and only read.

`lines` finds where things stand, `kinds` and `schema` are what may stand there, `tables` reads
one against the other; `tracks`, `texts` and `author` make the disc, by the creator's own calls.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from rawcd_formats.readonly import ReadOnly

if TYPE_CHECKING:
    from rawcd.fileset import InputFiles
    from rawcd.image import RegionImage

_LOOKS_LIKE: Final = re.compile(
    rb"^[ \t]*(?:\[\[?[ \t]*session[ \t]*[].]|\[\[[ \t]*track[ \t]*\]\]|\[[ \t]*disc[ \t]*[].])",
    re.MULTILINE,
)
_BY_CONTENT_AND_NAME: Final = 95
_BY_CONTENT: Final = 30
_BY_NAME: Final = 40


class TomlFormat(ReadOnly):
    """Reads descriptions, and writes none; see `rawcd.plugins.Format`."""

    name = "toml"
    suffixes = (".toml",)
    one_file = False  # it names others

    def accepts(self, name: str, head: bytes) -> int:
        """Answer by the tables of a disc, a session or a track, and by the name."""
        named = name.lower().endswith(self.suffixes)
        if _LOOKS_LIKE.search(head):
            return _BY_CONTENT_AND_NAME if named else _BY_CONTENT
        return _BY_NAME if named else 0

    def load(self, files: InputFiles) -> RegionImage:
        """Make the disc that a description describes; files are read when the image is.

        Raises:
            FormatError: the description says what the schema does not know or contradicts
                itself, or a file it names is not what it is said to be.
            AuthoringError: it asks for a disc that must not exist.
            StorageError: a file is missing or cannot be read.
            UnsupportedError: it asks for what cannot be made.
        """
        from rawcd_formats.description.author import author
        from rawcd_formats.description.tables import read

        return author(read(files.content(), files.name), files)
