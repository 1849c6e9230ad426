"""What a track is made of: pieces of sound and of blocks, joined into stretches of sectors."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING

from rawcd.disc import TrackMode
from rawcd.image import MainForm
from rawcd.program import Stretch, stretch_of_sound
from rawcd.source import (
    SECTOR_BYTES,
    SECTOR_SAMPLES,
    BlockBytes,
    BlockSource,
    BytesPart,
    JoinedBytes,
    PcmSound,
    SilenceSource,
    SilentSound,
    SoundPart,
)
from rawcd_formats.toc.modes import AUDIO, MODES, RW, SUB_BYTES, Mode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rawcd.source import Reader, Sound


@dataclass(frozen=True, slots=True)
class Piece:
    """Samples or bytes from one place, in a mode; the unit is what the mode counts in.

    Attributes:
        mode: a key of `MODES`.
        subchannel: as in a TRACK.
        units: how many: samples of sound without subcode, else bytes.
        sound: where samples come from.
        reader: where bytes come from; neither: zeros.
        start: the first unit there.
        line: the statement's.
    """

    mode: str
    subchannel: str | None
    units: int
    sound: Sound | None = None
    reader: Reader | None = None
    start: int = 0
    line: int = 0

    @property
    def is_zero(self) -> bool:
        """Whether it comes from nowhere."""
        return self.sound is None and self.reader is None

    @property
    def group(self) -> tuple[str, str | None]:
        """What neighbours must share to be joined."""
        return self.mode, self.subchannel

    @property
    def block_units(self) -> int:
        """Units in a sector."""
        if self.mode == AUDIO and self.subchannel is None:
            return SECTOR_SAMPLES
        return MODES[self.mode].file_bytes(self.subchannel)

    def after(self, units: int) -> Piece:
        """Return what is left behind so many units."""
        return replace(self, start=self.start + units, units=self.units - units)


def groups(pieces: Iterable[Piece]) -> Iterator[list[Piece]]:
    """Yield runs of pieces of one mode: they are joined, and padded at their end."""
    for _, group in groupby(pieces, lambda piece: piece.group):
        yield list(group)


def chunks(group: Sequence[Piece], block: int) -> Iterator[list[Piece]]:
    """Cut a group where whole sectors of zeros begin and end; every chunk is whole sectors."""
    pending: list[Piece] = []
    length = 0
    for piece in group:
        if piece.is_zero:
            joined = min(-length % block, piece.units)
            if joined:
                pending.append(replace(piece, units=joined))
                length += joined
                piece = piece.after(joined)
            whole = piece.units - piece.units % block if not length % block else 0
            if whole:
                if pending:
                    yield pending
                    pending, length = [], 0
                yield [replace(piece, units=whole)]
                piece = piece.after(whole)
        if piece.units:
            pending.append(piece)
            length += piece.units
    if pending:
        if missing := -length % block:
            pending.append(replace(pending[-1], units=missing, sound=None, reader=None))
        yield pending


def stretch_of(chunk: Sequence[Piece], lba: int) -> Stretch:
    """Return the sectors of a chunk."""
    first = chunk[0]
    mode, subchannel, block = MODES[first.mode], first.subchannel, first.block_units
    sectors = sum(piece.units for piece in chunk) // block
    if all(piece.is_zero for piece in chunk):
        return _zero_stretch(mode, lba, sectors)
    if first.mode == AUDIO and subchannel is None:
        return stretch_of_sound(
            lba,
            [
                SoundPart(
                    sound=piece.sound or SilentSound(sample_count=piece.start + piece.units),
                    start=piece.start,
                    count=piece.units,
                )
                for piece in chunk
            ],
        )
    reader, offset = first.reader, first.start
    if len(chunk) > 1 or reader is None:
        reader = JoinedBytes(
            [
                BytesPart(reader=piece.reader, start=piece.start, count=piece.units)
                for piece in chunk
            ]
        )
        offset = 0
    rw = None
    if subchannel is not None:
        rw = BlockSource(
            reader,
            offset=offset + mode.block_size,
            block_size=SUB_BYTES,
            stride=block,
            block_count=sectors,
        )
    main = BlockSource(
        reader, offset=offset, block_size=mode.block_size, stride=block, block_count=sectors
    )
    if mode.mode is TrackMode.AUDIO:
        sound = PcmSound(BlockBytes(main), big_endian=True)
        part = SoundPart(sound=sound, start=0, count=sectors * SECTOR_SAMPLES)
        stretch = stretch_of_sound(lba, [part])
    else:
        stretch = Stretch(
            lba=lba,
            sectors=sectors,
            form=mode.form,
            source=main,
            sector_type=mode.sector_type,
        )
    return replace(stretch, rw=rw, rw_packed=subchannel == RW)


def _zero_stretch(mode: Mode, lba: int, sectors: int) -> Stretch:
    """Return sectors whose blocks are zeros; whole ones get the header and parity of their mode."""
    if mode.mode is TrackMode.AUDIO:
        return Stretch(lba=lba, sectors=sectors, form=MainForm.ZERO)
    source = None
    if mode.block_size != SECTOR_BYTES:
        source = SilenceSource(block_count=sectors, block_size=mode.block_size)
    return Stretch(
        lba=lba,
        sectors=sectors,
        form=MainForm.USER,
        source=source,
        sector_type=mode.sector_type,
    )
