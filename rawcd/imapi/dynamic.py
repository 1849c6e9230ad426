"""What scripts take from `win32com.client.dynamic`: late binding, as all binding is here."""

from __future__ import annotations

from rawcd.imapi.objects import dispatch as Dispatch

__all__ = ["Dispatch"]
