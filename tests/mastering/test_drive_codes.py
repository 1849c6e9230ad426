"""What IMAPI 1 calls the troubles of a drive."""

from __future__ import annotations

import errno

import pytest

from rawcd.errors import (
    AuthoringError,
    CancelledError,
    DriveError,
    MasteringError,
    PluginError,
    RawCDError,
    StorageError,
    UnsupportedError,
)
from rawcd.hresults import HResult
from rawcd.mastering.refusals import code_of, drive_codes

H = HResult


def caused(error: DriveError, cause: Exception) -> DriveError:
    error.__cause__ = cause
    return error


CASES: list[tuple[RawCDError, HResult]] = [
    (DriveError("x", sense=(2, 0x3A, 0)), H.IMAPI_E_MEDIUM_NOTPRESENT),
    (DriveError("x", sense=(2, 0x3A, 2), command="WRITE(10)"), H.IMAPI_E_MEDIUM_NOTPRESENT),
    (DriveError("x", sense=(6, 0x28, 0)), H.IMAPI_E_MEDIUM_NOTPRESENT),
    (DriveError("x", sense=(2, 0x04, 0)), H.IMAPI_E_DEVICE_NOTACCESSIBLE),
    (DriveError("x", sense=(3, 0x0C, 9)), H.IMAPI_E_LOSS_OF_STREAMING),
    (DriveError("x", sense=(5, 0x21, 2)), H.IMAPI_E_LOSS_OF_STREAMING),
    (DriveError("x", sense=(5, 0x30, 0)), H.IMAPI_E_MEDIUM_INVALIDTYPE),
    (DriveError("x", sense=(7, 0x27, 0)), H.IMAPI_E_CANNOT_WRITE_TO_MEDIA),
    (DriveError("x", sense=(3, 0x0C, 0), command="WRITE(10)"), H.IMAPI_E_GENERIC),
    (
        DriveError("x", sense=(5, 0x26, 0), command="MODE SELECT(10)"),
        H.IMAPI_E_INITIALIZE_WRITE,
    ),
    (
        DriveError("x", sense=(3, 0x72, 1), command="CLOSE TRACK/SESSION"),
        H.IMAPI_E_INITIALIZE_ENDWRITE,
    ),
    (DriveError("x", command="READ DISC INFORMATION"), H.IMAPI_E_DISCINFO),
    (DriveError("x"), H.IMAPI_E_GENERIC),
    (caused(DriveError("x"), OSError(errno.ENOENT, "")), H.IMAPI_E_DEVICE_NOTPRESENT),
    (caused(DriveError("x"), OSError(errno.ENXIO, "")), H.IMAPI_E_DEVICE_NOTPRESENT),
    (caused(DriveError("x"), OSError(errno.EBUSY, "")), H.IMAPI_E_DEVICE_NOTACCESSIBLE),
    (
        caused(DriveError("x", command="WRITE(10)"), DriveError("y")),
        H.IMAPI_E_DEVICE_NOTPRESENT,
    ),
    (PluginError("x", name="n", group="g"), H.IMAPI_E_DEVICE_NOTPRESENT),
    (UnsupportedError("x"), H.IMAPI_E_DEVICE_INVALIDTYPE),
    (StorageError("x", file="f"), H.IMAPI_E_DEVICE_NOTACCESSIBLE),
    (CancelledError("x"), H.IMAPI_E_USERABORT),
    (AuthoringError("x", rule="r"), H.IMAPI_E_GENERIC),
    (MasteringError("x", hresult=H.IMAPI_E_WRONGDISC), H.IMAPI_E_WRONGDISC),
]


@pytest.mark.parametrize(
    ("error", "code"), CASES, ids=[f"{at}-{code.name}" for at, (_, code) in enumerate(CASES)]
)
def test_trouble_has_its_code_and_stays_the_cause(error: RawCDError, code: HResult) -> None:
    assert code_of(error) == code
    with pytest.raises(MasteringError) as caught, drive_codes("erase"):
        raise error
    assert caught.value.hresult == code
    assert error in (caught.value, caught.value.__cause__)
