"""What a drive says, as IMAPI's codes: each of the shared list, through each call that has it."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Any

import pytest

from rawcd.errors import DriveError, FormatError, MasteringError, StorageError
from rawcd.hresults import HResult
from rawcd.mastering.formats2.refusals import SENSE_CODES, asking, code_of
from tests.mastering.kept import kept_of, recorder
from tests.mastering.writing import (
    prepared_raw,
    prepared_tao,
    raw_writer,
    small_stream,
    sound,
    tao_writer,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from rawcd.mastering.formats2 import DiscRecorder2

SENSES = {  # sense data as drives send them (MMC), and the code of IMAPI's shared list
    (2, 0x3A, 0x01): HResult.E_IMAPI_RECORDER_MEDIA_NO_MEDIA,
    (2, 0x04, 0x01): HResult.E_IMAPI_RECORDER_MEDIA_BECOMING_READY,
    (2, 0x04, 0x04): HResult.E_IMAPI_RECORDER_MEDIA_FORMAT_IN_PROGRESS,
    (2, 0x04, 0x07): HResult.E_IMAPI_RECORDER_MEDIA_BUSY,
    (2, 0x04, 0x08): HResult.E_IMAPI_RECORDER_MEDIA_BUSY,
    (2, 0x06, 0x00): HResult.E_IMAPI_RECORDER_MEDIA_UPSIDE_DOWN,
    (2, 0x30, 0x01): HResult.E_IMAPI_RECORDER_MEDIA_INCOMPATIBLE,
    (5, 0x30, 0x05): HResult.E_IMAPI_RECORDER_MEDIA_INCOMPATIBLE,
    (2, 0x30, 0x10): HResult.E_IMAPI_RECORDER_MEDIA_NOT_FORMATTED,
    (7, 0x27, 0x00): HResult.E_IMAPI_RECORDER_MEDIA_WRITE_PROTECTED,
    (7, 0x55, 0x55): HResult.E_IMAPI_RECORDER_MEDIA_WRITE_PROTECTED,
    (11, 0x2E, 0x00): HResult.E_IMAPI_RECORDER_COMMAND_TIMEOUT,
    (4, 0x3E, 0x02): HResult.E_IMAPI_RECORDER_COMMAND_TIMEOUT,
    (5, 0x53, 0x02): HResult.E_IMAPI_RECORDER_LOCKED,
    (5, 0x1A, 0x00): HResult.E_IMAPI_RECORDER_INVALID_MODE_PARAMETERS,
    (5, 0x26, 0x02): HResult.E_IMAPI_RECORDER_INVALID_MODE_PARAMETERS,
    (3, 0x0C, 0x09): HResult.E_IMAPI_LOSS_OF_STREAMING,
    (4, 0x44, 0x00): HResult.E_FAIL,
}


def test_each_sense_has_the_code_that_it_stands_for() -> None:
    for sense, code in SENSES.items():
        print(f"sense {'/'.join(f'{part:02X}' for part in sense)}   {code.name}")
        assert code_of(DriveError("x", sense=sense)) == code
    rows = {code for _, code in SENSE_CODES}
    assert rows <= set(SENSES.values())


def caused(error: BaseException) -> DriveError:
    top = DriveError("READ: no answer", command="READ")
    top.__cause__ = error
    return top


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (OSError(errno.EBUSY, "busy"), HResult.E_IMAPI_RECORDER_LOCKED),
        (OSError(errno.ENODEV, "gone"), HResult.E_DEV_NOT_EXIST),
        (OSError(errno.ENXIO, "gone"), HResult.E_DEV_NOT_EXIST),
        (OSError(errno.EBADF, "closed"), HResult.E_INVALID_HANDLE),
        (OSError(errno.ETIMEDOUT, "late"), HResult.E_IMAPI_RECORDER_COMMAND_TIMEOUT),
        (OSError(errno.ENOMEM, "full"), HResult.E_OUTOFMEMORY),
        (OSError(errno.EIO, "odd"), HResult.E_FAIL),
        (FormatError("odd"), HResult.E_IMAPI_RECORDER_INVALID_RESPONSE_FROM_DEVICE),
        (StorageError("odd", file="x"), HResult.E_FAIL),
        (DriveError("no answer"), HResult.E_DEV_NOT_EXIST),
    ],
)
def test_errors_without_sense_go_by_their_cause(error: BaseException, code: HResult) -> None:
    assert code_of(caused(error)) == code
    if code is not HResult.E_FAIL:
        assert code_of(caused(caused(error))) == code


def test_during_a_write_the_rest_is_an_unexpected_response() -> None:
    unexpected = HResult.E_IMAPI_UNEXPECTED_RESPONSE_FROM_DEVICE
    assert code_of(DriveError("x", sense=(4, 0x44, 0)), writing=True) == unexpected
    assert code_of(DriveError("x"), writing=True) == unexpected
    assert code_of(DriveError("x")) == HResult.E_FAIL


def test_the_message_keeps_what_the_drive_said() -> None:
    with pytest.raises(MasteringError, match=r"WRITE\(10\) at LBA 5.*E_FAIL"), asking():
        raise DriveError("WRITE(10) at LBA 5: odd", command="WRITE(10)", lba=5)
    with pytest.raises(MasteringError) as caught, asking():
        raise StorageError("full", file="x")
    assert caught.value.hresult == HResult.E_FAIL


def idle(drive: DiscRecorder2, call: Callable[[Any], object]) -> Callable[[], object]:
    writer = raw_writer(drive)
    return lambda: call(writer)


DEV_CALLS: dict[str, Callable[[DiscRecorder2], Callable[[], object]]] = {
    "RawCD.prepare_media": lambda drive: raw_writer(drive).prepare_media,
    "RawCD.set_write_speed": lambda drive: raw_writer(drive).set_write_speed,
    "RawCD.current_write_speed": lambda d: idle(d, lambda w: w.current_write_speed),
    "RawCD.current_rotation_type_is_pure_cav": lambda d: idle(
        d, lambda w: w.current_rotation_type_is_pure_cav
    ),
    "RawCD.supported_write_speeds": lambda d: idle(d, lambda w: w.supported_write_speeds),
    "RawCD.supported_write_speed_descriptors": lambda d: idle(
        d, lambda w: w.supported_write_speed_descriptors
    ),
    "RawCD.current_physical_media_type": lambda d: idle(d, lambda w: w.current_physical_media_type),
    "RawCD.media_physically_blank": lambda d: idle(d, lambda w: w.media_physically_blank),
    "RawCD.supported_sector_types": lambda d: idle(d, lambda w: w.supported_sector_types),
    "RawCD.is_current_media_supported": lambda d: idle(
        d, lambda w: w.is_current_media_supported(d)
    ),
    "RawCD.write_media": lambda d: (lambda writer: lambda: writer.write_media(small_stream()))(
        prepared_raw(d)
    ),
    "TrackAtOnce.prepare_media": lambda drive: tao_writer(drive).prepare_media,
    "TrackAtOnce.add_audio_track": lambda d: (
        lambda writer: lambda: writer.add_audio_track(sound(300))
    )(prepared_tao(d)),
    "Recorder.get_disc_information": lambda drive: drive.get_disc_information,
    "Recorder.get_track_information": lambda drive: lambda: drive.get_track_information(1),
}
PASSED = [
    sense
    for sense, code in SENSES.items()
    # A refused request is how a drive says that it lacks something; what has no code may differ.
    if sense[0] != 5 and code is not HResult.E_FAIL
]


@pytest.mark.parametrize("call", DEV_CALLS)
def test_every_call_of_the_shared_list_passes_its_codes_on(call: str) -> None:
    for sense in PASSED:
        drive = recorder()
        act = DEV_CALLS[call](drive)
        kept_of(drive).say(*sense)
        wanted = SENSES[sense]
        empty = wanted is HResult.E_IMAPI_RECORDER_MEDIA_NO_MEDIA
        if empty and call in ("RawCD.current_physical_media_type",):
            assert act() == 0  # an empty drive has a type: UNKNOWN
            continue
        with pytest.raises(MasteringError) as caught:
            act()
        got = HResult(caught.value.hresult)
        print(f"{call:44} {got.name}")
        assert got == wanted, sense
