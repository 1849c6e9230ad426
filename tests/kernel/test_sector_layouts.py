"""Layouts: construct and numpy say the same, and what the books say."""

from __future__ import annotations

import subprocess
import sys
from typing import Any, cast

import construct
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rawcd.sector
from rawcd.sector import Defect, SectorType
from rawcd.sector.layouts import LAYOUTS, dtype_of, field_slice, records, sector_dtype

# ECMA-130 clause 14 and the Green Book; last byte included
OFFSETS = {
    SectorType.AUDIO: {"user": (0, 2351)},
    SectorType.MODE_ZERO: {"sync": (0, 11), "header": (12, 15), "user": (16, 2351)},
    SectorType.MODE1: {
        "sync": (0, 11),
        "header": (12, 15),
        "user": (16, 2063),
        "edc": (2064, 2067),
        "zeros": (2068, 2075),
        "p": (2076, 2247),
        "q": (2248, 2351),
    },
    SectorType.MODE2FORM0: {"sync": (0, 11), "header": (12, 15), "user": (16, 2351)},
    SectorType.MODE2FORM1: {
        "sync": (0, 11),
        "header": (12, 15),
        "subheader": (16, 19),
        "subheader_copy": (20, 23),
        "user": (24, 2071),
        "edc": (2072, 2075),
        "p": (2076, 2247),
        "q": (2248, 2351),
    },
    SectorType.MODE2FORM2: {
        "sync": (0, 11),
        "header": (12, 15),
        "subheader": (16, 19),
        "subheader_copy": (20, 23),
        "user": (24, 2347),
        "edc": (2348, 2351),
    },
}


@pytest.mark.parametrize("kind", LAYOUTS)
def test_offsets(kind: SectorType) -> None:
    layout, dtype = LAYOUTS[kind], sector_dtype(kind)
    assert dtype.itemsize == layout.sizeof() == 2352
    assert dtype.names == tuple(OFFSETS[kind])
    for field, (first, last) in OFFSETS[kind].items():
        assert field_slice(kind, field) == slice(first, last + 1)
    with pytest.raises(KeyError):
        field_slice(kind, "no such field")


def as_plain(value: object) -> object:
    """Turn a construct value into what numpy gives for the same bytes."""
    if isinstance(value, construct.Container):
        return tuple(as_plain(part) for name, part in value.items() if name != "_io")
    return value


def as_bytes(value: object) -> object:
    if isinstance(value, np.void | tuple):
        return tuple(
            as_bytes(part) for part in (value.item() if isinstance(value, np.void) else value)
        )
    return value.tobytes() if isinstance(value, np.ndarray) else value


@settings(max_examples=15, deadline=None)
@given(st.sampled_from(list(LAYOUTS)), st.binary(min_size=2352, max_size=2352))
def test_construct_and_numpy_read_the_same(kind: SectorType, sector: bytes) -> None:
    layout = LAYOUTS[kind]
    parsed = layout.parse(sector)
    record = records(np.frombuffer(sector, np.uint8).reshape(1, -1), kind)[0]
    assert as_bytes(record) == as_plain(parsed)
    assert layout.build(parsed) == sector == record.tobytes()


def test_records_share_memory() -> None:
    buffer = np.zeros((3, 2448), np.uint8)
    records(buffer[:, :2352], SectorType.MODE1)["edc"] = 0x04030201
    assert buffer[1, 2064:2068].tolist() == [1, 2, 3, 4]


def test_dtype_of_every_part() -> None:
    layout = construct.Struct(
        "a" / construct.Int16ub,
        construct.Padding(3),
        "b" / construct.Array(4, construct.Int32sl),
        "c" / construct.Hex(construct.Byte),
        "d" / construct.Const(b"xy"),
    )
    dtype = dtype_of(layout)
    assert dtype.itemsize == layout.sizeof() == 24
    assert dtype.names == ("a", "_pad1", "b", "c", "d")
    record = np.frombuffer(bytes(range(24)), dtype)[0]
    assert (record["a"], record["c"], record["b"][0]) == (0x0001, 21, 0x08070605)


def test_mixed_has_no_one_layout() -> None:
    with pytest.raises(ValueError, match="form 1 or form 2"):
        sector_dtype(SectorType.MODE2MIXED)


def test_values_are_imapis() -> None:
    names = ["AUDIO", "MODE_ZERO", "MODE1", "MODE2FORM0", "MODE2FORM1", "MODE2FORM2"]
    names += ["MODE1RAW", "MODE2FORM0RAW", "MODE2FORM1RAW", "MODE2FORM2RAW"]
    assert [SectorType[name] for name in names] == list(range(10))
    imapi_sizes = [2352, 2336, 2048, 2336, 2048, 2336, 2352, 2352, 2352, 2352]
    assert [SectorType(value).block_sizes[0] for value in range(10)] == imapi_sizes
    assert [SectorType(value).mode for value in range(10)] == [None, 0, 1, 2, 2, 2, 1, 2, 2, 2]
    assert SectorType.MODE2FORM2RAW.cooked is SectorType.MODE2FORM2
    assert SectorType.MODE2MIXED.mode == 2
    assert int(Defect.SYNC | Defect.FORM) < 256


def test_describing_needs_neither_numpy_nor_construct() -> None:
    code = (
        "import sys; from rawcd.sector import SYNC, Defect, SectorType; import rawcd.sector;"
        "SectorType.MODE2FORM1.block_sizes; dir(rawcd.sector);"
        "sys.exit(bool({'numpy', 'construct'} & sys.modules.keys()))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_face_is_whole() -> None:
    for name in rawcd.sector.__all__:
        assert getattr(rawcd.sector, name) is not None
    assert set(rawcd.sector.__all__) == set(dir(rawcd.sector))
    assert callable(rawcd.sector.repair)
    with pytest.raises(AttributeError):
        _ = rawcd.sector.no_such_name


@pytest.mark.parametrize("kind", [10, 99, -1, "MODE1", SectorType.MODE2MIXED])
def test_what_has_no_layout(kind: Any) -> None:
    with pytest.raises(ValueError, match=r"layout|SectorType"):
        sector_dtype(kind)
    assert sector_dtype(cast("SectorType", 2)) == sector_dtype(SectorType.MODE1)
