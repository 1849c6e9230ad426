"""What recorded Q frames say, many at once, and what they agree on where some are damaged.

`decode_q` reads the fields of all frames into arrays, whether their CRC holds or not, and tells
which do. The votes below it answer for a stretch: the catalogue number, a track's ISRC, the table
of contents (IEC 60908 17.5, ECMA-130 22.3). All of these are repeated on a disc, so the frames with
a right CRC decide by majority. Where there is none, the bits of the damaged ones are put to the
vote, and the result counts only if it makes a frame's own CRC right.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from typing import TYPE_CHECKING, Final

import numpy as np

from rawcd.errors import FormatError
from rawcd.msf import FRAMES_PER_MINUTE, FRAMES_PER_SECOND, LEAD_IN_WRAP, PROGRAM_LBA
from rawcd.subcode.frame import (
    LEAD_OUT_TNO,
    POINTER_ADR,
    Q_BYTES,
    QCatalog,
    QFrame,
    QIsrc,
    QPointer,
    QPosition,
    parse_q,
    unpack_isrc,
    unpack_mcn,
)
from rawcd.subcode.rows import ABSOLUTE, OFFSETS, RELATIVE, check_rows, crc_holds

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from rawcd.subcode.rows import Bytes1D, Bytes2D, Flags

    Numbers = npt.NDArray[np.int32]

NOT_TOLD: Final = -1
"""In an array of numbers: the frame does not tell it, or no number stands there."""

_TNO: Final = OFFSETS["track"]
_INDEX: Final = OFFSETS["index"]
_DIGITS: Final = slice(1, 8)
"""A catalogue number in a mode 2 frame: 13 digits and a zero."""
_CODE: Final = slice(1, 9)
"""An ISRC in a mode 3 frame."""
_TEXT: Final = slice(1, 9)
"""What is the same in all frames of modes 2 and 3 that say the same."""
_AFRAME: Final = 9
_NO_MCN: Final = "0" * 13


class QKind(IntEnum):
    """What a frame's first two bytes claim it is."""

    UNKNOWN = 0
    """ADR is none of 1, 2, 3 and 5."""
    PROGRAM = 1
    """Mode 1: a place in a track."""
    LEAD_IN = 2
    """Mode 1, TNO 00: an item of the table of contents."""
    LEAD_OUT = 3
    """Mode 1, TNO AAh."""
    CATALOG = 4
    """Mode 2."""
    ISRC = 5
    """Mode 3."""
    POINTER = 6
    """Mode 5: pointers of a multi-session disc."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class QTable:
    """The fields of consecutive frames, one element each; see `NOT_TOLD`.

    Fields are read whether the CRC holds or not: ask `right` before you believe them.

    Attributes:
        q: (n, 12), the frames.
        right: (n,), whether the CRC holds.
        kinds: (n,) of `QKind`.
        control: (n,), CONTROL nibbles.
        track: (n,), 1..99 or `LEAD_OUT_TNO`, of PROGRAM and LEAD_OUT.
        index: (n,), 0..99, of the same.
        point: (n,), POINT as on the disc, of LEAD_IN and POINTER.
        relative: (n,), frames: the relative time of PROGRAM and LEAD_OUT, the running time of
            LEAD_IN.
        absolute: (n,), frames from 00:00:00, of PROGRAM and LEAD_OUT.
        aframe: (n,), the frame of the absolute time, of CATALOG and ISRC.
    """

    q: Bytes2D
    right: Flags
    kinds: Bytes1D
    control: Bytes1D
    track: Numbers
    index: Numbers
    point: Numbers
    relative: Numbers
    absolute: Numbers
    aframe: Numbers

    def __len__(self) -> int:
        return len(self.q)

    def frame(self, number: int) -> QFrame:
        """Return one frame as a value.

        Raises:
            FormatError: its CRC is wrong, or a field holds no number.
        """
        return parse_q(self.q[number].tobytes())

    def lbas(self) -> npt.NDArray[np.int64]:
        """Return the LBA (n,) that each frame tells; check `absolute` for `NOT_TOLD`."""
        return self.absolute.astype(np.int64) + PROGRAM_LBA


@cache
def _bcd_values() -> Numbers:
    """Return (256,): what each byte is as BCD; `NOT_TOLD` where it is none."""
    bytes_ = np.arange(256, dtype=np.int32)
    high, low = bytes_ >> 4, bytes_ & 15
    return np.where((high < 10) & (low < 10), high * 10 + low, NOT_TOLD).astype(np.int32)


@cache
def _frames_of_bytes() -> tuple[Numbers, Numbers, Numbers]:
    """Return (256,) each: the frames that a byte is as minute, second and frame of a time.

    One that is none takes the sum of all three below zero.
    """
    numbers = _bcd_values()
    none = np.int32(-LEAD_IN_WRAP)
    parts = ((100, FRAMES_PER_MINUTE), (60, FRAMES_PER_SECOND), (FRAMES_PER_SECOND, 1))
    minute, second, frame = (
        np.where((numbers >= 0) & (numbers < limit), numbers * np.int32(unit), none)
        for limit, unit in parts
    )
    return minute, second, frame


def _times(bcd: Bytes2D) -> Numbers:
    """Return the frames of BCD times (n, 3); `NOT_TOLD` where one is none."""
    minute, second, frame = _frames_of_bytes()
    frames = minute.take(bcd[:, 0])
    frames += second.take(bcd[:, 1])
    frames += frame.take(bcd[:, 2])
    return np.maximum(frames, np.int32(NOT_TOLD), out=frames)


def _only(where: Flags, numbers: Numbers | Bytes1D) -> Numbers:
    return np.where(where, numbers, np.int32(NOT_TOLD))


@cache
def _kinds_by_head() -> Bytes1D:
    """Return (65536,): the `QKind` of frames that begin with two bytes, by these as one word."""
    head = np.arange(1 << 16, dtype=np.uint16).view(np.uint8).reshape(-1, 2)
    adr, tno = head[:, 0] & 15, head[:, _TNO]
    kinds = np.full(len(head), QKind.UNKNOWN, np.uint8)
    kinds[adr == QPosition.adr] = QKind.PROGRAM
    kinds[(adr == QPosition.adr) & (tno == 0)] = QKind.LEAD_IN
    kinds[(adr == QPosition.adr) & (tno == LEAD_OUT_TNO)] = QKind.LEAD_OUT
    kinds[adr == QCatalog.adr] = QKind.CATALOG
    kinds[adr == QIsrc.adr] = QKind.ISRC
    kinds[adr == POINTER_ADR] = QKind.POINTER
    return kinds


def _frames(q: Bytes2D) -> Bytes2D:
    """Return frames that a program handed over, C-contiguous."""
    check_rows(q, Q_BYTES, "Q")
    return np.ascontiguousarray(q)


def decode_q(q: Bytes2D, right: Flags | None = None) -> QTable:
    """Read the fields of frames.

    Args:
        q: (n, 12), the CRC inverted as on the disc; copied where the rows do not lie end to end.
        right: (n,), whether the CRC holds, where that is known already.

    Raises:
        TypeError: they are no array of uint8.
        ValueError: they are not (n, 12).
    """
    q = _frames(q)
    kinds = _kinds_by_head().take(q.view(np.uint16)[:, 0])
    bcd = _bcd_values()
    lead_out = kinds == QKind.LEAD_OUT
    placed = (kinds == QKind.PROGRAM) | lead_out
    lead_in = kinds == QKind.LEAD_IN
    track = _only(placed, bcd.take(q[:, _TNO]))
    track[lead_out] = LEAD_OUT_TNO
    return QTable(
        q=q,
        right=crc_holds(q) if right is None else right,
        kinds=kinds,
        control=q[:, 0] >> np.uint8(4),
        track=track,
        index=_only(placed, bcd.take(q[:, _INDEX])),
        point=_only(lead_in | (kinds == QKind.POINTER), q[:, _INDEX]),
        relative=_only(placed | lead_in, _times(q[:, RELATIVE])),
        absolute=_only(placed, _times(q[:, ABSOLUTE])),
        aframe=_only((kinds == QKind.CATALOG) | (kinds == QKind.ISRC), bcd.take(q[:, _AFRAME])),
    )


def _counted(rows: Bytes2D) -> list[tuple[bytes, int]]:
    """Return each different row and how often it stands there, the most frequent first.

    Among equally frequent ones the first to come leads.
    """
    if not len(rows):
        return []
    found, firsts, counts = np.unique(rows, axis=0, return_index=True, return_counts=True)
    order = np.lexsort((firsts, -counts))
    return [(found[place].tobytes(), int(counts[place])) for place in order]


def _outvoted(q: Bytes2D, field: slice) -> bytes | None:
    """Return what most frames, bit by bit, have in a field, if it makes any one's CRC right.

    A CRC of 16 bits is right by chance once in 65,536 frames.
    """
    if not len(q):
        return None
    ones = np.unpackbits(q[:, field], axis=1).sum(axis=0)
    voted = np.packbits(ones * 2 > len(q))
    patched = q.copy()
    patched[:, field] = voted
    return voted.tobytes() if crc_holds(patched).any() else None


def _votes(q: Bytes2D, adr: int, field: slice, read: Callable[[bytes], str]) -> Counter[str]:
    """Count what a field says in the frames of a mode, those with a wrong CRC or nonsense apart."""
    rows = q[(q[:, 0] & 15 == adr) & (_bcd_values()[q[:, _AFRAME]] >= 0)]
    votes: Counter[str] = Counter()
    for data, count in _counted(rows[crc_holds(rows), field]):
        try:
            votes[read(data)] += count
        except FormatError:  # a right CRC over nonsense tells as little as a wrong one
            continue
    return votes


def _elected(q: Bytes2D, adr: int, field: slice, read: Callable[[bytes], str]) -> str | None:
    if votes := _votes(q, adr, field, read):
        return votes.most_common(1)[0][0]
    voted = _outvoted(q[q[:, 0] & 15 == adr], _TEXT)
    if voted is not None:
        try:
            return read(voted[: field.stop - field.start])
        except FormatError:
            return None
    return None


def mcn_votes(q: Bytes2D) -> Counter[str]:
    """Count the catalogue numbers in those of some frames (n, 12) whose CRC holds."""
    return _votes(_frames(q), QCatalog.adr, _DIGITS, unpack_mcn)


def isrc_votes(q: Bytes2D) -> Counter[str]:
    """Count the ISRCs in those of some frames (n, 12) whose CRC holds."""
    return _votes(_frames(q), QIsrc.adr, _CODE, unpack_isrc)


def mcn_of(q: Bytes2D) -> str | None:
    """Return the catalogue number that frames (n, 12) agree on, damaged ones if need be.

    None where none tells one; thirteen zeros are none (IEC 60908 17.5.2).
    """
    mcn = _elected(_frames(q), QCatalog.adr, _DIGITS, unpack_mcn)
    return None if mcn == _NO_MCN else mcn


def isrc_of(q: Bytes2D) -> str | None:
    """Return the ISRC that the frames (n, 12) of one track agree on, damaged ones if need be."""
    return _elected(_frames(q), QIsrc.adr, _CODE, unpack_isrc)


def isrcs_by_track(table: QTable) -> dict[int, str]:
    """Return the ISRC of each track that has one.

    A mode 3 frame never stands where the track changes, so it belongs to the track that the last
    right frame before it tells; at the beginning, to that of the next one.
    """
    told = table.right & (table.track > 0) & (table.track != LEAD_OUT_TNO)
    places = np.flatnonzero(told)
    if not len(places):
        return {}
    asked = np.flatnonzero(table.kinds == QKind.ISRC)
    before = np.maximum(np.searchsorted(places, asked) - 1, 0)
    owners = table.track[places[before]]
    found: dict[int, str] = {}
    for track in sorted(set(owners.tolist())):
        isrc = isrc_of(table.q[asked[owners == track]])
        if isrc is not None:
            found[track] = isrc
    return found


def toc_of(q: Bytes2D) -> dict[tuple[int, int], QPointer]:
    """Return the items of the table of contents that a lead-in's frames (n, 12) agree on.

    The running time, another in each frame, is left zero in items of mode 1; in mode 5 its bytes
    have a meaning and stay. CONTROL is voted on apart from the rest.

    Returns:
        Items by ADR, 1 or 5, and POINT as on the disc.
    """
    q = _frames(q)
    adr = q[:, 0] & 15
    items = q[((adr == QPosition.adr) | (adr == POINTER_ADR)) & (q[:, _TNO] == 0)]
    right = crc_holds(items)
    keys = (items[:, 0] & 15).astype(np.int32) << 8 | items[:, _INDEX]
    found: dict[tuple[int, int], QPointer] = {}
    for key in sorted(set(keys.tolist())):  # np.unique would import numpy.ma
        mode, point = key >> 8, key & 0xFF
        group = items[keys == key]
        good = group[right[keys == key]]
        first = ABSOLUTE.start if mode == QPosition.adr else RELATIVE.start
        field = slice(first, ABSOLUTE.stop)
        counted = _counted(good[:, field])
        data = counted[0][0] if counted else _outvoted(group, field)
        if data is None:
            continue
        controls = Counter(((good if len(good) else group)[:, 0] >> 4).tolist())
        whole = bytes(first - RELATIVE.start) + data
        found[mode, point] = QPointer(
            control=controls.most_common(1)[0][0],
            adr=mode,
            point=point,
            running=whole[:3],
            zero=whole[3],
            value=whole[4:],
        )
    return found
