"""A recorder in memory or over a file that obeys MMC strictly: to rehearse burns, and to test.

`opening` reads its name. `unit` is what it has as a SCSI device, `device` what it does with a disc;
`medium` is the disc in it over `store`, `blanks` what blanks there are. `recording`, `sao` and
`tao` are the three ways of writing, `rawcheck` and `cuesheet` what is strict about them, `sectors`
and `leadin` what the drive makes by itself. `pages`, `answers`, `refusals` and `reading` are what
comes back; `clock` and `faults` the time it takes and what goes wrong.
"""

from __future__ import annotations

from rawcd_writers.drive.virtual.blanks import BLANKS, DEFAULT_BLANK, Blank, blank_named
from rawcd_writers.drive.virtual.clock import Clock
from rawcd_writers.drive.virtual.device import VirtualRecorder
from rawcd_writers.drive.virtual.faults import Fault, FaultKind
from rawcd_writers.drive.virtual.opening import open_virtual

__all__ = [
    "BLANKS",
    "DEFAULT_BLANK",
    "Blank",
    "Clock",
    "Fault",
    "FaultKind",
    "VirtualRecorder",
    "blank_named",
    "open_virtual",
]
