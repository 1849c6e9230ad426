"""READ CD gives back what was burned, in each form; sessions, reserved tracks, text and R-W."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
import pytest

import rawcd
from rawcd import ImageType, RawCDImageCreator, SectorType
from rawcd.cdtext import CDText, TextBlock, TextItem, lead_in_symbols
from rawcd.subcode import with_parity
from rawcd.toc import drive_cue_sheet
from rawcd_writers.drive.virtual import VirtualRecorder, blank_named
from rawcd_writers.drive.virtual.pages import WriteParameters, WriteType
from tests.writers.drive.test_virtual_burning import audio_disc, creator, data, mixed_disc, sound
from tests.writers.drive.virtual_host import SYNC, Host, read_cd

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LEAD_IN = -4650


@contextmanager
def recorder(blank: str = "cdr-short", path: Path | None = None) -> Iterator[Host]:
    drive = VirtualRecorder(path, blank=blank_named(blank))
    try:
        yield Host(drive)
    finally:
        drive.close()


def tao(kind: int, **more: int) -> WriteParameters:
    return WriteParameters(
        write_type=WriteType.TAO,
        control=4 if kind else 0,
        block_type=kind,
        multi_session=more.get("multi_session", 0),
        session_format=more.get("session_format", 0),
    )


def test_every_form_of_read_cd() -> None:
    image = mixed_disc()
    with recorder() as host:
        host.burn_raw(image)
        plain = rawcd.main_sectors(image, 10, 5)
        whole = np.frombuffer(image.read(10, 5), np.uint8).reshape(5, 2448)

        def read(parts: int, sub: int = 0, expected: int = 0) -> np.ndarray:
            data = host.run(read_cd(10, 5, parts, sub, expected), data_in=5 * 2744)
            return np.frombuffer(data, np.uint8).reshape(5, -1)

        assert (read(0xF8) == plain).all()
        assert (read(0xF8, expected=2) == plain).all()
        assert (read(0x10) == plain[:, 16:2064]).all()
        assert (read(0x20) == plain[:, 12:16]).all()
        assert (read(0xA0) == plain[:, :16]).all()
        assert (read(0x18) == plain[:, 16:]).all()
        assert (read(0xF8, 1)[:, 2352:] == whole[:, 2352:]).all()
        with_errors = read(0xFA, 1)
        assert with_errors.shape[1] == 2352 + 294 + 96
        assert not with_errors[:, 2352:2646].any()
        assert (with_errors[:, 2646:] == whole[:, 2352:]).all()
        q = read(0xF8, 2)[:, 2352:]
        frames = np.packbits(whole[:, 2352:] & 0x40, axis=1)
        assert (q[:, :12] == frames).all()
        assert host.sense(read_cd(10, 5, 0xF8, 0, 1)) == (5, 0x64, 0), "it is no sound"
        assert host.sense(read_cd(10, 5, 0xFE)) == (5, 0x24, 0)
        assert host.sense(read_cd(-151, 1)) == (5, 0x21, 0)
        lead_out = image.disc.sessions[0].lead_out_lba
        assert host.sense(read_cd(lead_out, 1)) == (5, 0x21, 0)
        msf = bytes([0xB9, 0, 0, 0, 2, 10, 0, 2, 15, 0xF8, 0, 0])
        assert host.run(msf, data_in=5 * 2352) == plain.tobytes()
        ten = bytes.fromhex("28000000000a00000500")
        assert host.run(ten, data_in=5 * 2048) == plain[:, 16:2064].tobytes()


def test_a_read_across_a_change_of_mode_gives_each_sector_whole() -> None:
    image = mixed_disc()
    sound_track = image.disc.tracks[1]
    with recorder() as host:
        host.burn_raw(image)
        lba = sound_track.first_lba - 3
        got = host.run(read_cd(lba, 6), data_in=6 * 2352)
        assert got == rawcd.main_sectors(image, lba, 6).tobytes()


def test_packed_subcode_is_interleaved_and_comes_back(tmp_path: Path) -> None:
    made = creator(ImageType.COOKED)
    made.add_track(sound(300, 1))
    packs = np.random.default_rng(5).integers(0, 64, (made.raw_sector_count * 4, 24), np.uint8)
    packs = with_parity(packs)
    made.add_subcode_rw_generator(packs.tobytes())
    image = made.create_result_image()
    with recorder(path=tmp_path / "disc.raw") as host:
        host.burn_raw(image, block_type=2)
        got = host.run(read_cd(20, 8, 0x00, 4), data_in=8 * 96)
        first = (20 - image.first_lba) * 4
        assert got == packs[first : first + 32].tobytes()
    kept = rawcd.open_image(tmp_path / "disc.raw")
    with recorder() as host:  # the same as raw P-W, which the drive leaves alone
        host.burn_raw(kept)  # type: ignore[arg-type]  # any image will do
        assert host.run(read_cd(20, 8, 0x00, 4), data_in=8 * 96) == got


def test_cd_text_in_the_lead_in_of_a_session_at_once(tmp_path: Path) -> None:
    image = audio_disc()
    items = tuple(
        TextItem(field="title", track=number, text=text)
        for number, text in enumerate(("Album", "One", "Two", "Three"))
    )
    text = CDText(blocks=(TextBlock(items=items),))
    packs = text.to_packs(first_track=1, last_track=3)
    symbols = lead_in_symbols(packs)
    sheet = bytearray(drive_cue_sheet(image.disc))
    row = sheet.index(b"\x01\0\0\x01")
    sheet[row + 3] |= 0x40
    with recorder(path=tmp_path / "disc.raw") as host:
        host.select(WriteParameters(write_type=WriteType.SAO, block_type=0))
        host.run(b"\x5d" + bytes(5) + len(sheet).to_bytes(3, "big") + b"\0", bytes(sheet))
        stream = (symbols * (4500 * 96 // len(symbols) + 1))[: 4500 * 96]
        for lba in range(LEAD_IN, -150, 500):
            at = (lba - LEAD_IN) * 96
            host.write(lba, 500, stream[at : at + 500 * 96])
        end = image.disc.sessions[0].lead_out_lba
        for lba in range(-150, end, 25):
            count = min(25, end - lba)
            host.write(lba, count, rawcd.main_sectors(image, lba, count).tobytes())
        host.run(SYNC)
        told = host.run("43000500000000100000"[:20], data_in=4096)
        assert told[4:] == packs
    kept = rawcd.open_image(tmp_path / "disc.raw")
    assert kept.disc.cdtext is not None
    assert kept.disc.cdtext.text("title", 2) == "Two"
    assert kept.disc.tracks == image.disc.tracks


@pytest.mark.parametrize(
    ("kind", "size", "form"),
    [(9, 2336, 3), (10, 2048, 4), (11, 2056, 4), (12, 2324, 5), (13, 2332, 4)],
)
def test_tracks_at_once_of_mode_2(kind: int, size: int, form: int) -> None:
    blocks = np.frombuffer(data(300, kind, size), np.uint8).reshape(300, size).copy()
    subheader = bytes.fromhex("0000080000000800")
    if kind in (11, 13):
        blocks[:, :8] = np.frombuffer(subheader, np.uint8)
    with recorder() as host:
        host.select(tao(kind, session_format=0 if kind == 9 else 0x20))
        host.write(0, 300, blocks.tobytes())
        host.run(SYNC)
        host.run("5b000200000000000000")
        user = {9: blocks, 10: blocks, 11: blocks[:, 8:], 12: blocks, 13: blocks[:, 8:2056]}[kind]
        got = host.run(read_cd(0, 300, 0x10, 0, form), data_in=300 * 2336)
        rows = np.frombuffer(got, np.uint8).reshape(300, -1)
        assert (rows[:, : user.shape[1]] == user).all()
        sectors = np.frombuffer(host.run(read_cd(0, 300), data_in=300 * 2352), np.uint8).reshape(
            300, 2352
        )
        sector_type = (SectorType.MODE2FORM0, SectorType.MODE2FORM1, SectorType.MODE2FORM2)
        assert not rawcd.sector.verify(sectors, 0, sector_type[form - 3]).any()


def test_a_reserved_track_is_written_later() -> None:
    with recorder() as host:
        host.select(tao(8))
        host.run(bytes([0x53, 0, 0, 0, 0]) + (400).to_bytes(4, "big") + b"\0")
        later = host.next_address()
        assert later == 402 + 150
        host.write(later, 300, data(300, 2))
        host.run(SYNC)
        assert host.sense("5b000200000000000000") == (5, 0x72, 4), "track 1 is empty"
        host.write(0, 350, data(350, 1))
        assert host.sense("5b000200000000000000") == (5, 0x2C, 0), "it is being written"
        host.run("5b000100000100000000")
        host.run("5b000200000000000000")
        assert host.run(read_cd(0, 350, 0x10), data_in=350 * 2048) == data(350, 1)
        assert host.run(read_cd(later, 300, 0x10), data_in=300 * 2048) == data(300, 2)


@pytest.mark.parametrize("second", ["raw", "tao"])
def test_a_session_raw_and_another_behind_it(second: str, tmp_path: Path) -> None:
    path = tmp_path / "disc.raw"
    album = creator()
    album.appendable = True
    album.add_track(sound(300, 1))
    first = album.create_result_image()
    extra = RawCDImageCreator(after=first)
    extra.resulting_image_type = ImageType.RAW
    extra.add_track(data(320, 2), sector_type=SectorType.MODE1)
    whole = extra.create_result_image()
    with recorder(path=path) as host:
        host.burn_raw(first)
        assert host.disc_status() == (1, 0)
        start = whole.disc.sessions[1].lead_in_lba
        if second == "raw":
            host.select(WriteParameters(write_type=WriteType.RAW, block_type=3))
            assert host.next_address() == start
            end = whole.first_lba + whole.sector_count
            for lba in range(start, end, 500):
                count = min(500, end - lba)
                host.write(lba, count, whole.read(lba, count))
            host.run(SYNC)
        else:
            host.select(tao(8))
            assert host.next_address() == whole.disc.tracks[1].start_lba
            host.write(whole.disc.tracks[1].start_lba, 320, data(320, 2))
            host.run(SYNC)
            host.run("5b000200000000000000")
        assert host.disc_status() == (2, 3)
        full = host.run("43000200000000100000"[:20], data_in=4096)
        assert full[2:4] == bytes([1, 2])
    kept = rawcd.open_image(path)
    assert [len(session.tracks) for session in kept.disc.sessions] == [1, 1]
    lba = whole.disc.tracks[1].start_lba
    assert rawcd.main_sectors(kept, lba, 320)[:, 16:2064].tobytes() == data(320, 2)
    if second == "raw":
        assert kept.disc.sessions[1].tracks == whole.disc.sessions[1].tracks
