"""A disc read back from its recorded Q channel alone.

The table of contents comes from the lead-in by majority; pregaps and indexes by bisection,
since inside a track they only rise; catalogue number, ISRC and SCMS from short stretches of
each track. An 80-minute disc takes some two thousand frames of its 360,000.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from rawcd.disc import (
    FIRST_LEAD_OUT_SECTORS,
    LATER_LEAD_IN_SECTORS,
    LATER_LEAD_OUT_SECTORS,
    MAX_INDEX,
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
from rawcd.qscan.scan import NEAR, QScan
from rawcd.qscan.toc import STRIDE, Items, lba_of, lead_in_toc, program_toc
from rawcd.subcode.decoder import isrc_votes, mcn_votes
from rawcd.subcode.frame import (
    LEAD_OUT_TNO,
    POINT_FIRST_TRACK,
    POINT_LAST_TRACK,
    POINT_LEAD_OUT,
    POINT_NEXT_SESSION,
    POINTER_ADR,
    QPosition,
    from_bcd,
    to_bcd,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rawcd.source import Source

_WINDOW: Final = 200
"""Sectors that hold at least two mode 2 and two mode 3 frames, where a disc has them."""
_WINDOWS: Final = 6
"""Windows looked into when frames are damaged or disagree."""
_HEADERS: Final = 16
"""Data sectors that are asked for their mode."""


def _program_start(scan: QScan, first: int) -> int:
    """Return the number of the first sector behind the lead-in that begins at `first`."""
    low = first
    # Program area and lead-out of the shortest session have 2,700 sectors: no step leaps over.
    while (high := min(low + STRIDE, scan.count - 1)) > low:
        if scan.area(high) != 0:
            return scan.area_border(low, high, first + LATER_LEAD_IN_SECTORS)
        low = high
    raise FormatError("holds a lead-in and nothing behind it", file=scan.name)


def _lead_out_end(scan: QScan, lead_out: int, usual: int) -> int:
    """Return the number of the first sector behind the lead-out that begins at `lead_out`.

    A further session's lead-in has 4,500 sectors, so steps of fewer meet it. It begins at `usual`
    where damaged frames leave a choice.
    """
    inside = lead_out
    while (ahead := min(inside + STRIDE, scan.count - 1)) > inside:
        if scan.area(ahead) != LEAD_OUT_TNO:
            if scan.area(min(inside + NEAR, ahead)) == LEAD_OUT_TNO:
                return scan.area_border(inside + NEAR, ahead, usual)
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


def recover_disc(
    subcode: Source, main: Source, *, doubt: Callable[[str], None] | None = None
) -> Disc:
    """Return the disc that a complete recording tells of, session by session.

    Where a table of contents cannot be that of the program behind it, the program's own frames
    count.

    Args:
        subcode: 96- or 16-byte blocks, from the first lead-in to the last lead-out.
        main: the 2,352-byte blocks of the same sectors.
        doubt: told what is wrong with a table of contents.

    Raises:
        FormatError: the recording is none, or contradicts itself.
    """
    scan = QScan(subcode, main)
    if scan.area(0) != 0:
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
            if not sessions:  # where it is on every disc, whatever a damaged frame there tells
                program = PROGRAM_LBA - first_lba
            try:
                items = lead_in_toc(scan, position, program)
                session = _session(scan, first_lba, position, program, items, mcns)
            except ValueError as error:
                try:
                    items = program_toc(scan, first_lba, position, program)
                    session = _session(scan, first_lba, position, program, items, mcns)
                except ValueError:
                    raise error from None
                if doubt is not None:
                    doubt(str(error))
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
        last_lead_out_lba=lba_of(pointer.value, name),
    )


def _session(
    scan: QScan, first_lba: int, lead_in: int, program: int, items: Items, mcns: Counter[str]
) -> Session:
    """Return the session whose lead-in and program area begin at these sectors of the file."""
    values = {point: item.value for (adr, point), item in items.items() if adr == QPosition.adr}
    lead_out_lba = lba_of(values[POINT_LEAD_OUT], scan.name)
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
    starts = {number: lba_of(values[point], scan.name) for number, point in points.items()}
    edges = _index_borders(scan, first_lba, starts, program + first_lba, lead_out_lba)
    tracks = []
    for number, start in starts.items():
        end = edges[number + 1][0].lba if number < last else lead_out_lba
        control = items[QPosition.adr, points[number]].control
        told = _Told(scan, start - first_lba, end - first_lba)
        mcns.update(told.mcns)
        mode = TrackMode.AUDIO
        if control & 4:
            mode = TrackMode(scan.header_mode(start - first_lba, min(end - start, _HEADERS)))
        tracks.append(
            Track(
                number=number,
                mode=mode,
                indexes=tuple(edges[number]),
                end_lba=end,
                copy=CopySetting.PERMITTED if control & 2 else told.copy,
                pre_emphasis=bool(control & 1),
                four_channel=bool(control & 8),
                isrc=told.isrc,
            )
        )
    usual = LATER_LEAD_OUT_SECTORS if lead_in else FIRST_LEAD_OUT_SECTORS
    return Session(
        tracks=tuple(tracks),
        lead_in_lba=lead_in + first_lba,
        lead_out_lba=lead_out_lba,
        lead_out_sectors=_lead_out_end(scan, lead_out, lead_out + usual) - lead_out,
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
    return {number: _without_gaps(_rising(found)) for number, found in indexes.items()}


def _rising(indexes: list[Index]) -> list[Index]:
    """Leave out the indexes of single frames that contradict the others."""
    kept: list[Index] = []
    for place, index in enumerate(indexes):
        last = kept[-1].number if kept else -1
        behind = (later.number for later in indexes[place + 1 :])
        follows = index.number == last + 1
        if follows or last < index.number < min(behind, default=MAX_INDEX + 1):
            kept.append(index)
    return kept


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
