"""Where staged tracks lie: index 0, index 1 and end of each, for either gap switch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from rawcd.disc import PREGAP_SECTORS, CopySetting
from rawcd.msf import PROGRAM_LBA
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
        offsets: index positions, sectors from index 1, rising from 0.
        isrc: 12 characters, or None.
        copy: the copy bit.
        pre_emphasis: the pre-emphasis bit.
    """

    material: Material
    sector_type: SectorType = SectorType.AUDIO
    subheader: bytes | None = None
    scrambled: bool | None = None
    relocate: bool = False
    sectors: int
    pregap: int | Material | None = None
    offsets: list[int] = field(default_factory=lambda: [0])
    isrc: str | None = None
    copy: CopySetting = CopySetting.PROHIBITED
    pre_emphasis: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """Where a track lies.

    Attributes:
        index0_lba: None when it has no pregap.
        start_lba: index 1.
        data_end_lba: one past its own sound, which the next pregap may overlap.
    """

    index0_lba: int | None
    start_lba: int
    data_end_lba: int


def pregap_sectors(pregap: int | Material) -> int:
    """Return the length of a pregap that was given."""
    return pregap if isinstance(pregap, int) else pregap.sectors


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


def place(tracks: Sequence[StagedTrack], *, first_pregap: int, gapless: bool) -> tuple[Placed, ...]:
    """Return where each track lies.

    Args:
        tracks: the tracks in order.
        first_pregap: sectors from LBA -150 to index 1 of the first track.
        gapless: a pregap left open lies in the sound before it; else it is two silent seconds.
    """
    placed: list[Placed] = []
    end = PROGRAM_LBA
    before: StagedTrack | None = None
    for track in tracks:
        index0: int | None = end
        start = end
        if before is None:
            start = end + first_pregap
        elif track.pregap is not None:
            start = end + pregap_sectors(track.pregap)
        elif gapless:
            index0 = end - shared_pregap(before)
        else:
            start = end + PREGAP_SECTORS
        placed.append(
            Placed(
                index0_lba=index0 if index0 != start else None,
                start_lba=start,
                data_end_lba=start + track.sectors,
            )
        )
        end = start + track.sectors
        before = track
    return tuple(placed)
