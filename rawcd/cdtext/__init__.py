"""Titles and names on a disc (CD-TEXT): values, packs, sheets, and the symbols of a lead-in.

`values` holds what is said, `fields` its names, `style` how writers differ, `charsets`,
`languages` and `genres` the tables; `encoder` and `decoder` make packs of it and read them,
`cdt` and `v07t` are the two kinds of files, `symbols` the lead-in. Importing this package needs
neither construct nor numpy: what does is fetched at first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rawcd.cdtext.charsets import Charset, charset_name, fitting_charset, sheet_codec, widened
from rawcd.cdtext.fields import FIELD_OF, FIELDS, TextField
from rawcd.cdtext.genres import GENRES, genre_code, genre_name
from rawcd.cdtext.languages import ENGLISH, LANGUAGES, language_code, language_name
from rawcd.cdtext.values import (
    MAX_BLOCKS,
    CDText,
    RawPack,
    TextBlock,
    TextInterval,
    TextItem,
    TextToc,
)
from rawcd.late import late_names
from rawcd.subcode.style import TEXT_STYLES, TextStyle

if TYPE_CHECKING:
    from rawcd.cdtext.cdt import cdt_of_packs, packs_of_cdt
    from rawcd.cdtext.decoder import PackDefect, PacksReading, read_packs
    from rawcd.cdtext.symbols import SymbolsReading, lead_in_symbols, packs_of_symbols

__all__ = [
    "ENGLISH",
    "FIELDS",
    "FIELD_OF",
    "GENRES",
    "LANGUAGES",
    "MAX_BLOCKS",
    "TEXT_STYLES",
    "CDText",
    "Charset",
    "PackDefect",
    "PacksReading",
    "RawPack",
    "SymbolsReading",
    "TextBlock",
    "TextField",
    "TextInterval",
    "TextItem",
    "TextStyle",
    "TextToc",
    "cdt_of_packs",
    "charset_name",
    "fitting_charset",
    "genre_code",
    "genre_name",
    "language_code",
    "language_name",
    "lead_in_symbols",
    "packs_of_cdt",
    "packs_of_symbols",
    "read_packs",
    "sheet_codec",
    "widened",
]

__getattr__, __dir__ = late_names(
    __name__,
    {
        "rawcd.cdtext.cdt": ("cdt_of_packs", "packs_of_cdt"),
        "rawcd.cdtext.decoder": ("PackDefect", "PacksReading", "read_packs"),
        "rawcd.cdtext.symbols": ("SymbolsReading", "lead_in_symbols", "packs_of_symbols"),
    },
)
