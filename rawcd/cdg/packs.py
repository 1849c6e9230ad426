"""CD+G instructions: frozen values, and the 24 symbols of the pack that carries each.

The layouts stand first, one for each shape of the sixteen data symbols. A symbol has six bits;
bits 7 and 6 of a byte are P and Q and are ignored. The parity symbols (2, 3 and 20 to 23) are
left zero here, as they are in `.cdg` files: they belong to the R-W layer.

Source: IEC 60908 (TV graphics mode, mode 1 item 1) by way of J. Bumgardner, "CD+G Revealed"
(1995), which is what players follow.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from functools import cache
from operator import index
from typing import TYPE_CHECKING, Any, Final, cast

import construct

from rawcd.errors import FormatError
from rawcd.sector.layouts import dtype_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

PACK_BYTES: Final = 24
PACKS_PER_SECTOR: Final = 4
PACKS_PER_SECOND: Final = 300
"""Four in each of 75 sectors."""
SYMBOL_BITS: Final = 0x3F
TV_GRAPHICS: Final = 0x09
"""Symbol 0: mode 1, item 1."""

WIDTH: Final = 300
HEIGHT: Final = 216
TILE_WIDTH: Final = 6
TILE_HEIGHT: Final = 12
COLUMNS: Final = WIDTH // TILE_WIDTH
ROWS: Final = HEIGHT // TILE_HEIGHT
COLOURS: Final = 16


class Code(enum.IntEnum):
    """Symbol 1 of a pack: which instruction it is."""

    MEMORY_PRESET = 1
    BORDER_PRESET = 2
    TILE = 6
    SCROLL_PRESET = 20
    SCROLL_COPY = 24
    TRANSPARENCY = 28
    COLOURS_LOW = 30
    COLOURS_HIGH = 31
    TILE_XOR = 38


_HALF: Final = COLOURS // 2


def _pack(*data: construct.Construct[Any, Any]) -> construct.Struct:
    """Return the layout of a pack whose sixteen data symbols are these."""
    return construct.Struct(
        "command" / construct.Byte,  # mode and item
        "instruction" / construct.Byte,
        "parity_q" / construct.Bytes(2),
        *data,
        "parity_p" / construct.Bytes(4),
    )


PRESET_LAYOUT: Final = _pack(
    "colour" / construct.Byte,  # bits 3..0
    "repeat" / construct.Byte,  # bits 3..0; nothing in a border preset
    "filler" / construct.Bytes(14),
)
TILE_LAYOUT: Final = _pack(
    "colour0" / construct.Byte,  # bits 3..0; bits 5..4 are the channel's upper two
    "colour1" / construct.Byte,  # bits 3..0; bits 5..4 are the channel's lower two
    "row" / construct.Byte,  # bits 4..0
    "column" / construct.Byte,  # bits 5..0
    "lines" / construct.Bytes(TILE_HEIGHT),  # bit 5 is the leftmost pixel; 1 is colour 1
)
SCROLL_LAYOUT: Final = _pack(
    "colour" / construct.Byte,  # bits 3..0; nothing in a scroll copy
    "horizontal" / construct.Byte,  # bits 5..4 move, bits 2..0 offset
    "vertical" / construct.Byte,  # bits 5..4 move, bits 3..0 offset
    "filler" / construct.Bytes(13),
)
COLOUR_TABLE_LAYOUT: Final = _pack(
    # Each colour: red and the upper two bits of green, then the lower two of green and blue.
    "colours" / construct.Bytes(2 * _HALF),
)
TRANSPARENCY_LAYOUT: Final = _pack(
    "levels" / construct.Bytes(COLOURS),
)


@cache
def tile_dtype() -> np.dtype[Any]:
    """Return the numpy dtype of a tile pack, taken from its layout."""
    return dtype_of(TILE_LAYOUT)


@cache
def header_dtype() -> np.dtype[Any]:
    """Return the numpy dtype of what all packs share, taken from the plainest layout."""
    return dtype_of(_pack("data" / construct.Bytes(16)))


def check_bits(value: int, bits: int, what: str) -> None:
    """Refuse what is no number of so many bits.

    Raises:
        TypeError: it is no whole number.
        ValueError: it needs more bits, or is negative.
    """
    try:
        number = index(value)
    except TypeError as error:
        raise TypeError(f"{what} is {value!r}, no whole number") from error
    if not 0 <= number < 1 << bits:
        raise ValueError(f"{what} is {value}; it has {bits} bits, 0 to {(1 << bits) - 1}")


def _check_each(values: Sequence[int], count: int, bits: int, what: str) -> None:
    if len(values) != count:
        raise ValueError(f"there are {count} {what}s, not {len(values)}")
    for value in values:
        check_bits(value, bits, what)


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryPreset:
    """Fill the whole picture memory with one colour (instruction 1).

    Attributes:
        colour: index 0..15.
        repeat: 0 for the first of several equal ones, then 1, 2, ...; 0..15. A reader whose
            packs arrive whole needs only the first.
    """

    colour: int
    repeat: int = 0

    def __post_init__(self) -> None:
        check_bits(self.colour, 4, "colour")
        check_bits(self.repeat, 4, "repeat")


@dataclass(frozen=True, slots=True, kw_only=True)
class BorderPreset:
    """Fill the outer ring of tiles with one colour (instruction 2).

    Attributes:
        colour: index 0..15.
    """

    colour: int

    def __post_init__(self) -> None:
        check_bits(self.colour, 4, "colour")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """Draw a tile of 6 x 12 pixels in two colours (instructions 6 and 38).

    Attributes:
        row: 0..31; tiles lie in rows 0..17, others are ignored by the canvas.
        column: 0..63; tiles lie in columns 0..49.
        colours: the indexes 0..15 for a 0 and for a 1.
        lines: twelve lines from the top, six bits each, the leftmost pixel highest.
        xor: XOR the colours into the indexes that are there, rather than replace them.
        channel: 0..15; players may let the listener choose which are drawn.
    """

    row: int
    column: int
    colours: tuple[int, int]
    lines: bytes
    xor: bool = False
    channel: int = 0

    def __post_init__(self) -> None:
        check_bits(self.row, 5, "row")
        check_bits(self.column, 6, "column")
        _check_each(self.colours, 2, 4, "colour")
        _check_each(self.lines, TILE_HEIGHT, 6, "line")
        check_bits(self.channel, 4, "channel")
        object.__setattr__(self, "colours", tuple(self.colours))
        object.__setattr__(self, "lines", bytes(self.lines))


@dataclass(frozen=True, slots=True, kw_only=True)
class Scroll:
    """Move the picture memory by a tile, and the window on it by pixels (instructions 20, 24).

    Attributes:
        right: tiles that the picture moves to the right: 1, 0 or -1 (left); a tile is 6 pixels.
        down: tiles that it moves down: 1, 0 or -1 (up); a tile is 12 pixels.
        offset_x: pixels by which the window then lies right of its place, 0..7; above 5 is 5.
        offset_y: pixels by which it lies below its place, 0..15; above 11 is 11.
        copy: what leaves at one side comes back at the other; else `colour` comes in.
        colour: index 0..15 of what comes in; nothing in a copy.
    """

    right: int = 0
    down: int = 0
    offset_x: int = 0
    offset_y: int = 0
    copy: bool = False
    colour: int = 0

    def __post_init__(self) -> None:
        if self.right not in (-1, 0, 1) or self.down not in (-1, 0, 1):
            raise ValueError(f"no scroll: {self.right} right, {self.down} down; it moves one tile")
        check_bits(self.offset_x, 3, "horizontal offset")
        check_bits(self.offset_y, 4, "vertical offset")
        check_bits(self.colour, 4, "colour")


@dataclass(frozen=True, slots=True, kw_only=True)
class ColourTable:
    """Load eight of the sixteen colours (instructions 30 and 31).

    Attributes:
        high: entries 8..15 rather than 0..7.
        colours: eight colours of 12 bits, 0xRGB.
    """

    high: bool
    colours: tuple[int, ...]

    def __post_init__(self) -> None:
        _check_each(self.colours, _HALF, 12, "colour")
        object.__setattr__(self, "colours", tuple(self.colours))


@dataclass(frozen=True, slots=True, kw_only=True)
class Transparency:
    """Say how much of the video behind shows through each colour (instruction 28).

    Attributes:
        levels: sixteen levels, 0 (opaque) to 63 (clear).
    """

    levels: tuple[int, ...]

    def __post_init__(self) -> None:
        _check_each(self.levels, COLOURS, 6, "transparency level")
        object.__setattr__(self, "levels", tuple(self.levels))


Instruction = MemoryPreset | BorderPreset | Tile | Scroll | ColourTable | Transparency


def check_instruction(instruction: Instruction) -> None:
    """Refuse what is no instruction.

    Raises:
        TypeError: it is none.
    """
    if not isinstance(cast("object", instruction), Instruction):
        raise TypeError(f"{instruction!r} is no instruction of CD+G")


_MOVES: Final = (0, 1, -1, 0)
"""What the two bits of a scroll's move mean; 3 is not defined and moves nothing."""
_MOVE_BITS: Final = {0: 0, 1: 1, -1: 2}


def parse_pack(pack: bytes) -> Instruction | None:
    """Return what the pack says, or None: it is no CD+G, or of an unknown instruction.

    Args:
        pack: 24 bytes; bits 7 and 6 of each, unused bits and parity are ignored.

    Raises:
        FormatError: there are not 24 bytes.
    """
    if len(pack) != PACK_BYTES:
        raise FormatError(f"a pack has {PACK_BYTES} bytes, not {len(pack)}")
    symbols = bytes(byte & SYMBOL_BITS for byte in pack)
    if symbols[0] != TV_GRAPHICS:
        return None
    code = symbols[1]
    match code:
        case Code.MEMORY_PRESET:
            preset = PRESET_LAYOUT.parse(symbols)
            return MemoryPreset(colour=preset.colour & 15, repeat=preset.repeat & 15)
        case Code.BORDER_PRESET:
            return BorderPreset(colour=PRESET_LAYOUT.parse(symbols).colour & 15)
        case Code.TILE | Code.TILE_XOR:
            tile = TILE_LAYOUT.parse(symbols)
            return Tile(
                row=tile.row & 31,
                column=tile.column,
                colours=(tile.colour0 & 15, tile.colour1 & 15),
                lines=tile.lines,
                xor=code == Code.TILE_XOR,
                channel=tile.colour0 >> 4 << 2 | tile.colour1 >> 4,
            )
        case Code.SCROLL_PRESET | Code.SCROLL_COPY:
            scroll = SCROLL_LAYOUT.parse(symbols)
            copy = code == Code.SCROLL_COPY
            return Scroll(
                right=_MOVES[scroll.horizontal >> 4],
                down=_MOVES[scroll.vertical >> 4],
                offset_x=scroll.horizontal & 7,
                offset_y=scroll.vertical & 15,
                copy=copy,
                colour=scroll.colour & 15,
            )
        case Code.TRANSPARENCY:
            return Transparency(levels=tuple(TRANSPARENCY_LAYOUT.parse(symbols).levels))
        case Code.COLOURS_LOW | Code.COLOURS_HIGH:
            table = COLOUR_TABLE_LAYOUT.parse(symbols).colours
            pairs = zip(table[0::2], table[1::2], strict=True)
            return ColourTable(
                high=code == Code.COLOURS_HIGH,
                colours=tuple(first << 6 | second for first, second in pairs),
            )
        case _:
            return None


def build_pack(instruction: Instruction) -> bytes:
    """Return the 24 bytes of the pack; parity symbols are zero.

    Raises:
        TypeError: it is no instruction.
    """
    check_instruction(instruction)
    match instruction:
        case MemoryPreset(colour=colour, repeat=repeat):
            fields = {"colour": colour, "repeat": repeat, "filler": bytes(14)}
            return _built(PRESET_LAYOUT, Code.MEMORY_PRESET, fields)
        case BorderPreset(colour=colour):
            fields = {"colour": colour, "repeat": 0, "filler": bytes(14)}
            return _built(PRESET_LAYOUT, Code.BORDER_PRESET, fields)
        case Tile(colours=(colour0, colour1), channel=channel):
            fields = {
                "colour0": colour0 | channel >> 2 << 4,
                "colour1": colour1 | (channel & 3) << 4,
                "row": instruction.row,
                "column": instruction.column,
                "lines": instruction.lines,
            }
            return _built(TILE_LAYOUT, Code.TILE_XOR if instruction.xor else Code.TILE, fields)
        case Scroll():
            fields = {
                "colour": instruction.colour,
                "horizontal": _MOVE_BITS[instruction.right] << 4 | instruction.offset_x,
                "vertical": _MOVE_BITS[instruction.down] << 4 | instruction.offset_y,
                "filler": bytes(13),
            }
            kind = Code.SCROLL_COPY if instruction.copy else Code.SCROLL_PRESET
            return _built(SCROLL_LAYOUT, kind, fields)
        case ColourTable(high=high, colours=colours):
            symbols = bytes(
                part for colour in colours for part in (colour >> 6, colour & SYMBOL_BITS)
            )
            kind = Code.COLOURS_HIGH if high else Code.COLOURS_LOW
            return _built(COLOUR_TABLE_LAYOUT, kind, {"colours": symbols})
        case Transparency(levels=levels):
            return _built(TRANSPARENCY_LAYOUT, Code.TRANSPARENCY, {"levels": bytes(levels)})


def _built(layout: construct.Struct, code: Code, data: dict[str, Any]) -> bytes:
    return layout.build(
        {
            "command": TV_GRAPHICS,
            "instruction": int(code),
            "parity_q": bytes(2),
            **data,
            "parity_p": bytes(4),
        }
    )
