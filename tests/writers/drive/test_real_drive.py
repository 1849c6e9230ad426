"""On real hardware: `RAWCD_DRIVE=/dev/sr0 pytest -m drive`. Nothing is written but rehearsals."""

from __future__ import annotations

import os

import pytest

import rawcd
from tests.writers.drive.burning import album

DRIVE = os.environ.get("RAWCD_DRIVE", "")
pytestmark = [
    pytest.mark.drive,
    pytest.mark.skipif(not DRIVE, reason="RAWCD_DRIVE names no recorder"),
]


def test_the_drive_tells_who_it_is_and_what_is_in_it() -> None:
    facts = rawcd.find_recorder(DRIVE).facts()
    print(facts)
    assert facts.vendor or facts.product


@pytest.mark.parametrize("mode", ["raw", "sao", "tao"])
def test_a_blank_disc_takes_a_rehearsal(mode: str) -> None:
    facts = rawcd.find_recorder(DRIVE).facts()
    if not facts.blank:
        pytest.skip("there is no blank disc in the drive")
    if not any(each.startswith(mode) for each in facts.modes):
        pytest.skip(f"the drive does not write in mode {mode}")
    result = rawcd.burn_image(album(), DRIVE, mode=mode, simulate=True)
    assert result.disc_state == "the disc is blank"


def test_a_written_disc_is_read() -> None:
    with rawcd.find_recorder(DRIVE).open() as session:
        media = session.media()
        if media is None or media.is_blank:
            pytest.skip("there is no written disc in the drive")
        image, _ = session.image()
        assert len(image.read(image.disc.tracks[0].start_lba, 75)) == 75 * image.sector_size
