"""Where writers of CD-TEXT differ: every choice is a named field."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class TextStyle:
    """How packs are made of texts; the defaults are the plainest reading of the standard.

    What is no choice: packs lie in order of their types, size information last; the character
    position is the number of characters in earlier packs, at most 15 (13 and 14 do occur, as
    libburn's and cdrdao's packs show, though libburn's document says 15 for any text that began
    before the previous pack).

    Attributes:
        repeat_as_tab: a text equal to the previous track's is a single TAB (two bytes 09h in
            double-byte texts). libburn does so, cdrdao and libMirage write it out; the shortcut
            makes room (MMC-3 annex J), and old readers do not know it. The first track is never
            compared to the album.
        missing_tracks: what a track without a text gets when another track has one. "empty":
            nothing but the terminator, libburn; "album": the album's text, cdrdao.
            cdrdao does so with UPC/EAN too; an ISRC made of the album's number would be wrong,
            so that is not copied.
        album_alone: where only the album has a text of a type, the tracks get no entries. False:
            libburn, as its description and MMC-3 ask for one text for the disc and one for
            each track; True: cdrdao. It shows only on discs of many tracks, for the rest of a
            pack is zero either way.
        closed_per_track: type 8Dh has an entry for every track, empty ones too. False: libburn,
            the album's alone; entries for tracks appear as soon as one of them has a text.
        genre_code_in_each_pack: the two code bytes of type 87h stand in its further packs too,
            which libburn's description allows; it and cdrdao write them once.
        crc: the last two bytes of a pack. "inverted": MMC-3 annex J and all writers; "plain":
            the remainder as it is; "zero": none, as in CloneCD sheets after libMirage.
    """

    repeat_as_tab: bool = False
    missing_tracks: Literal["empty", "album"] = "empty"
    album_alone: bool = False
    closed_per_track: bool = False
    genre_code_in_each_pack: bool = False
    crc: Literal["inverted", "plain", "zero"] = "inverted"


STANDARD: Final = TextStyle()
TEXT_STYLES: Final = MappingProxyType(
    {
        "standard": STANDARD,
        "libburn": TextStyle(repeat_as_tab=True),
        "cdrdao": TextStyle(missing_tracks="album", album_alone=True),
    }
)
"""By the program whose packs come out byte for byte: `libburn` is also cdrskin."""
