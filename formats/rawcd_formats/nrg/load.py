"""From the chunks of an NRG to a disc.

A session written at once (DAO) has two chunks: CUES or CUEX tells where its indexes lie on the
disc, DAOI or DAOX where its tracks lie in the file. What is stored of a track is anchored at its
index 1. A session written track by track (TAO) has one, ETNF or ETN2, and no addresses that
programs agree on: they follow from the lengths, each track behind a pregap of 150 sectors that
the file leaves out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from rawcd.disc import PREGAP_SECTORS, Disc, DiscType, Index, Track, TrackMode
from rawcd.errors import FormatError
from rawcd.image import Note
from rawcd.msf import FRAMES_PER_MINUTE, FRAMES_PER_SECOND, PROGRAM_LBA
from rawcd.rules import is_sheet_isrc
from rawcd.stored import StoredSectors, further_program_lba, lay_out, sessions_of, with_control
from rawcd_formats.nrg import chunks as nrg
from rawcd_formats.nrg.modes import MODES, of_size

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rawcd.cdtext import CDText
    from rawcd.fileset import InputFiles
    from rawcd.image import RegionImage
    from rawcd_formats.nrg.modes import Mode

    _Reading = Callable[[bytes], int]

_CHUNKS: Final = "chunks"
_DATA: Final = 4
"""The bit of CONTROL that tells data from sound."""


def load(files: InputFiles) -> RegionImage:
    """Return the image that an NRG holds.

    Raises:
        FormatError: its chunks contradict each other or the file.
        StorageError: it cannot be read.
    """
    try:
        return _Nrg(files).image()
    except FormatError as error:
        if error.file is not None:
            raise
        place = error.place or _CHUNKS
        raise FormatError(error.reason, file=files.name, place=place) from error
    except ValueError as error:
        raise FormatError(
            f"its chunks contradict each other: {error}", file=files.name, place=_CHUNKS
        ) from error


@dataclass(slots=True)
class _Session:
    """What the chunks tell of a session."""

    tracks: list[Track] = field(default_factory=list)
    disc_type: DiscType = DiscType.CDDA_CDROM


def _bcd(byte: int, chunk: nrg.Chunk) -> int:
    high, low = divmod(byte, 16)
    if high > 9 or low > 9:
        raise chunk.error(f"{byte:02X}h is no number in BCD")
    return high * 10 + low


def _lba(place: bytes) -> int:
    return int.from_bytes(place, "big", signed=True)


def _lba_of_msf(minute: int, second: int, frame: int) -> int:
    if second > 59 or frame >= FRAMES_PER_SECOND:
        raise ValueError(f"no time: {minute}:{second}:{frame}")
    return minute * FRAMES_PER_MINUTE + second * FRAMES_PER_SECOND + frame + PROGRAM_LBA


def _lba_of_binary(place: bytes) -> int:
    return _lba_of_msf(*place[1:])


def _lba_of_bcd(place: bytes) -> int:
    if not place.hex().isdecimal():
        raise ValueError(f"{place.hex()} is no time in BCD")
    return _lba_of_msf(*(int(f"{byte:02x}") for byte in place[1:]))


_READINGS: Final[dict[bytes, tuple[_Reading, ...]]] = {
    b"CUEX": (_lba,),
    b"CUES": (_lba_of_bcd, _lba_of_binary),  # written in either; the stored lengths decide
}


@dataclass(frozen=True, slots=True)
class _Place:
    """A track as a CUES or CUEX chunk tells it."""

    number: int
    control: int
    indexes: tuple[Index, ...]
    end_lba: int

    @property
    def start_lba(self) -> int:
        return next(index.lba for index in self.indexes if index.number == 1)

    @property
    def pregap_sectors(self) -> int:
        return self.start_lba - self.indexes[0].lba

    @property
    def sectors(self) -> int:
        return self.end_lba - self.start_lba


def _places(chunk: nrg.Chunk, reading: _Reading) -> list[_Place]:
    """Return the tracks of a session.

    Raises:
        FormatError: the entries are no session's.
        ValueError: a time is none in this reading.
    """
    entries = [entry for entry in nrg.cue_of(chunk) if entry.control_adr & 15 <= 1]
    if not entries or entries[-1].track != nrg.LEAD_OUT:
        raise chunk.error("its last entry is no lead-out's")
    lead_out = reading(entries[-1].place)
    program = reading(entries[0].place) if entries[0].track == nrg.LEAD_IN else None
    found: dict[int, list[Index]] = {}
    controls: dict[int, int] = {}
    for entry in entries[1 if program is not None else 0 : -1]:
        if entry.track in (nrg.LEAD_IN, nrg.LEAD_OUT):
            raise chunk.error("a lead-in or lead-out stands among its tracks")
        number, index = _bcd(entry.track, chunk), _bcd(entry.index, chunk)
        controls[number] = entry.control_adr >> 4
        found.setdefault(number, []).append(Index(number=index, lba=reading(entry.place)))
    if not found:
        raise chunk.error("it tells of no track")
    starts = []
    for place, (number, indexes) in enumerate(found.items()):
        if all(index.number != 1 for index in indexes):
            raise chunk.error(f"track {number} has no index 1")
        if len(indexes) > 1 and indexes[0].number == 0 and indexes[0].lba == indexes[1].lba:
            del indexes[0]  # how a track without a pregap is written
        if place == 0 and program is not None and indexes[0].number == 1:
            indexes.insert(0, Index(number=0, lba=program))
        starts.append(indexes[0].lba)
    ends = [*starts[1:], lead_out]
    return [
        _Place(number, controls[number], tuple(indexes), end)
        for (number, indexes), end in zip(found.items(), ends, strict=True)
    ]


class _Nrg:
    """One reading of a file; holds what is gathered on the way."""

    def __init__(self, files: InputFiles) -> None:
        self._files = files
        self._reader = files.reader
        self._notes: list[Note] = []
        self._stretches: list[StoredSectors] = []
        self._sessions: list[_Session] = []
        self._mcn: str | None = None
        self._chunks = nrg.read_chunks(files.reader)

    def _note(self, code: str, message: str, track: int | None = None) -> None:
        self._notes.append(Note(code=code, message=message, track=track, file=self._files.name))

    def _of(self, ids: frozenset[bytes]) -> list[nrg.Chunk]:
        return [chunk for chunk in self._chunks if chunk.id in ids]

    def image(self) -> RegionImage:
        self._check_chunks()
        cues, daos = self._of(nrg.CUE_IDS), self._of(nrg.DAO_IDS)
        if len(cues) != len(daos):
            raise FormatError(
                f"{len(cues)} chunks tell where indexes lie, {len(daos)} where tracks are stored: "
                "there should be one of each for a session"
            )
        told = [nrg.number_of(chunk) for chunk in self._of(frozenset({b"SINF"}))]
        waiting = iter(cues)
        for chunk in self._of(nrg.DAO_IDS | nrg.TAO_IDS):
            if chunk.id in nrg.DAO_IDS:
                self._take_dao(next(waiting), chunk)
            else:
                self._take_tao(chunk, told)
        if not self._sessions:
            raise FormatError(
                "it has no chunk that tells of tracks: neither DAOX, DAOI, ETN2 nor ETNF"
            )
        counts = [len(session.tracks) for session in self._sessions]
        if told and told != counts:
            self._note(
                "session-info",
                f"SINF tells of sessions of {told} tracks, the other chunks of {counts}; "
                "those were taken",
            )
        parts = [(session.tracks, session.disc_type) for session in self._sessions]
        disc = Disc(sessions=sessions_of(parts), mcn=self._mcn, cdtext=self._cdtext())
        return lay_out(disc, self._stretches, file=self._files.name, notes=self._notes)

    def _check_chunks(self) -> None:
        """Refuse other media, and tell of chunks that nobody knows."""
        known = {*nrg.CUE_IDS, *nrg.DAO_IDS, *nrg.TAO_IDS, *nrg.SILENT_IDS}
        known |= {b"SINF", b"MTYP", b"CDTX"}
        for chunk in self._chunks:
            if chunk.id == b"MTYP" and not (medium := nrg.number_of(chunk)) & nrg.CD_MEDIA:
                raise chunk.error(f"the medium {medium:X}h is no CD")
            if chunk.id not in known:
                known.add(chunk.id)
                self._note("unknown-chunk", f"the {chunk.place} was ignored")

    def _cdtext(self) -> CDText | None:
        found = self._of(frozenset({b"CDTX"}))
        if not found:
            return None
        from rawcd.cdtext import packs_of_cdt, read_packs

        chunk, *others = found
        if others:
            self._note("cdtext-ignored", f"CD-TEXT of the first session alone: {others[0].place}")
        try:
            reading = read_packs(packs_of_cdt(chunk.data))
        except FormatError as error:
            raise chunk.error(f"CD-TEXT: {error.reason}") from error
        for defect in reading.defects:
            self._note("cdtext-damaged", f"CD-TEXT: {defect}")
        if reading.cdtext is None:
            return None
        tracks = self._sessions[0].tracks
        return reading.cdtext.of_tracks(tracks[0].number, tracks[-1].number)

    # -- disc at once ----------------------------------------------------------------------------

    def _take_dao(self, cue: nrg.Chunk, chunk: nrg.Chunk) -> None:
        dao = nrg.dao_of(chunk)
        modes = [self._mode(chunk, number, track) for number, track in enumerate(dao.tracks, 1)]
        places = self._best_places(cue, chunk, dao, modes)
        session = _Session()
        for place, track, mode in zip(places, dao.tracks, modes, strict=True):
            session.tracks.append(self._dao_track(place, track, mode))
            self._stretches.append(self._stretch(chunk, place, track, mode))
        try:
            session.disc_type = DiscType(dao.disc_type)
        except ValueError:
            self._note("disc-type", f"the disc type {dao.disc_type:02X}h is none; taken as 00h")
        self._take_mcn(dao.mcn)
        self._sessions.append(session)

    def _mode(self, chunk: nrg.Chunk, number: int, track: nrg.DaoTrack) -> Mode:
        if track.mode not in MODES:
            raise chunk.error(f"the mode {track.mode:02X}h of entry {number} is none that is known")
        mode = of_size(track.mode, track.sector_size)
        if mode is None:
            raise chunk.error(
                f"entry {number} has sectors of {track.sector_size} bytes, and mode "
                f"{track.mode:02X}h has {MODES[track.mode].size}"
            )
        if mode is not MODES[track.mode]:
            self._note(
                "mode-and-size",
                f"entry {number} of the {chunk.place} has mode {track.mode:02X}h and sectors of "
                f"{track.sector_size} bytes; the size was taken",
            )
        return mode

    def _best_places(
        self, cue: nrg.Chunk, chunk: nrg.Chunk, dao: nrg.Dao, modes: Sequence[Mode]
    ) -> list[_Place]:
        """Return the tracks in the reading of their times that fits best what is stored."""
        best: list[_Place] = []
        best_fit = -1
        wrong: ValueError | None = None
        for reading in _READINGS[cue.id]:
            try:
                places = _places(cue, reading)
            except FormatError:
                raise
            except ValueError as error:
                wrong = wrong or error
                continue
            if len(places) != len(dao.tracks):
                raise cue.error(
                    f"it tells of {len(places)} tracks, the {chunk.place} of {len(dao.tracks)}"
                )
            fit = sum(
                (track.end - track.start == place.sectors * mode.size)
                + (track.start - track.pregap == place.pregap_sectors * mode.size)
                for place, track, mode in zip(places, dao.tracks, modes, strict=True)
            )
            if fit > best_fit:
                best, best_fit = places, fit
        if best_fit < 0:
            raise cue.error(str(wrong)) from wrong
        return best

    def _dao_track(self, place: _Place, track: nrg.DaoTrack, mode: Mode) -> Track:
        if bool(place.control & _DATA) is (mode.mode is TrackMode.AUDIO):
            self._note(
                "control-and-mode",
                f"CONTROL is {place.control:X}h, the mode byte {track.mode:02X}h; the mode byte "
                "was taken",
                place.number,
            )
        return with_control(
            Track(
                number=place.number,
                mode=mode.mode,
                indexes=place.indexes,
                end_lba=place.end_lba,
                isrc=self._isrc(place.number, track.isrc),
            ),
            place.control,
        )

    def _isrc(self, number: int, stored: bytes) -> str | None:
        text = stored.strip(b"\0 ").decode("latin-1")
        if not text:
            return None
        isrc = text.replace("-", "").upper()
        if is_sheet_isrc(isrc):
            return isrc
        self._note("isrc", f"{text!r} is no ISRC and was left out", number)
        return None

    def _take_mcn(self, stored: bytes) -> None:
        text = stored.strip(b"\0 ").decode("latin-1")
        if not text.strip("0"):
            return
        if not (text.isascii() and text.isdecimal()):
            self._note("mcn", f"{text!r} is no media catalogue number and was left out")
            return
        mcn = text.zfill(13)
        if self._mcn not in (None, mcn):
            self._note("mcn", f"a later session's media catalogue number {mcn} was left out")
            return
        self._mcn = mcn

    def _stretch(
        self, chunk: nrg.Chunk, place: _Place, track: nrg.DaoTrack, mode: Mode
    ) -> StoredSectors:
        """Return what is stored of a track, its pregap as far as it is there."""
        who = f"track {place.number}"
        if not track.pregap <= track.start <= track.end <= self._chunks[0].offset:
            raise chunk.error(
                f"{who} is stored from byte {track.pregap} over {track.start} to {track.end}; "
                f"its bytes end before {self._chunks[0].offset}, where the first chunk begins"
            )
        before, rest = divmod(track.start - track.pregap, mode.size)
        sectors, more = divmod(track.end - track.start, mode.size)
        if rest or more:
            raise chunk.error(
                f"{who}: {track.start - track.pregap} and {track.end - track.start} bytes are no "
                f"whole number of sectors of {mode.size} bytes"
            )
        if before > place.pregap_sectors:
            raise chunk.error(
                f"{who}: {before} sectors of pregap are stored; it has {place.pregap_sectors}, "
                f"its index 1 being at LBA {place.start_lba}"
            )
        return StoredSectors(
            lba=place.start_lba - before,
            sectors=before + sectors,
            reader=self._reader,
            offset=track.pregap,
            sector_type=mode.sector_type,
            block_size=mode.size - mode.sub_bytes,
            sub_bytes=mode.sub_bytes,
        )

    # -- track at once ---------------------------------------------------------------------------

    def _take_tao(self, chunk: nrg.Chunk, told: Sequence[int]) -> None:
        """Lay out the tracks of a chunk; SINF parts them into sessions where it fits."""
        tracks = nrg.tao_of(chunk)
        alone = len(self._of(nrg.DAO_IDS | nrg.TAO_IDS)) == 1
        counts = list(told) if alone and sum(told) == len(tracks) else [len(tracks)]
        position = 0
        for count in counts:
            self._take_tao_session(chunk, tracks[position : position + count])
            position += count

    def _take_tao_session(self, chunk: nrg.Chunk, stored: Sequence[nrg.TaoTrack]) -> None:
        session = _Session()
        number, position = 1, PROGRAM_LBA
        if self._sessions:
            before = self._sessions[-1].tracks[-1]
            number = before.number + 1
            position = further_program_lba(before.end_lba, len(self._sessions))
        for track in stored:
            stretch = self._tao_stretch(chunk, number, track, position + PREGAP_SECTORS)
            told = {position, stretch.lba, track.offset // stretch.stride}
            if track.lba not in told:
                self._note(
                    "tao-address",
                    f"the {chunk.place} puts it at {track.lba}; by the lengths of what is stored "
                    f"it begins at LBA {stretch.lba}",
                    number,
                )
            self._stretches.append(stretch)
            mode = MODES[track.mode].mode
            indexes = (Index(number=0, lba=position), Index(number=1, lba=stretch.lba))
            session.tracks.append(
                Track(number=number, mode=mode, indexes=indexes, end_lba=stretch.end_lba)
            )
            if mode is TrackMode.MODE2:
                session.disc_type = DiscType.XA
            number, position = number + 1, stretch.end_lba
        self._sessions.append(session)

    def _tao_stretch(
        self, chunk: nrg.Chunk, number: int, track: nrg.TaoTrack, lba: int
    ) -> StoredSectors:
        if track.mode not in MODES:
            raise chunk.error(f"the mode {track.mode:02X}h of track {number} is none that is known")
        own = MODES[track.mode]
        sizes = sorted({each.size for each in MODES.values() if each.mode is own.mode})
        fitting = [size for size in (own.size, *sizes) if track.size % size == 0]
        if not fitting:
            raise chunk.error(
                f"track {number}: {track.size} bytes are no whole number of sectors of "
                f"{own.size} bytes"
            )
        mode = of_size(track.mode, fitting[0]) or own
        if mode is not own:
            self._note(
                "mode-and-size",
                f"mode {track.mode:02X}h has sectors of {own.size} bytes; what is stored fits "
                f"{mode.size} bytes, which were taken",
                number,
            )
        if track.offset + track.size > self._chunks[0].offset:
            raise chunk.error(
                f"track {number} is stored from byte {track.offset} to "
                f"{track.offset + track.size}; its bytes end before {self._chunks[0].offset}, "
                "where the first chunk begins"
            )
        return StoredSectors(
            lba=lba,
            sectors=track.size // mode.size,
            reader=self._reader,
            offset=track.offset,
            sector_type=mode.sector_type,
            block_size=mode.size - mode.sub_bytes,
            sub_bytes=mode.sub_bytes,
        )
