"""An image as one MDF of 2,448 bytes a sector, and the MDS that goes with it."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING, Final, NamedTuple

from rawcd.disc import TrackMode
from rawcd.errors import UnsupportedError
from rawcd.progress import part_of
from rawcd.pump import JOBS, jobs_of, pump
from rawcd.pump.fills import PlainSectors
from rawcd.recording import SUB, program_stretches, with_raw_subcode
from rawcd.source import SECTOR_BYTES
from rawcd.subcode.frame import POINT_FIRST_TRACK
from rawcd.subcode.rows import PW96_BYTES
from rawcd.toc import lead_in_pointers, numbers_of
from rawcd_formats.mds import layout

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rawcd.disc import Disc, Session, Track
    from rawcd.fileset import OutputFiles
    from rawcd.image import DiscImage
    from rawcd.progress import Progress

_SIZE: Final = SECTOR_BYTES + PW96_BYTES
_VERSION: Final = (1, 3)
_MODES: Final = {
    TrackMode.AUDIO: 0xA9,
    TrackMode.MODE0: 0xAA,  # there is no number for it; the headers tell
    TrackMode.MODE1: 0xAA,
    TrackMode.MODE2: 0xAB,
}
_ANY_NAME: Final = "*.mdf\0".encode("utf-16-le")
"""Alcohol names no file either: the MDF is called as the MDS is."""


def save(
    image: DiscImage,
    files: OutputFiles,
    options: Mapping[str, str],
    progress: Progress | None,
) -> None:
    """Write the two files.

    Raises:
        UnsupportedError: an option is unknown, a track begins before LBA 0, or the MDS would have
            the name of its own data.
        StorageError: reading or writing failed.
    """
    for option in options.keys() - {JOBS, SUB}:  # subcode is always there
        raise UnsupportedError(f"the format mds has no option {option!r}")
    data_name = f"{PurePath(files.name).stem}.mdf"
    if files.name == data_name:
        raise UnsupportedError(f"{files.name}: an MDS cannot have the name of its own data")
    image = with_raw_subcode(image)
    stretches = program_stretches(image.disc)
    sheet = build(image.disc, stretches)
    sectors = sum(end - first for first, end in stretches)
    output = files.create(data_name)
    output.allocate(sectors * _SIZE)
    done = 0
    for first, end in stretches:
        pump(
            PlainSectors(image),
            first,
            end - first,
            output,
            width=_SIZE,
            jobs=jobs_of(options),
            progress=part_of(progress, done, sectors),
        )
        done += end - first
    files.create(files.name).write(sheet)


class _Extent(NamedTuple):
    """Where a track is: sectors before index 1 that count as its pregap, and those from it on."""

    track: Track
    pregap: int
    sectors: int
    offset: int


def _extents(disc: Disc, stretches: tuple[tuple[int, int], ...]) -> Iterator[_Extent]:
    """Yield the extent of each track.

    A session's first track has its whole pregap. Another one's is told apart where the mode
    changes, as Alcohol does; elsewhere it counts to the track before, and the Q channel tells.
    """
    base = 0
    for session, (first, end) in zip(disc.sessions, stretches, strict=True):
        gaps = [_gap(session, track) for track in session.tracks]
        ends = [
            track.start_lba - gap for track, gap in zip(session.tracks[1:], gaps[1:], strict=True)
        ]
        for track, gap, after in zip(session.tracks, gaps, [*ends, end], strict=True):
            offset = (base + track.start_lba - first) * _SIZE
            yield _Extent(track, gap, after - track.start_lba, offset)
        base += end - first


def _gap(session: Session, track: Track) -> int:
    tells = track is session.tracks[0] or session.mode_changes_at(track)
    return track.pregap_sectors if tells else 0


def build(disc: Disc, stretches: tuple[tuple[int, int], ...]) -> bytes:
    """Return the MDS of a disc.

    Args:
        disc: the disc.
        stretches: LBAs of what the MDF holds of each session.
    """
    pointers = [lead_in_pointers(disc, number) for number in range(1, len(disc.sessions) + 1)]
    extents = {extent.track.number: extent for extent in _extents(disc, stretches)}
    sessions_at = layout.HEADER.sizeof()
    blocks_at = sessions_at + len(pointers) * layout.SESSION.sizeof()
    extents_at = blocks_at + sum(map(len, pointers)) * layout.BLOCK.sizeof()
    names_at = extents_at + len(extents) * layout.EXTENT.sizeof()
    parts = [
        layout.HEADER.build(
            {
                "signature": layout.SIGNATURE,
                "major": _VERSION[0],
                "minor": _VERSION[1],
                "medium": 0,
                "sessions": len(pointers),
                "unknown": b"\2\0\0\0",
                "bca_bytes": 0,
                "bca_at": 0,
                "structures_at": 0,
                "sessions_at": sessions_at,
                "dpm_at": 0,
            }
        )
    ]
    at = blocks_at
    for number, (session, items) in enumerate(zip(disc.sessions, pointers, strict=True), 1):
        parts.append(
            layout.SESSION.build(
                {
                    "first": session.program_lba,
                    "end": session.lead_out_lba,
                    "number": number,
                    "blocks": len(items),
                    "pointer_blocks": len(items) - len(session.tracks),
                    "first_track": session.tracks[0].number,
                    "last_track": session.tracks[-1].number,
                    "blocks_at": at,
                }
            )
        )
        at += len(items) * layout.BLOCK.sizeof()
    places = {number: extents_at + i * layout.EXTENT.sizeof() for i, number in enumerate(extents)}
    for items in pointers:
        for pointer in items:
            told = numbers_of(pointer)
            extent = extents.get(told.point) if told.point < POINT_FIRST_TRACK else None
            fields = {
                "adr_control": pointer.adr << 4 | pointer.control,
                "track": 0,
                "point": told.point,
                "running": told.running,
                "zero": pointer.zero,
                "value": told.value,
            }
            parts.append(layout.BLOCK.build(fields | _track_fields(extent, places, names_at)))
    parts.extend(
        layout.EXTENT.build({"pregap": extent.pregap, "sectors": extent.sectors})
        for extent in extents.values()
    )
    name_at = names_at + layout.NAME.sizeof()
    parts.extend((layout.NAME.build({"name_at": name_at, "wide": 1}), _ANY_NAME))
    return b"".join(parts)


def _track_fields(
    extent: _Extent | None, places: Mapping[int, int], names_at: int
) -> dict[str, object]:
    if extent is None:
        return {
            "mode": 0,
            "subcode": 0,
            "extent_at": 0,
            "sector_bytes": 0,
            "unknown": bytes(18),
            "lba": 0,
            "offset": 0,
            "files": 0,
            "names_at": 0,
        }
    return {
        "mode": _MODES[extent.track.mode],
        "subcode": layout.RAW_SUBCODE,
        "extent_at": places[extent.track.number],
        "sector_bytes": _SIZE,
        "unknown": b"\2" + bytes(17),
        "lba": extent.track.start_lba,
        "offset": extent.offset,
        "files": 1,
        "names_at": names_at,
    }
