"""From what each sector says to what the disc says."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np

from rawcd.disc import (
    FIRST_LEAD_OUT_SECTORS,
    LATER_LEAD_IN_SECTORS,
    LATER_LEAD_OUT_SECTORS,
    Area,
    TrackMode,
)
from rawcd.errors import FormatError
from rawcd.image import RegionImage, SubForm
from rawcd.msf import PROGRAM_LBA
from rawcd.subcode.decoder import QKind, decode_q, toc_of
from rawcd.subcode.frame import (
    LEAD_OUT_TNO,
    QCatalog,
    QIsrc,
    to_bcd,
    unpack_isrc,
    unpack_mcn,
)
from rawcd.survey.chain import (
    LEAD_IN,
    LEAD_OUT,
    NOT_TOLD,
    chain_of,
    index_of,
    key_of,
    lost_between,
    track_of,
)
from rawcd.survey.facts import Kind, gather
from rawcd.survey.values import Run, Survey, TocEntry, Told

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy.typing as npt

    from rawcd.image import DiscImage
    from rawcd.progress import Progress
    from rawcd.survey.chain import Numbers, Stretch
    from rawcd.survey.facts import Facts

_WINDOW: Final = 1 << 15
_ASKED: Final = 300
"""Frames that are asked where their track begins."""
_FEW: Final = 16
"""Frames that are too few to tell SCMS, whose copy bit stands for four sectors."""
_CODE_MODES: Final = (QCatalog.adr, QIsrc.adr)
_COPY: Final = 2
_DATA: Final = 4
_MODES: Final = {
    Kind.NONE: TrackMode.AUDIO,
    Kind.MODE0: TrackMode.MODE0,
    Kind.MODE1: TrackMode.MODE1,
    Kind.FORMLESS: TrackMode.MODE2,
    Kind.XA: TrackMode.MODE2,
}
_DATA_KINDS: Final = (Kind.MODE0, Kind.MODE1, Kind.FORMLESS, Kind.XA)


@dataclass(frozen=True, slots=True)
class _Frames:
    """What is asked of the Q of all sectors; (n,) each."""

    facts: Facts
    keys: Numbers
    relative: Numbers

    @classmethod
    def of(cls, facts: Facts) -> _Frames:
        keys = np.full(len(facts), NOT_TOLD, np.int32)
        relative = np.full(len(facts), NOT_TOLD, np.int32)
        for start in range(0, len(facts), _WINDOW):
            part = slice(start, start + _WINDOW)
            table = decode_q(np.ascontiguousarray(facts["q"][part]), facts["right"][part])
            tno = table.q[:, 1]
            placed = table.kinds == QKind.PROGRAM
            placed &= (table.track > 0) & (table.index >= 0)
            pointer = (table.kinds == QKind.LEAD_IN) | (table.kinds == QKind.POINTER)
            out = (table.kinds == QKind.LEAD_OUT) | (
                (table.kinds == QKind.POINTER) & (tno == LEAD_OUT_TNO)
            )
            told = np.where(placed, table.track * 100 + table.index, np.int32(NOT_TOLD))
            told[pointer & (tno == 0)] = LEAD_IN
            told[out] = LEAD_OUT
            told[~table.right] = NOT_TOLD
            keys[part] = told
            relative[part] = np.where(table.right, table.relative, np.int32(NOT_TOLD))
        return cls(facts, keys, relative)

    def telling(self, key: int, first: int, end: int) -> npt.NDArray[np.int64]:
        """Return the numbers of the sectors of a stretch that tell a place."""
        return np.flatnonzero(self.keys[first:end] == key) + first


@dataclass(frozen=True, slots=True)
class _Segment:
    """Sectors of one place."""

    key: int
    first: int
    end: int


def _segments(frames: _Frames, chain: list[Stretch], first_lba: int) -> list[_Segment]:
    """Tile the image with the places of a chain."""
    keys, borders = [chain[0].key], [0]
    for before, after in pairwise(chain):
        usual = _usual_border(keys, borders, after.key, first_lba)
        border = _border(frames, before, after, usual)
        for index in lost_between(before, after):
            back = index_of(after.key) - index
            keys.append(key_of(track_of(after.key), index))
            borders.append(max(after.first - back, before.last + 1))
            border = after.first
        keys.append(after.key)
        borders.append(border)
    ends = [*borders[1:], len(frames.keys)]
    return [_Segment(*each) for each in zip(keys, borders, ends, strict=True)]


def _usual_border(keys: list[int], borders: list[int], after: int, first_lba: int) -> int | None:
    """Return where a place begins by the standards, if they tell, behind the places so far."""
    first = keys.count(LEAD_IN) == 1
    if keys[-1] == LEAD_IN:
        return PROGRAM_LBA - first_lba if first else borders[-1] + LATER_LEAD_IN_SECTORS
    if keys[-1] == LEAD_OUT and after == LEAD_IN:
        return borders[-1] + (FIRST_LEAD_OUT_SECTORS if first else LATER_LEAD_OUT_SECTORS)
    return None


def _border(frames: _Frames, before: Stretch, after: Stretch, usual: int | None) -> int:
    """Return the first sector of a place, which may lie among frames that tell none, or another.

    Lead-ins and lead-outs have usual lengths; index 1 and the lead-out begin where their relative
    time is zero. Elsewhere such a frame may still have the track, index or time of one side; a
    frame of mode 2 or 3 never stands where they change (IEC 60908 17.5.2).
    """
    start = before.last + 1
    if after.first == start:
        return start
    if usual is not None and start <= usual <= after.first:
        return usual
    if after.key == LEAD_OUT or index_of(after.key) == 1:
        zero = _zero(frames, after)
        if zero is not None and start <= zero <= after.first:
            return zero
    gap = slice(start, after.first)
    liker = _likeness(frames, after, gap) - _likeness(frames, before, gap)
    coded = frames.facts["right"][gap] & np.isin(frames.facts["q"][gap, 0] & 15, _CODE_MODES)
    liker[coded] = 0
    behind = np.concatenate([np.cumsum(liker[::-1])[::-1], [0]])
    behind[:-1][coded] = behind.min() - 1
    return after.first - int(behind[::-1].argmax())


def _step(key: int) -> int:
    """Return by how much relative time goes on from sector to sector: down in a pregap."""
    return -1 if index_of(key) == 0 and key != LEAD_OUT else 1


def _zero(frames: _Frames, stretch: Stretch) -> int | None:
    """Return the sector at which relative time is zero, or would be, by most frames of a place."""
    asked = frames.telling(stretch.key, stretch.first, stretch.last + 1)[:_ASKED]
    asked = asked[frames.relative[asked] != NOT_TOLD]
    if not len(asked):
        return None
    zeros = Counter((asked - _step(stretch.key) * frames.relative[asked]).tolist())
    return int(zeros.most_common(1)[0][0])


def _likeness(frames: _Frames, stretch: Stretch, gap: slice) -> npt.NDArray[np.int64]:
    """Return how many of TNO, INDEX and relative time some frames have as a place has them."""
    q, key = frames.facts["q"][gap], stretch.key
    like = np.zeros(len(q), np.int64)
    if key == LEAD_IN:
        like += q[:, 1] == 0
        return like
    out = key == LEAD_OUT
    like += q[:, 1] == (LEAD_OUT_TNO if out else to_bcd(track_of(key)))
    like += q[:, 2] == to_bcd(1 if out else index_of(key))
    zero = _zero(frames, stretch)
    if zero is not None:
        like += frames.relative[gap] == (np.arange(gap.start, gap.stop) - zero) * _step(key)
    return like


Control = tuple[int, bool]
"""CONTROL, the copy bit off under SCMS; and whether it alternates."""


def _nibbles(frames: _Frames, segment: _Segment) -> npt.NDArray[np.uint8]:
    places = frames.telling(segment.key, segment.first, segment.end)
    nibbles: npt.NDArray[np.uint8] = frames.facts["q"][places, 0] >> np.uint8(4)
    return nibbles


def _alternates(nibbles: npt.NDArray[np.uint8]) -> bool:
    ones = np.count_nonzero(nibbles & _COPY)
    return len(nibbles) >= _FEW and len(nibbles) <= 4 * int(ones) <= 3 * len(nibbles)


def _control(nibbles: npt.NDArray[np.uint8]) -> Control | None:
    if not len(nibbles):
        return None
    scms = _alternates(nibbles)
    found = nibbles & np.uint8(15 - _COPY) if scms else nibbles
    return int(np.bincount(found, minlength=16).argmax()), scms


def _share(nibbles: npt.NDArray[np.uint8], control: Control) -> float:
    """Return which part of some frames has a CONTROL."""
    value, scms = control
    if len(nibbles) >= _FEW and scms is not _alternates(nibbles):
        return 0.0
    found = nibbles & np.uint8(15 - _COPY) if scms else nibbles
    return float(np.mean(found == value)) if len(nibbles) else 0.0


def _head(frames: _Frames, segment: _Segment, before: Control, own: Control) -> int:
    """Return how many sectors a pregap begins with in the mode of the track before (ECMA-130 20.1).

    Only CONTROL's data bit is asked. Frames of modes 2 and 3 may have no CONTROL of their own.
    """
    if (before[0] ^ own[0]) & _DATA == 0:
        return 0
    part = slice(segment.first, segment.end)
    nibbles = frames.facts["q"][part, 0] >> np.uint8(4)
    asked = (frames.keys[part] == segment.key) | (frames.facts["right"][part] & (nibbles != 0))
    places = np.flatnonzero(asked)
    same = (nibbles[places] ^ before[0]) & _DATA == 0
    score = np.cumsum(np.where(same, 1, -1))
    if not len(score) or score.max() <= 0:
        return 0
    last = int(len(score) - 1 - score[::-1].argmax())
    return int(places[last]) + 1


def _controlled(
    frames: _Frames, segments: list[_Segment]
) -> Iterator[tuple[_Segment, Control | None]]:
    """Yield the segments with their CONTROL, pregaps cut where it changes."""
    by_track: dict[int, list[npt.NDArray[np.uint8]]] = {}
    session = 0
    sessions = []
    for place, segment in enumerate(segments):
        session += segment.key == LEAD_IN and place > 0
        sessions.append(session)
        if segment.key not in (LEAD_IN, LEAD_OUT) and index_of(segment.key):
            by_track.setdefault(track_of(segment.key), []).append(_nibbles(frames, segment))
    controls = {track: _control(np.concatenate(each)) for track, each in by_track.items()}
    for place, segment in enumerate(segments):
        track = track_of(segment.key)
        if segment.key == LEAD_IN:
            yield segment, None
            continue
        nibbles = _nibbles(frames, segment)
        own = controls.get(track) or _control(nibbles)
        if segment.key == LEAD_OUT or index_of(segment.key) or own is None:
            yield segment, own
            continue
        before = controls.get(track_of(segments[place - 1].key)) if place else None
        if before is None or segments[place - 1].key in (LEAD_IN, LEAD_OUT):
            yield segment, own if _share(nibbles, own) >= 0.5 else _control(nibbles) or own
            continue
        head = _head(frames, segment, before, own)
        border = segment.first + head
        if 0 < head < segment.end - segment.first:
            yield _Segment(segment.key, segment.first, border), before
            yield _Segment(segment.key, border, segment.end), own
            continue
        # Few frames fit SCMS whatever they tell: what they fit without it is likelier.
        best = max((own, before), key=lambda each: (_share(nibbles, each), not each[1]))
        yield segment, best if _share(nibbles, best) >= 0.5 else _control(nibbles) or best


def _counts(facts: Facts, segment: _Segment) -> npt.NDArray[np.int64]:
    return np.bincount(facts["kind"][segment.first : segment.end], minlength=len(Kind))


def _data_kind(counts: npt.NDArray[np.int64]) -> Kind:
    """Return the kind of data that most sectors are; UNKNOWN where none is data."""
    best = max(_DATA_KINDS, key=lambda kind: (counts[kind], kind))
    if not counts[best]:
        return Kind.UNKNOWN
    if best is Kind.FORMLESS or best is Kind.XA:
        return Kind.XA if counts[Kind.XA] >= counts[Kind.FORMLESS] else Kind.FORMLESS
    return best


def _runs(facts: Facts, frames: _Frames, segments: list[_Segment], first_lba: int) -> list[Run]:
    whole: dict[int, npt.NDArray[np.int64]] = {}
    for segment in segments:
        if segment.key not in (LEAD_IN, LEAD_OUT) and index_of(segment.key):
            track = track_of(segment.key)
            whole[track] = whole.get(track, 0) + _counts(facts, segment)
    runs: list[Run] = []
    session = 1
    for segment, control in _controlled(frames, segments):
        key = segment.key
        track, index = track_of(key), index_of(key)
        session += key == LEAD_IN and bool(runs)
        counts = _counts(facts, segment)
        if key in (LEAD_IN, LEAD_OUT):  # writers differ on a lead-out's CONTROL
            silent = counts[Kind.NONE] > counts.sum() - counts[Kind.NONE]
            kind = Kind.NONE if silent else _data_kind(counts)
        elif control is None or not control[0] & _DATA:
            kind = Kind.NONE
        else:
            kind = _data_kind(counts)
            mode = _data_kind(whole[track]) if track in whole else kind
            if kind is Kind.UNKNOWN or _MODES.get(kind) is _MODES.get(mode):
                kind = mode
        area = Area.TRACK if index else Area.PREGAP
        area = {LEAD_IN: Area.LEAD_IN, LEAD_OUT: Area.LEAD_OUT}.get(key, area)
        inside = area in (Area.TRACK, Area.PREGAP)
        runs.append(
            Run(
                lba=segment.first + first_lba,
                sectors=segment.end - segment.first,
                area=area,
                session=session,
                track=track if inside else None,
                index=index if inside else None,
                control=None if control is None else control[0],
                scms=control is not None and control[1],
                mode=_MODES.get(kind),
                kind=kind,
            )
        )
    return runs


def _toc(facts: Facts, runs: list[Run], first_lba: int) -> Iterator[TocEntry]:
    for run in runs:
        if run.area is not Area.LEAD_IN:
            continue
        part = facts[run.lba - first_lba : run.end_lba - first_lba]
        q = part["q"][part["right"]]
        items = toc_of(np.ascontiguousarray(q))
        places = np.flatnonzero(part["right"])
        adr = q[:, 0] & 15
        entries = []
        for (mode, point), pointer in items.items():
            standing = places[(adr == mode) & (q[:, 1] == 0) & (q[:, 2] == point)]
            entries.append(
                TocEntry(
                    session=run.session,
                    pointer=pointer,
                    lba=run.lba + int(standing[0]),
                    frames=len(standing),
                )
            )
        yield from sorted(entries, key=lambda entry: entry.lba)


def _codes(
    facts: Facts,
    runs: list[Run],
    first_lba: int,
    adr: int,
    width: int,
    read: Callable[[bytes], str],
    *,
    by_track: bool,
) -> tuple[Told, ...]:
    """Return what the frames of mode 2 or 3 tell."""
    places = np.flatnonzero(facts["right"] & (facts["q"][:, 0] & 15 == adr))
    if not len(places):
        return ()
    starts = np.array([run.lba - first_lba for run in runs])
    owners = np.searchsorted(starts, places, side="right") - 1
    tracks = np.array([run.track or 0 for run in runs])[owners]
    rows = np.empty((len(places), width + 1), np.uint8)
    rows[:, 0] = tracks if by_track else 0
    rows[:, 1:] = facts["q"][places, 1 : 1 + width]
    found, firsts, counts = np.unique(rows, axis=0, return_index=True, return_counts=True)
    told = []
    for row, first, count in zip(found, firsts.tolist(), counts.tolist(), strict=True):
        try:
            code = read(row[1:].tobytes())
        except FormatError:  # a right CRC over nonsense tells nothing
            continue
        run = runs[int(owners[first])]
        told.append(
            Told(
                code=code,
                lba=int(places[first]) + first_lba,
                frames=count,
                session=run.session,
                track=run.track,
            )
        )
    return tuple(
        sorted(
            told,
            key=lambda each: (each.track or 0 if by_track else 0, -each.frames, each.lba),
        )
    )


def _made(image: DiscImage) -> tuple[tuple[int, int], ...]:
    """Return the stretches whose P and Q are made from the Disc."""
    if not isinstance(image, RegionImage):
        return ()
    found: list[tuple[int, int]] = []
    for region in image.sub:
        if region.form not in (SubForm.MADE, SubForm.RW):
            continue
        if found and sum(found[-1]) == region.lba:
            found[-1] = (found[-1][0], found[-1][1] + region.sectors)
        else:
            found.append((region.lba, region.sectors))
    return tuple(found)


def survey_of(facts: Facts, image: DiscImage) -> Survey:
    """Return what the disc says whose sectors say `facts`."""
    first_lba = image.first_lba
    frames = _Frames.of(facts)
    chain = chain_of(frames.keys)
    if chain:
        runs = _runs(facts, frames, _segments(frames, chain, first_lba), first_lba)
    else:
        runs = [
            Run(
                lba=first_lba,
                sectors=len(facts),
                area=None,
                session=1,
                track=None,
                index=None,
                control=None,
                mode=None,
                kind=Kind.UNKNOWN,
            )
        ]
    return Survey(
        first_lba=first_lba,
        sectors=len(facts),
        runs=tuple(runs),
        toc=tuple(_toc(facts, runs, first_lba)),
        mcns=_codes(facts, runs, first_lba, QCatalog.adr, 7, unpack_mcn, by_track=False),
        isrcs=_codes(facts, runs, first_lba, QIsrc.adr, 8, unpack_isrc, by_track=True),
        made=_made(image),
    )


def survey(image: DiscImage, *, jobs: int = 1, progress: Progress | None = None) -> Survey:
    """Read every sector of an image and tell what its bytes say.

    ```python
    told = rawcd.survey.survey(rawcd.open_image("album.raw"))
    for run in told.runs:
        print(run.lba, run.sectors, run.area, run.track, run.index)
    ```

    Nothing comes from `image.disc`: the places are those of the recorded Q frames, the modes those
    of the headers. Where an image has no subcode of its own, what is made for it is read, and
    `Survey.made` says so.

    Args:
        image: any image.
        jobs: processes that read, this one among them.
        progress: told after each block.

    Raises:
        CancelledError: `progress` said stop.
        StorageError: the image cannot be read.
    """
    return survey_of(gather(image, checks=False, jobs=jobs, progress=progress), image)
