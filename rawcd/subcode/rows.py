"""The subcode of many sectors at once, as arrays: one row a sector.

Three forms: Q of 12 bytes with P as one flag (P is constant inside a sector), the PQ form of
16 bytes (MMC data block type 1), and raw P-W of 96 bytes (block types 2 and 3: byte k is the
k-th subcode symbol, bit 7 P, bit 6 Q, bits 5..0 R to W).

Tables are made at first use and shared; no function keeps state.
"""

from __future__ import annotations

from functools import cache
from typing import Final, cast

import numpy as np
import numpy.typing as npt

from rawcd.msf import LEAD_IN_WRAP
from rawcd.subcode.frame import Q_BYTES, Q_POSITION_LAYOUT, field_offsets, q_crc

Bytes1D = npt.NDArray[np.uint8]
Bytes2D = npt.NDArray[np.uint8]
Flags = npt.NDArray[np.bool_]
Words = npt.NDArray[np.uint16]

PQ16_BYTES: Final = 16
PW96_BYTES: Final = 96
P_BIT: Final = 0x80
Q_BIT: Final = 0x40
RW_BITS: Final = 0x3F

OFFSETS: Final = field_offsets(Q_POSITION_LAYOUT)
"""First byte of each field of a mode 1 frame."""
RELATIVE: Final = slice(OFFSETS["relative"], OFFSETS["relative"] + 3)
ABSOLUTE: Final = slice(OFFSETS["absolute"], OFFSETS["absolute"] + 3)
_CRC: Final = OFFSETS["crc"]


def check_rows(rows: Bytes2D, width: int, what: str) -> None:
    """Refuse what is no array of rows, at the doors through which a program hands them over.

    Args:
        rows: what was given.
        width: bytes in a row.
        what: what a message calls it.

    Raises:
        TypeError: it is no array of uint8.
        ValueError: it has another shape than (n, width).
    """
    if not isinstance(cast("object", rows), np.ndarray) or rows.dtype != np.uint8:
        given = getattr(rows, "dtype", type(rows).__name__)
        raise TypeError(f"{what} takes an array of uint8, not {given}")
    if rows.ndim != 2 or rows.shape[1] != width:
        raise ValueError(f"{what} takes rows of {width} bytes, not {rows.shape}")


@cache
def msf_bcd() -> Bytes2D:
    """Return (450000, 3): every linear time from 00:00:00 to 99:59:74 as BCD minute, second, frame.

    Read-only; the row of an LBA is `rawcd.msf.linear_frames(lba)`.
    """
    numbers = np.arange(100, dtype=np.uint8)
    bcd = numbers // 10 * 16 + numbers % 10
    table = np.empty((100, 60, 75, 3), np.uint8)
    table[..., 0] = bcd[:, None, None]
    table[..., 1] = bcd[:60, None]
    table[..., 2] = bcd[:75]
    table.flags.writeable = False
    return table.reshape(LEAD_IN_WRAP, 3)


@cache
def _crc_shares() -> Words:
    """Return (10, 256): what each value of each byte before the CRC adds to it, inversion apart.

    The CRC is linear, so a frame's is the XOR of its bytes' shares. Words are in the disc's
    byte order, whatever the machine's.
    """
    zero = q_crc(bytes(10))
    shares = np.empty((10, 256), ">u2")
    for position in range(10):
        for value in range(256):
            body = bytes(position) + bytes([value]) + bytes(9 - position)
            shares[position, value] = q_crc(body) ^ zero
    return shares.view(np.uint16)


@cache
def time_crc(field: str) -> Words:
    """Return (450000,): what each linear time in the field adds to the CRC, in disc byte order.

    Args:
        field: `"relative"` or `"absolute"`.
    """
    shares = _crc_shares()[OFFSETS[field] :]
    table = msf_bcd()
    words: Words = shares[0][table[:, 0]] ^ shares[1][table[:, 1]] ^ shares[2][table[:, 2]]
    words.flags.writeable = False
    return words


def disc_word(crc: int) -> np.uint16:
    """Return a CRC as the word whose bytes in memory are those on the disc."""
    return np.uint16(np.frombuffer(crc.to_bytes(2, "big"), np.uint16)[0])


def crc_words(q: Bytes2D) -> Words:
    """Return the right CRC of each row of (n, 12) or (n, 10), in disc byte order."""
    shares = _crc_shares()
    words = np.full(len(q), disc_word(q_crc(bytes(10))), np.uint16)
    for position in range(10):
        words ^= shares[position][q[:, position]]
    return words


def put_crc(q: Bytes2D, words: Words) -> None:
    """Write CRC words in disc byte order into C-contiguous rows of 12 bytes."""
    q.view(np.uint16)[:, _CRC // 2] = words


def crc_holds(q: Bytes2D) -> Flags:
    """Tell for each row of C-contiguous (n, 12) whether its CRC is right."""
    return np.equal(crc_words(q), q.view(np.uint16)[:, _CRC // 2])


@cache
def _spreading() -> npt.NDArray[np.uint64]:
    """Return (256,): eight bytes a value, Q_BIT where the value has a one, first bit first."""
    bits = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1)
    return (bits * np.uint8(Q_BIT)).view(np.uint64).reshape(-1)


def pw96_of(q: Bytes2D, p: Flags) -> Bytes2D:
    """Return (n, 96): P in bit 7 and Q in bit 6 of every byte, R to W zero."""
    words = _spreading()[q]
    if p.any():
        words |= np.where(p, np.uint64(P_BIT * 0x0101010101010101), np.uint64(0))[:, None]
    return words.view(np.uint8)


def pq_of_pw96(rows: Bytes2D) -> tuple[Bytes2D, Flags]:
    """Return Q (n, 12) and P (n,) of raw P-W rows; P is what most of its 96 bits say."""
    q = np.packbits(rows & Q_BIT, axis=1)
    p = (rows >> 7).sum(axis=1, dtype=np.int16) > PW96_BYTES // 2
    return q, p


def pq16_of(q: Bytes2D, p: Flags, *, crc_inverted: bool = True) -> Bytes2D:
    """Return (n, 16): Q and its CRC, three zeros, and 80h where P is set.

    Args:
        q: (n, 12), the CRC inverted as on the disc.
        p: (n,).
        crc_inverted: keep it so; False stores it as cdrdao does.
    """
    rows = np.zeros((len(q), PQ16_BYTES), np.uint8)
    rows[:, :Q_BYTES] = q
    if not crc_inverted:
        rows[:, _CRC:Q_BYTES] ^= 0xFF
    rows[:, -1] = p * np.uint8(P_BIT)
    return rows


def pq_of_pq16(rows: Bytes2D) -> tuple[Bytes2D, Flags]:
    """Return Q (n, 12) and P (n,) of 16-byte rows; a CRC stored uninverted is inverted.

    Both ways of storing it exist, and a frame whose CRC holds in neither is left as it is.
    """
    q = rows[:, :Q_BYTES].copy()
    other = q.copy()
    other[:, _CRC:] ^= 0xFF
    uninverted = ~crc_holds(q) & crc_holds(other)
    q[uninverted] = other[uninverted]
    return q, (rows[:, -1] & P_BIT) != 0
