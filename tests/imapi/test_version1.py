"""Version 1 through IMAPI's own face: MSDiscMasterObj, its two formats, and what they tell."""

from __future__ import annotations

import random
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

import rawcd
from rawcd.hresults import HResult
from rawcd.imapi import ComObject, Dispatch, com_error, constants, last_hresult, pythoncom
from tests.mastering.jobs import files_on

if TYPE_CHECKING:
    from pathlib import Path

REDBOOK = "{E3BC42CD-4E5C-11D3-9144-00104BA11C5E}"
JOLIET = "{E3BC42CE-4E5C-11D3-9144-00104BA11C5E}"
BLOCK = 2352


class Sink:
    """A script's IDiscMasterProgressEvents; what it lacks it does not want."""

    def __init__(self) -> None:
        self.told: list[tuple[Any, ...]] = []
        self.cancel = False

    def QueryCancel(self) -> bool:
        return self.cancel

    def NotifyAddProgress(self, completed: int, total: int) -> None:
        self.told.append(("add", completed, total))

    def NotifyTrackProgress(self, current: int, total: int) -> None:
        self.told.append(("track", current, total))

    def NotifyBlockProgress(self, completed: int, total: int) -> None:
        raise com_error(constants.E_NOTIMPL)

    def NotifyPreparingBurn(self, seconds: int) -> None:
        self.told.append(("preparing",))

    def NotifyClosingDisc(self, seconds: int) -> None:
        self.told.append(("closing",))

    def NotifyBurnComplete(self, status: int) -> None:
        self.told.append(("complete", status))


@pytest.fixture
def disc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    disc = tmp_path / "disc.raw"
    monkeypatch.setenv("RAWCD_RECORDERS", f"virtual:{disc}")
    monkeypatch.setenv("RAWCD_STASH", str(tmp_path / "stash"))
    return disc


def code_of(attempt: Any) -> str:
    with pytest.raises(com_error) as caught:
        attempt()
    return HResult(caught.value.hresult & 0xFFFFFFFF).name


def ready(disc: Path, kind: str) -> tuple[Any, Any, Any]:
    master = Dispatch("MSDiscMasterObj")
    master.Open()
    staging = master.SetActiveDiscMasterFormat(kind)
    for recorder in master.EnumDiscRecorders():
        if recorder.GetPath() == f"virtual:{disc}":
            master.SetActiveDiscRecorder(recorder)
            return master, staging, recorder
    raise AssertionError("the recorder is not in the list")


def test_a_disc_of_sound(disc: Path) -> None:
    samples = [random.Random(n).randbytes(n * BLOCK) for n in (300, 350)]
    master = Dispatch("{520cca63-51a5-11d3-9144-00104ba11c5e}")
    master.Open()
    formats = master.EnumDiscMasterFormats()
    assert formats.Next(5) == (REDBOOK, JOLIET)
    assert last_hresult() == HResult.S_FALSE, "fewer than were asked for"
    formats.Reset()
    formats.Skip(1)
    assert last_hresult() == HResult.S_OK
    assert formats.Clone().Next() == (JOLIET,)
    assert tuple(formats) == (REDBOOK, JOLIET)
    audio = master.SetActiveDiscMasterFormat(REDBOOK)
    assert audio._interface_.name == "IRedbookDiscMaster"
    assert master.GetActiveDiscMasterFormat() == REDBOOK
    recorder = next(
        each for each in master.EnumDiscRecorders().Next(9) if each.GetPath() == f"virtual:{disc}"
    )
    assert recorder.GetRecorderType() in (constants.RECORDER_CDR, constants.RECORDER_CDRW)
    assert recorder.GetRecorderState() == constants.RECORDER_DOING_NOTHING
    assert recorder.GetDisplayNames()[0].strip() == "RAWCD"
    assert "".join(recorder.GetDisplayNames()) == recorder.GetBasePnPID()
    assert len(recorder.GetRecorderGUID()) == 16
    assert recorder.GetRecorderGUID(3) is None
    assert last_hresult() == HResult.IMAPI_S_BUFFER_TO_SMALL
    recorder.OpenExclusive()
    kind, flags = recorder.QueryMediaType()
    assert kind == constants.MEDIA_CDDA_CDROM
    assert flags & constants.MEDIA_BLANK
    assert flags & constants.MEDIA_WRITABLE
    sessions, last, start, writable, free = recorder.QueryMediaInfo()
    assert (sessions, last, start, writable) == (0, 0, 0, 0)
    assert free > 300_000
    recorder.Close()
    assert code_of(recorder.Close) == "IMAPI_E_NOTOPENED"
    master.SetActiveDiscRecorder(recorder)
    assert master.GetActiveDiscRecorder() == recorder
    sink = Sink()
    cookie = master.ProgressAdvise(sink)
    assert audio.GetAudioBlockSize() == BLOCK
    for sound in samples:
        blocks = len(sound) // BLOCK
        assert audio.GetAvailableAudioTrackBlocks() >= blocks
        audio.CreateAudioTrack(blocks)
        audio.AddAudioTrackBlocks(sound)
        audio.CloseAudioTrack()
    assert (audio.GetTotalAudioTracks(), audio.GetUsedAudioBlocks()) == (2, 650)
    assert {each[0] for each in sink.told} == {"add"}
    sink.told.clear()
    master.RecordDisc(False, False)
    assert sink.told == [
        ("preparing",),
        *(("track", done, 2) for done in range(3)),
        ("closing",),
        ("complete", 0),
    ]
    master.ProgressUnadvise(cookie)
    master.Close()
    image = rawcd.open_image(disc)
    for track, sound in zip(image.disc.tracks, samples, strict=True):
        rows = rawcd.main_sectors(image, track.start_lba, len(sound) // BLOCK)
        assert rows.tobytes() == sound


def test_a_disc_of_files(disc: Path, tmp_path: Path) -> None:
    folder = tmp_path / "files"
    (folder / "deep").mkdir(parents=True)
    (folder / "a.txt").write_bytes(b"first")
    (folder / "deep" / "b.bin").write_bytes(bytes(range(256)) * 20)
    master, files, _ = ready(disc, JOLIET)
    properties = files.GetJolietProperties()
    assert set(properties) >= {"VolumeName", "BootImage"}
    properties.WriteMultiple(("VolumeName", "PlaceBootImageOnDisc"), ("HOLIDAY", 0))
    files.SetJolietProperties(properties)
    assert last_hresult() == HResult.S_OK
    assert files.GetJolietProperties().ReadMultiple(("VolumeName", "None")) == ("HOLIDAY", None)
    for text, meant in (("True", True), (-1, True), ("False", False)):
        properties.WriteMultiple(("PlaceBootImageOnDisc",), (text,))
        assert properties.ReadMultiple(("PlaceBootImageOnDisc",)) == (meant,)
    wrong = partial(properties.WriteMultiple, ("PlaceBootImageOnDisc",), ("no bool",))
    assert code_of(wrong) == "DISP_E_TYPEMISMATCH"
    assert properties.ReadMultiple(("PlaceBootImageOnDisc",)) == (False,)
    properties.WriteMultiple(("volumename",), ("OTHER CASE",))
    assert properties.ReadMultiple(("VOLUMENAME", "VolumeName")) == ("OTHER CASE", "OTHER CASE")
    assert sum(name.casefold() == "volumename" for name in properties) == 1
    properties.WriteMultiple(("Colour",), ("red",))
    files.SetJolietProperties(properties)
    assert last_hresult() == HResult.IMAPI_S_PROPERTIESIGNORED
    assert files.GetDataBlockSize() == 2048
    files.AddData(str(folder), 0)
    assert code_of(lambda: files.AddData(str(folder), 0)) == "IMAPI_E_FILEEXISTS"
    files.AddData(str(folder), 1)
    assert 0 < files.GetUsedDataBlocks() < files.GetTotalDataBlocks()
    master.RecordDisc(False, False)
    assert code_of(lambda: master.RecordDisc(False, False)) == "IMAPI_E_INVALIDIMAGE"
    master.Close()
    on_disc = files_on(disc)
    for path in ("a.txt", "deep/b.bin"):
        assert on_disc[f"/{path}"] == (folder / path).read_bytes()


def test_a_boot_image_is_a_stream(disc: Path) -> None:
    master, files, _ = ready(disc, JOLIET)
    boot = pythoncom.CreateStreamOnHGlobal()
    boot.Write(b"\xeb\xfe" + bytes(2046))
    properties = files.GetJolietProperties()
    properties.WriteMultiple(("BootImage", "PlaceBootImageOnDisc"), (boot, -1))
    files.SetJolietProperties(properties)
    assert files.GetJolietProperties().ReadMultiple(("PlaceBootImageOnDisc",)) == (True,)
    assert code_of(lambda: properties.WriteMultiple(("A",), ())) == "E_INVALIDARG"
    for wrong in (master, Dispatch("IMAPI2.MsftDiscRecorder2")):
        attempt = partial(properties.WriteMultiple, ("BootImage",), (wrong,))
        assert code_of(attempt) == "DISP_E_TYPEMISMATCH"
    master.Close()


def test_the_state_decides(disc: Path) -> None:
    master = Dispatch("MSDiscMasterObj")
    assert code_of(master.EnumDiscMasterFormats) == "IMAPI_E_NOTOPENED"
    master.Open()
    assert code_of(master.Open) == "IMAPI_E_ALREADYOPEN"
    assert code_of(master.EnumDiscRecorders) == "IMAPI_E_NOACTIVEFORMAT"
    assert code_of(lambda: master.SetActiveDiscMasterFormat("{0}")) == "E_NOINTERFACE"
    assert code_of(lambda: master.ProgressAdvise(None)) == "E_POINTER"
    assert code_of(lambda: master.ProgressUnadvise(77)) == "E_INVALIDARG"
    master.SetActiveDiscMasterFormat(REDBOOK)
    assert code_of(lambda: master.RecordDisc(0, 0)) == "IMAPI_E_NOACTIVERECORDER"
    assert code_of(lambda: master.SetActiveDiscRecorder(None)) == "E_POINTER"
    assert code_of(lambda: master.SetActiveDiscRecorder("virtual:a")) == "DISP_E_TYPEMISMATCH"
    master.Close()
    master.Close()
    master, audio, recorder = ready(disc, REDBOOK)
    audio.CreateAudioTrack(300)
    assert code_of(lambda: master.RecordDisc(0, 0)) == "IMAPI_E_TRACKOPEN"
    assert code_of(lambda: audio.AddAudioTrackBlocks(bytes(100))) == "E_INVALIDARG"
    for size in (BLOCK + 1, 1 << 30, -1):  # IMAPI's second argument, which Python has no need of
        wrong = partial(audio.AddAudioTrackBlocks, bytes(BLOCK), size)
        assert code_of(wrong) == "E_INVALIDARG"
    assert code_of(lambda: audio.AddAudioTrackBlocks("x")) == "DISP_E_TYPEMISMATCH"
    properties = recorder.GetRecorderProperties()
    properties.WriteMultiple(("AudioGapSize",), (226,))
    assert code_of(lambda: recorder.SetRecorderProperties(properties)) == "E_INVALIDARG"
    assert code_of(lambda: recorder.SetRecorderProperties(None)) == "E_POINTER"
    assert code_of(lambda: recorder.SetRecorderProperties(recorder)) == "DISP_E_TYPEMISMATCH"
    master.Close()


def test_query_cancel_ends_the_burn(disc: Path) -> None:
    master, audio, _ = ready(disc, REDBOOK)
    sink = Sink()
    master.ProgressAdvise(sink)
    audio.CreateAudioTrack(300)
    audio.AddAudioTrackBlocks(bytes(302 * BLOCK), 300 * BLOCK)
    assert audio.GetUsedAudioBlocks() == 300
    audio.CloseAudioTrack()
    sink.cancel = True
    assert code_of(lambda: master.RecordDisc(False, False)) == "IMAPI_E_USERABORT"
    assert sink.told[-1] == ("complete", constants.IMAPI_E_USERABORT)
    master.Close()


def test_what_a_callback_raises_ends_the_work_and_is_its_cause(disc: Path) -> None:
    class Broken(Sink):
        def NotifyAddProgress(self, completed: int, total: int) -> None:
            raise ZeroDivisionError

    master, audio, _ = ready(disc, REDBOOK)
    master.ProgressAdvise(Broken())
    audio.CreateAudioTrack(300)
    assert code_of(lambda: audio.AddAudioTrackBlocks(bytes(300 * BLOCK))) == "IMAPI_E_USERABORT"
    master.Close()


def test_a_recorder_is_initialised_by_the_enumerator_alone(disc: Path) -> None:
    _, _, recorder = ready(disc, REDBOOK)
    assert isinstance(recorder, ComObject)
    assert code_of(recorder.Init) == "E_NOTIMPL"
