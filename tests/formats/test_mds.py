"""Alcohol's MDS and MDF: laws, sheets packed by hand, and what is refused."""

from __future__ import annotations

import shutil
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rawcd.disc import CopySetting, DiscType, TrackMode
from rawcd.errors import FormatError, StorageError, UnsupportedError
from rawcd.image import RegionImage, main_sectors
from rawcd.plugins import open_image, save_image
from rawcd_formats.mds import MdsFormat
from tests.contract.format_contract import MAY_RAISE, folder, plain_disc, scaled
from tests.contract.recorded_contract import RecordedContract, opened
from tests.oracles.blocks import blank, blocks, sector
from tests.oracles.mds import Entry, mds
from tests.oracles.sectors import scrambled
from tests.recordings import BareImage, recorded, two_sessions, with_subcode_noise
from tests.strategies import noise_rows

FIXTURES = Path(__file__).parent.parent.parent / "fixtures" / "mds"


class TestContract(RecordedContract):
    name = "mds"
    endings = (".mds", ".mdf")
    openable = (".mds",)

    def small_image(self) -> RegionImage:
        return recorded(plain_disc(mcn="2000000001234"))


# -- laws --------------------------------------------------------------------------------------


@settings(max_examples=scaled(60))
@given(st.data())
def test_mutated_fields_load_or_raise_one_of_three_errors(data: st.DataObject) -> None:
    held = bytearray((FIXTURES / "mixed.mds").read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(16, len(held) - 4))
        word = data.draw(st.sampled_from([0, 1, 0xFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF]))
        width = data.draw(st.sampled_from([1, 2, 4]))
        held[at : at + width] = (word & (256**width - 1)).to_bytes(width, "little")
    with folder() as place:
        (place / "a.mds").write_bytes(held)
        (place / "a.mdf").write_bytes(bytes(2448 * 1_200))
        with suppress(*MAY_RAISE):
            image = open_image(place / "a.mds")
            for lba in (0, 449, 600, 1_199):
                with suppress(*MAY_RAISE, ValueError):
                    image.read(lba, 1)


# -- MDS of others -----------------------------------------------------------------------------

TRACKS = (
    Entry(number=1, mode="mode1", control=4, start=0, sectors=450, pregap=150, offset=0),
    Entry(number=2, mode="audio", control=0, start=600, sectors=300, pregap=150, offset=2448 * 600),
    Entry(number=3, mode="audio", control=2, start=900, sectors=300, offset=2448 * 900),
)


def mode_1(lba: int, count: int) -> bytes:
    return b"".join(
        sector("MODE1", block, lba + i) for i, block in enumerate(blocks("MODE1", 2048, count))
    )


def sectors_2448(main: bytes, sub: bytes | None = None) -> bytes:
    rows = np.frombuffer(main, np.uint8).reshape(-1, 2352)
    subs = np.zeros((len(rows), 96), np.uint8)
    if sub is not None:
        subs = np.frombuffer(sub, np.uint8).reshape(-1, 96)
    return np.hstack([rows, subs]).tobytes()


def test_the_fixture_is_what_the_recipe_makes() -> None:
    assert (FIXTURES / "mixed.mds").read_bytes() == mds([(-150, 1_200, list(TRACKS))])


def test_a_mixed_disc(tmp_path: Path) -> None:
    data, noise = mode_1(0, 450), noise_rows(750).tobytes()
    shutil.copy(FIXTURES / "mixed.mds", tmp_path / "Some disc.mds")
    (tmp_path / "Some disc.mdf").write_bytes(sectors_2448(data + noise))
    image = opened(tmp_path / "Some disc.mds")
    one, two, three = image.disc.tracks
    assert (one.mode, one.start_lba, one.end_lba) == (TrackMode.MODE1, 0, 450)
    assert [(index.number, index.lba) for index in two.indexes] == [(0, 450), (1, 600)]
    assert (three.copy, three.pregap_sectors) == (CopySetting.PERMITTED, 0)
    assert image.disc.sessions[0].lead_out_lba == 1_200
    assert image.read(7, 1)[:2352] == scrambled(data[7 * 2352 : 8 * 2352])
    assert main_sectors(image, 450, 750).tobytes() == noise
    assert [note.code for note in image.notes] == ["subcode-blank"]


def test_2352_bytes_a_sector(tmp_path: Path) -> None:
    tracks = [
        replace(track, size=2352, subcode=0, offset=track.offset // 2448 * 2352) for track in TRACKS
    ]
    (tmp_path / "a.mds").write_bytes(mds([(-150, 1_200, tracks)], version=(1, 5)))
    data = mode_1(0, 450) + noise_rows(750).tobytes()
    (tmp_path / "a.mdf").write_bytes(data)
    image = opened(tmp_path / "a.mds")
    assert main_sectors(image, 0, 1_200).tobytes() == data
    assert image.disc.tracks[1].pregap_sectors == 150
    assert image.notes == ()


def test_a_pregap_that_the_file_does_not_hold_is_made(tmp_path: Path) -> None:
    tracks = [
        TRACKS[0],
        replace(TRACKS[1], offset=2448 * 450),
        replace(TRACKS[2], offset=2448 * 750),
    ]
    (tmp_path / "a.mds").write_bytes(mds([(-150, 1_200, tracks)]))
    main = mode_1(0, 450) + noise_rows(600).tobytes()
    (tmp_path / "a.mdf").write_bytes(sectors_2448(main))
    image = opened(tmp_path / "a.mds")
    assert main_sectors(image, 0, 450).tobytes() == main[: 2352 * 450]
    assert not main_sectors(image, 450, 150).any()
    assert main_sectors(image, 600, 600).tobytes() == main[2352 * 450 :]


def test_a_file_for_each_track(tmp_path: Path) -> None:
    names = ("one.mdf", "TWO.MDF", "three.mdf")
    tracks = [
        replace(track, names=(name,), wide=False, offset=0)
        for track, name in zip(TRACKS, names, strict=True)
    ]
    (tmp_path / "a.mds").write_bytes(mds([(-150, 1_200, tracks)]))
    parts = [mode_1(0, 450), noise_rows(300).tobytes(), noise_rows(300, seed=2).tobytes()]
    for name, part in zip(("one.mdf", "two.mdf", "three.mdf"), parts, strict=True):
        (tmp_path / name).write_bytes(sectors_2448(part))
    image = opened(tmp_path / "a.mds")
    assert main_sectors(image, 0, 450).tobytes() == parts[0]
    assert main_sectors(image, 600, 600).tobytes() == parts[1] + parts[2]
    assert len(image.files) == 4
    assert [note.code for note in image.notes] == ["file-name", "subcode-blank"]


@pytest.mark.parametrize("cut", [1, 2048 * 300, 2448 * 600 + 7])
def test_a_track_in_several_files(tmp_path: Path, cut: int) -> None:
    """Files of a few hundred megabytes each, cut wherever they were full."""
    tracks = [replace(track, names=("a.mdf", "a.md1", "a.md2")) for track in TRACKS]
    (tmp_path / "a.mds").write_bytes(mds([(-150, 1_200, tracks)]))
    main = mode_1(0, 450) + noise_rows(750).tobytes()
    whole = sectors_2448(main)
    (tmp_path / "a.mdf").write_bytes(whole[:cut])
    (tmp_path / "a.md1").write_bytes(whole[cut : 2 * cut])
    (tmp_path / "a.md2").write_bytes(whole[2 * cut :])
    image = opened(tmp_path / "a.mds")
    assert main_sectors(image, 0, 1_200).tobytes() == main
    save_image(image, tmp_path / "b.raw", options={"jobs": "2"})
    assert main_sectors(open_image(tmp_path / "b.raw"), 0, 1_200).tobytes() == main


@pytest.mark.parametrize(
    ("mode", "size", "kind"),
    [("mode1", 2048, "MODE1"), ("form1", 2048, "MODE2FORM1"), ("mode2", 2336, "MODE2FORM0")],
)
def test_user_data_alone(tmp_path: Path, mode: str, size: int, kind: str) -> None:
    track = replace(TRACKS[0], mode=mode, size=size, subcode=0)
    (tmp_path / "a.mds").write_bytes(mds([(-150, 450, [track])], disc_type=0x20))
    held = blocks(kind, size, 450)
    (tmp_path / "a.mdf").write_bytes(b"".join(held))
    image = opened(tmp_path / "a.mds")
    for lba in (0, 449):
        assert main_sectors(image, lba, 1).tobytes() == sector(kind, held[lba], lba)


def test_two_sessions(tmp_path: Path) -> None:
    second = Entry(
        number=4,
        mode="mode2",
        control=4,
        start=12_600,
        sectors=400,
        pregap=150,
        offset=2448 * 1_200,
    )
    data = mds([(-150, 1_200, list(TRACKS)), (12_450, 13_000, [second])], disc_type=0x20)
    (tmp_path / "a.mds").write_bytes(data)
    rows = b"".join(
        sector("MODE2MIXED", block, 12_600 + i)
        for i, block in enumerate(blocks("MODE2MIXED", 2336, 400))
    )
    (tmp_path / "a.mdf").write_bytes(sectors_2448(mode_1(0, 450) + bytes(2352 * 750) + rows))
    image = opened(tmp_path / "a.mds")
    one, two = image.disc.sessions
    assert (one.end_lba, two.program_lba, two.lead_out_lba) == (7_950, 12_450, 13_000)
    assert two.disc_type is DiscType.XA
    assert two.tracks[0].mode is TrackMode.MODE2
    assert main_sectors(image, 12_600, 400).tobytes() == rows
    assert main_sectors(image, 12_450, 1).tobytes() == blank("MODE2MIXED", 12_450)


# -- what is refused ---------------------------------------------------------------------------


def changed(at: int, new: bytes) -> bytes:
    held = bytearray(mds([(-150, 1_200, list(TRACKS))]))
    held[at : at + len(new)] = new
    return bytes(held)


TRACK_1 = 88 + 24 + 3 * 80


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (changed(0, b"X"), "no signature"),
        (changed(16, b"\2"), "version 2.3 is unknown or encrypted"),
        (changed(18, b"\x10"), "of a DVD"),
        (changed(20, b"\0"), "0 sessions"),
        (changed(80, b"\xff\xff\xff\xff"), "a session reaches beyond"),
        (changed(88 + 20, b"\xff\xff\xff\x7f"), "a track block reaches beyond"),
        (changed(88 + 10, b"\3"), "without a track"),
        (changed(TRACK_1 + 1, b"\4"), "subcode of kind 04h"),
        (changed(TRACK_1 + 9, b"\xc8"), "no place in two digits"),
        (changed(TRACK_1 + 12, b"\xff\xff\xff"), "an extent reaches beyond"),
        (changed(TRACK_1 + 16, b"\1\1"), "sectors of 257 bytes"),
        (changed(TRACK_1 + 48, b"\0"), "in 0 files"),
        (changed(TRACK_1 + 48, b"\xff\xff"), "in 65535 files"),
        (changed(TRACK_1 + 52, b"\xff\xff\xff"), "a file name reaches beyond"),
        (changed(TRACK_1 + 80 + 36, b"\x64\0"), "stored twice"),
        (changed(TRACK_1 + 47, b"\x7f"), "cut short"),
    ],
)
def test_what_contradicts_itself(tmp_path: Path, data: bytes, words: str) -> None:
    (tmp_path / "a.mds").write_bytes(data)
    (tmp_path / "a.mdf").write_bytes(sectors_2448(bytes(2352 * 1_200)))
    with pytest.raises(FormatError, match=words) as caught:
        open_image(tmp_path / "a.mds", format="mds")
    assert caught.value.file in (str(tmp_path / "a.mds"), str(tmp_path / "a.mdf"))


def test_a_file_shorter_than_the_mds_says(tmp_path: Path) -> None:
    shutil.copy(FIXTURES / "mixed.mds", tmp_path / "a.mds")
    (tmp_path / "a.mdf").write_bytes(bytes(2448 * 1_200 - 1))
    with pytest.raises(FormatError, match=r"has 299 sectors .* track 3 needs 300: .*cut short"):
        open_image(tmp_path / "a.mds")


@pytest.mark.parametrize("name", ["../out.mdf", "/etc/out.mdf", "C:\\out.mdf", "..\\out.mdf"])
def test_names_that_leave_the_folder(tmp_path: Path, name: str) -> None:
    (tmp_path / "out.mdf").write_bytes(bytes(2448 * 1_200))
    place = tmp_path / "in"
    place.mkdir()
    tracks = [replace(track, names=(name,)) for track in TRACKS]
    (place / "a.mds").write_bytes(mds([(-150, 1_200, tracks)]))
    with pytest.raises(StorageError, match="lies outside"):
        open_image(place / "a.mds")


def test_an_mds_of_more_than_a_mebibyte(tmp_path: Path) -> None:
    (tmp_path / "a.mds").write_bytes(changed(0, b"M") + bytes(2**20))
    with pytest.raises(FormatError, match="too many for a sheet"):
        open_image(tmp_path / "a.mds")


def test_an_mds_cannot_take_its_data_s_name(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedError, match="name of its own data"):
        save_image(two_sessions(), tmp_path / "a.mdf", format="mds")
    assert not list(tmp_path.iterdir())


def test_it_is_known_by_its_signature() -> None:
    head = (FIXTURES / "mixed.mds").read_bytes()
    assert MdsFormat().accepts("a.bin", head) > MdsFormat().accepts("a.mds", b"junk") > 0
    assert MdsFormat().accepts("a.bin", b"junk") == 0


def test_a_stranger_s_image_is_written_too(tmp_path: Path) -> None:
    image = two_sessions()
    save_image(BareImage(image), tmp_path / "a.mds")
    save_image(image, tmp_path / "b.mds")
    for suffix in (".mds", ".mdf"):
        assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()


def test_what_only_a_sheet_tells_is_not_lost_in_silence(tmp_path: Path) -> None:
    """Recorded subcode without MCN, which a CloneCD sheet has: an MDS has no place for it."""
    image = with_subcode_noise(recorded(plain_disc()))
    save_image(image, tmp_path / "a.ccd")
    sheet = (tmp_path / "a.ccd").read_bytes()
    sheet = sheet.replace(b"CDTextLength=0", b"CDTextLength=0\r\nCATALOG=2000000001234")
    (tmp_path / "a.ccd").write_bytes(sheet)
    found = opened(tmp_path / "a.ccd")
    assert found.disc.mcn == "2000000001234"
    with pytest.raises(UnsupportedError, match="media catalogue number"):
        save_image(found, tmp_path / "b.mds")
    save_image(found, tmp_path / "c.ccd")
    assert opened(tmp_path / "c.ccd").disc == found.disc
