"""P and Q of whole discs: against other writers' streams, and against the rules."""

from __future__ import annotations

import hashlib
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rawcd.disc import CopySetting, Disc, Index, Session, Track, TrackMode
from rawcd.msf import Msf
from rawcd.pq import ProgramChannels
from rawcd.subcode import STYLES, Style
from rawcd.subcode.frame import QCatalog, QIsrc, QPointer, QPosition, parse_q
from rawcd.subcode.rows import Bytes2D, Flags, pq16_of


def channels(disc: Disc, style: Style, lba: int, count: int) -> tuple[Bytes2D, Flags]:
    q = np.empty((count, 12), np.uint8)
    p = np.empty(count, bool)
    ProgramChannels(disc, style).fill(lba, q, p)
    return q, p


def ranges_of(p: Flags, first_lba: int) -> list[list[int]]:
    edges = np.flatnonzero(np.diff(p.astype(np.int8), prepend=0, append=0)) + first_lba
    return [[int(a), int(b) - 1] for a, b in edges.reshape(-1, 2)]


def cdrdao_disc() -> Disc:
    """The disc of the vectors' TOC file: two tracks, a pregap of a second, index 2 at 02:30."""
    return Disc(
        mcn="1234567890123",
        sessions=(
            Session(
                lead_in_lba=-11634,
                lead_out_lba=825,
                tracks=(
                    Track(
                        number=1,
                        indexes=(Index(number=0, lba=-150), Index(number=1, lba=0)),
                        end_lba=300,
                        copy=CopySetting.PERMITTED,
                        isrc="USABC2500017",
                    ),
                    Track(
                        number=2,
                        indexes=(
                            Index(number=0, lba=300),
                            Index(number=1, lba=375),
                            Index(number=2, lba=555),
                        ),
                        end_lba=825,
                    ),
                ),
            ),
        ),
    )


def cdrecord_disc() -> Disc:
    """The disc of the vectors' command line: a Mode 1 track, then audio with a pregap."""
    return Disc(
        mcn="1234567890123",
        sessions=(
            Session(
                lead_in_lba=-11634,
                lead_out_lba=620,
                tracks=(
                    Track(
                        number=1,
                        mode=TrackMode.MODE1,
                        indexes=(Index(number=0, lba=-150), Index(number=1, lba=0)),
                        end_lba=170,
                    ),
                    Track(
                        number=2,
                        indexes=(Index(number=0, lba=170), Index(number=1, lba=320)),
                        end_lba=620,
                        isrc="USABC2500017",
                    ),
                ),
            ),
        ),
    )


def stream_channels(stream: dict[str, Any], disc: Disc, style: str) -> tuple[Bytes2D, Flags]:
    first, last = stream["first_lba"], stream["last_lba"]
    return channels(disc, Style.preset(style), first, last - first + 1)


def test_cdrdao_s_stream_with_16_bytes_comes_out_whole(vectors: dict[str, Any]) -> None:
    stream = vectors["raw_dao_streams"][0]
    q, p = stream_channels(stream, cdrdao_disc(), "cdrdao")
    rows = pq16_of(q, p, crc_inverted=False)
    assert hashlib.sha256(rows[:, :12].tobytes()).hexdigest() == stream["q_sha256"]
    assert hashlib.sha256(rows.tobytes()).hexdigest() == stream["sub_sha256"]
    listed = stream["p_set_ranges"]
    assert ranges_of(p, stream["first_lba"])[: len(listed)] == listed


def test_cdrdao_s_stream_with_96_bytes_has_our_q(vectors: dict[str, Any]) -> None:
    stream = vectors["raw_dao_streams"][1]
    q, p = stream_channels(stream, cdrdao_disc(), "cdrdao")
    assert hashlib.sha256(q.tobytes()).hexdigest() == stream["q_sha256"]
    listed = stream["p_set_ranges"]
    assert ranges_of(p, stream["first_lba"])[: len(listed)] == listed


def test_cdrecord_s_stream_agrees_in_every_listed_frame(vectors: dict[str, Any]) -> None:
    stream = vectors["raw_dao_streams"][2]
    q, p = stream_channels(stream, cdrecord_disc(), "cdrecord")
    for spot in stream["spots"]:
        row = spot["lba"] - stream["first_lba"]
        assert (spot["lba"], q[row].tobytes().hex(), int(p[row])) == (
            spot["lba"],
            spot["q"],
            spot["p"],
        )
    listed = stream["p_set_ranges"]
    assert ranges_of(p, stream["first_lba"])[: len(listed)] == listed


def one_session(
    tracks: list[tuple[int | None, int, list[int]]], lead_out: int, **of_all: Any
) -> Disc:
    """Return a disc of tracks given as (index 0 or None, index 1, later indexes)."""
    made = []
    firsts = [start if pregap is None else pregap for pregap, start, _ in tracks]
    for number, (pregap, start, later) in enumerate(tracks, 1):
        indexes = [] if pregap is None else [Index(number=0, lba=pregap)]
        indexes += [Index(number=n, lba=lba) for n, lba in enumerate([start, *later], 1)]
        end = firsts[number] if number < len(tracks) else lead_out
        made.append(Track(number=number, indexes=tuple(indexes), end_lba=end, **of_all))
    return Disc(sessions=(Session(tracks=tuple(made), lead_out_lba=lead_out),), mcn="4006381333931")


@st.composite
def discs(draw: st.DrawFn) -> Disc:
    """Discs whose indexes may stand anywhere, one sector apart included."""
    tracks: list[tuple[int | None, int, list[int]]] = []
    lba = -150
    for number in range(draw(st.integers(1, 4))):
        least = 0 if number else 150
        pregap = draw(st.integers(least, 400))
        start = lba + pregap
        later, at = [], start
        for step in draw(st.lists(st.integers(1, 100), max_size=6)):
            at += step
            later.append(at)
        tracks.append((lba if pregap else None, start, later))
        lba = at + draw(st.integers(1, 400))
    copy = draw(st.sampled_from(CopySetting))
    return one_session(tracks, lba, copy=copy, isrc="USRC17607839")


styles = st.builds(
    Style,
    countdown_ends_at=st.integers(0, 1),
    p_lag=st.integers(0, 1),
    p_least=st.sampled_from([0, 150]),
    mcn_at=st.sampled_from([(90, 0), (100, 99), (7, 3)]),
    isrc_at=st.sampled_from([(90, 50), (100, 49), (11, 5)]),
    toc_pointers_first=st.booleans(),
    lead_in_time_of_address=st.booleans(),
)


@given(discs(), styles, st.data())
def test_any_cut_gives_the_same_channels(disc: Disc, style: Style, data: st.DataObject) -> None:
    first = disc.sessions[0].program_lba - 700
    count = disc.end_lba - first
    whole_q, whole_p = channels(disc, style, first, count)
    start = data.draw(st.integers(0, count - 1))
    size = data.draw(st.integers(1, min(count - start, 300)))
    q, p = channels(disc, style, first + start, size)
    np.testing.assert_array_equal(q, whole_q[start : start + size])
    np.testing.assert_array_equal(p, whole_p[start : start + size])


@given(discs())
def test_every_frame_says_where_it_lies(disc: Disc) -> None:
    """A slow second road: each frame parsed, against `Disc.place`."""
    first, end = disc.sessions[0].program_lba, disc.sessions[0].lead_out_lba + 400
    q, _ = channels(disc, Style(), first, end - first)
    borders = set(disc.borders())
    for lba, row in zip(range(first, end), q, strict=True):
        frame = parse_q(row.tobytes())
        place = disc.place(lba)
        if isinstance(frame, (QCatalog, QIsrc)):
            assert lba not in borders
            assert frame.frame == Msf.from_lba(lba).frame
            assert isinstance(frame, QCatalog) or place.track is not None
            continue
        assert isinstance(frame, QPosition)
        assert frame.absolute == Msf.from_lba(lba)
        assert (frame.track, frame.index) == (
            place.track or 0xAA,
            1 if place.index is None else place.index,
        )
        countdown = place.index == 0
        expected = -place.relative - 1 if countdown else place.relative
        assert frame.relative.to_frames() == expected


@given(discs())
def test_scms_alternates_four_sectors_off_and_four_on(disc: Disc) -> None:
    q, _ = channels(disc, Style(), -150, disc.sessions[0].lead_out_lba + 150)
    bits = (q[:, 0] & 0x20) != 0
    lbas = np.arange(-150, disc.sessions[0].lead_out_lba)
    setting = disc.tracks[0].copy
    expected = {
        CopySetting.PERMITTED: np.ones(len(lbas), bool),
        CopySetting.PROHIBITED: np.zeros(len(lbas), bool),
        CopySetting.SCMS: lbas % 8 >= 4,
    }[setting]
    np.testing.assert_array_equal(bits, expected)


def positions(q: Bytes2D, first: int, adr: int) -> list[int]:
    return [int(row) + first for row in np.flatnonzero((q[:, 0] & 15) == adr)]


@pytest.mark.parametrize("lead_out", [700, 749, 750, 751, 801])
def test_catalogue_number_and_isrc_come_once_in_a_hundred_sectors(lead_out: int) -> None:
    disc = one_session([(-150, 0, [90, 180]), (270, 360, []), (None, 680, [690])], lead_out)
    disc_isrc = one_session(
        [(-150, 0, [90, 180]), (270, 360, []), (None, 680, [690])], lead_out, isrc="USRC17607839"
    )
    session = disc.sessions[0]
    q, _ = channels(disc, Style(), -150, session.end_lba + 150)
    found = positions(q, -150, 2)
    gaps = [b - a for a, b in pairwise([-151, *found, session.end_lba])]
    assert max(gaps) <= 100
    q, _ = channels(disc_isrc, Style(), -150, session.end_lba + 150)
    found = positions(q, -150, 3)
    assert max(found) < lead_out
    gaps = [b - a for a, b in pairwise([-151, *found, lead_out])]
    assert max(gaps) <= 100
    assert not set(found) & set(disc.borders())


@pytest.mark.parametrize("style", [Style(), STYLES["cdrecord"]])
def test_an_isrc_that_indexes_push_does_not_take_the_catalogue_number_s_place(
    style: Style,
) -> None:
    """Indexes 2 to 99 in sectors 1 to 98: both slots move behind them."""
    disc = one_session([(-150, 0, list(range(1, 99)))], 400, isrc="USRC17607839")
    q, _ = channels(disc, style, 0, 400)
    period = style.mcn_at[0]
    for adr in (2, 3):
        found = positions(q, 0, adr)
        assert 99 <= found[0] <= 101
        assert max(b - a for a, b in pairwise(found)) <= period
    assert not set(positions(q, 0, 2)) & set(positions(q, 0, 3))


@given(discs(), styles)
def test_every_track_with_room_tells_its_isrc(disc: Disc, style: Style) -> None:
    """Tracks shorter than the period, too: there is nothing else in Q to keep the code."""
    q, _ = channels(disc, style, -150, disc.sessions[0].lead_out_lba + 150)
    found = positions(q, -150, 3)
    assert not set(found) & set(disc.borders())
    for track in disc.tracks:
        inside = range(track.start_lba, track.end_lba)
        free = set(inside) - set(disc.borders()) - set(positions(q, -150, 2))
        assert not free or any(lba in inside for lba in found), track


def test_p_is_the_start_flag() -> None:
    disc = one_session([(-150, 0, []), (None, 1000, []), (2000, 2300, [])], 3000)
    _, p = channels(disc, Style(), -150, 3000 + 150 + 400)
    on = {
        *range(-150, 1),  # the pregap, and the first sector of index 1
        *range(850, 1001),  # two seconds before a track without a pregap
        *range(2000, 2301),  # a pregap of four seconds, whole
        *range(2850, 3001),  # the lead-out's start flag
    }
    wave = {
        lba
        for lba in range(3150, 3400)
        if (lba - 3150) // 19 % 2 == 0  # 2 Hz, on first
    }
    expected = [lba in on | wave for lba in range(-150, 3400)]
    np.testing.assert_array_equal(p, expected)


def test_the_lead_in_repeats_each_pointer_three_times() -> None:
    disc = one_session([(-150, 0, []), (None, 1000, [])], 2000)
    q, p = channels(disc, Style(), -22650, 22500)
    assert not p.any()
    frames = [parse_q(row.tobytes()) for row in q[:30]]
    points = [frame.point for frame in frames if isinstance(frame, QPointer)]
    cycle = [point for point in (0xA0, 0xA1, 0xA2, 0x01, 0x02) for _ in range(3)]
    assert points == cycle * 2
    running = [frame.running.hex() for frame in frames[:3] if isinstance(frame, QPointer)]
    assert running == ["950000", "950001", "950002"]
    last = parse_q(q[-1].tobytes())
    assert isinstance(last, QPointer)
    assert last.running.hex() == "995974"


def test_a_later_lead_in_counts_its_cycle_from_its_own_start() -> None:
    disc = one_session([(-150, 0, []), (None, 1000, [])], 2000)
    session = disc.sessions[0]
    moved = Disc(
        sessions=(
            Session(tracks=session.tracks, lead_in_lba=-4651, lead_out_lba=session.lead_out_lba),
        )
    )
    q, _ = channels(moved, Style(), -4651, 4)
    frame = parse_q(q[0].tobytes())
    assert isinstance(frame, QPointer)
    assert (frame.point, frame.running.hex()) == (0xA0, "985974")
