"""Other programs find the user data in what we write as copies of discs.

ccd2iso stops at the first sector of sound, and iat and mdf2iso look at data alone, so the discs
here are of one data track; their sheets' text is asked of nobody. What is told apart is sectors,
their subcode, and where both lie.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rawcd.plugins import open_image, save_image
from tests.oracles.blocks import blocks
from tests.oracles.test_bin_cue import needs, run

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def user_data(tmp_path: Path) -> bytes:
    """A file system's worth of data, beside it the disc that has it as its only track."""
    data = bytearray(b"".join(blocks("MODE1", 2048, 400)))
    # What such programs look for: the first volume descriptor, and the last.
    data[16 * 2048 : 16 * 2048 + 8] = b"\1CD001\1\0"
    data[17 * 2048 : 17 * 2048 + 8] = b"\xffCD001\1\0"
    (tmp_path / "disc.iso").write_bytes(data)
    return bytes(data)


@needs("ccd2iso")
def test_ccd2iso_finds_the_data_of_a_ccd(tmp_path: Path, user_data: bytes) -> None:
    save_image(open_image(tmp_path / "disc.iso"), tmp_path / "a.ccd")
    run("ccd2iso", "a.img", "found.iso", folder=tmp_path)
    assert (tmp_path / "found.iso").read_bytes() == user_data


@needs("iat")
def test_iat_finds_the_data_of_a_ccd(tmp_path: Path, user_data: bytes) -> None:
    save_image(open_image(tmp_path / "disc.iso"), tmp_path / "a.ccd")
    run("iat", "a.img", "found.iso", folder=tmp_path)
    assert (tmp_path / "found.iso").read_bytes() == user_data


@needs("iat")
def test_iat_finds_the_data_of_an_mdf(tmp_path: Path, user_data: bytes) -> None:
    """2,448 bytes a sector; the MDS is not asked."""
    save_image(open_image(tmp_path / "disc.iso"), tmp_path / "a.mds")
    run("iat", "a.mdf", "found.iso", folder=tmp_path)
    assert (tmp_path / "found.iso").read_bytes() == user_data


@needs("mdf2iso")
def test_mdf2iso_finds_the_data_of_an_mdf(tmp_path: Path, user_data: bytes) -> None:
    """It takes 2,448 bytes a sector where there is no sound."""
    save_image(open_image(tmp_path / "disc.iso"), tmp_path / "a.mds")
    run("mdf2iso", "a.mdf", "found.iso", folder=tmp_path)
    assert (tmp_path / "found.iso").read_bytes() == user_data
