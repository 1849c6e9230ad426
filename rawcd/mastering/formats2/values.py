"""IMAPI 2's numbers and the values that its events carry (imapi2.h)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Final, Self

if TYPE_CHECKING:
    from rawcd.progress import BurnProgress

SECTORS_PER_SECOND_AT_1X: Final = 75
"""IMAPI_SECTORS_PER_SECOND_AT_1X_CD."""
FASTEST: Final = -1
"""The speed that is asked for when any will do (FFFFFFFFh)."""
MAX_CLIENT_NAME: Final = 63
"""Characters of a client's name; the storage drivers keep 64 with the end."""


class MediaPhysicalType(IntEnum):
    """IMAPI_MEDIA_PHYSICAL_TYPE."""

    UNKNOWN = 0
    CDROM = 1
    CDR = 2
    CDRW = 3
    DVDROM = 4
    DVDRAM = 5
    DVDPLUSR = 6
    DVDPLUSRW = 7
    DVDPLUSR_DUALLAYER = 8
    DVDDASHR = 9
    DVDDASHRW = 10
    DVDDASHR_DUALLAYER = 11
    DISK = 12
    DVDPLUSRW_DUALLAYER = 13
    HDDVDROM = 14
    HDDVDR = 15
    HDDVDRAM = 16
    BDROM = 17
    BDR = 18
    BDRE = 19


class RawCDWriteAction(IntEnum):
    """IMAPI_FORMAT2_RAW_CD_WRITE_ACTION."""

    UNKNOWN = 0
    PREPARING = 1
    WRITING = 2
    FINISHING = 3


class TrackAtOnceWriteAction(IntEnum):
    """IMAPI_FORMAT2_TAO_WRITE_ACTION."""

    UNKNOWN = 0
    PREPARING = 1
    WRITING = 2
    FINISHING = 3
    VERIFYING = 4


class BurnVerificationLevel(IntEnum):
    """IMAPI_BURN_VERIFICATION_LEVEL."""

    NONE = 0
    QUICK = 1
    FULL = 2


class ReadTrackAddressType(IntEnum):
    """IMAPI_READ_TRACK_ADDRESS_TYPE."""

    LBA = 0
    TRACK = 1
    SESSION = 2


class ModePageRequestType(IntEnum):
    """IMAPI_MODE_PAGE_REQUEST_TYPE."""

    CURRENT_VALUES = 0
    CHANGEABLE_VALUES = 1
    DEFAULT_VALUES = 2
    SAVED_VALUES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteSpeedDescriptor:
    """A speed that a drive offers for a disc (IWriteSpeedDescriptor).

    Attributes:
        media_type: the disc.
        rotation_type_is_pure_cav: it turns at one speed throughout.
        write_speed: sectors a second; 75 is single speed.
    """

    media_type: MediaPhysicalType
    rotation_type_is_pure_cav: bool
    write_speed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteProgress:
    """How far a write is (IWriteEngine2EventArgs).

    Attributes:
        start_lba: first sector of this write; in a lead-in it is below zero.
        sector_count: sectors of this write.
        last_read_lba: last sector that was fetched from the stream.
        last_written_lba: last sector that was sent to the drive; `start_lba - 1` before the first.
        total_system_buffer: bytes that the buffer between the two holds.
        used_system_buffer: bytes in it.
        elapsed_time: seconds so far.
        remaining_time: seconds left as far as can be told; 0 as long as nobody can.
    """

    start_lba: int
    sector_count: int
    last_read_lba: int
    last_written_lba: int
    total_system_buffer: int
    used_system_buffer: int
    elapsed_time: int
    remaining_time: int

    @classmethod
    def of(cls, now: BurnProgress, **own: Any) -> Self:
        """Return what an event tells of a burn.

        Args:
            now: how far it is.
            own: what this kind of event has beside the others.
        """
        return cls(
            start_lba=now.start_lba,
            sector_count=now.sector_count,
            last_read_lba=now.read_lba,
            last_written_lba=now.written_lba,
            total_system_buffer=now.buffer_total,
            used_system_buffer=now.buffer_used,
            elapsed_time=int(now.elapsed),
            remaining_time=int(now.remaining or 0),
            **own,
        )

    @property
    def free_system_buffer(self) -> int:
        """Bytes that the buffer has room for."""
        return self.total_system_buffer - self.used_system_buffer

    @property
    def fraction(self) -> float:
        """The part that is written, 0 to 1, whatever the addresses (IMAPI has no such member)."""
        if self.sector_count <= 0:
            return 0.0
        done = self.last_written_lba + 1 - self.start_lba
        return min(1.0, max(0.0, done / self.sector_count))


@dataclass(frozen=True, slots=True, kw_only=True)
class RawCDProgress(WriteProgress):
    """How far a raw burn is (IDiscFormat2RawCDEventArgs).

    Attributes:
        current_action: what is being done.
    """

    current_action: RawCDWriteAction


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackAtOnceProgress(WriteProgress):
    """How far a track is (IDiscFormat2TrackAtOnceEventArgs).

    Attributes:
        current_action: what is being done.
        current_track_number: the track.
    """

    current_action: TrackAtOnceWriteAction
    current_track_number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EraseProgress:
    """How far an erasure is (DDiscFormat2EraseEvents.Update).

    Attributes:
        elapsed_seconds: so far.
        estimated_total_seconds: what the whole will take, as far as can be told.
    """

    elapsed_seconds: int
    estimated_total_seconds: int
