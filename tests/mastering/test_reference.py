"""Each documented error of IMAPI 2's writers: provoked, or why it cannot come; printed with -s.

The lists are those of the pages of IDiscFormat2RawCD, IDiscFormat2TrackAtOnce and
IDiscFormat2Erase. What depends on the state is in `test_writer_states`; the list that most calls
share (DEV) goes through each of them in `test_refusals`; what a disc or a stream is refused for is
here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import pytest

import rawcd
from rawcd.errors import MasteringError
from rawcd.hresults import HResult
from rawcd.mastering.formats2 import DiscFormat2Erase, DiscFormat2RawCD, DiscFormat2TrackAtOnce
from rawcd.mastering.formats2.states import RAW_TABLE, TAO_TABLE
from rawcd_writers.drive.transport import Answer
from tests.mastering.kept import check_condition, kept_of, recorder
from tests.mastering.test_erase import CODES as ERASE_CODES
from tests.mastering.test_refusals import DEV_CALLS
from tests.mastering.writing import (
    prepared_raw,
    prepared_tao,
    raw_writer,
    small_stream,
    sound,
    tao_writer,
    while_writing,
)

H = HResult
NO_POINTERS: Final = "Python returns values: there is no pointer that could be null"
NO_MEMORY: Final = "Python raises MemoryError by itself"
TABLE: Final = "test_writer_states"
DEVICE: Final = "test_refusals"
Proof = Callable[[], object] | str


def written_raw() -> DiscFormat2RawCD:
    writer = prepared_raw(recorder("cdrw-short"))
    writer.write_media(small_stream())
    writer.release_media()
    return writer


def on_a_dvd(writer: Any) -> Any:
    """A writer of which the drive has a DVD+R in it now."""
    no_cd = Answer(status=0, data=bytes.fromhex("000000040000001b"), sense=b"")
    kept_of(writer.recorder).wire.before = lambda cdb: no_cd if cdb[0] == 0x46 else None
    return writer


def put(writer: Any, name: str, value: object) -> Callable[[], object]:
    return lambda: setattr(writer, name, value)


def too_large() -> rawcd.DiscImage:
    creator = rawcd.RawCDImageCreator()
    creator.resulting_image_type = rawcd.ImageType.RAW
    creator.add_track(rawcd.SilenceSource(block_count=290_000))
    return creator.create_result_image()


def silent_drive() -> Any:
    """A drive that does not say how fast it writes."""
    writer = raw_writer()
    assert writer.recorder is not None
    kept_of(writer.recorder).wire.before = lambda cdb: (
        check_condition(5, 0x24, 0) if cdb[0] == 0x5A else None
    )
    return writer


def cancelling() -> None:
    writer = prepared_raw()
    writer.advise(lambda teller, progress: teller.cancel_write())
    writer.write_media(small_stream())


def without_raw() -> Any:
    drive = recorder()
    kept_of(drive).wire.before = lambda cdb: (
        check_condition(5, 0x20, 0) if cdb[0] in (0x46, 0x55) else None
    )
    return drive


def short_blank() -> Any:
    """A prepared writer whose disc begins before the stream does."""
    return prepared_raw(recorder("cdr80"))


RAW_WRITES: dict[HResult, Proof] = {
    H.E_POINTER: lambda: prepared_raw().write_media(None),
    H.E_INVALIDARG: lambda: prepared_raw().write_media(5),
    H.E_IMAPI_DF2RAW_STREAM_NOT_SUPPORTED: lambda: prepared_raw().write_media(b"no disc"),
    H.E_IMAPI_DF2RAW_MEDIA_IS_NOT_PREPARED: TABLE,
    H.E_IMAPI_DF2RAW_WRITE_IN_PROGRESS: TABLE,
    H.E_IMAPI_DF2RAW_MEDIA_IS_NOT_BLANK: lambda: second_write(),
    H.E_IMAPI_DF2RAW_STREAM_LEADIN_TOO_SHORT: lambda: short_blank().write_media2(
        small_stream(), 4500
    ),
    H.E_IMAPI_DF2RAW_NOT_ENOUGH_SPACE: lambda: prepared_raw(recorder("cdr63")).write_media(
        too_large()
    ),
    H.E_IMAPI_REQUEST_CANCELLED: cancelling,
}


def second_write() -> None:
    writer = prepared_raw(recorder("cdrw-short"))
    writer.write_media(small_stream())
    writer.write_media(small_stream())


def tao_cancelling() -> None:
    writer = prepared_tao()
    writer.advise(lambda teller, progress: teller.cancel_add_track())
    writer.add_audio_track(sound(300))


def full_of_tracks() -> None:
    writer = prepared_tao()
    for _ in range(100):
        writer.add_audio_track(rawcd.SilenceSource(block_count=300))


def erasing_twice() -> None:
    from tests.mastering.test_erase import eraser, written

    drive = written()
    made, met = eraser(drive), list[MasteringError]()

    def sink(teller: Any, progress: object) -> None:
        try:
            teller.recorder = None
        except MasteringError as error:
            met.append(error)

    made.advise(sink)
    made.erase_media()
    raise met[0]


def erase_put_two() -> None:
    made = DiscFormat2Erase()
    made.recorder = recorder("cdrw-short")
    made.recorder = recorder("cdrw-short")


def verification_that_fails() -> None:
    import numpy as np

    writer = tao_writer()
    writer.burn_verification_level = 2
    writer.prepare_media()
    writer.add_audio_track(sound(300))
    assert writer.recorder is not None
    medium = kept_of(writer.recorder).drive.medium
    assert medium is not None
    medium.store.write(120, np.zeros((1, 2448), np.uint8))
    writer.release_media()


FAMILY_OF_SPEEDS: dict[HResult, Proof] = {
    H.E_IMAPI_DF2RAW_NO_RECORDER_SPECIFIED: lambda: DiscFormat2RawCD().current_write_speed,
    H.E_IMAPI_UNEXPECTED_RESPONSE_FROM_DEVICE: lambda: silent_drive().current_write_speed,
}
REFERENCE: dict[str, dict[HResult, Proof]] = {
    "RawCD.PrepareMedia": {
        H.E_IMAPI_DF2RAW_NO_RECORDER_SPECIFIED: TABLE,
        H.E_IMAPI_DF2RAW_MEDIA_IS_PREPARED: TABLE,
        H.E_IMAPI_DF2RAW_MEDIA_IS_NOT_SUPPORTED: lambda: on_a_dvd(raw_writer()).prepare_media(),
        H.E_IMAPI_DF2RAW_MEDIA_IS_NOT_BLANK: lambda: written_raw().prepare_media(),
        H.E_IMAPI_DF2RAW_CLIENT_NAME_IS_NOT_VALID: lambda: nameless().prepare_media(),
    },
    "RawCD.WriteMedia": RAW_WRITES,
    "RawCD.WriteMedia2": {
        **RAW_WRITES,
        H.E_INVALIDARG: lambda: prepared_raw().write_media2(small_stream(), -1),
    },
    "RawCD.CancelWrite": {
        H.E_IMAPI_DF2RAW_WRITE_NOT_IN_PROGRESS: TABLE,
        H.E_FAIL: "it sets a mark and asks nobody, so that it cannot fail",
    },
    "RawCD.ReleaseMedia": {
        H.E_IMAPI_DF2RAW_MEDIA_IS_NOT_PREPARED: TABLE,
        H.E_IMAPI_DF2RAW_WRITE_IN_PROGRESS: TABLE,
    },
    "RawCD.SetWriteSpeed": {
        H.E_IMAPI_RECORDER_REQUIRED: TABLE,
        H.E_IMAPI_DF2RAW_MEDIA_IS_NOT_SUPPORTED: lambda: on_a_dvd(raw_writer()).set_write_speed(),
        H.E_IMAPI_DF2RAW_MEDIA_IS_NOT_BLANK: lambda: written_raw().set_write_speed(),
        H.E_IMAPI_DF2RAW_CLIENT_NAME_IS_NOT_VALID: "no client's name is needed to choose a speed",
    },
    "RawCD.put Recorder": {
        H.E_IMAPI_DF2RAW_WRITE_IN_PROGRESS: TABLE,
        H.E_IMAPI_DF2RAW_MEDIA_IS_PREPARED: TABLE,
        H.E_IMAPI_DF2RAW_RECORDER_NOT_SUPPORTED: lambda: put(
            DiscFormat2RawCD(), "recorder", without_raw()
        )(),
    },
    "RawCD.get Recorder": {H.E_POINTER: NO_POINTERS},
    "RawCD.put BufferUnderrunFreeDisabled": {
        H.E_IMAPI_DF2RAW_MEDIA_IS_NOT_PREPARED: TABLE,
        H.E_IMAPI_DF2RAW_WRITE_IN_PROGRESS: TABLE,
    },
    "RawCD.StartOfNextSession": {
        H.E_POINTER: NO_POINTERS,
        H.E_IMAPI_DF2RAW_MEDIA_IS_NOT_PREPARED: TABLE,
    },
    "RawCD.LastPossibleStartOfLeadout": {
        H.E_POINTER: NO_POINTERS,
        H.E_IMAPI_DF2RAW_MEDIA_IS_NOT_PREPARED: TABLE,
    },
    "RawCD.CurrentPhysicalMediaType": {
        H.E_IMAPI_DF2RAW_NO_RECORDER_SPECIFIED: lambda: (
            DiscFormat2RawCD().current_physical_media_type
        ),
    },
    "RawCD.SupportedSectorTypes": {
        H.E_POINTER: lambda: DiscFormat2RawCD().supported_sector_types,
    },
    "RawCD.put RequestedSectorType": {
        H.E_IMAPI_DF2RAW_WRITE_IN_PROGRESS: TABLE,
        H.E_IMAPI_DF2RAW_MEDIA_IS_NOT_PREPARED: TABLE,
        H.E_IMAPI_DF2RAW_DATA_BLOCK_TYPE_NOT_SUPPORTED: lambda: without_cooked(),
    },
    "RawCD.get RequestedSectorType": {
        H.E_POINTER: NO_POINTERS,
        H.E_IMAPI_DF2RAW_MEDIA_IS_NOT_PREPARED: TABLE,
    },
    "RawCD.put ClientName": {
        H.E_OUTOFMEMORY: NO_MEMORY,
        H.E_IMAPI_DF2RAW_CLIENT_NAME_IS_NOT_VALID: put(raw_writer(), "client_name", ""),
        H.E_IMAPI_DF2RAW_WRITE_IN_PROGRESS: TABLE,
        H.E_IMAPI_DF2RAW_MEDIA_IS_PREPARED: TABLE,
    },
    "RawCD.get ClientName": {H.E_POINTER: NO_POINTERS, H.E_OUTOFMEMORY: NO_MEMORY},
    "RawCD.RequestedWriteSpeed": {H.E_POINTER: NO_POINTERS},
    "RawCD.RequestedRotationTypeIsPureCAV": {H.E_POINTER: NO_POINTERS},
    "RawCD.CurrentWriteSpeed": FAMILY_OF_SPEEDS,
    "RawCD.CurrentRotationTypeIsPureCAV": {
        H.E_IMAPI_DF2RAW_NO_RECORDER_SPECIFIED: lambda: (
            DiscFormat2RawCD().current_rotation_type_is_pure_cav
        ),
        H.E_IMAPI_UNEXPECTED_RESPONSE_FROM_DEVICE: "a drive that does not say turns as chosen",
    },
    "RawCD.SupportedWriteSpeeds": {
        H.E_IMAPI_DF2RAW_NO_RECORDER_SPECIFIED: lambda: DiscFormat2RawCD().supported_write_speeds,
        H.E_IMAPI_UNEXPECTED_RESPONSE_FROM_DEVICE: "of a drive that names none the list is empty",
    },
    "RawCD.SupportedWriteSpeedDescriptors": {
        H.E_IMAPI_DF2RAW_NO_RECORDER_SPECIFIED: lambda: (
            DiscFormat2RawCD().supported_write_speed_descriptors
        ),
        H.E_IMAPI_UNEXPECTED_RESPONSE_FROM_DEVICE: "of a drive that names none the list is empty",
    },
    "Format2.IsRecorderSupported": {
        H.E_POINTER: lambda: raw_writer().is_recorder_supported(None),  # type: ignore[arg-type]  # what scripts pass
        H.E_IMAPI_DF2RAW_MEDIA_IS_NOT_SUPPORTED: "the answer is False, as the page means it",
    },
    "Format2.IsCurrentMediaSupported": {
        H.E_POINTER: lambda: raw_writer().is_current_media_supported(None),  # type: ignore[arg-type]  # what scripts pass
        H.E_IMAPI_RECORDER_MEDIA_NO_MEDIA: lambda: raw_writer().is_current_media_supported(
            recorder(empty=True)
        ),
    },
    "Format2.MediaPhysicallyBlank": {
        H.E_POINTER: NO_POINTERS,
        H.E_OUTOFMEMORY: NO_MEMORY,
        H.E_FAIL: DEVICE,
        H.E_INVALIDARG: "it takes no argument",
        H.E_IMAPI_RECORDER_FEATURE_IS_NOT_CURRENT: "READ DISC INFORMATION is asked, no feature",
    },
    "TAO.codes": {
        H.E_IMAPI_DF2TAO_WRITE_IN_PROGRESS: TABLE,
        H.E_IMAPI_DF2TAO_WRITE_NOT_IN_PROGRESS: TABLE,
        H.E_IMAPI_DF2TAO_MEDIA_IS_NOT_PREPARED: TABLE,
        H.E_IMAPI_DF2TAO_MEDIA_IS_PREPARED: TABLE,
        H.E_IMAPI_DF2TAO_PROPERTY_FOR_BLANK_MEDIA_ONLY: (
            "no property here depends on the disc: do_not_finalize_media is put before it is "
            "prepared, when it is blank"
        ),
        H.E_IMAPI_DF2TAO_TABLE_OF_CONTENTS_EMPTY_DISC: lambda: (
            prepared_tao().expected_table_of_contents
        ),
        H.E_IMAPI_DF2TAO_MEDIA_IS_NOT_BLANK: lambda: tao_writer(
            written_raw().recorder
        ).prepare_media(),
        H.E_IMAPI_DF2TAO_MEDIA_IS_NOT_SUPPORTED: lambda: on_a_dvd(tao_writer()).prepare_media(),
        H.E_IMAPI_DF2TAO_TRACK_LIMIT_REACHED: full_of_tracks,
        H.E_IMAPI_DF2TAO_NOT_ENOUGH_SPACE: lambda: prepared_tao().add_audio_track(
            rawcd.SilenceSource(block_count=400_000)
        ),
        H.E_IMAPI_DF2TAO_NO_RECORDER_SPECIFIED: TABLE,
        H.E_IMAPI_DF2TAO_INVALID_ISRC: "the interface has no member that takes an ISRC",
        H.E_IMAPI_DF2TAO_INVALID_MCN: "the interface has no member that takes a catalogue number",
        H.E_IMAPI_DF2TAO_STREAM_NOT_SUPPORTED: lambda: prepared_tao().add_audio_track(b"odd"),
        H.E_IMAPI_DF2TAO_RECORDER_NOT_SUPPORTED: lambda: put(
            DiscFormat2TrackAtOnce(), "recorder", without_raw()
        )(),
        H.E_IMAPI_DF2TAO_CLIENT_NAME_IS_NOT_VALID: put(tao_writer(), "client_name", " "),
        H.E_IMAPI_REQUEST_CANCELLED: tao_cancelling,
        H.E_IMAPI_BURN_VERIFICATION_FAILED: verification_that_fails,
    },
    "Erase.codes": {
        H.E_IMAPI_ERASE_RECORDER_IN_USE: erasing_twice,
        H.E_IMAPI_ERASE_ONLY_ONE_RECORDER_SUPPORTED: erase_put_two,
        H.E_IMAPI_ERASE_RECORDER_NOT_SUPPORTED: lambda: erase_without_cdrw(),
        H.E_IMAPI_ERASE_CLIENT_NAME_IS_NOT_VALID: put(DiscFormat2Erase(), "client_name", ""),
        **{code: "test_erase" for code, _ in ERASE_CODES.values() if "ERASE" in code.name},
    },
}


def nameless() -> DiscFormat2RawCD:
    writer = DiscFormat2RawCD()
    writer.recorder = recorder()
    return writer


def without_cooked() -> None:
    drive, selects = recorder(), list[bytes]()

    def before(cdb: bytes) -> Any:
        if cdb[0] == 0x55:
            selects.append(cdb)
            if len(selects) == 2:
                return check_condition(5, 0x26, 0)
        return None

    kept_of(drive).wire.before = before
    writer = raw_writer(drive)
    writer.prepare_media()
    writer.requested_sector_type = rawcd.ImageType.COOKED


def erase_without_cdrw() -> None:
    drive = recorder()
    answer = Answer(status=0, data=bytes.fromhex("0000000c000000090000030400090100"), sense=b"")
    kept_of(drive).wire.before = lambda cdb: answer if cdb[0] == 0x46 else None
    DiscFormat2Erase().recorder = drive


CASES = [(member, code) for member, codes in REFERENCE.items() for code in codes]


@pytest.mark.parametrize(
    ("member", "code"), CASES, ids=[f"{member}-{code.name}" for member, code in CASES]
)
def test_a_documented_error_comes_as_it_is_documented(member: str, code: HResult) -> None:
    proof = REFERENCE[member][code]
    if isinstance(proof, str):
        print(f"{member:40} {code.name:52} {proof}")
        if proof == TABLE:
            table = TAO_TABLE if member.startswith("TAO") else RAW_TABLE
            assert any(code in row for row in table.values())
        return
    with pytest.raises(MasteringError) as caught:
        proof()
    print(f"{member:40} {code.name:52} provoked: {caught.value}")
    assert caught.value.hresult == code


def test_every_code_of_the_three_families_is_listed() -> None:
    listed = {code for codes in REFERENCE.values() for code in codes}
    for code in HResult:
        if "_DF2RAW_" in code.name or "_DF2TAO_" in code.name or "_ERASE_" in code.name:
            assert code in listed, code.name


def test_every_call_with_the_shared_list_is_tried_with_it() -> None:
    tried = {name.partition(".")[2] for name in DEV_CALLS}
    assert tried >= {
        "prepare_media",
        "write_media",
        "set_write_speed",
        "current_physical_media_type",
        "supported_sector_types",
        "current_write_speed",
        "current_rotation_type_is_pure_cav",
        "supported_write_speeds",
        "supported_write_speed_descriptors",
        "media_physically_blank",
        "add_audio_track",
    }


def test_success_codes_are_results() -> None:
    writer = raw_writer()
    assert writer.set_write_speed(75) == H.S_IMAPI_SPEEDADJUSTED
    assert writer.set_write_speed(-1, True) == H.S_IMAPI_ROTATIONADJUSTED
    assert writer.set_write_speed(75, True) == H.S_IMAPI_BOTHADJUSTED
    assert writer.prepare_media() == H.S_IMAPI_BOTHADJUSTED
    assert while_writing(writer, lambda teller: teller.cancel_write()) is None
