"""Waveforms against a plain look at the samples."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rawcd.report.waves import FULL_SCALE, PARTS, Waves

FIRST = -150


def waves_of(samples: np.ndarray, step: int = 7) -> Waves:
    """Samples of whole sectors, taken in small blocks as a disc is."""
    rows = samples.astype("<i2").view(np.uint8).reshape(-1, 2352)
    waves = Waves(FIRST, len(rows))
    for start in range(0, len(rows), step):
        part = rows[start : start + step]
        waves.take(FIRST + start, part, np.zeros(len(part), bool))
    return waves


@given(st.integers(0, 2**32 - 1), st.integers(1, 20), st.integers(1, 200), st.data())
def test_a_column_has_the_extremes_of_its_samples(
    seed: int, sectors: int, most: int, data: st.DataObject
) -> None:
    samples = np.random.default_rng(seed).integers(-32768, 32768, sectors * 1176)
    first = data.draw(st.integers(0, sectors - 1))
    count = data.draw(st.integers(1, sectors - first))
    columns = waves_of(samples).columns(FIRST + first, count, most)
    assert len(columns) == min(most, count * PARTS)
    parts = samples.reshape(-1, 294)[first * PARTS : (first + count) * PARTS]
    edges = [i * len(parts) // len(columns) for i in range(len(columns) + 1)]
    for i, (start, end) in enumerate(pairwise(edges)):
        each = parts[start:end] / FULL_SCALE
        assert (columns.low[i], columns.high[i]) == (each.min(), each.max())
        assert columns.rms[i] == pytest.approx(np.sqrt((each**2).mean()), rel=1e-4)


def test_no_single_sample_is_lost_on_the_way_to_few_columns() -> None:
    samples = np.zeros(1000 * 1176, np.int64)
    samples[777 * 1176 + 13] = -32768
    columns = waves_of(samples, step=300).columns(FIRST, 1000, 10)
    assert columns.low.tolist() == [0] * 7 + [-1.0] + [0] * 2
    assert columns.peaks.max() == 1.0


def test_silence_is_told_from_the_faintest_sound() -> None:
    samples = np.zeros(10 * 1176, np.int64)
    assert waves_of(samples).sounding(FIRST, 10) is None
    samples[[4 * 1176, 7 * 1176 - 1]] = 1, -1
    assert waves_of(samples).sounding(FIRST, 10) == (FIRST + 4, FIRST + 6)
    assert waves_of(samples).sounding(FIRST + 7, 3) is None


def test_data_is_no_sound() -> None:
    waves = Waves(0, 2)
    rows = np.full((2, 2352), 0x55, np.uint8)
    waves.take(0, rows, np.array([True, False]))
    assert waves.sounding(0, 2) == (1, 1)
