"""What scripts take from pywin32's modules beside `win32com.client`, as far as IMAPI needs it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, BinaryIO, Final, Self

from rawcd.hresults import HResult
from rawcd.imapi.failures import com_error, dispatch_failure, name_of
from rawcd.imapi.library import plain_id
from rawcd.imapi.objects import MISSING, ComObject, com_object_of, created, wrapped
from rawcd.imapi.streams import ByteStream

_NOTHING_WAITS: Final = 0


class IID(str):
    """A GUID, written as COM does: `{27354155-8F64-5B0F-8F00-5D77AFBE261E}`."""

    __slots__ = ()

    def __new__(cls, text: object) -> Self:
        """Return the GUID of a text with or without braces."""
        return super().__new__(cls, "{" + plain_id(text) + "}")


def _nothing(*_: Any) -> None:
    """Do nothing: threads need no apartments here, and events come within the calls."""


def _nothing_waits(*_: Any) -> int:
    return _NOTHING_WAITS


def create_stream(*_: Any) -> ComObject:
    """Return an empty stream of its own (pythoncom.CreateStreamOnHGlobal)."""
    return wrapped(ByteStream(), "IStream")


def create_instance(clsid: object, *_: Any) -> ComObject:
    """Return a new object of a class (pythoncom.CoCreateInstance).

    Scripts come so to what is no IDispatch, such as IMAPI's ready-made streams.
    """
    return created(clsid)[0]


def marshalled(iid: object, ob: Any) -> ComObject:
    """Return what brings an object into another thread (CoMarshalInterThreadInterfaceInStream).

    That is the object: threads need no apartments here.
    """
    return unmarshalled(ob, iid)


def unmarshalled(stream: Any, iid: object) -> ComObject:
    """Return the object that has come into this thread (CoGetInterfaceAndReleaseStream).

    Raises:
        com_error: it has no such interface (E_NOINTERFACE), or is no COM object (E_POINTER).
    """
    known = com_object_of(stream)
    if known is None:
        raise dispatch_failure(HResult.E_POINTER)
    return known.QueryInterface(iid)


def wrap(ob: Any, *_: Any, **__: Any) -> Any:
    """Return a script's own object as COM has it (win32com.server.util.wrap): as it is.

    Streams and sinks of events are taken by the methods that they have.
    """
    return ob


def file_stream(file: BinaryIO) -> ComObject:
    """Return a binary file object as an IStream (win32com.server.util.FileStream)."""
    return wrapped(ByteStream(file), "IStream")


_TYPES: Final = {
    "VT_EMPTY": 0,
    "VT_NULL": 1,
    "VT_I2": 2,
    "VT_I4": 3,
    "VT_R4": 4,
    "VT_R8": 5,
    "VT_BSTR": 8,
    "VT_DISPATCH": 9,
    "VT_BOOL": 11,
    "VT_VARIANT": 12,
    "VT_UNKNOWN": 13,
    "VT_I1": 16,
    "VT_UI1": 17,
    "VT_UI2": 18,
    "VT_UI4": 19,
    "VT_I8": 20,
    "VT_UI8": 21,
    "VT_ARRAY": 0x2000,
    "VT_BYREF": 0x4000,
}
"""Types of VARIANTs (wtypes.h)."""

pythoncom: Final = SimpleNamespace(
    com_error=com_error,
    ole_error=com_error,
    CoInitialize=_nothing,
    CoInitializeEx=_nothing,
    CoUninitialize=_nothing,
    PumpWaitingMessages=_nothing_waits,
    CoCreateInstance=create_instance,
    CoGetInterfaceAndReleaseStream=unmarshalled,
    CoMarshalInterThreadInterfaceInStream=marshalled,
    WrapObject=wrap,
    new=create_instance,
    CreateStreamOnHGlobal=create_stream,
    MakeIID=IID,
    Missing=MISSING,
    Empty=MISSING,
    IID_IUnknown=IID("00000000-0000-0000-C000-000000000046"),
    IID_IDispatch=IID("00020400-0000-0000-C000-000000000046"),
    IID_ISequentialStream=IID("0C733A30-2A1C-11CE-ADE5-00AA0044773D"),
    IID_IStream=IID("0000000C-0000-0000-C000-000000000046"),
    GetScodeString=name_of,
    CLSCTX_INPROC_SERVER=1,
    CLSCTX_INPROC=3,
    CLSCTX_LOCAL_SERVER=4,
    CLSCTX_SERVER=21,
    CLSCTX_ALL=23,
    COINIT_MULTITHREADED=0,
    COINIT_APARTMENTTHREADED=2,
    STATFLAG_DEFAULT=0,
    STATFLAG_NONAME=1,
    STREAM_SEEK_SET=0,
    STREAM_SEEK_CUR=1,
    STREAM_SEEK_END=2,
    **_TYPES,
)
server: Final = SimpleNamespace(util=SimpleNamespace(wrap=wrap, FileStream=file_stream))
pywintypes: Final = SimpleNamespace(com_error=com_error, error=OSError, IID=IID, IIDType=IID)
