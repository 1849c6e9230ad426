"""Names and links that lead out of a sheet's folder: refused by name, or trusted."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

import pytest

from rawcd.errors import StorageError
from rawcd.fileset import InputFiles
from rawcd.plugins import open_image

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(os.name == "nt", reason="links need rights there")


@pytest.fixture
def disc(tmp_path: Path) -> Path:
    """A folder with a sheet, beside another one with a file."""
    (tmp_path / "disc").mkdir()
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "Far.bin").write_text("far")
    (tmp_path / "disc" / "a.cue").write_text("sheet")
    return tmp_path / "disc"


def content(files: InputFiles, name: str) -> bytes:
    reader = files.find(name).reader
    held = bytearray(reader.size)
    reader.read_at(0, held)
    return bytes(held)


def trusting(disc: Path) -> InputFiles:
    return InputFiles(disc / "a.cue", trust_paths=True)


@pytest.mark.parametrize("name", ["../store/Far.bin", "..\\store\\Far.bin", "ABSOLUTE"])
def test_names_that_lead_out_are_followed_when_trusted(disc: Path, name: str) -> None:
    if name == "ABSOLUTE":
        name = str(disc.parent / "store" / "Far.bin")
    with pytest.raises(StorageError, match=r"or allow it \(--trust-paths\)") as caught:
        InputFiles(disc / "a.cue").find(name)
    assert repr(name) in str(caught.value)
    assert content(trusting(disc), name) == b"far"
    assert trusting(disc).find(name).note is None


def test_a_trusted_name_that_leads_nowhere_is_looked_for_beside(disc: Path) -> None:
    (disc / "far.bin").write_text("near")
    found = trusting(disc).find("C:\\rips\\Far.bin")
    assert found.note is not None
    assert "'far.bin' beside it was taken" in found.note.message
    with pytest.raises(
        StorageError, match=r"none of that name is beside the sheet; move it there$"
    ):
        trusting(disc).find("\\\\server\\share\\none.bin")


def test_a_trusted_name_may_be_of_a_wrapped_file(disc: Path) -> None:
    import gzip

    (disc.parent / "store" / "b.bin.gz").write_bytes(gzip.compress(b"packed"))
    found = trusting(disc).find("../store/b.bin")
    assert found.reader.size == 6
    assert found.note is not None
    assert found.note.message == "'../store/b.bin' is missing; 'b.bin.gz' was taken"


@pytest.mark.parametrize("name", ["link.bin", "LINK.bin", "link", "folder/Far.bin", "chain.bin"])
def test_links_that_lead_out_are_refused_by_name(disc: Path, name: str) -> None:
    (disc / "link.bin").symlink_to("../store/Far.bin")
    (disc / "folder").symlink_to(disc.parent / "store")
    (disc / "chain.bin").symlink_to("link.bin")
    with pytest.raises(StorageError, match="is a link that leads out of the sheet's f") as caught:
        InputFiles(disc / "a.cue").find(name, suffixes=(".bin",))
    assert repr(str(disc.parent / "store" / "Far.bin")) in str(caught.value)
    assert caught.value.errno == errno.EACCES
    assert content_of_trusted(disc, name) == b"far"


def content_of_trusted(disc: Path, name: str) -> bytes:
    reader = trusting(disc).find(name, suffixes=(".bin",)).reader
    held = bytearray(reader.size)
    reader.read_at(0, held)
    return bytes(held)


def test_links_within_the_folder_are_files_like_any(disc: Path) -> None:
    (disc / "sub").mkdir()
    (disc / "sub" / "real.bin").write_text("real")
    (disc / "link.bin").symlink_to("sub/real.bin")
    assert content(InputFiles(disc / "a.cue"), "link.bin") == b"real"


def test_a_linked_folder_is_as_good_as_a_plain_one(disc: Path, tmp_path: Path) -> None:
    (disc / "a.bin").write_text("near")
    (tmp_path / "music").symlink_to(disc)
    assert content(InputFiles(tmp_path / "music" / "a.cue"), "a.bin") == b"near"


def test_where_a_sheet_s_own_link_leads_is_its_folder_too(disc: Path, tmp_path: Path) -> None:
    """A folder of links into one store, as programs for links make it."""
    (disc / "a.bin").write_text("near")
    farm = tmp_path / "farm"
    farm.mkdir()
    (farm / "a.cue").symlink_to(disc / "a.cue")
    (farm / "a.bin").symlink_to(disc / "a.bin")
    (farm / "far.bin").symlink_to(tmp_path / "store" / "Far.bin")
    files = InputFiles(farm / "a.cue")
    assert content(files, "a.bin") == b"near"
    with pytest.raises(StorageError, match="is a link that leads out"):
        files.find("far.bin")


def test_a_link_to_nothing_is_no_file(disc: Path) -> None:
    (disc / "gone.bin").symlink_to("nowhere")
    (disc / "ring.bin").symlink_to("ring.bin")
    for name in ("gone.bin", "ring.bin"):
        with pytest.raises(StorageError, match="there is no file"):
            InputFiles(disc / "a.cue").find(name)


@pytest.mark.parametrize("trust", [False, True])
def test_devices_and_pipes_are_refused_by_name(disc: Path, trust: bool) -> None:
    os.mkfifo(disc / "pipe.bin")
    (disc / "null.bin").symlink_to("/dev/null")
    files = InputFiles(disc / "a.cue", trust_paths=trust)
    for name in ("pipe.bin", "null.bin"):
        with pytest.raises(StorageError, match="is a device or a pipe, no regular f") as caught:
            files.find(name)
        assert repr(name) in str(caught.value)
    if trust:
        with pytest.raises(StorageError, match="'/dev/zero' is a device or a pipe"):
            files.find("/dev/zero")


def test_folders_follow_the_same_rules(disc: Path) -> None:
    (disc / "Near").mkdir()
    (disc / "link").symlink_to("../store")
    files = InputFiles(disc / "a.cue")
    assert files.find_folder("Near").path == disc / "Near"
    found = files.find_folder("near")
    assert (found.path, found.note is None) == (disc / "Near", False)
    for name in ("link", "LINK"):
        with pytest.raises(StorageError, match="is a link that leads out"):
            files.find_folder(name)
        assert trusting(disc).find_folder(name).path == disc / "link"
    for name in ("../store", str(disc.parent / "store")):
        with pytest.raises(StorageError, match=r"is not below the sheet's own; .*--trust-paths"):
            files.find_folder(name)
        assert trusting(disc).find_folder(name).path.samefile(disc.parent / "store")
    for name in ("a.cue", "none"):
        with pytest.raises(StorageError, match="there is no folder"):
            files.find_folder(name)


def test_open_image_hands_the_trust_on(disc: Path) -> None:
    (disc.parent / "store" / "b.bin").write_bytes(bytes(2352 * 300))
    sheet = disc / "b.cue"
    sheet.write_text('FILE "../store/b.bin" BINARY\nTRACK 01 AUDIO\nINDEX 01 00:00:00\n')
    with pytest.raises(StorageError, match=r"line 1: .*'\.\./store/b\.bin' .*--trust-paths"):
        open_image(sheet)
    assert open_image(sheet, trust_paths=True).disc.tracks[0].sector_count == 300
