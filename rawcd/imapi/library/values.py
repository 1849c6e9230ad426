"""What a row of the table of members says."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

REQUIRED: Final = object()
"""An argument that has no default."""


class Kind(Enum):
    """How a value looks to a script (the VARIANT's type), and so how it is taken and given."""

    NOTHING = "nothing"
    LONG = "VT_I4"
    NUMBER = "VT_I8"  # sizes and places in streams
    BOOL = "VT_BOOL"
    BSTR = "VT_BSTR"
    BYTES = "VT_ARRAY | VT_UI1"
    LONGS = "SAFEARRAY of numbers"
    TEXTS = "SAFEARRAY of VT_BSTR"
    STREAM = "IStream"
    STREAMS = "array of IStream"
    OBJECT = "VT_DISPATCH"
    OBJECTS = "SAFEARRAY of VT_DISPATCH"
    ANY = "VARIANT"  # given through as it is
    PARTS = "several out parameters"
    IID = "an interface's id"
    IIDS = "ids of interfaces"
    PROPERTIES = "IPropertyStorage"
    FOLDER = "IStorage"
    SINK = "IDiscMasterProgressEvents"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """The type of an argument or a result.

    Attributes:
        kind: how it looks.
        interface: what interface an object has.
        parts: what of the result are the out parameters, in order, each an attribute of ours
            with its own shape; the code, too, where it has one.
    """

    kind: Kind
    interface: str = ""
    parts: tuple[tuple[str, Shape], ...] = ()


NOTHING: Final = Shape(kind=Kind.NOTHING)
LONG: Final = Shape(kind=Kind.LONG)
NUMBER: Final = Shape(kind=Kind.NUMBER)
BOOL: Final = Shape(kind=Kind.BOOL)
BSTR: Final = Shape(kind=Kind.BSTR)
BYTES: Final = Shape(kind=Kind.BYTES)
LONGS: Final = Shape(kind=Kind.LONGS)
TEXTS: Final = Shape(kind=Kind.TEXTS)
STREAM: Final = Shape(kind=Kind.STREAM)
STREAMS: Final = Shape(kind=Kind.STREAMS)
ANY: Final = Shape(kind=Kind.ANY)
IID: Final = Shape(kind=Kind.IID)
IIDS: Final = Shape(kind=Kind.IIDS)
PROPERTIES: Final = Shape(kind=Kind.PROPERTIES)
FOLDER: Final = Shape(kind=Kind.FOLDER)
SINK: Final = Shape(kind=Kind.SINK)


def an_object(interface: str) -> Shape:
    """Return the shape of an object with this interface; "" is the one named after its class."""
    return Shape(kind=Kind.OBJECT, interface=interface)


def objects(interface: str) -> Shape:
    """Return the shape of an array of objects with this interface."""
    return Shape(kind=Kind.OBJECTS, interface=interface)


def parts(*shapes: tuple[str, Shape]) -> Shape:
    """Return the shape of several out parameters, which a script gets as a tuple."""
    return Shape(kind=Kind.PARTS, parts=shapes)


def reply() -> Shape:
    """Return the shape of a drive's reply: sense bytes and data."""
    return parts(("sense", BYTES), ("data", BYTES))


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """An argument of a method.

    Attributes:
        name: IMAPI's name for it, by which it may be given.
        shape: its type.
        ours: the name that our method has for it.
        default: what is passed where it is left out; REQUIRED if it must not be.
        counts: it tells how many bytes of the argument before it count, which has the same name
            of ours. In Python bytes know their length, so that it may be left out.
    """

    name: str
    shape: Shape
    ours: str
    default: Any = REQUIRED
    counts: bool = False


class Way(Enum):
    """What can be done with a member."""

    METHOD = "method"
    GET = "get"
    GET_PUT = "get/put"
    INDEXED_GET = "indexed get"
    ITEMS = "enumerator"


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One row of the table.

    Attributes:
        name: IMAPI's name.
        dispid: its number; None where the interface is no IDispatch.
        way: method, or what can be done with the property.
        ours: the name of our method or property; None: it is beyond reach, and says E_NOTIMPL.
        arguments: of a method or an indexed property.
        shape: of the result, or of the property.
        codes: results of ours that stand for a success code.
        why: why it is beyond reach.
    """

    name: str
    dispid: int | None
    way: Way
    ours: str | None
    arguments: tuple[Argument, ...] = ()
    shape: Shape = NOTHING
    codes: Mapping[Any, int] = field(default_factory=dict)
    why: str = ""

    @property
    def is_call(self) -> bool:
        """Whether a script calls it instead of reading it."""
        return self.way in (Way.METHOD, Way.INDEXED_GET)


@dataclass(frozen=True, slots=True, kw_only=True)
class Interface:
    """An interface: its members, those of its bases first.

    Attributes:
        name: IMAPI's name.
        iid: its id, in upper case, without braces.
        members: the rows.
        default: the member that calling or indexing the object means (DISPID_VALUE).
        also: interfaces that its objects have too, by name.
    """

    name: str
    iid: str
    members: tuple[Member, ...]
    default: str | None = None
    also: tuple[str, ...] = ()

    def find(self, name: str) -> Member | None:
        """Return a member by its name in any case, as COM looks it up; None where there is none."""
        wanted = name.casefold()
        return next((each for each in self.members if each.name.casefold() == wanted), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class CoClass:
    """A class that a script can create.

    Attributes:
        name: IMAPI's name of the class.
        progid: what a script calls it.
        clsid: its id, in upper case, without braces.
        interface: the default interface, by name.
        maker: `module:name` of what makes our object; "" where the class is beyond reach as a
            whole: its object can be made, and all its members say E_NOTIMPL.
        events: the interface of its events, by name; "" for none.
        options: what `maker` is called with.
    """

    name: str
    progid: str
    clsid: str
    interface: str
    maker: str = ""
    events: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)


def argument(name: str, shape: Shape, ours: str, default: Any = REQUIRED) -> Argument:
    """Return an argument."""
    return Argument(name=name, shape=shape, ours=ours, default=default)


def count_of(name: str, ours: str) -> Argument:
    """Return the argument that tells how many of an argument's bytes count."""
    return Argument(name=name, shape=LONG, ours=ours, default=None, counts=True)


def method(
    name: str,
    dispid: int | None,
    ours: str | None,
    *arguments: Argument,
    gives: Shape = NOTHING,
    codes: Mapping[Any, int] | None = None,
    why: str = "",
) -> Member:
    """Return the row of a method."""
    return Member(
        name=name,
        dispid=dispid,
        way=Way.METHOD,
        ours=ours,
        arguments=arguments,
        shape=gives,
        codes=codes or {},
        why=why,
    )


def get(name: str, dispid: int | None, shape: Shape, ours: str | None, *, why: str = "") -> Member:
    """Return the row of a property that can only be read."""
    return Member(name=name, dispid=dispid, way=Way.GET, ours=ours, shape=shape, why=why)


def get_put(
    name: str, dispid: int | None, shape: Shape, ours: str | None, *, why: str = ""
) -> Member:
    """Return the row of a property that can be read and put."""
    return Member(name=name, dispid=dispid, way=Way.GET_PUT, ours=ours, shape=shape, why=why)


def items(shape: Shape) -> Member:
    """Return the row of what enumerating the object gives (_NewEnum)."""
    return Member(name="_NewEnum", dispid=-4, way=Way.ITEMS, ours="__iter__", shape=shape)


def indexed(
    name: str, dispid: int | None, shape: Shape, ours: str | None, index: Argument
) -> Member:
    """Return the row of a property that is read by an index."""
    return Member(
        name=name,
        dispid=dispid,
        way=Way.INDEXED_GET,
        ours=ours,
        arguments=(index,),
        shape=shape,
    )
