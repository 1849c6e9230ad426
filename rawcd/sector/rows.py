"""The ground under the codec: addresses, sync and headers, and the shape of arrays of sectors."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from rawcd import ecc
from rawcd.errors import FormatError
from rawcd.msf import (
    FIRST_LBA,
    FRAMES_PER_SECOND,
    LAST_LBA,
    LEAD_IN_WRAP,
    PROGRAM_LBA,
)
from rawcd.sector.kinds import SYNC, SectorType
from rawcd.sector.layouts import FORM_2_BIT, field_slice
from rawcd.source import SECTOR_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt
    from _typeshed import ReadableBuffer

    from rawcd.source import Bytes2D

    Flags = npt.NDArray[np.bool_]
    """(n,): one answer for each sector."""
    Lbas = npt.NDArray[np.int64]
    """(n,): the address of each sector."""
    LbaLike = int | Sequence[int] | npt.NDArray[np.integer[Any]]
    """The first sector's address, or each sector's."""
    SectorsLike = ReadableBuffer | Bytes2D
    """Whole sectors: (n, 2352) uint8, rows may be strided, or flat bytes, end to end."""

HEAD_BYTES: Final = 16
"""Sync and header; what follows is the sector's 2,336 bytes."""
ADDRESS: Final = slice(12, 15)
MODE_BYTE: Final = 15
SUBMODE_BYTE: Final = 18
_FEW: Final = 160  # up to here several small workspaces are quicker than a whole block


def row_of(byte: int) -> int:
    """Return the row of a workspace in which a byte of the sector lies."""
    return (byte - ecc.FIRST_BYTE) // 2


@cache
def edc_rows(sector_type: SectorType) -> tuple[int, int]:
    """Return the first row that the EDC covers and the row where it stands.

    Mode 1 covers sync and header too (ECMA-130 14.3), mode 2 begins with the subheader.
    """
    start = 0 if sector_type is SectorType.MODE1 else row_of(HEAD_BYTES)
    return start, row_of(field_slice(sector_type, "edc").start)


@cache
def _sync_share() -> npt.NDArray[np.uint16]:
    """What the sync pattern adds to a mode 1 sector's EDC: the two words, a column."""
    covered = field_slice(SectorType.MODE1, "edc").start
    value = ecc.edc_of(SYNC + bytes(covered - len(SYNC)))
    return np.array([value], "<u4").view(np.uint16).reshape(2, 1)


def loaded_edc(room: ecc.Workspace, sector_type: SectorType) -> npt.NDArray[np.uint16]:
    """Return the EDC that the sectors in a workspace should have: (2, sectors) words.

    For mode 1 the sync pattern is taken to be right: a workspace does not hold it.
    """
    words = room.edc(*edc_rows(sector_type))
    return words ^ _sync_share() if sector_type is SectorType.MODE1 else words


def spans(count: int) -> Iterator[slice]:
    """Cut `count` sectors into blocks, each for one workspace."""
    start = 0
    while start < count:
        size = ecc.BLOCK if count - start > _FEW else ecc.SMALL_BLOCK
        yield slice(start, min(start + size, count))
        start += size


def workspace_for(count: int) -> ecc.Workspace:
    """Return this thread's workspace for a block of that many sectors."""
    return ecc.workspace(ecc.SMALL_BLOCK if count <= ecc.SMALL_BLOCK else ecc.BLOCK)


def any_in(values: npt.NDArray[np.generic], axis: int) -> Flags:
    """Return along one axis whether anything is not zero; `any`, typed as the array it gives."""
    answer: Flags = np.logical_or.reduce(values, axis=axis)
    return answer


def form_2(sectors: Bytes2D, submode_byte: int = SUBMODE_BYTE) -> Flags:
    """Tell for each sector, or block with a subheader, whether it says that it is of form 2."""
    told: Flags = sectors[:, submode_byte] & FORM_2_BIT != 0
    return told


def lbas_of(lba: LbaLike, count: int) -> Lbas:
    """Return the address of each of `count` sectors, from the first one's or from all of them.

    Raises:
        ValueError: an address is outside -45,150..404,849, or there are not `count` of them.
    """
    given = np.asarray(lba)
    if given.dtype.kind not in "iu" and given.size:
        raise ValueError(f"an LBA is a whole number, not {lba!r}")
    if given.ndim == 0:
        ends = (int(given), int(given) + max(count - 1, 0))
        lbas = int(given) + np.arange(count) if _in_range(*ends) else None
    elif given.shape == (count,):
        ends = (int(given.min()), int(given.max())) if count else (FIRST_LBA, FIRST_LBA)
        lbas = given.astype(np.int64)
    else:
        raise ValueError(f"{given.shape} addresses for {count} sectors")
    if lbas is None or not _in_range(*ends):
        raise ValueError(
            f"LBA {ends[0]} to {ends[1]}: a disc reaches from {FIRST_LBA} to {LAST_LBA}"
        )
    return lbas


def _in_range(first: int, last: int) -> bool:
    return first >= FIRST_LBA and last <= LAST_LBA


@cache
def _bcd() -> npt.NDArray[np.uint8]:
    numbers = np.arange(100, dtype=np.uint8)
    return numbers + numbers // 10 * 6


def heads_of(lbas: Lbas, mode: int) -> Bytes2D:
    """Return sync and header of sectors at some addresses: (n, 16).

    The header's address is the absolute time, LBA + 150; that of a lead-in runs up to 99:59:74,
    the sector before 00:00:00 (ECMA-130 14.2; MMC for the lead-in).
    """
    heads = np.empty((len(lbas), HEAD_BYTES), np.uint8)
    heads[:, : len(SYNC)] = np.frombuffer(SYNC, np.uint8)
    frames = ((lbas - PROGRAM_LBA) % LEAD_IN_WRAP).astype(np.int32)
    seconds = frames // FRAMES_PER_SECOND
    minutes = seconds // 60
    for column, part in enumerate(
        (minutes, seconds - minutes * 60, frames - seconds * FRAMES_PER_SECOND), ADDRESS.start
    ):
        heads[:, column] = _bcd().take(part)
    heads[:, MODE_BYTE] = mode
    return heads


def flat_bytes(data: ReadableBuffer | npt.NDArray[np.generic]) -> npt.NDArray[np.uint8]:
    """Return what offers a buffer as its bytes, no copy where they lie end to end.

    Raises:
        TypeError: it offers none.
    """
    try:
        view = data.data if isinstance(data, np.ndarray) else memoryview(data)
    except TypeError:
        raise TypeError(
            f"bytes or an array of uint8 were expected, not {type(data).__name__}"
        ) from None
    if not view.nbytes:
        return np.empty(0, np.uint8)
    return np.frombuffer(view if view.c_contiguous else view.tobytes(), np.uint8)


def as_sectors(sectors: SectorsLike) -> Bytes2D:
    """Return whole sectors as they came, once they are what the codec can work on.

    Raises:
        FormatError: flat bytes are no whole sectors.
        TypeError: they are no bytes.
        ValueError: they are an array of another shape, or its rows are not in one piece.
    """
    if not isinstance(sectors, np.ndarray):
        sectors = flat_bytes(sectors)
    if sectors.ndim == 1 and sectors.dtype == np.uint8:
        if rest := len(sectors) % SECTOR_BYTES:
            raise FormatError(
                f"{len(sectors)} bytes are {len(sectors) // SECTOR_BYTES} sectors of "
                f"{SECTOR_BYTES} bytes and a remainder of {rest}"
            )
        sectors = sectors.reshape(-1, SECTOR_BYTES)
    if sectors.dtype != np.uint8 or sectors.ndim != 2 or sectors.shape[1] != SECTOR_BYTES:
        raise ValueError(
            f"sectors are an array of uint8 (n, {SECTOR_BYTES}), "
            f"not of {sectors.dtype} {sectors.shape}"
        )
    if sectors.size and sectors.strides[1] != 1:  # numpy gives empty arrays no strides
        raise ValueError("the bytes of each sector must follow each other in memory")
    return sectors


def room_for(out: Bytes2D | None, shape: tuple[int, int]) -> Bytes2D:
    """Return the caller's array for the result once it fits, or a new one.

    Raises:
        TypeError: it is no array.
        ValueError: it does not fit.
    """
    if out is None:
        return np.empty(shape, np.uint8)
    if not isinstance(out, np.ndarray):  # a program without types may give bytes
        raise TypeError(f"the result goes into an array of uint8, not into {type(out).__name__}")
    if out.shape != shape or out.dtype != np.uint8:
        raise ValueError(f"the array for the result is {out.dtype} {out.shape}, not uint8 {shape}")
    if not out.flags.writeable or (out.size and out.strides[1] != 1):
        raise ValueError("the array for the result must be writeable and its rows in one piece")
    return out
