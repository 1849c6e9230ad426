"""Later sessions: what an earlier one left stays visible, and what is new covers it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rawcd import RawCDImageCreator, SectorType
from rawcd.errors import AuthoringError, FormatError
from rawcd.filesystem import (
    BLOCK_BYTES,
    BootImage,
    DiscBlocks,
    FileTree,
    Folder,
    Link,
    MemoryFile,
    StoredFile,
    StoredVolume,
    VolumeOptions,
    make_volume,
)
from rawcd.source import ArraySource
from tests.volumes import bytes_of, contents, files, names, trees

BOTH = VolumeOptions(rock_ridge=True)
GAP = 11_400
few = settings(suppress_health_check=[HealthCheck.too_slow], max_examples=30)


def folder_of(**entries: bytes | Folder) -> Folder:
    return Folder(
        entries={
            name: MemoryFile(data=entry) if isinstance(entry, bytes) else entry
            for name, entry in entries.items()
        }
    )


class Pile:
    """A disc in the making: block 0 is LBA 0, between sessions there is nothing."""

    def __init__(self) -> None:
        self.data = b""
        self.starts: list[int] = []

    def add(self, tree: FileTree, options: VolumeOptions = BOTH, gap: int = GAP) -> int:
        previous = self.volume().tree() if self.starts else None
        volume = make_volume(tree, options=options, previous=previous)
        start = len(self.data) // BLOCK_BYTES + (gap if self.starts else 0)
        self.data += bytes(start * BLOCK_BYTES - len(self.data)) + bytes_of(volume.at(start))
        self.starts.append(start)
        return start

    def volume(self, session: int = -1) -> StoredVolume:
        blocks = ArraySource(self.data, block_size=BLOCK_BYTES)
        return StoredVolume(blocks, lba=self.starts[session])


def overlaid(lower: dict[str, object], upper: dict[str, object]) -> dict[str, object]:
    """What is seen of two sessions: what lies below a file that covers a folder is gone."""
    kept = {
        path: data
        for path, data in lower.items()
        if not any(
            path.startswith(above + "/") and data is not None for above, data in upper.items()
        )
        and not (data is not None and upper.get(path, 0) is None)
    }
    return {**kept, **upper}


ALIKE = st.sampled_from(["a", "b", "Ünï", "long name " * 5]) | names()


@few
@given(sessions=st.lists(trees(keys=ALIKE, with_links=False), min_size=2, max_size=4))
def test_every_session_shows_all_that_came_before(sessions: list[FileTree]) -> None:
    pile = Pile()
    want: dict[str, object] = {}
    seen = []
    for tree in sessions:
        pile.add(tree)
        want = overlaid(want, contents(tree))
        seen.append(want)
    for session, expected in enumerate(seen):
        found = pile.volume(session)
        for kind in ("rock-ridge", "joliet"):
            assert contents(found.tree(kind), found) == expected


@few
@given(tree=trees(keys=ALIKE, with_links=True), file=files())
def test_links_modes_and_dates_outlive_sessions(tree: FileTree, file: MemoryFile) -> None:
    options = VolumeOptions(joliet=False, rock_ridge=True)
    pile = Pile()
    pile.add(tree, options)
    before = dict(pile.volume().tree().walk())
    pile.add(FileTree(root=Folder(entries={"a file with a new name": file})), options)
    after = dict(pile.volume().tree().walk())
    del after["/a file with a new name"]
    for path, entry in before.items():
        now = after[path]
        if not isinstance(entry, Folder):
            assert now == entry  # at the same address, too
        else:
            assert isinstance(now, Folder)
            assert (now.mode, now.modified) == (entry.mode, entry.modified)


def test_nothing_of_an_earlier_session_is_written_again() -> None:
    pile = Pile()
    pile.add(FileTree(root=folder_of(big=bytes(1_000_000))))
    before = len(pile.data)
    start = pile.add(FileTree(root=folder_of(new=b"1")))
    assert len(pile.data) - start * BLOCK_BYTES < 100_000
    tree = pile.volume().tree()
    old, new = tree.get("/big"), tree.get("/new")
    assert isinstance(old, StoredFile)
    assert isinstance(new, StoredFile)
    assert old.lba < before // BLOCK_BYTES
    assert new.lba > start


@pytest.mark.parametrize("joliet", [True, False])
def test_a_session_without_rock_ridge_hands_on_the_names_it_has(joliet: bool) -> None:
    pile = Pile()
    tree = FileTree(root=folder_of(LONGNAME=b"1", D=folder_of(F=b"2")))
    pile.add(tree, VolumeOptions(joliet=joliet))
    assert pile.volume().kinds == (("joliet", "iso") if joliet else ("iso",))
    pile.add(FileTree(root=folder_of(D=folder_of(G=b"3"))))
    found = pile.volume()
    assert contents(found.tree(), found) == {
        "/D": None,
        "/D/F": b"2",
        "/D/G": b"3",
        "/LONGNAME": b"1",
    }


def test_udf_has_no_addresses_before_its_partition() -> None:
    pile = Pile()
    pile.add(FileTree(root=folder_of(a=b"1")))
    with pytest.raises(AuthoringError, match="leave UDF out") as caught:
        pile.add(FileTree(root=folder_of(b=b"1")), VolumeOptions(udf=True))
    assert caught.value.rule == "earlier-session"


def test_a_session_cannot_begin_before_what_it_refers_to() -> None:
    pile = Pile()
    pile.add(FileTree(root=folder_of(a=bytes(100_000))))
    volume = make_volume(FileTree(root=folder_of(b=b"1")), previous=pile.volume().tree())
    assert volume.sector_count  # how long it is can be asked before its place is known
    with pytest.raises(AuthoringError, match="earlier sessions lie up to LBA"):
        _ = volume.at(40).source


def test_a_new_boot_catalogue_takes_the_place_of_the_old() -> None:
    options = replace(BOTH, boot=(BootImage(path="/b"),))
    pile = Pile()
    pile.add(FileTree(root=folder_of(b=b"one" * 100)), options)
    start = pile.add(FileTree(root=folder_of(b=b"two" * 100)), options)
    found = pile.volume()
    catalog, image = (found.tree().get(path) for path in ("/boot.cat", "/b"))
    assert isinstance(catalog, StoredFile)
    assert isinstance(image, StoredFile)
    assert min(catalog.lba, image.lba) > start
    assert found.read_file(image) == b"two" * 100
    with pytest.raises(AuthoringError, match="is no file with bytes in this tree"):
        pile.add(FileTree(root=folder_of()), options)  # the old image is not ours to read


# -- on a disc ---------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [SectorType.MODE1, SectorType.MODE2FORM1])
def test_a_volume_is_read_from_a_disc(kind: SectorType) -> None:
    tree = FileTree(root=folder_of(a=b"1" * 5000, d=folder_of(b=b"2")))
    volume = make_volume(tree)
    creator = RawCDImageCreator()
    creator.add_track(bytes_of(volume) + bytes(300 * BLOCK_BYTES), sector_type=kind)
    blocks = DiscBlocks(creator.create_result_image())
    assert blocks.session_starts() == [0]
    found = StoredVolume(blocks, lba=0)
    assert contents(found.tree(), found) == contents(tree)


def test_a_disc_of_sound_has_no_volume() -> None:
    creator = RawCDImageCreator()
    creator.add_track(bytes(300 * 2352))
    blocks = DiscBlocks(creator.create_result_image())
    assert blocks.session_starts() == []
    with pytest.raises(FormatError, match="LBA 16: no sector of 2,048 bytes"):
        StoredVolume(blocks)


def test_a_link_is_a_link_in_every_session() -> None:
    pile = Pile()
    options = VolumeOptions(joliet=False, rock_ridge=True)
    pile.add(FileTree(root=Folder(entries={"l": Link(target="a/b", modified=9)})), options)
    pile.add(FileTree(root=Folder()), options)
    assert pile.volume().tree().get("/l") == Link(target="a/b", modified=9)
