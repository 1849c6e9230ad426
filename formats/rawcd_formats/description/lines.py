"""The text of a TOML file as values, and the line on which each of them stands.

`tomllib` reads the values and keeps no places, so the text is walked a second time: it is valid
then, and all that has to be known is where keys and values end (TOML 1.0.0).
"""

from __future__ import annotations

import codecs
import re
import tomllib
from typing import Any, Final

from rawcd.errors import FormatError

Path = tuple[str | int, ...]
"""Where a value is: keys, and places in arrays from 0 on."""

_PLACE: Final = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")
_LONG_NUMBER: Final = re.compile(r"[0-9][0-9_]{4299}")
"""What Python makes no number of, and says so without a place (`sys.set_int_max_str_digits`)."""
_SPACE: Final = re.compile(r"[ \t]*")
_BETWEEN: Final = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
"""What may stand between two statements, or two values of an array."""
_KEY: Final = re.compile(r"""[A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'""")
_SCALAR: Final = re.compile(
    r'"""(?:[^\\]|\\[\s\S])*?"{3,5}|' + r"'''[\s\S]*?'{3,5}|"
    r""""(?:[^"\\\n]|\\.)*"|'[^'\n]*'|[^\s,\]}#]+(?: [0-9][^\s,\]}#]*)?"""
)
"""A string of any kind, or a bare value: a date may have one space before its time."""


def parse(data: bytes, file: str) -> tuple[dict[str, Any], dict[Path, int]]:
    """Return the values of a TOML file, and the line of every key and table.

    Args:
        data: the file.
        file: its name, for messages.

    Raises:
        FormatError: it is no UTF-8 or no TOML; `.place` is the line.
    """
    data = data.removeprefix(codecs.BOM_UTF8)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise FormatError(
            f"a description is written in UTF-8, and byte {error.start} is not: {error.reason}",
            file=file,
            place=f"line {line}",
        ) from error
    text = text.replace("\r\n", "\n")
    try:
        return tomllib.loads(text), _Walk(text).run()
    except RecursionError as error:
        line = _deepest(text)
        raise FormatError(
            "is nested too deeply to be read", file=file, place=f"line {line}"
        ) from error
    except ValueError as error:  # tomllib.TOMLDecodeError is one; so are numbers without end
        raise _no_toml(error, text, file) from error


def _deepest(text: str) -> int:
    """Return the line that opens the most arrays and tables; tomllib does not tell where."""
    lines = text.split("\n")
    opened = [line.count("[") + line.count("{") for line in lines]
    return opened.index(max(opened)) + 1


def _no_toml(error: ValueError, text: str, file: str) -> FormatError:
    message = str(error)
    place = _PLACE.search(message)
    if place is None:
        digits = _LONG_NUMBER.search(text)
        line = text.count("\n", 0, digits.start() if digits else len(text)) + 1
        return FormatError(f"is no TOML: {message}", file=file, place=f"line {line}")
    line = int(place[1]) if place[1] else len(text.rstrip().split("\n"))
    return FormatError(
        f"is no TOML: {message[: place.start()]}; texts and times (mm:ss:ff) stand in quotes",
        file=file,
        place=f"line {line}",
    )


class _Walk:
    """One walk over a text that is valid TOML."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._line = 1
        self._counted = 0
        self._lines: dict[Path, int] = {(): 1}
        self._tables: dict[Path, int] = {}
        """How many tables each array of tables has so far."""

    def run(self) -> dict[Path, int]:
        table: Path = ()
        self._skip(_BETWEEN)
        while self._at < len(self._text):
            if self._next() == "[":
                table = self._header()
            else:
                self._pair(table)
            self._skip(_BETWEEN)
        return self._lines

    def _next(self) -> str:
        return self._text[self._at : self._at + 1]

    def _skip(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self._text, self._at)
        if found is None:  # tomllib read it, and this does not: the two disagree
            raise ValueError(f"cannot be followed (at line {self._here()}, column 1)")
        self._at = found.end()
        return found[0]

    def _here(self) -> int:
        """Return the line that has been reached."""
        self._line += self._text.count("\n", self._counted, self._at)
        self._counted = self._at
        return self._line

    def _header(self) -> Path:
        line = self._here()
        is_array = self._text.startswith("[[", self._at)
        self._at += 2 if is_array else 1
        *above, last = self._keys()
        self._at += 2 if is_array else 1
        path = (*self._enter((), above, line), last)
        if is_array:
            number = self._tables.get(path, 0)
            self._tables[path] = number + 1
            self._lines.setdefault(path, line)
            path = (*path, number)
            self._lines[path] = line
        elif path in self._tables:
            path = self._last(path)
        else:
            self._lines[path] = line
        return path

    def _enter(self, path: Path, keys: list[str], line: int) -> Path:
        """Return the table that some keys lead to from another, the last one of an array."""
        for key in keys:
            path = (*path, key)
            self._lines.setdefault(path, line)
            path = self._last(path)
        return path

    def _last(self, path: Path) -> Path:
        return (*path, self._tables[path] - 1) if path in self._tables else path

    def _keys(self) -> list[str]:
        keys = []
        while True:
            self._skip(_SPACE)
            key = self._skip(_KEY)
            keys.append(_unquoted(key))
            self._skip(_SPACE)
            if self._next() != ".":
                return keys
            self._at += 1

    def _pair(self, table: Path) -> None:
        line = self._here()
        *above, last = self._keys()
        self._at += 1  # the equals sign
        path = (*self._enter(table, above, line), last)
        self._lines[path] = line
        self._value(path)

    def _value(self, path: Path) -> None:
        self._skip(_SPACE)
        opening = self._next()
        if opening == "[":
            self._at += 1
            number = 0
            self._skip(_BETWEEN)
            while self._next() != "]":
                self._lines[*path, number] = self._here()
                self._value((*path, number))
                number += 1
                self._comma()
            self._at += 1
        elif opening == "{":
            self._at += 1
            self._skip(_BETWEEN)
            while self._next() != "}":
                self._pair(path)
                self._comma()
            self._at += 1
        else:
            self._skip(_SCALAR)

    def _comma(self) -> None:
        self._skip(_BETWEEN)
        if self._next() == ",":
            self._at += 1
            self._skip(_BETWEEN)


def _unquoted(key: str) -> str:
    if key[0] not in "\"'":
        return key
    (name,) = tomllib.loads(f"{key} = 0")
    return name
