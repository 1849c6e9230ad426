"""Over a real wire: Debian's tgt, a SCSI target in user space, on the loopback only."""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from rawcd.errors import DriveError, MissingExtraError
from rawcd_writers.drive import mmc, replies
from rawcd_writers.drive.iscsi import IscsiTransport
from rawcd_writers.drive.pages import Capabilities, WriteParameters
from rawcd_writers.drive.sense import Sense

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from rawcd_writers.drive.command import Command

TOOLS = ("tgtd", "tgtadm", "tgtimg")
MISSING = [tool for tool in TOOLS if shutil.which(tool) is None]
HAS_LIBRARY = importlib.util.find_spec("iscsi") is not None
TARGET = "iqn.2020-01.test:cd"

needs_tgt = pytest.mark.skipif(
    bool(MISSING) or not HAS_LIBRARY or not hasattr(os, "geteuid") or os.geteuid() != 0,
    reason="needs tgt (tgtd, tgtadm, tgtimg), cython-iscsi, and root",
)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A target of two drives: LUN 1 with a recorded disc, LUN 2 with a blank DVD+R."""
    folder = tmp_path_factory.mktemp("tgt")
    port, control = free_port(), str(os.getpid() % 30_000 + 100)
    (folder / "disc.iso").write_bytes(bytes(range(256)) * 8 * 32)
    admin = ["tgtadm", "-C", control, "--lld", "iscsi"]

    def run(*command: str) -> None:
        subprocess.run(command, check=True, capture_output=True, timeout=30, cwd=folder)

    with (folder / "log").open("wb") as log:
        daemon = subprocess.Popen(
            ["tgtd", "-f", "-C", control, "--iscsi", f"portal=127.0.0.1:{port}"],
            stdout=log,
            stderr=log,
        )
    try:
        for _ in range(100):
            show = [*admin, "--mode", "sys", "--op", "show"]
            if not subprocess.run(show, capture_output=True, check=False, timeout=30).returncode:
                break
            time.sleep(0.1)
        else:
            pytest.skip("tgtd does not start here")
        target = [*admin, "--mode", "target", "--tid", "1"]
        run(*target, "--op", "new", "-T", TARGET)
        run(*target, "--op", "bind", "-I", "127.0.0.1")
        image = str(folder / "blank.iso")
        run("tgtimg", "--op", "new", "--device-type", "cd", "--type", "dvd+r", "--file", image)
        unit = [*admin, "--mode", "logicalunit", "--op", "new", "--tid", "1", "--device-type=cd"]
        run(*unit, "--lun", "1", "-b", str(folder / "disc.iso"))
        run(*unit, "--lun", "2", "-b", image)
        yield f"iscsi://127.0.0.1:{port}/{TARGET}"
    finally:
        for last in (
            ["--mode", "target", "--op", "delete", "--force", "--tid", "1"],
            ["--mode", "system", "--op", "delete"],
        ):
            subprocess.run([*admin, *last], capture_output=True, check=False, timeout=30)
        try:
            daemon.wait(10)
        except subprocess.TimeoutExpired:
            daemon.kill()
            daemon.wait()


def ask(drive: IscsiTransport, command: Command[Any]) -> Any:
    """Send a command; a unit attention is read and the command sent again, once."""
    for _ in range(3):
        answer = drive.execute(
            command.cdb, data_out=command.data_out, data_in=command.data_in, timeout=10
        )
        if answer.status == 0:
            return command.reply(answer.data)
        told = Sense.parse(answer.sense)
        assert told is not None, "the sense data were lost"
        if told.key != 6:
            return told
    raise AssertionError("attention without end")


@needs_tgt
def test_a_drive_tells_who_it_is_and_what_is_in_it(portal: str) -> None:
    drive = IscsiTransport(f"{portal}/1")
    try:
        who = ask(drive, mmc.inquiry())
        assert (who.device_type, who.removable) == (5, True)
        assert "CDROM" in who.product
        assert ask(drive, mmc.test_unit_ready()) is None
        assert ask(drive, mmc.get_configuration()).profile == 0x10
        info = ask(drive, mmc.read_disc_information())
        assert info.status is replies.DiscStatus.COMPLETE
        track = ask(drive, mmc.read_track_information(1))
        assert (track.track, track.start_lba) == (1, 0)
        toc = ask(drive, mmc.read_toc())
        # tgt sends two bytes fewer than its length says: the lead-out is cut off.
        assert [each.track for each in toc.entries] == [1]
        assert toc.entries[0].lba == 0
        assert ask(drive, mmc.read_capacity()) == replies.Capacity(last_lba=31, block_bytes=2048)
        page = ask(drive, mmc.mode_sense(0x2A))
        assert Capabilities.parse(page.page(0x2A)).max_read_speed >= 0
        WriteParameters.parse(ask(drive, mmc.mode_sense(0x05)).page(0x05))
        assert ask(drive, mmc.read(4, 2)) == bytes(range(256)) * 16
        assert ask(drive, mmc.prevent_allow(prevent=False)) is None
    finally:
        drive.close()


@needs_tgt
@pytest.mark.parametrize(
    "command",
    [mmc.read_cd(0, 1), mmc.send_cue_sheet(bytes(24)), mmc.send_opc(), mmc.get_event_status()],
    ids=lambda command: command.name,
)
def test_a_refused_command_says_why(portal: str, command: Command[Any]) -> None:
    """PYSCSI's own device ends in a TypeError here, and the sense is gone."""
    drive = IscsiTransport(f"{portal}/1")
    try:
        told = ask(drive, command)
        assert told.triple == (5, 0x20, 0)
        assert "does not know the command" in told.meaning
    finally:
        drive.close()


@needs_tgt
def test_a_table_that_the_disc_lacks_is_refused_with_sense(portal: str) -> None:
    drive = IscsiTransport(f"{portal}/1")
    try:
        for command in (mmc.read_full_toc(), mmc.read_atip(), mmc.read_cd_text()):
            told = ask(drive, command)
            assert told.key == 2  # tgt's own: MMC would have 5
            assert (told.asc, told.ascq) == (0x24, 0)
    finally:
        drive.close()


@needs_tgt
def test_what_is_written_on_a_dvd_is_read_back(portal: str) -> None:
    drive = IscsiTransport(f"{portal}/2")
    try:
        info = ask(drive, mmc.read_disc_information())
        assert info.status is replies.DiscStatus.BLANK
        assert ask(drive, mmc.get_configuration()).profile == 0x1B
        assert ask(drive, mmc.read(0, 1)).key != 0
        data = bytes(value * 7 & 0xFF for value in range(64 * 2048))
        for lba in range(0, 64, 16):
            part = data[lba * 2048 : (lba + 16) * 2048]
            assert ask(drive, mmc.write(lba, 16, memoryview(part))) is None
        assert ask(drive, mmc.synchronize_cache()) is None
        assert ask(drive, mmc.close(mmc.Closing.TRACK, 1)) is None
        assert ask(drive, mmc.close(mmc.Closing.SESSION)) is None
        ask(drive, mmc.test_unit_ready())
        assert ask(drive, mmc.read(0, 26)) + ask(drive, mmc.read(26, 38)) == data
        assert ask(drive, mmc.read_disc_information()).status is replies.DiscStatus.COMPLETE
    finally:
        drive.close()


@pytest.mark.skipif(not HAS_LIBRARY, reason="needs cython-iscsi")
@pytest.mark.parametrize("url", ["iscsi://", "iscsi://127.0.0.1:9/iqn.nobody:x/1", "iscsi://x/y"])
def test_a_target_that_is_not_there_is_told(url: str) -> None:
    with pytest.raises(DriveError, match="iscsi"):
        IscsiTransport(url)


@needs_tgt
def test_a_closed_session_says_so(portal: str) -> None:
    drive = IscsiTransport(f"{portal}/1")
    drive.close()
    drive.close()
    with pytest.raises(DriveError, match="was closed"):
        drive.execute(bytes(6))


def test_without_the_library_the_extra_is_named() -> None:
    code = (
        "import sys; sys.modules['iscsi'] = None\n"
        "from rawcd_writers.drive.iscsi import IscsiTransport\n"
        "from rawcd.errors import MissingExtraError\n"
        "try:\n    IscsiTransport('iscsi://127.0.0.1/x/1')\n"
        "except MissingExtraError as error:\n    print(error.extra)\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert result.stdout.strip() == "iscsi"
    assert issubclass(MissingExtraError, Exception)
