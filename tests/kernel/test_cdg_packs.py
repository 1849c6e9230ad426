from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rawcd.cdg
from rawcd.cdg import (
    BorderPreset,
    ColourTable,
    Instruction,
    MemoryPreset,
    Scroll,
    Tile,
    Transparency,
    build_pack,
    parse_pack,
)
from rawcd.cdg.packs import Code, header_dtype, tile_dtype
from rawcd.errors import FormatError

nibbles = st.integers(0, 15)
moves = st.integers(-1, 1)
tiles = st.builds(
    Tile,
    row=st.integers(0, 31),
    column=st.integers(0, 63),
    colours=st.tuples(nibbles, nibbles),
    lines=st.lists(st.integers(0, 63), min_size=12, max_size=12).map(bytes),
    xor=st.booleans(),
    channel=nibbles,
)
instructions: st.SearchStrategy[Instruction] = st.one_of(
    st.builds(MemoryPreset, colour=nibbles, repeat=nibbles),
    st.builds(BorderPreset, colour=nibbles),
    tiles,
    st.builds(
        Scroll,
        right=moves,
        down=moves,
        offset_x=st.integers(0, 7),
        offset_y=nibbles,
        copy=st.booleans(),
        colour=nibbles,
    ),
    st.builds(
        ColourTable,
        high=st.booleans(),
        colours=st.tuples(*[st.integers(0, 0xFFF)] * 8),
    ),
    st.builds(Transparency, levels=st.tuples(*[st.integers(0, 63)] * 16)),
)


@given(instructions)
def test_what_is_built_parses_back(instruction: Instruction) -> None:
    pack = build_pack(instruction)
    assert parse_pack(pack) == instruction
    assert pack[2:4] == bytes(2)  # parity is not ours
    assert pack[20:] == bytes(4)
    assert max(pack) < 64


@given(st.binary(min_size=24, max_size=24), st.booleans())
def test_any_pack_is_an_instruction_or_nothing(pack: bytes, graphics: bool) -> None:
    if graphics:
        pack = b"\x09" + pack[1:]
    found = parse_pack(pack)
    known = pack[0] & 63 == 9 and pack[1] & 63 in set(Code)
    assert (found is not None) == known
    if found is not None:
        assert parse_pack(build_pack(found)) == found


@given(instructions, st.binary(min_size=24, max_size=24))
def test_p_and_q_and_parity_are_not_looked_at(instruction: Instruction, junk: bytes) -> None:
    pack = bytearray(build_pack(instruction))
    pack[2:4], pack[20:] = junk[2:4], junk[20:]
    dirty = bytes(symbol & 63 | byte & 0xC0 for symbol, byte in zip(pack, junk, strict=True))
    assert parse_pack(dirty) == instruction


@given(st.binary(max_size=60).filter(lambda pack: len(pack) != 24))
def test_a_pack_of_another_length_is_refused(pack: bytes) -> None:
    with pytest.raises(FormatError, match="24 bytes"):
        parse_pack(pack)


def test_the_vectors_say_what_their_symbols_say(vectors: dict[str, Any]) -> None:
    found = [parse_pack(bytes.fromhex(pack)) for pack in vectors["cdg"]["packs24"]]
    assert found[:2] == [MemoryPreset(colour=1), BorderPreset(colour=2)]
    assert found[2] == ColourTable(
        high=False, colours=(0x000, 0xFFF, 0xF00, 0x0F0, 0x00F, 0x888, 0x123, 0xEDC)
    )
    assert isinstance(found[3], ColourTable)
    assert found[3].high
    stripes = bytes([0x2A, 0x15] * 6)
    assert found[4] == Tile(row=5, column=10, colours=(1, 3), lines=stripes)
    assert found[5] == Tile(row=5, column=10, colours=(0, 4), lines=bytes([63, 0] * 6), xor=True)
    assert isinstance(found[6], Tile)
    assert (found[6].row, found[6].column) == (17, 49)
    assert found[7:] == [None] * 13
    built = [bytes(24) if each is None else build_pack(each) for each in found]
    assert [pack.hex() for pack in built] == vectors["cdg"]["packs24"]


def test_a_move_that_is_not_defined_is_none() -> None:
    pack = bytes([9, 24, 0, 0, 0, 0x31, 0x32, *[0] * 17])
    assert parse_pack(pack) == Scroll(copy=True, offset_x=1, offset_y=2)


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        (MemoryPreset, {"colour": 16}),
        (MemoryPreset, {"colour": 0, "repeat": 16}),
        (BorderPreset, {"colour": -1}),
        (Tile, {"row": 32, "column": 0, "colours": (0, 1), "lines": bytes(12)}),
        (Tile, {"row": 0, "column": 64, "colours": (0, 1), "lines": bytes(12)}),
        (Tile, {"row": 0, "column": 0, "colours": (0, 16), "lines": bytes(12)}),
        (Tile, {"row": 0, "column": 0, "colours": (0, 1), "lines": bytes(11)}),
        (Tile, {"row": 0, "column": 0, "colours": (0, 1), "lines": bytes([64] * 12)}),
        (Tile, {"row": 0, "column": 0, "colours": (0, 1), "lines": bytes(12), "channel": 16}),
        (Scroll, {"right": 2}),
        (Scroll, {"offset_x": 8}),
        (Scroll, {"offset_y": 16}),
        (ColourTable, {"high": False, "colours": (0,) * 7}),
        (ColourTable, {"high": False, "colours": (4096,) * 8}),
        (Transparency, {"levels": (64,) * 16}),
    ],
)
def test_a_value_that_no_symbol_holds_is_refused(kind: Any, fields: Any) -> None:
    with pytest.raises(ValueError, match=r"\d"):
        kind(**fields)


def test_values_are_frozen_whatever_they_are_made_of() -> None:
    drawn: dict[str, Any] = {"row": 1, "column": 2, "colours": [0, 1], "lines": [63] * 12}
    assert hash(Tile(**drawn)) == hash(Tile(row=1, column=2, colours=(0, 1), lines=b"?" * 12))
    levels: Any = [1] * 16
    assert Transparency(levels=levels) == Transparency(levels=(1,) * 16)
    assert hash(ColourTable(high=False, colours=levels[:8])) is not None


@pytest.mark.parametrize("colour", [1.5, "1", None])
def test_what_is_no_whole_number_is_refused(colour: Any) -> None:
    with pytest.raises(TypeError, match=f"colour is {colour!r}, no whole number"):
        BorderPreset(colour=colour)


@pytest.mark.parametrize("wrong", [None, 3, "x", bytes(24)])
def test_only_instructions_make_packs(wrong: Any) -> None:
    with pytest.raises(TypeError, match="is no instruction of CD"):
        build_pack(wrong)


@given(tiles)
def test_the_arrays_fields_are_the_layouts(tile: Tile) -> None:
    pack = np.frombuffer(build_pack(tile), np.uint8)
    fields = pack.view(tile_dtype())[0]
    assert (fields["row"], fields["column"]) == (tile.row, tile.column)
    assert fields["lines"].tobytes() == tile.lines
    assert pack.view(header_dtype())[0]["instruction"] == (38 if tile.xor else 6)


def test_importing_the_package_imports_nothing_heavy() -> None:
    probe = "import rawcd.cdg, sys; print({'numpy', 'construct', 'PIL'} & {*sys.modules})"
    result = subprocess.run(
        [sys.executable, "-c", probe], capture_output=True, text=True, check=True, timeout=60
    )
    assert result.stdout.strip() == "set()"


def test_every_name_of_the_package_loads() -> None:
    assert sorted(rawcd.cdg.__all__) == dir(rawcd.cdg)
    for name in rawcd.cdg.__all__:
        assert getattr(rawcd.cdg, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'sprite'"):
        rawcd.cdg.sprite  # noqa: B018
