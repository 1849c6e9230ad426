"""A disc as a value: what contradicts itself is refused, everything else can be said."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rawcd.disc import (
    Area,
    CopySetting,
    Disc,
    DiscType,
    Index,
    Place,
    Session,
    Track,
    TrackMode,
)

if TYPE_CHECKING:
    from enum import IntEnum


def indexes(*pairs: tuple[int, int]) -> tuple[Index, ...]:
    return tuple(Index(number=number, lba=lba) for number, lba in pairs)


def track(number: int, *pairs: tuple[int, int], end: int, **more: Any) -> Track:
    return Track(number=number, indexes=indexes(*pairs), end_lba=end, **more)


FIRST = track(1, (0, -150), (1, 0), (2, 500), end=1_000)
SECOND = track(2, (0, 1_000), (1, 1_150), end=2_000)
THIRD = track(3, (1, 2_000), end=3_000)
ONE_SESSION = Session(tracks=(FIRST, SECOND, THIRD), lead_out_lba=3_000)
ONE = Disc(sessions=(ONE_SESSION,))
# lead-out 3,000 to 9,749, then a lead-in of 4,500 sectors
LATER = Session(
    tracks=(track(4, (0, 14_250), (1, 14_400), end=15_000, mode=TrackMode.MODE1),),
    lead_in_lba=9_750,
    lead_out_lba=15_000,
    lead_out_sectors=2_250,
)
TWO = Disc(sessions=(ONE_SESSION, LATER))


@st.composite
def discs(draw: st.DrawFn) -> Disc:
    """Discs of any shape that contradict nothing, legal or not."""
    lengths = st.integers(1, 400)
    sessions: list[Session] = []
    number = draw(st.integers(1, 90))
    lead_in = draw(st.integers(-45_150, -151))
    for place in range(draw(st.integers(1, 3))):
        lba = -150 if not place else lead_in + draw(lengths)
        tracks: list[Track] = []
        for position in range(draw(st.integers(1, 3))):
            first_number = 0 if not position else draw(st.integers(0, 1))
            marks: list[Index] = []
            least = 2 - first_number
            for index in range(draw(st.integers(least, least + 3))):
                marks.append(Index(number=first_number + index, lba=lba))
                lba += draw(lengths)
            tracks.append(Track(number=number, indexes=tuple(marks), end_lba=lba))
            number += 1
        session = Session(
            tracks=tuple(tracks),
            lead_in_lba=lead_in,
            lead_out_lba=lba,
            lead_out_sectors=draw(lengths),
        )
        sessions.append(session)
        lead_in = session.end_lba
    return Disc(sessions=tuple(sessions))


# -- laws ----------------------------------------------------------------------------------------


@given(discs(), st.data())
def test_every_sector_has_one_place_and_it_leads_back(disc: Disc, data: st.DataObject) -> None:
    lba = data.draw(st.integers(disc.first_lba, disc.end_lba - 1))
    place = disc.place(lba)
    session = disc.sessions[place.session - 1]
    match place.area:
        case Area.LEAD_IN:
            assert (place.track, place.index) == (None, None)
            assert session.lead_in_lba + place.relative == lba < session.tracks[0].indexes[0].lba
        case Area.LEAD_OUT:
            assert (place.track, place.index) == (None, None)
            assert session.lead_out_lba + place.relative == lba
            assert 0 <= place.relative < session.lead_out_sectors
        case Area.PREGAP | Area.TRACK:
            assert place.track is not None
            owner = disc.track(place.track)
            assert owner in session.tracks
            starts = {index.number: index.lba for index in owner.indexes}
            assert starts[1] + place.relative == lba
            assert (place.area is Area.PREGAP) == (place.index == 0) == (place.relative < 0)
            inside = [number for number, start in starts.items() if start <= lba < owner.end_lba]
            assert place.index == max(inside)


@given(discs())
def test_places_change_at_the_borders_and_nowhere_else(disc: Disc) -> None:
    def parts(lba: int) -> tuple[object, ...]:
        place = disc.place(lba)
        return place.session, place.area, place.track, place.index

    borders = list(disc.borders())
    assert (borders[0], borders[-1]) == (disc.first_lba, disc.end_lba)
    assert all(before < after for before, after in pairwise(borders))
    for begin, end in pairwise(borders):
        assert parts(begin) == parts(end - 1)
        if begin > disc.first_lba:
            assert parts(begin - 1) != parts(begin)


@given(discs())
def test_a_disc_is_a_value(disc: Disc) -> None:
    again = replace(disc, sessions=tuple(replace(session) for session in disc.sessions))
    assert again == disc
    assert hash(again) == hash(disc)
    assert replace(disc, mcn="4006381333931") != disc


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (FIRST.indexes[0], "lba"),
        (FIRST, "isrc"),
        (ONE_SESSION, "lead_in_lba"),
        (ONE, "mcn"),
        (ONE.place(0), "track"),
    ],
    ids=lambda part: type(part).__name__ if not isinstance(part, str) else part,
)
def test_values_do_not_change(value: object, name: str) -> None:
    with pytest.raises(FrozenInstanceError):
        setattr(value, name, None)


@pytest.mark.parametrize(
    ("kind", "numbers"),
    [
        (TrackMode, {"AUDIO": -1, "MODE0": 0, "MODE1": 1, "MODE2": 2}),
        (CopySetting, {"PERMITTED": 0, "PROHIBITED": 1, "SCMS": 2}),  # IMAPI's
        (DiscType, {"CDDA_CDROM": 0x00, "CDI": 0x10, "XA": 0x20}),  # PSEC of point A0
    ],
)
def test_numbers_are_those_of_the_books(kind: type[IntEnum], numbers: dict[str, int]) -> None:
    assert {member.name: member.value for member in kind} == numbers


# -- what is read off ----------------------------------------------------------------------------


def test_a_track_with_and_without_a_pregap() -> None:
    assert (SECOND.first_lba, SECOND.start_lba) == (1_000, 1_150)
    assert (SECOND.pregap_sectors, SECOND.sector_count) == (150, 850)
    assert (THIRD.first_lba, THIRD.start_lba) == (2_000, 2_000)
    assert (THIRD.pregap_sectors, THIRD.sector_count) == (0, 1_000)


@pytest.mark.parametrize(
    ("more", "control"),
    [
        ({}, 0b0000),
        ({"pre_emphasis": True}, 0b0001),
        ({"copy": CopySetting.PERMITTED}, 0b0010),
        ({"copy": CopySetting.SCMS}, 0b0000),
        ({"mode": TrackMode.MODE1}, 0b0100),
        ({"mode": TrackMode.MODE0}, 0b0100),
        ({"four_channel": True}, 0b1000),
        (
            {"pre_emphasis": True, "copy": CopySetting.PERMITTED, "four_channel": True},
            0b1011,
        ),
    ],
)
def test_control_nibble(more: dict[str, Any], control: int) -> None:
    assert track(1, (0, -150), (1, 0), end=300, **more).control == control


@pytest.mark.parametrize(
    ("lba", "place"),
    [
        (-22_650, (Area.LEAD_IN, 1, None, None, 0)),
        (-151, (Area.LEAD_IN, 1, None, None, 22_499)),
        (-150, (Area.PREGAP, 1, 1, 0, -150)),
        (-1, (Area.PREGAP, 1, 1, 0, -1)),
        (0, (Area.TRACK, 1, 1, 1, 0)),
        (499, (Area.TRACK, 1, 1, 1, 499)),
        (500, (Area.TRACK, 1, 1, 2, 500)),
        (999, (Area.TRACK, 1, 1, 2, 999)),
        (1_000, (Area.PREGAP, 1, 2, 0, -150)),
        (1_150, (Area.TRACK, 1, 2, 1, 0)),
        (2_000, (Area.TRACK, 1, 3, 1, 0)),
        (3_000, (Area.LEAD_OUT, 1, None, None, 0)),
        (9_749, (Area.LEAD_OUT, 1, None, None, 6_749)),
        (9_750, (Area.LEAD_IN, 2, None, None, 0)),
        (14_250, (Area.PREGAP, 2, 4, 0, -150)),
        (14_400, (Area.TRACK, 2, 4, 1, 0)),
        (17_249, (Area.LEAD_OUT, 2, None, None, 2_249)),
    ],
)
def test_places_of_a_disc_of_two_sessions(
    lba: int, place: tuple[Area, int, int | None, int | None, int]
) -> None:
    area, session, number, index, relative = place
    assert TWO.place(lba) == Place(
        area=area, session=session, track=number, index=index, relative=relative
    )


@pytest.mark.parametrize("lba", [-22_651, 17_250])
def test_an_address_outside_has_no_place(lba: int) -> None:
    with pytest.raises(ValueError, match=f"LBA {lba} is outside the disc"):
        TWO.place(lba)


def test_borders_of_a_disc_of_two_sessions() -> None:
    assert list(TWO.borders()) == [
        *(-22_650, -150, 0, 500, 1_000, 1_150, 2_000, 3_000),
        *(9_750, 14_250, 14_400, 15_000, 17_250),
    ]


def test_tracks_are_found_by_number() -> None:
    assert TWO.tracks == (FIRST, SECOND, THIRD, LATER.tracks[0])
    assert TWO.track(3) is THIRD
    assert (TWO.first_lba, TWO.end_lba) == (-22_650, 17_250)
    with pytest.raises(KeyError):
        TWO.track(5)


# -- contradictions ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"number": 0}, "track 0: numbers go from 1 to 99"),
        ({"number": 100}, "track 100: numbers go from 1 to 99"),
        ({"indexes": ()}, "track 2: it has no index 1"),
        ({"indexes": indexes((0, 1_000))}, "track 2: it has no index 1"),
        ({"indexes": indexes((2, 1_000))}, "track 2: it has no index 1"),
        (
            {"indexes": indexes((0, 1_000), (1, 1_100), (3, 1_200))},
            r"track 2: its index numbers \[0, 1, 3\] do not rise by one",
        ),
        ({"indexes": indexes((1, 1_000), (1, 1_100))}, r"\[1, 1\] do not rise by one"),
        ({"indexes": indexes((-1, 1_000), (0, 1_100), (1, 1_200))}, "track 2"),
        (
            {"indexes": indexes(*((number, 1_000 + number) for number in range(101)))},
            "index above 99",
        ),
        (
            {"indexes": indexes((0, 1_000), (1, 1_000))},
            r"track 2: its index addresses and end \[1000, 1000, 2000\] do not rise",
        ),
        ({"indexes": indexes((1, 1_200), (2, 1_100))}, r"\[1200, 1100, 2000\] do not rise"),
        ({"end_lba": 1_150}, r"\[1000, 1150, 1150\] do not rise"),
        ({"isrc": "US-S1Z-99-00001"}, "'US-S1Z-99-00001' is no ISRC of 12"),
        ({"isrc": "USS1Z990000"}, "'USS1Z990000' is no ISRC of 12"),
        ({"isrc": "USS1Z99000001"}, "'USS1Z99000001' is no ISRC of 12"),
        ({"isrc": "\u00c4SS1Z9900001"}, "is no ISRC of 12"),
        ({"isrc": ""}, "'' is no ISRC of 12"),
        ({"isrc": "uss1z9900001"}, "five capital letters or digits, seven digits"),
        ({"isrc": "USS1Z990000X"}, "five capital letters or digits, seven digits"),
        ({"mode": 5}, "5 is not a valid TrackMode"),
        ({"copy": 3}, "3 is not a valid CopySetting"),
    ],
)
def test_a_track_that_contradicts_itself(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(SECOND, **changes)


def test_plain_numbers_and_lists_make_the_same_disc() -> None:
    """A mode that only equals its member would be told apart by `is`, in CONTROL and in TOCs."""
    plain: dict[str, Any] = {"mode": 1, "copy": 0, "indexes": list(SECOND.indexes)}
    named = replace(SECOND, mode=TrackMode.MODE1, copy=CopySetting.PERMITTED)
    made = replace(SECOND, **plain)
    assert made == named
    assert hash(made) == hash(named)
    assert (made.control, made.is_audio) == (named.control, False)
    of_session: dict[str, Any] = {"tracks": [*ONE_SESSION.tracks], "disc_type": 0x20}
    sessions: Any = [replace(ONE_SESSION, **of_session)]
    disc = Disc(sessions=sessions)
    assert disc == Disc(sessions=(replace(ONE_SESSION, disc_type=DiscType.XA),))
    assert disc.sessions[0].disc_type is DiscType.XA
    assert hash(disc) is not None


def test_numbers_1_and_99_are_tracks() -> None:
    assert [replace(SECOND, number=number).number for number in (1, 99)] == [1, 99]


def test_99_indexes_and_a_pregap_are_a_track() -> None:
    pairs = [(number, 1_000 + number) for number in range(100)]
    assert track(2, *pairs, end=1_100).sector_count == 99


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tracks": ()}, "a session has 1 to 99 tracks"),
        (
            {"tracks": (FIRST, replace(SECOND, number=3), THIRD)},
            "track 3 follows track 1: numbers rise by one",
        ),
        (
            {"tracks": (FIRST, track(2, (1, 1_001), end=2_000), THIRD)},
            "track 2 begins at LBA 1001, but track 1 ends at 1000",
        ),
        (
            {"tracks": (FIRST, track(2, (1, 999), end=2_000), THIRD)},
            "track 2 begins at LBA 999, but track 1 ends at 1000",
        ),
        ({"tracks": (THIRD,)}, "track 3 is a session's first and has no index 0"),
        ({"lead_in_lba": -150}, "the lead-in begins behind its tracks"),
        ({"lead_out_lba": 3_001}, "the lead-out is at LBA 3001, the last track ends at 3000"),
        ({"lead_out_sectors": 0}, "the lead-out has no sectors"),
    ],
)
def test_a_session_that_contradicts_itself(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(ONE_SESSION, **changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sessions": ()}, "a disc has at least one session"),
        ({"sessions": (LATER,)}, "index 0 of the first track is at LBA 14250, not at -150"),
        (
            {"sessions": (ONE_SESSION, replace(LATER, lead_in_lba=9_751))},
            "a lead-in begins at LBA 9751, the lead-out before it ends at 9750",
        ),
        (
            {
                "sessions": (
                    ONE_SESSION,
                    replace(LATER, tracks=(replace(LATER.tracks[0], number=5),)),
                )
            },
            "track 5 follows track 3: numbers rise by one over all sessions",
        ),
        ({"mcn": "400638133393"}, "'400638133393' is no media catalogue number of 13 digits"),
        ({"mcn": "400638133393X"}, "is no media catalogue number of 13 digits"),
        ({"mcn": "40063813339\u0663\u0663"}, "is no media catalogue number of 13 digits"),
        ({"mcn": ""}, "'' is no media catalogue number"),
        (
            {"sessions": (replace(ONE_SESSION, lead_in_lba=-45_151),)},
            "reaches from LBA -45151 to 9749; addresses go from -45150 to 404849",
        ),
        (
            {"sessions": (replace(ONE_SESSION, lead_out_sectors=401_851),)},
            "reaches from LBA -22650 to 404850; addresses go from -45150 to 404849",
        ),
    ],
)
def test_a_disc_that_contradicts_itself(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(TWO, **changes)


def test_the_last_address_may_be_used() -> None:
    disc = replace(ONE, sessions=(replace(ONE_SESSION, lead_out_sectors=401_850),))
    assert disc.end_lba - 1 == 404_849


def test_what_must_not_be_authored_can_be_said_all_the_same() -> None:
    tiny = track(1, (0, -150), (1, -149), end=-148, mode=TrackMode.MODE1, copy=CopySetting.SCMS)
    session = Session(tracks=(tiny,), lead_in_lba=-151, lead_out_lba=-148, lead_out_sectors=1)
    assert Disc(sessions=(session,)).track(1).sector_count == 1
