"""Sector by sector: what differs, field by field, counted without keeping any of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Self

import numpy as np

from rawcd.diff.values import Difference
from rawcd.graphics import DiscSubcode
from rawcd.image import ImageType, RegionImage, SubForm
from rawcd.msf import FIRST_LBA, PROGRAM_LBA
from rawcd.progress import report
from rawcd.sector import SYNC
from rawcd.source import SECTOR_BYTES
from rawcd.subcode import DeinterleavedPacks, QKind, decode_q
from rawcd.subcode.rows import P_BIT, PW96_BYTES, Q_BIT, RW_BITS, pq_of_pq16, pw96_of
from rawcd.survey import survey

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from rawcd.image import DiscImage
    from rawcd.progress import Progress
    from rawcd.source import Bytes2D
    from rawcd.subcode.rows import Flags
    from rawcd.survey import Survey

STEP: Final = 512
_ROW: Final = SECTOR_BYTES + PW96_BYTES
_HEADER_WORD: Final = 3
"""The header of a data sector among its words of four bytes."""
_PLACES: Final = 64
"""How many places with other sound are kept, spread over the disc."""
_REACH: Final = 2
"""Sectors before a symbol in which its pack may begin."""


class Work:
    """How far it is, where more work is found on the way.

    Args:
        sectors: of what is known so far.
        progress: the caller's function, or None for nobody.
    """

    def __init__(self, sectors: int, progress: Progress | None) -> None:
        self._progress = progress
        self._total = 0
        report(progress, 0, sectors)

    def next_part(self, sectors: int) -> Progress | None:
        """Return what tells of a further part."""
        before, progress = self._total, self._progress
        self._total += sectors
        if progress is None:
            return None
        return lambda done, _: progress(before + done, self._total)


class Side:
    """One of two images, its sectors as rows of 2,448 bytes."""

    def __init__(self, image: DiscImage) -> None:
        self.image = image.as_kind(ImageType.RAW) if isinstance(image, RegionImage) else image
        if isinstance(image, RegionImage):
            self.has_rw = all(region.form is not SubForm.PQ16 for region in image.sub)
        else:
            self.has_rw = image.kind is ImageType.RAW

    def fill(self, lba: int, rows: Bytes2D) -> None:
        """Fill `rows`, (n, 2448), from `lba` on; without R-W where there is none to compare."""
        if isinstance(self.image, RegionImage):
            self.image.read_into(lba, rows)
            return
        size = self.image.sector_size
        held = np.frombuffer(self.image.read(lba, len(rows)), np.uint8).reshape(-1, size)
        rows[:, :SECTOR_BYTES] = held[:, :SECTOR_BYTES]
        sub = held[:, SECTOR_BYTES:]
        if self.image.kind is ImageType.PQ_ONLY:
            sub = pw96_of(*pq_of_pq16(np.ascontiguousarray(sub)))
        rows[:, SECTOR_BYTES:] = sub

    def main(self, lba: int, count: int) -> Bytes2D:
        """Return the main channel as on the disc."""
        if isinstance(self.image, RegionImage):
            rows = np.empty((count, SECTOR_BYTES), np.uint8)
            self.image.read_main_into(lba, rows)
            return rows
        held = np.frombuffer(self.image.read(lba, count), np.uint8)
        return held.reshape(count, -1)[:, :SECTOR_BYTES].copy()

    def sub(self, lba: int, count: int) -> Bytes2D:
        """Return the subcode, (count, 96)."""
        rows = np.empty((count, _ROW), np.uint8)
        self.fill(lba, rows)
        return rows[:, SECTOR_BYTES:]

    def survey(self, work: Work) -> Survey:
        """Return what its bytes say.

        Raises:
            StorageError: the image cannot be read.
            CancelledError: the work was stopped.
        """
        return survey(self.image, progress=work.next_part(self.image.sector_count))

    def packs(self, lba: int, count: int) -> Bytes2D:
        """Return the packs of some sectors, errors corrected, (4 * count, 24)."""
        source = DeinterleavedPacks(DiscSubcode(self.image))
        held = np.frombuffer(source.read(lba - self.image.first_lba, count), np.uint8)
        packs: Bytes2D = held.reshape(count * 4, -1) & np.uint8(RW_BITS)
        return packs


@dataclass(frozen=True, slots=True)
class Pair:
    """Two images, and the addresses that both have.

    Attributes:
        a: one.
        b: the other.
        with_rw: R-W of both can be compared.
        notes: what cannot be.
    """

    a: Side
    b: Side
    with_rw: bool
    notes: tuple[str, ...]

    @classmethod
    def of(cls, a: DiscImage, b: DiscImage) -> Self:
        """Return the pair of two images."""
        sides = Side(a), Side(b)
        lacking = [
            name for name, side in zip(("first", "second"), sides, strict=True) if not side.has_rw
        ]
        told = " and the ".join(lacking)
        note = f"the {told} image has no R-W as on a disc: it was not compared"
        return cls(*sides, not lacking, (note,) if lacking else ())

    @property
    def first_a(self) -> int:
        """First sector of the one."""
        return self.a.image.first_lba

    @property
    def first_b(self) -> int:
        """First sector of the other."""
        return self.b.image.first_lba

    @property
    def end_a(self) -> int:
        """One past the last sector of the one."""
        return self.a.image.first_lba + self.a.image.sector_count

    @property
    def end_b(self) -> int:
        """One past the last sector of the other."""
        return self.b.image.first_lba + self.b.image.sector_count

    @property
    def lba(self) -> int:
        """The first sector that both have."""
        return max(self.first_a, self.first_b)

    @property
    def end(self) -> int:
        """One past the last that both have."""
        return max(self.lba, min(self.end_a, self.end_b))

    @property
    def sectors(self) -> int:
        """How many both have."""
        return self.end - self.lba

    def extent(self) -> Difference | None:
        """Return that the images do not go from and to the same sectors; None where they do."""
        if (self.first_a, self.end_a) == (self.first_b, self.end_b):
            return None
        a = f"LBA {self.first_a} to {self.end_a - 1}"
        b = f"LBA {self.first_b} to {self.end_b - 1}"
        return Difference(
            part="layout",
            code="extent",
            message=f"the first goes from {a}, the second {b}",
            a=a,
            b=b,
        )

    def blocks(self) -> Iterator[tuple[int, int]]:
        """Yield the sectors that both have, some at a time: the first, and how many."""
        for lba in range(self.lba, self.end, STEP):
            yield lba, min(STEP, self.end - lba)


@dataclass(slots=True)
class _Tally:
    """How often something differs, and where first."""

    count: int = 0
    lba: int | None = None

    def add(self, lba: int, which: Flags, counts: int | None = None) -> None:
        """Count the sectors of a block that differ."""
        places = np.flatnonzero(which)
        if len(places):
            self.count += len(places) if counts is None else counts
            if self.lba is None:
                self.lba = lba + int(places[0])


# Fields of Q by what a frame is: which of its bytes they are (IEC 60908 17.5).
_PLACED: Final = {
    "q-track": [1],
    "q-index": [2],
    "q-relative": [3, 4, 5],
    "q-zero": [6],
    "q-absolute": [7, 8, 9],
}
_FIELDS: Final = {
    QKind.PROGRAM: _PLACED,
    QKind.LEAD_OUT: _PLACED,
    QKind.LEAD_IN: {"q-running": [3, 4, 5], "q-toc": [1, 2, 6, 7, 8, 9]},
    QKind.POINTER: {"q-toc": [*range(1, 10)]},
    QKind.CATALOG: {"q-mcn": [*range(1, 9)], "q-absolute": [9]},
    QKind.ISRC: {"q-isrc": [*range(1, 9)], "q-absolute": [9]},
    QKind.UNKNOWN: {"q-other": [*range(10)]},
}
_WORDS: Final = {
    "sound": "the sound differs",
    "sound-samples": "the sound differs",
    "sector-kind": "data sectors stand where the other has none",
    "data-header": "the headers of data sectors differ",
    "data": "the content of data sectors differs",
    "p": "P differs",
    "q-mode": "the modes of Q frames differ",
    "q-control": "CONTROL differs in Q",
    "q-track": "the track number differs in Q",
    "q-index": "the index differs in Q",
    "q-relative": "the relative time differs in Q",
    "q-absolute": "the absolute time differs in Q",
    "q-zero": "the byte that should be zero differs in Q",
    "q-running": "the running time of the lead-in differs in Q",
    "q-toc": "the table of contents differs in Q",
    "q-mcn": "the catalogue number differs in Q",
    "q-isrc": "the ISRC differs in Q",
    "q-other": "Q frames of unknown modes differ",
    "q-crc": "the CRC of Q differs where it should not",
    "rw": "R-W differs",
    "rw-packs": "R-W packs differ, errors corrected",
}
_MAIN: Final = ("sector-kind", "sound", "sound-samples", "data-header", "data")
_UNITS: Final = {"sound-samples": "samples", "rw-packs": "packs"}


@dataclass(slots=True)
class Tallies:
    """What differs, counted.

    Attributes:
        counts: by code.
        sound_places: sectors whose sound differs, some of them.
        of_q: some Q frame differs.
        of_texts: R-W differs in the first session's lead-in, where CD-TEXT lies.
    """

    counts: dict[str, _Tally] = field(default_factory=lambda: {code: _Tally() for code in _WORDS})
    sound_places: list[int] = field(default_factory=list)
    of_q: bool = False
    of_texts: bool = False
    _packs_to: int = FIRST_LBA
    _every: int = 1
    _seen: int = 0

    def main(self) -> Iterator[Difference]:
        """Yield what differs in the main channel."""
        return self._differences("main", _MAIN)

    def subcode(self) -> Iterator[Difference]:
        """Yield what differs in the subcode."""
        return self._differences("subcode", tuple(code for code in _WORDS if code not in _MAIN))

    def _differences(self, part: str, codes: tuple[str, ...]) -> Iterator[Difference]:
        for code in codes:
            tally = self.counts[code]
            if tally.count:
                yield Difference(
                    part=part,
                    code=code,
                    message=_WORDS[code],
                    count=tally.count,
                    unit=_UNITS.get(code, "sectors"),
                    lba=tally.lba,
                )

    def add_main(self, lba: int, a: Bytes2D, b: Bytes2D) -> None:
        """Count what differs in sectors (n, 2352) as on the disc.

        What scrambling adds is the same in both, so fields may be compared as they are.
        """
        unlike = a.view(np.uint32) ^ b.view(np.uint32)  # every field is whole words
        any_unlike = _any(unlike)
        if not any_unlike.any():
            return
        data_a, data_b = is_data(a), is_data(b)
        kind = data_a != data_b
        data = data_a & data_b
        sound = any_unlike & ~data & ~kind
        self.counts["sector-kind"].add(lba, kind)
        self.counts["data-header"].add(lba, (unlike[:, _HEADER_WORD] != 0) & data)
        self.counts["data"].add(lba, _any(unlike[:, _HEADER_WORD + 1 :]) & data)
        self.counts["sound"].add(lba, sound)
        if sound.any():
            samples = int(np.count_nonzero(unlike if sound.all() else unlike[sound]))
            self.counts["sound-samples"].add(lba, sound, samples)
            self._keep(lba + int(sound.argmax()))

    def _keep(self, lba: int) -> None:
        """Keep a place now and then, half as often whenever there are too many."""
        if self._seen % self._every == 0:
            self.sound_places.append(lba)
            if len(self.sound_places) > _PLACES:
                del self.sound_places[1::2]
                self._every *= 2
        self._seen += 1

    def add_subcode(self, lba: int, a: Bytes2D, b: Bytes2D, pair: Pair) -> None:
        """Count what differs in subcode (n, 96)."""
        unlike: Bytes2D = a ^ b
        p = _with(unlike, P_BIT)
        self.counts["p"].add(lba, p)
        q = _with(unlike, Q_BIT)
        if q.any():
            self.of_q = True
            self._add_q(lba, np.flatnonzero(q), a[q], b[q])
        rw = _with(unlike, RW_BITS)
        if pair.with_rw and rw.any():
            self.counts["rw"].add(lba, rw)
            self.of_texts |= bool(rw[: max(0, PROGRAM_LBA - lba)].any())
            self._add_packs(lba, len(rw), pair)

    def _add_q(self, lba: int, places: npt.NDArray[np.intp], a: Bytes2D, b: Bytes2D) -> None:
        one, other = (decode_q(np.packbits(each & Q_BIT, axis=1)) for each in (a, b))
        wrong = {code: np.zeros(len(places), bool) for code in _WORDS if code.startswith("q-")}
        wrong["q-mode"] = one.kinds != other.kinds
        wrong["q-control"] = one.control != other.control
        for kind, fields in _FIELDS.items():
            same = (one.kinds == kind) & (other.kinds == kind)
            if same.any():
                for code, part in fields.items():
                    wrong[code] |= same & (one.q[:, part] != other.q[:, part]).any(axis=1)
        # A CRC follows from the rest: it is told where it holds in one alone, or nothing else is.
        wrong["q-crc"] = (one.right != other.right) | ~np.any(list(wrong.values()), axis=0)
        for code, differs in wrong.items():
            block = np.zeros(int(places[-1]) + 1, bool)
            block[places] = differs
            self.counts[code].add(lba, block)

    def _add_packs(self, lba: int, count: int, pair: Pair) -> None:
        """Count the packs that differ among those with symbols in a block."""
        first = max(lba - _REACH, pair.lba, self._packs_to, PROGRAM_LBA)
        end = lba + count
        self._packs_to = end
        if first < end:
            unlike = (pair.a.packs(first, end - first) != pair.b.packs(first, end - first)).any(
                axis=1
            )
            sectors = unlike.reshape(-1, 4).any(axis=1)
            self.counts["rw-packs"].add(first, sectors, int(unlike.sum()))


def is_data(sectors: Bytes2D) -> Flags:
    """Tell which sectors (n, 2352) begin with the sync pattern."""
    found: Flags = (sectors[:, : len(SYNC)] == np.frombuffer(SYNC, np.uint8)).all(axis=1)
    return found


def _any(words: npt.NDArray[np.uint32]) -> Flags:
    """Tell which rows are not all zeros."""
    found: Flags = np.not_equal(np.bitwise_or.reduce(words, axis=1), 0)
    return found


def _with(rows: Bytes2D, bits: int) -> Flags:
    found: Flags = (rows & np.uint8(bits) != 0).any(axis=1)
    return found


def compare(pair: Pair, progress: Progress | None) -> Tallies:
    """Compare every sector that both images have.

    Raises:
        StorageError: an image cannot be read.
        CancelledError: `progress` said stop.
    """
    tallies = Tallies()
    a = np.empty((STEP, _ROW), np.uint8)
    b = np.empty((STEP, _ROW), np.uint8)
    for lba, count in pair.blocks():
        one, other = a[:count], b[:count]
        pair.a.fill(lba, one)
        pair.b.fill(lba, other)
        if not np.array_equal(one.view(np.uint64), other.view(np.uint64)):
            tallies.add_main(lba, one[:, :SECTOR_BYTES], other[:, :SECTOR_BYTES])
            tallies.add_subcode(lba, one[:, SECTOR_BYTES:], other[:, SECTOR_BYTES:], pair)
        report(progress, lba + count - pair.lba, pair.sectors)
    return tallies
