"""Discs of which the program areas are recorded, and the table of contents beside them.

That is what programs that copy discs store: a sheet with the items of each lead-in, and a file
with the sectors from each session's first track to its lead-out, with or without their subcode.
The table of contents says which tracks there are. What it cannot say comes from the sheet where
that says it, else from the recorded Q: pregaps, indexes, MCN, ISRC, SCMS.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from rawcd.disc import (
    FIRST_LEAD_OUT_SECTORS,
    IMAGE_LEAD_IN_LBA,
    LAST_LEAD_OUT_LBA,
    LATER_LEAD_OUT_SECTORS,
    PREGAP_SECTORS,
    CopySetting,
    Disc,
    DiscType,
    Index,
    Session,
    Track,
    TrackMode,
)
from rawcd.errors import FormatError, UnsupportedError
from rawcd.image import (
    ImageType,
    MainForm,
    Note,
    Region,
    RegionImage,
    SubForm,
    SubRegion,
    blanks,
    fill_rows,
)
from rawcd.msf import FIRST_LBA, LAST_LBA, PROGRAM_LBA
from rawcd.sector import SYNC, SectorType
from rawcd.source import SECTOR_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from rawcd.cdtext import CDText
    from rawcd.fileset import InputFiles
    from rawcd.image import DiscImage
    from rawcd.qscan import ToldTracks
    from rawcd.source import Source
    from rawcd.toc import LeadIn

SHEET_BYTES: Final = 1024 * 1024
"""More than any table of contents needs."""
_NO_MCN: Final = "0" * 13
_HEADER_MODE: Final = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """Consecutive sectors that a file holds.

    Attributes:
        lba: the first one.
        sectors: how many.
        main: their main channel.
        sub: their subcode, blocks of 96 bytes as on the disc.
        start: the sources' block that lies at `lba`.
        sector_type: what blocks of less than 2,352 bytes hold; None for whole sectors.
    """

    lba: int
    sectors: int
    main: Source
    sub: Source | None = None
    start: int = 0
    sector_type: SectorType | None = None

    @property
    def end(self) -> int:
        """One past the last one."""
        return self.lba + self.sectors

    def from_to(self, lba: int, end: int) -> Stored:
        """Return those of its sectors that lie in lba..end-1."""
        first, after = max(lba, self.lba), min(end, self.end)
        return replace(
            self, lba=first, sectors=max(after - first, 0), start=self.start + first - self.lba
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetTrack:
    """What a sheet says of a track beside the items of the lead-in.

    Attributes:
        mode: the mode of its sectors; asked where their header does not tell.
        indexes: LBAs of indexes other than 1, by their number.
        isrc: as it stands in the sheet.
    """

    mode: TrackMode | None = None
    indexes: Mapping[int, int] = field(default_factory=dict)
    isrc: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """What a sheet says of a disc.

    Attributes:
        name: the file, for messages.
        lead_ins: the items of each session's lead-in.
        tracks: what else it says, by track number.
        mcn: as it stands in the sheet.
        cdtext: the disc's texts.
        scrambled: the data sectors in the file are as on the disc.
    """

    name: str
    lead_ins: Sequence[LeadIn]
    tracks: Mapping[int, SheetTrack] = field(default_factory=dict)
    mcn: str | None = None
    cdtext: CDText | None = None
    scrambled: bool = False


def sheet_bytes(files: InputFiles) -> bytes:
    """Return the whole content of a sheet.

    Raises:
        FormatError: it is larger than any sheet.
        StorageError: it cannot be read.
    """
    data = files.content()
    if len(data) > SHEET_BYTES:
        raise FormatError(
            f"{len(data)} bytes are too many for a sheet; it has at most {SHEET_BYTES}",
            file=files.name,
        )
    return data


def recorded_image(
    sheet: Sheet, stored: Sequence[Stored], notes: Iterable[Note] = ()
) -> RegionImage:
    """Return the image of recorded sectors and the sheet beside them.

    Args:
        sheet: what the sheet says.
        stored: the recorded sectors, rising; what lies between them is made.
        notes: what was met on the way so far.

    Raises:
        FormatError: the sheet contradicts itself.
        StorageError: the recorded sectors cannot be read.
    """
    for before, after in pairwise(stored):
        if after.lba < before.end:
            raise FormatError(f"sectors from LBA {after.lba} on are stored twice", file=sheet.name)
    maker = _Maker(sheet, stored)
    try:
        disc = maker.disc()
    except FormatError as error:
        if error.file is not None:
            raise
        raise FormatError(error.reason, file=sheet.name, place=error.place) from error
    except ValueError as error:
        raise FormatError(f"contradicts itself: {error}", file=sheet.name) from error
    if stored and not disc.first_lba <= stored[0].lba <= stored[-1].end <= disc.end_lba:
        raise FormatError("sectors outside the disc are stored", file=sheet.name)
    return RegionImage(
        disc=disc,
        main=tuple(_main_regions(disc, stored, scrambled=sheet.scrambled)),
        sub=tuple(_sub_regions(disc, stored, maker.without_q)),
        kind=ImageType.RAW,
        notes=(*notes, *maker.notes),
    )


class _Maker:
    """Makes the disc, and gathers notes on the way."""

    def __init__(self, sheet: Sheet, stored: Sequence[Stored]) -> None:
        self._sheet = sheet
        self._stored = stored
        self.notes: list[Note] = []
        self.without_q: list[tuple[int, int]] = []

    def _note(self, code: str, message: str, track: int | None = None) -> None:
        self.notes.append(Note(code=code, message=message, track=track, file=self._sheet.name))

    def disc(self) -> Disc:
        lead_ins = self._sheet.lead_ins
        if not lead_ins:
            raise FormatError("there is no session")
        mcns: Counter[str] = Counter()
        sessions: list[Session] = []
        for place, lead_in in enumerate(lead_ins):
            program_lba = self._program_lba(place)
            told = self._told(lead_in, program_lba)
            if told is not None:
                mcns.update(told.mcns)
            if sessions:
                sessions[-1] = _with_room(sessions[-1], place == 1, program_lba)
            begin = sessions[-1].end_lba if sessions else self._first_lba()
            sessions.append(self._session(lead_in, begin, program_lba, told, later=place > 0))
        last = lead_ins[-1]
        limit = last.last_lead_out_lba
        return Disc(
            sessions=tuple(sessions),
            mcn=self._mcn(mcns),
            cdtext=self._sheet.cdtext,
            appendable=last.next_program_lba is not None,
            last_lead_out_lba=LAST_LEAD_OUT_LBA if limit is None else limit,
        )

    def _first_lba(self) -> int:
        told = self._sheet.lead_ins[0].first_lead_in_lba
        return told if told is not None and FIRST_LBA <= told < PROGRAM_LBA else IMAGE_LEAD_IN_LBA

    def _program_lba(self, place: int) -> int:
        """Return where a session's program area begins; nothing stored there tells it.

        The sheet's own word comes first, then point B0 of the session before.
        """
        if place == 0:
            return PROGRAM_LBA
        before, lead_in = self._sheet.lead_ins[place - 1 : place + 1]
        number, start = next(iter(lead_in.starts.items()))
        own = self._track(number).indexes.get(0, before.next_program_lba)
        if own is not None and before.lead_out_lba < own < start:
            return own
        return start - PREGAP_SECTORS

    def _track(self, number: int) -> SheetTrack:
        return self._sheet.tracks.get(number, SheetTrack())

    def _told(self, lead_in: LeadIn, program_lba: int) -> ToldTracks | None:
        from rawcd.qscan import told_tracks
        from rawcd.subcode import PackLine, PackPart

        end = lead_in.lead_out_lba
        parts = [each.from_to(program_lba, end) for each in self._stored if each.sub is not None]
        parts = [each for each in parts if each.sectors]
        starts = list(lead_in.starts.values())
        rise = all(before < after for before, after in pairwise([program_lba, *starts, end]))
        if not parts or not rise or end > LAST_LBA:
            return None
        line = PackLine(
            [
                PackPart(
                    at=each.lba - program_lba, source=each.sub, start=each.start, count=each.sectors
                )
                for each in parts
                if each.sub is not None
            ],
            end - program_lba,
            name=parts[0].sub.name if parts[0].sub else self._sheet.name,
        )
        told = told_tracks(line, lead_in.starts, program_lba, end, first_lba=program_lba)
        if not told.readable:
            self.without_q.append((program_lba, end))
            self._note(
                "subcode-blank",
                "the recorded subcode has no Q frame that can be read; P and Q are made of what "
                "the sheet says",
            )
        elif not told.indexes:
            self._note(
                "subcode-unreadable",
                "too little of the recorded Q subcode can be read to find pregaps and indexes; "
                "those of the sheet were taken",
            )
        return told

    def _mcn(self, told: Counter[str]) -> str | None:
        del told[_NO_MCN]
        recorded = told.most_common(1)[0][0] if told else None
        own = self._sheet.mcn
        if own is None or own == _NO_MCN:
            return recorded
        if not (len(own) == 13 and own.isascii() and own.isdecimal()):
            self._note("mcn", f"{own!r} is no media catalogue number of 13 digits; left out")
            return recorded
        if recorded is not None and recorded != own:
            self._note(
                "subcode-differs",
                f"the sheet has the media catalogue number {own}, the subcode {recorded}; "
                "the sheet's was taken",
            )
        return own

    def _session(
        self,
        lead_in: LeadIn,
        begin: int,
        program_lba: int,
        told: ToldTracks | None,
        *,
        later: bool,
    ) -> Session:
        indexes = self._indexes(lead_in, program_lba, told)
        if not _rise(indexes, lead_in.lead_out_lba) and told is not None:
            self._note(
                "subcode-differs",
                "pregaps and indexes of sheet and subcode exclude each other; "
                "those of the sheet were taken",
            )
            indexes = self._indexes(lead_in, program_lba, None)
        numbers = list(indexes)
        ends = [indexes[number][0].lba for number in numbers[1:]] + [lead_in.lead_out_lba]
        tracks = tuple(
            self._made_track(lead_in, number, indexes[number], end, told)
            for number, end in zip(numbers, ends, strict=True)
        )
        return Session(
            tracks=tracks,
            lead_in_lba=begin,
            lead_out_lba=lead_in.lead_out_lba,
            lead_out_sectors=LATER_LEAD_OUT_SECTORS if later else FIRST_LEAD_OUT_SECTORS,
            disc_type=self._disc_type(lead_in.disc_type),
        )

    def _indexes(
        self, lead_in: LeadIn, program_lba: int, told: ToldTracks | None
    ) -> dict[int, tuple[Index, ...]]:
        """Return each track's indexes: the sheet's, and those of the subcode that it lacks."""
        found: dict[int, tuple[Index, ...]] = {}
        for number, start in lead_in.starts.items():
            recorded = () if told is None else told.indexes.get(number, ())
            places = {index.number: index.lba for index in recorded}
            places.update(self._track(number).indexes)
            if not found:
                places[0] = program_lba
            places[1] = start
            found[number] = tuple(
                Index(number=index, lba=places[index]) for index in sorted(places)
            )
        return found

    def _made_track(
        self,
        lead_in: LeadIn,
        number: int,
        indexes: tuple[Index, ...],
        end: int,
        told: ToldTracks | None,
    ) -> Track:
        control = lead_in.controls[number]
        copy = CopySetting.PROHIBITED
        if control & 2:
            copy = CopySetting.PERMITTED
        elif told is not None and number in told.scms:
            copy = CopySetting.SCMS
        return Track(
            number=number,
            mode=self._mode(number, lead_in) if control & 4 else TrackMode.AUDIO,
            indexes=indexes,
            end_lba=end,
            copy=copy,
            pre_emphasis=bool(control & 1),
            four_channel=bool(control & 8),
            isrc=self._isrc(number, told),
        )

    def _isrc(self, number: int, told: ToldTracks | None) -> str | None:
        from rawcd.rules import is_sheet_isrc

        recorded = None if told is None else told.isrcs.get(number)
        own = self._track(number).isrc
        if own is None:
            return recorded
        if not is_sheet_isrc(own):
            self._note("isrc", f"{own!r} is no ISRC; left out", number)
            return recorded
        if recorded is not None and recorded != own:
            self._note(
                "subcode-differs",
                f"the sheet has the ISRC {own}, the subcode {recorded}; the sheet's was taken",
                number,
            )
        return own

    def _mode(self, number: int, lead_in: LeadIn) -> TrackMode:
        """Return the mode of a data track: sheets are known to err, headers are not."""
        own, lba = self._track(number).mode, lead_in.starts[number]
        for each in self._stored:
            if each.lba <= lba < each.end and each.sector_type is None:
                mode = _header_mode(each, lba, scrambled=self._sheet.scrambled)
                if mode is not None:
                    return mode
        if own is not None and own is not TrackMode.AUDIO:
            return own
        mode = TrackMode.MODE2 if lead_in.disc_type else TrackMode.MODE1
        self._note(
            "mode",
            f"its first sector has no header that tells its mode; taken as mode {mode.value}",
            number,
        )
        return mode

    def _disc_type(self, told: int) -> DiscType:
        if told in set(DiscType):
            return DiscType(told)
        self._note("disc-type", f"the disc type {told:02X}h is none; taken as 00h")
        return DiscType.CDDA_CDROM


def _rise(indexes: Mapping[int, tuple[Index, ...]], lead_out_lba: int) -> bool:
    places = [index.lba for each in indexes.values() for index in each]
    in_order = all(before < after for before, after in pairwise([*places, lead_out_lba]))
    return in_order and all(
        after.number == before.number + 1
        for each in indexes.values()
        for before, after in pairwise(each)
    )


def _with_room(session: Session, is_first: bool, next_program_lba: int) -> Session:
    """Return a session with a lead-out that leaves room for the lead-in behind it."""
    between = next_program_lba - session.lead_out_lba
    usual = FIRST_LEAD_OUT_SECTORS if is_first else LATER_LEAD_OUT_SECTORS
    if between < 2:
        raise FormatError(
            f"the session after the one whose lead-out is at LBA {session.lead_out_lba} "
            f"would begin at {next_program_lba}"
        )
    return replace(session, lead_out_sectors=usual if usual < between else between // 2)


def _header_mode(stored: Stored, lba: int, *, scrambled: bool) -> TrackMode | None:
    import numpy as np

    from rawcd.sector import scramble

    row = np.empty((1, SECTOR_BYTES), np.uint8)
    fill_rows(stored.main, stored.start + lba - stored.lba, row)
    if row[0, : len(SYNC)].tobytes() != SYNC:
        return None
    if scrambled:
        scramble(row)
    mode = int(row[0, _HEADER_MODE]) & 3  # the bits above tell of packets (MMC, block indicator)
    return TrackMode(mode) if mode <= TrackMode.MODE2 else None


def _main_regions(disc: Disc, stored: Sequence[Stored], *, scrambled: bool) -> Iterator[Region]:
    position = disc.first_lba
    for each in stored:
        yield from blanks(disc, position, each.lba)
        for lba, end, form in _forms(disc, scrambled=scrambled):
            yield from _region(each.from_to(lba, end), form)
        position = each.end
    yield from blanks(disc, position, disc.end_lba)


def _forms(disc: Disc, *, scrambled: bool) -> Iterator[tuple[int, int, MainForm]]:
    """Yield the stretches of a disc and the form in which they are stored.

    What is stored of sound is as on the disc. Around it, pregaps of sound included, sectors with
    a sync are data sectors before scrambling: just those that `main_sectors` unscrambles.
    """
    if scrambled or all(track.is_audio for track in disc.tracks):
        yield disc.first_lba, disc.end_lba, MainForm.DISC
        return
    position = disc.first_lba
    for track in disc.tracks:
        if track.is_audio:
            yield position, track.start_lba, MainForm.READ
            yield track.start_lba, track.end_lba, MainForm.DISC
            position = track.end_lba
    yield position, disc.end_lba, MainForm.READ


def _region(part: Stored, form: MainForm) -> Iterator[Region]:
    if part.sectors:
        whole = part.sector_type is None
        yield Region(
            lba=part.lba,
            sectors=part.sectors,
            form=form if whole else MainForm.USER,
            source=part.main,
            start=part.start,
            sector_type=part.sector_type,
        )


def _sub_regions(
    disc: Disc, stored: Sequence[Stored], without_q: Sequence[tuple[int, int]]
) -> Iterator[SubRegion]:
    position = disc.first_lba
    for each in (each for each in stored if each.sub is not None):
        if position < each.lba:
            yield SubRegion(lba=position, sectors=each.lba - position, form=SubForm.MADE)
        position = each.lba
        for first, after in (*without_q, (each.end, each.end)):
            recorded = each.from_to(position, first)
            bare = each.from_to(max(first, position), after)
            for part, form in ((recorded, SubForm.RAW), (bare, SubForm.RW)):
                if part.sectors:
                    yield SubRegion(
                        lba=part.lba,
                        sectors=part.sectors,
                        form=form,
                        source=part.sub,
                        start=part.start,
                    )
            position = max(position, min(after, each.end))
    if position < disc.end_lba:
        yield SubRegion(lba=position, sectors=disc.end_lba - position, form=SubForm.MADE)


def program_stretches(disc: Disc) -> tuple[tuple[int, int], ...]:
    """Return for each session the LBAs, first and one past the last, that such files hold.

    The two seconds before a session are not stored; a longer pregap of its first track is, from
    there on.

    Raises:
        UnsupportedError: a track begins before LBA 0.
    """
    stretches = []
    for session in disc.sessions:
        first = min(session.program_lba + PREGAP_SECTORS, session.tracks[0].start_lba)
        if first < 0:
            raise UnsupportedError(
                f"track {session.tracks[0].number} begins at LBA {first}; such a file begins at 0"
            )
        stretches.append((first, session.lead_out_lba))
    return tuple(stretches)


def with_raw_subcode(image: DiscImage) -> DiscImage:
    """Return an image whose subcode is as on the disc, 96 bytes a sector.

    Raises:
        UnsupportedError: it is of another kind, and cannot be had in this one.
    """
    if isinstance(image, RegionImage):
        return image.as_kind(ImageType.RAW)
    if image.kind is not ImageType.RAW:
        raise UnsupportedError(
            f"the image has subcode of kind {image.kind.name}; 96 bytes as on the disc are needed"
        )
    return image
