"""IMAPI 2's recorders and writers through their own face: states, events, codes, raw access."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pytest

import rawcd
import rawcd.imapi as win32
from rawcd.hresults import HResult
from rawcd.imapi import com_error, constants, last_hresult

if TYPE_CHECKING:
    from pathlib import Path

SECTOR = 2352


@pytest.fixture
def recorder(tmp_path: Path) -> Any:
    return recorder_of(f"virtual:{tmp_path / 'disc.raw'}")


def recorder_of(name: str) -> Any:
    recorder = win32.Dispatch("IMAPI2.MsftDiscRecorder2")
    recorder.InitializeDiscRecorder(name)
    return recorder


def image_of(sectors: int = 300) -> Any:
    creator = win32.Dispatch("IMAPI2.MsftRawCDImageCreator")
    creator.AddTrack(0, io.BytesIO(bytes(SECTOR * sectors)))
    return creator.CreateResultImage()


def writer_on(recorder: Any, progid: str = "IMAPI2.MsftDiscFormat2RawCD") -> Any:
    writer = win32.Dispatch(progid)
    writer.Recorder = recorder
    writer.ClientName = "test"
    return writer


def code_of(attempt: Any) -> str:
    with pytest.raises(com_error) as caught:
        attempt()
    return HResult(caught.value.hresult & 0xFFFFFFFF).name


def put(it: Any, name: str, value: object) -> Any:
    return lambda: setattr(it, name, value)


def got(it: Any, name: str) -> Any:
    return lambda: getattr(it, name)


# -- recorders -----------------------------------------------------------------------------------


def test_a_recorder_must_be_initialised() -> None:
    recorder = win32.Dispatch("IMAPI2.MsftDiscRecorder2")
    for member in recorder._interface_.members:
        if not member.is_call:
            assert code_of(got(recorder, member.name)) == "E_INVALID_HANDLE", member.name
    assert code_of(lambda: recorder.InitializeDiscRecorder("no such")) == "E_INVALIDARG"


def test_what_a_recorder_says(recorder: Any, tmp_path: Path) -> None:
    assert (recorder.VendorId.strip(), recorder.ProductId.strip()) == ("RAWCD", "VIRTUAL RECORDER")
    assert recorder.ActiveDiscRecorder == f"virtual:{tmp_path / 'disc.raw'}"
    assert recorder.VolumePathNames == (recorder.VolumeName,)
    assert constants.IMAPI_PROFILE_TYPE_CD_RECORDABLE in recorder.CurrentProfiles
    assert constants.IMAPI_FEATURE_PAGE_TYPE_CD_MASTERING in recorder.SupportedFeaturePages
    assert constants.IMAPI_MODE_PAGE_TYPE_WRITE_PARAMETERS in recorder.SupportedModePages
    for array in (recorder.SupportedProfiles, recorder.CurrentFeaturePages):
        assert type(array) is tuple
        assert {type(each) for each in array} == {int}
    recorder.AcquireExclusiveAccess(False, "me")
    assert recorder.ExclusiveAccessOwner == "me"
    recorder.ReleaseExclusiveAccess()
    recorder.ReleaseExclusiveAccess()
    assert last_hresult() == HResult.S_FALSE, "it was not held any more"
    wrong = "E_IMAPI_RECORDER_CLIENT_NAME_IS_NOT_VALID"
    assert code_of(lambda: recorder.AcquireExclusiveAccess(False, "")) == wrong
    recorder.DisableMcn()
    recorder.EnableMcn()


def test_raw_access_to_a_drive(recorder: Any) -> None:
    recorder.AcquireExclusiveAccess(False, "raw")
    drive = win32.CastTo(recorder, "IDiscRecorder2Ex")
    drive.SendCommandNoData(bytes(6))  # the drive has something to say first
    inquiry = bytes([0x12, 0, 0, 0, 36, 0])
    sense, data = drive.SendCommandGetDataFromDevice(inquiry, 36)
    assert (sense, data[0] & 31, data[8:16].strip()) == (b"", 5, b"RAWCD")
    assert last_hresult() == HResult.S_OK
    sense, data = drive.SendCommandNoData(bytes([0xEE] * 6), 5)
    assert (sense[2] & 15, data) == (5, b""), "illegal request"
    assert last_hresult() == HResult.S_IMAPI_COMMAND_HAS_SENSE_DATA
    page = drive.GetModePage(
        constants.IMAPI_MODE_PAGE_TYPE_WRITE_PARAMETERS,
        constants.IMAPI_MODE_PAGE_REQUEST_TYPE_CURRENT_VALUES,
    )
    assert page[0] & 0x3F == 5
    drive.SetModePage(constants.IMAPI_MODE_PAGE_REQUEST_TYPE_CURRENT_VALUES, page)
    information = drive.GetDiscInformation()
    assert information[2] & 3 == 0, "blank"
    assert drive.GetTrackInformation(1, constants.IMAPI_READ_TRACK_ADDRESS_TYPE_TRACK)
    feature = drive.GetFeaturePage(constants.IMAPI_FEATURE_PAGE_TYPE_CD_MASTERING, False)
    assert feature[:2] == b"\0\x2e"
    assert drive.GetByteAlignmentMask() == 0
    assert drive.GetMaximumPageAlignedTransferSize() > 2448
    assert code_of(lambda: drive.GetModePage(0x3E)) == "E_IMAPI_RECORDER_NO_SUCH_MODE_PAGE"
    assert code_of(drive.ReadDvdStructure) == "E_NOTIMPL"
    recorder.ReleaseExclusiveAccess()


# -- the raw writer's frame ----------------------------------------------------------------------


def test_what_wants_prepared_media_says_so(recorder: Any) -> None:
    writer = writer_on(recorder)
    wanted = "E_IMAPI_DF2RAW_MEDIA_IS_NOT_PREPARED"
    for attempt in (
        got(writer, "RequestedSectorType"),
        put(writer, "RequestedSectorType", 2),
        put(writer, "BufferUnderrunFreeDisabled", True),
        got(writer, "StartOfNextSession"),
        got(writer, "LastPossibleStartOfLeadout"),
        lambda: writer.WriteMedia(image_of()),
        lambda: writer.WriteMedia2(image_of(), 22_500),
        writer.ReleaseMedia,
    ):
        assert code_of(attempt) == wanted
    assert code_of(writer.CancelWrite) == "E_IMAPI_DF2RAW_WRITE_NOT_IN_PROGRESS"


def test_what_wants_a_recorder_or_a_name_says_so(recorder: Any) -> None:
    writer = win32.Dispatch("IMAPI2.MsftDiscFormat2RawCD")
    assert writer.Recorder is None
    assert code_of(writer.PrepareMedia) == "E_IMAPI_DF2RAW_NO_RECORDER_SPECIFIED"
    assert code_of(lambda: writer.SetWriteSpeed(75, False)) == "E_IMAPI_RECORDER_REQUIRED"
    writer.Recorder = recorder
    assert writer.Recorder == recorder
    assert code_of(writer.PrepareMedia) == "E_IMAPI_DF2RAW_CLIENT_NAME_IS_NOT_VALID"
    assert code_of(put(writer, "ClientName", "")) == "E_IMAPI_DF2RAW_CLIENT_NAME_IS_NOT_VALID"


def test_a_prepared_disc(recorder: Any) -> None:
    writer = writer_on(recorder)
    assert (writer.MediaPhysicallyBlank, writer.MediaHeuristicallyBlank) == (True, True)
    assert writer.SupportedMediaTypes == (
        constants.IMAPI_MEDIA_TYPE_CDR,
        constants.IMAPI_MEDIA_TYPE_CDRW,
    )
    writer.PrepareMedia()
    try:
        assert code_of(writer.PrepareMedia) == "E_IMAPI_DF2RAW_MEDIA_IS_PREPARED"
        assert code_of(put(writer, "Recorder", recorder)) == "E_IMAPI_DF2RAW_MEDIA_IS_PREPARED"
        assert code_of(put(writer, "ClientName", "x")) == "E_IMAPI_DF2RAW_MEDIA_IS_PREPARED"
        assert writer.RequestedSectorType == constants.IMAPI_FORMAT2_RAW_CD_SUBCODE_IS_COOKED
        assert writer.SupportedSectorTypes == (1, 2, 3)
        writer.RequestedSectorType = constants.IMAPI_FORMAT2_RAW_CD_SUBCODE_IS_RAW
        assert writer.StartOfNextSession < 0
        assert writer.LastPossibleStartOfLeadout > 300_000
        assert code_of(put(writer, "RequestedSectorType", 7)) == "E_INVALIDARG"
        assert code_of(lambda: writer.WriteMedia(None)) == "E_POINTER"
        wrong = io.BytesIO(b"no image")
        assert code_of(lambda: writer.WriteMedia(wrong)) == "E_IMAPI_DF2RAW_STREAM_NOT_SUPPORTED"
        writer.WriteMedia2(Data=image_of_kind(3), StreamLeadInSectors=22_500)
    finally:
        writer.ReleaseMedia()
    assert writer.MediaPhysicallyBlank is False
    assert code_of(writer.PrepareMedia) == "E_IMAPI_DF2RAW_MEDIA_IS_NOT_BLANK"


def image_of_kind(kind: int) -> Any:
    creator = win32.Dispatch("IMAPI2.MsftRawCDImageCreator")
    creator.ResultingImageType = kind
    creator.AddTrack(0, io.BytesIO(bytes(SECTOR * 300)))
    return creator.CreateResultImage()


def test_speeds(recorder: Any) -> None:
    writer = writer_on(recorder)
    speeds = writer.SupportedWriteSpeeds
    assert max(speeds) == writer.CurrentWriteSpeed
    described = writer.SupportedWriteSpeedDescriptors
    assert {each.WriteSpeed for each in described} == set(speeds)
    assert {each.MediaType for each in described} == {constants.IMAPI_MEDIA_TYPE_CDR}
    assert {type(each.RotationTypeIsPureCAV) for each in described} == {bool}
    assert writer.RequestedWriteSpeed == -1
    writer.SetWriteSpeed(0xFFFFFFFF, False)
    assert last_hresult() == HResult.S_OK
    writer.SetWriteSpeed(min(speeds) + 1)
    assert last_hresult() == HResult.S_IMAPI_SPEEDADJUSTED
    assert writer.CurrentWriteSpeed == min(speeds)
    assert writer.RequestedWriteSpeed == min(speeds) + 1
    assert writer.RequestedRotationTypeIsPureCAV is False


def test_an_empty_drive(tmp_path: Path) -> None:
    recorder = recorder_of(f"virtual:{tmp_path / 'disc.raw'}?empty=1")
    writer = writer_on(recorder)
    assert writer.IsRecorderSupported(recorder) is True
    wanted = "E_IMAPI_RECORDER_MEDIA_NO_MEDIA"
    assert code_of(lambda: writer.IsCurrentMediaSupported(recorder)) == wanted
    assert writer.CurrentPhysicalMediaType == constants.IMAPI_MEDIA_TYPE_UNKNOWN


# -- events --------------------------------------------------------------------------------------


class Telling:
    """What a script's class of events may look like."""

    def __init__(self) -> None:
        self.seen: list[tuple[int, int]] = []
        self.writer: Any = None

    def OnUpdate(self, source: Any, progress: Any) -> None:
        progress = win32.CastTo(progress, "IDiscFormat2RawCDEventArgs")
        assert progress.FreeSystemBuffer == progress.TotalSystemBuffer - progress.UsedSystemBuffer
        assert progress.StartLba < 0
        assert progress.LastWrittenLba <= progress.StartLba + progress.SectorCount
        self.seen.append((progress.CurrentAction, progress.LastReadLba))
        self.writer = source


class Plain:
    """An object with Update, as IMAPI names it."""

    seen = 0

    def Update(self, source: object, progress: object) -> None:
        self.seen += 1


def burned(writer: Any) -> None:
    writer.PrepareMedia()
    try:
        writer.WriteMedia(image_of())
    finally:
        writer.ReleaseMedia()


def test_with_events(recorder: Any) -> None:
    writer = writer_on(recorder)
    events = win32.WithEvents(writer, Telling)
    plain = Plain()
    assert win32.WithEvents(writer, plain) is plain
    silent = win32.WithEvents(writer, Telling)
    silent.close()
    silent.close()
    burned(writer)
    assert isinstance(events, Telling)
    actions = [action for action, _ in events.seen]
    assert sorted(set(actions)) == [1, 2, 3]
    assert actions == sorted(actions)
    assert events.writer == writer
    assert plain.seen == len(events.seen)
    assert not silent.seen


def test_dispatch_with_events(recorder: Any) -> None:
    class Counting:
        def __init__(self) -> None:
            self.actions: list[int] = []
            self.cancelled = False

    class Both(Counting):
        def OnUpdate(self, source: Any, progress: Any) -> None:
            self.actions.append(progress.CurrentAction)
            if progress.CurrentAction == constants.IMAPI_FORMAT2_RAW_CD_WRITE_ACTION_WRITING:
                self.CancelWrite()  # type: ignore[attr-defined]  # it is the writer, too
                self.cancelled = True

    writer = win32.DispatchWithEvents("IMAPI2.MsftDiscFormat2RawCD", Both)
    writer.Recorder = recorder
    writer.clientname = "both"
    assert writer.ClientName == "both"
    assert writer.Recorder == recorder
    with pytest.raises(AttributeError):
        _ = writer.Nonsense
    assert win32.Dispatch(writer).ClientName == "both"
    assert code_of(lambda: burned(writer)) == "E_IMAPI_REQUEST_CANCELLED"
    assert writer.cancelled
    assert constants.IMAPI_FORMAT2_RAW_CD_WRITE_ACTION_WRITING in writer.actions
    writer.close()


def test_a_handler_that_fails_is_told_of_and_the_burn_goes_on(
    recorder: Any, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    class Broken:
        def OnUpdate(self, source: object, progress: object) -> None:
            raise ZeroDivisionError("my own fault")

    writer = writer_on(recorder)
    win32.WithEvents(writer, Broken)
    burned(writer)
    assert "my own fault" in capsys.readouterr().err
    assert len(rawcd.open_image(tmp_path / "disc.raw").disc.tracks) == 1


def test_a_sink_that_inherits_what_getevents_gives(recorder: Any, tmp_path: Path) -> None:
    base: Any = win32.getevents("IMAPI2.MsftDiscFormat2RawCD")

    class Progress(base):  # type: ignore[misc]  # made when it is asked for
        def OnUpdate(self, source: Any, progress: Any) -> None:
            actions.append(progress.CurrentAction)

    actions: list[int] = []
    writer = writer_on(recorder)
    Progress()  # of nothing it is only made
    listening = Progress(writer)
    burned(writer)
    assert list(dict.fromkeys(actions)) == [1, 2, 3]
    listening.close()
    listening.close()
    told = len(actions)
    writer.Recorder = recorder_of(f"virtual:{tmp_path / 'second.raw'}")
    burned(writer)
    assert len(actions) == told
    assert win32.getevents("IMAPI2.MsftRawCDImageCreator") is None
    assert code_of(lambda: win32.getevents("IMAPI2.MsftNothing")) == "CO_E_CLASSSTRING"
    assert code_of(lambda: Progress("nothing")) == "CO_E_CLASSSTRING"


def test_who_has_no_events_or_takes_none(recorder: Any) -> None:
    class Deaf:
        def OnSomething(self) -> None: ...

    with pytest.raises(TypeError, match="has no events"):
        win32.WithEvents(recorder, Telling)
    with pytest.raises(TypeError, match="OnUpdate"):
        win32.WithEvents(writer_on(recorder), Deaf)
    with pytest.raises(com_error):
        win32.DispatchWithEvents("IMAPI2.Nothing", Telling)
    watching = win32.DispatchWithEvents(
        "IMAPI2.MsftDiscMaster2", type("Sink", (), {"OnNotifyDeviceAdded": lambda *_: None})
    )
    assert watching
    assert len(watching) == watching.Count == len(list(watching))
    assert code_of(lambda: watching[99]) == code_of(lambda: watching(99)) == "E_INVALIDARG"
    watching.close()


def test_drives_that_come_and_go(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    class Watching:
        def __init__(self) -> None:
            self.told: list[tuple[str, str]] = []

        def OnNotifyDeviceAdded(self, source: object, unique_id: str) -> None:
            self.told.append(("added", unique_id))

        def NotifyDeviceRemoved(self, source: object, unique_id: str) -> None:
            self.told.append(("removed", unique_id))

    name = f"virtual:{tmp_path / 'disc.raw'}"
    monkeypatch.delenv("RAWCD_RECORDERS", raising=False)
    master = win32.Dispatch("IMAPI2.MsftDiscMaster2")
    events = win32.WithEvents(master, Watching)
    try:
        monkeypatch.setenv("RAWCD_RECORDERS", name)
        master._target_.look_again()
        monkeypatch.delenv("RAWCD_RECORDERS")
        master._target_.look_again()
        assert [each for each in events.told if each[1] == name] == [
            ("added", name),
            ("removed", name),
        ]
    finally:
        events.close()


# -- tracks at once, erasing ---------------------------------------------------------------------


def test_tracks_at_once(recorder: Any, tmp_path: Path) -> None:
    writer = writer_on(recorder, "IMAPI2.MsftDiscFormat2TrackAtOnce")
    assert code_of(lambda: writer.AddAudioTrack(io.BytesIO())) == (
        "E_IMAPI_DF2TAO_MEDIA_IS_NOT_PREPARED"
    )
    verification = win32.CastTo(writer, "IBurnVerification")
    assert verification.BurnVerificationLevel == constants.IMAPI_BURN_VERIFICATION_NONE
    verification.BurnVerificationLevel = constants.IMAPI_BURN_VERIFICATION_QUICK
    assert verification.BurnVerificationLevel == constants.IMAPI_BURN_VERIFICATION_QUICK
    assert win32.CastTo(verification, "IDiscFormat2TrackAtOnce") == writer
    writer.DoNotFinalizeMedia = False
    writer.PrepareMedia()
    try:
        assert writer.NumberOfExistingTracks == 0
        total = writer.TotalSectorsOnMedia
        assert code_of(got(writer, "ExpectedTableOfContents")) == (
            "E_IMAPI_DF2TAO_TABLE_OF_CONTENTS_EMPTY_DISC"
        )
        assert code_of(lambda: writer.AddAudioTrack(None)) == "E_POINTER"
        assert code_of(writer.CancelAddTrack) == "E_IMAPI_DF2TAO_WRITE_NOT_IN_PROGRESS"
        writer.AddAudioTrack(io.BytesIO(bytes(10 * SECTOR)))
        writer.AddAudioTrack(io.BytesIO(bytes(310 * SECTOR)))
        assert writer.NumberOfExistingTracks == 2
        assert writer.UsedSectorsOnMedia >= 610
        assert writer.FreeSectorsOnMedia < total
        assert writer.ExpectedTableOfContents[2:4] == (1, 2)
    finally:
        writer.ReleaseMedia()
    assert len(rawcd.open_image(tmp_path / "disc.raw").disc.tracks) == 2


def test_erasing(tmp_path: Path) -> None:
    class Telling:
        seen: tuple[tuple[int, int], ...] = ()

        def OnUpdate(self, source: object, elapsed: int, total: int) -> None:
            self.seen = (*self.seen, (elapsed, total))

    name = f"virtual:{tmp_path / 'disc.raw'}?medium=cdrw-short"
    recorder = recorder_of(name)
    burned(writer_on(recorder))
    eraser = writer_on(recorder, "IMAPI2.MsftDiscFormat2Erase")
    assert eraser.CurrentPhysicalMediaType == constants.IMAPI_MEDIA_TYPE_CDRW
    eraser.FullErase = False
    events = win32.WithEvents(eraser, Telling)
    eraser.EraseMedia()
    events.close()
    assert events.seen
    assert all(elapsed >= 0 and total > 0 for elapsed, total in events.seen)
    assert eraser.MediaPhysicallyBlank is True
    once = recorder_of(f"virtual:{tmp_path / 'other.raw'}")
    eraser = writer_on(once, "IMAPI2.MsftDiscFormat2Erase")
    assert code_of(eraser.EraseMedia) == "E_IMAPI_ERASE_MEDIA_IS_NOT_ERASABLE"
