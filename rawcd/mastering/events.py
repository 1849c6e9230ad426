"""Progress events of IMAPI version 1, and those who listen to them."""

from __future__ import annotations

import itertools
import logging
from typing import TYPE_CHECKING, Final

from rawcd.hresults import HResult
from rawcd.mastering.refusals import refusal

if TYPE_CHECKING:
    from collections.abc import Callable

_log = logging.getLogger(__name__)


class DiscMasterProgressEvents:
    """What an application is told (IDiscMasterProgressEvents); override what you want.

    The order of a burn of N tracks of sound: `notify_preparing_burn`;
    `notify_track_progress(0, N)`; `notify_block_progress`, many times;
    `notify_track_progress(1, N)`; ... (N, N); `notify_closing_disc`; `notify_burn_complete`.
    A data disc has no `notify_track_progress`.
    `query_cancel` may come between any two.

    All of it comes on the thread that called. What a method raises ends the work as if
    `query_cancel` had answered True, and is the cause of that error; but NotImplementedError
    (E_NOTIMPL) says that the event is not wanted. Calls that change the job are E_UNEXPECTED while
    it tells, and `close` ends the work first.
    """

    def query_cancel(self) -> bool:
        """Answer True to end `add_data`, `add_audio_track_blocks` or `record_disc` (USERABORT)."""
        return False

    def notify_pnp_activity(self) -> None:
        """The list of recorders has changed: enumerate again."""

    def notify_add_progress(self, completed: int, total: int) -> None:
        """Staging goes on: the first step, the last, and some between."""

    def notify_block_progress(self, completed: int, total: int) -> None:
        """The burn goes on: blocks of the whole disc, the first, the last, and some between."""

    def notify_track_progress(self, current: int, total: int) -> None:
        """So many tracks of sound are done; 0 when the first begins."""

    def notify_preparing_burn(self, seconds: int) -> None:
        """The burn begins in about so many seconds; until then nothing is heard."""

    def notify_closing_disc(self, seconds: int) -> None:
        """The disc is closed in about so many seconds; until then nothing is heard."""

    def notify_burn_complete(self, hresult: HResult) -> None:
        """The burn is over: what `record_disc` will return, or raise."""

    def notify_erase_complete(self, hresult: HResult) -> None:
        """The erasing is over: what `erase` will return, or raise."""


_EVENTS: Final = tuple(name for name in vars(DiscMasterProgressEvents) if name[0] != "_")


class Listeners:
    """Those who listen, in the order in which they came.

    Attributes:
        is_closing: the job is to end, so the work that goes on has to stop.
    """

    def __init__(self) -> None:
        self.is_closing = False
        self._sinks: dict[int, DiscMasterProgressEvents] = {}
        self._cookies = itertools.count(1)
        self._failed: Exception | None = None

    def advise(self, sink: DiscMasterProgressEvents) -> int:
        """Add one, and return the number by which it can be taken off.

        Raises:
            MasteringError: nobody is given (E_POINTER), or one that lacks an event
                (E_INVALIDARG).
        """
        if sink is None:
            raise refusal(HResult.E_POINTER, "progress_advise: nobody is given")
        lacking = [name for name in _EVENTS if not callable(getattr(sink, name, None))]
        if lacking:
            raise refusal(
                HResult.E_INVALIDARG,
                f"progress_advise: a {type(sink).__name__} has no {lacking[0]}(); inherit from "
                "DiscMasterProgressEvents",
            )
        cookie = next(self._cookies)
        self._sinks[cookie] = sink
        return cookie

    def unadvise(self, cookie: int) -> None:
        """Take one off.

        Raises:
            MasteringError: nobody has that number (E_INVALIDARG; no page says which code).
        """
        if cookie not in tuple(self._sinks):  # a script may pass what has no hash
            raise refusal(HResult.E_INVALIDARG, f"nobody listens under the cookie {cookie!r}")
        del self._sinks[cookie]

    def begin(self) -> None:
        """Forget what earlier work left behind."""
        self._failed = None

    def tell(self, event: Callable[..., None], *numbers: int) -> None:
        """Tell everyone: `event` is the method of `DiscMasterProgressEvents`."""
        for sink in tuple(self._sinks.values()):
            try:
                getattr(sink, event.__name__)(*numbers)
            except NotImplementedError:  # IMAPI: E_NOTIMPL for what one does not want to be told
                continue
            except Exception as error:  # whatever a stranger's method raises
                _log.warning("%s: %r", event.__name__, error)
                self._failed = self._failed or error

    def check_cancelled(self) -> None:
        """Ask everyone whether to go on.

        Raises:
            MasteringError: somebody says stop, a method has failed, or the job is to end
                (USERABORT).
        """
        for sink in tuple(self._sinks.values()):
            if self._failed is not None:
                break
            try:
                stop = sink.query_cancel()
            except NotImplementedError:
                continue
            except Exception as error:
                self._failed = error
            else:
                if stop:
                    raise refusal(HResult.IMAPI_E_USERABORT, "stopped by query_cancel()")
        if self._failed is not None:
            raise refusal(
                HResult.IMAPI_E_USERABORT, f"stopped: a progress event failed: {self._failed!r}"
            ) from self._failed
        if self.is_closing:
            raise refusal(HResult.IMAPI_E_USERABORT, "stopped by close()")
