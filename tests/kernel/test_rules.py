"""The law: each rule at its border, with its id, its place and both numbers in the message."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rawcd.disc import CopySetting, Disc, Index, Session, Track, TrackMode
from rawcd.rules import RuleBreak, check_digit, is_isrc, is_sheet_isrc, rule_breaks


def make(
    *,
    sectors: int = 300,
    pregap: int = 150,
    lead_in_lba: int = -22_650,
    lead_out_sectors: int = 6_750,
    **track: Any,
) -> Disc:
    """A disc of one track."""
    start = pregap - 150
    only = Track(
        number=1,
        indexes=(Index(number=0, lba=-150), Index(number=1, lba=start)),
        end_lba=start + sectors,
        **track,
    )
    session = Session(
        tracks=(only,),
        lead_in_lba=lead_in_lba,
        lead_out_lba=start + sectors,
        lead_out_sectors=lead_out_sectors,
    )
    return Disc(sessions=(session,))


def test_a_disc_on_every_border_breaks_nothing() -> None:
    assert rule_breaks(make(sectors=300, pregap=150, lead_in_lba=-4_650)) == ()
    assert rule_breaks(make(sectors=398_100)) == ()


def test_short_track() -> None:
    (found,) = rule_breaks(make(sectors=299, pregap=160))
    assert found == RuleBreak(
        rule="short-track",
        lba=10,
        track=1,
        message="299 sectors (3.99 s) are shorter than the shortest track, 300 sectors (4 s)",
    )
    assert str(found) == f"track 1: {found.message}"


def test_short_pregap() -> None:
    (found,) = rule_breaks(make(sectors=400, pregap=149))
    assert (found.rule, found.lba, found.track) == ("short-pregap", -150, 1)
    assert "149 sectors is shorter than 150 (2 s)" in found.message


def test_short_lead_in() -> None:
    (found,) = rule_breaks(make(lead_in_lba=-4_649))
    assert (found.rule, found.lba, found.track) == ("short-lead-in", -4_649, None)
    assert "4499 sectors is shorter than 4500" in found.message
    assert str(found) == found.message


def test_lead_out_limit() -> None:
    disc = make(sectors=398_000)
    assert rule_breaks(disc, lead_out_limit=398_000) == ()
    (found,) = rule_breaks(disc, lead_out_limit=397_999)
    assert (found.rule, found.lba, found.track) == ("lead-out-limit", 398_000, None)
    # 398,000 + 150 frames = 88:28:50
    assert "LBA 398000 (88:28:50)" in found.message
    assert "limit of 397999 (88:28:49)" in found.message


@pytest.mark.parametrize("asked", [398_100, 398_101, 404_849])
def test_no_limit_is_above_398_100(asked: int) -> None:
    disc = make(sectors=398_101, lead_out_sectors=1)
    (found,) = rule_breaks(disc, lead_out_limit=asked)
    assert found.rule == "lead-out-limit"
    assert "398101" in found.message
    assert "limit of 398100" in found.message


def test_the_last_lead_out_of_all_keeps_the_limit() -> None:
    first = make(sectors=1_000).sessions[0]  # its lead-out ends before 7,750
    later = Track(
        number=2,
        indexes=(Index(number=0, lba=12_250), Index(number=1, lba=12_400)),
        end_lba=13_000,
    )
    second = Session(
        tracks=(later,), lead_in_lba=7_750, lead_out_lba=13_000, lead_out_sectors=2_250
    )
    disc = Disc(sessions=(first, second))
    assert rule_breaks(disc, lead_out_limit=13_000) == ()
    (found,) = rule_breaks(disc, lead_out_limit=12_999)
    assert (found.rule, found.lba) == ("lead-out-limit", 13_000)


@pytest.mark.parametrize(
    ("rule", "what", "track"),
    [
        ("scms-on-data", "SCMS", {"copy": CopySetting.SCMS}),
        ("pre-emphasis-on-data", "pre-emphasis", {"pre_emphasis": True}),
        ("four-channel-on-data", "four channels", {"four_channel": True}),
        ("isrc-on-data", "an ISRC", {"isrc": "USS1Z9900001"}),
    ],
)
def test_what_only_audio_tracks_have(rule: str, what: str, track: dict[str, Any]) -> None:
    assert rule_breaks(make(**track)) == ()
    for mode in (TrackMode.MODE0, TrackMode.MODE1, TrackMode.MODE2):
        (found,) = rule_breaks(make(mode=mode, **track))
        assert (found.rule, found.lba, found.track) == (rule, 0, 1)
        assert what in found.message
        assert mode.name.lower() in found.message


def test_every_break_is_told() -> None:
    disc = make(sectors=10, pregap=10, lead_in_lba=-151, mode=TrackMode.MODE1, pre_emphasis=True)
    found = {broken.rule for broken in rule_breaks(disc, lead_out_limit=-131)}
    assert found == {
        "short-lead-in",
        "short-pregap",
        "short-track",
        "pre-emphasis-on-data",
        "lead-out-limit",
    }


# -- EAN-13 and ISRC -----------------------------------------------------------------------------

digits12 = st.text("0123456789", min_size=12, max_size=12)


@given(digits12)
def test_with_its_check_digit_the_weighted_sum_is_a_multiple_of_ten(digits: str) -> None:
    whole = digits + check_digit(digits)
    odd, even = whole[0::2], whole[1::2]
    assert (sum(map(int, odd)) + 3 * sum(map(int, even))) % 10 == 0


@given(digits12, st.integers(0, 11), st.integers(1, 9))
def test_one_wrong_digit_is_noticed(digits: str, place: int, by: int) -> None:
    wrong = str((int(digits[place]) + by) % 10)
    assert check_digit(digits[:place] + wrong + digits[place + 1 :]) != check_digit(digits)


@pytest.mark.parametrize(
    "number",
    ["0123456789012", "4006381333931", "5901234123457", "9780201379624", "0000000000000"],
)
def test_check_digits_of_published_numbers(number: str) -> None:
    assert check_digit(number) == check_digit(number[:12]) == number[12]


@pytest.mark.parametrize(
    ("text", "isrc", "in_sheet"),
    [
        ("USK7Y9812345", True, True),
        ("GB1239900001", True, True),
        ("123459812345", False, True),  # a mode 3 frame holds it, ISO 3901 does not
        ("A1K7Y9812345", False, True),
        ("USK7YA812345", False, False),
        ("usk7y9812345", False, False),
        ("US-K7Y-98-12345", False, False),
        ("USK7Y981234", False, False),
        ("USK7Y98123456", False, False),
        ("USK7Y9812345\n", False, False),
        ("\u00c4SK7Y9812345", False, False),
        ("USK7Y981234\u0665", False, False),
        ("", False, False),
    ],
)
def test_isrc_forms(text: str, isrc: bool, in_sheet: bool) -> None:
    assert is_isrc(text) is isrc
    assert is_sheet_isrc(text) is in_sheet
