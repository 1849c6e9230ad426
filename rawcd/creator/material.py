"""Sound and data from wherever they are, as blocks: what IMAPI takes as an IStream."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, cast

from rawcd.audio import is_sound, open_sound
from rawcd.creator.refusals import refusal
from rawcd.errors import FormatError
from rawcd.image import Note
from rawcd.sector.kinds import SectorType, fitting_block_size
from rawcd.source import (
    SECTOR_BYTES,
    SECTOR_SAMPLES,
    BlockSource,
    JoinedSound,
    MemoryBytes,
    Sound,
    SoundPart,
    Source,
    StreamBytes,
    reader_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rawcd.source import Reader

SoundInput = Any
"""A path or `FileBytes`, bytes, an array, a seekable binary file object, a `Source`, a `Sound`."""
DataInput = Any
"""A path or `FileBytes`, bytes, an array of uint8, a seekable binary file object, a `Source`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """Sound or data as given: kept, not copied.

    Attributes:
        source: its blocks; the last one filled with silence where the sound ends inside it.
        missing_bytes: how much of the last block was filled.
        notes: what was done to it.
    """

    source: Source
    missing_bytes: int
    notes: tuple[Note, ...]

    @property
    def sectors(self) -> int:
        """How many blocks there are."""
        return self.source.block_count


def take(data: SoundInput, *, what: str, strict: bool) -> Material:
    """Take what was given as sound.

    Paths are sound files. A file object is decoded where it holds one; one without a name, or
    named as samples are, else holds samples, as IMAPI's streams do; under `strict` any does.
    Bytes, arrays and sources are samples: 16 bits, little-endian, stereo, 44.1 kHz.

    Args:
        data: what was given.
        what: what it is for, for messages.
        strict: refuse an end inside a sector instead of filling it.

    Raises:
        AuthoringError: nothing was given, or something that holds no samples, or `strict` and
            a ragged end.
        FormatError: the file is no sound, or is cut off.
        StorageError: the file cannot be read.
    """
    if data is None:
        raise refusal("nothing-given", f"{what}: no sound was given")
    material = _taken(data, what=what, strict=strict)
    if strict and material.missing_bytes:
        raise refusal(
            "ragged-stream",
            f"{what}: it ends {material.missing_bytes} bytes before the end of a sector of "
            f"{SECTOR_BYTES} bytes; pad it to whole sectors",
        )
    return material


def _taken(data: SoundInput, *, what: str, strict: bool) -> Material:
    if hasattr(data, "__array_interface__"):
        return _array(data, what=what)
    if isinstance(data, Source):
        if data.block_size != SECTOR_BYTES:
            raise refusal(
                "argument",
                f"{what}: the source has blocks of {data.block_size} bytes, "
                f"and sound comes in sectors of {SECTOR_BYTES}",
            )
        return Material(source=data, missing_bytes=0, notes=())
    if hasattr(data, "read_samples") and hasattr(data, "sample_count"):
        return _joined(cast("Sound", data), ())
    reader = reader_of(data, samples=True)
    if reader is None:
        raise refusal(
            "argument",
            f"{what}: what was given is {kind_of(data)}, and no sound; give a path, bytes, an "
            "int16 array (n, 2), a binary file object or a Source",
        )
    if isinstance(reader, MemoryBytes):
        return _samples(reader)
    if isinstance(reader, StreamBytes):
        # A name that ends in no sound's suffix speaks against samples; no name says nothing.
        bare = not is_sound(reader) and not PurePath(reader.name).suffix
        return _samples(reader) if strict or bare else _sound_file(reader)
    return _sound_file(reader)


def kind_of(data: object) -> str:
    """Return what something is that is no material, for messages."""
    if hasattr(data, "__array_interface__"):
        import numpy as np

        array = np.asarray(data)
        return f"an array of {array.dtype} {array.shape}"
    return f"of the type {type(data).__name__}"


def _sound_file(reader: Reader) -> Material:
    sound = open_sound(reader)
    notes = tuple(
        Note(code=remark.code, message=remark.message, file=reader.name) for remark in sound.remarks
    )
    return _joined(sound, notes)


def _joined(sound: Sound, notes: tuple[Note, ...]) -> Material:
    part = SoundPart(sound=sound, start=0, count=sound.sample_count)
    source = JoinedSound([part])
    missing = source.block_count * SECTOR_SAMPLES - sound.sample_count
    return Material(source=source, missing_bytes=4 * missing, notes=notes)


def _samples(reader: Reader) -> Material:
    source = BlockSource(reader, pad=True)
    missing = source.block_count * SECTOR_BYTES - reader.size
    return Material(source=source, missing_bytes=missing, notes=())


def _array(data: Any, *, what: str) -> Material:
    import numpy as np

    array = np.asarray(data)
    stereo = array.dtype.kind == "i" and array.ndim == 2 and array.shape[1] == 2
    if array.dtype.itemsize * 8 == 16 and stereo:
        array = array.astype("<i2", copy=False)
    elif array.dtype != np.uint8:
        raise refusal(
            "argument",
            f"{what}: an array of {array.dtype} {array.shape} is no sound; "
            "give int16 (n, 2), or uint8",
        )
    return _samples(MemoryBytes(np.ascontiguousarray(array).data, name="<array>"))


def notes_on(material: Material, track: int | None, what: str) -> Iterator[Note]:
    """Yield what was done to sound, told of its track."""
    yield from (replace(note, track=track) for note in material.notes)
    if material.missing_bytes:
        yield Note(
            code="tail-padded",
            message=f"{what} ends inside a sector; {material.missing_bytes} bytes of silence "
            "fill it",
            track=track,
            file=material.source.name,
        )


def take_data(
    data: DataInput, sector_type: SectorType, *, what: str, block_size: int | None
) -> Material:
    """Take what was given as blocks of a data track.

    Args:
        data: what was given.
        sector_type: what the blocks hold.
        what: what it is for, for messages.
        block_size: bytes in a block; None takes an array's or a source's own, else IMAPI's if
            that divides the bytes, else the only one that does.

    Raises:
        AuthoringError: nothing was given, or something that holds no whole blocks.
        StorageError: the file cannot be read.
    """
    if data is None:
        raise refusal("nothing-given", f"{what}: no data was given")
    try:
        source = _blocks(data, sector_type, what=what, block_size=block_size)
    except (FormatError, ValueError) as error:
        raise refusal("ragged-stream", f"{what}: {error}") from error
    return Material(source=source, missing_bytes=0, notes=())


def check_options(
    kind: SectorType,
    source: Source,
    *,
    what: str,
    block_size: int | None,
    subheader: bytes | None,
    scrambled: bool | None,
    relocate: bool,
) -> None:
    """Refuse options that a track's type has no use for, and a subheader that does not fit.

    Raises:
        AuthoringError: one is given (E_INVALIDARG).
    """
    if scrambled is not None and not kind.is_raw:
        raise refusal(
            "argument", f"{what}: scrambled= is for whole data sectors, not for {kind.name}"
        )
    if relocate and (kind is SectorType.AUDIO or source.block_size != SECTOR_BYTES):
        raise refusal(
            "argument",
            f"{what}: relocate= is for whole data sectors of {SECTOR_BYTES} bytes; these blocks of "
            f"{source.block_size} ({kind.name}) have no address",
        )
    if kind is SectorType.AUDIO:
        if subheader is not None:
            raise refusal("argument", f"{what}: subheader= is for XA data, not for AUDIO")
        if block_size not in (None, SECTOR_BYTES):
            raise refusal(
                "argument", f"{what}: block_size= is {SECTOR_BYTES} for AUDIO, not {block_size}"
            )
    elif subheader is not None:
        import numpy as np

        from rawcd.sector import encode

        try:
            encode(kind, np.zeros((1, source.block_size), np.uint8), 0, subheader=subheader)
        except (TypeError, ValueError) as error:
            raise refusal("argument", f"{what}: subheader=: {error}") from error


def _blocks(
    data: DataInput, sector_type: SectorType, *, what: str, block_size: int | None
) -> Source:
    if isinstance(data, Source):
        fitting_block_size(sector_type, 0, data.block_size)
        return data
    reader = reader_of(data)
    if reader is None:
        raise refusal(
            "argument",
            f"{what}: what was given is {kind_of(data)}, and no data; give a path, bytes, an array "
            "of uint8, a binary file object or a Source",
        )
    if hasattr(data, "__array_interface__") and data.ndim == 2:
        block_size = block_size or data.shape[1]
    return BlockSource(reader, block_size=fitting_block_size(sector_type, reader.size, block_size))
