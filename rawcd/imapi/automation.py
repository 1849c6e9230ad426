"""What crosses the border between a script and our objects: VARIANTs one way and the other."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, BinaryIO, Final, cast

from rawcd.hresults import HResult
from rawcd.imapi.failures import as_com_errors, dispatch_failure
from rawcd.imapi.library.values import Kind, Shape

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_LONG: Final = (-(1 << 31), (1 << 31) - 1)
_NUMBER: Final = (-(1 << 63), (1 << 63) - 1)
_BOOLS: Final = {"true": True, "#true#": True, "false": False, "#false#": False}


class Variant:
    """A value with the type that a script wants it to have (win32com.client.VARIANT).

    The table of members knows all types, so that the value alone counts.
    """

    def __init__(self, vt: int, value: Any) -> None:
        self.varianttype = vt
        self.value = value

    def __repr__(self) -> str:
        return f"VARIANT({self.varianttype}, {self.value!r})"


class _Mismatch(Exception):
    """The value is of another type; its code is DISP_E_TYPEMISMATCH unless it says otherwise."""

    def __init__(self, code: int = HResult.DISP_E_TYPEMISMATCH) -> None:
        super().__init__(code)
        self.code = code


def taken(shape: Shape, value: Any, place: int) -> Any:
    """Return a script's value as our objects want it.

    The rules are those by which OLE Automation changes types: texts that are numbers are numbers,
    fractions are rounded to the even neighbour. (True is 1 here, not -1.)

    Args:
        shape: what is wanted.
        value: what the script gave.
        place: the argument's place, from 1.

    Raises:
        com_error: it cannot be that (DISP_E_TYPEMISMATCH), or is a number too large
            (DISP_E_OVERFLOW); `argerror` tells the place.
    """
    if isinstance(value, Variant):
        value = value.value
    try:
        return _TAKEN[shape.kind](shape, value)
    except _Mismatch as error:
        raise dispatch_failure(error.code, place) from None


def _whole(value: Any, limits: tuple[int, int]) -> int:
    if isinstance(value, str):
        try:
            value = float(value) if not value.strip().lstrip("+-").isdigit() else int(value)
        except ValueError:
            raise _Mismatch from None
    if isinstance(value, float):
        try:
            value = round(value)
        except (ValueError, OverflowError):  # not a number, endless
            raise _Mismatch(HResult.DISP_E_OVERFLOW) from None
    try:
        number = int(value.__index__())
    except (AttributeError, TypeError):
        raise _Mismatch from None
    if not limits[0] <= number <= limits[1]:
        raise _Mismatch(HResult.DISP_E_OVERFLOW)
    return number


def _long(shape: Shape, value: Any) -> int:
    del shape
    # Unsigned 32-bit numbers are taken for the signed ones of the same bits: FFFFFFFFh is -1,
    # as IMAPI's pages write the fastest speed.
    number = _whole(value, (_LONG[0], (1 << 32) - 1))
    return number - (1 << 32) if number > _LONG[1] else number


def _number(shape: Shape, value: Any) -> int:
    del shape
    return _whole(value, _NUMBER)


def _bool(shape: Shape, value: Any) -> bool:
    del shape
    if isinstance(value, str) and value.strip().casefold() in _BOOLS:
        return _BOOLS[value.strip().casefold()]
    return bool(_whole(value, _NUMBER))


def _text(shape: Shape, value: Any) -> str:
    del shape
    if value is None:  # a null BSTR is the empty one
        return ""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise _Mismatch
    return str(value)


def _bytes(shape: Shape, value: Any) -> bytes:
    del shape
    try:
        # What has a buffer, as an array of samples, gives its bytes; else numbers are bytes.
        return bytes(value) if isinstance(value, (list, tuple)) else memoryview(value).tobytes()
    except (TypeError, ValueError):
        raise _Mismatch from None


def _longs(shape: Shape, value: Any) -> tuple[int, ...]:
    if not isinstance(value, (list, tuple)):
        raise _Mismatch
    return tuple(_long(shape, each) for each in value)


def _texts(shape: Shape, value: Any) -> tuple[str, ...]:
    if not isinstance(value, (list, tuple)):
        raise _Mismatch
    return tuple(_text(shape, each) for each in value)


def _stream(shape: Shape, value: Any) -> BinaryIO | None:
    del shape
    from rawcd.imapi.objects import com_object_of
    from rawcd.imapi.streams import ForeignStream

    if value is None:
        return None
    known = com_object_of(value)
    if known is not None:
        if "IStream" not in (known._interface_.name, *known._interface_.also):
            raise _Mismatch
        if known._target_ is None:
            raise dispatch_failure(HResult.E_NOTIMPL)
        with as_com_errors(known._name_):
            return cast("BinaryIO", known._target_.file)
    if callable(getattr(value, "read", None)):
        return cast("BinaryIO", value)
    if callable(getattr(value, "Read", None)) and callable(getattr(value, "Seek", None)):
        return cast("BinaryIO", ForeignStream(value))
    raise _Mismatch


def _streams(shape: Shape, value: Any) -> list[BinaryIO | None] | None:
    if value is None:
        return None
    if not isinstance(value, (list, tuple)):
        raise _Mismatch
    return [_stream(shape, each) for each in value]


def _object(shape: Shape, value: Any) -> Any:
    from rawcd.imapi.objects import com_object_of

    if value is None:
        return None
    known = com_object_of(value)
    if known is None:
        raise _Mismatch
    has = known._interface_  # an object is asked for its interfaces, as COM has it
    if shape.interface not in (has.name, *has.also):
        raise _Mismatch
    return known._target_


def _any(shape: Shape, value: Any) -> Any:
    del shape
    return value


def _iid(shape: Shape, value: Any) -> str:
    from rawcd.imapi.library import interface_of, plain_id

    text = _text(shape, value)
    named = interface_of(text)
    return plain_id(text if named is None else named.iid)


def _properties(shape: Shape, value: Any) -> Mapping[str, object] | None:
    from rawcd.imapi.objects import com_object_of

    del shape
    known = com_object_of(value)
    if known is not None:
        if known._interface_.name != "IPropertyStorage":
            raise _Mismatch
        return cast("Mapping[str, object]", known._target_.values)
    if value is None or isinstance(value, dict):
        return cast("Mapping[str, object] | None", value)
    raise _Mismatch


def _folder(shape: Shape, value: Any) -> Any:
    """A folder's path, or a `rawcd.filesystem.FileTree`: what stands here for an IStorage."""
    from rawcd.filesystem import FileTree

    del shape
    if value is None:
        raise _Mismatch(HResult.E_POINTER)
    if isinstance(value, (str, os.PathLike, FileTree)):
        return value
    raise _Mismatch


def _sink(shape: Shape, value: Any) -> Any:
    from rawcd.imapi.version1 import ScriptSink

    del shape
    return None if value is None else ScriptSink(value)


def _never(shape: Shape, value: Any) -> Any:
    del shape, value
    raise _Mismatch


_TAKEN: Final[dict[Kind, Callable[[Shape, Any], Any]]] = {
    Kind.NOTHING: _never,
    Kind.LONG: _long,
    Kind.NUMBER: _number,
    Kind.BOOL: _bool,
    Kind.BSTR: _text,
    Kind.BYTES: _bytes,
    Kind.LONGS: _longs,
    Kind.TEXTS: _texts,
    Kind.STREAM: _stream,
    Kind.STREAMS: _streams,
    Kind.OBJECT: _object,
    Kind.OBJECTS: _never,
    Kind.ANY: _any,
    Kind.PARTS: _never,
    Kind.IID: _iid,
    Kind.IIDS: _never,
    Kind.PROPERTIES: _properties,
    Kind.FOLDER: _folder,
    Kind.SINK: _sink,
}


def given(shape: Shape, value: Any) -> Any:
    """Return a value of ours as a script sees it: plain numbers, tuples for arrays, COM objects."""
    from rawcd.imapi.objects import wrapped

    if value is None:
        return None
    match shape.kind:
        case Kind.NOTHING:
            return None
        case Kind.LONG | Kind.NUMBER:
            return int(value)
        case Kind.BOOL:
            return bool(value)
        case Kind.BSTR:
            return str(value)
        case Kind.BYTES:
            return bytes(value)
        case Kind.LONGS:
            return tuple(map(int, value))
        case Kind.TEXTS:
            return tuple(map(str, value))
        case Kind.STREAM:
            from rawcd.imapi.streams import ByteStream

            stream = value if isinstance(value, ByteStream) else ByteStream.of_image(value)
            return wrapped(stream, "IStream")
        case Kind.OBJECT:
            return wrapped(value, shape.interface or f"I{type(value).__name__}")
        case Kind.IID:
            return f"{{{value.iid}}}".upper()
        case Kind.IIDS:
            return tuple(f"{{{each.iid}}}".upper() for each in value)
        case Kind.PROPERTIES:
            from rawcd.imapi.version1 import PropertyStorage

            return wrapped(PropertyStorage(value), "IPropertyStorage")
        case Kind.PARTS:
            return tuple(given(part, getattr(value, name)) for name, part in shape.parts)
        case Kind.OBJECTS:
            return tuple(wrapped(each, shape.interface) for each in value)
        case _:
            return value
