"""Images of which formats that copy discs have to keep everything: mixed, of several sessions."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, BinaryIO, Final

import numpy as np
from hypothesis import strategies as st

from rawcd.disc import CopySetting, Disc, DiscType, Index, Session, Track, TrackMode
from rawcd.image import MainForm, Region, RegionImage, SubForm, SubRegion, blanks, main_sectors
from rawcd.sector import scramble
from rawcd.source import ArraySource
from tests.oracles.blocks import blocks, sector
from tests.strategies import isrcs, mcns, noise_rows

if TYPE_CHECKING:
    from rawcd.source import Bytes2D

_STEP: Final = 2048
KINDS: Final = {
    TrackMode.MODE0: "MODE_ZERO",
    TrackMode.MODE1: "MODE1",
    TrackMode.MODE2: "MODE2MIXED",
}


def track(number: int, *lbas: int, end: int, pregap: bool = False, **more: object) -> Track:
    """A track with indexes from 1 on (from 0 on with a pregap) at these LBAs."""
    indexes = tuple(
        Index(number=index, lba=lba) for index, lba in enumerate(lbas, 0 if pregap else 1)
    )
    return Track(number=number, indexes=indexes, end_lba=end, **more)  # type: ignore[arg-type]  # any field


def second_session(first: Session, *tracks: tuple[int, int], pregap: int = 150) -> Session:
    """A session behind another, of tracks of these pregaps and lengths."""
    lead_in = first.end_lba
    position = lead_in + 4_500
    number = first.tracks[-1].number
    made = []
    for place, (gap, sectors) in enumerate(tracks, 1):
        gap = gap if place > 1 else pregap
        start = position + gap
        lbas = [position, start] if gap else [start]
        made.append(track(number + place, *lbas, end=start + sectors, pregap=bool(gap)))
        position = start + sectors
    return Session(
        tracks=tuple(made), lead_in_lba=lead_in, lead_out_lba=position, lead_out_sectors=2_250
    )


def _data_rows(mode: TrackMode, lba: int, count: int) -> Bytes2D:
    kind = KINDS[mode]
    size = 2352 if kind == "MODE_ZERO" else 2336 if mode is TrackMode.MODE2 else 2048
    if kind == "MODE_ZERO":
        made = [sector(kind, bytes(2336), lba + i) for i in range(count)]
    else:
        held = blocks(kind, size, count, seed=lba)
        made = [sector(kind, block, lba + i) for i, block in enumerate(held)]
    return np.frombuffer(b"".join(made), np.uint8).reshape(count, 2352)


def recorded(disc: Disc, *, seed: int = 1) -> RegionImage:
    """An image with content in every program area, as on the disc, and subcode made.

    A data track's pregap begins with noise that has no sync where the Disc says so; some of its
    sectors are no data sectors at all, others have wrong parity.
    """
    regions: list[Region] = []
    position = disc.first_lba
    for session in disc.sessions:
        start = max(session.program_lba + 150, 0)
        start = min(start, session.tracks[0].start_lba)
        regions.extend(blanks(disc, position, start))
        rows = noise_rows(session.lead_out_lba - start, seed=seed)
        for each in session.tracks:
            if not each.is_audio:
                first = max(each.first_lba, start)
                first += 75 if session.has_mode_change_head(each) else 0
                data = scramble(_data_rows(each.mode, first, each.end_lba - first))
                data[7::50, 2000] ^= 0xFF  # wrong parity
                data[9::50] = rows[first - start : each.end_lba - start][9::50]  # no data sector
                rows[first - start : each.end_lba - start] = data
        regions.append(
            Region(
                lba=start,
                sectors=len(rows),
                form=MainForm.DISC,
                source=ArraySource(rows.tobytes()),
            )
        )
        position = session.lead_out_lba
    regions.extend(blanks(disc, position, disc.end_lba))
    made = SubRegion(lba=disc.first_lba, sectors=disc.end_lba - disc.first_lba, form=SubForm.MADE)
    return RegionImage(disc=disc, main=tuple(regions), sub=(made,))


def with_subcode_noise(image: RegionImage, *, seed: int = 5) -> RegionImage:
    """The image with recorded subcode: in its tracks R-W noise, and some Q frames damaged."""
    rows = np.empty((image.sector_count, 96), np.uint8)
    image.read_sub_into(image.first_lba, rows)
    rng = np.random.default_rng(seed)
    inside = np.zeros(len(rows), bool)
    for session in image.disc.sessions:
        start = min(session.program_lba + 150, session.tracks[0].start_lba)
        inside[start - image.first_lba : session.lead_out_lba - image.first_lba] = True
    rows[inside] |= rng.integers(0, 64, (int(inside.sum()), 96), np.uint8)
    hit = inside & (rng.random(len(rows)) < 0.02)
    borders = {index.lba for each in image.disc.tracks for index in each.indexes}
    hit[[lba - image.first_lba for lba in borders]] = False
    # Of what stands only a few times on a short disc half is left alone.
    adr = np.packbits(rows & 0x40, axis=1)[:, 0] & 15
    for mode in (2, 3):
        hit[np.flatnonzero(adr == mode)[::2]] = False
    rows[np.flatnonzero(hit), 30] ^= 0x40
    source = ArraySource(rows.tobytes(), block_size=96)
    sub = SubRegion(
        lba=image.first_lba, sectors=image.sector_count, form=SubForm.RAW, source=source
    )
    return replace(image, sub=(sub,))


def assert_same_program(image: RegionImage, other: RegionImage) -> None:
    """Main channel and subcode are equal from each session's first stored sector on."""
    for session in image.disc.sessions:
        start = min(session.program_lba + 150, session.tracks[0].start_lba)
        for lba in range(start, session.lead_out_lba, _STEP):
            count = min(_STEP, session.lead_out_lba - lba)
            for plain in (False, True):
                left = main_sectors(image, lba, count, plain=plain)
                right = main_sectors(other, lba, count, plain=plain)
                differ = np.flatnonzero((left != right).any(axis=1))
                assert not differ.size, f"the main channel differs at LBA {lba + int(differ[0])}"
            subs = [np.empty((count, 96), np.uint8) for _ in range(2)]
            image.read_sub_into(lba, subs[0])
            other.read_sub_into(lba, subs[1])
            differ = np.flatnonzero((subs[0] != subs[1]).any(axis=1))
            assert not differ.size, f"the subcode differs at LBA {lba + int(differ[0])}"


@st.composite
def mixed_discs(draw: st.DrawFn, *, sessions: int = 2) -> Disc:
    """Discs of sound and data, of several sessions."""
    number = draw(st.sampled_from([1, 1, 5]))
    made: list[Session] = []
    lead_in, program = draw(st.sampled_from([-22_650, -11_634])), -150
    for place in range(draw(st.integers(1, sessions))):
        tracks: list[Track] = []
        position = program
        for _ in range(draw(st.integers(1, 3))):
            mode = draw(st.sampled_from(TrackMode))
            gap = draw(st.sampled_from([0, 75, 150, 225, 300]))
            if not tracks:
                gap = 150 + draw(st.sampled_from([0, 0, 75]))
            start = position + gap
            lbas = [position, start] if gap else [start]
            length = draw(st.integers(300, 400))
            if draw(st.booleans()):
                lbas += [start + 100, start + 101]
            audio = mode is TrackMode.AUDIO
            tracks.append(
                track(
                    number,
                    *lbas,
                    end=start + length,
                    pregap=bool(gap),
                    mode=mode,
                    copy=draw(st.sampled_from(CopySetting)) if audio else CopySetting.PROHIBITED,
                    pre_emphasis=audio and draw(st.booleans()),
                    isrc=draw(st.none() | isrcs()),
                )
            )
            number += 1
            position = start + length
        made.append(
            Session(
                tracks=tuple(tracks),
                lead_in_lba=lead_in,
                lead_out_lba=position,
                lead_out_sectors=2_250 if place else 6_750,
                disc_type=draw(st.sampled_from(DiscType)),
            )
        )
        lead_in = made[-1].end_lba
        program = lead_in + 4_500
    appendable = draw(st.booleans())
    if len(made) == 1 and not appendable:
        first = replace(made[0], lead_in_lba=-22_650)  # without C0 nothing tells where it began
        return Disc(sessions=(first,), mcn=draw(st.none() | mcns()))
    limit = draw(st.sampled_from([359_849, 333_000]))
    return Disc(
        sessions=tuple(made),
        mcn=draw(st.none() | mcns()),
        appendable=appendable,
        last_lead_out_lba=limit,
    )


def two_sessions() -> RegionImage:
    """Sound in two sessions, and nothing else that could be lost."""
    first = Session(tracks=(track(1, -150, 0, end=300, pregap=True),), lead_out_lba=300)
    return recorded(Disc(sessions=(first, second_session(first, (0, 320)))))


class BareImage:
    """The least that an image has to be: no read_into, no regions."""

    def __init__(self, made: RegionImage) -> None:
        self._made = made
        self.disc, self.kind, self.notes = made.disc, made.kind, made.notes
        self.first_lba, self.sector_count = made.first_lba, made.sector_count
        self.sector_size = made.sector_size

    def read(self, lba: int, count: int) -> bytes:
        return self._made.read(lba, count)

    def open(self) -> BinaryIO:
        return self._made.open()
