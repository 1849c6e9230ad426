"""The option `sub`: subcode stored even where rawcd would make just that."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import rawcd
from rawcd import RawCDImageCreator, SilenceSource, UnsupportedError

if TYPE_CHECKING:
    from pathlib import Path

    from rawcd.image import RegionImage


def plain() -> RegionImage:
    creator = RawCDImageCreator()
    creator.add_track(SilenceSource(block_count=300))
    return creator.create_result_image().as_kind(rawcd.ImageType.RAW)


@pytest.mark.parametrize("name", ["ccd", "chd", "clone", "mds", "nrg"])
def test_subcode_is_there_when_it_was_asked_for(name: str, tmp_path: Path) -> None:
    path = tmp_path / f"a.{name}"
    rawcd.save_image(plain(), path, format=name, options={"sub": "yes"})
    opened = rawcd.open_image(path)
    assert isinstance(opened, rawcd.RegionImage)
    stored = [region for region in opened.sub if region.source is not None]
    assert sum(region.sectors for region in stored) >= 300
    assert opened.read(0, 300) == plain().read(0, 300)


@pytest.mark.parametrize("name", ["chd", "nrg"])
def test_it_is_yes_or_no(name: str, tmp_path: Path) -> None:
    with pytest.raises(UnsupportedError, match="the option sub is yes or no, not 'maybe'"):
        rawcd.save_image(plain(), tmp_path / "a", format=name, options={"sub": "maybe"})


@pytest.mark.parametrize("name", ["cue", "iso", "raw", "toc"])
def test_a_format_without_the_option_says_so(name: str, tmp_path: Path) -> None:
    with pytest.raises(UnsupportedError, match=f"the format {name} has no option 'sub'"):
        rawcd.save_image(
            plain(), tmp_path / "a", format=name, options={"sub": "yes"}, allow_loss=True
        )
    assert not list(tmp_path.iterdir())
