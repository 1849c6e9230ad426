"""DiscFormat2Erase: what is erased, what is refused, and each code of its family."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from rawcd.hresults import HResult
from rawcd.mastering.formats2 import DiscFormat2Erase, EraseProgress, MediaPhysicalType
from rawcd_writers.drive.transport import Answer
from tests.mastering.kept import (
    BLANK,
    DISC_INFORMATION,
    GET_CONFIGURATION,
    MODE_SENSE,
    check_condition,
    kept_of,
    recorder,
)
from tests.mastering.writing import code_of, prepared_raw, small_stream

if TYPE_CHECKING:
    from collections.abc import Callable

    from rawcd.mastering.formats2 import DiscRecorder2


def eraser(drive: DiscRecorder2) -> DiscFormat2Erase:
    made = DiscFormat2Erase()
    made.recorder = drive
    made.client_name = "tests"
    return made


def is_blank(made: DiscFormat2Erase) -> bool:
    return made.media_physically_blank


def written() -> DiscRecorder2:
    """A CD-RW with a disc on it."""
    drive = recorder("cdrw-short")
    writer = prepared_raw(drive)
    writer.write_media(small_stream())
    writer.release_media()
    return drive


@pytest.mark.parametrize("full", [False, True])
def test_a_written_disc_becomes_blank(full: bool) -> None:
    drive = written()
    made, seen = eraser(drive), list[EraseProgress]()
    made.full_erase = full
    made.advise(lambda teller, progress: seen.append(progress))
    assert not is_blank(made)
    assert made.is_current_media_supported(drive)
    made.erase_media()
    assert is_blank(made)
    assert made.media_heuristically_blank
    assert seen
    for each in seen:
        assert 0 <= each.elapsed_seconds <= each.estimated_total_seconds
    assert drive.exclusive_access_owner == ""


def test_full_and_quick_say_so_to_the_drive() -> None:
    for full, kind in ((False, 1), (True, 0)):
        drive, said = written(), list[int]()

        def before(cdb: bytes, said: list[int] = said) -> None:
            if cdb[0] == BLANK:
                said.append(cdb[1] & 7)

        kept_of(drive).wire.before = before
        made = eraser(drive)
        made.full_erase = full
        made.erase_media()
        assert said == [kind]


def test_settings_and_their_rules() -> None:
    made = DiscFormat2Erase()
    assert (made.recorder, made.client_name, made.full_erase) == (None, "", False)
    assert made.supported_media_types == (MediaPhysicalType.CDRW,)
    required = HResult.E_IMAPI_RECORDER_REQUIRED
    assert code_of(made.erase_media) == required
    assert code_of(lambda: made.current_physical_media_type) == required
    made.recorder = recorder("cdrw-short")
    assert made.current_physical_media_type is MediaPhysicalType.CDRW
    only_one = HResult.E_IMAPI_ERASE_ONLY_ONE_RECORDER_SUPPORTED
    assert code_of(lambda: setattr(made, "recorder", recorder("cdrw-short"))) == only_one
    made.recorder = None
    made.recorder = recorder("cdrw-short")
    bad = HResult.E_IMAPI_ERASE_CLIENT_NAME_IS_NOT_VALID
    assert code_of(made.erase_media) == bad
    assert code_of(lambda: setattr(made, "client_name", "")) == bad


def test_a_running_erasure_keeps_its_recorder() -> None:
    drive = written()
    made, met = eraser(drive), list[HResult]()

    def sink(teller: DiscFormat2Erase, progress: object) -> None:
        met.append(code_of(lambda: setattr(teller, "recorder", None)))
        met.append(code_of(teller.erase_media))

    made.advise(sink)
    made.erase_media()
    assert set(met) == {HResult.E_IMAPI_ERASE_RECORDER_IN_USE}
    made.recorder = None


def patched(drive: DiscRecorder2, opcode: int, answer: Answer, from_the: int = 1) -> None:
    """Have a drive answer a command otherwise, from the n-th on."""
    seen = 0

    def before(cdb: bytes) -> Answer | None:
        nonlocal seen
        if cdb[0] != opcode:
            return None
        seen += 1
        return answer if seen >= from_the else None

    kept_of(drive).wire.before = before


def data(text: str) -> Answer:
    return Answer(status=0, data=bytes.fromhex(text), sense=b"")


def erase_with(patch: Callable[[DiscRecorder2], Any], kind: str = "cdrw-short") -> HResult:
    drive = recorder(kind)
    made = eraser(drive)
    patch(drive)
    code = code_of(made.erase_media)
    assert drive.exclusive_access_owner == ""
    return code


def quiet(drive: DiscRecorder2) -> None:
    del drive


CODES: dict[str, tuple[HResult, Callable[[], HResult]]] = {
    "a short answer to READ DISC INFORMATION": (
        HResult.E_IMAPI_ERASE_DISC_INFORMATION_TOO_SMALL,
        lambda: erase_with(_short_information),
    ),
    "a short mode page 2Ah": (
        HResult.E_IMAPI_ERASE_MODE_PAGE_2A_TOO_SMALL,
        lambda: erase_with(
            lambda drive: patched(drive, MODE_SENSE, data("000a 00000000 0000 2a02 0707"))
        ),
    ),
    "a CD-R": (
        HResult.E_IMAPI_ERASE_MEDIA_IS_NOT_ERASABLE,
        lambda: erase_with(quiet, "cdr-short"),
    ),
    "a refused BLANK": (
        HResult.E_IMAPI_ERASE_DRIVE_FAILED_ERASE_COMMAND,
        lambda: erase_with(lambda drive: patched(drive, BLANK, check_condition(5, 0x20, 0))),
    ),
    "more than an hour": (
        HResult.E_IMAPI_ERASE_TOOK_LONGER_THAN_ONE_HOUR,
        lambda: erase_with(lambda drive: patched(drive, BLANK, check_condition(2, 4, 7))),
    ),
    "a disc that is not blank afterwards": (
        HResult.E_IMAPI_ERASE_UNEXPECTED_DRIVE_RESPONSE_DURING_ERASE,
        lambda: _erase_that_does_nothing(),
    ),
    "an error of the disc": (
        HResult.E_IMAPI_ERASE_UNEXPECTED_DRIVE_RESPONSE_DURING_ERASE,
        lambda: erase_with(lambda drive: patched(drive, BLANK, check_condition(3, 0x51, 0))),
    ),
    "a spindle that does not turn": (
        HResult.E_IMAPI_ERASE_DRIVE_FAILED_SPINUP_COMMAND,
        lambda: erase_with(lambda drive: patched(drive, 0x00, check_condition(4, 0x09, 3))),
    ),
    "a DVD": (
        HResult.E_IMAPI_ERASE_MEDIA_IS_NOT_SUPPORTED,
        lambda: erase_with(
            lambda drive: patched(drive, GET_CONFIGURATION, data("00000004 0000 001b"))
        ),
    ),
    "an empty drive": (
        HResult.E_IMAPI_RECORDER_MEDIA_NO_MEDIA,
        lambda: erase_with(lambda drive: kept_of(drive).drive.remove()),
    ),
    "a drive that is gone": (
        HResult.E_DEV_NOT_EXIST,
        lambda: erase_with(lambda drive: kept_of(drive).be_silent()),
    ),
}


def _short_information(drive: DiscRecorder2) -> None:
    """Answer in full while the disc is looked at, and cut off when the bytes are wanted."""
    patched(drive, DISC_INFORMATION, data("0002 1e01"), from_the=2)


def _erase_that_does_nothing() -> HResult:
    drive = written()
    made = eraser(drive)
    patched(drive, BLANK, Answer(status=0, data=b"", sense=b""))
    return code_of(made.erase_media)


@pytest.mark.parametrize("case", CODES)
def test_each_code_of_the_family(case: str) -> None:
    wanted, provoke = CODES[case]
    got = provoke()
    print(f"EraseMedia               {case:44} {got.name}")
    assert got == wanted


def test_a_drive_that_writes_no_cdrw_is_refused() -> None:
    drive = recorder()
    patched(drive, GET_CONFIGURATION, data("0000000c 0000 0009 00000304 00090100"))
    made = DiscFormat2Erase()
    assert not made.is_recorder_supported(drive)
    code = code_of(lambda: setattr(made, "recorder", drive))
    assert code == HResult.E_IMAPI_ERASE_RECORDER_NOT_SUPPORTED


def test_somebody_else_has_the_drive() -> None:
    drive = recorder("cdrw-short")
    made = eraser(drive)
    other = type(drive)(kept_of(drive))
    other.acquire_exclusive_access(True, "somebody")
    assert code_of(made.erase_media) == HResult.E_IMAPI_RECORDER_LOCKED
    other.release_exclusive_access()
    made.erase_media()


def test_what_a_sink_raises_does_not_end_the_erasing() -> None:
    drive = written()
    made = eraser(drive)

    def fails(teller: object, progress: object) -> None:
        raise ZeroDivisionError

    cookie = made.advise(fails)
    made.erase_media()
    made.unadvise(cookie)
    assert made.media_physically_blank
