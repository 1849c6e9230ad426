"""Image types and the R-W subcode of a whole image."""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from rawcd import (
    ArraySource,
    ImageType,
    RawCDImageCreator,
    SilenceSource,
    StorageError,
)
from rawcd.subcode import RawPW, RWPacks, interleaved, with_parity

if TYPE_CHECKING:
    from pathlib import Path

from tests.imapi_codes import E_INVALIDARG
from tests.staging import refused, silent, staged

# -- image types and R-W subcode -----------------------------------------------------------------


@pytest.mark.parametrize(("kind", "size"), [(1, 2_368), (2, 2_448), (3, 2_448)])
def test_image_types(kind: int, size: int) -> None:
    creator = staged(300)
    creator.resulting_image_type = kind
    assert creator.resulting_image_type is ImageType(kind)
    image = creator.create_result_image()
    assert (image.kind, image.sector_size) == (kind, size)
    assert len(image.read(-22_650, 3)) == 3 * size
    with image.open() as stream:
        # 22,500 + 150 + 300 + 6,750
        assert stream.seek(0, os.SEEK_END) == 29_700 * size


@pytest.mark.parametrize("kind", [0, 4, None, "RAW"])
def test_what_is_no_image_type(kind: Any) -> None:
    creator = RawCDImageCreator()
    with refused(E_INVALIDARG, repr(kind), 1, 2, 3):
        creator.resulting_image_type = kind
    assert creator.resulting_image_type is ImageType.COOKED


def test_pq_only_has_no_rw() -> None:
    creator = RawCDImageCreator()
    creator.resulting_image_type = ImageType.PQ_ONLY
    with refused(E_INVALIDARG, "PQ_ONLY"):
        creator.add_subcode_rw_generator(bytes(96))
    creator.add_subcode_rw_generator(None)
    creator.resulting_image_type = ImageType.RAW
    creator.add_subcode_rw_generator(bytes(96))
    with refused(E_INVALIDARG, "PQ_ONLY"):
        creator.resulting_image_type = ImageType.PQ_ONLY
    assert creator.resulting_image_type is ImageType.RAW
    creator.resulting_image_type = ImageType.COOKED
    creator.add_subcode_rw_generator(None)
    creator.resulting_image_type = ImageType.PQ_ONLY


SMALL = 22_500 + 150 + 300 + 6_750
"""Sectors of an image of one shortest track."""


@pytest.mark.parametrize("sectors", [0, 1, 300, SMALL - 1, SMALL + 1])
def test_rw_of_another_size(sectors: int) -> None:
    source = SilenceSource(block_count=sectors, block_size=96)
    given: list[Any] = [source]
    if sectors < 1_000:
        given += [bytes(96 * sectors), io.BytesIO(bytes(96 * sectors))]
    for subcode in given:
        creator = staged(300)
        creator.add_subcode_rw_generator(subcode)  # at any time; measured when the image is made
        with refused(E_INVALIDARG, sectors * 96, SMALL * 96, SMALL):
            creator.create_result_image()


def test_rw_of_a_ragged_size() -> None:
    creator = staged(300)
    creator.add_subcode_rw_generator(bytes(SMALL * 96 - 1))
    with refused(E_INVALIDARG, SMALL * 96 - 1, SMALL * 96):
        creator.create_result_image()


def test_the_size_is_that_of_the_finished_image() -> None:
    creator = RawCDImageCreator()
    creator.add_subcode_rw_generator(SilenceSource(block_count=30_000, block_size=96))
    creator.add_track(silent(300))
    creator.add_track(silent(300))
    assert creator.raw_sector_count == SMALL + 300 == 30_000
    assert creator.create_result_image().sector_count == 30_000


@pytest.mark.parametrize("bit", [0x80, 0x40, 0xC0])
@pytest.mark.parametrize("sector", [0, 4_095, 4_096, 22_649, SMALL - 1])
def test_rw_with_p_or_q_bits_names_the_first_sector(sector: int, bit: int) -> None:
    subcode = bytearray(b"\x3f") * (96 * SMALL)
    subcode[sector * 96 + sector % 96] |= bit
    subcode[-1] |= 0x80
    creator = staged(300)
    creator.add_subcode_rw_generator(subcode)
    with refused(E_INVALIDARG, sector, sector - 22_650):
        creator.create_result_image()
    creator.add_subcode_rw_generator(None)
    creator.create_result_image()


def rw_inputs(folder: Path, subcode: bytes) -> dict[str, Any]:
    path = folder / "song.sub"
    path.write_bytes(subcode)
    array = np.frombuffer(subcode, np.uint8)
    return {
        "path": path,
        "str": str(path),
        "bytes": subcode,
        "bytearray": bytearray(subcode),
        "memoryview": memoryview(subcode),
        "strided memoryview": memoryview(np.repeat(array, 2).tobytes())[::2],
        "array": array.reshape(-1, 96),
        "strided array": np.repeat(array, 2)[::2],
        "file object": io.BytesIO(subcode),
        "source": ArraySource(subcode, block_size=96),
    }


@pytest.mark.parametrize("kind", [ImageType.COOKED, ImageType.RAW])
def test_rw_is_merged_below_p_and_q(tmp_path: Path, kind: ImageType) -> None:
    subcode = bytes(np.random.default_rng(5).integers(0, 64, 96 * SMALL, np.uint8))
    plain = staged(300).create_result_image().as_kind(kind)
    lbas = (-22_650, -151, -150, 0, 299, 300, 7_049)
    for name, given in rw_inputs(tmp_path, subcode).items():
        creator = staged(300)
        creator.resulting_image_type = kind
        creator.add_subcode_rw_generator(given)
        image = creator.create_result_image()
        for lba in lbas:
            mixed = np.frombuffer(image.read(lba, 1)[2_352:], np.uint8)
            made = np.frombuffer(plain.read(lba, 1)[2_352:], np.uint8)
            first = (lba + 22_650) * 96
            assert (mixed & 0x3F).tobytes() == subcode[first : first + 96], (name, lba)
            assert ((mixed & 0xC0) == (made & 0xC0)).all(), (name, lba)


def rw_of(given: Any, kind: ImageType, **form: Any) -> Any:
    """Return R to W of the first track's 300 sectors, as an image of this kind has them."""
    creator = staged(300)
    creator.resulting_image_type = kind
    creator.add_subcode_rw_generator(given, **form)
    rows = np.frombuffer(creator.create_result_image().read(0, 300), np.uint8)
    return rows.reshape(300, -1)[:, 2_352:] & 0x3F


def test_a_form_is_made_into_that_of_the_image() -> None:
    """Packs get parity and interleave, from the image's first sector on, or lose both."""
    packs = np.zeros((4 * SMALL, 24), np.uint8)
    packs[4 * 22_650 :][: 4 * 290] = np.random.default_rng(7).integers(0, 64, (4 * 290, 24))
    packs[:, 0] &= 0x1F  # no CD-TEXT: that has no parity
    whole = with_parity(packs)
    cooked = RWPacks.of_packs(whole)
    symbols = interleaved(whole).reshape(SMALL, 96)
    program = slice(22_650, 22_950)
    as_packs: list[Any] = [(packs.tobytes(), {"form": "packs"}), (RWPacks.of_packs(packs), {})]
    for given, form in as_packs:
        np.testing.assert_array_equal(rw_of(given, ImageType.RAW, **form), symbols[program])
    as_symbols: list[Any] = [(symbols, {"form": "symbols"}), (RawPW(symbols), {})]
    for given, form in as_symbols:
        made = rw_of(given, ImageType.COOKED, **form)
        np.testing.assert_array_equal(made, cooked.rows[program])
    np.testing.assert_array_equal(rw_of(symbols, ImageType.RAW), symbols[program])
    np.testing.assert_array_equal(rw_of(cooked.rows, ImageType.COOKED), cooked.rows[program])


def test_a_form_that_is_none_or_contradicts_the_layout() -> None:
    creator = staged(300)
    with refused(E_INVALIDARG, "'raw'", "packs", "symbols"):
        creator.add_subcode_rw_generator(bytes(96), form="raw")  # type: ignore[arg-type]  # that is the point
    with refused(E_INVALIDARG, "RWPacks", "packs", "symbols"):
        creator.add_subcode_rw_generator(RWPacks.of_bytes(bytes(96)), form="symbols")
    with refused(E_INVALIDARG, "strict"):
        RawCDImageCreator(strict=True).add_subcode_rw_generator(bytes(96), form="packs")
    creator.create_result_image()


@pytest.mark.parametrize(
    "given",
    [5, object(), np.zeros(96, np.int16), np.zeros((2, 96)), SilenceSource(block_count=1)],
    ids=["int", "object", "int16", "float", "2352-byte blocks"],
)
def test_what_is_no_rw_subcode(given: Any) -> None:
    creator = staged(300)
    with refused(E_INVALIDARG, type(given).__name__, "R-W"):
        creator.add_subcode_rw_generator(given)
    creator.create_result_image()


def test_a_missing_rw_file(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"song\.sub: cannot open"):
        staged(300).add_subcode_rw_generator(tmp_path / "song.sub")


def test_a_changed_rw_file_leaves_the_creator_writable(tmp_path: Path) -> None:
    path = tmp_path / "song.sub"
    path.write_bytes(bytes(SMALL * 96))
    creator = staged(300)
    creator.add_subcode_rw_generator(path)
    path.write_bytes(bytes(SMALL * 96 + 96))
    with pytest.raises(StorageError, match="changed since it was added"):
        creator.create_result_image()
    creator.add_subcode_rw_generator(None)
    creator.create_result_image()
