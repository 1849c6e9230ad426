"""What a disc's recorded bytes say, read as a whole: main channel headers and every Q frame.

`facts` looks at each sector, in several processes if asked; `chain` finds the places that the disc
goes through although frames are damaged; `reading` makes of it the `values` that are given out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rawcd.late import late_names

if TYPE_CHECKING:
    from rawcd.survey.reading import survey as survey
    from rawcd.survey.values import Run as Run
    from rawcd.survey.values import Survey as Survey
    from rawcd.survey.values import TocEntry as TocEntry
    from rawcd.survey.values import Told as Told

__all__ = ["Run", "Survey", "TocEntry", "Told", "survey"]

# A process that only looks needs `facts` alone.
__getattr__, __dir__ = late_names(
    __name__,
    {
        "rawcd.survey.reading": ("survey",),
        "rawcd.survey.values": ("Run", "Survey", "TocEntry", "Told"),
    },
)
