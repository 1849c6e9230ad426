"""File names of texts that anybody may have written."""

from __future__ import annotations

import re
import sys
import unicodedata
from typing import TYPE_CHECKING, Final

from rawcd.cdtext.charsets import shown

if TYPE_CHECKING:
    from collections.abc import Collection

_MOST_BYTES: Final = 180
"""Of a stem in UTF-8: file systems take 255, and temporary names are longer."""
# What Windows refuses in a name, and what leads elsewhere.
_REFUSED: Final = re.compile(r'[<>:"/\\|?*]')
_SPACES: Final = re.compile(r"\s+")


def safe_stem(number: int, text: str | None, *, taken: Collection[str]) -> str:
    """Return a file name without suffix: a track's number, and what of a text can be in a name.

    It holds no separator, control or direction sign and nothing that this system's names cannot
    hold, does not end in a dot or space, is no device's name, and differs from those that are
    taken by more than case.

    Args:
        number: the track's.
        text: its title, or None.
        taken: stems in use, casefolded.
    """
    words = "" if text is None else _SPACES.sub(" ", shown(text))
    words = "".join(sign for sign in words if unicodedata.category(sign)[0] != "C")
    encoding = sys.getfilesystemencoding()
    words = unicodedata.normalize("NFC", words).encode(encoding, "replace").decode(encoding)
    words = _REFUSED.sub("_", words).strip(" .")
    whole = f"{number:02} {words}".strip()
    for copy in range(1, len(taken) + 2):
        mark = "" if copy == 1 else f" ({copy})"
        stem = _cut(whole, _MOST_BYTES - len(mark)) + mark
        if stem.casefold() not in taken:
            return stem
    raise AssertionError("more copies than names")


def _cut(text: str, most: int) -> str:
    """Return as much of a text as fits, no letter cut in two."""
    held = text.encode()[:most]
    return held.decode(errors="ignore").rstrip(" .")
