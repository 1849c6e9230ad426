"""`.cdt` files and Sony input sheets."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rawcd.cdtext import (
    CDText,
    Charset,
    RawPack,
    TextBlock,
    TextInterval,
    TextItem,
    TextToc,
    cdt_of_packs,
    packs_of_cdt,
    sheet_codec,
)
from rawcd.errors import FormatError, UnsupportedError
from rawcd.msf import Msf
from tests.kernel.test_cdtext_packs import blocks, cdtexts


def item(field: str, track: int, text: str) -> TextItem:
    return TextItem(field=field, track=track, text=text)


# -- .cdt ----------------------------------------------------------------------------------------


@given(cdtexts, st.booleans())
def test_a_cdt_file_is_read_back(cdtext: CDText, header: bool) -> None:
    data = cdtext.to_cdt(header=header)
    assert CDText.from_cdt(data) == cdtext
    assert CDText.from_cdt(data + b"\0") == cdtext
    assert packs_of_cdt(data) == cdtext.to_packs()


def test_the_header_is_that_of_read_toc() -> None:
    """MMC: the length counts the two zeros behind it, and not itself. 12 packs are 216 bytes."""
    packs = bytes(range(216))
    assert cdt_of_packs(packs) == packs
    assert cdt_of_packs(packs, header=True) == bytes.fromhex("00da0000") + packs
    assert packs_of_cdt(bytes.fromhex("00d80000") + packs) == packs
    with pytest.raises(ValueError, match="no whole number"):
        cdt_of_packs(b"x")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (bytes(20), "20 bytes are no whole number of packs of 18 bytes"),
        (bytes(18) + b"x", "offset 18: the last byte is 78h, not zero"),
        (b"\0\x15\0\0" + bytes(18), "offset 0: the header announces 21 bytes; there are 20"),
        (b"", "there are no packs"),
    ],
)
def test_other_files_are_refused(data: bytes, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        CDText.from_cdt(data)


@given(st.binary(max_size=80))
def test_any_file_parses_or_raises_one_error(junk: bytes) -> None:
    with suppress(FormatError):
        CDText.from_cdt(junk)


# -- Sony input sheets -----------------------------------------------------------------------------

SHEET = """\
Input Sheet Version = 0.7T
Remarks = a comment = with more
Text Code           = 8859
Language Code       = French
Album Title         =  L'Album
Artist Name=Caf\xe9
Songwriter          = S
Composer            = C
Arranger            =
Album Message       = M = N
Catalog Number      = X-1
Genre Code          = 0x00 0x0e
Genre Information   = quiet
Closed Information  = secret
UPC / EAN           = 1234567890123
Disc Information 01 = for the company
Text Data Copy Protection = ON
First Track Number  = 3
Last Track Number   = 4
Track 03 Title      = Three
Track 03 Artist     = A
Track 03 Songwriter = B
Track 04 Composer   = D
Track 04 Arranger   = E
Track 04 Message    = F
ISRC 03             = USRC17607839

Track 04 0x80 = Four
"""


def test_all_lines_of_a_sheet() -> None:
    wanted = TextBlock(
        language=0x0F,
        items=(
            item("title", 0, "L'Album"),
            item("performer", 0, "Caf\xe9"),
            item("songwriter", 0, "S"),
            item("composer", 0, "C"),
            item("message", 0, "M = N"),
            item("disc_id", 0, "X-1"),
            item("genre", 0, "quiet"),
            item("closed", 0, "secret"),
            item("upc_ean", 0, "1234567890123"),
            item("title", 3, "Three"),
            item("performer", 3, "A"),
            item("songwriter", 3, "B"),
            item("isrc", 3, "USRC17607839"),
            item("title", 4, "Four"),
            item("composer", 4, "D"),
            item("arranger", 4, "E"),
            item("message", 4, "F"),
        ),
        genre_code=14,
        copyright=3,
        first_track=3,
        last_track=4,
    )
    for sheet in (
        SHEET,
        SHEET.encode("latin-1"),
        SHEET.replace("\n", "\r\n").encode("latin-1"),
        b"\xef\xbb\xbf" + SHEET.encode(),
        "\ufeff" + SHEET,
        SHEET.replace("Track", "track").replace("UPC / EAN", "upc/ean"),
    ):
        assert CDText.from_v07t(sheet) == CDText(blocks=(wanted,))


def test_a_sheet_is_written_as_libburn_reads_it() -> None:
    """Names and their order as in libburn's description of the form."""
    cdtext = CDText(
        blocks=(
            TextBlock(
                items=(
                    item("title", 0, "T"),
                    item("upc_ean", 0, "1234567890123"),
                    item("isrc", 1, "USRC17607839"),
                    item("message", 1, "hello"),
                ),
                genre_code=0x17,
                last_track=1,
            ),
            TextBlock(language=0x30, charset=0x42, genre_code=0x1234, copyright=1),
        )
    )
    english, unknown = cdtext.to_v07t()
    assert english.splitlines() == [
        "Input Sheet Version = 0.7T",
        "Text Code           = 8859",
        "Language Code       = English",
        "Album Title         = T",
        "Genre Code          = Rock Music",
        "UPC / EAN           = 1234567890123",
        "Text Data Copy Protection = OFF",
        "Last Track Number   = 1",
        "Track 01 Message    = hello",
        "ISRC 01             = USRC17607839",
    ]
    assert unknown.splitlines()[1:] == [
        "Text Code           = 0x42",
        "Language Code       = 0x30",
        "Genre Code          = 0x1234",
        "Text Data Copy Protection = 0x01",
    ]


def for_a_sheet(block: TextBlock) -> TextBlock:
    """The block without what no sheet can hold."""
    kept = tuple(
        text
        for text in block.items
        if text.text[0] not in " \t" and not set(text.text) & set("\r\n\0")
    )
    return replace(block, items=kept, toc=None, intervals=(), raw=())


@given(st.lists(blocks().map(for_a_sheet), min_size=1, max_size=2))
def test_sheets_are_read_back(its: list[TextBlock]) -> None:
    cdtext = CDText(blocks=tuple(its))
    sheets = cdtext.to_v07t()
    assert CDText.from_v07t(*sheets) == cdtext
    assert CDText.from_v07t("".join(sheets)) == cdtext


@given(blocks().map(for_a_sheet))
def test_sheets_are_read_back_from_bytes(block: TextBlock) -> None:
    """In the sheet's own character set, as its file holds them."""
    if block.charset == Charset.ISO_8859_1:
        (sheet,) = CDText(blocks=(block,)).to_v07t()
        codec, errors = sheet_codec(block.charset)
        assert CDText.from_v07t(sheet.encode(codec, errors)) == CDText(blocks=(block,))


def test_japanese_and_raw_sheets_are_read_back_from_bytes() -> None:
    japanese = "Text Code = MS-JIS\nAlbum Title = \u65e5\u672c\u8a9e = \u8868\n"
    data = japanese.encode("shift_jis") + b"Closed Information = \xe9\n"
    (block,) = CDText.from_v07t(data).blocks
    assert block.charset == Charset.MS_JIS
    assert block.items == (
        item("title", 0, "\u65e5\u672c\u8a9e = \u8868"),
        item("closed", 0, "\xe9"),
    )
    korean = b"Language Code = Korean\nText Code = 0x81\nAlbum Title = \xb0\xa1\n"
    (block,) = CDText.from_v07t(korean).blocks
    assert (block.language, block.charset) == (0x65, Charset.KOREAN)
    assert block.items[0].is_raw
    (sheet,) = CDText(blocks=(block,)).to_v07t()
    assert b"Album Title         = \xb0\xa1\n" in sheet.encode(*sheet_codec(block.charset))


def test_only_the_first_block_is_english_unless_said() -> None:
    """libburn 1.5.4: two sheets without a language give the codes 09 00."""
    cdtext = CDText.from_v07t("Album Title = A\n", "Album Title = B\n")
    assert [block.language for block in cdtext.blocks] == [9, 0]


def test_the_last_of_two_lines_counts_and_an_empty_one_says_nothing() -> None:
    cdtext = CDText.from_v07t("Album Title = A\nAlbum Title = B\nAlbum Title =\nText Code =\n")
    assert cdtext.text("title", 0) == "B"


@pytest.mark.parametrize(
    ("sheet", "message"),
    [
        ("Album Title = x\nno equals", "line 2: no '=' in 'no equals'"),
        ("\n\nAlbum Titel = x", "line 3: unknown name 'Album Titel'"),
        ("Album Titel =", "line 1: unknown name 'Album Titel'"),
        ("= x", "line 1: unknown name ''"),
        ("Track 01 Mood = x", "line 1: unknown name 'Track 01 Mood'"),
        ("Track 00 Title = x", "line 1: tracks are numbered from 1"),
        ("ISRC 00 = x", "line 1: tracks are numbered from 1"),
        ("Input Sheet Version = 0.8", "line 1: version '0.8', not 0.7T"),
        ("Text Code = EBCDIC", "line 1: unknown text code 'EBCDIC'"),
        ("Text Code = 8859\nText Code = ASCII", "line 2: text code 'ASCII' after '8859'"),
        ("Language Code = Klingon", "line 1: unknown language 'Klingon'"),
        ("Genre Code = Polka", "line 1: unknown genre 'Polka'"),
        ("Text Data Copy Protection = MAYBE", "line 1: copy protection 'MAYBE' is neither"),
        ("First Track Number = 0", "line 1: '0' is no track number of 1 to 99"),
        ("Last Track Number = 100", "line 1: '100' is no track number of 1 to 99"),
        ("First Track Number = 4\nLast Track Number = 3\n", "first track 4, last track 3"),
        (
            "Last Track Number = 3\nTrack 04 Title = x\nTrack 01 Title = y",
            "line 2: track 4 is none of the sheet's tracks",
        ),
        (b"Text Code = ASCII\nAlbum Title = \xe9", "line 2: e9 is nothing in ASCII"),
        (b"Text Code = MS-JIS\nAlbum Title = \x81", "line 2: 81 is nothing in MS-JIS"),
        (b"\xef\xbb\xbfAlbum Title = x\nArtist Name = \xe9", "line 2: begins as UTF-8"),
        ("Input Sheet Version = 0.7T\n" * 9, "line 9: one block more than 8"),
    ],
)
def test_a_line_that_says_nothing_known_is_named(sheet: str | bytes, message: str) -> None:
    with pytest.raises(FormatError) as caught:
        CDText.from_v07t(sheet)
    assert message in str(caught.value)
    assert caught.value.place is not None


def test_several_sheets_are_named_by_number() -> None:
    with pytest.raises(FormatError) as caught:
        CDText.from_v07t("Album Title = A", "Album Title = B\nwhat")
    assert caught.value.place == "sheet 2, line 2"
    with pytest.raises(ValueError, match="1 to 8 blocks, not 0"):
        CDText.from_v07t()


LINES = st.sampled_from(SHEET.splitlines()) | st.text(max_size=20)
NAMES = st.sampled_from([line.partition("=")[0] for line in SHEET.splitlines()])


@given(
    st.text(max_size=60)
    | st.binary(max_size=60)
    | st.lists(LINES | st.builds("{}={}".format, NAMES, st.text(max_size=8))).map("\n".join)
    | st.lists(st.builds("{}={}".format, NAMES, st.text(max_size=8)).map(str.encode)).map(
        b"\n".join
    )
)
def test_any_text_parses_or_raises_one_error(junk: str | bytes) -> None:
    with suppress(FormatError):
        cdtext = CDText.from_v07t(junk)
        with suppress(UnsupportedError):
            cdtext.to_packs()
        with suppress(UnsupportedError):
            assert CDText.from_v07t(*cdtext.to_v07t()) == cdtext


def test_what_a_sheet_cannot_hold_is_named() -> None:
    zero = Msf(0, 0, 0)
    items = (
        item("title", 0, " leading"),
        item("title", 1, "two\nlines"),
        item("title", 2, "fine"),
        item("mood", 2, "x"),
    )
    block = TextBlock(
        items=items,
        toc=TextToc(starts=(zero,), lead_out=zero),
        intervals=(TextInterval(track=1, start=zero, end=zero, number=1),),
        raw=(RawPack(pack_type=0x8A, element=0, payload=bytes(12)),),
    )
    cdtext = CDText(blocks=(TextBlock(), block))
    with pytest.raises(UnsupportedError) as caught:
        cdtext.to_v07t()
    assert str(caught.value).startswith("a Sony input sheet cannot hold the table of contents")
    assert caught.value.lost == (
        "the table of contents (type 88h) in block 1",
        "the second table of contents (type 89h) in block 1",
        "packs of type 8Ah in block 1",
        "title of the album in block 1",
        "title of track 1 in block 1",
        "mood of track 2 in block 1",
    )
    kept = CDText.from_v07t(*cdtext.to_v07t(allow_loss=True)).blocks[1]
    assert kept.items == (item("title", 2, "fine"),)


def test_any_bytes_make_a_sheet() -> None:
    sheet = b"Input Sheet Version = 0.7T\nAlbum Title = x\n"
    for buffer in (bytearray(sheet), memoryview(sheet)):
        assert CDText.from_v07t(buffer) == CDText.from_v07t(sheet)
    with pytest.raises(TypeError):
        CDText.from_v07t(None)  # type: ignore[arg-type]  # that is the point
