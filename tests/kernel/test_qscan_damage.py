"""Law: one damaged frame or header does not keep a complete recording from being opened."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from rawcd.disc import Disc, Session, TrackMode
from rawcd.errors import FormatError
from rawcd.qscan import recover_disc
from rawcd.source import ArraySource, SilenceSource
from rawcd.subcode.frame import q_crc
from tests.recordings import recorded, second_session, track

if TYPE_CHECKING:
    from collections.abc import Callable

    from rawcd.source import Bytes2D

FIRST = Session(
    tracks=(
        track(1, -150, 0, 300, 420, end=700, pregap=True),
        track(2, 700, end=1_100),
        track(3, 1_100, 1_325, end=1_800, pregap=True, mode=TrackMode.MODE1),
    ),
    lead_in_lba=-4_650,
    lead_out_lba=1_800,
)
DISC = Disc(sessions=(FIRST, second_session(FIRST, (150, 400), (75, 500))), appendable=True)
BORDERS = [*DISC.borders()]


@pytest.fixture(scope="module")
def sectors() -> Bytes2D:
    """Every sector of the disc."""
    image = recorded(DISC)
    held = np.frombuffer(image.read(image.first_lba, image.sector_count), np.uint8)
    return held.reshape(image.sector_count, -1).copy()


@pytest.fixture(scope="module")
def main(sectors: Bytes2D) -> ArraySource:
    return ArraySource(sectors[:, :2352].tobytes())


def put_q(sub: Bytes2D, number: int, change: Callable[[bytearray], None]) -> None:
    """Change a sector's Q frame; the CRC is made to fit."""
    frame = bytearray(np.packbits(sub[number] & 0x40).tobytes())
    change(frame)
    whole = bytes(frame[:10]) + q_crc(bytes(frame[:10])).to_bytes(2, "big")
    sub[number] = sub[number] & 0xBF | np.unpackbits(np.frombuffer(whole, np.uint8)) << 6


def other_tno(frame: bytearray) -> None:
    frame[1] ^= 0x08


def other_index(frame: bytearray) -> None:
    frame[2] ^= 0x08


def other_mode(frame: bytearray) -> None:
    frame[0] |= 15


def areas(disc: Disc) -> list[tuple[int, int, int, int]]:
    """Where each session's areas begin."""
    return [
        (each.lead_in_lba, each.program_lba, each.lead_out_lba, each.end_lba)
        for each in disc.sessions
    ]


@pytest.mark.parametrize("change", [other_tno, other_index, other_mode, None])
@pytest.mark.parametrize("lba", sorted({*BORDERS[:-1], *(lba - 1 for lba in BORDERS[1:])}))
def test_a_frame_at_a_border_moves_no_area(
    sectors: Bytes2D, main: ArraySource, lba: int, change: Callable[[bytearray], None] | None
) -> None:
    sub = sectors[:, 2352:].copy()
    if change is None:
        sub[lba - DISC.first_lba, 90] ^= 0x40
    else:
        put_q(sub, lba - DISC.first_lba, change)
    found = recover_disc(ArraySource(sub.tobytes(), block_size=96), main)
    assert areas(found) == areas(DISC)
    assert [each.start_lba for each in found.tracks] == [each.start_lba for each in DISC.tracks]
    if change is not other_index:  # what the frame of an index tells of it is all that tells
        lbas = [index.lba for each in found.tracks for index in each.indexes]
        told = [index.lba for each in DISC.tracks for index in each.indexes]
        assert np.abs(np.subtract(lbas, told)).max() <= 1


@pytest.mark.parametrize(
    ("point", "place", "value"),
    [
        (0xA0, 7, 0x0A),  # no BCD
        (0xA0, 8, 0x30),  # no disc type
        (0xA1, 7, 0x04),  # a track that the session has not
        (0x02, 2, 0x01),  # a track that no item tells
        (0x02, 7, 0x50),  # behind the lead-out
        (0x01, 0, 0x41),  # data without any header
    ],
)
def test_where_a_toc_cannot_be_the_program_counts(
    sectors: Bytes2D, main: ArraySource, point: int, place: int, value: int
) -> None:
    sub = sectors[:, 2352:].copy()
    q = np.packbits(sub[: FIRST.program_lba - FIRST.lead_in_lba] & 0x40, axis=1)
    for number in np.flatnonzero((q[:, 0] & 15 == 1) & (q[:, 2] == point)).tolist():
        put_q(sub, number, lambda frame: frame.__setitem__(place, value))
    doubts: list[str] = []
    source = ArraySource(sub.tobytes(), block_size=96)
    assert recover_disc(source, main, doubt=doubts.append) == DISC
    assert len(doubts) == 1


@pytest.mark.parametrize("place", [4, 15])
def test_the_first_header_of_a_data_track_is_not_the_only_one(sectors: Bytes2D, place: int) -> None:
    main = sectors[:, :2352].copy()
    main[DISC.track(3).start_lba - DISC.first_lba, place] ^= 2
    sub = ArraySource(sectors[:, 2352:].tobytes(), block_size=96)
    assert recover_disc(sub, ArraySource(main.tobytes())) == DISC


def test_a_data_track_without_any_header_is_refused(sectors: Bytes2D) -> None:
    sub = ArraySource(sectors[:, 2352:].tobytes(), block_size=96)
    with pytest.raises(FormatError, match="none of the first 16 sectors of a data track"):
        recover_disc(sub, SilenceSource(block_count=len(sectors)))
