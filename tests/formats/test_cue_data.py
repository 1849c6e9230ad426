"""Data tracks in sheets: every mode, what it becomes on the disc, and the way back."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from rawcd.disc import DiscType, TrackMode
from rawcd.errors import FormatError, UnsupportedError
from rawcd.image import RegionImage, main_sectors
from rawcd.plugins import open_image, save_image
from tests.oracles import sectors as oracle
from tests.oracles.blocks import blank, blocks, sector
from tests.strategies import noise_rows

if TYPE_CHECKING:
    from pathlib import Path

MODES = {
    "MODE1/2048": ("MODE1", 2048),
    "MODE1/2352": ("MODE1RAW", 2352),
    "MODE2/2048": ("MODE2FORM1", 2048),
    "MODE2/2324": ("MODE2FORM2", 2324),
    "MODE2/2332": ("MODE2MIXED", 2332),
    "MODE2/2336": ("MODE2FORM0", 2336),
    "MODE2/2352": ("MODE2FORM0RAW", 2352),
    "CDI/2336": ("MODE2FORM0", 2336),
    "CDI/2352": ("MODE2FORM0RAW", 2352),
}
"""What each track's file holds; files of 2,336 bytes hold all that follows the header."""
LENGTH = 300
each_mode = pytest.mark.parametrize("mode", MODES)


def opened(folder: Path, sheet: str, **files: bytes) -> RegionImage:
    for name, data in files.items():
        (folder / f"{name}.bin").write_bytes(data)
    (folder / "a.cue").write_text(sheet, encoding="utf-8")
    image = open_image(folder / "a.cue")
    assert isinstance(image, RegionImage)
    return image


def file_of(mode: str, count: int = LENGTH, lba: int = 0) -> list[bytes]:
    """Blocks of a track's file; of whole sectors few are other than blank."""
    kind, size = MODES[mode]
    if size < 2352:
        return blocks(kind, size, count)
    return [
        blocks(kind, size, 1, seed=i, lba=lba + i)[0] if i % 99 == 0 else blank(kind, lba + i)
        for i in range(count)
    ]


def one_track(mode: str, *more: str) -> str:
    return "\n".join(["FILE a.bin BINARY", f"TRACK 01 {mode}", *more, "INDEX 01 00:00:00", ""])


def around(mode: str, lba: int) -> bytes:
    """What a data track's silence is: zero user data of its mode, of form 2 in mode 2."""
    return blank("MODE1" if mode.startswith("MODE1") else "MODE2FORM2", lba)


def plain(image: RegionImage, lba: int, count: int = 1) -> bytes:
    return main_sectors(image, lba, count).tobytes()


# -- reading -----------------------------------------------------------------------------------


@each_mode
def test_each_mode_on_the_disc(tmp_path: Path, mode: str) -> None:
    kind, _ = MODES[mode]
    given = file_of(mode)
    image = opened(tmp_path, one_track(mode), a=b"".join(given))
    (track,) = image.disc.tracks
    assert (track.start_lba, track.end_lba) == (0, LENGTH)
    assert track.mode is (TrackMode.MODE1 if mode.startswith("MODE1") else TrackMode.MODE2)
    assert (
        image.disc.sessions[0].disc_type
        is {
            "MODE1": DiscType.CDDA_CDROM,
            "MODE2": DiscType.XA,
            "CDI": DiscType.CDI,
        }[mode.partition("/")[0]]
    )
    for lba in (0, 1, 99, 198, 299):
        expected = sector(kind, given[lba], lba)
        assert plain(image, lba) == expected, lba
        assert image.read(lba, 1)[:2352] == oracle.scrambled(expected), lba


@each_mode
def test_lead_in_pregap_and_lead_out(tmp_path: Path, mode: str) -> None:
    image = opened(tmp_path, one_track(mode), a=b"".join(file_of(mode)))
    for lba in (-22_650, -151, -150, -1, 300, 7_049):
        assert plain(image, lba) == around(mode, lba)
        assert image.read(lba, 1)[:2352] == oracle.scrambled(around(mode, lba))


@each_mode
def test_a_pregap_and_a_postgap_are_sectors_of_the_mode(tmp_path: Path, mode: str) -> None:
    kind, _ = MODES[mode]
    given = file_of(mode, 2 * LENGTH)
    sheet = (
        f"FILE a.bin BINARY\nTRACK 01 {mode}\nPREGAP 00:01:00\n"
        "INDEX 01 00:00:00\nPOSTGAP 00:00:20\n"
        f"TRACK 02 {mode}\nPREGAP 00:00:30\nINDEX 01 00:04:00\nPOSTGAP 00:00:05\n"
    )
    image = opened(tmp_path, sheet, a=b"".join(given))
    first, second = image.disc.tracks
    assert [index.lba for index in first.indexes] == [-150, 75]
    assert first.end_lba == 75 + 300 + 20
    assert [index.lba for index in second.indexes] == [395, 425]
    assert image.disc.sessions[0].lead_out_lba == 425 + 300 + 5
    for lba in (-1, 0, 74, 375, 394, 395, 424, 725, 729, 730):
        assert plain(image, lba) == around(mode, lba), lba
    if MODES[mode][1] < 2352:  # whole sectors keep the addresses that they have
        for lba, block in ((75, given[0]), (374, given[299]), (425, given[300])):
            assert plain(image, lba) == sector(kind, block, lba)
    else:
        assert plain(image, 75, 300) + plain(image, 425, 300) == b"".join(given)


@pytest.mark.parametrize("mode", ["MODE1/2048", "MODE2/2336"])
def test_silence_between_sound_and_data_is_of_its_owner(tmp_path: Path, mode: str) -> None:
    """A pregap belongs to the track behind it, a postgap to the one before it."""
    kind, size = MODES[mode]
    data, sound = file_of(mode), noise_rows(2 * LENGTH)
    sheet = (
        "FILE a.bin BINARY\nTRACK 01 AUDIO\nINDEX 01 00:00:00\nPOSTGAP 00:00:10\n"
        f"TRACK 02 {mode}\nPREGAP 00:02:00\nINDEX 01 00:04:00\nPOSTGAP 00:00:10\n"
        "TRACK 03 AUDIO\nPREGAP 00:02:00\nINDEX 01 00:08:00\n"
    )
    file = sound[:LENGTH].tobytes() + b"".join(data) + sound[LENGTH:].tobytes()
    assert len(file) == 600 * 2352 + 300 * size
    image = opened(tmp_path, sheet, a=file)
    assert [track.start_lba for track in image.disc.tracks] == [0, 460, 920]
    assert [track.first_lba for track in image.disc.tracks] == [-150, 310, 770]
    assert plain(image, 0, LENGTH) == sound[:LENGTH].tobytes()
    assert plain(image, 300, 10) == bytes(10 * 2352)
    for lba in (310, 459, 760, 769):
        assert plain(image, lba) == around(mode, lba)
    for lba in (460, 759):
        assert plain(image, lba) == sector(kind, data[lba - 460], lba)
    assert plain(image, 770, 150) == bytes(150 * 2352)
    assert plain(image, 920, LENGTH) == sound[LENGTH:].tobytes()
    for lba in (-22_650, -1, 1_220, 1_220 + 6_749):  # sound first, sound last
        assert plain(image, lba) == bytes(2352)


def test_the_disc_begins_and_ends_in_the_modes_of_its_tracks(tmp_path: Path) -> None:
    sheet = (
        "FILE a.bin BINARY\nTRACK 01 AUDIO\nINDEX 01 00:00:00\n"
        "FILE b.bin BINARY\nTRACK 02 MODE1/2048\nINDEX 01 00:00:00\n"
    )
    image = opened(tmp_path, sheet, a=bytes(2352 * 300), b=bytes(2048 * 300))
    assert plain(image, -1) == bytes(2352)
    assert plain(image, 600) == blank("MODE1", 600)
    image = opened(
        tmp_path,
        sheet.replace("AUDIO", "MODE2/2336").replace("MODE1/2048", "AUDIO"),
        a=bytes(2336 * 300),
        b=bytes(2352 * 300),
    )
    assert plain(image, -1) == blank("MODE2FORM2", -1)
    assert plain(image, 600) == bytes(2352)


def test_sectors_of_many_sizes_in_one_file(tmp_path: Path) -> None:
    """Bytes are summed track by track; INDEX counts sectors, whatever their size."""
    order = ["MODE1/2048", "AUDIO", "MODE2/2336", "MODE2/2048", "AUDIO", "MODE2/2324"]
    sheet, file, expected = "FILE a.bin BINARY\n", b"", []
    for number, mode in enumerate(order, 1):
        seconds = 4 * (number - 1)
        sheet += f"TRACK {number:02} {mode}\nINDEX 01 00:{seconds:02}:00\n"
        if mode == "AUDIO":
            sound = noise_rows(LENGTH, seed=number).tobytes()
            file += sound
            expected.append(sound)
        else:
            kind, _ = MODES[mode]
            given = file_of(mode)
            file += b"".join(given)
            lba = LENGTH * (number - 1)
            expected.append(sector(kind, given[0], lba) + sector(kind, given[-1], lba + 299))
    image = opened(tmp_path, sheet, a=file)
    assert [track.start_lba for track in image.disc.tracks] == [0, 300, 600, 900, 1200, 1500]
    for place, (mode, wanted) in enumerate(zip(order, expected, strict=True)):
        lba = LENGTH * place
        if mode == "AUDIO":
            assert plain(image, lba, LENGTH) == wanted
        else:
            assert plain(image, lba) + plain(image, lba + 299) == wanted


@each_mode
def test_a_pregap_that_the_file_holds(tmp_path: Path, mode: str) -> None:
    """INDEX 00: its blocks are as large as the track's, and go to the disc as they are."""
    kind, _ = MODES[mode]
    sound, given = noise_rows(LENGTH), file_of(mode, LENGTH + 75, lba=LENGTH)
    sheet = (
        "FILE a.bin BINARY\nTRACK 01 AUDIO\nINDEX 01 00:00:00\n"
        f"TRACK 02 {mode}\nINDEX 00 00:04:00\nINDEX 01 00:05:00\n"
    )
    image = opened(tmp_path, sheet, a=sound.tobytes() + b"".join(given))
    track = image.disc.tracks[1]
    assert (track.first_lba, track.start_lba, track.end_lba) == (300, 375, 675)
    for lba in (300, 374, 375, 674):
        assert plain(image, lba) == sector(kind, given[lba - 300], lba)


@each_mode
def test_a_file_of_broken_sectors_is_refused_with_the_remainder(tmp_path: Path, mode: str) -> None:
    size = MODES[mode][1]
    with pytest.raises(FormatError, match=rf"sectors of {size} bytes: 7 remain") as caught:
        opened(tmp_path, one_track(mode), a=bytes(size * LENGTH + 7))
    assert caught.value.file == str(tmp_path / "a.bin")


def test_an_index_past_the_end_counts_the_track_s_own_sectors(tmp_path: Path) -> None:
    sheet = one_track("MODE1/2048", "INDEX 00 00:00:00").replace("INDEX 01 00:00:00", "INDEX 01 {}")
    file = bytes(2048 * 300)
    assert opened(tmp_path, sheet.format("00:03:74"), a=file).disc.tracks[0].start_lba == 299
    with pytest.raises(FormatError, match=r"INDEX 01 lies past the end of 'a.bin', .* 300\.00"):
        opened(tmp_path, sheet.format("00:04:00"), a=file)


def test_a_mixed_block_of_either_form(tmp_path: Path) -> None:
    given = file_of("MODE2/2332")
    forms = [block[2] & 0x20 for block in given]
    assert 0 in forms
    assert 0x20 in forms
    image = opened(tmp_path, one_track("MODE2/2332"), a=b"".join(given))
    for lba in (forms.index(0), forms.index(0x20)):
        assert plain(image, lba) == sector("MODE2MIXED", given[lba], lba)


@pytest.mark.parametrize("mode", ["MODE1/2352", "MODE2/2352", "CDI/2352"])
def test_whole_sectors_are_not_questioned(tmp_path: Path, mode: str) -> None:
    """A copy of a real disc may hold anything; only the scrambling is added."""
    data = noise_rows(LENGTH).tobytes()
    image = opened(tmp_path, one_track(mode), a=data)
    for lba in (0, 299):
        stored = data[2352 * lba : 2352 * (lba + 1)]
        assert image.read(lba, 1)[:2352] == oracle.scrambled(stored)


# -- writing -----------------------------------------------------------------------------------


def written(image: RegionImage, folder: Path, **options: str) -> tuple[list[str], bytes]:
    folder.mkdir()
    sizes = {key.replace("_", "-"): value for key, value in options.items()}
    save_image(image, folder / "b.cue", options=sizes)
    return (folder / "b.cue").read_text().split("\n"), (folder / "b.bin").read_bytes()


@each_mode
def test_whole_sectors_are_written_and_come_back(tmp_path: Path, mode: str) -> None:
    given = file_of(mode)
    image = opened(tmp_path, one_track(mode), a=b"".join(given))
    lines, data = written(image, tmp_path / "out")
    assert data == plain(image, 0, LENGTH)
    word = {"MODE1": "MODE1/2352", "MODE2": "MODE2/2352", "CDI": "CDI/2352"}[mode.partition("/")[0]]
    assert f"  TRACK 01 {word}" in lines
    again = open_image(tmp_path / "out" / "b.cue")
    assert again.disc == image.disc
    for lba in (0, 299):
        assert again.read(lba, 1) == image.read(lba, 1)


@pytest.mark.parametrize("mode", ["MODE1/2048", "MODE1/2352"])
def test_sector_size_2048_keeps_the_user_data_alone(tmp_path: Path, mode: str) -> None:
    given = file_of(mode)
    user = [block if len(block) == 2048 else block[16:2064] for block in given]
    image = opened(tmp_path, one_track(mode), a=b"".join(given))
    lines, data = written(image, tmp_path / "out", sector_size="2048")
    assert data == b"".join(user)
    assert "  TRACK 01 MODE1/2048" in lines
    again = open_image(tmp_path / "out" / "b.cue")
    assert again.disc == image.disc
    assert main_sectors(again, -150, 500).tobytes() == plain(image, -150, 500)


def test_sector_size_2048_concerns_mode_1_alone(tmp_path: Path) -> None:
    """Other tracks stay whole; gaps become user data too, and INDEX goes on counting sectors."""
    first, last, sound = file_of("MODE1/2048"), file_of("MODE2/2336"), noise_rows(LENGTH)
    sheet = (
        "FILE a.bin BINARY\nTRACK 01 MODE1/2048\nPREGAP 00:01:00\nINDEX 01 00:00:00\n"
        "TRACK 02 AUDIO\nPREGAP 00:02:00\nINDEX 01 00:04:00\n"
        "TRACK 03 MODE2/2336\nPREGAP 00:00:05\nINDEX 01 00:08:00\n"
        "TRACK 04 MODE1/2048\nPREGAP 00:00:07\nINDEX 01 00:12:00\n"
    )
    file = b"".join(first) + sound.tobytes() + b"".join(last) + b"".join(first)
    image = opened(tmp_path, sheet, a=file)
    lines, data = written(image, tmp_path / "out", sector_size="2048")
    assert [line.strip() for line in lines if "TRACK" in line or "INDEX" in line] == [
        "TRACK 01 MODE1/2048",
        "INDEX 00 00:00:00",
        "INDEX 01 00:01:00",
        "TRACK 02 AUDIO",
        "INDEX 00 00:05:00",
        "INDEX 01 00:07:00",
        "TRACK 03 MODE2/2352",
        "INDEX 00 00:11:00",
        "INDEX 01 00:11:05",
        "TRACK 04 MODE1/2048",
        "INDEX 00 00:15:05",
        "INDEX 01 00:15:12",
    ]
    user = b"".join(first)
    whole = 150 * 2352 + 300 * 2352 + 305 * 2352
    assert data[: 75 * 2048 + len(user)] == bytes(75 * 2048) + user
    assert data[75 * 2048 + len(user) + 150 * 2352 :].startswith(sound.tobytes())
    assert data[75 * 2048 + len(user) + whole :] == bytes(7 * 2048) + user
    again = open_image(tmp_path / "out" / "b.cue")
    assert again.disc == image.disc
    end = image.disc.sessions[0].lead_out_lba
    assert main_sectors(again, 0, end).tobytes() == plain(image, 0, end)


@pytest.mark.parametrize("byte", [0, 12, 15, 16, 2063, 2064, 2068, 2075, 2076, 2247, 2248, 2351])
def test_sector_size_2048_is_refused_where_it_would_lose_something(
    tmp_path: Path, byte: int
) -> None:
    data = bytearray(b"".join(file_of("MODE1/2352")))
    data[2352 * 123 + byte] ^= 0x10
    image = opened(tmp_path, one_track("MODE1/2352"), a=bytes(data))
    (tmp_path / "out").mkdir()
    with pytest.raises(UnsupportedError, match="the sector at LBA 123 is no clean") as caught:
        save_image(image, tmp_path / "out" / "b.cue", options={"sector-size": "2048"})
    assert caught.value.lost == ("the sector at LBA 123 as it is",)
    assert not list((tmp_path / "out").iterdir())
    save_image(image, tmp_path / "out" / "b.cue", options={"sector-size": "2352"})
    assert (tmp_path / "out" / "b.bin").read_bytes() == bytes(data)


@pytest.mark.parametrize("size", ["", "0", "2336", "2324", "2448", "two"])
def test_other_sector_sizes_are_refused(tmp_path: Path, size: str) -> None:
    image = opened(tmp_path, one_track("MODE1/2048"), a=bytes(2048 * 300))
    (tmp_path / "out").mkdir()
    with pytest.raises(UnsupportedError, match="sector-size is 2048 or 2352"):
        save_image(image, tmp_path / "out" / "b.cue", options={"sector-size": size})
    assert not list((tmp_path / "out").iterdir())


# -- the command -------------------------------------------------------------------------------


def rawcd(folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "rawcd", "build", *args],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_command_builds_a_disc_of_an_iso(tmp_path: Path) -> None:
    user = b"".join(file_of("MODE1/2048"))
    (tmp_path / "disc.iso").write_bytes(user)
    for out, more in (("a.cue", []), ("b.cue", ["--sector-size", "2048"]), ("c.raw", [])):
        done = rawcd(tmp_path, "disc.iso", "-o", out, *more)
        assert (done.returncode, done.stderr) == (0, "")
    whole = open_image(tmp_path / "disc.iso")
    assert (tmp_path / "a.bin").read_bytes() == main_sectors(whole, 0, LENGTH).tobytes()
    assert (tmp_path / "b.bin").read_bytes() == user
    assert "TRACK 01 MODE1/2352" in (tmp_path / "a.cue").read_text()
    assert "TRACK 01 MODE1/2048" in (tmp_path / "b.cue").read_text()
    for name in ("a.cue", "b.cue", "c.raw"):
        done = rawcd(tmp_path, name, "-o", f"{name}.iso")
        assert (done.returncode, done.stderr) == (0, "")
        assert (tmp_path / f"{name}.iso").read_bytes() == user


@pytest.mark.parametrize(
    ("args", "status", "words"),
    [
        (["-o", "x.cue", "--sector-size", "2336"], 2, "--sector-size"),
        (["-o", "x.raw", "--sector-size", "2048"], 1, "raw has no option 'sector-size'"),
        (["-o", "x.iso", "--sector-size", "2048"], 1, "iso has no option 'sector-size'"),
        (["-o", "x.cue", "--set", "sector-size=2336"], 1, "sector-size is 2048 or 2352"),
    ],
)
def test_wrong_sector_sizes_leave_nothing(
    tmp_path: Path, args: list[str], status: int, words: str
) -> None:
    (tmp_path / "disc.iso").write_bytes(bytes(2048 * 300))
    done = rawcd(tmp_path, "disc.iso", *args)
    assert done.returncode == status
    assert words in done.stderr.splitlines()[-1]
    assert [path.name for path in tmp_path.iterdir()] == ["disc.iso"]


def test_the_command_names_the_sector_that_would_be_lost(tmp_path: Path) -> None:
    data = bytearray(b"".join(file_of("MODE1/2352")))
    data[2352 * 45 + 2100] ^= 1
    opened(tmp_path, one_track("MODE1/2352"), a=bytes(data))
    done = rawcd(tmp_path, "a.cue", "-o", "b.cue", "--sector-size", "2048")
    assert done.returncode == 1
    assert done.stderr.startswith("rawcd: the sector at LBA 45 is no clean MODE1 sector")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.bin", "a.cue"]
