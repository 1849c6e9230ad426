"""Genre codes of CD-TEXT (pack type 87h), by number and by name.

The table is printed in the documents of libburn and libcdio, which took it from Sony's.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from rawcd.errors import FormatError

NOT_USED: Final = 0x0000
"""What Sony's input sheet prescribes where no genre applies."""
NOT_DEFINED: Final = 0x0001
"""There is a genre, told in words alone."""

_NAMES: Final = (
    "Not Used, Not Defined, Adult Contemporary, Alternative Rock, Childrens Music, Classical, "
    "Contemporary Christian, Country, Dance, Easy Listening, Erotic, Folk, Gospel, Hip Hop, Jazz, "
    "Latin, Musical, New Age, Opera, Operetta, Pop Music, Rap, Reggae, Rock Music, Rhythm & Blues, "
    "Sound Effects, Spoken Word, World Music"
)
GENRES: Final = MappingProxyType(dict(enumerate(_NAMES.split(", "))))
"""Names by code, spelled as in Sony sheets."""
_SHORT: Final = {
    "pop": "Pop Music",
    "rock": "Rock Music",
    "world": "World Music",
    "children's music": "Childrens Music",
    "r&b": "Rhythm & Blues",
    "rhythm and blues": "Rhythm & Blues",
    "hip-hop": "Hip Hop",
}
_CODES: Final = {name.lower(): code for code, name in GENRES.items()}


def genre_name(code: int) -> str | None:
    """Return a genre's name, or None for a code that the table does not have."""
    return GENRES.get(code)


def genre_code(name: str) -> int:
    """Return the code of a genre; short names ("Rock") and any case are taken.

    Raises:
        FormatError: the table has no such genre.
    """
    folded = name.strip().lower()
    code = _CODES.get(_SHORT.get(folded, folded).lower())
    if code is None:
        raise FormatError(f"unknown genre {name!r}")
    return code
