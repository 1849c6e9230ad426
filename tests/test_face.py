"""The public names: each loads, each is where the type checkers see it, and none is heavy."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import rawcd

FACE = Path(rawcd.__file__)
HEAVY = ("numpy", "construct", "rich", "soundfile", "soxr", "click")


@pytest.mark.parametrize("name", rawcd.__all__)
def test_every_public_name_loads_and_tells_what_it_is(name: str) -> None:
    value = getattr(rawcd, name)
    assert name.startswith("__") or (value.__doc__ or "").strip()


def test_the_list_of_names_is_sorted_and_complete() -> None:
    assert rawcd.__all__ == sorted(set(rawcd.__all__))
    assert set(rawcd.__all__) <= set(dir(rawcd))


def test_type_checkers_see_just_the_names_that_load() -> None:
    seen: dict[str, str] = {}
    for node in ast.walk(ast.parse(FACE.read_text(encoding="utf-8"))):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name):
            for each in node.body:
                assert isinstance(each, ast.ImportFrom)
                seen.update({alias.name: str(each.module) for alias in each.names})
    assert set(seen) == set(rawcd.__all__) - {"__version__"}
    for name, home in seen.items():
        if home != "rawcd":
            assert getattr(rawcd, name) is getattr(sys.modules[home], name)


def test_a_name_that_is_not_there_says_so() -> None:
    with pytest.raises(AttributeError, match="no attribute 'burn_toast'"):
        rawcd.burn_toast  # noqa: B018


def modules_after(code: str) -> set[str]:
    """Return which heavy modules a fresh interpreter has loaded after running code."""
    probe = f"{code}\nimport sys; print(*[m for m in {HEAVY!r} if m in sys.modules])"
    result = subprocess.run(
        [sys.executable, "-c", probe], capture_output=True, text=True, check=True, timeout=60
    )
    return set(result.stdout.splitlines()[-1].split())


def test_importing_the_package_imports_nothing_heavy() -> None:
    assert modules_after("import rawcd") == set()


@pytest.mark.parametrize(
    "name", ["Disc", "Track", "Source", "FileSource", "CDText", "Msf", "Style", "SectorType"]
)
def test_describing_a_disc_needs_no_numpy(name: str) -> None:
    assert modules_after(f"import rawcd; rawcd.{name}") == set()


@pytest.mark.parametrize(
    "argv",
    [
        ["--version"],
        ["--help"],
        ["build", "--help"],
        ["info"],
        ["build", "--nonsense"],
        ["plugins"],
        ["id", "--nonsense"],
        ["extract", "--help"],
        ["diff", "one"],
        ["man"],
        ["completion", "bash"],
    ],
    ids=" ".join,
)
def test_light_commands_import_nothing_heavy(argv: list[str]) -> None:
    found = modules_after(f"from rawcd.cli import main; main({argv!r})")
    assert found == {"click"}


def test_completion_imports_nothing_heavy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_RAWCD_COMPLETE", "bash_source")
    code = "from rawcd.cli import main\ntry:\n    main([])\nexcept SystemExit:\n    pass"
    assert modules_after(code) == {"click"}


def test_opening_a_sheet_over_a_bin_needs_no_numpy(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(bytes(2352 * 300))
    (tmp_path / "a.cue").write_text(
        'FILE "a.bin" BINARY\nTRACK 01 AUDIO\nINDEX 01 00:00:00\n', encoding="ascii"
    )
    found = modules_after(f"import rawcd; rawcd.open_image({str(tmp_path / 'a.cue')!r})")
    assert "numpy" not in found
