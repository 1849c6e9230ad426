"""Sessions of tracks at once, from sources."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

import rawcd
from rawcd.errors import AuthoringError, CancelledError, DriveError
from rawcd.progress import BurnAction, BurnProgress
from rawcd.source import ArraySource, SilenceSource
from rawcd_writers.drive.recorder import VirtualRecorderDoor
from rawcd_writers.drive.session import DriveSession
from rawcd_writers.drive.virtual import VirtualRecorder, blank_named
from tests.writers.drive.burning import Spy, blank_disc, sound

if TYPE_CHECKING:
    from pathlib import Path


def blocks(count: int, size: int = 2352, seed: int = 1) -> ArraySource:
    data = np.random.default_rng(seed).integers(0, 256, (count, size), np.uint8)
    return ArraySource(data, block_size=size)


def test_sound_and_data_are_told_apart_by_their_blocks(tmp_path: Path) -> None:
    path = tmp_path / "disc.raw"
    door = VirtualRecorderDoor(f"virtual:{path}?medium=cdr-short")
    done: list[int] = []
    with door.open() as session:
        assert session.track_room(data=False).start_lba == 0
        result = session.write_tracks(
            [blocks(300), blocks(400, seed=2)], appendable=True, tracks_done=done.append
        )
    assert (done, result.mode, result.sectors) == ([0, 1, 2], "tao", 700)
    with door.open() as session:
        room = session.track_room(data=True)
        session.write_tracks([blocks(350, 2048, seed=3)])
    disc = rawcd.open_image(path)
    assert [len(each.tracks) for each in disc.disc.sessions] == [2, 1]
    first, second, third = disc.disc.tracks
    assert third.start_lba == room.start_lba
    assert room.sectors > 300_000
    assert not disc.disc.appendable
    for track, source, cut in (
        (first, blocks(300), slice(None)),
        (second, blocks(400, seed=2), slice(None)),
        (third, blocks(350, 2048, seed=3), slice(16, 2064)),
    ):
        rows = rawcd.main_sectors(disc, track.start_lba, source.block_count)[:, cut]
        assert rows.tobytes() == source.read(0, source.block_count)


def test_a_test_writes_nothing_and_tells_the_same() -> None:
    spy = blank_disc()
    done: list[int] = []
    actions: list[BurnAction] = []

    def watch(told: BurnProgress) -> None:
        actions.append(told.action)

    session = DriveSession(spy)
    session.write_tracks([blocks(300)] * 2, simulate=True, tracks_done=done.append, progress=watch)
    assert done == [0, 1, 2]
    assert spy.recorder.medium is not None
    assert spy.recorder.medium.status == 0, "blank"
    assert 0x54 not in spy.names, "a test costs no place for trying the laser"
    assert actions[0] is BurnAction.PREPARING
    assert actions[-1] is BurnAction.CHECKING


def test_the_page_carries_what_was_asked_for() -> None:
    spy = blank_disc()
    DriveSession(spy).write_tracks([blocks(300)], pause=75, underrun_protection=False)
    page = spy.selected[-1]
    assert page[2] == 1, "track at once, no test, no protection"
    assert page[3] >> 6 == 0, "no session follows"
    assert int.from_bytes(page[14:16], "big") == 75


def test_a_stop_and_a_failure_say_what_became_of_the_disc() -> None:
    spy = blank_disc()
    with pytest.raises(CancelledError) as stopped:
        DriveSession(spy).write_tracks(
            [blocks(300)], progress=lambda told: told.action is not BurnAction.WRITING
        )
    assert "26 sectors were sent" in str(stopped.value.disc_state)
    with pytest.raises(DriveError) as full:
        DriveSession(blank_disc()).write_tracks([rawcd.SilenceSource(block_count=400_000)])
    assert "400000 sectors" in str(full.value)
    assert full.value.disc_state == "nothing was written"


def test_a_drive_that_took_everything_and_calls_the_disc_open_has_not_closed_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    session = DriveSession(blank_disc())
    before = session.disc_information()
    monkeypatch.setattr(session, "disc_information", lambda: before)
    with pytest.raises(DriveError, match="reports the disc as blank"):
        session.write_tracks([ArraySource(sound(300))])


def test_a_track_that_leaves_no_room_for_the_run_out_is_refused_before_it_is_written() -> None:
    """A burn of an image counted the track alone, and failed at the disc's last sector."""
    blank = blank_named("cdr63")
    creator = rawcd.RawCDImageCreator()
    creator.add_track(SilenceSource(block_count=blank.last_lead_out_lba))
    spy = Spy(VirtualRecorder(blank=blank))
    with (
        DriveSession(spy) as session,
        pytest.raises(AuthoringError, match=r"start at LBA 283352 .* and 2 behind each") as caught,
    ):
        session.burn(creator.create_result_image(), mode="tao")
    assert caught.value.__notes__ == ["nothing was written"]
    assert 0x2A not in spy.names


@pytest.mark.parametrize("simulate", [False, True])
def test_tracks_that_have_no_room_together_are_refused_before_the_first(simulate: bool) -> None:
    """The last was refused, when the others had been written."""
    blank = blank_named("cdr63")
    half = SilenceSource(block_count=blank.last_lead_out_lba // 2 - 40)
    spy = Spy(VirtualRecorder(blank=blank))
    with (
        DriveSession(spy) as session,
        pytest.raises(DriveError, match="need 283422 sectors, the disc has room for 283348"),
    ):
        session.write_tracks([half, half], simulate=simulate)
    assert 0x2A not in spy.names
