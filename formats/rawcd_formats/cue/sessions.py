"""What lies between two sessions of a sheet: how long it is, and whether a file holds it.

Programs write sessions in four ways (redump's are read by libMirage, MAME and 86Box):

* A file for each track, and REM SESSION (redump). Nothing between the sessions is stored. REM
  LEAD-OUT, LEAD-IN and PREGAP around it are lengths; without them the usual ones are meant, with
  the two seconds before a session's first track.
* One file in which the frames between the sessions are stored (IsoBuster, UltraISO, ImgBurn). REM
  LEAD-OUT is a place in it; without one the usual lengths are counted back from the session.
* One file without these frames whose times count them all the same (DiscImageCreator's .img); REM
  LEAD-OUT is a place, too.
* One file without them whose times do not count them: tracks of the first way, joined.

Which of the last three it is, the address in a data sector's header tells; where there is none,
REM LEAD-OUT, the file's name, and whether there is room.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from rawcd.disc import (
    FIRST_LEAD_OUT_SECTORS,
    LATER_LEAD_IN_SECTORS,
    LATER_LEAD_OUT_SECTORS,
    PREGAP_SECTORS,
)
from rawcd.msf import Msf
from rawcd.sector import SYNC
from rawcd_formats.cue.commands import stamp

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rawcd.fileset import FoundFile
    from rawcd.source import Reader
    from rawcd_formats.cue.sheet import FileSheet, Sheet

_IMG: Final = ".img"
_LEAST_TRACK: Final = 300
"""Sectors: four seconds (Red Book)."""
_HEADER_BYTES: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """What lies between two sessions.

    Attributes:
        lead_out: sectors of the earlier session's lead-out.
        lead_in: sectors of the later session's lead-in.
        pregap: sectors before the later session's first track that no file holds.
        end: where the earlier session ends in the file that both are in, in frames; None: where
            the later one begins.
    """

    lead_out: int
    lead_in: int
    pregap: int
    end: int | None = None


def gaps_of(sheet: Sheet, found: Sequence[FoundFile | None]) -> tuple[Gap, ...]:
    """Return what lies before each session after the first.

    Args:
        sheet: the sheet; times that count frames which the file does not hold are set right.
        found: the files, at the places that the sheet has them.

    Raises:
        StorageError: a file cannot be read.
    """
    return tuple(_Border(sheet, number, found).gap() for number in range(1, len(sheet.sessions)))


class _Border:
    """One reading of what stands around REM SESSION."""

    def __init__(self, sheet: Sheet, number: int, found: Sequence[FoundFile | None]) -> None:
        self._sheet = sheet
        self._before, self._session = sheet.sessions[number - 1 : number + 1]
        self._number = number + 1
        self._track = sheet.tracks[self._session.first]
        self._index, self._place = self._track.first
        last, last_place = sheet.tracks[self._session.first - 1].indexes[-1]
        self._last = last
        self._shared = last_place == self._place
        self._file = found[self._place]
        self._lead_out = LATER_LEAD_OUT_SECTORS if number > 1 else FIRST_LEAD_OUT_SECTORS
        # Sound before index 1 in a new file is the session's pregap, as it is the first track's.
        self._stored = self._index.number == 0 or (not self._shared and self._index.frames > 0)

    def gap(self) -> Gap:
        """Return what it comes to."""
        self._set_whole_gap_right()
        return self._in_one_file() if self._shared else self._of_lengths(self._before.lead_out)

    @property
    def _pregap(self) -> int:
        """Sectors of pregap that no file holds, beside those of PREGAP."""
        if self._session.pregap is not None:
            return self._session.pregap
        return 0 if self._stored or self._track.pregap else PREGAP_SECTORS

    def _set_whole_gap_right(self) -> None:
        """Take a PREGAP as long as all that lies between two sessions for that."""
        pregap = self._track.pregap
        whole = self._lead_out + LATER_LEAD_IN_SECTORS + PREGAP_SECTORS
        if pregap is not None and pregap.frames == whole:
            self._track.pregap = replace(pregap, frames=PREGAP_SECTORS)
            self._sheet.teller.note(
                "session-pregap",
                f"PREGAP {stamp(whole)} is all that lies between the sessions; two seconds of it "
                "are the pregap",
                pregap.line,
                self._track.number,
            )

    def _of_lengths(self, lead_out: int | None = None) -> Gap:
        """Return what the remarks say, and the usual where they say nothing."""
        return Gap(
            lead_out=lead_out or self._lead_out,
            lead_in=self._session.lead_in or LATER_LEAD_IN_SECTORS,
            pregap=self._pregap,
        )

    # -- one file --------------------------------------------------------------------------------

    def _in_one_file(self) -> Gap:
        start = self._index.frames
        told = self._before.lead_out
        unstored = self._pregap
        if told is not None and not self._last.frames < told <= start:
            return self._of_lengths(told)  # redump's length, in a sheet whose files were joined
        if told is not None:
            if told < start and self._times_run_ahead(start - told):
                self._set_times_right(start, start - told)
                lead_in = start - told - self._lead_out - unstored
                return replace(
                    self._of_lengths(),
                    lead_in=lead_in if lead_in > 0 else LATER_LEAD_IN_SECTORS,
                )
            end = told
        else:
            end = start - self._lead_out - LATER_LEAD_IN_SECTORS - unstored
            if not self._is_stored(start, end):
                return self._of_lengths()
        if end == start:
            return self._of_lengths()
        lead_in = start - end - self._lead_out - unstored
        self._sheet.teller.note(
            "session-gap",
            f"{start - end} sectors of the file before session {self._number} are taken to lie "
            "between the sessions; they are made anew",
            self._session.line,
        )
        return Gap(
            lead_out=self._lead_out,
            lead_in=lead_in if lead_in > 0 else LATER_LEAD_IN_SECTORS,
            pregap=self._pregap,
            end=end,
        )

    def _is_stored(self, start: int, end: int) -> bool:
        """Tell whether the file holds what lies before the session, that begins at a frame."""
        address = self._address_at(start)
        if address is not None:
            return address == start and end > self._last.frames
        return end - self._last.frames >= _LEAST_TRACK

    def _times_run_ahead(self, gap: int) -> bool:
        """Tell whether times count a gap that the file does not hold."""
        start = self._index.frames
        if self._address_at(start) == start:
            return False
        if self._address_at(start - gap) == start:
            return True
        return self._file is not None and self._file.suffix == _IMG

    def _set_times_right(self, start: int, gap: int) -> None:
        """Take a gap out of the times from a frame of the file on."""
        sheet, place = self._sheet, self._place
        for track in sheet.tracks[self._session.first :]:
            track.indexes = [
                (replace(index, frames=index.frames - gap) if at == place else index, at)
                for index, at in track.indexes
            ]
        for session in sheet.sessions[sheet.sessions.index(self._session) :]:
            if session.lead_out is not None and session.lead_out > start:
                session.lead_out -= gap
        file = sheet.files[place]
        file.stretches = [
            (frame - gap if frame >= start else frame, mode) for frame, mode in file.stretches
        ]
        sheet.teller.note(
            "session-gap",
            f"the times of session {self._number} count {gap} sectors before it that the file "
            "does not hold",
            self._session.line,
        )

    def _address_at(self, frame: int) -> int | None:
        """Return the address in the header of the session's sector at a frame of the file.

        It is None where it says nothing: no whole data sectors, or frames of the file are not
        addresses of the disc.
        """
        tracks = self._sheet.tracks[: self._session.first]
        silent = all(track.pregap is None and track.postgap is None for track in tracks)
        if self._file is None or self._place or not silent or not self._track.mode.is_whole:
            return None
        offset = _offset_of(self._sheet.files[self._place], frame)
        return _header_address(self._file.reader, offset)


def _offset_of(file: FileSheet, frame: int) -> int:
    """Return the byte of a file at which a frame begins."""
    offset = 0
    ends = [first for first, _ in file.stretches[1:]]
    for (first, mode), end in zip(file.stretches, [*ends, frame], strict=True):
        offset += max(min(end, frame) - first, 0) * mode.block_size
    return offset


def _header_address(reader: Reader, offset: int) -> int | None:
    """Return the LBA that a data sector's header tells (ECMA-130 14.2); None where it is none."""
    if offset < 0 or offset + _HEADER_BYTES > reader.size:
        return None
    head = bytearray(_HEADER_BYTES)
    reader.read_at(offset, head)
    digits = head[len(SYNC) : len(SYNC) + 3].hex()
    if not head.startswith(SYNC) or not digits.isdecimal():
        return None
    try:
        return Msf(int(digits[:2]), int(digits[2:4]), int(digits[4:])).to_lba()
    except ValueError:
        return None
