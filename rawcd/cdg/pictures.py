"""Pictures as CD+G can show them: sixteen colours of 12 bits for 300 x 216 pixels.

Everything is computed in whole numbers, and ties go to the lower index: the same pictures give
the same bytes everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from rawcd.cdg.canvas import (
    CDG,
    WINDOW_HEIGHT,
    WINDOW_WIDTH,
    Bytes2D,
    Bytes3D,
    View,
    pillow_image,
    rgb_of,
    tiles_of,
)
from rawcd.cdg.packs import COLOURS, HEIGHT, TILE_HEIGHT, TILE_WIDTH, WIDTH
from rawcd.cdg.planes import packs_for_sets, sets_of, strays

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from PIL import Image

    Picture = Image.Image | Bytes3D
    """A Pillow image, or an RGB array (height, width, 3) of uint8."""
    Colours12 = npt.NDArray[np.uint16]
    """Colours of 12 bits, 0xRGB."""

_ALL: Final = 1 << 12
_ROUNDS: Final = 16
_PACK_WORTH: Final = 16
"""Strays (see `planes.strays`) that weigh as much as a pack when an order is sought."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CdgPicture:
    """A picture that a canvas can hold.

    Attributes:
        indexes: (216, 300) of uint8, 0..15, the border included; a copy, read-only.
        palette: sixteen colours of 12 bits, 0xRGB.

    Raises:
        ValueError: it has another shape, or an index or a colour is out of its range.
    """

    indexes: Bytes2D
    palette: tuple[int, ...]

    def __post_init__(self) -> None:
        given = np.asarray(self.indexes)
        fits = given.shape == (HEIGHT, WIDTH) and given.dtype.kind in "iu"
        if not fits or given.min() < 0 or given.max() >= COLOURS:
            raise ValueError(
                f"a picture has {HEIGHT} rows of {WIDTH} indexes below {COLOURS}, not "
                f"{given.dtype} of the shape {given.shape} up to {given.max(initial=0)}"
            )
        object.__setattr__(self, "palette", tuple(self.palette))
        if len(self.palette) != COLOURS or not all(0 <= c < _ALL for c in self.palette):
            raise ValueError(f"a palette has {COLOURS} colours of 12 bits, not {self.palette}")
        indexes = given.astype(np.uint8)
        indexes.flags.writeable = False
        object.__setattr__(self, "indexes", indexes)

    def __eq__(self, other: object) -> bool:
        """Tell whether the other has the same indexes and colours."""
        if not isinstance(other, CdgPicture):
            return NotImplemented
        return self.palette == other.palette and bool(np.array_equal(self.indexes, other.indexes))

    def __hash__(self) -> int:
        return hash((self.palette, self.indexes.tobytes()))

    @property
    def border(self) -> int:
        """The index that most pixels of the outer ring of tiles have."""
        ring = np.ones((HEIGHT, WIDTH), bool)
        ring[TILE_HEIGHT:-TILE_HEIGHT, TILE_WIDTH:-TILE_WIDTH] = False
        return int(np.bincount(self.indexes[ring]).argmax())

    def rgb(self) -> Bytes3D:
        """Return the picture as RGB, shape (216, 300, 3)."""
        shown: Bytes3D = rgb_of(self.palette)[self.indexes]
        return shown

    def image(self) -> Image.Image:
        """Return the picture as a Pillow image of mode RGB.

        Raises:
            MissingExtraError: Pillow is not installed.
        """
        return pillow_image(self.rgb())

    def is_shown_by(self, canvas: CDG) -> bool:
        """Tell whether a canvas shows just this: memory, colours, border, window in place."""
        return (
            canvas.palette == self.palette
            and (canvas.border, canvas.offset_x, canvas.offset_y) == (self.border, 0, 0)
            and bool(np.array_equal(canvas.indexes(View.MEMORY), self.indexes))
        )


def make_picture(image: Picture, *, palette: Iterable[int] = (), border: int = 0x000) -> CdgPicture:
    """Return one picture in sixteen colours; see `make_pictures`."""
    return make_pictures([image], palette=palette, border=border)[0]


def make_pictures(
    images: Iterable[Picture], *, palette: Iterable[int] = (), border: int = 0x000
) -> list[CdgPicture]:
    """Return pictures in sixteen colours that they share.

    Colours are rounded to 12 bits. Where that leaves sixteen or fewer nothing else is lost; where
    not, the palette is fitted to all the pictures together, and each pixel takes the nearest
    colour (no dithering: it would cost a pack a tile). What order is left open is chosen so that
    tiles need few packs.

    A Pillow image of mode P with sixteen colours or fewer keeps its own palette and its indexes,
    unless a palette is given.

    Args:
        images: Pillow images or RGB arrays, 300 x 216, or 288 x 192 to be put into a border.
        palette: colours of 12 bits, 0xRGB, that stand first and stay; up to sixteen.
        border: the colour of 12 bits around pictures of 288 x 192.

    Raises:
        ValueError: a picture has another size or kind, or there are too many colours.
    """
    fixed, images = tuple(palette), list(images)
    if len(fixed) > COLOURS or not all(0 <= colour < _ALL for colour in (*fixed, border)):
        raise ValueError(f"colours have 12 bits and a palette {COLOURS} of them, not {fixed}")
    made: list[CdgPicture | None] = [
        None if fixed else _with_own_palette(image, border) for image in images
    ]
    rest = [place for place, picture in enumerate(made) if picture is None]
    if rest:
        colours = [_framed(_to_12_bits(_rgb_array(images[place])), border) for place in rest]
        counts = np.bincount(np.concatenate([c.reshape(-1) for c in colours]), minlength=_ALL)
        shared = _fitted(counts, fixed)
        nearest = _nearest(shared)
        drawn = [nearest[each] for each in colours]
        order = _cheap_order(drawn, len(fixed))
        place_of = np.argsort(order).astype(np.uint8)
        ordered = tuple(int(shared[old]) for old in order)
        for place, indexes in zip(rest, drawn, strict=True):
            made[place] = CdgPicture(indexes=place_of[indexes], palette=ordered)
    return [picture for picture in made if picture is not None]


def _rgb_array(image: Any) -> Bytes3D:
    array = np.asarray(image.convert("RGB") if hasattr(image, "convert") else image)
    if array.ndim != 3 or array.shape[2] != 3 or array.dtype != np.uint8:
        raise ValueError(
            f"no picture: {array.dtype} of shape {array.shape}; give a Pillow image or uint8 of "
            "shape (height, width, 3)"
        )
    return array


def _with_own_palette(image: Any, border: int) -> CdgPicture | None:
    if getattr(image, "mode", None) != "P":
        return None
    indexes = np.asarray(image)
    if indexes.max(initial=0) >= COLOURS:
        return None
    flat = np.zeros(3 * COLOURS, np.uint8)
    given = image.getpalette()[: 3 * COLOURS]
    flat[: len(given)] = given
    table = _to_12_bits(flat.reshape(-1, 3))
    frame = int(_nearest(table)[border])
    return CdgPicture(
        indexes=_framed(indexes, frame), palette=tuple(int(colour) for colour in table)
    )


def _to_12_bits(rgb: Bytes2D | Bytes3D) -> Colours12:
    """Round each of red, green and blue to the nearest multiple of 17."""
    parts = (rgb.astype(np.uint16) + 8) // 17
    return np.asarray(parts[..., 0] << 8 | parts[..., 1] << 4 | parts[..., 2], np.uint16)


def _framed(picture: npt.NDArray[Any], border: int) -> npt.NDArray[Any]:
    if picture.shape == (HEIGHT, WIDTH):
        return picture
    if picture.shape != (WINDOW_HEIGHT, WINDOW_WIDTH):
        height, width = picture.shape
        raise ValueError(
            f"the picture has {width} x {height} pixels; CD+G has {WIDTH} x {HEIGHT}, or "
            f"{WINDOW_WIDTH} x {WINDOW_HEIGHT} without the border"
        )
    framed = np.full((HEIGHT, WIDTH), border, picture.dtype)
    framed[TILE_HEIGHT:-TILE_HEIGHT, TILE_WIDTH:-TILE_WIDTH] = picture
    return framed


def _parts(colours: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """Return red, green and blue, 0..15, of colours of 12 bits."""
    table = np.asarray(colours, np.int64)
    return np.stack([table >> 8, table >> 4 & 15, table & 15], axis=-1)


def _distances(colours: npt.NDArray[np.int64], palette: npt.NDArray[np.int64]) -> Any:
    return ((colours[:, None] - palette[None]) ** 2).sum(axis=2)


def _nearest(palette: npt.ArrayLike) -> npt.NDArray[np.uint8]:
    """Return (4096,): the index of the palette's colour nearest to each, the lowest of equals."""
    found = _distances(_parts(np.arange(_ALL)), _parts(palette)).argmin(axis=1)
    return np.asarray(found, np.uint8)


def _fitted(counts: npt.NDArray[np.intp], fixed: tuple[int, ...]) -> Colours12:
    """Return sixteen colours for so many pixels of each colour; those that are fixed first."""
    seen = np.flatnonzero(counts)
    free = [colour for colour in seen.tolist() if colour not in fixed]
    if len(fixed) + len(free) <= COLOURS:
        missing = COLOURS - len(fixed) - len(free)
        return np.array([*fixed, *free, *[0] * missing], np.uint16)
    colours, weights = _parts(seen), counts[seen].astype(np.int64)
    chosen = list(fixed)
    moved: tuple[int, ...] = ()
    for _ in range(_ROUNDS):
        _fill_up(chosen, seen, colours, weights)
        if tuple(chosen) == moved:
            break
        moved = tuple(chosen)
        chosen = _centred(chosen, len(fixed), colours, weights)
    return np.array(moved, np.uint16)


def _fill_up(
    chosen: list[int],
    seen: npt.NDArray[np.intp],
    colours: npt.NDArray[np.int64],
    weights: npt.NDArray[np.int64],
) -> None:
    """Add the colours that are worst served, by distance and number of pixels."""
    while len(chosen) < COLOURS:
        loss = _distances(colours, _parts(chosen)).min(axis=1) * weights if chosen else weights
        chosen.append(int(seen[loss.argmax()]))


def _centred(
    chosen: list[int],
    fixed: int,
    colours: npt.NDArray[np.int64],
    weights: npt.NDArray[np.int64],
) -> list[int]:
    """Move each colour that may move to the middle of the pixels that are nearest to it."""
    owner = _distances(colours, _parts(chosen)).argmin(axis=1)
    result = chosen[:fixed]
    for place in range(fixed, COLOURS):
        mine = owner == place
        total = int(weights[mine].sum())
        if not total:
            continue  # left out: the next filling finds a better one
        sums = (colours[mine] * weights[mine, None]).sum(axis=0)
        red, green, blue = ((2 * sums + total) // (2 * total)).tolist()
        colour = red << 8 | green << 4 | blue
        if colour not in result:
            result.append(colour)
    return result


def _cheap_order(drawn: Sequence[Bytes2D], fixed: int) -> list[int]:
    """Return an order of the palette in which the tiles that are drawn need few packs.

    Which indexes occur together in a tile decides its packs (see `planes`). Two entries at a time
    are exchanged, always the pair that brings most, until none does. Packs alone would be a poor
    guide: often no single exchange saves one, so colours that nearly fit together count as well.
    """
    sets, counts = _tile_sets(drawn)
    has = sets[:, None] >> np.arange(COLOURS, dtype=np.uint16) & 1
    guide = packs_for_sets().astype(np.int64) * _PACK_WORTH + strays()

    def cost(places: npt.NDArray[np.int64], table: npt.NDArray[np.int64]) -> int:
        moved = (has << places.astype(np.uint16)).sum(axis=1, dtype=np.uint16)
        return int((table[moved] * counts).sum())

    places = np.arange(COLOURS)  # of each old index
    best = cost(places, guide)
    while True:
        tries = []
        for one in range(fixed, COLOURS - 1):
            for other in range(one + 1, COLOURS):
                swapped = places.copy()
                swapped[[one, other]] = swapped[[other, one]]
                tries.append((cost(swapped, guide), one, other))
        if not tries or min(tries)[0] >= best:
            break
        best, one, other = min(tries)
        places[[one, other]] = places[[other, one]]
    packs = packs_for_sets().astype(np.int64)
    if cost(places, packs) > cost(np.arange(COLOURS), packs):
        places = np.arange(COLOURS)
    order: list[int] = np.argsort(places).tolist()
    return order


def _tile_sets(
    drawn: Sequence[Bytes2D],
) -> tuple[npt.NDArray[np.uint16], npt.NDArray[np.intp]]:
    """Return the sets of indexes of all tiles that change on the way, and how often each does."""
    changed = []
    before: Bytes2D | None = None
    for indexes in drawn:
        tiles = tiles_of(indexes).reshape(-1, TILE_HEIGHT * TILE_WIDTH)
        if before is None:
            changed.append(tiles)
        else:
            changed.append(tiles[(tiles != before).any(axis=1)])
        before = tiles
    return np.unique(sets_of(np.concatenate(changed)), return_counts=True)
