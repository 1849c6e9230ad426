"""Names beside a sheet, and files that appear whole or not at all."""

from __future__ import annotations

import errno
import io
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rawcd.errors import FormatError, StorageError, UnsupportedError
from rawcd.fileset import HEAD_BYTES, InputFiles, StreamOutput

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
        file.truncate(1024 * 1024 + 1)
    with pytest.raises(FormatError, match="more than 1048576 bytes are too many for a") as caught:
        InputFiles(path).content()
    assert (caught.value.file, caught.value.place) == (str(path), "offset 1048576")
    os.truncate(path, 1024 * 1024)
    assert len(InputFiles(path).content()) == 1024 * 1024


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
        files.find(name, suffixes=SUFFIXES, place="line 3")
    assert caught.value.file == str(tmp_path / "Album.CUE")
    assert caught.value.place == "line 3"


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
