"""What the pictures of a disc show, read from its recorded bytes.

Nothing is taken from what an image's sheet says: where areas, tracks and indexes lie is the answer
of `rawcd.survey`, which reads Q and headers; sound, texts and graphics are read here, in one pass
over all sectors. What is kept of a sector is a hundred bytes.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from rawcd.disc import Area
from rawcd.image import ImageType
from rawcd.progress import part_of
from rawcd.progress import report as tell
from rawcd.pump.blocks import BLOCK_SECTORS
from rawcd.report.hidden import HiddenSound, hidden_sounds
from rawcd.report.spans import Span, drawable, spans_of
from rawcd.report.waves import Waves
from rawcd.sector import SYNC
from rawcd.source import SECTOR_BYTES
from rawcd.subcode.decoder import QTable, decode_q
from rawcd.subcode.layouts import PACK_SYMBOLS
from rawcd.subcode.packs import PackKind
from rawcd.subcode.rows import PW96_BYTES, RW_BITS
from rawcd.survey.facts import gather
from rawcd.survey.reading import survey_of
from rawcd.verify.evidence import Evidence
from rawcd.verify.reading import report_on

if TYPE_CHECKING:
    from rawcd.cdtext import CDText
    from rawcd.image import DiscImage
    from rawcd.progress import Progress
    from rawcd.source import Bytes2D
    from rawcd.subcode.rows import Flags
    from rawcd.survey import Run, Survey
    from rawcd.verify import Finding, Report

MOST_FINDINGS: Final = 300
"""Findings that are listed and drawn."""
_TEXT_SECTORS: Final = 1024
"""Twice the longest cycle of CD-TEXT: eight blocks of 256 packs, four packs a sector."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DiscReading:
    """A disc as it was read.

    Attributes:
        image: where it was read from; CD+G pictures are read again.
        survey: areas, tracks and indexes, catalogue number and codes.
        runs: those of the survey; on a disc with too many to be drawn, some put together.
        spans: the tracks, as the runs have them.
        waves: the sound.
        frames: the Q frame of every sector.
        p: whether P is set, of every sector.
        has_graphics: whether a sector has CD+G packs, of every sector.
        cdtext: the texts in the first lead-in; None where there are none.
        text_defects: what is wrong with their packs.
        checked: what verify found; None if it was not asked.
    """

    image: DiscImage
    survey: Survey
    runs: tuple[Run, ...]
    spans: tuple[Span, ...]
    waves: Waves
    frames: QTable
    p: Flags
    has_graphics: Flags
    cdtext: CDText | None
    text_defects: tuple[str, ...]
    checked: Report | None

    @property
    def first_lba(self) -> int:
        """LBA of the first sector."""
        return self.image.first_lba

    @property
    def end_lba(self) -> int:
        """One past the last sector."""
        return self.image.first_lba + self.image.sector_count

    def text(self, field: str, track: int) -> str:
        """Return the first language's text for a track (0: the album); empty where none is."""
        return (self.cdtext and self.cdtext.text(field, track)) or ""

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What verify found."""
        return () if self.checked is None else self.checked.findings

    @property
    def shown_findings(self) -> tuple[Finding, ...]:
        """Those that are listed and drawn: of too many the first of each rule, turn by turn."""
        findings, met = self.findings, Counter[str]()
        turns = []
        for place, finding in enumerate(findings):
            turns.append((met[finding.rule], place))
            met[finding.rule] += 1
        shown = sorted(place for _, place in sorted(turns)[:MOST_FINDINGS])
        return tuple(findings[place] for place in shown)

    @property
    def playing_sectors(self) -> int:
        """Sectors of sound, or of data where there is none, first pregaps apart."""
        found, session = 0, None
        for span in [span for span in self.spans if not span.is_data] or self.spans:
            found += span.end_lba - (span.lba if span.session == session else span.start_lba)
            session = span.session
        return found

    @property
    def has_pictures(self) -> bool:
        """Whether a track has CD+G; what lies outside the tracks is no player's."""
        places = ((s.start_lba - self.first_lba, s.end_lba - self.first_lba) for s in self.spans)
        return any(bool(self.has_graphics[first:end].any()) for first, end in places)

    def hidden_sounds(self) -> tuple[HiddenSound, ...]:
        """Return the pregaps that are not silent."""
        return tuple(hidden_sounds(self))


def rows_of(image: DiscImage, lba: int, count: int) -> Bytes2D:
    """Return sectors as they go to the disc, (count, sector_size).

    Raises:
        StorageError: they cannot be read.
    """
    fill = getattr(image, "read_into", None)
    if fill is None:
        whole = np.frombuffer(image.read(lba, count), np.uint8)
        return whole.reshape(count, image.sector_size)
    rows = np.empty((count, image.sector_size), np.uint8)
    fill(lba, rows)
    return rows


def read_disc(
    image: DiscImage,
    *,
    verified: bool = True,
    jobs: int = 1,
    progress: Progress | None = None,
) -> DiscReading:
    """Read a disc for its pictures.

    Args:
        image: the image.
        verified: let verify look for defects, too.
        jobs: processes that look for them, this one among them.
        progress: called with the sectors done and those to do; a sector counts once for each time
            it is read.

    Raises:
        StorageError: a sector cannot be read.
        CancelledError: `progress` said stop.
    """
    count = image.sector_count
    facts = gather(image, checks=verified, jobs=jobs, progress=part_of(progress, 0, 2 * count))
    surveyed = survey_of(facts, image)
    sectors = _Sectors(image)
    for start in range(0, count, BLOCK_SECTORS):
        sectors.take(start, min(BLOCK_SECTORS, count - start))
        tell(progress, count + min(start + BLOCK_SECTORS, count), 2 * count)
    runs = drawable(surveyed.runs)
    cdtext, defects = _texts(image, surveyed)
    return DiscReading(
        image=image,
        survey=surveyed,
        runs=runs,
        spans=spans_of(runs),
        waves=sectors.waves,
        frames=decode_q(np.ascontiguousarray(facts["q"])),
        p=facts["p"] > PW96_BYTES // 2,
        has_graphics=sectors.has_graphics,
        cdtext=cdtext,
        text_defects=defects,
        checked=report_on(Evidence(image, facts, surveyed)) if verified else None,
    )


class _Sectors:
    """Collects what is kept of each sector."""

    def __init__(self, image: DiscImage) -> None:
        count = image.sector_count
        self._image = image
        self.waves = Waves(image.first_lba, count)
        self.has_graphics = np.zeros(count, np.bool_)

    def take(self, start: int, count: int) -> None:
        """Take sectors, counted from the first."""
        image, place = self._image, slice(start, start + count)
        rows = rows_of(image, image.first_lba + start, count)
        main, sub = rows[:, :SECTOR_BYTES], rows[:, SECTOR_BYTES:]
        is_data = (main[:, : len(SYNC)] == np.frombuffer(SYNC, np.uint8)).all(axis=1)
        self.waves.take(image.first_lba + start, main, is_data)
        if image.kind is not ImageType.PQ_ONLY:
            heads = sub[:, ::PACK_SYMBOLS] & np.uint8(RW_BITS)  # symbol 0 of each pack
            self.has_graphics[place] = (heads == PackKind.TV_GRAPHICS).any(axis=1)


def _texts(image: DiscImage, surveyed: Survey) -> tuple[CDText | None, tuple[str, ...]]:
    """Return the texts in the first lead-in, and what is wrong with them."""
    from rawcd.cdtext import packs_of_symbols, read_packs

    lead_in = next((run for run in surveyed.runs if run.area is Area.LEAD_IN), None)
    if lead_in is None or image.kind is not ImageType.RAW:
        return None, ()
    rows = rows_of(image, lead_in.lba, min(lead_in.sectors, _TEXT_SECTORS))
    symbols = packs_of_symbols(rows[:, SECTOR_BYTES:].tobytes())
    if not symbols.packs:
        return None, symbols.defects
    reading = read_packs(symbols.packs)
    defects = (*symbols.defects, *(defect.message for defect in reading.defects))
    return reading.cdtext, defects
