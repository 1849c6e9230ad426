"""Staging tracks: which, how many, how long."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import rawcd
from rawcd import (
    AuthoringError,
    RawCDImageCreator,
    SectorType,
    SilenceSource,
)
from tests.imapi_codes import E_INVALIDARG, SECTOR_TYPE_NOT_SUPPORTED, TOO_MANY_TRACKS
from tests.staging import both, counts, infos, little, pattern, refused, silent, staged

# -- tracks: number, type, length ----------------------------------------------------------------


@both
def test_99_tracks_and_no_more(strict: bool) -> None:
    creator = RawCDImageCreator(strict=strict)
    assert [creator.add_track(silent(300)) for _ in range(99)] == list(range(1, 100))
    with refused(TOO_MANY_TRACKS, 99, 100):
        creator.add_track(silent(300))
    assert creator.number_of_existing_tracks == 99
    image = creator.create_result_image()
    assert [track.number for track in image.disc.tracks] == list(range(1, 100))


@pytest.mark.parametrize(("first", "fit"), [(99, 1), (98, 2), (2, 98), (50, 50)])
def test_track_numbers_end_at_99_wherever_they_begin(first: int, fit: int) -> None:
    creator = RawCDImageCreator()
    creator.starting_track_number = first
    for _ in range(fit):
        creator.add_track(silent(300))
    with refused(TOO_MANY_TRACKS, 99, 100):
        creator.add_track(silent(300))
    assert [info.track_number for info in infos(creator)] == list(range(first, 100))


def test_the_handle_is_not_the_number() -> None:
    creator = RawCDImageCreator()
    creator.starting_track_number = 10
    assert creator.add_track(silent(300)) == 1
    assert creator.add_track(silent(400)) == 2
    assert creator.track_info(2).track_number == 11
    image = creator.create_result_image()
    assert [track.number for track in image.disc.tracks] == [10, 11]


@pytest.mark.parametrize("number", [0, 100, -1, 1.0, "1", None, True], ids=repr)
def test_starting_track_number_range(number: Any) -> None:
    creator = RawCDImageCreator()
    with refused(E_INVALIDARG, 1, 99, repr(number)):
        creator.starting_track_number = number
    assert creator.starting_track_number == 1


@pytest.mark.parametrize("handle", [0, 3, -1, "1", None, True, 1.0])
def test_a_handle_that_is_none(handle: Any) -> None:
    with refused(E_INVALIDARG, 1, 2, repr(handle)):
        staged(300, 300).track_info(handle)


def test_no_handle_without_tracks() -> None:
    with refused(E_INVALIDARG, 1, "none has been added"):
        RawCDImageCreator().track_info(1)


def test_numbers_of_numpy_are_numbers() -> None:
    creator = staged(1_000)
    creator.add_track(silent(300), pregap=np.int64(20))
    creator.start_of_leadout_limit = np.int32(5_000)  # type: ignore[assignment]  # pyright: ignore  # has __index__
    assert creator.track_info(np.uint8(2)).starting_lba == 1_020  # type: ignore[arg-type]  # pyright: ignore  # has __index__


@pytest.mark.parametrize("kind", [*list(SectorType)[1:], 1, 2, 9], ids=repr)
def test_strict_takes_audio_alone(kind: SectorType | int) -> None:
    creator = RawCDImageCreator(strict=True)
    for _ in range(2):
        with refused(SECTOR_TYPE_NOT_SUPPORTED, "audio alone", SectorType(kind).name):
            creator.add_track(silent(300), kind)
        creator.add_track(silent(300), 0)
    assert creator.number_of_existing_tracks == 2


MODE_2 = {3, 4, 5, 7, 8, 9, 16}
GOES_WITH = {1: {0, 1}, 2: {0, 2, 6}, 6: {0, 2, 6}} | {kind: {0, *MODE_2} for kind in MODE_2}
"""Sound goes with all, data with data of its own mode: A0 names one kind for a session."""


@pytest.mark.parametrize("first", list(SectorType)[1:], ids=lambda kind: kind.name)
def test_the_first_data_track_says_what_the_others_may_be(first: SectorType) -> None:
    creator = RawCDImageCreator()
    sectors = SilenceSource(block_count=300)  # what sectors hold is not read when they are added
    assert creator.add_track(sectors, int(first)) == 1
    assert creator.track_info(1).sector_type is first
    added = 1
    for kind in SectorType:
        if kind in GOES_WITH[first]:
            added += 1
            assert creator.add_track(sectors, kind) == added
        else:
            with refused(SECTOR_TYPE_NOT_SUPPORTED, f"of type {kind.name} cannot follow one of"):
                creator.add_track(sectors, kind)
        assert creator.number_of_existing_tracks == added


@pytest.mark.parametrize("kind", [10, -1, None, "AUDIO"])
def test_what_is_no_sector_type(kind: Any) -> None:
    with refused(E_INVALIDARG, repr(kind)):
        RawCDImageCreator().add_track(silent(300), kind)


@both
@pytest.mark.parametrize("sectors", [0, 1, 299])
def test_the_shortest_track(sectors: int, strict: bool) -> None:
    creator = RawCDImageCreator(strict=strict)
    with refused(E_INVALIDARG, sectors, 300, "pad_short=True"):
        creator.add_track(silent(sectors))
    assert creator.number_of_existing_tracks == 0
    creator.add_track(silent(300))


@pytest.mark.parametrize("sectors", [0, 1, 299])
def test_a_short_track_is_filled_with_silence_and_says_so(sectors: int) -> None:
    creator = RawCDImageCreator()
    data = little(pattern(588 * sectors))
    creator.add_track(silent(300))
    creator.add_track(data, pad_short=True)
    creator.add_track(silent(300))
    assert counts(creator) == [300, 300, 300]
    creator.track_info(2).add_track_index(290)  # the filling is the track's own
    image = creator.create_result_image()
    assert rawcd.main_sectors(image, 300, 300).tobytes() == data.ljust(300 * 2_352, b"\0")
    (note,) = image.notes
    assert (note.code, note.track) == ("short-padded", 2)
    assert f"{sectors} sectors" in note.message
    assert "300" in note.message


def test_a_track_that_is_long_enough_is_not_filled() -> None:
    creator = RawCDImageCreator()
    creator.add_track(silent(300), pad_short=True)
    assert creator.create_result_image().notes == ()


@pytest.mark.parametrize("rest", [4, 2_348, 1, 2_351])
def test_an_end_inside_a_sector_is_filled_and_says_so(rest: int) -> None:
    creator = RawCDImageCreator()
    data = b"\x55" * (300 * 2_352 + rest)
    creator.add_track(data)
    assert counts(creator) == [301]
    image = creator.create_result_image()
    whole = data.ljust(301 * 2_352, b"\0")
    assert rawcd.main_sectors(image, 0, 301).tobytes() == whole
    (note,) = image.notes
    assert (note.code, note.track) == ("tail-padded", 1)
    assert f"track 1 ends inside a sector; {2_352 - rest} bytes" in note.message


def test_strict_refuses_an_end_inside_a_sector() -> None:
    creator = RawCDImageCreator(strict=True)
    data = bytes(300 * 2_352 + 4)
    with refused(E_INVALIDARG, "track 1", 2_348, 2_352):
        creator.add_track(data)
    with refused(E_INVALIDARG, "special pregap", 2_348, 2_352):
        creator.add_special_pregap(data)
    with refused(E_INVALIDARG, 2_348, 2_352):
        creator.add_track(data, pad_short=True)
    creator.add_track(data[:-4])


def test_what_was_refused_leaves_no_trace() -> None:
    creator = staged(300)
    ragged = bytes(2_352 * 300 - 4)
    wrong: list[dict[str, Any]] = [
        {"pregap": -1},
        {"pregap": True},
        {"sector_type": 2},
        {"pregap": 398_100},
    ]
    for options in wrong:
        with pytest.raises(AuthoringError):
            creator.add_track(ragged, **options)
    with refused(E_INVALIDARG):
        creator.add_track(bytes(2_352 * 298 - 4))
    assert creator.start_of_leadout == 300
    image = creator.create_result_image()
    assert image.notes == ()
    assert len(image.disc.tracks) == 1
