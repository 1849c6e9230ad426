"""An image as BIN/CUE."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rawcd.cdtext import CDText, TextBlock, TextItem
from rawcd.disc import CopySetting, Disc, DiscType, Index, Session, Track, TrackMode
from rawcd.errors import StorageError, UnsupportedError
from rawcd.features import Feature
from rawcd.image import ImageType, main_sectors
from rawcd.plugins import open_image, save_image
from rawcd.rules import rule_breaks
from rawcd_formats.cue import CueFormat
from rawcd_formats.cue.commands import File, IndexAt, Pregap, TrackStart, parse
from tests.contract.format_contract import (
    FormatContract,
    folder,
    image_with,
    plain_disc,
)
from tests.formats.cue_sheets import silent_between
from tests.strategies import discs, image_of, images

if TYPE_CHECKING:
    from pathlib import Path

    from rawcd.image import RegionImage


class TestContract(FormatContract):
    name = "cue"
    examples = 40

    def image_with(self, feature: Feature) -> RegionImage:
        image = super().image_with(feature)
        return silent_between(image) if feature is Feature.SESSIONS else image


def disc_of(*tracks: Track, **more: object) -> Disc:
    session = Session(tracks=tracks, lead_out_lba=tracks[-1].end_lba)
    return Disc(sessions=(session,), **more)  # type: ignore[arg-type]  # any field


def first(start: int, end: int) -> Track:
    return Track(
        number=1, indexes=(Index(number=0, lba=-150), Index(number=1, lba=start)), end_lba=end
    )


def sheet_and_bin(image: RegionImage, place: Path) -> tuple[str, bytes]:
    save_image(image, place / "x.cue")
    assert sorted(path.name for path in place.iterdir()) == ["x.bin", "x.cue"]
    return (place / "x.cue").read_bytes().decode(), (place / "x.bin").read_bytes()


# -- laws --------------------------------------------------------------------------------------


@given(discs(max_tracks=99))
def test_the_discs_of_these_tests_may_be_authored(disc: Disc) -> None:
    assert rule_breaks(disc) == ()


@given(images(discs(max_tracks=3)))
def test_what_is_written_is_what_every_reader_takes(image: RegionImage) -> None:
    """One BIN from LBA 0 to the lead-out; INDEX times are LBAs; no PREGAP."""
    disc = image.disc
    with folder() as place:
        text, data = sheet_and_bin(image, place)
    lead_out = disc.sessions[0].lead_out_lba
    assert data == main_sectors(image, 0, lead_out).tobytes()
    lines = text.split("\r\n")
    assert lines.pop() == ""
    assert not any("\n" in line or "\r" in line for line in lines)
    commands = parse(text.encode(), "x.cue")
    assert [command for command in commands if isinstance(command, Pregap)] == []
    (file,) = (command for command in commands if isinstance(command, File))
    assert (file.name, file.kind) == ("x.bin", "BINARY")
    found: dict[int, list[tuple[int, int]]] = {}
    for command in commands:
        if isinstance(command, TrackStart):
            found[command.number] = []
        if isinstance(command, IndexAt):
            found[max(found)].append((command.number, command.frames))
    for track in disc.tracks:
        expected = [(index.number, max(index.lba, 0)) for index in track.indexes]
        if track.number == disc.tracks[0].number and track.start_lba == 0:
            del expected[0]
        assert found[track.number] == expected


@given(st.text(max_size=30), st.sampled_from(["title", "performer", "songwriter"]))
@example("line\n", "title")
@example("\rline", "title")
@example("a\0b", "title")
@example("\ud800", "title")
@example("\x85\u2028\x1a", "title")
@example('"', "performer")
@example(" ", "songwriter")
def test_any_title_comes_back_or_is_refused(text: str, field: str) -> None:
    items = (TextItem(field=field, track=1, text=text),)
    disc = plain_disc(cdtext=CDText(blocks=(TextBlock(items=items),)))
    with folder() as place:
        try:
            save_image(image_of(disc), place / "x.cue")
        except UnsupportedError:
            assert any(character in text for character in "\r\n\0") or not text.isprintable()
            assert not list(place.iterdir())
            return
        kept = open_image(place / "x.cue").disc.cdtext
        assert (kept.text(field, 1) if kept else "") == text


# -- the sheet ---------------------------------------------------------------------------------


def test_a_whole_sheet(tmp_path: Path) -> None:
    """Written by hand: the commands that every reader of sheets understands, in their order."""
    items = (
        TextItem(field="title", track=0, text="Album"),
        TextItem(field="performer", track=0, text="Band"),
        TextItem(field="title", track=8, text='The "second"'),
    )
    disc = Disc(
        sessions=(
            Session(
                tracks=(
                    Track(
                        number=7,
                        indexes=(Index(number=0, lba=-150), Index(number=1, lba=0)),
                        end_lba=4_500,
                        copy=CopySetting.PERMITTED,
                        pre_emphasis=True,
                        isrc="XXRCD2600001",
                    ),
                    Track(
                        number=8,
                        indexes=(
                            Index(number=0, lba=4_500),
                            Index(number=1, lba=4_650),
                            Index(number=2, lba=4_724),
                        ),
                        end_lba=5_000,
                        copy=CopySetting.SCMS,
                        four_channel=True,
                    ),
                ),
                lead_out_lba=5_000,
            ),
        ),
        mcn="2000000001234",
        cdtext=CDText(blocks=(TextBlock(items=items),)),
    )
    text, data = sheet_and_bin(image_of(disc), tmp_path)
    assert text == (
        "CATALOG 2000000001234\r\n"
        'TITLE "Album"\r\n'
        'PERFORMER "Band"\r\n'
        'FILE "x.bin" BINARY\r\n'
        "  TRACK 07 AUDIO\r\n"
        "    FLAGS DCP PRE\r\n"
        "    ISRC XXRCD2600001\r\n"
        "    INDEX 01 00:00:00\r\n"
        "  TRACK 08 AUDIO\r\n"
        '    TITLE "The "second""\r\n'
        "    FLAGS 4CH SCMS\r\n"
        "    INDEX 00 01:00:00\r\n"
        "    INDEX 01 01:02:00\r\n"
        "    INDEX 02 01:02:74\r\n"
    )
    assert len(data) == 5_000 * 2352


def test_track_1_gets_index_00_only_when_it_starts_past_0(tmp_path: Path) -> None:
    text, _ = sheet_and_bin(image_of(disc_of(first(225, 600))), tmp_path)
    assert "    INDEX 00 00:00:00\r\n    INDEX 01 00:03:00\r\n" in text


@pytest.mark.parametrize(
    ("mode", "disc_type", "word"),
    [
        (TrackMode.MODE1, DiscType.CDDA_CDROM, "MODE1/2352"),
        (TrackMode.MODE2, DiscType.XA, "MODE2/2352"),
        (TrackMode.MODE2, DiscType.CDI, "CDI/2352"),
    ],
)
def test_data_tracks(tmp_path: Path, mode: TrackMode, disc_type: DiscType, word: str) -> None:
    image = image_with(Feature.DATA_TRACKS)
    session = image.disc.sessions[0]
    tracks = (replace(session.tracks[0], mode=mode), session.tracks[1])
    disc = replace(image.disc, sessions=(replace(session, tracks=tracks, disc_type=disc_type),))
    image = replace(image, disc=disc)
    text, data = sheet_and_bin(image, tmp_path)
    assert f"  TRACK 01 {word}\r\n" in text
    assert data == main_sectors(image, 0, 600).tobytes()  # as files keep it: unscrambled
    assert open_image(tmp_path / "x.cue").disc == disc


def test_sound_before_lba_0_is_refused_unless_it_is_silence(tmp_path: Path) -> None:
    disc = plain_disc()
    save_image(image_of(disc, from_lba=0), tmp_path / "a.cue")
    with pytest.raises(UnsupportedError, match=r"sound before LBA 0 \(at LBA -150\)"):
        save_image(image_of(disc, from_lba=-150), tmp_path / "b.cue")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.bin", "a.cue"]


def test_a_raw_image_of_another_writer_loses_its_subcode_by_name(tmp_path: Path) -> None:
    image = image_of(plain_disc())
    save_image(image, tmp_path / "plain.raw")
    save_image(open_image(tmp_path / "plain.raw"), tmp_path / "a.cue")  # as rawcd makes it
    save_image(image.with_style("cdrdao"), tmp_path / "other.raw")
    with pytest.raises(UnsupportedError, match="recorded P and Q subcode") as caught:
        save_image(open_image(tmp_path / "other.raw"), tmp_path / "b.cue")
    assert [name.split(",")[0] for name in caught.value.lost] == [
        "recorded P and Q subcode of the lead-in",
        "recorded P and Q subcode of the first pregap",
    ]


def test_the_kind_of_subcode_is_nothing_to_a_sheet(tmp_path: Path) -> None:
    image = image_of(plain_disc())
    for kind in ImageType:
        (tmp_path / kind.name).mkdir()
        save_image(image.as_kind(kind), tmp_path / kind.name / "x.cue")
    assert len({path.read_bytes() for path in tmp_path.glob("*/x.bin")}) == 1
    assert len({path.read_bytes() for path in tmp_path.glob("*/x.cue")}) == 1


# -- texts that a line of the sheet, or packs beside it, cannot hold ---------------------------


def _with_texts(title: str, closed: str | None = None) -> RegionImage:
    items = [TextItem(field="title", track=0, text=title)]
    if closed is not None:  # it has no command of a sheet
        items.append(TextItem(field="closed", track=0, text=closed))
    return image_of(plain_disc(cdtext=CDText(blocks=(TextBlock(items=tuple(items)),))))


@pytest.mark.parametrize(
    ("text", "read"),
    [("two\nlines", "two\nlines"), ("two\r\nlines", "two\r\nlines"), ("\udc8f", "\x8f")],
)
def test_a_text_that_no_line_can_hold_goes_into_packs(tmp_path: Path, text: str, read: str) -> None:
    assert not save_image(_with_texts(text), tmp_path / "x.cue").losses
    assert "TITLE" not in (tmp_path / "x.cue").read_text()
    told = open_image(tmp_path / "x.cue").disc.cdtext
    assert told is not None
    assert told.text("title", 0) == read


@pytest.mark.parametrize("text", ["\u3042", "a\0b", "\t"])
def test_a_text_that_packs_cannot_hold_is_named_and_goes_where_it_may(
    tmp_path: Path, text: str
) -> None:
    image = _with_texts(text, "sealed")
    with pytest.raises(UnsupportedError, match="title of the album"):
        save_image(image, tmp_path / "x.cue")
    assert not list(tmp_path.iterdir())
    result = save_image(image, tmp_path / "x.cue", allow_loss=True)
    assert ["title of the album" in str(loss) for loss in result.losses] == [True]
    told = open_image(tmp_path / "x.cue").disc.cdtext
    assert told is not None
    assert told.text("closed", 0) == "sealed"


# -- options -----------------------------------------------------------------------------------


def test_options_may_be_numbers_and_truth_values(tmp_path: Path) -> None:
    image = image_of(plain_disc())
    options = {"split": True, "sector-size": 2352, "jobs": 1}
    save_image(image, tmp_path / "x.cue", options=options)
    assert len(list(tmp_path.glob("*.bin"))) == 2
    save_image(image, tmp_path / "y.cue", options={"split": False})
    assert (tmp_path / "y.bin").is_file()
    with pytest.raises(TypeError, match="the option split is a text or a number, not None"):
        save_image(image, tmp_path / "z.cue", options={"split": None})  # type: ignore[dict-item]  # misuse


# -- names -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a b.cue", "\u3042.cue", "a.b.cue", 'say "x".cue', "x.CUE"])
def test_the_bin_has_the_sheets_name(tmp_path: Path, name: str) -> None:
    with suppress(StorageError):  # not every system has every name
        save_image(image_of(plain_disc()), tmp_path / name)
        opened = open_image(tmp_path / name)
        assert np.array_equal(
            main_sectors(opened, 0, 600), main_sectors(image_of(plain_disc()), 0, 600)
        )
        assert opened.notes == ()


def test_a_sheet_cannot_have_the_name_of_its_bin(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedError, match=r"x\.bin"):
        save_image(image_of(plain_disc()), tmp_path / "x.bin", format="cue")
    assert not list(tmp_path.iterdir())


def test_a_name_with_a_line_break_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedError, match="line break"):
        save_image(image_of(plain_disc()), tmp_path / "a\nb.cue")
    assert not list(tmp_path.iterdir())


def test_neither_file_is_replaced_unless_it_may_be(tmp_path: Path) -> None:
    (tmp_path / "x.bin").write_bytes(b"old")
    with pytest.raises(StorageError, match=r"x\.bin: exists already"):
        save_image(image_of(plain_disc()), tmp_path / "x.cue")
    assert [path.name for path in tmp_path.iterdir()] == ["x.bin"]
    save_image(image_of(plain_disc()), tmp_path / "x.cue", replace=True)
    assert (tmp_path / "x.bin").stat().st_size == 600 * 2352


def test_a_sheet_is_not_written_over_its_own_input(tmp_path: Path) -> None:
    save_image(image_of(plain_disc()), tmp_path / "x.cue")
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(StorageError, match="is one of the inputs"):
        save_image(open_image(tmp_path / "x.cue"), tmp_path / "x.cue", replace=True)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


# -- recognition -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "head", "sure"),
    [
        ("a.cue", b'FILE "a.bin" BINARY\r\n  TRACK 01 AUDIO\r\n', True),
        ("a.CUE", b"\xef\xbb\xbffile a.bin BINARY\r\n\ttrack 01 AUDIO\r\n", True),
        ("a.txt", b"FILE a.bin BINARY\nTRACK 01 AUDIO\n", True),
        ("a.cue", b"FILE a.bin BINARY\rTRACK 01 AUDIO\r", True),
        ("a.cue", b"", True),  # by its name
        ("a.txt", b"FILE a.bin BINARY\n", False),
        ("a.txt", b"the FILE and the TRACK\n", False),
        ("a.bin", bytes(2352), False),
    ],
)
def test_a_sheet_is_known_by_its_commands_and_its_name(name: str, head: bytes, sure: bool) -> None:
    assert (CueFormat().accepts(name, head) > 0) is sure


def test_content_and_name_weigh_more_than_either() -> None:
    accepts = CueFormat().accepts
    sheet = b"FILE a.bin BINARY\nTRACK 01 AUDIO\n"
    assert accepts("a.cue", sheet) > accepts("a.txt", sheet) > 0
    assert accepts("a.cue", sheet) > accepts("a.cue", b"") > 0
