"""CD-TEXT values, tables and character sets."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

import rawcd.cdtext
from rawcd.cdtext import (
    ENGLISH,
    FIELD_OF,
    FIELDS,
    GENRES,
    LANGUAGES,
    MAX_BLOCKS,
    CDText,
    Charset,
    RawPack,
    TextBlock,
    TextInterval,
    TextItem,
    TextToc,
    genre_code,
    genre_name,
    language_code,
    language_name,
)
from rawcd.cdtext.charsets import charset_name, decode_text, encode_text, width_of
from rawcd.errors import FormatError
from rawcd.msf import Msf


def test_importing_is_light() -> None:
    """`info` of a sheet over a BIN needs titles, and neither numpy nor construct."""
    script = (
        "import sys; from rawcd.cdtext import CDText, TextBlock, TextItem, ENGLISH, MAX_BLOCKS;"
        "CDText.from_v07t('Album Title = x').to_v07t();"
        "assert not {'numpy', 'construct'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_all_names_are_there() -> None:
    for name in rawcd.cdtext.__all__:
        assert getattr(rawcd.cdtext, name) is not None
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = rawcd.cdtext.no_such_name


def test_blocks_that_say_the_same_are_equal_in_whatever_order() -> None:
    """Packs and sheets keep the order of tracks and fields alone."""
    items = [
        TextItem(field=field, track=track, text=f"{field} {track}")
        for field in ("performer", "title", "disc_id")
        for track in (2, 0, 1)
    ]
    assert TextBlock(items=tuple(items)) == TextBlock(items=tuple(reversed(items)))
    told = [(item.track, item.field) for item in TextBlock(items=tuple(items)).items]
    fields = ["title", "performer", "disc_id"]
    assert told == [(track, field) for track in range(3) for field in fields]


def test_a_block_is_english_unless_said_and_finds_its_texts() -> None:
    items = (
        TextItem(field="title", track=0, text="A"),
        TextItem(field="title", track=1, text="first"),
        TextItem(field="title", track=1, text="second"),
    )
    cdtext = CDText(blocks=(TextBlock(items=items), TextBlock(language=8)))
    assert cdtext.blocks[0].language == ENGLISH == 9
    assert cdtext.text("title", 0) == "A"
    assert cdtext.text("title", 1) == "first"
    assert cdtext.text("performer", 0) is None
    assert cdtext.blocks[1].text("title", 0) is None


@pytest.mark.parametrize("count", [0, MAX_BLOCKS + 1])
def test_a_disc_has_one_to_eight_blocks(count: int) -> None:
    with pytest.raises(ValueError, match=f"1 to 8 blocks, not {count}"):
        CDText(blocks=(TextBlock(),) * count)


@pytest.mark.parametrize(
    "fields",
    [
        {"language": 256},
        {"charset": -1},
        {"copyright": 256},
        {"genre_code": 0x10000},
        {"first_track": 0},
        {"first_track": 3, "last_track": 2},
        {"last_track": 100},
        {
            "toc": TextToc(starts=(Msf(0, 2, 0),), lead_out=Msf(1, 0, 0)),
            "raw": (RawPack(pack_type=0x88, element=0, payload=bytes(12)),),
        },
    ],
)
def test_a_block_refuses_what_no_block_can_say(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"byte|tracks|not both"):
        TextBlock(**fields)


def test_any_iterables_make_the_same_frozen_value() -> None:
    item = TextItem(field="title", track=0, text="A")
    frozen = CDText(blocks=(TextBlock(items=(item,)),))
    items: Any = (each for each in [item])
    blocks: Any = [TextBlock(items=items)]
    assert CDText(blocks=blocks) == frozen
    assert hash(CDText(blocks=[TextBlock(items=[item])])) == hash(frozen)  # type: ignore[arg-type]  # lists


def test_what_is_no_text_or_number_is_refused() -> None:
    for text in (None, b"A", 5):
        with pytest.raises(TypeError, match="is no text"):
            TextItem(field="title", track=0, text=text)  # type: ignore[arg-type]  # that is the point
    with pytest.raises(TypeError, match="'German' is no number; see `language_code`"):
        TextBlock(language="German")  # type: ignore[arg-type]  # the same


def test_other_values_refuse_what_no_pack_can_say() -> None:
    with pytest.raises(ValueError, match="no table of contents: 0 tracks"):
        TextToc(starts=(), lead_out=Msf(0, 0, 0))
    with pytest.raises(ValueError, match="from 99 on"):
        TextToc.from_lbas([0, 300], 600, first_track=99)
    with pytest.raises(ValueError, match="track 100"):
        TextInterval(track=100, start=Msf(0, 0, 0), end=Msf(0, 0, 0), number=1)
    with pytest.raises(ValueError, match="80h"):
        RawPack(pack_type=0x80, element=0, payload=bytes(12))
    with pytest.raises(ValueError, match="12 bytes"):
        RawPack(pack_type=0x8A, element=0, payload=bytes(11))


def test_a_table_of_contents_is_made_of_lbas() -> None:
    toc = TextToc.from_lbas([0, 16_495], 283_368, first_track=4)
    assert toc.starts == (Msf(0, 2, 0), Msf(3, 41, 70))
    assert toc.lead_out == Msf(63, 0, 18)
    assert toc.last_track == 5


def test_every_pack_type_has_a_name() -> None:
    assert {field.pack_type for field in FIELDS} == set(range(0x80, 0x90))
    assert FIELD_OF["title"].pack_type == 0x80
    assert FIELD_OF["arranger"].pack_type == 0x84
    assert FIELD_OF["message"].pack_type == 0x85
    assert FIELD_OF["upc_ean"].pack_type == FIELD_OF["isrc"].pack_type == 0x8E
    assert FIELD_OF["disc_id"].keyword == "DISC_ID"
    assert [field.name for field in FIELDS if field.binary] == [
        "toc_info1",
        "toc_info2",
        "reserved1",
        "reserved2",
        "reserved3",
        "size_info",
    ]


@pytest.mark.parametrize(
    ("code", "name"),
    [  # EBU Tech 3264 appendix 3, as redbook.md 4.2 quotes it
        (0x00, "Unknown"),
        (0x01, "Albanian"),
        (0x08, "German"),
        (0x09, "English"),
        (0x0F, "French"),
        (0x15, "Italian"),
        (0x1D, "Dutch"),
        (0x2A, "Flemish"),
        (0x45, "Zulu"),
        (0x49, "Ukrainian"),
        (0x56, "Russian"),
        (0x65, "Korean"),
        (0x69, "Japanese"),
        (0x6C, "Hebrew"),
        (0x70, "Greek"),
        (0x75, "Chinese"),
        (0x77, "Bulgarian"),
        (0x7E, "Arabic"),
        (0x7F, "Amharic"),
    ],
)
def test_languages(code: int, name: str) -> None:
    assert language_name(code) == name
    assert language_code(name) == code
    assert language_code(f" {name.upper()} ") == code


def test_the_gap_in_the_languages() -> None:
    assert sorted(LANGUAGES) == [*range(0x2C), *range(0x45, 0x80)]
    assert language_name(0x30) is None
    assert language_code("Walloon") == language_code("Wallon") == 0x2B
    assert all(language_code(name) == code for code, name in LANGUAGES.items())
    with pytest.raises(FormatError, match="unknown language 'Klingon'"):
        language_code("Klingon")


@pytest.mark.parametrize(
    ("code", "name"),
    [(0, "Not Used"), (5, "Classical"), (0x0E, "Jazz"), (0x18, "Rhythm & Blues"), (0x1B, "World")],
)
def test_genres(code: int, name: str) -> None:
    assert genre_code(name) == code
    assert name in str(genre_name(code))


def test_the_ends_of_the_genres() -> None:
    assert sorted(GENRES) == list(range(0x1C))
    assert genre_code("rock") == genre_code("Rock Music") == 0x17
    assert all(genre_code(name) == code for code, name in GENRES.items())
    assert genre_name(0x1C) is None
    with pytest.raises(FormatError, match="unknown genre 'Polka'"):
        genre_code("Polka")


@pytest.mark.parametrize(
    ("charset", "text", "code"),
    [
        (Charset.ISO_8859_1, "Caf\xe9 \xff", "436166e920ff"),
        (Charset.ASCII, "Cafe", "43616665"),
        # JIS X 0208 in Shift-JIS: hiragana A 82A0, katakana A 8341, kanji "a" 889F
        (Charset.MS_JIS, "\u3042\u30a2\u4e9c", "82a0834188 9f"),
        # full-width Latin letters begin at 8260 and 8281, digits at 824F, the space is 8140
        (Charset.MS_JIS, "Az 0", "8260829a8140824f"),
        (Charset.MS_JIS, "\uff71\uff76\uff9e", "8341834b"),  # half-width A, KA + voiced mark = GA
        (Charset.MS_JIS, "\u301c\u2212", "8160817c"),  # wave dash, minus sign
        (Charset.MS_JIS, "\uff5e\uff0d", "8160817c"),  # what code page 932 calls them
        (Charset.MS_JIS, "\xa5\\\"'", "818f815f81688166"),
        (0x33, "A\udcff", "41ff"),
        (0x81, "\udcb0\udca1", "b0a1"),
    ],
)
def test_characters_have_these_bytes(charset: int, text: str, code: str) -> None:
    assert encode_text(text, charset).hex() == code.replace(" ", "")


@pytest.mark.parametrize("charset", [Charset.ISO_8859_1, Charset.ASCII, Charset.MS_JIS, 0x02, 0x82])
def test_what_cannot_be_encoded_is_refused_at_its_place(charset: int) -> None:
    fine = "\u3042" if charset == Charset.MS_JIS else "ab"
    for bad in ("\U0001f3b5", "\0"):
        with pytest.raises(UnicodeEncodeError) as caught:
            encode_text(fine + bad, charset)
        assert caught.value.start == len(fine)


@pytest.mark.parametrize(
    ("charset", "text", "near"),
    [
        (
            Charset.ISO_8859_1,
            "\u201cDvo\u0159\xe1k\u2019s\u201d \u2026 \u3042",
            b'"Dvor\xe1k\'s" ... ?',
        ),
        (Charset.ASCII, "\xe9\xdf\u0142", b"essl"),
        (Charset.MS_JIS, "\xe9\u3042\U0001f3b5", bytes.fromhex("828582a08148")),
    ],
)
def test_replacing(charset: int, text: str, near: bytes) -> None:
    assert encode_text(text, charset, errors="replace") == near


def test_bytes_that_are_no_text_are_kept() -> None:
    raw = bytes.fromhex("b0a1 c0cf 41ff")
    text, trouble = decode_text(raw, Charset.KOREAN, double_byte=True)
    assert not trouble
    item = TextItem(field="title", track=0, text=text)
    assert item.is_raw
    assert item.shown == r"\xb0\xa1\xc0\xcfA\xff"
    assert encode_text(text, Charset.KOREAN) == raw
    text, trouble = decode_text(b"\x81\x20", Charset.MS_JIS, double_byte=True)
    assert trouble == "81 20 is no MS-JIS"
    assert encode_text(text, Charset.MS_JIS) == b"\x81\x20"
    with pytest.raises(UnicodeEncodeError, match="odd"):
        encode_text("\udc81", Charset.KOREAN)
    with pytest.raises(UnicodeEncodeError, match="terminator"):
        encode_text("\udc81A\0\0", Charset.KOREAN)


def test_texts_with_a_flaw_are_read_and_reported() -> None:
    assert decode_text(b"\xe9t\xe9", Charset.ASCII, double_byte=False)[0] == "\xe9t\xe9"
    assert "ASCII" in decode_text(b"\xe9", Charset.ASCII, double_byte=False)[1]
    text, trouble = decode_text(b"AB", Charset.MS_JIS, double_byte=True)
    assert (text, trouble) == ("AB", "single-byte characters in a double-byte text")
    text, trouble = decode_text(b"\0A", Charset.ISO_8859_1, double_byte=True)
    assert text == "A"
    assert "NUL" in trouble
    assert not TextItem(field="title", track=0, text="\xe9").is_raw


def test_character_sets_by_name() -> None:
    assert charset_name(0x80) == "MS-JIS"
    assert charset_name(0x42) == "character code 42h"
    assert [width_of(code) for code in (0, 1, 0x7F, 0x80, 0x81)] == [1, 1, 1, 2, 2]
