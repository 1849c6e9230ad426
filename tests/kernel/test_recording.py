"""Tables of contents and recorded sectors as discs: what the formats that copy discs stand on."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rawcd.disc import CopySetting, Disc
from rawcd.errors import FormatError, UnsupportedError
from rawcd.features import Feature
from rawcd.image import MainForm, Region, RegionImage, SubForm, SubRegion, main_sectors
from rawcd.qscan import told_tracks
from rawcd.recording import (
    SUBCODE_FEATURES,
    Sheet,
    SheetTrack,
    Stored,
    program_stretches,
    recorded_image,
    told_by_subcode,
)
from rawcd.sector import scramble
from rawcd.source import ArraySource
from rawcd.subcode import RawChannels
from rawcd.toc import LeadIn, lead_in_pointers, parse_full_toc, scsi_full_toc
from tests.contract.format_contract import plain_disc, scaled
from tests.recordings import mixed_discs, recorded, track, with_subcode_noise
from tests.strategies import image_of, noise_rows

# -- tables of contents ------------------------------------------------------------------------


@given(mixed_discs(sessions=3))
def test_a_full_toc_comes_back_as_the_items_of_each_lead_in(disc: Disc) -> None:
    found = parse_full_toc(scsi_full_toc(disc) + b"what a file has behind it")
    numbers = range(1, len(disc.sessions) + 1)
    assert found == {number: lead_in_pointers(disc, number) for number in numbers}


@given(mixed_discs(sessions=3))
def test_what_a_lead_in_says(disc: Disc) -> None:
    for number, session in enumerate(disc.sessions, 1):
        said = LeadIn.of(lead_in_pointers(disc, number))
        assert said.starts == {each.number: each.start_lba for each in session.tracks}
        assert said.controls == {each.number: each.control for each in session.tracks}
        assert (said.lead_out_lba, said.disc_type) == (session.lead_out_lba, session.disc_type)
        more = number < len(disc.sessions) or disc.appendable
        assert (said.next_program_lba is not None) is more
        assert said.first_lead_in_lba == (
            disc.first_lba if disc.is_multi_session and number == 1 else None
        )


@given(st.binary(max_size=200), st.integers(0, 18))
def test_any_bytes_are_a_table_or_a_format_error(junk: bytes, items: int) -> None:
    for data in (junk, (2 + 11 * items).to_bytes(2, "big") + b"\1\1" + junk):
        with suppress(FormatError):
            for pointers in parse_full_toc(data).values():
                assert LeadIn.of(pointers).starts


# -- subcode -----------------------------------------------------------------------------------


@given(st.integers(0, 40), st.integers(0, 10_000))
def test_channels_one_after_another_become_symbols(count: int, seed: int) -> None:
    """Bit by bit, as CloneCD's files have them: twelve bytes of P, twelve of Q, ... of W."""
    stored = noise_rows(count, 96, seed=seed)
    bits = np.unpackbits(stored, axis=1).reshape(count, 8, 96)  # sector, channel, symbol
    expected = np.packbits(bits.transpose(0, 2, 1), axis=2).reshape(count, 96)
    source = RawChannels(ArraySource(stored.tobytes(), block_size=96))
    assert source.block_count == count
    assert source.read(0, count) == expected.tobytes()
    middle = count // 2
    assert source.read(middle, count - middle) == expected[middle:].tobytes()


def test_what_the_q_of_tracks_tells() -> None:
    first = plain_disc().sessions[0]
    rich = Disc(
        mcn="2000000001234",
        sessions=(
            replace(
                first,
                tracks=(
                    track(1, -150, 0, 40, 41, end=200, pregap=True, copy=CopySetting.SCMS),
                    track(2, 200, 250, end=600, pregap=True, isrc="XXRCD2600001"),
                ),
                lead_out_lba=600,
            ),
        ),
    )
    image = image_of(rich)
    rows = np.empty((750, 96), np.uint8)
    image.read_sub_into(-150, rows)
    source = ArraySource(rows.tobytes(), block_size=96)
    told = told_tracks(source, {1: 0, 2: 250}, -150, 600, first_lba=-150)
    tracks = rich.sessions[0].tracks
    assert told.indexes == {1: tracks[0].indexes, 2: tracks[1].indexes}
    assert told.isrcs == {2: "XXRCD2600001"}
    assert told.scms == {1}
    assert set(told.mcns) == {"2000000001234"}
    assert told.readable
    blank = told_tracks(
        ArraySource(bytes(96 * 750), block_size=96), {1: 0, 2: 250}, -150, 600, first_lba=-150
    )
    assert (blank.indexes, blank.isrcs, blank.readable) == ({}, {}, False)


@settings(max_examples=scaled(20))
@given(mixed_discs())
def test_made_and_recorded_subcode_tells_what_the_disc_has(disc: Disc) -> None:
    assert told_by_subcode(recorded(disc)) == SUBCODE_FEATURES
    assert told_by_subcode(with_subcode_noise(recorded(disc))) == SUBCODE_FEATURES


@pytest.mark.parametrize(
    ("feature", "changes"),
    [
        (Feature.MCN, {"mcn": "2000000001234"}),
        (Feature.ISRC, {"isrc": "XXRCD2600001"}),
        (Feature.SCMS, {"copy": CopySetting.SCMS}),
        (Feature.INDEXES, {"indexes": track(2, 300, 350, end=600).indexes}),
        (Feature.PREGAPS, {"indexes": track(2, 250, 300, end=600, pregap=True).indexes}),
    ],
    ids=lambda value: value.name if isinstance(value, Feature) else "",
)
def test_what_recorded_subcode_does_not_tell(feature: Feature, changes: dict[str, object]) -> None:
    """The disc has from a sheet what its recorded subcode knows nothing of."""
    plain = with_subcode_noise(recorded(plain_disc()))
    disc = plain.disc
    if "mcn" in changes:
        disc = replace(disc, mcn="2000000001234")
    else:
        session = disc.sessions[0]
        second = replace(session.tracks[1], **changes)  # type: ignore[arg-type]  # any field
        one = replace(session.tracks[0], end_lba=second.first_lba)
        disc = replace(disc, sessions=(replace(session, tracks=(one, second)),))
    assert SUBCODE_FEATURES - told_by_subcode(replace(plain, disc=disc)) == {feature}


# -- sectors -----------------------------------------------------------------------------------


@settings(max_examples=scaled(20))
@given(mixed_discs(), st.integers(0, 1_000))
def test_sectors_as_a_drive_reads_them_go_out_as_they_were(disc: Disc, seed: int) -> None:
    """READ is the reverse of `main_sectors`, with and without a sync."""
    image = recorded(disc, seed=seed)
    for session in disc.sessions:
        first, end = session.program_lba + 150, session.lead_out_lba
        as_read = main_sectors(image, first, end - first)
        region = Region(
            lba=disc.first_lba,
            sectors=disc.end_lba - disc.first_lba,
            form=MainForm.READ,
            source=ArraySource(as_read.tobytes(), block_count=end - first),
            start=disc.first_lba - first,
        )
        again = replace(image, main=(region,))
        for each in session.tracks:
            if not each.is_audio:
                lba = max(each.first_lba, first)
                for plain in (False, True):
                    np.testing.assert_array_equal(
                        main_sectors(again, lba, each.end_lba - lba, plain=plain),
                        main_sectors(image, lba, each.end_lba - lba, plain=plain),
                    )


def test_a_region_of_sectors_as_read_needs_a_source() -> None:
    with pytest.raises(ValueError, match="READ needs a source"):
        Region(lba=0, sectors=1, form=MainForm.READ)


def lead_in_of(disc: Disc) -> LeadIn:
    return LeadIn.of(lead_in_pointers(disc))


def stored(lba: int, sectors: int) -> Stored:
    return Stored(lba=lba, sectors=sectors, main=ArraySource(bytes(2352 * sectors)))


def test_sectors_that_are_not_stored_are_made() -> None:
    sheet = Sheet(name="a", lead_ins=[lead_in_of(plain_disc())])
    image = recorded_image(sheet, [stored(0, 100), stored(300, 300)])
    assert image.disc == plain_disc()
    edges = [(region.lba, region.form) for region in image.main]
    assert edges == [
        (-22_650, MainForm.ZERO),
        (0, MainForm.DISC),
        (100, MainForm.ZERO),
        (300, MainForm.DISC),
        (600, MainForm.ZERO),
    ]


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ([stored(0, 300), stored(299, 300)], "LBA 299: sectors from here on are stored twice"),
        ([stored(-30_000, 300)], "outside the disc"),
        ([stored(7_000, 1_000)], "outside the disc"),
    ],
)
def test_sectors_that_cannot_be(parts: list[Stored], words: str) -> None:
    with pytest.raises(FormatError, match=words) as caught:
        recorded_image(Sheet(name="a", lead_ins=[lead_in_of(plain_disc())]), parts)
    assert caught.value.file == "a"


def test_indexes_that_exclude_each_other_are_the_sheet_s() -> None:
    disc = plain_disc()
    image = with_subcode_noise(recorded(disc))
    rows = np.empty((600, 96), np.uint8)
    image.read_sub_into(0, rows)
    part = Stored(
        lba=0,
        sectors=600,
        main=ArraySource(bytes(2352 * 600)),
        sub=ArraySource(rows.tobytes(), block_size=96),
    )
    tracks = {2: SheetTrack(indexes={3: 400})}  # without an index 2
    with pytest.raises(FormatError, match="contradicts itself"):
        recorded_image(Sheet(name="a", lead_ins=[lead_in_of(disc)], tracks=tracks), [part])


def test_a_track_before_lba_0_has_no_place() -> None:
    disc = Disc(
        sessions=(
            replace(plain_disc().sessions[0], tracks=(track(1, -150, -100, end=600, pregap=True),)),
        )
    )
    with pytest.raises(UnsupportedError, match="begins at LBA -100"):
        program_stretches(disc)


def test_blank_subcode_keeps_its_r_w() -> None:
    """P and Q are made; what the other channels hold goes out as it came."""
    disc = plain_disc()
    rows = noise_rows(600, 96) & np.uint8(0x3F)
    part = Stored(
        lba=0,
        sectors=600,
        main=ArraySource(bytes(2352 * 600)),
        sub=ArraySource(rows.tobytes(), block_size=96),
    )
    image = recorded_image(Sheet(name="a", lead_ins=[lead_in_of(disc)]), [part])
    assert [region.form for region in image.sub] == [SubForm.MADE, SubForm.RW, SubForm.MADE]
    found = np.empty((600, 96), np.uint8)
    made = np.empty((600, 96), np.uint8)
    image.read_sub_into(0, found)
    whole = SubRegion(lba=disc.first_lba, sectors=disc.end_lba - disc.first_lba, form=SubForm.MADE)
    bare: RegionImage = replace(image, sub=(whole,))
    bare.read_sub_into(0, made)
    np.testing.assert_array_equal(found, made | rows)


def test_scrambled_sectors_are_looked_into_as_they_are() -> None:
    image = recorded(replace(plain_disc()))
    data = main_sectors(image, 0, 600).copy()
    data[0, :16] = np.frombuffer(b"\0" + b"\xff" * 10 + b"\0" + b"\0\2\0\2", np.uint8)
    scramble(data[:1], out=data[:1])
    said = lead_in_of(plain_disc())
    said = replace(said, controls={1: 4, 2: 0})
    part = Stored(lba=0, sectors=600, main=ArraySource(data.tobytes()))
    found = recorded_image(Sheet(name="a", lead_ins=[said], scrambled=True), [part])
    assert found.disc.tracks[0].mode == 2
    assert found.notes == ()
