"""Other programs read the volumes that we make, at their true addresses, and we read theirs.

xorriso extracts by Rock Ridge, isoinfo by Rock Ridge or Joliet from any session of a disc, iso-info
(libcdio) lists ISO 9660. All of them see the disc as a file whose block 0 is LBA 0, as a drive
would show it.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from rawcd.filesystem import (
    BLOCK_BYTES,
    BootImage,
    FileTree,
    StoredVolume,
    VolumeOptions,
    make_volume,
)
from rawcd.source import FileSource
from tests.oracles.test_bin_cue import needs, run
from tests.volumes import bytes_of, contents, of_folder

if TYPE_CHECKING:
    from pathlib import Path

GAP = 11_400
"""Lead-out, lead-in and pregap between two sessions."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with everything: depth, long names, many entries, links, letters of all kinds."""
    top = tmp_path / "tree"
    deep = top
    for level in range(1, 13):
        deep /= f"level {level}"
        deep.mkdir(parents=True)
        (deep / f"file {level}.txt").write_text(f"{level}\n" * level * 300)
    (top / f"{'long name ' * 6}.txt").write_text("long")
    (top / "Ünïcödé 名前.txt").write_text("u", encoding="utf-8")
    (top / "empty").touch()
    (top / "empty folder").mkdir()
    (top / "many").mkdir()
    for number in range(150):
        (top / "many" / f"file number {number}").write_bytes(os.urandom(number * 31))
        (top / "many" / f"folder {number}").mkdir()
    (top / "boot.img").write_bytes(bytes(range(256)) * 20)
    if os.name == "posix":
        (top / "link").symlink_to("many/file number 7")
        (top / "long link").symlink_to("x" * 200 + "/" + "y" * 200)
    return top


def disc(tmp_path: Path, *folders: Path, options: VolumeOptions) -> tuple[str, list[int]]:
    """Write sessions of folders into a file as a drive would show it; return where they begin."""
    path = tmp_path / "disc.iso"
    starts: list[int] = []
    with path.open("wb") as file:
        for folder in folders:
            previous = None
            if starts:
                file.flush()
                blocks = FileSource(path, block_size=BLOCK_BYTES)
                previous = StoredVolume(blocks, lba=starts[-1]).tree()
            tree = FileTree.from_folder(folder, follow_links=not options.rock_ridge, relax=True)
            volume = make_volume(tree, options=options, previous=previous)
            start = file.tell() // BLOCK_BYTES + (GAP if starts else 0)
            file.seek(start * BLOCK_BYTES)
            file.write(bytes_of(volume.at(start)))
            starts.append(start)
    return path.name, starts


def extracted(tmp_path: Path, image: str, start: int) -> dict[str, object]:
    target = tmp_path / "out"
    arguments = ["-load", "sbsector", str(start), "-indev", f"stdio:{image}"]
    run("osirrox", *arguments, "-extract", "/", target.name, folder=tmp_path)
    found = of_folder(target)
    found.pop("/rr_moved", None)
    subprocess.run(["chmod", "-R", "u+w", str(target)], check=True)
    shutil.rmtree(target)
    return found


POSIX = VolumeOptions(rock_ridge=True, relax=True, volume_id="DISC")


@needs("osirrox")
@pytest.mark.parametrize("level", [1, 2, 3, 4])
@pytest.mark.parametrize("udf", [False, True])
def test_xorriso_extracts_what_went_in(tmp_path: Path, folder: Path, level: int, udf: bool) -> None:
    options = VolumeOptions(level=level, udf=udf, rock_ridge=True, relax=True)
    image, _ = disc(tmp_path, folder, options=options)
    assert extracted(tmp_path, image, 0) == of_folder(folder)


@needs("osirrox")
def test_xorriso_extracts_all_sessions_from_the_last(tmp_path: Path, folder: Path) -> None:
    second, third = tmp_path / "second", tmp_path / "third"
    want = of_folder(folder)
    for number, part in enumerate((second, third)):
        (part / "many").mkdir(parents=True)
        (part / "many" / f"new {number}").write_text(f"new {number}")
        (part / "many" / "file number 9").write_text(f"covered {number}")
    image, starts = disc(tmp_path, folder, second, third, options=POSIX)
    seen = [want]
    for part in (second, third):
        seen.append({**seen[-1], **of_folder(part)})
    assert len(starts) == 3
    for start, expected in zip(starts, seen, strict=True):
        assert extracted(tmp_path, image, start) == expected


def listed(tmp_path: Path, kind: str, image: str, start: int) -> set[str]:
    said = run("isoinfo", "-f", kind, "-T", str(start), "-i", image, folder=tmp_path)
    return set(said.splitlines())


@needs("isoinfo")
def test_isoinfo_lists_and_extracts_both_sessions(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    (first / "sub").mkdir(parents=True)
    (second / "sub").mkdir(parents=True)
    (first / "sub" / "an old file.txt").write_text("old")
    (first / "sub" / "covered.txt").write_text("covered")
    (second / "sub" / "covered.txt").write_text("covers")
    (second / "a new file.txt").write_text("new")
    image, (_, start) = disc(tmp_path, first, second, options=POSIX)
    want = {"/sub", "/sub/an old file.txt", "/sub/covered.txt", "/a new file.txt"}
    for kind in ("-R", "-J"):
        assert listed(tmp_path, kind, image, start) == want
    assert listed(tmp_path, "-R", image, 0) == {"/sub", "/sub/an old file.txt", "/sub/covered.txt"}
    for path, text in (
        ("/sub/an old file.txt", "old"),
        ("/sub/covered.txt", "covers"),
        ("/a new file.txt", "new"),
    ):
        arguments = ["-R", "-T", str(start), "-i", image, "-x", path]
        assert run("isoinfo", *arguments, folder=tmp_path) == text


@needs("isoinfo")
@pytest.mark.parametrize("start", [0, 11_702])
def test_isoinfo_finds_a_session_alone_by_its_offset(
    tmp_path: Path, folder: Path, start: int
) -> None:
    tree = FileTree.from_folder(folder)
    volume = make_volume(tree, lba=start, options=POSIX)
    (tmp_path / "alone.iso").write_bytes(bytes_of(volume))
    arguments = ["-N", str(start), "-i", "alone.iso"]
    said = run("isoinfo", "-d", *arguments, folder=tmp_path)
    assert "Volume id: DISC" in said
    assert f"Volume size is: {volume.sector_count}" in said
    assert "Joliet with UCS level 3 found" in said
    assert "Rock Ridge signatures version 1 found" in said
    # isoinfo shows letters beyond eight bits by their low byte.
    command = ["isoinfo", "-f", "-J", *arguments]
    shown = subprocess.run(command, cwd=tmp_path, capture_output=True, check=True).stdout
    changed = {note.file for note in volume.notes}
    want = {path for path in of_folder(folder) if "link" not in path}
    ascii_names = {path for path in want - changed if path.isascii()}
    names = set(shown.decode("latin-1").splitlines())
    assert ascii_names <= names
    assert len(names) == len(want)


@needs("iso-info")
@pytest.mark.parametrize("joliet", [False, True])
def test_libcdio_lists_the_files(tmp_path: Path, folder: Path, joliet: bool) -> None:
    for path in list(folder.rglob("*")):
        if path.is_symlink():
            path.unlink()
    options = VolumeOptions(joliet=joliet, rock_ridge=not joliet, level=4, relax=True)
    image, _ = disc(tmp_path, folder, options=options)
    said = run("iso-info", "-f", *([] if joliet else ["--no-joliet"]), "-i", image, folder=tmp_path)
    for number in (0, 77, 149):
        size = (folder / "many" / f"file number {number}").stat().st_size
        assert re.search(rf"{size}\s+/many/file number {number}\b", said)


@needs("xorriso")
def test_xorriso_sees_what_to_start_from(tmp_path: Path, folder: Path) -> None:
    images = (
        BootImage(path="/boot.img", load_sectors=4, info_table=True),
        BootImage(path="/many/file number 100", efi=True),
    )
    options = VolumeOptions(rock_ridge=True, relax=True, boot=images)
    image, _ = disc(tmp_path, folder, options=options)
    said = run("xorriso", "-indev", image, "-report_el_torito", "plain", folder=tmp_path)
    assert re.search(r"El Torito cat path : /boot.cat", said)
    assert re.search(r"boot img :   1  BIOS  y   none  0x0000  0x00      4 ", said)
    assert re.search(r"boot img :   2  UEFI  y   none  0x0000  0x00      8 ", said)
    assert re.search(r"img path :   1  /boot.img", said)
    assert re.search(r"img opts :   1  boot-info-table", said)  # its sum is right
    assert re.search(r"img path :   2  /many/file number 100", said)


@needs("blkid")
def test_blkid_finds_udf_and_its_name(tmp_path: Path) -> None:
    folder = tmp_path / "tree"
    folder.mkdir()
    (folder / "f").write_text("f")
    image, _ = disc(tmp_path, folder, options=VolumeOptions(udf=True, volume_id="My Disc"))
    said = run("blkid", "-p", "-o", "export", image, folder=tmp_path)
    assert "TYPE=udf" in said
    assert re.search(r"^LABEL=My\\? Disc$", said, re.MULTILINE)


# -- theirs ------------------------------------------------------------------------------------

MAKERS = {
    "xorriso": ["xorriso", "-as", "mkisofs", "-quiet"],
    "genisoimage": ["genisoimage", "-quiet"],
}


@pytest.mark.parametrize("program", MAKERS)
def test_we_read_what_others_make(tmp_path: Path, folder: Path, program: str) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    (folder / "long link").unlink()  # genisoimage leaves out the end of it
    run(*MAKERS[program], "-R", "-J", "-o", "their.iso", folder.name, folder=tmp_path)
    volume = StoredVolume(FileSource(tmp_path / "their.iso", block_size=BLOCK_BYTES))
    assert volume.kinds == ("rock-ridge", "joliet", "iso")
    have = contents(volume.tree(), volume)
    have.pop("/rr_moved", None)
    assert have == of_folder(folder)
    shallow = contents(volume.tree("joliet"), volume)
    assert shallow["/Ünïcödé 名前.txt"] == b"u"


@pytest.mark.parametrize("program", MAKERS)
def test_we_add_a_session_to_what_others_made(tmp_path: Path, folder: Path, program: str) -> None:
    for needed in (program, "osirrox"):
        if shutil.which(needed) is None:
            pytest.skip(f"{needed} is not installed")
    (folder / "long link").unlink()
    run(*MAKERS[program], "-R", "-J", "-o", "disc.iso", folder.name, folder=tmp_path)
    path = tmp_path / "disc.iso"
    before = path.stat().st_size // BLOCK_BYTES
    previous = StoredVolume(FileSource(path, block_size=BLOCK_BYTES)).tree()
    new = tmp_path / "new"
    new.mkdir()
    (new / "empty").write_text("not empty any more")
    start = before + GAP
    volume = make_volume(FileTree.from_folder(new), lba=start, options=POSIX, previous=previous)
    with path.open("r+b") as file:
        file.seek(start * BLOCK_BYTES)
        file.write(bytes_of(volume))
    want = {**of_folder(folder), "/empty": b"not empty any more"}
    assert extracted(tmp_path, "disc.iso", start) == want


@needs("genisoimage")
def test_others_add_a_session_to_what_we_made(tmp_path: Path, folder: Path) -> None:
    image, _ = disc(tmp_path, folder, options=VolumeOptions(rock_ridge=True, relax=True))
    size = (tmp_path / image).stat().st_size // BLOCK_BYTES
    new = tmp_path / "new"
    new.mkdir()
    (new / "added").write_text("added")
    start = size + GAP
    arguments = ["-quiet", "-R", "-J", "-M", image, "-C", f"0,{start}", "-o", "second.iso", "new"]
    run("genisoimage", *arguments, folder=tmp_path)
    with (tmp_path / image).open("r+b") as file:
        file.seek(start * BLOCK_BYTES)
        file.write((tmp_path / "second.iso").read_bytes())
    volume = StoredVolume(FileSource(tmp_path / image, block_size=BLOCK_BYTES), lba=start)
    have = contents(volume.tree(), volume)
    assert have["/added"] == b"added"
    assert have["/many/file number 149"] == of_folder(folder)["/many/file number 149"]
