"""Whatever is said to the virtual recorder, it answers; and each state takes what it may."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rawcd.msf import Msf
from rawcd.toc import scsi_full_toc, scsi_session_info, scsi_toc
from rawcd_writers.drive.virtual import VirtualRecorder, blank_named
from rawcd_writers.drive.virtual.pages import (
    WRITE_SPEEDS,
    ModePages,
    WriteParameters,
    WriteType,
)
from tests.writers.drive.test_virtual_burning import audio_disc, data
from tests.writers.drive.virtual_host import CHECK, GOOD, SYNC, Host, read_cd, write_10

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

KNOWN = (
    "00 03 12 15 1a 1b 1e 25 28 2a 35 42 43 46 4a 51 "
    "52 53 54 55 5a 5b 5c 5d a1 a8 aa ac b6 b9 bb be"
)
TAO_DATA = WriteParameters(write_type=WriteType.TAO, control=4, block_type=8, multi_session=3)


@contextmanager
def recorder(blank: str = "cdrw-short") -> Iterator[Host]:
    drive = VirtualRecorder(blank=blank_named(blank))
    try:
        yield Host(drive)
    finally:
        drive.close()


def cdbs() -> st.SearchStrategy[bytes]:
    """Any bytes; half of them begin as a command that there is."""
    known = st.sampled_from(sorted(bytes.fromhex(KNOWN)))
    fields = st.binary(max_size=15) | st.lists(
        st.sampled_from([0, 0, 0, 1, 2, 5, 0x10, 0xFF]), min_size=11, max_size=11
    ).map(bytes)
    named = st.builds(lambda opcode, rest: bytes([opcode]) + rest, known, fields)
    return named | st.binary(max_size=16)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(cdbs(), st.binary(max_size=80), st.integers(0, 3000)), max_size=12))
def test_any_command_is_answered(said: list[tuple[bytes, bytes, int]]) -> None:
    with recorder() as host:
        host.select(TAO_DATA)
        host.write(0, 2, data(2, 1))
        for cdb, out, data_in in said:
            answer = host.ask(cdb, out, data_in)
            assert answer.status in (GOOD, CHECK)
            if answer.status == CHECK:
                assert len(answer.sense) == 18
                assert answer.sense[0] & 0x7F == 0x70
                assert answer.sense[2] & 15 in (2, 3, 5, 6, 11)
                assert answer.data == b""
            assert len(answer.data) <= data_in
            assert 0 <= answer.residual <= max(len(out), data_in)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=70), st.booleans())
def test_any_mode_parameters_are_taken_or_refused(parameters: bytes, six: bool) -> None:
    with recorder() as host:
        cdb = b"\x15\x10\0\0" + bytes([len(parameters), 0])
        if not six:
            cdb = b"\x55\x10" + bytes(5) + len(parameters).to_bytes(2, "big") + b"\0"
        before = host.run("5a003f00000000100000"[:20], data_in=4096)
        if host.ask(cdb, parameters).status == CHECK:
            assert host.run("5a003f00000000100000"[:20], data_in=4096) == before


@settings(deadline=None)
@given(
    st.builds(
        WriteParameters,
        write_type=st.sampled_from([WriteType.TAO, WriteType.SAO]),
        test=st.booleans(),
        underrun_protection=st.booleans(),
        multi_session=st.sampled_from([0, 1, 3]),
        control=st.integers(0, 15),
        copied=st.booleans(),
        block_type=st.sampled_from([0, 8, 9, 10, 11, 12, 13]),
        session_format=st.sampled_from([0, 0x10, 0x20]),
        mcn=st.none() | st.text("0123456789", min_size=13, max_size=13),
        isrc=st.none() | st.from_regex("[ABZ059]{5}[059]{7}", fullmatch=True),
        subheader=st.binary(min_size=4, max_size=4),
    )
)
def test_page_05h_comes_back_as_it_was_set(parameters: WriteParameters) -> None:
    pages = ModePages(write=WriteParameters()).select(bytes(8) + parameters.build(), 8)
    assert pages.write == parameters
    assert pages.sense(0x05, 0) == parameters.build()


# What each state of the disc answers: GOOD, or the sense triple.
SEQUENCE, COMPLETE, ADDRESS, RANGE, FIELD = (
    (5, 0x2C, 0),
    (5, 0x30, 5),
    (5, 0x21, 2),
    (5, 0x21, 0),
    (5, 0x24, 0),
)
OK = None
ASKED = {
    "write at 0": (write_10(0, 1), data(1, 9)),
    "write elsewhere": (write_10(7, 1), data(1, 9)),
    "close session": (bytes.fromhex("5b000200000000000000"), b""),
    "close track 1": (bytes.fromhex("5b000100000100000000"), b""),
    "read 0": (read_cd(0, 1), b""),
    "toc": (bytes.fromhex("43000000000000032400"), b""),
    "full toc": (bytes.fromhex("43000200000000032400"), b""),
    "cue sheet": (bytes.fromhex("5d000000000000000800"), bytes(8)),
    "reserve": (bytes.fromhex("53000000000000010000"), b""),
    "blank": (bytes.fromhex("a10100000000000000000000"), b""),
    "sync": (SYNC, b""),
    "ready": (bytes(6), b""),
}
STATES: dict[str, dict[str, tuple[int, int, int] | None]] = {
    "blank": {
        "write at 0": OK,
        "write elsewhere": ADDRESS,
        "close session": SEQUENCE,
        "close track 1": SEQUENCE,
        "read 0": RANGE,
        "toc": FIELD,
        "full toc": FIELD,
        "cue sheet": SEQUENCE,
        "reserve": OK,
        "blank": OK,
        "sync": OK,
        "ready": OK,
    },
    "track open": {
        "write at 0": ADDRESS,
        "write elsewhere": ADDRESS,
        "close session": SEQUENCE,
        "close track 1": OK,
        "read 0": SEQUENCE,
        "toc": FIELD,
        "full toc": FIELD,
        "cue sheet": SEQUENCE,
        "reserve": SEQUENCE,
        "blank": SEQUENCE,
        "sync": OK,
        "ready": OK,
    },
    "track closed": {
        "write at 0": ADDRESS,
        "write elsewhere": ADDRESS,
        "close session": OK,
        "close track 1": OK,
        "read 0": OK,
        "toc": FIELD,
        "full toc": FIELD,
        "cue sheet": SEQUENCE,
        "reserve": OK,
        "blank": OK,
        "sync": OK,
        "ready": OK,
    },
    "appendable": {
        "write at 0": ADDRESS,
        "write elsewhere": ADDRESS,
        "close session": SEQUENCE,
        "close track 1": SEQUENCE,
        "read 0": OK,
        "toc": OK,
        "full toc": OK,
        "cue sheet": SEQUENCE,
        "reserve": OK,
        "blank": OK,
        "sync": OK,
        "ready": OK,
    },
    "complete": {
        "write at 0": COMPLETE,
        "write elsewhere": COMPLETE,
        "close session": SEQUENCE,
        "close track 1": SEQUENCE,
        "read 0": OK,
        "toc": OK,
        "full toc": OK,
        "cue sheet": COMPLETE,
        "reserve": COMPLETE,
        "blank": OK,
        "sync": OK,
        "ready": OK,
    },
}


def _open_track(host: Host) -> None:
    host.select(TAO_DATA)
    host.write(0, 300, data(300, 1))


def _closed_track(host: Host) -> None:
    _open_track(host)
    host.run("5b000100000100000000")


def _appendable(host: Host) -> None:
    _closed_track(host)
    host.run("5b000200000000000000")


def _complete(host: Host) -> None:
    _closed_track(host)
    host.select(WriteParameters(write_type=WriteType.TAO, control=4, block_type=8))
    host.run("5b000200000000000000")


WAYS: dict[str, Callable[[Host], None]] = {
    "blank": lambda host: host.select(TAO_DATA),
    "track open": _open_track,
    "track closed": _closed_track,
    "appendable": _appendable,
    "complete": _complete,
}


@pytest.mark.parametrize("state", STATES)
def test_each_state_takes_what_it_may(state: str) -> None:
    for name, expected in STATES[state].items():
        with recorder() as host:
            WAYS[state](host)
            cdb, out = ASKED[name]
            answer = host.ask(cdb, out, 0 if out else 4096)
            sense = answer.sense
            told = (sense[2] & 15, sense[12], sense[13]) if answer.status == CHECK else None
            assert told == expected, f"{state}: {name}"


def test_a_cd_r_cannot_be_blanked() -> None:
    with recorder("cdr-short") as host:
        assert host.sense("a10100000000000000000000") == (5, 0x30, 6)


def test_the_toc_is_that_of_the_kernel() -> None:
    with recorder("cdr80") as host:
        image = audio_disc()
        host.burn_raw(image)
        disc = host.drive.medium and host.drive.medium.disc
        assert disc
        assert host.run("43000000000000100000"[:20], data_in=4096) == scsi_toc(disc)
        assert host.run("43000100000000100000"[:20], data_in=4096) == scsi_session_info(disc)
        assert host.run("43000200000000100000"[:20], data_in=4096) == scsi_full_toc(disc)
        msf = host.run("43020000000000100000"[:20], data_in=4096)
        assert msf[8:12] == bytes([0, 0, 2, 0])  # 00:02:00
        end = Msf.from_lba(image.disc.sessions[0].lead_out_lba)
        assert msf[-4:] == bytes((0, *end.parts()))
        mcn = host.run("42024002000000001800", data_in=24)
        assert mcn[9:22] == b"4006381333931"
        isrc = host.run("42024003000001001800", data_in=24)
        assert isrc[9:21] == b"USRC17607839"


def reserve(sectors: int) -> bytes:
    return bytes([0x53, 0, 0, 0, 0]) + sectors.to_bytes(4, "big") + b"\0"


def test_the_capacity_of_the_blank_holds() -> None:
    with recorder("cdr63") as host:
        host.select(WriteParameters(write_type=WriteType.TAO, control=4, block_type=8))
        last = 63 * 60 * 75 - 150
        assert host.sense(reserve(last - 1)) == (5, 0x63, 0)
        host.run(reserve(last - 2))
        track = host.run("52010000000100002400", data_in=36)
        assert int.from_bytes(track[24:28], "big") == last
        assert host.sense(reserve(1)) == (5, 0x63, 0)


def test_speeds_are_the_nearest_that_the_drive_has() -> None:
    with recorder() as host:
        host.run("bb00ffff02c400000000" + "0000")  # 4x
        page = host.run("5a002a00000000008c00", data_in=0x8C)[8:]
        assert int.from_bytes(page[28:30], "big") == 4 * 176
        found = host.run("ac000000000000000040" + "0300", data_in=2000)
        rates = [
            int.from_bytes(found[8 + at + 12 : 8 + at + 16], "big") // 176
            for at in range(0, len(found) - 8, 16)
        ]
        assert tuple(rates) == WRITE_SPEEDS


def test_configuration_names_what_can_be_written() -> None:
    with recorder("cdr80") as host:
        assert host.run("46000000000000000800", data_in=8)[6:8] == b"\0\x09"
        mastering = host.run("4602002e000000001000", data_in=16)
        assert mastering[8:10] == b"\0\x2e"
        assert mastering[10] & 1, "it is current on a blank"
        assert mastering[12] & 0x28 == 0x28, "session at once and raw"
        host.burn_raw(audio_disc())
        assert host.run("46000000000000000800", data_in=8)[6:8] == b"\0\x08"
        assert not host.run("4602002e000000001000", data_in=16)[10] & 1


def test_a_medium_change_is_told_once() -> None:
    with recorder() as host:
        host.drive.insert(blank=blank_named("cdr80"))
        assert host.sense(bytes(6)) == (6, 0x28, 0)
        event = host.run("4a010000100000000800", data_in=8)
        assert event[4] == 2, "new media"
        host.run(bytes(6))
        host.drive.remove()
        assert host.sense(bytes(6)) == (2, 0x3A, 1)
        host.run("1b0000000200")
        assert host.sense(bytes(6)) == (2, 0x3A, 2)


def test_a_locked_tray_stays_shut() -> None:
    with recorder() as host:
        host.run("1e0000000100")
        assert host.sense("1b0000000200") == (5, 0x53, 2)
        host.run("1e0000000000")
        host.run("1b0000000200")
        host.run("1b0000000300")
        assert host.sense(bytes(6)) == (6, 0x28, 0)
