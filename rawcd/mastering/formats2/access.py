"""Who holds which drive: exclusive access is counted, and one object has it at a time.

Sessions are opened when something is asked and closed behind it, so that a drive is free for
others whenever nobody holds it; under exclusive access one session stays open. The list is this
process's; between processes the system's own lock on the device stands.
"""

from __future__ import annotations

import threading
import weakref
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rawcd.hresults import HResult
from rawcd.mastering.formats2.refusals import asking, refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rawcd.drives import DriveSession
    from rawcd.errors import MasteringError
    from rawcd.recorders import Recorder


@dataclass(slots=True, kw_only=True)
class _Hold:
    """A drive that is held.

    Attributes:
        holder: the object that has it, as long as somebody has that.
        client: in whose name.
        session: with it.
        ending: lets go of the drive when its holder is gone.
        count: how often it was taken and not yet let go.
    """

    holder: weakref.ref[object]
    client: str
    session: DriveSession
    ending: weakref.finalize[..., object]
    count: int = 1

    def is_of(self, holder: object) -> bool:
        """Tell whether an object has it."""
        return self.holder() is holder


class Holds:
    """The drives that are held, by name."""

    def __init__(self) -> None:
        self._held: dict[str, _Hold] = {}
        self._lock = threading.RLock()

    def owner(self, recorder: Recorder) -> str | None:
        """Return in whose name a drive is held; None where nobody of this process holds it."""
        with self._lock:
            hold = self._held.get(recorder.name)
            return None if hold is None else hold.client

    def holds(self, recorder: Recorder, holder: object) -> bool:
        """Tell whether an object has a drive."""
        with self._lock:
            hold = self._held.get(recorder.name)
            return hold is not None and hold.is_of(holder)

    def take(self, recorder: Recorder, holder: object, client: str) -> None:
        """Take a drive, or count once more where the same object has it.

        Raises:
            MasteringError: another has it (E_IMAPI_RECORDER_LOCKED), or it cannot be opened.
        """
        with self._lock:
            hold = self._held.get(recorder.name)
            if hold is None:
                with asking():
                    session = recorder.open(exclusive=True, client=client)
                self._held[recorder.name] = _Hold(
                    holder=weakref.ref(holder),
                    client=client,
                    session=session,
                    ending=weakref.finalize(holder, self._lost, recorder.name, session),
                )
            elif hold.is_of(holder):
                hold.count += 1
            else:
                raise _locked(recorder, hold)

    def release(self, recorder: Recorder, holder: object) -> bool:
        """Let go once; return whether there was something to let go."""
        with self._lock:
            hold = self._held.get(recorder.name)
            if hold is None or not hold.is_of(holder):
                return False
            hold.count -= 1
            if not hold.count:
                del self._held[recorder.name]
                hold.ending.detach()
                hold.session.close()
            return True

    def _lost(self, name: str, session: DriveSession) -> None:
        """Let go of a drive whose holder is gone, as COM does with the last reference."""
        with self._lock:
            hold = self._held.get(name)
            if hold is not None and hold.session is session:
                del self._held[name]
                session.close()

    @contextmanager
    def session(self, recorder: Recorder, holder: object, client: str) -> Iterator[DriveSession]:
        """Give a session to ask something: the one that is held, else one for this block alone.

        Raises:
            MasteringError: another holds the drive, it cannot be opened, or what is asked fails.
        """
        with self._lock:
            hold = self._held.get(recorder.name)
            if hold is not None and not hold.is_of(holder):
                raise _locked(recorder, hold)
        with asking():
            if hold is not None:
                yield hold.session
            else:
                with recorder.open(exclusive=False, client=client) as session:
                    yield session


def _locked(recorder: Recorder, hold: _Hold) -> MasteringError:
    return refusal(HResult.E_IMAPI_RECORDER_LOCKED, f"{recorder.name} is held by {hold.client!r}")


HOLDS: Final = Holds()
"""Those of this process."""
