"""Asking a drive, and what to do when it does not simply answer.

One place waits for a busy drive, asks again after its state has changed, and turns everything
else into an error that names the command, the address and the reason.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Final, TypeVar

from rawcd.errors import DriveError, FormatError, StorageError
from rawcd_writers.drive.sense import Action, Sense
from rawcd_writers.drive.transport import (
    BUSY,
    CHECK_CONDITION,
    GOOD,
    RESERVATION_CONFLICT,
    TASK_SET_FULL,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from rawcd_writers.drive.command import Command
    from rawcd_writers.drive.transport import Transport

_log = logging.getLogger(__name__)

R = TypeVar("R")

PATIENCE_SECONDS: Final = 120.0
"""How long a drive may stay busy before that is an error."""
_FIRST_PAUSE: Final = 0.01
_LONGEST_PAUSE: Final = 1.0
_LENGTH_BYTES: Final = {0x43: 2, 0x46: 4, 0x51: 2, 0x52: 2, 0x5A: 2, 0xAC: 4}
"""Bytes at the start of a reply that say how many follow, by command (MMC, SPC)."""
_ATTENTIONS: Final = 4
"""A drive has several to report at times: a reset, a new disc, changed parameters."""


class Dialogue:
    """What is said to a drive.

    Args:
        transport: the way to it. Where it has a `clock` of its own, as a recorder on simulated
            time has, pauses and patience go by that.

    Attributes:
        transport: the way to the drive.
        warnings: what the drive did all the same but remarked upon, once each.
        changes: of the drive's state, as it told of them, where a command was sent again.
        while_waiting: called before each pause; what it raises ends the wait.
    """

    def __init__(self, transport: Transport) -> None:
        self.transport = transport
        self.warnings: list[Sense] = []
        self.changes: list[DriveError] = []
        self.while_waiting: Callable[[], None] | None = None
        clock = getattr(transport, "clock", None)
        self._sleep: Callable[[float], None] = time.sleep if clock is None else clock.wait
        self._now: Callable[[], float] = time.monotonic if clock is None else clock.now

    def ask(
        self,
        command: Command[R],
        *,
        patience: float = PATIENCE_SECONDS,
        after_change: bool = True,
    ) -> R:
        """Send a command until the drive has carried it out, and return its reply.

        Args:
            command: what is asked.
            patience: seconds that the drive may be busy.
            after_change: ask again where the drive reports that its state has changed. In the
                middle of a burn that is an error: the disc is not what it was.

        Raises:
            DriveError: the drive refused or failed, stayed busy, or cannot be reached.
        """
        pause, deadline, attentions = _FIRST_PAUSE, self._now() + patience, 0
        cut = False
        while True:
            try:
                answer = self.transport.execute(
                    command.cdb,
                    data_out=command.data_out,
                    data_in=command.data_in,
                    timeout=command.timeout,
                )
            except (DriveError, StorageError) as error:  # the latter of a disc that is a file
                why = str(error).removeprefix(f"{self.transport.name}: ")  # once is enough
                raise DriveError(
                    f"{self._place(command)}: {why}", command=command.name, lba=command.lba
                ) from error
            sense = Sense.parse(answer.sense) if answer.status == CHECK_CONDITION else None
            action = Action.STOP
            if answer.status in (BUSY, TASK_SET_FULL):
                action = Action.WAIT
            elif answer.status == GOOD:
                action = Action.GO_ON
            elif sense is not None:
                action = sense.action
            if action is Action.GO_ON:
                if sense is not None:
                    self._remark(command, sense)
                if not cut and _is_cut(command, answer.data):
                    cut = True  # once: some drives tell lengths that they never send
                    _log.info("%s: %s bytes came, and not all", command.name, len(answer.data))
                    continue
                return self._reply(command, answer.data, answer.residual)
            if action is Action.ASK_AGAIN and after_change and attentions < _ATTENTIONS:
                attentions += 1
                self.changes.append(self._refusal(command, answer.status, sense, waited=False))
                _log.info("%s: %s", command.name, sense)
                continue
            if action is Action.WAIT and self._now() < deadline:
                if self.while_waiting is not None:
                    self.while_waiting()
                self._sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
                continue
            raise self._refusal(command, answer.status, sense, waited=action is Action.WAIT)

    def _remark(self, command: Command[R], sense: Sense) -> None:
        if sense.key and sense not in self.warnings:
            self.warnings.append(sense)
            _log.warning("%s: %s", command.name, sense)

    def _reply(self, command: Command[R], data: bytes, residual: int) -> R:
        sent = len(memoryview(command.data_out).cast("B"))
        if sent and residual:
            raise DriveError(
                f"{self._place(command)}: the drive took {sent - residual} of {sent} bytes",
                command=command.name,
                lba=command.lba,
            )
        try:
            return command.reply(data)
        except FormatError as error:
            raise DriveError(
                f"{self._place(command)}: the reply cannot be read: {error}", command=command.name
            ) from error

    def _place(self, command: Command[R]) -> str:
        where = command.name if command.lba is None else f"{command.name} at LBA {command.lba}"
        return f"{self.transport.name}: {where}"

    def _refusal(
        self, command: Command[R], status: int, sense: Sense | None, *, waited: bool
    ) -> DriveError:
        if sense is not None:
            why = f"the drive stayed busy: {sense}" if waited else str(sense)
        elif status == RESERVATION_CONFLICT:
            why = "somebody else has reserved the drive"
        elif waited:
            why = "the drive stayed busy"
        else:
            why = f"the drive failed and does not say why (status {status:#04x})"
        return DriveError(
            f"{self._place(command)}: {why}",
            sense=None if sense is None else sense.triple,
            command=command.name,
            lba=command.lba,
        )

    def can(self, command: Command[R]) -> bool:
        """Tell whether the drive carries a command out; any refusal of the request is a no.

        Raises:
            DriveError: it failed otherwise.
        """
        return self.ask_if_known(command) is not _UNKNOWN

    def ask_if_known(self, command: Command[R]) -> R | object:
        """Return the reply, or a mark that is no reply where the drive refuses the request.

        Raises:
            DriveError: it failed otherwise.
        """
        try:
            return self.ask(command)
        except DriveError as error:
            if is_refused(error):
                return _UNKNOWN
            raise

    def reply_or_none(self, command: Command[R]) -> R | None:
        """Return the reply; None where the drive does not know the command, or has no disc.

        Raises:
            DriveError: it failed otherwise.
        """
        try:
            return self.ask(command)
        except DriveError as error:
            if is_refused(error) or (error.sense is not None and error.sense[1] == NO_DISC):
                return None
            raise


NO_DISC: Final = 0x3A
"""The additional sense code of an empty drive."""
_ILLEGAL_REQUEST: Final = 5
_UNKNOWN: Final = object()


def is_refused(error: DriveError) -> bool:
    """Tell whether a drive refused the request itself: it lacks what was asked for."""
    return error.sense is not None and error.sense[0] == _ILLEGAL_REQUEST


def _is_cut(command: Command[R], data: bytes) -> bool:
    """Tell whether a reply ends before the end that it announces, and there was room for it."""
    size = _LENGTH_BYTES.get(command.cdb[0])
    if size is None:
        return False
    told = size + int.from_bytes(data[:size]) if len(data) >= size else size
    return len(data) < min(told, command.data_in)
