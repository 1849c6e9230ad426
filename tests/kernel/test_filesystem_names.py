"""What a tree cannot hold is refused, all of it at once, or changed with a note each."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rawcd.errors import AuthoringError
from rawcd.filesystem import (
    FileTree,
    Folder,
    Link,
    MemoryFile,
    StoredFile,
    VolumeOptions,
    make_volume,
)
from tests.volumes import Volume119, bytes_of, contents, stored, trees

ALONE = [VolumeOptions(level=level, joliet=False) for level in (1, 2, 3, 4)]


def tree_of(*names: str, folders: tuple[str, ...] = ()) -> FileTree:
    entries = {name: MemoryFile(data=name.encode("utf-8", "replace")) for name in names}
    return FileTree(root=Folder(entries={**entries, **{name: Folder() for name in folders}}))


any_name = st.text(st.characters(exclude_characters="/\0"), min_size=1, max_size=300).filter(
    lambda name: name not in (".", "..")
)
odd_trees = trees(
    keys=any_name | st.text("aA.", min_size=1, max_size=3).filter(lambda n: n.strip("."))
)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(
    tree=odd_trees,
    options=st.builds(
        VolumeOptions,
        level=st.sampled_from([1, 2, 3, 4]),
        joliet=st.booleans(),
        udf=st.booleans(),
        relax=st.just(True),
    ),
)
def test_relaxed_any_tree_finds_room_for_every_file(tree: FileTree, options: VolumeOptions) -> None:
    try:
        volume = make_volume(tree, options=options)
    except AuthoringError as error:
        assert error.rule == "folder-depth"  # noqa: PT017 - nothing else may be wrong
        return
    if not options.udf:
        Volume119(bytes_of(volume), 0).check()
    found = stored(volume)
    for kind in found.kinds:
        have = contents(found.tree(kind), found)
        assert sorted(map(repr, have.values())) == sorted(map(repr, contents(tree).values()))


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(tree=odd_trees, options=st.sampled_from(ALONE))
def test_what_iso_9660_takes_alone_it_gives_back(tree: FileTree, options: VolumeOptions) -> None:
    try:
        volume = make_volume(tree, options=options)
    except AuthoringError as error:
        assert error.rule in ("file-name", "folder-depth", "file-system")  # noqa: PT017
        return
    found = stored(volume)
    want = contents(tree)
    if options.level < 4:
        want = {path.upper(): data for path, data in want.items()}
    assert contents(found.tree(), found) == want


@pytest.mark.parametrize(
    ("level", "good", "bad"),
    [
        (1, "readme.txt A.B 12345678.123 x", "ninechars tenletters.txt a.text two.dots.txt a-b é"),
        (
            2,
            f"{'x' * 30} {'x' * 20}.{'y' * 9} a_b",
            f"{'x' * 31} {'x' * 21}.{'y' * 10} a+b a\u00e9",
        ),
        (4, f"{'x' * 200} a+b.C two.dots.txt LoWeR", f"{'x' * 201} \u00e9 a;1 end."),
    ],
)
def test_levels(level: int, good: str, bad: str) -> None:
    options = VolumeOptions(level=level, joliet=False)
    found = stored(make_volume(tree_of(*good.split()), options=options))
    want = {f"/{name if level == 4 else name.upper()}" for name in good.split()}
    assert {path for path, _ in found.tree().walk()} == want
    with pytest.raises(AuthoringError) as caught:
        make_volume(tree_of(*bad.split(), *good.split()), options=options)
    lines = str(caught.value).splitlines()
    assert caught.value.rule == "file-name"
    assert len(lines) == 1 + len(bad.split())
    assert {line.strip().partition(":")[0] for line in lines[1:]} == {f"/{n}" for n in bad.split()}


def test_letters_of_another_case_are_the_same_name_to_iso_9660() -> None:
    options = VolumeOptions(joliet=False)
    with pytest.raises(AuthoringError, match=r"/readme: .* knows no case, and the name is taken"):
        make_volume(tree_of("README", "readme"), options=options)
    relaxed = make_volume(
        tree_of("README", "readme"), options=VolumeOptions(joliet=False, relax=True)
    )
    assert [str(note) for note in relaxed.notes] == ["/readme: ISO 9660 level 3 calls it 'README1'"]


def test_joliet_says_what_it_cannot_hold() -> None:
    bad = ["a:b", "c*", "d?", "e\\f", "g;h", "i" * 65, "j\x01", "\U0001f600", "end."]
    with pytest.raises(AuthoringError) as caught:
        make_volume(tree_of(*bad, "good", "名" * 64))
    text = str(caught.value)
    assert text.startswith(f"{len(bad)} entries cannot be put on the volume:")
    for name in bad:
        assert f"/{name}: Joliet cannot hold the name" in text
    volume = make_volume(tree_of(*bad, "good", "名" * 64), options=VolumeOptions(relax=True))
    assert {note.file for note in volume.notes} == {f"/{name}" for name in bad}
    found = {path for path, _ in stored(volume).tree().walk()}
    assert found >= {"/a_b", "/c_", "/" + "i" * 64, "/_", "/good", "/" + "名" * 64, "/end_"}


def test_names_that_are_no_unicode_are_refused_in_a_message_that_can_be_printed() -> None:
    options = VolumeOptions(joliet=False, rock_ridge=True)
    with pytest.raises(AuthoringError) as caught:
        make_volume(tree_of("caf\udce9"), options=options)
    assert "/caf\\udce9: Rock Ridge cannot hold" in str(caught.value)
    str(caught.value).encode()


def test_everything_wrong_is_said_at_once() -> None:
    deep = Folder(entries={"f": MemoryFile(data=b"")})
    for level in range(9):
        deep = Folder(entries={f"{level}": deep})
    huge = StoredFile(lba=0, size=5_000_000_000)
    tree = FileTree(
        root=Folder(
            entries={"a:b": MemoryFile(data=b""), "d": deep, "h": huge, "l": Link(target="x")}
        )
    )
    with pytest.raises(AuthoringError) as caught:
        make_volume(tree)
    text = str(caught.value)
    assert caught.value.rule == "file-system"
    assert "/a:b: Joliet cannot hold" in text
    assert "/l: is a link" in text
    assert "/h: has 5000000000 bytes" in text
    assert "/d/8/7/6/5/4/3/2: lies deeper than 8 levels" in text


def test_links_are_left_out_of_joliet_with_a_note() -> None:
    tree = FileTree(root=Folder(entries={"l": Link(target="x"), "f": MemoryFile(data=b"")}))
    volume = make_volume(tree, options=VolumeOptions(rock_ridge=True))
    assert [note.code for note in volume.notes] == ["links-left-out"]
    assert [path for path, _ in stored(volume).tree("joliet").walk()] == ["/f"]
    assert stored(volume).tree("rock-ridge").get("/l") == Link(target="x")


def test_ten_thousand_alike_are_named_in_no_time() -> None:
    names = [f"the same beginning {number}.text" for number in range(10_000)]
    volume = make_volume(tree_of(*names), options=VolumeOptions(level=1))
    plain = [path for path, _ in stored(volume).tree("iso").walk()]
    assert len(set(plain)) == 10_000
    assert all(len(path) <= 1 + 8 + 1 + 3 for path in plain)
