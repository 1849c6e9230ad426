"""Discs without fault, recorded byte by byte, for faults to be planted in."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, BinaryIO, Final

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st

from rawcd.disc import CopySetting, Disc, DiscType, Session, Track, TrackMode
from rawcd.image import MainForm, Region, RegionImage, SubForm, SubRegion, blanks
from rawcd.sector import SectorType, encode, scramble
from rawcd.source import ArraySource
from rawcd.subcode import PackLine, PackPart, with_parity
from rawcd.subcode.frame import q_crc
from rawcd.subcode.style import STYLES
from tests.recordings import track, two_sessions
from tests.strategies import isrcs, mcns, noise_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rawcd.source import Bytes2D

KINDS: Final = {
    TrackMode.MODE0: SectorType.MODE_ZERO,
    TrackMode.MODE1: SectorType.MODE1,
    TrackMode.MODE2: SectorType.MODE2MIXED,
}
POSTGAP: Final = 150
FORM_2_AT: Final = 3
"""Of five XA sectors this one is of form 2."""


def examples(of_fifty: int) -> int:
    """How many examples where a profile has fifty; more at night, fewer in brief."""
    return max(1, settings().max_examples * of_fifty // 50)


@st.composite
def legal_discs(
    draw: st.DrawFn,
    *,
    sessions: int = 2,
    modes: Sequence[TrackMode] = (TrackMode.AUDIO, TrackMode.MODE1, TrackMode.MODE2),
    first: Sequence[TrackMode] = (),
    codes: bool = False,
) -> Disc:
    """Discs of sound and data that may be authored, and that no program is known to lose.

    Their lead-in is the shortest that there may be, so that many can be looked at.

    Args:
        draw: hypothesis'.
        sessions: most of them.
        modes: what tracks may be; a session has one mode of data.
        first: those of the first session's first tracks.
        codes: the disc has a catalogue number, and each sound track an ISRC.
    """
    made: list[Session] = []
    lead_in, program, number = -4_650, -150, 1
    for place in range(draw(st.integers(1, sessions))):
        data = draw(st.sampled_from(modes))
        wanted = () if place else tuple(first)
        data = next((mode for mode in wanted if mode is not TrackMode.AUDIO), data)
        tracks: list[Track] = []
        position = program
        before: TrackMode | None = None
        for ordinal in range(draw(st.integers(max(1, len(wanted)), 3))):
            mode = draw(st.sampled_from([data, data, TrackMode.AUDIO]))
            mode = wanted[ordinal] if ordinal < len(wanted) else mode
            gap = draw(st.sampled_from([0, 1, 75, 150, 226]))
            if not tracks:
                gap = 150
            elif mode is not before and mode is not TrackMode.AUDIO:
                gap = draw(st.sampled_from([225, 300]))
            start = position + gap
            length = draw(st.integers(500, 700))
            audio = mode is TrackMode.AUDIO
            tracks.append(
                track(
                    number,
                    *([position, start] if gap else [start]),
                    end=start + length,
                    pregap=bool(gap),
                    mode=mode,
                    copy=draw(st.sampled_from(CopySetting)) if audio else CopySetting.PROHIBITED,
                    pre_emphasis=audio and draw(st.booleans()),
                    isrc=draw(isrcs() if codes else st.none() | isrcs()) if audio else None,
                )
            )
            number += 1
            position = start + length
            before = mode
        made.append(
            Session(
                tracks=tuple(tracks),
                lead_in_lba=lead_in,
                lead_out_lba=position,
                lead_out_sectors=2_250 if place else 6_750,
                disc_type=DiscType.XA
                if all(each.mode is TrackMode.MODE2 for each in tracks)
                else DiscType.CDDA_CDROM,
            )
        )
        lead_in = made[-1].end_lba
        program = lead_in + 4_500
    return Disc(
        sessions=tuple(made),
        mcn=draw(mcns() if codes else st.none() | mcns()),
        appendable=draw(st.booleans()),
    )


def _content(kind: SectorType, lba: int, count: int, seed: int) -> Bytes2D:
    """Sectors of user data, scrambled; the last two seconds are empty."""
    size = 2_336 if kind is SectorType.MODE_ZERO else min(kind.block_sizes)
    user = noise_rows(count, size, seed=seed)
    if kind is SectorType.MODE2MIXED:
        forms = np.where(np.arange(count) % 5 == FORM_2_AT, 0x20, 0x08)
        user[:, :8] = 0
        user[:, 2] = user[:, 6] = forms
        user[-POSTGAP:, 8:] = 0
    elif kind is SectorType.MODE_ZERO:
        user[:] = 0
    else:
        user[-POSTGAP:] = 0
    return scramble(encode(kind, user, lba))


def content(disc: Disc, *, seed: int = 1, mode_2: SectorType) -> tuple[Region, ...]:
    """The main channel of a disc: something in every track from index 1 on."""
    kinds = KINDS | {TrackMode.MODE2: mode_2}
    regions: list[Region] = []
    position = disc.first_lba
    for each in disc.tracks:
        regions.extend(blanks(disc, position, each.start_lba))
        count = each.end_lba - each.start_lba
        rows = (
            noise_rows(count, seed=seed + each.number)
            if each.is_audio
            else _content(kinds[each.mode], each.start_lba, count, seed)
        )
        regions.append(
            Region(
                lba=each.start_lba,
                sectors=count,
                form=MainForm.DISC,
                source=ArraySource(rows.tobytes()),
            )
        )
        position = each.end_lba
    regions.extend(blanks(disc, position, disc.end_lba))
    return tuple(regions)


def made(
    disc: Disc,
    *,
    style: str = "standard",
    seed: int = 1,
    mode_2: SectorType = SectorType.MODE2MIXED,
) -> RegionImage:
    """The disc with content, its subcode made."""
    sub = SubRegion(lba=disc.first_lba, sectors=disc.end_lba - disc.first_lba, form=SubForm.MADE)
    image = RegionImage(disc=disc, main=content(disc, seed=seed, mode_2=mode_2), sub=(sub,))
    return image.with_style(style)


def two_tracks(**more: object) -> Disc:
    """Two tracks of sound with pregaps, and what else is given."""
    session = Session(
        tracks=(
            track(1, -150, 0, end=500, pregap=True),
            track(2, 500, 650, end=1_200, pregap=True),
        ),
        lead_in_lba=-4_650,
        lead_out_lba=1_200,
    )
    return replace(Disc(sessions=(session,)), **more)  # type: ignore[arg-type]  # any field


def graphics(disc: Disc, *, seed: int = 1) -> RegionImage:
    """A disc with CD+G packs of noise from LBA 0 on, on the disc as they have to be."""
    image = made(disc)
    count = disc.sessions[0].lead_out_lba
    packs = np.random.default_rng(seed).integers(0, 64, (count * 4, 24), np.uint8)
    packs[:, 0] = 9
    blocks = ArraySource(with_parity(packs).tobytes(), block_size=96)
    line = PackLine([PackPart(at=-disc.first_lba, source=blocks, count=count)], image.sector_count)
    sub = SubRegion(
        lba=disc.first_lba, sectors=image.sector_count, form=SubForm.RW, source=line, rw_packed=True
    )
    return replace(image, sub=(sub,))


class Recording:
    """An image as recorded: of any bytes, which tests write to, and of no description.

    Its `disc` is another than the one that is recorded: nobody may ask for it.
    """

    def __init__(self, image: RegionImage) -> None:
        self.first_lba, self.sector_count = image.first_lba, image.sector_count
        self.sector_size, self.kind, self.notes = image.sector_size, image.kind, image.notes
        self.disc = two_sessions().disc
        self._image = image
        self._written: dict[int, Bytes2D] = {}

    def sector(self, lba: int) -> Bytes2D:
        """One sector, (1, n), to be written to."""
        if lba not in self._written:
            row = np.empty((1, self.sector_size), np.uint8)
            self._image.read_into(lba, row)
            self._written[lba] = row
        return self._written[lba]

    def main(self, lba: int) -> Bytes2D:
        """Its main channel, (1, 2352)."""
        return self.sector(lba)[:, :2352]

    def sub(self, lba: int) -> Bytes2D:
        """Its subcode, (1, 96)."""
        return self.sector(lba)[:, 2352:]

    def q(self, lba: int) -> bytearray:
        """Its Q frame."""
        return bytearray(np.packbits(self.sub(lba) & 0x40, axis=1).tobytes())

    def put_q(self, lba: int, frame: bytes | bytearray, *, crc: bool = True) -> None:
        """Replace its Q frame; the CRC is made to fit."""
        body = bytes(frame[:10])
        whole = body + q_crc(body).to_bytes(2, "big") if crc else bytes(frame)
        bits = np.unpackbits(np.frombuffer(whole, np.uint8)) << 6
        sub = self.sub(lba)
        sub[:] = sub & 0xBF | bits

    def read(self, lba: int, count: int) -> bytes:
        rows = np.empty((count, self.sector_size), np.uint8)
        self._image.read_into(lba, rows)
        for at, row in self._written.items():
            if lba <= at < lba + count:
                rows[at - lba] = row
        return rows.tobytes()

    def open(self) -> BinaryIO:
        raise NotImplementedError


styles = st.sampled_from(sorted(STYLES))
