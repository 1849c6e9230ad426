"""What a disc should hold after a burn, as far as the way of writing it carries it.

Of a raw burn every bit of subcode is the host's. Session at once and track at once leave P and Q
to the drive, whose choices differ where the standards leave them open: where it puts catalogue
numbers and ISRCs, whether a pregap counts down to 0 or 1, at which sector SCMS changes its bit.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

from rawcd.disc import CopySetting, Disc
from rawcd.image import ImageType, RegionImage
from rawcd.msf import linear_frames
from rawcd.pq import ProgramChannels
from rawcd.source import SECTOR_BYTES, check_range
from rawcd.subcode.frame import Q_BYTES, pack_isrc, pack_mcn
from rawcd.subcode.rows import (
    ABSOLUTE,
    OFFSETS,
    PQ16_BYTES,
    PW96_BYTES,
    RELATIVE,
    RW_BITS,
    crc_holds,
    msf_bcd,
    pq_of_pq16,
    pq_of_pw96,
    pw96_of,
)
from rawcd.subcode.streams import InterleavedPacks
from rawcd.subcode.style import STYLES
from rawcd_writers.drive import qfields

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

    from rawcd.disc import Track
    from rawcd.image import DiscImage
    from rawcd.source import Bytes2D, Source
    from rawcd.subcode.rows import Flags

    Numbers = npt.NDArray[np.int64]

_INDEX: Final = OFFSETS["index"]
_COPY_BIT: Final = np.uint8(0x20)
_PQ_BITS: Final = np.uint8(0xFF - RW_BITS)
_P_BIT: Final = np.uint8(0x80)
_TELLING_SECTORS: Final = 100
"""Sectors of which one at least tells the catalogue number, or the ISRC (IEC 60908 17.5.2)."""

Unlike = dict[str, "Flags"]
"""By a field's name, in which sectors it differs."""


class Subcode(Protocol):
    """What the subcode of a disc should be."""

    def unlike(self, lba: int, sub: Bytes2D) -> tuple[Unlike, Bytes2D]:
        """Return which fields differ in subcode (n, 16) or (n, 96), and what it should be.

        The second is (n, 12) or (n, 96): what `told` is given with the field's name.
        """
        ...

    def faults(self) -> Iterator[str]:
        """Yield what is wrong with the whole of what was looked at."""
        ...


def frames_of(sub: Bytes2D) -> Bytes2D:
    """Return the Q frames (n, 12) of subcode that was read; those of 16 bytes may have no CRC."""
    if sub.shape[1] == PQ16_BYTES:
        return np.ascontiguousarray(sub[:, :Q_BYTES])
    return pq_of_pw96(sub)[0]


def told(name: str, read: Bytes2D, wanted: Bytes2D) -> tuple[str, str, str]:
    """Return a field in words, what it is, and what it should be.

    Args:
        name: the field.
        read: a sector's subcode, (1, 16) or (1, 96).
        wanted: what it should be, (1, 12) or (1, 96).
    """
    if name == "P":
        return name, _channel_p(read), _channel_p(wanted)
    if name == "R-W":
        unlike = (read ^ wanted) & np.uint8(RW_BITS) != 0
        place, more = int(unlike[0].argmax()), int(unlike.sum()) - 1
        where = f"R-W symbol {place}" + (f" (and {more} more)" if more else "")
        there, right = (f"{int(sub[0, place]) & RW_BITS:02X}" for sub in (read, wanted))
        return where, there, right
    frames = (sub if sub.shape[1] == Q_BYTES else frames_of(sub) for sub in (read, wanted))
    there, right = (qfields.shown(name, frame[0]) for frame in frames)
    return f"Q {name}", there, right


def _channel_p(sub: Bytes2D) -> str:
    """Return P as a bit, or as twelve bytes where it changes inside of the sector."""
    bits = np.packbits(sub & _P_BIT, axis=1).tobytes()
    return {bytes(12): "0", b"\xff" * 12: "1"}.get(bits, bits.hex())


class SentSubcode:
    """Subcode that the host sent whole: that of a raw burn.

    Args:
        image: what was burned.
        kind: the form in which its subcode was sent; packs were interleaved by the drive.
    """

    def __init__(self, image: DiscImage, kind: ImageType) -> None:
        self._image = image.as_kind(kind) if isinstance(image, RegionImage) else image
        self._kind = kind
        self._rw: Source | None = None
        if kind is ImageType.COOKED:
            first = image.first_lba
            area = (first, first + image.sector_count)
            self._rw = InterleavedPacks(SentPacks(self._image, (area,)))

    def rows(self, lba: int, count: int) -> Bytes2D:
        """Return the subcode (n, 96) that should be on the disc."""
        rows = sub_rows(self._image, lba, count)
        if self._kind is ImageType.PQ_ONLY:
            return pw96_of(*pq_of_pq16(rows))
        if self._rw is not None:
            data = self._rw.read(lba - self._image.first_lba, count)
            return rows & _PQ_BITS | np.frombuffer(data, np.uint8).reshape(count, PW96_BYTES)
        return rows

    def unlike(self, lba: int, sub: Bytes2D) -> tuple[Unlike, Bytes2D]:
        """See `Subcode`."""
        wanted = self.rows(lba, len(sub))
        whole = sub.shape[1] == PW96_BYTES
        if whole and np.array_equal(sub, wanted):
            return {}, wanted
        frames = pq_of_pw96(wanted)[0]
        found = qfields.differing(frames_of(sub), frames, with_crc=whole)
        if whole:
            bits = np.bitwise_or.reduce(sub ^ wanted, axis=1)
            for name, mask in (("P", _P_BIT), ("R-W", np.uint8(RW_BITS))):
                where = bits & mask != 0
                if where.any():
                    found[name] = where
        return found, wanted

    def faults(self) -> Iterator[str]:
        """See `Subcode`: there are none but in sectors."""
        yield from ()


class MadeSubcode:
    """Subcode whose P and Q a drive made by itself of a cue sheet, or of tracks at once.

    Args:
        disc: what the drive was told.
        rw: R-W that the host sent, blocks of 96 bytes from the disc's first sector on; None
            where it sent none.
    """

    def __init__(self, disc: Disc, rw: Source | None = None) -> None:
        self._disc = disc
        self._rw = rw
        self._channels = ProgramChannels(_untold(disc), STYLES["standard"])
        self._scms = [track for track in disc.tracks if track.copy is CopySetting.SCMS]
        self._codes = {track.number: track for track in disc.tracks if track.isrc is not None}
        self._telling = 0  # frames with the catalogue number
        self._coded: dict[int, int] = dict.fromkeys(self._codes, 0)
        self._sectors: dict[int, int] = {}
        self._copy_bits: dict[int, set[int]] = {track.number: set() for track in self._scms}

    def unlike(self, lba: int, sub: Bytes2D) -> tuple[Unlike, Bytes2D]:
        """See `Subcode`."""
        read = frames_of(sub)
        wanted = np.empty((len(sub), Q_BYTES), np.uint8)
        self._channels.fill(lba, wanted, np.empty(len(sub), bool))
        where = np.arange(lba, lba + len(sub))
        self._allow(read, wanted, where)
        self._put_texts(read, wanted, where)
        whole = sub.shape[1] == PW96_BYTES
        if whole:
            right = crc_holds(read)
            wanted[right, qfields.CRC] = read[right, qfields.CRC]
        found = qfields.differing(read, wanted, with_crc=whole)
        shown_rows = wanted
        if whole and self._rw is not None:
            data = self._rw.read(lba - self._disc.first_lba, len(sub))
            symbols = np.frombuffer(data, np.uint8).reshape(sub.shape)
            differs = (sub & np.uint8(RW_BITS) != symbols).any(axis=1)
            shown_rows = pw96_of(wanted, np.zeros(len(sub), bool)) | symbols
            if differs.any():
                found["R-W"] = differs
        return found, shown_rows

    def _allow(self, read: Bytes2D, wanted: Bytes2D, where: Numbers) -> None:
        """Take the drive's way where there are several: the countdown's end, and SCMS' phase."""
        gap = (wanted[:, _INDEX] == 0) & (read[:, 0] & qfields.ADR == 1)
        if gap.any():
            table = msf_bcd()
            left = self._left(where[gap])
            late = (read[gap][:, RELATIVE] == table[left]).all(axis=1)
            rows = np.flatnonzero(gap)[late]
            wanted[rows, RELATIVE] = read[rows, RELATIVE]
        for track in self._scms:
            rows = np.flatnonzero((where >= track.first_lba) & (where < track.end_lba))
            if len(rows):
                bits = read[rows, 0] & _COPY_BIT
                wanted[rows, 0] = wanted[rows, 0] & ~_COPY_BIT | bits
                self._copy_bits[track.number] |= set(np.unique(bits).tolist())

    def _left(self, where: Numbers) -> Numbers:
        """Return how many sectors lie between addresses in pregaps and index 1 of their tracks."""
        starts = np.array([track.start_lba for track in self._disc.tracks])
        owner = np.searchsorted([track.first_lba for track in self._disc.tracks], where, "right")
        left: Numbers = starts[owner - 1] - where
        return left

    def _put_texts(self, read: Bytes2D, wanted: Bytes2D, where: Numbers) -> None:
        """Expect catalogue number and ISRC wherever the drive has put them."""
        times = msf_bcd()[linear_frames(int(where[0])) :][: len(where)]
        adr = read[:, 0] & qfields.ADR
        if self._disc.mcn is not None:
            rows = np.flatnonzero(adr == qfields.CATALOG_ADR)
            self._put(wanted, rows, qfields.CATALOG_ADR, pack_mcn(self._disc.mcn), times)
            self._telling += len(rows)
        for track in self._disc.tracks:
            inside = (where >= track.first_lba) & (where < track.end_lba)
            count = int(inside.sum())
            if not count:
                continue
            self._sectors[track.number] = self._sectors.get(track.number, 0) + count
            if track.isrc is not None:
                rows = np.flatnonzero(inside & (adr == qfields.ISRC_ADR))
                self._put(wanted, rows, qfields.ISRC_ADR, pack_isrc(track.isrc), times)
                self._coded[track.number] += len(rows)

    @staticmethod
    def _put(wanted: Bytes2D, rows: Numbers, adr: int, code: bytes, times: Bytes2D) -> None:
        if len(rows):
            wanted[rows, 0] = wanted[rows, 0] & qfields.CONTROL | np.uint8(adr)
            wanted[rows, 1 : ABSOLUTE.stop] = 0
            wanted[rows, 1 : 1 + len(code)] = np.frombuffer(code, np.uint8)
            wanted[rows, qfields.AFRAME] = times[rows, 2]

    def faults(self) -> Iterator[str]:
        """See `Subcode`: codes that no frame tells, and a copy bit that never changes."""
        if self._disc.mcn and not self._telling and sum(self._sectors.values()) > _TELLING_SECTORS:
            yield f"no Q frame tells the media catalogue number {self._disc.mcn}"
        for number, track in self._codes.items():
            if self._sectors.get(number, 0) > _TELLING_SECTORS and not self._coded[number]:
                yield f"track {number}: no Q frame tells the ISRC {track.isrc}"
        for number, bits in self._copy_bits.items():
            if len(bits) == 1:
                yield f"track {number}: the copy bit of SCMS never changes"


def _untold(disc: Disc) -> Disc:
    """Return the disc without catalogue number and ISRCs: every frame of it tells its place."""
    return replace(
        disc,
        mcn=None,
        sessions=tuple(
            replace(each, tracks=tuple(replace(track, isrc=None) for track in each.tracks))
            for each in disc.sessions
        ),
    )


class SentPacks:
    """R-W packs as they were sent to a drive that interleaves them; a `Source` of 96-byte blocks.

    Args:
        image: what was burned, its R-W as packs.
        areas: stretches, as first and end, of which they were sent.
    """

    def __init__(self, image: DiscImage, areas: Sequence[tuple[int, int]]) -> None:
        self._image = image
        self._areas = areas
        self.name = "the image"
        self.block_size = PW96_BYTES
        self.block_count = image.sector_count

    def read(self, start: int, count: int) -> bytes:
        """Return blocks; see `Source`."""
        check_range(self.name, start, count, self.block_count)
        rows = np.zeros((count, PW96_BYTES), np.uint8)
        lba = self._image.first_lba + start
        for first, end in self._areas:
            low, high = max(first, lba), min(end, lba + count)
            if low < high:
                part = rows[low - lba : high - lba]
                part[:] = sub_rows(self._image, low, high - low) & np.uint8(RW_BITS)
        return rows.tobytes()


def sent_rw(image: DiscImage, kind: ImageType) -> Source:
    """Return the R-W that a session at once was sent, as it should be on the disc.

    Args:
        image: what was burned.
        kind: RAW: as on the disc; COOKED: as packs, which the drive interleaves.
    """
    areas = [(each.program_lba, each.lead_out_lba) for each in image.disc.sessions]
    own = image.as_kind(kind) if isinstance(image, RegionImage) else image
    sent = SentPacks(own, areas)
    return InterleavedPacks(sent) if kind is ImageType.COOKED else sent


def sub_rows(image: DiscImage, lba: int, count: int) -> Bytes2D:
    """Return the subcode of sectors, (n, 16) or (n, 96), in the image's own form."""
    if isinstance(image, RegionImage):
        rows = np.empty((count, image.kind.sub_bytes), np.uint8)
        image.read_sub_into(lba, rows)
        return rows
    whole = np.frombuffer(image.read(lba, count), np.uint8)
    return whole.reshape(count, image.sector_size)[:, SECTOR_BYTES:]


def track_made_at_once(track: Track, start_lba: int, end_lba: int, pregap: int) -> Track:
    """Return a track as a drive makes it at once, which puts it elsewhere and knows no indexes."""
    from rawcd.disc import Index

    return replace(
        track,
        indexes=(Index(number=0, lba=start_lba - pregap), Index(number=1, lba=start_lba)),
        end_lba=end_lba,
    )
