"""CD-TEXT in the R-W symbols of a lead-in."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rawcd.cdtext import (
    CDText,
    TextBlock,
    TextItem,
    lead_in_symbols,
    packs_of_symbols,
)
from rawcd.errors import FormatError

# redbook.md 4.5, made by libburn
PACKS = bytes.fromhex(
    "80000000546573744469736b5469746ce222"
    "8000010c650054657374547261636b54c91b"
    "8001020a69746c653100546573745472403a"
    "8002030661636b5469746c653200000080e3"
    "81000400546573744469736b5065726603df"
    "8100050c6f726d65720054657374547212a5"
    "8101060661636b506572666f726d6572bc5b"
    "8101070f310054657374547261636b50ac41"
    "8102080a6572666f726d657232000000641a"
    "8f0009000101020004050000000000006de2"
    "8f010a0000000000000000030b000000cd0c"
    "8f020b00000000000900000000000000fc8c"
)
FIRST_SECTOR = bytes.fromhex(
    "20000000000511251c3711041a170d2b150625341b0e08222000000103061400150615331d05113218160d2b150c241b"
    "20000402022625341b061431000511251c3711141c24003a20000803012605231a3511291d0631250c20000000080323"
)


def one_pack(number: int) -> bytes:
    return PACKS[number * 18 :][:18]


def test_the_first_sector() -> None:
    symbols = lead_in_symbols(PACKS)
    assert symbols[:96] == FIRST_SECTOR
    assert len(symbols) == 3 * 96


@given(st.binary(max_size=18 * 13).map(lambda data: data[: len(data) // 18 * 18]))
def test_four_symbols_are_three_bytes(packs: bytes) -> None:
    """One by one, as redbook.md 4.3 writes it."""
    symbols = lead_in_symbols(packs)
    stream = packs * (len(symbols) * 3 // 4 // len(packs)) if packs else b""
    wanted = bytearray()
    for place in range(0, len(stream), 3):
        b0, b1, b2 = stream[place : place + 3]
        wanted += bytes((b0 >> 2, (b0 & 3) << 4 | b1 >> 4, (b1 & 15) << 2 | b2 >> 6, b2 & 63))
    assert symbols == wanted


@pytest.mark.parametrize(("count", "sectors"), [(0, 0), (1, 1), (2, 1), (3, 3), (4, 1), (5, 5)])
def test_the_cycle_closes_with_a_sector(count: int, sectors: int) -> None:
    """redbook.md 4.3: a quarter, a half or all of the number of packs."""
    assert len(lead_in_symbols(PACKS[: count * 18])) == sectors * 96
    assert len(lead_in_symbols(PACKS[: 6 * 18])) == 3 * 96


def test_only_whole_packs_and_sectors() -> None:
    with pytest.raises(ValueError, match="no whole number of packs"):
        lead_in_symbols(b"x")
    with pytest.raises(FormatError, match="97 symbols"):
        packs_of_symbols(bytes(97))


@given(st.integers(3, 12), st.integers(0, 40), st.integers(0, 30), st.integers(0, 3))
def test_packs_are_found_from_anywhere_in_the_cycle(
    count: int, start: int, more: int, pq: int
) -> None:
    packs = PACKS[-count * 18 :]
    cycle = lead_in_symbols(packs)
    sectors = count + more
    stream = (cycle * (sectors * 96 // len(cycle) + 60))[start * 96 :][: sectors * 96]
    reading = packs_of_symbols(bytes(symbol | pq << 6 for symbol in stream))
    assert reading.packs == packs
    assert reading.defects == ()
    assert reading.period == count
    assert sum(reading.copies) == sectors * 4


def test_a_lead_in_without_cdtext_says_nothing() -> None:
    for symbols in (bytes(96 * 30), bytes([0xC0]) * 960, b""):
        reading = packs_of_symbols(symbols)
        assert reading.packs == b""
        assert reading.copies == ()
        assert reading.period is None
        assert reading.defects == ()


def test_scattered_damage_leaves_sound_copies() -> None:
    stream = bytearray(lead_in_symbols(PACKS) * 40)
    order = random.Random(1)
    for _ in range(600):
        stream[order.randrange(len(stream))] ^= order.randrange(1, 64)
    reading = packs_of_symbols(bytes(stream))
    assert reading.packs == PACKS
    assert reading.defects == ()
    assert max(reading.copies) < 40


def test_where_no_copy_is_sound_the_majority_of_bits_counts() -> None:
    cycle = lead_in_symbols(PACKS)
    stream = bytearray(cycle * 9)
    for copy in range(9):  # the third pack: symbols 48..71, another one wrong in each copy
        stream[copy * len(cycle) + 48 + copy] ^= 0x2A
    reading = packs_of_symbols(bytes(stream))
    assert reading.packs == PACKS
    assert reading.copies == (9, 9, 0, *(9,) * 9)
    assert reading.defects == ("pack 2 of block 0 is the majority of damaged copies",)


def test_what_cannot_be_mended_is_left_out() -> None:
    cycle = lead_in_symbols(PACKS)
    stream = bytearray(cycle * 5)
    for copy in range(5):
        stream[copy * len(cycle) + 50] ^= 0x15
    reading = packs_of_symbols(bytes(stream))
    assert reading.packs == PACKS[: 2 * 18] + PACKS[3 * 18 :]
    assert reading.defects == ("a pack was never read whole",)


def test_two_sound_packs_in_one_place_are_told() -> None:
    other = CDText(
        blocks=(TextBlock(items=(TextItem(field="title", track=0, text="Another"),)),)
    ).to_packs()[:18]
    stream = lead_in_symbols(PACKS) * 5 + lead_in_symbols(other + PACKS[18:])
    reading = packs_of_symbols(stream)
    assert reading.packs == PACKS
    assert reading.copies[0] == 5
    assert reading.defects == ("pack 0 of block 0 was also read otherwise, with a right CRC",)


@given(st.binary(max_size=96 * 6).map(lambda data: data[: len(data) // 96 * 96]))
def test_any_symbols_can_be_read(junk: bytes) -> None:
    reading = packs_of_symbols(junk)
    assert len(reading.packs) == 18 * len(reading.copies)


def test_a_whole_lead_in_takes_no_time() -> None:
    """22,500 sectors, the longest lead-in there is."""
    stream = lead_in_symbols(PACKS) * 7_500
    reading = packs_of_symbols(stream)
    assert reading.packs == PACKS
    assert reading.copies == (7_500,) * 12
    assert one_pack(0) in reading.packs
