from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rawcd.cdg import (
    CDG,
    BorderPreset,
    CdgDecoder,
    ColourTable,
    Instruction,
    MemoryPreset,
    Scroll,
    Tile,
    Transparency,
    View,
    build_pack,
    packs_by,
    parse_pack,
)
from rawcd.errors import MissingExtraError
from tests.kernel.test_cdg_packs import instructions
from tests.oracles.cdgraphics import ffmpeg_frames, needs_ffmpeg

if TYPE_CHECKING:
    from pathlib import Path

FULL = bytes([63] * 12)
GREYS = [
    ColourTable(high=high, colours=tuple(0x111 * (8 * high + i) for i in range(8)))
    for high in (False, True)
]


def canvas_of(*done: Instruction) -> CDG:
    canvas = CDG()
    for instruction in done:
        canvas.apply(instruction)
    return canvas


def packs_of(*done: Instruction | None) -> np.ndarray[Any, np.dtype[np.uint8]]:
    data = b"".join(bytes(24) if each is None else build_pack(each) for each in done)
    return np.frombuffer(data, np.uint8).reshape(-1, 24)


def tile(row: int, column: int, colour: int, **more: Any) -> Tile:
    return Tile(row=row, column=column, colours=(0, colour), lines=FULL, **more)


def tidy(each: Instruction) -> Instruction:
    """Leave out what ffmpeg does otherwise.

    Offsets and both moves at once (see below); a scroll that moves nothing, after which ffmpeg
    goes on with a frame that it never filled; tiles out of range, whose frame it drops.
    """
    if isinstance(each, Scroll):
        return Scroll(
            right=each.right or (each.down == 0),
            down=0 if each.right else each.down,
            copy=each.copy,
            colour=each.colour,
        )
    if isinstance(each, Tile):
        return Tile(
            row=each.row % 18,
            column=each.column % 50,
            colours=each.colours,
            lines=each.lines,
            xor=each.xor,
        )
    return each


def test_the_vectors_picture_is_that_of_ffmpeg(vectors: dict[str, Any]) -> None:
    canvas = CDG()
    canvas.run(b"".join(bytes.fromhex(pack) for pack in vectors["cdg"]["packs24"]))
    shown = canvas.rgb()
    assert shown.shape == (vectors["cdg"]["height"], vectors["cdg"]["width"], 3)
    assert hashlib.sha256(shown.tobytes()).hexdigest() == vectors["cdg"]["last_frame_rgb24_sha256"]


@given(st.lists(instructions, max_size=30))
def test_both_roads_lead_to_one_picture(done: list[Instruction]) -> None:
    canvas = CDG()
    canvas.run(packs_of(*done))
    assert canvas == canvas_of(*done)


@given(st.binary(max_size=24 * 40), st.sets(st.integers(0, 15)) | st.none())
def test_any_bytes_run_like_their_instructions(data: bytes, channels: set[int] | None) -> None:
    data = data[: len(data) // 24 * 24]
    packs = np.frombuffer(data, np.uint8).reshape(-1, 24).copy()
    packs[:, 0] = packs[:, 0] & 0xC0 | 9
    packs[::2, 1] = packs[::2, 1] & 0xC0 | np.array([6, 38, 24])[packs[::2, 1] % 3]
    fast, slow = CDG(channels=channels), CDG(channels=channels)
    fast.run(packs)
    for pack in packs:
        slow.apply(parse_pack(pack.tobytes()))
    assert fast == slow


def test_a_view_may_be_named_by_its_word_and_no_other() -> None:
    canvas = canvas_of(MemoryPreset(colour=1), tile(0, 0, 2), BorderPreset(colour=3))
    for view in View:
        words: Any = view.value
        np.testing.assert_array_equal(canvas.indexes(words), canvas.indexes(view))
    with pytest.raises(ValueError, match="'visible' is not a valid View"):
        canvas.rgb("visible")  # type: ignore[arg-type]  # that is the point


def test_a_canvas_refuses_what_it_cannot_do() -> None:
    for channels in ([16], [-1]):
        with pytest.raises(ValueError, match="channel is"):
            CDG(channels=channels)
    with pytest.raises(TypeError, match="'clear' is no instruction"):
        CDG().apply("clear")  # type: ignore[arg-type]  # that is the point
    with pytest.raises(TypeError, match=r"not list; `CDG\.apply` takes instructions"):
        CDG().run([MemoryPreset(colour=1)])  # type: ignore[arg-type]  # the same
    with pytest.raises(ValueError, match=r"shape \(24, 23\)"):
        CDG().run(np.zeros((24, 23), np.uint8))


def test_packs_that_are_not_whole_are_refused() -> None:
    with pytest.raises(ValueError, match="no packs"):
        CDG().run(bytes(25))
    wide: Any = np.zeros((1, 24), np.int16)
    with pytest.raises(ValueError, match="no packs"):
        CDG().run(wide)


@needs_ffmpeg
@settings(max_examples=15)
@given(done=st.lists(instructions.map(tidy), min_size=1, max_size=60))
def test_ffmpeg_shows_the_same(
    done: list[Instruction], tmp_path_factory: pytest.TempPathFactory
) -> None:
    packs = packs_of(*GREYS, *done)
    counts = [len(packs), len(packs) // 2 + 1]
    frames = ffmpeg_frames(packs, counts, tmp_path_factory.getbasetemp())
    for frame, count in zip(frames, counts, strict=True):
        np.testing.assert_array_equal(CdgDecoder(packs).after_packs(count).rgb(), frame)


@needs_ffmpeg
def test_ffmpeg_moves_pixels_and_tiles_where_the_standard_moves_the_window(tmp_path: Path) -> None:
    """An offset is a window's; in ffmpeg 2 right moves the picture right and 3 down moves it up."""
    packs = packs_of(*GREYS, tile(5, 10, 15), Scroll(copy=True, offset_x=2, offset_y=3))
    (frame,) = ffmpeg_frames(packs, [len(packs)], tmp_path)
    assert [axis.min() for axis in np.nonzero(frame[..., 0])] == [60 - 3, 60 + 2]
    canvas = CdgDecoder(packs).after_packs(len(packs))
    assert [axis.min() for axis in np.nonzero(canvas.indexes())] == [60, 60]
    assert [axis.min() for axis in np.nonzero(canvas.indexes(View.SCREEN))] == [60 - 3, 60 - 2]


@needs_ffmpeg
def test_ffmpeg_wraps_a_corner_from_the_wrong_place(tmp_path: Path) -> None:
    """A copy in both directions is a turn both ways; ffmpeg turns the edges one way each."""
    packs = packs_of(*GREYS, tile(17, 49, 15), Scroll(copy=True, right=1, down=1))
    (frame,) = ffmpeg_frames(packs, [len(packs)], tmp_path)
    shown = CdgDecoder(packs).after_packs(len(packs)).rgb()
    assert shown[:12, :6].min() == 255
    assert shown.sum() == 3 * 255 * 72
    assert not np.array_equal(shown, frame)


def test_a_memory_preset_fills_everything_and_its_repeats_do_nothing() -> None:
    canvas = canvas_of(MemoryPreset(colour=7), tile(2, 3, 5), MemoryPreset(colour=7, repeat=1))
    assert (canvas.indexes() == 7).sum() == 300 * 216 - 72
    assert canvas.border == 7


def test_a_memory_preset_brings_the_window_back() -> None:
    """Discs rely on it (bhj/cdgraphics, issue 32); documents and ffmpeg know nothing of it."""
    canvas = canvas_of(Scroll(offset_x=3, offset_y=4), MemoryPreset(colour=0))
    assert (canvas.offset_x, canvas.offset_y) == (0, 0)


def test_a_border_preset_fills_the_ring_and_tiles_may_be_drawn_over_it() -> None:
    canvas = canvas_of(MemoryPreset(colour=1), BorderPreset(colour=2), tile(0, 0, 3))
    memory = canvas.indexes()
    assert (memory[12:-12, 6:-6] == 1).all()
    assert (memory == 2).sum() == 300 * 216 - 288 * 192 - 72
    assert (memory[:12, :6] == 3).all()
    screen = canvas.indexes(View.SCREEN)
    assert (screen[:12] == 2).all()  # a television's border has one colour
    assert canvas.indexes(View.WINDOW).shape == (192, 288)


@pytest.mark.parametrize(("row", "column"), [(18, 0), (0, 50), (31, 63)])
def test_a_tile_out_of_range_is_ignored(row: int, column: int) -> None:
    canvas = canvas_of(tile(row, column, 5))
    canvas.run(packs_of(tile(row, column, 5)))
    assert canvas == CDG()


def test_tiles_are_drawn_leftmost_bit_first_and_xor_twice_is_nothing() -> None:
    canvas = canvas_of(
        Tile(row=1, column=2, colours=(4, 9), lines=bytes([0b100001] + [0] * 10 + [1]))
    )
    block = canvas.indexes()[12:24, 12:18]
    assert block[0].tolist() == [9, 4, 4, 4, 4, 9]
    assert block[11].tolist() == [4, 4, 4, 4, 4, 9]
    before = canvas.copy()
    over = Tile(row=1, column=2, colours=(3, 12), lines=bytes(range(12)), xor=True)
    canvas.apply(over)
    assert canvas.indexes()[12, 12] == 9 ^ 3
    assert canvas != before
    canvas.apply(over)
    assert canvas == before


def test_only_the_channels_that_are_wanted_are_drawn() -> None:
    done = [tile(channel, 0, 1, channel=channel) for channel in range(16)]
    slow, fast = CDG(channels=[0, 6]), CDG(channels=[0, 6])
    for each in done:
        slow.apply(each)
    fast.run(packs_of(*done))
    for canvas in (slow, fast):
        assert set((np.nonzero(canvas.indexes())[0] // 12).tolist()) == {0, 6}


@given(
    right=st.integers(-1, 1),
    down=st.integers(-1, 1),
    copy=st.booleans(),
    seed=st.integers(0, 999),
)
def test_a_scroll_moves_every_pixel_by_a_tile(right: int, down: int, copy: bool, seed: int) -> None:
    chance = np.random.default_rng(seed)
    canvas = CDG()
    packs = chance.integers(0, 64, (900, 24)).astype(np.uint8)
    packs[:, :2] = 9, 6
    canvas.run(packs)
    before = canvas.indexes()
    canvas.apply(Scroll(right=right, down=down, copy=copy, colour=11))
    after = canvas.indexes()
    for y, x in chance.integers(0, [216, 300], (200, 2)).tolist():
        from_y, from_x = y - 12 * down, x - 6 * right
        inside = 0 <= from_y < 216 and 0 <= from_x < 300
        expected = before[from_y % 216, from_x % 300] if inside or copy else 11
        assert after[y, x] == expected


def test_a_scroll_that_moves_nothing_changes_nothing() -> None:
    canvas = canvas_of(*GREYS, tile(5, 10, 3))
    before = canvas.copy()
    canvas.apply(Scroll(colour=9))
    assert canvas == before


def test_an_offset_moves_the_window_and_not_the_tiles() -> None:
    """Offsets 1 to 5, then one tile left and none: the smooth scroll of CD+G Revealed."""
    canvas = canvas_of(tile(5, 10, 3))
    lefts = []
    for offset in (0, 1, 2, 3, 4, 5):
        canvas.apply(Scroll(offset_x=offset, copy=True))
        lefts.append(int(np.nonzero(canvas.indexes(View.WINDOW))[1].min()))
    canvas.apply(Scroll(right=-1, copy=True))
    lefts.append(int(np.nonzero(canvas.indexes(View.WINDOW))[1].min()))
    assert lefts == [54, 53, 52, 51, 50, 49, 48]
    canvas.apply(Scroll(offset_y=2, copy=True))
    assert np.nonzero(canvas.indexes(View.WINDOW))[0].min() == 5 * 12 - 12 - 2
    canvas.apply(Scroll(offset_x=7, offset_y=15))
    assert (canvas.offset_x, canvas.offset_y) == (5, 11)
    assert canvas.indexes(View.WINDOW).shape == (192, 288)
    canvas.apply(tile(1, 1, 9))
    assert (canvas.indexes()[12:24, 6:12] == 9).all()


def test_transparency_is_alpha() -> None:
    canvas = canvas_of(Transparency(levels=(0, 63, 21, 1, *[0] * 12)), *GREYS)
    canvas.run(packs_of(tile(1, 1, 1), tile(1, 2, 2), tile(1, 3, 3)))
    shown = canvas.rgba()
    assert shown[12, 18, 3] == 251
    assert shown[0, 0].tolist() == [0, 0, 0, 255]
    assert shown[12, 6].tolist() == [17, 17, 17, 0]
    assert shown[12, 12].tolist() == [34, 34, 34, 170]
    np.testing.assert_array_equal(shown[..., :3], canvas.rgb())


def test_a_copy_is_another_canvas() -> None:
    canvas = canvas_of(*GREYS, tile(1, 1, 1), Scroll(offset_x=1))
    clear = canvas_of(Transparency(levels=tuple(range(16))))
    assert clear.copy() == clear
    other = canvas.copy()
    assert other == canvas
    other.apply(MemoryPreset(colour=9))
    other.apply(ColourTable(high=False, colours=(5,) * 8))
    assert other != canvas
    assert canvas == canvas_of(*GREYS, tile(1, 1, 1), Scroll(offset_x=1))
    assert canvas != "a canvas"


def test_without_pillow_images_say_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    canvas = canvas_of(*GREYS, tile(1, 1, 15))
    image = canvas.image()
    assert (image.mode, image.size) == ("RGB", (300, 216))
    np.testing.assert_array_equal(np.asarray(image), canvas.rgb())
    assert CdgDecoder(b"").image(0, View.WINDOW).size == (288, 192)
    monkeypatch.setitem(__import__("sys").modules, "PIL", None)
    with pytest.raises(MissingExtraError, match=r"rawcd\[cdg\]") as caught:
        canvas.image()
    assert caught.value.extra == "cdg"
    assert canvas.rgb().shape == (216, 300, 3)


def test_times_are_counted_in_packs() -> None:
    assert [packs_by(seconds) for seconds in (0, 0.1, 0.3, 1 / 300, 2.999, 3)] == [
        *(0, 30, 90, 1, 899, 900)
    ]
    assert [packs_by(count / 300) for count in range(20_000)] == list(range(20_000))
    for bad in (-0.1, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="no time"):
            packs_by(bad)


def long_stream() -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Forty-five seconds of tiles, every third pack empty."""
    packs = np.random.default_rng(4).integers(0, 64, (13_500, 24)).astype(np.uint8)
    packs[:, 0] = 9
    packs[:, 1] = np.array([6, 38])[packs[:, 1] % 2]
    packs[::3] = 0
    packs[100] = np.frombuffer(build_pack(GREYS[1]), np.uint8)
    return packs


def test_moments_may_be_asked_for_in_any_order() -> None:
    packs = long_stream()
    decoder = CdgDecoder(packs)
    straight, done = CDG(), 0
    expected = {}
    for count in sorted([0, 1, 5999, 6000, 6001, 7000, 12_000, 13_499, 13_500]):
        straight.run(packs[done:count])
        done = count
        expected[count] = straight.copy()
    order = [13_500, 6001, 0, 6000, 12_000, 7000, 1, 13_499, 5999, 13_500]
    for count in order:
        assert decoder.after_packs(count) == expected[count], count
    assert decoder.after_sectors(1500) == expected[6000]
    assert decoder.at(20) == expected[6000]
    assert decoder.at(1000) == expected[13_500]  # the last picture stays
    np.testing.assert_array_equal(decoder.rgb(40, View.WINDOW), expected[12_000].rgb(View.WINDOW))
    with pytest.raises(ValueError, match="-1 packs"):
        decoder.after_packs(-1)


def test_frames_come_at_their_rate_and_end_with_the_last_pack() -> None:
    packs = long_stream()[:1000]
    frames = list(CdgDecoder(packs).frames(10))
    assert [round(seconds, 4) for seconds, _ in frames] == [
        *(round(i / 10, 4) for i in range(34)),
        3.3333,
    ]
    straight = CDG()
    straight.run(packs)
    np.testing.assert_array_equal(frames[-1][1], straight.rgb())
    assert len(list(CdgDecoder(b"").frames(10))) == 1
    with pytest.raises(ValueError, match="are none"):
        next(CdgDecoder(packs).frames(0))
