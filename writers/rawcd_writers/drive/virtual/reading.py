"""READ CD from the virtual disc: which bytes of a sector, which subchannel (MMC, READ CD)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from rawcd.disc import TrackMode
from rawcd.sector import SYNC, scramble
from rawcd.source import SECTOR_BYTES as MAIN_BYTES
from rawcd.subcode.interleave import LONGEST_DELAY, deinterleaved
from rawcd.subcode.layouts import PACK_SYMBOLS, SECTOR_PACKS
from rawcd.subcode.parity import corrected
from rawcd.subcode.rows import RW_BITS, pq16_of, pq_of_pw96
from rawcd_writers.drive.virtual.refusals import (
    ILLEGAL_MODE,
    OUT_OF_RANGE,
    READ_ERROR,
    Refusal,
    bad_cdb,
)
from rawcd_writers.drive.virtual.tao import block_indicators

if TYPE_CHECKING:
    from rawcd.disc import Disc, Track
    from rawcd.source import Bytes2D
    from rawcd.subcode.rows import Flags
    from rawcd_writers.drive.virtual.medium import Medium, OpenTrack

_SUBMODE: Final = 18
_FORM_2: Final = 0x20
_C2_BYTES: Final = {0: 0, 1: 294, 2: 296}
_SUB_BYTES: Final = {0: 0, 1: 96, 2: 16, 4: 96}

AUDIO: Final = 1
MODE_1: Final = 2
FORMLESS: Final = 3
FORM_1: Final = 4
FORM_2: Final = 5
"""Expected sector types of READ CD; 0 is any."""

# Where sync, header, subheader, user data, and EDC with parity lie, by kind of sector.
_PARTS: Final[dict[int, tuple[tuple[int, int], ...]]] = {
    MODE_1: ((0, 12), (12, 16), (16, 16), (16, 2064), (2064, 2352)),
    FORMLESS: ((0, 12), (12, 16), (16, 16), (16, 2352), (2352, 2352)),
    FORM_1: ((0, 12), (12, 16), (16, 24), (24, 2072), (2072, 2352)),
    FORM_2: ((0, 12), (12, 16), (16, 24), (24, 2352), (2352, 2352)),
}


def kinds_of(plain: Bytes2D, *, sound: Flags, xa: bool) -> Bytes2D:
    """Return what each sector is, (n,), by its sync, its mode byte and its submode.

    Args:
        plain: (n, 2352), the main channel descrambled.
        sound: (n,), those of sound tracks: they are sound whatever they begin with.
        xa: mode 2 has forms, as the lead-in's disc type tells.
    """
    kinds = np.full(len(plain), AUDIO, np.uint8)
    data = (plain[:, : len(SYNC)] == np.frombuffer(SYNC, np.uint8)).all(axis=1) & ~sound
    mode = plain[:, 15] & 0x1F
    kinds[data & (mode == 1)] = MODE_1
    second = data & (mode == 2)
    kinds[second] = np.where(plain[second, _SUBMODE] & _FORM_2, FORM_2, FORM_1) if xa else FORMLESS
    kinds[data & (mode == 0)] = FORMLESS
    return kinds


class SectorReader:
    """What READ CD asks for, checked.

    Args:
        expected: expected sector type, 0 any.
        parts: byte 9 of the CDB.
        subchannel: byte 10 of the CDB.

    Raises:
        Refusal: there is no such selection.
    """

    def __init__(self, expected: int, parts: int, subchannel: int) -> None:
        if expected > FORM_2:
            raise bad_cdb(1, f"there is no sector type {expected}")
        if parts >> 1 & 3 not in _C2_BYTES:
            raise bad_cdb(9, "error field 11b is reserved")
        if subchannel & 7 not in _SUB_BYTES:
            raise bad_cdb(10, f"there is no subchannel selection {subchannel & 7}")
        self._expected = expected
        self._parts = parts
        self._sub = subchannel & 7
        self._c2 = _C2_BYTES[parts >> 1 & 3]

    def read(self, medium: Medium, lba: int, count: int) -> bytes:
        """Return the bytes of some sectors.

        Raises:
            Refusal: they are not recorded, or of another type.
        """
        if not medium.is_recorded(lba, count):
            raise Refusal(OUT_OF_RANGE, f"LBA {lba} to {lba + count - 1} is not recorded", lba=lba)
        rows = medium.read(lba, count)
        plain = scramble(rows[:, :MAIN_BYTES])
        kinds = kinds_of(plain, sound=_sound(medium, lba, count), xa=_has_forms(medium, lba))
        plain[kinds == AUDIO] = rows[kinds == AUDIO, :MAIN_BYTES]
        if self._expected and (kinds != self._expected).any():
            bad = lba + int((kinds != self._expected).argmax())
            raise Refusal(ILLEGAL_MODE, f"LBA {bad} is of another sector type", lba=bad)
        linked = (kinds != AUDIO) & (block_indicators(plain) != 0)
        if linked.any():
            bad = lba + int(linked.argmax())
            raise Refusal(READ_ERROR, f"LBA {bad} is a link block", lba=bad)
        sub = self._subchannel(medium, lba, rows)
        error = bytes(self._c2)
        if len(set(kinds.tolist())) <= 1:
            main = self._main(plain, int(kinds[0]) if count else AUDIO)
            zeros = np.zeros((count, self._c2), np.uint8)
            return np.hstack([main, zeros, sub]).tobytes()
        pieces = []
        for row, kind, subcode in zip(plain, kinds.tolist(), sub, strict=True):
            pieces += [self._main(row[None], kind).tobytes(), error, subcode.tobytes()]
        return b"".join(pieces)

    def _main(self, plain: Bytes2D, kind: int) -> Bytes2D:
        if self._parts & 0xF8 == 0:
            return plain[:, :0]
        if kind == AUDIO:
            return plain if self._parts & 0x10 or self._parts & 0xF8 == 0xF8 else plain[:, :0]
        sync, header, subheader, user, parity = _PARTS[kind]
        chosen = [
            part
            for part, bit in (
                (sync, 0x80),
                (header, 0x20),
                (subheader, 0x40),
                (user, 0x10),
                (parity, 0x08),
            )
            if self._parts & bit
        ]
        return np.hstack([plain[:, first:end] for first, end in chosen])

    def _subchannel(self, medium: Medium, lba: int, rows: Bytes2D) -> Bytes2D:
        sub = np.ascontiguousarray(rows[:, MAIN_BYTES:])
        if self._sub == 0:
            return sub[:, :0]
        if self._sub == 1:
            return sub
        if self._sub == 2:
            return pq16_of(*pq_of_pw96(sub))
        # R-W: the packs that begin in these sectors reach into the two behind them.
        more = -(-LONGEST_DELAY // SECTOR_PACKS)
        behind = medium.read(lba + len(rows), more)[:, MAIN_BYTES:] & np.uint8(RW_BITS)
        after = behind.reshape(-1, PACK_SYMBOLS)[:LONGEST_DELAY]
        packs, _ = corrected(deinterleaved(sub.reshape(-1, PACK_SYMBOLS), after))
        return packs.reshape(len(rows), -1)


def _sound(medium: Medium, lba: int, count: int) -> Flags:
    """Tell which sectors lie in sound tracks, from index 1 on."""
    found = np.zeros(count, bool)
    tracks: list[Track | OpenTrack] = [*medium.open.tracks]
    if medium.disc is not None:
        tracks += medium.disc.tracks
    for track in tracks:
        if track.mode == TrackMode.AUDIO:
            found[max(track.start_lba - lba, 0) : max(track.end_lba - lba, 0)] = True
    return found


def _has_forms(medium: Medium, lba: int) -> bool:
    """Tell whether mode 2 at an address has forms: the session's disc type says so."""
    disc: Disc | None = medium.disc
    if disc is not None:
        for session in disc.sessions:
            if lba < session.end_lba:
                return session.disc_type != 0
    return medium.open.disc_type != 0
