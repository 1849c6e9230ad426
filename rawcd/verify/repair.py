"""An image in which what could be mended is.

Data sectors are mended by their own parity where the EDC then holds; a frame of Q whose CRC is
wrong is made anew from the place that its neighbours tell; P follows from those places; R-W packs
are mended by their own parity. Nothing else is touched: a frame whose CRC holds, whatever it tells,
is as it was recorded.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, BinaryIO, Final, cast

import numpy as np

from rawcd.image import ImageType, MainForm, RegionImage, SubForm
from rawcd.image.stream import ImageFile
from rawcd.msf import LEAD_IN_WRAP, PROGRAM_LBA
from rawcd.sector import repair, scramble
from rawcd.sector.rows import MODE_BYTE
from rawcd.source import SECTOR_BYTES, check_range
from rawcd.subcode.decoder import decode_q
from rawcd.subcode.frame import (
    LEAD_OUT_TNO,
    POINTER_ADR,
    Q_BYTES,
    QCatalog,
    QIsrc,
    pack_isrc,
    pack_mcn,
    to_bcd,
)
from rawcd.subcode.interleave import PACK_REACH
from rawcd.subcode.rows import (
    ABSOLUTE,
    PW96_BYTES,
    RELATIVE,
    RW_BITS,
    crc_words,
    msf_bcd,
    pq16_of,
    pq_of_pq16,
    pq_of_pw96,
    put_crc,
    pw96_of,
)
from rawcd.survey.facts import Kind, Scrambling
from rawcd.verify.evidence import NOT_KNOWN, Evidence, Expected
from rawcd.verify.main import judged
from rawcd.verify.packs import with_mended_packs, wrong_packs
from rawcd.verify.pflag import expected_p
from rawcd.verify.reading import evidence_of, report_on

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from rawcd.disc import Disc
    from rawcd.image import DiscImage, Note
    from rawcd.progress import Progress
    from rawcd.source import Bytes2D
    from rawcd.survey import Run
    from rawcd.verify.values import Finding, Report

_HEAD: Final = MODE_BYTE + 1
_BUFFERED_SECTORS: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """What became of an image.

    Attributes:
        image: the mended image; nothing of it is written yet.
        mended: findings of the old image that the new one has not.
        left: findings that are there still, and those that came to light.
    """

    image: DiscImage
    mended: tuple[Finding, ...]
    left: Report


def repair_image(image: DiscImage, *, jobs: int = 1, progress: Progress | None = None) -> Repair:
    """Mend what can be mended, and say what was and what was not.

    A frame whose CRC is wrong may be meant so: some discs are protected that way. The source is
    left alone; the new image is written by `rawcd.save_image`.

    Args:
        image: any image.
        jobs: processes that read, this one among them.
        progress: told after each block, of either pass.

    Raises:
        CancelledError: `progress` said stop.
        StorageError: the image cannot be read.
        ValueError: `jobs` is not from 1 to 64.
    """
    evidence = evidence_of(image, jobs=jobs, progress=progress)
    before = report_on(evidence)
    mended = _mended(image, evidence)
    after = report_on(evidence_of(mended, progress=progress))
    there = {(each.rule, each.lba, each.sectors) for each in after.findings}
    gone = tuple(
        each for each in before.findings if (each.rule, each.lba, each.sectors) not in there
    )
    return Repair(image=mended, mended=gone, left=replace(after, made=before.made))


def _mended(image: DiscImage, evidence: Evidence) -> DiscImage:
    """Return the mended image; of regions where the damaged one is, so that formats see through."""
    mended = MendedImage(image, evidence)
    if not isinstance(image, RegionImage):
        return mended
    main, sub = (
        _Channel(mended, slice(0, SECTOR_BYTES)),
        _Channel(mended, slice(SECTOR_BYTES, None)),
    )
    stored = (MainForm.DISC, MainForm.PLAIN, MainForm.READ)
    return replace(
        image,
        main=tuple(
            replace(region, form=MainForm.DISC, source=main, start=region.lba - image.first_lba)
            if region.form in stored
            else region
            for region in image.main
        ),
        sub=tuple(
            replace(
                region,
                form=SubForm.PQ16 if image.kind is ImageType.PQ_ONLY else SubForm.RAW,
                source=sub,
                start=region.lba - image.first_lba,
                rw_packed=image.kind is ImageType.COOKED,
            )
            if region.form in (SubForm.RAW, SubForm.PQ16)
            else region
            for region in image.sub
        ),
        inputs=image.files,
    )


class _Channel:
    """A mended image's main channel or subcode, as a source."""

    def __init__(self, image: MendedImage, part: slice) -> None:
        self._image = image
        self._part = part
        self.name = "<mended>"
        self.block_count = image.sector_count
        self.block_size = len(range(image.sector_size)[part])

    def read(self, start: int, count: int) -> bytes:
        """Return blocks end to end; see `Source`."""
        check_range(self.name, start, count, self.block_count)
        data = self._image.read(start + self._image.first_lba, count)
        rows = np.frombuffer(data, np.uint8).reshape(count, -1)
        return rows[:, self._part].tobytes()


class MendedImage:
    """An image, mended as it is read.

    Args:
        image: the damaged one.
        evidence: what its sectors say.
    """

    def __init__(self, image: DiscImage, evidence: Evidence) -> None:
        self._image = image
        self._evidence = evidence
        count = len(evidence.facts)
        self._kinds = np.zeros(count, np.uint8)
        self._scrambling = np.zeros(count, np.uint8)
        for found in judged(evidence):
            part = slice(found.lba - self.first_lba, found.lba - self.first_lba + len(found.lost))
            wrong = (found.defects != 0) | (found.scrambling != 0) | found.copies
            self._kinds[part][wrong & ~found.lost] = found.kind
            self._scrambling[part] = found.scrambling
        facts = evidence.facts
        known = evidence.survey.runs[0].area is not None
        self._bad_q = ~facts["right"] & known
        self._p = facts["p"] > PW96_BYTES // 2
        self._bad_p = np.zeros(count, np.bool_)
        if known:  # else nothing tells what is P and what is noise
            should, doubtful = expected_p(evidence)
            self._p = np.where(doubtful, self._p, should)
            self._bad_p = facts["p"] != np.where(self._p, PW96_BYTES, 0)
        self._wrong_packs = wrong_packs(evidence)

    @property
    def disc(self) -> Disc:
        """What the damaged image's description says."""
        return self._image.disc

    @property
    def kind(self) -> ImageType:
        """The form of the subcode."""
        return self._image.kind

    @property
    def notes(self) -> Sequence[Note]:
        """What was noted of the damaged image."""
        return self._image.notes

    @property
    def first_lba(self) -> int:
        """LBA of the first sector."""
        return self._image.first_lba

    @property
    def sector_count(self) -> int:
        """Sectors from there to the end."""
        return self._image.sector_count

    @property
    def sector_size(self) -> int:
        """Bytes in a sector."""
        return self._image.sector_size

    def open(self) -> BinaryIO:
        """Return a seekable, read-only binary stream of the whole image."""
        return cast(
            "BinaryIO", io.BufferedReader(ImageFile(self), self.sector_size * _BUFFERED_SECTORS)
        )

    def read(self, lba: int, count: int) -> bytes:
        """Return sectors, those that were damaged mended; see `DiscImage`."""
        data = self._image.read(lba, count)
        part = slice(lba - self.first_lba, lba - self.first_lba + count)
        main = np.flatnonzero(self._kinds[part])
        sub = np.flatnonzero(self._bad_q[part] | self._bad_p[part])
        near = slice(max(part.start - PACK_REACH, 0), part.stop + PACK_REACH)
        packs = self._wrong_packs[near].any()
        if not len(main) and not len(sub) and not packs:
            return data
        rows = np.frombuffer(data, np.uint8).reshape(count, -1).copy()
        if packs:
            rows[:, SECTOR_BYTES:] = self._with_packs(near)[part.start - near.start :][:count]
        for kind in np.unique(self._kinds[part][main]).tolist():
            chosen = main[self._kinds[part][main] == kind]
            rows[chosen, :SECTOR_BYTES] = self._mended(
                rows[chosen, :SECTOR_BYTES], lba + chosen, Kind(kind)
            )
        if len(sub):
            rows[sub, SECTOR_BYTES:] = self._subcode(rows[sub, SECTOR_BYTES:], lba + sub)
        return rows.tobytes()

    def _mended(self, sectors: Bytes2D, lbas: npt.NDArray[np.int64], kind: Kind) -> Bytes2D:
        """Return data sectors as on the disc, mended where their EDC then holds."""
        how = self._scrambling[lbas - self.first_lba]
        plain = scramble(sectors)
        plain[how == Scrambling.NONE] = sectors[how == Scrambling.NONE]
        body = how == Scrambling.BODY
        plain[body, _HEAD:] = sectors[body, _HEAD:]
        found = repair(plain, lbas, kind.sector_type)
        done = scramble(found.sectors)
        kept = found.failed & (how == Scrambling.RIGHT)
        done[kept] = sectors[kept]
        return done

    def _with_packs(self, part: slice) -> Bytes2D:
        """Return the subcode of a stretch, those R-W packs mended that lie in it whole."""
        wrong = self._wrong_packs[part]
        data = self._image.read(part.start + self.first_lba, len(wrong))
        rows = np.frombuffer(data, np.uint8).reshape(len(wrong), -1)
        return with_mended_packs(np.ascontiguousarray(rows[:, SECTOR_BYTES:]), wrong)

    def _subcode(self, sub: Bytes2D, lbas: npt.NDArray[np.int64]) -> Bytes2D:
        narrow = self.kind is ImageType.PQ_ONLY
        q, _ = pq_of_pq16(sub) if narrow else pq_of_pw96(sub)
        bad = self._bad_q[lbas - self.first_lba]
        if bad.any():
            q[bad] = self._frames(q[bad], lbas[bad])
        p = self._p[lbas - self.first_lba]
        if not narrow:
            return (sub & np.uint8(RW_BITS)) | pw96_of(q, p)
        made = pq16_of(q, p)
        made[~bad, :Q_BYTES] = sub[~bad, :Q_BYTES]  # in whatever form its CRC is stored
        return made

    @cached_property
    def _expected(self) -> Expected:
        return Expected.of(self._evidence)

    def _frames(self, q: Bytes2D, lbas: npt.NDArray[np.int64]) -> Bytes2D:
        """Return what damaged frames were: of what may stand there the likest."""
        best = q.copy()
        least = np.full(len(q), PW96_BYTES, np.int64)
        runs = np.searchsorted(self._evidence.starts, lbas, side="right") - 1
        for number in np.unique(runs).tolist():
            chosen = np.flatnonzero(runs == number)
            for frames in self._candidates(number, lbas[chosen]):
                put_crc(frames, crc_words(frames))
                distance = np.unpackbits(frames ^ q[chosen], axis=1).sum(axis=1)
                nearer = distance < least[chosen]
                best[chosen[nearer]] = frames[nearer]
                least[chosen[nearer]] = distance[nearer]
        return best

    def _candidates(self, number: int, lbas: npt.NDArray[np.int64]) -> list[Bytes2D]:
        run = self._evidence.survey.runs[number]
        expected = self._expected
        if expected.area[number] == 0:
            return self._items(run, lbas)
        if NOT_KNOWN in (expected.area[number], expected.zero[number], expected.control[number]):
            return []
        control = np.full(len(lbas), expected.control[number])
        if expected.scms[number] != NOT_KNOWN:
            control |= np.where((lbas + expected.scms[number]) % 8 >= 4, 2, 0)
        linear = (lbas - PROGRAM_LBA) % LEAD_IN_WRAP
        relative = (lbas - expected.zero[number]) * expected.step[number]
        position = np.zeros((len(lbas), Q_BYTES), np.uint8)
        position[:, 0] = control << 4 | 1
        track = int(expected.track[number])
        position[:, 1] = track if track == LEAD_OUT_TNO else to_bcd(track)
        position[:, 2] = to_bcd(int(expected.index[number]))
        position[:, RELATIVE] = msf_bcd()[np.maximum(relative, 0)]
        position[:, ABSOLUTE] = msf_bcd()[linear]
        found = [position]
        codes = []
        survey = self._evidence.survey
        if survey.mcn is not None:
            codes.append((QCatalog.adr, pack_mcn(survey.mcn) + bytes(1)))
        isrc = None if run.track is None else survey.isrc(run.track)
        if isrc is not None:
            codes.append((QIsrc.adr, pack_isrc(isrc)))
        for adr, text in codes:
            frames = position.copy()
            frames[:, 0] = control << 4 | adr
            frames[:, 1:9] = np.frombuffer(text, np.uint8)
            frames[:, 9] = position[:, 9]
            bare = frames.copy()  # cdrecord's have no CONTROL
            bare[:, 0] = adr
            found += [frames, bare]
        return found

    def _items(self, run: Run, lbas: npt.NDArray[np.int64]) -> list[Bytes2D]:
        """Return every item of a lead-in, with the running time that its neighbours tell."""
        facts = self._evidence.of(run)
        rows = facts["q"]
        one = np.flatnonzero(facts["right"] & (rows[:, 0] & 15 == 1) & (rows[:, 1] == 0))
        if not len(one):
            return []
        running = self._running(run, one)
        found = []
        for entry in self._evidence.survey.toc:
            if entry.session != run.session:
                continue
            built = np.frombuffer(entry.pointer.build(), np.uint8)
            frames = np.repeat(built[None, :], len(lbas), axis=0)
            if entry.pointer.adr != POINTER_ADR:
                frames[:, RELATIVE] = msf_bcd()[(lbas - run.lba + running) % LEAD_IN_WRAP]
            found.append(frames)
        return found

    def _running(self, run: Run, places: npt.NDArray[np.int64]) -> int:
        """Return the running time of a lead-in's first sector, by most of its frames."""
        table = decode_q(np.ascontiguousarray(self._evidence.of(run)["q"][places]))
        good = table.relative >= 0
        ahead = (table.relative[good] - places[good]) % LEAD_IN_WRAP
        values, counts = np.unique(ahead, return_counts=True)
        return int(values[counts.argmax()]) if len(values) else 0
