"""A host that speaks CDBs to the virtual recorder, and discs to burn on it.

The commands are written out byte by byte: this side must not share code with either.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import rawcd
from rawcd.msf import Msf
from rawcd.toc import drive_cue_sheet
from rawcd_writers.drive.virtual.pages import WriteParameters, WriteType

if TYPE_CHECKING:
    from rawcd.image import RegionImage
    from rawcd_writers.drive.transport import Answer
    from rawcd_writers.drive.virtual import VirtualRecorder

SYNC = bytes.fromhex("35000000000000000000")
CLOSE_SESSION = bytes.fromhex("5b000200000000000000")
GOOD, CHECK = 0, 2


class Refused(AssertionError):
    """A command that a test wanted to succeed."""


class Host:
    """Says CDBs to a recorder.

    Args:
        drive: the recorder; its unit attention is taken away.
    """

    def __init__(self, drive: VirtualRecorder) -> None:
        self.drive = drive
        drive.execute(bytes(6))

    def ask(self, cdb: bytes | str, out: bytes | memoryview = b"", data_in: int = 0) -> Answer:
        raw = bytes.fromhex(cdb) if isinstance(cdb, str) else cdb
        return self.drive.execute(raw, data_out=out, data_in=data_in)

    def run(self, cdb: bytes | str, out: bytes | memoryview = b"", data_in: int = 0) -> bytes:
        answer = self.ask(cdb, out, data_in)
        if answer.status != GOOD:
            why = self.drive.complaints[-1] if self.drive.complaints else "?"
            raise Refused(f"{answer.sense.hex()}: {why}")
        return answer.data

    def sense(self, cdb: bytes | str, out: bytes | memoryview = b"") -> tuple[int, int, int]:
        """The triple of a command that is refused."""
        answer = self.ask(cdb, out, 0xFFFF if not out else 0)
        assert answer.status == CHECK, "it was not refused"
        return answer.sense[2] & 15, answer.sense[12], answer.sense[13]

    def select(self, parameters: WriteParameters) -> None:
        self.run("55100000000000003c00", bytes(8) + parameters.build())

    def write(self, lba: int, count: int, data: bytes | memoryview) -> None:
        self.run(write_10(lba, count), data)

    def next_address(self) -> int:
        data = self.run("5201000000ff00002400", data_in=36)
        assert data[7] & 1, "there is no next address"
        return int.from_bytes(data[12:16], "big", signed=True)

    def disc_status(self) -> tuple[int, int]:
        """Disc status, and state of the last session."""
        data = self.run("51000000000000002200", data_in=34)
        return data[2] & 3, data[2] >> 2 & 3

    def atip_lead_in(self) -> int:
        data = self.run("43000400000000001c00", data_in=28)
        return Msf(*data[8:11]).to_lba()

    def burn_raw(
        self, image: RegionImage, *, test: bool = False, blocks: int = 26, block_type: int = 3
    ) -> None:
        self.select(WriteParameters(write_type=WriteType.RAW, block_type=block_type, test=test))
        lba, end = self.next_address(), image.first_lba + image.sector_count
        while lba < end:
            count = min(blocks, end - lba)
            self.write(lba, count, image.read(lba, count))
            lba += count
        self.run(SYNC)

    def burn_sao(self, image: RegionImage, *, test: bool = False, multi_session: int = 0) -> None:
        """The program area of an image of one session, as the kernel's cue sheet announces it."""
        session = image.disc.sessions[-1]
        self.select(
            WriteParameters(
                write_type=WriteType.SAO,
                block_type=0,
                test=test,
                multi_session=multi_session,
                session_format=session.disc_type,
            )
        )
        sheet = drive_cue_sheet(image.disc)
        self.run(b"\x5d" + bytes(5) + len(sheet).to_bytes(3, "big") + b"\0", sheet)
        for track in session.tracks:
            lba = track.first_lba
            while lba < track.end_lba:
                count = min(26, track.end_lba - lba)
                main = rawcd.main_sectors(image, lba, count)
                if track.mode == 1:
                    main = main[:, 16:2064]
                elif track.mode == 2:
                    main = main[:, 16:]
                self.write(lba, count, main.tobytes())
                lba += count
        self.run(SYNC)


def write_10(lba: int, count: int) -> bytes:
    return (
        b"\x2a\0" + lba.to_bytes(4, "big", signed=True) + b"\0" + count.to_bytes(2, "big") + b"\0"
    )


def read_cd(lba: int, count: int, parts: int = 0xF8, sub: int = 0, expected: int = 0) -> bytes:
    return (
        bytes([0xBE, expected << 2])
        + lba.to_bytes(4, "big", signed=True)
        + count.to_bytes(3, "big")
        + bytes([parts, sub, 0])
    )
