"""Recorded R-W tells by its parity whether it is packs before interleave."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rawcd.subcode import interleaved, with_parity
from rawcd.subcode.forms import are_packs

if TYPE_CHECKING:
    from rawcd.source import Bytes2D

SECTORS = 12


def packs_of(seed: int, filled: float) -> Bytes2D:
    """Return (96 * n, 24) packs of TV graphics, some of them zero, as an author makes them."""
    random = np.random.default_rng(seed)
    packs = random.integers(0, 64, (4 * SECTORS, 24), np.uint8)
    packs[:, 0] = 9
    packs[random.random(len(packs)) >= filled] = 0
    return packs


def windows_of(symbols: Bytes2D, seed: int) -> list[Bytes2D]:
    """Return them as a disc has them: 96 bytes a sector, P and Q above."""
    above = np.random.default_rng(seed).integers(0, 4, (SECTORS, 96), np.uint8) << 6
    return [symbols.reshape(SECTORS, 96) | above.astype(np.uint8)]


@given(st.integers(0, 2**32), st.floats(0.5, 1), st.booleans())
def test_packs_are_known_with_parity_and_without(seed: int, filled: float, made: bool) -> None:
    packs = packs_of(seed, filled)
    packs[:, 2:4] = packs[:, 20:] = 0
    packs = with_parity(packs) if made else packs
    if packs.any(axis=1).sum() < 8:
        return
    assert are_packs(windows_of(packs, seed))
    assert not are_packs(windows_of(interleaved(packs), seed))


@given(st.integers(0, 2**32))
def test_a_single_pack_on_the_disc_is_not_taken_for_many(seed: int) -> None:
    packs = np.zeros((4 * SECTORS, 24), np.uint8)
    packs[::16] = packs_of(seed, 1)[::16]
    assert not are_packs(windows_of(interleaved(with_parity(packs)), seed))


@given(st.integers(0, 2**32), st.floats(0, 0.08))
def test_damage_makes_no_packs_of_what_is_interleaved(seed: int, share: float) -> None:
    random = np.random.default_rng(seed)
    symbols = interleaved(with_parity(packs_of(seed, 1)))
    symbols ^= np.where(random.random(symbols.shape) < share, 1, 0).astype(np.uint8)
    assert not are_packs(windows_of(symbols, seed))


def test_noise_zeros_and_nothing_are_none() -> None:
    noise = np.random.default_rng(5).integers(0, 256, (SECTORS, 96), np.uint8)
    assert not are_packs([noise])
    assert not are_packs([np.full((SECTORS, 96), 0xC0, np.uint8)])
    assert not are_packs([np.zeros((1, 96), np.uint8)])
    assert not are_packs([])
    with pytest.raises(ValueError, match="96"):
        are_packs([np.zeros((4, 16), np.uint8)])
