"""Folders of this computer as trees: links, loops, and what cannot be read."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given

from rawcd.errors import AuthoringError, StorageError
from rawcd.filesystem import FileTree, Folder, HostFile, Link, MemoryFile
from tests.volumes import contents, of_folder, trees

posix = pytest.mark.skipif(os.name != "posix", reason="needs links, pipes and modes of POSIX")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "d" / "e").mkdir(parents=True)
    (tmp_path / "f").write_bytes(b"f")
    (tmp_path / "d" / "g").write_bytes(b"g" * 5000)
    return tmp_path


def paths(tree: FileTree) -> list[str]:
    return [path for path, _ in tree.walk()]


def test_a_folder_becomes_a_tree(folder: Path) -> None:
    tree = FileTree.from_folder(folder)
    assert paths(tree) == ["/d", "/d/e", "/d/g", "/f"] == sorted(of_folder(folder))
    file = tree.get("/d/g")
    assert isinstance(file, HostFile)
    assert (file.size, file.path) == (5000, str(folder / "d" / "g"))
    assert file.modified == int((folder / "d" / "g").stat().st_mtime)
    assert isinstance(tree.get("/d"), Folder)
    assert tree.get("/d/no") is tree.get("/f/no") is None


@posix
def test_links_stay_links_or_are_followed(folder: Path) -> None:
    (folder / "l").symlink_to("d/g")
    (folder / "m").symlink_to("d")
    (folder / "dangling").symlink_to("nowhere")
    tree = FileTree.from_folder(folder)
    link = tree.get("/l")
    assert isinstance(link, Link)
    assert link.target == "d/g"
    with pytest.raises(AuthoringError, match="dangling: is a link to nowhere, which is not there"):
        FileTree.from_folder(folder, follow_links=True)
    (folder / "dangling").unlink()
    followed = FileTree.from_folder(folder, follow_links=True)
    assert paths(followed) == ["/d", "/d/e", "/d/g", "/f", "/l", "/m", "/m/e", "/m/g"]


@posix
def test_loops_of_links_are_refused_by_name(folder: Path) -> None:
    (folder / "d" / "up").symlink_to("..")
    (folder / "x").symlink_to("y")
    (folder / "y").symlink_to("x")
    assert "/d/up" in paths(FileTree.from_folder(folder))
    with pytest.raises(AuthoringError) as caught:
        FileTree.from_folder(folder, follow_links=True)
    text = str(caught.value)
    assert caught.value.rule == "link-loop"
    assert f"{folder}/d/up: leads back to {folder}: a loop of links" in text
    assert f"{folder}/x: is a link that leads nowhere" in text
    assert f"{folder}/y: is a link that leads nowhere" in text


@posix
def test_special_files_are_refused_or_left_out_with_a_note(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(folder / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        monkeypatch.chdir(folder)  # a socket's path is short
        server.bind("plug")
        with pytest.raises(AuthoringError) as caught:
            FileTree.from_folder(folder)
        assert caught.value.rule == "special-file"
        assert f"{folder}/pipe: is a pipe" in str(caught.value)
        assert f"{folder}/plug: is a socket" in str(caught.value)
        tree = FileTree.from_folder(folder, relax=True)
    assert paths(tree) == ["/d", "/d/e", "/d/g", "/f"]
    assert [note.code for note in tree.notes] == ["left-out", "left-out"]


@posix
def test_what_may_not_be_read_is_refused_by_name() -> None:
    """Root may read everything, so that root looks with the eyes of nobody."""
    script = (
        "import os, sys\n"
        "from rawcd.filesystem import FileTree\n"
        "if os.geteuid() == 0: os.setgid(65534); os.setuid(65534)\n"
        "try:\n"
        "    FileTree.from_folder(sys.argv[1])\n"
        "except Exception as error:\n"
        "    print(type(error).__name__, error.rule, error)\n"
    )
    with tempfile.TemporaryDirectory() as made:  # where nobody may look, too
        folder = Path(made)
        folder.chmod(0o755)
        (folder / "e").mkdir()
        (folder / "f").write_bytes(b"f")
        (folder / "f").chmod(0)
        (folder / "e").chmod(0)
        done = subprocess.run(
            [sys.executable, "-c", script, made], capture_output=True, text=True, check=True
        )
        (folder / "e").chmod(0o755)
    assert done.stdout.startswith("AuthoringError unreadable-file 2 entries cannot be put")
    assert f"{made}/f: may not be read" in done.stdout
    assert f"{made}/e: cannot be read: Permission denied" in done.stdout


def test_a_folder_that_is_none(folder: Path) -> None:
    for path in (folder / "no", folder / "f", "a\0b"):
        with pytest.raises(StorageError, match="cannot read"):
            FileTree.from_folder(path)


@posix
def test_a_folder_too_deep_for_anyone(tmp_path: Path) -> None:
    place = tmp_path
    for _ in range(210):
        place /= "d"
    place.mkdir(parents=True)
    with pytest.raises(AuthoringError, match="lies more than 200 folders deep"):
        FileTree.from_folder(tmp_path)


# -- grafts ------------------------------------------------------------------------------------


def test_parts_are_grafted_where_they_are_wanted(folder: Path) -> None:
    tree = FileTree.from_parts(
        [
            ("/", folder / "d"),
            ("/in/here", folder),
            ("g", folder / "f"),
            ("in/here/./x.txt", folder / "f"),
        ]
    )
    assert paths(tree) == [
        "/e",
        "/g",
        "/in",
        "/in/here",
        "/in/here/d",
        "/in/here/d/e",
        "/in/here/d/g",
        "/in/here/f",
        "/in/here/x.txt",
    ]
    later = tree.get("/g")
    assert isinstance(later, HostFile)
    assert later.size == 1  # the later part covers the earlier


def test_parts_that_cannot_be_grafted(folder: Path) -> None:
    for place, message in (("/", "needs a name"), ("../x", "no place on a volume")):
        with pytest.raises(AuthoringError, match=message):
            FileTree.from_parts([(place, folder / "f")])
    with pytest.raises(AuthoringError, match="cannot be read: No such file"):
        FileTree.from_parts([("/x", folder / "no")])


@given(lower=trees(), upper=trees())
def test_what_lies_above_is_seen(lower: FileTree, upper: FileTree) -> None:
    both = contents(lower.overlaid(upper))
    assert {path: both.get(path, 0) for path in contents(upper)} == contents(upper)
    for path, data in both.items():
        assert contents(upper).get(path, contents(lower).get(path)) == data
    assert contents(lower.overlaid(FileTree(root=Folder()))) == contents(lower)


def test_a_file_covers_a_folder_and_a_folder_a_file() -> None:
    file, inner = MemoryFile(data=b"1"), Folder(entries={"x": MemoryFile(data=b"2")})
    one = FileTree(root=Folder(entries={"a": file, "b": inner}))
    two = FileTree(root=Folder(entries={"a": inner, "b": file}))
    assert contents(one.overlaid(two)) == contents(two)
