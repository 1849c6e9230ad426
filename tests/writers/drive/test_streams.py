"""A session's other ways of writing: raw sectors as they come, and one track at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

import rawcd
from rawcd.errors import CancelledError, DriveError, StorageError
from rawcd.progress import BurnAction, BurnProgress
from rawcd_writers.drive import mmc
from rawcd_writers.drive.session import DriveSession
from tests.writers.drive.burning import Spy, album, blank_disc, sound

if TYPE_CHECKING:
    from rawcd.image import RegionImage
    from rawcd.source import Bytes2D

ALLOW = bytes.fromhex("1e0000000000")
CLOSE = 0x5B


def raw_album() -> RegionImage:
    return album().as_kind(rawcd.ImageType.RAW).with_lead_in(-4650)


def write(session: DriveSession, image: RegionImage, **more: object) -> None:
    given = {"lba": image.first_lba, "sectors": image.sector_count, "block_type": 3, **more}
    session.write_raw(image.read_into, **given)  # type: ignore[arg-type]  # the defaults are right


def held(spy: Spy) -> bytes:
    medium = spy.recorder.medium
    assert medium is not None
    store = medium.store
    return store.read(store.first_lba, store.end_lba - store.first_lba).tobytes()


def test_raw_sectors_are_sent_as_they_come() -> None:
    spy, image = blank_disc(), raw_album()
    session = DriveSession(spy)
    assert session.next_lead_in_lba() == image.first_lba
    write(session, image)
    assert held(spy) == image.read(image.first_lba, image.sector_count)


def test_a_tray_that_was_locked_stays_so_behind_a_write() -> None:
    for before in (False, True):
        spy = blank_disc()
        session = DriveSession(spy)
        if before:
            session.lock()
        write(session, raw_album())
        assert session.is_locked == before
        assert (ALLOW in spy.cdbs) == (not before)
        session.close()
        assert ALLOW in spy.cdbs
        assert not session.is_locked


def test_a_disc_that_is_not_what_it_should_be_is_an_error() -> None:
    """A closed session is told to be open, or the reverse."""
    session = DriveSession(blank_disc())
    with pytest.raises(DriveError, match="reports the disc as complete, where appendable"):
        write(session, raw_album(), appendable=True)


def test_a_stream_that_breaks_is_told_with_what_became_of_the_disc() -> None:
    image = raw_album()

    def fill(lba: int, rows: Bytes2D) -> None:
        if lba > 0:
            raise StorageError("is gone", file="stream")
        image.read_into(lba, rows)

    session = DriveSession(blank_disc())
    with pytest.raises(DriveError, match=r"stream: is gone.*the disc is spoiled") as caught:
        session.write_raw(fill, lba=image.first_lba, sectors=image.sector_count, block_type=3)
    assert isinstance(caught.value.__cause__, StorageError)


def test_tracks_are_written_one_by_one_and_the_session_closed() -> None:
    spy = blank_disc()
    session = DriveSession(spy)
    assert session.takes_track_at_once()
    first = session.track_at_once(rawcd.ArraySource(sound(300)))
    second = session.track_at_once(rawcd.ArraySource(sound(310, 2)))
    assert (first.number, first.start_lba, first.sectors) == (1, 0, 300)
    assert (second.number, second.sectors) == (2, 310)
    assert second.start_lba >= 300 + 150
    session.close_session(appendable=True)
    medium = spy.recorder.medium
    assert medium is not None
    assert medium.disc is not None
    assert medium.disc.appendable
    assert [track.start_lba for track in medium.disc.tracks] == [0, second.start_lba]


def test_a_track_that_is_stopped_is_closed_where_it_is() -> None:
    spy = blank_disc()
    session = DriveSession(spy)

    def stop(now: BurnProgress) -> bool:
        return now.action is not BurnAction.WRITING

    with pytest.raises(CancelledError) as caught:
        session.track_at_once(rawcd.ArraySource(sound(2000)), progress=stop)
    assert caught.value.disc_state == "track 1 is on the disc with 300 sectors"
    assert CLOSE in spy.names
    session.close_session()
    medium = spy.recorder.medium
    assert medium is not None
    assert medium.disc is not None
    assert medium.disc.tracks[0].sector_count >= 300
    main = medium.read(0, 300)[:, :2352]
    sent = main.any(axis=1).sum()
    assert main[:sent].tobytes() == sound(2000)[: sent * 2352]
    assert not main[sent:].any()


def test_a_stop_before_anything_was_sent_leaves_a_blank() -> None:
    spy = blank_disc()
    session = DriveSession(spy)
    with pytest.raises(CancelledError) as caught:
        session.track_at_once(rawcd.ArraySource(sound(300)), progress=lambda now: False)
    assert caught.value.disc_state == "nothing was written"
    media = session.media()
    assert media is not None
    assert media.is_blank


def test_a_reply_can_be_had_as_it_comes() -> None:
    session = DriveSession(blank_disc())
    session.wait_until_ready()
    whole = session.disc_information_bytes()
    asked = mmc.read_disc_information()
    assert asked.unread().cdb == asked.cdb
    assert asked.reply(whole) == session.disc_information()
    assert asked.unread().reply(whole) == whole
    page = session.mode_page(0x2A)
    assert page is not None
    assert page[0] == 0x2A
    assert session.mode_page(0x2A, control=3) is None
    assert session.mode_page(0x08) is None
    with pytest.raises(rawcd.UnsupportedError):
        session.disc_information_bytes(1)
    assert np.frombuffer(session.track_information_bytes(1, address_type=1), np.uint8)[2] == 1
