"""Names of a package that are imported when they are first asked for (PEP 562).

A disc can be described without numpy, and a worker process does without what it needs not.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping


def late_names(
    package: str, homes: Mapping[str, Iterable[str]]
) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """Return what a package calls `__getattr__` and `__dir__`.

    Type checkers look at neither: the package imports the same names where only they look. `dir`
    shows what is in `__all__`.

    Args:
        package: the package's `__name__`.
        homes: modules, and the names that they define; those under the package itself are its own
            modules.
    """
    home_of = {name: home for home, names in homes.items() for name in names}

    def load(name: str) -> object:
        home = home_of.get(name)
        if home is None:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        if home == package:
            return import_module(f"{package}.{name}")
        value = getattr(import_module(home), name)
        setattr(sys.modules[package], name, value)  # asked for once
        return value

    def names() -> list[str]:
        return sorted(sys.modules[package].__all__)

    return load, names
