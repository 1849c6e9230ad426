"""What the objects of one mastering job share: the state, the stash, the disc, those who listen."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from rawcd.mastering.events import Listeners
from rawcd.mastering.states import Machine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rawcd.mastering.ground import Ground
    from rawcd.mastering.recorder import DiscRecorder
    from rawcd.mastering.stash import Stash
    from rawcd.mastering.states import Call


class Job:
    """A job from open to close.

    Attributes:
        machine: where it stands.
        listeners: who is told.
        stash: where the image grows.
        choice: the active recorder, and the disc that was in it when it was chosen.
    """

    def __init__(self, stash: Stash) -> None:
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

    @property
    def recorder(self) -> DiscRecorder:
        """The active recorder."""
        return self._chosen()[0]

    @property
    def ground(self) -> Ground:
        """The disc that was in it when it was chosen."""
        return self._chosen()[1]

    def _chosen(self) -> tuple[DiscRecorder, Ground]:
        assert self.choice is not None, "the table lets nothing come here without a recorder"
        return self.choice

    def reserve(self, block_bytes: int) -> None:
        """Reserve the stash's room on the disk for the largest image that the disc takes.

        Raises:
            MasteringError: the volume does not do.
        """
        kind = self.machine.format
        assert kind is not None, "nothing is staged without a format"
        self.stash.take(kind, self.ground.sectors * block_bytes)
