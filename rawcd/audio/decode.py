"""Sound that libsndfile decodes, as 16-bit stereo samples at 44.1 kHz."""

from __future__ import annotations

import os
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np
import soundfile

from rawcd.audio.convert import CHUNK_SAMPLES, Conversion
from rawcd.audio.facts import CD_RATE, Remark, SoundFacts, fresh
from rawcd.audio.mpeg import without_length
from rawcd.errors import FormatError, StorageError, UnsupportedError
from rawcd.source import SAMPLE_BYTES, FileBytes, check_range, paths_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import numpy.typing as npt
    from _typeshed import WriteableBuffer

    from rawcd.audio.convert import Frames
    from rawcd.source import Reader, Samples

# Encodings whose every value is a 16-bit number: read as such they need no dither.
_WITHIN_16_BITS: Final = frozenset({"PCM_16", "PCM_S8", "PCM_U8", "ALAC_16", "ULAW", "ALAW"})
_ENCODING_NAMES: Final = {
    "PCM_24": "24-bit samples",
    "PCM_32": "32-bit samples",
    "FLOAT": "floating-point samples",
    "DOUBLE": "floating-point samples",
    "MPEG_LAYER_III": "MP3",
    "VORBIS": "Vorbis",
    "OPUS": "Opus",
}
_RATES: Final = range(1_000, 768_001)  # outside it is a damaged header, not a sound
_SYSTEM_ERROR: Final = 2  # SF_ERR_SYSTEM in sndfile.h: the file could not be read
_BAD_FILE: Final = 7  # what mpg123 makes of junk; its text speaks of missing files and pipes
_NO_LENGTH: Final = 1 << 62  # libsndfile gives 2**63 - 1 where a stream does not say
_LOUDEST: Final = 1e6  # full scale is 1.0: far above any sound, far below overflow
# FLAC and plain samples are found exactly. Vorbis needs a run-up: 8,192 frames sufficed wherever
# 2,048 did not, and a second is safe. Opus (its speech mode foresees without end) and MP3 (its
# frames borrow bits from earlier ones, and mpg123 rounds mono otherwise after a seek) are never
# sought in: going back begins anew. A minute of MP3 takes some 0.1 s, of Opus 0.4 s.
_NEVER_SOUGHT: Final = frozenset({"OPUS", "MPEG_LAYER_I", "MPEG_LAYER_II", "MPEG_LAYER_III"})
_RUN_UP_FRAMES: Final = 8_192
_DAMAGED: Final = "it is cut off or damaged; copy it or make it again"

_UNREADABLE: Final = (
    "it is cut off, damaged, or of a kind that libsndfile does not read; copy it or make it "
    "again, for example with: ffmpeg -i IN OUT.flac"
)


class _Flowing(soundfile.SoundFile):  # type: ignore[misc]  # soundfile has no types
    """A SoundFile that stays where a read left it.

    soundfile seeks to the end of each read from a file that can seek, where the decoder stands
    already; FLAC then decodes a block twice.
    """

    def seekable(self) -> bool:
        """Return False, to reads; `seek` does not ask."""
        return False


class _Window:
    """The file object that soundfile wants, over a reader.

    C code calls it and cannot pass an exception on: the first one is kept for the caller.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._at = 0
        self.error: BaseException | None = None

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move and return the position."""
        self._at = offset + {os.SEEK_CUR: self._at, os.SEEK_END: self._reader.size}.get(whence, 0)
        return self._at

    def tell(self) -> int:
        """Return the position."""
        return self._at

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Read what is there, at most the buffer, and return its length; 0 after an error."""
        view = memoryview(buffer).cast("B")
        count = max(0, min(len(view), self._reader.size - self._at))
        try:
            self._reader.read_at(self._at, view[:count])
        except BaseException as error:  # Decoder raises it again
            self.error = self.error or error
            return 0
        self._at += count
        return count


class FrameDecoder(Protocol):
    """What a `DecodedSound` is made of: frames by number.

    Attributes:
        rate: frames in a second.
        channels: 1 or 2.
        frame_count: frames in all.
        container: the format's name.
        encoding: the name of what a sample is, as libsndfile has it.
    """

    rate: int
    channels: int
    frame_count: int
    container: str
    encoding: str

    def read(self, first: int, out: npt.NDArray[np.int16] | Frames) -> None:
        """Fill `out`, shape (frames, channels), with frames from `first` on."""
        ...


def check_measures(decoder: FrameDecoder, name: str) -> None:
    """Refuse what no disc can be made of.

    Raises:
        FormatError: the file says of itself what cannot be.
        UnsupportedError: it has more than two channels.
    """
    if decoder.channels not in (1, 2):
        raise UnsupportedError(
            f"{name}: has {decoder.channels} channels, a disc has two; mix it to stereo first, "
            "for example with: ffmpeg -i IN -ac 2 OUT.wav",
            lost=[f"channels 3 to {decoder.channels}"],
        )
    if decoder.rate not in _RATES:
        raise FormatError(
            f"gives a rate of {decoder.rate} Hz; {_RATES[0]} to {_RATES[-1]} can be read",
            file=name,
        )
    if decoder.frame_count >= _NO_LENGTH:
        raise FormatError(
            "does not tell its length, as programs write into a pipe; write it to a file "
            "again, for example with: ffmpeg -i IN OUT.flac",
            file=name,
        )
    if decoder.frame_count <= 0:
        raise FormatError("holds no samples", file=name)


class Decoder:
    """libsndfile over a reader: frames by number.

    It is opened to be measured and closed again; then opened by the first read, and closed when
    the last frame has been read, so that a disc of 99 tracks does not hold 99 files open.

    Args:
        reader: where the bytes are.
        through: makes the reader that libsndfile gets, when it needs other bytes.

    Attributes:
        rate: frames in a second.
        channels: 1 or 2.
        frame_count: frames in all.
        container: libsndfile's name of the format.
        encoding: libsndfile's name of the subtype.

    Raises:
        FormatError: the content cannot be decoded.
        StorageError: the file cannot be read.
        UnsupportedError: it has more than two channels.
    """

    def __init__(
        self, reader: Reader, *, through: Callable[[Reader], Reader] | None = None
    ) -> None:
        self._reader = reader
        self._through = through
        self._window: _Window | None = None
        self._file: soundfile.SoundFile | None = None
        self._position = 0
        file = self._open()
        self.rate: int = file.samplerate
        self.channels: int = file.channels
        self.frame_count: int = file.frames
        self.container: str = "WAV" if file.format == "WAVEX" else file.format
        self.encoding: str = file.subtype
        self.close()
        check_measures(self, reader.name)
        self._run_up = max(self.rate, _RUN_UP_FRAMES) if self.container == "OGG" else 0
        self._seeks = self.encoding not in _NEVER_SOUGHT
        if self.container == "MP3" and without_length(fresh(reader)) is not None:
            self._through = lambda stream: without_length(stream) or stream
            self.frame_count = self._count()

    def _count(self) -> int:
        """Decode everything to see how much there is; some 100 times faster than it sounds."""
        count = 0
        block = np.empty((self.rate, self.channels), np.float32)
        file = self._open()
        with self._our_errors("cannot be decoded to its end"):
            while got := len(file.read(out=block)):
                count += got
        self.close()
        return count

    def _open(self) -> soundfile.SoundFile:
        self.close()
        reader = self._reader
        with self._our_errors("cannot be opened", _UNREADABLE):
            source: Any
            if self._through is not None:
                source = self._window = _Window(self._through(fresh(reader)))
            elif isinstance(reader, FileBytes):
                reader.check_unchanged()
                # As bytes, a name that is no UTF-8 passes too; Windows wants text.
                source = str(reader.path) if os.name == "nt" else os.fsencode(reader.path)
            else:
                source = self._window = _Window(reader)
            self._file = _Flowing(source)
        return self._file

    def close(self) -> None:
        """Close what is open; the next read opens it again."""
        if self._file is not None:
            self._file.close()
        self._file = self._window = None
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
        end = first + len(out)
        file = self._file or self._open()
        if not self._seeks and first < self._position:
            file = self._open()
        with self._our_errors(f"cannot be decoded between samples {first} and {end}"):
            self._go_to(file, first)
            got = len(file.read(out=out))
        self._position += got
        if got < len(out):
            self.close()
            raise FormatError(
                f"ends at sample {first + got} of {self.frame_count}: {_DAMAGED}",
                file=self._reader.name,
            )
        if self._position == self.frame_count:
            self.close()

    def _go_to(self, file: soundfile.SoundFile, first: int) -> None:
        """Bring the decoder to a frame, with the run-up that its kind needs."""
        if first == self._position:
            return
        start = max(0, first - self._run_up)
        # Ahead within the run-up, reading on is no more work than seeking, and surely exact.
        if self._seeks and not start <= self._position <= first:
            file.seek(start)
            self._position = start
        skipped = np.empty((min(first - self._position, self.rate), self.channels))
        while self._position < first:
            got = len(file.read(out=skipped[: first - self._position]))
            if not got:
                return
            self._position += got

    @contextmanager
    def _our_errors(self, trouble: str, remedy: str = _DAMAGED) -> Iterator[None]:
        """Turn the library's errors into ours; afterwards the file is closed."""
        name = self._reader.name
        try:
            yield
        except soundfile.SoundFileError as error:
            self._close_and_raise_kept(error)
            code = getattr(error, "code", None)
            why = getattr(error, "error_string", str(error)).removeprefix("Error : ").rstrip(".")
            if code == _SYSTEM_ERROR:
                raise StorageError(f"{trouble}: {why}", file=name) from error
            because = "" if code == _BAD_FILE else f" ({why})"
            raise FormatError(f"{trouble}{because}: {remedy}", file=name) from error
        except BaseException:
            self.close()
            raise
        if self._window is not None and self._window.error is not None:
            self._close_and_raise_kept(None)

    def _close_and_raise_kept(self, error: Exception | None) -> None:
        """Close, and raise what the reader raised while the library was calling it."""
        kept = self._window.error if self._window is not None else None
        self.close()
        if kept is not None:
            raise kept from error


class DecodedSound:
    """A sound file as 16-bit stereo samples at 44.1 kHz; see `rawcd.source.Sound`.

    Threads may share it; they wait for one another.

    Args:
        reader: where the bytes are.
        through: makes the reader that the decoder gets, when it needs other bytes.
        decoder: decodes it; None is libsndfile.
        remarks: what is known already.

    Attributes:
        sample_count: stereo samples at 44.1 kHz.
        facts: what the file holds.
        remarks: what is done to it.

    Raises:
        FormatError: the content cannot be decoded.
        StorageError: the file cannot be read.
        UnsupportedError: it has more than two channels.
    """

    def __init__(
        self,
        reader: Reader,
        *,
        through: Callable[[Reader], Reader] | None = None,
        decoder: FrameDecoder | None = None,
        remarks: tuple[Remark, ...] = (),
    ) -> None:
        self._reader = reader
        self._decoder = decoder = decoder or Decoder(reader, through=through)
        check_measures(decoder, reader.name)
        exact = decoder.rate == CD_RATE and decoder.encoding in _WITHIN_16_BITS
        self.facts = SoundFacts(
            container=decoder.container,
            encoding=decoder.encoding,
            rate=decoder.rate,
            channels=decoder.channels,
            frame_count=decoder.frame_count,
            exact=exact,
        )
        self.remarks = (*remarks, *_work(self.facts))
        self._conversion = Conversion(rate=decoder.rate, frame_count=decoder.frame_count)
        self.sample_count = self._conversion.sample_count
        if not self.sample_count:
            raise FormatError("is too short for one sample at 44100 Hz", file=reader.name)
        self._made: dict[int, Samples] = {}
        self._held_first = 0
        self._held: Frames = np.empty((0, decoder.channels))
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """The reader's name."""
        return self._reader.name

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files behind it."""
        return paths_of(self._reader)

    def read_samples(self, start: int, count: int) -> Samples:
        """Return samples `start` to `start + count`, shape (count, 2).

        Raises:
            FormatError: they cannot be decoded.
            StorageError: the file cannot be read, or is not the one that was measured.
        """
        check_range(self.name, start, count, self.sample_count)
        samples = np.empty((count, 2), np.int16)
        self._fill(start, samples)
        return samples

    def read_samples_into(self, start: int, flat: npt.NDArray[np.uint8]) -> None:
        """Fill contiguous bytes with samples from `start` on, little-endian as on the disc."""
        check_range(self.name, start, len(flat) // SAMPLE_BYTES, self.sample_count)
        samples: Samples = flat.view("<i2").reshape(-1, 2)
        if sys.byteorder == "little" and samples.flags.aligned:
            self._fill(start, samples)
        else:
            samples[:] = self.read_samples(start, len(samples))

    def _fill(self, start: int, samples: Samples) -> None:
        with self._lock:
            if not self.facts.exact:
                self._fill_made(start, samples)
            elif self.facts.channels == samples.shape[1]:
                self._decoder.read(start, samples)
            else:
                mono = np.empty((len(samples), self.facts.channels), np.int16)
                self._decoder.read(start, mono)
                samples[:] = mono  # one column goes into both

    def _fill_made(self, start: int, samples: Samples) -> None:
        done = 0
        while done < len(samples):
            index, skipped = divmod(start + done, CHUNK_SAMPLES)
            piece = self._chunk(index)[skipped : skipped + len(samples) - done]
            samples[done : done + len(piece)] = piece
            done += len(piece)

    def _chunk(self, index: int) -> Samples:
        """Return a chunk, shape (samples, channels); the last two are kept."""
        made = self._made.pop(index, None)
        if made is None:
            made = self._conversion.make(index, self._stretch(*self._conversion.stretch(index)))
        self._made[index] = made
        while len(self._made) > 2:
            del self._made[next(iter(self._made))]
        return made

    def _stretch(self, first: int, end: int) -> Frames:
        """Return decoded frames; what the last stretch shares with this one is not read again."""
        frames: Frames = np.empty((end - first, self.facts.channels))
        held = self._held[max(0, first - self._held_first) :][: end - first]
        known = len(held) if first >= self._held_first else 0
        frames[:known] = held[:known]
        fresh = frames[known:]
        self._decoder.read(first + known, fresh)
        if len(fresh):
            with np.errstate(invalid="ignore"):
                low, high = fresh.min(), fresh.max()
            if not -_LOUDEST < low <= high < _LOUDEST:  # NaN is neither
                raise FormatError(
                    f"holds a value that is no sound (infinite, or no number) between samples "
                    f"{first + known} and {end}",
                    file=self.name,
                )
        self._held_first, self._held = first, frames
        return frames


def _work(facts: SoundFacts) -> Iterator[Remark]:
    """Tell what is done to a sound."""
    if facts.channels == 1:
        yield Remark(code="mono-to-stereo", message="mono: both channels get the same samples")
    if facts.rate != CD_RATE:
        yield Remark(
            code="resampled",
            message=f"resampled from {facts.rate} Hz to {CD_RATE} Hz (soxr VHQ), "
            "dithered to 16 bits",
        )
    elif not facts.exact:
        encoding = _ENCODING_NAMES.get(facts.encoding, facts.encoding)
        yield Remark(code="dithered", message=f"{encoding}, dithered to 16 bits")
