"""DiscFormat2TrackAtOnce: tracks one by one, what is refused, and what a stop leaves."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import rawcd
from rawcd.errors import MasteringError
from rawcd.hresults import HResult
from rawcd.mastering.formats2 import (
    BurnVerificationLevel,
    DiscFormat2TrackAtOnce,
    MediaPhysicalType,
    TrackAtOnceProgress,
    TrackAtOnceWriteAction,
    WriterState,
)
from rawcd.toc import parse_scsi_toc
from tests.mastering.kept import WRITE, check_condition, kept_of, recorder
from tests.mastering.writing import code_of, prepared_tao, sound, tao_writer

if TYPE_CHECKING:
    from collections.abc import Callable

    from rawcd.image import DiscImage
    from rawcd.mastering.formats2 import DiscRecorder2


def read_back(drive: DiscRecorder2) -> DiscImage:
    return kept_of(drive).open().image(sub="none")[0]


def track_bytes(image: DiscImage, place: int, sectors: int) -> bytes:
    start = image.disc.tracks[place].start_lba
    return rawcd.main_sectors(image, start, sectors).tobytes()


def test_tracks_come_onto_the_disc_one_by_one() -> None:
    drive = recorder()
    writer = prepared_tao(drive)
    total = writer.total_sectors_on_media
    assert (writer.number_of_existing_tracks, writer.used_sectors_on_media) == (0, 0)
    assert writer.free_sectors_on_media == total
    songs = [sound(310, 1), sound(300, 2), sound(333, 3)]
    for number, song in enumerate(songs, 1):
        writer.add_audio_track(io.BytesIO(song))
        assert writer.number_of_existing_tracks == number
        assert writer.used_sectors_on_media + writer.free_sectors_on_media == total
    assert writer.used_sectors_on_media >= 310 + 300 + 333 + 2 * 150
    expected = writer.expected_table_of_contents
    writer.release_media()
    image = read_back(drive)
    assert [track.sector_count >= 300 for track in image.disc.tracks] == [True] * 3
    for place, song in enumerate(songs):
        assert track_bytes(image, place, len(song) // 2352) == song
    starts = [(track.number, track.start_lba) for track in image.disc.tracks]
    items = parse_scsi_toc(expected)
    assert [(item.track, item.lba) for item in items[:-1]] == starts
    assert items[-1].lba == image.disc.sessions[0].lead_out_lba
    assert writer.state is WriterState.IDLE


GIVEN: dict[str, Callable[[bytes], Any]] = {
    "bytes": lambda data: data,
    "file object": io.BytesIO,
    "array": lambda data: np.frombuffer(data, "<i2").reshape(-1, 2),
    "source": rawcd.ArraySource,
}


@pytest.mark.parametrize("kind", GIVEN)
def test_sound_is_taken_in_any_form(kind: str) -> None:
    drive = recorder()
    writer = prepared_tao(drive)
    writer.add_audio_track(GIVEN[kind](sound(300)))
    writer.release_media()
    assert track_bytes(read_back(drive), 0, 300) == sound(300)


def test_a_file_object_is_samples_even_if_it_looks_like_a_sound_file() -> None:
    data = b"RIFF" + sound(300)[4:]
    drive = recorder()
    writer = prepared_tao(drive)
    writer.add_audio_track(io.BytesIO(data))
    writer.release_media()
    assert track_bytes(read_back(drive), 0, 300) == data


def test_short_tracks_and_ragged_ends_are_filled_with_silence() -> None:
    drive = recorder()
    writer = prepared_tao(drive)
    writer.add_audio_track(sound(2)[: 2352 + 400])
    writer.release_media()
    held = track_bytes(read_back(drive), 0, 300)
    assert held == sound(2)[: 2352 + 400].ljust(300 * 2352, b"\0")


def test_what_is_no_sound_is_refused_before_anything_is_written() -> None:
    drive = recorder()
    writer = prepared_tao(drive)
    unsuited = HResult.E_IMAPI_DF2TAO_STREAM_NOT_SUPPORTED
    for given, code in (
        (None, HResult.E_POINTER),
        (3, HResult.E_INVALIDARG),
        (np.zeros(9, np.float64), HResult.E_INVALIDARG),
        (b"", unsuited),
        (sound(300)[:-1], unsuited),
        (io.BytesIO(sound(1)[:-2]), unsuited),
        ("no such file.wav", unsuited),
    ):
        assert code_of(lambda sample=given: writer.add_audio_track(sample)) == code  # type: ignore[misc]  # the default binds the sample
    assert WRITE not in kept_of(drive).wire.opcodes
    assert writer.number_of_existing_tracks == 0
    writer.release_media()
    assert writer.media_physically_blank


def test_a_track_that_does_not_fit() -> None:
    writer = prepared_tao()
    room = writer.free_sectors_on_media
    no_room = HResult.E_IMAPI_DF2TAO_NOT_ENOUGH_SPACE
    silence = rawcd.SilenceSource(block_count=room + 1)
    assert code_of(lambda: writer.add_audio_track(silence)) == no_room
    assert writer.number_of_existing_tracks == 0


def test_the_drives_own_end_of_room_is_the_same_code() -> None:
    drive = recorder()
    writer = prepared_tao(drive)
    kept_of(drive).wire.before = lambda cdb: (
        check_condition(5, 0x63, 0) if cdb[0] == WRITE else None
    )
    code = code_of(lambda: writer.add_audio_track(sound(300)))
    assert code == HResult.E_IMAPI_DF2TAO_NOT_ENOUGH_SPACE


def test_99_tracks_are_the_limit() -> None:
    drive = recorder()
    writer = prepared_tao(drive)
    for _ in range(99):
        writer.add_audio_track(rawcd.SilenceSource(block_count=300))
    limit = HResult.E_IMAPI_DF2TAO_TRACK_LIMIT_REACHED
    assert code_of(lambda: writer.add_audio_track(sound(300))) == limit
    writer.release_media()
    assert len(read_back(drive).disc.tracks) == 99


def test_no_table_of_contents_of_an_empty_disc() -> None:
    empty = HResult.E_IMAPI_DF2TAO_TABLE_OF_CONTENTS_EMPTY_DISC
    writer = prepared_tao()
    assert code_of(lambda: writer.expected_table_of_contents) == empty


def test_without_finalizing_another_session_may_follow() -> None:
    drive = recorder()
    writer = tao_writer(drive)
    writer.do_not_finalize_media = True
    writer.prepare_media()
    writer.add_audio_track(sound(300))
    writer.release_media()
    assert writer.do_not_finalize_media
    medium = kept_of(drive).drive.medium
    assert medium is not None
    assert medium.disc is not None
    assert medium.disc.appendable
    with kept_of(drive).open() as session:
        media = session.media()
    assert media is not None
    assert media.next_writable_lba is not None


def test_a_cancelled_track_stays_shorter_and_the_disc_usable() -> None:
    drive = recorder()
    writer = prepared_tao(drive)
    writer.add_audio_track(sound(300))

    def stop(teller: DiscFormat2TrackAtOnce, progress: TrackAtOnceProgress) -> None:
        assert progress.current_track_number == 2
        if progress.current_action is TrackAtOnceWriteAction.WRITING:
            teller.cancel_add_track()

    cookie = writer.advise(stop)
    long = sound(4000, 2)
    code = code_of(lambda: writer.add_audio_track(long))
    assert code == HResult.E_IMAPI_REQUEST_CANCELLED
    writer.unadvise(cookie)
    assert writer.number_of_existing_tracks == 2
    writer.add_audio_track(sound(301, 3))
    writer.release_media()
    image = read_back(drive)
    assert len(image.disc.tracks) == 3
    assert 300 <= image.disc.tracks[1].sector_count < 1000
    held = track_bytes(image, 1, 300)
    assert held.startswith(long[: 26 * 2352])
    assert track_bytes(image, 2, 301) == sound(301, 3)


def test_a_failed_track_leaves_the_first_error_and_a_drive_that_is_free() -> None:
    drive = recorder()
    writer = prepared_tao(drive)
    writes = 0

    def before(cdb: bytes) -> Any:
        nonlocal writes
        writes += cdb[0] == WRITE
        return check_condition(3, 0x0C, 0) if writes > 3 else None

    kept_of(drive).wire.before = before

    def burn() -> None:
        try:
            writer.add_audio_track(sound(310))
        finally:
            writer.release_media()

    assert code_of(burn) == HResult.E_IMAPI_UNEXPECTED_RESPONSE_FROM_DEVICE
    assert drive.exclusive_access_owner == ""
    assert writer.state is WriterState.IDLE


def test_a_session_that_cannot_be_closed_is_an_error_of_release() -> None:
    drive = recorder()
    writer = prepared_tao(drive)
    writer.add_audio_track(sound(300))
    kept_of(drive).wire.before = lambda cdb: check_condition(3, 0x72, 0) if cdb[0] == 0x5B else None
    assert code_of(writer.release_media) == HResult.E_FAIL
    assert writer.state is WriterState.IDLE
    assert drive.exclusive_access_owner == ""


def test_after_a_cancelled_track_a_session_that_cannot_be_closed_is_told() -> None:
    """The first error has been seen; this one tells that the disc has no lead-in."""
    drive = recorder()
    writer = prepared_tao(drive)
    writer.advise(lambda teller, progress: teller.cancel_add_track())
    with pytest.raises(MasteringError):
        writer.add_audio_track(sound(300))
    assert writer.number_of_existing_tracks == 0  # it was stopped before the first sector
    other = prepared_tao(recorder())
    other.advise(
        lambda teller, progress: (
            teller.cancel_add_track()
            if progress.current_action is TrackAtOnceWriteAction.WRITING
            else None
        )
    )
    with pytest.raises(MasteringError):
        other.add_audio_track(sound(3000))
    assert other.number_of_existing_tracks == 1
    assert other.recorder is not None
    kept_of(other.recorder).wire.before = lambda cdb: (
        check_condition(3, 0x72, 0) if cdb[0] == 0x5B else None
    )
    assert code_of(other.release_media) == HResult.E_FAIL


def test_a_blank_is_needed_and_a_name() -> None:
    drive = recorder("cdrw-short")
    writer = prepared_tao(drive)
    writer.add_audio_track(sound(300))
    writer.release_media()
    assert code_of(writer.prepare_media) == HResult.E_IMAPI_DF2TAO_MEDIA_IS_NOT_BLANK
    nameless = DiscFormat2TrackAtOnce()
    assert nameless.supported_media_types == (MediaPhysicalType.CDR, MediaPhysicalType.CDRW)
    bad = HResult.E_IMAPI_DF2TAO_CLIENT_NAME_IS_NOT_VALID
    assert code_of(lambda: setattr(nameless, "client_name", "")) == bad
    none = HResult.E_IMAPI_DF2TAO_NO_RECORDER_SPECIFIED
    assert code_of(nameless.prepare_media) == none
    assert code_of(lambda: nameless.current_physical_media_type) == none
    nameless.recorder = recorder()
    assert code_of(nameless.prepare_media) == bad


def test_a_drive_that_writes_no_tracks_is_refused() -> None:
    drive = recorder()
    kept_of(drive).wire.before = lambda cdb: (
        check_condition(5, 0x20, 0) if cdb[0] in (0x46, 0x55) else None
    )
    writer = DiscFormat2TrackAtOnce()
    code = code_of(lambda: setattr(writer, "recorder", drive))
    assert code == HResult.E_IMAPI_DF2TAO_RECORDER_NOT_SUPPORTED


@pytest.mark.parametrize("level", BurnVerificationLevel)
def test_what_was_written_is_read_again(level: BurnVerificationLevel) -> None:
    drive = recorder()
    writer = tao_writer(drive)
    assert writer.burn_verification_level is BurnVerificationLevel.NONE
    writer.burn_verification_level = level
    writer.prepare_media()
    seen: list[TrackAtOnceWriteAction] = []
    writer.advise(lambda teller, progress: seen.append(progress.current_action))
    writer.add_audio_track(sound(300))
    writer.add_audio_track(sound(350, 2))
    writer.release_media()
    verifying = TrackAtOnceWriteAction.VERIFYING in seen
    assert verifying == (level is BurnVerificationLevel.FULL)


def test_a_disc_that_reads_otherwise_fails_the_verification() -> None:
    drive = recorder()
    writer = tao_writer(drive)
    writer.burn_verification_level = BurnVerificationLevel.FULL
    writer.prepare_media()
    writer.add_audio_track(sound(300))
    medium = kept_of(drive).drive.medium
    assert medium is not None
    medium.store.write(120, np.zeros((1, 2448), np.uint8))
    assert code_of(writer.release_media) == HResult.E_IMAPI_BURN_VERIFICATION_FAILED
    assert writer.state is WriterState.IDLE
    wrong = HResult.E_INVALIDARG
    assert code_of(lambda: setattr(writer, "burn_verification_level", 3)) == wrong
