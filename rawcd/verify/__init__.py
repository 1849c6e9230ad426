"""Whether a disc is as it should be, told from its bytes alone, and what can be mended.

`reading` has every sector looked at and asks the checks: `main` for data sectors, `frames`,
`codes` and `pflag` for Q and P, `leadin` for the table of contents, `texts` for R to W,
`structure` for the disc as a whole. `catalogue` lists their rules, `collecting` gathers what they
find, `values` is what comes out. `repair` writes an image in which what could be is mended.
"""

from __future__ import annotations

from rawcd.verify.catalogue import MEANINGS as MEANINGS
from rawcd.verify.catalogue import RULES as RULES
from rawcd.verify.reading import verify_image as verify_image
from rawcd.verify.repair import Repair as Repair
from rawcd.verify.repair import repair_image as repair_image
from rawcd.verify.values import Finding as Finding
from rawcd.verify.values import Report as Report
from rawcd.verify.values import Severity as Severity

__all__ = [
    "MEANINGS",
    "RULES",
    "Finding",
    "Repair",
    "Report",
    "Severity",
    "repair_image",
    "verify_image",
]
