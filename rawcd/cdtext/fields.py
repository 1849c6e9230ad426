"""What a CD-TEXT block may say: one table of names, pack types and keywords.

The names are those of `TextItem.field`; in upper case they are the keywords of cue sheets
(the dialect of cdrecord and libcue) and of cdrdao's CD_TEXT blocks.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from rawcd.cdtext.charsets import Charset

FIRST_TYPE: Final = 0x80
LAST_TYPE: Final = 0x8F
GENRE_TYPE: Final = 0x87
TOC_TYPE: Final = 0x88
INTERVALS_TYPE: Final = 0x89
RESERVED_TYPES: Final = (0x8A, 0x8B, 0x8C)
CLOSED_TYPE: Final = 0x8D
CODES_TYPE: Final = 0x8E
SIZE_TYPE: Final = 0x8F
PLAIN_TEXT_TYPES: Final = (0x80, 0x81, 0x82, 0x83, 0x84, 0x85)
"""Types whose texts are in the block's own character set (redbook.md 4.1, from MMC-3 annex J)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextField:
    """One line of the table.

    Attributes:
        name: as in `TextItem.field`.
        pack_type: 80h..8Fh.
        album: the album may have it.
        tracks: a track may have it.
        charset: the character set that the standard fixes; None: the block's. Sony's input
            sheet prescribes ASCII for disc id, genre and UPC/EAN, ISO 8859-1 for the rest.
        binary: no text: a field of `TextBlock`, or a `RawPack`.
    """

    name: str
    pack_type: int
    album: bool = True
    tracks: bool = True
    charset: Charset | None = None
    binary: bool = False

    @property
    def keyword(self) -> str:
        """The keyword of cue sheets and cdrdao TOC files.

        In a cue sheet ISRC is the command for the Q channel, so a track's CD-TEXT code has no
        command of its own there.
        """
        return self.name.upper()


FIELDS: Final = (
    TextField(name="title", pack_type=0x80),
    TextField(name="performer", pack_type=0x81),
    TextField(name="songwriter", pack_type=0x82),
    TextField(name="composer", pack_type=0x83),
    TextField(name="arranger", pack_type=0x84),
    TextField(name="message", pack_type=0x85),
    TextField(name="disc_id", pack_type=0x86, tracks=False, charset=Charset.ASCII),
    TextField(name="genre", pack_type=GENRE_TYPE, tracks=False, charset=Charset.ASCII),
    TextField(name="toc_info1", pack_type=TOC_TYPE, tracks=False, binary=True),
    TextField(name="toc_info2", pack_type=INTERVALS_TYPE, binary=True),
    TextField(name="reserved1", pack_type=0x8A, binary=True),
    TextField(name="reserved2", pack_type=0x8B, binary=True),
    TextField(name="reserved3", pack_type=0x8C, binary=True),
    TextField(name="closed", pack_type=CLOSED_TYPE, charset=Charset.ISO_8859_1),
    TextField(name="upc_ean", pack_type=CODES_TYPE, tracks=False, charset=Charset.ASCII),
    TextField(name="isrc", pack_type=CODES_TYPE, album=False, charset=Charset.ISO_8859_1),
    TextField(name="size_info", pack_type=SIZE_TYPE, tracks=False, binary=True),
)
"""In the order of the pack types."""
FIELD_OF: Final = MappingProxyType({field.name: field for field in FIELDS})
"""The same by name."""
FIELD_PLACES: Final = MappingProxyType({field.name: i for i, field in enumerate(FIELDS)})


def field_of_type(pack_type: int, track: int) -> TextField | None:
    """Return the text field that packs of a type hold for a track (0: the album), or None."""
    for field in FIELDS:
        its_own = field.tracks if track else field.album
        if field.pack_type == pack_type and its_own and not field.binary:
            return field
    return None
