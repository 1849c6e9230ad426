"""Outputs whose beginning is known only at their end."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rawcd.errors import UnsupportedError
from rawcd.fileset import FileTransaction, StreamOutput
from tests.contract.format_contract import folder

if TYPE_CHECKING:
    from pathlib import Path


@given(st.binary(min_size=1, max_size=100), st.data())
def test_what_is_rewritten_is_in_the_file_and_writing_goes_on(
    whole: bytes, data: st.DataObject
) -> None:
    start = data.draw(st.integers(0, len(whole)))
    change = data.draw(st.binary(max_size=len(whole) - start))
    with folder() as place:
        with FileTransaction(place / "a") as files:
            output = files.create("a")
            output.write(whole)
            output.rewrite(start, change)
            output.write(b"the rest")
            files.commit()
        expected = whole[:start] + change + whole[start + len(change) :] + b"the rest"
        assert (place / "a").read_bytes() == expected


def test_a_stream_does_not_go_back() -> None:
    stream = io.BytesIO()
    output = StreamOutput(stream).create("a")
    output.write(b"abc")
    with pytest.raises(UnsupportedError, match="does not go back to byte 1"):
        output.rewrite(1, b"x")
    assert stream.getvalue() == b"abc"


def test_nothing_is_left_when_the_block_is_left(tmp_path: Path) -> None:
    with FileTransaction(tmp_path / "a") as files:
        output = files.create("a")
        output.write(b"abc")
        output.rewrite(0, b"x")
    assert not list(tmp_path.iterdir())
