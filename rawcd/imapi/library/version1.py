"""The table: IMAPI version 1 (imapi.h)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from rawcd.imapi.library.values import CoClass, Interface

INTERFACES: Final[tuple[Interface, ...]] = ()
CLASSES: Final[tuple[CoClass, ...]] = ()
