"""Discs read back from their recorded Q channel alone.

`scan` asks frames where they are, `toc` what there is, and `discs` puts a disc together.
"""

from __future__ import annotations

from rawcd.qscan.discs import ToldTracks as ToldTracks
from rawcd.qscan.discs import recover_disc as recover_disc
from rawcd.qscan.discs import told_tracks as told_tracks
from rawcd.qscan.scan import QScan as QScan

__all__ = ["QScan", "ToldTracks", "recover_disc", "told_tracks"]
