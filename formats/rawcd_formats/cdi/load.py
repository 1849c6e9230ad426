"""From the descriptor of a CDI to a disc: tracks lie in the file in their order, gaps and all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rawcd.disc import PREGAP_SECTORS, Disc, DiscType, Index, Track, TrackMode
from rawcd.errors import FormatError
from rawcd.image import Note
from rawcd.msf import PROGRAM_LBA
from rawcd.rules import is_sheet_isrc
from rawcd.sector import SectorType
from rawcd.source import SECTOR_BYTES
from rawcd.stored import (
    KIND_OF_MODE,
    StoredSectors,
    further_program_lba,
    lay_out,
    sessions_of,
    with_control,
)
from rawcd_formats.cdi.descriptor import DVD, read_descriptor

if TYPE_CHECKING:
    from rawcd.cdtext import CDText
    from rawcd.fileset import InputFiles
    from rawcd.image import RegionImage
    from rawcd_formats.cdi.descriptor import CdiSession, CdiTrack, Descriptor

_MODES: Final = {0: TrackMode.AUDIO, 1: TrackMode.MODE1, 2: TrackMode.MODE2}
_READ_MODES: Final = {0: (2048, 0), 1: (2336, 0), 2: (2352, 0), 3: (2352, 16), 4: (2352, 96)}
"""Bytes of a sector's main channel and of the subcode behind it."""
_KINDS: Final = {
    (TrackMode.MODE1, 2048): SectorType.MODE1,
    (TrackMode.MODE2, 2048): SectorType.MODE2FORM1,
    (TrackMode.MODE2, 2336): SectorType.MODE2FORM0,
}
_DISC_TYPES: Final = {2: DiscType.XA}
_DESCRIPTOR: Final = "descriptor"
_DATA: Final = 4
"""The bit of CONTROL that tells data from sound."""


def load(files: InputFiles) -> RegionImage:
    """Return the image that a CDI holds.

    Raises:
        FormatError: its descriptor contradicts itself or the file.
        StorageError: it cannot be read.
    """
    try:
        return _Cdi(files).image()
    except FormatError as error:
        if error.file is not None:
            raise
        place = error.place or _DESCRIPTOR
        raise FormatError(error.reason, file=files.name, place=place) from error
    except ValueError as error:
        raise FormatError(
            f"its descriptor contradicts itself: {error}", file=files.name, place=_DESCRIPTOR
        ) from error


class _Cdi:
    """One reading of a file; holds what is gathered on the way."""

    def __init__(self, files: InputFiles) -> None:
        self._files = files
        self._notes: list[Note] = []
        self._stretches: list[StoredSectors] = []
        self._tracks: list[Track] = []
        self._offset = 0
        self._sessions = 0

    def _note(self, code: str, message: str, track: int | None = None) -> None:
        self._notes.append(Note(code=code, message=message, track=track, file=self._files.name))

    def image(self) -> RegionImage:
        descriptor = read_descriptor(self._files.reader)
        parts = []
        for session in descriptor.sessions:
            tracks = self._session(session)
            xa = any(track.mode is TrackMode.MODE2 for track in tracks)
            unknown = DiscType.XA if xa else DiscType.CDDA_CDROM
            known = session.type in (0, 1, 2)
            disc_type = _DISC_TYPES.get(session.type, DiscType.CDDA_CDROM) if known else unknown
            parts.append((tracks, disc_type))
        if self._offset > descriptor.offset:
            raise FormatError(
                f"its tracks have {self._offset} bytes, and its descriptor begins at byte "
                f"{descriptor.offset}; it was cut short"
            )
        if self._offset < descriptor.offset:
            self._note(
                "trailing-bytes",
                f"{descriptor.offset - self._offset} bytes between its tracks and its descriptor "
                "were left out",
            )
        if not descriptor.disc_known:
            self._note(
                "disc-unknown",
                "what stands behind its sessions could not be read: media catalogue number and "
                "CD-TEXT, if there are any, were left out",
            )
        disc = Disc(
            sessions=sessions_of(parts), mcn=self._mcn(descriptor), cdtext=self._cdtext(descriptor)
        )
        return lay_out(disc, self._stretches, file=self._files.name, notes=self._notes)

    def _session(self, session: CdiSession) -> list[Track]:
        tracks: list[Track] = []
        for each in session.tracks:
            first = self._first_lba(each, tracks)
            track, stretch = self._track(each, first, opens=not tracks)
            tracks.append(track)
            self._tracks.append(track)
            self._stretches.append(stretch)
            self._offset += stretch.sectors * stretch.stride
        self._sessions += 1
        return tracks

    def _first_lba(self, each: CdiTrack, tracks: list[Track]) -> int:
        """Return where what is stored of a track begins: behind the one before, or as it says."""
        told = each.start + PROGRAM_LBA
        if tracks:
            expected = tracks[-1].end_lba
        elif self._tracks:
            end = self._tracks[-1].end_lba
            expected = told if told > end + 1 else further_program_lba(end, self._sessions)
        else:
            expected = PROGRAM_LBA if each.indexes and each.indexes[0] else 0
        if told != expected:
            self._note(
                "address",
                f"the descriptor puts it at LBA {told}; by what is stored it begins at {expected}",
                len(self._tracks) + 1,
            )
        return expected

    def _track(self, each: CdiTrack, first: int, *, opens: bool) -> tuple[Track, StoredSectors]:
        number = len(self._tracks) + 1
        who = f"track {number}"
        if each.medium == DVD:
            raise FormatError("it holds a DVD, no CD")
        mode, sizes = _MODES.get(each.mode), _READ_MODES.get(each.read_mode)
        if mode is None or sizes is None:
            raise FormatError(
                f"{who}: mode {each.mode} with sectors of kind {each.read_mode}; known are modes "
                "0 to 2 and kinds 0 to 4"
            )
        size, sub_bytes = sizes
        kind = KIND_OF_MODE[mode] if size == SECTOR_BYTES else _KINDS.get((mode, size))
        if kind is None:
            raise FormatError(f"{who}: a track of mode {each.mode} has no sectors of {size} bytes")
        if not each.indexes:
            raise FormatError(f"{who} has no index")
        end = first + each.length
        if sum(each.indexes) != each.length:
            self._note(
                "length",
                f"its indexes come to {sum(each.indexes)} sectors, and {each.length} are stored; "
                "those were taken",
                number,
            )
        if bool(each.control & _DATA) is (mode is TrackMode.AUDIO):
            self._note(
                "control-and-mode",
                f"CONTROL is {each.control & 15:X}h, the mode {each.mode}; the mode was taken",
                number,
            )
        if each.has_text:
            self._note("text-ignored", "its own texts were left out; packs are read alone", number)
        track = Track(
            number=number,
            mode=mode,
            indexes=_indexes(each, first, opens=opens, is_first=number == 1),
            end_lba=end,
            isrc=self._isrc(each, number),
        )
        stretch = StoredSectors(
            lba=first,
            sectors=each.length,
            reader=self._files.reader,
            offset=self._offset,
            sector_type=kind,
            block_size=size,
            sub_bytes=sub_bytes,
        )
        return with_control(track, each.control), stretch

    def _isrc(self, each: CdiTrack, number: int) -> str | None:
        text = (each.isrc or b"").strip(b"\0 ").decode("latin-1")
        if not text:
            return None
        isrc = text.replace("-", "").upper()
        if is_sheet_isrc(isrc):
            return isrc
        self._note("isrc", f"{text!r} is no ISRC and was left out", number)
        return None

    def _mcn(self, descriptor: Descriptor) -> str | None:
        text = (descriptor.mcn or b"").strip(b"\0 ").decode("latin-1")
        if not text.strip("0"):
            return None
        if text.isascii() and text.isdecimal():
            return text.zfill(13)
        self._note("mcn", f"{text!r} is no media catalogue number and was left out")
        return None

    def _cdtext(self, descriptor: Descriptor) -> CDText | None:
        if not descriptor.packs:
            return None
        from rawcd.cdtext import packs_of_cdt, read_packs

        try:
            reading = read_packs(packs_of_cdt(descriptor.packs))
        except FormatError as error:
            raise FormatError(error.reason, place="CD-TEXT") from error
        for defect in reading.defects:
            self._note("cdtext-damaged", f"CD-TEXT: {defect}")
        if reading.cdtext is None:
            return None
        first = self._tracks[0].number
        tracks = [track for track in self._tracks if track.end_lba <= self._first_end(descriptor)]
        return reading.cdtext.of_tracks(first, tracks[-1].number)

    def _first_end(self, descriptor: Descriptor) -> int:
        return self._tracks[len(descriptor.sessions[0].tracks) - 1].end_lba


def _indexes(each: CdiTrack, first: int, *, opens: bool, is_first: bool) -> tuple[Index, ...]:
    """Return the indexes of a track from their lengths; the first is that of the pregap."""
    pregap, *lengths = each.indexes
    indexes = [Index(number=0, lba=first)] if pregap else []
    lba = first + pregap
    indexes.append(Index(number=1, lba=lba))
    for number, length in enumerate(lengths[:-1], 2):
        lba += length
        indexes.append(Index(number=number, lba=lba))
    if opens and not pregap:
        start = PROGRAM_LBA if is_first else first - PREGAP_SECTORS
        indexes.insert(0, Index(number=0, lba=start))
    return tuple(indexes)
