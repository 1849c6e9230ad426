"""The drives of a system: IDiscMaster2, and who wants to know when they come and go."""

from __future__ import annotations

import logging
import operator
import threading
import weakref
from typing import TYPE_CHECKING, Final, Protocol, SupportsIndex, runtime_checkable

from rawcd.errors import RawCDError
from rawcd.hresults import HResult
from rawcd.mastering.formats2.recorder import drive_of
from rawcd.mastering.formats2.refusals import refusal
from rawcd.recorders import list_recorders

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Iterator

    from rawcd.recorders import Recorder

_log = logging.getLogger(__name__)

POLL_SECONDS: Final = 2.0
"""How often the list of drives is looked at while somebody wants to know."""


@runtime_checkable
class DeviceEvents(Protocol):
    """Who is told of drives that come and go (DDiscMaster2Events)."""

    def notify_device_added(self, master: DiscMaster2, unique_id: str) -> object:
        """A drive has come."""
        ...

    def notify_device_removed(self, master: DiscMaster2, unique_id: str) -> object:
        """A drive has gone."""
        ...


class DiscMaster2:
    """The recorders there are (IDiscMaster2, coclass MsftDiscMaster2), by unique id.

    ```python
    master = DiscMaster2()
    if master.is_supported_environment:
        for unique_id in master:
            recorder = DiscRecorder2(unique_id)
    ```

    Args:
        recorders: names, or recorders, to go by instead of `rawcd.list_recorders`. The latter
            lists virtual ones, too, that the environment names in RAWCD_RECORDERS.
    """

    def __init__(
        self, recorders: Iterable[Recorder | str | os.PathLike[str]] | None = None
    ) -> None:
        self._fixed = None if recorders is None else tuple(map(drive_of, recorders))
        self._sinks: dict[int, DeviceEvents] = {}
        self._cookies = 0
        self._known: tuple[str, ...] = ()
        self._stop = threading.Event()
        self._lock = threading.RLock()

    def _recorders(self) -> tuple[Recorder, ...]:
        return list_recorders() if self._fixed is None else self._fixed

    def _names(self) -> tuple[str, ...]:
        return tuple(each.name for each in self._recorders())

    def __iter__(self) -> Iterator[str]:
        """Iterate over a snapshot of the unique ids (_NewEnum)."""
        return iter(self._names())

    def __len__(self) -> int:
        return self.count

    @property
    def count(self) -> int:
        """How many drives there are (Count)."""
        return len(self._names())

    def item(self, index: SupportsIndex) -> str:
        """Return the unique id of a drive, from 0 on (Item).

        Raises:
            MasteringError: E_INVALIDARG: there is none of that number.
        """
        names = self._names()
        try:
            number = operator.index(index)
        except TypeError:  # a script may pass anything
            number = -1
        if not 0 <= number < len(names):
            raise refusal(
                HResult.E_INVALIDARG, f"there is no drive {index!r}; {len(names)} are there"
            )
        return names[number]

    @property
    def is_supported_environment(self) -> bool:
        """Whether there is a drive that one may use (IsSupportedEnvironment)."""
        for recorder in self._recorders():
            try:
                with recorder.open(exclusive=False):
                    return True
            except RawCDError as error:
                _log.info("%s cannot be used: %s", recorder.name, error)
        return False

    # -- events -----------------------------------------------------------------------------------

    def advise(self, sink: DeviceEvents) -> int:
        """Have a sink told of drives that come and go; return its cookie.

        The list is looked at every two seconds on a thread of its own, and by `look_again`. The
        thread ends with the last sink, and with the master.

        Raises:
            MasteringError: E_POINTER, E_INVALIDARG: it has not the two methods.
        """
        if sink is None:
            raise refusal(HResult.E_POINTER, "advise: no sink was given")
        if not isinstance(sink, DeviceEvents):
            raise refusal(
                HResult.E_INVALIDARG,
                "advise: the sink needs notify_device_added and notify_device_removed",
            )
        with self._lock:
            if not self._sinks:
                self._known = self._names()
                self._stop = threading.Event()
                threading.Thread(
                    target=_watch,
                    args=(weakref.ref(self), self._stop),
                    name="rawcd-drives",
                    daemon=True,
                ).start()
            self._cookies += 1
            self._sinks[self._cookies] = sink
            return self._cookies

    def unadvise(self, cookie: int) -> None:
        """Tell a sink no more.

        Raises:
            MasteringError: E_INVALIDARG: there is no such cookie.
        """
        with self._lock:
            if cookie not in tuple(self._sinks):  # a script may pass what has no hash
                raise refusal(HResult.E_INVALIDARG, f"unadvise: there is no cookie {cookie!r}")
            del self._sinks[cookie]
            if not self._sinks:
                self._stop.set()

    def look_again(self) -> None:
        """Compare the drives with those of last time, and tell the sinks (rawcd's own)."""
        with self._lock:
            names, before = self._names(), self._known
            self._known = names
            sinks = tuple(self._sinks.values())
        for sink in sinks:
            for name in before:
                if name not in names:
                    self._tell(sink.notify_device_removed, name)
            for name in names:
                if name not in before:
                    self._tell(sink.notify_device_added, name)

    def _tell(self, method: Callable[[DiscMaster2, str], object], name: str) -> None:
        try:
            method(self, name)
        except Exception:
            _log.exception("a sink of device events failed")


def _watch(which: weakref.ref[DiscMaster2], stop: threading.Event) -> None:
    """Look at the list of drives as long as somebody has the master, and wants to know."""
    while not stop.wait(POLL_SECONDS):
        master = which()
        if master is None:
            return
        try:
            master.look_again()
        except RawCDError as error:
            _log.warning("the list of drives cannot be had: %s", error)
        del master  # while it waits, it keeps nothing alive
