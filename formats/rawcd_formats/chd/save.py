"""An image as a CHD: every hunk packed by whichever codec makes the least of it.

What is written are the sectors from LBA 0 to the lead-out, pregaps with them. Subcode is written
where there is recorded one that rawcd would not make just so; all 96 bytes of it then.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from rawcd.disc import TrackMode
from rawcd.errors import UnsupportedError
from rawcd.image import ImageType, RegionImage
from rawcd.progress import part_of
from rawcd.pump import JOBS, PlainMain, jobs_of, pump
from rawcd.recording import SUB, wants_subcode
from rawcd.source import SECTOR_BYTES
from rawcd_formats.chd.codecs import WITH_ZSTD, WRITABLE, zstd_module
from rawcd_formats.chd.layout import HEADER, HUNK_BYTES, NO_CODEC, UNIT_BYTES, Header
from rawcd_formats.chd.metadata import NO_SUB, RAW_SUB, TrackRecord, padding_of
from rawcd_formats.chd.packing import PackedStore, PlainStore, Units
from rawcd_formats.chd.subcode import is_recorded_inside

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rawcd.disc import Disc
    from rawcd.fileset import OutputFiles
    from rawcd.image import DiscImage
    from rawcd.progress import Progress
    from rawcd.source import Bytes2D

CODECS: Final = "codecs"
"""The option that names the codecs, by commas; `none` stores every hunk as it is."""
_DEFAULT_CODECS: Final = "cdlz,cdzl,cdfl"
_NO_CODECS: Final = "none"
_TYPES: Final = {
    TrackMode.AUDIO: "AUDIO",
    TrackMode.MODE0: "MODE1_RAW",  # there is no word for mode 0; the headers still tell it
    TrackMode.MODE1: "MODE1_RAW",
    TrackMode.MODE2: "MODE2_RAW",
}


def save(
    image: DiscImage,
    files: OutputFiles,
    options: Mapping[str, str],
    progress: Progress | None,
) -> None:
    """Write a CHD.

    Args:
        image: the image.
        files: where it goes.
        options: `codecs`: those to try, of cdlz, cdzl, cdfl and cdzs, or `none`; `jobs`: how many
            threads pack.
        progress: told how far the work is.

    Raises:
        UnsupportedError: an option or its value is unknown, the disc has several sessions, or
            the target cannot go back.
        MissingExtraError: cdzs was asked for, and there is no library for it.
        StorageError: reading or writing failed.
        CancelledError: `progress` said stop.
    """
    tags, jobs = _codecs(options), jobs_of(options)
    disc = image.disc
    if len(disc.sessions) > 1:
        raise UnsupportedError(f"chd holds one session; this disc has {len(disc.sessions)}")
    fill: PlainMain | _WithSub = PlainMain(image)
    width, sub = SECTOR_BYTES, NO_SUB
    if isinstance(image, RegionImage) and (wants_subcode(options) or is_recorded_inside(image)):
        fill, width, sub = _WithSub(image.as_kind(ImageType.RAW)), UNIT_BYTES, RAW_SUB
    tracks = _tracks_of(disc, sub)
    records = [track.build() for track in tracks]
    header = Header(
        codecs=tags or (NO_CODEC,),
        logical_bytes=sum(track.frames + track.padding for track in tracks) * UNIT_BYTES,
        map_offset=0,
        metadata_offset=HEADER.sizeof(),
        hunk_bytes=HUNK_BYTES,
    )
    output = files.create(files.name)
    store: PackedStore | PlainStore
    store = (
        PackedStore(output, header, records, jobs) if tags else PlainStore(output, header, records)
    )
    with store:
        units = Units(store)
        for track, on_disc in zip(tracks, disc.tracks, strict=True):

            def add(view: memoryview, swapped: bool = on_disc.is_audio) -> None:
                rows = np.frombuffer(view, np.uint8).reshape(-1, width)
                units.add(rows, swapped=swapped)

            first = on_disc.end_lba - track.frames
            pump(
                fill,
                first,
                track.frames,
                add,
                width=width,
                progress=part_of(progress, first, disc.tracks[-1].end_lba),
            )
            units.add_zeros(track.padding)
        units.finish()


@dataclass(frozen=True, slots=True)
class _WithSub:
    """Rows of 2,448 bytes: the main channel, data sectors unscrambled, and the subcode."""

    image: RegionImage

    def __call__(self, lba: int, rows: Bytes2D) -> None:
        """Fill `rows` from `lba` on."""
        self.image.read_main_into(lba, rows[:, :SECTOR_BYTES], plain=True)
        self.image.read_sub_into(lba, rows[:, SECTOR_BYTES:])


def _codecs(options: Mapping[str, str]) -> tuple[bytes, ...]:
    """Read the option `codecs`; empty for none."""
    for option in options.keys() - {CODECS, JOBS, SUB}:
        raise UnsupportedError(
            f"the format chd has no option {option!r}; it has {CODECS} and {SUB}"
        )
    text = options.get(CODECS, _DEFAULT_CODECS)
    if text == _NO_CODECS:
        return ()
    tags = tuple(text.encode("ascii", "replace").split(b","))
    if not set(tags) <= set(WRITABLE) or len(set(tags)) != len(tags):
        known = ", ".join(tag.decode() for tag in WRITABLE)
        raise UnsupportedError(
            f"the option {CODECS} names some of {known}, each once, with commas between them, or "
            f"{_NO_CODECS}; not {text!r}"
        )
    if WITH_ZSTD & set(tags):
        zstd_module()
    return tags


def _tracks_of(disc: Disc, sub: str) -> list[TrackRecord]:
    """Return the records of the tracks; the first one's pregap is stored from LBA 0 on."""
    found = []
    for number, track in enumerate(disc.tracks, 1):
        first = max(track.first_lba, 0)
        frames = track.end_lba - first
        found.append(
            TrackRecord(
                number=number,
                kind=_TYPES[track.mode],
                sub=sub,
                frames=frames,
                pregap=track.start_lba - first,
                pregap_stored=track.start_lba > first,
                padding=padding_of(frames),
            )
        )
    return found
