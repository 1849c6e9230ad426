"""The lead-out and its limit, indexes, and the table of contents."""

from __future__ import annotations

from typing import Any

import pytest

import rawcd
from rawcd import (
    CopySetting,
    RawCDImageCreator,
)
from tests.imapi_codes import (
    E_INVALIDARG,
    INSUFFICIENT_SPACE,
    TOO_MANY_TRACK_INDEXES,
    TRACK_INDEX_NOT_FOUND,
    TRACK_INDEX_OFFSET_ZERO_CANNOT_BE_CLEARED,
    TRACK_INDEX_TOO_CLOSE_TO_OTHER_INDEX,
)
from tests.staging import both, counts, indexes, infos, refused, silent, staged, starts

# -- the lead-out and its limit ------------------------------------------------------------------


@both
def test_the_last_user_sector_is_398_099(strict: bool) -> None:
    creator = RawCDImageCreator(strict=strict)
    # 398,100 + 150 frames = 88:30:00
    with refused(INSUFFICIENT_SPACE, 398_101, 398_100, "88:30:00", "track 1"):
        creator.add_track(silent(398_101))
    creator.add_track(silent(398_100))
    assert creator.start_of_leadout == 398_100
    assert creator.last_used_user_sector_in_image == 398_099
    # 22,500 + 150 + 398,100 + 6,750
    assert creator.raw_sector_count == 427_500
    with refused(INSUFFICIENT_SPACE, 398_400, 398_100):
        creator.add_track(silent(300))
    image = creator.create_result_image()
    assert str(rawcd.Msf.from_lba(image.disc.end_lba - 1)) == "89:59:74"
    assert image.sector_count == 427_500


@pytest.mark.parametrize("limit", [1, 300, 359_849, 398_099, 398_100])
def test_limits(limit: int) -> None:
    creator = RawCDImageCreator()
    creator.start_of_leadout_limit = limit
    assert creator.start_of_leadout_limit == limit
    if limit < 300:
        return
    with refused(INSUFFICIENT_SPACE, limit + 1, limit):
        creator.add_track(silent(limit + 1))
    creator.add_track(silent(limit))


@both
@pytest.mark.parametrize("limit", [0, -1, 398_101, 1 << 40, "398099", None, 1.0, True])
def test_limits_out_of_range(limit: Any, strict: bool) -> None:
    creator = RawCDImageCreator(strict=strict)
    with refused(E_INVALIDARG, 1, 398_099 if strict else 398_100, repr(limit)):
        creator.start_of_leadout_limit = limit
    assert creator.start_of_leadout_limit == 398_100


def test_strict_takes_the_limit_of_the_page() -> None:
    creator = RawCDImageCreator(strict=True)
    with refused(E_INVALIDARG, 398_099, 398_100):
        creator.start_of_leadout_limit = 398_100
    creator.start_of_leadout_limit = 398_099
    with refused(INSUFFICIENT_SPACE, 398_100, 398_099):
        creator.add_track(silent(398_100))
    creator.add_track(silent(398_099))


@both
def test_a_limit_below_what_is_used_is_refused(strict: bool) -> None:
    creator = staged(1_000, 500, gaps=True, strict=strict)
    with refused(INSUFFICIENT_SPACE, 1_650, 1_649):
        creator.start_of_leadout_limit = 1_649
    assert creator.start_of_leadout_limit == 398_100
    creator.start_of_leadout_limit = 1_650
    creator.start_of_leadout_limit = 1_949
    with refused(INSUFFICIENT_SPACE, 2_100, 1_949):
        creator.add_track(silent(300))
    creator.start_of_leadout_limit = 2_100
    creator.add_track(silent(300))


def test_gaps_count() -> None:
    creator = RawCDImageCreator()
    creator.disable_gapless_audio = True
    creator.start_of_leadout_limit = 749
    creator.add_track(silent(300))
    with refused(INSUFFICIENT_SPACE, 750, 749):  # 300 + 150 + 300
        creator.add_track(silent(300))
    with refused(INSUFFICIENT_SPACE, 750, 749):
        creator.add_track(silent(300), pregap=150)
    creator.add_track(silent(300), pregap=149)


def test_the_switch_may_not_push_the_lead_out_past_its_limit() -> None:
    creator = staged(1_000, 500, 600)
    creator.start_of_leadout_limit = 2_399
    with refused(INSUFFICIENT_SPACE, 2_400, 2_399):  # 2,100 and two gaps
        creator.disable_gapless_audio = True
    assert creator.disable_gapless_audio is False
    assert starts(creator) == [0, 1_000, 1_500]
    creator.start_of_leadout_limit = 2_400
    creator.disable_gapless_audio = True
    assert creator.start_of_leadout == 2_400


def test_an_absurd_length_is_refused_like_any_other() -> None:
    with refused(INSUFFICIENT_SPACE, 10**12, 398_100):
        RawCDImageCreator().add_track(silent(10**12))


# -- indexes -------------------------------------------------------------------------------------


@both
def test_indexes_ten_sectors_apart(strict: bool) -> None:
    creator = staged(1_000, strict=strict)
    info = creator.track_info(1)
    for offset, distance in ((1, 1), (9, 9)):
        with refused(TRACK_INDEX_TOO_CLOSE_TO_OTHER_INDEX, offset, distance, 10):
            info.add_track_index(offset)
    assert info.add_track_index(10) is True
    assert info.add_track_index(500) is True
    for offset in (491, 499, 501, 509):
        with refused(TRACK_INDEX_TOO_CLOSE_TO_OTHER_INDEX, offset, abs(offset - 500), 10):
            info.add_track_index(offset)
    assert info.add_track_index(490) is True
    assert info.add_track_index(510) is True
    assert info.track_indexes == (0, 10, 490, 500, 510)
    image = creator.create_result_image()
    assert indexes(image) == [{0: -150, 1: 0, 2: 10, 3: 490, 4: 500, 5: 510}]


@both
def test_the_last_index_has_ten_sectors(strict: bool) -> None:
    info = staged(300, strict=strict).track_info(1)
    for offset, distance in ((291, 9), (299, 1)):
        with refused(TRACK_INDEX_TOO_CLOSE_TO_OTHER_INDEX, offset, distance, 10):
            info.add_track_index(offset)
    assert info.add_track_index(290) is True
    assert info.track_indexes == (0, 290)


@pytest.mark.parametrize("offset", [300, 301, 0x7FFFFFFF, -1, 1 << 40, 10.0, "10", None, True])
def test_an_index_outside_its_track(offset: Any) -> None:
    info = staged(300).track_info(1)
    with refused(E_INVALIDARG, repr(offset), 0, 299):
        info.add_track_index(offset)
    assert info.track_indexes == (0,)


def test_the_borders_of_indexes_are_those_of_the_own_data() -> None:
    creator = staged(1_000, 300)
    assert counts(creator) == [850, 300]
    info = creator.track_info(1)
    assert info.add_track_index(990) is True  # n - 10, n being 1,000
    with refused(TRACK_INDEX_TOO_CLOSE_TO_OTHER_INDEX, 991, 10):
        info.add_track_index(991)
    with refused(E_INVALIDARG, 1_000, 999):
        info.add_track_index(1_000)
    image = creator.create_result_image()
    assert indexes(image) == [{0: -150, 1: 0, 2: 990}, {1: 1_000}]


def test_an_index_that_is_there_already_is_a_success() -> None:
    info = staged(1_000).track_info(1)
    assert info.add_track_index(0) is False
    assert info.add_track_index(100) is True
    assert info.add_track_index(100) is False
    assert info.track_indexes == (0, 100)


def test_99_indexes_and_no_more() -> None:
    creator = staged(1_000)
    info = creator.track_info(1)
    for offset in range(10, 990, 10):
        assert info.add_track_index(offset) is True
    assert len(info.track_indexes) == 99
    with refused(TOO_MANY_TRACK_INDEXES, 99, "track 1"):
        info.add_track_index(990)
    assert info.add_track_index(980) is False
    image = creator.create_result_image()
    assert image.disc.track(1).indexes[-1] == rawcd.Index(number=99, lba=980)


def test_clearing_indexes() -> None:
    info = staged(1_000).track_info(1)
    info.add_track_index(100)
    info.add_track_index(200)
    with refused(TRACK_INDEX_NOT_FOUND, 99, "0, 100, 200"):
        info.clear_track_index(99)
    for nowhere in (-1, 1_000, 0x7FFFFFFF):
        with refused(TRACK_INDEX_NOT_FOUND, nowhere):
            info.clear_track_index(nowhere)
    with refused(TRACK_INDEX_OFFSET_ZERO_CANNOT_BE_CLEARED, "index 1", 0):
        info.clear_track_index(0)
    assert info.clear_track_index(100) is None  # type: ignore[func-returns-value]  # that is the point
    assert list(info.track_indexes) == [0, 200]
    with refused(TRACK_INDEX_NOT_FOUND, 100):
        info.clear_track_index(100)
    assert info.add_track_index(105) is True
    assert info.track_indexes == (0, 105, 200)


def test_numbers_follow_from_sorted_offsets() -> None:
    creator = staged(1_000)
    for offset in (600, 200, 400):
        creator.track_info(1).add_track_index(offset)
    assert creator.track_info(1).track_indexes == (0, 200, 400, 600)
    assert indexes(creator.create_result_image()) == [{0: -150, 1: 0, 2: 200, 3: 400, 4: 600}]


# -- table of contents ---------------------------------------------------------------------------


def test_expected_table_of_contents() -> None:
    creator = RawCDImageCreator()
    creator.starting_track_number = 5
    creator.disable_gapless_audio = True
    creator.add_track(silent(1_000))
    creator.add_track(silent(500))
    first, second = infos(creator)
    first.audio_has_preemphasis = True
    first.digital_audio_copy_setting = CopySetting.PERMITTED
    second.digital_audio_copy_setting = CopySetting.SCMS
    expected = bytes.fromhex(
        "001a 05 06"  # 26 bytes follow; first and last track
        "00 13 05 00 00000000"  # ADR 1, copying permitted and pre-emphasis; LBA 0
        "00 10 06 00 0000047e"  # 1,000 + 150
        "00 10 aa 00 00000672"  # 1,650; control of the last track
    )
    assert creator.expected_table_of_contents == expected
    creator.create_result_image()
    assert creator.expected_table_of_contents == expected


def test_the_table_of_contents_follows_every_change() -> None:
    creator = staged(1_000, 500)
    assert creator.expected_table_of_contents[-4:] == (1_500).to_bytes(4)
    creator.disable_gapless_audio = True
    assert creator.expected_table_of_contents[-4:] == (1_650).to_bytes(4)
    creator.add_track(silent(300))
    assert creator.expected_table_of_contents[-4:] == (2_100).to_bytes(4)
    assert creator.expected_table_of_contents[3] == 3
