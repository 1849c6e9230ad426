"""The house rule: imports run one way. Nothing is imported here, only read."""

from __future__ import annotations

import ast
import re
from importlib.util import find_spec
from pathlib import Path

import pytest

REPO = Path(__file__).parent.parent


def folder_of(package: str) -> Path:
    """Return where a package lies: in this checkout, or where its wheel was installed."""
    spec = find_spec(package)
    assert spec
    assert spec.origin
    return Path(spec.origin).parent


WINGS = {name: folder_of(name) for name in ("rawcd", "rawcd_formats", "rawcd_writers")}
MAY_IMPORT = {
    "rawcd": {"rawcd"},
    "rawcd_formats": {"rawcd", "rawcd_formats"},
    "rawcd_writers": {"rawcd", "rawcd_writers"},
}
ONE_DOOR = {
    "soundfile": WINGS["rawcd"] / "audio",
    "soxr": WINGS["rawcd"] / "audio",
    "pycdlib": WINGS["rawcd"] / "filesystem",
    "click": WINGS["rawcd"] / "cli",
    "rich": WINGS["rawcd"] / "cli",
    "pyscsi": WINGS["rawcd_writers"] / "drive",
    "iscsi": WINGS["rawcd_writers"] / "drive",
}
FILES = [(wing, path) for wing, folder in WINGS.items() for path in sorted(folder.rglob("*.py"))]
IDS = [path.relative_to(WINGS[wing].parent).as_posix() for wing, path in FILES]


def floors() -> dict[str, tuple[int, int]]:
    """Return floor and place of each kernel module, as the README lists them."""
    readme = (REPO / "README.md").read_text(encoding="utf-8")
    block = re.search(r"```text floors\n(.*?)```", readme, re.DOTALL)
    assert block, "the README has no list of floors"
    found: dict[str, tuple[int, int]] = {}
    for line in block.group(1).splitlines():
        if match := re.match(r"(\d)  ([a-z ]+?)(?:  .*)?$", line):
            for place, name in enumerate(match.group(2).split()):
                found[name] = (int(match.group(1)), place)
    return found


def imports(path: Path) -> set[str]:
    """Return the full names of the modules that a file imports, wherever it does."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: relative import"
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


@pytest.mark.parametrize(("wing", "path"), FILES, ids=IDS)
def test_imports_run_one_way(wing: str, path: Path) -> None:
    names = {name.partition(".")[0] for name in imports(path)}
    assert names & WINGS.keys() <= MAY_IMPORT[wing]
    assert not names & {"formats", "writers", "tests", "fixtures"}, "a folder is no package"
    for library, door in ONE_DOOR.items():
        assert library not in names or path.is_relative_to(door), library


ROOT = WINGS["rawcd"]
KERNEL = [
    path
    for wing, path in FILES
    if wing == "rawcd" and not (path.parent == ROOT and path.name.startswith("__"))
]


def module_of(path: Path) -> str:
    """Return the module of the floors' list that a file belongs to."""
    first = path.relative_to(ROOT).parts[0]
    return first.removesuffix(".py")


@pytest.mark.parametrize("path", KERNEL, ids=[path.relative_to(ROOT).as_posix() for path in KERNEL])
def test_a_module_imports_from_lower_floors_and_from_its_left(path: Path) -> None:
    place_of = floors()
    own = module_of(path)
    assert own in place_of, "the README's list of floors does not know it"
    floor, place = place_of[own]
    for name in imports(path):
        parts = name.split(".")
        if parts[0] != "rawcd" or len(parts) < 2 or parts[1] in (own, "__version__"):
            continue
        other_floor, other_place = place_of[parts[1]]
        assert (other_floor, other_place) < (floor, place), f"{own} imports {name}"


def test_the_list_of_floors_names_modules_that_exist() -> None:
    for name in floors():
        assert (ROOT / f"{name}.py").exists() or (ROOT / name).is_dir(), name


def test_no_room_is_called_by_what_it_is_not() -> None:
    assert not [path for _, path in FILES if path.stem in {"util", "utils", "common", "helpers"}]
