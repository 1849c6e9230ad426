"""What the README says of descriptions is the schema's, and its examples make what it tells."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from rawcd import CopySetting, RawCDImageCreator, RegionImage, save_image
from rawcd.cdg import MemoryPreset, write_cdg
from rawcd.disc import DiscType
from rawcd.fileset import InputFiles
from rawcd.filesystem import DiscBlocks, StoredVolume
from rawcd_formats.description import TomlFormat
from rawcd_formats.description.schema import documentation

README = (Path(__file__).parent.parent.parent / "README.md").read_text(encoding="utf-8")
SECTION = README.partition("## Discs described in TOML\n")[2].partition("\n## ")[0]
EXAMPLES = re.findall(r"```toml\n(.*?)```", SECTION, re.DOTALL)


def test_the_tables_are_those_of_the_schema() -> None:
    assert README.partition("## Reference: descriptions\n")[2].endswith("\n\n" + documentation())


def test_every_example_is_run() -> None:
    assert len(EXAMPLES) == 3


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The sources of the examples."""
    import soundfile

    samples = np.random.default_rng(2).integers(-99, 99, (588 * 800, 2)).astype(np.int16)
    for name in ("01.flac", "02.flac", "song.flac"):
        soundfile.write(tmp_path / name, samples, 44_100)
    write_cdg(str(tmp_path / "song.cdg"), [MemoryPreset(colour=1)])
    for name in ("extra", "news", "old"):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}.txt").write_text(name)
    creator = RawCDImageCreator()
    creator.appendable = True
    creator.add_folder(tmp_path / "old")
    save_image(creator.create_result_image(), tmp_path / "first.raw")
    return tmp_path


def example(folder: Path, number: int) -> RegionImage:
    (folder / "disc.toml").write_text(EXAMPLES[number], encoding="utf-8")
    return TomlFormat().load(InputFiles(folder / "disc.toml"))


def last_volume(image: RegionImage) -> tuple[str, list[str]]:
    blocks = DiscBlocks(image)
    volume = StoredVolume(blocks, lba=blocks.session_starts()[-1])
    return volume.volume_id, [path for path, _ in volume.tree().walk()]


def test_the_album(folder: Path) -> None:
    disc = example(folder, 0).disc
    assert disc.mcn == "4006381333931"
    assert disc.cdtext is not None
    assert disc.cdtext.text("performer", 0) == "The Band"
    assert disc.cdtext.text("title", 1) == "Dawn"
    two = disc.track(2)
    assert (two.pregap_sectors, two.copy) == (0, CopySetting.SCMS)
    assert two.indexes[-1].lba - two.start_lba == 5 * 75


def test_the_enhanced_disc(folder: Path) -> None:
    image = example(folder, 1)
    assert image.disc.cdtext is not None
    assert [block.text("title", 1) for block in image.disc.cdtext.blocks] == [
        "The song",
        "Das Lied",
    ]
    assert image.disc.sessions[1].disc_type is DiscType.XA
    assert last_volume(image) == ("SONGS", ["/extra.txt"])
    assert any(image.read(0, 1)[2_352:])


def test_the_further_session(folder: Path) -> None:
    image = example(folder, 2)
    assert last_volume(image) == ("NEWS", ["/news.txt", "/old.txt"])
    assert len(image.disc.sessions) == 2
    assert image.disc.appendable
