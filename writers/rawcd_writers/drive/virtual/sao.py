"""A session at once: the host sends what the cue sheet announces, the drive makes the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from rawcd.source import SECTOR_BYTES as MAIN_BYTES
from rawcd.subcode.interleave import LONGEST_DELAY
from rawcd.subcode.layouts import PACK_SYMBOLS, SECTOR_PACKS
from rawcd.subcode.packs import PackKind
from rawcd.subcode.rows import RW_BITS
from rawcd_writers.drive.virtual.cuesheet import SUB_BITS, SUB_NONE, SUB_PACKED, CueSheet, Stretch
from rawcd_writers.drive.virtual.leadin import SessionFrame
from rawcd_writers.drive.virtual.recording import PackWriter, check_address, check_length
from rawcd_writers.drive.virtual.refusals import Refusal
from rawcd_writers.drive.virtual.sectors import fill_blank, fill_sectors
from rawcd_writers.drive.virtual.store import SECTOR_BYTES

if TYPE_CHECKING:
    from rawcd.source import Bytes2D
    from rawcd_writers.drive.virtual.medium import Medium
    from rawcd_writers.drive.virtual.pages import WriteParameters

_STEP: Final = 512
"""Sectors that the drive makes at a time."""
_REACH: Final = -(-LONGEST_DELAY // SECTOR_PACKS)
"""Sectors over which the symbols of a pack are spread."""
_UNKNOWN: Final = [symbol for symbol in range(RW_BITS + 1) if PackKind.of(symbol) is PackKind.OTHER]
"""First symbols of packs of no known kind."""


class SaoRecording:
    """A session announced by a cue sheet (write type 2).

    Args:
        medium: what it goes on.
        parameters: page 05h, as it was when the sheet came.
        sheet: the cue sheet.
    """

    def __init__(self, medium: Medium, parameters: WriteParameters, sheet: CueSheet) -> None:
        self._medium = medium
        self._sheet = sheet
        self._made = SessionFrame(sheet.disc, parameters.multi_session)
        self._packs = PackWriter()
        self._rests: list[tuple[int, Bytes2D]] = []  # R-W that reaches into what the drive makes
        self._remarks: dict[str, tuple[int, int]] = dict.fromkeys(
            sheet.remarks, (sheet.stretches[0].lba, 1)
        )
        self._began = False
        self.test = parameters.test
        program = sheet.stretches[0].lba
        self.next_lba = sheet.lead_in_lba if sheet.text_form else program
        self._program_lba = program
        self._lead_out_lba = sheet.stretches[-1].end_lba
        self._skip_made()

    def _stretch(self, lba: int) -> Stretch:
        if lba < self._program_lba:
            return Stretch(
                lba=self._sheet.lead_in_lba,
                end_lba=self._program_lba,
                form=self._sheet.text_form | 0x01,
            )
        return next(each for each in self._sheet.stretches if lba < each.end_lba)

    def block_bytes(self, lba: int) -> int:
        """Return the size that the sheet's form has at an address."""
        return 0 if lba >= self._lead_out_lba else self._stretch(lba).block_bytes

    def write(self, lba: int, count: int, data: memoryview) -> None:
        """Record blocks; those of one WRITE may differ in size where the sheet says so."""
        check_address(lba, self.next_lba)
        if lba + count > self._lead_out_lba:
            check_address(self._lead_out_lba, lba + count)  # names the end as what was expected
        parts: list[tuple[Stretch, int, int]] = []
        at, size = lba, 0
        while at < lba + count:
            stretch = self._stretch(at)
            end = min(stretch.end_lba, lba + count)
            parts.append((stretch, at, end))
            size += (end - at) * stretch.block_bytes
            at = end
        if size != len(data):
            check_length(count, size // max(count, 1), data)
        offset = 0
        made = []
        delayed = self._packs.before
        try:
            for stretch, start, end in parts:
                after = offset + (end - start) * stretch.block_bytes
                made.append((start, self._sectors(stretch, start, end - start, data[offset:after])))
                offset = after
        except Refusal:
            self._packs.before = delayed  # none of it is recorded
            raise
        if not self.test:
            self._begin()
            for start, rows in made:
                self._medium.store.write(start, rows)
        self.next_lba = lba + count
        self._skip_made()

    def _begin(self) -> None:
        if not self._began:
            self._began = True
            self._medium.change(spoilt="a session at once was begun and is not finished")

    def _sectors(self, stretch: Stretch, lba: int, count: int, data: memoryview) -> Bytes2D:
        """Return the sectors that blocks of one stretch become, (n, 2448)."""
        rows = np.empty((count, SECTOR_BYTES), np.uint8)
        main, sub = rows[:, :MAIN_BYTES], rows[:, MAIN_BYTES:]
        blocks = np.frombuffer(data, np.uint8).reshape(count, stretch.block_bytes)
        form = stretch.main
        if lba < self._program_lba:
            self._made.read_main_into(lba, main)
        elif form.ignored:
            fill_blank(form.kind, lba, main)
        else:
            fill_sectors(form.kind, blocks[:, : form.host_bytes], lba, main)
        self._made.read_sub_into(lba, sub)
        given = blocks[:, form.host_bytes :]
        if stretch.form & SUB_BITS == SUB_PACKED:
            self._look_at(given, lba)
            sub |= self._packs.on_disc(given)
            return rows
        if stretch.form & SUB_BITS != SUB_NONE:
            sub |= given & RW_BITS
        sub |= self._packs.rest(count)
        return rows

    def _look_at(self, packs: Bytes2D, lba: int) -> None:
        """Note packs of a kind that no standard knows; they are recorded as they are."""
        unknown = np.isin(packs[:, ::PACK_SYMBOLS] & RW_BITS, _UNKNOWN)
        if unknown.any():
            place = lba + int(unknown.any(axis=1).argmax())
            first, times = self._remarks.get("unknown-pack", (place, 0))
            self._remarks["unknown-pack"] = first, times + int(unknown.sum())

    def _skip_made(self) -> None:
        """Go past stretches for which the host sends nothing; they are made at the end."""
        while self.next_lba < self._lead_out_lba:
            stretch = self._stretch(self.next_lba)
            if stretch.block_bytes:
                return
            self._keep_rest(stretch.lba, stretch.end_lba)
            self.next_lba = stretch.end_lba

    def _keep_rest(self, lba: int, end: int) -> None:
        """Keep for sectors that are made later what the delay of packs still holds."""
        if self._packs.before is not None:
            self._rests.append((lba, self._packs.rest(min(end - lba, _REACH))))

    def sync(self) -> bool:
        """Write lead-in and lead-out once the last sector came; see `Recording`."""
        if self.next_lba < self._lead_out_lba:
            return False
        if not self.test:
            session = self._sheet.disc.sessions[-1]
            if not self._sheet.text_form:
                self._make(self._sheet.lead_in_lba, self._program_lba)
            for stretch in self._sheet.stretches:
                if not stretch.block_bytes:
                    self._make(stretch.lba, stretch.end_lba)
            self._keep_rest(self._lead_out_lba, session.end_lba)
            self._make(self._lead_out_lba, session.end_lba)
            self._medium.finish(self._sheet.disc)
        return True

    def _make(self, lba: int, end: int) -> None:
        for at in range(lba, end, _STEP):
            rows = np.empty((min(_STEP, end - at), SECTOR_BYTES), np.uint8)
            self._made.read_into(at, rows)
            for first, rest in self._rests:
                if first == at:
                    rows[: len(rest), MAIN_BYTES:] |= rest
            self._medium.store.write(at, rows)

    def remarks(self) -> dict[str, tuple[int, int]]:
        """Return habits that were seen in the sheet and in packs."""
        return self._remarks
