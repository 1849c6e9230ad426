"""What scripts do with pywin32 beside calling IMAPI's members."""

from __future__ import annotations

import array
import io
import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import rawcd.imapi as win32
from rawcd.hresults import HResult
from rawcd.imapi import VARIANT, Dispatch, com_error, constants, pythoncom, win32com

if TYPE_CHECKING:
    from pathlib import Path

SECTOR = 2352
SECONDS_4 = bytes(SECTOR * 300)
REDBOOK = "E3BC42CD-4E5C-11D3-9144-00104BA11C5E"


def code_of(attempt: Any) -> HResult:
    with pytest.raises(com_error) as caught:
        attempt()
    return HResult(caught.value.hresult)


def creator() -> Any:
    return Dispatch("IMAPI2.MsftRawCDImageCreator")


# -- values --------------------------------------------------------------------------------------


def test_a_variant_is_its_value() -> None:
    image = creator()
    image.StartingTrackNumber = VARIANT(pythoncom.VT_I4, 7)
    image.DisableGaplessAudio = win32com.client.VARIANT(pythoncom.VT_BOOL, True)
    assert (image.StartingTrackNumber, image.DisableGaplessAudio) == (7, True)
    assert image.AddTrack(VARIANT(pythoncom.VT_I4, 0), io.BytesIO(SECONDS_4)) == 1
    data = VARIANT(pythoncom.VT_ARRAY | pythoncom.VT_UI1, [1, 2, 255])
    assert (data.varianttype, repr(data)) == (0x2011, "VARIANT(8209, [1, 2, 255])")
    stream = pythoncom.CreateStreamOnHGlobal()
    assert stream.Write(data) == 3
    wrong = VARIANT(pythoncom.VT_I4, "x")
    assert code_of(lambda: image.TrackInfo(wrong)) == HResult.DISP_E_TYPEMISMATCH


@pytest.mark.parametrize(
    "data",
    [
        b"\1\0\2\0",
        bytearray(b"\1\0\2\0"),
        memoryview(b"\1-\0-\2-\0-")[::2],
        array.array("H", [1, 2]),
        np.array([1, 2], np.uint16),
        np.array([1, 9, 2, 9], np.uint16)[::2],
        [1, 0, 2, 0],
        (1, 0, 2, 0),
    ],
    ids=["bytes", "bytearray", "memoryview", "array", "ndarray", "strided", "list", "tuple"],
)
def test_what_holds_bytes_is_written(data: Any) -> None:
    stream = pythoncom.CreateStreamOnHGlobal()
    assert stream.Write(data) == 4
    stream.Seek(0)
    assert stream.Read(9) == b"\1\0\2\0"


@pytest.mark.parametrize("data", ["text", None, 5, 2.5, [256], [-1], [b"x"], {1}, iter(b"x")])
def test_what_holds_none_is_refused(data: Any) -> None:
    stream = pythoncom.CreateStreamOnHGlobal()
    assert code_of(lambda: stream.Write(data)) == HResult.DISP_E_TYPEMISMATCH
    assert stream.Stat()[2] == 0


# -- objects -------------------------------------------------------------------------------------


def test_an_object_is_asked_for_the_interface_that_is_wanted(tmp_path: Path) -> None:
    recorder = Dispatch("IMAPI2.MsftDiscRecorder2")
    recorder.InitializeDiscRecorder(f"virtual:{tmp_path / 'disc.raw'}")
    raw = win32.CastTo(recorder, "IDiscRecorder2Ex")
    writer = Dispatch("IMAPI2.MsftDiscFormat2RawCD")
    assert writer.IsRecorderSupported(raw)
    writer.Recorder = raw
    assert writer.Recorder == recorder
    wrong = Dispatch("IMAPI2.MsftDiscFormat2Erase")
    assert code_of(lambda: writer.IsRecorderSupported(wrong)) == HResult.DISP_E_TYPEMISMATCH


def test_an_interface_goes_by_its_name_or_its_id() -> None:
    master = Dispatch("MSDiscMasterObj")
    master.Open()
    for spelling in (
        "IRedbookDiscMaster",
        REDBOOK,
        f"{{{REDBOOK.lower()}}}",
        pythoncom.MakeIID(REDBOOK),
    ):
        assert master.SetActiveDiscMasterFormat(spelling)._interface_.name == "IRedbookDiscMaster"
    for spelling in ("IDiscMaster", "IStorage", "", REDBOOK[:-1]):
        attempt = lambda: master.SetActiveDiscMasterFormat(spelling)  # noqa: B023, E731  # called at once
        assert code_of(attempt) == HResult.E_NOINTERFACE
    master.Close()


def test_an_object_comes_into_another_thread() -> None:
    image = creator()
    packed = pythoncom.CoMarshalInterThreadInterfaceInStream(
        pythoncom.IID_IDispatch, image._oleobj_
    )
    seen: list[int] = []

    def work() -> None:
        pythoncom.CoInitialize()
        there = pythoncom.CoGetInterfaceAndReleaseStream(packed, pythoncom.IID_IDispatch)
        seen.append(Dispatch(there).AddTrack(0, io.BytesIO(SECONDS_4)))
        pythoncom.CoUninitialize()

    worker = threading.Thread(target=work)
    worker.start()
    worker.join()
    assert seen == [image.NumberOfExistingTracks] == [1]
    attempt = pythoncom.CoMarshalInterThreadInterfaceInStream
    assert code_of(lambda: attempt(pythoncom.IID_IStream, image)) == HResult.E_NOINTERFACE
    assert code_of(lambda: attempt(pythoncom.IID_IStream, "text")) == HResult.E_POINTER


def test_what_has_events_beside_it_is_still_the_object(tmp_path: Path) -> None:
    class Events:
        def OnUpdate(self, sender: object, progress: object) -> None:
            """Take no note."""

    writer = win32.DispatchWithEvents("IMAPI2.MsftDiscFormat2RawCD", Events)
    plain = writer._oleobj_
    assert plain.QueryInterface(pythoncom.IID_IDispatch) == plain
    assert win32.CastTo(writer, "IDiscFormat2") == plain
    plain.ClientName = "told through the object"
    assert writer.ClientName == "told through the object"


# -- streams of the script's own -----------------------------------------------------------------


class ScriptStream:
    """An IStream as scripts write one; `broken` names the call that fails."""

    def __init__(self, data: bytes, broken: str = "", error: BaseException | None = None) -> None:
        self.file = io.BytesIO(data)
        self.broken = broken
        self.error = error

    def _fail(self, call: str) -> None:
        if call == self.broken and self.error is not None:
            raise self.error

    def Read(self, count: int) -> bytes:
        self._fail("Read")
        return self.file.read(count)

    def Seek(self, offset: int, origin: int) -> int:
        self._fail("Seek")
        return self.file.seek(offset, origin)


def test_a_stream_of_python_s_is_wrapped_as_pywin32_has_it() -> None:
    sound = bytes(range(1, 241)) * (SECTOR * 300 // 240)
    util = win32com.server.util
    streams = (
        util.wrap(ScriptStream(sound), pythoncom.IID_IStream),
        util.wrap(util.FileStream(io.BytesIO(sound)), pythoncom.IID_IStream),
        pythoncom.WrapObject(ScriptStream(sound), pythoncom.IID_IStream, pythoncom.IID_IStream),
        util.FileStream(io.BytesIO(sound)),
    )
    image = creator()
    for stream in streams:
        image.AddTrack(constants.IMAPI_CD_SECTOR_AUDIO, stream)
    result = image.CreateResultImage()
    result.Seek((22_500 + 150) * 2448, 0)
    first = result.Read(2448)
    assert first[:SECTOR] == sound[:SECTOR]
    for number in range(2, len(streams) + 1):
        result.Seek((22_650 + image.TrackInfo(number).StartingLba) * 2448, 0)
        assert result.Read(SECTOR) == sound[:SECTOR]


@pytest.mark.parametrize("call", ["Read", "Seek"])
@pytest.mark.parametrize(
    "error",
    [RuntimeError("gone"), TypeError("gone"), com_error(constants.E_NOTIMPL, "gone")],
    ids=lambda error: type(error).__name__,
)
def test_what_a_script_s_stream_raises_is_a_com_error(call: str, error: Exception) -> None:
    image = creator()

    with pytest.raises(com_error) as caught:
        image.AddTrack(0, ScriptStream(SECONDS_4, call, error))
    assert caught.value.hresult == HResult.E_FAIL
    assert caught.value.excepinfo is not None
    words = caught.value.excepinfo[2]
    assert words is not None
    assert all(word in words for word in ("ScriptStream", f"its {call} raised", "gone"))


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, SystemExit])
def test_what_ends_the_program_passes_through(interrupt: type[BaseException]) -> None:
    with pytest.raises(interrupt):
        creator().AddTrack(0, ScriptStream(SECONDS_4, "Seek", interrupt()))


@pytest.mark.parametrize("place", [-1, "0", 2.5, b""])
def test_a_seek_that_tells_no_place_is_told(place: Any) -> None:
    stream: Any = ScriptStream(SECONDS_4)
    stream.Seek = lambda offset, origin: place
    with pytest.raises(com_error, match="its Seek tells no place"):
        creator().AddTrack(0, stream)


@pytest.mark.parametrize("given", ["text", 5, [0, 0]])
def test_a_read_that_gives_no_bytes_is_told(given: Any) -> None:
    stream: Any = ScriptStream(SECONDS_4)
    stream.Read = lambda count: given
    with pytest.raises(com_error, match=f"its Read gave {type(given).__name__} instead of bytes"):
        creator().AddTrack(0, stream)


def test_arguments_have_pywin32_s_names() -> None:
    class Events:
        def OnUpdate(self, sender: object, progress: object) -> None:
            """Take no note."""

    writer = Dispatch(dispatch="IMAPI2.MsftDiscFormat2RawCD", clsctx=pythoncom.CLSCTX_ALL)
    heard = win32.WithEvents(disp=writer, user_event_class=Events)
    heard.close()
    assert isinstance(heard, Events)
    both = win32.DispatchWithEvents(clsid=writer, user_event_class=Events)
    assert win32.CastTo(ob=both, target="IDiscFormat2RawCD") == writer
    both.close()
    assert isinstance(both, Events)
