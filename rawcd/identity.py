"""Who a disc is: the ids under which catalogues know it, and the sums of its tracks.

```python
ids = identify(open_image("album.cue"))
ids.musicbrainz, ids.freedb, ids.accuraterip, ids.cuetools
ids.tracks[0].sums.v2
```

Each catalogue takes the table of contents in its own way:

* MusicBrainz ends a disc with its last audio track; where data follows, the lead-out is taken
  to be 11,400 sectors (lead-out, lead-in and pregap of a second session) before that data.
* FreeDB counts every track.
* AccurateRip and CUETools count audio tracks; AccurateRip takes the lead-out of the whole disc.

A disc without sound has a FreeDB id alone.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from rawcd.disc import FIRST_LEAD_OUT_SECTORS, LATER_LEAD_IN_SECTORS, MAX_TRACKS, PREGAP_SECTORS
from rawcd.msf import FRAMES_PER_SECOND, PROGRAM_LBA
from rawcd.progress import report
from rawcd.rules import check_digit, is_isrc

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rawcd.disc import Disc, Track
    from rawcd.image import DiscImage
    from rawcd.progress import Progress
    from rawcd.source import Bytes2D

SESSION_GAP_SECTORS: Final = FIRST_LEAD_OUT_SECTORS + LATER_LEAD_IN_SECTORS + PREGAP_SECTORS
"""From the end of the first session's sound to the data of the second: 11,400 sectors."""
_SECTOR_SAMPLES: Final = 588
_SKIPPED_SAMPLES: Final = 5 * _SECTOR_SAMPLES
"""What AccurateRip leaves out at both ends of a disc: drives with an offset cannot read it."""
_STEP: Final = 512
_CHUNK: Final = 16_384
"""Samples that are multiplied in one go: what they need stays in a core's own cache."""
_WORD: Final = 0xFFFF_FFFF
_ATTACH: Final = "https://musicbrainz.org/cdtoc/attach"
_SUMS: Final = "http://www.accuraterip.com/accuraterip"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackSums:
    """Sums over a track's samples, from its index 1 to that of the next track.

    Attributes:
        v1: AccurateRip's first sum.
        v2: AccurateRip's second sum.
        crc32: of all its bytes, as rippers log it.
    """

    v1: int
    v2: int
    crc32: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackIdentity:
    """An audio track.

    Attributes:
        number: its number on the disc.
        lba: its index 1.
        sectors: from there to where the next one's index 1 is, or its sound ends.
        isrc: its code, or None.
        isrc_valid: whether the code is formed as ISO 3901 wants it; None without one.
        sums: None where none were asked for.
    """

    number: int
    lba: int
    sectors: int
    isrc: str | None
    isrc_valid: bool | None
    sums: TrackSums | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscIds:
    """The names of a disc; None where it can have none.

    Attributes:
        toc: MusicBrainz' text of the table of contents: first and last track, lead-out, starts.
        musicbrainz: its disc id, 28 characters.
        musicbrainz_url: where that disc is looked up.
        freedb: FreeDB's and CDDB's id, eight hexadecimal digits.
        accuraterip: AccurateRip's three ids.
        accuraterip_url: the file of the disc's sums there.
        cuetools: CUETools' TOCID, 28 characters.
        mcn: the media catalogue number, or None.
        mcn_valid: whether its EAN-13 check digit is right; None without one.
        tracks: the audio tracks.
    """

    toc: str | None
    musicbrainz: str | None
    musicbrainz_url: str | None
    freedb: str
    accuraterip: str | None
    accuraterip_url: str | None
    cuetools: str | None
    mcn: str | None
    mcn_valid: bool | None
    tracks: tuple[TrackIdentity, ...]


def identify(
    image: DiscImage, *, checksums: bool = True, progress: Progress | None = None
) -> DiscIds:
    """Return the ids of a disc, and the sums of its audio tracks, read once.

    Args:
        image: the image.
        checksums: False reads no sound: `sums` are None.
        progress: told of the sectors of sound.

    Raises:
        StorageError: the sound cannot be read.
        CancelledError: `progress` said stop.
    """
    ids = disc_ids(image.disc)
    return replace(ids, tracks=tuple(_summed(image, ids.tracks, progress))) if checksums else ids


def disc_ids(disc: Disc) -> DiscIds:
    """Return the ids of a disc; nothing is read."""
    freedb = _freedb(disc)
    toc = musicbrainz = musicbrainz_url = accuraterip = accuraterip_url = cuetools = None
    spans = list(_spans(disc))
    if spans:
        audio = [track for track, _ in spans]
        places = _musicbrainz_toc(disc, audio[-1])
        toc, musicbrainz = " ".join(map(str, places)), _musicbrainz(places)
        query = f"id={musicbrainz}&tracks={places[1]}&toc={'+'.join(map(str, places))}"
        musicbrainz_url = f"{_ATTACH}?{query}"
        first, second = _accuraterip(audio, disc.sessions[-1].lead_out_lba)
        accuraterip = f"{first:08x}-{second:08x}-{freedb}"
        folders = "/".join(accuraterip[7:4:-1])
        accuraterip_url = f"{_SUMS}/{folders}/dBAR-{len(audio):03}-{accuraterip}.bin"
        cuetools = _cuetools(audio, spans[-1][1])
    return DiscIds(
        toc=toc,
        musicbrainz=musicbrainz,
        musicbrainz_url=musicbrainz_url,
        freedb=freedb,
        accuraterip=accuraterip,
        accuraterip_url=accuraterip_url,
        cuetools=cuetools,
        mcn=disc.mcn,
        mcn_valid=None if disc.mcn is None else disc.mcn[-1] == check_digit(disc.mcn),
        tracks=tuple(
            TrackIdentity(
                number=track.number,
                lba=track.start_lba,
                sectors=end - track.start_lba,
                isrc=track.isrc,
                isrc_valid=None if track.isrc is None else is_isrc(track.isrc),
            )
            for track, end in spans
        ),
    )


def _summed(
    image: DiscImage, tracks: Sequence[TrackIdentity], progress: Progress | None
) -> Iterator[TrackIdentity]:
    """Yield the tracks with their sums."""
    from rawcd.image import main_sectors

    total, done = sum(track.sectors for track in tracks), 0
    report(progress, 0, total)
    for track in tracks:
        summing = _Summing(track.sectors, first=track is tracks[0], last=track is tracks[-1])
        end = track.lba + track.sectors
        for lba in range(track.lba, end, _STEP):
            count = min(_STEP, end - lba)
            summing.add(main_sectors(image, lba, count, plain=False))
            done += count
            report(progress, done, total)
        yield replace(track, sums=summing.result())


def _offset(lba: int) -> int:
    return lba - PROGRAM_LBA


def _musicbrainz_toc(disc: Disc, last: Track) -> tuple[int, ...]:
    """Return first and last track, lead-out and starts, counted from 00:00:00."""
    tracks = [track for track in disc.tracks if track.number <= last.number]
    behind = [track for track in disc.tracks if track.number > last.number]
    lead_out = (
        behind[0].start_lba - SESSION_GAP_SECTORS if behind else disc.sessions[-1].lead_out_lba
    )
    return (
        tracks[0].number,
        last.number,
        _offset(lead_out),
        *(_offset(track.start_lba) for track in tracks),
    )


def _musicbrainz(toc: tuple[int, ...]) -> str:
    """Hash a table of contents: two numbers, then a hundred, those of missing tracks zero."""
    first, last, lead_out, *starts = toc
    slots = [lead_out, *([0] * MAX_TRACKS)]
    slots[first : last + 1] = starts
    # Where data comes right behind sound, the lead-out would lie before 00:00:00: as libdiscid
    # prints it, in 32 bits.
    text = f"{first:02X}{last:02X}" + "".join(f"{slot & _WORD:08X}" for slot in slots)
    return _short_hash(text)


def _short_hash(text: str) -> str:
    digest = hashlib.sha1(text.encode("ascii"), usedforsecurity=False).digest()
    return base64.b64encode(digest, altchars=b"._").decode("ascii").replace("=", "-")


def _freedb(disc: Disc) -> str:
    starts = [_offset(track.start_lba) // FRAMES_PER_SECOND for track in disc.tracks]
    digits = sum(int(digit) for start in starts for digit in str(start))
    seconds = _offset(disc.sessions[-1].lead_out_lba) // FRAMES_PER_SECOND - starts[0]
    return f"{digits % 255:02x}{seconds & 0xFFFF:04x}{len(starts):02x}"


def _accuraterip(audio: list[Track], lead_out: int) -> tuple[int, int]:
    places = [*(track.start_lba for track in audio), lead_out]
    second = sum(max(place, 1) * number for number, place in enumerate(places, 1))
    return sum(places) & _WORD, second & _WORD


def _cuetools(audio: list[Track], end: int) -> str:
    start = audio[0].start_lba
    places = [*(track.start_lba - start for track in audio[1:]), end - start]
    text = "".join(f"{place & _WORD:08X}" for place in places)
    return _short_hash(text + "0" * 8 * (MAX_TRACKS + 1 - len(audio)))


def _spans(disc: Disc) -> Iterator[tuple[Track, int]]:
    """Yield each audio track, and one past the last sector that counts as its own.

    A pregap counts to the track before it, as players play it; that of a data track, which
    begins in the old mode, does not.
    """
    for session in disc.sessions:
        for place, track in enumerate(session.tracks):
            if not track.is_audio:
                continue
            behind = session.tracks[place + 1 : place + 2]
            joined = behind and behind[0].is_audio
            yield track, behind[0].start_lba if joined else track.end_lba


class _Summing:
    """Adds up a track's samples, stretch by stretch."""

    def __init__(self, sectors: int, *, first: bool, last: bool) -> None:
        import numpy as np

        samples = sectors * _SECTOR_SAMPLES
        # Samples count from 1; of the first five sectors the very last one is heard.
        self._from = _SKIPPED_SAMPLES if first else 1
        self._to = samples - _SKIPPED_SAMPLES if last else samples
        self._position = 1
        self._v1 = self._high = self._crc = 0
        self._numbers = np.arange(_CHUNK, dtype=np.uint64)
        self._products = np.empty(_CHUNK, np.uint64)

    def add(self, sectors: Bytes2D) -> None:
        """Take the sectors that follow, (n, 2352)."""
        import zlib

        import numpy as np

        data = np.ascontiguousarray(sectors).reshape(-1)
        self._crc = zlib.crc32(data.data, self._crc)
        samples = data.view("<u4")
        lo = max(self._from - self._position, 0)
        hi = max(min(self._to + 1 - self._position, len(samples)), lo)
        for at in range(lo, hi, _CHUNK):
            heard = samples[at : min(at + _CHUNK, hi)]
            products = self._products[: len(heard)]
            np.add(self._numbers[: len(heard)], np.uint64(self._position + at), out=products)
            # Below 2**28 samples in the longest track: no product passes 64 bits, and a sum that
            # does is cut down to 32 anyway.
            np.multiply(products, heard, out=products)
            self._v1 = self._v1 + int(products.sum()) & _WORD
            np.right_shift(products, np.uint64(32), out=products)
            self._high = self._high + int(products.sum()) & _WORD
        self._position += len(samples)

    def result(self) -> TrackSums:
        """Return the sums of what was taken."""
        return TrackSums(v1=self._v1, v2=self._v1 + self._high & _WORD, crc32=self._crc)
