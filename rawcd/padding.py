"""Short tracks filled up, in an image that exists."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from rawcd.errors import AuthoringError, UnsupportedError
from rawcd.image import MainForm, Note, SubForm, blank, blank_like
from rawcd.rules import MAX_LEAD_OUT_LBA, MIN_TRACK_SECTORS, lead_out_limit_message

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rawcd.disc import Session, Track
    from rawcd.image import Region, RegionImage

_WHOLE: Final = (MainForm.PLAIN, MainForm.READ, MainForm.DISC)
_WITH: Final = {True: "with silence", False: "with sectors of zero user data"}
"""By whether a track is sound."""


def pad_short_tracks(image: RegionImage) -> RegionImage:
    """Return the image with every track filled up to four seconds.

    Sound is followed by silence, data by sectors of its kind with zero user data. What lies
    behind a short track moves back; a note is left for each.

    Raises:
        AuthoringError: the disc would reach past 89:59:74.
        UnsupportedError: the image has several sessions or recorded subcode, or whole data
            sectors would move, whose headers tell their address.
    """
    missing = {
        track.number: MIN_TRACK_SECTORS - track.sector_count
        for track in image.disc.tracks
        if track.sector_count < MIN_TRACK_SECTORS
    }
    if not missing:
        return image
    session = image.disc.sessions[0]
    lead_out = session.lead_out_lba + sum(missing.values())
    if lead_out > MAX_LEAD_OUT_LBA:
        raise AuthoringError(
            f"filled up to {MIN_TRACK_SECTORS} sectors, the short tracks leave no room: "
            + lead_out_limit_message(lead_out, MAX_LEAD_OUT_LBA),
            rule="lead-out-limit",
        )
    if len(image.disc.sessions) > 1 or any(each.form is not SubForm.MADE for each in image.sub):
        raise UnsupportedError("short tracks cannot be padded in recorded subcode or sessions")
    padded = _padded_session(session, missing)
    disc = replace(image.disc, sessions=(padded,))
    ends = {track.end_lba: track for track in session.tracks if track.number in missing}
    _check_what_moves(image, min(ends))
    notes = tuple(
        Note(
            code="short-padded",
            message=f"its {MIN_TRACK_SECTORS - gap} sectors were filled "
            f"{_WITH[image.disc.track(number).is_audio]} to {MIN_TRACK_SECTORS}",
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


def _check_what_moves(image: RegionImage, first_lba: int) -> None:
    """Refuse to move whole data sectors."""
    for region in image.main:
        last = region.lba + region.sectors
        if region.form not in _WHOLE or last <= first_lba:
            continue
        for track in image.disc.tracks:
            first = max(region.lba, track.first_lba, first_lba)
            if not track.is_audio and first < min(last, track.end_lba):
                raise UnsupportedError(
                    f"track {track.number} lies behind a short track and would move, but its whole "
                    "sectors tell their address; save it as user data (.iso) first, or leave the "
                    "short track out"
                )


def _padded_regions(regions: tuple[Region, ...], ends: dict[int, Track]) -> Iterator[Region]:
    """Yield the regions with sectors put in at each track's end, what follows moved back."""
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
                sectors = MIN_TRACK_SECTORS - ends[cut].sector_count
                if region.sector_type is None:
                    yield blank_like(ends[cut], cut + shift, sectors)
                else:
                    yield blank(cut + shift, sectors, region.sector_type)
                shift += sectors
            position = cut
