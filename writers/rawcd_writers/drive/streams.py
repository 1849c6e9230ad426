"""A raw session without an image: its sectors as they come, byte for byte.

What is sent is neither looked at nor changed; who calls answers for its being a disc.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rawcd_writers.drive.feed import Run
from rawcd_writers.drive.pages import BlockType, MultiSession, WriteType
from rawcd_writers.drive.plan import WriteMode
from rawcd_writers.drive.replies import DiscStatus
from rawcd_writers.drive.writing import Writing

if TYPE_CHECKING:
    from collections.abc import Callable

    from rawcd.progress import BurnWatch
    from rawcd.source import Bytes2D
    from rawcd_writers.drive.session import DriveSession
    from rawcd_writers.drive.writing import BurnResult


class RawStreamBurn(Writing):
    """The sectors of one session, from its lead-in to the end of its lead-out, byte for byte.

    Args:
        session: the drive.
        fill: fills rows with the sectors from an address on; called on another thread.
        lba: the first sector: where this disc's lead-in begins.
        sectors: how many there are.
        block_type: what a block holds: 1, 2 or 3.
        appendable: another session may follow this one.
        speed: how often single speed; None is the fastest.
        pure_cav: the disc turns at one speed throughout.
        underrun_protection: writing pauses when data come too late.
        progress: told on this thread after each WRITE; False or an exception stops the burn.

    Raises:
        ValueError: there are no sectors, or no such block type.
    """

    def __init__(
        self,
        session: DriveSession,
        fill: Callable[[int, Bytes2D], None],
        *,
        lba: int,
        sectors: int,
        block_type: int,
        appendable: bool,
        speed: float | None,
        pure_cav: bool,
        underrun_protection: bool,
        progress: BurnWatch | None,
    ) -> None:
        if sectors < 1:
            raise ValueError(f"a session has sectors, and not {sectors}")
        super().__init__(
            session,
            start_lba=lba,
            count=sectors,
            speed=speed,
            pure_cav=pure_cav,
            underrun_protection=underrun_protection,
            progress=progress,
        )
        self._block_type = BlockType(block_type)
        self._multi_session = MultiSession.OPEN if appendable else MultiSession.CLOSED
        self._fill = fill

    def run(self) -> BurnResult:
        """Burn.

        Raises:
            DriveError: the drive failed; `.disc_state` says what became of the disc.
            CancelledError: `progress` said stop; `.disc_state` likewise.
        """
        self._attend(self._write)
        return self._result(WriteMode.RAW)

    def _write(self) -> None:
        self._begin()
        page = self._parameters(WriteType.RAW, self._block_type, self._multi_session)
        self._session.set_write_parameters(page)
        self._calibrate()
        run = Run(
            lba=self._start_lba,
            sectors=self._count,
            block_bytes=self._block_type.bytes,
            fill=self._fill,
        )
        self._send([run])
        self._flush()
        self._settle()
        more = self._multi_session is MultiSession.OPEN
        expected = DiscStatus.APPENDABLE if more else DiscStatus.COMPLETE
        self._confirm(expected)
