"""What a program calls from an event, while the work goes on of which the event tells."""

from __future__ import annotations

import gc
import threading
import time
import weakref
from typing import TYPE_CHECKING

import pytest

from rawcd.errors import MasteringError
from rawcd.hresults import HResult
from rawcd.mastering import DiscMaster, DiscMasterFormat, DiscMasterProgressEvents
from rawcd.mastering.formats2 import DiscFormat2Erase, DiscMaster2
from rawcd.mastering.formats2 import discmaster as discmaster2
from rawcd.mastering.states import CHANGING, Call, State
from tests.mastering import writing
from tests.mastering.jobs import AudioJob, DataJob, folder_of, refuses, sound
from tests.mastering.kept import KeptRecorder, kept_of, recorder
from tests.mastering.writing import (
    burned,
    code_of,
    expected,
    prepared_raw,
    raw_writer,
    small_stream,
    tao_writer,
    while_writing,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Any


class Caller(DiscMasterProgressEvents):
    """Who calls something at one event, once, and keeps the code that it met."""

    def __init__(self, event: str, call: Callable[[], object]) -> None:
        self._event, self._call = event, call
        self.met: HResult | None = None
        setattr(self, event, self._at)

    def _at(self, *numbers: int) -> bool:
        if self.met is None:
            self.met = HResult.S_OK
            try:
                self._call()
            except MasteringError as error:
                self.met = HResult(error.hresult)
        return False


EVENTS = ["query_cancel", "notify_add_progress"]
AUDIO_CALLS = {
    Call.SET_FORMAT: lambda job: job.master.set_active_disc_master_format(DiscMasterFormat.JOLIET),
    Call.SET_RECORDER: lambda job: job.master.set_active_disc_recorder(job.recorder),
    Call.ENUM_RECORDERS: lambda job: job.master.enum_disc_recorders(),
    Call.CLEAR: lambda job: job.master.clear_format_content(),
    Call.RECORD: lambda job: job.master.record_disc(),
    Call.CREATE_TRACK: lambda job: job.audio.create_audio_track(300),
    Call.ADD_BLOCKS: lambda job: job.audio.add_audio_track_blocks(sound(300)),
    Call.CLOSE_TRACK: lambda job: job.audio.close_audio_track(),
}
DATA_CALLS = {
    Call.ADD_DATA: lambda job: job.files.add_data(folder_of(job.bench.disc.parent / "g", b=b"y")),
    Call.SET_PROPERTIES: lambda job: job.files.set_joliet_properties({"VolumeName": "OTHER"}),
}


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("call", AUDIO_CALLS)
def test_nothing_changes_sound_that_is_being_staged(tmp_path: Path, call: Call, event: str) -> None:
    with AudioJob(tmp_path) as job:
        caller = Caller(event, lambda: AUDIO_CALLS[call](job))
        job.master.progress_advise(caller)
        job.stage(sound(600))
        assert caller.met is HResult.E_UNEXPECTED
        assert job.audio.get_used_audio_blocks() == 600
        job.master.record_disc()


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("call", DATA_CALLS)
def test_nothing_changes_files_that_are_being_staged(
    tmp_path: Path, call: Call, event: str
) -> None:
    with DataJob(tmp_path) as job:
        caller = Caller(event, lambda: DATA_CALLS[call](job))
        job.master.progress_advise(caller)
        job.files.add_data(folder_of(tmp_path / "f", a=b"x" * 5000))
        assert caller.met is HResult.E_UNEXPECTED
        job.master.record_disc()


def test_every_call_that_changes_is_tried_here() -> None:
    assert {*AUDIO_CALLS, *DATA_CALLS} == CHANGING


@pytest.mark.parametrize("event", EVENTS)
def test_closing_in_the_middle_of_staging_ends_it_first(tmp_path: Path, event: str) -> None:
    with AudioJob(tmp_path) as job:
        job.audio.create_audio_track()
        caller = Caller(event, job.master.close)
        job.master.progress_advise(caller)
        with refuses(HResult.IMAPI_E_USERABORT):
            job.audio.add_audio_track_blocks(sound(600))
        assert caller.met is HResult.S_OK
        with refuses(HResult.IMAPI_E_NOTOPENED):
            job.audio.get_used_audio_blocks()
        with AudioJob(tmp_path) as next_job:  # the stash is free
            next_job.stage(sound(300))
        job.master.open()
        assert job.master._job.machine.state is State.NO_FORMAT


def test_an_event_that_says_not_implemented_is_one_that_is_not_wanted(tmp_path: Path) -> None:
    class Choosy(DiscMasterProgressEvents):
        def query_cancel(self) -> bool:
            raise NotImplementedError

        def notify_add_progress(self, completed: int, total: int) -> None:
            raise NotImplementedError

    with AudioJob(tmp_path) as job:
        job.master.progress_advise(Choosy())
        job.stage(sound(300))
        assert job.log.of("add")


def test_a_second_writer_keeps_out_of_a_write() -> None:
    drive = recorder()
    first, second = prepared_raw(drive), prepared_raw(drive)
    codes: list[int] = []

    def sink(teller: object, progress: object) -> None:
        if codes:
            return
        calls: list[Callable[[], object]] = [
            lambda: second.write_media(small_stream()),
            lambda: raw_writer(drive).prepare_media(),
            lambda: raw_writer(drive).set_write_speed(75),
            lambda: raw_writer(drive).current_write_speed,
            second.release_media,
            drive.release_exclusive_access,
        ]
        codes.extend(code_of(call) for call in calls)

    first.advise(sink)
    first.write_media(small_stream())
    assert codes == [HResult.E_IMAPI_RECORDER_MEDIA_BUSY] * 6
    assert burned(drive) == expected(small_stream())
    first.release_media()
    second.release_media()
    assert not drive.is_held


def test_an_eraser_keeps_out_of_a_write() -> None:
    drive = recorder("cdrw-short")
    eraser = DiscFormat2Erase()
    eraser.recorder, eraser.client_name = drive, "tests"
    met = while_writing(prepared_raw(drive), lambda writer: eraser.erase_media())
    assert isinstance(met, MasteringError)
    assert met.hresult == HResult.E_IMAPI_RECORDER_MEDIA_BUSY
    assert burned(drive) == expected(small_stream())


def verified_tao() -> Any:
    writer = tao_writer()
    writer.burn_verification_level = 2
    writer.prepare_media()
    writer.add_audio_track(writing.sound(400))
    return writer


def test_release_is_not_begun_again_by_what_it_tells() -> None:
    writer, codes = verified_tao(), []
    writer.advise(lambda teller, progress: codes.append(code_of(teller.release_media)))
    writer.release_media()
    assert set(codes) == {HResult.E_IMAPI_DF2TAO_WRITE_IN_PROGRESS}
    assert not writer.recorder.is_held


def test_comparing_can_be_cancelled_and_the_drive_is_let_go_of() -> None:
    writer = verified_tao()
    writer.advise(lambda teller, progress: teller.cancel_add_track())
    assert code_of(writer.release_media) == HResult.E_IMAPI_REQUEST_CANCELLED
    assert not writer.recorder.is_held
    assert len(kept_of(writer.recorder).disc()) > 0


def test_the_thread_that_looks_for_drives_ends_with_its_master(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class News:
        def notify_device_added(self, master: DiscMaster2, unique_id: str) -> None: ...

        def notify_device_removed(self, master: DiscMaster2, unique_id: str) -> None: ...

    monkeypatch.setattr(discmaster2, "POLL_SECONDS", 0.02)
    before = set(threading.enumerate())
    master = DiscMaster2([])
    master.advise(News())
    [thread] = set(threading.enumerate()) - before
    alive = weakref.ref(master)
    del master
    deadline = time.monotonic() + 10
    while thread.is_alive() and time.monotonic() < deadline:
        gc.collect()
        time.sleep(0.02)
    assert alive() is None
    assert not thread.is_alive()


def test_a_forgotten_recorder_lets_go_of_its_drive(tmp_path: Path) -> None:
    """As COM's last reference does; nobody has to ask for the drive first."""
    drive = KeptRecorder()
    closed: list[str] = []
    opened = drive.open

    def open_it(*, exclusive: bool = True, client: str = "rawcd") -> Any:
        session = opened(exclusive=exclusive, client=client)
        if exclusive:
            close = session.close
            session.close = lambda: (closed.append(client), close())  # type: ignore[method-assign,assignment,func-returns-value]  # counted
        return session

    drive.open = open_it  # type: ignore[method-assign]  # likewise
    with DiscMaster([drive], stash=tmp_path) as master:
        master.set_active_disc_master_format(DiscMasterFormat.REDBOOK)
        [recorder] = master.enum_disc_recorders()
        recorder.open_exclusive()
        assert not closed
        del recorder
        gc.collect()
        assert closed == ["rawcd IMAPI 1"]
        [recorder] = master.enum_disc_recorders()
        recorder.open_exclusive()
        recorder.close()
        assert len(closed) == 2
