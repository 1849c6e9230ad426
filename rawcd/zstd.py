"""The door to the zstd library, which Python has from 3.14 on and an extra brings before."""

from __future__ import annotations

from contextlib import suppress
from importlib import import_module
from typing import Any, Final

from rawcd.errors import MissingExtraError

EXTRA: Final = "zstd"
"""The extra that brings zstd to Python before 3.14."""
_MODULES: Final = ("compression.zstd", "backports.zstd")


def zstd_library(what: str) -> Any:
    """Return the zstd library: Python's own, or the one of the extra.

    Args:
        what: what needs it, as the subject of the message: `"game.chd: hunks packed by zstd"`.

    Raises:
        MissingExtraError: there is none.
    """
    for name in _MODULES:
        with suppress(ImportError):
            return import_module(name)
    raise MissingExtraError(
        f"{what}: needs Python 3.14, or the library backports.zstd: pip install 'rawcd[{EXTRA}]'",
        extra=EXTRA,
    )
