"""Sony input sheets of version 0.7T: one block in lines of `name = value`.

Names are taken in any case and with any blanks in them; blanks around `=` are free, those at
the end of a value belong to it. An empty value says nothing. libburn's description
(doc/cdtext.txt) is the only public one; like its reader, any unknown name is an error.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NoReturn

from rawcd.cdtext.charsets import (
    Charset,
    charset_name,
    charset_of_sheet,
    plainer_line,
    sheet_codec,
    sheet_name,
)
from rawcd.cdtext.fields import FIELD_OF
from rawcd.cdtext.genres import genre_code, genre_name
from rawcd.cdtext.languages import ENGLISH, UNKNOWN, language_code, language_name
from rawcd.cdtext.values import MAX_BLOCKS, MAX_TRACK, TextBlock, TextItem
from rawcd.errors import FormatError, UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

VERSION: Final = "0.7T"
ON: Final = 3
OFF: Final = 0

_VERSION: Final = "Input Sheet Version"
_TEXT_CODE: Final = "Text Code"
_LANGUAGE: Final = "Language Code"
_GENRE: Final = "Genre Code"
_COPY: Final = "Text Data Copy Protection"
_FIRST: Final = "First Track Number"
_LAST: Final = "Last Track Number"

_ALBUM_NAMES: Final = {
    "title": "Album Title",
    "performer": "Artist Name",
    "songwriter": "Songwriter",
    "composer": "Composer",
    "arranger": "Arranger",
    "message": "Album Message",
    "disc_id": "Catalog Number",
    "genre": "Genre Information",
    "closed": "Closed Information",
    "upc_ean": "UPC / EAN",
}
_TRACK_NAMES: Final = {
    "title": "Title",
    "performer": "Artist",
    "songwriter": "Songwriter",
    "composer": "Composer",
    "arranger": "Arranger",
    "message": "Message",
    "closed": "0x8d",
    "isrc": "ISRC",
}


def _plain(name: str) -> str:
    return re.sub(r"[ \t]+", "", name).lower()


def _by_plain_name(names: dict[str, str]) -> dict[str, str]:
    by_type = {
        f"0x{FIELD_OF[name].pack_type:02x}": name
        for name in names
        if FIELD_OF[name].pack_type != FIELD_OF["genre"].pack_type
    }
    return by_type | {_plain(written): name for name, written in names.items()}


_ALBUM_FIELDS: Final = _by_plain_name(_ALBUM_NAMES)
_TRACK_FIELDS: Final = _by_plain_name(_TRACK_NAMES)
_SILENT: Final = re.compile(r"remarks|discinformation[0-9]{0,2}")
_ISRC: Final = re.compile(r"isrc([0-9]{1,2})")
_TRACK_LINE: Final = re.compile(r"track[ \t]*([0-9]{1,2})[ \t]+(.+)", re.IGNORECASE | re.DOTALL)


@dataclass(slots=True, kw_only=True)
class _Line:
    number: int
    name: str
    value: str


def read_sheets(sheets: Sequence[str | bytes | bytearray | memoryview]) -> tuple[TextBlock, ...]:
    """Read sheets as blocks.

    Args:
        sheets: texts, or the bytes of files. In one of them further lines "Input Sheet
            Version" begin further blocks, as libburn writes several blocks into one file.

    Raises:
        FormatError: a line says nothing known; `place` tells sheet and line.
    """
    blocks: list[TextBlock] = []
    for number, sheet in enumerate(sheets, start=1):
        which = f"sheet {number}, " if len(sheets) > 1 else ""
        for start, lines, in_bytes in _parts(sheet, which):
            if len(blocks) == MAX_BLOCKS:
                raise FormatError(
                    f"one block more than {MAX_BLOCKS}", place=f"{which}line {start + 1}"
                )
            reader = _SheetReader(which=which, line=start, in_bytes=in_bytes)
            # Only the first block is English when it does not say: libburn again.
            blocks.append(reader.read(lines, language=UNKNOWN if blocks else ENGLISH))
    return tuple(blocks)


def _parts(
    sheet: str | bytes | bytearray | memoryview, which: str
) -> Iterator[tuple[int, list[str], bool]]:
    """Yield the lines of each block and where they begin; bytes are one character each yet."""
    if not isinstance(sheet, str):
        sheet = memoryview(sheet).tobytes()
    in_bytes = isinstance(sheet, bytes) and not sheet.startswith(codecs.BOM_UTF8)
    if isinstance(sheet, str):
        text = sheet.removeprefix("\ufeff")
    elif in_bytes:
        text = sheet.decode("latin-1")
    else:
        try:
            text = sheet.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = sheet[: error.start].count(b"\n") + 1
            raise FormatError("begins as UTF-8 and is not", place=f"{which}line {line}") from error
    rows = text.split("\n")
    headings = [i for i, row in enumerate(rows) if _plain(row).startswith(_plain(_VERSION) + "=")]
    borders = [0, *headings[1:], len(rows)]
    for begin, end in pairwise(borders):
        yield begin, rows[begin:end], in_bytes


def _field_of(name: str) -> tuple[str | None, int]:
    """Return which text a name means, and whose."""
    plain = _plain(name)
    if plain in _ALBUM_FIELDS:
        return _ALBUM_FIELDS[plain], 0
    if match := _ISRC.fullmatch(plain):
        return "isrc", int(match[1])
    if match := _TRACK_LINE.fullmatch(name):
        return _TRACK_FIELDS.get(_plain(match[2])), int(match[1])
    return None, 0


@dataclass(slots=True, kw_only=True)
class _SheetReader:
    which: str
    line: int
    in_bytes: bool
    charset: int | None = None
    language: int | None = None
    genre: int | None = None
    copyright: int = OFF
    first: int | None = None
    last: int | None = None
    texts: dict[tuple[str, int], tuple[str, int]] = field(default_factory=dict)

    def _fail(self, reason: str, line: int | None = None) -> NoReturn:
        number = self.line if line is None else line
        raise FormatError(reason, place=f"{self.which}line {number}")

    def read(self, rows: list[str], *, language: int) -> TextBlock:
        """Read a block's lines.

        Args:
            rows: the lines as they stand; `line` is the number of the one before them.
            language: what it is in if it does not say.
        """
        lines = list(self._lines(rows))
        for line in lines:  # it may stand anywhere, and tells how to read the others
            if _plain(line.name) == _plain(_TEXT_CODE):
                self._take_guarded(line)
        for line in lines:
            if self.in_bytes:
                line.value = self._decoded(line)
            self._take_guarded(line)
        return self._block(language)

    def _lines(self, rows: list[str]) -> Iterator[_Line]:
        """Yield all lines that say something."""
        for number, row in enumerate(rows, start=self.line + 1):
            self.line = number
            content = row.removesuffix("\r")
            if not content.strip(" \t\r\f\v\x1a"):
                continue
            name, equals, value = content.partition("=")
            if not equals:
                self._fail(f"no '=' in {content.strip()!r}")
            yield _Line(number=number, name=name.strip(" \t"), value=value.lstrip(" \t"))

    def _decoded(self, line: _Line) -> str:
        self.line = line.number
        text_field = _field_of(line.name)[0]
        if text_field is None or FIELD_OF[text_field].charset is not None:
            return line.value  # not in the block's own character set
        raw = line.value.encode("latin-1")
        charset = Charset.ISO_8859_1 if self.charset is None else self.charset
        try:
            return raw.decode(*sheet_codec(charset))
        except UnicodeDecodeError as error:
            bad = raw[error.start : error.end].hex(" ")
            self._fail(f"{bad} is nothing in {charset_name(charset)}")

    def _take_guarded(self, line: _Line) -> None:
        self.line = line.number
        try:
            self._take(line)
        except FormatError as error:
            if error.place is not None:
                raise
            self._fail(error.reason)

    def _take(self, line: _Line) -> None:
        plain, value = _plain(line.name), line.value
        text_field, track = _field_of(line.name)
        if text_field is not None:
            if text_field in _TRACK_NAMES and track == 0 and plain not in _ALBUM_FIELDS:
                self._fail("tracks are numbered from 1")
            if value:
                self.texts[text_field, track] = value, line.number
        elif plain == _plain(_VERSION):
            if value.strip() not in ("", VERSION):
                self._fail(f"version {value.strip()!r}, not {VERSION}")
        elif _SILENT.fullmatch(plain) or not value.strip():
            self._check_name(plain, line.name)
        else:
            self._take_setting(plain, value.strip(), line.name)

    def _check_name(self, plain: str, name: str) -> None:
        settings = (_VERSION, _TEXT_CODE, _LANGUAGE, _GENRE, _COPY, _FIRST, _LAST)
        if not _SILENT.fullmatch(plain) and plain not in map(_plain, settings):
            self._fail(f"unknown name {name!r}")

    def _take_setting(self, plain: str, value: str, name: str) -> None:
        if plain == _plain(_TEXT_CODE):
            charset = charset_of_sheet(value)
            if self.charset not in (None, charset):
                self._fail(f"text code {value!r} after {sheet_name(self.charset or 0)!r}")
            self.charset = charset
        elif plain == _plain(_LANGUAGE):
            code = _hex(value, 2)
            self.language = language_code(value) if code is None else code
        elif plain == _plain(_GENRE):
            code = _hex(re.sub(r"(?<=..)[ \t]+0x", "", value), 4)
            code = _hex(value, 2) if code is None else code
            self.genre = genre_code(value) if code is None else code
        elif plain == _plain(_COPY):
            code = _hex(value, 2)
            known = {"ON": ON, "OFF": OFF}
            if code is None and value.upper() not in known:
                self._fail(f"copy protection {value!r} is neither ON nor OFF")
            self.copyright = known[value.upper()] if code is None else code
        elif plain in (_plain(_FIRST), _plain(_LAST)):
            if not re.fullmatch("[0-9]{1,2}", value) or not int(value):
                self._fail(f"{value!r} is no track number of 1 to {MAX_TRACK}")
            if plain == _plain(_FIRST):
                self.first = int(value)
            else:
                self.last = int(value)
        else:
            self._fail(f"unknown name {name!r}")

    def _block(self, language: int) -> TextBlock:
        if self.first is not None and self.last is not None and self.first > self.last:
            self._fail(f"first track {self.first}, last track {self.last}")
        items: list[TextItem] = []
        for (name, track), (text, line) in self.texts.items():
            if track and not (self.first or 1) <= track <= (self.last or MAX_TRACK):
                self._fail(f"track {track} is none of the sheet's tracks", line)
            items.append(TextItem(field=name, track=track, text=text))
        return TextBlock(
            language=language if self.language is None else self.language,
            items=tuple(items),
            charset=Charset.ISO_8859_1 if self.charset is None else self.charset,
            genre_code=self.genre,
            copyright=self.copyright,
            first_track=self.first,
            last_track=self.last,
        )


def _hex(value: str, digits: int) -> int | None:
    match = re.fullmatch(f"0x([0-9a-f]{{{digits}}})", value, re.IGNORECASE)
    return int(match[1], 16) if match else None


def write_sheets(blocks: Sequence[TextBlock], *, allow_loss: bool) -> list[str]:
    """Return a sheet for each block; see `CDText.to_v07t`."""
    lost = [
        f"{what} in block {number}" if number else what
        for number, block in enumerate(blocks)
        for what in _unheld(block)
    ]
    if lost and not allow_loss:
        raise UnsupportedError(f"a Sony input sheet cannot hold {lost[0]}", lost=lost)
    return ["".join(f"{name:<19} = {value}\n" for name, value in _rows(block)) for block in blocks]


def sheet_bytes(sheet: str, charset: int) -> bytes:
    """Return a sheet that was written here as a file, each line in the character set of its text.

    Characters that it lacks become plainer ones: who saves names them as losses before.
    """
    lines = []
    for line in sheet.removesuffix("\n").split("\n"):  # a text may hold other line ends
        field = _field_of(line.partition("=")[0].strip(" \t"))[0]
        own = field is not None and FIELD_OF[field].charset is None
        used = charset if own else Charset.ISO_8859_1
        lines.append(plainer_line(line, used).encode(*sheet_codec(used)) + b"\n")
    return b"".join(lines)


def _unheld(block: TextBlock) -> Iterator[str]:
    if block.toc is not None:
        yield "the table of contents (type 88h)"
    if block.intervals:
        yield "the second table of contents (type 89h)"
    for pack_type in sorted({raw.pack_type for raw in block.raw}):
        yield f"packs of type {pack_type:02X}h"
    for item in block.items:
        owner = f"track {item.track}" if item.track else "the album"
        if item.text and not _fits(item):
            yield f"{item.field} of {owner}"


def _fits(item: TextItem) -> bool:
    names = _TRACK_NAMES if item.track else _ALBUM_NAMES
    return (
        item.field in names
        and 0 <= item.track <= MAX_TRACK
        and item.text[0] not in " \t"
        and not any(character in item.text for character in "\r\n\0")
    )


def _rows(block: TextBlock) -> Iterator[tuple[str, str]]:
    yield _VERSION, VERSION
    yield _TEXT_CODE, sheet_name(block.charset)
    yield _LANGUAGE, language_name(block.language) or f"0x{block.language:02x}"
    texts: dict[tuple[str, int], str] = {}
    for item in block.items:
        texts.setdefault((item.field, item.track), item.text if _fits_or_empty(item) else "")
    for name, written in _ALBUM_NAMES.items():
        if name == "genre" and block.genre_code is not None:
            yield _GENRE, genre_name(block.genre_code) or f"0x{block.genre_code:04x}"
        if text := texts.get((name, 0)):
            yield written, text
    known = {ON: "ON", OFF: "OFF"}
    yield _COPY, known.get(block.copyright, f"0x{block.copyright:02x}")
    if block.first_track is not None:
        yield _FIRST, str(block.first_track)
    if block.last_track is not None:
        yield _LAST, str(block.last_track)
    for track in sorted({track for _, track in texts if 1 <= track <= MAX_TRACK}):
        for name, written in _TRACK_NAMES.items():
            if text := texts.get((name, track)):
                label = f"ISRC {track:02}" if name == "isrc" else f"Track {track:02} {written}"
                yield label, text


def _fits_or_empty(item: TextItem) -> bool:
    return not item.text or _fits(item)
