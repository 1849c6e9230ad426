"""Texts as the bytes of a CD-TEXT block, and back.

Bytes that are no text in a block's character set, or whose character set is not known here,
are kept: ASCII stands as itself, every other byte as a lone surrogate U+DC80..U+DCFF (what
Python calls `surrogateescape`). Such a text is written back as the same bytes, cannot be taken
for a text in Unicode, and `TextItem.shown` spells it out.
"""

from __future__ import annotations

import re
import unicodedata
from enum import IntEnum
from typing import TYPE_CHECKING, Final

from rawcd.errors import FormatError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rawcd.subcode.style import Errors


class Charset(IntEnum):
    """Character codes of size information, byte 0 (MMC-3 annex J; Sony input sheet 0.7T).

    libburn and Sony's sheet number Korean 81h and Mandarin 82h, cdrdao 82h and 83h; as no two
    sources agree what their bytes are, both are kept as raw bytes.
    """

    ISO_8859_1 = 0x00
    ASCII = 0x01
    MS_JIS = 0x80
    KOREAN = 0x81
    MANDARIN = 0x82


_NAMES: Final[dict[int, str]] = {
    Charset.ISO_8859_1: "ISO 8859-1",
    Charset.ASCII: "ASCII",
    Charset.MS_JIS: "MS-JIS",
    Charset.KOREAN: "Korean",
    Charset.MANDARIN: "Mandarin",
}
_RAW: Final = re.compile("[\udc80-\udcff]")

# Half-width forms get their full-width partner: in a double-byte text every character takes
# two bytes. Quotes become those of JIS X 0208, whose own two are only in IBM's extension.
_FULL_WIDTH: Final = {code: code + 0xFEE0 for code in range(0x21, 0x7F)} | {
    0x20: 0x3000,
    ord('"'): 0x201D,
    ord("'"): 0x2019,
    0xA5: 0xFFE5,  # yen sign
    0x203E: 0xFFE3,  # overline
}
_HALF_WIDTH_KANA: Final = re.compile("[\uff61-\uff9f]+")
_REPLACEMENT: Final = "?"
_PLAINER: Final = {
    "\u2018": "'",
    "\u2019": "'",
    "\u201a": ",",
    "\u201c": '"',
    "\u201d": '"',
    "\u201e": '"',
    "\u2010": "-",
    "\u2011": "-",
    "\u2012": "-",
    "\u2013": "-",
    "\u2014": "-",
    "\u2026": "...",
    "\u20ac": "EUR",
    "\xdf": "ss",
    "\xe6": "ae",
    "\xc6": "AE",
    "\xf8": "o",
    "\xd8": "O",
    "\u0142": "l",
    "\u0141": "L",
    "\u0153": "oe",
    "\u0152": "OE",
}


def charset_name(charset: int) -> str:
    """Return what a message calls a character set."""
    return _NAMES.get(charset, f"character code {charset:02X}h")


def charset_of(code: int) -> int:
    """Return a known code as a `Charset`, another as it is."""
    try:
        return Charset(code)
    except ValueError:
        return code


def width_of(charset: int) -> int:
    """Return how many bytes a character takes: codes from 80h on are double byte."""
    return 2 if charset & 0x80 else 1


def is_raw(text: str) -> bool:
    """Tell whether a text holds bytes that were no text (see the head of this module)."""
    return _RAW.search(text) is not None


def shown(text: str) -> str:
    r"""Return a text that can be printed: raw bytes as `\xNN`."""
    return _RAW.sub(lambda match: f"\\x{ord(match[0]) - 0xDC00:02x}", text)


def encode_text(text: str, charset: int, *, errors: Errors = "strict") -> bytes:
    """Return a text's bytes, without terminator.

    MS-JIS is Music Shift-JIS (the Japanese record industry's RIS 506, whose own signs are not
    known here); code page 932 stands for it. All its characters take two bytes (redbook.md 4.1:
    double-byte texts, positions counted in characters; so do Rimage's guide to CD-TEXT and
    libcueify), so ASCII and half-width katakana become full-width, and are read back so. Discs
    with single bytes among the double exist (redumper, issue 39) and are read. JIS X 0208
    characters that code page 932 takes from other places of Unicode (wave dash, minus sign,
    ...) are found through Shift-JIS.

    Args:
        text: what to encode.
        charset: the code, as in `Charset`.
        errors: "replace" writes a plainer character, the letter without its accent, or a
            question mark where the set lacks one.

    Raises:
        UnicodeEncodeError: a character is not in the set, is a NUL, or raw bytes would end
            the text early.
    """
    if is_raw(text):
        return _raw_bytes(text, width_of(charset))
    text = widened(text, charset)
    out = bytearray()
    for place, character in enumerate(text):
        code = _code(character, charset)
        if code is None and errors == "replace":
            code = _replaced(character, charset)
        if code is None:
            raise UnicodeEncodeError(
                "CD-TEXT", text, place, place + 1, f"not in {charset_name(charset)}"
            )
        out += code
    return bytes(out)


def _code(character: str, charset: int) -> bytes | None:
    if character == "\0":
        return None
    if charset == Charset.ISO_8859_1:
        return bytes((ord(character),)) if ord(character) < 0x100 else None
    if charset != Charset.MS_JIS:
        return character.encode() if character.isascii() else None
    for codec in ("cp932", "shift_jis"):
        try:
            code = character.encode(codec)
        except UnicodeEncodeError:
            continue
        if len(code) == 2:
            return code
    return None


def _replaced(character: str, charset: int) -> bytes:
    bare = unicodedata.normalize("NFKD", character)
    near = _PLAINER.get(character) or "".join(c for c in bare if not unicodedata.combining(c))
    if charset == Charset.MS_JIS:
        near = near.translate(_FULL_WIDTH)
    codes = [_code(part, charset) for part in near]
    if codes and None not in codes:
        return b"".join(code for code in codes if code)
    mark = _REPLACEMENT.translate(_FULL_WIDTH) if charset == Charset.MS_JIS else _REPLACEMENT
    code = _code(mark, charset) or b""
    return code.ljust(width_of(charset), b"?")


def _raw_bytes(text: str, width: int) -> bytes:
    raw = text.encode("ascii", "surrogateescape")
    if len(raw) % width:
        raise UnicodeEncodeError("CD-TEXT", text, 0, len(text), "an odd number of raw bytes")
    for place in range(0, len(raw), width):
        if not any(raw[place : place + width]):
            raise UnicodeEncodeError("CD-TEXT", text, place, place + 1, "a terminator")
    return raw


def decode_text(raw: bytes, charset: int, *, double_byte: bool) -> tuple[str, str]:
    """Return the text of bytes without terminator, and what is wrong with them ("" if nothing).

    Args:
        raw: the bytes.
        charset: the code, as in `Charset`.
        double_byte: how the pack was flagged; single-byte characters in such a text are read
            and reported.
    """
    if charset == Charset.ISO_8859_1:
        text = raw.decode("latin-1")
        return _without_nul(text, raw, "")
    if charset == Charset.ASCII:
        # Many discs say ASCII and mean the larger set, and players show it so.
        trouble = "" if raw.isascii() else "bytes above 7Fh in ASCII, read as ISO 8859-1"
        return _without_nul(raw.decode("latin-1"), raw, trouble)
    if charset != Charset.MS_JIS:
        return raw.decode("ascii", "surrogateescape"), ""
    try:
        text = raw.decode("cp932")
    except UnicodeDecodeError:
        return raw.decode("ascii", "surrogateescape"), f"{raw.hex(' ')} is no MS-JIS"
    narrow = double_byte and len(raw) != 2 * len(text)
    trouble = "single-byte characters in a double-byte text" if narrow else ""
    return _without_nul(text, raw, trouble)


def _without_nul(text: str, raw: bytes, trouble: str) -> tuple[str, str]:
    if "\0" in text:
        return text.replace("\0", ""), f"{raw.hex(' ')} has a NUL inside"
    return text, trouble


_SHEET_NAMES: Final[dict[int, str]] = {
    Charset.ISO_8859_1: "8859",
    Charset.ASCII: "ASCII",
    Charset.MS_JIS: "MS-JIS",
}
_SHEET_CODECS: Final[dict[int, tuple[str, str]]] = {
    Charset.ISO_8859_1: ("latin-1", "strict"),
    Charset.ASCII: ("ascii", "strict"),
    Charset.MS_JIS: ("cp932", "strict"),
}


def sheet_name(charset: int) -> str:
    """Return the Text Code of a Sony input sheet; a number where there is no name."""
    return _SHEET_NAMES.get(charset, f"0x{charset:02x}")


def charset_of_sheet(name: str) -> int:
    """Return the character code of a Sony input sheet's Text Code.

    Raises:
        FormatError: it is none of ASCII, 8859, MS-JIS, Korean, Mandarin and 0xNN.
    """
    folded = name.upper()
    if re.fullmatch("0X[0-9A-F]{2}", folded):
        return charset_of(int(folded, 16))
    for part, charset in (
        ("8859", Charset.ISO_8859_1),
        ("ASCII", Charset.ASCII),
        ("JIS", Charset.MS_JIS),
        ("KOREAN", Charset.KOREAN),
        ("MANDARIN", Charset.MANDARIN),
    ):
        if part in folded:
            return charset
    raise FormatError(f"unknown text code {name!r}")


def sheet_codec(charset: int) -> tuple[str, str]:
    """Return codec and error handler for the lines of a sheet in a character set."""
    return _SHEET_CODECS.get(charset, ("ascii", "surrogateescape"))


def plainer_line(line: str, charset: int) -> str:
    """Return a sheet's line with plainer characters, or question marks, where the set lacks one."""
    codec, errors = sheet_codec(charset)

    def plainer(character: str) -> str:
        try:
            character.encode(codec, errors)
        except UnicodeEncodeError:
            return _replaced(character, charset).decode(codec)
        return character

    return "".join(map(plainer, line))


def widened(text: str, charset: int) -> str:
    """Return a text as it reads when it comes back from packs: full-width in MS-JIS."""
    if charset != Charset.MS_JIS or is_raw(text):
        return text
    text = _HALF_WIDTH_KANA.sub(lambda run: unicodedata.normalize("NFKC", run[0]), text)
    return text.translate(_FULL_WIDTH)


def fitting_charset(texts: Iterable[str]) -> Charset:
    """Return the plainest character set that holds all texts; ISO 8859-1 where none does."""
    together = "".join(texts)
    for charset in (Charset.ISO_8859_1, Charset.MS_JIS):
        try:
            encode_text(together, charset)
        except ValueError:
            continue
        return charset
    return Charset.ISO_8859_1
