"""The texts of a description as CD-TEXT: one block for each language, in order of appearance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rawcd.cdtext import (
    ENGLISH,
    FIELD_OF,
    FIELDS,
    MAX_BLOCKS,
    CDText,
    TextBlock,
    TextItem,
    TextToc,
    charset_name,
    fitting_charset,
    language_name,
)
from rawcd.cdtext.charsets import encode_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rawcd_formats.description.tables import Table

_KEYS: Final = {field.name.replace("_", "-"): field.name for field in FIELDS if not field.binary}
_PROTECTED: Final = 3
"""Byte 3 of the size information (Sony's input sheet: ON)."""


def cdtext_of(disc: Table, tracks: Sequence[tuple[int, Table]], toc: TextToc) -> CDText | None:
    """Return the texts of a disc, or None where there are none.

    Args:
        disc: the table of the disc.
        tracks: number and table of each track of the first session.
        toc: the table of contents that a block may have.

    Raises:
        FormatError: two tables are of one language, there are too many languages, or a text
            has a character that its character set lacks.
    """
    tables = [(0, table) for table in disc.tables("text")]
    tables += [(number, text) for number, track in tracks for text in track.tables("text")]
    languages: dict[int, dict[int, Table]] = {}
    for number, table in tables:
        language = table.get("language", ENGLISH)
        of_language = languages.setdefault(language, {})
        if number in of_language:
            what = f"track {number}" if number else "the album"
            raise table.error(
                f"{what} has texts in {language_name(language) or language} already, in line "
                f"{of_language[number].line}; write them into one table, or name the language"
            )
        of_language[number] = table
        if len(languages) > MAX_BLOCKS:
            raise table.error(f"CD-TEXT has at most {MAX_BLOCKS} languages, and this is one more")
    if not languages:
        return None
    return CDText(
        blocks=tuple(
            _block(language, of_language, toc) for language, of_language in languages.items()
        )
    )


def _block(language: int, tables: dict[int, Table], toc: TextToc) -> TextBlock:
    items: list[TextItem] = []
    origins: list[tuple[Table, str]] = []
    for number, table in sorted(tables.items(), key=lambda pair: pair[0]):
        for key, name in _KEYS.items():
            if key in table:
                items.append(TextItem(field=name, track=number, text=table.get(key)))
                origins.append((table, key))
    album = tables.get(0)
    charset: int | None = None if album is None else album.get("charset")
    if charset is None:
        charset = fitting_charset(
            item.text for item in items if FIELD_OF[item.field].charset is None
        )
    for item, (table, key) in zip(items, origins, strict=True):
        _check(item, charset, table, key)
    return TextBlock(
        language=language,
        items=tuple(items),
        charset=charset,
        genre_code=None if album is None else album.get("genre-code"),
        toc=toc if album is not None and album.get("toc") else None,
        copyright=_PROTECTED if album is not None and album.get("protected") else 0,
    )


def _check(item: TextItem, charset: int, table: Table, key: str) -> None:
    fixed = FIELD_OF[item.field].charset
    used: int = charset if fixed is None else fixed
    try:
        encode_text(item.text, used)
    except UnicodeEncodeError as error:
        wrong = item.text[error.start]
        if not wrong.isprintable():
            wrong = wrong.encode("unicode_escape").decode()
        raise table.error(
            f"{key} has the character '{wrong}', which {charset_name(used)} lacks; "
            "write another, or choose another charset",
            key,
        ) from error
