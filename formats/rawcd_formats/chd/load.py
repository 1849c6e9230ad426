"""From a CHD to a disc."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rawcd.disc import Disc, DiscType, Index, Session, Track
from rawcd.errors import FormatError, UnsupportedError
from rawcd.image import Note, Region, RegionImage, SubForm, SubRegion, blank_like
from rawcd.msf import PROGRAM_LBA
from rawcd_formats.chd import layout, metadata
from rawcd_formats.chd.codecs import READABLE, SUB_BYTES, WITH_ZSTD, zstd_module
from rawcd_formats.chd.hunkmap import read_map
from rawcd_formats.chd.hunks import Hunks, UnitSource

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rawcd.fileset import InputFiles
    from rawcd_formats.chd.hunkmap import HunkMap
    from rawcd_formats.chd.layout import Header
    from rawcd_formats.chd.metadata import TrackRecord

_PROBES: Final = 16
_PQ_BITS: Final = 0xC0


def load(files: InputFiles) -> RegionImage:
    """Open a CHD; the map and the metadata are read, and of subcode a few sectors.

    Raises:
        FormatError: the file is not what it claims.
        UnsupportedError: it is of another version or medium, needs a parent, or is packed by a
            codec that is not for CDs.
        MissingExtraError: it is packed by zstd, and there is no library for it.
        StorageError: it cannot be read.
    """
    reader, name = files.reader, files.name
    header = layout.read_header(reader)
    records = tuple(metadata.read_records(reader, header.metadata_offset))
    tracks = metadata.tracks_of(records, name)
    needed = sum(track.frames + track.padding for track in tracks)
    if needed > header.units:
        raise FormatError(
            f"its tracks have {needed} sectors, and it holds {header.units}",
            file=name,
            place="metadata",
        )
    found = read_map(reader, header)
    _check_codecs(header, found, name)
    disc = _disc_of(tracks, name)
    hunks = Hunks(reader, header, found)
    main = tuple(_main_of(disc, tracks, hunks))
    sub = tuple(_sub_of(disc, tracks, hunks))
    notes = tuple(_notes_on(header, records, needed, name))
    return RegionImage(disc=disc, main=main, sub=sub, notes=notes)


def _check_codecs(header: Header, found: HunkMap, name: str) -> None:
    """Refuse codecs that are used and cannot be read."""
    for place, tag in enumerate(header.codecs):
        if not (found.kinds == place).any():
            continue
        if tag not in READABLE:
            raise UnsupportedError(
                f"{name}: hunks are packed by {tag.decode('latin-1')!r}, which is no codec for "
                "CDs; write it anew with chdman copy -c cdlz,cdzl,cdfl"
            )
        if tag in WITH_ZSTD:
            zstd_module()


def _notes_on(
    header: Header, records: Sequence[layout.Record], needed: int, name: str
) -> Iterator[Note]:
    if any(header.sha1) and metadata.sha1_of(header.raw_sha1, records) != header.sha1:
        yield Note(
            code="chd-checksum",
            message="the SHA-1 in its header is not that of its metadata: the file was changed",
            file=name,
        )
    if needed < header.units:
        yield Note(
            code="unused-sectors",
            message=f"{header.units - needed} sectors in it belong to no track",
            file=name,
        )


# -- the disc --------------------------------------------------------------------------------------


def _disc_of(tracks: Sequence[TrackRecord], name: str) -> Disc:
    """Return what the tracks say.

    A pregap that is not stored, and a postgap, are sectors without content on the disc. The 150
    sectors before LBA 0 are never in a CHD; a first track's pregap comes behind them.
    """
    made: list[Track] = []
    lba = 0
    try:
        for track in tracks:
            first = lba if made else PROGRAM_LBA
            start = lba + track.pregap
            lba += track.frames + track.postgap + (0 if track.pregap_stored else track.pregap)
            indexes = [Index(number=1, lba=start)]
            if first < start:
                indexes.insert(0, Index(number=0, lba=first))
            made.append(
                Track(
                    number=track.number,
                    mode=track.mode.mode,
                    indexes=tuple(indexes),
                    end_lba=lba,
                )
            )
        types = [track.mode.disc_type for track in tracks]
        session = Session(
            tracks=tuple(made),
            lead_out_lba=lba,
            disc_type=max(types, default=DiscType.CDDA_CDROM),
        )
        return Disc(sessions=(session,))
    except ValueError as error:
        raise FormatError(str(error), file=name, place="metadata") from error


def _stored(disc: Disc, tracks: Sequence[TrackRecord]) -> Iterator[tuple[int, int, TrackRecord]]:
    """Yield for each track the LBA of its first stored sector, its number in the file, itself."""
    unit = 0
    for on_disc, track in zip(disc.tracks, tracks, strict=True):
        lba = on_disc.start_lba - (track.pregap if track.pregap_stored else 0)
        yield lba, unit, track
        unit += track.frames + track.padding


def _main_of(disc: Disc, tracks: Sequence[TrackRecord], hunks: Hunks) -> Iterator[Region]:
    at = disc.first_lba
    for on_disc, (lba, unit, track) in zip(disc.tracks, _stored(disc, tracks), strict=True):
        if at < lba:
            yield blank_like(on_disc, at, lba - at)
        mode = track.mode
        source = UnitSource(
            hunks,
            unit,
            track.frames,
            block_size=mode.block_size,
            swapped=on_disc.is_audio,
        )
        yield Region(
            lba=lba,
            sectors=track.frames,
            form=mode.form,
            source=source,
            sector_type=mode.sector_type,
        )
        at = lba + track.frames
        if at < on_disc.end_lba:
            yield blank_like(on_disc, at, on_disc.end_lba - at)
            at = on_disc.end_lba
    yield blank_like(disc.tracks[-1], at, disc.end_lba - at)


def _sub_of(disc: Disc, tracks: Sequence[TrackRecord], hunks: Hunks) -> Iterator[SubRegion]:
    """Yield where the subcode comes from; it lies right behind each sector's stored bytes."""
    at = disc.first_lba
    for lba, unit, track in _stored(disc, tracks):
        if track.sub == metadata.NO_SUB:
            continue
        if at < lba:
            yield SubRegion(lba=at, sectors=lba - at, form=SubForm.MADE)
        source = UnitSource(
            hunks, unit, track.frames, offset=track.mode.block_size, block_size=SUB_BYTES
        )
        packed = track.sub == metadata.PACKED_SUB
        whole = not packed and _has_pq(source)
        yield SubRegion(
            lba=lba,
            sectors=track.frames,
            form=SubForm.RAW if whole else SubForm.RW,
            source=source,
            rw_packed=packed,
        )
        at = lba + track.frames
    yield SubRegion(lba=at, sectors=disc.end_lba - at, form=SubForm.MADE)


def _has_pq(source: UnitSource) -> bool:
    """Tell whether a track's subcode has P and Q beside R to W, by a few sectors of it.

    A Q frame is never all zero: its CRC is stored inverted.
    """
    step = max(1, source.block_count // _PROBES)
    probes = range(0, source.block_count, step)[: _PROBES + 1]
    return any(byte & _PQ_BITS for probe in probes for byte in source.read(probe, 1))
