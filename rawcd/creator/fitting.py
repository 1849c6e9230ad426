"""Whether a track may follow the tracks that are there, and its pregap lead it in."""

from __future__ import annotations

from typing import TYPE_CHECKING, SupportsIndex

from rawcd.creator.material import SoundInput, take
from rawcd.creator.refusals import refusal, whole_number
from rawcd.disc import MODE_CHANGE_PREGAP_SECTORS, TrackMode
from rawcd.rules import MAX_LEAD_OUT_LBA, mixed_modes_message, mode_change_message
from rawcd.sector import SectorType

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rawcd.creator.layout import StagedTrack
    from rawcd.creator.material import Material


def sector_type_of(value: SectorType | int) -> SectorType:
    """Return a sector type.

    Raises:
        AuthoringError: it is none (E_INVALIDARG).
    """
    try:
        return SectorType(value)
    except ValueError:
        raise refusal("argument", f"{value!r} is no sector type") from None


def require_fitting_type(
    kind: SectorType,
    before: Sequence[StagedTrack],
    *,
    strict: bool,
    special_pregap: bool,
    starting_number: int,
) -> None:
    """Refuse a track that does not go with those that are there.

    Audio and data go together; data tracks of one session are of one mode, since point A0 names
    one kind for all of it. Under `strict` there is audio alone (IMAPI: AddTrack,
    IMAPI_CD_SECTOR_TYPE).

    Raises:
        AuthoringError: it does not (SECTOR_TYPE_NOT_SUPPORTED).
    """
    if kind is SectorType.AUDIO:
        return
    if strict:
        raise refusal("sector-type", f"IMAPI takes audio alone, not {kind.name} (strict=True)")
    for other in before:
        if other.sector_type is not SectorType.AUDIO and other.sector_type.mode != kind.mode:
            raise refusal(
                "sector-type",
                f"a track of type {kind.name} cannot follow one of type {other.sector_type.name}: "
                + mixed_modes_message(
                    TrackMode(kind.mode or 0), TrackMode(other.sector_type.mode or 0)
                ),
            )
    if not before and special_pregap:
        raise refusal(
            "sector-type", f"with a special pregap the first track is audio, not {kind.name}"
        )
    if not before and starting_number != 1:
        raise refusal(
            "sector-type",
            f"numbers that begin with {starting_number} are for audio tracks, not {kind.name}",
        )


def taken_pregap(
    pregap: int | SoundInput,
    kind: SectorType,
    what: str,
    before: StagedTrack | None,
    *,
    strict: bool,
) -> int | Material | None:
    """Return the pregap that was given to a track, in sectors or as sound.

    Args:
        pregap: what was given; None leaves it open.
        kind: the track's type.
        what: the track, for messages.
        before: the track before it, if it is not the session's first.
        strict: IMAPI knows no pregap of a track.

    Raises:
        AuthoringError: it is none, sound before data, or too short for a change of mode
            (E_INVALIDARG).
        FormatError: the file is no sound.
        StorageError: the file cannot be read.
    """
    if pregap is None:
        return None
    if strict:
        raise refusal("argument", f"{what}: IMAPI knows no pregap of a track (strict=True)")
    is_data = kind is not SectorType.AUDIO
    if isinstance(pregap, SupportsIndex) and not getattr(pregap, "ndim", 0):  # no array
        sectors = whole_number(pregap, f"the pregap of {what}", 0, MAX_LEAD_OUT_LBA)
        changes = before is not None and before.sector_type.mode != kind.mode
        if is_data and changes and sectors < MODE_CHANGE_PREGAP_SECTORS:
            raise refusal("mode-change-pregap", f"{what}: {mode_change_message(sectors)}")
        return sectors
    if is_data:
        raise refusal("argument", f"{what}: sound cannot be the pregap of {kind.name}")
    return take(pregap, what=f"the pregap of {what}", strict=False)


def taken_postgap(postgap: int | None, kind: SectorType, what: str) -> int | None:
    """Return the postgap that was given to a data track, in sectors.

    Raises:
        AuthoringError: it is none, or the track is audio (E_INVALIDARG).
    """
    if postgap is None:
        return None
    if kind is SectorType.AUDIO:
        raise refusal("argument", f"{what}: a postgap is for data tracks, and this one is audio")
    return whole_number(postgap, f"the postgap of {what}", 0, MAX_LEAD_OUT_LBA)
