"""Other programs read our TOC files as the disc they were made from.

What each is known to get wrong is left out for it alone: cdrdao 1.2.4 shows tracks counted from 1
and knows no ENCODING words; libcdio knows no byte offsets and no CD-TEXT beside a few fields;
chdman keeps no indexes above 1, no flags and no codes; cuetools knows sound alone.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings

from rawcd.cdtext import CDText, TextBlock, TextItem, TextToc
from rawcd.disc import CopySetting, Disc, DiscType, Index, Session, Track, TrackMode
from rawcd.features import Feature
from rawcd.fileset import FileTransaction, InputFiles
from rawcd.image import main_sectors
from rawcd.msf import Msf
from rawcd.plugins import open_image
from rawcd_formats.toc import TocFormat
from tests.contract.format_contract import image_with, scaled, with_rw
from tests.strategies import discs, image_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rawcd.image import RegionImage

SECONDS = 60
CDDB = Path(__file__).parent.parent.parent / "fixtures" / "toc" / "cddb.py"


def needs(tool: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(shutil.which(tool) is None, reason=f"{tool} is not installed")


def run(*command: str | Path, folder: Path) -> str:
    done = subprocess.run(
        command, cwd=folder, capture_output=True, timeout=SECONDS, check=False, text=True
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, f"{command[0]} ended with {done.returncode}:\n{said}"
    return said


@contextmanager
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as path:
        yield Path(path)


def written(image: RegionImage, place: Path) -> None:
    with FileTransaction(place / "disc.toc") as files:
        TocFormat().save(image, files, {}, None)
        files.commit()


def loaded(place: Path) -> RegionImage:
    return TocFormat().load(InputFiles(place / "disc.toc"))


def _track(number: int, start: int, end: int, *, pregap: int = 0) -> Track:
    indexes = [Index(number=0, lba=start - pregap)] if pregap else []
    return Track(number=number, indexes=(*indexes, Index(number=1, lba=start)), end_lba=end)


FULL = Disc(
    sessions=(
        Session(
            tracks=(
                replace(
                    _track(1, 30, 350, pregap=180),
                    copy=CopySetting.PERMITTED,
                    pre_emphasis=True,
                    isrc="XXRCD2600001",
                ),
                Track(
                    number=2,
                    indexes=tuple(Index(number=n, lba=350 + 30 * n) for n in range(6)),
                    end_lba=800,
                    isrc="XXRCD2600002",
                ),
                replace(_track(3, 800, 1_111), four_channel=True),
            ),
            lead_out_lba=1_111,
        ),
    ),
    mcn="2000000001234",
)


def plain_indexes(disc: Disc) -> Disc:
    session = disc.sessions[0]
    tracks = tuple(replace(track, indexes=track.indexes[:2]) for track in session.tracks)
    return replace(disc, sessions=(replace(session, tracks=tracks),))


# -- cdrdao ------------------------------------------------------------------------------------

_TRACK = re.compile(r"TRACK +(\d+) +Mode ([^:]+):\n(.*?)(?=\nTRACK|\Z)", re.DOTALL)
_MODES = {TrackMode.AUDIO: "AUDIO", TrackMode.MODE1: "MODE1_RAW", TrackMode.MODE2: "MODE2_RAW"}


def _frames(word: str, text: str) -> int | None:
    match = re.search(rf"{word} +\d\d:\d\d:\d\d\( *(\d+)\)", text)
    return int(match[1]) if match else None


def check_with_cdrdao(disc: Disc, place: Path, *, sub: str = "") -> None:
    said = run("cdrdao", "show-toc", "disc.toc", folder=place)
    found = {int(number): (mode, text) for number, mode, text in _TRACK.findall(said)}
    assert list(found) == list(range(1, len(disc.tracks) + 1))  # FIRST_TRACK_NO is not shown
    for (mode, text), track in zip(found.values(), disc.tracks, strict=True):
        assert mode == _MODES[track.mode] + sub
        assert _frames("START", text) == track.start_lba
        assert _frames("END", text) == track.end_lba
        assert (_frames("PREGAP", text) or 0) == track.start_lba - max(track.first_lba, 0)
        shown = re.findall(r"INDEX +(\d+) \d\d:\d\d:\d\d\( *(\d+)\)", text)
        above = [(index.number, index.lba) for index in track.indexes if index.number > 1]
        assert [(int(number), int(lba)) for number, lba in shown] == above
        assert ("COPY PERMITTED" in text) is (track.copy is CopySetting.PERMITTED)
        if track.is_audio:
            assert ("NO PRE-EMPHASIS" not in text) is track.pre_emphasis
            assert ("FOUR CHANNEL" in text) is track.four_channel
            isrc = re.search(r"ISRC (.+)", text)
            assert (isrc[1].replace(" ", "") if isrc else None) == track.isrc
    catalog = re.search(r"CATALOG NUMBER: (\d+)", said)
    assert (catalog[1] if catalog else None) == disc.mcn
    said = run("cdrdao", "toc-size", "disc.toc", folder=place)
    assert str(disc.sessions[0].lead_out_lba) in said.split()


@needs("cdrdao")
def test_cdrdao_shows_the_disc_and_reads_every_sector(tmp_path: Path) -> None:
    written(image_of(FULL), tmp_path)
    check_with_cdrdao(FULL, tmp_path)
    run("cdrdao", "read-test", "disc.toc", folder=tmp_path)


@needs("cdrdao")
@settings(max_examples=scaled(20))
@given(discs(max_tracks=99, titles=False))
def test_cdrdao_shows_any_disc(disc: Disc) -> None:
    with folder() as place:
        written(image_of(disc), place)
        check_with_cdrdao(disc, place)


@needs("cdrdao")
def test_cdrdao_plays_the_same_samples(tmp_path: Path) -> None:
    image = image_of(FULL)
    written(image, tmp_path)
    said = run("cdrdao", "show-data", "disc.toc", folder=tmp_path)
    shown = re.findall(r"^ *\d+: *(-?\d+) +(-?\d+) *$", said, re.MULTILINE)
    main = main_sectors(image, 0, 1_111).reshape(-1).view("<i2").reshape(-1, 2)
    np.testing.assert_array_equal(np.array(shown, np.int16), main)


@needs("cdrdao")
@pytest.mark.parametrize("feature", [Feature.DATA_TRACKS, Feature.DISC_TYPE])
def test_cdrdao_knows_the_disc_type(tmp_path: Path, feature: Feature) -> None:
    image = image_with(feature)
    written(image, tmp_path)
    check_with_cdrdao(image.disc, tmp_path)
    xa = image.disc.sessions[0].disc_type is DiscType.XA
    said = run("cdrdao", "show-toc", "disc.toc", folder=tmp_path)
    assert f"TOC TYPE: {'CD_ROM_XA' if xa else 'CD_ROM'}\n" in said


@needs("cdrdao")
def test_cdrdao_reads_tracks_with_subcode(tmp_path: Path) -> None:
    image = with_rw(image_of(FULL))
    written(image, tmp_path)
    check_with_cdrdao(FULL, tmp_path, sub=" RW_RAW")
    run("cdrdao", "read-test", "disc.toc", folder=tmp_path)


@contextmanager
def _cddb(tracks: int, place: Path) -> Iterator[str]:
    """A CDDB server on this machine; what to call it."""
    port = place / "port"
    with subprocess.Popen([sys.executable, CDDB, str(tracks), port]) as server:
        try:
            for _ in range(200):
                if port.exists() and port.read_text():
                    break
                time.sleep(0.05)
            yield f"localhost:{port.read_text()}"
        finally:
            server.terminate()


TITLES = (
    TextItem(field="title", track=0, text='Das "große" \\ Album'),
    TextItem(field="title", track=2, text="Zwei\\134"),
    TextItem(field="performer", track=1, text="Ä"),
    TextItem(field="songwriter", track=3, text="S"),
    TextItem(field="composer", track=0, text="C"),
    TextItem(field="arranger", track=1, text="A"),
    TextItem(field="message", track=0, text="M"),
    TextItem(field="disc_id", track=0, text="XY12345"),
    TextItem(field="genre", track=0, text="Punk"),
    TextItem(field="closed", track=0, text="closed"),
    TextItem(field="upc_ean", track=0, text="2000000001234"),
    TextItem(field="isrc", track=1, text="XX-RCD-26-00001"),
)
GERMAN = TextBlock(
    language=8,
    items=tuple(TITLES),
    genre_code=15,
    copyright=3,
    toc=TextToc(starts=(Msf(0, 2, 30), Msf(0, 7, 5), Msf(0, 12, 50)), lead_out=Msf(0, 16, 61)),
)


@needs("cdrdao")
def test_cdrdao_writes_our_file_anew_as_the_same_disc(tmp_path: Path) -> None:
    """It fills the first block with titles of its own; the second one, and all else, is ours.

    The one thing changed in its file before we read it: it leaves backslashes unescaped.
    """
    english = TextBlock(items=(TextItem(field="title", track=0, text="x"),))
    disc = replace(FULL, cdtext=CDText(blocks=(english, GERMAN)))
    image = image_of(disc)
    written(image, tmp_path)
    before = (tmp_path / "disc.toc").read_bytes()
    with _cddb(3, tmp_path) as server:
        run("cdrdao", "read-cddb", "--cddb-servers", server, "disc.toc", folder=tmp_path)
    after = (tmp_path / "disc.toc").read_bytes()
    assert after != before
    assert rb"Zwei\134" in after
    (tmp_path / "disc.toc").write_bytes(after.replace(rb"Zwei\134", rb"Zwei\134134"))
    back = loaded(tmp_path)
    assert back.disc.cdtext is not None
    assert back.disc.cdtext.blocks[1] == GERMAN
    assert back.disc.cdtext.text("title", 2) == "Foreign 2"
    assert replace(back.disc, cdtext=None) == FULL
    np.testing.assert_array_equal(main_sectors(back, 0, 1_111), main_sectors(image, 0, 1_111))


@needs("toc2cue")
def test_toc2cue_makes_the_same_disc_of_it(tmp_path: Path) -> None:
    """Its sheet is wrong in the byte order of sound, as it says itself, and has no INDEX 02."""
    plain = plain_indexes(FULL)
    written(image_of(plain), tmp_path)
    run("toc2cue", "disc.toc", "disc.cue", folder=tmp_path)
    back = open_image(tmp_path / "disc.cue", format="cue")
    assert [(track.indexes, track.end_lba) for track in back.disc.tracks] == [
        (track.indexes, track.end_lba) for track in plain.tracks
    ]


@needs("toc2cddb")
def test_toc2cddb_reads_the_titles(tmp_path: Path) -> None:
    items = [TextItem(field="title", track=n, text=f"T{n}") for n in range(4)]
    items.append(TextItem(field="performer", track=0, text="P"))
    disc = replace(FULL, cdtext=CDText(blocks=(TextBlock(items=tuple(items)),)))
    written(image_of(disc), tmp_path)
    said = run("toc2cddb", "disc.toc", folder=tmp_path)
    assert "DTITLE=P / T0\n" in said
    assert re.findall(r"TTITLE\d=(.+)", said) == ["T1", "T2", "T3"]


# -- others ------------------------------------------------------------------------------------

_CD_INFO_TRACK = re.compile(r"^ *(\d+): \d\d:\d\d:\d\d +(\d+) (\w+) +\S+ +(yes|no)", re.MULTILINE)


@needs("cd-info")
def test_cd_info_agrees(tmp_path: Path) -> None:
    disc = replace(FULL, mcn=None)
    written(image_of(disc), tmp_path)
    said = run(
        "cd-info",
        *("--no-header", "--no-device-info", "--no-cddb", "--toc-file=disc.toc"),
        folder=tmp_path,
    )
    found = [(int(number), int(lsn)) for number, lsn, _, _ in _CD_INFO_TRACK.findall(said)]
    lead_out = re.search(r"^170: \d\d:\d\d:\d\d +(\d+) leadout", said, re.MULTILINE)
    assert lead_out is not None
    base = found[0][1] - FULL.tracks[0].start_lba  # its addresses are those of the disc, +150
    assert found == [(track.number, track.start_lba + base) for track in FULL.tracks]
    assert int(lead_out[1]) - base == 1_111


@needs("chdman")
@pytest.mark.parametrize("feature", [Feature.PREGAPS, Feature.DATA_TRACKS])
def test_chdman_gives_the_sectors_back(tmp_path: Path, feature: Feature) -> None:
    image = image_with(feature)
    written(image, tmp_path)
    create = ("createcd", "-f", "-c", "none", "-i", "disc.toc", "-o", "disc.chd")
    run("chdman", *create, folder=tmp_path)
    run(
        "chdman",
        *("extractcd", "-f", "-i", "disc.chd", "-o", "back.cue", "-ob", "back.bin"),
        folder=tmp_path,
    )
    assert (tmp_path / "back.bin").read_bytes() == main_sectors(image, 0, 600).tobytes()
    said = run("chdman", "info", "-i", "disc.chd", folder=tmp_path)
    frames = [int(count) for count in re.findall(r"FRAMES:(\d+)", said)]
    assert frames == [300, 300]
    pregaps = [int(count) for count in re.findall(r"PREGAP:(\d+)", said)]
    # Of a first track it counts what is stored.
    assert pregaps == [0, image.disc.tracks[1].pregap_sectors]


@needs("cueconvert")
def test_cueconvert_makes_the_same_disc_of_it(tmp_path: Path) -> None:
    items = [TextItem(field="title", track=n, text=f"T{n}") for n in range(4)]
    disc = replace(FULL, cdtext=CDText(blocks=(TextBlock(items=tuple(items)),)))
    written(image_of(disc), tmp_path)
    run("cueconvert", "-i", "toc", "-o", "cue", "disc.toc", "disc.cue", folder=tmp_path)
    said = (tmp_path / "disc.cue").read_text()
    assert re.findall(r'TITLE "(.+)"', said) == ["T0", "T1", "T2", "T3"]
    assert re.findall(r"CATALOG (\d+)", said) == ["2000000001234"]
    assert re.findall(r'ISRC "?(\w+)', said) == ["XXRCD2600001", "XXRCD2600002"]
    starts = re.findall(r"INDEX 01 (\S+)", said)
    assert starts == [str(Msf.from_frames(track.start_lba)) for track in FULL.tracks]
