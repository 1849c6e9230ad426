"""The stash: one user at a time, a crash that is told, volumes that will not do."""

from __future__ import annotations

import array
import fcntl
import gc
import os
import signal
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rawcd.errors import MasteringError, StorageError
from rawcd.hresults import HResult
from rawcd.mastering import DiscMaster, DiscMasterFormat, Stash
from rawcd.mastering.stash import HEADER_BYTES, STASH_BYTES, default_folder
from rawcd.mastering.stashvolume import StashVolume
from tests.mastering.jobs import AudioJob, Bench, DataJob, a_stash, folder_of, refuses, sound

if TYPE_CHECKING:
    from collections.abc import Iterator

AUDIO = DiscMasterFormat.REDBOOK
STAGING = """
import sys, time
from rawcd.mastering import DiscMaster, DiscMasterFormat, Stash
from rawcd_writers.drive.recorder import VirtualRecorderDoor

master = DiscMaster([VirtualRecorderDoor("virtual:" + sys.argv[1])], stash=Stash(sys.argv[2],
                    limit=64 << 20))
master.open()
audio = master.set_active_disc_master_format(DiscMasterFormat.REDBOOK)
[recorder] = master.enum_disc_recorders()
master.set_active_disc_recorder(recorder)
audio.create_audio_track(300)
audio.add_audio_track_blocks(bytes(300 * 2352))
print("staged", flush=True)
time.sleep(60)
"""


@pytest.fixture
def other(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that has begun to stage a disc in this test's stash."""
    arguments = [
        sys.executable,
        "-c",
        STAGING,
        str(tmp_path / "other.raw"),
        str(tmp_path / "stash"),
    ]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "staged\n"
            yield process
        finally:
            process.kill()


def test_a_second_process_gets_stash_in_use_and_spoils_nothing(
    tmp_path: Path, other: subprocess.Popen[str]
) -> None:
    held = (tmp_path / "stash" / "stash").stat()
    job = AudioJob(tmp_path)
    with refuses(HResult.IMAPI_E_STASHINUSE), job:
        pass
    job.master.close()
    assert job.master.leftover is None, "a stash in use is none that was left behind"
    now = (tmp_path / "stash" / "stash").stat()
    assert (now.st_ino, now.st_size, now.st_mtime_ns) == (
        held.st_ino,
        held.st_size,
        held.st_mtime_ns,
    )
    assert other.poll() is None


def test_a_killed_job_leaves_a_stash_that_the_next_open_reports_and_clears(
    tmp_path: Path, other: subprocess.Popen[str], caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "stash" / "stash"
    other.send_signal(signal.SIGKILL)
    other.wait()
    assert path.stat().st_size > 300 * 2352
    master = DiscMaster([], stash=tmp_path / "stash")
    master.open()
    left = master.leftover
    assert left is not None
    assert (left.process, left.used, left.format) == (other.pid, 300 * 2352, AUDIO.value)
    assert abs(left.began - time.time()) < 600
    assert str(other.pid) in str(left)
    assert str(left) in caplog.text
    assert not path.exists()
    master.close()
    with AudioJob(tmp_path) as job:  # and all is as ever
        assert job.master.leftover is None
        job.stage(sound(300))
        job.master.record_disc(simulate=True)


def test_a_job_that_is_taken_for_itself_clears_what_a_crash_left_too(
    tmp_path: Path, other: subprocess.Popen[str]
) -> None:
    master = DiscMaster([Bench(tmp_path)], stash=a_stash(tmp_path))
    master.open()  # while the other one lives
    audio = master.set_active_disc_master_format(AUDIO)
    other.send_signal(signal.SIGKILL)
    other.wait()
    [recorder] = master.enum_disc_recorders()
    master.set_active_disc_recorder(recorder)
    assert audio is not None
    master.close()
    assert not (tmp_path / "stash" / "stash").exists()


def test_the_same_process_cannot_have_it_twice_either(tmp_path: Path) -> None:
    with AudioJob(tmp_path):
        second = AudioJob(tmp_path)
        with refuses(HResult.IMAPI_E_STASHINUSE), second:
            pass
        second.master.close()
    with second:
        second.stage(sound(300))


def test_it_is_erased_by_close_by_a_burn_by_clearing_and_by_another_format(tmp_path: Path) -> None:
    path = tmp_path / "stash" / "stash"
    with AudioJob(tmp_path) as job:
        job.stage(sound(300))
        assert path.stat().st_size > HEADER_BYTES + 300 * 2352
        job.master.clear_format_content()
        assert not path.exists()
        job.stage(sound(300))
        assert path.exists()
        job.master.record_disc(simulate=True)
        assert not path.exists()
        job.stage(sound(300))
        job.master.set_active_disc_master_format(AUDIO)
        assert not path.exists()
        job.choose()
        job.stage(sound(300))
        assert path.stat().st_mode & 0o777 == 0o600
    assert not path.exists()


def test_it_never_grows_past_800_megabytes(tmp_path: Path) -> None:
    assert STASH_BYTES == 800 << 20
    assert Stash(tmp_path, limit=STASH_BYTES * 2).limit == STASH_BYTES
    with pytest.raises(ValueError, match="holds nothing"):
        Stash(tmp_path, limit=HEADER_BYTES)


def test_a_full_stash_is_a_full_disc_and_keeps_what_fits(tmp_path: Path) -> None:
    job = AudioJob(tmp_path)
    job.master = DiscMaster(
        [job.bench], stash=Stash(tmp_path / "stash", limit=HEADER_BYTES + 700 * 2352)
    )
    with job:
        assert job.audio.get_total_audio_blocks() == 700
        job.stage(sound(300))
        assert job.audio.get_available_audio_track_blocks() == 400
        job.audio.create_audio_track(500)
        with refuses(HResult.IMAPI_E_DISCFULL):
            job.audio.add_audio_track_blocks(sound(500))
        assert job.audio.get_used_audio_blocks() == 700
        assert job.audio.get_available_audio_track_blocks() == 0
        job.audio.close_audio_track()
        job.master.record_disc(simulate=True)


def test_files_that_do_not_fit_are_dropped_whole(tmp_path: Path) -> None:
    job = DataJob(tmp_path)
    job.master = DiscMaster([job.bench], stash=Stash(tmp_path / "stash", limit=1 << 20))
    with job:
        job.files.add_data(folder_of(tmp_path / "a", small=b"1" * 3000))
        used = job.files.get_used_data_blocks()
        folder = folder_of(tmp_path / "b", one=b"2" * 3000, two=b"3" * (1 << 20))
        with refuses(HResult.IMAPI_E_DISCFULL):
            job.files.add_data(folder)
        assert job.files.get_used_data_blocks() == used
        job.files.add_data(folder_of(tmp_path / "c", one=b"4"))
        job.master.record_disc()
        assert job.bench.disc is not None


# -- where it lies --------------------------------------------------------------------------------


def test_its_folder_is_named_by_argument_by_the_environment_or_is_the_users(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAWCD_STASH", str(tmp_path / "named"))
    assert default_folder() == tmp_path / "named"
    assert Stash(tmp_path / "mine").path == tmp_path / "mine" / "stash"
    monkeypatch.delenv("RAWCD_STASH")
    monkeypatch.setattr("rawcd.mastering.stash._SYSTEM_FOLDER", tmp_path / "none")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    assert default_folder() == tmp_path / "state" / "rawcd"
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_folder() == tmp_path / ".local" / "state" / "rawcd"
    monkeypatch.setattr("rawcd.mastering.stash._SYSTEM_FOLDER", tmp_path)
    assert default_folder() == tmp_path


@pytest.mark.parametrize("way", ["argument", "environment"])
def test_it_stays_where_it_was_begun_when_the_program_goes_to_another_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RAWCD_STASH", "stash")
    job = AudioJob(tmp_path)
    job.master = DiscMaster([job.bench], stash="stash" if way == "argument" else None)
    with job:
        assert (tmp_path / "stash" / "stash").exists()
        monkeypatch.chdir("elsewhere")
        for _ in range(2):  # the second image is begun in a stash of its own
            job.stage(sound(300))
            job.master.record_disc(simulate=True)
    assert [each.name for each in (tmp_path / "stash").iterdir()] == ["lock"]
    assert not list((tmp_path / "elsewhere").iterdir())


@pytest.mark.parametrize("what", ["text", "short", "folder", "link", "version"])
def test_what_is_no_stash_is_left_where_it_is(tmp_path: Path, what: str) -> None:
    folder = tmp_path / "stash"
    folder.mkdir()
    path = folder / "stash"
    if what == "text":
        path.write_bytes(b"a letter to my aunt" * 100)
    elif what == "short":
        path.write_bytes(b"RAWCDSTH")
    elif what == "folder":
        path.mkdir()
    elif what == "link":
        (tmp_path / "aunt").write_bytes(b"RAWCDSTH")
        path.symlink_to(tmp_path / "aunt")
    else:
        path.write_bytes(b"RAWCDSTH" + b"\xff" * 200)
    master = DiscMaster([], stash=folder)
    with refuses(HResult.IMAPI_E_FILEACCESS):
        master.open()
    assert os.path.lexists(path)
    with refuses(HResult.IMAPI_E_NOTOPENED):
        master.clear_format_content()


@given(st.binary(max_size=200), st.booleans())
def test_any_file_is_told_as_a_stash_or_left_where_it_is(data: bytes, ours: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "stash"
        path.write_bytes(b"RAWCDSTH\x01\0\0\0" + data if ours else data)
        master = DiscMaster([], stash=folder)
        try:
            master.open()
        except MasteringError as error:
            assert error.hresult == HResult.IMAPI_E_FILEACCESS  # noqa: PT017 - one of two ways
            assert path.exists()
        else:
            assert str(master.leftover).startswith(str(path))
            assert not path.exists()


def test_a_stash_that_died_before_its_header_was_written_is_cleared_too(tmp_path: Path) -> None:
    (tmp_path / "stash").touch()
    with DiscMaster([], stash=tmp_path) as master:
        assert master.leftover is not None
        assert (master.leftover.used, master.leftover.process) == (0, 0)
    assert not (tmp_path / "stash").exists()


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    stash = Stash(tmp_path / "file" / "stash")
    with refuses(HResult.IMAPI_E_FILEACCESS):
        stash.take(AUDIO, 1000)


def test_reading_outside_what_is_in_it_is_an_error(tmp_path: Path) -> None:
    stash = Stash(tmp_path)
    stash.take(AUDIO, 100)
    stash.append(b"12345")
    for offset in (-1, 1):
        with pytest.raises(StorageError):
            stash.read_at(offset, bytearray(5))
    stash.release()


# -- volumes --------------------------------------------------------------------------------------


@pytest.fixture
def small_volume(tmp_path: Path) -> Iterator[Path]:
    """A real volume of one megabyte."""
    place = tmp_path / "small"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(place)]
    try:
        done = subprocess.run(mount, capture_output=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no mount here")
    if done.returncode:
        pytest.skip("nothing can be mounted here")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_full_volume_is_told_before_staging_begins(tmp_path: Path, small_volume: Path) -> None:
    job = AudioJob(tmp_path)
    job.master = DiscMaster([job.bench], stash=small_volume)
    with refuses(HResult.IMAPI_E_NOTENOUGHDISKFORSTASH), job:
        pass
    with refuses(HResult.IMAPI_E_NOACTIVERECORDER):
        job.audio.create_audio_track(300)
    job.master.close()
    assert sorted(path.name for path in small_volume.iterdir()) == ["lock"]


def test_a_volume_that_lies_about_its_room_is_found_out_while_reserving(
    small_volume: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    generous = StashVolume(
        mount="", kind="", compressed=False, encrypted=False, removable=False, free=1 << 40
    )
    monkeypatch.setattr(StashVolume, "of", lambda folder: generous)
    stash = Stash(small_volume)
    with refuses(HResult.IMAPI_E_NOTENOUGHDISKFORSTASH):
        stash.take(AUDIO, 10 << 20)
    assert not stash.is_taken
    assert not stash.path.exists()


def test_a_folder_that_asks_for_compression_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "packed"
    folder.mkdir()
    flags = array.array("L", [0x4])  # FS_COMPR_FL of linux/fs.h
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.ioctl(handle, 0x4008_6602, flags)  # FS_IOC_SETFLAGS
    except OSError:
        pytest.skip("this file system knows no such flag")
    finally:
        os.close(handle)
    assert StashVolume.of(folder).compressed
    job = AudioJob(tmp_path)
    job.master = DiscMaster([job.bench], stash=folder)
    with refuses(HResult.IMAPI_E_COMPRESSEDSTASH), job:
        pass
    job.master.close()


def mounts(tmp_path: Path, kind: str, options: str) -> Path:
    """Return a table of mounts in which this test's folder is on a volume of a kind."""
    place = str(tmp_path).replace("\\", "\\134").replace(" ", "\\040")
    table = tmp_path / "mountinfo"
    table.write_text(
        "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
        f"30 22 8:17 / {place} rw,nosuid shared:2 - {kind} /dev/sdb1 {options}\n"
        "nonsense\n"
    )
    return table


@pytest.mark.parametrize(
    ("kind", "options", "code"),
    [
        ("btrfs", "rw,compress=zstd:3", HResult.IMAPI_E_COMPRESSEDSTASH),
        ("btrfs", "rw,compress-force=lzo", HResult.IMAPI_E_COMPRESSEDSTASH),
        ("ntfs3", "rw,compression", HResult.IMAPI_E_COMPRESSEDSTASH),
        ("ecryptfs", "rw", HResult.IMAPI_E_ENCRYPTEDSTASH),
        ("fuse.gocryptfs", "rw", HResult.IMAPI_E_ENCRYPTEDSTASH),
        ("btrfs", "rw", None),
        ("ext4", "rw", None),
    ],
)
def test_what_the_table_of_mounts_tells(
    tmp_path: Path, kind: str, options: str, code: HResult | None
) -> None:
    found = StashVolume.of(tmp_path, mounts=mounts(tmp_path, kind, options), disks=tmp_path)
    assert (found.mount, found.kind) == (str(tmp_path), kind)
    if code is None:
        found.check(1, folder=tmp_path)
    else:
        with refuses(code):
            found.check(1, folder=tmp_path)


@pytest.mark.parametrize("partition", [True, False])
@pytest.mark.parametrize("removable", ["1", "0"])
def test_a_disk_that_can_be_taken_out_is_refused(
    tmp_path: Path, removable: str, partition: bool
) -> None:
    disk = tmp_path / "devices" / "sdb"
    part = disk / "sdb1" if partition else disk
    part.mkdir(parents=True)
    (disk / "removable").write_text(f"{removable}\n")
    (tmp_path / "block").mkdir()
    (tmp_path / "block" / "8:17").symlink_to(part)
    found = StashVolume.of(
        tmp_path, mounts=mounts(tmp_path, "vfat", "rw"), disks=tmp_path / "block"
    )
    assert found.removable == (removable == "1")
    if found.removable:
        with refuses(HResult.IMAPI_E_REMOVABLESTASH):
            found.check(1, folder=tmp_path)


def test_where_nobody_tells_nothing_is_refused(tmp_path: Path) -> None:
    found = StashVolume.of(tmp_path, mounts=Path("/nowhere"), disks=Path("/nowhere"))
    assert (found.mount, found.kind, found.removable) == ("", "", False)
    assert found.free > 0


def test_a_job_that_is_forgotten_lets_others_have_the_stash(tmp_path: Path) -> None:
    job = AudioJob(tmp_path)
    job.__enter__()
    job.audio.create_audio_track()
    del job
    gc.collect()
    assert not (tmp_path / "stash" / "stash").exists()
    with AudioJob(tmp_path) as following:
        assert following.master.leftover is None
        following.stage(sound(300))


def test_two_masters_with_one_stash_object_do_not_share_it(tmp_path: Path) -> None:
    one = a_stash(tmp_path)
    with (
        DiscMaster([Bench(tmp_path)], stash=one) as first,
        DiscMaster([Bench(tmp_path)], stash=one) as second,
    ):
        for master in (first, second):
            master.set_active_disc_master_format(AUDIO)
        first.set_active_disc_recorder(*first.enum_disc_recorders())
        with refuses(HResult.IMAPI_E_STASHINUSE):
            second.set_active_disc_recorder(*second.enum_disc_recorders())


def test_a_fork_leaves_the_stash_to_its_parent(tmp_path: Path) -> None:
    """Only a real fork has the same lock and file; what it does at its end must spoil nothing."""
    with AudioJob(tmp_path) as job:
        job.stage(sound(300))
        child = os.fork()
        if not child:
            job.master.close()
            os._exit(0)
        os.waitpid(child, 0)
        with AudioJob(tmp_path / "x", Bench(tmp_path)) as other_place:
            other_place.stage(sound(300))
        rival = a_stash(tmp_path)
        with refuses(HResult.IMAPI_E_STASHINUSE):
            rival.take(AUDIO, 1)
        job.master.record_disc()


def test_a_fork_that_lives_on_does_not_keep_the_stash(tmp_path: Path) -> None:
    read_end, write_end = os.pipe()
    with AudioJob(tmp_path):
        child = os.fork()
        if not child:
            os.close(write_end)
            os.read(read_end, 1)  # until the parent has finished
            os._exit(0)
    try:
        with AudioJob(tmp_path) as following:
            following.stage(sound(300))
    finally:
        os.close(write_end)
        os.close(read_end)
        os.waitpid(child, 0)


@pytest.mark.parametrize("thing", ["a folder", "a FIFO", "a link"])
def test_what_lies_in_the_locks_place_is_not_waited_for(tmp_path: Path, thing: str) -> None:
    place = tmp_path / "lock"
    if thing == "a folder":
        place.mkdir()
    elif thing == "a FIFO":
        os.mkfifo(place)
    else:
        place.symlink_to(tmp_path / "elsewhere")
    with refuses(HResult.IMAPI_E_FILEACCESS):
        Stash(tmp_path).take(AUDIO, 1)


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_other_users_may_ask_for_the_lock_and_see_nothing_else(tmp_path: Path, umask: int) -> None:
    (tmp_path / "lock").touch(mode=0o600)  # as versions before this one made it
    before = os.umask(umask)
    try:
        for folder in (tmp_path, tmp_path / "new"):
            stash = Stash(folder)
            stash.take(AUDIO, 1)
            assert stat.S_IMODE((folder / "lock").stat().st_mode) == 0o644
            assert stat.S_IMODE((folder / "stash").stat().st_mode) == 0o600
            stash.release()
    finally:
        os.umask(before)


NOBODY = 65_534
ANOTHER_USER = """
import os, sys
from rawcd.errors import MasteringError
from rawcd.mastering import DiscMasterFormat
from rawcd.mastering.stash import Stash
once = Stash(sys.argv[1] + "/once")  # the other user may not read where Python's modules lie
once.take(DiscMasterFormat.REDBOOK, 1)
once.release()
os.setgroups([])
os.setgid(int(sys.argv[2]))
os.setuid(int(sys.argv[2]))
stash = Stash(sys.argv[1])
try:
    stash.clear_leftover()
    stash.take(DiscMasterFormat.REDBOOK, 1)
except MasteringError as error:
    print(f"{error.hresult:#x} {error}")
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to be two users")
def test_one_user_at_a_time_on_the_system(tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory() as name:
        shared = Path(name)
        shared.chmod(0o1777)

        def another() -> str:
            arguments = [sys.executable, "-c", ANOTHER_USER, name, str(NOBODY)]
            done = subprocess.run(arguments, capture_output=True, text=True, check=False)
            assert not done.returncode, done.stderr
            return done.stdout

        before = os.umask(0o077)
        try:
            stash = Stash(shared)
            stash.take(AUDIO, 1)
        finally:
            os.umask(before)
        assert another().startswith(f"{HResult.IMAPI_E_STASHINUSE:#x}")
        stash.release()
        assert another() == ""

        left = shared / "stash"
        left.write_bytes(b"")
        left.chmod(0o600)
        told = another()
        assert told.startswith(f"{HResult.IMAPI_E_FILEACCESS:#x}")
        assert "user 0" in told
