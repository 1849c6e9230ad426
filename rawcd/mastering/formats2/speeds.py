"""Speeds: what a drive offers for a disc, in IMAPI's sectors a second, and the nearest one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rawcd.hresults import HResult
from rawcd.mastering.formats2.values import (
    FASTEST,
    SECTORS_PER_SECOND_AT_1X,
    MediaPhysicalType,
    WriteSpeedDescriptor,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rawcd.drives import DriveSession, Media

_SINGLE_SPEED: Final = 176.4
"""kB/s of 1,000 bytes at single speed (IEC 60908)."""
_SLACK: Final = 0.2
"""Drives count 176 or 177 kB/s to single speed: so far from a whole number it is still meant."""
_ANY: Final = 0xFFFFFFFF
"""-1 as an unsigned number, which scripts write."""
_KINDS: Final = {
    "CD-ROM": MediaPhysicalType.CDROM,
    "CD-R": MediaPhysicalType.CDR,
    "CD-RW": MediaPhysicalType.CDRW,
}
_PROFILES: Final = {
    0x0002: MediaPhysicalType.DISK,
    0x0008: MediaPhysicalType.CDROM,
    0x0009: MediaPhysicalType.CDR,
    0x000A: MediaPhysicalType.CDRW,
    0x0010: MediaPhysicalType.DVDROM,
    0x0011: MediaPhysicalType.DVDDASHR,
    0x0012: MediaPhysicalType.DVDRAM,
    0x0013: MediaPhysicalType.DVDDASHRW,
    0x0014: MediaPhysicalType.DVDDASHRW,
    0x0015: MediaPhysicalType.DVDDASHR_DUALLAYER,
    0x0016: MediaPhysicalType.DVDDASHR_DUALLAYER,
    0x001A: MediaPhysicalType.DVDPLUSRW,
    0x001B: MediaPhysicalType.DVDPLUSR,
    0x002A: MediaPhysicalType.DVDPLUSRW_DUALLAYER,
    0x002B: MediaPhysicalType.DVDPLUSR_DUALLAYER,
    0x0040: MediaPhysicalType.BDROM,
    0x0041: MediaPhysicalType.BDR,
    0x0042: MediaPhysicalType.BDR,
    0x0043: MediaPhysicalType.BDRE,
    0x0050: MediaPhysicalType.HDDVDROM,
    0x0051: MediaPhysicalType.HDDVDR,
    0x0052: MediaPhysicalType.HDDVDRAM,
}
"""What the profiles of MMC are in IMAPI's list."""


def physical_type(session: DriveSession, media: Media | None) -> MediaPhysicalType:
    """Return what kind of disc is in a drive; UNKNOWN without one."""
    if media is None:
        return MediaPhysicalType.UNKNOWN
    known = _KINDS.get(media.kind) or _PROFILES.get(session.profile())
    if known is None and media.lead_in_lba is not None:  # a drive older than profiles, a groove
        known = MediaPhysicalType.CDRW if media.erasable else MediaPhysicalType.CDR
    return known or MediaPhysicalType.UNKNOWN


def sectors_per_second(kilobytes: int) -> int:
    """Return a drive's kB/s as sectors a second; 75 is single speed."""
    times = kilobytes / _SINGLE_SPEED
    whole = round(times)
    return round((whole if whole and abs(times - whole) <= _SLACK else times) * 75)


def times_of(sectors: int) -> float | None:
    """Return how often single speed so many sectors a second are; None for the fastest."""
    return None if sectors == FASTEST else sectors / SECTORS_PER_SECOND_AT_1X


def offered(session: DriveSession, media_type: MediaPhysicalType) -> list[WriteSpeedDescriptor]:
    """Return what a drive offers for the disc that is in, the fastest first, each once."""
    found = {
        (sectors_per_second(each.write), each.pure_cav)
        for each in session.write_speed_descriptors()
        if each.write
    }
    return [
        WriteSpeedDescriptor(
            media_type=media_type, rotation_type_is_pure_cav=pure_cav, write_speed=speed
        )
        for speed, pure_cav in sorted(found, reverse=True)
    ]


def speed_asked_for(value: object) -> int | None:
    """Return a speed that was asked for, -1 in either way of writing it; None where it is none."""
    if not isinstance(value, int):  # a script may pass anything
        return None
    if value in (FASTEST, _ANY):
        return FASTEST
    return value if 0 < value < 1 << 31 else None


def nearest(
    speeds: Sequence[WriteSpeedDescriptor], wanted: int, *, pure_cav: bool
) -> tuple[int, bool, HResult]:
    """Return the speed and rotation that come nearest, and the success code that tells of it.

    Args:
        speeds: what the drive offers; empty where it does not say, and then all is taken.
        wanted: sectors a second, or -1.
        pure_cav: whether the disc is to turn at one speed throughout.
    """
    if not speeds:
        return wanted, pure_cav, HResult.S_OK
    turning = [each for each in speeds if each.rotation_type_is_pure_cav == pure_cav]
    choice = turning or list(speeds)
    target = max(each.write_speed for each in choice) if wanted == FASTEST else wanted
    best = min(choice, key=lambda each: (abs(each.write_speed - target), each.write_speed))
    code = {
        (False, False): HResult.S_OK,
        (True, False): HResult.S_IMAPI_SPEEDADJUSTED,
        (False, True): HResult.S_IMAPI_ROTATIONADJUSTED,
        (True, True): HResult.S_IMAPI_BOTHADJUSTED,
    }[best.write_speed != target, not turning]
    return best.write_speed, best.rotation_type_is_pure_cav, code
