"""What holds for every command: help with examples, JSON by its schema, statuses, colours.

A new command is met here by itself; one with `--json` needs a schema in `schemas` and a line in
`JSON_RUNS`.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import jsonschema
import pytest
from click.shell_completion import ShellComplete

from rawcd.cli import main
from rawcd.cli import rawcd as root
from rawcd.cli.status import MEANINGS

REPO = Path(__file__).parent.parent.parent
DEMO = REPO / "fixtures" / "demo" / "demo.cue"
SCHEMAS = Path(__file__).parent / "schemas"
BLANK = "virtual:rehearsal.raw?medium=cdr-short"
COMMANDS = sorted(root.commands)
WITH_JSON = [
    name
    for name in COMMANDS
    if any("--json" in parameter.opts for parameter in root.commands[name].params)
]


def run(
    *args: str | Path, cwd: Path, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "rawcd", *map(str, args)],
        cwd=cwd,
        env=None if env is None else {**os.environ, **env},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo disc as a raw image and as a cue sheet with another catalogue number."""
    place = tmp_path_factory.mktemp("discs")
    for out in ("demo.raw", "other.cue"):
        assert run("build", DEMO, "-o", out, cwd=place).returncode == 0
    sheet = place / "other.cue"
    sheet.write_text(
        re.sub("CATALOG .*", "CATALOG 4006381333931", sheet.read_text(encoding="utf-8")),
        encoding="utf-8",
    )
    (place / "data.iso").write_bytes(bytes(2048 * 400))
    (place / "short.bin").write_bytes(bytes(2352 * 300))
    (place / "short.cue").write_text(
        'FILE "short.bin" BINARY\nTRACK 01 AUDIO\nINDEX 01 00:00:00\n', encoding="ascii"
    )
    burned = run("burn", "short.cue", "--drive", BLANK.replace("rehearsal", "burned"), cwd=place)
    assert burned.returncode == 0, burned.stderr
    return place


# -- help --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_examples_that_parse(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = root.commands[name]
    context = click.Context(command, info_name=name, parent=click.Context(root, info_name="rawcd"))
    said = command.get_help(context)
    assert command.short_help
    examples = [
        re.split(r" [|>#]", line)[0].strip()
        for line in said.splitlines()
        if line.strip().startswith("rawcd ")
    ]
    assert "Example" in said
    assert examples
    monkeypatch.chdir(tmp_path)
    for example in examples:
        program, called, *arguments = shlex.split(example)
        for folder in arguments:
            if folder.endswith("/"):
                Path(folder).mkdir(exist_ok=True)
        assert (program, called) == ("rawcd", name), example
        command.make_context(name, arguments, resilient_parsing=False)  # a usage error raises


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_explained(name: str) -> None:
    for parameter in root.commands[name].params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"{name} {parameter.opts}"


def test_the_statuses_are_told_in_help_and_readme(tmp_path: Path) -> None:
    said = " ".join(run("--help", cwd=tmp_path).stdout.split())
    readme = " ".join((REPO / "README.md").read_text(encoding="utf-8").split())
    for text in (said, readme):
        told = re.search(r"Exit status: .*?SIGTERM", text)
        assert told is not None
        assert {int(number) for number in re.findall(r"\b\d+\b", told[0])} == set(MEANINGS)


# -- JSON --------------------------------------------------------------------------------------

JSON_RUNS: dict[str, list[tuple[list[str | Path], int]]] = {
    "build": [([DEMO, "-o", "new.cue"], 0)],
    "plugins": [([], 0)],
    "info": [([DEMO], 0), (["demo.raw"], 0), (["data.iso"], 0)],
    "convert": [(["demo.raw", "copy.ccd"], 0), (["demo.raw", "copy.chd"], 1)],
    "drives": [(["virtual:new.raw"], 0), (["virtual:rw.raw?medium=cdrw-short"], 0), ([], 0)],
    "id": [([DEMO], 0), (["demo.raw", "--toc-only"], 0), (["data.iso"], 0)],
    "extract": [([DEMO, "-o", "flac"], 0), (["data.iso", "-o", "iso"], 0)],
    "burn": [
        (["short.cue", "--drive", BLANK, "--simulate"], 0),
        (["short.cue", "--drive", BLANK, "--verify"], 0),
    ],
    "read": [(["virtual:burned.raw", "copy.cue"], 0)],
    "verify": [(["demo.raw"], 0)],
    "diff": [([DEMO, "demo.raw"], 0), (["other.cue", "demo.raw"], 3), (["data.iso", DEMO], 3)],
}
"""Commands, their arguments, and how they end."""


def validated(name: str, text: str) -> dict[str, Any]:
    schema = json.loads((SCHEMAS / f"{name}.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    about: dict[str, Any] = json.loads(text)
    jsonschema.validate(about, schema)
    return about


@pytest.mark.parametrize("name", WITH_JSON)
def test_json_keeps_to_its_schema(
    folder: Path, name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert JSON_RUNS[name], "no run shows what it prints"
    monkeypatch.chdir(folder)
    for arguments, status in JSON_RUNS[name]:
        ended = main([name, *map(str, arguments), "--json"])
        said, complaint = capsys.readouterr()
        assert ended == status, complaint
        assert validated(name, said)[f"rawcd_{name}"] == 1


def test_there_is_a_schema_and_a_run_for_every_json() -> None:
    schemas = {path.stem for path in SCHEMAS.glob("*.json")}
    assert set(WITH_JSON) <= schemas
    assert schemas == set(JSON_RUNS)


@pytest.mark.parametrize("name", ["build", "info", "id", "extract", "diff", "convert"])
def test_an_error_is_a_line_on_stderr_with_json_too(
    folder: Path, name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    more = {"build": ["-o", "x.cue"], "extract": ["-o", "x"], "diff": ["demo.raw"]}
    monkeypatch.chdir(folder)
    assert main([name, "nothing.raw", *more.get(name, ["x.cue"] * (name == "convert")), "--json"])
    said, complaint = capsys.readouterr()
    assert said == ""
    assert re.fullmatch(r"rawcd: nothing\.raw: .*\n", complaint)


# -- the manual --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    done = run("man", cwd=tmp_path_factory.mktemp("man"))
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_the_manual_names_every_command_option_and_status(page: str) -> None:
    plain = page.replace("\\-", "-")
    for name in COMMANDS:
        assert f".SS rawcd {name} " in plain
        part = plain.partition(f".SS rawcd {name} ")[2].partition(".SS")[0]
        for parameter in root.commands[name].params:
            if isinstance(parameter, click.Option):
                assert all(option in part for option in parameter.opts)
    for status in MEANINGS:
        assert f".B {status}\n" in page


@pytest.mark.skipif(shutil.which("groff") is None, reason="groff is not installed")
def test_groff_has_nothing_to_say_against_it(page: str) -> None:
    done = subprocess.run(
        ["groff", "-man", "-Tascii", "-ww", "-Z"],
        input=page,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stderr == ""
    shown = subprocess.run(
        ["groff", "-man", "-Tascii", "-P-c", "-P-b", "-P-u"],
        input=page,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert "rawcd diff album.cue album.raw" in shown.stdout
    assert "\\" not in shown.stdout


# -- completion --------------------------------------------------------------------------------


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_is_told_whom_to_ask(tmp_path: Path, shell: str) -> None:
    done = run("completion", shell, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"_RAWCD_COMPLETE={shell}_complete" in done.stdout


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["rawcd", "ext"], {"extract"}),
        (["rawcd", "diff", "--ig"], {"--ignore"}),
        (["rawcd", "convert", "--to", "c"], {"ccd", "cdt", "chd", "clone", "cue"}),
        (["rawcd", "extract", "--pregaps", "a"], {"apart"}),
    ],
    ids=lambda words: words[-1] if isinstance(words, list) else "",
)
def test_bash_completes(tmp_path: Path, words: list[str], offered: set[str]) -> None:
    program = tmp_path / "bin" / "rawcd"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m rawcd "$@"\n')
    program.chmod(0o755)
    script = (
        "source <(rawcd completion bash)\n"
        f"COMP_WORDS=({shlex.join(words)}) COMP_CWORD={len(words) - 1}\n"
        f"_rawcd_completion rawcd {shlex.quote(words[-1])} {shlex.quote(words[-2])}\n"
        'printf "%s\\n" "${COMPREPLY[@]}"; complete -p rawcd'
    )
    done = subprocess.run(
        ["bash", "--norc", "-c", script],
        cwd=tmp_path,
        env={**os.environ, "PATH": f"{program.parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    lines = done.stdout.split()
    assert "complete" in lines, done.stderr
    assert offered <= set(lines)


@pytest.mark.parametrize(
    "words",
    [
        "info",
        "diff a.raw",
        "build -o",
        "convert",
        "verify --repair",
        "report -o",
        "map a.raw -o",
        "extract a.raw -o",
    ],
)
def test_files_are_offered_where_one_is_named(words: str) -> None:
    shell = ShellComplete(root, {}, "rawcd", "_RAWCD_COMPLETE")
    assert [each.type for each in shell.get_completions(words.split(), "al")] == ["file"]


# -- colours -----------------------------------------------------------------------------------

COLOURED = re.compile(rb"\x1b\[(?:[0-9;]*;)?(?:3[0-8]|4[0-8]|9[0-7]|10[0-7])(?:;[0-9;]*)?m")


def seen_on_a_terminal(arguments: list[str], cwd: Path, env: dict[str, str]) -> bytes:
    """Run a command with stdout and stderr on a terminal of its own."""
    import pty

    ours, theirs = pty.openpty()
    held = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "CI")}
    process = subprocess.Popen(
        [sys.executable, "-m", "rawcd", *arguments],
        cwd=cwd,
        stdout=theirs,
        stderr=theirs,
        env={**held, "TERM": "xterm-256color", "COLUMNS": "100", **env},
    )
    os.close(theirs)
    seen = b""
    try:
        while block := os.read(ours, 4096):
            seen += block
    except OSError:  # the last writer has closed the terminal
        pass
    os.close(ours)
    assert process.wait(60) in (0, 1, 2, 3)
    return seen


@pytest.fixture(scope="module")
def long_sheet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("long")
    with (place / "long.bin").open("wb") as file:  # holes: a bar is shown for a while
        file.truncate(2352 * 60_000)
    (place / "long.cue").write_text('FILE "long.bin" BINARY\nTRACK 01 AUDIO\nINDEX 01 00:00:00\n')
    return place


TALKATIVE = [["id", "long.cue"], ["diff", "long.cue", "long.cue"], ["nonsense"]]


@pytest.mark.skipif(os.name != "posix", reason="a terminal is made with pty")
def test_colours_are_for_terminals_and_never_with_no_color(long_sheet: Path) -> None:
    plain = {"NO_COLOR": "1"}
    for arguments in TALKATIVE:
        seen = seen_on_a_terminal(arguments, long_sheet, plain)
        assert seen.strip()
        assert not COLOURED.search(seen), arguments
    done = run(*TALKATIVE[0], cwd=long_sheet)
    assert "\x1b" not in done.stdout + done.stderr
    # The bar has colours where it may: the search above would find them.
    assert COLOURED.search(seen_on_a_terminal(TALKATIVE[0], long_sheet, {}))


@pytest.mark.skipif(os.name != "posix", reason="a terminal is made with pty")
def test_json_on_a_terminal_is_json_alone(long_sheet: Path) -> None:
    seen = seen_on_a_terminal(["id", "long.cue", "--json"], long_sheet, {})
    assert b"\x1b" not in seen
    validated("id", seen.decode("utf-8"))
