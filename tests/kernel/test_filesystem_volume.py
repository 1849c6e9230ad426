"""Volumes: what goes in comes out, at any address, whole and alike."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rawcd import Source
from rawcd.errors import AuthoringError, StorageError
from rawcd.filesystem import (
    BLOCK_BYTES,
    BootImage,
    FileTree,
    Folder,
    Link,
    MemoryFile,
    PieceFile,
    StoredFile,
    StoredVolume,
    VolumeOptions,
    make_volume,
)
from rawcd.source import MemoryBytes
from tests.volumes import DATES, Volume119, bytes_of, contents, stored, trees

if TYPE_CHECKING:
    from pathlib import Path

KEEPING = [
    VolumeOptions(level=1),
    VolumeOptions(level=4),
    VolumeOptions(joliet=False, rock_ridge=True),
    VolumeOptions(rock_ridge=True, level=2),
    VolumeOptions(udf=True),
]
LBAS = st.sampled_from([0, 1, 16, 11_702, 300_000])
many = settings(suppress_health_check=[HealthCheck.too_slow])


def tree_of(**entries: MemoryFile | Folder | Link | bytes) -> FileTree:
    return FileTree(
        root=Folder(
            entries={
                name: MemoryFile(data=entry) if isinstance(entry, bytes) else entry
                for name, entry in entries.items()
            }
        )
    )


# -- laws --------------------------------------------------------------------------------------


@many
@given(tree=trees(), lba=LBAS, options=st.sampled_from(KEEPING))
def test_any_tree_of_legal_names_comes_back(
    tree: FileTree, lba: int, options: VolumeOptions
) -> None:
    volume = make_volume(tree, lba=lba, options=replace(options, relax=options.udf))
    found = stored(volume)
    for kind in found.kinds:
        if kind != "iso":
            assert contents(found.tree(kind), found) == contents(tree)
    # ISO 9660's own names are a matter of form, but there are as many, over the same bytes.
    plain = contents(found.tree("iso"), found)
    assert sorted(map(repr, plain.values())) == sorted(map(repr, contents(tree).values()))
    assert not [note for note in volume.notes if "UDF" not in note.message]


@many
@given(tree=trees(with_links=True), lba=LBAS, date=DATES)
def test_rock_ridge_keeps_links_modes_and_dates(tree: FileTree, lba: int, date: int) -> None:
    options = VolumeOptions(joliet=False, rock_ridge=True, date=date)
    found = stored(make_volume(tree, lba=lba, options=options))
    entries = dict(found.tree().walk())
    assert contents(found.tree(), found) == contents(tree)
    for path, entry in tree.walk():
        got = entries[path]
        assert got.modified == min(entry.modified, date)
        if not isinstance(entry, Link):
            assert not isinstance(got, Link)
            assert got.mode == entry.mode


@many
@given(tree=trees(), lba=LBAS, options=st.sampled_from(KEEPING[:4]))
def test_a_volume_is_what_ecma_119_says(tree: FileTree, lba: int, options: VolumeOptions) -> None:
    kinds = Volume119(bytes_of(make_volume(tree, lba=lba, options=options)), lba).check()
    assert kinds == (["iso 1"] + ["iso 2"] * (options.level == 4) + ["joliet"] * options.joliet)


@many
@given(tree=trees(), lba=LBAS, options=st.sampled_from(KEEPING), data=st.data())
def test_any_cut_gives_the_same_blocks(
    tree: FileTree, lba: int, options: VolumeOptions, data: st.DataObject
) -> None:
    source = make_volume(tree, lba=lba, options=replace(options, date=0, relax=True)).source
    assert isinstance(source, Source)
    whole = source.read(0, source.block_count)
    assert len(whole) == source.block_count * BLOCK_BYTES
    start = data.draw(st.integers(0, source.block_count))
    count = data.draw(st.integers(0, source.block_count - start))
    want = whole[start * BLOCK_BYTES : (start + count) * BLOCK_BYTES]
    assert source.read(start, count) == want
    wide = np.full((count, 2352), 0xAA, np.uint8)
    source.read_into(start, wide[:, 16 : 16 + BLOCK_BYTES])
    assert wide[:, 16 : 16 + BLOCK_BYTES].tobytes() == want
    assert (wide[:, :16] == 0xAA).all()
    assert pickle.loads(pickle.dumps(source)).read(start, count) == want


@many
@given(tree=trees(), lba=LBAS, options=st.sampled_from(KEEPING))
def test_moving_is_laying_out_elsewhere(tree: FileTree, lba: int, options: VolumeOptions) -> None:
    options = replace(options, date=1, relax=True)
    volume = make_volume(tree, lba=5, options=options)
    there = make_volume(tree, lba=lba, options=options)
    assert bytes_of(volume.at(lba)) == bytes_of(there)
    assert bytes_of(there.at(5)) == bytes_of(volume)
    assert volume.at(lba).sector_count == there.sector_count == there.source.block_count


# -- cases -------------------------------------------------------------------------------------


def test_a_tree_of_more_blocks_than_one() -> None:
    """Directories, path tables and continuation areas of several blocks."""
    inner = {f"file {i:03} {'x' * 40}": MemoryFile(data=b"%d" % i) for i in range(200)}
    folders = {
        f"folder {i:03} {'y' * 30}": Folder(entries={"f": inner["file 000 " + "x" * 40]})
        for i in range(150)
    }
    long = {f"{i}{'z' * 250}": MemoryFile(data=b"%d" % i) for i in range(10, 99)}
    tree = FileTree(root=Folder(entries={"a": Folder(entries=inner), **folders, **long}))
    options = VolumeOptions(joliet=False, rock_ridge=True)
    volume = make_volume(tree, lba=777, options=options)
    assert Volume119(bytes_of(volume), 777).check() == ["iso 1"]
    found = stored(volume)
    assert contents(found.tree(), found) == contents(tree)


@pytest.mark.parametrize("depth", [7, 8, 9, 13, 17, 25])
@pytest.mark.parametrize("lba", [0, 9_000])
def test_rock_ridge_goes_deeper_than_eight_levels(depth: int, lba: int) -> None:
    folder = Folder(entries={"bottom": MemoryFile(data=b"deep")})
    for level in range(depth, 0, -1):
        folder = Folder(
            entries={f"level {level}": folder, "file": MemoryFile(data=b"%d" % level)},
            modified=level,
        )
    tree = FileTree(root=folder)
    volume = make_volume(tree, lba=lba, options=VolumeOptions(rock_ridge=True))
    found = stored(volume)
    for kind in ("rock-ridge", "joliet"):
        assert contents(found.tree(kind), found) == contents(tree)


def test_a_name_too_long_for_a_moved_folder_is_refused_by_name() -> None:
    folder = Folder()
    for level in range(8, 0, -1):
        folder = Folder(entries={f"{level}{'n' * 240}": folder})
    with pytest.raises(AuthoringError, match=r"8n{240}") as caught:
        make_volume(FileTree(root=folder), options=VolumeOptions(joliet=False, rock_ridge=True))
    assert caught.value.rule == "folder-depth"


def test_two_builds_are_alike_whatever_the_order_the_zone_and_the_locale(tmp_path: Path) -> None:
    script = (
        "import sys, hashlib\n"
        "from rawcd.filesystem import *\n"
        "options = VolumeOptions(rock_ridge=True, udf=True, relax=True)\n"
        "volume = make_volume(FileTree.from_folder(sys.argv[1]), lba=77, options=options)\n"
        "data = volume.source.read(0, volume.sector_count)\n"
        "print(hashlib.sha256(data).hexdigest())\n"
    )
    found = set()
    names = [f"{letter}{i}" for i in range(20) for letter in "aZé"]
    for order, zone, locale in ((1, "UTC", "C"), (-1, "Asia/Tokyo", "C.UTF-8")):
        folder = tmp_path / str(order)
        folder.mkdir()
        for name in names[::order]:
            (folder / name).write_text(name, encoding="utf-8")
        env = {**os.environ, "TZ": zone, "LC_ALL": locale, "SOURCE_DATE_EPOCH": "1000000000"}
        done = subprocess.run(
            [sys.executable, "-c", script, str(folder)],
            env=env,
            capture_output=True,
            text=True,
            check=True,
        )
        found.add(done.stdout)
    assert len(found) == 1


def test_the_environment_gives_the_date(monkeypatch: pytest.MonkeyPatch) -> None:
    tree = tree_of(a=MemoryFile(data=b"", modified=2_000_000_000))
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1000000000")
    data = bytes_of(make_volume(tree))
    assert data[16 * BLOCK_BYTES + 813 :].startswith(b"2001090901464000\0" * 2 + b"0" * 16)
    (entry,) = dict(stored(make_volume(tree)).tree().walk()).values()
    assert entry.modified == 1_000_000_000
    for text in ("yesterday", "-1", "9" * 10, "9" * 5000, "1.5", "²"):
        monkeypatch.setenv("SOURCE_DATE_EPOCH", text)
        with pytest.raises(AuthoringError, match="SOURCE_DATE_EPOCH is "):
            make_volume(tree)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "")
    make_volume(tree)


def test_files_are_read_when_asked_for_and_compared(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(b"x" * 3000)
    volume = make_volume(FileTree.from_folder(tmp_path))
    source = volume.source
    assert {path.name for path in source.paths} == {"a", "b"}
    found = stored(volume)
    assert contents(found.tree(), found) == {"/a": b"x" * 3000, "/b": b"x" * 3000}
    (tmp_path / "b").write_bytes(b"y" * 3001)
    with pytest.raises(StorageError, match=r"b: changed since it was added: it had 3000 bytes"):
        source.read(0, source.block_count)
    (tmp_path / "b").write_bytes(b"y" * 3000)
    os.utime(tmp_path / "b", (5, 5))
    with pytest.raises(StorageError, match=r"b: was written to since"):
        source.read(0, source.block_count)
    (tmp_path / "b").unlink()
    with pytest.raises(StorageError, match=r"b: cannot read: No such file"):
        source.read(0, source.block_count)
    assert source.read(0, 1) == bytes(BLOCK_BYTES)  # what lies elsewhere is still there


def test_a_range_outside_is_a_misuse() -> None:
    source = make_volume(tree_of(a=b"1")).source
    with pytest.raises(ValueError, match="not within"):
        source.read(1, source.block_count)
    with pytest.raises(ValueError, match="no place for a volume"):
        make_volume(tree_of(), lba=-1)


def test_a_folder_larger_than_the_disc_is_refused() -> None:
    volume = make_volume(tree_of(a=bytes(100_000)))
    make_volume(tree_of(a=bytes(100_000)), limit=volume.sector_count)
    for limit in (volume.sector_count - 1, 10):
        with pytest.raises(AuthoringError, match="bytes too many") as caught:
            make_volume(tree_of(a=bytes(100_000)), limit=limit)
        assert caught.value.rule == "volume-size"


def test_the_volume_has_its_texts() -> None:
    options = VolumeOptions(volume_id="Été 2026", publisher="ME", system_id="ANY")
    data = bytes_of(make_volume(tree_of(), options=options))
    primary, joliet = (data[n * BLOCK_BYTES : (n + 1) * BLOCK_BYTES] for n in (16, 17))
    assert primary[40:72] == b"_T__2026".ljust(32)
    assert joliet[40:72].decode("utf-16-be") == "Été 2026".ljust(16)
    assert primary[8:40] == b"ANY".ljust(32)
    assert primary[318:446] == b"ME".ljust(128)
    assert primary[574:702] == b"RAWCD".ljust(128)
    with pytest.raises(AuthoringError, match="volume_id") as caught:
        make_volume(tree_of(), options=replace(options, joliet=False))
    assert caught.value.rule == "volume-text"
    with pytest.raises(AuthoringError, match="Joliet cannot hold"):
        make_volume(tree_of(), options=VolumeOptions(volume_id="A" * 17))
    relaxed = make_volume(tree_of(), options=VolumeOptions(volume_id="A" * 17, relax=True))
    assert [note.code for note in relaxed.notes] == ["name-changed"]


def test_what_is_heavy_is_loaded_when_a_volume_is_made(tmp_path: Path) -> None:
    script = (
        "import sys; from rawcd.filesystem import FileTree; FileTree.from_folder(sys.argv[1]); "
        "print([name for name in ('numpy', 'pycdlib') if name in sys.modules])"
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


# -- El Torito ---------------------------------------------------------------------------------

BOOT = bytes(range(256)) * 9 + b"end"


def catalog_of(data: bytes, lba: int) -> bytes:
    record = data[17 * BLOCK_BYTES : 18 * BLOCK_BYTES]
    assert record[:7] == b"\0CD001\x01"
    assert record[7:30] == b"EL TORITO SPECIFICATION"
    at = (int.from_bytes(record[71:75], "little") - lba) * BLOCK_BYTES
    return data[at : at + BLOCK_BYTES]


@pytest.mark.parametrize("lba", [0, 4_711])
def test_a_volume_starts_a_machine(lba: int) -> None:
    images = (
        BootImage(path="/boot/bios.img", load_sectors=4, load_segment=0x1000),
        BootImage(path="/efi.img", efi=True),
    )
    tree = FileTree(
        root=Folder(
            entries={
                "boot": Folder(entries={"bios.img": MemoryFile(data=BOOT)}),
                "efi.img": MemoryFile(data=b"E" * 5000),
            }
        )
    )
    options = VolumeOptions(boot=images, rock_ridge=True)
    volume = make_volume(tree, lba=lba, options=options)
    data = bytes_of(volume)
    catalog = catalog_of(data, lba)
    assert sum(int.from_bytes(catalog[i : i + 2], "little") for i in range(0, 32, 2)) % 65536 == 0
    assert catalog[32:36] == b"\x88\0\0\x10"
    files = dict(stored(volume).tree().walk())
    places = [files[path].lba for path in ("/boot/bios.img", "/efi.img")]  # type: ignore[union-attr]  # they are files
    assert int.from_bytes(catalog[38:40], "little") == 4
    assert int.from_bytes(catalog[40:44], "little") == places[0]
    assert catalog[64:66] == b"\x91\xef"
    assert int.from_bytes(catalog[96 + 6 : 96 + 8], "little") == 12  # 5,000 bytes in blocks
    assert int.from_bytes(catalog[96 + 8 : 96 + 12], "little") == places[1]
    assert "/boot.cat" in files


def test_a_floppy_is_told_by_its_size() -> None:
    for size, medium in ((1_228_800, 1), (1_474_560, 2), (2_949_120, 3)):
        options = VolumeOptions(boot=(BootImage(path="/b", emulation="floppy"),))
        catalog = catalog_of(bytes_of(make_volume(tree_of(b=bytes(size)), options=options)), 0)
        assert catalog[32:34] == bytes((0x88, medium))
        assert catalog[38:40] == b"\x01\x00"
    with pytest.raises(AuthoringError, match=r"/b: .*floppy"):
        make_volume(tree_of(b=b"1"), options=options)
    with pytest.raises(ValueError, match="loads one sector"):
        BootImage(path="/b", emulation="floppy", load_sectors=4)


@pytest.mark.parametrize("lba", [0, 4_711])
def test_the_boot_information_table_is_that_of_the_address(lba: int) -> None:
    options = VolumeOptions(boot=(BootImage(path="/b", info_table=True),))
    volume = make_volume(tree_of(b=BOOT), lba=lba, options=options)
    found = stored(volume)
    file = found.tree().get("/b")
    assert isinstance(file, StoredFile)
    data = found.read_file(file)
    assert data[:8] + data[64:] == BOOT[:8] + BOOT[64:]
    words = BOOT[64:] + bytes(-len(BOOT) % 4)
    total = sum(int.from_bytes(words[i : i + 4], "little") for i in range(0, len(words), 4))
    numbers = [int.from_bytes(data[i : i + 4], "little") for i in range(8, 24, 4)]
    assert numbers == [lba + 16, file.lba, len(BOOT), total % 2**32]
    assert data[24:64] == bytes(40)


@pytest.mark.parametrize(
    ("path", "entries", "message"),
    [
        ("/no", {}, "is no file with bytes"),
        ("/d", {"d": Folder()}, "is no file with bytes"),
        ("/e", {"e": MemoryFile(data=b"")}, "is no file with bytes"),
        ("/b", {"b": MemoryFile(data=b"short")}, "no room for a boot information table"),
        ("/b", {"b": MemoryFile(data=BOOT), "boot.cat": MemoryFile(data=b"")}, "boot catalogue"),
    ],
)
def test_what_cannot_start_a_machine_is_refused(
    path: str, entries: dict[str, MemoryFile | Folder], message: str
) -> None:
    options = VolumeOptions(boot=(BootImage(path=path, info_table=True),))
    with pytest.raises(AuthoringError, match=message):
        make_volume(FileTree(root=Folder(entries=entries)), options=options)


def test_a_file_that_looks_like_the_catalogue_is_called_otherwise_in_iso_9660() -> None:
    options = VolumeOptions(boot=(BootImage(path="/b"),))
    tree = FileTree(
        root=Folder(entries={"b": MemoryFile(data=BOOT), "BOOT.CAT": MemoryFile(data=b"mine")})
    )
    found = stored(make_volume(tree, options=options))
    assert found.tree("joliet").get("/BOOT.CAT") is not None
    assert len(list(found.tree("iso").walk())) == 3


def test_a_piece_of_a_reader_is_a_file_like_any_other() -> None:
    data = bytes(range(256)) * 40
    reader = MemoryBytes(data)
    tree = FileTree(
        root=Folder(
            entries={
                "first": PieceFile(reader=reader, offset=100, size=5000, modified=1_000_000_000),
                "none": PieceFile(reader=reader, offset=0, size=0),
            }
        )
    )
    source = make_volume(tree).source
    volume = StoredVolume(source)
    found = dict(volume.tree().walk())
    first, none = found["/first"], found["/none"]
    assert isinstance(first, StoredFile)
    assert isinstance(none, StoredFile)
    assert volume.read_file(first) == data[100:5100]
    assert (first.modified, none.size) == (1_000_000_000, 0)


@pytest.mark.parametrize("path", ["s/b", "./s//b", "/s/b/"])
def test_what_is_started_from_is_found_by_any_way_of_writing_its_path(path: str) -> None:
    tree = FileTree(root=Folder(entries={"s": Folder(entries={"b": MemoryFile(data=BOOT)})}))
    made = []
    for each in (path, "/s/b"):
        options = VolumeOptions(boot=(BootImage(path=each),), date=1_000_000_000)
        source = make_volume(tree, options=options).source
        made.append(source.read(0, source.block_count))
    assert made[0] == made[1]


def test_an_emulation_that_is_none_is_named() -> None:
    with pytest.raises(ValueError, match="emulation 'cd' is none of none, floppy, hard-disk"):
        BootImage(path="/b", emulation="cd")  # type: ignore[arg-type]  # that is the point
    listed = VolumeOptions(boot=[BootImage(path="/b")])  # type: ignore[arg-type]  # a list
    assert hash(listed) == hash(VolumeOptions(boot=(BootImage(path="/b"),)))
