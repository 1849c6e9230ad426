"""Drives over iSCSI, through PYSCSI's device (`rawcd[iscsi]`, built against libiscsi).

PYSCSI 2.1's device loses the sense data of a refused command, and with them why it was refused.
libiscsi itself has them in its task, which is looked up behind the Python object; the bytes
that must be there are compared first, so that another build is noticed and never misread.
The library has no time-out of its own and keeps the interpreter's lock while a command runs.
"""

from __future__ import annotations

import ctypes
from contextlib import suppress
from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from rawcd.errors import DriveError, MissingExtraError
from rawcd_writers.drive.transport import CHECK_CONDITION, DEFAULT_MAX_BYTES, Answer

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

SCHEME: Final = "iscsi://"
_LAST_STATUS: Final = 0xFF
"""Above it are libiscsi's own: cancelled, error, time-out."""
_UNDERFLOW: Final = 1
_CDB_BYTES: Final = 16


class _Task(ctypes.Structure):
    """The head of libiscsi's `struct scsi_task` (scsi-lowlevel.h)."""

    _fields_ = (
        ("status", ctypes.c_int),
        ("cdb_size", ctypes.c_int),
        ("direction", ctypes.c_int),
        ("expected", ctypes.c_int),
        ("cdb", ctypes.c_ubyte * _CDB_BYTES),
        ("residual_status", ctypes.c_int),
        ("residual", ctypes.c_size_t),
        ("error_type", ctypes.c_ubyte),
        ("sense_key", ctypes.c_int),
        ("ascq", ctypes.c_int),  # additional code, then qualifier
    )


def _task_behind(task: Any, cdb: bytes, expected: int) -> _Task | None:
    """Return libiscsi's task of a Cython object; None where it is not what it should be."""
    pointer = ctypes.sizeof(ctypes.c_void_p)
    if type(task).__basicsize__ != object.__basicsize__ + pointer:
        return None
    address = ctypes.c_void_p.from_address(id(task) + object.__basicsize__).value
    if not address:
        return None
    found = _Task.from_address(address)
    told = (found.cdb_size, found.expected, bytes(found.cdb)[: len(cdb)], found.status)
    return found if told == (len(cdb), expected, cdb, task.status) else None


@lru_cache(maxsize=1)
def _device_class() -> Any:
    """Return PYSCSI's device, its `execute` answering instead of losing the sense data.

    Raises:
        MissingExtraError: the library is not installed.
    """
    try:
        iscsi: Any = import_module("iscsi")
        from pyscsi.pyiscsi.iscsi_device import ISCSIDevice
    except ImportError as error:
        raise MissingExtraError(
            "drives over iSCSI need cython-iscsi, which is built against libiscsi: "
            "pip install 'rawcd[iscsi]'",
            extra="iscsi",
        ) from error
    for group in (iscsi.scsi_xfer_dir, iscsi.iscsi_session_type, iscsi.iscsi_header_digest):
        for member in group:  # built by Cython 3 the names are in the groups alone
            setattr(iscsi, member.name, member)

    class AnsweringDevice(ISCSIDevice):  # type: ignore[misc]  # PYSCSI has no types
        """PYSCSI's iSCSI device."""

        def answer(self, cdb: bytes, data_out: bytes, data_in: int) -> Answer:
            """Send a command and return all that libiscsi knows of its end."""
            direction, length = iscsi.SCSI_XFER_NONE, 0
            if data_out:
                direction, length = iscsi.SCSI_XFER_WRITE, len(data_out)
            elif data_in:
                direction, length = iscsi.SCSI_XFER_READ, data_in
            came = bytearray(data_in)
            task = iscsi.Task(cdb, direction, length)
            context: Any = self._iscsi
            url: Any = self._iscsi_url
            context.command(url.lun, task, bytearray(data_out), came)
            status = task.status
            if not 0 <= status <= _LAST_STATUS:
                raise DriveError(f"the connection failed (libiscsi: {status & 0xFFFFFFFF:#x})")
            behind = _task_behind(task, cdb, length)
            sense, residual = b"", 0
            if behind is not None and behind.residual_status == _UNDERFLOW:
                residual = min(behind.residual, length)
            if status == CHECK_CONDITION and behind is not None:
                sense = bytes([0x70, 0, behind.sense_key & 15, 0, 0, 0, 0, 10, 0, 0, 0, 0])
                sense += (behind.ascq & 0xFFFF).to_bytes(2) + bytes(4)
            return Answer(
                status=status,
                data=bytes(came[: data_in - residual] if data_in else b""),
                sense=sense,
                residual=residual,
            )

    return AnsweringDevice


class IscsiTransport:
    """A drive of an iSCSI target: `iscsi://HOST[:PORT]/TARGET/LUN`.

    Raises:
        MissingExtraError: the library is not installed.
        DriveError: the target cannot be reached.
    """

    def __init__(self, url: str) -> None:
        self.name = url
        self.max_bytes = DEFAULT_MAX_BYTES
        self._device: Any = None
        device = _device_class()
        try:
            self._device = device(url)
        except (ValueError, RuntimeError, NotImplementedError) as error:
            raise DriveError(f"{url}: {error}") from error

    def execute(
        self,
        cdb: bytes,
        *,
        data_out: ReadableBuffer = b"",
        data_in: int = 0,
        timeout: float = 30.0,
    ) -> Answer:
        """Send a command; see `Transport.execute`. The time-out is libiscsi's own.

        Raises:
            DriveError: the connection failed.
        """
        del timeout
        if self._device is None:
            raise DriveError(f"{self.name}: the drive was closed")
        try:
            answer: Answer = self._device.answer(cdb, bytes(data_out), data_in)
        except DriveError as error:
            raise DriveError(f"{self.name}: {error}") from error
        except (ValueError, RuntimeError) as error:
            raise DriveError(f"{self.name}: the command could not be sent: {error}") from error
        return answer

    def close(self) -> None:
        """Leave the session; a second call does nothing."""
        if self._device is not None:
            device, self._device = self._device, None
            with suppress(RuntimeError):
                device.close()
