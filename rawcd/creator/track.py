"""One staged track (IMAPI: IRawCDImageTrackInfo)."""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import TYPE_CHECKING

from rawcd.creator.layout import MIN_INDEX_SECTORS
from rawcd.creator.refusals import refusal, text, truth, whole_number
from rawcd.disc import MAX_INDEX, CopySetting
from rawcd.rules import is_isrc
from rawcd.sector import SectorType

if TYPE_CHECKING:
    from rawcd.creator.creator import RawCDImageCreator
    from rawcd.creator.layout import StagedTrack


class TrackInfo:
    """A track of a `RawCDImageCreator`, got from its `track_info` (IRawCDImageTrackInfo).

    Everything can be read at any time and put until the image is made.
    """

    __slots__ = ("_creator", "_place", "_track")

    def __init__(self, creator: RawCDImageCreator, track: StagedTrack, place: int) -> None:
        self._creator = creator
        self._track = track
        self._place = place

    def __repr__(self) -> str:
        return (
            f"<TrackInfo {self.track_number}: LBA {self.starting_lba}, {self.sector_count} sectors>"
        )

    @property
    def starting_lba(self) -> int:
        """LBA of index 1 (StartingLba)."""
        return self._creator._placed()[self._place].start_lba

    @property
    def sector_count(self) -> int:
        """Sectors from index 1 to the next track's index 0, or to the lead-out (SectorCount).

        It shrinks by the pregap that lies in its sound when a track follows gaplessly; a postgap
        is not counted.
        """
        placed = self._creator._placed()
        end = placed[self._place].data_end_lba
        if self._place + 1 < len(placed):
            end = min(end, placed[self._place + 1].first_lba)
        return end - self.starting_lba

    @property
    def track_number(self) -> int:
        """The number on the disc, 1..99 (TrackNumber)."""
        return self._creator.starting_track_number + self._place

    @property
    def sector_type(self) -> SectorType:
        """What the track was added as (SectorType)."""
        return self._track.sector_type

    def _require_audio(self, what: str) -> None:
        self._creator._require_writable()
        if self._track.sector_type is not SectorType.AUDIO:
            raise refusal(
                "audio-only",
                f"{what} is for audio tracks; track {self.track_number} is "
                f"{self._track.sector_type.name}",
            )

    @property
    def isrc(self) -> str:
        """The recording code with dashes, `"US-K7Y-98-12345"`; "" when there is none (ISRC).

        Put it with or without dashes, or "" to clear it.

        Raises:
            AuthoringError: it is none, or the track is no audio (E_INVALIDARG), or the image has
                been made.
        """
        code = self._track.isrc
        return "" if code is None else f"{code[:2]}-{code[2:5]}-{code[5:7]}-{code[7:]}"

    @isrc.setter
    def isrc(self, code: str | None) -> None:
        self._require_audio("an ISRC")
        given = text(code, "an ISRC")
        plain = given.replace("-", "").upper()
        if given and not (given.isascii() and is_isrc(plain)):
            raise refusal(
                "isrc",
                f"{code!r} is no ISRC: it has {len(plain)} characters without dashes and must "
                "have 12: two letters, three letters or digits, seven digits",
            )
        self._track.isrc = plain or None

    @property
    def digital_audio_copy_setting(self) -> CopySetting:
        """The copy bit in Q and TOC (DigitalAudioCopySetting).

        IMAPI documents no default; ours is PROHIBITED, as sheets without DCP and the common
        writers have it.

        Raises:
            AuthoringError: the value is none of 0, 1, 2, or the track is no audio
                (E_INVALIDARG), or the image has been made.
        """
        return self._track.copy

    @digital_audio_copy_setting.setter
    def digital_audio_copy_setting(self, setting: CopySetting | int) -> None:
        self._require_audio("a copy setting")
        try:
            self._track.copy = CopySetting(setting)
        except ValueError:
            raise refusal(
                "argument", f"{setting!r} is no copy setting; there are 0, 1 and 2"
            ) from None

    @property
    def audio_has_preemphasis(self) -> bool:
        """Whether the samples carry pre-emphasis; nothing is filtered (AudioHasPreemphasis).

        The default is False.

        Raises:
            AuthoringError: it is neither true nor false, or the track is no audio (E_INVALIDARG),
                or the image has been made.
        """
        return self._track.pre_emphasis

    @audio_has_preemphasis.setter
    def audio_has_preemphasis(self, value: bool) -> None:
        self._require_audio("pre-emphasis")
        self._track.pre_emphasis = truth(value, "audio_has_preemphasis")

    @property
    def has_four_channels(self) -> bool:
        """Whether CONTROL tells four channels instead of two (bit 3); ours, IMAPI has none.

        The samples stay as they are; the default is False.

        Raises:
            AuthoringError: it is neither true nor false, or the track is no audio (E_INVALIDARG),
                or the image has been made.
        """
        return self._track.four_channel

    @has_four_channels.setter
    def has_four_channels(self, value: bool) -> None:
        self._require_audio("the four-channel flag")
        self._track.four_channel = truth(value, "has_four_channels")

    @property
    def track_indexes(self) -> tuple[int, ...]:
        """Offsets of the indexes from index 1, in sectors, rising from 0 (TrackIndexes).

        The n-th is index n. (IMAPI's page speaks of an index of tracks; its header is right.)
        """
        return tuple(self._track.offsets)

    def add_track_index(self, lba_offset: int) -> bool:
        """Add an index (AddTrackIndex).

        Args:
            lba_offset: sectors from index 1. Every index spans at least ten sectors: ten from
                both neighbours and from the end of the track's own sound.

        Returns:
            False when there is one already (S_..._TRACK_INDEX_ALREADY_EXISTS, a success).

        Raises:
            AuthoringError: it is outside the track (E_INVALIDARG), too close to another index
                or to the end (TOO_CLOSE), the hundredth (TOO_MANY_TRACK_INDEXES), or the image
                has been made.
        """
        self._creator._require_writable()
        offsets, sectors = self._track.offsets, self._track.sectors
        lba_offset = whole_number(
            lba_offset, f"an index of track {self.track_number}", 0, sectors - 1
        )
        if lba_offset in offsets:
            return False
        if len(offsets) >= MAX_INDEX:
            raise refusal(
                "too-many-indexes", f"track {self.track_number} has {MAX_INDEX} indexes already"
            )
        position = bisect_left(offsets, lba_offset)
        after = offsets[position] if position < len(offsets) else sectors
        least = min(lba_offset - offsets[position - 1], after - lba_offset)
        if least < MIN_INDEX_SECTORS:
            raise refusal(
                "index-too-close",
                f"an index at sector {lba_offset} of track {self.track_number} is {least} sectors "
                f"from the next border; every index spans at least {MIN_INDEX_SECTORS}",
            )
        insort(offsets, lba_offset)
        return True

    def clear_track_index(self, lba_offset: int) -> None:
        """Remove the index at an offset (ClearTrackIndex).

        Args:
            lba_offset: sectors from index 1.

        Raises:
            AuthoringError: there is none (TRACK_INDEX_NOT_FOUND), it is index 1
                (OFFSET_ZERO_CANNOT_BE_CLEARED), or the image has been made.
        """
        self._creator._require_writable()
        if lba_offset not in self._track.offsets:
            raise refusal(
                "index-not-found",
                f"track {self.track_number} has no index at sector {lba_offset}; "
                f"it has {', '.join(map(str, self._track.offsets))}",
            )
        if lba_offset == 0:
            raise refusal("index-1-is-permanent", "index 1, at sector 0, cannot be cleared")
        self._track.offsets.remove(lba_offset)
