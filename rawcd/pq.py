"""P and Q of a whole disc, for any range of sectors, from what the disc says.

The disc is cut once into runs inside which a Q frame changes by counting alone; a range of
sectors is then a few copies out of tables. Rules: IEC 60908 clause 17, ECMA-130 clause 22;
where writers differ, `Style` decides.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from rawcd.disc import CopySetting
from rawcd.msf import LEAD_IN_WRAP, linear_frames
from rawcd.subcode.frame import (
    LEAD_OUT_TNO,
    POINTER_ADR,
    Q_BYTES,
    pack_isrc,
    pack_mcn,
    q_crc,
    to_bcd,
)
from rawcd.subcode.rows import (
    ABSOLUTE,
    OFFSETS,
    RELATIVE,
    crc_words,
    disc_word,
    msf_bcd,
    put_crc,
    time_crc,
)
from rawcd.toc import POINT_REPEATS, lead_in_pointers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import numpy.typing as npt

    from rawcd.disc import Disc, Index, Session, Track
    from rawcd.subcode.rows import Bytes2D, Flags
    from rawcd.subcode.style import Style

_COPY_BIT: Final = 0x20
_P_WAVE_AFTER: Final = 150
"""The lead-out's P is silent for two seconds before it beats (Red Book 17.4)."""


def scms_phase(lba: npt.NDArray[np.int64]) -> Flags:
    """Tell for each LBA whether SCMS sets the copy bit: four sectors off, four on (IEC 60958)."""
    return np.asarray(lba & 4, bool)


@dataclass(frozen=True, slots=True)
class _Run:
    """Sectors whose mode 1 frames differ in their times alone.

    relative_at is the relative time of the first sector and step +1 or -1; head holds the
    bytes before it.
    """

    lba: int
    end: int
    head: bytes
    relative_at: int
    step: int
    scms: bool


@dataclass(frozen=True, slots=True)
class _LeadIn:
    """Sectors that repeat the table of contents.

    items is (count, 12); timed tells which have a running time, zero here, as mode 1 does.
    """

    lba: int
    end: int
    items: Bytes2D
    item_crc: npt.NDArray[np.uint16]
    timed: Flags


class _Slots:
    """Where the mode 2 or mode 3 frames stand: a period, moved off every border.

    A slot on the first sector of an area, a track or an index moves to the next sector that is
    none, since that frame must tell the change (IEC 60908 17.5.2). The moves are found once,
    from the borders, so that any range is answered alone. `give` adds some.
    """

    def __init__(self, at: tuple[int, int], taken: set[int], others: _Slots | None = None) -> None:
        self._period, self._phase = at
        self._taken, self._others = taken, others
        moves: dict[int, int] = {}
        for slot in sorted(taken):
            if slot % self._period == self._phase:
                target = slot + 1
                while self._is_barred(target):
                    target += 1
                moves[slot] = target
        self._from = sorted(moves)
        self._to = sorted(moves.values())

    def _is_barred(self, lba: int) -> bool:
        """Tell whether a border or a frame of the other mode stands there."""
        return lba in self._taken or (
            self._others is not None and len(self._others.within(lba, lba + 1)) > 0
        )

    def give(self, stretches: Iterable[tuple[int, int]]) -> None:
        """Give each stretch without a slot the first sector that is free.

        A track shorter than the period may lie between two slots, and would never tell its code.
        """
        for first, end in stretches:
            if end - first < 2 * self._period and not len(self.within(first, end)):
                free = next((lba for lba in range(first, end) if not self._is_barred(lba)), None)
                if free is not None:
                    insort(self._to, free)

    def within(self, lba: int, end: int) -> npt.NDArray[np.int64]:
        """Return the slots in lba..end-1, in no special order."""
        first = lba + (self._phase - lba) % self._period
        slots = np.arange(first, end, self._period, dtype=np.int64)
        gone = self._from[bisect_left(self._from, lba) : bisect_left(self._from, end)]
        come = self._to[bisect_left(self._to, lba) : bisect_left(self._to, end)]
        if gone:
            slots = slots[~np.isin(slots, gone)]
        if come:
            slots = np.concatenate([slots, np.array(come, np.int64)])
        return slots


class ProgramChannels:
    """P and Q of every sector of a disc, lead-ins and lead-outs included.

    Args:
        disc: the disc.
        style: the choices on which writers differ.
    """

    def __init__(self, disc: Disc, style: Style) -> None:
        self._style = style
        self._mcn = None if disc.mcn is None else np.frombuffer(pack_mcn(disc.mcn), np.uint8)
        self._areas: list[_Run | _LeadIn] = []
        self._p_on: list[tuple[int, int]] = []
        for number, session in enumerate(disc.sessions, 1):
            self._areas.append(_lead_in(disc, number, style))
            self._areas.extend(_runs(session, style))
            self._p_on.extend(_p_intervals(session, style))
        self._starts = [area.lba for area in self._areas]
        self._sessions = disc.sessions
        self._tracks = [track for track in disc.tracks if track.isrc is not None]
        self._isrc = np.array(
            [list(pack_isrc(track.isrc or "")) for track in self._tracks], np.uint8
        ).reshape(-1, 8)
        self._isrc_first = np.array([track.first_lba for track in self._tracks], np.int64)
        self._isrc_end = np.array([track.end_lba for track in self._tracks], np.int64)
        taken = set(disc.borders())
        self._mcn_slots = _Slots(style.mcn_at, taken)
        others = None if disc.mcn is None else self._mcn_slots
        self._isrc_slots = _Slots(style.isrc_at, taken, others)
        self._isrc_slots.give((track.start_lba, track.end_lba) for track in self._tracks)

    def fill(self, lba: int, q: Bytes2D, p: Flags) -> None:
        """Write Q (n, 12), C-contiguous, and P (n,) of the sectors from `lba` on."""
        end = lba + len(q)
        position = bisect_right(self._starts, lba) - 1
        while position < len(self._areas) and (area := self._areas[position]).lba < end:
            start, stop = max(area.lba, lba), min(area.end, end)
            rows = q[start - lba : stop - lba]
            if isinstance(area, _Run):
                _fill_run(area, start, rows)
            else:
                _fill_lead_in(area, start, rows, of_address=self._style.lead_in_time_of_address)
            position += 1
        if self._mcn is not None:
            self._put_mcn(lba, q)
        if self._tracks:
            self._put_isrc(lba, q)
        self._fill_p(lba, p)

    def _put_mcn(self, lba: int, q: Bytes2D) -> None:
        slots = self._mcn_slots.within(lba, lba + len(q))
        inside = np.zeros(len(slots), bool)
        for session in self._sessions:
            inside |= (slots >= session.program_lba) & (slots < session.end_lba)
        slots = slots[inside]
        if len(slots) and self._mcn is not None:
            self._replace(slots, lba, q, 2, self._mcn)

    def _put_isrc(self, lba: int, q: Bytes2D) -> None:
        slots = self._isrc_slots.within(lba, lba + len(q))
        owner = np.searchsorted(self._isrc_first, slots, side="right") - 1
        inside = (owner >= 0) & (slots < self._isrc_end[owner])
        slots, owner = slots[inside], owner[inside]
        if len(slots):
            self._replace(slots, lba, q, 3, self._isrc[owner])

    def _replace(
        self, slots: npt.NDArray[np.int64], lba: int, q: Bytes2D, adr: int, digits: Bytes2D
    ) -> None:
        """Put mode 2 or 3 frames into the rows of `slots`; AFRAME is the sector's own."""
        frames = np.zeros((len(slots), Q_BYTES), np.uint8)
        control = q[slots - lba, 0] & 0xF0 if self._style.control_in_mode_2_3 else np.uint8(0)
        frames[:, 0] = control | np.uint8(adr)
        frames[:, 1 : 1 + digits.shape[-1]] = digits
        frames[:, 9] = q[slots - lba, ABSOLUTE.stop - 1]
        put_crc(frames, crc_words(frames))
        q[slots - lba] = frames

    def _fill_p(self, lba: int, p: Flags) -> None:
        end = lba + len(p)
        p[:] = False
        for first, after in self._p_on:
            if first < end and after > lba:
                p[max(first - lba, 0) : after - lba] = True
        for session in self._sessions:
            beat = session.lead_out_lba + _P_WAVE_AFTER
            start, stop = max(beat, lba), min(session.end_lba, end)
            if start < stop:
                halves = np.arange(start - beat, stop - beat) // self._style.p_wave
                p[start - lba : stop - lba] |= halves % 2 == 0


def _lead_in(disc: Disc, number: int, style: Style) -> _LeadIn:
    session = disc.sessions[number - 1]
    pointers = lead_in_pointers(disc, number, pointers_first=style.toc_pointers_first)
    frames = np.frombuffer(b"".join(pointer.build() for pointer in pointers), np.uint8)
    items = frames.reshape(-1, Q_BYTES)
    return _LeadIn(
        lba=session.lead_in_lba,
        end=session.program_lba,
        items=items,
        item_crc=crc_words(items),
        timed=np.array([pointer.adr != POINTER_ADR for pointer in pointers]),
    )


def _runs(session: Session, style: Style) -> Iterator[_Run]:
    before: Track | None = None
    for track in session.tracks:
        ends = [*(index.lba for index in track.indexes[1:]), track.end_lba]
        for index, end in zip(track.indexes, ends, strict=True):
            if index.number:
                yield _program_run(track, index, index.lba, end, track, style)
                continue
            owner = before if before and style.pregap_control_of == "previous" else track
            head = index.lba
            if before and style.mode_change_head and session.has_mode_change_head(track):
                head += style.mode_change_head
                yield _program_run(track, index, index.lba, head, before, style)
            yield _program_run(track, index, head, end, owner, style)
        before = track
    last = session.tracks[-1 if style.lead_out_control_of == "last" else 0]
    yield _Run(
        lba=session.lead_out_lba,
        end=session.end_lba,
        head=bytes([last.control << 4 | 1, LEAD_OUT_TNO, 1]),
        relative_at=0,
        step=1,
        scms=False,
    )


def _program_run(
    track: Track, index: Index, lba: int, end: int, owner: Track, style: Style
) -> _Run:
    """Return the sectors lba..end-1 of an index; owner is the track whose CONTROL they carry."""
    countdown = track.start_lba - lba - 1 + style.countdown_ends_at
    return _Run(
        lba=lba,
        end=end,
        head=bytes([owner.control << 4 | 1, to_bcd(track.number), to_bcd(index.number)]),
        relative_at=lba - track.start_lba if index.number else countdown,
        step=1 if index.number else -1,
        scms=owner.copy is CopySetting.SCMS,
    )


def _p_intervals(session: Session, style: Style) -> Iterator[tuple[int, int]]:
    for track in session.tracks:
        first = max(min(track.first_lba, track.start_lba - style.p_least), session.program_lba)
        yield first, track.start_lba + style.p_lag
    if style.p_before_lead_out:
        yield (
            max(session.lead_out_lba - style.p_before_lead_out, session.program_lba),
            session.lead_out_lba + style.p_lag,
        )


def _fill_run(run: _Run, lba: int, rows: Bytes2D) -> None:
    count = len(rows)
    relative = run.relative_at + run.step * (lba - run.lba)
    # Row numbers of the time table; a slice that runs backwards to row 0 has no integer end.
    last = relative + run.step * count
    times = slice(relative, None if last < 0 else last, run.step)
    absolute = linear_frames(lba)
    rows[:, : RELATIVE.start] = np.frombuffer(run.head, np.uint8)
    rows[:, RELATIVE] = msf_bcd()[times]
    rows[:, OFFSETS["zero"]] = 0
    rows[:, ABSOLUTE] = msf_bcd()[absolute : absolute + count]
    words = time_crc("relative")[times] ^ time_crc("absolute")[absolute : absolute + count]
    words ^= disc_word(q_crc(run.head + bytes(7)))
    if run.scms:
        on = scms_phase(np.arange(lba, lba + count))
        rows[on, 0] |= _COPY_BIT
        free = bytes([run.head[0] | _COPY_BIT]) + run.head[1:]
        words[on] ^= disc_word(q_crc(run.head + bytes(7)) ^ q_crc(free + bytes(7)))
    put_crc(rows, words)


def _fill_lead_in(area: _LeadIn, lba: int, rows: Bytes2D, *, of_address: bool) -> None:
    elapsed = np.arange(lba - area.lba, lba - area.lba + len(rows))
    item = elapsed // POINT_REPEATS % len(area.items)
    first = linear_frames(lba) if of_address else lba - area.lba
    times = np.arange(first, first + len(rows)) % LEAD_IN_WRAP
    rows[:] = area.items[item]
    timed = area.timed[item]
    rows[timed, RELATIVE] = msf_bcd()[times[timed]]
    words = area.item_crc[item]
    words[timed] ^= time_crc("relative")[times[timed]]
    put_crc(rows, words)
