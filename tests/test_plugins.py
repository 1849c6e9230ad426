"""The sockets: a stranger's package, found and loaded late, and what happens when it is broken."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

import rawcd
from rawcd.errors import FormatError, PluginError, UnsupportedError
from rawcd.plugins import FORMATS, RECORDERS, WRITERS, format_for, load_format, load_writer, plugins

if TYPE_CHECKING:
    from pathlib import Path

STRANGER = '''
"""A format that writes how many sectors there are, and reads nothing but a promise."""

from rawcd.features import Feature
from rawcd.errors import UnsupportedError


class CountFormat:
    name = "count"
    suffixes = (".count",)
    keeps = frozenset(Feature)
    one_file = True

    def accepts(self, name, head):
        return 100 if head.startswith(b"COUNT") else 0

    def load(self, files):
        raise UnsupportedError(f"{files.name}: a count is no disc")

    def save(self, image, files, options, progress):
        out = files.create(files.name)
        out.write(f"COUNT {image.sector_count} {sorted(options.items())}".encode())


class ListWriter:
    """Collects what was written in a list."""

    name = "list"

    def write(self, image, target, *, format, options, progress, replace):
        from rawcd.plugins import WriteResult

        class Files:
            name = "memory.count"

            def create(self, name):
                return self

            def allocate(self, size):
                pass

            def write(self, data):
                target.append(bytes(data))

        format.save(image, Files(), options, progress)
        return WriteResult(files=())


raise_at_import = None
'''


@pytest.fixture
def stranger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package as pip would leave it: a module, and metadata with entry points."""
    folder = tmp_path / "site"
    info = folder / "rawcd_count-2.0.dist-info"
    info.mkdir(parents=True)
    (folder / "rawcd_count.py").write_text(STRANGER, encoding="utf-8")
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: rawcd-count\nVersion: 2.0\n")
    (info / "entry_points.txt").write_text(
        "[rawcd.formats]\ncount = rawcd_count:CountFormat\nbroken = rawcd_count:NoSuchThing\n"
        "[rawcd.writers]\nlist = rawcd_count:ListWriter\n"
    )
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.delitem(sys.modules, "rawcd_count", raising=False)
    return folder


@pytest.fixture
def image() -> Any:
    creator = rawcd.RawCDImageCreator()
    creator.add_track(rawcd.SilenceSource(block_count=300))
    return creator.create_result_image()


def test_built_in_plug_ins_come_in_by_the_same_door() -> None:
    assert {plugin.name for plugin in plugins(FORMATS)} >= {"cue", "raw"}
    assert {plugin.name for plugin in plugins(WRITERS)} >= {"files", "stream"}
    assert {plugin.name for plugin in plugins(RECORDERS)} >= {"scsi", "virtual"}
    for plugin in plugins():
        assert plugin.package.startswith("rawcd ")
        if plugin.group != RECORDERS:
            loaded: Any = (load_format if plugin.group == FORMATS else load_writer)(plugin.name)
            assert loaded.name == plugin.name


def test_a_stranger_is_listed_before_it_is_loaded(stranger: Path) -> None:
    found = {plugin.name: plugin for plugin in plugins()}
    assert found["count"].package == "rawcd-count 2.0"
    assert "rawcd_count" not in sys.modules


def test_a_stranger_s_format_saves(stranger: Path, image: Any, tmp_path: Path) -> None:
    target = tmp_path / "disc.count"
    result = rawcd.save_image(image, target, options={"a": "b"})
    assert result.files == (target,)
    assert target.read_bytes() == b"COUNT 29700 [('a', 'b')]"
    stream = io.BytesIO()
    rawcd.save_image(image, stream, format="count")
    assert stream.getvalue() == b"COUNT 29700 []"
    with pytest.raises(UnsupportedError, match="a count is no disc"):
        rawcd.open_image(target)


def test_a_stranger_s_writer_writes(stranger: Path, image: Any) -> None:
    got: list[bytes] = []
    rawcd.save_image(image, got, format="count", writer="list")  # type: ignore[arg-type]  # its own target
    assert got == [b"COUNT 29700 []"]


def test_a_broken_plug_in_is_named_and_keeps_nobody_from_a_file(
    stranger: Path, image: Any, tmp_path: Path
) -> None:
    with pytest.raises(
        PluginError, match=r"'broken' of rawcd\.formats .* cannot be loaded"
    ) as raised:
        load_format("broken")
    assert (raised.value.name, raised.value.group) == ("broken", FORMATS)
    rawcd.save_image(image, tmp_path / "disc.raw")
    assert rawcd.open_image(tmp_path / "disc.raw").disc == image.disc


@pytest.mark.parametrize(("suffix", "alone"), [("raw", True), ("count", False), ("broken", False)])
def test_a_proven_namesake_of_the_suffix_is_the_only_one_loaded(
    suffix: str, alone: bool, stranger: Path, image: Any, tmp_path: Path
) -> None:
    path = tmp_path / f"disc.{suffix}"  # of the same content, whatever the name promises
    with path.open("wb") as stream:
        rawcd.save_image(image, stream, format="raw")
    probe = (
        "import rawcd, sys; print(rawcd.open_image(sys.argv[1]).sector_count);"
        "print({'rawcd_count', 'rawcd_formats.cue'} & {*sys.modules} or 'alone')"
    )
    result = subprocess.run(
        [sys.executable, "-c", probe, str(path)],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(stranger)},
        timeout=60,
    )
    count, others = result.stdout.splitlines()
    assert count == "29700"
    assert (others == "alone") == alone


def test_unknown_names_say_what_there_is(image: Any, tmp_path: Path) -> None:
    with pytest.raises(PluginError, match=r"called 'nero'; there are .*cue.*raw"):
        load_format("nero")
    with pytest.raises(PluginError, match=r"called 'pigeon'; there are .*files"):
        load_writer("pigeon")
    with pytest.raises(PluginError, match=r"no format has the suffix '\.xyz'"):
        format_for("disc.xyz")
    with pytest.raises(ValueError, match="name the format"):
        rawcd.save_image(image, io.BytesIO())


def test_a_file_that_nobody_knows(tmp_path: Path) -> None:
    (tmp_path / "a.xyz").write_bytes(bytes(100_000))
    with pytest.raises(FormatError, match="no format recognises it"):
        rawcd.open_image(tmp_path / "a.xyz")


def test_a_stream_holds_one_file(image: Any) -> None:
    stream = io.BytesIO()
    with pytest.raises(UnsupportedError, match="does not fit into a stream"):
        rawcd.save_image(image, stream, format="cue")
    assert stream.getvalue() == b""


def test_progress_counts_and_may_stop(image: Any, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    rawcd.save_image(image, tmp_path / "a.raw", progress=lambda *step: told.append(step))
    assert told[0] == (0, 29700)
    assert told[-1] == (29700, 29700)
    assert told == sorted(told)
    with pytest.raises(rawcd.CancelledError, match="stopped by the caller"):
        rawcd.save_image(image, tmp_path / "b.raw", progress=lambda done, total: done < 9000)
    with pytest.raises(ZeroDivisionError):
        rawcd.save_image(image, tmp_path / "c.raw", progress=lambda done, total: bool(1 // 0))
    assert {path.name for path in tmp_path.iterdir()} == {"a.raw"}


def test_the_command_lists_a_stranger(stranger: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "rawcd", "plugins"],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(stranger)},
        timeout=60,
    )
    assert re.search(r"^rawcd\.formats +count ", result.stdout, re.MULTILINE)
    assert "rawcd-count 2.0" in result.stdout
