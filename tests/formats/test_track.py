"""Files of one data track without a sheet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rawcd.disc import DiscType, Index, TrackMode
from rawcd.errors import FormatError, PluginError, UnsupportedError
from rawcd.image import main_sectors
from rawcd.plugins import format_for, load_format, open_image, recognised_format, save_image
from rawcd_formats.track import TrackFormat
from tests.contract.format_contract import FormatContract, folder, plain_disc
from tests.oracles.blocks import blank, blocks, sector
from tests.oracles.sectors import scrambled
from tests.strategies import image_of, noise_rows

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

KINDS = {"MODE_ZERO": 0, "MODE1": 1, "MODE2FORM0": 2, "MODE2FORM1": 2, "MODE2FORM2": 2}


def written(place: Path, data: bytes | Sequence[bytes], name: str = "a.bin") -> Path:
    (place / name).write_bytes(data if isinstance(data, bytes) else b"".join(data))
    return place / name


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["a.bin", "a.img", "a.xyz"])
def test_whole_sectors_tell_mode_and_address(tmp_path: Path, kind: str, name: str) -> None:
    held = blocks(kind, 2352, 40)
    path = written(tmp_path, held, name)
    assert recognised_format(path) == "track"
    image = open_image(path)
    (session,) = image.disc.sessions
    (track,) = session.tracks
    assert (track.mode, track.end_lba) == (TrackMode(KINDS[kind]), 40)
    assert track.indexes == (Index(number=0, lba=-150), Index(number=1, lba=0))
    assert session.disc_type is (DiscType.XA if track.mode == 2 else DiscType.CDDA_CDROM)
    assert main_sectors(image, 0, 40).tobytes() == b"".join(held)
    assert not image.notes


def test_sectors_as_on_the_disc(tmp_path: Path) -> None:
    held = blocks("MODE1", 2352, 40)
    image = open_image(written(tmp_path, [scrambled(each) for each in held]))
    assert main_sectors(image, 0, 40).tobytes() == b"".join(held)
    assert image.read(3, 1)[:2352] == scrambled(held[3])


@pytest.mark.parametrize("lba", [-150, -1, 1, 1_000])
def test_the_first_header_says_where_it_begins(tmp_path: Path, lba: int) -> None:
    held = blocks("MODE1", 2352, 200, lba=lba)
    image = open_image(written(tmp_path, held))
    (track,) = image.disc.tracks
    assert (track.start_lba, track.end_lba) == (max(lba, 0), lba + 200)
    assert main_sectors(image, lba, 200).tobytes() == b"".join(held)
    assert [note.code for note in image.notes] == ["track-begins-later"] * (lba > 0)
    if lba > 0:
        assert main_sectors(image, lba - 1, 1).tobytes() == blank("MODE1", lba - 1)


def test_subcode_behind_each_sector_is_kept(tmp_path: Path) -> None:
    """Noise: whoever stores right Q frames is taken for a complete image."""
    held = blocks("MODE1", 2352, 40)
    sub = noise_rows(40, 96)
    image = open_image(
        written(tmp_path, [each + sub[i].tobytes() for i, each in enumerate(held)], "a.bin")
    )
    assert main_sectors(image, 0, 40).tobytes() == b"".join(held)
    assert image.read(7, 1)[2352:] == sub[7].tobytes()


def test_blocks_without_header_are_known_by_their_subheaders(tmp_path: Path) -> None:
    held = blocks("MODE2MIXED", 2336, 40)
    path = written(tmp_path, held)
    assert recognised_format(path) == "track"
    image = open_image(path)
    assert image.disc.tracks[0].mode is TrackMode.MODE2
    for lba in (0, 39):
        assert main_sectors(image, lba, 1).tobytes()[16:] == held[lba]
        assert main_sectors(image, lba, 1).tobytes() == sector("MODE2FORM0", held[lba], lba)


def mixed() -> list[bytes]:
    return [*blocks("MODE1", 2352, 20), *[bytes(2352)] * 20]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"".join(blocks("MODE1", 2352, 20))[:-1], "19 sectors of 2352 bytes .* remainder of 2351"),
        (b"".join(mixed()), "last should be that of LBA 39, and it has none: .*give the sheet"),
        (
            b"".join([*blocks("MODE1", 2352, 20), *blocks("MODE1", 2352, 20, lba=21)]),
            "is that of LBA 40, mode 1",
        ),
        (
            b"".join([*blocks("MODE1", 2352, 20), *blocks("MODE2FORM1", 2352, 20, lba=20)]),
            "is that of LBA 39, mode 2",
        ),
        (b"".join(blocks("MODE1", 2352, 20, lba=404_825)), "makes no disc: the disc reaches"),
        (b"".join(blocks("MODE1", 2352, 20, lba=-150)), "makes no disc: .*do not rise"),
        (b"".join(blocks("MODE2FORM1", 2336, 20))[:-1], "neither sync patterns nor subheaders"),
        (bytes(2336 * 20), "neither sync patterns nor subheaders"),
        (b"", "neither sync patterns nor subheaders"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, data: bytes, says: str) -> None:
    with pytest.raises(FormatError, match=says) as caught:
        open_image(written(tmp_path, data), format="track")
    assert caught.value.file == str(tmp_path / "a.bin")


def test_sound_is_none_of_its_business(tmp_path: Path) -> None:
    sound = noise_rows(100).tobytes()
    assert TrackFormat().accepts("a.bin", sound[:65_536]) == 0
    assert TrackFormat().accepts("a.bin", bytes(65_536)) == 0
    with pytest.raises(FormatError, match="no format recognises it"):
        open_image(written(tmp_path, sound))


@given(st.binary(max_size=5_000), st.integers(0, 2_352 * 3), st.integers(0, 7))
def test_any_bytes_load_or_raise_one_of_three_errors(junk: bytes, at: int, bit: int) -> None:
    sectors = bytearray(b"".join(blocks("MODE1", 2352, 3)) + junk[:2])
    sectors[at % len(sectors)] ^= 1 << bit

    class Contract(FormatContract):
        name = "track"

    with folder() as place:
        for data in (junk, bytes(sectors)):
            Contract().try_to_load(written(place, data))


@pytest.mark.parametrize("name", ["track", "gdi", "scram", "cdi"])
def test_what_is_only_read_is_never_written(tmp_path: Path, name: str) -> None:
    image = image_of(plain_disc())
    chosen = load_format(name)
    for suffix in chosen.suffixes:
        with pytest.raises(UnsupportedError, match=f"format {name} are read and never written"):
            save_image(image, tmp_path / f"a{suffix}")
    with pytest.raises(UnsupportedError, match="never written"):
        save_image(image, tmp_path / "a.x", format=name, allow_loss=True)
    with pytest.raises(UnsupportedError, match="only read"):
        chosen.save(image, None, {}, None)  # type: ignore[arg-type]  # never looked at
    assert not list(tmp_path.iterdir())
    with pytest.raises(PluginError, match="no format has the suffix"):
        format_for("a.xyz")
