"""Erasing a CD-RW: its lists alone, or all of it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from rawcd.errors import CancelledError, DriveError
from rawcd.progress import BurnAction, BurnProgress
from rawcd_writers.drive import mmc
from rawcd_writers.drive.replies import DiscStatus

if TYPE_CHECKING:
    from rawcd.progress import BurnWatch
    from rawcd_writers.drive.session import DriveSession


def blank(
    session: DriveSession, *, quick: bool, progress: BurnWatch | None, patience: float
) -> None:
    """Erase a CD-RW; see `DriveSession.blank`."""
    session.wait_until_ready()
    info = session.disc_information()
    if not info.erasable:
        raise DriveError(f"{session.name}: the disc cannot be erased; take a CD-RW")
    started = time.monotonic()
    begun = False

    def told() -> None:
        if progress is not None:
            now = BurnProgress(
                action=BurnAction.BLANKING,
                start_lba=0,
                sector_count=0,
                read_lba=0,
                written_lba=-1,
                buffer_used=0,
                buffer_total=0,
                elapsed=time.monotonic() - started,
                remaining=None,
            )
            if progress(now) is False:
                raise CancelledError(
                    "stopped by the caller",
                    disc_state="the drive goes on erasing by itself"
                    if begun
                    else "nothing was erased",
                )

    dialogue = session.dialogue
    kind = mmc.Blanking.MINIMAL if quick else mmc.Blanking.DISC
    try:
        with session.locked():
            dialogue.while_waiting = told
            told()
            begun = True
            # The disc that was looked at is meant, and no other that was put in meanwhile.
            dialogue.ask(mmc.blank(kind, immediate=True), patience=patience, after_change=False)
            dialogue.ask(mmc.test_unit_ready(), patience=patience)
            dialogue.while_waiting = None
            state = session.disc_information().status
    except DriveError as error:
        dialogue.while_waiting = None
        words = session.state_in_words()
        error.disc_state = f"erasing was begun; {words}" if begun else "nothing was erased"
        raise
    except CancelledError:
        raise
    except BaseException as error:  # Ctrl-C, or what `progress` raises
        error.add_note("the drive goes on erasing by itself" if begun else "nothing was erased")
        raise
    finally:
        dialogue.while_waiting = None
    if state is not DiscStatus.BLANK:
        raise DriveError(
            f"{session.name}: the drive has erased the disc and does not call it blank",
            command="BLANK",
            disc_state=session.state_in_words(),
        )
