"""SG_IO: a stand-in for the kernel's ioctl, and every way in which a command can end."""

from __future__ import annotations

import ctypes
import errno
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rawcd.errors import DriveError, UnsupportedError
from rawcd_writers.drive.sgio import SG_IO, SgHeader, SgTransport, device_nodes, transfer_limit
from rawcd_writers.drive.transport import Answer

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="SG_IO is Linux' own")
SENSE = bytes([0x70, 0, 5, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0x21, 2, 0, 0, 0, 0])


class Kernel:
    """An ioctl that notes what it is given and answers as it was told to."""

    def __init__(
        self,
        *,
        data: bytes = b"",
        sense: bytes = b"",
        error: int | None = None,
        **fields: int,
    ) -> None:
        self.data, self.sense, self.error, self.fields = data, sense, error, fields
        self.cdb = self.sent = b""
        self.header = SgHeader()

    def __call__(self, handle: int, request: int, header: SgHeader) -> int:
        assert handle > 0
        assert request == SG_IO
        self.header = header
        self.cdb = ctypes.string_at(header.cmdp, header.cmd_len)
        if header.dxfer_direction == -2:
            self.sent = ctypes.string_at(header.dxferp, header.dxfer_len)
        if self.error is not None:
            raise OSError(self.error, "told to fail")
        if self.data:
            ctypes.memmove(header.dxferp, self.data, min(len(self.data), header.dxfer_len))
        if self.sense:
            ctypes.memmove(header.sbp, self.sense, len(self.sense))
            header.sb_len_wr = len(self.sense)
        for name, value in self.fields.items():
            setattr(header, name, value)
        return 0


@pytest.fixture
def node(tmp_path: Path) -> str:
    """A file can be opened as a device node is."""
    path = tmp_path / "sr0"
    path.touch()
    return str(path)


def ask(node: str, kernel: Kernel, *, data_out: bytes = b"", data_in: int = 0) -> Answer:
    drive = SgTransport(node, ioctl=kernel)
    try:
        return drive.execute(bytes(10), data_out=data_out, data_in=data_in, timeout=2.5)
    finally:
        drive.close()


def test_the_header_has_the_size_that_the_kernel_knows() -> None:
    assert ctypes.sizeof(SgHeader) == (88 if ctypes.sizeof(ctypes.c_void_p) == 8 else 64)
    if ctypes.sizeof(ctypes.c_void_p) == 8:
        assert (SgHeader.status.offset, SgHeader.resid.offset) == (64, 72)


@pytest.mark.parametrize(
    ("data_out", "data_in", "direction", "length"),
    [(b"", 0, -1, 0), (b"abcd", 0, -2, 4), (b"", 7, -3, 7)],
    ids=["none", "out", "in"],
)
def test_the_kernel_gets_command_direction_and_time(
    node: str, data_out: bytes, data_in: int, direction: int, length: int
) -> None:
    kernel = Kernel(data=b"1234567")
    answer = ask(node, kernel, data_out=data_out, data_in=data_in)
    header = kernel.header
    assert (header.interface_id, header.timeout) == (ord("S"), 2500)
    assert (header.dxfer_direction, header.dxfer_len) == (direction, length)
    assert kernel.cdb == bytes(10)
    assert kernel.sent == data_out
    assert answer == Answer(status=0, data=b"1234567"[:data_in], sense=b"")


@pytest.mark.parametrize("status", [0x00, 0x08, 0x18, 0x28, 0x40])
def test_every_status_is_handed_on(node: str, status: int) -> None:
    assert ask(node, Kernel(status=status)).status == status


@pytest.mark.parametrize("driver", [0, 8, 0x28])
def test_sense_comes_whole(node: str, driver: int) -> None:
    """Also where the driver hands it over and leaves the status at zero."""
    answer = ask(node, Kernel(sense=SENSE, status=2, driver_status=driver))
    assert (answer.status, answer.sense) == (2, SENSE)
    if driver:
        assert ask(node, Kernel(sense=SENSE, status=0, driver_status=driver)) == answer


def test_long_sense_is_not_cut_at_eighteen_bytes(node: str) -> None:
    long = SENSE + bytes(range(200))
    assert ask(node, Kernel(sense=long, status=2)).sense == long


@given(residual=st.integers(-100, 100))
def test_the_residual_tells_how_much_came(residual: int) -> None:
    answer = ask("/dev/null", Kernel(data=bytes(range(64)), resid=residual), data_in=64)
    assert answer.residual == min(max(residual, 0), 64)
    assert answer.data == bytes(range(64))[: 64 - answer.residual]


@pytest.mark.parametrize("residual", [0, 3, 4])
def test_a_write_that_fell_short_says_by_how_much(node: str, residual: int) -> None:
    answer = ask(node, Kernel(resid=residual), data_out=b"abcd")
    assert (answer.data, answer.residual) == (b"", residual)


@pytest.mark.parametrize("host", range(1, 0x10))
def test_trouble_of_the_host_adapter_is_no_answer(node: str, host: int) -> None:
    with pytest.raises(DriveError, match=f"host status {host:#04x}") as caught:
        ask(node, Kernel(host_status=host, sense=SENSE if host % 2 else b"", status=2))
    assert isinstance(caught.value.__cause__, TimeoutError) == (host == 3)


@pytest.mark.parametrize("driver", range(1, 8))
def test_trouble_of_the_driver_is_no_answer_without_sense(node: str, driver: int) -> None:
    with pytest.raises(DriveError, match=f"driver status {driver:#04x}"):
        ask(node, Kernel(driver_status=driver))
    assert ask(node, Kernel(driver_status=driver, status=2, sense=SENSE)).sense == SENSE


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (errno.EINVAL, "refused a transfer of 7 bytes"),
        (errno.ENODEV, "has vanished"),
        (errno.ENXIO, "has vanished"),
        (errno.EPERM, "does not let you"),
        (errno.ENOTTY, "no SCSI device"),
        (errno.EIO, "could not send"),
    ],
)
def test_errors_of_the_kernel_say_what_they_mean(node: str, code: int, words: str) -> None:
    with pytest.raises(DriveError, match=words):
        ask(node, Kernel(error=code), data_in=7)


def test_the_real_ioctl_tells_that_a_file_is_no_drive(node: str) -> None:
    drive = SgTransport(node)
    with pytest.raises(DriveError, match="no SCSI device"):
        drive.execute(bytes(6))
    drive.close()


def test_a_closed_drive_says_so(node: str) -> None:
    drive = SgTransport(node, ioctl=Kernel())
    drive.close()
    drive.close()
    with pytest.raises(DriveError, match="was closed"):
        drive.execute(bytes(6))


def test_the_node_is_opened_exclusively_and_without_waiting(
    node: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import os

    seen: list[int] = []

    def refuse(path: str, flags: int) -> int:
        seen.append(flags)
        raise OSError([errno.EBUSY, errno.EACCES, errno.ENXIO, errno.EIO][len(seen) - 1], "no")

    monkeypatch.setattr(os, "open", refuse)
    for words in ("somebody else", "may not use", "no device behind", "cannot open"):
        with pytest.raises(DriveError, match=words):
            SgTransport(node, exclusive=len(seen) == 0)
    assert seen[0] & os.O_EXCL
    assert not seen[1] & os.O_EXCL
    for flags in seen:
        assert flags & os.O_NONBLOCK
        assert flags & os.O_RDWR


def test_the_transfer_size_is_the_kernels_or_26_blocks(tmp_path: Path) -> None:
    queue = tmp_path / "sr7" / "queue"
    queue.mkdir(parents=True)
    assert transfer_limit("/dev/sr7", root=tmp_path) == 63_648
    (queue / "max_sectors_kb").write_text("128\n", encoding="ascii")
    assert transfer_limit("/dev/sr7", root=tmp_path) == 131_072
    (queue / "max_sectors_kb").write_text("none", encoding="ascii")
    assert transfer_limit("/dev/sr7", root=tmp_path) == 63_648


def test_nodes_are_found_by_number(tmp_path: Path) -> None:
    for name in ("sr10", "sr2", "sr0", "sda", "srx"):
        (tmp_path / name).touch()
    assert [Path(each).name for each in device_nodes(tmp_path)] == ["sr0", "sr2", "sr10"]


@pytest.mark.parametrize("system", ["darwin", "win32"])
def test_other_systems_are_refused_with_what_works_there(
    node: str, system: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", system)
    with pytest.raises(UnsupportedError, match="virtual:FILE"):
        SgTransport(node)
    assert device_nodes() == []
