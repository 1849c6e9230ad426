"""Short tracks filled with silence, in an image that exists."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from rawcd.errors import UnsupportedError
from rawcd.image import MainForm, Note, Region, SubForm
from rawcd.rules import MIN_TRACK_SECTORS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rawcd.disc import Session, Track
    from rawcd.image import RegionImage


def pad_short_tracks(image: RegionImage) -> RegionImage:
    """Return the image with every audio track filled with silence to four seconds.

    What lies behind a short track moves back; a note is left for each.

    Raises:
        UnsupportedError: a short track holds data, or the image has several sessions or
            recorded subcode, whose addresses cannot move.
        ValueError: the disc would reach past 89:59:74.
    """
    missing = {
        track.number: MIN_TRACK_SECTORS - track.sector_count
        for track in image.disc.tracks
        if track.sector_count < MIN_TRACK_SECTORS
    }
    if not missing:
        return image
    session = image.disc.sessions[0]
    if len(image.disc.sessions) > 1 or any(each.form is not SubForm.MADE for each in image.sub):
        raise UnsupportedError("short tracks cannot be padded in recorded subcode or sessions")
    for number in missing:
        if not image.disc.track(number).is_audio:
            raise UnsupportedError(f"track {number} holds data: silence cannot pad it")
    padded = _padded_session(session, missing)
    disc = replace(image.disc, sessions=(padded,))
    ends = {
        track.end_lba: missing[track.number] for track in session.tracks if track.number in missing
    }
    notes = tuple(
        Note(
            code="short-padded",
            message=f"its {MIN_TRACK_SECTORS - gap} sectors were filled with silence to "
            f"{MIN_TRACK_SECTORS}",
            track=number,
        )
        for number, gap in missing.items()
    )
    sub = replace(image.sub[0], sectors=disc.end_lba - disc.first_lba)
    return replace(
        image,
        disc=disc,
        main=tuple(_padded_regions(image.main, ends)),
        sub=(sub,),
        notes=image.notes + notes,
    )


def _padded_session(session: Session, missing: dict[int, int]) -> Session:
    shift = 0
    tracks: list[Track] = []
    for track in session.tracks:
        indexes = tuple(replace(index, lba=index.lba + shift) for index in track.indexes)
        shift += missing.get(track.number, 0)
        tracks.append(replace(track, indexes=indexes, end_lba=track.end_lba + shift))
    return replace(session, tracks=tuple(tracks), lead_out_lba=session.lead_out_lba + shift)


def _padded_regions(regions: tuple[Region, ...], ends: dict[int, int]) -> Iterator[Region]:
    """Yield the regions with silence put in at each track's end, what follows moved back."""
    shift = 0
    for region in regions:
        position, end = region.lba, region.lba + region.sectors
        for cut in [*(at for at in sorted(ends) if position < at <= end), end]:
            if cut > position:
                yield replace(
                    region,
                    lba=position + shift,
                    sectors=cut - position,
                    start=region.start + position - region.lba,
                )
            if cut in ends and position < cut:
                yield Region(lba=cut + shift, sectors=ends[cut], form=MainForm.ZERO)
                shift += ends[cut]
            position = cut
