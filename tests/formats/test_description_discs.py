"""The discs of fixtures/description: one command each, read back by us and by other programs."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from rawcd import RegionImage, SectorType, main_sectors, open_image, save_image
from rawcd.cdg import CdgFile
from rawcd.disc import CopySetting, DiscType, TrackMode
from rawcd.fileset import InputFiles
from rawcd.filesystem import DiscBlocks, StoredFile, StoredVolume
from rawcd.sector import verify
from rawcd_formats.description import TomlFormat
from tests.oracles.test_bin_cue import needs, run
from tests.oracles.test_data_tracks import through_chdman

FIXTURES = Path(__file__).parent.parent.parent / "fixtures" / "description"
NAMES = ("bridge", "enhanced", "game", "sessions")
VOLUMES: dict[str, list[tuple[str, ...]]] = {
    "enhanced": [("extra",)],
    "game": [("data",)],
    "bridge": [("files",)],
    "sessions": [("spring",), ("spring", "summer"), ("spring", "summer", "autumn")],
}
"""The folders that each data session shows, later ones covering earlier ones."""


def described(name: str) -> RegionImage:
    return TomlFormat().load(InputFiles(FIXTURES / name / "disc.toml"))


def opened(path: Path) -> RegionImage:
    image = open_image(path)
    assert isinstance(image, RegionImage)
    return image


def wanted(name: str, folders: tuple[str, ...]) -> dict[str, bytes]:
    found = {}
    for folder in folders:
        top = FIXTURES / name / folder
        for path in sorted(top.rglob("*")):
            if path.is_file():
                found[path.relative_to(top).as_posix()] = path.read_bytes()
    return found


def volumes(image: RegionImage) -> list[StoredVolume]:
    blocks = DiscBlocks(image)
    return [StoredVolume(blocks, lba=lba) for lba in blocks.session_starts()]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The raw images, each made by one command."""
    folder = tmp_path_factory.mktemp("built")
    made = {}
    for name in NAMES:
        made[name] = folder / f"{name}.raw"
        command = ["build", str(FIXTURES / name / "disc.toml"), "-o", str(made[name])]
        subprocess.run([sys.executable, "-m", "rawcd", *command], check=True, timeout=120)
    return made


@pytest.mark.parametrize("name", NAMES)
def test_the_raw_image_alone_says_what_was_described(built: dict[str, Path], name: str) -> None:
    image, again = described(name), opened(built[name])
    assert again.disc == image.disc
    for volume, folders in zip(volumes(again), VOLUMES[name], strict=True):
        files = {
            path[1:]: volume.read_file(entry)
            for path, entry in volume.tree().walk()
            if isinstance(entry, StoredFile)
        }
        assert files == wanted(name, folders)


@pytest.mark.parametrize("name", NAMES)
def test_every_data_sector_is_right_at_its_address(built: dict[str, Path], name: str) -> None:
    again = opened(built[name])
    for session in again.disc.sessions:
        for track in session.tracks:
            if track.is_audio:
                continue
            count = track.end_lba - track.start_lba
            kind = SectorType.MODE1 if track.mode is TrackMode.MODE1 else SectorType.MODE2MIXED
            rows = main_sectors(again, track.start_lba, count)
            assert not verify(rows, track.start_lba, kind).any()


def test_the_enhanced_disc() -> None:
    image = described("enhanced")
    disc = image.disc
    assert [session.disc_type for session in disc.sessions] == [DiscType.CDDA_CDROM, DiscType.XA]
    assert disc.track(3).start_lba == disc.sessions[0].lead_out_lba + 11_400
    assert disc.mcn == "2000000001234"
    assert disc.cdtext is not None
    english, german = disc.cdtext.blocks
    assert [english.text("title", number) for number in range(3)] == [
        "Beeps",
        "One beep",
        "Two beeps",
    ]
    assert (german.text("title", 0), german.text("title", 1)) == ("Töne", "Ein Ton")
    assert english.text("genre", 0) == "Bleep jazz"
    assert english.genre_code == 14
    one, two, three = disc.tracks
    assert (one.start_lba, one.isrc, one.indexes[2].lba) == (50, "XXRCD2600001", 50 + 150)
    assert (two.pregap_sectors, two.copy, two.pre_emphasis) == (75, CopySetting.SCMS, True)
    assert three.mode is TrackMode.MODE2
    cooked = image.as_kind(type(image.kind)(2))
    sub = np.frombuffer(cooked.read(two.start_lba, 10), np.uint8).reshape(10, -1)[:, 2_352:] & 0x3F
    pack = (FIXTURES / "enhanced" / "02.cdg").read_bytes()
    assert CdgFile(pack).pack_count == 40
    whole = np.frombuffer(pack, np.uint8).reshape(10, 4, 24)
    ours = sub.reshape(10, 4, 24)
    assert (ours[..., :2] == whole[..., :2]).all()
    assert (ours[..., 4:20] == whole[..., 4:20]).all()


def test_the_hidden_sound_is_there() -> None:
    import soundfile

    samples, _ = soundfile.read(FIXTURES / "enhanced" / "hidden.flac", dtype="int16")
    got = main_sectors(described("enhanced"), -150, 200).tobytes()
    assert got == samples.astype("<i2").tobytes()


def test_the_game_has_gaps_where_the_mode_changes() -> None:
    disc = described("game").disc
    assert [track.mode for track in disc.tracks] == [TrackMode.MODE1] + [TrackMode.AUDIO] * 3
    assert [track.pregap_sectors for track in disc.tracks] == [150, 150, 150, 0]
    assert disc.track(1).end_lba - disc.track(1).start_lba == 300 + 150  # with its postgap


def test_the_bridge_has_both_forms() -> None:
    image = described("bridge")
    assert image.disc.sessions[0].disc_type is DiscType.XA
    submodes = main_sectors(image, 300, 10)[:, 18]
    stored = np.frombuffer((FIXTURES / "bridge" / "film.xa").read_bytes(), np.uint8)
    assert (submodes == stored.reshape(10, -1)[:, 2]).all()
    assert {bool(submode & 0x20) for submode in submodes} == {True, False}
    assert set(main_sectors(image, 600, 300)[:, 18] & 0x20) == {0x20}
    assert bytes(main_sectors(image, 600, 1)[0, 16:20]) == bytes.fromhex("01022400")


def test_the_sessions_lie_at_their_true_addresses() -> None:
    image = described("sessions")
    assert [session.tracks[0].start_lba for session in image.disc.sessions] == [0, 11_700, 18_900]
    assert image.disc.appendable
    assert [volume.volume_id for volume in volumes(image)] == ["SPRING", "SUMMER", "AUTUMN"]


# -- other programs --------------------------------------------------------------------------------


def user_data(image: RegionImage, path: Path) -> list[int]:
    """Write the blocks of the data sessions, each at its LBA; what lies between is a hole.

    A file has no lead-in to tell where the last session begins, so its descriptors are copied to
    the front of a disc that begins with music, as xorriso does on media without sessions.
    """
    blocks = DiscBlocks(image)
    starts = blocks.session_starts()
    with path.open("wb") as file:
        for start in starts:
            session = next(
                each
                for each in image.disc.sessions
                if each.tracks[0].start_lba <= start < each.lead_out_lba
            )
            track = next(each for each in session.tracks if each.start_lba == start)
            file.seek(start * 2_048)
            file.write(blocks.read(start, track.end_lba - start))
        if starts[0]:
            file.seek(0)
            file.write(blocks.read(starts[-1], 32))
    return starts


@needs("xorriso")
@pytest.mark.parametrize("name", NAMES)
def test_xorriso_extracts_every_session(built: dict[str, Path], name: str, tmp_path: Path) -> None:
    starts = user_data(opened(built[name]), tmp_path / "disc.img")
    for start, folders in zip(starts, VOLUMES[name], strict=True):
        out = tmp_path / f"out{start}"
        run(
            *("xorriso", "-load", "sbsector", str(start), "-read_fs", "any"),
            *("-indev", "stdio:disc.img", "-osirrox", "on", "-extract", "/", out),
            folder=tmp_path,
        )
        run("chmod", "-R", "u+rwX", out, folder=tmp_path)
        got = {
            path.relative_to(out).as_posix(): path.read_bytes()
            for path in out.rglob("*")
            if path.is_file()
        }
        assert got == wanted(name, folders)


@needs("isoinfo")
@pytest.mark.parametrize("name", NAMES)
def test_isoinfo_lists_every_session(built: dict[str, Path], name: str, tmp_path: Path) -> None:
    starts = user_data(opened(built[name]), tmp_path / "disc.img")
    tree = {"enhanced": ["-J"], "sessions": ["-R"]}.get(name, [])
    for start, folders in zip(starts, VOLUMES[name], strict=True):
        said = run(*("isoinfo", "-i", "disc.img", "-T", str(start), "-f", *tree), folder=tmp_path)
        listed = {line.strip("/").removesuffix(";1") for line in said.splitlines()}
        assert set(wanted(name, folders)) <= listed


@needs("cd-info")
def test_cd_info_reads_the_game(tmp_path: Path) -> None:
    save_image(described("game"), tmp_path / "game.cue")
    said = run(
        *("cd-info", "--no-header", "--no-device-info", "--no-cddb", "--cue-file=game.cue"),
        folder=tmp_path,
    )
    rows = [line.split() for line in said.splitlines() if ": 0" in line and "false" in line]
    assert [(row[0], row[2], row[3]) for row in rows[:4]] == [
        ("1:", "000000", "data"),
        ("2:", "000600", "audio"),
        ("3:", "001070", "audio"),
        ("4:", "001400", "audio"),
    ]
    assert "MAZE" in said


@needs("iso-info")
def test_iso_info_lists_the_game(tmp_path: Path) -> None:
    user_data(described("game"), tmp_path / "disc.iso")
    said = run("iso-info", "-f", "-i", "disc.iso", folder=tmp_path)
    assert "GAME.TXT" in said.upper()
    assert "LEVELS/ONE.DAT" in said.upper()


@needs("chdman")
@pytest.mark.parametrize("name", ["game", "bridge"])
def test_chdman_makes_the_same_edc_and_parity(name: str, tmp_path: Path) -> None:
    save_image(described(name), tmp_path / "disc.cue")
    assert through_chdman(tmp_path, "disc.cue") == (tmp_path / "disc.bin").read_bytes()


def test_the_script_makes_the_same_sources(tmp_path: Path) -> None:
    """But for FLAC, whose bytes are the library's own: there the samples are compared."""
    import soundfile

    copy = tmp_path / "description"
    copy.mkdir()
    shutil.copy(FIXTURES / "make_sources.py", copy)
    for name in NAMES:
        (copy / name).mkdir()
    subprocess.run([sys.executable, "make_sources.py"], cwd=copy, check=True, timeout=60)
    made = {path.relative_to(copy) for path in copy.rglob("*") if path.is_file()}
    kept = {path.relative_to(FIXTURES) for path in FIXTURES.rglob("*") if path.is_file()}
    assert {path for path in kept - made if path.name not in ("disc.toml", "README.md")} == set()
    assert made <= kept
    for path in made:
        if path.suffix == ".flac":
            ours, _ = soundfile.read(copy / path, dtype="int16")
            theirs, _ = soundfile.read(FIXTURES / path, dtype="int16")
            assert (ours == theirs).all()
        else:
            assert (copy / path).read_bytes() == (FIXTURES / path).read_bytes()
