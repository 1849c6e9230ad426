"""TOC files as values: the text comes back, and whatever breaks the grammar is refused by line."""

from __future__ import annotations

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rawcd.errors import FormatError
from rawcd_formats.toc import TocFormat
from rawcd_formats.toc import values as toc
from rawcd_formats.toc.grammar import build, parse
from rawcd_formats.toc.modes import MODES
from rawcd_formats.toc.words import SHEET_LIMIT, quoted
from tests.formats.toc_sheets import sheets, strings

HEAD = "CD_DA\n"
TRACK = 'TRACK AUDIO\nFILE "a.bin" 0\n'


def parsed(text: str | bytes) -> toc.Sheet:
    return parse(text if isinstance(text, bytes) else text.encode(), "a.toc")


def title(text: str | bytes) -> str | bytes:
    """The value of TITLE as it stands in the file."""
    raw = text if isinstance(text, bytes) else text.encode()
    sheet = parsed(b"CD_TEXT { LANGUAGE 0 { TITLE " + raw + b" } }\n" + TRACK.encode())
    return sheet.texts[0].items[0].value


# -- laws --------------------------------------------------------------------------------------


@given(sheets())
def test_what_is_written_is_read_again(sheet: toc.Sheet) -> None:
    written = build(sheet)
    assert parse(written, "a.toc") == sheet
    assert build(parse(written, "a.toc")) == written


@given(sheets())
def test_comments_and_line_ends_change_nothing(sheet: toc.Sheet) -> None:
    lines = build(sheet).split(b"\n")
    noisy = b" // TRACK {\r\n\t".join(lines)
    assert parse(noisy, "a.toc") == sheet


SAID = """TRACK AUDIO MODE1 RW FILE "a" 0 : # { } , CD_TEXT LANGUAGE LANGUAGE_MAP TITLE NO COPY
START INDEX 1:2:3 // END ZERO SWAP"""
WORDS = st.sampled_from(SAID.split()).map(lambda word: f"{word}\n" if word == "//" else word)


def refusal_of(text: str | bytes) -> FormatError | None:
    try:
        parsed(text)
    except FormatError as error:
        return error
    return None


@given(st.binary() | st.lists(WORDS).map(lambda words: " ".join(words).encode()) | st.text())
@example(b"\xff\xfea")
@example(b"TRACK AUDIO FILE")
@example(b'TRACK AUDIO FILE "\\')
def test_any_text_parses_or_is_refused_by_file(text: bytes | str) -> None:
    refusal = refusal_of(text)
    if refusal is not None:
        assert refusal.file == "a.toc"
        assert refusal.place is not None
        assert refusal.place.startswith("line ")


@given(st.lists(WORDS, min_size=1).map(" ".join))
def test_what_breaks_the_grammar_is_refused_by_line(text: str) -> None:
    refusal = refusal_of(f"{HEAD}{text}\n{TRACK}")
    if refusal is not None:
        assert refusal.place is not None
        assert 1 < int(refusal.place.removeprefix("line ")) <= text.count("\n") + 5


@given(strings())
def test_any_string_comes_back(text: str) -> None:
    assert title(quoted(text)) == text


@given(strings().filter(lambda text: text.isascii() or any(c >= "\udc80" for c in text)))
def test_bytes_are_written_in_ascii_alone(text: str) -> None:
    """What cdrdao before 1.2.5 reads."""
    if all(c.isascii() or "\udc80" <= c <= "\udcff" for c in text):
        assert quoted(text).isascii()
        assert quoted(text).isprintable()


# -- strings -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (r'"plain"', "plain"),
        ('""', ""),
        (r'"a\"b"', 'a"b'),
        (r'"a\\b"', "a\\b"),
        (r'"a\134101"', "a\\101"),
        (r'"A\101B"', "AAB"),
        (r'"caf\351"', "caf\udce9"),
        (r'"a\b"', "a\\b"),  # cdrdao 1.2 writes backslashes so
        (r'"\999"', "\\999"),
        ('"a // b"', "a // b"),
        ('"a\nb"', "a\nb"),
        ('"é"', "é"),
        ('"\u6e7f"', "\u6e7f"),
        (b'"caf\xe9"', "caf\udce9"),  # no UTF-8: bytes
        (b'"\xc3\xa9\xe9"', "\udcc3\udca9\udce9"),  # one byte of it is none: all are bytes
        (b'"\xc3\xa9\\351"', "\udcc3\udca9\udce9"),
    ],
)
def test_strings(written: str | bytes, meant: str) -> None:
    assert title(written) == meant


def test_binary_data() -> None:
    assert title("{ 0, 10,\n255 }") == bytes([0, 10, 255])
    assert title("{}") == b""


# -- tolerance ---------------------------------------------------------------------------------


def test_statements_stand_in_any_order_and_keywords_in_any_case() -> None:
    plain = parsed(
        'CD_ROM_XA\nCATALOG "1"\nFIRST_TRACK_NO 2\nTRACK AUDIO\nCOPY\nISRC "x"\n'
        'FILE "a" SWAP #4 1 0:2:0\nSTART 0:1:0\nINDEX 0:0:5\n'
    )
    odd = parsed(
        '\ufefffirst_track_no 2 catalog "1"\rcd_da cd_rom_xa\ntrack audio\n'
        'audiofile "a" swap #4 1 0:02:00 index 00:00:05 start 0:1:0 no copy isrc "x" copy'
    )
    assert odd == plain


def test_utf_16_is_read() -> None:
    text = f'CD_DA\nCATALOG "é"\n{TRACK}'
    assert parsed(text.encode("utf-16")) == parsed(text)


# -- refusals ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("", 1, "no TRACK"),
        ("CD_DA\n", 2, "no TRACK"),
        ("CD_DA\nTRACK CDG\n", 2, "track mode"),
        ("CD_DA\n\nTITLE", 3, "not 'TITLE'"),
        (f"{TRACK}CATALOG", 3, "not 'CATALOG'"),
        ("TRACK AUDIO\nFILE a.bin 0", 2, "a string in quotes"),
        ('TRACK AUDIO\nFILE "a.bin', 2, "has no end"),
        ('TRACK AUDIO\nFILE "a\\000"', 2, "NUL"),
        (f"{TRACK}INDEX 5", 3, "expected ':'"),
        (f"{TRACK}INDEX 0:60:0", 3, "seconds go to 59"),
        (f"{TRACK}INDEX 0:0:75", 3, "frames to 74"),
        (f"{TRACK}NO TWO_CHANNEL_AUDIO", 3, "NO stands before"),
        (f"{TRACK}SILENCE\nTRACK", 4, "a number"),
        ("TRACK AUDIO\nSILENCE 1234567890123456", 2, "16 digits"),
        ("CD_TEXT { LANGUAGE 8 { } }", 1, "8 is above 7"),
        ("CD_TEXT { LANGUAGE_MAP { 0 : 256 } }", 1, "256 is above 255"),
        ("CD_TEXT { LANGUAGE_MAP { 0 : DE } }", 1, "not 'DE'"),
        ("CD_TEXT {\nLANGUAGE 0 { TITLE 5 } }", 2, "numbers in braces"),
        ("CD_TEXT {\nLANGUAGE 0 { TITLE { 256 } } }", 2, "256 is above 255"),
        ("CD_TEXT {\nLANGUAGE 0 { ENCODING_UTF_8 } }", 2, "ENCODING_UTF_8"),
        ("CD_TEXT {\nLANGUAGE 0 {", 2, "not end of the file"),
        ("FIRST_TRACK_NO 0", 1, "from 1 to 99"),
        ("FIRST_TRACK_NO 100", 1, "100 is above 99"),
        ("TRACK AUDIO\nCD_TEXT { LANGUAGE_MAP { 0 : 9 } }", 2, "before the tracks"),
        ("CD_DA\n;", 2, "stands for nothing"),
        ("a\0b", 1, "NUL"),
        (TRACK + 99 * "INDEX 0:1:0\n", 101, "more than 98 INDEX"),
        (100 * TRACK, 199, "more than 99 tracks"),
        ("TRACK AUDIO\n" + 10_001 * "SILENCE 1\n", 10_002, "more than 10000 parts"),
        ("CD_TEXT { LANGUAGE 0 { RESERVED1 { 1" + 3_072 * ",1" + "} } }", 1, "3072 bytes"),
        ("CD_TEXT { LANGUAGE 0 {" + 1_001 * 'TITLE "" ' + "} }", 1, "more than 1000 items"),
    ],
)
def test_refusals_name_line_and_rule(text: str, line: int, says: str) -> None:
    with pytest.raises(FormatError, match=says) as caught:
        parsed(text)
    assert caught.value.file == "a.toc"
    assert caught.value.place == f"line {line}"


def test_a_file_above_a_mebibyte_is_refused() -> None:
    with pytest.raises(FormatError, match="too many"):
        parsed(b" " * (SHEET_LIMIT + 1))


@pytest.mark.parametrize("text", [SHEET_LIMIT * "\n", (SHEET_LIMIT // 2) * "{ ", '"' * SHEET_LIMIT])
def test_a_file_of_a_mebibyte_is_answered_in_time(text: str) -> None:
    began = time.monotonic()
    with pytest.raises(FormatError):
        parsed(text)
    assert time.monotonic() - began < 10


# -- recognition -------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", sorted(set(MODES) - {"AUDIO"}))
def test_a_sheet_is_known_by_its_content(mode: str) -> None:
    text = f'TRACK {mode}\nDATAFILE "a.bin"\n'.encode()
    assert TocFormat().accepts("a.toc", text) > TocFormat().accepts("a.txt", text) > 60


def test_a_cue_sheet_or_a_binary_toc_is_not_taken_for_one() -> None:
    cue = b'FILE "a.bin" BINARY\n  TRACK 01 AUDIO\n    INDEX 01 00:00:00\n'
    assert TocFormat().accepts("a.cue", cue) == 0
    full_toc = bytes.fromhex("002e0101 0114 00a0 00000000 010000")
    assert TocFormat().accepts("a.toc", full_toc) < 50
