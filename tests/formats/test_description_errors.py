"""What is wrong with a description is told with its line, the rule and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from rawcd import AuthoringError, FormatError, StorageError, UnsupportedError, fileset
from rawcd.source import SECTOR_SAMPLES
from rawcd_formats.description import TomlFormat

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Sound, samples, data, a folder, CD+G."""
    (tmp_path / "a.bin").write_bytes(bytes(4 * SECTOR_SAMPLES * 400))
    (tmp_path / "short.bin").write_bytes(bytes(4 * SECTOR_SAMPLES * 100))
    (tmp_path / "data.iso").write_bytes(bytes(2_048 * 300))
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "hello.txt").write_bytes(b"hello")
    (tmp_path / "a.cdg").write_bytes(bytes(24 * 4))
    (tmp_path / "bad.cdg").write_bytes(bytes(25))
    (tmp_path / "rw.sub").write_bytes(bytes(96 * 10))
    (tmp_path / "whole.sub").write_bytes(bytes(96 * (22_650 + 300 + 6_750)))
    return tmp_path


def load(folder: Path, text: str) -> object:
    path = folder / "disc.toml"
    path.write_text(text, encoding="utf-8")
    return TomlFormat().load(fileset.InputFiles(path))


ONE = '[[track]]\nfile = "a.bin"\n'

WRONG = [
    # text, line, what is said
    ("", 1, r"describes no track; write \[\[track\]\]"),
    ("[disc]\n\n[[session]]\n", 3, "the session has no track"),
    (ONE + "[[session]]\n[[session.track]]\nsilence = 300\n", 1, r"write \[\[session.track\]\]"),
    ("[[tracks]]\n", 1, "the file has no \"tracks\"; did you mean 'track'"),
    (ONE + "pre_emphasis = true\n", 3, "did you mean 'pre-emphasis'"),
    (ONE + "xyzzy = 1\n", 3, 'has no "xyzzy"; there are file, folder, silence'),
    ("[disc]\n\nmnc = 3\n" + ONE, 3, "did you mean 'mcn'"),
    ("[disc]\nmcn = 4006381333931\n" + ONE, 2, "mcn is a text in quotes, not 4006381333931"),
    ("[disc]\ngaps = 1\n" + ONE, 2, "gaps is true or false, not 1"),
    ("[disc]\nfirst-track = 0\n" + ONE, 2, "first-track is a number from 1 to 99, not 0"),
    ('[disc]\ntype = "pw"\n' + ONE, 2, 'is one of "pq", "cooked", "raw", not "pw"'),
    ('[disc]\nlead-out-limit = "80:00"\n' + ONE, 2, "is no time; write it as mm:ss:ff"),
    ("[disc]\nlead-out-limit = true\n" + ONE, 2, "is an LBA, or a disc time"),
    ("disc = 3\n" + ONE, 1, r"disc is a table, \[disc\], not 3"),
    ("track = [\n  3,\n]\n", 2, r"track holds tables, \[\[session.track\]\], not 3"),
    (ONE + 'pregap = "00:02:75"\n', 3, 'sectors, "mm:ss:ff" or a sound file, not "00:02:75"'),
    (ONE + "pregap = 00:02:00\n", 3, 'a time of day; write "00:02:00" in quotes'),
    (ONE + "pregap = -1\n", 3, "pregap is a number of sectors"),
    (ONE + "indexes = 150\n", 3, "indexes is an array of lengths, not 150"),
    (ONE + "indexes = [20,\n 20]\n", 3, "indexes rise from the track's start on, and 20 follows"),
    (ONE + "indexes = [0]\n", 3, "and 0 follows 0"),
    (ONE + "silence = 300\n", 1, "one file, folder or silence; here is file and silence"),
    ("[[track]]\nisrc = 'x'\n", 1, "here is none"),
    ("[[track]]\nsilence = 300\nstart = 1\n", 3, "start is for a file"),
    ('[[track]]\nsilence = 300\ntype = "mode1"\n', 2, "silence is sound, and the type is MODE1"),
    ('[[track]]\nfile = "data.iso"\ntype="mode1"\nlength = 4\n', 4, "length is for sound"),
    (ONE + "filesystem.level = 1\n", 3, "filesystem is for a folder"),
    ('[[track]]\nfolder = "data"\npad-short = true\n', 3, "a folder is always filled up"),
    ('[[track]]\nfolder = "data"\nfilesystem.level = 5\n', 3, "level is a number from 1 to 4"),
    ('[[track]]\nfolder = "data"\nfilesystem.date = 2026-01-31\n', 3, "with its zone"),
    (
        '[[track]]\nfolder = "data"\nfilesystem.date = 2255-01-31T00:00:00Z\n',
        3,
        "not within 1970..2155",
    ),
    ('[[track]]\nfolder = "data"\n[track.filesystem]\nboot = {}\n', 4, "boot needs a path"),
    (ONE + "start = 400\n", 3, "start is sector 400 of a sound of 400"),
    (ONE + "start = 90\nlength = 311\n", 4, "from sector 90 on the sound has 310"),
    (ONE + 'subheader = "xy"\n', 3, "is bytes in hexadecimal digits"),
    (ONE + "[track.text]\nlanguage = 300\n", 4, "code 0 to 255, not 300"),
    (ONE + '[track.text]\nlanguage = "Klingon"\n', 4, "unknown language 'Klingon'"),
    (ONE + "[track.text]\ngenre = 'Jazz'\n", 4, 'has no "genre"'),
    (ONE + "[[track.text]]\ntitle='a'\n[[track.text]]\ntitle='b'\n", 5, "already, in line 3"),
    (ONE + "text.title = '\u0416'\n[disc.text]\ncharset = 'ascii'\n", 3, "which ASCII lacks"),
    (ONE + "text.title = 'a\U0001f600'\n", 3, "which ISO 8859-1 lacks"),
    (ONE + 'text.title = "a\\u0000b"\n', 3, r"the character '.x00', which"),
    (
        ONE + "".join(f"[[disc.text]]\nlanguage = {n}\n" for n in range(1, 10)),
        19,
        "at most 8 languages",
    ),
    (
        (
            "[[session]]\n[[session.track]]\nsilence = 300\n"
            "[[session]]\n[[session.track]]\nsilence = 300\ntext.title = 'x'\n"
        ),
        7,
        "names that session's tracks alone",
    ),
    (ONE + 'cdg = "bad.cdg"\n', 3, "left over after 1 packs"),
    (ONE + 'cdg = "a.cdg"\n[disc]\ntype = "pq"\n', 3, "cdg needs R-W subcode"),
    ('[disc]\nrw = "rw.sub"\n' + ONE, 2, r"has 960 bytes and must have 2860800: 96 for each"),
    ('[disc]\nonto = "disc.toml"\n' + ONE, 2, "onto leads back to this description"),
    (ONE + 'isrc = "a\nb"\n', 3, "is no TOML"),
    (ONE + "pregap = 0\npregap = 0\n", 4, "is no TOML"),
    (ONE + "pregap = [\n\n", 3, "is no TOML"),
]


@pytest.mark.parametrize(("text", "line", "said"), WRONG)
def test_a_wrong_description_is_refused_with_its_line(
    folder: Path, text: str, line: int, said: str
) -> None:
    with pytest.raises(FormatError, match=said) as raised:
        load(folder, text)
    error, file = raised.value, str(folder / "disc.toml")
    if error.file == file:
        assert error.place == f"line {line}"
    else:
        assert str(error.place).endswith(f"named in line {line} of {file}")


def test_a_short_track_s_remedy_is_a_description_s(folder: Path) -> None:
    with pytest.raises(AuthoringError, match="pad-short = true fills it up"):
        load(folder, '[[track]]\nfile = "short.bin"\n')


REFUSED = [
    ('[disc]\nmcn = "4006381333932"\n' + ONE, 2, "mcn"),
    ('[[track]]\nsilence = 300\n[[track]]\nfile = "short.bin"\n', 3, "short-track"),
    (ONE + 'isrc = "US"\n', 3, "isrc"),
    (ONE + "indexes = [395]\n", 3, "index-too-close"),
    (ONE + "pregap = 10\n", 1, "short-pregap"),
    (ONE + "postgap = 10\n", 1, "argument"),
    ('[[track]]\nfile = "data.iso"\ntype = "mode1"\ncopy = "scms"\n', 4, "audio-only"),
    ('[[track]]\nfile = "data.iso"\ntype = "mode1"\nfour-channel = true\n', 4, "audio-only"),
    ('[disc]\ntype="cooked"\ntext.title = "x"\n' + ONE, 2, "cdtext-needs-raw"),
    ('[disc]\ntype="pq"\nrw = "whole.sub"\n[[track]]\nsilence=300\n', 3, "generator-under-pq-only"),
    ("[disc]\nlead-out-limit = 399\n\n" + ONE, 4, "lead-out-limit"),
    ("[disc]\nlead-out-limit = 0\n\n" + ONE, 2, "argument"),
    ('[[track]]\nfolder = "data"\ntype = "form2"\n', 1, "argument"),
    ('[[track]]\nfolder = "data"\npregap = "a.bin"\n', 1, "argument"),
    (ONE + '[[track]]\nfile = "data.iso"\ntype = "mode1"\npregap = 100\n', 3, "mode-change-pregap"),
    (
        '[[session]]\ntype = "xa"\n[[session.track]]\nfolder = "data"\ntype = "mode1"\n',
        3,
        "disc-type",
    ),
    (
        '[[track]]\nfile="data.iso"\ntype="mode1"\n[[track]]\nfolder="data"\ntype="form1"\n',
        4,
        "sector-type",
    ),
    ('[[track]]\nfolder = "data"\nfilesystem.boot.path = "none"\n', 1, "boot-image"),
]


@pytest.mark.parametrize(("text", "line", "rule"), REFUSED)
def test_what_the_creator_refuses_has_a_line(folder: Path, text: str, line: int, rule: str) -> None:
    with pytest.raises(AuthoringError) as raised:
        load(folder, text)
    assert str(raised.value).startswith(f"{folder / 'disc.toml'}: line {line}: ")
    assert raised.value.rule == rule


def test_a_missing_file_is_told_with_its_line(folder: Path) -> None:
    for key, line in (("file", 2), ("folder", 2)):
        with pytest.raises(StorageError, match=f"line {line}: there is no .*nowhere"):
            load(folder, f'[[track]]\n{key} = "nowhere"\n')
    for key in ("rw", "onto"):
        with pytest.raises(StorageError, match="line 2: there is no"):
            load(folder, f'[disc]\n{key} = "nowhere"\n{ONE}')


@pytest.mark.parametrize("name", ["../data", "/etc", "C:\\data", "..", "data/../.."])
def test_a_folder_never_lies_outside(folder: Path, name: str) -> None:
    with pytest.raises(StorageError, match=r"line 2: .* is not below the sheet's own"):
        load(folder, f"[[track]]\nfolder = '{name}'\n")


def test_a_file_never_lies_outside(folder: Path) -> None:
    (folder / "inner").mkdir()
    with pytest.raises(StorageError, match=r"line 2: .* lies outside"):
        load(folder / "inner", '[[track]]\nfile = "../data.iso"\n')


def test_text_that_is_no_utf_8_is_told_with_its_line(folder: Path) -> None:
    path = folder / "disc.toml"
    path.write_bytes(b"[disc]\n# T\xf6ne\n")
    with pytest.raises(FormatError, match="written in UTF-8, and byte 10 is not") as raised:
        TomlFormat().load(fileset.InputFiles(path))
    assert raised.value.place == "line 2"


def test_a_sound_that_is_none_names_file_and_line(folder: Path) -> None:
    with pytest.raises(FormatError, match="is no sound") as raised:
        load(folder, '[[track]]\n\nfile = "data.iso"\n')
    assert raised.value.file == str(folder / "data.iso")
    assert str(raised.value.place).endswith("disc.toml")


def test_graphics_go_onto_no_recorded_subcode(folder: Path) -> None:
    from rawcd import RawCDImageCreator, save_image

    creator = RawCDImageCreator()
    creator.resulting_image_type = 3
    creator.appendable = True
    creator.add_track(bytes(2_352 * 300))
    save_image(creator.create_result_image(), folder / "one.raw")
    with pytest.raises(UnsupportedError, match=r"disc\.toml: line 5: CD\+G needs subcode"):
        load(folder, '[disc]\nonto = "one.raw"\n' + ONE + 'cdg = "a.cdg"\n')


def test_two_descriptions_that_stand_on_each_other(folder: Path) -> None:
    (folder / "other.toml").write_text('[disc]\nonto = "disc.toml"\n[[track]]\nsilence = 300\n')
    with pytest.raises(FormatError, match="onto leads back"):
        load(folder, '[disc]\nonto = "other.toml"\n' + ONE)


def test_rw_and_graphics_contradict_each_other(folder: Path) -> None:
    (folder / "rw.sub").write_bytes(bytes(96 * (22_650 + 400 + 6_750)))
    with pytest.raises(FormatError, match="cdg and the disc's rw are both") as raised:
        load(folder, '[disc]\nrw = "rw.sub"\n' + ONE + 'cdg = "a.cdg"\n')
    assert raised.value.place == "line 5"


def test_rw_with_bits_of_p_is_told_with_its_line(folder: Path) -> None:
    rows = np.zeros((22_650 + 400 + 6_750, 96), np.uint8)
    rows[23_000, 5] = 0x80
    (folder / "rw.sub").write_bytes(rows.tobytes())
    with pytest.raises(AuthoringError, match=r"line 2: .* has P or Q bits") as raised:
        load(folder, '[disc]\nrw = "rw.sub"\n' + ONE)
    assert raised.value.rule == "rw-has-pq"
