"""The text of a TOC file as words, numbers, strings and signs, each with its line."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

from rawcd.errors import FormatError

if TYPE_CHECKING:
    from collections.abc import Iterator

SHEET_LIMIT: Final = 1024 * 1024
"""Bytes: 99 tracks with 99 indexes each and eight languages of CD-TEXT are a tenth of it."""
_MOST_DIGITS: Final = 15


class Kind(Enum):
    """What a token is; the value is how a message calls it."""

    WORD = "word"
    NUMBER = "number"
    STRING = "string"
    SIGN = "sign"
    END = "end of the file"


@dataclass(frozen=True, slots=True)
class Token:
    """A word in upper case, a number's digits, a string's content, or a sign."""

    kind: Kind
    text: str
    line: int

    def __str__(self) -> str:
        if self.kind is Kind.END:
            return str(self.kind.value)
        return f"the string {self.text!r}" if self.kind is Kind.STRING else repr(self.text)


_TOKEN: Final = re.compile(
    r"""
    (?P<blank> [ \t\r\f\v\n\x1a]+ | //[^\n]* )
  | (?P<number> [0-9]+ )
  | (?P<word> [A-Za-z_][A-Za-z0-9_]* )
  | (?P<sign> [{}:,#] )
  | (?P<quote> " )
    """,
    re.VERBOSE,
)
_BYTE: Final = re.compile("[\udc80-\udcff]")
_PIECE: Final = re.compile(r'\\[0-7]{3}|\\["\\]|[^"\\]+|\\', re.DOTALL)


def text_of(data: bytes, file: str) -> str:
    """Return a sheet's text; bytes that are no UTF-8 are lone surrogates.

    Raises:
        FormatError: it is no text, or larger than any sheet.
    """
    if len(data) > SHEET_LIMIT:
        raise FormatError(
            f"{len(data)} bytes are too many for a TOC file",
            file=file,
            place=f"offset {SHEET_LIMIT}",
        )
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        try:
            text = str(data, "utf-16")
        except UnicodeDecodeError as error:
            line = str(data[: error.start], "utf-16", "replace").count("\n") + 1
            raise FormatError(
                f"is no UTF-16 text: {error.reason}", file=file, place=f"line {line}"
            ) from error
    else:
        text = str(data.removeprefix(codecs.BOM_UTF8), "utf-8", "surrogateescape")
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise FormatError("holds NUL characters: it is no text", file=file, place=f"line {line}")
    return text


def tokens_of(text: str, file: str) -> Iterator[Token]:
    """Yield the tokens of a sheet, the end of the file last.

    Raises:
        FormatError: a sign stands for nothing, a number is too long, or a string has no end.
    """
    place, line = 0, 1
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise FormatError(
                f"{text[place]!r} stands for nothing here", file=file, place=f"line {line}"
            )
        found, begin = match[0], line
        place = match.end()
        line += found.count("\n")
        match match.lastgroup:
            case "word":
                yield Token(Kind.WORD, found.upper(), begin)
            case "number":
                if len(found.lstrip("0")) > _MOST_DIGITS:
                    raise FormatError(
                        f"a number of {len(found)} digits is too large",
                        file=file,
                        place=f"line {begin}",
                    )
                yield Token(Kind.NUMBER, found, begin)
            case "sign":
                yield Token(Kind.SIGN, found, begin)
            case "quote":
                content, place = _string(text, place, file, begin)
                yield Token(Kind.STRING, content, begin)
                line += text.count("\n", match.end(), place)
    yield Token(Kind.END, "", line)


def _string(text: str, place: int, file: str, line: int) -> tuple[str, int]:
    r"""Return a string's content and the place behind its end.

    `\"` and `\\` are the character, `\ooo` is a byte; any other backslash is itself, as cdrdao
    writes titles (its issue 32).
    """
    pieces: list[str] = []
    while (match := _PIECE.match(text, place)) is not None:
        piece = match[0]
        place = match.end()
        if len(piece) == 4 and piece[0] == "\\":
            code = int(piece[1:], 8) & 0xFF
            if not code:
                raise FormatError("a string holds a NUL", file=file, place=f"line {line}")
            piece = chr(code) if code < 0x80 else chr(0xDC00 + code)
        elif len(piece) == 2 and piece[0] == "\\":
            piece = piece[1]
        pieces.append(piece)
    if place >= len(text):
        raise FormatError("a string has no end", file=file, place=f"line {line}")
    content = "".join(pieces)
    # Text, or bytes: a string that holds one byte which is no text is bytes altogether.
    if _BYTE.search(content):
        content = content.encode("utf-8", "surrogateescape").decode("ascii", "surrogateescape")
    return content, place + 1


_PLAIN: Final = re.compile(r"[ !#-\[\]-~]")


def quoted(text: str) -> str:
    r"""Return a string as every version of cdrdao reads it.

    A backslash is written as \134: behind a plain one, digits would be taken for an octal number.
    """
    return f'"{"".join(map(_written, text))}"'


def _written(character: str) -> str:
    code = ord(character)
    if character == '"':
        return '\\"'
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\{code - 0xDC00:03o}"
    if code >= 0x80 or _PLAIN.match(character):
        return character
    return f"\\{code:03o}"
