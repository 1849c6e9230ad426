"""Ogg files that lost their end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rawcd.errors import FormatError
from tests.sounding import codes, encoded, needs, opened, run

if TYPE_CHECKING:
    from pathlib import Path

LAST = 4


def pages(data: bytes) -> list[int]:
    """Return where pages begin, by what each one says of its length (RFC 3533 clause 6)."""
    starts, at = [], 0
    while at < len(data):
        assert data[at : at + 4] == b"OggS"
        starts.append(at)
        lengths = data[at + 27 : at + 27 + data[at + 26]]
        at += 27 + len(lengths) + sum(lengths)
    assert at == len(data)
    return starts


@pytest.mark.parametrize("kind", ["vorbis", "opus"])
def test_whole_and_cut_off(tmp_path: Path, kind: str) -> None:
    data = encoded(tmp_path, kind).read_bytes()
    start = pages(data)[-1]
    assert data[start + 5] & LAST
    assert "no-end-of-stream" not in codes(opened(data))
    size = len(data) - start
    for held in (size - 1, size // 2, 40):
        with pytest.raises(FormatError, match=f"has {size} bytes, .* after {held} of") as caught:
            opened(data[: start + held])
        assert caught.value.place == f"offset {start}"
    for held in (4, 26, 27):
        with pytest.raises(FormatError, match="inside the header of its last page"):
            opened(data[: start + held])
    assert codes(opened(data[:start]))[0] == "no-end-of-stream"
    assert "no-end-of-stream" not in codes(opened(data + b"TAG" + bytes(125)))  # ID3v1


@needs("ffmpeg")
def test_ffmpeg_ends_its_streams(tmp_path: Path) -> None:
    source = encoded(tmp_path, "vorbis")
    for codec in ("libvorbis", "libopus"):
        data = run("ffmpeg", "-v", "error", "-i", source, "-c:a", codec, "-f", "ogg", "-")
        assert "no-end-of-stream" not in codes(opened(data)), codec
