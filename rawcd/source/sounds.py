"""16-bit stereo samples: as they stand in a reader, and stretches of them end to end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rawcd.errors import StorageError
from rawcd.source.blocks import check_range
from rawcd.source.protocols import SAMPLE_BYTES, SECTOR_BYTES, SECTOR_SAMPLES
from rawcd.source.readers import paths_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np
    import numpy.typing as npt

    from rawcd.source.protocols import Bytes2D, Reader, Samples, Sound


class PcmSound:
    """16-bit 44.1 kHz stereo samples as they stand in a reader, passed bit for bit.

    Args:
        reader: where the bytes are.
        offset: first byte of sample 0.
        sample_count: None takes all whole samples to the reader's end.
        big_endian: the samples are stored high byte first (AIFF, MOTOROLA).
    """

    def __init__(
        self,
        reader: Reader,
        *,
        offset: int = 0,
        sample_count: int | None = None,
        big_endian: bool = False,
    ) -> None:
        self._reader = reader
        self._offset = offset
        self._big_endian = big_endian
        held = max(0, reader.size - offset) // SAMPLE_BYTES
        self.sample_count = held if sample_count is None else sample_count
        if self.sample_count > held:
            raise StorageError(f"holds {held} samples, not {self.sample_count}", file=reader.name)

    @property
    def name(self) -> str:
        """The reader's name."""
        return self._reader.name

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files behind it."""
        return paths_of(self._reader)

    def read_samples(self, start: int, count: int) -> Samples:
        """Return samples `start` to `start + count`; see `Sound`."""
        import numpy as np

        samples = np.empty((count, 2), "<i2")
        self.read_samples_into(start, samples.reshape(-1).view(np.uint8))
        return samples.astype(np.int16, copy=False)

    def read_samples_into(self, start: int, flat: npt.NDArray[np.uint8]) -> None:
        """Fill contiguous bytes with samples from `start` on, little-endian as on the disc."""
        count = len(flat) // SAMPLE_BYTES
        check_range(self.name, start, count, self.sample_count)
        if count:
            self._reader.read_at(self._offset + start * SAMPLE_BYTES, flat.data)
            if self._big_endian:
                flat.view("<i2").byteswap(inplace=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundPart:
    """A stretch of a Sound.

    Attributes:
        sound: where the samples come from.
        start: its first sample.
        count: how many.
    """

    sound: Sound
    start: int
    count: int


class JoinedSound:
    """Stretches of sound end to end, as 2,352-byte blocks; the last block is filled with silence.

    A part may end anywhere: the next one goes on with the very next sample.
    """

    def __init__(self, parts: Sequence[SoundPart]) -> None:
        self.block_size = SECTOR_BYTES
        self.parts = tuple(part for part in parts if part.count)
        self._ends: list[int] = []
        total = 0
        for part in self.parts:
            check_range(part.sound.name, part.start, part.count, part.sound.sample_count)
            total += part.count
            self._ends.append(total)
        self.sample_count = total
        self.block_count = -(-total // SECTOR_SAMPLES)

    @property
    def name(self) -> str:
        """The name of the first sound, and how many follow."""
        names = list(dict.fromkeys(part.sound.name for part in self.parts))
        if not names:
            return "<no sound>"
        return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files behind it."""
        return tuple(dict.fromkeys(path for part in self.parts for path in paths_of(part.sound)))

    def read(self, start: int, count: int) -> bytes:
        """Return blocks `start` to `start + count`; see `Source`."""
        import numpy as np

        rows = np.empty((count, SECTOR_BYTES), np.uint8)
        self.read_into(start, rows)
        return rows.tobytes()

    def read_into(self, start: int, rows: Bytes2D) -> None:
        """Fill `rows`, one block a row; see `ReadsInto`."""
        import numpy as np

        check_range(self.name, start, len(rows), self.block_count)
        # Samples cross block borders, so they are laid end to end first; the copy stays in cache.
        flat = rows.reshape(-1) if rows.flags.c_contiguous else np.empty(rows.size, np.uint8)
        position = start * SECTOR_SAMPLES
        end = position + len(rows) * SECTOR_SAMPLES
        first_byte = 0
        for part, part_end in zip(self.parts, self._ends, strict=True):
            if part_end <= position:
                continue
            if position >= end:
                break
            count = min(part_end, end) - position
            last_byte = first_byte + count * SAMPLE_BYTES
            _read_sound_into(
                part.sound,
                part.start + part.count - (part_end - position),
                flat[first_byte:last_byte],
            )
            position += count
            first_byte = last_byte
        flat[first_byte:] = 0
        if not rows.flags.c_contiguous:
            rows[:] = flat.reshape(rows.shape)


def _read_sound_into(sound: Sound, start: int, flat: npt.NDArray[np.uint8]) -> None:
    """Fill contiguous bytes with samples, the short way where the sound offers one.

    Raises:
        StorageError: they cannot be had, or are not what was asked for.
    """
    import numpy as np

    straight = getattr(sound, "read_samples_into", None)
    if straight is not None:
        straight(start, flat)
    else:
        room = flat.view("<i2").reshape(-1, 2)
        samples = np.asarray(sound.read_samples(start, len(room)))
        # Numbers of other kinds would wrap in silence, and a single column fill both.
        if samples.dtype.newbyteorder("=") != np.int16 or samples.shape != room.shape:
            raise StorageError(
                f"gave {samples.dtype} {samples.shape} for samples {start} to "
                f"{start + len(room)}; a Sound gives int16 {room.shape}",
                file=sound.name,
            )
        room[:] = samples
