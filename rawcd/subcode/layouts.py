"""The layouts of a sector's subcode as types, so that none is taken for another.

Three of them measure 96 bytes, and no byte tells which one it is:

* `RawPW`, as on the disc: byte k is the k-th subcode symbol, bit 7 P, bit 6 Q, bits 5..0 R to W
  (MMC, raw P-W).
* `PlanarPW`, channel by channel: twelve bytes of P, twelve of Q, ... twelve of W, first bit first
  (CloneCD's `.sub`).
* `RWPacks`, packs before interleave: bits 5..0 are four packs of 24 symbols (MMC, packed R-W).

`PQ16` holds P and Q alone in 16 bytes. Raw and planar are each other's transposition, bit by bit;
packs and raw differ by the interleave over eight packs, which needs the neighbours of a sector and
is in `interleave`.

Conversions are methods: a layout has those that its bytes allow, and no other can be called.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final, Self, final

import numpy as np

from rawcd.subcode.rows import (
    PQ16_BYTES,
    PW96_BYTES,
    RW_BITS,
    check_rows,
    pq16_of,
    pq_of_pq16,
    pq_of_pw96,
    pw96_of,
)

if TYPE_CHECKING:
    import numpy.typing as npt

    from rawcd.source import Bytes2D
    from rawcd.subcode.rows import Flags

CHANNELS: Final = "PQRSTUVW"
"""The channels in the order of their bits, P in the highest."""
CHANNEL_BYTES: Final = PW96_BYTES // len(CHANNELS)
"""Bytes of one channel in a sector: 96 bits."""
PACK_SYMBOLS: Final = 24
"""Symbols of six bits in an R-W pack (Red Book 18.3; MMC)."""
SECTOR_PACKS: Final = PW96_BYTES // PACK_SYMBOLS
"""Packs in a sector."""

_WINDOW: Final = 1024
"""Sectors that are turned at a time: words and scratch together stay in a level 2 cache."""

_WORD: Final = "<u8"
# Swaps that turn eight bytes on their side, across the diagonal from the first byte's last bit
# to the last byte's first: squares of 1, 2 and 4 bits, each shift one row and one column of them.
_TURNS: Final = (
    (9, 0x0055005500550055),
    (18, 0x0000333300003333),
    (36, 0x000000000F0F0F0F),
)


class _Rows:
    """Sectors of subcode in one layout, one row each.

    The rows are kept, not copied; who hands them over must not change them any more.

    Args:
        rows: (n, width) uint8; rows may be strided.

    Raises:
        TypeError: it is no array of bytes: bytes go through `of_bytes`, and another layout
            through its own conversion.
        ValueError: the rows have another width.
    """

    __slots__ = ("_rows",)
    width: ClassVar[int] = PW96_BYTES
    """Bytes in a row."""

    def __init__(self, rows: Bytes2D) -> None:
        check_rows(rows, self.width, type(self).__name__)
        self._rows = rows

    @classmethod
    def of_bytes(cls, data: bytes) -> Self:
        """Return the sectors of bytes that lie end to end.

        Raises:
            ValueError: they are not whole sectors.
        """
        if len(data) % cls.width:
            raise ValueError(f"{len(data)} bytes are no whole rows of {cls.width}")
        return cls(np.frombuffer(data, np.uint8).reshape(-1, cls.width))

    @property
    def rows(self) -> Bytes2D:
        """The bytes, (n, width)."""
        return self._rows

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, sectors: slice) -> Self:
        return type(self)(self._rows[sectors])

    def __bytes__(self) -> bytes:
        return self._rows.tobytes()

    def __eq__(self, other: object) -> bool:
        """Tell whether the other is of the same layout and holds the same bytes."""
        if type(other) is not type(self):
            return NotImplemented
        return bool(np.array_equal(self._rows, other.rows))

    __hash__ = None  # type: ignore[assignment]  # arrays have no hash either

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {len(self)} sectors>"


@final
class RawPW(_Rows):
    """All eight channels as on the disc: byte k is the k-th symbol, P in bit 7, W in bit 0."""

    __slots__ = ()

    @classmethod
    def of_pq(cls, q: Bytes2D, p: Flags, rw: Bytes2D | None = None) -> Self:
        """Return sectors made of their channels.

        Args:
            q: (n, 12), the CRC inverted as on the disc.
            p: (n,).
            rw: (n, 96), the symbols of R to W in bits 5..0, whatever the others; None is zeros.
        """
        rows = pw96_of(q, p)
        if rw is not None:
            rows |= rw & np.uint8(RW_BITS)
        return cls(rows)

    def pq(self) -> tuple[Bytes2D, Flags]:
        """Return Q (n, 12) and P (n,); P is what most of a sector's 96 bits say."""
        return pq_of_pw96(self.rows)

    def rw(self) -> Bytes2D:
        """Return the symbols of R to W, (n, 96), bits 7 and 6 zero; interleaved, as on the disc."""
        return self.rows & np.uint8(RW_BITS)

    def pq16(self, *, crc_inverted: bool = True) -> PQ16:
        """Return P and Q in 16 bytes; R to W are left out.

        Args:
            crc_inverted: store the CRC as it is on the disc; False stores it as cdrdao does.
        """
        return PQ16(pq16_of(*self.pq(), crc_inverted=crc_inverted))

    def planar(self) -> PlanarPW:
        """Return the same bits, channel by channel."""
        out = np.empty((len(self), PW96_BYTES), np.uint8)
        channels = out.reshape(-1, len(CHANNELS), CHANNEL_BYTES)
        for start in range(0, len(self), _WINDOW):
            words = self.rows[start : start + _WINDOW].copy().view(_WORD)
            _turn(words)
            turned = words.view(np.uint8).reshape(-1, CHANNEL_BYTES, len(CHANNELS))
            channels[start : start + _WINDOW] = turned.transpose(0, 2, 1)
        return PlanarPW(out)


@final
class PlanarPW(_Rows):
    """All eight channels one after another: twelve bytes of P, twelve of Q, ... twelve of W."""

    __slots__ = ()

    @classmethod
    def of_channels(cls, channels: Bytes2D | npt.NDArray[np.uint8]) -> Self:
        """Return sectors of (n, 8, 12): each channel's bytes, P first."""
        return cls(channels.reshape(-1, PW96_BYTES))

    def channel(self, name: str) -> Bytes2D:
        """Return one channel's bytes, (n, 12), a view.

        Args:
            name: a letter of `CHANNELS`.

        Raises:
            ValueError: there is no such channel.
        """
        if len(name) != 1 or name not in CHANNELS:
            raise ValueError(f"no channel {name!r}; there are {', '.join(CHANNELS)}")
        first = CHANNELS.index(name) * CHANNEL_BYTES
        return self.rows[:, first : first + CHANNEL_BYTES]

    def raw(self) -> RawPW:
        """Return the same bits, symbol by symbol as on the disc."""
        out = np.empty((len(self), PW96_BYTES), np.uint8)
        symbols = out.reshape(-1, CHANNEL_BYTES, len(CHANNELS))
        for start in range(0, len(self), _WINDOW):
            rows = self.rows[start : start + _WINDOW]
            channels = rows.reshape(len(rows), len(CHANNELS), CHANNEL_BYTES)
            window = symbols[start : start + _WINDOW]
            window[:] = channels.transpose(0, 2, 1)
            _turn(window.view(_WORD))
        return RawPW(out)


@final
class RWPacks(_Rows):
    """Four R-W packs a sector, before interleave: bits 5..0 hold 24 symbols of each.

    Bits 7 and 6 are part of no pack. They are zero (MMC), or P and Q where an image of type COOKED
    carries them, each in its sector's own bytes.
    """

    __slots__ = ()

    @classmethod
    def of_packs(cls, packs: Bytes2D) -> Self:
        """Return whole sectors of packs (4 n, 24); six bits a symbol are taken.

        Raises:
            TypeError: it is no array of bytes.
            ValueError: the packs do not fill whole sectors.
        """
        check_rows(packs, PACK_SYMBOLS, cls.__name__)
        if len(packs) % SECTOR_PACKS:
            raise ValueError(f"{len(packs)} packs are no whole sectors of {SECTOR_PACKS}")
        return cls((packs & np.uint8(RW_BITS)).reshape(-1, PW96_BYTES))

    def packs(self) -> Bytes2D:
        """Return the packs, (4 n, 24), bits 7 and 6 zero."""
        return (self.rows & np.uint8(RW_BITS)).reshape(-1, PACK_SYMBOLS)


@final
class PQ16(_Rows):
    """P and Q in 16 bytes: Q, its CRC, three zeros, and 80h where P is set (MMC, block type 1)."""

    __slots__ = ()
    width: ClassVar[int] = PQ16_BYTES

    @classmethod
    def of_pq(cls, q: Bytes2D, p: Flags, *, crc_inverted: bool = True) -> Self:
        """Return sectors made of Q (n, 12) and P (n,); see `RawPW.pq16`."""
        return cls(pq16_of(q, p, crc_inverted=crc_inverted))

    def pq(self) -> tuple[Bytes2D, Flags]:
        """Return Q (n, 12) and P (n,); a CRC that was stored uninverted is inverted."""
        return pq_of_pq16(self.rows)

    def raw(self) -> RawPW:
        """Return P and Q as on the disc; R to W are zero."""
        return RawPW.of_pq(*self.pq())


def _turn(words: npt.NDArray[np.uint64]) -> None:
    """Turn the eight bytes of each word on their side, in place: bit by bit, first bit first.

    Byte c, bit k from the top becomes byte k, bit c from the top; twice is nothing.

    Args:
        words: the first byte is the lowest, whatever the machine's order.
    """
    for shift, mask in _TURNS:
        moved = words >> np.uint64(shift)
        moved ^= words
        moved &= np.uint64(mask)
        words ^= moved
        moved <<= np.uint64(shift)
        words ^= moved
