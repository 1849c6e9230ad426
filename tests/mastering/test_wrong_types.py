"""What a program must not pass: refused with a code, whatever it is."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

import rawcd
from rawcd.errors import MasteringError, PluginError
from rawcd.filesystem import FileTree, Folder, MemoryFile
from rawcd.hresults import HResult
from rawcd.mastering import (
    DiscFormat2Erase,
    DiscFormat2RawCD,
    DiscFormat2TrackAtOnce,
    DiscMaster,
    DiscMaster2,
    DiscMasterFormat,
    DiscRecorder2,
    Stash,
)
from rawcd.recorders import given_recorder
from tests.mastering.jobs import BLOCK, AudioJob, DataJob, refuses, sound
from tests.mastering.kept import recorder
from tests.mastering.writing import prepared_raw, prepared_tao, raw_writer

if TYPE_CHECKING:
    from collections.abc import Callable

JUNK: list[Any] = [5, "junk", object(), [], float("nan")]
JUNK_NAMES = ["number", "text", "object", "list", "nan"]
junk = pytest.mark.parametrize("given", JUNK, ids=JUNK_NAMES)
NO_NUMBERS: list[Any] = [None, "x", 1.5, float("nan"), [], int]


@junk
def test_version_1_refuses_what_it_cannot_take(tmp_path: Path, given: Any) -> None:
    with AudioJob(tmp_path) as job:
        wrong = HResult.E_INVALIDARG
        for call in (
            job.master.set_active_disc_recorder,
            job.master.progress_advise,
            job.master.progress_unadvise,
            job.recorder.set_recorder_properties,
        ):
            with refuses(wrong):
                call(given)
        job.audio.create_audio_track()
        if not isinstance(given, str):  # a text is a path
            with refuses(wrong):
                job.audio.add_audio_track_blocks(given)


@junk
def test_files_and_their_properties_are_refused_likewise(tmp_path: Path, given: Any) -> None:
    with DataJob(tmp_path) as job:
        with refuses(HResult.E_INVALIDARG):
            job.files.set_joliet_properties(given)
        if not isinstance(given, str):
            with refuses(HResult.E_INVALIDARG):
                job.files.add_data(given)


def test_version_1_refuses_nothing_where_something_is_needed(tmp_path: Path) -> None:
    nothing: Any = None
    with DataJob(tmp_path) as job, refuses(HResult.E_POINTER):
        job.files.add_data(nothing)


@pytest.mark.parametrize("count", NO_NUMBERS)
def test_an_enumerator_counts_in_whole_numbers(tmp_path: Path, count: Any) -> None:
    with AudioJob(tmp_path) as job, refuses(HResult.E_INVALIDARG):
        job.master.enum_disc_recorders().next(count)


@pytest.mark.parametrize("blocks", NO_NUMBERS)
def test_a_track_is_announced_by_a_number_or_not_at_all(tmp_path: Path, blocks: Any) -> None:
    with AudioJob(tmp_path) as job:
        with refuses(HResult.E_INVALIDARG):
            job.audio.create_audio_track(blocks)
        assert job.audio.get_total_audio_tracks() == 0
        for advice in (-1, 1 << 70):  # advice, and no more
            job.audio.create_audio_track(advice)
            job.audio.add_audio_track_blocks(sound(300))
            job.audio.close_audio_track()


@pytest.mark.parametrize("size", ["16", 1.5, []])
def test_room_for_an_id_is_a_number(tmp_path: Path, size: Any) -> None:
    with AudioJob(tmp_path) as job:
        with refuses(HResult.E_INVALIDARG):
            job.recorder.get_recorder_guid(size)
        for few in (-1, 0, 15):
            assert job.recorder.get_recorder_guid(few) is HResult.IMAPI_S_BUFFER_TO_SMALL


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "\0", "\ud800", "x" * 300, 5])
def test_a_tree_has_names_that_a_disc_can_have(tmp_path: Path, name: Any) -> None:
    inner = Folder(entries={name: MemoryFile(data=b"1", modified=0)})
    with DataJob(tmp_path) as job:
        for root in (inner, Folder(entries={"folder": inner})):
            with refuses(HResult.IMAPI_E_BADJOLIETNAME):
                job.files.add_data(FileTree(root=root, name="tree"))
        assert job.files.get_used_data_blocks() == 0


class Breaking(io.RawIOBase):
    """A stream that raises in the middle, whatever it likes."""

    def __init__(self, size: int, error: Exception) -> None:
        self._size, self._error, self._at = size, error, 0

    def seek(self, place: int, whence: int = 0) -> int:
        self._at = place + (0, self._at, self._size)[whence]
        return self._at

    def readinto(self, buffer: Any) -> int:
        if self._at > self._size // 2:
            raise self._error
        self._at += len(buffer)
        return len(buffer)


@pytest.mark.parametrize("error", [RuntimeError("no"), KeyError("no"), OSError(5, "no")], ids=repr)
def test_what_a_stream_raises_is_told_and_nothing_of_it_is_kept(
    tmp_path: Path, error: Exception
) -> None:
    with AudioJob(tmp_path) as job:
        job.audio.create_audio_track()
        with refuses(HResult.IMAPI_E_GENERIC):
            job.audio.add_audio_track_blocks(Breaking(1000 * BLOCK, error))
        assert job.audio.get_used_audio_blocks() == 0
        job.audio.add_audio_track_blocks(sound(300))
        job.audio.close_audio_track()
        job.master.record_disc()
    with DataJob(tmp_path) as data, refuses(HResult.IMAPI_E_GENERIC):
        data.files.set_joliet_properties({"BootImage": Breaking(-2, error)})


@junk
def test_what_is_no_recorder(tmp_path: Path, given: Any) -> None:
    with pytest.raises(PluginError, match="recorder"):
        given_recorder(given)
    for call in (DiscRecorder2, lambda one: DiscMaster2([one])):
        with refuses(HResult.E_INVALIDARG):
            call(given)
    with DiscMaster([given], stash=tmp_path) as master:
        master.set_active_disc_master_format(DiscMasterFormat.REDBOOK)
        with refuses(HResult.IMAPI_E_DEVICE_NOTPRESENT):
            master.enum_disc_recorders()


def test_a_path_leads_to_a_recorder() -> None:
    assert given_recorder(Path("/dev/sr0")).name == "/dev/sr0"
    assert list(DiscMaster2([Path("/dev/sr0")])) == ["/dev/sr0"]


FORMATS2 = (DiscFormat2RawCD, DiscFormat2TrackAtOnce, DiscFormat2Erase)


@pytest.mark.parametrize("kind", FORMATS2)
def test_what_needs_a_recorder_says_which_call_it_was(
    kind: type[DiscFormat2RawCD | DiscFormat2TrackAtOnce | DiscFormat2Erase],
) -> None:
    made, junk = kind(), cast("Any", "junk")
    calls: dict[str, Callable[[], object]] = {
        "media_physically_blank": lambda: made.media_physically_blank,
        "media_heuristically_blank": lambda: made.media_heuristically_blank,
        "current_physical_media_type": lambda: made.current_physical_media_type,
        "recorder": lambda: setattr(made, "recorder", junk),
        "is_recorder_supported": lambda: made.is_recorder_supported(junk),
        "is_current_media_supported": lambda: made.is_current_media_supported(junk),
    }
    for name, call in calls.items():
        with pytest.raises(MasteringError, match=rf"^{name}: "):
            call()


@pytest.mark.parametrize("given", NO_NUMBERS)
def test_a_drive_is_asked_by_numbers(given: Any) -> None:
    drive = recorder()
    for call in (
        drive.get_feature_page,
        drive.get_mode_page,
        drive.get_track_information,
        lambda size: drive.send_command_get_data_from_device(bytes(6), size),
        raw_writer().unadvise,
        DiscMaster2([]).unadvise,
        DiscMaster2(["/dev/sr0"]).item,
    ):
        with refuses(HResult.E_INVALIDARG):
            call(given)


@pytest.mark.parametrize("given", [5, "x", []])
def test_commands_and_mode_pages_are_bytes(given: Any) -> None:
    drive = recorder()
    nothing: Any = None
    calls: list[Callable[[Any], object]] = [
        drive.set_mode_page,
        drive.send_command_no_data,
        lambda data: drive.send_command_send_data_to_device(bytes(6), data),
    ]
    for call in calls:
        with refuses(HResult.E_INVALIDARG):
            call(given)
        with refuses(HResult.E_POINTER):
            call(nothing)


@pytest.mark.parametrize("count", [-1, "many", None, 1.5])
def test_a_source_has_to_say_how_long_it_is(count: Any) -> None:
    class Vague:
        name = "vague"
        block_count = count

        def __init__(self, block_size: int) -> None:
            self.block_size = block_size

        def read(self, start: int, count: int) -> bytes:
            raise NotImplementedError

    kind = rawcd.ImageType.RAW
    with refuses(HResult.E_IMAPI_DF2RAW_STREAM_NOT_SUPPORTED):
        prepared_raw().write_media(Vague(kind.sector_size))
    with refuses(HResult.E_IMAPI_DF2TAO_STREAM_NOT_SUPPORTED):
        prepared_tao().add_audio_track(Vague(BLOCK))


@pytest.mark.parametrize("folder", ["", "no\0name"])
def test_a_stash_has_a_folder_with_a_name(folder: str) -> None:
    with pytest.raises(ValueError, match="no folder's name"):
        Stash(folder)
