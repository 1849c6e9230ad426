"""Staging tracks and making a complete raw image of them (IMAPI: IRawCDImageCreator).

`hresults` is the table of IMAPI's codes, `material` takes sound from wherever it is, `layout`
says where it lies, `track` is IRawCDImageTrackInfo, `creator` is the whole.
"""

from __future__ import annotations

from rawcd.creator.creator import RawCDImageCreator
from rawcd.creator.track import TrackInfo

__all__ = ["RawCDImageCreator", "TrackInfo"]
