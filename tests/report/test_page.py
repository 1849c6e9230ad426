"""What the page shows comes from the recorded bytes, is bounded, and is nobody's markup."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

import rawcd
from rawcd.cdg import CDG, CdgFile, ColourTable, MemoryPreset, Tile, View, build_pack
from rawcd.errors import CancelledError, StorageError
from rawcd.graphics import with_graphics
from rawcd.report.graphics import moments
from rawcd.report.page import page_of
from rawcd.report.png import png_of
from rawcd.report.reading import DiscReading, read_disc
from rawcd.report.tables import MOST_FRAMES, frame_rows, toc_rows
from rawcd.verify import Finding, Report, Severity
from tests.recordings import BareImage
from tests.report.discs import LEAD_IN, Patched, noise, small_disc, texts
from tests.report.test_markup import Seen

if TYPE_CHECKING:
    from pathlib import Path

GAP = 400
"""Where the silent pregap of the second track begins: index 1 is at 475, index 2 at 675."""


def read(image: rawcd.DiscImage) -> DiscReading:
    return read_disc(image, verified=False)


def page(image: rawcd.DiscImage) -> Seen:
    return Seen(page_of(read(image), name="small.raw"))


# -- the bytes decide --------------------------------------------------------------------------


def test_the_tracks_are_those_of_the_bytes(raw: Path) -> None:
    reading = read(rawcd.open_image(raw))
    assert [(s.number, s.lba, s.start_lba, s.end_lba) for s in reading.spans] == [
        (1, -150, 0, 400),
        (2, 400, 475, 925),
    ]
    assert reading.spans[1].indexes() == ((0, 400), (1, 475), (2, 675))
    assert reading.hidden_sounds() == ()
    assert reading.playing_sectors == 925


def test_nothing_is_taken_from_the_disc_model(raw: Path) -> None:
    """An image whose model tells of another disc gives the same page."""
    image = rawcd.open_image(raw)
    assert isinstance(image, rawcd.RegionImage)
    one = rawcd.Session(
        tracks=(
            rawcd.Track(
                number=1,
                indexes=(rawcd.Index(number=0, lba=-150), rawcd.Index(number=1, lba=0)),
                end_lba=925,
                isrc="XXXXX9999999",
            ),
        ),
        lead_in_lba=LEAD_IN,
        lead_out_lba=925,
    )
    liar = replace(image, disc=rawcd.Disc(sessions=(one,), mcn="0000000000017"))
    assert page_of(read(liar), name="n") == page_of(read(image), name="n")


def test_one_byte_of_the_main_channel_shows_on_the_map(patched: Patched) -> None:
    with patched.main(GAP + 30, 1000, 1) as image:
        reading = read(image)
        (hidden,) = reading.hidden_sounds()
        assert (hidden.track, hidden.lba, hidden.sectors) == (2, GAP + 30, 1)
        seen = page(image)
        assert "Sound in the pregap of track 2: from 00:07:55" in seen.text
        assert any(attrs.get("class") == "hidden" for _, attrs in seen.tags)
        assert "♪" in rawcd.map_text(image)
    assert "♪" not in rawcd.map_text(rawcd.open_image(patched.path))


def test_one_byte_of_q_moves_a_border_on_the_map_and_in_the_tables(patched: Patched) -> None:
    clean = rawcd.map_svg(rawcd.open_image(patched.path))
    with patched.q(674, 2, 0x02) as image:  # INDEX of the last sector of index 1
        reading = read(image)
        assert reading.spans[1].indexes() == ((0, 400), (1, 475), (2, 674))
        rows = {row.lba: row for row in frame_rows(reading)[0]}
        assert "track 2 index 2" in rows[674].says
        assert rows[674].is_right
        moved = rawcd.map_svg(image)
    assert ("from 00:11:00" in clean, "from 00:10:74" in clean) == (True, False)
    assert ("from 00:11:00" in moved, "from 00:10:74" in moved) == (False, True)
    rows = {row.lba: row for row in frame_rows(read(rawcd.open_image(patched.path)))[0]}
    assert "track 2 index 1" in rows[674].says


def test_a_frame_whose_crc_is_wrong_is_shown_as_such(patched: Patched) -> None:
    sub = rawcd.open_image(patched.path).read(300, 1)[2352 + 40]
    with patched.changed(300, 2352 + 40, bytes([sub ^ 0x40])) as image:
        rows = {row.lba: row for row in frame_rows(read(image))[0]}
        assert not rows[300].is_right
        assert "wrong" in rows[300].says
    assert 300 not in {row.lba for row in frame_rows(read(rawcd.open_image(patched.path)))[0]}


def test_one_rule_broken_everywhere_hides_no_other(raw: Path) -> None:
    findings = [
        Finding(rule=rule, severity=Severity.DEFECT, lba=lba, message="so")
        for lba, rule in [*((lba, "q-crc") for lba in range(400)), (500, "sync"), (501, "edc")]
    ]
    report = Report(
        findings=tuple(findings), left_out=(("q-crc", 7),), sectors=1000, first_lba=-150
    )
    reading = replace(read(rawcd.open_image(raw)), checked=report)
    shown = [(each.lba, each.rule) for each in reading.shown_findings]
    assert shown == [*((lba, "q-crc") for lba in range(298)), (500, "sync"), (501, "edc")]
    text = Seen(page_of(reading, name="small.raw")).text
    assert "402 defects and 7 more" in text
    assert "and 109 more" in text


def test_findings_stand_in_their_place_everywhere(patched: Patched) -> None:
    sub = rawcd.open_image(patched.path).read(300, 1)[2352 + 40]
    with patched.changed(300, 2352 + 40, bytes([sub ^ 0x40])) as image:
        reading = read_disc(image)
        number = [(each.rule, each.lba) for each in reading.findings].index(("q-crc", 300))
        seen = Seen(page_of(reading, name="n"))
        lines = rawcd.map_text(image, verified=True).splitlines()
    marks = [name for name, attrs in seen.tags if attrs.get("data-finding") == str(number)]
    assert sorted(marks) == ["circle", "circle", "path", "path"]  # line, track, two discs
    assert "LBA 300" in seen.text
    assert f"finding-{number}" in {attrs.get("id") for _, attrs in seen.tags}
    bar, marked = (next(line for line in lines if sign in line) for sign in "░!")
    assert "█" in {sign for sign, mark in zip(bar, marked, strict=False) if mark == "!"}


def test_the_table_of_contents_is_that_of_the_lead_in(raw: Path) -> None:
    rows = [(row.point, row.name, row.value) for row in toc_rows(read(rawcd.open_image(raw)))[0]]
    assert rows == [
        ("A0", "first track", "1, CD-DA or CD-ROM"),
        ("A1", "last track", "2"),
        ("A2", "lead-out", "00:14:25"),
        ("01", "track 1", "00:02:00"),
        ("02", "track 2", "00:08:25"),
    ]


def test_codes_stand_with_their_frames(raw: Path) -> None:
    reading = read(rawcd.open_image(raw))
    said = " ".join(row.says for row in frame_rows(reading)[0])
    assert "catalogue number 4006381333931" in said
    assert "ISRC XX-RCD-26-00001" in said
    assert "4006381333931" in page(rawcd.open_image(raw)).text


@pytest.mark.parametrize("kind", rawcd.ImageType)
def test_every_kind_of_subcode_gives_a_page(kind: rawcd.ImageType) -> None:
    image = small_disc().as_kind(kind)
    seen = page(image)
    assert ("Album" in seen.text) is (kind is rawcd.ImageType.RAW)
    assert len(read(image).spans) == 2


def test_the_least_that_is_an_image_is_enough(raw: Path) -> None:
    image = rawcd.open_image(raw)
    assert isinstance(image, rawcd.RegionImage)
    assert page_of(read(BareImage(image)), name="n") == page_of(read(image), name="n")


def test_data_is_drawn_as_data() -> None:
    creator = rawcd.RawCDImageCreator()
    creator.resulting_image_type = rawcd.ImageType.RAW
    creator.add_track(bytes(2048 * 320), sector_type=rawcd.SectorType.MODE1)
    reading = read(creator.create_result_image().with_lead_in(LEAD_IN))
    assert reading.spans[0].is_data
    assert reading.waves.sounding(-150, 470) is None
    assert "mode 1" in Seen(page_of(reading, name="n")).text


# -- strangers' texts --------------------------------------------------------------------------

HOSTILE = '</style><script>alert("x")</script><img src=x onerror=alert(1)>\'"&amp;'


def test_texts_of_a_disc_are_no_markup() -> None:
    image = small_disc(texts(HOSTILE, HOSTILE, "javascript:alert(1)", performer=HOSTILE))
    seen = page(image)
    assert [name for name, _ in seen.tags].count("script") == 1
    assert [name for name, _ in seen.tags].count("style") == 1
    assert not [attrs for _, attrs in seen.tags if any(key.startswith("on") for key in attrs)]
    assert seen.text.count("<img src=x onerror=alert(1)>'\"&amp;") >= 3
    assert "<script>" not in re.sub(r"<style>.*?</style>", "", rawcd.map_svg(image), flags=re.S)
    assert "\x1b" not in rawcd.map_text(small_disc(texts("\x1b[2J", "\x1b]0;x\x07", "b")))


def test_each_language_has_its_player() -> None:
    seen = page(small_disc(texts("Album", "One"), texts("Platte", "Eins", language=8)))
    tabs = [attrs for _, attrs in seen.tags if attrs.get("role") == "tab"]
    panels = [attrs for _, attrs in seen.tags if attrs.get("role") == "tabpanel"]
    assert [each["aria-controls"] for each in tabs] == [each["id"] for each in panels]
    assert [each["lang"] for each in panels] == ["en", "de"]
    assert "Eins" in seen.text


# -- one file, bounded -------------------------------------------------------------------------


def test_the_page_asks_for_nothing_from_outside(raw: Path) -> None:
    whole = page_of(read(rawcd.open_image(raw)), name="small.raw")
    assert "http:" not in whole.replace("http://www.w3.org", "")
    assert "https:" not in whole
    assert not re.search(r"@import|url\(", whole)
    seen = Seen(whole)
    assert not [a for _, a in seen.tags if "style" in a]
    links = {str(a["href"]) for _, a in seen.tags if "href" in a}
    ids = {f"#{a['id']}" for _, a in seen.tags if "id" in a}
    assert links <= ids
    labelled = {a["aria-controls"] for _, a in seen.tags if "aria-controls" in a}
    assert {f"#{each}" for each in labelled} <= ids


def full_disc() -> rawcd.RegionImage:
    """99 tracks of noise, with as many indexes as there is room for."""
    creator = rawcd.RawCDImageCreator()
    creator.resulting_image_type = rawcd.ImageType.RAW
    sound = noise(300)
    for _ in range(99):
        number = creator.add_track(sound, pregap=None)
        for index in range(1, 9):
            creator.track_info(number).add_track_index(10 + index * 12)
    creator.cdtext = rawcd.CDText(blocks=(texts(*("x" * 20 for _ in range(99))),))
    return creator.create_result_image().with_lead_in(LEAD_IN)


def test_a_page_of_99_tracks_stays_small() -> None:
    reading = read(full_disc())
    rows, more = frame_rows(reading)
    assert len(rows) == MOST_FRAMES
    assert more > 500
    assert len(page_of(reading, name="n").encode()) < 3_000_000


# -- CD+G --------------------------------------------------------------------------------------


def packs() -> bytes:
    """A screen in one colour, then a tile on it."""
    sent = [
        ColourTable(high=False, colours=(0x000, 0xF00, 0x0F0, 0, 0, 0, 0, 0)),
        MemoryPreset(colour=1),
        *([None] * 298),
        Tile(row=5, column=5, colours=(1, 2), lines=bytes([0b101010]) * 12),
    ]
    return b"".join(bytes(24) if each is None else build_pack(each) for each in sent)


@pytest.mark.parametrize("kind", [rawcd.ImageType.RAW, rawcd.ImageType.COOKED])
def test_graphics_are_what_a_player_shows(kind: rawcd.ImageType) -> None:
    creator = rawcd.RawCDImageCreator()
    creator.resulting_image_type = rawcd.ImageType.RAW
    creator.add_track(rawcd.SilenceSource(block_count=300))
    image = with_graphics(creator.create_result_image(), {1: CdgFile(packs())})
    image = image.with_lead_in(LEAD_IN).as_kind(kind)
    reading = read(image)
    found = list(moments(reading))
    first, last = CDG(), CDG()
    first.run(packs()[: 24 * 10])
    last.run(packs())
    assert len(found) == 2
    for moment, canvas in zip(found, (first, last), strict=True):
        shown = np.asarray(Image.open(io.BytesIO(moment.png)).convert("RGB"))
        assert np.array_equal(shown, canvas.rgb(View.SCREEN))
    assert page(image).text.count("Track 1, 0:01 in") == 1


@pytest.mark.parametrize("width", [1, 2, 7, 300])
def test_pngs_hold_their_pictures(width: int) -> None:
    rng = np.random.default_rng(width)
    indexes = rng.integers(0, 16, (11, width)).astype(np.uint8)
    palette = rng.integers(0, 256, (16, 3)).astype(np.uint8)
    made = Image.open(io.BytesIO(png_of(indexes, palette)))
    assert np.array_equal(np.asarray(made.convert("RGB")), palette[indexes])
    colours = rng.integers(0, 256, (11, width, 3)).astype(np.uint8)
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(png_of(colours)))), colours)


# -- files -------------------------------------------------------------------------------------


def test_a_report_appears_whole_or_not_at_all(raw: Path, tmp_path: Path) -> None:
    image = rawcd.open_image(raw)
    told: list[tuple[int, int]] = []

    def progress(done: int, total: int) -> None:
        told.append((done, total))

    made = rawcd.write_report(image, tmp_path / "a.html", verified=False, progress=progress)
    assert made.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert told[-1][0] == told[-1][1]
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    with pytest.raises(StorageError, match="exists already"):
        rawcd.write_report(image, tmp_path / "a.html")
    with pytest.raises(StorageError, match="one of the inputs"):
        rawcd.write_report(image, raw, replace=True)
    with pytest.raises(CancelledError):
        rawcd.write_report(image, tmp_path / "b.html", progress=lambda done, total: False)
    assert [each.name for each in tmp_path.iterdir()] == ["a.html"]
