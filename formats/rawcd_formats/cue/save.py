"""An image as BIN/CUE: sectors from LBA 0 to the lead-out, and the sheet that names them.

They are in one BIN, or in a file for each track, named as redump does, with the gap before a
track in that track's file. Several sessions are always written so, with REM SESSION and the
lengths of what lies between, which no file holds: readers know no other way (see `sessions`).

CD-TEXT that the sheet's own commands cannot say (other languages, other fields, genre, ...) goes
into a file of packs beside it.

Only what every reader of sheets understands is written: INDEX 00 and 01 stored, no PREGAP,
upper case, CRLF, quoted plain names. But sound with R-W subcode becomes a track of mode CDG, which
few readers know, as nothing else keeps it (see `modes`).
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import PurePath
from typing import TYPE_CHECKING, Final

from rawcd.cdtext import TextBlock, fitting_charset
from rawcd.disc import PREGAP_SECTORS, CopySetting, DiscType, TrackMode
from rawcd.errors import UnsupportedError
from rawcd.fileset import SharesOut
from rawcd.image import ImageType, RegionImage, SubForm
from rawcd.msf import PROGRAM_LBA
from rawcd.progress import part_of
from rawcd.pump import JOBS, PlainMain, UserData, WholeSectors, jobs_of, pump
from rawcd.sector import SectorType
from rawcd.source import SECTOR_BYTES, SECTOR_SAMPLES
from rawcd_formats.cue import commands as cue
from rawcd_formats.cue.modes import CDG

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from rawcd.disc import Disc, Session, Track
    from rawcd.fileset import OutputFile, OutputFiles
    from rawcd.image import DiscImage
    from rawcd.progress import Progress
    from rawcd.pump.fills import Fill

_STEP: Final = 1024
_MODES: Final = {
    TrackMode.AUDIO: "AUDIO",
    TrackMode.MODE0: "MODE1/2352",  # sheets have no word for mode 0; the headers still tell it
    TrackMode.MODE1: "MODE1/2352",
}
_WAVE: Final = "WAVE"
_BIN: Final = "bin"
_SUFFIXES: Final = {_BIN: ".bin", "wave": ".wav", "flac": ".flac"}
_SINGLE_DIGITS: Final = 9
"""Tracks whose numbers redump writes with one digit; where there are more, all have two."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the options ask for.

    Attributes:
        cooked: Mode 1 tracks are kept as user data alone.
        split: a file for each track; None: where the disc needs it.
        audio: what sound becomes: bin, wave or flac.
        jobs: processes that make sectors.
    """

    cooked: bool = False
    split: bool | None = None
    audio: str = _BIN
    jobs: int = 1

    @classmethod
    def of(cls, options: Mapping[str, str]) -> Settings:
        """Read options.

        Raises:
            UnsupportedError: one is unknown, or has a value that it cannot have.
        """
        known = {"sector-size": ("2352", "2048"), "split": ("no", "yes"), "audio": (*_SUFFIXES,)}
        for option in options.keys() - known.keys() - {JOBS}:
            raise UnsupportedError(
                f"the format cue has no option {option!r}; it has sector-size, split and audio"
            )
        for option, values in known.items():
            if options.get(option, values[0]) not in values:
                *others, last = values
                allowed = f"{', '.join(others)} or {last}"
                if option == "sector-size":
                    allowed = "2048 or 2352"
                raise UnsupportedError(f"the option {option} is {allowed}, not {options[option]!r}")
        audio = options.get("audio", _BIN)
        split = None if "split" not in options else options["split"] == "yes"
        if audio != _BIN and split is False:
            raise UnsupportedError(f"audio={audio} makes a file for each track; leave split=no out")
        return cls(
            cooked=options.get("sector-size") == "2048",
            split=True if audio != _BIN else split,
            audio=audio,
            jobs=jobs_of(options),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A track as it is written.

    Attributes:
        track: the track.
        session: its session.
        first: the first sector that is stored.
        width: bytes of a sector.
        mode: the word in its TRACK command.
        name: its file.
        kind: bin, wave or flac.
        zero: the sector with which its file begins.
    """

    track: Track
    session: Session
    first: int
    width: int
    mode: str
    name: str
    kind: str
    zero: int

    @property
    def sectors(self) -> int:
        """How many are stored."""
        return self.track.end_lba - self.first


def save(
    image: DiscImage,
    files: OutputFiles,
    options: Mapping[str, str],
    progress: Progress | None,
) -> None:
    """Write the tracks and the sheet.

    Args:
        image: the image.
        files: where they go.
        options: `sector-size`: 2048 keeps the user data of Mode 1 tracks alone; 2352, the
            default, whole sectors. `split`: yes makes a file for each track. `audio`: wave or
            flac makes such a file for each audio track, and a BIN for each other one.
        progress: told how far the work is.

    Raises:
        UnsupportedError: an option or its value is unknown, the file's name has no place
            in a sheet, or a sector is not what its user data alone would make again.
        StorageError: reading or writing failed.
    """
    from rawcd.userdata import check_remakeable

    settings = Settings.of(options)
    stem = PurePath(files.name).stem
    parts = list(parts_of(image.disc, stem, settings, _tracks_with_rw(image)))
    packs = _text_packs(image.disc)
    text_name = f"{stem}.cdt" if packs else None
    names = dict.fromkeys(part.name for part in parts)
    for name in (*names, *filter(None, [text_name])):
        if name == files.name:
            raise UnsupportedError(f"{name}: a sheet cannot have the name of one of its files")
    if (why := _why_unsaid(stem)) is not None:
        raise UnsupportedError(f"the file's name: {why}")
    sheet = cue.build(sheet_of(image.disc, parts, text_name)).encode()
    for part in parts:
        if part.width < SECTOR_BYTES:
            check_remakeable(image, part.first, part.track.end_lba, SectorType.MODE1)
    total = sum(part.sectors for part in parts)
    done = 0
    for name in names:
        own = [part for part in parts if part.name == name]
        sectors = sum(part.sectors for part in own)
        output = files.create(name)
        _write(image, own, output, settings.jobs, part_of(progress, done, total))
        done += sectors
    if text_name is not None:
        files.create(text_name).write(packs)
    files.create(files.name).write(sheet)


def _write(
    image: DiscImage,
    parts: Sequence[Part],
    output: OutputFile,
    jobs: int,
    progress: Progress | None,
) -> None:
    """Write one file; its parts follow each other on the disc."""
    if parts[0].kind == "flac":
        _write_flac(image, parts[0], output, jobs, progress)
        return
    size = sum(part.sectors * part.width for part in parts)
    if parts[0].kind == "wave":
        from rawcd.audio.encode import wave_head

        head = wave_head(parts[0].sectors * SECTOR_SAMPLES)
        output.allocate(len(head) + size)
        output.write(head)
    else:
        output.allocate(size)
    total = sum(part.sectors for part in parts)
    for part in parts:
        pump(
            _fill(image, part.width),
            part.first,
            part.sectors,
            output,
            width=part.width,
            jobs=jobs,
            progress=part_of(progress, part.first - parts[0].first, total),
        )


def _write_flac(
    image: DiscImage, part: Part, output: OutputFile, jobs: int, progress: Progress | None
) -> None:
    from rawcd.audio.encode import FlacWriter

    stretch = output.stretch() if isinstance(output, SharesOut) else None
    if stretch is None:
        raise UnsupportedError(
            f"{output.name}: a FLAC file is completed at its beginning, and this target is only "
            "written to its end; audio=wave is"
        )
    with closing(stretch.open()) as placed, FlacWriter(output, placed.write_at) as writer:
        pump(PlainMain(image), part.first, part.sectors, writer.write, jobs=jobs, progress=progress)


def _fill(image: DiscImage, width: int) -> Fill:
    """Return what fills the rows of a track whose sectors have a width in the file."""
    if width < SECTOR_BYTES:
        return UserData(image, SectorType.MODE1)
    if width > SECTOR_BYTES and isinstance(image, RegionImage):
        return WholeSectors(image.as_kind(ImageType.RAW))
    return PlainMain(image)


def _stored_from(session: Session, track: Track) -> int:
    """Return a track's first sector that a file holds: all but a session's first two seconds."""
    if track is not session.tracks[0]:
        return track.first_lba
    if track.first_lba == PROGRAM_LBA:
        return 0  # a sheet cannot say that the first track begins before it
    return min(track.first_lba + PREGAP_SECTORS, track.start_lba)


def _tracks_with_rw(image: DiscImage) -> frozenset[int]:
    """Return the numbers of the audio tracks with R-W subcode as it is on the disc.

    What is interleaved out of a track belongs to the next one, which then is of the mode, too.
    """
    if not isinstance(image, RegionImage) or image.kind is ImageType.PQ_ONLY:
        return frozenset()
    if all(region.form is SubForm.MADE for region in image.sub):
        return frozenset()
    on_disc = image.as_kind(ImageType.RAW)
    return frozenset(
        track.number
        for session in image.disc.sessions
        for track in session.tracks
        if track.is_audio and _sung(on_disc, _stored_from(session, track), track.end_lba)
    )


def _sung(image: RegionImage, first: int, end: int) -> bool:
    import numpy as np

    from rawcd.subcode.rows import RW_BITS

    for lba in range(first, end, _STEP):
        rows = np.empty((min(_STEP, end - lba), image.kind.sub_bytes), np.uint8)
        image.read_sub_into(lba, rows)
        if (rows & RW_BITS).any():
            return True
    return False


def words_say_all(disc: Disc) -> bool:
    """Tell whether a sheet's own commands say all of a disc's texts, their character set apart."""
    if disc.cdtext is None:
        return True
    (first, *others) = disc.cdtext.blocks
    said = _said(first)
    if any(_why_unsaid(item.text) for item in said.items):
        return False
    return not others and replace(first, charset=said.charset) == said


def _said(block: TextBlock) -> TextBlock:
    """Return what is read back from a sheet's commands for a block."""
    items = tuple(item for item in block.items if item.field.upper() in cue.TEXT_FIELDS)
    return TextBlock(items=items, charset=fitting_charset(item.text for item in items))


def _text_packs(disc: Disc) -> bytes:
    """Return the packs of CD-TEXT that a sheet's own commands cannot say; else nothing.

    Characters that a text's character set lacks are near ones in packs: `CueFormat.keeps_for`
    has them named as lost.
    """
    if disc.cdtext is None:
        return b""
    first_track, last_track = disc.text_tracks
    packs_of = partial(disc.cdtext.to_cdt, first_track=first_track, last_track=last_track)
    if not words_say_all(disc):
        return packs_of(errors="replace")
    first = disc.cdtext.blocks[0]
    if first.charset == _said(first).charset:
        return b""
    try:
        return packs_of()
    except UnsupportedError:  # the sheet itself holds any character
        return b""


def parts_of(
    disc: Disc, stem: str, settings: Settings, sung: Collection[int] = ()
) -> Iterator[Part]:
    """Yield the tracks as they are written.

    Args:
        disc: the disc.
        stem: the files' names, without what tells them apart.
        settings: the options.
        sung: numbers of the tracks that are stored with their R-W subcode.

    Raises:
        UnsupportedError: the disc has several sessions, and they should be in one file.
    """
    split, opening = settings.split, disc.sessions[0]
    if len(disc.sessions) > 1:
        if split is False:
            raise UnsupportedError(
                f"{len(disc.sessions)} sessions cannot be in one BIN; leave split=no out"
            )
        split = True
    tracks = disc.tracks
    zero = _stored_from(opening, tracks[0])
    digits = 1 if tracks[-1].number <= _SINGLE_DIGITS else 2
    for session in disc.sessions:
        for track in session.tracks:
            first = _stored_from(session, track)
            # R-W stands in a BIN alone.
            kind = settings.audio if track.is_audio and track.number not in sung else _BIN
            which = f" (Track {track.number:0{digits}})" if split and len(tracks) > 1 else ""
            width = 2048 if settings.cooked and track.mode is TrackMode.MODE1 else SECTOR_BYTES
            yield Part(
                track=track,
                session=session,
                first=first,
                width=ImageType.RAW.sector_size if track.number in sung else width,
                mode=CDG if track.number in sung else _mode(session, track, width),
                name=f"{stem}{which}{_SUFFIXES[kind]}",
                kind=kind,
                zero=first if split else zero,
            )


def sheet_of(
    disc: Disc, parts: Sequence[Part], text_name: str | None = None
) -> Iterator[cue.Command]:
    """Yield the commands of the sheet.

    Args:
        disc: the disc.
        parts: its tracks as they are written.
        text_name: the name of the file of CD-TEXT packs, if there is one; it holds the texts that
            no line can hold.
    """
    if disc.mcn is not None:
        yield cue.Catalog(0, disc.mcn)
    if text_name is not None:
        yield cue.TextFile(0, text_name)
    yield from _texts(disc, 0)
    sessions = list(disc.sessions)
    name: str | None = None
    for part in parts:
        track = part.track
        if track is part.session.tracks[0] and len(sessions) > 1:
            yield from _between(disc, sessions.index(part.session))
        if part.name != name:
            name = part.name
            yield cue.File(0, name, cue.BINARY if part.kind == _BIN else _WAVE)
        yield cue.TrackStart(0, track.number, part.mode)
        yield from _texts(disc, track.number)
        if flags := tuple(_flags(track)):
            yield cue.Flags(0, flags)
        if track.isrc is not None:
            yield cue.Isrc(0, track.isrc)
        for index in track.indexes:
            # A session's first track may have all of its pregap before the file.
            if index.number or track.start_lba > part.first:
                yield cue.IndexAt(0, index.number, max(index.lba, part.first) - part.zero)


def _between(disc: Disc, place: int) -> Iterator[cue.Command]:
    """Yield what redump writes before a session's first FILE."""
    session = disc.sessions[place]
    if not place:
        yield cue.Remark(0, "SESSION 01")
        return
    before, track = disc.sessions[place - 1], session.tracks[0]
    unstored = _stored_from(session, track) - track.first_lba
    yield cue.Remark(0, f"LEAD-OUT {cue.stamp(before.lead_out_sectors)}")
    yield cue.Remark(0, f"SESSION {place + 1:02}")
    lead_in = session.program_lba - session.lead_in_lba
    yield cue.Remark(0, f"LEAD-IN {cue.stamp(lead_in)}")
    yield cue.Remark(0, f"PREGAP {cue.stamp(unstored)}")


def _mode(session: Session, track: Track, width: int) -> str:
    if width != SECTOR_BYTES:
        return "MODE1/2048"
    if track.mode is TrackMode.MODE2:
        return "CDI/2352" if session.disc_type is DiscType.CDI else "MODE2/2352"
    return _MODES[track.mode]


def _flags(track: Track) -> Iterator[str]:
    if track.copy is CopySetting.PERMITTED:
        yield "DCP"
    if track.four_channel:
        yield "4CH"
    if track.pre_emphasis:
        yield "PRE"
    if track.copy is CopySetting.SCMS:
        yield "SCMS"


def _texts(disc: Disc, track: int) -> Iterator[cue.Command]:
    if disc.cdtext is None:
        return
    for name in cue.TEXT_FIELDS:
        text = disc.cdtext.text(name.lower(), track)
        if text is not None and _why_unsaid(text) is None:  # the packs beside it hold the others
            yield cue.Text(0, name.lower(), text)


def _why_unsaid(text: str) -> str | None:
    """Return why a line of a sheet cannot hold a text, or None."""
    if any(character in text for character in "\r\n\0"):
        return "holds a line break or a NUL, which a sheet cannot"
    try:
        text.encode()
    except UnicodeEncodeError:
        return f"{text!r} is no text in Unicode"
    return None
