"""What the objects of one mastering job share: the state, the stash, the disc, those who listen."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING
from weakref import WeakMethod

from rawcd.hresults import HResult
from rawcd.mastering.events import Listeners
from rawcd.mastering.refusals import refusal
from rawcd.mastering.states import Call, Machine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rawcd.mastering.ground import Ground
    from rawcd.mastering.recorder import DiscRecorder
    from rawcd.mastering.stash import Stash


class Job:
    """A job from open to close.

    Args:
        stash: where the image grows.
        close: ends the job, when that was asked for by an event and what told it has returned.

    Attributes:
        machine: where it stands.
        listeners: who is told.
        stash: where the image grows.
        choice: the active recorder, and the disc that was in it when it was chosen.
    """

    def __init__(self, stash: Stash, close: Callable[[], None]) -> None:
        self._close = WeakMethod(close)  # a job does not keep alive whom it belongs to
        self.machine = Machine()
        self.listeners = Listeners()
        self.stash = stash
        self.choice: tuple[DiscRecorder, Ground] | None = None

    @contextmanager
    def call(self, call: Call) -> Iterator[None]:
        """Refuse a call that does not fit the state; go to the next state when it has succeeded.

        Raises:
            MasteringError: it does not, with the table's code.
        """
        self.machine.check(call)
        yield
        self.machine.advance(call)

    @contextmanager
    def staging(self, call: Call) -> Iterator[None]:
        """The same for a call that tells of its progress: nothing may change the image meanwhile.

        Raises:
            MasteringError: as `call`.
        """
        try:
            with self.call(call):
                self.machine.is_staging = True
                try:
                    yield
                finally:
                    self.machine.is_staging = False
        finally:
            self.close_if_asked()

    def close_if_asked(self) -> None:
        """End the job, if an event asked for that."""
        close = self._close()
        if self.listeners.is_closing and close is not None:
            close()

    @property
    def recorder(self) -> DiscRecorder:
        """The active recorder."""
        return self._chosen()[0]

    @property
    def ground(self) -> Ground:
        """The disc that was in it when it was chosen."""
        return self._chosen()[1]

    def _chosen(self) -> tuple[DiscRecorder, Ground]:
        if self.choice is None:
            raise refusal(HResult.IMAPI_E_NOACTIVERECORDER, "no recorder is active; choose one")
        return self.choice

    def reserve(self, block_bytes: int) -> None:
        """Reserve the stash's room on the disk for the largest image that the disc takes.

        Raises:
            MasteringError: the volume does not do.
        """
        kind = self.machine.needed_format(Call.SET_RECORDER)
        self.stash.take(kind, self.ground.sectors * block_bytes)
