"""What a single sector does not show: rows of frames, whole tables, sets of packs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from rawcd.cdtext import CDText, TextBlock, TextItem, lead_in_symbols
from rawcd.disc import Disc, Session, TrackMode
from rawcd.image import ImageType, MainForm, Region, RegionImage, SubForm, SubRegion
from rawcd.source import ArraySource
from rawcd.subcode import PackLine, PackPart, with_parity
from rawcd.subcode.frame import q_crc
from rawcd.verify import verify_image
from tests.recordings import second_session, track
from tests.verifying import Recording, made

if TYPE_CHECKING:
    from collections.abc import Callable

LEAD_IN, LEAD_OUT = -4_650, 1_200


def disc(**more: object) -> Disc:
    """Two tracks, a pregap of two seconds between them."""
    session = Session(
        tracks=(
            track(1, -150, 0, end=500, pregap=True),
            track(2, 500, 650, end=LEAD_OUT, pregap=True, **more),
        ),
        lead_in_lba=LEAD_IN,
        lead_out_lba=LEAD_OUT,
    )
    return Disc(sessions=(session,), mcn="4006381333931")


def found(recording: Recording) -> set[tuple[str, int | None, int]]:
    return {(each.rule, each.lba, each.sectors) for each in verify_image(recording).findings}


def bcd(value: int) -> int:
    return value // 10 << 4 | value % 10


def test_a_countdown_to_neither_0_nor_1_is_one_finding() -> None:
    recording = Recording(made(disc()))
    for lba in range(500, 650):
        frame = recording.q(lba)
        if frame[0] & 15 == 1:
            left = 649 - lba + 5
            frame[4], frame[5] = bcd(left // 75), bcd(left % 75)
            recording.put_q(lba, frame)
    assert found(recording) == {("countdown", 500, 150)}


@pytest.mark.parametrize("ends_at", [0, 1])
def test_either_countdown_is_right(ends_at: int) -> None:
    image = made(disc())
    image = image.with_style(replace(image.style, countdown_ends_at=ends_at))
    assert not found(Recording(image))


def test_times_that_jump_are_one_finding_to_the_end() -> None:
    """Codes stand between them, and have no time to be wrong."""
    recording = Recording(made(disc()))
    for lba in range(800, LEAD_OUT):
        frame = recording.q(lba)
        if frame[0] & 15 == 1:
            frame[3] = bcd(7)
            recording.put_q(lba, frame)
    ((rule, first, sectors),) = found(recording)
    assert (rule, first) == ("q-relative-time", 800)
    assert sectors in (LEAD_OUT - 800, LEAD_OUT - 801)


def test_a_code_where_a_track_begins_hides_its_border() -> None:
    recording = Recording(made(disc()))
    frame = recording.q(630)
    assert frame[0] & 15 == 2
    frame[9] = bcd((650 + 150) % 75)
    recording.put_q(650, frame)
    assert found(recording) == {("q-border", 650, 1)}


def test_p_that_beats_as_nobody_has_it() -> None:
    recording = Recording(made(disc()))
    rng = np.random.default_rng(1)
    for lba in range(LEAD_OUT + 150, LEAD_OUT + 6_750):
        sub = recording.sub(lba)
        sub[:] = sub & 0x7F | (0x80 if rng.random() < 0.5 else 0)
    assert found(recording) == {("p-wave", LEAD_OUT + 150, 6_600)}


@pytest.mark.parametrize("mode", [TrackMode.MODE1, TrackMode.MODE2])
def test_a_data_track_without_data_is_one_finding(mode: TrackMode) -> None:
    first = Session(
        tracks=(track(1, -150, 0, end=600, pregap=True, mode=mode),),
        lead_in_lba=LEAD_IN,
        lead_out_lba=600,
    )
    recording = Recording(made(Disc(sessions=(first,))))
    for lba in range(300):
        recording.main(lba)[:] = 0
    assert found(recording) == {("lost-sector", 0, 300)}


def change_items(point: int, change: Callable[[bytearray], None], image: RegionImage) -> Recording:
    """An image in whose first lead-in all frames of an item are others."""
    recording = Recording(image)
    for lba in range(LEAD_IN, -150):
        frame = recording.q(lba)
        if frame[2] == point:
            change(frame)
            recording.put_q(lba, frame)
    return recording


def put(place: int, value: int) -> Callable[[bytearray], None]:
    def change(frame: bytearray) -> None:
        frame[place] = value

    return change


def test_a_disc_type_that_there_is_not() -> None:
    recording = change_items(0xA0, put(8, 0x30), made(disc()))
    assert found(recording) == {("toc-disc-type", LEAD_IN, 1)}


def test_pointers_to_a_session_elsewhere() -> None:
    first = disc().sessions[0]
    image = made(Disc(sessions=(first, second_session(first, (0, 320)))))
    b0, c0 = LEAD_IN + 15, LEAD_IN + 18
    assert not found(Recording(image))
    recording = change_items(0xB0, put(5, 0x11), image)
    assert found(recording) == {("toc-next-session", b0, 1)}
    recording = change_items(0xC0, put(8, 0x01), image)
    assert found(recording) == {("toc-first-lead-in", c0, 1)}


def test_an_isrc_without_a_country_is_a_warning() -> None:
    report = verify_image(Recording(made(disc(isrc="12ABC2500017"))))
    assert [(each.rule, each.track) for each in report.findings] == [("isrc-shape", 2)]
    assert report.is_clean


def test_a_lead_out_behind_80_minutes_is_a_warning() -> None:
    long = Session(
        tracks=(track(1, -150, 0, end=359_900, pregap=True),),
        lead_in_lba=LEAD_IN,
        lead_out_lba=359_900,
    )
    whole = Disc(sessions=(long,))
    count = whole.end_lba - LEAD_IN
    image = RegionImage(
        disc=whole,
        main=(Region(lba=LEAD_IN, sectors=count, form=MainForm.ZERO),),
        sub=(SubRegion(lba=LEAD_IN, sectors=count, form=SubForm.MADE),),
    )
    assert [(each.rule, each.lba) for each in verify_image(image).findings] == [
        ("lead-out-late", 359_900)
    ]


def test_items_that_stand_in_twos_are_one_finding() -> None:
    image = made(disc())
    recording, original = Recording(image), Recording(image)
    items = [original.q(LEAD_IN + 3 * item) for item in range(5)]
    for lba in range(LEAD_IN, -150):
        frame = recording.q(lba)
        other = items[(lba - LEAD_IN) // 2 % 5]
        frame[0], frame[2], frame[7:10] = other[0], other[2], other[7:10]
        recording.put_q(lba, frame)
    rules = {(rule, lba, sectors) for rule, lba, sectors in found(recording)}
    assert rules == {("toc-cycle", LEAD_IN, 4_500)}


TEXT = CDText(
    blocks=(
        TextBlock(
            items=tuple(
                TextItem(field="title", track=number, text=f"A title of some length, {number}")
                for number in range(3)
            )
        ),
    )
)


def with_packs(packs: bytes) -> RegionImage:
    image = made(disc())
    cycle = np.frombuffer(lead_in_symbols(packs), np.uint8).reshape(-1, 96)
    rows = cycle[np.arange(4_500) % len(cycle)]
    source = ArraySource(rows.tobytes(), block_size=96)
    return replace(
        image,
        sub=(
            SubRegion(lba=LEAD_IN, sectors=4_500, form=SubForm.RW, source=source),
            SubRegion(lba=-150, sectors=image.sector_count - 4_500, form=SubForm.MADE),
        ),
    )


def signed(pack: bytes) -> bytes:
    return pack[:16] + q_crc(pack[:16]).to_bytes(2, "big")


def test_packs_in_order_are_no_finding() -> None:
    assert not found(Recording(with_packs(TEXT.to_packs(first_track=1, last_track=2))))


@pytest.mark.parametrize("what", ["count", "last sequence", "a pack missing", "a track"])
def test_size_information_and_sequence_are_held_against_the_packs(what: str) -> None:
    packs = TEXT.to_packs(first_track=1, last_track=2)
    rows = [packs[place : place + 18] for place in range(0, len(packs), 18)]
    sizes = [place for place, row in enumerate(rows) if row[0] == 0x8F]
    if what == "a pack missing":
        del rows[1]
    elif what == "count":
        row = bytearray(rows[sizes[0]])
        row[4 + 4] += 1  # packs of type 80h
        rows[sizes[0]] = signed(bytes(row))
    elif what == "last sequence":
        row = bytearray(rows[sizes[1]])
        row[4 + 8] -= 1  # byte 20 of the record
        rows[sizes[1]] = signed(bytes(row))
    else:
        row = bytearray(rows[sizes[0]])
        row[4 + 1], row[4 + 2] = 9, 3  # first and last track
        rows[sizes[0]] = signed(bytes(row))
    report = verify_image(Recording(with_packs(b"".join(rows))))
    assert {(each.rule, each.lba) for each in report.findings} == {("cdtext", LEAD_IN)}


@pytest.mark.parametrize(("first", "right"), [(0x09, True), (0x3A, True), (0x11, False)])
def test_packs_of_no_known_kind_are_told(first: int, *, right: bool) -> None:
    image = made(disc())
    packs = np.zeros((4, 24), np.uint8)
    packs[1, 0] = first
    blocks = ArraySource(with_parity(packs).tobytes(), block_size=96)
    line = PackLine([PackPart(at=100 - LEAD_IN, source=blocks, count=1)], image.sector_count)
    sub = SubRegion(
        lba=LEAD_IN, sectors=image.sector_count, form=SubForm.RW, source=line, rw_packed=True
    )
    image = replace(image, sub=(sub,), kind=ImageType.RAW)
    assert found(Recording(image)) == (set() if right else {("rw-item", 100, 1)})


def test_each_of_many_codes_is_told_for_itself() -> None:
    recording = Recording(made(disc()))
    told = {}
    for lba in [at for at in range(-150, LEAD_OUT) if recording.q(at)[0] & 15 == 2][4:]:
        frame = recording.q(lba)
        frame[1:3] = told[lba] = bytes([bcd(lba // 100 + 10), bcd(lba % 100)])
        recording.put_q(lba, frame)
    report = verify_image(recording)
    assert {each.rule for each in report.findings} <= {"mcn-contradiction", "mcn-density"}
    contradictions = [each for each in report.findings if each.rule == "mcn-contradiction"]
    assert [each.lba for each in contradictions] == list(told)
    for each in contradictions:
        assert each.lba is not None
        assert f" {told[each.lba].hex()}" in each.message
