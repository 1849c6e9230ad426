"""Sectors mended by their own parity (ECMA-130 annex A: a Reed-Solomon product code).

Each byte from the header on lies in one P and one Q codeword, each of which tells one wrong symbol,
or puts back two whose places are known. Passes over the P and the Q codewords take turns until
the EDC holds. All damaged sectors go through a pass together.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from rawcd import ecc
from rawcd.sector.codec import DEFAULT_SUBHEADERS, encode_block
from rawcd.sector.defects import verify
from rawcd.sector.kinds import SYNC, SectorType
from rawcd.sector.layouts import field_slice
from rawcd.sector.rows import (
    HEAD_BYTES,
    SUBMODE_BYTE,
    any_in,
    as_sectors,
    edc_rows,
    form_2,
    heads_of,
    lbas_of,
    loaded_edc,
    room_for,
    workspace_for,
)
from rawcd.source import SECTOR_BYTES

if TYPE_CHECKING:
    import numpy.typing as npt

    from rawcd.sector.defects import Defects
    from rawcd.sector.rows import Flags, LbaLike, Lbas, SectorsLike
    from rawcd.source import Bytes2D

_PASSES: Final = 12  # what still changes after as many runs in circles
_AT_ONCE: Final = ecc.SMALL_BLOCK
_CODED_KINDS: Final = (SectorType.MODE1, SectorType.MODE2FORM1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """What `repair` did.

    Attributes:
        sectors: (n, 2352); those that could not be mended are as they were.
        found: (n,) `Defect` flags before, as `verify` tells them.
        left: (n,) `Defect` flags now.
    """

    sectors: Bytes2D
    found: Defects
    left: Defects

    @property
    def mended(self) -> Flags:
        """(n,): which sectors were wrong and are right now."""
        answer: Flags = (self.found != 0) & (self.left == 0)
        return answer

    @property
    def failed(self) -> Flags:
        """(n,): which sectors are still wrong, and untouched."""
        answer: Flags = self.left != 0
        return answer


def repair(
    sectors: SectorsLike,
    lba: LbaLike,
    sector_type: SectorType,
    *,
    erasures: Flags | None = None,
    out: Bytes2D | None = None,
) -> Repair:
    """Mend what can be mended, and say what cannot.

    Sync and header are made anew from the address. In mode 1 and form 1 the other bytes are
    corrected until the EDC holds; then zeros and parity are made anew. A sector that is not
    without fault after that stays as it was, byte for byte. So does one of whose sync pattern,
    header and EDC none bears witness to what it was, as the zeros that a reader leaves of a sector
    it could not read.

    Args:
        sectors: (n, 2352), not scrambled, rows may be strided; or flat bytes.
        lba: the first sector's address, or each sector's.
        sector_type: what the sectors should be.
        erasures: bytes known to be doubtful, (2352,) or (n, 2352), true where they are; with
            them two bytes of each codeword can be put back.
        out: where the result goes, (n, 2352); `sectors` itself for in place, default a new array.

    Raises:
        FormatError: flat bytes are no whole sectors.
        ValueError: an address outside -45,150..404,849, or an array that does not fit.
    """
    kind = SectorType(sector_type).cooked
    sectors = as_sectors(sectors)
    lbas = lbas_of(lba, len(sectors))
    doubtful = np.zeros((1, SECTOR_BYTES), np.bool_)
    if erasures is not None:
        doubtful = np.atleast_2d(np.asarray(erasures, dtype=np.bool_))
    if doubtful.shape not in ((1, SECTOR_BYTES), sectors.shape):
        raise ValueError(f"erasures {doubtful.shape} for sectors {sectors.shape}")
    doubtful = np.broadcast_to(doubtful, sectors.shape)
    result = room_for(out, (len(sectors), SECTOR_BYTES))
    found = verify(sectors, lbas, kind)
    if result is not sectors:
        np.copyto(result, sectors)
    left = found.copy()
    damaged = np.flatnonzero(found)
    for start in range(0, len(damaged), _AT_ONCE):
        some = damaged[start : start + _AT_ONCE]
        for form, whose in _forms_of(kind, result[some]):
            which = some[whose]
            which = which[left[which] != 0]
            if not len(which):
                continue
            tried = _mend(result[which], lbas[which], form, doubtful[which])
            right = verify(tried, lbas[which], kind) == 0
            result[which[right]] = tried[right]
            left[which[right]] = 0
    return Repair(sectors=result, found=found, left=left)


def _forms_of(kind: SectorType, sectors: Bytes2D) -> list[tuple[SectorType, Flags]]:
    """Return what to try, and on which sectors.

    A mixed sector is taken for what it tells first, then, where the two copies of its submode
    disagree, for the other form.
    """
    if kind is not SectorType.MODE2MIXED:
        return [(kind, np.ones(len(sectors), np.bool_))]
    first = form_2(sectors)
    unsure = first != form_2(sectors, SUBMODE_BYTE + 4)
    return [
        (SectorType.MODE2FORM1, ~first),
        (SectorType.MODE2FORM2, first),
        (SectorType.MODE2FORM1, first & unsure),
    ]


def _mend(sectors: Bytes2D, lbas: Lbas, kind: SectorType, doubtful: Flags) -> Bytes2D:
    """Return the best that can be made of at most 64 sectors; it may still be wrong."""
    heads = heads_of(lbas, kind.mode or 0)
    mended = sectors.copy()
    mended[:, :HEAD_BYTES] = heads
    if kind is SectorType.MODE_ZERO:
        mended[:, HEAD_BYTES:] = 0
    elif kind in _CODED_KINDS:
        # The EDC as it was found is asked too: mode 1's covers the header, so where it holds with
        # another address the user data is right and the sector was made for another place.
        done = _edc_holds(sectors, kind)
        known = np.zeros(SECTOR_BYTES, np.bool_)
        known[:HEAD_BYTES] = known[_zeros_of(kind)] = True
        mended[:, _zeros_of(kind)] = 0
        done |= _edc_holds(mended, kind)
        for erased, q_first in ((True, False), (True, True), (False, False), (False, True)):
            todo = np.flatnonzero(~done)
            if erased:
                todo = todo[doubtful[todo].any(axis=1)]
            if not len(todo):
                continue
            erasures = doubtful[todo] & ~known & erased
            work, holds = _take_turns(mended[todo], kind, erasures, known, q_first=q_first)
            mended[todo[holds]] = work[holds]
            done[todo[holds]] = True
        _make_anew(mended, lbas, kind, done)
    lost = _is_lost(sectors, mended, heads, kind)
    mended[lost] = sectors[lost]
    return mended


def _make_anew(sectors: Bytes2D, lbas: Lbas, kind: SectorType, chosen: Flags) -> None:
    """Make everything but subheader and user data anew, in place, in the chosen sectors."""
    if not chosen.any():
        return
    some = sectors[chosen]
    whole = np.empty_like(some)
    xa = kind in DEFAULT_SUBHEADERS
    encode_block(
        kind,
        some[:, field_slice(kind, "user")],
        lbas[chosen],
        whole,
        subheaders=some[:, HEAD_BYTES : HEAD_BYTES + 8] if xa else None,
    )
    sectors[chosen] = whole


def _is_lost(sectors: Bytes2D, mended: Bytes2D, heads: Bytes2D, kind: SectorType) -> Flags:
    """Tell which sectors have nothing left that shows that they are what they should be.

    Neither the sync pattern nor the header is right, and no EDC bears witness: the kind has none,
    or it is the EDC of nothing but zeros, as in what a reader leaves of a sector it could not read.
    """
    wrong = sectors[:, :HEAD_BYTES] != heads
    witness: Flags = np.zeros(len(sectors), np.bool_)
    if kind in _CODED_KINDS:
        witness = any_in(mended[:, HEAD_BYTES:], 1)
    elif kind is SectorType.MODE2FORM2:
        witness = any_in(mended[:, field_slice(kind, "edc")], 1)
    lost: Flags = any_in(wrong[:, : len(SYNC)], 1) & any_in(wrong[:, len(SYNC) :], 1) & ~witness
    return lost


def _zeros_of(kind: SectorType) -> slice:
    return field_slice(kind, "zeros") if kind is SectorType.MODE1 else slice(0, 0)


def _edc_holds(sectors: Bytes2D, kind: SectorType) -> Flags:
    """Tell which sectors' EDC fits; mode 1's as if the sync pattern were right."""
    room = workspace_for(len(sectors))
    first, edc_row = edc_rows(kind)
    room.load(sectors, first, edc_row + 2)
    wrong = loaded_edc(room, kind) != room.rows[edc_row : edc_row + 2]
    return ~any_in(wrong[:, : len(sectors)], 0)


def _take_turns(
    sectors: Bytes2D, kind: SectorType, erasures: Flags, known: Flags, *, q_first: bool
) -> tuple[Bytes2D, Flags]:
    """Correct P and Q codewords by turns until the EDC holds or nothing changes any more.

    Args:
        sectors: (n, 2352), their sync, header and zeros already as they must be; not changed.
        kind: mode 1 or form 1.
        erasures: (n, 2352), none of them among the known bytes.
        known: (2352,), bytes that are right for certain.
        q_first: which pass comes first.

    Returns:
        The sectors (form 1 with a zero header), and for which the EDC holds.
    """
    work = sectors.copy()
    if kind is SectorType.MODE2FORM1:
        work[:, len(SYNC) : HEAD_BYTES] = 0  # as the parity has it (Green Book)
    doubtful = erasures.copy()
    holds = np.zeros(len(work), np.bool_)
    idle = np.zeros(len(work), np.int64)
    for turn in range(_PASSES):
        todo = np.flatnonzero(~holds & (idle < 2))
        if not len(todo):
            break
        some, some_doubtful = work[todo], doubtful[todo]
        code = _codewords()[(turn + q_first) % 2]
        changed = _correct(some, some_doubtful, code, known)
        work[todo], doubtful[todo] = some, some_doubtful
        idle[todo] = np.where(changed, 0, idle[todo] + 1)
        holds[todo] = changed & _edc_holds(some, kind)
    return work, holds


class _Field(NamedTuple):
    """GF(2^8) with 0x11D and alpha = 2 (ECMA-130 annex A.3)."""

    power: npt.NDArray[np.uint8]
    """(512,): alpha^i, more than once round, so that sums of two logarithms need no modulo."""
    log: npt.NDArray[np.int64]
    """(256,): the logarithm; that of zero is meaningless."""
    scaled: npt.NDArray[np.uint8]
    """(45, 256): each byte times alpha^i."""


@cache
def _field() -> _Field:
    power = np.zeros(512, np.uint8)
    log = np.zeros(256, np.int64)
    value = 1
    for exponent in range(255):
        power[exponent] = value
        log[value] = exponent
        value = ecc.times_alpha(value)
    power[255:510] = power[:255]
    scaled = np.zeros((ecc.Q_DATA + 2, 256), np.uint8)
    for exponent, row in enumerate(scaled):
        row[1:] = power[exponent + log[1:]]
    return _Field(power, log, scaled)


@cache
def _codewords() -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Return which bytes of the sector each P and each Q codeword has: (86, 26) and (52, 45).

    Data first, highest power first, then the two parity symbols (ECMA-130 annex A.5, A.6).
    """
    column = np.arange(2 * ecc.P_COLUMNS)[:, np.newaxis]
    p = ecc.FIRST_BYTE + column + 2 * ecc.P_COLUMNS * np.arange(ecc.P_DATA + 2)
    diagonal, plane = np.divmod(np.arange(2 * ecc.Q_DIAGONALS), 2)
    words = ecc.P_COLUMNS * diagonal[:, np.newaxis] + (ecc.P_COLUMNS + 1) * np.arange(ecc.Q_DATA)
    parity = ecc.Q_ROW + diagonal[:, np.newaxis] + ecc.Q_DIAGONALS * np.arange(2)
    rows = np.hstack([words % ecc.Q_ROW, parity])
    return p, ecc.FIRST_BYTE + 2 * rows + plane[:, np.newaxis]


def _correct(
    sectors: Bytes2D, erasures: Flags, codewords: npt.NDArray[np.intp], known: Flags
) -> Flags:
    """Correct each codeword once, in place; no byte is in two codewords of a pass.

    With up to one erasure, one wrong symbol is found where it is; with two, both are solved for.
    Erasures of codewords that check afterwards are cleared.

    Returns:
        (n,): in which sectors a byte changed.
    """
    field = _field()
    length = codewords.shape[1]
    highest = length - 1
    symbols = sectors[:, codewords]
    total = np.bitwise_xor.reduce(symbols, axis=2)
    weights = np.arange(highest, -1, -1)
    weighted = np.bitwise_xor.reduce(field.scaled[weights, symbols], axis=2)
    wrong = (total | weighted) != 0
    doubts = erasures[:, codewords]
    count = doubts.sum(axis=2)

    changed = np.zeros(len(sectors), np.bool_)
    settled = ~wrong & (count <= 2)

    one = (total != 0) & (weighted != 0) & (count <= 1)
    exponent = (field.log[weighted] - field.log[total]) % 255
    one &= exponent <= highest
    where = codewords[np.arange(len(codewords)), np.where(one, highest - exponent, 0)]
    one &= ~known[where]
    sector, codeword = np.nonzero(one)
    sectors[sector, where[one]] ^= total[one]
    changed[sector] = True
    settled |= one

    sector, codeword = np.nonzero(wrong & (count == 2))
    if len(sector):
        pair = doubts[sector, codeword]
        left, right = pair.argmax(axis=1), highest - pair[:, ::-1].argmax(axis=1)
        a_left, a_right = field.power[highest - left], field.power[highest - right]
        plain, scaled = total[sector, codeword], weighted[sector, codeword]
        dividend = scaled ^ field.scaled[highest - right, plain]
        divisor = field.log[a_left ^ a_right]
        first = np.where(dividend, field.power[field.log[dividend] - divisor + 255], 0)
        sectors[sector, codewords[codeword, left]] ^= first.astype(np.uint8)
        sectors[sector, codewords[codeword, right]] ^= plain ^ first.astype(np.uint8)
        changed[sector] = True
        settled[sector, codeword] = True

    sector, codeword = np.nonzero(settled)
    erasures[sector[:, np.newaxis], codewords[codeword]] = False
    return changed
