"""The session that staged tracks make, and where its sectors come from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rawcd.creator.material import Material
from rawcd.creator.refusals import refusal
from rawcd.creator.relocation import relocated
from rawcd.disc import (
    LATER_LEAD_OUT_SECTORS,
    Disc,
    DiscType,
    Index,
    Session,
    Track,
    TrackMode,
)
from rawcd.errors import FormatError
from rawcd.image import MainForm, Region, blanks
from rawcd.sector import SectorType
from rawcd.source import SECTOR_BYTES, fill_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rawcd.creator.layout import Placed, StagedTrack
    from rawcd.source import Source

_STEP: Final = 1024
_XA: Final = frozenset({SectorType.MODE2FORM1, SectorType.MODE2FORM2, SectorType.MODE2MIXED})


def staged_session(
    tracks: Sequence[StagedTrack],
    placed: Sequence[Placed],
    *,
    after: Disc | None,
    starting_number: int,
    disc_type: DiscType | None,
) -> Session:
    """Return the session that staged tracks make, behind those of the disc `after`."""
    lead_out = placed[-1].end_lba
    made = tuple(
        Track(
            number=number,
            mode=_mode(track.sector_type),
            indexes=_indexes(track, spot),
            end_lba=end,
            copy=track.copy,
            pre_emphasis=track.pre_emphasis,
            four_channel=track.four_channel,
            isrc=track.isrc,
        )
        for number, (track, spot, end) in enumerate(
            zip(tracks, placed, [*(spot.first_lba for spot in placed[1:]), lead_out], strict=True),
            starting_number,
        )
    )
    xa = not _XA.isdisjoint(track.sector_type.cooked for track in tracks)
    if disc_type is None:
        disc_type = DiscType.XA if xa else DiscType.CDDA_CDROM
    if after is None:
        return Session(tracks=made, lead_out_lba=lead_out, disc_type=disc_type)
    return Session(
        tracks=made,
        lead_in_lba=after.end_lba,
        lead_out_lba=lead_out,
        lead_out_sectors=LATER_LEAD_OUT_SECTORS,
        disc_type=disc_type,
    )


def _mode(sector_type: SectorType) -> TrackMode:
    mode = sector_type.mode
    return TrackMode.AUDIO if mode is None else TrackMode(mode)


def _indexes(track: StagedTrack, spot: Placed) -> tuple[Index, ...]:
    indexes = [
        Index(number=number, lba=spot.start_lba + offset)
        for number, offset in enumerate(track.offsets, 1)
    ]
    if spot.index0_lba is not None:
        indexes.insert(0, Index(number=0, lba=spot.index0_lba))
    return tuple(indexes)


def regions(
    disc: Disc,
    tracks: Sequence[StagedTrack],
    placed: Sequence[Placed],
    special_pregap: Material | None,
) -> Iterator[Region]:
    """Yield the regions of a disc's last session.

    What nothing was given for is without content: silence in an audio track's lead-in, pregap,
    end and lead-out, sectors of zero user data in those of a data track.

    Raises:
        AuthoringError: whole data sectors are not of their place, or scrambled and unscrambled
            ones are mixed (E_INVALIDARG).
        StorageError: they cannot be read.
    """
    session = disc.sessions[-1]
    kinds = {
        made.number: track.sector_type for made, track in zip(session.tracks, tracks, strict=True)
    }
    position = session.lead_in_lba
    given: list[Region] = []
    if special_pregap is not None:
        given.append(_of(special_pregap, session.program_lba))
    for made, track, spot in zip(session.tracks, tracks, placed, strict=True):
        if isinstance(track.pregap, Material) and track.pregap.sectors:
            given.append(_of(track.pregap, spot.start_lba - track.pregap.sectors))
        if track.material.sectors:
            given.append(_track_region(track, spot.start_lba, made.number))
    for region in given:
        yield from blanks(disc, position, region.lba, kinds=kinds)
        yield region
        position = region.lba + region.sectors
    yield from blanks(disc, position, session.end_lba, kinds=kinds)


def _of(sound: Material, lba: int) -> Region:
    return Region(lba=lba, sectors=sound.sectors, form=MainForm.DISC, source=sound.source)


def _track_region(track: StagedTrack, lba: int, number: int) -> Region:
    form, source, scrambled = MainForm.USER, track.material.source, track.scrambled
    if track.relocate:
        what = f"track {number}"
        # Only the RAW types may be scrambled; the others are what they are called.
        known = scrambled if track.sector_type.is_raw else False
        source = relocated(source, lba, track.sector_type, known, what=what)
        scrambled = False
    if track.sector_type is SectorType.AUDIO:
        form = MainForm.DISC
    elif track.sector_type.is_raw:
        found = _is_scrambled(track.sector_type, source, scrambled, lba, number)
        form = MainForm.DISC if found else MainForm.PLAIN
    return Region(
        lba=lba,
        sectors=track.material.sectors,
        form=form,
        source=source,
        sector_type=track.sector_type,
        subheader=track.subheader,
    )


def _is_scrambled(
    kind: SectorType, source: Source, answer: bool | None, lba: int, number: int
) -> bool:
    """Find out by every sector's header whether whole data sectors are scrambled.

    Raises:
        AuthoringError: a sector is not of its place or kind, or otherwise than the others or
            than `scrambled=` says (E_INVALIDARG).
        StorageError: they cannot be read.
    """
    import numpy as np

    from rawcd.sector import encode, is_scrambled, scramble

    for done in range(0, source.block_count, _STEP):
        rows = np.empty((min(_STEP, source.block_count - done), SECTOR_BYTES), np.uint8)
        try:
            fill_rows(source, done, rows)
            found = is_scrambled(rows, lba + done)
            if found:
                scramble(rows, out=rows)
            encode(kind, rows, lba + done, out=rows)  # sync, mode and form, too
        except FormatError as error:
            raise refusal("raw-sectors", f"track {number}: {source.name}: {error}") from error
        if answer is None:
            answer = found
        if found is not answer:
            said = "scrambled" if found else "not scrambled"
            raise refusal(
                "raw-sectors",
                f"track {number}: {source.name}: LBA {lba + done}: the sectors from here on are "
                f"{said}; the track's others, or scrambled=, say otherwise",
            )
    return bool(answer)
