"""An image as BIN/CUE: one BIN from LBA 0 to the lead-out, and the sheet that names it.

CD-TEXT that the sheet's own commands cannot say (other languages, other fields, genre, ...) goes
into a file of packs beside it.

Only what every reader of sheets understands is written: INDEX 00 and 01 stored, no PREGAP,
upper case, CRLF, quoted plain names. But sound with R-W subcode becomes a track of mode CDG, which
few readers know, as nothing else keeps it (see `modes`).
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePath
from typing import TYPE_CHECKING, Final

from rawcd.cdtext import TextBlock, fitting_charset
from rawcd.disc import CopySetting, DiscType, TrackMode
from rawcd.errors import UnsupportedError
from rawcd.image import ImageType, RegionImage, SubForm
from rawcd.progress import part_of
from rawcd.pump import JOBS, PlainMain, UserData, WholeSectors, jobs_of, pump
from rawcd.sector import SectorType
from rawcd.source import SECTOR_BYTES
from rawcd_formats.cue import commands as cue
from rawcd_formats.cue.modes import CDG

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from rawcd.disc import Disc, Session, Track
    from rawcd.fileset import OutputFiles
    from rawcd.image import DiscImage
    from rawcd.progress import Progress
    from rawcd.pump.fills import Fill

_STEP: Final = 1024
_MODES: Final = {
    TrackMode.AUDIO: "AUDIO",
    TrackMode.MODE0: "MODE1/2352",  # sheets have no word for mode 0; the headers still tell it
    TrackMode.MODE1: "MODE1/2352",
}


def save(
    image: DiscImage,
    files: OutputFiles,
    options: Mapping[str, str],
    progress: Progress | None,
) -> None:
    """Write the BIN and the sheet.

    Args:
        image: the image.
        files: where they go.
        options: `sector-size`: 2048 keeps the user data of Mode 1 tracks alone; 2352, the
            default, whole sectors.
        progress: told how far the work is.

    Raises:
        UnsupportedError: an option or its value is unknown, a text or the file's name has no
            place in a sheet, or a sector is not what its user data alone would make again.
        StorageError: reading or writing failed.
    """
    from rawcd.userdata import check_remakeable

    cooked = _cooked(options)
    bin_name = f"{PurePath(files.name).stem}.bin"
    if bin_name == files.name:
        raise UnsupportedError(f"{files.name}: a sheet cannot have the name of its own BIN")
    _check_text(bin_name, "the file's name")
    session = image.disc.sessions[0]
    packs = _text_packs(image.disc)
    text_name = f"{PurePath(files.name).stem}.cdt" if packs else None
    sung = _tracks_with_rw(image)
    sheet = cue.build(sheet_of(image.disc, bin_name, text_name, cooked=cooked, sung=sung)).encode()
    stretches = [
        (
            max(track.first_lba, 0),
            track.end_lba,
            ImageType.RAW.sector_size if track.number in sung else _width(track, cooked=cooked),
        )
        for track in session.tracks
    ]
    for first, end, width in stretches:
        if width < SECTOR_BYTES:
            check_remakeable(image, first, end, SectorType.MODE1)
    output = files.create(bin_name)
    output.allocate(sum((end - first) * width for first, end, width in stretches))
    for first, end, width in stretches:
        pump(
            _fill(image, width),
            first,
            end - first,
            output,
            width=width,
            jobs=jobs_of(options),
            progress=part_of(progress, first, session.lead_out_lba),
        )
    if text_name is not None:
        files.create(text_name).write(packs)
    files.create(files.name).write(sheet)


def _fill(image: DiscImage, width: int) -> Fill:
    """Return what fills the rows of a track whose sectors have a width in the BIN."""
    if width < SECTOR_BYTES:
        return UserData(image, SectorType.MODE1)
    if width > SECTOR_BYTES and isinstance(image, RegionImage):
        return WholeSectors(image.as_kind(ImageType.RAW))
    return PlainMain(image)


def _tracks_with_rw(image: DiscImage) -> frozenset[int]:
    """Return the numbers of the audio tracks with R-W subcode as it is on the disc.

    What is interleaved out of a track belongs to the next one, which then is of the mode, too.
    """
    if not isinstance(image, RegionImage) or image.kind is ImageType.PQ_ONLY:
        return frozenset()
    if all(region.form is SubForm.MADE for region in image.sub):
        return frozenset()
    on_disc = image.as_kind(ImageType.RAW)
    tracks = image.disc.sessions[0].tracks
    return frozenset(track.number for track in tracks if track.is_audio and _sung(on_disc, track))


def _sung(image: RegionImage, track: Track) -> bool:
    import numpy as np

    from rawcd.subcode.rows import RW_BITS

    for lba in range(max(track.first_lba, 0), track.end_lba, _STEP):
        rows = np.empty((min(_STEP, track.end_lba - lba), image.kind.sub_bytes), np.uint8)
        image.read_sub_into(lba, rows)
        if (rows & RW_BITS).any():
            return True
    return False


def _text_packs(disc: Disc) -> bytes:
    """Return the packs of CD-TEXT that a sheet's own commands cannot say; else nothing.

    Raises:
        UnsupportedError: a text cannot be held in its character set.
    """
    if disc.cdtext is None:
        return b""
    (first, *others) = disc.cdtext.blocks
    items = tuple(item for item in first.items if item.field.upper() in cue.TEXT_FIELDS)
    said = TextBlock(items=items, charset=fitting_charset(item.text for item in items))
    said_all = not others and replace(first, charset=said.charset) == said
    if said_all and first.charset == said.charset:
        return b""
    first_track, last_track = disc.text_tracks
    try:
        return disc.cdtext.to_cdt(first_track=first_track, last_track=last_track)
    except UnsupportedError:
        if said_all:  # the sheet itself holds any character
            return b""
        raise


def _width(track: Track, *, cooked: bool) -> int:
    """Return the bytes of a track's sector in the BIN."""
    return 2048 if cooked and track.mode is TrackMode.MODE1 else SECTOR_BYTES


def _cooked(options: Mapping[str, str]) -> bool:
    """Read the options: whether Mode 1 tracks are kept as user data alone."""
    for option in options.keys() - {"sector-size", JOBS}:
        raise UnsupportedError(f"the format cue has no option {option!r}; it has sector-size")
    size = options.get("sector-size", "2352")
    if size not in ("2048", "2352"):
        raise UnsupportedError(f"the option sector-size is 2048 or 2352, not {size!r}")
    return size == "2048"


def sheet_of(
    disc: Disc,
    bin_name: str,
    text_name: str | None = None,
    *,
    cooked: bool = False,
    sung: Collection[int] = (),
) -> Iterator[cue.Command]:
    """Yield the commands of the sheet for a disc whose sectors from LBA 0 on are in one BIN.

    Args:
        disc: the disc.
        bin_name: the BIN's name.
        text_name: the name of the file of CD-TEXT packs, if there is one.
        cooked: its Mode 1 tracks are there as user data alone.
        sung: numbers of the tracks that are there with their R-W subcode.

    Raises:
        UnsupportedError: a text holds a line break, or what UTF-8 cannot hold.
    """
    session = disc.sessions[0]
    if disc.mcn is not None:
        yield cue.Catalog(0, disc.mcn)
    if text_name is not None:
        yield cue.TextFile(0, text_name)
    yield from _texts(disc, 0)
    yield cue.File(0, bin_name, cue.BINARY)
    for place, track in enumerate(session.tracks):
        mode = CDG if track.number in sung else _mode(session, track, cooked=cooked)
        yield cue.TrackStart(0, track.number, mode)
        yield from _texts(disc, track.number)
        if flags := tuple(_flags(track)):
            yield cue.Flags(0, flags)
        if track.isrc is not None:
            yield cue.Isrc(0, track.isrc)
        for index in track.indexes:
            # A first track that starts at LBA 0 has its pregap before the file.
            if place or index.number or track.start_lba > 0:
                yield cue.IndexAt(0, index.number, max(index.lba, 0))


def _mode(session: Session, track: Track, *, cooked: bool) -> str:
    if _width(track, cooked=cooked) != SECTOR_BYTES:
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
        if text is None:
            continue
        _check_text(text, f"{name} of {f'track {track}' if track else 'the album'}")
        yield cue.Text(0, name.lower(), text)


def _check_text(text: str, what: str) -> None:
    if any(character in text for character in "\r\n\0"):
        raise UnsupportedError(f"{what} holds a line break or a NUL, which a sheet cannot")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise UnsupportedError(f"{what}: {text!r} is no text in Unicode") from error
