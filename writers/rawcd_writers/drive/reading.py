"""A disc in a drive as an image: READ CD with subcode and error flags, read when asked for.

The table of contents says what sessions and tracks there are; indexes, catalogue number, ISRC
and copy bits are found in Q, by the same search that opens a recording; CD-TEXT is what the drive
finds. Lead-ins and lead-outs, which no drive reads, are made.
"""

from __future__ import annotations

import logging
import threading
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from rawcd.disc import (
    MODE_CHANGE_PREGAP_SECTORS,
    PREGAP_SECTORS,
    Disc,
    Session,
    Track,
    TrackMode,
)
from rawcd.errors import DriveError, FormatError, StorageError
from rawcd.image import (
    ImageType,
    MainForm,
    Note,
    Region,
    RegionImage,
    SubForm,
    SubRegion,
    blanks,
)
from rawcd.msf import Msf
from rawcd.qscan import recover_disc
from rawcd.sector import SYNC, scramble
from rawcd.source import SECTOR_BYTES, paths_of
from rawcd_writers.drive import mmc
from rawcd_writers.drive.contents import disc_of_toc, text_of, with_codes
from rawcd_writers.drive.dialogue import is_refused
from rawcd_writers.drive.feed import MAX_BLOCKS
from rawcd_writers.drive.plan import RUN_OUT_SECTORS
from rawcd_writers.drive.replies import DiscStatus
from rawcd_writers.drive.sense import SenseKey

if TYPE_CHECKING:
    from collections.abc import Container
    from pathlib import Path

    from rawcd.source import Bytes2D
    from rawcd_writers.drive.session import DriveSession

_log = logging.getLogger(__name__)

_TRIED_AGAIN: Final = (SenseKey.MEDIUM_ERROR, SenseKey.ABORTED_COMMAND)
"""What may go better another time: a sector, or a transfer that the drive gave up (SPC)."""
_RUN_OUT_KEYS: Final = (3, 5, 8)
"""Medium error, wrong kind of sector, blank: what drives say of run-out blocks."""
_RUN_IN_SECTORS: Final = 5
"""Before a data track at once: a link block and four run-in blocks."""
_MODE_BYTE: Final = 15
_DISC_CHANGED: Final = 0x28
"""The additional sense code of a drive that may have got another disc."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sectors:
    """What READ CD brought.

    Attributes:
        main: (n, 2352), data sectors descrambled by the drive.
        errors: (n, 0), (n, 294) or (n, 296): which bytes the drive could not correct.
        sub: (n, 0), (n, 16) or (n, 96).
    """

    main: Bytes2D
    errors: Bytes2D
    sub: Bytes2D


class SectorReader:
    """Reads stretches of a disc, again and again where a sector is hard to read.

    Args:
        session: the drive.
        sub: the subcode that is wanted.
        errors: the error flags that are wanted.
        retries: how often a sector is tried again.

    Raises:
        ValueError: `retries` is below 0.

    Attributes:
        retried: sectors that took more than one try, and how many.
        flagged: sectors with error flags, and how many bytes were flagged.
        run_out: sectors that may be unreadable: around data tracks, where track at once leaves
            blocks that link and hold nothing. They come as zeros and are kept in `lost`.
        lost: such sectors that could not be read.
    """

    def __init__(
        self,
        session: DriveSession,
        *,
        sub: mmc.SubSelection = mmc.SubSelection.RAW,
        errors: mmc.ErrorSelection = mmc.ErrorSelection.NONE,
        retries: int = 3,
    ) -> None:
        if retries < 0:
            raise ValueError(f"a sector is tried again 0 times or more, not {retries}")
        self._session = session
        self.sub = sub
        self._errors = errors
        self._retries = retries
        size = SECTOR_BYTES + errors.bytes + sub.bytes
        self._step = max(1, min(MAX_BLOCKS, session.dialogue.transport.max_bytes // size))
        self._size = size
        self.retried: dict[int, int] = {}
        self.flagged: dict[int, int] = {}
        self.run_out: Container[int] = frozenset()
        self.lost: set[int] = set()
        self._changes = len(session.dialogue.changes)
        self._lock = threading.RLock()
        self._held: tuple[int, Sectors] | None = None

    @property
    def name(self) -> str:
        """The drive's name."""
        return self._session.name

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files that a recorder that is a program keeps its disc in."""
        return paths_of(self._session.dialogue.transport)

    def read(self, lba: int, count: int) -> Sectors:
        """Return sectors.

        Raises:
            DriveError: a sector cannot be read, or the drive failed.
        """
        with self._lock:
            if self._held is not None and self._held[0] == lba:
                held = self._held[1]
                if len(held.main) == count:  # main and subcode are asked for one after the other
                    return held
            rows = np.empty((count, self._size), np.uint8)
            for start in range(0, count, self._step):
                part = rows[start : start + self._step]
                self._fill(lba + start, part)
            split = SECTOR_BYTES + self._errors.bytes
            found = Sectors(
                main=rows[:, :SECTOR_BYTES],
                errors=rows[:, SECTOR_BYTES:split],
                sub=rows[:, split:],
            )
            self._count_flags(lba, found.errors[:, :294])
            self._held = (lba, found)
            return found

    def forget(self) -> None:
        """Let go of what was read last, so that it is read again when it is asked for."""
        with self._lock:
            self._held = None

    def _count_flags(self, lba: int, flags: Bytes2D) -> None:
        if flags.shape[1]:
            counts = np.bitwise_count(flags).sum(axis=1, dtype=np.int64)
            for row in np.flatnonzero(counts).tolist():
                self.flagged[lba + row] = int(counts[row])

    def _fill(self, lba: int, rows: Bytes2D) -> None:
        if not self.lost.isdisjoint(range(lba, lba + len(rows))):
            # A drive takes seconds to give a sector up: once is enough.
            for row in range(len(rows)):
                self._fill_one(lba + row, rows[row : row + 1])
            return
        try:
            self._ask(lba, rows)
        except DriveError as error:
            ends = any(each in self.run_out for each in range(lba, lba + len(rows)))
            keys = (*_TRIED_AGAIN, *(_RUN_OUT_KEYS if ends else ()))
            if error.sense is None or error.sense[0] not in keys:
                raise
            for row in range(len(rows)):
                self._fill_one(lba + row, rows[row : row + 1])

    def _fill_one(self, lba: int, row: Bytes2D) -> None:
        if lba in self.lost:
            row[:] = 0
            return
        for attempt in range(self._retries + 1):
            try:
                self._ask(lba, row)
            except DriveError as error:
                key = None if error.sense is None else error.sense[0]
                last = attempt == self._retries or key not in _TRIED_AGAIN
                if last and lba in self.run_out and key in _RUN_OUT_KEYS:
                    row[:] = 0
                    self.retried.pop(lba, None)
                    self.lost.add(lba)
                    return
                if last:
                    raise
                self.retried[lba] = attempt + 1
            else:
                return

    def _ask(self, lba: int, rows: Bytes2D) -> None:
        command = mmc.read_cd(lba, len(rows), errors=self._errors, sub=self.sub)
        dialogue = self._session.dialogue
        data = dialogue.ask(command)
        for change in dialogue.changes[self._changes :]:
            if change.sense is not None and change.sense[1] == _DISC_CHANGED:
                raise DriveError(
                    f"{change}; what was read before may be of another disc: start again",
                    sense=change.sense,
                    command=change.command,
                    lba=lba,
                )
        if len(data) != rows.nbytes:
            raise DriveError(
                f"READ CD at LBA {lba}: {len(data)} bytes came, {rows.nbytes} were asked for",
                command="READ CD",
                lba=lba,
            )
        rows[:] = np.frombuffer(data, np.uint8).reshape(rows.shape)


class _Blocks:
    """Blocks of a disc in a drive; a `Source`."""

    def __init__(self, reader: SectorReader, first_lba: int, block_count: int) -> None:
        self._reader = reader
        self._first_lba = first_lba
        self.name = reader.name
        self.paths = reader.paths
        self.block_count = block_count
        self.block_size = 0

    def read(self, start: int, count: int) -> bytes:
        """Return blocks; see `Source`."""
        if start < 0 or count < 0 or start + count > self.block_count:
            raise ValueError(f"{self.name}: {count} blocks from {start} on are not there")
        try:
            return self._bytes(self._first_lba + start, count)
        except DriveError as error:
            why = str(error).removeprefix(f"{self.name}: ")  # once is enough
            raise StorageError(why, file=self.name) from error

    def _bytes(self, lba: int, count: int) -> bytes:
        raise NotImplementedError


class MainBlocks(_Blocks):
    """The main channel as on the disc: what the drive descrambled is scrambled again.

    Args:
        reader: reads it.
        first_lba: where it begins.
        block_count: sectors.
        data: stretches, as first and end, in which a sector with sync is a data sector; elsewhere
            such bytes are sound.
    """

    def __init__(
        self,
        reader: SectorReader,
        first_lba: int,
        block_count: int,
        data: tuple[tuple[int, int], ...],
    ) -> None:
        super().__init__(reader, first_lba, block_count)
        self.block_size = SECTOR_BYTES
        self._data = data

    def _bytes(self, lba: int, count: int) -> bytes:
        main = self._reader.read(lba, count).main.copy()
        where = np.arange(lba, lba + count)
        inside = np.zeros(count, bool)
        for first, end in self._data:
            inside |= (first <= where) & (where < end)
        sync = np.frombuffer(SYNC, np.uint8)
        chosen = np.flatnonzero(inside & (main[:, : len(SYNC)] == sync).all(axis=1))
        if len(chosen):
            main[chosen] = scramble(main[chosen])
        return main.tobytes()


class SubBlocks(_Blocks):
    """The subcode, in the form that the reader asks for.

    Args:
        reader: reads it.
        first_lba: where it begins.
        block_count: sectors.
        made: what blocks that link have in place of the subcode that nobody can read: that of
            the tracks they lie in. None: zeros, with a CRC that does not hold.
    """

    def __init__(
        self,
        reader: SectorReader,
        first_lba: int,
        block_count: int,
        made: RegionImage | None = None,
    ) -> None:
        super().__init__(reader, first_lba, block_count)
        self.block_size = reader.sub.bytes
        self._made = made

    def _bytes(self, lba: int, count: int) -> bytes:
        sub = self._reader.read(lba, count).sub
        lost = [] if self._made is None else self._reader.lost.intersection(range(lba, lba + count))
        if self._made is None or not lost:
            return sub.tobytes()
        sub = sub.copy()
        for each in lost:
            self._made.read_sub_into(each, sub[each - lba : each - lba + 1])
        return sub.tobytes()


class _ImageSub:
    """The subcode of an image as a `Source`: what `recover_disc` looks into."""

    def __init__(self, image: RegionImage) -> None:
        self._image = image
        self.name = "the disc"
        self.block_size = image.kind.sub_bytes
        self.block_count = image.sector_count

    def read(self, start: int, count: int) -> bytes:
        """Return blocks; see `Source`."""
        rows = np.zeros((count, self.block_size), np.uint8)
        for row in range(0, count, MAX_BLOCKS):
            part = rows[row : row + MAX_BLOCKS]
            # What cannot be read has no right CRC, and a neighbour answers for it.
            with suppress(StorageError):
                self._image.read_sub_into(self._image.first_lba + start + row, part)
        return rows.tobytes()


class _ImageMain:
    """The main channel of an image as a `Source`."""

    def __init__(self, image: RegionImage) -> None:
        self._image = image
        self.name = "the disc"
        self.block_size = SECTOR_BYTES
        self.block_count = image.sector_count

    def read(self, start: int, count: int) -> bytes:
        """Return blocks; see `Source`."""
        rows = np.empty((count, SECTOR_BYTES), np.uint8)
        self._image.read_main_into(self._image.first_lba + start, rows)
        return rows.tobytes()


_SUB_FORMS: Final = {
    mmc.SubSelection.NONE: SubForm.MADE,
    mmc.SubSelection.RAW: SubForm.RAW,
    mmc.SubSelection.Q: SubForm.PQ16,
    mmc.SubSelection.RW: SubForm.RW,
}


def read_disc(
    session: DriveSession,
    *,
    sub: mmc.SubSelection = mmc.SubSelection.RAW,
    errors: mmc.ErrorSelection = mmc.ErrorSelection.NONE,
    retries: int = 3,
) -> tuple[RegionImage, SectorReader]:
    """Return the disc in a drive as an image, and what tells of its hard sectors.

    The image reads from the drive, so the session has to stay open as long as it is used.

    Args:
        session: the drive.
        sub: the subcode that is read. Without Q no index is found, and MCN and ISRC are what the
            drive itself finds.
        errors: the error flags that are counted.
        retries: how often a sector is tried again.

    Raises:
        DriveError: there is no disc, or it cannot be read.
    """
    session.wait_until_ready()
    if session.disc_information().status is DiscStatus.BLANK:
        raise DriveError(f"{session.name}: the disc is blank: there is nothing to read")
    reader = SectorReader(session, sub=sub, errors=errors, retries=retries)
    disc = disc_of_toc(session)
    modes = {
        track.number: _header_mode(reader, track) for track in disc.tracks if not track.is_audio
    }
    if any(track.mode is not modes.get(track.number, track.mode) for track in disc.tracks):
        disc = disc_of_toc(session, modes)
    reader.run_out = _link_blocks(disc)
    text, notes = text_of(session, disc)
    if sub not in (mmc.SubSelection.RAW, mmc.SubSelection.Q):
        disc = replace(with_codes(session, disc), cdtext=text)
        notes += (
            Note(
                code="q-not-read",
                message="pregaps but the first, indexes above 1 and SCMS are not looked for, which "
                "Q alone tells (--sub raw, --sub q)",
            ),
        )
        return replace(_image_of(disc, reader), notes=notes), reader
    image = _image_of(disc, reader)
    try:
        found = recover_disc(_ImageSub(image), _ImageMain(image))
    except StorageError as error:
        raise DriveError(str(error), command="READ CD") from error
    except FormatError as error:
        _log.warning("%s: Q is not used: %s", session.name, error)
        found = disc
        notes += (Note(code="q-not-used", message=f"indexes and codes are not read: {error}"),)
    links = reader.run_out = _link_blocks(found)
    reader.lost &= links  # a bad sector elsewhere is an error after all
    image = _image_of(replace(found, cdtext=text), reader, known=True)
    return replace(image, notes=notes), reader


def _link_blocks(disc: Disc) -> frozenset[int]:
    """Return where there are blocks without content if the disc's data tracks are at once.

    A track's end that only the table of contents tells may have the next one's pregap before it.
    """
    found: set[int] = set()
    for session in disc.sessions:
        followers = (*session.tracks[1:], None)
        for track, after in zip(session.tracks, followers, strict=True):
            if track.is_audio:
                continue
            found.update(range(track.start_lba - _RUN_IN_SECTORS, track.start_lba))
            ends = [track.end_lba]
            if after is not None and not after.pregap_sectors:
                ends.append(track.end_lba - PREGAP_SECTORS)
            for end in ends:
                found.update(range(end - RUN_OUT_SECTORS, end))
    return frozenset(found)


def _header_mode(reader: SectorReader, track: Track) -> TrackMode:
    """Return the mode that a data track's first sector has in its header."""
    mode = int(reader.read(track.start_lba, 1).main[0, _MODE_BYTE]) & 3
    return TrackMode(mode) if mode < 3 else track.mode


def _image_of(disc: Disc, reader: SectorReader, *, known: bool = False) -> RegionImage:
    """Return the disc as an image.

    Args:
        disc: what it is.
        reader: reads it.
        known: its pregaps and indexes have been found.
    """
    data = tuple(
        (track.start_lba - MODE_CHANGE_PREGAP_SECTORS, track.end_lba)
        for track in disc.tracks
        if not track.is_audio
    )
    form = _SUB_FORMS[reader.sub]
    kind = ImageType.PQ_ONLY if reader.sub is mmc.SubSelection.Q else ImageType.RAW
    made = _made(disc, kind) if known else None
    main: list[Region] = []
    sub: list[SubRegion] = []
    position = disc.first_lba
    for number, session in enumerate(disc.sessions):
        first = session.program_lba if number else first_readable(reader, session)
        main += blanks(disc, position, first)
        sub.append(SubRegion(lba=position, sectors=first - position, form=SubForm.MADE))
        count = session.lead_out_lba - first
        blocks = MainBlocks(reader, first, count, data)
        main.append(Region(lba=first, sectors=count, form=MainForm.DISC, source=blocks))
        source = None if form is SubForm.MADE else SubBlocks(reader, first, count, made)
        sub.append(
            SubRegion(
                lba=first,
                sectors=count,
                form=form,
                source=source,
                rw_packed=reader.sub is mmc.SubSelection.RW,
            )
        )
        position = session.lead_out_lba
    main += blanks(disc, position, disc.end_lba)
    sub.append(SubRegion(lba=position, sectors=disc.end_lba - position, form=SubForm.MADE))
    return RegionImage(disc=disc, main=tuple(main), sub=tuple(sub), kind=kind)


def _made(disc: Disc, kind: ImageType) -> RegionImage:
    """Return an image of the disc without content, its subcode that of the tracks."""
    first, end = disc.first_lba, disc.end_lba
    return RegionImage(
        disc=disc,
        main=tuple(blanks(disc, first, end)),
        sub=(SubRegion(lba=first, sectors=end - first, form=SubForm.MADE),),
        kind=kind,
    )


def first_readable(reader: SectorReader, session: Session) -> int:
    """Return where the first session can be read from: many drives refuse what is before LBA 0."""
    for lba in (session.program_lba, 0):
        try:
            reader.read(lba, 1)
        except DriveError as error:
            if is_refused(error) or (error.sense is not None and error.sense[0] in (3, 8)):
                continue
            raise
        return lba
    _log.warning("%s: neither LBA %s nor LBA 0 can be read", reader.name, Msf.from_lba(0))
    return 0
