"""Other programs read our sheets with a file for each track, and those of several sessions.

No tool here knows sessions: cdrdao and chdman lay all tracks into one, and bchunk and libcdio take
one BIN. So of a sheet with sessions the tracks' files are held against what chdman gives back. FLAC
is left to `flac`: cdrdao 1.2.4 takes it for samples, chdman refuses it.
"""

from __future__ import annotations

import re
import wave
from typing import TYPE_CHECKING

import pytest

from rawcd.features import Feature
from rawcd.image import main_sectors
from rawcd.plugins import open_image, save_image
from tests.contract.format_contract import image_with
from tests.formats.cue_sheets import silent_between
from tests.oracles.test_bin_cue import (
    FULL,
    GAPS,
    HIDDEN,
    NINETY_NINE,
    PLAIN,
    check_with_cdrdao,
    needs,
    run,
)
from tests.strategies import image_of

if TYPE_CHECKING:
    from pathlib import Path

    from rawcd.image import RegionImage

DISCS = {"plain": PLAIN, "gaps": GAPS, "full": FULL, "hidden": HIDDEN, "ninety-nine": NINETY_NINE}
each_disc = pytest.mark.parametrize("name", DISCS)
OPTIONS = {"split": {"split": "yes"}, "wave": {"audio": "wave"}}
each_way = pytest.mark.parametrize("way", OPTIONS)


def written(name: str, way: str, folder: Path) -> RegionImage:
    image = image_of(DISCS[name])
    save_image(image, folder / "disc.cue", options=OPTIONS[way])
    return image


@needs("cdrdao")
@each_disc
@each_way
def test_cdrdao_agrees(tmp_path: Path, name: str, way: str) -> None:
    written(name, way, tmp_path)
    check_with_cdrdao(DISCS[name], tmp_path)


@needs("cdrdao")
@each_way
def test_cdrdao_reads_every_sector(tmp_path: Path, way: str) -> None:
    written("full", way, tmp_path)
    run("cdrdao", "read-test", "disc.cue", folder=tmp_path)


def extracted(folder: Path) -> bytes:
    run("chdman", "createcd", "-f", "-c", "none", "-i", "disc.cue", "-o", "disc.chd", folder=folder)
    run(
        "chdman",
        *("extractcd", "-f", "-i", "disc.chd", "-o", "back.cue", "-ob", "back.bin"),
        folder=folder,
    )
    return (folder / "back.bin").read_bytes()


@needs("chdman")
@each_disc
@each_way
def test_chdman_gives_the_same_disc_back(tmp_path: Path, name: str, way: str) -> None:
    image = written(name, way, tmp_path)
    lead_out = DISCS[name].sessions[0].lead_out_lba
    assert extracted(tmp_path) == main_sectors(image, 0, lead_out).tobytes()
    back = open_image(tmp_path / "back.cue").disc
    assert [(track.start_lba, track.end_lba) for track in back.tracks] == [
        (track.start_lba, track.end_lba) for track in DISCS[name].tracks
    ]


@needs("cueprint")
@each_way
def test_cueprint_and_cuebreakpoints_find_the_tracks(tmp_path: Path, way: str) -> None:
    written("full", way, tmp_path)
    said = run("cueprint", "-d", "", "-t", "%n|%i|%N\n", "disc.cue", folder=tmp_path)
    assert said.splitlines()[:4] == ["1|XXRCD2600001|4", "2|XXRCD2600002|4", "3||4", "4||4"]


@needs("cuebreakpoints")
def test_cuebreakpoints_finds_the_places_in_one_bin(tmp_path: Path) -> None:
    save_image(image_of(GAPS), tmp_path / "disc.cue")
    said = run("cuebreakpoints", "disc.cue", folder=tmp_path)
    found = [tuple(map(int, match)) for match in re.findall(r"(\d+):(\d\d)\.(\d\d)", said)]
    assert [(minute * 60 + second) * 75 + frame for minute, second, frame in found] == [
        track.start_lba for track in GAPS.tracks[1:]
    ]


def test_python_s_own_wave_reads_the_tracks(tmp_path: Path) -> None:
    image = written("gaps", "wave", tmp_path)
    held = b""
    for path in sorted(tmp_path.glob("*.wav")):
        with wave.open(str(path)) as sound:
            assert sound.getparams()[:3] == (2, 2, 44_100)
            held += sound.readframes(sound.getnframes())
    assert held == main_sectors(image, 0, GAPS.sessions[0].lead_out_lba).tobytes()


@needs("flac")
def test_flac_tests_the_tracks(tmp_path: Path) -> None:
    image = image_of(GAPS)
    save_image(image, tmp_path / "disc.cue", options={"audio": "flac"})
    files = sorted(path.name for path in tmp_path.glob("*.flac"))
    assert len(files) == 4
    run("flac", "-t", "-w", "-s", *files, folder=tmp_path)
    held = b""
    for name in files:
        run(
            "flac",
            "-d",
            "-s",
            "--force-raw-format",
            "--endian=little",
            "--sign=signed",
            "-f",
            "-o",
            "out.raw",
            name,
            folder=tmp_path,
        )
        held += (tmp_path / "out.raw").read_bytes()
    assert held == main_sectors(image, 0, GAPS.sessions[0].lead_out_lba).tobytes()


@needs("chdman")
def test_chdman_takes_the_tracks_of_all_sessions(tmp_path: Path) -> None:
    image = silent_between(image_with(Feature.SESSIONS))
    save_image(image, tmp_path / "disc.cue")
    expected = b"".join(
        main_sectors(image, track.start_lba, track.sector_count).tobytes()
        for track in image.disc.tracks
    )
    assert extracted(tmp_path) == expected


@needs("cdrdao")
def test_cdrdao_takes_a_sheet_with_sessions_as_one(tmp_path: Path) -> None:
    image = silent_between(image_with(Feature.SESSIONS))
    save_image(image, tmp_path / "disc.cue")
    said = run("cdrdao", "show-toc", "disc.cue", folder=tmp_path)
    ends = re.findall(r"END +\S+\( *(\d+)\)", said)
    assert list(map(int, ends)) == [300, 600, 900]
