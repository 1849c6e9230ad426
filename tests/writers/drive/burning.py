"""Discs to burn, and a drive that hands each command on and keeps what it was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

import rawcd
from rawcd_writers.drive.virtual import blank_named
from rawcd_writers.drive.virtual.device import VirtualRecorder

if TYPE_CHECKING:
    from collections.abc import Callable

    from _typeshed import ReadableBuffer

    from rawcd.image import RegionImage
    from rawcd_writers.drive.transport import Answer


def sound(sectors: int, seed: int = 1) -> bytes:
    return np.random.default_rng(seed).integers(0, 256, sectors * 2352, np.uint8).tobytes()


def album(**more: Any) -> RegionImage:
    """Two tracks of sound with catalogue number, ISRC, an index, a gap."""
    creator = rawcd.RawCDImageCreator()
    creator.media_catalog_number = "4006381333931"
    first = creator.track_info(creator.add_track(sound(400)))
    first.isrc = "USRC17607839"
    creator.add_track(sound(350, 2), pregap=75)
    creator.track_info(2).add_track_index(100)
    for name, value in more.items():
        setattr(creator, name, value)
    return creator.create_result_image()


def mixed() -> RegionImage:
    """A data track and one of sound."""
    creator = rawcd.RawCDImageCreator()
    data = np.random.default_rng(3).integers(0, 256, 320 * 2048, np.uint8).tobytes()
    creator.add_track(data, sector_type=rawcd.SectorType.MODE1)
    creator.add_track(sound(310), pregap=150)
    return creator.create_result_image()


def two_sessions() -> RegionImage:
    """A session of sound, and one of data behind it."""
    creator = rawcd.RawCDImageCreator()
    creator.appendable = True
    creator.add_track(sound(400))
    creator = rawcd.RawCDImageCreator(after=creator.create_result_image())
    data = np.random.default_rng(4).integers(0, 256, 320 * 2048, np.uint8).tobytes()
    creator.add_track(data, sector_type=rawcd.SectorType.MODE1)
    return creator.create_result_image()


class Spy:
    """A transport that notes each command before the recorder behind it gets it."""

    def __init__(self, recorder: VirtualRecorder) -> None:
        self.recorder = recorder
        self.name, self.max_bytes, self.clock = recorder.name, 131_072, recorder.clock
        self.cdbs: list[bytes] = []
        self.written: list[tuple[int, int, bytes]] = []
        self.selected: list[bytes] = []
        self.sheets: list[bytes] = []
        self.closed = 0
        self.before: Callable[[bytes], Answer | None] = lambda cdb: None

    def execute(
        self,
        cdb: bytes,
        *,
        data_out: ReadableBuffer = b"",
        data_in: int = 0,
        timeout: float = 30.0,
    ) -> Answer:
        self.cdbs.append(cdb)
        told = self.before(cdb)
        if told is not None:
            return told
        answer = self.recorder.execute(cdb, data_out=data_out, data_in=data_in, timeout=timeout)
        if answer.status == 0 and cdb[0] == 0x2A:
            lba = int.from_bytes(cdb[2:6], signed=True)
            self.written.append((lba, int.from_bytes(cdb[7:9]), bytes(data_out)))
        if cdb[0] == 0x55:
            self.selected.append(bytes(data_out)[8:])
        if cdb[0] == 0x5D:
            self.sheets.append(bytes(data_out))
        return answer

    def close(self) -> None:
        self.closed += 1

    @property
    def names(self) -> list[int]:
        """Opcodes, a run of the same one once."""
        codes = [cdb[0] for cdb in self.cdbs]
        return [code for place, code in enumerate(codes) if not place or codes[place - 1] != code]


def blank_disc(kind: str = "cdr-short") -> Spy:
    return Spy(VirtualRecorder(blank=blank_named(kind)))
