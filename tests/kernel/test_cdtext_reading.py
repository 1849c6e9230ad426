"""Packs that are not as they should be: every defect is named, nothing damaged is used."""

from __future__ import annotations

import binascii
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rawcd.cdtext import (
    CDText,
    Charset,
    PacksReading,
    TextBlock,
    TextItem,
    TextStyle,
    read_packs,
)
from rawcd.errors import FormatError
from tests.kernel.test_cdtext_packs import blocks


def sealed(body: bytes) -> bytes:
    """Sixteen bytes with their CRC: the remainder by x^16+x^12+x^5+1, inverted."""
    return body + (binascii.crc_hqx(body, 0) ^ 0xFFFF).to_bytes(2, "big")


def pack(pack_type: int, track: int, sequence: int, place: int, payload: bytes) -> bytes:
    return sealed(bytes((pack_type, track, sequence, place)) + payload.ljust(12, b"\0"))


def rows_of(packs: bytes) -> list[bytes]:
    return [packs[place : place + 18] for place in range(0, len(packs), 18)]


def item(field: str, track: int, text: str) -> TextItem:
    return TextItem(field=field, track=track, text=text)


ITEMS = (
    item("title", 0, "An album of some length"),
    item("performer", 0, "Band"),
    item("title", 1, "The first of the tracks"),
    item("performer", 1, "Band"),
    item("title", 2, "Two"),
    item("title", 3, "Three and a little more"),
    item("performer", 3, "Guest and Band"),
)
SOUND = CDText(blocks=(TextBlock(items=ITEMS),)).to_packs()


def codes(reading: PacksReading) -> list[str]:
    return [defect.code for defect in reading.defects]


def messages(reading: PacksReading) -> str:
    return "\n".join(defect.message for defect in reading.defects)


def test_a_sound_set_has_no_defects() -> None:
    reading = read_packs(SOUND)
    assert reading.defects == ()
    assert reading.whole().blocks[0].items == ITEMS
    assert set(reading.crc_ok) == {True}


def test_nothing_is_no_cdtext() -> None:
    reading = read_packs(b"")
    assert reading.cdtext is None
    assert reading.defects == ()
    with pytest.raises(FormatError, match="CD-TEXT: there are no packs"):
        reading.whole()


def test_a_damaged_pack_is_named_and_what_it_held_is_dropped() -> None:
    """Pack 2 holds the end of the album's title and the beginning of track 1's."""
    rows = rows_of(SOUND)
    assert rows[2][1] == 1
    rows[1] = rows[1][:6] + b"?" + rows[1][7:]
    reading = read_packs(b"".join(rows))
    assert reading.crc_ok[:3] == (True, False, True)
    assert reading.cdtext is not None
    kept = reading.cdtext.blocks[0].items
    assert kept == tuple(text for text in ITEMS if (text.field, text.track) != ("title", 0))
    assert codes(reading) == ["crc", "gap", "text-lost"]
    assert "title of the album is not whole" in messages(reading)
    assert "packs are missing: 1" in messages(reading)
    with pytest.raises(FormatError, match=r"CD-TEXT pack 1: the CRC of .* is wrong \(and 2 more\)"):
        CDText.from_packs(b"".join(rows))


def test_without_its_crc_a_pack_is_used_when_told_so() -> None:
    bare = b"".join(row[:16] + b"\0\0" for row in rows_of(SOUND))
    assert read_packs(bare).cdtext is None
    assert read_packs(bare, check_crc=False).whole().blocks[0].items == ITEMS


@st.composite
def damaged(draw: st.DrawFn) -> tuple[CDText, list[bytes], bytes]:
    """Sound packs, and the same with packs lost or one byte of them changed."""
    charset = draw(st.sampled_from([Charset.ISO_8859_1, Charset.ASCII, Charset.MS_JIS]))
    block = draw(blocks(charset=charset, first=1))
    cdtext = CDText(blocks=(block,))
    style = TextStyle(repeat_as_tab=draw(st.booleans()), album_alone=draw(st.booleans()))
    rows = rows_of(cdtext.to_packs(style=style))
    hit = draw(st.sets(st.integers(0, len(rows) - 1), min_size=1, max_size=4))
    out = b""
    for number, row in enumerate(rows):
        if number not in hit:
            out += row
        elif draw(st.booleans()):
            place = draw(st.integers(0, 17))
            change = draw(st.integers(1, 255))
            out += row[:place] + bytes((row[place] ^ change,)) + row[place + 1 :]
    return cdtext, rows, out


@given(damaged())
def test_what_is_read_of_damaged_packs_is_right(case: tuple[CDText, list[bytes], bytes]) -> None:
    cdtext, rows, packs = case
    reading = read_packs(packs)
    assert reading.defects or packs == b"" or len(packs) < 18 * len(rows)
    if reading.cdtext is None:
        return
    (block,) = reading.cdtext.blocks
    assert set(block.items) <= set(cdtext.blocks[0].items)
    if len(block.items) < len(cdtext.blocks[0].items):
        assert reading.defects


@given(st.binary(max_size=18 * 12))
def test_any_bytes_parse_or_raise_one_error(junk: bytes) -> None:
    read_packs(junk)
    read_packs(junk, check_crc=False)
    with suppress(FormatError):
        CDText.from_packs(junk)


@given(
    st.lists(
        st.builds(
            lambda pack_type, track, sequence, place, payload: sealed(
                bytes((pack_type, track, sequence, place)) + payload
            ),
            st.integers(0x7F, 0x90),
            st.integers(0, 130) | st.integers(0, 3),
            st.integers(0, 255) | st.integers(0, 8),
            st.sampled_from([0, 0x80, 0x1F, 1, 12, 0x8F]),
            st.binary(min_size=12, max_size=12)
            | st.lists(st.sampled_from([0, 0, 9, 65, 0x81, 1, 3]), min_size=12, max_size=12).map(
                bytes
            ),
        ),
        max_size=14,
    )
)
def test_any_sealed_packs_parse_and_can_be_told(packs: list[bytes]) -> None:
    """Hostile packs with right CRCs: no other error, and a value that prints and compares."""
    reading = read_packs(b"".join(packs))
    with suppress(FormatError):
        reading.whole()
    if reading.cdtext is not None:
        assert reading.cdtext == read_packs(b"".join(packs)).cdtext
        for block in reading.cdtext.blocks:
            for text in block.items:
                text.shown.encode()


def test_each_way_to_be_no_pack() -> None:
    reading = read_packs(
        pack(0x7F, 0, 0, 0, b"x")
        + pack(0x80, 100, 1, 0, b"x")
        + pack(0x80, 0x81, 2, 0, b"x")
        + b"abc"
    )
    assert reading.cdtext is None
    assert reading.crc_ok == (True,) * 3
    assert codes(reading) == ["length", "pack", "pack", "pack"]
    assert messages(reading).split("\n") == [
        "3 bytes behind the last whole pack",
        "7Fh is no pack type",
        "track byte 64h is above 99",
        "track byte 81h has the extension bit",
    ]


def test_packs_may_come_twice_and_in_any_order() -> None:
    rows = rows_of(SOUND)
    turned = b"".join([*rows[3:], *rows[:3], rows[4]])
    reading = read_packs(turned)
    assert reading.cdtext is not None
    assert reading.cdtext.blocks[0].items == ITEMS
    assert codes(reading) == ["order", "twice"]
    other = pack(0x80, 0, 0, 0, b"Another")
    assert "pack 0 of block 0 with another content" in messages(read_packs(SOUND + other))


def test_without_size_information() -> None:
    reading = read_packs(b"".join(rows_of(SOUND)[:-3]))
    assert reading.cdtext is not None
    (block,) = reading.cdtext.blocks
    assert block.items == ITEMS
    assert (block.language, block.first_track, block.last_track) == (0, None, None)
    assert codes(reading) == ["size-info"]
    assert "block 0 has none" in messages(reading)


def test_another_blocks_size_information_helps() -> None:
    two = CDText(
        blocks=(
            TextBlock(items=(item("title", 0, "A"), item("title", 7, "B")), first_track=7),
            TextBlock(language=8, items=(item("title", 7, "Z"),), first_track=7),
        )
    )
    rows = rows_of(two.to_packs())
    assert rows[4][0] == 0x80
    reading = read_packs(b"".join(rows[:-3]))
    assert reading.cdtext is not None
    assert reading.cdtext.blocks[1].language == 8
    assert reading.cdtext.blocks[1].text("title", 7) == "Z"
    assert codes(reading) == ["size-info", "gap"]
    reading = read_packs(b"".join(rows[:4]))
    assert codes(reading) == ["block-missing"]


def test_size_information_that_does_not_fit() -> None:
    rows = rows_of(SOUND)
    size = bytearray(b"".join(row[4:16] for row in rows[-3:]))

    def with_size(change: dict[int, int]) -> PacksReading:
        changed = bytearray(size)
        for place, value in change.items():
            changed[place] = value
        ends = [
            pack(0x8F, number, row[2], 0, bytes(changed[number * 12 :][:12]))
            for number, row in enumerate(rows[-3:])
        ]
        return read_packs(b"".join([*rows[:-3], *ends]))

    assert with_size({}).defects == ()
    assert "type 80h; 9 are announced" in messages(with_size({4: 9}))
    assert codes(with_size({20: 1})) == ["counts"]
    assert codes(with_size({20: len(rows)})) == ["gap"]
    reading = with_size({1: 5, 2: 3})
    assert codes(reading) == ["size-info"]
    assert "tracks 5 to 3 in block 0" in messages(reading)
    beyond = with_size({2: 2})
    assert "title of track 3: there is no such track" in messages(beyond)
    assert beyond.cdtext is not None
    assert beyond.cdtext.text("title", 3) is None


def test_blocks_that_disagree() -> None:
    one = rows_of(CDText(blocks=(TextBlock(), TextBlock(language=8))).to_packs())
    other = rows_of(CDText(blocks=(TextBlock(), TextBlock(language=7))).to_packs())
    reading = read_packs(b"".join([*one[:3], *other[3:]]))
    assert "languages" in codes(reading)
    assert reading.cdtext is not None
    assert [block.language for block in reading.cdtext.blocks] == [9, 7]


def test_every_text_in_packs_of_its_own() -> None:
    """Some writers fill up every text with zeros; the track byte then tells whose it is."""
    reading = read_packs(
        pack(0x80, 0, 0, 0, b"Album")
        + pack(0x80, 1, 1, 0, b"One")
        + pack(0x80, 2, 2, 0, b"Two, which i")
        + pack(0x80, 2, 3, 12, b"s longer")
    )
    assert reading.cdtext is not None
    assert [reading.cdtext.text("title", track) for track in range(3)] == [
        "Album",
        "One",
        "Two, which is longer",
    ]
    assert set(codes(reading)) == {"size-info", "track-number"}


def test_texts_without_an_albums() -> None:
    reading = read_packs(pack(0x80, 1, 0, 0, b"One\0Two\0"))
    assert reading.cdtext is not None
    assert reading.cdtext.blocks[0].items == (item("title", 1, "One"), item("title", 2, "Two"))
    assert codes(reading) == ["size-info", "no-album-text"]


@pytest.mark.parametrize(
    ("packs", "code", "message"),
    [
        (pack(0x80, 0, 0, 0, b"No end here."), "text-lost", "title of the album is not whole"),
        (
            pack(0x80, 0, 0, 0, b"No end here.") + pack(0x81, 0, 1, 0, b"A\0"),
            "unterminated",
            "title of the album has no end",
        ),
        (pack(0x87, 0, 0, 0, b"\0\x05no end now"), "text-lost", "the genre is not whole"),
        (
            pack(0x87, 0, 0, 0, b"\0\x05no end now") + pack(0x8D, 0, 1, 0, b"A\0"),
            "unterminated",
            "the genre has no end",
        ),
        (pack(0x87, 0, 0, 10, b"end\0"), "text-lost", "the genre is not whole"),
        (pack(0x80, 0, 0, 5, b"end\0x\0"), "text-lost", "title of the album is not whole"),
        (pack(0x80, 0, 0, 0, b"\t\0"), "repeat", "title of the album repeats a text"),
        (
            pack(0x80, 0, 0, 0, b"abcdefghijkl") + pack(0x80, 0, 1, 3, b"\0"),
            "position",
            "pack 1 is at character 3, by count at 12",
        ),
        (
            pack(0x80, 0, 0, 0, b"abcdefghijkl") + pack(0x80, 4, 1, 12, b"\0"),
            "track-number",
            "pack 1 is of track 4, by count of 0",
        ),
        (pack(0x86, 0, 0, 0, b"x\0y\0"), "track-beyond", "type 86h has a text for track 1"),
        (pack(0x88, 0, 0, 0, b"\1\2"), "binary", "table of contents: its packs"),
        (pack(0x88, 0, 0, 0, b"\1\2\1"), "binary", "table of contents: its first pack"),
        (
            pack(0x88, 0, 0, 0, b"\1\1\0\0\0\x63") + pack(0x88, 1, 1, 0, b""),
            "binary",
            "table of contents: no MSF",
        ),
        (pack(0x89, 1, 0, 0, b"\1\2"), "binary", "second table of contents: a pack of another"),
        (pack(0x86, 0, 0, 0, b"caf\xe9\0"), "characters", "disc_id of the album: bytes above 7Fh"),
    ],
)
def test_small_defects(packs: bytes, code: str, message: str) -> None:
    reading = read_packs(packs)
    found = {defect.code: defect for defect in reading.defects}
    assert code in found
    assert message in found[code].message
    assert found[code].block == 0


def test_binary_packs_of_another_form_are_kept() -> None:
    reading = read_packs(pack(0x88, 7, 0, 0, b"whatever") + pack(0x89, 1, 1, 0, b"else"))
    assert reading.cdtext is not None
    raw = reading.cdtext.blocks[0].raw
    assert [(each.pack_type, each.element, each.payload[:4]) for each in raw] == [
        (0x88, 7, b"what"),
        (0x89, 1, b"else"),
    ]


def test_many_lost_tracks_are_one_defect() -> None:
    items = [item("title", 0, "A")] + [item("title", track, "x" * 11) for track in range(1, 21)]
    rows = rows_of(CDText(blocks=(TextBlock(items=tuple(items)),)).to_packs())
    reading = read_packs(b"".join([*rows[:3], *rows[9:]]))
    assert [defect.message for defect in reading.defects] == [
        "block 0: packs are missing: 3 to 8",
        "block 0: title of tracks 3 to 9 is not whole",
    ]


def test_more_packs_than_a_drive_can_answer() -> None:
    reading = read_packs(bytes(18 * 3_641))
    assert "excess" in codes(reading)
    assert len(reading.crc_ok) == 3_640
