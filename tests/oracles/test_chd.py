"""chdman and rawcd read each other's CHDs (MAME's tools, 0.251).

What chdman is known to get wrong is kept out: it cannot open what it packed of eight hunks or
fewer, computes a last track behind a file of other sectors in one sheet wrongly, and keeps
neither flags, codes nor indexes above 1.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings

from rawcd.disc import Disc, DiscType, Index, Session, Track, TrackMode
from rawcd.image import MainForm, Region, RegionImage, SubForm, SubRegion, blank_like, main_sectors
from rawcd.plugins import open_image, save_image
from rawcd.sector import SectorType
from rawcd.source import ArraySource
from tests.contract.format_contract import assert_same_main, folder, scaled
from tests.formats.test_chd import simple
from tests.oracles import sectors
from tests.oracles.test_bin_cue import needs, run
from tests.strategies import discs, image_of, noise_rows

if TYPE_CHECKING:
    from pathlib import Path

CODECS = [
    "none",
    "cdlz",
    "cdzl",
    "cdfl",
    "zlib",
    "lzma",
    "huff",
    "flac",
    "cdlz,cdzl,cdfl",
    "flac,huff,zlib,lzma",
]
OURS = ["none", "cdlz", "cdzl", "cdfl", "cdfl,cdlz", "cdlz,cdzl,cdfl"]


def _rows() -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    """300 sectors of mode 1, 301 of sound, 155 of mode 2: clean, damaged, noise and silence."""
    made = np.zeros((756, 2352), np.uint8)
    for lba in range(300):
        user = bytes([lba % 251]) * 1_500 + noise_rows(1, 548, seed=lba).tobytes()
        made[lba] = np.frombuffer(sectors.mode_1(user, lba), np.uint8)
    made[17, 2076] ^= 1
    made[30:33] = noise_rows(3)
    tone = (9_000 * np.sin(np.arange(588 * 200) / 30)).astype("<i2").repeat(2)
    made[300:500] = tone.view(np.uint8).reshape(200, -1)
    made[500:520] = noise_rows(20)
    for lba in range(601, 756):
        if lba % 3:
            one = sectors.form_1(bytes(2048), lba, b"\0\0\x08\0" * 2)
        else:
            one = sectors.form_2(noise_rows(1, 2324, seed=lba).tobytes(), lba, b"\0\0\x20\0" * 2)
        made[lba] = np.frombuffer(one, np.uint8)
    return made


def mixed() -> RegionImage:
    """Data, sound after a pregap of its own, XA."""
    rows = _rows()

    def track(number: int, mode: TrackMode, *places: tuple[int, int], end: int) -> Track:
        indexes = tuple(Index(number=index, lba=lba) for index, lba in places)
        return Track(number=number, mode=mode, indexes=indexes, end_lba=end)

    tracks = (
        track(1, TrackMode.MODE1, (0, -150), (1, 0), end=300),
        track(2, TrackMode.AUDIO, (0, 300), (1, 345), end=601),
        track(3, TrackMode.MODE2, (1, 601), end=756),
    )
    disc = Disc(sessions=(Session(tracks=tracks, lead_out_lba=756, disc_type=DiscType.XA),))
    kinds = (SectorType.MODE1, SectorType.AUDIO, SectorType.MODE2FORM0)
    stored = [
        Region(
            lba=max(each.first_lba, 0),
            sectors=each.end_lba - max(each.first_lba, 0),
            form=MainForm.DISC if each.is_audio else MainForm.PLAIN,
            source=ArraySource(rows),
            start=max(each.first_lba, 0),
            sector_type=kind,
        )
        for each, kind in zip(tracks, kinds, strict=True)
    ]
    main = (
        blank_like(tracks[0], disc.first_lba, -disc.first_lba),
        *stored,
        blank_like(tracks[2], 756, disc.end_lba - 756),
    )
    made = SubRegion(lba=disc.first_lba, sectors=disc.end_lba - disc.first_lba, form=SubForm.MADE)
    return RegionImage(disc=disc, main=main, sub=(made,))


@pytest.fixture(scope="module")
def disc(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the disc as BIN/CUE."""
    place = tmp_path_factory.mktemp("chd")
    save_image(mixed(), place / "disc.cue")
    return place


def createcd(folder: Path, codecs: str, sheet: str = "disc.cue") -> Path:
    run("chdman", "createcd", "-f", "-i", sheet, "-o", "theirs.chd", "-c", codecs, folder=folder)
    return folder / "theirs.chd"


def extracted(folder: Path, name: str) -> bytes:
    """The BIN that chdman makes of a CHD, `back.cue` beside it."""
    back = ("-o", "back.cue", "-ob", "back.bin")
    run("chdman", "extractcd", "-f", "-i", name, *back, folder=folder)
    return (folder / "back.bin").read_bytes()


def sums_of(folder: Path, name: str) -> list[str]:
    return re.findall(r"SHA1: +([0-9a-f]{40})", run("chdman", "info", "-i", name, folder=folder))


@needs("chdman")
@pytest.mark.parametrize("codecs", CODECS)
def test_we_read_what_chdman_packed(disc: Path, codecs: str) -> None:
    image = open_image(createcd(disc, codecs))
    assert not image.notes
    assert image.disc == mixed().disc
    assert main_sectors(image, 0, 756).tobytes() == (disc / "disc.bin").read_bytes()


@needs("chdman")
@pytest.mark.parametrize("hunk", [2_448, 2_448 * 3, 2_448 * 40])
def test_we_read_hunks_of_other_sizes(disc: Path, hunk: int) -> None:
    """From 27 sectors on a hunk's packed sizes take three bytes."""
    run(
        *("chdman", "createcd", "-f", "-i", "disc.cue", "-o", "size.chd", "-hs", str(hunk)),
        folder=disc,
    )
    image = open_image(disc / "size.chd")
    assert main_sectors(image, 0, 756).tobytes() == (disc / "disc.bin").read_bytes()


@needs("chdman")
@pytest.mark.parametrize("codecs", OURS)
def test_chdman_reads_what_we_packed(disc: Path, codecs: str) -> None:
    options = {"codecs": codecs, "jobs": "2"}
    save_image(mixed(), disc / "ours.chd", options=options, replace=True)
    said = run("chdman", "info", "-v", "-i", "ours.chd", folder=disc)
    # chdman ends with an error where there is nothing to verify.
    if codecs != "none":
        verified = run("chdman", "verify", "-i", "ours.chd", folder=disc)
        assert "Raw SHA1 verification successful" in verified
        assert "Overall SHA1 verification successful" in verified
        createcd(disc, codecs)
        assert sums_of(disc, "ours.chd") == sums_of(disc, "theirs.chd")
    for words in (
        "TRACK:1 TYPE:MODE1_RAW SUBTYPE:NONE FRAMES:300 PREGAP:0 PGTYPE:MODE1 ",
        "TRACK:2 TYPE:AUDIO SUBTYPE:NONE FRAMES:301 PREGAP:45 PGTYPE:VAUDIO ",
        "TRACK:3 TYPE:MODE2_RAW SUBTYPE:NONE FRAMES:155 PREGAP:0 PGTYPE:MODE1 ",
    ):
        assert words in said
    assert extracted(disc, "ours.chd") == (disc / "disc.bin").read_bytes()
    assert open_image(disc / "back.cue").disc == mixed().disc


@needs("chdman")
def test_ours_is_no_larger_than_theirs(disc: Path) -> None:
    theirs = createcd(disc, "cdlz,cdzl,cdfl").stat().st_size
    save_image(mixed(), disc / "small.chd")
    assert (disc / "small.chd").stat().st_size < theirs * 1.02


@needs("chdman")
@settings(max_examples=scaled(6))
@given(discs(titles=False, max_tracks=3).map(simple))
def test_any_disc_goes_there_and_back(of: Disc) -> None:
    image = image_of(of)
    with folder() as place:
        save_image(image, place / "ours.chd", options={"codecs": "cdzl"})
        run("chdman", "verify", "-i", "ours.chd", folder=place)
        save_image(image, place / "disc.cue")
        assert extracted(place, "ours.chd") == (place / "disc.bin").read_bytes()
        theirs = open_image(createcd(place, "cdzl"))
        assert theirs.disc == image.disc
        assert_same_main(image, theirs, 0, of.sessions[0].lead_out_lba)


@needs("chdman")
@pytest.mark.parametrize("sectors", [1, 4, 8, 9, 60, 64, 65])
def test_short_discs_open_too(tmp_path: Path, sectors: int) -> None:
    """Of eight hunks or fewer chdman makes a map that it refuses itself; ours it takes."""
    (tmp_path / "a.bin").write_bytes(noise_rows(sectors).tobytes())
    sheet = 'FILE "a.bin" BINARY\n  TRACK 01 AUDIO\n    INDEX 01 00:00:00\n'
    (tmp_path / "a.cue").write_text(sheet)
    save_image(open_image(tmp_path / "a.cue"), tmp_path / "ours.chd")
    run("chdman", "verify", "-i", "ours.chd", folder=tmp_path)
    assert extracted(tmp_path, "ours.chd") == (tmp_path / "a.bin").read_bytes()


@needs("chdman")
def test_gaps_that_no_file_holds(tmp_path: Path) -> None:
    """POSTGAP and PREGAP of a sheet: chdman tells them in its records, and so do we read them."""
    (tmp_path / "a.bin").write_bytes(noise_rows(400).tobytes())
    (tmp_path / "disc.cue").write_text(
        'FILE "a.bin" BINARY\n'
        "  TRACK 01 AUDIO\n    INDEX 01 00:00:00\n    POSTGAP 00:01:00\n"
        "  TRACK 02 AUDIO\n    PREGAP 00:02:00\n    INDEX 01 00:02:50\n"
    )
    sheet = open_image(tmp_path / "disc.cue")
    image = open_image(createcd(tmp_path, "cdlz,cdzl,cdfl"))
    assert image.disc == sheet.disc
    assert_same_main(sheet, image, -150, image.disc.sessions[0].end_lba)


@needs("chdman")
@pytest.mark.parametrize("mode", ["MODE1/2048", "MODE2/2336"])
def test_sectors_that_are_not_whole(tmp_path: Path, mode: str) -> None:
    size = int(mode[-4:])
    (tmp_path / "a.bin").write_bytes(noise_rows(400, size).tobytes())
    (tmp_path / "disc.cue").write_text(
        f'FILE "a.bin" BINARY\n  TRACK 01 {mode}\n    INDEX 01 00:00:00\n'
    )
    sheet = open_image(tmp_path / "disc.cue")
    image = open_image(createcd(tmp_path, "cdlz,cdzl,cdfl"))
    assert image.disc == sheet.disc
    assert_same_main(sheet, image, 0, 400)


@needs("chdman")
@pytest.mark.parametrize("mode", ["RW_RAW", "RW"])
def test_subcode_of_a_toc(tmp_path: Path, mode: str) -> None:
    """chdman copies the 96 bytes behind each sector of a data file as they are."""
    rows = noise_rows(301, 2448)
    rows[:, 2352:] &= 0x3F
    (tmp_path / "a.bin").write_bytes(rows.tobytes())
    (tmp_path / "disc.toc").write_text(f'CD_DA\nTRACK AUDIO {mode}\nDATAFILE "a.bin" 00:04:01\n')
    for codecs in ("cdlz,cdzl,cdfl", "cdfl", "none"):
        image = open_image(createcd(tmp_path, codecs, "disc.toc"))
        assert isinstance(image, RegionImage)
        (held,) = (region for region in image.sub if region.source)
        assert (held.form, held.rw_packed) == (SubForm.RW, mode == "RW")
        assert held.source
        assert held.source.read(0, 301) == rows[:, 2352:].tobytes()
        # A DATAFILE's samples are high byte first, as cdrdao has them.
        swapped = rows[:, :2352].reshape(301, -1, 2)[:, :, ::-1].reshape(301, 2352)
        assert (main_sectors(image, 0, 301) == swapped).all()


@needs("chdman")
def test_chdman_takes_our_subcode(tmp_path: Path) -> None:
    image = mixed()
    rows = noise_rows(756, 96) & np.uint8(0x3F)
    made = image.sub[0]
    sub = (
        replace(made, sectors=-made.lba),
        SubRegion(lba=0, sectors=756, form=SubForm.RW, source=ArraySource(rows, block_size=96)),
        replace(made, lba=756, sectors=image.disc.end_lba - 756),
    )
    image = replace(image, sub=sub)
    save_image(image, tmp_path / "ours.chd")
    run("chdman", "verify", "-i", "ours.chd", folder=tmp_path)
    assert "SUBTYPE:RW_RAW" in run("chdman", "info", "-v", "-i", "ours.chd", folder=tmp_path)
    again = ("chdman", "copy", "-f", "-i", "ours.chd", "-o", "copy.chd", "-c", "cdzl,cdfl")
    run(*again, folder=tmp_path)
    opened = open_image(tmp_path / "copy.chd")
    assert opened.disc == image.disc
    assert opened.read(0, 756) == image.read(0, 756)
    assert sums_of(tmp_path, "ours.chd") == sums_of(tmp_path, "copy.chd")


@needs("chdman")
def test_chdman_unpacks_a_child_that_we_refuse(disc: Path) -> None:
    from rawcd.errors import UnsupportedError

    createcd(disc, "cdzl")
    run(
        *("chdman", "createcd", "-f", "-op", "theirs.chd", "-i", "disc.cue", "-o", "child.chd"),
        folder=disc,
    )
    with pytest.raises(
        UnsupportedError, match=f"needs its parent.*{sums_of(disc, 'theirs.chd')[0]}"
    ):
        open_image(disc / "child.chd")
    run(
        *("chdman", "copy", "-f", "-ip", "theirs.chd", "-i", "child.chd", "-o", "whole.chd"),
        folder=disc,
    )
    image = open_image(disc / "whole.chd")
    assert main_sectors(image, 0, 756).tobytes() == (disc / "disc.bin").read_bytes()
