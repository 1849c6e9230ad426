"""Elements of a page or a picture: every text that goes into one is escaped on its way.

The texts of a disc are a stranger's. `Markup` is what has been made here; every other `str` is
text.
"""

from __future__ import annotations

import html
import re
from importlib.resources import files
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

_UNSEEN: Final = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""Control characters, those that turn the direction of what follows, and no characters at all."""
_VOID: Final = frozenset({"br", "img", "input", "link", "meta"})


class Markup(str):
    """Text that is markup already."""

    __slots__ = ()


Child = str | int | None
"""What may stand in an element; None stands for nothing."""


def plain(text: str) -> str:
    r"""Return a text that is one line and commands no screen: what cannot be shown is `\xNN`."""
    return _UNSEEN.sub(_spelled, text)


def _spelled(match: re.Match[str]) -> str:
    code = ord(match[0])
    if 0xDC80 <= code <= 0xDCFF:  # a byte that was no text
        code -= 0xDC00
    return f"\\x{code:02X}" if code < 0x100 else f"\\u{code:04X}"


def escaped(child: Child) -> Markup:
    """Return a child as markup."""
    if child is None:
        return Markup()
    if isinstance(child, Markup):
        return child
    return Markup(html.escape(plain(str(child))))


def joined(children: Iterable[Child]) -> Markup:
    """Return children one after another."""
    return Markup("".join(map(escaped, children)))


def tag(name: str, /, *children: Child, **attributes: str | float | bool | None) -> Markup:
    """Return an element.

    Args:
        name: its name.
        children: what is in it.
        attributes: underscores become hyphens, one at the end goes: `class_`. None and False leave
            one out, True writes it without a value.
    """
    head = [name]
    for key, value in attributes.items():
        if value is None or value is False:
            continue
        word = key.rstrip("_").replace("_", "-")
        shown = f"{value:.6g}" if isinstance(value, float) else escaped(str(value))
        head.append(word if value is True else f'{word}="{shown}"')
    start = f"<{' '.join(head)}>"
    return Markup(start) if name in _VOID else Markup(f"{start}{joined(children)}</{name}>")


def stylesheet(name: str) -> str:
    """Return a file of this package: a style sheet, or the page's script."""
    return files("rawcd.report").joinpath(name).read_text(encoding="utf-8")
