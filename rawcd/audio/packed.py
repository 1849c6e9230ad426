"""APE and WavPack through PyAV (the extra `av`): frames by number.

Where their frames begin is not told exactly by every file, so nothing is sought in them: going back
begins anew, going on decodes what lies between. Read in order, as discs are, it costs nothing.
"""

from __future__ import annotations

from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from rawcd.audio.facts import fresh
from rawcd.errors import FormatError, MissingExtraError

try:
    # By name: no type checker has to know an extra that may not be there.
    av: Any = import_module("av")
except ImportError as error:
    raise MissingExtraError(
        "APE and WavPack need PyAV; install it with: pip install 'rawcd[av]'", extra="av"
    ) from error

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from rawcd.audio.convert import Frames
    from rawcd.source import Reader

_DEMUXERS: Final = {b"wvpk": ("wv", "WAVPACK"), b"MAC ": ("ape", "APE")}
"""By the first four bytes: FFmpeg's name of the format, and ours."""
_ENCODINGS: Final = {"u8": "PCM_U8", "s16": "PCM_16", "s32": "PCM_24", "flt": "FLOAT"}
"""FFmpeg's sample formats in the words of libsndfile."""
_DAMAGED: Final = "it is cut off or damaged; copy it or make it again"


def _tags_ignored() -> dict[str, str]:
    """Return how PyAV is told that tags need be no UTF-8; version 19 has not to be told."""
    return {"metadata_errors": "ignore"} if int(av.__version__.partition(".")[0]) < 19 else {}


class _Window:
    """The file object that PyAV wants, over a reader; the first error is kept for the caller."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._at = 0
        self.error: Exception | None = None

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move and return the position."""
        self._at = max(0, offset + {1: self._at, 2: self._reader.size}.get(whence, 0))
        return self._at

    def tell(self) -> int:
        """Return the position."""
        return self._at

    def read(self, count: int) -> bytes:
        """Return what is there, at most so many bytes; nothing after an error."""
        held = bytearray(max(0, min(count, self._reader.size - self._at)))
        try:
            self._reader.read_at(self._at, held)
        except Exception as error:
            self.error = self.error or error
            return b""
        self._at += len(held)
        return bytes(held)


class PackedDecoder:
    """Such a file's frames; see `rawcd.audio.decode.Decoder`.

    Args:
        reader: where the bytes are.

    Raises:
        FormatError: the content cannot be decoded.
        StorageError: the file cannot be read.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._window: _Window | None = None
        self._container: Any = None
        self._frames: Iterator[npt.NDArray[Any]] = iter(())
        self._left: npt.NDArray[Any] = np.empty((0, 0))
        self._position = 0
        head = bytearray(4)
        fresh(reader).read_at(0, head)
        self._demuxer, self.container = _DEMUXERS[bytes(head)]
        stream = self._open()
        context = stream.codec_context
        self.rate: int = stream.rate or 0
        self.channels: int = context.layout.nb_channels
        name = context.format.name if context.format is not None else ""
        self.encoding: str = _ENCODINGS.get(name.removesuffix("p"), "")
        base = stream.time_base
        self.frame_count = round((stream.duration or 0) * base * self.rate) if base else 0
        self.close()
        if not self.encoding:
            raise FormatError(
                f"holds {self.container} samples of an unknown kind: {_DAMAGED}", file=reader.name
            )

    def _open(self) -> Any:
        self.close()
        with self._our_errors("cannot be opened"):
            self._window = _Window(fresh(self._reader))
            self._container = av.open(self._window, format=self._demuxer, **_tags_ignored())
            if not self._container.streams.audio:
                raise FormatError(f"holds no sound: {_DAMAGED}", file=self._reader.name)
            stream = self._container.streams.audio[0]
            self._frames = (
                frame.to_ndarray().reshape(-1, len(frame.layout.channels))
                if not frame.format.is_planar
                else frame.to_ndarray().T
                for frame in self._container.decode(stream)
            )
            return stream

    def close(self) -> None:
        """Close what is open; the next read opens it again."""
        if self._container is not None:
            self._container.close()
        self._container = self._window = None
        self._frames = iter(())
        self._left = np.empty((0, 0))
        self._position = 0

    def read(self, first: int, out: npt.NDArray[np.int16] | Frames) -> None:
        """Fill `out`, shape (frames, channels), with frames from `first` on.

        int16 gets the file's own numbers, float64 gets them with full scale at 1.0.

        Raises:
            FormatError: they cannot be decoded.
            StorageError: the file cannot be read, or is not the one that was measured.
        """
        if not len(out):
            return
        if self._container is None or first < self._position:
            self._open()
        end = first + len(out)
        with self._our_errors(f"cannot be decoded between samples {first} and {end}"):
            while self._position < end:
                if not len(self._left):
                    self._left = next(self._frames, self._left[:0])
                    if not len(self._left):
                        raise FormatError(
                            f"ends at sample {self._position} of {self.frame_count}: {_DAMAGED}",
                            file=self._reader.name,
                        )
                wanted = (first if self._position < first else end) - self._position
                taken, self._left = self._left[:wanted], self._left[wanted:]
                if self._position >= first:
                    at = self._position - first
                    out[at : at + len(taken)] = _scaled(taken, out.dtype)
                self._position += len(taken)
        if self._position == self.frame_count:
            self.close()

    @contextmanager
    def _our_errors(self, trouble: str) -> Iterator[None]:
        """Turn the library's errors into ours; afterwards the file is closed."""
        try:
            yield
        except (av.FFmpegError, ValueError) as error:
            kept = self._window.error if self._window is not None else None
            self.close()
            if kept is not None:
                raise kept from error
            if isinstance(error, FormatError):
                raise
            raise FormatError(f"{trouble} ({error}): {_DAMAGED}", file=self._reader.name) from error
        except BaseException:
            self.close()
            raise
        if self._window is not None and self._window.error is not None:
            kept = self._window.error
            self.close()
            raise kept


def _scaled(samples: npt.NDArray[Any], kind: np.dtype[Any]) -> npt.NDArray[Any]:
    """Return samples as numbers of 16 bits, or with full scale at 1.0."""
    if samples.dtype.kind == "u":
        samples = (samples.astype(np.int16) - 128) << 8
    if samples.dtype.kind == "f" or samples.dtype == kind:
        return samples
    return samples / float(-int(np.iinfo(samples.dtype).min))
