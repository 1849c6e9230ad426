"""A disc against the image that was burned on it: every sector, main channel and subcode.

What is compared is what the way of writing carries. A raw burn has each bit of the program area
from the host. At once, the drive makes P and Q, the heads and the parity of data sectors: there
user data, addresses and the fields of Q are compared, and what R-W the host sent.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from rawcd.cdtext import read_packs
from rawcd.disc import MODE_CHANGE_HEAD_SECTORS, PREGAP_SECTORS, Disc, DiscType, TrackMode
from rawcd.errors import DriveError
from rawcd.image import ImageType, RegionImage, main_sectors
from rawcd.msf import LAST_LBA, PROGRAM_LBA, Msf, linear_frames
from rawcd.progress import report
from rawcd.subcode.rows import msf_bcd
from rawcd_writers.drive import expected, mmc
from rawcd_writers.drive.contents import disc_of_toc
from rawcd_writers.drive.dialogue import is_refused
from rawcd_writers.drive.expected import MadeSubcode, SentSubcode, sent_rw, track_made_at_once
from rawcd_writers.drive.plan import WriteMode
from rawcd_writers.drive.reading import SectorReader, first_readable
from rawcd_writers.drive.replies import DiscStatus

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rawcd.disc import Session, Track
    from rawcd.image import DiscImage
    from rawcd.progress import Progress
    from rawcd.source import Bytes2D
    from rawcd.subcode.rows import Flags
    from rawcd_writers.drive.expected import Subcode
    from rawcd_writers.drive.reading import Sectors
    from rawcd_writers.drive.session import DriveSession

SHOWN: Final = 10
"""How many differences are named; the others are counted."""
_STEP: Final = 208
_SUB_SELECTIONS: Final = (mmc.SubSelection.RAW, mmc.SubSelection.Q, mmc.SubSelection.NONE)
_READ_AGAIN: Final = 2
"""How often a sector that differs is read again: subcode has no correction, and reads go wrong."""
_PATIENT_WITH: Final = 100
"""Sectors that may differ before others are not read again any more."""
_HEADER: Final = slice(12, 16)
_SUBMODE: Final = 18
_FORM_2: Final = 0x20


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Something in a sector that is not what was burned.

    Attributes:
        lba: the sector, on the disc.
        field: what it is: `main channel byte 7`, `Q index`, `P`, `R-W`.
        read: what is there.
        burned: what was burned.
    """

    lba: int
    field: str
    read: str
    burned: str

    def __str__(self) -> str:
        return (
            f"LBA {self.lba} ({Msf.from_lba(self.lba)}): {self.field} is {self.read}, "
            f"{self.burned} was burned"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What a comparison brought.

    Attributes:
        sectors: how many were compared.
        count: how many of them differ.
        first: the first differences, some to a sector.
        faults: what is wrong with the disc as a whole: tracks, codes, texts.
        skipped: what the drive does not let one compare.
    """

    sectors: int
    count: int
    first: tuple[Difference, ...]
    faults: tuple[str, ...]
    skipped: tuple[str, ...]

    @property
    def same(self) -> bool:
        """Whether the disc is what was burned, as far as it was compared."""
        return not (self.count or self.faults)

    @property
    def lines(self) -> tuple[str, ...]:
        """The faults and the first differences in words, and how many sectors differ."""
        if self.same:
            return ()
        lines = [*self.faults, *map(str, self.first)]
        if self.count:
            lines.append(f"{self.count} of {self.sectors} sectors compared differ")
        return tuple(lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stretch:
    """Sectors that are compared one way.

    Attributes:
        lba: the first one, on the disc.
        end_lba: one past the last one.
        shift: how much further on they lie than in the image; None: the drive made their content.
        track: what they belong to, at once; None: every byte is the image's.
        has_forms: of mode 2 the session tells that there are forms.
    """

    lba: int
    end_lba: int
    shift: int | None = 0
    track: Track | None = None
    has_forms: bool = False


@dataclass(slots=True)
class _Tally:
    """What has been found so far."""

    sectors: int = 0
    count: int = 0
    first: list[Difference] = field(default_factory=list)


def compare(
    session: DriveSession,
    image: DiscImage,
    mode: str,
    *,
    sub: ImageType | None = None,
    with_text: bool = False,
    progress: Progress | None = None,
) -> Comparison:
    """Compare a disc with the image that was burned on it.

    Args:
        session: the drive.
        image: what was burned.
        mode: `raw`, `sao` or `tao`.
        sub: the form of the subcode that was sent; None: of a raw burn the image's own, at once
            none was.
        with_text: CD-TEXT was sent.
        progress: told after some sectors each.

    Raises:
        DriveError: the disc is blank, or cannot be read at all.
        CancelledError: `progress` said stop.
        ValueError: there is no such mode.
    """
    if mode not in {each.value for each in WriteMode}:
        raise ValueError(f"no mode of writing: {mode!r}; there are raw, sao and tao")
    session.wait_until_ready()
    status = session.disc_information().status
    if status is DiscStatus.BLANK:
        raise DriveError(f"{session.name}: the disc is blank: there is nothing to compare")
    told = disc_of_toc(session)
    burned = _numbered_at_once(image.disc) if mode == "tao" else image.disc
    faults = list(_toc_faults(told, burned, moved=mode == "tao"))
    appendable = status is DiscStatus.APPENDABLE
    if appendable is not burned.appendable:
        state = "not closed, and was to be" if appendable else "closed, and a session was to follow"
        faults.append(f"the disc is {state}")
    skipped: list[str] = []
    selection, reader = _reader(session, told)
    wanted: Subcode
    if mode == "raw":
        wanted = SentSubcode(image, sub or image.kind)
    elif mode == "sao":
        wanted = MadeSubcode(burned, None if sub is None else sent_rw(image, sub))
    else:
        try:
            wanted = MadeSubcode(_made_at_once(burned, told))
        except (KeyError, ValueError) as error:  # other tracks than were written
            why = f"its tracks do not lie as at once: {error}"
            return Comparison(sectors=0, count=0, first=(), faults=(*faults, why), skipped=())
    if selection is not mmc.SubSelection.RAW:
        skipped.append(_NOT_READ[selection])
    stretches = list(_stretches(burned, told, mode))
    first = first_readable(reader, burned.sessions[0])
    if first > PROGRAM_LBA:
        skipped.append(f"LBA {PROGRAM_LBA} to {first - 1}: the drive reads nothing before {first}")
        stretches = [
            replace(each, lba=max(each.lba, first)) for each in stretches if each.end_lba > first
        ]
    reader.run_out = range(PROGRAM_LBA, LAST_LBA + 1)  # what cannot be read is told
    tally = _Tally()
    total = sum(each.end_lba - each.lba for each in stretches)
    for each in stretches:
        for lba in range(each.lba, each.end_lba, _STEP):
            part = replace(each, lba=lba, end_lba=min(lba + _STEP, each.end_lba))
            _compare(reader, image, part, wanted, tally)
            report(progress, tally.sectors, total)
    if selection is not mmc.SubSelection.NONE:
        faults += wanted.faults()
    if with_text:
        faults += _text_faults(session, image)
    return Comparison(
        sectors=tally.sectors,
        count=tally.count,
        first=tuple(tally.first),
        faults=tuple(faults),
        skipped=tuple(skipped),
    )


_NOT_READ: Final = {
    mmc.SubSelection.Q: "P and R-W: the drive reads no raw subcode",
    mmc.SubSelection.NONE: "subcode: the drive reads none",
}


def _reader(session: DriveSession, told: Disc) -> tuple[mmc.SubSelection, SectorReader]:
    """Return what reads as much subcode as the drive gives."""
    lba = told.tracks[0].start_lba
    for selection in _SUB_SELECTIONS:
        reader = SectorReader(session, sub=selection)
        try:
            reader.read(lba, 1)
        except DriveError as error:
            if is_refused(error) and selection is not _SUB_SELECTIONS[-1]:
                continue
            if error.sense is None or error.sense[0] not in (3, 5):
                raise
        return selection, reader
    raise AssertionError("unreachable: the last selection is taken as it is")


def _toc_faults(told: Disc, burned: Disc, *, moved: bool) -> Iterator[str]:
    """Yield where the table of contents is not the image's."""
    if len(told.sessions) != len(burned.sessions):
        yield f"the disc has {len(told.sessions)} sessions, {len(burned.sessions)} were burned"
    found = {track.number: track for track in told.tracks}
    for track in burned.tracks:
        if track.number not in found:
            yield f"track {track.number} is not on the disc"
            continue
        there = found[track.number]
        if there.control != track.control:
            yield (
                f"track {track.number}: CONTROL in the table of contents is {there.control:X}h, "
                f"{track.control:X}h was burned"
            )
        if there.start_lba != track.start_lba and not moved:
            yield (
                f"track {track.number} begins at LBA {there.start_lba}, "
                f"{track.start_lba} was burned"
            )
    for number in sorted(found.keys() - {track.number for track in burned.tracks}):
        yield f"track {number} is on the disc and was not burned"
    if not moved:
        for place, (one, other) in enumerate(zip(told.sessions, burned.sessions, strict=False), 1):
            if one.lead_out_lba != other.lead_out_lba:
                yield (
                    f"the lead-out of session {place} begins at LBA {one.lead_out_lba}, "
                    f"{other.lead_out_lba} was burned"
                )


def _text_faults(session: DriveSession, image: DiscImage) -> Iterator[str]:
    """Yield where the CD-TEXT that the drive finds in the lead-in is not the image's."""
    packs = image.lead_in_packs if isinstance(image, RegionImage) else b""
    reply = session.dialogue.reply_or_none(mmc.read_cd_text())
    found = b"" if reply is None else reply.packs
    if found == packs or not packs:
        return
    if not found:
        yield "the drive finds no CD-TEXT in the lead-in"
    elif read_packs(found).cdtext != read_packs(packs).cdtext:
        yield "the CD-TEXT in the lead-in is not what was burned"


def _numbered_at_once(burned: Disc) -> Disc:
    """Return the disc with the numbers that drives give to tracks at once: from 1 on."""
    before = burned.tracks[0].number - 1
    sessions = tuple(
        replace(
            session,
            tracks=tuple(replace(track, number=track.number - before) for track in session.tracks),
        )
        for session in burned.sessions
    )
    return replace(burned, sessions=sessions, cdtext=None)


def _made_at_once(burned: Disc, told: Disc) -> Disc:
    """Return the disc as a drive makes it of tracks at once, in the places that it chose."""
    sessions: list[Session] = []
    for mine, there in zip(burned.sessions, told.sessions, strict=True):
        starts = [told.track(track.number).start_lba for track in mine.tracks]
        ends = [*(start - PREGAP_SECTORS for start in starts[1:]), there.lead_out_lba]
        tracks = tuple(
            track_made_at_once(track, start, end, PREGAP_SECTORS)
            for track, start, end in zip(mine.tracks, starts, ends, strict=True)
        )
        sessions.append(replace(there, tracks=tracks, disc_type=mine.disc_type))
    return replace(burned, sessions=tuple(sessions), cdtext=None)


def _stretches(burned: Disc, told: Disc, mode: str) -> Iterator[_Stretch]:
    """Yield what is compared, rising."""
    for session in burned.sessions:
        if mode == "raw":
            yield _Stretch(lba=session.program_lba, end_lba=session.lead_out_lba)
            continue
        forms = session.disc_type is not DiscType.CDDA_CDROM
        for track in session.tracks:
            if mode == "sao":
                yield from _stretches_of_sheet(session, track, forms)
                continue
            start = told.track(track.number).start_lba
            # The pregap of a data track ends with blocks that link, which nobody can read.
            if track.is_audio:
                yield _Stretch(lba=start - PREGAP_SECTORS, end_lba=start, shift=None, track=track)
            yield _Stretch(
                lba=start,
                end_lba=start + track.sector_count,
                shift=start - track.start_lba,
                track=track,
                has_forms=forms,
            )


def _stretches_of_sheet(session: Session, track: Track, forms: bool) -> Iterator[_Stretch]:
    """Yield a track of a session at once; a pregap's first second has the track's mode there."""
    whole = _Stretch(lba=track.first_lba, end_lba=track.end_lba, track=track, has_forms=forms)
    if session.has_mode_change_head(track):
        border = track.first_lba + MODE_CHANGE_HEAD_SECTORS
        yield replace(whole, end_lba=border, shift=None)
        whole = replace(whole, lba=border)
    yield whole


def _compare(
    reader: SectorReader, image: DiscImage, part: _Stretch, wanted: Subcode, tally: _Tally
) -> None:
    """Compare some sectors and add to the tally what differs."""
    count = part.end_lba - part.lba
    read = reader.read(part.lba, count)
    sight = _Sight(image, part, read, wanted)
    tally.sectors += count
    rows = set(sight.rows())
    if reader.lost:
        rows |= {row for row in range(count) if part.lba + row in reader.lost}
    if tally.count >= _PATIENT_WITH:
        tally.count += len(rows)
        return
    for row in sorted(rows):
        lba = part.lba + row
        once = replace(part, lba=lba, end_lba=lba + 1)
        look = _Sight(image, once, _row(read, row), wanted) if count > 1 else sight
        if lba not in reader.lost:
            look = _seen_again(reader, image, once, wanted, look)
        found = _lost(lba) if lba in reader.lost else tuple(look.differences())
        if found:
            tally.count += 1
            tally.first += found[: SHOWN - len(tally.first)]


def _row(read: Sectors, row: int) -> Sectors:
    part = slice(row, row + 1)
    return replace(read, main=read.main[part], errors=read.errors[part], sub=read.sub[part])


def _lost(lba: int) -> tuple[Difference, ...]:
    return (Difference(lba=lba, field="the sector", read="not readable", burned="one that is"),)


def _seen_again(
    reader: SectorReader, image: DiscImage, part: _Stretch, wanted: Subcode, look: _Sight
) -> _Sight:
    """Read a sector that differs again, and return the sight that shows least."""
    for _ in range(_READ_AGAIN):
        reader.forget()
        look = _Sight(image, part, reader.read(part.lba, 1), wanted)
        if not look.rows():
            break
    return look


class _Sight:
    """Some sectors as they were read beside what they should be."""

    def __init__(self, image: DiscImage, part: _Stretch, read: Sectors, wanted: Subcode) -> None:
        self._part = part
        self._read = read
        self._main = self._main_unlike(image)
        self._fields: expected.Unlike = {}
        self._sub: Bytes2D | None = None
        if read.sub.shape[1]:
            self._fields, self._sub = wanted.unlike(part.lba, read.sub)

    def _main_unlike(self, image: DiscImage) -> tuple[Flags, Bytes2D] | None:
        """Return which bytes of the main channel differ, and what they should be."""
        part, read = self._part, self._read.main
        if part.shift is None:
            return None
        lba = part.lba - part.shift
        burned = main_sectors(image, lba, len(read))
        unlike = read != burned
        if not unlike.any():
            return None
        if part.track is not None and not part.track.is_audio:
            burned = burned.copy()
            burned[:, _HEADER][:, :3] = msf_bcd()[linear_frames(part.lba) :][: len(read)]
            unlike = read != burned
            unlike &= _carried(part.track.mode, part.has_forms, burned)
        return (unlike, burned) if unlike.any() else None

    def rows(self) -> list[int]:
        """Return which sectors differ, by number."""
        where = np.zeros(len(self._read.main), bool)
        if self._main is not None:
            where |= self._main[0].any(axis=1)
        for unlike in self._fields.values():
            where |= unlike
        found: list[int] = np.flatnonzero(where).tolist()
        return found

    def differences(self) -> Iterator[Difference]:
        """Yield what differs in the sector; there is one."""
        lba = self._part.lba
        if self._main is not None:
            unlike, burned = self._main
            place = int(unlike[0].argmax())
            more = int(unlike[0].sum()) - 1
            yield Difference(
                lba=lba,
                field=f"main channel byte {place}" + (f" (and {more} more)" if more else ""),
                read=f"{self._read.main[0, place]:02X}",
                burned=f"{burned[0, place]:02X}",
            )
        for name in self._fields:
            assert self._sub is not None  # fields are of a subcode that was read
            where, read, wanted = expected.told(name, self._read.sub[:1], self._sub[:1])
            yield Difference(lba=lba, field=where, read=read, burned=wanted)


def _carried(mode: TrackMode, has_forms: bool, burned: Bytes2D) -> Flags:
    """Return which bytes of data sectors (n, 2352) the host sent, the header among them.

    The parity of mode 1 and of form 1 is the drive's, and so is form 2's EDC (MMC, data block
    types and DATA FORM).
    """
    found = np.zeros(burned.shape, bool)
    found[:, : _HEADER.stop] = True
    if mode is TrackMode.MODE1:
        found[:, 16:2064] = True
    elif mode is TrackMode.MODE2 and has_forms:
        found[:, 16:2072] = True
        found[burned[:, _SUBMODE] & _FORM_2 != 0, 2072:2348] = True
    else:
        found[:, 16:] = True
    return found
