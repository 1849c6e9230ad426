"""Sound for a track at once: bare samples in whole sectors, four seconds at least."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final

from rawcd.creator.material import take
from rawcd.errors import AuthoringError, FormatError, StorageError
from rawcd.hresults import HResult
from rawcd.mastering.formats2.given import Guarded, seekable, spooled
from rawcd.mastering.formats2.refusals import refusal
from rawcd.mastering.formats2.states import TAO
from rawcd.source import SAMPLE_BYTES, SECTOR_BYTES, BlockSource, Source

if TYPE_CHECKING:
    from rawcd.errors import MasteringError
    from rawcd.source import Bytes2D

SHORTEST_TRACK: Final = 300
"""Four seconds (IEC 60908)."""
_UNSUITED: Final = TAO.stream


class TrackSound:
    """Sectors of sound, silence behind them up to four seconds, and a sum over what was read.

    Args:
        source: the sectors.

    Raises:
        StorageError: it does not say how many it has.

    Attributes:
        name: the source's.
        block_size: 2,352.
        block_count: 300 at least.
    """

    def __init__(self, source: Source) -> None:
        self._source = Guarded(source)
        self.name = source.name
        self.block_size = SECTOR_BYTES
        self.block_count = max(SHORTEST_TRACK, source.block_count)
        self._sum = hashlib.blake2b(digest_size=16)
        self._summed = 0

    def read(self, start: int, count: int) -> bytes:
        """Return sectors; see `Source`."""
        import numpy as np

        rows = np.empty((count, SECTOR_BYTES), np.uint8)
        self.read_into(start, rows)
        return rows.tobytes()

    def read_into(self, start: int, rows: Bytes2D) -> None:
        """Fill rows with sectors; see `ReadsInto`."""
        held = min(max(0, self._source.block_count - start), len(rows))
        if held:
            self._source.read_into(start, rows[:held])
        rows[held:] = 0
        if start == self._summed:  # a burn reads from the first sector to the last
            self._sum.update(rows.tobytes())
            self._summed += len(rows)

    @property
    def digest(self) -> bytes | None:
        """The sum over all sectors; None as long as not all were read."""
        return self._sum.digest() if self._summed == self.block_count else None


def track_sound(data: Any) -> TrackSound:
    """Take what was given as sound.

    A binary file object, bytes, an array or a Source is bare samples, as IMAPI has it: 44.1 kHz,
    16 bits, stereo, little-endian, without any header. A path is a sound file, and decoded. An end
    inside a sector is filled with silence.

    Raises:
        MasteringError: E_POINTER, E_INVALIDARG, STREAM_NOT_SUPPORTED 050D: it is empty, ends
            inside a sample, or cannot be read.
    """
    if data is None:
        raise refusal(HResult.E_POINTER, "add_audio_track: no sound was given")
    try:
        source, missing = _taken(data)
        sound = TrackSound(source)
    except AuthoringError as error:
        raise refusal(HResult.E_INVALIDARG, str(error)) from error
    except (StorageError, FormatError) as error:
        raise _unsuited(str(error)) from error
    if not source.block_count:
        raise _unsuited(f"{source.name} is empty")
    if missing % SAMPLE_BYTES:
        raise _unsuited(
            f"{source.name} ends inside a sample of {SAMPLE_BYTES} bytes: it is no 16-bit stereo"
        )
    return sound


def _unsuited(why: str) -> MasteringError:
    return refusal(_UNSUITED, f"add_audio_track: {why}")


def _taken(data: Any) -> tuple[Source, int]:
    """Return sectors and how many bytes of the last one were filled."""
    if hasattr(data, "read") and not isinstance(data, Source):
        reader = seekable(data) or spooled(data)
        source = BlockSource(reader, pad=True)
        return source, source.block_count * SECTOR_BYTES - reader.size
    material = take(data, what="add_audio_track", strict=False)
    return material.source, material.missing_bytes
