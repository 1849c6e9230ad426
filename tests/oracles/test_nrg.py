"""Other programs read our NRGs as the disc they were made from.

libcdio takes raw data tracks for sound, counts tracks from 1, and knows no pre-emphasis here; iat
and nrg2iso look for a file system, nrg2iso at a fixed place in files of 2,048-byte sectors alone.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from rawcd.disc import CopySetting
from rawcd.image import main_sectors
from rawcd.plugins import open_image, save_image
from tests.formats.test_nrg import make
from tests.oracles.test_bin_cue import FULL, GAPS, PLAIN, needs, run
from tests.oracles.test_data_tracks import make_iso, maker, needs_an_iso
from tests.strategies import image_of

if TYPE_CHECKING:
    from pathlib import Path

    from rawcd.disc import Disc

DISCS = {"plain": PLAIN, "gaps": GAPS, "full": FULL}


def saved(place: Path, disc: Disc) -> None:
    save_image(image_of(disc), place / "x.nrg")


def cd_info(place: Path) -> str:
    quiet = ("--no-header", "--no-device-info", "--no-cddb", "--no-analyze")
    return run("cd-info", *quiet, "--nrg-file=x.nrg", folder=place)


@needs("cd-info")
@pytest.mark.parametrize("name", DISCS)
def test_cd_info_agrees_on_addresses_and_flags(tmp_path: Path, name: str) -> None:
    disc = DISCS[name]
    saved(tmp_path, disc)
    said = cd_info(tmp_path)
    for track in disc.tracks:
        copy = "yes" if track.copy is CopySetting.PERMITTED else "no"
        lba = f"{track.start_lba:06d}"
        row = rf"^ *{track.number}: .* {lba} audio +false +{copy} "
        assert re.search(row, said, re.MULTILINE), said
    assert re.search(rf"^170: .* {disc.sessions[0].lead_out_lba:06d} leadout", said, re.MULTILINE)
    assert f"(MCN): {disc.mcn or 'not available'}" in said or disc.mcn is None


@needs("chdman")
@pytest.mark.parametrize("name", DISCS)
def test_chdman_finds_the_same_tracks_and_the_first_one_s_sound(tmp_path: Path, name: str) -> None:
    """Where later tracks lie it gets wrong: it leaves the pregaps before them out of account."""
    disc = DISCS[name]
    saved(tmp_path, disc)
    run("chdman", "createcd", "-f", "-i", "x.nrg", "-o", "x.chd", folder=tmp_path)
    said = run("chdman", "info", "-i", "x.chd", folder=tmp_path)
    for track in disc.tracks:
        frames = rf"TRACK:{track.number} TYPE:AUDIO SUBTYPE:NONE FRAMES:{track.sector_count} "
        assert re.search(frames + rf"PREGAP:{track.pregap_sectors} ", said)
    back = ("-o", "back.cue", "-ob", "back.bin")
    run("chdman", "extractcd", "-f", "-i", "x.chd", *back, folder=tmp_path)
    first = main_sectors(image_of(disc), disc.tracks[0].start_lba, disc.tracks[0].sector_count)
    assert (tmp_path / "back.bin").read_bytes()[: first.size] == first.tobytes()


@needs_an_iso
@needs("iat")
def test_iat_finds_the_iso_in_whole_sectors(tmp_path: Path) -> None:
    assert maker is not None
    make_iso(maker, tmp_path)
    save_image(open_image(tmp_path / "disc.iso"), tmp_path / "x.nrg")
    run("iat", "x.nrg", "back.iso", folder=tmp_path)
    iso = (tmp_path / "disc.iso").read_bytes()
    assert (tmp_path / "back.iso").read_bytes()[: len(iso)] == iso


@needs_an_iso
@needs("nrg2iso")
def test_nrg2iso_gives_the_iso_back(tmp_path: Path) -> None:
    assert maker is not None
    make_iso(maker, tmp_path)
    image = open_image(tmp_path / "disc.iso")
    save_image(image, tmp_path / "x.nrg", options={"sector-size": "2048"})
    run("nrg2iso", "x.nrg", "back.iso", folder=tmp_path)
    iso = (tmp_path / "disc.iso").read_bytes()
    assert (tmp_path / "back.iso").read_bytes()[: len(iso)] == iso


@needs("cd-info")
def test_cd_info_puts_tracks_written_one_by_one_where_we_do(tmp_path: Path) -> None:
    (tmp_path / "x.nrg").write_bytes(make.track_by_track(2))
    said = cd_info(tmp_path)
    image = open_image(tmp_path / "x.nrg")
    for track, kind in zip(image.disc.tracks, ("data", "audio"), strict=True):
        row = rf"^ *{track.number}: .* {track.start_lba:06d} {kind} "
        assert re.search(row, said, re.MULTILINE), said


@needs("chdman")
def test_chdman_agrees_on_a_file_that_neither_of_us_made(tmp_path: Path) -> None:
    (tmp_path / "x.nrg").write_bytes(make.at_once(2))
    run("chdman", "createcd", "-f", "-i", "x.nrg", "-o", "x.chd", folder=tmp_path)
    said = run("chdman", "info", "-i", "x.chd", folder=tmp_path)
    image = open_image(tmp_path / "x.nrg")
    for track in image.disc.tracks:
        frames = rf"TRACK:{track.number} TYPE:AUDIO SUBTYPE:NONE FRAMES:{track.sector_count} "
        assert re.search(frames + rf"PREGAP:{track.pregap_sectors} ", said)
