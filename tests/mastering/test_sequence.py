"""A raw disc at once as Microsoft's own program burns it: the seventeen steps, one by one."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest

import rawcd
from rawcd.errors import MasteringError
from rawcd.hresults import HResult
from rawcd.mastering.formats2 import (
    DiscFormat2RawCD,
    DiscMaster2,
    DiscRecorder2,
    RawCDProgress,
    RawCDWriteAction,
)
from tests.mastering.writing import sound

if TYPE_CHECKING:
    from pathlib import Path


def program(
    songs: list[bytes], events: list[RawCDProgress], *, cancel: bool = False
) -> DiscRecorder2:
    """Steps 1 to 17 of imapi.md 5.3, with the options."""
    master = DiscMaster2()  # 1
    assert master.is_supported_environment
    unique_id = master.item(master.count - 1)

    recorder = DiscRecorder2()  # 2
    recorder.initialize_disc_recorder(unique_id)

    writer = DiscFormat2RawCD()  # 3
    writer.recorder = recorder
    writer.client_name = "rawwriter"

    assert writer.is_recorder_supported(recorder)  # 4
    assert writer.is_current_media_supported(recorder)

    creator = rawcd.RawCDImageCreator()  # 5
    creator.resulting_image_type = rawcd.ImageType.RAW
    creator.disable_gapless_audio = False
    creator.starting_track_number = 1
    creator.add_special_pregap(sound(160, 99))

    streams = [io.BytesIO(song) for song in songs]  # 6, kept open until the end
    tracks = [creator.add_track(stream) for stream in streams]

    info = creator.track_info(tracks[0])  # 7
    info.isrc = "USRC17607839"
    info.add_track_index(100)
    creator.media_catalog_number = "4006381333931"
    graphics = bytearray(creator.raw_sector_count * 96)
    graphics[-96 * 7_000] = 0x09  # somewhere in the last track
    creator.add_subcode_rw_generator(io.BytesIO(bytes(graphics)))

    start_of_leadout = creator.start_of_leadout  # 8
    assert creator.expected_table_of_contents

    stream = creator.create_result_image().open()  # 9

    recorder.disable_mcn()  # 10
    recorder.acquire_exclusive_access(True, writer.client_name)
    try:
        speed = writer.set_write_speed(-1)
        assert not speed.failed
        writer.prepare_media()  # 11
        try:
            assert rawcd.ImageType.RAW in writer.supported_sector_types  # 12
            writer.requested_sector_type = creator.resulting_image_type
            writer.buffer_underrun_free_disabled = False
            assert writer.start_of_next_session < 0
            assert start_of_leadout <= writer.last_possible_start_of_leadout

            def update(sender: DiscFormat2RawCD, progress: RawCDProgress) -> None:
                events.append(progress)
                if cancel and progress.current_action is RawCDWriteAction.WRITING:
                    sender.cancel_write()

            cookie = writer.advise(update)  # 13
            try:
                writer.write_media(stream)  # 14
            finally:
                writer.unadvise(cookie)  # 15
        finally:
            writer.release_media()  # 16, whatever has happened
    finally:
        recorder.release_exclusive_access()  # 17
        recorder.enable_mcn()
        recorder.eject_media()
    return recorder


@pytest.fixture
def disc(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    file = tmp_path / "disc.raw"
    monkeypatch.setenv("RAWCD_RECORDERS", f"virtual:{file}?medium=cdr-short")
    return file


def test_the_disc_is_the_image_byte_for_byte(disc: Path) -> None:
    songs, events = [sound(320), sound(330, 2)], list[RawCDProgress]()
    recorder = program(songs, events)
    assert recorder.exclusive_access_owner == ""
    creator = rawcd.RawCDImageCreator()
    creator.resulting_image_type = rawcd.ImageType.RAW
    creator.add_special_pregap(sound(160, 99))
    tracks = [creator.add_track(song) for song in songs]
    creator.track_info(tracks[0]).isrc = "USRC17607839"
    creator.track_info(tracks[0]).add_track_index(100)
    creator.media_catalog_number = "4006381333931"
    graphics = bytearray(creator.raw_sector_count * 96)
    graphics[-96 * 7_000] = 0x09
    creator.add_subcode_rw_generator(bytes(graphics))
    image = creator.create_result_image()
    held = rawcd.open_image(disc)
    assert held.sector_count == image.first_lba + image.sector_count - held.first_lba
    assert held.read(held.first_lba, held.sector_count) == image.read(
        held.first_lba, held.sector_count
    )
    assert disc.read_bytes() == held.read(held.first_lba, held.sector_count)
    start = held.disc.tracks[0].start_lba
    assert rawcd.main_sectors(held, start, 320).tobytes() == songs[0]
    actions = [event.current_action for event in events]
    assert actions == sorted(actions)  # preparing, writing, finishing
    assert set(actions) == {1, 2, 3}
    assert events[0].start_lba == held.first_lba < 0


def test_a_cancelled_burn_releases_everything_and_tells_so(disc: Path) -> None:
    events: list[RawCDProgress] = []
    with pytest.raises(MasteringError, match="spoiled unless it can be blanked") as caught:
        program([sound(320)], events, cancel=True)
    assert caught.value.hresult == HResult.E_IMAPI_REQUEST_CANCELLED
    again = DiscRecorder2(DiscMaster2().item(DiscMaster2().count - 1))
    assert again.exclusive_access_owner == ""
    writer = DiscFormat2RawCD()
    writer.recorder = again
    writer.client_name = "again"
    with pytest.raises(MasteringError):  # a CD-R that is spoiled is no blank
        writer.prepare_media()
    assert writer.state.name == "IDLE"


def test_a_rewritable_disc_goes_through_all_three_objects(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Cancelled, erased, written anew."""
    from rawcd.mastering.formats2 import DiscFormat2Erase

    file = tmp_path / "rw.raw"
    monkeypatch.setenv("RAWCD_RECORDERS", f"virtual:{file}?medium=cdrw-short")
    with pytest.raises(MasteringError):
        program([sound(320)], [], cancel=True)
    eraser = DiscFormat2Erase()
    eraser.recorder = DiscRecorder2(DiscMaster2().item(DiscMaster2().count - 1))
    eraser.client_name = "eraser"
    eraser.erase_media()
    program([sound(320)], [])
    held = rawcd.open_image(file)
    assert rawcd.main_sectors(held, held.disc.tracks[0].start_lba, 320).tobytes() == sound(320)
