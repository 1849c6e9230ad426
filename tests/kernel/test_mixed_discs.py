"""Discs of sound and data in several sessions, judged by their finished sectors and subcode alone.

What must be so stands in redbook.md, section 1; nothing here is taken from the `Disc` that made
the sectors, only from the Q channel and the main channel as a drive would see them.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rawcd
from rawcd import AuthoringError, RawCDImageCreator, SectorType
from rawcd.disc import Disc, Index, Session, Track, TrackMode
from rawcd.image import (
    MainForm,
    Region,
    RegionImage,
    SubForm,
    SubRegion,
    blank,
    blanks,
)
from rawcd.sector import SYNC, scramble, verify
from rawcd.source import ArraySource
from rawcd.subcode.decoder import QKind, decode_q, toc_of
from rawcd.subcode.frame import from_bcd
from rawcd.subcode.rows import pq_of_pw96

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rawcd.source import Bytes2D
    from rawcd.subcode.decoder import QTable

LEAD_IN = 4_500
"""The shortest; with it a disc is decoded in a moment."""
E_INVALIDARG = 0x80070057
SECTOR_TYPE_NOT_SUPPORTED = 0x80AA0A02
SIZES = {
    SectorType.MODE1: 2_048,
    SectorType.MODE2FORM0: 2_336,
    SectorType.MODE2FORM1: 2_048,
    SectorType.MODE2FORM2: 2_324,
    SectorType.MODE2MIXED: 2_332,
}
XA = (SectorType.MODE2FORM1, SectorType.MODE2FORM2, SectorType.MODE2MIXED)


@dataclass(frozen=True)
class Staged:
    kind: SectorType
    sectors: int
    pregap: int | None = None


def content(track: Staged, salt: int) -> bytes:
    """Blocks of which none is zero."""
    size = 2_352 if track.kind is SectorType.AUDIO else SIZES[track.kind]
    rows = np.random.default_rng(salt).integers(1, 255, (track.sectors, size), np.uint8)
    if track.kind is SectorType.MODE2MIXED:
        rows[:, :8] = np.frombuffer(bytes.fromhex("0000080000000800"), np.uint8)
        rows[::2, :8] = np.frombuffer(bytes.fromhex("0000280000002800"), np.uint8)
    return rows.tobytes()


def built(sessions: list[list[Staged]]) -> RegionImage:
    image: RegionImage | None = None
    salt = 0
    for session in sessions:
        creator = RawCDImageCreator(after=image)
        creator.resulting_image_type = rawcd.ImageType.RAW
        creator.appendable = len(sessions) > 1 and session is not sessions[-1]
        for track in session:
            salt += 1
            creator.add_track(
                content(track, salt),
                track.kind,
                pregap=track.pregap,
                block_size=SIZES.get(track.kind),
            )
        image = creator.create_result_image()
    assert image is not None
    return image.with_lead_in(-150 - LEAD_IN)


@st.composite
def sessions_of_tracks(draw: st.DrawFn) -> list[list[Staged]]:
    """Any order of sound and data; the data of a session are of one mode."""
    sessions = []
    for _ in range(draw(st.integers(1, 3))):
        kinds = [
            SectorType.AUDIO,
            *draw(st.sampled_from([(SectorType.MODE1,), (SectorType.MODE2FORM0,), XA])),
        ]
        session: list[Staged] = []
        for place in range(draw(st.integers(1, 4))):
            kind = draw(st.sampled_from(kinds))
            least = 225 if kind is not SectorType.AUDIO else 0
            least = least if place else 150
            session.append(
                Staged(
                    kind,
                    draw(st.integers(300, 420)),
                    draw(st.none() | st.integers(least, 300)),
                )
            )
        sessions.append(session)
    return sessions


def read(image: RegionImage) -> tuple[Bytes2D, QTable]:
    """Main channel as on the disc, (n, 2352), and Q, as a drive would read them."""
    data = np.frombuffer(image.read(image.first_lba, image.sector_count), np.uint8)
    rows = data.reshape(-1, 2_448)
    q, _ = pq_of_pw96(np.ascontiguousarray(rows[:, 2_352:]))
    return rows[:, :2_352], decode_q(q)


def stretches(values: np.ndarray) -> Iterator[tuple[int, int]]:
    """First and one past the last of each run of equal values."""
    edges = [0, *(np.flatnonzero(np.diff(values)) + 1).tolist(), len(values)]
    yield from pairwise(edges)


def places(table: QTable) -> np.ndarray:
    """TNO * 100 + INDEX of each sector, the lead-in 0; frames that do not tell are as before."""
    told = np.where(table.kinds == QKind.LEAD_IN, 0, table.track * 100 + table.index)
    told[table.kinds == QKind.POINTER] = 0
    known = table.track >= 0
    known |= (table.kinds == QKind.LEAD_IN) | (table.kinds == QKind.POINTER)
    last = np.maximum.accumulate(np.where(known, np.arange(len(told)), 0))
    return told[last]


def mode_of(main: Bytes2D) -> np.ndarray:
    """The mode of each sector, -1 for sound, by sync and the header under the scrambler."""
    is_data = (main[:, :12] == np.frombuffer(SYNC, np.uint8)).all(axis=1)
    plain = scramble(main)
    return np.where(is_data, plain[:, 15].astype(int) & 3, -1)


@settings(max_examples=25, deadline=None)
@given(sessions_of_tracks())
def test_every_rule_of_the_areas_holds_on_the_finished_disc(sessions: list[list[Staged]]) -> None:
    image = built(sessions)
    main, table = read(image)
    first = -150 - LEAD_IN
    assert table.right.all()
    spots, modes = places(table), mode_of(main)
    control = table.control & 4
    tracks = [track for session in sessions for track in session]
    number, begins_session, tocs = 0, True, []
    before_mode: int | None = None
    for start, end in stretches(spots):
        track, index = divmod(int(spots[start]), 100)
        if spots[start] == 0:  # a lead-in
            assert end - start == LEAD_IN
            tocs.append((start, toc_of(table.q[start:end])))
            assert len(set(modes[start:end].tolist())) == 1
            begins_session, before_mode = True, None
            continue
        if track == 0xAA:
            assert end - start == (6_750 if len(tocs) == 1 else 2_250)
            assert set(modes[start:end].tolist()) == {before_mode}
            continue
        staged = tracks[track - 1]
        own = -1 if staged.kind is SectorType.AUDIO else 1 + (staged.kind is not SectorType.MODE1)
        changes = before_mode is not None and before_mode != own
        if index == 0:
            assert end - start >= 150 if begins_session else end - start > 0
            if changes and own >= 0:
                assert end - start >= 225
                assert set(modes[start : start + 75].tolist()) == {before_mode}
                assert set(control[start : start + 75].tolist()) == {0 if before_mode == -1 else 4}
                start += 75
            elif before_mode not in (None, own):
                assert set(modes[start:end].tolist()) == {own}
            assert set(modes[start:end].tolist()) == {own}
            assert set(control[start:end].tolist()) == {4 if own >= 0 else 0}
            continue
        number += 1
        assert track == number
        assert index == 1
        assert end - start >= 300
        assert set(modes[start:end].tolist()) == {own}
        following = int(spots[end]) // 100
        if own >= 0 and following not in (0, 0xAA) and tracks[track].kind is SectorType.AUDIO:
            gap = scramble(main[end - 150 : end])  # the postgap: data without user data
            assert not gap[:, 24:2_060].any()
            assert end - start == staged.sectors + 150
        item = tocs[-1][1][1, track // 10 << 4 | track % 10]
        told = [from_bcd(byte) for byte in item.value]
        assert (told[0] * 60 + told[1]) * 75 + told[2] - 150 == first + start
        assert (item.control & 4 > 0) == (own >= 0)
        begins_session, before_mode = False, own
    assert number == len(tracks)
    assert len(tocs) == len(sessions)
    is_data = np.flatnonzero(modes >= 0)
    for kind, mode in ((SectorType.MODE1, 1), (SectorType.MODE2FORM0, 2)):
        chosen = is_data[modes[is_data] == mode]
        plain = scramble(main[chosen])
        formless = all(t.kind is not SectorType.MODE2MIXED and t.kind not in XA for t in tracks)
        judged = kind if mode == 1 or formless else None
        if judged is not None:
            assert not verify(plain, chosen + first, judged).any()
    xa = [track.kind in XA for track in tracks]
    if all(xa[n] or track.kind is SectorType.AUDIO for n, track in enumerate(tracks)):
        chosen = is_data[modes[is_data] == 2]
        plain = scramble(main[chosen])
        assert not verify(plain, chosen + first, SectorType.MODE2MIXED).any()


@settings(max_examples=15, deadline=None)
@given(sessions_of_tracks())
def test_the_file_alone_tells_the_disc(
    tmp_path_factory: pytest.TempPathFactory, sessions: list[list[Staged]]
) -> None:
    path = tmp_path_factory.mktemp("disc") / "disc.raw"
    image = built(sessions)
    rawcd.save_image(image, path)
    again = rawcd.open_image(path)
    assert again.disc == image.disc
    assert not again.notes


def staged(*tracks: Staged) -> RegionImage:
    return built([list(tracks)])


AUDIO, DATA = Staged(SectorType.AUDIO, 320), Staged(SectorType.MODE1, 310)


def test_data_in_front_ends_with_two_seconds_of_its_own() -> None:
    creator = RawCDImageCreator()
    creator.add_track(content(DATA, 1), SectorType.MODE1)
    creator.add_track(content(AUDIO, 2))
    assert [creator.track_info(n).starting_lba for n in (1, 2)] == [0, 310 + 150 + 150]
    assert creator.track_info(1).sector_count == 310  # the postgap holds no user's sector
    track = creator.create_result_image().disc.track(1)
    assert (track.start_lba, track.end_lba) == (0, 460)


def test_data_behind_sound_is_led_in_by_three_seconds() -> None:
    (one, two) = staged(AUDIO, DATA).disc.tracks
    assert (one.end_lba, two.first_lba, two.start_lba) == (320, 320, 545)


def test_postgap_and_pregap_may_be_given() -> None:
    creator = RawCDImageCreator()
    creator.add_track(content(DATA, 1), SectorType.MODE1, postgap=0)
    creator.add_track(content(AUDIO, 2), pregap=0)
    creator.add_track(content(DATA, 3), SectorType.MODE1, pregap=226, postgap=40)
    assert creator.track_info(2).starting_lba == 310
    assert creator.track_info(3).starting_lba == 310 + 320 + 226
    assert creator.start_of_leadout == 310 + 320 + 226 + 310 + 40


@pytest.mark.parametrize("pregap", [0, 150, 224])
def test_a_change_of_mode_needs_its_three_seconds(pregap: int) -> None:
    creator = RawCDImageCreator()
    creator.add_track(content(AUDIO, 1))
    with pytest.raises(AuthoringError, match="one second in the old mode") as caught:
        creator.add_track(content(DATA, 2), SectorType.MODE1, pregap=pregap)
    assert (caught.value.rule, caught.value.hresult) == ("mode-change-pregap", E_INVALIDARG)
    assert creator.number_of_existing_tracks == 1


def test_one_session_holds_data_of_one_mode() -> None:
    creator = RawCDImageCreator()
    creator.add_track(content(DATA, 1), SectorType.MODE1)
    creator.add_track(content(AUDIO, 2))
    with pytest.raises(AuthoringError, match="sessions of their own") as caught:
        creator.add_track(bytes(2_048 * 300), SectorType.MODE2FORM1)
    assert caught.value.hresult == SECTOR_TYPE_NOT_SUPPORTED


def test_sound_has_no_postgap() -> None:
    with pytest.raises(AuthoringError, match="track 1: a postgap is for data"):
        RawCDImageCreator().add_track(content(AUDIO, 1), postgap=10)


def test_a_disc_type_that_does_not_fit_is_refused() -> None:
    creator = RawCDImageCreator()
    creator.disc_type = rawcd.DiscType.CDI
    creator.add_track(content(DATA, 1), SectorType.MODE1)
    with pytest.raises(AuthoringError, match="a CDI session holds data of mode 2"):
        creator.create_result_image()
    creator.disc_type = None
    assert creator.create_result_image().disc.sessions[0].disc_type == 0


def test_a_cdi_disc_says_so() -> None:
    creator = RawCDImageCreator()
    creator.disc_type = rawcd.DiscType.CDI
    creator.add_track(content(Staged(SectorType.MODE2MIXED, 300), 1), SectorType.MODE2MIXED)
    assert creator.create_result_image().disc.sessions[0].disc_type == 0x10


def cdrecord_image(stream: dict[str, Any]) -> RegionImage:
    """The disc of cdrecord's command line, its data track made by the creator.

    cdrecord puts the pregap of the sound into the data before it.
    """
    numbers = np.arange(320 * 2_048)
    iso = ((13 * numbers + 5 * (numbers >> 8) + 1) & 0xFF).astype(np.uint8)
    sound = ((7 * np.arange(300 * 2_352) + 3) & 0xFF).astype(np.uint8)
    swapped = np.ascontiguousarray(sound.reshape(-1, 2)[:, ::-1])  # its files are big-endian
    creator = RawCDImageCreator()
    creator.add_track(iso, SectorType.MODE1)
    (data,) = (each for each in creator.create_result_image().main if each.source is not None)
    one = Track(
        number=1,
        mode=TrackMode.MODE1,
        indexes=(Index(number=0, lba=-150), Index(number=1, lba=0)),
        end_lba=170,
    )
    two = Track(
        number=2,
        indexes=(Index(number=0, lba=170), Index(number=1, lba=320)),
        end_lba=620,
        isrc="USABC2500017",
    )
    session = Session(tracks=(one, two), lead_in_lba=stream["first_lba"], lead_out_lba=620)
    disc = Disc(sessions=(session,), mcn="1234567890123")
    audio = Region(lba=320, sectors=300, form=MainForm.DISC, source=ArraySource(swapped.tobytes()))
    return RegionImage(
        disc=disc,
        main=(
            *blanks(disc, disc.first_lba, 0),
            data,
            audio,
            blank(620, disc.end_lba - 620, SectorType.AUDIO),
        ),
        sub=(
            SubRegion(lba=disc.first_lba, sectors=disc.end_lba - disc.first_lba, form=SubForm.MADE),
        ),
    ).with_style("cdrecord")


def test_cdrecord_s_mixed_stream_with_a_data_track_of_ours(vectors: dict[str, Any]) -> None:
    stream = vectors["raw_dao_streams"][2]
    first, last = stream["first_lba"], stream["last_lba"]
    image = cdrecord_image(stream)
    data = np.frombuffer(image.read(first, last - first + 1), np.uint8).reshape(-1, 2_448)
    q, p = pq_of_pw96(np.ascontiguousarray(data[:, 2_352:]))
    for spot in stream["spots"]:
        row = spot["lba"] - first
        assert (q[row].tobytes().hex(), int(p[row])) == (spot["q"], spot["p"]), spot
    edges = np.flatnonzero(np.diff(np.concatenate([[0], p.astype(int), [0]])))
    ranges = [[int(a) + first, int(b) - 1 + first] for a, b in edges.reshape(-1, 2)]
    assert ranges[: len(stream["p_set_ranges"])] == stream["p_set_ranges"]
    for lba, head in stream["main_first32"].items():
        if lba != "-1":  # there cdrecord scrambles the header alone and leaves the rest zero
            assert data[int(lba) - first, :32].tobytes().hex() == head
    for lba, name in ((first, "leadin_start_sector_main_sha256"), (0, "lba0_main_sha256")):
        sector = data[lba - first, :2_352].tobytes()
        assert hashlib.sha256(sector).hexdigest() == stream[name]
