"""Faults to order, time, and what a disc is after an accident."""

from __future__ import annotations

import json
import os
import re
from contextlib import closing, contextmanager
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

import rawcd
from rawcd.errors import DriveError, FormatError, RawCDError, StorageError, UnsupportedError
from rawcd_writers.drive.virtual import Fault, VirtualRecorder, blank_named, open_virtual
from rawcd_writers.drive.virtual.clock import Clock, DriveBuffer
from rawcd_writers.drive.virtual.faults import NAMES, FaultKind
from rawcd_writers.drive.virtual.medium import OpenTrack
from rawcd_writers.drive.virtual.pages import WriteParameters, WriteType
from tests.writers.drive.test_virtual_burning import audio_disc, data
from tests.writers.drive.virtual_host import CHECK, GOOD, SYNC, Host, read_cd, write_10

if TYPE_CHECKING:
    from collections.abc import Iterator

TAO = WriteParameters(write_type=WriteType.TAO, control=4, block_type=8)
RAW = WriteParameters(write_type=WriteType.RAW, block_type=3)


@contextmanager
def recorder(*faults: str, blank: str = "cdr-short", path: Path | None = None) -> Iterator[Host]:
    drive = VirtualRecorder(
        path, blank=blank_named(blank), faults=[Fault.parse(text) for text in faults]
    )
    try:
        yield Host(drive)
    finally:
        drive.close()


@given(st.text(max_size=30) | st.from_regex(r"[a-z-]+@[a-z0-9.=*-]+", fullmatch=True))
def test_any_text_is_a_fault_or_refused(text: str) -> None:
    try:
        Fault.parse(text)
    except UnsupportedError:
        return
    assert text.partition("@")[0] in {kind.value for kind in FaultKind}


@pytest.mark.parametrize(
    "text",
    ["aborted@0", "aborted@write.0", "aborted@3*0", "medium-error@lba=5*0", "busy@" + "9" * 5000],
)
def test_a_fault_that_could_never_happen_is_refused(text: str) -> None:
    with pytest.raises(UnsupportedError):
        Fault.parse(text)


def test_a_command_that_faults_do_not_know_is_named() -> None:
    with pytest.raises(UnsupportedError, match=r"no command 'read-cd'; there are ready, .*read,"):
        Fault.parse("aborted@read-cd.2")


@pytest.mark.parametrize(
    ("kind", "sense"),
    [
        ("aborted", (0xB, 0, 0)),
        ("not-ready", (2, 4, 1)),
        ("bus-reset", (6, 0x29, 2)),
        ("medium-change", (6, 0x28, 0)),
    ],
)
@pytest.mark.parametrize("name", ["toc", "disc", "configuration", "write"])
def test_a_fault_happens_once_where_it_was_ordered(
    kind: str, sense: tuple[int, int, int], name: str
) -> None:
    attention = kind in ("bus-reset", "medium-change")
    if name == "configuration" and attention:
        return  # a unit attention does not hold that command up
    with recorder(f"{kind}@{name}.2") as host:
        host.select(TAO)
        commands = {
            "toc": (bytes.fromhex("43000400000000001c00"), b""),
            "disc": (bytes.fromhex("51000000000000002200"), b""),
            "configuration": (bytes.fromhex("46000000000000000800"), b""),
        }
        for count in range(1, 4):
            cdb, out = commands.get(name, (write_10(count - 1, 1), data(1, 1)))
            answer = host.ask(cdb, out, 0 if out else 100)
            if count == 2:
                assert answer.status == CHECK
                found = (answer.sense[2], answer.sense[12], answer.sense[13])
                assert found == sense
            elif not (name == "write" and count == 3):
                assert answer.status == GOOD


def test_not_ready_lasts_as_long_as_it_was_ordered() -> None:
    with recorder("not-ready@ready.3*4") as host:
        host.run(bytes(6))
        assert [host.ask(bytes(6)).status for _ in range(5)] == [CHECK] * 4 + [GOOD]


def test_busy_is_a_status_of_its_own() -> None:
    with recorder("busy@disc.1*2") as host:
        cdb = bytes.fromhex("51000000000000002200")
        assert [host.ask(cdb, data_in=34).status for _ in range(3)] == [8, 8, GOOD]


def test_a_long_write_is_written_when_it_is_sent_again() -> None:
    with recorder("long-write@write.2*2") as host:
        host.select(TAO)
        host.write(0, 1, data(1, 1))
        for _ in range(2):
            assert host.sense(write_10(1, 1), data(1, 2)) == (2, 4, 8)
        host.write(1, 1, data(1, 2))
        host.run(SYNC)
        assert host.run(read_cd(0, 2, 0x10), data_in=4096) == data(1, 1) + data(1, 2)


def test_a_short_write_takes_half_and_says_so() -> None:
    with recorder("short@write.2") as host:
        host.select(TAO)
        host.write(0, 4, data(4, 1))
        answer = host.ask(write_10(4, 10), data(10, 2))
        assert (answer.status, answer.residual) == (GOOD, 5 * 2048)
        assert host.next_address() == 9
        assert host.sense(write_10(14, 1), data(1, 3)) == (5, 0x21, 2)


def test_a_short_read_says_how_much_is_missing() -> None:
    with recorder("short@toc.1") as host:
        answer = host.ask("43000400000000001c00", data_in=28)
        assert (len(answer.data), answer.residual) == (14, 14)


@pytest.mark.parametrize("lba", [0, 130, 299])
def test_a_bad_spot_ends_the_track(lba: int) -> None:
    with recorder(f"medium-error@lba={lba}") as host:
        host.select(TAO)
        at = 0
        while not at <= lba < at + 25:
            host.write(at, 25, data(25, 1))
            at += 25
        answer = host.ask(write_10(at, 25), data(25, 1))
        assert (answer.sense[2], answer.sense[12]) == (3, 0x0C)
        assert int.from_bytes(answer.sense[3:7], "big", signed=True) == lba
        if at:
            assert host.disc_status() == (1, 1)
            assert host.sense(write_10(at, 25), data(25, 1)) == (5, 0x30, 5)


def test_after_a_power_loss_the_disc_is_what_was_written(tmp_path: Path) -> None:
    path = tmp_path / "disc.raw"
    image = audio_disc()
    with recorder("power-loss@write.4", blank="cdrw-short", path=path) as host:
        host.select(RAW)
        for lba in (-4650, -4150, -3650):
            host.write(lba, 500, image.read(lba, 500))
        with pytest.raises(DriveError, match="power"):
            host.ask(write_10(-3150, 1), image.read(-3150, 1))
        with pytest.raises(DriveError):
            host.ask(bytes(6))
    assert (tmp_path / "disc.raw.pma").exists()
    again = VirtualRecorder(path)
    host = Host(again)
    assert host.disc_status() == (1, 1)
    assert host.sense(write_10(-3150, 1), image.read(-3150, 1)) == (5, 0x30, 5)
    assert again.medium is not None
    assert again.medium.store.read(-4650, 1500).tobytes() == image.read(-4650, 1500)
    host.run("a10100000000000000000000")
    host.burn_raw(image)
    again.close()
    assert Host(VirtualRecorder(path)).disc_status()[0] == 2


def test_closed_tracks_outlive_the_drive(tmp_path: Path) -> None:
    path = tmp_path / "disc.raw"
    first, second = data(300, 1), data(320, 2)
    with recorder(path=path) as host:
        host.select(TAO)
        host.write(0, 300, first)
        host.run("5b000100000100000000")
    with recorder(path=path) as host:
        assert host.disc_status() == (1, 1)
        host.select(TAO)
        assert host.next_address() == 452
        host.write(452, 320, second)
        host.run(SYNC)
        host.run("5b000200000000000000")
    with recorder(path=path) as host:
        assert host.disc_status() == (2, 3)
        assert host.run(read_cd(0, 300, 0x10), data_in=300 * 2048) == first
        assert host.run(read_cd(452, 320, 0x10), data_in=320 * 2048) == second
        assert host.sense(read_cd(300, 2, 0x10)) == (3, 0x11, 0), "link blocks cannot be read"


def test_a_finished_disc_of_the_default_kind_needs_no_side_file(tmp_path: Path) -> None:
    path = tmp_path / "disc.raw"
    with recorder(path=path, blank="cdr80") as host:
        host.burn_sao(audio_disc())
    assert [each.name for each in tmp_path.iterdir()] == ["disc.raw"]


def test_a_file_that_is_no_disc_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "junk").write_bytes(bytes(2448 * 9))
    with pytest.raises(FormatError, match="junk"):
        VirtualRecorder(tmp_path / "junk")
    for junk in (
        b"{",
        b"[]",
        b"[" * 100_000,
        b'{"rawcd_pma": 1}',
        b'{"rawcd_pma": 1, "medium": "cdr80"}',
    ):
        (tmp_path / "junk.pma").write_bytes(junk)
        with pytest.raises(RawCDError, match=r"junk\.pma"):
            VirtualRecorder(tmp_path / "junk")


def test_a_file_shorter_than_a_sector_is_no_blank(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_bytes(b"not to be written over")
    with pytest.raises(FormatError, match=r"notes\.txt.*name another file"):
        VirtualRecorder(tmp_path / "notes.txt")
    assert (tmp_path / "notes.txt").read_bytes() == b"not to be written over"


def test_what_is_no_file_or_has_no_folder_is_refused_before_anything_is_burned(
    tmp_path: Path,
) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe", tmp_path / "none" / "disc.raw"):
        with pytest.raises(StorageError, match=re.escape(str(path))):
            VirtualRecorder(path)


@pytest.mark.parametrize("name", ["/", ".", "..", "a\0b", "x" * 5000, "link"])
def test_what_no_file_can_be_called_is_refused(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "link").symlink_to("nowhere")
    with pytest.raises(StorageError, match=r"cannot open|no name of a file"):
        open_virtual(f"virtual:{name}")


def test_a_disc_stays_where_it_was_when_the_current_folder_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "elsewhere").mkdir()
    with recorder(path=Path("disc.raw")) as host:
        monkeypatch.chdir(tmp_path / "elsewhere")
        host.burn_raw(audio_disc())
    assert not list(Path().iterdir())
    assert rawcd.open_image(tmp_path / "disc.raw").disc.tracks == audio_disc().disc.tracks
    assert (tmp_path / "disc.raw.pma").exists()


def test_a_disc_with_another_discs_side_file_is_told_to_be_so(tmp_path: Path) -> None:
    path = tmp_path / "disc.raw"
    with recorder(path=path) as host:
        host.burn_raw(audio_disc())
    rawcd.save_image(audio_disc(), path, replace=True)  # whose lead-in begins elsewhere
    with pytest.raises(FormatError, match=r"or remove .*disc\.raw\.pma, if that is not"):
        VirtualRecorder(path)
    path.with_name("disc.raw.pma").unlink()
    VirtualRecorder(path).close()


TRACK_FIELDS = [each.name for each in fields(OpenTrack)]
_JUNK: st.SearchStrategy[object] = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-200, 500)
    | st.floats()
    | st.text(max_size=13)
    | st.just([])
)


@given(track=st.dictionaries(st.sampled_from(TRACK_FIELDS), _JUNK, min_size=1, max_size=2))
def test_any_side_file_is_a_disc_or_refused(
    tmp_path_factory: pytest.TempPathFactory, track: dict[str, object]
) -> None:
    """What a side file tells is answered from without a crash, or refused when it is opened."""
    path = tmp_path_factory.mktemp("side") / "disc.raw"
    with recorder(path=path) as host:
        host.select(TAO)
        host.write(0, 2, bytes(2 * 2048))
        host.run(SYNC)
    side = path.with_name("disc.raw.pma")
    state = json.loads(side.read_text())
    state["tracks"][0] |= track
    side.write_text(json.dumps(state))
    try:
        drive = VirtualRecorder(path)
    except RawCDError:
        return
    with closing(drive):
        Host(drive)
        for cdb in (
            read_cd(0, 1),
            read_cd(-1, 1),
            bytes.fromhex("43020000000000032400"),
            bytes.fromhex("43020300000000032400"),
            bytes.fromhex("5201000000ff00002400"),
            bytes.fromhex("52010000000100002400"),
        ):
            drive.execute(cdb, data_in=65536)


@pytest.mark.parametrize(
    "name",
    [
        "/dev/sr0",
        "virtual:x?medium=vinyl",
        "virtual:x?what=1",
        "virtual:x?fault=x",
        "virtual:?a",
        "virtual:x?medium=cdr74&medium=cdr80",
    ],
)
def test_a_name_that_means_nothing_is_refused(name: str) -> None:
    with pytest.raises(UnsupportedError):
        open_virtual(name)


def test_a_name_says_all(tmp_path: Path) -> None:
    name = (
        f"virtual:{tmp_path / 'disc.raw'}?medium=cdrw-short&fault=aborted@disc.1&fault=busy@toc.1"
    )
    drive = open_virtual(name)
    assert drive.medium is not None
    assert drive.medium.blank.name == "cdrw-short"
    host = Host(drive)
    assert host.sense("51000000000000002200") == (0xB, 0, 0)
    assert host.ask("43000400000000001c00", data_in=28).status == 8
    empty = Host(open_virtual("virtual:?empty=1"))
    assert empty.sense(bytes(6)) == (2, 0x3A, 1)


def test_blanking_takes_its_time() -> None:
    with recorder(blank="cdrw-short") as host:
        host.burn_sao(audio_disc())
        clock = host.drive.clock
        before = clock.now()
        host.run("a11100000000000000000000")  # immediate, minimal
        polls = 0
        while host.ask(bytes(6)).status == CHECK:
            polls += 1
        assert 1 <= polls <= 10
        quick = clock.now() - before
        before = clock.now()
        host.run("a10000000000000000000000")
        assert clock.now() - before > 20 * quick


def test_a_buffer_that_is_kept_full_stays_full() -> None:
    with recorder(blank="cdr80") as host:
        host.burn_raw(audio_disc())
        assert host.drive.buffer.lowest >= host.drive.buffer.size // 2
        assert not host.drive.buffer.underruns


@pytest.mark.parametrize("protected", [True, False])
def test_a_slow_host_runs_the_buffer_dry(protected: bool) -> None:
    with recorder("slow-host@0.5") as host:
        host.select(
            WriteParameters(
                write_type=WriteType.TAO, control=4, block_type=8, underrun_protection=protected
            )
        )
        answer = host.ask(bytes(6))
        for lba in range(0, 5000, 500):  # a megabyte each; 52x writes eight in a second
            answer = host.ask(write_10(lba, 500), data(500, 1))
            if answer.status == CHECK:
                break
        if protected:
            assert answer.status == GOOD
            assert host.drive.buffer.underruns
        else:
            assert (answer.sense[2], answer.sense[12], answer.sense[13]) == (3, 0x0C, 9)


@given(st.lists(st.tuples(st.integers(0, 200_000), st.floats(0, 0.2)), max_size=40))
def test_the_buffer_never_holds_more_than_it_can(steps: list[tuple[int, float]]) -> None:
    clock = Clock()
    buffer = DriveBuffer(clock, 1 << 20)
    for size, wait in steps:
        before = clock.now()
        buffer.put(size, 2448, 52)
        assert 0 <= buffer.held <= buffer.size
        assert clock.now() >= before
        clock.wait(wait)
    assert buffer.flush() <= buffer.size / (52 * 75 * 2448) + 1e-9
    assert not buffer.held


def test_every_name_of_a_command_is_one_that_is_known() -> None:
    with recorder() as host:
        for opcodes in NAMES.values():
            for opcode in opcodes:
                answer = host.ask(bytes([opcode]) + bytes(11))
                assert answer.sense[12:13] != b"\x20", f"{opcode:02X}h"
