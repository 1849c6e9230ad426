"""The character set of a sheet, by its bytes: no sheet names one.

A byte order mark decides, then UTF-8 where it is valid. What is left is a code page of Windows:
Shift-JIS (CP932) where two common Japanese characters stand side by side, which the pairs of
bytes of other languages do not come to; else CP1252.
"""

from __future__ import annotations

import codecs
import re
from itertools import pairwise
from typing import Final

from rawcd.errors import FormatError

SHIFT_JIS: Final = "cp932"
_UNTOLD: Final = "\ufffd"
_WESTERN: Final = "cp1252"
_BEYOND_ASCII: Final = re.compile(r"[^\x00-\x7f]{2,}")
_PRIVATE: Final = re.compile("[\ue000-\uf8ff]")
# Lead bytes of kana, full-width signs and the kanji of level 1 (JIS X 0208).
_COMMON_LEADS: Final = range(0x81, 0x98)
_KANA: Final = re.compile("[\u3041-\u30fe]{2}")


def decode(data: bytes, file: str) -> str:
    """Return a sheet's text.

    Args:
        data: the sheet.
        file: its name, for messages.

    Raises:
        FormatError: it is no text.
    """
    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
    ):
        if data.startswith(mark):
            try:
                return data[len(mark) :].decode(encoding)
            except UnicodeDecodeError as error:
                raise FormatError(
                    f"is no {encoding.upper()} text: {error.reason}",
                    file=file,
                    place=f"offset {len(mark) + error.start}",
                ) from error
    if b"\0" in data:
        raise FormatError(
            "holds NUL bytes: it is no text", file=file, place=f"offset {data.index(0)}"
        )
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        pass
    if is_shift_jis(data):
        return data.decode(SHIFT_JIS)
    return data.decode(_WESTERN, errors="replace")  # five bytes have no character there


def replaced_bytes(data: bytes, file: str) -> int:
    """Return how many bytes `decode` cannot tell.

    Raises:
        FormatError: it is no text.
    """
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return decode(data, file).count(_UNTOLD)
    return 0


def is_shift_jis(data: bytes) -> bool:
    """Tell whether `decode` takes bytes as Shift-JIS, which is a guess."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        pass
    else:
        return False
    try:
        text = data.decode(SHIFT_JIS)
    except UnicodeDecodeError:
        return False
    if data.startswith((codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return False
    if _PRIVATE.search(text):
        return False
    return any(_is_japanese(run) for run in _BEYOND_ASCII.findall(text))


def _is_japanese(run: str) -> bool:
    """Tell whether two common characters follow each other; a row of one sign is none."""
    if _KANA.search(run):
        return True
    common = [_is_common(character) for character in run]
    return any(
        both and before != after
        for both, (before, after) in zip(map(all, pairwise(common)), pairwise(run), strict=True)
    )


def _is_common(character: str) -> bool:
    code = character.encode(SHIFT_JIS, "replace")
    return len(code) == 2 and code[0] in _COMMON_LEADS
