"""Scripts written for Windows, run with one changed line: their import of pywin32."""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys
import wave
from pathlib import Path
from typing import Final

import numpy as np
import pytest

import rawcd

FIXTURES: Final = Path(__file__).parent.parent.parent / "fixtures" / "imapi"
IMPORTS: Final = {
    "burn_raw.py": ("import win32com.client as win32", "import rawcd.imapi as win32"),
    "burn_album.py": ("from win32com.client import", "from rawcd.imapi import"),
    "save_image.py": ("import win32com.client as client", "import rawcd.imapi as client"),
    "reuse_disc.py": ("from win32com.client import", "from rawcd.imapi import"),
    "list_drives.py": ("from win32com.client import", "from rawcd.imapi import"),
    "gap_album.py": (
        "import win32com.client, win32com.server.util",
        "from rawcd.imapi import win32com",
    ),
}
SECTOR = 2352
REQUEST_CANCELLED = "0xC0AA0002"


def sound(path: Path, size: int, *, before: bytes = b"") -> bytes:
    """Write a WAV file of noise, with a chunk that nobody wants before its samples."""
    samples = random.Random(path.name).randbytes(size)
    with wave.open(str(path), "wb") as file:
        file.setparams((2, 2, 44100, 0, "NONE", ""))
        file.writeframes(samples)
    if before:
        made = path.read_bytes()
        chunk = b"note" + len(before).to_bytes(4, "little") + before + bytes(len(before) % 2)
        path.write_bytes(made[:12] + chunk + made[12:])
    return samples


def run(name: str, folder: Path, disc: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a script in a folder, with its one line changed."""
    text = (FIXTURES / name).read_text(encoding="utf-8")
    lines = text.splitlines()
    old, new = IMPORTS[name]
    assert sum(line.startswith(old) for line in lines) == 1
    assert sum("win32com" in line for line in lines if "import" in line) == 1
    script = folder / name
    script.write_text(text.replace(old, new), encoding="utf-8")
    changed = zip(lines, script.read_text(encoding="utf-8").splitlines(), strict=True)
    assert sum(before != after for before, after in changed) == 1
    return subprocess.run(
        [sys.executable, "-W", "error", name, *arguments],
        cwd=folder,
        env={**os.environ, "RAWCD_RECORDERS": disc, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def recorded(disc: Path, lba: int, sectors: int) -> np.ndarray:
    image = rawcd.open_image(disc)
    return np.frombuffer(image.read(lba, sectors), np.uint8).reshape(sectors, -1)


# -- disc at once --------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["cooked", "raw"])
def test_a_raw_disc_step_by_step(kind: str, tmp_path: Path) -> None:
    hidden = sound(tmp_path / "hidden.wav", 170 * SECTOR)
    first = sound(tmp_path / "01.wav", 400 * SECTOR - 100)
    second = sound(tmp_path / "02.wav", 10 * SECTOR)  # padded to four seconds
    expected = rawcd.RawCDImageCreator(strict=True)
    expected.resulting_image_type = {"cooked": 2, "raw": 3}[kind]
    expected.starting_track_number = 3
    expected.start_of_leadout_limit = 300_000
    expected.add_special_pregap(hidden)
    expected.add_track(first + bytes(100))
    expected.add_track(second + bytes(290 * SECTOR))
    for number, isrc in ((1, "USK7Y9812345"), (2, "GBAYE0000351")):
        expected.track_info(number).isrc = isrc
        expected.track_info(number).digital_audio_copy_setting = rawcd.CopySetting.PERMITTED
    expected.track_info(1).add_track_index(150)
    expected.media_catalog_number = "4006381333931"
    rng = np.random.default_rng(1)
    subcode = rng.integers(0, 64, (expected.raw_sector_count, 96), np.uint8)
    if kind == "cooked":  # packs that hold what parity and interleave demand: none but zeros
        subcode[:] = 0
    (tmp_path / "rw.bin").write_bytes(subcode.tobytes())
    expected.add_subcode_rw_generator(subcode.tobytes())

    done = run(
        *("burn_raw.py", tmp_path, "virtual:disc.raw"),
        *("01.wav", "02.wav", "--pregap", "hidden.wav", "--type", kind, "--first", "3"),
        *("--limit", "300000", "--catalog", "4006381333931", "--index", "150"),
        *("--isrc", "US-K7Y-98-12345", "--isrc", "GBAYE0000351", "--subcode", "rw.bin"),
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    said = done.stdout.splitlines()
    assert said[0] == "recorder RAWCD VIRTUAL RECORDER"
    assert said[1:6] == [
        "track 1: 01.wav",
        "track 2: 02.wav",
        "track 3: US-K7Y-98-12345",
        "track 4: GB-AYE-00-00351",
        "indexes (0, 150)",
    ]
    lead_out = expected.start_of_leadout
    contents = expected.expected_table_of_contents.hex()
    assert said[6] == f"lead-out {lead_out}, contents {contents}"
    actions = [line.split()[1] for line in said if line.startswith("action")]
    assert actions == ["preparing", "writing", "finishing"]
    assert said[-2:] == ["written", "released"]

    burned = rawcd.open_image(tmp_path / "disc.raw")
    image = expected.create_result_image().as_kind(rawcd.ImageType.RAW)
    assert burned.first_lba > -22_650, "a blank's lead-in begins where its groove says"
    assert burned.disc.mcn == "4006381333931"
    assert [track.number for track in burned.disc.tracks] == [3, 4]
    assert burned.first_lba + burned.sector_count == image.first_lba + image.sector_count
    for lba in range(burned.first_lba, burned.first_lba + burned.sector_count, 2_000):
        count = min(2_000, burned.first_lba + burned.sector_count - lba)
        assert burned.read(lba, count) == image.read(lba, count), lba


def test_cancelled_from_within_update(tmp_path: Path) -> None:
    for name in ("01.wav", "02.wav"):
        sound(tmp_path / name, 300 * SECTOR)
    done = run(
        *("burn_raw.py", tmp_path, "virtual:disc.raw"),
        *("01.wav", "02.wav", "--cancel-at", "0"),
    )
    assert (done.returncode, done.stderr) == (2, ""), done.stdout
    said = done.stdout.splitlines()
    assert "cancelling" in said
    assert said[-2].startswith(f"failed: {REQUEST_CANCELLED} ")
    assert said[-1] == "released", "ReleaseMedia is owed after a cancelled write"
    assert "written" not in said


def test_released_after_a_failure(tmp_path: Path) -> None:
    sound(tmp_path / "01.wav", 300 * SECTOR)
    done = run("burn_raw.py", tmp_path, "virtual:disc.raw?fault=medium-error@lba=100", "01.wav")
    assert (done.returncode, done.stderr) == (1, ""), done.stdout
    said = done.stdout.splitlines()
    assert said[-2].startswith("failed: 0x")
    assert said[-1] == "released"


@pytest.mark.parametrize(
    ("disc", "words"),
    [
        ("virtual:disc.raw?empty=1", "E_IMAPI_RECORDER_MEDIA_NO_MEDIA"),
        ("", "there is no recorder"),
    ],
)
def test_without_a_disc_or_a_recorder(disc: str, words: str, tmp_path: Path) -> None:
    if not disc and any(Path("/dev").glob("sr*")):
        pytest.skip("this computer has a recorder")
    sound(tmp_path / "01.wav", 300 * SECTOR)
    done = run("burn_raw.py", tmp_path, disc, "01.wav")
    assert done.returncode == 1
    assert words in done.stderr


def test_tracks_with_gaps_from_streams_of_the_script_s_own(tmp_path: Path) -> None:
    sounds = [
        sound(tmp_path / name, size) for name, size in (("1.wav", 707_000), ("2.wav", 705_600))
    ]
    done = run("gap_album.py", tmp_path, "virtual:disc.raw", "10", "1.wav", "2.wav")
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    said = done.stdout.splitlines()
    assert said[:2] == ["track 1: 301 sectors from 0", "track 2: 300 sectors from 451"]
    assert re.fullmatch(r"asked for 10x, is \d+x", said[2])
    assert said[3] == "lead-in"
    assert said[-2:] == ["closing", "done"]
    first, second = rawcd.open_image(tmp_path / "disc.raw").disc.tracks
    assert (first.start_lba, first.end_lba, second.first_lba) == (0, 301, 301)
    assert (second.start_lba, second.pregap_sectors) == (451, 150)
    for track, samples in zip((first, second), sounds, strict=True):
        assert track.copy is rawcd.CopySetting.SCMS
        rows = recorded(tmp_path / "disc.raw", track.start_lba, track.sector_count)
        assert rows[:, :SECTOR].tobytes() == samples.ljust(track.sector_count * SECTOR, b"\0")
    gap = recorded(tmp_path / "disc.raw", 301, 150)
    assert not gap[:, :SECTOR].any()

    again = run("gap_album.py", tmp_path, "virtual:disc.raw", "10", "1.wav")
    assert (again.returncode, again.stderr) == (1, "")
    assert again.stdout.splitlines()[-1].startswith("failed: virtual:disc.raw: the disc is written")


# -- track at once -------------------------------------------------------------------------------


def test_an_album_track_by_track(tmp_path: Path) -> None:
    album = tmp_path / "album"
    album.mkdir()
    sounds = {
        "1 first.wav": sound(album / "1 first.wav", 350 * SECTOR),
        "2 second.wav": sound(album / "2 second.wav", 400 * SECTOR - 88, before=b"a remark"),
        "3 short.wav": sound(album / "3 short.wav", 20 * SECTOR),
    }
    done = run("burn_album.py", tmp_path, "virtual:disc.raw", "album")
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    said = done.stdout.splitlines()
    assert said[:3] == [f"{name} is track {n}" for n, name in enumerate(sounds, 1)]
    assert said[3].startswith("contents ")
    assert said[4:] == [f"track {n}: [1, 2, 3]" for n in (1, 2, 3)]

    disc = rawcd.open_image(tmp_path / "disc.raw").disc
    assert len(disc.tracks) == 3
    for track, samples in zip(disc.tracks, sounds.values(), strict=True):
        sectors = max(300, -(-len(samples) // SECTOR))
        assert track.sector_count >= sectors, "four seconds at least"
        rows = recorded(tmp_path / "disc.raw", track.start_lba, sectors)
        assert rows[:, :SECTOR].tobytes() == samples.ljust(sectors * SECTOR, b"\0")
    table = bytes.fromhex(said[3].split()[1])
    starts = [int.from_bytes(table[at + 4 : at + 8]) for at in range(4, len(table), 8)]
    assert starts == [*(track.start_lba for track in disc.tracks), disc.sessions[-1].lead_out_lba]


def test_an_album_on_a_written_disc_is_refused(tmp_path: Path) -> None:
    album = tmp_path / "album"
    album.mkdir()
    sound(album / "1.wav", 300 * SECTOR)
    assert run("burn_album.py", tmp_path, "virtual:disc.raw", "album").returncode == 0
    done = run("burn_album.py", tmp_path, "virtual:disc.raw", "album")
    assert done.returncode == 1
    assert "blank CD" in done.stderr


def test_a_list_of_drives_of_every_kind(tmp_path: Path) -> None:
    discs = "virtual:empty.raw?empty=1", "virtual:once.raw", "virtual:again.raw?medium=cdrw80"
    done = run("list_drives.py", tmp_path, ";".join(discs))
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    parts = done.stdout.split("RAWCD VIRTUAL RECORDER 1.00\n")[-3:]
    holds = ("nothing", "CD-R", "CD-RW")
    for part, name, held in zip(parts, discs, holds, strict=True):
        said = [line.strip() for line in part.splitlines()]
        assert re.fullmatch(r"number \d+ loads True", said[0])
        assert said[1] == f"at {name}"
        assert said[2] == "takes CD-RW CD-R CD-ROM"
        assert said[3] == "holds" if held == "nothing" else f"holds {held}"
        assert said[4] == "knows CD_TRACK_AT_ONCE CD_MASTERING"
        assert said[8] == "Data: 0x80004001 E_NOTIMPL"
        for line in said[5:8]:
            if held == "nothing":
                assert line.endswith(": 0xc0aa0202 E_IMAPI_RECORDER_MEDIA_NO_MEDIA")
            elif line.startswith("Erase"):
                assert line == ("Erase: CD-RW, blank True" if held == "CD-RW" else "Erase: no")
            else:
                assert f": {held}, blank True, 52x " in line


# -- an image, and a disc that is used again ------------------------------------------------------


def test_an_image_read_from_its_stream_is_the_file_that_rawcd_saves(tmp_path: Path) -> None:
    first = sound(tmp_path / "01.wav", 320 * SECTOR - 8)
    second = sound(tmp_path / "02.wav", 300 * SECTOR)
    done = run("save_image.py", tmp_path, "", "album.raw", "01.wav", "02.wav")
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    expected = rawcd.RawCDImageCreator(strict=True)
    expected.resulting_image_type = rawcd.ImageType.RAW
    expected.disable_gapless_audio = True
    for samples in (first + bytes(8), second):
        track = expected.add_track(bytes(75 * SECTOR) + samples)
        expected.track_info(track).add_track_index(75)
    rawcd.save_image(expected.create_result_image(), tmp_path / "ours.raw")
    assert (tmp_path / "album.raw").read_bytes() == (tmp_path / "ours.raw").read_bytes()
    assert done.stdout.splitlines() == [
        "track 1: 395 from 0, indexes [0, 75], ISRC ''",
        "track 2: 375 from 545, indexes [0, 75], ISRC ''",
        "lead-out 920 last 919",
        "read-only",
        f"whole {(22_500 + 150 + 920 + 6_750) * 2448}",
    ]


def test_a_short_track_of_an_image_is_refused(tmp_path: Path) -> None:
    sound(tmp_path / "01.wav", 200 * SECTOR)
    done = run("save_image.py", tmp_path, "", "album.raw", "01.wav")
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith("01.wav: 0x80070057 ")
    assert not (tmp_path / "album.raw").exists()


def test_a_disc_is_erased_and_used_again(tmp_path: Path) -> None:
    discs = "virtual:empty.raw?empty=1;virtual:once.raw;virtual:disc.raw?medium=cdrw80"
    for turn, sectors in enumerate((310, 330)):
        samples = sound(tmp_path / f"{turn}.wav", sectors * SECTOR)
        creator = rawcd.RawCDImageCreator()
        creator.resulting_image_type = rawcd.ImageType.RAW
        creator.add_track(samples)
        rawcd.save_image(creator.create_result_image(), tmp_path / f"{turn}.raw")
        done = run("reuse_disc.py", tmp_path, discs, f"{turn}.raw")
        assert (done.returncode, done.stderr) == (0, ""), done.stdout
        empty, once, again = discs.split(";")
        said = iter(line for line in done.stdout.splitlines() if not line.startswith("/dev/"))
        assert next(said) == f"{empty} E_IMAPI_RECORDER_MEDIA_NO_MEDIA 0xc0aa0202"
        assert next(said) == f"{once} RAWCD no"
        assert next(said) == f"{again} RAWCD yes"
        *erasing, blank, heard, written = said
        assert erasing
        assert all(re.fullmatch(r"erasing since \d+ of \d+ s", line) for line in erasing)
        assert blank == "reuse finds it blank: True"
        assert heard == "actions [1, 2, 3], all sectors: True"
        assert written == "written at 4x"
        rows = recorded(tmp_path / "disc.raw", 0, sectors)
        assert rows[:, :SECTOR].tobytes() == samples
