"""Discs and images of any legal shape, short enough that a test may make hundreds."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

import numpy as np
from hypothesis import strategies as st

from rawcd.cdtext import CDText, TextBlock, TextItem, fitting_charset
from rawcd.disc import CopySetting, Disc, Index, Session, Track
from rawcd.image import ImageType, MainForm, Region, RegionImage, SubForm, SubRegion
from rawcd.source import SECTOR_BYTES, ArraySource

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rawcd.source import Bytes2D, Source

IMAGE_LEAD_IN = -22_650
"""MSF 95:00:00."""
PROGRAM = -150
"""MSF 00:00:00."""
LEAD_OUT_SECTORS = 6_750
FOUR_SECONDS = 300
TEXT_FIELDS = ("title", "performer", "songwriter")

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
DIGITS = "0123456789"


def ean_check_digit(twelve: str) -> str:
    """The 13th digit: the weights are 1, 3, 1, 3, ..., and all comes to a multiple of ten."""
    total = sum(map(int, twelve[0::2])) + 3 * sum(map(int, twelve[1::2]))
    return str((10 - total % 10) % 10)


def mcns() -> st.SearchStrategy[str]:
    """Catalogue numbers with a right check digit; thirteen zeros would be none."""
    twelve = st.text(DIGITS, min_size=12, max_size=12).filter(lambda digits: digits.strip("0"))
    return twelve.map(lambda digits: digits + ean_check_digit(digits))


def isrcs() -> st.SearchStrategy[str]:
    return st.builds(
        lambda *parts: "".join(parts),
        st.text(LETTERS, min_size=2, max_size=2),
        st.text(LETTERS + DIGITS, min_size=3, max_size=3),
        st.text(DIGITS, min_size=7, max_size=7),
    )


def texts() -> st.SearchStrategy[str]:
    """Titles: one line, no control characters."""
    return st.text(st.characters(exclude_categories=("C", "Zl", "Zp")), min_size=1, max_size=20)


@dataclass(frozen=True)
class _Shape:
    """A track before it has its place: sectors before index 1, from it, and offsets above it."""

    pregap: int
    sectors: int
    offsets: tuple[int, ...]


@st.composite
def _shapes(draw: st.DrawFn, *, least: int, sectors: int, offsets: int) -> _Shape:
    pregap = draw(st.sampled_from([0, 1, 75, 150, 151]) | st.integers(0, 220))
    length = draw(st.integers(least, max(least, sectors)))
    places = st.integers(1, length - 1)
    found = draw(st.lists(places, max_size=min(offsets, length - 1), unique=True))
    if offsets > 90 and length > 98 and draw(st.booleans()):
        found = list(range(1, 99))  # indexes 2 to 99, a sector each
    return _Shape(pregap, length, tuple(sorted(found)))


@st.composite
def discs(
    draw: st.DrawFn,
    *,
    max_tracks: int = 5,
    least_sectors: int = FOUR_SECONDS,
    lead_ins: Sequence[int] = (IMAGE_LEAD_IN,),
    lead_out_sectors: Sequence[int] = (LEAD_OUT_SECTORS,),
    titles: bool = True,
) -> Disc:
    """Audio discs of one session that may be authored.

    Args:
        draw: hypothesis'.
        max_tracks: most of them; one disc in a dozen has 99 very plain ones if this is 99.
        least_sectors: shortest track; below 300 the disc may exist, but not be authored.
        lead_ins: where the lead-in may begin.
        lead_out_sectors: how long the lead-out may be.
        titles: there may be CD-TEXT.
    """
    if max_tracks == 99 and draw(st.integers(0, 11)) == 0:
        plain = _Shape(draw(st.sampled_from([0, 2, 150])), least_sectors, ())
        shapes = [plain] * 99
    else:
        # One track may have all its indexes; in the others a few will do.
        few = _shapes(least=least_sectors, sectors=least_sectors + 150, offsets=4)
        full = _shapes(least=least_sectors, sectors=least_sectors + 150, offsets=98)
        shapes = draw(st.lists(few, min_size=0, max_size=min(max_tracks, 5) - 1))
        shapes.insert(draw(st.integers(0, len(shapes))), draw(full))
    first_number = draw(st.just(1) | st.integers(1, 100 - len(shapes)))
    first_start = draw(st.just(0) | st.integers(0, 400))
    lengths = [shape.pregap + shape.sectors for shape in shapes]
    lengths[0] = first_start + shapes[0].sectors
    ends = list(accumulate(lengths))
    tracks = []
    for place, (shape, end) in enumerate(zip(shapes, ends, strict=True)):
        start = end - shape.sectors
        first = PROGRAM if place == 0 else start - shape.pregap
        lbas = [first, start] if first < start else [start]
        numbers = range(2 - len(lbas), 2 + len(shape.offsets))
        lbas += [start + offset for offset in shape.offsets]
        tracks.append(
            Track(
                number=first_number + place,
                indexes=tuple(
                    Index(number=number, lba=lba) for number, lba in zip(numbers, lbas, strict=True)
                ),
                end_lba=end,
                copy=draw(st.sampled_from(CopySetting)),
                pre_emphasis=draw(st.booleans()),
                four_channel=draw(st.booleans()),
                isrc=draw(st.none() | isrcs()),
            )
        )
    session = Session(
        tracks=tuple(tracks),
        lead_in_lba=draw(st.sampled_from(lead_ins)),
        lead_out_lba=ends[-1],
        lead_out_sectors=draw(st.sampled_from(lead_out_sectors)),
    )
    numbers = range(first_number, first_number + len(tracks))
    return Disc(
        sessions=(session,),
        mcn=draw(st.none() | mcns()),
        cdtext=draw(cdtexts(numbers)) if titles else None,
    )


@st.composite
def cdtexts(draw: st.DrawFn, numbers: Sequence[int]) -> CDText | None:
    """English titles and names of some tracks, by track and field, in a character set for them."""
    named = draw(st.sets(st.sampled_from([0, *numbers]), max_size=4))
    items = tuple(
        TextItem(field=name, track=number, text=draw(texts()))
        for number in sorted(named)
        for name in TEXT_FIELDS
        if draw(st.booleans())
    )
    charset = fitting_charset(item.text for item in items)
    return CDText(blocks=(TextBlock(items=items, charset=charset),)) if items else None


@dataclass(frozen=True, kw_only=True)
class PatternSource:
    """Blocks that tell their own number, and are never silent."""

    block_count: int
    salt: int = 1
    block_size: int = SECTOR_BYTES
    name: str = "<pattern>"

    def read(self, start: int, count: int) -> bytes:
        if not 0 <= start <= start + count <= self.block_count:
            raise ValueError(f"{count} from {start} of {self.block_count}")
        numbers = np.arange(start, start + count)[:, None]
        bytes_ = np.arange(self.block_size)[None, :]
        rows = ((numbers * 7 + bytes_ * (1 + numbers // 256) + self.salt) & 0xFF).astype(np.uint8)
        rows[:, :4] = np.arange(start, start + count, dtype="<u4").view(np.uint8).reshape(-1, 4)
        rows[:, 4] = 0xA5
        return rows.tobytes()


def noise_rows(count: int, width: int = SECTOR_BYTES, *, seed: int = 1) -> Bytes2D:
    return np.random.default_rng(seed).integers(0, 256, (count, width), np.uint8)


@st.composite
def sources(draw: st.DrawFn, count: int) -> Source:
    seed = draw(st.integers(0, 255))
    if draw(st.booleans()):
        return ArraySource(noise_rows(count, seed=seed).tobytes())
    return PatternSource(block_count=count, salt=seed)


def image_of(
    disc: Disc,
    *,
    source: Source | None = None,
    from_lba: int = 0,
    kind: ImageType = ImageType.RAW,
) -> RegionImage:
    """A disc with sound from an LBA to its lead-out, silence elsewhere, and subcode made."""
    last = disc.sessions[-1].lead_out_lba
    sound = source or PatternSource(block_count=last - from_lba)
    regions = (
        Region(lba=disc.first_lba, sectors=from_lba - disc.first_lba, form=MainForm.ZERO),
        Region(lba=from_lba, sectors=last - from_lba, form=MainForm.DISC, source=sound),
        Region(lba=last, sectors=disc.end_lba - last, form=MainForm.ZERO),
    )
    made = SubRegion(lba=disc.first_lba, sectors=disc.end_lba - disc.first_lba, form=SubForm.MADE)
    return RegionImage(disc=disc, main=regions, sub=(made,), kind=kind)


@st.composite
def images(
    draw: st.DrawFn,
    of: st.SearchStrategy[Disc] | None = None,
    *,
    sound_before_zero: bool = False,
    kinds: Sequence[ImageType] = (ImageType.RAW,),
    styles: Sequence[str] = ("standard",),
) -> RegionImage:
    """Images of such discs, sound in every sector from LBA 0 (or before) to the lead-out.

    Args:
        draw: hypothesis'.
        of: the discs.
        sound_before_zero: there may be sound in the first 150 sectors of the first pregap.
        kinds: forms of the subcode.
        styles: presets of it.
    """
    disc = draw(discs() if of is None else of)
    from_lba = draw(st.sampled_from([0, PROGRAM, -1])) if sound_before_zero else 0
    source = draw(sources(disc.sessions[-1].lead_out_lba - from_lba))
    image = image_of(disc, source=source, from_lba=from_lba, kind=draw(st.sampled_from(kinds)))
    return image.with_style(draw(st.sampled_from(styles)))


@st.composite
def cuts(draw: st.DrawFn, total: int, *, most: int = 8) -> list[int]:
    """Lengths that come to `total`; some of them may be 0."""
    places = draw(st.lists(st.integers(0, total), max_size=most))
    edges = [0, *sorted(places), total]
    return [after - before for before, after in pairwise(edges)]
