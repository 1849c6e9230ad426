"""What a disc's recorded bytes say, read as a whole: main channel headers and every Q frame.

`facts` looks at each sector, in several processes if asked; `chain` finds the places that the disc
goes through although frames are damaged; `reading` makes of it the `values` that are given out.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rawcd.survey.reading import survey as survey
    from rawcd.survey.values import Run as Run
    from rawcd.survey.values import Survey as Survey
    from rawcd.survey.values import TocEntry as TocEntry
    from rawcd.survey.values import Told as Told

__all__ = ["Run", "Survey", "TocEntry", "Told", "survey"]


def __getattr__(name: str) -> object:
    """Import them when they are first asked for: a process that only looks needs `facts` alone."""
    if name in __all__:
        home = "reading" if name == "survey" else "values"
        return getattr(import_module(f"{__name__}.{home}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
