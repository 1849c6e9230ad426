"""How the command ends: these numbers stay what they are."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

FAILED: Final = 1
USAGE: Final = 2
FOUND: Final = 3
INTERRUPTED: Final = 130
TERMINATED: Final = 143

MEANINGS: Final = MappingProxyType(
    {
        0: "done",
        FAILED: "error: one line on stderr, and nothing was left behind",
        USAGE: "usage",
        FOUND: "done, and defects or differences were found",
        INTERRUPTED: "after Ctrl-C",
        TERMINATED: "after SIGTERM",
    }
)
"""What each tells."""
