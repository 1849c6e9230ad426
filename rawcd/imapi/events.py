"""Events: an object of the script's is told how far a job is."""

from __future__ import annotations

import contextlib
import traceback
from functools import partial
from typing import TYPE_CHECKING, Any

from rawcd.imapi.automation import given
from rawcd.imapi.failures import as_com_errors
from rawcd.imapi.library import CLASSES, interface_of
from rawcd.imapi.objects import ComObject, com_object_of, created

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rawcd.imapi.library.values import Interface, Member


def handler_of(sink: object, event: str) -> Callable[..., object] | None:
    """Return what of a sink takes an event: `OnUpdate`, as win32com wants it, or `Update`."""
    for name in (f"On{event}", event):
        handler = getattr(sink, name, None)
        if callable(handler):
            return handler  # type: ignore[no-any-return]  # callable() knows no signature
    return None


def events_of(source: ComObject) -> Interface | None:
    """Return the interface of an object's events; None where it has none."""
    for each in CLASSES:
        if each.interface == source._interface_.name and each.events:
            return interface_of(each.events)
    return None


class Ear:
    """What our objects tell: a function of who tells and what, and a method for each event.

    What the handlers return is ignored, as IMAPI does, and an exception that leaves one is printed
    and goes no further, as win32com does: the way to stop a job is its Cancel method. Ctrl-C still
    passes through.
    """

    def __init__(self, events: Interface, sink: object) -> None:
        self._events = events
        self._sink = sink
        for member in events.members:
            setattr(self, str(member.ours), partial(self._tell, member))

    def __call__(self, teller: object, what: object) -> None:
        """Tell the sink the only event that there is."""
        self._tell(self._events.members[0], teller, what)

    def _tell(self, member: Member, teller: object, what: object) -> None:
        handler = handler_of(self._sink, member.name)
        if handler is None:
            return
        first, *rest = member.arguments
        values = [given(first.shape, teller)]
        for each in rest:  # one value is the argument; several are parts of what is told
            value = what if len(rest) == 1 else getattr(what, each.ours)
            values.append(given(each.shape, value))
        try:
            handler(*values)
        except Exception:
            traceback.print_exc()


class Connection:
    """A sink that is connected to an object; `close` ends it.

    Args:
        source: the object whose events are wanted.
        sink: the script's object.

    Raises:
        TypeError: the object has no events, or the sink takes none of them.
    """

    def __init__(self, source: ComObject, sink: object) -> None:
        events = events_of(source)
        if events is None:
            raise TypeError(f"{source._name_} has no events")
        if not any(handler_of(sink, each.name) for each in events.members):
            names = " or ".join(f"On{each.name}" for each in events.members)
            raise TypeError(f"a {type(sink).__name__} takes no event of {source._name_}: {names}")
        self._source = source
        self._cookie: Any = None
        with as_com_errors(source._name_):
            self._cookie = source._target_.advise(Ear(events, sink))

    def close(self) -> None:
        """End the connection; closing twice is allowed."""
        if self._cookie is not None:
            cookie, self._cookie = self._cookie, None
            with as_com_errors(self._source._name_):
                self._source._target_.unadvise(cookie)


def with_events(disp: object, user_event_class: Any) -> Any:
    """Connect a sink to an object and return it (win32com.client.WithEvents).

    Args:
        disp: the object, or the ProgID of a new one.
        user_event_class: a class with `OnUpdate`, of which an instance is made and returned; or
            an object of one's own with `OnUpdate` or `Update`.

    Returns:
        The instance, whose `close()` ends the connection; until then the object keeps it. An
        object of one's own is connected for good.

    Raises:
        TypeError: the object has no events, or the sink takes none of them.
    """
    wanted = com_object_of(disp) or created(disp)[0]
    if not isinstance(user_event_class, type):
        sink = user_event_class
        _keep(sink, Connection(wanted, sink))
        return sink
    shaped = type("COMEventClass", (_Closable, user_event_class), {})
    instance = shaped()
    _keep(instance, Connection(wanted, instance))
    return instance


def _keep(holder: object, connection: Connection) -> None:
    with contextlib.suppress(AttributeError, TypeError):  # an object with slots holds nothing
        object.__setattr__(holder, "_connection_", connection)


class _Closable:
    """What `WithEvents` adds to a sink's class."""

    _connection_: Connection | None = None

    def close(self) -> None:
        """End the connection."""
        if self._connection_ is not None:
            self._connection_.close()


def events_class(prog_id: object) -> type | None:
    """Return what a sink of a class's events inherits from (win32com.client.getevents).

    ```python
    class Progress(getevents("IMAPI2.MsftDiscFormat2RawCD")):
        def OnUpdate(self, sender, progress): ...

    listening = Progress(writer)  # until listening.close()
    ```

    Args:
        prog_id: a ProgID or CLSID.

    Returns:
        The class; None where objects of that class have no events.

    Raises:
        com_error: there is no such class.
    """
    known = created(prog_id)[0]
    return None if events_of(known) is None else _Listening


class _Listening(_Closable):
    """What `events_class` gives: made of an object, it listens to that."""

    def __init__(self, oobj: object = None) -> None:
        if oobj is not None:
            _keep(self, Connection(com_object_of(oobj) or created(oobj)[0], self))


class _Both(_Closable):
    """What `DispatchWithEvents` adds: the object's members, beside those of the sink."""

    _object_: ComObject

    @property
    def _oleobj_(self) -> ComObject:
        return self._object_

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") and name.endswith("_"):
            raise AttributeError(name)
        return getattr(self._object_, name)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._object_)

    def __len__(self) -> int:
        return len(self._object_)

    def __bool__(self) -> bool:
        return True

    def __getitem__(self, index: Any) -> Any:
        return self._object_[index]

    def __call__(self, *given_: Any, **named: Any) -> Any:
        """Call or read the object's default member."""
        return self._object_(*given_, **named)

    def __setattr__(self, name: str, value: Any) -> None:
        member = self._object_._interface_.find(name)
        if member is None or hasattr(type(self), name):
            object.__setattr__(self, name, value)  # the sink's own
        else:
            setattr(self._object_, name, value)


def dispatch_with_events(clsid: object, user_event_class: type) -> Any:
    """Create an object whose events a class handles (win32com.client.DispatchWithEvents).

    Args:
        clsid: a ProgID or CLSID, or an object that is there.
        user_event_class: a class with `OnUpdate`.

    Returns:
        One that is both: it has the object's members, and `self` in the handlers is it.

    Raises:
        com_error: there is no such class.
        TypeError: the object has no events, or the sink takes none of them.
    """
    source = com_object_of(clsid) or created(clsid)[0]
    both: Any = type("COMEventClass", (_Both, user_event_class), {})
    instance = object.__new__(both)
    object.__setattr__(instance, "_object_", source)
    super(_Closable, instance).__init__()
    _keep(instance, Connection(source, instance))
    return instance
