"""DiscRecorder2 and DiscMaster2: drives by name, who holds them, and what they tell."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any

import rawcd
from rawcd.hresults import HResult
from rawcd.mastering.formats2 import (
    DiscMaster2,
    DiscRecorder2,
    ModePageRequestType,
    ReadTrackAddressType,
)
from tests.mastering.kept import KeptRecorder, check_condition, kept_of, recorder
from tests.mastering.writing import code_of, small_image

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


# -- DiscMaster2 ----------------------------------------------------------------------------------


def test_the_master_lists_what_the_environment_names(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    name = f"virtual:{tmp_path / 'x.raw'}"
    monkeypatch.setenv("RAWCD_RECORDERS", name)
    master = DiscMaster2()
    assert name in list(master)
    assert master.count == len(master) == len(list(master))
    assert master.item(master.count - 1) == name
    assert master.is_supported_environment
    wrongs: tuple[Any, ...] = (-1, master.count, "first", None)
    for wrong in wrongs:
        assert code_of(lambda index=wrong: master.item(index)) == HResult.E_INVALIDARG  # type: ignore[misc]  # the default binds the index
    found = DiscRecorder2()
    found.initialize_disc_recorder(name)
    assert found.active_disc_recorder == found.volume_name == name
    assert found.legacy_device_number == master.count - 1
    assert found.volume_path_names == (found.volume_name,)


def test_a_master_without_a_usable_drive_says_so(tmp_path: Path) -> None:
    assert not DiscMaster2([]).is_supported_environment
    assert not DiscMaster2([f"virtual:{tmp_path}"]).is_supported_environment  # a folder
    assert code_of(lambda: DiscMaster2(["tape:1"])) == HResult.E_INVALIDARG


class News:
    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []

    def notify_device_added(self, master: DiscMaster2, unique_id: str) -> None:
        self.told.append(("added", unique_id))

    def notify_device_removed(self, master: DiscMaster2, unique_id: str) -> None:
        self.told.append(("removed", unique_id))
        raise ZeroDivisionError  # it must not reach anybody


def test_drives_that_come_and_go_are_told(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("RAWCD_RECORDERS", "virtual:?empty=1")
    master, news = DiscMaster2(), News()
    cookie = master.advise(news)
    master.look_again()
    assert news.told == []
    monkeypatch.setenv("RAWCD_RECORDERS", "virtual:")
    master.look_again()
    master.unadvise(cookie)
    assert news.told == [("removed", "virtual:?empty=1"), ("added", "virtual:")]
    assert "ZeroDivisionError" in caplog.text
    assert code_of(lambda: master.unadvise(cookie)) == HResult.E_INVALIDARG
    assert code_of(lambda: master.advise(None)) == HResult.E_POINTER  # type: ignore[arg-type]  # what scripts pass
    assert code_of(lambda: master.advise(print)) == HResult.E_INVALIDARG  # type: ignore[arg-type]  # likewise


# -- DiscRecorder2 --------------------------------------------------------------------------------


def test_a_recorder_is_no_drive_before_it_is_initialised() -> None:
    bare = DiscRecorder2()
    for name in (
        "vendor_id",
        "active_disc_recorder",
        "supported_profiles",
        "exclusive_access_owner",
        "device_can_load_media",
    ):
        assert code_of(lambda given=name: getattr(bare, given)) == HResult.E_INVALID_HANDLE  # type: ignore[misc]  # the default binds the name
    assert code_of(bare.eject_media) == HResult.E_INVALID_HANDLE
    assert code_of(bare.disable_mcn) == HResult.E_INVALID_HANDLE
    assert code_of(lambda: bare.initialize_disc_recorder(None)) == HResult.E_POINTER  # type: ignore[arg-type]  # what scripts pass
    for wrong in ("tape:1", 3, "virtual:?medium=wax"):
        code = code_of(lambda given=wrong: bare.initialize_disc_recorder(given))  # type: ignore[misc]  # the default binds the name
        assert code in (HResult.E_INVALIDARG, HResult.E_NOTIMPL)
    assert "not initialised" in repr(bare)


def test_what_a_drive_tells_of_itself() -> None:
    drive = recorder("cdrw-short")
    assert (drive.vendor_id, drive.product_id) == ("RAWCD", "VIRTUAL RECORDER")
    assert drive.product_revision == "1.00"
    assert drive.device_can_load_media
    assert drive.supported_profiles == (0x0A, 0x09, 0x08)
    assert drive.current_profiles == (0x0A,)
    assert recorder(empty=True).current_profiles == ()
    assert set(drive.current_feature_pages) <= set(drive.supported_feature_pages)
    assert {0x2D, 0x2E, 0x37} <= set(drive.current_feature_pages)
    assert 0x2E not in recorder(empty=True).current_feature_pages
    assert drive.supported_mode_pages == (0x01, 0x05, 0x2A)


def test_features_and_mode_pages_as_bytes() -> None:
    drive = recorder(empty=True)
    page = drive.get_feature_page(0x2E)
    assert page[:2] == b"\x00\x2e"
    assert len(page) == 4 + page[3]
    missing = HResult.E_IMAPI_RECORDER_NO_SUCH_FEATURE
    assert code_of(lambda: drive.get_feature_page(0x2F)) == missing
    idle = HResult.E_IMAPI_RECORDER_FEATURE_IS_NOT_CURRENT
    assert code_of(lambda: drive.get_feature_page(0x2E, True)) == idle
    no_page = HResult.E_IMAPI_RECORDER_NO_SUCH_MODE_PAGE
    assert code_of(lambda: drive.get_mode_page(0x08)) == no_page
    assert code_of(lambda: drive.get_mode_page(0x05, ModePageRequestType.SAVED_VALUES)) == no_page
    assert code_of(lambda: drive.get_mode_page(0x3F)) == HResult.E_INVALIDARG
    saved = ModePageRequestType.SAVED_VALUES
    assert drive.get_supported_mode_pages(saved) == ()
    assert drive.get_supported_mode_pages(ModePageRequestType.DEFAULT_VALUES) == (1, 5, 0x2A)
    old = recorder()
    kept_of(old).wire.before = lambda cdb: check_condition(5, 0x20, 0) if cdb[0] == 0x46 else None
    unknown = HResult.E_IMAPI_RECORDER_GET_CONFIGURATION_NOT_SUPPORTED
    assert code_of(lambda: old.supported_feature_pages) == unknown
    assert old.device_can_load_media  # mode page 2Ah tells it, too


def test_a_mode_page_is_set_whole() -> None:
    drive = recorder()
    page = bytearray(drive.get_mode_page(0x05))
    page[2] = (page[2] & 0xF0) | 3  # raw
    page[4] = 3
    drive.set_mode_page(bytes(page))
    assert drive.get_mode_page(0x05)[2] & 0x0F == 3
    page[4] = 7
    refused = HResult.E_IMAPI_RECORDER_INVALID_MODE_PARAMETERS
    assert code_of(lambda: drive.set_mode_page(bytes(page))) == refused
    assert code_of(lambda: drive.set_mode_page(b"\x05")) == HResult.E_INVALIDARG
    assert code_of(lambda: drive.set_mode_page(bytes(page[:-1]))) == HResult.E_INVALIDARG
    changeable = ModePageRequestType.CHANGEABLE_VALUES
    assert code_of(lambda: drive.set_mode_page(bytes(page), changeable)) == HResult.E_INVALIDARG
    wrong: int = 9
    assert code_of(lambda: drive.set_mode_page(bytes(page), wrong)) == HResult.E_INVALIDARG  # type: ignore[arg-type]  # what scripts pass


def test_disc_and_track_information_as_they_come() -> None:
    drive = recorder()
    information = drive.get_disc_information()
    assert int.from_bytes(information[:2]) == len(information) - 2
    track = drive.get_track_information(0xFF)
    assert track[2] == 1
    assert drive.get_track_information(0, ReadTrackAddressType.LBA)[2] == 1
    assert code_of(lambda: drive.get_track_information(1, 5)) == HResult.E_INVALIDARG  # type: ignore[arg-type]  # what scripts pass
    assert code_of(lambda: drive.get_track_information(-1)) == HResult.E_INVALIDARG
    no_disc = HResult.E_IMAPI_RECORDER_MEDIA_NO_MEDIA
    assert code_of(recorder(empty=True).get_disc_information) == no_disc


def test_commands_of_ones_own() -> None:
    drive = recorder()
    with drive.session() as session:
        session.wait_until_ready()  # which takes the news of a reset away
    asked = drive.send_command_get_data_from_device(bytes.fromhex("120000002400"), 36)
    assert (asked.hresult, asked.data[8:13]) == (HResult.S_OK, b"RAWCD")
    failed = drive.send_command_no_data(bytes.fromhex("b70000000000000000000000"))
    assert failed.hresult == HResult.S_IMAPI_COMMAND_HAS_SENSE_DATA
    assert (failed.sense[2] & 15, failed.sense[12]) == (5, 0x20)
    page = bytes(8) + drive.get_mode_page(0x05)
    cdb = bytes.fromhex("55100000000000") + len(page).to_bytes(2) + b"\0"
    assert drive.send_command_send_data_to_device(cdb, page).hresult == HResult.S_OK
    assert code_of(lambda: drive.send_command_no_data(b"\0")) == HResult.E_INVALIDARG
    most = drive.get_maximum_page_aligned_transfer_size()
    assert drive.get_maximum_non_page_aligned_transfer_size() == most
    too_much = code_of(lambda: drive.send_command_get_data_from_device(bytes(6), most + 1))
    assert too_much == HResult.E_INVALIDARG
    assert drive.get_byte_alignment_mask() == 0


def test_what_is_beyond_reach_says_so() -> None:
    drive = recorder()
    for call in (
        drive.read_dvd_structure,
        drive.send_dvd_structure,
        drive.get_adapter_descriptor,
        drive.get_device_descriptor,
    ):
        assert code_of(call) == HResult.E_NOTIMPL


def test_the_tray() -> None:
    drive = recorder()
    drive.eject_media()
    assert code_of(drive.get_disc_information) == HResult.E_IMAPI_RECORDER_MEDIA_NO_MEDIA
    drive.close_tray()
    assert drive.get_disc_information()


# -- whose it is ----------------------------------------------------------------------------------


def test_exclusive_access_is_counted() -> None:
    kept = KeptRecorder()
    one, two = DiscRecorder2(kept), DiscRecorder2(kept)
    assert one.exclusive_access_owner == ""
    assert one.release_exclusive_access() == HResult.S_FALSE
    one.acquire_exclusive_access(False, "first")
    one.acquire_exclusive_access(True, "once more")
    assert two.exclusive_access_owner == "first"
    locked = HResult.E_IMAPI_RECORDER_LOCKED
    assert code_of(lambda: two.acquire_exclusive_access(True, "second")) == locked
    assert code_of(two.get_disc_information) == locked
    assert two.vendor_id == "RAWCD"  # known since it was initialised
    assert two.release_exclusive_access() == HResult.S_FALSE
    assert code_of(lambda: one.initialize_disc_recorder("virtual:")) == locked
    assert one.release_exclusive_access() == HResult.S_OK
    assert one.exclusive_access_owner == "first"
    assert one.release_exclusive_access() == HResult.S_OK
    two.acquire_exclusive_access(True, "second")
    assert one.exclusive_access_owner == "second"
    two.release_exclusive_access()
    bad = HResult.E_IMAPI_RECORDER_CLIENT_NAME_IS_NOT_VALID
    assert code_of(lambda: one.acquire_exclusive_access(True, "")) == bad


def test_one_virtual_disc_is_in_one_recorder_whatever_it_is_called(tmp_path: Path) -> None:
    image, file = small_image(), tmp_path / "x.raw"
    rawcd.save_image(image, file)
    one = DiscRecorder2(f"virtual:{file}")
    one.acquire_exclusive_access(True, "first")
    again = f"virtual:{tmp_path}/./x.raw"
    assert code_of(lambda: DiscRecorder2(again)) == HResult.E_IMAPI_RECORDER_LOCKED
    one.release_exclusive_access()
    assert DiscRecorder2(again).current_profiles


def test_a_drive_is_let_go_of_with_its_last_holder() -> None:
    kept = KeptRecorder()
    one = DiscRecorder2(kept)
    one.acquire_exclusive_access(True, "first")
    other = DiscRecorder2(KeptRecorder())
    other.acquire_exclusive_access(True, "keeps")
    del one
    gc.collect()
    two = DiscRecorder2(kept)
    assert two.exclusive_access_owner == ""
    assert other.exclusive_access_owner == "keeps"
    other.release_exclusive_access()


def test_media_change_notification_is_counted() -> None:
    drive = recorder()
    assert drive.enable_mcn() == HResult.S_FALSE
    drive.disable_mcn()
    drive.disable_mcn()
    assert [drive.enable_mcn() for _ in range(3)] == [HResult.S_OK, HResult.S_OK, HResult.S_FALSE]
