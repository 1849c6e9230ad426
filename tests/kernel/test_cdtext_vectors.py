"""CD-TEXT packs against other programs' packs, byte for byte.

Where no other source is named the packs are those of `vectors.json`. "libburn 1.5.4" packs were
recorded from the Debian library: `burn_session_input_sheet_v07t` on the sheet that is shown, and
`burn_cdtext_from_session`.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest

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
    lead_in_symbols,
    packs_of_symbols,
    read_packs,
)
from rawcd.msf import Msf

LIBBURN = TEXT_STYLES["libburn"]
CDRDAO = TEXT_STYLES["cdrdao"]
WIDE_ABC = "\uff21\uff22\uff23"


def item(field: str, track: int, text: str) -> TextItem:
    return TextItem(field=field, track=track, text=text)


def rows(packs: bytes) -> list[str]:
    return [packs[place : place + 18].hex() for place in range(0, len(packs), 18)]


def packed(*lines: str) -> bytes:
    return bytes.fromhex("".join(lines))


@pytest.mark.parametrize("which", [0, 1])
def test_libburn_makes_the_same_packs_of_a_sheet(vectors: dict[str, Any], which: int) -> None:
    vector = vectors["cdtext"][which]
    cdtext = CDText.from_v07t(*vector["v07t_sheets_latin1"])
    packs = cdtext.to_packs(style=LIBBURN)
    assert rows(packs) == vector["packs"]
    assert sha256(packs).hexdigest() == vector["packs_sha256"]
    assert CDText.from_packs(packs) == cdtext
    first_sector = lead_in_symbols(packs)[:96]
    assert first_sector.hex() == vector["leadin_rw_first_sector_symbols"]


def cdrdao_disc() -> CDText:
    """The CD_TEXT blocks of the stream's TOC file."""
    english = (
        item("title", 0, "Raw Light"),
        item("performer", 0, "The Sector Band"),
        item("disc_id", 0, "RWCD-0001"),
        item("genre", 0, "Test tones"),
        item("upc_ean", 0, "1234567890123"),
        item("title", 1, "First Frame"),
        item("performer", 1, "The Sector Band"),
        item("isrc", 1, "USABC2500017"),
        item("title", 2, "A considerably longer second title, past thirty-six"),
        item("performer", 2, "The Sector Band"),
        item("isrc", 2, "USABC2500018"),
    )
    german = (
        item("title", 0, "Rohes Licht"),
        item("performer", 0, "Die Sektorband"),
        item("title", 1, "Erstes Bild"),
        item("performer", 1, "Die Sektorband"),
        item("title", 2, "Zweites"),
    )
    return CDText(
        blocks=(
            TextBlock(items=english, genre_code=23),
            TextBlock(language=8, items=german, genre_code=23),
        )
    )


def test_cdrdao_makes_the_same_packs(vectors: dict[str, Any]) -> None:
    """Its second German track has no performer and gets the album's: `missing_tracks`."""
    stream = vectors["raw_dao_streams"][1]
    packs = cdrdao_disc().to_packs(style=CDRDAO)
    assert rows(packs) == stream["cdtext_packs"]
    assert read_packs(packs).defects == ()
    # The other styles differ in what they say they do, and in nothing else.
    standard = cdrdao_disc().to_packs()
    assert standard != packs
    assert CDText.from_packs(standard).blocks[1].text("performer", 2) is None
    assert CDText.from_packs(packs).blocks[1].text("performer", 2) == "Die Sektorband"


def test_cdrdao_sends_the_same_symbols(vectors: dict[str, Any]) -> None:
    stream = vectors["raw_dao_streams"][1]
    symbols = lead_in_symbols(packed(*stream["cdtext_packs"]))
    assert len(symbols) == len(stream["cdtext_packs"]) // 4 * 96
    for sector, name in enumerate(("leadin_first_sector_sub96", "leadin_second_sector_sub96")):
        recorded = bytes(byte & 0x3F for byte in bytes.fromhex(stream[name]))
        assert symbols[sector * 96 :][:96] == recorded
    recorded = bytes.fromhex(
        stream["leadin_first_sector_sub96"] + stream["leadin_second_sector_sub96"]
    )
    assert rows(packs_of_symbols(recorded).packs) == stream["cdtext_packs"][:8]


def test_positions_of_13_and_14_occur(vectors: dict[str, Any]) -> None:
    """libburn's document has 15 for any text from before the previous pack; its packs have not."""
    positions = {int(pack[6:8], 16) & 15 for pack in vectors["cdtext"][0]["packs"]}
    assert 14 in positions
    assert max(positions) == 15


def test_a_sheet_of_which_two_burners_make_the_same() -> None:
    """formats.md 10.1: the same packs from wodim and cdrskin."""
    packs = packed(
        "80 00 00 00 41 6c 62 75 6d 00 4f 6e 65 00 54 77 f6 70",
        "80 02 01 02 6f 00 54 68 72 65 65 00 00 00 00 00 98 9e",
        "81 00 02 00 42 61 6e 64 00 50 31 00 00 00 00 00 d2 b6",
        "82 00 03 00 00 53 31 00 00 00 00 00 00 00 00 00 91 88",
        "8e 00 04 00 34 30 30 36 33 38 31 33 33 33 39 33 2d 03",
        "8e 00 05 0c 31 00 55 53 52 43 31 37 36 30 37 38 54 af",
        "8e 01 06 0a 33 39 00 55 53 52 43 31 37 36 30 37 62 79",
        "8e 02 07 09 38 34 30 00 00 00 00 00 00 00 00 00 14 95",
        "8f 00 08 00 00 01 03 00 02 01 01 00 00 00 00 00 7e 1e",
        "8f 01 09 00 00 00 00 00 00 00 04 03 0a 00 00 00 30 ba",
        "8f 02 0a 00 00 00 00 00 09 00 00 00 00 00 00 00 87 ed",
    )
    items = (
        item("title", 0, "Album"),
        item("performer", 0, "Band"),
        item("upc_ean", 0, "4006381333931"),
        item("title", 1, "One"),
        item("performer", 1, "P1"),
        item("songwriter", 1, "S1"),
        item("isrc", 1, "USRC17607839"),
        item("title", 2, "Two"),
        item("isrc", 2, "USRC17607840"),
        item("title", 3, "Three"),
    )
    cdtext = CDText(blocks=(TextBlock(items=items, first_track=1, last_track=3),))
    assert cdtext.to_packs(style=LIBBURN) == packs
    assert cdtext.to_packs() == packs
    assert CDText.from_packs(packs) == cdtext


def test_two_languages() -> None:
    """formats.md 10.1: cdrskin, two sheets."""
    packs = packed(
        "80 00 00 00 41 6c 62 75 6d 00 4f 6e 65 00 54 77 f6 70",
        "80 02 01 02 6f 00 00 00 00 00 00 00 00 00 00 00 eb f3",
        "81 00 02 00 42 61 6e 64 00 00 00 00 00 00 00 00 52 0d",
        "8f 00 03 00 00 01 02 00 02 01 00 00 00 00 00 00 32 33",
        "8f 01 04 00 00 00 00 00 00 00 00 03 05 05 00 00 64 aa",
        "8f 02 05 00 00 00 00 00 09 08 00 00 00 00 00 00 8f 2d",
        "80 00 00 10 41 6c 62 75 6d 00 45 69 6e 73 00 5a a9 e1",
        "80 02 01 11 77 65 69 00 00 00 00 00 00 00 00 00 17 a2",
        "81 00 02 10 42 61 6e 64 00 00 00 00 00 00 00 00 44 b9",
        "8f 00 03 10 00 01 02 00 02 01 00 00 00 00 00 00 24 87",
        "8f 01 04 10 00 00 00 00 00 00 00 03 05 05 00 00 72 1e",
        "8f 02 05 10 00 00 00 00 09 08 00 00 00 00 00 00 99 99",
    )
    sheet = "Language Code={}\nAlbum Title=Album\nArtist Name=Band\n" + "".join(
        f"Track 0{number} Title = {{}}\n" for number in (1, 2)
    )
    cdtext = CDText.from_v07t(
        sheet.format("English", "One", "Two"), sheet.format("German", "Eins", "Zwei")
    )
    assert cdtext.to_packs() == packs


def test_the_album_alone_gives_every_track_an_empty_entry() -> None:
    """libburn 1.5.4 with 20 tracks; formats.md calls it not needed, which 12 bytes cannot show.

    cdrdao 1.2.5 (`CdTextEncoder::buildPacks`) writes no entries for tracks then.
    """
    packs = packed(
        "86 00 00 00 78 00 00 00 00 00 00 00 00 00 00 00 a8 2d",
        "87 00 01 00 00 0e 78 00 00 00 00 00 00 00 00 00 22 c0",
        "8d 00 02 00 63 00 00 00 00 00 00 00 00 00 00 00 8e 40",
        "8e 00 03 00 31 00 00 00 00 00 00 00 00 00 00 00 f1 96",
        "8e 0b 04 00 00 00 00 00 00 00 00 00 00 00 00 00 1f 75",
        "8f 00 05 00 00 01 14 00 00 00 00 00 00 00 01 01 ca aa",
        "8f 01 06 00 00 00 00 00 00 01 02 03 07 00 00 00 a7 d1",
        "8f 02 07 00 00 00 00 00 09 00 00 00 00 00 00 00 ea 42",
    )
    items = (
        item("disc_id", 0, "x"),
        item("genre", 0, "x"),
        item("closed", 0, "c"),
        item("upc_ean", 0, "1"),
    )
    cdtext = CDText(blocks=(TextBlock(items=items, genre_code=14),))
    assert cdtext.to_packs(style=LIBBURN, last_track=20) == packs
    alone = cdtext.to_packs(style=TextStyle(album_alone=True), last_track=20)
    assert rows(alone)[:4] == rows(packs)[:4]
    assert len(rows(alone)) == len(rows(packs)) - 1


def test_long_genre_and_closed_texts() -> None:
    """libburn 1.5.4: a genre's position does not count the two bytes of its code."""
    text = "abcdefghij" * 4
    packs = packed(
        "80 00 00 00 41 00 00 00 00 00 00 00 00 00 00 00 29 bb",
        "87 00 01 00 00 0e 61 62 63 64 65 66 67 68 69 6a 14 20",
        "87 00 02 0a 61 62 63 64 65 66 67 68 69 6a 61 62 51 b5",
        "87 00 03 0f 63 64 65 66 67 68 69 6a 61 62 63 64 7b 14",
        "87 00 04 0f 65 66 67 68 69 6a 00 00 00 00 00 00 13 2e",
        "8d 00 05 00 61 62 63 64 65 66 67 68 69 6a 61 62 f1 c3",
        "8d 00 06 0c 63 64 65 66 67 68 69 6a 61 62 63 64 63 99",
        "8d 00 07 0f 65 66 67 68 69 6a 61 62 63 64 65 66 f5 9c",
        "8d 00 08 0f 67 68 69 6a 00 00 00 00 00 00 00 00 6a ea",
        "8f 00 09 00 00 01 01 00 01 00 00 00 00 00 00 04 ae c5",
        "8f 01 0a 00 00 00 00 00 00 04 00 03 0b 00 00 00 0c ca",
        "8f 02 0b 00 00 00 00 00 09 00 00 00 00 00 00 00 fc 8c",
    )
    items = (item("title", 0, "A"), item("genre", 0, text), item("closed", 0, text))
    assert CDText(blocks=(TextBlock(items=items, genre_code=14),)).to_packs() == packs


def test_tracks_from_five_on() -> None:
    """libburn 1.5.4, First Track Number = 5."""
    packs = packed(
        "80 00 00 00 41 42 43 00 78 78 78 78 78 78 78 78 28 17",
        "80 05 01 08 78 78 78 78 78 78 78 78 00 79 79 79 d6 98",
        "80 06 02 03 79 79 79 79 79 79 79 79 79 79 79 79 82 fa",
        "80 06 03 0f 79 79 79 79 79 79 00 7a 7a 00 00 00 94 fa",
        "8f 00 04 00 00 05 07 00 04 00 00 00 00 00 00 00 e9 a8",
        "8f 01 05 00 00 00 00 00 00 00 00 03 06 00 00 00 6f e7",
        "8f 02 06 00 00 00 00 00 09 00 00 00 00 00 00 00 91 23",
    )
    sheet = (
        "First Track Number=5\nLast Track Number=7\nAlbum Title=ABC\n"
        f"Track 05 Title={'x' * 16}\nTrack 06 Title={'y' * 21}\nTrack 07 Title=zz\n"
    )
    cdtext = CDText.from_v07t(sheet)
    assert cdtext.to_packs(style=LIBBURN) == packs
    assert CDText.from_packs(packs) == cdtext


def test_a_text_that_fills_a_pack_has_its_end_in_the_next() -> None:
    """libburn 1.5.4: twelve characters, then the terminator at position 12."""
    items = (
        item("title", 0, "ABCDEFGHIJKL"),
        item("title", 1, "x"),
        item("title", 2, "x"),
    )
    packs = packed(
        "80 00 00 00 41 42 43 44 45 46 47 48 49 4a 4b 4c a1 74",
        "80 00 01 0c 00 78 00 09 00 00 00 00 00 00 00 00 59 d8",
        "8f 00 02 00 00 01 02 00 02 00 00 00 00 00 00 00 f1 33",
        "8f 01 03 00 00 00 00 00 00 00 00 03 04 00 00 00 89 e8",
        "8f 02 04 00 00 00 00 00 09 00 00 00 00 00 00 00 67 e1",
    )
    assert CDText(blocks=(TextBlock(items=items),)).to_packs(style=LIBBURN) == packs


def test_double_byte_positions_count_characters() -> None:
    """libburn 1.5.4, Text Code 0x80: six characters a pack; types 86h on stay single byte."""
    items = (
        item("title", 0, "日本語の題名です"),
        item("disc_id", 0, "X1"),
        item("closed", 0, "cl"),
        item("title", 1, WIDE_ABC),
    )
    block = TextBlock(language=0x69, charset=Charset.MS_JIS, items=items)
    packs = CDText(blocks=(block,)).to_packs(last_track=3)
    assert rows(packs)[:2] == [
        "8000008093fa967b8cea82cc91e896bccbf1",
        "8000018682c582b700008260826182627512",
    ]
    third = "800102830000000000000000000000000000"  # three characters of track 1 came before
    assert rows(packs)[2][:32] == third[:32]
    assert [row[6:8] for row in rows(packs)[3:]] == ["00"] * 5


def test_libburns_single_byte_ends_of_double_byte_tracks_are_read() -> None:
    """A defect of libburn 1.5.4, not copied.

    Its sheet reader flags the texts of tracks as single byte whatever the Text Code is: they
    end in one zero and are repeated by one TAB, where the album's ends in two. libcdio and the
    description have two of each. What was read is right, and the flag is reported.
    """
    packs = packed(
        "80 00 00 80 93 fa 96 7b 8c ea 82 cc 91 e8 96 bc cb f1",
        "80 00 01 86 82 c5 82 b7 00 00 82 60 82 61 82 62 75 12",
        "80 01 02 06 00 09 00 00 00 00 00 00 00 00 00 00 5a 1c",
        "86 00 03 00 58 31 00 00 00 00 00 00 00 00 00 00 6c 20",
        "87 00 04 00 00 14 61 62 63 00 00 00 00 00 00 00 39 13",
        "8d 00 05 00 63 6c 00 00 00 00 00 00 00 00 00 00 e3 20",
        "8e 00 06 00 31 32 33 00 55 53 52 43 31 37 36 30 02 5b",
        "8e 01 07 08 37 38 33 39 00 00 00 00 00 00 00 00 d5 e8",
        "8f 00 08 00 80 01 03 00 03 00 00 00 00 00 01 01 4d bd",
        "8f 01 09 00 00 00 00 00 00 01 02 03 0a 00 00 00 05 3a",
        "8f 02 0a 00 00 00 00 00 69 00 00 00 00 00 00 00 0a 55",
    )
    reading = read_packs(packs)
    assert reading.cdtext is not None
    assert [reading.cdtext.text("title", track) for track in (0, 1, 2, 3)] == [
        "日本語の題名です",
        WIDE_ABC,
        WIDE_ABC,
        None,
    ]
    assert {defect.code for defect in reading.defects} == {"double-byte"}
    assert reading.cdtext.text("isrc", 1) == "USRC17607839"


def test_sonys_table_of_contents() -> None:
    """Packs of Sony's example, printed in libburn's description (doc/cdtext.txt)."""
    toc = read_packs(
        packed("88 00 23 00 01 0e 00 3f 02 12 00 00 00 00 00 00 12 00".replace(" ", ""))
    )
    assert toc.crc_ok == (True,)
    starts = ["00:02:00", "04:11:25", "08:02:50", "11:47:62", *["20:00:00"] * 8]
    starts += ["53:24:25", "57:03:25"]
    value = TextToc(starts=tuple(map(Msf.parse, starts)), lead_out=Msf.parse("63:02:18"))
    made = rows(CDText(blocks=(TextBlock(toc=value),)).to_packs(last_track=14))
    assert made[0][8:32] == "010e003f0212000000000000"
    assert made[1][:4] == "8801"
    assert made[1][8:32] == "0002 00040b1908 02320b2f3e".replace(" ", "")
    assert made[4][:4] == "880d"
    assert made[4][8:32] == "351819390319000000000000"


def test_sonys_second_table_of_contents() -> None:
    """From the same example; with their neighbours' sequence numbers the CRCs are right."""
    lines = (
        "89 01 28 00 01 04 00 00 00 00 02 29 30 02 34 3a f3 0c",
        "89 06 29 00 02 04 00 00 00 00 17 0e 19 17 1d 3c 73 92",
        "89 07 2a 00 03 04 00 00 00 00 1c 1e 27 1c 2a 1e 72 20",
        "89 0d 2b 00 04 04 00 00 00 00 37 0d 1a 37 1f 32 0b 62",
    )
    reading = read_packs(packed(*lines))
    assert all(reading.crc_ok)
    assert reading.cdtext is not None
    (block,) = reading.cdtext.blocks
    assert block.intervals == tuple(
        TextInterval(track=track, start=Msf.parse(start), end=Msf.parse(end), number=number)
        for number, (track, start, end) in enumerate(
            [
                (1, "02:41:48", "02:52:58"),
                (6, "23:14:25", "23:29:60"),
                (7, "28:30:39", "28:42:30"),
                (13, "55:13:26", "55:31:50"),
            ],
            start=1,
        )
    )
    made = rows(CDText(blocks=(block,)).to_packs())
    wanted = [line.replace(" ", "") for line in lines]
    assert [row[:4] + row[6:32] for row in made[:4]] == [row[:4] + row[6:32] for row in wanted]


def test_reserved_types_come_out_as_they_went_in() -> None:
    raw = (RawPack(pack_type=0x8B, element=3, payload=bytes(range(12))),)
    packs = CDText(blocks=(TextBlock(raw=raw),)).to_packs()
    assert rows(packs)[0].startswith("8b030000000102030405060708090a0b")
    assert CDText.from_packs(packs).blocks[0].raw == raw


@pytest.mark.parametrize(("crc", "ending"), [("plain", "1ddd"), ("zero", "0000")])
def test_other_checks(crc: Any, ending: str) -> None:
    """`e222` is the inverted CRC of the first pack in redbook.md 4.5; ~e222 is 1ddd."""
    items = (item("title", 0, "TestDiskTitle"), item("title", 1, "TestTrackTitle1"))
    packs = CDText(blocks=(TextBlock(items=items),)).to_packs(style=TextStyle(crc=crc))
    assert rows(packs)[0] == "80000000546573744469736b5469746c" + ending
    assert not any(read_packs(packs).crc_ok)
    reading = read_packs(packs, check_crc=False)
    assert reading.cdtext is not None
    assert reading.cdtext.blocks[0].items == items
    assert reading.defects == ()
