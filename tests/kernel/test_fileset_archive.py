"""Zip archives of a sheet and its files: what is chosen, and what is refused by name."""

from __future__ import annotations

import io
import shutil
import subprocess
import zipfile
from typing import TYPE_CHECKING

import numpy as np
import pytest

from rawcd.errors import FormatError, RawCDError, StorageError, UnsupportedError
from rawcd.fileset import InputFiles
from rawcd.image import RegionImage, main_sectors
from rawcd.plugins import open_image, recognised_format, save_image

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SHEET = b'FILE "Track 1.bin" BINARY\n  TRACK 01 AUDIO\n    INDEX 01 00:00:00\n'
SECTORS = 320
SOUND = np.random.default_rng(6).integers(0, 64, SECTORS * 2352, np.uint8).tobytes()
ISO = bytes(32_769) + b"CD001" + bytes(2_048 * 300 - 32_774)


def archive(
    path: Path,
    files: dict[str, bytes],
    how: int = zipfile.ZIP_DEFLATED,
    change: Callable[[zipfile.ZipInfo], object] | None = None,
) -> Path:
    with zipfile.ZipFile(path, "w", how) as made:
        for name, data in files.items():
            about = zipfile.ZipInfo(name)
            about.compress_type = how
            if change is not None:
                change(about)
            made.writestr(about, data)
    return path


@pytest.mark.parametrize("how", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("folder", ["", "Game (Disc 1)/", "a\\b\\"])
def test_the_sheet_in_an_archive_and_the_files_it_names(
    tmp_path: Path, how: int, folder: str
) -> None:
    files = {
        f"{folder}readme.txt": b"text",
        f"{folder}Track 1.bin": SOUND,
        f"{folder}game.CUE": SHEET,
        "__MACOSX/._game.cue": SHEET,
        "other/Track 1.bin": b"wrong",
    }
    path = archive(tmp_path / "game.zip", files, how)
    assert recognised_format(path) == "cue"
    image = open_image(path)
    assert isinstance(image, RegionImage)
    assert main_sectors(image, 0, SECTORS).tobytes() == SOUND
    assert image.files == (path,)
    assert not image.notes
    with pytest.raises(StorageError, match="is one of the inputs"):
        save_image(image, path, format="raw", replace=True)


def test_names_in_an_archive_have_either_case_and_other_endings(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.zip", {"a.cue": SHEET, "TRACK 1.BIN": SOUND})
    (note,) = open_image(path).notes
    assert note.message == "'Track 1.bin' was found as 'TRACK 1.BIN'"
    sheet = SHEET.replace(b".bin", b".img")
    path = archive(tmp_path / "b.zip", {"a.cue": sheet, "track 1.bin": SOUND})
    (note,) = open_image(path).notes
    assert note.message == "'Track 1.img' is missing; 'track 1.bin' was taken"


@pytest.mark.parametrize("trust", [False, True])
@pytest.mark.parametrize("name", ["Track 1.bin", "../Track 1.bin", "/Track 1.bin"])
def test_names_in_an_archive_never_lead_out_of_it(tmp_path: Path, name: str, trust: bool) -> None:
    (tmp_path / "Track 1.bin").write_bytes(SOUND)
    sheet = SHEET.replace(b"Track 1.bin", name.encode())
    path = archive(tmp_path / "a.zip", {"cd/a.cue": sheet, "cd/other": b"", "Track 1.bin": SOUND})
    with pytest.raises(StorageError) as caught:
        open_image(path, trust_paths=trust)
    assert repr(name) in str(caught.value)
    assert "--trust-paths" not in str(caught.value)  # it would not help


def test_a_single_image_in_an_archive(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.zip", {"disc.iso": ISO})
    assert open_image(path).disc.tracks[0].sector_count == 300
    path = archive(tmp_path / "b.zip", {"disc.iso": ISO, "notes.txt": b"text", "folder/": b""})
    image = open_image(path)
    assert image.disc.tracks[0].sector_count == 300
    save_image(image, tmp_path / "out.iso")
    assert (tmp_path / "out.iso").read_bytes() == ISO


def test_a_sheet_comes_before_the_image_it_names(tmp_path: Path) -> None:
    sheet = b'FILE "disc.iso" BINARY\n  TRACK 01 MODE1/2048\n    INDEX 01 00:00:00\n'
    path = archive(tmp_path / "a.zip", {"disc.iso": ISO, "disc.cue": sheet})
    assert recognised_format(path) == "cue"
    assert open_image(path).disc.tracks[0].sector_count == 300


def test_several_sheets_are_refused_and_named(tmp_path: Path) -> None:
    files = {"1/a.cue": SHEET, "2/a.cue": SHEET, "2/Track 1.bin": SOUND}
    path = archive(tmp_path / "a.zip", files)
    with pytest.raises(FormatError, match=r"several discs in it: 1/a\.cue \(cue\), 2/a\.cue \(cu"):
        open_image(path)
    with pytest.raises(FormatError, match="there are several discs in it"):
        open_image(path, format="cue")


def test_the_name_of_a_format_chooses_among_sheets(tmp_path: Path) -> None:
    toc = b'CD_DA\nTRACK AUDIO\nFILE "Track 1.bin" 0\n'
    path = archive(tmp_path / "a.zip", {"a.cue": SHEET, "a.toc": toc, "Track 1.bin": SOUND})
    with pytest.raises(FormatError, match=r"a\.cue \(cue\), a\.toc \(toc\)"):
        open_image(path)
    assert main_sectors(open_image(path, format="cue"), 0, SECTORS).tobytes() == SOUND
    with pytest.raises(FormatError, match=r"recognises a file in it \(tried raw\)"):
        open_image(path, format="raw")


@pytest.mark.parametrize("files", [{}, {"a.txt": b"a", "b.txt": b"b"}, {"a.txt": b"a"}])
def test_an_archive_without_a_disc(tmp_path: Path, files: dict[str, bytes]) -> None:
    path = archive(tmp_path / "a.zip", files)
    with pytest.raises(FormatError, match=r"no format recognises|holds no file") as caught:
        open_image(path)
    assert caught.value.file == str(path)


def test_an_archive_has_no_bytes_of_its_own(tmp_path: Path) -> None:
    files = InputFiles(archive(tmp_path / "a.zip", {"a": b"1", "b": b"2"}))
    assert files.leaves_a_choice
    assert dict(files.heads()) == {"a": b"1", "b": b"2"}
    for read in (files.head, files.content, lambda: files.reader):
        with pytest.raises(FormatError, match="is an archive of 2 files; choose one of them"):
            read()
    one, two = files.chosen("a"), files.chosen("b")
    assert (one.content(), two.content()) == (b"1", b"2")
    assert (one.reader.size, two.reader.name) == (1, f"{tmp_path / 'a.zip'}/b")
    assert one.reader is not two.reader
    assert not one.leaves_a_choice
    assert list(InputFiles(__file__).heads()) == []


# -- refused by name -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["../a.cue", "a/../../b", "/etc/a", "C:\\a", "\\\\server\\s\\a"])
def test_names_that_lead_out_of_the_archive(tmp_path: Path, name: str) -> None:
    path = archive(tmp_path / "a.zip", {"a.cue": SHEET, name: SOUND})
    with pytest.raises(FormatError, match="in it leads out of it") as caught:
        open_image(path)
    assert repr(name) in str(caught.value)


def test_two_files_of_one_name(tmp_path: Path) -> None:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as made:
        made.writestr("a.cue", SHEET)
        made.writestr("b.cue", SHEET)
    path = tmp_path / "a.zip"
    path.write_bytes(held.getvalue().replace(b"b.cue", b"a.cue"))
    with pytest.raises(FormatError, match=r"holds two files 'a\.cue'"):
        open_image(path)


def test_an_absurd_number_of_files(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.zip", {f"{number}.txt": b"" for number in range(1_001)})
    with pytest.raises(FormatError, match="holds 1001 files, more than the 1000"):
        open_image(path)
    path = tmp_path / "b.zip"
    names = {f"{number:065000}": b"" for number in range(70)}  # a list of more than 4 MiB
    with pytest.raises(FormatError, match="its list of files is longer than that of any disc"):
        open_image(archive(path, names))


@pytest.mark.skipif(shutil.which("zip") is None, reason="zip is not installed")
def test_what_is_encrypted(tmp_path: Path) -> None:
    (tmp_path / "a.cue").write_bytes(SHEET)
    (tmp_path / "Track 1.bin").write_bytes(SOUND)
    subprocess.run(
        ["zip", "-q", "-P", "secret", "all.zip", "a.cue", "Track 1.bin"], cwd=tmp_path, check=True
    )
    with pytest.raises(UnsupportedError, match=r"all\.zip/a\.cue: is encrypted"):
        open_image(tmp_path / "all.zip")
    subprocess.run(["zip", "-q", "data.zip", "a.cue"], cwd=tmp_path, check=True)
    subprocess.run(
        ["zip", "-q", "-P", "secret", "data.zip", "Track 1.bin"], cwd=tmp_path, check=True
    )
    with pytest.raises(UnsupportedError, match=r"data\.zip/Track 1\.bin: is encrypted"):
        open_image(tmp_path / "data.zip")


@pytest.mark.parametrize("how", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_methods_that_unpack_as_much_as_they_like_at_once(tmp_path: Path, how: int) -> None:
    path = archive(tmp_path / "a.zip", {"disc.iso": ISO}, how)
    with pytest.raises(UnsupportedError, match=rf"disc\.iso: is packed by zip's method {how}"):
        open_image(path)


def test_a_link_in_an_archive(tmp_path: Path) -> None:
    def link(about: zipfile.ZipInfo) -> None:
        if about.filename == "Track 1.bin":
            about.external_attr = 0o120777 << 16

    files = {"a.cue": SHEET, "Track 1.bin": b"/etc/passwd"}
    path = archive(tmp_path / "a.zip", files, change=link)
    with pytest.raises(FormatError, match=r"Track 1\.bin: offset \d+: is a link or a device"):
        open_image(path)


def test_a_size_that_no_disc_has_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.zip", {"disc.iso": ISO})
    held = bytearray(path.read_bytes())
    at = held.rindex(b"PK\x01\x02")
    held[at + 24 : at + 28] = (1_101_600_001).to_bytes(4, "little")
    path.write_bytes(held)
    with pytest.raises(FormatError, match=r"disc\.iso: offset 0: unpacks to more than the 11016"):
        open_image(path)


@pytest.mark.parametrize("size", [len(ISO) - 1, len(ISO) + 1, 1])
def test_a_size_that_is_wrong(tmp_path: Path, size: int) -> None:
    path = archive(tmp_path / "a.zip", {"disc.iso": ISO})
    held = bytearray(path.read_bytes())
    at = held.rindex(b"PK\x01\x02")
    held[at + 24 : at + 28] = size.to_bytes(4, "little")
    path.write_bytes(held)
    with pytest.raises(FormatError):
        _ = InputFiles(path).reader


def test_a_damaged_file_in_an_archive(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.zip", {"a.cue": SHEET, "Track 1.bin": SOUND}, zipfile.ZIP_STORED)
    held = bytearray(path.read_bytes())
    held[len(held) // 2] ^= 1
    path.write_bytes(held)
    with pytest.raises(FormatError, match=r"is no whole zip archive: Bad CRC-32 for file 'Track 1"):
        open_image(path)


def test_an_archive_that_changes_is_noticed(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.zip", {"a.cue": SHEET, "Track 1.bin": SOUND})
    files = InputFiles(path).chosen("a.cue")
    archive(path, {"a.cue": SHEET, "Track 1.bin": SOUND + SOUND})
    with pytest.raises(StorageError, match="changed since it was added"):
        files.find("Track 1.bin")


def test_a_list_with_what_cannot_be_read_yields_why(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("a.cue", SHEET)
        made.writestr("b.txt", b"text", zipfile.ZIP_LZMA)
        made.writestr("Track 1.bin", SOUND)
    heads = dict(InputFiles(path).heads())
    assert heads["a.cue"] == SHEET
    assert isinstance(heads["b.txt"], RawCDError)
    assert main_sectors(open_image(path), 0, SECTORS).tobytes() == SOUND
