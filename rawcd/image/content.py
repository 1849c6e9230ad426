"""What regions hold: blocks as sectors, sectors without content, scrambling, stored R-W."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from rawcd.disc import MODE_CHANGE_HEAD_SECTORS, TrackMode
from rawcd.errors import FormatError
from rawcd.image.values import MainForm, Region, SubForm, SubRegion
from rawcd.sector import SYNC, SectorType
from rawcd.source import fill_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rawcd.disc import Disc, Track
    from rawcd.source import Bytes2D
    from rawcd.subcode.rows import Flags

_SCAN_SECTORS: Final = 1024


def first_rw_lba(region: SubRegion, lba: int, end_lba: int) -> int | None:
    """Return the first sector whose stored R-W is not zero; None where none is.

    Args:
        region: where it may be stored.
        lba: the first sector to look at, if it lies in the region.
        end_lba: one past the last.

    Raises:
        StorageError: the stored subcode cannot be read.
    """
    import numpy as np

    from rawcd.subcode.rows import RW_BITS

    if region.source is None or region.form not in (SubForm.RW, SubForm.RAW):
        return None
    first, end = max(region.lba, lba), min(region.lba + region.sectors, end_lba)
    for at in range(first, end, _SCAN_SECTORS):
        rows = np.empty((min(_SCAN_SECTORS, end - at), region.source.block_size), np.uint8)
        fill_rows(region.source, region.start + at - region.lba, rows)
        filled = (rows & RW_BITS).any(axis=1)
        if filled.any():
            return at + int(filled.argmax())
    return None


def blank(lba: int, sectors: int, sector_type: SectorType) -> Region:
    """Return sectors without content: digital silence, or a mode's sectors of zero user data.

    Args:
        lba: first sector.
        sectors: how many.
        sector_type: the kind of the track they belong to. Mixed XA gets form 2, as a recorder
            makes it (MMC, data form 24h).
    """
    if sector_type is SectorType.AUDIO:
        return Region(lba=lba, sectors=sectors, form=MainForm.ZERO)
    kind = sector_type.cooked
    if kind is SectorType.MODE2MIXED:
        kind = SectorType.MODE2FORM2
    return Region(lba=lba, sectors=sectors, form=MainForm.USER, sector_type=kind)


_KIND_OF_MODE: Final = {
    TrackMode.AUDIO: SectorType.AUDIO,
    TrackMode.MODE0: SectorType.MODE_ZERO,
    TrackMode.MODE1: SectorType.MODE1,
    TrackMode.MODE2: SectorType.MODE2MIXED,
}


def blank_like(track: Track, lba: int, sectors: int) -> Region:
    """Return sectors without content for the lead-in, pregap or lead-out of a track."""
    return blank(lba, sectors, _KIND_OF_MODE[track.mode])


def blanks(
    disc: Disc, lba: int, end: int, *, kinds: Mapping[int, SectorType] | None = None
) -> Iterator[Region]:
    """Yield a stretch of a disc without content, each part in the mode that it has there.

    Lead-in and lead-out have the mode of the session's first and last track; the pregap of a
    data track behind one of another mode begins with one second in the old mode where it has
    the three seconds that it should have (ECMA-130 20.1).

    Args:
        disc: the disc.
        lba: first sector.
        end: one past the last one.
        kinds: what the sectors of data tracks hold, by their numbers; without one the kind that
            `blank_like` gives.
    """
    for first, after, track in _modes_along(disc):
        start, stop = max(first, lba), min(after, end)
        if start < stop:
            kind = (kinds or {}).get(track.number, _KIND_OF_MODE[track.mode])
            yield blank(start, stop - start, kind)


def _modes_along(disc: Disc) -> Iterator[tuple[int, int, Track]]:
    """Yield the stretches of a disc, rising, with the track whose mode each has."""
    for session in disc.sessions:
        before = session.tracks[0]
        position = session.lead_in_lba
        for track in session.tracks:
            if session.has_mode_change_head(track):
                yield position, position + MODE_CHANGE_HEAD_SECTORS, before
                position += MODE_CHANGE_HEAD_SECTORS
            yield position, track.end_lba, track
            position, before = track.end_lba, track
        yield position, session.end_lba, before


def fill_main(region: Region, lba: int, rows: Bytes2D, disc: Disc, *, plain: bool) -> None:
    """Fill rows, (n, 2352), with the sectors of a region from an LBA within it on.

    Args:
        region: the region.
        lba: first sector.
        rows: what to fill.
        disc: tells which sectors are data where the region does not.
        plain: data sectors come unscrambled.

    Raises:
        FormatError: a block cannot be encoded for its place.
        StorageError: the source cannot be read.
    """
    from rawcd.sector import scramble

    if region.form is MainForm.ZERO:
        rows[:] = 0
        return
    if region.form is MainForm.USER:
        _fill_user(region, lba, rows)
    elif region.source is not None:
        fill_rows(region.source, region.start + lba - region.lba, rows)
    if region.form is MainForm.READ:
        if not plain:
            _scramble_synced(rows)
    elif region.form is not MainForm.DISC:
        if not plain:
            scramble(rows, out=rows)
    elif plain:
        unscramble_data(disc, lba, rows)


def _fill_user(region: Region, lba: int, rows: Bytes2D) -> None:
    """Encode a region's blocks for their place."""
    import numpy as np

    from rawcd.sector import encode

    kind = cast("SectorType", region.sector_type)
    if region.source is None:
        blocks = np.zeros((len(rows), min(kind.block_sizes)), np.uint8)
    else:
        blocks = np.empty((len(rows), region.source.block_size), np.uint8)
        fill_rows(region.source, region.start + lba - region.lba, blocks)
    try:
        encode(kind, blocks, lba, subheader=region.subheader, out=rows)
    except FormatError as error:
        name = None if region.source is None else region.source.name
        raise FormatError(error.reason, file=name, place=error.place) from error


def unscramble_data(disc: Disc, lba: int, rows: Bytes2D) -> None:
    """Undo the scrambling of data sectors (n, 2352) as on the disc, in place.

    Sectors of audio tracks are never touched; elsewhere those with a sync are data sectors.
    """
    if all(track.is_audio for track in disc.tracks):
        return
    is_data = _synced(rows)
    for track in disc.tracks:
        if track.is_audio:
            is_data[max(track.start_lba - lba, 0) : max(track.end_lba - lba, 0)] = False
    _scramble_those(rows, is_data)


def _scramble_synced(rows: Bytes2D) -> None:
    """Scramble the sectors that have a sync, in place: those that `unscramble_data` undoes."""
    _scramble_those(rows, _synced(rows))


def _synced(rows: Bytes2D) -> Flags:
    import numpy as np

    found: Flags = (rows[:, : len(SYNC)] == np.frombuffer(SYNC, np.uint8)).all(axis=1)
    return found


def _scramble_those(rows: Bytes2D, which: Flags) -> None:
    from rawcd.sector import scramble

    if which.all():
        scramble(rows, out=rows)
    elif which.any():
        rows[which] = scramble(rows[which])
