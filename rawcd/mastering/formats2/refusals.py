"""IMAPI's codes for what a drive says: one table for all calls that talk to drives.

The list is the one that most calls of IMAPI 2 share (imapi2error.h); what a drive's sense data
stand for is MMC's, annex of sense codes.
"""

from __future__ import annotations

import errno
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from rawcd.errors import DriveError, FormatError, MasteringError, StorageError, UnsupportedError
from rawcd.hresults import HResult
from rawcd.mastering.formats2.values import MAX_CLIENT_NAME

if TYPE_CHECKING:
    from collections.abc import Iterator

Pattern = tuple[int | None, int | None, int | None]
"""Sense key, additional code, qualifier; None is any."""

SENSE_CODES: Final[tuple[tuple[Pattern, HResult], ...]] = (
    ((None, 0x3A, None), HResult.E_IMAPI_RECORDER_MEDIA_NO_MEDIA),
    ((None, 0x04, 0x01), HResult.E_IMAPI_RECORDER_MEDIA_BECOMING_READY),
    ((None, 0x04, 0x04), HResult.E_IMAPI_RECORDER_MEDIA_FORMAT_IN_PROGRESS),
    ((None, 0x04, 0x07), HResult.E_IMAPI_RECORDER_MEDIA_BUSY),
    ((None, 0x04, 0x08), HResult.E_IMAPI_RECORDER_MEDIA_BUSY),
    ((None, 0x06, 0x00), HResult.E_IMAPI_RECORDER_MEDIA_UPSIDE_DOWN),
    ((None, 0x0C, 0x09), HResult.E_IMAPI_LOSS_OF_STREAMING),
    ((5, 0x1A, 0x00), HResult.E_IMAPI_RECORDER_INVALID_MODE_PARAMETERS),
    ((5, 0x26, None), HResult.E_IMAPI_RECORDER_INVALID_MODE_PARAMETERS),
    ((None, 0x27, None), HResult.E_IMAPI_RECORDER_MEDIA_WRITE_PROTECTED),
    ((None, 0x2E, None), HResult.E_IMAPI_RECORDER_COMMAND_TIMEOUT),
    ((None, 0x30, 0x10), HResult.E_IMAPI_RECORDER_MEDIA_NOT_FORMATTED),
    ((None, 0x30, None), HResult.E_IMAPI_RECORDER_MEDIA_INCOMPATIBLE),
    ((None, 0x3E, 0x02), HResult.E_IMAPI_RECORDER_COMMAND_TIMEOUT),
    ((5, 0x53, 0x02), HResult.E_IMAPI_RECORDER_LOCKED),
    ((7, None, None), HResult.E_IMAPI_RECORDER_MEDIA_WRITE_PROTECTED),
)
"""What sense data stand for; the first row that fits counts."""

SYSTEM_CODES: Final = {
    errno.EBADF: HResult.E_INVALID_HANDLE,
    errno.EBUSY: HResult.E_IMAPI_RECORDER_LOCKED,
    errno.ENODEV: HResult.E_DEV_NOT_EXIST,
    errno.ENOENT: HResult.E_DEV_NOT_EXIST,
    errno.ENXIO: HResult.E_DEV_NOT_EXIST,
    errno.ENOMEM: HResult.E_OUTOFMEMORY,
    errno.ETIMEDOUT: HResult.E_IMAPI_RECORDER_COMMAND_TIMEOUT,
}
"""What the system's errors stand for."""


def refusal(code: HResult, message: str) -> MasteringError:
    """Return the error of a refused call: its code by name stands behind what went wrong."""
    return MasteringError(f"{message} ({code.name})", hresult=code)


def code_of(error: DriveError, *, writing: bool = False) -> HResult:
    """Return IMAPI's code for what a drive did.

    Args:
        error: what came from the drive.
        writing: sectors were on their way: what no row names is then
            E_IMAPI_UNEXPECTED_RESPONSE_FROM_DEVICE, "an unrecoverable error during a write",
            else E_FAIL.
    """
    if error.sense is not None:
        for pattern, code in SENSE_CODES:
            wanted = zip(pattern, error.sense, strict=True)
            if all(part is None or part == found for part, found in wanted):
                return code
        return HResult.E_IMAPI_UNEXPECTED_RESPONSE_FROM_DEVICE if writing else HResult.E_FAIL
    return _unsaid(error, writing=writing)


def _unsaid(error: DriveError, *, writing: bool) -> HResult:
    """Return the code of an error without sense data, by what caused it."""
    cause = error.__cause__
    while cause is not None:
        if isinstance(cause, StorageError):
            return HResult.E_FAIL
        if isinstance(cause, FormatError):
            return HResult.E_IMAPI_RECORDER_INVALID_RESPONSE_FROM_DEVICE
        if isinstance(cause, OSError) and cause.errno in SYSTEM_CODES:
            return SYSTEM_CODES[cause.errno]
        if isinstance(cause, DriveError) and cause.__cause__ is None:
            return HResult.E_DEV_NOT_EXIST  # there was no answer at all
        cause = cause.__cause__
    return HResult.E_IMAPI_UNEXPECTED_RESPONSE_FROM_DEVICE if writing else HResult.E_FAIL


@contextmanager
def asking(*, writing: bool = False) -> Iterator[None]:
    """Turn what a drive or its system raises inside the block into IMAPI's refusals."""
    try:
        yield
    except DriveError as error:
        raise refusal(code_of(error, writing=writing), str(error)) from error
    except StorageError as error:  # of a recorder that is a program, whose disc is a file
        taken = error.errno in (errno.EAGAIN, errno.EBUSY)
        code = HResult.E_IMAPI_RECORDER_LOCKED if taken else HResult.E_FAIL
        raise refusal(code, str(error)) from error
    except FormatError as error:
        raise refusal(HResult.E_FAIL, str(error)) from error
    except UnsupportedError as error:
        raise refusal(HResult.E_NOTIMPL, str(error)) from error


def client_name_of(name: object, code: HResult) -> str:
    """Return a client's name as it was given.

    Raises:
        MasteringError: it is none: no text, empty, too long, or with unprintable characters.
    """
    if not isinstance(name, str) or not name.strip() or not name.isprintable():
        raise refusal(code, f"{name!r} is no client's name: give a text that is not empty")
    if len(name) > MAX_CLIENT_NAME:
        raise refusal(
            code, f"a client's name has at most {MAX_CLIENT_NAME} characters, not {len(name)}"
        )
    return name
