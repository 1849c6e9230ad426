"""Sound on a disc, track after track (IRedbookDiscMaster)."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from rawcd.creator.material import take
from rawcd.hresults import HResult
from rawcd.mastering.drive import RUN_OUT_BLOCKS
from rawcd.mastering.events import DiscMasterProgressEvents
from rawcd.mastering.refusals import refusal, source_codes
from rawcd.mastering.states import Call, State
from rawcd.source import SECTOR_BYTES

if TYPE_CHECKING:
    from rawcd.mastering.job import Job

_log = logging.getLogger(__name__)

MAX_TRACKS: Final = 99
LEAST_BLOCKS: Final = 300
"""A track is four seconds long at least (Red Book)."""
_STEP: Final = 256
"""Blocks between two questions whether to go on."""


@dataclass(slots=True, kw_only=True)
class StagedTrack:
    """A track in the stash.

    Attributes:
        offset: its first byte there.
        blocks: how long it is.
    """

    offset: int
    blocks: int = 0


@dataclass(slots=True)
class AudioImage:
    """The tracks that are staged, in order; the last may still be open."""

    tracks: list[StagedTrack] = field(default_factory=list)

    @property
    def blocks(self) -> int:
        """Blocks of all tracks."""
        return sum(track.blocks for track in self.tracks)

    def span(self, gap: int) -> int:
        """Return how many blocks of a disc the tracks take, from the first to the last.

        Args:
            gap: silence between two tracks.
        """
        return self.blocks + max(0, len(self.tracks) - 1) * (gap + RUN_OUT_BLOCKS)

    def room(self, total: int, gap: int, *, track_open: bool) -> int:
        """Return how many blocks more the open track can take, or a new one with none open.

        Args:
            total: blocks of the disc.
            gap: silence between two tracks.
            track_open: the last track is open.
        """
        count = len(self.tracks) + (not track_open)
        return max(0, total - self.blocks - (count - 1) * gap - count * RUN_OUT_BLOCKS)


class RedbookDiscMaster:
    """Stages sound for the job whose active format is Redbook.

    Tracks are written track at once with gaps of AudioGapSize between them; one is open at a time,
    and a closed one cannot be removed. What is added is copied into the stash at once, so the
    files it came from may go. Every method may raise `MasteringError` with NOTOPENED,
    NOACTIVEFORMAT and WRONGFORMAT (Joliet is active) beside the codes that it names.

    ```python
    audio.create_audio_track(20_000)  # blocks; only advice
    audio.add_audio_track_blocks(samples)  # as often as wanted, 2,352 bytes a block
    audio.close_audio_track()
    ```
    """

    def __init__(self, job: Job, image: AudioImage) -> None:
        self._job = job
        self._image = image

    def get_total_audio_tracks(self) -> int:
        """Return how many tracks there are, the open one included."""
        with self._job.call(Call.AUDIO_TRACKS):
            return len(self._image.tracks)

    def get_total_audio_blocks(self) -> int:
        """Return what the disc holds, or the stash if that is less, blocks for gaps included.

        Raises:
            MasteringError: NOACTIVERECORDER (no page says so; nobody else knows).
        """
        with self._job.call(Call.AUDIO_TOTAL):
            return self._total

    def get_used_audio_blocks(self) -> int:
        """Return how many blocks the closed tracks and the open one have, without gaps."""
        with self._job.call(Call.AUDIO_USED):
            return self._image.blocks

    def get_available_audio_track_blocks(self) -> int:
        """Return how many more blocks the open track can take; with none open, a new one.

        The gap before it, and the two blocks that the engine adds to each track, are allowed for.

        Raises:
            MasteringError: NOACTIVERECORDER (no page says so; nobody else knows).
        """
        with self._job.call(Call.AUDIO_AVAILABLE):
            return self._available

    def get_audio_block_size(self) -> int:
        """Return 2,352: a block is a sector."""
        with self._job.call(Call.AUDIO_BLOCK_SIZE):
            return SECTOR_BYTES

    def create_audio_track(self, blocks: int = 0) -> None:
        """Open a track.

        Args:
            blocks: how long it will be; only advice, as IMAPI says.

        Raises:
            MasteringError: TRACKOPEN; NOACTIVERECORDER; E_INVALIDARG: the advice is no number;
                DISCFULL when there are 99 tracks or no room for the shortest (no page names a code
                for either); the stash's codes where its volume has become full.
        """
        with self._job.call(Call.CREATE_TRACK):
            told: object = blocks  # a script may pass anything
            if not isinstance(told, int):
                raise refusal(
                    HResult.E_INVALIDARG, f"create_audio_track: {told!r} is no number of blocks"
                )
            image = self._image
            if len(image.tracks) >= MAX_TRACKS:
                raise refusal(HResult.IMAPI_E_DISCFULL, f"the image has {MAX_TRACKS} tracks")
            if self._available < LEAST_BLOCKS:
                raise refusal(
                    HResult.IMAPI_E_DISCFULL,
                    f"there is room for {self._available} blocks more, and a track has "
                    f"{LEAST_BLOCKS} at least",
                )
            self._job.reserve(SECTOR_BYTES)
            image.tracks.append(StagedTrack(offset=self._job.stash.used))

    def add_audio_track_blocks(self, data: Any) -> None:
        """Add sound to the open track; it is copied into the stash.

        Args:
            data: samples as WAV has them, 44.1 kHz, 16 bits, stereo, without a header, in whole
                blocks of 2,352 bytes. Ours: the path of a sound file, whose end is filled with
                silence; an array, a binary file object of samples, a `Source` of blocks.

        Raises:
            MasteringError: TRACKNOTOPEN; E_INVALIDARG (no whole blocks); USERABORT (`query_cancel`
                said so; nothing of this call is kept); DISCFULL: as much as fits is kept.
        """
        what = "add_audio_track_blocks"
        with self._job.staging(Call.ADD_BLOCKS):
            with source_codes(what):
                strict = not isinstance(data, str | os.PathLike)
                material = take(data, what="the sound", strict=strict)
            for note in material.notes:
                _log.warning("%s: %s: %s", what, note.file, note.message)
            source = material.source
            fits = min(source.block_count, self._available)
            track, stash, listeners = self._image.tracks[-1], self._job.stash, self._job.listeners
            start, held = stash.used, track.blocks
            listeners.begin()
            try:
                done = 0
                listeners.tell(DiscMasterProgressEvents.notify_add_progress, 0, fits)
                while done < fits:
                    listeners.check_cancelled()
                    count = min(_STEP, fits - done)
                    with source_codes(what):
                        piece = source.read(done, count)
                    stash.append(piece)
                    done += count
                    track.blocks += count
                    listeners.tell(DiscMasterProgressEvents.notify_add_progress, done, fits)
                listeners.check_cancelled()
                stash.note_used()
            except BaseException:
                stash.cut(start)
                track.blocks = held
                raise
            if fits < source.block_count:
                raise refusal(
                    HResult.IMAPI_E_DISCFULL,
                    f"the track took {fits} of {source.block_count} blocks; the disc is full",
                )

    def close_audio_track(self) -> None:
        """Close the open track; all must be closed before `record_disc`.

        Raises:
            MasteringError: TRACKNOTOPEN; TRACK_NOT_BIG_ENOUGH: it is shorter than four seconds,
                and stays open.
        """
        with self._job.call(Call.CLOSE_TRACK):
            blocks = self._image.tracks[-1].blocks
            if blocks < LEAST_BLOCKS:
                raise refusal(
                    HResult.IMAPI_E_TRACK_NOT_BIG_ENOUGH,
                    f"the track has {blocks} blocks, and needs {LEAST_BLOCKS} (four seconds); "
                    "add silence",
                )

    @property
    def _total(self) -> int:
        return min(self._disc_blocks, self._stash_blocks)

    @property
    def _disc_blocks(self) -> int:
        return self._job.ground.sectors + RUN_OUT_BLOCKS

    @property
    def _stash_blocks(self) -> int:
        return self._job.stash.room // SECTOR_BYTES

    @property
    def _available(self) -> int:
        image, gap = self._image, self._job.recorder.drive.gap_blocks
        track_open = self._job.machine.at is State.TRACK_OPEN
        on_disc = image.room(self._disc_blocks, gap, track_open=track_open)
        return max(0, min(on_disc, self._stash_blocks - image.blocks))
