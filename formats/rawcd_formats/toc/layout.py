"""From a TOC file to a disc.

Each track is what its statements give, end to end: samples of sound, or bytes of blocks. Zeros
fill it to whole sectors where the mode changes and at its end, as cdrdao does, so that every
track begins on a sector; within one mode a file that ends inside a sector is joined to the next
one. Addresses count from the track's first sector (START, END) or from index 1 (INDEX).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from rawcd.audio import SOUND_SUFFIXES, is_sound, open_sound
from rawcd.disc import CopySetting, DiscType, Index, Track
from rawcd.errors import FormatError, UnsupportedError
from rawcd.image import Note
from rawcd.msf import LAST_LBA, PROGRAM_LBA
from rawcd.program import (
    Stretch,
    check_places,
    disc_of_tracks,
    image_of_program,
    isrc_of_sheet,
    mcn_of_sheet,
)
from rawcd.source import (
    SAMPLE_BYTES,
    SECTOR_SAMPLES,
    BytesPart,
    JoinedBytes,
    PcmSound,
    Reader,
    Sound,
    SwappedSound,
)
from rawcd_formats.toc import values as toc
from rawcd_formats.toc.cdtext import cdtext_of
from rawcd_formats.toc.modes import AUDIO, DISC_TYPES, MODES
from rawcd_formats.toc.pieces import Piece, chunks, groups, stretch_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rawcd.disc import Disc
    from rawcd.fileset import FoundFile, InputFiles
    from rawcd.image import RegionImage
    from rawcd.msf import Msf

_STDIN: Final = "-"
_MOST_SECTORS: Final = LAST_LBA - PROGRAM_LBA


@dataclass(slots=True)
class _TrackPlan:
    """A track, measured as its statements come."""

    sheet: toc.TrackSheet
    pieces: list[Piece] = field(default_factory=list)
    start: toc.Start | toc.Pregap | None = None
    start_sectors: int = 0
    end: toc.End | None = None
    end_sectors: int = 0
    _closed: int = 0  # sectors before the last group
    _open: int = 0  # units of the last group

    def add(self, piece: Piece) -> None:
        if self.pieces and self.pieces[-1].group != piece.group:
            self._closed = self.sectors
            self._open = 0
        self.pieces.append(piece)
        self._open += piece.units

    @property
    def sectors(self) -> int:
        """Whole sectors so far; the last one is filled up only if nothing joins it."""
        if not self.pieces:
            return 0
        return self._closed + -(-self._open // self.pieces[-1].block_units)


def lay_out(sheet: toc.Sheet, files: InputFiles) -> RegionImage:
    """Return the image that a sheet describes.

    Args:
        sheet: the sheet.
        files: finds what it names.

    Raises:
        FormatError: the sheet contradicts itself, or a file is not what it says.
        StorageError: a file is missing or cannot be read.
        UnsupportedError: the sheet reads from a pipe.
    """
    return _Layout(sheet, files).image()


class _Layout:
    """One reading of a sheet; holds what is gathered on the way."""

    def __init__(self, sheet: toc.Sheet, files: InputFiles) -> None:
        self._sheet = sheet
        self._files = files
        self._notes: list[Note] = []
        self._found: dict[str, FoundFile] = {}
        self._sounds: dict[tuple[str, int, bool], Sound] = {}
        self._first = sheet.first_track.number if sheet.first_track else 1

    def image(self) -> RegionImage:
        """Lay the tracks onto the disc."""
        count = len(self._sheet.tracks)
        if self._first + count > 100:
            raise self._error(
                f"{count} tracks from {self._first} on go past 99", self._sheet.tracks[-1].line
            )
        plans = [
            self._plan(number, track)
            for number, track in enumerate(self._sheet.tracks, self._first)
        ]
        tracks: list[Track] = []
        stretches: list[Stretch] = []
        lba = 0
        for number, plan in enumerate(plans, self._first):
            tracks.append(self._track(number, plan, lba))
            for stretch in self._stretches(number, plan, lba):
                stretches.append(stretch)
                lba = stretch.end
        disc = self._disc(tracks)
        return image_of_program(disc, stretches, self._notes)

    # -- what is said ----------------------------------------------------------------------------

    def _error(self, reason: str, line: int) -> FormatError:
        return FormatError(reason, file=self._files.name, place=f"line {line}")

    def _note(self, code: str, message: str, line: int, track: int | None = None) -> None:
        self._notes.append(
            Note(code=code, message=message, track=track, file=self._files.name, line=line)
        )

    def _disc(self, tracks: list[Track]) -> Disc:
        mcn: str | None = None
        if (catalog := self._sheet.catalog) is not None:
            try:
                mcn, remark = mcn_of_sheet(catalog.digits)
            except FormatError as error:
                raise self._error(error.reason, catalog.line) from error
            if remark:
                self._note("mcn-check-digit", remark, catalog.line)

        def track_at(address: Msf) -> int:
            lba = address.to_lba()
            return next((t.number for t in tracks if t.first_lba <= lba < t.end_lba), 0)

        try:
            cdtext = cdtext_of(self._sheet, self._first, self._note, track_at)
            return disc_of_tracks(tracks, disc_type=self._disc_type(), mcn=mcn, cdtext=cdtext)
        except FormatError as error:
            place = error.place or f"line {self._sheet.tracks[-1].line}"
            raise FormatError(error.reason, file=self._files.name, place=place) from error

    def _disc_type(self) -> DiscType:
        named = self._sheet.disc_type
        data = [track for track in self._sheet.tracks if track.mode != AUDIO]
        if named is None:
            xa = any(MODES[track.mode].is_xa for track in data)
            return DiscType.XA if xa else DiscType.CDDA_CDROM
        if named == "CD_DA" and data:
            self._note("disc-type", f"CD_DA with a track of mode {data[0].mode}", data[0].line)
        return DISC_TYPES[named]

    def _track(self, number: int, plan: _TrackPlan, lba: int) -> Track:
        sheet, end = plan.sheet, lba + plan.sectors
        start = lba + plan.start_sectors
        indexes: list[Index] = []
        if lba == 0 and number == self._first:
            indexes.append(Index(number=0, lba=PROGRAM_LBA))
        elif plan.start_sectors:
            indexes.append(Index(number=0, lba=lba))
        indexes.append(Index(number=1, lba=start))
        places = [(index.frames, index.line) for index in sheet.indexes]
        if plan.end is not None:
            places.append((plan.end_sectors - plan.start_sectors, plan.end.line))
            places.sort(key=lambda place: place[0])
        if len(places) > 98:
            raise self._error("a track has 98 indexes above 1 at most", places[-1][1])
        for index, (frames, line) in enumerate(places, 2):
            if frames >= end - start:
                raise self._error(
                    f"index {index} lies {frames} sectors behind index 1, past the track's end; "
                    f"it has {end - start}",
                    line,
                )
            indexes.append(Index(number=index, lba=start + frames))
        try:
            check_places(number, indexes, end)
        except FormatError as error:
            line = places[0][1] if places else sheet.line
            raise self._error(error.reason, line) from error
        isrc: str | None = None
        if sheet.isrc is not None:
            try:
                isrc, remark = isrc_of_sheet(sheet.isrc.code)
            except FormatError as error:
                raise self._error(error.reason, sheet.isrc.line) from error
            if remark:
                self._note("isrc-hyphens", remark, sheet.isrc.line, number)
        return Track(
            number=number,
            mode=MODES[sheet.mode].mode,
            indexes=tuple(indexes),
            end_lba=end,
            copy=CopySetting.PERMITTED if sheet.copy else CopySetting.PROHIBITED,
            pre_emphasis=sheet.pre_emphasis,
            four_channel=sheet.four_channel,
            isrc=isrc,
        )

    # -- measuring -------------------------------------------------------------------------------

    def _plan(self, number: int, sheet: toc.TrackSheet) -> _TrackPlan:
        plan = _TrackPlan(sheet)
        for part in sheet.parts:
            match part:
                case toc.Start() | toc.Pregap():
                    self._take_start(plan, part)
                case toc.End():
                    if plan.end is not None:
                        raise self._error("a track has one END", part.line)
                    plan.end = part
                    plan.end_sectors = plan.sectors if part.frames is None else part.frames
                case _:
                    plan.add(self._piece(sheet, part, number))
            if plan.sectors > _MOST_SECTORS:
                raise self._error("the track is longer than any disc", part.line)
        if not plan.pieces:
            raise self._error(f"TRACK {number:02} has no content", sheet.line)
        if plan.start is not None and plan.start_sectors >= plan.sectors:
            raise self._error(
                f"START at {plan.start_sectors} sectors is not before the end of TRACK "
                f"{number:02}, which has {plan.sectors}",
                plan.start.line,
            )
        if plan.end is not None and not plan.start_sectors < plan.end_sectors < plan.sectors:
            raise self._error(
                f"END at {plan.end_sectors} sectors is not between START "
                f"({plan.start_sectors}) and the end of TRACK {number:02} ({plan.sectors})",
                plan.end.line,
            )
        return plan

    def _take_start(self, plan: _TrackPlan, part: toc.Start | toc.Pregap) -> None:
        if plan.start is not None:
            raise self._error("a track has one START or PREGAP", part.line)
        plan.start = part
        if isinstance(part, toc.Start):
            plan.start_sectors = plan.sectors if part.frames is None else part.frames
            return
        if plan.pieces:
            raise self._error("PREGAP stands before what the track is made of", part.line)
        if not part.frames:
            raise self._error("a PREGAP of no frames is none", part.line)
        plan.start_sectors = part.frames
        # Not joined to what follows where a ZERO would be: sound with subcode has no SILENCE.
        piece = Piece(plan.sheet.mode, plan.sheet.subchannel, 0, line=part.line)
        plan.add(replace(piece, units=part.frames * piece.block_units))

    def _piece(self, sheet: toc.TrackSheet, part: toc.Part, number: int) -> Piece:
        mode, subchannel = sheet.mode, sheet.subchannel
        match part:
            case toc.Fifo():
                raise UnsupportedError(
                    f"{self._files.name}: line {part.line}: FIFO {part.name!r} is a pipe; "
                    "write what comes out of it into a file and name that"
                )
            case toc.SoundFile():
                self._check_sound("FILE", sheet, part.line)
                return self._sound(part, part.start, part.length, number, swap=part.swap)
            case toc.DataFile():
                if mode == AUDIO and subchannel is None:
                    length = self._samples(part.length, part.line)
                    return self._sound(part, toc.Amount(0), length, number, swap=False)
                return self._data(sheet, part)
            case toc.Silence():
                self._check_sound("SILENCE", sheet, part.line)
                units = _counted(part.length, SECTOR_SAMPLES)
                return self._zeros(Piece(mode, None, units, line=part.line))
            case toc.Zero():
                piece = Piece(part.mode or mode, part.subchannel or subchannel, 0, line=part.line)
                if piece.mode == AUDIO and piece.subchannel is None:
                    length = self._samples(part.length, part.line)
                    return self._zeros(replace(piece, units=_counted(length, SECTOR_SAMPLES)))
                units = _counted(part.length, piece.block_units)
                return self._zeros(replace(piece, units=units))
        raise AssertionError(part)  # START, END and PREGAP add nothing

    def _check_sound(self, word: str, sheet: toc.TrackSheet, line: int) -> None:
        if sheet.mode != AUDIO or sheet.subchannel is not None:
            instead = "ZERO" if word == "SILENCE" else "DATAFILE"
            raise self._error(
                f"{word} stands in AUDIO tracks without subcode alone; use {instead} here", line
            )

    def _samples(self, length: toc.Amount | None, line: int) -> toc.Amount | None:
        """Return a length given in bytes of sound in samples."""
        if length is None or length.in_frames:
            return length
        samples, rest = divmod(length.count, SAMPLE_BYTES)
        if rest:
            raise self._error(
                f"{length.count} bytes are no whole number of samples of {SAMPLE_BYTES} bytes", line
            )
        return toc.Amount(samples)

    def _zeros(self, piece: Piece) -> Piece:
        if not piece.units:
            raise self._error("a length of nothing", piece.line)
        return piece

    def _find(self, name: str, line: int) -> FoundFile:
        """Find a file; one that is named again is noted once."""
        if name in self._found:
            return self._found[name]
        if name == _STDIN:
            raise UnsupportedError(
                f"{self._files.name}: line {line}: '-' is the standard input; "
                "write what comes out of it into a file and name that"
            )
        found = self._files.find(name, place=f"line {line}")
        if found.note is not None:
            self._notes.append(replace(found.note, line=line))
        self._found[name] = found
        return found

    def _sound(
        self,
        part: toc.SoundFile | toc.DataFile,
        start: toc.Amount,
        length: toc.Amount | None,
        number: int,
        *,
        swap: bool,
    ) -> Piece:
        key = (part.name, part.offset, swap)
        if key not in self._sounds:
            self._sounds[key] = self._opened(part, number, swap=swap)
        sound = self._sounds[key]
        first = _counted(start, SECTOR_SAMPLES)
        count = _counted(length, SECTOR_SAMPLES) or sound.sample_count - first
        if first >= sound.sample_count or first + count > sound.sample_count:
            raise self._error(
                f"{part.name!r} has {sound.sample_count} samples"
                f"{f' behind byte {part.offset}' if part.offset else ''}; "
                f"{max(count, 1)} from sample {first} on are asked for",
                part.line,
            )
        return Piece(AUDIO, None, count, sound=sound, start=first, line=part.line)

    def _opened(self, part: toc.SoundFile | toc.DataFile, number: int, *, swap: bool) -> Sound:
        """Open a file of sound: of any kind by its content, else samples high byte first."""
        found = self._find(part.name, part.line)
        reader: Reader = found.reader
        if part.offset > reader.size:
            raise self._past_end(part, reader)
        named = found.suffix in SOUND_SUFFIXES
        behind = reader
        if part.offset:
            rest = BytesPart(reader=reader, start=part.offset, count=reader.size - part.offset)
            behind = JoinedBytes([rest])
        if named or is_sound(behind, suffix=""):
            opened = open_sound(behind, suffix=found.suffix if named else "")
            self._notes.extend(
                Note(code=remark.code, message=remark.message, file=reader.name)
                for remark in opened.remarks
            )
            return SwappedSound(sound=opened) if swap else opened
        dropped = (reader.size - part.offset) % SAMPLE_BYTES
        if dropped and not _counted(part.length, 1):
            self._note(
                "partial-sample-dropped",
                f"{part.name!r} ends inside a sample; its last {dropped} bytes were left out",
                part.line,
                number,
            )
        return PcmSound(reader, offset=part.offset, big_endian=not swap)

    def _past_end(self, part: toc.SoundFile | toc.DataFile, reader: Reader) -> FormatError:
        return self._error(
            f"{part.name!r} has {reader.size} bytes; #{part.offset} lies behind them", part.line
        )

    def _data(self, sheet: toc.TrackSheet, part: toc.DataFile) -> Piece:
        reader = self._find(part.name, part.line).reader
        held = reader.size - part.offset
        if held < 0:
            raise self._past_end(part, reader)
        piece = Piece(
            sheet.mode, sheet.subchannel, 0, reader=reader, start=part.offset, line=part.line
        )
        count = _counted(part.length, piece.block_units) or held
        if not count or count > held:
            raise self._error(
                f"{part.name!r} has {held} bytes from byte {part.offset} on; "
                f"{max(count, 1)} are asked for",
                part.line,
            )
        return replace(piece, units=count)

    # -- the sectors -----------------------------------------------------------------------------

    def _stretches(self, number: int, plan: _TrackPlan, lba: int) -> Iterator[Stretch]:
        for group in groups(plan.pieces):
            block = group[0].block_units
            missing = -sum(piece.units for piece in group) % block
            if missing:
                unit = "samples" if block == SECTOR_SAMPLES else "bytes"
                self._note(
                    "tail-padded",
                    f"the content ends inside a sector; {missing} {unit} of zeros fill it",
                    group[-1].line,
                    number,
                )
            for chunk in chunks(group, block):
                stretch = stretch_of(chunk, lba)
                yield stretch
                lba = stretch.end


def _counted(amount: toc.Amount | None, frame: int) -> int:
    """Return an amount in units, of which a frame has so many; nothing is zero."""
    if amount is None:
        return 0
    return amount.count * frame if amount.in_frames else amount.count
