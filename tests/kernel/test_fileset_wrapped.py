"""Files wrapped by gzip, xz, zstd and zip are as if they were not, within bounds."""

from __future__ import annotations

import gc
import gzip
import importlib
import io
import lzma
import os
import pickle
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import textwrap
import time
import zipfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rawcd.errors import FormatError, MissingExtraError, RawCDError, StorageError, UnsupportedError
from rawcd.fileset import InputFiles, wrapped
from rawcd.image import RegionImage, main_sectors
from rawcd.plugins import open_image, recognised_format, save_image
from tests.pumping import share_always

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SHEET = 'FILE "album.bin" BINARY\n  TRACK 01 AUDIO\n    INDEX 01 00:00:00\n'
SECTORS = 320
SOUND = np.random.default_rng(5).integers(0, 64, SECTORS * 2352, np.uint8).tobytes()


def zstd_library() -> Any:
    for name in ("compression.zstd", "backports.zstd"):
        with suppress(ImportError):
            return importlib.import_module(name)
    return pytest.skip("there is no zstd library")


def zstded(data: bytes) -> bytes:
    packed: bytes = zstd_library().compress(data)
    return packed


def zipped(files: dict[str, bytes], how: int = zipfile.ZIP_DEFLATED) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", how) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return held.getvalue()


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.compress,
    ".xz": lzma.compress,
    ".zst": zstded,
    ".zip": lambda data: zipped({"album.bin": data}),
}
STREAMS = [".gz", ".xz", ".zst"]


@pytest.fixture(autouse=True)
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A temporary folder in which nothing may be left."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    with temporary(folder, monkeypatch):
        yield folder
        gc.collect()
        assert list(folder.iterdir()) == []


@contextmanager
def temporary(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", None)
    yield
    monkeypatch.setattr(tempfile, "tempdir", None)


def in_folder(folder: Path, files: dict[str, bytes]) -> Path:
    folder.mkdir(exist_ok=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return folder


def sound_of(image: Any) -> bytes:
    return main_sectors(image, 0, SECTORS).tobytes()


def whole(files: InputFiles) -> bytes:
    held = bytearray(files.reader.size)
    files.reader.read_at(0, held)
    return bytes(held)


# -- the main file -------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", PACKERS)
@pytest.mark.parametrize("named", [True, False])
def test_a_wrapped_file_reads_as_what_is_in_it(tmp_path: Path, ending: str, named: bool) -> None:
    path = tmp_path / f"Album.BIN{ending if named else ''}"
    path.write_bytes(PACKERS[ending](SOUND))
    files = InputFiles(path)
    assert files.name == str(path)
    assert (files.suffix, files.stem.lower()) == (".bin", "album")
    assert files.head() == SOUND[:65_536]
    assert files.opened == (path,)
    assert whole(files) == SOUND
    assert files.reader.name.startswith(str(path))
    assert files.reader is files.reader


def test_an_unpacked_file_is_private_and_goes_with_its_reader(
    tmp_path: Path, scratch: Path
) -> None:
    path = tmp_path / "a.bin.gz"
    path.write_bytes(gzip.compress(SOUND))
    files = InputFiles(path)
    files.head()
    assert list(scratch.iterdir()) == []  # a glance unpacks nothing
    reader = files.reader
    (made,) = scratch.iterdir()
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    del files
    gc.collect()
    assert made.exists()
    there = pickle.loads(pickle.dumps(reader))
    held = bytearray(9)
    there.read_at(3, held)
    assert bytes(held) == SOUND[3:12]
    assert there.name == str(path)
    del there
    gc.collect()
    assert made.exists()  # another process reads it, and does not own it
    del reader
    gc.collect()
    assert not made.exists()


@pytest.mark.parametrize("ending", STREAMS)
def test_several_streams_are_one_file(tmp_path: Path, ending: str) -> None:
    pack = PACKERS[ending]
    path = tmp_path / "a.bin"
    padding = b"" if ending == ".zst" else bytes(512)
    path.write_bytes(pack(SOUND[:1000]) + pack(b"") + pack(SOUND[1000:]) + padding)
    assert whole(InputFiles(path)) == SOUND


@pytest.mark.parametrize("tool", ["gzip", "xz", "zstd", "zip"])
def test_what_the_tools_make(tmp_path: Path, tool: str) -> None:
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is not installed")
    if tool == "zstd":
        zstd_library()
    (tmp_path / "a.bin").write_bytes(SOUND)
    names = ["a.bin.zip", "a.bin"] if tool == "zip" else ["a.bin"]
    subprocess.run([tool, "-q", *names], cwd=tmp_path, check=True)
    (packed,) = tmp_path.glob("a.bin.*")
    assert whole(InputFiles(packed)) == SOUND


def test_files_that_are_not_wrapped_pass_untouched(tmp_path: Path, scratch: Path) -> None:
    path = tmp_path / "a.gz"
    path.write_bytes(b"\x1f\x8b")  # too short to be gzip
    files = InputFiles(path)
    assert (whole(files), files.suffix) == (b"\x1f\x8b", ".gz")
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize("ending", STREAMS)
def test_a_wrapped_disc_opens(tmp_path: Path, ending: str) -> None:
    data = bytes(32_769) + b"CD001" + bytes(2_048 * 300 - 32_774)
    path = tmp_path / f"disc.iso{ending}"
    path.write_bytes(PACKERS[ending](data))
    assert recognised_format(path) == "iso"
    image = open_image(path)
    assert isinstance(image, RegionImage)
    assert image.files == (path,)
    assert image.disc.tracks[0].sector_count == 300
    with pytest.raises(StorageError, match="is one of the inputs"):
        save_image(image, path, format="iso", replace=True)
    save_image(image, tmp_path / "out.iso")
    assert (tmp_path / "out.iso").read_bytes() == data


def test_workers_read_what_was_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scratch: Path
) -> None:
    path = tmp_path / "album.cue"
    path.write_text(SHEET)
    (tmp_path / "album.bin.xz").write_bytes(lzma.compress(SOUND))
    came = share_always(monkeypatch)
    image = open_image(path)
    save_image(image, tmp_path / "one.raw")
    save_image(image, tmp_path / "two.raw", options={"jobs": "2"})
    assert came == [1]
    assert len(list(scratch.iterdir())) == 1
    assert (tmp_path / "one.raw").read_bytes() == (tmp_path / "two.raw").read_bytes()


# -- what a sheet names --------------------------------------------------------------------------


@pytest.mark.parametrize("ending", PACKERS)
@pytest.mark.parametrize("sheet_ending", ["", ".gz", ".xz"])
def test_a_wrapped_file_stands_for_the_one_that_is_named(
    tmp_path: Path, ending: str, sheet_ending: str
) -> None:
    sheet = PACKERS[sheet_ending](SHEET.encode()) if sheet_ending else SHEET.encode()
    bin_name = f"Album.bin{ending}"
    folder = in_folder(
        tmp_path / "disc", {f"album.cue{sheet_ending}": sheet, bin_name: PACKERS[ending](SOUND)}
    )
    path = folder / f"album.cue{sheet_ending}"
    image = open_image(path)
    assert sound_of(image) == SOUND
    (note,) = (note for note in image.notes if note.code == "file-name")
    assert note.message == f"'album.bin' is missing; {bin_name!r} was taken"
    assert (note.file, note.line) == (str(path), 1)
    assert isinstance(image, RegionImage)
    assert image.files == (path, folder / bin_name)


def test_a_sheet_may_name_the_wrapped_file(tmp_path: Path) -> None:
    in_folder(tmp_path, {"a.bin.gz": gzip.compress(SOUND), "b.bin": gzip.compress(SOUND)})
    (tmp_path / "a.cue").write_text("")
    files = InputFiles(tmp_path / "a.cue")
    found = files.find("a.bin.gz")
    assert (found.suffix, found.note) == (".bin", None)
    found = files.find("b.bin")
    assert found.note is not None
    assert found.note.message == "'b.bin' is packed, and was unpacked"
    assert files.find("B.BIN").reader is found.reader


def test_the_plain_file_comes_before_the_wrapped_one(tmp_path: Path) -> None:
    in_folder(tmp_path, {"A.bin": b"plain", "a.bin.gz": gzip.compress(b"packed"), "a.cue": b""})
    found = InputFiles(tmp_path / "a.cue").find("a.bin", suffixes=(".bin",))
    assert found.reader.size == 5
    in_folder(tmp_path, {"b.wav": b"wav", "b.bin.gz": gzip.compress(b"packed")})
    found = InputFiles(tmp_path / "a.cue").find("b.bin", suffixes=(".wav", ".bin"))
    assert found.reader.size == 6  # the same file, wrapped, before another one


def test_wrapped_sound_is_known_by_the_name_within(tmp_path: Path) -> None:
    """Bare samples are known by their suffix alone."""
    in_folder(tmp_path, {"a.raw.gz": gzip.compress(SOUND)})
    (tmp_path / "a.cue").write_text(SHEET.replace("album.bin", "a.raw").replace("BINARY", "WAVE"))
    assert sound_of(open_image(tmp_path / "a.cue")) == SOUND


def test_wrapped_sound_is_decoded(tmp_path: Path) -> None:
    import soundfile

    held = io.BytesIO()
    samples = np.frombuffer(SOUND, "<i2").reshape(-1, 2)
    soundfile.write(held, samples, 44_100, format="FLAC", subtype="PCM_16")
    (tmp_path / "a.flac.gz").write_bytes(gzip.compress(held.getvalue()))
    (tmp_path / "a.cue").write_text(SHEET.replace("album.bin", "a.wav").replace("BINARY", "WAVE"))
    image = open_image(tmp_path / "a.cue")
    assert sound_of(image) == SOUND
    (tmp_path / "a.flac.gz").write_bytes(gzip.compress(held.getvalue()[:-5_000]))
    with pytest.raises(FormatError) as caught:
        sound_of(open_image(tmp_path / "a.cue"))
    assert caught.value.file == str(tmp_path / "a.flac.gz")  # never the temporary file's name


TOML = """
[[session]]
[[session.track]]
file = "a.bin"
"""


def test_a_description_may_name_wrapped_tracks_and_no_other_wrapped_files(tmp_path: Path) -> None:
    (tmp_path / "a.bin.gz").write_bytes(gzip.compress(SOUND))
    (tmp_path / "b.cdg.gz").write_bytes(gzip.compress(bytes(96)))
    (tmp_path / "a.toml").write_text(TOML)
    assert sound_of(open_image(tmp_path / "a.toml")) == SOUND
    (tmp_path / "a.toml").write_text(f'{TOML}cdg = "b.cdg"\n')
    with pytest.raises(FormatError, match=r"cdg 'b\.cdg' is wrapped; unpack it first"):
        open_image(tmp_path / "a.toml")


def test_an_archive_where_a_sheet_names_one_file(tmp_path: Path) -> None:
    in_folder(tmp_path, {"a.bin": zipped({"a": b"1", "b": b"2"}), "a.cue": b""})
    with pytest.raises(
        FormatError, match=r"a\.bin: offset 0: is an archive of 2 files where a sheet names"
    ):
        InputFiles(tmp_path / "a.cue").find("a.bin")


# -- bounds --------------------------------------------------------------------------------------

BOMB = textwrap.dedent(
    """
    import re, sys, time
    from pathlib import Path
    from rawcd import open_image
    from rawcd.errors import FormatError
    start = time.monotonic()
    try:
        open_image(sys.argv[1], format=sys.argv[2])
    except FormatError as error:
        print(error)
    print(time.monotonic() - start)
    status = Path("/proc/self/status")  # its peak begins anew with the program
    print(re.search("VmHWM:[^0-9]*([0-9]+)", status.read_text())[1] if status.exists() else 0)
    """
)


@pytest.fixture(scope="module")
def bomb() -> bytes:
    """A megabyte of gzip that makes 1.1 GB."""
    return gzip.compress(bytes(64 << 20)) * 17


@pytest.mark.parametrize("kind", ["iso", "cue"])
def test_a_bomb_is_refused_soon_and_leaves_nothing(
    tmp_path: Path, scratch: Path, bomb: bytes, kind: str
) -> None:
    path = tmp_path / f"disc.{kind}.gz"
    path.write_bytes(bomb)
    assert len(bomb) < 1_200_000
    done = subprocess.run(
        [sys.executable, "-c", BOMB, path, kind], capture_output=True, text=True, check=True
    )
    message, seconds, kilobytes = done.stdout.splitlines()
    if kind == "iso":
        assert "unpacks to more than the 1101600000 bytes that a disc can hold" in message
    else:
        assert "more than 1048576 bytes are too many for a sheet" in message
    assert message.startswith(f"{path}: offset ")
    assert float(seconds) < 30
    assert int(kilobytes) < 120_000
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize("ending", PACKERS)
def test_what_is_in_a_file_is_bounded(
    tmp_path: Path, ending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / f"a.bin{ending}"
    path.write_bytes(PACKERS[ending](SOUND))
    monkeypatch.setattr(wrapped, "LIMIT", len(SOUND))
    monkeypatch.setattr("rawcd.fileset.archive.LIMIT", len(SOUND))
    assert whole(InputFiles(path)) == SOUND
    monkeypatch.setattr(wrapped, "LIMIT", len(SOUND) - 1)
    monkeypatch.setattr("rawcd.fileset.archive.LIMIT", len(SOUND) - 1)
    with pytest.raises(FormatError, match="that a disc can hold") as caught:
        _ = InputFiles(path).reader
    assert caught.value.place is not None


def test_what_is_in_all_files_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    in_folder(tmp_path, {f"{name}.bin.gz": gzip.compress(bytes(100)) for name in "abc"})
    (tmp_path / "a.cue").write_text("")
    monkeypatch.setattr(wrapped, "TOTAL", 250)
    files = InputFiles(tmp_path / "a.cue")
    files.find("a.bin")
    files.find("b.bin")
    files.find("a.bin")  # once is enough
    with pytest.raises(FormatError, match=r"c\.bin\.gz: offset .* more than 250 bytes would be"):
        files.find("c.bin")


def test_a_packed_file_in_a_packed_file(tmp_path: Path) -> None:
    path = tmp_path / "a.bin.gz"
    path.write_bytes(gzip.compress(gzip.compress(SOUND)))
    with pytest.raises(FormatError, match="is wrapped twice; unpack it once"):
        _ = InputFiles(path).reader


def test_memory_that_xz_and_zstd_may_take(tmp_path: Path) -> None:
    path = tmp_path / "a"
    huge = [{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 29}]
    path.write_bytes(lzma.compress(b"x", filters=huge))
    with pytest.raises(FormatError, match="Memory usage limit"):
        InputFiles(path).head()
    library = zstd_library()
    options = {
        library.CompressionParameter.window_log: 31,
        library.CompressionParameter.nb_workers: 0,
    }
    packer = library.ZstdCompressor(options={**options})
    path.write_bytes(packer.compress(b"x") + packer.flush())
    with pytest.raises(FormatError, match="too much memory"):
        InputFiles(path).head()


FULL = textwrap.dedent(
    """
    import resource, sys
    from rawcd.errors import StorageError
    from rawcd.fileset import InputFiles
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
    try:
        InputFiles(sys.argv[1]).reader
    except StorageError as error:
        print(error.errno, error)
    """
)


@pytest.mark.skipif(os.name == "nt", reason="there are no limits on files here")
def test_a_full_temporary_folder_is_named(tmp_path: Path, scratch: Path) -> None:
    path = tmp_path / "a.bin.gz"
    path.write_bytes(gzip.compress(SOUND))
    done = subprocess.run(
        [sys.executable, "-c", FULL, path], capture_output=True, text=True, check=True
    )
    assert f"{path}: cannot be unpacked into the temporary folder {scratch}: " in done.stdout
    assert "set TMPDIR to a folder with more room" in done.stdout


STOPPED = textwrap.dedent(
    """
    import sys, time
    from rawcd.fileset import InputFiles
    files = InputFiles(sys.argv[1])
    reader = files.reader
    print("ready", flush=True)
    if sys.argv[2] == "wait":
        time.sleep(60)
    if sys.argv[2] == "raise":
        raise SystemExit(3)
    """
)


@pytest.mark.parametrize("how", ["end", "raise", "wait"])
def test_nothing_is_left_at_exit_or_after_an_interrupt(
    tmp_path: Path, scratch: Path, how: str
) -> None:
    path = tmp_path / "a.bin.gz"
    path.write_bytes(gzip.compress(SOUND))
    with subprocess.Popen(
        [sys.executable, "-c", STOPPED, path, how], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        if how == "wait":
            assert len(list(scratch.iterdir())) == 1
            process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
    assert list(scratch.iterdir()) == []


def test_an_interrupt_while_unpacking_leaves_nothing(
    tmp_path: Path, scratch: Path, bomb: bytes
) -> None:
    path = tmp_path / "a.bin.gz"
    noise = np.random.default_rng(1).bytes(1 << 20)
    path.write_bytes(gzip.compress(noise, 1) * 400)
    with subprocess.Popen(
        [sys.executable, "-c", STOPPED, path, "wait"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        until = time.monotonic() + 30
        # `tempfile` itself tries the folder with a file of its own, and may lose that one.
        while not list(scratch.glob("rawcd-*")):
            assert time.monotonic() < until
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=30)
    assert out == b""
    assert list(scratch.iterdir()) == []


# -- hostile bytes -------------------------------------------------------------------------------


def opens_or_says_why(data: bytes) -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        path = Path(folder) / "a.bin"
        path.write_bytes(data)
        with suppress(FormatError, StorageError, UnsupportedError, MissingExtraError):
            files = InputFiles(path)
            for name, head in files.heads():
                if not isinstance(head, RawCDError):
                    _ = files.chosen(name).reader
            if not files.leaves_a_choice:
                files.head()
                assert whole(files).startswith(files.head())


@pytest.mark.parametrize(
    "magic", [b"\x1f\x8b\x08", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd", b"PK\x03\x04", b"PK\x05\x06"]
)
@given(rest=st.binary(max_size=200))
def test_any_bytes_behind_a_magic_open_or_raise_our_error(magic: bytes, rest: bytes) -> None:
    opens_or_says_why(magic + rest)


SMALL = SOUND[:600] + bytes(600)


@pytest.mark.parametrize("ending", [*PACKERS, ".two.zip"])
@given(data=st.data())
def test_cut_and_flipped_files_open_or_raise_our_error(ending: str, data: st.DataObject) -> None:
    if ending == ".two.zip":
        held = bytearray(zipped({"a/a.cue": SHEET.encode(), "a/album.bin": SMALL}))
    else:
        held = bytearray(PACKERS[ending](SMALL))
    for place in data.draw(st.lists(st.integers(0, len(held) - 1), max_size=4)):
        held[place] ^= 1 << data.draw(st.integers(0, 7))
    opens_or_says_why(bytes(held[: data.draw(st.integers(0, len(held)))]))


@pytest.mark.parametrize("ending", PACKERS)
def test_a_file_cut_short_anywhere_is_refused(tmp_path: Path, ending: str) -> None:
    held = PACKERS[ending](SMALL)
    path = tmp_path / f"a.bin{ending}"
    for size in range(8, len(held), 7):
        path.write_bytes(held[:size])
        with pytest.raises(FormatError) as caught:
            _ = InputFiles(path).reader
        assert caught.value.file == str(path)


@pytest.mark.parametrize("ending", STREAMS)
def test_what_follows_a_stream_is_not_lost_in_silence(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a.bin{ending}"
    path.write_bytes(PACKERS[ending](SMALL) + b"something else")
    with pytest.raises(FormatError, match="are damaged, or are no") as caught:
        _ = InputFiles(path).reader
    assert str(caught.value.place).startswith("before offset ")


def test_without_zstd_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rawcd.zstd._MODULES", ("no_such_module",))
    path = tmp_path / "a.iso.zst"
    path.write_bytes(b"\x28\xb5\x2f\xfd")
    with pytest.raises(MissingExtraError, match=r"a\.iso\.zst: .*pip install 'rawcd\[zstd\]'") as e:
        open_image(path)
    assert e.value.extra == "zstd"
