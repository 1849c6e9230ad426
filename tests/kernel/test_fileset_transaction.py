"""Files of one save: all of them appear under their names, or none ever does."""

from __future__ import annotations

import errno
import io
import os
import pickle
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, BinaryIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rawcd.errors import StorageError
from rawcd.fileset import FileTransaction
from rawcd.pump import pump
from tests.pumping import BLOCK, ends_soon, share_always
from tests.workers import Numbered

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Tree = dict[str, bytes]


def tree(folder: Path) -> Tree:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


NEW: Tree = {"x.bin": b"new data" * 1_000, "x.cue": b"new sheet"}
OLD: Tree = {"x.bin": b"old data", "x.cue": b"old sheet", "other": b"untouched"}


def save(folder: Path, content: Tree = NEW, **options: Any) -> tuple[Path, ...]:
    with FileTransaction(folder / "x.cue", **options) as files:
        for name, data in content.items():
            file = files.create(name)
            file.allocate(len(data))
            file.write(data)
        files.commit()
        return files.paths


def lay(folder: Path, content: Tree) -> None:
    for name, data in content.items():
        (folder / name).write_bytes(data)


def test_files_appear_under_their_names(tmp_path: Path) -> None:
    assert save(tmp_path) == (tmp_path / "x.bin", tmp_path / "x.cue")
    assert tree(tmp_path) == NEW


def test_nothing_is_there_before_commit(tmp_path: Path) -> None:
    with FileTransaction(tmp_path / "x.cue") as files:
        file = files.create("x.bin")
        file.write(b"data")
        assert file.name == "x.bin"
        assert files.name == "x.cue"
        assert not {"x.bin", "x.cue"} & {path.name for path in tmp_path.iterdir()}
        files.commit()
    assert tree(tmp_path) == {"x.bin": b"data"}


def test_leaving_without_commit_leaves_nothing(tmp_path: Path) -> None:
    lay(tmp_path, OLD)
    with FileTransaction(tmp_path / "x.cue", replace=True) as files:
        files.create("x.bin").write(b"half")
        files.create("y.bin").allocate(4_096)
    assert tree(tmp_path) == OLD


def interrupt(folder: Path) -> None:
    with FileTransaction(folder / "x.cue", replace=True) as files:
        files.create("x.bin").write(b"half")
        raise KeyboardInterrupt


def test_an_interrupt_leaves_nothing(tmp_path: Path) -> None:
    lay(tmp_path, OLD)
    with pytest.raises(KeyboardInterrupt):
        interrupt(tmp_path)
    assert tree(tmp_path) == OLD


def test_old_files_are_replaced_when_that_is_allowed(tmp_path: Path) -> None:
    lay(tmp_path, OLD)
    save(tmp_path, replace=True)
    assert tree(tmp_path) == {**NEW, "other": b"untouched"}


@given(content=st.binary(max_size=10_000), cuts=st.lists(st.integers(0, 10_000), max_size=5))
@settings(deadline=None, max_examples=20)
def test_pieces_are_written_end_to_end(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, cuts: list[int]
) -> None:
    folder = tmp_path_factory.mktemp("pieces")
    with FileTransaction(folder / "one") as files:
        file = files.create("one")
        position = 0
        for cut in [*sorted(cuts), len(content)]:
            file.write(content[position:cut])
            position = max(position, min(cut, len(content)))
        files.commit()
    assert tree(folder) == {"one": content}


# Each step of a save at which the system may refuse, and what a message then names.

Fail = Any


def failing(real: Fail, *, at: int, error: int) -> Fail:
    """A function that does what the real one does, but for one call."""
    calls = 0

    def call(*args: Any, **options: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == at:
            raise OSError(error, os.strerror(error))
        return real(*args, **options)

    return call


class FailingFile:
    """A file whose writes fail, as on a full disk."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def write(self, view: memoryview) -> int:
        if len(view) > 4:
            return self._file.write(view[:4])  # first a part of it
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


STEPS: list[tuple[str, Callable[[pytest.MonkeyPatch], None], int]] = []


def step(name: str, error: int) -> Callable[[Callable[[pytest.MonkeyPatch], None]], None]:
    return lambda inject: STEPS.append((name, inject, error))


def real_open(path: Path, mode: str = "r", **options: Any) -> Any:
    return io.open(path, mode, **options)  # noqa: UP020  # Path.open itself is patched


@step("create the first", errno.EACCES)
def _(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Path, "open", failing(Path.open, at=1, error=errno.EACCES))


@step("create the second", errno.EMFILE)
def _(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Path, "open", failing(Path.open, at=2, error=errno.EMFILE))


@step("reserve", errno.ENOSPC)
def _(patch: pytest.MonkeyPatch) -> None:
    fail = failing(lambda *_: None, at=2, error=errno.ENOSPC)
    patch.setattr(os, "posix_fallocate", fail, raising=False)


@step("write", errno.ENOSPC)
def _(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Path, "open", lambda *a, **k: FailingFile(real_open(*a, **k)))


@step("sync the first", errno.EIO)
def _(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(os, "fsync", failing(os.fsync, at=1, error=errno.EIO))


@step("sync the second", errno.EIO)
def _(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(os, "fsync", failing(os.fsync, at=2, error=errno.EIO))


@step("rename 1", errno.EACCES)
def _(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Path, "rename", failing(Path.rename, at=1, error=errno.EACCES))


@step("rename 2", errno.EACCES)
def _(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Path, "rename", failing(Path.rename, at=2, error=errno.EACCES))


REPLACING = [
    *STEPS,
    *(
        (
            f"rename {at} of 4",
            lambda patch, at=at: patch.setattr(
                Path, "rename", failing(Path.rename, at=at, error=errno.EIO)
            ),
            errno.EIO,
        )
        for at in (3, 4)
    ),
]


@pytest.mark.parametrize(("inject", "error"), [s[1:] for s in STEPS], ids=[s[0] for s in STEPS])
def test_a_failure_at_any_step_leaves_nothing(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    inject: Callable[[pytest.MonkeyPatch], None],
    error: int,
) -> None:
    with monkeypatch.context() as patch:
        inject(patch)
        with pytest.raises(StorageError, match=r"x\.(bin|cue): cannot") as caught:
            save(tmp_path)
    assert caught.value.errno == error
    assert os.strerror(error) in str(caught.value)
    assert tree(tmp_path) == {}
    assert save(tmp_path)


@pytest.mark.parametrize(
    ("inject", "error"), [s[1:] for s in REPLACING], ids=[s[0] for s in REPLACING]
)
def test_a_failure_at_any_step_leaves_the_old_files(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    inject: Callable[[pytest.MonkeyPatch], None],
    error: int,
) -> None:
    lay(tmp_path, OLD)
    with monkeypatch.context() as patch:
        inject(patch)
        with pytest.raises(StorageError) as caught:
            save(tmp_path, replace=True)
    assert caught.value.errno == error
    assert tree(tmp_path) == OLD


class Renames:
    """Path.rename, watched; after one of the calls an interrupt."""

    def __init__(self, *, interrupt_after: int | None = None) -> None:
        self.names: list[str] = []
        self._real = Path.rename
        self._interrupt_after = interrupt_after

    def rename(self, old: Path, new: Path) -> Path:
        renamed = self._real(old, new)
        self.names.append(new.name)
        if len(self.names) == self._interrupt_after:
            raise KeyboardInterrupt
        return renamed

    def install(self, patch: pytest.MonkeyPatch) -> None:
        patch.setattr(Path, "rename", lambda old, new: self.rename(old, new))


@pytest.mark.parametrize(
    ("old", "after"), [({}, 1), ({}, 2), (OLD, 1), (OLD, 2), (OLD, 3), (OLD, 4)]
)
def test_an_interrupt_between_renames_undoes_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: Tree, after: int
) -> None:
    lay(tmp_path, old)
    with monkeypatch.context() as patch:
        Renames(interrupt_after=after).install(patch)
        with pytest.raises(KeyboardInterrupt):
            save(tmp_path, replace=True)
    assert tree(tmp_path) == old


@pytest.mark.parametrize("order", [("x.cue", "x.bin", "y.bin"), ("x.bin", "y.bin", "x.cue")])
@pytest.mark.parametrize("old", [{}, OLD], ids=["new", "replaced"])
def test_the_sheet_comes_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: Tree, order: tuple[str, ...]
) -> None:
    lay(tmp_path, old)
    renames = Renames()
    with monkeypatch.context() as patch:
        renames.install(patch)
        paths = save(tmp_path, dict.fromkeys(order, b"data"), replace=True)
    assert renames.names[-3:] == ["x.bin", "y.bin", "x.cue"]
    assert [path.name for path in paths] == ["x.bin", "y.bin", "x.cue"]


def test_everything_is_synced_before_the_first_rename(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[str] = []
    fsync, rename = os.fsync, Path.rename

    def seen_fsync(descriptor: int) -> None:
        events.append("fsync")
        fsync(descriptor)

    def seen_rename(old: Path, new: Path) -> Path:
        events.append("rename")
        return rename(old, new)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", seen_fsync)
        patch.setattr(Path, "rename", seen_rename)
        save(tmp_path)
    assert events[:4] == ["fsync", "fsync", "rename", "rename"]
    if hasattr(os, "O_DIRECTORY"):
        assert events[4:] == ["fsync"]  # the folder


def test_a_folder_that_cannot_be_synced_is_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.delattr(os, "O_DIRECTORY", raising=False)
        save(tmp_path)
    assert tree(tmp_path) == NEW


@pytest.mark.parametrize(
    "error", [errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS], ids=errno.errorcode.get
)
def test_a_file_system_that_cannot_reserve(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: int
) -> None:
    with monkeypatch.context() as patch:
        fail = failing(lambda *_: None, at=1, error=error)
        patch.setattr(os, "posix_fallocate", fail, raising=False)
        save(tmp_path)
    assert tree(tmp_path) == NEW


def test_without_posix_fallocate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.delattr(os, "posix_fallocate", raising=False)
        save(tmp_path)
    assert tree(tmp_path) == NEW


def test_no_room_is_reserved_for_nothing(tmp_path: Path) -> None:
    save(tmp_path, {"x.cue": b""})
    assert tree(tmp_path) == {"x.cue": b""}


# what must not be written


def test_a_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"x\.cue: its folder .*none.* does not exist") as caught:
        FileTransaction(tmp_path / "none" / "x.cue")
    assert caught.value.errno == errno.ENOENT
    with pytest.raises(StorageError, match="does not exist"):
        FileTransaction(tmp_path / ("long" * 100) / "x.cue")
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageError, match="does not exist"):
        FileTransaction(tmp_path / "file" / "x.cue")


@pytest.mark.parametrize("main", [True, False])
def test_what_exists_is_not_replaced(tmp_path: Path, main: bool) -> None:
    old = {"x.cue": b"old"} if main else {"x.bin": b"old"}
    lay(tmp_path, old)
    with pytest.raises(StorageError, match=r"exists already; .*--force") as caught:
        save(tmp_path)
    assert caught.value.errno == errno.EEXIST
    assert caught.value.file == str(tmp_path / next(iter(old)))
    assert tree(tmp_path) == old


def test_what_came_up_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    def work() -> None:
        with FileTransaction(tmp_path / "x.cue") as files:
            files.create("x.cue").write(b"new")
            (tmp_path / "x.cue").write_bytes(b"theirs")
            files.commit()

    with pytest.raises(StorageError, match="exists already"):
        work()
    assert tree(tmp_path) == {"x.cue": b"theirs"}


@pytest.mark.parametrize("replace", [False, True])
@pytest.mark.parametrize("link", [None, "symlink_to", "hardlink_to"])
def test_an_input_is_never_replaced(tmp_path: Path, link: str | None, replace: bool) -> None:
    source = tmp_path / "x.bin"
    if link:
        source = tmp_path / "source"
        source.write_bytes(b"input")
        getattr(tmp_path / "x.bin", link)(source)
    else:
        source.write_bytes(b"input")
    inputs = (tmp_path / "gone", source)
    with pytest.raises(StorageError, match="is one of the inputs") as caught:
        save(tmp_path, replace=replace, inputs=inputs)
    assert str(source) in str(caught.value)
    with pytest.raises(StorageError, match="is one of the inputs"):
        FileTransaction(tmp_path / "x.bin", replace=True, inputs=inputs)
    assert (tmp_path / "x.bin").read_bytes() == source.read_bytes() == b"input"
    assert not (tmp_path / "x.cue").exists()


@pytest.mark.parametrize("name", ["", ".", "..", "../y", "a/b", "/y", "a\0b"])
def test_what_is_no_plain_name(tmp_path: Path, name: str) -> None:
    with (
        FileTransaction(tmp_path / "x.cue") as files,
        pytest.raises(StorageError, match="is no plain file name"),
    ):
        files.create(name)


def test_one_name_twice(tmp_path: Path) -> None:
    with FileTransaction(tmp_path / "x.bin") as files:
        files.create("x.bin")
        with pytest.raises(StorageError, match=r"x\.bin: would be written twice"):
            files.create("x.bin")
    assert tree(tmp_path) == {}


@pytest.mark.parametrize("replace", [False, True])
def test_a_folder_or_a_pipe_is_not_replaced(tmp_path: Path, replace: bool) -> None:
    (tmp_path / "x.cue").mkdir()
    with pytest.raises(StorageError, match=r"x\.cue: is a folder"):
        FileTransaction(tmp_path / "x.cue", replace=replace)
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
        with pytest.raises(StorageError, match="is no regular file; give - to write to a pipe"):
            FileTransaction(tmp_path / "pipe", replace=replace)


def test_a_symlink_is_replaced_and_its_target_left(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.write_bytes(b"kept")
    (tmp_path / "x.cue").symlink_to(kept)
    save(tmp_path, {"x.cue": b"new"}, replace=True)
    assert tree(tmp_path) == {"kept": b"kept", "x.cue": b"new"}
    assert not (tmp_path / "x.cue").is_symlink()


# a disk that is full in earnest


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """One megabyte and no more."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("a tmpfs cannot be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("reserving", [True, False])
def test_a_full_disk(small_disk: Path, monkeypatch: pytest.MonkeyPatch, reserving: bool) -> None:
    lay(small_disk, OLD)
    large = {"x.bin": bytes(600_000), "y.bin": bytes(600_000), "x.cue": b"sheet"}
    what = "reserve 600000 bytes for" if reserving else "write"
    with monkeypatch.context() as patch:
        if not reserving:
            patch.delattr(os, "posix_fallocate", raising=False)
        with pytest.raises(StorageError, match=f"y.bin: cannot {what}: No space") as caught:
            save(small_disk, large, replace=True)
    assert caught.value.errno == errno.ENOSPC
    assert tree(small_disk) == OLD
    save(small_disk, replace=True)
    assert tree(small_disk) == {**NEW, "other": b"untouched"}


def test_an_interrupt_while_a_file_is_made_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C may come when the file is there and nobody knows it yet."""
    real = Path.open

    def interrupted(self: Path, *args: Any, **more: Any) -> Any:
        real(self, *args, **more).close()
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "open", interrupted)
    with pytest.raises(KeyboardInterrupt), FileTransaction(tmp_path / "a.raw") as files:
        files.create("a.raw")
    assert list(tmp_path.iterdir()) == []


# -- parts written by several --------------------------------------------------------------------

PLACES = pytest.mark.skipif(not hasattr(os, "pwrite"), reason="the system has no pwrite")


@PLACES
@given(st.permutations(range(7)), st.integers(0, 20))
def test_parts_in_any_order_are_the_whole(order: list[int], before: int) -> None:
    parts = [bytes([97 + number]) * (number + 1) for number in range(7)]
    places = [sum(map(len, parts[:number])) for number in range(7)]
    with TemporaryDirectory() as name, FileTransaction(Path(name) / "x.bin") as files:
        file = files.create("x.bin")
        file.write(b"-" * before)
        stretch = file.stretch()
        assert stretch is not None
        one, other = stretch.open(), pickle.loads(pickle.dumps(stretch)).open()
        for number in order:
            hold = one if number % 2 else other
            hold.write_at(places[number], parts[number])
            hold.store(places[number], len(parts[number]))
        one.close()
        other.close()
        file.advance(sum(map(len, parts)))
        file.write(b"+")
        files.commit()
        assert tree(Path(name)) == {"x.bin": b"-" * before + b"".join(parts) + b"+"}


@PLACES
@pytest.mark.parametrize("how", ["replaced", "gone"])
def test_a_file_that_is_no_longer_ours_is_not_written_to(tmp_path: Path, how: str) -> None:
    with FileTransaction(tmp_path / "x.bin") as files:
        stretch = files.create("x.bin").stretch()
        assert stretch is not None
        stretch.path.unlink()
        if how == "replaced":
            stretch.path.write_bytes(b"another's")
        with pytest.raises(StorageError, match=r"x\.bin: (was replaced|cannot write: No such)"):
            stretch.open()
        if how == "replaced":
            assert stretch.path.read_bytes() == b"another's"


def test_a_system_that_cannot_write_at_places(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "pwrite", raising=False)
    with FileTransaction(tmp_path / "x.bin") as files:
        assert files.create("x.bin").stretch() is None


@PLACES
def test_a_disk_that_is_full_for_all_who_write(
    small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No room can be reserved here, so that the processes meet with the end themselves."""
    lay(small_disk, OLD)
    share_always(monkeypatch)
    monkeypatch.delattr(os, "posix_fallocate", raising=False)
    with (
        ends_soon(),
        pytest.raises(StorageError, match=r"x\.bin: cannot write: No space") as caught,
        FileTransaction(small_disk / "x.bin", replace=True) as files,
    ):
        pump(Numbered(), 0, 1_000 * BLOCK, files.create("x.bin"), width=8, jobs=3)
    assert caught.value.errno == errno.ENOSPC
    assert tree(small_disk) == OLD
