"""CD+G under tracks: in the library, by the command, and back from the file."""

from __future__ import annotations

import json
import wave
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import rawcd
from rawcd.cdg import CdgFile
from rawcd.cli import main
from rawcd.errors import FormatError, UnsupportedError
from rawcd.graphics import with_graphics
from rawcd.image import ImageType

if TYPE_CHECKING:
    from pathlib import Path


def packs(sectors: int, seed: int) -> Any:
    """Tiles with parity symbols left zero, as `.cdg` files have them."""
    rng = np.random.default_rng(seed)
    made = np.zeros((sectors * 4, 24), np.uint8)
    made[:, 0], made[:, 1] = 0x09, 6
    made[:, 4:20] = rng.integers(0, 64, (len(made), 16))
    return made


def silent_disc(*lengths: int) -> rawcd.RegionImage:
    creator = rawcd.RawCDImageCreator()
    creator.disable_gapless_audio = True
    for length in lengths:
        creator.add_track(rawcd.SilenceSource(block_count=length))
    creator.resulting_image_type = ImageType.RAW
    return creator.create_result_image()


def packs_at(image: rawcd.RegionImage, lba: int, sectors: int) -> Any:
    """The packs that a player finds from a sector on."""
    cooked = image.as_kind(ImageType.COOKED)
    rows = np.frombuffer(cooked.read(lba, sectors), np.uint8).reshape(sectors, -1)
    return (rows[:, 2352:] & 0x3F).reshape(-1, 24)


def test_each_file_begins_at_its_track_s_index_1(tmp_path: Path) -> None:
    image = silent_disc(400, 500)
    one, two = packs(100, 1), packs(600, 2)  # the second is longer than its track
    made = with_graphics(image, {1: CdgFile(one.tobytes()), 2: CdgFile(two.tobytes())})
    assert [(note.code, note.track) for note in made.notes] == [("cdg-longer", 2)]
    rawcd.save_image(made, tmp_path / "a.raw")
    opened = rawcd.open_image(tmp_path / "a.raw")
    assert isinstance(opened, rawcd.RegionImage)
    assert opened.disc == image.disc
    for found in (made, opened):
        np.testing.assert_array_equal(packs_at(found, 0, 100)[:, 4:20], one[:, 4:20])
        np.testing.assert_array_equal(packs_at(found, 550, 500)[:, 4:20], two[:2000, 4:20])
        assert not packs_at(found, 100, 450).any()
        assert not packs_at(found, -150, 150).any()
    cooked = made.as_kind(ImageType.COOKED)
    rows = np.frombuffer(cooked.read(0, 100), np.uint8).reshape(100, -1)[:, 2352:]
    np.testing.assert_array_equal((rows & 0x3F).reshape(-1, 24)[:, 4:20], one[:, 4:20])


def test_what_brings_its_own_subcode_takes_no_graphics(tmp_path: Path) -> None:
    rawcd.save_image(silent_disc(300), tmp_path / "a.raw")
    opened = rawcd.open_image(tmp_path / "a.raw")
    assert isinstance(opened, rawcd.RegionImage)
    with pytest.raises(UnsupportedError, match="brings its own"):
        with_graphics(opened, {1: CdgFile(packs(3, 1).tobytes())})
    with pytest.raises(KeyError):
        with_graphics(silent_disc(300), {2: CdgFile(packs(3, 1).tobytes())})
    (tmp_path / "ragged.cdg").write_bytes(bytes(25))
    with pytest.raises(FormatError, match="1"):
        with_graphics(silent_disc(300), {1: tmp_path / "ragged.cdg"})


def make_wav(path: Path, sectors: int) -> None:
    with wave.open(str(path), "wb") as file:
        file.setparams((2, 2, 44100, 0, "NONE", ""))
        file.writeframes(bytes(2352 * sectors))


def test_the_command_takes_graphics_by_option_and_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("one", "two"):
        make_wav(tmp_path / f"{name}.wav", 400)
    graphics = packs(50, 3)
    (tmp_path / "two.cdg").write_bytes(graphics.tobytes())
    (tmp_path / "words.cdg").write_bytes(graphics[:40].tobytes())

    assert main(["build", "one.wav", "two.wav", "-o", "found.raw"]) == 0
    assert "track 2: CD+G was taken from two.cdg" in capfd.readouterr().err
    found = rawcd.open_image("found.raw")
    assert isinstance(found, rawcd.RegionImage)
    np.testing.assert_array_equal(packs_at(found, 400, 50)[:, 4:20], graphics[:, 4:20])
    assert not packs_at(found, 0, 399).any()

    assert main(["build", "one.wav", "two.wav", "-o", "named.raw", "--cdg", "words.cdg"]) == 0
    named = rawcd.open_image("named.raw")
    assert isinstance(named, rawcd.RegionImage)
    np.testing.assert_array_equal(packs_at(named, 0, 10)[:, 4:20], graphics[:40, 4:20])
    assert not packs_at(named, 400, 399).any()

    assert main(["build", "one.wav", "-o", "x.raw", "--cdg", "3=words.cdg"]) == 2
    assert "there is no track 3" in capfd.readouterr().err
    assert main(["build", "one.wav", "-o", "sheet.cue", "--cdg", "words.cdg"]) == 0
    sheet = rawcd.open_image("sheet.cue")
    assert isinstance(sheet, rawcd.RegionImage)
    np.testing.assert_array_equal(packs_at(sheet, 0, 10)[:, 4:20], graphics[:40, 4:20])
    assert main(["build", "one.wav", "-o", "x.iso", "--cdg", "words.cdg"]) == 1
    assert "iso cannot hold track 1: R-W subcode from LBA 0 on" in capfd.readouterr().err
    assert main(["build", "one.wav", "-o", "x.raw", "--cdg", "words.cdg", "--type", "pq"]) == 1
    assert "raw cannot hold track 1: R-W subcode from LBA 0 on" in capfd.readouterr().err
    assert main(["build", "one.wav", "-o", "words.cdg", "--cdg", "words.cdg", "--force"]) == 1
    assert not (tmp_path / "x.raw").exists()
    assert not (tmp_path / "x.iso").exists()


def test_everything_in_one_build_comes_back_from_the_file_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """SCMS, pre-emphasis, MCN, ISRC, indexes 2 to 5, two languages (one MS-JIS) and CD+G."""
    monkeypatch.chdir(tmp_path)
    creator = rawcd.RawCDImageCreator()
    creator.media_catalog_number = "4006381333931"
    creator.add_track(rawcd.SilenceSource(block_count=600))
    info = creator.track_info(1)
    info.isrc = "USRC17607839"
    info.digital_audio_copy_setting = rawcd.CopySetting.SCMS
    info.audio_has_preemphasis = True
    for offset in (100, 200, 300, 400):
        info.add_track_index(offset)
    english = (rawcd.TextItem(field="title", track=0, text="Song"),)
    japanese = (rawcd.TextItem(field="title", track=0, text="\u6b4c"),)
    creator.cdtext = rawcd.CDText(
        blocks=(
            rawcd.TextBlock(items=english),
            rawcd.TextBlock(language=0x69, charset=0x80, items=japanese),
        )
    )
    creator.resulting_image_type = ImageType.RAW
    graphics = packs(500, 5)
    image = with_graphics(creator.create_result_image(), {1: CdgFile(graphics.tobytes())})
    rawcd.save_image(image, "all.raw")

    assert main(["info", "all.raw", "--json"]) == 0
    about = json.loads(capfd.readouterr().out)
    (track,) = about["sessions"][0]["tracks"]
    assert about["mcn"] == "4006381333931"
    assert (track["copy"], track["pre_emphasis"], track["isrc"]) == ("scms", True, "USRC17607839")
    assert [(each["number"], each["lba"]) for each in track["indexes"]] == [
        (0, -150),
        (1, 0),
        (2, 100),
        (3, 200),
        (4, 300),
        (5, 400),
    ]
    assert [(block["language"], block["items"][0]["text"]) for block in about["cdtext"]] == [
        ("English", "Song"),
        ("Japanese", "\u6b4c"),
    ]
    assert about["rw"] == track["rw"] == ["TV_GRAPHICS"]
    assert about["notes"] == []
    assert main(["info", "all.raw"]) == 0
    words = capfd.readouterr().out
    for each in (
        "catalogue 4006381333931",
        "scms pre",
        "USRC17607839",
        "index 2 at 100, 3 at 200, 4 at 300, 5 at 400",
        "album     Song",
        "  Japanese (MS-JIS) album title: \u6b4c",
        "       R-W tv graphics",
    ):
        assert each in words
    opened = rawcd.open_image("all.raw")
    assert isinstance(opened, rawcd.RegionImage)
    np.testing.assert_array_equal(packs_at(opened, 0, 500)[:, 4:20], graphics[:, 4:20])
