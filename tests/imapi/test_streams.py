"""Streams: COM's own, ADO's, and IMAPI's ready-made ones."""

from __future__ import annotations

import io
import shutil
import tracemalloc
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rawcd.imapi import Dispatch, com_error, constants, pythoncom
from rawcd.imapi.streams import KEPT_IN_MEMORY

if TYPE_CHECKING:
    from pathlib import Path

ADO_CLOSED = 0x800A0E78 - (1 << 32)
ADO_CONTEXT = 0x800A0C93 - (1 << 32)
ADO_ARGUMENT = 0x800A0BB9 - (1 << 32)
ADO_OPENING = 0x800A0BBA - (1 << 32)
ADO_WRITING = 0x800A0BBC - (1 << 32)


def code_of(attempt: Any) -> int:
    with pytest.raises(com_error) as caught:
        attempt()
    return caught.value.hresult


def ado(data: bytes = b"") -> Any:
    stream = Dispatch("ADODB.Stream")
    stream.Type = constants.adTypeBinary
    stream.Open()
    if data:
        stream.Write(data)
        stream.Position = 0
    return stream


class ScriptStream:
    """A script's own IStream, as it writes one for win32com.server.util.wrap."""

    def __init__(self, data: bytes, *, tells: bool = True) -> None:
        self.file = io.BytesIO(data)
        self.tells = tells

    def Read(self, cb: int) -> bytes:
        return self.file.read(min(cb, 1000))  # fewer than asked for is allowed

    def Seek(self, offset: int, origin: int) -> int | None:
        place = self.file.seek(offset, origin)
        return place if self.tells or origin else None


# -- IStream -------------------------------------------------------------------------------------


def test_a_stream_of_its_own_does_what_istream_does() -> None:
    stream = pythoncom.CreateStreamOnHGlobal()
    assert stream.Write(b"hello world") == 11
    assert stream.Seek(-5, pythoncom.STREAM_SEEK_END) == 6
    assert stream.Read(100) == b"world"
    assert stream.Read(1) == b""
    stream.SetSize(5)
    stream.Seek(0)
    assert stream.Read(100) == b"hello"
    stream.SetSize(8)
    assert stream.Stat().cbSize == 8
    stream.Seek(0, 0)
    assert stream.Read(8) == b"hello\0\0\0"
    stream.Commit(0)
    stream.Revert()
    other = pythoncom.CreateStreamOnHGlobal()
    stream.Seek(1, 0)
    assert stream.CopyTo(other, 3) == 3
    other.Seek(0, 0)
    assert other.read() == b"ell"
    for attempt in (
        lambda: stream.LockRegion(0, 1, 1),
        lambda: stream.UnlockRegion(0, 1, 1),
        lambda: stream.Seek(0, 7),
        lambda: stream.Seek(-1, 0),
    ):
        assert code_of(attempt) == constants.STG_E_INVALIDFUNCTION
    assert code_of(stream.Clone) == constants.E_NOTIMPL
    assert code_of(lambda: stream.Read(-1)) == constants.E_INVALIDARG
    assert code_of(lambda: stream.SetSize(-1)) == constants.E_INVALIDARG
    assert code_of(lambda: stream.CopyTo(None, 1)) == constants.E_POINTER


def test_a_stream_is_a_file_object_of_python_s() -> None:
    stream = pythoncom.CreateStreamOnHGlobal()
    shutil.copyfileobj(io.BytesIO(b"abc" * 1000), stream)
    stream.seek(0)
    out = io.BytesIO()
    shutil.copyfileobj(stream, out)
    assert out.getvalue() == b"abc" * 1000
    assert stream.tell() == 3000


def test_no_place_is_too_far_for_a_code() -> None:
    stream = pythoncom.CreateStreamOnHGlobal()
    far = (1 << 63) - 1
    for attempt in (
        lambda: stream.Seek(far, 0) and stream.Seek(far, 1),
        lambda: stream.Seek(1 << 63, 0),
        lambda: stream.SetSize(far),
        lambda: stream.Seek(far, 0) and stream.Write(b"x"),
        lambda: Dispatch("IMAPI2.MsftStreamZero").Seek(far, 2),
    ):
        assert code_of(attempt) < 0
    stream.Seek(0, 0)
    assert stream.Write(b"whole") == 5


def test_a_gap_before_what_is_written_takes_no_memory() -> None:
    stream = pythoncom.CreateStreamOnHGlobal()
    stream.Write(b"head")
    tracemalloc.start()
    stream.Seek(KEPT_IN_MEMORY * 8, 0)
    stream.Write(b"tail")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < KEPT_IN_MEMORY
    assert stream.Stat()[2] == KEPT_IN_MEMORY * 8 + 4
    stream.Seek(0, 0)
    assert stream.Read(6) == b"head\0\0"
    stream.Seek(-6, 2)
    assert stream.Read(9) == b"\0\0tail"


@pytest.mark.parametrize("tells", [True, False])
def test_every_kind_of_stream_becomes_a_track(tells: bool, tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    samples = rng.integers(0, 256, 2352 * 300, np.uint8).tobytes()
    path = tmp_path / "samples.wav"  # no sound file: samples alone, whatever it is called
    path.write_bytes(samples)
    own = pythoncom.CreateStreamOnHGlobal()
    own.Write(samples)
    loaded = ado()
    loaded.LoadFromFile(str(path))
    creator = Dispatch("IMAPI2.MsftRawCDImageCreator")
    with path.open("rb") as file:
        for each in (io.BytesIO(samples), file, own, loaded, ScriptStream(samples, tells=tells)):
            creator.AddTrack(0, each)
        image = creator.CreateResultImage()
        image.Seek(22_650 * 2448, 0)
        rows = np.frombuffer(image.Read(1_500 * 2448), np.uint8).reshape(1_500, 2448)
    assert rows[:, :2352].tobytes() == samples * 5


# -- ADODB.Stream --------------------------------------------------------------------------------


def test_ado_reads_and_writes_bytes() -> None:
    stream = Dispatch("adodb.stream")
    assert (stream.State, stream.Type, stream.Mode) == (0, constants.adTypeText, 0)
    stream.Type = constants.adTypeBinary
    stream.Mode = constants.adModeReadWrite
    stream.Open()
    assert (stream.State, stream.Size, stream.Position, stream.EOS) == (1, 0, 0, True)
    stream.Write(b"0123456789")
    stream.Write((10, 11))
    assert (stream.Position, stream.Size, stream.EOS) == (12, 12, True)
    assert stream.Read() is None, "Null at the end"
    stream.Position = 8
    assert stream.Read(1) == b"8"
    assert stream.EOS is False
    assert stream.Read(constants.adReadAll) == b"9\n\v"
    stream.Position = 4
    stream.SetEOS()
    assert stream.Size == 4
    stream.Position = 6
    assert stream.Size == 6
    stream.Position = 1 << 30  # a hole, no zeros written
    assert (stream.Size, stream.EOS) == (1 << 30, True)
    stream.Position = 6
    stream.SetEOS()
    stream.Position = 0
    target = ado()
    stream.CopyTo(target, 2)
    stream.CopyTo(target)
    assert target.Size == 6
    target.Position = 0
    assert target.Read() == b"0123\0\0"
    stream.Flush()
    stream.Close()
    assert stream.State == constants.adStateClosed


@pytest.mark.parametrize("iid", [pythoncom.IID_IStream, "ISequentialStream"])
def test_ado_is_an_istream_when_it_is_asked_for_one(iid: str) -> None:
    stream = ado(b"0123456789")
    stream.Position = 4
    other = stream.QueryInterface(iid)
    assert other.Read(3) == b"456", "from where the stream stands"
    assert stream.Position == 7
    assert other.Write(b"xy") == 2
    stream.Position = 0
    assert stream.Read() == b"0123456xy9"
    stream.Close()
    assert code_of(lambda: stream.QueryInterface(iid)) == ADO_CLOSED
    if iid == pythoncom.IID_IStream:
        fresh = ado(b"abc").QueryInterface(iid)
        assert fresh.Stat(1).cbSize == fresh.Seek(0, 2) == 3


@pytest.mark.parametrize("name", ["zeros", "image", "file", "script's own"])
def test_what_can_only_be_read_is_no_target(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_bytes(b"")
    with (tmp_path / "file").open("rb") as file:
        target = {
            "zeros": Dispatch("IMAPI2.MsftStreamZero"),
            "image": result_image(),
            "file": file,
            "script's own": ScriptStream(b""),
        }[name]
        for source in (ado(b"abc"), ado(b"abc").QueryInterface(pythoncom.IID_IStream)):
            assert code_of(lambda: source.CopyTo(target, 3)) == constants.STG_E_ACCESSDENIED  # noqa: B023 - called at once
            assert source.Read(3) == b"abc", "nothing was taken from it"


@pytest.mark.parametrize("name", ["Zero", "Concatenate", "Interleave"])
def test_a_ready_made_stream_goes_by_its_class(name: str) -> None:
    stream = Dispatch(f"IMAPI2.MsftStream{name}")
    if name == "Zero":
        stream.SetSize(300 * 2352 - 1)
    elif name == "Concatenate":
        stream.Initialize2([io.BytesIO(b"x")])
    else:
        stream.Initialize([io.BytesIO(b"x")], [1])
    assert stream.Stat(0).pwcsName == f"MsftStream{name}"
    assert stream.Stat(pythoncom.STATFLAG_NONAME).pwcsName is None


def result_image() -> Any:
    creator = Dispatch("IMAPI2.MsftRawCDImageCreator")
    creator.AddTrack(0, io.BytesIO(bytes(300 * 2352)))
    return creator.CreateResultImage()


def test_ado_has_its_own_codes() -> None:
    closed = Dispatch("ADODB.Stream")
    for attempt in (
        closed.Close,
        closed.SetEOS,
        lambda: closed.Size,
        lambda: closed.Position,
        lambda: closed.EOS,
        lambda: closed.LoadFromFile("x"),
        lambda: Dispatch("IMAPI2.MsftRawCDImageCreator").AddTrack(0, closed),
    ):
        assert code_of(attempt) == ADO_CLOSED
    closed.Open()
    assert code_of(lambda: closed.Write(b"x")) == ADO_CONTEXT, "it holds text"
    assert code_of(lambda: closed.Read()) == ADO_CONTEXT
    assert code_of(lambda: setattr(closed, "Mode", 1)) == ADO_CONTEXT
    assert code_of(lambda: setattr(closed, "Type", 3)) == ADO_ARGUMENT
    assert code_of(lambda: setattr(closed, "Position", -1)) == ADO_ARGUMENT
    assert code_of(closed.Open) == 0x800A0E79 - (1 << 32)
    assert code_of(lambda: closed.ReadText()) == constants.E_NOTIMPL
    reading = Dispatch("ADODB.Stream")
    reading.Type = 1
    reading.Open(Mode=constants.adModeRead)
    assert code_of(lambda: reading.Write(b"x")) == ADO_CONTEXT
    there = ado(b"abc")
    there.Position = 1
    assert code_of(lambda: setattr(there, "Type", 2)) == ADO_CONTEXT
    assert code_of(lambda: there.Read(-2)) == ADO_ARGUMENT
    assert code_of(lambda: there.CopyTo(None)) == ADO_ARGUMENT
    assert code_of(lambda: there.CopyTo(ado(), -2)) == ADO_ARGUMENT


def test_ado_loads_and_saves_files_whole(tmp_path: Path) -> None:
    data = bytes(range(256)) * (KEPT_IN_MEMORY // 256 + 10)  # beyond what is kept in memory
    source, target = tmp_path / "in.bin", tmp_path / "out.bin"
    source.write_bytes(data)
    stream = ado(b"lost")
    stream.LoadFromFile(str(source))
    assert (stream.Position, stream.Size) == (0, len(data))
    source.write_bytes(b"changed since: the stream has bytes of its own")
    stream.Position = 5
    stream.SaveToFile(str(target))
    assert target.read_bytes() == data
    assert stream.Position == 0
    assert code_of(lambda: stream.SaveToFile(str(target))) == ADO_WRITING
    small = ado(b"new")
    small.SaveToFile(str(target), constants.adSaveCreateOverWrite)
    assert target.read_bytes() == b"new"
    assert code_of(lambda: small.SaveToFile(str(target), 3)) == ADO_ARGUMENT
    assert code_of(lambda: small.SaveToFile(str(tmp_path / "none" / "x"))) == ADO_WRITING
    assert code_of(lambda: small.SaveToFile("")) == ADO_ARGUMENT
    for name in (str(tmp_path / "none"), str(tmp_path), "a\0b"):
        assert code_of(lambda name=name: small.LoadFromFile(name)) == ADO_OPENING
    assert small.Size == 3, "a failed load leaves what was there"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["in.bin", "out.bin"]


# -- ready-made ones -----------------------------------------------------------------------------


def test_zeros_without_end_and_with() -> None:
    zeros = Dispatch("IMAPI2.MsftStreamZero")
    assert zeros.Read(10) == bytes(10)
    assert zeros.Seek(1 << 40, 0) == 1 << 40
    assert zeros.Read(3) == bytes(3)
    zeros.SetSize(5)
    zeros.Seek(0, 0)
    assert zeros.Read(100) == bytes(5)
    twin = zeros.Clone()
    assert twin.Seek(0, 1) == 5
    assert code_of(lambda: zeros.SetSize(-1)) == constants.E_INVALIDARG


pieces = st.lists(st.binary(max_size=40), min_size=1, max_size=6)


@given(pieces, st.integers(0, 250), st.integers(0, 250))
def test_concatenated_streams_are_one_behind_the_other(
    parts: list[bytes], start: int, count: int
) -> None:
    whole = b"".join(parts)
    stream = Dispatch("IMAPI2.MsftStreamConcatenate")
    stream.Initialize2([io.BytesIO(part) for part in parts], len(parts))
    assert stream.Stat().cbSize == len(whole)
    stream.Seek(start, 0)
    assert stream.Read(count) == whole[start : start + count]
    stream.Seek(0, 0)
    assert stream.Read(1_000) == whole


def test_streams_are_appended() -> None:
    stream = Dispatch("IMAPI2.MsftStreamConcatenate")
    stream.Initialize(io.BytesIO(b"a"), ado(b"bc"))
    stream.Append(ScriptStream(b"d"))
    stream.Append2([io.BytesIO(b"ef"), io.BytesIO(b"never")], 1)
    assert stream.Read(100) == b"abcdef"
    inner = Dispatch("IMAPI2.MsftStreamConcatenate")
    inner.Initialize2([stream, io.BytesIO(b"g")])
    assert inner.Read(100) == b"abcdefg"
    for attempt in (
        lambda: stream.Initialize(None, io.BytesIO()),
        lambda: stream.Append(None),
        lambda: stream.Initialize2([]),
        lambda: stream.Initialize2(None),
    ):
        assert code_of(attempt) == constants.E_POINTER
    assert code_of(lambda: stream.Append2([io.BytesIO()], 2)) == constants.E_INVALIDARG
    assert code_of(lambda: stream.Append2(["x"])) == constants.DISP_E_TYPEMISMATCH


@given(
    st.integers(0, 12),
    st.lists(st.integers(1, 9), min_size=1, max_size=4),
    st.integers(0, 200),
    st.integers(0, 200),
)
def test_interleaved_streams_take_turns(
    rounds: int, sizes: list[int], start: int, count: int
) -> None:
    parts = [
        bytes((20 * number + place) % 256 for place in range(rounds * size))
        for number, size in enumerate(sizes)
    ]
    expected = b"".join(
        part[turn * size : (turn + 1) * size]
        for turn in range(rounds)
        for part, size in zip(parts, sizes, strict=True)
    )
    stream = Dispatch("IMAPI2.MsftStreamInterleave")
    stream.Initialize([io.BytesIO(part) for part in parts], sizes, len(sizes))
    assert stream.Stat().cbSize == len(expected)
    stream.Seek(start, 0)
    assert stream.Read(count) == expected[start : start + count]


def test_turns_longer_than_a_read() -> None:
    long, short = bytes(range(256)) * 8192, b"xyz"
    stream = Dispatch("IMAPI2.MsftStreamInterleave")
    stream.Initialize([io.BytesIO(long * 2), io.BytesIO(short * 2)], [len(long), 3])
    assert stream.Read(1 << 24) == (long + short) * 2


def test_interleaving_main_channel_and_subcode_gives_a_raw_image() -> None:
    rng = np.random.default_rng(2)
    main = rng.integers(0, 256, (50, 2352), np.uint8)
    sub = rng.integers(0, 256, (50, 96), np.uint8)
    stream = Dispatch("IMAPI2.MsftStreamInterleave")
    stream.Initialize([io.BytesIO(main.tobytes()), io.BytesIO(sub.tobytes())], (2352, 96), 2)
    assert stream.Read(50 * 2448) == np.hstack([main, sub]).tobytes()


def test_what_cannot_be_interleaved_is_refused() -> None:
    stream = Dispatch("IMAPI2.MsftStreamInterleave")
    two = [io.BytesIO(b"1234"), io.BytesIO(b"12")]
    for sizes in ([1, 1], [3, 1], [2, 0], [2]):
        assert code_of(lambda sizes=sizes: stream.Initialize(two, sizes)) == constants.E_INVALIDARG
    assert code_of(lambda: stream.Initialize([None], [1])) == constants.E_POINTER
    stream.Initialize(two, [2, 1])
    assert stream.Read(100) == b"121342"


def test_a_part_that_grew_shorter_is_told() -> None:
    part = io.BytesIO(b"12345")
    stream = Dispatch("IMAPI2.MsftStreamConcatenate")
    stream.Initialize(part, io.BytesIO(b"6"))
    part.truncate(2)
    assert code_of(lambda: stream.Read(10)) == constants.E_FAIL
