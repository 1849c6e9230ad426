"""The picture memory of a CD+G player, and what each instruction does to it.

300 x 216 pixels of 4 bits in 50 x 18 tiles. The outer ring of tiles is the border; the 48 x 16
tiles inside it are what a television shows.

Where players differ, this one follows "CD+G Revealed" and the discs that were made by it:

* A scroll's offset moves the window over the memory; tiles are drawn at their place in memory
  whatever the offset. (ffmpeg moves the pixels and the tiles instead: right for a horizontal
  offset, up for a vertical one.)
* A memory preset brings the window back to its place. No document says so, but discs end a
  scroll with an offset and go on with a preset (bhj/cdgraphics, issue 32).
* A border preset is drawn into the ring of the memory, so that a tile may be drawn over it, and
  its colour is remembered for the border that a television shows.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np
import numpy.typing as npt

from rawcd.cdg.packs import (
    COLOURS,
    COLUMNS,
    HEIGHT,
    PACK_BYTES,
    ROWS,
    SYMBOL_BITS,
    TILE_HEIGHT,
    TILE_WIDTH,
    TV_GRAPHICS,
    WIDTH,
    BorderPreset,
    Code,
    ColourTable,
    Instruction,
    MemoryPreset,
    Scroll,
    Tile,
    Transparency,
    check_bits,
    check_instruction,
    header_dtype,
    parse_pack,
    tile_dtype,
)
from rawcd.errors import MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from PIL import Image

Bytes1D = npt.NDArray[np.uint8]
Bytes2D = npt.NDArray[np.uint8]
Bytes3D = npt.NDArray[np.uint8]

WINDOW_WIDTH: Final = WIDTH - 2 * TILE_WIDTH
WINDOW_HEIGHT: Final = HEIGHT - 2 * TILE_HEIGHT
_INNER: Final = (
    slice(TILE_HEIGHT, HEIGHT - TILE_HEIGHT),
    slice(TILE_WIDTH, WIDTH - TILE_WIDTH),
)
_SHIFTS: Final = np.arange(TILE_WIDTH - 1, -1, -1, dtype=np.uint8)
_STEP: Final = 8192
"""Packs unpacked at once: about 600 KB of tiles."""


class View(enum.StrEnum):
    """Which part of the picture is wanted."""

    MEMORY = "memory"
    """All 300 x 216 pixels of the memory, the border as drawn, no offset: as in editors."""
    SCREEN = "screen"
    """300 x 216: the window, and the border's one colour around it: as on a television."""
    WINDOW = "window"
    """288 x 192: the window alone."""


class CDG:
    """A canvas: 300 x 216 indexes, sixteen colours, a border, a window.

    It begins black: all indexes and colours zero, all opaque.

    Attributes:
        border: index of the border's colour.
        offset_x: pixels by which the window lies right of its place, 0..5.
        offset_y: pixels by which it lies below its place, 0..11.
        transparency: sixteen levels, 0 (opaque) to 63 (clear).
        channels: the channels whose tiles are drawn; None draws all.

    Raises:
        ValueError: a channel is none of 0 to 15.
    """

    def __init__(self, *, channels: Iterable[int] | None = None) -> None:
        self.border = 0
        self.offset_x = 0
        self.offset_y = 0
        self.transparency: tuple[int, ...] = (0,) * COLOURS
        self.channels = None if channels is None else frozenset(channels)
        for channel in self.channels or ():
            check_bits(channel, 4, "channel")
        self._colours = np.zeros(COLOURS, np.uint16)
        self._memory = np.zeros((HEIGHT, WIDTH), np.uint8)
        self._tiles = tiles_of(self._memory)

    @property
    def palette(self) -> tuple[int, ...]:
        """The sixteen colours, 12 bits each, 0xRGB."""
        return tuple(self._colours.tolist())

    def copy(self) -> CDG:
        """Return another canvas with the same picture."""
        other = CDG(channels=self.channels)
        other.border = self.border
        other.offset_x = self.offset_x
        other.offset_y = self.offset_y
        other.transparency = self.transparency
        other._colours[:] = self._colours
        other._memory[:] = self._memory
        return other

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, CDG):
            return NotImplemented
        return (
            (self.border, self.offset_x, self.offset_y, self.transparency)
            == (other.border, other.offset_x, other.offset_y, other.transparency)
            and bool(np.array_equal(self._colours, other._colours))
            and bool(np.array_equal(self._memory, other._memory))
        )

    __hash__ = None  # type: ignore[assignment]  # it changes

    def apply(self, instruction: Instruction | None) -> None:
        """Do what one instruction says; None, an unknown one, changes nothing.

        Raises:
            TypeError: it is neither.
        """
        if instruction is not None:
            check_instruction(instruction)
        match instruction:
            case MemoryPreset(colour=colour, repeat=0):
                self._memory[:] = self.border = colour
                self.offset_x = self.offset_y = 0
            case BorderPreset(colour=colour):
                self.border = colour
                inner = self._memory[_INNER].copy()
                self._memory[:] = colour
                self._memory[_INNER] = inner
            case Tile():
                self._draw(instruction)
            case Scroll():
                self._scroll(instruction)
            case ColourTable(high=high, colours=colours):
                first = len(colours) * high
                self._colours[first : first + len(colours)] = colours
            case Transparency(levels=levels):
                self.transparency = levels
            case _:
                pass  # a repeated preset: packs arrive whole here, so the first was seen

    def _draw(self, tile: Tile) -> None:
        if tile.row >= ROWS or tile.column >= COLUMNS:
            return
        if self.channels is not None and tile.channel not in self.channels:
            return
        place = self._tiles[tile.row, tile.column]
        lines = np.frombuffer(tile.lines, np.uint8)
        block = np.array(tile.colours, np.uint8)[lines[:, None] >> _SHIFTS & 1]
        place[:] = place ^ block if tile.xor else block

    def _scroll(self, scroll: Scroll) -> None:
        self.offset_x = min(scroll.offset_x, TILE_WIDTH - 1)
        self.offset_y = min(scroll.offset_y, TILE_HEIGHT - 1)
        across, along = scroll.right * TILE_WIDTH, scroll.down * TILE_HEIGHT
        memory = self._memory
        memory[:] = np.roll(memory, (along, across), (0, 1))
        if scroll.copy:
            return
        if along > 0:
            memory[:along] = scroll.colour
        elif along < 0:
            memory[along:] = scroll.colour
        if across > 0:
            memory[:, :across] = scroll.colour
        elif across < 0:
            memory[:, across:] = scroll.colour

    def run(self, packs: bytes | Bytes2D) -> None:
        """Do what many packs say, one after the other.

        The same as `apply(parse_pack(pack))` for each, but tiles, which are nearly all there is,
        are unpacked thousands at once.

        Args:
            packs: (n, 24) of uint8, or the bytes of whole packs.
        """
        rows = as_packs(packs)
        for start in range(0, len(rows), _STEP):
            self._run(rows[start : start + _STEP] & np.uint8(SYMBOL_BITS))

    def _run(self, symbols: Bytes2D) -> None:
        header = symbols.view(header_dtype())[:, 0]
        drawn = np.isin(header["instruction"], (Code.TILE, Code.TILE_XOR))
        wanted = np.flatnonzero(header["command"] == TV_GRAPHICS)
        fields = symbols.view(tile_dtype())[:, 0]
        rows, columns = fields["row"] & 31, fields["column"]
        seen = (rows < ROWS) & (columns < COLUMNS)
        if self.channels is not None:
            channel = fields["colour0"] >> 4 << 2 | fields["colour1"] >> 4
            seen &= np.isin(channel, np.array(sorted(self.channels), np.uint8))
        wanted = wanted[seen[wanted] | ~drawn[wanted]]
        colour0, colour1 = fields["colour0"] & 15, fields["colour1"] & 15
        ones = fields["lines"][wanted, :, None] >> _SHIFTS & 1
        blocks = colour0[wanted, None, None] ^ ones * (colour0 ^ colour1)[wanted, None, None]
        tiles = self._tiles
        replaces = header["instruction"] == Code.TILE
        for number, block, is_tile, replace, row, column in zip(
            wanted.tolist(),
            blocks,
            drawn[wanted].tolist(),
            replaces[wanted].tolist(),
            rows[wanted].tolist(),
            columns[wanted].tolist(),
            strict=True,
        ):
            if not is_tile:
                self.apply(parse_pack(symbols[number].tobytes()))
            elif replace:
                tiles[row, column] = block
            else:
                tiles[row, column] ^= block

    def indexes(self, view: View = View.MEMORY) -> Bytes2D:
        """Return colour indexes, shape (height, width), as a copy.

        Raises:
            ValueError: there is no such view.
        """
        view = View(view)
        if view is View.MEMORY:
            return self._memory.copy()
        top, left = TILE_HEIGHT + self.offset_y, TILE_WIDTH + self.offset_x
        window = self._memory[top : top + WINDOW_HEIGHT, left : left + WINDOW_WIDTH]
        if view is View.WINDOW:
            return window.copy()
        screen = np.full((HEIGHT, WIDTH), self.border, np.uint8)
        screen[_INNER] = window
        return screen

    def rgb(self, view: View = View.MEMORY) -> Bytes3D:
        """Return the picture, shape (height, width, 3); transparency is ignored, as players do."""
        shown: Bytes3D = rgb_of(self._colours)[self.indexes(view)]
        return shown

    def rgba(self, view: View = View.MEMORY) -> Bytes3D:
        """Return the picture with its transparency as alpha, shape (height, width, 4).

        Level 0 is alpha 255 and level 63 alpha 0, with even steps between.
        """
        levels = np.array(self.transparency, np.uint16)
        alpha = ((63 - levels) * 255 + 31) // 63
        table = np.column_stack([rgb_of(self._colours), alpha.astype(np.uint8)])
        shown: Bytes3D = table[self.indexes(view)]
        return shown

    def image(self, view: View = View.MEMORY) -> Image.Image:
        """Return the picture as a Pillow image of mode RGB.

        Raises:
            MissingExtraError: Pillow is not installed.
        """
        return pillow_image(self.rgb(view))


def tiles_of(memory: Bytes2D) -> npt.NDArray[np.uint8]:
    """Return a picture of (216, 300) as (18, 50, 12, 6), a view of the same bytes."""
    return memory.reshape(ROWS, TILE_HEIGHT, COLUMNS, TILE_WIDTH).swapaxes(1, 2)


def rgb_of(colours: npt.ArrayLike) -> Bytes2D:
    """Return colours of 12 bits as (n, 3) bytes; 15 becomes 255, with even steps."""
    table = np.asarray(colours, np.uint16)
    parts = np.column_stack([table >> 8, table >> 4 & 15, table & 15])
    return (parts * 17).astype(np.uint8)


def as_packs(packs: bytes | Bytes2D) -> Bytes2D:
    """Return packs as (n, 24), not copied where that can be helped.

    Raises:
        TypeError: they are neither bytes nor an array.
        ValueError: they are no whole packs.
    """
    if isinstance(packs, (bytes, bytearray, memoryview)):
        rows: npt.NDArray[Any] = np.frombuffer(packs, np.uint8)
    else:
        rows = packs
    if not isinstance(cast("object", rows), np.ndarray):
        raise TypeError(
            f"packs are bytes or an array of uint8, not {type(rows).__name__}; `CDG.apply` takes "
            "instructions"
        )
    whole = rows.ndim == 1 and not rows.size % PACK_BYTES
    if rows.dtype != np.uint8 or not (whole or rows.shape[1:] == (PACK_BYTES,)):
        raise ValueError(f"no packs of {PACK_BYTES} bytes: {rows.dtype} of shape {rows.shape}")
    return np.ascontiguousarray(rows).reshape(-1, PACK_BYTES)


def pillow_image(rgb: Bytes3D) -> Image.Image:
    """Return an RGB array as a Pillow image.

    Raises:
        MissingExtraError: Pillow is not installed.
    """
    try:
        from PIL import Image
    except ImportError as error:
        raise MissingExtraError(
            "Pillow images need Pillow: pip install 'rawcd[cdg]'; arrays need nothing",
            extra="cdg",
        ) from error
    return Image.fromarray(rgb)
