"""GDI sheets, as tools that read Dreamcast discs write them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rawcd.disc import Index, TrackMode
from rawcd.errors import FormatError, RawCDError, StorageError, UnsupportedError
from rawcd.image import main_sectors
from rawcd.plugins import open_image, recognised_format
from rawcd_formats.gdi import GdiFormat
from tests.contract.format_contract import FormatContract, folder
from tests.oracles.blocks import blank, blocks, sector
from tests.oracles.test_bin_cue import needs, run
from tests.strategies import noise_rows

if TYPE_CHECKING:
    from pathlib import Path

SHEET = "3\n1 0 4 2352 track01.bin 0\n2 170 0 2352 track02.raw 0\n3 45000 4 2048 track03.iso 0\n"
"""A sheet as the wiki shows one, the tracks short."""
ONE = b"".join(blocks("MODE1", 2352, 20))
THREE = blocks("MODE1", 2048, 31, seed=3)


def disc_in(place: Path, sheet: str = SHEET) -> Path:
    (place / "track01.bin").write_bytes(ONE)
    (place / "track02.raw").write_bytes(noise_rows(320).tobytes())
    (place / "track03.iso").write_bytes(b"".join(THREE))
    (place / "disc.gdi").write_bytes(sheet.encode())
    return place / "disc.gdi"


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("space", [" ", "    ", "\t"])
def test_a_disc(tmp_path: Path, end: str, space: str) -> None:
    path = disc_in(tmp_path, SHEET.replace("\n", end).replace(" ", space))
    assert recognised_format(path) == "gdi"
    image = open_image(path)
    low, high = image.disc.sessions
    assert [track.mode for track in image.disc.tracks] == [
        TrackMode.MODE1,
        TrackMode.AUDIO,
        TrackMode.MODE1,
    ]
    one, two = low.tracks
    assert one.indexes == (Index(number=0, lba=-150), Index(number=1, lba=0))
    assert two.indexes == (Index(number=0, lba=20), Index(number=1, lba=170))
    assert (low.lead_out_lba, low.lead_out_sectors, high.lead_in_lba) == (490, 6_750, 7_240)
    (three,) = high.tracks
    assert three.indexes == (Index(number=0, lba=44_850), Index(number=1, lba=45_000))
    assert main_sectors(image, 0, 20).tobytes() == ONE
    assert not main_sectors(image, 20, 150).any()
    assert main_sectors(image, 170, 320).tobytes() == noise_rows(320).tobytes()
    for lba in (0, 30):
        held = main_sectors(image, 45_000 + lba, 1).tobytes()
        assert held == sector("MODE1", THREE[lba], 45_000 + lba)
    assert main_sectors(image, 44_999, 1).tobytes() == blank("MODE1", 44_999)
    assert not image.notes


def test_names_with_blanks_in_quotes_and_without(tmp_path: Path) -> None:
    disc_in(tmp_path)
    (tmp_path / "track01.bin").rename(tmp_path / "a b 1.bin")
    for name in ('"a b 1.bin"', "a b 1.bin", "A B 1.BIN"):
        (tmp_path / "disc.gdi").write_text(SHEET.replace("track01.bin", name))
        assert open_image(tmp_path / "disc.gdi").disc.tracks[0].end_lba == 20


def test_an_offset_skips_bytes(tmp_path: Path) -> None:
    path = disc_in(tmp_path, SHEET.replace("track02.raw 0", f"track02.raw {20 * 2352}"))
    image = open_image(path)
    assert main_sectors(image, 170, 300).tobytes() == noise_rows(320).tobytes()[20 * 2352 :]


def test_a_header_tells_mode_2(tmp_path: Path) -> None:
    path = disc_in(tmp_path)
    (tmp_path / "track01.bin").write_bytes(b"".join(blocks("MODE2FORM1", 2352, 20)))
    image = open_image(path)
    assert image.disc.tracks[0].mode is TrackMode.MODE2
    assert main_sectors(image, 0, 20).tobytes() == b"".join(blocks("MODE2FORM1", 2352, 20))


def test_a_whole_high_density_area_is_larger_than_any_cd(tmp_path: Path) -> None:
    path = disc_in(tmp_path)
    with (tmp_path / "track03.iso").open("wb") as file:
        file.truncate(504_150 * 2048)
    with pytest.raises(UnsupportedError, match=r"reach LBA 549149, .*end at 404849"):
        open_image(path)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("3\n1", "x\n1", "line 1: its first line is no number of tracks"),
        ("3\n1", "4\n1", "line 1: it counts 4 tracks and has lines for 3"),
        ("3\n1", "2\n1", "it counts 2 tracks and has lines for 3"),
        ("2 170", "3 170", "line 3: track 3 stands where track 2 must"),
        ("2 170", "2 -5", "line 3: .* is no track"),
        ("2 170", "2 9999999999", "line 3: .* is no track"),
        ("170 0", "170 1", "type 1 is neither 0"),
        ("170 0 2352", "170 0 2048", "no such sectors of 2048 bytes"),
        ("0 4 2352", "0 4 2324", "no such sectors of 2324 bytes"),
        ("2 170", "2 19", "contradicts itself: track 2: its index addresses"),
        ("2 170", "2 45001", "contradicts itself"),
        ("1 0 4", "1 700 4", "contradicts itself"),
        ("track02.raw 0", "track02.raw 1", "from byte 1 on no whole number of sectors"),
        ("track02.raw 0", "track02.raw 999999999", "no whole number of sectors"),
        ("track01.bin 0", f"{'x' * 2000} 0", "is no track"),
    ],
)
def test_what_contradicts_itself_is_refused_with_the_line(
    tmp_path: Path, old: str, new: str, says: str
) -> None:
    with pytest.raises(FormatError, match=says):
        open_image(disc_in(tmp_path, SHEET.replace(old, new)))


def test_an_absurd_sheet_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = disc_in(tmp_path, SHEET + "\n" * 70_000)
    with pytest.raises(FormatError, match="too many for a GDI"):
        open_image(path)


@pytest.mark.parametrize("name", ["/etc/passwd", "../secret.bin", "C:\\secret.bin", "no.bin"])
def test_names_do_not_lead_out_of_the_folder(tmp_path: Path, name: str) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    (tmp_path / "secret.bin").write_bytes(noise_rows(20).tobytes())
    with pytest.raises(StorageError):
        open_image(disc_in(inner, SHEET.replace("track01.bin", name)))


def test_it_is_known_by_its_first_lines() -> None:
    assert GdiFormat().accepts("a.txt", SHEET.encode()) == 60
    assert GdiFormat().accepts("a.gdi", b"\xef\xbb\xbf" + SHEET.encode()) == 90
    assert GdiFormat().accepts("a.gdi", b"") == 40
    assert GdiFormat().accepts("a.txt", b"3\nrows\n") == 0


@given(st.data())
def test_any_text_loads_or_raises_our_errors(data: st.DataObject) -> None:
    with folder() as place:
        path = disc_in(place)
        whole = SHEET.encode()
        at = data.draw(st.integers(0, len(whole) - 1))
        path.write_bytes(whole[:at] + data.draw(st.binary(max_size=4)) + whole[at + 1 :])

        class Contract(FormatContract):
            name = "gdi"

        Contract().try_to_load(path)


@needs("chdman")
def test_chdman_reads_the_same_tracks(tmp_path: Path) -> None:
    path = disc_in(tmp_path)
    run("chdman", "createcd", "-f", "-i", "disc.gdi", "-o", "x.chd", folder=tmp_path)
    said = run("chdman", "info", "-i", "x.chd", folder=tmp_path)
    found = re.findall(r"TRACK:(\d) TYPE:(\w+) .*?FRAMES:(\d+)", said)
    tracks = open_image(path).disc.tracks
    assert [(int(number), kind) for number, kind, _ in found] == [
        (1, "MODE1_RAW"),
        (2, "AUDIO"),
        (3, "MODE1"),
    ]
    assert [track.number for track in tracks] == [1, 2, 3]


def test_a_foreign_error_never_comes_out(tmp_path: Path) -> None:
    (tmp_path / "a.gdi").write_bytes(b"1\n1 0 0 2352 \0 0\n")
    with pytest.raises(RawCDError):
        open_image(tmp_path / "a.gdi")
