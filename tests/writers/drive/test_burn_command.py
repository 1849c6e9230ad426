"""The commands for drives as a user meets them, on recorders that are programs."""

from __future__ import annotations

import json
import signal
import wave
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import soundfile

import rawcd
from rawcd.cli import main
from rawcd_writers.drive.session import DriveSession

if TYPE_CHECKING:
    from pathlib import Path

    from rawcd.image import DiscImage
    from rawcd_writers.drive.writing import BurnResult


@pytest.fixture
def sheet(tmp_path: Path) -> Path:
    sound = np.random.default_rng(1).integers(0, 256, 2352 * 900, np.uint8)
    (tmp_path / "a.bin").write_bytes(sound.tobytes())
    path = tmp_path / "a.cue"
    path.write_text(
        'CATALOG 4006381333931\nFILE "a.bin" BINARY\nTRACK 01 AUDIO\nISRC USRC17607839\n'
        "INDEX 01 00:00:00\nTRACK 02 AUDIO\nINDEX 00 00:05:00\nINDEX 01 00:06:00\n",
        encoding="ascii",
    )
    return path


@pytest.mark.parametrize("mode", ["auto", "raw", "sao", "tao"])
def test_a_sheet_is_burned_compared_and_read_back(
    mode: str, sheet: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    disc = tmp_path / "disc.raw"
    drive = f"virtual:{disc}?medium=cdr-short"
    assert main(["burn", str(sheet), "--drive", drive, "--mode", mode, "--verify"]) == 0
    said = capsys.readouterr()
    used = "raw" if mode == "auto" else mode
    assert f"burned in mode {used}" in said.out
    assert "the disc is closed" in said.out
    assert "sectors compared, the disc is what was burned" in said.out
    assert "not compared" not in said.err
    assert ("not on the disc in mode tao: track 2: pregap" in said.err) == (mode == "tao")
    assert main(["info", str(disc)]) == 0
    out = tmp_path / "copy.cue"
    assert main(["read", f"virtual:{disc}", str(out), "--to", "cue", "--allow-loss"]) == 0
    if mode != "tao":
        assert (tmp_path / "copy.bin").read_bytes() == (tmp_path / "a.bin").read_bytes()
        copy = rawcd.open_image(out, format="cue").disc
        assert copy == rawcd.open_image(sheet, format="cue").disc


def test_a_rehearsal_leaves_a_blank_disc(
    sheet: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    drive = f"virtual:{tmp_path / 'disc.raw'}?medium=cdr-short"
    assert main(["burn", str(sheet), "--drive", drive, "--simulate", "--verify"]) == 0
    said = capsys.readouterr()
    assert "rehearsed in mode raw" in said.out
    assert "the disc is blank" in said.out
    assert "not compared: a rehearsal writes nothing" in said.err


@pytest.mark.parametrize("as_json", [False, True])
def test_a_disc_that_differs_is_told_with_its_status_and_let_out(
    as_json: bool,
    sheet: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    disc = tmp_path / "disc.raw"
    right = DriveSession.burn
    ejected: list[bool] = []

    def burned_and_scratched(session: DriveSession, image: DiscImage, **options: Any) -> BurnResult:
        result = right(session, image, **options)
        with disc.open("r+b") as file:  # LBA 100: the lead-in begins at LBA -4650
            file.seek((4650 + 100) * 2448)
            byte = file.read(1)[0]
            file.seek(-1, 1)
            file.write(bytes([byte ^ 0xFF]))
        return result

    monkeypatch.setattr(DriveSession, "burn", burned_and_scratched)
    monkeypatch.setattr(DriveSession, "eject", lambda session: ejected.append(session.is_locked))
    command = ["burn", str(sheet), "--drive", f"virtual:{disc}?medium=cdr-short", "--verify"]
    assert main([*command, "--eject", *["--json"] * as_json]) == 3
    said = capsys.readouterr()
    assert "LBA 100 (00:03:25): main channel byte 0 is" in said.err
    assert "the disc is not what was burned" in said.err
    assert "is what was burned" not in said.out
    assert ejected == [False]
    if as_json:
        compared = json.loads(said.out)["compared"]
        assert compared["same"] is False
        assert "1 of 1050 sectors compared differ" in compared["differences"]


def test_ctrl_c_behind_a_burn_tells_of_the_burned_disc(
    sheet: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It said that nothing was left behind."""
    monkeypatch.setattr(
        DriveSession, "compare", lambda *_, **__: signal.raise_signal(signal.SIGINT)
    )
    drive = f"virtual:{tmp_path / 'disc.raw'}?medium=cdr-short"
    assert main(["burn", str(sheet), "--drive", drive, "--verify", "--json"]) == 130
    said = capsys.readouterr()
    assert "was burned before; the disc is closed" in said.err
    assert not said.out


def test_a_disc_that_cannot_be_compared_is_a_burned_one(
    sheet: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    drive = f"virtual:{tmp_path / 'disc.raw'}?medium=cdr-short&fault=aborted@read.4*99"
    assert main(["burn", str(sheet), "--drive", drive, "--verify"]) == 1
    assert "it was burned before; the disc is closed" in capsys.readouterr().err


@pytest.mark.parametrize("speed", ["nan", "inf", "-inf", "0", "-4", "fast"])
def test_a_speed_that_is_none_is_wrong_usage(
    speed: str, sheet: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    drive = f"virtual:{tmp_path / 'disc.raw'}"
    assert main(["burn", str(sheet), "--drive", drive, "--speed", speed]) == 2
    assert "--speed" in capsys.readouterr().err
    assert not (tmp_path / "disc.raw").exists()


def test_a_blank_disc_is_not_read_and_a_pipe_not_filled(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    drive = f"virtual:{tmp_path / 'disc.raw'}"
    assert main(["read", drive, str(tmp_path / "copy.cue")]) == 1
    assert "the disc is blank" in capsys.readouterr().err
    assert main(["read", drive, "-", "--to", "raw"]) == 2


def test_a_written_disc_is_refused_blanked_and_burned_again(
    sheet: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    drive = f"virtual:{tmp_path / 'disc.raw'}?medium=cdrw-short"
    assert main(["burn", str(sheet), "--drive", drive]) == 0
    drive = drive.partition("?")[0]
    assert main(["burn", str(sheet), "--drive", drive]) == 1
    assert "rawcd blank" in capsys.readouterr().err
    assert main(["blank", "--drive", drive]) == 0
    assert main(["burn", str(sheet), "--drive", drive, "--mode", "sao", "--eject"]) == 0


def test_a_failure_names_command_address_sense_and_the_discs_state(
    sheet: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    drive = f"virtual:{tmp_path / 'disc.raw'}?medium=cdr-short&fault=medium-error@lba=100"
    assert main(["burn", str(sheet), "--drive", drive]) == 1
    said = capsys.readouterr().err
    for part in ("WRITE(10) at LBA", "03/0C/00", "write error", "spoiled"):
        assert part in said


def test_recorders_are_described(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = f"virtual:{tmp_path / 'x'}?medium=cdrw80"
    assert main(["drives", name, "virtual:?empty=1"]) == 0
    said = capsys.readouterr().out
    assert "CD-RW, blank, 97:34:22" in said
    assert "raw 96, sao, tao" in said
    assert "at 52, 48, 40, 32, 24, 16, 8, 4 times single speed" in said
    assert "empty" in said
    assert main(["drives", "--json", name]) == 0
    (told,) = json.loads(capsys.readouterr().out)["drives"]
    assert (told["medium"], told["blank"], told["last_lead_out_lba"]) == ("CD-RW", True, 359_849)
    assert main(["drives"]) == 0


def test_a_name_that_leads_nowhere_is_told(sheet: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["burn", str(sheet), "--drive", "nowhere"]) == 1
    assert "is no recorder's name" in capsys.readouterr().err


def test_a_short_track_is_refused_with_the_remedy_and_filled_on_request(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sound = np.random.default_rng(2).integers(-99, 99, (588 * 100, 2)).astype("<i2")
    soundfile.write(tmp_path / "short.wav", sound, 44_100)
    disc = tmp_path / "disc.raw"
    words = ["burn", str(tmp_path / "short.wav"), "--drive", f"virtual:{disc}?medium=cdr-short"]
    assert main(words) == 1
    assert "--pad-short fills it" in capsys.readouterr().err
    assert main([*words, "--pad-short"]) == 0
    image = rawcd.open_image(disc)
    track = image.disc.track(1)
    assert track.end_lba == 300
    recorded = b"".join(image.read(lba, 1)[:2352] for lba in range(300))
    assert recorded == sound.tobytes() + bytes(2352 * 200)


def test_a_sheet_may_name_files_elsewhere_where_it_is_trusted(
    sheet: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "below").mkdir()
    below = tmp_path / "below" / "b.cue"
    below.write_text(sheet.read_text("ascii").replace('"a.bin"', '"../a.bin"'), encoding="ascii")
    words = ["burn", str(below), "--drive", f"virtual:{tmp_path / 'd'}?medium=cdr-short"]
    assert main(words) == 1
    assert "--trust-paths" in capsys.readouterr().err
    assert main([*words, "--trust-paths"]) == 0


def test_sound_files_bring_the_graphics_beside_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`build` took them, `burn` left them behind without a word."""
    with wave.open(str(tmp_path / "song.wav"), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(44100)
        file.writeframes(bytes(300 * 2352))
    preset = bytes([9, 1, 0, 0, 5]).ljust(24, b"\0")  # the canvas in colour 5
    (tmp_path / "song.cdg").write_bytes(preset * 40)
    disc = tmp_path / "disc.raw"
    drive = f"virtual:{disc}?medium=cdr-short"
    assert main(["burn", str(tmp_path / "song.wav"), "--drive", drive]) == 0
    assert "song.cdg" in capsys.readouterr().err
    sub = np.frombuffer(rawcd.open_image(disc).read(0, 300), np.uint8).reshape(-1, 2448)[:, 2352:]
    assert (sub & 0x3F).any()
