"""Q frames one by one and in rows: against reference vectors, and against each other."""

from __future__ import annotations

import string
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rawcd.cdtext import TextStyle
from rawcd.errors import FormatError
from rawcd.msf import Msf
from rawcd.subcode import STYLES, Style
from rawcd.subcode.frame import (
    Q_POSITION_LAYOUT,
    QCatalog,
    QFrame,
    QIsrc,
    QPointer,
    QPosition,
    field_offsets,
    pack_isrc,
    pack_mcn,
    parse_q,
)
from rawcd.subcode.rows import (
    crc_holds,
    crc_words,
    msf_bcd,
    pq16_of,
    pq_of_pq16,
    pq_of_pw96,
    put_crc,
    pw96_of,
)

controls = st.integers(0, 15)
times = st.builds(Msf, st.integers(0, 99), st.integers(0, 59), st.integers(0, 74))
mcns = st.text(string.digits, min_size=13, max_size=13)
isrcs = st.builds(
    str.__add__,
    st.text(string.ascii_uppercase + string.digits, min_size=5, max_size=5),
    st.text(string.digits, min_size=7, max_size=7),
)
positions = st.builds(
    QPosition,
    control=controls,
    track=st.one_of(st.integers(1, 99), st.just(0xAA)),
    index=st.integers(0, 99),
    relative=times,
    absolute=times,
)
pointers = st.builds(
    QPointer,
    control=controls,
    adr=st.sampled_from([1, 5]),
    point=st.integers(0, 255),
    running=st.binary(min_size=3, max_size=3),
    zero=st.integers(0, 255),
    value=st.binary(min_size=3, max_size=3),
)
catalogs = st.builds(QCatalog, control=controls, mcn=mcns, frame=st.integers(0, 74))
codes = st.builds(QIsrc, control=controls, isrc=isrcs, frame=st.integers(0, 74))
frames = st.one_of(positions, pointers, catalogs, codes)


@given(frames)
def test_what_is_built_parses_back(frame: QFrame) -> None:
    assert parse_q(frame.build()) == frame


@given(st.binary(max_size=16))
def test_any_bytes_parse_or_raise_one_error(junk: bytes) -> None:
    with suppress(FormatError):
        parse_q(junk)


@given(st.binary(min_size=10, max_size=10))
def test_any_body_with_a_right_crc_parses_or_raises_one_error(body: bytes) -> None:
    rows = np.frombuffer(body + bytes(2), np.uint8).reshape(1, 12).copy()
    put_crc(rows, crc_words(rows))
    with suppress(FormatError):
        parse_q(rows.tobytes())


@given(frames, st.integers(0, 95))
def test_a_flipped_bit_is_found(frame: QFrame, bit: int) -> None:
    damaged = bytearray(frame.build())
    damaged[bit // 8] ^= 0x80 >> bit % 8
    with pytest.raises(FormatError, match="CRC"):
        parse_q(bytes(damaged))
    assert not crc_holds(np.frombuffer(bytes(damaged), np.uint8).reshape(1, 12)).any()


def test_every_reference_frame_has_a_right_crc_and_builds_again(vectors: dict[str, Any]) -> None:
    for vector in vectors["q_frames"]:
        q = bytes.fromhex(vector["q"])
        assert parse_q(q).build() == q, vector["desc"]


def test_frames_of_reference_mean_what_their_description_says(vectors: dict[str, Any]) -> None:
    by_name = {vector["desc"]: bytes.fromhex(vector["q"]) for vector in vectors["q_frames"]}
    zero = Msf(0, 0, 0)
    expected = {
        "track 1 index 0 lba -150, countdown 00:01:74": QPosition(
            control=0, track=1, index=0, relative=Msf(0, 1, 74), absolute=zero
        ),
        "lead-out rel 0 lba 333000 data": QPosition(
            control=4, track=0xAA, index=1, relative=zero, absolute=Msf(74, 2, 0)
        ),
        "TOC A0 first=1 disc type XA": QPointer(
            control=4,
            point=0xA0,
            running=bytes.fromhex("972669"),
            value=bytes.fromhex("012000"),
        ),
        "ADR2 MCN 1234567890123 ctl=0 lba=90": QCatalog(
            control=0, mcn="1234567890123", frame=Msf.from_lba(90).frame
        ),
        "ADR3 ISRC USABC2500017 ctl=2 lba=50": QIsrc(
            control=2, isrc="USABC2500017", frame=Msf.from_lba(50).frame
        ),
        "ADR3 ISRC ZZZ999912345 ctl=0 lba=49": QIsrc(
            control=0, isrc="ZZZ999912345", frame=Msf.from_lba(49).frame
        ),
    }
    assert {name: parse_q(by_name[name]) for name in expected} == expected


def test_known_codes() -> None:
    """Bytes that cdrdao and wodim were seen to write."""
    assert pack_mcn("4006381333931") == bytes.fromhex("40063813339310")
    assert pack_isrc("USRC17607839") == bytes.fromhex("9638930476078390")


def test_the_layout_s_fields_lie_one_after_another() -> None:
    assert Q_POSITION_LAYOUT.sizeof() == 12
    assert field_offsets(Q_POSITION_LAYOUT) == {
        "control_adr": 0,
        "track": 1,
        "index": 2,
        "relative": 3,
        "zero": 6,
        "absolute": 7,
        "crc": 10,
    }


@given(st.integers(0, 449_999))
def test_the_table_of_times_is_msf_in_bcd(frames: int) -> None:
    assert msf_bcd()[frames].tobytes() == Msf.from_frames(frames).bcd()


rows_of_q = st.lists(st.binary(min_size=12, max_size=12), min_size=1, max_size=9).map(
    lambda rows: np.frombuffer(b"".join(rows), np.uint8).reshape(-1, 12)
)


@given(rows_of_q, st.data())
def test_96_bytes_give_back_p_and_q(q: Any, data: st.DataObject) -> None:
    p = np.array(data.draw(st.lists(st.booleans(), min_size=len(q), max_size=len(q))))
    rows = pw96_of(q, p)
    assert rows.shape == (len(q), 96)
    assert not (rows & 0x3F).any()
    got_q, got_p = pq_of_pw96(rows)
    np.testing.assert_array_equal(got_q, q)
    np.testing.assert_array_equal(got_p, p)


@given(st.lists(frames, min_size=1, max_size=9), st.booleans(), st.data())
def test_16_bytes_give_back_p_and_q_whichever_way_the_crc_is_stored(
    given_frames: list[QFrame], inverted: bool, data: st.DataObject
) -> None:
    q = np.frombuffer(b"".join(frame.build() for frame in given_frames), np.uint8).reshape(-1, 12)
    p = np.array(data.draw(st.lists(st.booleans(), min_size=len(q), max_size=len(q))))
    rows = pq16_of(q, p, crc_inverted=inverted)
    assert not rows[:, 12:15].any()
    got_q, got_p = pq_of_pq16(rows)
    np.testing.assert_array_equal(got_q, q)
    np.testing.assert_array_equal(got_p, p)


def test_one_sector_lies_as_in_the_reference(vectors: dict[str, Any]) -> None:
    for vector in vectors["subchannel_layouts"]:
        q = np.frombuffer(bytes.fromhex(vector["q12"]), np.uint8).reshape(1, 12)
        p = np.array([vector["p12"] == "ff" * 12])
        raw = np.frombuffer(bytes.fromhex(vector["raw96"]), np.uint8).reshape(1, 96)
        np.testing.assert_array_equal(pw96_of(q, p), raw & 0xC0)
        got_q, got_p = pq_of_pw96(raw)
        assert (got_q.tobytes(), bool(got_p[0])) == (q.tobytes(), bool(p[0]))
        assert pq16_of(q, p).tobytes().hex() == vector["pq16"]


def test_styles_refuse_what_cannot_be() -> None:
    with pytest.raises(ValueError, match="phase of 100"):
        Style(mcn_at=(100, 100))
    with pytest.raises(ValueError, match="p_wave"):
        Style(p_wave=0)
    misspelt: list[dict[str, Any]] = [
        {"lead_out_control_of": "Last"},
        {"pregap_control_of": "mine"},
        {"text_errors": "ignore"},
    ]
    for choice in misspelt:
        [word] = choice.values()
        with pytest.raises(ValueError, match=f"'{word}' is none of "):
            Style(**choice)
    of_texts: list[dict[str, Any]] = [{"missing_tracks": "none"}, {"crc": "Inverted"}]
    for choice in of_texts:
        with pytest.raises(ValueError, match="is none of "):
            TextStyle(**choice)
    with pytest.raises(ValueError, match="no style 'nero'"):
        Style.preset("nero")
    assert Style.preset("standard") == Style() == STYLES["standard"]
