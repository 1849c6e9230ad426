"""What a job says when it refuses: IMAPI's code, and what became of a drive's own words."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from rawcd.errors import (
    AuthoringError,
    CancelledError,
    DriveError,
    FormatError,
    MasteringError,
    PluginError,
    RawCDError,
    StorageError,
    UnsupportedError,
)
from rawcd.hresults import HResult

if TYPE_CHECKING:
    from collections.abc import Iterator

_NOT_READY: Final = 0x2
_DATA_PROTECT: Final = 0x7
_NO_DISC: Final = 0x3A
_DISC_CHANGED: Final = 0x28
_WRONG_DISC_KIND: Final = 0x30
_LATE_DATA: Final = ((0x0C, 0x09), (0x21, 0x02))
"""The buffer ran empty: told at once, or by the address at which the drive would go on."""
_GONE: Final = (errno.ENOENT, errno.ENODEV, errno.ENXIO)
_BY_COMMAND: Final = {
    "MODE SELECT(10)": HResult.IMAPI_E_INITIALIZE_WRITE,
    "SEND OPC INFORMATION": HResult.IMAPI_E_INITIALIZE_WRITE,
    "READ TRACK INFORMATION": HResult.IMAPI_E_INITIALIZE_WRITE,
    "SYNCHRONIZE CACHE(10)": HResult.IMAPI_E_INITIALIZE_ENDWRITE,
    "CLOSE TRACK/SESSION": HResult.IMAPI_E_INITIALIZE_ENDWRITE,
    "READ DISC INFORMATION": HResult.IMAPI_E_DISCINFO,
    "READ TOC/PMA/ATIP": HResult.IMAPI_E_DISCINFO,
    "READ CD": HResult.IMAPI_E_DISCINFO,
}
"""What a drive was about to do when it failed, where its sense says nothing that has a code."""


def refusal(code: HResult, message: str) -> MasteringError:
    """Return the error for a code of IMAPI."""
    return MasteringError(message, hresult=code)


def code_of(error: RawCDError) -> HResult:
    """Return the code that IMAPI has for what went wrong with a recorder."""
    if isinstance(error, MasteringError):
        return HResult(error.hresult)
    if isinstance(error, CancelledError):
        return HResult.IMAPI_E_USERABORT
    if isinstance(error, PluginError):
        return HResult.IMAPI_E_DEVICE_NOTPRESENT
    if isinstance(error, UnsupportedError):
        return HResult.IMAPI_E_DEVICE_INVALIDTYPE
    if isinstance(error, StorageError):  # the file of a virtual recorder, or the stash
        return HResult.IMAPI_E_DEVICE_NOTACCESSIBLE
    if isinstance(error, DriveError):
        return _drive_code(error)
    return HResult.IMAPI_E_GENERIC


def _drive_code(error: DriveError) -> HResult:
    if error.sense is None:
        cause = error.__cause__
        if isinstance(cause, DriveError):  # the way to the drive failed, not the command
            return HResult.IMAPI_E_DEVICE_NOTPRESENT
        if error.command is None and isinstance(cause, OSError):  # it could not be opened
            gone = cause.errno in _GONE
            return (
                HResult.IMAPI_E_DEVICE_NOTPRESENT if gone else HResult.IMAPI_E_DEVICE_NOTACCESSIBLE
            )
        return _BY_COMMAND.get(error.command or "", HResult.IMAPI_E_GENERIC)
    key, code, qualifier = error.sense
    if (code, qualifier) in _LATE_DATA:
        return HResult.IMAPI_E_LOSS_OF_STREAMING
    if code in (_NO_DISC, _DISC_CHANGED):
        return HResult.IMAPI_E_MEDIUM_NOTPRESENT
    if code == _WRONG_DISC_KIND:
        return HResult.IMAPI_E_MEDIUM_INVALIDTYPE
    if key == _NOT_READY:
        return HResult.IMAPI_E_DEVICE_NOTACCESSIBLE
    if key == _DATA_PROTECT:
        return HResult.IMAPI_E_CANNOT_WRITE_TO_MEDIA
    return _BY_COMMAND.get(error.command or "", HResult.IMAPI_E_GENERIC)


def named_values(what: str, given: object) -> Mapping[str, object]:
    """Return properties that were given to be set.

    Raises:
        MasteringError: there are none (E_POINTER), or they have no names (E_INVALIDARG).
    """
    if given is None:
        raise refusal(HResult.E_POINTER, f"{what}: no properties are given")
    if not isinstance(given, Mapping):
        raise refusal(
            HResult.E_INVALIDARG,
            f"{what}: a {type(given).__name__} has no names; give a dictionary of names and values",
        )
    return given


@contextmanager
def drive_codes(what: str) -> Iterator[None]:
    """Turn what a recorder's own errors are into IMAPI's; the first error stays the cause.

    Args:
        what: the call, for the message.

    Raises:
        MasteringError: something failed inside the block.
    """
    try:
        yield
    except MasteringError:
        raise
    except RawCDError as error:
        raise refusal(code_of(error), f"{what}: {error}") from error


@contextmanager
def source_codes(what: str) -> Iterator[None]:
    """Turn what is wrong with something that was handed in for staging into IMAPI's codes.

    Raises:
        MasteringError: E_INVALIDARG, E_POINTER where nothing was given, GENERIC where it cannot be
            read, whatever a stream raises; the first error is the cause.
    """
    try:
        yield
    except AuthoringError as error:
        code = HResult.E_INVALIDARG if error.hresult is None else HResult(error.hresult)
        raise refusal(code, f"{what}: {error}") from error
    except FormatError as error:
        raise refusal(HResult.E_INVALIDARG, f"{what}: {error}") from error
    except StorageError as error:
        raise refusal(HResult.IMAPI_E_GENERIC, f"{what}: {error}") from error
    except RawCDError:
        raise
    except Exception as error:  # a stream may be anything
        raise refusal(HResult.IMAPI_E_GENERIC, f"{what}: cannot be read: {error!r}") from error
