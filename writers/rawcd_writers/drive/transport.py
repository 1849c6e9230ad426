"""The seam between what is said to a drive and the wire it goes over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

GOOD: Final = 0x00
CHECK_CONDITION: Final = 0x02
BUSY: Final = 0x08
RESERVATION_CONFLICT: Final = 0x18
TASK_SET_FULL: Final = 0x28
TASK_ABORTED: Final = 0x40

DEFAULT_MAX_BYTES: Final = 26 * 2448
"""What every host adapter takes in one transfer: 63,648 bytes, below 64 KiB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a device answers to one command.

    Attributes:
        status: the SCSI status byte: 0 GOOD, 2 CHECK CONDITION, 8 BUSY, 18h RESERVATION CONFLICT.
        data: data-in, as many bytes as came.
        sense: sense data as it came; empty without CHECK CONDITION.
        residual: bytes of the transfer that did not take place.
    """

    status: int
    data: bytes
    sense: bytes
    residual: int = 0


class Transport(Protocol):
    """A way to one device.

    Attributes:
        name: what a message calls the device: `/dev/sr0`, `virtual:disc.raw`, `iscsi://...`.
        max_bytes: the most that one transfer may carry.
    """

    name: str
    max_bytes: int

    def execute(
        self,
        cdb: bytes,
        *,
        data_out: ReadableBuffer = b"",
        data_in: int = 0,
        timeout: float = 30.0,
    ) -> Answer:
        """Send a command and return what the device answered.

        Args:
            cdb: the command descriptor block.
            data_out: bytes for the device.
            data_in: the most bytes that the device may send; not both.
            timeout: seconds until the command counts as lost.

        Raises:
            DriveError: there was no answer: the device vanished, the host adapter failed, or
                the time ran out.
        """
        ...

    def close(self) -> None:
        """Let go of the device; a second call does nothing."""
        ...
