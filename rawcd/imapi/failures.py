"""How a refusal looks to a script: COM's error with its four parts, and the last result code."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from errno import EACCES, ENOENT, ENOSPC, EPERM
from typing import TYPE_CHECKING, Final

from rawcd.errors import (
    AuthoringError,
    CancelledError,
    DriveError,
    FormatError,
    MasteringError,
    RawCDError,
    StorageError,
)
from rawcd.hresults import HResult, ResultCode

if TYPE_CHECKING:
    from collections.abc import Iterator

ExcepInfo = tuple[int, str | None, str | None, str | None, int, int]
"""COM's EXCEPINFO: code, source, description, help file, help context, HRESULT."""

_WIN32: Final = 0x80070000
_OF_ERRNO: Final = {
    ENOENT: _WIN32 | 2,  # ERROR_FILE_NOT_FOUND
    EACCES: _WIN32 | 5,  # ERROR_ACCESS_DENIED
    EPERM: _WIN32 | 5,
    ENOSPC: _WIN32 | 112,  # ERROR_DISK_FULL
}


class com_error(RawCDError):  # scripts call it so
    """A call failed: what pywin32 raises as `pythoncom.com_error`, with the same four parts.

    Attributes:
        hresult: the code as a signed number, IMAPI's own, which also equals the unsigned one and
            the member of `HResult` (see `ResultCode`). (pywin32 shows DISP_E_EXCEPTION here when
            a call went through IDispatch; scripts that then look into `excepinfo[5]` find the
            same code there, so both ways of asking work.)
        strerror: the code's name.
        excepinfo: `(0, source, message, None, 0, hresult)`; None where the call never reached
            the object: an unknown class, a wrong argument.
        argerror: which argument was wrong, counted from 1; None where none was.
    """

    def __init__(
        self,
        hresult: int,
        strerror: str | None = None,
        excepinfo: ExcepInfo | None = None,
        argerror: int | None = None,
    ) -> None:
        code = ResultCode(hresult)
        super().__init__(code, strerror, excepinfo, argerror)
        self.hresult = code
        self.strerror = strerror
        self.excepinfo = excepinfo
        self.argerror = argerror


ComError = com_error


class _Last(threading.local):
    code = int(HResult.S_OK)


_last = _Last()


def last_hresult() -> int:
    """Return the code of this thread's last call, unsigned: successes other than S_OK show here.

    Automation has no place for them. `HResult(last_hresult())` has its name.

    ```python
    track.AddTrackIndex(750)
    if last_hresult() == HResult.S_IMAPI_RAW_IMAGE_TRACK_INDEX_ALREADY_EXISTS: ...
    ```
    """
    return _last.code


def set_last_hresult(code: int) -> None:
    """Keep the code of a call."""
    _last.code = code & 0xFFFFFFFF


def name_of(code: int) -> str:
    """Return a code's name, or its digits."""
    try:
        return HResult(code).name
    except ValueError:
        return f"0x{code & 0xFFFFFFFF:08X}"


def failure(code: int, message: str, *, source: str) -> com_error:
    """Return the error of a call that the object refused."""
    set_last_hresult(code)
    number = ResultCode(code)
    return com_error(number, name_of(code), (0, source, message, None, 0, number))


def dispatch_failure(code: int, argument: int | None = None) -> com_error:
    """Return the error of a call that never reached an object.

    Args:
        code: one of IDispatch's or COM's own.
        argument: the wrong argument, counted from 1.
    """
    set_last_hresult(code)
    return com_error(code, name_of(code), None, argument)


def not_implemented(what: str, why: str, *, source: str) -> com_error:
    """Return the error of a member that is beyond reach here (E_NOTIMPL)."""
    return failure(HResult.E_NOTIMPL, f"{what}: {why}", source=source)


def hresult_of(error: BaseException) -> int:
    """Return the code that stands for one of rawcd's errors, unsigned.

    Authoring and mastering bring their own; where they were not asked, what the error is about
    decides: a wrong file is a wrong argument, a refusal of the drive during a write is
    E_IMAPI_UNEXPECTED_RESPONSE_FROM_DEVICE.
    """
    code: int | None = None
    if isinstance(error, (AuthoringError, MasteringError, com_error)):
        code = error.hresult
    if code is not None:
        return int(code) & 0xFFFFFFFF
    if isinstance(error, CancelledError):
        return HResult.E_IMAPI_REQUEST_CANCELLED
    if isinstance(error, DriveError):
        return HResult.E_IMAPI_UNEXPECTED_RESPONSE_FROM_DEVICE
    if isinstance(error, OSError):
        return _OF_ERRNO.get(error.errno or 0, HResult.E_FAIL)
    if isinstance(error, (AuthoringError, FormatError, OverflowError, TypeError, ValueError)):
        return HResult.E_INVALIDARG
    if isinstance(error, MemoryError):
        return HResult.E_OUTOFMEMORY
    return HResult.E_FAIL


@contextmanager
def as_com_errors(source: str) -> Iterator[None]:
    """Raise what rawcd refuses in the block as `com_error`.

    Args:
        source: the object's name, for `excepinfo[1]`.
    """
    try:
        yield
    except com_error as error:  # a part of ours refused it, in COM's own words
        set_last_hresult(error.hresult)
        raise
    except (RawCDError, StorageError, OSError, OverflowError, ValueError, MemoryError) as error:
        raise failure(hresult_of(error), str(error), source=source) from error
