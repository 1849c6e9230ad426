"""Where staged tracks lie, and the pregap of the first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import soundfile

import rawcd
from rawcd import (
    ArraySource,
    RawCDImageCreator,
)

if TYPE_CHECKING:
    from pathlib import Path

from tests.imapi_codes import E_INVALIDARG, E_POINTER, INSUFFICIENT_SPACE
from tests.staging import (
    both,
    counts,
    indexes,
    infos,
    little,
    pattern,
    refused,
    silent,
    staged,
    starts,
)

# -- where tracks lie ----------------------------------------------------------------------------


def test_gapless_is_the_default() -> None:
    creator = staged(1_000, 500, 2_000)
    assert creator.disable_gapless_audio is False
    # starts: the sum of the lengths before; the last 150 sectors of each are the next's pregap
    assert starts(creator) == [0, 1_000, 1_500]
    assert counts(creator) == [850, 350, 2_000]
    assert creator.start_of_leadout == 3_500
    assert creator.last_used_user_sector_in_image == 3_499
    # 22,500 of lead-in, 150, 3,500 and 6,750 of lead-out
    assert creator.raw_sector_count == 32_900
    image = creator.create_result_image()
    assert indexes(image) == [{0: -150, 1: 0}, {0: 850, 1: 1_000}, {0: 1_350, 1: 1_500}]
    assert (image.first_lba, image.sector_count) == (-22_650, 32_900)


def test_with_gaps() -> None:
    creator = staged(1_000, 500, 2_000, gaps=True)
    # start of i+1 = start of i + its length + 150
    assert starts(creator) == [0, 1_150, 1_800]
    assert counts(creator) == [1_000, 500, 2_000]
    assert creator.start_of_leadout == 3_800
    assert creator.last_used_user_sector_in_image == 3_799
    assert creator.raw_sector_count == 33_200
    image = creator.create_result_image()
    assert indexes(image) == [{0: -150, 1: 0}, {0: 1_000, 1: 1_150}, {0: 1_650, 1: 1_800}]


@pytest.mark.parametrize("gaps", [False, True])
def test_a_special_pregap_pushes_all_tracks_up(gaps: bool) -> None:
    creator = RawCDImageCreator()
    creator.disable_gapless_audio = gaps
    creator.add_special_pregap(silent(400))
    creator.add_track(silent(1_000))
    creator.add_track(silent(500))
    # track 1 starts at p - 150
    assert starts(creator) == ([250, 1_400] if gaps else [250, 1_250])
    assert counts(creator) == ([1_000, 500] if gaps else [850, 500])
    assert creator.start_of_leadout == (1_900 if gaps else 1_750)
    image = creator.create_result_image()
    assert indexes(image)[0] == {0: -150, 1: 250}


def test_the_switch_is_read_when_asked() -> None:
    creator = staged(1_000, 500)
    creator.disable_gapless_audio = True
    assert starts(creator) == [0, 1_150]
    creator.disable_gapless_audio = False
    assert starts(creator) == [0, 1_000]


def test_the_end_plus_the_pregap_is_the_next_start() -> None:
    for gaps in (False, True):
        creator = staged(1_000, 310, 460, 2_000, gaps=gaps)
        image = creator.create_result_image()
        pregaps = [track.pregap_sectors for track in image.disc.tracks[1:]]
        ends = [info.starting_lba + info.sector_count for info in infos(creator)]
        assert [*starts(creator)[1:], creator.start_of_leadout] == [
            end + pregap for end, pregap in zip(ends, [*pregaps, 0], strict=True)
        ]


@pytest.mark.parametrize(
    ("sectors", "last_index", "pregap"),
    [
        (1_000, 0, 150),
        (450, 0, 150),
        (449, 0, 149),
        (301, 0, 1),
        (300, 0, 0),
        (1_000, 840, 150),  # 1,000 - 10 - 840
        (1_000, 841, 149),
        (1_000, 985, 5),
        (1_000, 990, 0),
        (400, 290, 100),  # both: 100 and 100
        (400, 291, 99),
        (400, 280, 100),
    ],
)
def test_a_gapless_pregap_shrinks_rather_than_break_a_rule(
    sectors: int, last_index: int, pregap: int
) -> None:
    creator = staged(sectors, 300)
    assert counts(creator) == [min(sectors, max(sectors - 150, 300)), 300]
    if last_index:
        assert creator.track_info(1).add_track_index(last_index) is True
    assert starts(creator) == [0, sectors]
    assert counts(creator) == [sectors - pregap, 300]
    second = indexes(creator.create_result_image())[1]
    assert second == ({0: sectors - pregap, 1: sectors} if pregap else {1: sectors})


def test_the_last_track_is_shortened_only_when_one_follows() -> None:
    creator = staged(1_000)
    assert counts(creator) == [1_000]
    creator.add_track(silent(300))
    assert counts(creator) == [850, 300]


# pregap=


@pytest.mark.parametrize("gaps", [False, True])
def test_a_pregap_of_its_own_beats_the_switch(gaps: bool) -> None:
    creator = RawCDImageCreator()
    creator.disable_gapless_audio = gaps
    sound = little(pattern(588 * 10 + 1))
    creator.add_track(silent(1_000))
    creator.add_track(silent(1_000), pregap=0)
    creator.add_track(silent(1_000), pregap=75)
    creator.add_track(silent(1_000), pregap=sound)
    # 0; 1,000; 2,000 + 75; 3,075 + 11
    assert starts(creator) == [0, 1_000, 2_075, 3_086]
    assert counts(creator) == [1_000] * 4
    assert creator.start_of_leadout == 4_086
    creator.disable_gapless_audio = not gaps
    assert starts(creator) == [0, 1_000, 2_075, 3_086]
    image = creator.create_result_image()
    assert indexes(image) == [
        {0: -150, 1: 0},
        {1: 1_000},
        {0: 2_000, 1: 2_075},
        {0: 3_075, 1: 3_086},
    ]
    assert rawcd.main_sectors(image, 3_075, 11).tobytes() == sound.ljust(11 * 2_352, b"\0")
    (note,) = image.notes
    assert (note.code, note.track) == ("tail-padded", 4)
    assert "the pregap of track 4 ends inside a sector; 2348 bytes" in note.message


def test_a_pregap_may_be_any_sound(tmp_path: Path) -> None:
    samples = pattern(588 * 20)
    path = tmp_path / "gap.wav"
    soundfile.write(path, samples, 44_100, "PCM_16")
    for given in (path, samples, little(samples), ArraySource(little(samples))):
        creator = staged(300)
        creator.add_track(silent(300), pregap=given)
        assert starts(creator) == [0, 320]
        image = creator.create_result_image()
        assert rawcd.main_sectors(image, 300, 20).tobytes() == little(samples)


@pytest.mark.parametrize("pregap", [150, 400])
def test_on_the_first_track_it_is_the_whole_pregap(pregap: int) -> None:
    creator = RawCDImageCreator()
    creator.add_track(silent(300), pregap=pregap)
    assert starts(creator) == [pregap - 150]
    assert indexes(creator.create_result_image()) == [{0: -150, 1: pregap - 150}]


def test_on_the_first_track_it_is_a_special_pregap() -> None:
    sound = pattern(588 * 200)
    images = []
    for special in (False, True):
        creator = RawCDImageCreator()
        if special:
            creator.add_special_pregap(sound)
        creator.add_track(silent(300), pregap=None if special else sound)
        images.append(creator.create_result_image())
    assert images[0].disc == images[1].disc
    assert images[0].read(-150, 500) == images[1].read(-150, 500)
    assert rawcd.main_sectors(images[0], -150, 200).tobytes() == little(sound)


@pytest.mark.parametrize("pregap", [0, 1, 149])
def test_a_first_pregap_below_150_is_refused(pregap: int) -> None:
    for given in (pregap, silent(pregap)):
        creator = RawCDImageCreator()
        with refused(E_INVALIDARG, pregap, 150):
            creator.add_track(silent(300), pregap=given)
        assert creator.number_of_existing_tracks == 0


def test_a_first_pregap_is_given_once() -> None:
    creator = RawCDImageCreator()
    creator.add_special_pregap(silent(150))
    with refused(E_INVALIDARG, "pregap=", "add_special_pregap"):
        creator.add_track(silent(300), pregap=150)
    creator.add_track(silent(300))
    creator.add_track(silent(300), pregap=10)


@pytest.mark.parametrize("pregap", [-1, 398_101, True, 1.5, object()])
def test_what_is_no_pregap(pregap: Any) -> None:
    creator = staged(300)
    with refused(E_INVALIDARG, "pregap of track 2"):
        creator.add_track(silent(300), pregap=pregap)


@pytest.mark.parametrize("pregap", [-1, 398_101])
def test_a_pregap_out_of_range_is_named(pregap: int) -> None:
    with refused(E_INVALIDARG, pregap, 0, 398_100):
        staged(300).add_track(silent(300), pregap=pregap)


@pytest.mark.parametrize("pregap", [0, 150, silent(150)], ids=["0", "150", "source"])
def test_strict_knows_no_pregap(pregap: Any) -> None:
    creator = RawCDImageCreator(strict=True)
    with refused(E_INVALIDARG, "pregap", "strict=True"):
        creator.add_track(silent(300), pregap=pregap)
    creator.add_track(silent(300), pregap=None)


# -- special pregap ------------------------------------------------------------------------------


@both
@pytest.mark.parametrize("sectors", [0, 1, 149])
def test_a_special_pregap_has_150_sectors(sectors: int, strict: bool) -> None:
    creator = RawCDImageCreator(strict=strict)
    with refused(E_INVALIDARG, sectors, 150):
        creator.add_special_pregap(silent(sectors))
    creator.add_special_pregap(silent(150))
    creator.add_track(silent(300))
    assert starts(creator) == [0]


@both
def test_the_longest_special_pregap(strict: bool) -> None:
    creator = RawCDImageCreator(strict=strict)
    # 397,950 sectors from -150 on: the last is LBA 397,799
    with refused(INSUFFICIENT_SPACE, 397_800, 397_799):
        creator.add_special_pregap(silent(397_951))
    creator.add_special_pregap(silent(397_950))
    with refused(INSUFFICIENT_SPACE, 398_101, 398_100):
        creator.add_track(silent(301))
    creator.add_track(silent(300))
    assert starts(creator) == [397_800]
    assert creator.last_used_user_sector_in_image == 398_099
    assert creator.create_result_image().disc.end_lba == 404_850


def test_the_longest_pregap_of_a_first_track() -> None:
    creator = RawCDImageCreator()
    with refused(INSUFFICIENT_SPACE, 397_800, 397_799):
        creator.add_track(silent(300), pregap=397_951)
    creator.add_track(silent(300), pregap=397_950)
    assert creator.start_of_leadout == 398_100


def test_a_special_pregap_leaves_room_for_a_track_below_the_limit() -> None:
    creator = RawCDImageCreator()
    creator.start_of_leadout_limit = 1_000
    with refused(INSUFFICIENT_SPACE, 700, 699):  # 851 sectors end at LBA 700
        creator.add_special_pregap(silent(851))
    creator.add_special_pregap(silent(850))
    with refused(INSUFFICIENT_SPACE, 699, 698):
        creator.start_of_leadout_limit = 999
    assert creator.start_of_leadout_limit == 1_000
    creator.add_track(silent(300))
    assert creator.start_of_leadout == 1_000


def test_a_special_pregap_is_heard_before_track_1_and_filled() -> None:
    creator = RawCDImageCreator()
    sound = little(pattern(588 * 160 + 1))
    creator.add_special_pregap(sound)
    creator.add_track(b"\x11" * 2_352 * 300)
    image = creator.create_result_image()
    assert starts(creator) == [11]
    assert rawcd.main_sectors(image, -150, 161).tobytes() == sound.ljust(161 * 2_352, b"\0")
    assert rawcd.main_sectors(image, 11, 1).tobytes() == b"\x11" * 2_352
    assert not rawcd.main_sectors(image, -250, 100).any()
    (note,) = image.notes
    assert (note.code, note.track) == ("tail-padded", None)
    assert "the special pregap ends inside a sector; 2348 bytes" in note.message


def test_a_second_special_pregap_takes_the_place_of_the_first() -> None:
    creator = RawCDImageCreator()
    creator.add_special_pregap(bytes(2_352 * 200 + 4))
    creator.add_special_pregap(silent(150))
    creator.add_track(silent(300))
    assert starts(creator) == [0]
    assert creator.create_result_image().notes == ()


@both
def test_nothing_given(strict: bool) -> None:
    creator = RawCDImageCreator(strict=strict)
    with refused(E_POINTER, "track 1"):
        creator.add_track(None)
    with refused(E_POINTER, "special pregap"):
        creator.add_special_pregap(None)
