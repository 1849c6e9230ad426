"""Decoded sound: any sound file as 16-bit stereo samples at 44.1 kHz.

```python
sound = open_sound(FileBytes("01.flac"))
sound.sample_count, sound.facts.rate, sound.remarks
samples = sound.read_samples(0, 588)  # (588, 2) int16
```

Files that hold 16 bits, 44.1 kHz and two channels pass bit for bit. Everything else is decoded
to floating point, resampled (soxr VHQ) where its rate differs, dithered and rounded to 16 bits;
any cut gives the same samples. What was done is told in `remarks`.

Importing this package imports neither numpy, construct, soundfile nor soxr; they are imported
when a sound that needs them is opened. Nothing else in the house imports soundfile or soxr.
"""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING, Final, Literal

from rawcd.audio.facts import CD_RATE, PlainSound, Remark, SoundFacts, fresh
from rawcd.errors import FormatError, MissingExtraError, UnsupportedError
from rawcd.source import SAMPLE_BYTES

if TYPE_CHECKING:
    from typing import TypeAlias

    from rawcd.audio.decode import DecodedSound
    from rawcd.source import Reader

    OpenedSound: TypeAlias = PlainSound | DecodedSound
    """What `open_sound` gives: a `rawcd.source.Sound` with `facts` and `remarks`."""

__all__ = [
    "CD_RATE",
    "SAMPLES_SUFFIXES",
    "SOUND_SUFFIXES",
    "PlainSound",
    "Remark",
    "SoundFacts",
    "is_sound",
    "open_sound",
]

SOUND_SUFFIXES: Final = (".wav", ".flac", ".aiff", ".aif", ".mp3", ".ogg", ".opus")
"""The usual names of sound files, in the order in which a sheet's missing file is looked for."""
SAMPLES_SUFFIXES: Final = (".bin", ".raw", ".pcm", ".cdda", ".cdr")
"""Names of files without a header: little-endian stereo samples, unless the content is sound."""

_Kind = Literal["wav", "aiff", "ogg", "coded", "packed", "samples"]
_HEAD_BYTES: Final = 16
# How each container begins: a mark, and where a second one must follow. MP3 is here by its tag
# alone: it has no mark of its own, and what libsndfile takes for MP3 may be anything.
_MARKS: Final[tuple[tuple[bytes, int, bytes, _Kind], ...]] = (
    (b"RIFF", 8, b"WAVE", "wav"),
    (b"RF64", 8, b"WAVE", "wav"),
    (b"FORM", 8, b"AIFF", "aiff"),
    (b"FORM", 8, b"AIFC", "aiff"),
    (b"RIFX", 8, b"WAVE", "coded"),
    (b"fLaC", 4, b"", "coded"),
    (b"OggS", 4, b"", "ogg"),
    (b"ID3", 3, b"", "coded"),
    (b"caff", 4, b"", "coded"),
    (b"riff", 4, b"\x2e\x91\xcf\x11", "coded"),  # Sony Wave64: a GUID, not a chunk name
    (b".snd", 4, b"", "coded"),
    (b"Creative Voice F", 16, b"", "coded"),
    (b"wvpk", 4, b"", "packed"),
    (b"MAC ", 4, b"", "packed"),
)


def is_sound(reader: Reader, *, suffix: str | None = None) -> bool:
    """Tell from the first bytes, or from the name, whether `open_sound` will try the file.

    Nothing is decoded and nothing heavy is imported. True is no promise: the file may still be
    cut off or damaged.

    Args:
        reader: where the bytes are.
        suffix: the name's end, with its dot; None takes it from the reader's name.

    Raises:
        StorageError: the first bytes cannot be read.
    """
    return bool(reader.size) and _kind(fresh(reader), _suffix(reader, suffix)) is not None


def open_sound(
    reader: Reader,
    *,
    samples: Literal["little", "big"] | None = None,
    suffix: str | None = None,
) -> OpenedSound:
    """Return the 16-bit 44.1 kHz stereo samples of a sound file; see `rawcd.source.Sound`.

    The content decides: WAV, AIFF, FLAC, Ogg Vorbis, Opus and the rarer kinds libsndfile knows
    (RF64, Wave64, AU, CAF, VOC); APE and WavPack by the extra `av`. MP3 is taken by its ID3 tag
    or the name `.mp3`. What has none of these marks is taken as little-endian stereo samples
    under one of `SAMPLES_SUFFIXES`, and else refused.

    The file is measured now and closed again; it is opened by the first read, and compared then.

    * Mono is given twice. More than two channels are refused: mixing them is the author's.
    * A rate other than 44,100 gives `frames * 44100 / rate` samples, halves rounded up.
    * WAV and AIFF whose data ends early are refused; a WAV that says 0, FFFFFFFFh or 7FFFF000h
      bytes of data (as programs do that write into a pipe) goes on to the end of the file, with
      the remark `streamed-wav-length`. A rest that is no whole frame is dropped, with the remark
      `partial-sample-dropped`.
    * Ogg that ends inside a page is refused; where the last page does not say that it is, the
      remark is `no-end-of-stream`.

    Args:
        reader: where the bytes are.
        samples: take the bytes as samples of this byte order without looking at them (BINARY
            and MOTOROLA in a sheet).
        suffix: the name's end, with its dot; None takes it from the reader's name.

    Raises:
        FormatError: the file is no sound, is cut off, or holds no samples.
        StorageError: it cannot be read, or is not the file that was measured.
        UnsupportedError: it has more than two channels, or soundfile cannot be loaded.
        MissingExtraError: it is APE or WavPack, and PyAV is not installed.
    """
    if samples is not None:
        return _bare_samples(reader, big_endian=samples == "big")
    if not reader.size:
        raise FormatError("is empty: there is no sound in it", file=reader.name)
    header = fresh(reader)
    kind = _kind(header, _suffix(reader, suffix))
    if kind == "samples":
        return _bare_samples(reader, big_endian=False)
    if kind is None:
        raise FormatError(
            "is no sound: expected WAV, AIFF, FLAC, Ogg Vorbis, Opus or MP3, or 16-bit stereo "
            f"samples in a file named {' '.join(SAMPLES_SUFFIXES)}",
            file=reader.name,
        )
    remarks: tuple[Remark, ...] = ()
    through = None
    if kind == "packed":
        return _packed(reader)
    if kind == "ogg":
        from rawcd.audio.ogg import check_end

        remarks = check_end(header)
    elif kind != "coded":
        from rawcd.audio.containers import find_payload

        payload = find_payload(header)
        remarks = payload.remarks
        if payload.plain is not None:
            return PlainSound(
                reader,
                container=payload.container,
                offset=payload.offset,
                sample_count=payload.frame_count,
                big_endian=payload.plain == "big",
                remarks=remarks,
            )
        through = payload.mended if payload.size_field is not None else None
    try:
        from rawcd.audio.decode import DecodedSound
    except (ImportError, OSError) as error:  # soundfile reports a missing libsndfile as OSError
        raise UnsupportedError(
            f"{reader.name}: needs the soundfile library, which cannot be loaded: {error}"
        ) from error
    return DecodedSound(reader, through=through, remarks=remarks)


def _packed(reader: Reader) -> DecodedSound:
    """Open APE or WavPack.

    Raises:
        MissingExtraError: PyAV is not there.
    """
    try:
        from rawcd.audio.packed import PackedDecoder
    except MissingExtraError as error:
        raise MissingExtraError(f"{reader.name}: {error}", extra=error.extra) from error
    from rawcd.audio.decode import DecodedSound

    return DecodedSound(reader, decoder=PackedDecoder(reader))


def _suffix(reader: Reader, given: str | None) -> str:
    # What was unpacked has a name of its own beside that of the file it came from.
    name = getattr(reader, "plain_name", reader.name)
    return (PurePath(name).suffix if given is None else given).lower()


def _kind(reader: Reader, suffix: str) -> _Kind | None:
    """Return how to read the file, or None when it is no sound."""
    head = bytearray(min(_HEAD_BYTES, reader.size))
    reader.read_at(0, head)
    for mark, at, second, kind in _MARKS:
        if head.startswith(mark) and head.startswith(second, at):
            return kind
    if suffix in SAMPLES_SUFFIXES:
        return "samples"
    return "coded" if suffix == ".mp3" else None


def _bare_samples(reader: Reader, *, big_endian: bool) -> PlainSound:
    """Return a whole file as samples.

    Raises:
        FormatError: it is empty or no whole number of samples.
    """
    count, rest = divmod(reader.size, SAMPLE_BYTES)
    if rest:
        raise FormatError(
            f"has {reader.size} bytes, which leaves {rest} after {count} samples of "
            f"{SAMPLE_BYTES} bytes; 16-bit stereo samples were expected",
            file=reader.name,
        )
    if not count:
        raise FormatError("is empty: there is no sound in it", file=reader.name)
    return PlainSound(reader, container="RAW", offset=0, sample_count=count, big_endian=big_endian)
