"""Sense data of both forms, short ones, and junk."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rawcd_writers.drive.sense import Action, Sense


def fixed(key: int, asc: int, ascq: int, *, code: int = 0x70) -> bytes:
    return bytes([code, 0, key, 0, 0, 0, 0, 10, 0, 0, 0, 0, asc, ascq, 0, 0, 0, 0])


def descriptor(key: int, asc: int, ascq: int, *, code: int = 0x72) -> bytes:
    return bytes([code, key, asc, ascq, 0, 0, 0, 0])


keys, codes = st.integers(0, 15), st.integers(0, 255)


@given(keys, codes, codes)
def test_both_forms_say_the_same(key: int, asc: int, ascq: int) -> None:
    told = Sense.parse(fixed(key, asc, ascq))
    assert told is not None
    assert told.triple == (key, asc, ascq)
    assert told == Sense.parse(descriptor(key, asc, ascq))
    assert f"{key:02X}/{asc:02X}/{ascq:02X}" in str(told)
    assert told.meaning


@given(st.binary(max_size=40))
def test_any_bytes_are_sense_or_none(junk: bytes) -> None:
    told = Sense.parse(junk)
    assert told is None or (told.meaning and told.action in Action)


@given(st.sampled_from([fixed(5, 0x21, 2), descriptor(5, 0x21, 2)]), st.integers(0, 18))
def test_sense_that_is_cut_off_says_what_is_left(data: bytes, length: int) -> None:
    told = Sense.parse(data[:length])
    if length == 0:
        assert told is None
    else:
        assert told is not None
        assert told.triple in {(0, 0, 0), (5, 0, 0), (5, 0x21, 0), (5, 0x21, 2)}


def test_information_and_progress_are_read_in_both_forms() -> None:
    data = bytearray(fixed(2, 4, 4))
    data[0] |= 0x80
    data[3:7] = (-150).to_bytes(4, signed=True)
    data[15:18] = b"\x80\x40\x00"
    told = Sense.parse(bytes(data))
    assert told is not None
    assert (told.information, told.progress) == (-150, 0.25)
    parts = b"\x02\x06\0\0\x80\x40\0\0" + b"\x00\x0a\x80\0" + (-150).to_bytes(8, signed=True)
    head = bytearray(descriptor(2, 4, 4))
    head[7] = len(parts)
    assert Sense.parse(bytes(head) + parts) == told


@pytest.mark.parametrize(
    ("triple", "action"),
    [
        ((0, 0, 0), Action.GO_ON),
        ((1, 0x73, 1), Action.GO_ON),
        ((2, 4, 1), Action.WAIT),
        ((2, 4, 4), Action.WAIT),
        ((2, 4, 7), Action.WAIT),
        ((2, 4, 8), Action.WAIT),
        ((2, 4, 2), Action.STOP),
        ((2, 0x3A, 2), Action.STOP),
        ((6, 0x28, 0), Action.ASK_AGAIN),
        ((6, 0x29, 3), Action.ASK_AGAIN),
        ((6, 0x2A, 1), Action.ASK_AGAIN),
        ((5, 0x21, 2), Action.STOP),
        ((3, 0x0C, 9), Action.STOP),
        ((4, 8, 1), Action.STOP),
        ((0xB, 0, 0), Action.STOP),
    ],
)
def test_what_is_to_be_done(triple: tuple[int, int, int], action: Action) -> None:
    """The table of MMC annex F; busy is busy, the rest ends the command."""
    told = Sense.parse(fixed(*triple))
    assert told is not None
    assert told.action is action


@pytest.mark.parametrize("code", [0x71, 0x73])
def test_an_error_that_is_reported_late_stops_whatever_it_says(code: int) -> None:
    make = fixed if code == 0x71 else descriptor
    told = Sense.parse(make(6, 0x29, 0, code=code))
    assert told is not None
    assert told.deferred
    assert told.action is Action.STOP
    assert "reported late" in told.meaning


def test_every_code_of_the_burning_table_has_words_of_its_own() -> None:
    table = "0401 0404 0407 0408 3A00 3A01 3A02 2800 2900 2A01 2000 2400 2600 2100 2102 2C00 3005 "
    table += "6300 6400 0C00 0C09 7200 7201 7202 7203 7204 7205 7301 7306 7300 7302 7303 7304 7305"
    words = set()
    for code in table.split():
        told = Sense.parse(fixed(5, *bytes.fromhex(code)))
        assert told is not None
        words.add(told.meaning)
    assert len(words) == len(table.split())


def test_codes_beyond_ours_are_told_by_the_list_or_as_the_makers() -> None:
    unlisted, makers = Sense.parse(fixed(4, 0x3E, 0x03)), Sense.parse(fixed(4, 0x91, 0x03))
    assert unlisted is not None
    assert makers is not None
    assert "self-test" in unlisted.meaning
    assert "maker" in makers.meaning
