"""Other programs read our BIN/CUE as the disc it was made from.

What each tool is known to get wrong is left out for that tool alone: cdrdao refuses or
misplaces INDEX 02 and counts tracks from 1; libcdio knows no SCMS and no four channels, and
crashes on high first track numbers; chdman refuses a first track above 1 and keeps no flags.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings

from rawcd.disc import CopySetting, Disc, Index, Session, Track
from rawcd.plugins import open_image, save_image
from tests.contract.format_contract import scaled
from tests.strategies import discs, image_of

if TYPE_CHECKING:
    from rawcd.image import RegionImage

SECONDS = 60
FIXTURES = Path(__file__).parent.parent.parent / "fixtures"


def needs(tool: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(shutil.which(tool) is None, reason=f"{tool} is not installed")


def run(*command: str | Path, folder: Path) -> str:
    done = subprocess.run(
        command, cwd=folder, capture_output=True, timeout=SECONDS, check=False, text=True
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, f"{command[0]} ended with {done.returncode}:\n{said}"
    return said


# -- the discs ---------------------------------------------------------------------------------


def _track(number: int, start: int, end: int, *, pregap: int = 0) -> Track:
    indexes = [Index(number=0, lba=start - pregap)] if pregap else []
    return Track(number=number, indexes=(*indexes, Index(number=1, lba=start)), end_lba=end)


def _disc(*tracks: Track, mcn: str | None = None) -> Disc:
    session = Session(tracks=tracks, lead_out_lba=tracks[-1].end_lba)
    return Disc(sessions=(session,), mcn=mcn)


PLAIN = _disc(_track(1, 0, 300, pregap=150), _track(2, 300, 777), _track(3, 777, 1_200))
GAPS = _disc(
    _track(1, 0, 300, pregap=150),
    _track(2, 301, 700, pregap=1),
    _track(3, 850, 1_150, pregap=150),
    _track(4, 1_450, 1_801, pregap=300),
)
HIDDEN = _disc(_track(1, 375, 900, pregap=525), _track(2, 1_000, 1_300, pregap=100))
FULL = _disc(
    replace(
        _track(1, 0, 320, pregap=150),
        copy=CopySetting.PERMITTED,
        pre_emphasis=True,
        isrc="XXRCD2600001",
    ),
    replace(_track(2, 395, 800, pregap=75), isrc="XXRCD2600002"),
    replace(_track(3, 800, 1_111), copy=CopySetting.PERMITTED),
    replace(_track(4, 1_111, 1_500), pre_emphasis=True),
    mcn="2000000001234",
)
NINETY_NINE = _disc(
    _track(1, 0, 300, pregap=150),
    *(_track(number, 300 * number - 290, 300 * number, pregap=10) for number in range(2, 100)),
)
INDEXED = _disc(
    _track(1, 0, 300, pregap=150),
    Track(
        number=2,
        indexes=tuple(Index(number=number, lba=300 + 30 * number) for number in range(6)),
        end_lba=800,
    ),
)
FROM_TWO = _disc(_track(2, 0, 300, pregap=150), _track(3, 400, 800, pregap=100))
EVERYONES = {"plain": PLAIN, "gaps": GAPS, "full": FULL, "ninety-nine": NINETY_NINE}


def written(disc: Disc, folder: Path) -> RegionImage:
    image = image_of(disc)
    save_image(image, folder / "disc.cue")
    return image


def plain_numbers(disc: Disc, *, highest: int = 1) -> Disc:
    """The disc with its tracks counted from 1 and no index above the highest."""
    session = disc.sessions[0]
    tracks = tuple(
        replace(
            track,
            number=number,
            indexes=tuple(index for index in track.indexes if index.number <= highest),
        )
        for number, track in enumerate(session.tracks, 1)
    )
    return replace(disc, sessions=(replace(session, tracks=tracks),))


# -- cdrdao ------------------------------------------------------------------------------------

_CDRDAO_TRACK = re.compile(
    r"TRACK +(\d+) +Mode AUDIO:\n(.*?)(?=\nTRACK|\Z)",
    re.DOTALL,
)


def _frames(word: str, text: str) -> int | None:
    match = re.search(rf"{word} +\d\d:\d\d:\d\d\( *(\d+)\)", text)
    return int(match[1]) if match else None


def check_with_cdrdao(disc: Disc, folder: Path) -> None:
    said = run("cdrdao", "show-toc", "disc.cue", folder=folder)
    found = {int(number): text for number, text in _CDRDAO_TRACK.findall(said)}
    assert list(found) == [track.number for track in disc.tracks]
    for track in disc.tracks:
        text = found[track.number]
        stored_pregap = track.start_lba - max(track.first_lba, 0)
        assert _frames("START", text) == track.start_lba
        assert _frames("END", text) == track.end_lba
        assert (_frames("PREGAP", text) or 0) == stored_pregap
        assert ("NO PRE-EMPHASIS" not in text) is track.pre_emphasis
        assert ("FOUR CHANNEL" in text) is track.four_channel
        assert ("COPY PERMITTED" in text) is (track.copy is CopySetting.PERMITTED)
        isrc = re.search(r"ISRC (.+)", text)
        assert (isrc[1].replace(" ", "") if isrc else None) == track.isrc
    catalog = re.search(r"CATALOG NUMBER: (\d+)", said)
    assert (catalog[1] if catalog else None) == disc.mcn


@needs("cdrdao")
@pytest.mark.parametrize("name", [*EVERYONES, "hidden"])
def test_cdrdao_agrees(tmp_path: Path, name: str) -> None:
    disc = {**EVERYONES, "hidden": HIDDEN}[name]
    written(disc, tmp_path)
    check_with_cdrdao(disc, tmp_path)


@needs("cdrdao")
@settings(max_examples=scaled(10))
@given(discs(max_tracks=4, titles=False))
def test_cdrdao_agrees_on_any_disc(disc: Disc) -> None:
    disc = plain_numbers(disc)
    with tempfile.TemporaryDirectory() as folder:
        written(disc, Path(folder))
        check_with_cdrdao(disc, Path(folder))


@needs("cdrdao")
def test_cdrdao_reads_every_sector(tmp_path: Path) -> None:
    written(FULL, tmp_path)
    run("cdrdao", "read-test", "disc.cue", folder=tmp_path)


# -- libcdio -----------------------------------------------------------------------------------

_CD_INFO_TRACK = re.compile(
    r"^ *(\d+): \d\d:\d\d:\d\d +(\d+) (\w+) +\S+ +(yes|no) +(\d) +(yes|no)$", re.MULTILINE
)


def check_with_cd_info(disc: Disc, folder: Path) -> str:
    said = run(
        "cd-info",
        "--no-header",
        "--no-device-info",
        "--no-cddb",
        "--cue-file=disc.cue",
        folder=folder,
    )
    found = [
        (int(number), int(lsn), kind, copy == "yes", emphasis == "yes")
        for number, lsn, kind, copy, _, emphasis in _CD_INFO_TRACK.findall(said)
    ]
    assert found == [
        (
            track.number,
            track.start_lba,
            "audio",
            track.copy is CopySetting.PERMITTED,
            track.pre_emphasis,
        )
        for track in disc.tracks
    ]
    lead_out = re.search(r"^170: \d\d:\d\d:\d\d +(\d+) leadout", said, re.MULTILINE)
    assert lead_out is not None
    assert int(lead_out[1]) == disc.sessions[0].lead_out_lba
    catalog = re.search(r"\(MCN\): (\d+)", said)
    assert (catalog[1] if catalog else None) == disc.mcn
    return said


@needs("cd-info")
@pytest.mark.parametrize("name", [*EVERYONES, "indexed", "from two"])
def test_cd_info_agrees(tmp_path: Path, name: str) -> None:
    disc = {**EVERYONES, "indexed": INDEXED, "from two": FROM_TWO}[name]
    written(disc, tmp_path)
    check_with_cd_info(disc, tmp_path)


@needs("cd-info")
@settings(max_examples=scaled(10))
@given(discs(max_tracks=4, titles=False))
def test_cd_info_agrees_on_any_disc(disc: Disc) -> None:
    disc = plain_numbers(disc, highest=99)
    with tempfile.TemporaryDirectory() as folder:
        written(disc, Path(folder))
        check_with_cd_info(disc, Path(folder))


# -- chdman ------------------------------------------------------------------------------------

_CHD_TRACK = re.compile(r"TRACK:(\d+) TYPE:(\w+) SUBTYPE:\w+ FRAMES:(\d+) PREGAP:(\d+)")


def check_with_chdman(disc: Disc, folder: Path) -> None:
    run("chdman", "createcd", "-f", "-c", "none", "-i", "disc.cue", "-o", "disc.chd", folder=folder)
    said = run("chdman", "info", "-i", "disc.chd", folder=folder)
    found = []
    first = 0
    for number, kind, frames, pregap in _CHD_TRACK.findall(said):
        assert kind == "AUDIO"
        end = first + int(frames)
        found.append((int(number), first + int(pregap), end))
        first = end
    assert found == [(track.number, track.start_lba, track.end_lba) for track in disc.tracks]
    run(
        "chdman",
        *("extractcd", "-f", "-i", "disc.chd", "-o", "back.cue", "-ob", "back.bin"),
        folder=folder,
    )
    assert (folder / "back.bin").read_bytes() == (folder / "disc.bin").read_bytes()
    # What it wrote is the disc again, but for what it cannot keep.
    back = open_image(folder / "back.cue").disc
    assert [(track.indexes[:2], track.end_lba) for track in back.tracks] == [
        (tuple(index for index in track.indexes if index.number < 2), track.end_lba)
        for track in disc.tracks
    ]


@needs("chdman")
@pytest.mark.parametrize("name", [*EVERYONES, "hidden"])
def test_chdman_agrees_and_gives_the_same_bin_back(tmp_path: Path, name: str) -> None:
    disc = {**EVERYONES, "hidden": HIDDEN}[name]
    written(disc, tmp_path)
    check_with_chdman(disc, tmp_path)


@needs("chdman")
@settings(max_examples=scaled(10))
@given(discs(max_tracks=4, titles=False))
def test_chdman_agrees_on_any_disc(disc: Disc) -> None:
    disc = plain_numbers(disc)
    with tempfile.TemporaryDirectory() as folder:
        written(disc, Path(folder))
        check_with_chdman(disc, Path(folder))


# -- the demo disc, and titles -----------------------------------------------------------------


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo disc as BIN/CUE."""
    folder = tmp_path_factory.mktemp("demo")
    save_image(open_image(FIXTURES / "demo" / "demo.cue"), folder / "disc.cue")
    return folder


@needs("chdman")
def test_chdman_takes_the_demo_disc(demo: Path) -> None:
    check_with_chdman(open_image(demo / "disc.cue").disc, demo)


@needs("cd-info")
def test_cd_info_takes_the_demo_disc_with_its_titles(demo: Path) -> None:
    said = check_with_cd_info(open_image(demo / "disc.cue").disc, demo)
    titles = ["Four Ways In", "Bit for Bit", "Fifths", "Behind a Gap", "Resampled"]
    assert re.findall(r"TITLE: (.+)", said) == titles


@needs("cdrdao")
def test_cdrdao_takes_the_demo_disc(demo: Path, tmp_path: Path) -> None:
    """INDEX 02 of track 2 is taken out of the sheet."""
    disc = plain_numbers(open_image(demo / "disc.cue").disc)
    shutil.copy(demo / "disc.bin", tmp_path)
    sheet = (demo / "disc.cue").read_bytes()
    (tmp_path / "disc.cue").write_bytes(re.sub(rb" *INDEX 02 .*\r\n", b"", sheet))
    check_with_cdrdao(disc, tmp_path)


@needs("cueprint")
def test_cueprint_reads_the_titles(demo: Path) -> None:
    said = run("cueprint", "-d", "%T|%P\n", "-t", "%n|%t|%i\n", "disc.cue", folder=demo)
    assert said.split("\n")[:5] == [
        "Four Ways In|The Demo Files",
        "1|Bit for Bit|XXRCD2600001",
        "2|Fifths|XXRCD2600002",
        "3|Behind a Gap|XXRCD2600003",
        "4|Resampled|",
    ]


@needs("bchunk")
def test_bchunk_cuts_the_same_tracks(tmp_path: Path) -> None:
    """It drops gaps and starts a track at its last index: a disc without either."""
    written(PLAIN, tmp_path)
    run("bchunk", "-r", "disc.bin", "disc.cue", "track", folder=tmp_path)
    parts = sorted(tmp_path.glob("track*"))
    data = b"".join(part.read_bytes() for part in parts)
    assert data == (tmp_path / "disc.bin").read_bytes()
    assert [part.stat().st_size // 2352 for part in parts] == [300, 477, 423]
