"""Names beside a sheet, and files that appear whole or not at all."""

from __future__ import annotations

import errno
import io
import os
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rawcd.errors import FormatError, StorageError, UnsupportedError
from rawcd.fileset import HEAD_BYTES, FileTransaction, InputFiles, StreamOutput

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SUFFIXES = (".wav", ".flac", ".bin")


def bytes_of(files: InputFiles, name: str, *, suffixes: tuple[str, ...] = ()) -> bytes:
    reader = files.find(name, suffixes=suffixes).reader
    held = bytearray(reader.size)
    reader.read_at(0, held)
    return bytes(held)


def beside(folder: Path, *names: str) -> InputFiles:
    """A sheet with files beside it, each of which holds its own path."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name, encoding="utf-8")
    sheet = folder / "Album.CUE"
    sheet.write_text("sheet", encoding="utf-8")
    return InputFiles(sheet)


# -- the sheet itself ----------------------------------------------------------------------------


def test_a_sheet_and_its_head(tmp_path: Path) -> None:
    path = tmp_path / "Album.CUE"
    data = bytes(range(256)) * 1_024
    path.write_bytes(data)
    files = InputFiles(path)
    assert (files.name, files.suffix) == (str(path), ".cue")
    assert files.head() == data[:65_536]
    assert HEAD_BYTES == 65_536
    assert files.content() == data
    assert files.opened == (path,)
    assert files.reader.size == len(data)


def test_a_short_sheet_is_its_own_head(tmp_path: Path) -> None:
    path = tmp_path / "a.cue"
    path.write_bytes(b"FILE")
    assert InputFiles(path).head() == InputFiles(path).content() == b"FILE"
    path.write_bytes(b"")
    assert InputFiles(path).head() == b""


def test_a_missing_sheet(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot open: No such file"):
        InputFiles(tmp_path / "none.cue")
    with pytest.raises(StorageError, match="is no file"):
        InputFiles(tmp_path)


def test_what_is_too_large_for_a_sheet_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "disc.bin"
    with path.open("wb") as file:
        file.truncate(16 * 1024 * 1024 + 1)
    with pytest.raises(FormatError, match="16777217 bytes are too many for a sheet"):
        InputFiles(path).content()
    os.truncate(path, 16 * 1024 * 1024)
    assert len(InputFiles(path).content()) == 16 * 1024 * 1024


def test_a_sheet_made_up_by_the_caller(tmp_path: Path) -> None:
    sound = tmp_path / "Long Name.FLAC"
    sound.write_text("sound", encoding="utf-8")
    files = InputFiles("made up", text="FILE \u00e4", members={"1": sound})
    assert files.head() == files.content() == "FILE \u00e4".encode()
    assert list(files.opened) == []
    found = files.find("1")
    assert (found.reader.name, found.suffix, found.note) == (str(sound), ".flac", None)
    assert files.opened == (sound,)
    with pytest.raises(StorageError, match="there is no file '2' beside the sheet"):
        files.find("2")


# -- what a sheet names --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["a.wav", "sub/b.wav", "sub\\b.wav", "./a.wav", "with space.wav", "\u00e4\u00f6.wav"]
)
def test_names_as_written(tmp_path: Path, name: str) -> None:
    files = beside(tmp_path, "a.wav", "sub/b.wav", "with space.wav", "\u00e4\u00f6.wav")
    found = files.find(name, suffixes=SUFFIXES)
    assert found.note is None
    assert found.suffix == ".wav"
    assert Path(found.reader.name).samefile(tmp_path / name.replace("\\", "/"))


@pytest.mark.skipif(os.name == "nt", reason="a backslash separates folders here")
def test_a_backslash_may_be_part_of_a_name(tmp_path: Path) -> None:
    files = beside(tmp_path, "a\\b.wav", "a/b.wav")
    assert bytes_of(files, "a\\b.wav") == b"a\\b.wav"


@pytest.mark.parametrize(
    ("name", "there"),
    [
        ("A.WAV", "a.wav"),
        ("a.wav", "A.Wav"),
        ("SUB\\B.wav", "sub/b.WAV"),
        ("Sub/B.wav", "sub/b.WAV"),
        ("GR\u00d6SSE.WAV", "gr\u00f6\u00dfe.wav"),
    ],
)
def test_names_in_another_case(tmp_path: Path, name: str, there: str) -> None:
    files = beside(tmp_path, there, "other.wav")
    found = files.find(name, suffixes=SUFFIXES)
    assert bytes_of(files, name).decode() == there
    assert found.note is not None
    assert found.note.code == "file-name"
    assert repr(name) in found.note.message
    assert repr(Path(there).name) in found.note.message
    assert found.note.file == str(tmp_path / "Album.CUE")


def test_the_exact_name_comes_before_another_case(tmp_path: Path) -> None:
    files = beside(tmp_path, "A.WAV", "a.wav")
    if len(list(tmp_path.iterdir())) < 3:
        pytest.skip("file names have no case here")
    assert bytes_of(files, "a.wav") == b"a.wav"
    assert bytes_of(files, "A.WAV") == b"A.WAV"


def test_folders_of_either_case_are_searched(tmp_path: Path) -> None:
    files = beside(tmp_path, "CD/one.wav", "cd/two.wav")
    if len(list(tmp_path.iterdir())) < 3:
        pytest.skip("file names have no case here")
    assert bytes_of(files, "Cd/ONE.wav") == b"CD/one.wav"
    assert bytes_of(files, "Cd/TWO.wav") == b"cd/two.wav"


@pytest.mark.parametrize(
    ("name", "taken"),
    [
        ("b.wav", "b.flac"),  # the order is that of the suffixes asked for
        ("C.WAV", "c.bin"),
        ("sub\\d.aiff", "sub/D.FLAC"),
        ("noend", "noend.bin"),
        ("dot.ted.wav", "dot.ted.flac"),
    ],
)
def test_names_with_another_suffix(tmp_path: Path, name: str, taken: str) -> None:
    files = beside(tmp_path, "b.flac", "b.bin", "c.bin", "sub/D.FLAC", "noend.bin", "dot.ted.flac")
    found = files.find(name, suffixes=SUFFIXES)
    assert bytes_of(files, name, suffixes=SUFFIXES).decode() == taken
    assert found.suffix == Path(taken).suffix.lower()
    assert found.note is not None
    assert f"{name!r} is missing; {Path(taken).name!r} was taken" in found.note.message
    with pytest.raises(StorageError):
        files.find(name)


def test_a_dot_may_be_part_of_a_name_that_has_no_suffix(tmp_path: Path) -> None:
    files = beside(tmp_path, "no. 1.flac")
    found = files.find("no. 1", suffixes=SUFFIXES)
    assert found.suffix == ".flac"
    assert found.note is not None


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    files = beside(tmp_path, "x.wav/inside.wav", "X.WAV.flac")
    with pytest.raises(StorageError, match=r"there is no file 'x\.wav'"):
        files.find("x.wav", suffixes=SUFFIXES)


@pytest.mark.parametrize(
    "name",
    [
        "../secret.wav",
        "..\\secret.wav",
        "sub/../../secret.wav",
        "sub\\..\\..\\secret.wav",
        "/etc/secret.wav",
        "C:\\music\\secret.wav",
        "C:secret.wav",
        "\\\\server\\share\\secret.wav",
        "\\secret.wav",
    ],
)
def test_a_name_that_leads_out_is_only_looked_for_beside_the_sheet(
    tmp_path: Path, name: str
) -> None:
    (tmp_path / "secret.wav").write_text("outside", encoding="utf-8")
    folder = tmp_path / "disc"
    folder.mkdir()
    files = beside(folder, "sub/other.wav")
    with pytest.raises(StorageError, match="lies outside the sheet's folder") as caught:
        files.find(name, suffixes=SUFFIXES)
    assert repr(name) in str(caught.value)
    assert caught.value.errno == errno.ENOENT

    files = beside(folder, "Secret.wav")
    found = files.find(name, suffixes=SUFFIXES)
    assert bytes_of(files, name) == b"Secret.wav"
    assert found.note is not None
    assert "leads out of the folder; 'Secret.wav' beside it was taken" in found.note.message


def test_an_absolute_name_that_exists_is_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside.wav"
    outside.write_text("outside", encoding="utf-8")
    folder = tmp_path / "disc"
    folder.mkdir()
    with pytest.raises(StorageError, match="lies outside the sheet's folder"):
        beside(folder).find(str(outside))


@pytest.mark.parametrize("name", ["", "  ", "\0", "a.wav\0.txt", ".", "./.", ".\\"])
def test_what_is_no_file_name(tmp_path: Path, name: str) -> None:
    files = beside(tmp_path, "a.wav")
    with pytest.raises(FormatError, match="is no file name") as caught:
        files.find(name, suffixes=SUFFIXES)
    assert caught.value.file == str(tmp_path / "Album.CUE")


@pytest.mark.parametrize("name", ["x" * 300 + ".wav", "y" * 5_000, "a/" * 3_000 + "z.wav"])
def test_a_name_that_no_file_can_have(tmp_path: Path, name: str) -> None:
    with pytest.raises(StorageError, match="there is no file"):
        beside(tmp_path, "a.wav").find(name, suffixes=SUFFIXES)


@pytest.fixture(scope="module")
def nest(tmp_path_factory: pytest.TempPathFactory) -> InputFiles:
    outer = tmp_path_factory.mktemp("outer")
    (outer / "a").write_text("outside", encoding="utf-8")
    (outer / "disc").mkdir()
    return beside(outer / "disc", "a", "b/a")


@settings(deadline=None)
@given(st.text("aAb./\\: \0", max_size=8))
def test_any_name_gives_a_file_below_the_sheet_or_one_of_two_errors(
    nest: InputFiles, name: str
) -> None:
    with suppress(FormatError, StorageError):
        found = nest.find(name, suffixes=("", ".wav"))
        assert Path(found.reader.name).resolve().is_relative_to(Path(nest.name).parent.resolve())


def test_a_file_is_handed_out_once(tmp_path: Path) -> None:
    files = beside(tmp_path, "a.wav", "b.wav")
    first = files.find("a.wav").reader
    assert files.find("A.WAV").reader is first
    files.find("b.wav")
    sheet = tmp_path / "Album.CUE"
    assert files.opened == (sheet, tmp_path / "a.wav", tmp_path / "b.wav")


# -- transactions --------------------------------------------------------------------------------

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


# -- streams -------------------------------------------------------------------------------------


def test_a_stream_is_the_only_file() -> None:
    stream = io.BytesIO()
    output = StreamOutput(stream)
    assert output.name == "<stdout>"
    file = output.create("x.raw")
    file.allocate(1 << 60)  # a stream has no size
    file.write(b"one")
    file.write(memoryview(b"two"))
    output.finish()
    assert stream.getvalue() == b"onetwo"
    with pytest.raises(UnsupportedError, match=r"holds one file; 'x\.cue' would be a second one"):
        output.create("x.cue")


def test_a_stream_that_takes_a_little_at_a_time() -> None:
    class Slow(io.BytesIO):
        def write(self, data: Any) -> int:
            return super().write(bytes(data[:3]))

    stream = Slow()
    StreamOutput(stream).create("x").write(bytes(range(100)))
    assert stream.getvalue() == bytes(range(100))


def test_a_stream_that_would_block_loses_nothing() -> None:
    class Busy(io.BytesIO):
        calls = 0

        def write(self, data: Any) -> Any:
            self.calls += 1
            return None if self.calls % 2 else super().write(bytes(data[:3]))

    stream = Busy()
    StreamOutput(stream).create("x").write(bytes(range(20)))
    assert stream.getvalue() == bytes(range(20))


@pytest.mark.parametrize("buffered", [False, True])
def test_a_pipe_closed_by_its_reader(buffered: bool) -> None:
    end, start = os.pipe()
    os.close(end)
    stream = os.fdopen(start, "wb", buffering=-1 if buffered else 0)
    output = StreamOutput(stream, name="pipe")
    file = output.create("x.raw")
    if buffered:
        file.write(b"small")
    with pytest.raises(StorageError, match="pipe: cannot write: Broken pipe") as caught:
        output.finish() if buffered else file.write(b"small")  # what is buffered shows only then
    assert caught.value.errno == errno.EPIPE
    with suppress(BrokenPipeError):
        stream.close()


def test_a_stream_that_was_closed() -> None:
    stream = io.BytesIO()
    output = StreamOutput(stream)
    stream.close()
    with pytest.raises(StorageError, match=r"<stdout>: cannot write: .*closed"):
        output.create("x").write(b"x")
    with pytest.raises(StorageError, match=r"<stdout>: cannot write: .*closed"):
        output.finish()


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
