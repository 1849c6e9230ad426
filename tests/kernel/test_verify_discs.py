"""Whole discs: what their tables contradict, what they carry in R to W, who else made them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rawcd.cdtext import CDText, TextBlock, TextItem
from rawcd.disc import Disc, DiscType, Index, Session, TrackMode
from rawcd.image import ImageType
from rawcd.subcode.style import STYLES
from rawcd.verify import MEANINGS, RULES, Severity, verify_image
from tests.recordings import second_session, track
from tests.strategies import discs, images
from tests.verifying import Recording, examples, graphics, legal_discs, made, styles, two_tracks

if TYPE_CHECKING:
    from rawcd.image import RegionImage
    from rawcd.verify import Report


def rules(report: Report) -> set[str]:
    return {each.rule for each in report.findings}


def warned(disc: Disc) -> set[tuple[str, int]]:
    """What programs are known to stumble over, by the layout alone."""
    first, last = disc.tracks[0], disc.tracks[-1]
    found = set()
    if first.number != 1:
        found.add(("first-track-number", first.start_lba))
    if first.pregap_sectors > 150:
        found.add(("hidden-sound", 0))
    if last.number == 99:
        found.add(("track-99", last.start_lba))
    for each in disc.tracks:
        if each.four_channel:
            found.add(("four-channels", each.start_lba))
        if each.indexes[-1].number > 1:
            found.add(("many-indexes", each.start_lba))
    return found


@given(
    images(
        discs(max_tracks=99, lead_ins=(-4_650, -11_634)),
        styles=tuple(STYLES),
        kinds=tuple(ImageType),
    )
)
@settings(max_examples=examples(15))
def test_any_disc_that_may_be_authored_has_no_defect(image: RegionImage) -> None:
    report = verify_image(Recording(image))
    assert not report.defects
    assert {(each.rule, each.lba) for each in report.warnings} == warned(image.disc)


class Spliced(Recording):
    """A disc with the lead-in of another."""

    def __init__(self, image: RegionImage, other: RegionImage) -> None:
        super().__init__(image)
        self.other = other

    def read(self, lba: int, count: int) -> bytes:
        data = super().read(lba, count)
        theirs = max(min(-150 - lba, count), 0)
        if not theirs:
            return data
        return self.other.read(lba, theirs) + data[theirs * self.sector_size :]


def with_session(disc: Disc, **more: object) -> Disc:
    return replace(disc, sessions=(replace(disc.sessions[0], **more),))  # type: ignore[arg-type]  # any field


def shifted(disc: Disc) -> Disc:
    first, second = disc.sessions[0].tracks
    indexes = (Index(number=0, lba=500), Index(number=1, lba=651))
    return with_session(disc, tracks=(first, replace(second, indexes=indexes)))


def one_more(disc: Disc) -> Disc:
    first, second = disc.sessions[0].tracks
    third = track(3, 900, end=1_200)
    return with_session(disc, tracks=(first, replace(second, end_lba=900), third))


def one_less(disc: Disc) -> Disc:
    (first, _) = disc.sessions[0].tracks
    return with_session(disc, tracks=(replace(first, end_lba=1_200),))


def renumbered(disc: Disc) -> Disc:
    tracks = tuple(replace(each, number=each.number + 1) for each in disc.sessions[0].tracks)
    return with_session(disc, tracks=tracks)


def shorter(disc: Disc) -> Disc:
    first, second = disc.sessions[0].tracks
    return with_session(disc, tracks=(first, replace(second, end_lba=1_100)), lead_out_lba=1_100)


def emphatic(disc: Disc) -> Disc:
    tracks = tuple(replace(each, pre_emphasis=True) for each in disc.sessions[0].tracks)
    return with_session(disc, tracks=tracks)


TABLES = {
    "a track begins elsewhere": (shifted, {("toc-track", -4_638)}),
    "another lead-out": (shorter, {("toc-lead-out", -4_644)}),
    "a track too many": (one_more, {("toc-last-track", -4_647), ("toc-extra", -4_635)}),
    "a track too few": (one_less, {("toc-last-track", -4_647), ("toc-missing", -4_650)}),
    "other numbers": (
        renumbered,
        {
            ("toc-first-track", -4_650),
            ("toc-last-track", -4_647),
            ("toc-missing", -4_650),
            ("toc-track", -4_641),
            ("toc-extra", -4_638),
        },
    ),
    "pre-emphasis": (
        emphatic,
        {("toc-control", lba) for lba in range(-4_650, -4_635, 3)},
    ),
}
"""Lead-ins of other discs, and what they contradict. Items stand as A0, A1, A2, tracks."""


@pytest.mark.parametrize("name", TABLES)
def test_a_table_of_contents_of_another_disc_is_found_out(name: str) -> None:
    change, predicted = TABLES[name]
    disc = two_tracks()
    report = verify_image(Spliced(made(disc), made(change(disc))))
    assert {(each.rule, each.lba) for each in report.findings} == predicted


class Cut(Recording):
    """A part of a disc."""

    def __init__(self, image: RegionImage, lba: int, end: int) -> None:
        super().__init__(image)
        self.first_lba, self.sector_count = lba, end - lba


def test_a_disc_without_lead_in_or_with_a_short_lead_out_is_told() -> None:
    image = made(two_tracks())
    found = verify_image(Cut(image, -150, image.disc.end_lba))
    assert {(each.rule, each.lba) for each in found.findings} == {("no-lead-in", -150)}
    found = verify_image(Cut(image, -4_650, image.disc.end_lba - 100))
    assert {(each.rule, each.lba) for each in found.findings} == {("short-lead-out", 1_200)}
    found = verify_image(Cut(image, -4_650, 1_000))
    assert ("contradiction", None) in {(each.rule, each.lba) for each in found.findings}
    found = verify_image(Cut(image, -4_600, image.disc.end_lba))
    assert {(each.rule, each.lba) for each in found.findings} == {("short-lead-in", -4_600)}


def test_subcode_of_zeros_is_one_finding_of_the_disc_and_rows_of_crcs() -> None:
    class Zeros(Recording):
        def read(self, lba: int, count: int) -> bytes:
            return bytes(count * self.sector_size)

    report = verify_image(Zeros(made(two_tracks())))
    assert [(each.rule, each.lba, each.sectors) for each in report.findings] == [
        ("no-place", None, 1),
        ("q-crc", -4_650, report.sectors),
    ]


def test_of_a_hopeless_disc_so_many_are_listed_and_the_others_counted() -> None:
    image = made(two_tracks())
    recording = Recording(image)
    for lba in range(-4_650, 1_200, 2):
        recording.sub(lba)[0, 20] ^= 0x40
    report = verify_image(recording)
    assert len(report.findings) == 1_000
    assert report.left_out == (("q-crc", (4_650 + 1_200) // 2 - 1_000),)
    assert "1,925 more not listed" in report.summary()


@pytest.mark.parametrize(
    ("disc", "predicted"),
    [
        (two_tracks(mcn="4006381333932"), {"mcn-check-digit"}),
        (
            with_session(two_tracks(), disc_type=DiscType.XA),
            set(),
        ),
        (
            Disc(
                sessions=(
                    Session(
                        tracks=(track(1, -150, 0, end=200, pregap=True),),
                        lead_in_lba=-4_650,
                        lead_out_lba=200,
                    ),
                )
            ),
            {"short-track"},
        ),
        (
            Disc(
                sessions=(
                    Session(
                        tracks=(
                            track(1, -150, 0, end=500, pregap=True),
                            track(2, 500, 650, end=1_200, pregap=True, mode=TrackMode.MODE1),
                        ),
                        lead_in_lba=-4_650,
                        lead_out_lba=1_200,
                    ),
                )
            ),
            {"mode-change-pregap"},
        ),
    ],
)
def test_what_must_not_be_authored_is_told_from_the_bytes(disc: Disc, predicted: set[str]) -> None:
    assert rules(verify_image(Recording(made(disc)))) == predicted


@given(st.integers(0, 1_190), st.integers(0, 95), st.integers(1, 63))
@settings(max_examples=examples(8))
def test_a_wrong_symbol_is_found_in_the_pack_that_it_belongs_to(
    lba: int, place: int, bits: int
) -> None:
    """Column k of a pack is recorded k mod 8 packs later (Red Book clause 18)."""
    recording = Recording(graphics(two_tracks()))
    recording.sub(lba)[0, place] ^= bits
    pack = 4 * lba + place // 24 - place % 24 % 8
    found = verify_image(recording).findings
    assert {(each.rule, each.lba) for each in found} == {("rw-parity", pack // 4)}


def test_graphics_in_order_are_no_finding() -> None:
    assert not verify_image(Recording(graphics(two_tracks()))).findings


@given(
    discs(max_tracks=3, lead_ins=(-4_650,)).filter(lambda disc: disc.cdtext is not None),
    styles,
    st.integers(-4_650, -151),
    st.integers(0, 95),
)
@settings(max_examples=examples(4))
def test_a_damaged_pack_of_text_is_found(disc: Disc, style: str, lba: int, place: int) -> None:
    recording = Recording(made(disc, style=style))
    assert not verify_image(recording).defects
    recording.sub(lba)[0, place] ^= 0x11
    found = verify_image(recording).defects
    assert {(each.rule, each.lba) for each in found} == {("cdtext-crc", lba)}
    recording.sub(lba)[:] &= 0xC0
    found = verify_image(recording).defects
    assert {(each.rule, each.lba) for each in found} == {("cdtext", lba)}


@pytest.mark.parametrize("adr", [1, 5])
def test_a_frame_of_the_lead_in_with_a_track_is_that_alone(adr: int) -> None:
    """Its R to W stay packs of text, its POINT no INDEX."""
    texts = CDText(blocks=(TextBlock(items=(TextItem(field="title", track=1, text="A"),)),))
    recording = Recording(made(two_tracks(appendable=True, cdtext=texts)))
    lba = next(each for each in range(-4_000, -3_900) if recording.q(each)[0] & 15 == adr)
    frame = recording.q(lba)
    frame[1] = 9
    recording.put_q(lba, frame)
    found = verify_image(recording).findings
    assert [(each.rule, each.lba) for each in found] == [("q-track", lba)]


def test_pointers_of_several_sessions_are_held_against_the_sessions() -> None:
    first = two_tracks().sessions[0]
    later = second_session(first, (0, 320))
    disc = Disc(sessions=(first, later))
    assert not verify_image(Recording(made(disc))).findings
    alone = made(Disc(sessions=(first,)))
    found = verify_image(Spliced(made(disc), alone)).findings
    assert [(each.rule, each.lba) for each in found] == [("toc-missing", -4_650)] * 2
    moved = Disc(sessions=(first, second_session(first, (0, 320))), appendable=True)
    assert not verify_image(Recording(made(moved))).findings


def test_every_rule_has_a_weight_and_a_meaning() -> None:
    assert set(RULES) == set(MEANINGS)
    assert set(RULES.values()) == set(Severity)


@given(legal_discs(sessions=1), styles)
@settings(max_examples=examples(3))
def test_an_image_of_the_bytes_alone_reports_as_the_made_one(disc: Disc, style: str) -> None:
    image = made(disc, style=style)
    report, recorded = verify_image(image), verify_image(Recording(image))
    assert report.findings == recorded.findings
    assert report.made == ((image.first_lba, image.sector_count),)
    assert report.summary().endswith("subcode not recorded: made")
    assert not recorded.made
