"""A disc read back from its recorded Q channel alone.

The table of contents comes from the lead-in by majority; pregaps and indexes by bisection,
since inside a track they only rise; catalogue number, ISRC and SCMS from short stretches of
each track. An 80-minute disc takes some two thousand frames of its 360,000.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from rawcd.disc import (
    MAX_TRACKS,
    CopySetting,
    Disc,
    DiscType,
    Index,
    Session,
    Track,
    TrackMode,
)
from rawcd.errors import FormatError
from rawcd.msf import PROGRAM_LBA
from rawcd.source import SilenceSource
from rawcd.subcode.decoder import isrc_votes, mcn_votes, toc_of
from rawcd.subcode.frame import (
    LEAD_OUT_TNO,
    POINT_FIRST_TRACK,
    POINT_LAST_TRACK,
    POINT_LEAD_OUT,
    POINT_NEXT_SESSION,
    POINTER_ADR,
    Q_BYTES,
    QFrame,
    QPointer,
    QPosition,
    from_bcd,
    parse_q,
    to_bcd,
)
from rawcd.subcode.rows import PQ16_BYTES, crc_holds, pq_of_pq16, pq_of_pw96

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import numpy.typing as npt

    from rawcd.source import Bytes2D, Source

    Numbers = npt.NDArray[np.int64]

_CYCLE: Final = 3 * (MAX_TRACKS + 3)
"""Sectors of the longest table of contents, each item three times."""
_WINDOW: Final = 200
"""Sectors that hold at least two mode 2 and two mode 3 frames, where a disc has them."""
_WINDOWS: Final = 6
"""Windows looked into when frames are damaged or disagree."""
_REACH: Final = 50
"""How far a neighbour may lie that answers for a frame which does not tell its place."""
_STRIDE: Final = 2_000
"""Steps through a lead-in or lead-out: what follows is longer (IEC 60908, Orange Book part II)."""
_HEADER_MODE: Final = 15
"""Byte of the sector header that tells the mode."""

Spot = tuple[int, int]
"""Track and index, rising along a disc; the lead-out is (AAh, 1), the lead-in (0, 0)."""


class QScan:
    """Recorded Q frames of consecutive sectors, by number.

    Args:
        subcode: blocks of 96 bytes (P-W interleaved) or of 16.
        main: the sectors' blocks of 2,352 bytes, asked for the mode of data tracks; not needed
            by who knows that.
    """

    def __init__(self, subcode: Source, main: Source | None = None) -> None:
        self._subcode = subcode
        self._main = main
        self._spots: dict[int, Spot | None] = {}
        self.name = subcode.name
        self.count = subcode.block_count

    def readable(self, start: int, count: int) -> tuple[Numbers, Bytes2D]:
        """Return the numbers and Q (n, 12) of the sectors of a stretch whose CRC is right."""
        start, end = max(start, 0), min(start + count, self.count)
        if end <= start:
            return np.empty(0, np.int64), np.empty((0, Q_BYTES), np.uint8)
        data = np.frombuffer(self._subcode.read(start, end - start), np.uint8)
        rows = data.reshape(end - start, -1)
        q, _ = pq_of_pq16(rows) if rows.shape[1] == PQ16_BYTES else pq_of_pw96(rows)
        right = np.flatnonzero(crc_holds(q))
        return right + start, q[right]

    def frames(self, start: int, count: int) -> Iterator[tuple[int, QFrame]]:
        """Yield the number and value of each readable frame with a right CRC in a stretch."""
        numbers, q = self.readable(start, count)
        for number, row in zip(numbers.tolist(), q, strict=True):
            if (frame := _parsed(row)) is not None:
                yield number, frame

    def _told(self, number: int) -> Spot | None:
        if number not in self._spots:
            self._spots[number] = None
            for _, frame in self.frames(number, 1):
                if isinstance(frame, QPosition):
                    self._spots[number] = (frame.track, frame.index)
                elif isinstance(frame, QPointer):
                    self._spots[number] = (0, 0)
        return self._spots[number]

    def spot(self, number: int) -> Spot:
        """Return track and index of a sector; a frame that does not tell gives way to another.

        Those before it are asked first: a frame of mode 2 or 3 never stands where track or
        index change, so it shares its predecessor's place, and so do most damaged ones.

        Raises:
            FormatError: no frame near it can be read.
        """
        before = range(number, max(number - _REACH, -1), -1)
        behind = range(number + 1, min(number + _REACH, self.count))
        for near in (*before, *behind):
            if (told := self._told(near)) is not None:
                return told
        raise FormatError(
            f"no Q frame within {_REACH} sectors of sector {number} can be read", file=self.name
        )

    def borders(self, first: int, last: int) -> Iterator[tuple[int, Spot]]:
        """Yield, rising, each sector in first+1..last where track or index change, and to what."""
        stack = [(first, last)]
        while stack:
            low, high = stack.pop()
            if high <= low or self.spot(low) == self.spot(high):
                continue
            if high == low + 1:
                yield high, self.spot(high)
                continue
            middle = (low + high) // 2
            stack.append((middle, high))
            stack.append((low, middle))

    def header_mode(self, number: int) -> int:
        """Return the mode in a data sector's header, 0 to 2; headers are scrambled on the disc.

        Raises:
            FormatError: the sector has no header of a known mode.
        """
        from rawcd.sector import SYNC, scramble

        main = SilenceSource(block_count=self.count) if self._main is None else self._main
        rows: Bytes2D = np.frombuffer(main.read(number, 1), np.uint8).reshape(1, -1).copy()
        if rows[0, : len(SYNC)].tobytes() == SYNC:
            scramble(rows)
            mode = int(rows[0, _HEADER_MODE]) & 3
            if mode < 3:
                return mode
        raise FormatError("a data track's first sector has no header", file=self.name)


def _parsed(row: npt.NDArray[np.uint8]) -> QFrame | None:
    try:
        return parse_q(row.tobytes())
    except FormatError:  # a right CRC over nonsense tells as little as a wrong one
        return None


Items = dict[tuple[int, int], QPointer]
"""What a lead-in tells: items by ADR and POINT as on the disc."""


def _read_toc(scan: QScan, first: int, program: int) -> Items:
    """Return the items of a lead-in, by majority over two cycles, all tracks among them.

    Args:
        scan: the frames.
        first: number of the lead-in's first sector.
        program: number of the first sector behind it.
    """
    _, q = scan.readable(first, min(program - first, 2 * _CYCLE))
    items = toc_of(q)

    def value(point: int, what: str) -> bytes:
        item = items.get((QPosition.adr, point))
        if item is None:
            raise FormatError(f"no readable frame of the lead-in tells {what}", file=scan.name)
        return item.value

    values = {
        point: value(point, f"point {point:02X}h")
        for point in (POINT_FIRST_TRACK, POINT_LAST_TRACK, POINT_LEAD_OUT)
    }
    lowest = from_bcd(values[POINT_FIRST_TRACK][0])
    highest = from_bcd(values[POINT_LAST_TRACK][0])
    if not 1 <= lowest <= highest:
        raise FormatError(
            f"the table of contents goes from track {lowest} to {highest}",
            file=scan.name,
            place="lead-in",
        )
    for number in range(lowest, highest + 1):
        value(to_bcd(number), f"track {number}")
    return items


def _lba(value: bytes, name: str) -> int:
    from rawcd.msf import Msf

    try:
        return Msf(*map(from_bcd, value)).to_frames() + PROGRAM_LBA
    except ValueError as error:
        raise FormatError(str(error), file=name, place="lead-in") from error


def _program_start(scan: QScan, first: int) -> int:
    """Return the number of the first sector behind the lead-in that begins at `first`."""
    low = first
    # Program area and lead-out of the shortest session have 2,700 sectors: no step leaps over.
    while True:
        high = min(low + _STRIDE, scan.count - 1)
        if high == low:
            raise FormatError("holds a lead-in and nothing behind it", file=scan.name)
        if scan.spot(high)[0] != 0:
            break
        low = high
    while high - low > 1:
        middle = (low + high) // 2
        if scan.spot(middle)[0] == 0:
            low = middle
        else:
            high = middle
    return high


def _lead_out_end(scan: QScan, lead_out: int) -> int:
    """Return the number of the first sector behind the lead-out that begins at `lead_out`.

    A further session's lead-in has 4,500 sectors, so steps of fewer meet it.
    """
    inside = lead_out
    while (ahead := min(inside + _STRIDE, scan.count - 1)) > inside:
        if scan.spot(ahead)[0] != LEAD_OUT_TNO:
            if scan.spot(inside)[0] == LEAD_OUT_TNO:
                return next(scan.borders(inside, ahead))[0]
            raise FormatError(
                f"where the lead-out should begin, sector {inside}, the frames tell another place",
                file=scan.name,
            )
        inside = ahead
    return scan.count


def _first_lba(scan: QScan, program: int) -> int:
    """Return the address of the file's first sector, as most frames of the program tell it."""
    addresses = Counter(
        frame.absolute.to_frames() + PROGRAM_LBA - number
        for number, frame in scan.frames(program, _WINDOW)
        if isinstance(frame, QPosition)
    )
    if not addresses:
        raise FormatError("no readable frame tells where its sectors lie", file=scan.name)
    return addresses.most_common(1)[0][0]


def recover_disc(subcode: Source, main: Source) -> Disc:
    """Return the disc that a complete recording tells of, session by session.

    Args:
        subcode: 96- or 16-byte blocks, from the first lead-in to the last lead-out.
        main: the 2,352-byte blocks of the same sectors.

    Raises:
        FormatError: the recording is none, or contradicts itself.
    """
    scan = QScan(subcode, main)
    if scan.spot(0)[0] != 0:
        raise FormatError(
            "does not begin with a lead-in, so it holds no table of contents; "
            "give the sheet that belongs to it",
            file=scan.name,
        )
    first_lba = _first_lba(scan, _program_start(scan, 0))
    sessions: list[Session] = []
    mcns: Counter[str] = Counter()
    items: Items = {}
    position = 0
    try:
        while position < scan.count:
            program = _program_start(scan, position)
            items = _read_toc(scan, position, program)
            session = _session(scan, first_lba, position, program, items, mcns)
            sessions.append(session)
            position = session.end_lba - first_lba
        return _disc_of(tuple(sessions), items, mcns, scan.name)
    except FormatError:
        raise
    except ValueError as error:
        raise FormatError(f"its Q channel contradicts itself: {error}", file=scan.name) from error


def _disc_of(
    sessions: tuple[Session, ...], last_items: Items, mcns: Counter[str], name: str
) -> Disc:
    """Return the disc of its sessions; the last lead-in tells whether another may follow."""
    mcn = mcns.most_common(1)[0][0] if mcns else None
    disc = Disc(sessions=sessions, mcn=None if mcn == "0" * 13 else mcn)
    pointer = last_items.get((POINTER_ADR, POINT_NEXT_SESSION))
    if pointer is None:
        return disc
    return replace(
        disc,
        appendable=pointer.running != b"\xff\xff\xff",
        last_lead_out_lba=_lba(pointer.value, name),
    )


def _session(
    scan: QScan, first_lba: int, lead_in: int, program: int, items: Items, mcns: Counter[str]
) -> Session:
    """Return the session whose lead-in and program area begin at these sectors of the file."""
    values = {point: item.value for (adr, point), item in items.items() if adr == QPosition.adr}
    lead_out_lba = _lba(values[POINT_LEAD_OUT], scan.name)
    lead_out = lead_out_lba - first_lba
    if not program < lead_out < scan.count:
        raise FormatError(
            f"the lead-out should begin at LBA {lead_out_lba}; "
            f"the file holds LBA {first_lba} to {first_lba + scan.count - 1}",
            file=scan.name,
        )
    first = from_bcd(values[POINT_FIRST_TRACK][0])
    last = from_bcd(values[POINT_LAST_TRACK][0])
    points = {number: to_bcd(number) for number in range(first, last + 1)}
    starts = {number: _lba(values[point], scan.name) for number, point in points.items()}
    edges = _index_borders(scan, first_lba, starts, program + first_lba, lead_out_lba)
    tracks = []
    for number, start in starts.items():
        end = edges[number + 1][0].lba if number < last else lead_out_lba
        control = items[QPosition.adr, points[number]].control
        told = _Told(scan, start - first_lba, end - first_lba)
        mcns.update(told.mcns)
        data = bool(control & 4)
        tracks.append(
            Track(
                number=number,
                mode=TrackMode(scan.header_mode(start - first_lba)) if data else TrackMode.AUDIO,
                indexes=tuple(edges[number]),
                end_lba=end,
                copy=CopySetting.PERMITTED if control & 2 else told.copy,
                pre_emphasis=bool(control & 1),
                four_channel=bool(control & 8),
                isrc=told.isrc,
            )
        )
    return Session(
        tracks=tuple(tracks),
        lead_in_lba=lead_in + first_lba,
        lead_out_lba=lead_out_lba,
        lead_out_sectors=_lead_out_end(scan, lead_out) - lead_out,
        disc_type=DiscType(values[POINT_FIRST_TRACK][1]),
    )


def _index_borders(
    scan: QScan, first_lba: int, starts: Mapping[int, int], program_lba: int, lead_out_lba: int
) -> dict[int, list[Index]]:
    """Return each track's indexes; index 1 is where the table of contents puts it."""
    indexes = {number: [Index(number=1, lba=start)] for number, start in starts.items()}
    numbers = list(starts)
    indexes[numbers[0]].insert(0, Index(number=0, lba=program_lba))
    ends = [*(starts[number] for number in numbers[1:]), lead_out_lba]
    for number, end in zip(numbers, ends, strict=True):
        start = starts[number]
        if not program_lba <= start < end:
            raise FormatError(
                f"track {number} would begin at LBA {start} and end before {end}",
                file=scan.name,
                place="lead-in",
            )
        for sector, (track, index) in scan.borders(start - first_lba, end - 1 - first_lba):
            if track == number and index > 1:
                indexes[number].append(Index(number=index, lba=sector + first_lba))
            elif track == number + 1 and index == 0 and track in indexes:
                indexes[track].insert(0, Index(number=0, lba=sector + first_lba))
    return {number: _without_gaps(found) for number, found in indexes.items()}


def _without_gaps(indexes: list[Index]) -> list[Index]:
    """Put back the indexes none of whose frames could be read: right before the next one."""
    whole: list[Index] = []
    for index in indexes:
        lost = index.number - whole[-1].number - 1 if whole else 0
        whole += [
            Index(number=index.number - back, lba=index.lba - back) for back in range(lost, 0, -1)
        ]
        whole.append(index)
    return whole


class _Told:
    """What the frames of a track say beside their place: MCN, ISRC, and the copy bit's rhythm."""

    def __init__(self, scan: QScan, first: int, end: int) -> None:
        self.mcns: Counter[str] = Counter()
        isrcs: Counter[str] = Counter()
        copy_bits: Counter[int] = Counter()
        self.readable = False
        for window in range(_WINDOWS):
            start = first + window * _WINDOW
            count = min(_WINDOW, end - start)
            if count <= 0:
                break
            numbers, q = scan.readable(start, count)
            self.readable |= len(q) > 0
            adr = q[:, 0] & 15
            copy_bits.update((q[adr == QPosition.adr, 0] >> 5 & 1).tolist())
            self.mcns.update(mcn_votes(q))
            isrcs.update(isrc_votes(q))
            if len(numbers) == count and len(self.mcns) <= 1 and len(isrcs) <= 1:
                break
        self.isrc = isrcs.most_common(1)[0][0] if isrcs else None
        # Half of the frames carry the bit under SCMS; a stray frame must not make one.
        free = copy_bits[1] * 4 >= copy_bits.total() > 0
        self.copy = CopySetting.SCMS if free else CopySetting.PROHIBITED


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldTracks:
    """What the recorded Q of a session's tracks says beside its table of contents.

    Attributes:
        indexes: the indexes of each track, with index 1 where the table of contents puts it; empty
            where too few frames can be read.
        isrcs: the ISRC of each track that has one.
        scms: the tracks whose copy bit alternates.
        mcns: how often each catalogue number was found.
        readable: a frame with a right CRC was found, wherever one was looked for.
    """

    indexes: Mapping[int, tuple[Index, ...]]
    isrcs: Mapping[int, str]
    scms: frozenset[int]
    mcns: Counter[str]
    readable: bool


def told_tracks(
    subcode: Source,
    starts: Mapping[int, int],
    program_lba: int,
    lead_out_lba: int,
    *,
    first_lba: int,
) -> ToldTracks:
    """Return what the Q of a session whose table of contents is known says of its tracks.

    Args:
        subcode: blocks of 96 bytes or of 16; zeros where nothing was recorded.
        starts: where index 1 of each track is, rising.
        program_lba: first sector of the program area.
        lead_out_lba: first sector behind it.
        first_lba: where the subcode's first block lies.

    Raises:
        StorageError: the subcode cannot be read.
    """
    scan = QScan(subcode)
    try:
        edges = _index_borders(scan, first_lba, starts, program_lba, lead_out_lba)
    except FormatError:  # subcode of zeros, or damaged throughout: the sheet has to do
        edges = {}
    behind = list(starts)[1:]
    ends = [*(edges[each][0].lba if edges else starts[each] for each in behind), lead_out_lba]
    told = {
        number: _Told(scan, start - first_lba, end - first_lba)
        for (number, start), end in zip(starts.items(), ends, strict=True)
    }
    return ToldTracks(
        indexes={number: tuple(indexes) for number, indexes in edges.items()},
        isrcs={number: each.isrc for number, each in told.items() if each.isrc is not None},
        scms=frozenset(number for number, each in told.items() if each.copy is CopySetting.SCMS),
        mcns=sum((each.mcns for each in told.values()), Counter()),
        readable=any(each.readable for each in told.values()),
    )
