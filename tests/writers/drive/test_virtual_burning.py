"""Discs burned on the virtual recorder are the discs that were sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rawcd
from rawcd import ImageType, RawCDImageCreator, SectorType
from rawcd.toc import drive_cue_sheet
from rawcd_writers.drive.virtual import VirtualRecorder, blank_named
from rawcd_writers.drive.virtual.pages import WriteParameters, WriteType
from tests.strategies import discs, image_of
from tests.writers.drive.virtual_host import Host, read_cd, write_10

if TYPE_CHECKING:
    from pathlib import Path

    from rawcd.disc import Disc
    from rawcd.image import RegionImage

BLANK, APPENDABLE, COMPLETE = 0, 1, 2


def sound(sectors: int, seed: int) -> np.ndarray[tuple[int, int], np.dtype[np.int16]]:
    rng = np.random.default_rng(seed)
    return rng.integers(-20_000, 20_000, (588 * sectors, 2), dtype=np.int16)


def data(sectors: int, seed: int, size: int = 2048) -> bytes:
    return np.random.default_rng(seed).integers(0, 256, sectors * size, dtype=np.uint8).tobytes()


def creator(kind: ImageType = ImageType.RAW) -> RawCDImageCreator:
    made = RawCDImageCreator()
    made.resulting_image_type = kind
    return made


def audio_disc(kind: ImageType = ImageType.RAW) -> RegionImage:
    made = creator(kind)
    made.media_catalog_number = "4006381333931"
    first = made.add_track(sound(400, 1))
    made.track_info(first).isrc = "USRC17607839"
    made.track_info(first).add_track_index(120)
    made.add_track(sound(350, 2), pregap=75)
    third = made.add_track(sound(310, 3), pregap=0)
    made.track_info(third).digital_audio_copy_setting = rawcd.CopySetting.SCMS
    return made.create_result_image()


def mixed_disc() -> RegionImage:
    made = creator()
    made.add_track(data(320, 4), sector_type=SectorType.MODE1)
    made.add_track(sound(330, 5), pregap=150)
    return made.create_result_image()


def xa_disc() -> RegionImage:
    made = creator()
    made.disc_type = rawcd.DiscType.XA
    made.add_track(data(340, 6), sector_type=SectorType.MODE2FORM1)
    return made.create_result_image()


DISCS = {"audio": audio_disc, "mixed": mixed_disc, "xa": xa_disc}


@pytest.mark.parametrize("name", DISCS)
def test_a_raw_burn_keeps_every_byte(name: str, tmp_path: Path) -> None:
    image = DISCS[name]()
    drive = VirtualRecorder(tmp_path / "disc.raw", blank=blank_named("cdr-short"))
    host = Host(drive)
    assert host.disc_status() == (BLANK, 0)
    host.burn_raw(image)
    assert host.disc_status()[0] == COMPLETE
    drive.close()
    kept = rawcd.open_image(tmp_path / "disc.raw")
    assert kept.disc.tracks == image.disc.tracks
    assert kept.disc.mcn == image.disc.mcn
    first = kept.first_lba
    assert first == -4650
    count = kept.sector_count
    assert first + count == image.first_lba + image.sector_count
    for lba in range(first, first + count, 1000):
        n = min(1000, first + count - lba)
        assert kept.read(lba, n) == image.read(lba, n), lba


@pytest.mark.parametrize("kind", [ImageType.PQ_ONLY, ImageType.COOKED])
def test_other_block_types_are_the_same_disc(kind: ImageType, tmp_path: Path) -> None:
    image = audio_disc(kind)
    host = Host(VirtualRecorder(tmp_path / "disc.raw", blank=blank_named("cdr-short")))
    host.burn_raw(image, block_type=kind)
    kept = rawcd.open_image(tmp_path / "disc.raw")
    assert kept.read(-150, 1500) == image.as_kind(ImageType.RAW).read(-150, 1500)


@pytest.mark.parametrize("name", DISCS)
def test_a_session_at_once_is_the_disc_of_its_sheet(name: str, tmp_path: Path) -> None:
    image = DISCS[name]()
    drive = VirtualRecorder(tmp_path / "disc.raw", blank=blank_named("cdr-short"))
    host = Host(drive)
    host.burn_sao(image)
    assert host.disc_status()[0] == COMPLETE
    kept = rawcd.open_image(tmp_path / "disc.raw")
    assert kept.disc.tracks == image.disc.tracks
    end = image.first_lba + image.sector_count
    first = -4650
    if name == "xa":  # what a drive fills its own sectors with is form 2, the creator takes form 1
        first, end = 0, image.disc.sessions[0].lead_out_lba
    # P and Q are the drive's, by the same rules: the whole disc is the image again.
    assert kept.read(first, end - first) == image.with_lead_in(-4650).read(first, end - first)


@settings(max_examples=12, deadline=None)
@given(discs(lead_ins=(-22_650, -5_000), titles=False), st.booleans())
def test_any_disc_is_burned_in_any_cuts(disc: Disc, raw: bool) -> None:
    image = image_of(disc)
    drive = VirtualRecorder(blank=blank_named("cdr-short"))
    host = Host(drive)
    if raw:
        host.burn_raw(image, blocks=313)
    else:
        host.burn_sao(image)
    assert drive.medium is not None
    assert drive.medium.disc is not None
    assert drive.medium.disc.tracks == disc.tracks
    assert drive.medium.disc.mcn == disc.mcn
    end = disc.end_lba if raw else disc.sessions[-1].lead_out_lba
    kept = drive.medium.store.read(-150, end + 150)
    assert kept.tobytes() == image.read(-150, end + 150)
    # Where index follows index, no frame is free for a code for more than a hundred sectors.
    assert set(drive.remarks) <= {"sparse-catalogue-number", "sparse-isrc"}
    drive.close()


def test_what_the_sheet_leaves_to_the_drive_is_made_by_it(tmp_path: Path) -> None:
    image = audio_disc()
    sheet = bytearray(drive_cue_sheet(image.disc))
    for row in range(0, len(sheet), 8):
        if bytes(sheet[row : row + 3]) in (b"\x01\x01\0", b"\x01\x02\0"):
            sheet[row + 3] = 0x01  # both pregaps: no bytes come for them
    host = Host(VirtualRecorder(tmp_path / "disc.raw", blank=blank_named("cdr-short")))
    host.select(WriteParameters(write_type=WriteType.SAO, block_type=0))
    host.run(b"\x5d" + bytes(5) + len(sheet).to_bytes(3, "big") + b"\0", bytes(sheet))
    assert host.sense(write_10(-150, 1), bytes(2352)) == (5, 0x21, 2)
    gap = image.disc.tracks[1].first_lba
    host.write(0, gap, rawcd.main_sectors(image, 0, gap).tobytes())
    start = image.disc.tracks[1].start_lba
    assert host.next_address() == start
    count = image.disc.sessions[0].lead_out_lba - start
    host.write(start, count, rawcd.main_sectors(image, start, count).tobytes())
    host.run("35000000000000000000")
    kept = rawcd.open_image(tmp_path / "disc.raw")
    assert kept.disc.tracks == image.disc.tracks
    assert not rawcd.main_sectors(kept, gap, start - gap).any()
    assert kept.read(0, gap) == image.read(0, gap)


def test_a_test_write_records_nothing(tmp_path: Path) -> None:
    path = tmp_path / "disc.raw"
    host = Host(VirtualRecorder(path, blank=blank_named("cdr-short")))
    host.burn_raw(audio_disc(), test=True)
    host.burn_sao(audio_disc(), test=True)
    assert host.disc_status() == (BLANK, 0)
    assert path.stat().st_size == 0
    host.burn_raw(audio_disc())
    assert host.disc_status()[0] == COMPLETE


def test_tracks_at_once_in_two_sessions(tmp_path: Path) -> None:
    path = tmp_path / "disc.raw"
    first, second, third = sound(300, 1).tobytes(), data(400, 2), data(350, 3)
    drive = VirtualRecorder(path, blank=blank_named("cdrw-short"))
    host = Host(drive)

    def track(number: int, content: bytes, *, audio: bool, multi_session: int) -> int:
        size = 2352 if audio else 2048
        host.select(
            WriteParameters(
                write_type=WriteType.TAO,
                control=0 if audio else 4,
                block_type=0 if audio else 8,
                multi_session=multi_session,
            )
        )
        lba = start = host.next_address()
        for at in range(0, len(content), 25 * size):
            piece = content[at : at + 25 * size]
            host.write(lba, len(piece) // size, piece)
            lba += len(piece) // size
        host.run("35000000000000000000")  # ends the track; to close it then does no harm
        host.run(bytes([0x5B, 0, 1, 0, 0, number, 0, 0, 0, 0]))
        return start

    assert track(1, first, audio=True, multi_session=3) == 0
    assert track(2, second, audio=False, multi_session=3) == 300 + 152
    assert host.disc_status() == (APPENDABLE, 1)
    host.run("5b000200000000000000")
    assert host.disc_status() == (APPENDABLE, 0)
    drive.close()
    drive = VirtualRecorder(path)
    assert drive.medium is not None
    assert drive.medium.blank.name == "cdrw-short"
    host = Host(drive)
    lead_out = 300 + 152 + 402
    assert track(3, third, audio=False, multi_session=0) == lead_out + 11_400
    host.run("5b000200000000000000")
    assert host.disc_status() == (COMPLETE, 3)
    assert host.run(read_cd(0, 300), data_in=300 * 2352) == first
    assert host.run(read_cd(452, 400, 0x10), data_in=400 * 2048) == second
    assert host.run(read_cd(lead_out + 11_400, 350, 0x10), data_in=350 * 2048) == third
    kept = rawcd.open_image(path)
    assert [len(session.tracks) for session in kept.disc.sessions] == [2, 1]
    assert not kept.disc.appendable
    host.run("a1000000000000000000000 0".replace(" ", ""))
    assert host.disc_status() == (BLANK, 0)
