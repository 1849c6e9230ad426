"""`rawcd verify`: exit status, lines, JSON, and the bytes of a file that decide."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

import rawcd
from rawcd.cli import main

if TYPE_CHECKING:
    from pathlib import Path

LEAD_IN = -22_650


@pytest.fixture(scope="module")
def album(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A raw image of two tracks, one of data."""
    folder = tmp_path_factory.mktemp("verify")
    creator = rawcd.RawCDImageCreator()
    creator.media_catalog_number = "4006381333931"
    creator.add_track(bytes(range(256)) * 8 * 400, rawcd.SectorType.MODE1, postgap=150)
    creator.add_track(bytes(2352 * 400), pregap=150)
    creator.resulting_image_type = rawcd.ImageType.RAW
    path = folder / "album.raw"
    rawcd.save_image(creator.create_result_image(), path)
    return path


def spoiled(album: Path, folder: Path, lba: int, byte: int, bits: int = 0x40) -> Path:
    """A copy in which one byte is another."""
    data = bytearray(album.read_bytes())
    data[(lba - LEAD_IN) * 2448 + byte] ^= bits
    path = folder / "spoiled.raw"
    path.write_bytes(data)
    return path


def as_json(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, dict[str, Any]]:
    status = main(["verify", *argv, "--json"])
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return status, found


def test_a_disc_without_defect_is_status_0(album: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(album)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines == [f"{album}: 30,500 sectors, no defects, no warnings"]


@pytest.mark.parametrize(
    ("lba", "byte", "rules"),
    [
        (100, 2352 + 9, {"q-crc"}),
        (100, 0, {"sync"}),
        (100, 500, {"edc", "p-parity", "q-parity"}),
        (-20_000, 2352 + 40, {"q-crc"}),
        (700, 2352 + 40, {"q-crc"}),
    ],
)
def test_one_byte_of_the_file_is_seen(
    album: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    lba: int,
    byte: int,
    rules: set[str],
) -> None:
    path = spoiled(album, tmp_path, lba, byte)
    status, found = as_json(capsys, str(path))
    assert status == 3
    assert {(each["rule"], each["lba"], each["msf"]) for each in found["findings"]} == {
        (rule, lba, str(rawcd.Msf.from_lba(lba))) for rule in rules
    }
    assert found["defects"] == len(rules)
    assert not found["clean"]


def test_the_json_has_all_its_keys(album: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, found = as_json(capsys, str(album))
    assert status == 0
    assert found == {
        "rawcd_verify": 1,
        "file": str(album),
        "first_lba": LEAD_IN,
        "sectors": 30_500,
        "clean": True,
        "defects": 0,
        "warnings": 0,
        "findings": [],
        "left_out": [],
        "subcode_made": [],
        "repaired": None,
        "mended": [],
        "losses": [],
        "summary": "30,500 sectors, no defects, no warnings",
    }


def test_subcode_that_was_not_recorded_is_said_to_be_made(
    album: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sheet = tmp_path / "album.cue"
    rawcd.save_image(rawcd.open_image(album), sheet)
    status, found = as_json(capsys, str(sheet))
    assert status == 0
    assert found["summary"].endswith("subcode not recorded: made")
    assert found["subcode_made"] == [{"lba": LEAD_IN, "sectors": 30_500}]


def test_a_mended_image_is_the_old_one_again(
    album: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, out = spoiled(album, tmp_path, 100, 500), tmp_path / "mended.raw"
    before = path.read_bytes()
    assert main(["verify", str(path), "--repair", str(out)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in lines[:3]] == ["mended"] * 3
    assert out.read_bytes() == album.read_bytes()
    assert path.read_bytes() == before
    status, found = as_json(capsys, str(path), "--repair", str(out), "--force")
    assert (status, found["repaired"], found["findings"]) == (0, str(out), [])
    assert [each["rule"] for each in found["mended"]] == ["edc", "p-parity", "q-parity"]


def test_what_the_new_format_cannot_hold_is_refused_or_listed(
    album: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "mended.chd"
    assert main(["verify", str(album), "--repair", str(out)]) == 1
    assert "--allow-loss" in capsys.readouterr().err
    assert not out.exists()
    assert main(["verify", str(album), "--repair", str(out), "--allow-loss", "--json"]) == 0
    assert any("4006381333931" in each for each in json.loads(capsys.readouterr().out)["losses"])
    assert out.exists()


def test_an_unknown_suffix_is_refused_before_anything_is_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", str(tmp_path / "none.raw"), "--repair", "mended.xyz"]) == 1
    assert "'.xyz'" in capsys.readouterr().err


def test_the_source_is_never_written_over(
    album: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = spoiled(album, tmp_path, 100, 500)
    before = path.read_bytes()
    assert main(["verify", str(path), "--repair", str(path), "--force"]) == 1
    assert path.read_bytes() == before
    assert main(["verify", str(path), "--repair", str(path)]) == 1
    assert path.read_bytes() == before
    assert main(["verify", str(path), "--force"]) == 2
    assert "--repair" in capsys.readouterr().err


def test_a_file_that_is_none_is_an_error(tmp_path: Path) -> None:
    assert main(["verify", str(tmp_path / "none.raw")]) == 1


def test_several_processes_find_the_same(
    album: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rawcd.pump._WORTH_IT", 0)
    path = spoiled(album, tmp_path, 100, 500)
    image = rawcd.open_image(path)
    assert rawcd.verify_image(image, jobs=2) == rawcd.verify_image(image)
