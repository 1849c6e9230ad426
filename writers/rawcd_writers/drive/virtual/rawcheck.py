"""What a strict recorder looks at while it is written raw: every frame of Q, every header.

In raw writing (MMC, write type 3) the host makes lead-in, subcode and scrambling itself. A real
drive believes it; this one checks each sector against the session's own lead-in, in arrays, as it
comes: the table of contents is complete and does not contradict itself; every Q frame has a right
CRC and tells its own address, track, index and relative time; sectors of data tracks begin with
sync and a scrambled header of their own address.

What real programs are known to do and players forgive is no refusal but a remark: both ways of
counting in pregaps and lead-in are right; a stale ZERO byte, an unscrambled blank, P that is
missing before a track and codes that come seldom are habits. What lies inside of a data sector,
EDC and parity, is the host's own affair, as with a real drive.
"""

from __future__ import annotations

import itertools
from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from rawcd.disc import MAX_TRACKS, DiscType
from rawcd.errors import FormatError
from rawcd.msf import LEAD_IN_WRAP, PROGRAM_LBA, Msf, linear_frames
from rawcd.sector import SYNC, scramble
from rawcd.subcode.frame import (
    LEAD_OUT_TNO,
    POINT_FIRST_TRACK,
    POINT_LAST_TRACK,
    POINT_LEAD_OUT,
    POINTER_ADR,
    from_bcd,
    to_bcd,
)
from rawcd.subcode.rows import ABSOLUTE, OFFSETS, RELATIVE, crc_holds, msf_bcd
from rawcd_writers.drive.virtual.refusals import (
    END_OF_TRACK,
    ILLEGAL_MODE,
    INVALID_VALUE,
    Refusal,
)

if TYPE_CHECKING:
    from rawcd.source import Bytes2D
    from rawcd.subcode.rows import Bytes1D, Flags

_TNO: Final = OFFSETS["track"]
_INDEX: Final = OFFSETS["index"]
_ZERO: Final = OFFSETS["zero"]
_AFRAME: Final = 9
_DATA: Final = 0x40
"""The data bit of CONTROL in the first byte of Q."""
_HEADER: Final = slice(12, 16)
_LAST_MODE: Final = 2
_POINT_BYTES: Final = (0, 2, 6, 7, 8, 9)
"""What two frames of one item of the table of contents share: all but the running time."""
_ISRC_ADR: Final = 3
_CODES: Final = {2: "sparse-catalogue-number", _ISRC_ADR: "sparse-isrc"}
_CODE_SECTORS: Final = 100
_BLANK: Final = slice(16, 80)
"""Bytes of a scrambled sector that cannot all be zero."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TocEntry:
    """A track as the lead-in tells it."""

    number: int
    control: int
    start_lba: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RawToc:
    """A lead-in's table of contents.

    Attributes:
        tracks: by number.
        lead_out_lba: where the lead-out begins.
    """

    tracks: tuple[TocEntry, ...]
    lead_out_lba: int


def _wrong(why: str, lba: int) -> Refusal:
    return Refusal(INVALID_VALUE, f"LBA {lba}: {why}", lba=lba)


def _first(where: Flags) -> int:
    return int(where.argmax())


class RawCheck:
    """The checks of one session, in order of its sectors.

    Args:
        lead_in_lba: its first sector.
        program_lba: where its program area begins: -150 on a blank.
        next_track: the lowest number that its first track may have.
        last_lead_out_lba: where its lead-out may begin at the latest.

    Attributes:
        toc: once the lead-in is whole.
        remarks: habits that were seen, each with its first address and how often.
    """

    def __init__(
        self, lead_in_lba: int, program_lba: int, next_track: int, last_lead_out_lba: int
    ) -> None:
        self._lead_in_lba = lead_in_lba
        self._program_lba = program_lba
        self._next_track = next_track
        self._last_lead_out_lba = last_lead_out_lba
        self.toc: RawToc | None = None
        self.remarks: dict[str, tuple[int, int]] = {}
        self._items: dict[int, tuple[bytes, ...]] = {}
        self._known = np.zeros((2, 256, 10), np.uint8)
        self._seen = np.zeros((2, 256), bool)
        self._running: str | None = None
        self._data = False  # the last position frame's
        self._index = 0
        self._mcn: bytes | None = None
        self._told: dict[int, int] = {}  # where the last frame of a kind was

    def remark(self, habit: str, lba: int, count: int = 1) -> None:
        """Note a habit that is no fault."""
        first, times = self.remarks.get(habit, (lba, 0))
        self.remarks[habit] = first, times + count

    def take(self, lba: int, main: Bytes2D, q: Bytes2D, p: Flags) -> None:
        """Check sectors that follow each other.

        Args:
            lba: the first one's address.
            main: (n, 2352).
            q: (n, 12), C-contiguous.
            p: (n,).

        Raises:
            Refusal: one breaks a rule; none of them is to be recorded.
        """
        end = lba + len(q)
        right = crc_holds(q)
        if not right.all():
            bad = _first(~right)
            raise _wrong(f"the CRC of Q frame {q[bad].tobytes().hex()} is wrong", lba + bad)
        at = lba
        while at < end:
            area_end = self._area_end(at)
            part = slice(at - lba, min(area_end, end) - lba)
            if at < self._program_lba:
                self._lead_in(at, q[part])
            elif self.toc is not None and at >= self.toc.lead_out_lba:
                self._lead_out(at, q[part])
            else:
                self._program(at, q[part])
            at = lba + part.stop
        self._main(lba, main, q)
        if self.toc is not None:
            self._habits(lba, q, p, self.toc)

    def _area_end(self, lba: int) -> int:
        """Return where the area or track that an address lies in ends."""
        if lba < self._program_lba:
            return self._program_lba
        toc = self.toc or self._table(lba)
        self.toc = toc
        borders = [*(track.start_lba for track in toc.tracks), toc.lead_out_lba]
        return next((border for border in borders if border > lba), LEAD_IN_WRAP)

    # Lead-in

    def _lead_in(self, lba: int, q: Bytes2D) -> None:
        adr = q[:, 0] & np.uint8(15)
        kinds = (adr == 1) | (adr == POINTER_ADR)
        placed = ~kinds | (q[:, _TNO] == 0)
        if not placed.all():
            bad = lba + _first(~placed)
            raise _wrong("TNO is not 00 in the lead-in", bad)
        if not (kinds | (adr == 2)).all():
            bad = _first(~(kinds | (adr == 2)))
            raise _wrong(f"ADR {adr[bad]} has no place in a lead-in", lba + bad)
        five = (adr == POINTER_ADR).astype(np.intp)
        points = q[:, _INDEX]
        known = self._seen[five, points]
        for new in np.flatnonzero(~known & kinds).tolist():
            which, point = int(five[new]), int(points[new])
            if not self._seen[which, point]:
                self._seen[which, point] = True
                self._known[which, point] = q[new, :10]
        held = self._known[five, points]
        same = (q[:, _POINT_BYTES] == held[:, _POINT_BYTES]).all(axis=1)
        if five.any():
            whole = (q[:, :10] == held).all(axis=1)
            same &= whole | (five == 0)
        if not (same | ~kinds).all():
            bad = _first(~(same | ~kinds))
            raise _wrong(
                f"point {points[bad]:02X}h contradicts an earlier frame of the lead-in", lba + bad
            )
        self._check_running(lba, q, adr == 1)

    def _check_running(self, lba: int, q: Bytes2D, timed: Flags) -> None:
        table = msf_bcd()
        first, elapsed = linear_frames(lba), lba - self._lead_in_lba
        times = q[:, RELATIVE]
        ways = {
            "address": table[np.arange(first, first + len(q)) % LEAD_IN_WRAP],
            "elapsed": table[elapsed : elapsed + len(q)],
        }
        for way, right in ways.items():
            if self._running in (None, way) and (((times == right).all(axis=1) | ~timed).all()):
                if timed.any():
                    self._running = way
                return
        raise _wrong("the lead-in's running time is neither the address nor counts from 0", lba)

    def _table(self, lba: int) -> RawToc:
        """Return the table of contents, once its last frame has come.

        Raises:
            Refusal: it is not whole, or is of no disc.
        """

        def item(point: int, what: str) -> Bytes2D:
            if not self._seen[0, point]:
                raise _wrong(f"the lead-in has no {what} (point {point:02X}h)", lba)
            row: Bytes2D = self._known[0, point]
            return row

        ends = [item(POINT_FIRST_TRACK, "first track"), item(POINT_LAST_TRACK, "last track")]
        lead_out = item(POINT_LEAD_OUT, "start of the lead-out")
        try:
            first, last = (from_bcd(int(each[ABSOLUTE][0])) for each in ends)
            if not self._next_track <= first <= last <= MAX_TRACKS:
                raise _wrong(f"tracks {first} to {last} cannot follow here", lba)
            DiscType(int(ends[0][ABSOLUTE][1]))
            entries = tuple(
                TocEntry(
                    number=number,
                    control=int(row[0]) >> 4,
                    start_lba=_lba(row),
                )
                for number in range(first, last + 1)
                for row in (item(to_bcd(number), f"track {number}"),)
            )
            lead_out_lba = _lba(lead_out)
        except (FormatError, ValueError) as error:
            raise _wrong(f"the table of contents holds no numbers: {error}", lba) from error
        points = set(np.flatnonzero(self._seen[0]).tolist())
        extra = points - {to_bcd(entry.number) for entry in entries} - {0xA0, 0xA1, 0xA2}
        if extra:
            raise _wrong(f"the lead-in has points that no track has: {sorted(extra)}", lba)
        places = [*(entry.start_lba for entry in entries), lead_out_lba]
        if any(after <= before for before, after in itertools.pairwise(places)):
            raise _wrong(f"the starts in the table of contents {places} do not rise", lba)
        if places[0] < self._program_lba + 150:
            raise _wrong(f"the first track begins at LBA {places[0]}: its pregap is too short", lba)
        if lead_out_lba > self._last_lead_out_lba:
            raise Refusal(
                END_OF_TRACK,
                f"the lead-out would begin at LBA {lead_out_lba}; the blank's last is "
                f"{self._last_lead_out_lba}",
                lba=lead_out_lba,
            )
        return RawToc(tracks=entries, lead_out_lba=lead_out_lba)

    # Program area and lead-out

    def _program(self, lba: int, q: Bytes2D) -> None:
        """Check a stretch between two borders of the table of contents."""
        assert self.toc is not None
        toc, count = self.toc, len(q)
        starts = [track.start_lba for track in toc.tracks]
        place = int(np.searchsorted(starts, lba, side="right")) - 1
        following = toc.tracks[place + 1] if place + 1 < len(toc.tracks) else None
        adr = q[:, 0] & np.uint8(15)
        position = self._position_frames(lba, q, adr, (1, 2, 3))
        index, tno = q[:, _INDEX], q[:, _TNO]
        addresses = np.arange(lba, lba + count)
        in_gap = np.zeros(count, bool)
        if following is not None:
            in_gap = position & (tno == to_bcd(following.number))
        if place >= 0:
            own = position & (tno == to_bcd(toc.tracks[place].number))
        else:
            own = np.zeros(count, bool)
        lost = position & ~own & ~in_gap
        if lost.any():
            bad = _first(lost)
            raise _wrong(f"Q tells track {tno[bad]:02x}h where the lead-in has another", lba + bad)
        table = msf_bcd()
        if in_gap.any():
            assert following is not None
            left = following.start_lba - addresses[in_gap]
            times = q[in_gap, RELATIVE]
            down = (times == table[left - 1]).all(axis=1) | (times == table[left]).all(axis=1)
            wrong = (index[in_gap] != 0) | ~down
            if wrong.any():
                bad = int(addresses[in_gap][_first(wrong)])
                raise _wrong("a pregap has index 00 and counts down to its track", bad)
            after = np.flatnonzero(in_gap)[0]
            if own[after:].any():
                raise _wrong("the track before goes on behind a pregap's beginning", lba + after)
        if own.any():
            self._own_frames(lba, q, own, toc.tracks[place])
        if lba in starts and not own[0]:
            raise _wrong("the first frame of a track must tell its track and index", lba)

    def _own_frames(self, lba: int, q: Bytes2D, own: Flags, track: TocEntry) -> None:
        frames = q if own.all() else q[own]
        where = np.flatnonzero(own) + lba
        wrong = (frames[:, RELATIVE] != msf_bcd()[where - track.start_lba]).any(axis=1)
        if wrong.any():
            raise _wrong("the relative time is not that of its place", int(where[_first(wrong)]))
        if ((frames[:, 0] >> 4 ^ track.control) & 4).any():
            raise _wrong("CONTROL tells data where the lead-in tells sound, or the reverse", lba)
        indexes = frames[:, _INDEX]
        before = 1 if lba == track.start_lba else self._index
        if lba == track.start_lba and indexes[0] != 1:
            raise _wrong("a track begins with index 01", lba)
        if indexes[0] != before or indexes[-1] != before or (indexes != before).any():
            rises = np.diff(indexes.astype(np.int16), prepend=before)
            for at in np.flatnonzero(rises).tolist():
                last, now = (int(indexes[at]) - int(rises[at]), int(indexes[at]))
                if now != to_bcd(min(_number(last, lba) + 1, 99)):
                    raise _wrong(f"index {now:02x} follows index {last:02x}", int(where[at]))
        self._index = int(indexes[-1])

    def _position_frames(
        self, lba: int, q: Bytes2D, adr: Bytes1D, allowed: tuple[int, ...]
    ) -> Flags:
        """Check modes and addresses; return which frames are of mode 1."""
        position: Flags = adr == 1
        first = linear_frames(lba)
        times = msf_bcd()[first : first + len(q)]
        if position.all():
            wrong = (q[:, ABSOLUTE] != times).any(axis=1)
        else:
            other = ~position
            if not np.isin(adr[other], allowed).all():
                bad = lba + _first(~np.isin(adr, allowed))
                raise _wrong(f"ADR {adr[bad - lba]} has no place here", bad)
            wrong = (q[:, ABSOLUTE] != times).any(axis=1) & position
            text = (adr == 2) | (adr == 3)
            wrong |= text & (q[:, _AFRAME] != times[:, 2])
            self._texts(lba, q, adr)
        if wrong.any():
            bad = _first(wrong)
            raise _wrong(f"the Q frame {q[bad].tobytes().hex()} is of another address", lba + bad)
        stale = position & (q[:, _ZERO] != 0)
        if stale.any():
            self.remark("stale-zero-byte", lba + _first(stale), int(stale.sum()))
        return position

    def _texts(self, lba: int, q: Bytes2D, adr: Bytes1D) -> None:
        for at in np.flatnonzero(adr == 2).tolist():
            digits = q[at, 1:8].tobytes()
            if self._mcn is None:
                if not digits.hex().isdecimal():
                    raise _wrong("the catalogue number is not of digits", lba + at)
                self._mcn = digits
            elif digits != self._mcn:
                raise _wrong("the catalogue number is another than before", lba + at)

    def _lead_out(self, lba: int, q: Bytes2D) -> None:
        assert self.toc is not None
        adr = q[:, 0] & np.uint8(15)
        position = self._position_frames(lba, q, adr, (2, POINTER_ADR))
        elapsed = lba - self.toc.lead_out_lba
        wrong = position & (
            (q[:, _TNO] != LEAD_OUT_TNO)
            | (q[:, _INDEX] != 1)
            | (q[:, RELATIVE] != msf_bcd()[elapsed : elapsed + len(q)]).any(axis=1)
        )
        if wrong.any():
            raise _wrong("a lead-out has track AAh, index 01, and counts up", lba + _first(wrong))
        if not elapsed and not position[0]:
            raise _wrong("the lead-out's first frame must tell it", lba)

    def _habits(self, lba: int, q: Bytes2D, p: Flags, toc: RawToc) -> None:
        """Note P that does not announce a track, and codes that come too seldom.

        P is 1 for two seconds at least before index 1 (IEC 60908 17.4); of a hundred sectors one
        tells the catalogue number, where there is one, and one of a track's its ISRC (17.5.2).
        """
        starts = [track.start_lba for track in toc.tracks]
        for start in starts:
            if lba < start <= lba + len(p) and not p[start - 1 - lba]:
                self.remark("no-p-before-track", start - 1)
        first = max(self._program_lba - lba, 0)
        adr = q[first : max(toc.lead_out_lba - lba, first), 0] & np.uint8(15)
        for kind, habit in _CODES.items():
            for place in (np.flatnonzero(adr == kind) + lba + first).tolist():
                before = self._told.get(kind, place)
                same = kind != _ISRC_ADR or bisect_right(starts, before) == bisect_right(
                    starts, place
                )
                if same and place - before > _CODE_SECTORS:
                    self.remark(habit, before)
                self._told[kind] = place

    # Main channel

    def _main(self, lba: int, main: Bytes2D, q: Bytes2D) -> None:
        """Check sync and scrambled header where Q tells data; in a lead-in, where there is sync.

        CONTROL of a lead-in's frame is that of the item, not of the sector.
        """
        adr = q[:, 0] & np.uint8(15)
        told = (q[:, 0] & _DATA) != 0
        if lba < self._program_lba:
            head = slice(0, max(self._program_lba - lba, 0))
            told[head] = (main[head, : len(SYNC)] == _SYNC).all(axis=1)
        if not told.any() and not self._data:
            return
        texts = (adr == 2) | (adr == 3)
        if texts.any():  # wodim gives them CONTROL 0: the frame before tells
            for at in np.flatnonzero(texts).tolist():
                told[at] = told[at - 1] if at else self._data
        self._data = bool(told[-1])
        rows = np.flatnonzero(told)
        if not len(rows):
            return
        heads = main[:, : _HEADER.stop] if told.all() else main[rows, : _HEADER.stop]
        synced = (heads[:, : len(SYNC)] == _SYNC).all(axis=1)
        if not synced.all():
            bad = lba + int(rows[_first(~synced)])
            raise Refusal(ILLEGAL_MODE, f"LBA {bad}: a data sector without sync", lba=bad)
        found = heads[:, _HEADER] ^ _HEADER_MASK
        first = (rows + lba - PROGRAM_LBA) % LEAD_IN_WRAP
        right = (found[:, :3] == msf_bcd()[first]).all(axis=1)
        if lba < self._program_lba and not right.all():
            # cdrdao's time in the lead-in counts from its start, in headers as in Q.
            elapsed = msf_bcd()[rows + lba - self._lead_in_lba]
            right |= (found[:, :3] == elapsed).all(axis=1) & (rows + lba < self._program_lba)
        right &= found[:, 3] & 0x1F <= _LAST_MODE
        if not right.all():
            bad = _first(~right)
            lies = (heads[bad, _HEADER][:3] == msf_bcd()[first[bad]]).all()
            why = "is not scrambled" if lies else "has the header of another place"
            place = lba + int(rows[bad])
            raise Refusal(ILLEGAL_MODE, f"LBA {place}: the data sector {why}", lba=place)
        inside = main[:, _BLANK] if told.all() else main[rows, _BLANK]
        blank: Flags = ~np.logical_or.reduce(inside, axis=1)
        if blank.any():
            self.remark("unscrambled-blank", lba + int(rows[_first(blank)]), int(blank.sum()))


def _lba(row: Bytes2D) -> int:
    return Msf(*(from_bcd(int(byte)) for byte in row[ABSOLUTE])).to_frames() + PROGRAM_LBA


def _number(bcd: int, lba: int) -> int:
    try:
        return from_bcd(bcd)
    except FormatError as error:
        raise _wrong(str(error), lba) from error


def _header_mask() -> Bytes2D:
    sector = np.zeros((1, 2352), np.uint8)
    return scramble(sector)[0, _HEADER].copy()


_SYNC: Final = np.frombuffer(SYNC, np.uint8)
_HEADER_MASK: Final = _header_mask()
