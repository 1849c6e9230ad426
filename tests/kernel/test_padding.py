"""Short tracks of an image filled up: silence, or sectors of their kind."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, cast

import pytest

from rawcd.errors import AuthoringError
from rawcd.image import main_sectors
from rawcd.padding import pad_short_tracks
from rawcd.plugins import open_image
from rawcd.sector import SectorType, encode, verify
from tests.strategies import noise_rows

if TYPE_CHECKING:
    from pathlib import Path

    from rawcd.image import RegionImage


def rawcd(folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "rawcd", "build", *args],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def sheet(folder: Path, *tracks: tuple[str, bytes]) -> None:
    """A sheet of tracks, each a file of its own."""
    lines = []
    for number, (mode, data) in enumerate(tracks, 1):
        (folder / f"{number}.bin").write_bytes(data)
        lines += [f"FILE {number}.bin BINARY", f"TRACK {number:02} {mode}", "INDEX 01 00:00:00"]
    (folder / "a.cue").write_text("\n".join(lines), encoding="ascii")


def whole(kind: SectorType, count: int, lba: int) -> bytes:
    """Sectors of noise."""
    blocks = noise_rows(count, min(kind.block_sizes), seed=lba)
    return encode(kind, blocks, lba).tobytes()


@pytest.mark.parametrize("sectors", [1, 299])
def test_a_short_iso_is_refused_and_can_be_padded(tmp_path: Path, sectors: int) -> None:
    data = noise_rows(sectors, 2048, seed=sectors).tobytes()
    (tmp_path / "disc.iso").write_bytes(data)
    done = rawcd(tmp_path, "disc.iso", "-o", "x.raw")
    assert done.returncode == 1
    assert f"{sectors} sectors" in done.stderr
    assert "--pad-short" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["disc.iso"]
    done = rawcd(tmp_path, "disc.iso", "-o", "x.raw", "--pad-short")
    assert done.returncode == 0
    assert f"its {sectors} sectors were filled with sectors of zero user data to 300" in done.stderr
    made = open_image(tmp_path / "x.raw")
    assert made.disc.sessions[0].lead_out_lba == 300
    rows = main_sectors(made, -150, 450 + 6_750)
    assert not verify(rows, -150, SectorType.MODE1).any()
    assert rows[150:450, 16:2064].tobytes() == data + bytes(2048 * (300 - sectors))


@pytest.mark.parametrize(
    ("mode", "data", "kind"),
    [
        ("MODE1/2352", whole(SectorType.MODE1, 20, 0), SectorType.MODE1),
        ("MODE2/2352", whole(SectorType.MODE2FORM1, 20, 0), SectorType.MODE2MIXED),
        ("MODE2/2048", bytes(2048 * 20), SectorType.MODE2FORM1),
        ("MODE2/2324", bytes(2324 * 20), SectorType.MODE2FORM2),
    ],
    ids=["MODE1/2352", "MODE2/2352", "MODE2/2048", "MODE2/2324"],
)
def test_short_tracks_of_other_kinds_are_padded(
    tmp_path: Path, mode: str, data: bytes, kind: SectorType
) -> None:
    """The last track may hold whole sectors: none of them moves."""
    sheet(tmp_path, (mode, data))
    done = rawcd(tmp_path, "a.cue", "-o", "x.raw", "--pad-short")
    assert done.returncode == 0, done.stderr
    made = open_image(tmp_path / "x.raw")
    assert made.disc.sessions[0].lead_out_lba == 300
    assert not verify(main_sectors(made, 0, 300), 0, kind).any()


def test_user_data_behind_a_short_track_moves(tmp_path: Path) -> None:
    data = noise_rows(300, 2048, seed=4).tobytes()
    sheet(tmp_path, ("MODE1/2048", bytes(2048 * 20)), ("MODE1/2048", data))
    done = rawcd(tmp_path, "a.cue", "-o", "x.raw", "--pad-short")
    assert done.returncode == 0, done.stderr
    made = open_image(tmp_path / "x.raw")
    rows = main_sectors(made, 0, 600)
    assert not verify(rows, 0, SectorType.MODE1).any()
    assert rows[300:, 16:2064].tobytes() == data


@pytest.mark.parametrize("short", ["MODE1/2048", "AUDIO"])
def test_whole_sectors_behind_a_short_track_are_not_moved(tmp_path: Path, short: str) -> None:
    """Their headers tell where they lie."""
    size = 2352 if short == "AUDIO" else 2048
    behind = whole(SectorType.MODE1, 300, 20)
    sheet(tmp_path, (short, bytes(size * 20)), ("MODE1/2352", behind))
    done = rawcd(tmp_path, "a.cue", "-o", "x.raw", "--pad-short")
    assert done.returncode == 1
    assert "track 2 lies behind a short track" in done.stderr
    assert not (tmp_path / "x.raw").exists()


def test_no_room_for_the_padding(tmp_path: Path) -> None:
    """One short track before 398,000 sectors, whose file is mostly a hole."""
    sheet(tmp_path, ("AUDIO", bytes(2_352 * 10)), ("AUDIO", b""))
    with (tmp_path / "2.bin").open("wb") as file:
        file.truncate(2_352 * 398_000)
    with pytest.raises(AuthoringError, match=r"398300 .* behind the limit of 398100") as caught:
        pad_short_tracks(cast("RegionImage", open_image(tmp_path / "a.cue")))
    assert caught.value.rule == "lead-out-limit"
