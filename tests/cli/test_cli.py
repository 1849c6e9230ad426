"""The command as a user meets it: what it prints, what it leaves, how it ends."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest

REPO = Path(__file__).parent.parent.parent
DEMO = REPO / "fixtures" / "demo" / "demo.cue"


def rawcd(*args: str | Path, cwd: Path, **more: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "rawcd", *map(str, args)],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        **more,
    )


def make_wav(path: Path, sectors: float, seed: int = 1) -> np.ndarray[Any, Any]:
    rng = np.random.default_rng(seed)
    samples = rng.integers(-9000, 9000, (round(588 * sectors), 2)).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setparams((2, 2, 44100, 0, "NONE", ""))
        file.writeframes(samples.tobytes())
    return samples


def left_behind(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_demo_gives_the_same_disc_in_both_formats(tmp_path: Path) -> None:
    for out in ("demo.raw", "demo.cue"):
        done = rawcd("build", DEMO, "-o", out, cwd=tmp_path)
        assert (done.returncode, out in done.stdout) == (0, True), done.stderr
    described = []
    for image in (DEMO, "demo.raw", "demo.cue"):
        done = rawcd("info", image, "--json", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        described.append(json.loads(done.stdout))
    sheet, raw, cue = (each["sessions"] for each in described)
    assert sheet == cue
    assert sheet == raw
    assert len({json.dumps(each["cdtext"]) for each in described}) == 1
    assert {each["mcn"] for each in described} == {described[0]["mcn"]}
    assert described[0]["mcn"] is not None
    assert {note["code"] for note in described[0]["notes"]} >= {"resampled"}


def test_the_demo_s_sound_comes_back_bit_for_bit(tmp_path: Path) -> None:
    """FLAC and WAV against their own decoders, all four files against the sounds as opened."""
    import soundfile

    import rawcd as library
    from rawcd.audio import open_sound
    from rawcd.source import FileBytes

    for out in ("demo.raw", "demo.cue"):
        assert rawcd("build", DEMO, "-o", out, cwd=tmp_path).returncode == 0
    raw = library.open_image(tmp_path / "demo.raw")
    lead_out = raw.disc.sessions[0].lead_out_lba
    sound = library.main_sectors(raw, 0, lead_out).tobytes()
    assert sound == (tmp_path / "demo.bin").read_bytes()
    cue = library.open_image(tmp_path / "demo.cue")
    assert sound == library.main_sectors(cue, 0, lead_out).tobytes()
    names = re.findall(r'FILE "(.*)" WAVE', DEMO.read_text(encoding="utf-8"))
    opened = [open_sound(FileBytes(DEMO.parent / name)) for name in names]
    joined = b"".join(each.read_samples(0, each.sample_count).tobytes() for each in opened)
    assert sound == joined + bytes(-len(joined) % 2352)
    at = 0
    for name, each in zip(names, opened, strict=True):
        if each.facts.exact and each.facts.channels == 2:
            decoded, _ = soundfile.read(DEMO.parent / name, dtype="int16")
            assert sound[at : at + decoded.nbytes] == decoded.tobytes(), name
        at += each.sample_count * 4
    assert sum(each.facts.exact for each in opened) >= 2


SCHEMA: dict[str, Any] = {
    "rawcd_info": int,
    "file": str,
    "format": str,
    "type": str,
    "sector_size": int,
    "first_lba": int,
    "sector_count": int,
    "mcn": (str, type(None)),
    "sessions": [
        {
            "number": int,
            "disc_type": str,
            "lead_in_lba": int,
            "lead_out_lba": int,
            "lead_out_msf": str,
            "tracks": [
                {
                    "number": int,
                    "mode": str,
                    "start_lba": int,
                    "start_msf": str,
                    "end_lba": int,
                    "sector_count": int,
                    "pregap_sectors": int,
                    "copy": str,
                    "pre_emphasis": bool,
                    "four_channel": bool,
                    "isrc": (str, type(None)),
                    "indexes": [{"number": int, "lba": int, "msf": str}],
                    "title": (str, type(None)),
                    "performer": (str, type(None)),
                }
            ],
        }
    ],
    "notes": [
        {
            "code": str,
            "message": str,
            "track": (int, type(None)),
            "file": (str, type(None)),
            "line": (int, type(None)),
        }
    ],
}


def check_schema(value: Any, schema: Any) -> None:
    if isinstance(schema, dict):
        assert set(schema) <= set(value)
        for key, inner in schema.items():
            check_schema(value[key], inner)
    elif isinstance(schema, list):
        for each in value:
            check_schema(each, schema[0])
    else:
        assert isinstance(value, schema)


def test_the_json_keeps_its_schema(tmp_path: Path) -> None:
    about = json.loads(rawcd("info", DEMO, "--json", cwd=tmp_path).stdout)
    check_schema(about, SCHEMA)
    assert about["rawcd_info"] == 1
    assert (about["format"], about["type"]) == ("cue", "raw")


def test_loose_files_are_butted_together_sample_for_sample(tmp_path: Path) -> None:
    one, two = make_wav(tmp_path / "1.wav", 300.5), make_wav(tmp_path / "2.wav", 400.25, seed=2)
    done = rawcd("build", "1.wav", "2.wav", "-o", "out.cue", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    joined = np.concatenate([one, two]).tobytes()
    made = (tmp_path / "out.bin").read_bytes()
    assert made == joined + bytes(-len(joined) % 2352)
    about = json.loads(rawcd("info", "out.cue", "--json", cwd=tmp_path).stdout)
    tracks = about["sessions"][0]["tracks"]
    assert [track["start_lba"] for track in tracks] == [0, 300]
    assert [len(track["indexes"]) for track in tracks] == [2, 1]


def test_gaps_put_two_seconds_between(tmp_path: Path) -> None:
    for name in ("1.wav", "2.wav"):
        make_wav(tmp_path / name, 300)
    rawcd("build", "1.wav", "2.wav", "-o", "out.raw", "--gaps", cwd=tmp_path)
    about = json.loads(rawcd("info", "out.raw", "--json", cwd=tmp_path).stdout)
    second = about["sessions"][0]["tracks"][1]
    assert (second["start_lba"], second["pregap_sectors"]) == (450, 150)


@pytest.mark.parametrize(("kind", "size"), [("pq", 2368), ("cooked", 2448), ("raw", 2448)])
def test_kinds(tmp_path: Path, kind: str, size: int) -> None:
    make_wav(tmp_path / "1.wav", 300)
    rawcd("build", "1.wav", "-o", "out.raw", "--type", kind, cwd=tmp_path)
    assert (tmp_path / "out.raw").stat().st_size == size * (22_650 + 300 + 6_750)


def test_a_pipe_gets_the_same_bytes(tmp_path: Path) -> None:
    make_wav(tmp_path / "1.wav", 300)
    assert rawcd("build", "1.wav", "-o", "out.raw", cwd=tmp_path).returncode == 0
    piped = subprocess.run(
        [sys.executable, "-m", "rawcd", "build", "1.wav", "-o", "-"],
        cwd=tmp_path,
        capture_output=True,
        timeout=120,
        check=True,
    )
    assert piped.stdout == (tmp_path / "out.raw").read_bytes()


def test_a_reader_that_leaves_is_one_line_and_status_1(tmp_path: Path) -> None:
    make_wav(tmp_path / "1.wav", 300)
    process = subprocess.Popen(
        [sys.executable, "-m", "rawcd", "build", "1.wav", "-o", "-"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout
    assert process.stderr
    process.stdout.read(10)
    process.stdout.close()
    error = process.stderr.read().decode()
    process.stderr.close()
    assert process.wait(30) == 1
    assert error.splitlines()[-1:] == ["rawcd: <stdout>: cannot write: Broken pipe"]


@pytest.mark.parametrize(
    ("make", "args", "status", "words"),
    [
        ("", ["missing.wav"], 1, "missing.wav: cannot open: No such file"),
        ("empty", ["empty.wav"], 1, "empty.wav: "),
        ("cut", ["cut.wav"], 1, "cut.wav: "),
        ("short", ["short.wav"], 1, "track 1: 299 sectors (3.99 s) are shorter"),
        ("long", ["long.wav", "--mcn", "4006381333932"], 1, "should be 1"),
        ("long", ["long.wav", "--leadout-limit", "399"], 1, "behind the limit of 399"),
        ("long", ["long.wav", "--type", "nonsense"], 2, "'nonsense' is not one of"),
        ("long", ["long.wav", "--format", "nero"], 1, "called 'nero'; there are"),
        ("sheet", ["sheet.cue", "--gaps"], 2, "--gaps is for sound files"),
        ("sheet", ["sheet.cue", "sheet.cue"], 2, "give it alone"),
        ("trackless", ["trackless.cue"], 1, "trackless.cue: line 1: there is no TRACK in it"),
        ("text", ["text.txt"], 1, "text.txt: offset 0: no format recognises it"),
        ("hundred", [*["long.wav"] * 100], 1, "100 sound files would be 100 tracks"),
        ("long", ["long.wav", "--set", "x"], 2, "write KEY=VALUE"),
        ("long", ["long.wav", "--set", "x=1"], 1, "raw has no option 'x'"),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(
    tmp_path: Path, make: str, args: list[str], status: int, words: str
) -> None:
    make_wav(tmp_path / "long.wav", 400)
    make_wav(tmp_path / "short.wav", 299)
    (tmp_path / "empty.wav").touch()
    (tmp_path / "cut.wav").write_bytes((tmp_path / "long.wav").read_bytes()[:-1000])
    (tmp_path / "text.txt").write_text("no sheet\n")
    (tmp_path / "trackless.cue").write_text('FILE "long.wav" WAVE\n')
    (tmp_path / "sheet.cue").write_text('FILE "long.wav" WAVE\nTRACK 01 AUDIO\nINDEX 01 00:00:00\n')
    before = left_behind(tmp_path)
    done = rawcd("build", *args, "-o", "out.raw", cwd=tmp_path)
    assert done.returncode == status, done.stderr
    assert words in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert left_behind(tmp_path) == before


def test_short_tracks_are_padded_on_demand(tmp_path: Path) -> None:
    one = make_wav(tmp_path / "1.wav", 200)
    two = make_wav(tmp_path / "2.wav", 400, seed=2)
    done = rawcd("build", "1.wav", "2.wav", "-o", "out.cue", "--pad-short", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "its 200 sectors were filled with silence to 300" in done.stderr
    made = (tmp_path / "out.bin").read_bytes()
    assert made == one.tobytes() + bytes(100 * 2352) + two.tobytes()


def test_nothing_is_overwritten_without_force_and_inputs_never(tmp_path: Path) -> None:
    make_wav(tmp_path / "1.wav", 300)
    (tmp_path / "out.bin").write_bytes(b"precious")
    refused = rawcd("build", "1.wav", "-o", "out.cue", cwd=tmp_path)
    assert refused.returncode == 1
    assert "out.bin: exists already" in refused.stderr
    assert left_behind(tmp_path) == ["1.wav", "out.bin"]
    assert (tmp_path / "out.bin").read_bytes() == b"precious"
    assert rawcd("build", "1.wav", "-o", "out.cue", "--force", cwd=tmp_path).returncode == 0
    sheet, data = (tmp_path / "out.cue").read_bytes(), (tmp_path / "out.bin").read_bytes()
    for source, target in (("out.cue", "out.cue"), ("1.wav", "1.wav")):
        again = rawcd("build", source, "-o", target, "--force", "--format", "raw", cwd=tmp_path)
        assert again.returncode == 1
        assert "is one of the inputs" in again.stderr
    assert (tmp_path / "out.cue").read_bytes() == sheet
    assert (tmp_path / "out.bin").read_bytes() == data


def test_what_a_format_cannot_hold_is_refused_by_name(tmp_path: Path) -> None:
    import rawcd as library

    creator = library.RawCDImageCreator()
    creator.add_special_pregap(make_wav(tmp_path / "hidden.wav", 150).astype(np.int16))
    creator.add_track(library.SilenceSource(block_count=300))
    library.save_image(creator.create_result_image(), tmp_path / "a.raw")
    refused = rawcd("build", "a.raw", "-o", "a.cue", cwd=tmp_path)
    assert refused.returncode == 1
    assert "cue cannot hold sound before LBA 0 (at LBA -150)" in refused.stderr
    assert left_behind(tmp_path) == ["a.raw", "hidden.wav"]
    allowed = rawcd("build", "a.raw", "-o", "a.cue", "--allow-loss", cwd=tmp_path)
    assert allowed.returncode == 0
    assert "lost: sound before LBA 0 (at LBA -150)" in allowed.stderr


@pytest.mark.parametrize("kind", ["pq", "cooked"])
def test_titles_need_a_raw_image(tmp_path: Path, kind: str) -> None:
    """CD-TEXT has no R-W parity, which COOKED leaves to the drive, and PQ has no R-W."""
    make_wav(tmp_path / "a.wav", 300)
    sheet = 'TITLE "Album"\nFILE "a.wav" WAVE\nTRACK 01 AUDIO\nTITLE "One"\nINDEX 01 00:00:00\n'
    (tmp_path / "a.cue").write_text(sheet, encoding="ascii")
    refused = rawcd("build", "a.cue", "-o", "a.raw", "--type", kind, cwd=tmp_path)
    assert refused.returncode == 1
    assert "raw cannot hold CD-TEXT title, track 1: CD-TEXT title" in refused.stderr
    assert "make it a RAW image (--type raw)" in refused.stderr
    assert left_behind(tmp_path) == ["a.cue", "a.wav"]
    allowed = rawcd("build", "a.cue", "-o", "a.raw", "--type", kind, "--allow-loss", cwd=tmp_path)
    assert allowed.returncode == 0
    assert "lost: track 1: CD-TEXT title" in allowed.stderr
    assert rawcd("build", "a.cue", "-o", "b.raw", cwd=tmp_path).returncode == 0


def test_a_full_disk_leaves_nothing(tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(small)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip("no right to mount a small file system")
    try:
        make_wav(tmp_path / "1.wav", 300)
        done = rawcd("build", "1.wav", "-o", "small/out.raw", cwd=tmp_path)
        assert done.returncode == 1
        assert "No space left on device" in done.stderr
        assert left_behind(small) == []
    finally:
        subprocess.run(["umount", str(small)], check=True)


@pytest.mark.skipif(os.name != "posix", reason="signals")
@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["Ctrl-C", "SIGTERM"]
)
def test_a_signal_in_the_middle_leaves_nothing(tmp_path: Path, number: int, status: int) -> None:
    """The sheet is a whole disc's worth of work: the build is stopped while it writes."""
    if signal.getsignal(number) is signal.SIG_IGN:
        pytest.skip("the shell that began the tests lets nothing hear this signal")
    out = tmp_path / "out"
    out.mkdir()
    sheet = ['FILE "long.bin" BINARY']
    with (tmp_path / "long.bin").open("wb") as file:
        file.truncate(2352 * 350_000)  # sparse: quick to make, long to build
    sheet += ["TRACK 01 AUDIO", "INDEX 01 00:00:00"]
    (tmp_path / "long.cue").write_text("\n".join(sheet))
    process = subprocess.Popen(
        [sys.executable, "-m", "rawcd", "build", "long.cue", "-o", "out/long.raw"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    deadline = time.monotonic() + 30
    while not left_behind(out) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert [name.endswith(".part") for name in left_behind(out)] == [True]
    process.send_signal(number)
    _, error = process.communicate(timeout=30)
    assert process.returncode == status, error
    assert b"nothing was left behind" in error
    assert left_behind(out) == []


def test_info_says_it_in_words(tmp_path: Path) -> None:
    done = rawcd("info", DEMO, cwd=tmp_path)
    assert done.returncode == 0
    about = json.loads(rawcd("info", DEMO, "--json", cwd=tmp_path).stdout)
    for track in about["sessions"][0]["tracks"]:
        assert track["start_msf"] in done.stdout
        assert track["title"] in done.stdout
        assert track["isrc"] is None or track["isrc"] in done.stdout
    assert "note: " in done.stdout


def test_info_calls_genres_by_their_names(tmp_path: Path) -> None:
    for code, name in (("23", "0017h (Rock Music)"), ("40000", "9C40h (of no known genre)")):
        (tmp_path / "disc.toml").write_text(
            f"[disc.text]\ngenre-code = {code}\n[[track]]\nsilence = 300\n", encoding="utf-8"
        )
        done = rawcd("info", "disc.toml", cwd=tmp_path)
        assert f"genre code {name}" in done.stdout, done.stderr


def test_a_stdout_that_is_full_is_one_line(tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full")
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "rawcd", "info", str(DEMO)],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr == "rawcd: <stdout>: cannot write: No space left on device\n"


WITHOUT = """
import builtins, os, sys
for name in ("preadv", "pwrite", "pread", "posix_fallocate", "O_DIRECTORY", "fdatasync"):
    if hasattr(os, name):
        delattr(os, name)
real = builtins.__import__
def refuse(name, *rest):
    if name == "fcntl" and "subprocess" not in sys.modules:
        raise ImportError("no fcntl on this system")
    return real(name, *rest)
builtins.__import__ = refuse
sys.modules.pop("fcntl", None)
from rawcd.cli import main
sys.exit(main(sys.argv[1:]))
"""


def test_other_systems_build_and_show(tmp_path: Path) -> None:
    """Windows and macOS lack some calls: without them everything still works."""

    def run(*args: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", WITHOUT, *map(str, args)],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    for out in ("demo.raw", "demo.cue"):
        done = run("build", DEMO, "-o", out)
        assert done.returncode == 0, done.stderr
        shown = run("info", out, "--json")
        assert shown.returncode == 0, shown.stderr
    usual = tmp_path / "usual.raw"
    rawcd("build", DEMO, "-o", usual, cwd=tmp_path)
    assert usual.read_bytes() == (tmp_path / "demo.raw").read_bytes()
    refused = run("burn", "demo.raw", "--drive", "virtual:disc.raw")
    assert refused.returncode == 1
    assert refused.stderr.startswith("rawcd: disc.raw: a virtual recorder needs the file calls of")


@pytest.mark.skipif(os.name != "posix", reason="a terminal is made with pty")
def test_a_terminal_sees_how_far_it_is(tmp_path: Path) -> None:
    import pty

    with (tmp_path / "long.bin").open("wb") as file:
        file.truncate(2352 * 100_000)
    (tmp_path / "long.cue").write_text(
        'FILE "long.bin" BINARY\nTRACK 01 AUDIO\nINDEX 01 00:00:00\n'
    )
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "rawcd", "build", "long.cue", "-o", "long.raw"],
        cwd=tmp_path,
        stdout=theirs,
        stderr=subprocess.PIPE,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "100"},
    )
    os.close(theirs)
    seen = b""
    try:
        while block := os.read(ours, 4096):
            seen += block
    except OSError:  # the last writer has closed the terminal
        pass
    os.close(ours)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 0, error
    assert b"%" in seen
    assert b"/s" in seen  # the rate
    assert b"long.raw  " in seen

    refused = subprocess.run(
        ["script", "-qec", f"{sys.executable} -m rawcd build long.cue -o -", "/dev/null"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert refused.returncode == 2
    assert "stdout is a terminal" in refused.stdout
