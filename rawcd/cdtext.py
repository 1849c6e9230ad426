"""Titles and names on a disc (CD-TEXT, Red Book part 5 / IEC 61866).

`Disc.cdtext` is their only home, whatever sheet they came from.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

ENGLISH: Final = 0x09
"""Language code of CD-TEXT, from EBU Tech 3264 appendix 3."""
MAX_BLOCKS: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class TextItem:
    """One text.

    Attributes:
        field: `"title"`, `"performer"`, ...: the cue sheet's command in lower case.
        track: the track's number on the disc; 0 is the album.
        text: the text itself.
    """

    field: str
    track: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TextBlock:
    """All texts in one language.

    Attributes:
        language: the CD-TEXT language code.
        items: the texts.
    """

    language: int = ENGLISH
    items: tuple[TextItem, ...] = ()

    def text(self, field: str, track: int) -> str | None:
        """Return the text of `field` for a track (0: the album), or None."""
        for item in self.items:
            if item.field == field and item.track == track:
                return item.text
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class CDText:
    """The texts of a disc, one block a language; a sheet's titles are its first block.

    Raises:
        ValueError: there are no blocks, or more than eight.
    """

    blocks: tuple[TextBlock, ...]

    def __post_init__(self) -> None:
        if not 1 <= len(self.blocks) <= MAX_BLOCKS:
            raise ValueError(f"CD-TEXT has 1 to {MAX_BLOCKS} blocks, not {len(self.blocks)}")

    def text(self, field: str, track: int) -> str | None:
        """Return the first block's text of `field` for a track (0: the album), or None."""
        return self.blocks[0].text(field, track)
