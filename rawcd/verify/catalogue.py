"""The rules by which a recorded disc is judged, and how much a breach weighs.

Those of layout that must not be authored have their ids in `rawcd.rules` and are defects.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from rawcd.verify.values import Severity

_DEFECTS: Final = {
    # main channel: ECMA-130 clause 14, 20, annex A and B; Green Book
    "sync": "a data sector begins with the sync pattern",
    "header-address": "the header tells the sector's own address",
    "header-mode": "the header tells the mode of the track",
    "edc": "the EDC fits the bytes it covers",
    "p-parity": "every P codeword checks",
    "q-parity": "every Q codeword checks",
    "zeros": "bytes that must be zero are zero",
    "subheader": "the two copies of an XA subheader are equal",
    "unscrambled": "a data sector is scrambled",
    "scrambling": "a data sector is scrambled as a whole",
    "lost-sector": "a sector of a data track has a sync pattern or a header",
    "postgap": "data before another mode end in two empty seconds",
    # Q: IEC 60908 17.5, ECMA-130 22.3
    "no-place": "some Q frame can be read",
    "q-crc": "the CRC of a Q frame holds",
    "q-mode": "a Q frame is of mode 1, 2, 3 or, with pointers, 5",
    "q-bcd": "numbers and times of a Q frame are numbers and times",
    "q-track": "TNO is that of the track",
    "q-index": "INDEX is that of the place",
    "q-relative-time": "relative time counts to index 1 and from it",
    "q-absolute-time": "absolute time is the sector's address",
    "q-control": "CONTROL is the same all through a track",
    "q-frame-number": "AFRAME is the frame of the absolute time",
    "q-border": "where track or index change, the frame is of mode 1",
    "q-density": "nine frames of ten in a row are of mode 1",
    "countdown": "relative time in a pregap ends at 0, or as some writers have it at 1",
    # catalogue number and ISRC: IEC 60908 17.5.2, 17.5.3
    "mcn-invalid": "a catalogue number has 13 digits",
    "mcn-contradiction": "all frames tell the same catalogue number",
    "mcn-density": "of 100 frames in a row one tells the catalogue number",
    "isrc-invalid": "an ISRC has five letters or digits and seven digits",
    "isrc-contradiction": "all frames of a track tell the same ISRC",
    "isrc-density": "of 100 frames of a track in a row one tells its ISRC",
    "isrc-place": "neither lead-in nor lead-out tells an ISRC",
    # P: IEC 60908 17.4
    "p-flag": "P is set before a track begins and nowhere else",
    "p-wave": "P beats in the lead-out, or is silent there",
    "p-bits": "P is the same all through a sector",
    # table of contents: IEC 60908 17.5.1, ECMA-130 22.3.4, MMC
    "no-lead-in": "a disc begins with a lead-in",
    "toc-item": "all frames of an item tell the same",
    "toc-cycle": "items follow each other in a cycle, three frames each",
    "toc-running-time": "the lead-in's time runs on",
    "toc-missing": "the lead-in tells points A0, A1, A2 and every track",
    "toc-extra": "the lead-in tells of no track that there is not",
    "toc-first-track": "A0 tells the session's first track",
    "toc-last-track": "A1 tells the session's last track",
    "toc-lead-out": "A2 tells where the lead-out begins",
    "toc-track": "a track's item tells where its index 1 is",
    "toc-control": "an item has the CONTROL of its track",
    "toc-disc-type": "A0 tells the disc type 00h, 10h or 20h",
    "toc-next-session": "B0 tells where the next program area begins",
    "short-lead-out": "a lead-out has 6,750 sectors, in later sessions 2,250",
    "contradiction": "tracks, indexes and sessions fit each other",
    # CD-TEXT: MMC-3 annex J; R to W: IEC 60908 clause 18
    "cdtext-crc": "the CRC of a CD-TEXT pack holds",
    "cdtext": "packs of CD-TEXT are in order and their size information is true",
    "rw-parity": "the parity of an R-W pack holds",
    "rw-item": "an R-W pack has a mode and item that there are",
}
_WARNINGS: Final = {
    "q-zero": "bytes of a Q frame that should be zero are not; cdrecord leaves old ones there",
    "data-in-audio": "a data sector in an audio track: players sound it",
    "mcn-check-digit": "the catalogue number's check digit is wrong: some programs refuse it",
    "isrc-shape": "the ISRC has no country code of letters: some programs refuse it",
    "toc-first-lead-in": "C0 tells another lead-in than the one that the image begins with",
    "first-track-number": "the first track is not 1: cdrdao renumbers it, chdman refuses it",
    "hidden-sound": "sound before track 1: cdrdao drops it from a sheet, wodim misplaces it",
    "track-99": "track 99: libMirage loses it in CCD and MDS files",
    "four-channels": "no player sounds four channels; libcdio and chdman lose the bit",
    "many-indexes": "above index 1 bchunk begins a track at its last one, chdman loses them",
    "lead-out-late": "the lead-out begins behind 79:59:74: most blanks end there",
}
RULES: Final = MappingProxyType(
    dict.fromkeys(_DEFECTS, Severity.DEFECT) | dict.fromkeys(_WARNINGS, Severity.WARNING)
)
"""Every rule that `verify_image` judges by itself, with the weight of a breach."""
MEANINGS: Final = MappingProxyType(_DEFECTS | _WARNINGS)
"""What each of them says."""


def severity_of(rule: str) -> Severity:
    """Return the weight of a breach; the rules of authoring are defects all."""
    return RULES.get(rule, Severity.DEFECT)
