from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from rawcd.cdg import (
    CDG,
    CdgPicture,
    ColourTable,
    MemoryPreset,
    Scroll,
    Tile,
    View,
    encode,
    make_picture,
    make_pictures,
    parse_pack,
)
from rawcd.cdg.canvas import rgb_of, tiles_of
from rawcd.cdg.planes import packs_for_sets, subspaces

PALETTE = tuple(0x111 * i for i in range(16))


def random_picture(seed: int, *, blocks: bool = False, palette: Any = PALETTE) -> CdgPicture:
    """Noise of a random choice of colours, of pixels or of whole tiles."""
    chance = np.random.default_rng(seed)
    colours = chance.choice(16, chance.integers(1, 17), replace=False)
    indexes = colours[chance.integers(0, len(colours), (216, 300))].astype(np.uint8)
    if blocks:
        tiles_of(indexes)[:] = tiles_of(indexes)[:, :, :1, :1]
    return CdgPicture(indexes=indexes, palette=palette)


def mixed(picture: CdgPicture, other: CdgPicture, seed: int) -> tuple[CdgPicture, Any]:
    """Return the picture with some of its tiles, not of the ring, taken from another; and which."""
    chosen = np.zeros((18, 50), bool)
    chosen[1:-1, 1:-1] = np.random.default_rng(seed).random((16, 48)) < 0.1
    indexes = picture.indexes.copy()
    tiles_of(indexes)[chosen] = tiles_of(other.indexes)[chosen]
    return CdgPicture(indexes=indexes, palette=picture.palette), chosen


def decoded(packs: Any, canvas: CDG | None = None) -> CDG:
    canvas = CDG() if canvas is None else canvas.copy()
    canvas.run(packs)
    return canvas


seeds = st.integers(0, 10_000)


@given(seeds, seeds, st.booleans(), st.integers(1, 16))
def test_what_is_encoded_is_decoded(one: int, two: int, blocks: bool, repeats: int) -> None:
    """From whatever state, at the start of a track and after any other picture."""
    before = decoded(encode(random_picture(two, blocks=True)))
    picture = random_picture(one, blocks=blocks, palette=tuple(range(two % 4000, two % 4000 + 16)))
    for packs, start in (
        (encode(picture, preset_repeats=repeats), CDG()),
        (encode(picture, preset_repeats=repeats), before),
        (encode(picture, before), before),
        (encode(picture, before, may_clear=True), before),
    ):
        shown = decoded(packs, start)
        assert picture.is_shown_by(shown)
        np.testing.assert_array_equal(shown.rgb(), picture.rgb())
        assert not len(encode(picture, shown))


@given(seeds, seeds, seeds)
def test_only_changed_tiles_are_sent(one: int, two: int, which: int) -> None:
    first, other = random_picture(one), random_picture(two)
    second, chosen = mixed(first, other, which)
    shown = decoded(encode(first))
    packs = encode(second, shown)
    found = [parse_pack(pack.tobytes()) for pack in packs]
    tiles = [each for each in found if isinstance(each, Tile)]
    assert len(tiles) == len(found)
    changed = (tiles_of(first.indexes) != tiles_of(second.indexes)).any(axis=(2, 3))
    assert {(tile.row, tile.column) for tile in tiles} == {
        (row, column) for row, column in np.argwhere(changed).tolist()
    }
    assert not (changed & ~chosen).any()
    assert second.is_shown_by(decoded(packs, shown))
    assert encode(second, shown).tobytes() == packs.tobytes()
    cleared = len(encode(second))
    assert len(encode(second, shown, may_clear=True)) <= min(len(packs), cleared)


def reachable(colours: set[int], packs: int) -> bool:
    """Try every choice of a normal pack's and XOR packs' colours."""
    for ground in colours:
        for vectors in combinations(range(1, 16), packs):
            values = {ground}
            for vector in vectors:
                values |= {value ^ vector for value in values}
            if colours <= values:
                return True
    return False


def test_there_are_sixty_seven_subspaces() -> None:
    table = subspaces()
    assert np.bincount(table.dimensions).tolist() == [1, 15, 35, 15, 1]
    for members, basis, pivots in zip(table.members, table.basis, table.pivots, strict=True):
        span = {0}
        for vector, pivot in zip(basis.tolist(), pivots.tolist(), strict=True):
            span |= {member ^ vector for member in span}
            if vector:
                assert [other >> pivot & 1 for other in basis.tolist()].count(1) == 1
        assert members == sum(1 << member for member in span)


@given(st.sets(st.integers(0, 15), min_size=1))
def test_a_tile_needs_as_few_packs_as_any_choice_of_colours(colours: set[int]) -> None:
    needed = int(packs_for_sets()[sum(1 << colour for colour in colours)])
    assert reachable(colours, needed)
    assert needed == 1 or not reachable(colours, needed - 1)
    assert (len(colours) - 1).bit_length() <= needed <= max(1, min(4, len(colours) - 1))


@pytest.mark.parametrize("count", range(1, 17))
def test_colours_that_lie_together_need_the_logarithm_of_their_number(count: int) -> None:
    """The first k indexes lie in the smallest subspace that k can lie in."""
    indexes = np.zeros((216, 300), np.uint8)
    tiles_of(indexes)[4, 7] = np.arange(72).reshape(12, 6) % count
    picture = CdgPicture(indexes=indexes, palette=PALETTE)
    shown = decoded(encode(CdgPicture(indexes=indexes * 0 + 5, palette=PALETTE)))
    shown.apply(MemoryPreset(colour=0))
    packs = encode(picture, shown)
    expected = max(1, (count - 1).bit_length()) if count > 1 else 0
    assert len(packs) == expected
    assert picture.is_shown_by(decoded(packs, shown))


def test_a_change_may_be_cheaper_than_the_tile() -> None:
    """Sixteen colours need four packs anew; inverting one bit of some pixels is one XOR."""
    indexes = (np.arange(216 * 300).reshape(216, 300) % 16).astype(np.uint8)
    one = CdgPicture(indexes=indexes, palette=PALETTE)
    changed = indexes.copy()
    changed[24:30, 12:15] ^= 4
    two = CdgPicture(indexes=changed, palette=PALETTE)
    shown = decoded(encode(one))
    (pack,) = encode(two, shown)
    found = parse_pack(pack.tobytes())
    assert isinstance(found, Tile)
    assert found.xor
    assert two.is_shown_by(decoded(pack, shown))


def test_what_is_as_cheap_is_drawn_anew() -> None:
    shown = decoded(encode(CdgPicture(indexes=np.zeros((216, 300), np.uint8), palette=PALETTE)))
    indexes = shown.indexes()
    indexes[30, 30] = 5
    (pack,) = encode(CdgPicture(indexes=indexes, palette=PALETTE), shown)
    found = parse_pack(pack.tobytes())
    assert isinstance(found, Tile)
    assert not found.xor


def test_a_plain_picture_takes_the_presets_and_the_colours() -> None:
    indexes = np.full((216, 300), 3, np.uint8)
    indexes[12:-12, 6:-6] = 9
    picture = CdgPicture(indexes=indexes, palette=PALETTE)
    assert picture.border == 3
    found = [type(parse_pack(pack.tobytes())).__name__ for pack in encode(picture)]
    assert found == ["MemoryPreset", "ColourTable", "ColourTable", "BorderPreset"]
    repeated = [parse_pack(pack.tobytes()) for pack in encode(picture, preset_repeats=3)]
    assert repeated[:3] == [MemoryPreset(colour=9, repeat=n) for n in range(3)]
    with pytest.raises(ValueError, match="17 repeats"):
        encode(picture, preset_repeats=17)
    shown = decoded(encode(random_picture(1)))
    assert len(encode(picture, shown)) > 700
    assert len(encode(picture, shown, may_clear=True)) == 2  # memory and border


def test_the_window_is_brought_back() -> None:
    picture = random_picture(2, blocks=True)
    shown = decoded(encode(picture))
    shown.apply(Scroll(offset_x=2, copy=True))
    (pack,) = encode(picture, shown)
    assert parse_pack(pack.tobytes()) == Scroll(copy=True)


@pytest.mark.parametrize(("used", "place"), [(True, -1), (False, 0)])
def test_colours_change_last_unless_nobody_sees_it(used: bool, place: int) -> None:
    indexes = np.zeros((216, 300), np.uint8)
    indexes[100, 100] = 2
    shown = decoded(encode(CdgPicture(indexes=indexes, palette=PALETTE)))
    palette = list(PALETTE)
    palette[2 if used else 3] = 0xF00
    indexes[100, 100] = 3
    packs = encode(CdgPicture(indexes=indexes, palette=tuple(palette)), shown)
    assert len(packs) == 2
    assert isinstance(parse_pack(packs[place].tobytes()), ColourTable)


@given(seeds, st.integers(1, 16))
def test_sixteen_colours_or_fewer_are_kept(seed: int, count: int) -> None:
    chance = np.random.default_rng(seed)
    colours = chance.choice(4096, count, replace=False)
    rgb = rgb_of(colours)[chance.integers(0, count, (216, 300))]
    picture = make_picture(rgb)
    np.testing.assert_array_equal(picture.rgb(), rgb)
    np.testing.assert_array_equal(make_picture(picture.image()).rgb(), rgb)


@given(seeds)
def test_too_many_colours_become_sixteen_the_same_every_time(seed: int) -> None:
    chance = np.random.default_rng(seed)
    low = chance.integers(0, 256, (18, 25, 3))
    rgb = np.kron(low, np.ones((12, 12, 1))).astype(np.uint8)
    picture = make_picture(rgb)
    assert picture.indexes.tobytes() == make_picture(rgb.copy()).indexes.tobytes()
    assert len(set(picture.palette)) == 16
    wanted = (rgb.astype(int) + 8) // 17 * 17
    error = ((picture.rgb().astype(int) - wanted) ** 2).sum(axis=2)
    others = ((rgb_of(picture.palette).astype(int)[:, None, None] - wanted) ** 2).sum(axis=3)
    np.testing.assert_array_equal(error, others.min(axis=0))  # each pixel has the nearest
    assert error.mean() < ((wanted - wanted.mean(axis=(0, 1))) ** 2).sum(axis=2).mean() / 4


def test_pictures_share_a_palette_and_its_order_saves_packs() -> None:
    chance = np.random.default_rng(8)
    colours = rgb_of(chance.choice(4096, 16, replace=False))
    # Two families of eight that never meet in a tile, dealt out alternately.
    families = chance.integers(0, 2, (18, 50))
    indexes = np.zeros((216, 300), np.uint8)
    tiles_of(indexes)[:] = chance.integers(0, 8, (18, 50, 12, 6)) * 2
    tiles_of(indexes)[:] += families[..., None, None].astype(np.uint8)
    one, two = make_pictures([colours[indexes], colours[indexes[::-1]]])
    assert one.palette == two.palette
    np.testing.assert_array_equal(two.rgb(), colours[indexes[::-1]])
    # Eight colours anywhere may need four packs; in a subspace they need three.
    assert len(encode(one)) <= 3 * 900 + 4


def test_a_given_palette_is_kept() -> None:
    rgb = np.zeros((192, 288, 3), np.uint8)
    rgb[50:60, 50:60] = 255, 0, 0
    rgb[70:80, 50:60] = 250, 4, 3  # nearest to the red that is given
    given = (0x00F, 0xF00)
    picture = make_picture(rgb, palette=given, border=0x00F)
    assert picture.palette[:2] == given
    assert (picture.indexes[:12] == 0).all()
    assert picture.border == 0
    inner = picture.indexes[12:-12, 6:-6]
    assert (inner[50:60, 50:60] == 1).all()
    assert (inner[70:80, 50:60] == 1).all()
    assert picture.palette[inner[0, 0]] == 0x000
    full = make_picture(rgb, palette=PALETTE)
    assert full.palette == PALETTE
    noise = np.random.default_rng(3).integers(0, 256, (216, 300, 3)).astype(np.uint8)
    filled = make_picture(noise, palette=given)
    assert filled.palette[:2] == given
    assert len(set(filled.palette)) == 16
    assert make_picture(noise, palette=PALETTE).palette == PALETTE


def test_a_pillow_image_with_a_palette_keeps_it() -> None:
    image = Image.new("P", (288, 192), 5)
    image.putpalette([channel for colour in range(16) for channel in (colour * 17, 0, 255)])
    image.putpixel((0, 0), 15)
    picture = make_picture(image, border=0x30F)
    assert picture.palette == tuple(i << 8 | 0x00F for i in range(16))
    assert picture.indexes[12, 6] == 15
    assert (picture.indexes[13:-12, 6:-6] == 5).all()
    assert picture.border == 3
    given = make_picture(image, palette=[0x123])
    assert given.palette[0] == 0x123
    np.testing.assert_array_equal(given.rgb()[13, 6], [85, 0, 255])
    many = Image.fromarray(np.arange(216 * 300, dtype=np.uint8).reshape(216, 300)).convert("P")
    assert len(set(make_picture(many).palette)) == 16
    assert make_pictures([]) == []


def test_what_is_no_picture_is_refused() -> None:
    with pytest.raises(ValueError, match="300 x 216, or 288 x 192"):
        make_picture(np.zeros((100, 100, 3), np.uint8))
    with pytest.raises(ValueError, match="no picture: float64"):
        make_picture(np.zeros((216, 300, 3)))  # type: ignore[arg-type]  # what is refused
    with pytest.raises(ValueError, match="12 bits"):
        make_picture(np.zeros((216, 300, 3), np.uint8), palette=[0x1000])
    with pytest.raises(ValueError, match="below 16"):
        CdgPicture(indexes=np.full((216, 300), 16, np.uint8), palette=PALETTE)
    with pytest.raises(ValueError, match="216 rows"):
        CdgPicture(indexes=np.zeros((1, 1), np.uint8), palette=PALETTE)
    with pytest.raises(ValueError, match="16 colours"):
        CdgPicture(indexes=np.zeros((216, 300), np.uint8), palette=(0,))


def test_a_picture_is_its_own_and_is_compared_with_a_canvas() -> None:
    indexes = np.zeros((216, 300), np.uint8)
    picture = CdgPicture(indexes=indexes, palette=PALETTE)
    indexes[0, 0] = 1
    assert picture.indexes[0, 0] == 0
    assert not picture.indexes.flags.writeable
    shown = decoded(encode(picture))
    assert picture.is_shown_by(shown)
    assert np.array_equal(shown.rgb(View.WINDOW), picture.rgb()[12:-12, 6:-6])
    for change in (MemoryPreset(colour=1), ColourTable(high=True, colours=(1,) * 8)):
        other = shown.copy()
        other.apply(change)
        assert not picture.is_shown_by(other)


def test_pictures_may_come_one_after_the_other() -> None:
    images = [Image.new("RGB", (300, 216), colour) for colour in ("red", "blue")]
    shared = make_pictures(images, palette=[0xFFF])
    assert make_pictures(iter(images), palette=iter([0xFFF])) == shared
    assert make_pictures([]) == []


def test_a_picture_is_a_value() -> None:
    flat = np.full((216, 300), 3, np.int64)
    picture = CdgPicture(indexes=flat, palette=PALETTE)  # type: ignore[arg-type]  # any whole numbers
    again = CdgPicture(indexes=flat.astype(np.uint8), palette=list(PALETTE))  # type: ignore[arg-type]  # a list
    assert picture == again
    assert hash(picture) == hash(again)
    assert picture != CdgPicture(indexes=again.indexes, palette=(1,) * 16)
    wrongs: list[Any] = [flat - 4, flat + 13, flat.astype(float), flat[1:]]
    for wrong in wrongs:
        with pytest.raises(ValueError, match="indexes below 16"):
            CdgPicture(indexes=wrong, palette=PALETTE)
