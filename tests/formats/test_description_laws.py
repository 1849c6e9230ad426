"""Laws of descriptions: any text is answered, every key has its line, the disc is the creator's.

The descriptions that are tried are written by a few lines here, and the same discs are made by
calls on the creator beside them: the two share nothing but the creator.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from rawcd import (
    CopySetting,
    FormatError,
    RawCDError,
    RawCDImageCreator,
    RegionImage,
    SectorType,
    SilenceSource,
    fileset,
)
from rawcd.cdtext import CDText, TextBlock, TextItem
from rawcd.filesystem import VolumeOptions
from rawcd.source import SECTOR_SAMPLES
from rawcd_formats.description import TomlFormat
from rawcd_formats.description.lines import parse
from rawcd_formats.description.schema import ROOT, TABLES, TableSchema
from rawcd_formats.description.tables import read
from tests.strategies import isrcs, mcns, texts

if TYPE_CHECKING:
    from collections.abc import Iterator

FIXTURES = Path(__file__).parent.parent.parent / "fixtures" / "description"

# -- any text --------------------------------------------------------------------------------------

WORDS = sorted(
    {field.key for table in TABLES for field in table.fields} | {"disc", "session", "track", "x"}
)
BITS = """
[ ] [[ ]] { } = . , # " ' \"\"\" \'\'\' true 0 300 -1 1e400 nan 00:02:00 "00:02:00" \\ \\u0000
"""
LINES = """
[[track]]|[disc]|[[session]]|[[session.track]]|[track.filesystem]|silence = 300|text.title = 'x'
"""
PIECES = st.sampled_from(
    [*WORDS, *BITS.split(), *(f"{line}\n" for line in LINES.strip().split("|"))]
) | st.sampled_from(["\n", " ", "2026-01-31T00:00:00Z", "\ud800", "\r", "\0", "0x" + "f" * 99])
DOCUMENTS = [path.read_text(encoding="utf-8") for path in sorted(FIXTURES.glob("*/disc.toml"))]


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """A description with a stretch of it replaced."""
    text = draw(st.sampled_from(DOCUMENTS))
    start = draw(st.integers(0, len(text)))
    end = draw(st.integers(start, min(len(text), start + 40)))
    return text[:start] + "".join(draw(st.lists(PIECES, max_size=4))) + text[end:]


ANY_TEXT = st.one_of(st.lists(PIECES, max_size=40).map("".join), mutated(), st.text(max_size=60))


@settings(max_examples=400)
@given(ANY_TEXT.map(lambda text: text.encode("utf-8", "surrogatepass")) | st.binary(max_size=40))
@example(b"a = " + b"[" * 5_000)
@example(b"a = " + b"{b=" * 3_000)
@example(b"a" + b".a" * 3_000 + b" = 1")
@example(b"a = " + b"9" * 5_000)
@example(b"[disc]\nmcn = 0x" + b"f" * 9_000)
@example(b"[disc]\nfirst-track = 0x" + b"f" * 9_000)
@example(b"[[track]]\nfilesystem.date = 0001-01-01T00:00:00+23:59\n")
@example(b"[[track]]\nfilesystem.date = 9999-12-31T23:59:59-23:59\nfolder='x'\n")
def test_any_text_is_read_or_refused_by_name(data: bytes) -> None:
    error = refusal_of(data)
    if error is not None:
        assert error.file == "x.toml"
        assert error.reason
        if error.place is not None:
            assert error.place.startswith("line ")
            assert 1 <= int(error.place[5:]) <= data.count(b"\n") + 1


def refusal_of(data: bytes) -> FormatError | None:
    try:
        read(data, "x.toml")
    except FormatError as error:
        return error
    return None


@settings(max_examples=150)
@given(ANY_TEXT)
def test_any_text_makes_a_disc_or_one_of_our_errors(text: str) -> None:
    files = fileset.InputFiles(
        FIXTURES / "game" / "disc.toml", text=text.encode(errors="replace").decode()
    )
    with suppress(RawCDError):
        assert isinstance(TomlFormat().load(files), RegionImage)


# -- lines -----------------------------------------------------------------------------------------

KEYS = st.sampled_from(["a", "b-c", "'d e'", '"f.\\u0067"', "1"])
STRINGS = [
    "'x # y'",
    '"""a\n\\"" b\n"""',
    "'''\n[x]\n'''''",
    '"\\"]"',
    "''",
    '""',
    '""""""',
    "''''''",
]
OTHERS = [
    "1",
    "-inf",
    "10:00:00.5",
    "2026-01-31 10:00:00",
    "{}",
    "[]",
    "[\n]",
    "{u = {v = 'x'}, w = '}'}",
    "[1, # no\n  [2,\n3], 'x', {q = 1, r.s = [\n{t = 2}]}, ]",
]
VALUES = st.sampled_from(STRINGS + OTHERS)
BETWEEN = st.sampled_from(["", "\n", "# [x]\n", "  \n\t# y = '''\n"])


@st.composite
def documents(draw: st.DrawFn) -> tuple[str, list[tuple[list[str], int]]]:
    """Statements, each on its own line, and the keys and line of those that are pairs."""
    text, told = "", []
    for number in range(draw(st.integers(0, 8))):
        text += draw(BETWEEN)
        kind = draw(st.sampled_from(["pair", "pair", "table", "array"]))
        keys = draw(st.lists(KEYS, max_size=2))
        if kind == "pair":
            told.append(([f"k{number}"], text.count("\n") + 1))
            indent = draw(st.sampled_from(["", "  ", "\t"]))
            text += f"{indent}k{number} = {draw(VALUES)} # z\n"
        else:
            opening, closing = ("[[", "]]") if kind == "array" else ("[", "]")
            name = " . ".join([*keys, f"t{draw(st.integers(0, 2))}"])
            text += f"{opening} {name}{closing}\n"
    return text, told


def paths(value: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    yield path
    if isinstance(value, dict):
        for key, item in value.items():
            yield from paths(item, (*path, key))
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from paths(item, (*path, place))


@settings(max_examples=400)
@given(documents())
def test_every_key_and_table_has_its_line(
    made: tuple[str, list[tuple[list[str], int]]],
) -> None:
    text, told = made
    try:
        values, lines = parse(text.encode(), "x")
    except FormatError:
        assume(False)  # a table is said twice
        raise
    assert set(paths(values)) == set(lines)
    for (key,), line in told:
        assert [lines[path] for path in lines if path[-1:] == (key,)] == [line]
    for path, line in lines.items():
        if path and isinstance(path[-1], str):
            last = path[-1][:1] if path[-1] != "f.g" else "f"
            assert last in text.split("\n")[line - 1]


def test_lines_of_arrays_in_arrays() -> None:
    text = "[[a]]\n[[a.b]]\n[a.b.c]\nd = 1\n[[a.b]]\n[[a]]\n[[a.b]]\nx.y = [\n1,\n2]\n"
    _, lines = parse(text.encode(), "x")
    assert lines["a", 0, "b", 0, "c", "d"] == 4
    assert lines["a", 0, "b", 1] == 5
    assert lines["a", 1] == 6
    assert lines["a", 1, "b", 0, "x"] == lines["a", 1, "b", 0, "x", "y"] == 8
    assert lines["a", 1, "b", 0, "x", "y", 1] == 10


def test_every_table_of_the_schema_is_documented_once() -> None:
    found: list[TableSchema] = []
    pending = [ROOT]
    while pending:
        table = pending.pop()
        found.extend(field.table for field in table.fields if field.table is not None)
        pending.extend(field.table for field in table.fields if field.table is not None)
    assert {table.header for table in found} == {table.header for table in TABLES}
    for table in TABLES:
        keys = [field.key for field in table.fields]
        assert len(keys) == len(set(keys))


# -- the same calls --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sources of every kind."""
    folder = tmp_path_factory.mktemp("pool")
    rng = np.random.default_rng(1)
    for name, samples in (("a", 400 * SECTOR_SAMPLES), ("b", 350 * SECTOR_SAMPLES + 77)):
        sound = rng.integers(-9_000, 9_000, (samples, 2)).astype("<i2")
        (folder / f"{name}.bin").write_bytes(sound.tobytes())
    (folder / "pregap.bin").write_bytes(rng.integers(0, 255, 2_352 * 160, np.uint8).tobytes())
    for size in (2_048, 2_324, 2_336):
        rows = rng.integers(0, 255, (310, size), np.uint8)
        (folder / f"{size}.dat").write_bytes(rows.tobytes())
    (folder / "data" / "inner").mkdir(parents=True)
    (folder / "data" / "hello.txt").write_bytes(b"hello")
    (folder / "data" / "inner" / "world.txt").write_bytes(b"world")
    return folder


@dataclass
class Made:
    """A track as it is described and as it is asked of the creator."""

    said: dict[str, str]
    kind: SectorType = SectorType.AUDIO
    source: str | int = 300
    options: dict[str, Any] = field(default_factory=dict)
    puts: dict[str, Any] = field(default_factory=dict)
    indexes: list[int] = field(default_factory=list)
    text: str | None = None


DATA = {
    "mode1": (SectorType.MODE1, 2_048),
    "mode2": (SectorType.MODE2FORM0, 2_336),
    "form1": (SectorType.MODE2FORM1, 2_048),
    "form2": (SectorType.MODE2FORM2, 2_324),
}


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


@st.composite
def audio_tracks(draw: st.DrawFn, *, first: bool) -> Made:
    made = Made(said={})
    source: str | int = draw(st.sampled_from(["a.bin", "b.bin"]) | st.sampled_from([300, 333]))
    made.source = source
    made.said["file" if isinstance(source, str) else "silence"] = (
        quoted(source) if isinstance(source, str) else str(source)
    )
    pregap = draw(st.sampled_from([None, 150, 200, "pregap.bin"] + [0, 75] * (not first)))
    if pregap is not None:
        made.options["pregap"] = pregap
        made.said["pregap"] = quoted(pregap) if isinstance(pregap, str) else str(pregap)
    made.indexes = draw(st.sampled_from([[], [20], [20, 151], [10, 20, 30]]))
    if made.indexes:
        made.said["indexes"] = str(made.indexes)
    if draw(st.booleans()):
        made.puts["isrc"] = draw(isrcs())
        made.said["isrc"] = quoted(made.puts["isrc"])
    if draw(st.booleans()):
        copy = draw(st.sampled_from(list(CopySetting)))
        made.puts["digital_audio_copy_setting"] = copy
        made.said["copy"] = quoted(copy.name.lower())
    for key, name in (
        ("pre-emphasis", "audio_has_preemphasis"),
        ("four-channel", "has_four_channels"),
    ):
        if draw(st.booleans()):
            made.puts[name] = draw(st.booleans())
            made.said[key] = str(made.puts[name]).lower()
    return made


@st.composite
def data_tracks(draw: st.DrawFn, words: tuple[str, ...]) -> Made:
    word = draw(st.sampled_from(words))
    kind, size = DATA[word]
    made = Made(said={"type": quoted(word)}, kind=kind)
    if word in ("mode1", "form1") and draw(st.booleans()):
        made.source = "data"
        made.said["folder"] = '"data"'
    else:
        made.source = f"{size}.dat"
        made.said["file"] = quoted(made.source)
        made.said["block-size"] = str(size)
        made.options["block_size"] = size
    for name, values in (("pregap", [None, 225, 300]), ("postgap", [None, 0, 10])):
        value = draw(st.sampled_from(values))
        if value is not None:
            made.options[name] = value
            made.said[name] = str(value)
    return made


@st.composite
def sessions(draw: st.DrawFn) -> list[list[Made]]:
    found = []
    for number in range(draw(st.integers(1, 3))):
        words = draw(st.sampled_from([("mode1",), ("mode2", "form1", "form2"), ("form1",)]))
        tracks = []
        for place in range(draw(st.integers(1, 3))):
            if draw(st.booleans()):
                made = draw(audio_tracks(first=not place))
            else:
                made = draw(data_tracks(words))
            if not number and draw(st.booleans()):
                made.text = draw(texts().filter(lambda text: text.isascii()))
                made.said["text.title"] = quoted(made.text)
            tracks.append(made)
        found.append(tracks)
    return found


@settings(max_examples=40)
@given(
    described=sessions(),
    mcn=st.none() | mcns(),
    gaps=st.booleans(),
    appendable=st.booleans(),
    style=st.sampled_from([None, "cdrdao", "cdrecord"]),
    at_top=st.booleans(),
)
def test_a_description_is_the_same_calls_on_the_creator(
    pool: Path,
    described: list[list[Made]],
    mcn: str | None,
    gaps: bool,
    appendable: bool,
    style: str | None,
    at_top: bool,
) -> None:
    image: RegionImage | None = None
    number = 0
    for tracks in described:
        creator = RawCDImageCreator(after=image, style=style)
        if image is None:
            creator.resulting_image_type = 3
            creator.media_catalog_number = mcn
        creator.disable_gapless_audio = gaps
        creator.appendable = appendable or tracks is not described[-1]
        items = []
        for made in tracks:
            number += 1
            options = dict(made.options)
            if isinstance(options.get("pregap"), str):
                options["pregap"] = pool / options["pregap"]
            if made.source == "data":
                handle = creator.add_folder(
                    pool / "data",
                    made.kind,
                    options=VolumeOptions(volume_id="V", date=86_400),
                    **options,
                )
            else:
                source: Any = made.source
                source = (
                    pool / source if isinstance(source, str) else SilenceSource(block_count=source)
                )
                handle = creator.add_track(source, made.kind, **options)
            info = creator.track_info(handle)
            for name, value in made.puts.items():
                setattr(info, name, value)
            for offset in made.indexes:
                info.add_track_index(offset)
            if made.text is not None:
                items.append(TextItem(field="title", track=number, text=made.text))
        if items:
            creator.cdtext = CDText(blocks=(TextBlock(items=tuple(items)),))
        image = creator.create_result_image()
    assert image is not None

    lines = ["[disc]", f"gaps = {str(gaps).lower()}", f"appendable = {str(appendable).lower()}"]
    lines += [f'mcn = "{mcn}"'] * (mcn is not None) + [f'style = "{style}"'] * (style is not None)
    top = at_top and len(described) == 1
    for tracks in described:
        lines += [] if top else ["[[session]]"]
        for made in tracks:
            lines.append("[[track]]" if top else "[[session.track]]")
            lines += [f"{key} = {value}" for key, value in made.said.items()]
            if made.source == "data":
                lines.append('filesystem = {volume = "V", date = 1970-01-02T00:00:00Z}')
    files = fileset.InputFiles(pool / "disc.toml", text="\n".join(lines))
    same = TomlFormat().load(files)

    assert same.disc == image.disc
    assert (same.kind, same.style, same.sector_count) == (
        image.kind,
        image.style,
        image.sector_count,
    )
    assert sorted(map(str, same.notes)) == sorted(map(str, image.notes))
    for border in image.disc.borders():
        lba = min(max(border - 2, image.first_lba), image.disc.end_lba - 30)
        assert same.read(lba, 30) == image.read(lba, 30)
