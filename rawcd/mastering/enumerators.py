"""Enumerators as COM has them: snapshots that are stepped through (IEnumDiscRecorders, ...)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, Self, TypeVar

from rawcd.hresults import HResult
from rawcd.mastering.refusals import refusal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Item = TypeVar("Item")


class Enumerator(Generic[Item]):
    """What there was when it was asked for; it does not change with what comes and goes.

    In Python it is simply iterated over, which leaves its position alone.

    ```python
    for recorder in master.enum_disc_recorders(): ...
    code, [first] = master.enum_disc_recorders().next(1)
    ```
    """

    def __init__(self, items: Sequence[Item]) -> None:
        self._items = tuple(items)
        self._at = 0

    def __repr__(self) -> str:
        return f"Enumerator({list(self._items)!r})"

    def __iter__(self) -> Iterator[Item]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def next(self, count: int = 1) -> tuple[HResult, tuple[Item, ...]]:
        """Return the next items (Next), with S_FALSE where fewer are left than were asked for.

        Raises:
            MasteringError: the count is negative (E_INVALIDARG).
        """
        at = self._at
        code = self.skip(count)
        return code, self._items[at : self._at]

    def skip(self, count: int) -> HResult:
        """Pass over items (Skip); S_FALSE where fewer are left.

        Raises:
            MasteringError: the count is negative, or no number (E_INVALIDARG).
        """
        whole = isinstance(count, int)  # a script may pass anything
        if not whole or count < 0:
            raise refusal(HResult.E_INVALIDARG, f"{count!r} items cannot be had")
        left = len(self._items) - self._at
        self._at += min(count, left)
        return HResult.S_OK if count <= left else HResult.S_FALSE

    def reset(self) -> None:
        """Begin again (Reset)."""
        self._at = 0

    def clone(self) -> Self:
        """Return another over the same snapshot, at the same place (Clone)."""
        twin = type(self)(self._items)
        twin._at = self._at
        return twin
