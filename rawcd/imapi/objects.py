"""An object of ours in COM's shape: every member is looked up in the table, in any case."""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, NoReturn

from rawcd.hresults import HResult
from rawcd.imapi.automation import given, taken
from rawcd.imapi.failures import (
    as_com_errors,
    dispatch_failure,
    failure,
    not_implemented,
    set_last_hresult,
)
from rawcd.imapi.library import class_of, interface_of, plain_id
from rawcd.imapi.library.values import REQUIRED, Kind, Member, Way

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from _typeshed import WriteableBuffer

    from rawcd.imapi.library.values import CoClass, Interface


class _Missing:
    """What stands for an argument that is left out (pythoncom.Missing)."""

    def __repr__(self) -> str:
        return "Missing"


MISSING: Final = _Missing()


class ComObject:
    """One of rawcd's objects, as a script written for `win32com.client` knows it.

    Properties are attributes; methods and properties with an index are called. Names are found in
    any case. A name that the interface does not have is an AttributeError for reading and for
    putting, and so is putting what can only be read: the answer of `win32com.client.dynamic`.

    Args:
        target: our object; None where the class is beyond reach.
        interface: its rows of the table.
        name: what messages call it: the ProgID, or the interface's name.
    """

    _target_: Any
    _interface_: Interface
    _name_: str

    def __init__(self, target: Any, interface: Interface, name: str = "") -> None:
        object.__setattr__(self, "_target_", target)
        object.__setattr__(self, "_interface_", interface)
        object.__setattr__(self, "_name_", name or interface.name)

    def __repr__(self) -> str:
        return f"<COMObject {self._name_}>"

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *(each.name for each in self._interface_.members)})

    def __bool__(self) -> bool:
        return True  # whatever Count says

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ComObject) and self._identity_() == other._identity_()

    def __hash__(self) -> int:
        return hash(self._identity_())

    def __reduce__(self) -> NoReturn:
        """Refuse: an object of COM is no value that could be copied or pickled."""
        raise TypeError(f"{self._name_} cannot be copied or pickled; make another with Dispatch")

    def _identity_(self) -> tuple[int, str]:
        return id(self if self._target_ is None else self._target_), self._interface_.name

    # -- members ---------------------------------------------------------------------------------

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") and name.endswith("_"):
            raise AttributeError(name)
        member = self._interface_.find(name)
        if member is None:
            raise AttributeError(
                f"{self._name_}.{name}: {self._interface_.name} has no such member"
            )
        if member.is_call:
            return BoundMember(self, member)
        if member.way is Way.ITEMS:
            return iter(self)
        self._require_reachable_(member)
        with as_com_errors(self._name_):
            value = getattr(self._target_, str(member.ours))
        return self._result_(member, value)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in self.__dict__:
            object.__setattr__(self, name, value)
            return
        member = self._interface_.find(name)
        if member is None or member.way is not Way.GET_PUT:
            raise AttributeError(f"Property '{self._name_}.{name}' can not be set.")
        self._require_reachable_(member)
        new = taken(member.shape, value, 1)
        with as_com_errors(self._name_):
            setattr(self._target_, str(member.ours), new)
        set_last_hresult(HResult.S_OK)

    def _call_(self, member: Member, given_: Sequence[Any], named: Mapping[str, Any]) -> Any:
        self._require_reachable_(member)
        arguments = _arguments(member, given_, named)
        with as_com_errors(self._name_):
            value = getattr(self._target_, str(member.ours))(**arguments)
        return self._result_(member, value)

    def _require_reachable_(self, member: Member) -> None:
        if member.ours is None:
            what = f"{self._interface_.name}.{member.name}"
            raise not_implemented(what, member.why, source=self._name_)

    def _result_(self, member: Member, value: Any) -> Any:
        code = HResult.S_OK
        if member.codes:
            code = HResult(member.codes[value])
        elif isinstance(value, HResult):  # all there is to say
            code, value = value, None
        elif isinstance(value, tuple) and value and isinstance(value[0], HResult):
            code, value = value
        elif member.shape.kind is Kind.PARTS:
            code = getattr(value, "hresult", code)
        result = given(member.shape, value)
        set_last_hresult(code)
        return result

    # -- the default member, and items -----------------------------------------------------------

    def _default_(self) -> Member:
        default = self._interface_.default
        member = None if default is None else self._interface_.find(default)
        if member is None:
            raise dispatch_failure(HResult.DISP_E_MEMBERNOTFOUND)
        return member

    def __call__(self, *given_: Any, **named: Any) -> Any:
        """Call or read the default member, as `master(0)` is `master.Item(0)`."""
        member = self._default_()
        if member.is_call:
            return self._call_(member, given_, named)
        if given_ or named:
            raise dispatch_failure(HResult.DISP_E_BADPARAMCOUNT)
        return getattr(self, member.name)

    def __getitem__(self, index: Any) -> Any:
        if self._interface_.default is None:
            raise TypeError(f"{self._name_} has no items")
        return self(index)

    def __len__(self) -> int:
        if self._interface_.find("Count") is None:
            raise TypeError(f"{self._name_} has no Count")
        return int(self.Count)

    def __iter__(self) -> Iterator[Any]:
        member = self._interface_.find("_NewEnum")
        if member is None:
            raise TypeError(f"{self._name_} cannot be enumerated")
        self._require_reachable_(member)
        with as_com_errors(self._name_):
            found = tuple(self._target_)
        return iter(tuple(given(member.shape, each) for each in found))

    # -- what pywin32 calls behind the scenes ----------------------------------------------------

    @property
    def _oleobj_(self) -> ComObject:
        """The object itself: here is no wrapper around it."""
        return self

    def _FlagAsMethod(self, *names: str) -> None:
        """Do nothing: the table knows which members are methods."""

    def QueryInterface(self, iid: object, use_iid: object = None) -> ComObject:
        """Return the object with another of its interfaces.

        Args:
            iid: an interface's id, or its name.
            use_iid: pywin32's second argument, without effect.
        """
        del use_iid
        wanted = plain_id(iid)
        if wanted in (_IUNKNOWN, _IDISPATCH, plain_id(self._interface_.iid)):
            return self
        for name in (self._interface_.name, *self._interface_.also):
            interface = interface_of(name)
            if interface is not None and wanted in (plain_id(interface.iid), name.upper()):
                target = self._answering_(name)
                if target is self._target_ and _same_members(self._interface_, interface):
                    return self
                return wrapped(target, name)
        raise failure(
            HResult.E_NOINTERFACE,
            f"{self._name_} has no interface {iid}; it has "
            f"{', '.join((self._interface_.name, *self._interface_.also))}",
            source=self._name_,
        )

    def _answering_(self, interface: str) -> Any:
        """Return what answers the calls of another interface: our object, or its bytes."""
        if self._interface_.name == "_Stream" and interface in ("ISequentialStream", "IStream"):
            with as_com_errors(self._name_):
                return self._target_.as_stream()  # ADO's Read and Write are others
        return self._target_


_IUNKNOWN: Final = "00000000-0000-0000-C000-000000000046"
_IDISPATCH: Final = "00020400-0000-0000-C000-000000000046"


def _same_members(whole: Interface, part: Interface) -> bool:
    return {each.name for each in part.members} <= {each.name for each in whole.members}


class StreamObject(ComObject):
    """An IStream, which is a binary file object of Python's, too: `shutil.copyfileobj` takes it."""

    def read(self, count: int = -1) -> bytes:
        """Read so many bytes, or all that follow."""
        with as_com_errors(self._name_):
            return bytes(self._target_.file.read(count))

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Fill the buffer, or a part of it."""
        view = memoryview(buffer).cast("B")
        piece = self.read(len(view))
        view[: len(piece)] = piece
        return len(piece)

    def write(self, data: bytes) -> int:
        """Write bytes at the position."""
        return int(self._call_(self._row_("Write"), (data,), {}))

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to a byte."""
        return int(self._call_(self._row_("Seek"), (offset, whence), {}))

    def tell(self) -> int:
        """Return the place."""
        return self.seek(0, os.SEEK_CUR)

    def _row_(self, name: str) -> Member:
        member = self._interface_.find(name)
        assert member is not None
        return member


class BoundMember:
    """A method of an object, or a property with an index, before it is called."""

    def __init__(self, owner: ComObject, member: Member) -> None:
        self._owner = owner
        self._member = member
        self.__name__ = member.name

    def __repr__(self) -> str:
        return f"<{self._member.way.value} {self._owner._name_}.{self._member.name}>"

    def __call__(self, *given_: Any, **named: Any) -> Any:
        """Call it."""
        return self._owner._call_(self._member, given_, named)

    def __getitem__(self, index: Any) -> Any:
        if self._member.way is not Way.INDEXED_GET:
            raise TypeError(f"{self._owner._name_}.{self._member.name} is a method; call it")
        return self(*index) if isinstance(index, tuple) else self(index)


def _arguments(member: Member, given_: Sequence[Any], named: Mapping[str, Any]) -> dict[str, Any]:
    """Return what our method is called with.

    Raises:
        com_error: there are too many or too few (DISP_E_BADPARAMCOUNT), one has a name that there
            is not (DISP_E_UNKNOWNNAME), or is of a wrong type.
    """
    if len(given_) > len(member.arguments):
        raise dispatch_failure(HResult.DISP_E_BADPARAMCOUNT)
    by_name = {name.casefold(): value for name, value in named.items()}
    result: dict[str, Any] = {}
    for place, argument in enumerate(member.arguments, 1):
        value: Any = given_[place - 1] if place <= len(given_) else MISSING
        if argument.name.casefold() in by_name:
            if value is not MISSING:
                raise dispatch_failure(HResult.DISP_E_BADPARAMCOUNT)
            value = by_name.pop(argument.name.casefold())
        if value is MISSING:
            if argument.default is REQUIRED:
                raise dispatch_failure(HResult.DISP_E_BADPARAMCOUNT)
            if not argument.counts:
                result[argument.ours] = argument.default
        elif argument.counts:
            size = taken(argument.shape, value, place)
            result[argument.ours] = _first_bytes(result[argument.ours], size, member)
        else:
            result[argument.ours] = taken(argument.shape, value, place)
    if by_name:
        raise dispatch_failure(HResult.DISP_E_UNKNOWNNAME)
    return result


def _first_bytes(data: bytes, size: int, member: Member) -> bytes:
    if not 0 <= size <= len(data):
        raise failure(
            HResult.E_INVALIDARG,
            f"{size} bytes are to be taken of {len(data)}",
            source=member.name,
        )
    return data[:size]


def com_object_of(value: object) -> ComObject | None:
    """Return the COM object that a value is, or stands for, as what `DispatchWithEvents` gives."""
    if isinstance(value, ComObject):
        return value
    inner = getattr(value, "_object_", None)
    return inner if isinstance(inner, ComObject) else None


def wrapped(target: Any, interface: str, name: str = "") -> ComObject:
    """Return an object of ours with the members of an interface."""
    rows = interface_of(interface)
    assert rows is not None, interface
    kind = StreamObject if "IStream" in (interface, *rows.also) and _is_file(rows) else ComObject
    return kind(target, rows, name)


def _is_file(rows: Interface) -> bool:
    """Whether the stream's members are those of IStream, so that its file can show itself."""
    read = rows.find("Seek")
    return read is not None and read.ours is not None


def created(what: object) -> tuple[ComObject, CoClass]:
    """Return a new object of a class, and the class.

    Args:
        what: its ProgID or CLSID, in any case.

    Raises:
        com_error: there is no such class (CO_E_CLASSSTRING), or it cannot be made.
    """
    chosen = class_of(what)
    if chosen is None:
        raise dispatch_failure(HResult.CO_E_CLASSSTRING)
    target = None
    if chosen.maker:
        module, _, name = chosen.maker.partition(":")
        with as_com_errors(chosen.progid):
            target = getattr(import_module(module), name)(**chosen.options)
    set_last_hresult(HResult.S_OK)
    return wrapped(target, chosen.interface, chosen.progid), chosen


def dispatch(dispatch: object, *_: Any, **__: Any) -> Any:
    """Return a new object of a class, or the object that is given (win32com.client.Dispatch).

    Args:
        dispatch: a ProgID or CLSID, in any case; an object is handed back.

    Raises:
        com_error: there is no such class (CO_E_CLASSSTRING).
    """
    return com_object_of(dispatch) or created(dispatch)[0]
