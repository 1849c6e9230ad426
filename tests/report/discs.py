"""Discs for the pictures: small, of noise, in files whose bytes can be patched."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

import rawcd
from rawcd.cdtext import Charset
from rawcd.subcode.frame import q_crc
from rawcd.subcode.rows import Q_BIT, pq_of_pw96, pw96_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LEAD_IN = -650
"""Where the small disc's lead-in begins: five hundred sectors are enough to tell the contents."""
SIZE = 2448


def noise(sectors: int, seed: int = 1) -> bytes:
    rng = np.random.default_rng(seed)
    return rng.integers(-9000, 9000, (588 * sectors, 2)).astype("<i2").tobytes()


def texts(*titles: str, language: int = 9, performer: str = "The Band") -> rawcd.TextBlock:
    items = [rawcd.TextItem(field="title", track=i, text=text) for i, text in enumerate(titles)]
    items.append(rawcd.TextItem(field="performer", track=0, text=performer))
    wide = any(not item.text.isascii() for item in items)
    charset = Charset.MS_JIS if wide else Charset.ISO_8859_1
    return rawcd.TextBlock(language=language, items=tuple(items), charset=charset)


def small_disc(*blocks: rawcd.TextBlock) -> rawcd.RegionImage:
    """Two tracks of noise with a silent pregap between them; index 2 in the second."""
    creator = rawcd.RawCDImageCreator()
    creator.resulting_image_type = rawcd.ImageType.RAW
    creator.media_catalog_number = "4006381333931"
    creator.add_track(noise(400), pregap=150)
    creator.add_track(noise(450, seed=2), pregap=75)
    creator.track_info(1).isrc = "XXRCD2600001"
    creator.track_info(2).add_track_index(200)
    creator.cdtext = rawcd.CDText(blocks=blocks or (texts("Album", "One", "Two"),))
    return creator.create_result_image().with_lead_in(LEAD_IN)


class Patched:
    """A raw image on disk, some bytes of which are changed for a while."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def changed(self, lba: int, offset: int, data: bytes) -> Iterator[rawcd.DiscImage]:
        """With some bytes of a sector changed."""
        place = (lba - LEAD_IN) * SIZE + offset
        with self.path.open("r+b") as file:
            file.seek(place)
            before = file.read(len(data))
            file.seek(place)
            file.write(data)
        try:
            yield rawcd.open_image(self.path)
        finally:
            with self.path.open("r+b") as file:
                file.seek(place)
                file.write(before)

    def main(self, lba: int, offset: int, value: int) -> Any:
        """With one byte of a sector's main channel changed."""
        return self.changed(lba, offset, bytes([value]))

    def q(self, lba: int, offset: int, value: int) -> Any:
        """With one byte of a Q frame changed, and its CRC made to fit."""
        whole = rawcd.open_image(self.path).read(lba, 1)
        sub = np.frombuffer(whole[2352:], np.uint8).reshape(1, 96)
        q, p = pq_of_pw96(sub)
        frame = bytearray(q[0].tobytes())
        frame[offset] = value
        frame[10:] = q_crc(bytes(frame[:10])).to_bytes(2, "big")
        changed = np.frombuffer(bytes(frame), np.uint8).reshape(1, 12)
        rest = sub & np.uint8(0xFF - Q_BIT - 0x80)
        return self.changed(lba, 2352, (pw96_of(changed, p) | rest).tobytes())
