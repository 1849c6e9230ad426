"""Findings as they come in, joined where they lie in a row, and no more than a few of each rule."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

import numpy as np

from rawcd.verify.catalogue import severity_of
from rawcd.verify.values import Finding

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from rawcd.survey import Run, Survey

    Lbas = npt.NDArray[np.int64]
    Flags = npt.NDArray[np.bool_]
    Message = str | Callable[[int], str]
    """What a finding says: the same of all, or by the address of its first sector."""

MOST_OF_A_RULE: Final = 1_000
"""Findings of one rule that are kept; the others are counted."""


class Findings:
    """Collects findings; memory does not depend on how many there are."""

    def __init__(self, survey: Survey) -> None:
        self._runs = survey.runs
        self._starts = np.array([run.lba for run in survey.runs])
        self._kept: dict[str, list[Finding]] = {}
        self._ends: dict[str, int] = {}
        self._more: Counter[str] = Counter()

    def run_at(self, lba: int) -> Run:
        """Return the run in which a sector lies."""
        place = int(np.searchsorted(self._starts, lba, side="right")) - 1
        return self._runs[max(place, 0)]

    def add(self, rule: str, lba: int | None, message: str, **about: int | None) -> None:
        """Add one finding; `about` are its fields beside these."""
        kept = self._kept.setdefault(rule, [])
        if len(kept) >= MOST_OF_A_RULE:
            self._more[rule] += 1
            return
        run = None if lba is None else self.run_at(lba)
        fields = {
            "session": None if run is None else run.session,
            "track": None if run is None else run.track,
            "sectors": 1,
        }
        fields.update(about)
        kept.append(
            Finding(
                rule=rule,
                severity=severity_of(rule),
                lba=lba,
                sectors=fields["sectors"] or 1,
                session=fields["session"],
                track=fields["track"],
                message=message,
            )
        )
        self._ends[rule] = (lba or 0) + (fields["sectors"] or 1)

    def add_where(
        self,
        rule: str,
        flags: Flags,
        first_lba: int,
        message: Message,
        *,
        asked: Flags | None = None,
    ) -> None:
        """Add a finding for each row of sectors of a stretch that a rule was broken in.

        Stretches come in rising order; a row that goes on from one to the next is joined.

        Args:
            rule: the rule.
            flags: (n,), where it is broken.
            first_lba: the first sector's address.
            message: what the findings say.
            asked: (n,), which sectors have a say at all; those between do not end a row.
        """
        places = np.flatnonzero(flags)
        if not len(places):
            return
        if asked is None:
            breaks = np.diff(places) > 1
        else:
            said = np.cumsum(asked)
            breaks = np.diff(said[places]) > 1
        cuts = np.flatnonzero(breaks) + 1
        firsts = places[np.concatenate([[0], cuts])]
        lasts = places[np.concatenate([cuts - 1, [len(places) - 1]])]
        kept = self._kept.get(rule, [])
        begin = 0
        if kept and self._goes_on(rule, first_lba, int(firsts[0]), asked):
            before = kept[-1]
            assert before.lba is not None
            sectors = int(lasts[0]) + 1 + first_lba - before.lba
            kept[-1] = Finding(
                rule=rule,
                severity=before.severity,
                lba=before.lba,
                sectors=sectors,
                session=before.session,
                track=before.track,
                message=before.message,
            )
            self._ends[rule] = before.lba + sectors
            begin = 1
        room = max(MOST_OF_A_RULE - len(kept), 0)
        self._more[rule] += max(len(firsts) - begin - room, 0)
        for first, last in zip(
            firsts[begin : begin + room].tolist(), lasts[begin : begin + room].tolist(), strict=True
        ):
            lba = first + first_lba
            text = message if isinstance(message, str) else message(lba)
            self.add(rule, lba, text, sectors=last - first + 1)
        if asked is not None and not asked[lasts[-1] + 1 :].any():
            self._ends[rule] = first_lba + len(flags)  # what follows may go on

    def _goes_on(self, rule: str, first_lba: int, first: int, asked: Flags | None) -> bool:
        """Tell whether a row that ended with the stretch before begins this one."""
        kept = self._kept[rule]
        if len(kept) >= MOST_OF_A_RULE and self._more[rule]:
            return False
        lba = kept[-1].lba
        if lba is None or self._ends[rule] != first_lba:
            return False
        return first == 0 or (asked is not None and not asked[:first].any())

    def listed(self) -> tuple[Finding, ...]:
        """Return all that were kept: the whole disc's first, then by address and rule."""
        found = [each for kept in self._kept.values() for each in kept]
        return tuple(
            sorted(
                found,
                key=lambda each: (
                    each.lba is not None,
                    each.lba or 0,
                    each.rule,
                    each.track or 0,
                    each.message,
                ),
            )
        )

    def left_out(self) -> tuple[tuple[str, int], ...]:
        """Return the rules of which more was found than is listed, and how much more."""
        return tuple(sorted((rule, count) for rule, count in self._more.items() if count))
