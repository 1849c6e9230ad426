"""What scripts take from `win32com.client.gencache`, which keeps type libraries: here are none."""

from __future__ import annotations

from typing import Any

from rawcd.imapi.objects import dispatch as EnsureDispatch

__all__ = ["EnsureDispatch", "EnsureModule"]


def EnsureModule(*_: Any, **__: Any) -> None:  # gencache's name
    """Do nothing: there is no type library to be read; `constants` has all of them."""
