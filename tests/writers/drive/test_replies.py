"""Replies and mode pages: laid out by hand here, cut off anywhere, and junk."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rawcd.disc import Disc, Index, Session, Track
from rawcd.errors import FormatError
from rawcd.toc import scsi_full_toc, scsi_session_info, scsi_toc
from rawcd_writers.drive import replies, tables
from rawcd_writers.drive.pages import BlockType, Capabilities, ModeReply, WriteParameters

if TYPE_CHECKING:
    from collections.abc import Callable

PARSERS: list[Callable[[bytes], Any]] = [
    replies.Inquiry.parse,
    replies.Capacity.parse,
    tables.SubChannel.parse,
    tables.Toc.parse,
    tables.FullToc.parse,
    tables.Atip.parse,
    tables.TextPacks.parse,
    replies.DiscInformation.parse,
    replies.TrackInformation.parse,
    replies.BufferCapacity.parse,
    replies.write_speeds,
    replies.Configuration.parse,
    replies.EventStatus.parse,
    ModeReply.parse,
    ModeReply.parse_short,
    WriteParameters.parse,
    Capabilities.parse,
]


@given(st.sampled_from(PARSERS), st.binary(max_size=80))
def test_any_bytes_parse_or_raise_one_error(parse: Callable[[bytes], Any], junk: bytes) -> None:
    with suppress(FormatError):
        parse(junk)


def disc() -> Disc:
    first = Track(
        number=1, indexes=(Index(number=0, lba=-150), Index(number=1, lba=0)), end_lba=300
    )
    second = Track(number=2, indexes=(Index(number=1, lba=300),), end_lba=700)
    return Disc(sessions=(Session(tracks=(first, second), lead_out_lba=700),))


def test_the_tables_of_contents_are_those_that_our_own_disc_has() -> None:
    toc = tables.Toc.parse(scsi_toc(disc()))
    assert (toc.first, toc.last) == (1, 2)
    assert [(each.track, each.lba, each.adr) for each in toc.entries] == [
        (1, 0, 1),
        (2, 300, 1),
        (0xAA, 700, 1),
    ]
    session = tables.Toc.parse(scsi_session_info(disc()))
    assert [(each.track, each.lba) for each in session.entries] == [(1, 0)]
    full = tables.FullToc.parse(scsi_full_toc(disc()))
    assert [(each.point, each.lba) for each in full.entries[2:]] == [(0xA2, 700), (1, 0), (2, 300)]


@given(st.integers(4, 36))
def test_a_table_that_is_cut_off_keeps_its_whole_entries(length: int) -> None:
    toc = tables.Toc.parse(scsi_toc(disc())[:length])
    assert len(toc.entries) == min(3, (length - 4) // 8)


def test_old_memory_behind_a_reply_is_not_part_of_it() -> None:
    assert len(tables.Toc.parse(scsi_toc(disc()) + bytes(80)).entries) == 3
    packs = (2 + 18).to_bytes(2) + bytes(2) + bytes(range(18)) + bytes(40)
    assert tables.TextPacks.parse(packs).packs == bytes(range(18))


def test_atip() -> None:
    body = bytearray(24)
    body[0], body[1], body[2] = 0x80 | 5 << 4 | 2, 0x40, 0x80 | 0x40 | 3 << 3 | 4
    body[4:7] = bytes([97, 26, 66])
    body[8:11] = bytes([79, 59, 74])
    body[12:15] = b"abc"
    atip = tables.Atip.parse((2 + 24).to_bytes(2) + bytes(2) + bytes(body))
    assert atip == tables.Atip(
        writing_power=5,
        reference_speed=2,
        unrestricted=True,
        rewritable=True,
        subtype=3,
        lead_in_lba=-11_634,
        last_lead_out_lba=359_849,
        extra=(b"abc", None, None),
    )


def disc_information() -> bytes:
    data = bytearray(34)
    data[:2] = (32).to_bytes(2)
    data[2] = 0x10 | 0 << 2 | 1
    data[3:7] = bytes([1, 2, 3, 4])
    data[8], data[9] = 0x20, 1
    data[16:20] = bytes([0, 95, 0, 0])
    data[20:24] = bytes([0, 79, 59, 74])
    return bytes(data)


def test_disc_information() -> None:
    told = replies.DiscInformation.parse(disc_information())
    assert told.status is replies.DiscStatus.APPENDABLE
    assert told.last_session is replies.SessionStatus.EMPTY
    assert told.erasable
    assert (told.sessions, told.first_track_in_last, told.last_track_in_last) == (258, 3, 4)
    assert (told.lead_in_lba, told.last_lead_out_lba) == (-22_650, 359_849)
    closed = replies.DiscInformation.parse(disc_information()[:16] + b"\xff" * 8 + bytes(10))
    assert (closed.lead_in_lba, closed.last_lead_out_lba) == (None, None)
    short = replies.DiscInformation.parse(disc_information()[:16])
    assert (short.lead_in_lba, short.status) == (None, replies.DiscStatus.APPENDABLE)


def track_information() -> bytes:
    data = bytearray(36)
    data[:2] = (34).to_bytes(2)
    data[2], data[3], data[5], data[6], data[7] = 2, 1, 0x24, 0x4F, 1
    data[8:12] = data[12:16] = (-11_634).to_bytes(4, signed=True)
    data[16:20] = (370_000).to_bytes(4)
    return bytes(data)


@pytest.mark.parametrize("length", [16, 20, 28, 36])
def test_track_information_of_any_length(length: int) -> None:
    told = replies.TrackInformation.parse(track_information()[:length])
    assert (told.track, told.session, told.control, told.data_mode) == (2, 1, 4, 15)
    assert (told.damaged, told.blank, told.reserved) == (True, True, False)
    assert (told.start_lba, told.next_writable_lba) == (-11_634, -11_634)
    assert told.free == (370_000 if length >= 20 else 0)
    assert told.last_recorded_lba is None


def test_features() -> None:
    mastering = bytes.fromhex("002e 05 04 7e 000070".replace(" ", ""))
    data = (4 + 8).to_bytes(4) + bytes(2) + (9).to_bytes(2) + mastering
    told = replies.Configuration.parse(data)
    assert told.profile == 9
    feature = told.feature(replies.FeatureCode.CD_MASTERING)
    assert feature is not None
    assert (feature.version, feature.persistent, feature.current) == (1, False, True)
    assert [feature.bit(4, bit) for bit in range(8)] == [False, *[True] * 6, False]
    assert not feature.bit(9, 0)
    assert told.feature(0x21) is None
    assert replies.Configuration.parse(data[:-1]).features == ()


def test_speeds_buffer_and_events() -> None:
    one = bytes([1 << 3, 0, 0, 0]) + (359_848).to_bytes(4) + (8467).to_bytes(4) + (7056).to_bytes(4)
    (speed,) = replies.write_speeds((20).to_bytes(4) + bytes(4) + one + one[:7])
    assert (speed.write, speed.read, speed.pure_cav, speed.end_lba) == (7056, 8467, True, 359_848)
    told = replies.BufferCapacity.parse(bytes(4) + (2 << 20).to_bytes(4) + (1 << 20).to_bytes(4))
    assert (told.size, told.free) == (2 << 20, 1 << 20)
    event = replies.EventStatus.parse(bytes.fromhex("0006041002020000"))
    assert (event.event, event.media_present, event.tray_open) == (2, True, False)


pages = st.builds(
    WriteParameters,
    write_type=st.integers(0, 15),
    block_type=st.integers(0, 15),
    multi_session=st.integers(0, 3),
    test_write=st.booleans(),
    underrun_protection=st.booleans(),
    track_mode=st.integers(0, 15),
    copy=st.booleans(),
    session_format=st.integers(0, 255),
    audio_pause=st.integers(0, 65_535),
    mcn=st.none() | st.just("4006381333931"),
    isrc=st.none() | st.just("USRC17607839"),
    packet_size=st.integers(0, 2**32 - 1),
    fixed_packets=st.booleans(),
    subheader=st.binary(min_size=4, max_size=4),
)


@given(pages, st.sampled_from([(8, 2, ModeReply.parse), (4, 1, ModeReply.parse_short)]))
def test_page_05_comes_back_among_others(page: WriteParameters, form: Any) -> None:
    header, counted, parse = form
    made = page.build()
    assert len(made) == 52
    body = bytes([0x81, 4]) + bytes(4) + bytes([made[0] | 0x80]) + made[1:]
    reply = (header - counted + len(body)).to_bytes(counted) + bytes(header - counted) + body
    told = parse(reply + b"\xaa" * 7)
    assert len(told.pages) == 2
    assert WriteParameters.parse(told.page(5)) == page
    with pytest.raises(FormatError, match="no page 2Ah"):
        told.page(0x2A)


def test_block_types_have_the_sizes_of_the_table() -> None:
    sizes = {0: 2352, 1: 2368, 2: 2448, 3: 2448, 8: 2048, 9: 2336, 10: 2048, 11: 2056, 12: 2324}
    assert {int(each): each.bytes for each in BlockType} == {**sizes, 13: 2332}


def test_page_2a_with_and_without_its_list_of_speeds() -> None:
    page = bytearray(32 + 8)
    page[0], page[1], page[3], page[4], page[5], page[6] = 0x2A, 38, 7, 0x80, 0x14, 9
    page[8:10], page[12:14] = (8467).to_bytes(2), (2048).to_bytes(2)
    page[18:20], page[28:30] = (9173).to_bytes(2), (7056).to_bytes(2)
    page[30:32] = (2).to_bytes(2)
    page[34:36], page[38:40] = (7056).to_bytes(2), (2822).to_bytes(2)
    told = Capabilities.parse(bytes(page))
    assert told.writes_cdr
    assert told.test_write
    assert told.underrun_protection
    assert told.c2
    assert told.locks
    assert told.buffer_bytes == 2 << 20
    assert (told.max_write_speed, told.current_write_speed) == (9173, 7056)
    assert told.write_speeds == (7056, 2822)
    old = Capabilities.parse(bytes(page[:20]))
    assert (old.write_speeds, old.max_write_speed, old.current_write_speed) == ((), 9173, 0)
