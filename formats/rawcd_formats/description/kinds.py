"""What the values of a description may be: how each kind is called, and how it is read.

A reader is handed what `tomllib` gives, and returns what the creator takes.
"""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeGuard

from rawcd.cdtext import Charset, genre_code, language_code
from rawcd.disc import CopySetting, DiscType
from rawcd.image import ImageType
from rawcd.msf import FRAMES_PER_MINUTE, FRAMES_PER_SECOND, LAST_LBA, Msf
from rawcd.sector import SectorType
from rawcd.subcode.style import STYLES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_LENGTH: Final = re.compile(r"(\d{1,3}):([0-5]?\d):([0-6]?\d|7[0-4])", re.ASCII)
_LOOKS_LIKE_TIME: Final = re.compile(r"[\d:]+", re.ASCII)
MAX_SECTORS: Final = LAST_LBA + 151
"""No length is larger: a disc's program area ends at 89:59:74."""

_LONG_NUMBER: Final = 128


class WrongValue(ValueError):
    """A value is not of its kind; the message says what it is instead."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What a value may be.

    Attributes:
        said: how the documentation calls it.
        read: returns the value that was meant.
    """

    said: str
    read: Callable[[Any], Any]


def shown(value: object) -> str:
    """Return a value as a message calls it, not longer than a line."""
    match value:
        case str():
            said = f'"{value}"'
        case bool():
            said = "true" if value else "false"
        case dict():
            return "a table"
        case list():
            return "an array"
        case int() if value.bit_length() > _LONG_NUMBER:
            return f"a number of {value.bit_length()} bits"
        case datetime.time():
            return f'a time of day; write "{value.isoformat()}" in quotes'
        case _:
            said = str(value)
    said = said.encode("unicode_escape").decode() if not said.isprintable() else said
    return said if len(said) <= 60 else f"{said[:57]}..."


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise WrongValue(f"is a text in quotes, not {shown(value)}")
    return value


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise WrongValue(f"is true or false, not {shown(value)}")
    return value


def number(least: int, most: int) -> Kind:
    """Return the kind of whole numbers from `least` to `most`."""

    def read(value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise WrongValue(f"is a number from {least} to {most}, not {shown(value)}")
        return value

    return Kind(f"{least} to {most}", read)


def choice(names: Mapping[str, Any]) -> Kind:
    """Return the kind of names that stand for values."""

    def read(value: object) -> Any:
        name = value.lower() if isinstance(value, str) else ""
        if name not in names:
            raise WrongValue(f"is one of {_listed(names)}, not {shown(value)}")
        return names[name]

    return Kind(", ".join(f'`"{name}"`' for name in names), read)


def _listed(names: Mapping[str, Any]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _is_number(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def length(value: Any) -> int:
    """Return a length in sectors.

    Raises:
        WrongValue: it is none.
    """
    if _is_number(value):
        sectors = value
    else:
        found = _LENGTH.fullmatch(value) if isinstance(value, str) else None
        if found is None:
            raise WrongValue(f'is a number of sectors, or "mm:ss:ff", not {shown(value)}')
        minutes, seconds, frames = map(int, found.groups())
        sectors = minutes * FRAMES_PER_MINUTE + seconds * FRAMES_PER_SECOND + frames
    if not 0 <= sectors <= MAX_SECTORS:
        raise WrongValue(f"goes from 0 to {MAX_SECTORS} sectors, not {shown(value)}")
    return sectors


def _lengths(value: object) -> list[int]:
    if not isinstance(value, list):
        raise WrongValue(f"is an array of lengths, not {shown(value)}")
    return [length(item) for item in value]


def _length_or_file(value: object) -> int | str:
    if isinstance(value, str) and not _LOOKS_LIKE_TIME.fullmatch(value):
        return value
    try:
        return length(value)
    except WrongValue as error:
        raise WrongValue(
            f'is a number of sectors, "mm:ss:ff" or a sound file, not {shown(value)}'
        ) from error


def _address(value: object) -> int:
    if isinstance(value, str):
        try:
            return Msf.parse(value).to_lba()
        except ValueError as error:
            raise WrongValue(f"is an LBA or a disc time: {error}") from error
    if not _is_number(value):
        raise WrongValue(f'is an LBA, or a disc time "mm:ss:ff", not {shown(value)}')
    return value


def _coded(what: str, find: Callable[[str], int], most: int) -> Callable[[object], int]:
    """Return the reader of names of a table that may be given by their code as well."""

    def read(value: object) -> int:
        if _is_number(value):
            if 0 <= value <= most:
                return value
        elif isinstance(value, str):
            try:
                return find(value)
            except ValueError as error:
                raise WrongValue(f"names a {what}: {error}") from error
        raise WrongValue(f"is the name of a {what}, or its code 0 to {most}, not {shown(value)}")

    return read


def _hexadecimal(value: object) -> bytes:
    try:
        return bytes.fromhex(_text(value))
    except ValueError as error:
        raise WrongValue(f"is bytes in hexadecimal digits, not {shown(value)}") from error


def _date(value: object) -> int:
    if isinstance(value, datetime.datetime) and value.tzinfo is not None:
        return int(value.timestamp())
    raise WrongValue(f"is a date and time with its zone, not {shown(value)}")


TEXT: Final = Kind("text", _text)
FLAG: Final = Kind("`true`, `false`", _flag)
FILE: Final = Kind("file", _text)
FOLDER: Final = Kind("folder", _text)
LENGTH: Final = Kind("length", length)
LENGTHS: Final = Kind("array of lengths", _lengths)
LENGTH_OR_FILE: Final = Kind("length or file", _length_or_file)
ADDRESS: Final = Kind("LBA or disc time", _address)
LANGUAGE: Final = Kind("name or code", _coded("language", language_code, 0xFF))
GENRE: Final = Kind("name or code", _coded("genre", genre_code, 0xFFFF))
BYTES: Final = Kind("hexadecimal text", _hexadecimal)
DATE: Final = Kind("date and time", _date)
IMAGE_TYPE: Final = choice(
    {"pq": ImageType.PQ_ONLY, "cooked": ImageType.COOKED, "raw": ImageType.RAW}
)
STYLE: Final = choice({name: name for name in STYLES})
SESSION_TYPE: Final = choice(
    {"cd-rom": DiscType.CDDA_CDROM, "xa": DiscType.XA, "cd-i": DiscType.CDI}
)
TRACK_TYPE: Final = choice(
    {
        "audio": SectorType.AUDIO,
        "mode0": SectorType.MODE_ZERO,
        "mode1": SectorType.MODE1,
        "mode2": SectorType.MODE2FORM0,
        "form1": SectorType.MODE2FORM1,
        "form2": SectorType.MODE2FORM2,
        "mixed": SectorType.MODE2MIXED,
        "mode1-raw": SectorType.MODE1RAW,
        "mode2-raw": SectorType.MODE2FORM0RAW,
        "form1-raw": SectorType.MODE2FORM1RAW,
        "form2-raw": SectorType.MODE2FORM2RAW,
    }
)
COPY: Final = choice(
    {
        "permitted": CopySetting.PERMITTED,
        "prohibited": CopySetting.PROHIBITED,
        "scms": CopySetting.SCMS,
    }
)
CHARSET: Final = choice(
    {
        "iso-8859-1": Charset.ISO_8859_1,
        "ascii": Charset.ASCII,
        "ms-jis": Charset.MS_JIS,
    }
)
EMULATION: Final = choice({name: name for name in ("none", "floppy", "hard-disk")})
LEVEL: Final = number(1, 4)
WORD: Final = number(0, 0xFFFF)
BLOCK_SIZE: Final = number(1, 2352)
TRACK_NUMBER: Final = number(1, 99)
