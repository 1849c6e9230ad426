"""What the codec takes as blocks, sectors, addresses and results, and what it refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pytest

from rawcd.sector import SectorType, decode, encode, is_scrambled, repair, scramble, verify

if TYPE_CHECKING:
    from collections.abc import Callable

Bytes2D = npt.NDArray[np.uint8]


def random_blocks(count: int, size: int = 2048) -> Bytes2D:
    return np.random.default_rng(1).integers(0, 256, (count, size), dtype=np.uint8)


@pytest.mark.parametrize("lba", [-45_151, 404_850, 404_848, -(10**12), 10**12])
@pytest.mark.parametrize("kind", [SectorType.MODE1, SectorType.AUDIO])
def test_addresses_out_of_range(kind: SectorType, lba: int) -> None:
    blocks = random_blocks(3, kind.block_sizes[0])
    for given_lba in (lba, [0, 1, lba + 2 * (lba > 0)]):
        with pytest.raises(ValueError, match="-45150"):
            encode(kind, blocks, given_lba)


@pytest.mark.parametrize("lba", [1.5, [0, 1], [0.0, 1.0, 2.0], "0"])
def test_addresses_that_are_none(lba: Any) -> None:
    with pytest.raises(ValueError, match=r"LBA|addresses"):
        encode(SectorType.MODE1, random_blocks(3), lba)


@pytest.mark.parametrize(
    ("sectors", "message"),
    [
        (np.zeros((2, 2351), np.uint8), "2352"),
        (np.zeros(2351, np.uint8), "remainder of 2351"),
        (bytes(2353), "remainder of 1"),
        (np.zeros((2, 2352), np.int8), "uint8"),
        (np.zeros((2352, 2), np.uint8).T, "follow each other"),
    ],
)
def test_arrays_that_are_no_sectors(sectors: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        decode(SectorType.MODE1, sectors)
    with pytest.raises(ValueError, match=message):
        scramble(sectors)


@pytest.mark.parametrize("nothing", ["2352", None, [b"", b""], 7])
def test_what_is_no_bytes(nothing: Any) -> None:
    for work in (
        lambda: encode(SectorType.MODE1, nothing, 0),
        lambda: decode(SectorType.MODE1, nothing),
        lambda: verify(nothing, 0, SectorType.MODE1),
        lambda: repair(nothing, 0, SectorType.MODE1),
        lambda: scramble(nothing),
    ):
        with pytest.raises(TypeError, match=f"not {type(nothing).__name__}"):
            work()


@pytest.mark.parametrize(
    "flat", [bytes, bytearray, memoryview, lambda data: np.frombuffer(data, np.uint8)]
)
def test_flat_bytes_are_sectors_too(flat: Callable[[bytes], Any]) -> None:
    sectors = encode(SectorType.MODE1, random_blocks(3), 16)
    given = flat(sectors.tobytes())
    assert (decode(SectorType.MODE1, given) == decode(SectorType.MODE1, sectors)).all()
    assert not verify(given, 16, SectorType.MODE1).any()
    assert (repair(given, 16, SectorType.MODE1).sectors == sectors).all()
    assert (scramble(given) == scramble(sectors)).all()
    assert not is_scrambled(given, 16)


@pytest.mark.parametrize("dtype", [np.float64, np.int16, np.int8, np.bool_])
def test_blocks_of_other_numbers_are_refused(dtype: type) -> None:
    """An array made without dtype=np.uint8 has eight bytes for each one that was meant."""
    with pytest.raises(ValueError, match="array of uint8"):
        encode(SectorType.MODE1, np.zeros((2, 2048), dtype), 0)


def test_sound_may_be_given_as_samples() -> None:
    samples = np.arange(2 * 588 * 2, dtype="<i2").reshape(-1, 2)
    assert encode(SectorType.AUDIO, samples, 0).tobytes() == samples.tobytes()
    with pytest.raises(ValueError, match="array of uint8"):
        encode(SectorType.AUDIO, samples.astype(">i2"), 0)


def test_results_that_do_not_fit() -> None:
    blocks = random_blocks(2)
    no_array: Any = bytes(4704)
    with pytest.raises(ValueError, match=r"\(2, 2352\)"):
        encode(SectorType.MODE1, blocks, 0, out=np.zeros((3, 2352), np.uint8))
    with pytest.raises(TypeError, match="not into bytes"):
        encode(SectorType.MODE1, blocks, 0, out=no_array)
    with pytest.raises(ValueError, match="one piece"):
        encode(SectorType.MODE1, blocks, 0, out=np.zeros((2, 4704), np.uint8)[:, ::2])


def test_scrambling_leaves_what_it_was_given() -> None:
    sectors = encode(SectorType.MODE1, random_blocks(2), 0)
    before = sectors.copy()
    scrambled = scramble(sectors)
    assert (sectors == before).all()
    assert (scrambled != before).any()
