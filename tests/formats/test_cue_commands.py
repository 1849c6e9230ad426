"""The text of a cue sheet as commands, and back."""

from __future__ import annotations

import codecs
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rawcd.errors import FormatError
from rawcd_formats.cue.commands import (
    Catalog,
    Command,
    File,
    Flags,
    IndexAt,
    Isrc,
    Postgap,
    Pregap,
    Remark,
    Text,
    TrackStart,
    Unknown,
    build,
    parse,
)
from rawcd_formats.cue.encodings import decode, is_shift_jis

if TYPE_CHECKING:
    from collections.abc import Sequence

KNOWN = {
    "REM",
    "CATALOG",
    "TITLE",
    "PERFORMER",
    "SONGWRITER",
    "COMPOSER",
    "ARRANGER",
    "MESSAGE",
    "DISC_ID",
    "UPC_EAN",
    "TRACK_ISRC",
    "FILE",
    "TRACK",
    "FLAGS",
    "ISRC",
    "PREGAP",
    "POSTGAP",
    "INDEX",
}

lines = st.text(st.characters(exclude_categories=("C", "Zl", "Zp")), max_size=30)
words = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_/", min_size=1, max_size=12)
numbers = st.integers(0, 99)
frames = st.integers(0, 100_000 * 4_500 - 1)
commands = st.one_of(
    st.builds(Remark, st.just(0), lines.map(str.strip)),
    st.builds(Catalog, st.just(0), st.text("0123456789", min_size=12, max_size=13)),
    st.builds(
        Text, st.just(0), st.sampled_from(["title", "performer", "composer", "disc_id"]), lines
    ),
    st.builds(File, st.just(0), lines.filter(bool), words),
    st.builds(TrackStart, st.just(0), numbers, words, st.sampled_from([None, "RW", "RW_RAW"])),
    st.builds(Flags, st.just(0), st.lists(words, max_size=4).map(tuple)),
    st.builds(Isrc, st.just(0), st.text("ABCXYZ0123456789-", min_size=1, max_size=15)),
    st.builds(Pregap, st.just(0), frames),
    st.builds(Postgap, st.just(0), frames),
    st.builds(IndexAt, st.just(0), numbers, frames),
    st.builds(Unknown, st.just(0), words.filter(lambda word: word not in KNOWN)),
)
sheets = st.lists(commands, max_size=12).map(
    lambda found: [replace(command, line=line) for line, command in enumerate(found, 1)]
)


def read(text: str) -> tuple[Command, ...]:
    return parse(text.encode(), "a.cue")


# -- laws --------------------------------------------------------------------------------------


@given(sheets)
@example([Text(1, "title", 'He said "no"'), File(2, 'a "quoted" name.bin', "WAVE")])
@example([Text(1, "title", '"'), Text(2, "title", ' "" ')])
@example([File(1, " with blanks around it ", "BINARY")])
def test_what_is_built_parses_back(found: Sequence[Command]) -> None:
    assert list(read(build(found))) == list(found)


@given(sheets, st.sampled_from(["\n", "\r", "\r\n"]), st.booleans())
def test_line_ends_and_the_last_one_do_not_matter(
    found: Sequence[Command], end: str, last: bool
) -> None:
    text = build(found).replace("\r\n", end)
    assert list(read(text if last else text.removesuffix(end))) == list(found)


@given(sheets, st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le-bom", "utf-16-be-bom"]))
def test_unicode_encodings_say_the_same(found: Sequence[Command], encoding: str) -> None:
    text = build(found)
    marked = {
        "utf-16-le-bom": codecs.BOM_UTF16_LE + text.encode("utf-16-le"),
        "utf-16-be-bom": codecs.BOM_UTF16_BE + text.encode("utf-16-be"),
    }
    data = marked.get(encoding) or text.encode(encoding.removesuffix("-bom"))
    assert list(parse(data, "a.cue")) == list(found)


@given(st.binary(max_size=300))
@example(codecs.BOM_UTF16_LE + b"a")
@example(codecs.BOM_UTF8 + b"\xff")
@example(b"REM \x81\x8d\x8f\x90\x9d")
def test_any_bytes_parse_or_raise_one_error(junk: bytes) -> None:
    with suppress(FormatError):
        parse(junk, "a.cue")


@given(st.lists(st.sampled_from([*sorted(KNOWN), '"', " ", "\t", "\n", "\r", "01", "00:00:00"])))
def test_any_text_of_its_own_words_parses_or_raises_one_error(parts: list[str]) -> None:
    text = " ".join(parts)
    try:
        found = read(text)
    except FormatError as error:
        wrong = error
    else:
        places = [command.line for command in found]
        assert places == sorted(set(places))
        return
    count = text.replace("\r\n", "\n").replace("\r", "\n").count("\n") + 1
    assert wrong.file == "a.cue"
    assert wrong.place in {f"line {line}" for line in range(1, count + 1)}


# -- how sheets are written (CDRWIN's manual, and what peers accept) ---------------------------


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("REM", Remark(1, "")),
        ("REM  GENRE Rock ", Remark(1, "GENRE Rock")),
        ("CATALOG 4006381333931", Catalog(1, "4006381333931")),
        ('CATALOG "4006381333931"', Catalog(1, "4006381333931")),
        ('TITLE "Quoted"', Text(1, "title", "Quoted")),
        ("TITLE Not quoted at all ", Text(1, "title", "Not quoted at all")),
        ('TITLE "No end', Text(1, "title", "No end")),
        ('TITLE ""', Text(1, "title", "")),
        ("TITLE", Text(1, "title", "")),
        ('\tPERFORMER\t"Tabs"\t', Text(1, "performer", "Tabs")),
        ('SONGWRITER "Someone"', Text(1, "songwriter", "Someone")),
        ('FILE "a b.bin" BINARY', File(1, "a b.bin", "BINARY")),
        ("FILE a.bin BINARY", File(1, "a.bin", "BINARY")),
        ("FILE a b c.wav WAVE", File(1, "a b c.wav", "WAVE")),
        ("FILE\ta.bin\tBINARY", File(1, "a.bin", "BINARY")),
        ("FILE a b.bin \t BINARY  ", File(1, "a b.bin", "BINARY")),
        ('FILE "a.bin"BINARY', File(1, "a.bin", "BINARY")),
        ('file "a.wav" wave', File(1, "a.wav", "WAVE")),
        ("TRACK 01 AUDIO", TrackStart(1, 1, "AUDIO")),
        ("  track 1 audio", TrackStart(1, 1, "AUDIO")),
        ("TRACK 99 MODE1/2352", TrackStart(1, 99, "MODE1/2352")),
        ("FLAGS DCP 4CH PRE SCMS", Flags(1, ("DCP", "4CH", "PRE", "SCMS"))),
        ("flags dcp", Flags(1, ("DCP",))),
        ("ISRC USRC17607839", Isrc(1, "USRC17607839")),
        ("ISRC US-RC1-76-07839", Isrc(1, "US-RC1-76-07839")),
        ('ISRC "USRC17607839"', Isrc(1, "USRC17607839")),
        ("INDEX 01 00:00:00", IndexAt(1, 1, 0)),
        ("INDEX 1 0:8:0", IndexAt(1, 1, 8 * 75)),
        ("Index 00 12:34:56", IndexAt(1, 0, (12 * 60 + 34) * 75 + 56)),
        ("INDEX 01 100:00:00", IndexAt(1, 1, 100 * 60 * 75)),
        ("INDEX 99 00:59:74", IndexAt(1, 99, 59 * 75 + 74)),
        ("PREGAP 00:02:00", Pregap(1, 150)),
        ("postgap 0:0:1", Postgap(1, 1)),
        ("TRACK 01 AUDIO RW", TrackStart(1, 1, "AUDIO", "RW")),
        ("track 2 mode1/2352 rw_raw", TrackStart(1, 2, "MODE1/2352", "RW_RAW")),
        ('COMPOSER "Someone"', Text(1, "composer", "Someone")),
        ("UPC_EAN 4006381333931", Text(1, "upc_ean", "4006381333931")),
        ("TRACK_ISRC USRC17607839", Isrc(1, "USRC17607839")),
        ("PAUSE 00:02:00", Unknown(1, "PAUSE")),
        ("what is this", Unknown(1, "WHAT")),
    ],
)
def test_a_line(line: str, command: Command) -> None:
    assert read(line) == (command,)


def test_empty_lines_count_and_the_old_end_of_file_mark_is_none() -> None:
    assert read("\n\r\n  \t\rREM a\n\n\x1a") == (Remark(4, "a"),)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("FILE", "expected FILE"),
        ("FILE a.bin", "expected FILE"),
        ('FILE "a.bin"', "expected FILE"),
        ('FILE "" BINARY', "expected FILE"),
        ('FILE "a.bin" BINARY MOTOROLA', "expected FILE"),
        ("TRACK", "expected TRACK"),
        ("TRACK 01", "expected TRACK"),
        ("TRACK 01 AUDIO RWX", "expected TRACK"),
        ("TRACK one AUDIO", "'one' is no number"),
        ("TRACK 100 AUDIO", "'100' is no number from 00 to 99"),
        ("TRACK -1 AUDIO", "'-1' is no number"),
        ("INDEX 01", "expected INDEX"),
        ("INDEX 00:00:00", "expected INDEX"),
        ("INDEX 100 00:00:00", "'100' is no number"),
        ("INDEX 01 00:00", "'00:00' is no time"),
        ("INDEX 01 00:60:00", "seconds go to 59, frames to 74"),
        ("INDEX 01 00:00:75", "seconds go to 59, frames to 74"),
        ("INDEX 01 00:00:-1", "is no time"),
        ("INDEX 01 \u0660\u0660:00:00", "is no time"),  # digits, but no ASCII ones
        ("PREGAP", "expected PREGAP"),
        ("PREGAP 150", "'150' is no time"),
        ("POSTGAP 00:00:00 00:00:00", "expected POSTGAP"),
    ],
)
def test_a_wrong_line_is_named(line: str, says: str) -> None:
    with pytest.raises(FormatError) as caught:
        read(f"REM first\r\n\r\n{line}\r\nREM last\r\n")
    assert str(caught.value).startswith("a.cue: line 3: ")
    assert says in str(caught.value)


# -- encodings ---------------------------------------------------------------------------------


def test_what_is_no_utf_8_is_cp1252() -> None:
    assert decode('TITLE "Caf\u00e9 \u20ac \u201cx\u201d"'.encode("cp1252"), "a.cue") == (
        'TITLE "Caf\u00e9 \u20ac \u201cx\u201d"'
    )


def test_bytes_that_cp1252_has_no_character_for_are_replaced() -> None:
    assert decode(b"\xe9\x81", "a.cue") == "\u00e9\ufffd"


@pytest.mark.parametrize(
    "text",
    [
        'TITLE "\u6d5c\u5d0e\u3042\u3086\u307f"',  # kanji and kana
        'FILE "\u30c8\u30e9\u30c3\u30af 1.wav" WAVE',
        "PERFORMER \u6771\u4eac",  # kanji alone
    ],
)
def test_common_japanese_characters_side_by_side_are_shift_jis(text: str) -> None:
    data = text.encode("cp932")
    assert is_shift_jis(data)
    assert decode(data, "a.cue") == text
    assert not is_shift_jis(text.encode())  # what is UTF-8 is no guess


@pytest.mark.parametrize(
    "text",
    [
        'TITLE "Caf\u00e9 cr\u00e8me"',
        "TITLE \u201cHello\u201d \u2013 don\u2019t \u2018t\u2019\u2026",
        "TITLE \u00c9T\u00c9 \u00c0 L\u2019\u00ceLE",
        "TITLE " + "\u2014" * 8,
        "TITLE \u0152uvre, \u0160koda, na\u00efve, \u00fc\u00e4\u00f6\u00df",
        "TITLE \u00c6\u00d8\u00c5 \u00e6\u00f8\u00e5 sm\u00f8rr\u00f8d",
    ],
)
def test_letters_of_the_west_are_no_shift_jis(text: str) -> None:
    data = text.encode("cp1252")
    assert not is_shift_jis(data)
    assert decode(data, "a.cue") == text


@given(
    st.text(
        "\u00e0\u00e9\u00e8\u00fc\u00f1\u00c9\u00d6\u00df\u2019\u201c\u201dabcdes ", max_size=40
    )
)
def test_no_text_of_the_west_is_taken_for_kana(text: str) -> None:
    read = decode(f"TITLE {text}".encode("cp1252"), "a.cue")
    assert not any("\u3041" <= character <= "\u30fe" for character in read)


def test_a_sheet_of_more_than_a_megabyte_is_refused_with_its_line() -> None:
    line = b"REM " + b"x" * 1019 + b"\n"
    assert len(parse(line * 1024, "a.cue")) == 1024
    with pytest.raises(FormatError, match=r"a\.cue: line 1025: 1048577 bytes are too many"):
        parse(line * 1024 + b"x", "a.cue")


def test_utf_8_without_a_mark_is_utf_8() -> None:
    assert decode("\u3042\u00e9".encode(), "a.cue") == "\u3042\u00e9"


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"FILE \0", "NUL"),
        (bytes(2352), "NUL"),
        (codecs.BOM_UTF16_LE + b"a\0b", "no UTF-16-LE text"),
        (codecs.BOM_UTF8 + b"\xe9", "no UTF-8 text"),
    ],
)
def test_what_is_no_text_is_refused(data: bytes, says: str) -> None:
    with pytest.raises(FormatError, match=says) as caught:
        decode(data, "a.cue")
    assert caught.value.file == "a.cue"


# -- how rawcd writes --------------------------------------------------------------------------


def test_a_built_sheet_is_what_every_reader_takes() -> None:
    text = build(
        [
            Catalog(0, "2000000001234"),
            Text(0, "title", "Album"),
            File(0, "album.bin", "BINARY"),
            TrackStart(0, 1, "AUDIO"),
            Flags(0, ("DCP", "PRE")),
            Isrc(0, "XXRCD2600001"),
            IndexAt(0, 1, 0),
            TrackStart(0, 2, "AUDIO"),
            IndexAt(0, 0, 4_500),
            IndexAt(0, 1, 4_575),
        ]
    )
    assert text == (
        "CATALOG 2000000001234\r\n"
        'TITLE "Album"\r\n'
        'FILE "album.bin" BINARY\r\n'
        "  TRACK 01 AUDIO\r\n"
        "    FLAGS DCP PRE\r\n"
        "    ISRC XXRCD2600001\r\n"
        "    INDEX 01 00:00:00\r\n"
        "  TRACK 02 AUDIO\r\n"
        "    INDEX 00 01:00:00\r\n"
        "    INDEX 01 01:01:00\r\n"
    )
