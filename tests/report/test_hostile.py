"""Any bytes give a page, a picture and a map: what cannot be read is drawn as such."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import BinaryIO

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import rawcd
from rawcd.report.maps import svg_of
from rawcd.report.page import page_of
from rawcd.report.raster import raster_of
from rawcd.report.reading import DiscReading, read_disc
from rawcd.report.terminal import text_of
from rawcd.subcode.frame import q_crc
from rawcd.subcode.rows import pw96_of
from tests.report.discs import small_disc
from tests.report.test_markup import Seen

DISC = small_disc().disc


class Sectors:
    """An image of any bytes; its Disc is another's."""

    def __init__(self, rows: np.ndarray, first_lba: int) -> None:
        self.kind = rawcd.ImageType.RAW
        self.notes: tuple[rawcd.Note, ...] = ()
        self.disc = DISC
        self.first_lba = first_lba
        self.sector_count, self.sector_size = rows.shape
        self._rows = rows

    def read(self, lba: int, count: int) -> bytes:
        first = lba - self.first_lba
        return self._rows[first : first + count].tobytes()

    def open(self) -> BinaryIO:
        raise NotImplementedError


def all_drawn(image: rawcd.DiscImage) -> DiscReading:
    reading = read_disc(image)
    assert Seen(page_of(reading, name="n")).tags
    ET.fromstring(svg_of(reading, name="n"))
    for unicode in (False, True):
        assert text_of(reading, width=60, unicode=unicode, colour=False, name="n")
    return reading


@settings(max_examples=4)
@given(seed=st.integers(0, 2**32 - 1), sectors=st.integers(1, 40), first=st.sampled_from([-9, 0]))
def test_noise(seed: int, sectors: int, first: int) -> None:
    rows = np.random.default_rng(seed).integers(0, 256, (sectors, 2448)).astype(np.uint8)
    assert raster_of(all_drawn(Sectors(rows, first))).startswith(b"\x89PNG")


bytes_of_q = st.one_of(
    st.tuples(
        st.sampled_from([0x01, 0x41, 0x05, 0x02, 0x03, 0xF1]), st.binary(min_size=9, max_size=9)
    ),
    st.tuples(
        st.sampled_from([0x01, 0x41]),
        st.tuples(
            st.sampled_from([0x00, 0x01, 0x02, 0x99, 0xAA]),
            st.sampled_from([0x00, 0x01, 0x02, 0xA0, 0xA2, 0xB0]),
        ).map(lambda ends: bytes(ends) + bytes(7)),
    ),
)
"""First byte and the nine behind it: anything, or what looks like a place."""


@settings(max_examples=40)
@given(frames=st.lists(st.tuples(bytes_of_q, st.integers(1, 30)), min_size=1, max_size=12))
def test_frames_with_a_right_crc_that_say_anything(
    frames: list[tuple[tuple[int, bytes], int]],
) -> None:
    q = bytearray()
    for (head, rest), times in frames:
        body = bytes([head]) + rest
        q += (body + q_crc(body).to_bytes(2, "big")) * times
    rows = np.zeros((len(q) // 12, 2448), np.uint8)
    numbers = np.frombuffer(bytes(q), np.uint8).reshape(-1, 12)
    rows[:, 2352:] = pw96_of(numbers, np.zeros(len(numbers), bool))
    rows[::3, :2352] = 0x11
    all_drawn(Sectors(rows, -150))
