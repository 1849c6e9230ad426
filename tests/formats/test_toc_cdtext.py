"""CD_TEXT sections and `CDText`: what one says the other says."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rawcd.cdtext import (
    CDText,
    Charset,
    RawPack,
    TextBlock,
    TextInterval,
    TextItem,
    TextToc,
    sheet_codec,
)
from rawcd.errors import FormatError, UnsupportedError
from rawcd.fileset import FileTransaction, InputFiles
from rawcd.msf import Msf
from rawcd_formats.toc import TocFormat
from tests.contract.format_contract import folder, plain_disc
from tests.strategies import image_of

if TYPE_CHECKING:
    from pathlib import Path

    from rawcd.image import RegionImage

PLAIN = ("title", "performer", "songwriter", "composer", "arranger", "message")
TRACKS = (1, 2)
"""Of `plain_disc`: 300 sectors each."""


def kept(cdtext: CDText | None, *, folder_: Path) -> tuple[CDText | None, str]:
    """What comes back of a disc's texts, and the file that says them."""
    path = folder_ / "x.toc"
    image = image_of(plain_disc(cdtext=cdtext))
    with FileTransaction(path, replace=True) as files:
        TocFormat().save(image, files, {}, None)
        files.commit()
    return TocFormat().load(InputFiles(path)).disc.cdtext, path.read_bytes().decode()


def read(folder_: Path, text: str | bytes, tracks: str = "") -> RegionImage:
    """An image whose TOC file has this CD_TEXT, and tracks 1 and 2 with `tracks` in the first."""
    raw = text if isinstance(text, bytes) else text.encode()
    sheet = b"CD_DA\nCD_TEXT {\n%s\n}\nTRACK AUDIO\n%s\nSILENCE 0:4:0\nTRACK AUDIO\nSILENCE 0:4:0\n"
    (folder_ / "x.toc").write_bytes(sheet % (raw, tracks.encode()))
    return TocFormat().load(InputFiles(folder_ / "x.toc"))


def block(folder_: Path, text: str | bytes, tracks: str = "") -> TextBlock:
    """The first block of such an image."""
    cdtext = read(folder_, text, tracks).disc.cdtext
    assert cdtext is not None
    return cdtext.blocks[0]


# -- the law -----------------------------------------------------------------------------------


def characters(charset: int) -> st.SearchStrategy[str]:
    if charset == Charset.MS_JIS:
        return st.text("aZ 0\"\\'湿った水熱波私は液体表ソ能ｱ", min_size=1, max_size=12)
    if charset == Charset.ISO_8859_1:
        return st.text([chr(code) for code in range(1, 256)], min_size=1, max_size=12)
    if charset == Charset.ASCII:
        return st.text([chr(code) for code in range(1, 128)], min_size=1, max_size=12)
    raw = [chr(code) for code in range(1, 128)] + [chr(0xDC00 + code) for code in range(128, 256)]
    return st.text(raw, min_size=1, max_size=12)


@st.composite
def blocks(draw: st.DrawFn) -> TextBlock:
    charset = draw(st.sampled_from([*Charset, 5]))
    items: list[TextItem] = []
    for field in draw(st.sets(st.sampled_from(PLAIN), max_size=3)):
        for track in draw(st.sets(st.sampled_from((0, *TRACKS)), min_size=1)):
            text = draw(characters(charset))
            items.append(TextItem(field=field, track=track, text=text))
    ascii_ = characters(Charset.ASCII)
    for field, track in (("disc_id", 0), ("genre", 0), ("upc_ean", 0), ("closed", 1), ("isrc", 2)):
        if draw(st.booleans()):
            items.append(TextItem(field=field, track=track, text=draw(ascii_)))
    reserved = [
        RawPack(pack_type=kind, element=element, payload=draw(st.binary(min_size=12, max_size=12)))
        for kind in draw(st.sets(st.sampled_from((0x8A, 0x8B, 0x8C)), max_size=2))
        for element in draw(st.sets(st.sampled_from((0, *TRACKS))))
    ]
    contents = TextToc.from_lbas((0, 300), 600) if draw(st.booleans()) else None
    interval = TextInterval(track=2, start=Msf(0, 6, 10), end=Msf(0, 8, 0), number=1)
    return TextBlock(
        language=draw(st.integers(0, 255)),
        items=tuple(items),
        charset=charset,
        genre_code=draw(st.integers(0, 0xFFFF)),
        toc=contents,
        intervals=(interval,) if draw(st.booleans()) else (),
        raw=tuple(sorted(reserved, key=lambda pack: (pack.pack_type, pack.element))),
        copyright=draw(st.integers(0, 255)),
        first_track=draw(st.none() | st.just(2)),
        last_track=draw(st.none() | st.just(3)),
    )


@given(st.lists(blocks(), min_size=1, max_size=8).map(tuple))
def test_every_field_of_every_block_comes_back(found: tuple[TextBlock, ...]) -> None:
    cdtext = CDText(blocks=found)
    with folder() as place:
        back, text = kept(cdtext, folder_=place)
    assert back == cdtext
    assert text.isascii()


@given(st.text(max_size=20))
@example("\0")
@example("\ud800")
@example("\udc80")
@example("\u6e7f\udc80")
@example("\u301c")  # code page 932 has it elsewhere; Shift-JIS has it
def test_any_text_is_answered(text: str) -> None:
    """What the character set lacks is asked for before; here it becomes something near."""
    items = (TextItem(field="title", track=1, text=text),)
    for charset in (Charset.ISO_8859_1, Charset.MS_JIS):
        with folder() as place:
            kept(CDText(blocks=(TextBlock(items=items, charset=charset),)), folder_=place)


def test_a_character_that_only_shift_jis_has_is_written_in_unicode(tmp_path: Path) -> None:
    items = (TextItem(field="title", track=0, text="\u301c"),)
    cdtext = CDText(blocks=(TextBlock(items=items, charset=Charset.MS_JIS),))
    back, text = kept(cdtext, folder_=tmp_path)
    assert back == cdtext
    assert "\u301c" in text


@given(st.binary(max_size=60), st.sampled_from(["GENRE", "TOC_INFO1", "TOC_INFO2"]))
@example(bytes([0, 1, 2]), "GENRE")
def test_any_binary_data_is_read(data: bytes, keyword: str) -> None:
    numbers = ", ".join(map(str, data))
    with folder() as place:
        found = block(place, f'LANGUAGE 0 {{ TITLE "x" {keyword} {{ {numbers} }} }}')
        assert found.text("title", 0) == "x"
        if keyword != "GENRE" or data[2:].isascii():  # else no pack of that type can hold it
            assert kept(CDText(blocks=(found,)), folder_=place)[0] == CDText(blocks=(found,))


# -- what is written ---------------------------------------------------------------------------


def test_tracks_without_a_text_have_an_empty_one(tmp_path: Path) -> None:
    """cdrdao would give them the album's."""
    items = (
        TextItem(field="title", track=0, text="Album"),
        TextItem(field="title", track=2, text="Two"),
        TextItem(field="performer", track=0, text="Band"),
    )
    back, text = kept(CDText(blocks=(TextBlock(items=items),)), folder_=tmp_path)
    assert [line.strip() for line in text.split("\n") if "TITLE" in line] == [
        'TITLE "Album"',
        'TITLE ""',
        'TITLE "Two"',
    ]
    assert text.count("PERFORMER") == 1
    assert back is not None
    assert back.blocks == (TextBlock(items=items),)


def test_a_genre_by_its_name_gets_its_code(tmp_path: Path) -> None:
    items = (TextItem(field="genre", track=0, text="Jazz"),)
    back, _ = kept(CDText(blocks=(TextBlock(items=items),)), folder_=tmp_path)
    assert back == CDText(blocks=(TextBlock(items=items, genre_code=14),))


def test_only_double_byte_sets_are_named_as_encoding(tmp_path: Path) -> None:
    items = (TextItem(field="title", track=0, text="x"),)
    for charset in Charset:
        cdtext = CDText(blocks=(TextBlock(items=items, charset=charset),))
        _, text = kept(cdtext, folder_=tmp_path)
        assert ("ENCODING" in text) is (charset >= 0x80)
        assert ("SIZE_INFO" in text) is (charset == Charset.ASCII)


def test_texts_of_no_meaning_are_none(tmp_path: Path) -> None:
    assert kept(CDText(blocks=(TextBlock(),)), folder_=tmp_path)[0] is None
    assert kept(None, folder_=tmp_path)[0] is None


@pytest.mark.parametrize(
    ("found", "says"),
    [
        ({"raw": (RawPack(pack_type=0x88, element=7, payload=bytes(12)),)}, "88h and element 7"),
        ({"raw": (RawPack(pack_type=0x8A, element=7, payload=bytes(12)),)}, "8Ah and element 7"),
        (
            {
                "intervals": (
                    TextInterval(track=1, start=Msf(0, 6, 10), end=Msf(0, 8, 0), number=3),
                )
            },
            "interval 3 of track 1",
        ),
    ],
)
def test_packs_without_a_place_are_refused_by_name(
    tmp_path: Path, found: dict[str, object], says: str
) -> None:
    text = replace(TextBlock(), **found)  # type: ignore[arg-type]  # any field
    with pytest.raises(UnsupportedError, match=says) as caught:
        kept(CDText(blocks=(text,)), folder_=tmp_path)
    assert len(caught.value.lost) == 1


# -- what is read ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("section", "text", "charset"),
    [
        ('TITLE "caf\\351"', "café", Charset.ISO_8859_1),
        ('TITLE "café"', "café", Charset.ISO_8859_1),
        ("TITLE { 99, 233, 0 }", "cé", Charset.ISO_8859_1),
        ('ENCODING_MS_JIS TITLE "\\223\\372\\226\\173"', "日本", Charset.MS_JIS),
        ('ENCODING_MS_JIS TITLE "日本"', "日本", Charset.MS_JIS),
        ('TITLE "日本"', "日本", Charset.MS_JIS),  # no other set has it
        ('SIZE_INFO { 128, 1, 2, 0 } TITLE "\\223\\372"', "日", Charset.MS_JIS),
        ('ENCODING_ASCII TITLE "caf\\351"', "café", Charset.ASCII),
        ('ENCODING_MS_JIS TITLE "\\237\\377"', "\udc9f\udcff", Charset.MS_JIS),
        ('ENCODING_KOREAN TITLE "\\300\\301"', "\udcc0\udcc1", Charset.KOREAN),
    ],
)
def test_character_sets(tmp_path: Path, section: str, text: str, charset: int) -> None:
    found = block(tmp_path, f"LANGUAGE_MAP {{ 0 : EN }} LANGUAGE 0 {{ {section} }}")
    assert found.items == (TextItem(field="title", track=0, text=text),)
    assert found.charset == charset


def test_a_file_in_shift_jis_is_read(tmp_path: Path) -> None:
    codec, _ = sheet_codec(Charset.MS_JIS)
    text = 'LANGUAGE 0 { ENCODING_MS_JIS TITLE "湿った水" }'.encode(codec)
    assert block(tmp_path, text).text("title", 0) == "湿った水"


def test_a_track_s_text_is_in_the_character_set_of_the_album_s_block(tmp_path: Path) -> None:
    own = 'CD_TEXT { LANGUAGE 0 { TITLE "\\223\\372" } }'
    assert block(tmp_path, "LANGUAGE 0 { ENCODING_MS_JIS }", own).text("title", 1) == "日"


def test_upc_ean_and_isrc_are_one_pack_and_the_last_item_counts(tmp_path: Path) -> None:
    own = 'CD_TEXT { LANGUAGE 0 { UPC_EAN "old" ISRC "new" } }'
    found = block(tmp_path, 'LANGUAGE 0 { ISRC "album" CLOSED "c" }', own)
    assert [(item.field, item.track, item.text) for item in found.items] == [
        ("closed", 0, "c"),
        ("upc_ean", 0, "album"),
        ("isrc", 1, "new"),
    ]


def test_a_language_without_a_code_is_noted(tmp_path: Path) -> None:
    image = read(tmp_path, 'LANGUAGE 0 { TITLE "x" } LANGUAGE 2 { TITLE "y" }')
    cdtext = image.disc.cdtext
    assert cdtext is not None
    assert [each.language for each in cdtext.blocks] == [9, 0]
    assert [note.code for note in image.notes] == [
        "cdtext-language",
        "cdtext-block",
        "cdtext-language",
    ]


def test_data_of_unknown_layout_is_kept_as_packs(tmp_path: Path) -> None:
    found = block(tmp_path, "LANGUAGE 0 { TOC_INFO1 { 1, 2, 3 } TOC_INFO2 { 4 } RESERVED2 { 5 } }")
    assert [(pack.pack_type, pack.element, pack.payload[:3]) for pack in found.raw] == [
        (0x88, 0, b"\1\2\3"),
        (0x89, 0, b"\4\0\0"),
        (0x8B, 0, b"\5\0\0"),
    ]
    back, _ = kept(CDText(blocks=(found,)), folder_=tmp_path)
    assert back == CDText(blocks=(found,))


def test_tracks_told_as_they_are_are_left_to_the_disc(tmp_path: Path) -> None:
    same = block(tmp_path, "LANGUAGE 0 { SIZE_INFO { 0, 1, 2, 3 } }")
    assert (same.first_track, same.last_track, same.copyright) == (None, None, 3)
    other = block(tmp_path, "LANGUAGE 0 { SIZE_INFO { 0, 1, 3, 0 } }")
    assert (other.first_track, other.last_track) == (1, 3)


@pytest.mark.parametrize("keyword", ["DISC_ID", "GENRE", "TOC_INFO1", "TOC_INFO2", "SIZE_INFO"])
def test_an_item_of_the_album_alone_is_refused_in_a_track(tmp_path: Path, keyword: str) -> None:
    with pytest.raises(FormatError, match=f"{keyword} is of the album alone") as caught:
        read(tmp_path, "", f'\nCD_TEXT {{ LANGUAGE 0 {{ {keyword} "x" }} }}')
    assert caught.value.place == "line 7"


def test_size_information_that_contradicts_itself_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="line 3: SIZE_INFO: no tracks"):
        read(tmp_path, "LANGUAGE 0 { SIZE_INFO { 0, 5, 3, 0 } }")


def test_the_disc_is_the_one_of_the_law() -> None:
    disc = plain_disc()
    assert [track.number for track in disc.tracks] == list(TRACKS)
    assert [track.end_lba for track in disc.tracks] == [300, 600]
