"""From decoded floating point at any rate to 16 bits at 44.1 kHz, in chunks that stand alone.

A running resampler, or a running generator of dither, would make each sample depend on how the
ones before it were asked for. Here the output is cut into chunks of one second; each is made
from its own second of input and a margin on both sides, with dither from a counter that starts
anew for it. So any sample can be made alone and is always the same.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from rawcd.audio.facts import CD_RATE

if TYPE_CHECKING:
    import numpy.typing as npt

    from rawcd.source import Samples

    Frames = npt.NDArray[np.float64]
    """(frames, channels), full scale at 1.0."""

CHUNK_SAMPLES: Final = CD_RATE
"""Samples in a chunk: one second, which for a whole rate in Hz is a whole number of frames."""
_MARGIN_FRAMES: Final = 1280
# soxr's low-pass grows with the rate where it goes down: 1,280 frames serve up to this rate.
_MARGIN_PER_RATE: Final = 150
_FULL_SCALE: Final = 32_768.0
_SEED: Final = 0x52617743  # any number will do, as long as it never changes


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """How frames at one rate become samples at 44.1 kHz.

    Attributes:
        rate: frames in a second.
        frame_count: frames in all.
    """

    rate: int
    frame_count: int

    @property
    def sample_count(self) -> int:
        """Samples in all: the same time at 44.1 kHz, halves rounded up, as soxr counts."""
        return (2 * self.frame_count * CD_RATE + self.rate) // (2 * self.rate)

    @property
    def margin(self) -> int:
        """Frames used on both sides of a chunk.

        A whole number of periods of the two rates, so that a stretch begins on a sample.
        """
        if self.rate == CD_RATE:
            return 0
        period = self.rate // math.gcd(self.rate, CD_RATE)
        least = max(_MARGIN_FRAMES, -(-self.rate // _MARGIN_PER_RATE))
        return -(-least // period) * period

    def stretch(self, index: int) -> tuple[int, int]:
        """Return the first frame that chunk `index` needs, and one past the last."""
        first = index * self.rate
        return (
            max(0, first - self.margin),
            min(self.frame_count, first + self.rate + self.margin),
        )

    def make(self, index: int, frames: Frames) -> Samples:
        """Return chunk `index`, shape (samples, channels), made from the frames of its stretch."""
        count = min(CHUNK_SAMPLES, self.sample_count - index * CHUNK_SAMPLES)
        return dithered(self.resampled(index, frames, count), stream=index)

    def resampled(self, index: int, frames: Frames, count: int) -> Frames:
        """Return the first `count` samples of chunk `index`, before rounding."""
        if self.rate == CD_RATE:
            return frames[:count]
        import soxr

        made = soxr.resample(frames, self.rate, CD_RATE, quality="VHQ")
        first, _ = self.stretch(index)
        # Exact: stretches begin on a whole number of periods.
        skip = (index * self.rate - first) * CD_RATE // self.rate
        wanted: Frames = made[skip : skip + count]
        return wanted


def dithered(frames: Frames, *, stream: int) -> Samples:
    """Return frames rounded to 16 bits after triangular dither of one step each side, clipped.

    The error that is left does not depend on the sound: mean 0, variance 1/4 step (2/12 from
    the dither, 1/12 from rounding), that is -96.3 dB of full scale (Lipshitz, Wannamaker and
    Vanderkooy, "Quantization and Dither: A Theoretical Survey", J. Audio Eng. Soc. 40, 1992).

    Args:
        frames: shape (frames, channels), full scale at 1.0.
        stream: the number of the dither to use; equal numbers give equal dither.
    """
    # Raw words, because numpy promises these for ever, but not what it makes of them (NEP 19).
    # A word serves two values: 16 bits each are finer than any ear or meter.
    words = np.random.Philox(key=[_SEED, stream]).random_raw(-(-frames.size // 2))
    evens = words.astype("<u8", copy=False).view("<u2")
    # The difference of two even distributions is a triangle from -1 to 1.
    levels: Frames = np.subtract(
        evens[: frames.size], evens[frames.size : 2 * frames.size], dtype=np.float64
    ).reshape(frames.shape)
    levels /= 1 << 16
    levels += frames * _FULL_SCALE
    np.rint(levels, out=levels)
    np.clip(levels, -_FULL_SCALE, _FULL_SCALE - 1, out=levels)
    return levels.astype(np.int16)
