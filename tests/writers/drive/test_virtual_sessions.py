"""What page 05h and the cue sheet have the recorder make itself: lead-ins, and R-W out of packs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from rawcd.source import ArraySource
from rawcd.subcode.streams import DeinterleavedPacks, InterleavedPacks
from rawcd.toc import FORM_PACKED_RW, drive_cue_sheet
from rawcd_writers.drive.virtual import VirtualRecorder, blank_named
from rawcd_writers.drive.virtual.pages import WriteParameters, WriteType
from tests.writers.drive.burning import album, two_sessions
from tests.writers.drive.virtual_host import CLOSE_SESSION, SYNC, Host, read_cd

if TYPE_CHECKING:
    from pathlib import Path

    from rawcd.image import RegionImage
    from rawcd.source import Bytes2D

FULL_TOC = "43000200000000100000"
COMPLETE, APPENDABLE = (2, 3), (1, 0)


def points(host: Host, session: int) -> dict[int, tuple[bytes, int, bytes]]:
    """READ TOC format 2: time, zero byte and value of a session's items of mode 5, by POINT."""
    data = host.run(FULL_TOC, data_in=4096)
    items = [data[at : at + 11] for at in range(4, len(data), 11)]
    return {
        each[3]: (each[4:7], each[7], each[8:11])
        for each in items
        if each[0] == session and each[1] >> 4 == 5
    }


def sao(host: Host, image: RegionImage, number: int, multi_session: int) -> None:
    """Write one session of an image at once."""
    session = image.disc.sessions[number - 1]
    host.select(
        WriteParameters(write_type=WriteType.SAO, block_type=0, multi_session=multi_session)
    )
    sheet = drive_cue_sheet(image.disc, number)
    host.run(b"\x5d" + bytes(5) + len(sheet).to_bytes(3, "big") + b"\0", sheet)
    for track in session.tracks:
        size = 2352 if track.is_audio else 2048
        for lba in range(track.first_lba, track.end_lba, 26):
            count = min(26, track.end_lba - lba)
            host.write(lba, count, bytes(count * size))
    host.run(SYNC)


def fresh(path: Path | None = None) -> Host:
    return Host(VirtualRecorder(path, blank=blank_named("cdr-short")))


@pytest.mark.parametrize(
    ("bits", "status", "b0"),
    [
        (0, COMPLETE, None),
        (1, COMPLETE, b"\xff\xff\xff"),
        (3, APPENDABLE, None),  # an address: below
    ],
)
@pytest.mark.parametrize("way", ["sao", "tao"])
def test_multi_session_bits_make_the_pointers_of_a_first_session(
    bits: int, status: tuple[int, int], b0: bytes | None, way: str
) -> None:
    host, image = fresh(), album()
    if way == "sao":
        sao(host, image, 1, bits)
    else:
        host.select(
            WriteParameters(write_type=WriteType.TAO, block_type=0, control=0, multi_session=bits)
        )
        host.write(host.next_address(), 26, bytes(26 * 2352))
        host.run(SYNC)
        host.run(CLOSE_SESSION)
    assert host.disc_status() == status
    found = points(host, 1)
    assert set(found) == ({0xB0, 0xC0} if bits else set())
    if not bits:
        return
    medium = host.drive.medium
    assert medium is not None
    assert medium.disc is not None
    end = medium.disc.sessions[0].lead_out_lba + 6750 + 4500  # as redbook: 11,250 behind
    minute, rest = divmod(end + 150, 60 * 75)
    address = bytes([minute, *divmod(rest, 75)])
    time, count, last = found[0xB0]
    assert (time, count) == (b0 or address, 2)
    assert last == bytes([79, 59, 74])
    assert found[0xC0][2] == bytes([99, 0, 0])


@pytest.mark.parametrize(("bits", "b0"), [(0, None), (1, b"\xff\xff\xff")])
def test_the_last_session_has_a_pointer_where_the_page_wants_one(
    bits: int, b0: bytes | None, tmp_path: Path
) -> None:
    host, image = fresh(tmp_path / "disc"), two_sessions()
    sao(host, image, 1, 3)
    assert host.disc_status() == APPENDABLE
    sao(host, image, 2, bits)
    assert host.disc_status() == COMPLETE
    assert points(host, 1)[0xB0][0] != b"\xff\xff\xff", "what was recorded stays"
    found = points(host, 2)
    assert {point: each[:2] for point, each in found.items()} == ({0xB0: (b0, 1)} if b0 else {})
    host.drive.close()
    again = Host(VirtualRecorder(tmp_path / "disc"))
    assert again.disc_status() == COMPLETE
    assert points(again, 2) == found


def test_the_lead_in_of_several_sessions_is_found_again_by_its_frames(tmp_path: Path) -> None:
    """The order of READ TOC format 2: A0 to A2, the tracks, then mode 5."""
    host, image = fresh(tmp_path / "disc"), two_sessions()
    sao(host, image, 1, 3)
    sao(host, image, 2, 1)
    data = host.run(FULL_TOC, data_in=4096)
    items = [(data[at], data[at + 3]) for at in range(4, len(data), 11)]
    first = [0xA0, 0xA1, 0xA2, 1, 0xB0, 0xC0]
    second = [0xA0, 0xA1, 0xA2, 2, 0xB0]
    assert items == [*((1, point) for point in first), *((2, point) for point in second)]


# -- packed R-W -----------------------------------------------------------------------------------


def packed_sheet(image: RegionImage) -> bytes:
    return drive_cue_sheet(image.disc, rw_form=FORM_PACKED_RW)


def write_packed(host: Host, image: RegionImage, packs: Bytes2D, step: int = 26) -> None:
    """Write silence with packs session at once, DATA FORM C0h."""
    host.select(WriteParameters(write_type=WriteType.SAO, block_type=2))
    sheet = packed_sheet(image)
    assert {row[3] for row in np.frombuffer(sheet, np.uint8).reshape(-1, 8)[5:-1]} == {0xC0}
    host.run(b"\x5d" + bytes(5) + len(sheet).to_bytes(3, "big") + b"\0", sheet)
    for start in range(0, len(packs), step):
        part = packs[start : start + step]
        blocks = np.hstack([np.zeros((len(part), 2352), np.uint8), part])
        host.write(start - 150, len(part), blocks.tobytes())
    host.run(SYNC)


def tv_packs(sectors: int) -> Bytes2D:
    """Packs of CD+G with anything in them; parity is left to the drive, bits 7 and 6 to nobody."""
    packs = np.random.default_rng(11).integers(0, 256, (sectors * 4, 24), np.uint8)
    packs[:, 0] = 0xC9
    return packs.reshape(sectors, 96)


def test_packed_r_to_w_gets_parity_and_interleave_up_to_its_last_symbol() -> None:
    host, image = fresh(), album()
    end = image.disc.sessions[0].lead_out_lba
    sectors = end + 150
    packs = tv_packs(sectors)
    write_packed(host, image, packs)
    assert not host.drive.remarks
    medium = host.drive.medium
    assert medium is not None
    recorded = medium.store.read(-150, sectors + 4)[:, 2352:] & 0x3F
    line = np.zeros((sectors + 4, 96), np.uint8)
    line[:sectors] = packs & 0x3F
    expected = InterleavedPacks(ArraySource(line, block_size=96)).read(0, sectors + 4)
    assert recorded.tobytes() == expected
    assert recorded[sectors : sectors + 2].any(), "the delay reaches into the lead-out"
    back = DeinterleavedPacks(ArraySource(recorded, block_size=96)).read(0, sectors)
    kept = np.ones(24, bool)
    kept[2:4] = kept[20:24] = False  # Q and P parity
    assert (
        np.frombuffer(back, np.uint8).reshape(-1, 24)[:, kept]
        == line[:sectors].reshape(-1, 24)[:, kept]
    ).all()


def test_read_cd_gives_packed_r_to_w_back() -> None:
    host, image = fresh(), album()
    sectors = image.disc.sessions[0].lead_out_lba + 150
    packs = tv_packs(sectors)
    write_packed(host, image, packs, step=7)
    data = host.run(read_cd(sectors - 160, 10, sub=4), data_in=10 * 2448)
    read = np.frombuffer(data, np.uint8).reshape(10, 2448)[:, 2352:].reshape(-1, 24)
    sent = packs[-10:].reshape(-1, 24) & 0x3F
    for symbols in (slice(0, 2), slice(4, 20)):
        assert (read[:, symbols] == sent[:, symbols]).all()


def test_a_refused_write_leaves_the_interleave_as_it_was() -> None:
    whole, torn = fresh(), fresh()
    image = album()
    sectors = image.disc.sessions[0].lead_out_lba + 150
    packs = tv_packs(sectors)
    write_packed(whole, image, packs)
    torn.select(WriteParameters(write_type=WriteType.SAO, block_type=2))
    sheet = packed_sheet(image)
    torn.run(b"\x5d" + bytes(5) + len(sheet).to_bytes(3, "big") + b"\0", sheet)
    blocks = np.hstack([np.zeros((sectors, 2352), np.uint8), packs])
    torn.write(-150, 20, blocks[:20].tobytes())
    short = blocks[20:25].tobytes()[:-1]
    assert torn.sense(bytes.fromhex("2a00ffffff7e00000500"), short)[0] == 5
    torn.write(-130, sectors - 20, blocks[20:].tobytes())
    torn.run(SYNC)
    one, other = whole.drive.medium, torn.drive.medium
    assert one is not None
    assert other is not None
    assert (one.store.read(-150, sectors + 4) == other.store.read(-150, sectors + 4)).all()


def test_packs_of_a_kind_that_nobody_knows_are_remarked_upon() -> None:
    host, image = fresh(), album()
    sectors = image.disc.sessions[0].lead_out_lba + 150
    packs = np.zeros((sectors, 96), np.uint8)
    packs[5, 24] = 0x3F
    write_packed(host, image, packs)
    assert host.drive.remarks == {"unknown-pack": (-145, 1)}


def test_a_form_that_is_in_no_table_is_refused_by_name() -> None:
    """wodim sends DATA FORM FCh for `-xa`: bits 5 to 0 are 3Ch, which MMC does not have."""
    host, image = fresh(), album()
    sheet = bytearray(drive_cue_sheet(image.disc))
    row = next(at for at in range(0, len(sheet), 8) if sheet[at] & 15 == 1 and sheet[at + 1] == 1)
    sheet[row + 3] = 0xFC
    host.select(WriteParameters(write_type=WriteType.SAO, block_type=0))
    cdb = b"\x5d" + bytes(5) + len(sheet).to_bytes(3, "big") + b"\0"
    assert host.sense(cdb, bytes(sheet)) == (5, 0x26, 0)
    assert "there is no form FCh" in host.drive.complaints[-1]
