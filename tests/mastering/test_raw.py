"""DiscFormat2RawCD: discs and drives, speeds, events, and what ends a write early."""

from __future__ import annotations

import logging
from typing import Any

import pytest

import rawcd
from rawcd.errors import MasteringError
from rawcd.hresults import HResult
from rawcd.mastering.formats2 import (
    DiscFormat2RawCD,
    MediaPhysicalType,
    RawCDProgress,
    RawCDWriteAction,
    WriterState,
)
from rawcd.progress import BurnAction, BurnProgress
from rawcd_writers.drive.transport import Answer
from tests.mastering.kept import DISC_INFORMATION, WRITE, check_condition, kept_of, recorder
from tests.mastering.writing import (
    LEAD_IN,
    burned,
    code_of,
    expected,
    prepared_raw,
    raw_writer,
    small_stream,
    while_writing,
)


def test_a_block_type_that_the_drive_does_not_take() -> None:
    drive = recorder()
    no_cooked = [0]

    def before(cdb: bytes) -> Any:
        if cdb[0] == 0x55:  # the second of three that are tried is COOKED
            no_cooked[0] += 1
            if no_cooked[0] == 2:
                return check_condition(5, 0x26, 0)
        return None

    kept_of(drive).wire.before = before
    writer = raw_writer(drive)
    writer.prepare_media()
    assert writer.supported_sector_types == (1, 3)
    assert writer.requested_sector_type is rawcd.ImageType.COOKED
    unsupported = HResult.E_IMAPI_DF2RAW_DATA_BLOCK_TYPE_NOT_SUPPORTED
    assert code_of(lambda: setattr(writer, "requested_sector_type", 2)) == unsupported
    stream = small_stream(rawcd.ImageType.COOKED)
    assert code_of(lambda: writer.write_media(stream)) == unsupported
    assert code_of(lambda: setattr(writer, "requested_sector_type", 4)) == HResult.E_INVALIDARG


# -- media and recorders --------------------------------------------------------------------------


def test_prepare_media_looks_at_the_disc() -> None:
    assert code_of(raw_writer(recorder(empty=True)).prepare_media) == (
        HResult.E_IMAPI_RECORDER_MEDIA_NO_MEDIA
    )
    drive = recorder()
    prepared_raw(drive).write_media(small_stream())
    drive.release_exclusive_access()
    again = raw_writer(drive)
    assert not again.is_current_media_supported(drive)
    assert code_of(again.prepare_media) == HResult.E_IMAPI_DF2RAW_MEDIA_IS_NOT_BLANK
    dvd = recorder()
    no_cd = bytes.fromhex("00000004 0000 001b")
    kept_of(dvd).wire.before = lambda cdb: (
        Answer(status=0, data=no_cd, sense=b"") if cdb[0] == 0x46 else None
    )
    writer = DiscFormat2RawCD()
    assert not writer.is_current_media_supported(dvd)
    kept_of(dvd).wire.before, before = lambda cdb: None, kept_of(dvd).wire.before
    writer = raw_writer(dvd)
    kept_of(dvd).wire.before = before
    assert writer.current_physical_media_type is MediaPhysicalType.DVDPLUSR
    assert code_of(writer.prepare_media) == HResult.E_IMAPI_DF2RAW_MEDIA_IS_NOT_SUPPORTED
    rewritable = recorder("cdrw-short")
    prepared_raw(rewritable).write_media(small_stream())
    rewritable.release_exclusive_access()
    again = raw_writer(rewritable)
    assert code_of(again.prepare_media) == HResult.E_IMAPI_DF2RAW_MEDIA_IS_NOT_BLANK
    assert code_of(again.set_write_speed) == HResult.E_IMAPI_DF2RAW_MEDIA_IS_NOT_BLANK
    assert again.state is WriterState.IDLE
    assert rewritable.exclusive_access_owner == ""


def test_a_second_write_meets_a_written_disc() -> None:
    writer = prepared_raw(recorder("cdrw-short"))
    writer.write_media(small_stream())
    code = code_of(lambda: writer.write_media(small_stream()))
    assert code == HResult.E_IMAPI_DF2RAW_MEDIA_IS_NOT_BLANK


def test_a_client_name_is_needed() -> None:
    bad = HResult.E_IMAPI_DF2RAW_CLIENT_NAME_IS_NOT_VALID
    writer = DiscFormat2RawCD()
    writer.recorder = recorder()
    assert writer.client_name == ""
    assert code_of(writer.prepare_media) == bad
    for name in (None, "", " ", "a\nb", "x" * 64):
        assert code_of(lambda given=name: setattr(writer, "client_name", given)) == bad  # type: ignore[misc]  # the default binds the name
    writer.client_name = "x" * 63
    assert writer.prepare_media() == HResult.S_OK


def test_what_needs_no_disc_says_what_there_is() -> None:
    writer = raw_writer(recorder("cdrw-short"))
    assert writer.supported_media_types == (MediaPhysicalType.CDR, MediaPhysicalType.CDRW)
    assert writer.current_physical_media_type is MediaPhysicalType.CDRW
    assert writer.media_physically_blank
    assert writer.media_heuristically_blank
    assert writer.supported_sector_types == (1, 2, 3)
    assert (writer.requested_write_speed, writer.requested_rotation_type_is_pure_cav) == (-1, False)
    empty = raw_writer(recorder(empty=True))
    assert empty.current_physical_media_type is MediaPhysicalType.UNKNOWN
    nobody = DiscFormat2RawCD()
    assert code_of(lambda: nobody.supported_sector_types) == HResult.E_POINTER
    none = HResult.E_IMAPI_DF2RAW_NO_RECORDER_SPECIFIED
    for name in ("current_physical_media_type", "current_write_speed", "supported_write_speeds"):
        assert code_of(lambda given=name: getattr(nobody, given)) == none  # type: ignore[misc]  # the default binds the name
    assert code_of(lambda: nobody.is_recorder_supported(None)) == HResult.E_POINTER  # type: ignore[arg-type]  # what scripts pass
    no_media = HResult.E_IMAPI_RECORDER_MEDIA_NO_MEDIA
    drive = recorder(empty=True)
    assert writer.is_recorder_supported(drive)
    assert code_of(lambda: writer.is_current_media_supported(drive)) == no_media


def test_a_drive_that_writes_no_raw_discs_is_refused() -> None:
    drive = recorder()
    kept_of(drive).wire.before = lambda cdb: (
        check_condition(5, 0x20, 0) if cdb[0] in (0x46, 0x55) else None
    )
    writer = DiscFormat2RawCD()
    assert not writer.is_recorder_supported(drive)
    code = code_of(lambda: setattr(writer, "recorder", drive))
    assert code == HResult.E_IMAPI_DF2RAW_RECORDER_NOT_SUPPORTED
    assert writer.state is WriterState.NO_RECORDER


def test_the_drive_is_taken_and_its_tray_locked_until_release() -> None:
    drive = recorder()
    kept, writer = kept_of(drive), prepared_raw(drive)
    assert drive.exclusive_access_owner == "tests"
    writer.write_media(small_stream())
    locks = [cdb for cdb in kept.wire.opcodes if cdb == 0x1E]
    assert len(locks) == 1  # locked once, and not let go of behind the burn
    writer.release_media()
    assert drive.exclusive_access_owner == ""
    assert kept.wire.opcodes[-1] == 0x1E
    assert kept.opened.count(True) == 1


# -- speeds ---------------------------------------------------------------------------------------


def test_the_nearest_speed_is_taken_and_told() -> None:
    writer = raw_writer()
    assert writer.supported_write_speeds[0] == 52 * 75
    assert writer.set_write_speed(8 * 75) == HResult.S_OK
    assert writer.current_write_speed == 8 * 75
    assert writer.set_write_speed(9 * 75) == HResult.S_IMAPI_SPEEDADJUSTED
    assert (writer.current_write_speed, writer.requested_write_speed) == (8 * 75, 9 * 75)
    assert writer.set_write_speed(16 * 75, True) == HResult.S_IMAPI_ROTATIONADJUSTED
    assert writer.set_write_speed(1, True) == HResult.S_IMAPI_BOTHADJUSTED
    assert writer.requested_rotation_type_is_pure_cav
    assert not writer.current_rotation_type_is_pure_cav
    assert writer.prepare_media() == HResult.S_IMAPI_BOTHADJUSTED
    assert writer.set_write_speed(0xFFFFFFFF) == HResult.S_OK
    assert writer.current_write_speed == 52 * 75
    wrongs: tuple[Any, ...] = (0, -2, 1 << 31, "fast", None, 75.0)
    for wrong in wrongs:
        assert code_of(lambda given=wrong: writer.set_write_speed(given)) == HResult.E_INVALIDARG  # type: ignore[misc]  # the default binds the number
    for each in writer.supported_write_speed_descriptors:
        assert (each.media_type, each.rotation_type_is_pure_cav) == (MediaPhysicalType.CDR, False)


def test_without_underrun_protection_a_slow_host_loses_the_disc() -> None:
    drive = recorder("cdr-short", "slow-host@1")
    writer = prepared_raw(drive)
    writer.buffer_underrun_free_disabled = True
    code = code_of(lambda: writer.write_media(small_stream()))
    assert code == HResult.E_IMAPI_LOSS_OF_STREAMING
    protected = prepared_raw(recorder("cdr-short", "slow-host@1"))
    protected.write_media(small_stream())


# -- events ---------------------------------------------------------------------------------------


def test_events_tell_addresses_buffers_and_actions() -> None:
    writer, seen = prepared_raw(), list[RawCDProgress]()
    cookie = writer.advise(lambda teller, progress: seen.append(progress))
    writer.write_media(small_stream())
    assert [each.current_action for each in seen][:2] == [1, 2]
    assert seen[-1].current_action is RawCDWriteAction.FINISHING
    count = len(small_stream()) // 2448 - (LEAD_IN + 22_650)
    for each in seen:
        assert (each.start_lba, each.sector_count) == (LEAD_IN, count)
        assert each.start_lba - 1 <= each.last_written_lba <= each.last_read_lba
        assert each.used_system_buffer + each.free_system_buffer == each.total_system_buffer
        assert 0 <= each.fraction <= 1
    assert (seen[0].fraction, seen[-1].fraction) == (0.0, 1.0)
    writer.unadvise(cookie)
    assert code_of(lambda: writer.unadvise(cookie)) == HResult.E_INVALIDARG
    assert code_of(lambda: writer.advise(None)) == HResult.E_POINTER  # type: ignore[arg-type]  # what scripts pass
    assert code_of(lambda: writer.advise(3)) == HResult.E_INVALIDARG  # type: ignore[arg-type]  # likewise


def test_an_event_comes_at_each_change_and_every_half_second() -> None:
    writer, seen = raw_writer(), list[tuple[int, int]]()
    writer.advise(lambda teller, event: seen.append((event.current_action, event.elapsed_time)))
    watch = writer._watch()
    for tenth in range(31):
        action = BurnAction.WRITING if tenth < 21 else BurnAction.FINISHING
        watch(
            BurnProgress(
                action=action,
                start_lba=0,
                sector_count=1,
                read_lba=0,
                written_lba=0,
                buffer_used=0,
                buffer_total=0,
                elapsed=tenth / 10,
                remaining=None,
            )
        )
    assert seen == [(2, 0), (2, 0), (2, 1), (2, 1), (2, 2), (3, 2), (3, 2)]


def test_what_a_sink_raises_is_logged_and_the_burn_goes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    drive = recorder()
    writer, others = prepared_raw(drive), list[object]()

    def fails(teller: object, progress: object) -> None:
        raise ZeroDivisionError("a progress bar")

    writer.advise(fails)
    writer.advise(lambda teller, progress: others.append(progress))
    with caplog.at_level(logging.ERROR):
        writer.write_media(small_stream())
    assert "a progress bar" in caplog.text
    assert others
    assert burned(drive) == expected(small_stream())


def test_properties_answer_while_a_write_runs() -> None:
    writer = prepared_raw()
    before = (writer.start_of_next_session, writer.supported_write_speeds)
    told: list[object] = []

    def ask(teller: DiscFormat2RawCD) -> None:
        told.append((teller.start_of_next_session, teller.supported_write_speeds))
        assert teller.recorder is not None
        assert teller.current_physical_media_type is MediaPhysicalType.CDR
        assert code_of(teller.recorder.eject_media) == HResult.E_IMAPI_RECORDER_MEDIA_BUSY

    assert while_writing(writer, ask) is None
    assert told == [before]


# -- cancelling, failing, releasing ---------------------------------------------------------------


def test_cancel_write_from_an_event_ends_it_and_release_is_still_owed() -> None:
    writer = prepared_raw()

    def sink(teller: DiscFormat2RawCD, progress: RawCDProgress) -> None:
        if progress.current_action is RawCDWriteAction.WRITING:
            teller.cancel_write()

    writer.advise(sink)
    code = code_of(lambda: writer.write_media(small_stream()))
    assert code == HResult.E_IMAPI_REQUEST_CANCELLED
    assert writer.state is WriterState.PREPARED
    again = code_of(lambda: writer.write_media(small_stream()))
    assert again != HResult.S_OK
    writer.release_media()
    assert WriterState(writer.state) is WriterState.IDLE


@pytest.mark.parametrize(
    ("sense", "code"),
    [
        ((3, 0x0C, 0x00), HResult.E_IMAPI_UNEXPECTED_RESPONSE_FROM_DEVICE),
        ((3, 0x0C, 0x09), HResult.E_IMAPI_LOSS_OF_STREAMING),
        ((6, 0x28, 0x00), HResult.E_IMAPI_UNEXPECTED_RESPONSE_FROM_DEVICE),
        ((2, 0x3A, 0x02), HResult.E_IMAPI_RECORDER_MEDIA_NO_MEDIA),
    ],
)
def test_the_first_error_is_the_one_that_is_seen(
    sense: tuple[int, int, int], code: HResult, caplog: pytest.LogCaptureFixture
) -> None:
    drive = recorder()
    writer = prepared_raw(drive)
    writes = 0

    def before(cdb: bytes) -> Any:
        nonlocal writes
        writes += cdb[0] == WRITE
        return check_condition(*sense) if writes > 3 else None

    kept_of(drive).wire.before = before

    def burn() -> None:
        try:
            writer.write_media(small_stream())
        finally:
            writer.release_media()

    with pytest.raises(MasteringError, match="LBA") as caught:
        burn()
    assert caught.value.hresult == code
    assert writer.state is WriterState.IDLE
    assert drive.exclusive_access_owner == ""


def test_a_drive_that_vanishes_is_let_go_of() -> None:
    drive = recorder()
    writer = prepared_raw(drive)

    def vanish(teller: DiscFormat2RawCD, progress: RawCDProgress) -> None:
        kept_of(drive).be_silent()

    writer.advise(vanish)
    code = code_of(lambda: writer.write_media(small_stream()))
    assert code == HResult.E_DEV_NOT_EXIST
    writer.release_media()
    assert writer.state is WriterState.IDLE


def test_a_disc_that_the_drive_does_not_call_complete_is_no_success() -> None:
    drive = recorder()
    writer = prepared_raw(drive)
    asked: list[bytes] = []

    def before(cdb: bytes) -> Any:
        if cdb[0] == WRITE:
            asked.append(cdb)
        if asked and cdb[0] == DISC_INFORMATION:
            return check_condition(5, 0x20, 0)
        return None

    kept_of(drive).wire.before = before
    code = code_of(lambda: writer.write_media(small_stream()))
    assert code == HResult.E_IMAPI_UNEXPECTED_RESPONSE_FROM_DEVICE


def test_an_interrupt_passes_and_leaves_the_disc_prepared() -> None:
    writer = prepared_raw()

    def interrupt(teller: object, progress: object) -> None:
        raise KeyboardInterrupt

    writer.advise(interrupt)
    with pytest.raises(KeyboardInterrupt):
        writer.write_media(small_stream())
    assert writer.state is WriterState.PREPARED
    writer.release_media()
