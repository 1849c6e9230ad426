"""What a sound file says of its sound: the disc's texts and codes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rawcd.cdtext.charsets import shown
from rawcd.cdtext.genres import GENRES, NOT_DEFINED
from rawcd.identity import disc_ids

if TYPE_CHECKING:
    from rawcd.audio.tags import Tags
    from rawcd.disc import Disc, Track

# Vorbis' own names, and those that taggers have added, by the fields of CD-TEXT.
_OF_TRACK: Final = {
    "TITLE": "title",
    "ARTIST": "performer",
    "WRITER": "songwriter",
    "COMPOSER": "composer",
    "ARRANGER": "arranger",
    "COMMENT": "message",
}
_OF_ALBUM: Final = {"ALBUM": "title", "ALBUMARTIST": "performer"}
_INHERITED: Final = ("ARTIST", "WRITER", "COMPOSER", "ARRANGER")
"""What an album says of all its tracks."""


def tags_of(disc: Disc, track: Track | None) -> Tags:
    """Return what a sound file says.

    Texts are those of CD-TEXT's first block; a track without a performer of its own has the
    album's. `BARCODE` is the media catalogue number.

    Args:
        disc: the disc.
        track: the track; None for the sound before the first one.
    """
    number = 0 if track is None else track.number
    found: dict[str, str | None] = {}
    for name, field in _OF_TRACK.items():
        own = _text(disc, field, number) if number else None
        found[name] = own or (_text(disc, field, 0) if name in _INHERITED else None)
    for name, field in _OF_ALBUM.items():
        found[name] = _text(disc, field, 0)
    found["TRACKNUMBER"] = str(number)
    found["TRACKTOTAL"] = str(disc.tracks[-1].number)
    found["GENRE"] = _genre(disc)
    if track is not None:
        found["ISRC"] = track.isrc or _text(disc, "isrc", number)
        found["PRE_EMPHASIS"] = "1" if track.pre_emphasis else None
    found["BARCODE"] = disc.mcn or _text(disc, "upc_ean", 0)
    found["MUSICBRAINZ_DISCID"] = disc_ids(disc).musicbrainz
    return tuple((name, text) for name, text in found.items() if text)


def _text(disc: Disc, field: str, track: int) -> str | None:
    text = None if disc.cdtext is None else disc.cdtext.text(field, track)
    return None if text is None else shown(text)


def _genre(disc: Disc) -> str | None:
    told = _text(disc, "genre", 0)
    if told or disc.cdtext is None:
        return told
    code = disc.cdtext.blocks[0].genre_code or 0
    return GENRES.get(code) if code > NOT_DEFINED else None
