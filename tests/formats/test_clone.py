"""Sectors with subcode and a binary table of contents: laws, a table packed by hand, refusals."""

from __future__ import annotations

import shutil
import struct
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rawcd.disc import CopySetting, Index, TrackMode
from rawcd.errors import FormatError, StorageError, UnsupportedError
from rawcd.image import RegionImage, main_sectors
from rawcd.plugins import open_image, recognised_format, save_image
from rawcd_formats.clone import CloneFormat
from tests.contract.format_contract import MAY_RAISE, folder, plain_disc, scaled
from tests.contract.recorded_contract import RecordedContract, opened
from tests.oracles.blocks import blocks, sector
from tests.oracles.sectors import scrambled
from tests.recordings import BareImage, assert_same_program, recorded, two_sessions
from tests.strategies import noise_rows

FIXTURES = Path(__file__).parent.parent.parent / "fixtures" / "clone"


class TestContract(RecordedContract):
    name = "clone"
    endings = (".clone", ".clone.toc")
    openable = endings
    most_sessions = 1

    def small_image(self) -> RegionImage:
        return recorded(plain_disc(mcn="2000000001234"))


# -- laws --------------------------------------------------------------------------------------


@settings(max_examples=scaled(60))
@given(st.data())
def test_mutated_tables_load_or_raise_one_of_three_errors(data: st.DataObject) -> None:
    held = bytearray((FIXTURES / "mixed.toc").read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(held) - 1))
        held[at : at + 1] = data.draw(st.binary(max_size=2))
        if not held:
            return
    with folder() as place:
        (place / "a").write_bytes(bytes(2448 * 1_200))
        (place / "a.toc").write_bytes(held)
        for name in ("a", "a.toc"):
            with suppress(*MAY_RAISE):
                image = open_image(place / name, format="clone")
                assert len(image.read(0, 1)) == 2448


# -- pairs of others ---------------------------------------------------------------------------


def mode_1(lba: int, count: int) -> bytes:
    return b"".join(
        sector("MODE1", block, lba + i) for i, block in enumerate(blocks("MODE1", 2048, count))
    )


def sectors_2448(main: bytes) -> bytes:
    rows = np.frombuffer(main, np.uint8).reshape(-1, 2352)
    return np.hstack([rows, np.zeros((len(rows), 96), np.uint8)]).tobytes()


@pytest.mark.parametrize("name", ["Some disc", "disc.bin"])
@pytest.mark.parametrize("padding", [b"", b"\0"], ids=["cdrkit", "cdrtools"])
def test_a_mixed_disc(tmp_path: Path, name: str, padding: bytes) -> None:
    data, noise = mode_1(0, 450), noise_rows(750).tobytes()
    toc = (FIXTURES / "mixed.toc").read_bytes() + padding
    (tmp_path / f"{name}.toc").write_bytes(toc)
    (tmp_path / name).write_bytes(sectors_2448(data + noise))
    assert recognised_format(tmp_path / f"{name}.toc") == "clone"
    image = opened(tmp_path / f"{name}.toc")
    one, two, three = image.disc.tracks
    assert (one.mode, one.start_lba, one.end_lba) == (TrackMode.MODE1, 0, 600)
    assert two.indexes == (Index(number=1, lba=600),)
    assert (three.start_lba, three.end_lba) == (900, 1_200)
    assert three.copy is CopySetting.PERMITTED
    assert image.read(7, 1)[:2352] == scrambled(data[7 * 2352 : 8 * 2352])
    assert main_sectors(image, 450, 750).tobytes() == noise
    assert [note.code for note in image.notes] == ["subcode-blank"]


@pytest.mark.parametrize(
    ("kind", "mode"),
    [(0x11, TrackMode.MODE0), (0x21, TrackMode.MODE1), (0x32, TrackMode.MODE2), (0, None)],
    ids=["mode 0", "mode 1", "mode 2", "none"],
)
def test_the_sector_type_counts_where_no_header_tells(
    tmp_path: Path, kind: int, mode: TrackMode | None
) -> None:
    toc = (FIXTURES / "mixed.toc").read_bytes()[:-2] + bytes([kind, 0])
    (tmp_path / "a.toc").write_bytes(toc)
    (tmp_path / "a").write_bytes(bytes(2448 * 1_200))
    image = opened(tmp_path / "a.toc")
    assert image.disc.tracks[0].mode is (TrackMode.MODE1 if mode is None else mode)
    assert ("mode" in [note.code for note in image.notes]) is (mode is None)


def test_what_is_written_is_what_mmc_says(tmp_path: Path) -> None:
    """Packed by hand from MMC's table, for a disc of two tracks of sound."""
    save_image(recorded(plain_disc()), tmp_path / "a.clone")
    rows = [
        (1, 0x10, 0, 0xA0, 0, 0, 0, 0, 1, 0, 0),
        (1, 0x10, 0, 0xA1, 0, 0, 0, 0, 2, 0, 0),
        (1, 0x10, 0, 0xA2, 0, 0, 0, 0, 0, 10, 0),
        (1, 0x10, 0, 1, 0, 0, 0, 0, 0, 2, 0),
        (1, 0x10, 0, 2, 0, 0, 0, 0, 0, 6, 0),
    ]
    body = b"".join(struct.pack("11B", *row) for row in rows)
    expected = struct.pack(">HBB", 57, 1, 1) + body + bytes(2)
    assert (tmp_path / "a.clone.toc").read_bytes() == expected
    assert (tmp_path / "a.clone").stat().st_size == 600 * 2448


def test_the_table_s_name_may_be_asked_for(tmp_path: Path) -> None:
    result = save_image(recorded(plain_disc()), tmp_path / "disc.toc", format="clone")
    assert {path.name for path in result.files} == {"disc", "disc.toc"}
    assert opened(tmp_path / "disc.toc").disc == plain_disc()


def test_only_the_first_session_is_written(tmp_path: Path) -> None:
    image = two_sessions()
    with pytest.raises(UnsupportedError, match="session"):
        save_image(image, tmp_path / "a.clone")
    save_image(image, tmp_path / "a.clone", allow_loss=True)
    found = opened(tmp_path / "a.clone")
    assert found.disc.sessions[0].tracks == image.disc.sessions[0].tracks
    assert len(found.disc.sessions) == 1


def test_a_pair_of_several_sessions_lies_at_its_addresses(tmp_path: Path) -> None:
    """As libMirage reads it: a sector's place is its LBA, the gap between sessions included."""
    image = two_sessions()
    first, second = image.disc.sessions
    rows = [image.read(lba, 1) for lba in range(second.lead_out_lba)]
    (tmp_path / "a").write_bytes(b"".join(rows))
    start, end = second.tracks[0].start_lba + 150, second.lead_out_lba + 150
    items = [
        (1, 0x10, 0, 0xA0, 0, 0, 0, 0, 1, 0, 0),
        (1, 0x10, 0, 0xA2, 0, 0, 0, 0, 0, 6, 0),
        (1, 0x10, 0, 1, 0, 0, 0, 0, 0, 2, 0),
        (2, 0x10, 0, 0xA0, 0, 0, 0, 0, 2, 0, 0),
        (2, 0x10, 0, 0xA2, 0, 0, 0, 0, end // 4500, end // 75 % 60, end % 75),
        (2, 0x10, 0, 2, 0, 0, 0, 0, start // 4500, start // 75 % 60, start % 75),
    ]
    body = b"".join(struct.pack("11B", *item) for item in items)
    (tmp_path / "a.toc").write_bytes(struct.pack(">HBB", len(body) + 2, 1, 2) + body + bytes(2))
    found = opened(tmp_path / "a.toc")
    assert found.disc == image.disc
    assert first.end_lba == second.lead_in_lba
    assert_same_program(image, found)


# -- what is refused ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at", "new", "words"),
    [
        (0, b"\1", "a length of 324"),
        (4 + 22 + 3, b"\xa3", "A2h, the start of the lead-out, is missing"),
        (4 + 33 + 3, b"\2", "A0h tells of track 1, the tracks go from 2 to 3"),
        (4 + 33 + 2, b"\1", "TNO is not zero"),
        (4 + 22 + 9, b"\x4b", "seconds to 59"),
        (4 + 22 + 9, b"\x04", "contradicts itself"),
        (4 + 22 + 8, b"\xc8", "no place in two digits"),
        (4 + 11 * 5, b"\3", "A1h tells of track 3, the tracks go from 1 to 2"),
    ],
)
def test_a_table_that_contradicts_itself(tmp_path: Path, at: int, new: bytes, words: str) -> None:
    toc = bytearray((FIXTURES / "mixed.toc").read_bytes())
    toc[at : at + 1] = new
    (tmp_path / "a.toc").write_bytes(toc)
    (tmp_path / "a").write_bytes(bytes(2448 * 1_200))
    with pytest.raises(FormatError, match=words) as caught:
        open_image(tmp_path / "a", format="clone")
    assert caught.value.file == str(tmp_path / "a.toc")


def test_sectors_fewer_than_the_table_tells(tmp_path: Path) -> None:
    shutil.copy(FIXTURES / "mixed.toc", tmp_path / "a.toc")
    (tmp_path / "a").write_bytes(bytes(2448 * 1_200 - 1))
    with pytest.raises(FormatError, match=r"has 1199 sectors .* tells of 1200; .*cut short"):
        open_image(tmp_path / "a.toc")


def test_a_table_that_is_too_large(tmp_path: Path) -> None:
    (tmp_path / "a.toc").write_bytes(bytes(2**20))
    (tmp_path / "a").write_bytes(bytes(2448))
    with pytest.raises(FormatError, match="too many for a table"):
        open_image(tmp_path / "a", format="clone")


def test_half_a_pair(tmp_path: Path) -> None:
    shutil.copy(FIXTURES / "mixed.toc", tmp_path / "a.toc")
    with pytest.raises(StorageError, match="'a'"):
        open_image(tmp_path / "a.toc")
    (tmp_path / "b.clone").write_bytes(bytes(2448))
    with pytest.raises(StorageError, match=r"b\.clone\.toc"):
        open_image(tmp_path / "b.clone")


def test_it_is_known_by_its_table() -> None:
    head = (FIXTURES / "mixed.toc").read_bytes()
    clone = CloneFormat()
    assert clone.accepts("a.toc", head) > clone.accepts("a.bin", head) > 0
    for other in (b"CD_DA\nTRACK AUDIO\n", head[:-5], head + bytes(2), b"\0\x02\1\1", b""):
        assert clone.accepts("a.toc", other) == 0


def test_a_stranger_s_image_is_written_too(tmp_path: Path) -> None:
    image = recorded(plain_disc())
    save_image(BareImage(image), tmp_path / "a.clone")
    save_image(image, tmp_path / "b.clone")
    for suffix in (".clone", ".clone.toc"):
        assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()
