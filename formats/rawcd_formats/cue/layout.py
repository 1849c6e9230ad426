"""From the commands of a sheet to a disc.

All files one after another are one line of stereo samples, and an index is a sample on it.
Silence that no file holds (PREGAP, POSTGAP), and a change between sound and data, cut the
line into runs; a run begins on a sector and is padded only at its end. So a file that ends
inside a sector is joined to the next one's first sample. A data sector counts as 588 samples.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from rawcd.audio import SOUND_SUFFIXES, open_sound
from rawcd.cdtext import CDText, TextBlock, TextItem, charset_name, fitting_charset, widened
from rawcd.disc import (
    CopySetting,
    DiscType,
    Index,
    Track,
    TrackMode,
)
from rawcd.errors import FormatError, StorageError, UnsupportedError
from rawcd.image import ImageType, Note
from rawcd.msf import PROGRAM_LBA
from rawcd.program import (
    check_places,
    disc_of_tracks,
    image_of_program,
    isrc_of_sheet,
    mcn_of_sheet,
)
from rawcd.source import (
    SAMPLE_BYTES,
    SECTOR_BYTES,
    SECTOR_SAMPLES,
    BlockSource,
    PcmSound,
)
from rawcd_formats.cue import commands as cue
from rawcd_formats.cue.line import Piece, Run, stretches
from rawcd_formats.cue.modes import CDG, MODES, Mode

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rawcd.disc import Disc
    from rawcd.fileset import InputFiles
    from rawcd.image import RegionImage
    from rawcd.source import Reader

_TEXT_FILE_LIMIT: Final = 1024 * 1024
_SUFFIXES: Final = (*SOUND_SUFFIXES, ".bin")
_FLAGS: Final = frozenset({"DCP", "4CH", "PRE", "SCMS", "DATA"})
_SESSION_REMARKS: Final = ("SESSION", "HIGH-DENSITY AREA")


@dataclass(slots=True)
class _TrackSheet:
    """What the sheet says of a track, gathered command by command."""

    start: cue.TrackStart
    mode: Mode
    indexes: list[tuple[cue.IndexAt, int]] = field(default_factory=list)  # and the file's place
    flags: frozenset[str] = frozenset()
    isrc: str | None = None
    pregap: cue.Pregap | None = None
    postgap: cue.Postgap | None = None

    @property
    def first(self) -> tuple[cue.IndexAt, int]:
        return self.indexes[0]


@dataclass(slots=True)
class _FileSheet:
    """A FILE command, and the stretches of one mode in it: (first frame, mode)."""

    command: cue.File
    stretches: list[tuple[int, Mode]] = field(default_factory=list)


def lay_out(commands: Sequence[cue.Command], files: InputFiles) -> RegionImage:
    """Return the image that a sheet describes.

    Args:
        commands: the sheet's.
        files: finds what the sheet names.

    Raises:
        FormatError: the sheet contradicts itself, or a file is not what it says.
        StorageError: a file is missing or cannot be read.
        UnsupportedError: the sheet asks for what cannot be made yet.
    """
    return _Sheet(commands, files).image()


class _Sheet:
    """One reading of a sheet; holds what is gathered on the way."""

    def __init__(self, commands: Sequence[cue.Command], files: InputFiles) -> None:
        self._files = files
        self._notes: list[Note] = []
        self._items: list[TextItem] = []
        self._text_file: cue.TextFile | None = None
        self._unknown: set[str] = set()
        self._mcn: str | None = None
        self.tracks: list[_TrackSheet] = []
        self.sheets: list[_FileSheet] = []
        for command in commands:
            self._take(command)
        self._check_tracks()

    def _error(self, reason: str, line: int | None = None) -> FormatError:
        return FormatError(
            reason, file=self._files.name, place=None if line is None else f"line {line}"
        )

    def _note(self, code: str, message: str, line: int, track: int | None = None) -> None:
        self._notes.append(
            Note(code=code, message=message, track=track, file=self._files.name, line=line)
        )

    def _current(self, command: cue.Command, word: str) -> _TrackSheet:
        if not self.tracks:
            raise self._error(f"{word} stands before the first TRACK", command.line)
        return self.tracks[-1]

    # -- command by command ----------------------------------------------------------------------

    def _take(self, command: cue.Command) -> None:
        match command:
            case cue.Catalog(line, digits):
                self._mcn = self._read_mcn(line, digits)
            case cue.Text(_, name, text):
                number = self.tracks[-1].start.number if self.tracks else 0
                self._items.append(TextItem(field=name, track=number, text=text))
            case cue.TextFile():
                self._text_file = command
            case cue.File():
                self.sheets.append(_FileSheet(command))
            case cue.TrackStart():
                self._take_track(command)
            case cue.Flags(line, flags):
                track = self._current(command, "FLAGS")
                for flag in flags:
                    if flag not in _FLAGS:
                        self._note(
                            "unknown-flag", f"the flag {flag} was ignored", line, track.start.number
                        )
                track.flags |= frozenset(flags)
            case cue.Isrc(line, code):
                track = self._current(command, "ISRC")
                track.isrc = self._read_isrc(line, code, track.start.number)
            case cue.Pregap():
                track = self._current(command, "PREGAP")
                if track.pregap is not None:
                    raise self._error("a track has one PREGAP", command.line)
                track.pregap = command
            case cue.Postgap():
                track = self._current(command, "POSTGAP")
                if track.postgap is not None:
                    raise self._error("a track has one POSTGAP", command.line)
                track.postgap = command
            case cue.IndexAt():
                self._take_index(command)
            case cue.Remark(line, text):
                self._take_remark(line, text)
            case cue.Unknown(line, word):
                if word not in self._unknown:
                    self._unknown.add(word)
                    self._note("unknown-command", f"the command {word} was ignored", line)

    def _take_remark(self, line: int, text: str) -> None:
        """Refuse what would change the disc if it were only a comment."""
        words = text.upper()
        if words.startswith(_SESSION_REMARKS) and words.split() not in (
            ["SESSION", "01"],
            ["SESSION", "1"],
        ):
            raise UnsupportedError(
                f"{self._files.name}: line {line}: REM {text}: "
                "sheets of several sessions cannot be read yet"
            )

    def _take_track(self, command: cue.TrackStart) -> None:
        line, number, name = command.line, command.number, command.mode
        if self.tracks and number != self.tracks[-1].start.number + 1:
            raise self._error(
                f"TRACK {number:02} follows TRACK {self.tracks[-1].start.number:02}: "
                "track numbers rise by one, to 99 at most",
                line,
            )
        if not number:
            raise self._error("track numbers go from 01 to 99", line)
        if name not in MODES:
            raise self._error(f"{name} is no track mode; there are {', '.join(MODES)}", line)
        self.tracks.append(_TrackSheet(command, MODES[name]))

    def _take_index(self, command: cue.IndexAt) -> None:
        line, number = command.line, command.number
        track = self._current(command, "INDEX")
        if not self.sheets:
            raise self._error("INDEX stands before the first FILE", line)
        place = len(self.sheets) - 1
        if not track.indexes:
            if number > 1:
                raise self._error(f"a track's first index is 00 or 01, not {number:02}", line)
        else:
            before = track.indexes[-1][0]
            if number != before.number + 1:
                raise self._error(
                    f"INDEX {number:02} follows INDEX {before.number:02}: they rise by one", line
                )
        stretches = self.sheets[place].stretches
        last = self._last_index(place)
        if last is not None and command.frames <= last.frames:
            raise self._error(
                f"INDEX {number:02} is not behind the one in line {last.line}: times rise", line
            )
        if not stretches:
            # What lies before a file's first index goes on from the track before it.
            earlier = self.tracks[-2].mode if len(self.tracks) > 1 else track.mode
            owner = track.mode if track.indexes or not command.frames else earlier
            stretches.append((0, owner))
        if stretches[-1][1] is not track.mode:
            stretches.append((command.frames, track.mode))
        track.indexes.append((command, place))

    def _last_index(self, place: int) -> cue.IndexAt | None:
        for track in reversed(self.tracks):
            for index, in_file in reversed(track.indexes):
                return index if in_file == place else None
        return None

    def _read_mcn(self, line: int, digits: str) -> str | None:
        try:
            mcn, remark = mcn_of_sheet(digits)
        except FormatError as error:
            raise self._error(error.reason, line) from error
        if remark:
            self._note("mcn-check-digit", remark, line)
        return mcn

    def _read_isrc(self, line: int, code: str, track: int) -> str:
        try:
            isrc, remark = isrc_of_sheet(code)
        except FormatError as error:
            raise self._error(error.reason, line) from error
        if remark:
            self._note("isrc-hyphens", remark, line, track)
        return isrc

    def _check_tracks(self) -> None:
        if not self.tracks:
            raise self._error("there is no TRACK in it")
        for track in self.tracks:
            if all(index.number != 1 for index, _ in track.indexes):
                raise self._error(
                    f"TRACK {track.start.number:02} has no INDEX 01", track.start.line
                )
        last = self.tracks[-1]
        if last.postgap is not None:
            self._note(
                "postgap-at-end",
                "POSTGAP of the last track: silence before the lead-out",
                last.postgap.line,
                last.start.number,
            )

    # -- the line --------------------------------------------------------------------------------

    def image(self) -> RegionImage:
        """Lay the tracks onto the disc."""
        pieces = [list(self._pieces(sheet)) for sheet in self.sheets]
        lengths = [sum(piece.samples for piece in of_file) for of_file in pieces]
        bases = [0]
        for length in lengths:
            bases.append(bases[-1] + length)
        for track in self.tracks:
            for index, place in track.indexes:
                if index.frames * SECTOR_SAMPLES >= lengths[place]:
                    raise self._error(
                        f"INDEX {index.number:02} lies past the end of "
                        f"{self.sheets[place].command.name!r}, which has "
                        f"{lengths[place] / SECTOR_SAMPLES:.2f} sectors",
                        index.line,
                    )
        borders = [bases[place] + index.frames * SECTOR_SAMPLES for index, place in self._firsts()]
        borders[0] = 0  # what lies before the first index is the first track's pregap
        runs = list(self._runs(borders, bases[-1]))
        disc = self._disc(runs, borders, bases)
        line = [piece for of_file in pieces for piece in of_file]
        return image_of_program(disc, stretches(runs, line), self._notes)

    def _firsts(self) -> Iterator[tuple[cue.IndexAt, int]]:
        return (track.first for track in self.tracks)

    def _pieces(self, sheet: _FileSheet) -> Iterator[Piece]:
        """Yield the stretches of a file, each of one mode."""
        command = sheet.command
        try:
            found = self._files.find(command.name, suffixes=_SUFFIXES)
        except StorageError as error:
            raise StorageError(
                f"line {command.line}: {error.reason}", file=error.file, errno=error.errno
            ) from error
        if found.note is not None:
            self._notes.append(replace(found.note, line=command.line))
        if not sheet.stretches:
            self._note("unused-file", f"FILE {command.name!r} has no track", command.line)
            return
        stands_in = found.note is not None and found.suffix in SOUND_SUFFIXES
        if stands_in or command.kind not in (cue.BINARY, cue.MOTOROLA):
            yield self._sound_piece(sheet, found.reader)
            return
        ends = [frame for frame, _ in sheet.stretches[1:]]
        offset = 0
        for (first, mode), end in zip(sheet.stretches, [*ends, None], strict=True):
            size = found.reader.size - offset
            if end is not None:
                size = min(size, (end - first) * mode.block_size)
            yield self._bare_piece(sheet, found.reader, mode, offset, size)
            offset += size

    def _sound_piece(self, sheet: _FileSheet, reader: Reader) -> Piece:
        command = sheet.command
        if any(mode.mode is not TrackMode.AUDIO for _, mode in sheet.stretches):
            raise self._error(
                f"FILE {command.name!r} is sound, and a data track has an index in it",
                command.line,
            )
        if any(mode.has_rw for _, mode in sheet.stretches):
            raise self._error(
                f"FILE {command.name!r} is sound, and a track of mode {CDG} has 96 bytes of R-W "
                "with each sector; they are in BINARY files alone",
                command.line,
            )
        sound = open_sound(reader)
        self._notes.extend(
            Note(code=remark.code, message=remark.message, file=reader.name)
            for remark in sound.remarks
        )
        return Piece(sound.sample_count, sound=sound)

    def _bare_piece(
        self, sheet: _FileSheet, reader: Reader, mode: Mode, offset: int, size: int
    ) -> Piece:
        bare_sound = mode.mode is TrackMode.AUDIO and not mode.has_rw
        unit = SAMPLE_BYTES if bare_sound else mode.block_size
        count, rest = divmod(size, unit)
        if rest:
            what = "samples of 4 bytes" if unit == SAMPLE_BYTES else f"sectors of {unit} bytes"
            raise FormatError(
                f"{size} bytes from byte {offset} on are no whole number of {what}: "
                f"{rest} remain; the file was cut short, or the sheet is another's",
                file=reader.name,
                place=f"line {sheet.command.line} of {self._files.name}",
            )
        big = sheet.command.kind == cue.MOTOROLA
        if bare_sound:
            sound = PcmSound(reader, offset=offset, sample_count=count, big_endian=big)
            return Piece(count, sound=sound)
        if mode.has_rw:
            if big:
                raise self._error(
                    f"FILE {sheet.command.name!r} is MOTOROLA, and has tracks of mode {CDG}: "
                    "which bytes are swapped is not known",
                    sheet.command.line,
                )
            main, rw = (
                BlockSource(
                    reader,
                    offset=offset + at,
                    block_size=width,
                    stride=mode.block_size,
                    block_count=count,
                )
                for at, width in ((0, SECTOR_BYTES), (SECTOR_BYTES, ImageType.RAW.sub_bytes))
            )
            return Piece(count * SECTOR_SAMPLES, data=main, rw=rw, mode=mode)
        blocks = BlockSource(reader, offset=offset, block_size=mode.block_size, block_count=count)
        return Piece(count * SECTOR_SAMPLES, data=blocks, mode=mode)

    def _silences(self) -> Iterator[tuple[int, int]]:
        """Yield for each track the silence before it: the last one's postgap, its own pregap."""
        postgap = 0
        for track in self.tracks:
            yield postgap, track.pregap.frames if track.pregap else 0
            postgap = track.postgap.frames if track.postgap else 0

    def _runs(self, borders: list[int], end: int) -> Iterator[Run]:
        """Yield the stretches of the line between two cuts, and where they lie."""
        lba = 0
        start = 0
        silences = list(self._silences())
        modes = [track.mode for track in self.tracks]
        for place, border in enumerate(borders):
            silence = sum(silences[place])
            changes = place > 0 and modes[place] is not modes[place - 1]
            if place and (silence or changes):
                run = Run(start, border, lba)
                self._note_ragged(run, self.tracks[place - 1])
                yield run
                lba += run.sectors
                start = border
            lba += silence
        run = Run(start, end, lba)
        self._note_ragged(run, self.tracks[-1])
        yield run

    def _note_ragged(self, run: Run, track: _TrackSheet) -> None:
        missing = run.sectors * SECTOR_SAMPLES - (run.end - run.start)
        if missing:
            self._note(
                "tail-padded",
                f"the sound ends inside a sector; {missing} samples of silence fill it",
                track.start.line,
                track.start.number,
            )

    # -- the disc --------------------------------------------------------------------------------

    def _disc(self, runs: list[Run], borders: list[int], bases: list[int]) -> Disc:
        starts = [run.start for run in runs]

        def lba_of(sample: int) -> int:
            run = runs[bisect_right(starts, sample) - 1]
            return run.lba + (sample - run.start) // SECTOR_SAMPLES

        places: list[tuple[Index, ...]] = []
        for number, (track, border, (_, pregap)) in enumerate(
            zip(self.tracks, borders, self._silences(), strict=True)
        ):
            indexes = [
                Index(
                    number=index.number,
                    lba=lba_of(bases[place] + index.frames * SECTOR_SAMPLES),
                )
                for index, place in track.indexes
            ]
            silence_lba = lba_of(border) - pregap
            if number == 0:
                silence_lba = PROGRAM_LBA
            if number == 0 or pregap:
                if indexes[0].number == 0:
                    del indexes[0]
                    if pregap and track.pregap is not None:
                        self._note(
                            "pregap-and-index-00",
                            "PREGAP and INDEX 00: the silence comes first, then what the file "
                            "holds",
                            track.pregap.line,
                            track.start.number,
                        )
                indexes.insert(0, Index(number=0, lba=silence_lba))
            places.append(tuple(indexes))
        last = self.tracks[-1]
        lead_out = runs[-1].lba + runs[-1].sectors
        lead_out += last.postgap.frames if last.postgap else 0
        ends = [*(indexes[0].lba for indexes in places[1:]), lead_out]
        types = {track.mode.disc_type for track in self.tracks} - {DiscType.CDDA_CDROM}
        try:
            tracks = [
                self._track(track, indexes, end)
                for track, indexes, end in zip(self.tracks, places, ends, strict=True)
            ]
            return disc_of_tracks(
                tracks,
                disc_type=max(types, default=DiscType.CDDA_CDROM),
                mcn=self._mcn,
                cdtext=self._cdtext(),
            )
        except FormatError as error:
            raise error if error.file else self._error(error.reason) from error

    def _track(self, sheet: _TrackSheet, indexes: tuple[Index, ...], end: int) -> Track:
        try:
            check_places(sheet.start.number, indexes, end)
        except FormatError as error:
            raise self._error(error.reason, sheet.start.line) from error
        copy = CopySetting.PROHIBITED
        if "SCMS" in sheet.flags:
            copy = CopySetting.SCMS
        elif "DCP" in sheet.flags:
            copy = CopySetting.PERMITTED
        return Track(
            number=sheet.start.number,
            mode=sheet.mode.mode,
            indexes=indexes,
            end_lba=end,
            copy=copy,
            pre_emphasis="PRE" in sheet.flags,
            four_channel="4CH" in sheet.flags,
            isrc=sheet.isrc,
        )

    def _cdtext(self) -> CDText | None:
        if self._text_file is not None:
            return self._read_text_file(self._text_file)
        """Return the texts by track and field, whatever their order in the sheet was."""
        found: dict[tuple[int, int], TextItem] = {}
        for item in self._items:
            if item.text:
                place = cue.TEXT_FIELDS.index(item.field.upper())
                found.setdefault((item.track, place), item)
        items = tuple(found[key] for key in sorted(found))
        if not items:
            return None
        charset = fitting_charset(item.text for item in items)
        wide = [item for item in items if widened(item.text, charset) != item.text]
        if wide:
            self._notes.append(
                Note(
                    code="text-full-width",
                    message=f"as CD-TEXT packs these titles are {charset_name(charset)}, in which "
                    f"{len(wide)} of them have full-width letters instead of ASCII or half-width "
                    "ones",
                    file=self._files.name,
                )
            )
        return CDText(blocks=(TextBlock(items=items, charset=charset),))

    def _read_text_file(self, command: cue.TextFile) -> CDText:
        """Read the packs that the sheet names; they beat its own texts."""
        found = self._files.find(command.name)
        if found.note is not None:
            self._notes.append(replace(found.note, line=command.line))
        if found.reader.size > _TEXT_FILE_LIMIT:
            raise self._error(f"{command.name!r} is too large for CD-TEXT packs", command.line)
        data = bytearray(found.reader.size)
        found.reader.read_at(0, data)
        try:
            cdtext = CDText.from_cdt(bytes(data))
        except FormatError as error:
            raise FormatError(error.reason, file=found.reader.name, place=error.place) from error
        return cdtext.of_tracks(self.tracks[0].start.number, self.tracks[-1].start.number)
