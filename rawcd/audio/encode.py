"""Samples as a disc has them into sound files: WAVE, and FLAC through libsndfile.

Both hold 16-bit stereo samples at 44.1 kHz bit for bit.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, Protocol, Self

import construct

from rawcd.audio.facts import CD_RATE
from rawcd.audio.tags import flac_head_with
from rawcd.errors import StorageError, UnsupportedError
from rawcd.source import SAMPLE_BYTES

if TYPE_CHECKING:
    from types import TracebackType

    from _typeshed import ReadableBuffer

    from rawcd.audio.tags import Tags

_CHANNELS: Final = 2
_TAG_PCM: Final = 1
# RIFF/WAVE: Microsoft's "Multimedia Programming Interface and Data Specifications 1.0".
_WAVE_HEAD: Final = construct.Struct(
    "riff" / construct.Const(b"RIFF"),
    "riff_size" / construct.Int32ul,
    "wave" / construct.Const(b"WAVEfmt "),
    "format_size" / construct.Const(16, construct.Int32ul),
    "tag" / construct.Const(_TAG_PCM, construct.Int16ul),
    "channels" / construct.Const(_CHANNELS, construct.Int16ul),
    "rate" / construct.Const(CD_RATE, construct.Int32ul),
    "byte_rate" / construct.Const(CD_RATE * SAMPLE_BYTES, construct.Int32ul),
    "frame_bytes" / construct.Const(SAMPLE_BYTES, construct.Int16ul),
    "bits" / construct.Const(16, construct.Int16ul),
    "data" / construct.Const(b"data"),
    "data_size" / construct.Int32ul,
)
WAVE_HEAD_BYTES: Final = 44
_BEHIND_SIZE: Final = WAVE_HEAD_BYTES - 8

Patch = Callable[[int, bytes], None]
"""Writes bytes over those at a place of a file."""


def wave_head(sample_count: int, *, behind: int = 0) -> bytes:
    """Return what stands before so many samples in a WAVE file.

    Args:
        sample_count: less than 2**30, which is more than six hours.
        behind: bytes of the chunks that follow the samples.
    """
    size = sample_count * SAMPLE_BYTES
    head = _WAVE_HEAD.build({"riff_size": _BEHIND_SIZE + size + behind, "data_size": size})
    assert isinstance(head, bytes)
    return head


class Output(Protocol):
    """Where a file's bytes go, from the first to the last."""

    @property
    def name(self) -> str:
        """What a message calls it."""
        ...

    def write(self, data: ReadableBuffer) -> None:
        """Write what follows."""
        ...


class _Gathered:
    """The file that libsndfile writes to: it takes all that comes, and whoever calls fetches it.

    It is called out of C, through which no exception passes; and one that is caught there keeps
    the frames below it, whose buffers of C's crash the interpreter when they are collected. So
    nothing that can fail is done here.
    """

    def __init__(self) -> None:
        self._pieces: list[tuple[int, bytes]] = []
        self._at = self._end = 0

    def write(self, data: bytes) -> int:
        self._pieces.append((self._at, data))
        self._at += len(data)
        self._end = max(self._end, self._at)
        return len(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._end}[whence]
        self._at = base + offset
        return self._at

    def tell(self) -> int:
        return self._at

    def read(self, _: int) -> bytes:
        return b""

    def fetch(self) -> list[tuple[int, bytes]]:
        """Return what came since the last time, and the places where it goes."""
        found, self._pieces = self._pieces, []
        return found


class _Tagging:
    """An output whose file's comments are exchanged on the way.

    The encoder comes back to what stands before them alone.
    """

    def __init__(self, output: Output, patch: Patch, tags: Tags) -> None:
        self.name = output.name
        self._output = output
        self._patch = patch
        self._tags = tags
        self._head: bytes | None = b""

    def write(self, data: ReadableBuffer) -> None:
        if self._head is None:
            self._output.write(data)
            return
        self._head += bytes(data)
        made = flac_head_with(self._head, self._tags)
        if made is not None:
            self._head = None
            self._output.write(made)

    def patch(self, place: int, data: bytes) -> None:
        if self._head is None:
            self._patch(place, data)
        else:
            self._head = self._head[:place] + data + self._head[place + len(data) :]


class FlacWriter:
    """Makes a FLAC file of samples; used as a context manager, which completes it.

    Its beginning tells its length and checksum, when both are known at its end: so it is written
    from the first byte to the last, and then once more at its beginning.

    At least one sample must be written: libsndfile makes no FLAC file of none.

    Args:
        output: where it goes.
        patch: writes bytes over those at a place of the file.
        tags: its comments.

    Raises:
        StorageError: it cannot be written.
        UnsupportedError: soundfile cannot be loaded.
    """

    def __init__(self, output: Output, patch: Patch, *, tags: Tags = ()) -> None:
        try:
            import soundfile
        except (ImportError, OSError) as error:  # a missing libsndfile is an OSError
            raise UnsupportedError(
                f"{output.name}: needs the soundfile library, which cannot be loaded: {error}"
            ) from error
        self._name = output.name
        if tags:
            output = _Tagging(output, patch, tags)
            patch = output.patch
        self._output = output
        self._patch = patch
        self._written = 0
        self._gathered = _Gathered()
        # It asserts that all was written.
        self._failures = (soundfile.SoundFileError, AssertionError)
        file: Any = self._gathered  # soundfile wants what it calls of a file, and no more
        try:
            self._sound: Any = soundfile.SoundFile(
                file, "w", CD_RATE, _CHANNELS, "PCM_16", format="FLAC"
            )
        except self._failures as error:
            raise self._problem(error) from error

    def _problem(self, error: Exception) -> StorageError:
        return StorageError(f"cannot encode: {error}", file=self._name)

    def _pass_on(self) -> None:
        """Write what was encoded: what follows goes to the output, the rest back."""
        for place, data in self._gathered.fetch():
            if place == self._written:
                self._output.write(data)
                self._written += len(data)
            else:
                self._patch(place, data)

    def write(self, data: ReadableBuffer) -> None:
        """Encode samples as a disc has them: whole ones, low byte first.

        Raises:
            StorageError: they cannot be written.
        """
        import numpy as np

        samples = np.frombuffer(memoryview(data).cast("B"), "<i2").astype(np.int16, copy=False)
        try:
            self._sound.buffer_write(samples.data, dtype="int16")
        except self._failures as error:
            raise self._problem(error) from error
        self._pass_on()

    def close(self) -> None:
        """Complete the file.

        Raises:
            StorageError: it cannot be written.
        """
        try:
            self._sound.close()
        except self._failures as error:
            raise self._problem(error) from error
        self._pass_on()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self.close()
        else:
            with suppress(*self._failures):
                self._sound.close()
