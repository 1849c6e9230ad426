"""Language codes of CD-TEXT (EBU Tech 3264, appendix 3), by number and by name."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from rawcd.errors import FormatError

ENGLISH: Final = 0x09
"""Language code of CD-TEXT, from EBU Tech 3264 appendix 3."""
UNKNOWN: Final = 0x00

_FROM_00: Final = (
    "Unknown, Albanian, Breton, Catalan, Croatian, Welsh, Czech, Danish, German, English, Spanish, "
    "Esperanto, Estonian, Basque, Faroese, French, Frisian, Irish, Gaelic, Galician, Icelandic, "
    "Italian, Lappish, Latin, Latvian, Luxembourgian, Lithuanian, Hungarian, Maltese, Dutch, "
    "Norwegian, Occitan, Polish, Portuguese, Romanian, Romansh, Serbian, Slovak, Slovenian, "
    "Finnish, Swedish, Turkish, Flemish, Wallon"
)
_FROM_45: Final = (
    "Zulu, Vietnamese, Uzbek, Urdu, Ukrainian, Thai, Telugu, Tatar, Tamil, Tadzhik, Swahili, "
    "Sranan Tongo, Somali, Sinhalese, Shona, Serbo-croat, Ruthenian, Russian, Quechua, Pushtu, "
    "Punjabi, Persian, Papamiento, Oriya, Nepali, Ndebele, Marathi, Moldavian, Malaysian, "
    "Malagasay, Macedonian, Laotian, Korean, Khmer, Kazakh, Kannada, Japanese, Indonesian, Hindi, "
    "Hebrew, Hausa, Gurani, Gujurati, Greek, Georgian, Fulani, Dari, Churash, Chinese, Burmese, "
    "Bulgarian, Bengali, Bielorussian, Bambora, Azerbaijani, Assamese, Armenian, Arabic, Amharic"
)
LANGUAGES: Final = MappingProxyType(
    dict(enumerate(_FROM_00.split(", "))) | dict(enumerate(_FROM_45.split(", "), start=0x45))
)
"""Names by code, spelled as in the table itself: Sony sheets are compared letter by letter."""

_MODERN: Final = {
    "walloon": "Wallon",
    "pashto": "Pushtu",
    "papiamento": "Papamiento",
    "malagasy": "Malagasay",
    "malay": "Malaysian",
    "lao": "Laotian",
    "guarani": "Gurani",
    "gujarati": "Gujurati",
    "chuvash": "Churash",
    "belarusian": "Bielorussian",
    "bambara": "Bambora",
    "tajik": "Tadzhik",
    "serbo-croatian": "Serbo-croat",
    "sinhala": "Sinhalese",
    "sranantongo": "Sranan Tongo",
    "sami": "Lappish",
}
_CODES: Final = {name.lower(): code for code, name in LANGUAGES.items()}


def language_name(code: int) -> str | None:
    """Return a language's name, or None for a code that the table leaves open."""
    return LANGUAGES.get(code)


def language_code(name: str) -> int:
    """Return the code of a language; today's spellings and any case are taken.

    Raises:
        FormatError: the table has no such language.
    """
    folded = name.strip().lower()
    code = _CODES.get(_MODERN.get(folded, folded).lower())
    if code is None:
        raise FormatError(f"unknown language {name!r}")
    return code
