"""From tables of contents, a sheet and recorded Q to a disc."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
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
from rawcd.errors import FormatError
from rawcd.image import Note
from rawcd.msf import FIRST_LBA, LAST_LBA, PROGRAM_LBA
from rawcd.recording.values import SheetTrack
from rawcd.sector import SYNC
from rawcd.source import SECTOR_BYTES, fill_rows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rawcd.qscan import ToldTracks
    from rawcd.recording.values import Sheet, Stored
    from rawcd.toc import LeadIn

_NO_MCN: Final = "0" * 13
_HEADER_MODE: Final = 15


class Layout:
    """Makes the disc, and gathers notes on the way.

    Args:
        sheet: what the sheet says.
        stored: the recorded sectors.
        ask_headers: look into data sectors for their mode.

    Attributes:
        notes: what was overlooked.
        without_q: stretches whose recorded subcode has no Q.
    """

    def __init__(self, sheet: Sheet, stored: Sequence[Stored], *, ask_headers: bool = True) -> None:
        self._sheet = sheet
        self._stored = stored
        self._ask_headers = ask_headers
        self.notes: list[Note] = []
        self.without_q: list[tuple[int, int]] = []

    def _note(self, code: str, message: str, track: int | None = None) -> None:
        self.notes.append(Note(code=code, message=message, track=track, file=self._sheet.name))

    def disc(self) -> Disc:
        """Return the disc.

        Raises:
            ValueError: the sheet contradicts itself.
            StorageError: the recorded sectors cannot be read.
        """
        lead_ins = self._sheet.lead_ins
        if not lead_ins:
            raise FormatError("there is no session", place="table of contents")
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
            if self._ask_headers and each.lba <= lba < each.end and each.sector_type is None:
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
            f"would begin at {next_program_lba}",
            place="table of contents",
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
        row = scramble(row)
    mode = int(row[0, _HEADER_MODE]) & 3  # the bits above tell of packets (MMC, block indicator)
    return TrackMode(mode) if mode <= TrackMode.MODE2 else None
