"""What is known of a sound before its first sample is read; imports no library."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rawcd.source import FileBytes, PcmSound

if TYPE_CHECKING:
    from rawcd.source import Reader

CD_RATE: Final = 44_100
"""Stereo samples in a second on a disc (Red Book, IEC 60908)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """Something done to a sound, or overlooked in its file; it can be read all the same.

    Attributes:
        code: stable: `resampled`, `dithered`, `mono-to-stereo`, `streamed-wav-length`,
            `partial-sample-dropped`, `no-end-of-stream`.
        message: one sentence for people, without the file's name.
    """

    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundFacts:
    """What the file holds, before anything is done to it.

    Attributes:
        container: `WAV`, `RF64`, `AIFF`, `FLAC`, `OGG`, `MP3`, ... as libsndfile names them;
            `RAW` for samples without a header.
        encoding: `PCM_16`, `PCM_24`, `FLOAT`, `VORBIS`, `OPUS`, ... likewise.
        rate: frames in a second.
        channels: 1 or 2.
        frame_count: frames in all, at that rate.
        exact: each 16-bit sample goes to the disc bit for bit (a mono one twice).
    """

    container: str
    encoding: str
    rate: int
    channels: int
    frame_count: int
    exact: bool


class PlainSound(PcmSound):
    """Samples that stand in the file as a disc has them: no decoder, no copy.

    Attributes:
        facts: what the file holds.
        remarks: what was overlooked.
    """

    def __init__(
        self,
        reader: Reader,
        *,
        container: str,
        offset: int,
        sample_count: int,
        big_endian: bool,
        remarks: tuple[Remark, ...] = (),
    ) -> None:
        super().__init__(reader, offset=offset, sample_count=sample_count, big_endian=big_endian)
        self.facts = SoundFacts(
            container=container,
            encoding="PCM_16",
            rate=CD_RATE,
            channels=2,
            frame_count=sample_count,
            exact=True,
        )
        self.remarks = remarks


def fresh(reader: Reader) -> Reader:
    """Return a reader of the same bytes that closes its file when it is dropped.

    A `FileBytes` keeps its file open from the first read on; one that is only measured, or read
    through a decoder that comes and goes, shall not.

    Raises:
        StorageError: the file is not the one that was measured.
    """
    if isinstance(reader, FileBytes):
        reader.check_unchanged()
        return copy.copy(reader)  # its description, as another process would get it
    return reader
