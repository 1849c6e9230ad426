"""Commands: against those that other burners sent, and under PYSCSI's own facade."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rawcd_writers.drive import mmc
from rawcd_writers.drive.pages import BlockType, WriteParameters, WriteType

if TYPE_CHECKING:
    from collections.abc import Callable

    from rawcd_writers.drive.command import Command


def made_again(name: str, cdb: bytes) -> Command[Any]:
    """Build a command with the fields that a captured CDB has, read by hand."""
    long, short = int.from_bytes(cdb[7:9]), cdb[4]
    lba = int.from_bytes(cdb[2:6], signed=True)
    control, page = mmc.PageControl(cdb[2] >> 6), cdb[2] & 0x3F
    toc: dict[int, Callable[..., Command[Any]]] = {
        0: mmc.read_toc,
        1: mmc.read_session_info,
        4: mmc.read_atip,
    }
    makers: dict[str, Callable[[], Command[Any]]] = {
        "TEST UNIT READY": mmc.test_unit_ready,
        "INQUIRY": lambda: mmc.inquiry(int.from_bytes(cdb[3:5])),
        "MODE SELECT(6)": lambda: mmc.mode_select_6(bytes([5]) + bytes(short - 5)),
        "MODE SELECT(10)": lambda: mmc.mode_select(bytes([5]) + bytes(long - 9)),
        "MODE SENSE(6)": lambda: mmc.mode_sense_6(page, short, control=control),
        "MODE SENSE(10)": lambda: mmc.mode_sense(page, long, control=control),
        "START STOP UNIT": lambda: mmc.start_stop(mmc.Motion(cdb[4]), immediate=cdb[1] == 1),
        "PREVENT ALLOW MEDIUM REMOVAL": lambda: mmc.prevent_allow(prevent=cdb[4] == 1),
        "READ CAPACITY": mmc.read_capacity,
        "WRITE(10)": lambda: mmc.write(lba, long, b""),
        "SYNCHRONIZE CACHE(10)": lambda: mmc.synchronize_cache(immediate=cdb[1] == 2),
        "READ TOC/PMA/ATIP": lambda: toc[cdb[2]](length=long),
        "GET CONFIGURATION": lambda: mmc.get_configuration(
            int.from_bytes(cdb[2:4]), which=mmc.Which(cdb[1]), length=long
        ),
        "READ DISC INFORMATION": lambda: mmc.read_disc_information(long),
        "READ TRACK INFORMATION": lambda: mmc.read_track_information(lba, length=long),
        "SEND OPC INFORMATION": mmc.send_opc,
        "READ BUFFER CAPACITY": lambda: mmc.read_buffer_capacity(long),
        "SEND CUE SHEET": lambda: mmc.send_cue_sheet(bytes(int.from_bytes(cdb[6:9]))),
        "GET PERFORMANCE": lambda: (
            mmc.get_write_speeds(int.from_bytes(cdb[8:10]))
            if cdb[10] == 3
            else mmc.get_performance(int.from_bytes(cdb[8:10]))
        ),
        "SET CD SPEED": lambda: mmc.set_cd_speed(
            read_speed=int.from_bytes(cdb[2:4]), write_speed=int.from_bytes(cdb[4:6])
        ),
    }
    return makers[name]()


def test_every_captured_command_is_built_as_it_was_sent(vectors: dict[str, Any]) -> None:
    assert len(vectors["cdb_examples"]) == 67
    for example in vectors["cdb_examples"]:
        sent = bytes.fromhex(example["cdb"])
        command = made_again(example["name"], sent)
        assert command.cdb.hex() == sent.hex(), example["name"]
        assert command.name == example["name"]


@pytest.mark.parametrize(
    ("command", "cdb"),
    [
        (mmc.request_sense(18), "030000001200"),
        (mmc.read(16, 1), "28000000001000000100"),
        (mmc.write_12(-150, 26, b""), "aa00ffffff6a0000001a0000"),
        (mmc.write(-150, 26, b"", at_once=True), "2a08ffffff6a00001a00"),
        (mmc.read_sub_channel(3, track=7, msf=True), "42024003000007001800"),
        (mmc.read_full_toc(1, 4), "43020200000001000400"),
        (mmc.read_pma(4), "43020300000000000400"),
        (mmc.read_cd_text(4), "43000500000000000400"),
        (mmc.get_event_status(), "4a010000100000000800"),
        (
            mmc.read_track_information(-150, address_type=mmc.AddressType.LBA),
            "5200ffffff6a00002400",
        ),
        (mmc.reserve_track(300_000), "5300000000000493e000"),
        (mmc.close(mmc.Closing.TRACK, 2, immediate=True), "5b010100000200000000"),
        (mmc.close(mmc.Closing.SESSION), "5b000200000000000000"),
        (mmc.blank(mmc.Blanking.MINIMAL, immediate=True), "a11100000000000000000000"),
        (mmc.set_streaming(bytes(28)), "b60000000000000000001c00"),
        (
            mmc.read_cd(-150, 27, errors=mmc.ErrorSelection.C2, sub=mmc.SubSelection.RAW),
            "be00ffffff6a00001bfa0100",
        ),
        (
            mmc.read_cd_msf((0, 2, 0), (0, 2, 16), sub=mmc.SubSelection.Q),
            "b90000000200000210f80200",
        ),
    ],
    ids=str,
)
def test_the_other_commands_follow_the_table(command: Command[Any], cdb: str) -> None:
    assert command.cdb.hex() == cdb


def test_read_cd_makes_room_for_all_that_was_asked_for() -> None:
    sizes = {
        (errors, sub): mmc.read_cd(0, 3, errors=errors, sub=sub).data_in
        for errors in mmc.ErrorSelection
        for sub in mmc.SubSelection
    }
    assert sizes[mmc.ErrorSelection.NONE, mmc.SubSelection.NONE] == 3 * 2352
    assert sizes[mmc.ErrorSelection.C2, mmc.SubSelection.RAW] == 3 * (2352 + 294 + 96)
    assert sizes[mmc.ErrorSelection.C2_AND_BLOCK, mmc.SubSelection.Q] == 3 * (2352 + 296 + 16)
    assert sizes[mmc.ErrorSelection.NONE, mmc.SubSelection.RW] == 3 * (2352 + 96)
    command = mmc.read_cd_msf((0, 2, 0), (0, 2, 16), sub=mmc.SubSelection.Q)
    assert command.data_in == 16 * (2352 + 16)


@given(st.integers(-45_150, 404_849), st.integers(0, 65_535))
def test_an_address_goes_out_and_comes_back_with_its_sign(lba: int, blocks: int) -> None:
    cdb = mmc.write(lba, blocks, b"").cdb
    assert int.from_bytes(cdb[2:6], signed=True) == lba
    assert int.from_bytes(cdb[7:9]) == blocks


def test_what_a_field_cannot_say_is_refused() -> None:
    with pytest.raises(ValueError, match=r"WRITE\(10\) cannot say"):
        mmc.write(0, 65_536, b"")
    with pytest.raises(ValueError, match="cannot say"):
        mmc.write(1 << 31, 1, b"")


class Device:
    """What PYSCSI's facade needs of a device."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.opcodes: Any = None
        self.devicetype: Any = None
        self.sent: list[bytes] = []

    def execute(self, command: Any) -> None:
        self.sent.append(bytes(command.cdb))
        assert isinstance(command.dataout, bytearray)
        command.datain[: len(self.data)] = self.data


def test_a_pyscsi_device_executes_our_commands() -> None:
    from pyscsi.pyscsi.scsi_enum_command import spc

    answer = bytes([5, 0x80, 0, 0x21, 31, 0, 0, 0]) + b"ACME    Burner 52       1.0 "
    device = Device(answer)
    device.opcodes = spc
    command = mmc.inquiry()
    device.execute(command)
    command.unmarshall()
    assert command.result is not None
    assert (command.result.vendor, command.result.product) == ("ACME", "Burner 52")
    assert device.sent == [bytes.fromhex("120000002400")]
    sheet = mmc.send_cue_sheet(bytes(range(16)))
    device.execute(sheet)
    assert sheet.dataout == bytes(range(16))


def test_threads_do_not_write_into_each_others_commands() -> None:
    """PYSCSI keeps the layout on the class; ours keep nothing there."""
    wrong: list[str] = []

    def build(start: int) -> None:
        for lba in range(start, start + 300):
            writing, asking = mmc.write(lba, 26, b""), mmc.read_track_information(lba & 0xFF)
            if int.from_bytes(writing.cdb[2:6], signed=True) != lba or asking.cdb[0] != 0x52:
                wrong.append(writing.cdb.hex())

    threads = [threading.Thread(target=build, args=(n * 1000 - 2000,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_page_05_goes_out_as_cdrdao_and_cdrskin_sent_it(vectors: dict[str, Any]) -> None:
    sheets = {each["writer"].split()[0]: each["commands"] for each in vectors["cue_sheets"]}
    cdrdao = WriteParameters(
        write_type=WriteType.SESSION_AT_ONCE,
        block_type=BlockType.RAW_PW,
        track_mode=4,
        audio_pause=0,
    )
    command = mmc.mode_select(cdrdao.build())
    assert command.cdb.hex() == sheets["cdrdao"][0]["cdb"]
    assert bytes(command.data_out).hex() == sheets["cdrdao"][0]["out"]
    cdrskin: list[dict[str, Any]] = [
        {},
        {"test_write": True},
        {"test_write": True, "mcn": "1234567890123"},
    ]
    for more, sent in zip(cdrskin, sheets["cdrskin"], strict=False):
        page = WriteParameters(
            write_type=WriteType.SESSION_AT_ONCE, block_type=BlockType.RAW, **more
        )
        assert bytes(mmc.mode_select(page.build()).data_out).hex() == sent["out"]
    cdrecord = WriteParameters(
        write_type=WriteType.SESSION_AT_ONCE,
        block_type=BlockType.RAW,
        test_write=True,
        underrun_protection=False,
        mcn="1234567890123",
    )
    command = mmc.mode_select_6(cdrecord.build())
    (sent,) = [each for each in sheets["cdrecord"] if each["cdb"].startswith("15")]
    assert (command.cdb.hex(), bytes(command.data_out).hex()) == (sent["cdb"], sent["out"])
