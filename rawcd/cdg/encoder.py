"""The packs that draw a picture over what is on the screen: only what changed, and few."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from rawcd.cdg.canvas import CDG, Bytes2D, as_packs, tiles_of
from rawcd.cdg.packs import (
    COLOURS,
    COLUMNS,
    PACK_BYTES,
    TILE_HEIGHT,
    TILE_WIDTH,
    TV_GRAPHICS,
    BorderPreset,
    Code,
    ColourTable,
    MemoryPreset,
    Scroll,
    build_pack,
    tile_dtype,
)
from rawcd.cdg.planes import sets_of, smallest_subspace, subspaces

if TYPE_CHECKING:
    import numpy.typing as npt

    from rawcd.cdg.pictures import CdgPicture

_HALF: Final = COLOURS // 2
_PIXELS: Final = TILE_WIDTH * TILE_HEIGHT
_SHIFTS: Final = np.arange(TILE_WIDTH - 1, -1, -1, dtype=np.uint8)


def encode(
    picture: CdgPicture,
    shown: CDG | None = None,
    *,
    may_clear: bool = False,
    preset_repeats: int = 1,
) -> Bytes2D:
    """Return the packs that turn what is shown into the picture.

    Afterwards memory, colours and border are the picture's, pixel for pixel, and the window is
    in its place. Of the tiles only those that differ are sent, each with the fewest packs.

    A half of the colour table that changes goes first when the picture that is shown uses none
    of the colours that change, and last when it does: colours then change together, at the end.

    Args:
        picture: what shall be seen.
        shown: what is seen; None when that is not known, at the start of a track: the memory is
            then filled with one colour, and both halves of the colour table are sent.
        may_clear: fill the memory also where that takes fewer packs; the screen blinks.
        preset_repeats: equal memory presets sent for one, 1 to 16, for players that lose packs.

    Returns:
        (n, 24) of uint8; none when nothing changes.
    """
    if not 1 <= preset_repeats <= 16:
        raise ValueError(f"{preset_repeats} repeats; a memory preset is sent 1 to 16 times")
    if shown is None:
        return _cleared(picture, None, preset_repeats)
    packs = _changed(picture, shown)
    if may_clear:
        other = _cleared(picture, shown, preset_repeats)
        if len(other) < len(packs):
            return other
    return packs


def _changed(picture: CdgPicture, shown: CDG) -> Bytes2D:
    used = set(np.unique(shown.indexes()).tolist())
    first: list[bytes] = []
    last: list[bytes] = []
    for table, changes in _tables(picture, shown.palette):
        (last if changes & used else first).append(table)
    return _joined(*first, _drawing(picture, shown.copy()), *last)


def _cleared(picture: CdgPicture, shown: CDG | None, repeats: int) -> Bytes2D:
    colour = _commonest_ground(picture)
    presets = [build_pack(MemoryPreset(colour=colour, repeat=n)) for n in range(repeats)]
    tables = _tables(picture, None if shown is None else shown.palette)
    canvas = CDG() if shown is None else shown.copy()
    canvas.apply(MemoryPreset(colour=colour))
    return _joined(*presets, *(table for table, _ in tables), _drawing(picture, canvas))


def _commonest_ground(picture: CdgPicture) -> int:
    """Return the colour that most inner tiles have all over; where none does, most pixels."""
    tiles = tiles_of(picture.indexes)[1:-1, 1:-1].reshape(-1, _PIXELS)
    plain = tiles[(tiles == tiles[:, :1]).all(axis=1), 0]
    return int(np.bincount(plain if len(plain) else tiles.reshape(-1)).argmax())


def _tables(picture: CdgPicture, before: tuple[int, ...] | None) -> list[tuple[bytes, set[int]]]:
    """Return the halves of the colour table that change, each with the indexes that do."""
    found = []
    for high in (False, True):
        places = range(_HALF * high, _HALF * (high + 1))
        changes = {i for i in places if before is None or picture.palette[i] != before[i]}
        if changes:
            table = ColourTable(high=high, colours=tuple(picture.palette[i] for i in places))
            found.append((build_pack(table), changes))
    return found


def _drawing(picture: CdgPicture, canvas: CDG) -> Bytes2D:
    """Return what brings window, border and memory to the picture's; the canvas is used up."""
    head: list[bytes] = []
    if canvas.offset_x or canvas.offset_y:
        back = Scroll(copy=True)
        head.append(build_pack(back))
        canvas.apply(back)
    if canvas.border != picture.border:
        border = BorderPreset(colour=picture.border)
        head.append(build_pack(border))
        canvas.apply(border)
    return _joined(*head, tile_packs(picture.indexes, canvas.indexes()))


def _joined(*parts: bytes | Bytes2D) -> Bytes2D:
    return np.concatenate([as_packs(part) for part in parts])


def tile_packs(target: Bytes2D, shown: Bytes2D) -> Bytes2D:
    """Return the packs that turn one memory into another, the fewest for each tile.

    Args:
        target: (216, 300) indexes 0..15.
        shown: the same, as it is before.

    Returns:
        (n, 24): tiles from the left, line by line from the top, the packs of each together.
    """
    wanted = tiles_of(target).reshape(-1, _PIXELS)
    change = tiles_of(target ^ shown).reshape(-1, _PIXELS)
    places = np.flatnonzero(change.any(axis=1))
    wanted, change = wanted[places], change[places]

    table = subspaces()
    anew, over = _subspace_of(wanted), _subspace_of(change)
    # As many packs either way: draw it anew, which also mends a tile that a player got wrong.
    is_xor = _packs_in(over) < _packs_in(anew)
    pixels = np.where(is_xor[:, None], change, wanted)
    space = np.where(is_xor, over, anew)
    needed = _packs_in(space)

    tile = np.repeat(np.arange(len(places)), needed)
    step = np.arange(len(tile)) - np.repeat(np.cumsum(needed) - needed, needed)
    ground = pixels[tile, 0]  # in a tile of one colour vector and plane are zero
    vector = table.basis[space[tile], step]
    plane = (pixels[tile] ^ ground[:, None]) >> table.pivots[space[tile], step][:, None] & 1

    packs = np.zeros((len(tile), PACK_BYTES), np.uint8)
    fields = packs.view(tile_dtype())[:, 0]
    fields["command"] = TV_GRAPHICS
    fields["instruction"] = np.where(is_xor[tile] | (step > 0), Code.TILE_XOR, Code.TILE)
    fields["colour0"] = np.where(step == 0, ground, 0)
    fields["colour1"] = fields["colour0"] ^ vector
    fields["row"], fields["column"] = np.divmod(places[tile], COLUMNS)
    lines = plane.reshape(-1, TILE_HEIGHT, TILE_WIDTH) << _SHIFTS
    fields["lines"] = lines.sum(axis=2, dtype=np.uint8)
    return packs


def _subspace_of(pixels: Bytes2D) -> npt.NDArray[np.intp]:
    return smallest_subspace(sets_of(pixels ^ pixels[:, :1]))


def _packs_in(space: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    return np.maximum(subspaces().dimensions[space], 1).astype(np.intp)
