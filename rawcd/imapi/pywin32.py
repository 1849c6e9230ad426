"""What scripts take from pywin32's modules beside `win32com.client`, as far as IMAPI needs it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, Final, Self

from rawcd.imapi.failures import com_error
from rawcd.imapi.library import plain_id
from rawcd.imapi.objects import MISSING, ComObject, created, wrapped
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


pythoncom: Final = SimpleNamespace(
    com_error=com_error,
    ole_error=com_error,
    CoInitialize=_nothing,
    CoInitializeEx=_nothing,
    CoUninitialize=_nothing,
    PumpWaitingMessages=_nothing_waits,
    CoCreateInstance=create_instance,
    CreateStreamOnHGlobal=create_stream,
    MakeIID=IID,
    Missing=MISSING,
    Empty=MISSING,
    IID_IUnknown=IID("00000000-0000-0000-C000-000000000046"),
    IID_IDispatch=IID("00020400-0000-0000-C000-000000000046"),
    IID_ISequentialStream=IID("0C733A30-2A1C-11CE-ADE5-00AA0044773D"),
    IID_IStream=IID("0000000C-0000-0000-C000-000000000046"),
    CLSCTX_INPROC_SERVER=1,
    CLSCTX_ALL=23,
    COINIT_MULTITHREADED=0,
    COINIT_APARTMENTTHREADED=2,
    STATFLAG_DEFAULT=0,
    STATFLAG_NONAME=1,
    STREAM_SEEK_SET=0,
    STREAM_SEEK_CUR=1,
    STREAM_SEEK_END=2,
)
pywintypes: Final = SimpleNamespace(com_error=com_error, error=OSError, IID=IID, IIDType=IID)
