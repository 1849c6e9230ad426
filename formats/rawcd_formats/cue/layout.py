"""From what a sheet says to a disc.

All files one after another are one line of stereo samples, and an index is a sample on it.
Silence that no file holds (PREGAP, POSTGAP), a change between sound and data, and the end of a
session cut the line into runs; a run begins on a sector and is padded only at its end. So a file
that ends inside a sector is joined to the next one's first sample. A data sector counts as 588
samples.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import replace
from pathlib import PurePath
from typing import TYPE_CHECKING, Final

from rawcd.audio import SOUND_SUFFIXES, is_sound, open_sound
from rawcd.disc import CopySetting, DiscType, Index, Track
from rawcd.errors import FormatError
from rawcd.image import Note
from rawcd.msf import PROGRAM_LBA
from rawcd.program import SessionPlan, check_places, disc_of_sessions, image_of_program
from rawcd.source import SAMPLE_BYTES, SECTOR_SAMPLES, BlockSource, PcmSound
from rawcd_formats.cue import commands as cue
from rawcd_formats.cue.line import Piece, Run, stretches
from rawcd_formats.cue.modes import SUB_BYTES, Mode
from rawcd_formats.cue.sessions import Gap, gaps_of
from rawcd_formats.cue.sheet import Sheet, Teller
from rawcd_formats.cue.texts import cdtext_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rawcd.disc import Disc
    from rawcd.fileset import FoundFile, InputFiles
    from rawcd.image import RegionImage
    from rawcd.source import Reader
    from rawcd_formats.cue.sheet import FileSheet, TrackSheet

_SUFFIXES: Final = (*SOUND_SUFFIXES, ".bin")


def lay_out(
    commands: Sequence[cue.Command], files: InputFiles, notes: Sequence[Note] = ()
) -> RegionImage:
    """Return the image that a sheet describes.

    Args:
        commands: the sheet's.
        files: finds what the sheet names.
        notes: what there is to say of the sheet's text.

    Raises:
        FormatError: the sheet contradicts itself, or a file is not what it says.
        StorageError: a file is missing or cannot be read.
        UnsupportedError: the sheet is of a disc that is no CD.
    """
    teller = Teller(files.name)
    teller.notes.extend(notes)
    return _Layout(Sheet(commands, teller), files).image()


class _Layout:
    """One laying out of a sheet; holds where its files, runs and sessions come to lie."""

    def __init__(self, sheet: Sheet, files: InputFiles) -> None:
        self._sheet = sheet
        self._teller = sheet.teller
        self._files = files
        self._found = [self._find(file) for file in sheet.files]
        self._gaps = dict(
            zip(
                (session.first for session in sheet.sessions[1:]),
                gaps_of(sheet, self._found),
                strict=True,
            )
        )
        """By the place of the first track behind it."""
        pieces = [
            list(self._pieces(file, found)) if found else []
            for file, found in zip(sheet.files, self._found, strict=True)
        ]
        lengths = [sum(piece.samples for piece in of_file) for of_file in pieces]
        self._check_indexes(lengths)
        self._bases = [0]
        for length in lengths:
            self._bases.append(self._bases[-1] + length)
        self._line = [piece for of_file in pieces for piece in of_file]
        self._borders = [self._border(place) for place in range(len(sheet.tracks))]
        self._programs: dict[int, int] = {0: PROGRAM_LBA}
        """Where sessions begin, by the place of their first track."""
        self._lead_outs: list[int] = []
        self._runs = list(self._cut())

    def image(self) -> RegionImage:
        """Lay the tracks onto the disc."""
        disc = self._disc()
        return image_of_program(disc, stretches(self._runs, self._line), self._teller.notes)

    # -- files -----------------------------------------------------------------------------------

    def _find(self, sheet: FileSheet) -> FoundFile | None:
        """Find a file that has an index; it is measured, not read."""
        command = sheet.command
        if not sheet.stretches:
            self._teller.note("unused-file", f"FILE {command.name!r} has no track", command.line)
            return None
        place = f"line {command.line}"
        found = self._files.find(command.name, suffixes=_SUFFIXES, place=place)
        if found.note is not None:
            self._teller.notes.append(replace(found.note, line=command.line))
        return found

    def _pieces(self, sheet: FileSheet, found: FoundFile) -> Iterator[Piece]:
        """Yield the stretches of a file, each of one mode."""
        command = sheet.command
        named = PurePath(command.name).suffix.lower()
        stands_in = found.suffix != named and found.suffix in SOUND_SUFFIXES
        if stands_in or command.kind not in (cue.BINARY, cue.MOTOROLA):
            yield self._sound_piece(sheet, found.reader)
            return
        if sheet.stretches[0][1].is_audio and is_sound(found.reader, suffix=""):
            self._teller.note(
                "sound-as-samples",
                f"FILE {command.name!r} holds a sound file, and {command.kind} takes all of it "
                "for samples, its header too; WAVE plays it",
                command.line,
            )
        ends = [frame for frame, _ in sheet.stretches[1:]]
        offset = 0
        for (first, mode), end in zip(sheet.stretches, [*ends, None], strict=True):
            size = found.reader.size - offset
            if end is not None:
                size = min(size, (end - first) * mode.block_size)
            yield self._bare_piece(sheet, found.reader, mode, offset, size)
            offset += size

    def _sound_piece(self, sheet: FileSheet, reader: Reader) -> Piece:
        command = sheet.command
        if any(not mode.is_audio for _, mode in sheet.stretches):
            raise self._teller.error(
                f"FILE {command.name!r} is sound, and a data track has an index in it",
                command.line,
            )
        if any(mode.has_rw for _, mode in sheet.stretches):
            raise self._teller.error(
                f"FILE {command.name!r} is sound, and a track in it has {SUB_BYTES} bytes of R-W "
                "with each sector; they are in BINARY files alone",
                command.line,
            )
        sound = open_sound(reader)
        self._teller.notes.extend(
            Note(code=remark.code, message=remark.message, file=reader.name)
            for remark in sound.remarks
        )
        return Piece(sound.sample_count, sound=sound)

    def _bare_piece(
        self, sheet: FileSheet, reader: Reader, mode: Mode, offset: int, size: int
    ) -> Piece:
        bare_sound = mode.is_audio and not mode.has_rw
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
        if big and mode.has_rw:
            raise self._teller.error(
                f"FILE {sheet.command.name!r} is MOTOROLA, and has tracks with R-W subcode: "
                "which bytes are swapped is not known",
                sheet.command.line,
            )
        main, rw = (
            BlockSource(
                reader, offset=offset + at, block_size=width, stride=unit, block_count=count
            )
            if width
            else None
            for at, width in (
                (0, mode.main_bytes),
                (mode.main_bytes, SUB_BYTES if mode.has_rw else 0),
            )
        )
        return Piece(count * SECTOR_SAMPLES, data=main, rw=rw, mode=mode)

    def _check_indexes(self, lengths: Sequence[int]) -> None:
        for track in self._sheet.tracks:
            for index, place in track.indexes:
                if index.frames * SECTOR_SAMPLES >= lengths[place]:
                    raise self._teller.error(
                        f"INDEX {index.number:02} lies past the end of "
                        f"{self._sheet.files[place].command.name!r}, which has "
                        f"{lengths[place] / SECTOR_SAMPLES:.2f} sectors",
                        index.line,
                    )

    # -- the line --------------------------------------------------------------------------------

    def _border(self, place: int) -> int:
        """Return the sample with which what belongs to a track begins."""
        index, file = self._sheet.tracks[place].first
        if place == 0:
            return 0  # what lies before the first index is the first track's pregap
        if place in self._gaps and file != self._sheet.tracks[place - 1].indexes[-1][1]:
            return self._bases[file]  # and so it is in the later sessions
        return self._sample(index, file)

    def _sample(self, index: cue.IndexAt, file: int) -> int:
        return self._bases[file] + index.frames * SECTOR_SAMPLES

    def _cut(self) -> Iterator[Run]:
        """Yield the stretches of the line between two cuts, and where they lie."""
        tracks = self._sheet.tracks
        lba = start = postgap = 0
        for place, track in enumerate(tracks):
            border, pregap = self._borders[place], track.pregap.frames if track.pregap else 0
            gap = self._gaps.get(place)
            changes = place > 0 and track.mode != tracks[place - 1].mode
            if place and (gap or postgap or pregap or changes):
                run = self._run(start, self._end_before(place, gap), lba, tracks[place - 1])
                yield run
                lba = run.lba + run.sectors
                start = border
            lba += postgap
            if gap is not None:
                self._lead_outs.append(lba)
                lba += gap.lead_out + gap.lead_in
                self._programs[place] = lba
                lba += gap.pregap
            lba += pregap
            postgap = track.postgap.frames if track.postgap else 0
        run = self._run(start, self._bases[-1], lba, tracks[-1])
        yield run
        self._lead_outs.append(run.lba + run.sectors + postgap)

    def _end_before(self, place: int, gap: Gap | None) -> int:
        """Return the sample with which what lies before a track ends."""
        if gap is None or gap.end is None:
            return self._borders[place]
        _, file = self._sheet.tracks[place].first
        return self._bases[file] + gap.end * SECTOR_SAMPLES

    def _run(self, start: int, end: int, lba: int, track: TrackSheet) -> Run:
        run = Run(start, end, lba)
        missing = run.sectors * SECTOR_SAMPLES - (end - start)
        if missing:
            self._teller.note(
                "tail-padded",
                f"the sound ends inside a sector; {missing} samples of silence fill it",
                track.start.line,
                track.number,
            )
        return run

    # -- the disc --------------------------------------------------------------------------------

    def _disc(self) -> Disc:
        places = [self._indexes(place, track) for place, track in enumerate(self._sheet.tracks)]
        firsts = [session.first for session in self._sheet.sessions]
        plans: list[SessionPlan] = []
        for number, (first, after, lead_out) in enumerate(
            zip(firsts, [*firsts[1:], len(places)], self._lead_outs, strict=True)
        ):
            sheets, indexes = self._sheet.tracks[first:after], places[first:after]
            ends = [*(each[0].lba for each in indexes[1:]), lead_out]
            types = {track.mode.disc_type for track in sheets} - {DiscType.CDDA_CDROM}
            gap = self._gaps[firsts[number + 1]] if after < len(places) else None
            plans.append(
                SessionPlan(
                    tracks=tuple(map(self._track, sheets, indexes, ends)),
                    disc_type=max(types, default=DiscType.CDDA_CDROM),
                    lead_out_sectors=gap.lead_out if gap else None,
                )
            )
        cdtext = cdtext_of(self._sheet, self._files)
        try:
            return disc_of_sessions(plans, mcn=self._sheet.mcn, cdtext=cdtext)
        except FormatError as error:
            raise self._teller.error(error.reason, self._sheet.tracks[-1].start.line) from error

    def _lba_of(self, sample: int) -> int:
        starts = [run.start for run in self._runs]
        run = self._runs[bisect_right(starts, sample) - 1]
        return run.lba + (sample - run.start) // SECTOR_SAMPLES

    def _indexes(self, place: int, track: TrackSheet) -> list[Index]:
        """Return where a track's indexes come to lie."""
        indexes = [
            Index(number=index.number, lba=self._lba_of(self._sample(index, file)))
            for index, file in track.indexes
        ]
        pregap = track.pregap
        if place not in self._programs and not (pregap and pregap.frames):
            return indexes
        if indexes[0].number == 0:
            del indexes[0]
            if pregap is not None and pregap.frames:
                self._teller.note(
                    "pregap-and-index-00",
                    "PREGAP and INDEX 00: the silence comes first, then what the file holds",
                    pregap.line,
                    track.number,
                )
        silence = pregap.frames if pregap else 0
        lba = self._programs.get(place, self._lba_of(self._borders[place]) - silence)
        return [Index(number=0, lba=lba), *indexes]

    def _track(self, sheet: TrackSheet, indexes: Sequence[Index], end: int) -> Track:
        try:
            check_places(sheet.number, indexes, end)
        except FormatError as error:
            raise self._teller.error(error.reason, sheet.start.line) from error
        copy = CopySetting.PROHIBITED
        if "SCMS" in sheet.flags:
            copy = CopySetting.SCMS
        elif "DCP" in sheet.flags:
            copy = CopySetting.PERMITTED
        return Track(
            number=sheet.number,
            mode=sheet.mode.mode,
            indexes=tuple(indexes),
            end_lba=end,
            copy=copy,
            pre_emphasis="PRE" in sheet.flags,
            four_channel="4CH" in sheet.flags,
            isrc=sheet.isrc,
        )
