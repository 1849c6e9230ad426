"""Linux: commands through the kernel's SG_IO (include/scsi/sg.h, version 3 interface)."""

from __future__ import annotations

import ctypes
import errno
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rawcd.errors import DriveError, UnsupportedError
from rawcd_writers.drive.transport import CHECK_CONDITION, DEFAULT_MAX_BYTES, GOOD, Answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from _typeshed import ReadableBuffer

SG_IO: Final = 0x2285
_SENSE_BYTES: Final = 252
_DXFER_NONE: Final = -1
_DXFER_TO_DEVICE: Final = -2
_DXFER_FROM_DEVICE: Final = -3
_TIMED_OUT: Final = 0x03
_HOST_WORDS: Final = {
    0x01: "no connection to the device",
    0x02: "the bus stayed busy",
    0x03: "the time ran out",
    0x04: "there is no such target",
    0x05: "the command was aborted",
    0x06: "parity error on the bus",
    0x07: "error of the host adapter",
    0x08: "the bus was reset",
    0x09: "an interrupt that nobody asked for",
    0x0B: "the host adapter asks for another try",
    0x0E: "the transport was interrupted",
}
_DRIVER_WORDS: Final = {
    0x01: "the kernel's driver is busy",
    0x02: "soft error of the kernel's driver",
    0x03: "medium error of the kernel's driver",
    0x04: "error of the kernel's driver",
    0x05: "the kernel's driver refused the command",
    0x06: "the time ran out in the kernel's driver",
    0x07: "hard error of the kernel's driver",
}
_DRIVER_SENSE: Final = 0x08
_DRIVER_CODE: Final = 0x0F


class SgHeader(ctypes.Structure):
    """`sg_io_hdr_t`."""

    _fields_ = (
        ("interface_id", ctypes.c_int),
        ("dxfer_direction", ctypes.c_int),
        ("cmd_len", ctypes.c_ubyte),
        ("mx_sb_len", ctypes.c_ubyte),
        ("iovec_count", ctypes.c_ushort),
        ("dxfer_len", ctypes.c_uint),
        ("dxferp", ctypes.c_void_p),
        ("cmdp", ctypes.c_void_p),
        ("sbp", ctypes.c_void_p),
        ("timeout", ctypes.c_uint),  # milliseconds
        ("flags", ctypes.c_uint),
        ("pack_id", ctypes.c_int),
        ("usr_ptr", ctypes.c_void_p),
        ("status", ctypes.c_ubyte),
        ("masked_status", ctypes.c_ubyte),
        ("msg_status", ctypes.c_ubyte),
        ("sb_len_wr", ctypes.c_ubyte),
        ("host_status", ctypes.c_ushort),
        ("driver_status", ctypes.c_ushort),
        ("resid", ctypes.c_int),
        ("duration", ctypes.c_uint),
        ("info", ctypes.c_uint),
    )


if TYPE_CHECKING:
    Ioctl = Callable[[int, int, SgHeader], object]


def _kernel_ioctl(handle: int, request: int, header: SgHeader) -> object:
    """Call the kernel; the interpreter's lock is free while the command runs."""
    import fcntl

    return fcntl.ioctl(handle, request, header, True)


class SgTransport:
    """A drive behind a Linux device node such as `/dev/sr0`.

    It is opened without waiting for a disc, and exclusively unless it is only to be looked at:
    two writers, or a mounted file system, would spoil a burn.

    Args:
        path: the device node.
        exclusive: nobody else may have the drive meanwhile.
        ioctl: what stands in for the kernel.

    Raises:
        DriveError: the node cannot be opened, or somebody else has it.
        UnsupportedError: this is not Linux.
    """

    def __init__(self, path: str, *, exclusive: bool = True, ioctl: Ioctl = _kernel_ioctl) -> None:
        if sys.platform != "linux":
            raise UnsupportedError(
                f"{path}: drives are reached by Linux' SG_IO, which {sys.platform} lacks; "
                "virtual:FILE is a recorder on every Unix, iscsi://HOST/TARGET/LUN one over the net"
            )
        self.name = path
        self.max_bytes = transfer_limit(path)
        self._ioctl = ioctl
        self._handle: int | None = None
        flags = os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC
        try:
            self._handle = os.open(path, flags | (os.O_EXCL if exclusive else 0))
        except OSError as error:
            raise DriveError(f"{path}: {_why_not_open(error)}") from error

    def execute(
        self,
        cdb: bytes,
        *,
        data_out: ReadableBuffer = b"",
        data_in: int = 0,
        timeout: float = 30.0,
    ) -> Answer:
        """Send a command; see `Transport.execute`.

        Raises:
            DriveError: the kernel, the host adapter or the driver failed; ran out of time.
        """
        if self._handle is None:
            raise DriveError(f"{self.name}: the drive was closed")
        sent = memoryview(data_out).cast("B")
        length = len(sent) or data_in
        buffer = (ctypes.c_ubyte * max(1, length))()
        if sent:
            ctypes.memmove(buffer, (ctypes.c_ubyte * len(sent)).from_buffer_copy(sent), len(sent))
        command = (ctypes.c_ubyte * len(cdb)).from_buffer_copy(cdb)
        sense = (ctypes.c_ubyte * _SENSE_BYTES)()
        direction = _DXFER_TO_DEVICE if sent else _DXFER_FROM_DEVICE if data_in else _DXFER_NONE
        header = SgHeader(
            interface_id=ord("S"),
            dxfer_direction=direction,
            cmd_len=len(cdb),
            mx_sb_len=_SENSE_BYTES,
            dxfer_len=length,
            dxferp=ctypes.addressof(buffer) if length else None,
            cmdp=ctypes.addressof(command),
            sbp=ctypes.addressof(sense),
            timeout=round(timeout * 1000),
        )
        try:
            self._ioctl(self._handle, SG_IO, header)
        except OSError as error:
            raise DriveError(
                f"{self.name}: {_why_not_sent(error, length, self.max_bytes)}"
            ) from error
        return self._answer(header, bytes(buffer), bytes(sense), data_in=0 if sent else data_in)

    def _answer(self, header: SgHeader, data: bytes, sense: bytes, *, data_in: int) -> Answer:
        told = sense[: min(header.sb_len_wr, len(sense))]
        driver = header.driver_status & _DRIVER_CODE
        if header.host_status:
            why = _HOST_WORDS.get(header.host_status, "unknown trouble of the host adapter")
            cause = TimeoutError(errno.ETIMEDOUT, why) if header.host_status == _TIMED_OUT else None
            raise DriveError(
                f"{self.name}: {why} (host status {header.host_status:#04x})"
            ) from cause
        if driver not in (0, _DRIVER_SENSE) and not told:
            why = _DRIVER_WORDS.get(driver, "unknown trouble of the kernel's driver")
            raise DriveError(f"{self.name}: {why} (driver status {header.driver_status:#04x})")
        status = header.status
        if told and status == GOOD and driver:
            status = CHECK_CONDITION  # some drivers hand sense over and forget the status
        length = header.dxfer_len
        residual = min(max(0, header.resid), length)  # below zero: the device wanted to send more
        return Answer(
            status=status,
            data=data[: max(0, data_in - residual)],
            sense=told if status == CHECK_CONDITION else b"",
            residual=residual,
        )

    def close(self) -> None:
        """Let go of the drive; a second call does nothing."""
        if self._handle is not None:
            handle, self._handle = self._handle, None
            with suppress(OSError):
                os.close(handle)


def _why_not_open(error: OSError) -> str:
    words = {
        errno.EBUSY: "somebody else has the drive; a disc in it may be mounted: unmount it",
        errno.EACCES: "you may not use it; be a member of the group that owns it (often cdrom)",
        errno.EPERM: "you may not use it; be a member of the group that owns it (often cdrom)",
        errno.ENOENT: "there is no such device",
        errno.ENXIO: "there is no device behind this name",
        errno.ENODEV: "there is no device behind this name",
    }
    return words.get(error.errno or 0, f"cannot open: {error.strerror}")


def _why_not_sent(error: OSError, length: int, limit: int) -> str:
    if error.errno == errno.EINVAL:
        return f"the kernel refused a transfer of {length} bytes; it says that {limit} is the most"
    if error.errno in (errno.ENODEV, errno.ENXIO):
        return "the drive has vanished"
    if error.errno in (errno.EACCES, errno.EPERM):
        return "the kernel does not let you send this command"
    if error.errno in (errno.ENOTTY, errno.ENOSYS):
        return "this is no SCSI device"
    return f"the kernel could not send the command: {error.strerror}"


def transfer_limit(path: str, *, root: Path = Path("/sys/block")) -> int:
    """Return the most bytes of one transfer, as the kernel tells; 26 blocks where it does not."""
    with suppress(OSError, ValueError):
        told = root / Path(path).resolve().name / "queue" / "max_sectors_kb"
        return max(2448, int(told.read_text(encoding="ascii")) * 1024)
    return DEFAULT_MAX_BYTES


def device_nodes(root: Path = Path("/dev")) -> list[str]:
    """Return the nodes of the optical drives, by number; none where this is not Linux."""
    if sys.platform != "linux":
        return []
    found = [path for path in root.glob("sr[0-9]*") if path.name[2:].isdecimal()]
    return [str(path) for path in sorted(found, key=lambda path: int(path.name[2:]))]
