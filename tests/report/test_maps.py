"""The map alone: a picture, and lines of text."""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import rawcd
from rawcd.errors import UnsupportedError
from rawcd.report.reading import DiscReading, read_disc
from rawcd.report.rings import LAST_RADIUS, PROGRAM_RADIUS, Rings
from rawcd.report.scale import BLANK_SECTORS, Scale
from rawcd.report.terminal import columns_of, text_of
from tests.report.discs import small_disc, texts

if TYPE_CHECKING:
    from pathlib import Path

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def reading(raw: Path) -> DiscReading:
    return read_disc(rawcd.open_image(raw), verified=False)


def test_a_ring_s_area_is_its_time(reading: DiscReading) -> None:
    rings = Rings(reading, Scale.of_blank(reading.survey.runs))
    whole = LAST_RADIUS**2 - PROGRAM_RADIUS**2
    for span in reading.spans:
        area = rings.radius(span.end_lba) ** 2 - rings.radius(span.lba) ** 2
        assert area / whole == pytest.approx(span.sectors / BLANK_SECTORS)
    assert rings.radius(-150) == pytest.approx(PROGRAM_RADIUS)


def test_the_svg_has_a_ring_and_a_block_for_each_run(raw: Path, reading: DiscReading) -> None:
    root = ET.fromstring(rawcd.map_svg(rawcd.open_image(raw), name="small.raw"))
    assert root.tag == f"{SVG}svg"
    runs = len(reading.survey.runs)
    kinds = [each.get("class", "").split()[0] for each in root.iter() if each.get("class")]
    assert kinds.count("ring") == runs == 7
    assert kinds.count("block") == runs
    blocks = [each for each in root.iter(f"{SVG}rect") if "block" in each.get("class", "")]
    widths = [float(each.get("width", "").rstrip("%")) for each in blocks]
    assert sum(widths) == pytest.approx(100, abs=0.1)
    assert "Album" in "".join(root.itertext())


def test_the_png_is_a_picture_of_the_same(raw: Path) -> None:
    image = Image.open(io.BytesIO(rawcd.map_png(rawcd.open_image(raw))))
    picture = np.asarray(image.convert("RGB")).astype(int)
    middle = picture[450, 450:]
    assert picture[0, 0].tolist() == [255, 255, 255]
    coloured = (middle.max(axis=1) - middle.min(axis=1)) > 60
    assert 0.3 < coloured.mean() < 0.95
    # A disc is the same all round.
    assert np.abs(picture[450, :450][::-1] - middle).mean() < 2


@given(width=st.integers(1, 300), unicode=st.booleans())
def test_no_line_is_wider_than_the_terminal(
    reading: DiscReading, width: int, unicode: bool
) -> None:
    text = text_of(reading, width=width, unicode=unicode, colour=False, name="small.raw")
    assert max(map(len, text.splitlines())) <= max(width, 40)
    assert text.isascii() is not unicode
    assert "\x1b" not in text


def test_letters_of_east_asia_take_two_columns() -> None:
    long = "\u590f\u306e\u6d77" * 12
    told = read_disc(small_disc(texts(long, long, long, performer=long)), verified=False)
    text = text_of(told, width=60, unicode=True, colour=False, name="n")
    assert "\u590f" in text
    assert max(map(columns_of, text.splitlines())) <= 60


def test_colours_change_nothing_but_colours(reading: DiscReading) -> None:
    plain = text_of(reading, width=80, unicode=True, colour=False, name="n")
    painted = text_of(reading, width=80, unicode=True, colour=True, name="n")
    assert painted != plain
    assert re.sub(r"\x1b\[[0-9;]*m", "", painted) == plain


def test_the_text_says_what_the_disc_is(reading: DiscReading) -> None:
    lines = text_of(reading, width=90, unicode=True, colour=False, name="n").splitlines()
    assert lines[0] == "n: 2 tracks, 1 session, catalogue 4006381333931"
    assert lines[1] == "The Band / Album"
    bar = next(line for line in lines if line.startswith("░"))
    assert len(bar) == 90
    assert re.fullmatch(r"░+▒+█+▒+▓+░+", bar)
    assert any(re.match(r"  2 00:08:25   0:06 .* audio  Two", line) for line in lines)


def test_a_map_is_written_by_its_suffix(raw: Path, tmp_path: Path) -> None:
    image = rawcd.open_image(raw)
    assert rawcd.write_map(image, tmp_path / "a.SVG").read_bytes().startswith(b"<svg")
    assert rawcd.write_map(image, tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(UnsupportedError, match=r"\.svg or \.png"):
        rawcd.write_map(image, tmp_path / "a.gif")
