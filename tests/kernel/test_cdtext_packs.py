"""CD-TEXT to packs and back: laws, limits, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rawcd.cdtext import (
    TEXT_STYLES,
    CDText,
    Charset,
    RawPack,
    TextBlock,
    TextInterval,
    TextItem,
    TextStyle,
    TextToc,
    read_packs,
)
from rawcd.cdtext.charsets import encode_text
from rawcd.errors import FormatError, UnsupportedError
from rawcd.msf import Msf

BLOCK_FIELDS = ("title", "performer", "songwriter", "composer", "arranger", "message")
ORDER = (*BLOCK_FIELDS, "disc_id", "genre", "closed", "upc_ean", "isrc")
BOTH = (*BLOCK_FIELDS, "closed")
ALBUM_ONLY = ("disc_id", "genre", "upc_ean")


def double_byte_characters() -> list[str]:
    """All characters that two bytes of code page 932 stand for, and that stand for them."""
    found = []
    for lead in (*range(0x81, 0xA0), *range(0xE0, 0xFD)):
        for trail in range(0x40, 0xFD):
            try:
                character = bytes((lead, trail)).decode("cp932")
            except UnicodeDecodeError:
                continue
            if len(character) == 1:
                found.append(character)
    return found


JIS = double_byte_characters()
ALPHABETS: dict[int, st.SearchStrategy[str]] = {
    Charset.ISO_8859_1: st.characters(min_codepoint=1, max_codepoint=255),
    Charset.ASCII: st.characters(min_codepoint=1, max_codepoint=127),
    Charset.MS_JIS: st.sampled_from(JIS),
}
ASCII = ALPHABETS[Charset.ASCII]
LATIN = ALPHABETS[Charset.ISO_8859_1]


def strings(alphabet: st.SearchStrategy[str], most: int = 40) -> st.SearchStrategy[str]:
    return st.text(alphabet, min_size=1, max_size=most).filter(lambda text: text != "\t")


def raw_strings(width: int) -> st.SearchStrategy[str]:
    pairs = st.lists(st.binary(min_size=width, max_size=width).filter(any), min_size=1, max_size=20)
    return (
        pairs.map(b"".join)
        .map(lambda raw: raw.decode("ascii", "surrogateescape"))
        # Plain ASCII is text, in which a zero or a lone TAB has its own meaning.
        .filter(lambda text: any(character > "\x7f" for character in text))
    )


def texts_of(charset: int, field: str) -> st.SearchStrategy[str]:
    if field in ("disc_id", "genre", "upc_ean"):
        return strings(ASCII)
    if field in ("closed", "isrc"):
        return strings(LATIN)
    if charset in ALPHABETS:
        return strings(ALPHABETS[charset])
    return raw_strings(2 if charset & 0x80 else 1)


times = st.builds(Msf, st.integers(0, 99), st.integers(0, 59), st.integers(0, 74))
tocs = st.builds(
    TextToc,
    starts=st.lists(times, min_size=1, max_size=9).map(tuple),
    lead_out=times,
    first_track=st.integers(1, 90),
)
raw_packs = st.builds(
    RawPack,
    pack_type=st.sampled_from([0x8A, 0x8B, 0x8C]),
    element=st.integers(0, 99),
    payload=st.binary(min_size=12, max_size=12),
)
intervals = st.lists(
    st.builds(
        TextInterval, track=st.integers(0, 99), start=times, end=times, number=st.integers(0, 255)
    ),
    max_size=4,
).map(tuple)


@st.composite
def blocks(draw: st.DrawFn, charset: int | None = None, first: int | None = None) -> TextBlock:
    """A block as it is read: in order, with its tracks."""
    if charset is None:
        charset = draw(st.sampled_from([0x00, 0x01, 0x80, 0x81, 0x82, 0x02, 0xFF]))
    if first is None:
        first = draw(st.integers(1, 94))
    last = first + draw(st.integers(0, 5))
    items = []
    for track in (0, *range(first, last + 1)):
        fields = BOTH + (("isrc",) if track else ALBUM_ONLY)
        chosen = draw(st.sets(st.sampled_from(fields), max_size=4))
        items += [
            TextItem(field=field, track=track, text=draw(texts_of(charset, field)))
            for field in sorted(chosen, key=ORDER.index)
        ]
    genre = any(item.field == "genre" for item in items)
    codes = st.integers(0, 0xFFFF)
    return TextBlock(
        language=draw(st.integers(0, 255)),
        items=tuple(items),
        charset=charset,
        genre_code=draw(codes if genre else st.none() | codes),
        toc=draw(st.none() | tocs),
        intervals=draw(intervals),
        raw=tuple(sorted(draw(st.lists(raw_packs, max_size=3)), key=lambda raw: raw.pack_type)),
        copyright=draw(st.sampled_from([0, 3, 0x80])),
        first_track=first,
        last_track=last,
    )


cdtexts = st.lists(blocks(), min_size=1, max_size=2).map(lambda its: CDText(blocks=tuple(its)))
plain_styles = st.builds(
    TextStyle,
    repeat_as_tab=st.booleans(),
    album_alone=st.booleans(),
    closed_per_track=st.booleans(),
    genre_code_in_each_pack=st.booleans(),
)


@given(cdtexts, plain_styles)
def test_what_is_built_parses_back(cdtext: CDText, style: TextStyle) -> None:
    packs = cdtext.to_packs(style=style)
    assert CDText.from_packs(packs) == cdtext
    reading = read_packs(packs)
    assert len(reading.crc_ok) * 18 == len(packs)
    assert all(reading.crc_ok)


@given(blocks(), st.sampled_from(["plain", "zero"]))
def test_other_checks_parse_back_when_told_so(block: TextBlock, crc: Any) -> None:
    cdtext = CDText(blocks=(block,))
    packs = cdtext.to_packs(style=TextStyle(crc=crc))
    assert read_packs(packs, check_crc=False).whole() == cdtext


@given(st.lists(blocks(charset=0, first=1), min_size=1, max_size=3))
def test_each_pack_tells_the_truth(its: list[TextBlock]) -> None:
    """The rules of redbook.md 4.1 and 4.2, by counting."""
    data = CDText(blocks=tuple(its)).to_packs()
    packs = [data[place : place + 18] for place in range(0, len(data), 18)]
    assert [pack[3] >> 4 & 7 for pack in packs] == sorted(pack[3] >> 4 & 7 for pack in packs)
    sizes = []
    lasts = []
    for number, block in enumerate(its):
        own = [pack for pack in packs if pack[3] >> 4 & 7 == number]
        assert [pack[2] for pack in own] == list(range(len(own)))
        assert [pack[0] for pack in own] == sorted(pack[0] for pack in own)
        assert [pack[1] for pack in own[-3:]] == [0, 1, 2]
        size = b"".join(pack[4:16] for pack in own[-3:])
        for pack_type in range(0x80, 0x90):
            assert size[4 + pack_type - 0x80] == sum(pack[0] == pack_type for pack in own)
        sizes.append(size)
        lasts.append(len(own) - 1)
        entries = b"".join(pack[4:16] for pack in own if pack[0] == 0x80).split(b"\0")
        wanted = [block.text("title", track) or "" for track in range((block.last_track or 0) + 1)]
        if any(wanted):
            assert [entry.decode("latin-1") for entry in entries[: len(wanted)]] == wanted
            assert not any(entries[len(wanted) :])
    for size in sizes:
        assert size[20:28] == bytes(lasts).ljust(8, b"\0")
        assert size[28:36] == bytes(block.language for block in its).ljust(8, b"\0")


def item(field: str, track: int, text: str) -> TextItem:
    return TextItem(field=field, track=track, text=text)


def one(*items: TextItem, **fields: Any) -> CDText:
    return CDText(blocks=(TextBlock(items=items, **fields),))


def payloads(packs: bytes, pack_type: int) -> bytes:
    rows = (packs[place : place + 18] for place in range(0, len(packs), 18))
    return b"".join(row[4:16] for row in rows if row[0] == pack_type)


def test_a_text_for_one_track_gives_an_entry_to_all() -> None:
    packs = one(item("title", 2, "B")).to_packs(last_track=3)
    assert payloads(packs, 0x80) == b"\0\0B\0".ljust(12, b"\0")
    assert payloads(packs, 0x8F)[1:3] == b"\x01\x03"


def test_repeats_are_tabs_only_when_asked_and_never_of_the_album() -> None:
    cdtext = one(
        *(item("performer", track, "Band") for track in range(4)),
        *(item("isrc", track, "USRC17607839") for track in (1, 2)),
    )
    assert payloads(cdtext.to_packs(), 0x81).count(b"Band\0") == 4
    tabbed = cdtext.to_packs(style=TEXT_STYLES["libburn"])
    assert payloads(tabbed, 0x81) == b"Band\0Band\0\t\0\t\0".ljust(24, b"\0")
    assert payloads(tabbed, 0x8E) == b"\0USRC17607839\0\t\0\0".ljust(24, b"\0")
    assert (
        CDText.from_packs(tabbed).blocks[0].items
        == CDText.from_packs(cdtext.to_packs()).blocks[0].items
    )


def test_double_byte_repeats_are_two_tabs() -> None:
    """redbook.md 4.1: 09 09 00 00."""
    cdtext = one(*(item("title", track, "\u3042") for track in (1, 2)), charset=Charset.MS_JIS)
    packs = cdtext.to_packs(style=TextStyle(repeat_as_tab=True))
    assert payloads(packs, 0x80).hex() == "000082a0000009090000".ljust(24, "0")


def test_cdrdaos_tracks_without_a_text_get_the_albums() -> None:
    cdtext = one(
        item("title", 0, "A"),
        item("title", 1, "T"),
        item("upc_ean", 0, "1"),
        item("isrc", 2, "X"),
        item("message", 0, "M"),
    )
    packs = cdtext.to_packs(style=TEXT_STYLES["cdrdao"], last_track=3)
    assert payloads(packs, 0x80) == b"A\0T\0A\0A\0".ljust(12, b"\0")
    assert payloads(packs, 0x85) == b"M\0".ljust(12, b"\0")
    assert payloads(packs, 0x8E) == b"1\0\0X\0\0".ljust(12, b"\0")  # no UPC/EAN for an ISRC


def test_genre_codes_come_from_their_names() -> None:
    def code_of(**fields: Any) -> str:
        return payloads(one(**fields).to_packs(), 0x87)[:2].hex()

    assert payloads(one(item("genre", 0, "Jazz")).to_packs(), 0x87)[:7] == b"\x00\x0eJazz\0"
    assert payloads(one(item("genre", 0, "Polka")).to_packs(), 0x87)[:8] == b"\x00\x01Polka\0"
    assert payloads(one(genre_code=0x17).to_packs(), 0x87) == b"\0\x17".ljust(12, b"\0")
    assert code_of() == ""
    repeated = one(item("genre", 0, "abcdefghijKLM"), genre_code=5).to_packs(
        style=TextStyle(genre_code_in_each_pack=True)
    )
    assert payloads(repeated, 0x87) == b"\0\x05abcdefghij\0\x05KLM\0".ljust(24, b"\0")
    assert CDText.from_packs(repeated).text("genre", 0) == "abcdefghijKLM"


def test_closed_information_for_every_track_on_demand() -> None:
    cdtext = one(item("closed", 0, "x" * 11))
    assert len(payloads(cdtext.to_packs(last_track=9), 0x8D)) == 12
    per_track = cdtext.to_packs(last_track=9, style=TextStyle(closed_per_track=True))
    assert len(payloads(per_track, 0x8D)) == 24
    own = one(item("closed", 2, "y")).to_packs(last_track=2)
    assert payloads(own, 0x8D)[:4] == b"\0\0y\0"


def test_a_table_of_contents_follows_the_disc() -> None:
    toc = TextToc.from_lbas([0, 18_700, 36_050, 53_012, 60_000], 283_518)
    packs = one(toc=toc).to_packs()
    wanted = "0105003f0212000000000000" + "000200" + "040b19" + "080232" + "0b303e" + "0d1600"
    assert payloads(packs, 0x88).hex()[: 24 + 24 + 6] == wanted
    assert CDText.from_packs(packs).blocks[0].toc == toc


def tracks_of(packs: bytes) -> list[bytes]:
    """Return first and last track as the size information of each block has them."""
    rows = (packs[place : place + 18] for place in range(0, len(packs), 18))
    return [row[5:7] for row in rows if row[:2] == b"\x8f\x00"]


def test_a_disc_has_the_same_tracks_in_every_language() -> None:
    english = TextBlock(items=(item("title", 3, "x"),))
    german = TextBlock(language=8, items=(item("title", 0, "y"),))
    assert tracks_of(CDText(blocks=(english, german)).to_packs()) == [b"\x01\x03"] * 2
    told = TextBlock(items=(), first_track=2, last_track=7)
    assert tracks_of(CDText(blocks=(german, told)).to_packs()) == [b"\x02\x07"] * 2


def test_what_the_caller_says_is_not_passed_over() -> None:
    cdtext = one(item("title", 1, "x"))
    none: list[dict[str, Any]] = [{"first_track": 0}, {"last_track": 0}, {"last_track": 100}]
    for tracks in none:
        with pytest.raises(ValueError, match="no tracks"):
            cdtext.to_packs(**tracks)
    with pytest.raises(ValueError, match="errors 'ignore' is none of strict, replace"):
        cdtext.to_cdt(errors="ignore")  # type: ignore[arg-type]  # that is the point


def test_the_caller_knows_the_disc_better_than_the_block() -> None:
    block = one(item("title", 1, "x"), first_track=1, last_track=2)
    assert payloads(block.to_packs(), 0x8F)[1:3] == b"\x01\x02"
    assert payloads(block.to_packs(last_track=7), 0x8F)[1:3] == b"\x01\x07"
    with pytest.raises(ValueError, match="no tracks: 5 to 2"):
        one(first_track=1, last_track=2).to_packs(first_track=5)


@pytest.mark.parametrize(
    ("cdtext", "message"),
    [
        (
            one(item("title", 2, "ab\u3042")),
            "title of track 2: '\u3042' (U+3042) is not in ISO 8859-1",
        ),
        (
            one(item("performer", 0, "\xe9"), charset=Charset.ASCII),
            "performer of the album: '\xe9' (U+00E9) is not in ASCII",
        ),
        (
            one(item("message", 1, "\xe9"), charset=Charset.MS_JIS),
            "message of track 1: '\xe9' (U+00E9) is not in MS-JIS",
        ),
        (
            one(item("upc_ean", 0, "\xe9")),
            "upc_ean of the album: '\xe9' (U+00E9) is not in ASCII",
        ),
        (
            one(item("title", 1, "a\0b")),
            "title of track 1: '\\x00' (U+0000) is the end of a text in CD-TEXT",
        ),
        (one(item("title", 3, "\t")), "title of track 3: a lone TAB means the text before it"),
        (one(item("mood", 1, "x")), "mood of track 1: CD-TEXT has no such text"),
        (one(item("size_info", 0, "x")), "size_info of the album: CD-TEXT has no such text"),
        (one(item("isrc", 0, "x")), "isrc of the album: only a track has one"),
        (one(item("disc_id", 4, "x")), "disc_id of track 4: only an album has one"),
        (
            one(item("title", 4, "x"), last_track=3),
            "title of track 4: the disc has tracks 1 to 3",
        ),
        (one(item("title", 100, "x")), "title of track 100: the disc has tracks 1 to 99"),
    ],
)
def test_a_text_that_cannot_be_held_is_named(cdtext: CDText, message: str) -> None:
    with pytest.raises(UnsupportedError) as caught:
        cdtext.to_packs()
    assert str(caught.value) == message
    assert caught.value.lost == (message,)


def test_all_that_cannot_be_held_is_named_with_its_block() -> None:
    items = (item("title", 0, "\u3042"), item("title", 1, "fine"), item("title", 2, "\u3044"))
    cdtext = CDText(blocks=(TextBlock(), TextBlock(language=8, items=items)))
    with pytest.raises(UnsupportedError) as caught:
        cdtext.to_packs()
    assert caught.value.lost == (
        "title of the album in block 1 (German): '\u3042' (U+3042) is not in ISO 8859-1",
        "title of track 2 in block 1 (German): '\u3044' (U+3044) is not in ISO 8859-1",
    )
    replaced = CDText.from_packs(cdtext.to_packs(errors="replace")).blocks[1]
    assert [text.text for text in replaced.items] == ["?", "fine", "?"]


def test_the_first_of_two_texts_counts() -> None:
    cdtext = one(item("title", 1, "first"), item("title", 1, "second"))
    assert CDText.from_packs(cdtext.to_packs()).text("title", 1) == "first"


def full_block(packs: int) -> TextBlock:
    """A block of so many packs: each message fills one, terminator included."""
    album, *tracks = (item("message", track, "x" * 11) for track in range(100))
    closed = item("closed", 0, "y" * (12 * (packs - 3 - 100) - 1))
    return TextBlock(language=8, items=(album, closed, *tracks))


def test_256_packs_are_the_most() -> None:
    data = CDText(blocks=(TextBlock(), full_block(256))).to_packs()
    assert len(data) == (3 + 256) * 18
    assert data[-16] == 255
    assert CDText.from_packs(data).blocks[1].items == full_block(256).items
    with pytest.raises(UnsupportedError) as caught:
        CDText(blocks=(TextBlock(), full_block(257))).to_packs()
    assert str(caught.value) == "CD-TEXT block 1 (German) needs 257 packs; 256 is the most"
    assert caught.value.lost == ("CD-TEXT block 1 (German)",)


def test_eight_full_blocks() -> None:
    data = CDText(blocks=(full_block(256),) * 8).to_packs()
    assert len(data) == 2_048 * 18
    assert len(CDText.from_packs(data).blocks) == 8


def test_there_is_no_cdtext_without_packs() -> None:
    with pytest.raises(FormatError, match="there are no packs"):
        CDText.from_packs(b"")


@given(st.sampled_from(sorted(ALPHABETS)), st.data())
def test_replacing_always_gives_something_to_read(charset: int, data: st.DataObject) -> None:
    unicode = st.characters(exclude_categories=["Cs"])
    text = data.draw(st.text(unicode, min_size=1, max_size=8))
    code = encode_text(text, charset, errors="replace")
    width = 2 if charset & 0x80 else 1
    assert len(code) % width == 0
    assert all(any(code[place : place + width]) for place in range(0, len(code), width))
