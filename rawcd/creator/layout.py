"""Where staged tracks lie: index 0, index 1 and end of each, for either gap switch."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import zip_longest
from typing import TYPE_CHECKING, Final

from rawcd.disc import (
    MODE_CHANGE_PREGAP_SECTORS,
    POSTGAP_SECTORS,
    PREGAP_SECTORS,
    CopySetting,
)
from rawcd.rules import MIN_TRACK_SECTORS
from rawcd.sector import SectorType

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rawcd.creator.material import Material

MIN_INDEX_SECTORS: Final = 10
"""Every index spans at least ten sectors (IMAPI: IRawCDImageTrackInfo.AddTrackIndex)."""


@dataclass(slots=True, kw_only=True)
class StagedTrack:
    """A track as the creator keeps it.

    Attributes:
        material: its sound or data.
        sector_type: what the material's blocks hold.
        subheader: of XA blocks that bring none; None is the kind's default.
        scrambled: whether whole data sectors are; None finds out when the image is made.
        relocate: whether whole data sectors of other addresses are given those of their place.
        sectors: its length; more than the material's where a short track was padded.
        pregap: None leaves it to the gap switch; else sectors of silence, or sound.
        postgap: sectors of zero user data behind a data track; None where a track of another
            mode follows two seconds, else none.
        offsets: index positions, sectors from index 1, rising from 0.
        isrc: 12 characters, or None.
        copy: the copy bit.
        pre_emphasis: the pre-emphasis bit.
        four_channel: the bit that tells four channels.
    """

    material: Material
    sector_type: SectorType = SectorType.AUDIO
    subheader: bytes | None = None
    scrambled: bool | None = None
    relocate: bool = False
    sectors: int
    pregap: int | Material | None = None
    postgap: int | None = None
    offsets: list[int] = field(default_factory=lambda: [0])
    isrc: str | None = None
    copy: CopySetting = CopySetting.PROHIBITED
    pre_emphasis: bool = False
    four_channel: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """Where a track lies.

    Attributes:
        index0_lba: None when it has no pregap.
        start_lba: index 1.
        data_end_lba: one past its own sound, which the next pregap may overlap.
        end_lba: one past its postgap.
    """

    index0_lba: int | None
    start_lba: int
    data_end_lba: int
    end_lba: int

    @property
    def first_lba(self) -> int:
        """Index 0 if there is one, else index 1."""
        return self.start_lba if self.index0_lba is None else self.index0_lba


def pregap_sectors(pregap: int | Material) -> int:
    """Return the length of a pregap that was given."""
    return pregap if isinstance(pregap, int) else pregap.sectors


def changes_mode(before: StagedTrack, track: StagedTrack) -> bool:
    """Tell whether two tracks are of different modes, audio being one."""
    return before.sector_type.mode != track.sector_type.mode


def _postgap(track: StagedTrack, after: StagedTrack | None) -> int:
    if track.postgap is not None:
        return track.postgap
    is_data = track.sector_type is not SectorType.AUDIO
    return POSTGAP_SECTORS if is_data and after and changes_mode(track, after) else 0


def _own_pregap(before: StagedTrack, track: StagedTrack, *, gapless: bool) -> int:
    """Return the sectors that are inserted before index 1 of a track that is not the first.

    Three seconds before a data track behind one of another mode, in which the mode changes
    (ECMA-130 20.1), two before sound behind data.
    """
    if track.pregap is not None:
        return pregap_sectors(track.pregap)
    if changes_mode(before, track):
        audio = track.sector_type is SectorType.AUDIO
        return PREGAP_SECTORS if audio else MODE_CHANGE_PREGAP_SECTORS
    return 0 if gapless else PREGAP_SECTORS


def shared_pregap(track: StagedTrack) -> int:
    """Return how much of a track's sound is its successor's pregap in gapless recording.

    Two seconds, less where the track would fall below its least length, or its last index
    below its own. Data is never shared: a file system must not end in another track's pregap.
    """
    if track.sector_type is not SectorType.AUDIO:
        return 0
    return max(
        0,
        min(
            PREGAP_SECTORS,
            track.sectors - MIN_TRACK_SECTORS,
            track.sectors - MIN_INDEX_SECTORS - track.offsets[-1],
        ),
    )


def place(
    tracks: Sequence[StagedTrack], *, program_lba: int, first_pregap: int, gapless: bool
) -> tuple[Placed, ...]:
    """Return where each track lies.

    Args:
        tracks: the tracks in order.
        program_lba: where the session's program area begins.
        first_pregap: sectors from there to index 1 of the first track.
        gapless: a pregap left open lies in the sound before it; else it is two silent seconds.
    """
    placed: list[Placed] = []
    end = program_lba
    before: StagedTrack | None = None
    for track, after in zip_longest(tracks, tracks[1:]):
        index0 = end
        if before is None:
            start = end + first_pregap
        else:
            start = end + _own_pregap(before, track, gapless=gapless)
            if gapless and track.pregap is None and not changes_mode(before, track):
                index0 = end - shared_pregap(before)
        data_end = start + track.sectors
        end = data_end + _postgap(track, after)
        placed.append(
            Placed(
                index0_lba=index0 if index0 != start else None,
                start_lba=start,
                data_end_lba=data_end,
                end_lba=end,
            )
        )
        before = track
    return tuple(placed)
