"""Those who are told: event sinks, each under its cookie, and when they are told.

IMAPI's events are calls of an object that the program has advised. Here it is a function of two
arguments, the object that tells and what it tells.
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable
from typing import Any, Final

from rawcd.hresults import HResult
from rawcd.mastering.formats2.refusals import refusal

_log = logging.getLogger(__name__)

Sink = Callable[[Any, Any], object]
"""Called with the object that tells and with what it tells; what it returns is not looked at."""
EVENT_SECONDS: Final = 0.5
"""The data writer's rhythm, which its page promises; nothing is promised for raw CD."""


class Sinks:
    """The sinks of one object."""

    def __init__(self) -> None:
        self._cookies = itertools.count(1)
        self._sinks: dict[int, Sink] = {}

    def __bool__(self) -> bool:
        return bool(self._sinks)

    def advise(self, sink: Sink) -> int:
        """Have a sink told from now on; return its cookie.

        Raises:
            MasteringError: it is none (E_POINTER), or cannot be called (E_INVALIDARG).
        """
        if sink is None:
            raise refusal(HResult.E_POINTER, "advise: no sink was given")
        if not callable(sink):
            raise refusal(
                HResult.E_INVALIDARG,
                f"advise: a {type(sink).__name__} cannot be called; give a function of the object "
                "that tells and of what it tells",
            )
        cookie = next(self._cookies)
        self._sinks[cookie] = sink
        return cookie

    def unadvise(self, cookie: int) -> None:
        """Tell a sink no more.

        Raises:
            MasteringError: there is no such cookie (E_INVALIDARG).
        """
        if cookie not in tuple(self._sinks):  # a script may pass what has no hash
            raise refusal(HResult.E_INVALIDARG, f"unadvise: there is no cookie {cookie!r}")
        del self._sinks[cookie]

    def tell(self, teller: object, what: object) -> None:
        """Call every sink.

        What a sink raises is logged and goes no further, as IMAPI has it: a progress bar that
        fails must not cost a disc. KeyboardInterrupt and its like pass.
        """
        for cookie, sink in tuple(self._sinks.items()):
            try:
                sink(teller, what)
            except Exception:
                _log.exception("event sink %d of %s failed; the work goes on", cookie, teller)


class Rhythm:
    """Decides which progress is an event: each change of action, and every half second."""

    def __init__(self) -> None:
        self._action: object = None
        self._next = 0.0

    def is_due(self, action: object, elapsed: float) -> bool:
        """Tell whether to tell, and count it as told.

        Args:
            action: what is being done.
            elapsed: seconds since the work began.
        """
        if action == self._action and elapsed < self._next:
            return False
        self._action = action
        self._next = elapsed + EVENT_SECONDS
        return True
