"""The rules by which COM calls an object, as scripts know them from pywin32."""

from __future__ import annotations

import copy
import io
import pickle
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import rawcd
import rawcd.imapi as win32
from rawcd.imapi import constants, pythoncom, pywintypes, win32com

SECONDS_4 = bytes(2352 * 300)


@pytest.fixture
def creator() -> Any:
    return win32.Dispatch("IMAPI2.MsftRawCDImageCreator")


@pytest.fixture
def track(creator: Any) -> Any:
    creator.AddTrack(0, io.BytesIO(SECONDS_4 * 4))
    return creator.TrackInfo(1)


def code_of(attempt: Any) -> tuple[int, int | None]:
    with pytest.raises(win32.com_error) as caught:
        attempt()
    assert caught.value.excepinfo is None, "the call never reached the object"
    return caught.value.hresult, caught.value.argerror


def test_every_way_to_import_leads_to_the_same() -> None:
    assert win32com.client.Dispatch is win32.Dispatch is win32.DispatchEx
    assert win32.client.Dispatch is win32.Dispatch, "import rawcd.imapi as win32com"
    assert win32com.client.gencache.EnsureDispatch is win32.Dispatch
    assert win32com.client.dynamic.Dispatch is win32.Dispatch
    assert pythoncom.com_error is pywintypes.com_error is win32.com_error is win32.ComError
    assert issubclass(win32.com_error, rawcd.RawCDError)
    pythoncom.CoInitialize()
    assert pythoncom.PumpWaitingMessages() == 0
    win32.gencache.EnsureModule("{2735412F-7F64-5B0F-8F00-5D77AFBE261E}", 0, 1, 0)
    pythoncom.CoUninitialize()


@pytest.mark.parametrize(
    "line",
    [
        "import win32com.client.gencache",
        "import win32com.client.dynamic",
        "from win32com.client.gencache import EnsureDispatch, EnsureModule",
        "from win32com.client.dynamic import Dispatch",
        "from win32com.client import Dispatch, DispatchEx, WithEvents, getevents, gencache",
    ],
)
def test_a_module_of_pywin32_s_has_its_place_below_ours(line: str) -> None:
    found: dict[str, Any] = {}
    exec(line.replace("win32com.client", "rawcd.imapi"), found)  # as a script's changed line does
    for name in {"Dispatch", "EnsureDispatch"} & found.keys():
        assert found[name]("IMAPI2.MsftRawCDImageCreator").NumberOfExistingTracks == 0


@pytest.mark.parametrize("make", [copy.copy, copy.deepcopy, pickle.dumps])
def test_an_object_is_no_value_to_be_copied(creator: Any, track: Any, make: Any) -> None:
    for it in (creator, track):
        with pytest.raises(TypeError, match=r"cannot be copied or pickled; make another"):
            make(it)
    assert make(win32.pythoncom.IID_IStream), "an id is one"


def test_codes_have_names_and_methods_need_no_flag(creator: Any) -> None:
    assert pythoncom.GetScodeString(-2136339965) == "E_IMAPI_RAW_IMAGE_NO_TRACKS"
    assert pythoncom.GetScodeString(0x80AA0A03) == "E_IMAPI_RAW_IMAGE_NO_TRACKS"
    assert pythoncom.GetScodeString(0x12345678) == "0x12345678"
    creator._FlagAsMethod("CreateResultImage")
    with pytest.raises(win32.com_error):
        creator.CreateResultImage()


@pytest.mark.parametrize("what", ["IMAPI2.MsftNothing", "", "{27354128-0000}", None, 3])
def test_an_unknown_class_is_a_wrong_class_string(what: object) -> None:
    assert code_of(lambda: win32.Dispatch(what)) == (constants.CO_E_CLASSSTRING, None)


def test_names_are_found_in_any_case(creator: Any, track: Any) -> None:
    creator.mediacatalogNUMBER = "4006381333931"
    assert creator.MEDIACATALOGNUMBER == creator.MediaCatalogNumber == "4006381333931"
    assert creator.trackinfo(1) == creator.TRACKINFO(1) == track
    assert track.tracknumber == 1


def test_an_unknown_member_is_an_attribute_error(creator: Any) -> None:
    with pytest.raises(AttributeError, match="Nonsense"):
        _ = creator.Nonsense
    with pytest.raises(AttributeError, match="can not be set"):
        creator.Nonsense = 1
    assert not hasattr(creator, "add_track"), "our own spelling is not COM's"


@pytest.mark.parametrize(
    "name", ["StartOfLeadout", "TrackInfo", "AddTrack", "NumberOfExistingTracks"]
)
def test_what_can_only_be_read_cannot_be_put(creator: Any, name: str) -> None:
    with pytest.raises(AttributeError, match=f"{name}' can not be set"):
        setattr(creator, name, 1)


def test_methods_are_called_and_properties_are_not(creator: Any) -> None:
    assert callable(creator.CreateResultImage)
    with pytest.raises(TypeError, match="not callable"):
        creator.NumberOfExistingTracks()
    assert creator.NumberOfExistingTracks == 0
    with pytest.raises(TypeError, match="call it"):
        creator.AddTrack[0]


def test_an_indexed_property_is_called_or_indexed(creator: Any, track: Any) -> None:
    assert creator.TrackInfo(1) == creator.TrackInfo[1] == track
    assert hash(creator.TrackInfo[1]) == hash(track)
    assert creator.TrackInfo(trackIndex=1) == track
    assert creator != track
    assert creator


def test_arguments_by_name(creator: Any) -> None:
    assert creator.AddTrack(data=io.BytesIO(SECONDS_4), DATATYPE=0) == 1
    wrong = code_of(lambda: creator.AddTrack(0, stream=io.BytesIO(SECONDS_4)))
    assert wrong == (constants.DISP_E_BADPARAMCOUNT, None)
    stream = io.BytesIO(SECONDS_4)
    assert code_of(lambda: creator.AddTrack(0, stream, rate=1)) == (
        constants.DISP_E_UNKNOWNNAME,
        None,
    )
    assert code_of(lambda: creator.AddTrack(0, stream, data=stream)) == (
        constants.DISP_E_BADPARAMCOUNT,
        None,
    )


@pytest.mark.parametrize("arguments", [(), (0,), (0, None, None), (pythoncom.Missing, None)])
def test_too_few_and_too_many_arguments(creator: Any, arguments: tuple[object, ...]) -> None:
    assert code_of(lambda: creator.AddTrack(*arguments)) == (constants.DISP_E_BADPARAMCOUNT, None)


@pytest.mark.parametrize(
    ("arguments", "code", "place"),
    [
        (("x", None), "DISP_E_TYPEMISMATCH", 1),
        ((None, None), "DISP_E_TYPEMISMATCH", 1),
        (([0], None), "DISP_E_TYPEMISMATCH", 1),
        ((1 << 32, None), "DISP_E_OVERFLOW", 1),
        ((-(1 << 31) - 1, None), "DISP_E_OVERFLOW", 1),
        ((float("inf"), None), "DISP_E_OVERFLOW", 1),
        ((float("nan"), None), "DISP_E_OVERFLOW", 1),
        ((0, "01.wav"), "DISP_E_TYPEMISMATCH", 2),
        ((0, b"samples"), "DISP_E_TYPEMISMATCH", 2),
        ((0, 5), "DISP_E_TYPEMISMATCH", 2),
    ],
)
def test_a_wrong_argument_is_told_by_its_place(
    creator: Any, arguments: tuple[object, ...], code: str, place: int
) -> None:
    assert code_of(lambda: creator.AddTrack(*arguments)) == (getattr(constants, code), place)
    assert creator.NumberOfExistingTracks == 0


def test_values_change_their_type_as_automation_has_it(creator: Any) -> None:
    creator.StartingTrackNumber = "12"
    assert creator.StartingTrackNumber == 12
    creator.StartingTrackNumber = 6.5
    assert creator.StartingTrackNumber == 6, "to the even neighbour"
    for value, seen in ((1, True), (0, False), (-1, True), ("True", True), ("false", False)):
        creator.DisableGaplessAudio = value
        assert creator.DisableGaplessAudio is seen
    creator.MediaCatalogNumber = 4006381333931
    assert creator.MediaCatalogNumber == "4006381333931"
    for wrong in ([], b"1", object(), None):
        attempt = partial(setattr, creator, "DisableGaplessAudio", wrong)
        assert code_of(attempt) == (constants.DISP_E_TYPEMISMATCH, 1)


@given(
    st.one_of(st.none(), st.integers(), st.floats(), st.text(), st.binary(), st.lists(st.none()))
)
def test_any_value_is_taken_or_refused_with_a_code(value: object) -> None:
    creator, sound = win32.Dispatch("IMAPI2.MsftRawCDImageCreator"), io.BytesIO(SECONDS_4)
    creator.AddTrack(0, sound)
    track = creator.TrackInfo(1)
    for attempt in (
        lambda: setattr(creator, "StartingTrackNumber", value),
        lambda: setattr(creator, "MediaCatalogNumber", value),
        lambda: setattr(track, "ISRC", value),
        lambda: setattr(track, "AudioHasPreemphasis", value),
        lambda: track.AddTrackIndex(value),
        lambda: creator.TrackInfo(value),
        lambda: creator.AddTrack(value, sound),
        lambda: creator.AddTrack(0, value),
        lambda: creator.AddSubcodeRWGenerator(value),
    ):
        failed: win32.com_error | None = None
        try:
            attempt()
        except win32.com_error as error:
            failed = error
        if failed is not None:
            assert failed.hresult < 0
            assert win32.last_hresult() == failed.hresult & 0xFFFFFFFF


def test_an_error_is_pywin32_s_in_all_its_parts(creator: Any) -> None:
    with pytest.raises(pywintypes.com_error) as caught:
        creator.CreateResultImage()
    hresult, strerror, excepinfo, argerror = caught.value.args
    code = constants.E_IMAPI_RAW_IMAGE_NO_TRACKS
    assert (hresult, strerror, argerror) == (code, "E_IMAPI_RAW_IMAGE_NO_TRACKS", None)
    assert excepinfo[:2] == (0, "IMAPI2.MsftRawCDImageCreator")
    assert excepinfo[3:] == (None, 0, code)
    assert isinstance(caught.value.__cause__, rawcd.AuthoringError)
    assert str(caught.value) == str(caught.value.args)


def test_a_source_of_sound_that_fails_has_its_system_s_code(creator: Any) -> None:
    closed = io.BytesIO(SECONDS_4)
    closed.close()
    with pytest.raises(win32.com_error) as caught:
        creator.AddTrack(0, closed)
    assert caught.value.hresult < 0
    assert isinstance(caught.value.__cause__, rawcd.StorageError)


def test_success_codes_are_kept(track: Any) -> None:
    track.AddTrackIndex(100)
    assert win32.last_hresult() == rawcd.HResult.S_OK
    track.AddTrackIndex(100)
    assert win32.last_hresult() == rawcd.HResult.S_IMAPI_RAW_IMAGE_TRACK_INDEX_ALREADY_EXISTS
    _ = track.ISRC
    assert win32.last_hresult() == rawcd.HResult.S_OK


def test_the_creator_is_strict(creator: Any) -> None:
    with pytest.raises(win32.com_error):
        creator.AddTrack(0, io.BytesIO(SECONDS_4 + b"tail"))


def test_other_interfaces_of_an_object(creator: Any) -> None:
    stream = pythoncom.CreateStreamOnHGlobal()
    assert stream.QueryInterface(pythoncom.IID_IStream, pythoncom.IID_IStream) is stream
    assert stream._oleobj_.QueryInterface("{0000000c-0000-0000-c000-000000000046}") is stream
    assert creator.QueryInterface(pythoncom.IID_IDispatch) is creator
    assert win32.CastTo(creator, "IRawCDImageCreator") is creator
    with pytest.raises(win32.com_error) as caught:
        creator.QueryInterface(pythoncom.IID_IStream)
    assert caught.value.hresult == constants.E_NOINTERFACE
    recorder = win32.Dispatch("IMAPI2.MsftDiscRecorder2")
    raw = win32.CastTo(recorder, "IDiscRecorder2Ex")
    assert callable(raw.SendCommandNoData)
    assert win32.CastTo(raw, "IDiscRecorder2") == recorder
    writer = win32.Dispatch("IMAPI2.MsftDiscFormat2RawCD")
    assert win32.CastTo(writer, "IDiscFormat2") is writer, "its members are the writer's, too"
    assert stream.QueryInterface(pythoncom.IID_ISequentialStream) is stream


def test_an_object_of_another_interface_is_a_type_mismatch(creator: Any) -> None:
    writer = win32.Dispatch("IMAPI2.MsftDiscFormat2RawCD")
    wrong = constants.DISP_E_TYPEMISMATCH, 1
    assert code_of(lambda: writer.IsRecorderSupported(creator)) == wrong
    assert code_of(lambda: setattr(writer, "Recorder", "virtual:a")) == wrong
    assert code_of(lambda: creator.AddSpecialPregap(creator)) == wrong
    with pytest.raises(win32.com_error) as caught:
        writer.IsRecorderSupported(None)
    assert caught.value.hresult == constants.E_POINTER


def test_the_default_member_and_items(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setenv("RAWCD_RECORDERS", f"virtual:{tmp_path}/a;virtual:{tmp_path}/b")
    master = win32.Dispatch("IMAPI2.MsftDiscMaster2")
    names = [f"virtual:{tmp_path}/a", f"virtual:{tmp_path}/b"]
    found = list(master)
    assert found[-2:] == names
    assert len(master) == master.Count == len(found)
    last = master.Count - 1
    assert master(last) == master[last] == master.Item(last) == master.Item[last] == names[1]
    with pytest.raises(win32.com_error) as caught:
        master.Item(master.Count)
    assert caught.value.hresult == constants.E_INVALIDARG
    recorder = win32.Dispatch("IMAPI2.MsftDiscRecorder2")
    recorder.InitializeDiscRecorder(master.Item(last))
    assert recorder() == recorder.ActiveDiscRecorder == names[1]


def test_what_has_no_default_or_items_says_so(creator: Any) -> None:
    assert code_of(lambda: creator(1)) == (constants.DISP_E_MEMBERNOTFOUND, None)
    for attempt in (lambda: creator[1], lambda: len(creator), lambda: iter(creator)):
        with pytest.raises(TypeError):
            attempt()
