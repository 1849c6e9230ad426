"""Ids and sums of discs, against other programs' and against slow rules of our own.

The four tables of contents, their ids, and the sums of generated sound are those of
`vectors.json`, which tells by program where each is from. What it does not cover (data tracks,
first track numbers above 1) is asked of libdiscid where it is installed.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rawcd
from rawcd import (
    CancelledError,
    Disc,
    DiscType,
    Index,
    Session,
    Track,
    TrackMode,
    disc_ids,
    identify,
)
from rawcd.source import ArraySource
from tests import strategies

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rawcd import RegionImage
    from rawcd.source import Bytes2D

SECTOR_SAMPLES = 588


def disc_of(
    starts: Sequence[int],
    lead_out: int,
    *,
    first: int = 1,
    modes: Sequence[TrackMode] | None = None,
    **more: Any,
) -> Disc:
    """A disc of one session whose tracks have no index 0, but for the first one's."""
    ends = [*starts[1:], lead_out]
    tracks = [
        Track(
            number=first + place,
            mode=modes[place] if modes else TrackMode.AUDIO,
            indexes=(*([Index(number=0, lba=-150)] * (place == 0)), Index(number=1, lba=start)),
            end_lba=end,
        )
        for place, (start, end) in enumerate(zip(starts, ends, strict=True))
    ]
    return Disc(sessions=(Session(tracks=tuple(tracks), lead_out_lba=lead_out),), **more)


def enhanced(starts: Sequence[int], lead_out: int, data: int = 400) -> Disc:
    """Sound, and a data track in a second session."""
    first = disc_of(starts, lead_out).sessions[0]
    start = lead_out + 11_400
    track = Track(
        number=len(starts) + 1,
        mode=TrackMode.MODE2,
        indexes=(Index(number=0, lba=start - 150), Index(number=1, lba=start)),
        end_lba=start + data,
    )
    second = Session(
        tracks=(track,),
        lead_in_lba=lead_out + 6_750,
        lead_out_lba=start + data,
        lead_out_sectors=2_250,
        disc_type=DiscType.XA,
    )
    return Disc(sessions=(first, second))


def image_of(disc: Disc, sound: Bytes2D) -> RegionImage:
    """The image whose sectors from LBA 0 on are those given, and zeros behind them."""
    rows = np.zeros((disc.sessions[-1].lead_out_lba, 2352), np.uint8)
    rows[: len(sound)] = sound
    return strategies.image_of(disc, source=ArraySource(rows))


# -- ids ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", range(4))
def test_the_ids_are_those_of_other_programs(vectors: dict[str, Any], place: int) -> None:
    told = vectors["disc_ids"][place]
    ids = disc_ids(disc_of(told["track_start_lba"], told["leadout_lba"], first=told["first_track"]))
    assert ids.musicbrainz == told["musicbrainz"]
    assert ids.toc == told["toc_string"]
    assert ids.freedb == told["freedb"]
    assert ids.cuetools == told["cuetools_tocid"]
    assert ids.accuraterip == told["accuraterip"]


def test_the_addresses_are_those_where_the_catalogues_keep_such_a_disc() -> None:
    ids = disc_ids(disc_of([0, 300], 825))
    assert ids.musicbrainz_url == (
        "https://musicbrainz.org/cdtoc/attach?id=gSaDGAT3vB96FjdekSWgtleCHO0-"
        "&tracks=2&toc=1+2+975+150+450"
    )
    assert ids.accuraterip_url == (
        "http://www.accuraterip.com/accuraterip/5/6/4/dBAR-002-00000465-00000c04-08000b02.bin"
    )


def test_a_data_session_is_no_part_of_the_disc_to_those_who_know_sound() -> None:
    alone, both = disc_ids(disc_of([0, 500], 1_000)), disc_ids(enhanced([0, 500], 1_000))
    assert both.musicbrainz == alone.musicbrainz
    assert both.toc == alone.toc == "1 2 1150 150 650"
    assert both.cuetools == alone.cuetools
    assert [track.number for track in both.tracks] == [1, 2]
    # Three tracks, 2 + 8 + 1+6+7 by their digits, and 12,650 // 75 + 6 seconds from 2 on.
    lead_out = (12_400 + 400 + 150) // 75
    assert both.freedb == f"{2 + 8 + (1 + 6 + 7):02x}{lead_out - 2:04x}03"
    first = 0 + 500 + 12_800
    second = 1 * 1 + 500 * 2 + 12_800 * 3
    assert both.accuraterip == f"{first:08x}-{second:08x}-{both.freedb}"
    assert both.accuraterip_url is not None
    assert "dBAR-002-" in both.accuraterip_url


def test_data_alone_has_no_name_among_sound() -> None:
    ids = disc_ids(disc_of([0], 3_000, modes=[TrackMode.MODE1]))
    assert ids.freedb == "02002801"
    assert ids.tracks == ()
    told = (ids.toc, ids.musicbrainz, ids.musicbrainz_url, ids.accuraterip, ids.cuetools)
    assert told == (None,) * 5
    assert ids.accuraterip_url is None


def test_data_before_sound_counts_for_musicbrainz_and_freedb_alone() -> None:
    modes = [TrackMode.MODE1, TrackMode.AUDIO, TrackMode.AUDIO]
    ids = disc_ids(disc_of([0, 600, 1_200], 1_800, modes=modes))
    assert ids.toc == "1 3 1950 150 750 1350"
    assert ids.freedb.endswith("03")
    assert ids.accuraterip is not None
    assert ids.accuraterip.startswith(f"{600 + 1200 + 1800:08x}-{600 + 2400 + 5400:08x}-")
    # CUETools counts from the first sound on.
    assert ids.cuetools == disc_ids(disc_of([0, 600], 1_200)).cuetools


def test_sound_before_track_1_moves_every_id_but_that_of_cuetools() -> None:
    plain, later = disc_ids(disc_of([0, 400], 800)), disc_ids(disc_of([300, 700], 1_100))
    assert later.cuetools == plain.cuetools
    assert later.musicbrainz != plain.musicbrainz
    assert later.freedb != plain.freedb
    assert later.accuraterip != plain.accuraterip


def test_codes_are_checked() -> None:
    disc = disc_of([0, 300], 700, mcn="4006381333931")
    assert disc_ids(disc).mcn_valid is True
    assert disc_ids(disc_of([0], 700, mcn="4006381333932")).mcn_valid is False
    assert disc_ids(disc_of([0], 700)).mcn_valid is None
    tracks = [
        Track(
            number=number,
            indexes=(*([Index(number=0, lba=-150)] * (number == 1)), Index(number=1, lba=start)),
            end_lba=start + 300,
            isrc=isrc,
        )
        for number, start, isrc in (
            (1, 0, "USRC17607839"),
            (2, 300, "1SRC17607839"),
            (3, 600, None),
        )
    ]
    coded = Disc(sessions=(Session(tracks=tuple(tracks), lead_out_lba=900),))
    assert [track.isrc_valid for track in disc_ids(coded).tracks] == [True, False, None]


# -- libdiscid ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def libdiscid() -> ctypes.CDLL:
    name = ctypes.util.find_library("discid")
    if name is None:
        pytest.skip("libdiscid is not here")
    library = ctypes.CDLL(name)
    library.discid_new.restype = ctypes.c_void_p
    library.discid_free.argtypes = [ctypes.c_void_p]
    library.discid_put.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_int, ctypes.c_void_p]
    for each in ("id", "freedb_id", "toc_string", "submission_url"):
        getattr(library, f"discid_get_{each}").restype = ctypes.c_char_p
        getattr(library, f"discid_get_{each}").argtypes = [ctypes.c_void_p]
    return library


@given(disc=strategies.discs(max_tracks=99, titles=False))
def test_libdiscid_gives_the_same_ids(libdiscid: ctypes.CDLL, disc: Disc) -> None:
    ids = disc_ids(disc)
    first, last = disc.tracks[0].number, disc.tracks[-1].number
    offsets = (ctypes.c_int * 100)()
    offsets[0] = disc.sessions[0].lead_out_lba + 150
    for track in disc.tracks:
        offsets[track.number] = track.start_lba + 150
    handle = libdiscid.discid_new()
    try:
        assert libdiscid.discid_put(handle, first, last, offsets)
        assert ids.musicbrainz == libdiscid.discid_get_id(handle).decode()
        assert ids.toc == libdiscid.discid_get_toc_string(handle).decode()
        url = libdiscid.discid_get_submission_url(handle).decode()
        assert ids.musicbrainz_url is not None
        assert ids.musicbrainz_url.partition("?")[2] == url.partition("?")[2]
        if first == 1:  # it takes the last number for the count, and 0 for the start, else
            assert ids.freedb == libdiscid.discid_get_freedb_id(handle).decode()
    finally:
        libdiscid.discid_free(handle)


# -- sums --------------------------------------------------------------------------------------


def noise(seed: int, samples: int) -> Bytes2D:
    """The sound of `vectors.json`: x = x * 1664525 + 1013904223 modulo 2**32, from x = seed on."""
    words = np.empty(samples, "<u4")
    x = seed
    for place in range(samples):
        x = (x * 1_664_525 + 1_013_904_223) & 0xFFFF_FFFF
        words[place] = x
    return words.view(np.uint8).reshape(-1, 2352)


@pytest.mark.parametrize("place", range(4))
def test_the_sums_are_those_of_another_program(vectors: dict[str, Any], place: int) -> None:
    told = vectors["accuraterip_crc"][place]
    sound = noise(told["seed"], told["samples"])
    sectors = len(sound)
    starts = [sectors * number for number in range(told["tracks"])]
    disc = disc_of(starts, sectors * told["tracks"])
    found = identify(image_of(disc, np.concatenate([sound] * told["tracks"])))
    sums = found.tracks[told["track"] - 1].sums
    assert sums is not None
    assert (f"{sums.v1:08X}", f"{sums.v2:08X}") == (told["v1"], told["v2"])
    assert sums.crc32 == zlib.crc32(sound.tobytes())


def slow_sums(words: Sequence[int], *, first: bool, last: bool) -> tuple[int, int]:
    v1 = v2 = 0
    for number, word in enumerate(words, 1):
        if first and number < 5 * SECTOR_SAMPLES:
            continue
        if last and number > len(words) - 5 * SECTOR_SAMPLES:
            continue
        product = number * word
        v1 += product
        v2 += (product & 0xFFFF_FFFF) + (product >> 32)
    return v1 & 0xFFFF_FFFF, v2 & 0xFFFF_FFFF


@settings(max_examples=10)
@given(
    sectors=st.lists(st.integers(1, 14), min_size=1, max_size=4),
    seed=st.integers(0, 2**32 - 1),
    step=st.sampled_from([1, 3, 512]),
)
def test_any_tracks_in_any_cuts_sum_up_as_the_rule_has_it(
    sectors: list[int], seed: int, step: int
) -> None:
    starts = [sum(sectors[:place]) for place in range(len(sectors))]
    rng = np.random.default_rng(seed)
    sound = rng.integers(0, 256, (sum(sectors), 2352), dtype=np.uint8)
    disc = disc_of(starts, sum(sectors))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rawcd.identity._STEP", step)
        found = identify(image_of(disc, sound))
    for place, track in enumerate(found.tracks):
        part = sound[starts[place] : starts[place] + sectors[place]]
        words = part.reshape(-1).view("<u4").tolist()
        assert track.sums is not None
        assert (track.sums.v1, track.sums.v2) == slow_sums(
            words, first=place == 0, last=place == len(sectors) - 1
        )


def test_a_pregap_counts_to_the_track_before_it_but_not_in_front_of_data() -> None:
    indexes = (Index(number=0, lba=-150), Index(number=1, lba=0))
    tracks = (
        Track(number=1, indexes=indexes, end_lba=20),
        Track(number=2, indexes=(Index(number=0, lba=20), Index(number=1, lba=30)), end_lba=50),
        Track(
            number=3,
            mode=TrackMode.MODE1,
            indexes=(Index(number=0, lba=50), Index(number=1, lba=60)),
            end_lba=90,
        ),
    )
    disc = Disc(sessions=(Session(tracks=tracks, lead_out_lba=90),))
    assert [(track.lba, track.sectors) for track in disc_ids(disc).tracks] == [(0, 30), (30, 20)]


def test_the_last_sound_of_an_enhanced_disc_has_its_end_left_out() -> None:
    sound = noise(3, 40 * SECTOR_SAMPLES)
    alone = identify(image_of(disc_of([0, 20], 40), sound))
    both = identify(image_of(enhanced([0, 20], 40), sound))
    assert both.tracks == alone.tracks


def test_sums_can_be_left_out_and_stopped() -> None:
    disc = disc_of([0, 300], 2_000)
    image = strategies.image_of(disc)
    assert all(track.sums is None for track in identify(image, checksums=False).tracks)
    told: list[tuple[int, int]] = []

    def stop(done: int, total: int) -> bool:
        told.append((done, total))
        return done < 1_000

    with pytest.raises(CancelledError):
        identify(image, progress=stop)
    assert told[0] == (0, 2_000)
    assert len({total for _, total in told}) == 1
    assert told[-1][0] < 2_000


def test_an_image_that_is_no_region_image_has_the_same_ids() -> None:
    sound = noise(5, 30 * SECTOR_SAMPLES)
    image = image_of(disc_of([0, 15], 30), sound)

    class Bare:
        disc = image.disc
        kind = image.kind
        notes = image.notes
        first_lba = image.first_lba
        sector_count = image.sector_count
        sector_size = image.sector_size
        read = staticmethod(image.read)
        open = staticmethod(image.open)

    assert identify(Bare()) == identify(image)
    assert rawcd.identify is identify
